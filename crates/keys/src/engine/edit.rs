//! Changes a key in place. No secret is made, so nothing can be lost, and there is no journal.

use serde::Serialize;
use venuekit_transport::keys::{KeyEdit, KeyInfo};

use super::account_client::{AccountClient, Manager};
use super::plan::find;
use super::{Engine, Operator};
use crate::account::Account;
use crate::error::{Cause, Error};
use crate::record::StoredKey;
use crate::reference::Reference;
use crate::store::StoreError;
use crate::task::Target;

/// A key as the venue shows it, before or after a change.
#[derive(Clone, Debug, Serialize)]
pub struct Edited {
    /// Where the store has it.
    pub reference: Option<String>,
    /// What revoking takes.
    pub id: String,
    /// Its name at the venue.
    pub name: Option<String>,
    /// Its permissions.
    pub scopes: Vec<String>,
    /// The addresses that it may be used from; none where it is bound to none.
    pub addresses: Vec<String>,
}

impl Engine {
    /// The key that an edit is about, as the venue shows it now. Nothing is changed.
    ///
    /// # Errors
    /// The venue's refusal, or a key that it does not list.
    pub async fn before_edit(
        &self,
        account: &Account,
        target: &Target,
        edit: &KeyEdit,
        manager: &Manager,
        operator: &dyn Operator,
    ) -> Result<Edited, Error> {
        let client = AccountClient::new(self, account, manager, operator);
        client.check_environment()?;
        Ok(edited(target, client.listed(target, edit).await?))
    }

    /// Changes the scopes or the addresses of a key, and compares what the venue shows of it afterwards.
    ///
    /// # Errors
    /// The venue's refusal, or a change that it accepted and does not show. A new name is refused for a stored key, which is found by
    /// its name where a response is lost.
    pub async fn edit(
        &self,
        account: &Account,
        target: &Target,
        edit: &KeyEdit,
        manager: &Manager,
        operator: &dyn Operator,
    ) -> Result<Edited, Error> {
        let _guard = self.journal.lock(account)?;
        let client = AccountClient::new(self, account, manager, operator);
        client.check_environment()?;
        let key = client.listed(target, edit).await?;
        let credential = client.manager().await?;
        let (id, change) = (key.id.as_str(), edit);
        let shown = client.call(&credential, |access, factor| access.edit(id, change.clone(), factor)).await?;
        if let Target::Stored(reference) = target
            && edit.scopes.is_some()
        {
            self.keep_scopes(reference, &shown.scopes).await.map_err(|error| {
                let done = format!(
                    "the venue has changed the key {}, whose scopes are now {}; the store still has the old ones",
                    shown.id,
                    shown.scopes.join(", ")
                );
                Error::new(Cause::NotKept { done, error: Box::new(error) })
            })?;
        }
        Ok(edited(target, shown))
    }

    async fn keep_scopes(&self, reference: &Reference, scopes: &[String]) -> Result<(), StoreError> {
        let mut record = self.store.get(reference).await?;
        if let Some(active) = record.active().cloned() {
            record.keep(StoredKey { scopes: scopes.to_vec(), ..active });
            self.store.put(&record).await?;
        }
        Ok(())
    }
}

fn edited(target: &Target, shown: KeyInfo) -> Edited {
    let reference = match target {
        Target::Stored(reference) => Some(reference.to_string()),
        Target::Listed(_) => None,
    };
    let KeyInfo { id, name, scopes, addresses, .. } = shown;
    Edited { reference, id, name, scopes, addresses }
}

impl AccountClient<'_> {
    /// The key of the venue's list that is to be changed.
    async fn listed(&self, target: &Target, edit: &KeyEdit) -> Result<KeyInfo, Error> {
        let reference = match target {
            Target::Listed(id) => {
                let is_it = |one: &KeyInfo| one.id == *id || one.public_id.as_ref() == Some(id);
                let found = self.list().await?.into_iter().find(is_it);
                return found.ok_or_else(|| Error::not_found(format!("{} has no key `{id}`", self.account)));
            }
            Target::Stored(reference) => reference,
        };
        if edit.name.is_some() {
            return Err(Error::usage(format!("`{reference}` cannot be renamed: the store finds it by its name")));
        }
        self.engine.none_unfinished_of(self.account, reference).await?;
        let record = self.record(reference).await?;
        let Some(key) = record.active() else {
            return Err(Error::not_found(format!("the store has no key `{reference}` that is ready for use")));
        };
        let listed = self.list().await?;
        let found = find(&listed, key).cloned();
        found.ok_or_else(|| Error::not_found(format!("{} does not list the key `{reference}`", self.account)))
    }
}
