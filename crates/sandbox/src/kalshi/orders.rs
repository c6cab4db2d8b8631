//! Placing and reading orders.

use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::call::Call;
use super::error::Refusal;
use super::markets::{Market, Span};
use super::read::{self, count, dollars, fixed_point, mean};
use super::state::State;
use crate::clock::rfc3339;
use crate::exchange::{Order, Reason, ReduceOnly, SelfTradePrevention, Side, Terms, TimeInForce, Traded};
use crate::message::Reply;

const LARGEST_COUNT: Decimal = dec!(1000000000);

/// The body of CreateOrderV2. Prices and counts are text: a JSON number is refused while reading.
#[derive(Deserialize)]
pub(super) struct NewOrder {
    ticker: Option<String>,
    pub(super) client_order_id: Option<String>,
    side: Option<String>,
    count: Option<String>,
    price: Option<String>,
    expiration_time: Option<i64>,
    time_in_force: Option<String>,
    self_trade_prevention_type: Option<String>,
    post_only: Option<bool>,
    reduce_only: Option<bool>,
    cancel_order_on_pause: Option<bool>,
    subaccount: Option<i64>,
    order_group_id: Option<String>,
    exchange_index: Option<i64>,
}

impl NewOrder {
    fn into_terms(self, market: &Market, now: i64) -> Result<Terms, Refusal> {
        let side = required(self.side.as_deref(), "side")?;
        let side = Side::named(side).ok_or_else(|| Refusal::invalid("side must be bid or ask"))?;
        let time_in_force = required(self.time_in_force.as_deref(), "time_in_force")?;
        let time_in_force =
            TimeInForce::named(time_in_force).ok_or_else(|| Refusal::invalid("unknown time_in_force"))?;
        let prevention = required(self.self_trade_prevention_type.as_deref(), "self_trade_prevention_type")?;
        let self_trade_prevention = SelfTradePrevention::named(prevention)
            .ok_or_else(|| Refusal::invalid("unknown self_trade_prevention_type"))?;
        if time_in_force != TimeInForce::GoodTillCanceled {
            if self.expiration_time.is_some() {
                return Err(Refusal::invalid("expiration_time is for good_till_canceled"));
            }
            if self.post_only == Some(true) {
                return Err(Refusal::invalid("post_only is for good_till_canceled"));
            }
        }
        let price = price(market, self.price.as_deref())?;
        let count = size(self.count.as_deref(), "count")?;
        check_shard(self.exchange_index)?;
        Ok(Terms {
            client_order_id: self.client_order_id.filter(|id| !id.is_empty()),
            side,
            price,
            count,
            time_in_force,
            self_trade_prevention,
            expiration: expiration(self.expiration_time, now)?,
            post_only: self.post_only.unwrap_or(false),
            reduce_only: if self.reduce_only == Some(true) { ReduceOnly::AtOnce } else { ReduceOnly::No },
            cancel_order_on_pause: self.cancel_order_on_pause.unwrap_or(false),
            order_group_id: self.order_group_id.filter(|id| !id.is_empty()),
        })
    }
}

pub(super) fn required<'a>(value: Option<&'a str>, name: &str) -> Result<&'a str, Refusal> {
    value.filter(|value| !value.is_empty()).ok_or_else(|| Refusal::invalid(&format!("{name} is required")))
}

pub(super) fn price(market: &Market, text: Option<&str>) -> Result<Decimal, Refusal> {
    let price = fixed_point(required(text, "price")?, 4).filter(|price| market.allows(*price));
    price.ok_or_else(|| Refusal::new(400, "invalid_price"))
}

/// A count of an order.
pub(super) fn size(text: Option<&str>, name: &str) -> Result<Decimal, Refusal> {
    let count = fixed_point(required(text, name)?, 2);
    let count = count.filter(|count| *count > Decimal::ZERO && *count <= LARGEST_COUNT);
    count.ok_or_else(|| Refusal::new(400, "invalid_order_size"))
}

/// All markets are on shard 0; -1 stands for the right one.
pub(super) fn check_shard(index: Option<i64>) -> Result<(), Refusal> {
    match index {
        None | Some(-1 | 0) => Ok(()),
        Some(_) => Err(Refusal::invalid("this market is on exchange_index 0")),
    }
}

pub(super) fn expiration(seconds: Option<i64>, now: i64) -> Result<Option<i64>, Refusal> {
    match seconds {
        Some(seconds) if seconds <= now / 1000 => Err(Refusal::invalid("expiration_time is in the past")),
        seconds => Ok(seconds),
    }
}

/// A market that takes orders and changes of orders.
pub(super) fn trading<'a>(state: &'a State, ticker: &str, now: i64) -> Result<&'a Market, Refusal> {
    let market = state.market(ticker).ok_or_else(|| Refusal::new(404, "market_not_found"))?;
    if market.status(now) == "active" { Ok(market) } else { Err(Refusal::new(400, "MARKET_INACTIVE")) }
}

pub(super) fn create(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let new: NewOrder = read::body(call.request)?;
    Ok(Reply::json(201, &place(state, call, new)?))
}

