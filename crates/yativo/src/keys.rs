//! Yativo's key life cycle in the shared vocabulary, over the canonical operations (`/apikey`).

use serde_json::Value;
use venuekit_transport::Error;
use venuekit_transport::keys::{ApiKeys, CreatedKey, KeyInfo, NewKey, OldSecret, RotatedKey, SecretKind};
use venuekit_wire::{DateTime, Open};

use crate::types::{KeyScope, ListApiKeysResponse};
use crate::{Client, Credentials, operations};

/// The account's API keys. See [`Client::keys`].
#[derive(Clone, Copy, Debug)]
pub struct Keys<'a>(&'a Client);

impl Client {
    /// The account's API keys, with the interface that all venues share. Where the account has a second factor, change keys through
    /// [`with_code`](Client::with_code).
    pub fn keys(&self) -> Keys<'_> {
        Keys(self)
    }
}

impl ApiKeys for Keys<'_> {
    /// Yativo's response has no id, so it is looked up in the list; if that fails the key is returned with an empty id, because its
    /// secret is shown this once.
    async fn create(&self, key: NewKey) -> Result<CreatedKey, Error> {
        if key.local.is_some() || key.pair.is_some() {
            return Err(Error::invalid_request("Yativo makes the secret itself; it takes no key pair"));
        }
        if key.like.is_some() {
            return Err(Error::invalid_request("restrictions are kept by rotating the key, not by making one like it"));
        }
        let scopes: Vec<Open<KeyScope>> = key.scopes.iter().map(|scope| scope_of(scope)).collect();
        let call = self.0.create_api_key().key_name(key.name).scopes(scopes);
        let made = call.send().await?.into_inner();
        let id = self.id_of(&made.data.api_key).await.unwrap_or_default();
        let mut created = CreatedKey::new(id, made.data.api_key, made.data.api_secret, SecretKind::Shared);
        created.warning = made.warning;
        created.whole(operations::CREATE_API_KEY)
    }

    async fn list(&self) -> Result<Vec<KeyInfo>, Error> {
        let answer = self.without_code().list_api_keys().send().await?.into_inner();
        let row = operations::LIST_API_KEYS;
        let keys = entries(answer).ok_or_else(|| Error::incomplete(row, "the response holds no list of keys"))?;
        let keys = keys.iter().map(|key| {
            // A key that cannot be read must not look like a key that does not exist.
            info(key).ok_or_else(|| Error::incomplete(row, "the list holds a key without an id"))
        });
        keys.collect()
    }

    async fn rotate(&self, id: &str) -> Result<RotatedKey, Error> {
        // Before the rotation: its response may not name the key, and must not be lost over a list that fails afterwards.
        let known = self.list().await?.into_iter().find(|key| key.id == id).and_then(|key| key.public_id);
        let made = self.0.rotate_api_key().key_id(id).send().await?.into_inner();
        let row = operations::ROTATE_API_KEY;
        let (inner_id, inner_key, inner_secret) =
            made.data.map_or((None, None, None), |data| (data.id, data.api_key, data.api_secret));
        if inner_id.is_some_and(|inner| inner != id) {
            let message =
                "the venue has replaced a secret, and its response is about another key: rotate the key again";
            return Err(Error::incomplete(row, message));
        }
        let secret = inner_secret.or(made.api_secret).filter(|secret| !secret.is_empty());
        let Some(secret) = secret else {
            let message = "the venue has replaced the secret, and its response shows no new one: rotate the key again";
            return Err(Error::incomplete(row, message));
        };
        let public = inner_key.or(made.api_key).filter(|public| !public.is_empty()).or(known).unwrap_or_default();
        Ok(RotatedKey::new(CreatedKey::new(id, public, secret, SecretKind::Shared), OldSecret::Replaced))
    }

    async fn revoke(&self, id: &str) -> Result<(), Error> {
        self.0.revoke_api_key().key_id(id).send().await?;
        Ok(())
    }
}

