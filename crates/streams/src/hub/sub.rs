//! One subscription of the venue: what is wanted of it, what the venue holds, and who reads it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use venuekit_wire::stream::{Channel, Recovery};

use super::arena::Key;
use super::catch_up::{Brought, CatchUpState, RecentMessages};
use super::reader::Reader;
use super::sequence::{Chain, Counter, PerItem, Updates};
use super::slot::Slot;
use super::snapshots::SnapshotFetch;
use crate::event::Missed;
use crate::scan;
use crate::sink::Sink;
use crate::topic::Topic;

/// How many items are remembered that were let go: their last messages may be on the way.
const REMOVED: usize = 1024;

/// What the venue has of something that is wanted or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VenueState {
    /// Nothing is subscribed.
    Inactive,
    /// The command that subscribes has no response yet.
    Subscribing,
    /// It is subscribed.
    Active,
    /// The command that unsubscribes has no response yet.
    Unsubscribing,
    /// The command that unsubscribes failed, or got no response: it may be subscribed or not.
    Unknown,
}

/// What makes data certain after it was not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResyncedBy {
    /// A snapshot. What comes before it is of no use.
    Snapshot,
    /// Any message: each is whole.
    AnyMessage,
    /// That the venue sends again.
    Subscribing,
}

impl ResyncedBy {
    pub(crate) fn of(channel: &Channel) -> Self {
        match channel.recovery {
            Recovery::Call(_) => Self::Snapshot,
            Recovery::Snapshot | Recovery::Resubscribe if has_snapshots(channel) => Self::Snapshot,
            Recovery::Snapshot | Recovery::Resubscribe | Recovery::Next => Self::AnyMessage,
            Recovery::CatchUp(_) | Recovery::Never => Self::Subscribing,
        }
    }
}

/// Whether the stream sends snapshots at all.
pub(crate) fn has_snapshots(channel: &Channel) -> bool {
    channel.messages.iter().any(|message| message.is_snapshot || message.snapshot_when.is_some())
}

/// Whether a message is a snapshot of its item.
pub(crate) fn is_snapshot(channel: &'static Channel, kind: &str, data: &[u8]) -> bool {
    let says = |(pointer, word)| text_at(data, pointer).is_some_and(|text| text == word);
    let is_known = channel.messages.iter().any(|message| message.kind == kind);
    channel
        .messages
        .iter()
        .filter(|message| message.kind == kind || (kind.is_empty() && !is_known))
        .any(|message| message.when.is_none_or(says) && message.snapshot_when.map_or(message.is_snapshot, says))
}

/// Whether the venue writes a channel's names as they are asked for: its table says how they are written.
pub(crate) fn has_exact_name(channel: &Channel) -> bool {
    channel.parameters.iter().any(|parameter| parameter.is_lower_case)
}

/// The text of the value at a pointer.
pub(crate) fn text_at<'a>(data: &'a [u8], pointer: &str) -> Option<std::borrow::Cow<'a, str>> {
    scan::text(&data[scan::at(data, pointer)?])
}

/// The whole number at a pointer.
pub(crate) fn integer_at(data: &[u8], pointer: &str) -> Option<i64> {
    scan::integer(&data[scan::at(data, pointer)?])
}

/// One way from a subscription to a reader.
#[derive(Clone)]
pub(crate) struct Route {
    pub(crate) reader: Key<Reader>,
    pub(crate) sink: Arc<dyn Sink>,
    /// It waits for what [`ResyncedBy`] its data.
    pub(crate) is_awaiting: bool,
}

/// A reader's share in a subscription.
pub(crate) struct SubReader {
    pub(crate) reader: Key<Reader>,
    pub(crate) sink: Arc<dyn Sink>,
    /// How many of its routes wait.
    pub(crate) awaiting: u32,
    /// What it has missed since it became uncertain.
    pub(crate) missed: Missed,
    /// What a call brought since then.
    pub(crate) caught_up: u64,
}

/// Whether the venue is to be asked for a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SnapshotRequest {
    /// No.
    None,
    /// The command is to be sent.
    Wanted,
    /// The command was sent.
    Sent,
}

/// One item.
pub(crate) struct SubItem {
    pub(crate) routes: Vec<Route>,
    pub(crate) venue_state: VenueState,
    pub(crate) snapshot_request: SnapshotRequest,
}

