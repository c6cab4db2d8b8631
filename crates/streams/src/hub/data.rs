//! From a frame to its readers.

use std::ops::Range;

use venuekit_wire::stream::{Channel, Recovery, Sequence};

use super::arena::Key;
use super::io::{Body, ConnectionId, Frame, Handle, Now};
use super::sequence::Step;
use super::slot::{DataFrame, Purpose, Slot, UnassignedFrame};
use super::sub::{ResyncedBy, Route, Sub, VenueState, has_snapshots, integer_at, is_snapshot, text_at};
use super::{Hub, ReaderKey};
use crate::event::{Origin, Raw};
use crate::scan::Elements;
use crate::sink::{Entry, Kind, Verdict};

impl DataFrame {
    /// The message that it is, where it is one.
    fn into_entry(self) -> Option<Entry> {
        Some(Entry {
            data: u32::try_from(self.data.start).ok()?..u32::try_from(self.data.end).ok()?,
            raw: self.raw,
            kind: self.kind,
            received: self.received,
            sent: self.sent,
            sequence: self.sequence,
            origin: Origin::Stream,
            replaced: 0,
            is_record: false,
        })
    }

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

/// What is kept of a frame.
pub(super) fn data_frame_of(frame: &Frame<'_>, channel: Option<&'static Channel>, now: Now) -> DataFrame {
    DataFrame {
        raw: frame.bytes.clone(),
        kind: kind_of(channel, frame.kind),
        data: frame.data.clone(),
        sequence: frame.sequence,
        sent: frame.sent,
        received: now.wall,
        after: now.after,
    }
}

/// What the number of a frame says of it.
enum Counted {
    Good,
    Duplicate,
    /// Its number is below the last one: it comes late, or the count began again.
    Late,
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
        let is_old = self.is_replaced(key, connection);
        match &frame.body {
            Body::Quiet => {}
            Body::Data if is_old => self.late_data(now, key, &frame),
            // What is said of commands on a connection that another one has replaced concerns nobody.
            _ if is_old => {}
            Body::Closing => self.replace_connection(now, key),
            Body::Unread => self.show_unassigned(now, key, &frame, Some("not a message of this venue")),
            Body::Data => self.data(now, key, &frame),
            Body::Reply(_) => {
                // Replies of a subscription are counted like its data.
                if let (Handle::Number(number), Some(sequence)) = (frame.handle, frame.sequence)
                    && let Some(sub) = self.slots.get(key).and_then(|slot| slot.by_number.get(&number)).copied()
                {
                    self.count(now, sub, sequence);
                    self.resync_unrecoverable(now, sub);
                }
                self.reply(now, key, frame);
            }
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
            Handle::Name(name) => self.named(key, name),
            Handle::Room(room) => slot.by_room.get(room).copied(),
            Handle::None => None,
        };
        let found = match (found, frame.handle) {
            (None, Handle::None | Handle::Room(_)) if !self.is_by_name() => self.by_kind(key, frame.kind),
            (found, _) => found,
        };
        let Some(sub) = found else { return self.unassigned_data(now, key, frame) };
        let channel = self.subs.get_mut(sub).map(|sub| {
            sub.has_moved = sub.is_moving;
            sub.channel
        });
        let frame = data_frame_of(frame, channel, now);
        self.data_frame(now, sub, frame);
    }

