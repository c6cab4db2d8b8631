//! `private/buy` and `private/sell`: limit orders rest, market orders are filled at the mark price.

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;

use super::error::Error;
use super::funds;
use super::instruments::Instrument;
use super::orders::{Direction, Order, OrderState, Price, Trigger};
use super::params::Params;
use super::state::{Outcome, Session, State, done};
use crate::number::Number;

const MAX_LABEL: usize = 64;

#[derive(Serialize)]
struct Placed {
    order: Order,
    trades: Vec<Trade>,
}

#[derive(Serialize)]
struct Trade {
    trade_id: String,
    trade_seq: i64,
    instrument_name: &'static str,
    timestamp: i64,
    order_id: String,
    order_type: &'static str,
    /// Always null.
    matching_id: Value,
    direction: Direction,
    tick_direction: u8,
    index_price: Number,
    mark_price: Number,
    price: Number,
    amount: Number,
    contracts: Number,
    liquidity: &'static str,
    fee: Number,
    fee_currency: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    label: String,
    state: OrderState,
    post_only: bool,
    reduce_only: bool,
    mmp: bool,
    api: bool,
}

/// What a caller wants, checked.
struct Wish {
    order_type: &'static str,
    original_order_type: Option<&'static str>,
    amount: Decimal,
    limit: Option<Decimal>,
    trigger: Option<Trigger>,
    time_in_force: &'static str,
    label: String,
    post_only: bool,
    reject_post_only: bool,
    reduce_only: bool,
    mmp: bool,
    display_amount: Option<Decimal>,
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
    let name = params.required("instrument_name", params.text("instrument_name")?)?;
    let instrument = state.instrument(&name).cloned().ok_or_else(|| Error::new(Error::INVALID_INSTRUMENT))?;
    let wish = read(params, &instrument)?;
    if params.integer("valid_until")?.is_some_and(|until| until < state.now()) {
        return Err(Error::new(Error::TIMED_OUT));
    }
    check_funds(state, session, &instrument, direction, &wish)?;

    let id = state.next_id();
    let now = state.now();
    let fill = fill_price(&instrument, direction, &wish);
    let waiting = if wish.trigger.is_some() { OrderState::Untriggered } else { OrderState::Open };
    let immediate = matches!(wish.time_in_force, "immediate_or_cancel" | "fill_or_kill");
    let order_state = match fill {
        Some(_) => OrderState::Filled,
        None if immediate && wish.trigger.is_none() => OrderState::Cancelled,
        None => waiting,
    };
    let order = Order {
        order_id: order_id(&instrument, wish.trigger.is_some(), id),
        order_state,
        order_type: wish.order_type,
        original_order_type: wish.original_order_type,
        time_in_force: wish.time_in_force,
        instrument_name: instrument.instrument_name,
        direction,
        price: wish.limit.or(fill).map_or(Price::Market, |price| Price::Limit(Number(price))),
        amount: Number(wish.amount),
        contracts: Number(contracts(&instrument, wish.amount)),
        filled_amount: Number(fill.map_or(Decimal::ZERO, |_| wish.amount)),
        average_price: Number(fill.unwrap_or_default()),
        label: wish.label,
        creation_timestamp: now,
        last_update_timestamp: now,
        post_only: wish.post_only,
        reject_post_only: wish.post_only.then_some(wish.reject_post_only),
        reduce_only: wish.reduce_only,
        display_amount: wish.display_amount.map(Number),
        trigger: wish.trigger,
        is_liquidation: false,
        is_rebalance: false,
        risk_reducing: false,
        replaced: false,
        mmp: wish.mmp,
        api: true,
        web: false,
        cancel_reason: None,
        user_id: state.accounts[session.account].user_id,
    };
    let trades = fill.map(|price| trade(state, session, &instrument, &order, price)).into_iter().collect();
    state.accounts[session.account].orders.push(order.clone());
    done(&Placed { order, trades })
}

fn read(params: &Params, instrument: &Instrument) -> Result<Wish, Error> {
    let types =
        ["limit", "stop_limit", "take_limit", "market", "stop_market", "take_market", "market_limit", "trailing_stop"];
    let times = ["good_til_cancelled", "good_til_day", "fill_or_kill", "immediate_or_cancel"];
    let asked = params.one_of("type", &types)?.unwrap_or("limit");
    let original_order_type = (asked == "market_limit").then_some(asked);
    let order_type = if asked == "market_limit" { "market" } else { asked };
    let label = params.text("label")?.unwrap_or_default();
    if label.chars().count() > MAX_LABEL {
        return Err(Error::invalid_param("label", "at most 64 characters"));
    }
    Ok(Wish {
        order_type,
        original_order_type,
        amount: read_amount(params, instrument)?,
        limit: read_limit(params, instrument, order_type)?,
        trigger: read_trigger(params, order_type)?,
        time_in_force: params.one_of("time_in_force", &times)?.unwrap_or("good_til_cancelled"),
        label,
        post_only: params.boolean("post_only")?.unwrap_or_default(),
        reject_post_only: params.boolean("reject_post_only")?.unwrap_or_default(),
        reduce_only: params.boolean("reduce_only")?.unwrap_or_default(),
        mmp: params.boolean("mmp")?.unwrap_or_default(),
        display_amount: params.decimal("display_amount")?,
    })
}

