//! The archive, which is empty: nothing in the sandbox is old enough.

use serde_json::{Value, json};

use super::call::Call;
use super::error::Refusal;
use super::state::State;
use crate::clock::rfc3339;
use crate::message::Reply;

/// Older than anything that the sandbox has.
const ARCHIVE_MILLIS: i64 = 90 * 86_400_000;

pub(super) fn cutoff(state: &mut State, _: &Call) -> Result<Reply, Refusal> {
    let time = rfc3339(state.money.opened - ARCHIVE_MILLIS);
    let cutoff = json!({"market_settled_ts": time, "trades_created_ts": time, "orders_updated_ts": time});
    Ok(Reply::json(200, &cutoff))
}

fn empty(call: &Call, member: &str) -> Result<Reply, Refusal> {
    let (page, cursor) = call.query().page(std::iter::empty::<(i64, Value)>())?;
    Ok(Reply::json(200, &json!({member: page, "cursor": cursor})))
}

pub(super) fn markets(_: &mut State, call: &Call) -> Result<Reply, Refusal> {
    empty(call, "markets")
}

pub(super) fn trades(_: &mut State, call: &Call) -> Result<Reply, Refusal> {
    empty(call, "trades")
}

pub(super) fn fills(_: &mut State, call: &Call) -> Result<Reply, Refusal> {
    empty(call, "fills")
}

pub(super) fn orders(_: &mut State, call: &Call) -> Result<Reply, Refusal> {
    empty(call, "orders")
}

pub(super) fn positions(_: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let (page, cursor) = call.query().page(std::iter::empty::<(i64, Value)>())?;
    Ok(Reply::json(200, &json!({"market_positions": page, "event_positions": [], "cursor": cursor})))
}

/// No market is archived.
pub(super) fn market(_: &mut State, _: &Call) -> Result<Reply, Refusal> {
    Err(Refusal::not_found())
}
