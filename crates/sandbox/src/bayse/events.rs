//! Made-up events and markets.

use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::error::Refusal;
use super::exchange::Exchange;
use super::ledger::Currency;
use super::order::Side;
use super::read::{self, Pagination};
use crate::clock::rfc3339;
use crate::message::{Reply, Request};
use crate::number::Number;

const DAY_MILLIS: i64 = 86_400_000;
const EVENTS: u16 = 45;
const CATEGORIES: [(&str, &str); 5] = [
    ("Sports", "Football"),
    ("Politics", "Elections"),
    ("Crypto", "Bitcoin"),
    ("Finance", "Exchange rates"),
    ("Entertainment", "Music"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Engine {
    #[serde(rename = "AMM")]
    Amm,
    #[serde(rename = "CLOB")]
    Clob,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) slug: String,
    pub(super) title: String,
    description: String,
    category: &'static str,
    /// Only filtered by: no page shows it.
    #[serde(skip)]
    subcategory: &'static str,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) engine: Engine,
    pub(super) status: &'static str,
    opening_date: String,
    closing_date: String,
    resolution_date: String,
    created_at: String,
    pub(super) image_url: String,
    liquidity: Number,
    total_volume: Number,
    total_orders: u32,
    supported_currencies: [&'static str; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    user_watchlisted: Option<bool>,
    hashtags: Vec<&'static str>,
    country_codes: Option<Vec<&'static str>>,
    series_slug: Option<&'static str>,
    metadata: Option<Value>,
    pub(super) markets: Vec<Market>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Market {
    pub(super) id: String,
    pub(super) title: String,
    status: &'static str,
    pub(super) outcome1_id: String,
    pub(super) outcome1_label: &'static str,
    outcome1_price: Number,
    pub(super) outcome2_id: String,
    pub(super) outcome2_label: &'static str,
    outcome2_price: Number,
    yes_buy_price: Number,
    no_buy_price: Number,
    fee_percentage: Number,
    total_orders: u32,
    rules: &'static str,
    minimum_order_amount: Number,
    resolved_outcome_id: Option<String>,
    pub(super) image_url: String,
    liquidity_reward: Option<Value>,
}

/// One side of a market, found by its id.
#[derive(Clone, Copy)]
pub(super) struct Outcome<'a> {
    pub(super) event: &'a Event,
    pub(super) market: &'a Market,
    pub(super) id: &'a str,
    pub(super) label: &'static str,
    /// The price at which the sandbox itself sells.
    pub(super) buy_price: Decimal,
    /// The price at which the sandbox itself buys.
    pub(super) sell_price: Decimal,
}

/// Finds an outcome among all events.
pub(super) fn outcome<'a>(events: &'a [Event], id: &str) -> Option<Outcome<'a>> {
    events.iter().find_map(|event| event.markets.iter().find_map(|market| market.outcome(event, id)))
}

/// Finds a market among all events.
pub(super) fn market<'a>(events: &'a [Event], id: &str) -> Option<(&'a Event, &'a Market)> {
    let mut all = events.iter().flat_map(|event| event.markets.iter().map(move |market| (event, market)));
    all.find(|(_, market)| market.id == id)
}

impl Event {
    pub(super) fn is_open(&self) -> bool {
        self.status == "open"
    }

    pub(super) fn created_at(&self) -> &str {
        &self.created_at
    }
}

impl Market {
    /// The id of the outcome that is called so: `NO` is the second one.
    pub(super) fn outcome_named(&self, name: Option<&str>) -> String {
        if name == Some("NO") { self.outcome2_id.clone() } else { self.outcome1_id.clone() }
    }

    /// What an outcome is worth before anybody has traded it.
    pub(super) fn initial_price(&self, outcome_id: &str) -> Decimal {
        if self.outcome2_id == outcome_id { self.outcome2_price.0 } else { self.outcome1_price.0 }
    }

