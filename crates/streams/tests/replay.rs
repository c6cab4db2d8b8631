//! A recording that is played while its readers change.

mod common;

use std::io::Write;

use venuekit_streams::record::Recording;
use venuekit_streams::replay::Replay;
use venuekit_streams::{Overflow, Topic};
use venuekit_wire::stream::Streams as Table;
use venuekit_wire::stream::{Actions, Channel, Dialect, Message as Kind, Parameter, Recovery, Sequence, Topics};

use common::{COMMANDED, VENUE, in_time, told, until};

static ROW: venuekit_wire::operation::Venue = VENUE;

const fn kind(kind: &'static str, is_snapshot: bool) -> Kind {
    Kind { kind, when: None, is_snapshot, snapshot_when: None }
}

/// Trades, and a book whose changes need a snapshot.
static TABLE: Table = Table {
    venue: "venue",
    endpoints: COMMANDED.endpoints,
    dialect: COMMANDED.dialect,
    keep_alive: COMMANDED.keep_alive,
    limits: COMMANDED.limits,
    query: &[],
    channels: &[
        Channel { messages: &[kind("trade", false)], ..TRADES },
        Channel {
            name: "book",
            id: "book",
            messages: &[kind("snapshot", true), kind("delta", false)],
            recovery: Recovery::Snapshot,
            actions: Actions { add: Some("add"), remove: Some("remove"), snapshot: Some("snapshot") },
            ..TRADES
        },
    ],
};

const TRADES: Channel = Channel {
    name: "trades",
    id: "trades",
    endpoint: "stream",
    parameters: COMMANDED_PARAMETERS,
    items: Some("markets"),
    item: Some("/market"),
    sequence: Sequence::Counter { member: "seq", first: 1 },
    recovery: Recovery::Never,
    ..Channel::EMPTY
};

const COMMANDED_PARAMETERS: &[Parameter] = &[Parameter { name: "markets", is_list: true, ..Parameter::EMPTY }];

/// A recording of one connection.
fn replay(frames: &[String]) -> Replay {
    replay_of(&TABLE, frames)
}

fn replay_of(table: &'static Table, frames: &[String]) -> Replay {
    let mut lines = String::from("{\"format\":1,\"venue\":\"venue\"}\n");
    let mut line = |at: usize, connection: u64, direction: &str, frame: Option<&str>| {
        let at = 1_790_000_000_000_000_000_u64 + at as u64 * 1_000_000;
        let mut value =
            serde_json::json!({"at": at, "endpoint": "stream", "connection": connection, "direction": direction});
        if let Some(frame) = frame {
            value["frame"] = frame.into();
        }
        lines.push_str(&format!("{value}\n"));
    };
    line(0, 1, "opened", None);
    frames.iter().enumerate().for_each(|(at, frame)| line(at, 1, "in", Some(frame)));
    line(frames.len(), 0, "end", None);
    let mut block = zstd::Encoder::new(Vec::new(), 0).unwrap();
    block.write_all(lines.as_bytes()).unwrap();
    let recording = Recording::read(std::io::Cursor::new(block.finish().unwrap())).unwrap();
    Replay::of(recording, table, &ROW).unwrap()
}

