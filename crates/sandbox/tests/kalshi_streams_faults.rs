//! Kalshi's streams: each fault, what a client sees of it, and what the log says.

mod common;
#[path = "common/kalshi_stream.rs"]
mod kalshi_stream;
#[path = "operations/spec.rs"]
#[allow(dead_code, reason = "operations use the rest")]
mod spec;

use common::trader::{Trader, open_market, traders};
use futures_util::StreamExt as _;
use kalshi_stream::{Book, End, Stream};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use venuekit_sandbox::{Fault, Frame, KalshiSettings, Rule, Sandbox};

/// A connection that hears of a market's book.
struct Scene {
    sandbox: Sandbox,
    trader: Trader,
    ticker: String,
    stream: Stream,
    sid: i64,
}

const DELTA: &str = "orderbook_delta/orderbook_delta";

impl Scene {
    async fn new() -> Self {
        let (sandbox, mut traders) = traders(1).await;
        let trader = traders.remove(0);
        let ticker = open_market(&trader).await["ticker"].as_str().unwrap().to_owned();
        let mut stream = Stream::connect(&sandbox, &trader).await;
        let params = json!({"market_tickers": [ticker], "use_yes_price": true});
        let sid = stream.subscribe("orderbook_delta", params).await;
        assert_eq!(stream.next().await["type"], "orderbook_snapshot");
        Self { sandbox, trader, ticker, stream, sid }
    }

    fn set(&self, rule: Rule) {
        self.sandbox.faults().set(vec![rule]);
    }

    /// Makes a change of the book, each time of another level.
    async fn change(&self, cents: u32) {
        self.trader.order(&self.ticker, "bid", &format!("0.{cents}00"), "1.00").await;
    }

    async fn changes(&self, cents: std::ops::Range<u32>) {
        for cents in cents {
            self.change(cents).await;
        }
    }

    /// The numbers of frames as they come, without a check.
    async fn numbers(&mut self, count: usize) -> Vec<i64> {
        let mut numbers = Vec::new();
        while numbers.len() < count {
            let frame = self.stream.receive().await.unwrap();
            numbers.extend(frame["seq"].as_i64());
        }
        numbers
    }

    fn logged(&self) -> Vec<Frame> {
        self.sandbox.frames().all()
    }
}

#[tokio::test]
async fn a_frame_is_dropped_and_its_number_is_missing() {
    let mut scene = Scene::new().await;
    scene.set(Rule::new(Fault::Drop).at("kalshi").on(DELTA).skip(1).times(1));
    scene.changes(30..33).await;
    assert_eq!(scene.numbers(2).await, [2, 4]);
    let withheld: Vec<Frame> = scene.logged().into_iter().filter(|frame| !frame.sent).collect();
    assert_eq!((withheld.len(), withheld[0].sequence, &withheld[0].fault), (1, Some(3), &Some(Fault::Drop)));
    assert_eq!(withheld[0].item.as_deref(), Some(scene.ticker.as_str()));
    assert_eq!(scene.sandbox.faults().strikes(), [1]);
}

#[tokio::test]
async fn frames_come_twice_or_in_another_order() {
    let mut scene = Scene::new().await;
    scene.set(Rule::new(Fault::Duplicate).on(DELTA).times(1));
    scene.changes(30..32).await;
    assert_eq!(scene.numbers(3).await, [2, 2, 3]);
    scene.set(Rule::new(Fault::Reorder).on(DELTA).times(1));
    scene.changes(32..34).await;
    assert_eq!(scene.numbers(2).await, [5, 4]);
    let sent: Vec<_> =
        scene.logged().iter().filter(|frame| frame.kind == "orderbook_delta").map(|one| one.sequence).collect();
    assert_eq!(sent, [2, 2, 3, 5, 4].map(Some));
}

#[tokio::test]
async fn numbers_are_left_out_or_begin_again() {
    let mut scene = Scene::new().await;
    scene.set(Rule::new(Fault::Gap { by: 3 }).on(DELTA).times(1));
    scene.changes(30..32).await;
    assert_eq!(scene.numbers(2).await, [5, 6]);
    scene.set(Rule::new(Fault::Restart).on(DELTA).times(1));
    scene.changes(32..34).await;
    assert_eq!(scene.numbers(2).await, [1, 2]);
}

