//! How fast commands may follow each other.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// So many messages in any second.
pub(super) struct Pace {
    most: usize,
    sent: VecDeque<Instant>,
}

const SECOND: Duration = Duration::from_secs(1);

/// A higher limit is not enforced: nothing is sent that fast.
const UNLIMITED: u32 = 100_000;

impl Pace {
    /// The venue's limit. Zero: it is unknown.
    pub(super) fn new(per_second: u32) -> Self {
        let is_limited = (1..UNLIMITED).contains(&per_second);
        let most = usize::try_from(per_second).ok().filter(|_| is_limited).unwrap_or(usize::MAX);
        Self { most, sent: VecDeque::new() }
    }

    /// When the next message may be sent; none: at once.
    pub(super) fn ready(&mut self, now: Instant) -> Option<Instant> {
        while self.sent.front().is_some_and(|sent| *sent + SECOND <= now) {
            self.sent.pop_front();
        }
        // Sends may be booked ahead: a second after the one that is `most` places before the next.
        let before = self.sent.len().checked_sub(self.most)?;
        self.sent.get(before).map(|sent| *sent + SECOND)
    }

    /// A message is sent.
    pub(super) fn sent(&mut self, now: Instant) {
        if self.most != usize::MAX {
            self.sent.push_back(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_second_has_more_than_the_limit(most in 1_u32..20, gaps in prop::collection::vec(0_u64..400, 1..200)) {
            let (mut pace, mut now, begin) = (Pace::new(most), Instant::now(), Instant::now());
            let mut sent: Vec<Instant> = Vec::new();
            for gap in gaps {
                now += Duration::from_millis(gap);
                if let Some(ready) = pace.ready(now) {
                    prop_assert!(ready > now);
                    now = ready;
                    prop_assert_eq!(pace.ready(now), None);
                }
                pace.sent(now);
                sent.push(now);
            }
            for (index, first) in sent.iter().enumerate() {
                let within = sent[index..].iter().take_while(|later| **later < *first + SECOND).count();
                prop_assert!(within <= most as usize, "{} after {:?}", within, *first - begin);
            }
        }
    }

    #[test]
    fn sends_that_are_booked_ahead_keep_the_limit() {
        let (mut pace, now) = (Pace::new(3), Instant::now());
        let booked: Vec<u64> = (0..10)
            .map(|_| {
                let at = pace.ready(now).unwrap_or(now);
                pace.sent(at);
                (at - now).as_secs()
            })
            .collect();
        assert_eq!(booked, [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]);
    }

    #[test]
    fn no_limit_is_none() {
        for most in [0, u32::MAX] {
            let (mut pace, now) = (Pace::new(most), Instant::now());
            for _ in 0..1000 {
                assert_eq!(pace.ready(now), None);
                pace.sent(now);
            }
        }
    }
}