/// Places one order and gives what the venue says about it.
pub(super) fn place(state: &mut State, call: &Call, new: NewOrder) -> Result<Value, Refusal> {
    let market = trading(state, required(new.ticker.as_deref(), "ticker")?, call.now)?;
    let owner = call.owner(new.subaccount)?;
    let terms = new.into_terms(market, call.now)?;
    let ticker = market.ticker.clone();
    state.groups.check_order(owner, terms.order_group_id.as_deref())?;
    let order = state.events.place(owner, &ticker, terms, false, call.now)?;
    let mut json = json!({
        "order_id": order.id,
        "fill_count": count(order.filled()),
        "remaining_count": count(order.remaining),
        "ts_ms": call.now,
    });
    name(&mut json, order);
    averages(&mut json, order.taker);
    state.groups.watch(&mut state.events, call.now);
    Ok(json)
}

/// Adds the caller's name of an order, if it has one.
pub(super) fn name(json: &mut Value, order: &Order) {
    if let Some(id) = &order.terms.client_order_id {
        json["client_order_id"] = id.as_str().into();
    }
}

/// Adds the mean price and the mean fee, if anything traded.
pub(super) fn averages(json: &mut Value, traded: Traded) {
    if let Some((price, fee)) = traded.averages() {
        json["average_fill_price"] = mean(price).into();
        json["average_fee_paid"] = mean(fee).into();
    }
}

pub(super) fn list(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let query = call.query();
    let subaccount = call.subaccount_or_all()?;
    let status = query.one_of("status", &["resting", "canceled", "executed"])?;
    let created = Span { from: query.integer("min_ts")?, to: query.integer("max_ts")? };
    let elsewhere = call.is_about_other_shard()?;
    let event = |ticker: &str| state.market(ticker).map(|market| market.event_ticker.as_str()).unwrap_or_default();
    let matching = state.events.newest_orders().filter(|(_, order)| {
        !elsewhere
            && call.sees(order.owner)
            && subaccount.is_none_or(|number| order.owner.subaccount == number)
            && status.is_none_or(|status| order.status.name() == status)
            && query.text("ticker").is_none_or(|ticker| order.ticker == ticker)
            && query.text("event_ticker").is_none_or(|_| query.lists("event_ticker", event(&order.ticker)))
            && created.holds(Some(order.created))
    });
    let (page, cursor) = query.page(matching)?;
    let page: Vec<Value> = page.into_iter().map(|order| to_json(order, state)).collect();
    Ok(Reply::json(200, &json!({"orders": page, "cursor": cursor})))
}

pub(super) fn get(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let order = visible(state, call, call.given.in_path("order_id"))?;
    Ok(Reply::json(200, &json!({"order": to_json(order, state)})))
}

/// An order that the key may see.
pub(super) fn visible<'a>(state: &'a State, call: &Call, id: &str) -> Result<&'a Order, Refusal> {
    state.events.order(id).filter(|order| call.sees(order.owner)).ok_or_else(Refusal::not_found)
}

/// What stands for a side of the book in an order or a fill.
pub(super) fn sides(side: Side) -> Map<String, Value> {
    let outcome = outcome(side);
    let mut sides = Map::new();
    for (name, value) in [("side", outcome), ("action", "buy"), ("outcome_side", outcome), ("book_side", side.name())] {
        sides.insert(name.to_owned(), value.into());
    }
    sides
}

/// The outcome that a side of the book bets on.
pub(super) fn outcome(side: Side) -> &'static str {
    match side {
        Side::Bid => "yes",
        Side::Ask => "no",
    }
}

/// What the contracts of an order cost: yes contracts their price, no contracts what is missing to a dollar.
pub(super) fn cost(side: Side, traded: Traded) -> Decimal {
    match side {
        Side::Bid => traded.notional,
        Side::Ask => traded.count - traded.notional,
    }
}

fn to_json(order: &Order, state: &State) -> Value {
    let terms = &order.terms;
    let mut json = json!({
        "order_id": order.id,
        "user_id": state.user_id(order.owner),
        "client_order_id": terms.client_order_id.as_deref().unwrap_or_default(),
        "ticker": order.ticker,
        "type": "limit",
        "status": order.status.name(),
        "yes_price_dollars": dollars(terms.price),
        "no_price_dollars": dollars(Decimal::ONE - terms.price),
        "fill_count_fp": count(order.filled()),
        "remaining_count_fp": count(order.remaining),
        "initial_count_fp": count(terms.count),
        "taker_fill_cost_dollars": dollars(cost(terms.side, order.taker)),
        "maker_fill_cost_dollars": dollars(cost(terms.side, order.maker)),
        "taker_fees_dollars": dollars(order.taker.fees),
        "maker_fees_dollars": dollars(order.maker.fees),
        "expiration_time": terms.expiration.map(|seconds| rfc3339(seconds.saturating_mul(1000))),
        "created_time": rfc3339(order.created),
        "last_update_time": rfc3339(order.updated),
        "self_trade_prevention_type": terms.self_trade_prevention.name(),
        "order_group_id": terms.order_group_id,
        "cancel_order_on_pause": terms.cancel_order_on_pause,
        "subaccount_number": order.owner.subaccount,
        "exchange_index": 0,
    });
    if let Value::Object(members) = &mut json {
        members.extend(sides(terms.side));
    }
    json
}

/// Cancels every resting order of the caller, or of one subaccount.
pub(super) fn cancel_all(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let subaccount = call.subaccount_or_all()?;
    state.events.cancel_where(Reason::Decreased, call.now, |order| {
        call.sees(order.owner) && subaccount.is_none_or(|number| order.owner.subaccount == number)
    });
    Ok(Reply::empty(204))
}
