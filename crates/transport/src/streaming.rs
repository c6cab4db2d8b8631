//! What streams need of a client: connections of their own, with its credentials, HTTP settings, proxy and time limits.
//!
//! Nothing here knows what is said on such a connection.

use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, HeaderName};
use url::Url;
use venuekit_auth::Parts;
use venuekit_wire::operation::ErrorKind;
use venuekit_wire::stream::Endpoint;
use venuekit_wire::{Secret, UnixMillis};

use crate::clock::Offsets;
use crate::common::Common;
use crate::endpoint::{Base, authority};
use crate::environment;
use crate::error::{Error, Inner};
use crate::handshake;
use crate::key_ring::Credential;
use crate::session::{Channel, Lines, Session};
use crate::token::{Token, TokenCache};

/// The parts of a WebSocket that this crate opens and does not speak on.
pub use tokio_websockets as websocket;

/// An open WebSocket.
pub type Socket = websocket::WebSocketStream<handshake::Stream>;

/// The header values of a credential, for a login inside of messages. Neither is shown by `Debug`.
#[derive(Clone)]
pub struct HeaderValues(Vec<(HeaderName, Secret)>);

impl HeaderValues {
    /// The value of a header, identified by its name in any case.
    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.0.iter().find(|(known, _)| known.as_str().eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// All values.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.0.iter().map(|(_, value)| value)
    }
}

impl fmt::Debug for HeaderValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name.as_str())).finish()
    }
}

/// Headers that prove who opens a connection, and where they are from.
struct Proof {
    headers: HeaderMap,
    token: Option<(Arc<TokenCache>, Arc<Token>)>,
    /// The clock's correction when they were made.
    offset_millis: i64,
}

impl Session {
    /// Where an endpoint is for this client: that of its environment; on a server that no spec knows, as a sandbox on this machine is,
    /// the endpoint's path at the same host and port, over TLS where the calls go over TLS.
    ///
    /// # Errors
    /// A base URL that has no host.
    pub fn stream_url(&self, endpoint: &Endpoint) -> Result<Url, Error> {
        let common = &self.shared.common;
        let base = read(&common.base.url)?;
        let environment = environment::served_at(common.venue, &base);
        let of_environment = endpoint.servers.iter().find(|(name, _)| Some(*name) == environment);
        match of_environment {
            Some((_, url)) => read(url),
            None => {
                let scheme = if base.scheme() == "https" { "wss" } else { "ws" };
                read(&format!("{scheme}://{}{}", authority(&base), endpoint.path))
            }
        }
    }

