//! A recorded day through the same types, sequence checks and books.
//!
//! A [`Replay`] has [`Streams`] that are subscribed to like those of a client. Its clock is the recording's; nothing is sent anywhere.
//!
//! ```no_run
//! use venuekit_streams::replay::Replay;
//! use venuekit_streams::{Event, Overflow, Topic};
//! # async fn run(table: &'static venuekit_wire::stream::Streams, venue: &'static venuekit_wire::operation::Venue)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! let replay = Replay::open("day.zst", table, venue)?;
//! let topic = Topic::parse(table, "trade", [])?;
//! let mut trades = replay.streams().topic(topic).overflow(Overflow::Block).subscribe().await?;
//! let replayed = tokio::spawn(replay.run());
//! while let Some(event) = trades.next().await {
//!     if let Event::Message(trade) = event {
//!         println!("{:?} {}", trade.received, trade.to_value()?);
//!     }
//! }
//! replayed.await??; // an error if the recording is not whole
//! # Ok(())
//! # }
//! ```

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use venuekit_wire::operation::Venue;
use venuekit_wire::stream::Streams as Table;

use crate::dialect::Dialect;
use crate::hub::io::{
    Action, Body, CatchUpId, CommandId, ConnectionId, Frame, Handle, Input, Lost, LostCause, Now, Output, Record, Reply,
};
use crate::hub::{Config, Followed, Hub, awaits_snapshot, has_exact_name};
use crate::record::{RecordError, Recorded, Recording, What};
use crate::streams::Streams;
use crate::topic::Topic;

/// Longer than any recording.
const EVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// A recording that is played.
pub struct Replay {
    lines: Recording,
    table: &'static Table,
    venue: &'static Venue,
    streams: Streams,
    replayed: Vec<ReplayedConnection>,
    /// The readers when they were looked at last.
    readers: Vec<Followed>,
    reader_changes: u64,
    start: Option<(SystemTime, Instant)>,
}

/// A connection that was recorded, and those that took its place when it was lost. What is subscribed to has a part on each.
struct ReplayedConnection {
    hub: Arc<Mutex<Hub>>,
    /// As of which change it serves the readers.
    reader_changes: u64,
    endpoint: String,
    /// The recorded connection that is open.
    connection: Option<u64>,
    dialect: Dialect,
    /// The connections that the hub has in its place.
    open: Vec<ConnectionId>,
    /// The recorded connection that this one takes the place of, until it is lost.
    replaced: Option<Replaced>,
    /// What the hub has subscribed to, and the recording has not shown yet.
    asked: Vec<(ConnectionId, CommandId, Topic)>,
    /// The snapshots by a call that the hub waits for, and the addresses of their channels.
    snapshots: Vec<(CatchUpId, String)>,
    /// Snapshots by a call that the hub has not asked for yet, by the same addresses: of books that do not change for a while.
    early: HashMap<String, Bytes>,
    /// What the recording has shown, by the subscription's number: the channel, and the hub's connection.
    numbers: HashMap<i64, (Option<String>, Option<ConnectionId>)>,
    /// The same by the channel's name, as it was asked for and as the recording has it, or by room or type.
    names: HashMap<String, ConnectionId>,
}

/// A recorded connection beside the one that takes its place.
struct Replaced {
    connection: u64,
    open: Vec<ConnectionId>,
    names: HashMap<String, ConnectionId>,
}

impl Replay {
    /// Opens a recording of a venue.
    ///
    /// # Errors
    /// The file cannot be read, is no recording, or is of another venue.
    pub fn open(path: impl AsRef<Path>, table: &'static Table, venue: &'static Venue) -> Result<Self, RecordError> {
        Self::of(Recording::open(path)?, table, venue)
    }

    /// Plays a recording.
    ///
    /// # Errors
    /// It is of another venue.
    pub fn of(lines: Recording, table: &'static Table, venue: &'static Venue) -> Result<Self, RecordError> {
        if lines.venue() != table.venue {
            return Err(RecordError::OtherVenue { venue: lines.venue().to_owned() });
        }
        let hub = Arc::new(Mutex::new(new_hub(table)));
        let streams = Streams::of_replay(table, hub);
        Ok(Self {
            lines,
            table,
            venue,
            streams,
            replayed: Vec::new(),
            readers: Vec::new(),
            reader_changes: 0,
            start: None,
        })
    }

    /// What can be subscribed to. A subscription does not wait for the venue's word: what the recording does not have does not come.
    pub fn streams(&self) -> &Streams {
        &self.streams
    }

