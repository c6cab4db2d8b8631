//! Who is calling.

use std::sync::Arc;
use std::time::Duration;

use venuekit_auth::{Headers, SignError, Signer, yativo};
use venuekit_transport::credential_parts::{CredentialParts, FromCredentialParts, only, unfit};
use venuekit_transport::keys::{CreatedKey, SecretKind};
use venuekit_transport::{Connect, Error, Grant, GrantFuture, Token};
use venuekit_wire::Secret;
use venuekit_wire::operation::Venue;

use crate::{Client, VENUE};

/// Yativo credentials: a key and its secret, or a token.
#[derive(Clone, Debug)]
pub struct Credentials(pub(crate) venuekit_transport::Credentials);

impl Credentials {
    /// A key and its secret, exchanged for a bearer token when the first call needs one, and again ahead of its end.
    ///
    /// # Errors
    /// An empty part.
    pub fn api_key(api_key: impl Into<String>, api_secret: impl Into<Secret>) -> Result<Self, Error> {
        let (key, secret) = (api_key.into(), api_secret.into());
        if key.is_empty() || secret.is_empty() {
            return Err(Error::invalid_request("the API key or its secret is empty"));
        }
        let credentials = venuekit_transport::Credentials::none().hide(secret.clone());
        Ok(Self::with_code(credentials.token("bearer", move |session| Exchange {
            client: Client::connect(session),
            key: key.clone(),
            secret: secret.clone(),
        })))
    }

    /// A bearer token that was fetched elsewhere. It is not renewed.
    ///
    /// # Errors
    /// An empty token, or one that no header can hold.
    pub fn token(token: impl Into<Secret>) -> Result<Self, Error> {
        let token = token.into();
        let bearer = Headers::bearer(token.clone())?;
        Ok(Self::with_code(venuekit_transport::Credentials::none().signer("bearer", bearer).hide(token)))
    }

    /// A key and its secret in headers on every call, as older pages have it. Prefer [`api_key`](Self::api_key).
    ///
    /// # Errors
    /// An empty part, or one that no header can hold.
    pub fn key_headers(api_key: impl Into<Secret>, api_secret: impl Into<Secret>) -> Result<Self, Error> {
        let secret = api_secret.into();
        let headers = yativo::key_headers(api_key, secret.clone())?;
        Ok(Self::with_code(venuekit_transport::Credentials::none().signer("key-headers", headers).hide(secret)))
    }

    fn with_code(credentials: venuekit_transport::Credentials) -> Self {
        Self(credentials.one_time("second-factor", code))
    }
}

fn code(code: Secret) -> Result<Arc<dyn Signer>, SignError> {
    Ok(Arc::new(yativo::code(code)?))
}

impl From<Credentials> for venuekit_transport::Credentials {
    fn from(credentials: Credentials) -> Self {
        credentials.0
    }
}

impl FromCredentialParts for Credentials {
    const VENUE: &'static Venue = &VENUE;

    fn from_credential_parts(parts: &[CredentialParts]) -> Result<Self, Error> {
        match only(parts)? {
            CredentialParts::Key { public_id, secret, kind: SecretKind::Shared } => {
                Self::api_key(public_id.clone(), secret.clone())
            }
            CredentialParts::Token(token) => Self::token(token.clone()),
            other => Err(unfit(other, "an API key with its secret")),
        }
    }

    fn of_environment(self, environment: &'static str) -> Self {
        Self(self.0.of_environment(environment))
    }
}

impl TryFrom<&CreatedKey> for Credentials {
    type Error = Error;

    fn try_from(key: &CreatedKey) -> Result<Self, Error> {
        Self::api_key(key.public_id.clone(), key.secret.clone())
    }
}

impl Client {
    /// A client that shares everything with this one, and whose calls carry a one-time code (`X-2FA-Token`).
    ///
    /// A code counts once: make one such client a call. An operation that takes no code refuses it before anything is sent.
    #[must_use]
    pub fn with_code(&self, code: impl Into<Secret>) -> Self {
        self.with_session(self.session().with_code(code))
    }
}

/// The exchange of a key and its secret for a token.
struct Exchange {
    client: Client,
    key: String,
    secret: Secret,
}

/// A token's life where the response does not say it: Yativo's pages say an hour.
const USUAL_LIFE: Duration = Duration::from_secs(3600);

impl Grant for Exchange {
    fn fetch(&self) -> GrantFuture<'_> {
        Box::pin(async {
            let call = self.client.exchange_api_key_for_token();
            let answer = call.api_key(&self.key).api_secret(self.secret.clone()).send().await?;
            let seconds = |seconds: Option<i64>| Some(Duration::from_secs(u64::try_from(seconds?).ok()?));
            let lives = seconds(answer.expires_in).filter(|life| !life.is_zero()).unwrap_or(USUAL_LIFE);
            let advice = answer.refresh_recommendation.as_ref().and_then(|advice| advice.refresh_before_seconds);
            let token = Token::bearer(answer.access_token.clone())?.lives(lives);
            Ok(match seconds(advice) {
                Some(ahead) => token.renewed_ahead(ahead),
                None => token,
            })
        })
    }
}
