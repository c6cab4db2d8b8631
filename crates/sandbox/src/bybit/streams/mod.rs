//! The streams and the trade channel: connections, what their clients ask for, and what is sent to them.

mod books;
mod commands;
mod connection;
mod hub;
mod publish;
mod topics;
mod trade;

use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use hyper::upgrade::OnUpgrade;

pub(super) use self::books::BookFeed;
use self::commands::Room;
pub(super) use self::hub::Hub;
use self::topics::Endpoint;
use self::trade::Message;
use super::{Bybit, ROOT, State};
use crate::faults::{Candidate, Fault, Transport};
use crate::message::Request;
use crate::stream::Disconnector;
use crate::streams::handshake::Handshake;
use crate::streams::{CloseReason, ConnectionHandler, ConnectionSetup, serve};

/// How long a connection may be silent, at least and at most, where its URL says so.
const SILENCE_SECONDS: std::ops::RangeInclusive<u64> = 30..=600;

/// Whether a stream, or the trade channel, is served at a path.
pub(crate) fn is_stream(path: &str) -> bool {
    Endpoint::at(path).is_some()
}

/// Accepts a handshake, and serves the connection that it opens.
pub(crate) fn open_websocket(
    bybit: &Arc<Bybit>,
    request: &Request,
    upgrade: Option<OnUpgrade>,
    cut: Disconnector,
) -> Response {
    let handshake = match Handshake::read(request, upgrade) {
        Ok(handshake) => handshake,
        Err(refused) => return *refused,
    };
    let Some(endpoint) = Endpoint::at(&request.path) else { return Response::default() };
    let silence = request.query_value("max_active_time").and_then(|text| silence(&text));
    // It counts as open before the caller can know of it.
    let seat = bybit.seat(endpoint, cut, silence);
    let bybit = Arc::clone(bybit);
    handshake.accept(move |io| async move {
        match io {
            Some(io) => serve(&*bybit, seat, io).await,
            None => bybit.disconnect(seat.connection),
        }
    })
}

/// Reads a length such as `30s` or `2m`.
fn silence(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = number.parse::<u64>().ok()?.checked_mul(if unit == "m" { 60 } else { 1 })?;
    let is_known = unit == "m" || unit == "s";
    (is_known && SILENCE_SECONDS.contains(&seconds)).then(|| Duration::from_secs(seconds))
}

impl ConnectionHandler for Bybit {
    fn on_message(&self, connection: u64, text: &str) -> ControlFlow<CloseReason> {
        let now = self.clock.millis();
        let state = &mut *self.state();
        let Some(own) = state.hub.connections.get_mut(&connection) else { return Break(CloseReason::Abort) };
        own.heard = tokio::time::Instant::now();
        let credential = own.login.as_ref().map(|login| login.key.as_str());
        self.requests.command("bybit", &format!("{ROOT}/{}", own.endpoint.name()), text, now, credential);
        if own.endpoint == Endpoint::Trade {
            let message = Message::read(text);
            let names = [message.op()];
            let call =
                Candidate { venue: "bybit", transport: Transport::Websocket, names: &names, by_name_only: false };
            let fault = self.faults.strike(&call);
            match fault {
                Some(Fault::DropBefore) => return Break(CloseReason::Abort),
                Some(Fault::SilenceBefore) => return Continue(()),
                fault => state.hear_trade(connection, &message, fault, &self.executed, now),
            }
            state.publish(now);
        } else {
            let State { members, trading, hub, .. } = state;
            hub.hear(connection, text, &Room { members, trading, now });
        }
        Continue(())
    }

    fn on_activity(&self, connection: u64) {
        if let Some(own) = self.state().hub.connections.get_mut(&connection) {
            own.heard = tokio::time::Instant::now();
        }
    }

    /// Lets time pass: candles end, best prices are repeated, and a client that is silent for too long is cut.
    fn tick(&self, connection: u64) {
        let now = self.clock.millis();
        let State { trading, hub, .. } = &mut *self.state();
        if hub.is_idle(connection) {
            if let Some(own) = hub.connections.get(&connection) {
                own.outbox.end(CloseReason::Abort);
            }
        } else {
            hub.tick(trading, now);
            hub.plan(connection);
        }
    }

    fn disconnect(&self, connection: u64) {
        self.state().hub.connections.remove(&connection);
    }
}

impl Bybit {
    fn seat(&self, endpoint: Endpoint, cut: Disconnector, silence: Option<Duration>) -> ConnectionSetup {
        let hub = &mut self.state().hub;
        let (connection, outbox) = hub.connect(endpoint, cut, silence);
        ConnectionSetup { venue: "bybit", connection, outbox, log: hub.log.clone(), ping: None, joins: false }
    }

    pub(crate) fn connections(&self) -> usize {
        // A caller without a call has no connection yet.
        self.if_used(|state| state.hub.connections.len())
    }

    pub(crate) fn cut_connections(&self) -> usize {
        self.if_used(|state| state.hub.cut_connections())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_how_long_it_may_be_silent() {
        assert_eq!(silence("30s"), Some(Duration::from_secs(30)));
        assert_eq!(silence("1m"), Some(Duration::from_secs(60)));
        for wrong in ["", "s", "29s", "601s", "30", "x1s", "11m"] {
            assert_eq!(silence(wrong), None, "{wrong}");
        }
    }
}
