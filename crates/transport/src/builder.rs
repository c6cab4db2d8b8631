//! How a client is made.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use url::Url;
use venuekit_wire::Secret;
use venuekit_wire::operation::Venue;

use crate::carrier::{Carrier, HttpCarrier};
use crate::clock::Clock;
use crate::common::{Common, Timeouts};
use crate::credentials::Credentials;
use crate::deadline::Deadlines;
use crate::dialer::{Dialer, Line, OwnSettings};
use crate::endpoint::{Base, Proxy, without_user};
use crate::environment;
use crate::error::Error;
use crate::jsonrpc::challenge_search;
use crate::logon;
use crate::rate::RateLimits;
use crate::retry::RetryPolicy;
use crate::session::{Channel, Lines, Session};
use crate::socket::WebSocketOptions;

/// A generated client, as the builder makes it.
pub trait Connect: Sized {
    /// The venue's table.
    const VENUE: &'static Venue;

    /// A client that makes its calls by this session.
    fn connect(session: Session) -> Self;
}

/// What a user puts in the place of HTTP, or around it.
type OwnCarrier = Box<dyn FnOnce(HttpCarrier) -> Arc<dyn Carrier> + Send>;

/// Makes a client. Every venue's `Client::builder` returns one.
#[must_use = "a builder does nothing before `build`"]
pub struct ClientBuilder<C> {
    base_url: String,
    credentials: Credentials,
    headers: Vec<(String, String)>,
    timeouts: Timeouts,
    clock: Clock,
    http: Option<OwnSettings>,
    proxy: Option<Secret>,
    carrier: Option<OwnCarrier>,
    max_answer: usize,
    retry: RetryPolicy,
    rate_limits: RateLimits,
    rate_wait: Duration,
    correct_clock_skew: bool,
    websocket: WebSocketOptions,
    #[cfg(feature = "drift")]
    drift: Option<crate::drift::DriftCollector>,
    client: std::marker::PhantomData<fn() -> C>,
}

