//! The nine API-key methods.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use md5::{Digest as _, Md5};
use rsa::pkcs8::EncodePublicKey as _;
use serde::Serialize;

use super::error::Error;
use super::params::Params;
use super::scope::{Level, Scope};
use super::state::{Outcome, Session, State, done};
use crate::verify::PublicKey;

const MAX_KEYS: usize = 8;
const MAX_NAME: usize = 16;
const MIN_RSA_BITS: usize = 2048;
const FEATURES: [&str; 2] = ["restricted_block_trades", "block_trade_approval"];

/// An API key.
pub(super) struct Key {
    pub(super) id: i64,
    /// Index into the accounts.
    pub(super) account: usize,
    pub(super) client_id: String,
    pub(super) secret: Secret,
    pub(super) max_scope: Scope,
    pub(super) name: String,
    pub(super) enabled: bool,
    pub(super) is_default: bool,
    pub(super) enabled_features: Vec<String>,
    pub(super) ip_whitelist: Vec<String>,
    pub(super) timestamp: i64,
}

/// What a key's signatures are checked with.
pub(super) enum Secret {
    Shared(String),
    PublicKey { pem: String, key: PublicKey },
}

impl Secret {
    pub(super) fn random() -> String {
        URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
    }

    /// The client secret, or the fingerprint that stands in its place for an asymmetric key.
    fn shown(&self) -> String {
        match self {
            Self::Shared(secret) => secret.clone(),
            Self::PublicKey { key, .. } => fingerprint(key),
        }
    }
}

fn fingerprint(key: &PublicKey) -> String {
    let der = match key {
        PublicKey::Rsa(key) => key.to_public_key_der(),
        PublicKey::Ed25519(key) => key.to_public_key_der(),
    };
    hex::encode(Md5::digest(der.expect("a parsed key encodes").as_bytes()))
}

#[derive(Serialize)]
struct KeyView<'a> {
    id: i64,
    timestamp: i64,
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<&'a str>,
    max_scope: String,
    enabled: bool,
    default: bool,
    name: &'a str,
    enabled_features: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    ip_whitelist: &'a [String],
}

impl Key {
    fn view(&self, with_secret: bool) -> KeyView<'_> {
        KeyView {
            id: self.id,
            timestamp: self.timestamp,
            client_id: &self.client_id,
            client_secret: with_secret.then(|| self.secret.shown()),
            public_key: match &self.secret {
                Secret::Shared(_) => None,
                Secret::PublicKey { pem, .. } => Some(pem),
            },
            max_scope: self.max_scope.to_string(),
            enabled: self.enabled,
            default: self.is_default,
            name: &self.name,
            enabled_features: &self.enabled_features,
            ip_whitelist: &self.ip_whitelist,
        }
    }
}

/// `private/create_api_key`.
pub(super) fn create(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let max_scope = params.required("max_scope", max_scope(session, params)?)?;
    let name = name(params)?.unwrap_or_default();
    let secret = match params.text("public_key")? {
        Some(pem) => public_key(pem)?,
        None => Secret::Shared(Secret::random()),
    };
    let enabled_features = features(params)?.unwrap_or_default();
    if state.keys.iter().filter(|key| key.account == session.account).count() >= MAX_KEYS {
        return Err(Error::other_reject("too_many_api_keys"));
    }
    let key = Key {
        id: state.next_id(),
        account: session.account,
        client_id: URL_SAFE_NO_PAD.encode(rand::random::<[u8; 6]>()),
        secret,
        max_scope,
        name,
        enabled: true,
        is_default: false,
        enabled_features,
        ip_whitelist: Vec::new(),
        timestamp: state.now(),
    };
    let result = done(&key.view(true));
    state.keys.push(key);
    result
}

/// `private/list_api_keys`.
pub(super) fn list(state: &mut State, session: &Session, _params: &Params) -> Outcome {
    let with_secret = session.scope.level("account") == Level::ReadWrite;
    let own = state.keys.iter().filter(|key| key.account == session.account);
    done(&own.map(|key| key.view(with_secret)).collect::<Vec<_>>())
}

