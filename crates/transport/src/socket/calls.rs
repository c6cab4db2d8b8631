//! Who waits for which response, and whether their request has left.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use venuekit_wire::operation::Operation;

use crate::message::Message;

/// How far a request has come. The side that moves it on from `QUEUED` decides alone whether it is sent.
#[derive(Debug, Default)]
pub(crate) struct Stage(AtomicU8);

const QUEUED: u8 = 0;
const TAKEN: u8 = 1;
const GIVEN_UP: u8 = 2;

impl Stage {
    /// Takes the request for sending, unless it was cancelled.
    pub(crate) fn take(&self) -> bool {
        self.0.compare_exchange(QUEUED, TAKEN, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Gives the request up. Says whether it is certain that it is not sent.
    pub(crate) fn give_up(&self) -> bool {
        let before = self.0.compare_exchange(QUEUED, GIVEN_UP, Ordering::AcqRel, Ordering::Acquire);
        !matches!(before, Err(TAKEN))
    }
}

/// A request on its way to the connection.
pub(crate) struct Outgoing {
    pub(crate) id: u64,
    pub(crate) text: String,
    /// Its share of the outbox.
    pub(crate) room: OwnedSemaphorePermit,
    pub(crate) stage: Arc<Stage>,
    pub(crate) waiting: Waiting,
}

/// A call that waits for a response, and what it changes for the connection.
pub(crate) struct Waiting {
    pub(crate) answer: oneshot::Sender<Message>,
    /// The venue responds by closing the connection, if it does what it is asked.
    pub(crate) closes: bool,
    /// It relies on the log-on of the connection, in place of a signature.
    pub(crate) is_logged_on: bool,
    pub(crate) change: Option<Change>,
}

/// A call that makes or ends a setting of its connection, with its params.
pub(crate) struct Change {
    pub(crate) operation: &'static Operation,
    pub(crate) params: String,
}

/// Ids count upwards and are ours, so that they are spread well as they are.
#[derive(Default)]
struct ById(u64);

impl Hasher for ById {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, id: u64) {
        // The table chooses groups by the low bits, and distinguishes entries by the high ones.
        self.0 = id ^ id.rotate_left(57);
    }
}

/// The requests that have left, by their ids.
pub(crate) struct Calls {
    waiting: HashMap<u64, Waiting, BuildHasherDefault<ById>>,
    /// Calls that may be in flight at once. Cancelled ones stay until there are this many.
    limit: usize,
    /// Cancelled calls that relied on the log-on and stay no longer. The venue may still refuse them.
    forgotten: usize,
}

/// The calls that the end of a log-on concerns.
pub(crate) struct LoggedOn {
    /// Those that somebody still waits for.
    pub(crate) waiting: Vec<Waiting>,
    /// All without a response, cancelled ones included: each may be the one that the venue refused.
    pub(crate) in_flight: usize,
}

impl Calls {
    pub(crate) fn new(limit: usize) -> Self {
        Self { waiting: HashMap::default(), limit, forgotten: 0 }
    }

    pub(crate) fn add(&mut self, id: u64, waiting: Waiting) {
        if self.waiting.len() >= self.limit * 2 {
            let cancelled = self.waiting.extract_if(|_, waiting| waiting.answer.is_closed());
            self.forgotten += cancelled.filter(|(_, waiting)| waiting.is_logged_on).count();
        }
        self.waiting.insert(id, waiting);
    }

    pub(crate) fn remove(&mut self, id: u64) -> Option<Waiting> {
        self.waiting.remove(&id)
    }

    /// Those that rely on the log-on of the connection. They wait no longer.
    pub(crate) fn take_logged_on(&mut self) -> LoggedOn {
        let taken = self.waiting.extract_if(|_, waiting| waiting.is_logged_on).map(|(_, waiting)| waiting);
        let mut waiting: Vec<Waiting> = taken.collect();
        let in_flight = waiting.len() + std::mem::take(&mut self.forgotten);
        waiting.retain(|waiting| !waiting.answer.is_closed());
        LoggedOn { waiting, in_flight }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_two_decides_whether_a_request_is_sent() {
        let stage = Stage::default();
        assert!(stage.take());
        assert!(!stage.give_up(), "it has left");
        let stage = Stage::default();
        assert!(stage.give_up());
        assert!(!stage.take(), "nobody waits any more");
        assert!(stage.give_up(), "still not sent");
    }

    #[test]
    fn calls_that_were_given_up_do_not_pile_up() {
        let mut calls = Calls::new(4);
        let mut kept = Vec::new();
        for id in 0..1000 {
            let (answer, receiver) = oneshot::channel();
            calls.add(id, Waiting { answer, closes: false, is_logged_on: id % 2 == 1, change: None });
            if id < 4 {
                kept.push(receiver);
            }
        }
        assert!(calls.waiting.len() <= 8, "{}", calls.waiting.len());
        let logged_on = calls.take_logged_on();
        assert_eq!((logged_on.waiting.len(), logged_on.in_flight), (2, 500), "1 and 3, and those that were cancelled");
        assert!([0, 2].iter().all(|id| calls.remove(*id).is_some()), "those that wait are kept");
        assert!([1, 3].iter().all(|id| calls.remove(*id).is_none()));
        assert_eq!(calls.take_logged_on().in_flight, 0, "each counts once");
    }
}
