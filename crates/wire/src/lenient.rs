//! How responses are read: what an honest venue may write is not refused.
//!
//! - A list or a map that is null is empty, and so is the place of an entry of a map that is null.
//! - A whole number may be written with a point or an exponent, as by a venue that computes in floats: `25.0`, `1e3`. It is read by its
//!   text, exactly; what is not whole, or too large, is refused.
//! - Numbers may be written as text, in the notation of JSON.
//! - A text of nothing but spaces, in place of a number or a time, is no value. Words such as `null` or `N/A` are refused: it is unknown
//!   what they mean.
//! - An object is never read from a list: by its position alone, a value could end up in any field. [`object`](mod@crate::object) does that.
//!
//! Generated code names [`optional`], [`vital`], [`collection`] and [`null_as_default`], most of it by the words of
//! [`object!`](crate::object!). Requests are built, and are not read by these rules.

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::token::{self, Form, FromToken};
use crate::{DateTime, Decimal, DecimalNumber, DecimalOrText, IntegerOrText, Open, Secret};
use crate::{UnixMicros, UnixMillis, UnixMillisOrMicros, UnixNanos, UnixSeconds, number};

/// A type that responses are made of.
pub trait Lenient<'de>: Sized {
    /// What an error says where there is no value.
    const EXPECTED: &'static str = "a value";

    /// Reads a value; none where the venue says nothing.
    ///
    /// # Errors
    /// What is written there is something else.
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error>;
}

/// Reads a field that may be null, blank or missing.
///
/// # Errors
/// What is written there is something else.
pub fn optional<'de, D: Deserializer<'de>, T: Lenient<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::read(deserializer)
}

/// Reads a field without which the response is useless.
///
/// # Errors
/// There is no value, or what is written there is something else.
pub fn vital<'de, D: Deserializer<'de>, T: Lenient<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::read(deserializer)?.ok_or_else(|| D::Error::custom(format_args!("empty or null, expected {}", T::EXPECTED)))
}

/// Reads a list or a map that is empty where the venue says nothing.
///
/// # Errors
/// What is written there is something else.
pub fn collection<'de, D: Deserializer<'de>, T: Lenient<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    T::read(deserializer).map(Option::unwrap_or_default)
}

/// Reads a list or a map by its type alone; one that is null is empty. For what serde reads from a buffer, in which the text of a
/// number is lost.
///
/// # Errors
/// What is written there is something else.
pub fn null_as_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    plain(deserializer).map(Option::unwrap_or_default)
}

macro_rules! scalars {
    ($($name:ty),*) => {$(
        impl<'de> Lenient<'de> for $name {
            const EXPECTED: &'static str = <$name as FromToken>::EXPECTED;

            fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
                token::optional(deserializer)
            }
        }
    )*};
}

scalars!(i32, u32, i64, u64, f64, Decimal, DecimalNumber, DecimalOrText, IntegerOrText);
scalars!(UnixSeconds, UnixMillis, UnixMicros, UnixNanos, UnixMillisOrMicros);

macro_rules! whole {
    ($($name:ty: $expected:literal),*) => {$(
        impl FromToken for $name {
            const EXPECTED: &'static str = $expected;

            fn from_token(text: &str, _: Form) -> Option<Self> {
                number::whole(text)?.try_into().ok()
            }
        }
    )*};
}

whole!(
    i32: "a whole number of 32 bits",
    u32: "a whole number of 32 bits that is not negative",
    i64: "a whole number of 64 bits",
    u64: "a whole number of 64 bits that is not negative"
);

macro_rules! unix_times {
    ($($name:ident),*) => {$(
        impl FromToken for $name {
            const EXPECTED: &'static str = "a Unix time, a whole number of 64 bits";

            fn from_token(text: &str, form: Form) -> Option<Self> {
                i64::from_token(text, form).map(Self::from)
            }
        }
    )*};
}

unix_times!(UnixSeconds, UnixMillis, UnixMicros, UnixNanos, UnixMillisOrMicros);

