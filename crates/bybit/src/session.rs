//! Who is calling.

use std::path::Path;

use venuekit_auth::PrivateKey;
use venuekit_auth::described::SigningKey;
use venuekit_transport::Error;
use venuekit_transport::credential_parts::{self, CredentialParts, FromCredentialParts, signing_key};
use venuekit_transport::keys::CreatedKey;
use venuekit_wire::Secret;
use venuekit_wire::operation::Venue;

use crate::VENUE;

/// A Bybit API key: its public half, with the secret or the RSA private key that signs. It belongs to one environment.
#[derive(Clone, Debug)]
pub struct Credentials(pub(crate) venuekit_transport::Credentials);

impl Credentials {
    /// A key that the venue generated, with its secret. It signs with HMAC-SHA256.
    ///
    /// # Errors
    /// An empty part, or one that no header can hold.
    pub fn api_key(api_key: impl Into<String>, secret: impl Into<Secret>) -> Result<Self, Error> {
        Self::signed(api_key, SigningKey::Shared(secret.into()))
    }

    /// A key that was registered with an RSA public key, with the private key.
    ///
    /// # Errors
    /// An empty key, one that no header can hold, or a private key that is not RSA.
    pub fn private_key(api_key: impl Into<String>, key: PrivateKey) -> Result<Self, Error> {
        Self::signed(api_key, SigningKey::Pair(key))
    }

    /// The same from a PEM text: PKCS#1 or PKCS#8.
    ///
    /// # Errors
    /// A text that is not such a key: the error says what it is instead, and what to do.
    pub fn from_pem(api_key: impl Into<String>, pem: impl AsRef<[u8]>) -> Result<Self, Error> {
        Self::private_key(api_key, PrivateKey::from_pem(pem)?)
    }

    /// The same from a PEM file.
    ///
    /// # Errors
    /// A file that cannot be read or is not such a key: the error says what it is instead, and what to do.
    pub fn from_pem_file(api_key: impl Into<String>, path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::private_key(api_key, PrivateKey::from_file(path)?)
    }

    /// Signs requests, and the command that logs in to a stream.
    fn signed(api_key: impl Into<String>, key: SigningKey) -> Result<Self, Error> {
        Ok(Self(credential_parts::signed(&VENUE, &api_key.into(), key)?))
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
        let (api_key, key) = signing_key(parts, "an API key with its secret or its RSA private key")?;
        Self::signed(api_key, key)
    }

    fn of_environment(self, environment: &'static str) -> Self {
        Self(self.0.of_environment(environment))
    }
}

impl TryFrom<&CreatedKey> for Credentials {
    type Error = Error;

    fn try_from(key: &CreatedKey) -> Result<Self, Error> {
        Self::from_credential_parts(&[key.into()])
    }
}