#[tokio::test]
async fn a_connection_ends_with_a_word_without_one_or_in_the_middle() {
    let closed = End::Closed(1001, "going away".to_owned());
    for (fault, end) in [
        (Fault::Close { code: 1001, reason: "going away".to_owned() }, closed),
        (Fault::DropBefore, End::Lost),
        (Fault::CloseMidAnswer, End::Lost),
    ] {
        let mut scene = Scene::new().await;
        scene.set(Rule::new(fault.clone()).on(DELTA).skip(1));
        scene.changes(30..33).await;
        assert_eq!(scene.stream.receive().await.unwrap()["seq"], 2);
        assert_eq!(scene.stream.receive().await, Err(end), "{fault:?}");
        while scene.sandbox.websocket_connections() > 0 {
            tokio::task::yield_now().await;
        }
        let withheld = scene.logged().iter().filter(|frame| !frame.sent).count();
        assert!(withheld >= 1, "what waited behind it is withheld too");
        scene.sandbox.faults().clear();
        let mut again = Stream::connect(&scene.sandbox, &scene.trader).await;
        let sid = again.subscribe("orderbook_delta", json!({"market_tickers": [scene.ticker]})).await;
        assert_eq!((sid, &again.next().await["seq"]), (1, &json!(1)), "numbers begin again");
    }
}

#[tokio::test]
async fn a_connection_stalls_and_goes_on() {
    let mut scene = Scene::new().await;
    scene.set(Rule::new(Fault::Stall { ms: 100 }).on(DELTA).times(1));
    scene.changes(30..32).await;
    assert_eq!(scene.numbers(2).await, [2, 3]);
    // Longer than the second change takes on a busy machine.
    scene.set(Rule::new(Fault::Delay { ms: 2000 }).on(DELTA).times(1));
    scene.changes(32..34).await;
    assert_eq!(scene.numbers(2).await, [5, 4], "others overtake one that is late");
}

#[tokio::test]
async fn a_subscription_fails_and_the_connection_lives() {
    for (fault, code) in [(Fault::error(10), 10), (Fault::error(25), 25), (Fault::SlowReader, 25)] {
        let mut scene = Scene::new().await;
        scene.set(Rule::new(fault).on(DELTA).times(1));
        scene.changes(30..33).await;
        let error = scene.stream.receive().await.unwrap();
        assert_eq!(
            (&error["type"], &error["sid"], &error["msg"]["code"]),
            (&json!("error"), &json!(scene.sid), &json!(code))
        );
        assert!(error.get("id").is_none());
        assert_eq!(scene.stream.rest().await, [] as [Value; 0], "it is over");
        assert_eq!(scene.stream.refused("unsubscribe", json!({"sids": [scene.sid]})).await, 7);
        let again = scene.stream.subscribe("orderbook_delta", json!({"market_tickers": [scene.ticker]})).await;
        assert_eq!(again, scene.sid + 1);
    }
    let mut scene = Scene::new().await;
    scene.set(Rule::new(Fault::error(18)).on(DELTA).times(1));
    scene.changes(30..32).await;
    assert_eq!(scene.stream.receive().await.unwrap()["msg"]["code"], 18);
    assert_eq!(scene.numbers(1).await, [3], "another error costs one frame");
}

#[tokio::test]
async fn a_reader_that_is_too_slow_loses_its_subscription_alone() {
    let mut scene = Scene::new().await;
    scene.sandbox.set_kalshi_settings(KalshiSettings { waiting_frames: 8, ..scene.sandbox.kalshi_settings() });
    let mut slow = Stream::connect(&scene.sandbox, &scene.trader).await;
    slow.subscribe("orderbook_delta", json!({"market_tickers": [scene.ticker]})).await;
    slow.subscribe("trade", json!({})).await;
    // More than the system takes for somebody who does not read.
    let text = "x".repeat(100_000);
    let lines = json!({"market_ticker": scene.ticker, "text": text});
    for _ in 0..200 {
        scene.sandbox.kalshi_notify("orderbook_delta", "big", &lines);
    }
    let mut last = Value::Null;
    let mut count = 0;
    while last["type"] != "error" {
        last = slow.receive().await.unwrap();
        count += 1;
    }
    assert_eq!((&last["sid"], &last["msg"]["code"]), (&json!(1), &json!(25)));
    assert!(count < 200, "what waited was not sent");
    assert_eq!(slow.call("list_subscriptions", Value::Null).await["msg"], json!([{"channel": "trade", "sid": 2}]));
    let mut others = 0;
    while others < 200 {
        others += usize::from(scene.stream.receive().await.unwrap()["type"] == "big");
    }
    let withheld = scene.logged().iter().filter(|frame| !frame.sent).count();
    assert!(withheld > 0 && withheld + count >= 8);
}

