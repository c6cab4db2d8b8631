//! What calls are paid from.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use venuekit_wire::operation::Limit;

/// What a budget's methods return.
pub type RateFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A venue's rate limit, as one process or a fleet of them shares it.
///
/// [`LocalBudget`](super::LocalBudget) is one process's. An implementation has to be fair: a call that came first and costs more is
/// not overtaken forever by calls that cost less. A call may be cancelled while it waits; that must never let more through than
/// the limits allow.
pub trait RateBudget: fmt::Debug + Send + Sync {
    /// Takes what a call costs, and returns when it may be sent. Where that would be later than `longest` from now, nothing is taken
    /// and the wait comes back at once. A budget that has not responded some seconds later is abandoned: the call is not sent.
    fn take<'a>(&'a self, debit: &'a Debit, longest: Duration) -> RateFuture<'a, Result<(), Refused>>;

    /// Takes over what the venue says of the bucket: in a header of a response, or by refusing a call. The caller of that call has its
    /// response already: what is not done at once goes on in the background for five seconds, and is then given up.
    fn learn<'a>(&'a self, debit: &'a Debit, told: RateFeedback) -> RateFuture<'a, ()>;
}

/// What a call takes from which bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Debit {
    /// The venue, as its folder under `specs/` is named.
    pub venue: &'static str,
    /// The bucket, as in the spec's `x-buckets`.
    pub bucket: &'static str,
    /// The path whose bucket it is, where each path has one; empty where all share it.
    pub path: &'static str,
    /// What the bucket allows for the caller's tier. All of them hold.
    pub limits: &'static [Limit],
    /// What the call costs.
    pub tokens: u64,
}

/// What a venue says of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateFeedback {
    /// Tokens that are left.
    pub left: u64,
    /// How long that holds. Nothing if the venue does not say, as in a bare 429: the bucket is empty then and fills as usual.
    pub lasts: Option<Duration>,
}

/// Why a call was not let through.
#[derive(Debug)]
#[non_exhaustive]
pub enum Refused {
    /// It would have to wait this long.
    Wait(Duration),
    /// The budget cannot be reached.
    Unreachable(Box<dyn std::error::Error + Send + Sync>),
}
