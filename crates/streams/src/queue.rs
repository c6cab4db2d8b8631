//! The queue between the hub and a reader: bounded, in order, with states that are never dropped.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::SystemTime;

use tokio::sync::Notify;

use crate::event::{Missed, Raw, Reason, Resynced, Stale};
use crate::sink::{Entry, Sink, State, Verdict};

/// What happens to messages for which a reader has no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Overflow {
    /// The oldest is dropped and counted ([`Event::Lagged`](crate::Event::Lagged)).
    #[default]
    DropOldest,
    /// The connection is not read until there is room, which holds back its other readers too. A venue that is kept waiting for too long ends the
    /// connection or the subscription, which is reported as [`Event::Stale`](crate::Event::Stale).
    ///
    /// Replies are not read either. A task that waits for one, as [`Subscription::add`](crate::Subscription::add) and the `subscribe` of another
    /// reader do, and does not read meanwhile, may wait until its time is over: read in one task, and ask in another. Where the connection
    /// is that of the client's calls, `subscribe` returns [`Error::BlocksCalls`](crate::Error::BlocksCalls).
    Block,
    /// A newer message takes the place of an older one of the same item. For channels whose messages are whole.
    Newest,
}

/// How many messages a reader takes at once. What it has taken is beyond the policy's reach, so it is little.
const BATCH: usize = 32;

/// So many states are kept before they are merged.
pub(crate) const MANY_STATES: usize = 64;

/// One place of a queue.
#[derive(Debug)]
pub(crate) enum QueueItem {
    Data(Entry),
    Unknown(Raw),
    State(State),
    Lagged(u64),
    /// A mark: from here on the hub withholds changes that build on dropped messages.
    Withheld,
    /// A newer message took its place.
    Hole,
}

impl QueueItem {
    fn is_data(&self) -> bool {
        matches!(self, Self::Data(_) | Self::Unknown(_))
    }

    /// How many messages it stands for.
    fn stands_for(&self) -> u64 {
        match self {
            Self::Data(entry) => 1 + entry.replaced,
            Self::Unknown(_) => 1,
            Self::State(_) | Self::Lagged(_) | Self::Withheld | Self::Hole => 0,
        }
    }
}

/// The queue.
pub(crate) struct Queue {
    overflow: Overflow,
    capacity: usize,
    /// Notified when a blocked connection may be read again.
    room: Arc<Notify>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    items: VecDeque<QueueItem>,
    /// How many of them are data.
    data: usize,
    /// How many of them are states.
    states: usize,
    /// The number of states at which they are looked at again.
    many: usize,
    /// The number of the first place: places are counted from the beginning of time.
    first: u64,
    /// By key, the place of the newest message. Places before `first` no longer exist.
    newest: HashMap<Arc<str>, u64>,
    holes: usize,
    reader: Option<Waker>,
    /// Nothing follows the last place.
    is_ended: bool,
    /// What was missed, and is reported with the next [`Resynced`](crate::Resynced).
    carried: (Missed, u64),
    lagged: u64,
    replaced: u64,
}

/// What a queue has counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct QueueCounts {
    pub(crate) queued: usize,
    pub(crate) lagged: u64,
    pub(crate) replaced: u64,
}

