//! Binance: books of changes that follow a snapshot by a call, names in lower case, connections that the venue announces to close.

use std::time::Duration;

use rust_decimal::Decimal;
use serde_json::json;
use venuekit::binance::{Client, Environment};
use venuekit::books::{Book, BookMessage, Level, Side};
use venuekit::streams::record::Recorder;
use venuekit::streams::replay::Replay;
use venuekit::streams::{
    Event, LiveBook, Missed, Origin, Overflow, Reason, StreamMessage, StreamOptions, Streams, Subscribe, Subscription,
    Topic,
};
use venuekit::transport::Connect;
use venuekit_sandbox::{Fault, Rule, Sandbox, Transport};

use crate::desk::{exact, in_time};

const SYMBOL: &str = "BTCUSDT";

fn client(sandbox: &Sandbox) -> Client {
    Client::builder(Environment::Custom(sandbox.binance_url())).build().unwrap()
}

/// Rests a bid far below the best one.
fn quote(sandbox: &Sandbox, number: i64) {
    assert!(sandbox.binance_quote(SYMBOL, true, Decimal::from(20_000 + number), exact("0.01")));
}

/// Waits until a book that says it is right has this bid, and is the sandbox's book of the same number. Returns what became uncertain.
async fn has<T: StreamMessage + BookMessage>(sandbox: &Sandbox, book: &mut LiveBook<T>, number: i64) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let price = Decimal::from(20_000 + number);
    in_time("the book has the bid", async {
        loop {
            if let Some(view) = book.live(SYMBOL)
                && view.at(Side::Bid, price) == Some(exact("0.01"))
            {
                let venue = sandbox.binance_book(SYMBOL, view.mark()).expect("the sandbox was there");
                let bids: Vec<_> = view.bids().map(|level| (level.price, level.size)).collect();
                let asks: Vec<_> = view.asks().map(|level| (level.price, level.size)).collect();
                assert_eq!((bids, asks), (venue.bids, venue.asks), "{:?}", view.mark());
                return;
            }
            match book.next().await {
                Some(Event::Stale(stale)) => reasons.push(stale.reason),
                Some(Event::Ended(ended)) => panic!("{ended}"),
                Some(_) => {}
                None => panic!("it ended"),
            }
        }
    })
    .await;
    reasons
}

#[tokio::test]
async fn a_book_begins_with_a_call_and_a_gap_brings_another_one() {
    let sandbox = Sandbox::start(Default::default()).await.unwrap();
    let client = client(&sandbox);
    let subscribe = client.streams().depth_fast(SYMBOL).book().subscribe();
    let mut book = in_time("subscribed", subscribe).await.unwrap();
    quote(&sandbox, 1);
    assert_eq!(has(&sandbox, &mut book, 1).await, []);
    quote(&sandbox, 2);
    assert_eq!(has(&sandbox, &mut book, 2).await, []);
    sandbox.faults().set(vec![Rule::new(Fault::Drop).over(Transport::Stream).on("data").at("binance").times(1)]);
    // The first change is lost, which the next one shows.
    quote(&sandbox, 3);
    crate::desk::until("the change is lost", || sandbox.faults().strikes() == [1]).await;
    quote(&sandbox, 4);
    let mut reasons = has(&sandbox, &mut book, 4).await;
    // The book may be right again before its events are read.
    while let Ok(Some(event)) = tokio::time::timeout(Duration::from_millis(300), book.next()).await {
        if let Event::Stale(stale) = event {
            reasons.push(stale.reason);
        }
    }
    assert!(matches!(reasons[..], [Reason::Gap { .. }]), "{reasons:?}");
    let stats = client.streams().shared().stats();
    assert_eq!((stats.gaps, stats.lost, stats.book_faults), (1, 0, 0), "{stats:?}");
}

async fn message<T: StreamMessage>(reader: &mut Subscription<T>) -> venuekit::streams::Message<T> {
    in_time("a message comes", async {
        loop {
            match reader.next().await {
                Some(Event::Message(message)) => return message,
                Some(Event::Ended(ended)) => panic!("{ended}"),
                Some(_) => {}
                None => panic!("it ended"),
            }
        }
    })
    .await
}

