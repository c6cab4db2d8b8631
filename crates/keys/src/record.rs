//! What is stored of a key.

use serde::{Deserialize, Serialize};
use venuekit_transport::keys::SecretKind;
use venuekit_wire::{Secret, UnixSeconds};

use crate::Credential;
use crate::reference::Reference;

/// The newest form of a stored record that this version reads, and the one that it writes.
pub const SCHEMA: u32 = 1;

/// All that is stored under one name: one key, or two while one takes the other's place.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its name.
    pub reference: Reference,
    /// Its keys, oldest first.
    pub keys: Vec<StoredKey>,
}

/// One key with its secret.
#[derive(Clone, Debug)]
pub struct StoredKey {
    /// Its name at the venue, such as `bot-7f3a`.
    pub label: String,
    /// What revoking takes, once it is known.
    pub id: Option<String>,
    /// What identifies the caller in requests, once it is known.
    pub public_id: Option<String>,
    /// What the secret is.
    pub kind: Kind,
    /// The secret itself. Empty where a place is kept for one that the venue is about to make.
    pub secret: Secret,
    /// Permissions, in the venue's own words.
    pub scopes: Vec<String>,
    /// When it was made.
    pub made: UnixSeconds,
    /// How far it has come.
    pub state: State,
    /// The venue's family of keys that it is of, where that is not the first.
    pub family: Option<String>,
}

// Two secrets are compared where their texts are: nobody but the owner of a store can have one compared.
impl PartialEq for StoredKey {
    fn eq(&self, other: &Self) -> bool {
        let public = |key: &Self| {
            let key = key.clone();
            (key.label, key.id, key.public_id, key.kind, key.scopes, key.made, key.state, key.family)
        };
        public(self) == public(other) && self.secret.expose() == other.secret.expose()
    }
}

/// What a stored secret is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A private key as PEM.
    PrivateKeyPem,
    /// A text that the venue knows too.
    Shared,
    /// A session of Bayse's: its token, with the device id as the public id.
    Session,
}

impl From<SecretKind> for Kind {
    fn from(kind: SecretKind) -> Self {
        match kind {
            SecretKind::PrivateKeyPem => Self::PrivateKeyPem,
            _ => Self::Shared,
        }
    }
}

/// How far a stored key has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Not known to the venue as far as we know: a pair whose public half is about to be registered, or a place that is kept.
    Prepared,
    /// The venue has it; not verified yet.
    Stored,
    /// The one to use.
    Active,
    /// Replaced, and about to be revoked.
    Retiring,
}

impl StoredKey {
    /// What a client is made from, once the venue has named the key.
    pub fn credential(&self) -> Option<Credential> {
        let public_id = self.public_id.clone()?;
        let secret = self.secret.clone();
        if secret.is_empty() {
            return None;
        }
        Some(match self.kind {
            Kind::PrivateKeyPem => Credential::Key { public_id, secret, kind: SecretKind::PrivateKeyPem },
            Kind::Shared => Credential::Key { public_id, secret, kind: SecretKind::Shared },
            Kind::Session => Credential::Session { token: secret, device_id: public_id.into() },
        })
    }
}

impl Record {
    /// A record without keys.
    pub fn new(reference: Reference) -> Self {
        Self { reference, keys: Vec::new() }
    }

    /// The key to use.
    pub fn active(&self) -> Option<&StoredKey> {
        self.keys.iter().find(|key| key.state == State::Active)
    }

    /// The key to use, or while a change of it is unfinished one that the venue has.
    pub fn usable(&self) -> Option<&StoredKey> {
        let ready =
            |state: State| self.keys.iter().rev().find(move |key| key.state == state && key.credential().is_some());
        self.active().or_else(|| ready(State::Stored)).or_else(|| ready(State::Retiring))
    }

    /// The family of the keys, where that is not the venue's first. All keys of a record are of one.
    pub fn family(&self) -> Option<&str> {
        self.keys.iter().find_map(|key| key.family.as_deref())
    }

    /// The key with this name at the venue.
    pub fn labelled(&self, label: &str) -> Option<&StoredKey> {
        self.keys.iter().find(|key| key.label == label)
    }

    /// Takes a key in, in place of the one with the same name at the venue.
    pub fn keep(&mut self, key: StoredKey) {
        match self.keys.iter_mut().find(|kept| kept.label == key.label) {
            Some(kept) => *kept = key,
            None => self.keys.push(key),
        }
    }