    /// The environment whose server the client calls; none of a server that no spec knows.
    pub fn environment(&self) -> Option<&'static str> {
        environment::served_at(self.venue(), &read(&self.shared.common.base.url).ok()?)
    }

    /// Refuses a URL that is not one of a WebSocket, or, where something secret goes there, one in plain text over a network or of
    /// another environment than that of the credentials.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check_stream_url(&self, url: &Url, carries_secrets: bool) -> Result<(), Error> {
        if !matches!(url.scheme(), "ws" | "wss") || url.host_str().is_none() {
            return Err(Error::invalid_request(
                "invalid stream URL: it must begin with `wss://`, or with `ws://` for this machine",
            ));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::invalid_request("invalid stream URL: it must not contain a user or a password"));
        }
        if !carries_secrets {
            return Ok(());
        }
        Base::new(url).check_secrets()?;
        match self.shared.lines.as_ref().and_then(|lines| lines.environment) {
            Some(environment) => environment::check(self.venue(), environment, url),
            None => Ok(()),
        }
    }

    /// Whether the client has a credential of this name.
    pub fn has_credential(&self, name: &str) -> bool {
        self.shared.credentials.by_name.contains_key(name)
    }

    /// Opens a WebSocket at a URL, with the headers of a credential where one is named. They are signed in each attempt, of the
    /// path as it stands in the URL. A timestamp that the venue refuses is corrected once, as in calls.
    ///
    /// # Errors
    /// A URL that may not be used, a credential that the client does not have or cannot get, no connection, or a venue that does
    /// not take it.
    pub async fn open_stream(&self, url: &Url, credential: Option<&str>) -> Result<Socket, Error> {
        self.check_stream_url(url, credential.is_some())?;
        let lines = self.lines()?;
        let http_url = as_http(url)?;
        let line = lines.dialer.sockets(&http_url)?;
        let common = Common { route: line.route, ..self.shared.common.clone() };
        let mut was_corrected = !common.correct_clock_skew;
        loop {
            let proof = match credential {
                Some(name) => Some(self.prove(name, &http_url).await?),
                None => None,
            };
            let headers = proof.as_ref().map(|proof| proof.headers.clone()).unwrap_or_default();
            let sent = UnixMillis::now();
            let open = handshake::open(&line.http, &common, http_url.as_str(), headers);
            let error = match tokio::time::timeout(common.timeouts.connect, open).await {
                Ok(Ok(opened)) => return Ok(opened.stream),
                Ok(Err(error)) => error,
                Err(_) => {
                    let within = common.timeouts.connect;
                    return Err(late(format!("no WebSocket to {}{} in {within:.1?}", authority(url), common.route)));
                }
            };
            let Some(proof) = proof else { return Err(error) };
            let is_corrected = !std::mem::replace(&mut was_corrected, true) && self.correct_clock(&error, &proof, sent);
            if !is_corrected {
                return Err(self.judged(error, proof));
            }
        }
    }

    /// The header values of a credential, as a login inside of messages sends them to this URL.
    ///
    /// # Errors
    /// A URL where secrets may not be sent, or a credential that the client does not have or cannot get.
    pub async fn header_values(&self, credential: &str, url: &Url) -> Result<HeaderValues, Error> {
        self.check_stream_url(url, true)?;
        let proof = self.prove(credential, &as_http(url)?).await?;
        let values = proof.headers.iter().filter_map(|(name, value)| {
            let value = std::str::from_utf8(value.as_bytes()).ok()?;
            Some((name.clone(), Secret::new(value.to_owned())))
        });
        Ok(HeaderValues(values.collect()))
    }

    /// The same client with a separate WebSocket for its calls: with the same credentials, login, limits and settings, and without
    /// the user's handler. Nothing is opened before a call goes over it.
    ///
    /// # Errors
    /// A URL that may not be used, or a proxy that cannot be.
    pub fn over_own_websocket(&self, url: &Url) -> Result<Self, Error> {
        let lines = self.lines()?;
        self.check_stream_url(url, !lines.ring.is_empty())?;
        let line = lines.dialer.sockets(&as_http(url)?)?;
        let common = Common { base: Arc::new(Base::new(url)), route: line.route, ..self.shared.common.clone() };
        let socket = lines.websocket(&common, line.http, lines.options.for_streams());
        let (ring, retry) = (lines.ring.clone(), self.shared.retry);
        let mut session = Self::new(common, ring, retry, Channel::Socket(socket)).with_lines(lines.clone());
        session.own = self.own.clone();
        Ok(session)
    }

    /// The same client with all its calls over the WebSocket that is open now, and over no later one; and the number of that connection.
    /// None where none is open.
    pub fn on_open_websocket(&self) -> Option<(u64, Self)> {
        let connection = self.websocket()?.open_now()?;
        let (shared, channel) = (&self.shared, Channel::Connection(Arc::downgrade(&connection)));
        let mut session = Self::new(shared.common.clone(), shared.credentials.clone(), shared.retry, channel);
        session.own = self.own.clone();
        Some((connection.number(), session))
    }

    fn lines(&self) -> Result<&Arc<Lines>, Error> {
        let lines = self.shared.lines.as_ref();
        lines.ok_or_else(|| Error::invalid_request("a session that logs in cannot open connections"))
    }

    /// The headers of a credential for a request that opens a WebSocket.
    async fn prove(&self, name: &str, url: &Url) -> Result<Proof, Error> {
        let shared = &self.shared;
        let (signer, token) = match shared.credentials.by_name.get(name) {
            Some(Credential::Signer(signer)) => (Some(signer.clone()), None),
            Some(Credential::Token(cache)) => {
                let token = tokio::time::timeout(shared.common.timeouts.call, cache.get()).await;
                let token = token.map_err(|_| late("the login took too long".to_owned()))??;
                (None, Some((cache.clone(), token)))
            }
            Some(Credential::Login) | None => {
                let message = format!("the stream needs the credential {name}, which the client does not have");
                return Err(Error::new(Inner { kind: Some(ErrorKind::Unauthorized), message, ..Inner::default() }));
            }
        };
        let (now, offset_millis) = (shared.common.clock.now().get(), shared.common.clock.offset_millis());
        let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let parts = Parts::new("GET", target, b"");
        let signed = match (&signer, &token) {
            (Some(signer), _) => signer.sign(&parts, now)?,
            (None, Some((_, token))) => token.signer().sign(&parts, now)?,
            (None, None) => Default::default(),
        };
        Ok(Proof { headers: signed.into_iter().collect(), token, offset_millis })
    }

    /// Takes the venue's time over where the clock is to blame for a refusal. Says whether another signature may help.
    fn correct_clock(&self, error: &Error, proof: &Proof, sent: UnixMillis) -> bool {
        let Some(time) = error.venue_time() else { return false };
        let (clock, offsets) = (&self.shared.common.clock, Offsets::of(time, sent, UnixMillis::now()));
        let is_clock = match error.kind() {
            ErrorKind::Clock => true,
            ErrorKind::Unauthorized => offsets.are_far_from(proof.offset_millis),
            _ => false,
        };
        if !is_clock {
            return false;
        }
        let believed = clock.follow(offsets);
        let (venue, offset_millis) = (self.venue().name, clock.offset_millis());
        tracing::warn!(venue, believed, offset_millis, "the venue refused the timestamp of a stream");
        believed
    }

    /// A refusal without what must not be seen. A token that was refused is forgotten.
    fn judged(&self, mut error: Error, proof: Proof) -> Error {
        for value in proof.headers.values().filter_map(|value| value.to_str().ok()) {
            error.redact(value);
        }
        for secret in self.shared.credentials.hidden() {
            error.redact(secret.expose());
        }
        if let Some((cache, token)) = &proof.token {
            token.secrets().for_each(|secret| error.redact(secret.expose()));
            if error.kind() == ErrorKind::Unauthorized {
                cache.drop_if(token);
            }
        }
        error
    }

    /// Takes every secret of the client out of a text that a venue has said.
    pub fn redacted(&self, text: &str) -> String {
        let mut error = Error::invalid_request(text);
        for secret in self.shared.credentials.hidden() {
            error.redact(secret.expose());
        }
        error.shorten();
        error.message().to_owned()
    }
}

