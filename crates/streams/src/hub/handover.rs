//! A connection that another one replaces before it ends: on the venue's notice, or because of its age.
//!
//! The new one is opened and subscribes to everything while the old one goes on. For a moment both send. What is numbered is taken from
//! both, each number once; of the rest the new one counts from its first message on. Nothing becomes uncertain, unless one of the
//! two is lost on the way.

use std::time::Duration;

use venuekit_wire::stream::{Dialect, Sequence};

use super::Hub;
use super::arena::Key;
use super::data::data_frame_of;
use super::io::{ConnectionId, Frame, Handle, Now, Output};
use super::slot::{LinkState, Replaced, Slot};
use super::sub::VenueState;

/// For how long both are read once the new one has everything: one may be behind the other.
const OVERLAP: Duration = Duration::from_secs(1);

/// How long after a failure the next attempt is made.
const AGAIN: Duration = Duration::from_secs(10);

impl Hub {
    /// Whether a connection is the one that is being replaced, and the other one is open. Before that it is like any other.
    pub(super) fn is_replaced(&self, key: Key<Slot>, connection: ConnectionId) -> bool {
        let slot = self.slots.get(key).filter(|slot| !matches!(slot.link, LinkState::Opening(_)));
        slot.and_then(|slot| slot.replaced).is_some_and(|replaced| replaced.connection == connection)
    }

    /// Opens another connection in place of one that is going to end. Where data does not name its subscription for good, the end is
    /// waited for.
    pub(super) fn replace_connection(&mut self, now: Now, key: Key<Slot>) {
        let can_replace = matches!(self.table.dialect, Dialect::Topics(_)) && !self.is_closed && !self.config.is_replay;
        let Some(slot) = self.slots.get_mut(key) else { return };
        let LinkState::Open(connection, since) = slot.link else { return };
        if !can_replace || slot.replaced.is_some() || slot.subs.is_empty() {
            return;
        }
        if let Some(at) = slot.replace_at.filter(|at| *at > now.at) {
            return self.schedule(at);
        }
        slot.replaced = Some(Replaced { connection, since, close_at: None });
        self.open(key);
    }

    /// Replaces all connections, as the recording that is replayed has it. The old ones go when it says so.
    pub(crate) fn replace_all(&mut self, now: Now) {
        for key in self.slots.keys() {
            let Some(slot) = self.slots.get_mut(key) else { continue };
            let LinkState::Open(connection, since) = slot.link else { continue };
            if slot.replaced.is_none() {
                slot.replaced = Some(Replaced { connection, since, close_at: None });
                self.open(key);
            }
        }
        self.finish(now);
    }

    /// A connection in place of another one is open: it is to have everything that the other one has.
    pub(super) fn take_over(&mut self, now: Now, key: Key<Slot>) {
        let Some(slot) = self.slots.get_mut(key) else { return };
        slot.pending.clear();
        slot.listed.clear();
        slot.last_command = 0;
        slot.silent_commands = 0;
        for sub_key in slot.subs.clone() {
            let Some(sub) = self.subs.get_mut(sub_key) else { continue };
            sub.is_listed = false;
            let goes_on = sub.is_wanted() && !sub.is_resubscribing;
            if goes_on && matches!(sub.venue_state, VenueState::Active | VenueState::Subscribing) {
                (sub.is_moving, sub.has_moved) = (true, false);
                sub.venue_state = VenueState::Inactive;
                self.want(sub_key);
            } else {
                // The new connection has nothing of it.
                self.ended(sub_key);
            }
        }
        self.handover_is_due(now, key);
    }

    /// Once the venue has accepted everything on the new connection, the old one goes after a moment.
    pub(super) fn handover_is_due(&mut self, now: Now, key: Key<Slot>) {
        let Some(slot) = self.slots.get_mut(key) else { return };
        let is_open = slot.is_open();
        let Some(replaced) = slot.replaced.as_mut().filter(|replaced| is_open && replaced.close_at.is_none()) else {
            return;
        };
        if self.config.is_replay {
            return;
        }
        let is_missing = |sub: &&super::sub::Sub| sub.is_moving && sub.venue_state != VenueState::Active;
        if slot.subs.iter().filter_map(|sub| self.subs.get(*sub)).any(|sub| is_missing(&sub)) {
            return;
        }
        let at = now.at + OVERLAP;
        replaced.close_at = Some(at);
        self.schedule(at);
    }

