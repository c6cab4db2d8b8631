//! Earlier states of a venue's order books, so that tests can compare.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::exchange::Side;

/// So many changes of one book are kept; older ones can no longer be distinguished.
const KEPT: usize = 200_000;

/// An order book as it was at a mark: prices and sizes, the best level first. Both sides are on the same scale.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BookLevels {
    /// Who buys.
    pub bids: Vec<(Decimal, Decimal)>,
    /// Who sells.
    pub asks: Vec<(Decimal, Decimal)>,
    /// The number of the last change that is part of it.
    pub mark: i64,
}

#[derive(Clone, Debug, Default)]
struct BookSides {
    bids: BTreeMap<Decimal, Decimal>,
    asks: BTreeMap<Decimal, Decimal>,
    mark: i64,
}

impl BookSides {
    fn apply(&mut self, change: &Change) {
        let levels_of_side = match change.side {
            Side::Bid => &mut self.bids,
            Side::Ask => &mut self.asks,
        };
        let size = levels_of_side.entry(change.price).or_default();
        *size += change.delta;
        if size.is_zero() {
            levels_of_side.remove(&change.price);
        }
        self.mark = change.mark;
    }

    fn show(&self) -> BookLevels {
        let levels = |(price, size): (&Decimal, &Decimal)| (*price, *size);
        BookLevels {
            bids: self.bids.iter().rev().map(levels).collect(),
            asks: self.asks.iter().map(levels).collect(),
            mark: self.mark,
        }
    }
}

/// A change of one level.
#[derive(Clone, Copy, Debug)]
struct Change {
    mark: i64,
    side: Side,
    price: Decimal,
    delta: Decimal,
}

#[derive(Debug, Default)]
struct BookHistory {
    base: BookSides,
    now: BookSides,
    changes: VecDeque<Change>,
}

/// The books of a venue, each at any of its last marks.
#[derive(Debug, Default)]
pub(crate) struct History {
    books: HashMap<Arc<str>, BookHistory>,
    last_mark: i64,
}

impl History {
    /// Takes in a change of a level and gives its mark. Marks rise, and some are left out.
    pub(crate) fn change(&mut self, instrument: &Arc<str>, side: Side, price: Decimal, delta: Decimal) -> i64 {
        // Nobody may take marks for a sequence without holes.
        self.last_mark += if self.last_mark % 5 == 3 { 2 } else { 1 };
        let change = Change { mark: self.last_mark, side, price, delta };
        let book = self.books.entry(Arc::clone(instrument)).or_default();
        book.now.apply(&change);
        book.changes.push_back(change);
        if book.changes.len() > KEPT
            && let Some(oldest) = book.changes.pop_front()
        {
            book.base.apply(&oldest);
        }
        self.last_mark
    }

    /// The book as it is now, empty where nothing has ever rested in it.
    pub(crate) fn now(&self, instrument: &str) -> BookLevels {
        self.books.get(instrument).map(|book| book.now.show()).unwrap_or_default()
    }

    /// The book as it was at a mark; none where that is longer ago than is kept, or still to come.
    pub(crate) fn at(&self, instrument: &str, mark: i64) -> Option<BookLevels> {
        if mark > self.last_mark {
            return None;
        }
        let Some(book) = self.books.get(instrument) else { return Some(BookLevels::default()) };
        if mark < book.base.mark {
            return None;
        }
        let mut sides = book.base.clone();
        book.changes.iter().take_while(|change| change.mark <= mark).for_each(|change| sides.apply(change));
        Some(sides.show())
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal_macros::dec;

    use super::*;

    #[test]
    fn a_book_is_told_at_any_mark() {
        let mut history = History::default();
        let one: Arc<str> = "ONE".into();
        let other: Arc<str> = "OTHER".into();
        let first = history.change(&one, Side::Bid, dec!(0.40), dec!(10));
        history.change(&other, Side::Ask, dec!(0.60), dec!(1));
        let second = history.change(&one, Side::Bid, dec!(0.41), dec!(5));
        let third = history.change(&one, Side::Bid, dec!(0.40), dec!(-10));
        assert!(first < second && second < third);
        assert_eq!(history.at("ONE", first).unwrap().bids, [(dec!(0.40), dec!(10))]);
        assert_eq!(history.at("ONE", second).unwrap().bids, [(dec!(0.41), dec!(5)), (dec!(0.40), dec!(10))]);
        assert_eq!(history.at("ONE", third).unwrap(), history.now("ONE"));
        assert_eq!(history.now("ONE").bids, [(dec!(0.41), dec!(5))]);
        assert_eq!(history.at("ONE", third + 100), None);
        assert_eq!(history.now("NONE"), BookLevels::default());
    }

    #[test]
    fn marks_leave_some_out() {
        let mut history = History::default();
        let one: Arc<str> = "ONE".into();
        let marks: Vec<i64> = (0..10).map(|_| history.change(&one, Side::Bid, dec!(1), dec!(1))).collect();
        assert!(marks.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(marks.windows(2).any(|pair| pair[0] + 1 < pair[1]));
    }

    #[test]
    fn what_is_too_old_is_not_told() {
        let mut history = History::default();
        let one: Arc<str> = "ONE".into();
        let first = history.change(&one, Side::Bid, dec!(1), dec!(1));
        for _ in 0..=KEPT {
            history.change(&one, Side::Bid, dec!(1), dec!(1));
        }
        assert_eq!(history.at("ONE", first), None);
        assert_eq!(history.now("ONE").bids, [(dec!(1), Decimal::from(KEPT + 2))]);
    }
}
