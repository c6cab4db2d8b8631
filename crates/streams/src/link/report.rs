//! What tasks report to the hub. However a task ends, the hub is notified of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Shared, lock};
use crate::hub::Hub;
use crate::hub::io::{CatchUpId, ConnectionId, Input, Lost, LostCause, Now, Record};

/// What the task of a connection reports.
pub(super) struct Report {
    pub(super) shared: Arc<Shared>,
    id: ConnectionId,
    endpoint: &'static str,
    /// The clock beside which it runs.
    clock: u64,
    is_done: bool,
}

impl Report {
    pub(super) fn new(shared: Arc<Shared>, id: ConnectionId, endpoint: &'static str) -> Self {
        let clock = shared.running.load(Ordering::Acquire);
        Self { shared, id, endpoint, clock, is_done: false }
    }

    pub(super) fn id(&self) -> ConnectionId {
        self.id
    }

    /// It is open and logged in.
    pub(super) fn opened(&self) {
        tracing::info!(venue = self.shared.table.venue, endpoint = self.endpoint, "a connection for streams is open");
        lock(&self.shared.opened).insert(self.endpoint);
        self.shared.hub(|hub| hub.input(Now::read(), Input::Opened(self.id)));
        self.shared.kick();
    }

    /// Feeds the hub, and does what it wants then.
    pub(super) fn feed(&self, feeds: impl FnOnce(&mut Hub)) {
        self.shared.hub(feeds);
        self.shared.kick();
    }

    /// It is over.
    pub(super) fn lost(mut self, lost: Lost) {
        let Lost { cause, is_final, .. } = &lost;
        tracing::info!(
            venue = self.shared.table.venue,
            endpoint = self.endpoint,
            ?cause,
            is_final,
            "a connection for streams is over"
        );
        self.is_done = true;
        self.shared.hub(|hub| hub.input(Now::read(), Input::Lost(self.id, lost)));
        self.shared.kick();
    }

    /// Everything is over, and nothing is listening.
    pub(super) fn end(mut self) {
        self.is_done = true;
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        // Nothing ends this task so but a panic in it, or the end of its runtime: the hub learns of it before waiting tasks are woken.
        if !std::thread::panicking() {
            self.shared.stopped(self.clock);
        }
        let cause = LostCause::Failed("its task has ended, with its runtime perhaps".to_owned());
        let lost = Lost { cause, is_final: false, retry_after: None };
        self.shared.hub(|hub| hub.input(Now::read(), Input::Lost(self.id, lost)));
        // It may be dropped by the code that starts tasks.
        self.shared.kick_if_free();
    }
}

/// What the task of a call that catches up reports.
pub(super) struct CatchUpReport {
    shared: Arc<Shared>,
    id: CatchUpId,
    is_done: bool,
}

impl CatchUpReport {
    pub(super) fn new(shared: Arc<Shared>, id: CatchUpId) -> Self {
        Self { shared, id, is_done: false }
    }

    pub(super) fn done(mut self, records: Result<Vec<Record>, String>) {
        self.is_done = true;
        self.shared.hub(|hub| hub.input(Now::read(), Input::CaughtUp(self.id, records)));
        self.shared.kick();
    }

    pub(super) fn forget(mut self) {
        self.is_done = true;
    }
}

impl Drop for CatchUpReport {
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        // The hub does not know the number any more where it has given the call up.
        let failed = Err("its task has ended".to_owned());
        self.shared.hub(|hub| hub.input(Now::read(), Input::CaughtUp(self.id, failed)));
        self.shared.kick_if_free();
    }
}
