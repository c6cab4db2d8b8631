//! One error for everything that stops a run.

use std::fmt;

use venuekit_transport::ErrorKind;

use crate::journal::{JournalError, RunId};
use crate::reference::BadReference;
use crate::store::StoreError;
use crate::task::Work;

/// Why a run stopped. Nothing in it shows a secret.
#[derive(Debug)]
pub struct Error {
    cause: Cause,
    run: Option<Left>,
    /// Whether a call of the run may have been carried out, and nothing shows yet what happened to it.
    is_open: bool,
}

/// A run that can be resumed.
#[derive(Debug)]
struct Left {
    run: RunId,
    next: Next,
}

/// What can be done with a run that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// It goes on.
    Resume {
        /// With the command that hands the new key over.
        by_command: bool,
    },
    /// It goes on, or is given up.
    Either {
        /// With the command that hands the new key over.
        by_command: bool,
    },
    /// It is being given up.
    Abandon,
}

impl Next {
    pub(crate) fn advice(self, run: &RunId) -> String {
        let resume = |by_command: bool| {
            let command = if by_command { " --hand-over COMMAND" } else { "" };
            format!("`venuekit keys resume {run}{command}` continues it")
        };
        match self {
            Self::Resume { by_command } => resume(by_command),
            Self::Either { by_command } => {
                format!("{}, `venuekit keys resume {run} --abandon` abandons it", resume(by_command))
            }
            Self::Abandon => format!("`venuekit keys resume {run} --abandon` continues to abandon it"),
        }
    }
}

#[derive(Debug)]
pub(crate) enum Cause {
    Venue(venuekit_transport::Error),
    Store(StoreError),
    Journal(JournalError),
    /// A task that cannot be done as it stands, and what to do instead.
    Usage {
        message: String,
        help: Option<String>,
    },
    NotFound {
        message: String,
        help: Option<String>,
    },
    /// An earlier run for the same key has not ended.
    Unfinished(RunId),
    /// No one-time code could be had.
    Code(String),
    /// The consumer did not take the new key.
    HandOver {
        why: String,
        work: Work,
    },
    /// A call that changes nothing got no response.
    NoAnswer(String),
    /// The journal of a run cannot be read.
    Unreadable {
        error: JournalError,
        help: String,
    },
    /// The venue has done something, and the store could not be told.
    NotKept {
        done: String,
        error: Box<StoreError>,
    },
    /// A key does not work.
    Fails {
        message: String,
        help: String,
    },
}

/// What kind of trouble it is, for an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Class {
    /// The venue said no.
    Refused,
    /// What was asked for makes no sense.
    Usage,
    /// There is no such key or run.
    NotFound,
    /// Something may have been carried out.
    Unknown,
    /// A person has to do something.
    NeedsPerson,
    /// The store, the journal or a credential.
    Store,
    /// The venue cannot be reached.
    Network,
    /// A check found a fault.
    Failed,
    /// Another run is in progress.
    Busy,
}

