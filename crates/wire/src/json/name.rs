//! The name of a member, which is text, and may stand for something else.

use std::borrow::Cow;

use serde::de::value::{BorrowedStrDeserializer, StringDeserializer};
use serde::de::{Deserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::error::Error;
use super::raw::Raw;
use super::reader::Reader;
use crate::token::RAW;

/// A name that is to be read, and the colon behind it.
pub(super) struct Name<'a, 'de>(pub(super) &'a mut Reader<'de>);

impl<'de> Name<'_, 'de> {
    fn text(&mut self) -> Result<Cow<'de, str>, Error> {
        self.0.name()?;
        let name = self.0.string()?;
        self.0.colon()?;
        Ok(name)
    }
}

/// The name of a variant.
pub(super) fn variant<'de, V: Visitor<'de>>(name: Cow<'de, str>, visitor: V) -> Result<V::Value, Error> {
    match name {
        Cow::Borrowed(name) => BorrowedStrDeserializer::new(name).deserialize_enum("", &[], visitor),
        Cow::Owned(name) => StringDeserializer::new(name).deserialize_enum("", &[], visitor),
    }
}

/// A string, whether it is a name or a value.
pub(super) fn text<'de, V: Visitor<'de>>(text: Cow<'de, str>, visitor: V) -> Result<V::Value, Error> {
    match text {
        Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
        Cow::Owned(text) => visitor.visit_string(text),
    }
}

/// Names that stand for something else. One that does not is read as the text that it is.
macro_rules! values {
    ($($method:ident $visit:ident $kind:ty),*) => {$(
        fn $method<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
            let name = self.text()?;
            // By the grammar of JSON: `01` and `+1` are not numbers. What is written with an escape is text.
            let plain = matches!(name, Cow::Borrowed(name) if name.trim_ascii() == name);
            match serde_json::from_str::<$kind>(&name) {
                Ok(value) if plain => visitor.$visit(value),
                _ => text(name, visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Name<'_, 'de> {
    type Error = Error;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Error> {
        text(self.text()?, visitor)
    }

    values! {
        deserialize_i8 visit_i64 i64, deserialize_i16 visit_i64 i64, deserialize_i32 visit_i64 i64, deserialize_i64 visit_i64 i64,
        deserialize_u8 visit_u64 u64, deserialize_u16 visit_u64 u64, deserialize_u32 visit_u64 u64, deserialize_u64 visit_u64 u64,
        deserialize_i128 visit_i128 i128, deserialize_u128 visit_u128 u128, deserialize_f32 visit_f64 f64, deserialize_f64 visit_f64 f64,
        deserialize_bool visit_bool bool
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    /// A name that begins with a quote is no name of a type, but a guess of what is written here ([`object`](crate::object)).
    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, guess: &'static str, visitor: V) -> Result<V::Value, Error> {
        if guess.as_bytes().first() == Some(&b'"') && self.0.skip_guess(guess) {
            return visitor.visit_unit();
        }
        if guess == RAW {
            let written = self.0.written_name()?;
            self.0.colon()?;
            return visitor.visit_map(Raw::new(written));
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        variant(self.text()?, visitor)
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
