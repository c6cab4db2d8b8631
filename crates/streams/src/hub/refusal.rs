//! What becomes of commands that are refused or get no reply.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use super::arena::Key;
use super::catch_up::{Brought, RecentMessages};
use super::io::{ErrorClass, Now};
use super::sequence::PerItem;
use super::slot::{Purpose, Slot};
use super::sub::{Route, SnapshotRequest, Sub, SubReader, VenueState};
use super::{Hub, ReaderKey};
use crate::error::Refusal;
use crate::event::{Ended, Missed, Reason};

/// After so many refusals of single items, and nothing accepted, the others are taken to be refused too.
const REFUSED_ALONE: u32 = 8;

/// How often a command is sent that may succeed later.
const TRIES: u32 = 5;

/// What the venue says of a command that failed.
#[derive(Clone, Copy)]
pub(super) struct CommandError<'a> {
    pub(super) code: &'a str,
    pub(super) text: &'a str,
    /// The items or topics that it names.
    pub(super) named: &'a [Cow<'a, str>],
    pub(super) class: ErrorClass,
}

/// What is known of the messages of a subscription that is over.
struct Past {
    last_heard: Option<SystemTime>,
    certain_until: Option<SystemTime>,
    ring: Option<RecentMessages>,
    per_item: PerItem,
    brought: Brought,
}

impl Past {
    fn of(sub: &mut Sub) -> Self {
        Self {
            last_heard: sub.last_heard,
            certain_until: sub.certain_until,
            ring: sub.ring.take(),
            per_item: std::mem::take(&mut sub.per_item),
            brought: std::mem::take(&mut sub.brought),
        }
    }

    /// Another subscription continues it.
    fn pass_on(&self, sub: &mut Sub) {
        (sub.last_heard, sub.certain_until) = (self.last_heard, self.certain_until);
        sub.ring = self.ring.clone();
        sub.per_item = self.per_item.clone();
        sub.brought = self.brought.clone();
    }
}

impl Hub {
    /// A command failed of which another one has brought a part: the rest of its items is asked for again.
    pub(super) fn ask_again(&mut self, key: Key<Sub>, items: &[Arc<str>]) {
        if let Some(sub) = self.subs.get_mut(key) {
            let is_open = |item: &&Arc<str>| {
                sub.sub_items.get(*item).is_some_and(|sub_item| sub_item.venue_state == VenueState::Subscribing)
            };
            let open: Vec<_> = items.iter().filter(is_open).cloned().collect();
            sub.set_venue_state(&open, VenueState::Inactive);
        }
        self.want(key);
    }

    /// A command failed as a whole though one name alone may be the reason. Where the error names it, or there is one alone, that one is
    /// refused and the others are subscribed to again; otherwise each half of them is. After an error that may not last, it is repeated later.
    pub(super) fn not_subscribed(
        &mut self,
        now: Now,
        slot: Key<Slot>,
        list: Vec<(Key<Sub>, Vec<Arc<str>>)>,
        error: CommandError<'_>,
    ) {
        let CommandError { code, text, named, class } = error;
        let is_alone = list.len() == 1;
        let is_named = |key: Key<Sub>| {
            let name = self.subs.get(key).map(|sub| sub.name.clone());
            name.is_some_and(|name| named.iter().any(|named| named.eq_ignore_ascii_case(&name)))
        };
        let (blamed, others): (Vec<_>, Vec<_>) = list.into_iter().partition(|(key, _)| is_alone || is_named(*key));
        if let Some(slot) = self.slots.get_mut(slot)
            && blamed.is_empty()
            && matches!(class, ErrorClass::Refused | ErrorClass::AlreadyHeld)
        {
            slot.batch = (others.len() / 2).max(1);
        }
        let is_later = matches!(class, ErrorClass::Retry | ErrorClass::Terminal);
        for (key, _) in others {
            if is_later && !self.may_try_again(now, key) {
                self.refused(now, key, code, text);
                continue;
            }
            if let Some(sub) = self.subs.get_mut(key) {
                sub.venue_state = VenueState::Inactive;
            }
            self.want(key);
        }
        for (key, items) in blamed {
            match class {
                ErrorClass::AlreadyHeld if self.may_try_again(now, key) => self.not_ended(key),
                _ if is_later && self.may_try_again(now, key) => {
                    if let Some(sub) = self.subs.get_mut(key) {
                        sub.venue_state = VenueState::Inactive;
                        sub.set_venue_state(&items, VenueState::Inactive);
                    }
                    self.want(key);
                }
                _ if items.is_empty() => self.refused(now, key, code, text),
                _ => {
                    if let Some(sub) = self.subs.get_mut(key) {
                        sub.venue_state = VenueState::Inactive;
                    }
                    self.refuse_items(now, key, &items, error);
                }
            }
        }
    }

    /// Whether a command that may succeed later is sent once more, after a wait.
    fn may_try_again(&mut self, now: Now, key: Key<Sub>) -> bool {
        let Some(sub) = self.subs.get_mut(key) else { return false };
        sub.failures = sub.failures.saturating_add(1);
        let failures = sub.failures;
        let wait = self.backoff(failures);
        if let Some(sub) = self.subs.get_mut(key) {
            sub.not_before = Some(now.at + wait);
        }
        failures < TRIES
    }

