//! A message of a venue with its parts cut out, however the venue frames its messages.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::response::RpcTiming;

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
    /// What a response over HTTP has in headers, where the venue's messages have it.
    pub(crate) headers: Option<Box<HeaderMap>>,
    /// The venue says that the connection takes no more calls.
    pub(crate) is_closing: bool,
    /// The venue has ended the log-on of the connection.
    pub(crate) logon_ended: Option<LogonEnded>,
}

/// The venue has ended the log-on of a connection, instead of responding to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogonEnded {
    /// One call was in flight that needed it: that is the one which was refused.
    Alone,
    /// Several were, counting those that their callers have given up, and the venue does not say which of them was refused. The others
    /// may have been executed before.
    WithOthers,
}

/// The id of a heartbeat's response. No call has it.
pub(crate) const HEARTBEAT: u64 = 0;

/// Which call a response is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Id {
    Missing,
    Number(u64),
    Other,
}

impl Id {
    /// The member of a message that has the id.
    pub(crate) fn of(member: Option<&str>) -> Self {
        match member {
            None | Some("null") => Self::Missing,
            Some(id) => id.parse().map_or(Self::Other, Self::Number),
        }
    }
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
        Self {
            body,
            id,
            part,
            timing: RpcTiming::default(),
            status: None,
            limits: None,
            headers: None,
            is_closing: false,
            logon_ended: None,
        }
    }

    /// A message that is for nobody, such as the response to a heartbeat.
    pub(crate) fn quiet(body: Bytes) -> Self {
        Self::new(body, Id::Number(HEARTBEAT), Part::Nothing)
    }

    /// What stands for the response of a call that has none.
    pub(crate) fn nothing() -> Self {
        let result = Bytes::from_static(b"null");
        Self::new(result.clone(), Id::Missing, Part::Result(result))
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
