//! When a connection is asked whether somebody is still there.

use std::time::Duration;

use tokio::time::Instant;

/// The heartbeat of one connection.
#[derive(Debug, Default)]
pub(super) struct Heartbeat {
    interval: Option<Duration>,
    next: Option<Instant>,
    /// Whether anything came since the last beat.
    heard: bool,
    /// Whether a `test_request` waits for its `public/test`.
    asked: bool,
}

/// What a beat comes to.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Beat {
    /// A message of this type.
    Say(&'static str),
    /// Nobody is there.
    Silence,
}

impl Heartbeat {
    pub(super) fn next(&self) -> Option<Instant> {
        self.next
    }

    /// Begins anew where the interval is another one.
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
        self.heard = true;
        self.asked &= !is_test;
    }

    pub(super) fn beat(&mut self) -> Beat {
        self.next = self.interval.and_then(|interval| Instant::now().checked_add(interval));
        if self.asked {
            return Beat::Silence;
        }
        self.asked = !std::mem::take(&mut self.heard);
        Beat::Say(if self.asked { "test_request" } else { "heartbeat" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_silent_is_asked_once() {
        let mut heartbeat = Heartbeat::default();
        heartbeat.set(Some(Duration::from_secs(10)));
        heartbeat.heard(false);
        assert_eq!(heartbeat.beat(), Beat::Say("heartbeat"));
        assert_eq!(heartbeat.beat(), Beat::Say("test_request"));
        heartbeat.heard(true);
        assert_eq!(heartbeat.beat(), Beat::Say("heartbeat"));
        assert_eq!(heartbeat.beat(), Beat::Say("test_request"));
        heartbeat.heard(false);
        assert_eq!(heartbeat.beat(), Beat::Silence, "only public/test is an answer");
        heartbeat.set(None);
        assert_eq!(heartbeat.next(), None);
    }
}
