//! What goes wrong while a connection takes the place of another one.

use std::io::{self, Write};
use std::sync::Mutex;

use super::*;
use crate::record::{Recorder, Recording, What};

/// One topic a command, and one command a second.
static SLOW: Table = table(Limits { per_command: 1, commands_per_second: 2, ..LIMITS });

const NAMES: [&str; 3] = ["ABC", "DEF", "GHI"];

impl Sim {
    /// A change of a book, on one connection.
    fn change(&mut self, connection: ConnectionId, symbol: &str, first: i64, last: i64) {
        let text = format!(r#"{{"e":"depthUpdate","s":"{symbol}","U":{first},"u":{last},"b":[],"a":[]}}"#);
        self.frame(connection, &format!("{}@depth", symbol.to_lowercase()), &text);
        self.work();
    }

    /// Answers the calls for snapshots. Returns of which books they were.
    fn snapshots(&mut self, last: i64) -> Vec<String> {
        let mut symbols = Vec::new();
        for call in std::mem::take(&mut self.calls) {
            let symbol = call.topic.value("name").expect("a name").to_string();
            self.reply(call.id, Some(format!(r#"{{"s":"{symbol}","lastUpdateId":{last},"b":[],"a":[]}}"#)));
            symbols.push(symbol);
        }
        symbols.sort();
        symbols
    }

    fn lose_now(&mut self, connection: ConnectionId) {
        self.lose(connection, LostCause::Cut);
        self.work();
    }

    /// The connection that is being opened is open.
    fn open_next(&mut self) {
        let connection = self.opening.pop_front().expect("a connection is being opened");
        self.open(connection);
        self.work();
    }

    /// The replies that wait come.
    fn answer_commands(&mut self) {
        self.is_mute = false;
        for (connection, id) in std::mem::take(&mut self.unanswered) {
            self.say(connection, Some(id), Body::Reply(Reply::Ok));
        }
        self.work();
    }

    fn newest(&self) -> ConnectionId {
        self.wires.last().expect("a connection").connection
    }
}

/// A reader of a book's messages, and one of the book.
struct Reading {
    symbol: &'static str,
    told: Told,
    books: Arc<Books<Depth>>,
}

impl Reading {
    fn new(sim: &mut Sim, symbol: &'static str) -> Self {
        let books: Arc<Books<Depth>> = Arc::new(Books::new());
        let (told, ..) = Told::of(sim, "depth", symbol);
        let _attached = sim.attach_to("depth", symbol, books.clone());
        Self { symbol, told, books }
    }

    fn is_live(&self) -> bool {
        self.books.view(self.symbol).is_some_and(|(_, is_live)| is_live)
    }
}

/// Live books of these names, at 110.
fn live(sim: &mut Sim, names: &[&'static str]) -> Vec<Reading> {
    let mut readings: Vec<_> = names.iter().map(|name| Reading::new(sim, name)).collect();
    // Without a change a snapshot is asked for after a moment.
    sim.pass(Duration::from_secs(10));
    assert_eq!(sim.snapshots(100), names);
    let connection = sim.newest();
    for reading in &mut readings {
        sim.change(connection, reading.symbol, 101, 110);
        assert_eq!(reading.told.read(), "=100 101-110");
        assert!(reading.is_live());
    }
    readings
}

/// Every book is stale, and comes back.
fn check_stale_and_back(sim: &mut Sim, readings: &mut [Reading], case: &str) {
    for reading in readings.iter_mut() {
        assert_eq!(reading.told.read(), "stale", "{} {case}", reading.symbol);
        assert!(!reading.is_live(), "{} {case}", reading.symbol);
    }
    sim.pass(Duration::from_secs(60));
    assert_eq!(sim.snapshots(200).len(), readings.len());
    let connection = sim.newest();
    for reading in readings {
        sim.change(connection, reading.symbol, 201, 202);
        assert_eq!(reading.told.read(), "=200 resynced Unknown 201-202", "{} {case}", reading.symbol);
        assert!(reading.is_live(), "{} {case}", reading.symbol);
    }
}

#[test]
fn what_the_new_connection_was_not_asked_for_yet_is_stale_when_either_is_lost() {
    for is_new in [true, false] {
        let mut sim = Sim::of(&SLOW, 1, Rates::default());
        let mut readings = live(&mut sim, &NAMES);
        sim.announce();
        let [old, new] = [sim.wires[0].connection, sim.wires[1].connection];
        assert_eq!(sim.wires[1].names, ["abc@depth"], "the others are still to be asked for");
        // Those go on by the old one meanwhile.
        for reading in &mut readings {
            sim.change(old, reading.symbol, 111, 112);
            assert_eq!(reading.told.read(), "111-112");
            assert!(reading.is_live());
        }
        sim.lose_now(if is_new { new } else { old });
        assert!(sim.wires.is_empty(), "none of the two has everything");
        check_stale_and_back(&mut sim, &mut readings, if is_new { "new" } else { "old" });
    }
}

/// One that does not reply to commands is closed with the old one.
#[test]
fn what_the_new_connection_was_not_asked_for_yet_is_stale_when_it_is_given_up() {
    let mut sim = Sim::of(&SLOW, 1, Rates::default());
    let mut readings = live(&mut sim, &NAMES);
    sim.announce();
    for slot in sim.hub.slots.keys() {
        sim.hub.close_slot(slot);
    }
    sim.work();
    assert!(sim.wires.is_empty());
    check_stale_and_back(&mut sim, &mut readings, "closed");
}

#[test]
fn commands_of_a_connection_that_is_lost_say_nothing_of_the_one_that_follows() {
    let mut sim = Sim::new(1, Rates::default());
    let mut readings = live(&mut sim, &["ABC"]);
    let (told, reader, _) = Told::of(&mut sim, "depth", "DEF");
    drop(told);
    // The command that ends it gets no reply, and another reader wants it.
    sim.is_mute = true;
    sim.hub.detach(sim.now, reader);
    sim.work();
    let (mut told, ..) = Told::of(&mut sim, "depth", "DEF");
    assert_eq!(sim.commands, ["abc@depth", "def@depth", "-def@depth"]);
    sim.is_slow = true;
    sim.announce();
    sim.lose_now(sim.newest());
    assert_eq!(readings[0].told.read(), "stale");
    sim.answer_commands();
    sim.open_next();
    sim.change(sim.newest(), "DEF", 101, 110);
    sim.change(sim.newest(), "ABC", 101, 110);
    assert_eq!(sim.snapshots(100), ["ABC", "DEF"]);
    assert_eq!(told.read(), "=100 101-110");
    // No command is late.
    sim.pass(Duration::from_secs(12));
    sim.change(sim.newest(), "DEF", 111, 112);
    assert_eq!(told.read(), "111-112");
    assert_eq!((sim.hub.stats().unanswered, sim.opened), (0, 2));
    assert_eq!(sim.commands[3..], ["abc@depth def@depth"]);
}

#[test]
fn a_topic_that_is_wanted_while_the_next_connection_is_opened_is_asked_for_once() {
    let mut sim = Sim::new(1, Rates::default());
    let _readings = live(&mut sim, &["ABC"]);
    sim.is_slow = true;
    sim.announce();
    let (_told, _, mut result) = Told::of(&mut sim, "depth", "DEF");
    sim.lose_now(sim.newest());
    sim.open_next();
    assert!(matches!(result.try_recv(), Ok(Ok(()))));
    let mut asked: Vec<_> = sim.commands[1..].iter().flat_map(|names| names.split(' ')).collect();
    asked.sort_unstable();
    assert_eq!(asked, ["abc@depth", "def@depth"]);
}

#[test]
fn replies_count_until_the_next_connection_is_open() {
    let mut sim = Sim::new(1, Rates::default());
    let mut readings = live(&mut sim, &["ABC"]);
    sim.is_mute = true;
    let (mut told, _, mut result) = Told::of(&mut sim, "depth", "DEF");
    sim.is_slow = true;
    sim.announce();
    sim.answer_commands();
    assert!(matches!(result.try_recv(), Ok(Ok(()))), "the connection that is there has accepted it");
    // What is wanted now is asked for where there is a connection: here it is the old one.
    let (_late, _, mut late) = Told::of(&mut sim, "depth", "GHI");
    let failed = sim.opening.pop_front().expect("a connection is being opened");
    sim.lose(failed, LostCause::Failed("no".to_owned()));
    sim.work();
    assert!(matches!(late.try_recv(), Ok(Ok(()))), "at once, and not with the next attempt");
    sim.change(sim.newest(), "DEF", 101, 110);
    assert!(sim.snapshots(100).contains(&"DEF".to_owned()));
    assert_eq!(told.read(), "=100 101-110");
    sim.pass(Duration::from_secs(12));
    sim.change(sim.newest(), "DEF", 111, 112);
    assert_eq!((told.read(), readings[0].told.read()), ("111-112".to_owned(), String::new()));
    assert_eq!(sim.hub.stats().unanswered, 0);
}

#[test]
fn what_is_begun_on_the_new_connection_comes_from_it_alone() {
    let mut sim = Sim::of(&SLOW, 1, Rates::default());
    let readings = live(&mut sim, &["ABC"]);
    let (_, reader, _) = Told::of(&mut sim, "trade", "DEF");
    sim.pass(Duration::from_secs(3));
    sim.is_mute = true;
    sim.announce();
    let [old, new] = [sim.wires[0].connection, sim.wires[1].connection];
    // Nobody wants it, and then somebody does.
    sim.hub.detach(sim.now, reader);
    let (mut told, ..) = Told::of(&mut sim, "trade", "DEF");
    sim.pass(Duration::from_secs(1));
    assert_eq!(sim.wires[1].names, ["abc@depth", "def@trade"]);
    let trade = |number: i64| format!(r#"{{"e":"trade","s":"DEF","t":{number}}}"#);
    sim.frame(new, "def@trade", &trade(2));
    sim.frame(old, "def@trade", &trade(1));
    sim.frame(old, "def@trade", &trade(2));
    sim.frame(new, "def@trade", &trade(3));
    assert_eq!(told.read(), "2 3");
    assert!(readings[0].is_live());
}

#[test]
fn a_reader_that_joins_while_a_book_moves_makes_the_others_wait_and_says_so() {
    let mut sim = Sim::new(1, Rates::default());
    let mut first = live(&mut sim, &["ABC"]).remove(0);
    sim.is_mute = true;
    sim.announce();
    let mut second = Told::new(&mut sim, "depth");
    assert_eq!(first.told.read(), "", "what comes by the old connection goes on");
    sim.change(sim.wires[0].connection, "ABC", 111, 112);
    assert_eq!((first.told.read(), second.read()), ("111-112".to_owned(), String::new()));
    sim.answer_commands();
    assert_eq!(first.told.read(), "stale");
    assert!(!first.is_live());
    sim.change(sim.newest(), "ABC", 113, 120);
    assert_eq!(sim.snapshots(115), ["ABC"]);
    assert_eq!(first.told.read(), "=115 resynced Unknown 113-120");
    assert_eq!(second.read(), "stale =115 resynced Unknown 113-120", "it was subscribed to when the others went on");
    assert!(first.is_live());
}

#[test]
fn a_reader_that_joins_before_the_reply_makes_the_others_wait_and_says_so() {
    let mut sim = Sim::new(1, Rates::default());
    sim.is_mute = true;
    let mut first = Reading::new(&mut sim, "ABC");
    // Its data comes before the reply.
    sim.change(sim.newest(), "ABC", 101, 110);
    assert_eq!(sim.snapshots(100), ["ABC"]);
    assert_eq!(first.told.read(), "=100 101-110");
    assert!(first.is_live());
    let mut second = Told::new(&mut sim, "depth");
    sim.answer_commands();
    assert_eq!(first.told.read(), "stale");
    assert!(!first.is_live());
    sim.change(sim.newest(), "ABC", 111, 112);
    assert_eq!(sim.snapshots(110), ["ABC"]);
    assert_eq!(first.told.read(), "=110 resynced Unknown 111-112");
    assert_eq!(second.read(), "=110 111-112");
    assert!(first.is_live());
}

/// What is written.
#[derive(Clone, Default)]
struct Disk(Arc<Mutex<Vec<u8>>>);

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("one thread writes").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_recording_has_the_loss_of_a_connection_whose_successor_is_not_open_yet() {
    let disk = Disk::default();
    let recorder = Recorder::to(disk.clone(), "ranges").expect("it takes the first line");
    let mut sim = Sim::new(1, Rates::default());
    sim.hub.record(Some(&recorder));
    let _readings = live(&mut sim, &["ABC"]);
    sim.is_slow = true;
    sim.announce();
    sim.lose_now(sim.newest());
    // The first attempt fails: nothing was open that could be lost.
    let failed = sim.opening.pop_front().expect("a connection is being opened");
    sim.lose(failed, LostCause::Failed("no".to_owned()));
    sim.pass(Duration::from_secs(60));
    sim.open_next();
    recorder.finish().expect("it is written");
    let recorded = disk.0.lock().expect("nobody writes").clone();
    let lines = Recording::read(io::Cursor::new(recorded)).expect("it is a recording");
    let lines: Vec<_> = lines.map(|line| line.expect("it is whole")).collect();
    let seen: Vec<_> = lines
        .iter()
        .filter(|line| matches!(line.what, What::Opened | What::Lost))
        .map(|line| (line.connection, line.replaces, line.what == What::Opened))
        .collect();
    assert_eq!(seen, [(1, None, true), (1, None, false), (2, None, true)]);
}
