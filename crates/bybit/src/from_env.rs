//! Credentials from environment variables, and from what a store holds.

use venuekit_transport::credential_parts::{CredentialParts, FromCredentialParts, only, unfit};
use venuekit_transport::keys::SecretKind;
use venuekit_transport::variables;
use venuekit_wire::operation::Venue;

use crate::{Credentials, Environment, Error, VENUE};

impl Credentials {
    /// From the environment variables of an environment: an API key with its secret, or with its private key.
    ///
    /// ```no_run
    /// use venuekit_bybit::{Client, Credentials, Environment};
    ///
    /// # fn example() -> Result<(), venuekit_bybit::Error> {
    /// let environment = Environment::Test;
    /// // BYBIT_TEST_API_KEY, and BYBIT_TEST_API_SECRET or BYBIT_TEST_PRIVATE_KEY_FILE or BYBIT_TEST_PRIVATE_KEY
    /// let credentials = Credentials::from_env(&environment)?;
    /// let client = Client::builder(environment).credentials(credentials).build()?;
    /// # Ok(()) }
    /// ```
    ///
    /// The command `venuekit` reads the same variables. A server on this machine has the environment `local`. The credentials belong
    /// to their environment: a client of another one rejects them. A private key may be a PEM text, whose line ends may be spelled
    /// `\n`, or a file; it may be encrypted.
    ///
    /// # Errors
    /// Variables that are missing or incomplete, a value or a file that cannot be used, or a server without a known environment. The
    /// error names the variable and what to do, and shows no value.
    pub fn from_env(environment: &Environment) -> Result<Self, Error> {
        variables::for_server(environment.base_url(), variables::of_process)
    }

    /// From environment variables with another prefix than `BYBIT_TEST`: for a server without a known environment, or for several
    /// accounts.
    ///
    /// # Errors
    /// As those of [`from_env`](Self::from_env).
    pub fn from_env_with_prefix(prefix: &str) -> Result<Self, Error> {
        variables::with_prefix(prefix, variables::of_process)
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
            other => Err(unfit(other, "an API key with its secret or its RSA private key")),
        }
    }

    fn of_environment(self, environment: &'static str) -> Self {
        Self(self.0.of_environment(environment))
    }
}
