//! A reader that proves what it is told.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use serde_json::Value;
use venuekit_wire::stream::Dialect;

use super::super::ReaderKey;
use super::venue::Venue;
use crate::error::Error;
use crate::event::{Ended, Missed, Origin, Raw, Reason};
use crate::queue::{Overflow, Queue, QueueItem};
use crate::sink::{Entry, Sink, State, Verdict};
use crate::topic::Topic;
use crate::withheld::Withheld;

/// What a reader knows of an item.
#[derive(Default)]
struct Known {
    /// The last version that it was given.
    last: Option<i64>,
    /// The last version that it was told may be missing.
    accounted: i64,
    levels: BTreeMap<i64, i64>,
    /// It has had a snapshot.
    is_live: bool,
}

/// What had happened by the time at which a reader was told that it is certain again.
type Mark = BTreeMap<(String, String), i64>;

/// A queue that notes what had happened.
struct Tap {
    queue: Queue,
    truth: Arc<Mutex<Mark>>,
    shown: Arc<Mutex<Mark>>,
    /// What was sent, and what of it came or is known to be lost.
    marks: Mutex<VecDeque<(Mark, Mark)>>,
}

impl Sink for Tap {
    fn data(&self, entry: Entry, key: Option<&str>) -> Verdict {
        self.queue.data(entry, key)
    }

    fn unknown(&self, raw: Raw) {
        self.queue.unknown(raw);
    }

    fn withhold(&self) {
        self.queue.withhold();
    }

    fn state(&self, state: State) {
        if matches!(state, State::Resynced(_)) {
            let mark = (self.truth.lock().unwrap().clone(), self.shown.lock().unwrap().clone());
            self.marks.lock().unwrap().push_back(mark);
        }
        self.queue.state(state);
    }
}

/// A reader and its proof.
pub(super) struct Watcher {
    pub(super) key: ReaderKey,
    pub(super) channel: &'static str,
    tap: Arc<Tap>,
    told: super::super::attach::ResultReceiver,
    pub(super) result: Option<Result<(), Error>>,
    items: BTreeMap<String, Known>,
    pub(super) is_stale: bool,
    stale_items: HashSet<String>,
    given: HashSet<(String, i64, bool)>,
    pub(super) messages: u64,
    pub(super) reasons: Vec<Reason>,
    pub(super) missed: Vec<Missed>,
    pub(super) caught_up: u64,
    pub(super) refused: Vec<String>,
    pub(super) ended: Option<Ended>,
    pub(super) strays: usize,
    log: Vec<String>,
    /// Its items, where it has not asked for everything.
    pub(super) wanted: Option<HashSet<String>>,
    /// What had happened when it came.
    joined: Mark,
    /// Its queue has little room.
    pub(super) is_slow: bool,
    withheld: Withheld,
    taken: VecDeque<QueueItem>,
    /// How often something was dropped for it.
    pub(super) lagged: usize,
}

impl Watcher {
    pub(super) fn new(venue: &mut Venue, topic: &Topic) -> Self {
        let mut own = Self::with_room(venue, topic, usize::MAX / 2);
        own.read(venue);
        own
    }

    /// A reader of a book with little room. It reads with [`read_some`](Self::read_some).
    pub(super) fn slow(venue: &mut Venue, topic: &Topic, room: usize) -> Self {
        let mut own = Self::with_room(venue, topic, room);
        own.is_slow = true;
        own
    }

    fn with_room(venue: &mut Venue, topic: &Topic, room: usize) -> Self {
        let queue = Queue::new(Overflow::DropOldest, room, venue.hub.room());
        let tap =
            Arc::new(Tap { queue, truth: venue.truth.clone(), shown: venue.shown.clone(), marks: Mutex::default() });
        let (key, told) = venue.hub.attach(venue.now, topic, tap.clone()).expect("the topic is right");
        venue.work();
        Self {
            key,
            channel: topic.channel().id,
            tap,
            told,
            result: None,
            items: BTreeMap::new(),
            is_stale: false,
            stale_items: HashSet::new(),
            given: HashSet::new(),
            messages: 0,
            reasons: Vec::new(),
            missed: Vec::new(),
            caught_up: 0,
            refused: Vec::new(),
            ended: None,
            strays: 0,
            log: Vec::new(),
            joined: venue.truth.lock().unwrap().clone(),
            wanted: topic.items().map(|items| items.iter().map(ToString::to_string).collect()),
            is_slow: false,
            withheld: Withheld::default(),
            taken: VecDeque::new(),
            lagged: 0,
        }
    }

