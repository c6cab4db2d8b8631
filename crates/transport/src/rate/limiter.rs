//! What a call costs, and from which budget it is paid.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use http::HeaderMap;
use smallvec::SmallVec;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};
use venuekit_wire::UnixMillis;
use venuekit_wire::operation::{Bucket, ErrorKind, Given, Limit, Operation, RateHeaders, Tier, Venue};

use super::ban::Bans;
use super::budget::{Debit, RateBudget, RateFeedback, RateFuture, Refused};
use super::local::LocalBudget;
use crate::error::{Error, Inner};
use crate::panics::{caught, caught_in};
use crate::retry_after::{LONG, believed, longest_of};

/// What a budget may take for itself, beyond the wait that it asks for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whose panics are caught.
const BUDGET: &str = "the rate budget";

/// How many budgets may be updated in the background at once.
const LEARNING: usize = 64;

/// What a call costs, by bucket. Few calls pay into more than two.
pub(crate) type Debits = SmallVec<[Debit; 2]>;

/// How a client keeps a venue's rate limits.
///
/// By default it keeps those that the venue gives a new account, for itself and its clones. Where several clients use one
/// account, give all of them a clone of the same value; where several processes do, a [`RateBudget`] that they
/// [share](Self::shared). All of them say the same tier.
///
/// ```
/// use venuekit_transport::RateLimits;
///
/// let limits = RateLimits::new().tier("premier");
/// let for_another_client_of_the_account = limits.clone();
/// let unlimited = RateLimits::none();
/// ```
#[derive(Clone, Debug)]
pub struct RateLimits {
    tier: Option<String>,
    budget: Option<Arc<dyn RateBudget>>,
    bans: Option<Bans>,
}

impl RateLimits {
    /// The limits of a new account, kept in this process.
    pub fn new() -> Self {
        Self::shared(LocalBudget::default())
    }

    /// The same limits, kept in a budget that others may share.
    pub fn shared(budget: impl RateBudget + 'static) -> Self {
        Self { tier: None, budget: Some(Arc::new(budget)), bans: Some(Bans::default()) }
    }

    /// No limits but the venue's own, which are then hit.
    pub const fn none() -> Self {
        Self { tier: None, budget: None, bans: None }
    }

    /// The limits of this tier, as the venue calls it. A tier that the venue has not is refused when the client is built.
    #[must_use]
    pub fn tier(mut self, name: impl Into<String>) -> Self {
        self.tier = Some(name.into());
        self
    }

    pub(crate) fn limiter(&self, venue: &'static Venue) -> Result<Limiter, Error> {
        let known = |bucket: &Bucket| bucket.tiers.iter().any(|tier| self.tier.as_deref() == Some(tier.name));
        if let Some(tier) = &self.tier
            && !venue.buckets.iter().any(known)
        {
            let mut names: Vec<&str> = Vec::new();
            for name in venue.buckets.iter().flat_map(|bucket| bucket.tiers).map(|tier| tier.name) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            let message = format!("{} has no tier `{tier}`; it has {}", venue.name, names.join(", "));
            return Err(Error::invalid_request(message));
        }
        let learning = Arc::new(Semaphore::new(LEARNING));
        let (tier, budget) = (self.tier.clone(), self.budget.clone());
        let bans = self.bans.clone().filter(|_| !venue.errors.bans.is_empty());
        Ok(Limiter { venue, tier, budget, bans, learning })
    }
}

impl Default for RateLimits {
    fn default() -> Self {
        Self::new()
    }
}

/// What a call waits for that could not pay at once.
pub(crate) type Waiting<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;

/// What a budget said when it was asked.
enum Taken<'a> {
    Now(Result<(), Refused>),
    Later(RateFuture<'a, Result<(), Refused>>),
}

/// A client's limits.
#[derive(Clone, Debug)]
pub(crate) struct Limiter {
    venue: &'static Venue,
    tier: Option<String>,
    budget: Option<Arc<dyn RateBudget>>,
    bans: Option<Bans>,
    learning: Arc<Semaphore>,
}

