//! What a call costs, and from which budget it is paid.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use reqwest::{Body, Request};
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use venuekit_wire::UnixMillis;
use venuekit_wire::operation::{Bucket, ErrorKind, Operation, Rate, Tier, Venue};

use super::budget::{Debit, RateBudget, Refused, Told};
use super::local::LocalBudget;
use crate::error::{Error, Inner};
use crate::panics::caught_in;

/// How a client keeps a venue's rate limits.
///
/// If nothing is said it keeps those that the venue gives a new account, for itself and its clones. Where several clients use one
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
            let message = format!("{} has no tier `{tier}`, but {}", venue.name, names.join(", "));
            return Err(Error::invalid_request(message));
        }
        Ok(Limiter { venue, tier: self.tier.clone(), budget: self.budget.clone() })
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
}

impl Limiter {
    /// What a call costs, as long as somebody counts it.
    pub(crate) fn debit(&self, operation: &Operation, request: &Request) -> Option<Debit> {
        self.budget.as_ref()?;
        let rate = operation.rate?;
        let bucket = self.venue.buckets.iter().find(|bucket| bucket.name == rate.bucket)?;
        let tier = self.tier_of(bucket)?;
        let tokens = tokens(rate, request);
        Some(Debit { venue: self.venue.name, bucket: bucket.name, limits: tier.limits, tokens })
    }

    fn tier_of(&self, bucket: &Bucket) -> Option<&'static Tier> {
        let named = |tier: &&Tier| self.tier.as_deref() == Some(tier.name);
        bucket.tiers.iter().find(named).or_else(|| bucket.tiers.first())
    }

    /// Returns when the call may be sent.
    pub(crate) async fn take(
        &self,
        operation: &'static Operation,
        debit: &Debit,
        longest: Duration,
    ) -> Result<(), Error> {
        let Some(budget) = &self.budget else { return Ok(()) };
        let taken = caught_in("the rate budget", async { budget.take(debit, longest).await }).await;
        let refused = match taken.unwrap_or_else(|| Err(Refused::Unreachable("it panicked".into()))) {
            Ok(()) => return Ok(()),
            Err(refused) => refused,
        };
        let inner = Inner { operation: Some(operation), ..Inner::default() };
        Err(Error::new(match refused {
            Refused::Wait(wait) => Inner {
                kind: Some(ErrorKind::RateLimited),
                message: format!("not sent: the limit of `{}` allows it in {wait:.1?}", debit.bucket),
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

    /// Takes over what the venue says of the limit.
    pub(crate) async fn learn(&self, debit: &Debit, told: Told) {
        if let Some(budget) = &self.budget {
            // There is an answer, which is not to be lost to this.
            caught_in("the rate budget", async { budget.learn(debit, told).await }).await;
        }
    }

    /// What the headers of an answer say, if this venue's do. `now` is the venue's time.
    pub(crate) fn told(&self, headers: &HeaderMap, now: UnixMillis) -> Option<Told> {
        let names = self.venue.rate_headers?;
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<i64>().ok();
        let lasts = number(names.reset)?.checked_mul(1000)?.checked_sub(now.get())?;
        let lasts = Duration::from_millis(u64::try_from(lasts).ok()?);
        Some(Told { left: u64::try_from(number(names.remaining)?).ok()?, lasts: Some(lasts) })
    }
}

/// What a request costs: so much, or so much an item.
fn tokens(rate: Rate, request: &Request) -> u64 {
    let cost = u64::from(rate.cost);
    let Some(list) = rate.per_item else { return cost };
    let items = request.body().and_then(Body::as_bytes).and_then(|body| {
        let members: HashMap<String, &RawValue> = serde_json::from_slice(body).ok()?;
        serde_json::from_str::<Vec<IgnoredAny>>(members.get(list)?.get()).ok()
    });
    cost * items.map_or(1, |items| items.len().max(1) as u64)
}
