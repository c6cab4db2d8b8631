//! Orders, shares and money of one account.
//!
//! The other side is the sandbox itself, which trades any amount at the prices that a market shows. A CLOB order that
//! does not reach them rests until it is cancelled or expires.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};
use rust_decimal_macros::dec;

use super::events::{Engine, Outcome};
use crate::make::uuid;

/// Decimals of a share.
const SHARE_DECIMALS: u32 = 6;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Currency {
    Usd,
    Ngn,
}

impl Currency {
    pub(super) fn read(text: &str) -> Option<Self> {
        match text {
            "USD" => Some(Self::Usd),
            "NGN" => Some(Self::Ngn),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Usd => "USD",
            Self::Ngn => "NGN",
        }
    }

    /// What a share pays if it wins, and what one order must be worth at least.
    pub(super) fn multiplier(self) -> Decimal {
        match self {
            Self::Usd => Decimal::ONE,
            Self::Ngn => Decimal::ONE_HUNDRED,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Buy,
    Sell,
}

impl Side {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Buy => "BUY",
            Self::Sell => "SELL",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Open,
    Filled,
    Cancelled,
    Expired,
}

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Filled => "filled",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }
}

/// How long an order stands when it is not filled at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Duration {
    Rest,
    /// Milliseconds since the Unix epoch.
    RestUntil(i64),
    FillAndKill,
    FillOrKill,
}

/// What an order asks for, checked.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) side: Side,
    /// Money: to spend, or to receive.
    pub(super) amount: Decimal,
    pub(super) currency: Currency,
    /// The limit. None for a market order.
    pub(super) limit: Option<Decimal>,
    pub(super) duration: Duration,
    pub(super) post_only: bool,
    pub(super) stp_mode: &'static str,
}

#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) id: String,
    pub(super) event_id: String,
    pub(super) market_id: String,
    pub(super) outcome_id: String,
    pub(super) outcome_label: &'static str,
    pub(super) terms: Terms,
    /// The limit, or the price of a market order.
    pub(super) price: Decimal,
    pub(super) size: Decimal,
    pub(super) filled: Decimal,
    pub(super) status: Status,
    pub(super) created: i64,
    pub(super) updated: i64,
}

impl Order {
    pub(super) fn remaining(&self) -> Decimal {
        match self.status {
            Status::Filled => Decimal::ZERO,
            _ => self.size - self.filled,
        }
    }
}

/// Shares of one outcome.
#[derive(Clone, Debug)]
pub(super) struct Holding {
    pub(super) id: String,
    pub(super) shares: Decimal,
    /// Shares that resting orders offer.
    pub(super) offered: Decimal,
    /// Money spent on the shares that are left.
    pub(super) cost: Decimal,
    pub(super) created: i64,
    pub(super) updated: i64,
}

/// Why an order was not taken: a code in the form of the batch routes, and a sentence.
#[derive(Debug)]
pub(super) struct Rejection {
    pub(super) code: &'static str,
    pub(super) message: &'static str,
}

const fn rejected(code: &'static str, message: &'static str) -> Rejection {
    Rejection { code, message }
}

pub(super) struct Ledger {
    /// In the order of arrival.
    pub(super) orders: Vec<Order>,
    /// By outcome and currency.
    pub(super) holdings: BTreeMap<(String, Currency), Holding>,
    /// Money that is free to be used.
    cash: BTreeMap<Currency, Decimal>,
}

impl Default for Ledger {
    fn default() -> Self {
        let cash = BTreeMap::from([(Currency::Usd, dec!(10000)), (Currency::Ngn, dec!(10000000))]);
        Self { orders: Vec::new(), holdings: BTreeMap::new(), cash }
    }
}

impl Ledger {
    pub(super) fn cash(&self, currency: Currency) -> Decimal {
        self.cash.get(&currency).copied().unwrap_or_default()
    }

