//! What a call costs, and from which budget it is paid.

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
use super::budget::{Debit, RateBudget, RateFeedback, Refused};
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

    /// Returns when all that a call costs is paid, and no ban is in force: within `longest`, or the call is not to be sent.
    pub(crate) async fn pay(
        &self,
        operation: &'static Operation,
        debits: &[Debit],
        longest: Duration,
        time_left: Duration,
    ) -> Result<(), Error> {
        // Most calls wait for nothing, and need not know the time.
        let mut begin = None;
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
            begin = Some(Instant::now());
            Box::pin(sleep(left)).await;
        }
        for debit in debits {
            let waited = begin.map_or(Duration::ZERO, |begin| begin.elapsed());
            let (longest, time_left) = (longest.saturating_sub(waited), time_left.saturating_sub(waited));
            self.take(operation, debit, longest, time_left, &mut begin).await?;
        }
        Ok(())
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

    /// Returns when the call may be sent: within `longest`, or it is not to be sent. A budget that does not respond is waited for
    /// no longer than the call has time left. `begin` is set to when the first wait of the call began.
    async fn take(
        &self,
        operation: &'static Operation,
        debit: &Debit,
        longest: Duration,
        time_left: Duration,
        begin: &mut Option<Instant>,
    ) -> Result<(), Error> {
        let Some(budget) = &self.budget else { return Ok(()) };
        let panicked = || Refused::Unreachable("it panicked".into());
        // Most calls find what they need, and have nothing to wait for.
        let taken = caught(BUDGET, || budget.take(debit, longest)).and_then(|mut taken| {
            let now = caught(BUDGET, || (&mut taken).now_or_never())?;
            Some((taken, now))
        });
        let taken = match taken {
            None => Err(panicked()),
            Some((_, Some(taken))) => taken,
            Some((waiting, None)) => {
                begin.get_or_insert_with(Instant::now);
                // A budget that ends its wait with the call's time is heard out.
                let patience =
                    longest.saturating_add(PATIENCE).min(time_left.saturating_add(Duration::from_millis(100)));
                match Box::pin(tokio::time::timeout(patience, caught_in(BUDGET, waiting))).await {
                    Ok(taken) => taken.unwrap_or_else(|| Err(panicked())),
                    Err(_) => Err(Refused::Unreachable(format!("no response in {patience:.1?}").into())),
                }
            }
        };
        let Err(refused) = taken else { return Ok(()) };
        let inner = Inner { operation: Some(operation), ..Inner::default() };
        Err(Error::new(match refused {
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
        }))
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
