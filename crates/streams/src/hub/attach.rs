//! Readers come and go.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use tokio::sync::oneshot;
use venuekit_wire::stream::Recovery;

use super::arena::Key;
use super::io::{Now, Output};
use super::reader::{PendingItem, PendingResult, Reader};
use super::sub::{ResyncedBy, SnapshotRequest, Sub, VenueState};
use super::{Hub, ReaderKey};
use crate::error::{Error, Refusal};
use crate::event::{Ended, Reason, Stale};
use crate::sink::{Sink, State};
use crate::topic::Topic;

/// The venue's word, once it has come.
pub(crate) type ResultReceiver = oneshot::Receiver<Result<(), Error>>;

impl Hub {
    /// Attaches a reader. It gets data from now on; the result is whether the venue has accepted all of it.
    pub(crate) fn attach(
        &mut self,
        now: Now,
        topic: &Topic,
        sink: Arc<dyn Sink>,
    ) -> Result<(ReaderKey, ResultReceiver), Error> {
        topic.check()?;
        if self.is_closed {
            return Err(Error::Closed);
        }
        let base = match topic.channel().items {
            Some(items) => topic.clone().without(items),
            None => topic.clone(),
        };
        self.reader_changes += 1;
        let items = topic.items().map(<[_]>::to_vec);
        let reader = self.readers.insert(Reader {
            sink,
            base,
            subs: Vec::new(),
            items: items.as_ref().map(|items| items.iter().cloned().collect()),
            is_started: false,
            is_stale: false,
            stale_items: BTreeMap::new(),
            is_refused: false,
            pending_results: Vec::new(),
        });
        match self.attach_items(now, reader, items) {
            Ok(waiting) => {
                let result = self.pending_result(now, reader, waiting, true);
                self.finish(now);
                Ok((reader, result))
            }
            Err(error) => {
                self.detach(now, reader);
                Err(error)
            }
        }
    }

    /// A reader wants more items.
    pub(crate) fn add(&mut self, now: Now, reader: ReaderKey, items: Vec<Arc<str>>) -> Result<ResultReceiver, Error> {
        let own = self.readers.get(reader).ok_or(Error::Closed)?;
        let Some(has) = &own.items else { return Err(no_items(own)) };
        let more: Vec<_> = items.into_iter().filter(|item| !has.contains(item)).collect();
        if !more.is_empty() {
            let name = own.base.channel().items.unwrap_or_default();
            own.base.clone().list(name, more.clone()).check()?;
        }
        let waiting = match self.attach_items(now, reader, Some(more.clone())) {
            Ok(waiting) => waiting,
            Err(error) => {
                self.take_items(now, reader, &more);
                return Err(error);
            }
        };
        if let Some(own) = self.readers.get_mut(reader) {
            own.items.get_or_insert_default().extend(more);
        }
        self.reader_changes += 1;
        let result = self.pending_result(now, reader, waiting, false);
        self.finish(now);
        Ok(result)
    }

    /// A reader wants no more of some items.
    pub(crate) fn remove(&mut self, now: Now, reader: ReaderKey, items: &[Arc<str>]) -> Result<(), Error> {
        let own = self.readers.get(reader).ok_or(Error::Closed)?;
        if own.items.is_none() {
            return Err(no_items(own));
        }
        self.reader_changes += 1;
        self.take_items(now, reader, items);
        self.resync_if_certain(now, reader);
        self.finish(now);
        Ok(())
    }

    fn take_items(&mut self, now: Now, reader: ReaderKey, items: &[Arc<str>]) {
        let Some(own) = self.readers.get_mut(reader) else { return };
        for item in items {
            own.stale_items.remove(item);
            if let Some(has) = &mut own.items {
                has.remove(item);
            }
        }
        for key in own.subs.clone() {
            let Some(sub) = self.subs.get_mut(key) else { continue };
            items.iter().for_each(|item| sub.leave_item(reader, item));
            let is_empty = !sub
                .whole
                .iter()
                .chain(sub.sub_items.values().flat_map(|sub_item| &sub_item.routes))
                .any(|route| route.reader == reader);
            if is_empty {
                self.detach_from(now, reader, key);
            } else {
                sub.refresh();
                self.want(key);
                self.catch_up_if_due(now, key);
                self.ask_if_all_wait(now, key);
            }
        }
    }

