//! What a number says of those before it.

use std::collections::HashMap;
use std::sync::Arc;

/// What a number says of those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing is missing.
    Next,
    /// It was here before.
    Duplicate,
    /// So many are missing.
    Gap { expected: i64, got: i64, missing: u64 },
    /// It went back: the count began again, and what is missing is unknown.
    Restart { expected: i64, got: i64 },
    /// Nothing came before, and something must have.
    NoStart,
}

/// A count that increases by one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counter(Option<i64>);

impl Counter {
    /// One whose next number is this.
    pub(crate) fn before(first: i64) -> Self {
        Self(first.checked_sub(1))
    }

    /// A subscription begins with the first number, or below.
    pub(crate) fn step(&mut self, first: i64, got: i64) -> Step {
        let last = self.0.replace(got);
        match last {
            None if got <= first => Step::Next,
            None => Step::Gap { expected: first, got, missing: missing(first, got) },
            Some(last) => compare(last, got),
        }
    }
}

fn compare(last: i64, got: i64) -> Step {
    let expected = last.saturating_add(1);
    match got {
        _ if got == expected => Step::Next,
        _ if got == last => Step::Duplicate,
        _ if got < last => Step::Restart { expected, got },
        _ => Step::Gap { expected, got, missing: missing(expected, got) },
    }
}

fn missing(expected: i64, got: i64) -> u64 {
    u64::try_from(i128::from(got) - i128::from(expected)).unwrap_or(0)
}

/// Numbers that name the one before them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Chain(Option<i64>);

impl Chain {
    /// A snapshot begins a chain. One in the middle of a chain was not asked for: it may be older than what came already.
    pub(crate) fn snapshot(&mut self, number: Option<i64>) -> Step {
        match self.0 {
            Some(last) if number == Some(last) => Step::Duplicate,
            Some(last) => {
                self.0 = None;
                Step::Restart { expected: last, got: number.unwrap_or(0) }
            }
            None => {
                self.0 = number;
                Step::Next
            }
        }
    }

    /// A snapshot sets the number from which changes count on by one, and may come at any time. It is never a duplicate: after a restart
    /// of the venue a book may have the same number and other levels. One with a lower number is older than what came already, unless
    /// it has the first number of all, with which the venue begins after a restart.
    pub(crate) fn reset(&mut self, first: i64, number: Option<i64>) -> Step {
        match (self.0, number) {
            (Some(last), Some(got)) if got < last && got > first => {
                self.0 = None;
                Step::Restart { expected: last.saturating_add(1), got }
            }
            _ => {
                self.0 = number;
                Step::Next
            }
        }
    }

    /// A change that counts on by one.
    pub(crate) fn successor(&mut self, number: Option<i64>) -> Step {
        let Some(last) = self.0 else { return Step::NoStart };
        let step = number.map_or(Step::Restart { expected: last.saturating_add(1), got: 0 }, |got| compare(last, got));
        match step {
            Step::Next => self.0 = number,
            Step::Duplicate => {}
            _ => self.0 = None,
        }
        step
    }

    /// The same where no snapshot comes: the first change begins the chain, and what breaks it begins the next one.
    pub(crate) fn go_on(&mut self, step: Step, number: Option<i64>) -> Step {
        match step {
            Step::Next | Step::Duplicate => step,
            Step::NoStart => {
                self.0 = number;
                Step::Next
            }
            Step::Gap { .. } | Step::Restart { .. } => {
                self.0 = number;
                step
            }
        }
    }

    /// A change continues where the last message was.
    pub(crate) fn change(&mut self, number: Option<i64>, previous: Option<i64>) -> Step {
        let Some(last) = self.0 else { return Step::NoStart };
        if number == Some(last) {
            return Step::Duplicate;
        }
        if previous == Some(last) {
            // A link without a number cannot be followed: the next one shows.
            self.0 = number;
            return Step::Next;
        }
        self.0 = None;
        Step::Restart { expected: last, got: previous.unwrap_or(0) }
    }
}

/// Changes that name the first and the last of the updates that they contain. They begin with a snapshot that has a number too.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Updates {
    /// The last update that is in what readers have.
    last: Option<i64>,
    /// Whether a change has been applied to the snapshot.
    is_followed: bool,
    /// The last update of an older change that came after that.
    older: Option<i64>,
}

impl Updates {
    /// Those that follow a snapshot.
    pub(crate) fn after(number: i64) -> Self {
        Self { last: Some(number), ..Self::default() }
    }

    /// Whether they have begun.
    pub(crate) fn is_begun(&self) -> bool {
        self.last.is_some()
    }

