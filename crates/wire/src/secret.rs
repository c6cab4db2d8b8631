//! Text that must not be seen.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::de::Unexpected;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// A secret: an API secret, a private key, a token, a password, a one-time code.
///
/// It has no `Display`, its `Debug` says `[redacted]`, its memory is zeroized when dropped, and the only way to its text is
/// [`expose`](Self::expose). It is serialized as plain text, because a request that carries it must.
///
/// ```
/// use venuekit_wire::Secret;
///
/// let secret = Secret::new("sk_live_secret789xyz");
/// assert_eq!(format!("{secret:?}"), "[redacted]");
/// assert_eq!(secret.expose(), "sk_live_secret789xyz");
/// ```
#[derive(Clone, Default)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a text into custody.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself. The caller is responsible for where it goes.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is no text at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::new(text))
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl serde::de::Visitor<'_> for Text {
            type Value = Secret;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Secret, E> {
                Ok(Secret::new(text))
            }

            fn visit_string<E: serde::de::Error>(self, text: String) -> Result<Secret, E> {
                Ok(Secret::new(text))
            }

            // serde's own message would quote the number; a secret that arrives as one must not be quoted.
            fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<Secret, E> {
                Err(E::invalid_type(Unexpected::Other("a number"), &self))
            }

            fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Secret, E> {
                Err(E::invalid_type(Unexpected::Other("a number"), &self))
            }

            fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Secret, E> {
                Err(E::invalid_type(Unexpected::Other("a number"), &self))
            }
        }

        // Not `deserialize_string`: serde_json would then word the error itself, and quote.
        deserializer.deserialize_any(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_and_decode_errors_do_not_show_it() {
        let secret: Secret = serde_json::from_str("\"MARKER\"").unwrap();
        assert!(!format!("{secret:?} {:#?}", Some(&secret)).contains("MARKER"));
        let error = serde_json::from_str::<Secret>("83461527").unwrap_err();
        assert!(!error.to_string().contains("83461527"), "{error}");
    }

    #[test]
    fn it_is_written_as_it_was_read() {
        let secret: Secret = serde_json::from_str(r#""a\n\"b\"""#).unwrap();
        assert_eq!(secret.expose(), "a\n\"b\"");
        assert_eq!(serde_json::to_string(&secret).unwrap(), r#""a\n\"b\"""#);
    }
}
