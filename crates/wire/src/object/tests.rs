//! Structs are read and written as serde's derives do it.

use std::collections::HashMap;

use proptest::prelude::*;
use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::{Value, json};

use crate::lenient::{self, Lenient};
use crate::{DecimalNumber, Secret};

mod ours {
    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    pub struct Row {
        pub id: String,
        pub size: DecimalNumber,
        pub legs: Vec<Leg>,
        pub tags: HashMap<String, i64>,
        pub name: Option<String>,
        pub price: Option<DecimalNumber>,
        pub end: Option<String>,
        pub count: Option<i64>,
        pub r#type: Option<Box<Leg>>,
    }

    object! { Row {
        id "id" plain, size "size" vital, legs "legs" list, tags "theTags" list_or_none, name "name" maybe,
        price "price" optional, end "end" nullable, count "count" optional_null, r#type "type" optional,
    } }

    #[derive(Clone, Debug, PartialEq)]
    pub struct Leg {
        pub ratio: Option<i64>,
    }

    object! { Leg { ratio "ratio" optional, } }

    #[derive(Clone, Debug, PartialEq)]
    pub struct Empty {}

    object! { Empty {} }

    crate::lenient_types! { objects { Row Leg Empty } others {} vital {} }
}

/// The same as serde derives it.
mod serdes {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, Serialize)]
    pub struct Row {
        pub id: String,
        #[serde(deserialize_with = "lenient::vital")]
        pub size: DecimalNumber,
        #[serde(deserialize_with = "lenient::collection")]
        pub legs: Vec<Leg>,
        #[serde(
            rename = "theTags",
            default,
            skip_serializing_if = "HashMap::is_empty",
            deserialize_with = "lenient::collection"
        )]
        pub tags: HashMap<String, i64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub name: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "lenient::optional")]
        pub price: Option<DecimalNumber>,
        pub end: Option<String>,
        #[serde(default, deserialize_with = "lenient::optional")]
        pub count: Option<i64>,
        #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "lenient::optional")]
        pub r#type: Option<Box<Leg>>,
    }

    #[derive(Debug, Deserialize, Serialize)]
    pub struct Leg {
        #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "lenient::optional")]
        pub ratio: Option<i64>,
    }

    crate::lenient_types! { objects { Row Leg } others {} vital {} }
}

fn outcome<T: for<'de> Lenient<'de> + Serialize>(body: &str) -> Result<String, String> {
    let read = crate::json::from_slice::<T>(body.as_bytes()).map_err(|error| error.to_string())?;
    Ok(serde_json::to_string(&read).unwrap())
}

#[test]
fn a_struct_is_read_and_written_as_serde_does() {
    let full = r#"{"id":"a","size":1.50,"legs":[{"ratio":2},{}],"theTags":{"x":1},"name":"n","price":2.0,"end":"e","count":3,"type":{"ratio":4}}"#;
    for body in [
        full,
        r#"{"id":"a","size":1,"legs":[]}"#,
        r#"{"id":"a","size":"1","legs":null,"theTags":null,"name":null,"price":"","end":null,"count":null,"type":null,"new":[{}]}"#,
        r#"{"\u0069d":"a","size":1,"legs":[]}"#,
        r#"{"id":"a","size":1}"#,
        r#"{"size":1,"legs":[]}"#,
        r#"{"id":"a","legs":[]}"#,
        r#"{"id":"a","size":null,"legs":[]}"#,
        r#"{"id":"a","id":"b","size":1,"legs":[]}"#,
        r#"{"id":"a","size":1,"legs":[],"price":null,"price":1}"#,
        r#"{"id":1,"size":1,"legs":[]}"#,
        r#"{"id":"a","size":1,"legs":{}}"#,
        r#"{"id":"a","size":1,"legs":[],"#,
        "",
    ] {
        assert_eq!(outcome::<ours::Row>(body), outcome::<serdes::Row>(body), "{body}");
    }
    for body in ["[]", r#"["a",1,[]]"#, r#"{"id":"a","size":1,"legs":[[]]}"#, r#"{"id":"a","size":1,"legs":[[2]]}"#] {
        let error = outcome::<ours::Row>(body).unwrap_err();
        assert!(error.contains("found a list, expected struct "), "{body}: {error}");
    }
    assert!(outcome::<ours::Row>("1").unwrap_err().contains("expected struct Row (an object)"));
    assert_eq!(outcome::<ours::Row>(full).as_deref(), Ok(full));
    assert_eq!(outcome::<ours::Empty>(r#"{"a":1}"#).as_deref(), Ok("{}"));
}

#[test]
fn a_struct_is_read_from_a_value_and_from_a_reader_too() {
    let value = json!({"id": "a", "size": 1, "legs": [{"ratio": 2}]});
    let row: ours::Row = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(row.legs, [ours::Leg { ratio: Some(2) }]);
    assert_eq!(serde_json::from_reader::<_, ours::Row>(value.to_string().as_bytes()).unwrap(), row);
    let error = serde_json::from_value::<ours::Row>(json!([])).unwrap_err().to_string();
    assert!(error.contains("invalid type: sequence, expected struct Row"), "{error}");
}

/// Members without values, and how each of their names was guessed to be written.
struct Guessed<'a> {
    names: std::slice::Iter<'a, &'static str>,
    guesses: Vec<&'static str>,
}

impl<'de> MapAccess<'de> for &mut Guessed<'_> {
    type Error = serde::de::value::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Self::Error> {
        struct Key<'a>(&'static str, &'a mut Vec<&'static str>);

        impl<'de> Deserializer<'de> for Key<'_> {
            type Error = serde::de::value::Error;

            fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
                visitor.visit_borrowed_str(self.0)
            }

            fn deserialize_newtype_struct<V: Visitor<'de>>(
                self,
                name: &'static str,
                visitor: V,
            ) -> Result<V::Value, Self::Error> {
                self.1.push(name);
                visitor.visit_newtype_struct(self)
            }

            serde::forward_to_deserialize_any! {
                bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple
                tuple_struct map struct enum identifier ignored_any
            }
        }

        let Some(name) = self.names.next() else { return Ok(None) };
        seed.deserialize(Key(name, &mut self.guesses)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Self::Error> {
        seed.deserialize(serde::de::value::UnitDeserializer::new())
    }
}

