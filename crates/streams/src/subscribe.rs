//! From a topic to a subscription.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use venuekit_books::BookMessage;

use crate::error::Error;
use crate::hub::ReaderKey;
use crate::hub::io::Now;
use crate::live_book::{Books, LiveBook};
use crate::queue::{Overflow, Queue};
use crate::read::StreamMessage;
use crate::sink::Sink;
use crate::streams::Streams;
use crate::subscription::Subscription;
use crate::topic::Topic;

/// How many messages wait for a reader, where it does not say.
const CAPACITY: usize = 4096;

/// A subscription that is not made yet.
pub struct Subscribe<T> {
    streams: Streams,
    topic: Topic,
    capacity: usize,
    overflow: Overflow,
    of: PhantomData<fn() -> T>,
}

impl<T> Subscribe<T> {
    /// To this topic.
    pub fn new(streams: Streams, topic: Topic) -> Self {
        Self { streams, topic, capacity: CAPACITY, overflow: Overflow::default(), of: PhantomData }
    }

    /// How many messages may wait for this reader, by default 4,096. Messages that the reader has already taken do not count.
    #[must_use]
    pub fn capacity(mut self, messages: usize) -> Self {
        self.capacity = messages;
        self
    }

    /// What happens when more would wait.
    #[must_use]
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// What is subscribed to.
    pub fn topic(&self) -> &Topic {
        &self.topic
    }

    #[doc(hidden)]
    #[must_use]
    pub fn map_topic(mut self, change: impl FnOnce(Topic) -> Topic) -> Self {
        self.topic = change(self.topic);
        self
    }
}

impl<T: StreamMessage> Subscribe<T> {
    /// Subscribes. Returns once the venue has accepted all of it.
    ///
    /// # Errors
    /// The topic is not one that the venue takes; or something of it is refused, and then nothing of it stays; or there is no connection
    /// and no reply in time.
    pub async fn subscribe(self) -> Result<Subscription<T>, Error> {
        let channel = self.topic.channel();
        // Books of one channel may be several for one item: only those who read them know.
        if self.overflow == Overflow::Newest && (!channel.is_whole || channel.is_book) {
            return Err(Error::NotWhole { channel: channel.id });
        }
        if self.overflow == Overflow::Block && self.streams.shares_calls(channel) {
            return Err(Error::BlocksCalls { channel: channel.id });
        }
        let room = self.streams.hub().room();
        let queue = Arc::new(Queue::new(self.overflow, self.capacity, room));
        let handle = ReaderHandle::attach(self.streams, self.topic, queue.clone()).await?;
        Ok(Subscription::new(handle, queue))
    }

    /// Keeps the order books that the messages make.
    pub fn book(self) -> SubscribeBook<T>
    where
        T: BookMessage,
    {
        SubscribeBook(self)
    }
}

/// A subscription to order books that is not made yet.
pub struct SubscribeBook<T>(Subscribe<T>);

impl<T: StreamMessage + BookMessage> SubscribeBook<T> {
    /// What is subscribed to.
    pub fn topic(&self) -> &Topic {
        self.0.topic()
    }

    /// Subscribes. Returns once the venue has accepted all of it; the books are there when their snapshots have come.
    ///
    /// # Errors
    /// As [`Subscribe::subscribe`].
    pub async fn subscribe(self) -> Result<LiveBook<T>, Error> {
        let books = Arc::new(Books::new());
        let handle = ReaderHandle::attach(self.0.streams, self.0.topic, books.clone()).await?;
        Ok(LiveBook::new(handle, books))
    }
}

/// A reader's place in the hub. It is given up when this is dropped.
pub(crate) struct ReaderHandle {
    streams: Streams,
    topic: Topic,
    reader: ReaderKey,
}

impl ReaderHandle {
    async fn attach(streams: Streams, topic: Topic, sink: Arc<dyn Sink>) -> Result<Self, Error> {
        let (reader, told) = streams.hub().attach(Now::read(), &topic, sink)?;
        // From here on the place is given up by whatever ends this, also when it is dropped while it waits.
        let handle = Self { streams, topic, reader };
        handle.streams.kick();
        // A recording says nothing before it is played.
        if !handle.streams.is_replay() {
            told.await.unwrap_or(Err(Error::Closed))?;
        }
        Ok(handle)
    }

    pub(crate) fn topic(&self) -> &Topic {
        &self.topic
    }

    pub(crate) async fn add(&mut self, items: Vec<Arc<str>>) -> Result<(), Error> {
        let told = self.streams.hub().add(Now::read(), self.reader, items.clone())?;
        self.streams.kick();
        let result = if self.streams.is_replay() { Ok(()) } else { told.await.unwrap_or(Err(Error::Closed)) };
        let refused: Vec<Arc<str>> = match &result {
            Err(Error::Refused(refused)) => {
                refused.refusals.iter().flat_map(|refusal| refusal.items.iter().cloned()).collect()
            }
            _ => Vec::new(),
        };
        let mut all = self.topic.items().unwrap_or_default().to_vec();
        all.extend(items.into_iter().filter(|item| !refused.contains(item)));
        self.set_items(all);
        result
    }

    pub(crate) fn remove(&mut self, items: &[Arc<str>]) -> Result<(), Error> {
        self.streams.hub().remove(Now::read(), self.reader, items)?;
        self.streams.kick();
        let all = self.topic.items().unwrap_or_default();
        let left = all.iter().filter(|item| !items.contains(item)).cloned().collect();
        self.set_items(left);
        Ok(())
    }

    fn set_items(&mut self, items: Vec<Arc<str>>) {
        if let Some(name) = self.topic.channel().items {
            self.topic = self.topic.clone().list(name, items);
        }
    }

    pub(crate) fn streams(&self) -> &Streams {
        &self.streams
    }

    /// A call has shown that the book of an instrument is not what the venue has.
    pub(crate) fn differs(&self, instrument: &str, why: String) {
        self.streams.differs(self.reader, instrument, why);
    }

    /// A reader waits.
    pub(crate) fn keep_running(&self) {
        self.streams.keep_running();
    }

    /// Messages were dropped for this reader on which later ones build. Returns how many hubs withhold changes from now on, and have marked
    /// its queue.
    pub(crate) fn overflowed(&self) -> usize {
        self.streams.overflowed(self.reader)
    }
}

impl Drop for ReaderHandle {
    fn drop(&mut self) {
        self.streams.hub().detach(Now::read(), self.reader);
        self.streams.kick();
    }
}

impl<T> Clone for Subscribe<T> {
    fn clone(&self) -> Self {
        Self { streams: self.streams.clone(), topic: self.topic.clone(), of: PhantomData, ..*self }
    }
}

impl<T> fmt::Debug for Subscribe<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscribe")
            .field("topic", &self.topic)
            .field("capacity", &self.capacity)
            .field("overflow", &self.overflow)
            .finish_non_exhaustive()
    }
}

impl<T> Clone for SubscribeBook<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for SubscribeBook<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SubscribeBook").field(&self.0.topic).finish()
    }
}
