//! One number or text of a JSON document, as it was written.
//!
//! A token is read where it stands, without a copy of it: `serde_json` hands out the text of a value under the name of its `RawValue`.
//! A deserializer that does not know that name is asked for a `RawValue` instead.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The name by which `serde_json` knows that the text of a value is wanted. A test holds it against the crate's own.
pub(crate) const RAW: &str = "$serde_json::private::RawValue";

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

/// Reads a value; none where it is null or a text of nothing but spaces.
pub(crate) fn optional<'de, D: Deserializer<'de>, T: FromToken>(deserializer: D) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_newtype_struct(RAW, Token { blank: Blank::Nothing, of: PhantomData })
}

/// Reads a value that is present, with any text.
pub(crate) fn required<'de, D: Deserializer<'de>, T: FromToken>(deserializer: D) -> Result<T, D::Error> {
    let token = Token { blank: Blank::Something, of: PhantomData };
    deserializer.deserialize_newtype_struct(RAW, token)?.ok_or_else(|| unexpected::<T, _>())
}

/// What a blank text is.
#[derive(Clone, Copy, PartialEq)]
enum Blank {
    Nothing,
    Something,
}

struct Token<T> {
    blank: Blank,
    of: PhantomData<T>,
}

fn unexpected<T: FromToken, E: Error>() -> E {
    E::custom(format_args!("another value, expected {}", T::EXPECTED))
}

impl<T: FromToken> Token<T> {
    /// Reads the text of a value, with the quotes that it may have.
    fn read<E: Error>(&self, token: &str) -> Result<Option<T>, E> {
        let text = token.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let (text, form) = match text {
            None if token == "null" => return Ok(None),
            None => (Cow::Borrowed(token), Form::Bare),
            Some(text) if !text.as_bytes().contains(&b'\\') => (Cow::Borrowed(text), Form::Text),
            // The escapes were checked when the token was taken, all but those of half a character.
            Some(text) => (serde_json::from_str::<String>(token).map_or(text.into(), Cow::Owned), Form::Text),
        };
        // Nearly all begin with a digit or a letter, which no blank text does.
        let may_be_blank = text.bytes().next().is_none_or(|byte| !byte.is_ascii_graphic());
        if self.blank == Blank::Nothing && form == Form::Text && may_be_blank && text.trim_start().is_empty() {
            return Ok(None);
        }
        T::from_token(&text, form).map(Some).ok_or_else(unexpected::<T, E>)
    }
}

impl<'de, T: FromToken> Visitor<'de> for Token<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<T>, A::Error> {
        map.next_key::<IgnoredAny>()?;
        map.next_value_seed(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        match Option::<Box<RawValue>>::deserialize(deserializer)? {
            Some(token) => self.read(token.get()),
            None => Ok(None),
        }
    }

    fn visit_str<E: Error>(self, token: &str) -> Result<Option<T>, E> {
        self.read(token)
    }
}

impl<'de, T: FromToken> DeserializeSeed<'de> for Token<T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

#[cfg(test)]
mod tests {
    use serde::forward_to_deserialize_any;

    use super::*;
    use crate::json::from_slice;
    use crate::lenient;
    use crate::{Decimal, IntegerOrText};

    /// Reports the name that a type asks for.
    struct Name;

    impl<'de> Deserializer<'de> for Name {
        type Error = serde::de::value::Error;

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
            Err(Error::custom("no name"))
        }

        fn deserialize_newtype_struct<V: Visitor<'de>>(
            self,
            name: &'static str,
            _: V,
        ) -> Result<V::Value, Self::Error> {
            Err(Error::custom(name))
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple
            tuple_struct map struct enum identifier ignored_any
        }
    }

    #[test]
    fn the_name_is_that_of_serde_json() {
        assert_eq!(Box::<RawValue>::deserialize(Name).unwrap_err().to_string(), RAW);
    }

    #[test]
    fn a_token_is_read_from_a_slice_a_reader_and_a_value_alike() {
        for text in [r#""1.50""#, "1.50", r#""1\u002e50""#] {
            let expected: Decimal = "1.50".parse().unwrap();
            assert_eq!(from_slice::<Decimal>(text.as_bytes()).unwrap(), expected, "{text}");
            assert_eq!(serde_json::from_reader::<_, Decimal>(text.as_bytes()).unwrap(), expected, "{text}");
            let value: serde_json::Value = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::from_value::<Decimal>(value).unwrap(), expected, "{text}");
        }
        let nothing: Option<i64> = lenient::optional(serde_json::Value::Null).unwrap();
        assert_eq!(nothing, None);
        assert_eq!(serde_json::from_str::<IntegerOrText>(r#"" ""#).unwrap(), " ".into());
    }
}
