//! Responses of which one member or another must be there, because the venue does not always use the same one.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};

/// Reads a struct from an object that has one of these members at least, so that an object of another kind is not taken for it.
///
/// `lists` are those of `members` that are lists or maps: one that is null or empty is there nevertheless. `has` says whether the
/// struct has any of the others.
#[doc(hidden)]
pub fn object_with<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
    members: &'static [&'static str],
    lists: &'static [&'static str],
    has: fn(&T) -> bool,
) -> Result<Option<T>, D::Error> {
    let seen = Cell::new(false);
    let value: Option<T> =
        deserializer.deserialize_option(Perhaps { watch: Watch { lists, seen: &seen }, of: PhantomData })?;
    match value {
        Some(value) if !seen.get() && !has(&value) => {
            let names = members.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            Err(D::Error::custom(format_args!("missing field: one of {names} is needed")))
        }
        value => Ok(value),
    }
}

/// Notes whether one of these members was there.
#[derive(Clone, Copy)]
struct Watch<'a> {
    lists: &'static [&'static str],
    seen: &'a Cell<bool>,
}

impl Watch<'_> {
    fn note(self, name: &str) {
        if self.lists.contains(&name) {
            self.seen.set(true);
        }
    }
}

struct Perhaps<'a, T> {
    watch: Watch<'a>,
    of: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Perhaps<'_, T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_none<E>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        T::deserialize(Watched { inner: deserializer, watch: self.watch }).map(Some)
    }
}

/// Watches what passes through it: a deserializer, a visitor, the members of an object, a seed.
struct Watched<'a, T> {
    inner: T,
    watch: Watch<'a>,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Watched<'_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_map(Watched { inner: visitor, watch: self.watch })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Watched<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(Watched { inner: map, watch: self.watch })
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Watched<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        self.inner.next_key_seed(Watched { inner: seed, watch: self.watch })
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.inner.next_value_seed(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Watched<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(Name { inner: deserializer, watch: self.watch })
    }
}

/// The name of a member.
struct Name<'a, T> {
    inner: T,
    watch: Watch<'a>,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Name<'_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_str(Name { inner: visitor, watch: self.watch })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Name<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<V::Value, E> {
        self.watch.note(name);
        self.inner.visit_str(name)
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, name: &'de str) -> Result<V::Value, E> {
        self.watch.note(name);
        self.inner.visit_borrowed_str(name)
    }

    fn visit_string<E: serde::de::Error>(self, name: String) -> Result<V::Value, E> {
        self.watch.note(&name);
        self.inner.visit_string(name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::json::from_slice;
    use crate::lenient::{collection, optional};

    #[derive(Debug, Deserialize)]
    struct Transaction {
        id: String,
    }

    #[derive(Debug, Deserialize)]
    struct Wrapper {
        #[serde(default, deserialize_with = "optional")]
        data: Option<Transaction>,
        #[serde(default, deserialize_with = "collection")]
        accounts: Vec<i64>,
        #[serde(default)]
        status: Option<String>,
        #[serde(flatten)]
        extra: HashMap<String, bool>,
    }

    mod generated {
        use super::{Transaction, Wrapper};

        crate::lenient_types! {
            objects { Transaction } others {} vital { Wrapper ["data" "accounts"] ["accounts"] [data] }
        }
    }

    #[test]
    fn one_of_the_members_must_be_there() {
        let read = |json: &str| from_slice::<Wrapper>(json.as_bytes());
        for json in [r#"{"data":{"id":"a"}}"#, r#"{"accounts":[]}"#, r#"{"accounts":null}"#, r#"{"\u0061ccounts":[]}"#]
        {
            assert!(read(json).is_ok(), "{json}");
        }
        let listed = read(r#"{"accounts":[1.0],"status":"ok","new":true}"#).unwrap();
        assert_eq!((listed.accounts, listed.extra["new"]), (vec![1], true));
        for json in ["{}", r#"{"status":"ok"}"#, r#"{"data":null}"#, r#"{"new":true}"#] {
            let error = read(json).unwrap_err().to_string();
            assert!(error.starts_with("missing field: one of `data`, `accounts` is needed"), "{json}: {error}");
        }
        for json in ["[]", r#"[{"id":"a"}]"#] {
            assert!(read(json).unwrap_err().to_string().contains("found a list, expected struct Wrapper"), "{json}");
        }
        assert!(from_slice::<Option<Wrapper>>(b"null").unwrap().is_none());
        let data = read(r#"{"data":{"id":"a"},"status":"ok"}"#).unwrap();
        assert_eq!((data.data.unwrap().id.as_str(), data.status.as_deref()), ("a", Some("ok")));
    }
}
