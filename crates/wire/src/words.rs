//! Lists of words: the enums of a venue.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::Deserializer;
use serde::de::{Error, Visitor};

/// Reads one of the words of a list.
#[doc(hidden)]
pub fn read<'de, D: Deserializer<'de>, K: FromStr>(
    deserializer: D,
    words: &'static [&'static str],
) -> Result<K, D::Error> {
    struct Text<K>(&'static [&'static str], PhantomData<K>);

    impl<K: FromStr> Visitor<'_> for Text<K> {
        type Value = K;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a word")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<K, E> {
            text.parse().map_err(|_| E::unknown_variant(text, self.0))
        }
    }

    deserializer.deserialize_str(Text(words, PhantomData))
}

/// Makes enums of words, which convert from a text and from the words of other lists by their text.
#[doc(hidden)]
#[macro_export]
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum $name {
            $(#[doc = concat!("`", $word, "`")] $variant,)*
        }

        impl $name {
            const WORDS: &'static [&'static str] = &[$($word,)*];

            /// The word as the venue writes it.
            pub fn as_str(&self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl $crate::Word for $name {
            fn as_str(&self) -> &str {
                Self::as_str(self)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::given::Refusal;

            fn from_str(text: &str) -> Result<Self, $crate::given::Refusal> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    _ => Err($crate::given::Refusal::not_one_of(Self::WORDS)),
                }
            }
        }

        impl TryFrom<&str> for $name {
            type Error = $crate::given::Refusal;

            fn try_from(text: &str) -> Result<Self, $crate::given::Refusal> {
                text.parse()
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::given::Refusal;

            fn try_from(text: String) -> Result<Self, $crate::given::Refusal> {
                text.parse()
            }
        }

        impl TryFrom<&String> for $name {
            type Error = $crate::given::Refusal;

            fn try_from(text: &String) -> Result<Self, $crate::given::Refusal> {
                text.parse()
            }
        }

        /// By the word: refused where this list does not have it.
        impl<W: $crate::Word> TryFrom<&$crate::Open<W>> for $name {
            type Error = $crate::given::Refusal;

            fn try_from(word: &$crate::Open<W>) -> Result<Self, $crate::given::Refusal> {
                word.as_str().parse()
            }
        }

        /// By the word: refused where this list does not have it.
        impl<W: $crate::Word> TryFrom<$crate::Open<W>> for $name {
            type Error = $crate::given::Refusal;

            fn try_from(word: $crate::Open<W>) -> Result<Self, $crate::given::Refusal> {
                word.as_str().parse()
            }
        }

        impl From<&Self> for $name {
            fn from(word: &Self) -> Self {
                *word
            }
        }

        impl $crate::serde::Serialize for $name {
            fn serialize<S: $crate::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_unit_variant(stringify!($name), *self as u32, self.as_str())
            }
        }

        impl<'de> $crate::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::words::read(deserializer, Self::WORDS)
            }
        }

        impl<'de> $crate::lenient::Lenient<'de> for $name {
            fn read<D: $crate::serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
                $crate::lenient::plain(deserializer)
            }
        }
    )*};
}

/// Implements for a list, a map or a newtype what it has in common with what it holds.
#[doc(hidden)]
#[macro_export]
macro_rules! wraps {
    ($($name:ident($inner:ty);)*) => {$(
        impl ::std::ops::Deref for $name {
            type Target = $inner;

            fn deref(&self) -> &$inner {
                &self.0
            }
        }

        impl From<$name> for $inner {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl From<$inner> for $name {
            fn from(value: $inner) -> Self {
                Self(value)
            }
        }
    )*};
}

#[cfg(test)]
mod tests {
    use crate::Open;

    crate::words! {
        /// A side.
        Side { Bid = "bid", Ask = "ask", Neither = "", }
        /// Another list with one of the words.
        Filter { Bid = "bid", All = "all", }
    }

    #[test]
    fn words_convert_by_their_text() {
        for side in [Side::Bid, Side::Ask, Side::Neither] {
            let text = side.to_string();
            assert_eq!((side.as_str(), side.as_ref()), (&*text, &*text));
            assert_eq!((Side::try_from(&text), Side::try_from(&*text), text.parse()), (Ok(side), Ok(side), Ok(side)));
            let written = serde_json::to_string(&side).unwrap();
            assert_eq!(written, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<Side>(&written).unwrap(), side);
        }
        assert_eq!(Filter::try_from(Open::from(Side::Bid)), Ok(Filter::Bid));
        let refusal = Side::try_from(&Open::from(Filter::All)).unwrap_err();
        assert_eq!(refusal.to_string(), "not one of bid, ask, \"\"");
        let error = serde_json::from_str::<Side>("\"buy\"").unwrap_err().to_string();
        assert!(error.starts_with("unknown variant `buy`, expected one of `bid`, `ask`"), "{error}");
        assert!(serde_json::from_str::<Side>("3").is_err() && serde_json::from_str::<Side>("null").is_err());
    }

    #[test]
    fn a_map_with_a_name_converts_both_ways() {
        #[derive(Debug, PartialEq)]
        struct Totals(Vec<i64>);

        crate::wraps! { Totals(Vec<i64>); }

        let totals = Totals::from(vec![1, 2]);
        assert_eq!((totals.len(), Vec::from(totals)), (2, vec![1, 2]));
    }
}
