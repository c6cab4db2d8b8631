//! A response, and the typed value in it.

use std::fmt;
use std::ops::{Deref, DerefMut};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use venuekit_wire::json;
use venuekit_wire::lenient::Lenient;
use venuekit_wire::operation::{ErrorKind, Operation};

use crate::clock::VenueTime;
use crate::error::{Error, Inner, kept};
use crate::place;
use crate::unknown::{Unknown, Unread};

/// A response with a success status, its body in hand and its envelope off.
pub struct Response {
    pub(crate) operation: &'static Operation,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) timing: Option<RpcTiming>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) attempts: u32,
}

/// What a JSON-RPC venue says about a response beside the result. Times in microseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RpcTiming {
    /// When the request arrived.
    pub us_in: Option<i64>,
    /// When the response left.
    pub us_out: Option<i64>,
    /// Microseconds in between.
    pub us_diff: Option<i64>,
    /// Whether the venue's test environment responded.
    pub testnet: Option<bool>,
}

impl Response {
    /// A response of which the loop knows no more yet.
    pub(crate) fn new(operation: &'static Operation, status: StatusCode, headers: HeaderMap, body: Bytes) -> Self {
        Self { operation, status, headers, body, timing: None, idempotency_key: None, attempts: 0 }
    }

    /// The HTTP status; 200 over a WebSocket, which has none.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The HTTP headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body, its envelope off. It may hold a secret.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// What a JSON-RPC venue says about the response beside the result.
    pub fn timing(&self) -> Option<RpcTiming> {
        self.timing
    }

    /// The idempotency key that the call carried, its own or one that was made for it.
    pub fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    /// A success status with a body that is of no use. The venue did what was asked.
    pub(crate) fn refused(&self, kind: ErrorKind, message: String) -> Error {
        Error::new(Inner {
            kind: Some(kind),
            operation: Some(self.operation),
            status: Some(self.status),
            message,
            body: kept(&self.body),
            applied: true,
            idempotency_key: self.idempotency_key.clone(),
            attempts: self.attempts,
            ..Inner::default()
        })
    }

    pub(crate) fn undecoded(&self, error: &json::Error) -> Error {
        let message = if self.body.is_empty() {
            "the response is empty".to_owned()
        } else if error.kind() == json::ErrorKind::Trailing {
            "there is more after the JSON value of the response".to_owned()
        } else {
            let place = match place::of(&self.body, error) {
                path if path.is_empty() => "the top".to_owned(),
                path => path,
            };
            format!("{place} in the response: {}", error.reason())
        };
        self.refused(ErrorKind::Decode, message)
    }

    /// The venue's clock when it responded: by the envelope, or by the body where `looks` says that it is worth a look.
    pub(crate) fn venue_time(&self, looks: bool) -> Option<VenueTime> {
        let by_envelope = || self.timing.and_then(|timing| timing.us_out).map(VenueTime::exact);
        let by_body = || self.operation.venue_time.filter(|_| looks).and_then(|at| VenueTime::of_body(at, &self.body));
        by_envelope().or_else(by_body)
    }
}

/// The body may hold a secret, so it is not shown.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("operation", &self.operation.id)
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// A typed response. It dereferences to the value.
///
/// The body is kept, by reference count and without a copy, for as long as this is: [`unknown`](Self::unknown) reads it when it is
/// called. To keep many responses, keep only their values, with [`into_inner`](Self::into_inner). The body of an operation that
/// takes or returns a secret is not kept.
pub struct ResponseValue<T> {
    inner: T,
    status: StatusCode,
    headers: HeaderMap,
    timing: Option<RpcTiming>,
    idempotency_key: Option<String>,
    unread: Unread,
}

impl<T: for<'de> Lenient<'de> + Serialize> ResponseValue<T> {
    /// Reads the body of a response as the type.
    pub(crate) fn read(response: Response) -> Result<Self, Error> {
        Self::read_by(response, |response| json::from_slice(&response.body))
    }

    /// The same by a function of the caller's.
    pub(crate) fn read_by(
        response: Response,
        read: impl FnOnce(&Response) -> Result<T, json::Error>,
    ) -> Result<Self, Error> {
        let inner = read(&response).map_err(|error| response.undecoded(&error))?;
        Ok(Self::of(inner, response))
    }
}

impl ResponseValue<()> {
    /// A response of which no body is expected.
    pub(crate) fn empty(response: Response) -> Self {
        Self::of((), response)
    }
}

impl<T: for<'de> Lenient<'de> + Serialize> ResponseValue<T> {
    fn of(inner: T, response: Response) -> Self {
        let unread = Unread::new::<T>(&response.body, response.operation.secret);
        let Response { status, headers, timing, idempotency_key, .. } = response;
        Self { inner, status, headers, timing, idempotency_key, unread }
    }
}

impl<T> ResponseValue<T> {
    /// The value itself, without the body.
    pub fn into_inner(self) -> T {
        self.inner
    }

    #[doc(hidden)]
    pub fn into_parts(self) -> (T, Unread) {
        (self.inner, self.unread)
    }

    /// What the venue said that the type does not know: members that have no field, those of an outer object first, then values that an
    /// enum does not name.
    ///
    /// Nothing is spent on this before it is called; it then reads the body once more. An empty list means that the value holds all
    /// that the venue said. What stands inside a value that the type leaves open (a `serde_json` value or map) is not unknown.
    ///
    /// ```no_run
    /// # fn report<T>(response: &venuekit_transport::ResponseValue<T>) {
    /// for unknown in response.unknown() {
    ///     eprintln!("the venue has something new: {unknown}");
    /// }
    /// # }
    /// ```
    pub fn unknown(&self) -> Vec<Unknown> {
        self.unread.unknown()
    }

    /// The body as it came, its envelope off. None of an operation that takes or returns a secret, whose body is not kept.
    pub fn body(&self) -> Option<&Bytes> {
        self.unread.body()
    }

    /// The HTTP status; 200 over a WebSocket, which has none.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The HTTP headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The idempotency key that the call carried, its own or one that was made for it.
    pub fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    /// What a JSON-RPC venue says about the response beside the result.
    pub fn timing(&self) -> Option<RpcTiming> {
        self.timing
    }
}

impl<T> Deref for ResponseValue<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T> DerefMut for ResponseValue<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T> AsRef<T> for ResponseValue<T> {
    fn as_ref(&self) -> &T {
        &self.inner
    }
}

impl<T: fmt::Debug> fmt::Debug for ResponseValue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
