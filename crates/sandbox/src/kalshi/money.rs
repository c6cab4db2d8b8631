//! Subaccounts, and the money that has moved between them and between the two exchanges.

use std::collections::{BTreeMap, HashSet};

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::error::Refusal;
use super::state::State;
use crate::exchange::Owner;
use crate::make::uuid;

const MOST_SUBACCOUNTS: i64 = 63;

/// One of the two exchanges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Instance {
    EventContract,
    Margined,
}

impl Instance {
    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::EventContract, Self::Margined].into_iter().find(|one| one.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::EventContract => "event_contract",
            Self::Margined => "margined",
        }
    }
}

/// Where money is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MoneyLocation {
    pub(super) instance: Instance,
    pub(super) owner: Owner,
}

/// Money that has moved.
#[derive(Debug)]
pub(super) struct Transfer {
    pub(super) id: String,
    pub(super) from: MoneyLocation,
    pub(super) to: MoneyLocation,
    /// Dollars.
    pub(super) amount: Decimal,
    /// Milliseconds since the Unix epoch.
    pub(super) time: i64,
}

/// How the venue is to spread the cash of an account over its shards.
#[derive(Debug)]
pub(super) struct Allocation {
    pub(super) allocations: Value,
    pub(super) reservation: Value,
}

impl Default for Allocation {
    fn default() -> Self {
        Self { allocations: json!([]), reservation: json!("sum") }
    }
}

#[derive(Debug)]
pub(super) struct Money {
    /// When the accounts were opened, in milliseconds since the Unix epoch.
    pub(super) opened: i64,
    /// The oldest first.
    pub(super) transfers: Vec<Transfer>,
    client_transfer_ids: HashSet<(usize, String)>,
    /// The highest number that was given out.
    numbered: BTreeMap<(usize, Instance), i64>,
    pub(super) netting_off: HashSet<Owner>,
    pub(super) allocations: BTreeMap<usize, Allocation>,
}

impl Money {
    pub(super) fn new(now: i64) -> Self {
        Self {
            opened: now,
            transfers: Vec::new(),
            client_transfer_ids: HashSet::new(),
            numbered: BTreeMap::new(),
            netting_off: HashSet::new(),
            allocations: BTreeMap::new(),
        }
    }

    /// Makes the next numbered subaccount.
    pub(super) fn open(&mut self, user: usize, instance: Instance) -> Result<i64, Refusal> {
        let highest = self.numbered.entry((user, instance)).or_default();
        if *highest == MOST_SUBACCOUNTS {
            return Err(Refusal::invalid("no more than 63 subaccounts can be made"));
        }
        *highest += 1;
        Ok(*highest)
    }

    /// The primary subaccount and those that were made.
    pub(super) fn subaccounts(&self, user: usize, instance: Instance) -> impl Iterator<Item = Owner> + use<> {
        let highest = self.numbered.get(&(user, instance)).copied().unwrap_or_default();
        (0..=highest).map(move |subaccount| Owner { user, subaccount })
    }
}

impl State {
    /// Every subaccount of a user on an exchange: those that were made, and those that have funds or orders.
    pub(super) fn subaccounts(&self, user: usize, instance: Instance) -> Vec<Owner> {
        let mut owners: Vec<Owner> = self.money.subaccounts(user, instance).collect();
        match instance {
            Instance::EventContract => owners.extend(self.events.accounts_of(user).map(|(owner, _)| owner)),
            Instance::Margined => owners.extend(self.perps.exchange.accounts_of(user).map(|(owner, _)| owner)),
        }
        owners.sort();
        owners.dedup();
        owners
    }

    fn available(&self, purse: MoneyLocation) -> Decimal {
        match purse.instance {
            Instance::EventContract => self.events.available(purse.owner),
            Instance::Margined => self.perps.exchange.available(purse.owner),
        }
    }

    fn deposit(&mut self, purse: MoneyLocation, amount: Decimal, now: i64) {
        match purse.instance {
            Instance::EventContract => self.events.deposit(purse.owner, amount, now),
            Instance::Margined => self.perps.exchange.deposit(purse.owner, amount, now),
        }
    }

    /// Moves money once for a name of the caller, and gives the id of the transfer.
    pub(super) fn transfer(
        &mut self,
        (from, to): (MoneyLocation, MoneyLocation),
        amount: Decimal,
        client_id: Option<&str>,
        now: i64,
    ) -> Result<String, Refusal> {
        if amount <= Decimal::ZERO {
            return Err(Refusal::invalid("the amount must be more than 0"));
        }
        if from == to {
            return Err(Refusal::invalid("the money must go to another place than the one that it comes from"));
        }
        let name = client_id.filter(|id| !id.is_empty()).map(|id| (from.owner.user, id.to_owned()));
        if name.as_ref().is_some_and(|name| self.money.client_transfer_ids.contains(name)) {
            return Err(Refusal::new(409, "transfer_already_applied"));
        }
        if self.available(from) < amount {
            return Err(Refusal::new(400, "insufficient_balance"));
        }
        self.money.client_transfer_ids.extend(name);
        self.deposit(from, -amount, now);
        self.deposit(to, amount, now);
        let id = uuid();
        self.money.transfers.push(Transfer { id: id.clone(), from, to, amount, time: now });
        Ok(id)
    }
}
