//! Made-up events and markets.

use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::error::Refusal;
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
    /// The price at which the sandbox sells.
    pub(super) buy_price: Decimal,
    /// The price at which the sandbox buys.
    pub(super) sell_price: Decimal,
}

/// Finds an outcome among all events.
pub(super) fn outcome<'a>(events: &'a [Event], id: &str) -> Option<Outcome<'a>> {
    events.iter().find_map(|event| event.markets.iter().find_map(|market| market.outcome(event, id)))
}

impl Market {
    fn outcome<'a>(&'a self, event: &'a Event, id: &str) -> Option<Outcome<'a>> {
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

pub(super) fn list(events: &[Event], request: &Request, signed_in: bool) -> Result<Reply, Refusal> {
    let query = |name: &str| request.query_value(name).filter(|value| !value.is_empty());
    let flag = |name: &str| query(name).as_deref() == Some("true");
    let same = |wanted: &Option<String>, value: &str| wanted.as_ref().is_none_or(|one| one.eq_ignore_ascii_case(value));
    let (category, subcategory, status) = (query("category"), query("subcategory"), query("status"));
    let (currency, series, keyword) = (query("currency"), query("seriesSlug"), query("keyword"));
    // Nothing made up belongs to a game or to a watch list.
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
    let events = page.into_iter().map(|event| shown(event, signed_in)).collect();
    Ok(Reply::json(200, &EventPage { events, pagination }))
}

pub(super) fn get(events: &[Event], is_wanted: impl Fn(&Event) -> bool, signed_in: bool) -> Result<Reply, Refusal> {
    let event = events.iter().find(|event| is_wanted(event)).ok_or_else(|| Refusal::not_found("event"))?;
    Ok(Reply::json(200, &shown(event, signed_in)))
}

/// With a key, an event also says whether it is on the caller's watch list.
fn shown(event: &Event, signed_in: bool) -> Event {
    Event { user_watchlisted: signed_in.then_some(false), ..event.clone() }
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
        description: "Made up by the sandbox.".to_owned(),
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
        fee_percentage: dec!(1.5).into(),
        total_orders: 10 * u32::from(event),
        rules: "Made up by the sandbox.",
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
