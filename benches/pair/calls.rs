//! Calls measured side by side: so many at once, and without limits.

use std::time::Duration;

use criterion::Criterion;
use tokio::runtime::Runtime;
use venuekit::transport::{Debit, LocalBudget, RateBudget, RateFeedback, RateFuture, RateLimits, Refused};
use venuekit::wire::operation::Limit;

use crate::pair::{compare, way};

/// Limits that are counted as usual and never reached: the venue's would be what is measured.
pub fn generous() -> RateLimits {
    RateLimits::shared(Generous(LocalBudget::default()))
}

/// A budget whose limits are out of reach.
#[derive(Debug)]
struct Generous(LocalBudget);

const LIMITS: &[Limit] = &[Limit::Refill { per_second_millis: 1_000_000_000, capacity: 1_000_000_000 }];

impl RateBudget for Generous {
    fn take<'a>(&'a self, debit: &'a Debit, longest: Duration) -> RateFuture<'a, Result<(), Refused>> {
        Box::pin(async move { self.0.take(&Debit { limits: LIMITS, ..*debit }, longest).await })
    }

    fn learn<'a>(&'a self, debit: &'a Debit, told: RateFeedback) -> RateFuture<'a, ()> {
        self.0.learn(debit, told)
    }
}

/// One measurement is so many calls at once. The other way has a name.
pub fn measure<A, B>(
    criterion: &mut Criterion,
    runtime: &Runtime,
    call: &str,
    in_flight: usize,
    ours: impl Fn() -> A,
    (name, other): (&'static str, impl Fn() -> B),
) where
    A: Future<Output = ()> + Send + 'static,
    B: Future<Output = ()> + Send + 'static,
{
    let group = format!("{call}_{in_flight}_in_flight");
    let ours = way("venuekit", || runtime.block_on(at_once(in_flight, &ours)));
    compare(criterion, &group, ours, vec![way(name, || runtime.block_on(at_once(in_flight, &other)))]);
}

async fn at_once<F: Future<Output = ()> + Send + 'static>(count: usize, call: &impl Fn() -> F) {
    let calls: Vec<_> = (0..count).map(|_| tokio::spawn(call())).collect();
    for call in calls {
        call.await.unwrap();
    }
}
