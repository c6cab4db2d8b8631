//! The events of a reader.

use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use venuekit_transport::Unknown;
use venuekit_wire::UnixMillis;

use crate::error::Refusal;
use crate::read::StreamMessage;
use crate::sink::Kind;
use crate::topic::Topic;

/// An event of a reader: data and its state, in one order.
///
/// After [`Stale`](Self::Stale) nothing is certain until [`Resynced`](Self::Resynced).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<T> {
    /// A message.
    Message(Message<T>),
    /// From here on something may be missing.
    Stale(Stale),
    /// Everything is certain again.
    Resynced(Resynced),
    /// This reader was too slow: so many messages were dropped here, for it alone.
    Lagged(u64),
    /// What the venue sent and its types do not know, or what cannot be read.
    Unknown(Raw),
    /// Items that the venue no longer serves. The others go on.
    Refused(Refusal),
    /// The venue has accepted something, and sent nothing of it so far.
    Silent(Silent),
    /// The stream has ended: nothing follows.
    Ended(Ended),
}

impl<T> Event<T> {
    /// The message, where it is one.
    pub fn message(self) -> Option<Message<T>> {
        match self {
            Self::Message(message) => Some(message),
            _ => None,
        }
    }
}

/// A message, and how it came. It stands for its value: `message.price` is a field of `T`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Message<T> {
    /// The typed value.
    pub value: T,
    /// The text that it was read from: the venue's whole object, or one record where data is a list.
    pub raw: Bytes,
    /// When it was read from the socket, by this machine's clock.
    pub received: SystemTime,
    /// When the venue sent it, where it says so.
    pub sent: Option<UnixMillis>,
    /// The venue's count of it, where there is one.
    pub sequence: Option<i64>,
    /// How it came.
    pub origin: Origin,
    /// How many older messages of its item it replaces ([`Overflow::Newest`](crate::Overflow::Newest)).
    pub replaced: u64,
    /// Its type, and where its data is in `raw`.
    pub(crate) kind: Kind,
    pub(crate) data: Range<u32>,
}

impl<T: StreamMessage> Message<T> {
    /// What the venue sent in it that its type does not know: members without a field, values that an enum does not name. The text is
    /// read once more for it.
    pub fn unknown(&self) -> Vec<Unknown> {
        T::unknown(self.kind.as_str(), &self.raw[self.data.start as usize..self.data.end as usize])
    }
}

impl<T> Deref for Message<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// How a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// Over the stream.
    Stream,
    /// By a call that listed what the stream had missed, or returned a snapshot.
    CatchUp,
}

/// From here on something may be missing. It comes once for each time; only [`Reason::CredentialRefused`] comes while everything is stale
/// already.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stale {
    /// Why.
    pub reason: Reason,
    /// What it is about. None: everything that this reader has.
    pub item: Option<Arc<str>>,
    /// Since when.
    pub since: SystemTime,
}

/// Why data is uncertain.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The venue's count is not the one that was due.
    Gap {
        /// The count that was due.
        expected: i64,
        /// The one that came.
        got: i64,
    },
    /// A change came before there was anything that it could change.
    NoSnapshot,
    /// The connection was lost.
    Reconnect(String),
    /// The connection was lost, and the venue now refuses the credential with which it was opened before: it was revoked or has expired,
    /// perhaps. This comes beside the [`Reconnect`](Self::Reconnect) of the loss, once for each text. Attempts go on, half a minute apart.
    CredentialRefused(String),
    /// This reader was too slow, and what was dropped for it cannot be done without.
    Overflow,
    /// The order book that the messages make cannot be true.
    BookFault(String),
    /// The venue ended the subscription.
    ClosedByVenue {
        /// Its code. Empty: it gave none.
        code: String,
        /// Its text.
        text: String,
    },
    /// What other readers of the same have missed is being listed, and is delivered to all.
    CatchUp,
    /// It is subscribed again, so that another reader of the same gets a snapshot.
    Shared,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap { expected, got } => write!(f, "gap: {expected} was due, {got} came"),
            Self::NoSnapshot => f.write_str("a change came before a snapshot"),
            Self::Reconnect(why) => write!(f, "connection lost: {why}"),
            Self::CredentialRefused(why) => write!(f, "the venue refuses the credential: {why}"),
            Self::Overflow => f.write_str("the reader was too slow"),
            Self::BookFault(fault) => write!(f, "invalid order book: {fault}"),
            Self::ClosedByVenue { code, text } if code.is_empty() => write!(f, "ended by the venue: {text}"),
            Self::ClosedByVenue { code, text } => write!(f, "ended by the venue: {code} {text}"),
            Self::CatchUp => f.write_str("what was missed is being listed"),
            Self::Shared => f.write_str("subscribed again for another reader"),
        }
    }
}

/// Everything is certain again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resynced {
    /// What it is about: as the [`Stale`] that it ends. None ends those of single items too.
    pub item: Option<Arc<str>>,
    /// How much is missing for good.
    pub missed: Missed,
    /// How many messages a call brought that the stream had missed. They stand before this.
    pub caught_up: u64,
}

/// How much is missing for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missed {
    /// Nothing.
    #[default]
    None,
    /// This many of the venue's frames. Where a snapshot follows, the state is complete nevertheless.
    Exactly(u64),
    /// Unknown.
    Unknown,
}

impl Missed {
    /// Both together.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::None, missed) | (missed, Self::None) => missed,
            (Self::Exactly(one), Self::Exactly(two)) => Self::Exactly(one.saturating_add(two)),
        }
    }
}

/// What the venue sent, as it came.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Raw {
    /// The type by the venue's word. Empty: it named none.
    pub kind: Arc<str>,
    /// The text.
    pub raw: Bytes,
    /// When it was read, by this machine's clock.
    pub received: SystemTime,
    /// Why it was not read. None: the type is unknown.
    pub error: Option<Arc<str>>,
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Private channels carry what logs should not: its size has to do.
        f.debug_struct("Raw")
            .field("kind", &self.kind)
            .field("bytes", &self.raw.len())
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

/// The venue has accepted something, and sent nothing of it so far. Some venues accept any name: this one may mean nothing to them. Or
/// nothing has happened. It stays subscribed, and this is reported once.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Silent {
    /// What was subscribed to.
    pub topic: Topic,
    /// For how long nothing came.
    pub after: Duration,
}

impl fmt::Display for Silent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the venue accepted {}, and has sent nothing for {:?}: the name may mean nothing to it",
            self.topic, self.after
        )
    }
}

/// Why a stream has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// By [`close`](crate::Subscription::close), or because the client's streams were closed.
    Closed,
    /// The venue refuses everything that was left of it.
    Refused(Refusal),
    /// The client cannot connect: a credential is missing or refused.
    Failed(String),
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("closed"),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Failed(why) => write!(f, "no connection: {why}"),
        }
    }
}
