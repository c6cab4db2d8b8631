//! What was sent, for a test to look at.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::{Carrier, CarrierFuture, CarrierRequest};

/// Passes requests on to another carrier and keeps them. Clones share what was kept.
///
/// Nothing is kept that proves who calls: neither headers nor what a signature adds to query or form. The body is not kept of an
/// operation that takes or returns a secret, nor where it holds a one-time code.
#[derive(Clone, Debug)]
pub struct Recording<C> {
    carrier: C,
    sent: Arc<Mutex<Vec<Sent>>>,
}

/// A request that was sent.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sent {
    /// The operation, as the generated method is called.
    pub operation: &'static str,
    /// The HTTP method.
    pub method: String,
    /// Path and query, with the prefix of the API and without what a signature has added.
    pub target: String,
    /// The body, without what a signature has added; of a JSON-RPC call with its envelope. Empty if the request has none, or if it may
    /// hold a secret.
    pub body: Bytes,
}

/// Query and body may hold what belongs to nobody else, so their sizes are shown.
impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.target.split('?').next().unwrap_or_default();
        f.debug_struct("Sent")
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("path", &path)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl<C> Recording<C> {
    /// Keeps what goes to this carrier.
    pub fn new(carrier: C) -> Self {
        Self { carrier, sent: Arc::default() }
    }

    /// What was sent so far, in order.
    pub fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<C: Carrier> Carrier for Recording<C> {
    fn send<'a>(&'a self, request: CarrierRequest<'a>) -> CarrierFuture<'a> {
        let is_secret = request.operation.secret || !request.operation.secret_fields.is_empty();
        let sent = Sent {
            operation: request.operation.id,
            method: request.method.to_string(),
            target: request.unsigned_url[request.path_at..].to_owned(),
            body: request.unsigned_body.filter(|_| !is_secret).cloned().unwrap_or_default(),
        };
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).push(sent);
        self.carrier.send(request)
    }
}
