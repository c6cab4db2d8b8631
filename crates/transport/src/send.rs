//! One request over the wire, and its whole answer.

use bytes::{Bytes, BytesMut};
use reqwest::Request;
use venuekit_wire::operation::{ErrorKind, Operation};

use crate::answer::Answer;
use crate::error::{Error, Inner};

/// Sends a request and reads the answer, up to so many bytes.
pub(crate) async fn send(
    http: &reqwest::Client,
    request: Request,
    operation: &'static Operation,
    max_answer: usize,
) -> Result<Answer, Error> {
    let mut response = http.execute(request).await.map_err(|error| broken(operation, error))?;
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    let body = match read(&mut response, max_answer).await {
        Ok(body) => body,
        Err(mut error) => {
            error.operation = Some(operation);
            error.status = Some(status);
            // A client error was refused as a whole; anything else may have been done before the answer broke.
            error.applied = !status.is_client_error();
            return Err(Error::new(error));
        }
    };
    Ok(Answer { status, headers, body })
}

async fn read(response: &mut reqwest::Response, limit: usize) -> Result<Bytes, Inner> {
    let mut body = BytesMut::new();
    loop {
        match response.chunk().await {
            Ok(None) => return Ok(body.freeze()),
            Ok(Some(chunk)) if body.len() + chunk.len() <= limit => {
                // An answer in one piece, as most are, is not copied.
                if body.is_empty() && response.content_length() == Some(chunk.len() as u64) {
                    return Ok(chunk);
                }
                body.extend_from_slice(&chunk);
            }
            Ok(Some(_)) => {
                let message = format!("the answer is larger than {limit} bytes; raise `max_answer` if that is right");
                return Err(Inner { kind: Some(ErrorKind::Decode), message, ..Inner::default() });
            }
            Err(error) => {
                let kind = if error.is_timeout() { ErrorKind::Timeout } else { ErrorKind::Network };
                let message = format!("the answer broke off: {}", reason(&error));
                return Err(Inner { kind: Some(kind), message, ..Inner::default() });
            }
        }
    }
}

/// A call that got no answer.
fn broken(operation: &'static Operation, error: reqwest::Error) -> Error {
    let error = error.without_url();
    let kind = if error.is_timeout() { ErrorKind::Timeout } else { ErrorKind::Network };
    // Only while connecting is it certain that the venue has seen nothing.
    let (applied, what) = match (error.is_connect(), error.is_timeout()) {
        (true, _) => (false, "no connection"),
        (false, true) => (true, "no answer in time"),
        (false, false) => (true, "no answer"),
    };
    Error::new(Inner {
        kind: Some(kind),
        operation: Some(operation),
        message: format!("{what}: {}", reason(&error)),
        applied,
        source: Some(std::sync::Arc::new(error)),
        ..Inner::default()
    })
}

/// The innermost reason, which is the one that tells something.
fn reason(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
