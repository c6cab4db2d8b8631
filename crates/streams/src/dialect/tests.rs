//! Frames as venues write them, and as they do not.

use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};
use venuekit_wire::Secret;
use venuekit_wire::operation::{Notification, Protocol, Venue, WebSocket};
use venuekit_wire::stream::{
    self, Actions, Channel, KeepAlive, Limits, Parameter, ParameterKind, Sequence, Streams as Table,
};

use super::{Dialect, Login, Subscribing, names, ping};
use crate::hub::io::{Action, Body, Command, Frame, Handle, Owner, Reply};
use crate::topic::Topic;

static TRADES: Channel = Channel {
    name: "trades",
    id: "trades",
    endpoint: "stream",
    parameters: &[
        Parameter { name: "markets", is_list: true, ..Parameter::EMPTY },
        Parameter { name: "shard", kind: ParameterKind::Integer, ..Parameter::EMPTY },
        Parameter { name: "plain", kind: ParameterKind::Boolean, fixed: Some("true"), ..Parameter::EMPTY },
    ],
    items: Some("markets"),
    item: Some("/market"),
    sequence: Sequence::Counter { member: "seq", first: 1 },
    actions: Actions { add: Some("add"), remove: Some("remove"), snapshot: Some("snapshot") },
    ..Channel::EMPTY
};

static INDEXES: Channel = Channel {
    name: "indexes",
    id: "indexes",
    endpoint: "stream",
    parameters: &[Parameter { name: "ids", is_list: true, ..Parameter::EMPTY }],
    items: Some("ids"),
    all: true,
    everything: Some("all"),
    ..Channel::EMPTY
};

static BOOK: Channel = Channel {
    name: "book.{instrument}.{interval}",
    id: "book",
    endpoint: "stream",
    parameters: &[
        Parameter { name: "instrument", is_required: true, ..Parameter::EMPTY },
        Parameter { name: "interval", is_required: true, ..Parameter::EMPTY },
    ],
    ..Channel::EMPTY
};

static ROOM: Channel = Channel {
    name: "orders",
    id: "orders",
    endpoint: "user",
    parameters: &[
        Parameter { name: "marketIds", is_list: true, ..Parameter::EMPTY },
        Parameter { name: "currency", ..Parameter::EMPTY },
    ],
    items: Some("marketIds"),
    ..Channel::EMPTY
};

const COMMANDS: stream::Commands = stream::Commands {
    id: "id",
    command: "cmd",
    params: "params",
    channels: "channels",
    kind: "type",
    data: "msg",
    subscription: "sid",
    sent: "sent",
    subscribe: ("subscribe", "subscribed"),
    channel: "channel",
    ok: "ok",
    unsubscribe: ("unsubscribe", "sids", "unsubscribed"),
    update: ("update", "action"),
    error: "error",
    error_members: ("code", "msg"),
    terminal: &["10"],
    retry: &["18"],
    codes: &[("8", "no such channel")],
};

const MESSAGES: stream::Messages = stream::Messages {
    separator: Some("\n"),
    kind: "type",
    data: "data",
    room: "room",
    room_separator: ':',
    sent: "timestamp",
    channel: "channel",
    subscribe: ("subscribe", "subscribed"),
    unsubscribe: ("unsubscribe", "unsubscribed"),
    error: "error",
    error_text: "/data/message",
    quiet: &["connected", "pong"],
};

const CALLS: stream::Dialect = stream::Dialect::Calls {
    subscribe: ("subscribe", "private_subscribe"),
    unsubscribe: ("unsubscribe", "private_unsubscribe"),
    channels: "channels",
};

const fn table(dialect: stream::Dialect, channels: &'static [Channel]) -> Table {
    Table {
        venue: "venue",
        endpoints: &[],
        dialect,
        keep_alive: KEEP_ALIVE,
        limits: Limits {
            per_command: 500,
            commands_per_second: 0,
            per_connection: 500,
            connections: &[],
            channel_once: false,
            ..Limits::EMPTY
        },
        query: &[],
        channels,
    }
}

