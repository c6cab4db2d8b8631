//! The batch routes and their idempotency keys.

use serde::{Deserialize, Serialize};

use super::Account;
use super::error::Refusal;
use super::events::{Engine, Event};
use super::ledger::Rejection;
use super::orders::{self, NewOrder, Placed};
use super::read;
use crate::message::{Reply, Request};
use crate::spec::{self, Operation};

const REPLAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// An answer that is given again for the same idempotency key.
pub(super) struct Replay {
    route: String,
    key: String,
    body: bytes::Bytes,
    made: i64,
    reply: Reply,
}

/// Whether an operation counts itself, since it may be a repetition that does not count.
pub(super) fn marks_itself(operation: &Operation, request: &Request) -> bool {
    let is_batch = matches!(operation.id.as_str(), "batchPlaceOrders" | "batchCancelOrders");
    is_batch && request.headers.contains_key("idempotency-key")
}

/// Carries out a batch once for an idempotency key: a repetition gets the first answer.
pub(super) fn once(
    account: &mut Account,
    operation: &Operation,
    request: &Request,
    now: i64,
    carry_out: impl FnOnce(&mut Account) -> Result<Reply, Refusal>,
) -> Result<Reply, Refusal> {
    let Some(key) = request.headers.get("idempotency-key") else { return carry_out(account) };
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b'-';
    let key = key.to_str().ok().filter(|key| (1..=255).contains(&key.len()) && key.as_bytes().iter().all(allowed));
    let key = key.ok_or_else(|| {
        Refusal::invalid("Idempotency-Key must have 1 to 255 letters, digits, underscores or hyphens")
    })?;
    let route = spec::BAYSE.counter(operation);
    account.replays.retain(|replay| now - replay.made < REPLAY_MILLIS);
    if let Some(replay) = account.replays.iter().find(|replay| replay.route == route && replay.key == key) {
        if replay.body != request.body {
            let message = "this Idempotency-Key was used with another body";
            return Err(Refusal::new(422, "idempotency_key_reused", message));
        }
        return Ok(replay.reply.clone().with_header("idempotent-replayed", "true"));
    }
    let reply = carry_out(account).map(|reply| reply.executing(route.as_str())).unwrap_or_else(Refusal::into_reply);
    let stored = Reply { executed: None, ..reply.clone() };
    account.replays.push(Replay { route, key: key.to_owned(), body: request.body.clone(), made: now, reply: stored });
    Ok(reply)
}

#[derive(Serialize)]
struct Answer<T> {
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
    Reply::json(200, &Answer { engine: Engine::Clob, results, summary })
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
pub(super) fn place(account: &mut Account, events: &[Event], request: &Request, now: i64) -> Result<Reply, Refusal> {
    let batch: PlaceBatch = read::body(request)?;
    if !(1..=20).contains(&batch.orders.len()) {
        return Err(Refusal::new(422, "validation_error", "orders must have 1 to 20 items"));
    }
    let mut results = Vec::new();
    for (index, new) in batch.orders.into_iter().enumerate() {
        let (order, error) = match place_one(account, events, &new, now) {
            Ok(order) => (Some(order), None),
            Err(error) => (None, Some(error)),
        };
        let client_order_id = new.client_order_id;
        results.push(PlaceResult { index, client_order_id, success: order.is_some(), order, error });
    }
    Ok(answer(results, |result| result.success))
}

fn place_one(account: &mut Account, events: &[Event], new: &NewOrder, now: i64) -> Result<Placed, ItemError> {
    let refused =
        |refusal: Refusal| ItemError { code: "BAD_REQUEST".to_owned(), message: refusal.message().to_owned() };
    let terms = new.check(now).map_err(refused)?;
    let outcome = orders::tradable(events, new).map_err(refused)?;
    if outcome.event.engine != Engine::Clob {
        let rejection = Rejection { code: "UNSUPPORTED_ENGINE", message: "batches are for CLOB markets" };
        return Err(rejection.into());
    }
    let order = account.ledger.place(outcome, terms, now)?;
    Ok(Placed::new(order, &account.user_id))
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
pub(super) fn cancel(account: &mut Account, request: &Request, now: i64) -> Result<Reply, Refusal> {
    let batch: CancelBatch = read::body(request)?;
    if !(1..=100).contains(&batch.order_ids.len()) {
        return Err(Refusal::new(422, "validation_error", "orderIds must have 1 to 100 items"));
    }
    let cancel = |order_id: String| {
        let error = account.ledger.cancel(&order_id, now).err().map(ItemError::from);
        CancelResult { order_id, success: error.is_none(), error }
    };
    let results = batch.order_ids.into_iter().map(cancel).collect();
    Ok(answer(results, |result: &CancelResult| result.success))
}
