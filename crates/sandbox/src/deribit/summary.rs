//! Account summaries.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;

use super::error::Error;
use super::funds;
use super::instruments::{CURRENCIES, Instrument};
use super::params::Params;
use super::positions;
use super::state::{Account, Outcome, Session, State, done};
use super::subaccounts;
use crate::number::Number;

/// Other currencies that a summary may be asked for; nobody here holds any.
const EMPTY_CURRENCIES: [&str; 8] = ["STETH", "ETHW", "SOL", "XRP", "USYC", "PAXG", "BNB", "USDE"];

/// An account in a currency.
#[derive(Serialize)]
pub(super) struct Summary {
    #[serde(flatten)]
    portfolio: Portfolio,
    projected_initial_margin: Number,
    projected_maintenance_margin: Number,
    fee_balance: Number,
    locked_balance: Number,
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
    /// By price index, as the other maps.
    delta_total_map: BTreeMap<&'static str, Number>,
    options_gamma_map: BTreeMap<&'static str, Number>,
    options_theta_map: BTreeMap<&'static str, Number>,
    options_vega_map: BTreeMap<&'static str, Number>,
    projected_delta_total: Number,
    portfolio_margining_enabled: bool,
    cross_collateral_enabled: bool,
    margin_model: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<Limits>,
}

impl Summary {
    /// As the channel tells it: without the limits, which methods alone show.
    pub(super) fn told(self) -> Self {
        Self { limits: None, ..self }
    }
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
    receive_notifications: bool,
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
    let account = subaccounts::named(state, session, params, "subaccount_id")?;
    let owner = params.boolean("extended")?.unwrap_or_default().then(|| owner_of(state, account));
    done(&SummaryWithOwner { owner, summary: summary_of(state, account, currency) })
}

/// `private/get_account_summaries`.
pub(super) fn get_account_summaries(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let account = subaccounts::named(state, session, params, "subaccount_id")?;
    let summaries = CURRENCIES.into_iter().map(|currency| summary_of(state, account, currency)).collect();
    done(&Summaries { owner: owner_of(state, account), summaries })
}

impl Account {
    pub(super) fn kind(&self) -> &'static str {
        if self.main.is_some() { "subaccount" } else { "main" }
    }
}

fn owner_of(state: &State, account: usize) -> Owner {
    let account = &state.accounts[account];
    let profile = &account.profile;
    Owner {
        id: account.user_id,
        username: profile.username.clone(),
        system_name: profile.system_name.clone(),
        email: profile.email.clone(),
        kind: account.kind(),
        creation_timestamp: profile.created,
        referrer_id: None,
        security_keys_enabled: account.totp_code.is_some(),
        login_enabled: profile.login_enabled,
        receive_notifications: profile.receives_notifications,
        mmp_enabled: !account.protections.is_empty(),
        interuser_transfers_enabled: true,
        self_trading_reject_mode: profile.self_trading_mode,
        self_trading_extended_to_subaccounts: profile.self_trading_in_subaccounts,
    }
}

/// What an account has of a currency, as lists of subaccounts show it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Portfolio {
    currency: &'static str,
    balance: Number,
    equity: Number,
    margin_balance: Number,
    available_funds: Number,
    available_withdrawal_funds: Number,
    initial_margin: Number,
    maintenance_margin: Number,
    spot_reserve: Number,
    additional_reserve: Number,
}

