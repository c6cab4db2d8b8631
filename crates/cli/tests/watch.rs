//! `venuekit watch` against the sandbox: lines, JSON, books, states, recordings, and how it ends.

mod common;

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{World, document, texts};
use serde_json::{Value, json};
use venuekit_sandbox::{Fault, Rule};
use venuekit_wire::rust_decimal::Decimal;

const BOOK: &str = "book.BTC-PERPETUAL.100ms";

/// The JSON documents on the lines of a text.
fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// A command that goes on until it is ended.
struct Watching {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Watching {
    fn start(world: &World, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_venuekit"));
        // If what is waited for does not come, it ends by itself, and the test fails.
        world.prepare(command.args(arguments).args(["--for", "60s"]));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next line that is JSON with this event.
    fn event(&mut self, event: &str) -> Value {
        loop {
            let line =
                self.lines.next().unwrap_or_else(|| panic!("it ended before `{event}`: {}", self.complaint())).unwrap();
            let line: Value = serde_json::from_str(&line).unwrap();
            if line["event"] == event {
                return line;
            }
        }
    }

    fn complaint(&mut self) -> String {
        let mut text = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            _ = std::io::Read::read_to_string(&mut stderr, &mut text);
        }
        text
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Waits until something is so.
fn until(is_so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < end, "it does not come about");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// An order that changes the book.
fn order(world: &World, price: &str) {
    let arguments = ["call", "deribit/local", "buy", "instrument_name=BTC-PERPETUAL", "amount=10", "type=limit", "-y"];
    let output = world.venuekit(&[&arguments[..], &[&format!("price={price}")]].concat());
    assert!(output.status.success(), "{:?}", texts(&output));
}

/// An open market of Kalshi.
fn market(world: &World) -> String {
    let markets =
        document(&world.venuekit(&["call", "kalshi/local", "get_markets", "status=open", "limit=1", "--json"]));
    markets["markets"][0]["ticker"].as_str().unwrap().to_owned()
}

#[test]
fn channels_are_listed_and_explained() {
    let world = World::new("watch-list");
    let (listed, _) = texts(&world.venuekit(&["watch", "deribit"]));
    let book = listed.lines().find(|line| line.starts_with("book ")).unwrap();
    assert!(book.contains("a key for interval=raw") && book.contains("instrument_name interval"), "{book}");
    assert_eq!(texts(&world.venuekit(&["watch", "deribit", "--channels"])).0, listed);

    for venue in ["bayse", "deribit", "kalshi", "kalshi-perps"] {
        let listed = document(&world.venuekit(&["watch", venue, "--json"]));
        let channels = listed["channels"].as_array().unwrap();
        let names: HashSet<&str> = channels.iter().map(|channel| channel["channel"].as_str().unwrap()).collect();
        assert!(names.len() == channels.len() && !names.is_empty(), "{venue}");
        assert!(channels.iter().any(|channel| channel["book"] == true), "{venue} has a book");
    }
    let (told, _) = texts(&world.venuekit(&["watch", "kalshi", "orderbook_delta", "--help"]));
    assert!(told.contains("venuekit watch kalshi orderbook_delta"), "{told}");
    assert!(told.contains("gaps       detected by the venue's sequence number") && told.contains("--book"), "{told}");
    assert!(texts(&world.venuekit(&["watch", "--help"])).0.contains("--replay"), "the command has help of its own");

    for (arguments, code, said) in [
        (&["watch", "deribit", "boook"][..], 2, "did you mean `book`?"),
        (&["watch", "kalshi", "trade", "market_ticker=A"], 2, "did you mean `market_tickers`?"),
        (&["watch", "deribit", "book", "interval=100ms"], 2, "needs instrument_name"),
        (&["watch", "deribit", "ticker.A.7ms"], 2, "interval"),
        (&["watch", "yativo"], 2, "yativo has no live streams"),
        (&["watch"], 2, "no venue and no channel was given"),
        (&["watch", "deribit/local", "ticker.BTC-PERPETUAL.100ms", "--book"], 2, "makes no order book"),
        (&["watch", "deribit/local", "announcements", "--count", "0"], 2, "from 1"),
        (&["watch", "deribit/local", "announcements", "--for", "soon"], 2, "such as 30s"),
        (&["watch", "deribit/local", "announcements", "--record", "a", "--replay", "b"], 2, "cannot be used with"),
        (&["watch", "deribit/local", "announcements", "--replay", "nothing.zst"], 2, "nothing.zst"),
    ] {
        let output = world.venuekit(arguments);
        let (_, complaint) = texts(&output);
        assert!(output.status.code() == Some(code) && complaint.contains(said), "{arguments:?}: {complaint}");
    }
}

#[test]
fn messages_are_lines_of_text_or_json_with_all_their_digits() {
    let world = World::new("watch-lines");
    let output = world.venuekit(&["watch", "deribit/local", BOOK, "--count", "1"]);
    let (text, note) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{note}");
    assert!(note.contains("watching book.BTC-PERPETUAL.100ms of deribit/local"), "{note}");
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("instrument_name=BTC-PERPETUAL") && text.contains("type=snapshot"), "{text}");

    let output = world.venuekit(&["watch", "deribit/local", BOOK, "--count", "1", "--json"]);
    let (text, note) = texts(&output);
    assert!(note.is_empty(), "{note}");
    let message = &lines(&text)[0];
    assert_eq!(
        (&message["event"], &message["channel"], &message["origin"]),
        (&json!("message"), &json!("book"), &json!("stream"))
    );
    assert!(message["received_ms"].as_i64().is_some());
    // The venue's text is printed unchanged.
    let frames = world.sandbox.frames().all();
    let data = text.split_once("\"data\":").unwrap().1.trim_end().trim_end_matches('}');
    assert!(frames.iter().any(|frame| frame.text.contains(data)), "{data}");
}

#[test]
fn who_may_not_hear_is_told_and_nothing_is_sent() {
    let mut world = World::new("watch-refused");
    let no_instrument = world.venuekit(&["watch", "deribit/local", "ticker.NOTHING-HERE.100ms", "--json"]);
    let (stdout, complaint) = texts(&no_instrument);
    let error = &serde_json::from_str::<Value>(&complaint).unwrap()["error"];
    assert_eq!((no_instrument.status.code(), &error["code"]), (Some(1), &json!("refused")), "{stdout}{complaint}");
    assert_eq!(error["refusals"][0]["topic"], "ticker.NOTHING-HERE.100ms");
    until(|| world.sandbox.websocket_connections() == 0);

    world.variables.retain(|name, _| name.starts_with("VENUEKIT"));
    for arguments in [["watch", "kalshi/local", "trade"], ["watch", "deribit/local", "user_lock"]] {
        let output = world.venuekit(&arguments);
        let (_, complaint) = texts(&output);
        assert!(output.status.code() == Some(6) && complaint.contains("needs a key"), "{complaint}");
    }
    assert_eq!(world.sandbox.websocket_connections(), 0);
}

#[test]
fn a_book_in_lines_is_the_venues_own_at_the_same_mark() {
    let world = World::new("watch-book");
    let ticker = market(&world);
    let mut watching = Watching::start(
        &world,
        &["watch", "deribit/local", BOOK, "--book", "--json", "--levels", "1000", "--count", "3"],
    );
    let first = watching.event("book");
    for price in ["1000", "1000.5"] {
        order(&world, price);
        let book = watching.event("book");
        let mark = book["mark"].as_i64().unwrap();
        let own = world.sandbox.deribit_book("BTC-PERPETUAL", mark).unwrap();
        let levels = |levels: &[(Decimal, Decimal)]| -> Vec<[String; 2]> {
            levels.iter().map(|(price, size)| [price.normalize().to_string(), size.normalize().to_string()]).collect()
        };
        let shown = |side: &str| -> Vec<[String; 2]> {
            let plain = |text: &Value| text.as_str().unwrap().parse::<Decimal>().unwrap().normalize().to_string();
            book[side].as_array().unwrap().iter().map(|level| [plain(&level[0]), plain(&level[1])]).collect()
        };
        assert_eq!((shown("bids"), shown("asks")), (levels(&own.bids), levels(&own.asks)));
        assert_eq!(book["live"], true);
        assert!(mark > first["mark"].as_i64().unwrap());
    }
    assert_eq!(World::end(&mut watching.child), Some(0), "it ends by itself after three");

    let tickers = format!("market_tickers={ticker}");
    let (text, note) =
        texts(&world.venuekit(&["watch", "kalshi/local", "orderbook_delta", &tickers, "--book", "--count", "1"]));
    assert!(text.contains(&ticker) && text.contains("  bid 0.") && text.contains("  ask 0."), "{text}{note}");
}

#[test]
fn a_gap_is_told_between_the_messages_and_healed() {
    let world = World::new("watch-gap");
    let mut watching = Watching::start(&world, &["watch", "deribit/local", BOOK, "--json"]);
    assert_eq!(watching.event("message")["data"]["type"], "snapshot");
    world.sandbox.faults().set(vec![Rule::new(Fault::Drop).on("book/change").times(1)]);
    order(&world, "1000");
    // The next one shows that one is missing.
    until(|| world.sandbox.frames().all().iter().any(|frame| frame.fault.is_some()));
    order(&world, "1001");
    let stale = watching.event("stale");
    assert_eq!((&stale["reason"], stale["expected"].is_i64()), (&json!("gap"), true));
    assert_eq!(watching.event("message")["data"]["type"], "snapshot");
    let resynced = watching.event("resynced");
    assert!(resynced.get("missed").is_some(), "{resynced}");

    // A connection that is cut is told too, and what follows it.
    world.sandbox.cut_connections();
    assert_eq!(watching.event("stale")["reason"], "reconnect");
    watching.event("resynced");
    watching.signal("-TERM");
    assert_eq!(World::end(&mut watching.child), Some(0));
}

#[test]
fn an_interrupt_closes_in_good_order_and_the_time_is_a_limit() {
    let world = World::new("watch-interrupt");
    let mut watching =
        Watching::start(&world, &["watch", "deribit/local", BOOK, "--json", "--record", "day.jsonl.zst"]);
    watching.event("message");
    watching.signal("-INT");
    assert_eq!(World::end(&mut watching.child), Some(0));
    assert!(watching.complaint().is_empty());

    let replayed = world.venuekit(&["watch", "deribit", BOOK, "--replay", "day.jsonl.zst", "--json"]);
    assert!(replayed.status.success(), "it was written to its end: {:?}", texts(&replayed));

    let output = world.venuekit(&["watch", "deribit/local", "announcements", "--for", "1s", "--json"]);
    assert_eq!((output.status.code(), texts(&output)), (Some(0), (String::new(), String::new())));
}

#[test]
fn what_was_recorded_is_told_again_in_the_same_words() {
    let world = World::new("watch-record");
    let record = ["watch", "deribit/local", BOOK, "--json", "--count", "3", "--record", "day.jsonl.zst"];
    let mut watching = Watching::start(&world, &record);
    let mut told = vec![watching.event("message")];
    for price in ["1000", "1001"] {
        order(&world, price);
        told.push(watching.event("message"));
    }
    assert_eq!(World::end(&mut watching.child), Some(0));

    let replay = ["watch", "deribit", BOOK, "--replay", "day.jsonl.zst"];
    let replayed = world.venuekit(&[&replay[..], &["--json"]].concat());
    let (text, complaint) = texts(&replayed);
    assert!(replayed.status.success(), "{complaint}");
    let messages: Vec<Value> = lines(&text).into_iter().filter(|line| line["event"] == "message").collect();
    assert_eq!(messages[..3], told, "digits, times and all");
    assert_eq!(lines(&text).last().unwrap()["event"], "ended");

    // The same frames make the same book.
    let (books, _) = texts(&world.venuekit(&[&replay[..], &["--json", "--book", "--levels", "1000"]].concat()));
    let last = lines(&books).into_iter().rfind(|line| line["event"] == "book").unwrap();
    let mark = last["mark"].as_i64().unwrap();
    let own = world.sandbox.deribit_book("BTC-PERPETUAL", mark).unwrap();
    assert_eq!(
        (last["bids"].as_array().unwrap().len(), last["asks"].as_array().unwrap().len()),
        (own.bids.len(), own.asks.len())
    );

    // It is neither overwritten, nor taken for another venue's, nor for whole where it is not.
    let again = world.venuekit(&record);
    assert!(again.status.code() == Some(2) && texts(&again).1.contains("not overwritten"), "{:?}", texts(&again));
    let other = world.venuekit(&["watch", "kalshi", "trade", "--replay", "day.jsonl.zst"]);
    let (_, complaint) = texts(&other);
    assert!(other.status.code() == Some(2) && complaint.contains("venuekit watch deribit"), "{complaint}");
    let mut bytes = std::fs::read(world.home.join("day.jsonl.zst")).unwrap();
    bytes.truncate(bytes.len() - 3);
    std::fs::write(world.home.join("cut.zst"), bytes).unwrap();
    let cut = world.venuekit(&["watch", "deribit", BOOK, "--replay", "cut.zst", "--json"]);
    assert!(cut.status.code() == Some(8) && texts(&cut).1.contains("was cut"), "{:?}", texts(&cut));
}

#[test]
fn private_channels_tell_of_ones_own_orders() {
    let world = World::new("watch-private");
    let mut watching = Watching::start(&world, &["watch", "deribit/local", "user.orders.BTC-PERPETUAL.raw", "--json"]);
    // Nothing comes by itself: once the venue holds the subscription, an order does it.
    until(|| world.sandbox.frames().all().iter().any(|frame| frame.text.contains("user.orders.BTC-PERPETUAL.raw")));
    order(&world, "1000");
    let message = watching.event("message");
    assert_eq!((&message["data"]["order_state"], message["data"]["price"].as_f64()), (&json!("open"), Some(1000.0)));
    watching.signal("-INT");
    assert_eq!(World::end(&mut watching.child), Some(0));
}

/// What a shell is offered for the last word.
fn offered(world: &World, words: &[&str]) -> Vec<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_venuekit"));
    world.prepare(&mut command);
    command.env("COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string());
    command.env("_CLAP_IFS", "\n").env("_CLAP_COMPLETE_COMP_TYPE", "9").env("_CLAP_COMPLETE_SPACE", "false");
    let (stdout, stderr) = texts(&command.arg("--").args(words).stdin(Stdio::null()).output().unwrap());
    assert!(stderr.is_empty(), "{stderr}");
    stdout.lines().map(str::to_owned).collect()
}

#[test]
fn a_shell_completes_channels_and_their_parameters() {
    let world = World::new("watch-complete");
    assert_eq!(offered(&world, &["venuekit", "wat"]), ["watch"]);
    assert_eq!(offered(&world, &["venuekit", "watch", "kalshi", "orderb"]), ["orderbook_delta"]);
    assert_eq!(offered(&world, &["venuekit", "watch", "kalshi", "trade", "market_t"]), ["market_tickers="]);
    assert_eq!(
        offered(&world, &["venuekit", "watch", "deribit/test", "book", "instrument_name=A", "inter"]),
        ["interval="]
    );
    let intervals = offered(&world, &["venuekit", "watch", "deribit", "book", "interval="]);
    assert!(intervals.contains(&"interval=100ms".to_owned()), "{intervals:?}");
    assert!(offered(&world, &["venuekit", "watch", "yativo", "x"]).is_empty());
}

#[cfg(unix)]
mod terminal {
    use std::io::{Read, Write};
    use std::os::fd::AsFd;

