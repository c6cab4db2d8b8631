//! One reader, as the hub knows it.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::arena::Key;
use super::sub::Sub;
use crate::error::{Error, Refusal, Refused};
use crate::event::Missed;
use crate::sink::Sink;
use crate::topic::Topic;

/// What a caller waits for: a subscription, or an item of one.
pub(crate) type PendingItem = (Key<Sub>, Option<Arc<str>>);

/// One reader.
pub(crate) struct Reader {
    pub(crate) sink: Arc<dyn Sink>,
    /// The topic without items.
    pub(crate) base: Topic,
    pub(crate) subs: Vec<Key<Sub>>,
    /// Its items. None: everything.
    pub(crate) items: Option<HashSet<Arc<str>>>,
    /// The venue has accepted something of it: from now on it is notified of what becomes uncertain.
    pub(crate) is_started: bool,
    /// Everything is uncertain.
    pub(crate) is_stale: bool,
    /// What is uncertain of single items.
    pub(crate) stale_items: BTreeMap<Arc<str>, Missed>,
    /// The venue has refused the last item that it had, and has accepted none since.
    pub(crate) is_refused: bool,
    pub(crate) pending_results: Vec<PendingResult>,
}

impl Reader {
    /// Whether a caller waits for each item that it has.
    pub(crate) fn waits_for_all(&self) -> bool {
        let waits = |item| self.pending_results.iter().any(|own| own.waits_for(item));
        self.items.as_ref().is_some_and(|items| items.iter().all(waits))
    }
}

/// A caller that waits for the venue's responses.
pub(crate) struct PendingResult {
    pub(crate) waiting: HashSet<PendingItem>,
    pub(crate) refusals: Vec<Refusal>,
    pub(crate) deadline: Instant,
    pub(crate) after: Duration,
    /// It is for the reader itself, not for more items.
    pub(crate) is_first: bool,
    pub(crate) tell: oneshot::Sender<Result<(), Error>>,
}

impl PendingResult {
    fn waits_for(&self, item: &Arc<str>) -> bool {
        self.waiting.iter().any(|(_, own)| own.as_ref() == Some(item))
    }

    /// Adds a refusal to those with the same words.
    pub(crate) fn refuse(&mut self, refusal: Refusal) {
        let same = self.refusals.iter_mut().find(|own| {
            (&own.topic, &own.code, &own.text) == (&refusal.topic, &refusal.code, &refusal.text)
                && !own.items.is_empty()
        });
        match same {
            Some(own) => own.items.extend(refusal.items),
            None => self.refusals.push(refusal),
        }
    }

    /// Sends the result to the caller.
    pub(crate) fn resolve(self) {
        let is_refused = !self.refusals.is_empty();
        let result = if is_refused { Err(Error::Refused(Refused { refusals: self.refusals })) } else { Ok(()) };
        // The caller may have dropped its future.
        let _ = self.tell.send(result);
    }
}