    /// Takes some of what waits, as a subscription does, and tells the hub where something was dropped.
    pub(super) fn read_some(&mut self, venue: &mut Venue, most: usize) {
        if let Ok(result) = self.told.try_recv() {
            self.result = Some(result);
        }
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..most {
            let is_pending =
                self.taken.is_empty() && self.tap.queue.poll_take(&mut context, &mut self.taken) == Poll::Pending;
            let Some(item) = self.taken.pop_front().filter(|_| !is_pending) else { return };
            if let QueueItem::Lagged(_) = item {
                let key = self.key;
                let is_told = self.withheld.dropped(|| usize::from(venue.hub.overflowed(venue.now, key)));
                venue.work();
                assert!(!(is_told && self.is_stale), "uncertain twice without an end");
                self.is_stale |= is_told;
            }
            self.event(venue, item);
        }
    }

    /// Takes everything that waits, and holds it against what the venue did.
    pub(super) fn read(&mut self, venue: &Venue) {
        if let Ok(result) = self.told.try_recv() {
            self.result = Some(result);
        }
        let mut context = Context::from_waker(Waker::noop());
        loop {
            let mut taken = VecDeque::new();
            if self.tap.queue.poll_take(&mut context, &mut taken) == Poll::Pending || taken.is_empty() {
                return;
            }
            for slot in taken {
                self.event(venue, slot);
            }
        }
    }

    fn event(&mut self, venue: &Venue, slot: QueueItem) {
        self.log.push(match &slot {
            QueueItem::Data(entry) => format!("{:?} {}", entry.origin, String::from_utf8_lossy(entry.data())),
            other => format!("{other:?}"),
        });
        assert!(self.ended.is_none(), "nothing follows the end");
        let (slot, is_old) = match slot {
            QueueItem::State(state) => {
                let is_resynced = matches!(state, State::Resynced(_));
                match self.withheld.state(state) {
                    Some(state) => (QueueItem::State(state), false),
                    None => (QueueItem::Hole, is_resynced),
                }
            }
            other => (other, false),
        };
        if is_old {
            self.tap.marks.lock().unwrap().pop_front().expect("one for each");
        }
        match slot {
            QueueItem::Data(entry) => {
                let value: Value = serde_json::from_slice(entry.data()).expect("data is JSON");
                self.message(venue, &value, entry.origin);
            }
            QueueItem::Unknown(_) => self.strays += 1,
            QueueItem::State(State::Stale(stale)) => {
                match &stale.item {
                    None => {
                        // This alone comes while all is uncertain.
                        let is_news = matches!(stale.reason, Reason::CredentialRefused(_));
                        assert_eq!(self.is_stale, is_news, "uncertain twice without an end");
                        self.is_stale = true;
                    }
                    Some(item) => {
                        assert!(!self.is_stale && self.stale_items.insert(item.to_string()), "uncertain twice");
                    }
                }
                self.reasons.push(stale.reason);
            }
            QueueItem::State(State::Resynced(resynced)) => {
                match &resynced.item {
                    None => {
                        assert!(self.is_stale, "certain again without having been uncertain");
                        self.is_stale = false;
                        self.stale_items.clear();
                    }
                    Some(item) => assert!(self.stale_items.remove(&**item), "{item} was not uncertain"),
                }
                self.missed.push(resynced.missed);
                self.caught_up += resynced.caught_up;
                // What had happened by then is accounted for: nothing later is.
                let (mark, shown) = self.tap.marks.lock().unwrap().pop_front().expect("one for each");
                let is_whole = resynced.missed == Missed::None;
                for (item, known) in &mut self.items {
                    let key = (self.channel.to_owned(), item.clone());
                    let version = mark.get(&key).copied().unwrap_or(0);
                    let shown = shown.get(&key).copied().unwrap_or(0);
                    if resynced.item.is_none() && known.last.is_some_and(|last| last < shown) {
                        let lists = matches!(self.channel, "trade" | "trades");
                        assert!(
                            !(is_whole && lists),
                            "{item}: {:?} of {shown}, and nothing is said to be missing",
                            known.last
                        );
                    }
                    if resynced.item.is_none() {
                        known.accounted = known.accounted.max(version);
                    }
                    if matches!(self.channel, "book") && resynced.item.as_deref().is_none_or(|own| own == item) {
                        assert!(known.is_live, "{item} is certain again without a snapshot");
                    }
                }
            }
            QueueItem::State(State::Refused(refusal)) => {
                for item in &refusal.items {
                    self.items.remove(&**item);
                    self.refused.push(item.to_string());
                }
            }
            QueueItem::State(State::Silent(_)) => {}
            QueueItem::State(State::Ended(ended)) => self.ended = Some(ended),
            QueueItem::Lagged(_) => {
                assert!(self.is_slow, "there is room for all");
                self.lagged += 1;
                // A snapshot has to come before anything is certain again, or can be built on.
                self.items.values_mut().for_each(|known| known.is_live = false);
            }
            QueueItem::Withheld => {
                self.withheld.reached();
                self.items.values_mut().for_each(|known| known.is_live = false);
            }
            QueueItem::Hole => {}
        }
    }

