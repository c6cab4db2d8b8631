//! Checks whether a webhook delivery comes from the venue.

use std::fmt;
use std::time::Duration;

use http::{HeaderMap, HeaderName};
use venuekit_wire::Secret;

use crate::SignError;
use crate::mac::MacKey;

const SIGNATURE: HeaderName = HeaderName::from_static("x-yativo-signature");
const TIMESTAMP: HeaderName = HeaderName::from_static("x-yativo-timestamp");
const PLAIN_SIGNATURE: HeaderName = HeaderName::from_static("x-webhook-signature");

/// How a delivery was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WebhookScheme {
    /// `X-Yativo-Signature: sha256=HEX` over `X-Yativo-Timestamp`, a dot and the body. Protects against replay.
    Timestamped,
    /// `X-Webhook-Signature: HEX` over the body alone: the older scheme, which an old delivery passes forever.
    Plain,
}

/// Checks the signature of a webhook delivery over the raw bytes of its body.
///
/// ```
/// use venuekit_auth::yativo::{WebhookScheme, WebhookVerifier};
///
/// let verifier = WebhookVerifier::new("whsec_test_secret")?;
/// let mut headers = http::HeaderMap::new();
/// let signature = "sha256=adc511fc33b41af3ff253434a3be169527c74e9ca9c0e44416327f36a820d42b";
/// headers.insert("x-yativo-signature", signature.parse()?);
/// headers.insert("x-yativo-timestamp", "1700000000".parse()?);
/// let body = br#"{"id":"evt_1","event":"deposit.confirmed"}"#;
/// assert_eq!(verifier.verify(&headers, body, 1_700_000_030_000)?, WebhookScheme::Timestamped);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct WebhookVerifier {
    key: MacKey,
    tolerance: Duration,
    only: Option<WebhookScheme>,
}

impl WebhookVerifier {
    /// The secret of the webhook, as the venue showed it or as it was chosen: a prefix belongs to it.
    pub fn new(secret: impl Into<Secret>) -> Result<Self, SignError> {
        let secret = secret.into();
        if secret.is_empty() {
            return Err(SignError::Empty("webhook secret"));
        }
        Ok(Self { key: MacKey::new(secret.expose()), tolerance: Duration::from_secs(300), only: None })
    }

    /// How far the timestamp may lie from the time of the check, either way. Five minutes unless said otherwise.
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Takes no other scheme. Worth saying once it is known which one a webhook uses.
    pub fn only(mut self, scheme: WebhookScheme) -> Self {
        self.only = Some(scheme);
        self
    }

    /// Checks a delivery, received at that time (Unix milliseconds).
    pub fn verify(&self, headers: &HeaderMap, body: &[u8], now_millis: i64) -> Result<WebhookScheme, WebhookError> {
        let accepts = |scheme| self.only.is_none_or(|only| only == scheme);
        if accepts(WebhookScheme::Timestamped) && headers.contains_key(SIGNATURE) {
            self.verify_timestamped(headers, body, now_millis)?;
            return Ok(WebhookScheme::Timestamped);
        }
        if accepts(WebhookScheme::Plain) && headers.contains_key(PLAIN_SIGNATURE) {
            let signature = signature(one(headers, &PLAIN_SIGNATURE)?)?;
            self.matches(&[body], &signature)?;
            return Ok(WebhookScheme::Plain);
        }
        Err(WebhookError::MissingSignature)
    }

    fn verify_timestamped(&self, headers: &HeaderMap, body: &[u8], now_millis: i64) -> Result<(), WebhookError> {
        let value = one(headers, &SIGNATURE)?;
        let signature = signature(value.strip_prefix("sha256=").unwrap_or(value))?;
        if !headers.contains_key(TIMESTAMP) {
            return Err(WebhookError::MissingTimestamp);
        }
        let timestamp = one(headers, &TIMESTAMP)?;
        let seconds = timestamp.parse::<u64>().map_err(|_| WebhookError::MalformedTimestamp)?;
        // The signature first: only then is it the venue that says when it was.
        self.matches(&[timestamp.as_bytes(), b".", body], &signature)?;
        let off_by = i128::from(now_millis) - i128::from(seconds) * 1000;
        if off_by.unsigned_abs() > self.tolerance.as_millis() {
            let off_by = Duration::from_millis(u64::try_from(off_by.unsigned_abs()).unwrap_or(u64::MAX));
            return Err(if i128::from(seconds) * 1000 < i128::from(now_millis) {
                WebhookError::TooOld(off_by)
            } else {
                WebhookError::FromTheFuture(off_by)
            });
        }
        Ok(())
    }

    fn matches(&self, message: &[&[u8]], signature: &[u8; 32]) -> Result<(), WebhookError> {
        if self.key.verify(message, signature) { Ok(()) } else { Err(WebhookError::Mismatch) }
    }
}

impl fmt::Debug for WebhookVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookVerifier")
            .field("tolerance", &self.tolerance)
            .field("only", &self.only)
            .finish_non_exhaustive()
    }
}

/// The value of a header that may stand there once: of two, nobody could say which was checked.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a str, WebhookError> {
    let mut values = headers.get_all(name).iter();
    match (values.next().map(|value| value.to_str()), values.next()) {
        (Some(Ok(value)), None) => Ok(value),
        (_, Some(_)) => Err(WebhookError::Repeated(name.clone())),
        _ if *name == TIMESTAMP => Err(WebhookError::MalformedTimestamp),
        _ => Err(WebhookError::MalformedSignature),
    }
}

fn signature(hex: &str) -> Result<[u8; 32], WebhookError> {
    let mut signature = [0; 32];
    match base16ct::mixed::decode(hex, &mut signature) {
        Ok(bytes) if bytes.len() == 32 => Ok(signature),
        _ => Err(WebhookError::MalformedSignature),
    }
}

/// Why a delivery is not to be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebhookError {
    /// There is no signature header of a scheme that is accepted.
    MissingSignature,
    /// The signature needs a timestamp, which is missing.
    MissingTimestamp,
    /// The signature is not 64 hex digits.
    MalformedSignature,
    /// The timestamp is not a number of seconds.
    MalformedTimestamp,
    /// A header occurs more than once.
    Repeated(HeaderName),
    /// Another secret, another body or another timestamp was signed.
    Mismatch,
    /// Signed rightly, but this long ago: a replay, or a clock that is fast.
    TooOld(Duration),
    /// Signed rightly, but this far ahead: a clock that is slow.
    FromTheFuture(Duration),
}

impl fmt::Display for WebhookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingSignature => f.write_str("the delivery has no signature header that is accepted"),
            Self::MissingTimestamp => write!(f, "the delivery has a signature but no {TIMESTAMP} header"),
            Self::MalformedSignature => f.write_str("the signature is not 64 hex digits"),
            Self::MalformedTimestamp => f.write_str("the timestamp is not a number of Unix seconds"),
            Self::Repeated(name) => write!(f, "the header {name} occurs more than once"),
            Self::Mismatch => f.write_str(
                "the signature does not match: wrong secret, or the body was changed, or parsed and serialized again, before the check",
            ),
            Self::TooOld(by) => write!(f, "the delivery was signed {} seconds ago", by.as_secs()),
            Self::FromTheFuture(by) => write!(f, "the delivery was signed {} seconds ahead of this clock", by.as_secs()),
        }
    }
}

impl std::error::Error for WebhookError {}
