//! What a run has done so far, so that another one can go on.
//!
//! A run appends one line a step, before the step where repeating it blindly would harm and after it otherwise. No line holds a
//! secret.

mod folder;

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use venuekit_wire::UnixMillis;

pub use self::folder::{FolderJournal, Retention};
use crate::account::Account;
use crate::task::Plan;

/// The newest form of a journal that this version reads, and the one that it writes.
pub const SCHEMA: u32 = 1;

/// Keeps the steps of runs.
pub trait Journal: Send + Sync {
    /// Keeps other runs of this account away until the guard is dropped, or this process ends.
    ///
    /// # Errors
    /// [`JournalError::Busy`] says who keeps it.
    fn lock(&self, account: &Account) -> Result<Guard, JournalError>;

    /// Begins a run.
    ///
    /// # Errors
    /// [`JournalError::Exists`] if there is a run of this name; or it cannot be written.
    fn begin(&self, run: &RunId, entry: &Entry) -> Result<(), JournalError>;

    /// Adds a step to a run, on disk when this returns.
    ///
    /// # Errors
    /// It cannot be written. It may be among the run's steps nevertheless, as long as the power holds: what is noted before it is
    /// done may have been done, and what is noted afterwards was.
    fn append(&self, run: &RunId, entry: &Entry) -> Result<(), JournalError>;

    /// A run's steps, but a last one that was not written whole.
    ///
    /// # Errors
    /// There is no such run, or it is damaged or newer.
    fn read(&self, run: &RunId) -> Result<Vec<Entry>, JournalError>;

    /// What is still known of a run that [`read`](Self::read) cannot read.
    fn glimpse(&self, run: &RunId) -> Glimpse {
        let _ = run;
        Glimpse::default()
    }

    /// All runs, by name.
    ///
    /// # Errors
    /// They cannot be read.
    fn runs(&self) -> Result<Vec<RunId>, JournalError>;
}

/// What is still known of a run whose journal is damaged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Glimpse {
    /// The account that it is about.
    pub account: Option<String>,
    /// Whether it has ended, so that it stops nobody.
    pub ended: bool,
}

/// Keeps other runs away as long as it lives.
pub struct Guard(#[allow(dead_code, reason = "it is there to be dropped")] Box<dyn Send + Sync>);

impl Guard {
    /// Keeps what it is given until it is dropped.
    pub fn new(held: impl Send + Sync + 'static) -> Self {
        Self(Box::new(held))
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guard")
    }
}

/// A run's name, which is also the name that the venue shows for the key it makes, such as `bot-7f3a`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(String);

impl RunId {
    /// A run by its name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When it was written.
    pub at: UnixMillis,
    /// What was done, or is about to be.
    #[serde(flatten)]
    pub step: Step,
}

impl Entry {
    /// A step, now.
    pub fn now(step: Step) -> Self {
        Self { at: UnixMillis::now(), step }
    }
}

/// A step of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
#[non_exhaustive]
#[allow(clippy::large_enum_variant, reason = "a run has a handful of steps, and each is written at once")]
pub enum Step {
    /// What is to be done.
    Planned {
        /// The form of this journal.
        schema: u32,
        /// What is to be done.
        plan: Plan,
        /// What the store is called that keeps its keys.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        store: Option<String>,
    },
    /// The venue is about to be asked for a key.
    Asking {
        /// Whether it registers our pair. Otherwise it makes the secret.
        ours: bool,
    },
    /// The venue takes no pair of ours; it is to make one.
    VenueMakes,
    /// A key of ours whose secret nobody has, or that is one too many, was revoked.
    Orphan {
        /// Its id.
        id: String,
    },
    /// The venue has the key and the store its secret.
    Stored {
        /// What identifies the caller.
        public_id: String,
    },
    /// A call that the key signed got a response.
    Verified,
    /// The new key is the one to use.
    Promoted,
    /// The consumer has acknowledged it.
    HandedOver,
    /// The run is being given up; it does not go on any more.
    Abandoning,
    /// The old key is about to be revoked, or replaced.
    Revoking {
        /// Its id.
        id: String,
    },
    /// The venue says that the old key was revoked.
    Revoked,
    /// The old key, or the old secret, fails.
    Proved,
    /// Nothing proves that the old key has ended; a person has seen it at the venue.
    Confirmed,
    /// All is done.
    Done,
    /// The venue refused, and nothing is left of the run.
    Failed {
        /// What it said.
        why: String,
    },
    /// A person gave the run up, and nothing is left of it.
    Abandoned,
}

impl Step {
    /// Whether nothing comes after it.
    pub fn is_last(&self) -> bool {
        matches!(self, Self::Done | Self::Failed { .. } | Self::Abandoned)
    }
}

/// Why the journal failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum JournalError {
    /// Another run is in progress for this account.
    Busy {
        /// The account.
        account: String,
        /// Who holds it, as far as it is known.
        holder: Option<String>,
    },
    /// There is no run of this name.
    NoSuchRun(RunId),
    /// There is a run of this name.
    Exists(RunId),
    /// A run's file is damaged, and not just at its end.
    Corrupted {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
    },
    /// A run does not begin with what it is about.
    NoPlan(RunId),
    /// A newer version wrote it.
    Newer {
        /// The file.
        path: PathBuf,
    },
    /// The system refuses.
    Io {
        /// The file.
        path: PathBuf,
        /// What it says.
        source: std::io::Error,
    },
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy { account, holder } => {
                let holder = holder.as_deref().unwrap_or("another process");
                write!(f, "another run is in progress for {account}: {holder}; wait for it")
            }
            Self::NoSuchRun(run) => write!(f, "there is no run `{run}`"),
            Self::Exists(run) => write!(f, "there is a run `{run}` already"),
            Self::Corrupted { path, line } => write!(f, "{}:{line}: the journal is damaged", path.display()),
            Self::NoPlan(run) => write!(f, "the journal of the run `{run}` is damaged: its first line is not a plan"),
            Self::Newer { path } => write!(f, "{}: written by a newer version; use that one", path.display()),
            Self::Io { path, source } => write!(f, "{}: {source}", path.display()),
        }
    }
}

impl std::error::Error for JournalError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
