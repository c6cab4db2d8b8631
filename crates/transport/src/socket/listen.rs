//! Other listeners to the messages of a connection, beside the calls and the user's handler.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::SystemTime;

use bytes::Bytes;

/// Hears what happens on a WebSocket, before anybody else does. It is called from the task that reads the connection. A connection is
/// named by its number, since for a while there may be two: one, and the one whose place it has taken.
#[doc(hidden)]
pub trait Listen: Send + Sync {
    /// A message as it came. Returns whether it is a notification that the listener has taken: of one that nobody takes, and that no
    /// handler receives, nothing more is read.
    fn message(&self, number: u64, body: &Bytes) -> bool;

    /// All that had arrived by this time was handed over. It is called about once a second while nothing is left to be read.
    fn drained(&self, number: u64, by: SystemTime);

    /// A connection is open, with its settings made. Numbers count upwards; the same one may be reported twice.
    fn opened(&self, number: u64);

    /// Another connection has taken the place of this one, which ends soon.
    fn replaced(&self, number: u64);

    /// A connection that was open is over.
    fn lost(&self, number: u64, reason: &str, how: &LostHow);

    /// Whether nothing more should be read before there is room again.
    fn is_full(&self) -> bool;

    /// Returns once there is room.
    fn room(&self) -> Room<'_>;
}

/// How a connection ended.
#[doc(hidden)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LostHow {
    /// The venue closed it with a frame.
    Closed {
        /// The frame's code.
        code: u16,
        /// Its text.
        reason: String,
    },
    /// It ended without one.
    Cut,
    /// Nothing was heard for too long.
    Silent,
    /// Otherwise.
    Other,
}

/// What waits for room.
#[doc(hidden)]
pub type Room<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// The listeners of a WebSocket.
#[derive(Default)]
pub(crate) struct Listeners(RwLock<Vec<Weak<dyn Listen>>>);

impl Listeners {
    pub(crate) fn add(&self, listener: Weak<dyn Listen>) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.retain(|held| held.strong_count() > 0);
        all.push(listener);
    }

    /// Notifies each of them. None of them is called while the list is locked for writing.
    pub(crate) fn each(&self, mut tell: impl FnMut(&dyn Listen)) {
        for listener in self.0.read().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade) {
            tell(&*listener);
        }
    }

    /// Whether one of them has taken a message.
    pub(crate) fn take(&self, number: u64, body: &Bytes) -> bool {
        let mut is_taken = false;
        self.each(|listener| is_taken |= listener.message(number, body));
        is_taken
    }

    /// One that has no room.
    pub(crate) fn full(&self) -> Option<Arc<dyn Listen>> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter_map(Weak::upgrade).find(|listener| listener.is_full())
    }
}