fn read(url: &str) -> Result<Url, Error> {
    Url::parse(url).map_err(|error| Error::invalid_request(format!("invalid stream URL ({error})")))
}

/// The URL of the request that becomes a WebSocket. Its path stays as it is.
fn as_http(url: &Url) -> Result<Url, Error> {
    match url.as_str().strip_prefix("ws") {
        Some(rest) => read(&["http", rest].concat()),
        None => Ok(url.clone()),
    }
}

fn late(message: String) -> Error {
    Error::new(Inner { kind: Some(ErrorKind::Timeout), message, ..Inner::default() })
}

#[cfg(test)]
mod tests {
    use venuekit_auth::Headers;
    use venuekit_wire::operation::Venue;
    use venuekit_wire::server::Server;
    use venuekit_wire::stream::Login;

    use super::*;
    use crate::builder::{ClientBuilder, Connect};
    use crate::credentials::Credentials;
    use crate::fixtures;

    static VENUE: Venue = Venue {
        servers: &[
            Server {
                environment: "production",
                url: "https://venue.test/api",
                hosts: &["old.venue.test"],
                key_page: None,
                serves: &[],
            },
            Server { environment: "demo", url: "https://demo.venue.test/api", hosts: &[], key_page: None, serves: &[] },
        ],
        ..fixtures::VENUE
    };

