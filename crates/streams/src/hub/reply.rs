//! Replies to commands.

use std::sync::Arc;

use venuekit_wire::stream::Dialect;

use super::arena::Key;
use super::io::{Body, ErrorClass, Frame, Handle, Now, Reply};
use super::refusal::CommandError;
use super::slot::{Purpose, Slot};
use super::sub::{ResyncedBy, Sub, VenueState};
use super::{Hub, ReaderKey};
use crate::event::{Missed, Reason};

/// How many ends of subscriptions are remembered that came before their beginnings.
const DEAD: usize = 64;

impl Hub {
    pub(super) fn reply(&mut self, now: Now, key: Key<Slot>, frame: Frame<'_>) {
        let is_serial = self.is_serial();
        let Some(slot) = self.slots.get_mut(key) else { return };
        slot.silent_commands = 0;
        // Where replies do not say what they reply to, it is the command that waits for one.
        let command = frame.command.or_else(|| {
            let waiting = slot.pending.iter().find(|(_, pending)| !pending.is_expired);
            waiting.or_else(|| slot.pending.iter().next_back()).map(|(id, _)| *id).filter(|_| is_serial)
        });
        let purpose = command.and_then(|id| Some((id, slot.pending.get(&id)?.purpose.clone())));
        let Some((id, purpose)) = purpose else { return self.unasked(now, key, frame) };
        let Body::Reply(reply) = &frame.body else { return };
        if let (Handle::Room(room), Reply::Subscribed { .. } | Reply::Ok) = (frame.handle, reply) {
            return self.joined_room(now, key, id, purpose, room);
        }
        if let Some(slot) = self.slots.get_mut(key) {
            slot.pending.remove(&id);
        }
        match purpose {
            Purpose::Subscribe(list) => self.subscribed(now, key, list, reply, &frame),
            Purpose::Unsubscribe(list) => match reply {
                Reply::Error { class: ErrorClass::Retry, .. } => list.into_iter().for_each(|sub| self.not_ended(sub)),
                _ => list.into_iter().for_each(|sub| self.ended(sub)),
            },
            Purpose::LeaveRoom(sub, item) => self.left_room(now, sub, item),
            Purpose::Add(sub, items) => match reply {
                Reply::Error { code, text, items: named, class } => {
                    self.not_added(now, sub, &items, CommandError { code, text, named, class: *class });
                }
                _ => self.added(now, sub, &items),
            },
            Purpose::Remove(sub, items) => match reply {
                Reply::Error { class: ErrorClass::Retry, .. } => self.not_removed(sub, &items),
                // What cannot be taken away comes, and is not passed on.
                _ => self.removed(now, sub, &items),
            },
            Purpose::Snapshot(sub, items) => {
                if let Reply::Error { class, .. } = reply {
                    self.no_snapshot(now, sub, &items, *class);
                }
            }
        }
    }

    /// A response to no known command: the venue has ended a subscription, or it is shown to all readers.
    fn unasked(&mut self, now: Now, key: Key<Slot>, frame: Frame<'_>) {
        let by_number = |number| self.slots.get(key).and_then(|slot| slot.by_number.get(&number)).copied();
        let sub = match frame.handle {
            Handle::Number(number) => by_number(number),
            _ => None,
        };
        match (&frame.body, sub) {
            (Body::Reply(Reply::Error { code, text, class: ErrorClass::Terminal, .. }), Some(sub)) => {
                let (code, text) = (code.to_string(), text.to_string());
                self.ended_by_venue(now, sub, code, text);
            }
            (Body::Reply(Reply::Unsubscribed), Some(sub)) => {
                if self.subs.get(sub).is_some_and(|sub| sub.is_wanted() && !sub.is_resubscribing) {
                    self.ended_by_venue(now, sub, String::new(), "unsubscribed".to_owned());
                } else {
                    self.ended(sub);
                }
            }
            (Body::Reply(Reply::Ok | Reply::Names(_) | Reply::Subscribed { .. }), _) => {}
            (Body::Reply(Reply::Error { class: ErrorClass::Terminal, .. }), None) => {
                if let (Handle::Number(number), Some(slot)) = (frame.handle, self.slots.get_mut(key))
                    && slot.dead.len() < DEAD
                {
                    slot.dead.push_back(number);
                }
                self.show_unassigned(now, key, &frame, None);
            }
            _ => self.show_unassigned(now, key, &frame, None),
        }
    }

