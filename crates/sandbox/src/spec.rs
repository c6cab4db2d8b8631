//! The specs, and the answers that are made up by them.

pub(crate) use venuekit_spec::{
    BAYSE, DERIBIT, Given, KALSHI, KALSHI_PERPS, Operation, Problem, RequestPart, Spec, YATIVO,
};
pub use venuekit_spec::{ExampleRequest, example_requests};

use crate::message::Reply;

/// Answers an operation that nothing is remembered for.
pub(crate) trait Answering {
    /// A good answer.
    fn reply(&self, given: &Given) -> Reply;
}

impl Answering for Operation {
    fn reply(&self, given: &Given) -> Reply {
        let reply = match self.example(given) {
            Some(value) => Reply::json(self.status, &value),
            None => Reply::empty(self.status),
        };
        reply.made_up()
    }
}
