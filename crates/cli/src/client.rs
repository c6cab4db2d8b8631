//! A client of any venue, and the one function by which any operation is sent.

use http::HeaderValue;
use http::header::CONTENT_TYPE;
use venuekit_spec::Request;
use venuekit_transport::client::{Call, JsonBody};
use venuekit_transport::{Challenge, Clock, Error, Response};
use venuekit_venues::{Session, Settings};
use venuekit_wire::Secret;

use crate::credential::Credential;
use crate::failure::{Exit, Failure};
use crate::target::Target;
use crate::venue::Venue;

/// A client of one of the venues.
#[derive(Clone, Debug)]
pub struct Client(Session);

/// How a client handles failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryMode {
    /// It retries what may be retried and follows the venue's clock.
    Forgiving,
    /// It does neither: what is wrong shows.
    Plain,
}

impl Client {
    /// A client for a target. Nothing is sent.
    pub fn new(target: &Target, credential: &Credential, retry_mode: RetryMode) -> Result<Self, Failure> {
        let credentials = credentials(target.venue, credential)?;
        let settings = Settings::new(target.base_url.clone(), credentials)
            .timeouts(target.network.timeouts())
            .proxy(target.network.proxy());
        let settings = if retry_mode == RetryMode::Plain { settings.plain() } else { settings };
        Ok(Self(target.venue.session(settings)?))
    }

    /// Sends a request of an operation, signed and judged as any call of the client.
    pub async fn send(&self, operation: &'static str, request: &Request) -> Result<Response, Error> {
        let row = self.0.venue().operation(operation);
        let row = row.ok_or_else(|| Error::invalid_request(format!("`{operation}` is not in the operation table")))?;
        let query = request.query.as_deref().unwrap_or_default();
        let mut call = Call::new(row).encoded_path(&request.path).encoded_query(query);
        // The transport says by itself that a body is JSON.
        for (name, value) in request.headers.iter().filter(|(name, _)| *name != CONTENT_TYPE) {
            call = call.header_value(name.clone(), value.clone());
        }
        if row.form && !request.body.is_empty() {
            // Each value is a text: it is written as it was, and nothing is lost.
            let members: serde_json::Map<String, serde_json::Value> =
                request.form_pairs().into_iter().map(|(name, value)| (name, value.into())).collect();
            call = call.body(JsonBody::new(row, &serde_json::Value::Object(members).to_string())?);
        } else if !request.body.is_empty() {
            let body = std::str::from_utf8(&request.body)
                .map_err(|_| Error::invalid_request("the request body is not UTF-8"))?;
            call = call.body(JsonBody::new(row, body)?);
        }
        self.0.send(call).await
    }

    /// Its streams, by the venue's table.
    pub fn streams(&self, table: &'static venuekit_wire::stream::Streams) -> venuekit_streams::Streams {
        venuekit_streams::Streams::of(&self.0, table)
    }

    /// What makes its calls.
    pub fn session(&self) -> &Session {
        &self.0
    }

    /// The same, its calls carrying a one-time code.
    #[must_use]
    pub fn with_code(&self, code: Secret) -> Self {
        Self(self.0.with_code(code))
    }

    /// The same, its calls responding to a challenge.
    #[must_use]
    pub fn confirming(&self, challenge: &Challenge, code: Secret) -> Self {
        Self(self.0.confirming(challenge, code))
    }

    /// The clock that it signs by.
    pub fn clock(&self) -> Clock {
        self.0.clock().clone()
    }
}

/// What says that a body is a form.
pub fn form_headers() -> http::HeaderMap {
    http::HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))])
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
    venue.credentials(&credential.parts).map_err(|error| {
        Failure::new(Exit::Store, format!("{}: {}", credential.source, error.message())).code("unusable")
    })
}
