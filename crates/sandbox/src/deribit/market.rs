//! Public market data and the supporting methods.

use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde::Serialize;
use serde_json::json;

use super::error::Error;
use super::filter::{self, KindFilter};
use super::instruments::{self, Instrument};
use super::orders::Direction;
use super::params::Params;
use super::state::{Outcome, State, done};
use crate::number::{Number, NumberText};

/// In exponent form, as the venue writes small numbers.
pub(super) const FUNDING_8H: NumberText<'static> = NumberText("-4.739622041017375e-07");
/// Of all options, in percent.
pub(super) const VOLATILITY: Decimal = dec!(48.92);
/// Interest on a perpetual future.
pub(super) const INTEREST: f64 = 0.0;

/// Prices and the last day of an instrument.
#[derive(Serialize)]
pub(super) struct Ticker {
    instrument_name: &'static str,
    timestamp: i64,
    state: &'static str,
    stats: Stats,
    best_bid_price: Option<Number>,
    best_bid_amount: Number,
    best_ask_price: Option<Number>,
    best_ask_amount: Number,
    index_price: Number,
    mark_price: Number,
    min_price: Number,
    max_price: Number,
    last_price: Option<Number>,
    #[serde(flatten)]
    derivative: Option<Derivative>,
    #[serde(flatten)]
    perpetual: Option<Perpetual>,
    #[serde(flatten)]
    option: Option<OptionValues>,
}

/// Null where nothing was traded.
#[derive(Serialize)]
struct Stats {
    volume: Number,
    #[serde(skip_serializing_if = "Option::is_none")]
    volume_usd: Option<Number>,
    high: Option<Number>,
    low: Option<Number>,
    price_change: Option<Number>,
}

#[derive(Serialize)]
struct Derivative {
    open_interest: Number,
    settlement_price: Number,
    estimated_delivery_price: Number,
}

#[derive(Serialize)]
struct Perpetual {
    current_funding: Number,
    funding_8h: NumberText<'static>,
    interest_value: Number,
}

#[derive(Serialize)]
struct OptionValues {
    underlying_price: Number,
    underlying_index: String,
    interest_rate: Number,
    mark_iv: Number,
    bid_iv: Number,
    ask_iv: Number,
    greeks: Greeks,
}

#[derive(Serialize)]
struct Greeks {
    delta: Number,
    gamma: NumberText<'static>,
    rho: Number,
    theta: Number,
    vega: Number,
}

pub(super) fn ticker_of(state: &State, instrument: &Instrument) -> Ticker {
    let prices = instrument.prices;
    let best = |side: Direction| state.levels(instrument, side, 1).first().copied();
    let (bid, ask) = (best(Direction::Buy), best(Direction::Sell));
    let day = state.day(instrument);
    let derivative = Derivative {
        open_interest: state.open_interest(instrument).into(),
        settlement_price: Number(prices.mark),
        estimated_delivery_price: Number(prices.index),
    };
    let perpetual = Perpetual {
        current_funding: Number(dec!(0)),
        funding_8h: FUNDING_8H,
        interest_value: Number(dec!(1.7362511643080387)),
    };
    Ticker {
        instrument_name: instrument.instrument_name,
        timestamp: state.now(),
        state: "open",
        stats: Stats {
            volume: day.volume.into(),
            volume_usd: day.last.map(|_| day.volume_usd.into()),
            high: day.high.map(Number::from),
            low: day.low.map(Number::from),
            price_change: day.price_change().map(Number::from),
        },
        best_bid_price: bid.map(|level| Number(level.0)),
        best_bid_amount: Number(bid.unwrap_or_default().1),
        best_ask_price: ask.map(|level| Number(level.0)),
        best_ask_amount: Number(ask.unwrap_or_default().1),
        index_price: Number(prices.index),
        mark_price: Number(prices.mark),
        min_price: Number(prices.min()),
        max_price: Number(prices.max()),
        last_price: state.last_price(instrument.instrument_name).map(Number),
        derivative: (instrument.kind != "spot").then_some(derivative),
        perpetual: (instrument.settlement_period == Some("perpetual")).then_some(perpetual),
        option: instrument.is_option().then(|| option_values(instrument)),
    }
}

