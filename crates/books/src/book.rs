//! The book: what changes it, and what it checks.

use venuekit_wire::rust_decimal::Decimal;

use crate::exact;
use crate::fault::Fault;
use crate::ladder::{Ladder, Levels};
use crate::level::{Level, Side};
use crate::message::{BookKind, BookMessage};

/// So many levels has a side at most, so that no venue can fill the memory of its clients.
pub const MAX_LEVELS: usize = 100_000;

/// A local order book: the levels of one instrument, exact, in order.
///
/// Prices are compared as numbers, so that `5042` and `5042.0` are one level; it keeps the spelling of the price that it came with.
/// A negative price is possible, as that of a spread between two instruments; a negative size is not.
#[derive(Clone, Debug)]
pub struct Book {
    bids: Ladder,
    asks: Ladder,
    mark: Option<i64>,
    /// The worst prices in the last snapshot: of the bids, of the asks.
    reach: [Option<Decimal>; 2],
    counts: Counts,
}

/// What happened to a book since it was made. Nothing resets it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Snapshots that replaced it.
    pub snapshots: u64,
    /// Levels that were set or changed by other messages, removals included. A change that is an error does not count.
    pub changes: u64,
    /// Removals of levels that were not there. Some venues send them when nothing is wrong; many are a sign of trouble.
    pub unknown_removals: u64,
    /// Levels of a snapshot whose price it had before, so that the earlier one was dropped.
    pub repeated_levels: u64,
}

impl Default for Book {
    fn default() -> Self {
        Self::new()
    }
}

impl Book {
    /// A book without levels.
    pub const fn new() -> Self {
        Self {
            bids: Ladder::new(Side::Bid),
            asks: Ladder::new(Side::Ask),
            mark: None,
            reach: [None, None],
            counts: Counts { snapshots: 0, changes: 0, unknown_removals: 0, repeated_levels: 0 },
        }
    }

    /// Takes all levels and the mark away. The counts go on.
    pub fn clear(&mut self) {
        self.bids.clear();
        self.asks.clear();
        self.mark = None;
        self.reach = [None, None];
    }

    /// Replaces the book. Levels may come in any order; those of size zero are left out.
    ///
    /// ```
    /// use venuekit_books::{Book, Fault, Level, Side};
    ///
    /// let level = |price: i64, size: i64| Level::new(price.into(), size.into());
    /// let mut book = Book::new();
    /// book.set(Side::Ask, 7.into(), 1.into())?;
    /// book.snapshot([level(3, 10), level(4, 20)], [level(6, 5), level(5, 15)])?;
    /// assert_eq!(book.bids().collect::<Vec<_>>(), [level(4, 20), level(3, 10)]);
    /// assert_eq!(book.asks().collect::<Vec<_>>(), [level(5, 15), level(6, 5)]);
    /// # Ok::<(), Fault>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A size below zero, or too many levels: then the book is empty.
    pub fn snapshot(
        &mut self,
        bids: impl IntoIterator<Item = impl Into<Level>>,
        asks: impl IntoIterator<Item = impl Into<Level>>,
    ) -> Result<(), Fault> {
        self.mark = None;
        self.counts.snapshots += 1;
        let replaced = self.replace(Side::Bid, bids.into_iter().map(Into::into));
        let replaced = replaced.and_then(|()| self.replace(Side::Ask, asks.into_iter().map(Into::into)));
        match replaced {
            Ok(()) => {
                self.reach = [Side::Bid, Side::Ask].map(|side| self.levels(side).next_back().map(|level| level.price))
            }
            Err(_) => self.clear(),
        }
        replaced
    }

    fn replace(&mut self, side: Side, levels: impl Iterator<Item = Level>) -> Result<(), Fault> {
        let mut fault = None;
        let mut count = 0_usize;
        let checked = levels.map_while(|level| {
            count += 1;
            if is_negative(level.size) {
                fault = Some(Fault::Negative { side, price: level.price, size: level.size, change: None });
            } else if count > MAX_LEVELS {
                fault = Some(Fault::TooManyLevels { side });
            }
            fault.is_none().then_some(level)
        });
        let repeated = match side {
            Side::Bid => self.bids.replace(checked),
            Side::Ask => self.asks.replace(checked),
        };
        self.counts.repeated_levels += repeated as u64;
        fault.map_or(Ok(()), Err)
    }

    /// Gives the level at a price this size. Zero, however it is spelled, removes the level.
    ///
    /// # Errors
    ///
    /// A size below zero, or too many levels: the book is as it was.
    #[inline]
    pub fn set(&mut self, side: Side, price: Decimal, size: Decimal) -> Result<(), Fault> {
        if is_negative(size) {
            return Err(Fault::Negative { side, price, size, change: None });
        }
        let ladder = match side {
            Side::Bid => &mut self.bids,
            Side::Ask => &mut self.asks,
        };
        match ladder.seek(price) {
            Ok(place) if size.is_zero() => ladder.remove(place),
            Ok(place) => ladder.resize(place, size),
            Err(_) if size.is_zero() => self.counts.unknown_removals += 1,
            Err(_) if ladder.len() >= MAX_LEVELS => return Err(Fault::TooManyLevels { side }),
            Err(place) => ladder.insert(place, Level { price, size }),
        }
        self.counts.changes += 1;
        Ok(())
    }