pub(super) fn portfolio(state: &State, account: usize, currency: &'static str) -> Portfolio {
    let zero = Number(Decimal::ZERO);
    let balance = state.accounts[account].balances.get(currency).copied().unwrap_or_default();
    let margin_balance = funds::margin_balance(state, account, currency);
    let options = |instrument: &Instrument| instrument.is_option() && instrument.fee_currency() == currency;
    let options = positions::held(state, account, options);
    let options_value: Decimal = options.map(|(instrument, position)| position.size * instrument.prices.mark).sum();
    let free = funds::free(state, account, currency);
    let of_positions: Decimal = positions::held(state, account, |instrument| instrument.fee_currency() == currency)
        .map(|(instrument, position)| funds::margin(instrument, position.size))
        .sum();
    Portfolio {
        currency,
        balance: balance.into(),
        equity: (margin_balance + options_value).into(),
        margin_balance: margin_balance.into(),
        available_funds: free.into(),
        // What is not realized yet cannot leave the venue.
        available_withdrawal_funds: free.min(balance).max(Decimal::ZERO).into(),
        initial_margin: funds::reserved(state, account, currency).into(),
        maintenance_margin: (of_positions / Decimal::TWO).round_dp(8).into(),
        spot_reserve: zero,
        additional_reserve: zero,
    }
}

/// What a kind of positions has gained.
struct Gains {
    realized: Decimal,
    floating: Decimal,
    delta: Decimal,
}

fn gains(state: &State, account: usize, currency: &str, kind: &str) -> Gains {
    let of_kind = |instrument: &Instrument| instrument.kind == kind && instrument.fee_currency() == currency;
    let positions = &state.accounts[account].positions;
    let known = positions.iter().filter_map(|(name, position)| Some((state.instrument(name)?, position)));
    let delta = positions::held(state, account, of_kind);
    Gains {
        realized: known.filter(|(one, _)| of_kind(one)).map(|(_, position)| position.realized).sum(),
        floating: positions::floating(state, account, currency, kind),
        delta: delta.map(|(instrument, position)| positions::delta(instrument, position.size)).sum(),
    }
}

/// Gains are paid out at once here, so that a session has none that wait for its settlement.
pub(super) fn summary_of(state: &State, account: usize, currency: &'static str) -> Summary {
    let zero = Number(Decimal::ZERO);
    let portfolio = portfolio(state, account, currency);
    let (futures, options) = (gains(state, account, currency, "future"), gains(state, account, currency, "option"));
    let options_value = portfolio.equity.0 - portfolio.margin_balance.0;
    let model = state.accounts[account].profile.margin_model;
    let (mut deltas, mut greeks) = (BTreeMap::new(), BTreeMap::new());
    for (instrument, position) in positions::held(state, account, |instrument| instrument.fee_currency() == currency) {
        deltas.entry(instrument.price_index).or_insert(zero).0 += positions::delta(instrument, position.size);
        if instrument.is_option() {
            greeks.insert(instrument.price_index, zero);
        }
    }
    Summary {
        projected_initial_margin: portfolio.initial_margin,
        projected_maintenance_margin: portfolio.maintenance_margin,
        fee_balance: zero,
        locked_balance: zero,
        total_pl: (futures.realized + futures.floating + options.realized + options.floating).into(),
        session_rpl: zero,
        session_upl: (futures.floating + options.floating).into(),
        futures_pl: (futures.realized + futures.floating).into(),
        futures_session_rpl: zero,
        futures_session_upl: futures.floating.into(),
        options_pl: (options.realized + options.floating).into(),
        options_session_rpl: zero,
        options_session_upl: options.floating.into(),
        options_delta: options.delta.into(),
        options_gamma: zero,
        options_theta: zero,
        options_vega: zero,
        options_value: options_value.into(),
        delta_total: (futures.delta + options.delta).into(),
        delta_total_map: deltas,
        options_gamma_map: greeks.clone(),
        options_theta_map: greeks.clone(),
        options_vega_map: greeks,
        projected_delta_total: (futures.delta + options.delta).into(),
        portfolio_margining_enabled: model.ends_with("_pm"),
        cross_collateral_enabled: model.starts_with("cross_"),
        margin_model: model,
        limits: Some(Limits {
            limits_per_currency: false,
            non_matching_engine: Limit { burst: 100, rate: 20 },
            matching_engine: MatchingEngineLimits {
                trading: TradingLimits { total: Limit { burst: 20, rate: 5 } },
                spot: Limit { burst: 20, rate: 5 },
                cancel_all: Limit { burst: 20, rate: 5 },
            },
        }),
        portfolio,
    }
}
