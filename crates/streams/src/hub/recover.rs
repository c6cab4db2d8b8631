//! What is uncertain, and how it becomes certain again.

use std::sync::Arc;
use std::time::Duration;

use venuekit_wire::stream::Recovery;

use super::arena::Key;
use super::io::Now;
use super::sequence::Step;
use super::slot::Slot;
use super::sub::{ResyncedBy, SnapshotRequest, Sub, VenueState};
use super::{Hub, ReaderKey};
use crate::event::{Missed, Reason, Resynced, Silent, Stale};
use crate::live_book::is_of;
use crate::sink::State;

/// A subscription that was sound for so long is begun again at once when it is not.
pub(super) const HEALTHY: Duration = Duration::from_secs(30);

/// The longest wait for a snapshot before it is asked for again.
const LONGEST: Duration = Duration::from_secs(300);

impl Hub {
    /// Readers of a subscription learn that what they have is uncertain.
    pub(super) fn mark_stale(&mut self, now: Now, key: Key<Sub>, reason: &Reason, missed: Missed) {
        let Some(sub) = self.subs.get_mut(key) else { return };
        // What follows is not another attempt of those of long ago.
        if sub.healthy_since.take().is_some_and(|since| now.at.duration_since(since) >= HEALTHY) {
            sub.tries = 0;
        }
        // Who has had nothing has missed nothing, but is given what others have missed.
        let is_caught_up = sub.certain_until.is_some() || sub.catch.is_some();
        for sub_reader in &mut sub.sub_readers {
            let reader = self.readers.get_mut(sub_reader.reader).filter(|reader| reader.is_started || is_caught_up);
            let Some(reader) = reader else { continue };
            reader.is_started = true;
            sub_reader.missed = sub_reader.missed.and(missed);
            sub_reader.sink.distrust();
            if !std::mem::replace(&mut reader.is_stale, true) {
                sub_reader.sink.state(State::Stale(Stale { reason: reason.clone(), item: None, since: now.wall }));
            }
        }
    }

    /// The same for one item.
    fn mark_item_stale(&mut self, now: Now, key: Key<Sub>, item: &Arc<str>, reason: &Reason) {
        let Some(sub_item) = self.subs.get(key).and_then(|sub| sub.sub_items.get(item)) else { return };
        for route in &sub_item.routes {
            let Some(reader) = self.readers.get_mut(route.reader).filter(|reader| reader.is_started) else { continue };
            if !reader.is_stale && reader.stale_items.insert(item.clone(), Missed::Unknown).is_none() {
                let item = Some(item.clone());
                route.sink.state(State::Stale(Stale { reason: reason.clone(), item, since: now.wall }));
            }
        }
    }

    /// An item has what opens it: it is certain again.
    pub(super) fn arrived(&mut self, now: Now, readers: &[ReaderKey], item: Option<&str>) {
        for key in readers {
            if let Some(item) = item
                && let Some(reader) = self.readers.get_mut(*key)
                && let Some((item, missed)) = reader.stale_items.remove_entry(item)
                && !reader.is_stale
            {
                reader.sink.state(State::Resynced(Resynced { item: Some(item), missed, caught_up: 0 }));
            }
            self.resync_if_certain(now, *key);
        }
    }

    /// A reader learns that everything is certain again, once it is.
    pub(super) fn resync_if_certain(&mut self, now: Now, key: ReaderKey) {
        let Some(reader) = self.readers.get_mut(key) else { return };
        if !reader.is_stale {
            return;
        }
        let is_certain = reader.subs.iter().filter_map(|sub| self.subs.get(*sub)).all(|sub| {
            sub.is_healthy()
                && sub
                    .sub_readers
                    .iter()
                    .find(|sub_reader| sub_reader.reader == key)
                    .is_none_or(|sub_reader| sub_reader.awaiting == 0)
                && sub.has_parts_of(key)
        });
        if !is_certain {
            return;
        }
        reader.is_stale = false;
        reader.stale_items.clear();
        let (mut missed, mut caught_up) = (Missed::None, 0);
        for sub in &reader.subs {
            let Some(sub) = self.subs.get_mut(*sub) else { continue };
            sub.healthy_since.get_or_insert(now.at);
            if let Some(sub_reader) = sub.sub_reader(key) {
                missed = missed.and(std::mem::take(&mut sub_reader.missed));
                caught_up += std::mem::take(&mut sub_reader.caught_up);
            }
        }
        reader.sink.state(State::Resynced(Resynced { item: None, missed, caught_up }));
    }

    /// Has every reader of a subscription looked at.
    pub(super) fn resync_all_if_certain(&mut self, now: Now, key: Key<Sub>) {
        let readers: Vec<_> = self
            .subs
            .get(key)
            .into_iter()
            .flat_map(|sub| &sub.sub_readers)
            .map(|sub_reader| sub_reader.reader)
            .collect();
        readers.into_iter().for_each(|reader| self.resync_if_certain(now, reader));
    }