impl Error {
    pub(crate) fn new(cause: Cause) -> Self {
        Self { cause, run: None, is_open: false }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Cause::Usage { message: message.into(), help: None })
    }

    pub(crate) fn usage_with(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(Cause::Usage { message: message.into(), help: Some(help.into()) })
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(Cause::NotFound { message: message.into(), help: None })
    }

    pub(crate) fn not_found_with(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(Cause::NotFound { message: message.into(), help: Some(help.into()) })
    }

    pub(crate) fn of_run(mut self, run: &RunId, next: Next) -> Self {
        self.run.get_or_insert_with(|| Left { run: run.clone(), next });
        self
    }

    /// The same of a look-up that should have shown what became of a call whose response was lost.
    pub(crate) fn of_open_call(mut self) -> Self {
        self.is_open = true;
        self
    }

    /// The run that can be resumed.
    pub fn run(&self) -> Option<&RunId> {
        match &self.cause {
            Cause::Unfinished(run) => Some(run),
            _ => self.run.as_ref().map(|left| &left.run),
        }
    }

    /// What kind of trouble it is.
    pub fn class(&self) -> Class {
        match &self.cause {
            _ if self.is_open => Class::Unknown,
            Cause::Venue(error) if error.may_have_been_applied() => Class::Unknown,
            Cause::Venue(error) => match error.kind() {
                ErrorKind::Network | ErrorKind::Timeout => Class::Network,
                ErrorKind::Challenge => Class::NeedsPerson,
                ErrorKind::NotFound => Class::NotFound,
                _ => Class::Refused,
            },
            Cause::Store(StoreError::NotFound(_)) | Cause::NotFound { .. } => Class::NotFound,
            Cause::Journal(JournalError::NoSuchRun(_)) => Class::NotFound,
            Cause::Journal(JournalError::Busy { .. }) => Class::Busy,
            Cause::Store(_) | Cause::NotKept { .. } | Cause::Journal(_) | Cause::Unreadable { .. } => Class::Store,
            Cause::Usage { .. } => Class::Usage,
            Cause::Unfinished(_) | Cause::Code(_) | Cause::HandOver { .. } => Class::NeedsPerson,
            Cause::Fails { .. } => Class::Failed,
            Cause::NoAnswer(_) => Class::Network,
        }
    }

    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        let resume = |left: &Left| left.next.advice(&left.run);
        let code = "pass it with `--totp-fd N`, or store the seed with `venuekit totp set`";
        match (&self.cause, &self.run) {
            (Cause::Code(_), None) => Some(code.to_owned()),
            (Cause::Code(_), Some(run)) => Some(format!("{code}; {}", resume(run))),
            (Cause::NotFound { help: Some(help), .. }, None) => Some(help.clone()),
            (Cause::Usage { help, .. }, _) => help.clone(),
            (Cause::Fails { help, .. } | Cause::Unreadable { help, .. }, None) => Some(help.clone()),
            (Cause::Fails { help, .. } | Cause::NotFound { help: Some(help), .. }, Some(run)) => {
                Some(format!("{help}; {}", resume(run)))
            }
            (_, Some(run)) => Some(resume(run)),
            (_, None) => None,
        }
    }

    /// The venue's error, where it is one.
    pub fn of_venue(&self) -> Option<&venuekit_transport::Error> {
        match &self.cause {
            Cause::Venue(error) => Some(error),
            _ => None,
        }
    }

    /// The store's error, where it is one.
    pub fn of_store(&self) -> Option<&StoreError> {
        match &self.cause {
            Cause::Store(error) => Some(error),
            Cause::NotKept { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Venue(error) => error.fmt(f),
            Cause::Store(error) => error.fmt(f),
            Cause::Journal(error) | Cause::Unreadable { error, .. } => error.fmt(f),
            Cause::Usage { message, .. } | Cause::NotFound { message, .. } | Cause::Fails { message, .. } => {
                f.write_str(message)
            }
            Cause::NoAnswer(why) => f.write_str(why),
            Cause::NotKept { done, error } => write!(f, "{done}: {error}"),
            Cause::Unfinished(run) => write!(f, "an earlier run for this key has not ended: {run}"),
            Cause::Code(why) => f.write_str(why),
            Cause::HandOver { why, work } => {
                let old = match work {
                    Work::Rotate => "; the old one still works",
                    Work::RotateInPlace => "; the venue rejects the old secret already",
                    Work::Create | Work::Revoke => "",
                };
                write!(f, "the hand-over failed: {why}{old}")
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            Cause::Venue(error) => Some(error),
            Cause::Store(error) => Some(error),
            Cause::NotKept { error, .. } => Some(error),
            Cause::Journal(error) | Cause::Unreadable { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl From<venuekit_transport::Error> for Error {
    fn from(error: venuekit_transport::Error) -> Self {
        Self::new(Cause::Venue(error))
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::new(Cause::Store(error))
    }
}

impl From<JournalError> for Error {
    fn from(error: JournalError) -> Self {
        Self::new(Cause::Journal(error))
    }
}

impl From<BadReference> for Error {
    fn from(error: BadReference) -> Self {
        Self::usage(error.to_string())
    }
}
