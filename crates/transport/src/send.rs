//! One request over the wire, and its answer.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use reqwest::Request;
use venuekit_wire::UnixMillis;
use venuekit_wire::operation::{ErrorKind, Operation};

use crate::answer::Answer;
use crate::clock::Clock;
use crate::endpoint::{Route, authority};
use crate::error::{Error, Inner};

/// Of an error's body no more is read than this: it is there to say what went wrong.
const LARGEST_ERROR: usize = 1024 * 1024;

/// Sends a request and reads the answer, up to so many bytes and within this time.
pub(crate) async fn send(
    http: &reqwest::Client,
    route: &Route,
    request: Request,
    operation: &'static Operation,
    max_answer: usize,
    time: Duration,
    clock: &Clock,
) -> Result<Answer, Error> {
    let mut incoming = None;
    let whole = async {
        let mut response = http.execute(request).await.map_err(|error| Box::new(broken(route, error)))?;
        // Inside of TLS only the venue can answer.
        if response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED && response.url().scheme() == "http" {
            return Err(Box::new(unauthenticated(route)));
        }
        incoming
            .insert(Incoming::new(&mut response, clock.now()))
            .read(&mut response, max_answer)
            .await
            .map_err(Box::new)
    };
    let ended = tokio::time::timeout(time, whole).await;
    let ended = ended.unwrap_or_else(|_| Err(Box::new(late(time, incoming.is_some()))));
    let failed = match (incoming, ended) {
        (Some(incoming), Ok(())) => return Ok(incoming.answer(false)),
        // What is here of an error tells more than how its body ended.
        (Some(incoming), Err(_)) if incoming.is_error() => return Ok(incoming.answer(true)),
        (Some(incoming), Err(failed)) => Inner { status: Some(incoming.status), applied: true, ..*failed },
        (None, ended) => ended.err().map_or_else(Inner::default, |failed| *failed),
    };
    Err(Error::new(Inner { operation: Some(operation), ..failed }))
}

fn late(time: Duration, has_begun: bool) -> Inner {
    let what = if has_begun { "the answer was not complete" } else { "no answer" };
    let message = format!("{what} in {time:.1?}");
    Inner { kind: Some(ErrorKind::Timeout), applied: true, message, ..Inner::default() }
}

/// An answer of which the head is here, and the body comes in pieces.
struct Incoming {
    status: StatusCode,
    headers: HeaderMap,
    now: UnixMillis,
    pieces: Vec<Bytes>,
    /// How many bytes the pieces have together.
    size: usize,
    is_cut: bool,
}

impl Incoming {
    fn new(response: &mut reqwest::Response, now: UnixMillis) -> Self {
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        Self { status, headers, now, pieces: Vec::new(), size: 0, is_cut: false }
    }

    fn is_error(&self) -> bool {
        !self.status.is_success()
    }

    /// Reads the body to its end, and that of an error no further than makes sense.
    async fn read(&mut self, response: &mut reqwest::Response, max_answer: usize) -> Result<(), Inner> {
        let limit = if self.is_error() { max_answer.min(LARGEST_ERROR) } else { max_answer };
        while let Some(piece) = response.chunk().await.map_err(|error| broken_off(&error))? {
            if piece.len() <= limit - self.size {
                self.size += piece.len();
                self.pieces.push(piece);
            } else if self.is_error() {
                self.pieces.push(piece.slice(..limit - self.size));
                self.is_cut = true;
                return Ok(());
            } else {
                let message = format!("the answer is larger than {limit} bytes; raise `max_answer` if that is right");
                return Err(Inner { kind: Some(ErrorKind::Decode), message, ..Inner::default() });
            }
        }
        Ok(())
    }

    /// What is here.
    fn answer(self, broke_off: bool) -> Answer {
        let Self { status, headers, now, pieces, is_cut, .. } = self;
        // An answer in one piece, as most are, is not copied.
        let body = if let [whole] = &*pieces { whole.clone() } else { pieces.concat().into() };
        Answer { status, headers, body, is_cut: is_cut || broke_off, now }
    }
}

fn broken_off(error: &reqwest::Error) -> Inner {
    let kind = if error.is_timeout() { ErrorKind::Timeout } else { ErrorKind::Network };
    let message = format!("the answer broke off: {}", reason(error));
    Inner { kind: Some(kind), message, ..Inner::default() }
}

/// A call that got no answer.
fn broken(route: &Route, error: reqwest::Error) -> Inner {
    let server = error.url().map(authority).unwrap_or_default();
    let error = error.without_url();
    let kind = if error.is_timeout() { ErrorKind::Timeout } else { ErrorKind::Network };
    // Only while connecting is it certain that the venue has seen nothing.
    let (applied, what) = match (error.is_connect(), error.is_timeout()) {
        (true, _) => (false, "no connection to"),
        (false, true) => (true, "no answer in time from"),
        (false, false) => (true, "no answer from"),
    };
    Inner {
        kind: Some(kind),
        message: format!("{what} {server}{route}: {}", reason(&error)),
        applied,
        source: Some(std::sync::Arc::new(error)),
        ..Inner::default()
    }
}

/// A proxy that passes on nothing without a user and a password. The venue has seen nothing.
fn unauthenticated(route: &Route) -> Inner {
    let message = format!("nothing was sent{route}: it asks for a user name and a password (407)");
    Inner { kind: Some(ErrorKind::Network), message, ..Inner::default() }
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