    /// Detaches a reader. It gets nothing more.
    pub(crate) fn detach(&mut self, now: Now, reader: ReaderKey) {
        let Some(own) = self.readers.get(reader) else { return };
        for sub in own.subs.clone() {
            self.detach_from(now, reader, sub);
        }
        self.reader_changes += 1;
        self.readers.remove(reader);
        self.finish(now);
    }

    /// Ends a reader: nothing follows.
    pub(super) fn end(&mut self, now: Now, reader: ReaderKey, ended: Ended) {
        let Some(own) = self.readers.get_mut(reader) else { return };
        own.sink.state(State::Ended(ended.clone()));
        for pending_result in std::mem::take(&mut own.pending_results) {
            let error = match &ended {
                Ended::Closed => Error::Closed,
                Ended::Failed(why) => Error::Connection(why.clone()),
                Ended::Refused(refusal) => Error::Refused(crate::error::Refused { refusals: vec![refusal.clone()] }),
            };
            let _ = pending_result.tell.send(Err(error));
        }
        for sub in own.subs.clone() {
            self.detach_from(now, reader, sub);
        }
        self.reader_changes += 1;
        self.readers.remove(reader);
    }

    /// Ends everything: all readers, and subscriptions by closing their connections.
    pub(crate) fn close(&mut self, now: Now) {
        self.is_closed = true;
        for reader in self.readers.keys() {
            self.end(now, reader, Ended::Closed);
        }
        for key in self.slots.keys() {
            self.close_slot(key);
        }
        self.finish(now);
        self.end_if_over();
    }

    pub(super) fn end_if_over(&mut self) {
        if self.is_over() {
            self.over.notify_waiters();
            self.outputs.push_back(Output::End);
        }
    }

    /// A slow reader reads again, and messages were dropped for it on which later ones build. From here on changes are withheld from it until
    /// a snapshot comes, and its queue is marked. Returns whether it was.
    pub(crate) fn overflowed(&mut self, now: Now, reader: ReaderKey) -> bool {
        let Some(own) = self.readers.get_mut(reader) else { return false };
        own.is_stale = true;
        own.sink.withhold();
        for key in own.subs.clone() {
            let Some(sub) = self.subs.get_mut(key) else { continue };
            if sub.resynced_by != ResyncedBy::Snapshot {
                continue;
            }
            let items: Vec<_> = sub
                .sub_items
                .iter()
                .filter(|(_, sub_item)| sub_item.routes.iter().any(|route| route.reader == reader))
                .map(|(item, _)| item.clone())
                .collect();
            for item in &items {
                sub.await_reader(reader, item);
            }
            sub.await_reader_whole(reader);
            if !sub.can_ask() {
                // Another reader is not to pay for this one.
                self.ask_if_all_wait(now, key);
                continue;
            }
            for item in &items {
                if let Some(sub_item) = sub.sub_items.get_mut(item)
                    && sub_item.venue_state == VenueState::Active
                    && sub_item.snapshot_request == SnapshotRequest::None
                {
                    sub_item.snapshot_request = SnapshotRequest::Wanted;
                }
            }
            self.want(key);
        }
        self.finish(now);
        true
    }

