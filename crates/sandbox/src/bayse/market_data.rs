//! Books, tickers, trades, prices over time and quotes: what everybody sees of the exchange.

use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Account;
use super::error::Refusal;
use super::events::{self, Engine, Event, Market, Outcome};
use super::exchange::{Exchange, Party, Trade};
use super::ledger::Currency;
use super::order::Side;
use super::read::{self, Pagination};
use crate::clock::rfc3339;
use crate::message::{Reply, Request};
use crate::number::Number;

const DAY_MILLIS: i64 = 86_400_000;
/// What a book shows of the sandbox itself, which trades any amount.
const SHOWN_SHARES: Decimal = dec!(1000000);
const USUAL_DEPTH: usize = 10;
/// The sandbox itself, as a user who trades.
const HOUSE_USER: &str = "00000000-0000-4000-8000-000000000001";

fn asked(request: &Request, name: &str) -> Option<String> {
    request.query_value(name).filter(|value| !value.is_empty())
}

fn currency(request: &Request) -> Result<Currency, Refusal> {
    let name = asked(request, "currency");
    let currency = Currency::read(name.as_deref().unwrap_or("USD"));
    currency.ok_or_else(|| Refusal::invalid("currency must be USD or NGN"))
}

/// Ids joined by commas, or one parameter each.
fn ids(request: &Request, name: &str) -> Vec<String> {
    let values = request
        .query_pairs()
        .into_iter()
        .filter(|(key, _)| key == name || key.trim_end_matches("[]") == name.trim_end_matches("[]"));
    let joined: Vec<String> = values.map(|(_, value)| value).collect();
    joined.iter().flat_map(|value| value.split(',')).filter(|id| !id.is_empty()).map(str::to_owned).collect()
}

#[derive(Serialize)]
struct Level {
    price: Number,
    quantity: Number,
    total: Number,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Book {
    market_id: String,
    outcome_id: String,
    timestamp: String,
    bids: Vec<Level>,
    asks: Vec<Level>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_traded_price: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_traded_side: Option<&'static str>,
}

impl Exchange {
    /// The prices of a side with the shares that stand at each, best first.
    pub(super) fn levels(&self, outcome: &Outcome<'_>, currency: Currency, side: Side) -> Vec<(Decimal, Decimal)> {
        let mut levels: Vec<(Decimal, Decimal)> = Vec::new();
        for offer in self.offers(outcome, currency, side) {
            let shares = offer.shares.unwrap_or(SHOWN_SHARES);
            match levels.last_mut() {
                Some((price, sum)) if *price == offer.price => *sum += shares,
                _ => levels.push((offer.price, shares)),
            }
        }
        levels
    }

