//! Bayse's key life cycle in the shared vocabulary.

use venuekit_transport::Error;
use venuekit_transport::keys::{ApiKeys, CreatedKey, KeyInfo, NewKey, OldSecret, RotatedKey, SecretKind};

use crate::types::ApiKey;
use crate::{Client, Credentials};

/// The account's API keys. See [`Client::keys`].
#[derive(Clone, Copy, Debug)]
pub struct Keys<'a>(&'a Client);

impl Client {
    /// The account's API keys, in the words that all venues share. Needs a session.
    pub fn keys(&self) -> Keys<'_> {
        Keys(self)
    }
}

impl ApiKeys for Keys<'_> {
    /// Bayse keys have no scopes, and Bayse makes the secret itself: a wish for either is refused before anything is sent.
    async fn create(&self, key: NewKey) -> Result<CreatedKey, Error> {
        let own = key.local.is_some() || key.pair.is_some();
        if !key.scopes.is_empty() || own || key.like.is_some() {
            return Err(Error::invalid_request("Bayse keys have no scopes, and no key pair of one's own"));
        }
        let made = self.0.create_api_key().body_map(|body| body.name(key.name)).send().await?.into_inner();
        Ok(CreatedKey::new(made.id, made.public_key, made.secret_key, SecretKind::Shared))
    }

    async fn list(&self) -> Result<Vec<KeyInfo>, Error> {
        let answer = self.0.list_api_keys().send().await?.into_inner();
        Ok(answer.keys.into_iter().map(info).collect())
    }

    async fn rotate(&self, id: &str) -> Result<RotatedKey, Error> {
        let made = self.0.rotate_api_key().key_id(id).send().await?.into_inner();
        // The public key does not change, and an answer may leave it out. The new secret comes first: it is not lost if the
        // list cannot be had.
        let public = match made.public_key {
            Some(public) => public,
            None => self.public_key_of(id).await.unwrap_or_default(),
        };
        let key = CreatedKey::new(made.id, public, made.secret_key, SecretKind::Shared);
        Ok(RotatedKey::new(key, OldSecret::Replaced))
    }

    async fn revoke(&self, id: &str) -> Result<(), Error> {
        self.0.revoke_api_key().key_id(id).send().await?;
        Ok(())
    }
}

impl Keys<'_> {
    async fn public_key_of(&self, id: &str) -> Option<String> {
        let keys = self.list().await.ok()?;
        keys.into_iter().find(|key| key.id == id)?.public_id
    }
}

impl TryFrom<&CreatedKey> for Credentials {
    type Error = Error;

    fn try_from(key: &CreatedKey) -> Result<Self, Error> {
        Self::api_key(key.public_id.clone(), key.secret.clone())
    }
}

fn info(key: ApiKey) -> KeyInfo {
    let mut info = KeyInfo::new(key.id);
    info.public_id = key.public_key;
    info.name = key.name;
    info.enabled = Some(true);
    info.created = key.created_at.and_then(|at| at.millis());
    info
}