    /// Where a snapshot costs all readers theirs: asks for one if no reader has any, and none is on its way.
    fn ask_if_all_wait(&mut self, now: Now, key: Key<Sub>) {
        let Some(sub) = self.subs.get(key) else { return };
        let is_held = sub.venue_state == VenueState::Active && !sub.is_resubscribing;
        let all_wait = sub.is_wanted() && sub.sub_readers.iter().all(|sub_reader| sub_reader.awaiting > 0);
        let is_coming = sub.snapshot_due.is_some() || sub.fetch.is_some();
        if sub.resynced_by != ResyncedBy::Snapshot || sub.can_ask() || !is_held || !all_wait || is_coming {
            return;
        }
        if self.calls_for_snapshots(key) {
            self.fetch_again(now, key);
        } else {
            self.resubscribe(now, key);
        }
    }

    /// Gives a reader its share in subscriptions: those that are there, and new ones. Returns what the venue has not accepted yet.
    pub(super) fn attach_items(
        &mut self,
        now: Now,
        reader: ReaderKey,
        items: Option<Vec<Arc<str>>>,
    ) -> Result<HashSet<PendingItem>, Error> {
        let Some(own) = self.readers.get(reader) else { return Err(Error::Closed) };
        let base = own.base.clone();
        let mut waiting = HashSet::new();
        let Some(items) = items else {
            let key = match self.groups.get(&(base.clone(), true)).and_then(|keys| keys.first()) {
                Some(key) => *key,
                None => self.place(now, &base, true)?,
            };
            self.join(now, reader, key, None, &mut waiting);
            return Ok(waiting);
        };
        // Who has everything has these too.
        let everything = self.groups.get(&(base.clone(), true)).and_then(|keys| keys.first()).copied();
        if let Some(key) = everything.filter(|_| base.channel().item.is_some()) {
            for item in &items {
                self.join(now, reader, key, Some(item), &mut waiting);
            }
            return Ok(waiting);
        }
        let mut rest = Vec::with_capacity(items.len());
        for item in items {
            let keys = self.groups.get(&(base.clone(), false));
            let found = keys
                .into_iter()
                .flatten()
                .copied()
                .find(|key| self.subs.get(*key).is_some_and(|sub| sub.sub_items.contains_key(&item)));
            match found {
                Some(key) => self.join(now, reader, key, Some(&item), &mut waiting),
                None => rest.push(item),
            }
        }
        let mut rest = rest.into_iter().peekable();
        let shares = self.groups.get(&(base.clone(), false)).cloned().unwrap_or_default();
        for key in shares {
            let Some(slot) = self.subs.get(key).and_then(|sub| self.slots.get(sub.slot)) else { continue };
            for _ in 0..self.free(slot) {
                let Some(item) = rest.next() else { break };
                self.join(now, reader, key, Some(&item), &mut waiting);
            }
        }
        while rest.peek().is_some() {
            let key = self.place(now, &base, false)?;
            // It weighs one already.
            let free = self.subs.get(key).and_then(|sub| self.slots.get(sub.slot)).map_or(0, |slot| self.free(slot));
            for item in rest.by_ref().take(free + 1) {
                self.join(now, reader, key, Some(&item), &mut waiting);
            }
        }
        Ok(waiting)
    }