impl FromToken for f64 {
    const EXPECTED: &'static str = "a number";

    fn from_token(text: &str, _: Form) -> Option<Self> {
        let number = number::is_number(text).then(|| text.parse::<Self>().ok())??;
        number.is_finite().then_some(number)
    }
}

/// A text, which is read as it stands: there is no other form of it whose token would have to be looked at.
impl<'de> Lenient<'de> for DateTime {
    const EXPECTED: &'static str = "a time as text";

    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Option<DateTime>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(DateTime::EXPECTED)
            }

            fn visit_none<E>(self) -> Result<Option<DateTime>, E> {
                Ok(None)
            }

            fn visit_unit<E>(self) -> Result<Option<DateTime>, E> {
                Ok(None)
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<DateTime>, D::Error> {
                deserializer.deserialize_str(self)
            }

            fn visit_str<E>(self, text: &str) -> Result<Option<DateTime>, E> {
                Ok((!text.trim_start().is_empty()).then(|| text.into()))
            }
        }

        deserializer.deserialize_option(Text)
    }
}

macro_rules! plain {
    ($($name:ty),*) => {$(
        impl<'de> Lenient<'de> for $name {
            fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
                plain(deserializer)
            }
        }
    )*};
}

plain!(String, bool, Secret, Map<String, Value>);

/// Reads a value as its type says.
#[doc(hidden)]
pub fn plain<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

impl<'de, K: FromStr> Lenient<'de> for Open<K> {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        plain(deserializer)
    }
}

/// A response without an expected body: every member of an object is unknown.
impl<'de> Lenient<'de> for () {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        struct Nothing {}

        crate::object! { Nothing {} }

        plain::<_, Nothing>(deserializer)?;
        Ok(Some(()))
    }
}

impl<'de> Lenient<'de> for Value {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        Self::deserialize(deserializer).map(Some)
    }
}

impl<'de, T: Lenient<'de>> Lenient<'de> for Option<T> {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        T::read(deserializer).map(Some)
    }
}

impl<'de, T: Lenient<'de>> Lenient<'de> for Box<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        Ok(T::read(deserializer)?.map(Self::new))
    }
}

/// No element may be missing: the others would move up.
impl<'de, T: Lenient<'de>> Lenient<'de> for Vec<T> {
    const EXPECTED: &'static str = "a list";

    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        struct Vital<T>(T);

        impl<'de, T: Lenient<'de>> Deserialize<'de> for Vital<T> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                vital(deserializer).map(Self)
            }
        }

        /// Puts each item where it stays.
        struct Items<T>(PhantomData<T>);

        impl<'de, T: Lenient<'de>> Visitor<'de> for Items<T> {
            type Value = Option<Vec<T>>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a sequence")
            }

            fn visit_none<E>(self) -> Result<Option<Vec<T>>, E> {
                Ok(None)
            }

            fn visit_unit<E>(self) -> Result<Option<Vec<T>>, E> {
                Ok(None)
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Vec<T>>, D::Error> {
                deserializer.deserialize_seq(self)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Option<Vec<T>>, A::Error> {
                let mut list = Vec::new();
                while let Some(Vital(item)) = items.next_element()? {
                    list.push(item);
                }
                Ok(Some(list))
            }
        }

        deserializer.deserialize_option(Items(PhantomData))
    }
}

impl<'de, T: Lenient<'de>> Lenient<'de> for HashMap<String, T> {
    const EXPECTED: &'static str = "an object";

    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        struct Perhaps<T>(Option<T>);

        impl<'de, T: Lenient<'de>> Deserialize<'de> for Perhaps<T> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                T::read(deserializer).map(Self)
            }
        }

        let entries = Option::<HashMap<String, Perhaps<T>>>::deserialize(deserializer)?;
        Ok(entries.map(|entries| entries.into_iter().filter_map(|(key, Perhaps(value))| Some((key, value?))).collect()))
    }
}