    /// Changes the size at a price by this much, up or down. A level that has nothing left is removed; one that is not there has
    /// nothing.
    ///
    /// # Errors
    ///
    /// A size below zero, one that cannot be held exactly, or too many levels: the book is as it was.
    #[inline]
    pub fn change(&mut self, side: Side, price: Decimal, delta: Decimal) -> Result<(), Fault> {
        let ladder = match side {
            Side::Bid => &mut self.bids,
            Side::Ask => &mut self.asks,
        };
        let found = ladder.seek(price);
        let size = match found {
            Ok(place) => exact::add(ladder.size_at(place), delta).ok_or(Fault::TooLarge { side, price })?,
            Err(_) => delta,
        };
        if is_negative(size) {
            return Err(Fault::Negative { side, price, size, change: Some(delta) });
        }
        match found {
            Ok(place) if size.is_zero() => ladder.remove(place),
            Ok(place) => ladder.resize(place, size),
            // A change by nothing, of nothing.
            Err(_) if size.is_zero() => {}
            Err(_) if ladder.len() >= MAX_LEVELS => return Err(Fault::TooManyLevels { side }),
            Err(place) => ladder.insert(place, Level { price, size }),
        }
        self.counts.changes += 1;
        Ok(())
    }

    /// Applies a message, takes its mark over, and [checks](Self::check) the whole.
    ///
    /// # Errors
    ///
    /// What shows that the book is wrong from here on, until the next snapshot.
    pub fn apply<M: BookMessage + ?Sized>(&mut self, message: &M) -> Result<(), Fault> {
        if message.kind() == BookKind::Other {
            return Ok(());
        }
        message.apply(self)?;
        if let Some(mark) = message.mark() {
            self.mark = Some(mark);
        }
        self.check()
    }

    /// Whether the best bid is below the best ask, as it has to be after a whole message.
    ///
    /// # Errors
    ///
    /// It is not.
    pub fn check(&self) -> Result<(), Fault> {
        match (self.bids.best(), self.asks.best()) {
            (Some(bid), Some(ask)) if bid.price > ask.price => Err(Fault::Crossed { bid: bid.price, ask: ask.price }),
            (Some(bid), Some(ask)) if bid.price == ask.price => Err(Fault::Locked { price: bid.price }),
            _ => Ok(()),
        }
    }

    /// The highest bid.
    pub fn best_bid(&self) -> Option<Level> {
        self.bids.best()
    }

    /// The lowest ask.
    pub fn best_ask(&self) -> Option<Level> {
        self.asks.best()
    }

    /// The best level of a side.
    pub fn best(&self, side: Side) -> Option<Level> {
        self.ladder(side).best()
    }

    /// The bids, the highest first.
    pub fn bids(&self) -> Levels<'_> {
        self.bids.levels()
    }

    /// The asks, the lowest first.
    pub fn asks(&self) -> Levels<'_> {
        self.asks.levels()
    }

    /// The levels of a side, the best first.
    pub fn levels(&self, side: Side) -> Levels<'_> {
        self.ladder(side).levels()
    }

    /// The worst price of a side in the last snapshot. Where a venue's snapshots have no more than so many levels, what is behind this
    /// price is known only as far as it has changed since.
    ///
    /// ```
    /// use venuekit_books::{Book, Fault, Level, Side};
    ///
    /// let level = |price: i64, size: i64| Level::new(price.into(), size.into());
    /// let mut book = Book::new();
    /// book.snapshot([level(4, 20), level(3, 10)], [level(5, 15)])?;
    /// book.set(Side::Bid, 1.into(), 1.into())?;
    /// assert_eq!(book.snapshot_reach(Side::Bid), Some(3.into()));
    /// # Ok::<(), Fault>(())
    /// ```
    pub fn snapshot_reach(&self, side: Side) -> Option<Decimal> {
        let [bids, asks] = self.reach;
        match side {
            Side::Bid => bids,
            Side::Ask => asks,
        }
    }

    /// The level at a price.
    pub fn at(&self, side: Side, price: Decimal) -> Option<Decimal> {
        let ladder = self.ladder(side);
        ladder.find(price).ok().map(|place| ladder.size_at(place))
    }

    /// Whether it has no level.
    pub fn is_empty(&self) -> bool {
        self.bids.len() == 0 && self.asks.len() == 0
    }

    /// Whether both have the same levels: the same prices and sizes as numbers, regardless of marks and counts.
    pub fn has_levels_of(&self, other: &Self) -> bool {
        self.bids().eq(other.bids()) && self.asks().eq(other.asks())
    }

    /// The venue's number of the state that the book is in.
    pub fn mark(&self) -> Option<i64> {
        self.mark
    }

    /// Notes the venue's number of the state that the book is in.
    pub fn set_mark(&mut self, mark: i64) {
        self.mark = Some(mark);
    }

    /// What happened to it.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    pub(crate) fn ladder(&self, side: Side) -> &Ladder {
        match side {
            Side::Bid => &self.bids,
            Side::Ask => &self.asks,
        }
    }
}

/// Zero may have a sign, and is not below zero.
fn is_negative(size: Decimal) -> bool {
    size.is_sign_negative() && !size.is_zero()
}
