//! What the channels tell, as the venue writes it.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;

use crate::bayse::Account;
use crate::bayse::events::{self, Engine, Event, Outcome};
use crate::bayse::exchange::{Exchange, Fill};
use crate::bayse::ledger::Currency;
use crate::bayse::order::{Duration, Side, Status};
use crate::clock::rfc3339;
use crate::number::Number;
use crate::streams::BookLevels;

/// The envelope of what a channel tells.
#[derive(Serialize)]
struct Message<'a, T: Serialize> {
    #[serde(rename = "type")]
    kind: &'a str,
    data: &'a T,
    timestamp: i64,
}

/// A message as text.
pub(super) fn message(kind: &str, data: &impl Serialize, timestamp: i64) -> String {
    serde_json::to_string(&Message { kind, data, timestamp }).expect("records are plain JSON")
}

/// A fill as everybody receives it. Nothing in it numbers the fill: an order shows up with each of its fills.
#[derive(Serialize)]
pub(super) struct Activity<'a> {
    user: User<'a>,
    order: ActivityOrder<'a>,
    event: ActivityEvent<'a>,
    market: ActivityMarket<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct User<'a> {
    id: &'a str,
    tag: &'a str,
    image_url: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ActivityOrder<'a> {
    id: &'a str,
    amount: Number,
    quantity: Number,
    price: Number,
    status: &'static str,
    #[serde(rename = "type")]
    side: &'static str,
    outcome: &'a str,
    outcome_label: &'static str,
    engine: Engine,
    order_type: &'static str,
    currency: &'static str,
    created_at: String,
    updated_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ActivityEvent<'a> {
    id: &'a str,
    slug: &'a str,
    title: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    created_at: &'a str,
    image_url: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ActivityMarket<'a> {
    id: &'a str,
    title: &'a str,
    image_url: &'a str,
}

/// The type of an activity: by the side of the order.
pub(super) fn activity_kind(fill: &Fill) -> &'static str {
    match fill.order.terms.side {
        Side::Buy => "buy_order",
        Side::Sell => "sell_order",
    }
}

/// The status of an order on a stream, where it is written in capitals.
fn loud(status: Status) -> &'static str {
    match status {
        Status::Open => "OPEN",
        Status::PartialFilled => "PARTIAL_FILLED",
        Status::Filled => "FILLED",
        Status::Cancelled => "CANCELLED",
        Status::Expired => "EXPIRED",
    }
}

pub(super) fn activity<'a>(fill: &'a Fill, account: &'a Account, events: &'a [Event]) -> Option<Activity<'a>> {
    let order = &fill.order;
    let (event, market) = events::market(events, &order.market_id)?;
    let kind = if event.kind == "single" { "SINGLE_MARKET" } else { "COMBINED_MARKETS" };
    Some(Activity {
        user: User { id: &account.user_id, tag: account.tag(), image_url: "" },
        order: ActivityOrder {
            id: &order.id,
            amount: fill.money.into(),
            quantity: fill.shares.into(),
            price: fill.price.into(),
            status: loud(order.status),
            side: order.terms.side.name(),
            outcome: &order.outcome_id,
            outcome_label: order.outcome_label,
            engine: event.engine,
            order_type: order.kind(),
            currency: order.terms.currency.name(),
            created_at: rfc3339(order.created),
            updated_at: rfc3339(order.updated),
        },
        event: ActivityEvent {
            id: &event.id,
            slug: &event.slug,
            title: &event.title,
            kind,
            created_at: event.created_at(),
            image_url: &event.image_url,
        },
        market: ActivityMarket { id: &market.id, title: &market.title, image_url: &market.image_url },
    })
}

/// A fill as its owner receives it: how the order stands now. Its times are seconds, but that of the envelope.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderUpdate<'a> {
    order_id: &'a str,
    event_id: &'a str,
    market_id: &'a str,
    timestamp: i64,
    order: OwnOrder<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OwnOrder<'a> {
    id: &'a str,
    user_id: &'a str,
    market_id: &'a str,
    outcome_id: &'a str,
    outcome_label: &'static str,
    side: &'static str,
    price: Number,
    quantity: Number,
    filled_quantity: Number,
    remaining_quantity: Number,
    avg_fill_price: Option<Number>,
    status: &'static str,
    time_in_force: &'static str,
    created_at: i64,
    updated_at: i64,
}

