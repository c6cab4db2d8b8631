//! The one interface of all signers, and what comes out of it.

use std::{fmt, str};

use http::{HeaderName, HeaderValue};
use venuekit_wire::operation::SignedCall;
use venuekit_wire::signature::KeyType;

use crate::described::CallParam;
use crate::{Parts, SignError};

/// Turns the parts of a request into the headers that authenticate it.
///
/// A pure function: the time is given (Unix milliseconds), nothing is sent, waited for or remembered.
pub trait Signer: fmt::Debug + Send + Sync {
    /// The headers for this request at this time.
    fn sign(&self, parts: &Parts<'_>, now_millis: i64) -> Result<Signed, SignError>;

    /// Adds a signature, and what goes with it, to the params of a call that travels as a message.
    ///
    /// # Errors
    /// What cannot be signed, or a signer of requests only.
    fn sign_params(
        &self,
        _call: &SignedCall,
        _params: &mut Vec<CallParam<'_>>,
        _now_millis: i64,
    ) -> Result<(), SignError> {
        Err(SignError::RequestsOnly)
    }

    /// The kind of key that signs params; none for a signer of requests only.
    fn key_type(&self) -> Option<KeyType> {
        None
    }

    /// What identifies the caller, where the signer says it.
    fn public_id(&self) -> Option<&str> {
        None
    }
}

/// What a signature adds to the end of a request: parameters that are percent-encoded, the signature the last of them. The text begins
/// with the `?` or `&` that separates it from what is there.
#[derive(Clone, PartialEq, Eq)]
pub enum Added {
    /// To the URL.
    Query(String),
    /// To the form body.
    Body(String),
}

impl Added {
    /// What is added.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Query(text) | Self::Body(text) => text,
        }
    }
}

/// The signature is good for some seconds, so it is not shown.
impl fmt::Debug for Added {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Query(_) => "Query",
            Self::Body(_) => "Body",
        };
        f.debug_tuple(name).finish_non_exhaustive()
    }
}

/// What one signer puts on a request: headers, in order, and parameters.
#[derive(Clone, Default)]
pub struct Signed {
    headers: Vec<(HeaderName, HeaderValue)>,
    text: Option<Vec<u8>>,
    added: Option<Added>,
}

impl Signed {
    /// The text that was signed, for signers that sign one.
    pub fn string_to_sign(&self) -> Option<&str> {
        // Signers put it together from texts.
        self.text.as_deref().and_then(|text| str::from_utf8(text).ok())
    }

    /// The headers, in the order in which they go on the request.
    pub fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.headers
    }

    /// The parameters that the request is given, for signers that add some. A request without them is not signed.
    pub fn added(&self) -> Option<&Added> {
        self.added.as_ref()
    }

    /// For a text that was signed, and so many headers.
    pub(crate) fn of(text: Vec<u8>, headers: usize) -> Self {
        Self { headers: Vec::with_capacity(headers), text: Some(text), added: None }
    }

    /// With parameters that the request is given.
    pub(crate) fn adding(self, added: Option<Added>) -> Self {
        Self { added, ..self }
    }

    pub(crate) fn open(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn sensitive(mut self, name: HeaderName, mut value: HeaderValue) -> Self {
        value.set_sensitive(true);
        self.headers.push((name, value));
        self
    }
}

impl IntoIterator for Signed {
    type Item = (HeaderName, HeaderValue);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.headers.into_iter()
    }
}

/// The text may hold a request body, so it is not shown; sensitive header values hide themselves.
impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed").field("headers", &self.headers).finish_non_exhaustive()
    }
}
