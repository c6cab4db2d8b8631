//! A client's inner part: its venue, credentials and settings.

use std::any::Any;
use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Weak};
use std::time::Duration;

use url::Url;
use venuekit_wire::Secret;
use venuekit_wire::operation::Venue;

use crate::carrier::Carrier;
use crate::clock::Clock;
use crate::common::Common;
use crate::dialer::Dialer;
use crate::environment;
use crate::error::Challenge;
use crate::extension::Extensions;
use crate::key_ring::{Credential, KeyRing};
use crate::retry::{RetryBudget, RetryPolicy};
use crate::socket::{Connection, MakeLogin, WebSocket, WebSocketOptions};
use crate::token::Grant;

/// What a generated client carries along. Clones share everything but what is said for single calls.
#[derive(Clone)]
pub struct Session {
    pub(crate) shared: Arc<Shared>,
    pub(crate) own: Overrides,
    extensions: Arc<Extensions>,
}

pub(crate) struct Shared {
    pub(crate) common: Common,
    pub(crate) credentials: KeyRing,
    pub(crate) retry: RetryPolicy,
    pub(crate) budget: RetryBudget,
    pub(crate) rpc_ids: AtomicU64,
    pub(crate) channel: Channel,
    /// None in a session that logs in.
    pub(crate) lines: Option<Arc<Lines>>,
}

/// What further connections of a client are made of.
pub(crate) struct Lines {
    pub(crate) dialer: Dialer,
    pub(crate) ring: KeyRing,
    /// What logs in on a connection, where something does.
    pub(crate) login: Option<MakeGrant>,
    pub(crate) options: WebSocketOptions,
    /// The environment that the credentials belong to, where it is known.
    pub(crate) environment: Option<&'static str>,
}

/// Makes what fetches a token with the session that it is given.
pub(crate) type MakeGrant = Arc<dyn Fn(Session) -> Box<dyn Grant> + Send + Sync>;

impl Lines {
    /// A WebSocket for calls to a server.
    pub(crate) fn websocket(&self, common: &Common, http: reqwest::Client, options: WebSocketOptions) -> WebSocket {
        let login = self.login.clone().map(|grant| {
            let common = common.clone();
            let login = move |on| grant(Session::anonymous(common.clone(), Channel::Connection(on)));
            Arc::new(login) as MakeLogin
        });
        WebSocket::new(common.clone(), http, login, options)
    }
}

/// What the calls go over.
pub(crate) enum Channel {
    /// One request each.
    Requests(Arc<dyn Carrier>),
    /// Whichever connection is open.
    Socket(WebSocket),
    /// This connection and no other: what is called over it belongs to it, as a login does.
    Connection(Weak<Connection>),
}

/// What holds for the calls of one clone only.
#[derive(Clone, Default)]
pub(crate) struct Overrides {
    pub(crate) code: Option<Secret>,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) retry: Option<RetryPolicy>,
    pub(crate) rate_wait: Option<Duration>,
}

impl Session {
    pub(crate) fn new(common: Common, credentials: KeyRing, retry: RetryPolicy, channel: Channel) -> Self {
        let (budget, rpc_ids) = (RetryBudget::new(), 1.into());
        let shared = Shared { common, credentials, retry, budget, rpc_ids, channel, lines: None };
        Self { shared: Arc::new(shared), own: Overrides::default(), extensions: Arc::default() }
    }

    /// The same session before anybody shares it, with what further connections are made of.
    pub(crate) fn with_lines(mut self, lines: Arc<Lines>) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            shared.lines = Some(lines);
        }
        self
    }

    /// A session without credentials, for a login: that is repeated with the call that needs it.
    pub(crate) fn anonymous(common: Common, channel: Channel) -> Self {
        Self::new(common, KeyRing::default(), RetryPolicy::none(), channel)
    }

    /// The same session, its calls carrying a one-time code.
    #[must_use]
    pub fn with_code(&self, code: impl Into<Secret>) -> Self {
        let own = Overrides { code: Some(code.into()), ..self.own.clone() };
        Self { own, ..self.clone() }
    }

    /// The same session, its calls carrying no code.
    #[must_use]
    pub fn without_code(&self) -> Self {
        let own = Overrides { code: None, challenge: None, ..self.own.clone() };
        Self { own, ..self.clone() }
    }

    /// The same session, whose calls send a one-time code for a challenge of the venue.
    #[must_use]
    pub fn confirming(&self, challenge: &Challenge, code: impl Into<Secret>) -> Self {
        let own = Overrides { code: Some(code.into()), challenge: Some(challenge.clone()), ..self.own.clone() };
        Self { own, ..self.clone() }
    }

    /// The same session, its failed calls repeated by another policy.
    #[must_use]
    pub fn with_retry(&self, policy: RetryPolicy) -> Self {
        let own = Overrides { retry: Some(policy), ..self.own.clone() };
        Self { own, ..self.clone() }
    }

    /// The same session with another time limit for each of its calls, all attempts and waits included.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        let own = Overrides { timeout: Some(timeout), ..self.own.clone() };
        Self { own, ..self.clone() }
    }

    /// The same session, its calls waiting no longer than this for the venue's rate limit.
    #[must_use]
    pub fn with_rate_wait(&self, longest: Duration) -> Self {
        let own = Overrides { rate_wait: Some(longest), ..self.own.clone() };
        Self { own, ..self.clone() }
    }

    /// The clock that signatures are made by.
    pub fn clock(&self) -> &Clock {
        &self.shared.common.clock
    }

    /// The WebSocket that carries the calls, where one does.
    pub fn websocket(&self) -> Option<&WebSocket> {
        match &self.shared.channel {
            Channel::Socket(socket) => Some(socket),
            Channel::Requests(_) | Channel::Connection(_) => None,
        }
    }

    /// Whether what is called belongs to one connection, as a login over a WebSocket does.
    pub fn is_on_connection(&self) -> bool {
        matches!(self.shared.channel, Channel::Connection(_))
    }

    /// A value of another crate's, one of each type for all clones of a client. It is made by the first who asks, of a session that
    /// has none of these values: what is kept with a client does not keep itself. The function must not ask for another one.
    #[doc(hidden)]
    pub fn extension<T: Any + Send + Sync>(&self, make: impl FnOnce(Self) -> T) -> Arc<T> {
        self.extensions.of(|| make(Self { extensions: Arc::default(), ..self.clone() }))
    }

    /// The venue's table.
    pub fn venue(&self) -> &'static Venue {
        self.shared.common.venue
    }

    /// The environment that its server serves, where the venue's spec knows the host.
    pub(crate) fn served_environment(&self) -> Option<&'static str> {
        let common = &self.shared.common;
        environment::served_at(common.venue, &Url::parse(&common.base.url).ok()?)
    }

    /// What identifies the caller, where a signer says it.
    pub(crate) fn caller_id(&self) -> Option<String> {
        self.shared.credentials.by_name.values().find_map(|credential| match credential {
            Credential::Signer(signer) => signer.public_id().map(str::to_owned),
            Credential::Token(_) | Credential::Login => None,
        })
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
