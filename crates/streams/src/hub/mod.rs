//! The state machine behind streams: what readers want, what the venue holds, what is certain.
//!
//! It receives what happens ([`io::Input`]) and returns what is to be done ([`io::Output`]); messages go from here straight into the
//! readers' queues. Wants are held against what the venue has ([`plan`]), so that a lost connection, a refusal or a missing reply
//! change a state and nothing is replayed from a list of commands.
//!
//! | file | concern |
//! |---|---|
//! | `io` | inputs, outputs |
//! | `attach` | readers come and go |
//! | `place` | which subscriptions share a connection |
//! | `plan` | from wants to commands, within the venue's limits |
//! | `reply` | replies to commands |
//! | `refusal` | commands that are refused or get no reply |
//! | `data` | from a frame to its readers, sequences |
//! | `recover` | what is uncertain, and how it becomes certain again |
//! | `caught` | what calls bring |
//! | `snapshots` | snapshots by a call, and the changes that come meanwhile |
//! | `line` | connections that open and are lost |
//! | `handover` | connections that others replace before they end |

mod arena;
mod attach;
mod catch_up;
mod caught;
mod data;
mod handover;
pub(crate) mod io;
mod line;
mod place;
mod plan;
mod reader;
mod recover;
mod refusal;
mod reply;
mod sequence;
mod slot;
mod snapshots;
mod sub;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::Notify;
use venuekit_transport::Clock;
use venuekit_wire::stream::{Channel, Dialect, Recovery, Streams as Table};

use self::arena::{Arena, Key};
use self::io::{CatchUpId, ConnectionId, Input, Now, Output};
pub(crate) use self::reader::Reader;
use self::slot::Slot;
use self::sub::Sub;
use crate::record::{Recorder, Source};
use crate::sink::Sink;
use crate::stats::Stats;
use crate::topic::Topic;

/// Whether a message of a channel is a change that cannot be used before a snapshot that the channel itself sends.
pub(crate) fn awaits_snapshot(channel: &'static Channel, kind: &str, data: &[u8]) -> bool {
    sub::ResyncedBy::of(channel) == sub::ResyncedBy::Snapshot
        && !matches!(channel.recovery, Recovery::Call(_))
        && !sub::is_snapshot(channel, kind, data)
}

pub(crate) use sub::has_exact_name;

/// Whether a missing message invalidates all later ones until the next snapshot.
pub(crate) fn needs_snapshot(channel: &'static Channel) -> bool {
    sub::ResyncedBy::of(channel) == sub::ResyncedBy::Snapshot && !channel.is_whole
}

/// A reader's key, by which its handle names it.
pub(crate) type ReaderKey = Key<Reader>;

/// A reader of a hub that another hub serves too.
pub(crate) struct Followed {
    pub(crate) key: ReaderKey,
    /// The topic without items.
    base: Topic,
    /// None: everything.
    items: Option<BTreeSet<Arc<str>>>,
    sink: Arc<dyn Sink>,
}

impl Followed {
    fn topic(&self) -> Topic {
        match (self.base.channel().items, &self.items) {
            (Some(name), Some(items)) => self.base.clone().list(name, items.iter().cloned()),
            _ => self.base.clone(),
        }
    }
}

/// What may be set.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// How many connections there may be.
    pub(crate) connections: usize,
    /// How long a reply may take.
    pub(crate) reply_within: Duration,
    /// How long a subscription may take, with all that it needs.
    pub(crate) subscribe_within: Duration,
    /// How much the venue's clock differs from this machine's, as far as its responses have shown it.
    pub(crate) clock: Clock,
    /// How long a call that catches up may take, all its pages included.
    pub(crate) catch_up_within: Duration,
    /// How much earlier than what is certain a catch-up begins: clocks differ, and venues write times with little care.
    pub(crate) catch_up_margin: Duration,
    /// After how long a catch-up asks again: what a venue lists is behind what it streams.
    pub(crate) catch_up_settle: Duration,
    /// How long a first change may take before a snapshot is asked for without one: what a call returns may be behind the stream.
    pub(crate) first_change_within: Duration,
    /// The waits before a connection is opened again: twice as long each time, up to the longest.
    pub(crate) backoff: (Duration, Duration),
    /// How long a connection without subscriptions stays open.
    pub(crate) linger: Duration,
    /// Where waits that are random begin.
    pub(crate) seed: u64,
    /// Whether frames come from a recording: it has items of others too, which are not delivered, and commands cost nothing.
    pub(crate) is_replay: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            connections: usize::MAX,
            reply_within: Duration::from_secs(10),
            subscribe_within: Duration::from_secs(30),
            clock: Clock::default(),
            catch_up_within: Duration::from_secs(60),
            catch_up_margin: Duration::from_secs(5),
            catch_up_settle: Duration::from_secs(2),
            first_change_within: Duration::from_secs(2),
            backoff: (Duration::from_millis(500), Duration::from_secs(30)),
            linger: Duration::from_secs(5),
            seed: 0x9e37_79b9_7f4a_7c15,
            is_replay: false,
        }
    }
}

