//! Lists that come in pages, as streams.

use std::collections::HashSet;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::stream::{BoxStream, FusedStream, Stream};
use futures_util::stream::try_unfold;
use serde::Serialize;
use venuekit_wire::operation::{ErrorKind, Operation};

use crate::error::{Error, Inner};
use crate::unknown::{Unknown, Unread};

/// What was read of a page, and the page itself for callers who ask what was not.
type Read<P> = Result<(P, Unread), Error>;

/// The items of a list that comes in pages, one after the other: what a generated `stream()` returns.
///
/// A page is requested when the items before it are taken and one more is wanted, not earlier. Each page is a separate call, with
/// everything that was set on the request, and is limited and repeated as any call. After an error, and at the end, there is
/// nothing more.
///
/// It is a [`Stream`], for which crates such as `futures-util` have many methods; [`next`](Self::next) needs none of them.
#[must_use = "no page is asked for before an item is"]
pub struct Pages<'a, T> {
    pages: BoxStream<'a, Read<Vec<T>>>,
    items: std::vec::IntoIter<T>,
    pages_left: usize,
    unread: Option<Unread>,
}

impl<T> Pages<'_, T> {
    /// Asks for no more than this many pages from now on. The stream ends after them, whether there are more or not.
    pub fn max_pages(mut self, pages: usize) -> Self {
        self.pages_left = pages;
        self
    }

    /// What the page that was fetched last says that its type does not know; see
    /// [`ResponseValue::unknown`](crate::ResponseValue::unknown). Its body is kept until the next page.
    pub fn unknown(&self) -> Vec<Unknown> {
        self.unread.as_ref().map_or_else(Vec::new, Unread::unknown)
    }

    /// The next item; none at the end and after an error.
    ///
    /// Nothing is lost when this future is dropped: the next one waits for the same page.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

