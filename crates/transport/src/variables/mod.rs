//! Credentials in environment variables.
//!
//! The venue's spec declares their names (`x-variables`). A name contains venue and environment, so that a demo key cannot get to
//! production. The command `venuekit` reads the same ones. No error shows a value.

mod hint;
mod pem;
mod read;

use std::env;
use std::ffi::OsString;

use url::Url;

pub use self::hint::{elsewhere, halves, names};
pub use self::pem::{pem_file, plain};
pub use self::read::{read, text};
use crate::credential_parts::{CredentialParts, FromCredentialParts};
use crate::endpoint::without_user;
use crate::environment;
use crate::error::Error;
use crate::flaw;

/// What is wrong with a variable or with the file that it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// A word for programs.
    pub code: &'static str,
    /// What is wrong, with the name of the variable.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Fault {
    fn new(code: &'static str, message: String) -> Self {
        Self { code, message, help: None }
    }

    fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::invalid_request(match fault.help {
            Some(help) => format!("{}; {help}", fault.message),
            None => fault.message,
        })
    }
}

/// A credential that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The variable with what identifies the caller; a token has none.
    pub id: Option<String>,
    /// The variable with what proves it.
    pub secret: String,
    /// What is in them.
    pub parts: CredentialParts,
}

impl Found {
    /// Refuses an id or a shared secret that was copied badly, by the name of its variable. A signer would blame both.
    ///
    /// # Errors
    /// It was.
    pub fn check(&self) -> Result<(), Fault> {
        let (id, secret) = self.parts.halves();
        for (name, text) in [(self.id.as_ref(), id), (Some(&self.secret), secret)] {
            let (Some(name), Some(text)) = (name, text) else { continue };
            if let Some((_, says)) = flaw::fatal(text) {
                let help = "copy the whole value again, and nothing else";
                return Err(Fault::new("unusable", format!("{name} {says}")).help(help));
            }
        }
        Ok(())
    }
}

/// An encrypted private key, and who may know its passphrase.
#[derive(Clone, Copy, Debug)]
pub struct Encrypted<'a> {
    /// Where it is: the variable that it, or the path of its file, is in.
    pub variable: &'a str,
    /// The variable for its passphrase.
    pub passphrase: &'a str,
}

/// Credentials for a server, from the variables of its environment.
///
/// # Errors
/// A server of which no environment is known; variables that are missing, that are set by halves, or whose values cannot be used.
pub fn for_server<C: FromCredentialParts>(
    base_url: &str,
    lookup: impl Fn(&str) -> Option<OsString>,
) -> Result<C, Error> {
    let url = Url::parse(base_url).ok();
    let served = url.and_then(|url| environment::served_at(C::VENUE, &url));
    let environment = served.ok_or_else(|| {
        let example = C::VENUE.variables.prefix(environment::names(C::VENUE).next().unwrap_or(environment::LOCAL));
        Error::invalid_request(format!(
            "`{}` is not one of {}'s servers, so its environment is unknown: say how the names of the variables begin, \
             such as `{example}`, with `from_env_with_prefix`",
            without_user(base_url),
            C::VENUE.name
        ))
    })?;
    with_prefix(&C::VENUE.variables.prefix(environment), lookup)
}

/// Credentials from variables whose names begin in this way, such as `VENUE_DEMO`.
///
/// # Errors
/// Variables that are missing, that are set by halves, or whose values cannot be used.
pub fn with_prefix<C: FromCredentialParts>(
    prefix: &str,
    lookup: impl Fn(&str) -> Option<OsString>,
) -> Result<C, Error> {
    let (venue, variables) = (C::VENUE, &C::VENUE.variables);
    let passphrase = |key: &Encrypted<'_>| Ok::<_, Error>(text(key.passphrase, &lookup)?);
    let found = read(variables, prefix, &lookup, passphrase)?;
    if found.is_empty() {
        return Err(hint::none(venue, prefix, &lookup));
    }
    found.iter().try_for_each(Found::check)?;
    let parts: Vec<CredentialParts> = found.iter().map(|one| one.parts.clone()).collect();
    let made = C::from_credential_parts(&parts).map_err(|error| {
        let names: Vec<&str> = found.iter().map(|one| one.secret.as_str()).collect();
        Error::invalid_request(format!("{}: {}", names.join(", "), error.message()))
    })?;
    let of = environment::names(venue).find(|environment| variables.prefix(environment) == prefix);
    Ok(match of {
        Some(environment) => made.of_environment(environment),
        None => made,
    })
}

/// What a process finds in its environment.
pub fn of_process(name: &str) -> Option<OsString> {
    env::var_os(name)
}
