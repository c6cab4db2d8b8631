//! How long things may take.

use std::time::Duration;

use venuekit_transport::Timeouts;
use venuekit_wire::Secret;

use crate::network::Network;

/// How long things may take, and how the venue is reached.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Of each call.
    pub timeouts: Timeouts,
    /// The proxy that calls are tunnelled through, as `http://user:password@host:port`. Without one the environment's variables
    /// decide, as for every client.
    pub proxy: Option<Secret>,
    /// How often a new key is tried that the venue does not know yet.
    pub verify: Waits,
    /// How often an old key is tried that the venue still knows.
    pub prove: Waits,
    /// How long a call whose response was lost may still be in progress. Nothing is requested again before.
    pub settle: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            timeouts: Timeouts::default(),
            proxy: None,
            verify: Waits { first: Duration::from_millis(500), longest: seconds(15), total: seconds(180) },
            prove: Waits { first: Duration::from_millis(500), longest: seconds(10), total: seconds(60) },
            settle: seconds(20),
        }
    }
}

impl Settings {
    pub(super) fn network(&self) -> Network {
        Network { timeouts: self.timeouts, proxy: self.proxy.clone() }
    }
}

/// Waits that double, up to a longest one, until they sum up.
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    /// The first wait.
    pub first: Duration,
    /// The longest single wait.
    pub longest: Duration,
    /// All waits together.
    pub total: Duration,
}

impl Waits {
    /// The waits between attempts, one after the other.
    pub(super) fn between(self) -> impl Iterator<Item = Duration> {
        let mut next = self.first.max(Duration::from_millis(1));
        let mut left = self.total;
        std::iter::from_fn(move || {
            let wait = next.min(self.longest.max(Duration::from_millis(1))).min(left);
            next = next.saturating_mul(2);
            left -= wait;
            (!wait.is_zero()).then_some(wait)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end() {
        let millis = Duration::from_millis;
        let waits = Waits { first: millis(10), longest: millis(40), total: millis(100) };
        let expected = [10, 20, 40, 30].map(millis);
        assert_eq!(waits.between().collect::<Vec<_>>(), expected);
        assert_eq!(Waits { total: millis(0), ..waits }.between().count(), 0);
    }
}