    /// Remembers until when everything was certain: until its last frame before now. Those of other subscriptions say nothing: it may be that
    /// since then everything of this one was lost.
    pub(super) fn note_certain(&mut self, now: Now, key: Key<Sub>) {
        let venue_time = self.venue_time(now);
        let Some(sub) = self.subs.get_mut(key) else { return };
        let is_started = |reader| self.readers.get(reader).is_some_and(|reader| reader.is_started);
        if !sub.sub_readers.iter().any(|sub_reader| is_started(sub_reader.reader)) {
            return;
        }
        if sub.certain_until.is_none() && matches!(sub.channel.recovery, Recovery::CatchUp(_)) {
            // A time that is later than now was noted before the clock was corrected.
            sub.certain_until = sub.last_heard.map(|heard| heard.min(venue_time));
        }
    }

    /// A subscription does not go on where it should.
    pub(super) fn gap(&mut self, now: Now, key: Key<Sub>, step: Step) {
        let (reason, missed) = match step {
            Step::Next | Step::Duplicate => return,
            // What is counted is not what is sent.
            Step::Gap { expected, got, .. } if self.calls_for_snapshots(key) => {
                (Reason::Gap { expected, got }, Missed::Unknown)
            }
            Step::Gap { expected, got, missing } => (Reason::Gap { expected, got }, Missed::Exactly(missing)),
            Step::Restart { expected, got } => (Reason::Gap { expected, got }, Missed::Unknown),
            Step::NoStart => (Reason::NoSnapshot, Missed::Unknown),
        };
        self.stats.gaps += 1;
        self.recover(now, key, &reason, missed);
        if let Missed::Exactly(missing) = missed {
            self.count_missing(key, missing);
        }
    }

    /// Notifies readers, and does what makes data certain again.
    pub(super) fn recover(&mut self, now: Now, key: Key<Sub>, reason: &Reason, missed: Missed) {
        self.mark_stale(now, key, reason, missed);
        let Some(sub) = self.subs.get_mut(key) else { return };
        match sub.channel.recovery {
            Recovery::Snapshot if sub.can_ask() => {
                sub.await_all();
                for sub_item in sub.sub_items.values_mut().filter(|sub_item| {
                    sub_item.venue_state == VenueState::Active && sub_item.snapshot_request == SnapshotRequest::None
                }) {
                    sub_item.snapshot_request = SnapshotRequest::Wanted;
                }
                self.await_snapshots(now, key);
                self.want(key);
            }
            Recovery::Snapshot | Recovery::Resubscribe => self.resubscribe(now, key),
            Recovery::Call(_) => self.fetch_again(now, key),
            Recovery::Next => sub.await_all(),
            Recovery::CatchUp(_) => self.catch_up(now, key, false),
            // Nothing more will be known: readers learn that behind the message that showed it.
            Recovery::Never => {}
        }
    }

    /// Where snapshots can be asked for one by one: has all of them asked for again, also those that are on their way.
    pub(super) fn needs_snapshots(&mut self, now: Now, key: Key<Sub>) -> bool {
        let Some(sub) = self.subs.get_mut(key) else { return false };
        if sub.channel.recovery != Recovery::Snapshot || !sub.can_ask() {
            return false;
        }
        for sub_item in sub.sub_items.values_mut().filter(|sub_item| sub_item.venue_state == VenueState::Active) {
            sub_item.snapshot_request = SnapshotRequest::Wanted;
        }
        self.await_snapshots(now, key);
        self.want(key);
        true
    }

    /// A book cannot be true: its messages are asked for again.
    pub(super) fn fault(&mut self, now: Now, key: Key<Sub>, item: Option<&str>, fault: String) {
        self.stats.book_faults += 1;
        let reason = Reason::BookFault(fault);
        let Some(sub) = self.subs.get_mut(key) else { return };
        let can_ask = sub.channel.recovery == Recovery::Snapshot && sub.can_ask();
        let item = item.and_then(|item| sub.sub_items.get_key_value(item)).map(|(item, _)| item.clone());
        match item {
            Some(item) if can_ask => {
                sub.await_item(&item);
                if let Some(sub_item) = sub.sub_items.get_mut(&item)
                    && sub_item.snapshot_request == SnapshotRequest::None
                {
                    sub_item.snapshot_request = SnapshotRequest::Wanted;
                }
                self.mark_item_stale(now, key, &item, &reason);
                self.await_snapshots(now, key);
                self.want(key);
            }
            _ => self.recover(now, key, &reason, Missed::Unknown),
        }
    }

