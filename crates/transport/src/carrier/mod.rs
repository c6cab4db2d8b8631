//! What sends an encoded request: HTTP, or in a test a carrier of the test.
//!
//! A [`Carrier`] is called by the send loop for each attempt. Rate limits, credentials, signatures, retries and the reading of the
//! response are the same with any carrier. [`Canned`] returns responses of yours without a network, [`Recording`] records requests.
//!
//! ```
//! use venuekit_transport::carrier::{Canned, Recording};
//!
//! let venue = Recording::new(Canned::new().on("get_balance", 200, r#"{"balance":"10.00"}"#));
//! # fn example<C: venuekit_transport::Connect>(
//! #     builder: venuekit_transport::ClientBuilder<C>,
//! #     venue: Recording<Canned>,
//! # ) -> Result<(), venuekit_transport::Error> {
//! let client = builder.carrier(venue.clone()).build()?;
//! // ... the bot runs with this client ...
//! assert!(venue.sent().iter().all(|sent| sent.operation == "get_balance"));
//! # Ok(()) }
//! ```

mod canned;
mod http;
mod recording;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use bytes::Bytes;
use venuekit_wire::operation::{ErrorKind, Operation};

pub use self::canned::Canned;
pub use self::http::HttpCarrier;
pub(crate) use self::http::reason;
pub use self::recording::{Recording, Sent};

/// Sends one request and returns its response.
pub trait Carrier: Send + Sync {
    /// Sends a request, within its time. It must not be sent twice, and no redirect may be followed: the signature in its headers
    /// would go along.
    fn send<'a>(&'a self, request: CarrierRequest<'a>) -> CarrierFuture<'a>;
}

/// What a [`Carrier`] returns.
pub type CarrierFuture<'a> = Pin<Box<dyn Future<Output = Result<RawResponse, SendError>> + Send + 'a>>;

impl<T: Carrier + ?Sized> Carrier for Arc<T> {
    fn send<'a>(&'a self, request: CarrierRequest<'a>) -> CarrierFuture<'a> {
        (**self).send(request)
    }
}

/// One attempt of a call, signed and encoded.
#[non_exhaustive]
pub struct CarrierRequest<'a> {
    /// The operation.
    pub operation: &'static Operation,
    /// The HTTP method.
    pub method: Method,
    /// The whole URL, normalized and percent-encoded. It is what was signed.
    pub url: &'a str,
    /// Where the path begins in it.
    pub(crate) path_at: usize,
    /// The headers, the signature among them.
    pub headers: HeaderMap,
    /// The body; empty if the request has none.
    pub body: &'a Bytes,
    /// The URL without what a signature has added to it.
    pub(crate) unsigned_url: &'a str,
    /// The same of the body. None if it holds a one-time code.
    pub(crate) unsigned_body: Option<&'a Bytes>,
    /// The id in the envelope of a JSON-RPC call.
    pub rpc_id: Option<u64>,
    /// How long it may take until the response is whole.
    pub time: Duration,
    /// The largest response body, in bytes.
    pub largest: usize,
}

impl<'a> CarrierRequest<'a> {
    /// Path and query of the URL, with the prefix of the API.
    pub fn target(&self) -> &'a str {
        &self.url[self.path_at..]
    }
}

/// URL, headers and body may hold a secret, so they are not shown.
impl fmt::Debug for CarrierRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CarrierRequest")
            .field("operation", &self.operation.id)
            .field("method", &self.method)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// A response as it came, good or bad.
#[derive(Clone)]
pub struct RawResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether the body goes on after what was read of it.
    pub(crate) is_cut: bool,
}

impl RawResponse {
    /// A response with this status and body.
    pub fn new(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self { status, headers: HeaderMap::new(), body: body.into(), is_cut: false }
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The HTTP headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body. It may hold a secret.
    pub fn body(&self) -> &Bytes {
        &self.body
    }
}

/// The body may hold a secret, so it is not shown.
impl fmt::Debug for RawResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawResponse")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Why there is no response.
#[derive(Clone, Debug)]
pub struct SendError {
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
    /// Whether the venue may have received the request.
    pub(crate) may_have_left: bool,
    /// The status of a response that was not complete.
    pub(crate) status: Option<StatusCode>,
    pub(crate) source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl SendError {
    /// The request was not sent: it is certain that the venue has seen nothing.
    pub fn not_sent(message: impl Into<String>) -> Self {
        Self { may_have_left: false, ..Self::lost(message) }
    }

    /// The request cannot be sent as it stands.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::InvalidRequest, ..Self::not_sent(message) }
    }

    /// The request was sent, or may have been, and the response was lost.
    pub fn lost(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Network, message: message.into(), may_have_left: true, status: None, source: None }
    }

    /// The request was sent, or may have been, and the response did not come in time.
    pub fn late(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Timeout, ..Self::lost(message) }
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SendError {}
