//! From an HTTP request to a WebSocket.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderMap, StatusCode};
use reqwest::Upgraded;
use sha1_smol::Sha1;
use tokio::io::BufStream;
use tokio_websockets::{ClientBuilder, Limits, WebSocketStream};
use uuid::Uuid;
use venuekit_wire::UnixMillis;
use venuekit_wire::operation::ErrorKind;

use crate::answer::{self, Answer};
use crate::carrier::reason;
use crate::clock::{DatedOffsets, Offsets, VenueTime};
use crate::common::Common;
use crate::endpoint::authority;
use crate::error::{Error, Inner};

/// An upper bound for the user's own limit, because memory is reserved for as much as the venue announces.
const LARGEST: usize = 1 << 30;

/// The bytes of a connection. Messages that arrive together are read together, and those that leave together are written together.
pub(crate) type Stream = BufStream<Upgraded>;

/// So many bytes are read at once, where they are there.
const READ: usize = 64 * 1024;

/// So many bytes are written at once.
const WRITE: usize = 16 * 1024;

/// Of the reason for a refusal no more is read than this, and for no longer.
const LARGEST_REASON: usize = 64 * 1024;
const REASON_WITHIN: Duration = Duration::from_secs(1);

/// An open WebSocket.
pub(crate) struct Opened {
    pub(crate) stream: WebSocketStream<Stream>,
    /// What the response says of the clock.
    pub(crate) offsets: Option<DatedOffsets>,
}

/// Opens a WebSocket at a URL that is `http` or `https`. The headers are those of a login, where there is one.
pub(crate) async fn open(
    http: &reqwest::Client,
    common: &Common,
    url: &str,
    headers: HeaderMap,
) -> Result<Opened, Error> {
    let key = STANDARD.encode(Uuid::new_v4().as_bytes());
    let request = http
        .get(url)
        .headers(headers)
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_VERSION, "13")
        .header(SEC_WEBSOCKET_KEY, &key);
    let sent = UnixMillis::now();
    let response = request.send().await.map_err(|error| broken(common, &error))?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(refused(common, response).await);
    }
    if response.headers().get(SEC_WEBSOCKET_ACCEPT).is_none_or(|accept| accept.as_bytes() != accepts(&key).as_bytes()) {
        return Err(failed(ErrorKind::Decode, "the handshake response does not match the request".to_owned()));
    }
    let offsets = VenueTime::of_headers(response.headers()).map(|time| Offsets::of(time, sent, UnixMillis::now()));
    if let Some(offsets) = offsets.filter(|_| common.correct_clock_skew) {
        common.clock.agree(offsets);
    }
    let dated = offsets.map(DatedOffsets::new);
    let stream = response.upgrade().await.map_err(|error| broken(common, &error))?;
    let limits = Limits::default().max_payload_len(Some(common.max_answer.min(LARGEST)));
    let stream = ClientBuilder::new().limits(limits).take_over(BufStream::with_capacity(READ, WRITE, stream));
    Ok(Opened { stream, offsets: dated })
}

/// How a server shows that it has read the key (RFC 6455, 4.2.2).
fn accepts(key: &str) -> String {
    let proof = Sha1::from(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
    STANDARD.encode(proof.digest().bytes())
}

/// A venue that responds and opens nothing: a signature that it does not take, too many connections, closed, or the wrong URL.
async fn refused(common: &Common, mut response: reqwest::Response) -> Error {
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    let now = common.clock.now();
    let mut body = Vec::new();
    let reading = tokio::time::timeout(REASON_WITHIN, async {
        while let Ok(Some(piece)) = response.chunk().await {
            body.extend_from_slice(&piece[..piece.len().min(LARGEST_REASON - body.len())]);
            if body.len() == LARGEST_REASON {
                break;
            }
        }
    });
    let is_cut = reading.await.is_err() || body.len() == LARGEST_REASON;
    let error = answer::of_handshake(common.venue, Answer { status, headers, body: body.into(), is_cut, now });
    if error.is_ban() {
        common.limiter.banned(error.retry_after());
    }
    error
}

fn broken(common: &Common, error: &reqwest::Error) -> Error {
    let kind = if error.is_timeout() { ErrorKind::Timeout } else { ErrorKind::Network };
    let server = error.url().map(authority).unwrap_or_default();
    failed(kind, format!("no connection to {server}{}: {}", common.route, reason(error)))
}

fn failed(kind: ErrorKind, message: String) -> Error {
    Error::new(Inner { kind: Some(kind), message, ..Inner::default() })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_proof_is_that_of_the_standard() {
        assert_eq!(super::accepts("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