const KEEP_ALIVE: KeepAlive = KeepAlive { ask_after: 20, dead_after: 60, ping: Some(r#"{"type":"ping"}"#) };
const COUNTED: Channel = Channel {
    sequence: Sequence::Counter { member: "seq", first: 1 },
    items: Some("markets"),
    item: Some("/market"),
    ..Channel::EMPTY
};
static COMMANDED: Table = table(stream::Dialect::Commands(COMMANDS), &[COUNTED]);
static MESSAGED: Table = table(stream::Dialect::Messages(MESSAGES), &[]);
static CALLED: Table = table(CALLS, &[]);

static VENUE: Venue = Venue {
    name: "venue",
    protocol: Protocol::JsonRpc,
    websocket: Some(WebSocket {
        notification: Some(Notification { method: "subscription", channel: "channel", data: "data" }),
        ..WebSocket::EMPTY
    }),
    ..Venue::EMPTY
};

/// A frame in a form that can be kept and compared.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    text: String,
    handle: String,
    kind: String,
    data: String,
    sequence: Option<i64>,
    sent: Option<i64>,
    command: Option<u32>,
    body: String,
}

fn seen(frame: Frame<'_>) -> Seen {
    let text = |range: std::ops::Range<usize>| String::from_utf8_lossy(&frame.bytes[range]).into_owned();
    let body = match &frame.body {
        Body::Data => "data".to_owned(),
        Body::Quiet => "quiet".to_owned(),
        Body::Unread => "unread".to_owned(),
        Body::Closing => "closing".to_owned(),
        Body::Reply(Reply::Names(names)) => format!("names {}", names.join(",")),
        Body::Reply(Reply::Subscribed { channel }) => format!("subscribed {}", channel.as_deref().unwrap_or("-")),
        Body::Reply(Reply::Ok) => "ok".to_owned(),
        Body::Reply(Reply::Unsubscribed) => "unsubscribed".to_owned(),
        Body::Reply(Reply::Error { code, text, items, class }) => {
            format!("error {code} {text} [{}] {class:?}", items.join(","))
        }
    };
    Seen {
        text: text(0..frame.bytes.len()),
        handle: match frame.handle {
            Handle::None => String::new(),
            Handle::Name(name) => format!("name {name}"),
            Handle::Number(number) => format!("number {number}"),
            Handle::Room(room) => format!("room {room}"),
        },
        kind: frame.kind.to_owned(),
        data: text(frame.data.clone()),
        sequence: frame.sequence,
        sent: frame.sent.map(|sent| sent.get()),
        command: frame.command,
        body,
    }
}

fn read(dialect: &mut Dialect, text: impl AsRef<[u8]>) -> Vec<Seen> {
    let mut all = Vec::new();
    dialect.read(&Bytes::copy_from_slice(text.as_ref()), &mut |frame| all.push(seen(frame)));
    all
}

fn one(dialect: &mut Dialect, text: &str) -> Seen {
    let mut all = read(dialect, text);
    assert_eq!(all.len(), 1, "{text}: {all:?}");
    all.remove(0)
}

fn commands() -> Dialect {
    Dialect::new(&COMMANDED, &VENUE)
}

fn messages() -> Dialect {
    Dialect::new(&MESSAGED, &VENUE)
}

fn command(id: u32, action: Action) -> Command {
    Command { id, is_private: false, action }
}

/// The commands as JSON, so that what is compared does not depend on how it is written.
fn written(dialect: &mut Dialect, command: &Command, login: Option<&Login>) -> Vec<Value> {
    dialect.write(command, login).iter().map(|text| serde_json::from_str(text).expect("it is JSON")).collect()
}

#[test]
fn data_is_told_by_its_subscription() {
    let text = r#"{"type":"delta","sid":4,"seq":88,"msg":{"market":"A","type":"x","sid":9},"sent":1790000000000}"#;
    let frame = one(&mut commands(), text);
    assert_eq!((frame.handle.as_str(), frame.kind.as_str(), frame.body.as_str()), ("number 4", "delta", "data"));
    assert_eq!(frame.data, r#"{"market":"A","type":"x","sid":9}"#, "what is inside of the data is not looked at");
    assert_eq!((frame.sequence, frame.sent, frame.command), (Some(88), Some(1_790_000_000_000), None));
}

#[test]
fn replies_repeat_the_number_of_their_command() {
    let dialect = &mut commands();
    let subscribed = one(dialect, r#"{"type":"subscribed","id":7,"msg":{"channel":"trades","sid":1}}"#);
    assert_eq!((subscribed.handle.as_str(), subscribed.command), ("number 1", Some(7)));
    assert_eq!(subscribed.body, "subscribed trades");
    let merged = one(dialect, r#"{"type":"ok","id":8,"sid":1,"seq":3,"msg":{"markets":["A","B"]}}"#);
    assert_eq!((merged.handle.as_str(), merged.command, merged.sequence), ("number 1", Some(8), Some(3)));
    assert_eq!(merged.body, "ok");
    let ended = one(dialect, r#"{"type":"unsubscribed","id":10,"sid":2,"seq":707}"#);
    assert_eq!((ended.handle.as_str(), ended.body.as_str(), ended.sequence), ("number 2", "unsubscribed", Some(707)));
    let snapshot = one(dialect, r#"{"type":"snapshot","id":9,"sid":1,"seq":88,"msg":{}}"#);
    assert_eq!((snapshot.body.as_str(), snapshot.command), ("data", Some(9)), "data that a command asked for");
    let none = one(dialect, r#"{"type":"ok","id":0}"#);
    assert_eq!((none.command, none.handle.as_str()), (None, ""), "command number 0 means no command");
}

#[test]
fn errors_have_a_code_a_text_and_what_they_are_about() {
    let dialect = &mut commands();
    for (text, body) in [
        (r#"{"type":"error","id":1,"msg":{"code":8,"msg":"Unknown channel"}}"#, "error 8 Unknown channel [] Refused"),
        (r#"{"type":"error","id":1,"msg":{"code":"8"}}"#, "error 8 no such channel [] Refused"),
        (
            r#"{"type":"error","id":1,"msg":{"code":26,"msg":"too many","market":"A","markets":["B","C"]}}"#,
            "error 26 too many [A,B,C] Refused",
        ),
        (r#"{"type":"error","sid":3,"msg":{"code":10,"msg":"over"}}"#, "error 10 over [] Terminal"),
        (r#"{"type":"error","id":1,"msg":{"code":18,"msg":"slow"}}"#, "error 18 slow [] Retry"),
        (r#"{"type":"error","msg":"not an object"}"#, "error   [] Refused"),
        (r#"{"type":"error"}"#, "error   [] Refused"),
    ] {
        assert_eq!(one(dialect, text).body, body, "{text}");
    }
}

#[test]
fn what_is_odd_is_read_as_far_as_it_goes() {
    let dialect = &mut commands();
    // Names with escapes, members twice, numbers that no type holds, values of other types than expected.
    let escaped = one(dialect, r#"{"\u0074ype":"de\u006cta","s\u0069d":"5","seq":7,"m\u0073g":[1]}"#);
    assert_eq!((escaped.kind.as_str(), escaped.handle.as_str(), escaped.data.as_str()), ("delta", "number 5", "[1]"));
    let twice = one(dialect, r#"{"type":"a","seq":1,"type":"b","seq":2}"#);
    assert_eq!((twice.kind.as_str(), twice.sequence), ("b", Some(2)), "the last one counts");
    for number in ["1e400", "99999999999999999999", "-1.5", "null", "[]", "\"x\"", "true", "1.0"] {
        let text = format!(r#"{{"type":"delta","sid":{number},"seq":{number},"id":{number},"sent":{number}}}"#);
        let frame = one(dialect, &text);
        assert_eq!(
            (frame.handle.as_str(), frame.sequence, frame.sent, frame.command),
            ("", None, None, None),
            "{text}"
        );
        assert_eq!((frame.body.as_str(), frame.data.as_str()), ("data", ""), "{text}");
    }
    for text in [r#"{"type":7}"#, r#"{"type":null}"#, "{}", "[1]", "7", "\"text\"", r#"{"type":"x""#, r#"{"type" "x"}"#]
    {
        let frame = one(dialect, text);
        assert_eq!((frame.body.as_str(), frame.text.as_str()), ("unread", text), "handed on as it is");
    }
    let deep = format!(r#"{{"type":"delta","msg":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(one(dialect, &deep).body, "unread");
    assert!(read(dialect, " \n ").is_empty());
}

#[test]
fn several_objects_in_a_message_are_several_frames() {
    let text = "{\"type\":\"a\",\"data\":{\"x\":\"\\n\"}}\n{\"type\":\"b\",\n \"data\":[2],\"room\":\"r:1\"}\n\n{\"type\":\"pong\"}\n";
    let frames = read(&mut messages(), text);
    let told: Vec<_> =
        frames.iter().map(|frame| (frame.kind.as_str(), frame.data.as_str(), frame.body.as_str())).collect();
    assert_eq!(told, [("a", r#"{"x":"\n"}"#, "data"), ("b", "[2]", "data"), ("pong", "", "quiet")]);
    assert_eq!(frames[1].handle, "room r:1");
    assert_eq!(frames[1].text, "{\"type\":\"b\",\n \"data\":[2],\"room\":\"r:1\"}");
    let broken = read(&mut messages(), "{\"type\":\"a\"}\n{\"type\":\n{\"type\":\"b\"}");
    let told: Vec<_> =
        broken.iter().map(|frame| (frame.kind.as_str(), frame.text.as_str(), frame.body.as_str())).collect();
    assert_eq!(told[0], ("a", "{\"type\":\"a\"}", "data"));
    assert_eq!(told[1], ("", "{\"type\":", "unread"), "what cannot be read costs no more than itself");
    assert_eq!(told[2], ("b", "{\"type\":\"b\"}", "data"));
    // Also where no separator is in the tables.
    let glued = read(&mut commands(), r#"{"type":"a","msg":1} {"type":"b","msg":2}"#);
    assert_eq!(glued.iter().map(|frame| frame.data.as_str()).collect::<Vec<_>>(), ["1", "2"]);
}

#[test]
fn a_command_says_what_the_tables_say() {
    let dialect = &mut commands();
    let topic = Topic::new(&TRADES).list("markets", ["A", "B\""]).set("shard", "3");
    let text = written(dialect, &command(7, Action::Subscribe(vec![topic])), None);
    let params = json!({"channels": ["trades"], "markets": ["A", "B\""], "shard": 3, "plain": true});
    assert_eq!(text, [json!({"id": 7, "cmd": "subscribe", "params": params})]);
    let everything = written(dialect, &command(8, Action::Subscribe(vec![Topic::new(&TRADES)])), None);
    assert_eq!(everything[0]["params"], json!({"channels": ["trades"], "plain": true}));
    let by_word = written(dialect, &command(9, Action::Subscribe(vec![Topic::new(&INDEXES)])), None);
    assert_eq!(by_word[0]["params"], json!({"channels": ["indexes"], "ids": ["all"]}));
    let owners = vec![Owner::Number(1), Owner::Number(5), Owner::Name("x".into())];
    let ended = written(dialect, &command(10, Action::Unsubscribe(owners)), None);
    assert_eq!(ended, [json!({"id": 10, "cmd": "unsubscribe", "params": {"sids": [1, 5]}})]);
    assert!(written(dialect, &command(11, Action::Unsubscribe(vec![])), None).is_empty());
    let update = |items: &[&str]| Action::Update {
        subscription: 4,
        channel: &TRADES,
        action: "add",
        items: items.iter().map(|item| Arc::from(*item)).collect(),
    };
    let added = written(dialect, &command(12, update(&["C"])), None);
    assert_eq!(added, [json!({"id": 12, "cmd": "update", "params": {"sid": 4, "action": "add", "markets": ["C"]}})]);
    let whole = written(dialect, &command(13, update(&[])), None);
    assert_eq!(whole[0]["params"], json!({"sid": 4, "action": "add"}));
}

fn login() -> Login {
    Login { member: "auth", value: Secret::new(r#"{"apiKey":"MARKER"}"#.to_owned()) }
}

#[test]
fn every_message_says_who_one_is() {
    let (dialect, login) = (&mut messages(), login());
    let topic = Topic::new(&ROOM).list("marketIds", ["m1"]).set("currency", "USD");
    let text = written(dialect, &command(1, Action::Subscribe(vec![topic])), Some(&login));
    let auth = json!({"apiKey": "MARKER"});
    let subscribe = json!({
        "type": "subscribe", "channel": "orders", "marketIds": ["m1"], "currency": "USD", "auth": auth,
    });
    assert_eq!(text, [subscribe]);
    let leave = Action::Unsubscribe(vec![Owner::Room("orders:u:m1".into()), Owner::Room("orders:u:m2".into())]);
    let text = written(dialect, &command(2, leave), Some(&login));
    assert_eq!(text[1], json!({"type": "unsubscribe", "room": "orders:u:m2", "auth": auth}));
    assert_eq!(text.len(), 2);
    let ping = ping(&KEEP_ALIVE, Some(&login)).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&ping).unwrap(), json!({"type": "ping", "auth": auth}));
    assert_eq!(super::ping(&KEEP_ALIVE, None).as_deref(), Some(r#"{"type":"ping"}"#));
}

fn subscribe(dialect: &mut Dialect, id: u32, channel: &'static Channel, values: &[&str]) {
    let topic = Topic::new(channel).list(channel.items.unwrap(), values.iter().copied());
    dialect.write(&command(id, Action::Subscribe(vec![topic])), None);
}

fn joined(dialect: &mut Dialect, room: &str) -> Option<u32> {
    one(dialect, &json!({"type": "subscribed", "room": room}).to_string()).command
}

#[test]
fn replies_without_a_number_find_their_command() {
    let dialect = &mut messages();
    subscribe(dialect, 1, &ROOM, &["m1", "m2"]);
    subscribe(dialect, 2, &ROOM, &["m3"]);
    subscribe(dialect, 3, &INDEXES, &["m3"]);
    assert_eq!(joined(dialect, "indexes:m3"), Some(3), "by channel and value");
    assert_eq!(joined(dialect, "orders:u:m2"), Some(1), "one reply for each value");
    assert_eq!(joined(dialect, "orders:u:m3"), Some(2));
    assert_eq!(joined(dialect, "orders:u:m1"), Some(1));
    assert_eq!(joined(dialect, "orders:u:m1"), None, "nobody waits any more");
    subscribe(dialect, 4, &ROOM, &["m1", "m2"]);
    assert_eq!(joined(dialect, "e7"), Some(4), "a room that says nothing is for the oldest, and the only reply");
    assert_eq!(joined(dialect, "e8"), None);
    let subscribed = {
        subscribe(dialect, 5, &ROOM, &["m1"]);
        one(dialect, r#"{"type":"subscribed","room":"orders:u:m1"}"#)
    };
    assert_eq!((subscribed.handle.as_str(), subscribed.body.as_str()), ("room orders:u:m1", "subscribed orders"));
}

#[test]
fn an_error_without_a_number_is_for_whom_it_names_or_for_the_oldest() {
    let dialect = &mut messages();
    let refuse = |dialect: &mut Dialect, text: &str| {
        one(dialect, &json!({"type": "error", "data": {"message": text}}).to_string())
    };
    subscribe(dialect, 1, &ROOM, &["m1"]);
    subscribe(dialect, 2, &ROOM, &["m2"]);
    subscribe(dialect, 3, &ROOM, &["m3"]);
    let named = refuse(dialect, "no market m2");
    assert_eq!((named.command, named.body.as_str()), (Some(2), "error  no market m2 [] Refused"));
    assert_eq!(refuse(dialect, "no").command, Some(1));
    assert_eq!(joined(dialect, "orders:u:m3"), Some(3));
    assert_eq!(refuse(dialect, "too many messages").command, None, "of the connection");
    let wordless = one(dialect, r#"{"type":"error","data":7}"#);
    assert_eq!(wordless.body, "error   [] Refused");
}

#[test]
fn rooms_are_left_one_by_one() {
    let dialect = &mut messages();
    let leave = Action::Unsubscribe(vec![Owner::Room("a".into()), Owner::Room("b".into())]);
    dialect.write(&command(6, leave), None);
    let left =
        |dialect: &mut Dialect, room: &str| one(dialect, &json!({"type": "unsubscribed", "room": room}).to_string());
    let first = left(dialect, "b");
    assert_eq!((first.command, first.handle.as_str()), (None, "room b"), "the command is not done yet");
    assert_eq!(left(dialect, "a").command, Some(6));
}

#[test]
fn notifications_are_told_by_the_name_of_their_channel() {
    let mut dialect = Dialect::new(&CALLED, &VENUE);
    let text = r#"{"jsonrpc":"2.0","method":"subscription","params":{"data":[1,{"channel":"no"}],"channel":"book.A.100ms","label":"x"}}"#;
    let frame = one(&mut dialect, text);
    assert_eq!((frame.handle.as_str(), frame.data.as_str()), ("name book.A.100ms", r#"[1,{"channel":"no"}]"#));
    assert_eq!((frame.kind.as_str(), frame.body.as_str(), frame.text.as_str()), ("", "data", text));
    let Dialect::Calls(calls) = &dialect else { unreachable!() };
    for other in [
        r#"{"jsonrpc":"2.0","id":5,"result":["book.A.100ms"]}"#,
        r#"{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}"#,
        r#"{"jsonrpc":"2.0","method":"subscription"}"#,
        r#"{"jsonrpc":"2.0","method":"subscription","params":{"channel":7,"data":{}}}"#,
        "nonsense",
    ] {
        let taken = calls.notification(&Bytes::from(other), |frame| panic!("{frame:?}"));
        assert!(!taken, "{other}");
    }
}

#[test]
fn a_call_names_its_channels() {
    let topics = ["A", "B"].map(|name| Topic::new(&BOOK).set("instrument", name).set("interval", "100ms")).to_vec();
    let call = Subscribing::of(&CALLS, &command(1, Action::Subscribe(topics.clone()))).unwrap();
    let params = json!({"channels": ["book.A.100ms", "book.B.100ms"]});
    assert_eq!((call.operation, serde_json::from_str::<Value>(&call.params).unwrap()), ("subscribe", params));
    let private = Command { id: 2, is_private: true, action: Action::Subscribe(topics) };
    assert_eq!(Subscribing::of(&CALLS, &private).unwrap().operation, "private_subscribe");
    let owners = Action::Unsubscribe(vec![Owner::Name("book.A.100ms".into())]);
    let call = Subscribing::of(&CALLS, &Command { id: 3, is_private: true, action: owners }).unwrap();
    assert_eq!((call.operation, call.params.as_str()), ("private_unsubscribe", r#"{"channels":["book.A.100ms"]}"#));
    assert_eq!(names(br#" ["a", "b\u0063"] "#).unwrap(), ["a", "bc"]);
    assert_eq!(names(b"[]").unwrap(), [""; 0]);
    for other in [r#""ok""#, "null", "{}", r#"["a""#, r#"["a",null]"#] {
        assert_eq!(names(other.as_bytes()), None, "{other}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        Just(json!("\"}\n{\"type\":\"x\"")),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("type|sid|msg|data|[a-c\"\\\\]{1,3}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A name as JSON, with every letter escaped that `escapes` says.
fn spelled(name: &str, escapes: u8) -> String {
    let letters = name.chars().enumerate().map(|(index, letter)| match escapes >> (index % 8) & 1 {
        1 => format!("\\u{:04x}", u32::from(letter)),
        _ => letter.to_string(),
    });
    format!("\"{}\"", letters.collect::<String>())
}

proptest! {
    /// Whatever the order and the spelling of its members, a frame is read as a whole reader reads it.
    #[test]
    fn agrees_with_a_whole_reader(
        members in prop::collection::vec(("type|sid|seq|id|msg|sent|other", any_json(), any::<u8>()), 0..9),
        kind in "delta|ok|weird|unsubscribed",
        blanks in "[ \n\t]{0,2}",
    ) {
        let mut text = format!("{{{}:{blanks}\"{kind}\"", spelled("type", 0));
        for (name, value, escapes) in &members {
            text.push_str(&format!("{blanks},{blanks}{}{blanks}:{blanks}{value}", spelled(name, *escapes)));
        }
        text.push_str(&format!("{blanks}}}"));
        let value: Value = serde_json::from_str(&text).unwrap();
        let frame = one(&mut commands(), &text);
        match value["type"].as_str() {
            None => prop_assert_eq!(&frame.body, "unread"),
            Some(kind) => {
                prop_assert_eq!(&frame.kind, kind);
                let integer = |name: &str| match &value[name] {
                    Value::String(text) => text.parse().ok(),
                    other => other.as_i64(),
                };
                prop_assert_eq!(frame.sequence, integer("seq"));
                prop_assert_eq!(frame.sent, integer("sent"));
                let id = integer("id").and_then(|id: i64| u32::try_from(id).ok()).filter(|id| *id > 0);
                prop_assert_eq!(frame.command, id);
                prop_assert_eq!(&frame.handle, &integer("sid").map_or(String::new(), |sid: i64| format!("number {sid}")));
                match value.get("msg") {
                    Some(data) => prop_assert_eq!(&serde_json::from_str::<Value>(&frame.data).unwrap(), data),
                    None => prop_assert_eq!(&frame.data, ""),
                }
            }
        }
    }

    /// Objects are found whatever they hold, and whatever stands between them.
    #[test]
    fn each_object_is_found(values in prop::collection::vec(any_json(), 0..6), between in "\n|\n\n|\n \n") {
        let objects: Vec<Value> = values.into_iter().map(|value| json!({"type": "x", "data": value})).collect();
        let text: Vec<String> = objects.iter().map(Value::to_string).collect();
        let frames = read(&mut messages(), text.join(&between));
        prop_assert_eq!(frames.len(), objects.len());
        for (frame, object) in frames.iter().zip(&objects) {
            prop_assert_eq!(&serde_json::from_str::<Value>(&frame.text).unwrap(), object);
            prop_assert_eq!(&serde_json::from_str::<Value>(&frame.data).unwrap(), &object["data"]);
        }
    }

    /// No bytes make a dialect panic or point outside of them, and all of them are handed on.
    #[test]
    fn no_bytes_are_too_odd(bytes in prop::collection::vec(prop_oneof![
        Just(b'{'), Just(b'}'), Just(b'['), Just(b']'), Just(b'"'), Just(b'\\'), Just(b','), Just(b':'), Just(b'\n'),
        Just(b't'), any::<u8>()], 0..80), prefix in any::<bool>()) {
        let bytes = if prefix { [b"{\"type\":\"x\",\"msg\":", &bytes[..]].concat() } else { bytes };
        for dialect in [&mut commands(), &mut messages(), &mut Dialect::new(&CALLED, &VENUE)] {
            let frames = read(dialect, &bytes);
            prop_assert!(bytes.trim_ascii().is_empty() || !frames.is_empty());
        }
    }

    /// Whatever a topic holds, the command is JSON and says it.
    #[test]
    fn any_value_is_written(values in prop::collection::hash_set("\\PC{1,12}", 1..5), shard in any::<i64>()) {
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let topic = Topic::new(&TRADES).list("markets", values.iter().copied()).set("shard", shard.to_string());
        let text = written(&mut commands(), &command(1, Action::Subscribe(vec![topic])), None);
        prop_assert_eq!(&text[0]["params"]["markets"], &json!(values));
        prop_assert_eq!(&text[0]["params"]["shard"], &json!(shard));
    }
}
