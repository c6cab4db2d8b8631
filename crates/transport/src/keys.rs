//! The life cycle of API keys, in the same words on every venue.
//!
//! Every venue crate implements [`ApiKeys`] for what its `Client::keys()` returns. The secret of a new key is shown once: store
//! [`CreatedKey::secret`] before anything else.

use std::future::Future;

use venuekit_auth::{KeyKind, PrivateKey};
use venuekit_wire::{Secret, UnixMillis};

use crate::error::Error;

/// Creates, lists, rotates and revokes API keys.
///
/// The trait is open: implement it for your own venue, or for a test. A method that is added later has a default.
pub trait ApiKeys {
    /// Makes a key.
    ///
    /// Never repeat a call whose outcome is unknown ([`Error::may_have_been_applied`]): list the keys, and look for the name.
    ///
    /// # Errors
    /// The venue's refusal, or a wish that the venue cannot meet.
    fn create(&self, key: NewKey) -> impl Future<Output = Result<CreatedKey, Error>> + Send;

    /// The account's keys, without their secrets.
    ///
    /// # Errors
    /// The venue's refusal.
    fn list(&self) -> impl Future<Output = Result<Vec<KeyInfo>, Error>> + Send;

    /// Gives a key a new secret. Where a venue cannot do that, a key with the same name and permissions is made and the old one
    /// is revoked.
    ///
    /// # Errors
    /// The venue's refusal. Where a key is made, also a list that does not show the permissions of the old one, or a limit that no new key
    /// can be given: then nothing was changed. Once there is a new secret it is returned, whatever happens to the old one.
    fn rotate(&self, id: &str) -> impl Future<Output = Result<RotatedKey, Error>> + Send;

    /// Changes a key, and returns it as the venue shows it afterwards.
    ///
    /// # Errors
    /// The venue's refusal, or a wish that the venue cannot meet. A change that was accepted and is not shown is an error too, of which
    /// [`Error::may_have_been_applied`] is true.
    fn edit(&self, id: &str, edit: KeyEdit) -> impl Future<Output = Result<KeyInfo, Error>> + Send {
        let _ = edit;
        let refused = Error::invalid_request(format!("the key `{id}` cannot be changed here"));
        std::future::ready(Err(refused))
    }

    /// Ends a key for good.
    ///
    /// # Errors
    /// The venue's refusal.
    fn revoke(&self, id: &str) -> impl Future<Output = Result<(), Error>> + Send;
}

/// A key to be made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewKey {
    /// A label. Unique names make it possible to find a key whose response was lost.
    pub name: String,
    /// Permissions, in the venue's own words. None: what the venue gives by default. An empty list is refused where it would come to the
    /// same.
    pub scopes: Option<Vec<String>>,
    /// Make the key pair here and register its public half, so that no secret crosses the wire. Kalshi and Deribit take that.
    pub local: Option<KeyKind>,
    /// The same with a pair that was made, and stored, before.
    pub pair: Option<PrivateKey>,
    /// The id of a key whose restrictions the new one gets beyond its scopes: a subaccount of Kalshi's, or that a key of Bybit's only
    /// reads. Scopes and addresses are those of that key too, unless others are named.
    pub like: Option<String>,
    /// The sub-account that the key is of, where a venue makes keys of sub-accounts.
    pub sub_account: Option<String>,
    /// The addresses that the key may be used from, where a venue takes them with a new key. None: any.
    pub addresses: Vec<String>,
}

impl NewKey {
    /// A key of this name.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            scopes: None,
            local: None,
            pair: None,
            like: None,
            sub_account: None,
            addresses: Vec::new(),
        }
    }

    /// With these permissions, and no others.
    #[must_use]
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// With a key pair that is made here.
    #[must_use]
    pub fn local(mut self, kind: KeyKind) -> Self {
        self.local = Some(kind);
        self
    }

    /// With a key pair that was made before. Its secret half can be stored before its public half is registered, so that nothing
    /// is lost with the response.
    #[must_use]
    pub fn pair(mut self, pair: PrivateKey) -> Self {
        self.pair = Some(pair);
        self
    }

    /// With the restrictions of another key, and with its scopes and addresses unless others are named.
    #[must_use]
    pub fn like(mut self, id: impl Into<String>) -> Self {
        self.like = Some(id.into());
        self
    }

    /// For this sub-account.
    #[must_use]
    pub fn sub_account(mut self, id: impl Into<String>) -> Self {
        self.sub_account = Some(id.into());
        self
    }

    /// Bound to these addresses.
    #[must_use]
    pub fn addresses<S: Into<String>>(mut self, addresses: impl IntoIterator<Item = S>) -> Self {
        self.addresses = addresses.into_iter().map(Into::into).collect();
        self
    }

    /// The pair to register, made now where none was given; none where the venue is to make the secret.
    ///
    /// # Errors
    /// The system has no randomness.
    #[doc(hidden)]
    pub fn take_pair(&mut self) -> Result<Option<PrivateKey>, Error> {
        match self.pair.take() {
            Some(pair) => Ok(Some(pair)),
            None => Ok(self.local.map(PrivateKey::generate).transpose()?),
        }
    }
}

