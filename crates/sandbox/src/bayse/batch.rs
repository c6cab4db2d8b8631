//! The batch routes and their idempotency keys.

use serde::{Deserialize, Serialize};

use super::Account;
use super::error::Refusal;
use super::events::{self, Engine, Event};
use super::exchange::Exchange;
use super::ledger::Rejection;
use super::orders::{self, NewOrder, Placed};
use super::read;
use crate::message::{Reply, Request};
use crate::number::Number;
use crate::spec::{self, Operation};

const REPLAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// A response that is given again for the same idempotency key.
pub(super) struct Replay {
    route: String,
    key: String,
    body: bytes::Bytes,
    made: i64,
    reply: Reply,
}

/// Whether an operation counts itself, since it may be a repetition that does not count.
pub(super) fn marks_itself(operation: &Operation, request: &Request) -> bool {
    let is_batch = matches!(operation.id.as_str(), "batchPlaceOrders" | "batchCancelOrders" | "batchAmendOrders");
    is_batch && request.headers.contains_key("idempotency-key")
}

/// Carries out a batch once for an idempotency key: a repetition gets the first response.
pub(super) fn once(
    accounts: &mut [Account],
    account: usize,
    operation: &Operation,
    request: &Request,
    now: i64,
    carry_out: impl FnOnce(&mut [Account]) -> Result<Reply, Refusal>,
) -> Result<Reply, Refusal> {
    let Some(key) = request.headers.get("idempotency-key") else { return carry_out(accounts) };
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b'-';
    let key = key.to_str().ok().filter(|key| (1..=255).contains(&key.len()) && key.as_bytes().iter().all(allowed));
    let key = key.ok_or_else(|| {
        Refusal::invalid("Idempotency-Key must have 1 to 255 letters, digits, underscores or hyphens")
    })?;
    let route = spec::BAYSE.counter(operation);
    let replays = &mut accounts[account].replays;
    replays.retain(|replay| now - replay.made < REPLAY_MILLIS);
    if let Some(replay) = replays.iter().find(|replay| replay.route == route && replay.key == key) {
        if replay.body != request.body {
            let message = "this Idempotency-Key was used with another body";
            return Err(Refusal::new(422, "idempotency_key_reused", message));
        }
        return Ok(replay.reply.clone().with_header("idempotent-replayed", "true"));
    }
    let reply = carry_out(accounts).map(|reply| reply.executing(route.as_str())).unwrap_or_else(Refusal::into_reply);
    let stored = Reply { executed: None, ..reply.clone() };
    let replay = Replay { route, key: key.to_owned(), body: request.body.clone(), made: now, reply: stored };
    accounts[account].replays.push(replay);
    Ok(reply)
}

#[derive(Serialize)]
struct BatchResponse<T> {
    engine: Engine,
    results: Vec<T>,
    summary: Summary,
}

#[derive(Serialize)]
struct Summary {
    total: usize,
    succeeded: usize,
    failed: usize,
}

#[derive(Serialize)]
struct ItemError {
    code: String,
    message: String,
}

impl From<Rejection> for ItemError {
    fn from(rejection: Rejection) -> Self {
        Self { code: rejection.code.to_owned(), message: rejection.message.to_owned() }
    }
}

fn answer<T: Serialize>(results: Vec<T>, success: impl Fn(&T) -> bool) -> Reply {
    let total = results.len();
    let succeeded = results.iter().filter(|result| success(result)).count();
    let summary = Summary { total, succeeded, failed: total - succeeded };
    Reply::json(200, &BatchResponse { engine: Engine::Clob, results, summary })
}

