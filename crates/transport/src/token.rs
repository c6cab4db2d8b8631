//! Bearer tokens, fetched on demand.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use venuekit_wire::Secret;

use crate::error::Error;

/// A bearer token and how long it lives.
#[derive(Clone, Debug)]
pub struct Token {
    /// The token itself.
    pub secret: Secret,
    /// Its remaining life, by the venue's word.
    pub lives: Duration,
}

/// What fetching a token returns.
pub type GrantFuture<'a> = Pin<Box<dyn Future<Output = Result<Token, Error>> + Send + 'a>>;

/// A way to a token: the venue's own, through its generated client.
pub trait Grant: Send + Sync {
    /// Fetches a fresh token.
    fn fetch(&self) -> GrantFuture<'_>;
}

/// One token for all calls of a client: whoever comes first fetches it, the others wait for that.
pub(crate) struct TokenCache {
    grant: Box<dyn Grant>,
    held: Mutex<Option<Held>>,
}

struct Held {
    secret: Secret,
    renew_at: Instant,
}

/// A token is renewed this long before its end, or after nine tenths of a short life.
const AHEAD: Duration = Duration::from_secs(60);

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

impl TokenCache {
    pub(crate) fn new(grant: Box<dyn Grant>) -> Self {
        Self { grant, held: Mutex::new(None) }
    }

    /// The current token.
    pub(crate) async fn get(&self) -> Result<Secret, Error> {
        let mut held = self.held.lock().await;
        if let Some(held) = held.as_ref().filter(|held| Instant::now() < held.renew_at) {
            return Ok(held.secret.clone());
        }
        let fetched = Instant::now();
        let token = self.grant.fetch().await?;
        let life = token.lives.saturating_sub(AHEAD).max(token.lives.mul_f32(0.9).min(AHEAD));
        // A life too long for the clock to hold is renewed within a day.
        let renew_at = fetched.checked_add(life).unwrap_or(fetched + Duration::from_secs(86_400));
        *held = Some(Held { secret: token.secret.clone(), renew_at });
        Ok(token.secret)
    }

    /// Forgets a token that the venue no longer takes.
    pub(crate) async fn drop_if(&self, refused: &Secret) {
        let mut held = self.held.lock().await;
        if held.as_ref().is_some_and(|held| held.secret.expose() == refused.expose()) {
            *held = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    struct Counting(Arc<AtomicU64>, Duration);

    impl Grant for Counting {
        fn fetch(&self) -> GrantFuture<'_> {
            Box::pin(async {
                tokio::task::yield_now().await;
                let count = self.0.fetch_add(1, Ordering::SeqCst);
                Ok(Token { secret: format!("token {count}").into(), lives: self.1 })
            })
        }
    }

    #[tokio::test]
    async fn any_number_of_calls_fetch_once() {
        let count = Arc::new(AtomicU64::new(0));
        let cache = Arc::new(TokenCache::new(Box::new(Counting(count.clone(), Duration::from_secs(3600)))));
        let calls: Vec<_> = (0..50)
            .map(|_| {
                let cache = cache.clone();
                tokio::spawn(async move { cache.get().await.unwrap() })
            })
            .collect();
        for call in calls {
            assert_eq!(call.await.unwrap().expose(), "token 0");
        }
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_refused_or_ended_token_is_fetched_again() {
        let count = Arc::new(AtomicU64::new(0));
        let cache = TokenCache::new(Box::new(Counting(count.clone(), Duration::from_secs(3600))));
        let first = cache.get().await.unwrap();
        cache.drop_if(&first).await;
        let second = cache.get().await.unwrap();
        cache.drop_if(&first).await;
        assert_eq!(cache.get().await.unwrap().expose(), second.expose(), "only the refused token is dropped");
        let ended = TokenCache::new(Box::new(Counting(count, Duration::ZERO)));
        assert_ne!(ended.get().await.unwrap().expose(), ended.get().await.unwrap().expose());
    }
}
