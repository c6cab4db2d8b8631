//! The time that signatures carry, and how it is put right.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use venuekit_wire::UnixMillis;

/// The largest correction that is learned, in milliseconds: a quarter of an hour. Beyond that the clock should be set.
const FURTHEST: i64 = 15 * 60 * 1000;

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

    /// Takes the venue's time over, as an answer that came between `sent` and now told it. A correction beyond
    /// `FURTHEST` is not believed. Says whether anything changed.
    pub(crate) fn learn(&self, venue_time: i64, sent: UnixMillis) -> bool {
        let received = UnixMillis::now().get();
        // A `Date` header is cut to whole seconds, and was written about half way between sending and receiving.
        let between = sent.get() + (received - sent.get()) / 2;
        let offset = venue_time + 500 - between;
        if offset.abs() > FURTHEST {
            return false;
        }
        self.offset_millis.store(offset, Ordering::Relaxed);
        true
    }

    /// Sets the correction, for a machine whose own clock cannot be set.
    pub fn set_offset_millis(&self, offset: i64) {
        self.offset_millis.store(offset, Ordering::Relaxed);
    }
}
