//! When watching ends by itself.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The longest time that is accepted, a year: sums of it and the current time do not overflow.
const MOST: u64 = 31_536_000;

/// How long a subscription has to say why it was not made.
const GRACE: Duration = Duration::from_secs(1);

/// After so many messages, or so much time, or never.
#[derive(Debug)]
pub struct Limits {
    left: Option<u64>,
    span: Option<Duration>,
    until: Option<Instant>,
}

impl Limits {
    /// From now on.
    pub fn new(count: Option<u64>, span: Option<Duration>) -> Self {
        Self { left: count, span, until: span.map(|span| Instant::now() + span) }
    }

    /// So many messages were shown. Whether that is enough.
    pub fn shown(&mut self, messages: u64) -> bool {
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(messages);
        }
        self.left == Some(0)
    }

    /// Returns a moment after the time is over, with that time. A subscription ends by itself before, with what went wrong.
    pub async fn overdue(&self) -> Duration {
        match (self.span, self.until) {
            (Some(span), Some(until)) => {
                sleep_until(until + GRACE).await;
                span
            }
            _ => std::future::pending().await,
        }
    }

    /// Returns when the time is over.
    pub async fn over(&self) {
        match self.until {
            Some(until) => sleep_until(until).await,
            None => std::future::pending().await,
        }
    }
}

/// A span of time: `30` or `30s`, `5m`, `2h`, `1d`.
pub fn span(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.char_indices().last() {
        Some((at, 's')) => (&text[..at], 1),
        Some((at, 'm')) => (&text[..at], 60),
        Some((at, 'h')) => (&text[..at], 3600),
        Some((at, 'd')) => (&text[..at], 86_400),
        _ => (text, 1),
    };
    let number = number.parse::<serde_json::Number>().ok().and_then(|number| number.as_u64());
    let seconds = number.and_then(|number| number.checked_mul(unit)).filter(|seconds| (1..=MOST).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| "expected a time up to a year, such as 30s, 5m or 2h".to_owned())
}

/// A number of messages.
pub fn count(text: &str) -> Result<u64, String> {
    let number = text.parse::<serde_json::Number>().ok().and_then(|number| number.as_u64());
    number.filter(|number| *number > 0).ok_or_else(|| "it is not a whole number from 1".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_a_unit_or_is_in_seconds() {
        for (text, seconds) in [("30", 30), ("30s", 30), ("5m", 300), ("2h", 7200), ("1d", 86_400), ("365d", MOST)] {
            assert_eq!(span(text), Ok(Duration::from_secs(seconds)));
        }
        for text in ["", "0", "0s", "-1", "1.5h", "m", "366d", "5 m", "5M", "99999999999999999999d", "5é"] {
            assert!(span(text).is_err(), "{text}");
        }
        assert_eq!((count("1"), count("1000000")), (Ok(1), Ok(1_000_000)));
        assert!(["0", "-1", "1.0", ""].iter().all(|text| count(text).is_err()));
    }

    #[test]
    fn a_limit_is_reached_once_enough_was_shown() {
        let mut limits = Limits::new(Some(3), None);
        assert!(!limits.shown(2) && limits.shown(2) && limits.shown(0));
        assert!(!Limits::new(None, None).shown(u64::MAX));
    }
}