impl Limiter {
    /// What a call costs, unless there are no limits. `given` finds its parameters. The bucket with room for the fewest such calls comes
    /// first: the call waits there, and takes nothing from the others before.
    pub(crate) fn debits<'v>(
        &self,
        operation: &'static Operation,
        given: impl Fn(&str) -> Option<Given<'v>>,
    ) -> Debits {
        if self.budget.is_none() {
            return Debits::new();
        }
        let debit = |bucket: &'static str, tokens| {
            let bucket = self.venue.buckets.iter().find(|own| own.name == bucket)?;
            self.debit(bucket, if bucket.per_path { operation.path } else { "" }, tokens)
        };
        let rates = operation.rate.iter();
        let mut debits: Debits = rates.filter_map(|rate| debit(rate.bucket, rate.tokens(&given))).collect();
        debits.sort_by_key(calls);
        debits
    }

    fn debit(&self, bucket: &'static Bucket, path: &'static str, tokens: u64) -> Option<Debit> {
        let limits = self.tier_of(bucket)?.limits;
        Some(Debit { venue: self.venue.name, bucket: bucket.name, path, limits, tokens })
    }

    /// Pays all that a call costs, unless a ban is in force. Most calls wait for nothing; what another one has to wait for is returned,
    /// and ends when it may be sent: within `longest`, or it is not to be sent.
    pub(crate) fn pay<'a>(
        &'a self,
        operation: &'static Operation,
        debits: &'a [Debit],
        longest: Duration,
        time_left: Duration,
    ) -> Result<Option<Waiting<'a>>, Error> {
        if let Some(left) = self.bans.as_ref().and_then(|bans| bans.left(self.venue.name)) {
            if left > longest {
                return Err(Error::new(Inner {
                    kind: Some(ErrorKind::RateLimited),
                    operation: Some(operation),
                    message: format!("not sent: the venue has banned this address for another {left:.0?}"),
                    retry_after: Some(left),
                    held_back: true,
                    ..Inner::default()
                }));
            }
            return Ok(Some(Box::pin(async move {
                let begin = Instant::now();
                sleep(left).await;
                self.pay_late(operation, debits, None, longest, time_left, begin).await
            })));
        }
        for (at, debit) in debits.iter().enumerate() {
            match self.take(debit, longest) {
                Taken::Now(taken) => taken.map_err(|refused| not_paid(operation, debit, refused))?,
                Taken::Later(first) => {
                    let (begin, rest) = (Instant::now(), &debits[at..]);
                    return Ok(Some(Box::pin(self.pay_late(operation, rest, Some(first), longest, time_left, begin))));
                }
            }
        }
        Ok(None)
    }

    /// Pays the debits that are left, of which the first may be waited for already. A budget that does not respond is waited for no longer
    /// than the call has time left.
    async fn pay_late(
        &self,
        operation: &'static Operation,
        debits: &[Debit],
        mut first: Option<RateFuture<'_, Result<(), Refused>>>,
        longest: Duration,
        time_left: Duration,
        begin: Instant,
    ) -> Result<(), Error> {
        for debit in debits {
            let waited = begin.elapsed();
            let (longest, time_left) = (longest.saturating_sub(waited), time_left.saturating_sub(waited));
            let taken = match first.take().map_or_else(|| self.take(debit, longest), Taken::Later) {
                Taken::Now(taken) => taken,
                Taken::Later(waiting) => {
                    // A budget that ends its wait with the call's time is heard out.
                    let patience =
                        longest.saturating_add(PATIENCE).min(time_left.saturating_add(Duration::from_millis(100)));
                    match tokio::time::timeout(patience, caught_in(BUDGET, waiting)).await {
                        Ok(taken) => taken.unwrap_or_else(|| Err(panicked())),
                        Err(_) => Err(Refused::Unreachable(format!("no response in {patience:.1?}").into())),
                    }
                }
            };
            taken.map_err(|refused| not_paid(operation, debit, refused))?;
        }
        Ok(())
    }

    /// Takes what a call costs from the budget.
    fn take<'a>(&'a self, debit: &'a Debit, longest: Duration) -> Taken<'a> {
        let Some(budget) = &self.budget else { return Taken::Now(Ok(())) };
        let Some(mut taken) = caught(BUDGET, || budget.take(debit, longest)) else {
            return Taken::Now(Err(panicked()));
        };
        match caught(BUDGET, || (&mut taken).now_or_never()) {
            Some(Some(taken)) => Taken::Now(taken),
            Some(None) => Taken::Later(taken),
            None => Taken::Now(Err(panicked())),
        }
    }

    /// The venue has banned the address. Where it does not say for how long, an hour is believed.
    pub(crate) fn banned(&self, lasts: Option<Duration>) {
        if let Some(bans) = &self.bans {
            let lasts = lasts.unwrap_or(LONG);
            bans.begin(self.venue.name, lasts);
            tracing::warn!(
                venue = self.venue.name,
                ?lasts,
                "the venue has banned this address: nothing is sent until then"
            );
        }
    }

    fn tier_of(&self, bucket: &Bucket) -> Option<&'static Tier> {
        let named = |tier: &&Tier| self.tier.as_deref() == Some(tier.name);
        bucket.tiers.iter().find(named).or_else(|| bucket.tiers.first())
    }

    /// Takes over what the venue says of the limit. The response that said it is not kept waiting: a budget that is not done at
    /// once goes on in the background, for a while.
    pub(crate) fn learn(&self, debit: &Debit, told: RateFeedback) {
        let Some(budget) = self.budget.clone() else { return };
        let debit = *debit;
        // One bad value must not close the bucket for good: afterwards the next call finds out whether it still holds.
        let longest = longest_of(debit.limits);
        let told = RateFeedback { lasts: told.lasts.map(|lasts| believed(lasts, longest)), ..told };
        let learn = caught_in(BUDGET, async move { budget.learn(&debit, told).await });
        let mut learn = Box::pin(learn);
        match (&mut learn).now_or_never() {
            Some(Some(())) => {}
            Some(None) => not_learned(&debit, "it panicked"),
            None => match self.learning.clone().try_acquire_owned() {
                Err(_) => not_learned(&debit, "it is still busy with earlier updates"),
                Ok(turn) => drop(tokio::spawn(async move {
                    match tokio::time::timeout(PATIENCE, learn).await {
                        Ok(Some(())) => {}
                        Ok(None) => not_learned(&debit, "it panicked"),
                        Err(_) => not_learned(&debit, "it did not respond in time"),
                    }
                    drop(turn);
                })),
            },
        }
    }

    /// Takes over what the headers of a response say, if this venue's do. `now` is the venue's time.
    pub(crate) fn heard(&self, debits: &[Debit], headers: &HeaderMap, now: UnixMillis) {
        if self.budget.is_none() || self.venue.rate_headers.is_empty() {
            return;
        }
        let header = |name: &str| whole(headers.get(name)?.to_str().ok()?.trim());
        let mut counts = Vec::new();
        for names in self.venue.rate_headers {
            match *names {
                RateHeaders::Left { bucket, remaining, reset, per_second } => {
                    let told = header(remaining).zip(header(reset));
                    let Some(told) = told.and_then(|(left, reset)| until(left, reset, per_second, now)) else {
                        continue;
                    };
                    let is_meant = |debit: &&Debit| bucket.is_none_or(|bucket| bucket == debit.bucket);
                    debits.iter().filter(is_meant).for_each(|debit| self.learn(debit, told));
                }
                RateHeaders::Used { bucket, used, seconds } => {
                    counts.extend(header(used).map(|used| UsedCount { bucket, seconds, used }));
                }
            }
        }
        self.used(debits, &counts, now);
    }

    /// Takes over how much the venue says was used of its windows, each of which begins at a full multiple of its length. Of several
    /// windows of a bucket the one with the least left counts.
    pub(crate) fn used(&self, debits: &[Debit], counts: &[UsedCount<'_>], now: UnixMillis) {
        let venue = self.venue;
        for bucket in venue.buckets {
            let paid = debits.iter().find(|debit| debit.bucket == bucket.name).copied();
            // Which path's bucket is meant is known only from a call that pays into it.
            let other = || (!bucket.per_path).then(|| self.debit(bucket, "", 0)).flatten();
            let of_bucket = || counts.iter().filter(|count| count.bucket == bucket.name);
            if of_bucket().next().is_none() {
                continue;
            }
            let Some(debit) = paid.or_else(other) else { continue };
            let told = of_bucket().filter_map(|count| count.left(debit.limits, now));
            if let Some(told) = told.min_by_key(|told| told.left) {
                self.learn(&debit, told);
            }
        }
    }
}

