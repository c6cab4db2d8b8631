//! Why something could not be signed.

use std::fmt;

use crate::key::Algorithm;

/// A request could not be signed, or a credential cannot be used. Never holds the credential itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignError {
    /// A part of the credential is empty. Signing with an empty secret would only fail at the venue.
    Empty(&'static str),
    /// A part of the credential holds a character that it cannot have, such as the line end of the file it was read from.
    Unfit(&'static str),
    /// The credential signs requests, and not calls over a connection.
    RequestsOnly,
    /// The key is of the wrong kind.
    WrongKey {
        /// What the signature takes.
        needed: Algorithm,
        /// What the key is.
        given: Algorithm,
    },
    /// The clock stands before 1970.
    Clock,
    /// The body is not UTF-8, and goes into a text that is signed.
    BodyNotText,
    /// The body is a stream, of which the bytes are not known beforehand.
    StreamingBody,
    /// The nonce is empty or cannot stand in a header, or none could be had.
    Nonce,
    /// The cryptographic library refused.
    Refused,
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty(what) => write!(f, "the {what} is empty"),
            Self::RequestsOnly => f.write_str("the credential signs requests, and not calls over a WebSocket"),
            Self::Unfit(what) => write!(
                f,
                "the {what} holds a blank, a line end or another character that it cannot have; \
                 remove what was copied along with it"
            ),
            Self::WrongKey { needed, given } => {
                write!(f, "this signature needs an {needed} key, but the key is {given}")
            }
            Self::Clock => f.write_str("the time is before 1970; set the clock"),
            Self::BodyNotText => f.write_str("the body is not UTF-8 and cannot be signed for this venue"),
            Self::StreamingBody => f.write_str("a streaming body cannot be signed; give it as bytes"),
            Self::Nonce => f.write_str("invalid nonce: expected visible ASCII characters without spaces and commas"),
            Self::Refused => f.write_str("the cryptographic library refused to sign"),
        }
    }
}

impl std::error::Error for SignError {}
