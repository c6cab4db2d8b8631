//! A client of any venue, and the seam through which any operation is sent.

use http::HeaderValue;
use http::header::CONTENT_TYPE;
use venuekit_spec::Request;
use venuekit_transport::client::{Call, JsonBody, Session};
use venuekit_transport::credential_parts::FromCredentialParts as _;
use venuekit_transport::{Challenge, Clock, Error, Response, RetryPolicy};
use venuekit_wire::Secret;

use crate::credential::Credential;
use crate::failure::{Exit, Failure};
use crate::target::Target;
use crate::venue::Venue;

/// A client of one of the venues.
#[derive(Clone, Debug)]
pub enum Client {
    /// Bayse's.
    Bayse(venuekit_bayse::Client),
    /// Deribit's.
    Deribit(venuekit_deribit::Client),
    /// Kalshi's.
    Kalshi(venuekit_kalshi::Client),
    /// That of Kalshi's perpetual futures.
    KalshiPerps(venuekit_kalshi_perps::Client),
    /// Yativo's.
    Yativo(venuekit_yativo::Client),
}

/// How a client deals with what goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryMode {
    /// It repeats what may be repeated and follows the venue's clock.
    Forgiving,
    /// It does neither: what is wrong shows.
    Plain,
}

/// The same call on whichever client it is.
macro_rules! on {
    ($self:expr, $client:ident => $call:expr) => {
        match $self {
            Client::Bayse($client) => $call,
            Client::Deribit($client) => $call,
            Client::Kalshi($client) => $call,
            Client::KalshiPerps($client) => $call,
            Client::Yativo($client) => $call,
        }
    };
}

impl Client {
    /// A client for a target. Nothing is sent.
    pub fn new(target: &Target, credential: &Credential, retry_mode: RetryMode) -> Result<Self, Failure> {
        let credentials = credentials(target.venue, credential)?;
        macro_rules! build {
            ($variant:ident, $venue:ident) => {{
                let environment = $venue::Environment::Custom(target.base_url.clone());
                let mut builder = $venue::Client::builder(environment).credentials(credentials);
                builder = builder.timeouts(target.network.timeouts());
                if let Some(proxy) = target.network.proxy() {
                    builder = builder.proxy(proxy);
                }
                if retry_mode == RetryMode::Plain {
                    builder = builder.retry(RetryPolicy::none()).correct_clock_skew(false);
                }
                Self::$variant(builder.build()?)
            }};
        }
        Ok(match target.venue {
            Venue::Bayse => build!(Bayse, venuekit_bayse),
            Venue::Deribit => build!(Deribit, venuekit_deribit),
            Venue::Kalshi => build!(Kalshi, venuekit_kalshi),
            Venue::KalshiPerps => build!(KalshiPerps, venuekit_kalshi_perps),
            Venue::Yativo => build!(Yativo, venuekit_yativo),
        })
    }

    /// Sends a request of an operation, signed and judged as any call of the client.
    pub async fn send(&self, operation: &'static str, request: &Request) -> Result<Response, Error> {
        let session = self.session();
        let row = session.venue().operation(operation);
        let row = row.ok_or_else(|| Error::invalid_request(format!("`{operation}` is not in the operation table")))?;
        let query = request.query.as_deref().unwrap_or_default();
        let mut call = Call::new(row).encoded_path(&request.path).encoded_query(query);
        // The transport says by itself that a body is JSON.
        for (name, value) in request.headers.iter().filter(|(name, _)| *name != CONTENT_TYPE) {
            call = call.header_value(name.clone(), value.clone());
        }
        if !request.body.is_empty() {
            let body = std::str::from_utf8(&request.body)
                .map_err(|_| Error::invalid_request("the request body is not UTF-8"))?;
            call = call.body(JsonBody::new(row, body)?);
        }
        session.send(call).await
    }

    /// Its streams, by the venue's table.
    pub fn streams(&self, table: &'static venuekit_wire::stream::Streams) -> venuekit_streams::Streams {
        venuekit_streams::Streams::of(self.session(), table)
    }

    fn session(&self) -> &Session {
        on!(self, client => client.session())
    }

    /// The same, its calls carrying a one-time code where the venue takes it in a header.
    #[must_use]
    pub fn with_code(&self, code: Secret) -> Self {
        match self {
            Self::Yativo(client) => Self::Yativo(client.with_code(code)),
            other => other.clone(),
        }
    }

    /// The same, its calls answering a challenge.
    #[must_use]
    pub fn confirming(&self, challenge: &Challenge, code: Secret) -> Self {
        match self {
            Self::Deribit(client) => Self::Deribit(client.confirm(challenge, code)),
            other => other.clone(),
        }
    }

    /// The clock that it signs by.
    pub fn clock(&self) -> Clock {
        on!(self, client => client.clock().clone())
    }
}

/// What says that a body is JSON.
pub fn json_headers() -> http::HeaderMap {
    http::HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))])
}

/// What a client of a venue makes of a credential.
pub fn credentials(venue: Venue, credential: &Credential) -> Result<venuekit_transport::Credentials, Failure> {
    credential.check(venue)?;
    if credential.is_none() {
        return Ok(venuekit_transport::Credentials::none());
    }
    let material = &credential.parts;
    let made = match venue {
        Venue::Bayse => venuekit_bayse::Credentials::from_credential_parts(material).map(Into::into),
        Venue::Deribit => venuekit_deribit::Credentials::from_credential_parts(material).map(Into::into),
        Venue::Kalshi => venuekit_kalshi::Credentials::from_credential_parts(material).map(Into::into),
        Venue::KalshiPerps => venuekit_kalshi_perps::Credentials::from_credential_parts(material).map(Into::into),
        Venue::Yativo => venuekit_yativo::Credentials::from_credential_parts(material).map(Into::into),
    };
    made.map_err(|error: Error| {
        Failure::new(Exit::Store, format!("{}: {}", credential.source, error.message())).code("unusable")
    })
}