    fn join(
        &mut self,
        now: Now,
        reader: ReaderKey,
        key: Key<Sub>,
        item: Option<&Arc<str>>,
        waiting: &mut HashSet<PendingItem>,
    ) {
        let (Some(own), Some(sub)) = (self.readers.get_mut(reader), self.subs.get_mut(key)) else { return };
        if !own.subs.contains(&key) {
            own.subs.push(key);
        }
        let state = match item.filter(|_| !sub.is_all) {
            Some(item) if sub.venue_state == VenueState::Active => {
                sub.sub_items.get(item).map_or(VenueState::Inactive, |sub_item| sub_item.venue_state)
            }
            _ => sub.venue_state,
        };
        let is_held = state == VenueState::Active && !sub.is_resubscribing;
        // One may be on its way: then there is nothing to ask for. A reader that waits because it was too slow waits for the next one,
        // whenever that comes.
        let is_coming = sub.is_coming(item);
        let needs_snapshot = is_held && sub.resynced_by == ResyncedBy::Snapshot && !is_coming;
        let can_ask = sub.can_ask();
        // Where a snapshot would cost the other readers theirs, one of them may have what is needed.
        let is_copied = needs_snapshot && !can_ask && sub.is_healthy() && sub.copy_state_to(&own.sink);
        let needs_snapshot = needs_snapshot && !is_copied;
        sub.join(reader, &own.sink, item, !is_held || (sub.resynced_by == ResyncedBy::Snapshot && !is_copied));
        // What is being caught up is given to all: between it nothing is certain.
        if (sub.certain_until.is_some() || sub.catch.is_some()) && !own.is_stale {
            (own.is_started, own.is_stale) = (true, true);
            own.sink.state(State::Stale(Stale { reason: Reason::CatchUp, item: None, since: now.wall }));
        }
        if needs_snapshot
            && can_ask
            && let Some(sub_item) = item.and_then(|item| sub.sub_items.get_mut(item))
        {
            sub_item.snapshot_request = SnapshotRequest::Wanted;
        }
        sub.refresh();
        let needs_another = needs_snapshot && !can_ask;
        let is_called = needs_another && matches!(sub.channel.recovery, Recovery::Call(_));
        let is_resubscribing = needs_another && !is_called;
        let slot = sub.slot;
        if is_held && !is_resubscribing {
            own.is_started |= !is_called;
        } else {
            waiting.insert((key, item.filter(|_| !sub.is_all).cloned()));
        }
        if is_resubscribing {
            // Those who have a snapshot learn that it is going to be replaced; the new one has nothing that could be uncertain.
            self.mark_stale(now, key, &Reason::Shared, crate::event::Missed::Unknown);
            self.resubscribe(now, key);
        } else if is_called {
            self.mark_stale(now, key, &Reason::Shared, crate::event::Missed::Unknown);
            self.fetch_again(now, key);
        }
        self.want(key);
        self.find_blockers(slot);
    }

    /// Takes a reader's share in a subscription.
    fn detach_from(&mut self, now: Now, reader: ReaderKey, key: Key<Sub>) {
        if let Some(own) = self.readers.get_mut(reader) {
            own.subs.retain(|own| *own != key);
            for pending_result in &mut own.pending_results {
                pending_result.waiting.retain(|(sub, _)| *sub != key);
            }
        }
        let Some(sub) = self.subs.get_mut(key) else { return };
        sub.leave(reader);
        sub.refresh();
        let slot = sub.slot;
        if !sub.is_wanted() && sub.venue_state == VenueState::Inactive {
            self.drop_sub(now, key);
        } else {
            self.want(key);
            // The item that the catch-up waited for may be gone.
            self.catch_up_if_due(now, key);
            // Those that are left may all have been too slow.
            self.ask_if_all_wait(now, key);
        }
        self.find_blockers(slot);
    }

    fn pending_result(
        &mut self,
        now: Now,
        reader: ReaderKey,
        waiting: HashSet<PendingItem>,
        is_first: bool,
    ) -> ResultReceiver {
        let (tell, result) = oneshot::channel();
        let after = self.config.subscribe_within;
        let deadline = now.later(after);
        let pending_result = PendingResult { waiting, refusals: Vec::new(), deadline, after, is_first, tell };
        if pending_result.waiting.is_empty() {
            pending_result.resolve();
        } else if let Some(own) = self.readers.get_mut(reader) {
            own.pending_results.push(pending_result);
            self.schedule(deadline);
        }
        result
    }

    /// The venue has accepted something that readers wait for.
    pub(super) fn accept(&mut self, reader: ReaderKey, key: Key<Sub>, item: Option<&Arc<str>>) {
        let Some(own) = self.readers.get_mut(reader) else { return };
        (own.is_started, own.is_refused) = (true, false);
        self.answered(reader, &(key, item.cloned()), None);
    }

