//! What shows that a book is wrong.

use std::borrow::Cow;
use std::fmt;

use venuekit_wire::rust_decimal::Decimal;

use crate::book::MAX_LEVELS;
use crate::level::Side;

/// What shows that a book is wrong, or that a message makes no sense for it.
///
/// The level that it names is as it was before. The book as a whole is not to be trusted until the next snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A size below zero.
    Negative {
        /// The side.
        side: Side,
        /// The price of the level.
        price: Decimal,
        /// The size that it would have.
        size: Decimal,
        /// The change that leads there, where the message contains changes.
        change: Option<Decimal>,
    },
    /// The best bid is above the best ask.
    Crossed {
        /// The best bid.
        bid: Decimal,
        /// The best ask.
        ask: Decimal,
    },
    /// The best bid is the best ask.
    Locked {
        /// The price of both.
        price: Decimal,
    },
    /// The size after a change has more digits than a decimal holds.
    TooLarge {
        /// The side.
        side: Side,
        /// The price of the level.
        price: Decimal,
    },
    /// A side would have more than [`MAX_LEVELS`].
    TooManyLevels {
        /// The side.
        side: Side,
    },
    /// A message lacks what a book needs.
    Missing {
        /// The member.
        member: Cow<'static, str>,
    },
    /// A message names a side that there is not.
    UnknownSide {
        /// The word that it has.
        word: String,
    },
}

impl Fault {
    /// A message lacks this member.
    pub fn missing(member: impl Into<Cow<'static, str>>) -> Self {
        Self::Missing { member: member.into() }
    }

    /// A message names this side. Of a long word the beginning is kept.
    pub fn unknown_side(word: &str) -> Self {
        Self::UnknownSide { word: word.chars().take(40).collect() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Negative { side, price, size, change: None } => {
                write!(f, "the {side} at {price} has the size {size}")
            }
            Self::Negative { side, price, size, change: Some(change) } => {
                write!(f, "the {side} at {price} would have the size {size} after a change by {change}")
            }
            Self::Crossed { bid, ask } => write!(f, "crossed: the best bid {bid} is above the best ask {ask}"),
            Self::Locked { price } => write!(f, "locked: the best bid is the best ask, {price}"),
            Self::TooLarge { side, price } => {
                write!(f, "the size of the {side} at {price} has more digits than can be held exactly")
            }
            Self::TooManyLevels { side } => write!(f, "more than {MAX_LEVELS} {side}s"),
            Self::Missing { member } => write!(f, "the message has no `{member}`"),
            Self::UnknownSide { word } => write!(f, "`{}` is not a side of the book", word.escape_default()),
        }
    }
}

impl std::error::Error for Fault {}
