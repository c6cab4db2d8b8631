//! How generated structs are read from and written as JSON objects.
//!
//! The macro [`object!`](crate::object!) takes the place of serde's derives, whose code for each field costs the compiler several times as
//! much: most of what a client takes to compile would be that code. A struct is read from an object alone, member by member; a member that
//! occurs twice, or one that is needed and missing, is an error; unknown members are skipped.
//!
//! Each field has a word that says how it is read and written, by [`lenient`](crate::lenient)'s rules unless it is `plain` or `maybe`:
//!
//! | word | type | missing | null | not written |
//! |---|---|---|---|---|
//! | `plain` | any | error | as the type says | |
//! | `vital` | any | error | error | |
//! | `list` | a list or a map | error | empty | |
//! | `list_or_none` | a list or a map | empty | empty | if empty |
//! | `maybe`, `optional` | `Option` | none | none | if none |
//! | `nullable`, `optional_null` | `Option` | none | none | |

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::lenient::{self, Lenient};

/// A struct that is read from the members of an object.
pub trait Object<'de>: Sized {
    /// Its name.
    const NAME: &'static str;

    /// Reads all members.
    ///
    /// # Errors
    /// A member is something else than its type says, occurs twice, or is missing.
    fn read<A: MapAccess<'de>>(members: A) -> Result<Self, A::Error>;
}

/// Reads a struct from an object.
///
/// # Errors
/// It is not an object, or not what its type says.
pub fn read<'de, D: Deserializer<'de>, T: Object<'de>>(deserializer: D) -> Result<T, D::Error> {
    struct Members<T>(PhantomData<T>);

    impl<'de, T: Object<'de>> Visitor<'de> for Members<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "struct {} (an object)", T::NAME)
        }

        fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
            T::read(members)
        }
    }

    // Not as a struct: for that serde_json begins to read a list, and the error is placed inside of it.
    deserializer.deserialize_map(Members(PhantomData))
}

/// The name of a member.
pub struct Name<'de>(Cow<'de, str>);

impl Name<'_> {
    /// Its text.
    pub fn get(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a member")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }

            fn visit_string<E>(self, name: String) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name)))
            }
        }

        deserializer.deserialize_identifier(Text)
    }
}

/// The name of the next member.
///
/// # Errors
/// It is not JSON.
pub fn name<'de, A: MapAccess<'de>>(members: &mut A) -> Result<Option<Name<'de>>, A::Error> {
    members.next_key()
}

/// Skips the value of an unknown member.
///
/// # Errors
/// It is not JSON.
pub fn skip<'de, A: MapAccess<'de>>(members: &mut A) -> Result<(), A::Error> {
    members.next_value::<IgnoredAny>().map(drop)
}

/// How the fields of a kind are read: the words of [`object!`](crate::object!).
pub trait Kind<'de, T> {
    /// Reads the value.
    ///
    /// # Errors
    /// It is something else than its type says.
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error>;

    /// The value of a member that is missing, if it may be.
    fn missing() -> Option<T>;
}

/// Whether the fields of a kind are written.
pub trait Written<T> {
    /// Whether this one is.
    fn is_written(_: &T) -> bool {
        true
    }
}

/// Reads the value of a member into its place.
///
/// # Errors
/// It is something else than its type says, or occurs twice.
pub fn member<'de, K: Kind<'de, T>, T, A: MapAccess<'de>>(
    _: K,
    place: &mut Option<T>,
    name: &'static str,
    members: &mut A,
) -> Result<(), A::Error> {
    struct Value<K, T>(PhantomData<(K, T)>);

    impl<'de, K: Kind<'de, T>, T> DeserializeSeed<'de> for Value<K, T> {
        type Value = T;

        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
            K::read(deserializer)
        }
    }

    if place.is_some() {
        return Err(A::Error::duplicate_field(name));
    }
    *place = Some(members.next_value_seed(Value::<K, T>(PhantomData))?);
    Ok(())
}

/// The value of a field after all members were read.
///
/// # Errors
/// It is missing.
pub fn field<'de, K: Kind<'de, T>, T, E: serde::de::Error>(_: K, place: Option<T>, name: &'static str) -> Result<T, E> {
    place.or_else(K::missing).ok_or_else(|| E::missing_field(name))
}

/// Whether a field is written.
pub fn is_written<K: Written<T>, T>(_: K, value: &T) -> bool {
    K::is_written(value)
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        #[allow(non_camel_case_types)]
        pub struct $kind;
    )*};
}

kinds! {
    /// By its type, and it must be there.
    plain;
    /// By lenient rules, and it must be there and not null.
    vital;
    /// A list or a map, which must be there.
    list;
    /// A list or a map, which may be missing.
    list_or_none;
    /// By its type, if it is there.
    maybe;
    /// By lenient rules, if it is there.
    optional;
    /// By its type, if it is there; none is written as null.
    nullable;
    /// By lenient rules, if it is there; none is written as null.
    optional_null;
}

impl<'de, T: Deserialize<'de>> Kind<'de, T> for plain {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        T::deserialize(deserializer)
    }

    fn missing() -> Option<T> {
        None
    }
}

