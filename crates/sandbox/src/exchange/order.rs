//! An order that was accepted.

use rust_decimal::Decimal;

use super::terms::{Owner, Terms};
use crate::make::uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Resting,
    Canceled,
    Executed,
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Resting => "resting",
            Self::Canceled => "canceled",
            Self::Executed => "executed",
        }
    }
}

/// What changed an order last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Placed,
    Trade,
    Amended,
    /// Made smaller or cancelled by its owner.
    Decreased,
    SelfTrade,
    Expired,
    MarketClosed,
    /// Its count was cut to the position that it may close.
    ReduceOnly,
}

/// What an order has traded on arrival, or while it rested.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Traded {
    pub(crate) count: Decimal,
    /// Prices times counts.
    pub(crate) notional: Decimal,
    pub(crate) fees: Decimal,
}

impl Traded {
    pub(crate) fn add(&mut self, price: Decimal, count: Decimal, fee: Decimal) {
        self.count += count;
        self.notional += price * count;
        self.fees += fee;
    }

    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            count: self.count - before.count,
            notional: self.notional - before.notional,
            fees: self.fees - before.fees,
        }
    }

    /// Mean price and mean fee for one contract. None where nothing traded.
    pub(crate) fn averages(self) -> Option<(Decimal, Decimal)> {
        (!self.count.is_zero()).then(|| (self.notional / self.count, self.fees / self.count))
    }
}

/// An order that was accepted: `terms.count = filled() + remaining + cancelled`.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) owner: Owner,
    pub(crate) ticker: String,
    pub(crate) terms: Terms,
    pub(crate) status: Status,
    pub(crate) reason: Reason,
    /// What rests in the book.
    pub(crate) remaining: Decimal,
    pub(crate) taker: Traded,
    pub(crate) maker: Traded,
    /// Milliseconds since the Unix epoch.
    pub(crate) created: i64,
    pub(crate) updated: i64,
    /// Whether the venue placed it on behalf of the user.
    pub(crate) by_venue: bool,
    /// The place in the queue of its price.
    pub(super) sequence: u64,
}

impl Order {
    /// An order that has done nothing yet.
    pub(super) fn new(owner: Owner, ticker: &str, terms: Terms, by_venue: bool, now: i64) -> Self {
        Self {
            id: uuid(),
            owner,
            ticker: ticker.to_owned(),
            terms,
            status: Status::Canceled,
            reason: Reason::Placed,
            remaining: Decimal::ZERO,
            taker: Traded::default(),
            maker: Traded::default(),
            created: now,
            updated: now,
            by_venue,
            sequence: 0,
        }
    }

    pub(crate) fn status_name(&self) -> &'static str {
        self.status.name()
    }

    pub(crate) fn filled(&self) -> Decimal {
        self.taker.count + self.maker.count
    }
}
