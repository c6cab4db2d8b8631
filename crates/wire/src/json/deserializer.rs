//! The reader as serde sees it.

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::error::{Error, ErrorKind};
use super::name::{Name, text, variant};
use super::raw::Raw;
use super::reader::Reader;
use crate::token::RAW;

impl<'de> Reader<'de> {
    #[inline]
    fn object<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Error> {
        self.inside(b'}', |rest| visitor.visit_map(rest))
    }

    fn list<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Error> {
        self.inside(b']', |rest| visitor.visit_seq(rest))
    }

    /// Reads what is inside the bracket that begins here, up to the one that ends it.
    #[inline]
    fn inside<T>(&mut self, end: u8, read: impl FnOnce(&mut Rest<'_, 'de>) -> Result<T, Error>) -> Result<T, Error> {
        self.nested(|own| {
            let mut rest = Rest { reader: own, is_first: true, is_over: false };
            let value = read(&mut rest)?;
            // A visitor that has what it wants does not ask for the end.
            if rest.is_over || rest.next(end)?.is_none() {
                return Ok(value);
            }
            Err(Error::new(ErrorKind::Data, "more members or elements than were expected"))
        })
    }

    fn number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Error> {
        let start = self.at;
        let is_whole = self.skip_number()?;
        let text = self.since(start)?;
        match text.as_bytes() {
            // There is a negative zero among floats only.
            [b'-', b'0'] => {}
            [b'-', ..] if is_whole => {
                if let Ok(number) = text.parse() {
                    return visitor.visit_i64(number);
                }
            }
            _ if is_whole => {
                if let Ok(number) = text.parse() {
                    return visitor.visit_u64(number);
                }
            }
            _ => {}
        }
        // Its digits are those of `serde_json`, to the last one.
        visitor.visit_f64(serde_json::from_str(text).map_err(|error| Error::of_part(&error))?)
    }

    /// The value that begins here is not of the kind that a type asks for.
    #[cold]
    fn unexpected(&mut self, expected: &dyn Expected) -> Error {
        let next = match self.peek() {
            Ok(next) => next,
            Err(error) => return error,
        };
        let start = self.at;
        // Invalid JSON is a syntax error, whatever was expected.
        if let Err(error) = self.skip() {
            return error;
        }
        match next {
            b'[' => Error::invalid_type(Unexpected::Seq, expected),
            b'{' => Error::invalid_type(Unexpected::Map, expected),
            b'n' => Error::invalid_type(Unexpected::Unit, expected),
            _ => Error::invalid_type(Unexpected::Other("a value"), expected),
        }
        .at(start + 1)
    }
}

/// What is left of an object or a list.
struct Rest<'a, 'de> {
    reader: &'a mut Reader<'de>,
    is_first: bool,
    is_over: bool,
}

impl Rest<'_, '_> {
    /// The first byte of what comes next; none at the end.
    #[inline]
    fn next(&mut self, end: u8) -> Result<Option<u8>, Error> {
        if self.is_over {
            return Ok(None);
        }
        let next = self.reader.more(end, &mut self.is_first)?;
        self.is_over = next.is_none();
        Ok(next)
    }
}

impl<'de> MapAccess<'de> for &mut Rest<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        if self.next(b'}')?.is_none() {
            return Ok(None);
        }
        seed.deserialize(Name(self.reader)).map(Some).map_err(|error| error.at(self.reader.at))
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(&mut *self.reader).map_err(|error| error.at(self.reader.at))
    }
}

impl<'de> SeqAccess<'de> for &mut Rest<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        match self.next(b']')? {
            None => Ok(None),
            Some(_) => seed.deserialize(&mut *self.reader).map(Some).map_err(|error| error.at(self.reader.at)),
        }
    }
}

/// An enum that is written as an object with one member: the name of the variant, and what it holds.
struct Variant<'a, 'de>(&'a mut Reader<'de>);

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        Ok((seed.deserialize(Name(self.0))?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Deserialize::deserialize(self.0)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.0)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.0.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        self.0.deserialize_any(visitor)
    }
}

/// Numbers of 128 bits, which `deserialize_any` does not read.
macro_rules! large_numbers {
    ($($method:ident $visit:ident $kind:ty),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            if !matches!(self.peek()?, b'-' | b'0'..=b'9') {
                return Err(self.unexpected(&visitor));
            }
            let start = self.at;
            self.skip_number()?;
            match self.since(start)?.parse::<$kind>() {
                Ok(number) => visitor.$visit(number),
                Err(_) => Err(Error::invalid_value(Unexpected::Other("a number"), &visitor)),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.peek()? {
            b'"' => text(self.string()?, visitor),
            b'{' => self.object(visitor),
            b'[' => self.list(visitor),
            b't' => {
                self.skip_word("true")?;
                visitor.visit_bool(true)
            }
            b'f' => {
                self.skip_word("false")?;
                visitor.visit_bool(false)
            }
            b'n' => {
                self.skip_word("null")?;
                visitor.visit_unit()
            }
            _ => self.number(visitor),
        }
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.peek()? {
            b'n' => {
                self.skip_word("null")?;
                visitor.visit_none()
            }
            _ => visitor.visit_some(self),
        }
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        if name != RAW {
            return visitor.visit_newtype_struct(self);
        }
        self.peek()?;
        let start = self.at;
        self.skip()?;
        // The value as a whole is what does not fit, and not the last part of it.
        visitor.visit_map(Raw::new(self.since(start)?)).map_err(|error| error.at(start + 1))
    }

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.peek()? {
            b'"' => text(self.string()?, visitor),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    #[inline]
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.peek()? {
            b'{' => self.object(visitor),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.peek()? {
            b'[' => self.list(visitor),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    #[inline]
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.skip()?;
        visitor.visit_unit()
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.peek()? {
            b'"' => variant(self.string()?, visitor),
            b'{' => self.nested(|own| {
                let value = visitor.visit_enum(Variant(own))?;
                match own.peek()? {
                    b'}' => own.at += 1,
                    _ => return Err(own.wrong("more than one member, expected one that names a variant")),
                }
                Ok(value)
            }),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    large_numbers! { deserialize_i128 visit_i128 i128, deserialize_u128 visit_u128 u128 }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct struct
    }
}
