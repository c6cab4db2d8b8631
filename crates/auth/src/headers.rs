//! Credentials that are headers and nothing else.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderName;
use http::header::AUTHORIZATION;
use venuekit_wire::Secret;
use zeroize::Zeroizing;

use crate::credential::{check, header};
use crate::{Parts, SignError, Signed, Signer};

/// Puts the same headers on every request. `Debug` shows their names only.
#[derive(Clone)]
pub struct Headers(Vec<(HeaderName, Secret)>);

impl Headers {
    /// One header with a secret value. The text `what` names it in errors.
    pub fn new(what: &'static str, name: HeaderName, value: impl Into<Secret>) -> Result<Self, SignError> {
        Self(Vec::new()).and(what, name, value)
    }

    /// One more header.
    pub fn and(mut self, what: &'static str, name: HeaderName, value: impl Into<Secret>) -> Result<Self, SignError> {
        let value = value.into();
        check(what, value.expose())?;
        self.0.push((name, value));
        Ok(self)
    }

    /// `Authorization: Bearer TOKEN`.
    pub fn bearer(token: impl Into<Secret>) -> Result<Self, SignError> {
        let token = token.into();
        check("bearer token", token.expose())?;
        Ok(Self(vec![(AUTHORIZATION, Secret::new(format!("Bearer {}", token.expose())))]))
    }

    /// `Authorization: Basic BASE64(ID:SECRET)`.
    pub fn basic(id: &str, secret: impl Into<Secret>) -> Result<Self, SignError> {
        let secret = secret.into();
        check("user name", id)?;
        check("password", secret.expose())?;
        if id.contains(':') {
            return Err(SignError::Unfit("user name"));
        }
        let pair = Zeroizing::new(format!("{id}:{}", secret.expose()));
        let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
        Ok(Self(vec![(AUTHORIZATION, Secret::new(format!("Basic {}", *encoded)))]))
    }
}

impl Signer for Headers {
    fn sign(&self, _: &Parts<'_>, _: i64) -> Result<Signed, SignError> {
        self.0.iter().try_fold(Signed::default(), |signed, (name, value)| {
            Ok(signed.sensitive(name.clone(), header("header value", value.expose())?))
        })
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(name, value)| (name.as_str(), value))).finish()
    }
}