impl<'de, T: Lenient<'de>> Kind<'de, T> for vital {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        lenient::vital(deserializer)
    }

    fn missing() -> Option<T> {
        None
    }
}

impl<'de, T: Lenient<'de> + Default> Kind<'de, T> for list {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        lenient::collection(deserializer)
    }

    fn missing() -> Option<T> {
        None
    }
}

/// What may be empty.
pub trait Collection {
    /// Whether it is.
    fn is_empty(&self) -> bool;
}

impl<T> Collection for Vec<T> {
    fn is_empty(&self) -> bool {
        Self::is_empty(self)
    }
}

impl<K, V> Collection for std::collections::HashMap<K, V> {
    fn is_empty(&self) -> bool {
        Self::is_empty(self)
    }
}

impl<'de, T: Lenient<'de> + Default> Kind<'de, T> for list_or_none {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        lenient::collection(deserializer)
    }

    fn missing() -> Option<T> {
        Some(T::default())
    }
}

impl<T> Written<T> for plain {}
impl<T> Written<T> for vital {}
impl<T> Written<T> for list {}
impl<T> Written<T> for nullable {}
impl<T> Written<T> for optional_null {}

impl<T: Collection> Written<T> for list_or_none {
    fn is_written(value: &T) -> bool {
        !value.is_empty()
    }
}

impl<T> Written<Option<T>> for maybe {
    fn is_written(value: &Option<T>) -> bool {
        value.is_some()
    }
}

impl<T> Written<Option<T>> for optional {
    fn is_written(value: &Option<T>) -> bool {
        value.is_some()
    }
}

macro_rules! options {
    ($($kind:ident: $bound:ident, $read:path;)*) => {$(
        impl<'de, T: $bound<'de>> Kind<'de, Option<T>> for $kind {
            fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
                $read(deserializer)
            }

            fn missing() -> Option<Option<T>> {
                Some(None)
            }
        }
    )*};
}

options! {
    maybe: Deserialize, Option::deserialize;
    nullable: Deserialize, Option::deserialize;
    optional: Lenient, lenient::optional;
    optional_null: Lenient, lenient::optional;
}

/// Implements `Deserialize` and `Serialize` for a struct: for each field its name, that of its member, and a word of
/// [this module](mod@crate::object).
#[doc(hidden)]
#[macro_export]
macro_rules! object {
    ($type:ident { $($field:ident $name:literal $kind:ident,)* }) => {
        impl<'de> $crate::object::Object<'de> for $type {
            const NAME: &'static str = stringify!($type);

            #[allow(unused_mut)]
            fn read<A: $crate::serde::de::MapAccess<'de>>(mut members: A) -> ::std::result::Result<Self, A::Error> {
                $(let mut $field = ::std::option::Option::None;)*
                while let ::std::option::Option::Some(name) = $crate::object::name(&mut members)? {
                    match name.get() {
                        $($name => $crate::object::member($crate::object::$kind, &mut $field, $name, &mut members)?,)*
                        _ => $crate::object::skip(&mut members)?,
                    }
                }
                ::std::result::Result::Ok(Self {
                    $($field: $crate::object::field($crate::object::$kind, $field, $name)?,)*
                })
            }
        }

        impl<'de> $crate::serde::Deserialize<'de> for $type {
            fn deserialize<D: $crate::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                $crate::object::read(deserializer)
            }
        }

        impl $crate::serde::Serialize for $type {
            fn serialize<S: $crate::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                use $crate::serde::ser::SerializeStruct as _;

                let length = 0 $(+ usize::from($crate::object::is_written($crate::object::$kind, &self.$field)))*;
                #[allow(unused_mut)]
                let mut members = serializer.serialize_struct(stringify!($type), length)?;
                $(if $crate::object::is_written($crate::object::$kind, &self.$field) {
                    members.serialize_field($name, &self.$field)?;
                } else {
                    members.skip_field($name)?;
                })*
                members.end()
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;
    use serde::Serialize;
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
        let read = lenient::from_slice::<T>(body.as_bytes()).map_err(|error| error.to_string())?;
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
        for body in ["[]", r#"["a",1,[]]"#, r#"{"id":"a","size":1,"legs":[[]]}"#, r#"{"id":"a","size":1,"legs":[[2]]}"#]
        {
            let error = outcome::<ours::Row>(body).unwrap_err();
            assert!(error.contains("invalid type: sequence, expected struct "), "{body}: {error}");
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
                    prop_oneof![Just("null"), Just("1"), Just("\"1\""), Just("[]"), Just("{}"), Just("[{}]"), Just("{\"a\":1}")],
                ),
                0..8,
            ),
        ) {
            let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            let body = format!("{{{}}}", members.join(","));
            prop_assert_eq!(outcome::<ours::Row>(&body), outcome::<serdes::Row>(&body), "{}", body);
            let value: Value = serde_json::from_str(&body).unwrap();
            prop_assert_eq!(serde_json::from_value::<ours::Row>(value.clone()).is_ok(), serde_json::from_value::<serdes::Row>(value).is_ok());
        }
    }
}
