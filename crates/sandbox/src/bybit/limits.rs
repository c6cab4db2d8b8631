//! How many calls an account may make to a path.

use std::collections::{BTreeMap, VecDeque};

/// Calls in a span of time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) calls: usize,
    pub(super) millis: i64,
}

/// What the headers of a response say of the limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Standing {
    pub(super) limit: usize,
    pub(super) left: usize,
    /// When there is room again, or the time of the call where there is some.
    pub(super) reset: i64,
    /// Whether the call is one too many.
    pub(super) exceeded: bool,
}

/// The calls of the last moments, by account and path.
#[derive(Debug, Default)]
pub(super) struct Limits(BTreeMap<(usize, String), VecDeque<i64>>);

impl Limits {
    /// Counts a call. One too many is not counted where the limit is enforced.
    pub(super) fn count(
        &mut self,
        (member, path): (usize, String),
        limit: Limit,
        now: i64,
        enforced: bool,
    ) -> Standing {
        let made = self.0.entry((member, path)).or_default();
        while made.front().is_some_and(|at| now - at >= limit.millis || *at > now) {
            made.pop_front();
        }
        let is_full = made.len() >= limit.calls;
        let exceeded = is_full && enforced;
        let reset = made.front().filter(|_| is_full).map_or(now, |at| at + limit.millis);
        if !exceeded {
            made.push_back(now);
        }
        Standing { limit: limit.calls, left: limit.calls.saturating_sub(made.len()), reset, exceeded }
    }
}

impl Limits {
    /// How an account stands, without a call.
    pub(super) fn standing(&self, key: &(usize, String), limit: Limit, now: i64) -> Standing {
        let made = self.0.get(key).into_iter().flatten().filter(|at| now - **at < limit.millis && **at <= now);
        let (count, oldest) = (made.clone().count(), made.min().copied());
        let reset = oldest.filter(|_| count >= limit.calls).map_or(now, |at| at + limit.millis);
        Standing { limit: limit.calls, left: limit.calls.saturating_sub(count), reset, exceeded: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_rolls() {
        let mut limits = Limits::default();
        let limit = Limit { calls: 2, millis: 1000 };
        let mut call = |now| limits.count((0, "/v5/order/create".to_owned()), limit, now, true);
        assert_eq!((call(0).left, call(400).left), (1, 0));
        let refused = call(900);
        assert!(refused.exceeded);
        assert_eq!((refused.left, refused.reset), (0, 1000));
        assert!(!call(1000).exceeded);
        assert!(call(1399).exceeded);
        assert!(!call(1400).exceeded);
    }
}
