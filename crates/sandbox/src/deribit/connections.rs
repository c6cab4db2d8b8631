//! The WebSocket connections that are open, and what the venue remembers of each.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::channels::{self, UpdateInterval};
use super::feeds::Feed;
use super::heartbeat::{Heartbeat, HeartbeatAction};
use super::limit::RateLimitSubject;
use super::state::State;
use crate::faults::{Candidate, Fault, Faults, Transport};
use crate::stream::Disconnector;
use crate::streams::{CloseReason, FrameLog, FrameMetadata, Outgoing, SendQueue};

/// What the venue tells a client that reads too slowly.
const TOO_SLOW: &str = "connection_too_slow";
/// A notification of a kind that it is unknown.
const UNKNOWN: &str = r#"{"jsonrpc":"2.0","method":"market_weather","params":{"sky":"clear"}}"#;

/// An open connection.
pub(super) struct Connection {
    outbox: SendQueue,
    cut: Disconnector,
    faults: Faults,
    pub(super) login: Option<ConnectionLogin>,
    /// What it receives, by channel.
    pub(super) feeds: BTreeMap<String, Feed>,
    /// When what is due at a pace is sent.
    pub(super) planned: BTreeMap<UpdateInterval, Instant>,
    heartbeat: Heartbeat,
    /// When the client said something last.
    heard: Instant,
    /// Whether it was sent anything since the last beat.
    is_busy: Cell<bool>,
    pub(super) cancels_on_disconnect: bool,
    /// Whether it was logged out, which cancels nothing.
    pub(super) is_leaving: bool,
}

/// Who a connection is logged in as.
pub(super) struct ConnectionLogin {
    pub(super) access_token: String,
    pub(super) account: usize,
}

/// What a notification is about.
#[derive(Clone, Copy)]
pub(super) struct NotificationInfo<'a> {
    /// As it was subscribed to.
    pub(super) channel: &'a str,
    pub(super) label: Option<&'a str>,
    /// `snapshot` or `change`, where the channel has both.
    pub(super) kind: &'static str,
    pub(super) instrument: Option<&'a str>,
    /// The number of the book's state that it leads to.
    pub(super) mark: Option<i64>,
}

#[derive(Serialize)]
struct Notification<'a, T: Serialize> {
    jsonrpc: &'static str,
    method: &'static str,
    params: NotificationParams<'a, T>,
}

#[derive(Serialize)]
struct NotificationParams<'a, T: Serialize> {
    channel: &'a str,
    data: &'a T,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
}

impl Connection {
    /// Sends a notification, or what goes wrong with it on purpose.
    pub(super) fn notify(&self, notice: NotificationInfo<'_>, data: &impl Serialize) {
        let fault = self.strike(notice);
        self.notify_with(notice, data, fault);
    }

    /// What goes wrong on purpose with a notification.
    pub(super) fn strike(&self, notice: NotificationInfo<'_>) -> Option<Fault> {
        let family = channels::family(notice.channel);
        let with_kind = format!("{family}/{}", notice.kind);
        let with_instrument = format!("{with_kind}/{}", notice.instrument.unwrap_or_default());
        strike(&self.faults, &["data", notice.channel, family, &with_kind, &with_instrument], false)
    }

    pub(super) fn notify_with(&self, notice: NotificationInfo<'_>, data: &impl Serialize, fault: Option<Fault>) {
        let params = NotificationParams { channel: notice.channel, data, label: notice.label };
        let notification = Notification { jsonrpc: "2.0", method: "subscription", params };
        let text = serde_json::to_string(&notification).expect("notifications are plain JSON");
        self.is_busy.set(true);
        let about = FrameMetadata {
            channel: Some(notice.channel.to_owned().into()),
            kind: if notice.kind.is_empty() { "subscription" } else { notice.kind }.into(),
            item: notice.instrument.map(Arc::from),
            mark: notice.mark,
            ..FrameMetadata::default()
        };
        self.send_faulty(text, about, fault);
    }

