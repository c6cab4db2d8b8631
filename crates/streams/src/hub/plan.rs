//! From what is wanted to commands, within the venue's limits.

use std::sync::Arc;
use std::time::Instant;

use venuekit_wire::stream::Dialect;

use super::Hub;
use super::arena::Key;
use super::io::{Action, Command, Now, Output, Owner};
use super::slot::{LinkState, Pending, Purpose, Slot};
use super::sub::{SnapshotRequest, Sub, VenueState};
use crate::topic::Topic;

/// How many commands without a response are remembered after they have timed out.
const EXPIRED: usize = 64;

/// So many commands in a row without a reply: the connection is of no use.
const MOST_SILENT: u32 = 3;

/// What a subscription needs next.
enum Need {
    Nothing,
    /// Not before this.
    Later(Instant),
    /// It is over and forgotten.
    Drop,
    Subscribe(Vec<Arc<str>>),
    Unsubscribe,
    Add(Vec<Arc<str>>),
    Remove(Vec<Arc<str>>),
    LeaveRoom(Arc<str>, Option<Arc<str>>),
    Snapshot(Vec<Arc<str>>),
}

/// What a command does, and what it was for.
type Planned = (Purpose, Action, bool);

impl Hub {
    /// Sends what is wanted, as far as the venue's pace allows.
    pub(super) fn plan(&mut self, now: Now, key: Key<Slot>) {
        let is_serial = self.is_serial();
        loop {
            let Some(slot) = self.slots.get(key) else { return };
            let LinkState::Open(connection, _) = slot.link else { return self.tick_link(now, key) };
            if slot.listed.is_empty() || (is_serial && slot.pending.values().any(|pending| !pending.is_expired)) {
                return;
            }
            let ready = slot.pace.ready_at();
            if ready > now.at {
                return self.schedule(ready);
            }
            let Some((purpose, action, is_private)) = self.next_command(now, key) else { return };
            let deadline = now.at + self.config.reply_within;
            let Some(slot) = self.slots.get_mut(key) else { return };
            let id = slot.next_command();
            slot.pace.take(now.at);
            slot.pending.insert(id, Pending { purpose, deadline, is_expired: false, replies: 0 });
            self.stats.commands += 1;
            self.schedule(deadline);
            self.outputs.push_back(Output::Send { connection, command: Command { id, is_private, action } });
        }
    }

    fn next_command(&mut self, now: Now, key: Key<Slot>) -> Option<Planned> {
        let mut left = self.slots.get(key)?.listed.len();
        while left > 0 {
            left -= 1;
            let sub = self.slots.get_mut(key)?.listed.pop_front()?;
            match self.need(now, sub) {
                Need::Nothing => {
                    if let Some(sub) = self.subs.get_mut(sub) {
                        sub.is_listed = false;
                    }
                }
                Need::Drop => self.drop_sub(now, sub),
                Need::Later(at) => {
                    self.schedule(at);
                    self.slots.get_mut(key)?.listed.push_back(sub);
                }
                need => {
                    // It may want more than this.
                    self.slots.get_mut(key)?.listed.push_front(sub);
                    let planned = self.command(now, key, sub, need);
                    if planned.is_some() {
                        return planned;
                    }
                    left = self.slots.get(key)?.listed.len();
                }
            }
        }
        None
    }

    fn need(&self, now: Now, key: Key<Sub>) -> Need {
        let Some(sub) = self.subs.get(key) else { return Need::Nothing };
        let is_rooms = matches!(self.table.dialect, Dialect::Messages(_));
        match sub.venue_state {
            VenueState::Subscribing | VenueState::Unsubscribing => Need::Nothing,
            VenueState::Unknown => Need::Unsubscribe,
            VenueState::Inactive if !sub.is_wanted() => Need::Drop,
            VenueState::Inactive => match sub.not_before.filter(|at| *at > now.at) {
                Some(at) => Need::Later(at),
                None => Need::Subscribe(sub.first_items()),
            },
            VenueState::Active if !sub.is_wanted() || sub.is_resubscribing => match sub.rooms.first() {
                Some((room, item)) if is_rooms => Need::LeaveRoom(room.clone(), item.clone()),
                _ => Need::Unsubscribe,
            },
            VenueState::Active if sub.is_all => Need::Nothing,
            VenueState::Active => {
                let some = |is: &dyn Fn(&super::sub::SubItem) -> bool| -> Vec<Arc<str>> {
                    let found = sub.sub_items.iter().filter(|(_, sub_item)| is(sub_item)).map(|(item, _)| item.clone());
                    found.take(sub.batch).collect()
                };
                let more = some(&|sub_item| {
                    matches!(sub_item.venue_state, VenueState::Inactive | VenueState::Unknown)
                        && !sub_item.routes.is_empty()
                });
                if !more.is_empty() {
                    return match sub.not_before.filter(|at| *at > now.at) {
                        Some(at) => Need::Later(at),
                        None => Need::Add(more),
                    };
                }
                let less = some(&|sub_item| {
                    matches!(sub_item.venue_state, VenueState::Active | VenueState::Unknown)
                        && sub_item.routes.is_empty()
                });
                if let Some(item) = less.first() {
                    if sub.channel.actions.remove.is_some() {
                        return Need::Remove(less);
                    }
                    let room = sub.rooms.iter().find(|(_, own)| own.as_ref() == Some(item));
                    if let Some((room, item)) = room {
                        return Need::LeaveRoom(room.clone(), item.clone());
                    }
                }
                let snapshots = some(&|sub_item| {
                    sub_item.snapshot_request == SnapshotRequest::Wanted
                        && sub_item.venue_state == VenueState::Active
                        && !sub_item.routes.is_empty()
                });
                match (snapshots.is_empty(), sub.channel.actions.snapshot) {
                    (false, Some(_)) => Need::Snapshot(snapshots),
                    _ => Need::Nothing,
                }
            }
        }
    }

