//! A carrier that returns what it holds as the response to every request, so that one client reads all inputs.

use std::future::ready;
use std::sync::{Arc, Mutex};

use venuekit_transport::RetryPolicy;
use venuekit_transport::carrier::{Carrier, CarrierFuture, CarrierRequest, RawResponse};

#[derive(Clone, Default)]
pub struct Shared(Arc<Mutex<Option<RawResponse>>>);

impl Shared {
    /// The response to every request from now on.
    pub fn set(&self, response: RawResponse) {
        *self.0.lock().expect("the lock") = Some(response);
    }
}

impl Carrier for Shared {
    fn send<'a>(&'a self, _: CarrierRequest<'a>) -> CarrierFuture<'a> {
        let response = self.0.lock().expect("the lock").clone();
        Box::pin(ready(Ok(response.expect("a response was set"))))
    }
}

/// One attempt: a retry would read the same response again.
pub fn once() -> RetryPolicy {
    RetryPolicy::none()
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(future)
}