/// One subscription of the venue.
pub(crate) struct Sub {
    /// The topic without items.
    pub(crate) base: Topic,
    pub(crate) channel: &'static Channel,
    pub(crate) resynced_by: ResyncedBy,
    /// By which data names it, where it has one name for good.
    pub(crate) name: Arc<str>,
    /// Data has the name as it is written: in another case it is that of another one.
    pub(crate) is_name_exact: bool,
    pub(crate) slot: Key<Slot>,
    /// It has everything, or its channel has no items.
    pub(crate) is_all: bool,
    pub(crate) venue_state: VenueState,
    /// It is to be ended and begun again.
    pub(crate) is_resubscribing: bool,
    /// Before this it is not asked for.
    pub(crate) not_before: Option<Instant>,
    /// How often in a row it was begun again without having been sound for long.
    pub(crate) tries: u32,
    /// How many commands in a row failed that may succeed later.
    pub(crate) failures: u32,
    /// Since when it has been sound.
    pub(crate) healthy_since: Option<Instant>,
    /// How many items go into one command.
    pub(crate) batch: usize,
    /// How many single items were refused before any was accepted.
    pub(crate) refused_alone: u32,
    pub(crate) number: Option<i64>,
    /// Rooms, and the item of each where its name has one.
    pub(crate) rooms: Vec<(Arc<str>, Option<Arc<str>>)>,
    pub(crate) sub_items: BTreeMap<Arc<str>, SubItem>,
    /// Who reads everything.
    pub(crate) whole: Vec<Route>,
    pub(crate) sub_readers: Vec<SubReader>,
    /// Who gets every message, where that needs no look at its item.
    pub(crate) direct: Option<Vec<Route>>,
    /// A reader replaces older messages by newer ones.
    pub(crate) wants_key: bool,
    /// A command for it got no reply: the venue may send items that are subscribed elsewhere by now.
    pub(crate) may_stray: bool,
    /// Messages about other items than its own are not passed on.
    pub(crate) is_exact: bool,
    pub(crate) removed: VecDeque<Arc<str>>,
    pub(crate) counter: Counter,
    pub(crate) chain: Chain,
    pub(crate) updates: Updates,
    pub(crate) per_item: PerItem,
    /// A snapshot is asked for by a call.
    pub(crate) fetch: Option<SnapshotFetch>,
    /// When it is reported that it has sent nothing since it was accepted.
    pub(crate) first_due: Option<Instant>,
    /// It has sent something.
    pub(crate) has_sent: bool,
    /// It is subscribed over a second connection, and the first one goes on to send it until that is open.
    pub(crate) is_moving: bool,
    /// The second connection has sent something of it.
    pub(crate) has_moved: bool,
    /// When missing snapshots are asked for.
    pub(crate) snapshot_due: Option<Instant>,
    /// How often they were, in a row.
    pub(crate) snapshot_rounds: u32,
    /// When its last frame came, or when it was accepted, or a call listed all that was missed; by the venue's clock.
    pub(crate) last_heard: Option<SystemTime>,
    /// Until when everything that its readers have is certain, where something was missed that a call can list.
    pub(crate) certain_until: Option<SystemTime>,
    pub(crate) ring: Option<RecentMessages>,
    pub(crate) catch: Option<CatchUpState>,
    /// What calls have brought, and the stream may bring too.
    pub(crate) brought: Brought,
    /// It is in its connection's list of those that need a command.
    pub(crate) is_listed: bool,
}

impl Sub {
    pub(crate) fn new(base: Topic, is_all: bool, slot: Key<Slot>, batch: usize) -> Self {
        let channel = base.channel();
        let has_ring = matches!(channel.recovery, Recovery::CatchUp(_));
        Self {
            name: base.to_string().into(),
            is_name_exact: has_exact_name(channel),
            resynced_by: ResyncedBy::of(channel),
            base,
            channel,
            slot,
            is_all,
            venue_state: VenueState::Inactive,
            is_resubscribing: false,
            not_before: None,
            tries: 0,
            failures: 0,
            healthy_since: None,
            batch,
            refused_alone: 0,
            number: None,
            rooms: Vec::new(),
            sub_items: BTreeMap::new(),
            whole: Vec::new(),
            sub_readers: Vec::new(),
            direct: None,
            wants_key: false,
            may_stray: false,
            is_exact: false,
            removed: VecDeque::new(),
            counter: Counter::default(),
            chain: Chain::default(),
            updates: Updates::default(),
            per_item: PerItem::default(),
            fetch: None,
            first_due: None,
            has_sent: false,
            is_moving: false,
            has_moved: false,
            snapshot_due: None,
            snapshot_rounds: 0,
            last_heard: None,
            certain_until: None,
            ring: has_ring.then(RecentMessages::default),
            catch: None,
            brought: Brought::default(),
            is_listed: false,
        }
    }

