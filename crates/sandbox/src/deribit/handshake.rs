//! How a request becomes a WebSocket connection.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderValue, StatusCode};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::{Deribit, socket};
use crate::message::Request;
use crate::stream::Cut;

const VERSION: &str = "13";

/// Answers a handshake, and serves the connection that it opens.
pub(crate) fn open_websocket(
    deribit: &Arc<Deribit>,
    request: &Request,
    upgrade: Option<OnUpgrade>,
    cut: Cut,
) -> Response {
    let (Some(key), Some(upgrade)) = (handshake_key(request), upgrade) else { return refusal() };
    let accept = derive_accept_key(key.as_bytes());
    // It counts as open before the caller can know of it.
    let seat = deribit.connect(cut);
    let deribit = Arc::clone(deribit);
    tokio::spawn(async move {
        let connection = seat.connection;
        if let Ok(upgraded) = upgrade.await {
            socket::serve(&deribit, seat, TokioIo::new(upgraded)).await;
        }
        deribit.disconnect(connection);
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, HeaderValue::from_str(&accept).expect("base64 is printable"));
    response
}

fn handshake_key(request: &Request) -> Option<&str> {
    let names = |header: &str, word: &str| {
        let mut words = request.header(header).unwrap_or_default().split(',');
        words.any(|one| one.trim().eq_ignore_ascii_case(word))
    };
    let is_handshake = request.method == http::Method::GET
        && names("connection", "upgrade")
        && names("upgrade", "websocket")
        && request.header("sec-websocket-version") == Some(VERSION);
    request.header("sec-websocket-key").filter(|_| is_handshake)
}

fn refusal() -> Response {
    let mut response = Response::new(Body::from("a WebSocket is served here"));
    *response.status_mut() = StatusCode::UPGRADE_REQUIRED;
    response.headers_mut().insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static(VERSION));
    response
}
