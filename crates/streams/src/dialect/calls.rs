//! Calls of the venue's JSON-RPC methods, and notifications.

use std::borrow::Cow;

use bytes::Bytes;
use venuekit_transport::{Error, ErrorKind};
use venuekit_wire::operation::{Notification, Venue};
use venuekit_wire::stream::{self, ParameterKind};

use super::top::{Top, unread, within};
use super::write::{push_list, push_name};
use crate::hub::io::{Action, Body, Command, ErrorClass, Frame, Handle, Owner};
use crate::scan::{self, Members};

/// The dialect on a connection.
pub(crate) struct Calls {
    venue: &'static Venue,
}

impl Calls {
    pub(crate) fn new(venue: &'static Venue) -> Self {
        Self { venue }
    }

    /// Whether a message is a notification of a channel. Then it is handed over, and what else a connection says is not.
    pub(crate) fn notification(&self, message: &Bytes, take: impl FnOnce(Frame<'_>)) -> bool {
        let words = self.venue.websocket.as_ref().and_then(|websocket| websocket.notification.as_ref());
        let Some(words) = words else { return false };
        let Some(params) = plain_params(message, words).or_else(|| params(message, words)) else { return false };
        let Some(channel) = params.string(0) else { return false };
        take(Frame {
            bytes: message,
            handle: Handle::Name(&channel),
            kind: "",
            data: within(params.range(1), 0),
            sequence: None,
            sent: None,
            command: None,
            body: Body::Data,
        });
        true
    }

    /// The same where the connection is used by streams alone.
    pub(super) fn read(&self, message: &Bytes, take: &mut dyn FnMut(Frame<'_>)) {
        if !self.notification(message, &mut *take) {
            take(unread(message));
        }
    }
}

/// The channel and the data of a notification.
fn params<'a>(message: &'a [u8], words: &Notification) -> Option<Top<'a, 2>> {
    let (top, _) = Top::read(message, 0, &["method", "params"])?;
    if top.string(0).as_deref() != Some(words.method) {
        return None;
    }
    Some(Top::read(message, top.range(1).start, &[words.channel, words.data])?.0)
}

/// The same where the params come last, as good as always: they are looked at once.
fn plain_params<'a>(message: &'a [u8], words: &Notification) -> Option<Top<'a, 2>> {
    let mut all = Members::of(message, 0);
    let mut is_notification = false;
    loop {
        let (name, start) = all.name()?;
        if name == b"params" && is_notification {
            let (params, end) = Top::read_inside(message, start, 1, &[words.channel, words.data])?;
            let close = scan::skip_whitespace(message, end);
            let is_last =
                message.get(close) == Some(&b'}') && scan::skip_whitespace(message, close + 1) == message.len();
            return is_last.then_some(params);
        }
        let end = all.pass(start)?;
        if name == b"method" {
            is_notification = scan::text(&message[start..end]).as_deref() == Some(words.method);
        }
    }
}

/// A command as a call.
pub(crate) struct Subscribing {
    /// The operation, by its id.
    pub(crate) operation: &'static str,
    /// Its params as JSON.
    pub(crate) params: String,
}

impl Subscribing {
    /// The call that a command is; none where the dialect has no word for it.
    pub(crate) fn of(dialect: &stream::Dialect, command: &Command) -> Option<Self> {
        let stream::Dialect::Calls { subscribe, unsubscribe, channels } = dialect else { return None };
        let pick = |(public, private): (&'static str, &'static str)| if command.is_private { private } else { public };
        let (operation, names): (_, Vec<Cow<'_, str>>) = match &command.action {
            Action::Subscribe(topics) => {
                (pick(*subscribe), topics.iter().map(|topic| Cow::Owned(topic.to_string())).collect())
            }
            Action::Unsubscribe(owners) => {
                let names = owners.iter().filter_map(|owner| match owner {
                    Owner::Name(name) => Some(Cow::Borrowed(&**name)),
                    Owner::Number(_) | Owner::Room(_) => None,
                });
                (pick(*unsubscribe), names.collect())
            }
            Action::Update { .. } => return None,
        };
        let mut params = String::from("{");
        push_name(&mut params, channels);
        push_list(&mut params, ParameterKind::Text, names);
        params.push('}');
        Some(Self { operation, params })
    }
}

/// The channels in the result of a call; none where it is no list of texts, and names nothing therefore.
pub(crate) fn names(result: &[u8]) -> Option<Vec<Cow<'_, str>>> {
    let mut all = scan::Elements::of(result, 0);
    let names: Option<Vec<_>> = all.by_ref().map(|element| scan::text(&result[element])).collect();
    names.filter(|_| all.is_whole())
}

/// What the error of a call means for its command.
pub(crate) fn class_of(error: &Error) -> ErrorClass {
    match error.kind() {
        ErrorKind::RateLimited
        | ErrorKind::Maintenance
        | ErrorKind::Server
        | ErrorKind::Network
        | ErrorKind::Timeout
        | ErrorKind::Clock => ErrorClass::Retry,
        _ => ErrorClass::Refused,
    }
}
