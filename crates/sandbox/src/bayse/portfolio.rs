//! What an account holds.

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;

use super::Account;
use super::error::Refusal;
use super::events::{self, Engine, Event, Outcome};
use super::exchange::Exchange;
use super::ledger::{Currency, Holding};
use super::order::Side;
use super::read::{self, Pagination};
use crate::clock::rfc3339;
use crate::message::{Reply, Request};
use crate::number::Number;

const CURRENCIES: [Currency; 2] = [Currency::Usd, Currency::Ngn];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Portfolio {
    outcome_balances: Vec<Balance>,
    portfolio_cost: Number,
    portfolio_current_value: Number,
    portfolio_percentage_change: Number,
    pagination: Pagination,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Balance {
    id: String,
    outcome: &'static str,
    outcome_id: String,
    asset_id: String,
    user_id: String,
    balance: Number,
    available_balance: Number,
    average_price: Number,
    cost: Number,
    current_value: Number,
    sell_price: Number,
    payout_if_outcome_wins: Number,
    percentage_change: Number,
    currency: &'static str,
    market: BalanceMarket,
    created_at: String,
    updated_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BalanceMarket {
    id: String,
    title: String,
    image_url: String,
    outcome1_id: String,
    outcome2_id: String,
    event: BalanceEvent,
}

#[derive(Serialize)]
struct BalanceEvent {
    id: String,
    title: String,
    #[serde(rename = "type")]
    kind: &'static str,
    engine: Engine,
}

pub(super) fn get(
    exchange: &Exchange,
    account: &Account,
    events: &[Event],
    request: &Request,
) -> Result<Reply, Refusal> {
    let balance = |((outcome_id, currency), holding): (&(String, Currency), &Holding)| {
        let outcome = events::outcome(events, outcome_id)?;
        let bid = exchange.best(&outcome, *currency, Side::Buy);
        (!holding.shares.is_zero()).then(|| Balance::new(account, outcome, bid, *currency, holding))
    };
    let balances: Vec<Balance> = account.ledger.holdings.iter().filter_map(balance).collect();
    // Everything in dollars' worth: a share in another currency counts by its multiplier.
    let sum = |field: fn(&Balance) -> Number| -> Decimal {
        let worth = |balance: &Balance| {
            let multiplier = Currency::read(balance.currency).map_or(Decimal::ONE, Currency::multiplier);
            field(balance).0 / multiplier
        };
        balances.iter().map(worth).sum()
    };
    let (cost, value) = (sum(|balance| balance.cost), sum(|balance| balance.current_value));
    let (outcome_balances, pagination) = read::page(request, balances)?;
    Ok(Reply::json(
        200,
        &Portfolio {
            outcome_balances,
            portfolio_cost: rounded(cost),
            portfolio_current_value: rounded(value),
            portfolio_percentage_change: change(cost, value),
            pagination,
        },
    ))
}

impl Balance {
    fn new(account: &Account, outcome: Outcome<'_>, bid: Decimal, currency: Currency, holding: &Holding) -> Self {
        let (market, event) = (outcome.market, outcome.event);
        let unit = currency.multiplier();
        let value = holding.shares * bid * unit;
        Self {
            id: holding.id.clone(),
            outcome: outcome.label,
            outcome_id: outcome.id.to_owned(),
            asset_id: asset_id(currency),
            user_id: account.user_id.clone(),
            balance: holding.shares.into(),
            available_balance: (holding.shares - holding.offered).into(),
            average_price: rounded(holding.cost / holding.shares / unit),
            cost: rounded(holding.cost),
            current_value: rounded(value),
            sell_price: bid.into(),
            payout_if_outcome_wins: rounded(holding.shares * unit),
            percentage_change: change(holding.cost, value),
            currency: currency.name(),
            market: BalanceMarket {
                id: market.id.clone(),
                title: market.title.clone(),
                image_url: market.image_url.clone(),
                outcome1_id: market.outcome1_id.clone(),
                outcome2_id: market.outcome2_id.clone(),
                event: BalanceEvent {
                    id: event.id.clone(),
                    title: event.title.clone(),
                    kind: event.kind,
                    engine: event.engine,
                },
            },
            created_at: rfc3339(holding.created),
            updated_at: rfc3339(holding.updated),
        }
    }
}

fn rounded(value: Decimal) -> Number {
    value.round_dp(6).into()
}

fn change(cost: Decimal, value: Decimal) -> Number {
    if cost.is_zero() { Number::default() } else { ((value - cost) / cost * Decimal::ONE_HUNDRED).round_dp(2).into() }
}

#[derive(Serialize)]
struct Assets {
    assets: Vec<Asset>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Asset {
    id: String,
    symbol: &'static str,
    user_id: String,
    network: &'static str,
    available_balance: Number,
    pending_balance: Number,
    deposit_activity: &'static str,
    withdrawal_activity: &'static str,
    wager_activity: &'static str,
    is_default: bool,
    is_local_currency_asset: bool,
    addresses: Vec<Value>,
    created_at: String,
    updated_at: String,
}

pub(super) fn assets(account: &Account, now: i64) -> Reply {
    let asset = |currency: Currency| Asset {
        id: asset_id(currency),
        symbol: currency.name(),
        user_id: account.user_id.clone(),
        network: "",
        available_balance: account.ledger.cash(currency).into(),
        pending_balance: account.ledger.reserved(currency).into(),
        deposit_activity: "ACTIVE",
        withdrawal_activity: "ACTIVE",
        wager_activity: "ACTIVE",
        is_default: currency == Currency::Usd,
        is_local_currency_asset: currency == Currency::Ngn,
        addresses: Vec::new(),
        created_at: rfc3339(account.created),
        updated_at: rfc3339(now),
    };
    Reply::json(200, &Assets { assets: CURRENCIES.map(asset).into() })
}

fn asset_id(currency: Currency) -> String {
    uuid::Uuid::from_u128(0x4000_8000_0000_0000_0000 | (currency as u128 + 1) << 96).to_string()
}
