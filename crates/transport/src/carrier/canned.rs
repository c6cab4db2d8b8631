//! Responses that a test has made.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};

use super::{Carrier, CarrierFuture, CarrierRequest, RawResponse, SendError};

/// A venue that returns what it was given, by operation. Clones share it.
///
/// Several responses of one operation come one after the other, and the last one stays. An operation without a response is an
/// error of the kind [`Network`](crate::ErrorKind::Network), of which it is certain that nothing was sent.
///
/// ```
/// use venuekit_transport::carrier::{Canned, SendError};
///
/// let venue = Canned::new()
///     .on("get_market", 200, r#"{"market":{"ticker":"KXRAIN"}}"#)
///     .on("create_order", 429, r#"{"error":{"code":"too_many_requests"}}"#)
///     .on("create_order", 201, r#"{"order_id":"1"}"#)
///     .fails("cancel_order", SendError::lost("the connection broke"));
/// # let _ = venue;
/// ```
#[derive(Clone, Debug, Default)]
pub struct Canned(Arc<Mutex<HashMap<String, Responses>>>);

/// What comes next of one operation.
type Responses = VecDeque<Result<RawResponse, SendError>>;

impl Canned {
    /// A venue without responses yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Responds to an operation with a status and a JSON body. Of a JSON-RPC operation the body is the result, or with a status other
    /// than 2xx the error object; the envelope is put around it.
    ///
    /// # Panics
    /// A status that HTTP does not have.
    #[must_use]
    pub fn on(self, operation: &str, status: u16, body: impl Into<Bytes>) -> Self {
        let status = StatusCode::from_u16(status).expect("an HTTP status has three digits");
        let json = HeaderValue::from_static("application/json");
        self.responds(operation, RawResponse::new(status, body).header(CONTENT_TYPE, json))
    }

    /// Responds to an operation with a response.
    #[must_use]
    pub fn responds(self, operation: &str, response: RawResponse) -> Self {
        self.add(operation, Ok(response))
    }

    /// Fails a request of an operation.
    #[must_use]
    pub fn fails(self, operation: &str, error: SendError) -> Self {
        self.add(operation, Err(error))
    }

    fn add(self, operation: &str, response: Result<RawResponse, SendError>) -> Self {
        let mut responses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        responses.entry(operation.to_owned()).or_default().push_back(response);
        drop(responses);
        self
    }

    fn next(&self, operation: &str) -> Result<RawResponse, SendError> {
        let mut responses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = || SendError::not_sent(format!("no canned response for `{operation}`"));
        let queue = responses.get_mut(operation).ok_or_else(missing)?;
        if queue.len() > 1 { queue.pop_front() } else { queue.front().cloned() }.unwrap_or_else(|| Err(missing()))
    }
}

impl Carrier for Canned {
    fn send<'a>(&'a self, request: CarrierRequest<'a>) -> CarrierFuture<'a> {
        let response = self.next(request.operation.id).map(|response| match request.rpc_id {
            Some(id) => enveloped(id, response),
            None => response,
        });
        Box::pin(std::future::ready(response))
    }
}

fn enveloped(id: u64, response: RawResponse) -> RawResponse {
    let member = if response.status.is_success() { "result" } else { "error" };
    let (begin, end) = (format!(r#"{{"jsonrpc":"2.0","id":{id},"{member}":"#), "}");
    RawResponse { body: [begin.as_bytes(), &response.body, end.as_bytes()].concat().into(), ..response }
}