/// What is to change of a key. What is not named stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyEdit {
    /// Its label.
    pub name: Option<String>,
    /// Its permissions, in the venue's own words, in place of all that it has.
    pub scopes: Option<Vec<String>>,
    /// The addresses that it may be used from, in place of those that it is bound to. An empty list: any.
    pub addresses: Option<Vec<String>>,
}

impl KeyEdit {
    /// No change.
    pub fn new() -> Self {
        Self::default()
    }

    /// With this label.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// With these permissions.
    #[must_use]
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Bound to these addresses.
    #[must_use]
    pub fn addresses<S: Into<String>>(mut self, addresses: impl IntoIterator<Item = S>) -> Self {
        self.addresses = Some(addresses.into_iter().map(Into::into).collect());
        self
    }

    /// Whether nothing is to change.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A key that was just made, with its secret.
#[derive(Clone, Debug)]
#[must_use = "the secret is shown this once"]
#[non_exhaustive]
pub struct CreatedKey {
    /// What [`ApiKeys::rotate`] and [`ApiKeys::revoke`] take.
    pub id: String,
    /// What identifies the caller in requests: Kalshi's key id, Bayse's public key, Yativo's API key, Deribit's client id.
    pub public_id: String,
    /// What proves it: a private key as PEM, or a shared secret.
    pub secret: Secret,
    /// Which of the two it is.
    pub kind: SecretKind,
    /// What the venue warns of.
    pub warning: Option<String>,
}

impl CreatedKey {
    /// A key that a venue has returned.
    pub fn new(id: impl Into<String>, public_id: impl Into<String>, secret: Secret, kind: SecretKind) -> Self {
        Self { id: id.into(), public_id: public_id.into(), secret, kind, warning: None }
    }
}

/// What the secret of a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretKind {
    /// A private key as PEM.
    PrivateKeyPem,
    /// A text that the venue knows too.
    Shared,
}

/// A key after its rotation.
#[derive(Debug)]
#[must_use = "the new secret is shown this once"]
#[non_exhaustive]
pub struct RotatedKey {
    /// The key with its new secret.
    pub key: CreatedKey,
    /// What became of the old secret.
    pub old: OldSecret,
}

impl RotatedKey {
    /// A key that was rotated.
    pub fn new(key: CreatedKey, old: OldSecret) -> Self {
        Self { key, old }
    }
}

/// What became of the secret that a rotation replaced.
#[derive(Debug)]
#[non_exhaustive]
pub enum OldSecret {
    /// It was replaced, and fails from now on.
    Replaced,
    /// The old key was revoked.
    Revoked,
    /// The old key could not be revoked and still works: revoke it by its id.
    StillValid(Error),
}

/// A key as a list shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyInfo {
    /// What [`ApiKeys::rotate`] and [`ApiKeys::revoke`] take.
    pub id: String,
    /// What identifies the caller in requests, where the list shows it.
    pub public_id: Option<String>,
    /// Its label.
    pub name: Option<String>,
    /// Its permissions, in the venue's own words.
    pub scopes: Vec<String>,
    /// What else limits it, in words: a subaccount, addresses that it may be used from.
    pub restrictions: Vec<String>,
    /// The addresses that it may be used from, where a venue shows them as such. They are among the restrictions too.
    pub addresses: Vec<String>,
    /// Whether it works, where the list says so.
    pub enabled: Option<bool>,
    /// The venue's own word for its state, such as `revoked`, where the list has one.
    pub status: Option<String>,
    /// The public half of a key pair as PEM, where the list shows it.
    pub public_key: Option<String>,
    /// When it was made, where the list says so.
    pub created: Option<UnixMillis>,
    /// When it ends, where the list says so.
    pub expires: Option<UnixMillis>,
    /// When it was used last, where the list says so.
    pub last_used: Option<UnixMillis>,
    /// The sub-account that it is of, where keys are listed by sub-accounts.
    pub sub_account: Option<String>,
}

impl KeyInfo {
    /// A key of this id, of which nothing else is known.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), ..Self::default() }
    }
}
