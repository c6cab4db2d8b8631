//! Account summaries.

use rust_decimal::Decimal;
use serde::Serialize;

use super::error::Error;
use super::funds;
use super::instruments::CURRENCIES;
use super::params::Params;
use super::state::{Outcome, Session, State, done};
use crate::number::Number;

/// Other currencies that a summary may be asked for; nobody here holds any.
const EMPTY_CURRENCIES: [&str; 8] = ["STETH", "ETHW", "SOL", "XRP", "USYC", "PAXG", "BNB", "USDE"];

#[derive(Serialize)]
struct Summary {
    currency: &'static str,
    balance: Number,
    equity: Number,
    margin_balance: Number,
    available_funds: Number,
    available_withdrawal_funds: Number,
    initial_margin: Number,
    maintenance_margin: Number,
    projected_initial_margin: Number,
    projected_maintenance_margin: Number,
    spot_reserve: Number,
    additional_reserve: Number,
    fee_balance: Number,
    total_pl: Number,
    session_rpl: Number,
    session_upl: Number,
    futures_pl: Number,
    futures_session_rpl: Number,
    futures_session_upl: Number,
    options_pl: Number,
    options_session_rpl: Number,
    options_session_upl: Number,
    options_delta: Number,
    options_gamma: Number,
    options_theta: Number,
    options_vega: Number,
    options_value: Number,
    delta_total: Number,
    projected_delta_total: Number,
    portfolio_margining_enabled: bool,
    cross_collateral_enabled: bool,
    margin_model: &'static str,
    limits: Limits,
}

#[derive(Serialize)]
struct Limits {
    limits_per_currency: bool,
    non_matching_engine: Limit,
    matching_engine: MatchingEngineLimits,
}

#[derive(Serialize)]
struct MatchingEngineLimits {
    trading: TradingLimits,
    spot: Limit,
    cancel_all: Limit,
}

#[derive(Serialize)]
struct TradingLimits {
    total: Limit,
}

#[derive(Serialize)]
struct Limit {
    burst: u32,
    rate: u32,
}

/// Who the account belongs to.
#[derive(Serialize)]
struct Owner {
    id: i64,
    username: String,
    system_name: String,
    email: String,
    #[serde(rename = "type")]
    kind: &'static str,
    creation_timestamp: i64,
    referrer_id: Option<String>,
    security_keys_enabled: bool,
    login_enabled: bool,
    mmp_enabled: bool,
    interuser_transfers_enabled: bool,
    self_trading_reject_mode: &'static str,
    self_trading_extended_to_subaccounts: bool,
}

#[derive(Serialize)]
struct SummaryWithOwner {
    #[serde(flatten)]
    owner: Option<Owner>,
    #[serde(flatten)]
    summary: Summary,
}

#[derive(Serialize)]
struct Summaries {
    #[serde(flatten)]
    owner: Owner,
    summaries: Vec<Summary>,
}

/// `private/get_account_summary`.
pub(super) fn get_account_summary(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let known = [&CURRENCIES[..], &EMPTY_CURRENCIES].concat();
    let currency = params.required("currency", params.text("currency")?)?;
    let currency = known.into_iter().find(|known| *known == currency);
    let currency = currency.ok_or_else(|| Error::invalid_param("currency", "invalid currency"))?;
    check_subaccount(state, session, params)?;
    let owner = params.boolean("extended")?.unwrap_or_default().then(|| owner_of(state, session));
    done(&SummaryWithOwner { owner, summary: summary_of(state, session, currency) })
}

/// `private/get_account_summaries`.
pub(super) fn get_account_summaries(state: &mut State, session: &Session, params: &Params) -> Outcome {
    check_subaccount(state, session, params)?;
    let summaries = CURRENCIES.into_iter().map(|currency| summary_of(state, session, currency)).collect();
    done(&Summaries { owner: owner_of(state, session), summaries })
}

/// There are no subaccounts here; the main account's own number is the only good one.
fn check_subaccount(state: &State, session: &Session, params: &Params) -> Result<(), Error> {
    match params.integer("subaccount_id")? {
        Some(id) if id != state.accounts[session.account].user_id => {
            Err(Error::invalid_param("subaccount_id", "no such subaccount"))
        }
        _ => Ok(()),
    }
}

fn owner_of(state: &State, session: &Session) -> Owner {
    let account = &state.accounts[session.account];
    Owner {
        id: account.user_id,
        username: format!("trader{}", account.user_id),
        system_name: format!("trader_{}", account.user_id),
        email: format!("trader{}@example.com", account.user_id),
        kind: "main",
        creation_timestamp: state.started,
        referrer_id: None,
        security_keys_enabled: account.totp_code.is_some(),
        login_enabled: true,
        mmp_enabled: false,
        interuser_transfers_enabled: false,
        self_trading_reject_mode: "cancel_maker",
        self_trading_extended_to_subaccounts: false,
    }
}

fn summary_of(state: &State, session: &Session, currency: &'static str) -> Summary {
    let zero = Number(Decimal::ZERO);
    let balance = state.accounts[session.account].balances.get(currency).copied().unwrap_or_default();
    let reserved = funds::reserved(state, session.account, currency);
    let available = Number::from(balance - reserved);
    Summary {
        currency,
        balance: Number::from(balance),
        equity: Number::from(balance),
        margin_balance: Number::from(balance),
        available_funds: available,
        available_withdrawal_funds: available,
        initial_margin: Number::from(reserved),
        maintenance_margin: zero,
        projected_initial_margin: Number::from(reserved),
        projected_maintenance_margin: zero,
        spot_reserve: zero,
        additional_reserve: zero,
        fee_balance: zero,
        total_pl: zero,
        session_rpl: zero,
        session_upl: zero,
        futures_pl: zero,
        futures_session_rpl: zero,
        futures_session_upl: zero,
        options_pl: zero,
        options_session_rpl: zero,
        options_session_upl: zero,
        options_delta: zero,
        options_gamma: zero,
        options_theta: zero,
        options_vega: zero,
        options_value: zero,
        delta_total: zero,
        projected_delta_total: zero,
        portfolio_margining_enabled: false,
        cross_collateral_enabled: false,
        margin_model: "segregated_sm",
        limits: Limits {
            limits_per_currency: false,
            non_matching_engine: Limit { burst: 100, rate: 20 },
            matching_engine: MatchingEngineLimits {
                trading: TradingLimits { total: Limit { burst: 20, rate: 5 } },
                spot: Limit { burst: 20, rate: 5 },
                cancel_all: Limit { burst: 20, rate: 5 },
            },
        },
    }
}
