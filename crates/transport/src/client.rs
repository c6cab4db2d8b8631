//! What generated code names.
//!
//! It takes the place of `progenitor_client`, from which it re-exports what needs no change. Its own parts are the ones that a
//! user's money and secrets depend on: progenitor's error prints whole answers, secrets included, and its `exec` can fail with
//! nothing but a `reqwest::Error`, which nobody else can make.

use reqwest::Request;

pub use crate::error::Error;
pub use crate::response::{Response, ResponseValue};
pub use progenitor_client::{ByteStream, ClientInfo, OperationInfo, QueryParam, RequestBuilderExt, encode_path};

/// The seam between a generated client and the transport.
///
/// Generated methods call the three in order. A client whose author forgot to implement it does not compile.
#[allow(async_fn_in_trait)]
pub trait ClientHooks<Inner>: ClientInfo<Inner> {
    /// Runs before a request is sent, once a call.
    ///
    /// # Errors
    /// Whatever should keep the request from being sent.
    async fn pre(&self, _request: &mut Request, _info: &OperationInfo) -> Result<(), Error> {
        Ok(())
    }

    /// Sends a request and judges the answer: what it returns has a good status.
    ///
    /// # Errors
    /// Everything that can go wrong with a call.
    async fn exec(&self, request: Request, info: &OperationInfo) -> Result<Response, Error>;

    /// Runs after an answer, good or bad.
    ///
    /// # Errors
    /// Whatever should make the call fail all the same.
    async fn post(&self, _result: &Result<Response, Error>, _info: &OperationInfo) -> Result<(), Error> {
        Ok(())
    }
}