    fn message(&mut self, venue: &Venue, value: &Value, origin: Origin) {
        self.messages += 1;
        let item = value["i"].as_str().expect("messages have an item").to_owned();
        // A venue that did not end what it was asked to end sends more than was asked for, which readers are not spared.
        if self.wanted.as_ref().is_some_and(|wanted| !wanted.contains(&item)) {
            return;
        }
        let version = value["v"].as_i64().expect("messages have a version");
        // What was held back, or is listed by a call, may have happened before this reader came.
        let joined = self.joined.get(&(self.channel.to_owned(), item.clone())).copied().unwrap_or(0);
        if (origin == Origin::CatchUp || self.is_stale)
            && version <= joined
            && self.items.get(&item).is_none_or(|known| known.last.is_none())
            && self.channel != "book"
        {
            return;
        }
        let is_snapshot = value["type"] == "snapshot";
        let uncertain = self.is_stale || self.stale_items.contains(&item);
        let is_new = self.given.insert((item.clone(), version, is_snapshot));
        assert!(is_new || is_snapshot || uncertain, "{item} {version} came twice");
        let lists = matches!(self.channel, "trade" | "trades");
        assert!(is_new || !lists, "{item} {version} came twice, though it has a key");
        let known = self.items.entry(item.clone()).or_default();
        // A venue whose changes count on by one may send a snapshot at any time. It has everything, whatever went before it.
        let may_replace =
            matches!(venue.table.dialect, Dialect::Topics(_)) && known.last.is_none_or(|last| last <= version);
        if is_snapshot {
            assert!(
                uncertain
                    || may_replace
                    || known.last.is_none_or(|last| last == version || (last < version && version <= known.accounted)),
                "{item}: a snapshot of {version} after {:?}, and nobody said that something was missing",
                known.last
            );
            known.levels = value["levels"]
                .as_array()
                .expect("snapshots have levels")
                .iter()
                .map(|level| (level[0].as_i64().expect("a price"), level[1].as_i64().expect("a size")))
                .collect();
            known.is_live = true;
            known.last = Some(version);
        } else {
            if self.channel == "book" {
                assert!(known.is_live || self.withheld.is_pending(), "{item}: a change without a snapshot");
                let level = known.levels.entry(value["l"].as_i64().expect("a price")).or_insert(0);
                *level += value["d"].as_i64().expect("a change");
            }
            if !uncertain {
                let is_next = known.last.is_none_or(|last| {
                    version > last && (version <= known.accounted || version == last.max(known.accounted) + 1)
                });
                assert!(
                    is_next,
                    "{item}: {version} after {:?} by {origin:?}, and nobody said that something was missing",
                    known.last
                );
            }
            known.last = known.last.max(Some(version));
        }
        if self.channel == "book" && known.is_live {
            let states = &venue.items.get(&(self.channel.to_owned(), item.clone()));
            let truth = states.and_then(|own| own.states.get(version as usize)).cloned().unwrap_or_default();
            let has = |levels: &BTreeMap<i64, i64>| -> BTreeMap<i64, i64> {
                levels.iter().filter(|(_, size)| **size != 0).map(|(level, size)| (*level, *size)).collect()
            };
            assert_eq!(has(&known.levels), has(&truth), "{item} at {version} is not what the venue has");
        }
    }

    /// After a calm everything is certain, and nothing is missing.
    pub(super) fn prove_calm(&mut self, venue: &Venue, items: &[&str]) {
        self.read(venue);
        assert!(
            !self.is_stale && self.stale_items.is_empty(),
            "{} is uncertain in a calm: {:?}",
            self.channel,
            self.reasons.last()
        );
        for item in items {
            let last = self.items.get(*item).and_then(|known| known.last);
            assert_eq!(last, Some(venue.version(self.channel, item)), "{} {item} is not up to date", self.channel);
        }
    }

    pub(super) fn last(&self, item: &str) -> Option<i64> {
        self.items.get(item).and_then(|known| known.last)
    }
}

impl Watcher {
    /// The reader has given an item up: what is on its way of it says nothing.
    pub(super) fn forget(&mut self, item: &str) {
        if let Some(wanted) = &mut self.wanted {
            wanted.remove(item);
        }
        self.items.remove(item);
        self.stale_items.remove(item);
        self.given.retain(|(own, ..)| own != item);
    }
}

impl Drop for Watcher {
    /// What went before a failure is shown with it.
    #[allow(clippy::print_stdout)]
    fn drop(&mut self) {
        if std::thread::panicking() {
            let from = self.log.len().saturating_sub(30);
            println!("{} got at last:\n  {}", self.channel, self.log[from..].join("\n  "));
        }
    }
}
