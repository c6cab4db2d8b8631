//! What a client holds of a token, and when it renews it or logs in again.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Token;
use super::cache::Running;
use crate::error::Error;
use crate::retry_after::LONG;

#[derive(Default)]
pub(super) struct State {
    pub(super) held: Option<CachedToken>,
    /// The login or renewal that is in progress.
    pub(super) running: Option<Running>,
    failed: Option<Failure>,
    /// How often the venue has ended what a token stands for. A login from before that may be ended too.
    pub(super) ends: u64,
    /// Renewals ahead of the end that have failed in a row.
    renewals_failed: u32,
    /// When all the logins that refused tokens have caused are paid for.
    refusals_paid_at: Option<Instant>,
}

#[derive(Clone)]
pub(super) struct CachedToken {
    pub(super) token: Arc<Token>,
    pub(super) renew_at: Option<Instant>,
    pub(super) ends_at: Option<Instant>,
}

impl CachedToken {
    /// Whether it is time to renew it.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.renew_at.is_some_and(|at| at <= now)
    }
}

struct Failure {
    error: Error,
    at: Instant,
}

/// A refused login is not tried again before this is over.
pub(super) const PAUSE: Duration = Duration::from_secs(1);

/// The shortest lifetime of a token here, even if the venue says less.
pub(super) const SHORTEST_LIFE: Duration = PAUSE;

/// No token is renewed sooner than this before its end: any longer is as good as forever.
const LONGEST_AHEAD: Duration = Duration::from_secs(365 * 86_400);

/// A renewal ahead of the end that failed is tried again after this, and after twice as long each further time.
const RENEW_AGAIN: Duration = Duration::from_secs(5);

/// Renewals that fail are at most this far apart.
const RENEW_AGAIN_LATEST: Duration = Duration::from_secs(300);

/// A refused token is replaced this often at once, and once more after each [`REFUSAL_EARNED`]. Where a venue refuses every token
/// that it gives, or one call for another reason than its token, further logins would not help.
pub(super) const REFUSALS_AT_ONCE: u32 = 5;

/// See [`REFUSALS_AT_ONCE`].
pub(super) const REFUSAL_EARNED: Duration = Duration::from_secs(15);

impl State {
    /// Whether a refused token may be replaced by a login, which is then counted.
    pub(super) fn may_replace_refused(&mut self, now: Instant) -> bool {
        let paid_at = self.refusals_paid_at.map_or(now, |at| at.max(now)) + REFUSAL_EARNED;
        let may = paid_at <= now + REFUSAL_EARNED * REFUSALS_AT_ONCE;
        if may {
            self.refusals_paid_at = Some(paid_at);
        }
        may
    }

    pub(super) fn usable(&self, now: Instant) -> Option<CachedToken> {
        self.held.as_ref().filter(|held| held.ends_at.is_none_or(|end| now < end)).cloned()
    }

    /// A failure that holds for this call too: of a login that was refused just now, or before which the venue asks to wait.
    pub(super) fn failure(&self, now: Instant) -> Option<Error> {
        let failure = self.failed.as_ref()?;
        // What the venue asks to wait for holds for every call. Our own limiter is asked again.
        let asked = failure.error.retry_after().filter(|_| !failure.error.was_held_back()).map(|wait| wait.min(LONG));
        let until = failure.at + if failure.error.is_retryable() { asked.unwrap_or_default() } else { PAUSE };
        if now >= until {
            return None;
        }
        let error = failure.error.clone();
        Some(if asked.is_some() { error.waiting(until.saturating_duration_since(now)) } else { error })
    }

    /// A login has failed.
    pub(super) fn fail(&mut self, error: Error) {
        self.failed = Some(Failure { error, at: Instant::now() });
    }

    /// A renewal ahead of the end has failed. The next one is made later.
    pub(super) fn renew_later(&mut self) {
        let wait = RENEW_AGAIN.saturating_mul(1 << self.renewals_failed.min(16)).min(RENEW_AGAIN_LATEST);
        self.renewals_failed = self.renewals_failed.saturating_add(1);
        if let Some(held) = &mut self.held {
            held.renew_at = Some(Instant::now() + wait);
        }
    }

    pub(super) fn hold(&mut self, token: Token, fetched: Instant) -> Arc<Token> {
        let token = Arc::new(token);
        // Clients that logged in together do not come back together.
        let ahead = token.ahead.min(LONGEST_AHEAD).mul_f64(1.0 + fastrand::f64() / 2.0);
        let life = token.lives.map(|life| life.max(SHORTEST_LIFE));
        let renew_after = life.map(|life| life.saturating_sub(ahead).max(life / 2).max(SHORTEST_LIFE));
        // A life too long for the clock to hold has no end.
        let after = |span: Option<Duration>| fetched.checked_add(span?);
        self.held = Some(CachedToken { token: token.clone(), renew_at: after(renew_after), ends_at: after(life) });
        self.failed = None;
        self.renewals_failed = 0;
        token
    }
}
