//! What is read is what `serde_json` reads.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use proptest::prelude::*;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
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

/// What `serde_json` makes of a text.
fn by_serde<'de, T: Lenient<'de>>(text: &'de str) -> serde_json::Result<T> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = lenient::vital(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// Whether a text is read. It is, and as the same value, where `serde_json` reads it.
fn read<T: for<'de> Lenient<'de> + PartialEq + fmt::Debug>(text: &str) -> bool {
    match (from_str::<T>(text), by_serde::<T>(text)) {
        (Ok(own), Ok(other)) => {
            assert_eq!(own, other, "{text:?}");
            true
        }
        (Err(_), Err(_)) => false,
        (own, other) => panic!("{text:?}: {own:?}, by serde_json {other:?}"),
    }
}

const FULL: &str = r#" { "id" : "a\u00e9\"", "price":"0.5600","size":1.50e1,"at":1790000000123,"side":"true", "is_on":true,"rate":-0.25,
    "legs":[{"id":"b"},{"id":"","price":null,"new":[{"x":[1,-2.5e-3,"y"]},{}, []]}],"levels":[["1","2"],[]],"totals":{"é":1,"z":-7},
    "more":{"a":[null,false,1e300,18446744073709551615,-9223372036854775808,1.0]} } "#;

#[test]
fn a_text_is_read_as_serde_json_reads_it() {
    assert!(read::<Row>(FULL));
    assert!(read::<Value>(FULL));
    for text in [
        r#"{"id":"","price":" ","legs":null}"#,
        r#"{"id":"x","new":["\n",{"\t":""}]}"#,
        r#"{"id":"012345678901234567890123456789é"}"#,
    ] {
        assert!(read::<Row>(text), "{text}");
    }
    for text in ["null", "1", "-0", "\"\\n\"", "[[[]]]", r#"{"a":{"b":[]}}"#] {
        assert!(read::<Value>(text), "{text}");
    }
    let deep = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(read::<Value>(&deep(127)));
    assert!(!read::<Value>(&deep(128)));
}

