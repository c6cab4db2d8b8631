//! The markets: one, their list and its filters.

use rust_decimal::Decimal;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::call::Call;
use super::error::Refusal;
use super::fees::EventRules;
use super::read::{count, dollars};
use super::series::series_at;
use super::state::State;
use crate::clock::rfc3339;
use crate::exchange::{Exchange, Side};
use crate::message::Reply;
use crate::paging::oldest_first;

const DAY_MILLIS: i64 = 86_400_000;

/// Prices from `start` to `end` in steps of `step`.
pub(super) struct PriceRange {
    pub(super) start: Decimal,
    pub(super) end: Decimal,
    pub(super) step: Decimal,
}

impl PriceRange {
    pub(super) fn to_json(&self) -> Value {
        json!({"start": dollars(self.start), "end": dollars(self.end), "step": dollars(self.step)})
    }
}

/// One market. What trading changes is in the exchange.
pub(super) struct Market {
    pub(super) ticker: String,
    pub(super) event_ticker: String,
    pub(super) series: usize,
    pub(super) price_ranges: Vec<PriceRange>,
    /// What it traded at last before the sandbox started.
    pub(super) first_price: Decimal,
    pub(super) times: Times,
    /// Whether trading is paused.
    pub(super) paused: bool,
    pub(super) yes_won: bool,
    /// Whether its orders were cancelled at its end.
    pub(super) closed: bool,
    /// Milliseconds since the Unix epoch.
    pub(super) settled: Option<i64>,
    pub(super) expiration_value: String,
    /// What never changes, as the venue shows it.
    pub(super) fixed: Value,
}

/// Milliseconds since the Unix epoch.
pub(super) struct Times {
    pub(super) created: i64,
    pub(super) open: i64,
    pub(super) close: i64,
    pub(super) settles: i64,
}

impl Market {
    /// Whether a price lies on the market's grid.
    pub(super) fn allows(&self, price: Decimal) -> bool {
        price > Decimal::ZERO
            && price < Decimal::ONE
            && self.price_ranges.iter().any(|range| {
                price >= range.start && price <= range.end && ((price - range.start) % range.step).is_zero()
            })
    }

    pub(super) fn status(&self, now: i64) -> &'static str {
        if self.settled.is_some() {
            "finalized"
        } else if self.times.close <= now {
            "closed"
        } else if now < self.times.open {
            "initialized"
        } else if self.paused {
            "inactive"
        } else {
            "active"
        }
    }

    /// What a yes contract pays.
    pub(super) fn settlement_value(&self) -> Decimal {
        if self.yes_won { Decimal::ONE } else { Decimal::ZERO }
    }

    /// When something other than trading last changed it.
    fn updated(&self, now: i64) -> i64 {
        let times = [self.times.created, self.times.open, self.times.close];
        let past = times.into_iter().chain(self.settled).filter(|time| *time <= now);
        past.max().unwrap_or(self.times.created)
    }

    /// All of it.
    pub(super) fn show(&self, exchange: &Exchange<EventRules>, now: i64) -> Value {
        let book = exchange.book(&self.ticker);
        let best = |side: Side| exchange.levels(&self.ticker, side).first().copied();
        let (bid, bid_size) = best(Side::Bid).unwrap_or((Decimal::ZERO, Decimal::ZERO));
        let (ask, ask_size) = best(Side::Ask).unwrap_or((Decimal::ONE, Decimal::ZERO));
        let day_ago = now - DAY_MILLIS;
        let quote = book.and_then(|book| book.quote_at(day_ago));
        let old_bid = quote.and_then(|quote| quote.bid).unwrap_or(Decimal::ZERO);
        let old_ask =
            quote.and_then(|quote| quote.ask).unwrap_or(if quote.is_some() { Decimal::ONE } else { Decimal::ZERO });
        let recent: Decimal = exchange
            .trades_of(&self.ticker)
            .rev()
            .take_while(|trade| trade.time > day_ago)
            .map(|trade| trade.count)
            .sum();
        let old_price = exchange.trades_of(&self.ticker).rev().find(|trade| trade.time <= day_ago);
        let status = self.status(now);
        let trading = json!({
            "status": status,
            "updated_time": rfc3339(self.updated(now)),
            "yes_bid_dollars": dollars(bid),
            "yes_bid_size_fp": count(bid_size),
            "yes_ask_dollars": dollars(ask),
            "yes_ask_size_fp": count(ask_size),
            "no_bid_dollars": dollars(Decimal::ONE - ask),
            "no_ask_dollars": dollars(Decimal::ONE - bid),
            "last_price_dollars": dollars(book.and_then(|book| book.last_price).unwrap_or_default()),
            "volume_fp": count(book.map(|book| book.volume).unwrap_or_default()),
            "volume_24h_fp": count(recent),
            "open_interest_fp": count(book.map(|book| book.open_interest).unwrap_or_default()),
            "previous_yes_bid_dollars": dollars(old_bid),
            "previous_yes_ask_dollars": dollars(old_ask),
            "previous_price_dollars": dollars(old_price.map(|trade| trade.price).unwrap_or_default()),
            "result": match self.settled { Some(_) if self.yes_won => "yes", Some(_) => "no", None => "" },
            "settlement_value_dollars": self.settled.map(|_| dollars(self.settlement_value())),
            "settlement_ts": self.settled.map(rfc3339),
            "expiration_value": if self.settled.is_some() { self.expiration_value.as_str() } else { "" },
        });
        let mut shown = self.fixed.clone();
        if let (Value::Object(shown), Value::Object(trading)) = (&mut shown, trading) {
            shown.extend(trading);
        }
        shown
    }
}