/// `private/edit_api_key`.
pub(super) fn edit(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let max_scope = max_scope(session, params)?;
    let name = name(params)?;
    let enabled = params.boolean("enabled")?;
    let features = features(params)?;
    let ip_whitelist = params.list("ip_whitelist")?;
    let key = target(state, session, params)?;
    key.max_scope = max_scope.unwrap_or_else(|| key.max_scope.clone());
    key.name = name.unwrap_or_else(|| key.name.clone());
    key.enabled = enabled.unwrap_or(key.enabled);
    key.enabled_features = features.unwrap_or_else(|| key.enabled_features.clone());
    key.ip_whitelist = ip_whitelist.unwrap_or_else(|| key.ip_whitelist.clone());
    done(&key.view(true))
}

/// `private/change_api_key_name`.
pub(super) fn change_name(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let name = params.required("name", name(params)?)?;
    let key = target(state, session, params)?;
    key.name = name;
    done(&key.view(true))
}

/// `private/change_scope_in_api_key`.
pub(super) fn change_scope(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let max_scope = params.required("max_scope", max_scope(session, params)?)?;
    let key = target(state, session, params)?;
    key.max_scope = max_scope;
    done(&key.view(true))
}

/// `private/enable_api_key`.
pub(super) fn enable(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let key = target(state, session, params)?;
    key.enabled = true;
    done(&key.view(true))
}

/// `private/disable_api_key`.
pub(super) fn disable(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let key = target(state, session, params)?;
    key.enabled = false;
    let (id, result) = (key.id, done(&key.view(true)));
    state.end_sessions(id);
    result
}

/// `private/reset_api_key`.
pub(super) fn reset(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let key = target(state, session, params)?;
    match &mut key.secret {
        Secret::Shared(secret) => *secret = Secret::random(),
        Secret::PublicKey { .. } => return Err(Error::invalid_param("id", "an asymmetric key has no secret to reset")),
    }
    let (id, result) = (key.id, done(&key.view(true)));
    state.end_sessions(id);
    result
}

/// `private/remove_api_key`.
pub(super) fn remove(state: &mut State, session: &Session, params: &Params) -> Outcome {
    let id = target(state, session, params)?.id;
    state.keys.retain(|key| key.id != id);
    state.end_sessions(id);
    done(&"ok")
}

/// The caller's key that `id` names, unless it reaches further than the caller.
fn target<'a>(state: &'a mut State, session: &Session, params: &Params) -> Result<&'a mut Key, Error> {
    let id = params.required("id", params.integer("id")?)?;
    let key = state.keys.iter_mut().find(|key| key.id == id && key.account == session.account);
    let key = key.ok_or_else(|| Error::new(Error::NOT_FOUND))?;
    if session.scope.covers(&key.max_scope) { Ok(key) } else { Err(Error::new(Error::SCOPE_EXCEEDED)) }
}

fn max_scope(session: &Session, params: &Params) -> Result<Option<Scope>, Error> {
    let Some(words) = params.words("max_scope")? else { return Ok(None) };
    let scope = Scope::parse(words.iter().map(String::as_str))
        .map_err(|word| Error::invalid_param("max_scope", format!("unknown scope {word}")))?;
    if session.scope.covers(&scope) { Ok(Some(scope)) } else { Err(Error::new(Error::SCOPE_EXCEEDED)) }
}

fn name(params: &Params) -> Result<Option<String>, Error> {
    let Some(name) = params.text("name")? else { return Ok(None) };
    // The rule names letters, digits and underscores; the venue's own example has blanks between words.
    let allowed = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | ' ');
    if name.len() <= MAX_NAME && name.chars().all(allowed) && name.trim() == name {
        Ok(Some(name))
    } else {
        Err(Error::invalid_param("name", "letters, digits and underscores, at most 16"))
    }
}

fn features(params: &Params) -> Result<Option<Vec<String>>, Error> {
    let features = params.list("enabled_features")?;
    let known = |feature: &String| FEATURES.contains(&feature.as_str());
    if features.iter().flatten().all(known) {
        Ok(features)
    } else {
        Err(Error::invalid_param("enabled_features", format!("must be one of {}", FEATURES.join(", "))))
    }
}

fn public_key(pem: String) -> Result<Secret, Error> {
    let key = PublicKey::from_pem(&pem)
        .ok_or_else(|| Error::invalid_param("public_key", "not an Ed25519 or RSA public key in PEM"))?;
    if key.rsa_bits().is_some_and(|bits| bits < MIN_RSA_BITS) {
        return Err(Error::invalid_param("public_key", "an RSA key has at least 2048 bits"));
    }
    Ok(Secret::PublicKey { pem, key })
}
