//! What the channels of a price index tell.

use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde::Serialize;
use serde_json::value::RawValue;

use super::feeds::raw;
use super::market;
use super::state::State;
use crate::number::Number;

/// Where the prices of an index come from, as far as the sandbox makes them up.
const SOURCES: [(&str, Decimal); 3] = [("alpha", dec!(50)), ("beta", dec!(50)), ("gamma", dec!(0))];

#[derive(Serialize)]
struct Price {
    timestamp: i64,
    index_name: &'static str,
    price: Number,
}

#[derive(Serialize)]
struct Source {
    identifier: &'static str,
    enabled: bool,
    original_price: Number,
    price: Number,
    timestamp: i64,
    weight: Number,
}

#[derive(Serialize)]
struct Statistics {
    index_name: &'static str,
    low24h: Number,
    high24h: Number,
    change24h: Number,
    fast_market: bool,
}

#[derive(Serialize)]
struct Volatility {
    timestamp: i64,
    volatility: Number,
    index_name: &'static str,
}

#[derive(Serialize)]
struct MarkPrice {
    instrument_name: &'static str,
    mark_price: Number,
    iv: Number,
    timestamp: i64,
}

#[derive(Serialize)]
struct Estimate {
    seconds: i64,
    price: Number,
    is_estimated: bool,
}

/// What a channel of an index tells now.
pub(super) fn record(state: &State, family: &str, index: &'static str) -> Option<Box<RawValue>> {
    let price = Number(state.index_price(index)?);
    let now = state.now();
    Some(match family {
        "deribit_price_index" => raw(&Price { timestamp: now, index_name: index, price }),
        "deribit_price_ranking" => {
            let source = |(identifier, weight): (&'static str, Decimal)| Source {
                identifier,
                enabled: !weight.is_zero(),
                original_price: price,
                price,
                timestamp: now,
                weight: Number(weight),
            };
            raw(&SOURCES.map(source))
        }
        "deribit_price_statistics" => raw(&Statistics {
            index_name: index,
            low24h: price,
            high24h: price,
            change24h: Number(Decimal::ZERO),
            fast_market: false,
        }),
        // Only of the two that have options on them.
        "deribit_volatility_index" if matches!(index, "btc_usd" | "eth_usd") => {
            raw(&Volatility { timestamp: now, volatility: Number(market::VOLATILITY), index_name: index })
        }
        "markprice.options" => {
            let options = state.instruments.iter().filter(|one| one.is_option() && one.price_index == index);
            let mark = |one: &super::instruments::Instrument| MarkPrice {
                instrument_name: one.instrument_name,
                mark_price: Number(one.prices.mark),
                iv: Number(market::VOLATILITY),
                timestamp: now,
            };
            raw(&options.map(mark).collect::<Vec<_>>())
        }
        "estimated_expiration_price" => {
            let ends =
                state.instruments.iter().filter(|one| one.price_index == index).map(|one| one.expiration_timestamp);
            let seconds = ends.min()?.saturating_sub(now).max(0) / 1000;
            raw(&Estimate { seconds, price, is_estimated: false })
        }
        _ => return None,
    })
}
