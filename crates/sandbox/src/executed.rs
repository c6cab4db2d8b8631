//! How often each operation was carried out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counters that all venues of one sandbox share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Executed(Arc<Mutex<BTreeMap<String, u64>>>);

impl Executed {
    /// Counts an operation, such as `POST /v1/user/login`.
    pub(crate) fn add(&self, venue: &str, operation: &str) {
        *self.lock().entry(format!("{venue} {operation}")).or_default() += 1;
    }

    pub(crate) fn all(&self) -> BTreeMap<String, u64> {
        self.lock().clone()
    }

    /// Sets all counters to zero.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
