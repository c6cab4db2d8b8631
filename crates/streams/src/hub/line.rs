//! Connections that open and are lost.

use std::time::Duration;

use super::arena::Key;
use super::io::{ConnectionId, Lost, LostCause, Now, Output};
use super::slot::{LinkState, Slot};
use super::sub::{Sub, VenueState};
use super::{Hub, ReaderKey};
use crate::event::{Ended, Missed, Reason, Stale};
use crate::sink::State;

/// A connection that lasted for so long was a good one.
const GOOD: Duration = Duration::from_secs(10);

/// The longest wait that a venue can ask for.
const LONGEST: Duration = Duration::from_secs(300);

impl LostCause {
    fn text(&self) -> String {
        match self {
            Self::Closed { code, text } if text.is_empty() => format!("closed by the venue with code {code}"),
            Self::Closed { code, text } => format!("closed by the venue with code {code}: {text}"),
            Self::Cut => "ended without a close frame".to_owned(),
            Self::Silent => "nothing came for too long".to_owned(),
            Self::Failed(why) | Self::Refused(why) => why.clone(),
            Self::Ours => "closed".to_owned(),
        }
    }
}

impl Hub {
    pub(super) fn opened(&mut self, now: Now, connection: ConnectionId) {
        let Some(key) = self.connections.get(&connection).copied() else { return };
        let Some(slot) = self.slots.get_mut(key) else { return };
        if slot.link != LinkState::Opening(connection) {
            return;
        }
        slot.link = LinkState::Open(connection, now.at);
        slot.replace_at = None;
        self.stats.opened += 1;
        if slot.replaced.is_some() {
            return self.take_over(now, key);
        }
        for sub in slot.subs.clone() {
            self.want(sub);
        }
        self.tick_link(now, key);
    }

    pub(super) fn lost(&mut self, now: Now, connection: ConnectionId, lost: Lost) {
        let Some(key) = self.connections.remove(&connection) else { return };
        let text = lost.cause.text();
        if self.lost_one(now, key, connection, &text) {
            return;
        }
        let Some(slot) = self.slots.get_mut(key) else { return };
        let is_ours = matches!(slot.link, LinkState::Closing(_)) && lost.cause == LostCause::Ours;
        match slot.link {
            LinkState::Open(_, since) => {
                slot.attempts = if now.at.duration_since(since) >= GOOD { 0 } else { slot.attempts.saturating_add(1) };
                self.stats.lost += 1;
            }
            LinkState::Closing(_) => {}
            LinkState::Opening(_) | LinkState::Down(_) => {
                slot.attempts = slot.attempts.saturating_add(1);
                self.stats.failed += 1;
            }
        }
        // Waiting does not help against it, and what is stale would name the loss that came before.
        let is_news = matches!(lost.cause, LostCause::Refused(_)) && slot.last_error.as_deref() != Some(&text);
        if !is_ours {
            slot.last_error = Some(text.clone());
        }
        slot.reset();
        let (subs, attempts) = (slot.subs.clone(), slot.attempts.saturating_sub(1));
        for sub in &subs {
            self.sub_down(now, *sub, &text);
        }
        if lost.is_final {
            self.end_readers(now, &subs, &text);
        } else if is_news {
            self.warn_refused(now, &subs, &text);
        }
        let wait = self.backoff(attempts).max(lost.retry_after.unwrap_or_default().min(LONGEST));
        let Some(slot) = self.slots.get_mut(key) else { return };
        slot.link = LinkState::Down(now.at + wait);
        self.tick_link(now, key);
        self.end_if_over();
    }

    /// There is no connection, and will not be: its readers end.
    fn end_readers(&mut self, now: Now, subs: &[Key<Sub>], text: &str) {
        for reader in self.readers_of(subs) {
            self.end(now, reader, Ended::Failed(text.to_owned()));
        }
    }

