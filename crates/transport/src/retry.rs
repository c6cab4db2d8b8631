//! Which failed call is repeated, and after how long.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http::StatusCode;
use venuekit_wire::operation::{ErrorKind, Operation, Retry};

use crate::error::Error;

/// How failed calls are repeated.
///
/// What is repeated is the spec's word (`x-retry`), not the policy's: a call that only reads, or that carries an idempotency key,
/// after a transient failure; any other only when it is certain that nothing was processed. Every attempt is signed again.
///
/// The wait before an attempt is random between nothing and an upper bound, which begins at [`first_wait`](Self::first_wait) and
/// doubles up to [`longest_wait`](Self::longest_wait). A wait that the venue asks for is kept, unless it is longer than that: then
/// the error is returned at once, with the wait in it.
///
/// Fields may be added: begin with [`RetryPolicy::default`] and change it with the methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts at most, the first one included.
    pub attempts: u32,
    /// Upper bound of the first wait.
    pub first_wait: Duration,
    /// Upper bound of any wait.
    pub longest_wait: Duration,
}

/// An upper bound for the waits of a policy, so that no time calculation overflows.
const LONGEST_WAIT: Duration = Duration::from_secs(365 * 86_400);

impl RetryPolicy {
    /// The same policy with this many attempts at most, the first one included.
    #[must_use]
    pub const fn with_attempts(self, attempts: u32) -> Self {
        Self { attempts, ..self }
    }

    /// The same policy with this upper bound of the first wait.
    #[must_use]
    pub const fn with_first_wait(self, first_wait: Duration) -> Self {
        Self { first_wait, ..self }
    }

    /// The same policy with this upper bound of any wait.
    #[must_use]
    pub const fn with_longest_wait(self, longest_wait: Duration) -> Self {
        Self { longest_wait, ..self }
    }

    /// One attempt and no more.
    pub const fn none() -> Self {
        Self { attempts: 1, first_wait: Duration::ZERO, longest_wait: Duration::ZERO }
    }

    /// How long to wait before the attempt after this one, the first being 1. `random` is between 0 and 1.
    pub(crate) fn wait(&self, attempt: u32, asked: Option<Duration>, random: f64) -> Option<Duration> {
        if attempt >= self.attempts {
            return None;
        }
        let doubled = self.first_wait.saturating_mul(1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX));
        let wait = doubled.min(self.longest_wait).min(LONGEST_WAIT).mul_f64(random);
        match asked {
            Some(asked) if asked > self.longest_wait => None,
            Some(asked) => Some(wait.max(asked)),
            None => Some(wait),
        }
    }
}

impl Default for RetryPolicy {
    /// Four attempts, a tenth of a second doubling up to ten seconds.
    fn default() -> Self {
        Self { attempts: 4, first_wait: Duration::from_millis(100), longest_wait: Duration::from_secs(10) }
    }
}

/// Whether repeating a call after this error is without harm and may help. `keyed` says whether it carries an idempotency key.
pub(crate) fn may_repeat(operation: &Operation, error: &Error, keyed: bool) -> bool {
    let harmless = match operation.retry {
        Retry::Safe => true,
        Retry::Keyed(_) => keyed || !error.may_have_been_applied(),
        Retry::Never => !error.may_have_been_applied(),
    };
    harmless && is_passing(error)
}

fn is_passing(error: &Error) -> bool {
    const PASSING: [StatusCode; 5] = [
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::BAD_GATEWAY,
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::GATEWAY_TIMEOUT,
    ];
    match error.kind() {
        ErrorKind::Network | ErrorKind::Timeout | ErrorKind::RateLimited | ErrorKind::Maintenance => true,
        // The venue itself says that it failed and did nothing, with any status.
        ErrorKind::Server if error.was_not_processed() => true,
        // The venue's own time-outs, under whatever status.
        ErrorKind::Server if error.leaves_outcome_unknown() => true,
        ErrorKind::Decode | ErrorKind::Challenge => false,
        _ => error.status().is_some_and(|status| PASSING.contains(&status)),
    }
}

/// Keeps an outage from being amplified: repetitions are paid for by calls. Counted in tenths of a repetition.
#[derive(Debug)]
pub(crate) struct RetryBudget(AtomicU32);

impl RetryBudget {
    const FULL: u32 = 100;
    const REPETITION: u32 = 10;

    pub(crate) fn new() -> Self {
        Self(AtomicU32::new(Self::FULL))
    }

    /// A call earns a tenth of a repetition.
    pub(crate) fn earn(&self) {
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |held| (held < Self::FULL).then(|| held + 1));
    }

    /// Takes a repetition, if there is one.
    pub(crate) fn spend(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |held| held.checked_sub(Self::REPETITION)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_keep_what_the_venue_asks() {
        let policy = RetryPolicy { attempts: 5, ..RetryPolicy::default() };
        let waits: Vec<_> = (1..=5).map(|attempt| policy.wait(attempt, None, 1.0)).collect();
        let millis = |millis| Some(Duration::from_millis(millis));
        assert_eq!(waits, [millis(100), millis(200), millis(400), millis(800), None]);
        assert_eq!(policy.wait(1, None, 0.0), Some(Duration::ZERO));
        assert_eq!(policy.wait(1, millis(3000), 1.0), millis(3000));
        assert_eq!(policy.wait(1, millis(10_001), 1.0), None, "longer than anybody wants to wait");
        let patient = RetryPolicy { attempts: u32::MAX, ..policy };
        assert_eq!(patient.wait(200, None, 1.0), Some(policy.longest_wait));
        assert_eq!(RetryPolicy::none().wait(1, None, 1.0), None);
    }

    #[test]
    fn no_policy_is_too_long_to_count_with() {
        let endless = RetryPolicy { attempts: u32::MAX, first_wait: Duration::MAX, longest_wait: Duration::MAX };
        for attempt in [0, 1, 32, 33, u32::MAX - 1] {
            let wait = endless.wait(attempt, None, 1.0).unwrap();
            assert!(std::time::Instant::now().checked_add(wait).is_some(), "{wait:?}");
        }
        assert_eq!(endless.wait(1, Some(Duration::MAX), 0.5), Some(Duration::MAX), "as asked for");
    }

    #[test]
    fn repetitions_are_a_tenth_of_calls_in_the_long_run() {
        let budget = RetryBudget::new();
        assert_eq!((0..100).filter(|_| budget.spend()).count(), 10, "what it begins with");
        let repeated = (0..1000).filter(|_| {
            budget.earn();
            budget.spend()
        });
        assert_eq!(repeated.count(), 100);
    }
}