    /// A change. It may begin before what is there ends: its levels are absolute. An older one is dropped, whether it is in the snapshot
    /// already or comes twice; where two older ones follow each other and none of them is late by another connection (`may_be_late`), the
    /// venue has begun to count again.
    pub(crate) fn step(&mut self, first: Option<i64>, last: Option<i64>, may_be_late: bool) -> Step {
        let Some(own) = self.last else { return Step::NoStart };
        let expected = own.saturating_add(1);
        let (Some(first), Some(last)) = (first, last) else {
            *self = Self::default();
            return Step::Restart { expected, got: first.or(last).unwrap_or(0) };
        };
        if last <= own {
            let follows = self.older.is_some_and(|older| older.checked_add(1) == Some(first));
            if self.is_followed && follows && !may_be_late {
                *self = Self::default();
                return Step::Restart { expected, got: first };
            }
            self.older = Some(last);
            return Step::Duplicate;
        }
        if first > expected {
            *self = Self::default();
            return Step::Gap { expected, got: first, missing: missing(expected, first) };
        }
        *self = Self { last: Some(last), is_followed: true, older: None };
        Step::Next
    }
}

/// Counts by item.
#[derive(Clone, Debug, Default)]
pub(crate) struct PerItem(HashMap<Arc<str>, i64>);

/// How many items are counted. A venue that sends more is not followed in those.
const MOST_ITEMS: usize = 100_000;

impl PerItem {
    pub(crate) fn step(&mut self, item: &str, got: i64) -> Step {
        match self.0.get_mut(item) {
            Some(last) => {
                let step = compare(*last, got);
                // A number that went back begins a new count only where its record is new; the caller knows.
                if !matches!(step, Step::Restart { .. }) {
                    *last = got;
                }
                step
            }
            None => {
                if self.0.len() < MOST_ITEMS {
                    self.0.insert(item.into(), got);
                }
                Step::Next
            }
        }
    }

    /// Takes a number as the last one, whatever it was.
    pub(crate) fn set(&mut self, item: &str, number: i64) {
        if let Some(last) = self.0.get_mut(item) {
            *last = number;
        }
    }

