//! A venue's ban of the address, which holds for all clients that share a limit.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Until when each venue refuses every request from this address. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Bans(Arc<Mutex<HashMap<&'static str, Instant>>>);

impl Bans {
    /// Takes note of a ban. An earlier ban that lasts longer stays.
    pub(super) fn begin(&self, venue: &'static str, lasts: Duration) {
        let until = Instant::now() + lasts;
        let mut bans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bans.entry(venue).and_modify(|held| *held = until.max(*held)).or_insert(until);
    }

    /// How long a ban still lasts; none without one.
    pub(super) fn left(&self, venue: &'static str) -> Option<Duration> {
        let mut bans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = bans.get(venue)?.saturating_duration_since(Instant::now());
        if left.is_zero() {
            bans.remove(venue);
            return None;
        }
        Some(left)
    }
}