    /// The venue ended a subscription that readers want: it is begun again.
    pub(super) fn ended_by_venue(&mut self, now: Now, key: Key<Sub>, code: String, text: String) {
        self.stats.ended_by_venue += 1;
        self.note_certain(now, key);
        self.mark_stale(now, key, &Reason::ClosedByVenue { code, text }, Missed::Unknown);
        self.resubscribe(now, key);
        self.ended(key);
    }

    /// It is unknown whether the venue has ended a subscription: it is unsubscribed once more. A reader that wants it waits for a new one.
    pub(super) fn not_ended(&mut self, key: Key<Sub>) {
        if let Some(sub) = self.subs.get_mut(key) {
            sub.venue_state = VenueState::Unknown;
            sub.is_resubscribing = true;
        }
        self.want(key);
    }

    /// The venue has nothing of a subscription any longer.
    pub(super) fn ended(&mut self, key: Key<Sub>) {
        let is_serial = self.is_serial();
        self.suspend_catch_up(key);
        let Some(sub) = self.subs.get_mut(key) else { return };
        let number = sub.clear_subscription();
        let slot = sub.slot;
        if let Some(slot) = self.slots.get_mut(slot) {
            slot.by_room.retain(|_, own| *own != key);
            // What replies come yet to its commands say nothing of the subscription that follows.
            for pending in slot.pending.values_mut().filter(|_| !is_serial) {
                match &mut pending.purpose {
                    Purpose::Subscribe(list) => list.retain(|(own, _)| *own != key),
                    Purpose::Unsubscribe(list) => list.retain(|own| *own != key),
                    Purpose::Add(own, _) | Purpose::Remove(own, _) | Purpose::Snapshot(own, _) if *own == key => {
                        pending.purpose = Purpose::Unsubscribe(Vec::new());
                    }
                    _ => {}
                }
            }
            if let Some(number) = number {
                slot.end_number(number);
            }
        }
        self.want(key);
    }

    fn subscribed(
        &mut self,
        now: Now,
        slot_key: Key<Slot>,
        list: Vec<(Key<Sub>, Vec<Arc<str>>)>,
        reply: &Reply<'_>,
        frame: &Frame<'_>,
    ) {
        match reply {
            Reply::Names(names) => {
                let most = self.table.limits.per_command.max(1);
                if let Some(slot) = self.slots.get_mut(slot_key) {
                    slot.batch = (slot.batch * 2).min(most);
                }
                let names: std::collections::HashSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
                for (key, _) in list {
                    let is_in = self.subs.get(key).is_some_and(|sub| names.contains(&sub.name.to_lowercase()));
                    if is_in {
                        self.accepted(now, key, &[]);
                    } else {
                        self.refused(now, key, "", "the venue left it out of what it accepted");
                    }
                }
            }
            Reply::Subscribed { .. } | Reply::Ok => {
                for (key, items) in list {
                    if let Handle::Number(number) = frame.handle {
                        self.number(now, slot_key, key, number, &items);
                    } else {
                        self.accepted(now, key, &items);
                    }
                }
            }
            Reply::Unsubscribed => {}
            Reply::Error { code, text, items: named, class } => {
                // Another command of the same, whose response came late, has been accepted meanwhile.
                let is_held =
                    |key: Key<Sub>| self.subs.get(key).is_some_and(|sub| sub.venue_state == VenueState::Active);
                let (held, list): (Vec<_>, Vec<_>) = list.into_iter().partition(|(key, _)| is_held(*key));
                held.iter().for_each(|(key, items)| self.ask_again(*key, items));
                if list.is_empty() {
                    return;
                }
                self.not_subscribed(now, slot_key, list, CommandError { code, text, named, class: *class });
            }
        }
    }