    /// The numbers that are due, by item.
    pub(crate) fn due(&self) -> Vec<(Arc<str>, i64)> {
        let mut due: Vec<_> = self.0.iter().map(|(item, last)| (item.clone(), last.saturating_add(1))).collect();
        due.sort();
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_begins_at_its_first_number_and_shows_what_is_missing() {
        let mut counter = Counter::default();
        assert_eq!(Counter::default().step(0, 1), Step::Gap { expected: 0, got: 1, missing: 1 });
        assert_eq!(Counter::default().step(5, 5), Step::Next);
        assert_eq!(counter.step(1, 1), Step::Next);
        assert_eq!(counter.step(1, 2), Step::Next);
        assert_eq!(counter.step(1, 2), Step::Duplicate);
        assert_eq!(counter.step(1, 6), Step::Gap { expected: 3, got: 6, missing: 3 });
        assert_eq!(counter.step(1, 1), Step::Restart { expected: 7, got: 1 });
        assert_eq!(counter.step(1, 2), Step::Next);
        assert_eq!(Counter::default().step(1, 3), Step::Gap { expected: 1, got: 3, missing: 2 });
        assert_eq!(counter.step(1, i64::MAX), Step::Gap { expected: 3, got: i64::MAX, missing: i64::MAX as u64 - 3 });
        assert_eq!(counter.step(1, i64::MIN), Step::Restart { expected: i64::MAX, got: i64::MIN });
    }

    #[test]
    fn a_chain_begins_with_a_snapshot_and_breaks_at_a_wrong_link() {
        let mut chain = Chain::default();
        assert_eq!(chain.change(Some(5), Some(4)), Step::NoStart);
        assert_eq!(chain.snapshot(Some(10)), Step::Next);
        assert_eq!(chain.change(Some(17), Some(10)), Step::Next);
        assert_eq!(chain.change(Some(17), Some(10)), Step::Duplicate);
        assert_eq!(chain.change(Some(20), None), Step::Restart { expected: 17, got: 0 });
        assert_eq!(chain.change(Some(21), Some(20)), Step::NoStart);
        assert_eq!(chain.snapshot(Some(21)), Step::Next);
        assert_eq!(chain.snapshot(Some(21)), Step::Duplicate);
        // One that was not asked for may be older.
        assert_eq!(chain.snapshot(Some(17)), Step::Restart { expected: 21, got: 17 });
        assert_eq!(chain.change(Some(22), Some(21)), Step::NoStart);
    }

    #[test]
    fn changes_that_count_on_by_one_begin_at_any_snapshot() {
        let mut chain = Chain::default();
        assert_eq!(chain.successor(Some(8)), Step::NoStart);
        assert_eq!(chain.reset(1, Some(7)), Step::Next);
        assert_eq!(chain.successor(Some(8)), Step::Next);
        assert_eq!(chain.successor(Some(8)), Step::Duplicate);
        assert_eq!(chain.reset(1, Some(1)), Step::Next);
        assert_eq!(chain.reset(1, Some(1)), Step::Next);
        assert_eq!(chain.successor(Some(2)), Step::Next);
        assert_eq!(chain.successor(Some(5)), Step::Gap { expected: 3, got: 5, missing: 2 });
        assert_eq!(chain.successor(Some(6)), Step::NoStart, "what follows a gap needs a snapshot");
        assert_eq!(chain.reset(1, Some(6)), Step::Next);
        assert_eq!(chain.successor(Some(1)), Step::Restart { expected: 7, got: 1 });
        assert_eq!(chain.reset(1, Some(6)), Step::Next);
        assert_eq!(chain.reset(1, Some(9)), Step::Next);
        assert_eq!(chain.reset(1, Some(5)), Step::Restart { expected: 10, got: 5 }, "older than what came already");
        assert_eq!(chain.reset(1, Some(6)), Step::Next);
        assert_eq!(chain.successor(None), Step::Restart { expected: 7, got: 0 });
    }

    #[test]
    fn a_chain_without_snapshots_begins_with_a_change() {
        let mut chain = Chain::default();
        let mut next = |got: Option<i64>| {
            let step = chain.successor(got);
            chain.go_on(step, got)
        };
        assert_eq!(next(Some(8)), Step::Next);
        assert_eq!(next(Some(9)), Step::Next);
        assert_eq!(next(Some(9)), Step::Duplicate);
        assert_eq!(next(Some(12)), Step::Gap { expected: 10, got: 12, missing: 2 });
        assert_eq!(next(Some(13)), Step::Next);
        assert_eq!(next(Some(1)), Step::Restart { expected: 14, got: 1 });
        assert_eq!(next(Some(2)), Step::Next);
        assert_eq!(next(None), Step::Restart { expected: 3, got: 0 });
        assert_eq!(next(Some(7)), Step::Next);
        let mut linked = Chain::default();
        let mut next = |got: i64, previous: i64| {
            let step = linked.change(Some(got), Some(previous));
            linked.go_on(step, Some(got))
        };
        assert_eq!(next(8, 5), Step::Next);
        assert_eq!(next(11, 8), Step::Next);
        assert_eq!(next(15, 13), Step::Restart { expected: 11, got: 13 });
        assert_eq!(next(16, 15), Step::Next);
    }

    #[test]
    fn changes_name_the_updates_that_they_contain() {
        let step = |updates: &mut Updates, first, last| updates.step(Some(first), Some(last), false);
        assert_eq!(step(&mut Updates::default(), 1, 2), Step::NoStart);
        // Adjacent, and straddling.
        for (first, last) in [(101, 105), (95, 105), (100, 101), (101, 101), (1, 101)] {
            assert_eq!(step(&mut Updates::after(100), first, last), Step::Next, "{first}..{last}");
        }
        assert_eq!(step(&mut Updates::after(100), 102, 105), Step::Gap { expected: 101, got: 102, missing: 1 });
        let mut updates = Updates::after(100);
        // Whatever is in the snapshot already.
        for (first, last) in [(90, 95), (96, 99), (100, 100)] {
            assert_eq!(step(&mut updates, first, last), Step::Duplicate, "{first}..{last}");
        }
        assert_eq!(step(&mut updates, 101, 110), Step::Next);
        assert_eq!(step(&mut updates, 101, 110), Step::Duplicate);
        assert_eq!(step(&mut updates, 111, 111), Step::Next);
        assert_eq!(step(&mut updates, 113, 114), Step::Gap { expected: 112, got: 113, missing: 1 });
        assert_eq!(step(&mut updates, 115, 116), Step::NoStart, "what follows a gap needs a snapshot");
    }

    #[test]
    fn a_venue_that_counts_again_is_not_taken_for_one_that_repeats() {
        let begun = || {
            let mut updates = Updates::after(100);
            assert_eq!(updates.step(Some(101), Some(102), false), Step::Next);
            updates
        };
        let mut updates = begun();
        assert_eq!(updates.step(Some(1), Some(3), false), Step::Duplicate);
        assert_eq!(updates.step(Some(4), Some(5), false), Step::Restart { expected: 103, got: 4 });
        // What another connection brings late.
        let mut updates = begun();
        assert_eq!(updates.step(Some(95), Some(100), true), Step::Duplicate);
        assert_eq!(updates.step(Some(101), Some(102), true), Step::Duplicate);
        assert_eq!(updates.step(Some(103), Some(103), true), Step::Next);
        assert_eq!(begun().step(None, Some(103), false), Step::Restart { expected: 103, got: 103 });
        assert_eq!(begun().step(Some(i64::MIN), Some(i64::MAX), false), Step::Next);
    }

    #[test]
    fn items_count_apart() {
        let mut items = PerItem::default();
        assert_eq!(items.step("a", 7), Step::Next);
        assert_eq!(items.step("b", 100), Step::Next);
        assert_eq!(items.step("a", 8), Step::Next);
        assert_eq!(items.step("b", 102), Step::Gap { expected: 101, got: 102, missing: 1 });
        assert_eq!(items.step("b", 101), Step::Restart { expected: 103, got: 101 });
        assert_eq!(items.step("b", 103), Step::Next);
        assert_eq!(items.due(), [("a".into(), 9), ("b".into(), 104)]);
    }
}
