//! A book that readers keep.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::book::Book;

/// A book as it was at one moment. A clone costs as much as that of an [`Arc`].
///
/// The owner of the book changes it by [`to_mut`](Self::to_mut), which copies it only while a reader holds a view of it.
///
/// ```
/// use venuekit_books::{Book, BookView, Fault, Side};
/// use venuekit_wire::rust_decimal::Decimal;
///
/// let mut current = BookView::from(Book::new());
/// current.to_mut().set(Side::Bid, Decimal::ONE, Decimal::TEN)?;
/// let kept = current.clone();
/// current.to_mut().set(Side::Bid, Decimal::ONE, Decimal::ZERO)?;
/// assert!(current.is_empty());
/// assert_eq!(kept.best_bid().unwrap().size, Decimal::TEN);
/// # Ok::<(), Fault>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct BookView(Arc<Book>);

impl BookView {
    /// The book, to be changed. Views that were taken before stay as they are.
    pub fn to_mut(&mut self) -> &mut Book {
        Arc::make_mut(&mut self.0)
    }
}

impl From<Book> for BookView {
    fn from(book: Book) -> Self {
        Self(Arc::new(book))
    }
}

impl Deref for BookView {
    type Target = Book;

    fn deref(&self) -> &Book {
        &self.0
    }
}

impl fmt::Display for BookView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