impl<C: Connect> ClientBuilder<C> {
    /// A builder for a server. The path prefix belongs to the URL. With `wss://` (or `ws://`) every call goes over one WebSocket.
    pub fn new(base_url: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            credentials: Credentials::none(),
            headers: Vec::new(),
            timeouts: Timeouts::default(),
            clock: Clock::default(),
            http: None,
            proxy: None,
            carrier: None,
            max_answer: 64 * 1024 * 1024,
            retry: RetryPolicy::default(),
            rate_limits: RateLimits::new(),
            rate_wait: Duration::MAX,
            correct_clock_skew: true,
            websocket: WebSocketOptions::default(),
            #[cfg(feature = "drift")]
            drift: None,
            client: std::marker::PhantomData,
        }
    }

    /// The credentials. Without any, public operations work.
    pub fn credentials(mut self, credentials: impl Into<Credentials>) -> Self {
        self.credentials = credentials.into();
        self
    }

    /// A header that is sent with every call. The venue's spec lists the headers and values that it accepts (`x-client-headers`); any
    /// other is an error of [`build`](Self::build). The last one of a name counts.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
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

    /// How the venue's rate limits are kept: in this process and for a new account, by default.
    pub fn rate_limits(mut self, limits: RateLimits) -> Self {
        self.rate_limits = limits;
        self
    }

    /// How long a call waits for the venue's rate limit at most. By default, as long as its own time allows.
    ///
    /// A call that would have to wait longer is not sent: its error is of the kind
    /// [`RateLimited`](venuekit_wire::operation::ErrorKind::RateLimited) and contains the wait
    /// ([`retry_after`](Error::retry_after)). With [`Duration::ZERO`] no call waits.
    pub fn rate_wait(mut self, longest: Duration) -> Self {
        self.rate_wait = longest;
        self
    }

    /// Whether the clock follows the venue's, as its responses show it, and a call that was refused for its timestamp is signed once
    /// more; both by default. The venue has not processed such a call.
    pub fn correct_clock_skew(mut self, enabled: bool) -> Self {
        self.correct_clock_skew = enabled;
        self
    }

    /// The clock that signatures are made by, to share its correction between clients.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Settings for the HTTP client, such as root certificates or the size of its connection pool. The function is called for each
    /// HTTP client that is made: one for the calls, and one for each server that streams come from.
    ///
    /// What the client relies on is set after them and overrides them: it follows no redirect and repeats no request by itself,
    /// it logs no bytes, it uses no proxy for this machine, and [`Timeouts::connect`] bounds the making of a connection. A
    /// proxy is better given to [`proxy`](Self::proxy), so that errors can name it.
    ///
    /// ```
    /// # fn example<C: venuekit_transport::Connect>(builder: venuekit_transport::ClientBuilder<C>) {
    /// let builder = builder.http_client(|http| http.pool_max_idle_per_host(4));
    /// # }
    /// ```
    pub fn http_client(
        mut self,
        settings: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Clone + Send + 'static,
    ) -> Self {
        self.http = Some(Box::new(move |http| settings.clone()(http)));
        self
    }

    /// The HTTP proxy that connections are tunnelled through, as `http://user:password@host:port` or `https://...`; the user
    /// and the password are left out where the proxy wants none, and are shown nowhere. It serves HTTPS and WebSockets alike.
    ///
    /// Without it, the environment variables `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` decide. A server on this machine is
    /// always called directly. A URL that cannot be used is an error of [`build`](Self::build).
    pub fn proxy(mut self, url: impl Into<Secret>) -> Self {
        self.proxy = Some(url.into());
        self
    }

    /// What sends requests in place of HTTP, such as [`Canned`](crate::carrier::Canned) responses in a test of yours. Nothing is
    /// connected to then. A client that calls over a WebSocket has no carrier.
    pub fn carrier(self, carrier: impl Carrier + 'static) -> Self {
        self.wrap_carrier(|_| carrier)
    }

    /// Puts a carrier around the one that sends requests over HTTP, such as a [`Recording`](crate::carrier::Recording).
    pub fn wrap_carrier<T: Carrier + 'static>(mut self, wrap: impl FnOnce(HttpCarrier) -> T + Send + 'static) -> Self {
        self.carrier = Some(Box::new(|http| Arc::new(wrap(http))));
        self
    }

    /// The largest response that is read, in bytes. 64 MiB by default.
    pub fn max_answer(mut self, bytes: usize) -> Self {
        self.max_answer = bytes;
        self
    }

    /// How a WebSocket is kept, for a client that calls over one.
    pub fn websocket(mut self, options: WebSocketOptions) -> Self {
        self.websocket = options;
        self
    }

    /// Counts what responses hold that the spec does not know. Without a collector nothing is looked for.
    #[cfg(feature = "drift")]
    pub fn drift(mut self, collector: crate::drift::DriftCollector) -> Self {
        self.drift = Some(collector);
        self
    }

    /// Makes the client. Nothing is sent: a WebSocket is opened by the first call, or by [`WebSocket::open`](crate::WebSocket::open).
    ///
    /// # Errors
    /// A base URL that cannot be read, or that the venue cannot be called at; credentials for a server that would receive them in
    /// plain text over a network, or of another environment than that server's; a proxy that cannot be used; TLS that cannot be set up.
    pub fn build(self) -> Result<C, Error> {
        let base_url = self.base_url.trim().trim_end_matches('/');
        if base_url.is_empty() && C::VENUE.websocket.is_some() {
            let message = format!(
                "no base URL: it is empty, or this environment of {} has no calls over a WebSocket; for calls over HTTP use \
                 `Client::builder`",
                C::VENUE.name
            );
            return Err(Error::invalid_request(message));
        }
        let url = server(base_url)?;
        let is_socket = matches!(url.scheme(), "ws" | "wss");
        if is_socket && C::VENUE.websocket.is_none() {
            let message =
                format!("{} has no calls over a WebSocket: `{base_url}` must begin with https://", C::VENUE.name);
            return Err(Error::invalid_request(message));
        }
        let base = Base::new(&url);
        if !self.credentials.is_empty() {
            base.check_secrets()?;
        }
        if let Some(of) = self.credentials.environment() {
            environment::check(C::VENUE, of, &url)?;
        }
        let environment = self.credentials.environment();
        let credentials = self.credentials.signing_ahead(C::VENUE, &base, &self.clock)?;
        let proxy = self.proxy.map(|proxy| Proxy::new(proxy.expose())).transpose()?;
        let dialer = Dialer::new(self.http, proxy, self.timeouts.connect);
        let calls = server(&base.url)?;
        let Line { http, route } = if is_socket { dialer.sockets(&calls)? } else { dialer.calls(&calls)? };
        let common = Common {
            venue: C::VENUE,
            base: Arc::new(base),
            server: environment::server_at(C::VENUE, &url),
            challenge: challenge_search(C::VENUE),
            headers: client_headers(C::VENUE, &self.headers)?.into(),
            clock: self.clock,
            timeouts: self.timeouts,
            deadlines: Deadlines::default(),
            max_answer: self.max_answer,
            limiter: self.rate_limits.limiter(C::VENUE)?,
            rate_wait: self.rate_wait,
            correct_clock_skew: self.correct_clock_skew,
            route,
            #[cfg(feature = "drift")]
            drift: self.drift,
        };
        if is_socket && self.carrier.is_some() {
            return Err(Error::invalid_request("a carrier cannot be used by a client that calls over a WebSocket"));
        }
        let (ring, login) = credentials.clone().for_connections();
        let login = login.or_else(|| logon::grant(C::VENUE, &ring));
        let lines = Arc::new(Lines { dialer, ring, login, options: self.websocket, environment });
        let (credentials, channel) = if is_socket {
            (lines.ring.clone(), Channel::Socket(lines.websocket(&common, http, lines.options.clone())))
        } else {
            let http = HttpCarrier::new(http, calls, common.route.clone(), common.deadlines.clone());
            let carrier: Arc<dyn Carrier> = match self.carrier {
                Some(wrap) => wrap(http),
                None => Arc::new(http),
            };
            let anonymous = Session::anonymous(common.clone(), Channel::Requests(carrier.clone()));
            (credentials.for_requests(&anonymous), Channel::Requests(carrier))
        };
        Ok(C::connect(Session::new(common, credentials, self.retry, channel).with_lines(lines)))
    }
}