#[tokio::test]
async fn members_that_differ_only_in_case_are_distinct() {
    let sandbox = Sandbox::start(Default::default()).await.unwrap();
    let client = client(&sandbox);
    let mut tickers = in_time("subscribed", client.streams().book_ticker(SYMBOL).subscribe()).await.unwrap();
    let ticker = json!({"u": 7, "s": SYMBOL, "b": "1.5", "B": "2", "a": "1.6", "A": "3"});
    assert_eq!(sandbox.binance_notify("btcusdt@bookTicker", &ticker), 1);
    let ticker = message(&mut tickers).await;
    let number = |text: &str| text.parse::<Decimal>().unwrap();
    assert_eq!(ticker.bid_price.as_ref().map(|price| price.get()), Some(number("1.5")));
    assert_eq!(ticker.bid_quantity.as_ref().map(|size| size.get()), Some(number("2")));
    assert_eq!(ticker.ask_quantity.as_ref().map(|size| size.get()), Some(number("3")));
    // `1m` is a minute, `1M` a month.
    let klines = async |interval: &str| {
        let interval: venuekit::binance::types::StreamKlineInterval = interval.parse().unwrap();
        in_time("subscribed", client.streams().klines(SYMBOL, interval).subscribe()).await.unwrap()
    };
    let (mut minute, mut month) = (klines("1m").await, klines("1M").await);
    let kline = |interval: &str, trades: i64| json!({"e": "kline", "s": SYMBOL, "k": {"t": 1, "i": interval, "x": false, "n": trades}});
    assert_eq!(sandbox.binance_notify("btcusdt@kline_1M", &kline("1M", 30)), 1);
    assert_eq!(sandbox.binance_notify("btcusdt@kline_1m", &kline("1m", 1)), 1);
    for (reader, interval) in [(&mut minute, "1m"), (&mut month, "1M")] {
        assert_eq!(message(reader).await.kline.interval, interval);
    }
}

#[tokio::test]
async fn times_are_in_the_unit_that_was_asked_for() {
    let sandbox = Sandbox::start(Default::default()).await.unwrap();
    let client = client(&sandbox);
    let micros = client.streams().shared().with(StreamOptions::new().query("timeUnit", "MICROSECOND"));
    let table = micros.table();
    let topic = Topic::parse(table, "trades", [("symbol", SYMBOL)]).unwrap();
    let mut in_micros = in_time("subscribed", micros.topic(topic.clone()).subscribe()).await.unwrap();
    let mut in_millis = in_time("subscribed", client.streams().trades(SYMBOL).subscribe()).await.unwrap();
    // What the venue itself sells below the best bid trades.
    assert!(sandbox.binance_quote(SYMBOL, false, Decimal::ONE, exact("0.001")));
    let trade = message(&mut in_millis).await;
    assert!(!trade.event_time.unwrap().is_micros() && trade.origin == Origin::Stream);
    assert_eq!(trade.sent, Some(trade.event_time.unwrap().millis()));
    let trade = message(&mut in_micros).await;
    let value: serde_json::Value = serde_json::from_slice(&trade.raw.clone()).unwrap();
    let time = value["data"]["E"].as_i64().unwrap();
    assert!(time > 1_000_000_000_000_000, "{time}");
    assert_eq!(trade.sent.map(|sent| sent.get()), Some(time / 1000));
    // Another unit is no unit.
    let wrong = client.streams().shared().with(StreamOptions::new().query("timeUnit", "DAY"));
    let refused = in_time("refused", wrong.topic(topic).subscribe()).await.map(drop).unwrap_err().to_string();
    assert!(refused.contains("timeUnit") && refused.contains("MICROSECOND"), "{refused}");
}

#[tokio::test]
async fn a_connection_that_the_venue_is_going_to_close_is_replaced_before() {
    let sandbox = Sandbox::start(Default::default()).await.unwrap();
    let client = client(&sandbox);
    let mut book = in_time("subscribed", client.streams().depth_fast(SYMBOL).book().subscribe()).await.unwrap();
    quote(&sandbox, 1);
    has(&sandbox, &mut book, 1).await;
    assert_eq!(sandbox.binance_shutdown(), 1);
    for number in 2..8 {
        quote(&sandbox, number);
        assert_eq!(has(&sandbox, &mut book, number).await, [], "nothing becomes uncertain");
    }
    crate::desk::until("the old connection is closed", || client.streams().shared().stats().replaced == 1).await;
    quote(&sandbox, 9);
    assert_eq!(has(&sandbox, &mut book, 9).await, []);
    let stats = client.streams().shared().stats();
    assert_eq!((stats.connections, stats.opened, stats.lost, stats.gaps), (1, 2, 0, 0), "{stats:?}");
}

