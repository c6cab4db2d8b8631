//! One connection, whether it is open or not, and what shares it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use venuekit_wire::UnixMillis;
use venuekit_wire::stream::Endpoint;

use super::arena::Key;
use super::io::{CommandId, ConnectionId};
use super::sub::Sub;
use crate::sink::{Kind, Sink};
use crate::topic::{Topic, Value};

/// How many ended subscriptions are remembered, whose last frames may be on the way.
const MOST_ENDED: usize = 1024;

/// How many frames wait for the response that names their subscription.
const MOST_UNASSIGNED: usize = 1024;

/// The state of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkState {
    /// Not there. It is opened at this time.
    Down(Instant),
    /// Being opened.
    Opening(ConnectionId),
    /// Open since then.
    Open(ConnectionId, Instant),
    /// Being closed by us.
    Closing(ConnectionId),
}

/// One connection.
pub(crate) struct Slot {
    pub(crate) endpoint: &'static Endpoint,
    pub(crate) link: LinkState,
    /// The connection that this one replaces, and is still open.
    pub(crate) replaced: Option<Replaced>,
    /// Not before this is it replaced once more.
    pub(crate) replace_at: Option<Instant>,
    /// Parameters of which it takes one value.
    pub(crate) pinned: Vec<(&'static str, Option<Value>)>,
    pub(crate) subs: Vec<Key<Sub>>,
    pub(crate) by_number: BTreeMap<i64, Key<Sub>>,
    /// By the channel's name, as it is written and in lower case.
    pub(crate) by_name: HashMap<Arc<str>, Key<Sub>>,
    pub(crate) by_room: HashMap<Arc<str>, Key<Sub>>,
    /// Subscriptions that want something of the venue.
    pub(crate) listed: VecDeque<Key<Sub>>,
    pub(crate) pending: BTreeMap<CommandId, Pending>,
    pub(crate) last_command: CommandId,
    pub(crate) pace: Pace,
    /// How many names go into one call.
    pub(crate) batch: usize,
    /// How often in a row it did not come about, or did not last.
    pub(crate) attempts: u32,
    /// How many commands in a row got no reply.
    pub(crate) silent_commands: u32,
    pub(crate) idle_since: Option<Instant>,
    pub(crate) unassigned: VecDeque<UnassignedFrame>,
    ended: VecDeque<i64>,
    /// Subscriptions that the venue ended before it named their channel.
    pub(crate) dead: VecDeque<i64>,
    /// What commands got no reply for.
    pub(crate) strays: Vec<Topic>,
    /// Readers that may keep it waiting.
    pub(crate) blockers: Vec<Arc<dyn Sink>>,
    /// What went wrong last.
    pub(crate) last_error: Option<String>,
}

/// A connection that is going to be closed, because another one takes over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Replaced {
    pub(crate) connection: ConnectionId,
    /// Since when it has been open.
    pub(crate) since: Instant,
    /// When it is closed: the other one has everything.
    pub(crate) close_at: Option<Instant>,
}

/// A frame of data, on its way to its subscription.
pub(crate) struct DataFrame {
    pub(crate) raw: Bytes,
    pub(crate) kind: Kind,
    pub(crate) data: std::ops::Range<usize>,
    pub(crate) sequence: Option<i64>,
    pub(crate) sent: Option<UnixMillis>,
    pub(crate) received: SystemTime,
    /// It arrived after this time.
    pub(crate) after: SystemTime,
}

/// A frame that came before the response which says to what subscription its number belongs.
pub(crate) struct UnassignedFrame {
    pub(crate) number: i64,
    pub(crate) frame: DataFrame,
}

/// A command without its reply.
pub(crate) struct Pending {
    pub(crate) purpose: Purpose,
    pub(crate) deadline: Instant,
    /// It has timed out, but its response may still come.
    pub(crate) is_expired: bool,
    /// How many replies came, where there are several.
    pub(crate) replies: usize,
}

