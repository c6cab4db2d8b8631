//! What a typed message of a stream costs beyond tokio-tungstenite and serde.
//!
//! Both read the same frames from a server in another thread, look at the sequence number of each, decode it into a struct with exact
//! prices, and hand it to a loop. The other way is written by hand: a socket, a struct, a comparison of numbers; it has no reconnect,
//! no other reader and no queue.
//!
//! With `VENUEKIT_LATENCY=1000000` it measures over so many messages how long they wait for their reader, and with `VENUEKIT_PAUSED=60`
//! the memory while a reader does not read for so many seconds.

#![allow(clippy::print_stdout)]

mod pair;
#[path = "pair/readers.rs"]
mod readers;
#[path = "pair/trades.rs"]
mod trades;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use futures_util::StreamExt;
use pair::{compare, way};
use tokio::runtime::Builder;
use trades::{Envelope, MARKET, by_hand, client, frame, serve};
use venuekit::streams::Event;

/// So many messages are read in a row.
const BURST: u64 = 1000;

fn messages(criterion: &mut Criterion) {
    println!("messages of {} bytes, {BURST} in a row", frame(1_000_000).len());
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();

    let (address, go) = serve();
    let subscribe = client(&address).streams().trade([MARKET]).capacity(2 * BURST as usize);
    let mut trades = runtime.block_on(subscribe.subscribe()).unwrap();
    let ours = || {
        go.send((BURST, 0)).unwrap();
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
    let mut socket = runtime.block_on(by_hand(&address));
    let mut last = 0;
    let by_hand = || {
        go_by_hand.send((BURST, 0)).unwrap();
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

/// What is asked for by a variable of the environment.
fn readers(_: &mut Criterion) {
    let asked = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    if let Some(messages) = asked("VENUEKIT_LATENCY") {
        readers::latency(messages);
    }
    if let Some(seconds) = asked("VENUEKIT_PAUSED") {
        readers::paused(seconds);
    }
}

criterion_group!(benches, messages, readers);
criterion_main!(benches);
