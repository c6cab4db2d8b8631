//! An open connection: its queue, and what goes wrong on purpose with what is put into it.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::Endpoint;
use super::command::Room;
use crate::faults::{Candidate, Fault, Faults, Transport};
use crate::stream::Disconnector;
use crate::streams::{FrameMetadata, Outgoing, SendQueue};

const SECOND: Duration = Duration::from_secs(1);
/// A message of a type that it is unknown.
const UNKNOWN: &str = r#"{"type":"market_weather","data":{"sky":"clear"},"timestamp":0}"#;

/// A message of a room.
pub(super) struct ChannelMessage {
    pub(super) channel: &'static str,
    pub(super) kind: Cow<'static, str>,
    pub(super) item: Arc<str>,
    /// The number of the state that it leads to.
    pub(super) mark: Option<i64>,
    pub(super) text: Utf8Bytes,
}

/// What the venue responds with.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Reply<'a> {
    Connected {
        status: &'static str,
        #[serde(rename = "clientId")]
        client_id: String,
        message: &'static str,
        timestamp: i64,
    },
    Subscribed {
        room: &'a str,
        message: String,
        timestamp: i64,
    },
    Unsubscribed {
        room: &'a str,
        message: String,
        timestamp: i64,
    },
    Pong {
        timestamp: i64,
    },
    Error {
        data: ErrorText<'a>,
        timestamp: i64,
    },
}

#[derive(Serialize)]
pub(super) struct ErrorText<'a> {
    message: &'a str,
}

impl<'a> Reply<'a> {
    pub(super) fn error(message: &'a str, timestamp: i64) -> Self {
        Self::Error { data: ErrorText { message }, timestamp }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Connected { .. } => "connected",
            Self::Subscribed { .. } => "subscribed",
            Self::Unsubscribed { .. } => "unsubscribed",
            Self::Pong { .. } => "pong",
            Self::Error { .. } => "error",
        }
    }

    fn text(&self) -> String {
        serde_json::to_string(self).expect("replies are plain JSON")
    }
}

pub(super) struct Connection {
    pub(super) endpoint: Endpoint,
    pub(super) outbox: SendQueue,
    cut: Disconnector,
    pub(super) rooms: BTreeMap<String, Room>,
    /// When something came last.
    pub(super) heard: Instant,
    /// When the messages of the last second came that were carried out.
    taken: VecDeque<Instant>,
}

impl Connection {
    pub(super) fn new(endpoint: Endpoint, outbox: SendQueue, cut: Disconnector) -> Self {
        Self { endpoint, outbox, cut, rooms: BTreeMap::new(), heard: Instant::now(), taken: VecDeque::new() }
    }

    /// Notes a message. Whether it is one too many within a second.
    pub(super) fn exceeds_message_rate(&mut self, limit: usize) -> bool {
        self.heard = Instant::now();
        while self.taken.front().is_some_and(|at| self.heard - *at >= SECOND) {
            self.taken.pop_front();
        }
        let is_too_much = self.taken.len() >= limit;
        if !is_too_much {
            self.taken.push_back(self.heard);
        }
        is_too_much
    }

    pub(super) fn reply(&self, faults: &Faults, channel: Option<&'static str>, reply: &Reply<'_>) {
        let kind = reply.kind();
        let with_channel = format!("{kind}/{}", channel.unwrap_or_default());
        let names = ["reply", kind, &with_channel];
        let about = FrameMetadata {
            channel: channel.map(Cow::Borrowed),
            kind: Cow::Borrowed(kind),
            ..FrameMetadata::default()
        };
        self.send(faults, &names, reply.text().into(), about);
    }

    pub(super) fn send_message(&self, faults: &Faults, told: &ChannelMessage) {
        let ChannelMessage { channel, kind, item, mark, text } = told;
        let with_kind = format!("{channel}/{kind}");
        let with_item = format!("{with_kind}/{item}");
        let names = ["data", *channel, &with_kind, &with_item];
        let about = FrameMetadata {
            channel: Some(Cow::Borrowed(channel)),
            kind: kind.clone(),
            item: Some(Arc::clone(item)),
            mark: *mark,
            ..FrameMetadata::default()
        };
        self.send(faults, &names, text.clone(), about);
    }

    /// Puts a message into the queue. A client that reads too slowly loses the connection.
    fn send(&self, faults: &Faults, names: &[&str], text: Utf8Bytes, about: FrameMetadata) {
        let fault = strike(faults, names, false);
        match &fault {
            Some(Fault::UnknownType) => {
                let unknown = FrameMetadata { kind: Cow::Borrowed("market_weather"), ..about.clone() };
                self.push(Outgoing { text: Utf8Bytes::from_static(UNKNOWN), about: unknown, fault });
                self.push(Outgoing { text, about, fault: None });
            }
            Some(Fault::Error { text: message, .. }) => {
                let error = Reply::error(message.as_deref().unwrap_or("internal error"), 0).text();
                let kind = FrameMetadata { kind: Cow::Borrowed("error"), ..FrameMetadata::default() };
                self.push(Outgoing { text, about, fault });
                self.push(Outgoing::new(error, kind, None));
            }
            Some(Fault::SlowReader) => {
                self.push(Outgoing { text, about, fault });
                self.cut.cut();
            }
            // Messages have no numbers here: there is none to leave out.
            Some(Fault::Gap { .. } | Fault::Restart) => self.push(Outgoing { text, about, fault: None }),
            _ => self.push(Outgoing { text, about, fault }),
        }
    }

    fn push(&self, outgoing: Outgoing) {
        if self.outbox.push(outgoing).is_err() {
            self.cut.cut();
        }
    }

    pub(super) fn cut(&self) {
        self.cut.cut();
    }
}

/// The fault that a frame or a command meets.
pub(super) fn strike(faults: &Faults, names: &[&str], by_name_only: bool) -> Option<Fault> {
    faults.strike(&Candidate { venue: "bayse", transport: Transport::Stream, names, by_name_only })
}