impl Now {
    /// This moment.
    pub(crate) fn read() -> Self {
        Self::of(Instant::now(), SystemTime::now())
    }

    /// A moment at which nothing was late.
    pub(crate) fn of(at: Instant, wall: SystemTime) -> Self {
        Self { at, wall, after: wall }
    }

    /// The moment after a span, however long: one that no clock can hold is as good as never.
    pub(crate) fn later(self, span: Duration) -> Instant {
        const NEVER: Duration = Duration::from_secs(30 * 365 * 86_400);
        self.at + span.min(NEVER)
    }

    /// The same moment, at which something was read that arrived after this time.
    pub(crate) fn arrived_after(self, after: SystemTime) -> Self {
        Self { after: after.min(self.wall), ..self }
    }
}

/// The state machine.
pub(crate) struct Hub {
    table: &'static Table,
    config: Config,
    slots: Arena<Slot>,
    connections: BTreeMap<ConnectionId, Key<Slot>>,
    last_connection: u64,
    last_catch_up: u64,
    subs: Arena<Sub>,
    /// By topic without items, and whether it is for everything.
    groups: HashMap<(Topic, bool), Vec<Key<Sub>>>,
    readers: Arena<Reader>,
    /// Readers of another hub, and what they are here.
    followed: HashMap<ReaderKey, ReaderKey>,
    reader_changes: u64,
    last_input: Option<Now>,
    catch_ups: HashMap<CatchUpId, Key<Sub>>,
    outputs: VecDeque<Output>,
    /// Connections whose commands are to be looked at.
    touched: Vec<Key<Slot>>,
    deadline: Option<Instant>,
    room: Arc<Notify>,
    over: Arc<Notify>,
    recorder: Option<Source>,
    stats: Stats,
    random: u64,
    is_closed: bool,
}

impl Hub {
    pub(crate) fn new(table: &'static Table, config: Config) -> Self {
        Self {
            table,
            random: config.seed | 1,
            config,
            slots: Arena::default(),
            connections: BTreeMap::new(),
            last_connection: 0,
            last_catch_up: 0,
            subs: Arena::default(),
            groups: HashMap::new(),
            readers: Arena::default(),
            followed: HashMap::new(),
            reader_changes: 0,
            last_input: None,
            catch_ups: HashMap::new(),
            outputs: VecDeque::new(),
            touched: Vec::new(),
            deadline: None,
            room: Arc::new(Notify::new()),
            over: Arc::new(Notify::new()),
            recorder: None,
            stats: Stats::default(),
            is_closed: false,
        }
    }

    /// The venue's time: what is asked for since a time is compared with the times of its records.
    fn venue_time(&self, now: Now) -> SystemTime {
        self.config.clock.at_system(now.wall)
    }

    /// The same when something arrived that is not dated itself: what the venue sent behind it may be lost.
    fn arrived_at(&self, after: SystemTime) -> SystemTime {
        self.config.clock.at_system(after)
    }

    /// Changes what may be set. What is in progress keeps what it began with.
    pub(crate) fn configure(&mut self, change: impl FnOnce(&mut Config)) {
        change(&mut self.config);
    }

    /// Takes an input.
    pub(crate) fn input(&mut self, now: Now, input: Input<'_>) {
        self.last_input = Some(now);
        if self.recorder.is_some() {
            self.note(now, &input);
        }
        match input {
            Input::Frame(connection, frame) => self.frame(now, connection, frame),
            Input::Opened(connection) => self.opened(now, connection),
            Input::Lost(connection, lost) => self.lost(now, connection, lost),
            Input::CaughtUp(id, result) => self.caught_up(now, id, result),
            Input::Tick => {}
        }
        self.finish(now);
    }