    fn send_faulty(&self, text: String, about: FrameMetadata, fault: Option<Fault>) {
        match fault {
            Some(Fault::Gap { by }) => {
                let text = without_link(&text, by).unwrap_or(text);
                self.push(Outgoing { text: text.into(), about, fault: Some(Fault::Gap { by }) });
            }
            Some(Fault::Error { code, text: message }) => {
                let told = message.clone().unwrap_or_else(|| "internal_server_error".to_owned());
                let error = serde_json::json!({"jsonrpc": "2.0", "error": {"code": code, "message": told}});
                let kind = FrameMetadata { kind: Cow::Borrowed("error"), ..FrameMetadata::default() };
                self.push(Outgoing::new(text, about, Some(Fault::Error { code, text: message })));
                self.push(Outgoing::new(error.to_string(), kind, None));
            }
            Some(Fault::UnknownType) => {
                let unknown = FrameMetadata { kind: "market_weather".into(), ..FrameMetadata::default() };
                let fault = Some(Fault::UnknownType);
                self.push(Outgoing { text: Utf8Bytes::from_static(UNKNOWN), about: unknown, fault });
                self.push(Outgoing::new(text, about, None));
            }
            Some(Fault::SlowReader) => {
                self.push(Outgoing::new(text, about, Some(Fault::SlowReader)));
                self.end(CloseReason::Close(4000, TOO_SLOW.to_owned()));
            }
            fault => self.push(Outgoing::new(text, about, fault)),
        }
    }

    /// Sends a response to a call, or what goes wrong with it on purpose.
    pub(super) fn answer(&self, text: String, fault: Option<Fault>) {
        let about = || FrameMetadata { kind: Cow::Borrowed("answer"), ..FrameMetadata::default() };
        let fault = match fault {
            Some(Fault::DropAfter) => Some(Fault::DropBefore),
            Some(Fault::SilenceAfter) => Some(Fault::Drop),
            Some(Fault::UnknownId) => {
                self.push(Outgoing::new(UNKNOWN_ANSWER.to_owned(), about(), Some(Fault::UnknownId)));
                None
            }
            fault => fault,
        };
        self.push(Outgoing::new(text, about(), fault));
    }

    /// Puts a frame into the queue. A caller who reads too slowly loses the connection.
    fn push(&self, outgoing: Outgoing) {
        if self.outbox.push(outgoing).is_err() {
            self.cut.cut();
        }
    }

    /// Ends it once what waits has gone.
    pub(super) fn end(&self, end: CloseReason) {
        self.outbox.end(end);
    }

    /// Notes a message of the client.
    pub(super) fn hear(&mut self, is_test: bool) {
        self.heard = Instant::now();
        self.heartbeat.heard(is_test);
    }

    pub(super) fn set_heartbeat(&mut self, interval: Option<Duration>) {
        self.heartbeat.set(interval);
    }

    /// Has the venue asked when something is to be done next.
    pub(super) fn arrange(&self, idle: Duration) {
        let dies = if self.may_idle() { None } else { self.heard.checked_add(idle) };
        let next = self.planned.values().copied().chain(self.heartbeat.next()).chain(dies).min();
        if let Some(next) = next {
            self.outbox.tick_at(next);
        }
    }

    /// Whether it stays open though nobody says anything.
    fn may_idle(&self) -> bool {
        !self.feeds.is_empty() || self.heartbeat.next().is_some()
    }

    /// Does what is due but for the channels: asks whether somebody is there, and cuts who is silent for too long.
    fn beat(&mut self, now: Instant, idle: Duration) {
        if !self.may_idle() && now.duration_since(self.heard) >= idle {
            return self.cut.cut();
        }
        if self.heartbeat.next().is_none_or(|next| next > now) {
            return;
        }
        match self.heartbeat.beat(!self.is_busy.take()) {
            HeartbeatAction::Say(kinds) => kinds.iter().for_each(|kind| self.say(kind)),
            HeartbeatAction::Silence => self.end(CloseReason::Close(4000, "heartbeat close".to_owned())),
        }
    }

