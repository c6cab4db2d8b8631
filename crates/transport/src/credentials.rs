//! What a client has to prove who it is, as a user gives it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use venuekit_auth::{SignError, Signer};
use venuekit_wire::Secret;
use venuekit_wire::operation::{Operation, Venue};

use crate::ahead::{Ahead, SignAhead};
use crate::clock::Clock;
use crate::endpoint::Base;
use crate::error::Error;
use crate::key_ring::{Credential, KeyRing};
use crate::session::{MakeGrant, Session};
use crate::token::{Grant, TokenCache};

/// The credentials of one client, by the names that the venue's spec gives them (`x-credential`).
#[derive(Clone, Default)]
pub struct Credentials {
    ring: KeyRing,
    /// How those that are fetched from the venue are fetched, once it is known where that is. The ring holds a login for each.
    grants: BTreeMap<&'static str, MakeGrant>,
    ahead: Option<SignAhead>,
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

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Credentials").field(&self.ring).finish()
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
        self.grants.remove(name);
        self.ring.by_name.insert(name, Credential::Signer(Arc::new(signer)));
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
        self.ring.by_name.insert(name, Credential::Login);
        self.grants.insert(name, Arc::new(move |session| Box::new(grant(session))));
        self
    }

    /// Says how a one-time code becomes a credential of this name, for the calls of a client made by `with_code`.
    #[must_use]
    pub fn one_time(mut self, name: &'static str, signer: fn(Secret) -> Result<Arc<dyn Signer>, SignError>) -> Self {
        self.ring.one_time = Some((name, signer));
        self
    }

    /// A text that must never be seen: it is taken out of the venue's error messages, should one echo it.
    #[must_use]
    pub fn hide(mut self, secret: impl Into<Secret>) -> Self {
        self.ring.secrets.push(secret.into());
        self
    }

    /// Keeps a fresh signature ready for these operations, so that their calls wait for none. Off by default.
    ///
    /// It is made in the background, again and again while the client signs anything at all, and several calls may carry the
    /// same one; none is older than a second, or than [`SignAhead::oldest`] says. A call that finds none signs for itself. That
    /// pays for RSA keys, whose signature takes longer than everything else in a call.
    ///
    /// It is possible where the venue's signature covers neither query nor body, and for operations whose path has no
    /// parameters. Of anything else the client cannot be made, with an error that names the operation.
    #[must_use]
    pub fn sign_ahead(mut self, operations: impl Into<SignAhead>) -> Self {
        self.ahead = Some(operations.into());
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
        self.ring.is_empty()
    }

    /// The same, with signatures made ahead for this server where that was asked for.
    pub(crate) fn signing_ahead(mut self, venue: &'static Venue, base: &Base, clock: &Clock) -> Result<Self, Error> {
        let Some(ahead) = self.ahead.take() else { return Ok(self) };
        for plan in ahead.plan(venue, base)? {
            let Some(Credential::Signer(signer)) = self.ring.by_name.get_mut(plan.credential) else {
                return Err(self.ring.missing(plan.operation));
            };
            *signer = Arc::new(Ahead::start(signer.clone(), plan, clock.clone()));
        }
        Ok(self)
    }

    /// What a session holds that makes requests: each grant fetches over sessions like this one.
    pub(crate) fn for_requests(self, anonymous: &Session) -> KeyRing {
        let mut ring = self.ring;
        for (name, grant) in self.grants {
            let cache = TokenCache::new(grant(anonymous.clone()), anonymous.shared.common.timeouts.call);
            ring.by_name.insert(name, Credential::Token(Arc::new(cache)));
        }
        ring
    }

    /// What a session holds that calls over a connection, and what logs in on it, where something does.
    pub(crate) fn for_connections(self) -> (KeyRing, Option<MakeGrant>) {
        (self.ring, self.grants.into_values().next())
    }

    /// What a call would carry, for callers who look and send nothing.
    ///
    /// # Errors
    /// What the call would fail with for want of a credential.
    pub fn preview(&self, operation: &'static Operation, code: Option<&Secret>) -> Result<Vec<Carried>, Error> {
        let names = self.ring.way(operation, code.is_some())?.iter();
        let carried = names.zip(self.ring.choose(operation, code)?).map(|(name, credential)| match credential {
            Credential::Signer(signer) => Carried { name, signer: Some(signer) },
            Credential::Login | Credential::Token(_) => Carried { name, signer: None },
        });
        Ok(carried.collect())
    }
}
