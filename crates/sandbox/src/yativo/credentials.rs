//! Who calls: a bearer token, a key with its secret in two headers, or a key alone.
//!
//! The newest documentation knows the bearer token only and comes first here. A key alone stands in the oldest pages; it
//! is good for reading and nothing else, since it is no secret.

use super::reply::Failure;
use super::routes::Permission;
use super::state::State;
use crate::message::Request;

/// Who calls.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// Index into the owners.
    pub(super) owner: usize,
    /// The key behind the call; none for the owner's own session, which may do everything.
    key_id: Option<String>,
    /// Whether the key came without its secret.
    key_alone: bool,
}

pub(super) fn authenticate(state: &mut State, request: &Request) -> Result<Caller, Failure> {
    let caller = match (request.header("authorization"), request.header("x-api-key")) {
        (Some(header), _) => bearer(state, header)?,
        (None, Some(api_key)) => api_key_headers(state, api_key, request.header("x-api-secret"))?,
        (None, None) => return Err(Failure::unauthorized("header/Authorization: is required")),
    };
    let now = state.now();
    if let Some(id) = &caller.key_id
        && let Some(key) = state.owners[caller.owner].keys.iter_mut().find(|key| key.id == *id)
    {
        key.last_used_at = Some(now);
    }
    Ok(caller)
}

fn bearer(state: &State, header: &str) -> Result<Caller, Failure> {
    let invalid = || Failure::unauthorized("Invalid or expired access token");
    let (scheme, value) = header.trim().split_once(' ').ok_or_else(invalid)?;
    let value = value.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || value.is_empty() {
        return Err(invalid());
    }
    if let Some(owner) = state.owners.iter().position(|owner| owner.session_token.as_deref() == Some(value)) {
        return Ok(Caller { owner, key_id: None, key_alone: false });
    }
    let now = state.now();
    let token = state.tokens.iter().find(|token| token.value == value && now < token.until).ok_or_else(invalid)?;
    let active = state.owners[token.owner].keys.iter().any(|key| key.id == token.key_id && key.is_active(now));
    if !active {
        return Err(invalid());
    }
    Ok(Caller { owner: token.owner, key_id: Some(token.key_id.clone()), key_alone: false })
}

fn api_key_headers(state: &State, api_key: &str, api_secret: Option<&str>) -> Result<Caller, Failure> {
    let (owner, key_id) = state.find_key(api_key, api_secret).ok_or_else(Failure::invalid_key)?;
    Ok(Caller { owner, key_id: Some(key_id), key_alone: api_secret.is_none() })
}

impl State {
    /// The active key of that name; with a secret, only if it is the right one.
    pub(super) fn find_key(&self, api_key: &str, api_secret: Option<&str>) -> Option<(usize, String)> {
        let now = self.now();
        self.owners.iter().enumerate().find_map(|(index, owner)| {
            let key = owner.keys.iter().find(|key| key.api_key == api_key && key.is_active(now))?;
            api_secret.is_none_or(|secret| key.api_secret == secret).then(|| (index, key.id.clone()))
        })
    }

    pub(super) fn check_permission(&self, caller: &Caller, permission: Permission) -> Result<(), Failure> {
        if caller.key_alone && !permission.is_read() {
            return Err(Failure::unauthorized("X-API-Secret is required with X-API-Key"));
        }
        let Some(id) = &caller.key_id else { return Ok(()) };
        let key = self.owners[caller.owner].keys.iter().find(|key| key.id == *id);
        if key.is_some_and(|key| key.scopes.iter().any(|scope| permission.is_granted_by(scope))) {
            return Ok(());
        }
        Err(Failure::forbidden(format!("API key does not have the '{}' permission", permission.name())))
    }

    /// The six digits of the account's authenticator, where it has one.
    pub(super) fn check_second_factor(&self, caller: &Caller, request: &Request) -> Result<(), Failure> {
        let Some(expected) = &self.owners[caller.owner].totp_code else { return Ok(()) };
        match request.header("x-2fa-token") {
            None => Err(Failure::two_factor("two_factor_required", "X-2FA-Token with the current code is needed")),
            Some(code) if code.trim() == expected => Ok(()),
            Some(_) => Err(Failure::two_factor("invalid_two_factor_token", "The code in X-2FA-Token is not right")),
        }
    }
}
