//! Placing, reading and cancelling single orders.

use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Account;
use super::error::Refusal;
use super::events::{self, Engine, Event, Outcome};
use super::exchange::Exchange;
use super::ledger::{Currency, Rejection};
use super::order::{Duration, Order, SelfTrade, Side, Terms};
use super::read::{self, Pagination, required};
use crate::clock::rfc3339;
use crate::message::{Reply, Request};
use crate::number::Number;

const LARGEST_AMOUNT: Decimal = dec!(1000000000000);

/// Whether a limit may be that.
pub(super) fn is_price(price: Decimal) -> bool {
    (dec!(0.01)..=dec!(0.99)).contains(&price)
}

/// Whether an order may be for so many shares.
pub(super) fn is_size(size: Decimal) -> bool {
    size > Decimal::ZERO && size <= LARGEST_AMOUNT && size.normalize().scale() <= 6
}

/// An order as the single and the batch route take it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewOrder {
    side: Option<String>,
    pub(super) outcome_id: Option<String>,
    amount: Option<Number>,
    #[serde(rename = "type")]
    kind: Option<String>,
    currency: Option<String>,
    price: Option<Number>,
    time_in_force: Option<String>,
    post_only: Option<bool>,
    stp_mode: Option<String>,
    max_slippage: Option<Number>,
    expires_at: Option<String>,
    /// Batch items only; the single route leaves it alone.
    pub(super) client_order_id: Option<String>,
}

impl NewOrder {
    pub(super) fn check(&self, now: i64) -> Result<Terms, Refusal> {
        let side = match required(self.side.as_deref(), "side")? {
            "BUY" => Side::Buy,
            "SELL" => Side::Sell,
            _ => return Err(Refusal::invalid("side must be BUY or SELL")),
        };
        let is_limit = match required(self.kind.as_deref(), "type")? {
            "LIMIT" => true,
            "MARKET" => false,
            _ => return Err(Refusal::invalid("type must be LIMIT or MARKET")),
        };
        let currency = Currency::read(self.currency.as_deref().unwrap_or("USD"))
            .ok_or_else(|| Refusal::invalid("currency must be USD or NGN"))?;
        let amount = self.amount.ok_or_else(|| Refusal::invalid("amount is required"))?.0;
        if amount <= Decimal::ZERO || amount > LARGEST_AMOUNT {
            return Err(Refusal::invalid("amount must be greater than 0"));
        }
        if amount < currency.multiplier() {
            let minimum = format!("the minimum order amount is {} {}", currency.multiplier(), currency.name());
            return Err(Refusal::invalid(&minimum));
        }
        let limit = match (is_limit, self.price) {
            (true, None) => return Err(Refusal::invalid("price is required for LIMIT orders")),
            (true, Some(Number(price))) if !is_price(price) => {
                return Err(Refusal::invalid("price must be between 0.01 and 0.99"));
            }
            (true, price) => price.map(|price| price.0),
            (false, _) => None,
        };
        if self.max_slippage.is_some_and(|Number(slippage)| !(Decimal::ZERO..=dec!(0.5)).contains(&slippage)) {
            return Err(Refusal::bad_request("max slippage must be between 0 and 0.50"));
        }
        let post_only = self.post_only.unwrap_or(false);
        if post_only && !is_limit {
            return Err(Refusal::invalid("postOnly is for LIMIT orders"));
        }
        Ok(Terms {
            side,
            amount,
            currency,
            limit,
            max_slippage: self.max_slippage.map(|slippage| slippage.0).filter(|_| !is_limit),
            duration: self.duration(is_limit, now)?,
            post_only,
            self_trade: SelfTrade::read(self.stp_mode.as_deref()),
        })
    }