    /// A call has shown that what a reader has made of its messages is not what the venue has.
    pub(crate) fn differs(&mut self, now: Now, reader: ReaderKey, instrument: &str, why: String) {
        let subs = self.readers.get(reader).map(|reader| reader.subs.clone()).unwrap_or_default();
        let item_of = |key: &Key<Sub>| {
            let items = self.subs.get(*key)?.sub_items.keys();
            items.into_iter().find(|item| is_of(instrument, item)).map(|item| (*key, Some(item.to_string())))
        };
        let found = subs.iter().find_map(item_of).or_else(|| Some((*subs.first()?, None)));
        if let Some((key, item)) = found {
            self.fault(now, key, item.as_deref(), why);
        }
        self.finish(now);
    }

    /// Ends a subscription and begins it again. One that was not sound for long waits for its new beginning.
    pub(super) fn resubscribe(&mut self, now: Now, key: Key<Sub>) {
        let Some(sub) = self.subs.get_mut(key) else { return };
        if sub.is_resubscribing {
            return;
        }
        sub.is_resubscribing = true;
        sub.await_all();
        sub.chain = super::sequence::Chain::default();
        sub.updates = super::sequence::Updates::default();
        sub.snapshot_due = None;
        let was_healthy = sub.healthy_since.take().is_some_and(|since| now.at.duration_since(since) >= HEALTHY);
        sub.tries = if was_healthy { 0 } else { sub.tries.saturating_add(1) };
        let tries = sub.tries;
        if tries > 1 {
            let wait = self.backoff(tries);
            if let Some(sub) = self.subs.get_mut(key) {
                sub.not_before = Some(now.at + wait);
            }
        }
        self.forget_fetch(key);
        self.want(key);
    }

    /// What the venue has accepted is to send something within the time that its table says.
    pub(super) fn await_first(&mut self, now: Now, key: Key<Sub>) {
        let Some(sub) = self.subs.get_mut(key) else { return };
        if sub.channel.first_within == 0 || sub.has_sent || sub.first_due.is_some() {
            return;
        }
        let due = now.at + Duration::from_secs(sub.channel.first_within.into());
        sub.first_due = Some(due);
        self.schedule(due);
    }

    pub(super) fn tick_first(&mut self, now: Now, key: Key<Sub>) {
        let Some(sub) = self.subs.get_mut(key) else { return };
        let Some(due) = sub.first_due else { return };
        if due > now.at {
            return self.schedule(due);
        }
        let after = Duration::from_secs(sub.channel.first_within.into());
        if self.slots.get(sub.slot).is_some_and(Slot::is_unread) {
            let due = now.at + after;
            sub.first_due = Some(due);
            return self.schedule(due);
        }
        // It is reported once, whatever becomes of the connection.
        (sub.first_due, sub.has_sent) = (None, true);
        self.stats.silent += 1;
        let silent = Silent { topic: sub.base.clone(), after };
        for sub_reader in &sub.sub_readers {
            sub_reader.sink.state(State::Silent(silent.clone()));
        }
    }

    /// Snapshots that do not come are asked for again after a while.
    pub(super) fn await_snapshots(&mut self, now: Now, key: Key<Sub>) {
        let within = self.config.reply_within;
        if self.calls_for_snapshots(key) {
            return self.fetch_snapshot(now, key);
        }
        let Some(sub) = self.subs.get_mut(key) else { return };
        if sub.resynced_by == ResyncedBy::Snapshot && sub.snapshot_due.is_none() && sub.awaiting() > 0 {
            let due = now.at + within;
            sub.snapshot_due = Some(due);
            self.schedule(due);
        }
    }

    pub(super) fn tick_snapshots(&mut self, now: Now, key: Key<Sub>) {
        let within = self.config.reply_within;
        let Some(sub) = self.subs.get_mut(key) else { return };
        let Some(due) = sub.snapshot_due else { return };
        if due > now.at {
            return self.schedule(due);
        }
        if self.slots.get(sub.slot).is_some_and(Slot::is_unread) {
            let due = now.at + within;
            sub.snapshot_due = Some(due);
            return self.schedule(due);
        }
        sub.snapshot_due = None;
        if sub.awaiting() == 0 || sub.venue_state != VenueState::Active || sub.is_resubscribing {
            return;
        }
        sub.snapshot_rounds += 1;
        let next = now.at + within.saturating_mul(1 << sub.snapshot_rounds.min(8)).min(LONGEST);
        let can_ask = sub.can_ask();
        if !can_ask {
            // Those who have a snapshot learn that another one takes its place.
            self.mark_stale(now, key, &Reason::Shared, Missed::Unknown);
            return self.resubscribe(now, key);
        }
        for sub_item in sub.sub_items.values_mut() {
            if sub_item.venue_state == VenueState::Active && sub_item.routes.iter().any(|route| route.is_awaiting) {
                sub_item.snapshot_request = SnapshotRequest::Wanted;
            }
        }
        sub.snapshot_due = Some(next);
        self.schedule(next);
        self.want(key);
    }
}