fn subscribed(channel: &str, sid: i64) -> String {
    format!(r#"{{"type":"subscribed","id":1,"msg":{{"channel":"{channel}","sid":{sid}}}}}"#)
}

fn message(kind: &str, sid: i64, seq: i64, market: &str) -> String {
    format!(r#"{{"type":"{kind}","sid":{sid},"seq":{seq},"msg":{{"market":"{market}","seq":{seq}}}}}"#)
}

fn topic(channel: usize, markets: &[&str]) -> Topic {
    Topic::new(&TABLE.channels[channel]).list("markets", markets.iter().copied())
}

#[tokio::test]
async fn what_a_reader_adds_and_removes_holds_from_then_on() {
    let trade = |seq: i64, market: &str| message("trade", 1, seq, market);
    let frames = [
        subscribed("trades", 1),
        trade(1, "A"),
        trade(2, "B"),
        trade(3, "A"),
        trade(4, "B"),
        trade(5, "C"),
        trade(6, "B"),
    ];
    let replay = replay(&frames);
    let streams = replay.streams().clone();
    // With room for one message, the recording waits for its reader.
    let blocking = streams.topic(topic(0, &["A"])).capacity(1).overflow(Overflow::Block);
    let mut reader = in_time(blocking.subscribe()).await.unwrap();
    let played = tokio::spawn(replay.run());
    until("the first trade waits", || reader.stats().queued == 1).await;
    reader.add(["B"]).await.unwrap();
    assert_eq!(told(&mut reader).await, r#"message {"market":"A","seq":1}"#);
    until("the next one waits", || reader.stats().queued == 1).await;
    reader.remove(["A"]).await.unwrap();
    assert_eq!(told(&mut reader).await, r#"message {"market":"B","seq":2}"#);
    assert_eq!(told(&mut reader).await, r#"message {"market":"B","seq":4}"#, "neither A, which was removed, nor C");
    assert_eq!(told(&mut reader).await, r#"message {"market":"B","seq":6}"#);
    assert_eq!(told(&mut reader).await, "ended closed");
    in_time(played).await.unwrap().unwrap();
    let stats = streams.stats();
    assert_eq!((stats.messages, stats.gaps), (6, 0), "what the recording has is counted");
}

#[tokio::test]
async fn a_reader_that_was_too_slow_is_certain_again_with_the_next_snapshot() {
    let book = |kind: &str, seq: i64| message(kind, 2, seq, "A");
    let mut frames = vec![subscribed("trades", 1), subscribed("book", 2), book("snapshot", 1)];
    frames.extend((2..8).map(|seq| book("delta", seq)));
    frames.push(message("trade", 1, 1, "A"));
    frames.push(message("trade", 1, 2, "A"));
    frames.extend([book("delta", 8), book("snapshot", 9), book("delta", 10)]);
    let replay = replay(&frames);
    let streams = replay.streams().clone();
    let mut gate =
        in_time(streams.topic(topic(0, &["A"])).capacity(1).overflow(Overflow::Block).subscribe()).await.unwrap();
    let mut slow = in_time(streams.topic(topic(1, &["A"])).capacity(3).subscribe()).await.unwrap();
    let played = tokio::spawn(replay.run());
    until("the recording waits for the other reader", || gate.stats().queued == 1).await;
    assert_eq!(told(&mut slow).await, "Lagged(4)");
    assert_eq!(told(&mut slow).await, "stale the reader was too slow");
    for seq in 5..8 {
        assert_eq!(told(&mut slow).await, format!(r#"message {{"market":"A","seq":{seq}}}"#));
    }
    assert!(told(&mut gate).await.starts_with("message"));
    assert!(told(&mut gate).await.starts_with("message"));
    assert_eq!(
        told(&mut slow).await,
        r#"message {"market":"A","seq":9}"#,
        "a change without its snapshot is of no use"
    );
    assert!(told(&mut slow).await.starts_with("resynced"));
    assert_eq!(told(&mut slow).await, r#"message {"market":"A","seq":10}"#);
    in_time(played).await.unwrap().unwrap();
}

/// Names of topics, some of which differ in case alone. The table says of one channel how its names are written.
static NAMED: Table = Table {
    dialect: Dialect::Topics(Topics { topic: "topic", data: "data", ..Topics::EMPTY }),
    channels: &[
        Channel { name: "{market}@k_{interval}", ..CANDLES },
        Channel { name: "k.{market}.{interval}", id: "k", ..OTHERS },
    ],
    ..TABLE
};

const CANDLES: Channel = Channel {
    id: "candles",
    endpoint: "stream",
    parameters: &[Parameter { is_lower_case: true, ..MARKET }, INTERVAL],
    messages: &[kind("", false)],
    recovery: Recovery::Next,
    ..Channel::EMPTY
};

const OTHERS: Channel = Channel { parameters: &[MARKET, INTERVAL], ..CANDLES };

const MARKET: Parameter = Parameter { name: "market", is_required: true, ..Parameter::EMPTY };

const INTERVAL: Parameter = Parameter { name: "interval", is_required: true, ..Parameter::EMPTY };

fn candle(topic: &str, number: i64) -> String {
    format!(r#"{{"topic":"{topic}","data":{{"of":"{topic}","n":{number}}}}}"#)
}

fn candles(channel: usize, interval: &str) -> Topic {
    Topic::new(&NAMED.channels[channel]).set("market", "A").set("interval", interval)
}

#[tokio::test]
async fn names_that_differ_in_case_alone_are_two() {
    for (channel, names) in [(0, ["a@k_1m", "a@k_1M"]), (1, ["k.A.1m", "k.A.1M"])] {
        let frames: Vec<_> = (1..4).flat_map(|number| names.map(|name| candle(name, number))).collect();
        for intervals in [&["1m"][..], &["1M"], &["1m", "1M"], &["1M", "1m"]] {
            // Where the table does not say how names are written, it is known once one has come.
            if channel == 1 && intervals == ["1M"] {
                continue;
            }
            let replay = replay_of(&NAMED, &frames);
            let mut readers = Vec::new();
            for interval in intervals {
                let reader = in_time(replay.streams().topic(candles(channel, interval)).subscribe()).await.unwrap();
                readers.push((*interval, reader));
            }
            in_time(replay.run()).await.unwrap();
            for (interval, mut reader) in readers {
                let own = names[usize::from(interval == "1M")];
                for number in 1..4 {
                    let expected = format!(r#"message {{"n":{number},"of":"{own}"}}"#);
                    assert_eq!(told(&mut reader).await, expected, "{intervals:?}");
                }
                assert_eq!(told(&mut reader).await, "ended closed", "{intervals:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_name_that_the_venue_writes_otherwise_is_found() {
    let frames = ["k.a.1m", "k.a.1m", "K.A.1M"].map(|name| candle(name, 1));
    let replay = replay_of(&NAMED, &frames);
    let mut reader = in_time(replay.streams().topic(candles(1, "1m")).subscribe()).await.unwrap();
    in_time(replay.run()).await.unwrap();
    assert_eq!(told(&mut reader).await, r#"message {"n":1,"of":"k.a.1m"}"#);
    assert_eq!(told(&mut reader).await, r#"message {"n":1,"of":"k.a.1m"}"#);
    assert_eq!(told(&mut reader).await, "ended closed", "not by a third name");
}

#[tokio::test]
async fn a_snapshot_that_was_dropped_makes_nothing_certain() {
    let book = |kind: &str, seq: i64| message(kind, 2, seq, "A");
    let trade = |seq: i64| message("trade", 1, seq, "A");
    let mut frames = vec![subscribed("trades", 1), subscribed("book", 2), book("snapshot", 1)];
    frames.extend((2..6).map(|seq| book("delta", seq)));
    frames.extend([trade(1), trade(2), book("snapshot", 6)]);
    frames.extend((7..10).map(|seq| book("delta", seq)));
    frames.extend([trade(3), book("delta", 10), book("snapshot", 11), book("delta", 12)]);
    let replay = replay(&frames);
    let streams = replay.streams().clone();
    let mut gate =
        in_time(streams.topic(topic(0, &["A"])).capacity(1).overflow(Overflow::Block).subscribe()).await.unwrap();
    let mut slow = in_time(streams.topic(topic(1, &["A"])).capacity(3).subscribe()).await.unwrap();
    let played = tokio::spawn(replay.run());
    until("the recording waits for the other reader", || gate.stats().queued == 1).await;
    let mut said = Vec::new();
    for _ in 0..5 {
        said.push(told(&mut slow).await);
    }
    let delta = |seq: i64| format!(r#"message {{"market":"A","seq":{seq}}}"#);
    assert_eq!(
        said,
        ["Lagged(2)".to_owned(), "stale the reader was too slow".to_owned(), delta(3), delta(4), delta(5)]
    );
    // The snapshot comes, and is dropped before it is read.
    assert!(told(&mut gate).await.starts_with("message"));
    assert!(told(&mut gate).await.starts_with("message"));
    until("the recording waits again", || gate.stats().queued == 1).await;
    assert_eq!(told(&mut slow).await, "Lagged(1)");
    assert!(told(&mut gate).await.starts_with("message"));
    in_time(played).await.unwrap().unwrap();
    for seq in [7, 8, 9, 11] {
        assert_eq!(
            told(&mut slow).await,
            delta(seq),
            "without a word of certainty, and without a change that needs a snapshot"
        );
    }
    assert!(told(&mut slow).await.starts_with("resynced"));
    assert_eq!(told(&mut slow).await, delta(12));
}