    use pty_process::Size;
    use pty_process::blocking::open;
    use rustix::termios::{LocalModes, tcgetattr};

    use super::*;

    fn echoes(pty: impl AsFd) -> bool {
        tcgetattr(pty).unwrap().local_modes.contains(LocalModes::ECHO)
    }

    /// What a screen shows after this was written to it, line by line. It knows as much of a terminal as ratatui uses.
    fn screen(written: &str) -> Vec<String> {
        let mut cells = vec![vec![' '; 200]; 60];
        let (mut row, mut column) = (0, 0);
        let mut characters = written.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '\x1b' => {
                    if characters.next() != Some('[') {
                        continue;
                    }
                    let mut numbers = String::new();
                    let end = loop {
                        match characters.next() {
                            Some(end) if end.is_ascii_alphabetic() => break end,
                            Some(character) => numbers.push(character),
                            None => return Vec::new(),
                        }
                    };
                    match end {
                        'H' => {
                            let mut numbers = numbers.split(';').map(|number| number.parse::<usize>().unwrap_or(1) - 1);
                            (row, column) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
                        }
                        // Another screen, which is empty.
                        'h' if numbers == "?1049" => cells.iter_mut().for_each(|line| line.fill(' ')),
                        'J' => cells.iter_mut().for_each(|line| line.fill(' ')),
                        _ => {}
                    }
                }
                '\r' => column = 0,
                '\n' => row += 1,
                character => {
                    if let Some(cell) = cells.get_mut(row).and_then(|line| line.get_mut(column)) {
                        *cell = character;
                    }
                    column += 1;
                }
            }
        }
        cells.into_iter().map(|line| line.into_iter().collect::<String>().trim_end().to_owned()).collect()
    }

