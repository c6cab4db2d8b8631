//! Placing, reading and cancelling orders.

use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde::Deserialize;
use serde_json::{Value, json};

use super::auth;
use super::book::{Book, Order, SelfTradePrevention, Side, Status, Terms, TimeInForce};
use super::error::Refusal;
use super::keys::Key;
use super::markets::Market;
use super::read::{self, Query, count, dollars, fixed_point};
use crate::clock::rfc3339;
use crate::message::{Reply, Request};

const LARGEST_COUNT: Decimal = dec!(1000000000);

/// The body of CreateOrderV2. Prices and counts are text: a JSON number is refused while reading.
#[derive(Deserialize)]
struct NewOrder {
    ticker: Option<String>,
    client_order_id: Option<String>,
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
    fn into_terms(self, market: &Market, key: &Key, now: i64) -> Result<Terms, Refusal> {
        let side = match required(self.side.as_deref(), "side")? {
            "bid" => Side::Bid,
            "ask" => Side::Ask,
            _ => return Err(Refusal::invalid("side must be bid or ask")),
        };
        let time_in_force = match required(self.time_in_force.as_deref(), "time_in_force")? {
            "fill_or_kill" => TimeInForce::FillOrKill,
            "good_till_canceled" => TimeInForce::GoodTillCanceled,
            "immediate_or_cancel" => TimeInForce::ImmediateOrCancel,
            _ => return Err(Refusal::invalid("unknown time_in_force")),
        };
        let prevention = required(self.self_trade_prevention_type.as_deref(), "self_trade_prevention_type")?;
        let self_trade_prevention = match prevention {
            "taker_at_cross" => SelfTradePrevention::TakerAtCross,
            "maker" => SelfTradePrevention::Maker,
            _ => return Err(Refusal::invalid("unknown self_trade_prevention_type")),
        };
        let price = fixed_point(required(self.price.as_deref(), "price")?, 4)
            .filter(|price| market.allows(*price))
            .ok_or_else(|| Refusal::new(400, "invalid_price"))?;
        let count = fixed_point(required(self.count.as_deref(), "count")?, 2)
            .filter(|count| *count > Decimal::ZERO && *count <= LARGEST_COUNT)
            .ok_or_else(|| Refusal::new(400, "invalid_order_size"))?;
        if self.exchange_index.is_some_and(|index| index != 0) {
            return Err(Refusal::invalid("this market is on exchange_index 0"));
        }
        if self.expiration_time.is_some_and(|seconds| seconds <= now / 1000) {
            return Err(Refusal::invalid("expiration_time is in the past"));
        }
        Ok(Terms {
            client_order_id: self.client_order_id.filter(|id| !id.is_empty()),
            side,
            price,
            count,
            time_in_force,
            self_trade_prevention,
            expiration: self.expiration_time,
            post_only: self.post_only.unwrap_or(false),
            reduce_only: self.reduce_only.unwrap_or(false),
            cancel_order_on_pause: self.cancel_order_on_pause.unwrap_or(false),
            order_group_id: self.order_group_id,
            subaccount: auth::subaccount(key, self.subaccount)?.unwrap_or(0),
        })
    }
}

fn required<'a>(value: Option<&'a str>, name: &str) -> Result<&'a str, Refusal> {
    value.filter(|value| !value.is_empty()).ok_or_else(|| Refusal::invalid(&format!("{name} is required")))
}

pub(super) fn create(
    book: &mut Book,
    markets: &[Market],
    key: &Key,
    request: &Request,
    now: i64,
) -> Result<Reply, Refusal> {
    let new: NewOrder = read::body(request)?;
    let ticker = required(new.ticker.as_deref(), "ticker")?;
    let market = Market::find(markets, ticker).ok_or_else(|| Refusal::new(404, "market_not_found"))?;
    if market.status != "active" {
        return Err(Refusal::new(400, "MARKET_INACTIVE"));
    }
    let terms = new.into_terms(market, key, now)?;
    let order = book.place(market, terms, now)?;
    let mut json = json!({
        "order_id": order.id,
        "fill_count": count(order.filled),
        "remaining_count": count(order.remaining),
        "ts_ms": now,
    });
    if let Some(id) = &order.terms.client_order_id {
        json["client_order_id"] = id.as_str().into();
    }
    if !order.filled.is_zero() {
        json["average_fill_price"] = dollars(yes_price(order)).into();
        json["average_fee_paid"] = dollars(order.fees / order.filled).into();
    }
    Ok(Reply::json(201, &json))
}

/// The yes price at which an order was filled.
fn yes_price(order: &Order) -> Decimal {
    let paid = order.fill_cost / order.filled;
    match order.terms.side {
        Side::Bid => paid,
        Side::Ask => Decimal::ONE - paid,
    }
}