#[test]
fn names_are_expected_in_the_order_of_the_last_object() {
    struct Row {
        a: Option<i64>,
        b: Option<i64>,
        c: Option<i64>,
    }

    object! { Row { a "a" maybe, b "b" maybe, c "c-d" maybe, } }

    let guesses = |names: &[&'static str]| {
        let mut guessed = Guessed { names: names.iter(), guesses: Vec::new() };
        let row = <Row as super::Object>::read(&mut guessed).unwrap();
        assert_eq!((row.a, row.b, row.c), (None, None, None));
        guessed.guesses
    };
    assert_eq!(guesses(&["b", "c-d", "a"]), ["", "", ""]);
    assert_eq!(guesses(&["b", "c-d", "a"]), [r#""b":"#, r#""c-d":"#, r#""a":"#]);
    assert_eq!(
        guesses(&["b", "new", "c-d"]),
        [r#""b":"#, r#""c-d":"#, r#""c-d":"#],
        "one that is unknown is passed over"
    );
    assert_eq!(guesses(&["b", "a"]), [r#""b":"#, r#""c-d":"#]);
    assert_eq!(guesses(&["b", "a"]), [r#""b":"#, r#""a":"#], "the last object counts");
}

#[test]
fn a_secret_stays_one() {
    #[derive(Clone, Debug)]
    struct Key {
        secret: Option<Secret>,
    }

    object! { Key { secret "secret" maybe, } }

    let key: Key = serde_json::from_str(r#"{"secret":"s3cr3t"}"#).unwrap();
    assert_eq!(key.secret.as_ref().unwrap().expose(), "s3cr3t");
    assert!(!format!("{key:?}").contains("s3cr3t"));
    assert_eq!(
        serde_json::to_value(&key).unwrap(),
        serde_json::to_value(key.secret).map(|secret| json!({"secret": secret})).unwrap()
    );
}

proptest! {
    #[test]
    fn any_object_is_read_as_serde_reads_it(
        members in proptest::collection::vec(
            (
                prop_oneof![Just("id"), Just("size"), Just("legs"), Just("theTags"), Just("price"), Just("count"), Just("x")],
                prop_oneof![4 => Just(""), 1 => Just(" ")],
                prop_oneof![Just("null"), Just("1"), Just("\"1\""), Just("[]"), Just("{}"), Just("[{}]"), Just("{\"a\":1}")],
            ),
            0..8,
        ),
    ) {
        let members: Vec<String> = members.iter().map(|(name, gap, value)| format!("{gap}\"{name}\":{value}")).collect();
        let body = format!("{{{}}}", members.join(","));
        prop_assert_eq!(outcome::<ours::Row>(&body), outcome::<serdes::Row>(&body), "{}", body);
        let value: Value = serde_json::from_str(&body).unwrap();
        prop_assert_eq!(serde_json::from_value::<ours::Row>(value.clone()).is_ok(), serde_json::from_value::<serdes::Row>(value).is_ok());
    }
}
