//! Tokens, fetched on demand and renewed ahead of their end.

mod cache;
mod state;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use venuekit_auth::{Headers, SignError, Signer};
use venuekit_wire::Secret;

pub(crate) use self::cache::TokenCache;
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

    /// Its remaining life, by the venue's word. Without it the token is used until the venue refuses it. A life of less than a
    /// second counts as a second, so that no venue's word makes a client log in for every call.
    #[must_use]
    pub fn lives(mut self, life: Duration) -> Self {
        self.lives = Some(life);
        self
    }

    /// How long before its end it is renewed: a minute by default, and never more than half of its life. Calls carry it until the new
    /// one is there.
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
///
/// Each login runs in a task of its own, one at a time for each credential of a client. It goes on where the calls that wait for it are
/// cancelled, and its token is kept for the next ones. It may take as long as a whole call ([`Timeouts::call`](crate::Timeouts::call)).
pub trait Grant: Send + Sync {
    /// Logs in for a fresh token.
    fn fetch(&self) -> GrantFuture<'_>;

    /// Renews a token by its refresh token. Where a venue has none, this logs in.
    fn refresh<'a>(&'a self, _refresh: &'a Secret) -> GrantFuture<'a> {
        self.fetch()
    }
}

#[cfg(test)]
mod tests;
