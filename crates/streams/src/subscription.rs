//! What a reader holds.

use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use futures_core::Stream;
use venuekit_wire::UnixMillis;

use crate::error::Error;
use crate::event::{Event, Message, Reason, Stale};
use crate::hub::needs_snapshot;
use crate::queue::{Queue, QueueItem};
use crate::read::StreamMessage;
use crate::sink::{Entry, State};
use crate::subscribe::ReaderHandle;
use crate::topic::Topic;
use crate::withheld::Withheld;

/// A subscription. It is a [`Stream`] of [`Event`]s; messages are read as their type here, in the reader's task.
///
/// When it is dropped, it is unsubscribed, unless another reader has the same.
pub struct Subscription<T> {
    handle: ReaderHandle,
    topic: Topic,
    queue: Arc<Queue>,
    taken: VecDeque<QueueItem>,
    /// What follows from the last event.
    next: Option<Stale>,
    withheld: Withheld,
    counts: ReaderStats,
    counts_unknown: bool,
    /// When the last message was received and sent.
    last_times: Option<(SystemTime, Option<UnixMillis>)>,
    is_over: bool,
    of: PhantomData<fn() -> T>,
}

/// What one reader has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReaderStats {
    /// Messages that it was given.
    pub messages: u64,
    /// Texts that were not read, because their type is unknown or their form is.
    pub unknown: u64,
    /// Members and values of messages that their types do not know, where they are counted
    /// ([`count_unknown`](Subscription::count_unknown)).
    pub unknown_members: u64,
    /// Messages that were dropped because it was too slow.
    pub lagged: u64,
    /// Messages in whose place newer ones came.
    pub replaced: u64,
    /// Messages that wait for it.
    pub queued: usize,
    /// How often it became uncertain.
    pub stale: u64,
}

impl<T> Subscription<T> {
    pub(crate) fn new(handle: ReaderHandle, queue: Arc<Queue>) -> Self {
        Self {
            topic: handle.topic().clone(),
            handle,
            queue,
            taken: VecDeque::new(),
            next: None,
            withheld: Withheld::default(),
            counts: ReaderStats::default(),
            counts_unknown: false,
            last_times: None,
            is_over: false,
            of: PhantomData,
        }
    }

    /// What is subscribed to.
    pub fn topic(&self) -> &Topic {
        &self.topic
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

    /// Takes items away. What was read of them before and waits here still comes.
    ///
    /// # Errors
    /// The topic has no items that could be taken away.
    pub async fn remove<I: Into<Arc<str>>>(&mut self, items: impl IntoIterator<Item = I>) -> Result<(), Error> {
        let handle = &mut self.handle;
        let items: Vec<Arc<str>> = items.into_iter().map(Into::into).collect();
        handle.remove(&items)?;
        self.topic = handle.topic().clone();
        Ok(())
    }

    /// What this reader has seen.
    pub fn stats(&self) -> ReaderStats {
        let own = self.queue.counts();
        let taken = self.taken.iter().filter(|item| matches!(item, QueueItem::Data(_) | QueueItem::Unknown(_))).count();
        ReaderStats { lagged: own.lagged, replaced: own.replaced, queued: own.queued + taken, ..self.counts }
    }

    /// Whether what messages have and their types do not know is counted in [`stats`](Self::stats). It is not by default: each message
    /// is then read twice.
    pub fn count_unknown(&mut self, is_counted: bool) {
        self.counts_unknown = is_counted;
    }

    /// How long the last message took from the venue to this machine, by the clocks of both; none where the venue does not say when
    /// it sent it.
    pub fn lag(&self) -> Option<Duration> {
        self.last_times.and_then(|(received, sent)| lag(received, sent))
    }

    /// Ends the subscription. What waits is given up.
    pub async fn close(self) {
        drop(self);
    }
}

impl<T: StreamMessage> Subscription<T> {
    /// The next event. None: nothing follows.
    ///
    /// It is cancel safe: nothing is lost when this future is dropped, as `tokio::select!` does.
    pub async fn next(&mut self) -> Option<Event<T>> {
        std::future::poll_fn(|context| self.poll_event(context)).await
    }

