//! Enums that have room for the future.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The text of an [`Open::Unknown`] as it is serialized: by `collect_str`, so that a serializer can find such values by this type.
/// Formats such as JSON write the text alone.
#[doc(hidden)]
pub struct UnknownWord<'a>(&'a str);

impl UnknownWord<'_> {
    /// Whether a value that is serialized by `collect_str` is one.
    pub fn is<T: ?Sized>() -> bool {
        std::any::type_name::<T>() == std::any::type_name::<UnknownWord<'static>>()
    }
}

impl fmt::Display for UnknownWord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// A value of an enum that the venue may extend: known to this version, or kept as it came.
///
/// An unknown value never fails a response and is written back unchanged.
///
/// ```
/// # #[derive(Clone, Copy, Debug, PartialEq)] enum Side { Bid, Ask }
/// # impl std::str::FromStr for Side { type Err = String;
/// #   fn from_str(s: &str) -> Result<Self, String> { match s { "bid" => Ok(Self::Bid), "ask" => Ok(Self::Ask), _ => Err(s.into()) } } }
/// use venuekit_wire::Open;
///
/// let side: Open<Side> = serde_json::from_str("\"bid\"")?;
/// assert_eq!(side, Side::Bid);
/// let new: Open<Side> = serde_json::from_str("\"midpoint\"")?;
/// assert_eq!(new.unknown(), Some("midpoint"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Open<K> {
    /// A value that this version of the client names.
    Known(K),
    /// A value that it does not, as the venue wrote it.
    Unknown(String),
}

impl<K> Open<K> {
    /// The named value, if it is one.
    pub fn known(&self) -> Option<&K> {
        match self {
            Self::Known(known) => Some(known),
            Self::Unknown(_) => None,
        }
    }

    /// The text of a value that has no name here.
    pub fn unknown(&self) -> Option<&str> {
        match self {
            Self::Known(_) => None,
            Self::Unknown(text) => Some(text),
        }
    }
}

/// A list of words, as generated code has the enums of a venue.
pub trait Word: FromStr {
    /// The word as the venue writes it.
    fn as_str(&self) -> &str;
}

impl<K: Word> Open<K> {
    /// The word as the venue writes it, whether it is named here or not.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(known) => known.as_str(),
            Self::Unknown(text) => text,
        }
    }
}

/// The empty word.
impl<K> Default for Open<K> {
    fn default() -> Self {
        Self::Unknown(String::new())
    }
}

impl<K: Word> AsRef<str> for Open<K> {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl<K: PartialEq> PartialEq<K> for Open<K> {
    fn eq(&self, other: &K) -> bool {
        self.known() == Some(other)
    }
}

impl<K> From<K> for Open<K> {
    fn from(known: K) -> Self {
        Self::Known(known)
    }
}

impl<K: Clone> From<&K> for Open<K> {
    fn from(known: &K) -> Self {
        Self::Known(known.clone())
    }
}

impl<K: Clone> From<&Self> for Open<K> {
    fn from(value: &Self) -> Self {
        value.clone()
    }
}

/// A word that has no name here is kept, and sent as it is: the venue may know it.
impl<K: Word> From<&str> for Open<K> {
    fn from(word: &str) -> Self {
        word.parse().map_or_else(|_| Self::Unknown(word.to_owned()), Self::Known)
    }
}

impl<K: Word> From<String> for Open<K> {
    fn from(word: String) -> Self {
        word.parse().map_or_else(|_| Self::Unknown(word), Self::Known)
    }
}

impl<K: Word> From<&String> for Open<K> {
    fn from(word: &String) -> Self {
        Self::from(word.as_str())
    }
}

impl<K: FromStr> FromStr for Open<K> {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text.parse().map_or_else(|_| Self::Unknown(text.to_owned()), Self::Known))
    }
}

impl<K: fmt::Display> fmt::Display for Open<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(known) => known.fmt(f),
            Self::Unknown(text) => text.fmt(f),
        }
    }
}

impl<K: Serialize> Serialize for Open<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(known) => known.serialize(serializer),
            Self::Unknown(text) => serializer.collect_str(&UnknownWord(text)),
        }
    }
}

impl<'de, K: FromStr> Deserialize<'de> for Open<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(transparent)]
        struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

        let Text(text) = Text::deserialize(deserializer)?;
        Ok(text.parse().map_or_else(|_| Self::Unknown(text.into_owned()), Self::Known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Abc;

    impl FromStr for Abc {
        type Err = ();

        fn from_str(text: &str) -> Result<Self, ()> {
            (text == "abc").then_some(Self).ok_or(())
        }
    }

    impl Serialize for Abc {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_str("abc")
        }
    }

    #[test]
    fn known_and_unknown_survive_a_round_trip() {
        for text in [r#""abc""#, r#""def""#, r#""""#, r#""a\"b\u00e9""#] {
            let open: Open<Abc> = serde_json::from_str(text).unwrap();
            let again: Open<Abc> = serde_json::from_str(&serde_json::to_string(&open).unwrap()).unwrap();
            assert_eq!(open, again);
            assert_eq!(open.known().is_some(), text == r#""abc""#);
        }
    }

    impl Word for Abc {
        fn as_str(&self) -> &str {
            "abc"
        }
    }

    #[test]
    fn words_and_values_by_reference_convert() {
        let known: Open<Abc> = "abc".into();
        assert_eq!(known, Abc);
        let word = String::from("abc");
        let all: [Open<Abc>; 4] = [(&known).into(), (&Abc).into(), (&word).into(), word.into()];
        assert!(all.iter().all(|open| *open == Abc));
        let unknown: Open<Abc> = "def".into();
        assert_eq!((unknown.unknown(), unknown.as_str(), known.as_ref()), (Some("def"), "def", "abc"));
        assert_eq!(serde_json::to_string(&unknown).unwrap(), r#""def""#);
    }

    #[test]
    fn something_that_is_no_string_is_refused() {
        assert!(serde_json::from_str::<Open<Abc>>("3").is_err());
    }
}
