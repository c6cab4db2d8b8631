//! A client's inner part: its venue, credentials and settings.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Weak};
use std::time::Duration;

use venuekit_wire::Secret;
use venuekit_wire::operation::Venue;

use crate::builder::Timeouts;
use crate::clock::Clock;
use crate::credentials::Credentials;
use crate::endpoint::Route;
use crate::error::Challenge;
use crate::rate::Limiter;
use crate::retry::{RetryBudget, RetryPolicy};
use crate::socket::{Connection, WebSocket};

/// What a generated client carries along. Clones share everything but what is said for single calls.
#[derive(Clone)]
pub struct Session {
    pub(crate) shared: Arc<Shared>,
    pub(crate) call: Call,
}

pub(crate) struct Shared {
    pub(crate) common: Common,
    pub(crate) credentials: Credentials,
    pub(crate) retry: RetryPolicy,
    pub(crate) budget: RetryBudget,
    pub(crate) rpc_ids: AtomicU64,
    pub(crate) carrier: Carrier,
}

/// What carries the calls.
pub(crate) enum Carrier {
    /// One HTTP request each.
    Http,
    /// Whichever connection is open.
    Socket(WebSocket),
    /// This connection and no other: what is called over it belongs to it, as a login does.
    Connection(Weak<Connection>),
}

/// What the sessions of one client have in common.
#[derive(Clone)]
pub(crate) struct Common {
    pub(crate) venue: &'static Venue,
    pub(crate) clock: Clock,
    pub(crate) timeouts: Timeouts,
    pub(crate) max_answer: usize,
    pub(crate) limiter: Limiter,
    pub(crate) rate_wait: Duration,
    pub(crate) heal_clock: bool,
    pub(crate) route: Route,
}

impl Common {
    pub(crate) fn session(self, credentials: Credentials, retry: RetryPolicy, carrier: Carrier) -> Session {
        let shared =
            Shared { common: self, credentials, retry, budget: RetryBudget::new(), rpc_ids: 1.into(), carrier };
        Session { shared: Arc::new(shared), call: Call::default() }
    }

    /// A session without credentials, for a login: that is repeated with the call that needs it.
    pub(crate) fn anonymous(self, carrier: Carrier) -> Session {
        self.session(Credentials::none(), RetryPolicy::none(), carrier)
    }
}

/// What holds for the calls of one clone only.
#[derive(Clone, Default)]
pub(crate) struct Call {
    pub(crate) code: Option<Secret>,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) retry: Option<RetryPolicy>,
    pub(crate) rate_wait: Option<Duration>,
}

impl Session {
    /// The same session, its calls carrying a one-time code.
    #[must_use]
    pub fn with_code(&self, code: impl Into<Secret>) -> Self {
        let call = Call { code: Some(code.into()), ..self.call.clone() };
        Self { call, ..self.clone() }
    }

    /// The same session, its calls carrying no code.
    #[must_use]
    pub fn without_code(&self) -> Self {
        let call = Call { code: None, challenge: None, ..self.call.clone() };
        Self { call, ..self.clone() }
    }

    /// The same session, its calls answering a venue's challenge with a one-time code.
    #[must_use]
    pub fn confirming(&self, challenge: &Challenge, code: impl Into<Secret>) -> Self {
        let call = Call { code: Some(code.into()), challenge: Some(challenge.clone()), ..self.call.clone() };
        Self { call, ..self.clone() }
    }

    /// The same session, its failed calls repeated by another policy.
    #[must_use]
    pub fn with_retry(&self, policy: RetryPolicy) -> Self {
        let call = Call { retry: Some(policy), ..self.call.clone() };
        Self { call, ..self.clone() }
    }

    /// The same session with another time limit for each of its calls, all attempts and waits included.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        let call = Call { timeout: Some(timeout), ..self.call.clone() };
        Self { call, ..self.clone() }
    }

    /// The same session, its calls waiting no longer than this for the venue's rate limit.
    #[must_use]
    pub fn with_rate_wait(&self, longest: Duration) -> Self {
        let call = Call { rate_wait: Some(longest), ..self.call.clone() };
        Self { call, ..self.clone() }
    }

    /// The clock that signatures are made by.
    pub fn clock(&self) -> &Clock {
        &self.shared.common.clock
    }

    /// The WebSocket that carries the calls, where one does.
    pub fn websocket(&self) -> Option<&WebSocket> {
        match &self.shared.carrier {
            Carrier::Socket(socket) => Some(socket),
            Carrier::Http | Carrier::Connection(_) => None,
        }
    }

    /// Whether what is called belongs to one connection, as a login over a WebSocket does.
    pub fn is_on_connection(&self) -> bool {
        matches!(self.shared.carrier, Carrier::Connection(_))
    }

    /// The venue's table.
    pub fn venue(&self) -> &'static Venue {
        self.shared.common.venue
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("venue", &self.shared.common.venue.name)
            .field("credentials", &self.shared.credentials)
            .finish_non_exhaustive()
    }
}
