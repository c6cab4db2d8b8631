//! One side of a book: its levels in order.
//!
//! The best level is the last of the `Vec`, because nearly all changes are near it: what has to be moved for a level that comes or
//! goes stands behind it, and the search begins there.

use std::cmp::{Ordering, Reverse};
use std::iter::{FusedIterator, Rev};
use std::slice;

use venuekit_wire::rust_decimal::Decimal;

use crate::level::{Level, Side};

/// So many levels are compared one by one, before halves are.
const NEAR: usize = 4;

#[derive(Clone, Debug)]
pub(crate) struct Ladder {
    side: Side,
    /// The best one last. No two have the same price, and no size is zero.
    levels: Vec<Level>,
}

/// The levels of a side, the best one first.
#[derive(Clone, Debug)]
pub struct Levels<'a>(Rev<slice::Iter<'a, Level>>);

impl Iterator for Levels<'_> {
    type Item = Level;

    fn next(&mut self) -> Option<Level> {
        self.0.next().copied()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }

    fn nth(&mut self, n: usize) -> Option<Level> {
        self.0.nth(n).copied()
    }
}

impl DoubleEndedIterator for Levels<'_> {
    fn next_back(&mut self) -> Option<Level> {
        self.0.next_back().copied()
    }
}

impl ExactSizeIterator for Levels<'_> {}
impl FusedIterator for Levels<'_> {}

impl Ladder {
    pub(crate) const fn new(side: Side) -> Self {
        Self { side, levels: Vec::new() }
    }

    pub(crate) fn clear(&mut self) {
        self.levels.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.levels.len()
    }

    pub(crate) fn best(&self) -> Option<Level> {
        self.levels.last().copied()
    }

    pub(crate) fn levels(&self) -> Levels<'_> {
        Levels(self.levels.iter().rev())
    }

    /// The place of the price, or the place that it would have.
    #[inline]
    pub(crate) fn find(&self, price: Decimal) -> Result<usize, usize> {
        match self.side {
            Side::Bid => find(&self.levels, |level| level.price.cmp(&price)),
            Side::Ask => find(&self.levels, |level| price.cmp(&level.price)),
        }
    }

    pub(crate) fn size_at(&self, place: usize) -> Decimal {
        self.levels[place].size
    }

    pub(crate) fn resize(&mut self, place: usize, size: Decimal) {
        self.levels[place].size = size;
    }

    pub(crate) fn insert(&mut self, place: usize, level: Level) {
        self.levels.insert(place, level);
    }

    pub(crate) fn remove(&mut self, place: usize) {
        self.levels.remove(place);
    }

    /// Puts the levels, in whatever order they are, in place of all that there are. Of two with the same price the later one stays;
    /// how many did not is the result.
    pub(crate) fn replace(&mut self, levels: impl Iterator<Item = Level>) -> usize {
        self.levels.clear();
        self.levels.extend(levels);
        // Stable, so that the order among equals is that of the message, and fast where levels came in one of the two orders.
        match self.side {
            Side::Bid => self.levels.sort_by_key(|level| level.price),
            Side::Ask => self.levels.sort_by_key(|level| Reverse(level.price)),
        }
        let before = self.levels.len();
        self.levels.dedup_by(|later, earlier| {
            let same = later.price == earlier.price;
            if same {
                *earlier = *later;
            }
            same
        });
        let repeated = before - self.levels.len();
        self.levels.retain(|level| !level.size.is_zero());
        repeated
    }
}

/// Searches from the end in steps that double, then within the last step by halves.
#[inline(always)]
fn find(levels: &[Level], order: impl Fn(&Level) -> Ordering) -> Result<usize, usize> {
    let len = levels.len();
    let near = len.saturating_sub(NEAR);
    for place in (near..len).rev() {
        match order(&levels[place]) {
            Ordering::Equal => return Ok(place),
            Ordering::Less => return Err(place + 1),
            Ordering::Greater => {}
        }
    }
    // Everything from `high` on is better than the price.
    let (mut high, mut step) = (near, NEAR);
    while high > 0 {
        let low = high.saturating_sub(step);
        match order(&levels[low]) {
            Ordering::Equal => return Ok(low),
            Ordering::Less => {
                return match levels[low + 1..high].binary_search_by(&order) {
                    Ok(place) => Ok(low + 1 + place),
                    Err(place) => Err(low + 1 + place),
                };
            }
            Ordering::Greater => {
                high = low;
                step *= 2;
            }
        }
    }
    Err(0)
}
