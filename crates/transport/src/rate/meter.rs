//! One bucket: what was spent, and when there is room for more.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;
use venuekit_wire::operation::Limit;

use super::RateFeedback;

/// What was spent of one bucket.
#[derive(Debug)]
pub(super) struct Meter {
    limits: Vec<Spent>,
    /// What the venue said last, while that holds.
    told: Option<(u64, Instant)>,
}

#[derive(Debug)]
enum Spent {
    /// Tokens come back evenly. That is one moment: when all of them will be back.
    Refill { per_second_millis: u64, capacity: u64, full_at: Instant },
    /// So many in any span: each batch of them until it has left the span.
    Window { count: u64, span: Duration, sum: u64, batches: VecDeque<Batch> },
}

/// Tokens spent at about the same time.
#[derive(Debug)]
struct Batch {
    first: Instant,
    last: Instant,
    tokens: u64,
}

/// A window is remembered in at most so many batches, and as much later a token comes back.
const BATCHES: u32 = 64;

/// A venue says in whole seconds when its limit starts again: what differs by less is the same moment.
const SAME: Duration = Duration::from_secs(1);

/// As long as can be added to any moment, on every system.
const CENTURY: Duration = Duration::from_secs(100 * 365 * 86_400);

impl Meter {
    pub(super) fn new(limits: &[Limit], now: Instant) -> Self {
        let spent = |limit: &Limit| match *limit {
            Limit::Refill { per_second_millis, capacity } => {
                Spent::Refill { per_second_millis: per_second_millis.max(1), capacity, full_at: now }
            }
            Limit::Window { count, seconds } => Spent::Window {
                count: count.max(1),
                span: Duration::from_secs(seconds).min(CENTURY),
                sum: 0,
                batches: VecDeque::new(),
            },
        };
        Self { limits: limits.iter().map(spent).collect(), told: None }
    }

    /// Takes tokens, or says how long there is no room for them. More than ever fit are taken when there is room for nothing
    /// more: the account may have another tier than is known, and the venue has the last word.
    pub(super) fn take(&mut self, tokens: u64, now: Instant) -> Result<(), Duration> {
        let wait = self.wait(0, tokens, now);
        if !wait.is_zero() {
            return Err(wait);
        }
        for limit in &mut self.limits {
            limit.spend(tokens, now);
        }
        if let Some((left, _)) = &mut self.told {
            *left = left.saturating_sub(tokens);
        }
        Ok(())
    }

    /// How long until there is room for so many tokens, after others that are ahead.
    pub(super) fn wait(&mut self, ahead: u64, tokens: u64, now: Instant) -> Duration {
        self.told = self.told.filter(|(_, until)| now < *until);
        let told = match self.told {
            Some((left, until)) if left < ahead.saturating_add(tokens) => until - now,
            _ => Duration::ZERO,
        };
        self.limits.iter_mut().map(|limit| limit.wait(ahead, tokens, now)).fold(told, Duration::max)
    }

    /// Takes over what the venue says.
    pub(super) fn learn(&mut self, told: RateFeedback, now: Instant) {
        let lasts = told.lasts.unwrap_or_else(|| self.unsaid());
        let until = now + lasts.min(CENTURY);
        // What was spent since that response was written is known here only.
        let left = match self.told.filter(|(_, until)| now < *until) {
            Some((left, same)) if same.max(until) - same.min(until) <= SAME => left.min(told.left),
            _ => told.left,
        };
        self.told = Some((left, until));
        if told.left == 0 && told.lasts.is_none() {
            for limit in &mut self.limits {
                limit.drain(now);
            }
        }
    }

    /// How long a refusal holds that says nothing of it: the shortest span. Where tokens come back evenly, some do at once.
    fn unsaid(&self) -> Duration {
        let span = |limit: &Spent| match limit {
            Spent::Window { span, .. } => *span,
            Spent::Refill { .. } => Duration::ZERO,
        };
        self.limits.iter().map(span).min().unwrap_or_default()
    }
}

impl Spent {
    fn wait(&mut self, ahead: u64, tokens: u64, now: Instant) -> Duration {
        match self {
            Self::Refill { per_second_millis, capacity, full_at } => {
                let tokens = ahead.saturating_add(tokens.min(*capacity));
                let full = (*full_at).max(now) - now;
                match tokens.checked_sub(*capacity) {
                    Some(more) => full.saturating_add(time_of(more, *per_second_millis)),
                    None => full.saturating_sub(nanos(scaled(*capacity - tokens) / u128::from(*per_second_millis))),
                }
            }
            Self::Window { count, span, sum, batches } => {
                while batches.front().is_some_and(|batch| batch.last + *span <= now) {
                    *sum = sum.saturating_sub(batches.pop_front().map_or(0, |batch| batch.tokens));
                }
                let mut over = sum.saturating_add(ahead).saturating_add(tokens.min(*count)).saturating_sub(*count);
                let mut wait = Duration::ZERO;
                for batch in batches.iter() {
                    if over == 0 {
                        return wait;
                    }
                    over = over.saturating_sub(batch.tokens);
                    wait = batch.last + *span - now;
                }
                // Those ahead fill whole spans of their own.
                wait.saturating_add(span.saturating_mul(u32::try_from(over.div_ceil(*count)).unwrap_or(u32::MAX)))
            }
        }
    }

    fn spend(&mut self, tokens: u64, now: Instant) {
        match self {
            Self::Refill { per_second_millis, full_at, .. } => {
                let owed = (*full_at).max(now) - now;
                *full_at = now + owed.saturating_add(time_of(tokens, *per_second_millis)).min(CENTURY);
            }
            Self::Window { span, sum, batches, .. } => {
                *sum = sum.saturating_add(tokens);
                match batches.back_mut().filter(|batch| now - batch.first < *span / BATCHES) {
                    Some(batch) => {
                        batch.last = now;
                        batch.tokens = batch.tokens.saturating_add(tokens);
                    }
                    None => batches.push_back(Batch { first: now, last: now, tokens }),
                }
            }
        }
    }

    /// The venue has less than was known here: nothing is left.
    fn drain(&mut self, now: Instant) {
        if let Self::Refill { per_second_millis, capacity, full_at } = self {
            *full_at = (*full_at).max(now + time_of(*capacity, *per_second_millis));
        }
    }
}

/// How long so many tokens take to come back, rounded up: never early.
fn time_of(tokens: u64, per_second_millis: u64) -> Duration {
    nanos(scaled(tokens).div_ceil(u128::from(per_second_millis)))
}

/// Tokens, so that dividing by a rate in thousandths a second gives nanoseconds.
fn scaled(tokens: u64) -> u128 {
    u128::from(tokens) * 1_000_000_000_000
}

/// A duration that can be added to a moment.
fn nanos(nanos: u128) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)).min(CENTURY)
}
