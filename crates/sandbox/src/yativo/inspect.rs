//! Explains who called, and what is wrong with a key, its secret or a token.

use std::sync::PoisonError;

use super::Yativo;
use super::state::State;
use crate::message::Request;
use crate::signature::Inspection;

impl Yativo {
    /// What the headers of a request say about its sender. `now` is when it arrived, `is_accepted` whether its credentials were.
    pub(crate) fn inspect(&self, request: &Request, now: i64, is_accepted: bool) -> Inspection {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match (request.header("authorization"), request.header("x-api-key")) {
            (Some(header), _) => bearer(&state, header, now),
            (None, Some(key)) => {
                let key_inspection = key_and_secret(&state, key, request.header("x-api-secret"), now);
                match request.header("x-api-secret") {
                    None if !is_accepted => {
                        key_inspection.with("header", "the header X-API-Secret is missing: a key alone only reads")
                    }
                    _ => key_inspection,
                }
            }
            (None, None) if is_accepted => Inspection::none(),
            (None, None) => exchange(&state, request, now)
                .unwrap_or_else(|| Inspection::none().with("header", "the header Authorization is missing")),
        }
    }
}

/// The exchange of a key for a token, which carries both in its body.
fn exchange(state: &State, request: &Request, now: i64) -> Option<Inspection> {
    if !request.path.ends_with("/token") {
        return None;
    }
    let body: serde_json::Value = serde_json::from_slice(&request.body).ok()?;
    Some(key_and_secret(state, body["api_key"].as_str()?, body["api_secret"].as_str(), now))
}

fn key_and_secret(state: &State, api_key: &str, api_secret: Option<&str>, now: i64) -> Inspection {
    let inspection = Inspection::of(api_key);
    let mut keys = state.owners.iter().flat_map(|owner| &owner.keys).filter(|key| key.api_key == api_key);
    // A key that was revoked may stand beside an active one.
    let Some(key) = keys.clone().find(|key| key.is_active(now)).or_else(|| keys.next()) else {
        let message = "no key has this name: it was never created here";
        return inspection.with("key", message);
    };
    match (key.is_active(now), api_secret) {
        (false, _) => inspection.with("key", format!("the key is {}", key.status(now))),
        (true, Some(secret)) if secret != key.api_secret => inspection.with("secret", "the secret of the key is wrong"),
        _ => inspection,
    }
}

fn bearer(state: &State, header: &str, now: i64) -> Inspection {
    let (scheme, value) = header.trim().split_once(' ').unwrap_or((header, ""));
    let value = value.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || value.is_empty() {
        return Inspection::none().with("header", "the value of Authorization is not a bearer token");
    }
    let is_session = |token: &Option<String>| token.as_deref() == Some(value);
    if state.owners.iter().any(|owner| is_session(&owner.session_token)) {
        return Inspection::of("session");
    }
    let Some(token) = state.tokens.iter().find(|token| token.value == value) else {
        let message = "no exchange returned this token: it ended with its key, or was never issued";
        return Inspection::none().with("token", message);
    };
    let keys = &state.owners[token.owner].keys;
    let key = keys.iter().find(|key| key.id == token.key_id);
    let inspection = key.map_or_else(Inspection::none, |key| Inspection::of(key.api_key.clone()));
    if token.until <= now {
        let ago = (now - token.until) / 1000;
        return inspection.with("token", format!("the token expired {ago} s ago: exchange the key again"));
    }
    match key {
        Some(key) if key.is_active(now) => inspection,
        _ => inspection.with("key", "the key of the token was revoked"),
    }
}
