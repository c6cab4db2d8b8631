//! Settlements, of which there are none here, and the events of trigger orders.

use serde::Serialize;
use serde_json::json;

use super::error::Error;
use super::filter;
use super::orders::{Order, OrderState, Price};
use super::params::Params;
use super::state::{Outcome, Session, State, done};
use crate::number::Number;

const USUAL_COUNT: i64 = 20;

/// Gains are paid out at once and nothing expires, so that no list of settlements has an entry.
fn no_settlements() -> Outcome {
    done(&json!({"settlements": []}))
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
    #[serde(skip_serializing_if = "Option::is_none")]
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
        order_type: trigger.order_type,
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

/// `private/get_trigger_order_history`. `continuation` is how many entries the pages before had.
pub(super) fn get_trigger_order_history(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let currency = filter::required_currency(params)?;
    let name = params.text("instrument_name")?;
    let count = filter::count(params, USUAL_COUNT)?;
    let skipped = params.text("continuation")?.map(|text| text.parse::<usize>()).transpose();
    let skipped =
        skipped.map_err(|_| Error::invalid_param("continuation", "not one of this list"))?.unwrap_or_default();
    let fits = |order: &&Order| {
        name.as_ref().is_none_or(|name| order.instrument_name == *name)
            && state.is_on(order, |instrument| instrument.is_listed_under(&currency))
    };
    let orders = state.accounts[session.account].orders.iter().rev().filter(fits);
    let mut rest = orders.flat_map(events).skip(skipped);
    let entries: Vec<Event<'_>> = rest.by_ref().take(count).collect();
    let continuation = rest.next().map(|_| (skipped + entries.len()).to_string());
    done(&Page { entries, continuation })
}
