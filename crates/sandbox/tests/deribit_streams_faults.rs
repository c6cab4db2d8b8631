//! What goes wrong on purpose with Deribit's streams, and what the log of frames says of it.

mod common;
#[path = "common/deribit.rs"]
mod deribit;
#[path = "common/socket.rs"]
mod socket;

use deribit::{Caller, two_accounts};
use serde_json::{Value, json};
use socket::{End, Socket};
use tokio_tungstenite::tungstenite::Error;
use venuekit_sandbox::{Fault, Rule, Sandbox, Transport};

const NEWS: &str = "announcements";
const BOOK: &str = "book.BTC-26MAR27.raw";

async fn hearer(sandbox: &Sandbox, channel: &str) -> Socket {
    let mut socket = Socket::logged_in(sandbox, 0).await;
    assert_eq!(socket.result("public/subscribe", json!({"channels": [channel]})).await, json!([channel]));
    socket
}

async fn with(fault: Fault) -> (Sandbox, Socket) {
    let sandbox = two_accounts().await;
    let socket = hearer(&sandbox, NEWS).await;
    sandbox.faults().set(vec![Rule::new(fault).at("deribit").on(NEWS).times(1)]);
    (sandbox, socket)
}

fn tell(sandbox: &Sandbox, numbers: std::ops::Range<i64>) {
    numbers.for_each(|number| assert_eq!(sandbox.deribit_notify(NEWS, json!({"id": number})), 1));
}

async fn numbers(socket: &mut Socket, count: usize) -> Vec<i64> {
    let mut numbers = Vec::new();
    while numbers.len() < count {
        numbers.push(socket.notification().await["params"]["data"]["id"].as_i64().unwrap());
    }
    numbers
}

async fn data(socket: &mut Socket) -> Value {
    socket.notification().await["params"]["data"].take()
}

/// An order that changes the book.
async fn buy(maker: &Caller<'_>, amount: i64) {
    let order = json!({"instrument_name": "BTC-26MAR27", "amount": amount, "type": "limit", "price": 69390});
    maker.result("private/buy", order).await;
}

#[tokio::test]
async fn notifications_are_lost_repeated_or_change_places() {
    for (fault, expected, sent) in [
        (Fault::Drop, vec![1, 2], vec![false, true, true]),
        (Fault::Duplicate, vec![0, 0, 1, 2], vec![true; 4]),
        (Fault::Reorder, vec![1, 0, 2], vec![true; 3]),
        (Fault::Delay { ms: 500 }, vec![1, 2, 0], vec![true; 3]),
        (Fault::Stall { ms: 20 }, vec![0, 1, 2], vec![true; 3]),
    ] {
        let (sandbox, mut socket) = with(fault.clone()).await;
        tell(&sandbox, 0..3);
        assert_eq!(numbers(&mut socket, expected.len()).await, expected, "{fault:?}");
        let frames = sandbox.frames().all().into_iter().filter(|frame| frame.channel.as_deref() == Some(NEWS));
        let frames: Vec<_> = frames.filter(|frame| frame.kind == "subscription").collect();
        assert_eq!(frames.iter().map(|frame| frame.sent).collect::<Vec<_>>(), sent, "{fault:?}");
        assert!(frames.iter().any(|frame| frame.fault == Some(fault.clone())));
        assert!(
            frames.windows(2).all(|pair| pair[0].index < pair[1].index && pair[0].connection == pair[1].connection)
        );
    }
}

#[tokio::test]
async fn a_connection_ends_in_several_ways() {
    for (fault, expected) in [
        (Fault::DropBefore, End::Lost),
        (Fault::CloseMidAnswer, End::Lost),
        (Fault::Close { code: 1012, reason: "restart".to_owned() }, End::Closed(1012)),
        (Fault::SlowReader, End::Closed(4000)),
    ] {
        let (sandbox, mut socket) = with(fault.clone()).await;
        tell(&sandbox, 0..1);
        assert_eq!((socket.receive().await, sandbox.websocket_connections()), (Err(expected), 0), "{fault:?}");
    }
}

#[tokio::test]
async fn a_chain_breaks_or_begins_again() {
    let sandbox = two_accounts().await;
    let maker = Caller::given(&sandbox, 0);
    let mut socket = hearer(&sandbox, BOOK).await;
    let mut last = data(&mut socket).await["change_id"].as_i64();
    // A change that never comes, and one whose link leads elsewhere.
    for (fault, messages) in [(Fault::Drop, 1), (Fault::Gap { by: 1 }, 2)] {
        sandbox.faults().set(vec![Rule::new(fault.clone()).on("book/change").times(1)]);
        buy(&maker, 10).await;
        buy(&maker, 20).await;
        let mut links = Vec::new();
        for _ in 0..messages {
            let message = data(&mut socket).await;
            links.push(message["prev_change_id"].as_i64() == last);
            last = message["change_id"].as_i64();
        }
        assert!(!links[0], "{fault:?}");
        assert!(links[1..].iter().all(|is_linked| *is_linked), "{fault:?}");
    }
    sandbox.faults().set(vec![Rule::new(Fault::Restart).on("book/change/BTC-26MAR27").times(1)]);
    buy(&maker, 30).await;
    let again = data(&mut socket).await;
    assert_eq!((&again["type"], again.get("prev_change_id")), (&json!("snapshot"), None));
    buy(&maker, 40).await;
    assert_eq!(data(&mut socket).await["prev_change_id"], again["change_id"]);
    // The same state twice.
    sandbox.faults().set(vec![Rule::new(Fault::Duplicate).on("book/change").times(1)]);
    buy(&maker, 50).await;
    assert_eq!(data(&mut socket).await, data(&mut socket).await);
    // A snapshot with a link that is null.
    let null = Fault::set_to("/params/data/prev_change_id", Value::Null);
    sandbox.faults().set(vec![Rule::new(null).on("book/snapshot").times(1)]);
    let mut second = hearer(&sandbox, BOOK).await;
    assert_eq!(data(&mut second).await.get("prev_change_id"), Some(&Value::Null));
    let marks: Vec<i64> = sandbox.frames().all().iter().filter_map(|frame| frame.mark).collect();
    assert!(marks.len() > 8 && marks.iter().all(|mark| sandbox.deribit_book("BTC-26MAR27", *mark).is_some()));
}

