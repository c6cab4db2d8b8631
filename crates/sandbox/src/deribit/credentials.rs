//! Who signed a request: the `Authorization` header of private calls.

use std::collections::{HashSet, VecDeque};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::error::Error;
use super::keys::{Key, Secret};
use super::params::Params;
use super::state::{Session, State};
use crate::message::Request;
use crate::verify;

/// How far a timestamp may be from the venue's clock.
pub(super) const WINDOW_MILLIS: i64 = 60_000;

/// The session of a private call.
pub(super) fn authenticate(state: &mut State, request: &Request) -> Result<Session, Error> {
    let header =
        request.header("authorization").ok_or_else(|| Error::unauthorized("header/Authorization: is required"))?;
    let (scheme, value) = header.trim().split_once(' ').unwrap_or((header, ""));
    let value = value.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        state.session_of_token(value, None)
    } else if scheme.eq_ignore_ascii_case("basic") {
        basic(state, value)
    } else if scheme.eq_ignore_ascii_case("deri-hmac-sha256") {
        signed(state, request, value)
    } else {
        Err(Error::unauthorized("unknown authorization scheme"))
    }
}

/// The session of a private call over a connection: that of the token it brings, or of the connection's login.
pub(super) fn authenticate_connection(state: &State, connection: u64, params: &Params) -> Result<Session, Error> {
    let brought = params.text("access_token")?;
    let login = || state.connections.get(&connection)?.login.as_ref().map(|login| login.access_token.clone());
    let token = brought.or_else(login).ok_or_else(|| Error::unauthorized("invalid_token"))?;
    state.session_of_token(&token, Some(connection))
}

fn session_of(key: &Key) -> Session {
    Session { account: key.account, scope: key.max_scope.clone(), connection: None }
}

fn basic(state: &State, value: &str) -> Result<Session, Error> {
    let invalid = || Error::new(Error::INVALID_CREDENTIALS);
    let decoded = STANDARD.decode(value).map_err(|_| invalid())?;
    let decoded = String::from_utf8(decoded).map_err(|_| invalid())?;
    let (client_id, client_secret) = decoded.split_once(':').ok_or_else(invalid)?;
    Ok(session_of(state.key_with_secret(client_id, client_secret)?))
}

fn signed(state: &mut State, request: &Request, fields: &str) -> Result<Session, Error> {
    let field = |name: &str| {
        let mut pairs = fields.split(',').filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
    };
    let (Some(client_id), Some(timestamp), Some(nonce), Some(signature)) =
        (field("id"), field("ts"), field("nonce"), field("sig"))
    else {
        return Err(Error::unauthorized("id, ts, nonce and sig are needed"));
    };
    let millis = timestamp.parse().map_err(|_| Error::unauthorized("ts must be milliseconds"))?;
    let key = state.enabled_key(client_id).ok_or_else(|| Error::unauthorized("unknown or disabled id"))?;
    let Secret::Shared(secret) = &key.secret else {
        return Err(Error::unauthorized("an asymmetric key signs public/auth only"));
    };

    let mut message = format!("{timestamp}\n{nonce}\n{}\n{}", request.method, request.path);
    if let Some(query) = &request.query {
        message.push('?');
        message.push_str(query);
    }
    let mut message = message.into_bytes();
    message.push(b'\n');
    message.extend_from_slice(&request.body);
    message.push(b'\n');
    if !verify_hex_hmac(secret, &message, signature) {
        return Err(Error::unauthorized("invalid signature"));
    }

    let session = session_of(key);
    state.spend_nonce(client_id, nonce, millis)?;
    Ok(session)
}

pub(super) fn verify_hex_hmac(secret: &str, message: &[u8], signature: &str) -> bool {
    // The venue writes lower case; hex in upper case is another string.
    !signature.bytes().any(|byte| byte.is_ascii_uppercase())
        && hex::decode(signature).is_ok_and(|tag| verify::verify_hmac(secret.as_bytes(), message, &tag))
}

/// The nonces of the last minutes, by client id.
#[derive(Default)]
pub(super) struct Nonces {
    spent: HashSet<(String, String)>,
    by_age: VecDeque<(i64, (String, String))>,
}

impl State {
    pub(super) fn check_timestamp(&self, timestamp: i64) -> Result<(), Error> {
        if self.now().saturating_sub(timestamp).saturating_abs() > WINDOW_MILLIS {
            return Err(Error::unauthorized("timestamp outside of the window"));
        }
        Ok(())
    }

    /// Accepts a timestamp within the window and a nonce that the client has not used within it.
    pub(super) fn spend_nonce(&mut self, client_id: &str, nonce: &str, timestamp: i64) -> Result<(), Error> {
        self.check_timestamp(timestamp)?;
        let now = self.now();
        let nonces = &mut self.nonces;
        // A timestamp may lie a window ahead and stays good for another one.
        while nonces.by_age.front().is_some_and(|(spent_at, _)| now - spent_at > 2 * WINDOW_MILLIS) {
            if let Some((_, entry)) = nonces.by_age.pop_front() {
                nonces.spent.remove(&entry);
            }
        }
        let entry = (client_id.to_owned(), nonce.to_owned());
        if !nonces.spent.insert(entry.clone()) {
            return Err(Error::unauthorized("nonce was used before"));
        }
        nonces.by_age.push_back((now, entry));
        Ok(())
    }

    pub(super) fn enabled_key(&self, client_id: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.client_id == client_id && key.enabled)
    }

    /// The enabled key with that id and that secret; an asymmetric key has none.
    pub(super) fn key_with_secret(&self, client_id: &str, client_secret: &str) -> Result<&Key, Error> {
        self.enabled_key(client_id)
            .filter(|key| matches!(&key.secret, Secret::Shared(secret) if secret == client_secret))
            .ok_or_else(|| Error::new(Error::INVALID_CREDENTIALS))
    }
}
