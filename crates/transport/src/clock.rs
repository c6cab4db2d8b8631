//! The time that signatures carry.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use venuekit_wire::UnixMillis;

/// The system clock and a correction. Clones share the correction.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    offset_millis: Arc<AtomicI64>,
}

impl Clock {
    /// The corrected time.
    pub fn now(&self) -> UnixMillis {
        UnixMillis(UnixMillis::now().get().saturating_add(self.offset_millis()))
    }

    /// The correction in milliseconds: what is added to the system clock.
    pub fn offset_millis(&self) -> i64 {
        self.offset_millis.load(Ordering::Relaxed)
    }

    /// Sets the correction, for a machine whose own clock cannot be set.
    pub fn set_offset_millis(&self, offset: i64) {
        self.offset_millis.store(offset, Ordering::Relaxed);
    }
}
