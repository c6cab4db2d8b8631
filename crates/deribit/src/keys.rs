//! Deribit's key life cycle in the shared vocabulary.

use venuekit_auth::PrivateKey;
use venuekit_transport::Error;
use venuekit_transport::keys::{ApiKeys, CreatedKey, KeyInfo, NewKey, OldSecret, RotatedKey, SecretKind};
use venuekit_wire::Secret;

use crate::types::ApiKey;
use crate::{Client, Credentials};

/// The account's API keys. See [`Client::keys`].
#[derive(Clone, Copy, Debug)]
pub struct Keys<'a>(&'a Client);

impl Client {
    /// The account's API keys, in the words that all venues share. Where the account has a security key, calls answer with a
    /// challenge: repeat them through [`confirm`](Client::confirm).
    pub fn keys(&self) -> Keys<'_> {
        Keys(self)
    }
}

impl ApiKeys for Keys<'_> {
    /// A name has at most 16 letters, digits and underscores. Scopes are Deribit's, such as `trade:read_write`; without any the
    /// key may do nothing. With [`NewKey::local`] or [`NewKey::pair`] only the public half of the pair crosses the wire.
    async fn create(&self, mut key: NewKey) -> Result<CreatedKey, Error> {
        if key.like.is_some() {
            return Err(Error::invalid_request(
                "Deribit takes no address list for a new key; reset the old one instead",
            ));
        }
        let pair = key.take_pair()?;
        let public = pair.as_ref().map(|pair| pair.public_key_pem().to_owned());
        let call = self.0.create_api_key().body_map(|body| {
            let body = body.name(key.name).max_scope(key.scopes.join(" "));
            match public {
                Some(public) => body.public_key(public),
                None => body,
            }
        });
        let made = call.send().await?.into_inner();
        match pair {
            Some(pair) => Ok(key_of(made, pair.private_key_pem(), SecretKind::PrivateKeyPem)),
            None => shared(made),
        }
    }

    async fn list(&self) -> Result<Vec<KeyInfo>, Error> {
        let keys = self.0.list_api_keys().send().await?.into_inner();
        Ok(keys.into_iter().map(info).collect())
    }

    async fn rotate(&self, id: &str) -> Result<RotatedKey, Error> {
        let id = number(id)?;
        let made = self.0.reset_api_key().body_map(|body| body.id(id)).send().await?.into_inner();
        Ok(RotatedKey::new(shared(made)?, OldSecret::Replaced))
    }

    async fn revoke(&self, id: &str) -> Result<(), Error> {
        let id = number(id)?;
        self.0.remove_api_key().body_map(|body| body.id(id)).send().await?;
        Ok(())
    }
}

/// Requests are signed with the key's secret, or a login with its private key.
impl TryFrom<&CreatedKey> for Credentials {
    type Error = Error;

    fn try_from(key: &CreatedKey) -> Result<Self, Error> {
        match key.kind {
            SecretKind::PrivateKeyPem => {
                Self::private_key(key.public_id.clone(), PrivateKey::from_pem(key.secret.expose())?)
            }
            _ => Self::secret(key.public_id.clone(), key.secret.clone()),
        }
    }
}

/// Deribit numbers its keys.
fn number(id: &str) -> Result<i64, Error> {
    id.parse().map_err(|_| {
        Error::invalid_request(format!("`{id}` is no key id: Deribit's are numbers, as the list shows them"))
    })
}

fn shared(made: ApiKey) -> Result<CreatedKey, Error> {
    match made.client_secret.clone() {
        Some(secret) => Ok(key_of(made, secret, SecretKind::Shared)),
        None => Err(Error::invalid_request("the key was changed and the answer shows no secret; reset it to get one")),
    }
}

fn key_of(made: ApiKey, secret: Secret, kind: SecretKind) -> CreatedKey {
    CreatedKey::new(made.id.to_string(), made.client_id, secret, kind)
}

fn info(key: ApiKey) -> KeyInfo {
    let mut info = KeyInfo::new(key.id.to_string());
    info.public_id = Some(key.client_id);
    info.name = key.name;
    info.scopes = key.max_scope.unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    info.restrictions = key.ip_whitelist.iter().map(|address| format!("address {address}")).collect();
    info.restrictions.extend(key.enabled_features.iter().map(ToString::to_string));
    info.enabled = key.enabled;
    info.public_key = key.public_key;
    info.created = key.timestamp;
    info
}
