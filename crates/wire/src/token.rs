//! One number or text of a JSON document, as it was written.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A number or a text whose digits must not pass through a float.
pub(crate) struct Token(Box<RawValue>);

/// How a token is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Form {
    /// Between quotes.
    Text,
    /// As a number, or in a form that no number has.
    Bare,
}

/// A type that is read from a token.
pub(crate) trait FromToken: Sized {
    /// What an error says.
    const EXPECTED: &'static str;

    /// Reads a token, without the quotes that a text has.
    fn from_token(text: &str, form: Form) -> Option<Self>;
}

/// A token that is not what was expected.
pub(crate) struct Unexpected(&'static str);

impl fmt::Display for Unexpected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "another value, expected {}", self.0)
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::deserialize(deserializer).map(Self)
    }
}

impl Token {
    /// Whether it is a text of nothing but spaces.
    pub(crate) fn is_blank(&self) -> bool {
        let (text, form) = self.parts();
        form == Form::Text && text.trim().is_empty()
    }

    pub(crate) fn read<T: FromToken>(&self) -> Result<T, Unexpected> {
        let (text, form) = self.parts();
        T::from_token(&text, form).ok_or(Unexpected(T::EXPECTED))
    }

    fn parts(&self) -> (Cow<'_, str>, Form) {
        let token = self.0.get();
        match token.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            None => (token.into(), Form::Bare),
            Some(text) if !text.contains('\\') => (text.into(), Form::Text),
            // The escapes were checked when the token was taken, all but those of half a character.
            Some(text) => (serde_json::from_str::<String>(token).map_or(text.into(), Cow::Owned), Form::Text),
        }
    }
}
