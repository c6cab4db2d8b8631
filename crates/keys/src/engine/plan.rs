//! What a task comes to: checked before anything is noted or changed.

use venuekit_transport::keys::KeyInfo;

use super::account_client::{AccountClient, lists_own_key};
use crate::error::Error;
use crate::event::Event;
use crate::record::{Kind, StoredKey};
use crate::reference::Reference;
use crate::task::{Create, OldKey, Origin, Plan, Revoke, Rotate, Target, Task, Work};
use crate::venue_driver::Factor;

/// Digits of a tag, in hexadecimal.
const TAG: usize = 4;

impl AccountClient<'_> {
    pub(super) async fn plan(&self, task: &Task) -> Result<Plan, Error> {
        self.check_environment()?;
        match task {
            Task::Create(create) => self.plan_create(create).await,
            Task::Rotate(rotate) => self.plan_rotate(rotate).await,
            Task::Revoke(revoke) => self.plan_revoke(revoke).await,
        }
    }

    async fn plan_create(&self, create: &Create) -> Result<Plan, Error> {
        self.name(&create.reference)?;
        self.fits(&create.scopes, create.origin)?;
        if !create.addresses.is_empty() && !self.facts().takes_addresses() {
            return Err(Error::usage(format!("{} binds no new key to addresses", self.account.venue)));
        }
        if !self.record(&create.reference).await?.keys.is_empty() {
            let message = format!("the store has a key `{}` already", create.reference);
            return Err(Error::usage_with(message, "Choose another name, or rotate that key."));
        }
        let listed = self.list_without_code().await?;
        self.warn_if_full(&listed);
        Ok(Plan {
            work: Work::Create,
            account: self.account.to_string(),
            reference: Some(create.reference.to_string()),
            label: self.label(&create.reference.name, &listed),
            scopes: create.scopes.clone(),
            origin: create.origin,
            old: None,
            by_command: create.by_command,
            sub_account: create.sub_account.clone(),
            addresses: create.addresses.clone(),
            family: self.account.family.clone(),
        })
    }

    async fn plan_rotate(&self, rotate: &Rotate) -> Result<Plan, Error> {
        self.name(&rotate.reference)?;
        let record = self.record(&rotate.reference).await?;
        let Some(key) = record.active() else {
            return Err(Error::not_found(format!("the store has no key `{}` that is in use", rotate.reference)));
        };
        let listed = self.list().await?;
        let Some(info) = find(&listed, key) else {
            lists_own_key(&self.manager().await?, &listed)?;
            let message = format!("the account has no key `{}` that is `{}`", key.label, rotate.reference);
            return Err(Error::not_found(message));
        };
        self.is_managed(info)?;
        let manager = self.manager().await?;
        let info = &self.call(&manager, |access, factor| access.with_detail(info.clone(), factor)).await?;
        // A consumer that reads a shared secret cannot do with a private key.
        let origin = match (key.kind, rotate.origin) {
            (Kind::Shared, Origin::Here(_)) => {
                let message = format!("`{}` is a shared secret: a key pair cannot take its place", rotate.reference);
                return Err(Error::usage_with(message, "Create a pair under another name, then revoke this key."));
            }
            (Kind::Shared, _) => Origin::Venue,
            (_, origin) => origin,
        };
        // Addresses go along with a new key by themselves.
        let is_address = |said: &String| info.addresses.iter().any(|address| *said == format!("address {address}"));
        let restricted = info.restrictions.iter().any(|said| !is_address(said));
        let loses_addresses = !info.addresses.is_empty() && !self.facts().takes_addresses();
        if rotate.in_place {
            self.in_place(key, info, rotate.scopes.is_some()).await?;
        } else if loses_addresses || restricted && !self.facts().takes_restrictions() {
            let message = format!(
                "`{}` is restricted ({}), and the venue makes no new key with that",
                rotate.reference,
                info.restrictions.join(", ")
            );
            let help = match self.facts().rotates() {
                true => "Rotate it in place: that keeps its restrictions.".to_owned(),
                false => format!("Make a new key at {}.", self.facts().page(&self.account.environment)),
            };
            return Err(Error::usage_with(message, help));
        }
        let scopes = match &rotate.scopes {
            Some(scopes) => scopes.clone(),
            None if self.facts().no_scopes() => Vec::new(),
            None if info.scopes.is_empty() => key.scopes.clone(),
            None => {
                // What the list does not show stays as it was asked for.
                let hidden = key.scopes.iter().filter(|scope| !self.facts().lists_scope(scope));
                info.scopes.iter().chain(hidden).cloned().collect()
            }
        };
        if !rotate.in_place && scopes.is_empty() && self.facts().gives_scopes() {
            let what = match &rotate.scopes {
                Some(_) => "no scopes were named".to_owned(),
                None => format!("the venue shows no scopes of `{}`", rotate.reference),
            };
            return Err(Error::usage_with(
                format!("{what}, and a new key without any may do everything"),
                "Name the scopes of the new key (`--scope`).",
            ));
        }
        if !rotate.in_place {
            self.warn_if_full(&listed);
            self.fits(&scopes, origin)?;
        }
        Ok(Plan {
            work: if rotate.in_place { Work::RotateInPlace } else { Work::Rotate },
            account: self.account.to_string(),
            reference: Some(rotate.reference.to_string()),
            label: self.label(&rotate.reference.name, &listed),
            scopes,
            origin,
            old: Some(OldKey { label: Some(key.label.clone()), id: info.id.clone(), restricted }),
            by_command: rotate.by_command,
            sub_account: info.sub_account.clone(),
            addresses: if self.facts().takes_addresses() { info.addresses.clone() } else { Vec::new() },
            family: self.account.family.clone(),
        })
    }

    async fn in_place(&self, key: &StoredKey, info: &KeyInfo, scopes: bool) -> Result<(), Error> {
        // What the venue lists counts: for a key with a public half it would return a text that is not a secret.
        let is_pair = key.kind == Kind::PrivateKeyPem || info.public_key.is_some();
        if !self.facts().rotates() || is_pair {
            let why = match is_pair {
                true => format!("a key pair has no secret at {} that could be replaced", self.account.venue),
                false => format!("{} gives no key a new secret", self.account.venue),
            };
            return Err(Error::usage_with(why, "Rotate it without `--in-place`: a new key takes its place."));
        }
        if scopes {
            return Err(Error::usage("a key that is rotated in place keeps its scopes"));
        }
        if self.manager().await?.public_id().is_some_and(|id| key.public_id.as_deref() == Some(id)) {
            return Err(Error::usage_with(
                "a key cannot replace its own secret safely: if the response is lost, nothing can manage the account",
                "Name another key that manages the account, or rotate without `--in-place`.",
            ));
        }
        Ok(())
    }

    async fn plan_revoke(&self, revoke: &Revoke) -> Result<Plan, Error> {
        let (reference, stored) = match &revoke.target {
            Target::Stored(reference) => {
                self.name(reference)?;
                let record = self.record(reference).await?;
                let key = record.active().or_else(|| record.keys.first()).cloned();
                let key = key.ok_or_else(|| Error::not_found(format!("the store has no key `{reference}`")))?;
                (Some(reference.clone()), Some(key))
            }
            Target::Listed(id) => self.stored_as(id).await?.unzip(),
        };
        if let Some(reference) = &reference {
            self.engine.none_unfinished_of(self.account, reference).await?;
        }
        let listed = self.list().await?;
        let info = match (&revoke.target, &stored) {
            (Target::Listed(id), _) => live(&listed).find(|info| info.id == *id || info.public_id.as_ref() == Some(id)),
            (_, Some(key)) => find(&listed, key),
            _ => None,
        };
        let Some(info) = info else {
            lists_own_key(&self.manager().await?, &listed)?;
            let help = "Nothing is left to revoke. `venuekit keys forget` removes it from the store.";
            let what = match &revoke.target {
                Target::Listed(id) => return Err(Error::not_found(format!("the account has no key `{id}`"))),
                Target::Stored(reference) => format!("the account has no key that is `{reference}`"),
            };
            return Err(Error::not_found_with(what, help));
        };
        self.is_managed(info)?;
        let manages = self.manager().await?.public_id().is_some_and(|id| info.public_id.as_deref() == Some(id));
        if manages && !revoke.last {
            return Err(Error::usage_with(
                "this key is the one that manages the account: without it nothing here does",
                "Name another key that manages the account (`--key`), or say that it may be the last (`--last`).",
            ));
        }
        let name = reference.as_ref().map_or("revoke", |reference| reference.name.as_str());
        Ok(Plan {
            work: Work::Revoke,
            account: self.account.to_string(),
            label: self.label(name, &listed),
            reference: reference.as_ref().map(Reference::to_string),
            scopes: Vec::new(),
            origin: Origin::Best,
            old: Some(OldKey { label: stored.map(|key| key.label), id: info.id.clone(), restricted: false }),
            by_command: false,
            sub_account: None,
            addresses: Vec::new(),
            family: self.account.family.clone(),
        })
    }

    /// Where the store has a key of that id, or of that public id.
    async fn stored_as(&self, id: &str) -> Result<Option<(Reference, StoredKey)>, Error> {
        let is_it = |key: &StoredKey| key.id.as_deref() == Some(id) || key.public_id.as_deref() == Some(id);
        for record in self.engine.records(self.account).await?.0 {
            if let Some(key) = record.keys.into_iter().find(is_it) {
                return Ok(Some((record.reference, key)));
            }
        }
        Ok(None)
    }

    fn name(&self, reference: &Reference) -> Result<(), Error> {
        if !reference.is_of(self.account) {
            return Err(Error::usage(format!("`{reference}` is not a key of {}", self.account)));
        }
        if !reference.is_a_key() {
            return Err(Error::usage(format!("`{reference}` is not a key; names that begin with @ are reserved")));
        }
        Ok(())
    }

    /// Refuses a key that the account shows and that no call ends.
    fn is_managed(&self, info: &KeyInfo) -> Result<(), Error> {
        if info.sub_account.is_some() || !self.facts().ends_keys_of_sub_accounts() {
            return Ok(());
        }
        let page = self.facts().page(&self.account.environment);
        Err(Error::usage(format!(
            "the key {} does not belong to a sub-account: create and delete it at {page}",
            info.id
        )))
    }

    /// Tells that the venue will hardly take another key. It decides: what it allows may have changed.
    fn warn_if_full(&self, listed: &[KeyInfo]) {
        if let Some(most) = self.facts().most_keys().filter(|most| listed.len() >= *most) {
            self.notify(Event::Full { most });
        }
    }

    /// Wishes that the venue cannot meet.
    fn fits(&self, scopes: &[String], origin: Origin) -> Result<(), Error> {
        let (facts, venue) = (self.facts(), self.account.venue);
        if facts.no_scopes() && !scopes.is_empty() {
            return Err(Error::usage(format!("keys of {venue} have no scopes")));
        }
        if facts.needs_scopes() && scopes.is_empty() {
            return Err(Error::usage(format!(
                "a key of {venue} without scopes can do nothing: name at least one scope"
            )));
        }
        if matches!(origin, Origin::Here(_)) && !facts.takes_pairs() {
            return Err(Error::usage(format!("{venue} makes the secret itself; it registers no key pair")));
        }
        if let Origin::Here(kind) = origin
            && !facts.takes_pair(kind)
        {
            return Err(Error::usage(format!("{venue} registers no {kind:?} pair for such a key")));
        }
        Ok(())
    }

    /// The list, or none where the venue wants a code for it: a code is not worth a name that is free all but surely.
    async fn list_without_code(&self) -> Result<Vec<KeyInfo>, Error> {
        let manager = self.manager().await?;
        if let crate::Credential::Login { .. } = manager {
            return self.list().await;
        }
        let access = self.connect(&manager)?;
        match access.list(&Factor::None).await {
            Err(error) if access.wants_code(&error) => Ok(Vec::new()),
            other => Ok(other?),
        }
    }

    /// A name at the venue that no key has had: the stored name with a tag, by which a lost response is found again. Runs that
    /// were noted have names of their own.
    fn label(&self, name: &str, listed: &[KeyInfo]) -> String {
        let facts = self.facts();
        let plain: String =
            name.chars().map(|c| if c.is_ascii_alphanumeric() || c == facts.separator() { c } else { '_' }).collect();
        let room = facts.longest_name() - TAG - 1;
        let plain = &plain[..plain.len().min(room)];
        let taken = self.engine.journal.runs().unwrap_or_default();
        loop {
            let tag: u32 = rand::random_range(0..1 << (4 * TAG));
            let label = format!("{plain}{}{tag:04x}", facts.separator());
            let listed = listed.iter().any(|info| info.name.as_deref() == Some(&label));
            if !listed && taken.iter().all(|run| run.as_str() != label) {
                return label;
            }
        }
    }
}

fn live(listed: &[KeyInfo]) -> impl Iterator<Item = &KeyInfo> {
    listed.iter().filter(|info| info.enabled != Some(false))
}

/// A stored key in the venue's list.
pub(super) fn find<'a>(listed: &'a [KeyInfo], key: &StoredKey) -> Option<&'a KeyInfo> {
    live(listed).find(|info| match (&key.id, &key.public_id) {
        (Some(id), _) => *id == info.id,
        (None, Some(public_id)) => info.public_id.as_ref() == Some(public_id),
        (None, None) => false,
    })
}
