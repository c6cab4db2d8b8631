//! Orders, positions and cash of the one account.
//!
//! The other side of every market is the sandbox itself, which buys and sells any amount at the quote that the market
//! shows. An order that does not reach the quote rests until it is cancelled or expires.

use std::collections::{BTreeMap, HashSet};

use rust_decimal::{Decimal, RoundingStrategy};
use rust_decimal_macros::dec;

use super::error::Refusal;
use super::markets::Market;

const FIRST_DEPOSIT: Decimal = dec!(10000);
const FEE_RATE: Decimal = dec!(0.07);

/// The side of the book: a bid buys yes, an ask buys no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Bid,
    Ask,
}

impl Side {
    /// The sign of a position that this side builds up.
    fn sign(self) -> Decimal {
        match self {
            Self::Bid => Decimal::ONE,
            Self::Ask => Decimal::NEGATIVE_ONE,
        }
    }

    /// What one contract costs whoever takes this side at a yes price.
    fn cost(self, yes_price: Decimal) -> Decimal {
        match self {
            Self::Bid => yes_price,
            Self::Ask => Decimal::ONE - yes_price,
        }
    }

    /// Whether a limit price reaches a price on the other side.
    fn reaches(self, limit: Decimal, price: Decimal) -> bool {
        match self {
            Self::Bid => limit >= price,
            Self::Ask => limit <= price,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeInForce {
    FillOrKill,
    GoodTillCanceled,
    ImmediateOrCancel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SelfTradePrevention {
    TakerAtCross,
    Maker,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Resting,
    Canceled,
    Executed,
}

/// What an order asks for.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) client_order_id: Option<String>,
    pub(super) side: Side,
    pub(super) price: Decimal,
    pub(super) count: Decimal,
    pub(super) time_in_force: TimeInForce,
    pub(super) self_trade_prevention: SelfTradePrevention,
    /// Unix seconds.
    pub(super) expiration: Option<i64>,
    pub(super) post_only: bool,
    pub(super) reduce_only: bool,
    pub(super) cancel_order_on_pause: bool,
    pub(super) order_group_id: Option<String>,
    pub(super) subaccount: i64,
}

/// An order that was taken.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) id: String,
    pub(super) ticker: String,
    pub(super) event_ticker: String,
    pub(super) terms: Terms,
    pub(super) status: Status,
    pub(super) filled: Decimal,
    pub(super) remaining: Decimal,
    pub(super) fill_cost: Decimal,
    pub(super) fees: Decimal,
    pub(super) created: i64,
    pub(super) updated: i64,
    /// Cash that is set aside while the order rests.
    reserved: Decimal,
}

pub(super) struct Book {
    /// In the order of arrival.
    orders: Vec<Order>,
    client_order_ids: HashSet<String>,
    cash: BTreeMap<i64, Decimal>,
    positions: BTreeMap<(i64, String), Decimal>,
}

impl Default for Book {
    fn default() -> Self {
        Self {
            orders: Vec::new(),
            client_order_ids: HashSet::new(),
            cash: BTreeMap::from([(0, FIRST_DEPOSIT)]),
            positions: BTreeMap::new(),
        }
    }
}

impl Book {
    /// Cash that is free to be used.
    pub(super) fn cash(&self, subaccount: i64) -> Decimal {
        self.cash.get(&subaccount).copied().unwrap_or_default()
    }

    /// Positions by ticker: positive counts are yes, negative ones no.
    pub(super) fn positions(&self, subaccount: i64) -> impl Iterator<Item = (&str, Decimal)> {
        let own = self.positions.iter().filter(move |((owner, _), _)| *owner == subaccount);
        own.map(|((_, ticker), count)| (ticker.as_str(), *count))
    }

    /// All orders, the newest first.
    pub(super) fn orders(&self) -> impl Iterator<Item = &Order> {
        self.orders.iter().rev()
    }

    /// Takes an order: fills it, rests it, or refuses it without a trace.
    pub(super) fn place(&mut self, market: &Market, terms: Terms, now: i64) -> Result<&Order, Refusal> {
        if terms.client_order_id.as_ref().is_some_and(|id| self.client_order_ids.contains(id)) {
            return Err(Refusal::new(409, "order_already_exists"));
        }
        let quote = match terms.side {
            Side::Bid => market.yes_ask,
            Side::Ask => market.yes_bid,
        };
        let meets_own: Vec<usize> = self.own_orders_met(market, &terms);
        let crosses = terms.side.reaches(terms.price, quote) || !meets_own.is_empty();
        if terms.post_only && crosses {
            return Err(Refusal::detailed(400, "invalid_order", "post only cross"));
        }
        let count = if terms.reduce_only { self.reducible(market, &terms) } else { terms.count };
        let stops = terms.self_trade_prevention == SelfTradePrevention::TakerAtCross && !meets_own.is_empty();
        let fills = crosses && !stops && count > Decimal::ZERO && terms.side.reaches(terms.price, quote);
        if terms.time_in_force == TimeInForce::FillOrKill && !fills {
            return Err(Refusal::new(409, "fill_or_kill_insufficient_resting_volume"));
        }
        let rests = !fills && !stops && count > Decimal::ZERO && terms.time_in_force == TimeInForce::GoodTillCanceled;

        let mut order = Order {
            id: crate::make::uuid(),
            ticker: market.ticker.clone(),
            event_ticker: market.event_ticker.clone(),
            status: Status::Canceled,
            filled: Decimal::ZERO,
            remaining: Decimal::ZERO,
            fill_cost: Decimal::ZERO,
            fees: Decimal::ZERO,
            created: now,
            updated: now,
            reserved: Decimal::ZERO,
            terms,
        };
        if fills {
            self.fill(&mut order, quote, count)?;
        } else if rests {
            self.rest(&mut order, count)?;
        }
        if !stops {
            // The other prevention type: what rested gives way to the new order.
            meets_own.into_iter().for_each(|index| self.cancel_at(index, now));
        }
        self.client_order_ids.extend(order.terms.client_order_id.clone());
        self.orders.push(order);
        Ok(&self.orders[self.orders.len() - 1])
    }

    /// Cancels a resting order and gives it with the count that was taken off the book.
    pub(super) fn cancel(&mut self, id: &str, now: i64) -> Option<(&Order, Decimal)> {
        let index = self.orders.iter().position(|order| order.id == id && order.status == Status::Resting)?;
        let reduced_by = self.orders[index].remaining;
        self.cancel_at(index, now);
        Some((&self.orders[index], reduced_by))
    }

    /// Cancels what has passed its expiration.
    pub(super) fn expire(&mut self, now: i64) {
        for index in 0..self.orders.len() {
            let order = &self.orders[index];
            let expired = order.terms.expiration.is_some_and(|seconds| seconds <= now / 1000);
            if order.status == Status::Resting && expired {
                self.cancel_at(index, now);
            }
        }
    }

    fn cancel_at(&mut self, index: usize, now: i64) {
        let order = &mut self.orders[index];
        order.status = Status::Canceled;
        order.remaining = Decimal::ZERO;
        order.updated = now;
        let freed = std::mem::take(&mut order.reserved);
        *self.cash.entry(order.terms.subaccount).or_default() += freed;
    }

    fn fill(&mut self, order: &mut Order, price: Decimal, count: Decimal) -> Result<(), Refusal> {
        let cost = order.terms.side.cost(price) * count;
        let fees = (FEE_RATE * count * price * (Decimal::ONE - price))
            .round_dp_with_strategy(4, RoundingStrategy::ToPositiveInfinity);
        // A yes and a no contract together are worth a dollar, paid out at once.
        let paired = self.opposite(&order.ticker, &order.terms).min(count);
        self.pay(order.terms.subaccount, cost + fees - paired)?;
        let position = self.positions.entry((order.terms.subaccount, order.ticker.clone())).or_default();
        *position += order.terms.side.sign() * count;
        order.status = Status::Executed;
        order.filled = count;
        order.fill_cost = cost;
        order.fees = fees;
        Ok(())
    }

    fn rest(&mut self, order: &mut Order, count: Decimal) -> Result<(), Refusal> {
        let uncovered = (count - self.opposite(&order.ticker, &order.terms)).max(Decimal::ZERO);
        let reserved = order.terms.side.cost(order.terms.price) * uncovered;
        self.pay(order.terms.subaccount, reserved)?;
        order.status = Status::Resting;
        order.remaining = count;
        order.reserved = reserved;
        Ok(())
    }

    fn pay(&mut self, subaccount: i64, amount: Decimal) -> Result<(), Refusal> {
        let cash = self.cash.entry(subaccount).or_default();
        if *cash < amount {
            return Err(Refusal::new(400, "insufficient_balance"));
        }
        *cash -= amount;
        Ok(())
    }

    /// How many contracts of the other side the subaccount holds.
    fn opposite(&self, ticker: &str, terms: &Terms) -> Decimal {
        let position = self.positions.get(&(terms.subaccount, ticker.to_owned())).copied().unwrap_or_default();
        (-terms.side.sign() * position).max(Decimal::ZERO)
    }

    fn reducible(&self, market: &Market, terms: &Terms) -> Decimal {
        self.opposite(&market.ticker, terms).min(terms.count)
    }

    fn own_orders_met(&self, market: &Market, terms: &Terms) -> Vec<usize> {
        let meets = |order: &Order| {
            order.status == Status::Resting
                && order.ticker == market.ticker
                && order.terms.side != terms.side
                && terms.side.reaches(terms.price, order.terms.price)
        };
        (0..self.orders.len()).filter(|&index| meets(&self.orders[index])).collect()
    }
}