    /// The best price of a side.
    pub(super) fn best(&self, outcome: &Outcome<'_>, currency: Currency, side: Side) -> Decimal {
        self.offers(outcome, currency, side)[0].price
    }
}

/// `getOrderBooks`.
pub(super) fn books(exchange: &Exchange, events: &[Event], request: &Request, now: i64) -> Result<Reply, Refusal> {
    let currency = currency(request)?;
    let depth = asked(request, "depth").and_then(|depth| depth.parse().ok()).unwrap_or(USUAL_DEPTH);
    let side = |outcome: &Outcome<'_>, side| {
        let levels = exchange.levels(outcome, currency, side).into_iter().take(depth);
        let level = |(price, quantity): (Decimal, Decimal)| Level {
            price: price.into(),
            quantity: quantity.into(),
            total: (price * quantity * currency.multiplier()).into(),
        };
        levels.map(level).collect::<Vec<_>>()
    };
    let book = |id: &String| {
        let outcome = events::outcome(events, id).ok_or_else(|| Refusal::not_found("outcome"))?;
        if outcome.event.engine != Engine::Clob {
            return Err(Refusal::bad_request("order books are for CLOB markets"));
        }
        let last = exchange.trades_on(id, currency).next_back();
        Ok(Book {
            market_id: outcome.market.id.clone(),
            outcome_id: id.clone(),
            timestamp: rfc3339(now),
            bids: side(&outcome, Side::Buy),
            asks: side(&outcome, Side::Sell),
            last_traded_price: last.map(|trade| trade.price.into()),
            last_traded_side: last.map(|trade| trade.taker_side.name()),
        })
    };
    let books = ids(request, "outcomeId[]").iter().map(book).collect::<Result<Vec<_>, _>>()?;
    Ok(Reply::json(200, &books))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ticker {
    market_id: String,
    outcome: &'static str,
    last_price: Number,
    best_bid: Number,
    best_ask: Number,
    mid_price: Number,
    spread: Number,
    volume24h: Number,
    high24h: Number,
    low24h: Number,
    price_change24h: Number,
    trade_count24h: usize,
    timestamp: String,
}

/// `getTicker`, in dollars.
pub(super) fn ticker(
    exchange: &Exchange,
    events: &[Event],
    market_id: &str,
    request: &Request,
    now: i64,
) -> Result<Reply, Refusal> {
    let (event, market) = events::market(events, market_id).ok_or_else(|| Refusal::not_found("market"))?;
    if event.engine != Engine::Clob {
        return Err(Refusal::bad_request("tickers are for CLOB markets"));
    }
    let id = asked(request, "outcomeId").unwrap_or_else(|| market.outcome_named(asked(request, "outcome").as_deref()));
    let outcome = market.outcome(event, &id).ok_or_else(|| Refusal::not_found("outcome"))?;
    let currency = Currency::Usd;
    let (bid, ask) = (exchange.best(&outcome, currency, Side::Buy), exchange.best(&outcome, currency, Side::Sell));
    let day: Vec<&Trade> = exchange.trades_on(&id, currency).filter(|trade| trade.at > now - DAY_MILLIS).collect();
    let prices = || day.iter().map(|trade| trade.price);
    let change = prices().next().zip(prices().next_back()).map(|(first, last)| last - first);
    // The venue leaves no price out, also where nothing was traded.
    let last = exchange.latest_on(&id, currency).map(|(_, trade)| trade.price);
    let last = last.unwrap_or_else(|| exchange.price_of(market, &id));
    Ok(Reply::json(
        200,
        &Ticker {
            market_id: market_id.to_owned(),
            outcome: outcome.label,
            last_price: last.into(),
            best_bid: bid.into(),
            best_ask: ask.into(),
            mid_price: ((bid + ask) / Decimal::TWO).into(),
            spread: (ask - bid).into(),
            volume24h: day.iter().map(|trade| trade.shares).sum::<Decimal>().into(),
            high24h: prices().max().unwrap_or(last).into(),
            low24h: prices().min().unwrap_or(last).into(),
            price_change24h: change.unwrap_or_default().into(),
            trade_count24h: day.len(),
            timestamp: rfc3339(now),
        },
    ))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownTrade {
    id: String,
    market_id: String,
    outcome: &'static str,
    price: Number,
    size: Number,
    match_type: &'static str,
    taker_side: &'static str,
    taker_outcome_id: String,
    taker_order_id: String,
    taker_user_id: String,
    taker_price: Number,
    taker_fee: Number,
    maker_outcome_id: String,
    maker_order_id: String,
    maker_user_id: String,
    maker_price: Number,
    created_at: String,
}

#[derive(Serialize)]
struct TradePage {
    data: Vec<ShownTrade>,
    pagination: Pagination,
}

fn time(request: &Request, name: &str) -> Result<Option<i64>, Refusal> {
    let moment = asked(request, name).map(|text| OffsetDateTime::parse(&text, &Rfc3339));
    let moment = moment.transpose().map_err(|_| Refusal::invalid(&format!("{name} must be an RFC 3339 time")))?;
    Ok(moment.map(|moment| moment.unix_timestamp().saturating_mul(1000)))
}

/// Order and user of a side.
fn party_of<'a>(accounts: &'a [Account], party: &'a Party) -> (&'a str, &'a str) {
    (&party.order_id, &accounts[party.account].user_id)
}

/// Order and user of the maker, which may be the sandbox itself.
fn maker_of<'a>(accounts: &'a [Account], trade: &'a Trade) -> (&'a str, &'a str) {
    trade.maker.as_ref().map_or((trade.house_order.as_str(), HOUSE_USER), |maker| party_of(accounts, maker))
}

