//! Order books and trades of perpetual futures.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::super::books::depth;
use super::super::call::Call;
use super::super::error::Refusal;
use super::super::markets::Span;
use super::super::read::{count, dollars, fixed_point};
use super::super::state::State;
use super::market::TICK;
use crate::clock::rfc3339;
use crate::exchange::Side;
use crate::message::Reply;

const MOST_MARKETS: usize = 100;

/// Both sides. The best level is the last. Levels are added up to steps, which round down.
fn show(state: &State, ticker: &str, depth: usize, step: Decimal) -> Value {
    let side = |side: Side| {
        let mut levels: Vec<(Decimal, Decimal)> = Vec::new();
        for (price, contracts) in state.perps.exchange.levels(ticker, side) {
            let price = price - price % step;
            match levels.last_mut() {
                Some((last, sum)) if *last == price => *sum += contracts,
                _ => levels.push((price, contracts)),
            }
        }
        levels.truncate(depth);
        let levels = levels.into_iter().rev();
        levels.map(|(price, contracts)| [dollars(price), count(contracts)]).collect::<Vec<_>>()
    };
    json!({"bids": side(Side::Bid), "asks": side(Side::Ask)})
}

pub(in super::super) fn one(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let ticker = call.given.in_path("ticker");
    let contract = state.perps.contract(ticker).ok_or_else(Refusal::not_found)?;
    let query = call.query();
    let step = match query.text("aggregation_tick_size") {
        None => TICK,
        Some(text) => fixed_point(text, 4)
            .filter(|step| !step.is_zero())
            .ok_or_else(|| query.refuse("aggregation_tick_size", "number"))?,
    };
    Ok(Reply::json(200, &json!({"orderbook": show(state, contract.ticker, depth(call)?, step)})))
}

pub(in super::super) fn several(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let query = call.query();
    let tickers: Vec<&str> = query.text("tickers").unwrap_or_default().split(',').map(str::trim).collect();
    if tickers.len() > MOST_MARKETS {
        return Err(query.refuse("tickers", "max"));
    }
    let mut books: Vec<Value> = Vec::new();
    for ticker in tickers {
        let contract = state.perps.contract(ticker).ok_or_else(Refusal::not_found)?;
        books.push(json!({"ticker": ticker, "orderbook": show(state, contract.ticker, usize::MAX, TICK)}));
    }
    Ok(Reply::json(200, &json!({"orderbooks": books})))
}

pub(in super::super) fn trades(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let query = call.query();
    let ticker = query.text("ticker");
    if ticker.is_some_and(|ticker| state.perps.contract(ticker).is_none()) {
        return Err(Refusal::new(404, "market_not_found"));
    }
    let time = Span { from: query.integer("min_ts")?, to: query.integer("max_ts")? };
    let trades = state.perps.exchange.newest_trades(ticker);
    let (page, cursor) = query.page(trades.filter(|(_, trade)| time.holds(Some(trade.time))))?;
    let page = page.into_iter().map(|trade| {
        json!({
            "trade_id": trade.id,
            "ticker": trade.ticker,
            "count": count(trade.count),
            "price": dollars(trade.price),
            "created_time": rfc3339(trade.time),
            "taker_side": trade.taker_side.name(),
        })
    });
    let page: Vec<Value> = page.collect();
    Ok(Reply::json(200, &json!({"trades": page, "cursor": cursor})))
}