#[test]
fn what_is_wrong_is_said_and_where() {
    use ErrorKind::{Data, Incomplete, Syntax, Trailing};
    for (text, kind, at) in [
        ("", Incomplete, 0),
        (" ", Incomplete, 1),
        ("{", Incomplete, 1),
        ("[1", Incomplete, 2),
        ("[1,]", Syntax, 4),
        ("[,1]", Syntax, 2),
        ("[1 2]", Syntax, 4),
        (r#"{"a":1,}"#, Syntax, 8),
        (r#"{,"a":1}"#, Syntax, 2),
        (r#"{"a" 1}"#, Syntax, 6),
        (r#"{"a":1 "b":2}"#, Syntax, 8),
        ("01", Syntax, 2),
        ("-", Incomplete, 1),
        ("1.", Incomplete, 2),
        (".5", Syntax, 1),
        ("+1", Syntax, 1),
        ("1e", Incomplete, 2),
        ("--1", Syntax, 2),
        ("tr", Incomplete, 2),
        ("nul", Incomplete, 3),
        ("t1", Syntax, 2),
        ("truex", Trailing, 5),
        ("1 1", Trailing, 3),
        ("\"a", Incomplete, 2),
        ("\"\\", Incomplete, 2),
        ("\"\\x\"", Syntax, 4),
        ("\"\t\"", Syntax, 2),
        ("\"\\ud800\"", Syntax, 8),
        ("1e400", Syntax, 5),
        ("{1:2}", Syntax, 2),
        ("{}}", Trailing, 3),
        ("[]]", Trailing, 3),
        ("'a'", Syntax, 1),
        ("0x10", Trailing, 2),
        ("1_0", Trailing, 2),
        ("NaN", Syntax, 1),
        ("-01", Syntax, 3),
        ("00", Syntax, 2),
    ] {
        assert!(!read::<Value>(text), "{text}");
        let error = from_str::<Value>(text).unwrap_err();
        assert_eq!((error.kind(), error.offset()), (kind, at), "{text}: {error}");
    }
    // What is not JSON is not of another kind than was expected.
    for (text, kind, at) in [
        ("<html>", Syntax, 1),
        (r#"{"id":nul"#, Incomplete, 9),
        (r#"{"id":nix}"#, Syntax, 8),
        (r#"{"id":[1}"#, Syntax, 9),
    ] {
        let error = from_str::<Row>(text).unwrap_err();
        assert_eq!((error.kind(), error.offset()), (kind, at), "{text}: {error}");
    }
    let deep = format!("[1,{}", "[".repeat(200));
    let error = from_str::<Value>(&deep).unwrap_err();
    assert_eq!((error.reason(), error.offset()), ("nested too deeply", 3 + 127));
    for (text, reason, place) in [
        (r#"{"id":"","price":"secret"}"#, "expected a decimal number of at most 28 digits", "line 1 column 18"),
        ("{\"id\":\n 7}", "expected a string", "line 2 column 2"),
        (r#"{"id":"","legs":[{"id":"a"},{"id":[]}]}"#, "found a list, expected a string", "line 1 column 35"),
        (r#"{"id":"","is_on":"secret"}"#, "expected a boolean", "line 1 column 25"),
        (r#"{"price":1}"#, "missing field `id`", "line 1 column 11"),
        (r#"{"id":"","totals":{"secret":"secret"}}"#, "expected a whole number of 64 bits", "line 1 column 29"),
    ] {
        let error = from_str::<Row>(text).unwrap_err();
        assert!(!read::<Row>(text));
        assert_eq!(error.kind(), Data);
        assert_eq!(error.to_string(), format!("{reason} at {place}"), "{text}");
    }
}

#[derive(Debug, PartialEq, Deserialize)]
enum Shape {
    Point,
    Circle(f64),
    Line(i32, i32),
    Box { width: u128, height: i128 },
}

#[derive(Debug, PartialEq, Deserialize)]
struct Rare {
    #[serde(default)]
    shapes: Vec<Shape>,
    #[serde(default)]
    numbered: BTreeMap<i16, char>,
    #[serde(default)]
    flags: BTreeMap<bool, ()>,
    #[serde(default)]
    large: BTreeMap<i128, f32>,
    #[serde(default)]
    floats: Floats,
    #[serde(default)]
    exact: HashMap<Decimal, String>,
    #[serde(default)]
    pair: Pair,
    #[serde(default)]
    either: Option<Either>,
    #[serde(flatten)]
    rest: HashMap<String, Value>,
}

/// The names of an object, which are numbers.
#[derive(Debug, Default, PartialEq)]
struct Floats(Vec<f64>);

/// The first two members of an object. Nothing asks whether there are more.
#[derive(Debug, Default, PartialEq)]
struct Pair(Vec<(String, i64)>);

impl<'de> Deserialize<'de> for Floats {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;

        impl<'de> Visitor<'de> for Names {
            type Value = Floats;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Floats, A::Error> {
                let mut names = Vec::new();
                while let Some((name, ())) = members.next_entry()? {
                    names.push(name);
                }
                Ok(Floats(names))
            }
        }

        deserializer.deserialize_map(Names)
    }
}

impl<'de> Deserialize<'de> for Pair {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Two;

        impl<'de> Visitor<'de> for Two {
            type Value = Pair;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Pair, A::Error> {
                let mut pair = Vec::new();
                while pair.len() < 2
                    && let Some(entry) = members.next_entry()?
                {
                    pair.push(entry);
                }
                Ok(Pair(pair))
            }
        }

        deserializer.deserialize_map(Two)
    }
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Either {
    Number(f32),
    Texts(Vec<Option<String>>),
}

mod derived {
    use super::Rare;

    crate::lenient_types! { objects {} others { Rare } vital {} }
}

#[test]
fn types_that_serde_derives_are_read_too() {
    for (text, is_read) in [
        (
            r#"{"shapes":["Point",{"Circle":1.5},{"Line":[1,-2]},{"Box":{"width":340282366920938463463374607431768211455,"height":-1}}]}"#,
            true,
        ),
        (r#"{"shapes":[{"Point":null}, {"Box":[1,2]}]}"#, true),
        (r#"{"shapes":["Circle"]}"#, false),
        (r#"{"shapes":["Square"]}"#, false),
        (r#"{"shapes":[{"Circle":1,"Line":[1,2]}]}"#, false),
        (r#"{"shapes":[{}]}"#, false),
        (r#"{"shapes":[7]}"#, false),
        (r#"{"shapes":[{"Line":[1]}]}"#, false),
        (r#"{"shapes":[{"Line":[1,2,3]}]}"#, false),
        (r#"{"shapes":[{"Box":{"width":-1,"height":1}}]}"#, false),
        (r#"{"shapes":[{"Box":{"width":"1","height":1}}]}"#, false),
        (r#"{"numbered":{"-7":"a","300":"é"},"flags":{"true":null}}"#, true),
        (r#"{"numbered":{"x":"a"}}"#, false),
        (r#"{"numbered":{"70000":"a"}}"#, false),
        (r#"{"numbered":{"01":"a"}}"#, false),
        (r#"{"numbered":{"1 ":"a"}}"#, false),
        (r#"{"numbered":{"\u0031":"a"}}"#, false),
        (
            r#"{"large":{"-170141183460469231731687303715884105728":1.5},"floats":{"1.50":null},"exact":{"1.50":"x"}}"#,
            true,
        ),
        (r#"{"large":{"1e3":1}}"#, false),
        (r#"{"floats":{"x":null}}"#, false),
        (r#"{"exact":{"x":""}}"#, false),
        (r#"{"pair":{"a":1,"b":2}}"#, true),
        (r#"{"pair":{"a":1,"b":2,"c":3}}"#, false),
        (r#"{"numbered":{"1":"ab"}}"#, false),
        (r#"{"flags":{"yes":null}}"#, false),
        (r#"{"either":1.5,"a":{"b":[1]},"c":"\n"}"#, true),
        (r#"{"either":["a",null]}"#, true),
        (r#"{"either":{}}"#, false),
    ] {
        assert_eq!(read::<Rare>(text), is_read, "{text}");
    }
}

#[test]
fn what_nobody_reads_need_not_be_utf8() {
    let bytes = |text: &str| {
        text.replace('?', "\u{1}").into_bytes().iter().map(|b| if *b == 1 { 0xff } else { *b }).collect::<Vec<u8>>()
    };
    let row = from_slice::<Row>(&bytes(r#"{"new":"a?","id":"é","newer":{"x":["??"]}}"#)).unwrap();
    assert_eq!(row.id, "é");
    for text in [
        r#"{"id":"a?"}"#,
        r#"{"id":"","?":1}"#,
        r#"{"id":"","price":"1?"}"#,
        r#"{"id":"",?}"#,
        r#"{"id":"","more":{"a":"?"}}"#,
    ] {
        let error = from_slice::<Row>(&bytes(text)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Syntax, "{text}: {error}");
        assert!(serde_json::from_slice::<Value>(&bytes(text)).is_err());
    }
}

#[test]
fn the_text_of_a_value_is_handed_out_as_it_is_written() {
    for text in [" 1.50 ", r#""a\u0020""#, "[1, {}]", "null", r#"{"a": [1]}"#] {
        let mut reader = Reader::new(text);
        let raw: &RawValue = Deserialize::deserialize(&mut reader).unwrap();
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
        Just("either"),
        Just("shapes"),
        Just("numbered"),
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
        read::<Rare>(&text);
        // The same with a mistake, or with what looks like one.
        let mut at = at.index(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let next = text[at..].chars().next().map_or(0, char::len_utf8);
        for wrong in [format!("{}{other}{}", &text[..at], &text[at..]), format!("{}{other}{}", &text[..at], &text[at + next..])] {
            read::<Value>(&wrong);
            read::<Row>(&wrong);
            read::<Rare>(&wrong);
        }
    }
}
