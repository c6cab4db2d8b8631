//! Credentials from environment variables, and from what a store holds.

use venuekit_auth::PrivateKey;
use venuekit_transport::credential_parts::{CredentialParts, FromCredentialParts, only, unfit};
use venuekit_transport::keys::SecretKind;
use venuekit_transport::variables;
use venuekit_wire::operation::Venue;

use crate::{Credentials, Environment, Error, VENUE};

impl Credentials {
    /// From the environment variables of an environment: a client id with its secret or its private key, or a token.
    ///
    /// ```no_run
    /// use venuekit_deribit::{Client, Credentials, Environment};
    ///
    /// # fn example() -> Result<(), venuekit_deribit::Error> {
    /// let environment = Environment::Test;
    /// // DERIBIT_TEST_CLIENT_ID and DERIBIT_TEST_CLIENT_SECRET
    /// let credentials = Credentials::from_env(&environment)?;
    /// let client = Client::builder(environment).credentials(credentials).build()?;
    /// # Ok(()) }
    /// ```
    ///
    /// The command `venuekit` reads the same variables, and its README lists them. A server on this machine has the environment
    /// `local`. The credentials belong to their environment: a client of another one refuses them.
    /// A private key may be a PEM text, whose line ends may be spelled `\n`, or a file; it may be encrypted.
    ///
    /// # Errors
    /// Variables that are missing or set by halves, a value or a file that cannot be used, or a server of which no environment is
    /// known. The error names the variable and what to do, and shows no value.
    pub fn from_env(environment: &Environment) -> Result<Self, Error> {
        variables::for_server(environment.base_url(), variables::of_process)
    }

    /// From environment variables whose names begin in another way, such as `DERIBIT_TEST` or with your own prefix: for a server
    /// of which no environment is known, or for several accounts.
    ///
    /// # Errors
    /// As those of [`from_env`](Self::from_env).
    pub fn from_env_with_prefix(prefix: &str) -> Result<Self, Error> {
        variables::with_prefix(prefix, variables::of_process)
    }
}

impl FromCredentialParts for Credentials {
    const VENUE: &'static Venue = &VENUE;

    fn from_credential_parts(material: &[CredentialParts]) -> Result<Self, Error> {
        match only(material)? {
            CredentialParts::Key { public_id, secret, kind: SecretKind::PrivateKeyPem } => {
                Self::private_key(public_id.clone(), PrivateKey::from_pem(secret.expose())?)
            }
            CredentialParts::Key { public_id, secret, .. } => Self::secret(public_id.clone(), secret.clone()),
            CredentialParts::Token(token) => Self::token(token.clone()),
            other => Err(unfit(other, "a client id with its secret or private key")),
        }
    }

    fn of_program(self, name: &'static str) -> Self {
        // The newest of the sessions with one name ends the oldest.
        self.session_name(name)
    }

    fn of_environment(mut self, environment: &'static str) -> Self {
        self.ready = self.ready.of_environment(environment);
        self
    }
}