/// How much the venue says was used of a window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UsedCount<'a> {
    /// The bucket.
    pub(crate) bucket: &'a str,
    /// The window's length.
    pub(crate) seconds: u64,
    /// Tokens.
    pub(crate) used: u64,
}

impl UsedCount<'_> {
    /// What is left of that window of these limits, until it ends.
    fn left(&self, limits: &[Limit], now: UnixMillis) -> Option<RateFeedback> {
        let count = limits.iter().find_map(|limit| match *limit {
            Limit::Window { count, seconds } if seconds == self.seconds => Some(count),
            _ => None,
        })?;
        let length = i64::try_from(self.seconds.checked_mul(1000)?).ok().filter(|length| *length > 0)?;
        let lasts = u64::try_from(length - now.get().rem_euclid(length)).ok()?;
        Some(RateFeedback { left: count.saturating_sub(self.used), lasts: Some(Duration::from_millis(lasts)) })
    }
}

/// The tokens left until the limit resets. `per_second` is how many units of the reset time make a second.
fn until(left: u64, reset: u64, per_second: i64, now: UnixMillis) -> Option<RateFeedback> {
    let reset = i64::try_from(reset).unwrap_or(i64::MAX);
    let reset = i64::try_from(i128::from(reset) * 1000 / i128::from(per_second.max(1))).unwrap_or(i64::MAX);
    let lasts = u64::try_from(reset.checked_sub(now.get())?).ok()?;
    Some(RateFeedback { left, lasts: Some(Duration::from_millis(lasts)) })
}

