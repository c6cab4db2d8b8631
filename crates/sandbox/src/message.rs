//! A request and a response with their bodies in hand: what a venue's handler takes and gives.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
pub(crate) use venuekit_spec::Request;

/// One answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Method and path template of the operation that was carried out, for the counters.
    pub(crate) executed: Option<String>,
}

impl Reply {
    /// A response with a JSON body.
    pub(crate) fn json(status: u16, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("answers are plain JSON");
        let mut reply = Self::empty(status);
        reply.body = body.into();
        reply.with_header("content-type", "application/json")
    }

    /// A response without a body.
    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status: StatusCode::from_u16(status).expect("handlers name valid statuses"),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            executed: None,
        }
    }

    /// The same answer with one more header.
    pub(crate) fn with_header(self, name: &'static str, value: &str) -> Self {
        self.with_value(name, HeaderValue::from_str(value).expect("handlers write printable headers"))
    }

    /// The same answer, marked as an example: its operation is not served from state.
    pub(crate) fn generated(self) -> Self {
        self.with_header("x-sandbox", "example made from the spec")
    }

    /// The same answer with one more header.
    pub(crate) fn with_value(mut self, name: &'static str, value: HeaderValue) -> Self {
        self.headers.insert(HeaderName::from_static(name), value);
        self
    }

    /// The same answer, to be counted as an operation that was carried out, such as `POST /v1/user/login`.
    pub(crate) fn executing(mut self, operation: impl Into<String>) -> Self {
        self.executed = Some(operation.into());
        self
    }
}
