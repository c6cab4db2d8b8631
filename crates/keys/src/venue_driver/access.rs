//! A venue's client behind one face.

use std::future::Future;

use venuekit_transport::keys::{ApiKeys, CreatedKey, KeyInfo, NewKey, RotatedKey};
use venuekit_transport::{Challenge, Error};
use venuekit_wire::Secret;

use crate::BoxFuture;

/// The second factor of one call.
#[derive(Clone, Debug)]
pub(crate) enum Factor {
    None,
    /// A one-time code along with the call.
    Code(Secret),
    /// A one-time code in answer to a challenge.
    Answer(Challenge, Secret),
}

/// A venue's client, as far as keys go.
pub(crate) trait Client: Clone + Send + Sync + 'static {
    /// A client whose next call carries this factor.
    fn with(&self, factor: &Factor) -> Self;

    /// Its keys.
    fn api_keys(&self) -> impl ApiKeys + Send + Sync;

    /// A call that changes nothing and that only a good secret signs.
    fn works(&self) -> impl Future<Output = Result<(), Error>> + Send;

    /// Whether an error asks for a one-time code along with the call. Challenges tell themselves.
    fn wants_code(_: &Error) -> bool {
        false
    }

    /// Whether the answer to a challenge held the wrong code. The call was not carried out.
    fn was_wrong_code(_: &Error) -> bool {
        false
    }
}

/// An account as one credential sees it.
pub(crate) trait Access: Send + Sync {
    fn create<'a>(&'a self, key: NewKey, factor: &'a Factor) -> BoxFuture<'a, Result<CreatedKey, Error>>;
    fn list<'a>(&'a self, factor: &'a Factor) -> BoxFuture<'a, Result<Vec<KeyInfo>, Error>>;
    fn rotate<'a>(&'a self, id: &str, factor: &'a Factor) -> BoxFuture<'a, Result<RotatedKey, Error>>;
    fn revoke<'a>(&'a self, id: &str, factor: &'a Factor) -> BoxFuture<'a, Result<(), Error>>;
    fn works(&self) -> BoxFuture<'_, Result<(), Error>>;

    /// Whether the call was not carried out for want of a one-time code.
    fn wants_code(&self, error: &Error) -> bool;

    /// Whether the call was not carried out for a wrong answer to a challenge.
    fn was_wrong_code(&self, error: &Error) -> bool;
}

impl<C: Client> Access for C {
    fn create<'a>(&'a self, key: NewKey, factor: &'a Factor) -> BoxFuture<'a, Result<CreatedKey, Error>> {
        Box::pin(async move { self.with(factor).api_keys().create(key).await })
    }

    fn list<'a>(&'a self, factor: &'a Factor) -> BoxFuture<'a, Result<Vec<KeyInfo>, Error>> {
        Box::pin(async move { self.with(factor).api_keys().list().await })
    }

    fn rotate<'a>(&'a self, id: &str, factor: &'a Factor) -> BoxFuture<'a, Result<RotatedKey, Error>> {
        let id = id.to_owned();
        Box::pin(async move { self.with(factor).api_keys().rotate(&id).await })
    }

    fn revoke<'a>(&'a self, id: &str, factor: &'a Factor) -> BoxFuture<'a, Result<(), Error>> {
        let id = id.to_owned();
        Box::pin(async move { self.with(factor).api_keys().revoke(&id).await })
    }

    fn works(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(Client::works(self))
    }

    fn wants_code(&self, error: &Error) -> bool {
        error.challenge().is_some() || C::wants_code(error)
    }

    fn was_wrong_code(&self, error: &Error) -> bool {
        C::was_wrong_code(error)
    }
}