    /// Closes the old connection when it is time, and replaces one that has become old.
    pub(super) fn tick_handover(&mut self, now: Now, key: Key<Slot>) {
        self.handover_is_due(now, key);
        let life = Duration::from_secs(self.table.limits.connection_life.into());
        let Some(slot) = self.slots.get_mut(key) else { return };
        match (slot.replaced, slot.link) {
            (Some(Replaced { connection, close_at: Some(at), .. }), _) if at <= now.at => {
                self.stats.replaced += 1;
                self.drop_replaced(key);
                self.forget(now, key, connection);
                self.tick_handover(now, key);
            }
            (Some(Replaced { close_at: Some(at), .. }), _) => self.schedule(at),
            (None, LinkState::Open(_, since)) => {
                let of_age = Some(since + life).filter(|_| !life.is_zero());
                match of_age.into_iter().chain(slot.replace_at).min() {
                    Some(due) if due <= now.at => self.replace_connection(now, key),
                    Some(due) => self.schedule(due),
                    None => {}
                }
            }
            _ => {}
        }
    }

    /// What was sent twice is no longer.
    fn drop_replaced(&mut self, key: Key<Slot>) -> Option<Replaced> {
        let slot = self.slots.get_mut(key)?;
        let replaced = slot.replaced.take();
        for sub in slot.subs.clone() {
            if let Some(sub) = self.subs.get_mut(sub) {
                (sub.is_moving, sub.has_moved) = (false, false);
            }
        }
        replaced
    }

    /// One of two connections was lost. Returns whether what readers have goes on by the other one.
    pub(super) fn lost_one(&mut self, now: Now, key: Key<Slot>, lost: ConnectionId, text: &str) -> bool {
        let Some(slot) = self.slots.get_mut(key) else { return false };
        let Some(replaced) = slot.replaced else { return false };
        if replaced.connection == lost {
            // The new one has everything, or nothing yet. A recording shows what it has when data comes.
            let has_all = replaced.close_at.is_some() || self.config.is_replay;
            if has_all {
                self.stats.replaced += 1;
                self.drop_replaced(key);
                return true;
            }
            slot.replaced = None;
            if matches!(slot.link, LinkState::Opening(_)) {
                // It ended sooner than the new one opens, which is then one like any other.
                self.stats.lost += 1;
                slot.last_error = Some(text.to_owned());
                slot.reset();
                slot.subs.clone().into_iter().for_each(|sub| self.sub_down(now, sub, text));
                return true;
            }
            // The new one has a part: what is moving goes down with both.
            let new = slot.connection();
            slot.link = LinkState::Open(lost, replaced.since);
            if let Some(new) = new {
                self.forget(now, key, new);
            }
            return false;
        }
        if matches!(slot.link, LinkState::Opening(_)) {
            // It never was: the old one goes on, and another attempt is made.
            slot.link = LinkState::Open(replaced.connection, replaced.since);
            slot.replace_at = Some(now.at + AGAIN);
            self.stats.failed += 1;
            self.drop_replaced(key);
            self.schedule(now.at + AGAIN);
            // What was wanted meanwhile.
            self.touch(key);
            return true;
        }
        slot.replaced = None;
        self.forget(now, key, replaced.connection);
        false
    }

    /// Closes one of two connections. Nothing of it is heard any more.
    fn forget(&mut self, now: Now, key: Key<Slot>, connection: ConnectionId) {
        if let (Some(recorder), Some(slot)) = (&mut self.recorder, self.slots.get(key)) {
            recorder.lost(now, slot.endpoint.name, connection);
        }
        self.connections.remove(&connection);
        self.outputs.push_back(Output::Close(connection));
    }

    /// Data of a connection that another one replaces.
    pub(super) fn late_data(&mut self, now: Now, key: Key<Slot>, frame: &Frame<'_>) {
        let Handle::Name(name) = frame.handle else { return };
        let Some(sub_key) = self.named(key, name) else { return };
        let Some(sub) = self.subs.get(sub_key) else { return };
        // It was begun on the new one.
        if !sub.is_moving {
            self.stats.unwanted += 1;
            return;
        }
        let is_numbered = matches!(sub.channel.sequence, Sequence::Range { .. } | Sequence::PerItem { .. });
        if sub.has_moved && !is_numbered {
            self.stats.duplicates += 1;
            return;
        }
        let frame = data_frame_of(frame, Some(sub.channel), now);
        self.data_frame(now, sub_key, frame);
    }
}
