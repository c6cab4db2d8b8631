//! The queue of what a connection is to send. It is bounded for each subscription.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::log::Outgoing;
use crate::faults::Fault;

/// How a connection ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CloseReason {
    /// Without a word.
    Abort,
    Close(u16, String),
}

/// The reader of a subscription is too slow.
#[derive(Debug)]
pub(crate) struct QueueFull;

/// The queue of one connection. A copy is a handle on the same one.
#[derive(Clone, Debug)]
pub(crate) struct SendQueue(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    queue: Mutex<Queue>,
    changed: Notify,
}

#[derive(Debug)]
struct Queue {
    frames: VecDeque<Outgoing>,
    /// How many frames of each subscription wait.
    counts: HashMap<Option<u64>, usize>,
    /// So many frames of one subscription may wait.
    limit: usize,
    /// When the venue wants to be asked.
    tick_at: Option<Instant>,
    end: Option<CloseReason>,
    closed: bool,
}

impl Queue {
    fn uncount(&mut self, subscription: Option<u64>) {
        if let Some(count) = self.counts.get_mut(&subscription) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&subscription);
            }
        }
    }
}

impl SendQueue {
    pub(crate) fn new(limit: usize) -> Self {
        let queue =
            Queue { frames: VecDeque::new(), counts: HashMap::new(), limit, tick_at: None, end: None, closed: false };
        Self(Arc::new(Inner { queue: Mutex::new(queue), changed: Notify::new() }))
    }

    /// Puts a frame behind all others.
    pub(crate) fn push(&self, outgoing: Outgoing) -> Result<(), QueueFull> {
        let mut queue = self.queue();
        if queue.closed {
            return Ok(());
        }
        let limit = queue.limit;
        let count = queue.counts.entry(outgoing.about.subscription).or_default();
        if *count >= limit {
            return Err(QueueFull);
        }
        *count += 1;
        queue.frames.push_back(outgoing);
        drop(queue);
        self.0.changed.notify_one();
        Ok(())
    }

    /// Keeps back what waits for a subscription that is over.
    pub(crate) fn withdraw(&self, subscription: u64) {
        let mut queue = self.queue();
        let own = |outgoing: &&mut Outgoing| outgoing.about.subscription == Some(subscription);
        queue.frames.iter_mut().filter(own).for_each(|outgoing| outgoing.fault = Some(Fault::SlowReader));
        queue.counts.remove(&Some(subscription));
    }

    /// Ends the connection once everything that waits has gone.
    pub(crate) fn end(&self, end: CloseReason) {
        self.queue().end.get_or_insert(end);
        self.0.changed.notify_one();
    }

    /// Has the venue asked at a time, or at an earlier one that it named before.
    pub(crate) fn tick_at(&self, at: Instant) {
        let mut queue = self.queue();
        queue.tick_at = Some(queue.tick_at.map_or(at, |known| known.min(at)));
        drop(queue);
        self.0.changed.notify_one();
    }

    /// When the venue wants to be asked.
    pub(super) fn next_tick(&self) -> Option<Instant> {
        self.queue().tick_at
    }

    pub(super) fn ticked(&self) {
        self.queue().tick_at = None;
    }

    /// Has the next wait end at once.
    pub(super) fn tell_again(&self) {
        self.0.changed.notify_one();
    }

    /// Waits until something has changed.
    pub(super) async fn changed(&self) {
        self.0.changed.notified().await;
    }

    pub(super) fn pop(&self) -> Option<Outgoing> {
        let mut queue = self.queue();
        let outgoing = queue.frames.pop_front()?;
        queue.uncount(outgoing.about.subscription);
        Some(outgoing)
    }

    /// How the connection is to end, once nothing waits any more.
    pub(super) fn is_over(&self) -> Option<CloseReason> {
        let queue = self.queue();
        queue.end.clone().filter(|_| queue.frames.is_empty())
    }

    /// Takes nothing any more, and gives what still waits.
    pub(super) fn close(&self) -> VecDeque<Outgoing> {
        let mut queue = self.queue();
        queue.closed = true;
        queue.counts.clear();
        std::mem::take(&mut queue.frames)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::log::FrameMetadata;
    use super::*;

    fn of(subscription: u64) -> Outgoing {
        let about = FrameMetadata { subscription: Some(subscription), ..FrameMetadata::default() };
        Outgoing::new(subscription.to_string(), about, None)
    }

    #[test]
    fn each_subscription_has_its_own_bound() {
        let outbox = SendQueue::new(2);
        assert!(outbox.push(of(1)).is_ok() && outbox.push(of(1)).is_ok() && outbox.push(of(2)).is_ok());
        assert!(outbox.push(of(1)).is_err());
        assert_eq!(outbox.pop().unwrap().text, "1");
        assert!(outbox.push(of(1)).is_ok(), "there is room again");
        assert!(outbox.push(of(1)).is_err());
        outbox.withdraw(1);
        assert!(outbox.push(of(1)).is_ok(), "the word that it is over");
        let rest: Vec<_> =
            std::iter::from_fn(|| outbox.pop()).map(|one| (one.text.to_string(), one.fault.is_some())).collect();
        let expected = [("1", true), ("2", false), ("1", true), ("1", false)];
        assert_eq!(rest, expected.map(|(text, withheld)| (text.to_owned(), withheld)));
    }

    #[test]
    fn what_waits_goes_before_the_end() {
        let outbox = SendQueue::new(2);
        outbox.push(of(1)).unwrap();
        outbox.end(CloseReason::Close(1000, "done".to_owned()));
        assert_eq!(outbox.is_over(), None);
        outbox.pop().unwrap();
        assert_eq!(outbox.is_over(), Some(CloseReason::Close(1000, "done".to_owned())));
    }
}
