//! Faults of a WebSocket connection, each as its rule says, and what was carried out under it.

mod common;
#[path = "common/deribit.rs"]
mod deribit;
#[path = "common/socket.rs"]
mod socket;

use std::collections::BTreeMap;

use deribit::two_accounts;
use futures_util::SinkExt as _;
use serde_json::{Value, json};
use socket::{End, Socket, resting};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use venuekit_sandbox::{Fault, Rule, Sandbox, Transport};

const BUY: &str = "private/buy";

fn once(fault: Fault) -> Vec<Rule> {
    vec![Rule::new(fault).on(BUY).over(Transport::Websocket).times(1)]
}

async fn with(fault: Fault) -> (Sandbox, Socket) {
    let sandbox = two_accounts().await;
    let socket = Socket::logged_in(&sandbox, 0).await;
    sandbox.faults().set(once(fault));
    (sandbox, socket)
}

fn bought(sandbox: &Sandbox, label: &str) -> u64 {
    let counted = sandbox.executed().get("deribit POST /api/v2/private/buy").copied().unwrap_or_default();
    assert_eq!(sandbox.deribit_order_labels().values().sum::<u64>(), counted);
    sandbox.deribit_order_labels().get(label).copied().unwrap_or_default()
}

#[tokio::test]
async fn a_call_is_dropped_before_or_after_it_is_carried_out() {
    for (fault, times) in [(Fault::DropBefore, 0), (Fault::DropAfter, 1)] {
        let (sandbox, mut socket) = with(fault.clone()).await;
        socket.send("public/test", json!({})).await;
        socket.send(BUY, resting("a")).await;
        socket.send("private/sell", resting("after")).await;
        assert_eq!(socket.receive().await.unwrap()["id"], 2);
        assert_eq!(socket.receive().await, Err(End::Lost), "{fault:?}");
        assert_eq!((bought(&sandbox, "a"), sandbox.faults().strikes()), (times, vec![1]), "{fault:?}");
        assert_eq!((bought(&sandbox, "after"), sandbox.websocket_connections()), (0, 0));
        // The rule has ended.
        Socket::logged_in(&sandbox, 0).await.result(BUY, resting("a")).await;
        assert_eq!(bought(&sandbox, "a"), times + 1);
    }
}

#[tokio::test]
async fn a_call_is_met_with_silence() {
    for (fault, times) in [(Fault::SilenceBefore, 0), (Fault::SilenceAfter, 1)] {
        let (sandbox, mut socket) = with(fault.clone()).await;
        socket.send(BUY, resting("a")).await;
        socket.result("public/test", json!({})).await;
        assert_eq!((socket.others.len(), bought(&sandbox, "a")), (0, times), "{fault:?}");
        assert_eq!(sandbox.websocket_connections(), 1);
    }
}

#[tokio::test]
async fn an_answer_is_late_and_others_overtake_it() {
    let sandbox = two_accounts().await;
    let mut socket = Socket::logged_in(&sandbox, 0).await;
    let rule = |ms| Rule::new(Fault::Delay { ms }).on(BUY).times(1);
    sandbox.faults().set(vec![rule(3_600_000), rule(1)]);
    socket.send(BUY, resting("an hour")).await;
    socket.result("public/test", json!({})).await;
    assert_eq!((bought(&sandbox, "an hour"), socket.others.len()), (1, 0), "it is carried out at once");
    assert_eq!(socket.result(BUY, resting("soon")).await["order"]["order_state"], "open");
    assert_eq!(sandbox.faults().strikes(), [1, 1]);
}

#[tokio::test]
async fn answers_change_places() {
    let (sandbox, mut socket) = with(Fault::Reorder).await;
    let ids = [socket.send(BUY, resting("a")).await, socket.send("public/test", json!({})).await];
    socket.send("public/get_time", json!({})).await;
    let mut came = Vec::new();
    for _ in 0..3 {
        came.push(socket.receive().await.unwrap()["id"].as_i64().unwrap());
    }
    assert_eq!(came, [ids[1], ids[0], ids[1] + 1]);
    assert_eq!(bought(&sandbox, "a"), 1);
}

#[tokio::test]
async fn an_answer_comes_twice_or_beside_one_to_nobody() {
    let (sandbox, mut socket) = with(Fault::Duplicate).await;
    let id = socket.send(BUY, resting("a")).await;
    let (first, second) = (socket.receive().await.unwrap(), socket.receive().await.unwrap());
    assert_eq!((&first, &first["id"]), (&second, &json!(id)));
    assert_eq!(bought(&sandbox, "a"), 1);

    let (sandbox, mut socket) = with(Fault::UnknownId).await;
    let id = socket.send(BUY, resting("a")).await;
    let unknown = socket.receive().await.unwrap();
    assert!(unknown["id"] != id && unknown.get("result").is_some(), "{unknown}");
    assert_eq!(socket.receive().await.unwrap()["id"], id);
    assert_eq!(bought(&sandbox, "a"), 1);
}

/// A connection whose bytes the test reads itself.
struct Raw(TcpStream);

impl Raw {
    async fn connect(sandbox: &Sandbox) -> Self {
        let url = sandbox.deribit_websocket_url();
        let (host, path) = url.trim_start_matches("ws://").split_once('/').unwrap();
        let mut stream = TcpStream::connect(host).await.unwrap();
        let handshake = format!(
            "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(handshake.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 101 "), "{head}");
        assert!(head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n"), "{head}");
        Self(stream)
    }

