//! Candlesticks of markets, made from their trades and best prices.

use serde_json::{Value, json};

use super::call::Call;
use super::error::Refusal;
use super::markets::Market;
use super::read::{count, dollars, mean};
use super::series::series_at;
use super::state::State;
use crate::exchange::{Candle, Exchange, Range, Rules};
use crate::message::Reply;

const MOST_CANDLES: i64 = 10_000;
const MOST_MARKETS: usize = 100;

/// The times that a query asks for.
pub(super) struct Periods {
    from: i64,
    to: i64,
    minutes: i64,
    with_latest: bool,
}

impl Periods {
    pub(super) fn read(call: &Call) -> Result<Self, Refusal> {
        let query = call.query();
        let required = |name: &str| query.integer(name)?.ok_or_else(|| query.refuse(name, "required"));
        let minutes = required("period_interval")?;
        if ![1, 60, 1440].contains(&minutes) {
            return Err(query.refuse("period_interval", "oneof"));
        }
        let (from, to) = (required("start_ts")?, required("end_ts")?);
        if from > to {
            return Err(query.refuse("start_ts", "ltefield"));
        }
        let with_latest = query.is_set("include_latest_before_start");
        Ok(Self { from, to, minutes, with_latest })
    }

    /// The candles of a market. With the latest before the start, if asked for, as one without prices.
    pub(super) fn candles<R: Rules>(&self, exchange: &Exchange<R>, ticker: &str, now: i64) -> Vec<Candle> {
        let mut candles = exchange.candles(ticker, self.from, self.to, self.minutes, now);
        if self.with_latest {
            let mut before = exchange.trades_of(ticker).rev().filter(|trade| trade.time / 1000 < self.from);
            if let Some(latest) = before.next() {
                let first = Candle {
                    end: self.from,
                    bid: None,
                    ask: None,
                    price: None,
                    mean: None,
                    previous: Some(latest.price),
                    volume: Default::default(),
                    turnover: Default::default(),
                    open_interest: latest.open_interest,
                };
                candles.insert(0, first);
            }
        }
        candles
    }

    /// Refuses what is too much for one response.
    pub(super) fn check(candles: usize) -> Result<(), Refusal> {
        if i64::try_from(candles).is_ok_and(|candles| candles <= MOST_CANDLES) {
            return Ok(());
        }
        Err(Refusal::invalid(&format!("no more than {MOST_CANDLES} candlesticks are sent at once")))
    }
}

pub(super) fn of_market(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let market = state.market(call.given.in_path("ticker")).filter(|market| is_of_series(market, call));
    let market = market.ok_or_else(Refusal::not_found)?;
    let periods = Periods::read(call)?;
    let candles = periods.candles(&state.events, &market.ticker, call.now);
    Periods::check(candles.len())?;
    Ok(Reply::json(200, &json!({"ticker": market.ticker, "candlesticks": shown(&candles)})))
}

fn is_of_series(market: &Market, call: &Call) -> bool {
    series_at(market.series).ticker == call.given.in_path("series_ticker")
}

pub(super) fn of_markets(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let (query, periods) = (call.query(), Periods::read(call)?);
    let tickers: Vec<&str> = query.text("market_tickers").unwrap_or_default().split(',').map(str::trim).collect();
    if tickers.len() > MOST_MARKETS {
        return Err(query.refuse("market_tickers", "max"));
    }
    let (mut markets, mut sum) = (Vec::new(), 0);
    for ticker in tickers {
        let market = state.market(ticker).ok_or_else(|| Refusal::new(404, "market_not_found"))?;
        let candles = periods.candles(&state.events, &market.ticker, call.now);
        sum += candles.len();
        Periods::check(sum)?;
        markets.push(json!({"market_ticker": ticker, "candlesticks": shown(&candles)}));
    }
    Ok(Reply::json(200, &json!({"markets": markets})))
}

pub(super) fn of_event(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let (event, periods) = (call.given.in_path("ticker"), Periods::read(call)?);
    let markets: Vec<&Market> =
        state.markets.iter().filter(|market| market.event_ticker == event && is_of_series(market, call)).collect();
    if markets.is_empty() {
        return Err(Refusal::not_found());
    }
    let tickers: Vec<&str> = markets.iter().map(|market| market.ticker.as_str()).collect();
    let candles: Vec<Vec<Candle>> =
        tickers.iter().map(|ticker| periods.candles(&state.events, ticker, call.now)).collect();
    Periods::check(candles.iter().map(Vec::len).sum())?;
    let candles: Vec<Vec<Value>> = candles.iter().map(|candles| shown(candles)).collect();
    Ok(Reply::json(
        200,
        &json!({"market_tickers": tickers, "market_candlesticks": candles, "adjusted_end_ts": periods.to}),
    ))
}

fn shown(candles: &[Candle]) -> Vec<Value> {
    candles.iter().map(to_json).collect()
}

/// The members of a range, each with the end of its name.
pub(super) fn range(range: Option<Range>, suffix: &str) -> Value {
    let mut json = json!({});
    if let Some(range) = range {
        let members = [("open", range.open), ("low", range.low), ("high", range.high), ("close", range.close)];
        for (name, price) in members {
            json[format!("{name}{suffix}")] = dollars(price).into();
        }
    }
    json
}

/// The prices of a candle, each with the end of its name.
pub(super) fn prices(candle: &Candle, suffix: &str) -> Value {
    let mut json = range(candle.price, suffix);
    if let Some(price) = candle.mean {
        json[format!("mean{suffix}")] = mean(price).into();
    }
    if let Some(price) = candle.previous {
        json[format!("previous{suffix}")] = dollars(price).into();
    }
    json
}

fn to_json(candle: &Candle) -> Value {
    json!({
        "end_period_ts": candle.end,
        "yes_bid": range(candle.bid, "_dollars"),
        "yes_ask": range(candle.ask, "_dollars"),
        "price": prices(candle, "_dollars"),
        "volume_fp": count(candle.volume),
        "open_interest_fp": count(candle.open_interest),
    })
}