    /// What is to be done next.
    pub(crate) fn output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When the next [`Input::Tick`] is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// How often readers, or what they want, have changed.
    pub(crate) fn reader_changes(&self) -> u64 {
        self.reader_changes
    }

    /// The readers, for a hub that serves the same ones ([`follow`](Self::follow)).
    pub(crate) fn readers(&self) -> Vec<Followed> {
        let items = |reader: &Reader| reader.items.as_ref().map(|items| items.iter().cloned().collect());
        self.readers
            .iter()
            .map(|(key, reader)| Followed {
                key,
                base: reader.base.clone(),
                items: items(reader),
                sink: reader.sink.clone(),
            })
            .collect()
    }

    /// Serves the readers of another hub, and those alone.
    pub(crate) fn follow(&mut self, now: Now, readers: &[Followed]) {
        let gone: Vec<_> = self
            .followed
            .iter()
            .filter(|(of, _)| !readers.iter().any(|reader| reader.key == **of))
            .map(|(of, own)| (*of, *own))
            .collect();
        for (of, own) in gone {
            self.followed.remove(&of);
            self.detach(now, own);
        }
        for reader in readers {
            match self.followed.get(&reader.key).copied() {
                None => {
                    if let Ok((own, _)) = self.attach(now, &reader.topic(), reader.sink.clone()) {
                        self.followed.insert(reader.key, own);
                    }
                }
                Some(own) => self.follow_items(now, own, reader),
            }
        }
    }

    /// Gives a reader of this hub the items that it has in the other one.
    fn follow_items(&mut self, now: Now, own: ReaderKey, reader: &Followed) {
        let has = self.readers.get(own).and_then(|own| own.items.clone());
        let (Some(has), Some(wanted)) = (has, &reader.items) else { return };
        let added: Vec<_> = wanted.iter().filter(|item| !has.contains(*item)).cloned().collect();
        let removed: Vec<_> = has.into_iter().filter(|item| !wanted.contains(item)).collect();
        if !added.is_empty() {
            // A recording has no responses to wait for.
            let _ = self.add(now, own, added);
        }
        if !removed.is_empty() {
            let _ = self.remove(now, own, &removed);
        }
    }

    /// The same as [`overflowed`](Self::overflowed), for a reader of the hub that this one follows, at the time of the last input.
    pub(crate) fn overflowed_followed(&mut self, of: ReaderKey) -> bool {
        let own = self.followed.get(&of).copied();
        own.zip(self.last_input).is_some_and(|(own, now)| self.overflowed(now, own))
    }

    /// The count of a subscription begins with this number.
    pub(crate) fn begin_count(&mut self, connection: ConnectionId, number: i64, first: i64) {
        let slot = self.connections.get(&connection).and_then(|slot| self.slots.get(*slot));
        let sub = slot.and_then(|slot| slot.by_number.get(&number)).copied();
        if let Some(sub) = sub.and_then(|sub| self.subs.get_mut(sub)) {
            sub.counter = sequence::Counter::before(first);
        }
    }

    /// Has every frame recorded from now on.
    pub(crate) fn record(&mut self, recorder: Option<&Recorder>) {
        self.recorder = recorder.map(Recorder::source);
    }

    fn note(&mut self, now: Now, input: &Input<'_>) {
        if let Input::CaughtUp(id, Ok(records)) = input {
            return self.note_snapshot(now, *id, records);
        }
        let (Input::Opened(id) | Input::Lost(id, _) | Input::Frame(id, _)) = input else { return };
        let slot = self.connections.get(id).and_then(|slot| self.slots.get(*slot));
        let (Some(recorder), Some(slot)) = (&mut self.recorder, slot) else { return };
        let endpoint = slot.endpoint.name;
        match input {
            Input::Opened(connection) => {
                let replaced = slot.replaced.map(|replaced| replaced.connection);
                recorder.opened(now, endpoint, *connection, replaced);
            }
            // An attempt that failed has nothing to be lost.
            Input::Lost(connection, _) if slot.link == slot::LinkState::Opening(*connection) => {}
            Input::Lost(connection, _) => recorder.lost(now, endpoint, *connection),
            Input::Frame(connection, frame) => recorder.frame(now, endpoint, *connection, frame),
            Input::CaughtUp(..) | Input::Tick => {}
        }
    }

