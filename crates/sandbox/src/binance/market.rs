//! Public reads: markets, books, trades, candles and tickers.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::candles::{Window, interval_named};
use super::limits::{DAY_MILLIS, MINUTE_MILLIS};
use super::place::{symbol, symbol_named};
use super::read::{Given, part};
use super::reply::Refusal;
use super::settings::BinanceSettings;
use super::symbols::{eight, rate_limits};
use super::trading::{AggregateTrade, PublicTrade, Trading};
use crate::exchange::{Interval, Side};

type Outcome = Result<Value, Refusal>;

/// The markets that a call names by `symbol` or by `symbols`. `None` if it names no market.
fn named(trading: &Trading, given: &Given) -> Result<Option<(Vec<usize>, bool)>, Refusal> {
    match (given.has("symbol"), given.list("symbols")?) {
        (true, Some(_)) => Err(Refusal::combination("symbol=XXX or symbols=[\"XXX\"]")),
        (true, None) => Ok(Some((vec![symbol(trading, given)?], true))),
        (false, Some(names)) => {
            let found = names.iter().map(|name| symbol_named(trading, name, "symbols"));
            Ok(Some((found.collect::<Result<_, _>>()?, false)))
        }
        (false, None) => Ok(None),
    }
}

/// One object for one market, a list for several or all.
fn for_each(trading: &Trading, given: &Given, show: impl Fn(usize) -> Value) -> Outcome {
    match named(trading, given)? {
        Some((found, true)) => Ok(show(found[0])),
        Some((found, false)) => Ok(found.into_iter().map(show).collect()),
        None => Ok((0..trading.symbols.len()).map(show).collect()),
    }
}

pub(super) fn exchange_info(trading: &Trading, given: &Given, settings: &BinanceSettings, now: i64) -> Outcome {
    let wanted = named(trading, given)?.map(|(wanted, _)| wanted);
    let is_spot = match given.text("permissions") {
        None => true,
        Some(text) => text.contains("SPOT") || text.contains("MARGIN"),
    };
    let is_trading = given.text("symbolStatus").is_none_or(|status| status == "TRADING");
    let shown = trading.symbols.iter().enumerate();
    let shown =
        shown.filter(|(index, _)| wanted.as_ref().is_none_or(|wanted| wanted.contains(index)) && is_spot && is_trading);
    let symbols: Vec<Value> = shown.map(|(_, symbol)| symbol.show()).collect();
    Ok(json!({
        "timezone": "UTC",
        "serverTime": now,
        "rateLimits": rate_limits(settings),
        "exchangeFilters": [],
        "symbols": symbols,
    }))
}

pub(super) fn depth(trading: &Trading, given: &Given) -> Outcome {
    let index = symbol(trading, given)?;
    let limit = given.limit("limit", 100, 5000)?;
    Ok(book(trading, index, limit))
}

/// The best levels of a book, and the last update that they include.
pub(super) fn book(trading: &Trading, index: usize, limit: usize) -> Value {
    let levels = |side: Side| -> Vec<[String; 2]> {
        let levels = trading.levels(index, side).into_iter().take(limit);
        levels.map(|(price, size)| [eight(price), eight(size)]).collect()
    };
    json!({"lastUpdateId": trading.updates[index].last(), "bids": levels(Side::Bid), "asks": levels(Side::Ask)})
}

fn trade(trade: &PublicTrade) -> Value {
    json!({
        "id": trade.id,
        "price": eight(trade.price),
        "qty": eight(trade.qty),
        "quoteQty": eight(trade.price * trade.qty),
        "time": trade.time,
        "isBuyerMaker": trade.is_buyer_maker,
        "isBestMatch": true,
    })
}

/// The last trades, or those from an id on.
pub(super) fn trades(trading: &Trading, given: &Given) -> Outcome {
    let all = &trading.trades[symbol(trading, given)?];
    let limit = given.limit("limit", 500, 1000)?;
    let start = match given.integer("fromId")? {
        Some(from) => all.partition_point(|trade| trade.id < from),
        None => all.len().saturating_sub(limit),
    };
    Ok(all.iter().skip(start).take(limit).map(trade).collect())
}

