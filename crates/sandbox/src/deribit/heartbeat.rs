//! When a connection is asked whether somebody is still there.

use std::time::Duration;

use tokio::time::Instant;

/// The heartbeat of one connection.
#[derive(Debug, Default)]
pub(super) struct Heartbeat {
    interval: Option<Duration>,
    next: Option<Instant>,
    /// Whether a `test_request` waits for its `public/test`.
    asked: bool,
}

/// What a beat comes to.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum HeartbeatAction {
    /// Messages of these types.
    Say(&'static [&'static str]),
    /// Nobody is there.
    Silence,
}

impl Heartbeat {
    pub(super) fn next(&self) -> Option<Instant> {
        self.next
    }

    /// Begins again where the interval is another one.
    pub(super) fn set(&mut self, interval: Option<Duration>) {
        if self.interval != interval {
            *self = Self {
                interval,
                next: interval.and_then(|interval| Instant::now().checked_add(interval)),
                ..Self::default()
            };
        }
    }

    /// Notes a message.
    pub(super) fn heard(&mut self, is_test: bool) {
        self.asked &= !is_test;
    }

    /// A beat. Each asks for a sign of life; where the client was sent nothing since the last one there is a heartbeat too.
    pub(super) fn beat(&mut self, is_quiet: bool) -> HeartbeatAction {
        self.next = self.interval.and_then(|interval| Instant::now().checked_add(interval));
        if self.asked {
            return HeartbeatAction::Silence;
        }
        self.asked = true;
        HeartbeatAction::Say(if is_quiet { &["heartbeat", "test_request"] } else { &["test_request"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_silent_is_asked_once() {
        let mut heartbeat = Heartbeat::default();
        heartbeat.set(Some(Duration::from_secs(10)));
        assert_eq!(heartbeat.beat(false), HeartbeatAction::Say(&["test_request"]), "a busy connection");
        heartbeat.heard(true);
        assert_eq!(heartbeat.beat(true), HeartbeatAction::Say(&["heartbeat", "test_request"]));
        heartbeat.heard(false);
        assert_eq!(heartbeat.beat(true), HeartbeatAction::Silence, "only public/test is a response");
        heartbeat.set(None);
        assert_eq!(heartbeat.next(), None);
    }
}
