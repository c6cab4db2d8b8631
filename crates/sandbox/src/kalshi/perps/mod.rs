//! Kalshi's perpetual futures: the same exchange as for event contracts, with margin. Nobody is liquidated, and no funding
//! is paid.

pub(super) mod book;
pub(super) mod candles;
pub(super) mod change;
mod exit;
pub(super) mod groups;
pub(super) mod market;
pub(super) mod orders;
pub(super) mod portfolio;
pub(super) mod risk;
pub(super) mod rules;
pub(super) mod seed;
pub(super) mod triggers;

use self::market::Contract;
use self::rules::MarginRules;
use self::triggers::Triggers;
use super::groups::Groups;
use super::state::FIRST_DEPOSIT;
use crate::exchange::{Exchange, Owner};

/// What the venue remembers of the perpetual futures.
pub(super) struct Perps {
    pub(super) contracts: Vec<Contract>,
    pub(super) exchange: Exchange<MarginRules>,
    pub(super) groups: Groups,
    pub(super) triggers: Triggers,
}

impl Perps {
    pub(super) fn new(users: usize, now: i64) -> Self {
        let mut exchange = Exchange::new(MarginRules);
        let contracts = seed::contracts();
        seed::trade(&mut exchange, &contracts, now);
        for user in 0..users {
            exchange.deposit(Owner { user, subaccount: 0 }, FIRST_DEPOSIT, now);
        }
        Self { contracts, exchange, groups: Groups::default(), triggers: Triggers::default() }
    }

    pub(super) fn contract(&self, ticker: &str) -> Option<&Contract> {
        self.contracts.iter().find(|contract| contract.ticker == ticker)
    }

    /// Triggers what the last trades have reached.
    pub(super) fn react(&mut self, now: i64) {
        self.groups.watch(&mut self.exchange, now);
        self.triggers.watch(&mut self.exchange, now);
        self.groups.watch(&mut self.exchange, now);
    }
}