/// The id of a market, which only streams tell.
pub(super) fn market_id(ticker: &str) -> String {
    made_id(ticker)
}

/// A UUID made of a name: the same one each time.
pub(super) fn made_id(name: &str) -> String {
    let hash = Sha256::digest(name.as_bytes());
    let bytes: [u8; 16] = std::array::from_fn(|index| hash[index]);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

pub(super) fn get(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let market = state.market(call.given.in_path("ticker")).ok_or_else(Refusal::not_found)?;
    Ok(Reply::json(200, &json!({"market": market.show(&state.events, call.now)})))
}

pub(super) fn list(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let query = call.query();
    let statuses: Option<&[&str]> =
        query.one_of("status", &["unopened", "open", "paused", "closed", "settled"])?.map(statuses);
    // No market of the sandbox is a combo.
    let combos = query.one_of("mve_filter", &["only", "exclude"])? == Some("only");
    let seconds = |name| query.integer(name);
    let created = Span { from: seconds("min_created_ts")?, to: seconds("max_created_ts")? };
    let updated = Span { from: seconds("min_updated_ts")?, to: seconds("max_updated_ts")? };
    let close = Span { from: seconds("min_close_ts")?, to: seconds("max_close_ts")? };
    let settled = Span { from: seconds("min_settled_ts")?, to: seconds("max_settled_ts")? };
    let matching = oldest_first(&state.markets).filter(|(_, market)| {
        !combos
            && statuses.is_none_or(|statuses| statuses.contains(&market.status(call.now)))
            && query.lists("event_ticker", &market.event_ticker)
            && query.lists("series_ticker", series_at(market.series).ticker)
            && query.lists("tickers", &market.ticker)
            && created.holds(Some(market.times.created))
            && updated.holds(Some(market.updated(call.now)))
            && close.holds(Some(market.times.close))
            && settled.holds(market.settled)
    });
    let (page, cursor) = query.page(matching)?;
    let page: Vec<Value> = page.into_iter().map(|market| market.show(&state.events, call.now)).collect();
    Ok(Reply::json(200, &json!({"markets": page, "cursor": cursor})))
}

/// The words of the status field that a filter stands for.
pub(super) fn statuses(filter: &str) -> &'static [&'static str] {
    match filter {
        "unopened" => &["initialized"],
        "open" => &["active"],
        "paused" => &["inactive"],
        "closed" => &["closed", "determined", "disputed", "amended"],
        _ => &["finalized"],
    }
}

/// Unix seconds, both ends included.
pub(super) struct Span {
    pub(super) from: Option<i64>,
    pub(super) to: Option<i64>,
}

impl Span {
    pub(super) fn holds(&self, millis: Option<i64>) -> bool {
        let within =
            |seconds: i64| self.from.is_none_or(|from| seconds >= from) && self.to.is_none_or(|to| seconds <= to);
        match millis {
            Some(millis) => within(millis / 1000),
            None => self.from.is_none() && self.to.is_none(),
        }
    }
}
