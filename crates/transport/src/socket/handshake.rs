//! From an HTTP request to a WebSocket.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use reqwest::Upgraded;
use sha1_smol::Sha1;
use tokio::io::BufStream;
use tokio_websockets::{ClientBuilder, Limits, WebSocketStream};
use uuid::Uuid;
use venuekit_wire::operation::ErrorKind;

use crate::carrier::reason;
use crate::common::Common;
use crate::endpoint::authority;
use crate::error::{Error, Inner};
use crate::retry_after;

/// No message is larger, whatever the user allows: room is made for as much as the venue announces.
const LARGEST: usize = 1 << 30;

/// The bytes of a connection. Messages that arrive together are read together, and those that leave together are written together.
pub(crate) type Stream = BufStream<Upgraded>;

/// So many bytes are read at once, where they are there.
const READ: usize = 64 * 1024;

/// So many bytes are written at once.
const WRITE: usize = 16 * 1024;

/// Opens a WebSocket.
pub(crate) async fn open(http: &reqwest::Client, common: &Common) -> Result<WebSocketStream<Stream>, Error> {
    let key = STANDARD.encode(Uuid::new_v4().as_bytes());
    let request = http
        .get(&common.base.url)
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_VERSION, "13")
        .header(SEC_WEBSOCKET_KEY, &key);
    let response = request.send().await.map_err(|error| broken(common, &error))?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(refused(common, &response));
    }
    if response.headers().get(SEC_WEBSOCKET_ACCEPT).is_none_or(|accept| accept.as_bytes() != accepts(&key).as_bytes()) {
        return Err(failed(ErrorKind::Decode, "the answer to the handshake is not for this one".to_owned()));
    }
    let stream = response.upgrade().await.map_err(|error| broken(common, &error))?;
    let limits = Limits::default().max_payload_len(Some(common.max_answer.min(LARGEST)));
    Ok(ClientBuilder::new().limits(limits).take_over(BufStream::with_capacity(READ, WRITE, stream)))
}

/// How a server shows that it has read the key (RFC 6455, 4.2.2).
fn accepts(key: &str) -> String {
    let proof = Sha1::from(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
    STANDARD.encode(proof.digest().bytes())
}

/// A venue that answers and opens nothing: too many connections, closed, or the wrong URL. What it asks to wait is bounded.
fn refused(common: &Common, response: &reqwest::Response) -> Error {
    let status = response.status();
    Error::new(Inner {
        kind: Some(common.venue.errors.kind(None, status.as_u16())),
        status: Some(status),
        message: "the venue opens no WebSocket here".to_owned(),
        retry_after: retry_after::of_headers(response.headers(), common.clock.now(), retry_after::LONG),
        ..Inner::default()
    })
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
