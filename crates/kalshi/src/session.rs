//! Who is calling.

use std::path::Path;

use venuekit_auth::PrivateKey;
use venuekit_auth::kalshi::KalshiSigner;
use venuekit_transport::credential_parts::{CredentialParts, FromCredentialParts, only, unfit};
use venuekit_transport::keys::{CreatedKey, SecretKind};
use venuekit_transport::{Error, SignAhead};
use venuekit_wire::operation::Venue;

use crate::VENUE;

/// A Kalshi API key: its id and the private key that signs. Belongs to one environment.
#[derive(Clone, Debug)]
pub struct Credentials(pub(crate) venuekit_transport::Credentials);

impl Credentials {
    /// From a key that was read or made before. RSA keys sign with PSS, Ed25519 keys plainly.
    ///
    /// # Errors
    /// An empty key id, or one that no header can hold.
    pub fn new(key_id: impl Into<String>, key: PrivateKey) -> Result<Self, Error> {
        let signer = KalshiSigner::new(key_id, key)?;
        Ok(Self(venuekit_transport::Credentials::none().signer("signature", signer)))
    }

    /// From a PEM text: PKCS#1 or PKCS#8, RSA or Ed25519.
    ///
    /// # Errors
    /// A text that is no such key: the error says what it is instead, and what to do.
    pub fn from_pem(key_id: impl Into<String>, pem: impl AsRef<[u8]>) -> Result<Self, Error> {
        Self::new(key_id, PrivateKey::from_pem(pem)?)
    }

    /// From a PEM file.
    ///
    /// # Errors
    /// A file that cannot be read or is no such key: the error says what it is instead, and what to do.
    pub fn from_pem_file(key_id: impl Into<String>, path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::new(key_id, PrivateKey::from_file(path)?)
    }

    /// Keeps a fresh signature ready for these operations, such as `["create_order_v2"]`: with an RSA key, signing takes most of the
    /// time of a call. For the rules see [`Credentials::sign_ahead`](venuekit_transport::Credentials::sign_ahead).
    #[must_use]
    pub fn sign_ahead(self, operations: impl Into<SignAhead>) -> Self {
        Self(self.0.sign_ahead(operations))
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
        match only(parts)? {
            CredentialParts::Key { public_id, secret, kind: SecretKind::PrivateKeyPem } => {
                Self::from_pem(public_id.clone(), secret.expose())
            }
            other => Err(unfit(other, "a key id with its private key")),
        }
    }

    fn of_environment(self, environment: &'static str) -> Self {
        Self(self.0.of_environment(environment))
    }
}

impl TryFrom<&CreatedKey> for Credentials {
    type Error = Error;

    fn try_from(key: &CreatedKey) -> Result<Self, Error> {
        Self::from_pem(key.public_id.clone(), key.secret.expose())
    }
}
