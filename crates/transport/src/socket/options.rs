//! How a WebSocket is kept alive, and what it reports.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::panics::caught;
use crate::retry::RetryPolicy;

/// How a WebSocket is kept.
#[derive(Clone)]
#[must_use]
pub struct WebSocketOptions {
    pub(crate) heartbeat: Option<Duration>,
    pub(crate) in_flight: usize,
    pub(crate) reconnect: RetryPolicy,
    pub(crate) on_event: Option<OnEvent>,
    /// Whether another connection takes the place of one before it ends.
    pub(crate) is_replaced: bool,
}

pub(crate) type OnEvent = Arc<dyn Fn(Event<'_>) + Send + Sync>;

impl WebSocketOptions {
    /// A heartbeat every half minute, 1,024 calls in flight, and waits of up to half a minute between failed connections.
    pub fn new() -> Self {
        let half_a_minute = Duration::from_secs(30);
        let reconnect = endless(Duration::from_millis(100), half_a_minute);
        Self { heartbeat: Some(half_a_minute), in_flight: 1024, reconnect, on_event: None, is_replaced: true }
    }

    /// How often the venue is asked to show that it is there: in whole seconds, rounded up, between one second and an hour. A
    /// connection on which nothing was received for two of these and five seconds is closed. With none, a connection that died
    /// without a word is noticed by no more than the time limits of calls.
    pub fn heartbeat(mut self, interval: Option<Duration>) -> Self {
        let whole = |interval: Duration| interval.as_secs().saturating_add(u64::from(interval.subsec_nanos() > 0));
        self.heartbeat = interval.map(|interval| Duration::from_secs(whole(interval).clamp(1, LONGEST.as_secs())));
        self
    }

    /// How many calls may be in flight. Further ones wait for their turn, within their own time.
    pub fn in_flight(mut self, calls: usize) -> Self {
        // So many permits a semaphore can have.
        self.in_flight = calls.clamp(1, 1 << 20);
        self
    }

    /// How long to wait before a lost connection is opened again: randomly between nothing and an upper bound, which begins at the
    /// first of these and doubles up to the second with each connection that fails or does not last; no less than the venue asks
    /// for, which is believed up to an hour. Neither wait is longer than an hour.
    pub fn reconnect(mut self, first_wait: Duration, longest_wait: Duration) -> Self {
        self.reconnect = endless(first_wait.min(LONGEST), longest_wait.max(first_wait).min(LONGEST));
        self
    }

    /// The handler of what happens beside calls.
    ///
    /// It is called from the task that reads the connection: while it runs nothing else is read, so that nothing is stored up for
    /// a handler that is slow. Let it hand over and return. A handler that panics has missed that event and is called for the
    /// next one; the panic is logged and counted in [`WebSocketStats::handler_panics`].
    pub fn on_event(mut self, handler: impl Fn(Event<'_>) + Send + Sync + 'static) -> Self {
        self.on_event = Some(Arc::new(handler));
        self
    }

    pub(crate) fn has_handler(&self) -> bool {
        self.on_event.is_some()
    }

    /// The same for a connection of streams: the user's handler is not notified about it, and the streams know themselves when another
    /// one is to take its place.
    pub(crate) fn for_streams(&self) -> Self {
        Self { on_event: None, is_replaced: false, ..self.clone() }
    }

    /// Hands an event to the handler. Says whether it came through that without a panic.
    pub(crate) fn tell(&self, event: Event<'_>) -> bool {
        self.on_event
            .as_ref()
            .is_none_or(|handler| caught("the handler of WebSocket events", || handler(event)).is_some())
    }
}

/// No heartbeat and no wait is longer.
const LONGEST: Duration = Duration::from_secs(3600);

/// Connections are tried for as long as somebody may want one.
fn endless(first_wait: Duration, longest_wait: Duration) -> RetryPolicy {
    RetryPolicy { attempts: u32::MAX, first_wait, longest_wait }
}

impl Default for WebSocketOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for WebSocketOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketOptions")
            .field("heartbeat", &self.heartbeat)
            .field("in_flight", &self.in_flight)
            .field("reconnect", &self.reconnect)
            .field("on_event", &self.on_event.is_some())
            .finish()
    }
}

/// What happens on a WebSocket apart from calls.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A connection is open, with its settings made, and calls go over it. The first one is number 1. Subscriptions that the one before
    /// it had are not set up again. If that one is not lost yet, this one has taken its place, and it ends soon.
    #[non_exhaustive]
    Opened {
        /// How many there have been.
        number: u64,
    },
    /// What was subscribed to.
    #[non_exhaustive]
    Notification {
        /// The channel, as it was subscribed to.
        channel: &'a str,
        /// The data, as JSON.
        data: &'a str,
        /// The whole of the notification's params, as JSON.
        params: &'a str,
    },
    /// A connection was lost, or has ended after another one had taken its place.
    #[non_exhaustive]
    Lost {
        /// Which one.
        number: u64,
        /// Why, as far as is known.
        reason: &'a str,
    },
    /// A connection could not be opened, or not be given its settings.
    #[non_exhaustive]
    Failed {
        /// Why.
        error: &'a crate::Error,
        /// How long until the next try.
        wait: Duration,
    },
}

/// What has happened on a WebSocket so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WebSocketStats {
    /// Connections that were opened.
    pub opened: u64,
    /// Of these, the ones that are over.
    pub lost: u64,
    /// Of these, the ones whose place another one had taken by then.
    pub replaced: u64,
    /// Responses for which no call waited: to cancelled calls, duplicates, or with an id that was never sent.
    pub unasked_answers: u64,
    /// Messages that are not JSON-RPC, or not of a known kind.
    pub unreadable_messages: u64,
    /// Events whose handler panicked.
    pub handler_panics: u64,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_interval_and_no_wait_is_too_much(heartbeat: (u64, u32), first: (u64, u32), longest: (u64, u32), attempt: u32) {
            let span = |(seconds, nanos)| Duration::new(seconds, nanos % 1_000_000_000);
            let options = WebSocketOptions::new().heartbeat(Some(span(heartbeat))).reconnect(span(first), span(longest));
            let heartbeat = options.heartbeat.unwrap();
            prop_assert!((Duration::from_secs(1)..=LONGEST).contains(&heartbeat) && heartbeat.subsec_nanos() == 0);
            let wait = options.reconnect.wait(attempt.max(1), None, 1.0);
            prop_assert!(wait.is_none_or(|wait| wait <= LONGEST));
        }
    }

    #[test]
    fn the_longest_spans_are_taken() {
        for span in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
            let options = WebSocketOptions::new().heartbeat(Some(span)).reconnect(span, span);
            assert!(options.heartbeat.is_some_and(|heartbeat| heartbeat >= Duration::from_secs(1)));
        }
    }
}