    pub(super) fn outcome<'a>(&'a self, event: &'a Event, id: &str) -> Option<Outcome<'a>> {
        let (id, label, buy_price, other_buy_price) = if self.outcome1_id == id {
            (&self.outcome1_id, self.outcome1_label, self.yes_buy_price, self.no_buy_price)
        } else if self.outcome2_id == id {
            (&self.outcome2_id, self.outcome2_label, self.no_buy_price, self.yes_buy_price)
        } else {
            return None;
        };
        let sell_price = Decimal::ONE - other_buy_price.0;
        Some(Outcome { event, market: self, id, label, buy_price: buy_price.0, sell_price })
    }
}

#[derive(Serialize)]
struct EventPage {
    events: Vec<Event>,
    pagination: Pagination,
}

pub(super) fn list(
    exchange: &Exchange,
    events: &[Event],
    request: &Request,
    signed_in: bool,
) -> Result<Reply, Refusal> {
    let query = |name: &str| request.query_value(name).filter(|value| !value.is_empty());
    let flag = |name: &str| query(name).as_deref() == Some("true");
    let same = |wanted: &Option<String>, value: &str| wanted.as_ref().is_none_or(|one| one.eq_ignore_ascii_case(value));
    let (category, subcategory, status) = (query("category"), query("subcategory"), query("status"));
    let (currency, series, keyword) = (query("currency"), query("seriesSlug"), query("keyword"));
    // Nothing generated belongs to a game or to a watch list.
    let none = flag("watchlist") || query("sportGameSlug").is_some();
    let matching = events.iter().filter(|event| {
        !none
            && same(&category, event.category)
            && same(&subcategory, event.subcategory)
            && same(&status, event.status)
            && same(&series, event.series_slug.unwrap_or_default())
            && currency.as_deref().is_none_or(|currency| event.supported_currencies.contains(&currency))
            && keyword.as_deref().is_none_or(|word| event.title.to_lowercase().contains(&word.to_lowercase()))
            && (!flag("trending") || event.total_orders >= 200)
    });
    let (page, pagination) = read::page(request, matching.collect())?;
    let currency = Currency::read(currency.as_deref().unwrap_or("USD")).unwrap_or(Currency::Usd);
    let events = page.into_iter().map(|event| shown(exchange, event, currency, signed_in)).collect();
    Ok(Reply::json(200, &EventPage { events, pagination }))
}

pub(super) fn get(
    exchange: &Exchange,
    events: &[Event],
    is_wanted: impl Fn(&Event) -> bool,
    request: &Request,
    signed_in: bool,
) -> Result<Reply, Refusal> {
    let event = events.iter().find(|event| is_wanted(event)).ok_or_else(|| Refusal::not_found("event"))?;
    let currency = request.query_value("currency").and_then(|name| Currency::read(&name)).unwrap_or(Currency::Usd);
    Ok(Reply::json(200, &shown(exchange, event, currency, signed_in)))
}

/// An event with what its trades and books have come to. With a key, it also says whether it is on the caller's watch list.
fn shown(exchange: &Exchange, event: &Event, currency: Currency, signed_in: bool) -> Event {
    let markets = event.markets.iter().map(|market| market_now(exchange, event, market, currency)).collect::<Vec<_>>();
    let traded = exchange.trades.iter().filter(|trade| trade.event_id == event.id);
    let volume: Decimal = traded.map(|trade| trade.shares * trade.price).sum();
    let before: u32 = event.markets.iter().map(|market| market.total_orders).sum();
    let orders = markets.iter().map(|market| market.total_orders).sum::<u32>() - before;
    Event {
        user_watchlisted: signed_in.then_some(false),
        total_volume: (event.total_volume.0 + volume).into(),
        total_orders: event.total_orders + orders,
        markets,
        ..event.clone()
    }
}

