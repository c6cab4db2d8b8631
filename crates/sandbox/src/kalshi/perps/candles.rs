//! Candles of perpetual futures.

use serde_json::{Value, json};

use super::super::call::Call;
use super::super::candles::{Periods, prices, range};
use super::super::error::Refusal;
use super::super::read::{count, dollars};
use super::super::state::State;
use crate::exchange::{Candle, Range};
use crate::message::Reply;

/// Prices of quotes may not be null: those of a side without orders are zero.
fn quotes(quoted: Option<Range>) -> Value {
    range(quoted.or(Some(Range::default())), "")
}

/// None of these members is left out, though each may be null. Those of an event's market are left out.
fn all_prices(candle: &Candle) -> Value {
    let mut all = json!({"open": null, "low": null, "high": null, "close": null, "mean": null, "previous": null});
    if let (Value::Object(all), Value::Object(known)) = (&mut all, prices(candle, "")) {
        all.extend(known);
    }
    all
}

pub(in super::super) fn get(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let contract = state.perps.contract(call.given.in_path("ticker")).ok_or_else(Refusal::not_found)?;
    let exchange = &state.perps.exchange;
    let candles = Periods::read(call)?.candles(exchange, contract.ticker, call.now);
    Periods::check(candles.len())?;
    let candles: Vec<Value> = candles
        .iter()
        .map(|candle| {
            let close = candle.price.map(|price| price.close).or(candle.previous).unwrap_or_default();
            json!({
                "end_period_ts": candle.end,
                "bid": quotes(candle.bid),
                "ask": quotes(candle.ask),
                "price": all_prices(candle),
                "volume": count(candle.volume),
                "volume_notional_value_dollars": dollars(candle.turnover),
                "open_interest": count(candle.open_interest),
                "open_interest_notional_value_dollars": dollars(candle.open_interest * close),
            })
        })
        .collect();
    Ok(Reply::json(200, &json!({"ticker": contract.ticker, "candlesticks": candles})))
}