    fn say(&self, kind: &'static str) {
        let with_kind = format!("heartbeat/{kind}");
        let fault = strike(&self.faults, &["heartbeat", &with_kind], true);
        let text = format!(r#"{{"jsonrpc":"2.0","method":"heartbeat","params":{{"type":"{kind}"}}}}"#);
        self.send_faulty(text, FrameMetadata { kind: Cow::Borrowed(kind), ..FrameMetadata::default() }, fault);
    }
}

const UNKNOWN_ANSWER: &str = r#"{"jsonrpc":"2.0","id":9007199254740991,"result":"to nobody","testnet":true}"#;

/// A message of a book that does not follow on the one before it: what came between has no notification.
fn without_link(text: &str, by: u64) -> Option<String> {
    const LINK: &str = r#""prev_change_id":"#;
    let begin = text.find(LINK)? + LINK.len();
    let end = begin + text[begin..].find(|one: char| !one.is_ascii_digit())?;
    let previous: u64 = text[begin..end].parse().ok()?;
    Some(format!("{}{}{}", &text[..begin], previous.saturating_add(by), &text[end..]))
}

/// The fault that a frame or a command of a stream meets.
pub(super) fn strike(faults: &Faults, names: &[&str], by_name_only: bool) -> Option<Fault> {
    faults.strike(&Candidate { venue: "deribit", transport: Transport::Stream, names, by_name_only })
}

impl State {
    /// Remembers a new connection: its number and its queue.
    pub(super) fn connect(&mut self, cut: Disconnector, faults: Faults, log: &FrameLog) -> (u64, SendQueue) {
        let (number, outbox) = (log.open(), SendQueue::new(self.settings.waiting_frames));
        let connection = Connection {
            outbox: outbox.clone(),
            cut,
            faults,
            login: None,
            feeds: BTreeMap::new(),
            planned: BTreeMap::new(),
            heartbeat: Heartbeat::default(),
            heard: Instant::now(),
            is_busy: Cell::new(false),
            cancels_on_disconnect: false,
            is_leaving: false,
        };
        connection.arrange(self.idle());
        self.connections.insert(number, connection);
        (number, outbox)
    }

    pub(super) fn idle(&self) -> Duration {
        Duration::from_millis(self.settings.idle_millis)
    }

    /// Does what is due on a connection at its time.
    pub(super) fn tick(&mut self, number: u64) {
        let (now, idle) = (Instant::now(), self.idle());
        let Some(connection) = self.connections.get_mut(&number) else { return };
        connection.beat(now, idle);
        let due: BTreeSet<UpdateInterval> =
            connection.planned.iter().filter(|(_, at)| **at <= now).map(|(pace, _)| *pace).collect();
        for pace in due {
            self.flush(number, pace);
        }
        if let Some(connection) = self.connections.get(&number) {
            connection.arrange(idle);
        }
    }

    /// Forgets a connection and what ends with it: its tokens, and its orders where that was asked for.
    pub(super) fn disconnect(&mut self, number: u64) {
        let Some(connection) = self.connections.remove(&number) else { return };
        self.end_connection_logins(number);
        if connection.cancels_on_disconnect && !connection.is_leaving {
            self.cancel_orders_of(number);
        }
    }

    /// Cuts all connections. Returns how many there were.
    pub(super) fn cut_connections(&mut self) -> usize {
        let open: Vec<u64> = self.connections.keys().copied().collect();
        for number in &open {
            if let Some(connection) = self.connections.get(number) {
                connection.cut.cut();
            }
            self.disconnect(*number);
        }
        open.len()
    }

    /// Whose calls a connection's calls count among.
    pub(super) fn rate_limit_subject(&self, connection: Option<u64>) -> RateLimitSubject {
        match connection {
            None => RateLimitSubject::Stranger,
            Some(number) => match self.connections.get(&number).and_then(|connection| connection.login.as_ref()) {
                Some(login) => RateLimitSubject::Account(login.account),
                None => RateLimitSubject::Connection(number),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_broken_at_its_link() {
        let frame = r#"{"params":{"data":{"change_id":9,"prev_change_id":7,"bids":[["new",5.50,1.0]]}}}"#;
        let broken = without_link(frame, 2).unwrap();
        assert_eq!(broken, frame.replace("\"prev_change_id\":7", "\"prev_change_id\":9"));
        assert_eq!(without_link(r#"{"params":{"data":{"change_id":9}}}"#, 2), None, "a snapshot has no link");
    }
}
