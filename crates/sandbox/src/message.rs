//! A request and an answer with their bodies in hand: what a venue's handler takes and gives.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Serialize;

/// One request as it arrived.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// The path as it stood on the wire, percent-encoding included.
    pub(crate) path: String,
    /// The query as it stood on the wire, without the question mark.
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Request {
    /// A header's value, where there is one and it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The decoded pairs of the query, in order.
    pub(crate) fn query_pairs(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(self.query.as_deref().unwrap_or_default().as_bytes()).into_owned().collect()
    }

    /// The first value of a query parameter.
    pub(crate) fn query_value(&self, name: &str) -> Option<String> {
        self.query_pairs().into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

/// The decoded segments of a path. A segment that is no UTF-8 is kept as it stood.
pub(crate) fn decode_segments(path: &str) -> Vec<String> {
    let decode = |segment| match percent_encoding::percent_decode_str(segment).decode_utf8() {
        Ok(text) => text.into_owned(),
        Err(_) => segment.to_owned(),
    };
    path.trim_start_matches('/').split('/').map(decode).collect()
}

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
    /// An answer with a JSON body.
    pub(crate) fn json(status: u16, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("answers are plain JSON");
        let mut reply = Self::empty(status);
        reply.body = body.into();
        reply.with_header("content-type", "application/json")
    }

    /// An answer without a body.
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
