//! How a request becomes a WebSocket connection.

use axum::body::Body;
use axum::response::Response;
use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderValue, StatusCode};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::message::Request;

const VERSION: &str = "13";

/// A request that asks for a WebSocket in the right form.
pub(crate) struct Handshake {
    accept: HeaderValue,
    upgrade: OnUpgrade,
}

impl Handshake {
    /// Reads a request; any other one gets the response that says what is served here.
    pub(crate) fn read(request: &Request, upgrade: Option<OnUpgrade>) -> Result<Self, Box<Response>> {
        let (Some(key), Some(upgrade)) = (key(request), upgrade) else { return Err(Box::new(refusal())) };
        let accept = HeaderValue::from_str(&derive_accept_key(key.as_bytes())).expect("base64 is printable");
        Ok(Self { accept, upgrade })
    }

    /// Accepts it. The connection is served once the response has gone; with none where that failed.
    pub(crate) fn accept<F>(self, serve: impl FnOnce(Option<TokioIo<Upgraded>>) -> F + Send + 'static) -> Response
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Self { accept, upgrade } = self;
        tokio::spawn(async move {
            let io = upgrade.await.ok().map(TokioIo::new);
            serve(io).await;
        });
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        response
    }
}

fn key(request: &Request) -> Option<&str> {
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