/// What a command was for.
#[derive(Clone, Debug)]
pub(crate) enum Purpose {
    /// Whole subscriptions, each with the items of the command.
    Subscribe(Vec<(Key<Sub>, Vec<Arc<str>>)>),
    /// The end of subscriptions.
    Unsubscribe(Vec<Key<Sub>>),
    /// The end of one room of a subscription: of this item, where the name of the room has it.
    LeaveRoom(Key<Sub>, Option<Arc<str>>),
    Add(Key<Sub>, Vec<Arc<str>>),
    Remove(Key<Sub>, Vec<Arc<str>>),
    Snapshot(Key<Sub>, Vec<Arc<str>>),
}

impl Slot {
    pub(crate) fn new(endpoint: &'static Endpoint, now: Instant, per_command: usize, per_second: u32) -> Self {
        Self {
            endpoint,
            link: LinkState::Down(now),
            replaced: None,
            replace_at: None,
            pinned: Vec::new(),
            subs: Vec::new(),
            by_number: BTreeMap::new(),
            by_name: HashMap::new(),
            by_room: HashMap::new(),
            listed: VecDeque::new(),
            pending: BTreeMap::new(),
            last_command: 0,
            pace: Pace::new(per_second, now),
            batch: per_command,
            attempts: 0,
            silent_commands: 0,
            idle_since: None,
            unassigned: VecDeque::new(),
            ended: VecDeque::new(),
            dead: VecDeque::new(),
            strays: Vec::new(),
            blockers: Vec::new(),
            last_error: None,
        }
    }

    pub(crate) fn connection(&self) -> Option<ConnectionId> {
        match self.link {
            LinkState::Down(_) => None,
            LinkState::Opening(id) | LinkState::Open(id, _) | LinkState::Closing(id) => Some(id),
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.link, LinkState::Open(..))
    }

    /// Whether it is not read because a reader has no room: what it brought may wait in the socket.
    pub(crate) fn is_unread(&self) -> bool {
        self.blockers.iter().any(|sink| sink.is_full())
    }

    /// The next command's number. After the last one it begins again at 1, past those without a reply.
    pub(crate) fn next_command(&mut self) -> CommandId {
        loop {
            self.last_command = if self.last_command >= CommandId::MAX / 2 { 1 } else { self.last_command + 1 };
            if !self.pending.contains_key(&self.last_command) {
                return self.last_command;
            }
        }
    }

    /// Remembers that a subscription ended, whose last frames may be on the way.
    pub(crate) fn end_number(&mut self, number: i64) {
        self.by_number.remove(&number);
        if self.ended.len() >= MOST_ENDED {
            self.ended.pop_front();
        }
        self.ended.push_back(number);
    }

    pub(crate) fn has_ended(&self, number: i64) -> bool {
        self.ended.contains(&number)
    }

    /// Keeps a frame until its subscription's reply. Gives back whether there was room.
    pub(crate) fn keep_unassigned(&mut self, unassigned: UnassignedFrame) -> bool {
        let is_room = self.unassigned.len() < MOST_UNASSIGNED;
        if is_room {
            self.unassigned.push_back(unassigned);
        }
        is_room
    }

    /// Forgets everything that belonged to a connection that was lost.
    pub(crate) fn reset(&mut self) {
        self.by_number.clear();
        self.by_room.clear();
        self.pending.clear();
        self.unassigned.clear();
        self.ended.clear();
        self.dead.clear();
        self.strays.clear();
        self.listed.clear();
        self.last_command = 0;
        self.silent_commands = 0;
    }
}

/// Commands within the venue's limit.
pub(crate) struct Pace {
    interval: Duration,
    burst: Duration,
    /// When the next command would be due if they came one by one.
    due: Instant,
}

impl Pace {
    /// In no second are there more commands than this: half of them may go at once, the others spread over a second.
    fn new(per_second: u32, now: Instant) -> Self {
        let at_once = (per_second / 2).max(1);
        let interval = Duration::from_secs(1) / per_second.saturating_sub(at_once).max(1);
        Self { interval, burst: interval * (at_once - 1), due: now }
    }

    /// When the next command may go.
    pub(crate) fn ready_at(&self) -> Instant {
        self.due.checked_sub(self.burst).unwrap_or(self.due)
    }

    pub(crate) fn take(&mut self, now: Instant) {
        self.due = self.due.max(now) + self.interval;
    }
}
