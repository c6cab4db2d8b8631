//! Frames of a venue whose commands list topics, in all the forms that its endpoints have for them.

use proptest::prelude::*;
use serde_json::{Value, json};
use venuekit_wire::stream::{Channel, Parameter};

use super::*;
use crate::topic::Topic;

const WORDS: stream::Topics = stream::Topics {
    command: "op",
    id: "req_id",
    topics: "args",
    subscribe: "subscribe",
    unsubscribe: "unsubscribe",
    success: "success",
    text: "ret_msg",
    listed: ("/data/successTopics", "/data/failTopics"),
    topic: "topic",
    kind: "type",
    data: "data",
    sent: &["ts", "creationTime"],
    quiet: &["ping", "pong"],
    held: &["already subscribed"],
    retry: &["try again"],
    ..stream::Topics::EMPTY
};

static BOOK: Channel = Channel {
    name: "orderbook.{depth}.{symbol}",
    id: "orderbook",
    parameters: &[
        Parameter { name: "depth", is_required: true, ..Parameter::EMPTY },
        Parameter { name: "symbol", is_required: true, ..Parameter::EMPTY },
    ],
    ..Channel::EMPTY
};

fn book(depth: &str, symbol: &str) -> Topic {
    Topic::new(&BOOK).set("depth", depth).set("symbol", symbol)
}

fn subscribe(dialect: &mut Topics, id: u32, topics: Vec<Topic>) -> Value {
    let command = Command { id, is_private: false, action: Action::Subscribe(topics) };
    serde_json::from_str(&dialect.write(&command).unwrap()).unwrap()
}

/// A frame as a text: what it is, its command, whose it is, its type, its time, its data.
fn read(dialect: &mut Topics, message: impl ToString) -> String {
    let mut all = Vec::new();
    let bytes = Bytes::from(message.to_string());
    dialect.read(&bytes, &mut |frame| {
        let what = match &frame.body {
            Body::Data => "data".to_owned(),
            Body::Quiet => "quiet".to_owned(),
            Body::Unread => "unread".to_owned(),
            Body::Closing => "closing".to_owned(),
            Body::Reply(Reply::Ok) => "ok".to_owned(),
            Body::Reply(Reply::Names(names)) => format!("names {}", names.join(",")),
            Body::Reply(Reply::Error { text, items, class, .. }) => format!("{class:?} [{}] {text}", items.join(",")),
            Body::Reply(other) => format!("{other:?}"),
        };
        let data = String::from_utf8_lossy(&frame.bytes[frame.data.clone()]).into_owned();
        let (handle, sent) = (frame.handle, frame.sent.map(|sent| sent.get()));
        all.push(match frame.body {
            Body::Data => format!("{what} {handle:?} {:?} {sent:?} {data}", frame.kind),
            _ => format!("{what} {:?}", frame.command),
        });
    });
    all.join("; ")
}

/// A venue that numbers commands by numbers, says by a result that one was carried out, and writes the type and the time into the data.
const NUMBERED: stream::Topics = stream::Topics {
    command: "method",
    id: "id",
    id_is_number: true,
    topics: "params",
    subscribe: "SUBSCRIBE",
    unsubscribe: "UNSUBSCRIBE",
    result: "result",
    error: "error",
    code: "code",
    text: "msg",
    topic: "stream",
    data: "data",
    sent: &["/E"],
    closing: Some(stream::Closing { topic: "!shutdown", member: "e", equals: "shutdown" }),
    ..stream::Topics::EMPTY
};

static TRADES: Channel = Channel {
    name: "{symbol}@trade",
    id: "trades",
    parameters: &[Parameter { name: "symbol", is_required: true, is_lower_case: true, ..Parameter::EMPTY }],
    ..Channel::EMPTY
};

