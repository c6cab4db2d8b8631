//! Placing and reading orders on perpetual futures.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::call::Call;
use super::super::error::Refusal;
use super::super::markets::Span;
use super::super::orders::{averages, expiration, name, required, size};
use super::super::read::{self, count, dollars, fixed_point};
use super::super::state::State;
use super::Perps;
use super::market::{Contract, TICK};
use crate::clock::rfc3339;
use crate::exchange::{Order, Reason, ReduceOnly, SelfTradePrevention, Side, Terms, TimeInForce};
use crate::message::Reply;

/// The body of CreateMarginOrder.
#[derive(Deserialize)]
struct NewOrder {
    ticker: Option<String>,
    market_id: Option<String>,
    client_order_id: Option<String>,
    side: Option<String>,
    count: Option<String>,
    price: Option<String>,
    expiration_time: Option<i64>,
    time_in_force: Option<String>,
    self_trade_prevention_type: Option<String>,
    post_only: Option<bool>,
    cancel_order_on_pause: Option<bool>,
    reduce_only: Option<bool>,
    subaccount: Option<i64>,
    order_group_id: Option<String>,
    market_version: Option<i64>,
}

impl NewOrder {
    fn into_terms(self, contract: &Contract, now: i64) -> Result<Terms, Refusal> {
        let side = required(self.side.as_deref(), "side")?;
        let side = Side::named(side).ok_or_else(|| Refusal::invalid("side must be bid or ask"))?;
        let time_in_force = required(self.time_in_force.as_deref(), "time_in_force")?;
        let time_in_force =
            TimeInForce::named(time_in_force).ok_or_else(|| Refusal::invalid("unknown time_in_force"))?;
        let prevention = required(self.self_trade_prevention_type.as_deref(), "self_trade_prevention_type")?;
        let self_trade_prevention = SelfTradePrevention::named(prevention)
            .ok_or_else(|| Refusal::invalid("unknown self_trade_prevention_type"))?;
        let rests = time_in_force == TimeInForce::GoodTillCanceled;
        if !rests && self.expiration_time.is_some() {
            return Err(Refusal::invalid("expiration_time is for good_till_canceled"));
        }
        if rests && self.reduce_only == Some(true) {
            return Err(Refusal::invalid("reduce_only is not for good_till_canceled"));
        }
        if !matches!(self.market_version, None | Some(0 | 1)) {
            return Err(Refusal::new(409, "market_version_mismatch"));
        }
        Ok(Terms {
            client_order_id: Some(required(self.client_order_id.as_deref(), "client_order_id")?.to_owned()),
            side,
            price: price(self.price.as_deref())?,
            count: contracts(contract, self.count.as_deref())?,
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

pub(super) fn price(text: Option<&str>) -> Result<Decimal, Refusal> {
    let price = fixed_point(required(text, "price")?, TICK.scale());
    price
        .filter(|price| *price >= TICK && *price <= Decimal::from(1_000_000_000))
        .ok_or_else(|| Refusal::new(400, "invalid_price"))
}

/// A count of contracts: a whole one unless the contract takes fractions.
pub(super) fn contracts(contract: &Contract, text: Option<&str>) -> Result<Decimal, Refusal> {
    let count = size(text, "count")?;
    if contract.fractional || count.fract().is_zero() {
        Ok(count)
    } else {
        Err(Refusal::new(400, "invalid_order_size"))
    }
}

/// The contract that a body names by its ticker, or else by its id.
pub(super) fn named<'a>(perps: &'a Perps, ticker: Option<&str>, id: Option<&str>) -> Result<&'a Contract, Refusal> {
    let given = |text: Option<&str>| text.is_some_and(|text| !text.is_empty());
    if !given(ticker) && !given(id) {
        return Err(Refusal::invalid("either ticker or market_id is required"));
    }
    let found = match ticker.filter(|ticker| !ticker.is_empty()) {
        Some(ticker) => perps.contract(ticker),
        None => perps.contracts.iter().find(|contract| Some(contract.market_id.as_str()) == id),
    };
    found.ok_or_else(|| Refusal::new(404, "market_not_found"))
}

pub(in super::super) fn create(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let new: NewOrder = read::body(call.request)?;
    let perps = &mut state.perps;
    let contract = named(perps, new.ticker.as_deref(), new.market_id.as_deref())?;
    let (owner, ticker) = (call.owner(new.subaccount)?, contract.ticker);
    let terms = new.into_terms(contract, call.now)?;
    perps.groups.check_order(owner, terms.order_group_id.as_deref())?;
    let order = perps.exchange.place(owner, ticker, terms, false, call.now)?;
    let mut json = json!({
        "order_id": order.id,
        "fill_count": count(order.filled()),
        "remaining_count": count(order.remaining),
    });
    name(&mut json, order);
    averages(&mut json, order.taker);
    Ok(Reply::json(201, &json))
}

/// The word for what changed an order last.
fn reason(order: &Order) -> &'static str {
    match order.reason {
        Reason::Placed => "",
        Reason::Trade => "Trade",
        Reason::Amended => "Amend",
        Reason::Decreased | Reason::MarketClosed => "Decrease",
        Reason::SelfTrade => "SelfTradeCancel",
        Reason::Expired => "ExpiryCancel",
        Reason::ReduceOnly => "ReduceOnlyCancel",
    }
}

fn to_json(order: &Order, state: &State) -> Value {
    let terms = &order.terms;
    let mut json = json!({
        "order_id": order.id,
        "user_id": state.user_id(order.owner),
        "client_order_id": terms.client_order_id.as_deref().unwrap_or_default(),
        "ticker": order.ticker,
        "side": terms.side.name(),
        "last_update_reason": reason(order),
        "price": dollars(terms.price),
        "fill_count": count(order.filled()),
        "remaining_count": count(order.remaining),
        "created_time": rfc3339(order.created),
        "last_update_time": rfc3339(order.updated),
        "self_trade_prevention_type": terms.self_trade_prevention.name(),
        "cancel_order_on_pause": terms.cancel_order_on_pause,
        "order_source": if order.by_venue { "system" } else { "user" },
    });
    if let Some(seconds) = terms.expiration {
        json["expiration_time"] = rfc3339(seconds.saturating_mul(1000)).into();
    }
    if let Some(group) = &terms.order_group_id {
        json["order_group_id"] = group.as_str().into();
    }
    if order.by_venue {
        json["order_reason"] = "take_profit_stop_loss".into();
    }
    json
}

pub(in super::super) fn list(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let query = call.query();
    let subaccount = call.subaccount_or_all()?;
    let created = Span { from: query.integer("min_ts")?, to: query.integer("max_ts")? };
    let matching = state.perps.exchange.newest_orders().filter(|(_, order)| {
        call.sees(order.owner)
            && subaccount.is_none_or(|number| order.owner.subaccount == number)
            // The venue responds unknown words with an empty page.
            && query.text("status").is_none_or(|status| order.status.name() == status)
            && query.text("ticker").is_none_or(|ticker| order.ticker == ticker)
            && created.holds(Some(order.created))
    });
    let (page, cursor) = query.page_of(matching, 10_000, 10_000)?;
    let page: Vec<Value> = page.into_iter().map(|order| to_json(order, state)).collect();
    Ok(Reply::json(200, &json!({"orders": page, "cursor": cursor})))
}

pub(in super::super) fn get(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let order = state.perps.exchange.order(call.given.in_path("order_id")).filter(|order| call.sees(order.owner));
    let order = order.ok_or_else(Refusal::not_found)?;
    Ok(Reply::json(200, &json!({"order": to_json(order, state)})))
}

pub(in super::super) fn cancel_all(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let subaccount = call.subaccount_or_all()?;
    state.perps.exchange.cancel_where(Reason::Decreased, call.now, |order| {
        call.sees(order.owner) && subaccount.is_none_or(|number| order.owner.subaccount == number)
    });
    Ok(Reply::empty(204))
}
