//! The limit on calls: a bucket for each caller.

use std::collections::HashMap;
use std::time::Instant;

use super::error::Error;
use super::settings::RequestLimit;

/// A call takes as many of these as there are nanoseconds in a second, so that what comes back is a whole number.
const CALL: u128 = 1_000_000_000;

/// Whose calls are counted together.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum RateLimitSubject {
    Account(usize),
    Connection(u64),
    Stranger,
}

#[derive(Default)]
pub(super) struct Buckets(HashMap<RateLimitSubject, Bucket>);

struct Bucket {
    left: u128,
    at: Instant,
}

impl Buckets {
    /// Takes a call out of the caller's bucket.
    pub(super) fn spend(
        &mut self,
        limit: &RequestLimit,
        rate_limit_subject: RateLimitSubject,
        now: Instant,
    ) -> Result<(), Error> {
        let full = u128::from(limit.burst) * CALL;
        let bucket = self.0.entry(rate_limit_subject).or_insert(Bucket { left: full, at: now });
        let back = now.saturating_duration_since(bucket.at).as_nanos() * u128::from(limit.per_second);
        bucket.left = (bucket.left + back).min(full);
        bucket.at = now;
        match bucket.left.checked_sub(CALL) {
            Some(left) => {
                bucket.left = left;
                Ok(())
            }
            None => Err(Error::new(Error::TOO_MANY_REQUESTS)),
        }
    }

    /// Fills all buckets.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bucket_empties_and_fills() {
        let limit = RequestLimit { burst: 2, per_second: 10, closes: true };
        let (mut buckets, start) = (Buckets::default(), Instant::now());
        let mut spend = |rate_limit_subject, millis| {
            buckets.spend(&limit, rate_limit_subject, start + Duration::from_millis(millis)).is_ok()
        };
        assert!(
            spend(RateLimitSubject::Account(0), 0)
                && spend(RateLimitSubject::Account(0), 0)
                && !spend(RateLimitSubject::Account(0), 0)
        );
        assert!(spend(RateLimitSubject::Connection(1), 0), "another one's bucket");
        assert!(
            !spend(RateLimitSubject::Account(0), 99)
                && spend(RateLimitSubject::Account(0), 100)
                && !spend(RateLimitSubject::Account(0), 100)
        );
    }
}