fn market_now(exchange: &Exchange, event: &Event, market: &Market, currency: Currency) -> Market {
    let ask = |id: &str| market.outcome(event, id).map(|outcome| exchange.best(&outcome, currency, Side::Sell));
    let orders = exchange.orders.iter().filter(|order| order.market_id == market.id).count();
    Market {
        outcome1_price: exchange.price_of(market, &market.outcome1_id).into(),
        outcome2_price: exchange.price_of(market, &market.outcome2_id).into(),
        yes_buy_price: ask(&market.outcome1_id).unwrap_or_default().into(),
        no_buy_price: ask(&market.outcome2_id).unwrap_or_default().into(),
        total_orders: market.total_orders + u32::try_from(orders).unwrap_or(u32::MAX),
        ..market.clone()
    }
}

/// Makes the events: CLOB and AMM in turn, most of them open.
pub(super) fn make(now: i64) -> Vec<Event> {
    (1..=EVENTS).map(|number| make_one(number, now)).collect()
}

fn make_one(number: u16, now: i64) -> Event {
    let (category, subcategory) = CATEGORIES[usize::from(number) % CATEGORIES.len()];
    let engine = if number % 2 == 1 { Engine::Clob } else { Engine::Amm };
    let (kind, count) = if number.is_multiple_of(3) { ("combined", 3) } else { ("single", 1) };
    let status = if number > EVENTS - 5 { "resolved" } else { "open" };
    let opening = now - i64::from(number) * DAY_MILLIS / 4;
    let closing = if status == "open" { now + i64::from(number) * DAY_MILLIS } else { now - DAY_MILLIS };
    let markets = (0..count).map(|index| make_market(number, index, engine, status)).collect();
    Event {
        id: id(1, number, 0),
        slug: format!("sandbox-event-{number}"),
        title: format!("{subcategory}: does number {number} happen?"),
        description: "Generated by the sandbox.".to_owned(),
        category,
        subcategory,
        kind,
        engine,
        status,
        opening_date: rfc3339(opening),
        closing_date: rfc3339(closing),
        // The venue writes dates that are not known yet as empty text.
        resolution_date: if status == "open" { String::new() } else { rfc3339(closing) },
        created_at: rfc3339(opening),
        image_url: format!("https://example.com/events/{number}.png"),
        liquidity: Decimal::from(1000 + number).into(),
        total_volume: Decimal::new(125 * i64::from(number) + 50, 1).into(),
        total_orders: 10 * u32::from(number),
        supported_currencies: ["USD", "NGN"],
        user_watchlisted: None,
        hashtags: vec!["sandbox"],
        country_codes: None,
        series_slug: (category == "Crypto").then_some("crypto-btc-1h"),
        metadata: None,
        markets,
    }
}

fn make_market(event: u16, index: u16, engine: Engine, status: &'static str) -> Market {
    let price = Decimal::new(i64::from(30 + (event * 7 + index * 11) % 40), 2);
    // A thin book: an order at any usual price rests and one at 0.97 is filled.
    let (yes_buy, no_buy) = match engine {
        Engine::Clob => (dec!(0.97), dec!(0.97)),
        Engine::Amm => (price, Decimal::ONE - price),
    };
    let outcome1_id = id(3, event, index);
    Market {
        id: id(2, event, index),
        title: format!("Answer {}", index + 1),
        status,
        outcome1_id: outcome1_id.clone(),
        outcome1_label: "Yes",
        outcome1_price: price.into(),
        outcome2_id: id(4, event, index),
        outcome2_label: "No",
        outcome2_price: (Decimal::ONE - price).into(),
        yes_buy_price: yes_buy.into(),
        no_buy_price: no_buy.into(),
        // Nobody pays fees here.
        fee_percentage: Number::default(),
        total_orders: 10 * u32::from(event),
        rules: "Generated by the sandbox.",
        minimum_order_amount: Decimal::ONE.into(),
        resolved_outcome_id: (status == "resolved").then_some(outcome1_id),
        image_url: String::new(),
        liquidity_reward: None,
    }
}

/// The same UUIDs at every start, so that a script can name them.
fn id(kind: u16, event: u16, index: u16) -> String {
    let bits = u128::from(kind) << 96 | 0x4000_8000_0000_0000_0000 | u128::from(event) << 16 | u128::from(index);
    Uuid::from_u128(bits).to_string()
}