    /// The venue has refused something of a reader: a caller that waits gets an error, others an event.
    pub(super) fn refuse(&mut self, now: Now, reader: ReaderKey, key: Key<Sub>, refusal: Refusal) {
        let pending_item = (key, refusal.items.first().cloned());
        let Some(own) = self.readers.get_mut(reader) else { return };
        if let Some(items) = &mut own.items {
            items.retain(|item| !refusal.items.contains(item));
        }
        own.stale_items.retain(|item, _| !refusal.items.contains(item));
        let is_first = own.pending_results.iter().any(|pending_result| pending_result.is_first);
        let is_asked = own.pending_results.iter().any(|pending_result| pending_result.waiting.contains(&pending_item));
        let is_over = own.items.as_ref().is_none_or(HashSet::is_empty) && !is_first;
        if is_asked {
            // Where the reader has given up what it had, it may add something else. Where that was refused, nothing is left of it.
            let is_ended = is_over && own.is_refused;
            self.answered(reader, &pending_item, Some(refusal.clone()));
            if is_ended {
                return self.end(now, reader, Ended::Refused(refusal));
            }
        } else if is_over {
            return self.end(now, reader, Ended::Refused(refusal));
        } else {
            own.is_refused |= own.waits_for_all();
            own.sink.state(State::Refused(refusal));
        }
        // The refused item may have been the only uncertain one. A reader that has not begun gets no more events once all is refused.
        if self.readers.get(reader).is_some_and(|own| !own.subs.is_empty() || !is_first) {
            self.resync_if_certain(now, reader);
        }
    }

    /// A caller waits for something else than before.
    pub(super) fn wait_instead(&mut self, reader: ReaderKey, before: &PendingItem, now_for: &HashSet<PendingItem>) {
        let Some(own) = self.readers.get_mut(reader) else { return };
        for pending_result in own.pending_results.iter_mut().filter(|own| own.waiting.contains(before)) {
            pending_result.waiting.extend(now_for.iter().cloned());
        }
        self.answered(reader, before, None);
    }

    fn answered(&mut self, reader: ReaderKey, pending_item: &PendingItem, refusal: Option<Refusal>) {
        let Some(own) = self.readers.get_mut(reader) else { return };
        let mut open = Vec::new();
        for mut pending_result in std::mem::take(&mut own.pending_results) {
            if pending_result.waiting.remove(pending_item)
                && let Some(refusal) = &refusal
            {
                pending_result.refuse(refusal.clone());
            }
            if pending_result.waiting.is_empty() {
                pending_result.resolve();
            } else {
                open.push(pending_result);
            }
        }
        own.pending_results = open;
    }

    /// Ends waits that took too long.
    pub(super) fn tick_pending_results(&mut self, now: Now) {
        let mut next = None;
        for key in self.readers.keys() {
            let Some(own) = self.readers.get_mut(key) else { continue };
            if own.pending_results.is_empty() {
                continue;
            }
            let slots = own.subs.iter().filter_map(|sub| self.subs.get(*sub)?.slot.into());
            let last = slots.into_iter().find_map(|slot| self.slots.get(slot)?.last_error.clone());
            let (late, open) = std::mem::take(&mut own.pending_results)
                .into_iter()
                .partition(|pending_result| pending_result.deadline <= now.at);
            own.pending_results = open;
            next = own.pending_results.iter().map(|pending_result| pending_result.deadline).chain(next).min();
            let late: Vec<PendingResult> = late;
            for pending_result in late {
                let _ =
                    pending_result.tell.send(Err(Error::Timeout { after: pending_result.after, last: last.clone() }));
            }
        }
        if let Some(next) = next {
            self.schedule(next);
        }
    }
}

fn no_items(reader: &Reader) -> Error {
    let channel = reader.base.channel();
    Error::Topic(crate::topic::TopicError::UnknownParameter {
        channel: channel.id,
        parameter: channel.items.unwrap_or("items").to_owned(),
    })
}
