//! One file, encrypted with age.

use std::fmt;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use age::{DecryptError, x25519};
use serde::Deserialize;
use serde_json::value::RawValue;
use venuekit_wire::Secret;
use zeroize::Zeroizing;

use super::atomic::{self, Lock};
use super::identity::{self, Unlock, beside};
use super::{Store, StoreError, StoreFuture};
use crate::record::{Record, SCHEMA, Unreadable, Version};
use crate::reference::Reference;

/// Keys in one file that is encrypted with age.
///
/// The file is encrypted to an X25519 identity, which lies in a file of its own: plain, or under a passphrase. The age tool opens
/// both: `age -d -i keys.identity.age keys.age`. Every change writes a new file beside the old one and puts it in the old one's
/// place, under a lock against other processes.
#[derive(Clone)]
pub struct FileStore(Arc<Inner>);

struct Inner {
    path: PathBuf,
    identity: x25519::Identity,
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore").field("path", &self.0.path).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow)]
    records: Vec<&'a RawValue>,
}

/// What the file has under one name.
enum Kept {
    Whole(Record),
    /// It stays in the file as it is: a newer version, or a person, may still read it.
    Unreadable {
        reference: Option<Reference>,
        text: Secret,
        error: Unreadable,
    },
}

impl Kept {
    fn read(text: &RawValue) -> Self {
        #[derive(Deserialize)]
        struct Named {
            reference: String,
        }
        let text = Secret::new(text.get());
        match Record::from_secret(&text) {
            Ok(record) => Self::Whole(record),
            Err(error) => {
                let named = serde_json::from_str::<Named>(text.expose()).ok();
                Self::Unreadable { reference: named.and_then(|named| named.reference.parse().ok()), text, error }
            }
        }
    }

    fn reference(&self) -> Option<&Reference> {
        match self {
            Self::Whole(record) => Some(&record.reference),
            Self::Unreadable { reference, .. } => reference.as_ref(),
        }
    }

    fn text(&self) -> Secret {
        match self {
            Self::Whole(record) => record.to_secret(),
            Self::Unreadable { text, .. } => text.clone(),
        }
    }
}

/// So much of a file says what it is.
const HEADER: u64 = 256;

impl FileStore {
    /// Whether the file of a store is there.
    pub fn exists(path: impl AsRef<Path>) -> bool {
        path.as_ref().exists()
    }

    /// Sees whether a file that is there may be a store, without opening it. One with an identity beside it is a store, if a damaged
    /// one.
    ///
    /// # Errors
    /// It is something else, or cannot be read.
    pub fn recognize(path: impl Into<PathBuf>) -> Result<(), StoreError> {
        let path = &atomic::behind_links(path.into());
        let not = |what: &str| Err(StoreError::NotAStore { path: path.clone(), what: what.to_owned() });
        let Ok(metadata) = std::fs::metadata(path) else { return Ok(()) };
        if !metadata.is_file() {
            return not(if metadata.is_dir() { "it is a folder" } else { "it is not a regular file" });
        }
        if beside(path).exists() {
            return Ok(());
        }
        let mut start = Vec::new();
        let read = File::open(path).and_then(|file| file.take(HEADER).read_to_end(&mut start));
        read.map_err(|error| StoreError::io(path, error))?;
        let mut lines = start.split(|byte| *byte == b'\n');
        match (lines.next(), lines.next()) {
            _ if start.is_empty() => not("it is empty"),
            (Some(first), Some(second)) if first == b"age-encryption.org/v1" => {
                // The store is encrypted to an identity, and that identity by the passphrase.
                let is_by_passphrase = second.starts_with(b"-> scrypt ");
                if is_by_passphrase {
                    not("it is encrypted by a passphrase, as the identity of one is")
                } else {
                    Ok(())
                }
            }
            _ => not("it does not begin as a file that age has encrypted"),
        }
    }

    /// Opens a store, and creates it if it does not exist. A passphrase takes about half a second.
    ///
    /// # Errors
    /// A wrong passphrase or identity, a file that is damaged, newer or readable by others, a folder that cannot be written.
    pub fn open(path: impl Into<PathBuf>, unlock: &Unlock) -> Result<Self, StoreError> {
        let path = atomic::behind_links(path.into());
        atomic::make_folder(&path)?;
        let _lock = Lock::hold(path.with_extension("lock"))?;
        atomic::remove_unfinished(&path, None);
        let of_identity = unlock.path(&path);
        let identity = match unlock.read(&of_identity)? {
            Some(identity) => identity,
            // A new identity would not open it, and its file would take the old one's place.
            None if path.exists() => return Err(missing(path, of_identity)),
            None => unlock.make(&of_identity)?,
        };
        let inner = Inner { path, identity };
        inner.read()?;
        Ok(Self(Arc::new(inner)))
    }

    /// Opens a store that is there, in a folder that may be read-only.
    ///
    /// # Errors
    /// A wrong passphrase or identity, a file that is damaged, newer or readable by others.
    pub fn open_to_read(path: impl Into<PathBuf>, unlock: &Unlock) -> Result<Self, StoreError> {
        let path = atomic::behind_links(path.into());
        let of_identity = unlock.path(&path);
        let Some(identity) = unlock.read(&of_identity)? else { return Err(missing(path, of_identity)) };
        let inner = Inner { path, identity };
        inner.read()?;
        Ok(Self(Arc::new(inner)))
    }

