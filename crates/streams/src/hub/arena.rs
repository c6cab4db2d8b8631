//! Values by small keys that are never taken for each other.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

/// The key of a value. One that was removed is not found again, also where its place has another value.
pub(crate) struct Key<T> {
    index: u32,
    age: u32,
    of: PhantomData<fn() -> T>,
}

/// Values by their keys.
pub(crate) struct Arena<T> {
    places: Vec<(u32, Option<T>)>,
    free: Vec<u32>,
}

impl<T> Arena<T> {
    pub(crate) fn insert(&mut self, value: T) -> Key<T> {
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push((0, None));
            u32::try_from(self.places.len() - 1).expect("memory ends before the keys do")
        });
        let place = &mut self.places[index as usize];
        place.1 = Some(value);
        Key { index, age: place.0, of: PhantomData }
    }

    pub(crate) fn remove(&mut self, key: Key<T>) -> Option<T> {
        let place = self.places.get_mut(key.index as usize).filter(|place| place.0 == key.age)?;
        let value = place.1.take()?;
        place.0 = place.0.wrapping_add(1);
        self.free.push(key.index);
        Some(value)
    }

    pub(crate) fn get(&self, key: Key<T>) -> Option<&T> {
        self.places.get(key.index as usize).filter(|place| place.0 == key.age)?.1.as_ref()
    }

    pub(crate) fn get_mut(&mut self, key: Key<T>) -> Option<&mut T> {
        self.places.get_mut(key.index as usize).filter(|place| place.0 == key.age)?.1.as_mut()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key<T>, &T)> {
        self.places.iter().enumerate().filter_map(|(index, (age, value))| {
            // An index of the list is one of those that were given out.
            Some((Key { index: index as u32, age: *age, of: PhantomData }, value.as_ref()?))
        })
    }

    pub(crate) fn keys(&self) -> Vec<Key<T>> {
        self.iter().map(|(key, _)| key).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

impl<T> PartialEq for Key<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.index, self.age) == (other.index, other.age)
    }
}

impl<T> Eq for Key<T> {}

impl<T> Hash for Key<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.index, self.age).hash(state);
    }
}

impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.index, self.age)
    }
}
