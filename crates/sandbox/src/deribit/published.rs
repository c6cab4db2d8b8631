//! The books as they are streamed, and their earlier states, so that tests can compare.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use rust_decimal::Decimal;

use super::channels::Channel;
use super::orders::Direction;
use super::state::State;
use crate::streams::BookLevels;

/// So many levels of former books are kept in all.
const KEPT_LEVELS: usize = 2_000_000;

/// The amounts of a side by price.
pub(super) type Levels = BTreeMap<Decimal, Decimal>;

/// A book as it was sent.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct PublishedBook {
    pub(super) change_id: i64,
    pub(super) bids: Levels,
    pub(super) asks: Levels,
}

impl PublishedBook {
    fn levels(&self) -> BookLevels {
        BookLevels {
            bids: self.bids.iter().rev().map(|(price, amount)| (*price, *amount)).collect(),
            asks: self.asks.iter().map(|(price, amount)| (*price, *amount)).collect(),
            mark: self.change_id,
        }
    }

    fn count(&self) -> usize {
        self.bids.len() + self.asks.len()
    }
}

/// The books that somebody receives.
#[derive(Default)]
pub(super) struct PublishedBooks {
    now: HashMap<&'static str, Arc<PublishedBook>>,
    /// Those of before and of now, the oldest first.
    kept: VecDeque<(&'static str, Arc<PublishedBook>)>,
    kept_levels: usize,
}

impl PublishedBooks {
    fn keep(&mut self, instrument: &'static str, book: PublishedBook) {
        let book = Arc::new(book);
        self.kept_levels += book.count();
        self.kept.push_back((instrument, Arc::clone(&book)));
        self.now.insert(instrument, book);
        while self.kept_levels > KEPT_LEVELS
            && let Some((_, oldest)) = self.kept.pop_front()
        {
            self.kept_levels -= oldest.count();
        }
    }

    pub(super) fn now(&self, instrument: &str) -> Option<Arc<PublishedBook>> {
        self.now.get(instrument).cloned()
    }
}

impl State {
    /// Notes that a book may have changed. It has another number where it has, or where nobody looks.
    pub(super) fn show(&mut self, instrument: &'static str) {
        let is_heard = self.connections.values().any(|connection| {
            connection.feeds.values().any(|feed| matches!(feed.channel, Channel::Book(name, _) if name == instrument))
        });
        if !is_heard {
            let change_id = self.next_change_id();
            self.books.entry(instrument).or_default().change_id = Some(change_id);
            self.published.now.remove(instrument);
            return;
        }
        let Some((bids, asks)) = self.sides(instrument) else { return };
        if self.published.now.get(instrument).is_some_and(|published| published.bids == bids && published.asks == asks)
        {
            return;
        }
        let change_id = self.next_change_id();
        self.books.entry(instrument).or_default().change_id = Some(change_id);
        self.published.keep(instrument, PublishedBook { change_id, bids, asks });
    }

    /// Shows a book that somebody begins to receive, under the number that it has.
    pub(super) fn show_first(&mut self, instrument: &'static str) {
        if self.published.now.contains_key(instrument) {
            return;
        }
        if let Some((bids, asks)) = self.sides(instrument) {
            let change_id = self.change_id(instrument);
            self.published.keep(instrument, PublishedBook { change_id, bids, asks });
        }
    }

    fn sides(&self, instrument: &str) -> Option<(Levels, Levels)> {
        let instrument = self.instrument(instrument)?;
        let side = |side| self.levels(instrument, side, usize::MAX).into_iter().collect();
        Some((side(Direction::Buy), side(Direction::Sell)))
    }

    /// Notes that all books may have changed.
    pub(super) fn touch_all(&mut self) {
        let names: Vec<&'static str> = self.instruments.iter().map(|instrument| instrument.instrument_name).collect();
        names.into_iter().for_each(|name| self.changes.touch(name));
    }

    /// The book of an instrument as it was sent at a number.
    pub(super) fn shown_at(&self, instrument: &str, change_id: i64) -> Option<BookLevels> {
        let is_meant =
            |(name, book): &&(&'static str, Arc<PublishedBook>)| *name == instrument && book.change_id == change_id;
        self.published.kept.iter().rev().find(is_meant).map(|(_, book)| book.levels())
    }
}
