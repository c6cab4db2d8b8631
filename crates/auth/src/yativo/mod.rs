//! Yativo: a bearer token in general, key headers and one-time codes here and there, and signed webhooks.

mod webhook;

use http::HeaderName;
use venuekit_wire::Secret;

pub use self::webhook::{WebhookError, WebhookScheme, WebhookVerifier};
use crate::{Headers, SignError};

/// The key.
pub const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// Its secret.
pub const API_SECRET: HeaderName = HeaderName::from_static("x-api-secret");
/// A code of the authenticator app.
pub const TWO_FACTOR: HeaderName = HeaderName::from_static("x-2fa-token");

/// The older way, without a token: `X-API-Key` and `X-API-Secret`. The newer pages want a bearer token ([`Headers::bearer`]).
pub fn key_headers(api_key: impl Into<Secret>, api_secret: impl Into<Secret>) -> Result<Headers, SignError> {
    Headers::new("API key", API_KEY, api_key)?.and("API secret", API_SECRET, api_secret)
}

/// A second factor, on top of another credential: `X-2FA-Token`. A code is good for one request.
pub fn code(code: impl Into<Secret>) -> Result<Headers, SignError> {
    Headers::new("2FA code", TWO_FACTOR, code)
}
