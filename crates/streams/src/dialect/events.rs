//! Events of an account on a connection that carries calls.

use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use venuekit_wire::stream::{Channel, EventCalls};

use super::calls::Subscribing;
use super::top::{Top, within};
use crate::hub::io::{Action, Body, Command, Frame, Handle};
use crate::scan;

/// The events of one account, which are one channel.
pub(crate) struct Events {
    words: EventCalls,
    channel: &'static Channel,
    /// The number of the subscription; none is negative.
    subscription: AtomicI64,
}

/// No subscription has been confirmed.
const UNKNOWN: i64 = -1;

impl Events {
    pub(crate) fn new(words: EventCalls, channel: &'static Channel) -> Self {
        Self { words, channel, subscription: AtomicI64::new(UNKNOWN) }
    }

    /// Whether a message is an event of the subscription, or one of the connection itself. Then it is handed over.
    pub(crate) fn notification(&self, message: &Bytes, take: impl FnOnce(Frame<'_>)) -> bool {
        let Some((top, _)) = Top::read(message, 0, &[self.words.subscription, self.words.data]) else { return false };
        let data = top.range(1);
        if data.is_empty() {
            return false;
        }
        let Some((event, _)) = Top::read(message, data.start, &[self.words.kind]) else { return false };
        let kind = event.string(0).unwrap_or_default();
        let frame = |handle, body| Frame {
            bytes: message,
            handle,
            kind: &kind,
            data: within(data.clone(), 0),
            sequence: None,
            sent: None,
            command: None,
            body,
        };
        let Some(number) = top.integer(0) else {
            let is_closing = kind == self.words.closing;
            if is_closing {
                take(frame(Handle::None, Body::Closing));
            }
            return is_closing;
        };
        let own = self.subscription.load(Ordering::Relaxed);
        if own != UNKNOWN && own != number {
            return false;
        }
        take(frame(Handle::Name(self.channel.name), Body::Data));
        true
    }

    /// The call that a command is.
    pub(crate) fn call(&self, command: &Command, logs_on: bool) -> Option<Subscribing> {
        let (logged_on, signed) = self.words.subscribe;
        match &command.action {
            Action::Subscribe(_) => {
                let operation = if logs_on { logged_on } else { signed };
                Some(Subscribing { operation, params: "{}".to_owned() })
            }
            Action::Unsubscribe(_) => {
                let number = self.subscription.swap(UNKNOWN, Ordering::Relaxed);
                // Without a number all subscriptions of the connection would end, of which some may be the user's.
                let params = format!(r#"{{"{}":{number}}}"#, self.words.subscription);
                (number != UNKNOWN).then_some(Subscribing { operation: self.words.unsubscribe, params })
            }
            Action::Update { .. } => None,
        }
    }

    /// The venue has made the subscription.
    pub(crate) fn subscribed(&self, result: &[u8]) {
        let is_number = |(name, _): &(&[u8], _)| scan::is_name(name, self.words.subscription);
        let number = scan::Members::of(result, scan::skip_whitespace(result, 0)).find(is_number);
        if let Some(number) = number.and_then(|(_, at)| scan::integer(&result[at])) {
            self.subscription.store(number, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static CHANNEL: Channel = Channel { name: "user_data", ..Channel::EMPTY };

    fn events() -> Events {
        let words = EventCalls {
            subscribe: ("subscribe", "subscribe_signature"),
            unsubscribe: "unsubscribe",
            subscription: "subscriptionId",
            data: "event",
            kind: "e",
            closing: "serverShutdown",
        };
        Events::new(words, &CHANNEL)
    }

    fn read(events: &Events, text: &str) -> Option<String> {
        let mut seen = None;
        let taken = events.notification(&Bytes::copy_from_slice(text.as_bytes()), |frame| {
            let data = String::from_utf8_lossy(&frame.bytes[frame.data.clone()]).into_owned();
            seen = Some(format!("{:?} {} {data} {:?}", frame.handle, frame.kind, frame.body));
        });
        assert_eq!(taken, seen.is_some());
        seen
    }

    #[test]
    fn an_event_is_named_by_its_channel_and_type() {
        let events = events();
        let expected = r#"Name("user_data") balanceUpdate {"e":"balanceUpdate","d":"1"} Data"#;
        let event = r#"{"subscriptionId":0,"event":{"e":"balanceUpdate","d":"1"}}"#;
        assert_eq!(read(&events, event).as_deref(), Some(expected), "the reply may come behind it");
        events.subscribed(br#"{"subscriptionId":3}"#);
        assert_eq!(read(&events, event), None, "of another subscription");
        assert!(read(&events, &event.replace(":0", ":3")).is_some());
        for other in [r#"{"id":1,"status":200,"result":{}}"#, r#"{"event":{"e":"other"}}"#, "[]", ""] {
            assert_eq!(read(&events, other), None, "{other}");
        }
        let closing = read(&events, r#"{"event":{"e":"serverShutdown","E":1}}"#).unwrap();
        assert!(closing.starts_with("None serverShutdown") && closing.ends_with("Closing"), "{closing}");
    }

    #[test]
    fn only_the_own_subscription_is_ended() {
        let events = events();
        let command = |action| Command { id: 1, is_private: true, action };
        let subscribe = command(Action::Subscribe(Vec::new()));
        assert_eq!(events.call(&subscribe, true).unwrap().operation, "subscribe");
        assert_eq!(events.call(&subscribe, false).unwrap().operation, "subscribe_signature");
        let unsubscribe = command(Action::Unsubscribe(Vec::new()));
        assert!(events.call(&unsubscribe, true).is_none(), "none is known");
        events.subscribed(br#"{"subscriptionId":0}"#);
        let call = events.call(&unsubscribe, true).unwrap();
        assert_eq!((call.operation, &*call.params), ("unsubscribe", r#"{"subscriptionId":0}"#));
    }
}