    /// Does something with the file on a thread that may wait.
    fn with<'a, T, F>(&self, work: F) -> StoreFuture<'a, T>
    where
        T: Send + 'static,
        F: FnOnce(&Inner) -> Result<T, StoreError> + Send + 'static,
    {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            let path = inner.path.clone();
            tokio::task::spawn_blocking(move || work(&inner))
                .await
                .unwrap_or_else(|error| Err(StoreError::Io { path, source: std::io::Error::other(error) }))
        })
    }
}

/// What opens a store is missing, or there is no store to open.
fn missing(store: PathBuf, identity: PathBuf) -> StoreError {
    FileStore::recognize(store).err().unwrap_or(StoreError::IdentityMissing { path: identity })
}

impl Inner {
    fn read(&self) -> Result<Vec<Kept>, StoreError> {
        let Some(bytes) = atomic::read(&self.path)? else { return Ok(Vec::new()) };
        let place = || self.path.display().to_string();
        let damaged = |error: &serde_json::Error| StoreError::unreadable(place(), Unreadable::damaged(error));
        let text = identity::decrypt(&self.identity, &bytes).map_err(|error| match error {
            DecryptError::NoMatchingKeys => StoreError::WrongIdentity { path: self.path.clone() },
            other => StoreError::corrupted(place(), other.to_string()),
        })?;
        let version: Version = serde_json::from_slice(&text).map_err(|error| damaged(&error))?;
        if version.schema > SCHEMA {
            return Err(StoreError::Newer { place: place(), found: version.schema });
        }
        let content: Content<'_> = serde_json::from_slice(&text).map_err(|error| damaged(&error))?;
        Ok(content.records.into_iter().map(Kept::read).collect())
    }

    fn write(&self, records: &[Kept]) -> Result<(), StoreError> {
        let failed = |error: String| StoreError::io(&self.path, std::io::Error::other(error));
        let texts: Vec<Secret> = records.iter().map(Kept::text).collect();
        // Large enough from the start: a text that grows leaves copies behind.
        let size = texts.iter().map(|text| text.expose().len() + 1).sum::<usize>();
        let mut text = Zeroizing::new(String::with_capacity(size + 64));
        let _ = write!(text, r#"{{"schema":{SCHEMA},"records":["#);
        for (index, record) in texts.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            text.push_str(record.expose());
        }
        text.push_str("]}");
        let bytes = identity::encrypt(&self.identity.to_public(), text.as_bytes());
        atomic::write(&self.path, &bytes.map_err(|error| failed(error.to_string()))?, false)
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Kept>) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let _lock = Lock::hold(self.path.with_extension("lock"))?;
        let mut records = self.read()?;
        change(&mut records)?;
        self.write(&records)
    }

    fn unreadable(&self, reference: &Reference, error: Unreadable) -> StoreError {
        StoreError::unreadable(format!("{}: the record `{reference}`", self.path.display()), error)
    }
}

impl Store for FileStore {
    fn get<'a>(&'a self, reference: &'a Reference) -> StoreFuture<'a, Record> {
        let wanted = reference.clone();
        self.with(move |inner| match inner.read()?.into_iter().find(|kept| kept.reference() == Some(&wanted)) {
            Some(Kept::Whole(record)) => Ok(record),
            Some(Kept::Unreadable { error, .. }) => Err(inner.unreadable(&wanted, error)),
            None => Err(StoreError::NotFound(wanted)),
        })
    }

    fn put<'a>(&'a self, record: &'a Record) -> StoreFuture<'a, ()> {
        let record = record.clone();
        self.with(move |inner| {
            inner.change(|records| {
                match records.iter_mut().find(|kept| kept.reference() == Some(&record.reference)) {
                    // One that cannot be read is not written over.
                    Some(Kept::Unreadable { error, .. }) => {
                        return Err(inner.unreadable(&record.reference, error.clone()));
                    }
                    Some(kept) => *kept = Kept::Whole(record),
                    None => records.push(Kept::Whole(record)),
                }
                Ok(())
            })
        })
    }

    fn list(&self) -> StoreFuture<'_, Vec<Reference>> {
        self.with(|inner| {
            let mut names: Vec<Reference> = inner.read()?.iter().filter_map(|kept| kept.reference().cloned()).collect();
            names.sort();
            Ok(names)
        })
    }

    fn remove<'a>(&'a self, reference: &'a Reference) -> StoreFuture<'a, ()> {
        let gone = reference.clone();
        self.with(move |inner| {
            inner.change(|records| {
                let is_it = |kept: &&Kept| kept.reference() == Some(&gone);
                if let Some(Kept::Unreadable { error: error @ Unreadable::Newer(_), .. }) = records.iter().find(is_it) {
                    return Err(inner.unreadable(&gone, error.clone()));
                }
                let before = records.len();
                records.retain(|kept| kept.reference() != Some(&gone));
                if records.len() == before { Err(StoreError::NotFound(gone)) } else { Ok(()) }
            })
        })
    }
}
