//! An open connection: its queue, what it hears, and what goes wrong on purpose with what is put into the queue.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::names::{Endpoint, Topic};
use crate::binance::time_unit::TimeUnit;
use crate::faults::{Candidate, Fault, Faults, Transport};
use crate::stream::Disconnector;
use crate::streams::{CloseReason, FrameMetadata, Outgoing, SendQueue};

/// A response to a call that was never made.
const UNKNOWN_ID: &str = r#"{"id":"nobody","status":200,"result":{},"rateLimits":[]}"#;
const SECOND: Duration = Duration::from_secs(1);

/// The key that a connection is logged on with.
#[derive(Clone, Debug)]
pub(super) struct Logon {
    pub(super) key: String,
    pub(super) since: i64,
}

/// The events of an account that a connection hears.
#[derive(Clone, Debug)]
pub(super) struct Subscription {
    pub(super) member: usize,
    /// Whether it ends with the log-on.
    pub(super) by_logon: bool,
}

/// A subscription to a stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    /// None for a name that the venue does not know.
    pub(super) topic: Option<Topic>,
    /// Whether a frame of it was sent already.
    pub(super) begun: bool,
    /// The beginning of the candle that was sent last.
    pub(super) candle: Option<i64>,
}

pub(super) struct Connection {
    pub(super) endpoint: Endpoint,
    pub(super) unit: TimeUnit,
    pub(super) outbox: SendQueue,
    cut: Disconnector,
    pub(super) streams: BTreeMap<String, Held>,
    /// When the client was last heard from.
    pub(super) heard: Instant,
    /// When messages came, in the last second.
    messages: VecDeque<Instant>,
    pub(super) since: i64,
    pub(super) logon: Option<Logon>,
    pub(super) subscriptions: BTreeMap<u64, Subscription>,
    pub(super) next_subscription: u64,
    pub(super) returns_limits: bool,
}

/// What a frame of data says of itself.
#[derive(Clone, Copy)]
pub(super) struct Label<'a> {
    /// As it was subscribed to; empty for events of an account.
    pub(super) name: &'a str,
    pub(super) channel: &'static str,
    /// The market or, for events of an account, the kind.
    pub(super) item: &'a str,
    /// The number of the update that the book is after.
    pub(super) mark: Option<i64>,
}

impl Connection {
    pub(super) fn new(endpoint: Endpoint, unit: TimeUnit, outbox: SendQueue, cut: Disconnector, now: i64) -> Self {
        Self {
            endpoint,
            unit,
            outbox,
            cut,
            streams: BTreeMap::new(),
            heard: Instant::now(),
            messages: VecDeque::new(),
            since: now,
            logon: None,
            subscriptions: BTreeMap::new(),
            next_subscription: 0,
            returns_limits: true,
        }
    }

    /// Counts a message of the client. Whether it is one too many.
    pub(super) fn count_message(&mut self, most: usize) -> bool {
        let now = Instant::now();
        while self.messages.front().is_some_and(|at| now.duration_since(*at) >= SECOND) {
            self.messages.pop_front();
        }
        self.messages.push_back(now);
        self.messages.len() > most
    }

    /// Sends a payload of a stream, or what goes wrong with it.
    pub(super) fn send_data(&self, faults: &Faults, label: Label<'_>, payload: &Value) {
        let text = match self.endpoint {
            Endpoint::Market { combined: true } => json!({"stream": label.name, "data": payload}).to_string(),
            _ => payload.to_string(),
        };
        self.send(faults, label, text);
    }

