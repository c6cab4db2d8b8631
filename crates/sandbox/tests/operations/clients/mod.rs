//! What clients that know nothing of our specs stumbled over: members that they require, and forms that they check.

mod bayse;
mod binance;
mod bybit;
mod bybit_streams;
mod deribit;
mod kalshi;

use serde_json::Value;

/// The members of an object that a response must have, though some may be null.
#[track_caller]
fn has(value: &Value, members: &[&str]) {
    let missing: Vec<&&str> = members.iter().filter(|name| value.get(**name).is_none()).collect();
    assert!(missing.is_empty(), "{missing:?} is missing: {value:#}");
}