    fn number(&mut self, now: Now, slot_key: Key<Slot>, key: Key<Sub>, number: i64, items: &[Arc<str>]) {
        let Some(sub) = self.subs.get_mut(key) else {
            // No reader wants it any longer, and it has not been unsubscribed.
            return;
        };
        sub.number = Some(number);
        if let Some(slot) = self.slots.get_mut(slot_key) {
            slot.by_number.insert(number, key);
        }
        self.accepted(now, key, items);
        self.assign_frames(now, slot_key, number, key);
        let Some(slot) = self.slots.get_mut(slot_key) else { return };
        if let Some(at) = slot.dead.iter().position(|own| *own == number) {
            slot.dead.remove(at);
            self.ended_by_venue(now, key, String::new(), "it ended before it began".to_owned());
        }
    }

    /// A room of a subscription.
    fn joined_room(&mut self, now: Now, slot_key: Key<Slot>, id: u32, purpose: Purpose, room: &str) {
        let (key, items) = match &purpose {
            Purpose::Subscribe(list) => match list.first() {
                Some((key, items)) => (*key, items.clone()),
                None => return,
            },
            Purpose::Add(key, items) => (*key, items.clone()),
            Purpose::LeaveRoom(key, item) => {
                if let Some(slot) = self.slots.get_mut(slot_key) {
                    slot.pending.remove(&id);
                }
                return self.left_room(now, *key, item.clone());
            }
            _ => return,
        };
        let Some(slot) = self.slots.get_mut(slot_key) else { return };
        let room: Arc<str> = room.into();
        slot.by_room.insert(room.clone(), key);
        let is_whole = match slot.pending.get_mut(&id) {
            Some(pending) => {
                pending.replies += 1;
                pending.replies >= items.len().max(1)
            }
            None => false,
        };
        if is_whole {
            slot.pending.remove(&id);
        }
        let separator = match self.table.dialect {
            Dialect::Messages(words) => words.room_separator,
            _ => ':',
        };
        if let Some(sub) = self.subs.get_mut(key) {
            let names = |item: &str| room.split(separator).any(|segment| segment.eq_ignore_ascii_case(item));
            let item = items.iter().find(|item| names(item)).cloned();
            sub.rooms.push((room, item));
        }
        if is_whole {
            match purpose {
                Purpose::Add(..) => self.added(now, key, &items),
                _ => self.accepted(now, key, &items),
            }
        }
    }

    pub(super) fn left_room(&mut self, now: Now, key: Key<Sub>, item: Option<Arc<str>>) {
        let Some(sub) = self.subs.get(key) else { return };
        if sub.is_resubscribing {
            if sub.rooms.is_empty() { self.ended(key) } else { self.want(key) }
        } else if let Some(item) = item {
            self.removed(now, key, &[item]);
        }
    }