    /// Is notified when everything has ended.
    pub(crate) fn over(&self) -> Arc<Notify> {
        self.over.clone()
    }

    /// Whether everything has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.is_closed && self.slots.iter().all(|(_, slot)| slot.connection().is_none())
    }

    /// Whether a reader keeps a connection waiting.
    pub(crate) fn is_full(&self, connection: ConnectionId) -> bool {
        let slot = self.connections.get(&connection).and_then(|slot| self.slots.get(*slot));
        slot.is_some_and(Slot::is_unread)
    }

    /// Is notified when a reader that kept a connection waiting has room.
    pub(crate) fn room(&self) -> Arc<Notify> {
        self.room.clone()
    }

    /// What has happened so far.
    pub(crate) fn stats(&self) -> Stats {
        let mut stats = self.stats.clone();
        stats.connections = self.slots.iter().filter(|(_, slot)| slot.is_open()).count();
        stats.subscriptions = self.subs.iter().filter(|(_, sub)| sub.venue_state == sub::VenueState::Active).count();
        stats
    }

    /// What follows from what has changed: commands, and what is due.
    fn finish(&mut self, now: Now) {
        if self.deadline.is_some_and(|deadline| deadline <= now.at) {
            self.tick(now);
        }
        while let Some(slot) = self.touched.pop() {
            self.plan(now, slot);
        }
    }

    /// Does what is due, and finds out when the next is.
    fn tick(&mut self, now: Now) {
        self.deadline = None;
        for slot in self.slots.keys() {
            self.tick_link(now, slot);
            self.tick_commands(now, slot);
            self.touch(slot);
        }
        for sub in self.subs.keys() {
            self.tick_snapshots(now, sub);
            self.tick_catch_up(now, sub);
            self.tick_fetch(now, sub);
            self.tick_first(now, sub);
        }
        self.tick_pending_results(now);
    }

    /// Asks for a tick at this time.
    fn schedule(&mut self, at: Instant) {
        self.deadline = Some(self.deadline.map_or(at, |own| own.min(at)));
    }

    fn touch(&mut self, slot: Key<Slot>) {
        if !self.touched.contains(&slot) {
            self.touched.push(slot);
        }
    }

    /// Has a subscription looked at: it may want something of the venue.
    fn want(&mut self, key: Key<Sub>) {
        let Some(sub) = self.subs.get_mut(key) else { return };
        let slot_key = sub.slot;
        if let Some(slot) = self.slots.get_mut(slot_key)
            && !std::mem::replace(&mut sub.is_listed, true)
        {
            slot.listed.push_back(key);
        }
        self.touch(slot_key);
    }

    /// A wait of random length: nothing up to twice the shortest one for each time that it came to nothing, up to the longest.
    fn backoff(&mut self, attempts: u32) -> Duration {
        let (shortest, longest) = self.config.backoff;
        let most = shortest.saturating_mul(1 << attempts.min(16)).min(longest);
        // Xorshift: what is random here keeps clients apart, nothing else.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let nanos = u64::try_from(most.as_nanos()).unwrap_or(u64::MAX).max(1);
        Duration::from_nanos(self.random % nanos)
    }

    /// Whether nothing is left.
    #[cfg(test)]
    fn is_empty(&self) -> bool {
        self.inventory() == "connections 0, subscriptions 0, groups 0, readers 0, calls 0"
    }

    #[cfg(test)]
    fn inventory(&self) -> String {
        let (slots, subs, groups) = (self.slots.len(), self.subs.len(), self.groups.len());
        let (readers, calls) = (self.readers.len(), self.catch_ups.len());
        format!("connections {slots}, subscriptions {subs}, groups {groups}, readers {readers}, calls {calls}")
    }

    /// Whether a connection takes one command at a time, because replies do not say what they reply to.
    fn is_serial(&self) -> bool {
        matches!(self.table.dialect, Dialect::Messages(_))
    }

    /// Whether subscriptions have names, of which one command lists many.
    fn is_by_name(&self) -> bool {
        matches!(self.table.dialect, Dialect::Calls { .. } | Dialect::Topics(_))
    }
}
