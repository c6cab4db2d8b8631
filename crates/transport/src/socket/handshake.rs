//! From an HTTP request to a WebSocket.

use std::time::Duration;

use http::StatusCode;
use http::header::{CONNECTION, RETRY_AFTER, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use reqwest::Upgraded;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use venuekit_wire::operation::{ErrorKind, Venue};

use crate::error::{Error, Inner};
use crate::send::reason;

/// Opens a WebSocket whose messages have at most this many bytes.
pub(crate) async fn open(
    http: &reqwest::Client,
    venue: &Venue,
    url: &str,
    largest: usize,
) -> Result<WebSocketStream<Upgraded>, Error> {
    let key = generate_key();
    let request = http
        .get(url)
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_VERSION, "13")
        .header(SEC_WEBSOCKET_KEY, &key);
    let response = request.send().await.map_err(|error| broken(&error))?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(refused(venue, &response));
    }
    let accepted = response.headers().get(SEC_WEBSOCKET_ACCEPT).map(|accept| accept.as_bytes().to_vec());
    if accepted.is_none_or(|accept| accept != derive_accept_key(key.as_bytes()).as_bytes()) {
        return Err(failed(ErrorKind::Decode, "the answer to the handshake is not for this one".to_owned()));
    }
    let stream = response.upgrade().await.map_err(|error| broken(&error))?;
    let config = WebSocketConfig::default().max_message_size(Some(largest)).max_frame_size(Some(largest));
    Ok(WebSocketStream::from_raw_socket(stream, Role::Client, Some(config)).await)
}

/// A venue that answers and opens nothing: too many connections, closed, or the wrong URL.
fn refused(venue: &Venue, response: &reqwest::Response) -> Error {
    let status = response.status();
    let seconds = response.headers().get(RETRY_AFTER).and_then(|after| after.to_str().ok()?.parse().ok());
    Error::new(Inner {
        kind: Some(venue.errors.kind(None, status.as_u16())),
        status: Some(status),
        message: "the venue opens no WebSocket here".to_owned(),
        retry_after: seconds.map(Duration::from_secs),
        ..Inner::default()
    })
}

fn broken(error: &reqwest::Error) -> Error {
    let kind = if error.is_timeout() { ErrorKind::Timeout } else { ErrorKind::Network };
    failed(kind, format!("no connection: {}", reason(error)))
}

fn failed(kind: ErrorKind, message: String) -> Error {
    Error::new(Inner { kind: Some(kind), message, ..Inner::default() })
}
