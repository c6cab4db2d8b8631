//! Bayse's key life cycle in the shared vocabulary.

use venuekit_transport::Error;
use venuekit_transport::keys::{ApiKeys, CreatedKey, KeyInfo, NewKey, OldSecret, RotatedKey, SecretKind};

use crate::types::ApiKey;
use crate::{Client, Credentials, operations};

/// The account's API keys. See [`Client::keys`].
#[derive(Clone, Copy, Debug)]
pub struct Keys<'a>(&'a Client);

impl Client {
    /// The account's API keys, with the interface that all venues share. Needs a session.
    pub fn keys(&self) -> Keys<'_> {
        Keys(self)
    }
}

impl ApiKeys for Keys<'_> {
    /// Bayse keys have no scopes, and Bayse makes the secret itself: a wish for either is refused before anything is sent.
    async fn create(&self, key: NewKey) -> Result<CreatedKey, Error> {
        let own = key.local.is_some() || key.pair.is_some();
        if !key.scopes.is_empty() || own || key.like.is_some() {
            return Err(Error::invalid_request("Bayse keys have no scopes, and Bayse takes no key pair"));
        }
        let made = self.0.create_api_key().name(key.name).send().await?.into_inner();
        CreatedKey::new(made.id, made.public_key, made.secret_key, SecretKind::Shared).whole(operations::CREATE_API_KEY)
    }

    async fn list(&self) -> Result<Vec<KeyInfo>, Error> {
        let answer = self.0.list_api_keys().send().await?.into_inner();
        let shown = answer.keys.len();
        match answer.total.and_then(|total| usize::try_from(total).ok()) {
            // A caller that looks for a key must not take a partial list for a complete one.
            Some(total) if total > shown => {
                let message = format!("the response shows {shown} of {total} keys");
                Err(Error::incomplete(operations::LIST_API_KEYS, message))
            }
            _ => Ok(answer.keys.into_iter().map(info).collect()),
        }
    }

    /// The public key is compared first: it stays, and the response may omit it.
    async fn rotate(&self, id: &str) -> Result<RotatedKey, Error> {
        let Some(known) = self.list().await?.into_iter().find(|key| key.id == id) else {
            return Err(Error::invalid_request(format!("the account has no key `{id}`")));
        };
        let made = self.0.rotate_api_key().key_id(id).send().await?.into_inner();
        let row = operations::ROTATE_API_KEY;
        if made.id != id {
            let message =
                "the venue has replaced a secret, and its response is about another key: rotate the key again";
            return Err(Error::incomplete(row, message));
        }
        let public = made.public_key.filter(|public| !public.is_empty()).or(known.public_id).unwrap_or_default();
        let key = CreatedKey::new(made.id, public, made.secret_key, SecretKind::Shared).whole(row)?;
        Ok(RotatedKey::new(key, OldSecret::Replaced))
    }

    async fn revoke(&self, id: &str) -> Result<(), Error> {
        self.0.revoke_api_key().key_id(id).send().await?;
        Ok(())
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