#[test]
fn commands_with_numbers_get_a_result_or_an_error_in_either_form() {
    let dialect = &mut Topics::new(NUMBERED);
    let topics = vec![Topic::new(&TRADES).set("symbol", "BNBBTC")];
    for id in 1..=5 {
        let command = Command { id, is_private: false, action: Action::Subscribe(topics.clone()) };
        let text = dialect.write(&command).unwrap();
        assert_eq!(text, format!(r#"{{"method":"SUBSCRIBE","id":{id},"params":["bnbbtc@trade"]}}"#));
    }
    assert_eq!(read(dialect, json!({ "result": null, "id": 1 })), "ok Some(1)");
    assert_eq!(read(dialect, json!({ "result": [], "id": 2 })), "ok Some(2)");
    let nested = json!({ "error": { "code": 2, "msg": "Invalid request: bnbbtc@trade" }, "id": 3 });
    assert!(error(dialect, nested).starts_with("Some(3) 2 Refused [bnbbtc@trade] Invalid request"));
    let flat = json!({ "code": 4, "msg": "Too many streams", "id": 4 });
    assert_eq!(error(dialect, flat), "Some(4) 4 Refused [] Too many streams");
    // What names no command is the reply to none.
    let nameless = json!({ "error": { "code": -2015, "msg": "no" }, "id": null });
    assert_eq!(error(dialect, nameless), "None -2015 Refused [] no");
    assert_eq!(read(dialect, json!({ "result": null, "id": 5 })), "ok Some(5)");
}

/// An error: its command, code, class, items and text.
fn error(dialect: &mut Topics, message: impl ToString) -> String {
    let mut said = String::new();
    dialect.read(&Bytes::from(message.to_string()), &mut |frame| {
        if let Body::Reply(Reply::Error { code, text, items, class }) = &frame.body {
            said = format!("{:?} {code} {class:?} [{}] {text}", frame.command, items.join(","));
        }
    });
    said
}

#[test]
fn times_are_in_the_data_and_in_either_unit() {
    let dialect = &mut Topics::new(NUMBERED);
    let data = |time: i64| json!({ "stream": "bnbbtc@trade", "data": { "e": "trade", "E": time } });
    let millis = r#"data Name("bnbbtc@trade") "" Some(1790000000123) {"E":1790000000123,"e":"trade"}"#;
    assert_eq!(read(dialect, data(1_790_000_000_123)), millis);
    let micros = r#"data Name("bnbbtc@trade") "" Some(1790000000123) {"E":1790000000123456,"e":"trade"}"#;
    assert_eq!(read(dialect, data(1_790_000_000_123_456)), micros);
    assert_eq!(
        read(dialect, json!({ "stream": "!tickers@arr", "data": [{ "E": 1 }] })),
        r#"data Name("!tickers@arr") "" None [{"E":1}]"#
    );
}

#[test]
fn a_notice_that_the_connection_is_going_to_be_closed() {
    let dialect = &mut Topics::new(NUMBERED);
    let notice = json!({ "e": "shutdown", "E": 1_790_000_000_123_i64 });
    assert_eq!(read(dialect, json!({ "stream": "!shutdown", "data": notice })), "closing None");
    assert_eq!(read(dialect, &notice), "closing None");
    // A trade is none, whatever it says.
    assert!(read(dialect, json!({ "stream": "bnbbtc@trade", "data": notice })).starts_with("data Name"));
    assert!(read(&mut Topics::new(WORDS), &notice).starts_with("data None"));
}

#[test]
fn data_is_told_by_its_topic_in_any_order_of_its_members() {
    let dialect = &mut Topics::new(WORDS);
    assert_eq!(
        read(dialect, r#"{"topic":"orderbook.50.A","type":"delta","ts":5,"data":{"u":8,"topic":"x"},"cts":4}"#),
        r#"data Name("orderbook.50.A") "delta" Some(5) {"u":8,"topic":"x"}"#
    );
    assert_eq!(
        read(dialect, r#"{"data":[{"a":1}],"creationTime":6,"id":"i","topic":"order"}"#),
        r#"data Name("order") "" Some(6) [{"a":1}]"#,
        "without a type, as private topics come"
    );
    assert_eq!(read(dialect, "[1]"), "unread None");
    assert!(read(dialect, r#"{"type":"news"}"#).starts_with("data None"), "handed on as it is");
}

#[test]
fn a_reply_is_for_the_command_whose_number_it_has() {
    let dialect = &mut Topics::new(WORDS);
    let text = subscribe(dialect, 7, vec![book("50", "A"), book("1", "B")]);
    assert_eq!(text, json!({"op": "subscribe", "req_id": "7", "args": ["orderbook.50.A", "orderbook.1.B"]}));
    subscribe(dialect, 8, vec![book("50", "C")]);
    let reply = |id: &str, success: bool, text: &str| json!({"success": success, "ret_msg": text, "conn_id": "c", "req_id": id, "op": "subscribe"});
    assert_eq!(read(dialect, reply("8", true, "subscribe")), "ok Some(8)");
    let refused = reply("7", false, "error:handler not found,topic:orderbook.50.A");
    assert_eq!(read(dialect, refused), "Refused [orderbook.50.A] error:handler not found,topic:orderbook.50.A Some(7)");
    let command =
        Command { id: 9, is_private: false, action: Action::Unsubscribe(vec![Owner::Name("orderbook.50.C".into())]) };
    let text: Value = serde_json::from_str(&dialect.write(&command).unwrap()).unwrap();
    assert_eq!(text, json!({"op": "unsubscribe", "req_id": "9", "args": ["orderbook.50.C"]}));
    assert_eq!(
        read(dialect, json!({"success": true, "ret_msg": "", "req_id": "9", "op": "unsubscribe"})),
        "ok Some(9)"
    );
}

#[test]
fn what_an_error_means_is_in_its_text() {
    for (text, told) in [
        ("error:already subscribed,topic:orderbook.1.A", "AlreadyHeld [orderbook.1.A]"),
        ("try again", "Retry []"),
        ("args size >10", "Refused []"),
        // The topic of another command, whose name begins or ends with that of this one.
        ("error:handler not found,topic:orderbook.1.AB", "Refused []"),
        ("error:handler not found,topic:xorderbook.1.A", "Refused []"),
        ("error:handler not found,topic:orderbook.1.A.B", "Refused []"),
        ("no orderbook.1.A.", "Refused [orderbook.1.A]"),
    ] {
        let dialect = &mut Topics::new(WORDS);
        subscribe(dialect, 1, vec![book("1", "A"), book("1", "C")]);
        let reply = json!({"success": false, "ret_msg": text, "req_id": "1", "op": "subscribe"});
        assert_eq!(read(dialect, reply), format!("{told} {text} Some(1)"));
    }
}

#[test]
fn a_reply_without_a_number_is_for_the_command_whose_topics_it_lists() {
    let dialect = &mut Topics::new(WORDS);
    subscribe(dialect, 1, vec![book("25", "A")]);
    subscribe(dialect, 2, vec![book("25", "B"), book("25", "C")]);
    let reply = json!({"success": true, "conn_id": "c", "type": "COMMAND_RESP",
        "data": {"failTopics": ["orderbook.25.B"], "successTopics": ["orderbook.25.C"]}});
    assert_eq!(read(dialect, &reply), "names orderbook.25.C Some(2)");
    let other = json!({"success": true, "type": "COMMAND_RESP", "data": {"failTopics": [], "successTopics": []}});
    assert_eq!(read(dialect, other), "names  Some(1)", "one that lists none is for the oldest");
    assert_eq!(read(dialect, reply), "names orderbook.25.C None");
}

#[test]
fn pongs_have_several_forms() {
    let dialect = &mut Topics::new(WORDS);
    subscribe(dialect, 1, vec![book("1", "A")]);
    for pong in [
        r#"{"success":true,"ret_msg":"pong","conn_id":"c","req_id":"","op":"ping"}"#,
        r#"{"op":"pong","args":["1795910400000"]}"#,
        r#"{"op":"pong","args":["1795910400000"],"conn_id":"c","req_id":"x"}"#,
    ] {
        assert_eq!(read(dialect, pong), "quiet None");
    }
    assert_eq!(dialect.waiting.len(), 1, "a pong is no reply");
}

#[test]
fn a_login_is_a_command_with_values() {
    let dialect = Topics::new(WORDS);
    let text = dialect.login("auth", &[r#""key""#.to_owned(), "1795910400000".to_owned(), r#""sign""#.to_owned()]);
    assert_eq!(text, r#"{"op":"auth","args":["key",1795910400000,"sign"]}"#);
    let said = |text: &str| dialect.logged_in("auth", text.as_bytes());
    assert_eq!(said(r#"{"success":true,"ret_msg":"","op":"auth","conn_id":"c"}"#), Some(Ok(())));
    assert_eq!(said(r#"{"success":false,"ret_msg":"Params Error","op":"auth"}"#), Some(Err("Params Error".to_owned())));
    assert_eq!(said(r#"{"success":true,"op":"ping"}"#), None);
    assert_eq!(said("nonsense"), None);
}

proptest! {
    #[test]
    fn no_text_is_too_odd(text in "[{}\\[\\]\",:a-z0-9]{0,40}") {
        let dialect = &mut Topics::new(WORDS);
        subscribe(dialect, 1, vec![book("1", "A")]);
        read(dialect, &text);
        dialect.logged_in("auth", text.as_bytes());
    }
}
