//! Amending, decreasing and cancelling one order.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::Call;
use super::error::Refusal;
use super::orders::{self, averages, check_shard, expiration, name, required};
use super::read::{self, count, fixed_point};
use super::state::State;
use crate::exchange::{Amendment, Order, Owner, Reason, Side};
use crate::message::Reply;

/// The body of AmendOrderV2.
#[derive(Deserialize)]
struct Amend {
    ticker: Option<String>,
    side: Option<String>,
    price: Option<String>,
    count: Option<String>,
    client_order_id: Option<String>,
    updated_client_order_id: Option<String>,
    expiration_time: Option<i64>,
    exchange_index: Option<i64>,
}

/// The body of DecreaseOrderV2.
#[derive(Deserialize)]
struct Decrease {
    reduce_by: Option<String>,
    reduce_to: Option<String>,
    exchange_index: Option<i64>,
    market_ticker: Option<String>,
}

/// A resting order of a subaccount. Its market is checked if the caller names it.
fn resting<'a>(state: &'a State, owner: Owner, id: &str, ticker: Option<&str>) -> Result<&'a Order, Refusal> {
    let order = state.events.order(id).filter(|order| order.owner == owner && !order.remaining.is_zero());
    let order = order.ok_or_else(Refusal::not_found)?;
    match ticker {
        Some(ticker) if ticker != order.ticker => Err(Refusal::new(400, "order_ticker_mismatch")),
        _ => Ok(order),
    }
}

/// Refuses the wrong name of an order.
pub(super) fn check_name(order: &Order, given: Option<&str>) -> Result<(), Refusal> {
    match given.filter(|id| !id.is_empty()) {
        Some(id) if order.terms.client_order_id.as_deref() != Some(id) => {
            Err(Refusal::new(400, "order_id_and_client_order_id_mismatch"))
        }
        _ => Ok(()),
    }
}

/// The expiration that an amendment asks for: 0 takes it away.
pub(super) fn new_expiration(seconds: Option<i64>, now: i64) -> Result<Option<Option<i64>>, Refusal> {
    match seconds {
        None => Ok(None),
        Some(0) => Ok(Some(None)),
        seconds => expiration(seconds, now).map(Some),
    }
}

pub(super) fn amend(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let amend: Amend = read::body(call.request)?;
    let (owner, id) = (call.subaccount_or_primary()?, call.given.in_path("order_id"));
    let order = resting(state, owner, id, Some(required(amend.ticker.as_deref(), "ticker")?))?;
    if Side::named(required(amend.side.as_deref(), "side")?) != Some(order.terms.side) {
        return Err(Refusal::new(400, "order_side_mismatch"));
    }
    check_name(order, amend.client_order_id.as_deref())?;
    check_shard(amend.exchange_index)?;
    let market = orders::trading(state, &order.ticker, call.now)?;
    let amendment = Amendment {
        price: orders::price(market, amend.price.as_deref())?,
        count: orders::size(amend.count.as_deref(), "count")?,
        expiration: new_expiration(amend.expiration_time, call.now)?,
        client_order_id: amend.updated_client_order_id.filter(|id| !id.is_empty()),
    };
    let rested = order.remaining;
    let traded = state.events.amend(id, amendment, call.now)?;
    let order = state.events.order(id).ok_or_else(Refusal::not_found)?;
    let mut json = json!({"order_id": id, "ts_ms": call.now});
    name(&mut json, order);
    if !traded.count.is_zero() || order.remaining != rested {
        json["remaining_count"] = count(order.remaining).into();
        json["fill_count"] = count(traded.count).into();
    }
    averages(&mut json, traded);
    Ok(Reply::json(200, &json))
}

/// What is to remain of an order after `reduce_by` or `reduce_to`, of which there is one.
pub(super) fn remainder(order: &Order, by: Option<&str>, to: Option<&str>) -> Result<Decimal, Refusal> {
    let number = |text| fixed_point(text, 2).ok_or_else(|| Refusal::new(400, "invalid_order_size"));
    let rest = match (by, to) {
        (Some(by), None) => {
            let by = number(by)?;
            if by.is_zero() {
                return Err(Refusal::new(400, "invalid_order_size"));
            }
            order.remaining - by
        }
        (None, Some(to)) => number(to)?,
        _ => return Err(Refusal::invalid("either reduce_by or reduce_to is required, not both")),
    };
    if rest < Decimal::ZERO || rest > order.remaining {
        let details = format!("{} rest of the order", count(order.remaining));
        return Err(Refusal::detailed(400, "invalid_order_size", &details));
    }
    Ok(rest)
}

pub(super) fn decrease(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let decrease: Decrease = read::body(call.request)?;
    let (owner, id) = (call.subaccount_or_primary()?, call.given.in_path("order_id"));
    check_shard(decrease.exchange_index)?;
    let order = resting(state, owner, id, decrease.market_ticker.as_deref())?;
    let rest = remainder(order, decrease.reduce_by.as_deref(), decrease.reduce_to.as_deref())?;
    let order = state.events.decrease(id, rest, call.now)?;
    let mut json = json!({"order_id": id, "remaining_count": count(order.remaining), "ts_ms": call.now});
    name(&mut json, order);
    Ok(Reply::json(200, &json))
}

pub(super) fn cancel(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let query = call.query();
    if call.is_about_other_shard()? {
        return Err(Refusal::not_found());
    }
    let owner = call.subaccount_or_primary()?;
    let json = cancel_one(state, owner, call.given.in_path("order_id"), query.text("market_ticker"), call.now)?;
    Ok(Reply::json(200, &json))
}

/// Cancels one order and gives what the venue says about it.
pub(super) fn cancel_one(
    state: &mut State,
    owner: Owner,
    id: &str,
    ticker: Option<&str>,
    now: i64,
) -> Result<Value, Refusal> {
    resting(state, owner, id, ticker)?;
    let (order, reduced_by) = state.events.cancel(id, Reason::Decreased, now)?;
    let mut json = json!({"order_id": order.id, "reduced_by": count(reduced_by), "ts_ms": now});
    name(&mut json, order);
    Ok(json)
}
