//! What there is: the venue's list and the store side by side.

use serde::Serialize;
use venuekit_transport::keys::KeyInfo;
use venuekit_transport::{Error as VenueError, ErrorKind};
use venuekit_wire::{UnixMillis, UnixSeconds};

use super::account_client::{AccountClient, Manager, lists_own_key};
use super::plan::find;
use super::verify::ProbeOutcome;
use super::{Engine, Operator, Silent};
use crate::Credential;
use crate::account::Account;
use crate::error::{Cause, Error};
use crate::event::Event;
use crate::record::{Kind, Record, State, StoredKey};
use crate::reference::Reference;
use crate::store::StoreError;
use crate::venue_driver;

/// One key: as the venue lists it, as the store has it, or both.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Line {
    /// Where the store has it.
    pub reference: Option<String>,
    /// Its name at the venue.
    pub name: Option<String>,
    /// What revoking takes.
    pub id: Option<String>,
    /// What identifies the caller in requests.
    pub public_id: Option<String>,
    /// Its permissions.
    pub scopes: Vec<String>,
    /// What else limits it.
    pub restrictions: Vec<String>,
    /// How far it has come, where the store has it.
    pub state: Option<State>,
    /// Whether the venue lists it as one that works; none where it was not asked.
    pub live: Option<bool>,
    /// The venue's word for its state, such as `revoked`; `disabled` for one that is switched off.
    pub status: Option<String>,
    /// When it was made.
    pub created: Option<UnixMillis>,
    /// When it ends.
    pub expires: Option<UnixMillis>,
    /// When it was used last, where the venue says so.
    pub last_used: Option<UnixMillis>,
    /// Whether it was used at all, where the venue says so.
    pub used: Option<bool>,
    /// Until when the owner has attested a location, which Kalshi wants for some markets.
    pub attested_until: Option<UnixMillis>,
    /// The family of keys that it is of, where that is not the venue's first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// Why the store's record cannot be read, where it cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}

/// A key that was made elsewhere and is now in the store.
#[derive(Clone, Debug, Serialize)]
pub struct Adopted {
    /// Where the store has it.
    pub reference: String,
    /// What revoking takes, where the venue's list could be had.
    pub id: Option<String>,
}

impl Engine {
    /// The account's keys, those of the store that the venue does not list included.
    ///
    /// # Errors
    /// The venue or the store cannot be asked.
    pub async fn list(
        &self,
        account: &Account,
        manager: &Manager,
        operator: &dyn Operator,
    ) -> Result<Vec<Line>, Error> {
        let client = AccountClient::new(self, account, manager, operator);
        client.check_environment()?;
        let listed = client.list().await?;
        let manager = client.manager().await?;
        // Worth a line in the report, and not worth failing for.
        let attested = venue_driver::attested_until(account, &manager, &self.settings.network()).await;
        let attested_until = attested.ok().flatten();
        // Only a whole list shows that a stored key is not in it.
        let is_whole = lists_own_key(&manager, &listed).is_ok();
        let mut lines: Vec<Line> = listed.iter().map(line_of).collect();
        let (records, unreadable) = self.records(account).await?;
        for record in records.into_iter().filter(|record| record.family() == account.family.as_deref()) {
            for key in &record.keys {
                // One that has ended at the venue may still be listed, and one whose response was lost goes by its name.
                let ended = || {
                    listed.iter().find(|info| match &key.id {
                        Some(id) => *id == info.id,
                        None => key.state == State::Prepared && info.name.as_ref() == Some(&key.label),
                    })
                };
                let known =
                    find(&listed, key).or_else(ended).and_then(|info| listed.iter().position(|one| one.id == info.id));
                match known {
                    Some(index) => {
                        let line = &mut lines[index];
                        line.reference = Some(record.reference.to_string());
                        line.created = line.created.or_else(|| made(key));
                        line.state = Some(key.state);
                    }
                    None => lines.push(Line { live: is_whole.then_some(false), ..stored_line(&record, key) }),
                }
            }
        }
        lines.extend(unreadable);
        for line in &mut lines {
            line.family.clone_from(&account.family);
            line.attested_until = attested_until;
            line.used = (client.facts().lists_use() && line.live.is_some()).then_some(line.last_used.is_some());
        }
        Ok(lines)
    }