#[derive(Deserialize)]
struct PlaceBatch {
    #[serde(default)]
    orders: Vec<NewOrder>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PlaceResult {
    index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_order_id: Option<String>,
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<Placed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ItemError>,
}

/// Places up to 20 orders, each for itself.
pub(super) fn place(
    exchange: &mut Exchange,
    (accounts, account): (&mut [Account], usize),
    events: &[Event],
    request: &Request,
    now: i64,
) -> Result<Reply, Refusal> {
    let batch: PlaceBatch = read::body(request)?;
    if !(1..=20).contains(&batch.orders.len()) {
        return Err(Refusal::new(422, "validation_error", "orders must have 1 to 20 items"));
    }
    let mut results = Vec::new();
    for (index, new) in batch.orders.into_iter().enumerate() {
        let (order, error) = match place_one(exchange, (accounts, account), events, &new, now) {
            Ok(order) => (Some(order), None),
            Err(error) => (None, Some(error)),
        };
        let client_order_id = new.client_order_id;
        results.push(PlaceResult { index, client_order_id, success: order.is_some(), order, error });
    }
    Ok(answer(results, |result| result.success))
}

fn refused(refusal: &Refusal) -> ItemError {
    ItemError { code: "BAD_REQUEST".to_owned(), message: refusal.message().to_owned() }
}

fn place_one(
    exchange: &mut Exchange,
    (accounts, account): (&mut [Account], usize),
    events: &[Event],
    new: &NewOrder,
    now: i64,
) -> Result<Placed, ItemError> {
    let terms = new.check(now).map_err(|refusal| refused(&refusal))?;
    let outcome = orders::tradable(events, new).map_err(|refusal| refused(&refusal))?;
    if outcome.event.engine != Engine::Clob {
        let rejection = Rejection { code: "UNSUPPORTED_ENGINE", message: "batches are for CLOB markets" };
        return Err(rejection.into());
    }
    let index = exchange.place(accounts, account, outcome, terms, now)?;
    Ok(Placed::new(&exchange.orders[index], &accounts[account].user_id))
}

#[derive(Deserialize)]
struct AmendBatch {
    #[serde(default)]
    items: Vec<Amendment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Amendment {
    #[serde(default)]
    order_id: String,
    new_price: Option<Number>,
    new_size: Option<Number>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AmendResult {
    index: usize,
    order_id: String,
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<Placed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ItemError>,
}

/// Amends up to 20 orders, each for itself.
pub(super) fn amend(
    exchange: &mut Exchange,
    (accounts, account): (&mut [Account], usize),
    events: &[Event],
    request: &Request,
    now: i64,
) -> Result<Reply, Refusal> {
    let batch: AmendBatch = read::body(request)?;
    if !(1..=20).contains(&batch.items.len()) {
        return Err(Refusal::new(422, "validation_error", "items must have 1 to 20 items"));
    }
    let mut results = Vec::new();
    for (index, item) in batch.items.into_iter().enumerate() {
        let (order, error) = match amend_one(exchange, (accounts, account), events, &item, now) {
            Ok(order) => (Some(order), None),
            Err(error) => (None, Some(error)),
        };
        results.push(AmendResult { index, order_id: item.order_id, success: order.is_some(), order, error });
    }
    Ok(answer(results, |result| result.success))
}

fn amend_one(
    exchange: &mut Exchange,
    (accounts, account): (&mut [Account], usize),
    events: &[Event],
    item: &Amendment,
    now: i64,
) -> Result<Placed, ItemError> {
    let bad = |message| ItemError::from(Rejection { code: "BAD_REQUEST", message });
    let (price, size) = (item.new_price.map(|price| price.0), item.new_size.map(|size| size.0));
    if price.is_none() && size.is_none() {
        return Err(bad("newPrice or newSize is required"));
    }
    if price.is_some_and(|price| !orders::is_price(price)) {
        return Err(bad("newPrice must be between 0.01 and 0.99"));
    }
    if size.is_some_and(|size| !orders::is_size(size)) {
        return Err(bad("newSize must be greater than 0, with at most six decimals"));
    }
    let found = exchange.own(account, &item.order_id)?;
    let outcome = events::outcome(events, &exchange.orders[found].outcome_id);
    let outcome = outcome.ok_or_else(|| bad("the outcome is gone"))?;
    let index = exchange.amend(accounts, (account, &item.order_id), &outcome, (price, size), now)?;
    Ok(Placed::new(&exchange.orders[index], &accounts[account].user_id))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CancelBatch {
    #[serde(default)]
    order_ids: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CancelResult {
    order_id: String,
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ItemError>,
}

/// Cancels up to 100 orders, each for itself.
pub(super) fn cancel(
    exchange: &mut Exchange,
    (accounts, account): (&mut [Account], usize),
    request: &Request,
    now: i64,
) -> Result<Reply, Refusal> {
    let batch: CancelBatch = read::body(request)?;
    if !(1..=100).contains(&batch.order_ids.len()) {
        return Err(Refusal::new(422, "validation_error", "orderIds must have 1 to 100 items"));
    }
    let mut cancel = |order_id: String| {
        let error = exchange.cancel(accounts, account, &order_id, now).err().map(ItemError::from);
        CancelResult { order_id, success: error.is_none(), error }
    };
    let results = batch.order_ids.into_iter().map(&mut cancel).collect();
    Ok(answer(results, |result: &CancelResult| result.success))
}
