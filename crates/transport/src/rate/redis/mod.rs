//! A budget that many processes share.

use std::fmt;
use std::time::Duration;

use ::redis::aio::{ConnectionManager, ConnectionManagerConfig};
use ::redis::{Client, RedisError, Script, ScriptInvocation};
use venuekit_wire::operation::Limit;

use super::budget::{Debit, RateBudget, RateFeedback, RateFuture, Refused};

/// Buckets in a Redis or Valkey server, for all processes that use one account.
///
/// Each call asks the server once, in one script that is carried out as a whole. The server's clock counts, so those of the
/// processes may differ. A call reserves its tokens when it comes, and all processes together go in that order; a call that is
/// given up while it waits leaves its reservation unused. Where the server cannot be reached, calls are not sent: their error is
/// of the kind `Network` and says so.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use venuekit_transport::{RateLimits, RedisBudget};
///
/// let budget = RedisBudget::connect("redis://127.0.0.1", "desk-7").await?;
/// let limits = RateLimits::shared(budget).tier("premier");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RedisBudget {
    server: ConnectionManager,
    account: String,
    take: Script,
    learn: Script,
}

/// A server that takes longer than this to respond is as good as none, unless the user says otherwise.
const PATIENCE: Duration = Duration::from_secs(1);

impl RedisBudget {
    /// Connects to a server. The account is any name that all who share the venue's limit say; it begins the names of the keys.
    ///
    /// # Errors
    /// An invalid URL, or a server that does not respond.
    pub async fn connect(url: &str, account: impl Into<String>) -> Result<Self, RedisError> {
        Self::connect_within(url, account, PATIENCE).await
    }

    /// Like [`connect`](Self::connect), with a timeout for connecting and for each response, which is one second there.
    ///
    /// # Errors
    /// An invalid URL, or a server that does not respond.
    pub async fn connect_within(url: &str, account: impl Into<String>, within: Duration) -> Result<Self, RedisError> {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(within))
            .set_response_timeout(Some(within))
            .set_number_of_retries(1);
        let server = ConnectionManager::new_with_config(Client::open(url)?, config).await?;
        let (take, learn) = (Script::new(include_str!("take.lua")), Script::new(include_str!("learn.lua")));
        Ok(Self { server, account: account.into(), take, learn })
    }

    fn about<'a>(&self, script: &'a Script, debit: &Debit, first: [String; 2]) -> ScriptInvocation<'a> {
        // The braces keep all keys of a bucket on one node of a cluster.
        let Debit { venue, bucket, path, .. } = debit;
        let of_path = if path.is_empty() { "" } else { ":" };
        let mut call = script.key(format!("venuekit:{{{}:{venue}:{bucket}{of_path}{path}}}", self.account));
        call.arg(&first[..]);
        for limit in debit.limits {
            match *limit {
                Limit::Refill { per_second_millis, capacity } => {
                    call.arg("refill").arg(per_second_millis.max(1)).arg(capacity);
                }
                Limit::Window { count, seconds } => {
                    call.arg("window").arg(count.max(1)).arg(seconds.saturating_mul(1_000_000));
                }
            }
        }
        call
    }
}

impl RateBudget for RedisBudget {
    fn take<'a>(&'a self, debit: &'a Debit, longest: Duration) -> RateFuture<'a, Result<(), Refused>> {
        Box::pin(async move {
            // Lua counts in doubles: a day is as good as forever.
            let longest = longest.min(Duration::from_secs(86_400)).as_micros();
            let call = self.about(&self.take, debit, [debit.tokens.to_string(), longest.to_string()]);
            let answer: Result<(u8, u64), RedisError> = call.invoke_async(&mut self.server.clone()).await;
            let (granted, wait) = answer.map_err(|error| Refused::Unreachable(Box::new(error)))?;
            let wait = Duration::from_micros(wait);
            if granted == 0 {
                return Err(Refused::Wait(wait));
            }
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
            Ok(())
        })
    }

    fn learn<'a>(&'a self, debit: &'a Debit, told: RateFeedback) -> RateFuture<'a, ()> {
        Box::pin(async move {
            let lasts = told.lasts.map(|lasts| lasts.min(Duration::from_secs(604_800)).as_micros().to_string());
            let call = self.about(&self.learn, debit, [told.left.to_string(), lasts.unwrap_or_default()]);
            let answer: Result<(), RedisError> = call.invoke_async(&mut self.server.clone()).await;
            // The call itself has its response; the next one finds out by itself.
            if let Err(error) = answer {
                tracing::warn!(%error, "the shared rate budget was not updated with the limits that the venue reports");
            }
        })
    }
}

/// The server's address may hold a password.
impl fmt::Debug for RedisBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBudget").field("account", &self.account).finish_non_exhaustive()
    }
}