/// The delta of one contract of an option.
pub(super) fn delta(instrument: &Instrument) -> Option<Decimal> {
    let delta = if instrument.option_type == Some("put") { dec!(-0.30152) } else { dec!(0.48291) };
    instrument.is_option().then_some(delta)
}

fn option_values(instrument: &Instrument) -> OptionValues {
    let name = instrument.instrument_name;
    OptionValues {
        underlying_price: Number(instrument.prices.index),
        underlying_index: name.splitn(3, '-').take(2).collect::<Vec<_>>().join("-"),
        interest_rate: Number(dec!(0.0)),
        mark_iv: Number(VOLATILITY),
        bid_iv: Number(dec!(48.6)),
        ask_iv: Number(dec!(49.27)),
        greeks: Greeks {
            delta: Number(delta(instrument).unwrap_or_default()),
            gamma: NumberText("1e-05"),
            rho: Number(dec!(95.2187)),
            theta: Number(dec!(-28.80127)),
            vega: Number(dec!(158.4021)),
        },
    }
}

/// `public/ticker`.
pub(super) fn ticker(state: &mut State, params: &Params) -> Outcome {
    done(&ticker_of(state, instruments::named(state, params)?))
}

#[derive(Serialize)]
struct Book {
    #[serde(flatten)]
    ticker: Ticker,
    change_id: i64,
    bids: Vec<(Number, Number)>,
    asks: Vec<(Number, Number)>,
}

/// `public/get_order_book`.
pub(super) fn get_order_book(state: &mut State, params: &Params) -> Outcome {
    let depth = depth(params)?;
    done(&book_of(state, instruments::named(state, params)?, depth))
}

/// `public/get_order_book_by_instrument_id`.
pub(super) fn get_order_book_by_instrument_id(state: &mut State, params: &Params) -> Outcome {
    let (id, depth) = (params.required("instrument_id", params.integer("instrument_id")?)?, depth(params)?);
    let instrument = state.instruments.iter().find(|instrument| instrument.instrument_id == id);
    done(&book_of(state, instrument.ok_or_else(|| Error::new(Error::NOT_FOUND))?, depth))
}

fn depth(params: &Params) -> Result<usize, Error> {
    let depth = params.integer("depth")?.unwrap_or(5);
    if ![1, 5, 10, 20, 50, 100, 1000, 10000].contains(&depth) {
        return Err(Error::invalid_param("depth", "must be one of 1, 5, 10, 20, 50, 100, 1000, 10000"));
    }
    Ok(usize::try_from(depth).unwrap_or_default())
}

fn book_of(state: &State, instrument: &Instrument, depth: usize) -> Book {
    let side = |side: Direction| {
        let levels = state.levels(instrument, side, depth).into_iter();
        levels.map(|(price, amount)| (Number::from(price), Number::from(amount))).collect()
    };
    Book {
        ticker: ticker_of(state, instrument),
        change_id: state.change_id(instrument.instrument_name),
        bids: side(Direction::Buy),
        asks: side(Direction::Sell),
    }
}

#[derive(Serialize)]
struct Summary {
    instrument_name: &'static str,
    base_currency: &'static str,
    quote_currency: &'static str,
    creation_timestamp: i64,
    bid_price: Option<Number>,
    ask_price: Option<Number>,
    mid_price: Option<Number>,
    mark_price: Number,
    last: Option<Number>,
    high: Option<Number>,
    low: Option<Number>,
    price_change: Option<Number>,
    volume: Number,
    volume_usd: Number,
    open_interest: Number,
    #[serde(skip_serializing_if = "Option::is_none")]
    estimated_delivery_price: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_funding: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    funding_8h: Option<NumberText<'static>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mark_iv: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    underlying_price: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    underlying_index: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interest_rate: Option<Number>,
}