    fn duration(&self, is_limit: bool, now: i64) -> Result<Duration, Refusal> {
        let default = if is_limit { "GTC" } else { "FAK" };
        match (self.time_in_force.as_deref().unwrap_or(default), is_limit) {
            ("GTC", true) => Ok(Duration::Rest),
            ("GTD", true) => {
                let text = required(self.expires_at.as_deref(), "expiresAt")?;
                let moment = OffsetDateTime::parse(text, &Rfc3339)
                    .map_err(|_| Refusal::invalid("expiresAt must be an ISO 8601 time"))?;
                let end = moment.unix_timestamp().saturating_mul(1000);
                if end > now { Ok(Duration::RestUntil(end)) } else { Err(Refusal::invalid("expiresAt is in the past")) }
            }
            ("FAK", _) => Ok(Duration::FillAndKill),
            ("FOK", _) => Ok(Duration::FillOrKill),
            ("GTC" | "GTD", false) => Err(Refusal::invalid("MARKET orders are FAK or FOK")),
            _ => Err(Refusal::invalid("timeInForce must be GTC, GTD, FAK or FOK")),
        }
    }
}

/// An order as the write routes show it: `outcome` is the outcome's id and `type` is the side.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Placed {
    id: String,
    market_id: String,
    user_id: String,
    outcome: String,
    order_type: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    side: &'static str,
    amount: Number,
    quantity: Number,
    price: Number,
    size: Number,
    filled_size: Number,
    remaining_size: Number,
    status: &'static str,
    fee: Number,
    post_only: bool,
    stp_mode: &'static str,
    created_at: String,
    updated_at: String,
}

impl Placed {
    pub(super) fn new(order: &Order, user_id: &str) -> Self {
        Self {
            id: order.id.clone(),
            market_id: order.market_id.clone(),
            user_id: user_id.to_owned(),
            outcome: order.outcome_id.clone(),
            order_type: order.kind(),
            kind: order.terms.side.name(),
            side: order.terms.side.name(),
            amount: order.terms.amount.into(),
            quantity: order.size.into(),
            price: order.price.into(),
            size: order.size.into(),
            filled_size: order.filled.into(),
            remaining_size: order.remaining().into(),
            status: order.status.name(),
            fee: Number::default(),
            post_only: order.terms.post_only,
            stp_mode: order.terms.self_trade.name(),
            created_at: rfc3339(order.created),
            updated_at: rfc3339(order.updated),
        }
    }
}

/// An order of an automated market maker as the place route shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AmmOrder {
    id: String,
    outcome: &'static str,
    side: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    status: &'static str,
    amount: Number,
    price: Number,
    quantity: Number,
    currency: &'static str,
    created_at: String,
    updated_at: String,
}

/// An order as the read routes show it: `type` is the order type.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OrderView {
    id: String,
    market_id: String,
    outcome_id: String,
    outcome_label: &'static str,
    side: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    stp_mode: &'static str,
    status: &'static str,
    amount: Number,
    price: Number,
    size: Number,
    filled_size: Number,
    remaining_size: Number,
    #[serde(skip_serializing_if = "Option::is_none")]
    avg_fill_price: Option<Number>,
    currency: &'static str,
    created_at: String,
    updated_at: String,
}

impl OrderView {
    fn new(order: &Order) -> Self {
        Self {
            id: order.id.clone(),
            market_id: order.market_id.clone(),
            outcome_id: order.outcome_id.clone(),
            outcome_label: order.outcome_label,
            side: order.terms.side.name(),
            kind: order.kind(),
            stp_mode: order.terms.self_trade.name(),
            status: order.status.name(),
            amount: order.terms.amount.into(),
            price: order.price.into(),
            size: order.size.into(),
            filled_size: order.filled.into(),
            remaining_size: order.remaining().into(),
            avg_fill_price: order.average_price().map(Number::from),
            currency: order.terms.currency.name(),
            created_at: rfc3339(order.created),
            updated_at: rfc3339(order.updated),
        }
    }
}

/// The outcome that an order names, in an event that is open.
pub(super) fn tradable<'a>(events: &'a [Event], new: &NewOrder) -> Result<Outcome<'a>, Refusal> {
    let id = required(new.outcome_id.as_deref(), "outcomeId")?;
    let outcome = events::outcome(events, id).ok_or_else(|| Refusal::not_found("outcome"))?;
    if outcome.event.status != "open" {
        return Err(Refusal::bad_request("the event is not open"));
    }
    Ok(outcome)
}

