//! What a typed message of a stream costs beyond tokio-tungstenite and serde.
//!
//! Both read the same frames from a server in another thread, look at the sequence number of each, decode it into a struct with exact
//! prices, and hand it to a loop. The other way is written by hand: a socket, a struct, a comparison of numbers; it has no reconnect,
//! no other reader and no queue.

#![allow(clippy::print_stdout)]

mod pair;

use std::borrow::Cow;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use futures_util::{SinkExt, StreamExt};
use pair::{compare, way};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use venuekit::auth::{KeyKind, PrivateKey};
use venuekit::kalshi::{Client, Credentials, Environment};
use venuekit::streams::Event;

/// So many messages are read in a row.
const BURST: u64 = 1000;

/// A price in a JSON string, parsed by its own `FromStr`.
#[allow(dead_code)]
struct Exact(rust_decimal::Decimal);

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
        let Text(text) = Text::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|_| D::Error::custom("no number"))
    }
}

/// The fields of a trade.
#[allow(dead_code)]
#[derive(Deserialize)]
struct Trade {
    trade_id: String,
    market_ticker: String,
    yes_price_dollars: Exact,
    no_price_dollars: Option<Exact>,
    count_fp: Exact,
    taker_side: Option<String>,
    taker_book_side: Option<String>,
    taker_outcome_side: Option<String>,
    is_block_trade: Option<bool>,
    ts: Option<i64>,
    ts_ms: Option<i64>,
}

#[allow(dead_code)]
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    r#type: &'a str,
    sid: i64,
    seq: u64,
    sending_ts_ms: Option<i64>,
    msg: Trade,
}

fn frame(seq: u64) -> String {
    format!(
        concat!(
            r#"{{"type":"trade","sid":1,"seq":{seq},"sending_ts_ms":1790000000123,"msg":{{"#,
            r#""trade_id":"0d3c4ea1-7b7e-4d0c-9d7e-{seq:012}","market_ticker":"KXHIGHNY-26NOV22-B55","#,
            r#""yes_price_dollars":"0.5600","no_price_dollars":"0.4400","count_fp":"136.00","taker_side":"yes","#,
            r#""taker_book_side":"bid","taker_outcome_side":"yes","is_block_trade":false,"ts":1790000000,"ts_ms":1790000000123,"#,
            r#""note":"{pad}"}}}}"#
        ),
        seq = seq,
        pad = "x".repeat(64),
    )
}

/// Serves one connection after the other: a reply to whatever is asked first, then a burst for each word of the bench.
fn serve() -> (String, mpsc::UnboundedSender<()>) {
    let (send_url, url) = std::sync::mpsc::channel();
    let (go, mut bursts) = mpsc::unbounded_channel::<()>();
    std::thread::spawn(move || {
        Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            send_url.send(listener.local_addr().unwrap().to_string()).unwrap();
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            #[allow(clippy::result_large_err)]
            let any = |_: &Request, response: Response| -> Result<Response, ErrorResponse> { Ok(response) };
            let mut socket = tokio_tungstenite::accept_hdr_async(stream, any).await.unwrap();
            let asked = socket.next().await.unwrap().unwrap();
            let id = serde_json::from_str::<serde_json::Value>(asked.to_text().unwrap()).unwrap()["id"].clone();
            let reply = format!(r#"{{"type":"subscribed","id":{id},"msg":{{"channel":"trade","sid":1}}}}"#);
            socket.send(Message::text(reply)).await.unwrap();
            let mut seq = 0;
            while bursts.recv().await.is_some() {
                for _ in 0..BURST {
                    seq += 1;
                    socket.feed(Message::text(Utf8Bytes::from(frame(seq)))).await.unwrap();
                }
                socket.flush().await.unwrap();
            }
        });
    });
    (url.recv().unwrap(), go)
}

fn messages(criterion: &mut Criterion) {
    println!("messages of {} bytes, {BURST} in a row", frame(1_000_000).len());
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();

    let (address, go) = serve();
    let key = PrivateKey::generate(KeyKind::Ed25519).unwrap();
    let environment = Environment::Custom(format!("http://{address}/trade-api/v2"));
    let client = Client::builder(environment).credentials(Credentials::new("key", key).unwrap()).build().unwrap();
    let subscribe = client.streams().trade(["KXHIGHNY-26NOV22-B55"]).capacity(2 * BURST as usize);
    let mut trades = runtime.block_on(subscribe.subscribe()).unwrap();
    let ours = || {
        go.send(()).unwrap();
        runtime.block_on(async {
            let mut left = BURST;
            while left > 0 {
                match trades.next().await {
                    Some(Event::Message(trade)) => {
                        black_box(&trade.value);
                        left -= 1;
                    }
                    Some(Event::Stale(_) | Event::Resynced(_)) => {}
                    other => panic!("{other:?}"),
                }
            }
        });
    };

    let (address, go_by_hand) = serve();
    let mut socket = runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (mut socket, _) = tokio_tungstenite::client_async(format!("ws://{address}/"), stream).await.unwrap();
        socket.send(Message::text(r#"{"id":1,"cmd":"subscribe"}"#)).await.unwrap();
        socket.next().await.unwrap().unwrap();
        socket
    });
    let mut last = 0;
    let by_hand = || {
        go_by_hand.send(()).unwrap();
        runtime.block_on(async {
            for _ in 0..BURST {
                let message = socket.next().await.unwrap().unwrap();
                let envelope: Envelope<'_> = serde_json::from_str(message.to_text().unwrap()).unwrap();
                assert_eq!(envelope.seq, last + 1);
                last = envelope.seq;
                black_box(&envelope.msg);
            }
        });
    };
    compare(criterion, "messages_1000", way("venuekit", ours), vec![way("tungstenite", by_hand)]);
}

criterion_group!(benches, messages);
criterion_main!(benches);
