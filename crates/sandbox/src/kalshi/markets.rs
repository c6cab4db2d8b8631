//! The markets: one, their list and its filters.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::error::Refusal;
use super::read::Query;
use crate::message::{Reply, Request};

/// Prices from `start` to `end` in steps of `step`.
pub(super) struct PriceRange {
    pub(super) start: Decimal,
    pub(super) end: Decimal,
    pub(super) step: Decimal,
}

/// One market: what the sandbox works with, and the whole of it as the venue shows it.
pub(super) struct Market {
    pub(super) ticker: String,
    pub(super) event_ticker: String,
    pub(super) status: &'static str,
    pub(super) yes_bid: Decimal,
    pub(super) yes_ask: Decimal,
    pub(super) series_ticker: &'static str,
    pub(super) last: Decimal,
    pub(super) price_ranges: Vec<PriceRange>,
    pub(super) times: Times,
    pub(super) shown: Value,
}

/// Milliseconds since the Unix epoch.
pub(super) struct Times {
    pub(super) created: i64,
    pub(super) updated: i64,
    pub(super) close: i64,
    pub(super) settled: Option<i64>,
}

impl Market {
    pub(super) fn find<'a>(markets: &'a [Self], ticker: &str) -> Option<&'a Self> {
        markets.iter().find(|market| market.ticker == ticker)
    }

    /// Whether a price lies on the market's grid.
    pub(super) fn allows(&self, price: Decimal) -> bool {
        price > Decimal::ZERO
            && price < Decimal::ONE
            && self.price_ranges.iter().any(|range| {
                price >= range.start && price <= range.end && ((price - range.start) % range.step).is_zero()
            })
    }

    /// The worth of a position: positive counts are yes, negative ones no.
    pub(super) fn worth(&self, count: Decimal) -> Decimal {
        if count.is_sign_negative() { -count * (Decimal::ONE - self.last) } else { count * self.last }
    }
}

pub(super) fn get(markets: &[Market], ticker: &str) -> Result<Reply, Refusal> {
    let market = Market::find(markets, ticker).ok_or_else(Refusal::not_found)?;
    Ok(Reply::json(200, &json!({"market": market.shown})))
}

pub(super) fn list(markets: &[Market], request: &Request) -> Result<Reply, Refusal> {
    let query = Query::new("GetMarkets", request);
    let statuses: Option<&[&str]> =
        query.one_of("status", &["unopened", "open", "paused", "closed", "settled"])?.map(|status| match status {
            "unopened" => &["initialized"][..],
            "open" => &["active"],
            "paused" => &["inactive"],
            "closed" => &["closed", "determined", "disputed", "amended"],
            _ => &["finalized"],
        });
    // None of the made-up markets is a combination.
    let combinations = query.one_of("mve_filter", &["only", "exclude"])? == Some("only");
    let seconds = |name| query.integer(name);
    let created = Span { from: seconds("min_created_ts")?, to: seconds("max_created_ts")? };
    let updated = Span { from: seconds("min_updated_ts")?, to: seconds("max_updated_ts")? };
    let close = Span { from: seconds("min_close_ts")?, to: seconds("max_close_ts")? };
    let settled = Span { from: seconds("min_settled_ts")?, to: seconds("max_settled_ts")? };
    let listed = |tickers: Option<&str>, ticker: &str| {
        tickers.is_none_or(|tickers| tickers.split(',').any(|one| one.trim() == ticker))
    };
    let matching = markets.iter().filter(|market| {
        !combinations
            && statuses.is_none_or(|statuses| statuses.contains(&market.status))
            && listed(query.text("event_ticker"), &market.event_ticker)
            && listed(query.text("series_ticker"), market.series_ticker)
            && listed(query.text("tickers"), &market.ticker)
            && created.holds(Some(market.times.created))
            && updated.holds(Some(market.times.updated))
            && close.holds(Some(market.times.close))
            && settled.holds(market.times.settled)
    });
    let (page, cursor) = query.page(matching.map(|market| &market.shown))?;
    Ok(Reply::json(200, &json!({"markets": page, "cursor": cursor})))
}

/// Unix seconds, both ends included.
struct Span {
    from: Option<i64>,
    to: Option<i64>,
}

impl Span {
    fn holds(&self, millis: Option<i64>) -> bool {
        let within =
            |seconds: i64| self.from.is_none_or(|from| seconds >= from) && self.to.is_none_or(|to| seconds <= to);
        match millis {
            Some(millis) => within(millis / 1000),
            None => self.from.is_none() && self.to.is_none(),
        }
    }
}