/// `listTrades`: those of the books, the newest first.
pub(super) fn trades(exchange: &Exchange, accounts: &[Account], request: &Request) -> Result<Reply, Refusal> {
    let (from, until) = (time(request, "fromDate")?, time(request, "toDate")?);
    let wanted = |name: &str| asked(request, name);
    let (market, id, order) = (wanted("marketId"), wanted("id"), wanted("orderId"));
    let (outcome, user) = (wanted("outcomeId"), wanted("userId"));
    let same = |wanted: &Option<String>, value: &str| wanted.as_ref().is_none_or(|one| one == value);
    let fits = |trade: &&Trade| {
        let sides = [party_of(accounts, &trade.taker), maker_of(accounts, trade)];
        trade.is_in_book
            && same(&market, &trade.market_id)
            && same(&id, &trade.id)
            && same(&outcome, &trade.outcome_id)
            && order.as_ref().is_none_or(|order| sides.iter().any(|(one, _)| one == order))
            && user.as_ref().is_none_or(|user| sides.iter().any(|(_, one)| one == user))
            && from.is_none_or(|from| trade.at >= from)
            && until.is_none_or(|until| trade.at <= until)
    };
    let shown = |trade: &Trade| {
        let ((taker_order, taker), (maker_order, maker)) =
            (party_of(accounts, &trade.taker), maker_of(accounts, trade));
        ShownTrade {
            id: trade.id.clone(),
            market_id: trade.market_id.clone(),
            outcome: trade.outcome_label,
            price: trade.price.into(),
            size: trade.shares.into(),
            match_type: "NORMAL",
            taker_side: trade.taker_side.name(),
            taker_outcome_id: trade.outcome_id.clone(),
            taker_order_id: taker_order.to_owned(),
            taker_user_id: taker.to_owned(),
            taker_price: trade.price.into(),
            taker_fee: Number::default(),
            maker_outcome_id: trade.outcome_id.clone(),
            maker_order_id: maker_order.to_owned(),
            maker_user_id: maker.to_owned(),
            maker_price: trade.price.into(),
            created_at: rfc3339(trade.at),
        }
    };
    let all = exchange.trades.iter().rev().filter(fits).map(shown).collect();
    let (data, pagination) = read::page(request, all)?;
    Ok(Reply::json(200, &TradePage { data, pagination }))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PriceHistory {
    market_id: String,
    title: String,
    price_history: Vec<Point>,
}

#[derive(Serialize)]
struct Point {
    p: Number,
    e: i64,
}

/// `getPriceHistory`: the prices of the trades, and the one that holds now.
pub(super) fn price_history(
    exchange: &Exchange,
    events: &[Event],
    event_id: &str,
    request: &Request,
    now: i64,
) -> Result<Reply, Refusal> {
    let event = events.iter().find(|event| event.id == event_id).ok_or_else(|| Refusal::not_found("event"))?;
    let days = match asked(request, "timePeriod").as_deref() {
        Some("12H") => DAY_MILLIS / 2,
        Some("1W") => 7 * DAY_MILLIS,
        Some("1M") => 30 * DAY_MILLIS,
        Some("1Y") => 365 * DAY_MILLIS,
        _ => DAY_MILLIS,
    };
    let wanted = ids(request, "marketId[]");
    let name = asked(request, "outcome");
    let history = |market: &Market| {
        let id = market.outcome_named(name.as_deref());
        let traded = exchange.trades_on(&id, Currency::Usd).filter(|trade| trade.at > now - days);
        let mut points: Vec<Point> = traded.map(|trade| Point { p: trade.price.into(), e: trade.at }).collect();
        let price = exchange.price_of(market, &id);
        points.push(Point { p: price.into(), e: now });
        PriceHistory { market_id: market.id.clone(), title: market.title.clone(), price_history: points }
    };
    let markets = event.markets.iter().filter(|market| wanted.is_empty() || wanted.contains(&market.id));
    Ok(Reply::json(200, &serde_json::json!({"markets": markets.map(history).collect::<Vec<_>>()})))
}

impl Exchange {
    /// What an outcome was traded at last, or is worth while nobody has traded it. A trade of the other outcome counts too:
    /// the prices of both make one.
    pub(super) fn price_of(&self, market: &Market, outcome_id: &str) -> Decimal {
        let other = if market.outcome2_id == outcome_id { &market.outcome1_id } else { &market.outcome2_id };
        let latest = |id: &str| self.latest_on(id, Currency::Usd);
        match (latest(outcome_id), latest(other)) {
            (Some((own, trade)), of_other) if of_other.is_none_or(|(later, _)| later < own) => trade.price,
            (_, Some((_, trade))) => Decimal::ONE - trade.price,
            _ => market.initial_price(outcome_id),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QuoteRequest {
    side: Option<String>,
    outcome_id: Option<String>,
    amount: Option<Number>,
    currency: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Quote {
    price: Number,
    current_market_price: Number,
    quantity: Number,
    amount: Number,
    cost_of_shares: Number,
    fee: Number,
    price_impact_absolute: Number,
    profit_percentage: Option<Number>,
    currency_base_multiplier: Number,
    complete_fill: bool,
    trade_goes_over_max_liability: bool,
}

/// `getQuote`: what an order for that money would come to now.
pub(super) fn quote(
    exchange: &Exchange,
    events: &[Event],
    market_id: &str,
    request: &Request,
) -> Result<Reply, Refusal> {
    let asked: QuoteRequest = read::body(request)?;
    let id = read::required(asked.outcome_id.as_deref(), "outcomeId")?;
    let outcome = events::outcome(events, id).ok_or_else(|| Refusal::not_found("outcome"))?;
    if outcome.market.id != market_id {
        return Err(Refusal::invalid("outcomeId does not belong to this market"));
    }
    let side = match read::required(asked.side.as_deref(), "side")? {
        "BUY" => Side::Buy,
        "SELL" => Side::Sell,
        _ => return Err(Refusal::invalid("side must be BUY or SELL")),
    };
    let currency = Currency::read(asked.currency.as_deref().unwrap_or("USD"))
        .ok_or_else(|| Refusal::invalid("currency must be USD or NGN"))?;
    let amount = asked.amount.ok_or_else(|| Refusal::invalid("amount is required"))?.0;
    if amount <= Decimal::ZERO || amount > dec!(1000000000000) {
        return Err(Refusal::invalid("amount must be greater than 0"));
    }
    let unit = currency.multiplier();
    let offers = exchange.offers(&outcome, currency, side.other());
    let best = offers[0].price;
    let (mut left, mut shares, mut last) = (amount, Decimal::ZERO, best);
    // The sandbox itself stands behind all orders, so that the money is always used up.
    for offer in offers {
        let wanted = left / (offer.price * unit);
        let taken = offer.shares.map_or(wanted, |shares| shares.min(wanted));
        shares += taken;
        left -= taken * offer.price * unit;
        last = offer.price;
        if taken == wanted {
            break;
        }
    }
    let price = (amount / shares / unit).round_dp(8);
    let profit =
        (side == Side::Buy).then(|| ((Decimal::ONE / price - Decimal::ONE) * Decimal::ONE_HUNDRED).round_dp(2));
    Ok(Reply::json(
        200,
        &Quote {
            price: price.into(),
            current_market_price: best.into(),
            quantity: shares.round_dp(6).into(),
            amount: amount.into(),
            cost_of_shares: amount.into(),
            fee: Number::default(),
            price_impact_absolute: (last - best).abs().into(),
            profit_percentage: profit.map(Number::from),
            currency_base_multiplier: unit.into(),
            complete_fill: true,
            trade_goes_over_max_liability: false,
        },
    ))
}
