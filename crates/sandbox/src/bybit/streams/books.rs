//! Books as the streams show them: some levels of a side, numbered.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::bybit::trading::Trading;
use crate::exchange::Side;

/// Where the numbers of a book begin that nobody has asked for before.
const FIRST: i64 = 18_521_288;

/// Price and size.
pub(super) type Level = (Decimal, Decimal);

/// The first levels of a book as they were sent last. Everybody who hears of them hears the same numbers.
#[derive(Clone, Debug)]
pub(in crate::bybit) struct BookFeed {
    depth: usize,
    pub(in crate::bybit) bids: Vec<Level>,
    pub(in crate::bybit) asks: Vec<Level>,
    /// Counts the changes; 1 where the venue has begun again.
    pub(in crate::bybit) u: i64,
    /// The number of the state of the whole book.
    pub(in crate::bybit) seq: i64,
    /// When the book has changed last.
    pub(in crate::bybit) cts: i64,
}

/// What has changed between two states: the new size of each level, zero where it is gone.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Delta {
    pub(super) bids: Vec<Level>,
    pub(super) asks: Vec<Level>,
}

impl BookFeed {
    pub(super) fn new(trading: &Trading, instrument: usize, depth: usize, now: i64) -> Self {
        let mut feed = Self { depth, bids: Vec::new(), asks: Vec::new(), u: FIRST, seq: 0, cts: now };
        feed.show(trading, instrument);
        feed
    }

    /// Takes the book as it is. Returns what has changed within the levels that are shown; none where nothing has.
    pub(super) fn update(&mut self, trading: &Trading, instrument: usize, now: i64) -> Option<Delta> {
        let (bids, asks) = (std::mem::take(&mut self.bids), std::mem::take(&mut self.asks));
        self.show(trading, instrument);
        let delta = Delta { bids: changed(&bids, &self.bids, Side::Bid), asks: changed(&asks, &self.asks, Side::Ask) };
        if delta == Delta::default() {
            return None;
        }
        self.u += 1;
        self.cts = now;
        Some(delta)
    }

    fn show(&mut self, trading: &Trading, instrument: usize) {
        self.bids = trading.levels(instrument, Side::Bid);
        self.asks = trading.levels(instrument, Side::Ask);
        self.bids.truncate(self.depth);
        self.asks.truncate(self.depth);
        self.seq = trading.marks.get(&instrument).copied().unwrap_or_default();
    }
}

/// The levels that differ, the best price first.
fn changed(before: &[Level], after: &[Level], side: Side) -> Vec<Level> {
    let mut sizes: BTreeMap<Decimal, Decimal> = before.iter().map(|(price, _)| (*price, Decimal::ZERO)).collect();
    let old: BTreeMap<Decimal, Decimal> = before.iter().copied().collect();
    for (price, size) in after {
        sizes.insert(*price, *size);
    }
    sizes.retain(|price, size| old.get(price) != Some(size));
    let levels = sizes.into_iter();
    match side {
        Side::Bid => levels.rev().collect(),
        Side::Ask => levels.collect(),
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal_macros::dec;

    use super::*;

    #[test]
    fn a_delta_names_what_differs() {
        let before = [(dec!(9), dec!(1)), (dec!(8), dec!(2)), (dec!(7), dec!(3))];
        let after = [(dec!(10), dec!(5)), (dec!(9), dec!(1)), (dec!(8), dec!(4))];
        let expected = [(dec!(10), dec!(5)), (dec!(8), dec!(4)), (dec!(7), dec!(0))];
        assert_eq!(changed(&before, &after, Side::Bid), expected);
        assert_eq!(changed(&before, &before, Side::Ask), []);
    }
}
