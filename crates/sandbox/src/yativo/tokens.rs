//! A key and its secret for a bearer token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::json;

use super::reply::Failure;
use super::routes::Call;
use super::state::{State, Token, iso, random_hex};
use crate::message::Reply;

const LIFETIME_SECONDS: i64 = 3600;

#[derive(Deserialize)]
struct Exchange {
    api_key: Option<String>,
    api_secret: Option<String>,
}

/// `POST /auth/token`, and the guides' `POST /apikey/token`. The response has no envelope.
pub(super) fn exchange(state: &mut State, call: &Call<'_>) -> Result<Reply, Failure> {
    let body: Exchange = call.body()?;
    let api_key = body.api_key.ok_or_else(|| Failure::validation("api_key", "is required"))?;
    let api_secret = body.api_secret.ok_or_else(|| Failure::validation("api_secret", "is required"))?;
    let (owner, key_id) = state.find_key(&api_key, Some(&api_secret)).ok_or_else(Failure::invalid_key)?;

    let now = state.now();
    let until = now + LIFETIME_SECONDS * 1000;
    let value = jwt(&key_id, until / 1000);
    state.tokens.retain(|token| now < token.until);
    state.tokens.push(Token { value: value.clone(), owner, key_id: key_id.clone(), until });
    let key = state.owners[owner].keys.iter_mut().find(|key| key.id == key_id).ok_or_else(Failure::invalid_key)?;
    key.last_used_at = Some(now);
    Ok(Reply::json(
        200,
        &json!({
            "success": true,
            "access_token": value,
            "token_type": "Bearer",
            "expires_in": LIFETIME_SECONDS,
            "expires_at": iso(until),
            "scopes": key.scopes,
            "refresh_recommendation": {"refresh_before_seconds": 300, "auto_refresh_enabled": true},
        }),
    ))
}

/// Shaped like the venue's tokens. Nobody checks its signature: tokens are looked up.
fn jwt(subject: &str, expires_at: i64) -> String {
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(json!({"alg": "HS256", "typ": "JWT"}));
    let claims = part(json!({"sub": subject, "exp": expires_at, "jti": random_hex::<8>()}));
    format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()))
}

impl State {
    /// Ends everything that a key was exchanged for.
    pub(super) fn end_tokens(&mut self, key_id: &str) {
        self.tokens.retain(|token| token.key_id != key_id);
    }
}