fn aggregate(trade: &AggregateTrade) -> Value {
    json!({
        "a": trade.id,
        "p": eight(trade.price),
        "q": eight(trade.qty),
        "f": trade.first,
        "l": trade.last,
        "T": trade.time,
        "m": trade.is_buyer_maker,
        "M": true,
    })
}

/// Trades of one order at one price together: the last ones, from an id on, or within a span of time.
pub(super) fn aggregate_trades(trading: &Trading, given: &Given) -> Outcome {
    let all = &trading.aggregates[symbol(trading, given)?];
    let (limit, from, (start, end)) = (given.limit("limit", 500, 1000)?, given.integer("fromId")?, given.span()?);
    if from.is_some() && (given.has("startTime") || given.has("endTime")) {
        return Err(Refusal::combination("symbol with fromId, or with startTime and endTime"));
    }
    let fitting: Vec<&AggregateTrade> = all
        .iter()
        .filter(|trade| from.is_none_or(|from| trade.id >= from) && (start..=end).contains(&trade.time))
        .collect();
    let from_start = from.is_some() || given.has("startTime");
    Ok(part(&fitting, limit, from_start).map(|trade| aggregate(trade)).collect())
}

/// A zone such as `8`, `-1:00` or `05:45`, as milliseconds ahead of UTC.
fn zone(text: &str) -> Option<i64> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (hours, minutes) = rest.split_once(':').unwrap_or((rest, "0"));
    let (hours, minutes) = (hours.parse::<u8>().ok()?, minutes.parse::<u8>().ok()?);
    let ahead = sign * (i64::from(hours) * 60 + i64::from(minutes));
    let fits = minutes < 60 && (-12 * 60..=14 * 60).contains(&ahead);
    fits.then_some(ahead * MINUTE_MILLIS)
}

/// The zone that a call names, as milliseconds ahead of UTC. UTC by default.
fn time_zone(given: &Given) -> Result<i64, Refusal> {
    match given.text("timeZone") {
        None => Ok(0),
        Some(text) => zone(text).ok_or_else(|| Refusal::invalid("timeZone")),
    }
}

pub(super) fn klines(trading: &Trading, given: &Given, now: i64) -> Outcome {
    let index = symbol(trading, given)?;
    let interval = interval_named(given.required("interval")?);
    let interval = interval.ok_or_else(|| Refusal::new(-1120, "Invalid interval."))?;
    let zone = time_zone(given)?;
    given.span()?;
    let end = given.time("endTime")?.unwrap_or(now).min(now);
    let limit = given.limit("limit", 500, 1000)?;
    let candles = trading.candles(index, (interval, zone), (given.time("startTime")?, end), limit);
    Ok(candles.iter().map(Window::candle).collect())
}

pub(super) fn average_price(trading: &Trading, given: &Given, now: i64) -> Outcome {
    let index = symbol(trading, given)?;
    let window = trading.window(index, now - 5 * MINUTE_MILLIS, now + 1);
    let last = trading.trades[index].last().map_or(now, |trade| trade.time);
    Ok(json!({"mins": 5, "price": eight(window.mean()), "closeTime": last}))
}

pub(super) fn price(trading: &Trading, given: &Given) -> Outcome {
    for_each(
        trading,
        given,
        |index| json!({"symbol": trading.symbols[index].name, "price": eight(trading.last(index))}),
    )
}

pub(super) fn book_ticker(trading: &Trading, given: &Given) -> Outcome {
    for_each(trading, given, |index| {
        let mut shown = best(trading, index);
        shown["symbol"] = trading.symbols[index].name.as_str().into();
        shown
    })
}

fn best(trading: &Trading, index: usize) -> Value {
    let [bid, ask] = Side::BOTH.map(|side| trading.best(index, side).unwrap_or_default());
    json!({"bidPrice": eight(bid.0), "bidQty": eight(bid.1), "askPrice": eight(ask.0), "askQty": eight(ask.1)})
}

