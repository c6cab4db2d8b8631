//! Why a store failed.

use std::path::{Path, PathBuf};
use std::{fmt, io};

use super::identity::FoundInstead;
use crate::record::{SCHEMA, Unreadable};
use crate::reference::Reference;

/// Why a store failed. Nothing in it shows a secret.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no record of this name.
    NotFound(Reference),
    /// The passphrase is not the one that the store was made with.
    WrongPassphrase {
        /// The file that it should open.
        path: PathBuf,
    },
    /// The identity is not the one that the store was made with.
    WrongIdentity {
        /// The store.
        path: PathBuf,
    },
    /// The file that opens the store is missing.
    IdentityMissing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The file is something else than a store.
    NotAStore {
        /// The file.
        path: PathBuf,
        /// What it is, as the end of a sentence.
        what: String,
    },
    /// The file that was named as the age identity is something else.
    NotAnIdentity {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: FoundInstead,
    },
    /// What is stored is damaged.
    Corrupted {
        /// Where it is stored.
        place: String,
        /// What is wrong with it; nothing is quoted.
        why: String,
    },
    /// A newer version wrote it.
    Newer {
        /// Where it is stored.
        place: String,
        /// The schema that was found.
        found: u32,
    },
    /// Others than its owner may read a file that holds secrets.
    Loose {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file cannot be written: its folder is read-only, missing, or somebody else's.
    NotWritable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is no room left on the disk.
    Full {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is in its place, and the system cannot say that its folder is on the disk: a power cut may still undo the change.
    Unsynced {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// This store cannot be written at all; the text says what it is.
    ReadOnly(&'static str),
    /// Another process holds the store.
    Busy {
        /// The file that is locked.
        path: PathBuf,
    },
    /// Anything else that the system says about a file.
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The store's server, or the keyring's service, cannot be reached.
    Unreachable(String),
    /// The store's server, or the keyring, refused.
    Refused(String),
    /// Somebody else changed the record at the same time.
    Conflict(Reference),
    /// The keyring takes no record of this size.
    TooLarge(Reference),
}

impl StoreError {
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        use io::ErrorKind as Kind;
        let path = path.to_owned();
        match source.kind() {
            Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge => Self::Full { path, source },
            Kind::PermissionDenied | Kind::ReadOnlyFilesystem | Kind::NotADirectory | Kind::NotFound => {
                Self::NotWritable { path, source }
            }
            _ => Self::Io { path, source },
        }
    }

    pub(super) fn corrupted(place: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Corrupted { place: place.into(), why: why.into() }
    }

    pub(super) fn unreadable(place: impl Into<String>, why: Unreadable) -> Self {
        let place = place.into();
        match why {
            Unreadable::Newer(found) => Self::Newer { place, found },
            Unreadable::Damaged(why) => Self::Corrupted { place, why },
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(reference) => write!(f, "the store has no key `{reference}`"),
            Self::WrongPassphrase { path } => write!(f, "{}: wrong passphrase", path.display()),
            Self::WrongIdentity { path } => {
                write!(f, "{}: this is not the identity that the store is encrypted to", path.display())
            }
            Self::IdentityMissing { path } => {
                write!(f, "{}: the file that opens the store is missing; put it back from a copy", path.display())
            }
            Self::NotAStore { path, what } => {
                write!(
                    f,
                    "{}: this file is not a store: {what}; name the file of a store, or a new file",
                    path.display()
                )
            }
            Self::NotAnIdentity { path, found } => {
                let (what, remedy) = found.words();
                write!(f, "{} is {what}; {remedy}", path.display())
            }
            Self::Corrupted { place, why } => {
                write!(f, "{place}: damaged ({why}); nothing was changed, put it back from a copy")
            }
            Self::Newer { place, found } => write!(
                f,
                "{place}: written by a newer version (schema {found}, this one knows {SCHEMA}); nothing was changed, use \
                 that version"
            ),
            Self::Loose { path, mode } => write!(
                f,
                "{}: other users can read it (mode {mode:04o}): run `chmod 600`, and revoke its keys if someone may have read them",
                path.display()
            ),
            Self::NotWritable { path, source } => write!(f, "{}: cannot be written: {source}", path.display()),
            Self::Full { path, source } => {
                write!(f, "{}: no room left on the disk ({source}); what was stored is still there", path.display())
            }
            Self::Unsynced { path, source } => write!(
                f,
                "{}: written, but its folder could not be synced to the disk ({source}); a power cut may undo the change",
                path.display()
            ),
            Self::ReadOnly(what) => write!(f, "{what} can only be read; choose another store for keys that are made"),
            Self::Busy { path } => write!(f, "{}: another process holds the store", path.display()),
            Self::Io { path, source } => write!(f, "{}: {source}", path.display()),
            Self::Unreachable(what) => write!(f, "the store cannot be reached: {what}"),
            Self::Refused(what) => write!(f, "the store refused: {what}"),
            Self::Conflict(reference) => {
                write!(f, "`{reference}` was changed by somebody else at the same time; nothing was overwritten")
            }
            Self::TooLarge(reference) => write!(f, "the keyring takes no record as large as that of `{reference}`"),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotWritable { source, .. }
            | Self::Full { source, .. }
            | Self::Unsynced { source, .. }
            | Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
