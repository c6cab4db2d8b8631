//! Several orders at once. Each is placed or cancelled for itself.

use serde::Deserialize;
use serde_json::{Value, json};

use super::call::Call;
use super::change::cancel_one;
use super::error::Refusal;
use super::orders::{NewOrder, check_shard, place};
use super::read;
use super::state::State;
use crate::message::Reply;

#[derive(Deserialize)]
struct Batch<T> {
    orders: Vec<T>,
}

#[derive(Deserialize)]
struct Cancellation {
    order_id: String,
    subaccount: Option<i64>,
    exchange_index: Option<i64>,
    market_ticker: Option<String>,
}

fn orders<T: serde::de::DeserializeOwned>(call: &Call) -> Result<Vec<T>, Refusal> {
    let batch: Batch<T> = read::body(call.request)?;
    if batch.orders.is_empty() { Err(Refusal::invalid("body/orders: must not be empty")) } else { Ok(batch.orders) }
}

pub(super) fn create(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let mut placed: Vec<Value> = Vec::new();
    for new in orders::<NewOrder>(call)? {
        let id = new.client_order_id.clone().filter(|id| !id.is_empty());
        placed.push(place(state, call, new).unwrap_or_else(|refusal| {
            let mut refused = json!({"error": refusal.into_detail()});
            if let Some(id) = id {
                refused["client_order_id"] = id.into();
            }
            refused
        }));
    }
    Ok(Reply::json(201, &json!({"orders": placed})))
}

pub(super) fn cancel(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let mut cancelled: Vec<Value> = Vec::new();
    for one in orders::<Cancellation>(call)? {
        let id = one.order_id.clone();
        cancelled.push(
            cancel_each(state, call, &one).unwrap_or_else(
                |refusal| json!({"order_id": id, "reduced_by": "0.00", "error": refusal.into_detail()}),
            ),
        );
    }
    Ok(Reply::json(200, &json!({"orders": cancelled})))
}

fn cancel_each(state: &mut State, call: &Call, one: &Cancellation) -> Result<Value, Refusal> {
    check_shard(one.exchange_index)?;
    cancel_one(state, call.owner(one.subaccount)?, &one.order_id, one.market_ticker.as_deref(), call.now)
}