pub(super) fn place(
    exchange: &mut Exchange,
    (accounts, account): (&mut [Account], usize),
    events: &[Event],
    (event_id, market_id): (&str, &str),
    request: &Request,
    now: i64,
) -> Result<Reply, Refusal> {
    let new: NewOrder = read::body(request)?;
    let known = events.iter().find(|event| event.id == event_id).ok_or_else(|| Refusal::not_found("event"))?;
    if !known.markets.iter().any(|market| market.id == market_id) {
        return Err(Refusal::not_found("market"));
    }
    let terms = new.check(now)?;
    let outcome = tradable(events, &new)?;
    if outcome.market.id != market_id {
        return Err(Refusal::invalid("outcomeId does not belong to this market"));
    }
    let index = exchange.place(accounts, account, outcome, terms, now).map_err(single)?;
    let order = &exchange.orders[index];
    if outcome.event.engine == Engine::Clob {
        let placed = Placed::new(order, &accounts[account].user_id);
        return Ok(Reply::json(200, &ClobAnswer { engine: Engine::Clob, clob_order: placed }));
    }
    let order = AmmOrder {
        id: order.id.clone(),
        outcome: order.outcome_label,
        side: order.terms.side.name(),
        kind: order.kind(),
        status: order.status.name(),
        amount: order.terms.amount.into(),
        price: order.price.into(),
        quantity: order.size.into(),
        currency: order.terms.currency.name(),
        created_at: rfc3339(order.created),
        updated_at: rfc3339(order.updated),
    };
    Ok(Reply::json(200, &AmmAnswer { engine: Engine::Amm, order }))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ClobAnswer {
    engine: Engine,
    clob_order: Placed,
}

#[derive(Serialize)]
struct AmmAnswer {
    engine: Engine,
    order: AmmOrder,
}

/// A rejection as the single routes tell it.
pub(super) fn single(rejection: Rejection) -> Refusal {
    let status = if rejection.code == "ORDER_NOT_FOUND" { 404 } else { 400 };
    let error = if status == 404 { "not_found".to_owned() } else { rejection.code.to_lowercase() };
    Refusal::new(status, &error, rejection.message)
}

pub(super) fn get(exchange: &Exchange, account: usize, id: &str) -> Result<Reply, Refusal> {
    let index = exchange.own(account, id).map_err(single)?;
    Ok(Reply::json(200, &OrderView::new(&exchange.orders[index])))
}

pub(super) fn cancel(
    exchange: &mut Exchange,
    (accounts, account): (&mut [Account], usize),
    id: &str,
    now: i64,
) -> Result<Reply, Refusal> {
    exchange.cancel(accounts, account, id, now).map_err(single)?;
    Ok(Reply::json(200, &json!({"message": "Order cancelled"})))
}

#[derive(Serialize)]
struct OrderPage {
    orders: Vec<OrderView>,
    pagination: Pagination,
}

/// Lists orders, the newest first. Without a currency the venue shows none.
pub(super) fn list(exchange: &Exchange, account: usize, request: &Request) -> Result<Reply, Refusal> {
    let query = |name: &str| request.query_value(name).filter(|value| !value.is_empty());
    let same = |wanted: &Option<String>, value: &str| wanted.as_ref().is_none_or(|one| one == value);
    let (currency, side, status) = (query("currency"), query("side"), query("status"));
    let (event, market, outcome) = (query("eventId"), query("marketId"), query("outcomeId"));
    let matching = exchange.orders.iter().rev().filter(|order| {
        order.account == account
            && currency.as_deref() == Some(order.terms.currency.name())
            && same(&side, order.terms.side.name())
            && same(&status, order.status.name())
            && same(&event, &order.event_id)
            && same(&market, &order.market_id)
            && same(&outcome, &order.outcome_id)
    });
    let (orders, pagination) = read::page(request, matching.map(OrderView::new).collect())?;
    Ok(Reply::json(200, &OrderPage { orders, pagination }))
}