impl Keys<'_> {
    /// Reading takes no code, and one that was spent on it would be missing for the change.
    fn without_code(&self) -> Client {
        self.0.with_session(self.0.session().without_code())
    }

    async fn id_of(&self, api_key: &str) -> Option<String> {
        let keys = self.list().await.ok()?;
        keys.into_iter().find(|key| key.public_id.as_deref() == Some(api_key)).map(|key| key.id)
    }
}

impl TryFrom<&CreatedKey> for Credentials {
    type Error = Error;

    fn try_from(key: &CreatedKey) -> Result<Self, Error> {
        Self::api_key(key.public_id.clone(), key.secret.clone())
    }
}

fn scope_of(scope: &str) -> Open<KeyScope> {
    scope.parse().unwrap_or_else(|never| match never {})
}

/// The list, wherever this generation of the API has put it; none if it is nowhere.
fn entries(answer: ListApiKeysResponse) -> Option<Vec<Value>> {
    match answer.data {
        Some(Value::Array(keys)) => Some(keys),
        Some(Value::Object(mut data)) => match data.remove("keys") {
            Some(Value::Array(keys)) => Some(keys),
            _ => None,
        },
        Some(_) => None,
        None => Some(answer.keys),
    }
}

/// A key under whichever names this generation of the API uses.
fn info(key: &Value) -> Option<KeyInfo> {
    let text = |names: &[&str]| names.iter().find_map(|name| Some(key.get(name)?.as_str()?.to_owned()));
    let mut info = KeyInfo::new(text(&["id", "_id", "key_id"])?);
    info.public_id = text(&["api_key"]);
    info.name = text(&["key_name", "name"]);
    let scopes = ["scopes", "permissions"].iter().find_map(|name| key.get(name)?.as_array());
    info.scopes = scopes.into_iter().flatten().filter_map(|scope| Some(scope.as_str()?.to_owned())).collect();
    let revoked = key.get("is_revoked").and_then(Value::as_bool);
    info.status = if revoked == Some(true) { Some("revoked".to_owned()) } else { text(&["status"]) };
    // A key that was not revoked may have expired: the word says more than the flag.
    info.enabled = info.status.as_ref().map(|status| status == "active").or(revoked.map(|revoked| !revoked));
    let addresses = key.get("allowed_ips").and_then(Value::as_array).into_iter().flatten();
    info.restrictions = addresses.filter_map(|address| Some(format!("address {}", address.as_str()?))).collect();
    let time = |name| DateTime::from(text(&[name])?).millis();
    info.created = time("created_at");
    info.expires = time("expires_at");
    info.last_used = time("last_used_at");
    let end = text(&["expires_at"]).filter(|_| info.expires.is_some());
    info.restrictions.extend(end.map(|end| format!("an end on {}", end.get(..10).unwrap_or(&end))));
    Some(info)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::info;

    #[test]
    fn an_end_is_told_with_its_day() {
        let limits = |end: &str| info(&json!({"id": "a", "expires_at": end})).unwrap().restrictions;
        assert_eq!(limits("2027-01-31T12:00:00.000Z"), ["an end on 2027-01-31"]);
        assert!(limits("never").is_empty());
    }

    #[test]
    fn the_word_for_a_state_counts_before_the_flag() {
        for (key, enabled, status) in [
            (json!({"id": "a", "is_revoked": false, "status": "expired"}), Some(false), Some("expired")),
            (json!({"id": "a", "is_revoked": true, "status": "active"}), Some(false), Some("revoked")),
            (json!({"id": "a", "is_revoked": false, "status": "active"}), Some(true), Some("active")),
            (json!({"id": "a", "is_revoked": false}), Some(true), None),
            (json!({"id": "a"}), None, None),
        ] {
            let info = info(&key).unwrap();
            assert_eq!((info.enabled, info.status.as_deref()), (enabled, status), "{key}");
        }
    }
}
