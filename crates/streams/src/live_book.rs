//! Order books that are kept up to date as messages come, and say whether they can be trusted.

use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_core::Stream;
use venuekit_books::{Book, BookKind, BookMessage, BookView, Fault};
use venuekit_wire::UnixMillis;

use crate::audit::{self, Audit};
use crate::error::Error;
use crate::event::{Event, Message, Missed, Origin, Raw};
use crate::queue::{MANY_STATES, add_carried, condense};
use crate::read::StreamMessage;
use crate::sink::{Entry, Kind, Sink, State, Verdict};
use crate::subscribe::ReaderHandle;
use crate::subscription::lag;
use crate::topic::Topic;

/// How many unread texts are kept for a reader that does not read.
const MOST_UNKNOWN: usize = 256;

/// So many changes are kept while an audit waits for its call.
const MOST_AUDITED: usize = 20_000;

/// How many books there may be. No venue has more instruments.
const MOST_BOOKS: usize = 100_000;

/// The order books of a subscription.
///
/// Messages are applied in order, as they come, whether they are read or not. [`get`](Self::get) shows a book as it is now. The stream
/// of events reports which books have changed, however often, and what is uncertain; a book that is uncertain is not
/// [live](Self::is_live), from the moment at which that is known.
pub struct LiveBook<T> {
    handle: ReaderHandle,
    topic: Topic,
    books: Arc<Books<T>>,
    is_over: bool,
}

/// A book has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BookChange {
    /// The instrument.
    pub instrument: Arc<str>,
    /// How many messages have changed it since the last event.
    pub updates: u64,
}

/// What order books have seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BookStats {
    /// Books that there are.
    pub books: usize,
    /// Those that can be trusted.
    pub live: usize,
    /// Messages that were applied.
    pub applied: u64,
    /// Changes that came while their book waited for a snapshot.
    pub waiting: u64,
    /// Books that could not be true, each time that one was.
    pub faults: u64,
    /// Texts that were not read.
    pub unknown: u64,
}

/// The books, on both sides.
pub(crate) struct Books<T> {
    inner: Mutex<Inner>,
    of: PhantomData<fn() -> T>,
}

#[derive(Default)]
struct Inner {
    books: HashMap<Arc<str>, KeptBook>,
    events: VecDeque<QueuedEvent>,
    states: usize,
    many: usize,
    unknown: usize,
    carried: (Missed, u64),
    reader: Option<Waker>,
    is_ended: bool,
    stats: BookStats,
    lag: Option<Duration>,
}

struct KeptBook {
    view: BookView,
    /// It has had a snapshot, and everything that came since then.
    is_whole: bool,
    /// Nothing is known to be missing of what came.
    is_certain: bool,
    /// It is in the queue of events, behind all states.
    is_queued: bool,
    updates: u64,
    last: LastMessage,
    /// What has changed it since an audit began.
    since_audit: Option<Vec<Entry>>,
}

impl KeptBook {
    fn is_live(&self) -> bool {
        self.is_whole && self.is_certain
    }

    /// The same book for another reader, which has not been notified of it yet.
    fn copy(&self) -> Self {
        let (view, last) = (self.view.clone(), self.last.clone());
        Self {
            view,
            last,
            is_whole: self.is_whole,
            is_certain: self.is_certain,
            is_queued: true,
            updates: 1,
            since_audit: None,
        }
    }
}

/// The message that changed it last.
#[derive(Clone)]
struct LastMessage {
    raw: Bytes,
    received: SystemTime,
    sent: Option<UnixMillis>,
    sequence: Option<i64>,
}

enum QueuedEvent {
    Changed(Arc<str>),
    State(State),
    Unknown(Raw),
    Lagged(u64),
}

