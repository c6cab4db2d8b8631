//! The keyring of the operating system.

use std::fmt;
use std::sync::Arc;

use keyring::v1::{Entry, Error};
use serde::{Deserialize, Serialize};
use venuekit_wire::Secret;

use super::{Store, StoreError, StoreFuture};
use crate::record::Record;
use crate::reference::Reference;

/// Keeps texts by name: the operating system's keyring, or something in its place.
pub trait Ring: Send + Sync {
    /// The text of this name, if there is one.
    ///
    /// # Errors
    /// The keyring is locked, or not there.
    fn get(&self, name: &str) -> Result<Option<Secret>, RingError>;

    /// Keeps a text, in place of the one of the same name.
    ///
    /// # Errors
    /// The keyring refuses, or does not exist.
    fn set(&self, name: &str, text: &Secret) -> Result<(), RingError>;

    /// Forgets a text. There may be none.
    ///
    /// # Errors
    /// The keyring refuses, or does not exist.
    fn delete(&self, name: &str) -> Result<(), RingError>;
}

/// Why a keyring failed.
#[derive(Debug)]
pub enum RingError {
    /// There is no keyring, or no service that keeps it.
    Unreachable(String),
    /// It is locked, or does not want to.
    Refused(String),
    /// It takes no text of this size.
    TooLarge,
}

/// macOS Keychain, Windows Credential Manager, or the Secret Service of a desktop.
#[derive(Clone, Debug)]
pub struct SystemRing {
    service: String,
}

impl SystemRing {
    fn entry(&self, name: &str) -> Result<Entry, RingError> {
        if let Err(error) = Entry::store_status() {
            return Err(RingError::Unreachable(error.to_string()));
        }
        Entry::new(&self.service, name).map_err(refused)
    }
}

/// No variant's text holds the secret; the one that carries bytes is not shown.
fn refused(error: Error) -> RingError {
    match error {
        Error::PlatformFailure(_) | Error::NoDefaultStore => RingError::Unreachable(error.to_string()),
        Error::TooLong(..) => RingError::TooLarge,
        Error::BadEncoding(_) => RingError::Refused("what it keeps is not text".to_owned()),
        other => RingError::Refused(other.to_string()),
    }
}

impl Ring for SystemRing {
    fn get(&self, name: &str) -> Result<Option<Secret>, RingError> {
        match self.entry(name)?.get_password() {
            Ok(text) => Ok(Some(Secret::new(text))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(refused(error)),
        }
    }

    fn set(&self, name: &str, text: &Secret) -> Result<(), RingError> {
        self.entry(name)?.set_password(text.expose()).map_err(refused)
    }

    fn delete(&self, name: &str) -> Result<(), RingError> {
        match self.entry(name)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(refused(error)),
        }
    }
}

/// Keys in the keyring of the operating system: one entry a record, and one with all names, because keyrings cannot be listed alike.
#[derive(Clone)]
pub struct KeyringStore {
    ring: Arc<dyn Ring>,
}

impl fmt::Debug for KeyringStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyringStore")
    }
}

/// The entry with all names. No record has such a name.
const INDEX: &str = "index";

/// So often the index is written before another process is taken for one that writes without end.
const ATTEMPTS: usize = 5;

#[derive(Serialize, Deserialize)]
struct Index {
    schema: u32,
    names: Vec<String>,
}

impl KeyringStore {
    /// The entries that this service has in the system's keyring.
    ///
    /// # Errors
    /// There is no keyring that can be reached.
    pub fn open(service: &str) -> Result<Self, StoreError> {
        let store = Self::over(SystemRing { service: service.to_owned() });
        store.names()?;
        Ok(store)
    }

    /// Over another keyring.
    pub fn over(ring: impl Ring + 'static) -> Self {
        Self { ring: Arc::new(ring) }
    }

    fn names(&self) -> Result<Vec<String>, StoreError> {
        let place = "the keyring's list of names";
        let Some(text) = self.ring.get(INDEX).map_err(|error| failed(error, None))? else { return Ok(Vec::new()) };
        let index: Index = serde_json::from_str(text.expose())
            .map_err(|error| StoreError::corrupted(place, format!("column {}", error.column())))?;
        if index.schema > crate::record::SCHEMA {
            return Err(StoreError::Newer { place: place.to_owned(), found: index.schema });
        }
        Ok(index.names)
    }

