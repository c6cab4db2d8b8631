//! One token for all calls of a client, and the login that fetches it.
//!
//! A login is shared by all calls and cancelled by none: it runs in a task of its own.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::Instant;
use tracing::Instrument;
use venuekit_wire::Secret;
use venuekit_wire::operation::ErrorKind;

use super::state::{CachedToken, PAUSE, State};
use super::{Grant, Token};
use crate::clock::after;
use crate::error::{Error, Inner};
use crate::panics::caught_in;

/// One token for all calls of a client: the first call that needs it begins a login, and all share its outcome. Dropping it ends what is
/// in progress.
pub(crate) struct TokenCache(Arc<Core>);

/// What calls and the task of a login have in common.
struct Core {
    grant: Box<dyn Grant>,
    /// A login may take so long.
    limit: Duration,
    state: Mutex<State>,
    /// There is a new token.
    renewed: Notify,
}

/// A login or a renewal in its task.
pub(super) struct Running {
    outcome: Awaited,
    task: AbortHandle,
}

/// What comes of a login. Its sender is dropped without an outcome where the task has ended with its runtime.
type Awaited = watch::Receiver<Option<Outcome>>;

#[derive(Clone)]
enum Outcome {
    Token(Arc<Token>),
    Failed(Error),
    /// Nothing for those who wait: a renewal failed, or the venue ended meanwhile what the token stands for. They begin another login.
    Again,
}

/// What a call that needs a token finds.
enum Found {
    Token(Arc<Token>),
    /// A login that another call has begun.
    Theirs(Awaited),
    /// A login that was begun for this call.
    Own(Awaited),
}

