//! The streams and the WebSocket API: connections, what their clients ask for, and what is sent to them.

mod api;
mod connection;
mod control;
mod hub;
mod market;
mod names;
mod user;

use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use hyper::upgrade::OnUpgrade;
use serde_json::Value;

use self::api::Message;
use self::connection::strike;
pub(super) use self::hub::Hub;
use self::names::Endpoint;
use super::time_unit::TimeUnit;
use super::{Binance, State};
use crate::faults::{Fault, Transport};
use crate::message::Request;
use crate::request_log::{self, Arrived};
use crate::signature::Inspection;
use crate::stream::Disconnector;
use crate::streams::handshake::Handshake;
use crate::streams::{CloseReason, ConnectionHandler, ConnectionSetup, Ping, serve};

pub(crate) use self::names::channel_of;

/// Whether a stream, or the WebSocket API, is served at a path.
pub(crate) fn is_stream(path: &str) -> bool {
    Endpoint::at(path).is_some()
}

/// Accepts a handshake, and serves the connection that it opens.
pub(crate) fn open_websocket(
    binance: &Arc<Binance>,
    request: &Request,
    upgrade: Option<OnUpgrade>,
    cut: Disconnector,
) -> Response {
    let handshake = match Handshake::read(request, upgrade) {
        Ok(handshake) => handshake,
        Err(refused) => return *refused,
    };
    let Some(endpoint) = Endpoint::at(&request.path) else { return Response::default() };
    // It counts as open before the caller can know of it.
    let seat = binance.seat(endpoint, request, cut);
    let binance = Arc::clone(binance);
    handshake.accept(move |io| async move {
        match io {
            Some(io) => serve(&*binance, seat, io).await,
            None => binance.disconnect(seat.connection),
        }
    })
}

impl ConnectionHandler for Binance {
    fn on_message(&self, connection: u64, text: &str) -> ControlFlow<CloseReason> {
        let now = self.clock.millis();
        let state = &mut *self.state();
        let State { trading, hub, settings, .. } = state;
        let Some(own) = hub.connections.get_mut(&connection) else { return Break(CloseReason::Abort) };
        own.heard = tokio::time::Instant::now();
        if own.endpoint == Endpoint::Api {
            return self.on_call(state, connection, text, now);
        }
        self.requests.command("binance", own.endpoint.path(), text, now, None);
        if own.count_message(settings.messages_per_second) {
            return Break(CloseReason::Close(connection::POLICY, "Too many requests".to_owned()));
        }
        hub.hear(connection, text, trading, settings);
        Continue(())
    }

    fn on_activity(&self, connection: u64) {
        if let Some(own) = self.state().hub.connections.get_mut(&connection) {
            own.heard = tokio::time::Instant::now();
        }
    }

    /// Lets time pass: slower streams are sent, and a client that does not respond to pings is closed.
    fn tick(&self, connection: u64) {
        let now = self.clock.millis();
        let State { trading, hub, settings, .. } = &mut *self.state();
        hub.check_life(connection, settings);
        hub.tick(trading, settings, now);
        hub.plan(connection, settings);
    }

    fn disconnect(&self, connection: u64) {
        self.state().hub.disconnect(connection);
    }
}

impl Binance {
    fn on_call(&self, state: &mut State, connection: u64, text: &str, now: i64) -> ControlFlow<CloseReason> {
        let message = Message::read(text);
        let method = message.as_ref().map(Message::method).unwrap_or_default();
        let fault = strike(&self.faults, Transport::Websocket, &[method], false);
        let logon = state.hub.connections.get(&connection).and_then(|own| own.logon.as_ref());
        let key = message.as_ref().and_then(Message::key).or_else(|| logon.map(|logon| logon.key.clone()));
        let request = Request {
            method: http::Method::POST,
            path: names::API_PATH.to_owned(),
            query: None,
            headers: http::HeaderMap::new(),
            body: bytes::Bytes::copy_from_slice(text.as_bytes()),
        };
        let arrived =
            Arrived { venue: "binance", transport: Transport::Websocket, request: Arc::new(request), time: now };
        let pending = self.requests.arrive(arrived);
        if let Some(fault) = &fault {
            pending.fault(fault);
        }
        match fault {
            Some(Fault::DropBefore) => return Break(CloseReason::Abort),
            Some(Fault::SilenceBefore) => return Continue(()),
            _ => {}
        }
        let is_lost = matches!(fault, Some(Fault::DropAfter | Fault::SilenceAfter));
        let sent = state.hear_call(connection, message.as_ref(), fault, &self.executed, now);
        let id = pending.id;
        let is_accepted =
            sent.as_ref().is_some_and(|sent| !sent["error"]["code"].as_i64().is_some_and(super::refuses_credentials));
        match sent.filter(|_| !is_lost) {
            Some(sent) => pending.respond(response(&sent)),
            None => drop(pending),
        }
        self.requests.inspected(id, key.map_or_else(Inspection::none, Inspection::of), is_accepted);
        state.publish(now);
        Continue(())
    }

    fn seat(&self, endpoint: Endpoint, request: &Request, cut: Disconnector) -> ConnectionSetup {
        let now = self.clock.millis();
        let State { trading, hub, settings, .. } = &mut *self.state();
        let unit = request.query_value("timeUnit").and_then(|name| TimeUnit::named(&name)).unwrap_or_default();
        let (connection, outbox) = hub.connect((endpoint, unit), cut, settings, now);
        if let Some(own) = hub.connections.get_mut(&connection) {
            own.returns_limits = request.query_value("returnRateLimits").as_deref() != Some("false");
        }
        hub.subscribe(connection, names::names_of(&request.path, request.query.as_deref()), trading);
        hub.plan(connection, settings);
        ConnectionSetup {
            venue: "binance",
            connection,
            outbox,
            log: hub.log.clone(),
            ping: Some(Ping::Every(Duration::from_millis(settings.ping_millis.max(1)))),
            joins: false,
        }
    }

    pub(crate) fn connections(&self) -> usize {
        // A caller without a call has no connection yet.
        self.if_used(|state| state.hub.connections.len())
    }

    pub(crate) fn cut_connections(&self) -> usize {
        self.if_used(|state| state.hub.cut_connections())
    }

    /// Tells all connections that the venue shuts down. Returns how many those are.
    pub(crate) fn announce_shutdown(&self) -> usize {
        let now = self.clock.millis();
        self.if_used(|state| state.hub.announce_shutdown(now))
    }

    /// Sends a payload on a stream to all who hold it. Returns how many those are.
    pub(crate) fn notify(&self, name: &str, payload: &Value) -> usize {
        self.if_used(|state| state.hub.notify(name, payload))
    }

    /// Sends an event of the account of a key to all who have subscribed to it. Returns how many those are.
    pub(crate) fn notify_account(&self, key: &str, event: &Value) -> usize {
        self.if_used(|state| {
            let member = state.members.key(key).map(|key| state.members.keys[key].member);
            member.map_or(0, |member| state.hub.notify_account(member, event))
        })
    }
}

/// A response of the WebSocket API, for the log.
fn response(sent: &Value) -> request_log::Response {
    let status = sent["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(200);
    request_log::Response { status, headers: http::HeaderMap::new(), body: sent.to_string().into() }
}