/// A whole number that is not negative; the largest one where it is larger.
fn whole(text: &str) -> Option<u64> {
    let is_whole = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_whole.then(|| text.parse().unwrap_or(u64::MAX))
}

/// The budget's code did not get to its end.
fn panicked() -> Refused {
    Refused::Unreachable("it panicked".into())
}

/// The error of a call that did not get past the limiter.
fn not_paid(operation: &'static Operation, debit: &Debit, refused: Refused) -> Error {
    let inner = Inner { operation: Some(operation), ..Inner::default() };
    Error::new(match refused {
        Refused::Wait(wait) => Inner {
            kind: Some(ErrorKind::RateLimited),
            message: format!("not sent: the rate limit of `{}` has room in {wait:.1?}", debit.bucket),
            retry_after: Some(wait),
            held_back: true,
            ..inner
        },
        Refused::Unreachable(source) => Inner {
            kind: Some(ErrorKind::Network),
            message: format!("not sent: the shared rate budget cannot be reached: {source}"),
            source: Some(source.into()),
            ..inner
        },
    })
}

/// The next call finds out by itself.
fn not_learned(debit: &Debit, reason: &str) {
    let Debit { venue, bucket, .. } = debit;
    tracing::warn!(venue, bucket, reason, "the rate budget was not updated with the limits that the venue reports");
}

/// How many such calls a bucket has room for at most.
fn calls(debit: &Debit) -> u64 {
    let size = |limit: &Limit| match *limit {
        Limit::Refill { capacity, .. } => capacity,
        Limit::Window { count, .. } => count,
    };
    debit.limits.iter().map(size).min().unwrap_or(u64::MAX) / debit.tokens.max(1)
}
