//! The calls that the engine makes.

use venuekit_transport::key_lifecycle::{SessionKeys, probe};
use venuekit_transport::keys::{ApiKeys as _, CreatedKey, KeyEdit, KeyInfo, NewKey, RotatedKey};
use venuekit_transport::{Challenge, Error};
use venuekit_venues::Session;
use venuekit_wire::Secret;
use venuekit_wire::credentials::{Carries, Cause, Probe};
use venuekit_wire::key_lifecycle::KeyLifecycle;

use crate::BoxFuture;

/// The second factor of one call.
#[derive(Clone, Debug)]
pub(crate) enum Factor {
    None,
    /// A one-time code along with the call.
    Code(Secret),
    /// A one-time code as the response to a challenge.
    Answer(Challenge, Secret),
}

/// An account as one credential sees it.
pub(crate) trait Access: Send + Sync {
    fn create<'a>(&'a self, key: NewKey, factor: &'a Factor) -> BoxFuture<'a, Result<CreatedKey, Error>>;
    fn list<'a>(&'a self, factor: &'a Factor) -> BoxFuture<'a, Result<Vec<KeyInfo>, Error>>;
    fn rotate<'a>(&'a self, id: &str, factor: &'a Factor) -> BoxFuture<'a, Result<RotatedKey, Error>>;
    fn edit<'a>(&'a self, id: &str, edit: KeyEdit, factor: &'a Factor) -> BoxFuture<'a, Result<KeyInfo, Error>>;
    fn revoke<'a>(&'a self, id: &str, factor: &'a Factor) -> BoxFuture<'a, Result<(), Error>>;

    /// A key of the list with the addresses that the list leaves out.
    fn with_detail<'a>(&'a self, key: KeyInfo, factor: &'a Factor) -> BoxFuture<'a, Result<KeyInfo, Error>>;

    /// Calls that change nothing and that only a good secret signs.
    fn works(&self) -> BoxFuture<'_, Result<(), Error>>;

    /// Whether the call was not carried out for want of a one-time code.
    fn wants_code(&self, error: &Error) -> bool;

    /// Whether the call was not carried out for a wrong code in response to a challenge.
    fn was_wrong_code(&self, error: &Error) -> bool;
}

/// The session as the next call needs it.
fn with(session: &Session, factor: &Factor) -> Session {
    match factor {
        Factor::None => session.clone(),
        Factor::Code(code) => session.with_code(code.clone()),
        Factor::Answer(challenge, code) => session.confirming(challenge, code.clone()),
    }
}

/// An account as a session sees it, and the table of the keys that are meant.
pub(super) struct KeyAccess {
    pub(super) session: Session,
    pub(super) rules: &'static KeyLifecycle,
    pub(super) probes: &'static [Probe],
}

impl Access for KeyAccess {
    fn create<'a>(&'a self, key: NewKey, factor: &'a Factor) -> BoxFuture<'a, Result<CreatedKey, Error>> {
        Box::pin(async move { SessionKeys::with_rules(&with(&self.session, factor), self.rules).create(key).await })
    }

    fn list<'a>(&'a self, factor: &'a Factor) -> BoxFuture<'a, Result<Vec<KeyInfo>, Error>> {
        Box::pin(async move { SessionKeys::with_rules(&with(&self.session, factor), self.rules).list().await })
    }

    fn rotate<'a>(&'a self, id: &str, factor: &'a Factor) -> BoxFuture<'a, Result<RotatedKey, Error>> {
        let id = id.to_owned();
        Box::pin(async move { SessionKeys::with_rules(&with(&self.session, factor), self.rules).rotate(&id).await })
    }

    fn edit<'a>(&'a self, id: &str, edit: KeyEdit, factor: &'a Factor) -> BoxFuture<'a, Result<KeyInfo, Error>> {
        let id = id.to_owned();
        Box::pin(async move { SessionKeys::with_rules(&with(&self.session, factor), self.rules).edit(&id, edit).await })
    }

    fn revoke<'a>(&'a self, id: &str, factor: &'a Factor) -> BoxFuture<'a, Result<(), Error>> {
        let id = id.to_owned();
        Box::pin(async move { SessionKeys::with_rules(&with(&self.session, factor), self.rules).revoke(&id).await })
    }

    fn with_detail<'a>(&'a self, key: KeyInfo, factor: &'a Factor) -> BoxFuture<'a, Result<KeyInfo, Error>> {
        Box::pin(async move {
            let session = with(&self.session, factor);
            SessionKeys::with_rules(&session, self.rules).with_detail(key).await
        })
    }

    fn works(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            for one in self.probes {
                probe(&self.session, one).await?;
            }
            Ok(())
        })
    }

    fn wants_code(&self, error: &Error) -> bool {
        let rules = &self.session.venue().credentials;
        let takes_code = rules.schemes.iter().any(|scheme| scheme.carries == Carries::Code);
        error.challenge().is_some() || takes_code && error.refusal_cause() == Some(Cause::SecondFactor)
    }

    fn was_wrong_code(&self, error: &Error) -> bool {
        let challenge = self.session.venue().challenge.as_ref();
        challenge.is_some_and(|challenge| error.code().is_some_and(|code| challenge.wrong_code.contains(&code)))
    }
}
