//! Who is calling.

use venuekit_auth::bayse::{self, BayseWrite};
use venuekit_transport::Error;
use venuekit_wire::Secret;

/// Bayse credentials: an API key for reading and trading, a session for managing keys, or both.
#[derive(Clone, Debug)]
pub struct Credentials(venuekit_transport::Credentials);

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
}

impl From<Credentials> for venuekit_transport::Credentials {
    fn from(credentials: Credentials) -> Self {
        credentials.0
    }
}
