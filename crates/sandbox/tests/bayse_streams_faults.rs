//! What goes wrong on purpose with Bayse's streams, and what the log of frames says of it.

mod common;
#[path = "common/lines.rs"]
mod lines;

use lines::{End, Stream, events, quiet_sandbox, sandbox, text};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Error;
use venuekit_sandbox::{BayseStreamSettings, Fault, Rule, Sandbox, Transport};

/// Somebody who hears the prices of an event, and the room.
async fn hearer(sandbox: &Sandbox) -> (Stream, String) {
    let event = events(sandbox, "CLOB").await.remove(0);
    let mut stream = Stream::connect(sandbox, "markets").await;
    let message = json!({"type": "subscribe", "channel": "prices", "eventId": event["id"]});
    let room = stream.subscribe(message, 1).await.remove(0);
    (stream, room)
}

/// Somebody who hears prices, each message in a frame of its own, the first of which meets a fault.
async fn with(fault: Fault) -> (Sandbox, Stream, String) {
    let sandbox = quiet_sandbox().await;
    let settings = BayseStreamSettings { joins_messages: false, ..sandbox.bayse_stream_settings() };
    sandbox.set_bayse_stream_settings(settings);
    let (stream, room) = hearer(&sandbox).await;
    sandbox.faults().set(vec![Rule::new(fault).at("bayse").on("prices/price_update").times(1)]);
    (sandbox, stream, room)
}

fn tell(sandbox: &Sandbox, room: &str, numbers: std::ops::Range<i64>) {
    for number in numbers {
        assert_eq!(sandbox.bayse_notify(room, "price_update", &json!({"number": number})), 1);
    }
}

async fn numbers(stream: &mut Stream, count: usize) -> Vec<i64> {
    let mut numbers = Vec::new();
    while numbers.len() < count {
        numbers.push(stream.next_of("price_update").await["data"]["number"].as_i64().unwrap());
    }
    numbers
}

/// What the log says of the messages of data: number, whether it was sent, and whether anything went wrong with it.
fn logged(sandbox: &Sandbox) -> Vec<(i64, bool, bool)> {
    let frames = sandbox.frames().all().into_iter().filter(|frame| frame.kind == "price_update");
    frames
        .map(|frame| {
            let message: Value = serde_json::from_str(&frame.text).unwrap();
            (message["data"]["number"].as_i64().unwrap(), frame.sent, frame.fault.is_some())
        })
        .collect()
}

#[tokio::test]
async fn messages_are_lost_repeated_or_change_places() {
    for (fault, expected, log) in [
        (Fault::Drop, vec![1, 2], vec![(0, false, true), (1, true, false), (2, true, false)]),
        (
            Fault::Duplicate,
            vec![0, 0, 1, 2],
            vec![(0, true, true), (0, true, true), (1, true, false), (2, true, false)],
        ),
        (Fault::Reorder, vec![1, 0, 2], vec![(1, true, false), (0, true, true), (2, true, false)]),
    ] {
        let (sandbox, mut stream, room) = with(fault.clone()).await;
        tell(&sandbox, &room, 0..3);
        assert_eq!(numbers(&mut stream, expected.len()).await, expected, "{fault:?}");
        assert!(stream.is_quiet(json!({"type": "ping"})).await);
        assert_eq!(logged(&sandbox), log, "{fault:?}");
        assert_eq!(sandbox.faults().strikes(), [1]);
    }
}

#[tokio::test]
async fn a_connection_ends_in_several_ways() {
    for (fault, expected) in [
        (Fault::DropBefore, End::Lost),
        (Fault::CloseMidAnswer, End::Lost),
        (Fault::SlowReader, End::Lost),
        (Fault::Close { code: 1001, reason: "away".to_owned() }, End::Closed(1001)),
    ] {
        let (sandbox, mut stream, room) = with(fault.clone()).await;
        tell(&sandbox, &room, 0..1);
        let end = loop {
            if let Err(end) = stream.try_next().await {
                break end;
            }
        };
        assert_eq!((end, sandbox.websocket_connections()), (expected, 0), "{fault:?}");
        assert!(logged(&sandbox).iter().all(|(_, _, is_faulty)| *is_faulty), "{fault:?}");
    }
}