    async fn send(&mut self, text: &str) {
        let mut frame = Frame::message(text.to_owned(), OpCode::Data(Data::Text), true);
        frame.header_mut().mask = Some([1, 2, 3, 4]);
        let mut bytes = Vec::new();
        frame.format(&mut bytes).unwrap();
        self.0.write_all(&bytes).await.unwrap();
    }

    /// The next frame: whether it is the last one of its message, its opcode, its bytes.
    async fn frame(&mut self) -> (bool, u8, Vec<u8>) {
        let first = self.0.read_u8().await.unwrap();
        let length = match self.0.read_u8().await.unwrap() {
            126 => usize::from(self.0.read_u16().await.unwrap()),
            short => usize::from(short),
        };
        let mut payload = vec![0; length];
        self.0.read_exact(&mut payload).await.unwrap();
        (first & 0x80 != 0, first & 0x0f, payload)
    }
}

const TIME: &str = r#"{"jsonrpc":"2.0","id":1,"method":"public/get_time"}"#;

#[tokio::test]
async fn an_answer_comes_in_several_frames() {
    let sandbox = two_accounts().await;
    sandbox.faults().set(vec![Rule::new(Fault::Split { parts: 3 })]);
    let mut raw = Raw::connect(&sandbox).await;
    raw.send(TIME).await;
    let frames = [raw.frame().await, raw.frame().await, raw.frame().await];
    assert_eq!(frames.each_ref().map(|(last, opcode, _)| (*last, *opcode)), [(false, 1), (false, 0), (true, 0)]);
    let whole: Vec<u8> = frames.into_iter().flat_map(|(.., payload)| payload).collect();
    assert_eq!(serde_json::from_slice::<Value>(&whole).unwrap()["id"], 1);

    let mut socket = Socket::connect(&sandbox).await;
    assert!(socket.result("public/get_time", json!({})).await.is_i64(), "a client puts it together");
    assert_eq!(sandbox.faults().strikes(), [2]);
}

#[tokio::test]
async fn a_connection_ends_in_the_middle_of_a_frame() {
    let sandbox = two_accounts().await;
    sandbox.faults().set(vec![Rule::new(Fault::CloseMidAnswer)]);
    let mut raw = Raw::connect(&sandbox).await;
    raw.send(TIME).await;
    let mut bytes = Vec::new();
    raw.0.read_to_end(&mut bytes).await.unwrap();
    let announced = match bytes[1] {
        126 => usize::from(u16::from_be_bytes([bytes[2], bytes[3]])) + 4,
        short => usize::from(short) + 2,
    };
    assert_eq!(bytes.len(), announced / 2);
    assert_eq!(sandbox.executed()["deribit POST /api/v2/public/get_time"], 1);

    let (sandbox, mut socket) = with(Fault::CloseMidAnswer).await;
    socket.send(BUY, resting("a")).await;
    assert_eq!(socket.receive().await, Err(End::Lost));
    assert_eq!(bought(&sandbox, "a"), 1);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut() {
    let sandbox = two_accounts().await;
    let mut socket = Socket::connect(&sandbox).await;
    socket.result("public/subscribe", json!({"channels": ["announcements"]})).await;
    let data = json!("x".repeat(10_000));
    while sandbox.deribit_notify("announcements", data.clone()) == 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(sandbox.websocket_connections(), 0);
}

/// Nothing but the rules and their seed decides what goes wrong: what was carried out is known for each call.
#[tokio::test]
async fn no_order_of_a_long_run_is_made_twice_or_lost() {
    let sandbox = two_accounts().await;
    let rules = |fault| Rule::new(fault).on(BUY).chance(0.05);
    let faults = [
        Fault::DropBefore,
        Fault::DropAfter,
        Fault::SilenceBefore,
        Fault::SilenceAfter,
        Fault::CloseMidAnswer,
        Fault::Duplicate,
        Fault::UnknownId,
        Fault::Split { parts: 4 },
    ];
    sandbox.faults().set_seeded(faults.map(rules).to_vec(), 7);
    let mut socket = Socket::logged_in(&sandbox, 0).await;
    let mut verdicts: BTreeMap<String, Option<bool>> = BTreeMap::new();
    for number in 0..300 {
        let label = format!("order-{number}");
        let buy = socket.send(BUY, resting(&label)).await;
        // A second call says when a response will not come any more.
        let envelope = socket::envelope(buy + 1_000_000, "public/test", json!({}));
        _ = socket.stream.send(Message::text(envelope)).await;
        let mut is_known = None;
        loop {
            match socket.receive().await {
                Ok(answer) if answer["id"] == buy => is_known = Some(true),
                Ok(answer) if answer["id"] == buy + 1_000_000 => break,
                Ok(_) => {}
                Err(_) => {
                    socket = Socket::logged_in(&sandbox, 0).await;
                    break;
                }
            }
        }
        verdicts.insert(label, is_known);
    }
    let strikes = sandbox.faults().strikes();
    assert!(strikes.iter().all(|count| *count > 0), "{strikes:?}");
    let labels = sandbox.deribit_order_labels();
    assert!(labels.values().all(|count| *count == 1));
    assert!(verdicts.iter().all(|(label, known)| known.is_none() || labels.contains_key(label)));
    let lost = verdicts.values().filter(|known| known.is_none()).count();
    assert_eq!(u64::try_from(lost).unwrap(), strikes[..5].iter().sum::<u64>());
    assert_eq!(u64::try_from(300 - labels.len()).unwrap(), strikes[0] + strikes[2]);
    // The stream is whole after all that.
    assert!(socket.result("public/get_time", json!({})).await.is_i64());
}
