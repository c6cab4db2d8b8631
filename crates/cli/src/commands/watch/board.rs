//! What a ladder shows: the books of a subscription, and what is known of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use venuekit_books::BookView;

use super::status::StreamStatus;

/// So many books are kept for show. The subscription has no such bound.
const MOST: usize = 1000;

/// The books of a subscription, by the names of their instruments.
#[derive(Debug, Default)]
pub struct Board {
    /// The books.
    pub books: BTreeMap<Arc<str>, BookState>,
    /// Why everything is uncertain, and since when.
    stale: Option<(String, SystemTime)>,
    /// The same for single instruments, which may have no book yet.
    stale_items: BTreeMap<Arc<str>, (String, SystemTime)>,
    /// What happened.
    pub counts: Counts,
    /// Why nothing follows.
    pub ended: Option<String>,
}

/// One book.
#[derive(Clone, Debug)]
pub struct BookState {
    /// The book.
    pub book: BookView,
    /// When the newest change of it was read.
    pub received: SystemTime,
    /// How long that was in flight, where the venue says when it sent it.
    pub lag: Option<Duration>,
    /// The venue's count of it.
    pub sequence: Option<i64>,
}

/// What happened, to all books together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages that changed a book.
    pub changes: u64,
    /// How often something was uncertain.
    pub stale: u64,
    /// How often it was certain again.
    pub resynced: u64,
    /// Messages that were dropped here.
    pub dropped: u64,
    /// Messages that are unknown.
    pub unknown: u64,
}

/// Whether a book can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State<'a> {
    /// No book has arrived yet.
    Waiting,
    /// Yes.
    Live,
    /// No: why, and since when.
    Stale(&'a str, SystemTime),
    /// It will not change any more.
    Ended(&'a str),
}

impl Board {
    /// A book changed, by so many messages.
    pub fn change(&mut self, instrument: Arc<str>, shown: BookState, messages: u64) {
        self.counts.changes += messages;
        if self.books.len() < MOST || self.books.contains_key(&instrument) {
            self.books.insert(instrument, shown);
        }
    }

    /// The state of the data changed.
    pub fn status(&mut self, status: &StreamStatus<'_>) {
        match status {
            StreamStatus::Stale { reason, item, since } => {
                self.counts.stale += 1;
                let why = (reason.to_string(), *since);
                match item {
                    None => self.stale = Some(why),
                    Some(item) if self.stale_items.len() < MOST => {
                        self.stale_items.insert(Arc::clone(item), why);
                    }
                    Some(_) => {}
                }
            }
            StreamStatus::Resynced { item, .. } => {
                self.counts.resynced += 1;
                match item {
                    Some(item) => _ = self.stale_items.remove(*item),
                    None => {
                        self.stale = None;
                        self.stale_items.clear();
                    }
                }
            }
            StreamStatus::Lagged(count) => self.counts.dropped += count,
            StreamStatus::Unknown { .. } => self.counts.unknown += 1,
            StreamStatus::Refused(_) | StreamStatus::Silent(_) => {}
            StreamStatus::Ended(ended) => self.ended = Some(ended.to_string()),
        }
    }

    /// The instruments, those too that have no book yet.
    pub fn instruments(&self) -> Vec<Arc<str>> {
        let mut all: Vec<_> = self.books.keys().chain(self.stale_items.keys()).cloned().collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether the book of an instrument can be trusted.
    pub fn state(&self, instrument: Option<&str>) -> State<'_> {
        let of_item = instrument.and_then(|instrument| self.stale_items.get(instrument));
        match (&self.ended, self.stale.as_ref().or(of_item)) {
            (Some(why), _) => State::Ended(why),
            (None, Some((why, since))) => State::Stale(why, *since),
            (None, None) if instrument.is_some_and(|instrument| self.books.contains_key(instrument)) => State::Live,
            (None, None) => State::Waiting,
        }
    }
}
