//! `private/edit` and `private/edit_by_label`.

use rust_decimal::Decimal;

use super::book::OrderLocation;
use super::error::Error;
use super::filter;
use super::instruments::Instrument;
use super::matching;
use super::order_request::{self, QuoteMark};
use super::orders::{OrderState, Price};
use super::params::Params;
use super::place::{OrderResult, check_funds, check_in_time, resting_limit};
use super::positions;
use super::state::{Outcome, Session, State, done};
use crate::number::Number;

/// `private/edit`.
pub(super) fn edit(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let slot = state.own_slot(session, params)?;
    change(state, slot, params)
}

/// `private/edit_by_label`: there is exactly one open order with the label.
pub(super) fn edit_by_label(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let name = filter::required_instrument(state, params)?.instrument_name;
    let label = params.text("label")?.unwrap_or_default();
    let open = state.open_orders(session.account);
    let mut labelled = open.filter(|(_, order)| order.instrument_name == name && order.label == label);
    let slot = match (labelled.next(), labelled.next()) {
        (Some((slot, _)), None) => slot,
        (None, _) => return Err(Error::new(Error::ORDER_NOT_FOUND)),
        _ => return Err(Error::new(Error::NON_UNIQUE_LABEL)),
    };
    drop(labelled);
    change(state, slot, params)
}

/// What is to be changed of an order.
#[derive(Default)]
pub(super) struct Amendment {
    pub(super) amount: Option<Decimal>,
    pub(super) price: Option<Decimal>,
    pub(super) post_only: Option<bool>,
    pub(super) reject_post_only: Option<bool>,
    pub(super) reduce_only: Option<bool>,
    pub(super) trigger_price: Option<Decimal>,
    pub(super) trigger_offset: Option<Decimal>,
    pub(super) display_amount: Option<Decimal>,
    pub(super) mmp: Option<bool>,
    pub(super) quote: Option<QuoteMark>,
}

fn change(state: &mut State, slot: OrderLocation, params: &Params) -> Outcome {
    order_request::check_simulated(params)?;
    let instrument = open_instrument(state, slot)?;
    check_in_time(state, params)?;
    let amendment = Amendment {
        amount: order_request::read_amount(params, &instrument)?,
        price: params.decimal("price")?,
        post_only: params.boolean("post_only")?,
        reject_post_only: params.boolean("reject_post_only")?,
        reduce_only: params.boolean("reduce_only")?,
        trigger_price: params.decimal("trigger_price")?,
        trigger_offset: params.decimal("trigger_offset")?,
        display_amount: params.decimal("display_amount")?,
        mmp: params.boolean("mmp")?,
        quote: None,
    };
    done(&amend(state, slot, amendment)?)
}

/// The instrument of an order that is open.
fn open_instrument(state: &State, slot: OrderLocation) -> Result<Instrument, Error> {
    let order = state.order(slot);
    if !order.is_open() {
        return Err(Error::new(Error::NOT_OPEN_ORDER));
    }
    state.instrument(order.instrument_name).cloned().ok_or_else(|| Error::new(Error::INVALID_INSTRUMENT))
}

/// Changes an open order.
pub(super) fn amend(state: &mut State, slot: OrderLocation, amendment: Amendment) -> Result<OrderResult, Error> {
    let instrument = open_instrument(state, slot)?;
    let before = state.order(slot).clone();
    let mut order = before.clone();
    if let Some(amount) = amendment.amount {
        if amount <= order.filled_amount.0 {
            return Err(Error::invalid_param("amount", "must be more than what is filled"));
        }
        order.amount = Number(amount);
        order.contracts = Number(instrument.contracts(amount));
    }
    order.post_only = amendment.post_only.unwrap_or(order.post_only);
    order.mmp = amendment.mmp.unwrap_or(order.mmp);
    order.reduce_only = amendment.reduce_only.unwrap_or(order.reduce_only);
    let or_reject = amendment.reject_post_only.or(order.reject_post_only).unwrap_or_default();
    order.reject_post_only = order.post_only.then_some(or_reject);
    if let (Price::Limit(_), Some(price)) = (order.price, amendment.price) {
        order_request::check_price(&instrument, price)?;
        let is_waiting = order.trigger.is_some();
        let price = if order.post_only && !is_waiting {
            resting_limit(state, &instrument, order.direction, price, or_reject)?
        } else {
            price
        };
        order.price = Price::Limit(Number(price));
    }
    if let Some(trigger) = &mut order.trigger {
        trigger.trigger_price = amendment.trigger_price.map(Number).or(trigger.trigger_price);
        trigger.trigger_offset = amendment.trigger_offset.map(Number).or(trigger.trigger_offset);
    }
    if order.reduce_only && order.order_state == OrderState::Open {
        // As when it was placed: cut to what is left of the position.
        let left = positions::reducible(state, slot.account, &instrument, order.direction, order.left())?;
        order.amount = Number::from(order.filled_amount.0 + left);
        order.contracts = Number::from(instrument.contracts(order.amount.0));
    }
    if !order.reduce_only {
        let price = order.price.limit().unwrap_or(instrument.prices.mark);
        check_funds(state, slot.account, &instrument, order.direction, order.left(), price, order.reserved)?;
    }
    order.display_amount = amendment.display_amount.map(Number).or(order.display_amount);
    if let Some(mark) = amendment.quote {
        order.mark_quote(mark);
    }
    order.replaced = true;
    order.last_update_timestamp = state.now();

    // Who asks for less at the same price keeps the place.
    let keeps_place = order.price.limit() == before.price.limit() && order.amount <= before.amount;
    let is_in_book = order.order_state == OrderState::Open;
    if !keeps_place {
        state.give_up_place(slot);
        order.turn = None;
    }
    *state.order_mut(slot) = order;
    state.changes.touch(instrument.instrument_name);
    state.reserve(slot);
    let trades = if is_in_book && !keeps_place { matching::execute(state, &instrument, slot) } else { Vec::new() };
    state.notify_order(slot);
    state.after_trades(slot.account, &trades);
    Ok(OrderResult { order: state.order(slot).clone(), trades })
}
