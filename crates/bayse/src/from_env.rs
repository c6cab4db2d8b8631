//! Credentials from environment variables, and from what a store holds.

use venuekit_transport::credential_parts::{CredentialParts, FromCredentialParts, unfit};
use venuekit_transport::keys::SecretKind;
use venuekit_transport::variables;
use venuekit_wire::operation::Venue;

use crate::{Credentials, Environment, Error, VENUE};

impl Credentials {
    /// From the environment variables of an environment: an API key, a session, a login, or several of them.
    ///
    /// ```no_run
    /// use venuekit_bayse::{Client, Credentials, Environment};
    ///
    /// # fn example() -> Result<(), venuekit_bayse::Error> {
    /// let environment = Environment::Production;
    /// // BAYSE_PRODUCTION_PUBLIC_KEY and BAYSE_PRODUCTION_SECRET_KEY
    /// let credentials = Credentials::from_env(&environment)?;
    /// let client = Client::builder(environment).credentials(credentials).build()?;
    /// # Ok(()) }
    /// ```
    ///
    /// The command `venuekit` reads the same variables, and its README lists them. A server on this machine has the environment
    /// `local`. The credentials belong to their environment: a client of another one refuses them.
    /// A session that is open goes before a login.
    ///
    /// # Errors
    /// Variables that are missing or set by halves, a value or a file that cannot be used, or a server of which no environment is
    /// known. The error names the variable and what to do, and shows no value.
    pub fn from_env(environment: &Environment) -> Result<Self, Error> {
        variables::for_server(environment.base_url(), variables::of_process)
    }

    /// From environment variables whose names begin in another way, such as `BAYSE_PRODUCTION` or with your own prefix: for a server
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
        // A session that is open goes before a login.
        let is_open = material.iter().any(|one| matches!(one, CredentialParts::Session { .. }));
        let mut needed = material.iter().filter(|one| !(is_open && matches!(one, CredentialParts::Login { .. })));
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
