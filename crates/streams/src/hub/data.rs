//! From a frame to its readers.

use std::ops::Range;
use std::time::SystemTime;

use bytes::Bytes;
use venuekit_wire::UnixMillis;
use venuekit_wire::stream::{Channel, Recovery, Sequence};

use super::arena::Key;
use super::io::{Body, ConnectionId, Frame, Handle, Now};
use super::sequence::Step;
use super::slot::{Early, Purpose, Slot};
use super::sub::{Held, Opens, Route, Sub, integer_at, is_snapshot, text_at};
use super::{Hub, ReaderKey};
use crate::event::{Origin, Raw};
use crate::scan::Elements;
use crate::sink::{Entry, Kind, Verdict};

/// A frame of a subscription.
struct Packet {
    raw: Bytes,
    kind: Kind,
    data: Range<usize>,
    sequence: Option<i64>,
    sent: Option<UnixMillis>,
    received: SystemTime,
}

impl Packet {
    fn entry(&self, data: Range<usize>, is_record: bool) -> Option<Entry> {
        Some(Entry {
            raw: self.raw.clone(),
            data: u32::try_from(data.start).ok()?..u32::try_from(data.end).ok()?,
            kind: self.kind.clone(),
            received: self.received,
            sent: self.sent,
            sequence: self.sequence,
            origin: Origin::Stream,
            replaced: 0,
            is_record,
        })
    }
}

/// The type as the channel's table has it, which costs nothing to keep.
fn kind_of(channel: Option<&'static Channel>, kind: &str) -> Kind {
    let known = channel.and_then(|channel| channel.messages.iter().find(|message| message.kind == kind));
    match known {
        Some(message) => Kind::Known(message.kind),
        None if kind.is_empty() => Kind::Known(""),
        None => Kind::Other(kind.into()),
    }
}

impl Hub {
    pub(super) fn frame(&mut self, now: Now, connection: ConnectionId, frame: Frame<'_>) {
        let Some(key) = self.connections.get(&connection).copied() else { return };
        self.stats.frames += 1;
        match &frame.body {
            Body::Quiet => {}
            Body::Unread => self.stray(now, key, &frame, Some("not a message of this venue")),
            Body::Data => self.data(now, key, &frame),
            Body::Reply(_) => {
                // Replies of a subscription are counted like its data.
                if let (Handle::Number(number), Some(sequence)) = (frame.handle, frame.sequence)
                    && let Some(sub) = self.slots.get(key).and_then(|slot| slot.by_number.get(&number)).copied()
                {
                    self.count(now, sub, sequence);
                    self.settle_never(now, sub);
                }
                self.reply(now, key, frame);
            }
        }
        if let Some(slot) = self.slots.get_mut(key) {
            slot.last_frame = Some(now.wall);
        }
    }

    fn data(&mut self, now: Now, key: Key<Slot>, frame: &Frame<'_>) {
        let Some(slot) = self.slots.get_mut(key) else { return };
        if let Some(command) = frame.command {
            slot.silent_commands = 0;
            slot.pending.remove(&command);
        }
        let found = match frame.handle {
            Handle::Number(number) => slot.by_number.get(&number).copied(),
            Handle::Name(name) => match slot.by_name.get(name) {
                Some(key) => Some(*key),
                None => slot.by_name.get(&*name.to_lowercase()).copied(),
            },
            Handle::Room(room) => slot.by_room.get(room).copied(),
            Handle::None => None,
        };
        let found = match (found, frame.handle) {
            (None, Handle::None | Handle::Room(_)) => self.by_kind(key, frame.kind),
            (found, _) => found,
        };
        let Some(sub) = found else { return self.not_ours(now, key, frame) };
        let channel = self.subs.get(sub).map(|sub| sub.channel);
        let packet = Packet {
            raw: frame.bytes.clone(),
            kind: kind_of(channel, frame.kind),
            data: frame.data.clone(),
            sequence: frame.sequence,
            sent: frame.sent,
            received: now.wall,
        };
        self.packet(now, sub, packet);
    }

