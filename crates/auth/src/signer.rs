//! The one interface of all signers, and what comes out of it.

use std::{fmt, str};

use http::{HeaderName, HeaderValue};

use crate::{Parts, SignError};

/// Turns the parts of a request into the headers that authenticate it.
///
/// A pure function: the time is given (Unix milliseconds), nothing is sent, waited for or remembered.
pub trait Signer: fmt::Debug + Send + Sync {
    /// The headers for this request at this time.
    fn sign(&self, parts: &Parts<'_>, now_millis: i64) -> Result<Signed, SignError>;

    /// What identifies the caller, where the signer says it.
    fn public_id(&self) -> Option<&str> {
        None
    }
}

/// The headers that one signer puts on a request, in order.
#[derive(Clone, Default)]
pub struct Signed {
    headers: Vec<(HeaderName, HeaderValue)>,
    text: Option<Vec<u8>>,
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

    /// For a text that was signed, and so many headers.
    pub(crate) fn of(text: Vec<u8>, headers: usize) -> Self {
        Self { headers: Vec::with_capacity(headers), text: Some(text) }
    }

    /// The same for another text.
    pub(crate) fn with_text(self, text: Vec<u8>) -> Self {
        Self { text: Some(text), ..self }
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
