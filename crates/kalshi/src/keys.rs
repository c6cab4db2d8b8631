//! Kalshi's key life cycle in the shared vocabulary.

use venuekit_auth::PrivateKey;
use venuekit_transport::Error;
use venuekit_transport::keys::{ApiKeys, CreatedKey, KeyInfo, NewKey, OldSecret, RotatedKey, SecretKind};
use venuekit_wire::Open;

use crate::types::{ApiKey, ApiKeyScope, ApiKeyType};
use crate::{Client, Credentials};

/// The account's API keys. See [`Client::keys`].
#[derive(Clone, Copy, Debug)]
pub struct Keys<'a>(&'a Client);

impl Client {
    /// The account's API keys, in the words that all venues share.
    pub fn keys(&self) -> Keys<'_> {
        Keys(self)
    }
}

impl ApiKeys for Keys<'_> {
    /// With [`NewKey::local`] the pair is made here and its public half registered, which Kalshi allows to the usage levels
    /// Premier and Market Maker. Otherwise Kalshi makes an Ed25519 pair.
    async fn create(&self, key: NewKey) -> Result<CreatedKey, Error> {
        let scopes = key.scopes.iter().map(|scope| scope_of(scope)).collect::<Vec<_>>();
        match key.local {
            Some(kind) => self.register(key.name, scopes, PrivateKey::generate(kind)?).await,
            None => self.generate(key.name, scopes).await,
        }
    }

    async fn list(&self) -> Result<Vec<KeyInfo>, Error> {
        let answer = self.0.get_api_keys().send().await?.into_inner();
        Ok(answer.api_keys.into_iter().map(info).collect())
    }

    /// Kalshi has no rotation: a key with the same name and scopes is made, of the same origin as far as the list tells, and the
    /// old one is deleted.
    async fn rotate(&self, id: &str) -> Result<RotatedKey, Error> {
        let keys = self.0.get_api_keys().send().await?.into_inner().api_keys;
        let Some(old) = keys.into_iter().find(|key| key.api_key_id == id) else {
            return Err(Error::invalid_request(format!("the account has no key `{id}`")));
        };
        let key = self.generate_like(old).await?;
        let old = match self.revoke(id).await {
            Ok(()) => OldSecret::Revoked,
            Err(error) => OldSecret::StillValid(error),
        };
        Ok(RotatedKey::new(key, old))
    }

    async fn revoke(&self, id: &str) -> Result<(), Error> {
        self.0.delete_api_key().api_key(id).send().await?;
        Ok(())
    }
}

impl Keys<'_> {
    async fn register(
        &self,
        name: String,
        scopes: Vec<Open<ApiKeyScope>>,
        pair: PrivateKey,
    ) -> Result<CreatedKey, Error> {
        let public = pair.public_key_pem().to_owned();
        let call = self.0.create_api_key().body_map(|body| body.name(name).public_key(public).scopes(scopes));
        let made = call.send().await?.into_inner();
        let id = made.api_key_id;
        let mut key = CreatedKey::new(id.clone(), id, pair.private_key_pem(), SecretKind::PrivateKeyPem);
        key.warning = made.warning;
        Ok(key)
    }

    async fn generate(&self, name: String, scopes: Vec<Open<ApiKeyScope>>) -> Result<CreatedKey, Error> {
        let call =
            self.0.generate_api_key().body_map(|body| body.name(name).scopes(scopes).key_type(ApiKeyType::Ed25519));
        Ok(created(call.send().await?.into_inner()))
    }

    /// A key like another one: its name, its scopes, its subaccount.
    async fn generate_like(&self, old: ApiKey) -> Result<CreatedKey, Error> {
        let call = self.0.generate_api_key().body_map(|mut body| {
            if let Some(subaccount) = old.subaccount {
                body = body.subaccount(subaccount);
            }
            if let Some(subtrader) = old.fcm_subtrader_id {
                body = body.fcm_subtrader_id(subtrader);
            }
            body.name(old.name.unwrap_or_default()).scopes(old.scopes).key_type(ApiKeyType::Ed25519)
        });
        Ok(created(call.send().await?.into_inner()))
    }
}

impl TryFrom<&CreatedKey> for Credentials {
    type Error = Error;

    fn try_from(key: &CreatedKey) -> Result<Self, Error> {
        Self::from_pem(key.public_id.clone(), key.secret.expose())
    }
}

fn scope_of(scope: &str) -> Open<ApiKeyScope> {
    scope.parse().unwrap_or_else(|never| match never {})
}

fn created(made: crate::types::GenerateApiKeyResponse) -> CreatedKey {
    let id = made.api_key_id;
    let mut key = CreatedKey::new(id.clone(), id, made.private_key, SecretKind::PrivateKeyPem);
    key.warning = made.warning;
    key
}

fn info(key: ApiKey) -> KeyInfo {
    let mut info = KeyInfo::new(key.api_key_id.clone());
    info.public_id = Some(key.api_key_id);
    info.name = key.name;
    info.scopes = key.scopes.iter().map(ToString::to_string).collect();
    info
}
