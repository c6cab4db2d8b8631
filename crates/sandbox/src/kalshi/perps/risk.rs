//! Leverage, limits and fees of perpetual futures.

use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde_json::{Map, Value, json};

use super::super::call::Call;
use super::super::error::Refusal;
use super::super::read::{count, dollars};
use super::super::state::State;
use super::portfolio::{open, visible};
use super::rules::{INITIAL_MARGIN, MAINTENANCE_MARGIN, MAKER_FEE, TAKER_FEE, notional};
use crate::exchange::{Owner, Side};
use crate::message::Reply;
use crate::number::Number;

/// More than the funds of an account can reach.
const NOTIONAL_LIMIT: Decimal = dec!(1000000);

pub(in super::super) fn get(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let (mut positions, mut total) = (Vec::<Value>::new(), Decimal::ZERO);
    for owner in visible(state, call)? {
        for (ticker, position, mark) in open(state, owner) {
            let held = notional(position, mark);
            total += held;
            let mut json = json!({
                "subaccount": owner.subaccount,
                "market_ticker": ticker,
                "position": count(position.count),
                "mark_price": dollars(mark),
                "position_notional": dollars(held),
                "maintenance_margin_required": dollars(MAINTENANCE_MARGIN * held),
                // The sandbox liquidates nobody.
                "estimated_liquidation_price": null,
                "is_portfolio": false,
            });
            if !held.is_zero() {
                json["position_leverage"] = json!(leverage());
            }
            positions.push(json);
        }
    }
    let mut json = json!({
        "total_position_notional": dollars(total),
        "total_maintenance_margin": dollars(MAINTENANCE_MARGIN * total),
        "positions": positions,
    });
    if !total.is_zero() {
        json["account_leverage"] = json!(leverage());
    }
    Ok(Reply::json(200, &json))
}

/// Notional over maintenance margin.
fn leverage() -> Number {
    Number(Decimal::ONE / MAINTENANCE_MARGIN)
}

/// In a market the larger side: what the position would be if all bids or all asks traded.
fn usage(state: &State, owner: Owner, ticker: &str) -> Decimal {
    let exchange = &state.perps.exchange;
    let held = exchange.account(owner).and_then(|account| account.position(ticker));
    let held = held.map(|position| position.count).unwrap_or_default();
    let side = |side: Side| {
        let own = exchange.resting(ticker, side).filter(|order| order.owner == owner);
        let resting: Decimal = own.map(|order| order.remaining).sum();
        (held + side.sign() * resting).abs()
    };
    side(Side::Bid).max(side(Side::Ask)) * exchange.mark(ticker)
}

pub(in super::super) fn notional_limit(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let owners = visible(state, call)?;
    let (mut by_market, mut total) = (Map::new(), Decimal::ZERO);
    for contract in &state.perps.contracts {
        let used: Decimal = owners.iter().map(|owner| usage(state, *owner, contract.ticker)).sum();
        total += used;
        by_market.insert(contract.ticker.to_owned(), dollars(used).into());
    }
    Ok(Reply::json(
        200,
        &json!({
            "default_notional_value_risk_limit": dollars(NOTIONAL_LIMIT),
            "notional_value_risk_limits_by_market_ticker": {},
            "total_current_usage": dollars(total),
            "current_usage_by_market_ticker": by_market,
            "effective_account_notional_value_risk_limit": dollars(NOTIONAL_LIMIT),
        }),
    ))
}

/// A number for each contract.
fn each(state: &State, value: Decimal) -> Value {
    let entry = |ticker: &str| (ticker.to_owned(), json!(Number(value)));
    Value::Object(state.perps.contracts.iter().map(|contract| entry(contract.ticker)).collect())
}

pub(in super::super) fn parameters(state: &mut State, _: &Call) -> Result<Reply, Refusal> {
    let multiplier = each(state, (INITIAL_MARGIN / MAINTENANCE_MARGIN).normalize());
    Ok(Reply::json(
        200,
        &json!({
            "liquidation_margin_ratio_threshold": 1,
            "queue_entry_margin_ratio_threshold": 1,
            "initial_margin_multiplier": multiplier,
        }),
    ))
}

pub(in super::super) fn fee_tiers(state: &mut State, _: &Call) -> Result<Reply, Refusal> {
    let (maker, taker) = (each(state, MAKER_FEE), each(state, TAKER_FEE));
    Ok(Reply::json(200, &json!({"maker_fee_rates": maker, "taker_fee_rates": taker})))
}

pub(in super::super) fn fee_tier_rates(_: &mut State, _: &Call) -> Result<Reply, Refusal> {
    let rate = json!({
        "fee_schedule": "kalshi_prime",
        "tier": 0,
        "maker_fee_rate": Number(MAKER_FEE),
        "taker_fee_rate": Number(TAKER_FEE),
    });
    Ok(Reply::json(200, &json!({"fee_tier_rates": [rate]})))
}
