//! Public market data and the supporting methods.

use rust_decimal_macros::dec;
use serde::Serialize;
use serde_json::json;

use super::error::Error;
use super::instruments::{self, Instrument};
use super::orders::Direction;
use super::params::Params;
use super::state::{Outcome, State, done};
use crate::number::{Number, NumberText};

#[derive(Serialize)]
struct Ticker {
    instrument_name: &'static str,
    timestamp: i64,
    state: &'static str,
    stats: Stats,
    best_bid_price: Number,
    best_bid_amount: Number,
    best_ask_price: Number,
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
    /// In exponent form, as the venue writes small numbers.
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

fn ticker_of(state: &State, instrument: &Instrument) -> Ticker {
    let prices = instrument.prices;
    let best = |side: Direction| state.levels(instrument, side, 1).first().copied().unwrap_or_default();
    let (bid, ask) = (best(Direction::Buy), best(Direction::Sell));
    let derivative = Derivative {
        open_interest: Number(dec!(502231260)),
        settlement_price: Number(prices.mark),
        estimated_delivery_price: Number(prices.index),
    };
    let perpetual = Perpetual {
        current_funding: Number(dec!(0)),
        funding_8h: NumberText("-4.739622041017375e-07"),
        interest_value: Number(dec!(1.7362511643080387)),
    };
    Ticker {
        instrument_name: instrument.instrument_name,
        timestamp: state.now(),
        state: "open",
        stats: Stats {
            volume: Number(if prices.last.is_some() { dec!(7831.26548117) } else { dec!(0) }),
            volume_usd: prices.last.map(|_| Number(dec!(282615600))),
            high: prices.last.map(|last| Number(last * dec!(1.01))),
            low: prices.last.map(|last| Number(last * dec!(0.98))),
            price_change: prices.last.map(|_| Number(dec!(0.2362))),
        },
        best_bid_price: Number(bid.0),
        best_bid_amount: Number(bid.1),
        best_ask_price: Number(ask.0),
        best_ask_amount: Number(ask.1),
        index_price: Number(prices.index),
        mark_price: Number(prices.mark),
        min_price: Number(prices.mark * dec!(0.985)),
        max_price: Number(prices.mark * dec!(1.015)),
        last_price: prices.last.map(Number),
        derivative: (instrument.kind != "spot").then_some(derivative),
        perpetual: (instrument.settlement_period == Some("perpetual")).then_some(perpetual),
        option: instrument.is_option().then(|| option_values(instrument)),
    }
}

fn option_values(instrument: &Instrument) -> OptionValues {
    let name = instrument.instrument_name;
    OptionValues {
        underlying_price: Number(instrument.prices.index),
        underlying_index: name.splitn(3, '-').take(2).collect::<Vec<_>>().join("-"),
        interest_rate: Number(dec!(0.0)),
        mark_iv: Number(dec!(48.92)),
        bid_iv: Number(dec!(48.6)),
        ask_iv: Number(dec!(49.27)),
        greeks: Greeks {
            delta: Number(if name.ends_with("-P") { dec!(-0.30152) } else { dec!(0.48291) }),
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
    let depth = params.integer("depth")?.unwrap_or(5);
    if ![1, 5, 10, 20, 50, 100, 1000, 10000].contains(&depth) {
        return Err(Error::invalid_param("depth", "must be one of 1, 5, 10, 20, 50, 100, 1000, 10000"));
    }
    let depth = usize::try_from(depth).unwrap_or_default();
    let instrument = instruments::named(state, params)?;
    let side = |side: Direction| {
        let levels = state.levels(instrument, side, depth).into_iter();
        levels.map(|(price, amount)| (Number::from(price), Number::from(amount))).collect()
    };
    done(&Book {
        ticker: ticker_of(state, instrument),
        change_id: 474_988,
        bids: side(Direction::Buy),
        asks: side(Direction::Sell),
    })
}

#[derive(Serialize)]
struct Currency {
    currency: &'static str,
    currency_long: &'static str,
    coin_type: &'static str,
    in_cross_collateral_pool: bool,
    fee_precision: u32,
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
        fee_precision: 4,
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
