//! How frames are written, counted and put into a connection's queue.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::Value;

use super::channels::Endpoint;
use super::codes;
use super::connections::{Connection, Streams};
use super::subscription::Subscription;
use crate::clock::Clock;
use crate::faults::{Candidate, Fault, Faults, Transport};
use crate::streams::{FrameMetadata, Outgoing};

/// What a frame of data tells.
pub(super) struct Data<'a> {
    pub(super) kind: &'a str,
    pub(super) item: Option<Arc<str>>,
    pub(super) mark: Option<i64>,
    /// JSON.
    pub(super) msg: &'a str,
    /// The command that it responds.
    pub(super) id: Option<i64>,
}

impl<'a> Data<'a> {
    pub(super) fn new(kind: &'a str, item: Option<&Arc<str>>, msg: &'a str) -> Self {
        Self { kind, item: item.cloned(), mark: None, msg, id: None }
    }
}

/// The reply to a command.
#[derive(Default)]
pub(super) struct CommandReply {
    pub(super) kind: &'static str,
    pub(super) channel: Option<&'static str>,
    pub(super) sid: Option<u64>,
    pub(super) seq: Option<u64>,
    pub(super) msg: Option<Value>,
}

struct Envelope<'a> {
    kind: &'a str,
    id: Option<i64>,
    sid: Option<u64>,
    seq: Option<u64>,
    msg: Option<&'a str>,
    now: i64,
}