    fn command(&mut self, now: Now, slot: Key<Slot>, key: Key<Sub>, need: Need) -> Option<Planned> {
        if self.is_by_name() {
            return self.call_of_names(now, slot, key, &need);
        }
        let sub = self.subs.get_mut(key)?;
        let (channel, is_private) = (sub.channel, sub.base.is_private());
        let number = sub.number;
        let update = |action: Option<&'static str>, items: &[Arc<str>]| {
            let (Some(action), Some(subscription)) = (action, number) else { return None };
            Some(Action::Update { subscription, channel, action, items: items.to_vec() })
        };
        match need {
            Need::Subscribe(items) => {
                sub.ask(&items);
                let topic = sub.topic_of(&items);
                Some((Purpose::Subscribe(vec![(key, items)]), Action::Subscribe(vec![topic]), is_private))
            }
            Need::Add(items) => {
                sub.set_venue_state(&items, VenueState::Subscribing);
                let action = update(channel.actions.add, &items)
                    .unwrap_or_else(|| Action::Subscribe(vec![sub.topic_of(&items)]));
                Some((Purpose::Add(key, items), action, is_private))
            }
            Need::Remove(items) => {
                sub.set_venue_state(&items, VenueState::Unsubscribing);
                let action = update(channel.actions.remove, &items)?;
                Some((Purpose::Remove(key, items), action, is_private))
            }
            Need::Snapshot(items) => {
                for item in &items {
                    if let Some(sub_item) = sub.sub_items.get_mut(item) {
                        sub_item.snapshot_request = SnapshotRequest::Sent;
                    }
                }
                let action = update(channel.actions.snapshot, &items)?;
                self.await_snapshots(now, key);
                Some((Purpose::Snapshot(key, items), action, is_private))
            }
            Need::Unsubscribe => match number {
                Some(number) => {
                    sub.venue_state = VenueState::Unsubscribing;
                    let action = Action::Unsubscribe(vec![Owner::Number(number)]);
                    Some((Purpose::Unsubscribe(vec![key]), action, is_private))
                }
                // The venue gave it no name by which it could be ended: what comes of it is not wanted.
                None => {
                    self.ended(key);
                    None
                }
            },
            Need::LeaveRoom(room, item) => {
                match &item {
                    Some(item) if sub.is_wanted() && !sub.is_resubscribing => {
                        sub.set_venue_state(std::slice::from_ref(item), VenueState::Unsubscribing)
                    }
                    // The whole of it goes, room by room: it is not to be joined on its way out.
                    _ => sub.is_resubscribing = true,
                }
                sub.rooms.retain(|(own, _)| *own != room);
                if sub.is_resubscribing && sub.rooms.is_empty() {
                    sub.venue_state = VenueState::Unsubscribing;
                }
                let action = Action::Unsubscribe(vec![Owner::Room(room.clone())]);
                Some((Purpose::LeaveRoom(key, item), action, is_private))
            }
            Need::Nothing | Need::Later(_) | Need::Drop => None,
        }
    }

    /// One call for as many subscriptions as need the same and fit into it.
    fn call_of_names(&mut self, now: Now, slot_key: Key<Slot>, first: Key<Sub>, need: &Need) -> Option<Planned> {
        let is_subscribe = matches!(need, Need::Subscribe(_));
        let is_private = self.subs.get(first)?.base.is_private();
        let slot = self.slots.get(slot_key)?;
        let most = match is_subscribe {
            // A recording shows one after the other.
            true if self.config.is_replay => 1,
            true => slot.batch,
            false => self.table.limits.per_command.max(1),
        };
        let keys: Vec<_> = slot.listed.iter().copied().collect();
        let mut same = Vec::new();
        for key in keys {
            if same.len() >= most {
                break;
            }
            let Some(sub) = self.subs.get(key).filter(|sub| sub.base.is_private() == is_private) else { continue };
            let is_same = match self.need(now, key) {
                Need::Subscribe(_) => is_subscribe,
                Need::Unsubscribe => !is_subscribe,
                _ => false,
            };
            if is_same {
                same.push((key, sub.name.clone(), sub.base.clone()));
            }
        }
        for (key, ..) in &same {
            if let Some(sub) = self.subs.get_mut(*key) {
                if is_subscribe {
                    sub.ask(&[]);
                } else {
                    sub.venue_state = VenueState::Unsubscribing;
                }
            }
        }
        let keys = same.iter().map(|(key, ..)| *key);
        Some(if is_subscribe {
            let purpose = Purpose::Subscribe(keys.map(|key| (key, Vec::new())).collect());
            (purpose, Action::Subscribe(same.into_iter().map(|(.., topic)| topic).collect()), is_private)
        } else {
            let purpose = Purpose::Unsubscribe(keys.collect());
            (purpose, Action::Unsubscribe(same.into_iter().map(|(_, name, _)| Owner::Name(name)).collect()), is_private)
        })
    }

    /// Commands that got no reply in time are as if they had not been sent; their replies may still come.
    pub(super) fn tick_commands(&mut self, now: Now, key: Key<Slot>) {
        let within = self.config.reply_within;
        let Some(slot) = self.slots.get_mut(key) else { return };
        // A connection that is not read is not silent.
        let is_waiting = slot.is_unread();
        let mut late = Vec::new();
        let mut next = None;
        for (id, pending) in slot.pending.iter_mut().filter(|(_, pending)| !pending.is_expired) {
            if pending.deadline <= now.at && !is_waiting {
                pending.is_expired = true;
                late.push((*id, pending.purpose.clone(), pending.replies));
            } else {
                if pending.deadline <= now.at {
                    pending.deadline = now.at + within;
                }
                next = next.into_iter().chain([pending.deadline]).min();
            }
        }
        while slot.pending.values().filter(|pending| pending.is_expired).count() > EXPIRED {
            let oldest = slot.pending.iter().find(|(_, pending)| pending.is_expired).map(|(id, _)| *id);
            if let Some(id) = oldest {
                slot.pending.remove(&id);
            }
        }
        let silent = late.iter().filter(|(_, _, replies)| *replies == 0).count();
        slot.silent_commands = slot.silent_commands.saturating_add(u32::try_from(silent).unwrap_or(u32::MAX));
        let is_useless = slot.silent_commands >= MOST_SILENT;
        if let Some(next) = next {
            self.schedule(next);
        }
        for (_, purpose, replies) in late {
            self.stats.unanswered += 1;
            self.unanswered(now, purpose, replies);
        }
        if is_useless {
            if let Some(slot) = self.slots.get_mut(key) {
                slot.last_error = Some("commands get no reply".to_owned());
                slot.silent_commands = 0;
            }
            self.close_slot(key);
        }
    }
}

