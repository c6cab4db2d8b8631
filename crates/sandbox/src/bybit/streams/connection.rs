//! An open connection: its queue, what it hears, and what goes wrong on purpose with what is put into the queue.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::topics::{Endpoint, Topic};
use crate::faults::{Candidate, Fault, Faults, Transport};
use crate::stream::Disconnector;
use crate::streams::{FrameMetadata, Outgoing, SendQueue};

/// A message on an unknown topic.
const UNKNOWN: &str = r#"{"topic":"marketWeather.BTCUSDT","type":"snapshot","ts":0,"data":{"sky":"clear"}}"#;
/// A response of the trade channel to a call that nobody made.
const UNKNOWN_ID: &str =
    r#"{"reqId":"nobody","retCode":0,"retMsg":"OK","op":"order.create","data":{},"retExtInfo":{},"connId":"nobody"}"#;

/// Who a connection is logged in as.
#[derive(Clone)]
pub(super) struct Login {
    /// The key's name.
    pub(super) key: String,
    pub(super) member: usize,
}

pub(super) struct Connection {
    pub(super) endpoint: Endpoint,
    pub(super) id: String,
    pub(super) outbox: SendQueue,
    cut: Disconnector,
    pub(super) topics: BTreeMap<String, Topic>,
    pub(super) login: Option<Login>,
    /// When something came last.
    pub(super) heard: Instant,
    /// How long it may be silent, where its URL says so.
    pub(super) silence: Option<Duration>,
    /// What is added to the numbers of books, by topic: faults leave numbers out.
    pub(super) shifts: BTreeMap<String, i64>,
    /// The ids of commands on the trade channel.
    pub(super) commands: HashSet<String>,
}

/// What a frame of data says of itself.
#[derive(Clone, Copy)]
pub(super) struct Label<'a> {
    /// As it was subscribed to.
    pub(super) text: &'a str,
    pub(super) topic: &'a Topic,
    /// `snapshot` or `delta`; empty where the frame has no type.
    pub(super) kind: &'static str,
    /// The symbol, where the topic names none or several.
    pub(super) item: Option<&'a Arc<str>>,
    /// The number of the book's state that it leads to.
    pub(super) mark: Option<i64>,
}

impl Connection {
    pub(super) fn new(endpoint: Endpoint, outbox: SendQueue, cut: Disconnector, silence: Option<Duration>) -> Self {
        Self {
            endpoint,
            id: crate::make::uuid(),
            outbox,
            cut,
            topics: BTreeMap::new(),
            login: None,
            heard: Instant::now(),
            silence,
            shifts: BTreeMap::new(),
            commands: HashSet::new(),
        }
    }

    /// The fault that a frame of data meets.
    pub(super) fn strike(&self, faults: &Faults, label: Label<'_>) -> Option<Fault> {
        let channel = label.topic.channel;
        let with_kind = format!("{channel}/{}", if label.kind.is_empty() { channel } else { label.kind });
        let with_item = format!("{with_kind}/{}", label.item.unwrap_or(&label.topic.item));
        strike(faults, &["data", channel, &with_kind, &with_item, label.text], false)
    }

    /// Sends a frame of data, or what goes wrong with it.
    pub(super) fn send(&self, label: Label<'_>, frame: &impl Serialize, fault: Option<Fault>) {
        let text = serde_json::to_string(frame).expect("frames are plain JSON");
        let about = FrameMetadata {
            channel: Some(Cow::Borrowed(label.topic.channel)),
            kind: if label.kind.is_empty() { label.topic.channel } else { label.kind }.into(),
            item: Some(Arc::clone(label.item.unwrap_or(&label.topic.item))),
            mark: label.mark,
            ..FrameMetadata::default()
        };
        self.push_faulty(text, about, fault);
    }

    /// Sends the reply to a command, or what goes wrong with it.
    pub(super) fn reply(&self, faults: &Faults, kind: &str, reply: &Value) {
        let fault = strike(faults, &["reply", kind], false);
        let about = FrameMetadata { kind: kind.to_owned().into(), ..FrameMetadata::default() };
        self.push_faulty(reply.to_string(), about, fault);
    }

    /// Sends the response to a call of the trade channel, or what goes wrong with it.
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
                self.push(Outgoing::new(UNKNOWN.to_owned(), unknown, fault));
                self.push(Outgoing::new(text, about, None));
            }
            Some(Fault::Error { text: message, .. }) => {
                let error = self.error(message.as_deref().unwrap_or("Internal error"), "", "");
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

    /// A reply that refuses a command.
    pub(super) fn error(&self, message: &str, op: &str, id: &str) -> Value {
        json!({"success": false, "ret_msg": message, "conn_id": self.id, "req_id": id, "op": op})
    }

    /// Puts a frame into the queue. A client that reads too slowly loses the connection.
    fn push(&self, outgoing: Outgoing) {
        if self.outbox.push(outgoing).is_err() {
            self.cut.cut();
        }
    }

    pub(super) fn cut(&self) {
        self.cut.cut();
    }
}

/// The fault that a frame or a command of a stream meets.
pub(super) fn strike(faults: &Faults, names: &[&str], by_name_only: bool) -> Option<Fault> {
    faults.strike(&Candidate { venue: "bybit", transport: Transport::Stream, names, by_name_only })
}