    /// How much of a connection it takes.
    pub(crate) fn weight(&self) -> usize {
        if self.is_all { 1 } else { self.sub_items.len().max(1) }
    }

    pub(crate) fn is_wanted(&self) -> bool {
        !self.sub_readers.is_empty()
    }

    /// Whether everything that it has is certain, but for routes that wait.
    pub(crate) fn is_healthy(&self) -> bool {
        self.venue_state == VenueState::Active
            && !self.is_resubscribing
            && self.catch.is_none()
            && self.fetch.is_none()
            && self.certain_until.is_none()
    }

    pub(crate) fn awaiting(&self) -> u32 {
        self.sub_readers.iter().map(|sub_reader| sub_reader.awaiting).sum()
    }

    /// Whether a command asks the venue for snapshots of single items.
    pub(super) fn can_ask(&self) -> bool {
        self.channel.actions.snapshot.is_some() && !self.is_all
    }

    /// Whether messages of an item are nobody's: it was removed or refused, and its last ones may still come.
    pub(crate) fn is_removed(&self, item: &str) -> bool {
        self.whole.is_empty()
            && self.everything().is_none()
            && !self.sub_items.contains_key(item)
            && self.removed.iter().any(|own| **own == *item)
    }

    /// The only item, where there is one only: whatever comes is about it.
    pub(crate) fn only_item(&self) -> Option<&Arc<str>> {
        if self.is_all || self.sub_items.len() != 1 { None } else { self.sub_items.keys().next() }
    }