/// Implements [`Lenient`] for generated types.
#[doc(hidden)]
#[macro_export]
macro_rules! lenient_types {
    (objects { $($object:ident)* } others { $($other:ident)* } vital { $(
        $vital:ident [$($member:literal)*] [$($list:literal)*] [$($field:ident)*]
    )* }) => {
        $(impl<'de> $crate::lenient::Lenient<'de> for $object {
            const EXPECTED: &'static str = concat!("struct ", stringify!($object), " (an object)");

            fn read<D: $crate::serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
                $crate::lenient::plain(deserializer)
            }
        })*
        $(impl<'de> $crate::lenient::Lenient<'de> for $other {
            fn read<D: $crate::serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
                $crate::lenient::plain(deserializer)
            }
        })*
        $(impl<'de> $crate::lenient::Lenient<'de> for $vital {
            const EXPECTED: &'static str = concat!("struct ", stringify!($vital), " (an object)");

            fn read<D: $crate::serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
                let has = |value: &Self| false $(|| value.$field.is_some())*;
                $crate::object_with(deserializer, &[$($member),*], &[$($list),*], has)
            }
        })*
    };
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json::from_slice;

    #[derive(Debug, Default, PartialEq)]
    struct Inner {
        at: Option<UnixMillis>,
        name: Option<String>,
    }

    crate::object! { Inner { at "at" optional, name "name" maybe, } }

    #[derive(Debug, Default, PartialEq)]
    struct Row {
        count: Option<i64>,
        price: Option<DecimalNumber>,
        fee: Option<DecimalOrText>,
        rate: Option<f64>,
        day: Option<DateTime>,
        inner: Option<Inner>,
        ids: Vec<i64>,
        levels: Vec<Vec<Decimal>>,
        rows: Vec<Inner>,
        totals: HashMap<String, Decimal>,
        counts: HashMap<String, Vec<i64>>,
    }

    crate::object! { Row {
        count "count" optional, price "price" optional, fee "fee" optional, rate "rate" optional, day "day" optional,
        inner "inner" optional, ids "ids" list_or_none, levels "levels" list_or_none, rows "rows" list_or_none,
        totals "totals" list_or_none, counts "counts" list_or_none,
    } }

    #[derive(Debug, PartialEq)]
    struct Wanted {
        id: i64,
    }

    crate::object! { Wanted { id "id" vital, } }

    mod generated {
        use super::{Inner, Row, Wanted};

        crate::lenient_types! { objects { Inner Row Wanted } others {} vital {} }
    }

    fn row(json: &str) -> Row {
        from_slice(json.as_bytes()).unwrap_or_else(|error| panic!("{json}: {error}"))
    }

    fn refused<T: for<'de> Lenient<'de> + fmt::Debug>(json: &str) -> String {
        from_slice::<T>(json.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn whole_numbers_in_any_notation() {
        for (token, number) in
            [("25", 25), ("25.0", 25), ("1e3", 1000), ("-2.50E+1", -25), ("\"25\"", 25), ("\"25.0\"", 25)]
        {
            assert_eq!(row(&format!(r#"{{"count":{token}}}"#)).count, Some(number));
            assert_eq!(row(&format!(r#"{{"ids":[{token}]}}"#)).ids, [number]);
            assert_eq!(row(&format!(r#"{{"counts":{{"a":[{token}]}}}}"#)).counts["a"], [number]);
            assert_eq!(row(&format!(r#"{{"inner":{{"at":{token}}}}}"#)).inner.unwrap().at, Some(UnixMillis(number)));
            assert_eq!(from_slice::<Wanted>(format!(r#"{{"id":{token}}}"#).as_bytes()).unwrap(), Wanted { id: number });
            assert_eq!(from_slice::<i64>(token.as_bytes()).unwrap(), number);
        }
        assert_eq!(row(r#"{"count":9007199254740993.0}"#).count, Some(9_007_199_254_740_993));
        for token in [
            "25.5",
            "25.00000000000000001",
            "9223372036854775808",
            "9223372036854775808.0",
            "1e19",
            "1e-9223372036854775808",
            "true",
            "[]",
            "\"1_0\"",
            "\"+1\"",
            "\"N/A\"",
            "\"null\"",
        ] {
            let error = refused::<Row>(&format!(r#"{{"count":{token}}}"#));
            assert!(error.contains("expected a whole number of 64 bits"), "{token}: {error}");
        }
        assert!(from_slice::<u32>(b"-1").is_err() && from_slice::<i32>(b"2147483648.0").is_err());
    }

    #[test]
    fn a_blank_text_is_no_value() {
        for blank in ["\"\"", "\" \"", "\"\\t\\n\"", "\"\\u0020\"", "null"] {
            let json = format!(
                r#"{{"count":{blank},"price":{blank},"fee":{blank},"rate":{blank},"day":{blank},"inner":{{"at":{blank}}},"totals":{{"a":{blank},"b":"1.50"}}}}"#
            );
            let mut expected = Row { inner: Some(Inner::default()), ..Row::default() };
            expected.totals.insert("b".to_owned(), "1.50".parse().unwrap());
            assert_eq!(row(&json), expected);
            for json in [format!(r#"{{"ids":[1,{blank}]}}"#), format!(r#"{{"levels":[["1",{blank}]]}}"#)] {
                assert!(refused::<Row>(&json).contains("empty text or null, expected "), "{json}");
            }
            assert!(
                refused::<Wanted>(&format!(r#"{{"id":{blank}}}"#))
                    .contains("empty text or null, expected a whole number")
            );
            assert!(from_slice::<i64>(blank.as_bytes()).is_err());
        }
        assert!(refused::<Wanted>("{}").contains("missing field `id`"));
        for word in ["\"null\"", "\"N/A\"", "\"-\""] {
            assert!(refused::<Row>(&format!(r#"{{"price":{word}}}"#)).contains("expected a decimal number"), "{word}");
        }
    }

    #[test]
    fn null_lists_and_maps_are_empty() {
        assert_eq!(
            row(r#"{"ids":null,"levels":null,"rows":null,"totals":null,"counts":{"a":null},"inner":null}"#),
            Row::default()
        );
    }

    #[test]
    fn an_object_is_never_read_from_a_list() {
        for json in
            ["[]", "[1]", r#"{"inner":[]}"#, r#"{"inner":[1,"a"]}"#, r#"{"rows":[[]]}"#, r#"{"rows":[{},[1,"a"]]}"#]
        {
            let error = refused::<Row>(json);
            assert!(error.contains("found a list, expected struct "), "{json}: {error}");
        }
        assert!(refused::<Vec<Row>>("{}").contains("found an object, expected a list"));
    }

    #[test]
    fn what_follows_the_response_is_refused() {
        assert!(refused::<Row>("{} {}").contains("there is more after the value"));
        assert_eq!(from_slice::<Option<Row>>(b" null ").unwrap(), None);
        assert_eq!(from_slice::<Value>(b"null").unwrap(), Value::Null);
    }

    proptest! {
        #[test]
        fn any_whole_number_is_read_exactly(number in any::<i64>(), zeros in 0_usize..4, shift in 0_usize..20) {
            let zeros = "0".repeat(zeros);
            let digits = number.unsigned_abs().to_string();
            let shift = shift.min(digits.len() - 1);
            let (head, tail) = digits.split_at(digits.len() - shift);
            let sign = if number < 0 { "-" } else { "" };
            let tail = if tail.is_empty() && zeros.is_empty() { String::new() } else { format!(".{tail}{zeros}") };
            let token = format!("{sign}{head}{tail}e{shift}");
            prop_assert_eq!(from_slice::<i64>(token.as_bytes()).unwrap(), number, "{}", token);
        }

        #[test]
        fn no_body_panics(body in any::<Vec<u8>>(), text in "[\\[\\]{}\":,.0-9eE a-z-]*") {
            let _ = from_slice::<Row>(&body);
            let _ = from_slice::<Row>(text.as_bytes());
        }
    }
}
