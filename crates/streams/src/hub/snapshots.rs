//! Snapshots by a call, and the changes that come until one is there.
//!
//! Changes are kept as they come. The call is made once the first one is there, so that what it returns is hardly older. A snapshot that
//! ends before the first change that is kept leaves a hole: another one is asked for, and the changes stay. The others are delivered, with
//! those of the changes that they do not contain yet.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use venuekit_wire::stream::{Recovery, SnapshotCall};

use super::Hub;
use super::arena::Key;
use super::catch_up::MOST_HELD;
use super::io::{CatchUpId, Now, Output, Record, SnapshotRequest};
use super::recover::HEALTHY;
use super::sequence::Updates;
use super::sub::{Sub, VenueState, integer_at};
use crate::event::{Missed, Origin, Reason};
use crate::sink::{Entry, Kind};

/// So many bytes of changes are kept.
const MOST_BYTES: usize = 64 << 20;

/// The waits before a snapshot is asked for again that was too old, or that could not be had: twice as long each time.
const AGAIN: Duration = Duration::from_millis(500);

/// The longest of these waits.
const LONGEST: Duration = Duration::from_secs(30);

/// A snapshot that is not there yet.
#[derive(Default)]
pub(crate) struct SnapshotFetch {
    /// The call that is in flight.
    pub(crate) call: Option<CatchUpId>,
    /// When it counts as lost.
    deadline: Option<Instant>,
    /// When the call is made, also where no change has come.
    next_at: Option<Instant>,
    /// Not before this.
    not_before: Option<Instant>,
    /// How many were of no use.
    attempts: u32,
    /// Changes without a hole between them.
    held: VecDeque<Entry>,
    bytes: usize,
    /// The first and the last update in them.
    range: Option<(i64, i64)>,
}

impl SnapshotFetch {
    /// Keeps a change. Returns whether those before it are given up: there is a hole between them, or there are too many.
    fn hold(&mut self, entry: Entry, first: Option<i64>, last: Option<i64>) -> bool {
        let (Some(first), Some(last)) = (first, last) else {
            self.clear();
            return true;
        };
        let bytes = entry.raw.len();
        let begun = match self.range {
            Some((_, own)) if last <= own => return false,
            Some((begun, own)) if first <= own.saturating_add(1) => Some(begun),
            _ => None,
        };
        let is_full = self.held.len() >= MOST_HELD || self.bytes + bytes > MOST_BYTES;
        let is_lost = self.range.is_some() && (begun.is_none() || is_full);
        if is_lost {
            self.clear();
        }
        let begun = begun.filter(|_| !is_lost).unwrap_or(first);
        self.range = Some((begun, last));
        self.bytes += bytes;
        self.held.push_back(entry);
        is_lost
    }

    fn clear(&mut self) {
        self.held.clear();
        (self.bytes, self.range) = (0, None);
    }

    fn is_idle(&self) -> bool {
        self.call.is_none()
    }
}

fn words_of(sub: &Sub) -> Option<&'static SnapshotCall> {
    match sub.channel.recovery {
        Recovery::Call(words) => Some(words),
        _ => None,
    }
}

impl Hub {
    /// Whether snapshots of a subscription come by a call.
    pub(super) fn calls_for_snapshots(&self, key: Key<Sub>) -> bool {
        self.subs.get(key).is_some_and(|sub| words_of(sub).is_some())
    }

    /// The venue sends what changes, and a reader waits for a snapshot.
    pub(super) fn fetch_snapshot(&mut self, now: Now, key: Key<Sub>) {
        let within = self.config.first_change_within;
        let Some(sub) = self.subs.get_mut(key) else { return };
        if words_of(sub).is_none() || sub.awaiting() == 0 || sub.is_resubscribing {
            return;
        }
        if sub.fetch.is_none() && sub.updates.is_begun() {
            // Until the snapshot is there changes are kept from those too who have one: they learn that another one takes its place.
            self.mark_stale(now, key, &Reason::Shared, Missed::Unknown);
            return self.fetch_again(now, key);
        }
        sub.direct = None;
        let fetch = sub.fetch.get_or_insert_default();
        if !fetch.is_idle() || fetch.next_at.is_some() || sub.venue_state != VenueState::Active {
            return;
        }
        let wait = if fetch.range.is_some() { Duration::ZERO } else { within };
        let next = fetch.not_before.unwrap_or(now.at).max(now.at + wait);
        fetch.next_at = Some(next);
        self.schedule(next);
        self.tick_fetch(now, key);
    }

    /// What readers have is of no use any longer: they wait for another snapshot. One that was not sound for long waits before it asks.
    pub(super) fn fetch_again(&mut self, now: Now, key: Key<Sub>) {
        let Some(sub) = self.subs.get_mut(key) else { return };
        sub.await_all();
        sub.updates = Updates::default();
        let was_healthy = sub.healthy_since.take().is_some_and(|since| now.at.duration_since(since) >= HEALTHY);
        sub.tries = if was_healthy { 0 } else { sub.tries.saturating_add(1) };
        let tries = sub.tries;
        let wait = if tries > 1 { self.backoff(tries) } else { Duration::ZERO };
        let Some(sub) = self.subs.get_mut(key) else { return };
        if sub.fetch.is_none() {
            sub.fetch = Some(SnapshotFetch { not_before: Some(now.at + wait), ..SnapshotFetch::default() });
        }
        self.fetch_snapshot(now, key);
    }

    /// Nothing is sent any longer.
    pub(super) fn forget_fetch(&mut self, key: Key<Sub>) {
        let fetch = self.subs.get_mut(key).and_then(|sub| sub.fetch.take());
        if let Some(call) = fetch.and_then(|fetch| fetch.call) {
            self.forget_catch_up(call);
        }
    }