    /// Items could not be added to a subscription.
    pub(super) fn not_added(&mut self, now: Now, key: Key<Sub>, items: &[Arc<str>], error: CommandError<'_>) {
        if error.class == ErrorClass::Terminal {
            return self.ended_by_venue(now, key, error.code.to_owned(), error.text.to_owned());
        }
        if error.class == ErrorClass::Retry && self.may_try_again(now, key) {
            if let Some(sub) = self.subs.get_mut(key) {
                sub.set_venue_state(items, VenueState::Inactive);
            }
            return self.want(key);
        }
        self.refuse_items(now, key, items, error);
    }

    /// Items were refused: those that the venue names, or the one that was asked for alone. Of several without names half are asked for
    /// again, until it is known which.
    fn refuse_items(&mut self, now: Now, key: Key<Sub>, items: &[Arc<str>], error: CommandError<'_>) {
        let Some(sub) = self.subs.get_mut(key) else { return };
        sub.set_venue_state(items, VenueState::Inactive);
        let is_named = |item: &&Arc<str>| error.named.iter().any(|name| **name == ***item);
        let mut refused: Vec<Arc<str>> = items.iter().filter(is_named).cloned().collect();
        if refused.is_empty() {
            if items.len() > 1 {
                sub.batch = (items.len() / 2).max(1);
                return self.want(key);
            }
            sub.refused_alone += 1;
            refused = items.to_vec();
            if sub.refused_alone >= REFUSED_ALONE
                && sub.sub_items.values().all(|sub_item| sub_item.venue_state == VenueState::Inactive)
            {
                refused = sub.sub_items.keys().cloned().collect();
            }
        }
        for item in refused {
            self.refuse_item(now, key, &item, error.code, error.text);
        }
        self.want(key);
        self.catch_up_if_due(now, key);
        self.resync_all_if_certain(now, key);
    }

    pub(super) fn refuse_item(&mut self, now: Now, key: Key<Sub>, item: &Arc<str>, code: &str, text: &str) {
        let Some(sub) = self.subs.get_mut(key) else { return };
        self.stats.refused += 1;
        let refusal = Refusal {
            topic: sub.base.clone(),
            items: vec![item.clone()],
            code: code.to_owned(),
            text: text.to_owned(),
        };
        let Some(sub_item) = sub.sub_items.get(item) else { return };
        let readers: Vec<_> = sub_item.routes.iter().map(|route| route.reader).collect();
        readers.iter().for_each(|reader| sub.leave_item(*reader, item));
        sub.forget(item);
        // Who has nothing left here goes from here.
        let left: Vec<_> = readers
            .iter()
            .copied()
            .filter(|reader| {
                let mut routes = sub.whole.iter().chain(sub.sub_items.values().flat_map(|sub_item| &sub_item.routes));
                !routes.any(|route| route.reader == *reader)
            })
            .collect();
        sub.sub_readers.retain(|sub_reader| !left.contains(&sub_reader.reader));
        sub.refresh();
        let slot = sub.slot;
        for reader in left {
            if let Some(own) = self.readers.get_mut(reader) {
                own.subs.retain(|own| *own != key);
            }
        }
        self.find_blockers(slot);
        for reader in readers {
            self.refuse(now, reader, key, refusal.clone());
        }
    }

    /// A whole subscription was refused. Those who have single items of it have not asked for everything: they get their own.
    pub(super) fn refused(&mut self, now: Now, key: Key<Sub>, code: &str, text: &str) {
        let Some(sub) = self.subs.get_mut(key) else { return };
        self.stats.refused += 1;
        let refusal =
            Refusal { topic: sub.base.clone(), items: Vec::new(), code: code.to_owned(), text: text.to_owned() };
        let mut readers = Vec::new();
        let mut left: Vec<(ReaderKey, Missed, Vec<Arc<str>>)> = Vec::new();
        for SubReader { reader, missed, .. } in std::mem::take(&mut sub.sub_readers) {
            let has = |routes: &[Route]| routes.iter().any(|route| route.reader == reader);
            let items = sub.sub_items.iter().filter(|(_, sub_item)| has(&sub_item.routes));
            let items: Vec<_> = items.map(|(item, _)| item.clone()).collect();
            if !sub.is_all || items.is_empty() || has(&sub.whole) {
                readers.push(reader);
            } else {
                left.push((reader, missed, items));
            }
        }
        sub.whole.clear();
        sub.sub_items.clear();
        let base = sub.base.clone();
        let past = Past::of(sub);
        for reader in readers.iter().chain(left.iter().map(|(reader, ..)| reader)) {
            if let Some(own) = self.readers.get_mut(*reader) {
                own.subs.retain(|own| *own != key);
            }
        }
        self.drop_sub(now, key);
        let others = self.groups.get(&(base, false)).cloned().unwrap_or_default();
        for (reader, missed, items) in left {
            match self.attach_items(now, reader, Some(items)) {
                Ok(waiting) => {
                    self.goes_on(reader, missed, &past, &others);
                    self.wait_instead(reader, &(key, None), &waiting);
                }
                Err(error) => {
                    tracing::debug!(%error, "items of a subscription that was refused cannot be had alone");
                    self.end(now, reader, Ended::Refused(refusal.clone()));
                }
            }
        }
        for reader in readers {
            self.refuse(now, reader, key, refusal.clone());
        }
    }

