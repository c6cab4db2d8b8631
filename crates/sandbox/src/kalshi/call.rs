//! One request that keeps to its spec, and who sends it.

use std::sync::Arc;

use super::auth;
use super::error::Refusal;
use super::keys::Key;
use super::read::Query;
use crate::exchange::Owner;
use crate::message::Request;
use crate::spec::{Given, Operation};

/// One request on its way.
pub(super) struct Call<'a> {
    pub(super) operation: &'a Operation,
    pub(super) given: Given,
    pub(super) request: &'a Request,
    /// The key that signed; none where none is needed.
    pub(super) key: Option<Arc<Key>>,
    /// Milliseconds since the Unix epoch.
    pub(super) now: i64,
}

impl Call<'_> {
    pub(super) fn key(&self) -> Result<&Key, Refusal> {
        self.key.as_deref().ok_or_else(|| Refusal::new(401, "signature_is_missing_from_headers"))
    }

    pub(super) fn user(&self) -> Result<usize, Refusal> {
        Ok(self.key()?.user)
    }

    pub(super) fn query(&self) -> Query<'_> {
        Query::new(&self.operation.id, self.request)
    }

    /// The subaccount of a query for which none means all.
    pub(super) fn subaccount_or_all(&self) -> Result<Option<i64>, Refusal> {
        auth::subaccount(self.key()?, self.query().integer("subaccount")?)
    }

    /// The subaccount of a query for which none means the primary one.
    pub(super) fn subaccount_or_primary(&self) -> Result<Owner, Refusal> {
        self.owner(self.query().integer("subaccount")?)
    }

    /// A subaccount of the caller that a body names; the primary one if it names none.
    pub(super) fn owner(&self, subaccount: Option<i64>) -> Result<Owner, Refusal> {
        let key = self.key()?;
        Ok(Owner { user: key.user, subaccount: auth::subaccount(key, subaccount)?.unwrap_or(0) })
    }

    /// Whether the key may see a subaccount.
    pub(super) fn sees(&self, owner: Owner) -> bool {
        self.key
            .as_ref()
            .is_some_and(|key| key.user == owner.user && key.subaccount.is_none_or(|number| number == owner.subaccount))
    }

    /// Whether a query is about another shard than the one that there is.
    pub(super) fn is_about_other_shard(&self) -> Result<bool, Refusal> {
        Ok(self.query().integer("exchange_index")?.is_some_and(|index| index > 0))
    }
}
