//! The book of an instrument: open limit orders by price and time, and a thin made-up part that never runs dry.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::instruments::Instrument;
use super::orders::Direction;
use super::state::State;

const MADE_UP_LEVELS: u32 = 3;

/// Where an order is kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct OrderLocation {
    /// Index into the accounts.
    pub(super) account: usize,
    /// Index into the account's orders.
    pub(super) order: usize,
}

/// The open limit orders on one instrument, the best price first, and of one price the oldest.
#[derive(Debug, Default)]
pub(super) struct Book {
    bids: BTreeMap<(Decimal, i64), OrderLocation>,
    asks: BTreeMap<(Decimal, i64), OrderLocation>,
    /// Number of the last trade.
    pub(super) trade_seq: i64,
    /// Number of the last change; none while nothing has changed.
    pub(super) change_id: Option<i64>,
    /// Price of the last trade and how it stood to the one before.
    pub(super) last: Option<(Decimal, u8)>,
}

impl Book {
    pub(super) fn insert(&mut self, side: Direction, price: Decimal, turn: i64, slot: OrderLocation) {
        self.side_mut(side).insert((rank(side, price), turn), slot);
    }

    pub(super) fn remove(&mut self, side: Direction, price: Decimal, turn: i64) {
        self.side_mut(side).remove(&(rank(side, price), turn));
    }

    /// Notes a trade at a price: its number, and whether the price went up (0), level after up (1), down (2), level after down (3).
    pub(super) fn tick(&mut self, price: Decimal) -> (i64, u8) {
        self.trade_seq += 1;
        let direction = match self.last {
            None => 0,
            Some((last, _)) if price > last => 0,
            Some((last, _)) if price < last => 2,
            Some((_, before)) => before | 1,
        };
        self.last = Some((price, direction));
        (self.trade_seq, direction)
    }

    fn orders(&self, side: Direction) -> impl Iterator<Item = OrderLocation> + '_ {
        self.side(side).values().copied()
    }

    fn best(&self, side: Direction) -> Option<Decimal> {
        self.side(side).keys().next().map(|(best, _)| rank(side, *best))
    }

    fn side(&self, side: Direction) -> &BTreeMap<(Decimal, i64), OrderLocation> {
        match side {
            Direction::Buy => &self.bids,
            Direction::Sell => &self.asks,
        }
    }

    fn side_mut(&mut self, side: Direction) -> &mut BTreeMap<(Decimal, i64), OrderLocation> {
        match side {
            Direction::Buy => &mut self.bids,
            Direction::Sell => &mut self.asks,
        }
    }
}

/// Better prices have a lower rank. The rank of a rank is the price.
fn rank(side: Direction, price: Decimal) -> Decimal {
    match side {
        Direction::Buy => -price,
        Direction::Sell => price,
    }
}

/// What stands in the book: an order, or a made-up level.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer {
    pub(super) price: Decimal,
    pub(super) amount: Decimal,
    pub(super) maker: Option<OrderLocation>,
}

/// The made-up levels of a side.
fn generated(instrument: &Instrument, side: Direction) -> impl Iterator<Item = Offer> + use<> {
    let prices = instrument.prices;
    let spread = prices.ask - prices.bid;
    (0..MADE_UP_LEVELS).map(Decimal::from).map(move |step| Offer {
        price: match side {
            Direction::Buy => prices.bid - spread * step,
            Direction::Sell => prices.ask + spread * step,
        },
        amount: prices.size * (step + Decimal::ONE),
        maker: None,
    })
}

impl State {
    /// What stands on a side of an instrument's book, best first. Made-up levels were there before all orders; those that an order
    /// of the other side would have taken stay hidden as long as it is there.
    pub(super) fn offers<'a>(&'a self, instrument: &Instrument, side: Direction) -> impl Iterator<Item = Offer> + 'a {
        let book = self.books.get(instrument.instrument_name);
        let opposite = book.and_then(|book| book.best(side.other()));
        let is_free = move |offer: &Offer| opposite.is_none_or(|price| side.other().is_beyond(price, offer.price));
        let generated = generated(instrument, side).filter(|_| self.settings.generated_book);
        let mut levels = generated.filter(is_free).peekable();
        let orders = book.into_iter().flat_map(move |book| book.orders(side));
        let mut orders = orders.filter_map(|slot| self.offer(slot)).peekable();
        std::iter::from_fn(move || match (levels.peek(), orders.peek()) {
            (Some(level), Some(order)) if rank(side, order.price) < rank(side, level.price) => orders.next(),
            (Some(_), _) => levels.next(),
            (None, _) => orders.next(),
        })
    }

    fn offer(&self, slot: OrderLocation) -> Option<Offer> {
        let order = self.order(slot);
        Some(Offer { price: order.price.limit()?, amount: order.left(), maker: Some(slot) })
    }

    /// The prices of a side with the amount that stands at each, best first.
    pub(super) fn levels(&self, instrument: &Instrument, side: Direction, depth: usize) -> Vec<(Decimal, Decimal)> {
        let mut levels: Vec<(Decimal, Decimal)> = Vec::new();
        for offer in self.offers(instrument, side) {
            if let Some((_, amount)) = levels.last_mut().filter(|(price, _)| *price == offer.price) {
                *amount += offer.amount;
            } else if levels.len() < depth {
                levels.push((offer.price, offer.amount));
            } else {
                break;
            }
        }
        levels
    }

    /// The book of an instrument, to be changed.
    pub(super) fn book_mut(&mut self, instrument_name: &'static str) -> &mut Book {
        self.changes.touch(instrument_name);
        self.books.entry(instrument_name).or_default()
    }
}