impl Drop for TokenCache {
    fn drop(&mut self) {
        if let Some(running) = self.0.state(|state| state.running.take()) {
            running.task.abort();
        }
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

impl TokenCache {
    /// A login may take no longer than `limit`: others wait for it.
    pub(crate) fn new(grant: Box<dyn Grant>, limit: Duration) -> Self {
        Self(Arc::new(Core { grant, limit, state: Mutex::default(), renewed: Notify::new() }))
    }

    /// The current token, fetched where it is missing.
    pub(crate) async fn get(&self) -> Result<Arc<Token>, Error> {
        loop {
            let (outcome, is_own) = match self.find()? {
                Found::Token(token) => return Ok(token),
                Found::Theirs(outcome) => (outcome, false),
                Found::Own(outcome) => (outcome, true),
            };
            match ended(outcome).await {
                Some(Outcome::Token(token)) => return Ok(token),
                Some(Outcome::Failed(error)) => return Err(error),
                Some(Outcome::Again) => {}
                // A runtime that shuts down takes no other task.
                None if is_own => return Err(failed(ErrorKind::Network, "its task has ended").of_login()),
                None => {}
            }
        }
    }

    /// The token, where there is one. One that is to be renewed serves all calls until the new one is there.
    pub(crate) fn at_hand(&self) -> Option<Arc<Token>> {
        self.0.state(|state| self.0.at_hand(state, Instant::now()))
    }

    /// Whether there is a token that was not refused.
    pub(crate) fn is_held(&self) -> bool {
        self.0.state(|state| state.held.is_some())
    }

    /// Renews the token whenever it is time, without anybody asking for it. Never returns.
    pub(crate) async fn keep(&self) {
        loop {
            match self.0.state(|state| state.held.as_ref().and_then(|held| held.renew_at)) {
                None => self.0.renewed.notified().await,
                Some(at) => tokio::select! {
                    () = tokio::time::sleep_until(at) => self.renew_if_due().await,
                    () = self.0.renewed.notified() => {}
                },
            }
        }
    }

    /// Renews the token, unless something is in progress, whose end is waited for.
    async fn renew_if_due(&self) {
        let outcome = self.0.state(|state| match state.running() {
            Some(outcome) => Some(outcome),
            None => {
                let held = state.held.clone().filter(|held| held.is_due(Instant::now()))?;
                Some(self.0.begin_renewal(state, held))
            }
        });
        if let Some(outcome) = outcome
            && ended(outcome).await.is_none()
        {
            // It ended with its runtime, as the next one may.
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Whether this is the token that calls carry now.
    pub(crate) fn is_current(&self, token: &Arc<Token>) -> bool {
        let now = Instant::now();
        self.0.state(|state| state.usable(now)).is_some_and(|held| Arc::ptr_eq(&held.token, token))
    }

    /// Forgets a token that the venue has refused. Says whether the call is worth repeating with another one: not after many
    /// refusals in a short time, when the token is kept, since another login would be refused as well.
    pub(crate) fn drop_if(&self, refused: &Arc<Token>) -> bool {
        let may = self.0.state(|state| {
            if !state.held.as_ref().is_some_and(|held| Arc::ptr_eq(&held.token, refused)) {
                return true;
            }
            let may = state.may_replace_refused(Instant::now());
            if may {
                state.held = None;
            }
            may
        });
        if !may {
            tracing::warn!("the venue refuses new tokens; keeping the last one");
        }
        may
    }

    /// Forgets the token, because the venue has ended what it stands for; that of a login which is in progress too, since it may be from
    /// before the end. Where that happens again and again it is kept.
    pub(crate) fn forget(&self) {
        self.0.state(|state| {
            let has_any = state.held.is_some() || state.running().is_some();
            if has_any && state.may_replace_refused(Instant::now()) {
                state.held = None;
                state.ends += 1;
            }
        });
    }

    /// The token, or what to wait for.
    fn find(&self) -> Result<Found, Error> {
        let now = Instant::now();
        self.0.state(|state| {
            if let Some(token) = self.0.at_hand(state, now) {
                return Ok(Found::Token(token));
            }
            if let Some(outcome) = state.running() {
                return Ok(Found::Theirs(outcome));
            }
            match state.failure(now) {
                Some(error) => Err(error),
                None => Ok(Found::Own(self.0.begin_login(state))),
            }
        })
    }
}

impl Core {
    fn at_hand(self: &Arc<Self>, state: &mut State, now: Instant) -> Option<Arc<Token>> {
        let held = state.usable(now)?;
        let token = held.token.clone();
        if held.is_due(now) && state.running().is_none() {
            self.begin_renewal(state, held);
        }
        Some(token)
    }

    fn begin_login(self: &Arc<Self>, state: &mut State) -> Awaited {
        let (core, ends) = (self.clone(), state.ends);
        let login = async move {
            let begun = Instant::now();
            let result = core.within_limit(core.log_in()).await.map_err(Error::of_login);
            core.finish(|state| match result {
                Ok(token) => state.keep(token, begun, ends),
                Err(error) => {
                    state.fail(error.clone());
                    Outcome::Failed(error)
                }
            })
        };
        // The call waits for it. A renewal is nobody's, and would keep the span of the call open.
        begin(state, login.in_current_span())
    }

    /// A token for one that still works. If none is to be had, that one does for now.
    fn begin_renewal(self: &Arc<Self>, state: &mut State, held: CachedToken) -> Awaited {
        let (core, ends) = (self.clone(), state.ends);
        begin(state, async move {
            let begun = Instant::now();
            let result = core.within_limit(core.renew(&held.token)).await;
            if let Err(error) = &result {
                tracing::warn!(kind = ?error.kind(), "could not renew the token before it expires");
            }
            core.finish(|state| match result {
                Ok(token) => state.keep(token, begun, ends),
                Err(_) => {
                    state.renew_later();
                    Outcome::Again
                }
            })
        })
    }

    /// Nothing is in progress any more, and this came of it.
    fn finish(&self, result: impl FnOnce(&mut State) -> Outcome) -> Outcome {
        let outcome = self.state(|state| {
            state.running = None;
            result(state)
        });
        self.renewed.notify_one();
        outcome
    }

    async fn renew(&self, held: &Token) -> Result<Token, Error> {
        let Some(refresh) = &held.refresh else { return self.log_in().await };
        match self.refresh(refresh).await {
            // A refresh token that the venue no longer takes is no reason to give up.
            Err(error) if is_refusal(&error) => self.log_in().await,
            result => result,
        }
    }

    async fn log_in(&self) -> Result<Token, Error> {
        caught_in("the login", async { self.grant.fetch().await }).await.unwrap_or_else(|| Err(panicked()))
    }

    async fn refresh(&self, refresh: &Secret) -> Result<Token, Error> {
        caught_in("the login", async { self.grant.refresh(refresh).await }).await.unwrap_or_else(|| Err(panicked()))
    }

    async fn within_limit(&self, login: impl Future<Output = Result<Token, Error>>) -> Result<Token, Error> {
        let late = || Err(failed(ErrorKind::Timeout, format!("no response in {:.1?}", self.limit)));
        tokio::time::timeout_at(after(self.limit), login).await.unwrap_or_else(|_| late())
    }

    fn state<T>(&self, does: impl FnOnce(&mut State) -> T) -> T {
        does(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    /// What is in progress. A task that has ended with its runtime is not.
    fn running(&self) -> Option<Awaited> {
        let outcome = &self.running.as_ref()?.outcome;
        outcome.has_changed().is_ok().then(|| outcome.clone())
    }

    /// Holds a new token, unless the venue has ended since the login began what it stands for.
    fn keep(&mut self, token: Token, begun: Instant, ends: u64) -> Outcome {
        if self.ends == ends { Outcome::Token(self.hold(token, begun)) } else { Outcome::Again }
    }
}

/// Begins a login on the caller's runtime.
fn begin(state: &mut State, login: impl Future<Output = Outcome> + Send + 'static) -> Awaited {
    let (done, outcome) = watch::channel(None);
    let task = tokio::spawn(async move {
        let outcome = login.await;
        done.send_replace(Some(outcome));
    });
    state.running = Some(Running { outcome: outcome.clone(), task: task.abort_handle() });
    outcome
}

/// What comes of a login. None where its task has ended without an outcome.
async fn ended(mut outcome: Awaited) -> Option<Outcome> {
    outcome.wait_for(Option::is_some).await.ok()?.clone()
}

/// Whether the venue did not take a refresh token. An outage or a limit would meet a login as well.
fn is_refusal(error: &Error) -> bool {
    use ErrorKind::{Maintenance, Network, RateLimited, Timeout};
    !matches!(error.kind(), Network | Timeout | RateLimited | Maintenance)
}

fn failed(kind: ErrorKind, message: impl Into<String>) -> Error {
    Error::new(Inner { kind: Some(kind), message: message.into(), ..Inner::default() })
}

fn panicked() -> Error {
    failed(ErrorKind::Other, "the login panicked")
}
