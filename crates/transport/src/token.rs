//! Tokens, fetched on demand and renewed ahead of their end.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use venuekit_auth::{Headers, SignError, Signer};
use venuekit_wire::Secret;

use crate::error::Error;

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

    /// Its remaining life, by the venue's word. Without it the token is used until the venue refuses it.
    #[must_use]
    pub fn lives(mut self, life: Duration) -> Self {
        self.lives = Some(life);
        self
    }

    /// How long before its end it is renewed: a minute if nothing is said, and never more than half of its life.
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

/// One token for all calls of a client: whoever needs it first fetches it, the others wait for that and share what comes of it.
pub(crate) struct TokenCache {
    grant: Box<dyn Grant>,
    /// Held by whoever fetches.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    /// There is a new token.
    renewed: tokio::sync::Notify,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    failed: Option<Failure>,
    failures: u64,
}

#[derive(Clone)]
struct Held {
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

/// A renewal ahead of the end that failed is tried again after this.
const RENEW_AGAIN: Duration = Duration::from_secs(5);

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
            // Whoever had the turn before may have renewed it, and a refresh token counts once.
            let now_held = self.state(|state| state.usable(now)).map(|held| held.token);
            return match now_held {
                Some(newer) if !Arc::ptr_eq(&newer, &held.token) => Ok(newer),
                _ => Ok(self.renew(&held).await),
            };
        }
        Ok(held.token)
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
                Some(at) => {
                    tokio::time::sleep_until(at).await;
                    if self.get().await.is_err() {
                        tokio::time::sleep(RENEW_AGAIN).await;
                    }
                }
            }
        }
    }

    /// Forgets a token that the venue no longer takes.
    pub(crate) fn drop_if(&self, refused: &Arc<Token>) {
        self.state(|state| {
            if state.held.as_ref().is_some_and(|held| Arc::ptr_eq(&held.token, refused)) {
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
        let result = self.grant.fetch().await;
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
    async fn renew(&self, held: &Held) -> Arc<Token> {
        let now = Instant::now();
        let refreshed = match &held.token.refresh {
            Some(refresh) => self.grant.refresh(refresh).await,
            None => self.grant.fetch().await,
        };
        let result = match refreshed {
            // A refresh token that is no longer taken is no reason to give up.
            Err(error) if held.token.refresh.is_some() && error.status().is_some() => self.grant.fetch().await,
            other => other,
        };
        self.state(|state| match result {
            Ok(token) => state.hold(token, now),
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), "the token could not be renewed ahead of its end");
                if let Some(held) = &mut state.held {
                    held.renew_at = Some(Instant::now() + RENEW_AGAIN);
                }
                held.token.clone()
            }
        })
    }

    fn state<T>(&self, does: impl FnOnce(&mut State) -> T) -> T {
        does(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn usable(&self, now: Instant) -> Option<Held> {
        self.held.as_ref().filter(|held| held.ends_at.is_none_or(|end| now < end)).cloned()
    }

    /// The failure of a fetch that this call was waiting for, or of one that was refused just now.
    fn shared_failure(&self, failures: u64, now: Instant) -> Option<Error> {
        let failure = self.failed.as_ref()?;
        let refused = !failure.error.is_retryable() && now < failure.at + PAUSE;
        (self.failures > failures || refused).then(|| failure.error.clone())
    }

    fn hold(&mut self, token: Token, fetched: Instant) -> Arc<Token> {
        let token = Arc::new(token);
        // Clients that logged in together do not come back together.
        let ahead = token.ahead.mul_f64(1.0 + fastrand::f64() / 2.0);
        let renew_after = token.lives.map(|life| life.saturating_sub(ahead).max(life / 2));
        // A life too long for the clock to hold has no end.
        let after = |span: Option<Duration>| fetched.checked_add(span?);
        self.held = Some(Held { token: token.clone(), renew_at: after(renew_after), ends_at: after(token.lives) });
        self.failed = None;
        token
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use venuekit_wire::operation::ErrorKind;

    use super::*;
    use crate::error::Inner;

    /// Gives numbered tokens, or fails, and counts both ways of asking.
    #[derive(Default)]
    struct Desk {
        fetched: AtomicU64,
        refreshed: AtomicU64,
        lives: Option<Duration>,
        refreshable: bool,
        failure: Mutex<Option<Error>>,
    }

    impl Desk {
        async fn token(&self, name: &str, count: &AtomicU64) -> Result<Token, Error> {
            let number = count.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(100)).await;
            if let Some(error) = &*self.failure.lock().unwrap() {
                return Err(error.clone());
            }
            let mut token = Token::bearer(format!("{name}-{number}"))?;
            token.lives = self.lives;
            Ok(if self.refreshable { token.refreshed_by("refresh") } else { token })
        }

        fn fails(&self, kind: ErrorKind, status: Option<u16>) {
            let status = status.map(|status| http::StatusCode::from_u16(status).unwrap());
            let error = Error::new(Inner { kind: Some(kind), status, applied: true, ..Inner::default() });
            *self.failure.lock().unwrap() = Some(error);
        }

        fn counts(&self) -> (u64, u64) {
            (self.fetched.load(Ordering::SeqCst), self.refreshed.load(Ordering::SeqCst))
        }
    }

    impl Grant for Arc<Desk> {
        fn fetch(&self) -> GrantFuture<'_> {
            Box::pin(self.token("token", &self.fetched))
        }

        fn refresh<'a>(&'a self, refresh: &'a Secret) -> GrantFuture<'a> {
            assert_eq!(refresh.expose(), "refresh");
            Box::pin(self.token("renewed", &self.refreshed))
        }
    }

    fn cache(desk: Desk) -> (Arc<Desk>, Arc<TokenCache>) {
        let desk = Arc::new(desk);
        (desk.clone(), Arc::new(TokenCache::new(Box::new(desk))))
    }

    /// What so many calls get that need a token at the same moment.
    async fn at_once(cache: &Arc<TokenCache>, count: usize) -> Vec<Result<String, Error>> {
        let calls: Vec<_> = (0..count)
            .map(|_| {
                let cache = cache.clone();
                tokio::spawn(async move { cache.get().await.map(|token| text(&token)) })
            })
            .collect();
        let mut results = Vec::new();
        for call in calls {
            results.push(call.await.unwrap());
        }
        results
    }

    fn text(token: &Token) -> String {
        token.secrets[0].expose().to_owned()
    }

    async fn got(cache: &TokenCache) -> String {
        text(&cache.get().await.unwrap())
    }

    const HOUR: Duration = Duration::from_secs(3600);

    #[tokio::test(start_paused = true)]
    async fn any_number_of_calls_fetch_once_and_share_what_comes_of_it() {
        let (desk, cache) = cache(Desk { lives: Some(HOUR), ..Desk::default() });
        desk.fails(ErrorKind::Network, None);
        let failed = at_once(&cache, 50).await;
        assert!(failed.iter().all(|result| result.as_ref().is_err_and(|error| !error.may_have_been_applied())));
        assert_eq!(desk.counts(), (1, 0), "one failure for all who waited for it");

        *desk.failure.lock().unwrap() = None;
        let tokens = at_once(&cache, 50).await;
        assert!(tokens.into_iter().all(|token| token.unwrap() == "token-1"));
        assert_eq!(desk.counts(), (2, 0), "the next call tries again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_login_is_not_tried_again_at_once() {
        let (desk, cache) = cache(Desk::default());
        desk.fails(ErrorKind::Unauthorized, Some(401));
        for _ in 0..20 {
            assert_eq!(cache.get().await.unwrap_err().kind(), ErrorKind::Unauthorized);
        }
        assert_eq!(desk.counts(), (1, 0));
        tokio::time::sleep(PAUSE).await;
        cache.get().await.unwrap_err();
        assert_eq!(desk.counts(), (2, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_token_that_was_refused_is_dropped() {
        let (desk, cache) = cache(Desk::default());
        let first = cache.get().await.unwrap();
        cache.drop_if(&first);
        assert_eq!(got(&cache).await, "token-1");
        cache.drop_if(&first);
        assert_eq!(got(&cache).await, "token-1");
        tokio::time::sleep(HOUR * 10_000).await;
        assert_eq!(got(&cache).await, "token-1", "without a life it has no end");
        assert_eq!(desk.counts(), (2, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_renewed_ahead_of_its_end_while_others_go_on_with_it() {
        let (desk, cache) = cache(Desk { lives: Some(HOUR), refreshable: true, ..Desk::default() });
        assert_eq!(got(&cache).await, "token-0");
        tokio::time::sleep(HOUR - AHEAD.mul_f32(1.6)).await;
        assert_eq!(got(&cache).await, "token-0", "not yet");
        tokio::time::sleep(AHEAD.mul_f32(0.7)).await;
        let tokens: Vec<String> = at_once(&cache, 20).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(tokens.iter().filter(|token| *token == "renewed-0").count(), 1, "whoever came first");
        assert_eq!(tokens.iter().filter(|token| *token == "token-0").count(), 19, "nobody waits");
        assert_eq!((got(&cache).await, desk.counts()), ("renewed-0".to_owned(), (1, 1)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_renewal_that_fails_ahead_of_the_end_costs_no_call() {
        let (desk, cache) = cache(Desk { lives: Some(HOUR), refreshable: true, ..Desk::default() });
        cache.get().await.unwrap();
        tokio::time::sleep(HOUR - AHEAD.mul_f32(0.9)).await;
        desk.fails(ErrorKind::Server, Some(500));
        for _ in 0..20 {
            assert_eq!(got(&cache).await, "token-0");
        }
        assert_eq!(desk.counts(), (2, 1), "the refresh token, then a login, then a pause");
        // At its end there is nothing left to go on with.
        tokio::time::sleep(AHEAD).await;
        assert_eq!(cache.get().await.unwrap_err().kind(), ErrorKind::Server);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_gives_up_leaves_the_fetch_to_the_next() {
        let (desk, cache) = cache(Desk::default());
        tokio::time::timeout(Duration::from_millis(10), cache.get()).await.unwrap_err();
        assert_eq!(got(&cache).await, "token-1");
        assert_eq!(desk.counts(), (2, 0));
    }
}
