//! `Credentials::from_env`: credentials from the variables that a spec declares (`x-variables`).

use heck::ToPascalCase;

use crate::document::Document;
use crate::model::environments;
use crate::vocabulary::{CredentialKind, CredentialVariables, Variables, word};

/// The methods, or nothing where the spec declares no variables.
pub fn source(document: &Document) -> Option<String> {
    let variables: Variables = word(&document.value, "x-variables")?;
    let venue = &document.venue;
    let environment = example(document);
    let of = variables.of.as_ref().unwrap_or(venue);
    let prefix = format!("{of}_{environment}").replace('-', "_").to_uppercase();
    let rows: String = variables.credentials.iter().map(|one| row(&prefix, one)).collect();
    let several = match variables.together {
        Some(_) => "All that is set counts, each for its own calls",
        None => "The first that is set counts",
    };
    let names = CREATE.replace("VENUE", venue).replace("ENVIRONMENT", &environment.to_pascal_case());
    Some(names.replace("PREFIX", &prefix).replace("ROWS", &rows).replace("SEVERAL", several))
}

/// The environment of the example: one for tests, where there is one.
fn example(document: &Document) -> &str {
    let names: Vec<&str> = environments(document).collect();
    let test = names.iter().find(|name| **name != "production").or(names.first());
    test.copied().unwrap_or("production")
}

fn row(prefix: &str, one: &CredentialVariables) -> String {
    let id = one.id.as_ref().map(|id| format!("`{prefix}_{id}` and ")).unwrap_or_default();
    let what = match one.kind {
        CredentialKind::Key => "an API key and its secret",
        CredentialKind::PrivateKey => r"an API key and its private key as PEM, whose line ends may be spelled `\n`",
        CredentialKind::PrivateKeyFile => "an API key and the file of its private key",
        CredentialKind::Session => "an open session",
        CredentialKind::Login => "a login",
        CredentialKind::Token => "a token",
    };
    let passphrase = one.passphrase.as_ref();
    let passphrase = passphrase.map(|name| format!(", with `{prefix}_{name}` if it is encrypted")).unwrap_or_default();
    format!("    /// - {id}`{prefix}_{}`: {what}{passphrase}\n", one.secret)
}

const CREATE: &str = r"
use ::venuekit_transport::{Error, variables};

use super::venue::Environment;
use crate::Credentials;

impl Credentials {
    /// From the environment variables of an environment, which the command `venuekit` reads too. SEVERAL:
    ///
ROWS    ///
    /// ```no_run
    /// use venuekit_VENUE::{Client, Credentials, Environment};
    ///
    /// # fn example() -> Result<(), venuekit_VENUE::Error> {
    /// let environment = Environment::ENVIRONMENT;
    /// let credentials = Credentials::from_env(&environment)?;
    /// let client = Client::builder(environment).credentials(credentials).build()?;
    /// # Ok(()) }
    /// ```
    ///
    /// A server on this machine has the environment `local`. The credentials belong to their environment: a client of another one
    /// rejects them.
    ///
    /// # Errors
    /// Variables that are missing or incomplete, a value or a file that cannot be used, or a server without a known environment. The
    /// error names the variable and what to do, and shows no value.
    pub fn from_env(environment: &Environment) -> Result<Self, Error> {
        variables::for_server(environment.base_url(), variables::of_process)
    }

    /// From environment variables with another prefix than `PREFIX`: for a server without a known environment, or for several
    /// accounts.
    ///
    /// # Errors
    /// As those of [`from_env`](Self::from_env).
    pub fn from_env_with_prefix(prefix: &str) -> Result<Self, Error> {
        variables::with_prefix(prefix, variables::of_process)
    }
}
";