#[tokio::test]
async fn trades_that_were_missed_are_listed_by_their_ids() {
    let sandbox = Sandbox::start(Default::default()).await.unwrap();
    let client = client(&sandbox);
    let mut trades = in_time("subscribed", client.streams().trades(SYMBOL).subscribe()).await.unwrap();
    let sell = || assert!(sandbox.binance_quote(SYMBOL, false, Decimal::ONE, exact("0.001")));
    sell();
    let first = message(&mut trades).await.trade_id;
    sandbox.faults().set(vec![Rule::new(Fault::Drop).over(Transport::Stream).on("data").at("binance").times(2)]);
    (0..3).for_each(|_| sell());
    let mut got = Vec::new();
    let resynced = in_time("the missing trades come", async {
        loop {
            match trades.next().await {
                Some(Event::Message(trade)) => got.push((trade.trade_id - first, trade.origin, trade.symbol.clone())),
                Some(Event::Resynced(resynced)) => return resynced,
                Some(Event::Ended(ended)) => panic!("{ended}"),
                Some(_) => {}
                None => panic!("it ended"),
            }
        }
    })
    .await;
    assert_eq!((resynced.missed, resynced.caught_up), (Missed::None, 2));
    let expected = [(1, Origin::CatchUp), (2, Origin::CatchUp), (3, Origin::Stream)];
    assert_eq!(got, expected.map(|(id, origin)| (id, origin, SYMBOL.to_owned())));
}

#[tokio::test]
async fn a_recorded_book_is_replayed_with_the_snapshot_that_came_by_a_call() {
    let path = std::env::temp_dir().join(format!("venuekit-binance-{}.zst", std::process::id()));
    let sandbox = Sandbox::start(Default::default()).await.unwrap();
    let recorder = Recorder::create(&path, "binance").unwrap();
    let streams = client(&sandbox).streams().shared().with(StreamOptions::new().record(&recorder));
    let subscribe = client(&sandbox).streams().depth_fast(SYMBOL);
    let topic = subscribe.topic().clone();
    let mut book = in_time("subscribed", of(&subscribe, &streams, &topic).book().subscribe()).await.unwrap();
    in_time("a book that does not change has its snapshot", async {
        while book.live(SYMBOL).is_none() {
            book.next().await.unwrap();
        }
    })
    .await;
    for number in 1..4 {
        quote(&sandbox, number);
        assert_eq!(has(&sandbox, &mut book, number).await, []);
    }
    // A gap, after which another snapshot comes.
    sandbox.faults().set(vec![Rule::new(Fault::Drop).over(Transport::Stream).on("data").at("binance").times(1)]);
    quote(&sandbox, 4);
    crate::desk::until("the change is lost", || sandbox.faults().strikes() == [1]).await;
    quote(&sandbox, 5);
    has(&sandbox, &mut book, 5).await;
    let live = levels(&book.live(SYMBOL).unwrap());
    drop(book);
    in_time("closed", streams.close()).await;
    recorder.finish().unwrap();

    let replay = Replay::open(&path, streams.table(), <Client as Connect>::VENUE).unwrap();
    let replayed = of(&subscribe, replay.streams(), &topic).overflow(Overflow::Block);
    let mut changes = in_time("subscribed", replayed.subscribe()).await.unwrap();
    let played = tokio::spawn(replay.run());
    let (last, reasons) = in_time("the recording is played", replayed_book(&mut changes)).await;
    in_time("ended", played).await.unwrap().unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(last, Some(live), "the replayed book is certain, and the one of then");
    // The recording ends with the end of the connection.
    assert!(matches!(reasons[..], [Reason::Gap { .. }, Reason::Reconnect(_)]), "{reasons:?}");
}

