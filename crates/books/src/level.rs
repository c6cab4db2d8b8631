//! What a book is made of.

use std::fmt;

use venuekit_wire::rust_decimal::Decimal;

/// A side of a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// Those who buy. The best price is the highest.
    Bid,
    /// Those who sell. The best price is the lowest.
    Ask,
}

impl Side {
    /// Both, bids first.
    pub const BOTH: [Self; 2] = [Self::Bid, Self::Ask];

    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::Bid => Self::Ask,
            Self::Ask => Self::Bid,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Bid => "bid",
            Self::Ask => "ask",
        })
    }
}

/// A price, and how much is offered or wanted at it.
///
/// Two levels are equal where their numbers are, however they are spelled: `5042` is `5042.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Level {
    /// The price.
    pub price: Decimal,
    /// How much there is at it, in the unit of the venue.
    pub size: Decimal,
}

impl Level {
    /// A level.
    pub fn new(price: Decimal, size: Decimal) -> Self {
        Self { price, size }
    }
}

impl From<(Decimal, Decimal)> for Level {
    fn from((price, size): (Decimal, Decimal)) -> Self {
        Self { price, size }
    }
}
