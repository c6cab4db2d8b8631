//! An id or a number that may be a text.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::number;
use crate::token::{self, Form, FromToken};

/// A whole number or a text, such as an id that the venue hides in part, or an allowance that may be `unlimited`.
///
/// Each is written in the form in which it was read. A text stays a text, also where it holds digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum IntegerOrText {
    /// A whole number.
    Integer(i64),
    /// A text.
    Text(String),
}

impl IntegerOrText {
    /// The number, if it is one.
    pub fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Text(_) => None,
        }
    }
}

impl From<i64> for IntegerOrText {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<&str> for IntegerOrText {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for IntegerOrText {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl fmt::Display for IntegerOrText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

impl Serialize for IntegerOrText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Integer(number) => serializer.serialize_i64(*number),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for IntegerOrText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        token::required(deserializer)
    }
}

impl FromToken for IntegerOrText {
    const EXPECTED: &'static str = "a whole number of 64 bits or a text";

    fn from_token(text: &str, form: Form) -> Option<Self> {
        match form {
            Form::Text => Some(text.into()),
            Form::Bare => i64::try_from(number::whole(text)?).ok().map(Self::Integer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_kept() {
        for (token, value) in
            [("7", 7.into()), ("7.0", 7.into()), ("\"7\"", "7".into()), ("\"unlimited\"", "unlimited".into())]
        {
            let read: IntegerOrText = serde_json::from_str(token).unwrap();
            assert_eq!(read, value);
            assert_eq!(serde_json::to_string(&read).unwrap(), token.replace(".0", ""));
        }
        for token in ["7.5", "1e30", "true", "null", "[]", "{}"] {
            assert!(serde_json::from_str::<IntegerOrText>(token).is_err(), "{token}");
        }
    }
}
