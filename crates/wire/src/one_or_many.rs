//! A response that is one object where one was asked for, and otherwise a list.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer, forward_to_deserialize_any};

use crate::lenient::{Lenient, vital};

/// One value or a list of them, as the venue wrote it. Both are read as a slice.
///
/// ```
/// use venuekit_wire::{OneOrMany, lenient};
///
/// let one: OneOrMany<String> = OneOrMany::One("BTCUSDT".to_owned());
/// assert_eq!((one.len(), one[0].as_str()), (1, "BTCUSDT"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OneOrMany<T> {
    /// A value by itself.
    One(T),
    /// A list.
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    /// The values as a list.
    pub fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(value) => vec![value],
            Self::Many(values) => values,
        }
    }
}

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl<T> Deref for OneOrMany<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

impl<T> IntoIterator for OneOrMany<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.into_vec().into_iter()
    }
}

impl<'a, T> IntoIterator for &'a OneOrMany<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: Serialize> Serialize for OneOrMany<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::One(value) => value.serialize(serializer),
            Self::Many(values) => values.serialize(serializer),
        }
    }
}

impl<'de, T: Lenient<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        vital(deserializer)
    }
}

/// What is read is passed on as it comes: a buffer between would lose digits.
impl<'de, T: Lenient<'de>> Lenient<'de> for OneOrMany<T> {
    const EXPECTED: &'static str = "an object or a list";

    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        struct Either<T>(PhantomData<T>);

        impl<'de, T: Lenient<'de>> Visitor<'de> for Either<T> {
            type Value = Option<OneOrMany<T>>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object or a list")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(None)
            }

            fn visit_none<E>(self) -> Result<Self::Value, E> {
                Ok(None)
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
                Ok(T::read(Begun(MapAccessDeserializer::new(members)))?.map(OneOrMany::One))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
                Ok(Vec::read(Begun(SeqAccessDeserializer::new(items)))?.map(OneOrMany::Many))
            }
        }

        deserializer.deserialize_any(Either(PhantomData))
    }
}

/// An object or a list that has been begun, also for a reader that asks first whether there is one.
struct Begun<D>(D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Begun<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        visitor.visit_some(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::json::from_slice;
    use crate::{Decimal, Level};

    type Prices = HashMap<String, Decimal>;

    #[test]
    fn one_and_many_are_read_exactly_and_written_as_they_were() {
        for text in [r#"{"a":"123456789.123456789"}"#, r#"[{"a":"123456789.123456789"},{"b":"2"}]"#, "[]"] {
            let read: OneOrMany<Prices> = from_slice(text.as_bytes()).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), text);
        }
        let bare: OneOrMany<Prices> = from_slice(br#"[{"a":123456789.123456789}]"#).unwrap();
        assert_eq!(bare[0]["a"].to_string(), "123456789.123456789");
        let bare: OneOrMany<Prices> = from_slice(br#"{"a":123456789.123456789,"gone":null}"#).unwrap();
        assert_eq!(bare[0]["a"].to_string(), "123456789.123456789");
        assert_eq!((bare.len(), bare.into_vec().len()), (1, 1));
    }

    #[test]
    fn anything_but_an_object_or_a_list_is_refused() {
        for text in ["null", "1", r#""a""#, "[null]", "[1]", r#"{"a":true}"#] {
            assert!(from_slice::<OneOrMany<Prices>>(text.as_bytes()).is_err(), "{text}");
        }
        // An object is never read from a list, nor a list from an object.
        assert!(from_slice::<OneOrMany<Level>>(br#"{"price":1,"size":2}"#).is_err());
    }
}
