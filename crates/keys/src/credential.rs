//! What proves who is calling, in the same words for all venues.

use std::fmt;

use venuekit_transport::keys::SecretKind;
use venuekit_wire::Secret;

/// What proves who is calling.
#[derive(Clone)]
pub enum Credential {
    /// An API key.
    Key {
        /// What identifies the caller: Kalshi's key id, Bayse's public key, Yativo's API key, Deribit's client id.
        public_id: String,
        /// A private key as PEM, or a shared secret.
        secret: Secret,
        /// Which of the two.
        kind: SecretKind,
    },
    /// An open session of Bayse's, which manages keys.
    Session {
        /// `x-auth-token`.
        token: Secret,
        /// `x-device-id`.
        device_id: Secret,
    },
    /// An account's e-mail address and password at Bayse, for a session.
    Login {
        /// The address.
        email: String,
        /// Its password.
        password: Secret,
    },
    /// A bearer token of Yativo's or Deribit's.
    Token(Secret),
}

impl Credential {
    /// What identifies the caller, where it is a key.
    pub fn public_id(&self) -> Option<&str> {
        match self {
            Self::Key { public_id, .. } => Some(public_id),
            _ => None,
        }
    }
}

// Bayse's public key alone reads an account: not even that is shown.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key { .. } => "Key",
            Self::Session { .. } => "Session",
            Self::Login { .. } => "Login",
            Self::Token(_) => "Token",
        })
    }
}
