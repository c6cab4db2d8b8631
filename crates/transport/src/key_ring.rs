//! The credentials that a session holds, and which of them a call carries.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use venuekit_auth::{SignError, Signer};
use venuekit_wire::Secret;
use venuekit_wire::operation::{ErrorKind, Operation};

use crate::error::Error;
use crate::token::TokenCache;

/// Credentials by the names that the venue's spec gives them.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyRing {
    pub(crate) by_name: BTreeMap<&'static str, Credential>,
    pub(crate) one_time: Option<(&'static str, OneTime)>,
    pub(crate) secrets: Vec<Secret>,
}

pub(crate) type OneTime = fn(Secret) -> Result<Arc<dyn Signer>, SignError>;

#[derive(Clone)]
pub(crate) enum Credential {
    /// Signs by itself.
    Signer(Arc<dyn Signer>),
    /// Is fetched from the venue first.
    Token(Arc<TokenCache>),
    /// Logs in on a connection, which then carries it.
    Login,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signer(signer) => signer.fmt(f),
            Self::Token(token) => token.fmt(f),
            Self::Login => f.write_str("Login"),
        }
    }
}

impl KeyRing {
    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Whether a call over a connection needs a login first.
    pub(crate) fn needs_login(&self, operation: &'static Operation) -> Result<bool, Error> {
        if operation.is_public() {
            return Ok(false);
        }
        let logs_in = |(name, credential): (&&'static str, &Credential)| {
            matches!(credential, Credential::Login) && operation.access.contains(&[*name].as_slice())
        };
        if self.by_name.iter().any(logs_in) {
            return Ok(true);
        }
        let message =
            format!("over a WebSocket this operation needs credentials that log in; the client has {}", self.names());
        Err(Error::before_sending(operation, ErrorKind::Unauthorized, message))
    }

    pub(crate) fn hidden(&self) -> &[Secret] {
        &self.secrets
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

    pub(crate) fn way(&self, operation: &'static Operation, with_code: bool) -> Result<&'static [&'static str], Error> {
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

    pub(crate) fn missing(&self, operation: &'static Operation) -> Error {
        let ways: Vec<String> = operation.access.iter().map(|way| way.join(" and ")).collect();
        let message =
            format!("this operation needs the credential {}; the client has {}", ways.join(", or "), self.names());
        Error::before_sending(operation, ErrorKind::Unauthorized, message)
    }

    fn names(&self) -> String {
        let names: Vec<&str> = self.by_name.keys().copied().collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    }
}