#[tokio::test]
async fn a_recording_goes_on_where_a_connection_was_replaced() {
    let path = std::env::temp_dir().join(format!("venuekit-binance-replaced-{}.zst", std::process::id()));
    let sandbox = Sandbox::start(Default::default()).await.unwrap();
    let recorder = Recorder::create(&path, "binance").unwrap();
    let streams = client(&sandbox).streams().shared().with(StreamOptions::new().record(&recorder));
    let (depth, trades) = (client(&sandbox).streams().depth_fast(SYMBOL), client(&sandbox).streams().trades(SYMBOL));
    let (depth_topic, trades_topic) = (depth.topic().clone(), trades.topic().clone());
    let mut book = in_time("subscribed", of(&depth, &streams, &depth_topic).book().subscribe()).await.unwrap();
    let mut sold = in_time("subscribed", of(&trades, &streams, &trades_topic).subscribe()).await.unwrap();
    let mut ids = Vec::new();
    for number in 1..8 {
        if number == 3 {
            assert_eq!(sandbox.binance_shutdown(), 1);
        }
        if number == 6 {
            crate::desk::until("the old connection is closed", || streams.stats().replaced == 1).await;
        }
        assert!(sandbox.binance_quote(SYMBOL, false, Decimal::ONE, exact("0.001")));
        ids.push(message(&mut sold).await.trade_id);
        quote(&sandbox, number);
        assert_eq!(has(&sandbox, &mut book, number).await, []);
    }
    let live = levels(&book.live(SYMBOL).unwrap());
    drop((book, sold));
    in_time("closed", streams.close()).await;
    recorder.finish().unwrap();

    let replay = Replay::open(&path, streams.table(), <Client as Connect>::VENUE).unwrap();
    let changes = of(&depth, replay.streams(), &depth_topic).overflow(Overflow::Block).subscribe();
    let mut changes = in_time("subscribed", changes).await.unwrap();
    let sold = of(&trades, replay.streams(), &trades_topic).overflow(Overflow::Block).subscribe();
    let mut sold = in_time("subscribed", sold).await.unwrap();
    let played = tokio::spawn(replay.run());
    let sold = async {
        let mut ids = Vec::new();
        while let Some(event) = sold.next().await {
            match event {
                Event::Message(trade) => ids.push(trade.trade_id),
                Event::Ended(_) => break,
                _ => {}
            }
        }
        ids
    };
    let both = async { tokio::join!(replayed_book(&mut changes), sold) };
    let ((last, reasons), replayed_ids) = in_time("the recording is played", both).await;
    in_time("ended", played).await.unwrap().unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(last, Some(live), "the book of then");
    assert_eq!(replayed_ids, ids, "each trade once");
    // Nothing but the end of the last connection.
    assert!(matches!(reasons[..], [Reason::Reconnect(_)]), "{reasons:?}");
}

/// A book of a recording: as it was when it was certain last, and what made it uncertain.
async fn replayed_book<T: StreamMessage + BookMessage>(
    changes: &mut Subscription<T>,
) -> (Option<(Option<i64>, Levels, Levels)>, Vec<Reason>) {
    let (mut book, mut is_certain, mut last, mut reasons) = (Book::new(), true, None, Vec::new());
    while let Some(event) = changes.next().await {
        match event {
            Event::Message(message) => book.apply(&message.value).unwrap(),
            Event::Stale(stale) => {
                is_certain = false;
                reasons.push(stale.reason);
            }
            Event::Resynced(_) => is_certain = true,
            Event::Ended(_) => break,
            _ => {}
        }
        if is_certain {
            last = Some(levels(&book));
        }
    }
    (last, reasons)
}

/// Prices and sizes.
type Levels = Vec<(Decimal, Decimal)>;

/// A book as numbers: its mark, bids and asks.
fn levels(book: &Book) -> (Option<i64>, Levels, Levels) {
    let levels = |level: Level| (level.price, level.size);
    (book.mark(), book.bids().map(levels).collect(), book.asks().map(levels).collect())
}

/// The same subscription of other streams.
fn of<T: StreamMessage>(_: &Subscribe<T>, streams: &Streams, topic: &Topic) -> Subscribe<T> {
    Subscribe::new(streams.clone(), topic.clone())
}
