//! What other crates keep with a client.

use std::any::{Any, TypeId};
use std::sync::{Arc, Mutex, PoisonError};

/// One value of each type.
#[derive(Default)]
pub(crate) struct Extensions(Mutex<Vec<(TypeId, Arc<dyn Any + Send + Sync>)>>);

impl Extensions {
    /// The value of this type, created on first use.
    pub(crate) fn of<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = held.iter().find(|(id, _)| *id == TypeId::of::<T>()).map(|(_, value)| value.clone());
        if let Some(value) = found.and_then(|value| value.downcast().ok()) {
            return value;
        }
        let value = Arc::new(make());
        held.push((TypeId::of::<T>(), value.clone()));
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_is_made_once() {
        let extensions = Extensions::default();
        assert_eq!(*extensions.of(|| 1_u8), 1);
        assert_eq!(*extensions.of(|| 2_u8), 1, "the first stays");
        assert_eq!(*extensions.of(|| "text".to_owned()), "text");
        assert!(Arc::ptr_eq(&extensions.of(|| 3_u8), &extensions.of(|| 4_u8)));
    }
}