    /// Keeps a change until the snapshot is there.
    pub(super) fn hold_change(&mut self, now: Now, key: Key<Sub>, entry: Entry, numbers: (Option<i64>, Option<i64>)) {
        let Some(sub) = self.subs.get_mut(key) else { return };
        let fetch = sub.fetch.get_or_insert_default();
        sub.direct = None;
        if fetch.hold(entry, numbers.0, numbers.1) {
            self.stats.gaps += 1;
        }
        // It is there: no need to wait for it.
        let Some(fetch) = self.subs.get_mut(key).and_then(|sub| sub.fetch.as_mut()) else { return };
        if fetch.is_idle() && fetch.attempts == 0 && fetch.range.is_some() {
            fetch.next_at = Some(fetch.not_before.unwrap_or(now.at).max(now.at));
            self.tick_fetch(now, key);
        }
    }

    pub(super) fn tick_fetch(&mut self, now: Now, key: Key<Sub>) {
        let Some(fetch) = self.subs.get_mut(key).and_then(|sub| sub.fetch.as_mut()) else { return };
        if let Some(deadline) = fetch.deadline {
            if deadline > now.at {
                return self.schedule(deadline);
            }
            fetch.deadline = None;
            if let Some(call) = fetch.call.take() {
                self.forget_catch_up(call);
                self.no_fetch(now, key);
            }
        } else if let Some(next) = fetch.next_at {
            if next > now.at {
                return self.schedule(next);
            }
            self.call_for_snapshot(now, key);
        }
    }

    fn call_for_snapshot(&mut self, now: Now, key: Key<Sub>) {
        let deadline = now.at + self.config.catch_up_within;
        let Some(sub) = self.subs.get_mut(key) else { return };
        let (Some(words), Some(fetch)) = (words_of(sub), &mut sub.fetch) else { return };
        self.last_catch_up += 1;
        let id = CatchUpId(self.last_catch_up);
        (fetch.call, fetch.deadline, fetch.next_at) = (Some(id), Some(deadline), None);
        self.outputs.push_back(Output::Snapshot(SnapshotRequest { id, words, topic: sub.base.clone() }));
        self.catch_ups.insert(id, key);
        self.schedule(deadline);
    }

    /// No snapshot, or one that is of no use: another one is asked for.
    fn no_fetch(&mut self, now: Now, key: Key<Sub>) {
        let Some(fetch) = self.subs.get_mut(key).and_then(|sub| sub.fetch.as_mut()) else { return };
        fetch.attempts = fetch.attempts.saturating_add(1);
        let wait = AGAIN.saturating_mul(1 << (fetch.attempts - 1).min(16)).min(LONGEST);
        let next = now.at + wait;
        (fetch.call, fetch.deadline, fetch.next_at) = (None, None, Some(next));
        self.schedule(next);
    }

    /// Has what a call returned recorded, so that a replay has it too.
    pub(super) fn note_snapshot(&mut self, now: Now, id: CatchUpId, records: &[Record]) {
        let Some(sub) = self.catch_ups.get(&id).and_then(|key| self.subs.get(*key)) else { return };
        let is_snapshot = sub.fetch.as_ref().is_some_and(|fetch| fetch.call == Some(id));
        let Some(slot) = self.slots.get(sub.slot).filter(|_| is_snapshot) else { return };
        // Of two connections the one has sent the changes that the recording has.
        let connection = slot.replaced.map(|replaced| replaced.connection).or_else(|| slot.connection());
        let (Some(recorder), Some(connection)) = (&mut self.recorder, connection) else { return };
        for record in records {
            recorder.snapshot(now, slot.endpoint.name, connection, &sub.base.to_string(), &record.text);
        }
    }

    /// What the call returned.
    pub(super) fn snapshot_came(&mut self, now: Now, key: Key<Sub>, result: Result<Vec<Record>, String>) {
        let Some(sub) = self.subs.get_mut(key) else { return };
        let (Some(words), Some(fetch)) = (words_of(sub), &mut sub.fetch) else { return };
        (fetch.call, fetch.deadline) = (None, None);
        let text = result.and_then(|records| {
            let text = records.into_iter().next().map(|record| record.text).ok_or("there is none")?;
            let number = integer_at(&text, words.number).ok_or_else(|| format!("it has no `{}`", words.number))?;
            Ok((text, number))
        });
        let (text, number) = match text {
            Ok(read) => read,
            Err(why) => {
                tracing::debug!(channel = sub.channel.id, why, "a snapshot cannot be had");
                self.stats.failed_catch_ups += 1;
                return self.no_fetch(now, key);
            }
        };
        // The update behind the snapshot's last one is in no change that is there.
        if fetch.range.is_some_and(|(first, _)| first > number.saturating_add(1)) {
            tracing::debug!(channel = sub.channel.id, number, "a snapshot is older than the first change");
            self.stats.old_snapshots += 1;
            return self.no_fetch(now, key);
        }
        let Ok(length) = u32::try_from(text.len()) else { return self.no_fetch(now, key) };
        let held = std::mem::take(&mut fetch.held);
        sub.fetch = None;
        sub.updates = Updates::after(number);
        let entry = Entry {
            raw: text,
            data: 0..length,
            kind: Kind::Known(words.kind),
            received: now.wall,
            sent: None,
            sequence: None,
            origin: Origin::CatchUp,
            replaced: 0,
            is_record: true,
        };
        self.stats.messages += 1;
        self.deliver(now, key, entry);
        // Those that it contains are dropped on their way. After a fault they are kept once more.
        for entry in held {
            self.message(now, key, entry);
        }
        if let Some(sub) = self.subs.get_mut(key) {
            sub.refresh();
        }
    }
}
