//! The budget of one process.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fnv::FnvHashMap;
use tokio::time::{Instant, sleep, timeout_at};

use super::budget::{Debit, RateBudget, RateFeedback, RateFuture, Refused};
use super::meter::Meter;

/// Venue, bucket and path.
type BucketKey = (&'static str, &'static str, &'static str);

/// Buckets in the memory of this process. Calls that wait for the same bucket go in the order in which they came.
#[derive(Debug, Default)]
pub struct LocalBudget {
    /// The names are those of specs: nobody can choose them so that they collide.
    buckets: Mutex<FnvHashMap<BucketKey, Arc<Bucket>>>,
}

#[derive(Debug)]
struct Bucket {
    /// Its holder is next. Its queue is fair.
    turn: tokio::sync::Mutex<()>,
    /// Tokens that calls in the queue will take.
    wanted: AtomicU64,
    meter: Mutex<Meter>,
}

/// The timer knows nothing shorter.
const TICK: Duration = Duration::from_millis(1);

/// A place in the queue, which is released when the call is dropped.
struct QueueSlot<'a>(&'a AtomicU64, u64);

impl Drop for QueueSlot<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(self.1, Ordering::Relaxed);
    }
}

impl LocalBudget {
    fn bucket(&self, debit: &Debit) -> Arc<Bucket> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let made = || {
            let meter = Mutex::new(Meter::new(debit.limits, Instant::now()));
            Arc::new(Bucket { turn: tokio::sync::Mutex::default(), wanted: AtomicU64::new(0), meter })
        };
        buckets.entry((debit.venue, debit.bucket, debit.path)).or_insert_with(made).clone()
    }
}

impl Bucket {
    fn meter<T>(&self, does: impl FnOnce(&mut Meter, Instant) -> T) -> T {
        // The meter is whole between any two of its methods, so a panic elsewhere does not spoil it.
        does(&mut self.meter.lock().unwrap_or_else(PoisonError::into_inner), Instant::now())
    }

    /// Nothing is taken before the moment at which it may be used: a call that is dropped while it waits costs nothing.
    async fn take(&self, tokens: u64, longest: Duration) -> Result<(), Refused> {
        if let Ok(_turn) = self.turn.try_lock()
            && self.meter(|meter, now| meter.take(tokens, now)).is_ok()
        {
            return Ok(());
        }
        // On the heap for itself: few calls come here.
        Box::pin(self.take_in_turn(tokens, longest)).await
    }

    async fn take_in_turn(&self, tokens: u64, longest: Duration) -> Result<(), Refused> {
        // What one call takes is bounded, so that no number of calls overflows the sum.
        let place = tokens.min(u64::from(u32::MAX));
        let ahead = self.wanted.fetch_add(place, Ordering::Relaxed);
        let _place = QueueSlot(&self.wanted, place);
        let expected = self.meter(|meter, now| meter.wait(ahead, tokens, now));
        if expected > longest {
            return Err(Refused::Wait(expected));
        }
        // A wait too long for the clock to hold ends with the call.
        let deadline = Instant::now() + longest.min(Duration::from_secs(365 * 86_400));
        let Ok(_turn) = timeout_at(deadline, self.turn.lock()).await else { return Err(Refused::Wait(expected)) };
        loop {
            match self.meter(|meter, now| meter.take(tokens, now)) {
                Ok(()) => return Ok(()),
                // The venue may have taken back what was expected.
                Err(wait) if wait > deadline.saturating_duration_since(Instant::now()) => {
                    return Err(Refused::Wait(wait));
                }
                Err(wait) => sleep(wait.max(TICK)).await,
            }
        }
    }
}

impl RateBudget for LocalBudget {
    fn take<'a>(&'a self, debit: &'a Debit, longest: Duration) -> RateFuture<'a, Result<(), Refused>> {
        let bucket = self.bucket(debit);
        Box::pin(async move { bucket.take(debit.tokens, longest).await })
    }

    fn learn<'a>(&'a self, debit: &'a Debit, told: RateFeedback) -> RateFuture<'a, ()> {
        self.bucket(debit).meter(|meter, now| meter.learn(told, now));
        Box::pin(std::future::ready(()))
    }
}
