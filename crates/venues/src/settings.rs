//! The settings of a session, as values: the venue, and with it the type of the builder, is known at run time only.

use std::fmt;
use std::time::Duration;

use venuekit_transport::{ClientBuilder, Connect, Credentials, RetryPolicy, Timeouts};
use venuekit_wire::Secret;

/// The settings of a session. What is not set is as in [`ClientBuilder`].
#[must_use]
pub struct Settings {
    base_url: String,
    credentials: Credentials,
    timeouts: Timeouts,
    proxy: Option<Secret>,
    rate_wait: Option<Duration>,
    is_plain: bool,
}

impl Settings {
    /// A server, with its path prefix, and who is calling.
    pub fn new(base_url: impl Into<String>, credentials: Credentials) -> Self {
        Self {
            base_url: base_url.into(),
            credentials,
            timeouts: Timeouts::default(),
            proxy: None,
            rate_wait: None,
            is_plain: false,
        }
    }

    /// How long things may take.
    pub fn timeouts(self, timeouts: Timeouts) -> Self {
        Self { timeouts, ..self }
    }

    /// The proxy that connections are tunnelled through, if any.
    pub fn proxy(self, proxy: Option<Secret>) -> Self {
        Self { proxy, ..self }
    }

    /// How long a call waits for the venue's rate limit at most.
    pub fn rate_wait(self, longest: Duration) -> Self {
        Self { rate_wait: Some(longest), ..self }
    }

    /// Neither retries nor correction of the clock: a diagnosis wants to see what is wrong.
    pub fn plain(self) -> Self {
        Self { is_plain: true, ..self }
    }

    pub(crate) fn apply<C: Connect>(self, builder: impl FnOnce(String) -> ClientBuilder<C>) -> ClientBuilder<C> {
        let mut builder = builder(self.base_url).credentials(self.credentials).timeouts(self.timeouts);
        if let Some(proxy) = self.proxy {
            builder = builder.proxy(proxy);
        }
        if let Some(longest) = self.rate_wait {
            builder = builder.rate_wait(longest);
        }
        if self.is_plain {
            builder = builder.retry(RetryPolicy::none()).correct_clock_skew(false);
        }
        builder
    }
}

/// The parts that hold no secret.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("timeouts", &self.timeouts)
            .field("plain", &self.is_plain)
            .finish_non_exhaustive()
    }
}