fn summary_of(state: &State, instrument: &Instrument) -> Summary {
    let ticker = ticker_of(state, instrument);
    let day = state.day(instrument);
    let mid = ticker.best_bid_price.zip(ticker.best_ask_price).map(|(bid, ask)| (bid.0 + ask.0) / Decimal::TWO);
    let (perpetual, option) = (ticker.perpetual, ticker.option);
    Summary {
        instrument_name: instrument.instrument_name,
        base_currency: instrument.base_currency,
        quote_currency: instrument.quote_currency,
        creation_timestamp: ticker.timestamp,
        bid_price: ticker.best_bid_price,
        ask_price: ticker.best_ask_price,
        mid_price: mid.map(Number::from),
        mark_price: ticker.mark_price,
        last: ticker.last_price,
        high: ticker.stats.high,
        low: ticker.stats.low,
        price_change: ticker.stats.price_change,
        volume: ticker.stats.volume,
        volume_usd: day.volume_usd.into(),
        open_interest: state.open_interest(instrument).into(),
        estimated_delivery_price: ticker.derivative.map(|derivative| derivative.estimated_delivery_price),
        current_funding: perpetual.as_ref().map(|perpetual| perpetual.current_funding),
        funding_8h: perpetual.map(|perpetual| perpetual.funding_8h),
        mark_iv: option.as_ref().map(|option| option.mark_iv),
        underlying_price: option.as_ref().map(|option| option.underlying_price),
        interest_rate: option.as_ref().map(|option| option.interest_rate),
        underlying_index: option.map(|option| option.underlying_index),
    }
}

/// `public/get_book_summary_by_currency`.
pub(super) fn get_book_summary_by_currency(state: &mut State, params: &Params) -> Outcome {
    let currency = filter::required_currency(params)?;
    let kind = KindFilter::read(params)?;
    let listed = state.instruments.iter().filter(|one| one.is_listed_under(&currency) && kind.lets_in(one));
    done(&listed.map(|instrument| summary_of(state, instrument)).collect::<Vec<_>>())
}

/// `public/get_book_summary_by_instrument`.
pub(super) fn get_book_summary_by_instrument(state: &mut State, params: &Params) -> Outcome {
    done(&[summary_of(state, instruments::named(state, params)?)])
}

#[derive(Serialize)]
struct Currency {
    currency: &'static str,
    currency_long: &'static str,
    coin_type: &'static str,
    in_cross_collateral_pool: bool,
    decimals: u32,
    min_confirmations: u32,
    min_withdrawal_fee: Number,
    withdrawal_fee: Number,
    withdrawal_priorities: [(); 0],
}

/// `public/get_currencies`.
pub(super) fn get_currencies(_state: &mut State, _params: &Params) -> Outcome {
    let currency = |currency, currency_long, coin_type, fee| Currency {
        currency,
        currency_long,
        coin_type,
        in_cross_collateral_pool: true,
        decimals: if coin_type == "BITCOIN" { 8 } else { 6 },
        min_confirmations: 1,
        min_withdrawal_fee: Number(fee),
        withdrawal_fee: Number(fee),
        withdrawal_priorities: [],
    };
    done(&[
        currency("BTC", "Bitcoin", "BITCOIN", dec!(0.0001)),
        currency("ETH", "Ethereum", "ETHER", dec!(0.001)),
        currency("USDC", "USD Coin", "ETHER", dec!(1)),
        currency("USDT", "Tether USD", "ETHER", dec!(1)),
        currency("EURR", "StablR Euro", "ETHER", dec!(1)),
    ])
}

/// `public/get_time`.
pub(super) fn get_time(state: &mut State, _params: &Params) -> Outcome {
    done(&state.now())
}

/// `public/status`.
pub(super) fn status(_state: &mut State, _params: &Params) -> Outcome {
    // A word, not a boolean: the third one is "partial".
    done(&json!({"locked": "false", "locked_indices": []}))
}

/// `public/test`.
pub(super) fn test(_state: &mut State, params: &Params) -> Outcome {
    match params.one_of("expected_result", &["exception"])? {
        Some(_) => Err(Error::new(Error::INTERNAL_SERVER_ERROR)),
        None => done(&json!({"version": "1.2.26"})),
    }
}
