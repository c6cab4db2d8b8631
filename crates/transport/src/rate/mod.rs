//! Rate limits that are kept, not hit.
//!
//! Which bucket a call is paid from and what it costs is the spec's word (`x-buckets`, `x-rate`). Every attempt is paid for.

mod ban;
mod budget;
mod limiter;
mod local;
mod meter;
#[cfg(feature = "redis")]
mod redis;

pub use budget::{Debit, RateBudget, RateFeedback, RateFuture, Refused};
pub use limiter::RateLimits;
pub(crate) use limiter::{Debits, Limiter, UsedCount};
pub use local::LocalBudget;
#[cfg(feature = "redis")]
pub use redis::RedisBudget;

#[cfg(test)]
mod tests;
