//! Tokens, fetched on demand and renewed ahead of their end.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use venuekit_auth::{Headers, SignError, Signer};
use venuekit_wire::Secret;
use venuekit_wire::operation::ErrorKind;

use crate::error::{Error, Inner};
use crate::panics::caught_in;
use crate::retry_after::LONG;

/// What a venue gives for a login: the headers that calls carry from then on, and for how long.
#[derive(Clone)]
pub struct Token {
    signer: Arc<dyn Signer>,
    secrets: Vec<Secret>,
    lives: Option<Duration>,
    ahead: Duration,
    refresh: Option<Secret>,
}

/// A token is renewed this long before its end, if nothing else is said.
const AHEAD: Duration = Duration::from_secs(60);

impl Token {
    /// A token in the `Authorization` header.
    ///
    /// # Errors
    /// A token that no header can hold.
    pub fn bearer(token: impl Into<Secret>) -> Result<Self, SignError> {
        let token = token.into();
        Ok(Self::new(Headers::bearer(token.clone())?, [token]))
    }

    /// What puts it on a request, and the texts in it that must not be seen.
    pub fn new(signer: impl Signer + 'static, secrets: impl Into<Vec<Secret>>) -> Self {
        Self { signer: Arc::new(signer), secrets: secrets.into(), lives: None, ahead: AHEAD, refresh: None }
    }

    /// Its remaining life, by the venue's word. Without it the token is used until the venue refuses it. A life of less than a
    /// second counts as a second, so that no venue's word makes a client log in for every call.
    #[must_use]
    pub fn lives(mut self, life: Duration) -> Self {
        self.lives = Some(life);
        self
    }

    /// How long before its end it is renewed: a minute by default, and never more than half of its life.
    #[must_use]
    pub fn renewed_ahead(mut self, ahead: Duration) -> Self {
        self.ahead = ahead;
        self
    }

    /// The token for its renewal.
    #[must_use]
    pub fn refreshed_by(mut self, refresh: impl Into<Secret>) -> Self {
        self.refresh = Some(refresh.into());
        self
    }

    pub(crate) fn signer(&self) -> &dyn Signer {
        &*self.signer
    }

    pub(crate) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.secrets.iter().chain(&self.refresh)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("lives", &self.lives).finish_non_exhaustive()
    }
}

/// What fetching a token returns.
pub type GrantFuture<'a> = Pin<Box<dyn Future<Output = Result<Token, Error>> + Send + 'a>>;

/// A way to a token: the venue's own, through its generated client.
pub trait Grant: Send + Sync {
    /// Logs in for a fresh token.
    fn fetch(&self) -> GrantFuture<'_>;

    /// Renews a token by its refresh token. Where a venue has none, this logs in.
    fn refresh<'a>(&'a self, _refresh: &'a Secret) -> GrantFuture<'a> {
        self.fetch()
    }
}

/// One token for all calls of a client: the first call that needs it fetches it, the others wait for that and share the outcome.
pub(crate) struct TokenCache {
    grant: Box<dyn Grant>,
    /// Held by the call that fetches.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    /// There is a new token.
    renewed: tokio::sync::Notify,
}

#[derive(Default)]
struct State {
    held: Option<CachedToken>,
    failed: Option<Failure>,
    failures: u64,
    /// Renewals ahead of the end that have failed in a row.
    renewals_failed: u32,
    /// When all the logins that refused tokens have caused are paid for.
    refusals_paid_at: Option<Instant>,
}

#[derive(Clone)]
struct CachedToken {
    token: Arc<Token>,
    renew_at: Option<Instant>,
    ends_at: Option<Instant>,
}

struct Failure {
    error: Error,
    at: Instant,
}

/// A refused login is not tried again before this is over.
const PAUSE: Duration = Duration::from_secs(1);

/// The shortest lifetime of a token here, even if the venue says less.
const SHORTEST_LIFE: Duration = PAUSE;

/// No token is renewed sooner than this before its end: any longer is as good as forever.
const LONGEST_AHEAD: Duration = Duration::from_secs(365 * 86_400);

/// A renewal ahead of the end that failed is tried again after this, and after twice as long each further time.
const RENEW_AGAIN: Duration = Duration::from_secs(5);

