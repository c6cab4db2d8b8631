//! What a client has to prove who it is.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use venuekit_auth::{SignError, Signer};
use venuekit_wire::Secret;
use venuekit_wire::operation::{ErrorKind, Operation};

use crate::error::Error;
use crate::session::Session;
use crate::token::{Grant, TokenCache};

/// The credentials of one client, by the names that the venue's spec gives them (`x-credential`).
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    by_name: BTreeMap<&'static str, Credential>,
    one_time: Option<(&'static str, OneTime)>,
    secrets: Vec<Secret>,
    /// The environment that they belong to, where it is known.
    environment: Option<&'static str>,
}

/// A credential that a call carries.
#[derive(Clone, Debug)]
pub struct Carried {
    /// Its name in the venue's spec.
    pub name: &'static str,
    /// What signs with it; none where it is fetched from the venue first.
    pub signer: Option<Arc<dyn Signer>>,
}

type OneTime = fn(Secret) -> Result<Arc<dyn Signer>, SignError>;

pub(crate) type MakeGrant = Arc<dyn Fn(Session) -> Box<dyn Grant> + Send + Sync>;

#[derive(Clone)]
pub(crate) enum Credential {
    /// Signs by itself.
    Signer(Arc<dyn Signer>),
    /// Is fetched from the venue, once it is known where that is.
    Grant(MakeGrant),
    /// Is fetched from the venue first.
    Token(Arc<TokenCache>),
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signer(signer) => signer.fmt(f),
            Self::Grant(_) => f.write_str("Grant"),
            Self::Token(token) => token.fmt(f),
        }
    }
}

impl Credentials {
    /// No credentials: public operations only.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds a signer under a name.
    #[must_use]
    pub fn signer(mut self, name: &'static str, signer: impl Signer + 'static) -> Self {
        self.by_name.insert(name, Credential::Signer(Arc::new(signer)));
        self
    }

    /// Adds a bearer token under a name, fetched when it is first needed from the server that the client is for. The grant is made
    /// with a session for the same server and clock, without credentials.
    #[must_use]
    pub fn token<G: Grant + 'static>(
        mut self,
        name: &'static str,
        grant: impl Fn(Session) -> G + Send + Sync + 'static,
    ) -> Self {
        self.by_name.insert(name, Credential::Grant(Arc::new(move |anonymous| Box::new(grant(anonymous)))));
        self
    }

    /// Says how a one-time code becomes a credential of this name, for the calls of a client made by `with_code`.
    #[must_use]
    pub fn one_time(mut self, name: &'static str, signer: fn(Secret) -> Result<Arc<dyn Signer>, SignError>) -> Self {
        self.one_time = Some((name, signer));
        self
    }

    /// A text that must never be seen: it is taken out of the venue's error messages, should one echo it.
    #[must_use]
    pub fn hide(mut self, secret: impl Into<Secret>) -> Self {
        self.secrets.push(secret.into());
        self
    }

    /// Says which environment they belong to, such as `demo`. A client of another one refuses them.
    #[must_use]
    pub fn of_environment(mut self, environment: &'static str) -> Self {
        self.environment = Some(environment);
        self
    }

    /// The environment that they belong to, where it is known.
    pub fn environment(&self) -> Option<&'static str> {
        self.environment
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// The same, each grant knowing where it fetches.
    pub(crate) fn connected(mut self, anonymous: &Session) -> Self {
        for credential in self.by_name.values_mut() {
            if let Credential::Grant(grant) = credential {
                *credential = Credential::Token(Arc::new(TokenCache::new(grant(anonymous.clone()))));
            }
        }
        self
    }

    /// The way to log in on a connection, where there is one, and its name.
    pub(crate) fn login(&self) -> Option<(&'static str, &MakeGrant)> {
        self.by_name.iter().find_map(|(name, credential)| match credential {
            Credential::Grant(grant) => Some((*name, grant)),
            Credential::Signer(_) | Credential::Token(_) => None,
        })
    }

    /// Whether a call over a connection needs a login first.
    pub(crate) fn needs_login(&self, operation: &'static Operation) -> Result<bool, Error> {
        if operation.is_public() {
            return Ok(false);
        }
        if self.login().is_some_and(|(name, _)| operation.access.contains(&[name].as_slice())) {
            return Ok(true);
        }
        let message =
            format!("over a WebSocket it needs credentials that log in, and this client has {}", self.names());
        Err(Error::before_sending(operation, ErrorKind::Unauthorized, message))
    }

    pub(crate) fn hidden(&self) -> &[Secret] {
        &self.secrets
    }

    /// What a call would carry, for whoever looks and sends nothing.
    ///
    /// # Errors
    /// What the call would fail with for want of a credential.
    pub fn preview(&self, operation: &'static Operation, code: Option<&Secret>) -> Result<Vec<Carried>, Error> {
        let names = self.way(operation, code.is_some())?.iter();
        let carried = names.zip(self.choose(operation, code)?).map(|(name, credential)| match credential {
            Credential::Signer(signer) => Carried { name, signer: Some(signer) },
            Credential::Grant(_) | Credential::Token(_) => Carried { name, signer: None },
        });
        Ok(carried.collect())
    }

    /// The credentials for a call: of the ways the venue takes, the fullest that this client can go.
    pub(crate) fn choose(
        &self,
        operation: &'static Operation,
        code: Option<&Secret>,
    ) -> Result<Vec<Credential>, Error> {
        let one_time = self.one_time.filter(|_| code.is_some());
        let way = self.way(operation, code.is_some())?;
        way.iter()
            .map(|name| match (self.by_name.get(name), one_time, code) {
                (Some(credential), _, _) => Ok(credential.clone()),
                (None, Some((_, signer)), Some(code)) => {
                    signer(code.clone()).map(Credential::Signer).map_err(|error| Error::from(error).within(operation))
                }
                (None, _, _) => Err(self.missing(operation)),
            })
            .collect()
    }

    fn way(&self, operation: &'static Operation, with_code: bool) -> Result<&'static [&'static str], Error> {
        let one_time = self.one_time.filter(|_| with_code);
        let takes_code = |way: &[&str]| one_time.is_some_and(|(name, _)| way.contains(&name));
        if one_time.is_some() && !operation.access.iter().any(|way| takes_code(way)) {
            let message = "this operation takes no one-time code";
            return Err(Error::before_sending(operation, ErrorKind::InvalidRequest, message));
        }
        let has = |name: &&str| self.by_name.contains_key(*name) || one_time.is_some_and(|(known, _)| known == *name);
        // The first of the fullest: `max_by_key` would take the last.
        let way = operation
            .access
            .iter()
            .filter(|way| way.iter().all(has))
            .rev()
            .max_by_key(|way| (takes_code(way), way.len()));
        way.copied().ok_or_else(|| self.missing(operation))
    }

    fn missing(&self, operation: &'static Operation) -> Error {
        let ways: Vec<String> = operation.access.iter().map(|way| way.join(" and ")).collect();
        let message = format!("it needs the credential {}, and this client has {}", ways.join(", or "), self.names());
        Error::before_sending(operation, ErrorKind::Unauthorized, message)
    }

    fn names(&self) -> String {
        let names: Vec<&str> = self.by_name.keys().copied().collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    }
}
