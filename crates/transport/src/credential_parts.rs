//! What a store or environment variables hold of credentials, in the same words for all venues.

use std::fmt;

use venuekit_auth::PrivateKey;
use venuekit_auth::described::{DescribedSigner, SigningKey};
use venuekit_wire::Secret;
use venuekit_wire::operation::Venue;

use crate::credentials::Credentials;
use crate::error::Error;
use crate::keys::{CreatedKey, SecretKind};

/// One credential.
#[derive(Clone)]
pub enum CredentialParts {
    /// An API key.
    Key {
        /// What identifies the caller: a key id, a public key or a client id, whichever the venue gives.
        public_id: String,
        /// A private key as PEM, or a shared secret.
        secret: Secret,
        /// Which of the two.
        kind: SecretKind,
    },
    /// An open session.
    Session {
        /// Its token.
        token: Secret,
        /// The id of the device that it belongs to.
        device_id: Secret,
    },
    /// An account's e-mail address and password, with which a session is opened.
    Login {
        /// The address.
        email: String,
        /// Its password.
        password: Secret,
    },
    /// A bearer token.
    Token(Secret),
}

impl CredentialParts {
    /// What identifies the caller, where it is a key.
    pub fn public_id(&self) -> Option<&str> {
        match self {
            Self::Key { public_id, .. } => Some(public_id),
            _ => None,
        }
    }

    /// The texts in it that no copying may have changed: the id, and the secret. A private key's reader says what is wrong with that, and a
    /// password may be any text.
    pub fn halves(&self) -> (Option<&str>, Option<&str>) {
        match self {
            Self::Key { public_id, kind: SecretKind::PrivateKeyPem, .. } => (Some(public_id), None),
            Self::Key { public_id, secret, .. } => (Some(public_id), Some(secret.expose())),
            Self::Session { token, device_id } => (Some(device_id.expose()), Some(token.expose())),
            Self::Login { email, .. } => (Some(email), None),
            Self::Token(token) => (None, Some(token.expose())),
        }
    }
}

impl From<&CreatedKey> for CredentialParts {
    fn from(key: &CreatedKey) -> Self {
        Self::Key { public_id: key.public_id.clone(), secret: key.secret.clone(), kind: key.kind }
    }
}

// At some venues the id alone reads an account: not even that is shown.
impl fmt::Debug for CredentialParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key { .. } => "Key",
            Self::Session { .. } => "Session",
            Self::Login { .. } => "Login",
            Self::Token(_) => "Token",
        })
    }
}

/// The credentials of one venue's clients. Each venue's `Credentials` are.
pub trait FromCredentialParts: Into<Credentials> + Sized {
    /// The venue's table.
    const VENUE: &'static Venue;

    /// Credentials made of one thing, or of several where the venue takes more.
    ///
    /// # Errors
    /// Something that the venue does not take, or that cannot be read.
    fn from_credential_parts(parts: &[CredentialParts]) -> Result<Self, Error>;

    /// The same for this program, where a venue tells programs apart that share a key. Most do not.
    #[must_use]
    fn of_program(self, _name: &'static str) -> Self {
        self
    }

    /// The same, of this environment: a client of another one refuses them.
    #[must_use]
    fn of_environment(self, environment: &'static str) -> Self;
}

/// The one thing that credentials of most venues are made of.
///
/// # Errors
/// It is missing, or there are several.
pub fn only(parts: &[CredentialParts]) -> Result<&CredentialParts, Error> {
    match parts {
        [only] => Ok(only),
        [] => Err(Error::invalid_request("no credential was given")),
        _ => Err(Error::invalid_request("several credentials were given, but the venue accepts one")),
    }
}

/// The error of a venue that does not take such a thing. `wanted` is what it takes.
pub fn unfit(given: &CredentialParts, wanted: &str) -> Error {
    let what = match given {
        CredentialParts::Key { kind: SecretKind::PrivateKeyPem, .. } => "an id with a private key",
        CredentialParts::Key { .. } => "an id with a shared secret",
        CredentialParts::Session { .. } => "a session",
        CredentialParts::Login { .. } => "an e-mail address with its password",
        CredentialParts::Token(_) => "a token",
    };
    Error::invalid_request(format!("this is {what}, but {wanted} is needed"))
}

/// The id of an API key, and the secret or private key that signs. `wanted` is what the venue accepts.
///
/// # Errors
/// No key, several credentials, or a private key that cannot be read.
pub fn signing_key(parts: &[CredentialParts], wanted: &str) -> Result<(String, SigningKey), Error> {
    match only(parts)? {
        CredentialParts::Key { public_id, secret, kind } => {
            let key = match kind {
                SecretKind::Shared => SigningKey::Shared(secret.clone()),
                SecretKind::PrivateKeyPem => SigningKey::Pair(PrivateKey::from_pem(secret.expose())?),
            };
            Ok((public_id.clone(), key))
        }
        other => Err(unfit(other, wanted)),
    }
}

/// Credentials that sign with each of the venue's signatures, as its `x-signatures` describe them.
///
/// # Errors
/// An empty id or secret, an id that no header can hold, or a private key of a kind that a signature does not accept.
pub fn signed(venue: &Venue, public_id: &str, key: SigningKey) -> Result<Credentials, Error> {
    let none = match &key {
        SigningKey::Shared(secret) => Credentials::none().hide(secret.clone()),
        SigningKey::Pair(_) => Credentials::none(),
    };
    venue.credentials.signatures.iter().try_fold(none, |credentials, signature| {
        let signer = DescribedSigner::new(signature, public_id, key.clone())?;
        Ok(credentials.signer(signature.name, signer))
    })
}
