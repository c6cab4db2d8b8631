//! The payloads of market streams.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::names::Subject;
use crate::binance::candles::{Window, interval_name};
use crate::binance::limits::{DAY_MILLIS, MINUTE_MILLIS};
use crate::binance::market::{book, percent};
use crate::binance::symbols::eight;
use crate::binance::time_unit::TimeUnit;
use crate::binance::trading::{AggregateTrade, PublicTrade, Trading};
use crate::exchange::{Interval, Side};

const HOUR_MILLIS: i64 = 60 * MINUTE_MILLIS;

/// The moment of a payload, and the unit that it is written in.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub(super) now: i64,
    pub(super) unit: TimeUnit,
}

impl Moment {
    fn event(self) -> i64 {
        self.unit.show(self.now)
    }

    /// The last moment before a time.
    fn before(self, time: i64) -> i64 {
        self.unit.show(time) - 1
    }
}

pub(super) fn trade(symbol: &str, trade: &PublicTrade, moment: Moment) -> Value {
    json!({
        "e": "trade",
        "E": moment.event(),
        "s": symbol,
        "t": trade.id,
        "p": eight(trade.price),
        "q": eight(trade.qty),
        "T": moment.unit.show(trade.time),
        "m": trade.is_buyer_maker,
        "M": true,
    })
}

pub(super) fn aggregate_trade(symbol: &str, trade: &AggregateTrade, moment: Moment) -> Value {
    json!({
        "e": "aggTrade",
        "E": moment.event(),
        "s": symbol,
        "a": trade.id,
        "p": eight(trade.price),
        "q": eight(trade.qty),
        "f": trade.first,
        "l": trade.last,
        "T": moment.unit.show(trade.time),
        "m": trade.is_buyer_maker,
        "M": true,
    })
}

pub(super) fn book_ticker(trading: &Trading, index: usize) -> Value {
    let [bid, ask] = Side::BOTH.map(|side| trading.best(index, side).unwrap_or_default());
    json!({
        "u": trading.updates[index].last(),
        "s": trading.symbols[index].name,
        "b": eight(bid.0),
        "B": eight(bid.1),
        "a": eight(ask.0),
        "A": eight(ask.1),
    })
}

/// Levels of one side: price and quantity.
type Levels<'a> = &'a [(Decimal, Decimal)];

/// The changes of a book from one update to another. Quantities are those after the last one.
pub(super) fn depth_update(
    symbol: &str,
    (first, last): (i64, i64),
    (bids, asks): (Levels<'_>, Levels<'_>),
    moment: Moment,
) -> Value {
    let levels = |levels: Levels<'_>| -> Vec<[String; 2]> {
        levels.iter().map(|(price, size)| [eight(*price), eight(*size)]).collect()
    };
    json!({
        "e": "depthUpdate",
        "E": moment.event(),
        "s": symbol,
        "U": first,
        "u": last,
        "b": levels(bids),
        "a": levels(asks),
    })
}

pub(super) fn candle(
    trading: &Trading,
    index: usize,
    (interval, zone): (Interval, i64),
    start: i64,
    moment: Moment,
) -> Value {
    let window = trading.window(index, start, interval.next_in(start, zone));
    let symbol = &trading.symbols[index].name;
    json!({
        "e": "kline",
        "E": moment.event(),
        "s": symbol,
        "k": {
            "t": moment.unit.show(window.start),
            "T": moment.before(window.end),
            "s": symbol,
            "i": interval_name(interval),
            "f": window.first_id,
            "L": window.last_id,
            "o": eight(window.open),
            "c": eight(window.close),
            "h": eight(window.high),
            "l": eight(window.low),
            "v": eight(window.volume),
            "n": window.count,
            "x": window.end <= moment.now,
            "q": eight(window.turnover),
            "V": eight(window.bought),
            "Q": eight(window.bought_value),
            "B": "0",
        },
    })
}

/// A payload that shows how a market is at the moment.
pub(super) fn standing(trading: &Trading, index: usize, subject: Subject, moment: Moment) -> Option<Value> {
    let now = moment.now;
    Some(match subject {
        Subject::MiniTicker => mini_ticker(trading, index, moment),
        Subject::Ticker => ticker(trading, index, moment),
        Subject::WindowTicker(hours) => window_ticker(trading, index, hours, moment),
        Subject::AveragePrice => average_price(trading, index, moment),
        Subject::ReferencePrice => json!({
            "e": "referencePrice",
            "s": trading.symbols[index].name,
            // The sandbox has none.
            "r": null,
            "t": moment.unit.show(now),
        }),
        Subject::Levels { count, .. } => book(trading, index, count),
        Subject::BookTicker => book_ticker(trading, index),
        _ => return None,
    })
}

fn mini_ticker(trading: &Trading, index: usize, moment: Moment) -> Value {
    let window = trading.window(index, moment.now - DAY_MILLIS, moment.now + 1);
    json!({
        "e": "24hrMiniTicker",
        "E": moment.event(),
        "s": trading.symbols[index].name,
        "c": eight(window.close),
        "o": eight(window.open),
        "h": eight(window.high),
        "l": eight(window.low),
        "v": eight(window.volume),
        "q": eight(window.turnover),
    })
}

/// What all longer tickers have.
fn statistics(trading: &Trading, index: usize, window: &Window, kind: &str, moment: Moment) -> Value {
    json!({
        "e": kind,
        "E": moment.event(),
        "s": trading.symbols[index].name,
        "p": eight(window.close - window.open),
        "P": percent(window),
        "w": eight(window.mean()),
        "c": eight(window.close),
        "o": eight(window.open),
        "h": eight(window.high),
        "l": eight(window.low),
        "v": eight(window.volume),
        "q": eight(window.turnover),
        "O": moment.unit.show(window.start),
        "C": moment.before(window.end),
        "F": window.first_id,
        "L": window.last_id,
        "n": window.count,
    })
}

fn ticker(trading: &Trading, index: usize, moment: Moment) -> Value {
    let window = trading.window(index, moment.now - DAY_MILLIS, moment.now + 1);
    let mut shown = statistics(trading, index, &window, "24hrTicker", moment);
    shown["x"] = eight(window.before).into();
    shown["Q"] = eight(window.last_qty).into();
    let best = book_ticker(trading, index);
    for name in ["b", "B", "a", "A"] {
        shown[name] = best[name].clone();
    }
    shown
}

fn window_ticker(trading: &Trading, index: usize, hours: i64, moment: Moment) -> Value {
    let start = moment.now - hours * HOUR_MILLIS;
    // It opens on a whole minute.
    let window = trading.window(index, start - start.rem_euclid(MINUTE_MILLIS), moment.now + 1);
    let kind = match hours {
        24 => "1dTicker".to_owned(),
        hours => format!("{hours}hTicker"),
    };
    statistics(trading, index, &window, &kind, moment)
}

fn average_price(trading: &Trading, index: usize, moment: Moment) -> Value {
    let window = trading.window(index, moment.now - 5 * MINUTE_MILLIS, moment.now + 1);
    let last = trading.trades[index].last().map_or(moment.now, |trade| trade.time);
    json!({
        "e": "avgPrice",
        "E": moment.event(),
        "s": trading.symbols[index].name,
        "i": "5m",
        "w": eight(window.mean()),
        "T": moment.unit.show(last),
    })
}