/// The parts that hold no secret.
impl<C> fmt::Debug for ClientBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("base_url", &without_user(&self.base_url))
            .field("credentials", &self.credentials)
            .field("timeouts", &self.timeouts)
            .field("proxy", &self.proxy.is_some())
            .field("websocket", &self.websocket)
            .finish_non_exhaustive()
    }
}

/// The headers that a user sends with every call, checked against those that the venue accepts.
fn client_headers(venue: &Venue, given: &[(String, String)]) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
    let mut headers: Vec<(HeaderName, HeaderValue)> = Vec::new();
    for (name, value) in given {
        let Some(known) = venue.client_headers.iter().find(|known| known.name.eq_ignore_ascii_case(name)) else {
            let names: Vec<&str> = venue.client_headers.iter().map(|known| known.name).collect();
            let takes = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let message = format!("{} takes no header `{name}` of a client; it takes {takes}", venue.name);
            return Err(Error::invalid_request(message));
        };
        let Some(value) = known.values.iter().find(|known| *known == value) else {
            let message =
                format!("the header `{}` is one of {}, and not `{value}`", known.name, known.values.join(", "));
            return Err(Error::invalid_request(message));
        };
        let name = HeaderName::from_static(known.name);
        headers.retain(|(other, _)| *other != name);
        headers.push((name, HeaderValue::from_static(value)));
    }
    Ok(headers)
}

/// Reads a base URL.
fn server(base_url: &str) -> Result<Url, Error> {
    let refused = |why: &str| {
        let shown = without_user(base_url);
        Error::invalid_request(format!("`{shown}` is not a base URL{why}; write `https://host/prefix`"))
    };
    let url = Url::parse(base_url).map_err(|error| refused(&format!(" ({error})")))?;
    if !matches!(url.scheme(), "http" | "https" | "ws" | "wss") {
        return Err(refused(""));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused(", which has no query and no fragment"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused(", which has no user and no password: credentials are given to the builder"));
    }
    Ok(url)
}
