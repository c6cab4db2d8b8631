//! Who is calling.

use venuekit_auth::bayse::{self, BayseWrite};
use venuekit_transport::credential_parts::{CredentialParts, FromCredentialParts, unfit};
use venuekit_transport::keys::{CreatedKey, SecretKind};
use venuekit_transport::{Connect, Error, Grant, GrantFuture, Token};
use venuekit_wire::Secret;
use venuekit_wire::operation::Venue;

use crate::{Client, VENUE};

/// Bayse credentials: an API key for reading and trading, a session or a login for managing keys, or both.
#[derive(Clone, Debug)]
pub struct Credentials(pub(crate) venuekit_transport::Credentials);

impl Credentials {
    /// An API key: the public part reads, the secret part signs writes.
    ///
    /// # Errors
    /// An empty part, or one that no header can hold.
    pub fn api_key(public_key: impl Into<Secret>, secret_key: impl Into<Secret>) -> Result<Self, Error> {
        Self(venuekit_transport::Credentials::none()).and_api_key(public_key, secret_key)
    }

    /// A session, as login returns it. It manages API keys and does nothing else.
    ///
    /// # Errors
    /// An empty part, or one that no header can hold.
    pub fn session(auth_token: impl Into<Secret>, device_id: impl Into<Secret>) -> Result<Self, Error> {
        Self(venuekit_transport::Credentials::none()).and_session(auth_token, device_id)
    }

    /// An e-mail address and its password, for a session that is opened when a call first needs one. It manages API keys and does
    /// nothing else.
    ///
    /// Bayse takes one login in two minutes for an address. The session is kept until the venue refuses it; a further login within
    /// that time is not sent, and its error says how long to wait.
    ///
    /// # Errors
    /// An empty part.
    pub fn login(email: impl Into<String>, password: impl Into<Secret>) -> Result<Self, Error> {
        Self(venuekit_transport::Credentials::none()).and_login(email, password)
    }

    /// The same with an API key.
    ///
    /// # Errors
    /// An empty part, or one that no header can hold.
    pub fn and_api_key(self, public_key: impl Into<Secret>, secret_key: impl Into<Secret>) -> Result<Self, Error> {
        let (public, secret) = (public_key.into(), secret_key.into());
        let read = bayse::read(public.clone())?;
        let write = BayseWrite::new(secret.clone())?;
        // The public part alone reads the account, so it is kept out of sight too.
        Ok(Self(self.0.signer("read", read).signer("write", write).hide(public).hide(secret)))
    }

    /// The same with a session.
    ///
    /// # Errors
    /// An empty part, or one that no header can hold.
    pub fn and_session(self, auth_token: impl Into<Secret>, device_id: impl Into<Secret>) -> Result<Self, Error> {
        let token = auth_token.into();
        let session = bayse::session(token.clone(), device_id)?;
        Ok(Self(self.0.signer("session", session).hide(token)))
    }

    /// The same with a login, in place of a session.
    ///
    /// # Errors
    /// An empty part.
    pub fn and_login(self, email: impl Into<String>, password: impl Into<Secret>) -> Result<Self, Error> {
        let (email, password) = (email.into(), password.into());
        if email.is_empty() || password.is_empty() {
            return Err(Error::invalid_request("the e-mail address or its password is empty"));
        }
        let credentials = self.0.hide(password.clone());
        Ok(Self(credentials.token("session", move |session| Login {
            client: Client::connect(session),
            email: email.clone(),
            password: password.clone(),
        })))
    }
}

impl From<Credentials> for venuekit_transport::Credentials {
    fn from(credentials: Credentials) -> Self {
        credentials.0
    }
}

impl FromCredentialParts for Credentials {
    const VENUE: &'static Venue = &VENUE;

    fn from_credential_parts(parts: &[CredentialParts]) -> Result<Self, Error> {
        // A session that is open goes before a login.
        let is_open = parts.iter().any(|one| matches!(one, CredentialParts::Session { .. }));
        let mut needed = parts.iter().filter(|one| !(is_open && matches!(one, CredentialParts::Login { .. })));
        let none = Self(venuekit_transport::Credentials::none());
        needed.try_fold(none, |so_far, one| match one {
            CredentialParts::Key { public_id, secret, kind: SecretKind::Shared } => {
                so_far.and_api_key(public_id.clone(), secret.clone())
            }
            CredentialParts::Session { token, device_id } => so_far.and_session(token.clone(), device_id.clone()),
            CredentialParts::Login { email, password } => so_far.and_login(email.clone(), password.clone()),
            other => Err(unfit(other, "an API key with its secret, a session or a login")),
        })
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

/// A session by `POST /v1/user/login`.
struct Login {
    client: Client,
    email: String,
    password: Secret,
}

impl Grant for Login {
    fn fetch(&self) -> GrantFuture<'_> {
        Box::pin(async {
            let answer = self.client.login().email(&self.email).password(self.password.clone()).send().await?;
            let (token, device) = (answer.token.clone(), answer.device_id.clone());
            let headers = bayse::session(token.clone(), device)?;
            // No page says how long a session lives.
            Ok(Token::new(headers, [token]))
        })
    }
}