/// Renewals that fail are at most this far apart.
const RENEW_AGAIN_LATEST: Duration = Duration::from_secs(300);

/// A refused token is replaced this often at once, and once more after each [`REFUSAL_EARNED`]. Where a venue refuses every token
/// that it gives, or one call for another reason than its token, further logins would not help.
const REFUSALS_AT_ONCE: u32 = 5;

/// See [`REFUSALS_AT_ONCE`].
const REFUSAL_EARNED: Duration = Duration::from_secs(15);

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

impl TokenCache {
    pub(crate) fn new(grant: Box<dyn Grant>) -> Self {
        Self { grant, turn: tokio::sync::Mutex::default(), state: Mutex::default(), renewed: Default::default() }
    }

    /// The current token. One that is to be renewed goes on serving other calls until the new one is there.
    pub(crate) async fn get(&self) -> Result<Arc<Token>, Error> {
        let now = Instant::now();
        let (held, failures) = self.state(|state| (state.usable(now), state.failures));
        let Some(held) = held else { return self.fetch(failures).await };
        let is_due = held.renew_at.is_some_and(|at| at <= now);
        if is_due && let Ok(_turn) = self.turn.try_lock() {
            // The call before this one may have renewed it, and a refresh token can be used once.
            let now_held = self.state(|state| state.usable(now)).map(|held| held.token);
            return match now_held {
                Some(newer) if !Arc::ptr_eq(&newer, &held.token) => Ok(newer),
                _ => Ok(self.renew(&held).await),
            };
        }
        Ok(held.token)
    }

    /// The token, where there is one that need not be renewed yet.
    pub(crate) fn at_hand(&self) -> Option<Arc<Token>> {
        let now = Instant::now();
        let held = self.state(|state| state.usable(now))?;
        held.renew_at.is_none_or(|at| at > now).then_some(held.token)
    }

    /// Whether there is a token that was not refused.
    pub(crate) fn is_held(&self) -> bool {
        self.state(|state| state.held.is_some())
    }

    /// Renews the token whenever it is time, without anybody asking for it. Never returns.
    pub(crate) async fn keep(&self) {
        loop {
            match self.state(|state| state.held.as_ref().and_then(|held| held.renew_at)) {
                None => self.renewed.notified().await,
                Some(at) => tokio::select! {
                    () = tokio::time::sleep_until(at) => self.renew_if_due().await,
                    () = self.renewed.notified() => {}
                },
            }
        }
    }

    /// Renews the token, unless a call that had the turn before has done so.
    async fn renew_if_due(&self) {
        let _turn = self.turn.lock().await;
        let now = Instant::now();
        let held = self.state(|state| state.held.clone().filter(|held| held.renew_at.is_some_and(|at| at <= now)));
        if let Some(held) = held {
            self.renew(&held).await;
        }
    }

    /// Whether this is the token that calls carry now.
    pub(crate) fn is_current(&self, token: &Arc<Token>) -> bool {
        let now = Instant::now();
        self.state(|state| state.usable(now)).is_some_and(|held| Arc::ptr_eq(&held.token, token))
    }

    /// Forgets a token that the venue has refused. Says whether the call is worth repeating with another one: not after many
    /// refusals in a short time, when the token is kept, since another login would be refused as well.
    pub(crate) fn drop_if(&self, refused: &Arc<Token>) -> bool {
        self.state(|state| {
            if !state.held.as_ref().is_some_and(|held| Arc::ptr_eq(&held.token, refused)) {
                return true;
            }
            let may = state.may_replace_refused(Instant::now());
            if may {
                state.held = None;
            } else {
                tracing::warn!("the venue refuses new tokens; keeping the last one");
            }
            may
        })
    }

    /// Forgets the token, because the venue has ended what it stands for. Where that happens again and again it is kept.
    pub(crate) fn forget(&self) {
        self.state(|state| {
            if state.held.is_some() && state.may_replace_refused(Instant::now()) {
                state.held = None;
            }
        });
    }