/// The size: `amount`, or `contracts`, or both where they agree.
fn read_amount(params: &Params, instrument: &Instrument) -> Result<Decimal, Error> {
    let amount = params.decimal("amount")?;
    let of_contracts = match params.decimal("contracts")? {
        Some(contracts) => Some(
            contracts
                .checked_mul(instrument.contract_size.0)
                .ok_or_else(|| Error::invalid_param("contracts", "too large"))?,
        ),
        None => None,
    };
    if amount.is_some() && of_contracts.is_some() && amount != of_contracts {
        return Err(Error::invalid_param("contracts", "does not agree with amount"));
    }
    let amount = params.required("amount", amount.or(of_contracts))?;
    if amount <= Decimal::ZERO {
        return Err(Error::invalid_param("amount", "must be positive"));
    }
    if !(amount % instrument.min_trade_amount.0).is_zero() {
        return Err(Error::invalid_param("amount", "must be a multiple of contract size"));
    }
    Ok(amount)
}

fn read_limit(params: &Params, instrument: &Instrument, order_type: &str) -> Result<Option<Decimal>, Error> {
    if !order_type.ends_with("limit") {
        return Ok(None);
    }
    let price = params.required("price", params.decimal("price")?)?;
    // Only a combo's price, a difference, may be negative.
    if price <= Decimal::ZERO && instrument.kind != "future_combo" {
        return Err(Error::invalid_param("price", "must be positive"));
    }
    if !instrument.is_on_tick(price) {
        return Err(Error::new(Error::PRICE_WRONG_TICK));
    }
    Ok(Some(price))
}

fn read_trigger(params: &Params, order_type: &str) -> Result<Option<Trigger>, Error> {
    let needed = match order_type {
        "trailing_stop" => "trigger_offset",
        "stop_limit" | "take_limit" | "stop_market" | "take_market" => "trigger_price",
        _ => return Ok(None),
    };
    let value = params.required(needed, params.decimal(needed)?)?;
    let sources = ["index_price", "mark_price", "last_price"];
    Ok(Some(Trigger {
        triggered: false,
        trigger: params.required("trigger", params.one_of("trigger", &sources)?)?,
        trigger_price: (needed == "trigger_price").then_some(Number(value)),
        trigger_offset: (needed == "trigger_offset").then_some(Number(value)),
    }))
}

fn check_funds(
    state: &State,
    session: &Session,
    instrument: &Instrument,
    direction: Direction,
    wish: &Wish,
) -> Result<(), Error> {
    // The largest amounts would not fit a decimal once multiplied, and nobody owns as much anyway.
    let beyond_all = Decimal::from(1_000_000_000_000_i64);
    let price = wish.limit.unwrap_or(instrument.prices.mark);
    if wish.amount > beyond_all || price > beyond_all {
        return Err(Error::new(Error::NOT_ENOUGH_FUNDS));
    }
    let (currency, needed) = funds::requirement(instrument, direction, wish.amount, price);
    let balance = state.accounts[session.account].balances.get(currency).copied().unwrap_or_default();
    if needed > balance - funds::reserved(state, session.account, currency) {
        return Err(Error::new(Error::NOT_ENOUGH_FUNDS));
    }
    Ok(())
}

/// Where an order is filled at once. A limit order that may wait does wait, however good its price is.
fn fill_price(instrument: &Instrument, direction: Direction, wish: &Wish) -> Option<Decimal> {
    let prices = instrument.prices;
    match wish.limit {
        _ if wish.trigger.is_some() => None,
        None => Some(prices.mark),
        Some(_) if !matches!(wish.time_in_force, "immediate_or_cancel" | "fill_or_kill") => None,
        Some(limit) => {
            let (best, reached) = match direction {
                Direction::Buy => (prices.ask, limit >= prices.ask),
                Direction::Sell => (prices.bid, limit <= prices.bid),
            };
            reached.then_some(best)
        }
    }
}

fn trade(state: &mut State, session: &Session, instrument: &Instrument, order: &Order, price: Decimal) -> Trade {
    let amount = order.amount.0;
    let fee = funds::settle(state, session.account, instrument, order.direction, amount, price);
    let seq = state.next_id();
    Trade {
        trade_id: prefixed(instrument, seq),
        trade_seq: seq,
        instrument_name: instrument.instrument_name,
        timestamp: order.creation_timestamp,
        order_id: order.order_id.clone(),
        order_type: if order.order_type == "market" { "market" } else { "limit" },
        matching_id: Value::Null,
        direction: order.direction,
        tick_direction: 0,
        index_price: Number(instrument.prices.index),
        mark_price: Number(instrument.prices.mark),
        price: Number(price),
        amount: order.amount,
        contracts: order.contracts,
        liquidity: "T",
        fee: Number(fee),
        fee_currency: instrument.fee_currency(),
        label: order.label.clone(),
        state: OrderState::Filled,
        post_only: order.post_only,
        reduce_only: order.reduce_only,
        mmp: order.mmp,
        api: order.api,
    }
}

fn contracts(instrument: &Instrument, amount: Decimal) -> Decimal {
    (amount / instrument.contract_size.0).normalize()
}

fn order_id(instrument: &Instrument, is_trigger: bool, id: i64) -> String {
    match (instrument.fee_currency(), is_trigger) {
        ("BTC", true) => format!("SLIS-{id}"),
        (currency, true) => format!("{currency}-SLIS-{id}"),
        (_, false) => prefixed(instrument, id),
    }
}

/// Numbers of Bitcoin orders and trades stand alone; others carry their currency.
fn prefixed(instrument: &Instrument, id: i64) -> String {
    match instrument.fee_currency() {
        "BTC" => id.to_string(),
        currency => format!("{currency}-{id}"),
    }
}