    /// Adds or removes a name. A keyring has no lock, so that the list is read again to see whether another process has written
    /// over it.
    fn set_listed(&self, name: &str, listed: bool) -> Result<(), StoreError> {
        for _ in 0..ATTEMPTS {
            let mut names = self.names()?;
            if names.iter().any(|known| known == name) == listed {
                return Ok(());
            }
            names.retain(|known| known != name);
            if listed {
                names.push(name.to_owned());
            }
            names.sort();
            let text = serde_json::to_string(&Index { schema: crate::record::SCHEMA, names });
            let text = Secret::new(text.map_err(|error| StoreError::Refused(error.to_string()))?);
            self.ring.set(INDEX, &text).map_err(|error| failed(error, None))?;
        }
        Err(StoreError::Refused("other processes keep changing the list of names".to_owned()))
    }

    fn read(&self, reference: &Reference) -> Result<Record, StoreError> {
        let text = self.ring.get(&reference.to_string()).map_err(|error| failed(error, Some(reference)))?;
        let text = text.ok_or_else(|| StoreError::NotFound(reference.clone()))?;
        let place = || format!("the keyring's entry `{reference}`");
        Record::from_secret(&text).map_err(|error| StoreError::unreadable(place(), error))
    }

    /// Keyrings may ask the user something, and talk to a service.
    fn with<'a, T, F>(&self, work: F) -> StoreFuture<'a, T>
    where
        T: Send + 'static,
        F: FnOnce(&Self) -> Result<T, StoreError> + Send + 'static,
    {
        let store = self.clone();
        Box::pin(async move {
            let done = tokio::task::spawn_blocking(move || work(&store)).await;
            done.unwrap_or_else(|error| Err(StoreError::Refused(error.to_string())))
        })
    }
}

fn failed(error: RingError, reference: Option<&Reference>) -> StoreError {
    match (error, reference) {
        (RingError::Unreachable(why), _) => StoreError::Unreachable(format!("the keyring: {why}")),
        (RingError::Refused(why), _) => StoreError::Refused(format!("the keyring: {why}")),
        (RingError::TooLarge, Some(reference)) => StoreError::TooLarge(reference.clone()),
        (RingError::TooLarge, None) => StoreError::Refused("the keyring takes no list this long".to_owned()),
    }
}

impl Store for KeyringStore {
    fn get<'a>(&'a self, reference: &'a Reference) -> StoreFuture<'a, Record> {
        let reference = reference.clone();
        self.with(move |store| store.read(&reference))
    }

    /// The name first: one without a record is passed over, a record without a name would not be found.
    fn put<'a>(&'a self, record: &'a Record) -> StoreFuture<'a, ()> {
        let record = record.clone();
        self.with(move |store| {
            let name = record.reference.to_string();
            // A record that cannot be read is not written over.
            match store.read(&record.reference) {
                Ok(_) | Err(StoreError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
            store.set_listed(&name, true)?;
            store.ring.set(&name, &record.to_secret()).map_err(|error| failed(error, Some(&record.reference)))
        })
    }

    fn list(&self) -> StoreFuture<'_, Vec<Reference>> {
        self.with(|store| {
            let mut listed = Vec::new();
            for name in store.names()? {
                let Ok(reference) = name.parse::<Reference>() else { continue };
                if store.ring.get(&name).map_err(|error| failed(error, Some(&reference)))?.is_some() {
                    listed.push(reference);
                }
            }
            listed.sort();
            Ok(listed)
        })
    }

    fn remove<'a>(&'a self, reference: &'a Reference) -> StoreFuture<'a, ()> {
        let reference = reference.clone();
        self.with(move |store| {
            // A damaged one may be removed, one of a newer version is not.
            match store.read(&reference) {
                Ok(_) | Err(StoreError::Corrupted { .. }) => {}
                Err(error) => return Err(error),
            }
            let name = reference.to_string();
            store.ring.delete(&name).map_err(|error| failed(error, Some(&reference)))?;
            store.set_listed(&name, false)
        })
    }
}
