//! Local order books that are exact and check themselves.
//!
//! A [`Book`] holds the levels of one instrument as the venue's messages describe them: a snapshot, then changes, each of which is
//! either a new size ([`Book::set`]) or a signed change of a size ([`Book::change`]). Prices and sizes are
//! [`rust_decimal::Decimal`](venuekit_wire::rust_decimal::Decimal); nothing is rounded. What cannot be true is a [`Fault`] that
//! says where and what: a size below zero, a bid at or above an ask. After a fault the book is not to be trusted until the next
//! snapshot.
//!
//! Nothing here knows a network, a venue or the time.
//!
//! ```
//! use venuekit_books::{Book, Fault, Level, Side};
//! use venuekit_wire::rust_decimal::Decimal;
//!
//! let number = |text: &str| text.parse::<Decimal>().unwrap();
//! let mut book = Book::new();
//! book.snapshot(
//!     [Level::new(number("5041.5"), number("20")), Level::new(number("5041"), number("7"))],
//!     [Level::new(number("5042"), number("10"))],
//! )?;
//!
//! book.set(Side::Ask, number("5042.0"), number("4"))?; // the same price, spelled otherwise
//! book.change(Side::Bid, number("5041.5"), number("-20.0"))?; // nothing is left: the level is gone
//! book.check()?;
//! assert_eq!(book.best_bid().unwrap().price, number("5041"));
//! assert_eq!(book.best_ask().unwrap().size, number("4"));
//! assert_eq!(book.mid(), Some(number("5041.5")));
//!
//! // More is taken away than there is: a message was lost.
//! let fault = book.change(Side::Ask, number("5042"), number("-5")).unwrap_err();
//! assert_eq!(fault.to_string(), "the ask at 5042 would have the size -1 after a change by -5");
//! # Ok::<(), Fault>(())
//! ```
#![deny(missing_docs)]

mod book;
mod display;
mod exact;
mod fault;
mod ladder;
mod level;
mod message;
mod query;
mod view;

pub use book::{Book, Counts, MAX_LEVELS};
pub use display::aligned;
pub use fault::Fault;
pub use ladder::Levels;
pub use level::{Level, Side};
pub use message::{BookKind, BookMessage};
pub use query::{Depth, Taken};
pub use view::BookView;