    /// Plays to the end as fast as readers with [`Overflow::Block`](crate::Overflow::Block) take it. Readers then end: nothing
    /// follows.
    ///
    /// # Errors
    /// The recording is cut or damaged: everything before that was played.
    pub async fn run(mut self) -> Result<(), RecordError> {
        let mut result = Ok(());
        let mut last = SystemTime::UNIX_EPOCH;
        while let Some(line) = self.lines.next() {
            match line {
                Ok(line) => {
                    last = line.at;
                    self.play(line);
                    self.wait_for_room().await;
                }
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        let now = self.now(last);
        for replayed in &self.replayed {
            lock(&replayed.hub).close(now);
        }
        self.streams.hub().close(now);
        result
    }

    /// The recording's time.
    fn now(&mut self, wall: SystemTime) -> Now {
        let (first, base) = *self.start.get_or_insert_with(|| (wall, Instant::now()));
        Now::of(base + wall.duration_since(first).unwrap_or_default(), wall)
    }

    fn play(&mut self, line: Recorded) {
        let now = self.now(line.at);
        let is_its = |replayed: &ReplayedConnection| match line.replaces {
            Some(other) => replayed.is_of(&line.endpoint, other),
            None => replayed.is_of(&line.endpoint, line.connection),
        };
        let at = match self.replayed.iter().position(is_its) {
            Some(at) => at,
            // One whose connection was lost, or a new one.
            None => {
                match self
                    .replayed
                    .iter()
                    .position(|replayed| replayed.connection.is_none() && replayed.endpoint == line.endpoint)
                {
                    Some(at) => at,
                    None => {
                        let hub = Arc::new(Mutex::new(new_hub(self.table)));
                        self.streams.add_replayed(hub.clone());
                        self.replayed.push(ReplayedConnection::new(
                            hub,
                            line.endpoint.clone(),
                            Dialect::new(self.table, self.venue),
                        ));
                        self.replayed.len() - 1
                    }
                }
            }
        };
        let hub = self.streams.hub();
        if hub.reader_changes() != self.reader_changes {
            (self.readers, self.reader_changes) = (hub.readers(), hub.reader_changes());
        }
        drop(hub);
        let Some(replayed) = self.replayed.get_mut(at) else { return };
        if replayed.reader_changes != self.reader_changes {
            replayed.reader_changes = self.reader_changes;
            lock(&replayed.hub).follow(now, &self.readers);
        }
        match line.replaces.filter(|other| replayed.connection == Some(*other)) {
            Some(_) => replayed.replace(now, line.connection),
            None if replayed.is_replaced(line.connection) => {}
            None => replayed.connection = Some(line.connection),
        }
        replayed.carry_out(now);
        match line.what {
            What::Opened => {}
            What::Lost if replayed.is_replaced(line.connection) => replayed.lost_replaced(now),
            What::Lost => replayed.lost(now),
            What::Frame(text) => replayed.frame(now, line.connection, &text),
            What::Snapshot { topic, text } => replayed.snapshot(now, topic, text),
        }
        replayed.carry_out(now);
    }

    async fn wait_for_room(&mut self) {
        // Queues of all readers tell the first hub, of which they were made.
        loop {
            let room = self.streams.hub().room();
            let told = room.notified();
            let is_full = self.replayed.iter().any(|replayed| {
                let hub = lock(&replayed.hub);
                replayed.open.iter().any(|connection| hub.is_full(*connection))
            });
            if !is_full {
                return;
            }
            // A reader that is dropped notifies too; a notification that is lost between the look and the wait is found at the next look.
            let _ = tokio::time::timeout(Duration::from_millis(100), told).await;
        }
    }
}

fn new_hub(table: &'static Table) -> Hub {
    let config = Config {
        reply_within: EVER,
        subscribe_within: EVER,
        catch_up_within: EVER,
        linger: EVER,
        backoff: (Duration::ZERO, Duration::ZERO),
        is_replay: true,
        ..Config::default()
    };
    Hub::new(table, config)
}

fn lock(hub: &Mutex<Hub>) -> MutexGuard<'_, Hub> {
    hub.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ReplayedConnection {
    fn new(hub: Arc<Mutex<Hub>>, endpoint: String, dialect: Dialect) -> Self {
        Self {
            hub,
            reader_changes: 0,
            endpoint,
            connection: None,
            dialect,
            open: Vec::new(),
            replaced: None,
            asked: Vec::new(),
            snapshots: Vec::new(),
            early: HashMap::new(),
            numbers: HashMap::new(),
            names: HashMap::new(),
        }
    }

    fn is_of(&self, endpoint: &str, connection: u64) -> bool {
        (self.connection == Some(connection) || self.is_replaced(connection)) && self.endpoint == endpoint
    }

    /// Whether it is the one that another one takes the place of.
    fn is_replaced(&self, connection: u64) -> bool {
        self.replaced.as_ref().is_some_and(|replaced| replaced.connection == connection)
    }

    /// Another connection is open before the one that it replaces is closed.
    fn replace(&mut self, now: Now, by: u64) {
        let Some(connection) = self.connection.replace(by) else { return };
        self.lost_replaced(now);
        let (open, names) = (std::mem::take(&mut self.open), std::mem::take(&mut self.names));
        self.replaced = Some(Replaced { connection, open, names });
        // What was not shown yet is asked for again.
        self.asked.clear();
        self.numbers.clear();
        lock(&self.hub).replace_all(now);
    }

    fn lost_replaced(&mut self, now: Now) {
        for connection in self.replaced.take().into_iter().flat_map(|replaced| replaced.open) {
            let lost = Lost { cause: LostCause::Ours, is_final: false, retry_after: None };
            lock(&self.hub).input(now, Input::Lost(connection, lost));
        }
    }

    fn lost(&mut self, now: Now) {
        self.lost_replaced(now);
        self.connection = None;
        self.asked.clear();
        self.early.clear();
        self.numbers.clear();
        self.names.clear();
        for connection in std::mem::take(&mut self.open) {
            let lost = Lost { cause: LostCause::Cut, is_final: false, retry_after: None };
            lock(&self.hub).input(now, Input::Lost(connection, lost));
        }
    }

    /// Does what the hub wants, as the venue would, but for subscriptions: those begin where the recording shows them.
    fn carry_out(&mut self, now: Now) {
        if self.connection.is_none() {
            return;
        }
        let mut hub = lock(&self.hub);
        if hub.deadline().is_some_and(|deadline| deadline <= now.at) {
            hub.input(now, Input::Tick);
        }
        while let Some(output) = hub.output() {
            match output {
                Output::Open { connection, endpoint, .. } if endpoint.name == self.endpoint => {
                    self.open.push(connection);
                    hub.input(now, Input::Opened(connection));
                }
                Output::Close(connection) => {
                    self.open.retain(|own| *own != connection);
                    let lost = Lost { cause: LostCause::Ours, is_final: false, retry_after: None };
                    hub.input(now, Input::Lost(connection, lost));
                }
                Output::Send { connection, command } => match command.action {
                    Action::Subscribe(topics) => {
                        for topic in topics {
                            let name = topic.to_string();
                            let before = self.replaced.as_ref().map(|replaced| &replaced.names);
                            let Some(before) = before.filter(|names| names.contains_key(&name)) else {
                                self.asked.push((connection, command.id, topic));
                                continue;
                            };
                            // What the connection had that this one replaces goes on, by all of its names.
                            for other in before.keys().filter(|other| other.eq_ignore_ascii_case(&name)) {
                                self.names.entry(other.clone()).or_insert(connection);
                            }
                            self.names.insert(name.clone(), connection);
                            let accepted = reply(command.id, Handle::None, Reply::Names(vec![name.into()]));
                            hub.input(now, Input::Frame(connection, accepted));
                        }
                    }
                    Action::Unsubscribe(_) | Action::Update { .. } => {
                        hub.input(now, Input::Frame(connection, reply(command.id, Handle::None, Reply::Ok)));
                    }
                },
                // These calls are not recorded: what was missed then is missing now.
                Output::CatchUp(call) => {
                    hub.input(now, Input::CaughtUp(call.id, Err("a replay makes no calls".to_owned())));
                }
                // A snapshot comes where it stands in the recording.
                Output::Snapshot(call) => match self.early.remove(&call.topic.to_string()) {
                    Some(text) => hub.input(now, snapshot(call.id, text)),
                    None => self.snapshots.push((call.id, call.topic.to_string())),
                },
                Output::Forget(call) => self.snapshots.retain(|(own, _)| *own != call),
                Output::Open { .. } | Output::End => {}
            }
        }
    }

    /// A call returned a snapshot then. The hub looks at its number, whenever it comes.
    fn snapshot(&mut self, now: Now, topic: String, text: Bytes) {
        match self.snapshots.iter().position(|(_, own)| *own == topic) {
            Some(at) => {
                let (call, _) = self.snapshots.swap_remove(at);
                lock(&self.hub).input(now, snapshot(call, text));
            }
            None => _ = self.early.insert(topic, text),
        }
    }

    fn frame(&mut self, now: Now, of: u64, text: &Bytes) {
        let Self { hub, dialect, replaced, asked, numbers, names, .. } = self;
        let replaced = replaced.as_ref().filter(|replaced| replaced.connection == of);
        let mut hub = lock(hub);
        dialect.read(text, &mut |mut frame: Frame<'_>| {
            frame.command = None;
            if let Body::Reply(Reply::Subscribed { channel }) = &frame.body {
                if let Handle::Number(number) = frame.handle {
                    numbers.insert(number, (channel.as_ref().map(ToString::to_string), None));
                }
                return;
            }
            let found = match frame.handle {
                Handle::Number(number) => numbers.get(&number).and_then(|(_, connection)| *connection),
                Handle::Name(name) => replaced.and_then(|old| old.names.get(name)).or_else(|| names.get(name)).copied(),
                Handle::Room(_) | Handle::None => names.get(frame.kind).copied(),
            };
            let connection = match found {
                Some(connection) => Some(connection),
                None => begin(&mut hub, now, &frame, asked, numbers, names),
            };
            if let Some(connection) = connection {
                hub.input(now, Input::Frame(connection, frame));
            }
        });
    }
}

/// What a call has returned.
fn snapshot(call: CatchUpId, text: Bytes) -> Input<'static> {
    Input::CaughtUp(call, Ok(vec![Record { text, call: 0 }]))
}

