//! `private/buy` and `private/sell`.

use rust_decimal::Decimal;
use serde::Serialize;

use super::error::Error;
use super::filter;
use super::funds;
use super::instruments::Instrument;
use super::matching;
use super::order_request::{self, OrderRequest};
use super::orders::{Direction, Order, OrderState, Price, prefixed};
use super::params::Params;
use super::positions;
use super::state::{Outcome, Session, State, done};
use super::trades::Trade;
use crate::number::Number;

/// An order as it stands after placing or changing it, and what it traded by that.
#[derive(Serialize)]
pub(super) struct OrderResult {
    pub(super) order: Order,
    pub(super) trades: Vec<Trade>,
}

/// `private/buy`.
pub(super) fn buy(state: &mut State, session: &Session, params: &Params) -> Outcome {
    place(state, session, params, Direction::Buy)
}

/// `private/sell`.
pub(super) fn sell(state: &mut State, session: &Session, params: &Params) -> Outcome {
    place(state, session, params, Direction::Sell)
}

fn place(state: &mut State, session: &Session, params: &Params, direction: Direction) -> Outcome {
    let instrument = filter::required_instrument(state, params)?.clone();
    let order_request = order_request::read(params, &instrument)?;
    check_in_time(state, params)?;
    let label = order_request.label.clone();
    let placed = fulfil(state, session, &instrument, direction, order_request)?;
    *state.labels.entry(label).or_default() += 1;
    done(&placed)
}

/// Refuses what comes too late.
pub(super) fn check_in_time(state: &State, params: &Params) -> Result<(), Error> {
    match params.integer("valid_until")? {
        Some(until) if until < state.now() => Err(Error::new(Error::TIMED_OUT)),
        _ => Ok(()),
    }
}

/// Places an order.
pub(super) fn fulfil(
    state: &mut State,
    session: &Session,
    instrument: &Instrument,
    direction: Direction,
    mut order_request: OrderRequest,
) -> Result<OrderResult, Error> {
    let account = session.account;
    if order_request.reduce_only && order_request.trigger.is_none() {
        order_request.amount = positions::reducible(state, account, instrument, direction, order_request.amount)?;
    }
    if let Some(limit) = order_request.limit.filter(|_| order_request.post_only && order_request.trigger.is_none()) {
        order_request.limit = Some(resting_limit(state, instrument, direction, limit, order_request.reject_post_only)?);
    }
    if !order_request.reduce_only {
        let price = order_request.limit.unwrap_or(instrument.prices.mark);
        check_funds(state, account, instrument, direction, order_request.amount, price, Decimal::ZERO)?;
    }
    let is_waiting = order_request.trigger.is_some();
    let quote = order_request.quote.take();
    let mut order = new_order(state, session, instrument, direction, order_request);
    if let Some(mark) = quote {
        order.mark_quote(mark);
    }
    let slot = state.keep(account, order);
    if is_waiting {
        // A trailing stop begins at the price of now.
        state.follow_price(slot);
    }
    let trades = if is_waiting { Vec::new() } else { matching::execute(state, instrument, slot) };
    state.notify_order(slot);
    state.after_trades(slot.account, &trades);
    Ok(OrderResult { order: state.order(slot).clone(), trades })
}

/// The limit of an order that must not take.
pub(super) fn resting_limit(
    state: &State,
    instrument: &Instrument,
    direction: Direction,
    limit: Decimal,
    or_reject: bool,
) -> Result<Decimal, Error> {
    match matching::post_only_limit(state, instrument, direction, limit) {
        Some(_) if or_reject => Err(Error::new(Error::POST_ONLY_REJECT)),
        Some(moved) => Ok(moved),
        None => Ok(limit),
    }
}

/// Whether an account can afford an order, where so much is tied up for it already.
pub(super) fn check_funds(
    state: &State,
    account: usize,
    instrument: &Instrument,
    direction: Direction,
    amount: Decimal,
    price: Decimal,
    reserved: Decimal,
) -> Result<(), Error> {
    // The largest amounts would not fit a decimal once multiplied, and nobody owns as much anyway.
    let beyond_all = Decimal::from(1_000_000_000_000_i64);
    if amount > beyond_all || price > beyond_all {
        return Err(Error::new(Error::NOT_ENOUGH_FUNDS));
    }
    let (currency, needed) = funds::requirement(instrument, direction, amount, price);
    if needed > funds::free(state, account, currency) + reserved {
        return Err(Error::new(Error::NOT_ENOUGH_FUNDS));
    }
    Ok(())
}

fn new_order(
    state: &mut State,
    session: &Session,
    instrument: &Instrument,
    direction: Direction,
    order_request: OrderRequest,
) -> Order {
    let (id, now) = (state.next_id(), state.now());
    let is_trigger = order_request.trigger.is_some();
    Order {
        order_id: order_id(instrument, is_trigger, id),
        order_state: if is_trigger { OrderState::Untriggered } else { OrderState::Open },
        order_type: order_request.order_type,
        original_order_type: order_request.original_order_type,
        time_in_force: order_request.time_in_force,
        instrument_name: instrument.instrument_name,
        direction,
        price: order_request.limit.map_or(Price::Market, |price| Price::Limit(Number(price))),
        amount: Number(order_request.amount),
        contracts: Number(instrument.contracts(order_request.amount)),
        filled_amount: Number(Decimal::ZERO),
        average_price: Number(Decimal::ZERO),
        label: order_request.label,
        creation_timestamp: now,
        last_update_timestamp: now,
        post_only: order_request.post_only,
        reject_post_only: order_request.post_only.then_some(order_request.reject_post_only),
        reduce_only: order_request.reduce_only,
        display_amount: order_request.display_amount.map(Number),
        trigger: order_request.trigger,
        is_liquidation: false,
        is_rebalance: false,
        risk_reducing: false,
        replaced: false,
        mmp: order_request.mmp,
        mmp_group: None,
        quote: false,
        quote_id: None,
        quote_set_id: None,
        api: true,
        web: false,
        cancel_reason: None,
        user_id: state.accounts[session.account].user_id,
        connection: session.connection,
        turn: None,
        reserved: Decimal::ZERO,
    }
}

fn order_id(instrument: &Instrument, is_trigger: bool, id: i64) -> String {
    match (instrument.fee_currency(), is_trigger) {
        ("BTC", true) => format!("SLIS-{id}"),
        (currency, true) => format!("{currency}-SLIS-{id}"),
        (_, false) => prefixed(instrument, id),
    }
}