#[tokio::test]
async fn messages_come_late_or_in_another_form() {
    let (sandbox, mut stream, room) = with(Fault::Stall { ms: 20 }).await;
    tell(&sandbox, &room, 0..2);
    assert_eq!(numbers(&mut stream, 2).await, [0, 1]);

    let (sandbox, mut stream, room) = with(Fault::Delay { ms: 500 }).await;
    tell(&sandbox, &room, 0..2);
    assert_eq!(numbers(&mut stream, 2).await, [1, 0]);

    let (sandbox, mut stream, room) = with(Fault::Several { count: 3 }).await;
    tell(&sandbox, &room, 0..3);
    assert_eq!(numbers(&mut stream, 3).await, [0, 1, 2]);
    assert_eq!(stream.frames.last(), Some(&3));

    let (sandbox, mut stream, room) = with(Fault::UnknownType).await;
    tell(&sandbox, &room, 0..1);
    let unknown = stream.next().await;
    assert!(!["price_update", "error"].contains(&text(&unknown, "/type")), "{unknown}");
    assert_eq!(numbers(&mut stream, 1).await, [0]);

    for (at, to) in
        [("/data/sky", json!("clear")), ("/data/number", json!(7)), ("/type", json!("other")), ("/data", json!(null))]
    {
        let (sandbox, mut stream, room) = with(Fault::set_to(at, to.clone())).await;
        tell(&sandbox, &room, 0..1);
        let told = stream.next().await;
        assert_eq!(told.pointer(at), Some(&to), "{told}");
    }

    let (sandbox, mut stream, room) = with(Fault::Error { code: 0, text: Some("Service degraded".to_owned()) }).await;
    tell(&sandbox, &room, 0..1);
    assert_eq!(stream.next().await["data"]["message"], "Service degraded");
}

#[tokio::test]
async fn numbers_are_written_in_exponent_form() {
    let sandbox = sandbox().await;
    let event = events(&sandbox, "CLOB").await.remove(0);
    let ids = json!({"type": "subscribe", "channel": "orderbook", "marketIds": [event["markets"][0]["id"]]});
    let mut stream = Stream::connect(&sandbox, "markets").await;
    sandbox.faults().set(vec![Rule::new(Fault::Exponents).on("orderbook/orderbook_update").times(1)]);
    stream.subscribe(ids, 1).await;
    let (first, second) = (stream.next().await, stream.next().await);
    let price = |message: &Value| message["data"]["orderbook"]["asks"][0]["price"].as_f64();
    assert_eq!((price(&first), price(&second)), (Some(0.97), Some(0.97)), "the same values");
    let texts: Vec<String> = sandbox
        .frames()
        .all()
        .into_iter()
        .filter(|frame| frame.kind == "orderbook_update")
        .map(|frame| frame.text)
        .collect();
    assert!(texts[0].contains("\"price\":3e-2") && texts[1].contains("\"price\":0.03"), "{texts:?}");
}

#[tokio::test]
async fn commands_are_refused_passed_over_or_not_answered() {
    let sandbox = quiet_sandbox().await;
    let event = events(&sandbox, "CLOB").await.remove(0);
    let subscribe = json!({"type": "subscribe", "channel": "prices", "eventId": event["id"]});
    let mut stream = Stream::connect(&sandbox, "markets").await;
    let refused = Fault::Error { code: 0, text: Some("No capacity".to_owned()) };
    for (fault, operation, answer) in [
        (refused.clone(), "subscribe", Some("No capacity")),
        (refused, "subscribe/prices", Some("No capacity")),
        (Fault::LeaveOut, "subscribe/prices", None),
        (Fault::SilenceBefore, "subscribe", None),
        (Fault::Drop, "subscribed/prices", None),
    ] {
        sandbox.faults().set(vec![Rule::new(fault.clone()).on(operation).over(Transport::Stream).times(1)]);
        stream.say(subscribe.clone()).await;
        stream.say(json!({"type": "ping"})).await;
        let next = stream.next().await;
        match answer {
            Some(message) => {
                assert_eq!(next["data"]["message"], message);
                assert_eq!(stream.next().await["type"], "pong");
            }
            None => assert_eq!(next["type"], "pong", "{fault:?}"),
        }
        assert_eq!(sandbox.faults().strikes(), [1], "{fault:?}");
        // Not more than ten messages a second.
        stream = Stream::connect(&sandbox, "markets").await;
    }
    sandbox.faults().set(vec![Rule::new(Fault::SilenceBefore).on("ping").times(1)]);
    stream.say(json!({"type": "ping"})).await;
    assert_eq!(stream.ask(subscribe).await["type"], "subscribed", "the ping has no response");
}

#[tokio::test]
async fn an_upgrade_is_refused() {
    let sandbox = quiet_sandbox().await;
    for status in [401, 403, 429, 502] {
        sandbox.faults().set(vec![Rule::new(Fault::status(status)).on("GET /ws/v1/{endpoint}").times(1)]);
        match Stream::try_connect(&sandbox, "realtime").await {
            Err(Error::Http(response)) => assert_eq!(response.status().as_u16(), status),
            other => panic!("{:?}", other.err()),
        }
        Stream::connect(&sandbox, "realtime").await;
    }
}

#[tokio::test]
async fn who_does_not_read_is_cut() {
    let sandbox = quiet_sandbox().await;
    let settings = BayseStreamSettings { joins_messages: false, ..sandbox.bayse_stream_settings() };
    sandbox.set_bayse_stream_settings(settings);
    let (_stream, room) = hearer(&sandbox).await;
    let data = json!("x".repeat(10_000));
    while sandbox.bayse_notify(&room, "price_update", &data) == 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(sandbox.websocket_connections(), 0);
    assert!(sandbox.frames().all().iter().any(|frame| !frame.sent), "what was not sent is in the log");
}
