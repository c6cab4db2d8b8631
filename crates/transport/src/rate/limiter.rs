//! What a call costs, and from which budget it is paid.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use http::HeaderMap;
use tokio::sync::Semaphore;
use venuekit_wire::UnixMillis;
use venuekit_wire::operation::{Bucket, ErrorKind, Operation, Rate, Tier, Venue};

use super::budget::{Debit, RateBudget, RateFeedback, Refused};
use super::local::LocalBudget;
use crate::error::{Error, Inner};
use crate::panics::{caught, caught_in};
use crate::retry_after::{believed, longest_of};

/// What a budget may take for itself, beyond the wait that it asks for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whose panics are caught.
const BUDGET: &str = "the rate budget";

/// How many budgets may be updated in the background at once.
const LEARNING: usize = 64;

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
}

impl RateLimits {
    /// The limits of a new account, kept in this process.
    pub fn new() -> Self {
        Self::shared(LocalBudget::default())
    }

    /// The same limits, kept in a budget that others may share.
    pub fn shared(budget: impl RateBudget + 'static) -> Self {
        Self { tier: None, budget: Some(Arc::new(budget)) }
    }

    /// No limits but the venue's own, which are then hit.
    pub const fn none() -> Self {
        Self { tier: None, budget: None }
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
        Ok(Limiter { venue, tier: self.tier.clone(), budget: self.budget.clone(), learning })
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
    learning: Arc<Semaphore>,
}

impl Limiter {
    /// What a call costs, as long as somebody counts it.
    pub(crate) fn debit(&self, operation: &Operation, items: usize) -> Option<Debit> {
        self.budget.as_ref()?;
        let rate = operation.rate?;
        let bucket = self.venue.buckets.iter().find(|bucket| bucket.name == rate.bucket)?;
        let tier = self.tier_of(bucket)?;
        let tokens = tokens(rate, items);
        Some(Debit { venue: self.venue.name, bucket: bucket.name, limits: tier.limits, tokens })
    }

    fn tier_of(&self, bucket: &Bucket) -> Option<&'static Tier> {
        let named = |tier: &&Tier| self.tier.as_deref() == Some(tier.name);
        bucket.tiers.iter().find(named).or_else(|| bucket.tiers.first())
    }

    /// Returns when the call may be sent: within `longest`, or it is not to be sent. A budget that does not respond is waited for
    /// no longer than the call has time left.
    pub(crate) async fn take(
        &self,
        operation: &'static Operation,
        debit: &Debit,
        longest: Duration,
        time_left: Duration,
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

    /// What the headers of a response say, if this venue's do. `now` is the venue's time.
    pub(crate) fn told(&self, headers: &HeaderMap, now: UnixMillis) -> Option<RateFeedback> {
        let names = self.venue.rate_headers?;
        let header = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
        let left = whole(header(names.remaining)?)?;
        let reset = i64::try_from(whole(header(names.reset)?)?).unwrap_or(i64::MAX);
        let reset = i64::try_from(i128::from(reset) * 1000 / i128::from(names.per_second.max(1))).unwrap_or(i64::MAX);
        let lasts = u64::try_from(reset.checked_sub(now.get())?).ok()?;
        Some(RateFeedback { left, lasts: Some(Duration::from_millis(lasts)) })
    }
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

/// What a call costs: so much, or so much an item.
fn tokens(rate: Rate, items: usize) -> u64 {
    let cost = u64::from(rate.cost);
    if rate.per_item.is_none() { cost } else { cost.saturating_mul(items.max(1) as u64) }
}