    /// The item that asks for everything, where it is one of them.
    pub(crate) fn everything(&self) -> Option<&'static str> {
        self.channel.everything.filter(|item| self.sub_items.contains_key(*item))
    }

    pub(crate) fn sub_reader(&mut self, reader: Key<Reader>) -> Option<&mut SubReader> {
        self.sub_readers.iter_mut().find(|sub_reader| sub_reader.reader == reader)
    }

    /// Whether everything that is wanted was accepted.
    pub(crate) fn is_complete(&self) -> bool {
        self.venue_state == VenueState::Active
            && !self.is_resubscribing
            && (self.is_all
                || self
                    .sub_items
                    .values()
                    .all(|sub_item| sub_item.venue_state == VenueState::Active || sub_item.routes.is_empty()))
    }

    /// Whether the venue sends everything that a reader has of it.
    pub(crate) fn has_parts_of(&self, reader: Key<Reader>) -> bool {
        self.is_all
            || self.sub_items.values().all(|sub_item| {
                sub_item.venue_state == VenueState::Active
                    || !sub_item.routes.iter().any(|route| route.reader == reader)
            })
    }

    /// Gives a reader a way to an item, or to everything.
    pub(crate) fn join(
        &mut self,
        reader: Key<Reader>,
        sink: &Arc<dyn Sink>,
        item: Option<&Arc<str>>,
        is_awaiting: bool,
    ) {
        let routes = match item {
            None => &mut self.whole,
            Some(item) => {
                self.removed.retain(|own| own != item);
                &mut self
                    .sub_items
                    .entry(item.clone())
                    .or_insert_with(|| SubItem {
                        routes: Vec::new(),
                        venue_state: VenueState::Inactive,
                        snapshot_request: SnapshotRequest::None,
                    })
                    .routes
            }
        };
        if routes.iter().any(|route| route.reader == reader) {
            return;
        }
        routes.push(Route { reader, sink: sink.clone(), is_awaiting });
        if self.sub_reader(reader).is_none() {
            let (missed, caught_up) = (Missed::None, 0);
            self.sub_readers.push(SubReader { reader, sink: sink.clone(), awaiting: 0, missed, caught_up });
        }
        if let Some(sub_reader) = self.sub_reader(reader) {
            sub_reader.awaiting += u32::from(is_awaiting);
        }
    }

    /// The venue has nothing of it any longer: what belonged to the subscription that ended is forgotten. Returns its number.
    pub(crate) fn clear_subscription(&mut self) -> Option<i64> {
        self.venue_state = VenueState::Inactive;
        self.is_resubscribing = false;
        (self.is_moving, self.has_moved) = (false, false);
        (self.counter, self.chain, self.updates) = Default::default();
        self.rooms.clear();
        (self.snapshot_due, self.first_due) = (None, None);
        for item in self.sub_items.values_mut() {
            (item.venue_state, item.snapshot_request) = (VenueState::Inactive, SnapshotRequest::None);
        }
        let unwanted = self.sub_items.iter().filter(|(_, item)| item.routes.is_empty());
        let unwanted: Vec<_> = unwanted.map(|(item, _)| item.clone()).collect();
        unwanted.iter().for_each(|item| drop(self.forget(item)));
        self.number.take()
    }

    /// Gives a new reader what another one has made of the messages so far. Returns whether one has everything.
    pub(crate) fn copy_state_to(&self, sink: &Arc<dyn Sink>) -> bool {
        self.sub_readers.iter().filter(|other| other.awaiting == 0).any(|other| sink.copy_state(&*other.sink))
    }

    /// Takes a reader's way to an item. An item that the venue does not have is forgotten when no reader wants it.
    pub(crate) fn leave_item(&mut self, reader: Key<Reader>, item: &str) {
        let Some(sub_item) = self.sub_items.get_mut(item) else { return };
        let Some(at) = sub_item.routes.iter().position(|route| route.reader == reader) else { return };
        let route = sub_item.routes.remove(at);
        let is_over = sub_item.routes.is_empty() && (sub_item.venue_state == VenueState::Inactive || self.is_all);
        if is_over {
            self.forget(item);
        }
        if let Some(sub_reader) = self.sub_reader(reader) {
            sub_reader.awaiting -= u32::from(route.is_awaiting);
        }
    }

    /// Takes everything of a reader.
    pub(crate) fn leave(&mut self, reader: Key<Reader>) {
        self.whole.retain(|route| route.reader != reader);
        let items: Vec<_> = self
            .sub_items
            .iter()
            .filter(|(_, sub_item)| sub_item.routes.iter().any(|route| route.reader == reader))
            .map(|(item, _)| item.clone())
            .collect();
        items.iter().for_each(|item| self.leave_item(reader, item));
        self.sub_readers.retain(|sub_reader| sub_reader.reader != reader);
    }

    /// Forgets an item, but for its last messages. Those that are held back are nobody's.
    pub(crate) fn forget(&mut self, item: &str) -> Option<SubItem> {
        if let (Some(catch), Some(pointer), false) = (&mut self.catch, self.channel.item, self.is_all) {
            catch.held.retain(|entry| text_at(entry.data(), pointer).as_deref() != Some(item));
        }
        let (item, sub_item) = self.sub_items.remove_entry(item)?;
        if self.removed.len() >= REMOVED {
            self.removed.pop_front();
        }
        self.removed.push_back(item);
        Some(sub_item)
    }

    /// All routes wait for what opens them.
    pub(crate) fn await_all(&mut self) {
        for sub_reader in &mut self.sub_readers {
            sub_reader.awaiting = 0;
        }
        let routes = self.whole.iter_mut().chain(self.sub_items.values_mut().flat_map(|sub_item| &mut sub_item.routes));
        for route in routes {
            route.is_awaiting = true;
            if let Some(sub_reader) = self.sub_readers.iter_mut().find(|sub_reader| sub_reader.reader == route.reader) {
                sub_reader.awaiting += 1;
            }
        }
        self.direct = None;
    }

    /// The routes of an item wait for what opens them.
    pub(crate) fn await_item(&mut self, item: &str) {
        let Some(sub_item) = self.sub_items.get_mut(item) else { return };
        for route in sub_item.routes.iter_mut().filter(|route| !route.is_awaiting) {
            route.is_awaiting = true;
            if let Some(sub_reader) = self.sub_readers.iter_mut().find(|sub_reader| sub_reader.reader == route.reader) {
                sub_reader.awaiting += 1;
            }
        }
        self.direct = None;
    }

    /// A reader's route to an item waits for what opens it.
    pub(crate) fn await_reader(&mut self, reader: Key<Reader>, item: &str) {
        let Some(sub_item) = self.sub_items.get_mut(item) else { return };
        wait_for(&mut sub_item.routes, &mut self.sub_readers, reader);
        self.direct = None;
    }

    /// The same for its route to everything.
    pub(crate) fn await_reader_whole(&mut self, reader: Key<Reader>) {
        wait_for(&mut self.whole, &mut self.sub_readers, reader);
        self.direct = None;
    }

    /// How many routes wait for what opens an item, or everything.
    pub(crate) fn awaiting_of(&self, item: Option<&Arc<str>>) -> usize {
        let routes = match item {
            Some(item) => self.sub_items.get(item).map_or(&[][..], |sub_item| &sub_item.routes),
            None => &self.whole,
        };
        routes.iter().filter(|route| route.is_awaiting).count()
    }

    /// Whether what opens routes to an item, or to everything, is on its way, or will be asked for.
    pub(crate) fn is_coming(&self, item: Option<&Arc<str>>) -> bool {
        let is_requested =
            |item| self.sub_items.get(item).is_some_and(|sub_item| sub_item.snapshot_request != SnapshotRequest::None);
        self.awaiting_of(item) > 0
            && (self.snapshot_due.is_some() || self.fetch.is_some() || item.is_some_and(is_requested))
    }

    /// What resynchronizes an item has come, or what resynchronizes everything. Returns the readers that waited for it.
    pub(crate) fn arrive(&mut self, item: Option<&str>) -> Vec<Key<Reader>> {
        let routes = match item {
            Some(item) => match self.sub_items.get_mut(item) {
                Some(sub_item) => {
                    sub_item.snapshot_request = SnapshotRequest::None;
                    &mut sub_item.routes
                }
                None => return Vec::new(),
            },
            None => &mut self.whole,
        };
        let mut readers = Vec::new();
        for route in routes.iter_mut().filter(|route| route.is_awaiting) {
            route.is_awaiting = false;
            readers.push(route.reader);
            if let Some(sub_reader) = self.sub_readers.iter_mut().find(|sub_reader| sub_reader.reader == route.reader) {
                sub_reader.awaiting -= 1;
            }
        }
        readers
    }

    /// Finds out again who gets what without a look at the item.
    pub(crate) fn refresh(&mut self) {
        self.wants_key = self.sub_readers.iter().any(|sub_reader| sub_reader.sink.wants_key());
        self.direct = None;
        let is_incomplete = self.awaiting() > 0 || self.catch.is_some() || self.fetch.is_some();
        if self.wants_key || is_incomplete || self.is_resubscribing || self.may_stray {
            return;
        }
        if self.sub_items.is_empty() {
            self.direct = Some(self.whole.clone());
            return;
        }
        if !self.whole.is_empty() || self.is_all || self.is_exact || self.everything().is_some() {
            return;
        }
        // One item, or several with the same readers: whatever comes is for all of them.
        let mut sub_items = self.sub_items.values().filter(|sub_item| !sub_item.routes.is_empty());
        let Some(first) = sub_items.next() else { return };
        let readers = |sub_item: &SubItem| sub_item.routes.iter().map(|route| route.reader).collect::<Vec<_>>();
        let own = readers(first);
        let is_same = sub_items.all(|sub_item| readers(sub_item) == own)
            && self.sub_items.values().all(|sub_item| !sub_item.routes.is_empty());
        if is_same && self.removed.is_empty() {
            self.direct = Some(first.routes.clone());
        }
    }
}

fn wait_for(routes: &mut [Route], sub_readers: &mut [SubReader], reader: Key<Reader>) {
    let waiting = routes.iter_mut().filter(|route| route.reader == reader && !route.is_awaiting);
    for route in waiting {
        route.is_awaiting = true;
        if let Some(sub_reader) = sub_readers.iter_mut().find(|sub_reader| sub_reader.reader == reader) {
            sub_reader.awaiting += 1;
        }
    }
}