    /// The record as a store keeps it. It holds the secret.
    pub fn to_secret(&self) -> Secret {
        let text = serde_json::to_string(&Sealed::from(self)).unwrap_or_default();
        Secret::new(text)
    }

    /// Reads what [`to_secret`](Self::to_secret) wrote.
    ///
    /// # Errors
    /// A text of a newer version, or one that is damaged.
    pub fn from_secret(text: &Secret) -> Result<Self, Unreadable> {
        let version: Version = serde_json::from_str(text.expose()).map_err(|error| Unreadable::damaged(&error))?;
        if version.schema > SCHEMA {
            return Err(Unreadable::Newer(version.schema));
        }
        let sealed: Sealed = serde_json::from_str(text.expose()).map_err(|error| Unreadable::damaged(&error))?;
        Self::try_from(sealed)
    }
}

/// Why a stored text is not a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// A newer version wrote it; the number is its schema's.
    Newer(u32),
    /// It is damaged. The sentence quotes nothing of it.
    Damaged(String),
}

impl Unreadable {
    /// Where it is damaged; what is there may be the secret.
    pub(crate) fn damaged(error: &serde_json::Error) -> Self {
        Self::Damaged(format!("line {}, column {}", error.line(), error.column()))
    }
}

#[derive(Deserialize)]
pub(crate) struct Version {
    pub(crate) schema: u32,
}

/// The stored form. Apart from the public types, so that those cannot be serialized by mistake.
#[derive(Serialize, Deserialize)]
struct Sealed {
    schema: u32,
    reference: String,
    keys: Vec<SealedKey>,
}

#[derive(Serialize, Deserialize)]
struct SealedKey {
    label: String,
    id: Option<String>,
    public_id: Option<String>,
    kind: Kind,
    secret: Secret,
    scopes: Vec<String>,
    made: UnixSeconds,
    state: State,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    family: Option<String>,
}

impl From<&Record> for Sealed {
    fn from(record: &Record) -> Self {
        let sealed = |key: &StoredKey| {
            let StoredKey { label, id, public_id, kind, secret, scopes, made, state, family } = key.clone();
            SealedKey { label, id, public_id, kind, secret, scopes, made, state, family }
        };
        Self { schema: SCHEMA, reference: record.reference.to_string(), keys: record.keys.iter().map(sealed).collect() }
    }
}

impl TryFrom<Sealed> for Record {
    type Error = Unreadable;

    fn try_from(sealed: Sealed) -> Result<Self, Unreadable> {
        let reference = sealed.reference.parse().map_err(|_| Unreadable::Damaged("the key's name".to_owned()))?;
        let open = |key: SealedKey| {
            let SealedKey { label, id, public_id, kind, secret, scopes, made, state, family } = key;
            StoredKey { label, id, public_id, kind, secret, scopes, made, state, family }
        };
        Ok(Self { reference, keys: sealed.keys.into_iter().map(open).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let key = StoredKey {
            label: "bot-7f3a".into(),
            id: Some("1".into()),
            public_id: None,
            kind: Kind::PrivateKeyPem,
            secret: Secret::new("MARKER"),
            scopes: vec!["read".into()],
            made: UnixSeconds(1),
            state: State::Prepared,
            family: Some("margin".into()),
        };
        Record { reference: "kalshi/demo/bot".parse().unwrap(), keys: vec![key] }
    }

    #[test]
    fn it_reads_what_it_writes() {
        assert_eq!(Record::from_secret(&record().to_secret()).unwrap(), record());
    }

    #[test]
    fn a_newer_or_damaged_one_is_told_apart_and_not_quoted() {
        let text = record().to_secret().expose().to_owned();
        let newer = text.replace("\"schema\":1", "\"schema\":2");
        assert_eq!(Record::from_secret(&newer.into()), Err(Unreadable::Newer(2)));
        for end in 0..text.len() {
            let error = Record::from_secret(&text[..end].into()).unwrap_err();
            assert!(matches!(error, Unreadable::Damaged(_)) && !format!("{error:?}").contains("MARKER"), "{error:?}");
        }
        let misplaced = text.replace("1,\"state\"", "\"MARKER\",\"state\"");
        assert_ne!(misplaced, text);
        assert!(!format!("{:?}", Record::from_secret(&misplaced.into())).contains("MARKER"));
    }

    #[test]
    fn debug_does_not_show_the_secret() {
        assert!(!format!("{:?}", record()).contains("MARKER"));
    }
}