    /// The venue has accepted a subscription.
    fn accepted(&mut self, now: Now, key: Key<Sub>, items: &[Arc<str>]) {
        let most = self.subs.get(key).map_or(1, |sub| self.batch(sub.channel));
        let arrived = self.arrived_at(now.after);
        let is_serial = self.is_serial();
        let Some(sub) = self.subs.get_mut(key) else { return };
        if sub.venue_state == VenueState::Active && !sub.is_all && items.is_empty() {
            return;
        }
        // A late reply: the command that ends it was sent after the one that began it.
        if sub.venue_state == VenueState::Unsubscribing && !is_serial {
            return;
        }
        sub.venue_state = VenueState::Active;
        sub.failures = 0;
        sub.last_heard.get_or_insert(arrived);
        if sub.is_resubscribing {
            // It broke before the reply came.
            sub.set_venue_state(items, VenueState::Active);
            return self.want(key);
        }
        sub.not_before = None;
        if sub.resynced_by == ResyncedBy::Subscribing {
            sub.tries = 0;
        }
        let slot = sub.slot;
        self.await_first(now, key);
        self.handover_is_due(now, slot);
        let Some(sub) = self.subs.get_mut(key) else { return };
        sub.batch = sub.batch.saturating_mul(2).min(most);
        if sub.is_all {
            let readers: Vec<ReaderKey> = sub.sub_readers.iter().map(|sub_reader| sub_reader.reader).collect();
            if sub.resynced_by == ResyncedBy::Subscribing {
                sub.arrive(None);
                let sub_items: Vec<_> = sub.sub_items.keys().cloned().collect();
                sub_items.iter().for_each(|item| drop(sub.arrive(Some(item))));
            }
            sub.refresh();
            // Before those who have nothing yet count as readers who can miss something.
            self.await_snapshots(now, key);
            readers.into_iter().for_each(|reader| self.accept(reader, key, None));
            self.want(key);
            self.catch_up_if_due(now, key);
            self.resync_all_if_certain(now, key);
        } else {
            self.added(now, key, items);
        }
    }

    /// The venue has accepted items.
    fn added(&mut self, now: Now, key: Key<Sub>, items: &[Arc<str>]) {
        let most = self.subs.get(key).map_or(1, |sub| self.batch(sub.channel));
        let Some(sub) = self.subs.get_mut(key) else { return };
        sub.not_before = None;
        sub.refused_alone = 0;
        sub.batch = sub.batch.saturating_mul(2).min(most);
        sub.set_venue_state(items, VenueState::Active);
        let mut readers: Vec<(ReaderKey, Arc<str>)> = Vec::new();
        for item in items {
            let Some(sub_item) = sub.sub_items.get(item) else { continue };
            readers.extend(sub_item.routes.iter().map(|route| (route.reader, item.clone())));
            if sub.resynced_by == ResyncedBy::Subscribing {
                sub.arrive(Some(item));
            }
        }
        sub.refresh();
        for (reader, item) in &readers {
            self.accept(*reader, key, Some(item));
        }
        self.await_snapshots(now, key);
        self.want(key);
        self.catch_up_if_due(now, key);
        self.resync_all_if_certain(now, key);
    }

    fn removed(&mut self, now: Now, key: Key<Sub>, items: &[Arc<str>]) {
        let Some(sub) = self.subs.get_mut(key) else { return };
        sub.set_venue_state(items, VenueState::Inactive);
        for item in items {
            if sub.sub_items.get(item).is_some_and(|sub_item| sub_item.routes.is_empty()) {
                sub.forget(item);
            }
        }
        sub.refresh();
        self.want(key);
        self.resync_all_if_certain(now, key);
    }

    /// Some rooms were named, and no more come. Items whose rooms are missing were not accepted; where rooms do not tell their items,
    /// all were.
    pub(super) fn rooms_over(&mut self, now: Now, key: Key<Sub>, items: &[Arc<str>], is_first: bool) {
        let Some(sub) = self.subs.get(key) else { return };
        let has = |item: &Arc<str>| sub.rooms.iter().any(|(_, own)| own.as_ref() == Some(item));
        let tells = sub.rooms.iter().any(|(_, item)| item.is_some());
        let (with, without): (Vec<_>, Vec<_>) = items.iter().cloned().partition(|item| !tells || has(item));
        if is_first {
            self.accepted(now, key, &with);
        } else {
            self.added(now, key, &with);
        }
        for item in without {
            self.refuse_item(now, key, &item, "", "the venue named no room for it");
        }
        self.resync_all_if_certain(now, key);
    }
}