/// A frame shows that a subscription has begun, where it is one that was asked for.
fn begin(
    hub: &mut Hub,
    now: Now,
    frame: &Frame<'_>,
    asked: &mut Vec<(ConnectionId, CommandId, Topic)>,
    numbers: &mut HashMap<i64, (Option<String>, Option<ConnectionId>)>,
    names: &mut HashMap<String, ConnectionId>,
) -> Option<ConnectionId> {
    if !matches!(frame.body, Body::Data) {
        return None;
    }
    let shown = match frame.handle {
        Handle::Number(number) => numbers.get(&number).and_then(|(channel, _)| channel.clone()),
        _ => None,
    };
    let is_its = |topic: &Topic| match (frame.handle, &shown) {
        (Handle::Name(name), _) => topic.to_string() == name,
        (_, Some(shown)) => topic.channel().name == shown,
        _ => topic.channel().messages.iter().any(|message| message.kind == frame.kind),
    };
    // Some venues write names otherwise than they take them. A name that was asked for as it is written is that one.
    let is_asked = asked.iter().any(|(_, _, topic)| is_its(topic));
    let is_alike = |topic: &Topic| match frame.handle {
        Handle::Name(name) if !is_asked => {
            !has_exact_name(topic.channel()) && topic.to_string().eq_ignore_ascii_case(name)
        }
        _ => false,
    };
    let fits = |topic: &Topic| {
        let data = frame.bytes.get(frame.data.clone()).unwrap_or_default();
        // A recording may begin in the middle: without a snapshot there is nothing to begin with.
        (is_its(topic) || is_alike(topic)) && !awaits_snapshot(topic.channel(), frame.kind, data)
    };
    let at = asked.iter().position(|(_, _, topic)| fits(topic))?;
    let (connection, command, topic) = asked.remove(at);
    let body = match frame.handle {
        Handle::Name(name) => {
            names.insert(name.to_owned(), connection);
            names.insert(topic.to_string(), connection);
            Reply::Names(vec![topic.to_string().into()])
        }
        Handle::Number(number) => {
            numbers.insert(number, (Some(topic.channel().name.to_owned()), Some(connection)));
            Reply::Subscribed { channel: None }
        }
        Handle::Room(_) | Handle::None => {
            for message in topic.channel().messages {
                names.insert(message.kind.to_owned(), connection);
            }
            Reply::Ok
        }
    };
    hub.input(now, Input::Frame(connection, reply(command, frame.handle, body)));
    // A recording that begins in the middle begins with any number.
    if let (Handle::Number(number), Some(sequence)) = (frame.handle, frame.sequence) {
        hub.begin_count(connection, number, sequence);
    }
    Some(connection)
}

fn reply<'a>(command: CommandId, handle: Handle<'a>, body: Reply<'a>) -> Frame<'a> {
    static NOTHING: Bytes = Bytes::new();
    let handle = match handle {
        Handle::Number(number) => Handle::Number(number),
        _ => Handle::None,
    };
    Frame {
        bytes: &NOTHING,
        handle,
        kind: "",
        data: 0..0,
        sequence: None,
        sent: None,
        command: Some(command),
        body: Body::Reply(body),
    }
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay").field("recording", &self.lines).finish_non_exhaustive()
    }
}
