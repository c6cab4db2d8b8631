//! JSON whose numbers are text, so that no digit is lost.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(BTreeMap<String, Json>),
}

/// One step from a value into it.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Key(String),
    Index(usize),
}

impl Json {
    pub fn parse(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    pub fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    pub fn number(number: impl ToString) -> Self {
        Self::Number(number.to_string())
    }

    /// The member of an object.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.get(name),
            _ => None,
        }
    }

    /// The value at a place, if the way there still exists.
    pub fn at(&mut self, place: &[Step]) -> Option<&mut Self> {
        place.iter().try_fold(self, |value, step| match (value, step) {
            (Self::Object(members), Step::Key(name)) => members.get_mut(name),
            (Self::List(items), Step::Index(index)) => items.get_mut(*index),
            _ => None,
        })
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(number) => f.write_str(number),
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::List(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if index > 0 { "," } else { "" })?;
                }
                f.write_str("]")
            }
            Self::Object(members) => {
                f.write_str("{")?;
                for (index, (name, value)) in members.iter().enumerate() {
                    write!(f, "{}{}:{value}", if index > 0 { "," } else { "" }, quoted(name))?;
                }
                f.write_str("}")
            }
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let token = <&RawValue>::deserialize(deserializer)?.get();
        let value = match token.as_bytes()[0] {
            b'n' => Ok(Self::Null),
            b't' | b'f' => Ok(Self::Bool(token == "true")),
            b'"' => serde_json::from_str(token).map(Self::Text),
            b'[' => serde_json::from_str(token).map(Self::List),
            b'{' => serde_json::from_str(token).map(|Members(members)| Self::Object(members)),
            _ => Ok(Self::Number(token.to_owned())),
        };
        value.map_err(D::Error::custom)
    }
}

/// An object without duplicate names.
struct Members(BTreeMap<String, Json>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Once;

        impl<'de> Visitor<'de> for Once {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, Json>()? {
                    if members.insert(name.clone(), value).is_some() {
                        return Err(A::Error::custom(format!("`{name}` is defined twice")));
                    }
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Once)
    }
}

#[test]
fn json_keeps_every_digit_and_refuses_a_name_that_stands_twice() {
    let text = r#"{"a":[1.50,-0.0000001,12345678901234567890.10,1e3],"b":{"c":"\"é\\"},"d":null,"e":true}"#;
    assert_eq!(Json::parse(text).to_string(), text);
    assert!(serde_json::from_str::<Json>(r#"{"a":{"b":1,"b":1}}"#).is_err());
}
