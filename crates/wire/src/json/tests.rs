//! What is read is what `serde_json` reads.

use std::collections::HashMap;

use proptest::prelude::*;
use serde_json::Value;
use serde_json::value::RawValue;

use super::*;
use crate::{Decimal, DecimalNumber, Open, UnixMillis};

#[derive(Debug, Default, PartialEq)]
struct Row {
    id: String,
    price: Option<Decimal>,
    size: Option<DecimalNumber>,
    at: Option<UnixMillis>,
    side: Option<Open<bool>>,
    is_on: Option<bool>,
    rate: Option<f64>,
    legs: Vec<Row>,
    levels: Vec<Vec<Decimal>>,
    totals: HashMap<String, i64>,
    more: Option<serde_json::Map<String, Value>>,
}

crate::object! { Row {
    id "id" plain, price "price" optional, size "size" optional, at "at" optional, side "side" optional, is_on "is_on" maybe,
    rate "rate" optional, legs "legs" list_or_none, levels "levels" list_or_none, totals "totals" list_or_none, more "more" optional,
} }

mod generated {
    use super::Row;

    crate::lenient_types! { objects { Row } others {} vital {} }
}

/// Whether the reader has read a text by itself, and what it is by both.
fn read<T: for<'de> Lenient<'de> + PartialEq + fmt::Debug>(text: &str) -> bool {
    let mut reader = Reader { text, at: 0, depth: 0 };
    let own = T::read(&mut reader);
    let by_serde = checked::<T>(text);
    match own {
        Ok(Some(own)) if reader.is_at_end() => {
            assert_eq!(own, by_serde.unwrap_or_else(|error| panic!("{text:?} was read: {error}")), "{text:?}");
            true
        }
        _ => false,
    }
}

const FULL: &str = r#" { "id" : "a\u00e9\"", "price":"0.5600","size":1.50e1,"at":1790000000123,"side":"true", "is_on":true,"rate":-0.25,
    "legs":[{"id":"b"},{"id":"","price":null,"new":[{"x":[1,-2.5e-3,"y"]},{}, []]}],"levels":[["1","2"],[]],"totals":{"é":1,"z":-7},
    "more":{"a":[null,false,1e300,18446744073709551615,-9223372036854775808,1.0]} } "#;

#[test]
fn a_message_is_read_without_serde_json() {
    assert!(read::<Row>(FULL));
    assert!(read::<Value>(FULL));
    for text in [
        r#"{"id":"","price":" ","legs":null}"#,
        r#"{"id":"x","new":["\n",{"\t":""}]}"#,
        r#"{"id":"012345678901234567890123456789é"}"#,
    ] {
        assert!(read::<Row>(text), "{text}");
    }
    for text in ["null", "1", "-0", "\"\\n\"", "[[[]]]", r#"{"a":{"b":[]}}"#, "1e400"] {
        read::<Value>(text);
    }
}

#[test]
fn what_is_wrong_is_left_to_serde_json() {
    for text in [
        "",
        " ",
        "{",
        "[1",
        "[1,]",
        "[,1]",
        "[1 2]",
        r#"{"a":1,}"#,
        r#"{,"a":1}"#,
        r#"{"a" 1}"#,
        r#"{"a":1 "b":2}"#,
        "01",
        "-",
        "1.",
        ".5",
        "+1",
        "1e",
        "--1",
        "tr",
        "nul",
        "truex",
        "1 1",
        "\"a",
        "\"\\x\"",
        "\"\t\"",
        "\"\\ud800\"",
        "{1:2}",
        "{}}",
        "[]]",
        "'a'",
        "0x10",
        "1_0",
        "NaN",
        "-01",
        "00",
    ] {
        assert!(!read::<Value>(text), "{text}");
        assert!(from_str::<Value>(text).is_err(), "{text}");
    }
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    assert!(!read::<Value>(&deep));
    assert!(from_str::<Value>(&deep).is_ok());
    let error = from_str::<Row>(r#"{"id":"","price":"x"}"#).unwrap_err().to_string();
    assert!(error.contains("expected a decimal number") && error.contains("line 1 column"), "{error}");
}

#[test]
fn the_text_of_a_value_is_handed_out_as_it_is_written() {
    for text in [" 1.50 ", r#""a\u0020""#, "[1, {}]", "null", r#"{"a": [1]}"#] {
        let mut reader = Reader { text, at: 0, depth: 0 };
        let raw: &RawValue = serde::Deserialize::deserialize(&mut reader).unwrap();
        assert_eq!(raw.get(), text.trim());
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        "[0-9]{1,3}(\\.[0-9]{1,4})?".prop_map(Value::from),
    ];
    let name = prop_oneof![
        Just("id"),
        Just("price"),
        Just("size"),
        Just("at"),
        Just("side"),
        Just("is_on"),
        Just("rate"),
        Just("legs"),
        Just("levels"),
        Just("totals"),
        Just("more"),
        Just("new"),
        Just("\"\n"),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..6).prop_map(|members| {
                Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn any_text_is_read_as_serde_json_reads_it(value in any_value(), at in any::<prop::sample::Index>(), other in "[\\[\\]{}\":,.0-9eE tn\\\\-]?") {
        let text = value.to_string();
        prop_assert!(read::<Value>(&text), "{}", text);
        read::<Row>(&text);
        // The same with a mistake, or with what looks like one.
        let mut at = at.index(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let next = text[at..].chars().next().map_or(0, char::len_utf8);
        for wrong in [format!("{}{other}{}", &text[..at], &text[at..]), format!("{}{other}{}", &text[..at], &text[at + next..])] {
            read::<Value>(&wrong);
            read::<Row>(&wrong);
        }
    }
}