pub(super) fn order_update<'a>(fill: &'a Fill, user_id: &'a str) -> OrderUpdate<'a> {
    let order = &fill.order;
    OrderUpdate {
        order_id: &order.id,
        event_id: &order.event_id,
        market_id: &order.market_id,
        timestamp: order.updated.div_euclid(1000),
        order: OwnOrder {
            id: &order.id,
            user_id,
            market_id: &order.market_id,
            outcome_id: &order.outcome_id,
            outcome_label: order.outcome_label,
            side: order.terms.side.name(),
            price: order.price.into(),
            quantity: order.size.into(),
            filled_quantity: order.filled.into(),
            remaining_quantity: order.remaining().into(),
            avg_fill_price: order.average_price().map(Number::from),
            status: loud(order.status),
            time_in_force: match order.terms.duration {
                Duration::Rest => "GTC",
                Duration::RestUntil(_) => "GTD",
                Duration::FillAndKill => "FAK",
                Duration::FillOrKill => "FOK",
            },
            created_at: order.created.div_euclid(1000),
            updated_at: order.updated.div_euclid(1000),
        },
    }
}

/// The prices of all markets of an event.
#[derive(Serialize)]
pub(super) struct Prices<'a> {
    id: &'a str,
    slug: &'a str,
    title: &'a str,
    status: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    markets: Vec<MarketPrices<'a>>,
}

#[derive(Serialize)]
struct MarketPrices<'a> {
    id: &'a str,
    question: &'a str,
    outcomes: [&'static str; 2],
    engine: Engine,
    /// By `YES` and `NO`, whatever the outcomes are called.
    prices: BTreeMap<&'static str, Number>,
}

pub(super) fn prices<'a>(exchange: &Exchange, event: &'a Event) -> Prices<'a> {
    let market = |market: &'a events::Market| MarketPrices {
        id: &market.id,
        question: &market.title,
        outcomes: [market.outcome1_label, market.outcome2_label],
        engine: event.engine,
        prices: BTreeMap::from([
            ("YES", exchange.price_of(market, &market.outcome1_id).into()),
            ("NO", exchange.price_of(market, &market.outcome2_id).into()),
        ]),
    };
    let markets = event.markets.iter().map(market).collect();
    Prices { id: &event.id, slug: &event.slug, title: &event.title, status: event.status, kind: event.kind, markets }
}

/// The whole book of one outcome.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Book {
    market_id: String,
    outcome_id: String,
    pub(super) timestamp: String,
    bids: Vec<Level>,
    asks: Vec<Level>,
    last_traded_price: Option<Number>,
    last_traded_side: Option<&'static str>,
}

#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
struct Level {
    price: Number,
    quantity: Number,
    total: Number,
}

/// The envelope's data of a book.
#[derive(Serialize)]
pub(super) struct BookUpdate<'a> {
    pub(super) orderbook: &'a Book,
}

pub(super) fn book(exchange: &Exchange, outcome: &Outcome<'_>, currency: Currency) -> Book {
    let side = |side: Side| {
        let level = |(price, quantity): (Decimal, Decimal)| Level {
            price: price.into(),
            quantity: quantity.into(),
            total: (price * quantity * currency.multiplier()).into(),
        };
        exchange.levels(outcome, currency, side).into_iter().map(level).collect()
    };
    let last = exchange.trades_on(outcome.id, currency).next_back();
    Book {
        market_id: outcome.market.id.clone(),
        outcome_id: outcome.id.to_owned(),
        timestamp: String::new(),
        bids: side(Side::Buy),
        asks: side(Side::Sell),
        last_traded_price: last.map(|trade| trade.price.into()),
        last_traded_side: last.map(|trade| trade.taker_side.name()),
    }
}

impl Book {
    pub(super) fn outcome_id(&self) -> &str {
        &self.outcome_id
    }

    /// Prices and shares of both sides, the best level first.
    pub(super) fn levels(&self, mark: i64) -> BookLevels {
        let side = |levels: &[Level]| levels.iter().map(|level| (level.price.0, level.quantity.0)).collect();
        BookLevels { bids: side(&self.bids), asks: side(&self.asks), mark }
    }

    /// Whether it tells the same, whenever that was.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Self { timestamp: String::new(), ..self.clone() } == Self { timestamp: String::new(), ..other.clone() }
    }
}

/// The price of an asset.
#[derive(Serialize)]
pub(super) struct AssetPrice<'a> {
    pub(super) symbol: &'a str,
    pub(super) price: Number,
    pub(super) timestamp: i64,
}
