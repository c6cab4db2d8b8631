//! One side of a book: its levels in order.
//!
//! The best level is the last of the `Vec`, because nearly all changes are near it: what has to be moved for a level that comes or
//! goes stands behind it, and the search begins there. Beside the levels stand their prices as whole numbers of one unit, wherever
//! 64 bits hold all of them: comparing decimals took most of the time of a change far from the top.

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
    keys: Keys,
}

/// The prices of the levels as whole numbers, a better one being greater.
#[derive(Clone, Debug)]
struct Keys {
    /// One for each level, in their order. None: some price is too long for it, and decimals are compared.
    of_levels: Option<Vec<i64>>,
    /// So many digits behind the point of a price are part of a number.
    scale: u32,
}

/// A price as a whole number.
enum Key {
    Exact(i64),
    /// It has so many digits behind the point, more than the numbers have.
    Finer(u32),
    TooLong,
}

const POWERS_OF_TEN: [i64; 19] = {
    let mut powers = [1; 19];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

impl Keys {
    const fn new() -> Self {
        Self { of_levels: Some(Vec::new()), scale: 0 }
    }

    fn of(&self, side: Side, mut price: Decimal) -> Key {
        if price.scale() > self.scale {
            // Zeros at the end are no digits more.
            price = price.normalize();
            if price.scale() > self.scale {
                return Key::Finer(price.scale());
            }
        }
        let power = POWERS_OF_TEN.get((self.scale - price.scale()) as usize);
        let number = i64::try_from(price.mantissa()).ok();
        let number = number.zip(power).and_then(|(number, power)| number.checked_mul(*power));
        let number = match side {
            Side::Bid => number,
            Side::Ask => number.and_then(i64::checked_neg),
        };
        number.map_or(Key::TooLong, Key::Exact)
    }
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
        Self { side, levels: Vec::new(), keys: Keys::new() }
    }

    pub(crate) fn clear(&mut self) {
        self.levels.clear();
        self.number();
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
    pub(crate) fn find(&self, price: Decimal) -> Result<usize, usize> {
        if let Some(keys) = &self.keys.of_levels
            && let Key::Exact(key) = self.keys.of(self.side, price)
        {
            return find(keys, |own| own.cmp(&key));
        }
        match self.side {
            Side::Bid => find(&self.levels, |level| level.price.cmp(&price)),
            Side::Ask => find(&self.levels, |level| price.cmp(&level.price)),
        }
    }

    /// The same for a price that may become one of the levels.
    #[inline]
    pub(crate) fn seek(&mut self, price: Decimal) -> Result<usize, usize> {
        if let Some(keys) = &self.keys.of_levels {
            match self.keys.of(self.side, price) {
                Key::Exact(key) => return find(keys, |own| own.cmp(&key)),
                Key::Finer(scale) => self.refine(scale),
                Key::TooLong => self.keys.of_levels = None,
            }
        }
        self.find(price)
    }

    /// Gives the numbers more digits.
    #[cold]
    fn refine(&mut self, scale: u32) {
        self.keys.scale = scale;
        self.number_levels();
    }

    /// Begins again with numbers that are as long as the prices of the levels need them.
    fn number(&mut self) {
        self.keys.scale = self.levels.iter().map(|level| level.price.normalize().scale()).max().unwrap_or(0);
        self.number_levels();
    }

    fn number_levels(&mut self) {
        let key = |level: &Level| match self.keys.of(self.side, level.price) {
            Key::Exact(key) => Some(key),
            Key::Finer(_) | Key::TooLong => None,
        };
        let mut keys = Vec::with_capacity(self.levels.capacity());
        for level in &self.levels {
            match key(level) {
                Some(key) => keys.push(key),
                None => {
                    self.keys.of_levels = None;
                    return;
                }
            }
        }
        self.keys.of_levels = Some(keys);
    }

    pub(crate) fn size_at(&self, place: usize) -> Decimal {
        self.levels[place].size
    }

    pub(crate) fn resize(&mut self, place: usize, size: Decimal) {
        self.levels[place].size = size;
    }

    /// A level at the place that [`seek`](Self::seek) has found for it.
    pub(crate) fn insert(&mut self, place: usize, level: Level) {
        self.levels.insert(place, level);
        match (self.keys.of(self.side, level.price), &mut self.keys.of_levels) {
            (Key::Exact(key), Some(keys)) => keys.insert(place, key),
            (_, keys) => *keys = None,
        }
    }

    pub(crate) fn remove(&mut self, place: usize) {
        self.levels.remove(place);
        if let Some(keys) = &mut self.keys.of_levels {
            keys.remove(place);
        }
    }

    /// Replaces all levels by these, in any order. Of two with the same price the later one stays;
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
        self.number();
        repeated
    }
}

/// Searches from the end in steps that double, then within the last step by halves.
#[inline(always)]
fn find<T>(levels: &[T], order: impl Fn(&T) -> Ordering) -> Result<usize, usize> {
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