impl Envelope<'_> {
    /// Frames end with a newline.
    fn write(&self) -> String {
        let mut text = String::with_capacity(96 + self.msg.map_or(0, str::len));
        let kind = Value::from(self.kind);
        // Text takes everything.
        _ = write!(text, r#"{{"type":{kind}"#);
        if let Some(id) = self.id {
            _ = write!(text, r#","id":{id}"#);
        }
        if let Some(sid) = self.sid {
            _ = write!(text, r#","sid":{sid}"#);
        }
        if let Some(seq) = self.seq {
            _ = write!(text, r#","seq":{seq}"#);
        }
        if let Some(msg) = self.msg {
            _ = write!(text, r#","msg":{msg}"#);
        }
        _ = writeln!(text, r#","sending_ts_ms":{}}}"#, self.now);
        text
    }
}

/// What writing a frame needs, other than the connection.
pub(super) struct FrameWriter<'a> {
    pub(super) clock: &'a Clock,
    pub(super) faults: &'a Faults,
}

impl Streams {
    pub(super) fn writer(&self) -> FrameWriter<'_> {
        FrameWriter { clock: &self.clock, faults: &self.faults }
    }
}

impl FrameWriter<'_> {
    pub(super) fn strike(&self, endpoint: Endpoint, names: &[&str], by_name_only: bool) -> Option<Fault> {
        let transport = Transport::Stream;
        self.faults.strike(&Candidate { venue: endpoint.venue(), transport, names, by_name_only })
    }

    /// Sends something on a channel. The caller has seen that the subscription lets it in.
    pub(super) fn send(&self, connection: &mut Connection, channel: &'static str, data: Data<'_>) {
        let endpoint = connection.endpoint;
        let Some(subscription) = connection.subscriptions.get_mut(channel) else { return };
        let with_kind = format!("{channel}/{}", data.kind);
        let with_item = data.item.as_ref().map(|item| format!("{with_kind}/{item}"));
        let names = ["data", channel, &with_kind, with_item.as_deref().unwrap_or_default()];
        let fault = self.strike(endpoint, &names, false);
        match &fault {
            Some(Fault::Gap { by }) => subscription.seq += by,
            Some(Fault::Restart) => subscription.seq = 0,
            Some(Fault::UnknownType) => {
                let unknown = self.frame(subscription, &Data::new("sandbox_unknown", data.item.as_ref(), "{}"), None);
                if connection.outbox.push(unknown).is_err() {
                    return self.end(connection, channel, codes::OVERFLOW, None);
                }
            }
            _ => {}
        }
        let Some(subscription) = connection.subscriptions.get_mut(channel) else { return };
        let frame = self.frame(subscription, &data, fault.clone());
        if connection.outbox.push(frame).is_err() {
            return self.end(connection, channel, codes::OVERFLOW, None);
        }
        match fault {
            Some(Fault::Error { code, text }) => self.end(connection, channel, code, text.as_deref()),
            Some(Fault::SlowReader) => self.end(connection, channel, codes::OVERFLOW, None),
            _ => {}
        }
    }

    fn frame(&self, subscription: &mut Subscription, data: &Data<'_>, fault: Option<Fault>) -> Outgoing {
        let seq = subscription.channel.counted.then(|| subscription.next_seq());
        let sid = Some(subscription.sid);
        let envelope =
            Envelope { kind: data.kind, id: data.id, sid, seq, msg: Some(data.msg), now: self.clock.millis() };
        let about = FrameMetadata {
            channel: Some(subscription.channel.name.into()),
            kind: Cow::Owned(data.kind.to_owned()),
            subscription: sid,
            sequence: seq,
            item: data.item.clone(),
            mark: data.mark,
        };
        Outgoing::new(envelope.write(), about, fault)
    }

    /// Sends an error of a subscription. After a terminal one it is over, and what waits for it is not sent.
    fn end(&self, connection: &mut Connection, channel: &'static str, code: i64, text: Option<&str>) {
        let Some(subscription) = connection.subscriptions.get(channel) else { return };
        let sid = subscription.sid;
        if codes::is_terminal(code) {
            if code == codes::OVERFLOW {
                connection.outbox.withdraw(sid);
            }
            connection.subscriptions.remove(channel);
        }
        let msg = Some(codes::data(code, text));
        self.reply(
            connection,
            None,
            CommandReply { kind: "error", channel: Some(channel), sid: Some(sid), seq: None, msg },
        );
    }

    /// Replies to a command, or tells an error of none.
    pub(super) fn reply(&self, connection: &Connection, id: Option<i64>, answer: CommandReply) {
        let CommandReply { kind, channel, sid, seq, msg } = answer;
        let of_channel = channel.map(|channel| format!("{kind}/{channel}"));
        let names = ["reply", kind, of_channel.as_deref().unwrap_or_default()];
        let fault = self.strike(connection.endpoint, &names, true);
        let msg = msg.map(|msg| msg.to_string());
        // The reply to a subscription has its number inside.
        let outer_sid = sid.filter(|_| kind != "subscribed");
        let envelope = Envelope { kind, id, sid: outer_sid, seq, msg: msg.as_deref(), now: self.clock.millis() };
        let about = FrameMetadata {
            channel: channel.map(Into::into),
            kind: kind.into(),
            subscription: sid,
            sequence: seq,
            ..FrameMetadata::default()
        };
        if connection.outbox.push(Outgoing::new(envelope.write(), about, fault)).is_err() {
            // Somebody sends commands and reads no replies.
            connection.cut.cut();
        }
    }

    pub(super) fn refuse(&self, connection: &Connection, id: Option<i64>, channel: Option<&'static str>, code: i64) {
        let msg = Some(codes::data(code, None));
        self.reply(connection, id, CommandReply { kind: "error", channel, msg, ..CommandReply::default() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_has_what_it_needs() {
        let envelope = Envelope { kind: "ok", id: Some(7), sid: Some(1), seq: None, msg: Some("[]"), now: 5 };
        assert_eq!(envelope.write(), "{\"type\":\"ok\",\"id\":7,\"sid\":1,\"msg\":[],\"sending_ts_ms\":5}\n");
        let bare = Envelope { kind: "x", id: None, sid: None, seq: Some(3), msg: None, now: 5 };
        assert_eq!(bare.write(), "{\"type\":\"x\",\"seq\":3,\"sending_ts_ms\":5}\n");
    }
}
