//! One request over the wire, and its whole answer.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use reqwest::Request;
use venuekit_wire::operation::{ErrorKind, Operation};

use crate::answer::Answer;
use crate::endpoint::{Route, authority};
use crate::error::{Error, Inner};

/// Sends a request and reads the answer, up to so many bytes and within this time.
pub(crate) async fn send(
    http: &reqwest::Client,
    route: &Route,
    request: Request,
    operation: &'static Operation,
    max_answer: usize,
    time: Duration,
) -> Result<Answer, Error> {
    let mut status = None;
    let answer = async {
        let mut response = http.execute(request).await.map_err(|error| broken(operation, route, error))?;
        let (code, headers) = (response.status(), std::mem::take(response.headers_mut()));
        // Inside of TLS only the venue can answer.
        if code == StatusCode::PROXY_AUTHENTICATION_REQUIRED && response.url().scheme() == "http" {
            return Err(unauthenticated(operation, route));
        }
        status = Some(code);
        let body = read(&mut response, max_answer).await.map_err(|error| Error::new(cut(operation, code, error)))?;
        Ok(Answer { status: code, headers, body })
    };
    match tokio::time::timeout(time, answer).await {
        Ok(answer) => answer,
        Err(_) => {
            let late = |message: String| Inner { kind: Some(ErrorKind::Timeout), message, ..Inner::default() };
            Err(Error::new(match status {
                None => Inner { operation: Some(operation), applied: true, ..late(format!("no answer in {time:.1?}")) },
                Some(code) => cut(operation, code, late(format!("the answer was not complete in {time:.1?}"))),
            }))
        }
    }
}

/// An answer of which the status came and not the whole body.
fn cut(operation: &'static Operation, status: StatusCode, error: Inner) -> Inner {
    // A client error was refused as a whole; anything else may have been done before the answer broke.
    Inner { operation: Some(operation), status: Some(status), applied: !status.is_client_error(), ..error }
}

async fn read(response: &mut reqwest::Response, limit: usize) -> Result<Bytes, Inner> {
    let Some(first) = chunk(response, 0, limit).await? else { return Ok(Bytes::new()) };
    // An answer in one piece, as most are, is not copied.
    let Some(second) = chunk(response, first.len(), limit).await? else { return Ok(first) };
    let mut body = BytesMut::from(first);
    body.extend_from_slice(&second);
    while let Some(more) = chunk(response, body.len(), limit).await? {
        body.extend_from_slice(&more);
    }
    Ok(body.freeze())
}

/// The next piece of an answer of which so much is here already.
async fn chunk(response: &mut reqwest::Response, held: usize, limit: usize) -> Result<Option<Bytes>, Inner> {
    match response.chunk().await {
        Ok(Some(chunk)) if held + chunk.len() > limit => {
            let message = format!("the answer is larger than {limit} bytes; raise `max_answer` if that is right");
            Err(Inner { kind: Some(ErrorKind::Decode), message, ..Inner::default() })
        }
        Ok(chunk) => Ok(chunk),
        Err(error) => {
            let kind = if error.is_timeout() { ErrorKind::Timeout } else { ErrorKind::Network };
            let message = format!("the answer broke off: {}", reason(&error));
            Err(Inner { kind: Some(kind), message, ..Inner::default() })
        }
    }
}

/// A call that got no answer.
fn broken(operation: &'static Operation, route: &Route, error: reqwest::Error) -> Error {
    let server = error.url().map(authority).unwrap_or_default();
    let error = error.without_url();
    let kind = if error.is_timeout() { ErrorKind::Timeout } else { ErrorKind::Network };
    // Only while connecting is it certain that the venue has seen nothing.
    let (applied, what) = match (error.is_connect(), error.is_timeout()) {
        (true, _) => (false, "no connection to"),
        (false, true) => (true, "no answer in time from"),
        (false, false) => (true, "no answer from"),
    };
    Error::new(Inner {
        kind: Some(kind),
        operation: Some(operation),
        message: format!("{what} {server}{route}: {}", reason(&error)),
        applied,
        source: Some(std::sync::Arc::new(error)),
        ..Inner::default()
    })
}

/// A proxy that passes on nothing without a user and a password. The venue has seen nothing.
fn unauthenticated(operation: &'static Operation, route: &Route) -> Error {
    let message = format!("nothing was sent{route}: it asks for a user name and a password (407)");
    Error::before_sending(operation, ErrorKind::Network, message)
}

/// The innermost reason, which is the one that tells something.
pub(crate) fn reason(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    // The words of the client that opens tunnels, which name neither the proxy nor what to do.
    match innermost.to_string() {
        said if said.ends_with("proxy authorization required") => {
            "the proxy asks for a user name and a password (407)".to_owned()
        }
        said if said == "tunnel error: unsuccessful" => "the proxy refused to open a tunnel".to_owned(),
        said if said == "tunnel error: unexpected end of file" => {
            "the proxy closed the connection instead of opening a tunnel".to_owned()
        }
        said => said,
    }
}
