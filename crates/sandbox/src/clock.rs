//! The sandbox's own clock: the system's, shifted as a test asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A clock that all venues of one sandbox share.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    offset_millis: Arc<AtomicI64>,
}

impl Clock {
    /// Milliseconds since the Unix epoch.
    pub fn millis(&self) -> i64 {
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX) + self.offset_millis.load(Ordering::Relaxed)
    }

    /// By how much the clock is shifted.
    pub fn offset_millis(&self) -> i64 {
        self.offset_millis.load(Ordering::Relaxed)
    }

    /// Shifts the clock: positive milliseconds put the sandbox ahead of the machine it runs on.
    pub fn set_offset_millis(&self, offset: i64) {
        self.offset_millis.store(offset, Ordering::Relaxed);
    }
}

/// Milliseconds since the Unix epoch as RFC 3339 text in UTC.
pub(crate) fn rfc3339(millis: i64) -> String {
    use time::OffsetDateTime;
    use time::format_description::well_known::Rfc3339;

    let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000);
    moment.ok().and_then(|moment| moment.format(&Rfc3339).ok()).unwrap_or_default()
}
