//! Money and shares of one account.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rust_decimal_macros::dec;

use super::activities::Activity;
use crate::make::uuid;

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

/// What selling or burning shares gained.
#[derive(Clone, Debug)]
pub(super) struct Realized {
    pub(super) at: i64,
    pub(super) event_id: String,
    pub(super) currency: Currency,
    pub(super) proceeds: Decimal,
    pub(super) cost: Decimal,
}

/// Why an order was not taken: a code in the form of the batch routes, and a sentence.
#[derive(Debug)]
pub(super) struct Rejection {
    pub(super) code: &'static str,
    pub(super) message: &'static str,
}

pub(super) const fn rejected(code: &'static str, message: &'static str) -> Rejection {
    Rejection { code, message }
}

pub(super) const TOO_FEW_SHARES: Rejection = rejected("INSUFFICIENT_SHARES", "not enough shares to sell");
const TOO_LITTLE_MONEY: Rejection = rejected("INSUFFICIENT_BALANCE", "the balance is too low");

pub(super) struct Ledger {
    /// By outcome and currency.
    pub(super) holdings: BTreeMap<(String, Currency), Holding>,
    /// Money that is free to be used.
    cash: BTreeMap<Currency, Decimal>,
    /// Money that resting orders would spend.
    reserved: BTreeMap<Currency, Decimal>,
    pub(super) realized: Vec<Realized>,
    /// The oldest first.
    pub(super) activities: Vec<Activity>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            holdings: BTreeMap::new(),
            cash: BTreeMap::from([(Currency::Usd, dec!(10000)), (Currency::Ngn, dec!(10000000))]),
            reserved: BTreeMap::new(),
            realized: Vec::new(),
            activities: Vec::new(),
        }
    }
}

impl Ledger {
    pub(super) fn cash(&self, currency: Currency) -> Decimal {
        self.cash.get(&currency).copied().unwrap_or_default()
    }

    pub(super) fn reserved(&self, currency: Currency) -> Decimal {
        self.reserved.get(&currency).copied().unwrap_or_default()
    }

    /// Shares that may still be sold.
    pub(super) fn free_shares(&self, outcome_id: &str, currency: Currency) -> Decimal {
        let holding = self.holdings.get(&(outcome_id.to_owned(), currency));
        holding.map(|holding| holding.shares - holding.offered).unwrap_or_default()
    }

    pub(super) fn spend(&mut self, currency: Currency, amount: Decimal) -> Result<(), Rejection> {
        let cash = self.cash.entry(currency).or_default();
        if *cash < amount {
            return Err(TOO_LITTLE_MONEY);
        }
        *cash -= amount;
        Ok(())
    }

    pub(super) fn receive(&mut self, currency: Currency, amount: Decimal) {
        *self.cash.entry(currency).or_default() += amount;
    }

    /// Sets money aside for an order; below zero it comes back.
    pub(super) fn reserve(&mut self, currency: Currency, amount: Decimal) {
        *self.cash.entry(currency).or_default() -= amount;
        *self.reserved.entry(currency).or_default() += amount;
    }

    /// Offers shares for sale; below zero they come back.
    pub(super) fn offer(&mut self, outcome_id: &str, currency: Currency, shares: Decimal) {
        if let Some(holding) = self.holdings.get_mut(&(outcome_id.to_owned(), currency)) {
            holding.offered += shares;
        }
    }

    /// Adds shares that were paid for.
    pub(super) fn add_shares(
        &mut self,
        outcome_id: &str,
        currency: Currency,
        shares: Decimal,
        cost: Decimal,
        now: i64,
    ) {
        let holding = self.holdings.entry((outcome_id.to_owned(), currency)).or_insert_with(|| Holding {
            id: uuid(),
            shares: Decimal::ZERO,
            offered: Decimal::ZERO,
            cost: Decimal::ZERO,
            created: now,
            updated: now,
        });
        holding.shares += shares;
        holding.cost += cost;
        holding.updated = now;
    }

    /// Takes shares away. Returns what they had cost.
    pub(super) fn take_shares(&mut self, outcome_id: &str, currency: Currency, shares: Decimal, now: i64) -> Decimal {
        let Some(holding) = self.holdings.get_mut(&(outcome_id.to_owned(), currency)) else { return Decimal::ZERO };
        let cost = if holding.shares <= shares { holding.cost } else { holding.cost * (shares / holding.shares) };
        holding.shares -= shares;
        holding.cost -= cost;
        holding.updated = now;
        cost
    }
}
