//! Deribit's key life cycle in the shared vocabulary.

use venuekit_auth::PrivateKey;
use venuekit_transport::Error;
use venuekit_transport::keys::{ApiKeys, CreatedKey, KeyInfo, NewKey, OldSecret, RotatedKey, SecretKind};
use venuekit_wire::Secret;
use venuekit_wire::operation::Operation;

use crate::types::ApiKey;
use crate::{Client, Credentials, operations};

/// The account's API keys. See [`Client::keys`].
#[derive(Clone, Copy, Debug)]
pub struct Keys<'a>(&'a Client);

impl Client {
    /// The account's API keys, with the interface that all venues share. Where the account has a security key, calls answer with a
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
        let mut call = self.0.create_api_key().name(key.name).max_scope(key.scopes.join(" "));
        if let Some(public) = public {
            call = call.public_key(public);
        }
        let made = call.send().await?.into_inner();
        match pair {
            Some(pair) => {
                key_of(made, pair.private_key_pem(), SecretKind::PrivateKeyPem).whole(operations::CREATE_API_KEY)
            }
            None => shared(made, operations::CREATE_API_KEY),
        }
    }

    async fn list(&self) -> Result<Vec<KeyInfo>, Error> {
        let keys = self.0.list_api_keys().send().await?.into_inner();
        Ok(keys.into_iter().map(info).collect())
    }

    /// Only a key with a secret gets a new one: a key with a public key is refused before anything is changed, as the list shows it.
    /// Where the list itself asks for a second factor it is not looked at, since the code is meant for the change.
    async fn rotate(&self, id: &str) -> Result<RotatedKey, Error> {
        let number = number(id)?;
        self.has_secret(number).await?;
        let made = self.0.reset_api_key().id(number).send().await?.into_inner();
        let row = operations::RESET_API_KEY;
        if made.id != number {
            let message =
                "the venue has reset a key, and its response is about another one: list the keys, and reset it again";
            return Err(Error::incomplete(row, message));
        }
        Ok(RotatedKey::new(shared(made, row)?, OldSecret::Replaced))
    }

    async fn revoke(&self, id: &str) -> Result<(), Error> {
        let id = number(id)?;
        self.0.remove_api_key().id(id).send().await?;
        Ok(())
    }
}

impl Keys<'_> {
    /// Refuses a key that has no secret to replace.
    async fn has_secret(&self, number: i64) -> Result<(), Error> {
        let without_code = self.0.with_session(self.0.session().without_code());
        let keys = match without_code.list_api_keys().send().await {
            Ok(keys) => keys.into_inner(),
            Err(error) if error.challenge().is_some() => return Ok(()),
            Err(error) => return Err(error),
        };
        match keys.iter().find(|key| key.id == number) {
            None => Err(Error::invalid_request(format!("the account has no key `{number}`"))),
            Some(key) if key.public_key.is_some() => Err(Error::invalid_request(format!(
                "the key `{number}` has a public key, and so no secret that could be replaced: make a new key, then revoke this one"
            ))),
            Some(_) => Ok(()),
        }
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

/// A key with its secret. For a key with a public key Deribit puts a fingerprint in the secret's place.
fn shared(made: ApiKey, row: &'static Operation) -> Result<CreatedKey, Error> {
    if made.public_key.is_some() {
        let message = "the venue has made or changed a key with a public key: what its response shows is a fingerprint, no \
                       secret; list the keys, and use the private key of that pair";
        return Err(Error::incomplete(row, message));
    }
    let secret = made.client_secret.clone().unwrap_or_default();
    key_of(made, secret, SecretKind::Shared).whole(row)
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
