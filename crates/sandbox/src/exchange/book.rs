//! The book of one market: what rests, in the order in which it trades, and what has been.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::order::Order;
use super::terms::Side;

/// The best prices at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Quote {
    pub(crate) time: i64,
    pub(crate) bid: Option<Decimal>,
    pub(crate) ask: Option<Decimal>,
}

type Queue = BTreeMap<(Decimal, u64), usize>;

/// The book of one market. Orders and trades are kept by the exchange; here are their places.
#[derive(Debug, Default)]
pub(crate) struct Book {
    bids: Queue,
    asks: Queue,
    /// Rising in time.
    quotes: Vec<Quote>,
    /// Rising in time.
    pub(super) trades: Vec<usize>,
    pub(crate) volume: Decimal,
    /// Prices times counts of all trades.
    pub(crate) turnover: Decimal,
    pub(crate) open_interest: Decimal,
    pub(crate) last_price: Option<Decimal>,
}

/// Sorts the best price first.
fn rank(side: Side, price: Decimal) -> Decimal {
    -side.sign() * price
}

impl Book {
    fn queue(&self, side: Side) -> &Queue {
        match side {
            Side::Bid => &self.bids,
            Side::Ask => &self.asks,
        }
    }

    fn queue_mut(&mut self, side: Side) -> &mut Queue {
        match side {
            Side::Bid => &mut self.bids,
            Side::Ask => &mut self.asks,
        }
    }

    pub(super) fn insert(&mut self, order: &Order, index: usize) {
        let side = order.terms.side;
        self.queue_mut(side).insert((rank(side, order.terms.price), order.sequence), index);
    }

    pub(super) fn remove(&mut self, order: &Order) {
        let side = order.terms.side;
        self.queue_mut(side).remove(&(rank(side, order.terms.price), order.sequence));
    }

    /// The orders of a side in the order in which they trade.
    pub(super) fn resting(&self, side: Side) -> impl Iterator<Item = usize> {
        self.queue(side).values().copied()
    }

    pub(crate) fn best(&self, side: Side) -> Option<Decimal> {
        self.queue(side).keys().next().map(|(rank, _)| -side.sign() * rank)
    }

    /// Remembers the best prices if they have changed.
    pub(super) fn note_quote(&mut self, time: i64) {
        let quote = Quote { time, bid: self.best(Side::Bid), ask: self.best(Side::Ask) };
        let last = self.quotes.last().map(|last| (last.bid, last.ask));
        if last != Some((quote.bid, quote.ask)) {
            self.quotes.push(quote);
        }
    }

    /// All best prices so far.
    pub(crate) fn quotes(&self) -> &[Quote] {
        &self.quotes
    }

    /// The best prices as they were at a time.
    pub(crate) fn quote_at(&self, time: i64) -> Option<Quote> {
        let after = self.quotes.partition_point(|quote| quote.time <= time);
        after.checked_sub(1).map(|index| self.quotes[index])
    }
}
