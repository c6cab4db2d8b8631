//! Amending, decreasing and cancelling one order on a perpetual future.

use serde::Deserialize;
use serde_json::json;

use super::super::call::Call;
use super::super::change::{check_name, new_expiration, remainder};
use super::super::error::Refusal;
use super::super::orders::{averages, name, required};
use super::super::read::{self, count};
use super::super::state::State;
use super::Perps;
use super::orders::{contracts, named, price};
use crate::exchange::{Amendment, Order, Reason, Side};
use crate::message::Reply;

/// The body of AmendMarginOrder.
#[derive(Deserialize)]
struct Amend {
    ticker: Option<String>,
    market_id: Option<String>,
    side: Option<String>,
    price: Option<String>,
    count: Option<String>,
    client_order_id: Option<String>,
    updated_client_order_id: Option<String>,
    expiration_time: Option<i64>,
}

/// The body of DecreaseMarginOrder.
#[derive(Deserialize)]
struct Decrease {
    reduce_by: Option<String>,
    reduce_to: Option<String>,
}

/// The resting order that a call is about.
fn resting<'a>(perps: &'a Perps, call: &Call) -> Result<&'a Order, Refusal> {
    let owner = call.subaccount_or_primary()?;
    let order = perps.exchange.order(call.given.in_path("order_id"));
    order.filter(|order| order.owner == owner && !order.remaining.is_zero()).ok_or_else(Refusal::not_found)
}

pub(in super::super) fn amend(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let amend: Amend = read::body(call.request)?;
    let perps = &mut state.perps;
    let order = resting(perps, call)?;
    let contract = named(perps, amend.ticker.as_deref(), amend.market_id.as_deref())?;
    if contract.ticker != order.ticker {
        return Err(Refusal::new(400, "order_ticker_mismatch"));
    }
    if Side::named(required(amend.side.as_deref(), "side")?) != Some(order.terms.side) {
        return Err(Refusal::new(400, "order_side_mismatch"));
    }
    check_name(order, amend.client_order_id.as_deref())?;
    let amendment = Amendment {
        price: price(amend.price.as_deref())?,
        count: contracts(contract, amend.count.as_deref())?,
        expiration: new_expiration(amend.expiration_time, call.now)?,
        client_order_id: amend.updated_client_order_id.filter(|id| !id.is_empty()),
    };
    let (id, rested) = (order.id.clone(), order.remaining);
    let traded = perps.exchange.amend(&id, amendment, call.now)?;
    let order = perps.exchange.order(&id).ok_or_else(Refusal::not_found)?;
    let mut json = json!({"order_id": id});
    name(&mut json, order);
    if !traded.count.is_zero() || order.remaining != rested {
        json["remaining_count"] = count(order.remaining).into();
        json["fill_count"] = count(traded.count).into();
    }
    averages(&mut json, traded);
    Ok(Reply::json(200, &json))
}

pub(in super::super) fn decrease(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let decrease: Decrease = read::body(call.request)?;
    let perps = &mut state.perps;
    let order = resting(perps, call)?;
    let rest = remainder(order, decrease.reduce_by.as_deref(), decrease.reduce_to.as_deref())?;
    let contract = named(perps, Some(&order.ticker), None)?;
    if !contract.fractional && !rest.fract().is_zero() {
        return Err(Refusal::new(400, "invalid_order_size"));
    }
    let id = order.id.clone();
    let order = perps.exchange.decrease(&id, rest, call.now)?;
    let mut json = json!({"order_id": id, "remaining_count": count(order.remaining)});
    name(&mut json, order);
    Ok(Reply::json(200, &json))
}

pub(in super::super) fn cancel(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let id = resting(&state.perps, call)?.id.clone();
    let (order, reduced_by) = state.perps.exchange.cancel(&id, Reason::Decreased, call.now)?;
    let mut json = json!({"order_id": id, "reduced_by": count(reduced_by)});
    name(&mut json, order);
    Ok(Reply::json(200, &json))
}
