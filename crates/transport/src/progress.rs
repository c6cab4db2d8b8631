//! How far one call has come, and whether it is sent again.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use venuekit_wire::UnixMillis;
use venuekit_wire::operation::{ErrorKind, Operation};

use crate::clock::Offsets;
use crate::error::Error;
use crate::retry::may_repeat;
use crate::session::Session;

pub(crate) struct Progress {
    started: Instant,
    limit: Duration,
    attempts: u32,
    waited: Duration,
    /// When the current attempt was sent, by the system clock.
    sent: UnixMillis,
    /// What the current attempt's response says of the clock.
    offsets: Option<Offsets>,
    /// The clock's correction when the current attempt was signed, if it was.
    signed_with: Option<i64>,
    earlier_lost: bool,
    clock_corrected: bool,
    token_refused: bool,
    token_renewed: bool,
}

/// An upper bound for the caller's own limit, so that no time calculation overflows.
const LONGEST_CALL: Duration = Duration::from_secs(365 * 86_400);

impl Progress {
    pub(crate) fn new(limit: Duration) -> Self {
        Self {
            started: Instant::now(),
            limit: limit.min(LONGEST_CALL),
            attempts: 0,
            waited: Duration::ZERO,
            sent: UnixMillis::default(),
            offsets: None,
            signed_with: None,
            earlier_lost: false,
            clock_corrected: false,
            token_refused: false,
            token_renewed: false,
        }
    }

    pub(crate) fn begin_attempt(&mut self) {
        self.attempts = self.attempts.saturating_add(1);
        self.offsets = None;
        self.signed_with = None;
    }

    /// The request goes out now. Returns the time left for the call, if there is any.
    pub(crate) fn send(&mut self) -> Option<Duration> {
        self.sent = UnixMillis::now();
        Some(self.time_left()).filter(|left| !left.is_zero())
    }

    /// The request was signed, with the clock corrected by so much.
    pub(crate) fn signed(&mut self, offset_millis: i64) {
        self.signed_with = Some(offset_millis);
    }

    pub(crate) fn sent(&self) -> UnixMillis {
        self.sent
    }

    /// The response contained the venue's time.
    pub(crate) fn heard(&mut self, offsets: Offsets, session: &Session) {
        let clock = &session.shared.common.clock;
        self.offsets = Some(offsets);
        if session.shared.common.correct_clock_skew && clock.agree(offsets) {
            let (venue, offset_millis) = (session.shared.common.venue.name, clock.offset_millis());
            tracing::debug!(venue, offset_millis, "the clock follows the venue's");
        }
    }

    /// The venue did not take the token that went along.
    pub(crate) fn token_was_refused(&mut self) {
        self.token_refused = true;
    }

    pub(crate) fn waited(&mut self, wait: Duration) {
        self.waited = self.waited.saturating_add(wait);
    }

    /// Counts the time that something takes as waiting, if it takes any.
    pub(crate) async fn waits<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        if let Poll::Ready(result) = poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await {
            return result;
        }
        let begin = Instant::now();
        let result = work.await;
        self.waited = self.waited.saturating_add(begin.elapsed());
        result
    }

    /// How long the call has been in flight.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    pub(crate) fn waited_so_far(&self) -> Duration {
        self.waited
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Whether an attempt may have been carried out and was followed by another.
    pub(crate) fn earlier_lost(&self) -> bool {
        self.earlier_lost
    }

    /// How long to wait before the call is sent again; none if it is not. `keyed` says whether it carries an idempotency key.
    pub(crate) fn next_wait(
        &mut self,
        session: &Session,
        operation: &Operation,
        keyed: bool,
        error: &Error,
    ) -> Option<Duration> {
        let wait = self.decide(session, operation, keyed, error)?;
        self.earlier_lost |= error.may_have_been_applied();
        Some(wait)
    }

    fn decide(&mut self, session: &Session, operation: &Operation, keyed: bool, error: &Error) -> Option<Duration> {
        let shared = &session.shared;
        // A one-time code counts once. A call that did not get past the limiter is the caller's to repeat.
        if session.own.code.is_some() || error.was_held_back() {
            return None;
        }
        // The venue refused the timestamp and did nothing: put the clock right and sign once more. Not every venue says that it
        // was the timestamp.
        let refused = error.kind() == ErrorKind::Unauthorized;
        // Another call may have put the clock right in the meantime: what counts is how this one was signed.
        let was_off = self.signed_with.zip(self.offsets).is_some_and(|(held, offsets)| offsets.are_far_from(held));
        // One of several calls may be the one that was refused: then this one may have been executed.
        let is_clock = !error.may_have_been_applied() && (error.kind() == ErrorKind::Clock || refused && was_off);
        if is_clock && shared.common.correct_clock_skew && !std::mem::replace(&mut self.clock_corrected, true) {
            let believed = self.offsets.is_some_and(|offsets| shared.common.clock.follow(offsets));
            let offset_millis = shared.common.clock.offset_millis();
            tracing::warn!(
                venue = shared.common.venue.name,
                believed,
                offset_millis,
                "the venue refused the timestamp"
            );
            if believed || error.kind() == ErrorKind::Clock {
                return believed.then_some(Duration::ZERO);
            }
        }
        // The venue refused the token and did nothing: a fresh one is fetched, once.
        if std::mem::take(&mut self.token_refused) && !std::mem::replace(&mut self.token_renewed, true) {
            return Some(Duration::ZERO);
        }
        if !may_repeat(operation, error, keyed) {
            return None;
        }
        let policy = session.own.retry.unwrap_or(shared.retry);
        let wait = policy.wait(self.attempts, error.retry_after(), fastrand::f64())?;
        // One login serves any number of calls, so that those who wait for it amplify nothing.
        let may = wait < self.time_left() && (error.is_login_failure() || shared.budget.spend());
        may.then_some(wait)
    }

    /// Whether there is time left to go on.
    pub(crate) fn in_time(&self, operation: &'static Operation) -> Result<(), Error> {
        if self.time_left().is_zero() { Err(Error::out_of_time(operation)) } else { Ok(()) }
    }

    pub(crate) fn time_left(&self) -> Duration {
        self.limit.saturating_sub(self.started.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use venuekit_wire::operation::Venue;

    use super::*;
    use crate::builder::{ClientBuilder, Connect};
    use crate::carrier::Canned;
    use crate::clock::VenueTime;
    use crate::error::Inner;
    use crate::fixtures;

    struct Client(Session);

    impl Connect for Client {
        const VENUE: &'static Venue = &fixtures::VENUE;

        fn connect(session: Session) -> Self {
            Self(session)
        }
    }

    #[test]
    fn a_refused_timestamp_is_put_right_only_if_nothing_was_executed() {
        for applied in [false, true] {
            let client = ClientBuilder::<Client>::new("http://127.0.0.1:1").carrier(Canned::new()).build().unwrap();
            let mut progress = Progress::new(Duration::from_secs(60));
            progress.begin_attempt();
            let venue = VenueTime::of_millis(UnixMillis::now().get() + 60_000);
            progress.offsets = Some(Offsets::of(venue, UnixMillis::now(), UnixMillis::now()));
            let error = Error::new(Inner { kind: Some(ErrorKind::Clock), applied, ..Inner::default() });
            let wait = progress.next_wait(&client.0, &fixtures::OPERATION, false, &error);
            assert_eq!(wait.is_some(), !applied);
            assert!(!progress.earlier_lost());
        }
    }
}
