//! The streams: connections, what their clients ask for, and what they are sent.

mod assets;
mod command;
mod connection;
mod hub;
mod publish;
mod records;
mod settings;

use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use hyper::upgrade::OnUpgrade;
use rust_decimal::Decimal;
use serde_json::Value;

use self::command::Message;
pub(super) use self::hub::{Hub, MarketState};
pub use self::settings::BayseStreamSettings;
use super::{Bayse, Currency, State};
use crate::message::Request;
use crate::stream::Disconnector;
use crate::streams::handshake::Handshake;
use crate::streams::{BookLevels, CloseReason, ConnectionHandler, ConnectionSetup, serve};

/// Where a connection is made to. Each offers channels of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Endpoint {
    Markets,
    /// Every message of a client carries its credential.
    User,
    Realtime,
}

impl Endpoint {
    const ALL: [Self; 3] = [Self::Markets, Self::User, Self::Realtime];

    fn path(self) -> &'static str {
        match self {
            Self::Markets => "/ws/v1/markets",
            Self::User => "/ws/v1/user",
            Self::Realtime => "/ws/v1/realtime",
        }
    }

    /// The endpoint that offers a channel.
    fn of_channel(channel: &str) -> Option<Self> {
        match channel {
            "activity" | "prices" | "orderbook" | "user_trades" => Some(Self::Markets),
            "orders" => Some(Self::User),
            "asset_prices" => Some(Self::Realtime),
            _ => None,
        }
    }

    fn at(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|endpoint| endpoint.path() == path)
    }
}

/// Whether a stream is served at a path.
pub(crate) fn is_stream(path: &str) -> bool {
    Endpoint::at(path).is_some()
}

/// Answers a handshake, and serves the connection that it opens.
pub(crate) fn open_websocket(
    bayse: &Arc<Bayse>,
    request: &Request,
    upgrade: Option<OnUpgrade>,
    cut: Disconnector,
) -> Response {
    let Some(endpoint) = Endpoint::at(&request.path) else { return Response::new(Body::empty()) };
    let handshake = match Handshake::read(request, upgrade) {
        Ok(handshake) => handshake,
        Err(refused) => return *refused,
    };
    // It counts as open before the caller can know of it.
    let (connection, seat) = bayse.seat(endpoint, cut);
    let bayse = Arc::clone(bayse);
    handshake.accept(move |io| async move {
        match io {
            Some(io) => serve(&*bayse, seat, io).await,
            None => bayse.disconnect(connection),
        }
    })
}

impl ConnectionHandler for Bayse {
    fn on_message(&self, connection: u64, text: &str) -> ControlFlow<CloseReason> {
        let now = self.clock.millis();
        let State { accounts, exchange, hub } = &mut *self.state();
        let limit = hub.settings.messages_per_second;
        let Some(own) = hub.connections.get_mut(&connection) else { return Break(CloseReason::Abort) };
        let endpoint = own.endpoint;
        self.requests.command("bayse", endpoint.path(), text, now, None);
        if own.exceeds_message_rate(limit) {
            hub.refuse(connection, "rate limit exceeded: too many messages", now);
            return Continue(());
        }
        exchange.expire(accounts, now);
        let changes = exchange.take_changes();
        let view = MarketState { events: &self.events, accounts, exchange, now };
        hub.publish(&changes, view);
        match Message::read(text).and_then(|message| message.command(endpoint, accounts, &self.events)) {
            Ok(command) => hub.carry_out(connection, command, view),
            Err(message) => hub.refuse(connection, &message, now),
        }
        Continue(())
    }

    fn on_activity(&self, connection: u64) {
        if let Some(own) = self.state().hub.connections.get_mut(&connection) {
            own.heard = tokio::time::Instant::now();
        }
    }

    /// Lets time pass: orders expire, assets have a price, and who is silent for too long is cut.
    fn tick(&self, connection: u64) {
        let now = self.clock.millis();
        let State { accounts, exchange, hub } = &mut *self.state();
        exchange.expire(accounts, now);
        let changes = exchange.take_changes();
        hub.publish(&changes, MarketState { events: &self.events, accounts, exchange, now });
        if hub.is_idle(connection) {
            if let Some(own) = hub.connections.get(&connection) {
                own.outbox.end(CloseReason::Abort);
            }
        } else {
            hub.tick(connection, now);
            hub.plan(connection);
        }
    }

    fn disconnect(&self, connection: u64) {
        self.state().hub.disconnect(connection);
    }
}

impl Bayse {
    fn seat(&self, endpoint: Endpoint, cut: Disconnector) -> (u64, ConnectionSetup) {
        let State { hub, .. } = &mut *self.state();
        let (connection, outbox) = hub.connect(endpoint, cut, self.clock.millis());
        let (log, joins) = (hub.log.clone(), hub.settings.joins_messages);
        (connection, ConnectionSetup { venue: "bayse", connection, outbox, log, ping: None, joins })
    }

    pub(crate) fn connections(&self) -> usize {
        self.state().hub.connections.len()
    }

    pub(crate) fn cut_connections(&self) -> usize {
        self.state().hub.cut_connections()
    }

    /// Sends a message to all subscribers of a room. Returns how many those are.
    pub(crate) fn notify(&self, room: &str, kind: &str, data: &Value) -> usize {
        self.state().hub.notify(room, kind, data, self.clock.millis())
    }

    /// Gives an asset a price from now on. Returns how many receive it; none where there is no such asset.
    pub(crate) fn set_asset_price(&self, symbol: &str, price: Decimal) -> Option<usize> {
        self.state().hub.set_asset(symbol, price, self.clock.millis())
    }

    /// The book of an outcome as it was sent at a time.
    pub(crate) fn book_at(&self, outcome: &str, currency: &str, timestamp: &str) -> Option<BookLevels> {
        let currency = Currency::read(currency)?;
        let state = self.state();
        let told = state.hub.kept(outcome, currency, timestamp)?;
        Some(told.book.levels(told.micros))
    }

    pub(crate) fn stream_settings(&self) -> BayseStreamSettings {
        self.state().hub.settings.clone()
    }

    /// Holds from the next message on; whether messages are joined is settled when a connection is opened.
    pub(crate) fn set_stream_settings(&self, settings: BayseStreamSettings) {
        self.state().hub.settings = settings;
    }
}
