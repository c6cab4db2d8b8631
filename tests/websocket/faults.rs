//! Ten thousand orders over connections that are cut at random: each call ends once, its error says rightly whether the order may
//! have been placed, and none is placed twice. `VENUEKIT_FAULTS` sets another number.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use venuekit::transport::{RetryPolicy, Timeouts};
use venuekit_sandbox::{Fault, Rule, Transport};

use crate::desk::{builder, buy, sandbox};

#[derive(Debug, PartialEq)]
enum End {
    Placed,
    NotPlaced,
    Unknown,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_order_ends_once_with_the_right_verdict() {
    let count: usize = std::env::var("VENUEKIT_FAULTS").map_or(10_000, |count| count.parse().unwrap());
    let sandbox = sandbox().await;
    let rule = |fault, chance| Rule::new(fault).over(Transport::Websocket).chance(chance);
    let order = |fault, chance| rule(fault, chance).on("private/buy");
    sandbox.faults().set_seeded(
        vec![
            rule(Fault::DropBefore, 0.1).on("public/auth"),
            rule(Fault::DropAfter, 0.1).on("public/set_heartbeat"),
            order(Fault::DropBefore, 0.001),
            order(Fault::DropAfter, 0.001),
            order(Fault::CloseMidAnswer, 0.001),
            order(Fault::SilenceBefore, 0.001),
            order(Fault::SilenceAfter, 0.001),
            order(Fault::Reorder, 0.05),
            order(Fault::Duplicate, 0.05),
            order(Fault::UnknownId, 0.05),
            order(Fault::Split { parts: 4 }, 0.05),
            order(Fault::Delay { ms: 2 }, 0.05),
        ],
        11,
    );
    let timeouts = Timeouts { attempt: Duration::from_millis(1500), ..Timeouts::default() };
    // Repeated, where it is certain that nothing was done.
    let client = builder(&sandbox).timeouts(timeouts).retry(RetryPolicy::default()).build().unwrap();
    // By the orders that were placed, and not by the time: on a busy machine nothing would be placed between two cuts.
    let placed = AtomicUsize::new(0);
    let cuts = async {
        let mut next = 0;
        loop {
            tokio::time::sleep(Duration::from_millis(1)).await;
            if placed.load(Ordering::Relaxed) >= next {
                sandbox.cut_connections();
                next += 100;
            }
        }
    };
    let orders = stream::iter(0..count)
        .map(|number| {
            let (client, placed) = (client.clone(), &placed);
            async move {
                let label = format!("order-{number}");
                let end =
                    match tokio::spawn(async move { buy(&client, &format!("order-{number}")).await }).await.unwrap() {
                        Ok(_) => {
                            placed.fetch_add(1, Ordering::Relaxed);
                            End::Placed
                        }
                        Err(error) if error.may_have_been_applied() => End::Unknown,
                        Err(_) => End::NotPlaced,
                    };
                (label, end)
            }
        })
        .buffer_unordered(32)
        .collect::<Vec<_>>();
    let ends = tokio::select! {
        ends = orders => ends,
        () = cuts => unreachable!("it goes on"),
    };
    assert_eq!(ends.len(), count);
    let placed = sandbox.deribit_order_labels();
    let mut tally = BTreeMap::new();
    for (label, end) in &ends {
        let times = placed.get(label).copied().unwrap_or_default();
        let right = match end {
            End::Placed => times == 1,
            End::NotPlaced => times == 0,
            End::Unknown => times <= 1,
        };
        assert!(right, "{label} ended as {end:?} and was placed {times} times");
        *tally.entry(format!("{end:?}, placed {times}")).or_insert(0_usize) += 1;
    }
    let stats = client.connection().unwrap().stats();
    assert!(stats.opened > 10, "{stats:?}");
    // Many orders are placed, and both ways of not knowing have happened.
    assert!(tally["Placed, placed 1"] > count / 10, "{tally:?}");
    assert!(
        count < 10_000 || tally.contains_key("Unknown, placed 0") && tally.contains_key("Unknown, placed 1"),
        "{tally:?}"
    );
}