#[tokio::test]
async fn notifications_have_another_form() {
    let (sandbox, mut socket) = with(Fault::UnknownType).await;
    tell(&sandbox, 0..1);
    let unknown = socket.notification().await;
    assert!(unknown["method"] != "subscription" && unknown.get("id").is_none(), "{unknown}");
    assert_eq!(numbers(&mut socket, 1).await, [0]);

    let (sandbox, mut socket) = with(Fault::error(10_000)).await;
    tell(&sandbox, 0..1);
    assert_eq!(socket.notification().await["error"]["code"], 10_000);

    for (at, to) in
        [("/params/data/sky", json!("clear")), ("/params/channel", json!("other")), ("/method", json!("other"))]
    {
        let (sandbox, mut socket) = with(Fault::set_to(at, to.clone())).await;
        tell(&sandbox, 0..1);
        assert_eq!(socket.notification().await.pointer(at), Some(&to));
    }

    let sandbox = two_accounts().await;
    sandbox.faults().set(vec![Rule::new(Fault::Exponents).on("book").times(1)]);
    let mut socket = hearer(&sandbox, BOOK).await;
    assert_eq!(data(&mut socket).await["bids"][0], json!(["new", 69400.0, 21000.0]));
    let frames = sandbox.frames().all();
    assert!(frames.iter().any(|frame| frame.text.contains("[\"new\",6.94e4,2.1e4]")), "{frames:?}");
}

#[tokio::test]
async fn channels_are_left_out_or_refused() {
    let sandbox = two_accounts().await;
    let mut socket = Socket::logged_in(&sandbox, 0).await;
    let both = json!({"channels": [NEWS, "quote.BTC-PERPETUAL"]});
    sandbox.faults().set(vec![Rule::new(Fault::LeaveOut).on("subscribe/announcements").times(1)]);
    assert_eq!(socket.result("public/subscribe", both.clone()).await, json!(["quote.BTC-PERPETUAL"]));
    assert_eq!(sandbox.deribit_notify(NEWS, json!({})), 0);
    sandbox.faults().set(vec![Rule::new(Fault::error(10_041)).on("subscribe/quote.BTC-PERPETUAL").times(1)]);
    assert_eq!(socket.refused("public/subscribe", both.clone()).await, 10_041);
    assert_eq!(socket.result("public/subscribe", both.clone()).await, both["channels"]);
    // The call itself may go wrong like any other.
    sandbox
        .faults()
        .set(vec![Rule::new(Fault::SilenceAfter).on("public/subscribe").over(Transport::Websocket).times(1)]);
    socket.send("public/subscribe", both).await;
    assert!(socket.result("public/test", json!({})).await.is_object());
}

#[tokio::test]
async fn an_upgrade_is_refused() {
    let sandbox = two_accounts().await;
    for status in [401, 403, 429, 502] {
        sandbox.faults().set(vec![Rule::new(Fault::status(status)).on("GET /ws/api/v2").times(1)]);
        match Socket::try_connect(&sandbox).await {
            Err(Error::Http(response)) => assert_eq!(response.status().as_u16(), status),
            other => panic!("{:?}", other.err()),
        }
        Socket::connect(&sandbox).await;
    }
}

#[tokio::test]
async fn a_heartbeat_does_not_come_or_has_no_answer() {
    let sandbox = two_accounts().await;
    let mut settings = sandbox.deribit_settings();
    settings.heartbeat_second_millis = 10;
    sandbox.set_deribit_settings(settings);
    // The sandbox is silent on every `public/test`, so that the client is asked once and is then gone.
    let mut socket = Socket::connect(&sandbox).await;
    sandbox.faults().set(vec![
        Rule::new(Fault::Drop).on("heartbeat/heartbeat").over(Transport::Stream),
        Rule::new(Fault::SilenceBefore).on("public/test").over(Transport::Websocket),
    ]);
    socket.result("public/set_heartbeat", json!({"interval": 10})).await;
    assert_eq!(socket.receive().await.unwrap()["params"]["type"], "test_request");
    socket.send("public/test", json!({})).await;
    assert_eq!(socket.receive().await, Err(End::Closed(4000)));
    assert!(sandbox.faults().strikes().iter().all(|count| *count > 0));
}

#[tokio::test]
async fn who_does_not_read_is_cut() {
    let sandbox = two_accounts().await;
    let mut settings = sandbox.deribit_settings();
    settings.waiting_frames = 16;
    sandbox.set_deribit_settings(settings);
    let _socket = hearer(&sandbox, NEWS).await;
    let mut count = 0;
    while sandbox.deribit_notify(NEWS, json!("x".repeat(10_000))) == 1 {
        count += 1;
        tokio::task::yield_now().await;
    }
    assert_eq!(sandbox.websocket_connections(), 0);
    let frames = sandbox.frames().all();
    let told: Vec<_> = frames.iter().filter(|frame| frame.kind == "subscription").collect();
    assert!(told.iter().any(|frame| !frame.sent) && told.len() <= count + 1);
}
