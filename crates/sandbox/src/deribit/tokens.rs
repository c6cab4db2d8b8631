//! `public/auth` and the tokens it hands out.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use super::credentials::verify_hex_hmac;
use super::error::Error;
use super::keys::Secret;
use super::params::Params;
use super::scope::{Requested, Scope};
use super::state::{Outcome, Session, State, done};

/// Seconds that an access token is good for, unless its scope names fewer.
const ACCESS_SECONDS: i64 = 900;
/// Seconds that a refresh token is good for.
const REFRESH_SECONDS: i64 = 86_400;
/// One more login of a key ends its oldest session.
const MAX_SESSIONS: usize = 16;

/// A pair of tokens.
pub(super) struct Login {
    key_id: i64,
    access_token: String,
    access_until: i64,
    refresh_token: String,
    refresh_until: i64,
    scope: Scope,
    session: Option<String>,
    sid: Option<String>,
    lifetime: i64,
}

#[derive(Serialize)]
struct Tokens<'a> {
    access_token: &'a str,
    expires_in: i64,
    refresh_token: &'a str,
    token_type: &'static str,
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'a str>,
    enabled_features: &'a [String],
}

/// `public/auth`.
pub(super) fn auth(state: &mut State, params: &Params) -> Outcome {
    let grants = ["client_credentials", "client_signature", "refresh_token"];
    match params.required("grant_type", params.one_of("grant_type", &grants)?)? {
        "client_credentials" => {
            let client_id = params.required("client_id", params.text("client_id")?)?;
            let client_secret = params.required("client_secret", params.text("client_secret")?)?;
            let key_id = state.key_with_secret(&client_id, &client_secret)?.id;
            log_in(state, key_id, params)
        }
        "client_signature" => {
            let key_id = check_signature(state, params)?;
            log_in(state, key_id, params)
        }
        _ => refresh(state, params),
    }
}

/// The key that signed `timestamp\nnonce\ndata`.
fn check_signature(state: &mut State, params: &Params) -> Result<i64, Error> {
    let client_id = params.required("client_id", params.text("client_id")?)?;
    let timestamp = params.required("timestamp", params.lenient_integer("timestamp")?)?;
    let signature = params.required("signature", params.text("signature")?)?;
    let nonce = params.text("nonce")?.unwrap_or_default();
    let data = params.text("data")?.unwrap_or_default();

    let invalid = |reason: &'static str| Error::new(Error::INVALID_CREDENTIALS).because(reason);
    let key = state.enabled_key(&client_id).ok_or_else(|| Error::new(Error::INVALID_CREDENTIALS))?;
    let message = format!("{timestamp}\n{nonce}\n{data}");
    let verified = match &key.secret {
        Secret::Shared(secret) => verify_hex_hmac(secret, message.as_bytes(), &signature),
        Secret::PublicKey { key, .. } => URL_SAFE_NO_PAD
            .decode(&signature)
            .is_ok_and(|signature| key.verify_pkcs1v15(message.as_bytes(), &signature)),
    };
    if !verified {
        return Err(invalid("invalid signature"));
    }
    let key_id = key.id;
    // The nonce is optional, and an empty one cannot be told from another.
    if nonce.is_empty() {
        state.check_timestamp(timestamp)?;
    } else {
        state.spend_nonce(&client_id, &nonce, timestamp)?;
    }
    Ok(key_id)
}

fn log_in(state: &mut State, key_id: i64, params: &Params) -> Outcome {
    let requested = params.text("scope")?.unwrap_or_default();
    let requested =
        Requested::parse(&requested).map_err(|word| Error::invalid_param("scope", format!("unknown scope {word}")))?;
    let key = state.keys.iter().find(|key| key.id == key_id).ok_or_else(|| Error::new(Error::INVALID_CREDENTIALS))?;
    let scope = requested.capped_by(&key.max_scope);
    let lifetime = requested.expires.unwrap_or(ACCESS_SECONDS).min(ACCESS_SECONDS);
    let sid = requested.session.is_some().then(|| random_token("sid"));
    open_login(state, key_id, scope, requested.session, sid, lifetime, params)
}

fn refresh(state: &mut State, params: &Params) -> Outcome {
    let token = params.required("refresh_token", params.text("refresh_token")?)?;
    let now = state.now();
    let found = state.logins.iter().position(|login| login.refresh_token == token && now < login.refresh_until);
    // Both old tokens end here, so that a copy of them is worth nothing.
    let old = state.logins.remove(
        found.ok_or_else(|| Error::new(Error::INVALID_CREDENTIALS).because("unknown or expired refresh_token"))?,
    );
    open_login(state, old.key_id, old.scope, old.session, old.sid, old.lifetime, params)
}

fn open_login(
    state: &mut State,
    key_id: i64,
    scope: Scope,
    session: Option<String>,
    sid: Option<String>,
    lifetime: i64,
    params: &Params,
) -> Outcome {
    let now = state.now();
    let key = state.keys.iter().find(|key| key.id == key_id).ok_or_else(|| Error::new(Error::INVALID_CREDENTIALS))?;
    let login = Login {
        key_id,
        access_token: random_token(&key.client_id),
        access_until: now + lifetime * 1000,
        refresh_token: random_token(&key.client_id),
        refresh_until: now + REFRESH_SECONDS * 1000,
        scope,
        session,
        sid,
        lifetime,
    };
    let tokens = Tokens {
        access_token: &login.access_token,
        expires_in: lifetime,
        refresh_token: &login.refresh_token,
        token_type: "bearer",
        scope: granted(&login),
        state: params.text("state")?,
        sid: login.sid.as_deref(),
        enabled_features: &key.enabled_features,
    };
    let result = done(&tokens);
    state.logins.retain(|login| now < login.refresh_until);
    let sessions = state.logins.iter().filter(|login| login.key_id == key_id).count();
    if sessions >= MAX_SESSIONS
        && let Some(oldest) = state.logins.iter().position(|login| login.key_id == key_id)
    {
        state.logins.remove(oldest);
    }
    state.logins.push(login);
    result
}

/// The granted scope as the venue writes it: in alphabetical order, with the kind of session among the words.
fn granted(login: &Login) -> String {
    let session = login.session.as_ref().map_or_else(|| "connection".to_owned(), |name| format!("session:{name}"));
    let access = login.scope.to_string();
    let levels = access.split(' ').filter(|word| !word.is_empty() && !word.ends_with(":none"));
    let mut words: Vec<&str> = levels.chain([session.as_str(), "mainaccount"]).collect();
    words.sort_unstable();
    words.join(" ")
}

fn random_token(prefix: &str) -> String {
    format!("{prefix}.{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()))
}

impl State {
    pub(super) fn session_of_token(&self, token: &str) -> Result<Session, Error> {
        let now = self.now();
        let login = self.logins.iter().find(|login| login.access_token == token);
        let login = login.ok_or_else(|| Error::unauthorized("invalid_token"))?;
        if now >= login.access_until {
            return Err(Error::unauthorized("token has expired"));
        }
        let key = self.keys.iter().find(|key| key.id == login.key_id && key.enabled);
        let key = key.ok_or_else(|| Error::unauthorized("invalid_token"))?;
        // The key may have been narrowed since the login.
        Ok(Session { account: key.account, scope: login.scope.min(&key.max_scope) })
    }

    /// Ends everything that was logged in with a key.
    pub(super) fn end_sessions(&mut self, key_id: i64) {
        self.logins.retain(|login| login.key_id != key_id);
    }
}
