//! Which subscriptions share a connection.

use std::sync::Arc;

use venuekit_wire::stream::{Channel, Dialect};

use super::Hub;
use super::arena::Key;
use super::io::Now;
use super::slot::Slot;
use super::sub::Sub;
use crate::error::Error;
use crate::topic::{Topic, Value};

impl Hub {
    /// How many more values or channels a connection takes.
    pub(super) fn free(&self, slot: &Slot) -> usize {
        let taken: usize = slot.subs.iter().filter_map(|sub| self.subs.get(*sub)).map(Sub::weight).sum();
        self.table.limits.per_connection.saturating_sub(taken)
    }

    /// Whether a connection can take a subscription beside those that it has.
    fn takes(&self, slot: &Slot, base: &Topic) -> bool {
        let channel = base.channel();
        if slot.endpoint.name != channel.endpoint || self.free(slot) == 0 {
            return false;
        }
        let fits = |(name, value): &(&'static str, Option<Value>)| {
            !channel.parameters.iter().any(|parameter| parameter.name == *name) || base.value(name) == value.as_ref()
        };
        if !slot.pinned.iter().all(fits) {
            return false;
        }
        slot.subs.iter().filter_map(|sub| self.subs.get(*sub)).all(|sub| self.share(sub.channel, channel))
    }

    /// Whether two subscriptions can be distinguished on one connection.
    fn share(&self, one: &'static Channel, two: &'static Channel) -> bool {
        match self.table.dialect {
            Dialect::Calls { .. } | Dialect::Topics(_) => true,
            Dialect::Commands(_) => !(self.table.limits.channel_once && std::ptr::eq(one, two)),
            // Data is identified by its type alone.
            Dialect::Messages(_) => {
                !one.messages.iter().any(|own| two.messages.iter().any(|other| own.kind == other.kind))
            }
        }
    }

    /// Makes a subscription on a connection that can take it: one that is there, or a new one.
    pub(super) fn place(&mut self, now: Now, base: &Topic, is_all: bool) -> Result<Key<Sub>, Error> {
        let found = self.slots.iter().find(|(_, slot)| self.takes(slot, base)).map(|(key, _)| key);
        let slot_key = match found {
            Some(key) => key,
            None => self.new_slot(now, base)?,
        };
        let batch = self.batch(base.channel());
        let mut sub = Sub::new(base.clone(), is_all, slot_key, batch);
        sub.is_exact = self.config.is_replay && sub.channel.item.is_some();
        sub.may_stray = self.slots.get(slot_key).is_some_and(|slot| slot.strays.contains(base));
        let name = sub.name.clone();
        let key = self.subs.insert(sub);
        if let Some(slot) = self.slots.get_mut(slot_key) {
            slot.subs.push(key);
            slot.idle_since = None;
            if matches!(self.table.dialect, Dialect::Calls { .. } | Dialect::Topics(_)) {
                // Some venues write names otherwise than they take them. The name as it is written counts first.
                slot.by_name.entry(name.to_lowercase().into()).or_insert(key);
                slot.by_name.insert(name, key);
            }
            for parameter in base.channel().parameters.iter().filter(|parameter| parameter.is_of_connection) {
                if !slot.pinned.iter().any(|(name, _)| *name == parameter.name) {
                    slot.pinned.push((parameter.name, base.value(parameter.name).cloned()));
                }
            }
        }
        self.groups.entry((base.clone(), is_all)).or_default().push(key);
        self.want(key);
        Ok(key)
    }

    /// How many items of a channel go into one command.
    pub(super) fn batch(&self, channel: &'static Channel) -> usize {
        let is_list = channel.items.is_none_or(|items| {
            channel.parameters.iter().any(|parameter| parameter.name == items && parameter.is_list)
        });
        if is_list { self.table.limits.per_command.max(1) } else { 1 }
    }

    fn new_slot(&mut self, now: Now, base: &Topic) -> Result<Key<Slot>, Error> {
        let channel = base.channel();
        // A connection that is not needed makes room for one that is.
        if self.slots.len() >= self.config.connections {
            let idle = self.slots.iter().find(|(_, slot)| slot.subs.is_empty() && slot.connection().is_none());
            match idle.map(|(key, _)| key) {
                Some(key) => drop(self.slots.remove(key)),
                None => return Err(Error::Full { connections: self.slots.len() }),
            }
        }
        let Some(endpoint) = self.table.endpoint(channel.endpoint) else {
            return Err(Error::Connection(format!("the venue has no endpoint {:?}", channel.endpoint)));
        };
        let limits = &self.table.limits;
        let per_second = if self.config.is_replay { u32::MAX } else { limits.commands_per_second.max(1) };
        let slot = Slot::new(endpoint, now.at, limits.per_command.max(1), per_second);
        self.schedule(now.at);
        Ok(self.slots.insert(slot))
    }

    /// Removes a subscription that is not wanted, and that the venue does not have.
    pub(super) fn drop_sub(&mut self, now: Now, key: Key<Sub>) {
        let Some(sub) = self.subs.remove(key) else { return };
        let calls = [sub.catch.as_ref().and_then(|catch| catch.call), sub.fetch.as_ref().and_then(|fetch| fetch.call)];
        calls.into_iter().flatten().for_each(|call| self.forget_catch_up(call));
        let group = (sub.base, sub.is_all);
        if let Some(keys) = self.groups.get_mut(&group) {
            keys.retain(|own| *own != key);
            if keys.is_empty() {
                self.groups.remove(&group);
            }
        }
        let Some(slot) = self.slots.get_mut(sub.slot) else { return };
        slot.subs.retain(|own| *own != key);
        slot.listed.retain(|own| *own != key);
        slot.by_name.retain(|_, own| *own != key);
        slot.by_room.retain(|_, own| *own != key);
        if let Some(number) = sub.number {
            slot.end_number(number);
        }
        if slot.subs.is_empty() {
            slot.pinned.clear();
            slot.idle_since = Some(now.at);
            let linger = self.config.linger;
            self.schedule(now.at + linger);
        }
        self.find_blockers(sub.slot);
    }

    /// Finds out again which readers may keep a connection waiting.
    pub(super) fn find_blockers(&mut self, key: Key<Slot>) {
        let Some(slot) = self.slots.get(key) else { return };
        let mut blockers: Vec<Arc<dyn crate::sink::Sink>> = Vec::new();
        for sub in slot.subs.iter().filter_map(|sub| self.subs.get(*sub)) {
            for sub_reader in sub.sub_readers.iter().filter(|sub_reader| sub_reader.sink.may_block()) {
                if !blockers.iter().any(|own| Arc::ptr_eq(own, &sub_reader.sink)) {
                    blockers.push(sub_reader.sink.clone());
                }
            }
        }
        if let Some(slot) = self.slots.get_mut(key) {
            slot.blockers = blockers;
        }
    }
}