impl Queue {
    pub(crate) fn new(overflow: Overflow, capacity: usize, room: Arc<Notify>) -> Self {
        Self { overflow, capacity: capacity.max(1), room, inner: Mutex::default() }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Nothing that is called with the lock held can panic halfway through a change.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn counts(&self) -> QueueCounts {
        let inner = self.inner();
        QueueCounts { queued: inner.data, lagged: inner.lagged, replaced: inner.replaced }
    }

    /// Moves what there is into `taken`, or waits. Ready with nothing: the queue has ended.
    pub(crate) fn poll_take(&self, context: &mut Context<'_>, taken: &mut VecDeque<QueueItem>) -> Poll<()> {
        let mut inner = self.inner();
        if inner.items.is_empty() && !inner.is_ended {
            match &mut inner.reader {
                Some(reader) => reader.clone_from(context.waker()),
                none => *none = Some(context.waker().clone()),
            }
            return Poll::Pending;
        }
        // A newer message may still take the place of what is waiting.
        let batch = if self.overflow == Overflow::Newest { 1 } else { BATCH };
        let was_full = inner.data >= self.capacity;
        while taken.len() < batch
            && let Some(item) = inner.pop()
        {
            taken.push_back(item);
        }
        let is_room = was_full && inner.data < self.capacity;
        let is_pending = taken.is_empty() && !inner.is_ended;
        drop(inner);
        if is_room && self.overflow == Overflow::Block {
            self.room.notify_waiters();
        }
        if is_pending { self.poll_take(context, taken) } else { Poll::Ready(()) }
    }

    /// Drops what is waiting: it will not be read.
    pub(crate) fn close(&self) {
        let mut inner = self.inner();
        *inner = Inner { is_ended: true, lagged: inner.lagged, replaced: inner.replaced, ..Inner::default() };
        drop(inner);
        self.room.notify_waiters();
    }

    fn push(&self, add: impl FnOnce(&mut Inner)) {
        let mut inner = self.inner();
        if inner.is_ended {
            return;
        }
        add(&mut inner);
        let reader = inner.reader.take();
        drop(inner);
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

impl Sink for Queue {
    fn data(&self, mut entry: Entry, key: Option<&str>) -> Verdict {
        self.push(|inner| {
            inner.close_holes();
            if self.overflow == Overflow::Newest
                && let Some(key) = key
            {
                entry.replaced += inner.replace(key, self.capacity);
            }
            inner.add(QueueItem::Data(entry), self.overflow, self.capacity);
        });
        Verdict::Taken
    }

    fn unknown(&self, raw: Raw) {
        self.push(|inner| inner.add(QueueItem::Unknown(raw), self.overflow, self.capacity));
    }

    fn state(&self, state: State) {
        self.push(|inner| {
            let is_last = matches!(state, State::Ended(_));
            let mut state = state;
            if let State::Resynced(resynced) = &mut state {
                add_carried(resynced, &mut inner.carried);
            }
            inner.items.push_back(QueueItem::State(state));
            inner.states += 1;
            inner.is_ended = is_last;
            if inner.states >= inner.many.max(MANY_STATES) {
                inner.collapse(self.overflow);
                inner.many = inner.states * 2;
            }
        });
    }

    fn withhold(&self) {
        self.push(|inner| inner.items.push_back(QueueItem::Withheld));
    }

    fn is_full(&self) -> bool {
        self.overflow == Overflow::Block && {
            let inner = self.inner();
            inner.data >= self.capacity && !inner.is_ended
        }
    }

    fn may_block(&self) -> bool {
        self.overflow == Overflow::Block
    }

    fn wants_key(&self) -> bool {
        self.overflow == Overflow::Newest
    }
}

/// Where a place is in a queue that begins with the place `first`; none: it no longer exists.
fn at(place: u64, first: u64) -> Option<usize> {
    usize::try_from(place.checked_sub(first)?).ok()
}

impl Inner {
    fn pop(&mut self) -> Option<QueueItem> {
        loop {
            let item = self.items.pop_front()?;
            self.first += 1;
            match item {
                QueueItem::Hole => self.holes -= 1,
                QueueItem::State(_) => {
                    self.states -= 1;
                    return Some(item);
                }
                QueueItem::Lagged(_) | QueueItem::Withheld => return Some(item),
                QueueItem::Data(_) | QueueItem::Unknown(_) => {
                    self.data -= 1;
                    return Some(item);
                }
            }
        }
    }

    fn add(&mut self, item: QueueItem, overflow: Overflow, capacity: usize) {
        if self.data >= capacity && overflow != Overflow::Block {
            self.drop_oldest();
        }
        self.items.push_back(item);
        self.data += 1;
    }

    /// Drops the oldest message, and counts it where it stood.
    fn drop_oldest(&mut self) {
        let Some(at) = self.items.iter().position(QueueItem::is_data) else { return };
        let dropped = self.items[at].stands_for();
        self.data -= 1;
        self.lagged += dropped;
        // Behind the count of those that were dropped before it, there is no place for it to keep.
        let before = self.items.range(..at).rposition(|item| !matches!(item, QueueItem::Hole));
        let Some((before, &QueueItem::Lagged(count))) = before.map(|before| (before, &self.items[before])) else {
            self.items[at] = QueueItem::Lagged(dropped);
            return;
        };
        if self.newest.is_empty() && before + 1 == at {
            self.items[before] = QueueItem::Lagged(count + dropped);
            self.items.remove(at);
            return;
        }
        // Places are counted: one that goes would move all behind it. So the count moves, and what is in front of it can go.
        self.items[before] = QueueItem::Hole;
        self.items[at] = QueueItem::Lagged(count + dropped);
        self.holes += 1;
        while matches!(self.items.front(), Some(QueueItem::Hole)) {
            self.items.pop_front();
            self.first += 1;
            self.holes -= 1;
        }
    }

    /// Makes room for a newer message of this key. Returns how many older ones it stands for. The message must follow at once.
    fn replace(&mut self, key: &str, capacity: usize) -> u64 {
        let next = self.first + self.items.len() as u64;
        let Some(place) = self.newest.get_mut(key) else {
            if self.newest.len() > capacity.saturating_mul(2) {
                let (first, items) = (self.first, &self.items);
                self.newest
                    .retain(|_, place| at(*place, first).and_then(|at| items.get(at)).is_some_and(QueueItem::is_data));
            }
            self.newest.insert(key.into(), next);
            return 0;
        };
        let old = std::mem::replace(place, next);
        let Some(at) = at(old, self.first) else { return 0 };
        let Some(item @ QueueItem::Data(_)) = self.items.get_mut(at) else { return 0 };
        let QueueItem::Data(entry) = std::mem::replace(item, QueueItem::Hole) else { return 0 };
        self.holes += 1;
        self.data -= 1;
        self.replaced += 1;
        entry.replaced + 1
    }

    /// Closes holes when they are most of the queue.
    fn close_holes(&mut self) {
        if self.holes < 32 || self.holes * 2 < self.items.len() {
            return;
        }
        let mut moved = HashMap::with_capacity(self.items.len() - self.holes);
        let mut whole = VecDeque::with_capacity(self.items.len() - self.holes);
        for (place, item) in (self.first..).zip(std::mem::take(&mut self.items)) {
            if !matches!(item, QueueItem::Hole) {
                moved.insert(place, self.first + whole.len() as u64);
                whole.push_back(item);
            }
        }
        self.items = whole;
        self.holes = 0;
        self.newest.retain(|_, place| match moved.get(place) {
            Some(new) => {
                *place = *new;
                true
            }
            None => false,
        });
    }

    /// Merges states, so that a reader that does not read costs no memory. Messages between them are dropped, and
    /// are counted; a reader that blocks keeps its messages, and only the states behind the last of them are merged.
    fn collapse(&mut self, overflow: Overflow) {
        let from = match overflow {
            Overflow::Block => self.items.iter().rposition(QueueItem::is_data).map_or(0, |at| at + 1),
            Overflow::DropOldest | Overflow::Newest => 0,
        };
        let tail = self.items.split_off(from);
        let (mut dropped, mut lagged, mut withheld) = (0, 0, 0);
        let mut states = Vec::with_capacity(self.states);
        for item in tail {
            match item {
                QueueItem::Data(_) | QueueItem::Unknown(_) => dropped += item.stands_for(),
                QueueItem::Lagged(count) => lagged += count,
                QueueItem::Withheld => {
                    withheld += 1;
                    // For the hub everything is uncertain from here on, and what is certain again behind it counts alone.
                    let (reason, since) = (Reason::Overflow, SystemTime::now());
                    states.push(State::Stale(Stale { reason, item: None, since }));
                }
                QueueItem::Hole => {}
                QueueItem::State(state) => states.push(state),
            }
        }
        let (before, after) = condense(states, &mut self.carried);
        self.items.extend(before.into_iter().map(QueueItem::State));
        // What was dropped may have stood behind it.
        self.items.extend(std::iter::repeat_with(|| QueueItem::Withheld).take(withheld));
        if dropped > 0 || lagged > 0 {
            self.items.push_back(QueueItem::Lagged(lagged + dropped));
        }
        self.items.extend(after.into_iter().map(QueueItem::State));
        self.lagged += dropped;
        self.newest.clear();
        self.data = self.items.iter().filter(|item| item.is_data()).count();
        self.states = self.items.iter().filter(|item| matches!(item, QueueItem::State(_))).count();
        self.holes = self.items.iter().filter(|item| matches!(item, QueueItem::Hole)).count();
    }
}

/// Adds what was missed before and not reported yet.
pub(crate) fn add_carried(resynced: &mut Resynced, carried: &mut (Missed, u64)) {
    let (missed, caught_up) = std::mem::take(carried);
    resynced.missed = resynced.missed.and(missed);
    resynced.caught_up += caught_up;
}

/// What a row of states comes to: what became uncertain at its beginning, and how things stand at its end. What was missed in between
/// is reported with what is certain again at the end, or kept for the next time.
pub(crate) fn condense(states: Vec<State>, carried: &mut (Missed, u64)) -> (Vec<State>, Vec<State>) {
    #[derive(Default)]
    struct Scope {
        /// The first state, if it made the scope uncertain.
        first: Option<Stale>,
        /// The last state, and its place.
        last: Option<(usize, State)>,
    }
    let mut scopes: HashMap<Option<Arc<str>>, Scope> = HashMap::new();
    let (mut missed, mut caught_up) = *carried;
    let mut all_resynced = None;
    let mut after = Vec::new();
    for (place, state) in states.into_iter().enumerate() {
        let item = match &state {
            State::Stale(stale) => stale.item.clone(),
            State::Resynced(resynced) => {
                missed = missed.and(resynced.missed);
                caught_up += resynced.caught_up;
                if resynced.item.is_none() {
                    all_resynced = Some(place);
                }
                resynced.item.clone()
            }
            State::Refused(_) | State::Silent(_) | State::Ended(_) => {
                after.push((place, state));
                continue;
            }
        };
        let scope = scopes.entry(item).or_default();
        if let (None, State::Stale(stale)) = (&scope.last, &state) {
            scope.first = Some(stale.clone());
        }
        scope.last = Some((place, state));
    }
    let mut before = Vec::new();
    for scope in scopes.into_values() {
        match scope.last {
            // What the end of all uncertainty has ended is reported by that.
            Some((place, _)) if all_resynced.is_some_and(|all| all > place) => {
                before.extend(scope.first.map(State::Stale));
            }
            // It must not be ended by that of everything, which came before it.
            Some((place, State::Stale(stale))) if all_resynced.is_some() && stale.item.is_some() => {
                after.push((place, State::Stale(stale)));
            }
            Some((place, resynced @ State::Resynced(_))) => {
                before.extend(scope.first.map(State::Stale));
                after.push((place, resynced));
            }
            _ => before.extend(scope.first.map(State::Stale)),
        }
    }
    after.sort_by_key(|(place, _)| *place);
    let mut after: Vec<State> = after.into_iter().map(|(_, state)| state).collect();
    *carried = (missed, caught_up);
    for resynced in after.iter_mut().filter_map(|state| match state {
        State::Resynced(resynced) => Some(resynced),
        _ => None,
    }) {
        // The first one reports all of it.
        (resynced.missed, resynced.caught_up) = std::mem::take(carried);
    }
    (before, after)
}

#[cfg(test)]
mod tests;
