//! Money that moves between accounts of the venue.

use rust_decimal::Decimal;
use serde::Serialize;

use super::error::Error;
use super::params::Params;
use super::state::{Outcome, Session, State, done};
use super::wallet::{held_currency, movable, page};
use crate::number::Number;

/// A transfer as one of its sides sees it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Transfer {
    id: i64,
    amount: Number,
    pub(super) currency: &'static str,
    direction: &'static str,
    other_side: String,
    source: i64,
    state: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
    created_timestamp: i64,
    updated_timestamp: i64,
    /// Who gets it, while it is on its way.
    #[serde(skip)]
    awaited_by: Option<usize>,
}

/// `private/get_transfers`.
pub(super) fn get_transfers(state: &mut State, session: &Session, params: &Params) -> Outcome {
    done(&page(params, &state.accounts[session.account].wallet.transfers, |one| one.currency)?)
}

/// `private/submit_transfer_to_subaccount`.
pub(super) fn to_subaccount(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let destination = relative(state, session, params, "destination")?;
    transfer(state, session.account, destination, "subaccount", params)
}

/// `private/submit_transfer_between_subaccounts`: of one family, from the caller unless `source` names another.
pub(super) fn between_subaccounts(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let destination = relative(state, session, params, "destination")?;
    let source = match params.integer("source")? {
        Some(_) => relative(state, session, params, "source")?,
        None => session.account,
    };
    if source != session.account && state.accounts[session.account].main.is_some() {
        return Err(Error::new(Error::FORBIDDEN).because("a subaccount transfers its own money only"));
    }
    transfer(state, source, destination, "subaccount", params)
}

/// `private/submit_transfer_to_user`, who is named by the number or the name of an account.
pub(super) fn to_user(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let named = params.required("destination", params.text("destination")?)?;
    let is_named = |account: &usize| {
        let account = &state.accounts[*account];
        !account.is_removed && (account.user_id.to_string() == named || account.profile.username == named)
    };
    let found = (0..state.accounts.len()).find(is_named);
    let destination = found.ok_or_else(|| Error::invalid_param("destination", "no such user"))?;
    transfer(state, session.account, destination, "user", params)
}

/// `private/cancel_transfer_by_id`: one to another user that has not arrived.
pub(super) fn cancel(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let currency = held_currency(params)?;
    let id = params.required("id", params.integer("id")?)?;
    let now = state.now();
    let transfers = &mut state.accounts[session.account].wallet.transfers;
    let found = transfers.iter_mut().find(|one| one.id == id && one.currency == currency);
    let found = found.ok_or_else(|| Error::new(Error::NOT_FOUND))?;
    if found.awaited_by.take().is_none() {
        return Err(Error::other_reject("transfer_already_confirmed"));
    }
    found.state = "cancelled";
    found.updated_timestamp = now;
    let (amount, result) = (found.amount.0, done(found));
    state.enter(session.account, "transfer", currency, amount);
    result
}

impl State {
    /// Lets transfers arrive that have been on their way long enough.
    pub(super) fn deliver_transfers(&mut self) {
        let (now, pause) = (self.now(), i64::from(self.settings.user_transfer_millis));
        let mut arrived = Vec::new();
        for (source, account) in self.accounts.iter_mut().enumerate() {
            let due = |one: &&mut Transfer| one.awaited_by.is_some() && now >= one.created_timestamp + pause;
            for transfer in account.wallet.transfers.iter_mut().filter(due) {
                transfer.state = "confirmed";
                transfer.updated_timestamp = now;
                let Some(destination) = transfer.awaited_by.take() else { continue };
                arrived.push((transfer.id, destination, source, (transfer.currency, transfer.amount.0)));
            }
        }
        for (id, destination, source, money) in arrived {
            note(self, id, destination, source, money, "user", None);
        }
    }
}

fn relative(state: &State, session: &Session, params: &Params, param: &str) -> Result<usize, Error> {
    let id = params.required(param, params.integer(param)?)?;
    state.relative(session.account, id).ok_or_else(|| Error::no_such_account(param))
}

fn transfer(state: &mut State, source: usize, destination: usize, kind: &'static str, params: &Params) -> Outcome {
    if source == destination {
        return Err(Error::invalid_param("destination", "is the source"));
    }
    let currency = held_currency(params)?;
    let nonce = params.text("nonce")?;
    let sent = &state.accounts[source].wallet.transfers;
    if let Some(same) = nonce.as_ref().and_then(|_| sent.iter().find(|one| one.nonce == nonce)) {
        return done(same);
    }
    let amount = movable(state, source, currency, params)?;
    let id = state.next_id();
    note(state, id, source, destination, (currency, -amount), kind, nonce);
    let payment = state.accounts[source].wallet.transfers.last_mut();
    if kind == "subaccount" {
        let result = done(&payment);
        note(state, id, destination, source, (currency, amount), kind, None);
        return result;
    }
    // Another user gets it after a while.
    if let Some(payment) = payment {
        payment.state = "prepared";
        payment.awaited_by = Some(destination);
    }
    done(&state.accounts[source].wallet.transfers.last())
}

/// Books one side of a transfer.
fn note(
    state: &mut State,
    id: i64,
    account: usize,
    other: usize,
    (currency, change): (&'static str, Decimal),
    kind: &'static str,
    nonce: Option<String>,
) {
    let now = state.now();
    let is_payment = change.is_sign_negative();
    state.enter(account, "transfer", currency, change);
    let transfer = Transfer {
        id,
        amount: change.abs().into(),
        currency,
        direction: if is_payment { "payment" } else { "income" },
        other_side: state.accounts[other].profile.username.clone(),
        source: state.accounts[if is_payment { account } else { other }].user_id,
        state: "confirmed",
        kind,
        nonce,
        created_timestamp: now,
        updated_timestamp: now,
        awaited_by: None,
    };
    state.accounts[account].wallet.transfers.push(transfer);
}
