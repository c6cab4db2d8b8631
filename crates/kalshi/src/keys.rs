//! Kalshi's key life cycle in the shared vocabulary.

use venuekit_auth::PrivateKey;
use venuekit_transport::Error;
use venuekit_transport::keys::{ApiKeys, CreatedKey, KeyInfo, NewKey, OldSecret, RotatedKey, SecretKind};
use venuekit_wire::Open;

use crate::types::{ApiKey, ApiKeyScope, ApiKeyType};
use crate::{Client, Credentials, operations};

/// The account's API keys. See [`Client::keys`].
#[derive(Clone, Copy, Debug)]
pub struct Keys<'a>(&'a Client);

impl Client {
    /// The account's API keys, with the interface that all venues share.
    pub fn keys(&self) -> Keys<'_> {
        Keys(self)
    }
}

impl ApiKeys for Keys<'_> {
    /// With [`NewKey::local`] the pair is made here, with [`NewKey::pair`] it was made before, and its public half is registered,
    /// which Kalshi allows to the usage levels Premier and Market Maker. Otherwise Kalshi makes an Ed25519 pair.
    async fn create(&self, mut key: NewKey) -> Result<CreatedKey, Error> {
        let pair = key.take_pair()?;
        let mut wanted = match &key.like {
            Some(id) => self.get(id).await?,
            None => Wanted::default(),
        };
        wanted.name = key.name;
        if !key.scopes.is_empty() {
            wanted.scopes = key.scopes.iter().map(|scope| scope_of(scope)).collect();
        }
        match pair {
            Some(pair) => self.register(wanted, pair).await,
            None => self.generate(wanted).await,
        }
    }

    async fn list(&self) -> Result<Vec<KeyInfo>, Error> {
        let answer = self.0.get_api_keys().send().await?.into_inner();
        Ok(answer.api_keys.into_iter().map(info).collect())
    }

    /// Kalshi has no rotation: a key with the same name and scopes is made, of the same origin as far as the list shows, and the
    /// old one is deleted.
    async fn rotate(&self, id: &str) -> Result<RotatedKey, Error> {
        let key = self.generate(self.get(id).await?).await?;
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

/// A key to be made, with all that Kalshi can restrict it to.
#[derive(Default)]
struct Wanted {
    name: String,
    scopes: Vec<Open<ApiKeyScope>>,
    subaccount: Option<i64>,
    subtrader: Option<String>,
}

impl Keys<'_> {
    /// What a key of the account has.
    async fn get(&self, id: &str) -> Result<Wanted, Error> {
        let keys = self.0.get_api_keys().send().await?.into_inner().api_keys;
        let Some(key) = keys.into_iter().find(|key| key.api_key_id == id) else {
            return Err(Error::invalid_request(format!("the account has no key `{id}`")));
        };
        Ok(Wanted {
            name: key.name.unwrap_or_default(),
            scopes: key.scopes,
            subaccount: key.subaccount,
            subtrader: key.fcm_subtrader_id,
        })
    }

    async fn register(&self, wanted: Wanted, pair: PrivateKey) -> Result<CreatedKey, Error> {
        let public = pair.public_key_pem().to_owned();
        let mut call = self.0.create_api_key().name(wanted.name).public_key(public).scopes(wanted.scopes);
        if let Some(subaccount) = wanted.subaccount {
            call = call.subaccount(subaccount);
        }
        if let Some(subtrader) = wanted.subtrader {
            call = call.fcm_subtrader_id(subtrader);
        }
        let made = call.send().await?.into_inner();
        let id = made.api_key_id;
        let mut key = CreatedKey::new(id.clone(), id, pair.private_key_pem(), SecretKind::PrivateKeyPem);
        key.warning = made.warning;
        key.whole(operations::CREATE_API_KEY)
    }

    async fn generate(&self, wanted: Wanted) -> Result<CreatedKey, Error> {
        let call = self.0.generate_api_key().name(wanted.name).scopes(wanted.scopes);
        let mut call = call.key_type(ApiKeyType::Ed25519);
        if let Some(subaccount) = wanted.subaccount {
            call = call.subaccount(subaccount);
        }
        if let Some(subtrader) = wanted.subtrader {
            call = call.fcm_subtrader_id(subtrader);
        }
        created(call.send().await?.into_inner()).whole(operations::GENERATE_API_KEY)
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
    info.public_id = Some(key.api_key_id.into());
    info.name = key.name;
    info.scopes = key.scopes.iter().map(ToString::to_string).collect();
    info.restrictions.extend(key.subaccount.map(|number| format!("subaccount {number}")));
    info.restrictions.extend(key.fcm_subtrader_id.map(|id| format!("subtrader {id}")));
    info
}
