//! How far one call has come, and whether it is sent again.

use std::time::{Duration, Instant};

use venuekit_wire::UnixMillis;
use venuekit_wire::operation::{ErrorKind, Operation};

use crate::error::Error;
use crate::retry::may_repeat;
use crate::session::Session;

pub(crate) struct Progress {
    started: Instant,
    limit: Duration,
    /// Whether the call carries an idempotency key.
    keyed: bool,
    attempts: u32,
    /// When the current attempt was sent, by the system clock.
    sent: UnixMillis,
    earlier_lost: bool,
    clock_healed: bool,
    token_refused: bool,
    token_renewed: bool,
}

impl Progress {
    pub(crate) fn new(limit: Duration, keyed: bool) -> Self {
        Self {
            started: Instant::now(),
            limit,
            keyed,
            attempts: 0,
            sent: UnixMillis::default(),
            earlier_lost: false,
            clock_healed: false,
            token_refused: false,
            token_renewed: false,
        }
    }

    /// Counts an attempt. Returns the time left for the call, if there is any.
    pub(crate) fn begin_attempt(&mut self) -> Option<Duration> {
        let left = self.time_left()?;
        self.attempts += 1;
        self.sent = UnixMillis::now();
        Some(left)
    }

    /// The venue did not take the token that went along.
    pub(crate) fn token_was_refused(&mut self) {
        self.token_refused = true;
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Whether an attempt may have been carried out and was followed by another.
    pub(crate) fn earlier_lost(&self) -> bool {
        self.earlier_lost
    }

    /// How long to wait before the call is sent again; none if it is not.
    pub(crate) fn next_wait(&mut self, session: &Session, operation: &Operation, error: &Error) -> Option<Duration> {
        let wait = self.decide(session, operation, error)?;
        self.earlier_lost |= error.may_have_been_applied();
        Some(wait)
    }

    fn decide(&mut self, session: &Session, operation: &Operation, error: &Error) -> Option<Duration> {
        let shared = &session.shared;
        // A one-time code counts once.
        if session.call.code.is_some() {
            return None;
        }
        // The venue refused the timestamp and did nothing: put the clock right and sign once more.
        if error.kind() == ErrorKind::Clock && shared.heal_clock && !std::mem::replace(&mut self.clock_healed, true) {
            let learned = error.venue_time().is_some_and(|time| shared.clock.learn(time, self.sent));
            let offset_millis = shared.clock.offset_millis();
            tracing::warn!(venue = shared.venue.name, learned, offset_millis, "the venue refused the timestamp");
            return learned.then_some(Duration::ZERO);
        }
        // The venue refused the token and did nothing: a fresh one is fetched, once.
        if std::mem::take(&mut self.token_refused) && !std::mem::replace(&mut self.token_renewed, true) {
            return Some(Duration::ZERO);
        }
        if !may_repeat(operation, error, self.keyed) {
            return None;
        }
        let policy = session.call.retry.unwrap_or(shared.retry);
        let wait = policy.wait(self.attempts.max(1), error.retry_after(), fastrand::f64())?;
        let in_time = self.time_left().is_some_and(|left| wait < left);
        (in_time && shared.budget.spend()).then_some(wait)
    }

    fn time_left(&self) -> Option<Duration> {
        self.limit.checked_sub(self.started.elapsed()).filter(|left| !left.is_zero())
    }
}