    #[test]
    fn a_ladder_is_drawn_and_the_terminal_is_given_back() {
        let world = World::new("watch-ladder");
        let mut command = Command::new(env!("CARGO_BIN_EXE_venuekit"));
        world.prepare(&mut command);
        let variables: Vec<_> =
            command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
        for (key, by) in [("q", "a key"), ("\x03", "Ctrl-C")] {
            let (pty, pts) = open().unwrap();
            pty.resize(Size::new(24, 100)).unwrap();
            let mut child = pty_process::blocking::Command::new(command.get_program())
                .args(["watch", "deribit/local", BOOK, "--book", "--for", "60s"])
                .env_clear()
                .envs(variables.iter().cloned())
                .env("TERM", "xterm-256color")
                .current_dir(&world.home)
                .spawn(pts)
                .unwrap();
            assert!(echoes(&pty), "before");
            let (mut written, mut buffer) = (Vec::new(), [0; 4096]);
            let shown = loop {
                let count = (&pty).read(&mut buffer).unwrap();
                written.extend_from_slice(&buffer[..count]);
                let shown = screen(&String::from_utf8_lossy(&written));
                let has = |text: &str| shown.iter().any(|line| line.contains(text));
                if has("LIVE") && has("spread") && has("q ends") {
                    break shown;
                }
            };
            let all = shown.join("\n");
            assert!(
                all.contains("deribit/local  book.BTC-PERPETUAL.100ms") && all.contains("LIVE  BTC-PERPETUAL"),
                "{all}"
            );
            assert!(all.contains("price") && all.contains("total") && all.contains("mark "), "{all}");
            assert!(!echoes(&pty), "while it is drawn");
            (&pty).write_all(key.as_bytes()).unwrap();
            // The command blocks on a pipe that nobody reads.
            while let Ok(count @ 1..) = (&pty).read(&mut buffer) {
                written.extend_from_slice(&buffer[..count]);
            }
            assert_eq!(World::end(&mut child), Some(0), "{by}");
            let written = String::from_utf8_lossy(&written);
            assert!(written.contains("\x1b[?1049h") && written.contains("\x1b[?1049l"), "it leaves its own screen");
        }
    }
}
