//! Kalshi's WebSocket and that of its perpetual futures: signed upgrades, commands, and what both exchanges tell.

mod channels;
mod codes;
mod commands;
mod connections;
mod events;
mod indices;
mod messages;
mod params;
mod perps;
mod publish;
mod send;
mod settings;
mod snapshots;
mod subscription;

use std::ops::ControlFlow;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use hyper::upgrade::OnUpgrade;
use serde_json::Value;

pub(in crate::kalshi) use self::channels::Endpoint;
pub(in crate::kalshi) use self::connections::{Event, Streams};
pub use self::settings::KalshiSettings;
use super::error::Refusal;
use super::{Kalshi, auth};
use crate::message::{Reply, Request};
use crate::stream::Disconnector;
use crate::streams::handshake::Handshake;
use crate::streams::{BookLevels, CloseReason, ConnectionHandler, serve};

/// Below this nothing but WebSockets is served.
pub(crate) const WEBSOCKET_ROOT: &str = "/trade-api/ws";
/// Where the WebSocket is served, and that of the perpetual futures.
pub(crate) const WEBSOCKET_PATH: &str = "/trade-api/ws/v2";
pub(crate) const PERPS_WEBSOCKET_PATH: &str = "/trade-api/ws/v2/margin";

/// Answers a request below the path of WebSockets, and serves the connection that it opens.
pub(crate) async fn open_websocket(
    kalshi: &Arc<Kalshi>,
    request: Arc<Request>,
    upgrade: Option<OnUpgrade>,
    cut: Disconnector,
) -> Response {
    let endpoint = match request.path.as_str() {
        WEBSOCKET_PATH => Endpoint::Events,
        PERPS_WEBSOCKET_PATH => Endpoint::Perps,
        _ => return nowhere(),
    };
    let handshake = match Handshake::read(&request, upgrade) {
        Ok(handshake) => handshake,
        Err(refusal) => return *refusal,
    };
    let venue = Arc::clone(kalshi);
    // Checking an RSA signature would hold up the executor.
    let seat = tokio::task::spawn_blocking(move || {
        let now = venue.clock.millis();
        let key = auth::authenticate(&request, now, |id| venue.lock().key(id))?;
        let seat = venue.lock().feeds.connect(endpoint, key, cut);
        seat.ok_or_else(|| Refusal::new(429, "too_many_connections"))
    });
    let seat = match seat.await {
        Ok(Ok(seat)) => seat,
        Ok(Err(refusal)) => return response(refusal.into_reply()),
        Err(_) => return response(Refusal::new(500, "internal_server_error").into_reply()),
    };
    let venue = Arc::clone(kalshi);
    handshake.accept(move |io| async move {
        let connection = seat.connection;
        if let Some(io) = io {
            serve(&*venue, seat, io).await;
        }
        venue.lock().feeds.disconnect(connection);
    })
}

/// What stands before the venue responds where nothing is served, in plain text.
fn nowhere() -> Response {
    let mut response = Response::new(Body::from("Forbidden"));
    *response.status_mut() = StatusCode::FORBIDDEN;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

fn response(reply: Reply) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    response
}

impl ConnectionHandler for Kalshi {
    fn on_message(&self, connection: u64, text: &str) -> ControlFlow<CloseReason> {
        let now = self.clock.millis();
        let mut state = self.lock();
        state.pass_time(now);
        state.react(now);
        state.publish(now);
        if let Some((endpoint, key)) = state.feeds.caller(connection) {
            self.requests.command(endpoint.venue(), endpoint.path(), text, now, Some(&key.id));
        }
        commands::carry_out(&mut state, connection, text)
    }

    fn tick(&self, connection: u64) {
        let now = self.clock.millis();
        let mut state = self.lock();
        state.pass_time(now);
        state.react(now);
        state.tick(connection);
        state.publish(now);
    }

    fn disconnect(&self, connection: u64) {
        self.lock().feeds.disconnect(connection);
    }
}

impl Kalshi {
    pub(crate) fn connections(&self) -> usize {
        self.lock().feeds.connections.len()
    }

    pub(crate) fn cut_connections(&self) -> usize {
        self.lock().feeds.cut_connections()
    }

    pub(crate) fn settings(&self) -> KalshiSettings {
        self.lock().feeds.settings.clone()
    }

    pub(crate) fn set_settings(&self, settings: KalshiSettings) {
        self.lock().feeds.settings = settings;
    }

    /// Notifies everybody on a channel whose subscription lets it in. Returns how many those are.
    pub(crate) fn notify(&self, is_perps: bool, channel: &str, kind: &str, data: &Value) -> usize {
        let endpoint = if is_perps { Endpoint::Perps } else { Endpoint::Events };
        self.lock().feeds.notify(endpoint, channel, kind, data)
    }

    /// The book of a market of either exchange as it was at a mark, or as it is now.
    pub(crate) fn book(&self, ticker: &str, mark: Option<i64>) -> Option<BookLevels> {
        let state = self.lock();
        let is_perps = state.perps.contract(ticker).is_some();
        let history = if is_perps { &state.feeds.perps } else { &state.feeds.events };
        match mark {
            Some(mark) => history.at(ticker, mark),
            None => Some(history.now(ticker)),
        }
    }
}