/// What generated code calls. `fetch` sends the request: at first as it was built, later with the position that it is given.
#[doc(hidden)]
impl<'a, T: Send + 'a> Pages<'a, T> {
    /// A response has the cursor of the next page, or none on the last.
    pub fn by_cursor<C, F>(
        operation: &'static Operation,
        first: Option<C>,
        fetch: impl FnMut(Option<C>) -> F + Send + 'a,
    ) -> Self
    where
        C: ToString + Send + 'a,
        F: Future<Output = Read<(Vec<T>, Option<C>)>> + Send + 'a,
    {
        let asked: HashSet<String> = first.iter().map(C::to_string).collect();
        Self::of(try_unfold((fetch, asked, Some(None)), move |(mut fetch, mut asked, at)| async move {
            let Some(at) = at else { return Ok(None) };
            if at.as_ref().is_some_and(|cursor: &C| !asked.insert(cursor.to_string())) {
                return Err(no_end(operation, "the cursor repeats: the list would never end"));
            }
            let ((items, next), unread) = fetch(at).await?;
            let next = next.filter(|cursor| !cursor.to_string().is_empty()).map(Some);
            Ok(Some(((items, unread), (fetch, asked, next))))
        }))
    }

    /// Pages have numbers, and a response has that of the last page, or none if this was it.
    pub fn by_number<F>(first: Option<i64>, fetch: impl FnMut(Option<i64>) -> F + Send + 'a) -> Self
    where
        F: Future<Output = Read<(Vec<T>, Option<i64>)>> + Send + 'a,
    {
        let start = first.unwrap_or(1);
        Self::of(try_unfold((fetch, start, Some(None)), move |(mut fetch, page, at)| async move {
            let Some(at) = at else { return Ok(None) };
            let ((items, last), unread) = fetch(at).await?;
            let next = page.checked_add(1).filter(|next| last.is_some_and(|last| *next <= last));
            Ok(Some(((items, unread), (fetch, next.unwrap_or(page), next.map(Some)))))
        }))
    }

    /// Pages have numbers, and the number of pages is unknown: an empty one follows the last.
    pub fn by_page<F>(
        operation: &'static Operation,
        first: Option<i64>,
        fetch: impl FnMut(Option<i64>) -> F + Send + 'a,
    ) -> Self
    where
        T: Serialize,
        F: Future<Output = Read<Vec<T>>> + Send + 'a,
    {
        Self::until_empty(operation, first.unwrap_or(1), |_| 1, fetch)
    }

    /// A request says how many items to leave out; an empty page follows the last.
    pub fn by_offset<F>(
        operation: &'static Operation,
        first: Option<i64>,
        fetch: impl FnMut(Option<i64>) -> F + Send + 'a,
    ) -> Self
    where
        T: Serialize,
        F: Future<Output = Read<Vec<T>>> + Send + 'a,
    {
        Self::until_empty(operation, first.unwrap_or(0), <[T]>::len, fetch)
    }

    /// A request says with which number its page begins, and each item has one: the next page begins behind the last of them. An
    /// empty page follows the last.
    pub fn by_key<F>(
        operation: &'static Operation,
        first: Option<i64>,
        fetch: impl FnMut(Option<i64>) -> F + Send + 'a,
    ) -> Self
    where
        F: Future<Output = Read<(Vec<T>, Option<i64>)>> + Send + 'a,
    {
        Self::of(try_unfold((fetch, first, Some(None)), move |(mut fetch, here, at)| async move {
            let Some(at) = at else { return Ok(None) };
            let ((items, last), unread) = fetch(at).await?;
            if items.is_empty() {
                return Ok(None);
            }
            let next = last.and_then(|last| last.checked_add(1));
            if next.zip(here).is_some_and(|(next, here)| next <= here) {
                return Err(no_end(
                    operation,
                    "a page begins before the one that was asked for: the list would never end",
                ));
            }
            Ok(Some(((items, unread), (fetch, next, next.map(Some)))))
        }))
    }

    /// A venue that does not obey the parameter would return the same page forever.
    fn until_empty<F>(
        operation: &'static Operation,
        start: i64,
        step: fn(&[T]) -> usize,
        fetch: impl FnMut(Option<i64>) -> F + Send + 'a,
    ) -> Self
    where
        T: Serialize,
        F: Future<Output = Read<Vec<T>>> + Send + 'a,
    {
        Self::of(try_unfold((fetch, start, None, None), move |(mut fetch, here, at, before)| async move {
            let (items, unread) = fetch(at).await?;
            if items.is_empty() {
                return Ok(None);
            }
            let content = serde_json::to_vec(&items).ok();
            if content.is_some() && content == before {
                return Err(no_end(operation, "a page repeats the previous page: the list would never end"));
            }
            let next = i64::try_from(step(&items)).map_or(i64::MAX, |step| here.saturating_add(step));
            Ok(Some(((items, unread), (fetch, next, Some(next), content))))
        }))
    }

    fn of(pages: impl Stream<Item = Read<Vec<T>>> + Send + 'a) -> Self {
        Self { pages: Box::pin(pages), items: Vec::new().into_iter(), pages_left: usize::MAX, unread: None }
    }
}

fn no_end(operation: &'static Operation, message: &str) -> Error {
    let (kind, operation) = (Some(ErrorKind::Decode), Some(operation));
    Error::new(Inner { kind, operation, message: message.to_owned(), ..Inner::default() })
}

// Items are moved out, never pinned.
impl<T> Unpin for Pages<'_, T> {}

impl<T> Stream for Pages<'_, T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(item) = self.items.next() {
                return Poll::Ready(Some(Ok(item)));
            }
            if self.pages_left == 0 {
                return Poll::Ready(None);
            }
            match ready!(self.pages.as_mut().poll_next(context)) {
                Some(Ok((page, unread))) => {
                    self.items = page.into_iter();
                    self.unread = Some(unread);
                    self.pages_left -= 1;
                }
                end => {
                    self.pages_left = 0;
                    return Poll::Ready(end.and_then(Result::err).map(Err));
                }
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let ready = self.items.len();
        (ready, (self.pages_left == 0).then_some(ready))
    }
}

impl<T> FusedStream for Pages<'_, T> {
    fn is_terminated(&self) -> bool {
        self.pages_left == 0 && self.items.len() == 0
    }
}

impl<T> fmt::Debug for Pages<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("ready", &self.items.len()).finish_non_exhaustive()
    }
}
