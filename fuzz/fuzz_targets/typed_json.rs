//! Responses and messages of streams: `wire::json` reads what `serde_json` reads, and as the same value.
#![no_main]

use std::collections::HashMap;
use std::fmt::Debug;

use libfuzzer_sys::fuzz_target;
use serde::Deserialize;
use serde_json::Value;
use venuekit_wire::lenient::{self, Lenient};
use venuekit_wire::{Decimal, DecimalNumber, IntegerOrText, Open, UnixMillis, json};

#[derive(Debug, Default, PartialEq)]
struct Row {
    id: String,
    price: Option<Decimal>,
    size: Option<DecimalNumber>,
    at: Option<UnixMillis>,
    side: Option<Open<bool>>,
    rows: Vec<Row>,
    levels: Vec<Vec<Decimal>>,
    totals: HashMap<String, i64>,
    more: Option<serde_json::Map<String, Value>>,
}

venuekit_wire::object! { Row {
    id "id" plain, price "price" optional, size "size" optional, at "at" optional, side "side" optional, rows "rows" list_or_none,
    levels "levels" list_or_none, totals "totals" list_or_none, more "more" optional,
} }

/// What generated code leaves to serde's derives.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Either {
    Number(f64),
    Named(Named),
    Texts(Vec<Option<String>>),
}

#[derive(Debug, PartialEq, Deserialize)]
struct Named {
    kind: Option<Kind>,
    id: Option<IntegerOrText>,
    #[serde(flatten)]
    rest: HashMap<String, Value>,
}

#[derive(Debug, PartialEq, Deserialize)]
enum Kind {
    Plain,
    Value(i128),
    Pair(u8, char),
    Fields { a: Option<bool> },
}

mod types {
    use super::{Either, Row};

    venuekit_wire::lenient_types! { objects { Row } others { Either } vital {} }
}

fn check<T: for<'de> Lenient<'de> + PartialEq + Debug>(text: &str) {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let other = lenient::vital::<_, T>(&mut deserializer).ok().filter(|_| deserializer.end().is_ok());
    let own = json::from_str::<T>(text);
    match (&own, &other) {
        (Ok(own), Some(other)) => assert_eq!(own, other),
        (Err(error), None) => assert!(error.offset() <= text.len()),
        // What nobody reads is nested without a limit there.
        (Err(error), Some(_)) => assert_eq!(error.reason(), "nested too deeply"),
        (Ok(own), None) => panic!("{own:?} was read, and serde_json refuses it"),
    }
}

fuzz_target!(|body: &[u8]| {
    match std::str::from_utf8(body) {
        Ok(text) => {
            check::<Value>(text);
            check::<Row>(text);
            check::<Either>(text);
        }
        // What is read of it is text.
        Err(_) => {
            if let Ok(row) = json::from_slice::<Row>(body) {
                let other = serde_json::from_slice::<Row>(body);
                assert_eq!(row, other.expect("serde_json reads it too"));
            }
        }
    }
});
