//! What messages of a venue do to a book.

use std::borrow::Cow;

use crate::book::Book;
use crate::fault::Fault;

/// What a message does to the book of its instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BookKind {
    /// It replaces the book.
    Snapshot,
    /// It changes some levels.
    Change,
    /// Nothing: it is about something else.
    Other,
}

/// A message that makes or changes an order book. The code that is generated for channels with books implements it.
pub trait BookMessage {
    /// The instrument, by the venue's name. `None` where the message does not say.
    fn instrument(&self) -> Option<Cow<'_, str>>;

    /// What it does.
    fn kind(&self) -> BookKind;

    /// The venue's number of the state that the book is in after it, where it has one.
    fn mark(&self) -> Option<i64>;

    /// Applies its levels. A snapshot replaces the contents of the book; a message of [`BookKind::Other`] does nothing.
    ///
    /// [`Book::apply`] calls it, and does the rest: the mark, and the check of the whole.
    fn apply(&self, book: &mut Book) -> Result<(), Fault>;
}
