//! `public/auth` and the tokens it hands out.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use super::connections::ConnectionLogin;
use super::credentials::verify_hex_hmac;
use super::error::Error;
use super::keys::{Key, Secret};
use super::params::Params;
use super::scope::{Requested, Scope};
use super::state::{Outcome, Session, State, done};

/// One more login of a key ends its oldest session.
const MAX_SESSIONS: usize = 16;

/// A pair of tokens.
pub(super) struct Login {
    key_id: i64,
    /// Whose it is: the key's account, or a subaccount of that.
    pub(super) account: usize,
    access_token: String,
    access_until: i64,
    refresh_token: String,
    refresh_until: i64,
    scope: Scope,
    session: Option<String>,
    sid: Option<String>,
    lifetime: i64,
    /// The connection that it was made on and ends with. One that was made by a request, or for a session, is good everywhere.
    connection: Option<u64>,
}

/// What a login shall be.
struct LoginRequest {
    key_id: i64,
    account: usize,
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

/// `public/auth`. A connection that it comes over is logged in.
pub(super) fn auth(state: &mut State, connection: Option<u64>, params: &Params) -> Outcome {
    let grants = ["client_credentials", "client_signature", "refresh_token"];
    match params.required("grant_type", params.one_of("grant_type", &grants)?)? {
        "client_credentials" => {
            let client_id = params.required("client_id", params.text("client_id")?)?;
            let client_secret = params.required("client_secret", params.text("client_secret")?)?;
            let key_id = state.key_with_secret(&client_id, &client_secret)?.id;
            log_in(state, connection, key_id, params)
        }
        "client_signature" => {
            let key_id = check_signature(state, params)?;
            log_in(state, connection, key_id, params)
        }
        _ => refresh(state, connection, params),
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
    // The nonce is optional, and an empty one cannot be distinguished from another.
    if nonce.is_empty() {
        state.check_timestamp(timestamp)?;
    } else {
        state.spend_nonce(&client_id, &nonce, timestamp)?;
    }
    Ok(key_id)
}

fn log_in(state: &mut State, connection: Option<u64>, key_id: i64, params: &Params) -> Outcome {
    let requested = requested_scope(params)?;
    let key = state.keys.iter().find(|key| key.id == key_id).ok_or_else(|| Error::new(Error::INVALID_CREDENTIALS))?;
    let (scope, account) = (requested.capped_by(&key.max_scope), key.account);
    let longest = i64::from(state.settings.access_token_seconds);
    let lifetime = requested.expires.unwrap_or(longest).min(longest);
    let sid = requested.session.is_some().then(|| random_token("sid"));
    // A connection has one login of its own at a time.
    if let Some(number) = connection.filter(|_| requested.session.is_none()) {
        state.end_connection_logins(number);
    }
    let wanted = LoginRequest { key_id, account, scope, session: requested.session, sid, lifetime };
    open_login(state, connection, wanted, params)
}

fn refresh(state: &mut State, connection: Option<u64>, params: &Params) -> Outcome {
    let found = login_to_renew(state, connection, params)?;
    // Both old tokens end here, so that a copy of them is worth nothing.
    let old = state.logins.remove(found);
    let Login { access_token, key_id, account, scope, session, sid, lifetime, .. } = old;
    let is_session = session.is_some();
    let result =
        open_login(state, connection, LoginRequest { key_id, account, scope, session, sid, lifetime }, params)?;
    if is_session && let Some(renewed) = state.logins.last() {
        // The session continues for every connection that is logged in with it.
        let logins = state.connections.values_mut().filter_map(|connection| connection.login.as_mut());
        for login in logins.filter(|login| login.access_token == access_token) {
            login.access_token.clone_from(&renewed.access_token);
        }
    }
    Ok(result)
}

/// `public/fork_token`: one more session beside the one that the token belongs to.
pub(super) fn fork(state: &mut State, connection: Option<u64>, params: &Params) -> Outcome {
    let name = params.required("session_name", params.text("session_name")?)?;
    let old = &state.logins[login_to_renew(state, connection, params)?];
    if old.session.is_none() {
        return Err(Error::invalid_param("refresh_token", "is not of a session"));
    }
    let Login { key_id, account, lifetime, .. } = *old;
    let scope = old.scope.clone();
    let wanted = LoginRequest { key_id, account, scope, session: Some(name), sid: Some(random_token("sid")), lifetime };
    open_login(state, None, wanted, params)
}

/// `public/exchange_token`: from a main account to one of its subaccounts, and back.
pub(super) fn exchange(state: &mut State, connection: Option<u64>, params: &Params) -> Outcome {
    let subject = params.required("subject_id", params.integer("subject_id")?)?;
    let requested = requested_scope(params)?;
    let found = login_to_renew(state, connection, params)?;
    let Login { key_id, lifetime, .. } = state.logins[found];
    let key_account = state.keys.iter().find(|key| key.id == key_id).map(|key| key.account);
    let key_account = key_account.ok_or_else(|| Error::new(Error::INVALID_CREDENTIALS))?;
    let is_main = state.accounts[key_account].main.is_none();
    let account = state.relative(key_account, subject).filter(|account| is_main || *account == key_account);
    let account = account.ok_or_else(|| Error::no_such_account("subject_id"))?;
    let scope = requested.capped_by(&state.logins[found].scope);
    // Only a session of its own leaves the old tokens alive.
    if requested.session.is_none() {
        state.logins.remove(found);
    }
    let sid = requested.session.is_some().then(|| random_token("sid"));
    let wanted = LoginRequest { key_id, account, scope, session: requested.session, sid, lifetime };
    open_login(state, connection, wanted, params)
}

/// Which login a refresh token belongs to. One that was made on a connection, and for it, is known there only.
fn login_to_renew(state: &State, connection: Option<u64>, params: &Params) -> Result<usize, Error> {
    let token = params.required("refresh_token", params.text("refresh_token")?)?;
    let now = state.now();
    let is_meant = |login: &Login| {
        login.refresh_token == token
            && now < login.refresh_until
            && (login.connection.is_none() || login.connection == connection)
    };
    let found = state.logins.iter().position(is_meant);
    found.ok_or_else(|| Error::new(Error::INVALID_CREDENTIALS).because("unknown or expired refresh_token"))
}

fn requested_scope(params: &Params) -> Result<Requested, Error> {
    let requested = params.text("scope")?.unwrap_or_default();
    Requested::parse(&requested).map_err(|word| Error::invalid_param("scope", format!("unknown scope {word}")))
}

fn open_login(state: &mut State, connection: Option<u64>, wanted: LoginRequest, params: &Params) -> Outcome {
    let now = state.now();
    let LoginRequest { key_id, account, scope, session, sid, lifetime } = wanted;
    let key = state.keys.iter().find(|key| key.id == key_id).ok_or_else(|| Error::new(Error::INVALID_CREDENTIALS))?;
    let login = Login {
        key_id,
        account,
        access_token: random_token(&key.client_id),
        access_until: now + lifetime * 1000,
        refresh_token: random_token(&key.client_id),
        refresh_until: now + i64::from(state.settings.refresh_token_seconds) * 1000,
        scope,
        connection: connection.filter(|_| session.is_none()),
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
    let starts_cancelling = state.accounts[account].cancels_on_disconnect;
    if let Some(connection) = connection.and_then(|number| state.connections.get_mut(&number)) {
        // What the account says holds from the first login of a connection on.
        connection.cancels_on_disconnect |= connection.login.is_none() && starts_cancelling;
        connection.login = Some(ConnectionLogin { access_token: login.access_token.clone(), account });
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

impl Login {
    pub(super) fn has_access_token(&self, token: &str) -> bool {
        self.access_token == token
    }
}

impl State {
    /// The session of an access token that comes over a connection, or in a request.
    pub(super) fn session_of_token(&self, token: &str, connection: Option<u64>) -> Result<Session, Error> {
        let now = self.now();
        let login = self.logins.iter().find(|login| login.access_token == token);
        let login = login.ok_or_else(|| Error::unauthorized("invalid_token"))?;
        if login.connection.is_some() && login.connection != connection {
            return Err(Error::unauthorized("the token belongs to another connection"));
        }
        if now >= login.access_until {
            return Err(Error::unauthorized("token has expired"));
        }
        let key = self.keys.iter().find(|key| key.id == login.key_id && key.enabled);
        let key = key.ok_or_else(|| Error::unauthorized("invalid_token"))?;
        // The key may have been narrowed since the login.
        Ok(Session { account: login.account, scope: login.scope.min(&key.max_scope), connection })
    }

    /// The key that an access token was issued for, and when the token expires.
    pub(super) fn key_of_token(&self, token: &str) -> Option<(&Key, i64)> {
        let login = self.logins.iter().find(|login| login.access_token == token)?;
        Some((self.keys.iter().find(|key| key.id == login.key_id)?, login.access_until))
    }

    /// Ends the logins that were made on a connection and for it.
    pub(super) fn end_connection_logins(&mut self, connection: u64) {
        self.logins.retain(|login| login.connection != Some(connection));
    }

    /// Ends everything that was logged in with a key.
    pub(super) fn end_sessions(&mut self, key_id: i64) {
        self.logins.retain(|login| login.key_id != key_id);
    }
}
