//! The money and the positions of one subaccount.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::terms::Side;

/// A share of a cost is rounded to so many decimals; the rest stays with the position.
const COST_DECIMALS: u32 = 8;

/// What a subaccount holds in one market.
#[derive(Clone, Debug, Default)]
pub(crate) struct Position {
    /// Contracts: above zero long, below zero short.
    pub(crate) count: Decimal,
    /// Prices times counts of what is held, with the sign of the position.
    pub(crate) cost: Decimal,
    /// Profit of what was closed, before fees.
    pub(crate) realized: Decimal,
    pub(crate) fees: Decimal,
    /// Fees since the position was opened.
    pub(crate) open_fees: Decimal,
    /// What all trades cost, as the venue counts costs.
    pub(crate) spent: Decimal,
    /// Contracts of all trades.
    pub(crate) traded: Decimal,
    /// Whether the market was settled while the subaccount had traded in it.
    pub(crate) settled: bool,
    /// Milliseconds since the Unix epoch.
    pub(crate) updated: i64,
}

impl Position {
    /// Mean price of what is held.
    pub(crate) fn entry_price(&self) -> Option<Decimal> {
        (!self.count.is_zero()).then(|| self.cost / self.count)
    }

    /// Contracts that a trade on a side closes at most.
    pub(crate) fn closable_by(&self, side: Side) -> Decimal {
        (-side.sign() * self.count).max(Decimal::ZERO)
    }

    /// Takes in a trade and gives the profit of what it closed.
    pub(crate) fn trade(&mut self, side: Side, price: Decimal, count: Decimal) -> Decimal {
        let closed = self.closable_by(side).min(count);
        let mut realized = Decimal::ZERO;
        if !closed.is_zero() {
            let share = if closed == self.count.abs() {
                self.cost
            } else {
                (self.cost * closed / self.count.abs()).round_dp(COST_DECIMALS)
            };
            realized = -side.sign() * price * closed - share;
            self.cost -= share;
            self.count += side.sign() * closed;
            if self.count.is_zero() {
                self.open_fees = Decimal::ZERO;
            }
        }
        let opened = count - closed;
        self.count += side.sign() * opened;
        self.cost += side.sign() * price * opened;
        self.realized += realized;
        realized
    }
}

/// What a subaccount has in one market: a position, and the margin of its resting orders on each side.
#[derive(Clone, Debug, Default)]
pub(super) struct Holding {
    pub(super) position: Position,
    pub(super) bids: Decimal,
    pub(super) asks: Decimal,
}

impl Holding {
    pub(super) fn resting(&self, side: Side) -> Decimal {
        match side {
            Side::Bid => self.bids,
            Side::Ask => self.asks,
        }
    }

    pub(super) fn add_resting(&mut self, side: Side, margin: Decimal) {
        match side {
            Side::Bid => self.bids += margin,
            Side::Ask => self.asks += margin,
        }
    }
}

/// One subaccount.
#[derive(Clone, Debug, Default)]
pub(crate) struct Account {
    /// Deposits and realized profits less fees. What positions and orders bind is part of it.
    pub(crate) funds: Decimal,
    /// Milliseconds since the Unix epoch.
    pub(crate) updated: i64,
    pub(super) holdings: BTreeMap<String, Holding>,
    /// Whether orders are taken without regard to funds.
    pub(super) unlimited: bool,
}

impl Account {
    /// Every market that the subaccount has traded or rests in, by ticker.
    pub(crate) fn positions(&self) -> impl Iterator<Item = (&str, &Position)> {
        let traded = self.holdings.iter().filter(|(_, holding)| !holding.position.traded.is_zero());
        traded.map(|(ticker, holding)| (ticker.as_str(), &holding.position))
    }

    pub(crate) fn position(&self, ticker: &str) -> Option<&Position> {
        self.holdings.get(ticker).map(|holding| &holding.position)
    }
}