    /// The subscription that data names. In another case a name is its name too, unless the venue writes it as it was asked for: names may
    /// differ in case alone, as those of a minute and a month.
    pub(super) fn named(&mut self, key: Key<Slot>, name: &str) -> Option<Key<Sub>> {
        let names = &self.slots.get(key)?.by_name;
        let found = match names.get(name) {
            Some(found) => *found,
            None => *names.get(&*name.to_lowercase())?,
        };
        let sub = self.subs.get_mut(found)?;
        let is_exact = *sub.name == *name;
        sub.is_name_exact |= is_exact;
        (is_exact || !sub.is_name_exact).then_some(found)
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
    fn unassigned_data(&mut self, now: Now, key: Key<Slot>, frame: &Frame<'_>) {
        let Some(slot) = self.slots.get_mut(key) else { return };
        if let Handle::Number(number) = frame.handle {
            if slot.has_ended(number) {
                self.stats.unwanted += 1;
                return;
            }
            let is_asked = slot.pending.values().any(|pending| matches!(pending.purpose, Purpose::Subscribe(_)));
            let unassigned = || UnassignedFrame { number, frame: data_frame_of(frame, None, now) };
            if is_asked && slot.keep_unassigned(unassigned()) {
                return;
            }
        }
        self.show_unassigned(now, key, frame, None);
    }

    /// The response that names their subscription has come.
    pub(super) fn assign_frames(&mut self, now: Now, key: Key<Slot>, number: i64, sub: Key<Sub>) {
        let Some(slot) = self.slots.get_mut(key) else { return };
        let (own, others) =
            std::mem::take(&mut slot.unassigned).into_iter().partition(|unassigned| unassigned.number == number);
        slot.unassigned = others;
        let own: std::collections::VecDeque<UnassignedFrame> = own;
        let channel = self.subs.get(sub).map(|sub| sub.channel);
        for UnassignedFrame { mut frame, .. } in own {
            frame.kind = kind_of(channel, frame.kind.as_str());
            self.data_frame(now, sub, frame);
        }
    }

    /// A frame that belongs to no subscription: every reader on its connection gets it.
    pub(super) fn show_unassigned(&mut self, now: Now, key: Key<Slot>, frame: &Frame<'_>, error: Option<&str>) {
        self.stats.unknown += 1;
        let Some(slot) = self.slots.get(key) else { return };
        let mut shown: Vec<ReaderKey> = Vec::new();
        for sub_reader in slot.subs.iter().filter_map(|sub| self.subs.get(*sub)).flat_map(|sub| &sub.sub_readers) {
            if !shown.contains(&sub_reader.reader) {
                shown.push(sub_reader.reader);
                let kind = frame.kind.into();
                let error = error.map(Into::into);
                sub_reader.sink.unknown(Raw { kind, raw: frame.bytes.clone(), received: now.wall, error });
            }
        }
    }

    /// Compares the number of a frame with the last one.
    fn count(&mut self, now: Now, key: Key<Sub>, sequence: i64) -> Counted {
        let Some(sub) = self.subs.get_mut(key) else { return Counted::Duplicate };
        let Sequence::Counter { first, .. } = sub.channel.sequence else { return Counted::Good };
        match sub.counter.step(first, sequence) {
            Step::Next => Counted::Good,
            Step::Duplicate => {
                self.stats.duplicates += 1;
                Counted::Duplicate
            }
            step @ Step::Restart { .. } => {
                self.gap(now, key, step);
                Counted::Late
            }
            step => {
                self.gap(now, key, step);
                Counted::Good
            }
        }
    }

    pub(super) fn data_frame(&mut self, now: Now, key: Key<Sub>, frame: DataFrame) {
        // What is read late was sent before that, and what the venue sent after it may be lost.
        let sent = frame.sent.and_then(|sent| sent.to_system_time());
        let sent = sent.map_or_else(|| self.arrived_at(frame.after), |sent| sent.min(self.venue_time(now)));
        self.take_frame(now, key, frame);
        if let Some(sub) = self.subs.get_mut(key) {
            sub.last_heard = sub.last_heard.max(Some(sent));
        }
    }

    fn take_frame(&mut self, now: Now, key: Key<Sub>, frame: DataFrame) {
        let Some(sub) = self.subs.get_mut(key) else { return };
        // What comes between the end of a subscription and its new beginning is of neither.
        let is_ended =
            matches!(sub.venue_state, VenueState::Inactive | VenueState::Unsubscribing | VenueState::Unknown);
        if (is_ended && !sub.is_moving) || sub.is_resubscribing {
            self.stats.before_snapshot += 1;
            return;
        }
        (sub.has_sent, sub.first_due) = (true, None);
        if sub.venue_state == VenueState::Subscribing {
            // Data says that it was accepted, whatever became of the reply.
            for sub_reader in &sub.sub_readers {
                if let Some(reader) = self.readers.get_mut(sub_reader.reader) {
                    reader.is_started = true;
                }
            }
        }
        match frame.sequence.map_or(Counted::Good, |sequence| self.count(now, key, sequence)) {
            Counted::Good => {}
            Counted::Duplicate => return,
            // A snapshot that comes late may be older than what came before it: another one is asked for.
            Counted::Late if self.needs_snapshots(now, key) => {
                self.stats.before_snapshot += 1;
                return;
            }
            Counted::Late => {}
        }
        let Some(sub) = self.subs.get(key) else { return };
        let is_list = sub.channel.is_list && frame.raw.get(frame.data.start) == Some(&b'[');
        if is_list {
            // The records are in the frame: each is a range of it, and nothing is copied.
            let mut elements = Elements::of(&frame.raw[..frame.data.end], frame.data.start);
            for range in elements.by_ref() {
                if let Some(entry) = frame.entry(range, true) {
                    self.message(now, key, entry);
                }
            }
            if !elements.is_whole()
                && let Some(entry) = frame.entry(frame.data.clone(), false)
            {
                self.unread(key, entry);
            }
        } else if let Some(entry) = frame.into_entry() {
            self.message(now, key, entry);
        }
        self.resync_unrecoverable(now, key);
    }

    fn unread(&mut self, key: Key<Sub>, entry: Entry) {
        self.stats.unknown += 1;
        let Some(sub) = self.subs.get(key) else { return };
        for sub_reader in &sub.sub_readers {
            sub_reader.sink.unknown(entry.clone().into_raw(Some("not JSON".into())));
        }
    }

    /// What was missed and cannot be recovered is reported behind the message that showed it.
    fn resync_unrecoverable(&mut self, now: Now, key: Key<Sub>) {
        let is_due = self.subs.get(key).is_some_and(|sub| {
            sub.channel.recovery == Recovery::Never && sub.healthy_since.is_none() && sub.is_healthy()
        });
        if is_due {
            self.resync_all_if_certain(now, key);
            if let Some(sub) = self.subs.get_mut(key) {
                sub.healthy_since.get_or_insert(now.at);
            }
        }
    }

    /// One message: its place in chains and counts, then its readers.
    pub(super) fn message(&mut self, now: Now, key: Key<Sub>, entry: Entry) {
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
                    let step = sub.chain.change(own, integer_at(data, previous));
                    if has_snapshots(channel) { step } else { sub.chain.go_on(step, own) }
                }
            }
            Sequence::Range { first, last } if matches!(entry.kind, Kind::Known(_)) => {
                let numbers = (integer_at(entry.data(), first), integer_at(entry.data(), last));
                if sub.fetch.is_some() || !sub.updates.is_begun() {
                    return self.hold_change(now, key, entry, numbers);
                }
                let step = sub.updates.step(numbers.0, numbers.1, sub.is_moving);
                if !matches!(step, Step::Next | Step::Duplicate) {
                    // It follows what is missing, and the snapshot may end before it.
                    self.gap(now, key, step);
                    return self.hold_change(now, key, entry, numbers);
                }
                step
            }
            Sequence::Successive { number, first } if matches!(entry.kind, Kind::Known(_)) => {
                let data = entry.data();
                let own = integer_at(data, number);
                if is_snapshot(channel, entry.kind.as_str(), data) {
                    sub.chain.reset(first, own)
                } else {
                    let step = sub.chain.successor(own);
                    if has_snapshots(channel) { step } else { sub.chain.go_on(step, own) }
                }
            }
            Sequence::Chain { .. } | Sequence::Successive { .. } | Sequence::Range { .. } => Step::Next,
            // What is held back is counted when it is put in its place.
            Sequence::PerItem { .. } if sub.catch.as_ref().is_some_and(|catch| catch.is_holding) => Step::Next,
            Sequence::PerItem { number, item } => {
                match (text_at(entry.data(), item), integer_at(entry.data(), number)) {
                    (Some(item), Some(number)) => {
                        let step = sub.per_item.step(&item, number);
                        let can_catch_up = matches!(channel.recovery, Recovery::CatchUp(_));
                        // The other connection has brought it.
                        let step = match step {
                            Step::Restart { .. } if sub.is_moving => Step::Duplicate,
                            step => step,
                        };
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
                if self.subs.get(key).is_none_or(|sub| sub.is_resubscribing) {
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
            self.deliver(now, key, entry);
        }
    }

    /// Gives a message to its readers.
    pub(super) fn deliver(&mut self, now: Now, key: Key<Sub>, entry: Entry) {
        let Some(sub) = self.subs.get_mut(key) else { return };
        if let Some(ring) = &mut sub.ring {
            ring.push(entry.shared_data());
        }
        match &sub.direct {
            Some(routes) if routes.iter().all(|route| !route.sink.finds_faults()) => {
                if let Some((last, others)) = routes.split_last() {
                    put(others.iter(), &entry, None);
                    last.sink.data(entry, None);
                }
            }
            Some(routes) => {
                let fault = put(routes.iter(), &entry, None);
                if let Some(fault) = fault {
                    let item = sub.channel.item.and_then(|item| text_at(entry.data(), item));
                    let item = item.or_else(|| sub.only_item().map(|item| item.to_string().into()));
                    self.fault(now, key, item.as_deref(), fault);
                }
            }
            None => self.deliver_by_item(now, key, &entry),
        }
    }

    fn deliver_by_item(&mut self, now: Now, key: Key<Sub>, entry: &Entry) {
        // An item that another connection has comes from there; here it is what is left of an earlier time.
        let is_elsewhere = |item: &str| {
            let own = self.subs.get(key).map(|sub| (sub.base.clone(), sub.is_all));
            let shares = own.and_then(|own| self.groups.get(&own)).into_iter().flatten();
            shares
                .filter(|share| **share != key)
                .any(|share| self.subs.get(*share).is_some_and(|share| share.sub_items.contains_key(item)))
        };
        let Some(sub) = self.subs.get(key) else { return };
        let named = sub.channel.item.and_then(|item| text_at(entry.data(), item));
        let is_elsewhere =
            named.as_deref().is_some_and(|item| !sub.is_all && !sub.sub_items.contains_key(item) && is_elsewhere(item));
        let Some(sub) = self.subs.get_mut(key) else { return };
        let channel = sub.channel;
        let is_known = matches!(entry.kind, Kind::Known(_));
        let resyncs = is_known
            && match sub.resynced_by {
                ResyncedBy::Snapshot => is_snapshot(channel, entry.kind.as_str(), entry.data()),
                ResyncedBy::AnyMessage => true,
                ResyncedBy::Subscribing => false,
            };
        let item = named.clone().or_else(|| sub.only_item().map(|item| item.to_string().into()));
        let item = item.as_deref();
        let is_closed =
            |route: &&Route| route.is_awaiting && sub.resynced_by == ResyncedBy::Snapshot && is_known && !resyncs;
        let many = channel.messages.len() > 1;
        let key_of_item = match (&named, channel.item) {
            _ if !sub.wants_key => None,
            (Some(item), _) if many => Some(format!("{} {item}", entry.kind.as_str()).into()),
            (Some(item), _) => Some(item.clone()),
            (None, Some(_)) => None,
            (None, None) => Some(entry.kind.as_str().to_owned().into()),
        };
        let key_of_item = key_of_item.as_deref();
        let sub_item = item.and_then(|item| sub.sub_items.get(item));
        let everything = sub.everything().and_then(|item| sub.sub_items.get(item));
        let mut fault = None;
        let mut dropped = 0;
        let mut given: Vec<ReaderKey> = Vec::new();
        {
            let is_filtered = !sub.sub_items.is_empty();
            let items = sub_item.into_iter().chain(everything).flat_map(|sub_item| &sub_item.routes);
            let routes: Vec<&Route> = if sub_item.is_some() || everything.is_some() || !is_filtered {
                items.chain(&sub.whole).collect()
            } else if is_elsewhere
                || (sub.is_exact && named.is_some() && !sub.is_all)
                || item.is_some_and(|item| sub.is_removed(item))
            {
                self.stats.unwanted += 1;
                Vec::new()
            } else if sub.is_all && item.is_some() {
                // Those who have single items do not have this one.
                sub.whole.iter().collect()
            } else {
                // It is about none of the items, or about one by another name: that is for all readers.
                sub.sub_items.values().flat_map(|sub_item| &sub_item.routes).chain(&sub.whole).collect()
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
        if entry.origin == Origin::CatchUp && matches!(channel.recovery, Recovery::CatchUp(_)) {
            for reader in &given {
                if let Some(sub_reader) = sub.sub_reader(*reader) {
                    sub_reader.caught_up += 1;
                }
            }
        }
        if resyncs && sub.awaiting() > 0 {
            let known_item = known_item_of(sub, item);
            let mut readers = Vec::new();
            if !sub.sub_items.is_empty() && channel.item.is_none() && sub.only_item().is_none() {
                // The message has no item: one resynchronizes all.
                let items: Vec<_> = sub.sub_items.keys().cloned().collect();
                items.iter().for_each(|item| readers.extend(sub.arrive(Some(item))));
            }
            if let Some(item) = known_item {
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
            let item = known_item.map(str::to_owned);
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

fn known_item_of<'a>(sub: &Sub, item: Option<&'a str>) -> Option<&'a str> {
    item.filter(|item| sub.sub_items.contains_key(*item))
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