    /// A reader has its items of another subscription from now on. What it has missed is asked for there, where that is a new one; one of
    /// the others that there were goes on without it.
    fn goes_on(&mut self, reader: ReaderKey, missed: Missed, past: &Past, others: &[Key<Sub>]) {
        let subs = self.readers.get(reader).map(|own| own.subs.clone()).unwrap_or_default();
        for key in subs {
            let Some(sub) = self.subs.get_mut(key) else { continue };
            if !others.contains(&key) && sub.venue_state == VenueState::Inactive {
                past.pass_on(sub);
            }
            if let Some(sub_reader) = sub.sub_reader(reader) {
                sub_reader.missed = sub_reader.missed.and(missed);
            }
        }
    }

    pub(super) fn not_removed(&mut self, key: Key<Sub>, items: &[Arc<str>]) {
        if let Some(sub) = self.subs.get_mut(key) {
            sub.set_venue_state(items, VenueState::Unknown);
        }
        self.want(key);
    }

    pub(super) fn no_snapshot(&mut self, now: Now, key: Key<Sub>, items: &[Arc<str>], class: ErrorClass) {
        if class == ErrorClass::Retry {
            // It is asked for again when it is due.
            return self.await_snapshots(now, key);
        }
        let is_awaited = self.subs.get(key).is_some_and(|sub| items.iter().any(|item| sub.awaiting_of(Some(item)) > 0));
        if is_awaited {
            let (code, text) = (String::new(), "a snapshot was refused".to_owned());
            self.mark_stale(now, key, &Reason::ClosedByVenue { code, text }, Missed::Unknown);
            self.resubscribe(now, key);
        }
    }

    /// A command got no reply in time.
    pub(super) fn unanswered(&mut self, now: Now, purpose: Purpose, replies: usize) {
        match purpose {
            Purpose::Subscribe(list) => {
                for (key, items) in list {
                    if replies > 0 {
                        self.rooms_over(now, key, &items, true);
                        continue;
                    }
                    if self.subs.get(key).is_none_or(|sub| sub.venue_state != VenueState::Subscribing) {
                        // The late reply to another command has brought a part of its items.
                        self.note_stray(key);
                        self.ask_again(key, &items);
                        continue;
                    }
                    self.note_stray(key);
                    // Data may have come without the reply: from here on it is not taken for what follows the next one.
                    self.note_certain(now, key);
                    let (code, text) = (String::new(), "no reply to the subscription".to_owned());
                    self.mark_stale(now, key, &Reason::ClosedByVenue { code, text }, Missed::Unknown);
                    self.may_try_again(now, key);
                    self.forget_fetch(key);
                    if let Some(sub) = self.subs.get_mut(key) {
                        sub.await_all();
                        sub.is_moving = false;
                        sub.venue_state = VenueState::Inactive;
                        sub.set_venue_state(&items, VenueState::Inactive);
                    }
                    self.want(key);
                }
            }
            Purpose::Unsubscribe(list) => list.into_iter().for_each(|key| self.not_ended(key)),
            Purpose::LeaveRoom(key, item) => self.left_room(now, key, item),
            Purpose::Add(key, items) => {
                if replies > 0 {
                    return self.rooms_over(now, key, &items, false);
                }
                self.note_stray(key);
                self.may_try_again(now, key);
                self.not_removed(key, &[]);
                if let Some(sub) = self.subs.get_mut(key) {
                    sub.set_venue_state(&items, VenueState::Inactive);
                }
            }
            Purpose::Remove(key, items) => self.not_removed(key, &items),
            Purpose::Snapshot(key, items) => {
                if let Some(sub) = self.subs.get_mut(key) {
                    for item in &items {
                        if let Some(sub_item) = sub.sub_items.get_mut(item)
                            && sub_item.snapshot_request == SnapshotRequest::Sent
                        {
                            sub_item.snapshot_request = SnapshotRequest::Wanted;
                        }
                    }
                }
                self.want(key);
            }
        }
    }

    /// A command got no reply. If the venue has carried it out, it may send on this connection what another one has by then.
    fn note_stray(&mut self, key: Key<Sub>) {
        let Some(sub) = self.subs.get(key) else { return };
        let base = sub.base.clone();
        let Some(slot) = self.slots.get_mut(sub.slot) else { return };
        for key in &slot.subs {
            if let Some(sub) = self.subs.get_mut(*key).filter(|sub| sub.base == base) {
                sub.may_stray = true;
                sub.refresh();
            }
        }
        if !slot.strays.contains(&base) {
            slot.strays.push(base);
        }
    }
}
