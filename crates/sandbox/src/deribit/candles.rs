//! Candles, made from the trades.

use serde::Serialize;

use super::error::Error;
use super::instruments::{self, Instrument};
use super::params::Params;
use super::state::{Outcome, State, done};
use super::tape::required_time;
use super::trades::PublicTrade;
use crate::number::Number;

const MINUTE_MILLIS: i64 = 60_000;
const MOST_CANDLES: i64 = 5000;
const RESOLUTIONS: [(&str, i64); 12] = [
    ("1", 1),
    ("3", 3),
    ("5", 5),
    ("10", 10),
    ("15", 15),
    ("30", 30),
    ("60", 60),
    ("120", 120),
    ("180", 180),
    ("360", 360),
    ("720", 720),
    ("1D", 1440),
];

/// A candle with all that it is made of.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Candle {
    tick: i64,
    open: Number,
    high: Number,
    low: Number,
    close: Number,
    /// In the base currency.
    volume: Number,
    /// In the quote currency.
    cost: Number,
}

impl Candle {
    fn begin(tick: i64, price: Number) -> Self {
        let none = Number::default();
        Self { tick, open: price, high: price, low: price, close: price, volume: none, cost: none }
    }

    fn add(&mut self, instrument: &Instrument, trade: &PublicTrade) {
        let (amount, price) = (trade.amount.0, trade.price);
        self.high = self.high.max(price);
        self.low = self.low.min(price);
        self.close = price;
        self.volume = Number::from(self.volume.0 + instrument.base_amount(amount, price.0));
        self.cost = Number::from(self.cost.0 + instrument.quote_amount(amount, price.0));
    }
}

/// A length of candles that the venue knows.
pub(super) fn resolution(text: &str) -> Option<&'static str> {
    RESOLUTIONS.iter().map(|(name, _)| *name).find(|name| *name == text)
}

fn millis(resolution: &str) -> i64 {
    let minutes = RESOLUTIONS.iter().find(|(name, _)| *name == resolution).map_or(1, |(_, minutes)| *minutes);
    minutes * MINUTE_MILLIS
}

/// The candles in which there were trades, the oldest first.
fn candles<'a>(
    instrument: &Instrument,
    trades: impl Iterator<Item = &'a PublicTrade>,
    resolution: &str,
) -> Vec<Candle> {
    let length = millis(resolution);
    let mut candles: Vec<Candle> = Vec::new();
    for trade in trades {
        let tick = trade.timestamp.div_euclid(length) * length;
        if candles.last().is_none_or(|last| last.tick != tick) {
            candles.push(Candle::begin(tick, trade.price));
        }
        if let Some(last) = candles.last_mut() {
            last.add(instrument, trade);
        }
    }
    candles
}

/// The candle of the last trade.
pub(super) fn latest(state: &State, instrument: &Instrument, resolution: &str) -> Option<Candle> {
    let length = millis(resolution);
    let tick = state.tape_of(instrument.instrument_name).next_back()?.timestamp.div_euclid(length) * length;
    let trades = state.tape_of(instrument.instrument_name).filter(|trade| trade.timestamp >= tick);
    candles(instrument, trades, resolution).pop()
}

#[derive(Default, Serialize)]
struct Chart {
    status: &'static str,
    ticks: Vec<i64>,
    open: Vec<Number>,
    high: Vec<Number>,
    low: Vec<Number>,
    close: Vec<Number>,
    volume: Vec<Number>,
    cost: Vec<Number>,
}

/// `public/get_tradingview_chart_data`. A candle without trades stands where the one before it closed.
pub(super) fn get_tradingview_chart_data(state: &mut State, params: &Params) -> Outcome {
    let instrument = instruments::named(state, params)?;
    let (from, until) = (required_time(params, "start_timestamp")?, required_time(params, "end_timestamp")?);
    let asked = params.required("resolution", params.text("resolution")?)?;
    let resolution = resolution(&asked).ok_or_else(|| Error::invalid_param("resolution", "unknown"))?;
    if from > until {
        return Err(Error::invalid_param("end_timestamp", "must not be before start_timestamp"));
    }
    let length = millis(resolution);
    let all = candles(instrument, state.tape_of(instrument.instrument_name), resolution);
    let mut filled: Vec<Candle> = Vec::new();
    // From the first trade on, and not beyond now.
    let end = until.min(state.now());
    let begin = from.max(all.first().map_or(i64::MAX, |first| first.tick)).max(end - MOST_CANDLES * length);
    let mut tick = begin.div_euclid(length).saturating_mul(length);
    if tick < begin {
        tick = tick.saturating_add(length);
    }
    while tick <= end && !all.is_empty() {
        let before = all.iter().rev().find(|candle| candle.tick <= tick);
        if let Some(before) = before {
            let exact = before.tick == tick;
            filled.push(if exact { before.clone() } else { Candle::begin(tick, before.close) });
        }
        tick += length;
    }
    let mut chart = Chart { status: if filled.is_empty() { "no_data" } else { "ok" }, ..Chart::default() };
    for candle in filled {
        chart.ticks.push(candle.tick);
        chart.open.push(candle.open);
        chart.high.push(candle.high);
        chart.low.push(candle.low);
        chart.close.push(candle.close);
        chart.volume.push(candle.volume);
        chart.cost.push(candle.cost);
    }
    done(&chart)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_resolution_is_known_by_its_name() {
        assert_eq!((resolution("1D"), millis("1D")), (Some("1D"), 86_400_000));
        assert_eq!(resolution("2"), None);
    }
}
