//! Changes that name their updates, snapshots by a call, and connections that others replace: whatever is lost, a book that is live is
//! a state that the venue has had.

mod handover;

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use proptest::prelude::*;
use venuekit_books::{Book, BookKind, BookMessage, Fault as BookFault, Side};
use venuekit_wire::rust_decimal::Decimal;
use venuekit_wire::stream::{Closing, SnapshotCall};

use super::super::attach::ResultReceiver;
use super::super::io::{
    Body, CatchUpId, ConnectionId, Frame, Handle, Input, Lost, LostCause, Owner, Record, Reply, SnapshotRequest,
};
use super::super::{Config, Hub, ReaderKey};
use super::*;
use crate::error::ReadError;
use crate::live_book::Books;
use crate::queue::{Queue, QueueItem};
use crate::read::StreamMessage;
use crate::sink::{Sink, State};

static CALL: SnapshotCall = SnapshotCall {
    operation: "Depth",
    parameters: &[("symbol", "name")],
    fixed: &[("limit", "5000")],
    kind: "snapshot",
    number: "/lastUpdateId",
    added: &[("s", "name")],
};

const NAMED: Parameter = Parameter { is_lower_case: true, ..NAME };

static CHANNELS: [Channel; 2] = [
    Channel {
        name: "{name}@depth",
        id: "depth",
        endpoint: "stream",
        parameters: &[NAMED],
        messages: &[Message { is_snapshot: true, ..one("snapshot") }, one("")],
        sequence: Sequence::Range { first: "/U", last: "/u" },
        recovery: Recovery::Call(&CALL),
        first_within: 60,
        ..Channel::EMPTY
    },
    Channel {
        name: "{name}@trade",
        id: "trade",
        endpoint: "stream",
        parameters: &[NAMED],
        messages: &[one("")],
        sequence: Sequence::PerItem { number: "/t", item: "/s" },
        recovery: Recovery::Never,
        first_within: 60,
        ..Channel::EMPTY
    },
];

static TABLE: Table = table(LIMITS);

const fn table(limits: Limits) -> Table {
    Table {
        venue: "ranges",
        endpoints: &ENDPOINTS,
        dialect: Dialect::Topics(Topics {
            topic: "stream",
            data: "data",
            closing: Some(Closing { topic: "!shutdown", member: "e", equals: "shutdown" }),
            ..Topics::EMPTY
        }),
        keep_alive: KEEP_ALIVE,
        limits: Limits { channel_once: false, connection_life: 80_000, ..limits },
        query: &[],
        channels: &CHANNELS,
    }
}

/// A message of the book.
struct Depth {
    symbol: String,
    mark: i64,
    is_snapshot: bool,
    sides: [Vec<(Decimal, Decimal)>; 2],
}

impl StreamMessage for Depth {
    fn read(kind: &str, data: &[u8]) -> Result<Option<Self>, ReadError> {
        let value: serde_json::Value = serde_json::from_slice(data).expect("data is JSON");
        let is_snapshot = kind == "snapshot";
        let levels = |key: &str| -> Vec<(Decimal, Decimal)> {
            let number = |value: &serde_json::Value| value.as_i64().expect("a whole number").into();
            value[key].as_array().expect("levels").iter().map(|level| (number(&level[0]), number(&level[1]))).collect()
        };
        let mark = value[if is_snapshot { "lastUpdateId" } else { "u" }].as_i64().expect("a number");
        let symbol = value["s"].as_str().expect("a symbol").to_owned();
        Ok(Some(Self { symbol, mark, is_snapshot, sides: [levels("b"), levels("a")] }))
    }

    fn unknown(_: &str, _: &[u8]) -> Vec<crate::generated::Unknown> {
        Vec::new()
    }
}

impl BookMessage for Depth {
    fn instrument(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(&self.symbol))
    }

    fn kind(&self) -> BookKind {
        if self.is_snapshot { BookKind::Snapshot } else { BookKind::Change }
    }

    fn mark(&self) -> Option<i64> {
        Some(self.mark)
    }

    fn apply(&self, book: &mut Book) -> Result<(), BookFault> {
        let [bids, asks] = &self.sides;
        if self.is_snapshot {
            return book.snapshot(bids.iter().copied(), asks.iter().copied());
        }
        for (side, levels) in [(Side::Bid, bids), (Side::Ask, asks)] {
            levels.iter().try_for_each(|(price, size)| book.set(side, *price, *size))?;
        }
        Ok(())
    }
}