    /// The stored keys of an account, without asking the venue.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn stored(&self, account: &Account) -> Result<Vec<Line>, Error> {
        let (records, unreadable) = self.records(account).await?;
        let lines = records.iter().flat_map(|record| record.keys.iter().map(|key| stored_line(record, key)));
        Ok(lines.chain(unreadable).collect())
    }

    /// The account's records, and a line for each that cannot be read: it stops nobody but the caller who wants that one.
    pub(super) async fn records(&self, account: &Account) -> Result<(Vec<Record>, Vec<Line>), Error> {
        let (mut records, mut unreadable) = (Vec::new(), Vec::new());
        for reference in self.store.list().await? {
            if reference.is_of(account) && reference.is_a_key() {
                match self.store.get(&reference).await {
                    Ok(record) => records.push(record),
                    // Removed since it was listed.
                    Err(StoreError::NotFound(_)) => {}
                    Err(error @ (StoreError::Corrupted { .. } | StoreError::Newer { .. })) => {
                        let (reference, why) = (Some(reference.to_string()), Some(error.to_string()));
                        unreadable.push(Line { reference, unreadable: why, ..Line::default() });
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok((records, unreadable))
    }

    /// Tries a stored key once.
    ///
    /// # Errors
    /// It does not work, or the venue cannot be reached.
    pub async fn verify(&self, account: &Account, reference: &Reference) -> Result<Event, Error> {
        let manager = Manager::Stored(reference.clone());
        let client = AccountClient::new(self, account, &manager, &Silent);
        let credential = client.manager().await?;
        probed(
            client.probe_key(&credential).await?,
            &reference.to_string(),
            &format!("`venuekit doctor {reference}` shows why"),
        )
    }

    /// Removes a key from the store. The venue is not notified.
    ///
    /// # Errors
    /// There is no such key, or a run for it has not ended.
    pub async fn forget(&self, account: &Account, reference: &Reference) -> Result<(), Error> {
        let _guard = self.journal.lock(account)?;
        self.none_unfinished_of(account, reference).await?;
        Ok(self.store.remove(reference).await?)
    }

    /// Takes a key that was made elsewhere into the store, once it has signed a call.
    ///
    /// # Errors
    /// It does not work, the name is taken, or the store refuses.
    pub async fn adopt(
        &self,
        account: &Account,
        reference: &Reference,
        credential: &Credential,
        operator: &dyn Operator,
    ) -> Result<Adopted, Error> {
        let manager = Manager::Given(credential.clone());
        let client = AccountClient::new(self, account, &manager, operator);
        let Credential::Key { public_id, secret, kind } = credential else {
            return Err(Error::usage(format!("{credential:?} is not a key; only keys are adopted")));
        };
        if Kind::from(*kind) == Kind::PrivateKeyPem && !client.facts().takes_pairs() {
            let message = format!("this is a private key, and keys of {} are shared secrets", account.venue);
            return Err(Error::usage_with(message, "Give the secret that the venue has shown."));
        }
        let _guard = self.journal.lock(account)?;
        self.none_unfinished_of(account, reference).await?;
        if !reference.is_a_key() || !client.record(reference).await?.keys.is_empty() {
            let message = format!("`{reference}` is taken");
            return Err(Error::usage_with(message, "Choose another name."));
        }
        // Rotating it under one name would end it under the other.
        let same = |line: &Line| line.public_id.as_ref() == Some(public_id);
        if let Some(name) = self.stored(account).await?.into_iter().find(same).and_then(|line| line.reference) {
            return Err(Error::usage(format!("that key is already stored as `{name}`")));
        }
        let help = format!("Check that the id and the secret match, and are for {account}");
        client.notify(probed(client.probe_key(credential).await?, "the key", &help)?);
        let listed = if client.facts().keys_manage() { client.list().await.unwrap_or_default() } else { Vec::new() };
        let info = listed.iter().find(|info| info.public_id.as_deref() == Some(public_id));
        let key = StoredKey {
            label: info.and_then(|info| info.name.clone()).unwrap_or_else(|| reference.name.clone()),
            id: info.map(|info| info.id.clone()),
            public_id: Some(public_id.clone()),
            kind: Kind::from(*kind),
            secret: secret.clone(),
            scopes: info.map(|info| info.scopes.clone()).unwrap_or_default(),
            made: created(info).unwrap_or(UnixSeconds(0)),
            state: State::Active,
            family: account.family.clone(),
        };
        let id = key.id.clone();
        self.store.put(&Record { reference: reference.clone(), keys: vec![key] }).await?;
        client.notify(Event::Stored { reference: reference.to_string() });
        Ok(Adopted { reference: reference.to_string(), id })
    }
}

fn probed(shown: ProbeOutcome, what: &str, help: &str) -> Result<Event, Error> {
    match shown {
        ProbeOutcome::Works { millis, refused } => Ok(Event::Verified { millis, refused }),
        ProbeOutcome::Nothing(error) if !is_refused_by_the_venue(&error) => Err(error),
        ProbeOutcome::Nothing(error) | ProbeOutcome::Unknown(error) => {
            Err(Error::new(Cause::Fails { message: format!("{what} does not work: {error}"), help: help.to_owned() }))
        }
    }
}

fn created(info: Option<&KeyInfo>) -> Option<UnixSeconds> {
    Some(UnixSeconds(info?.created?.get().div_euclid(1000)))
}

fn made(key: &StoredKey) -> Option<UnixMillis> {
    (key.made.get() > 0).then(|| UnixMillis(key.made.get().saturating_mul(1000)))
}

fn line_of(info: &KeyInfo) -> Line {
    let info = info.clone();
    Line {
        reference: None,
        name: info.name,
        id: Some(info.id),
        public_id: info.public_id,
        scopes: info.scopes,
        restrictions: info.restrictions,
        state: None,
        live: Some(info.enabled != Some(false)),
        status: info.status.or_else(|| (info.enabled == Some(false)).then(|| "disabled".to_owned())),
        created: info.created,
        expires: info.expires,
        last_used: info.last_used,
        used: None,
        attested_until: None,
        family: None,
        unreadable: None,
    }
}

fn stored_line(record: &Record, key: &StoredKey) -> Line {
    Line {
        reference: Some(record.reference.to_string()),
        name: Some(key.label.clone()),
        id: key.id.clone(),
        public_id: key.public_id.clone(),
        scopes: key.scopes.clone(),
        created: made(key),
        state: Some(key.state),
        family: key.family.clone(),
        ..Line::default()
    }
}

/// Whether the venue itself refuses the key, for whatever reason: a signature of another key, say.
fn is_refused_by_the_venue(error: &Error) -> bool {
    error.is(ErrorKind::Unauthorized) && error.of_venue().is_some_and(VenueError::has_known_code)
}
