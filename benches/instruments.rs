//! What exact money and open enums cost when 2,000 instruments of Deribit are decoded.
//!
//! The generated types stand beside structs written by hand with the same fields: amounts as f64 and as `wire::DecimalNumber`,
//! enums as plain strings in both.

#![allow(clippy::print_stdout)]

mod pair;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use pair::{compare, way};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use venuekit::deribit::types;
use venuekit::wire::DecimalNumber;
use venuekit_sandbox::{Accounts, Sandbox};

const INSTRUMENTS: usize = 2000;

/// The fields of an instrument, `D` being what an amount is held in.
#[allow(dead_code)]
#[derive(Deserialize)]
struct Instrument<D> {
    base_currency: Option<String>,
    base_currency_uuid: Option<String>,
    block_trade_commission: Option<D>,
    block_trade_min_trade_amount: Option<D>,
    block_trade_tick_size: Option<D>,
    contract_size: Option<D>,
    counter_currency: Option<String>,
    creation_timestamp: Option<i64>,
    expiration_timestamp: Option<i64>,
    future_type: Option<String>,
    index_id: Option<i64>,
    instrument_id: Option<i64>,
    instrument_name: String,
    instrument_type: Option<String>,
    is_active: Option<bool>,
    is_cbe_routed: Option<bool>,
    is_csr: Option<bool>,
    kind: Option<String>,
    lot_size: Option<D>,
    maker_commission: Option<D>,
    max_leverage: Option<i64>,
    max_liquidation_commission: Option<D>,
    max_non_default_leverage: Option<i64>,
    min_trade_amount: Option<D>,
    option_type: Option<String>,
    price_index: Option<String>,
    product_group: Option<String>,
    qty_tick_size: Option<D>,
    quote_currency: Option<String>,
    quote_currency_uuid: Option<String>,
    settlement_currency: Option<String>,
    settlement_period: Option<String>,
    state: Option<String>,
    strike: Option<D>,
    taker_commission: Option<D>,
    tick_size: Option<D>,
    tick_size_steps: Option<Vec<TickSizeStep<D>>>,
    underlying_type: Option<String>,
}

#[allow(dead_code)]
#[derive(Deserialize)]
struct TickSizeStep<D> {
    above_price: Option<D>,
    tick_size: Option<D>,
}

fn decode<T: DeserializeOwned>(answer: &[u8]) {
    black_box(serde_json::from_slice::<T>(black_box(answer)).unwrap());
}

fn instruments(criterion: &mut Criterion) {
    let answer = answer();
    println!("{INSTRUMENTS} instruments, {} bytes", answer.len());
    let by_hand = vec![
        way("by_hand_f64", || decode::<Vec<Instrument<f64>>>(&answer)),
        way("by_hand_wire_decimal", || decode::<Vec<Instrument<DecimalNumber>>>(&answer)),
    ];
    compare(criterion, "instruments", way("generated", || decode::<Vec<types::Instrument>>(&answer)), by_hand);
}

/// The sandbox's instruments, repeated under other names until there are enough.
fn answer() -> Vec<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer: Value = runtime.block_on(async {
        let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
        let url = format!("{}/public/get_instruments?currency=any", sandbox.deribit_url());
        reqwest::get(url).await.unwrap().json().await.unwrap()
    });
    let some = answer["result"].as_array().unwrap().iter();
    let mut all: Vec<Value> = some.cycle().take(INSTRUMENTS).cloned().collect();
    for (number, instrument) in all.iter_mut().enumerate() {
        instrument["instrument_name"] = format!("BTC-27NOV26-{number}-C").into();
    }
    serde_json::to_vec(&all).unwrap()
}

criterion_group!(benches, instruments);
criterion_main!(benches);
