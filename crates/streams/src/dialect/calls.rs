//! Calls of the venue's JSON-RPC methods, and notifications.

use std::borrow::Cow;

use bytes::Bytes;
use venuekit_transport::{Error, ErrorKind};
use venuekit_wire::operation::Venue;
use venuekit_wire::stream::{self, ParameterKind};

use super::top::{Top, unread, within};
use super::write::{push_list, push_name};
use crate::hub::io::{Action, Body, Command, ErrorClass, Frame, Handle, Owner};

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
        let Some((top, _)) = Top::read(message, 0, &["method", "params"]) else { return false };
        if top.string(0).as_deref() != Some(words.method) {
            return false;
        }
        let range = top.range(1);
        let Some((params, _)) = Top::read(message, range.start, &[words.channel, words.data]) else { return false };
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
    let mut all = crate::scan::Elements::of(result, 0);
    let names: Option<Vec<_>> = all.by_ref().map(|element| crate::scan::text(&result[element])).collect();
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