    /// Takes an order: fills it, rests it, or rejects it without a trace.
    pub(super) fn place(&mut self, outcome: Outcome<'_>, terms: Terms, now: i64) -> Result<&Order, Rejection> {
        let quote = match terms.side {
            Side::Buy => outcome.buy_price,
            Side::Sell => outcome.sell_price,
        };
        let reached = terms.limit.is_none_or(|limit| match terms.side {
            Side::Buy => limit >= quote,
            Side::Sell => limit <= quote,
        });
        // An automated market maker has no book in which an order could rest.
        let fills = reached || outcome.event.engine == Engine::Amm;
        if terms.post_only && fills {
            return Err(rejected("POST_ONLY_WOULD_CROSS", "a post-only order must not match at once"));
        }
        if terms.duration == Duration::FillOrKill && !fills {
            return Err(rejected("FOK_NOT_FILLED", "the order cannot be filled as a whole"));
        }
        let price = if fills { quote } else { terms.limit.unwrap_or(quote) };
        let size = (terms.amount / (price * terms.currency.multiplier()))
            .round_dp_with_strategy(SHARE_DECIMALS, RoundingStrategy::ToZero);
        if size.is_zero() {
            return Err(rejected("BAD_REQUEST", "the amount buys no share"));
        }
        let mut order = Order {
            id: uuid(),
            event_id: outcome.event.id.clone(),
            market_id: outcome.market.id.clone(),
            outcome_id: outcome.id.to_owned(),
            outcome_label: outcome.label,
            price: terms.limit.unwrap_or(price),
            size,
            filled: Decimal::ZERO,
            status: Status::Cancelled,
            created: now,
            updated: now,
            terms,
        };
        if fills {
            self.trade(&order, now)?;
            order.filled = size;
            order.status = Status::Filled;
        } else if matches!(order.terms.duration, Duration::Rest | Duration::RestUntil(_)) {
            self.reserve(&order)?;
            order.status = Status::Open;
        }
        self.orders.push(order);
        Ok(&self.orders[self.orders.len() - 1])
    }

    /// Takes an open order off the book.
    pub(super) fn cancel(&mut self, id: &str, now: i64) -> Result<(), Rejection> {
        let unknown = || rejected("ORDER_NOT_FOUND", "order not found");
        let index = self.orders.iter().position(|order| order.id == id).ok_or_else(unknown)?;
        if self.orders[index].status != Status::Open {
            return Err(rejected("ORDER_NOT_OPEN", "only an open order can be cancelled"));
        }
        self.close(index, Status::Cancelled, now);
        Ok(())
    }

    /// Closes what has passed its time.
    pub(super) fn expire(&mut self, now: i64) {
        for index in 0..self.orders.len() {
            let order = &self.orders[index];
            let over = matches!(order.terms.duration, Duration::RestUntil(end) if end <= now);
            if order.status == Status::Open && over {
                self.close(index, Status::Expired, now);
            }
        }
    }

    fn trade(&mut self, order: &Order, now: i64) -> Result<(), Rejection> {
        let (currency, amount) = (order.terms.currency, order.terms.amount);
        if order.terms.side == Side::Buy {
            self.spend(currency, amount)?;
            let holding = self.holdings.entry((order.outcome_id.clone(), currency)).or_insert_with(|| Holding {
                id: uuid(),
                shares: Decimal::ZERO,
                offered: Decimal::ZERO,
                cost: Decimal::ZERO,
                created: now,
                updated: now,
            });
            holding.shares += order.size;
            holding.cost += amount;
            holding.updated = now;
            return Ok(());
        }
        let holding = self.available(order)?;
        holding.cost -= holding.cost * (order.size / holding.shares);
        holding.shares -= order.size;
        holding.updated = now;
        *self.cash.entry(currency).or_default() += amount;
        Ok(())
    }

    fn reserve(&mut self, order: &Order) -> Result<(), Rejection> {
        match order.terms.side {
            Side::Buy => self.spend(order.terms.currency, order.terms.amount)?,
            Side::Sell => self.available(order)?.offered += order.size,
        }
        Ok(())
    }

    fn close(&mut self, index: usize, status: Status, now: i64) {
        let order = &mut self.orders[index];
        order.status = status;
        order.updated = now;
        let key = (order.outcome_id.clone(), order.terms.currency);
        match order.terms.side {
            Side::Buy => *self.cash.entry(order.terms.currency).or_default() += order.terms.amount,
            Side::Sell => {
                if let Some(holding) = self.holdings.get_mut(&key) {
                    holding.offered -= order.size;
                }
            }
        }
    }

    fn spend(&mut self, currency: Currency, amount: Decimal) -> Result<(), Rejection> {
        let cash = self.cash.entry(currency).or_default();
        if *cash < amount {
            return Err(rejected("INSUFFICIENT_BALANCE", "the balance is too low"));
        }
        *cash -= amount;
        Ok(())
    }

    fn available(&mut self, order: &Order) -> Result<&mut Holding, Rejection> {
        self.holdings
            .get_mut(&(order.outcome_id.clone(), order.terms.currency))
            .filter(|holding| holding.shares - holding.offered >= order.size)
            .ok_or(rejected("INSUFFICIENT_SHARES", "not enough shares to sell"))
    }
}