/// Whether an instrument is an item, or one of several of it: their names begin with the item's.
pub(crate) fn is_of(instrument: &str, item: &str) -> bool {
    instrument.strip_prefix(item).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

impl<T> Books<T> {
    pub(crate) fn new() -> Self {
        Self { inner: Mutex::default(), of: PhantomData }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A book, and whether it can be trusted.
    #[cfg(test)]
    pub(crate) fn view(&self, instrument: &str) -> Option<(BookView, bool)> {
        self.inner().books.get(instrument).map(|kept| (kept.view.clone(), kept.is_live()))
    }

    /// A book that can be trusted. From here on what changes it is kept for an audit.
    pub(crate) fn begin_audit(&self, instrument: &str) -> Option<BookView> {
        let mut inner = self.inner();
        let kept = inner.books.get_mut(instrument).filter(|kept| kept.is_live())?;
        kept.since_audit = Some(Vec::new());
        Some(kept.view.clone())
    }

    /// What has changed it since then, or since this was called last; none where it was rebuilt, or is not to be trusted any longer.
    pub(crate) fn audited_changes(&self, instrument: &str) -> Option<Vec<Entry>> {
        let mut inner = self.inner();
        let kept = inner.books.get_mut(instrument).filter(|kept| kept.is_live())?;
        kept.since_audit.as_mut().map(std::mem::take)
    }

    /// Ends the audit. A book that differs is not used until its next snapshot.
    pub(crate) fn end_audit(&self, instrument: &str, is_different: bool) {
        if let Some(kept) = self.inner().books.get_mut(instrument) {
            kept.since_audit = None;
            kept.is_whole &= !is_different;
        }
    }

    fn change(&self, change: impl FnOnce(&mut Inner) -> Verdict) -> Verdict {
        let mut inner = self.inner();
        if inner.is_ended {
            return Verdict::Taken;
        }
        let verdict = change(&mut inner);
        let reader = if inner.events.is_empty() && !inner.is_ended { None } else { inner.reader.take() };
        drop(inner);
        if let Some(reader) = reader {
            reader.wake();
        }
        verdict
    }
}

impl<T: StreamMessage + BookMessage> Sink for Books<T> {
    fn data(&self, entry: Entry, _: Option<&str>) -> Verdict {
        // Reading needs no lock.
        let read = T::read(entry.kind.as_str(), entry.data());
        self.change(|inner| match read {
            Ok(Some(message)) => inner.apply(&message, &entry),
            Ok(None) => {
                inner.unread(entry.into_raw(None));
                Verdict::Taken
            }
            Err(error) => {
                // What it would have changed is unknown.
                let why = error.into_text();
                inner.unread(entry.into_raw(Some(why.clone())));
                inner.invalidate();
                inner.stats.faults += 1;
                Verdict::Fault(format!("a message cannot be read: {why}"))
            }
        })
    }

    fn unknown(&self, raw: Raw) {
        self.change(|inner| {
            inner.unread(raw);
            Verdict::Taken
        });
    }

    fn state(&self, state: State) {
        self.change(|inner| {
            inner.state(state);
            Verdict::Taken
        });
    }

    fn distrust(&self) {
        self.inner().distrust(None);
    }

    fn copy_state(&self, from: &dyn Sink) -> bool {
        let Some(from) = from.as_any().and_then(|from| from.downcast_ref::<Self>()) else { return false };
        let from = from.inner();
        if from.is_ended || from.books.is_empty() || !from.books.values().all(KeptBook::is_live) {
            return false;
        }
        let books: Vec<_> = from.books.iter().map(|(name, kept)| (name.clone(), kept.copy())).collect();
        // One lock at a time.
        drop(from);
        self.change(|inner| {
            for (name, kept) in books {
                inner.events.push_back(QueuedEvent::Changed(name.clone()));
                inner.books.insert(name, kept);
            }
            Verdict::Taken
        });
        true
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }

    fn finds_faults(&self) -> bool {
        true
    }
}

impl Inner {
    fn apply<T: BookMessage>(&mut self, message: &T, entry: &Entry) -> Verdict {
        self.lag = lag(entry.received, entry.sent);
        let kind = message.kind();
        if kind == BookKind::Other {
            return Verdict::Taken;
        }
        let Some(instrument) = message.instrument() else {
            self.invalidate();
            return self.fault(Fault::missing("instrument"));
        };
        let last = || LastMessage {
            raw: entry.raw.clone(),
            received: entry.received,
            sent: entry.sent,
            sequence: entry.sequence,
        };
        if !self.books.contains_key(&*instrument) {
            if self.books.len() >= MOST_BOOKS {
                return Verdict::Taken;
            }
            let view = BookView::from(Book::new());
            self.books.insert(
                (*instrument).into(),
                KeptBook {
                    view,
                    is_whole: false,
                    is_certain: false,
                    is_queued: false,
                    updates: 0,
                    last: last(),
                    since_audit: None,
                },
            );
        }
        let Some(kept) = self.books.get_mut(&*instrument) else { return Verdict::Taken };
        if kind == BookKind::Change && !kept.is_whole {
            self.stats.waiting += 1;
            return Verdict::Taken;
        }
        if let Err(fault) = kept.view.to_mut().apply(message) {
            kept.is_whole = false;
            return self.fault(fault);
        }
        if kind == BookKind::Snapshot {
            (kept.is_whole, kept.is_certain) = (true, true);
            // What an audit began with is no part of it.
            kept.since_audit = None;
        }
        if let Some(changes) = &mut kept.since_audit {
            changes.push(entry.clone());
            if changes.len() > MOST_AUDITED {
                kept.since_audit = None;
            }
        }
        kept.updates += 1;
        kept.last = last();
        self.stats.applied += 1;
        if !std::mem::replace(&mut kept.is_queued, true)
            && let Some((name, _)) = self.books.get_key_value(&*instrument)
        {
            self.events.push_back(QueuedEvent::Changed(name.clone()));
        }
        Verdict::Taken
    }

    fn fault(&mut self, fault: Fault) -> Verdict {
        self.stats.faults += 1;
        Verdict::Fault(fault.to_string())
    }

    /// Books are not to be trusted: all of them, or those of an item. What still comes is applied, since the hub lets nothing pass
    /// that needs a snapshot first; a snapshot, or the end of the uncertainty, makes them certain again.
    fn distrust(&mut self, item: Option<&str>) {
        for (instrument, kept) in &mut self.books {
            kept.is_certain &= item.is_some_and(|item| !is_of(instrument, item));
        }
    }

    /// They need a snapshot.
    fn invalidate(&mut self) {
        for kept in self.books.values_mut() {
            kept.is_whole = false;
        }
    }

    fn unread(&mut self, raw: Raw) {
        self.stats.unknown += 1;
        if self.unknown >= MOST_UNKNOWN
            && let Some(at) = self.events.iter().position(|events| matches!(events, QueuedEvent::Unknown(_)))
        {
            // The oldest goes, and is counted where it stood.
            if at > 0
                && let QueuedEvent::Lagged(count) = &mut self.events[at - 1]
            {
                *count += 1;
                self.events.remove(at);
            } else {
                self.events[at] = QueuedEvent::Lagged(1);
            }
            self.unknown -= 1;
        }
        self.unknown += 1;
        self.events.push_back(QueuedEvent::Unknown(raw));
    }

    fn state(&mut self, mut state: State) {
        match &mut state {
            State::Stale(stale) => self.distrust(stale.item.as_deref()),
            State::Resynced(resynced) => {
                add_carried(resynced, &mut self.carried);
                let item = resynced.item.as_deref();
                for (instrument, kept) in &mut self.books {
                    kept.is_certain |= item.is_none_or(|item| is_of(instrument, item));
                }
            }
            State::Refused(refusal) => {
                for item in &refusal.items {
                    self.distrust(Some(item));
                }
            }
            State::Silent(_) => {}
            State::Ended(_) => {
                self.distrust(None);
                self.is_ended = true;
            }
        }
        // What changes from now on is reported behind this.
        for kept in self.books.values_mut() {
            kept.is_queued = false;
        }
        self.states += 1;
        self.events.push_back(QueuedEvent::State(state));
        if self.states >= self.many.max(MANY_STATES) {
            self.collapse();
        }
    }

    /// Merges events, for a reader that does not read.
    fn collapse(&mut self) {
        let (mut states, mut texts, mut lagged, mut changed) = (Vec::new(), Vec::new(), 0, Vec::new());
        for event in std::mem::take(&mut self.events) {
            match event {
                QueuedEvent::State(state) => states.push(state),
                QueuedEvent::Unknown(raw) => texts.push(raw),
                QueuedEvent::Lagged(count) => lagged += count,
                QueuedEvent::Changed(instrument) => changed.push(instrument),
            }
        }
        let (before, after) = condense(states, &mut self.carried);
        self.states = before.len() + after.len();
        self.many = self.states * 2;
        self.events.extend(before.into_iter().map(QueuedEvent::State));
        if lagged > 0 {
            self.events.push_back(QueuedEvent::Lagged(lagged));
        }
        self.events.extend(texts.into_iter().map(QueuedEvent::Unknown));
        for instrument in changed {
            if let Some(kept) = self.books.get_mut(&instrument)
                && !std::mem::replace(&mut kept.is_queued, true)
            {
                self.events.push_back(QueuedEvent::Changed(instrument));
            }
        }
        self.events.extend(after.into_iter().map(QueuedEvent::State));
        for kept in self.books.values_mut() {
            kept.is_queued = false;
        }
    }

    fn next(&mut self) -> Option<Event<BookChange>> {
        loop {
            return Some(match self.events.pop_front()? {
                QueuedEvent::Changed(instrument) => {
                    let Some(kept) = self.books.get_mut(&instrument) else { continue };
                    kept.is_queued = false;
                    let updates = std::mem::take(&mut kept.updates);
                    if updates == 0 {
                        // It was reported already.
                        continue;
                    }
                    let LastMessage { raw, received, sent, sequence } = kept.last.clone();
                    let value = BookChange { instrument, updates };
                    let (origin, replaced, kind, data) = (Origin::Stream, updates - 1, Kind::Known(""), 0..0);
                    Event::Message(Message { value, raw, received, sent, sequence, origin, replaced, kind, data })
                }
                QueuedEvent::State(state) => {
                    self.states -= 1;
                    match state {
                        State::Stale(stale) => Event::Stale(stale),
                        State::Resynced(resynced) => Event::Resynced(resynced),
                        State::Refused(refusal) => Event::Refused(refusal),
                        State::Silent(silent) => Event::Silent(silent),
                        State::Ended(ended) => Event::Ended(ended),
                    }
                }
                QueuedEvent::Unknown(raw) => {
                    self.unknown -= 1;
                    Event::Unknown(raw)
                }
                QueuedEvent::Lagged(count) => Event::Lagged(count),
            });
        }
    }
}

impl<T> LiveBook<T> {
    pub(crate) fn new(handle: ReaderHandle, books: Arc<Books<T>>) -> Self {
        Self { topic: handle.topic().clone(), handle, books, is_over: false }
    }

    /// What is subscribed to.
    pub fn topic(&self) -> &Topic {
        &self.topic
    }

    /// A book as it is now; none before its first snapshot. It does not change afterwards; while it is held, the
    /// next change copies the book.
    pub fn get(&self, instrument: &str) -> Option<BookView> {
        self.books.inner().books.get(instrument).map(|kept| kept.view.clone())
    }

    /// Whether a book can be trusted now.
    pub fn is_live(&self, instrument: &str) -> bool {
        self.books.inner().books.get(instrument).is_some_and(KeptBook::is_live)
    }

    /// A book that can be trusted now; none where it cannot.
    pub fn live(&self, instrument: &str) -> Option<BookView> {
        self.books.inner().books.get(instrument).filter(|kept| kept.is_live()).map(|kept| kept.view.clone())
    }

    /// The instruments that have books, in their order.
    pub fn instruments(&self) -> Vec<Arc<str>> {
        let mut all: Vec<_> = self.books.inner().books.keys().cloned().collect();
        all.sort();
        all
    }

    /// What the books have seen.
    pub fn stats(&self) -> BookStats {
        let inner = self.books.inner();
        let live = inner.books.values().filter(|kept| kept.is_live()).count();
        BookStats { books: inner.books.len(), live, ..inner.stats }
    }

    /// How long the last message took from the venue to this machine, by the clocks of both.
    pub fn lag(&self) -> Option<Duration> {
        self.books.inner().lag
    }

    /// Adds items. Returns once the venue has accepted all of them.
    ///
    /// # Errors
    /// Items that are refused are named; the others stay.
    pub async fn add<I: Into<Arc<str>>>(&mut self, items: impl IntoIterator<Item = I>) -> Result<(), Error> {
        let handle = &mut self.handle;
        let result = handle.add(items.into_iter().map(Into::into).collect()).await;
        self.topic = handle.topic().clone();
        result
    }

    /// Takes items away, and forgets their books.
    ///
    /// # Errors
    /// The topic has no items that could be taken away.
    pub async fn remove<I: Into<Arc<str>>>(&mut self, items: impl IntoIterator<Item = I>) -> Result<(), Error> {
        let handle = &mut self.handle;
        let items: Vec<Arc<str>> = items.into_iter().map(Into::into).collect();
        handle.remove(&items)?;
        let mut inner = self.books.inner();
        inner.books.retain(|instrument, _| !items.iter().any(|item| is_of(instrument, item)));
        drop(inner);
        self.topic = handle.topic().clone();
        Ok(())
    }

    /// The next event. None: nothing follows.
    ///
    /// It is cancel safe: nothing is lost when this future is dropped, as `tokio::select!` does.
    pub async fn next(&mut self) -> Option<Event<BookChange>> {
        std::future::poll_fn(|context| self.poll_event(context)).await
    }

    fn poll_event(&mut self, context: &mut Context<'_>) -> Poll<Option<Event<BookChange>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let mut inner = self.books.inner();
        match inner.next() {
            Some(event) => {
                self.is_over = matches!(event, Event::Ended(_));
                Poll::Ready(Some(event))
            }
            None if inner.is_ended => Poll::Ready(None),
            None => {
                inner.reader = Some(context.waker().clone());
                // The hub, which is looked at next, hands on to the books while it is locked.
                drop(inner);
                self.handle.keep_running();
                Poll::Pending
            }
        }
    }

    /// Ends the subscription.
    pub async fn close(self) {
        drop(self);
    }
}

impl<T: StreamMessage + BookMessage> LiveBook<T> {
    /// Compares a book with what a call of the venue returns, level by level, at the same number. The call is made again, a few times,
    /// where what it returns is older than the book was when it was made.
    ///
    /// A book that differs is not [live](Self::is_live) any longer, and is synchronized again; the stream of events says so.
    pub async fn audit(&self, instrument: &str) -> Audit {
        audit::audit(&self.handle, &self.books, instrument).await
    }
}

impl<T> Stream for LiveBook<T> {
    type Item = Event<BookChange>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_event(context)
    }
}

impl<T> fmt::Debug for LiveBook<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveBook").field("topic", &self.topic).finish_non_exhaustive()
    }
}