pub(super) fn list(book: &Book, key: &Key, request: &Request) -> Result<Reply, Refusal> {
    let query = Query::new("GetOrders", request);
    let subaccount = auth::subaccount(key, query.integer("subaccount")?)?;
    let status = query.one_of("status", &["resting", "canceled", "executed"])?;
    let (earliest, latest) = (query.integer("min_ts")?, query.integer("max_ts")?);
    let elsewhere = query.integer("exchange_index")?.is_some_and(|index| index != 0);
    let matching = book.orders().filter(|order| {
        !elsewhere
            && subaccount.is_none_or(|number| order.terms.subaccount == number)
            && status.is_none_or(|status| status_name(order.status) == status)
            && query.text("ticker").is_none_or(|ticker| order.ticker == ticker)
            && query.text("event_ticker").is_none_or(|tickers| tickers.split(',').any(|one| order.event_ticker == one))
            && earliest.is_none_or(|seconds| order.created / 1000 >= seconds)
            && latest.is_none_or(|seconds| order.created / 1000 <= seconds)
    });
    let (page, cursor) = query.page(matching.map(to_json))?;
    Ok(Reply::json(200, &json!({"orders": page, "cursor": cursor})))
}

pub(super) fn get(book: &Book, key: &Key, id: &str) -> Result<Reply, Refusal> {
    let order = visible(book, key, id).ok_or_else(Refusal::not_found)?;
    Ok(Reply::json(200, &json!({"order": to_json(order)})))
}

pub(super) fn cancel(book: &mut Book, key: &Key, id: &str, request: &Request, now: i64) -> Result<Reply, Refusal> {
    let query = Query::new("CancelOrderV2", request);
    let subaccount = auth::subaccount(key, query.integer("subaccount")?)?;
    let order = visible(book, key, id).ok_or_else(Refusal::not_found)?;
    if subaccount.is_some_and(|number| number != order.terms.subaccount) {
        return Err(Refusal::not_found());
    }
    if query.text("market_ticker").is_some_and(|ticker| ticker != order.ticker) {
        return Err(Refusal::new(400, "order_ticker_mismatch"));
    }
    let (order, reduced_by) = book.cancel(id, now).ok_or_else(Refusal::not_found)?;
    let mut json = json!({"order_id": order.id, "reduced_by": count(reduced_by), "ts_ms": now});
    if let Some(id) = &order.terms.client_order_id {
        json["client_order_id"] = id.as_str().into();
    }
    Ok(Reply::json(200, &json))
}

/// An order that the key may see.
fn visible<'a>(book: &'a Book, key: &Key, id: &str) -> Option<&'a Order> {
    let mut orders = book.orders().filter(|order| key.subaccount.is_none_or(|number| order.terms.subaccount == number));
    orders.find(|order| order.id == id)
}

fn status_name(status: Status) -> &'static str {
    match status {
        Status::Resting => "resting",
        Status::Canceled => "canceled",
        Status::Executed => "executed",
    }
}

fn to_json(order: &Order) -> Value {
    let terms = &order.terms;
    let (book_side, outcome) = match terms.side {
        Side::Bid => ("bid", "yes"),
        Side::Ask => ("ask", "no"),
    };
    let prevention = match terms.self_trade_prevention {
        SelfTradePrevention::TakerAtCross => "taker_at_cross",
        SelfTradePrevention::Maker => "maker",
    };
    json!({
        "order_id": order.id,
        "user_id": "sandbox",
        "client_order_id": terms.client_order_id.as_deref().unwrap_or_default(),
        "ticker": order.ticker,
        "side": outcome,
        "action": "buy",
        "outcome_side": outcome,
        "book_side": book_side,
        "type": "limit",
        "status": status_name(order.status),
        "yes_price_dollars": dollars(terms.price),
        "no_price_dollars": dollars(Decimal::ONE - terms.price),
        "fill_count_fp": count(order.filled),
        "remaining_count_fp": count(order.remaining),
        "initial_count_fp": count(terms.count),
        "taker_fill_cost_dollars": dollars(order.fill_cost),
        "maker_fill_cost_dollars": dollars(Decimal::ZERO),
        "taker_fees_dollars": dollars(order.fees),
        "maker_fees_dollars": dollars(Decimal::ZERO),
        "expiration_time": terms.expiration.map(|seconds| rfc3339(seconds.saturating_mul(1000))),
        "created_time": rfc3339(order.created),
        "last_update_time": rfc3339(order.updated),
        "self_trade_prevention_type": prevention,
        "order_group_id": terms.order_group_id,
        "cancel_order_on_pause": terms.cancel_order_on_pause,
        "subaccount_number": terms.subaccount,
        "exchange_index": 0,
    })
}
