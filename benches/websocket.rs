//! What a call over a WebSocket costs beyond tokio-tungstenite and serde.
//!
//! Both send the same envelopes to the same server on loopback, which always gives the same answer, have any number of calls under
//! way, find each answer's call by its id, give each call the same time, and decode it. The other way is written by hand: a task
//! that writes, a task that reads, a map of who waits, and structs with the same fields. Client and server have a thread each.

#![allow(clippy::print_stdout)]

#[path = "pair/calls.rs"]
mod calls;
mod pair;

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use calls::{generous, measure};
use criterion::{Criterion, criterion_group, criterion_main};
use futures_util::{SinkExt, StreamExt};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use venuekit::deribit::{Client, Environment, WebSocketOptions};
use venuekit::wire::DecimalNumber;
use venuekit_sandbox::{Accounts, Sandbox};

const NAME: &str = "BTC-PERPETUAL";

#[allow(dead_code)]
#[derive(Deserialize)]
struct Ticker<D> {
    anchor_max_price: Option<D>,
    anchor_min_price: Option<D>,
    ask_iv: Option<D>,
    best_ask_amount: Option<D>,
    best_ask_price: Option<D>,
    best_bid_amount: Option<D>,
    best_bid_price: Option<D>,
    bid_iv: Option<D>,
    current_funding: Option<D>,
    delivery_price: Option<D>,
    estimated_delivery_price: Option<D>,
    funding_8h: Option<D>,
    greeks: Option<Greeks<D>>,
    index_price: Option<D>,
    instrument_name: String,
    interest_rate: Option<D>,
    interest_value: Option<D>,
    is_anchor_breached: Option<bool>,
    last_price: Option<D>,
    mark_iv: Option<D>,
    mark_price: Option<D>,
    max_price: Option<D>,
    min_price: Option<D>,
    open_interest: Option<D>,
    settlement_price: Option<D>,
    state: Option<String>,
    stats: Option<Stats<D>>,
    timestamp: i64,
    underlying_index: Option<String>,
    underlying_price: Option<D>,
}

#[allow(dead_code)]
#[derive(Deserialize)]
struct Greeks<D> {
    delta: Option<D>,
    gamma: Option<D>,
    rho: Option<D>,
    theta: Option<D>,
    vega: Option<D>,
}

#[allow(dead_code)]
#[derive(Deserialize)]
struct Stats<D> {
    high: Option<D>,
    low: Option<D>,
    price_change: Option<D>,
    volume: Option<D>,
    volume_notional: Option<D>,
    volume_usd: Option<D>,
}

/// The other way.
#[derive(Clone)]
struct Raw {
    outbox: mpsc::Sender<String>,
    waiting: Arc<Mutex<HashMap<u64, oneshot::Sender<Utf8Bytes>>>>,
    ids: Arc<AtomicU64>,
}

#[derive(Serialize)]
struct Request<'a, P> {
    jsonrpc: &'a str,
    id: u64,
    method: &'a str,
    params: P,
}

#[derive(Serialize)]
struct TickerParams<'a> {
    instrument_name: &'a str,
}

#[derive(Deserialize)]
struct Head {
    id: u64,
}

#[allow(dead_code)]
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer<T> {
    result: T,
    us_in: Option<i64>,
    us_out: Option<i64>,
    us_diff: Option<i64>,
}

impl Raw {
    async fn connect(url: &str) -> Self {
        let stream = tokio::net::TcpStream::connect(url.trim_start_matches("ws://")).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (stream, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
        let (mut sink, mut source) = stream.split();
        let (outbox, mut queue) = mpsc::channel::<String>(1024);
        let waiting: Arc<Mutex<HashMap<u64, oneshot::Sender<Utf8Bytes>>>> = Arc::default();
        let calls = waiting.clone();
        tokio::spawn(async move {
            while let Some(text) = queue.recv().await {
                sink.feed(Message::text(text)).await.unwrap();
                while let Ok(text) = queue.try_recv() {
                    sink.feed(Message::text(text)).await.unwrap();
                }
                sink.flush().await.unwrap();
            }
        });
        tokio::spawn(async move {
            while let Some(Ok(message)) = source.next().await {
                let Message::Text(text) = message else { continue };
                let head: Head = serde_json::from_str(&text).unwrap();
                if let Some(call) = calls.lock().unwrap().remove(&head.id) {
                    let _ = call.send(text);
                }
            }
        });
        Self { outbox, waiting, ids: Arc::new(AtomicU64::new(1)) }
    }

    async fn call<T: DeserializeOwned>(&self, method: &str, params: impl Serialize) -> Answer<T> {
        let id = self.ids.fetch_add(1, Ordering::Relaxed);
        let request = serde_json::to_string(&Request { jsonrpc: "2.0", id, method, params }).unwrap();
        let (send, receive) = oneshot::channel();
        self.waiting.lock().unwrap().insert(id, send);
        self.outbox.send(request).await.unwrap();
        let answer = tokio::time::timeout(Duration::from_secs(20), receive).await.unwrap().unwrap();
        serde_json::from_str(&answer).unwrap()
    }

    async fn ticker(self) {
        black_box(self.call::<Ticker<DecimalNumber>>("public/ticker", TickerParams { instrument_name: NAME }).await);
    }
}

async fn ticker(client: Client) {
    black_box(client.ticker().body_map(|params| params.instrument_name(NAME)).send().await.unwrap());
}

fn calls(criterion: &mut Criterion) {
    let url = serve();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let options = WebSocketOptions::new().heartbeat(None);
    let builder = Client::websocket(Environment::Custom(url.clone())).rate_limits(generous()).websocket(options);
    let client = builder.build().unwrap();
    let raw = runtime.block_on(Raw::connect(&url));
    for count in [1, 64] {
        let (ours, other) = (|| ticker(client.clone()), ("tungstenite", || raw.clone().ticker()));
        measure(criterion, &runtime, "ticker", count, ours, other);
    }
}

/// Serves one ticker, over and over, from a thread of its own, for as long as the process lives.
fn serve() -> String {
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let ticker = one_ticker().await;
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            send.send(format!("ws://{}", listener.local_addr().unwrap())).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                tokio::spawn(answer(stream, ticker.clone()));
            }
        });
    });
    receive.recv().unwrap()
}

async fn answer(stream: tokio::net::TcpStream, ticker: String) {
    let stream = tokio_tungstenite::accept_async(stream).await.unwrap();
    let (mut sink, source) = stream.split();
    // What has arrived together is answered together.
    let mut batches = source.ready_chunks(64);
    while let Some(batch) = batches.next().await {
        for message in batch {
            let Ok(Message::Text(text)) = message else { return };
            let id = serde_json::from_str::<Head>(&text).unwrap().id;
            let times = r#""usIn":1763769600000000,"usOut":1763769600000100,"usDiff":100,"testnet":true"#;
            let answer = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{ticker},{times}}}"#);
            sink.feed(Message::text(answer)).await.unwrap();
        }
        sink.flush().await.unwrap();
    }
}

/// A ticker with all its fields, as the sandbox has it.
async fn one_ticker() -> String {
    #[derive(Deserialize)]
    struct Whole {
        result: Box<RawValue>,
    }
    let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
    let url = format!("{}/public/ticker?instrument_name={NAME}", sandbox.deribit_url());
    reqwest::get(url).await.unwrap().json::<Whole>().await.unwrap().result.get().to_owned()
}

criterion_group!(benches, calls);
criterion_main!(benches);