    #[inline]
    fn poll_event(&mut self, context: &mut Context<'_>) -> Poll<Option<Event<T>>> {
        if let Some(stale) = self.next.take() {
            self.counts.stale += 1;
            return Poll::Ready(Some(Event::Stale(stale)));
        }
        if self.is_over {
            return Poll::Ready(None);
        }
        loop {
            if self.taken.is_empty() && self.queue.poll_take(context, &mut self.taken).is_pending() {
                self.handle.keep_running();
                return Poll::Pending;
            }
            let Some(item) = self.taken.pop_front() else { return Poll::Ready(None) };
            if let Some(event) = self.event(item) {
                return Poll::Ready(Some(event));
            }
        }
    }

    /// What the reader learns of it, if anything.
    #[inline]
    fn event(&mut self, item: QueueItem) -> Option<Event<T>> {
        Some(match item {
            QueueItem::Data(entry) => self.read(entry),
            QueueItem::Unknown(raw) => {
                self.counts.unknown += 1;
                Event::Unknown(raw)
            }
            QueueItem::Lagged(count) => {
                self.lagged();
                Event::Lagged(count)
            }
            QueueItem::State(state) => match self.withheld.state(state)? {
                State::Stale(stale) => {
                    self.counts.stale += 1;
                    Event::Stale(stale)
                }
                State::Resynced(resynced) => Event::Resynced(resynced),
                State::Refused(refusal) => Event::Refused(refusal),
                State::Silent(silent) => Event::Silent(silent),
                State::Ended(ended) => {
                    self.is_over = true;
                    Event::Ended(ended)
                }
            },
            QueueItem::Withheld => {
                self.withheld.reached();
                return None;
            }
            QueueItem::Hole => return None,
        })
    }

    #[inline]
    fn read(&mut self, entry: Entry) -> Event<T> {
        self.last_times = Some((entry.received, entry.sent));
        match T::read_entry(entry.kind.as_str(), &entry.raw, range(&entry.data), entry.received) {
            Ok(Some(value)) => {
                self.counts.messages += 1;
                let Entry { raw, mut data, kind, received, sent, sequence, origin, replaced, is_record } = entry;
                // A record of a list comes alone; anything else with what the venue put around it.
                let raw = if is_record { raw.slice(range(&data)) } else { raw };
                if is_record {
                    data = 0..data.end - data.start;
                }
                let message = Message { value, raw, received, sent, sequence, origin, replaced, kind, data };
                if self.counts_unknown {
                    self.counts.unknown_members += message.unknown().len() as u64;
                }
                Event::Message(message)
            }
            Ok(None) => {
                self.counts.unknown += 1;
                Event::Unknown(entry.into_raw(None))
            }
            Err(error) => {
                self.counts.unknown += 1;
                Event::Unknown(entry.into_raw(Some(error.into_text())))
            }
        }
    }

    /// Where messages build on each other, one that was dropped makes all that follow uncertain.
    fn lagged(&mut self) {
        if needs_snapshot(self.topic.channel()) && self.withheld.dropped(|| self.handle.overflowed()) {
            self.next = Some(Stale { reason: Reason::Overflow, item: None, since: SystemTime::now() });
        }
    }
}

fn range(data: &Range<u32>) -> Range<usize> {
    data.start as usize..data.end as usize
}

/// How long a message took.
pub(crate) fn lag(received: SystemTime, sent: Option<UnixMillis>) -> Option<Duration> {
    // Clocks that differ make messages that come before they were sent: those took no time.
    Some(received.duration_since(sent?.to_system_time()?).unwrap_or_default())
}

impl<T: StreamMessage> Stream for Subscription<T> {
    type Item = Event<T>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event<T>>> {
        self.get_mut().poll_event(context)
    }
}

impl<T> fmt::Debug for Subscription<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("topic", &self.topic).finish_non_exhaustive()
    }
}

impl<T> Drop for Subscription<T> {
    fn drop(&mut self) {
        self.queue.close();
    }
}
