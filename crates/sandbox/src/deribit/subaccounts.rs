//! Subaccounts: made under a main account, named, switched and removed.

use std::collections::BTreeMap;

use serde::Serialize;

use super::error::Error;
use super::filter;
use super::instruments::CURRENCIES;
use super::orders::Order;
use super::params::Params;
use super::positions;
use super::state::{Outcome, Session, State, done};
use super::summary::{self, Portfolio};

const MAX_SUBACCOUNTS: usize = 20;
const MAX_NAME: usize = 64;

/// An account as its family is listed.
#[derive(Serialize)]
struct View {
    id: i64,
    #[serde(rename = "type")]
    kind: &'static str,
    username: String,
    system_name: String,
    email: String,
    login_enabled: bool,
    is_password: bool,
    receive_notifications: bool,
    security_keys_enabled: bool,
    security_keys_assignments: Vec<String>,
    margin_model: &'static str,
    disabled_trading_products: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    portfolio: Option<BTreeMap<String, Portfolio>>,
}

#[derive(Serialize)]
struct Details<'a> {
    uid: i64,
    positions: Vec<positions::View>,
    #[serde(skip_serializing_if = "Option::is_none")]
    open_orders: Option<Vec<&'a Order>>,
}

impl State {
    /// The main account of an account: itself, unless it is a subaccount.
    pub(super) fn main_of(&self, account: usize) -> usize {
        self.accounts[account].main.unwrap_or(account)
    }

    /// A main account and its subaccounts, the main account first.
    pub(super) fn family(&self, account: usize) -> impl Iterator<Item = usize> + '_ {
        let main = self.main_of(account);
        let of_family = move |index: &usize| *index == main || self.accounts[*index].main == Some(main);
        (0..self.accounts.len()).filter(of_family).filter(|index| !self.accounts[*index].is_removed)
    }

    /// The account of that number in the same family.
    pub(super) fn relative(&self, account: usize, user_id: i64) -> Option<usize> {
        self.family(account).find(|index| self.accounts[*index].user_id == user_id)
    }
}

/// The account that a parameter names: the caller's own, or for a main account one of its subaccounts. The caller's without it.
pub(super) fn named(state: &State, session: &Session, params: &Params, param: &str) -> Result<usize, Error> {
    let Some(id) = params.integer(param)? else { return Ok(session.account) };
    let is_main = state.accounts[session.account].main.is_none();
    let found = state.relative(session.account, id).filter(|account| is_main || *account == session.account);
    found.ok_or_else(|| Error::no_such_account(param))
}

/// A subaccount of the caller, who has the main account.
fn own_subaccount(state: &State, session: &Session, params: &Params, param: &str) -> Result<usize, Error> {
    params.required(param, params.integer(param)?)?;
    let account = named(state, session, params, param)?;
    if account == session.account { Err(Error::no_such_account(param)) } else { Ok(account) }
}

fn view(state: &State, account: usize, with_portfolio: bool) -> View {
    let of = &state.accounts[account];
    let portfolio = |currency: &'static str| (currency.to_lowercase(), summary::portfolio(state, account, currency));
    View {
        id: of.user_id,
        kind: of.kind(),
        username: of.profile.username.clone(),
        system_name: of.profile.system_name.clone(),
        email: of.profile.email.clone(),
        login_enabled: of.profile.login_enabled,
        is_password: of.main.is_none(),
        receive_notifications: of.profile.receives_notifications,
        security_keys_enabled: of.totp_code.is_some(),
        security_keys_assignments: Vec::new(),
        margin_model: of.profile.margin_model,
        disabled_trading_products: of.profile.disabled_products.clone(),
        portfolio: with_portfolio.then(|| CURRENCIES.into_iter().map(portfolio).collect()),
    }
}

/// `private/get_subaccounts`: the main account and its subaccounts; a subaccount sees itself.
pub(super) fn get_subaccounts(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let with_portfolio = params.boolean("with_portfolio")?.unwrap_or_default();
    let seen = visible(state, session);
    done(&seen.into_iter().map(|account| view(state, account, with_portfolio)).collect::<Vec<_>>())
}

fn visible(state: &State, session: &Session) -> Vec<usize> {
    match state.accounts[session.account].main {
        None => state.family(session.account).collect(),
        Some(_) => vec![session.account],
    }
}

/// `private/get_subaccounts_details`.
pub(super) fn get_subaccounts_details(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let currency = filter::required_currency(params)?;
    let with_orders = params.boolean("with_open_orders")?.unwrap_or_default();
    let state = &*state;
    let details = |account| {
        let listed = |order: &&Order| state.is_on(order, |instrument| instrument.is_listed_under(&currency));
        let orders = || state.open_orders(account).map(|(_, order)| order).filter(listed).collect();
        Details {
            uid: state.accounts[account].user_id,
            positions: positions::open(state, account, |instrument| instrument.is_listed_under(&currency)),
            open_orders: with_orders.then(orders),
        }
    };
    done(&visible(state, session).into_iter().map(details).collect::<Vec<_>>())
}

/// `private/create_subaccount`.
pub(super) fn create_subaccount(state: &mut State, session: &Session, _params: &Params) -> Outcome {
    if state.accounts[session.account].main.is_some() {
        return Err(Error::new(Error::FORBIDDEN).because("only a main account has subaccounts"));
    }
    if state.family(session.account).count() > MAX_SUBACCOUNTS {
        return Err(Error::other_reject("too_many_subaccounts"));
    }
    let account = state.add_account(Some(session.account), None);
    done(&view(state, account, true))
}

/// `private/remove_subaccount`: one that has nothing any more.
pub(super) fn remove_subaccount(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let account = own_subaccount(state, session, params, "subaccount_id")?;
    let of = &state.accounts[account];
    let is_empty = of.open.is_empty()
        && of.balances.values().all(|balance| balance.is_zero())
        && of.positions.values().all(|position| position.size.is_zero());
    if !is_empty {
        return Err(Error::other_reject("subaccount_not_empty"));
    }
    state.accounts[account].is_removed = true;
    state.keys.retain(|key| key.account != account);
    state.logins.retain(|login| login.account != account);
    done(&"ok")
}

/// `private/change_subaccount_name`.
pub(super) fn change_subaccount_name(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let account = own_subaccount(state, session, params, "sid")?;
    let name = params.required("name", params.text("name")?)?;
    if name.is_empty() || name.chars().count() > MAX_NAME {
        return Err(Error::invalid_param("name", "1 to 64 characters"));
    }
    if state.accounts.iter().any(|other| !other.is_removed && other.profile.username == name) {
        return Err(Error::invalid_param("name", "is taken"));
    }
    state.accounts[account].profile.username = name;
    done(&"ok")
}

/// `private/set_email_for_subaccount`.
pub(super) fn set_email_for_subaccount(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let account = own_subaccount(state, session, params, "sid")?;
    let email = params.required("email", params.text("email")?)?;
    state.accounts[account].profile.email = email;
    done(&"ok")
}

/// `private/toggle_subaccount_login`.
pub(super) fn toggle_subaccount_login(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let account = own_subaccount(state, session, params, "sid")?;
    let switch = params.required("state", params.one_of("state", &["enable", "disable"])?)?;
    state.accounts[account].profile.login_enabled = switch == "enable";
    done(&"ok")
}

/// `private/toggle_notifications_from_subaccount`.
pub(super) fn toggle_notifications(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let account = own_subaccount(state, session, params, "sid")?;
    let wanted = params.required("state", params.boolean("state")?)?;
    state.accounts[account].profile.receives_notifications = wanted;
    done(&"ok")
}
