//! Login and the life cycle of API keys.

use serde::Deserialize;
use serde_json::{Value, json};

use super::error::Refusal;
use super::{Account, Session, read};
use crate::clock::rfc3339;
use crate::make::{random_text, uuid};
use crate::message::{Reply, Request};

const LOGIN_PAUSE_MILLIS: i64 = 120_000;

/// One API key that has not been revoked.
pub(super) struct Key {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) public: String,
    pub(super) secret: String,
    pub(super) created: i64,
}

impl Key {
    fn to_json(&self) -> Value {
        let hint = &self.secret[self.secret.char_indices().rev().nth(2).map_or(0, |(index, _)| index)..];
        json!({
            "id": self.id,
            "name": self.name,
            "publicKey": self.public,
            "secretKeyHint": format!("sk_live_...{hint}"),
            "createdAt": rfc3339(self.created),
        })
    }

    /// The response that shows the secret, the only time.
    fn reveal(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "publicKey": self.public,
            "secretKey": self.secret,
            "signingInstructions": {
                "algorithm": "HMAC-SHA256",
                "headers": ["X-Public-Key", "X-Timestamp", "X-Signature"],
                "payloadFormat": "{timestamp}.{method}.{path}.{bodyHash}",
                "timestampWindowSeconds": 300,
            },
        })
    }
}

fn new_secret() -> String {
    format!("sk_live_{}", random_text(32))
}

#[derive(Deserialize)]
struct Login {
    email: Option<String>,
    password: Option<String>,
}

/// Opens a session. The pause counts from the last login that succeeded.
pub(super) fn login(accounts: &mut [Account], request: &Request, now: i64) -> Result<Reply, Refusal> {
    let login: Login = read::body(request)?;
    let email = read::required(login.email.as_deref(), "email")?;
    let password = read::required(login.password.as_deref(), "password")?;
    if password.chars().count() > 128 {
        return Err(Refusal::invalid("password must have at most 128 characters"));
    }
    let wrong = || Refusal::unauthorized("invalid email or password");
    let account = accounts.iter_mut().find(|account| account.email.eq_ignore_ascii_case(email)).ok_or_else(wrong)?;
    if let Some(last) = account.last_login {
        let left = last + LOGIN_PAUSE_MILLIS - now;
        if left > 0 {
            return Err(Refusal::login_limit((left + 999) / 1000));
        }
    }
    if account.password != password {
        return Err(wrong());
    }
    account.last_login = Some(now);
    let session = Session { token: random_text(43), device: format!("d_{}", random_text(12)) };
    let answer = json!({"token": session.token, "deviceId": session.device, "userId": account.user_id});
    account.sessions.push(session);
    Ok(Reply::json(200, &answer))
}

#[derive(Deserialize)]
struct NewKey {
    name: Option<String>,
}

pub(super) fn create(account: &mut Account, request: &Request, now: i64) -> Result<Reply, Refusal> {
    let new: NewKey = read::body(request)?;
    let name = read::required(new.name.as_deref(), "name")?;
    if account.keys.iter().any(|key| key.name == name) {
        return Err(Refusal::new(409, "conflict", "an API key with this name exists"));
    }
    let key = Key {
        id: uuid(),
        name: name.to_owned(),
        public: format!("pk_live_{}", random_text(24)),
        secret: new_secret(),
        created: now,
    };
    let mut answer = key.reveal();
    answer["createdAt"] = rfc3339(key.created).into();
    account.keys.push(key);
    Ok(Reply::json(200, &answer))
}

/// Finds a user by number or by tag: what stands before the `@` of the address.
pub(super) fn look_up(accounts: &[Account], request: &Request) -> Result<Reply, Refusal> {
    let asked = |name: &str| request.query_value(name).filter(|value| !value.is_empty());
    let is_wanted: Box<dyn Fn(&&Account) -> bool> = match (asked("tag"), asked("userId")) {
        (Some(tag), None) => Box::new(move |account| account.tag().eq_ignore_ascii_case(&tag)),
        (None, Some(id)) => Box::new(move |account| account.user_id == id),
        _ => return Err(Refusal::invalid("exactly one of tag and userId is required")),
    };
    let found = accounts.iter().find(is_wanted).ok_or_else(|| Refusal::not_found("user"))?;
    Ok(Reply::json(200, &json!({"id": found.user_id, "tag": found.tag(), "imageUrl": ""})))
}

pub(super) fn list(account: &Account) -> Reply {
    let keys: Vec<Value> = account.keys.iter().map(Key::to_json).collect();
    Reply::json(200, &json!({"total": keys.len(), "keys": keys}))
}

pub(super) fn revoke(account: &mut Account, id: &str) -> Result<Reply, Refusal> {
    let index = account.keys.iter().position(|key| key.id == id).ok_or_else(|| Refusal::not_found("API key"))?;
    account.keys.remove(index);
    Ok(Reply::json(200, &json!({"message": "API key revoked"})))
}

/// Replaces the secret. The old one stops at once.
pub(super) fn rotate(account: &mut Account, id: &str) -> Result<Reply, Refusal> {
    let key = account.keys.iter_mut().find(|key| key.id == id).ok_or_else(|| Refusal::not_found("API key"))?;
    key.secret = new_secret();
    Ok(Reply::json(200, &key.reveal()))
}
