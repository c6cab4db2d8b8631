//! A venue in memory, and the wire to it. It does what venues do, and every fault that is asked of it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use venuekit_wire::UnixMillis;
use venuekit_wire::stream::{Dialect, Streams as Table};

use super::super::arena::Key;
use super::super::io::{
    Action, Body, CatchUpCall, Command, CommandId, ConnectionId, ErrorClass, Frame, Handle, Input, Lost, LostCause,
    Now, Output, Owner, Record, Reply,
};
use super::super::sub::Sub;
use super::super::{Config, Hub};
use crate::topic::Topic;

/// Counts of changes begin far above 1, where they begin after a restart.
const BASE: i64 = -1000;

/// By how much an old list is behind.
const LATE: Duration = Duration::from_secs(2);

/// What goes wrong next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The next frame of data is lost.
    Drop,
    /// It comes twice.
    Duplicate,
    /// It comes after the one behind it.
    Swap,
    /// The count of its subscription begins again; a chain loses its link.
    Restart,
    /// The next command is refused, its items not named.
    Refuse,
    /// The same, for a reason that passes.
    Later,
    /// The next command gets no reply, though it is carried out.
    Mute,
    /// Its reply comes behind the data that follows from it.
    SlowReply,
    /// The next call that catches up fails.
    NoCall,
    /// It lacks what happened last, if that was not long ago.
    OldCall,
}

/// A text on the wire.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    pub(super) handle: Name,
    pub(super) kind: &'static str,
    pub(super) text: String,
    pub(super) sequence: Option<i64>,
    pub(super) command: Option<CommandId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Name {
    None,
    Text(String),
    Number(i64),
}

/// What a subscription has on the venue's side.
struct Held {
    channel: &'static str,
    /// None: everything.
    items: Option<BTreeSet<String>>,
    sequence: i64,
    /// Its count began again, and no frame has got through since.
    is_restarted: bool,
    /// By item, the number of the last message.
    chain: HashMap<String, i64>,
}

struct Line {
    held: BTreeMap<i64, Held>,
    last_number: i64,
    swapped: Option<Wire>,
    /// By subscription, the last count that got through.
    seen: HashMap<i64, i64>,
    slow: Vec<(CommandId, Name, Answer)>,
    /// Channels and items of which a frame was lost, and none has come since.
    unseen: BTreeSet<(String, String)>,
    /// By item, the last number of a change or snapshot that got through.
    seen_changes: HashMap<String, i64>,
    /// Items whose count began again, and of which nothing has got through since.
    began_again: BTreeSet<String>,
}

#[derive(Clone, Debug)]
pub(super) enum Answer {
    Subscribed,
    Ok,
    Unsubscribed,
    Names(Vec<String>),
    Error(ErrorClass, Vec<String>),
}

/// What happened to an item: levels, after each message.
#[derive(Default)]
pub(super) struct Item {
    /// Levels after each version; the first is version 0.
    pub(super) states: Vec<BTreeMap<i64, i64>>,
    pub(super) texts: Vec<String>,
    /// When each of them happened.
    times: Vec<SystemTime>,
}

pub(super) struct Venue {
    pub(super) hub: Hub,
    pub(super) table: &'static Table,
    pub(super) now: Now,
    lines: HashMap<ConnectionId, Line>,
    /// By channel and item.
    pub(super) items: BTreeMap<(String, String), Item>,
    time: i64,
    faults: VecDeque<Fault>,
    /// Calls that wait for a response, and when they were made.
    pub(super) calls: Vec<(CatchUpCall, SystemTime)>,
    /// Connections are refused.
    pub(super) is_down: bool,
    /// It refuses the credential, with this text.
    pub(super) refuses: Option<&'static str>,
    /// Commands in the order in which they came.
    pub(super) commands: Vec<(ConnectionId, Command)>,
    /// Items that are refused whenever they are asked for.
    pub(super) unknown: BTreeSet<String>,
    pub(super) opened: usize,
    pub(super) names_refusals: bool,
    /// How long ago what is read now was sent.
    pub(super) lag: Duration,
    /// Frames say when they were sent.
    pub(super) is_dated: bool,
    /// How far its clock is behind ours.
    behind: Duration,
    /// Whether every list lacks what happened last.
    pub(super) lists_late: bool,
    /// Subscriptions whose last list was old.
    was_old: HashSet<Key<Sub>>,
    /// The version from which on the count of an item begins: a venue that was restarted begins at 1 again.
    bases: HashMap<String, i64>,
    /// Versions that were sent, and have not been shown to have come or to be lost.
    sent: Vec<((String, String), i64)>,
    /// The versions that came, or whose loss can be known, by channel and item.
    pub(super) shown: Arc<Mutex<BTreeMap<(String, String), i64>>>,
    /// The versions that were sent, by channel and item.
    pub(super) truth: Arc<Mutex<BTreeMap<(String, String), i64>>>,
}

