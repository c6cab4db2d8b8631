//! A venue that sends trades, and what a program by hand reads them with.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use venuekit::auth::{KeyKind, PrivateKey};
use venuekit::kalshi::{Client, Credentials, Environment};

/// The market of all trades.
pub const MARKET: &str = "KXHIGHNY-26NOV22-B55";

/// A price in a JSON string, parsed by its own `FromStr`.
#[allow(dead_code)]
pub struct Exact(rust_decimal::Decimal);

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
pub struct Trade {
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

/// What is around it.
#[allow(dead_code)]
#[derive(Deserialize)]
pub struct Envelope<'a> {
    #[serde(borrow)]
    r#type: &'a str,
    sid: i64,
    pub seq: u64,
    sending_ts_ms: Option<i64>,
    pub msg: Trade,
}

/// A trade as it is sent.
pub fn frame(seq: u64) -> String {
    format!(
        concat!(
            r#"{{"type":"trade","sid":1,"seq":{seq},"sending_ts_ms":1790000000123,"msg":{{"#,
            r#""trade_id":"0d3c4ea1-7b7e-4d0c-9d7e-{seq:012}","market_ticker":"{market}","#,
            r#""yes_price_dollars":"0.5600","no_price_dollars":"0.4400","count_fp":"136.00","taker_side":"yes","#,
            r#""taker_book_side":"bid","taker_outcome_side":"yes","is_block_trade":false,"ts":1790000000,"ts_ms":1790000000123,"#,
            r#""note":"{pad}"}}}}"#
        ),
        seq = seq,
        market = MARKET,
        pad = "x".repeat(64),
    )
}

/// So many trades, and how many of them a second: zero is as fast as they can be written.
pub type Burst = (u64, u64);

/// What makes the venue send.
pub type Go = mpsc::UnboundedSender<Burst>;

/// Serves one connection: responds to the first request, then sends what it is given.
pub fn serve() -> (String, Go) {
    let (send_url, url) = std::sync::mpsc::channel();
    let (go, mut bursts) = mpsc::unbounded_channel::<Burst>();
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
            while let Some((count, per_second)) = bursts.recv().await {
                let (begin, mut sent) = (Instant::now(), 0);
                while sent < count {
                    let due = match per_second {
                        0 => count,
                        rate => ((begin.elapsed().as_micros() as u64 * rate) / 1_000_000).min(count),
                    };
                    while sent < due {
                        (seq, sent) = (seq + 1, sent + 1);
                        socket.feed(Message::text(Utf8Bytes::from(frame(seq)))).await.unwrap();
                    }
                    socket.flush().await.unwrap();
                    if sent < count {
                        // There is nothing else for this thread to do.
                        std::thread::sleep(Duration::from_micros(100));
                    }
                }
            }
        });
    });
    (url.recv().unwrap(), go)
}

/// A client of that venue.
pub fn client(address: &str) -> Client {
    let key = PrivateKey::generate(KeyKind::Ed25519).unwrap();
    let environment = Environment::Custom(format!("http://{address}/trade-api/v2"));
    Client::builder(environment).credentials(Credentials::new("key", key).unwrap()).build().unwrap()
}

/// A connection by hand.
pub async fn by_hand(address: &str) -> WebSocketStream<TcpStream> {
    let stream = TcpStream::connect(&address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut socket, _) = tokio_tungstenite::client_async(format!("ws://{address}/"), stream).await.unwrap();
    socket.send(Message::text(r#"{"id":1,"cmd":"subscribe"}"#)).await.unwrap();
    socket.next().await.unwrap().unwrap();
    socket
}