    /// The venue refuses a credential that was good before: its readers, which are stale already, learn why that lasts.
    fn warn_refused(&mut self, now: Now, subs: &[Key<Sub>], text: &str) {
        for reader in self.readers_of(subs) {
            if let Some(reader) = self.readers.get_mut(reader).filter(|reader| reader.is_stale) {
                let reason = Reason::CredentialRefused(text.to_owned());
                reader.sink.state(State::Stale(Stale { reason, item: None, since: now.wall }));
            }
        }
    }

    /// The readers of subscriptions, each once.
    fn readers_of(&self, subs: &[Key<Sub>]) -> Vec<ReaderKey> {
        let mut readers: Vec<ReaderKey> = Vec::new();
        for sub_reader in subs.iter().filter_map(|sub| self.subs.get(*sub)).flat_map(|sub| &sub.sub_readers) {
            if !readers.contains(&sub_reader.reader) {
                readers.push(sub_reader.reader);
            }
        }
        readers
    }

    /// The venue has nothing of a subscription any longer, and its readers learn that.
    pub(super) fn sub_down(&mut self, now: Now, key: Key<Sub>, text: &str) {
        self.suspend_catch_up(key);
        let Some(sub) = self.subs.get_mut(key) else { return };
        // What another connection was to take over has come until now.
        let was_held = sub.venue_state != VenueState::Inactive || sub.is_moving;
        sub.clear_subscription();
        (sub.is_listed, sub.may_stray) = (false, false);
        sub.snapshot_rounds = 0;
        sub.not_before = None;
        // Nothing of it can be on its way.
        sub.removed.clear();
        sub.await_all();
        if !sub.is_wanted() {
            self.drop_sub(now, key);
        } else if was_held {
            self.note_certain(now, key);
            self.mark_stale(now, key, &Reason::Reconnect(text.to_owned()), Missed::Unknown);
        }
    }

    /// ResyncedBy what is needed, closes what is not.
    pub(super) fn tick_link(&mut self, now: Now, key: Key<Slot>) {
        let Some(slot) = self.slots.get_mut(key) else { return };
        let is_idle = slot.subs.is_empty();
        match slot.link {
            LinkState::Down(_) if is_idle => drop(self.slots.remove(key)),
            LinkState::Down(at) if at <= now.at && !self.is_closed => self.open(key),
            LinkState::Down(at) => self.schedule(at),
            LinkState::Open(..) if is_idle => {
                let over = slot.idle_since.unwrap_or(now.at) + self.config.linger;
                if over <= now.at { self.close_slot(key) } else { self.schedule(over) }
            }
            LinkState::Open(..) => self.tick_handover(now, key),
            LinkState::Opening(_) | LinkState::Closing(_) => {}
        }
    }

    /// Opens a connection.
    pub(super) fn open(&mut self, key: Key<Slot>) {
        let Some(slot) = self.slots.get_mut(key) else { return };
        self.last_connection += 1;
        let connection = ConnectionId(self.last_connection);
        slot.link = LinkState::Opening(connection);
        let is_private = slot.subs.iter().filter_map(|sub| self.subs.get(*sub)).any(|sub| sub.base.is_private());
        self.connections.insert(connection, key);
        self.outputs.push_back(Output::Open { connection, endpoint: slot.endpoint, is_private });
    }

    /// Closes a connection. Where it is still needed, it is opened again.
    pub(super) fn close_slot(&mut self, key: Key<Slot>) {
        let Some(slot) = self.slots.get_mut(key) else { return };
        if let Some(replaced) = slot.replaced.take() {
            self.connections.remove(&replaced.connection);
            self.outputs.push_back(Output::Close(replaced.connection));
        }
        let Some(connection) = slot.connection() else { return };
        if !matches!(slot.link, LinkState::Closing(_)) {
            slot.link = LinkState::Closing(connection);
            self.outputs.push_back(Output::Close(connection));
        }
    }
}
