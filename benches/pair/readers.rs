//! How long a message waits for its reader, and what a reader costs that does not read.

use std::time::{Duration, Instant, SystemTime};

use futures_util::StreamExt;
use tokio::runtime::Builder;
use tokio::sync::mpsc;
use venuekit::streams::{Event, Overflow};

use crate::trades::{Envelope, MARKET, by_hand, client, serve};

/// So many messages a second.
const RATE: u64 = 50_000;

/// So many rounds, in which the two ways take turns.
const ROUNDS: u64 = 20;

/// So many messages may wait.
const CAPACITY: usize = 4096;

/// From the moment at which a frame was read from the socket to the moment at which the user's loop has it: over our streams, and over a
/// bounded channel of tokio between a task that reads and the loop. Both read the message as its type before that moment.
pub fn latency(messages: u64) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let round = messages / ROUNDS;

    let (address, go) = serve();
    let subscribe = client(&address).streams().trade([MARKET]).capacity(CAPACITY);
    let mut trades = runtime.block_on(subscribe.subscribe()).unwrap();
    let mut ours = |into: &mut Vec<u64>| {
        go.send((round, RATE)).unwrap();
        runtime.block_on(async {
            let mut left = round;
            while left > 0 {
                match trades.next().await {
                    Some(Event::Message(trade)) => {
                        into.push(nanos_since(trade.received));
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
    let (send, mut receive) = mpsc::channel(CAPACITY);
    runtime.spawn(async move {
        while let Some(Ok(message)) = socket.next().await {
            let received = SystemTime::now();
            if send.send((received, message)).await.is_err() {
                return;
            }
        }
    });
    let mut by_channel = |into: &mut Vec<u64>| {
        go_by_hand.send((round, RATE)).unwrap();
        runtime.block_on(async {
            for _ in 0..round {
                let (received, message) = receive.recv().await.unwrap();
                let envelope: Envelope<'_> = serde_json::from_str(message.to_text().unwrap()).unwrap();
                std::hint::black_box(&envelope.msg);
                into.push(nanos_since(received));
            }
        });
    };

    let (mut own, mut other) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours(&mut own);
        by_channel(&mut other);
    }
    own.sort_unstable();
    other.sort_unstable();
    println!("from frame to reader, {} messages, {RATE} a second", own.len());
    for (name, part) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)] {
        let at = |all: &[u64]| all[((all.len() - 1) as f64 * part) as usize] as f64 / 1000.0;
        let (own, other) = (at(&own), at(&other));
        println!("{name}: venuekit {own:.1} µs, tokio channel {other:.1} µs, ratio {:.2}", own / other);
    }
}

fn nanos_since(time: SystemTime) -> u64 {
    SystemTime::now().duration_since(time).unwrap_or_default().as_nanos() as u64
}

/// Memory while a reader does not read for so many seconds, by what happens to what it has no room for.
pub fn paused(seconds: u64) {
    for overflow in [Overflow::DropOldest, Overflow::Block] {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (address, go) = serve();
        let streams = client(&address).streams();
        let subscribe = streams.trade([MARKET]).capacity(CAPACITY).overflow(overflow);
        let mut trades = runtime.block_on(subscribe.subscribe()).unwrap();
        let begin = memory();
        println!("{overflow:?}, {RATE} messages a second, a reader that stops: {:.1} MiB at the beginning", begin);
        go.send((RATE * seconds, RATE)).unwrap();
        let started = Instant::now();
        for step in 1..=12 {
            let at = Duration::from_secs(seconds) * step / 12;
            std::thread::sleep(at.saturating_sub(started.elapsed()));
            let arrived = streams.shared().stats().messages;
            println!("  after {:.0} s: {:.1} MiB, {arrived} messages have come", at.as_secs_f64(), memory());
        }
        let (mut read, mut lagged) = (0_u64, 0);
        runtime.block_on(async {
            while read + lagged < RATE * seconds {
                match trades.next().await {
                    Some(Event::Message(_)) => read += 1,
                    Some(Event::Lagged(count)) => lagged += count,
                    Some(Event::Stale(_) | Event::Resynced(_)) => {}
                    other => panic!("{other:?}"),
                }
            }
        });
        println!("  then it reads: {read} messages, {lagged} were dropped and counted, {:.1} MiB\n", memory());
    }
}

/// The resident memory of this process, in MiB.
fn memory() -> f64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = pages.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    (pages * 4096) as f64 / (1024.0 * 1024.0)
}
