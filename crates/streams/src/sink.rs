//! Where the hub puts what a reader gets.

use std::any::Any;
use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use venuekit_wire::UnixMillis;

use crate::error::Refusal;
use crate::event::{Ended, Origin, Raw, Resynced, Silent, Stale};

/// A message on its way to a reader, not read yet.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The text.
    pub(crate) raw: Bytes,
    /// Where its data is in the text.
    pub(crate) data: Range<u32>,
    /// Its type.
    pub(crate) kind: Kind,
    pub(crate) received: SystemTime,
    pub(crate) sent: Option<UnixMillis>,
    pub(crate) sequence: Option<i64>,
    pub(crate) origin: Origin,
    /// How many older ones it stands for.
    pub(crate) replaced: u64,
    /// It is one of several records of a text.
    pub(crate) is_record: bool,
}

impl Entry {
    /// The data.
    pub(crate) fn data(&self) -> &[u8] {
        &self.raw[self.data.start as usize..self.data.end as usize]
    }

    /// The data, sharing the text's memory.
    pub(crate) fn shared_data(&self) -> Bytes {
        self.raw.slice(self.data.start as usize..self.data.end as usize)
    }

    /// As an unknown message.
    pub(crate) fn into_raw(self, error: Option<Arc<str>>) -> Raw {
        Raw { kind: self.kind.as_str().into(), raw: self.raw, received: self.received, error }
    }
}

/// The type of a message. Those that the table has cost nothing.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Known(&'static str),
    Other(Arc<str>),
}

impl Kind {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Known(kind) => kind,
            Self::Other(kind) => kind,
        }
    }
}

/// A change of the state of the data. It is never dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Stale(Stale),
    Resynced(Resynced),
    Refused(Refusal),
    Silent(Silent),
    Ended(Ended),
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It was taken, or dropped and counted by the reader's policy.
    Taken,
    /// It was applied to a book, which cannot be true now.
    Fault(String),
}

/// One reader's end. It is called with the hub locked: it must not wait, and not call the hub.
pub(crate) trait Sink: Send + Sync {
    /// A message. Messages with the same key replace each other; the key is passed if [`wants_key`](Self::wants_key).
    fn data(&self, entry: Entry, key: Option<&str>) -> Verdict;

    /// A text that belongs to no channel, or that cannot be read.
    fn unknown(&self, raw: Raw);

    /// The state of the data that was given so far.
    fn state(&self, state: State);

    /// Something is uncertain, also where [`State::Stale`] was sent before and is not repeated.
    fn distrust(&self) {}

    /// From here on what builds on messages that were dropped for this reader is withheld, until a snapshot comes.
    fn withhold(&self) {}

    /// Takes over what another reader has made of the same messages. Returns whether it has everything then: without that a snapshot is
    /// needed.
    fn copy_state(&self, _from: &dyn Sink) -> bool {
        false
    }

    /// Itself, for [`copy_state`](Self::copy_state).
    fn as_any(&self) -> Option<&dyn Any> {
        None
    }

    /// Whether the connection is to wait for this reader.
    fn is_full(&self) -> bool {
        false
    }

    /// Whether it may become full at all.
    fn may_block(&self) -> bool {
        false
    }

    /// Whether it may return [`Verdict::Fault`].
    fn finds_faults(&self) -> bool {
        false
    }

    /// Whether it replaces older messages by newer ones.
    fn wants_key(&self) -> bool {
        false
    }
}
