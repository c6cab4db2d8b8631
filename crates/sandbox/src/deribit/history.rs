//! Settlements, of which there are none here, and the events of trigger orders.

use serde::Serialize;
use serde_json::json;

use super::error::Error;
use super::filter;
use super::orders::{Order, OrderState, Price};
use super::params::Params;
use super::state::{Outcome, Session, State, done};
use crate::number::Number;
use crate::paging::{key, newest_first, page_after};

const USUAL_COUNT: i64 = 20;

/// Gains are paid out at once and nothing expires, so that no list of settlements has an entry.
fn no_settlements() -> Outcome {
    // The word that the venue ends a list with.
    done(&json!({"settlements": [], "continuation": "none"}))
}

/// `public/get_last_settlements_by_currency`.
pub(super) fn get_last_settlements_by_currency(_state: &mut State, params: &Params) -> Outcome {
    filter::required_currency(params)?;
    no_settlements()
}

/// `public/get_last_settlements_by_instrument`.
pub(super) fn get_last_settlements_by_instrument(state: &mut State, params: &Params) -> Outcome {
    filter::required_instrument(state, params)?;
    no_settlements()
}

/// `private/get_settlement_history_by_currency`.
pub(super) fn get_settlement_history_by_currency(_state: &mut State, _session: &Session, params: &Params) -> Outcome {
    filter::required_currency(params)?;
    no_settlements()
}

/// `private/get_settlement_history_by_instrument`.
pub(super) fn get_settlement_history_by_instrument(state: &mut State, _session: &Session, params: &Params) -> Outcome {
    filter::required_instrument(state, params)?;
    no_settlements()
}

/// What happened to a trigger order.
#[derive(Serialize)]
struct Event<'a> {
    trigger_order_id: &'a str,
    /// What it has placed. Null, and never left out, while it has not.
    order_id: Option<&'a str>,
    instrument_name: &'static str,
    direction: super::orders::Direction,
    order_type: &'static str,
    order_state: &'static str,
    request: &'static str,
    amount: Number,
    price: Price,
    trigger: &'static str,
    trigger_price: Option<Number>,
    trigger_offset: Option<Number>,
    label: &'a str,
    post_only: bool,
    reduce_only: bool,
    timestamp: i64,
    last_update_timestamp: i64,
}

/// The events of an order, the newest first; none unless it is a trigger order.
fn events(order: &Order) -> Vec<Event<'_>> {
    let Some(trigger) = &order.trigger else { return Vec::new() };
    let event = |order_state, request, timestamp| Event {
        trigger_order_id: &order.order_id,
        order_id: trigger.triggered.then_some(order.order_id.as_str()),
        instrument_name: order.instrument_name,
        direction: order.direction,
        // Not the kind of trigger: what it places.
        order_type: if trigger.order_type.ends_with("limit") { "limit" } else { "market" },
        order_state,
        request,
        amount: order.amount,
        price: order.price,
        trigger: trigger.trigger,
        trigger_price: trigger.trigger_price,
        trigger_offset: trigger.trigger_offset,
        label: &order.label,
        post_only: order.post_only,
        reduce_only: order.reduce_only,
        timestamp,
        last_update_timestamp: order.last_update_timestamp,
    };
    let mut events = vec![event("new", "trigger:order", order.creation_timestamp)];
    if trigger.triggered {
        events.push(event("triggered", "trigger:order", trigger.triggered_at));
    } else if order.order_state == OrderState::Cancelled {
        events.push(event("cancelled", "trigger:cancel", order.last_update_timestamp));
    }
    events.reverse();
    events
}

#[derive(Serialize)]
struct Page<'a> {
    entries: Vec<Event<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    continuation: Option<String>,
}

/// `private/get_trigger_order_history`. `continuation` names the last entry of the page before: its order and its place there.
pub(super) fn get_trigger_order_history(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let currency = filter::required_currency(params)?;
    let name = params.text("instrument_name")?;
    let count = filter::count(params, USUAL_COUNT)?;
    let after = params
        .text("continuation")?
        .map(|text| entry_named(&text))
        .map(|key| key.ok_or_else(|| Error::invalid_param("continuation", "not one of this list")));
    let after = after.transpose()?;
    let fits = |order: &Order| {
        name.as_ref().is_none_or(|name| order.instrument_name == *name)
            && state.is_on(order, |instrument| instrument.is_listed_under(&currency))
    };
    let orders = newest_first(&state.accounts[session.account].orders).filter(|(_, order)| fits(order));
    let all = orders.flat_map(|(order, of)| {
        // An order that ends has one event more: what is keyed is how many are older.
        let events = events(of);
        let count = key(events.len());
        events.into_iter().zip(1..).map(move |(event, place)| ((order, place - count), event))
    });
    let (entries, last) = page_after(all, after.as_ref(), count);
    let continuation = last.map(|(order, place)| format!("{order}:{place}"));
    done(&Page { entries, continuation })
}

/// The key of an entry in the list of events.
fn entry_named(continuation: &str) -> Option<(i64, i64)> {
    let (order, place) = continuation.split_once(':')?;
    Some((order.parse().ok()?, place.parse().ok()?))
}
