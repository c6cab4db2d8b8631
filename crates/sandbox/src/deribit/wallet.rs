//! What comes in and goes out: deposits, withdrawals and their addresses.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde::Serialize;

use super::error::Error;
use super::filter;
use super::funds;
use super::instruments::CURRENCIES;
use super::params::Params;
use super::state::{Outcome, Session, State, done};
use super::transfers::Transfer;
use crate::make::random_text;
use crate::number::Number;

const USUAL_COUNT: i64 = 10;
const PRIORITIES: [(&str, Decimal); 7] = [
    ("insane", dec!(1)),
    ("extreme_high", dec!(0.9)),
    ("very_high", dec!(0.8)),
    ("high", dec!(0.6)),
    ("mid", dec!(0.5)),
    ("low", dec!(0.3)),
    ("very_low", dec!(0.1)),
];

/// What an account has received, sent and moved.
#[derive(Default)]
pub(super) struct Wallet {
    pub(super) deposits: Vec<Deposit>,
    pub(super) withdrawals: Vec<Withdrawal>,
    pub(super) transfers: Vec<Transfer>,
    addresses: BTreeMap<&'static str, Address>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Deposit {
    address: String,
    amount: Number,
    pub(super) currency: &'static str,
    state: &'static str,
    clearance_state: &'static str,
    transaction_id: String,
    user_id: i64,
    received_timestamp: i64,
    updated_timestamp: i64,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Withdrawal {
    id: i64,
    address: String,
    amount: Number,
    fee: Number,
    currency: &'static str,
    state: &'static str,
    priority: Number,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
    created_timestamp: i64,
    updated_timestamp: i64,
}

#[derive(Clone, Debug, Serialize)]
struct Address {
    address: String,
    currency: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    status: &'static str,
    creation_timestamp: i64,
    requires_confirmation: bool,
}

/// One page of a list in a wallet.
#[derive(Serialize)]
pub(super) struct Page<T> {
    count: usize,
    data: Vec<T>,
}

/// The entries of a currency, the newest first.
pub(super) fn page<'a, T>(
    params: &Params,
    entries: &'a [T],
    currency: impl Fn(&T) -> &str,
) -> Result<Page<&'a T>, Error> {
    let wanted = filter::required_currency(params)?;
    let offset = usize::try_from(params.integer("offset")?.unwrap_or_default()).unwrap_or_default();
    let of_currency = || entries.iter().rev().filter(|entry| currency(entry) == wanted);
    let data = of_currency().skip(offset).take(filter::count(params, USUAL_COUNT)?).collect();
    Ok(Page { count: of_currency().count(), data })
}

/// A currency that balances are kept in.
pub(super) fn held_currency(params: &Params) -> Result<&'static str, Error> {
    let currency = filter::required_currency(params)?;
    let held = CURRENCIES.into_iter().find(|held| *held == currency);
    held.ok_or_else(|| Error::invalid_param("currency", "invalid currency"))
}

/// An amount of money to move, of which the account has enough.
pub(super) fn movable(
    state: &State,
    account: usize,
    currency: &'static str,
    params: &Params,
) -> Result<Decimal, Error> {
    let amount = params.required("amount", params.decimal("amount")?)?;
    if amount <= Decimal::ZERO {
        return Err(Error::invalid_param("amount", "must be positive"));
    }
    if amount > funds::free(state, account, currency) {
        return Err(Error::new(Error::NOT_ENOUGH_FUNDS));
    }
    Ok(amount)
}

impl State {
    /// The address that deposits of a currency go to.
    fn address(&mut self, account: usize, currency: &'static str) -> &Address {
        let now = self.now();
        self.accounts[account].wallet.addresses.entry(currency).or_insert_with(|| Address {
            address: format!("sandbox{}", random_text(26)),
            currency,
            kind: "deposit",
            status: "ready",
            creation_timestamp: now,
            requires_confirmation: false,
        })
    }

    /// Gives an account money from outside.
    pub(super) fn deposit(&mut self, account: usize, currency: &'static str, amount: Decimal) {
        let address = self.address(account, currency).address.clone();
        let (now, user_id) = (self.now(), self.accounts[account].user_id);
        self.accounts[account].balances.entry(currency).or_default();
        if amount.is_zero() {
            return;
        }
        self.enter(account, "deposit", currency, amount);
        self.accounts[account].wallet.deposits.push(Deposit {
            address,
            amount: amount.into(),
            currency,
            state: "completed",
            clearance_state: "success",
            transaction_id: random_text(64).to_lowercase(),
            user_id,
            received_timestamp: now,
            updated_timestamp: now,
        });
    }
}

/// `private/get_deposits`.
pub(super) fn get_deposits(state: &mut State, session: &Session, params: &Params) -> Outcome {
    done(&page(params, &state.accounts[session.account].wallet.deposits, |one| one.currency)?)
}

/// `private/create_deposit_address`, `private/get_current_deposit_address`: every currency has one.
pub(super) fn get_deposit_address(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let currency = held_currency(params)?;
    done(state.address(session.account, currency))
}

/// `private/withdraw`. It stays unconfirmed, as it does until somebody confirms it by mail.
pub(super) fn withdraw(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let currency = held_currency(params)?;
    let address = params.required("address", params.text("address")?)?;
    let nonce = params.text("nonce")?;
    let wallet = &state.accounts[session.account].wallet;
    if let Some(same) = nonce.as_ref().and_then(|_| wallet.withdrawals.iter().find(|one| one.nonce == nonce)) {
        return done(same);
    }
    let priority = params.text("priority")?.unwrap_or_else(|| "mid".to_owned());
    let priority = PRIORITIES.iter().find(|(name, _)| *name == priority);
    let (_, priority) = priority.ok_or_else(|| Error::invalid_param("priority", "unknown"))?;
    let amount = movable(state, session.account, currency, params)?;
    let (id, now) = (state.next_id(), state.now());
    state.enter(session.account, "withdrawal", currency, -amount);
    let withdrawal = Withdrawal {
        id,
        address,
        amount: amount.into(),
        fee: Number::default(),
        currency,
        state: "unconfirmed",
        priority: Number(*priority),
        nonce,
        created_timestamp: now,
        updated_timestamp: now,
    };
    let result = done(&withdrawal);
    state.accounts[session.account].wallet.withdrawals.push(withdrawal);
    result
}

/// `private/get_withdrawals`.
pub(super) fn get_withdrawals(state: &mut State, session: &Session, params: &Params) -> Outcome {
    done(&page(params, &state.accounts[session.account].wallet.withdrawals, |one| one.currency)?)
}

/// `private/cancel_withdrawal`.
pub(super) fn cancel_withdrawal(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let currency = held_currency(params)?;
    let id = params.required("id", params.integer("id")?)?;
    let now = state.now();
    let withdrawals = &mut state.accounts[session.account].wallet.withdrawals;
    let found = withdrawals.iter_mut().find(|one| one.id == id && one.currency == currency);
    let found = found.ok_or_else(|| Error::new(Error::NOT_FOUND))?;
    if found.state != "unconfirmed" {
        return Err(Error::other_reject("withdrawal_not_cancellable"));
    }
    found.state = "cancelled";
    found.updated_timestamp = now;
    let (amount, result) = (found.amount.0, done(found));
    state.enter(session.account, "withdrawal", currency, amount);
    result
}
