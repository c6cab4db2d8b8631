//! Who is calling.

use std::path::Path;

use http::HeaderName;
use venuekit_auth::described::{DescribedSigner, SigningKey};
use venuekit_auth::{Headers, PrivateKey};
use venuekit_transport::Error;
use venuekit_transport::credential_parts::{CredentialParts, FromCredentialParts, only, unfit};
use venuekit_transport::keys::{CreatedKey, SecretKind};
use venuekit_wire::Secret;
use venuekit_wire::operation::Venue;

use crate::VENUE;

/// The header of calls that need a key and no signature.
const KEY: HeaderName = HeaderName::from_static("x-mbx-apikey");

/// A Binance API key: its public half, with the secret or the private key that signs. It belongs to one environment.
#[derive(Clone, Debug)]
pub struct Credentials(pub(crate) venuekit_transport::Credentials);

impl Credentials {
    /// A key that the venue generated, with its secret. It signs with HMAC-SHA256.
    ///
    /// # Errors
    /// An empty part, or one that no header can hold.
    pub fn api_key(api_key: impl Into<String>, secret: impl Into<Secret>) -> Result<Self, Error> {
        let secret = secret.into();
        let credentials = Self::signed(api_key, SigningKey::Shared(secret.clone()))?;
        Ok(Self(credentials.0.hide(secret)))
    }

    /// A key that was registered with a public key, Ed25519 or RSA, with its private key.
    ///
    /// # Errors
    /// An empty key, one that no header can hold, or a private key of another kind.
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

    fn signed(api_key: impl Into<String>, key: SigningKey) -> Result<Self, Error> {
        let api_key = api_key.into();
        let alone = Headers::new("API key", KEY, api_key.as_str())?;
        let alone = venuekit_transport::Credentials::none().signer("key", alone);
        let signed = VENUE.credentials.signatures.iter().try_fold(alone, |credentials, signature| {
            let signer = DescribedSigner::new(signature, api_key.clone(), key.clone())?;
            Ok::<_, Error>(credentials.signer(signature.name, signer))
        })?;
        Ok(Self(signed))
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
            CredentialParts::Key { public_id, secret, kind: SecretKind::Shared } => {
                Self::api_key(public_id.clone(), secret.clone())
            }
            CredentialParts::Key { public_id, secret, kind: SecretKind::PrivateKeyPem } => {
                Self::from_pem(public_id.clone(), secret.expose())
            }
            other => Err(unfit(other, "an API key with its secret or its private key")),
        }
    }

    fn of_environment(self, environment: &'static str) -> Self {
        Self(self.0.of_environment(environment))
    }
}

impl TryFrom<&CreatedKey> for Credentials {
    type Error = Error;

    fn try_from(key: &CreatedKey) -> Result<Self, Error> {
        match key.kind {
            SecretKind::PrivateKeyPem => Self::from_pem(key.public_id.clone(), key.secret.expose()),
            _ => Self::api_key(key.public_id.clone(), key.secret.clone()),
        }
    }
}