/// Whether the short form of a ticker is wanted.
fn is_mini(given: &Given) -> Result<bool, Refusal> {
    match given.text("type") {
        None | Some("FULL") => Ok(false),
        Some("MINI") => Ok(true),
        Some(_) => Err(Refusal::invalid("type")),
    }
}

pub(super) fn day_ticker(trading: &Trading, given: &Given, now: i64) -> Outcome {
    let is_mini = is_mini(given)?;
    for_each(trading, given, |index| {
        let window = trading.window(index, now - DAY_MILLIS, now + 1);
        let mut shown = ticker(trading, index, &window, is_mini);
        if !is_mini {
            shown["prevClosePrice"] = eight(window.before).into();
            shown["lastQty"] = eight(window.last_qty).into();
            if let (Some(all), Value::Object(best)) = (shown.as_object_mut(), best(trading, index)) {
                all.extend(best);
            }
        }
        shown
    })
}

/// Tickers of the named markets. At least one is required.
fn named_tickers(trading: &Trading, given: &Given, window: impl Fn(usize) -> Window) -> Outcome {
    let is_mini = is_mini(given)?;
    if named(trading, given)?.is_none() {
        return Err(Refusal::combination("symbol=XXX or symbols=[\"XXX\"]"));
    }
    for_each(trading, given, |index| ticker(trading, index, &window(index), is_mini))
}

pub(super) fn trading_day(trading: &Trading, given: &Given, now: i64) -> Outcome {
    let start = Interval::Millis(DAY_MILLIS).start_in(now, time_zone(given)?);
    named_tickers(trading, given, |index| trading.window(index, start, start + DAY_MILLIS))
}

pub(super) fn window_ticker(trading: &Trading, given: &Given, now: i64) -> Outcome {
    let text = given.text("windowSize").unwrap_or("1d");
    let wrong = || Refusal::invalid("windowSize");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let number: i64 = number.parse().map_err(|_| wrong())?;
    let length = match (unit, number) {
        ("m", 1..=59) => number * MINUTE_MILLIS,
        ("h", 1..=23) => number * 60 * MINUTE_MILLIS,
        ("d", 1..=7) => number * DAY_MILLIS,
        _ => return Err(wrong()),
    };
    // Windows open on whole minutes.
    let start = now - length;
    let start = start - start.rem_euclid(MINUTE_MILLIS);
    named_tickers(trading, given, |index| trading.window(index, start, now + 1))
}

fn ticker(trading: &Trading, index: usize, window: &Window, is_mini: bool) -> Value {
    let mut shown = json!({
        "symbol": trading.symbols[index].name,
        "openPrice": eight(window.open),
        "highPrice": eight(window.high),
        "lowPrice": eight(window.low),
        "lastPrice": eight(window.close),
        "volume": eight(window.volume),
        "quoteVolume": eight(window.turnover),
        "openTime": window.start,
        "closeTime": window.end - 1,
        "firstId": window.first_id,
        "lastId": window.last_id,
        "count": window.count,
    });
    if !is_mini {
        shown["priceChange"] = eight(window.close - window.open).into();
        shown["priceChangePercent"] = percent(window).into();
        shown["weightedAvgPrice"] = eight(window.mean()).into();
    }
    shown
}

/// By how much the price has changed, with three decimals.
pub(super) fn percent(window: &Window) -> String {
    let mut percent = (window.close - window.open) / window.open * Decimal::ONE_HUNDRED;
    percent = percent.round_dp(3);
    percent.rescale(3);
    percent.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_read() {
        assert_eq!(zone("8"), Some(8 * 60 * MINUTE_MILLIS));
        assert_eq!(zone("-1:00"), Some(-60 * MINUTE_MILLIS));
        assert_eq!(zone("05:45"), Some(345 * MINUTE_MILLIS));
        for wrong in ["", "15", "-13", "x", "1:99", "--1", "1:-1", "9223372036854775807"] {
            assert_eq!(zone(wrong), None, "{wrong}");
        }
    }
}
