//! A message of a venue with its parts cut out, however the venue frames its messages.

use bytes::Bytes;
use http::StatusCode;
use memchr::memmem::Finder;
use venuekit_wire::UnixMillis;
use venuekit_wire::operation::{Operation, Venue};

use crate::error::Error;
use crate::response::{Response, RpcTiming};
use crate::{envelope, jsonrpc};

/// A message of the venue with its parts cut out. Nothing in them is read yet.
pub(crate) struct Message {
    pub(crate) body: Bytes,
    pub(crate) id: Id,
    pub(crate) part: Part,
    pub(crate) timing: RpcTiming,
    /// The status, where the venue's messages have one.
    pub(crate) status: Option<StatusCode>,
    /// What the venue says of its limits, as JSON.
    pub(crate) limits: Option<Bytes>,
    /// The venue has ended the log-on of the connection.
    pub(crate) logon_ended: Option<LogonEnded>,
}

/// The venue has ended the log-on of a connection, instead of responding to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogonEnded {
    /// One call was in flight that needed it: that is the one which was refused.
    Alone,
    /// There were several, and the venue does not say which of them was refused. The others may have been executed before.
    WithOthers,
}

/// Which call a response is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Id {
    Missing,
    Number(u64),
    Other,
}

/// What a message brings, as JSON.
pub(crate) enum Part {
    Result(Bytes),
    Error(Bytes),
    Notification {
        method: String,
        params: Bytes,
    },
    /// What happened, and the subscription that it belongs to, where it belongs to one.
    Event {
        subscription: Option<Bytes>,
        data: Bytes,
    },
    Nothing,
}

impl Message {
    pub(crate) fn new(body: Bytes, id: Id, part: Part) -> Self {
        Self { body, id, part, timing: RpcTiming::default(), status: None, limits: None, logon_ended: None }
    }

    /// What stands for the response of a call that has none.
    pub(crate) fn nothing() -> Self {
        let result = Bytes::from_static(b"null");
        Self::new(result.clone(), Id::Missing, Part::Result(result))
    }

    /// Reads a message of this venue. `None` if the text is not one.
    pub(crate) fn read(venue: &'static Venue, body: Bytes) -> Option<Self> {
        match envelope::of(venue) {
            Some(words) => envelope::read(words, body),
            None => jsonrpc::read(body),
        }
    }

    /// Whether it says that the venue has ended the log-on of the connection: a refusal that belongs to no call.
    pub(crate) fn ends_logon(&self) -> bool {
        self.id == Id::Missing && self.status == Some(StatusCode::UNAUTHORIZED)
    }

    /// The same message for a call whose log-on it has ended.
    pub(crate) fn for_logged_on(&self, how: LogonEnded) -> Self {
        let part = match &self.part {
            Part::Error(error) => Part::Error(error.clone()),
            _ => Part::Nothing,
        };
        let mut message = Self::new(self.body.clone(), self.id, part);
        message.status = self.status;
        message.logon_ended = Some(how);
        message
    }
}

/// Takes the envelope off a response over a connection. `now` is the venue's time, as far as it is known.
pub(crate) fn unwrap(
    venue: &'static Venue,
    search: Option<&Finder<'_>>,
    operation: &'static Operation,
    message: Message,
    now: UnixMillis,
) -> Result<Response, Error> {
    match envelope::of(venue) {
        Some(words) => envelope::unwrap(venue, words, operation, message, now),
        None => jsonrpc::unwrap_message(venue, search, operation, message),
    }
}