impl Venue {
    pub(super) fn new(table: &'static Table, config: Config) -> Self {
        let now = Now::of(Instant::now(), SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000));
        Self {
            hub: Hub::new(table, config),
            table,
            now,
            lines: HashMap::new(),
            items: BTreeMap::new(),
            time: 0,
            faults: VecDeque::new(),
            calls: Vec::new(),
            is_down: false,
            refuses: None,
            commands: Vec::new(),
            unknown: BTreeSet::new(),
            opened: 0,
            names_refusals: false,
            lag: Duration::ZERO,
            is_dated: true,
            behind: Duration::ZERO,
            lists_late: false,
            was_old: HashSet::new(),
            bases: HashMap::new(),
            sent: Vec::new(),
            shown: Arc::default(),
            truth: Arc::default(),
        }
    }

    /// The venue's time.
    fn venue_time(&self) -> SystemTime {
        self.now.wall - self.behind
    }

    /// Sets how far the venue's clock is behind ours, which its responses have shown.
    pub(super) fn set_behind(&mut self, behind: Duration) {
        self.behind = behind;
        let offset = -(behind.as_millis() as i64);
        self.hub.configure(|config| config.clock.set_offset_millis(offset));
    }

    pub(super) fn fault(&mut self, fault: Fault) {
        self.faults.push_back(fault);
    }

    pub(super) fn calm(&mut self) {
        self.faults.clear();
        self.is_down = false;
        let lines: Vec<_> = self.lines.keys().copied().collect();
        for line in lines {
            let swapped = self.lines.get_mut(&line).and_then(|line| line.swapped.take());
            if let Some(wire) = swapped {
                self.write(line, &wire);
            }
            self.answer_slow(line);
        }
        self.note_shown();
    }

    fn take(&mut self, any: &[Fault]) -> Option<Fault> {
        let at = self.faults.iter().position(|fault| any.contains(fault))?;
        self.faults.remove(at)
    }

    /// Time goes by, and what is due is done.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now.at + time;
        let mut turns = 0;
        loop {
            self.work();
            turns += 1;
            assert!(turns < 10_000, "time stands still");
            match self.hub.deadline() {
                Some(due) if due <= end => {
                    let step = due.saturating_duration_since(self.now.at);
                    self.now = Now::of(self.now.at + step, self.now.wall + step);
                    self.hub.input(self.now, Input::Tick);
                }
                _ => break,
            }
        }
        let step = end.saturating_duration_since(self.now.at);
        self.now = Now::of(end, self.now.wall + step);
        self.hub.input(self.now, Input::Tick);
        self.work();
    }

    /// Does what the hub asks for.
    pub(super) fn work(&mut self) {
        while let Some(output) = self.hub.output() {
            match output {
                Output::Open { connection, .. } => {
                    if let Some(text) = self.refuses {
                        self.lose(connection, LostCause::Refused(text.to_owned()));
                        continue;
                    }
                    if self.is_down {
                        self.lose(connection, LostCause::Failed("down".to_owned()));
                        continue;
                    }
                    self.opened += 1;
                    let line = Line {
                        held: BTreeMap::new(),
                        last_number: 0,
                        swapped: None,
                        seen: HashMap::new(),
                        slow: Vec::new(),
                        unseen: BTreeSet::new(),
                        seen_changes: HashMap::new(),
                        began_again: BTreeSet::new(),
                    };
                    self.lines.insert(connection, line);
                    self.hub.input(self.now, Input::Opened(connection));
                }
                Output::Close(connection) => {
                    self.lines.remove(&connection);
                    self.lose(connection, LostCause::Ours);
                }
                Output::Send { connection, command } => {
                    self.commands.push((connection, command.clone()));
                    self.carry_out(connection, command);
                }
                Output::CatchUp(call) => self.calls.push((call, self.venue_time())),
                Output::Snapshot(_) => unreachable!("no channel of this venue has snapshots by a call"),
                Output::Forget(id) => self.calls.retain(|(call, _)| call.id != id),
                Output::End => {}
            }
        }
    }

    fn lose(&mut self, connection: ConnectionId, cause: LostCause) {
        let lost = Lost { cause, is_final: false, retry_after: None };
        self.hub.input(self.now, Input::Lost(connection, lost));
    }

    /// All connections are lost.
    pub(super) fn cut(&mut self) {
        let mut lines: Vec<_> = self.lines.drain().map(|(connection, _)| connection).collect();
        lines.sort();
        self.note_shown();
        for connection in lines {
            self.lose(connection, LostCause::Cut);
        }
        self.work();
    }

    /// Answers the calls that wait.
    pub(super) fn answer_calls(&mut self) {
        for (call, made) in std::mem::take(&mut self.calls) {
            // The response to another call may have made this one needless.
            let Some(sub) = self.hub.catch_ups.get(&call.id).copied() else { continue };
            let result = match self.take(&[Fault::NoCall, Fault::OldCall]) {
                Some(Fault::NoCall) => Err("out of order".to_owned()),
                // What is missing from two lists in a row, where nothing was counted, nobody can know. Each subscription has its own
                // lists: those of one topic may be several.
                fault => {
                    let is_old = fault.is_some() && self.was_old.insert(sub);
                    if !is_old {
                        self.was_old.remove(&sub);
                    }
                    let lag = match (self.lists_late, is_old) {
                        (true, _) => Some(SystemTime::UNIX_EPOCH),
                        (false, true) => Some(made - LATE),
                        (false, false) => None,
                    };
                    Ok(self.records(&call, lag))
                }
            };
            self.hub.input(self.now, Input::CaughtUp(call.id, result));
        }
        self.work();
    }

    /// What happened last to an item.
    pub(super) fn last(&self, channel: &str, item: &str) -> Record {
        let own = &self.items[&(channel.to_owned(), item.to_owned())];
        Record { text: Bytes::from(own.texts.last().expect("something happened").clone()), call: 0 }
    }

    /// Answers the call that waits with these records.
    pub(super) fn answer_call(&mut self, records: Vec<Record>) {
        let [(call, _)] = &std::mem::take(&mut self.calls)[..] else { panic!("one call waits") };
        self.hub.input(self.now, Input::CaughtUp(call.id, Ok(records)));
        self.work();
    }

    /// What happened since the time that is asked for. Of each item the last one is not listed where it happened after `late`.
    fn records(&self, call: &CatchUpCall, late: Option<SystemTime>) -> Vec<Record> {
        let channel = call.topic.channel().id;
        let name = call.topic.value("name").map(ToString::to_string);
        let mut records = Vec::new();
        for ((of, item), own) in &self.items {
            let is_asked = call.items.as_ref().is_none_or(|items| items.iter().any(|asked| **asked == **item))
                && name.as_ref().is_none_or(|name| name == item);
            if of != channel || !is_asked {
                continue;
            }
            let lag = late.zip(own.times.last()).is_some_and(|(late, last)| *last >= late);
            // Newest first, as venues have it.
            let listed = own.texts.iter().zip(&own.times).rev().skip(usize::from(lag)).take(300);
            let listed = listed.filter(|(_, time)| **time >= call.since);
            records.extend(listed.map(|(text, _)| Record { text: Bytes::from(text.clone()), call: 0 }));
        }
        records
    }

    /// Something happens to an item of a channel.
    pub(super) fn publish(&mut self, channel: &'static str, item: &str, level: i64, change: i64) {
        self.time += 1;
        let own = self.items.entry((channel.to_owned(), item.to_owned())).or_default();
        if own.states.is_empty() {
            own.states.push(BTreeMap::new());
        }
        let mut state = own.states.last().cloned().unwrap_or_default();
        let size = state.entry(level).or_insert(0);
        *size += change;
        let size = *size;
        own.states.push(state);
        let version = own.states.len() as i64 - 1;
        let time = self.time;
        let text = format!(
            r#"{{"i":"{item}","v":{version},"l":{level},"d":{change},"s":{size},"k":"{item}-{version}","t":{time}"#
        );
        own.texts.push(format!("{text}}}"));
        own.times.push(self.now.wall - self.behind - self.lag);
        let kind = self.table.channel(channel).map_or("", |channel| channel.messages.last().map_or("", |own| own.kind));
        let is_list = self.table.channel(channel).is_some_and(|channel| channel.is_list);
        let mut lines: Vec<_> = self.lines.keys().copied().collect();
        lines.sort();
        // A venue whose changes count on by one sends a snapshot after a restart, with the number 1.
        let is_counted_on = matches!(self.table.dialect, Dialect::Topics(_));
        // What it held back before is not sent after that.
        let is_anew = is_counted_on
            && channel == "book"
            && self.faults.front() == Some(&Fault::Restart)
            && self.lines.values().all(|line| line.swapped.is_none());
        if is_anew {
            self.faults.pop_front();
            self.bases.insert(item.to_owned(), version - 1);
        }
        let base = self.base(item);
        let anew = is_anew.then(|| snapshot(&self.items, channel, item, base).0);
        for connection in lines {
            let restarts = !is_counted_on && self.faults.front() == Some(&Fault::Restart);
            let Some(line) = self.lines.get_mut(&connection) else { continue };
            if is_anew {
                line.began_again.insert(item.to_owned());
            }
            let mut wires = Vec::new();
            for (number, held) in &mut line.held {
                if held.channel != channel || held.items.as_ref().is_some_and(|items| !items.contains(item)) {
                    continue;
                }
                // Of what is not counted nothing begins again.
                if restarts && line.swapped.is_none() && is_counted(kind) {
                    (held.sequence, held.is_restarted) = (0, true);
                }
                held.sequence += 1;
                // A number of the state, larger by more than one, as of a count that many share.
                let number_of = version * 3;
                let previous = held.chain.insert(item.to_owned(), number_of);
                let previous = previous.filter(|_| !restarts).map_or("null".to_owned(), |number| number.to_string());
                let change =
                    format!(r#"{text},"u":{},"type":"change","c":{number_of},"p":{previous}}}"#, version - base);
                let text = anew.clone().unwrap_or(change);
                let text = if is_list { format!("[{text}]") } else { text };
                wires.push((*number, held.sequence, text));
            }
            if restarts && !wires.is_empty() {
                self.faults.pop_front();
            }
            for (number, sequence, text) in wires {
                let handle = self.handle(channel, item, number);
                self.send(connection, Wire { handle, kind, text, sequence: Some(sequence), command: None });
            }
        }
        self.truth.lock().unwrap().insert((channel.to_owned(), item.to_owned()), version);
        self.sent.push(((channel.to_owned(), item.to_owned()), version));
        self.note_shown();
        self.work();
    }

    /// What was sent has come or is lost, unless a frame is held back: that one is still on its way. A loss that no later frame has shown
    /// yet is not known to anybody but the venue.
    fn note_shown(&mut self) {
        if self.lines.values().any(|line| line.swapped.is_some()) {
            return;
        }
        let unseen: BTreeSet<(String, String)> = self.lines.values().flat_map(|line| line.unseen.clone()).collect();
        let (later, now) = std::mem::take(&mut self.sent)
            .into_iter()
            .partition(|(item, _)| unseen.contains(item) || unseen.contains(&(item.0.clone(), String::new())));
        self.sent = later;
        let now: Vec<_> = now;
        self.shown.lock().unwrap().extend(now);
    }

    /// What a gap is seen in: an item where each has a name, all of a channel where a subscription is counted.
    fn counted_of(&self, connection: ConnectionId, handle: &Name) -> (String, String) {
        match handle {
            Name::Text(name) => {
                let (channel, item) = name.split_once('.').unwrap_or((name, ""));
                (channel.to_owned(), item.to_owned())
            }
            Name::Number(number) => {
                let held = self.lines.get(&connection).and_then(|line| line.held.get(number));
                (held.map_or("", |held| held.channel).to_owned(), String::new())
            }
            Name::None => Default::default(),
        }
    }

    fn handle(&self, channel: &str, item: &str, number: i64) -> Name {
        match self.table.dialect {
            Dialect::Calls { .. } | Dialect::Topics(_) => {
                let own = self.table.channel(channel).expect("the channel is in the table");
                Name::Text(own.name.replace("{name}", item))
            }
            Dialect::Commands(_) => Name::Number(number),
            Dialect::Messages(_) => Name::None,
        }
    }

    /// A frame of data, with what goes wrong.
    fn send(&mut self, connection: ConnectionId, wire: Wire) {
        // Of what is not counted nobody can see that it is missing.
        // A connection keeps its order. What is swapped stands for a frame of an earlier subscription, and a venue whose changes count on
        // by one sends no snapshot of that: it would look like a restart.
        let is_kept = matches!(self.table.dialect, Dialect::Topics(_)) && wire.text.contains(r#""type":"snapshot""#);
        let faults = [Fault::Drop, Fault::Duplicate, Fault::Swap];
        let faults = if is_kept { &faults[..2] } else { &faults[..] };
        let fault = if is_counted(wire.kind) { self.take(faults) } else { None };
        let swapped = self.lines.get_mut(&connection).and_then(|line| line.swapped.take());
        let dropped = (fault == Some(Fault::Drop)).then(|| wire.handle.clone());
        match fault {
            Some(Fault::Drop) => {}
            Some(Fault::Duplicate) => {
                self.write(connection, &wire);
                self.write(connection, &wire);
            }
            Some(Fault::Swap) => {
                if let Some(line) = self.lines.get_mut(&connection) {
                    line.swapped = Some(wire);
                }
            }
            _ => self.write(connection, &wire),
        }
        if let Some(swapped) = swapped {
            self.write(connection, &swapped);
        }
        // The frame that was swapped is older, and shows nothing of it.
        if let Some(handle) = dropped {
            self.note_unseen(connection, &handle);
        }
    }

    /// A frame was lost, which the next one shows.
    fn note_unseen(&mut self, connection: ConnectionId, handle: &Name) {
        let counted = self.counted_of(connection, handle);
        if let Some(line) = self.lines.get_mut(&connection) {
            line.unseen.insert(counted);
        }
    }

    pub(super) fn write(&mut self, connection: ConnectionId, wire: &Wire) {
        let bytes = Bytes::from(wire.text.clone());
        let body = Body::Data;
        if let (Some(line), Name::Number(number), Some(sequence)) =
            (self.lines.get_mut(&connection), &wire.handle, wire.sequence)
        {
            // A count that began again, and whose first number that gets through is the last one or the next: which cannot be told
            // from a duplicate, or from no loss at all (docs/STREAMS.md). Such a frame is lost too, so that a gap shows it.
            if let Some(held) = line.held.get_mut(number).filter(|held| held.is_restarted) {
                let last = line.seen.get(number).copied().unwrap_or(0);
                if sequence == last || sequence == last + 1 {
                    return self.note_unseen(connection, &wire.handle);
                }
                held.is_restarted = false;
            }
            line.seen.insert(*number, sequence);
        }
        if matches!(self.table.dialect, Dialect::Topics(_)) && self.hides_a_loss(connection, &wire.text) {
            return self.note_unseen(connection, &wire.handle);
        }
        let counted = self.counted_of(connection, &wire.handle);
        if let Some(line) = self.lines.get_mut(&connection) {
            line.unseen.remove(&counted);
        }
        self.read(connection, &wire.handle, wire.kind, &bytes, wire.sequence, wire.command, body);
    }

    /// The same for counts of changes: the snapshot with which an item began again was lost, and what follows has the number that was
    /// the last one, or the next.
    fn hides_a_loss(&mut self, connection: ConnectionId, text: &str) -> bool {
        let value: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        let (Some(item), Some(number)) = (value["i"].as_str(), value["u"].as_i64()) else { return false };
        let Some(line) = self.lines.get_mut(&connection) else { return false };
        let last = line.seen_changes.get(item).copied().unwrap_or(0);
        let is_change = value["type"] != "snapshot";
        if is_change && line.began_again.contains(item) && (number == last || number == last + 1) {
            return true;
        }
        line.began_again.remove(item);
        line.seen_changes.insert(item.to_owned(), number);
        false
    }

    #[allow(clippy::too_many_arguments)]
    fn read(
        &mut self,
        connection: ConnectionId,
        handle: &Name,
        kind: &str,
        bytes: &Bytes,
        sequence: Option<i64>,
        command: Option<CommandId>,
        body: Body<'_>,
    ) {
        let handle = match handle {
            Name::None => Handle::None,
            Name::Text(text) if matches!(self.table.dialect, Dialect::Messages(_)) => Handle::Room(text),
            Name::Text(text) => Handle::Name(text),
            Name::Number(number) => Handle::Number(*number),
        };
        let is_counted = matches!(self.table.dialect, Dialect::Commands(_));
        let sequence = sequence.filter(|_| is_counted);
        let sent =
            (self.venue_time() - self.lag).duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
        let sent = self.is_dated.then_some(UnixMillis(sent as i64));
        let frame = Frame { bytes, handle, kind, data: 0..bytes.len(), sequence, sent, command, body };
        self.hub.input(self.now.arrived_after(self.now.wall - self.lag), Input::Frame(connection, frame));
    }

    /// The connections that are open, in the order of their numbers.
    pub(super) fn open(&self) -> Vec<ConnectionId> {
        let mut lines: Vec<_> = self.lines.keys().copied().collect();
        lines.sort();
        lines
    }

    /// The venue ends a subscription: of all connections, the first one that has the channel.
    pub(super) fn end(&mut self, channel: &str) {
        for connection in self.open() {
            let Some(line) = self.lines.get(&connection) else { continue };
            let Some(number) = line.held.iter().find(|(_, held)| held.channel == channel).map(|(number, _)| *number)
            else {
                continue;
            };
            self.release(connection);
            if let Some(line) = self.lines.get_mut(&connection) {
                line.held.remove(&number);
            }
            let answer = Answer::Error(ErrorClass::Terminal, Vec::new());
            self.answer(connection, None, &Name::Number(number), &answer);
            break;
        }
        self.work();
    }

    /// A connection keeps its order: what belongs to a subscription is sent before the venue ends it.
    fn release(&mut self, connection: ConnectionId) {
        let swapped = self.lines.get_mut(&connection).and_then(|line| line.swapped.take());
        if let Some(wire) = swapped {
            self.write(connection, &wire);
        }
        self.note_shown();
    }

    fn carry_out(&mut self, connection: ConnectionId, command: Command) {
        self.answer_slow(connection);
        let fault = self.take(&[Fault::Refuse, Fault::Later, Fault::Mute, Fault::SlowReply]);
        let class = match fault {
            Some(Fault::Refuse) => Some(ErrorClass::Refused),
            Some(Fault::Later) => Some(ErrorClass::Retry),
            _ => None,
        };
        if let Some(class) = class {
            return self.answer(connection, Some(command.id), &Name::None, &Answer::Error(class, Vec::new()));
        }
        let (replies, wires) = self.obey(connection, &command);
        match fault {
            Some(Fault::Mute) => {}
            Some(Fault::SlowReply) => {
                if let Some(line) = self.lines.get_mut(&connection) {
                    line.slow.extend(replies.into_iter().map(|(name, answer)| (command.id, name, answer)));
                }
            }
            _ => {
                for (name, answer) in replies {
                    self.answer(connection, Some(command.id), &name, &answer);
                }
            }
        }
        for wire in wires {
            self.send(connection, wire);
        }
    }

    fn answer_slow(&mut self, connection: ConnectionId) {
        let slow = self.lines.get_mut(&connection).map(|line| std::mem::take(&mut line.slow)).unwrap_or_default();
        for (command, name, answer) in slow {
            self.answer(connection, Some(command), &name, &answer);
        }
    }

    pub(super) fn answer(
        &mut self,
        connection: ConnectionId,
        command: Option<CommandId>,
        name: &Name,
        answer: &Answer,
    ) {
        let reply = match answer {
            Answer::Subscribed => Reply::Subscribed { channel: None },
            Answer::Ok => Reply::Ok,
            Answer::Unsubscribed => Reply::Unsubscribed,
            Answer::Names(names) => Reply::Names(names.iter().map(|name| name.as_str().into()).collect()),
            Answer::Error(class, items) => Reply::Error {
                code: "8".into(),
                text: "no".into(),
                items: items.iter().map(|item| item.as_str().into()).collect(),
                class: *class,
            },
        };
        // Replies of a venue whose replies do not say what they reply to have no number.
        let command = command.filter(|_| !matches!(self.table.dialect, Dialect::Messages(_)));
        self.read(connection, name, "", &Bytes::new(), None, command, Body::Reply(reply));
    }

    /// What a command does, its replies and the data that follows from it.
    fn obey(&mut self, connection: ConnectionId, command: &Command) -> (Vec<(Name, Answer)>, Vec<Wire>) {
        let is_calls = matches!(self.table.dialect, Dialect::Calls { .. } | Dialect::Topics(_));
        let is_whole = matches!(self.table.dialect, Dialect::Topics(_));
        let is_rooms = matches!(self.table.dialect, Dialect::Messages(_));
        let mut wires = Vec::new();
        let Some(line) = self.lines.get_mut(&connection) else { return (Vec::new(), wires) };
        let replies = match &command.action {
            Action::Subscribe(topics) if is_calls => {
                let mut accepted = Vec::new();
                if is_whole {
                    // One topic that is unknown or held already refuses all of them, and is the only one that is named.
                    let item = |topic: &Topic| topic.value("name").map(ToString::to_string).unwrap_or_default();
                    let is_held = |topic: &Topic| {
                        line.held.values().any(|held| {
                            held.channel == topic.channel().id
                                && held.items.as_ref().is_some_and(|items| items.contains(&item(topic)))
                        })
                    };
                    let bad = topics.iter().find(|topic| is_held(topic) || self.unknown.contains(&item(topic)));
                    if let Some(bad) = bad {
                        let class = if is_held(bad) { ErrorClass::AlreadyHeld } else { ErrorClass::Refused };
                        let named = if self.names_refusals { vec![bad.to_string()] } else { Vec::new() };
                        return (vec![(Name::None, Answer::Error(class, named))], wires);
                    }
                }
                for topic in topics {
                    let item = topic.value("name").map(ToString::to_string).unwrap_or_default();
                    if self.unknown.contains(&item) {
                        continue;
                    }
                    let channel = topic.channel().id;
                    accepted.push(topic.to_string());
                    let has = line.held.values().any(|held| {
                        held.channel == channel && held.items.as_ref().is_some_and(|items| items.contains(&item))
                    });
                    // Who has it already gets no second snapshot.
                    if has {
                        continue;
                    }
                    line.last_number += 1;
                    let items = Some(BTreeSet::from([item.clone()]));
                    let mut held = Held { channel, items, sequence: 0, is_restarted: false, chain: HashMap::new() };
                    if channel == "book" {
                        let (text, number) =
                            snapshot(&self.items, channel, &item, self.bases.get(&item).copied().unwrap_or(BASE));
                        held.chain.insert(item.clone(), number);
                        let handle = Name::Text(topic.to_string());
                        wires.push(Wire { handle, kind: "", text, sequence: None, command: None });
                    }
                    line.held.insert(line.last_number, held);
                }
                // The order of a result says nothing.
                accepted.reverse();
                vec![(Name::None, if is_whole { Answer::Ok } else { Answer::Names(accepted) })]
            }
            Action::Subscribe(topics) => {
                let topic = &topics[0];
                let channel = topic.channel().id;
                let items: Option<BTreeSet<String>> =
                    topic.items().map(|items| items.iter().map(ToString::to_string).collect());
                let bad: Vec<String> =
                    items.iter().flatten().filter(|item| self.unknown.contains(*item)).cloned().collect();
                if !bad.is_empty() {
                    let named = if self.names_refusals { bad } else { Vec::new() };
                    return (vec![(Name::None, Answer::Error(ErrorClass::Refused, named))], wires);
                }
                let found = line.held.iter().find(|(_, held)| held.channel == channel).map(|(number, _)| *number);
                let (number, is_new) = match found {
                    Some(number) => (number, false),
                    None => {
                        line.last_number += 1;
                        (line.last_number, true)
                    }
                };
                let held = line.held.entry(number).or_insert_with(|| Held {
                    channel,
                    items: items.as_ref().map(|_| BTreeSet::new()),
                    sequence: 0,
                    is_restarted: false,
                    chain: HashMap::new(),
                });
                for item in items.iter().flatten() {
                    let is_new = held.items.as_mut().is_some_and(|own| own.insert(item.clone()));
                    if channel == "book" && is_new {
                        held.sequence += 1;
                        let (text, _) = snapshot(&self.items, channel, item, 0);
                        let (handle, kind) = (Name::Number(number), "book_snapshot");
                        wires.push(Wire { handle, kind, text, sequence: Some(held.sequence), command: None });
                    }
                }
                if is_rooms {
                    let rooms = items.into_iter().flatten().map(|item| format!("{channel}:{item}"));
                    let rooms: Vec<String> = rooms.collect();
                    let rooms = if rooms.is_empty() { vec![format!("{channel}:me")] } else { rooms };
                    rooms.into_iter().map(|room| (Name::Text(room), Answer::Subscribed)).collect()
                } else {
                    vec![(Name::Number(number), if is_new { Answer::Subscribed } else { Answer::Ok })]
                }
            }
            Action::Unsubscribe(owners) => {
                let mut replies = Vec::new();
                for owner in owners {
                    match owner {
                        Owner::Number(number) => {
                            line.held.remove(number);
                            replies.push((Name::Number(*number), Answer::Unsubscribed));
                        }
                        Owner::Name(name) => {
                            let item = name.rsplit('.').next().unwrap_or_default();
                            let channel = if name.starts_with("book") { "book" } else { "trades" };
                            line.held.retain(|_, held| {
                                held.channel != channel
                                    || held.items.as_ref().is_some_and(|items| !items.contains(item))
                            });
                        }
                        Owner::Room(room) => {
                            let (channel, item) = room.split_once(':').unwrap_or_default();
                            for held in line.held.values_mut().filter(|held| held.channel == channel) {
                                if let Some(items) = &mut held.items {
                                    items.remove(item);
                                }
                            }
                            replies.push((Name::Text(room.to_string()), Answer::Unsubscribed));
                        }
                    }
                }
                match (is_calls, is_whole) {
                    (true, true) => vec![(Name::None, Answer::Ok)],
                    (true, false) => vec![(Name::None, Answer::Names(Vec::new()))],
                    _ => replies,
                }
            }
            Action::Update { subscription, action, items, channel } => {
                let number = *subscription;
                let bad: Vec<String> =
                    items.iter().map(ToString::to_string).filter(|item| self.unknown.contains(item)).collect();
                let Some(held) = line.held.get_mut(&number) else {
                    return (vec![(Name::None, Answer::Error(ErrorClass::Terminal, Vec::new()))], wires);
                };
                if !bad.is_empty() {
                    let named = if self.names_refusals { bad } else { Vec::new() };
                    return (vec![(Name::None, Answer::Error(ErrorClass::Refused, named))], wires);
                }
                let mut has_reply = true;
                for item in items {
                    let item = item.to_string();
                    let own = held.items.get_or_insert_default();
                    let wants_snapshot = match *action {
                        "add" => own.insert(item.clone()) && channel.id == "book",
                        "remove" => {
                            own.remove(&item);
                            false
                        }
                        _ => {
                            has_reply = false;
                            own.contains(&item)
                        }
                    };
                    if wants_snapshot {
                        held.sequence += 1;
                        let (text, _) = snapshot(&self.items, channel.id, &item, 0);
                        let (handle, kind) = (Name::Number(number), "book_snapshot");
                        let command = (!has_reply).then_some(command.id);
                        wires.push(Wire { handle, kind, text, sequence: Some(held.sequence), command });
                    }
                }
                if has_reply { vec![(Name::Number(number), Answer::Ok)] } else { Vec::new() }
            }
        };
        (replies, wires)
    }

    /// The number of version 0, below zero.
    fn base(&self, item: &str) -> i64 {
        self.bases.get(item).copied().unwrap_or(BASE)
    }

    pub(super) fn version(&self, channel: &str, item: &str) -> i64 {
        let own = self.items.get(&(channel.to_owned(), item.to_owned()));
        own.map_or(0, |own| own.states.len().saturating_sub(1) as i64)
    }
}

/// Whether a gap in what has this type can be seen.
fn is_counted(kind: &str) -> bool {
    !matches!(kind, "tick" | "price")
}

fn snapshot(items: &BTreeMap<(String, String), Item>, channel: &str, item: &str, base: i64) -> (String, i64) {
    let own = items.get(&(channel.to_owned(), item.to_owned()));
    let version = own.map_or(0, |own| own.states.len().saturating_sub(1) as i64);
    let levels: Vec<String> = own
        .and_then(|own| own.states.last())
        .into_iter()
        .flatten()
        .map(|(level, size)| format!("[{level},{size}]"))
        .collect();
    let number = version * 3;
    let text = format!(
        r#"{{"i":"{item}","v":{version},"u":{},"type":"snapshot","c":{number},"p":null,"levels":[{}]}}"#,
        version - base,
        levels.join(",")
    );
    (text, number)
}

/// A topic's items, as the venue names them.
pub(super) fn names(items: &[&str]) -> Vec<Arc<str>> {
    items.iter().map(|item| (*item).into()).collect()
}