impl Sub {
    /// The items of the first command.
    fn first_items(&self) -> Vec<Arc<str>> {
        if self.is_all {
            return Vec::new();
        }
        let wanted = self.sub_items.iter().filter(|(_, sub_item)| !sub_item.routes.is_empty());
        wanted.map(|(item, _)| item.clone()).take(self.batch).collect()
    }

    /// It is asked for, with these items: its counts begin again.
    fn ask(&mut self, items: &[Arc<str>]) {
        self.venue_state = VenueState::Subscribing;
        if self.is_moving {
            return;
        }
        (self.counter, self.chain, self.updates) = Default::default();
        self.rooms.clear();
        self.number = None;
        self.set_venue_state(items, VenueState::Subscribing);
        // Data may come before the reply.
        self.refresh();
    }

    pub(super) fn set_venue_state(&mut self, items: &[Arc<str>], venue_state: VenueState) {
        for item in items {
            if let Some(sub_item) = self.sub_items.get_mut(item) {
                sub_item.venue_state = venue_state;
            }
        }
    }

    pub(super) fn topic_of(&self, items: &[Arc<str>]) -> Topic {
        match self.channel.items {
            Some(name) if !items.is_empty() => {
                let is_list = self.channel.parameters.iter().any(|own| own.name == name && own.is_list);
                match items {
                    [item] if !is_list => self.base.clone().set(name, &**item),
                    items => self.base.clone().list(name, items.iter().cloned()),
                }
            }
            _ => self.base.clone(),
        }
    }
}
