//! Connections that open and are lost.

use std::time::Duration;

use super::Hub;
use super::arena::Key;
use super::io::{ConnectionId, Lost, LostCause, Now, Output};
use super::slot::{Line, Slot};
use super::sub::{Held, Snap, Sub};
use crate::event::{Ended, Missed, Reason};

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
            Self::Failed(why) => why.clone(),
            Self::Ours => "closed".to_owned(),
        }
    }
}

impl Hub {
    pub(super) fn opened(&mut self, now: Now, connection: ConnectionId) {
        let Some(key) = self.connections.get(&connection).copied() else { return };
        let Some(slot) = self.slots.get_mut(key) else { return };
        if slot.line != Line::Opening(connection) {
            return;
        }
        slot.line = Line::Open(connection, now.at);
        self.stats.opened += 1;
        for sub in slot.subs.clone() {
            self.want(sub);
        }
        self.tick_line(now, key);
    }

    pub(super) fn lost(&mut self, now: Now, connection: ConnectionId, lost: Lost) {
        let Some(key) = self.connections.remove(&connection) else { return };
        let Some(slot) = self.slots.get_mut(key) else { return };
        let text = lost.cause.text();
        let is_ours = matches!(slot.line, Line::Closing(_)) && lost.cause == LostCause::Ours;
        match slot.line {
            Line::Open(_, since) => {
                slot.attempts = if now.at.duration_since(since) >= GOOD { 0 } else { slot.attempts.saturating_add(1) };
                self.stats.lost += 1;
            }
            Line::Closing(_) => {}
            Line::Opening(_) | Line::Down(_) => {
                slot.attempts = slot.attempts.saturating_add(1);
                self.stats.failed += 1;
            }
        }
        if !is_ours {
            slot.last_error = Some(text.clone());
        }
        slot.reset();
        let (subs, attempts) = (slot.subs.clone(), slot.attempts.saturating_sub(1));
        for sub in &subs {
            self.sub_down(now, *sub, &text);
        }
        if lost.is_final {
            self.give_up(now, &subs, &text);
        }
        let wait = self.backoff(attempts).max(lost.retry_after.unwrap_or_default().min(LONGEST));
        let Some(slot) = self.slots.get_mut(key) else { return };
        slot.line = Line::Down(now.at + wait);
        self.tick_line(now, key);
        self.end_if_over();
    }

    /// No connection can be had: its readers end.
    fn give_up(&mut self, now: Now, subs: &[Key<Sub>], text: &str) {
        let mut readers: Vec<_> = Vec::new();
        for sub in subs.iter().filter_map(|sub| self.subs.get(*sub)) {
            readers.extend(sub.seats.iter().map(|seat| seat.reader));
        }
        for reader in readers {
            self.end(now, reader, Ended::Failed(text.to_owned()));
        }
    }

    /// The venue has nothing of a subscription any longer, and its readers learn that.
    fn sub_down(&mut self, now: Now, key: Key<Sub>, text: &str) {
        self.suspend_catch_up(key);
        let Some(sub) = self.subs.get_mut(key) else { return };
        let was_held = sub.held != Held::No;
        sub.held = Held::No;
        sub.is_again = false;
        sub.is_listed = false;
        sub.number = None;
        sub.rooms.clear();
        (sub.counter, sub.chain) = Default::default();
        sub.snapshot_due = None;
        sub.snapshot_rounds = 0;
        sub.not_before = None;
        for part in sub.parts.values_mut() {
            (part.held, part.snap) = (Held::No, Snap::No);
        }
        let unwanted: Vec<_> =
            sub.parts.iter().filter(|(_, part)| part.routes.is_empty()).map(|(item, _)| item.clone()).collect();
        for item in unwanted {
            sub.parts.remove(&item);
        }
        sub.removed.clear();
        sub.await_all();
        if !sub.is_wanted() {
            self.drop_sub(now, key);
        } else if was_held {
            self.note_certain(key);
            self.disturb(now, key, &Reason::Reconnect(text.to_owned()), Missed::Unknown);
        }
    }

    /// Opens what is needed, closes what is not.
    pub(super) fn tick_line(&mut self, now: Now, key: Key<Slot>) {
        let Some(slot) = self.slots.get_mut(key) else { return };
        let is_idle = slot.subs.is_empty();
        match slot.line {
            Line::Down(_) if is_idle => drop(self.slots.remove(key)),
            Line::Down(at) if at <= now.at && !self.is_closed => {
                self.last_connection += 1;
                let connection = ConnectionId(self.last_connection);
                slot.line = Line::Opening(connection);
                let is_private =
                    slot.subs.iter().filter_map(|sub| self.subs.get(*sub)).any(|sub| sub.base.is_private());
                self.connections.insert(connection, key);
                self.outputs.push_back(Output::Open { connection, endpoint: slot.endpoint, is_private });
            }
            Line::Down(at) => self.schedule(at),
            Line::Open(..) if is_idle => {
                let over = slot.idle_since.unwrap_or(now.at) + self.config.linger;
                if over <= now.at { self.hang_up(key) } else { self.schedule(over) }
            }
            Line::Opening(_) | Line::Open(..) | Line::Closing(_) => {}
        }
    }

    /// Closes a connection. Where it is still needed, it is opened again.
    pub(super) fn hang_up(&mut self, key: Key<Slot>) {
        let Some(slot) = self.slots.get_mut(key) else { return };
        let Some(connection) = slot.connection() else { return };
        if !matches!(slot.line, Line::Closing(_)) {
            slot.line = Line::Closing(connection);
            self.outputs.push_back(Output::Close(connection));
        }
    }
}
