//! Order books and trades.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::call::Call;
use super::error::Refusal;
use super::markets::Span;
use super::orders::outcome;
use super::read::{count, dollars};
use super::state::State;
use crate::clock::rfc3339;
use crate::exchange::{Side, Trade};
use crate::message::Reply;

const MOST_MARKETS: usize = 100;

/// The bids for yes and for no. The best level is the last.
fn show(state: &State, ticker: &str, depth: usize) -> Value {
    let side = |side: Side| {
        let levels = state.events.levels(ticker, side).into_iter().take(depth);
        let price = |price: Decimal| if side == Side::Bid { price } else { Decimal::ONE - price };
        let mut levels: Vec<_> = levels.map(|(at, contracts)| [dollars(price(at)), count(contracts)]).collect();
        levels.reverse();
        levels
    };
    json!({"yes_dollars": side(Side::Bid), "no_dollars": side(Side::Ask)})
}

/// How many levels a query asks for; all, if none or 0.
pub(super) fn depth(call: &Call) -> Result<usize, Refusal> {
    let query = call.query();
    match query.integer("depth")? {
        None | Some(0) => Ok(usize::MAX),
        Some(depth @ 1..=100) => Ok(usize::try_from(depth).unwrap_or(usize::MAX)),
        Some(depth) => Err(query.refuse("depth", if depth < 0 { "min" } else { "max" })),
    }
}

pub(super) fn one(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let market = state.market(call.given.in_path("ticker")).ok_or_else(Refusal::not_found)?;
    Ok(Reply::json(200, &json!({"orderbook_fp": show(state, &market.ticker, depth(call)?)})))
}

pub(super) fn several(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let pairs = call.request.query_pairs();
    let tickers: Vec<&str> = pairs.iter().filter(|(name, _)| name == "tickers").map(|(_, ticker)| &**ticker).collect();
    if tickers.len() > MOST_MARKETS {
        return Err(call.query().refuse("tickers", "max"));
    }
    let mut books: Vec<Value> = Vec::new();
    for ticker in tickers {
        let market = state.market(ticker).ok_or_else(|| Refusal::new(404, "market_not_found"))?;
        books.push(json!({"ticker": ticker, "orderbook_fp": show(state, &market.ticker, usize::MAX)}));
    }
    Ok(Reply::json(200, &json!({"orderbooks": books})))
}

pub(super) fn trades(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let query = call.query();
    let time = Span { from: query.integer("min_ts")?, to: query.integer("max_ts")? };
    // All trades of the sandbox are made in the book.
    let (of_blocks, ticker) = (query.is_set("is_block_trade"), query.text("ticker"));
    let all = state.events.newest_trades(ticker);
    let matching = all.filter(|(_, trade)| !of_blocks && time.holds(Some(trade.time)));
    let (page, cursor) = query.page(matching)?;
    let page: Vec<Value> = page.into_iter().map(trade).collect();
    Ok(Reply::json(200, &json!({"trades": page, "cursor": cursor})))
}

fn trade(trade: &Trade) -> Value {
    let taker = outcome(trade.taker_side);
    json!({
        "trade_id": trade.id,
        "ticker": trade.ticker,
        "count_fp": count(trade.count),
        "yes_price_dollars": dollars(trade.price),
        "no_price_dollars": dollars(Decimal::ONE - trade.price),
        "taker_side": taker,
        "taker_outcome_side": taker,
        "taker_book_side": trade.taker_side.name(),
        "created_time": rfc3339(trade.time),
        "is_block_trade": false,
    })
}