    static ENDPOINT: Endpoint = Endpoint {
        name: "stream",
        servers: &[("production", "wss://ws.venue.test/stream/v2"), ("demo", "wss://ws.demo.venue.test/stream/v2")],
        path: "/stream/v2",
        login: Login::None,
    };

    struct Client(Session);

    impl Connect for Client {
        const VENUE: &'static Venue = &VENUE;

        fn connect(session: Session) -> Self {
            Self(session)
        }
    }

    fn session(base_url: &str, credentials: Credentials) -> Session {
        ClientBuilder::<Client>::new(base_url)
            .credentials(credentials)
            .build()
            .unwrap_or_else(|error| panic!("{error}"))
            .0
    }

    fn key() -> Credentials {
        let headers = Headers::new("key", HeaderName::from_static("x-key"), "MARKER".to_owned()).unwrap();
        Credentials::none().signer("key", headers)
    }

    #[test]
    fn an_endpoint_is_that_of_the_environment_or_at_the_same_server() {
        for (base_url, url, environment) in [
            ("https://venue.test/api", "wss://ws.venue.test/stream/v2", Some("production")),
            ("https://old.venue.test/other", "wss://ws.venue.test/stream/v2", Some("production")),
            ("https://demo.venue.test/api", "wss://ws.demo.venue.test/stream/v2", Some("demo")),
            ("http://127.0.0.1:9100/api", "ws://127.0.0.1:9100/stream/v2", Some("local")),
            ("https://proxy.example:8443/venue/api", "wss://proxy.example:8443/stream/v2", None),
            ("http://[::1]:9100", "ws://[::1]:9100/stream/v2", Some("local")),
        ] {
            let session = session(base_url, Credentials::none());
            assert_eq!(session.stream_url(&ENDPOINT).unwrap().as_str(), url, "{base_url}");
            assert_eq!(session.environment(), environment, "{base_url}");
        }
    }

    #[test]
    fn a_url_is_refused_where_a_secret_could_be_read() {
        let session = session("https://demo.venue.test/api", key().of_environment("demo"));
        let check = |url: &str, secret| session.check_stream_url(&Url::parse(url).unwrap(), secret);
        for url in ["wss://ws.demo.venue.test/x", "ws://127.0.0.1:1/x", "wss://proxy.example"] {
            assert!(check(url, true).is_ok(), "{url}");
        }
        for (url, why) in [
            ("ws://ws.demo.venue.test/x", "is not wss"),
            ("wss://venue.test/x", "is its production"),
            ("https://demo.venue.test/x", "begin with `wss://`"),
            ("wss://user:MARKER@demo.venue.test/x", "must not contain a user"),
        ] {
            let error = check(url, true).unwrap_err().to_string();
            assert!(error.contains(why) && !error.contains("MARKER"), "{error}");
        }
        assert!(check("ws://ws.demo.venue.test/x", false).is_ok(), "nothing secret goes there");
    }

    #[tokio::test]
    async fn header_values_are_not_shown() {
        let session = session("https://venue.test/api", key());
        let url = Url::parse("wss://ws.venue.test/x").unwrap();
        let values = session.header_values("key", &url).await.unwrap();
        assert_eq!(values.get("X-Key").map(Secret::expose), Some("MARKER"));
        assert_eq!((values.get("x-other").is_none(), format!("{values:?}")), (true, r#"{"x-key"}"#.to_owned()));
        let error = session.header_values("other", &url).await.unwrap_err();
        assert!(error.message().contains("needs the credential other"), "{error}");
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
        let plain = Url::parse("ws://ws.venue.test/x").unwrap();
        assert!(session.header_values("key", &plain).await.is_err());
    }

    #[test]
    fn what_is_kept_with_a_client_does_not_keep_itself() {
        let session = session("https://venue.test/api", key());
        let kept = session.extension(|own| (own, "text"));
        assert!(Arc::ptr_eq(&kept, &session.clone().extension(|own| (own, "other"))), "clones share it");
        let weak = Arc::downgrade(&kept);
        drop((kept, session));
        assert!(weak.upgrade().is_none());
    }
}
