//! What can be done with keys, and how it ends.

use serde::{Deserialize, Serialize};
use venuekit_auth::KeyKind;

use crate::journal::RunId;
use crate::reference::Reference;

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Task {
    /// A key is to be made.
    Create(Create),
    /// A key is to take another one's place.
    Rotate(Rotate),
    /// A key is to end.
    Revoke(Revoke),
}

/// A key to be made.
#[derive(Clone, Debug)]
pub struct Create {
    /// What it is to be called in the store. At the venue its name ends in a tag of the run's.
    pub reference: Reference,
    /// Permissions, in the venue's own words. None: what the venue gives by default.
    pub scopes: Vec<String>,
    /// The sub-account that the key is of, where a venue makes keys of sub-accounts. None: the only one.
    pub sub_account: Option<String>,
    /// The addresses that the key may be used from, where a venue takes them with a new key. None: any.
    pub addresses: Vec<String>,
    /// Who makes the secret.
    pub origin: Origin,
    /// The consumer takes the key over by a command of the caller's, and the caller who resumes the run is notified.
    pub by_command: bool,
}

/// A key that is to be replaced.
#[derive(Clone, Debug)]
pub struct Rotate {
    /// What it is called in the store.
    pub reference: Reference,
    /// Permissions of the new key. None: those of the old one, as the venue shows them.
    pub scopes: Option<Vec<String>>,
    /// Who makes the secret.
    pub origin: Origin,
    /// Give the key itself a new secret. The old one fails at once, before anybody has the new one; but the key keeps its id, its
    /// restrictions and its place among the keys that the venue allows.
    pub in_place: bool,
    /// The consumer takes the key over by a command of the caller's, and the caller who resumes the run is notified.
    pub by_command: bool,
}

/// A key that is to end.
#[derive(Clone, Debug)]
pub struct Revoke {
    /// The key.
    pub target: Target,
    /// Do so even where it is the last key that the account is known to have.
    pub last: bool,
}

/// Which key is to end.
#[derive(Clone, Debug)]
pub enum Target {
    /// A stored one.
    Stored(Reference),
    /// One that the venue lists, by its id there or by what identifies it in requests.
    Listed(String),
}

/// Who makes the secret of a new key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// This machine where the venue takes a public half, with Ed25519 or the kind of the pair that is replaced; the venue otherwise.
    #[default]
    Best,
    /// This machine, with a pair of this kind.
    Here(#[serde(with = "kind")] KeyKind),
    /// The venue.
    Venue,
}

/// Key kinds by their names, as the journal has them.
mod kind {
    use serde::{Deserialize, Deserializer, Serializer};
    use venuekit_auth::KeyKind;

    const NAMES: [(KeyKind, &str); 4] = [
        (KeyKind::Ed25519, "ed25519"),
        (KeyKind::Rsa2048, "rsa2048"),
        (KeyKind::Rsa3072, "rsa3072"),
        (KeyKind::Rsa4096, "rsa4096"),
    ];

    pub(super) fn serialize<S: Serializer>(kind: &KeyKind, serializer: S) -> Result<S::Ok, S::Error> {
        let name = NAMES.iter().find(|(known, _)| known == kind).map_or("ed25519", |(_, name)| name);
        serializer.serialize_str(name)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<KeyKind, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = NAMES.iter().find(|(_, name)| *name == text).map(|(kind, _)| *kind);
        known.ok_or_else(|| serde::de::Error::custom("an unknown kind of key"))
    }
}

/// What a run has set out to do, as its journal keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What is to be done.
    pub work: Work,
    /// The venue's name and the environment's, with a slash between.
    pub account: String,
    /// The stored key, where there is one.
    pub reference: Option<String>,
    /// The new key's name at the venue.
    pub label: String,
    /// The new key's permissions.
    pub scopes: Vec<String>,
    /// Who makes its secret.
    pub origin: Origin,
    /// The key that is to end.
    pub old: Option<OldKey>,
    /// The consumer takes the new key over by a command of the caller's.
    #[serde(default)]
    pub by_command: bool,
    /// The sub-account that the new key is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_account: Option<String>,
    /// The addresses that the new key may be used from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// The family of the keys, where that is not the venue's first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
}

/// What a run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// It makes a key.
    Create,
    /// It makes a key and revokes another.
    Rotate,
    /// It gives a key a new secret.
    RotateInPlace,
    /// It revokes a key.
    Revoke,
}

/// A key that is to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldKey {
    /// Its name at the venue, where it is stored.
    pub label: Option<String>,
    /// What revoking takes.
    pub id: String,
    /// Whether it has restrictions that the new key is to get.
    pub restricted: bool,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// All was done.
    Done(Report),
    /// A person has to do something first. The run can be resumed then.
    NeedsPerson(NeedsPerson),
}

/// What was done.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The run.
    pub run: RunId,
    /// The stored key, where there is one.
    pub reference: Option<String>,
    /// The key's name at the venue.
    pub label: Option<String>,
    /// What revoking takes.
    pub id: Option<String>,
    /// What identifies the caller in requests.
    pub public_id: Option<String>,
    /// The key that was revoked, by its id.
    pub revoked: Option<String>,
}

/// What a person has to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NeedsPerson {
    /// The run that waits.
    pub run: RunId,
    /// How things stand.
    pub what: String,
    /// What to do.
    pub how: String,
}

/// What a run would do.
#[derive(Clone, Debug, Serialize)]
pub struct Preview {
    /// The steps, in order.
    pub steps: Vec<String>,
    /// What to think about first.
    pub warnings: Vec<String>,
}