#[tokio::test]
async fn what_comes_is_not_what_was_expected() {
    let mut scene = Scene::new().await;
    scene.set(Rule::new(Fault::UnknownType).on(DELTA).times(1));
    scene.change(30).await;
    let unknown = scene.stream.receive().await.unwrap();
    assert_eq!(
        (&unknown["type"], &unknown["sid"], &unknown["seq"]),
        (&json!("sandbox_unknown"), &json!(scene.sid), &json!(2))
    );
    assert_eq!(scene.stream.receive().await.unwrap()["seq"], 3);
    for (fault, at, value) in [
        (Fault::set_to("/msg/side", "maybe"), "/msg/side", json!("maybe")),
        (Fault::set_to("/msg/new_member", 7), "/msg/new_member", json!(7)),
        (Fault::set_to("/type", "orderbook_delta_v3"), "/type", json!("orderbook_delta_v3")),
        (Fault::set_to("/msg/clock", Value::Null), "/msg/clock", Value::Null),
    ] {
        scene.set(Rule::new(fault).on(DELTA).times(1));
        scene.change(31).await;
        let frame = scene.stream.receive().await.unwrap();
        assert_eq!(frame.pointer(at), Some(&value));
    }
    scene.set(Rule::new(Fault::set_to("/msg/delta_fp", "-1000000.00")).on(DELTA).times(1));
    scene.change(31).await;
    let mut book = Book::default();
    book.apply(&scene.stream.receive().await.unwrap());
    assert!(!book.agrees(&scene.sandbox.kalshi_book(&scene.ticker, None).unwrap()), "the level is below zero");
    let logged = scene.logged();
    assert!(logged.last().unwrap().text.contains("-1000000.00"), "the log has what went out");
}

#[tokio::test]
async fn a_frame_comes_in_parts_in_company_or_with_a_ping() {
    let mut scene = Scene::new().await;
    scene.set(Rule::new(Fault::Split { parts: 4 }).on(DELTA).times(1));
    scene.change(30).await;
    assert_eq!(scene.numbers(1).await, [2]);
    scene.set(Rule::new(Fault::Several { count: 3 }).on(DELTA).times(1));
    scene.changes(31..34).await;
    let Some(Ok(Message::Text(text))) = scene.stream.socket.next().await else { panic!("no frame") };
    let numbers: Vec<_> =
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["seq"].clone()).collect();
    assert_eq!(numbers, [3, 4, 5]);
    scene.set(Rule::new(Fault::Ping).on(DELTA).times(1));
    scene.changes(34..36).await;
    assert_eq!(scene.numbers(2).await, [6, 7]);
    assert_eq!(scene.stream.pings, ["behind"]);
}

#[tokio::test]
async fn a_channel_is_refused_and_commands_go_unanswered() {
    let mut scene = Scene::new().await;
    scene.set(Rule::new(Fault::error(9)).on("subscribe/trade").times(1));
    let id = scene.stream.send("subscribe", json!({"channels": ["trade", "ticker"]})).await;
    let replies = [scene.stream.next().await, scene.stream.next().await];
    assert_eq!((&replies[0]["id"], &replies[0]["msg"]["code"]), (&json!(id), &json!(9)));
    assert_eq!(replies[1]["msg"]["channel"], "ticker");
    let listed = scene.stream.call("list_subscriptions", Value::Null).await;
    assert_eq!(listed["msg"].as_array().unwrap().len(), 2);
    for fault in [Fault::LeaveOut, Fault::SilenceBefore] {
        scene.set(Rule::new(fault).on("subscribe").times(1));
        scene.stream.send("subscribe", json!({"channels": ["trade"]})).await;
        assert_eq!(scene.stream.rest().await, [] as [Value; 0]);
    }
    scene.set(Rule::new(Fault::error(18)).on("get_snapshot/orderbook_delta").times(1));
    let snapshot = json!({"sid": scene.sid, "action": "get_snapshot", "market_tickers": [scene.ticker]});
    assert_eq!(scene.stream.refused("update_subscription", snapshot.clone()).await, 18);
    assert_eq!(scene.stream.call("update_subscription", snapshot).await["type"], "orderbook_snapshot");
    scene.set(Rule::new(Fault::DropBefore).on("unsubscribe"));
    scene.stream.send("unsubscribe", json!({"sids": [scene.sid]})).await;
    assert_eq!(scene.stream.receive().await, Err(End::Lost));
}

#[tokio::test]
async fn a_reply_waits_until_data_has_gone() {
    let scene = Scene::new().await;
    let mut stream = Stream::connect(&scene.sandbox, &scene.trader).await;
    scene.set(Rule::new(Fault::Reorder).on("subscribed/orderbook_delta").times(1));
    let id = stream.send("subscribe", json!({"channels": ["orderbook_delta"], "market_tickers": [scene.ticker]})).await;
    let first = stream.receive().await.unwrap();
    assert_eq!((&first["type"], &first["sid"], &first["seq"]), (&json!("orderbook_snapshot"), &json!(1), &json!(1)));
    let second = stream.receive().await.unwrap();
    assert_eq!((&second["type"], &second["id"]), (&json!("subscribed"), &json!(id)));
}

#[tokio::test]
async fn rules_for_calls_leave_frames_alone() {
    let mut scene = Scene::new().await;
    scene.set(Rule::new(Fault::Delay { ms: 1 }));
    scene.changes(30..32).await;
    assert_eq!(scene.numbers(2).await, [2, 3]);
    assert_eq!(scene.sandbox.faults().strikes(), [2], "two calls");
}
