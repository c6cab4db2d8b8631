//! How a client is made.

use std::time::Duration;

use venuekit_wire::operation::Venue;

use crate::clock::Clock;
use crate::credentials::{Anonymous, Credentials};
use crate::error::Error;
use crate::rate::RateLimits;
use crate::retry::RetryPolicy;
use crate::session::{Carrier, Common, Session};
use crate::socket::{WebSocket, WebSocketOptions};

/// How long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Making a connection.
    pub connect: Duration,
    /// One attempt, from the first byte sent to the last byte of its answer.
    pub attempt: Duration,
    /// A call with all its attempts and the waits between them.
    pub call: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let [connect, attempt, call] = [5, 20, 60].map(Duration::from_secs);
        Self { connect, attempt, call }
    }
}

/// A generated client, as the builder makes it.
pub trait Connect: Sized {
    /// The venue's table.
    const VENUE: &'static Venue;

    /// Puts the parts together.
    fn connect(base_url: &str, http: reqwest::Client, session: Session) -> Self;
}

/// Makes a client. Every venue's `Client::builder` returns one.
#[derive(Debug)]
#[must_use = "a builder does nothing before `build`"]
pub struct ClientBuilder<C> {
    base_url: String,
    credentials: Credentials,
    timeouts: Timeouts,
    clock: Clock,
    http: Option<reqwest::Client>,
    max_answer: usize,
    retry: RetryPolicy,
    rate_limits: RateLimits,
    rate_wait: Duration,
    heal_clock: bool,
    websocket: WebSocketOptions,
    client: std::marker::PhantomData<fn() -> C>,
}

impl<C: Connect> ClientBuilder<C> {
    /// A builder for a server. The path prefix belongs to the URL. With `wss://` (or `ws://`) every call goes over one WebSocket.
    pub fn new(base_url: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            credentials: Credentials::none(),
            timeouts: Timeouts::default(),
            clock: Clock::default(),
            http: None,
            max_answer: 64 * 1024 * 1024,
            retry: RetryPolicy::default(),
            rate_limits: RateLimits::new(),
            rate_wait: Duration::MAX,
            heal_clock: true,
            websocket: WebSocketOptions::default(),
            client: std::marker::PhantomData,
        }
    }

    /// Who is calling. Without credentials, public operations work.
    pub fn credentials(mut self, credentials: impl Into<Credentials>) -> Self {
        self.credentials = credentials.into();
        self
    }

    /// How long things may take.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// How failed calls are repeated. [`RetryPolicy::none`] switches it off.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// How the venue's rate limits are kept: in this process and for a new account, if nothing is said.
    pub fn rate_limits(mut self, limits: RateLimits) -> Self {
        self.rate_limits = limits;
        self
    }

    /// How long a call waits for the venue's rate limit at the most. If nothing is said, as long as its own time allows.
    ///
    /// A call that would have to wait longer is not sent: its error is of the kind
    /// [`RateLimited`](venuekit_wire::operation::ErrorKind::RateLimited) and tells the wait
    /// ([`retry_after`](Error::retry_after)). With [`Duration::ZERO`] no call waits.
    pub fn rate_wait(mut self, longest: Duration) -> Self {
        self.rate_wait = longest;
        self
    }

    /// Whether the clock follows the venue's, as its answers tell it, and a call that was refused for its timestamp is signed once
    /// more; both if nothing is said. The venue has not processed such a call.
    pub fn heal_clock(mut self, heal: bool) -> Self {
        self.heal_clock = heal;
        self
    }

    /// The clock that signatures are made by, to share its correction between clients.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// An HTTP client of one's own, for a proxy or other roots. Give it `redirect::Policy::none()`: the headers that carry a
    /// signature would follow a redirect.
    pub fn http_client(mut self, http: reqwest::Client) -> Self {
        self.http = Some(http);
        self
    }

    /// The largest answer that is read, in bytes. 64 MiB if nothing is said.
    pub fn max_answer(mut self, bytes: usize) -> Self {
        self.max_answer = bytes;
        self
    }

    /// How a WebSocket is kept, for a client that calls over one.
    pub fn websocket(mut self, options: WebSocketOptions) -> Self {
        self.websocket = options;
        self
    }

    /// Makes the client. Nothing is sent: a WebSocket is opened by the first call, or by [`WebSocket::open`].
    ///
    /// # Errors
    /// A base URL that is none, or that the venue cannot be called at; or a TLS setup that does not come about.
    pub fn build(self) -> Result<C, Error> {
        let base_url = self.base_url.trim_end_matches('/');
        let url = url::Url::parse(base_url).map_err(|error| {
            Error::invalid_request(format!("`{base_url}` is no base URL ({error}); write `https://host/prefix`"))
        })?;
        let is_socket = matches!(url.scheme(), "ws" | "wss");
        let known = is_socket || matches!(url.scheme(), "http" | "https");
        if !known || url.query().is_some() || url.fragment().is_some() {
            let message = format!("`{base_url}` is no base URL; write `https://host/prefix`, without query");
            return Err(Error::invalid_request(message));
        }
        if is_socket && C::VENUE.websocket.is_none() {
            let message = format!("{} is not called over a WebSocket: `{base_url}` should be https", C::VENUE.name);
            return Err(Error::invalid_request(message));
        }
        let http = match self.http {
            Some(http) => http,
            None => {
                let http = reqwest::Client::builder()
                    .connect_timeout(self.timeouts.connect)
                    .redirect(reqwest::redirect::Policy::none())
                    .user_agent(concat!("venuekit/", env!("CARGO_PKG_VERSION")));
                // A WebSocket begins as HTTP/1.1.
                if is_socket { http.http1_only() } else { http }.build()?
            }
        };
        let common = Common {
            venue: C::VENUE,
            clock: self.clock,
            timeouts: self.timeouts,
            max_answer: self.max_answer,
            limiter: self.rate_limits.limiter(C::VENUE)?,
            rate_wait: self.rate_wait,
            heal_clock: self.heal_clock,
        };
        // Requests are made for the URL that the connection is asked for at, `ws` being HTTP until then.
        let base_url = base_url.replacen("ws", "http", usize::from(is_socket));
        let (credentials, carrier) = if is_socket {
            let login = self.credentials.login().map(|(_, grant)| grant.clone());
            let socket = WebSocket::new(common.clone(), base_url.clone(), http.clone(), login, self.websocket);
            (self.credentials, Carrier::Socket(socket))
        } else {
            let session = common.clone().anonymous(Carrier::Http);
            let anonymous = Anonymous { base_url: base_url.clone(), http: http.clone(), session };
            (self.credentials.connected(&anonymous), Carrier::Http)
        };
        Ok(C::connect(&base_url, http, common.session(credentials, self.retry, carrier)))
    }
}
