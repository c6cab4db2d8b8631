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

mod members;

use std::fmt;
use std::marker::PhantomData;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

pub use self::members::{Members, Names};
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
    struct Whole<T>(PhantomData<T>);

    impl<'de, T: Object<'de>> Visitor<'de> for Whole<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "struct {} (an object)", T::NAME)
        }

        fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
            T::read(members)
        }
    }

    // Not as a struct: for that serde_json begins to read a list, and the error is placed inside of it.
    deserializer.deserialize_map(Whole(PhantomData))
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

            fn read<A: $crate::serde::de::MapAccess<'de>>(members: A) -> ::std::result::Result<Self, A::Error> {
                static NAMES: $crate::object::Names = $crate::object::Names::new(&[$(::std::concat!("\"", $name, "\":")),*]);
                let mut members = $crate::object::Members::new(members, &NAMES);
                $(let mut $field = ::std::option::Option::None;)*
                // Compared one after the other, which is a jump once it is compiled. No names are compared here.
                #[allow(unused_assignments, unused_mut, unused_variables)]
                while let ::std::option::Option::Some(index) = members.next()? {
                    let mut at = 0;
                    $(
                        if index == at {
                            members.value($crate::object::$kind, &mut $field, $name)?;
                            continue;
                        }
                        at += 1;
                    )*
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
mod tests;
