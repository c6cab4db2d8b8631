//! The key operations in their three documented generations: the canonical one, the first one, the guides' one.

use serde::Serialize;
use serde_json::json;

use super::keys::{Generation, Key};
use super::reply::{Failure, Success};
use super::routes::Call;
use super::state::{REQUESTS_PER_MINUTE, State, iso};
use crate::message::Reply;

type Answer = Result<Reply, Failure>;

const SHOWN_ONCE: &str = "Store the secret now: it is not shown again";

/// A key as the canonical list shows it.
#[derive(Serialize)]
struct KeyView<'a> {
    id: &'a str,
    api_key: &'a str,
    key_name: &'a str,
    scopes: &'a [String],
    allowed_ips: &'a [String],
    status: &'static str,
    is_revoked: bool,
    created_at: String,
    expires_at: Option<String>,
    last_used_at: Option<String>,
}

impl<'a> KeyView<'a> {
    fn of(key: &'a Key, now: i64) -> Self {
        Self {
            id: &key.id,
            api_key: &key.api_key,
            key_name: &key.name,
            scopes: &key.scopes,
            allowed_ips: &key.allowed_ips,
            status: key.status(now),
            is_revoked: key.revoked_at.is_some(),
            created_at: iso(key.created_at),
            expires_at: key.expires_at.map(iso),
            last_used_at: key.last_used_at.map(iso),
        }
    }
}

/// A new key or a new secret as the canonical interface shows it, the only time it does.
#[derive(Serialize)]
struct SecretView<'a> {
    /// The venue's answer to a new key leaves it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    api_key: &'a str,
    api_secret: &'a str,
    key_name: &'a str,
    expires_at: Option<String>,
    /// Of a new key alone.
    #[serde(flatten)]
    rights: Option<Rights<'a>>,
}

/// What a key may do, and how often.
#[derive(Serialize)]
struct Rights<'a> {
    scopes: &'a [String],
    rate_limit: RateLimit,
    token_expiry_minutes: u32,
}

#[derive(Serialize)]
struct RateLimit {
    requests_per_minute: u32,
    requests_per_hour: u32,
    requests_per_day: u32,
}

impl<'a> SecretView<'a> {
    /// Of a new key.
    fn new(key: &'a Key) -> Self {
        let rate_limit =
            RateLimit { requests_per_minute: REQUESTS_PER_MINUTE, requests_per_hour: 3000, requests_per_day: 50000 };
        let rights = Some(Rights { scopes: &key.scopes, rate_limit, token_expiry_minutes: 60 });
        Self { id: None, rights, ..Self::rotated(key) }
    }

    /// Of a key with a new secret.
    fn rotated(key: &'a Key) -> Self {
        Self {
            id: Some(&key.id),
            api_key: &key.api_key,
            api_secret: &key.api_secret,
            key_name: &key.name,
            expires_at: key.expires_at.map(iso),
            rights: None,
        }
    }
}

/// `POST /apikey/generate`.
pub(super) fn generate(state: &mut State, call: &Call<'_>) -> Answer {
    let key = state.create_key(call.caller()?, call.body()?, Generation::Canonical)?;
    Ok(Success::of(SecretView::new(key)).message("API key generated").warning(SHOWN_ONCE).reply())
}

/// `GET /apikey`.
pub(super) fn list(state: &mut State, call: &Call<'_>) -> Answer {
    let now = state.now();
    let keys = &state.owners[call.caller()?.owner].keys;
    Ok(Success::of(keys.iter().map(|key| KeyView::of(key, now)).collect::<Vec<_>>()).reply())
}

/// `GET /apikey/{keyId}`.
pub(super) fn get(state: &mut State, call: &Call<'_>) -> Answer {
    let now = state.now();
    Ok(Success::of(KeyView::of(state.key(call.caller()?, call.id)?, now)).reply())
}

/// `POST /apikey/{keyId}/rotate`.
pub(super) fn rotate(state: &mut State, call: &Call<'_>) -> Answer {
    let key = state.rotate_key(call.caller()?, call.id)?;
    let data = SecretView::rotated(key);
    Ok(Success::of(data).message("API key rotated").warning(SHOWN_ONCE).reply())
}

/// `DELETE /apikey/{keyId}`, and the guides' `POST /apikey/{keyId}/revoke`.
pub(super) fn revoke(state: &mut State, call: &Call<'_>) -> Answer {
    let key = state.revoke_key(call.caller()?, call.id)?;
    let data = json!({"id": key.id, "is_revoked": true, "revoked_at": key.revoked_at.map(iso)});
    Ok(Success::of(data).message("API key revoked successfully").reply())
}

/// `PUT /apikey/{keyId}/permissions`.
pub(super) fn set_permissions(state: &mut State, call: &Call<'_>) -> Answer {
    let now = state.now();
    let key = state.set_scopes(call.caller()?, call.id, call.body()?)?;
    Ok(Success::of(KeyView::of(key, now)).message("API key permissions updated").reply())
}

/// `POST /api-keys`.
pub(super) fn create_first_gen(state: &mut State, call: &Call<'_>) -> Answer {
    let key = state.create_key(call.caller()?, call.body()?, Generation::First)?;
    let data = json!({
        "key_id": key.id,
        "api_key": key.api_key,
        "api_secret": key.api_secret,
        "name": key.name,
        "permissions": key.scopes,
        "expires_at": key.expires_at.map(iso),
        "created_at": iso(key.created_at),
    });
    Ok(Reply::json(200, &json!({"status": "success", "data": data})))
}

/// `GET /api-keys`.
pub(super) fn list_first_gen(state: &mut State, call: &Call<'_>) -> Answer {
    let keys = named_keys(state, call, "key_id")?;
    Ok(Reply::json(200, &json!({"status": "success", "data": {"keys": keys}})))
}

/// `DELETE /api-keys/{keyId}`.
pub(super) fn revoke_first_gen(state: &mut State, call: &Call<'_>) -> Answer {
    let key = state.revoke_key(call.caller()?, call.id)?;
    let data = json!({"key_id": key.id, "status": "revoked", "revoked_at": key.revoked_at.map(iso)});
    Ok(Reply::json(200, &json!({"status": "success", "data": data})))
}

/// `POST /apikey/create`. The response has no envelope.
pub(super) fn create_guide(state: &mut State, call: &Call<'_>) -> Answer {
    let key = state.create_key(call.caller()?, call.body()?, Generation::Guide)?;
    Ok(Reply::json(
        200,
        &json!({
            "id": key.id,
            "name": key.name,
            "api_key": key.api_key,
            "api_secret": key.api_secret,
            "permissions": key.scopes,
            "expires_at": key.expires_at.map(iso),
            "created_at": iso(key.created_at),
        }),
    ))
}

/// `GET /apikey/list`. The response has no envelope.
pub(super) fn list_guide(state: &mut State, call: &Call<'_>) -> Answer {
    let keys = named_keys(state, call, "id")?;
    Ok(Reply::json(200, &json!({"keys": keys})))
}

/// Keys under the field names of the older generations, which differ in what they call the id.
fn named_keys(state: &State, call: &Call<'_>, id: &str) -> Result<Vec<serde_json::Value>, Failure> {
    let now = state.now();
    let view = |key: &Key| {
        json!({
            id: key.id,
            "api_key": key.api_key,
            "name": key.name,
            "permissions": key.scopes,
            "status": key.status(now),
            "last_used_at": key.last_used_at.map(iso),
            "expires_at": key.expires_at.map(iso),
            "created_at": iso(key.created_at),
        })
    };
    Ok(state.owners[call.caller()?.owner].keys.iter().map(view).collect())
}
