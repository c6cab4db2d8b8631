//! Ids: texts with a name of their own, so that one kind is not taken for another.

use regress::Regex;

use crate::given::Refusal;

/// A pattern of ids, read with the flag `u`, as JSON Schema asks.
#[doc(hidden)]
pub fn pattern(pattern: &str) -> Option<Regex> {
    Regex::with_flags(pattern, "u").ok()
}

/// Whether a text has the form of an id. A pattern that cannot be read, of which lint leaves none, refuses every text.
#[doc(hidden)]
pub fn check(text: &str, form: Option<&Regex>, pattern: &str) -> Result<(), Refusal> {
    if form.is_some_and(|form| form.find(text).is_some()) {
        return Ok(());
    }
    // The text is not shown: it may be a secret that was taken for an id.
    Err(Refusal::new(format!("does not match the pattern {pattern}")))
}

/// Makes types of ids, each with its pattern.
#[doc(hidden)]
#[macro_export]
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $pattern:literal;)*) => {$(
        $(#[$doc])*
        ///
        /// Made from any text. Its form is checked where it is used in a request, and by `parse`.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl $crate::given::Id for $name {
            fn check(&self) -> Result<(), $crate::given::Refusal> {
                static FORM: ::std::sync::LazyLock<Option<$crate::regress::Regex>> =
                    ::std::sync::LazyLock::new(|| $crate::ids::pattern($pattern));
                $crate::ids::check(&self.0, FORM.as_ref(), $pattern)
            }
        }

        impl ::std::ops::Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl ::std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(&self.0, f)
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::given::Refusal;

            fn from_str(text: &str) -> Result<Self, $crate::given::Refusal> {
                let id = Self(text.to_owned());
                $crate::given::Id::check(&id).map(|()| id)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<&String> for $name {
            fn from(text: &String) -> Self {
                Self(text.clone())
            }
        }

        impl From<&Self> for $name {
            fn from(id: &Self) -> Self {
                id.clone()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl From<&$name> for String {
            fn from(id: &$name) -> Self {
                id.0.clone()
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.0 == *other
            }
        }

        impl PartialEq<String> for $name {
            fn eq(&self, other: &String) -> bool {
                self.0 == *other
            }
        }

        impl PartialEq<$name> for str {
            fn eq(&self, other: &$name) -> bool {
                *self == other.0
            }
        }

        impl PartialEq<$name> for &str {
            fn eq(&self, other: &$name) -> bool {
                **self == other.0
            }
        }

        impl PartialEq<$name> for String {
            fn eq(&self, other: &$name) -> bool {
                *self == other.0
            }
        }

        impl $crate::serde::Serialize for $name {
            fn serialize<S: $crate::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> $crate::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <String as $crate::serde::Deserialize>::deserialize(deserializer).map(Self)
            }
        }

        impl<'de> $crate::lenient::Lenient<'de> for $name {
            fn read<D: $crate::serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
                $crate::lenient::plain(deserializer)
            }
        }
    )*};
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use crate::given::Id as _;
    use crate::json::from_slice;

    crate::ids! {
        /// Id of an order.
        OrderId = "^[A-Za-z0-9_]+-[A-Za-z0-9_-]+$";
    }

    #[test]
    fn an_id_is_a_text_that_goes_from_a_response_into_a_request() {
        let read: OrderId = from_slice(br#""a-1""#).unwrap();
        let (by_text, text) = (OrderId::from("a-1"), "a-1".to_owned());
        assert_eq!(read, by_text);
        assert_eq!(read, *"a-1");
        assert_eq!(read, "a-1");
        assert_eq!("a-1", read);
        assert_eq!((read == text, text == read), (true, true));
        assert_eq!((read.len(), read.as_str(), read.to_string(), String::from(&read)), (3, "a-1", text.clone(), text));
        assert_eq!(OrderId::from(&read), "a-1".parse::<OrderId>().unwrap());
        assert_eq!(HashMap::from([(read.clone(), 1)]).get("a-1"), Some(&1));
        assert_eq!(serde_json::to_string(&read).unwrap(), r#""a-1""#);
    }

    #[test]
    fn its_form_is_checked_where_it_is_used_and_not_where_it_is_read() {
        for text in ["", "..", "../orders", "a b-c", "ünlike"] {
            let read: OrderId = serde_json::from_value(text.into()).unwrap();
            assert_eq!(read, text);
            assert!(read.check().is_err() && text.parse::<OrderId>().is_err(), "{text}");
        }
        assert!(OrderId::from("a-1").check().is_ok());
        assert!(from_slice::<OrderId>(b"3").is_err() && from_slice::<OrderId>(b"null").is_err());
    }
}