    /// The only subscription of a connection that has messages of this type.
    fn by_kind(&self, key: Key<Slot>, kind: &str) -> Option<Key<Sub>> {
        let slot = self.slots.get(key)?;
        let mut found = slot.subs.iter().copied().filter(|sub| {
            self.subs.get(*sub).is_some_and(|sub| sub.channel.messages.iter().any(|message| message.kind == kind))
        });
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    /// Data of a subscription that is not known here: it has ended, or its reply is still to come.
    fn not_ours(&mut self, now: Now, key: Key<Slot>, frame: &Frame<'_>) {
        let Some(slot) = self.slots.get_mut(key) else { return };
        if let Handle::Number(number) = frame.handle {
            if slot.has_ended(number) {
                self.stats.unwanted += 1;
                return;
            }
            let is_asked = slot.pending.values().any(|pending| matches!(pending.purpose, Purpose::Subscribe(_)));
            let early = || Early {
                number,
                raw: frame.bytes.clone(),
                kind: Kind::Other(frame.kind.into()),
                data: frame.data.clone(),
                sequence: frame.sequence,
                sent: frame.sent,
                received: now.wall,
            };
            if is_asked && slot.keep_early(early()) {
                return;
            }
        }
        self.stray(now, key, frame, None);
    }

    /// The reply that says whose they are has come.
    pub(super) fn replay_early(&mut self, now: Now, key: Key<Slot>, number: i64, sub: Key<Sub>) {
        let Some(slot) = self.slots.get_mut(key) else { return };
        let (own, others) = std::mem::take(&mut slot.early).into_iter().partition(|early| early.number == number);
        slot.early = others;
        let own: std::collections::VecDeque<Early> = own;
        let channel = self.subs.get(sub).map(|sub| sub.channel);
        for early in own {
            let Early { raw, kind, data, sequence, sent, received, .. } = early;
            let kind = kind_of(channel, kind.as_str());
            self.packet(now, sub, Packet { raw, kind, data, sequence, sent, received });
        }
    }

    /// A frame that belongs to no subscription: everybody on its connection is shown it.
    pub(super) fn stray(&mut self, now: Now, key: Key<Slot>, frame: &Frame<'_>, error: Option<&str>) {
        self.stats.unknown += 1;
        let Some(slot) = self.slots.get(key) else { return };
        let mut shown: Vec<ReaderKey> = Vec::new();
        for seat in slot.subs.iter().filter_map(|sub| self.subs.get(*sub)).flat_map(|sub| &sub.seats) {
            if !shown.contains(&seat.reader) {
                shown.push(seat.reader);
                let kind = frame.kind.into();
                let error = error.map(Into::into);
                seat.sink.unknown(Raw { kind, raw: frame.bytes.clone(), received: now.wall, error });
            }
        }
    }

    /// Holds the number of a frame against the last one. Returns whether it was here before.
    fn count(&mut self, now: Now, key: Key<Sub>, sequence: i64) -> bool {
        let Some(sub) = self.subs.get_mut(key) else { return true };
        if !matches!(sub.channel.sequence, Sequence::Counter { .. }) {
            return false;
        }
        match sub.counter.step(sequence) {
            Step::Next => false,
            Step::Duplicate => {
                self.stats.duplicates += 1;
                true
            }
            step => {
                self.gap(now, key, step);
                false
            }
        }
    }

    fn packet(&mut self, now: Now, key: Key<Sub>, packet: Packet) {
        let Some(sub) = self.subs.get(key) else { return };
        // What comes between the end of a subscription and its new beginning is of neither.
        if matches!(sub.held, Held::No | Held::Leaving | Held::Unsure) || sub.is_again {
            self.stats.before_snapshot += 1;
            return;
        }
        if sub.held == Held::Asked {
            // Data says that it was accepted, whatever became of the reply.
            for seat in &sub.seats {
                if let Some(reader) = self.readers.get_mut(seat.reader) {
                    reader.is_started = true;
                }
            }
        }
        if let Some(sequence) = packet.sequence
            && self.count(now, key, sequence)
        {
            return;
        }
        let Some(sub) = self.subs.get(key) else { return };
        let is_list = sub.channel.is_list && packet.raw.get(packet.data.start) == Some(&b'[');
        if is_list {
            // The records stand in the frame: each is a part of it, and nothing is copied.
            let mut elements = Elements::of(&packet.raw[..packet.data.end], packet.data.start);
            for range in elements.by_ref() {
                if let Some(entry) = packet.entry(range, true) {
                    self.message(now, key, entry);
                }
            }
            if !elements.is_whole()
                && let Some(entry) = packet.entry(packet.data.clone(), false)
            {
                self.unread(key, entry);
            }
        } else if let Some(entry) = packet.entry(packet.data.clone(), false) {
            self.message(now, key, entry);
        }
        self.settle_never(now, key);
    }

    fn unread(&mut self, key: Key<Sub>, entry: Entry) {
        self.stats.unknown += 1;
        let Some(sub) = self.subs.get(key) else { return };
        for seat in &sub.seats {
            seat.sink.unknown(entry.clone().into_raw(Some("not JSON".into())));
        }
    }

    /// What was missed and cannot be had is told behind the message that showed it.
    fn settle_never(&mut self, now: Now, key: Key<Sub>) {
        let is_due = self
            .subs
            .get(key)
            .is_some_and(|sub| sub.channel.recovery == Recovery::Never && sub.sound_since.is_none() && sub.is_sound());
        if is_due {
            self.settle_all(now, key);
            if let Some(sub) = self.subs.get_mut(key) {
                sub.sound_since.get_or_insert(now.at);
            }
        }
    }

    /// One message: its place in chains and counts, then its readers.
    fn message(&mut self, now: Now, key: Key<Sub>, entry: Entry) {
        let Some(sub) = self.subs.get_mut(key) else { return };
        let channel = sub.channel;
        let step = match channel.sequence {
            Sequence::None | Sequence::Counter { .. } => Step::Next,
            Sequence::Chain { number, previous } if matches!(entry.kind, Kind::Known(_)) => {
                let data = entry.data();
                let own = integer_at(data, number);
                if is_snapshot(channel, entry.kind.as_str(), data) {
                    sub.chain.snapshot(own)
                } else {
                    sub.chain.change(own, integer_at(data, previous))
                }
            }
            Sequence::Chain { .. } => Step::Next,
            // What is held back is counted when it is put in its place.
            Sequence::PerItem { .. } if sub.catch.as_ref().is_some_and(|catch| catch.is_holding) => Step::Next,
            Sequence::PerItem { number, item } => {
                match (text_at(entry.data(), item), integer_at(entry.data(), number)) {
                    (Some(item), Some(number)) => {
                        let step = sub.per_item.step(&item, number);
                        let can_catch_up = matches!(channel.recovery, Recovery::CatchUp(_));
                        match step {
                            Step::Gap { expected, .. } if can_catch_up => {
                                sub.per_item.set(&item, expected.saturating_sub(1));
                            }
                            Step::Restart { .. } if !can_catch_up => sub.per_item.set(&item, number),
                            _ => {}
                        }
                        step
                    }
                    _ => Step::Next,
                }
            }
        };
        match step {
            Step::Next => {}
            Step::Duplicate => {
                self.stats.duplicates += 1;
                return;
            }
            step => {
                self.gap(now, key, step);
                if self.subs.get(key).is_none_or(|sub| sub.is_again) {
                    return;
                }
            }
        }
        self.stats.messages += 1;
        if self.was_brought(now, key, entry.data()) {
            self.stats.duplicates += 1;
            return;
        }
        if let Some(entry) = self.hold(now, key, entry) {
            self.give(now, key, entry);
        }
    }

    /// Gives a message to its readers.
    pub(super) fn give(&mut self, now: Now, key: Key<Sub>, entry: Entry) {
        let Some(sub) = self.subs.get_mut(key) else { return };
        if let Some(ring) = &mut sub.ring {
            ring.push(entry.shared_data());
        }
        match &sub.direct {
            Some(routes) => {
                let fault = put(routes.iter(), &entry, None);
                if let Some(fault) = fault {
                    let item = sub.channel.item.and_then(|item| text_at(entry.data(), item));
                    let item = item.or_else(|| sub.only_item().map(|item| item.to_string().into()));
                    self.fault(now, key, item.as_deref(), fault);
                }
            }
            None => self.give_by_item(now, key, &entry),
        }
    }

    fn give_by_item(&mut self, now: Now, key: Key<Sub>, entry: &Entry) {
        // An item that another connection has comes from there; here it is what is left of an earlier time.
        let is_elsewhere = |item: &str| {
            let own = self.subs.get(key).map(|sub| (sub.base.clone(), sub.is_all));
            let shares = own.and_then(|own| self.groups.get(&own)).into_iter().flatten();
            shares
                .filter(|share| **share != key)
                .any(|share| self.subs.get(*share).is_some_and(|share| share.parts.contains_key(item)))
        };
        let Some(sub) = self.subs.get(key) else { return };
        let told = sub.channel.item.and_then(|item| text_at(entry.data(), item));
        let is_elsewhere =
            told.as_deref().is_some_and(|item| !sub.is_all && !sub.parts.contains_key(item) && is_elsewhere(item));
        let Some(sub) = self.subs.get_mut(key) else { return };
        let channel = sub.channel;
        let is_known = matches!(entry.kind, Kind::Known(_));
        let opens = is_known
            && match sub.opens {
                Opens::Snapshot => is_snapshot(channel, entry.kind.as_str(), entry.data()),
                Opens::Any => true,
                Opens::Nothing => false,
            };
        let item = told.clone().or_else(|| sub.only_item().map(|item| item.to_string().into()));
        let item = item.as_deref();
        let is_closed = |route: &&Route| route.is_awaiting && sub.opens == Opens::Snapshot && is_known && !opens;
        let many = channel.messages.len() > 1;
        let key_of_item = match (&told, channel.item) {
            _ if !sub.wants_key => None,
            (Some(item), _) if many => Some(format!("{} {item}", entry.kind.as_str()).into()),
            (Some(item), _) => Some(item.clone()),
            (None, Some(_)) => None,
            (None, None) => Some(entry.kind.as_str().to_owned().into()),
        };
        let key_of_item = key_of_item.as_deref();
        let part = item.and_then(|item| sub.parts.get(item));
        let everything = sub.everything().and_then(|item| sub.parts.get(item));
        let mut fault = None;
        let mut dropped = 0;
        let mut given: Vec<ReaderKey> = Vec::new();
        {
            let is_filtered = !sub.parts.is_empty();
            let items = part.into_iter().chain(everything).flat_map(|part| &part.routes);
            let routes: Vec<&Route> = if part.is_some() || everything.is_some() || !is_filtered {
                items.chain(&sub.whole).collect()
            } else if is_elsewhere
                || item.is_some_and(|item| sub.removed.iter().any(|own| &**own == item)) && sub.whole.is_empty()
            {
                self.stats.unwanted += 1;
                Vec::new()
            } else if sub.is_all && item.is_some() {
                // Those who have single items do not have this one.
                sub.whole.iter().collect()
            } else {
                // It is about none of the items, or about one by another name: that is for everybody.
                sub.parts.values().flat_map(|part| &part.routes).chain(&sub.whole).collect()
            };
            for route in routes {
                if is_closed(&route) {
                    dropped += 1;
                } else if !given.contains(&route.reader) {
                    given.push(route.reader);
                    let found = put(std::iter::once(route), entry, key_of_item);
                    fault = fault.or(found);
                }
            }
        }
        self.stats.before_snapshot += u64::from(dropped > 0 && given.is_empty());
        for reader in &given {
            if let Some(reader) = self.readers.get_mut(*reader) {
                reader.is_started = true;
            }
        }
        if entry.origin == Origin::CatchUp {
            for reader in &given {
                if let Some(seat) = sub.seat(*reader) {
                    seat.caught_up += 1;
                }
            }
        }
        if opens && sub.awaiting() > 0 {
            let has_part = part_of(sub, item);
            let mut readers = Vec::new();
            if !sub.parts.is_empty() && channel.item.is_none() && sub.only_item().is_none() {
                // Nothing tells whose it is: one opens all.
                let items: Vec<_> = sub.parts.keys().cloned().collect();
                items.iter().for_each(|item| readers.extend(sub.arrive(Some(item))));
            }
            if let Some(item) = has_part {
                readers.extend(sub.arrive(Some(item)));
            }
            if let Some(everything) = sub.everything() {
                readers.extend(sub.arrive(Some(everything)));
            }
            readers.extend(sub.arrive(None));
            if sub.awaiting() == 0 {
                (sub.snapshot_due, sub.snapshot_rounds) = (None, 0);
                sub.refresh();
            }
            let item = has_part.map(str::to_owned);
            if fault.is_none() {
                self.arrived(now, &readers, item.as_deref());
            }
        }
        if let Some(fault) = fault {
            let item = item.map(str::to_owned);
            self.fault(now, key, item.as_deref(), fault);
        }
    }
}

fn part_of<'a>(sub: &Sub, item: Option<&'a str>) -> Option<&'a str> {
    item.filter(|item| sub.parts.contains_key(*item))
}

/// Puts a message into queues. Returns what is wrong with the book that it made, where it made one.
fn put<'a>(routes: impl Iterator<Item = &'a Route>, entry: &Entry, key: Option<&str>) -> Option<String> {
    let mut fault = None;
    for route in routes {
        if let Verdict::Fault(why) = route.sink.data(entry.clone(), key) {
            fault = Some(why);
        }
    }
    fault
}