    /// Sends a frame of data, or what goes wrong with it.
    pub(super) fn send(&self, faults: &Faults, label: Label<'_>, text: String) {
        let with_kind = format!("{}/{}", label.channel, label.channel);
        let with_item = format!("{with_kind}/{}", label.item);
        let names = ["data", label.channel, &with_kind, &with_item, label.name];
        let fault = strike(faults, Transport::Stream, &names, false);
        let about = FrameMetadata {
            channel: Some(Cow::Borrowed(label.channel)),
            kind: Cow::Borrowed(label.channel),
            item: Some(Arc::from(label.item)),
            mark: label.mark,
            ..FrameMetadata::default()
        };
        // Numbers are those of the book: they are left out together with the frame.
        let fault = fault.map(|fault| if matches!(fault, Fault::Gap { .. }) { Fault::Drop } else { fault });
        self.push_faulty(text, about, fault);
    }

    /// Sends the reply to a command, or what goes wrong with it.
    pub(super) fn reply(&self, faults: &Faults, kind: &str, reply: &Value) {
        let fault = strike(faults, Transport::Stream, &["reply", kind], false);
        let about = FrameMetadata { kind: kind.to_owned().into(), ..FrameMetadata::default() };
        self.push_faulty(reply.to_string(), about, fault);
    }

    /// Sends the response to a call, or what goes wrong with it.
    pub(super) fn respond(&self, response: &Value, fault: Option<Fault>) {
        let about = || FrameMetadata { kind: Cow::Borrowed("response"), ..FrameMetadata::default() };
        let fault = match fault {
            Some(Fault::DropAfter) => Some(Fault::DropBefore),
            Some(Fault::SilenceAfter) => Some(Fault::Drop),
            Some(Fault::UnknownId) => {
                self.push(Outgoing::new(UNKNOWN_ID.to_owned(), about(), Some(Fault::UnknownId)));
                None
            }
            fault => fault,
        };
        self.push(Outgoing::new(response.to_string(), about(), fault));
    }

    fn push_faulty(&self, text: String, about: FrameMetadata, fault: Option<Fault>) {
        match &fault {
            Some(Fault::UnknownType) => {
                let unknown = FrameMetadata { kind: Cow::Borrowed("marketWeather"), ..FrameMetadata::default() };
                let payload = json!({"e": "marketWeather", "E": 0, "s": "BTCUSDT", "sky": "clear"});
                let frame = match self.endpoint {
                    Endpoint::Market { combined: true } => json!({"stream": "btcusdt@marketWeather", "data": payload}),
                    Endpoint::Market { combined: false } => payload,
                    Endpoint::Api => json!({"subscriptionId": 0, "event": payload}),
                };
                self.push(Outgoing::new(frame.to_string(), unknown, fault));
                self.push(Outgoing::new(text, about, None));
            }
            Some(Fault::Error { code, text: message }) => {
                let message = message.as_deref().unwrap_or("Internal error");
                let error = json!({"error": {"code": code, "msg": message}, "id": null});
                let kind = FrameMetadata { kind: Cow::Borrowed("error"), ..FrameMetadata::default() };
                self.push(Outgoing::new(text, about, fault));
                self.push(Outgoing::new(error.to_string(), kind, None));
            }
            Some(Fault::SlowReader) => {
                self.push(Outgoing::new(text, about, fault));
                self.cut.cut();
            }
            _ => self.push(Outgoing::new(text, about, fault)),
        }
    }

    /// Puts a frame into the queue. A client that reads too slowly loses the connection.
    fn push(&self, outgoing: Outgoing) {
        if self.outbox.push(outgoing).is_err() {
            self.cut.cut();
        }
    }

    /// Closes the connection for what its client does.
    pub(super) fn refuse(&self, reason: &str) {
        self.outbox.end(CloseReason::Close(POLICY, reason.to_owned()));
    }

    pub(super) fn cut(&self) {
        self.cut.cut();
    }
}

/// The code with which the venue closes connections.
pub(super) const POLICY: u16 = 1008;

/// The fault that a frame, a command or a call meets.
pub(super) fn strike(faults: &Faults, transport: Transport, names: &[&str], by_name_only: bool) -> Option<Fault> {
    faults.strike(&Candidate { venue: "binance", transport, names, by_name_only })
}
