//! The events of a run.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// Something that a run has done, or waits for. Nothing in it is secret.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A pair was made here.
    Made {
        /// Its algorithm.
        algorithm: String,
    },
    /// Some clients of the venue cannot sign with the key pair that was made.
    Unsupported {
        /// Its algorithm.
        algorithm: String,
        /// Those clients.
        clients: String,
    },
    /// The venue takes no pair of ours.
    VenueMakes {
        /// What it said.
        why: String,
    },
    /// The secret is in the store.
    Stored {
        /// Under this name.
        reference: String,
    },
    /// The venue has the key.
    Registered {
        /// What revoking takes.
        id: String,
    },
    /// The key has the venue's default permissions, since none were asked for.
    Scopes {
        /// Those.
        scopes: Vec<String>,
    },
    /// A signed call got a response.
    Verified {
        /// How long that took.
        millis: u64,
        /// What the venue refuses the key although it knows it.
        refused: Option<String>,
    },
    /// The new key is the one to use, and the consumer has acknowledged it.
    HandedOver,
    /// A key was revoked.
    Revoked {
        /// Its id.
        id: String,
    },
    /// A key whose secret was lost with its response was found by its name and revoked.
    Orphan {
        /// Its id.
        id: String,
    },
    /// A key whose response was lost was found by its name.
    Found {
        /// Its id.
        id: String,
    },
    /// The old key has ended.
    Proved {
        /// By a call that it signed and that failed; otherwise by the account's list, which does not have it.
        tried: bool,
    },
    /// A person has seen at the venue that the old key has ended.
    Confirmed {
        /// Its id.
        id: String,
    },
    /// The secret was replaced.
    Replaced {
        /// The key's id.
        id: String,
    },
    /// The venue refused, and what was prepared is removed.
    Undone,
    /// An earlier run is taken up again.
    Resumed {
        /// Its name.
        run: String,
    },
    /// Something is waited for.
    Waiting {
        /// What for.
        what: &'static str,
        /// How long until the next attempt.
        #[serde(rename = "millis", serialize_with = "millis")]
        next: Duration,
    },
    /// The outcome of a call is unknown.
    Unknown {
        /// What came instead of a response.
        why: String,
    },
    /// A call whose response was lost was not seen to come through. It still may.
    Late {
        /// Where.
        account: String,
        /// The name of the key that it would make.
        name: String,
    },
    /// The account has as many keys as the venue says that it allows.
    Full {
        /// How many those are.
        most: usize,
    },
    /// Something to know that stops nothing.
    Warning {
        /// Its sentence.
        text: String,
    },
}

fn millis<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

impl Event {
    /// One word for the step, as it stands at the beginning of a line.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Made { .. } => "generated",
            Self::VenueMakes { .. } => "changed",
            Self::Stored { .. } => "stored",
            Self::Registered { .. } => "registered",
            Self::Scopes { .. } => "scopes",
            Self::Verified { .. } => "verified",
            Self::HandedOver => "hand-over",
            Self::Revoked { .. } => "revoked",
            Self::Orphan { .. } => "cleaned up",
            Self::Found { .. } => "found",
            Self::Proved { .. } => "proved",
            Self::Confirmed { .. } => "confirmed",
            Self::Replaced { .. } => "replaced",
            Self::Undone => "undone",
            Self::Resumed { .. } => "resumed",
            Self::Waiting { .. } => "waiting",
            Self::Unknown { .. } => "unknown",
            Self::Late { .. } | Self::Full { .. } | Self::Unsupported { .. } => "note",
            Self::Warning { .. } => "warning",
        }
    }
}

/// The rest of the line.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Made { algorithm } => {
                write!(f, "{algorithm} key pair locally; the private key never leaves this machine")
            }
            Self::Unsupported { algorithm, clients } => {
                write!(f, "{clients} cannot sign with {algorithm}; for those create the key with --kind rsa2048")
            }
            Self::VenueMakes { why } => {
                write!(f, "the venue does not accept the local key pair ({why}); it generates the key itself")
            }
            Self::Stored { reference } => f.write_str(reference),
            Self::Registered { id } | Self::Revoked { id } => f.write_str(id),
            Self::Scopes { scopes } => {
                write!(f, "{}: the venue's default, as none was named", scopes.join(", "))
            }
            Self::Verified { millis, refused: None } => write!(f, "signed call took {millis} ms"),
            Self::Verified { millis, refused: Some(what) } => {
                write!(f, "signature accepted in {millis} ms; the call itself is not allowed to this key ({what})")
            }
            Self::HandedOver => f.write_str("handed over; the old key can be revoked"),
            Self::Orphan { id } => write!(f, "{id}: nobody has its secret; revoked"),
            Self::Found { id } => write!(f, "{id}: its response was lost, and the store has its secret"),
            Self::Proved { tried: true } => f.write_str("the venue rejects the old key"),
            Self::Proved { tried: false } => f.write_str("the account's list no longer has it"),
            Self::Confirmed { id } => write!(f, "{id}: revoked, as a person has seen at the venue; no call proves it"),
            Self::Replaced { id } => write!(f, "{id}: new secret; the venue rejects the old one from now on"),
            Self::Undone => f.write_str("local changes were rolled back; the venue has changed nothing"),
            Self::Resumed { run } => f.write_str(run),
            Self::Waiting { what, next } => write!(f, "{what}; next attempt in {:.1} s", next.as_secs_f32()),
            Self::Unknown { why } => write!(f, "{why}; checking what became of the call"),
            Self::Late { account, name } => write!(
                f,
                "if `venuekit keys list {account}` ever shows a {name} that is not stored here, revoke it: `venuekit keys revoke {account} --id ID`"
            ),
            Self::Full { most } => {
                write!(f, "the account has {most} keys, which is the most that the venue allows: revoke one first")
            }
            Self::Warning { text } => f.write_str(text),
        }
    }
}
