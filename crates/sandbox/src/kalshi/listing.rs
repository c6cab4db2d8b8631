//! Events and series: the markets, grouped.

use serde_json::{Value, json};

use super::call::Call;
use super::error::Refusal;
use super::markets::{Market, statuses};
use super::read::count;
use super::series::{SERIES, Series, series_at};
use super::state::State;
use crate::clock::rfc3339;
use crate::message::Reply;

/// The markets of each event, in order: those of an event stand together.
fn events(state: &State) -> impl Iterator<Item = &[Market]> {
    state.markets.chunk_by(|one, next| one.event_ticker == next.event_ticker)
}

pub(super) fn events_page(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let query = call.query();
    let status = query.one_of("status", &["unopened", "open", "closed", "settled"])?.map(statuses);
    let (min_close, min_updated) = (query.integer("min_close_ts")?, query.integer("min_updated_ts")?);
    // No event begins while the sandbox runs, so that each keeps its place.
    let matching = events(state).enumerate().filter(|(_, markets)| {
        let first = &markets[0];
        status.is_none_or(|statuses| markets.iter().any(|market| statuses.contains(&market.status(call.now))))
            && query.lists("series_ticker", series_at(first.series).ticker)
            && query.lists("tickers", &first.event_ticker)
            && min_close.is_none_or(|seconds| first.times.close / 1000 >= seconds)
            && min_updated.is_none_or(|seconds| first.times.created / 1000 >= seconds)
    });
    let (page, cursor) = query.page_of(matching, 200, 200)?;
    let nested = query.is_set("with_nested_markets");
    let page: Vec<Value> = page.into_iter().map(|markets| event(state, call, markets, nested)).collect();
    let mut json = json!({"events": page, "cursor": cursor});
    if query.is_set("with_milestones") {
        json["milestones"] = json!([]);
    }
    Ok(Reply::json(200, &json))
}

pub(super) fn event_alone(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let ticker = call.given.in_path("event_ticker");
    let markets = events(state).find(|markets| markets[0].event_ticker == ticker).ok_or_else(Refusal::not_found)?;
    let nested = call.query().is_set("with_nested_markets");
    let mut json = json!({"event": event(state, call, markets, nested)});
    if !nested {
        json["markets"] = shown(state, call, markets);
    }
    Ok(Reply::json(200, &json))
}

fn shown(state: &State, call: &Call, markets: &[Market]) -> Value {
    markets.iter().map(|market| market.show(&state.events, call.now)).collect()
}

fn event(state: &State, call: &Call, markets: &[Market], nested: bool) -> Value {
    let first = &markets[0];
    let series = series_at(first.series);
    let mut json = json!({
        "event_ticker": first.event_ticker,
        "series_ticker": series.ticker,
        "title": series.title,
        "sub_title": first.event_ticker,
        "collateral_return_type": "",
        "mutually_exclusive": false,
        "category": series.category,
        "settlement_sources": [],
        "strike_date": rfc3339(first.times.close),
        "last_updated_ts": rfc3339(first.times.created),
        "exchange_index": 0,
    });
    if nested {
        json["markets"] = shown(state, call, markets);
    }
    json
}

pub(super) fn series_list(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let query = call.query();
    let wanted = SERIES.iter().filter(|series| {
        query.lists("category", series.category) && query.lists("tags", "") && query.text("min_updated_ts").is_none()
    });
    let with_volume = query.is_set("include_volume");
    let list: Vec<Value> = wanted.map(|series| series_json(state, series, with_volume)).collect();
    Ok(Reply::json(200, &json!({"series": list})))
}

pub(super) fn series_alone(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let ticker = call.given.in_path("series_ticker");
    let series = SERIES.iter().find(|series| series.ticker == ticker).ok_or_else(Refusal::not_found)?;
    let with_volume = call.query().is_set("include_volume");
    Ok(Reply::json(200, &json!({"series": series_json(state, series, with_volume)})))
}

fn series_json(state: &State, series: &Series, with_volume: bool) -> Value {
    let mut json = json!({
        "ticker": series.ticker,
        "frequency": "daily",
        "title": series.title,
        "category": series.category,
        "categories": [series.category],
        "tags": [],
        "settlement_sources": [],
        "contract_url": format!("https://example.com/{}/filing.pdf", series.ticker),
        "contract_terms_url": format!("https://example.com/{}/terms.pdf", series.ticker),
        "fee_type": "quadratic",
        "fee_multiplier": 1,
        "additional_prohibitions": [],
        "exchange_index": 0,
    });
    if with_volume {
        let own = state.markets.iter().filter(|market| series_at(market.series).ticker == series.ticker);
        let books = own.filter_map(|market| state.events.book(&market.ticker));
        json["volume_fp"] = count(books.map(|book| book.volume).sum()).into();
    }
    json
}
