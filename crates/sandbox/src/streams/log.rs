//! A log of every frame that a stream had to send, and what happened to it.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::faults::Fault;

/// So many frames are kept unless a test says otherwise.
const KEPT: usize = 1_000_000;
/// So many bytes of text are kept.
const KEPT_BYTES: usize = 256 * 1024 * 1024;

/// What a frame tells, beside its text.
#[derive(Clone, Debug, Default)]
pub(crate) struct FrameMetadata {
    pub(crate) channel: Option<Cow<'static, str>>,
    pub(crate) kind: Cow<'static, str>,
    /// The venue's number of the subscription.
    pub(crate) subscription: Option<u64>,
    pub(crate) sequence: Option<u64>,
    /// The market or instrument.
    pub(crate) item: Option<Arc<str>>,
    /// The number of the state that the frame leads to, as [`History`](super::History) counts.
    pub(crate) mark: Option<i64>,
}

/// A frame that waits to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) text: Utf8Bytes,
    pub(crate) about: FrameMetadata,
    /// What goes wrong with it.
    pub(crate) fault: Option<Fault>,
}

impl Outgoing {
    pub(crate) fn new(text: String, about: FrameMetadata, fault: Option<Fault>) -> Self {
        Self { text: text.into(), about, fault }
    }
}

/// A frame that a stream had to send, and what happened to it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Frame {
    /// The venue.
    pub venue: &'static str,
    /// The connection. No two of a sandbox have the same number.
    pub connection: u64,
    /// The place among the frames of the connection, from 0.
    pub index: u64,
    /// The channel; none for a reply that is about none.
    pub channel: Option<String>,
    /// The type of the message.
    pub kind: String,
    /// The venue's number of the subscription.
    pub subscription: Option<u64>,
    /// The number that counts the frames of the subscription, where the frame has one.
    pub sequence: Option<u64>,
    /// The market or instrument.
    pub item: Option<String>,
    /// The number of the order book that the frame leads to: what [`Sandbox::kalshi_book`](crate::Sandbox::kalshi_book) and its siblings take.
    pub mark: Option<i64>,
    /// The text, as it went out.
    pub text: String,
    /// Whether it was written to the connection. One that was may still be lost with the connection.
    pub sent: bool,
    /// What went wrong with it on purpose.
    pub fault: Option<Fault>,
}

/// The frames of all streams of a sandbox, in the order in which they were sent or withheld. A copy is a handle on the same log.
#[derive(Clone, Debug, Default)]
pub struct FrameLog(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    last_connection: AtomicU64,
    entries: Mutex<Entries>,
}

#[derive(Debug)]
struct Entries {
    kept: VecDeque<Entry>,
    /// The text of what is kept.
    bytes: usize,
    limit: usize,
    dropped: u64,
}

impl Default for Entries {
    fn default() -> Self {
        Self { kept: VecDeque::new(), bytes: 0, limit: KEPT, dropped: 0 }
    }
}

impl Entries {
    fn shorten(&mut self) {
        while (self.kept.len() > self.limit || self.bytes > KEPT_BYTES)
            && let Some(oldest) = self.kept.pop_front()
        {
            self.bytes -= oldest.text.len();
            self.dropped += 1;
        }
    }

    fn take(&mut self) -> VecDeque<Entry> {
        self.bytes = 0;
        std::mem::take(&mut self.kept)
    }
}

#[derive(Clone, Debug)]
struct Entry {
    venue: &'static str,
    connection: u64,
    index: u64,
    text: Utf8Bytes,
    about: FrameMetadata,
    sent: bool,
    fault: Option<Fault>,
}

impl Entry {
    fn show(&self) -> Frame {
        let about = &self.about;
        Frame {
            venue: self.venue,
            connection: self.connection,
            index: self.index,
            channel: about.channel.as_deref().map(str::to_owned),
            kind: about.kind.as_ref().to_owned(),
            subscription: about.subscription,
            sequence: about.sequence,
            item: about.item.as_deref().map(str::to_owned),
            mark: about.mark,
            text: self.text.as_str().to_owned(),
            sent: self.sent,
            fault: self.fault.clone(),
        }
    }
}

impl FrameLog {
    /// All frames that are kept, the oldest first.
    pub fn all(&self) -> Vec<Frame> {
        self.entries().kept.iter().map(Entry::show).collect()
    }

    /// The frames of one connection.
    pub fn of(&self, connection: u64) -> Vec<Frame> {
        self.entries().kept.iter().filter(|entry| entry.connection == connection).map(Entry::show).collect()
    }

    /// All frames that are kept, which are forgotten with this.
    pub fn take(&self) -> Vec<Frame> {
        let kept = self.entries().take();
        kept.iter().map(Entry::show).collect()
    }

    /// Forgets all frames.
    pub fn clear(&self) {
        self.entries().take();
    }

    /// Keeps so many frames, the newest; a million unless this is called, and no more than 256 MiB of text.
    pub fn keep(&self, frames: usize) {
        let mut entries = self.entries();
        entries.limit = frames;
        entries.shorten();
    }

    /// How many frames were forgotten because there were more than are kept.
    pub fn dropped(&self) -> u64 {
        self.entries().dropped
    }

    /// The number of a new connection.
    pub(crate) fn open(&self) -> u64 {
        self.0.last_connection.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn add(&self, (venue, connection, index): (&'static str, u64, u64), outgoing: Outgoing, sent: bool) {
        let Outgoing { text, about, fault } = outgoing;
        let mut entries = self.entries();
        entries.bytes += text.len();
        entries.kept.push_back(Entry { venue, connection, index, text, about, sent, fault });
        entries.shorten();
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outgoing(text: &str) -> Outgoing {
        Outgoing::new(text.to_owned(), FrameMetadata::default(), None)
    }

    #[test]
    fn the_oldest_frames_are_forgotten_and_counted() {
        let log = FrameLog::default();
        log.keep(2);
        for index in 0..5 {
            log.add(("kalshi", 1, index), outgoing(&index.to_string()), true);
        }
        let kept: Vec<String> = log.all().into_iter().map(|frame| frame.text).collect();
        assert_eq!((kept, log.dropped()), (vec!["3".to_owned(), "4".to_owned()], 3));
        assert_eq!(log.take().len(), 2);
        assert_eq!(log.all(), []);
    }

    #[test]
    fn connections_are_told_apart() {
        let log = FrameLog::default();
        let (one, other) = (log.open(), log.open());
        log.add(("kalshi", one, 0), outgoing("a"), true);
        log.add(("bayse", other, 0), outgoing("b"), false);
        let of_other = log.of(other);
        assert_eq!((of_other.len(), of_other[0].venue, of_other[0].sent), (1, "bayse", false));
    }
}