    /// `failures` is how many there were when the caller began to wait.
    async fn fetch(&self, failures: u64) -> Result<Arc<Token>, Error> {
        let _turn = self.turn.lock().await;
        // Somebody else may have been at it in the meantime.
        let now = Instant::now();
        if let Some(held) = self.state(|state| state.usable(now)) {
            return Ok(held.token);
        }
        if let Some(error) = self.state(|state| state.shared_failure(failures, now)) {
            return Err(error);
        }
        let result = self.log_in().await;
        let result = self.state(|state| match result {
            Ok(token) => Ok(state.hold(token, now)),
            Err(error) => {
                let error = error.of_login();
                state.failed = Some(Failure { error: error.clone(), at: Instant::now() });
                state.failures += 1;
                Err(error)
            }
        });
        self.renewed.notify_one();
        result
    }

    /// A token for one that still works. If none is to be had, that one does for now.
    async fn renew(&self, held: &CachedToken) -> Arc<Token> {
        let now = Instant::now();
        let refreshed = match &held.token.refresh {
            Some(refresh) => Some(self.refresh(refresh).await),
            None => None,
        };
        let result = match refreshed {
            // A refresh token that the venue no longer takes is no reason to give up.
            Some(Err(error)) if is_refusal(&error) => self.log_in().await,
            Some(result) => result,
            None => self.log_in().await,
        };
        self.state(|state| match result {
            Ok(token) => state.hold(token, now),
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), "could not renew the token before it expires");
                let wait = RENEW_AGAIN.saturating_mul(1 << state.renewals_failed.min(16)).min(RENEW_AGAIN_LATEST);
                state.renewals_failed = state.renewals_failed.saturating_add(1);
                if let Some(held) = &mut state.held {
                    held.renew_at = Some(Instant::now() + wait);
                }
                held.token.clone()
            }
        })
    }

    async fn log_in(&self) -> Result<Token, Error> {
        caught_in("the login", async { self.grant.fetch().await }).await.unwrap_or_else(|| Err(panicked()))
    }

    async fn refresh(&self, refresh: &Secret) -> Result<Token, Error> {
        caught_in("the login", async { self.grant.refresh(refresh).await }).await.unwrap_or_else(|| Err(panicked()))
    }

    fn state<T>(&self, does: impl FnOnce(&mut State) -> T) -> T {
        does(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether the venue did not take a refresh token. An outage or a limit would meet a login as well.
fn is_refusal(error: &Error) -> bool {
    use ErrorKind::{Maintenance, Network, RateLimited, Timeout};
    !matches!(error.kind(), Network | Timeout | RateLimited | Maintenance)
}

fn panicked() -> Error {
    let message = "the login panicked".to_owned();
    Error::new(Inner { kind: Some(ErrorKind::Other), message, ..Inner::default() })
}

impl State {
    /// Whether a refused token may be replaced by a login, which is then counted.
    fn may_replace_refused(&mut self, now: Instant) -> bool {
        let paid_at = self.refusals_paid_at.map_or(now, |at| at.max(now)) + REFUSAL_EARNED;
        let may = paid_at <= now + REFUSAL_EARNED * REFUSALS_AT_ONCE;
        if may {
            self.refusals_paid_at = Some(paid_at);
        }
        may
    }

    fn usable(&self, now: Instant) -> Option<CachedToken> {
        self.held.as_ref().filter(|held| held.ends_at.is_none_or(|end| now < end)).cloned()
    }

    /// The failure of a fetch that this call was waiting for, or of one that was refused just now.
    fn shared_failure(&self, failures: u64, now: Instant) -> Option<Error> {
        let failure = self.failed.as_ref()?;
        // What the venue asks to wait for holds for every call. Our own limiter is asked again.
        let asked = failure.error.retry_after().filter(|_| !failure.error.was_held_back()).map(|wait| wait.min(LONG));
        let until = failure.at + if failure.error.is_retryable() { asked.unwrap_or_default() } else { PAUSE };
        if self.failures <= failures && now >= until {
            return None;
        }
        let error = failure.error.clone();
        Some(if asked.is_some() { error.waiting(until.saturating_duration_since(now)) } else { error })
    }

    fn hold(&mut self, token: Token, fetched: Instant) -> Arc<Token> {
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

#[cfg(test)]
mod tests;
