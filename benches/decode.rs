//! What exact money, open enums and parsed times cost when a page of 1,000 markets is decoded.
//!
//! The generated types stand beside structs written by hand with the same fields: prices as f64, as `rust_decimal`, as
//! `wire::Decimal`; enums and times as plain strings in all three.

#![allow(clippy::print_stdout)]

#[path = "pair/markets.rs"]
mod markets;
mod pair;

use std::borrow::Cow;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use pair::{compare, way};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use venuekit::kalshi::types::GetMarketsResponse;
use venuekit::wire::{Decimal, json};

const MARKETS: usize = 1000;

/// A price in a JSON string, parsed with its own `FromStr`.
struct Parsed<T>(#[allow(dead_code)] T);

impl<'de, T: std::str::FromStr> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
        let Text(text) = Text::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|_| D::Error::custom("no number"))
    }
}

#[allow(dead_code)]
#[derive(Deserialize)]
struct Page<D> {
    cursor: Option<String>,
    markets: Vec<Market<D>>,
}

/// The fields of a market, `D` being what a price is held in.
#[allow(dead_code)]
#[derive(Deserialize)]
struct Market<D> {
    can_close_early: Option<bool>,
    cap_strike: Option<f64>,
    close_time: Option<String>,
    created_time: Option<String>,
    custom_strike: Option<Value>,
    early_close_condition: Option<String>,
    event_ticker: Option<String>,
    exchange_index: Option<i64>,
    expected_expiration_time: Option<String>,
    expiration_time: Option<String>,
    expiration_value: Option<String>,
    fee_waiver_expiration_time: Option<String>,
    floor_strike: Option<f64>,
    functional_strike: Option<String>,
    is_provisional: Option<bool>,
    last_price_dollars: Option<D>,
    latest_expiration_time: Option<String>,
    market_type: Option<String>,
    mve_collection_ticker: Option<String>,
    mve_selected_legs: Option<Vec<Value>>,
    no_ask_dollars: Option<D>,
    no_bid_dollars: Option<D>,
    no_sub_title: Option<String>,
    notional_value_dollars: Option<D>,
    occurrence_datetime: Option<String>,
    open_interest_fp: Option<D>,
    open_time: Option<String>,
    previous_price_dollars: Option<D>,
    previous_yes_ask_dollars: Option<D>,
    previous_yes_bid_dollars: Option<D>,
    price_level_structure: Option<String>,
    price_ranges: Vec<PriceRange<D>>,
    primary_participant_key: Option<String>,
    result: Option<String>,
    rules_primary: Option<String>,
    rules_secondary: Option<String>,
    settlement_bounds_type: Option<String>,
    settlement_floor_dollars: Option<D>,
    settlement_timer_seconds: Option<i64>,
    settlement_ts: Option<String>,
    settlement_value_dollars: Option<D>,
    status: Option<String>,
    strike_type: Option<String>,
    subtitle: Option<String>,
    ticker: String,
    title: Option<String>,
    updated_time: Option<String>,
    volume_24h_fp: Option<D>,
    volume_fp: Option<D>,
    yes_ask_dollars: Option<D>,
    yes_ask_size_fp: Option<D>,
    yes_bid_dollars: Option<D>,
    yes_bid_size_fp: Option<D>,
    yes_sub_title: Option<String>,
}

#[allow(dead_code)]
#[derive(Deserialize)]
struct PriceRange<D> {
    start: D,
    end: D,
    step: D,
}

fn decode<T: DeserializeOwned>(page: &[u8]) {
    black_box(serde_json::from_slice::<T>(black_box(page)).unwrap());
}

/// As a call reads its response.
fn decode_ours(page: &[u8]) {
    black_box(json::from_slice::<GetMarketsResponse>(black_box(page)).unwrap());
}

fn pages(criterion: &mut Criterion) {
    let page = markets::page(MARKETS);
    println!("a page of {MARKETS} markets, {} bytes", page.len());
    let by_hand = vec![
        way("by_hand_f64", || decode::<Page<Parsed<f64>>>(&page)),
        way("by_hand_rust_decimal", || decode::<Page<Parsed<rust_decimal::Decimal>>>(&page)),
        way("by_hand_wire_decimal", || decode::<Page<Decimal>>(&page)),
    ];
    compare(criterion, "markets", way("generated", || decode_ours(&page)), by_hand);
}

criterion_group!(benches, pages);
criterion_main!(benches);
