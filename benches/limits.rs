//! What keeping the rate limit and the clock costs a call.
//!
//! The peer of the limiter is `governor`, which decides without a queue and for one kind of limit.

#![allow(clippy::print_stdout)]

mod pair;

use std::hint::black_box;
use std::num::NonZeroU32;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use criterion::{Criterion, criterion_group, criterion_main};
use governor::{Quota, RateLimiter};
use pair::{compare, way};
use tokio::runtime::Builder;
use venuekit::transport::{Clock, Debit, LocalBudget, RateBudget};
use venuekit::wire::operation::Limit;

/// Out of reach, so that nobody waits.
const REFILL: &[Limit] = &[Limit::Refill { per_second_millis: 1_000_000_000_000, capacity: 1_000_000_000 }];
const WINDOWS: &[Limit] =
    &[Limit::Window { count: u64::MAX / 4, seconds: 60 }, Limit::Window { count: u64::MAX / 4, seconds: 3600 }];

fn limiter(criterion: &mut Criterion) {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    for (group, limits) in [("limiter_refill", REFILL), ("limiter_two_windows", WINDOWS)] {
        let budget = LocalBudget::default();
        let debit = Debit { venue: "venue", bucket: "bucket", path: "", limits, tokens: 1 };
        let quota = Quota::per_second(NonZeroU32::MAX);
        let peer = RateLimiter::direct(quota);
        // A thousand at a time: entering the runtime costs more than one.
        let ours = || {
            runtime.block_on(async {
                for _ in 0..1000 {
                    budget.take(black_box(&debit), Duration::ZERO).await.unwrap();
                }
            });
        };
        let theirs = || {
            for _ in 0..1000 {
                black_box(peer.check()).unwrap();
            }
        };
        compare(criterion, &format!("{group}_1000_times"), way("venuekit", ours), vec![way("governor", theirs)]);
    }
}

fn clock(criterion: &mut Criterion) {
    let clock = Clock::default();
    let ours = || {
        for _ in 0..1000 {
            black_box(black_box(&clock).now());
        }
    };
    let bare = || {
        for _ in 0..1000 {
            black_box(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis());
        }
    };
    compare(criterion, "clock_1000_times", way("venuekit", ours), vec![way("SystemTime", bare)]);
}

criterion_group!(benches, limiter, clock);
criterion_main!(benches);