/// A random number that is the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }

    fn is(&mut self, one_in: u64) -> bool {
        one_in > 0 && self.below(one_in) == 0
    }
}

/// The levels of both sides, by price.
type Sides = [BTreeMap<i64, i64>; 2];

/// Bids are below this, asks are not.
const MIDDLE: i64 = 10;

/// What the venue has of the book.
struct Market {
    last: i64,
    levels: Sides,
    /// States that there were, and the number of each.
    states: VecDeque<(i64, Sides)>,
}

/// So many states are remembered.
const MOST_STATES: usize = 400;

impl Market {
    fn new() -> Self {
        let mut own = Self { last: 1000, levels: Default::default(), states: VecDeque::new() };
        own.remember();
        own
    }

    fn remember(&mut self) {
        if self.states.len() == MOST_STATES {
            self.states.pop_front();
        }
        self.states.push_back((self.last, self.levels.clone()));
    }

    /// Some updates, as one change: of a level that is changed twice the last size counts.
    fn change(&mut self, random: &mut Random) -> String {
        let first = self.last + 1;
        let mut changed: Sides = Default::default();
        for _ in 0..=random.below(3) {
            self.last += 1 + i64::try_from(random.below(3)).unwrap_or(0);
            let price = i64::try_from(random.below(2 * MIDDLE as u64)).unwrap_or(0);
            let side = usize::from(price >= MIDDLE);
            let size = i64::try_from(random.below(4)).unwrap_or(0);
            changed[side].insert(price, size);
            match size {
                0 => self.levels[side].remove(&price),
                size => self.levels[side].insert(price, size),
            };
        }
        self.remember();
        let [bids, asks] = changed.map(|side| list(&side));
        format!(r#"{{"e":"depthUpdate","s":"ABC","U":{first},"u":{},"b":[{bids}],"a":[{asks}]}}"#, self.last)
    }

    /// What a call returns that is so many changes behind.
    fn snapshot(&self, behind: usize) -> String {
        let (last, levels) = &self.states[self.states.len().saturating_sub(1 + behind)];
        let [bids, asks] = levels.clone().map(|side| list(&side));
        format!(r#"{{"s":"ABC","lastUpdateId":{last},"b":[{bids}],"a":[{asks}]}}"#)
    }

    fn state(&self, number: i64) -> Option<&Sides> {
        let at = self.states.binary_search_by_key(&number, |(last, _)| *last).ok()?;
        Some(&self.states[at].1)
    }
}

fn list(side: &BTreeMap<i64, i64>) -> String {
    side.iter().map(|(price, size)| format!("[{price},{size}]")).collect::<Vec<_>>().join(",")
}

/// A connection, and what is on its way.
struct Wire {
    connection: ConnectionId,
    names: Vec<String>,
    late: VecDeque<String>,
}

/// What goes wrong, each once in so many times.
#[derive(Clone, Copy, Debug, Default)]
struct Rates {
    drop: u64,
    twice: u64,
    late: u64,
    cut: u64,
    closing: u64,
    no_call: u64,
    old_call: u64,
    late_call: u64,
}

struct Sim {
    hub: Hub,
    now: Now,
    wires: Vec<Wire>,
    calls: Vec<SnapshotRequest>,
    market: Market,
    trades: i64,
    random: Random,
    rates: Rates,
    opened: usize,
    asked: usize,
    refuses: bool,
    published: usize,
    /// Connections take their time to open.
    is_slow: bool,
    opening: VecDeque<ConnectionId>,
    /// Commands are carried out, and their replies wait.
    is_mute: bool,
    unanswered: Vec<(ConnectionId, u32)>,
    /// The topics of each command, and `-` before those of one that unsubscribes.
    commands: Vec<String>,
}

impl Sim {
    fn new(seed: u64, rates: Rates) -> Self {
        Self::of(&TABLE, seed, rates)
    }

    fn of(table: &'static Table, seed: u64, rates: Rates) -> Self {
        let now = Now::of(Instant::now(), SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000));
        let hub = Hub::new(table, Config::default());
        let (wires, calls, market, random) = (Vec::new(), Vec::new(), Market::new(), Random(seed | 1));
        Self {
            hub,
            now,
            wires,
            calls,
            market,
            trades: 0,
            random,
            rates,
            opened: 0,
            asked: 0,
            refuses: false,
            published: 0,
            is_slow: false,
            opening: VecDeque::new(),
            is_mute: false,
            unanswered: Vec::new(),
            commands: Vec::new(),
        }
    }

    fn attach(&mut self, channel: &str, sink: Arc<dyn Sink>) -> (ReaderKey, ResultReceiver) {
        self.attach_to(channel, "ABC", sink)
    }

    fn attach_to(&mut self, channel: &str, name: &str, sink: Arc<dyn Sink>) -> (ReaderKey, ResultReceiver) {
        let topic = Topic::new(TABLE.channel(channel).expect("it is there")).set("name", name);
        let attached = self.hub.attach(self.now, &topic, sink).expect("the topic is right");
        self.work();
        attached
    }

    fn lose(&mut self, connection: ConnectionId, cause: LostCause) {
        self.wires.retain(|wire| wire.connection != connection);
        let lost = Lost { cause, is_final: false, retry_after: None };
        self.hub.input(self.now, Input::Lost(connection, lost));
    }

    fn frame(&mut self, connection: ConnectionId, name: &str, text: &str) {
        let bytes = Bytes::from(text.to_owned());
        let frame = Frame {
            bytes: &bytes,
            handle: Handle::Name(name),
            kind: "",
            data: 0..bytes.len(),
            sequence: None,
            sent: None,
            command: None,
            body: Body::Data,
        };
        self.hub.input(self.now, Input::Frame(connection, frame));
    }

    fn say(&mut self, connection: ConnectionId, command: Option<u32>, body: Body<'_>) {
        let bytes = Bytes::new();
        let handle = Handle::None;
        let frame = Frame { bytes: &bytes, handle, kind: "", data: 0..0, sequence: None, sent: None, command, body };
        self.hub.input(self.now, Input::Frame(connection, frame));
    }

    fn open(&mut self, connection: ConnectionId) {
        self.opened += 1;
        self.wires.push(Wire { connection, names: Vec::new(), late: VecDeque::new() });
        self.hub.input(self.now, Input::Opened(connection));
    }

    fn work(&mut self) {
        while let Some(output) = self.hub.output() {
            match output {
                Output::Open { connection, .. } if self.refuses => {
                    self.lose(connection, LostCause::Failed("no".to_owned()));
                }
                Output::Open { connection, .. } if self.is_slow => self.opening.push_back(connection),
                Output::Open { connection, .. } => self.open(connection),
                Output::Close(connection) => self.lose(connection, LostCause::Ours),
                Output::Send { connection, command } => {
                    if let Some(wire) = self.wires.iter_mut().find(|wire| wire.connection == connection) {
                        match &command.action {
                            Action::Subscribe(topics) => {
                                let names: Vec<_> = topics.iter().map(ToString::to_string).collect();
                                self.commands.push(names.join(" "));
                                wire.names.extend(names);
                            }
                            Action::Unsubscribe(owners) => {
                                let name = |owner: &Owner| match owner {
                                    Owner::Name(name) => name.to_string(),
                                    other => unreachable!("{other:?}"),
                                };
                                let names: Vec<_> = owners.iter().map(name).collect();
                                self.commands.push(format!("-{}", names.join(" ")));
                                wire.names.retain(|own| !names.contains(own));
                            }
                            Action::Update { .. } => {}
                        }
                        if self.is_mute {
                            self.unanswered.push((connection, command.id));
                        } else {
                            self.say(connection, Some(command.id), Body::Reply(Reply::Ok));
                        }
                    }
                }
                Output::Snapshot(call) => {
                    self.asked += 1;
                    self.calls.push(call);
                }
                Output::Forget(id) => self.calls.retain(|call| call.id != id),
                Output::CatchUp(_) => unreachable!("nothing is listed"),
                Output::End => {}
            }
        }
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now.at + time;
        loop {
            self.work();
            let due = self.hub.deadline().filter(|due| *due <= end).unwrap_or(end);
            let step = due.saturating_duration_since(self.now.at);
            self.now = Now::of(self.now.at + step, self.now.wall + step);
            self.hub.input(self.now, Input::Tick);
            if due == end {
                break;
            }
        }
        self.work();
    }

    /// Sends something to all connections that have a name, with what goes wrong.
    fn send(&mut self, name: &str, text: &str) {
        let mut due = Vec::new();
        for wire in self.wires.iter_mut().filter(|wire| wire.names.iter().any(|own| own == name)) {
            if self.random.is(self.rates.drop) {
                continue;
            }
            let times = if self.random.is(self.rates.twice) { 2 } else { 1 };
            wire.late.extend(std::iter::repeat_n(text.to_owned(), times));
            // A connection keeps its order.
            if !self.random.is(self.rates.late) {
                due.extend(wire.late.drain(..).map(|text| (wire.connection, text)));
            }
        }
        for (connection, text) in due {
            let name = if text.contains(r#""U""#) { "abc@depth" } else { "abc@trade" };
            self.frame(connection, name, &text);
        }
        self.work();
    }

    fn publish(&mut self) {
        let text = self.market.change(&mut self.random);
        self.published += 1;
        self.send("abc@depth", &text);
    }

    fn trade(&mut self) {
        self.trades += 1;
        let text = format!(r#"{{"e":"trade","s":"ABC","t":{}}}"#, self.trades);
        self.send("abc@trade", &text);
    }

    /// Answers the calls, some of them late, with what is old, or not at all.
    fn answer(&mut self) {
        for call in std::mem::take(&mut self.calls) {
            if self.random.is(self.rates.late_call) {
                self.calls.push(call);
                continue;
            }
            let behind = if self.random.is(self.rates.old_call) { self.random.below(12) } else { 0 };
            let is_none = self.random.is(self.rates.no_call);
            let behind = usize::try_from(behind).unwrap_or(0);
            self.reply(call.id, (!is_none).then(|| self.market.snapshot(behind)));
        }
        self.work();
    }

    fn reply(&mut self, id: CatchUpId, text: Option<String>) {
        let result = text.map(|text| vec![Record { text: text.into(), call: 0 }]).ok_or("no".to_owned());
        self.hub.input(self.now, Input::CaughtUp(id, result));
        self.work();
    }

    fn cut(&mut self) {
        while let Some(wire) = self.wires.first() {
            self.lose(wire.connection, LostCause::Cut);
        }
        self.work();
    }

    /// The venue is going to close the newest connection.
    fn announce(&mut self) {
        if let Some(wire) = self.wires.last() {
            self.say(wire.connection, None, Body::Closing);
        }
        self.work();
    }

    /// A book that is live is the state that its number says, and the newest one that a change could tell of.
    fn check(&self, books: &Books<Depth>) -> bool {
        let Some((view, is_live)) = books.view("ABC") else { return false };
        if !is_live {
            return false;
        }
        let mark = view.mark().expect("each message has a number");
        let state = self.market.state(mark).unwrap_or_else(|| panic!("the venue never was at {mark}"));
        for (side, levels) in [(Side::Bid, &state[0]), (Side::Ask, &state[1])] {
            let own: BTreeMap<Decimal, Decimal> = view.levels(side).map(|level| (level.price, level.size)).collect();
            let theirs = levels.iter().map(|(price, size)| (Decimal::from(*price), Decimal::from(*size))).collect();
            assert_eq!(own, theirs, "{side:?} at {mark}");
        }
        mark == self.market.last
    }

    /// Nothing goes wrong any longer.
    fn calm(&mut self) {
        self.rates = Rates::default();
        self.refuses = false;
        for _ in 0..40 {
            self.pass(Duration::from_secs(5));
            self.answer();
            self.publish();
            self.trade();
        }
    }

    /// A turn of a day at which anything may happen.
    fn turn(&mut self) {
        match self.random.below(8) {
            0 => self.pass(Duration::from_millis(300)),
            1 => self.answer(),
            2 => self.trade(),
            _ => self.publish(),
        }
        if self.random.is(self.rates.cut) {
            self.cut();
        }
        if self.random.is(self.rates.closing) {
            self.announce();
        }
    }
}

/// Runs so many changes, and returns how many of them the book had at once.
fn run(seed: u64, rates: Rates, changes: usize) -> (Sim, usize) {
    let mut sim = Sim::new(seed, rates);
    let books: Arc<Books<Depth>> = Arc::new(Books::new());
    let _attached = sim.attach("depth", books.clone());
    let mut live = 0;
    while sim.published < changes {
        sim.turn();
        live += usize::from(sim.check(&books));
    }
    sim.calm();
    assert!(sim.check(&books), "the book is live and up to date in a calm");
    (sim, live)
}

fn rates() -> impl Strategy<Value = Rates> {
    let rate = || prop_oneof![2 => Just(0_u64), 1 => 3..200_u64];
    let of = (rate(), rate(), rate(), rate(), rate(), rate(), rate(), rate());
    of.prop_map(|(drop, twice, late, cut, closing, no_call, old_call, late_call)| Rates {
        drop,
        twice,
        late,
        cut,
        closing,
        no_call,
        old_call,
        late_call,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn a_live_book_is_what_the_venue_has(seed in any::<u64>(), rates in rates(), changes in 1..400_usize) {
        run(seed, rates, changes);
    }
}

/// Many changes, some of which are lost: `VENUEKIT_SOAK_DIFFS` says how many.
#[test]
fn a_book_is_never_wrong_in_a_long_run_with_losses() {
    let changes = std::env::var("VENUEKIT_SOAK_DIFFS").ok().and_then(|count| count.parse().ok()).unwrap_or(30_000);
    let rates =
        Rates { drop: 400, twice: 300, late: 10, cut: 5000, closing: 3000, no_call: 5, old_call: 3, late_call: 3 };
    let (sim, live) = run(7, rates, changes);
    let stats = sim.hub.stats();
    assert!(stats.gaps > 0 && stats.lost > 0 && stats.old_snapshots > 0 && stats.replaced > 0, "{stats:?}");
    // A book that is never live is never wrong either.
    assert!(live > changes / 4, "{live} of {changes}, {stats:?}");
}

/// A reader of texts.
struct Told {
    queue: Arc<Queue>,
    told: Vec<String>,
}

impl Told {
    fn new(sim: &mut Sim, channel: &str) -> Self {
        Self::of(sim, channel, "ABC").0
    }

    fn of(sim: &mut Sim, channel: &str, name: &str) -> (Self, ReaderKey, ResultReceiver) {
        let queue = Arc::new(Queue::new(Overflow::DropOldest, 1000, sim.hub.room()));
        let (reader, result) = sim.attach_to(channel, name, queue.clone());
        (Self { queue, told: Vec::new() }, reader, result)
    }

    /// What came since the last time.
    fn read(&mut self) -> String {
        let mut context = Context::from_waker(Waker::noop());
        let mut taken = VecDeque::new();
        let mut all = Vec::new();
        while self.queue.poll_take(&mut context, &mut taken) == Poll::Ready(()) && !taken.is_empty() {
            all.extend(taken.drain(..).map(|item| match item {
                QueueItem::Data(entry) => {
                    let value: serde_json::Value = serde_json::from_slice(entry.data()).expect("JSON");
                    match (&value["lastUpdateId"], &value["t"]) {
                        (serde_json::Value::Number(last), _) => format!("={last}"),
                        (_, serde_json::Value::Number(trade)) => format!("{trade}"),
                        _ => format!("{}-{}", value["U"], value["u"]),
                    }
                }
                QueueItem::State(State::Stale(_)) => "stale".to_owned(),
                QueueItem::State(State::Resynced(resynced)) => format!("resynced {:?}", resynced.missed),
                QueueItem::State(State::Silent(silent)) => format!("silent {}", silent.topic),
                other => format!("{other:?}"),
            }));
        }
        self.told.extend(all.iter().cloned());
        all.join(" ")
    }
}

impl Sim {
    fn depth(&mut self, first: i64, last: i64) {
        let connection = self.wires.last().expect("a connection").connection;
        let text = format!(r#"{{"e":"depthUpdate","s":"ABC","U":{first},"u":{last},"b":[],"a":[]}}"#);
        self.frame(connection, "abc@depth", &text);
        self.work();
    }

    fn snapshot(&mut self, last: i64) {
        let call = self.calls.remove(0);
        let text = format!(r#"{{"s":"ABC","lastUpdateId":{last},"b":[],"a":[]}}"#);
        self.reply(call.id, Some(text));
    }
}

fn begun(first: &[(i64, i64)]) -> (Sim, Told) {
    let mut sim = Sim::new(1, Rates::default());
    let told = Told::new(&mut sim, "depth");
    first.iter().for_each(|(first, last)| sim.depth(*first, *last));
    (sim, told)
}

#[test]
fn changes_follow_a_snapshot_whether_they_are_adjacent_or_begin_before_its_end() {
    for (last, expected) in [
        // Adjacent.
        (100, "=100 101-110 111-112"),
        // Straddling.
        (105, "=105 101-110 111-112"),
        (110, "=110 111-112"),
        (111, "=111 111-112"),
        // All of them are in it.
        (112, "=112"),
        (500, "=500"),
    ] {
        let (mut sim, mut told) = begun(&[(101, 110), (111, 112)]);
        assert_eq!(told.read(), "", "changes wait");
        sim.snapshot(last);
        assert_eq!(told.read(), expected);
    }
}

#[test]
fn a_snapshot_that_is_too_old_is_asked_for_again_and_the_changes_stay() {
    let (mut sim, mut told) = begun(&[(101, 110)]);
    sim.snapshot(99);
    assert_eq!(told.read(), "");
    assert!(sim.calls.is_empty(), "not at once");
    sim.depth(111, 115);
    sim.pass(Duration::from_secs(1));
    assert_eq!(sim.calls.len(), 1);
    sim.snapshot(98);
    sim.pass(Duration::from_secs(2));
    sim.snapshot(100);
    assert_eq!(told.read(), "=100 101-110 111-115");
    assert_eq!((sim.asked, sim.hub.stats().old_snapshots), (3, 2));
}

#[test]
fn a_gap_makes_the_book_stale_and_the_change_behind_it_waits_for_the_next_snapshot() {
    let (mut sim, mut told) = begun(&[(101, 110)]);
    sim.snapshot(105);
    sim.depth(111, 120);
    // What comes twice, or late, says nothing.
    sim.depth(111, 120);
    sim.depth(101, 110);
    assert_eq!(told.read(), "=105 101-110 111-120");
    sim.depth(125, 130);
    assert_eq!(told.read(), "stale");
    sim.depth(131, 140);
    // Among those that wait there may be a gap too: then only what is behind it counts.
    sim.depth(145, 150);
    sim.snapshot(135);
    assert_eq!(told.read(), "", "older than what waits");
    sim.pass(Duration::from_secs(1));
    sim.snapshot(147);
    assert_eq!(told.read(), "=147 resynced Unknown 145-150");
    assert_eq!(sim.hub.stats().gaps, 2);
}

#[test]
fn a_quiet_book_has_its_snapshot_without_a_change_and_says_that_nothing_came() {
    let (mut sim, mut told) = begun(&[]);
    assert!(sim.calls.is_empty(), "the first change is waited for");
    sim.pass(Duration::from_secs(3));
    sim.snapshot(100);
    assert_eq!(told.read(), "=100");
    sim.pass(Duration::from_secs(120));
    assert_eq!(told.read(), "silent abc@depth");
    sim.depth(102, 103);
    assert_eq!(told.read(), "stale", "the snapshot was too old after all");
    sim.snapshot(101);
    assert_eq!(told.read(), "=101 resynced Unknown 102-103");
    sim.pass(Duration::from_secs(600));
    assert_eq!(told.read(), "", "it is said once");
}

#[test]
fn a_lost_connection_begins_anew_with_another_snapshot() {
    let (mut sim, mut told) = begun(&[(101, 110)]);
    sim.cut();
    assert!(sim.calls.is_empty(), "what was asked for is of no use");
    sim.pass(Duration::from_secs(2));
    sim.depth(151, 160);
    sim.snapshot(155);
    assert_eq!(told.read(), "stale =155 resynced Unknown 151-160");
    sim.cut();
    assert_eq!(told.read(), "stale");
    sim.pass(Duration::from_secs(2));
    sim.depth(171, 180);
    sim.snapshot(175);
    assert_eq!(told.read(), "=175 resynced Unknown 171-180");
}

#[test]
fn a_call_that_fails_or_does_not_return_is_made_again() {
    let (mut sim, mut told) = begun(&[(101, 110)]);
    let first = sim.calls.remove(0);
    sim.reply(first.id, None);
    sim.pass(Duration::from_secs(1));
    let second = sim.calls.remove(0);
    sim.reply(second.id, Some(r#"{"s":"ABC"}"#.to_owned()));
    sim.pass(Duration::from_secs(2));
    assert_eq!(sim.calls.len(), 1);
    sim.pass(Duration::from_secs(100));
    assert_eq!(sim.calls.len(), 1, "the one that did not return is forgotten");
    sim.snapshot(100);
    assert_eq!(told.read(), "=100 101-110");
    assert_eq!(sim.hub.stats().failed_catch_ups, 2);
}

#[test]
fn another_reader_gets_a_snapshot_and_a_second_book_a_copy() {
    let (mut sim, mut told) = begun(&[(101, 110)]);
    sim.snapshot(100);
    assert_eq!(told.read(), "=100 101-110");
    let mut second = Told::new(&mut sim, "depth");
    assert_eq!(told.read(), "stale");
    sim.depth(111, 120);
    sim.snapshot(115);
    assert_eq!(told.read(), "=115 resynced Unknown 111-120");
    assert_eq!(second.read(), "=115 111-120");
    let (mut sim, _) = (Sim::new(1, Rates::default()), ());
    let first: Arc<Books<Depth>> = Arc::new(Books::new());
    let _first = sim.attach("depth", first.clone());
    sim.publish();
    sim.answer();
    assert!(sim.check(&first));
    let second: Arc<Books<Depth>> = Arc::new(Books::new());
    let _second = sim.attach("depth", second.clone());
    assert!(sim.check(&second) && sim.calls.is_empty(), "it has what the first one has");
}

#[test]
fn a_connection_that_is_going_to_end_is_replaced_before_and_nothing_is_missing_or_comes_twice() {
    let mut sim = Sim::new(1, Rates::default());
    let mut told = Told::new(&mut sim, "depth");
    let mut trades = Told::new(&mut sim, "trade");
    sim.depth(101, 110);
    sim.snapshot(105);
    sim.trade();
    assert_eq!((told.read(), trades.read()), ("=105 101-110".to_owned(), "1".to_owned()));
    sim.announce();
    assert_eq!((sim.opened, sim.wires.len()), (2, 2), "another one is open at once, and the old one goes on");
    assert!(sim.wires.iter().all(|wire| wire.names.len() == 2), "both have everything");
    // Both send; the old one is behind.
    let [old, new] = [sim.wires[0].connection, sim.wires[1].connection];
    let change = |first: i64, last: i64| format!(r#"{{"s":"ABC","U":{first},"u":{last},"b":[],"a":[]}}"#);
    for (connection, first, last) in
        [(new, 111, 112), (new, 113, 114), (old, 111, 112), (old, 113, 114), (new, 115, 116)]
    {
        sim.frame(connection, "abc@depth", &change(first, last));
    }
    assert_eq!(told.read(), "111-112 113-114 115-116");
    sim.trade();
    assert_eq!(trades.read(), "2", "once, though both have sent it");
    sim.pass(Duration::from_secs(3));
    assert_eq!(sim.wires.len(), 1, "the old one is closed");
    sim.depth(117, 118);
    sim.trade();
    assert_eq!((told.read(), trades.read()), ("117-118".to_owned(), "3".to_owned()));
    assert_eq!((sim.hub.stats().replaced, sim.hub.stats().gaps, sim.asked), (1, 0, 1));
    // By its age.
    sim.pass(Duration::from_secs(80_001));
    sim.pass(Duration::from_secs(3));
    assert_eq!((sim.opened, sim.wires.len()), (3, 1));
    sim.depth(119, 120);
    sim.trade();
    assert_eq!((told.read(), trades.read()), ("119-120".to_owned(), "4".to_owned()));
}

#[test]
fn one_that_cannot_be_replaced_goes_on_until_it_ends() {
    let (mut sim, mut told) = begun(&[(101, 110)]);
    sim.snapshot(100);
    sim.refuses = true;
    sim.announce();
    sim.depth(111, 112);
    assert_eq!(told.read(), "=100 101-110 111-112");
    // Another attempt is made while it is open.
    sim.refuses = false;
    sim.pass(Duration::from_secs(15));
    assert_eq!((sim.opened, sim.wires.len()), (2, 1));
    sim.depth(113, 114);
    assert_eq!(told.read(), "113-114");
    // It may end before the new one is open.
    sim.refuses = true;
    sim.announce();
    sim.cut();
    assert_eq!(told.read(), "stale");
    sim.refuses = false;
    sim.pass(Duration::from_secs(60));
    sim.depth(200, 210);
    sim.snapshot(205);
    assert_eq!(told.read(), "=205 resynced Unknown 200-210");
}

#[test]
fn a_reader_that_was_too_slow_has_another_snapshot_by_a_call() {
    assert!(super::super::needs_snapshot(&CHANNELS[0]) && !super::super::needs_snapshot(&CHANNELS[1]));
    let mut sim = Sim::new(1, Rates::default());
    let queue = Arc::new(Queue::new(Overflow::DropOldest, 2, sim.hub.room()));
    let (reader, _) = sim.attach("depth", queue.clone());
    let mut slow = Told { queue, told: Vec::new() };
    let mut other = Told::new(&mut sim, "depth");
    sim.depth(101, 110);
    sim.snapshot(100);
    sim.depth(111, 112);
    assert_eq!(slow.read(), "Lagged(1) 101-110 111-112");
    assert!(sim.hub.overflowed(sim.now, reader));
    sim.work();
    sim.depth(113, 114);
    sim.pass(Duration::from_secs(60));
    assert!(sim.calls.is_empty(), "the other reader does not pay for it");
    assert_eq!((slow.read(), other.read()), ("Withheld".to_owned(), "=100 101-110 111-112 113-114".to_owned()));
    // Who joins them has a snapshot.
    let mut third = Told::new(&mut sim, "depth");
    sim.depth(115, 116);
    sim.snapshot(114);
    assert_eq!((slow.read(), third.read()), ("=114 resynced Unknown 115-116".to_owned(), "=114 115-116".to_owned()));
    assert_eq!(other.read(), "stale =114 resynced Unknown 115-116");
}

#[test]
fn a_reader_that_was_too_slow_and_is_alone_has_another_snapshot_at_once() {
    let mut sim = Sim::new(1, Rates::default());
    let queue = Arc::new(Queue::new(Overflow::DropOldest, 2, sim.hub.room()));
    let (reader, _) = sim.attach("depth", queue.clone());
    let mut slow = Told { queue, told: Vec::new() };
    sim.depth(101, 110);
    sim.snapshot(100);
    sim.depth(111, 112);
    assert!(slow.read().starts_with("Lagged(1)"));
    assert!(sim.hub.overflowed(sim.now, reader));
    sim.work();
    sim.depth(113, 114);
    sim.snapshot(113);
    assert_eq!(slow.read(), "Withheld =113 resynced None 113-114");
}

#[test]
fn a_connection_that_is_not_read_is_not_said_to_be_silent() {
    let mut sim = Sim::new(1, Rates::default());
    let queue = Arc::new(Queue::new(Overflow::Block, 1, sim.hub.room()));
    let _trades = sim.attach("trade", queue.clone());
    let mut told = Told::new(&mut sim, "depth");
    sim.trade();
    sim.pass(Duration::from_secs(300));
    assert_eq!(sim.hub.stats().silent, 0);
    let mut taken = VecDeque::new();
    let _ = queue.poll_take(&mut Context::from_waker(Waker::noop()), &mut taken);
    sim.pass(Duration::from_secs(61));
    assert_eq!((told.read(), sim.hub.stats().silent), ("silent abc@depth".to_owned(), 1));
}

#[test]
fn nothing_stays_when_all_have_gone() {
    let mut sim = Sim::new(3, Rates::default());
    let queue = Arc::new(Queue::new(Overflow::DropOldest, 1000, sim.hub.room()));
    let (reader, _) = sim.attach("depth", queue);
    sim.depth(101, 110);
    assert_eq!(sim.calls.len(), 1);
    sim.announce();
    sim.hub.detach(sim.now, reader);
    sim.work();
    assert!(sim.calls.is_empty(), "the call is given up");
    sim.pass(Duration::from_secs(60));
    assert!(sim.hub.is_empty(), "{}", sim.hub.inventory());
    assert!(sim.wires.is_empty());
}

/// The reply to a command that was repeated comes while the subscription is being ended: it is older than its end.
#[test]
fn a_late_reply_to_what_began_a_subscription_does_not_begin_one_that_is_ending() {
    let mut sim = Sim::new(1, Rates::default());
    sim.is_mute = true;
    let (_, first, _) = Told::of(&mut sim, "trade", "ABC");
    let (connection, began) = sim.unanswered.pop().expect("it was asked for");
    sim.pass(Duration::from_secs(10));
    sim.is_mute = false;
    sim.pass(Duration::from_secs(5));
    sim.is_mute = true;
    sim.hub.detach(sim.now, first);
    sim.work();
    let (mut second, _, mut result) = Told::of(&mut sim, "trade", "ABC");
    sim.say(connection, Some(began), Body::Reply(Reply::Ok));
    sim.work();
    assert!(result.try_recv().is_err(), "nothing has accepted it");
    let (_, ended) = sim.unanswered.pop().expect("it was ended");
    sim.is_mute = false;
    sim.say(connection, Some(ended), Body::Reply(Reply::Ok));
    sim.work();
    assert!(matches!(result.try_recv(), Ok(Ok(()))));
    assert_eq!(sim.commands, ["abc@trade", "abc@trade", "-abc@trade", "abc@trade"]);
    sim.trade();
    assert_eq!(second.read(), "1");
}

#[test]
fn a_book_that_was_sound_for_long_is_synchronized_at_once() {
    let (mut sim, mut told) = begun(&[(101, 110)]);
    sim.snapshot(100);
    let mut last = 110;
    for round in 0..8 {
        sim.pass(Duration::from_secs(60));
        told.read();
        sim.depth(last + 5, last + 6);
        sim.work();
        assert_eq!(sim.calls.len(), 1, "round {round}");
        sim.snapshot(last + 5);
        last += 6;
        assert!(told.read().ends_with(&format!("resynced Unknown {}-{last}", last - 1)), "{:?}", told.told);
    }
}
