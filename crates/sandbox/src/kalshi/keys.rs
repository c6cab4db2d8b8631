//! The life cycle of API keys.

use serde::Deserialize;
use serde_json::{Value, json};

use super::call::Call;
use super::error::Refusal;
use super::read;
use super::state::State;
use crate::accounts::KalshiKey;
use crate::make::{KeyPair, ed25519_key_pair, rsa_key_pair, uuid};
use crate::message::{Reply, Request};
use crate::verify::PublicKey;

const SCOPES: [&str; 8] = [
    "read",
    "write",
    "read::block_trade_accept",
    "read::portfolio_balance",
    "write::trade",
    "write::transfer",
    "write::fcm_risk",
    "write::block_trade_accept",
];

/// One registered key.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) public: PublicKey,
    pub(super) scopes: Vec<String>,
    /// The index of its account.
    pub(super) user: usize,
    /// The one subaccount that the key may touch.
    pub(super) subaccount: Option<i64>,
    pub(super) name: String,
}

impl Key {
    pub(super) fn given(key: &KalshiKey, number: usize, user: usize) -> Self {
        Self {
            id: key.key_id.clone(),
            public: PublicKey::from_pem(&key.public_key_pem).expect("accounts are checked before a sandbox starts"),
            scopes: key.scopes.clone().unwrap_or_else(full_access),
            user,
            subaccount: None,
            name: format!("sandbox {number}"),
        }
    }

    fn to_json(&self) -> Value {
        let mut json = json!({"api_key_id": self.id, "name": self.name, "scopes": self.scopes});
        if let Some(subaccount) = self.subaccount {
            json["subaccount"] = subaccount.into();
        }
        json
    }
}

fn full_access() -> Vec<String> {
    vec!["read".to_owned(), "write".to_owned()]
}

/// What create and generate take.
#[derive(Deserialize)]
struct NewKey {
    name: Option<String>,
    public_key: Option<String>,
    key_type: Option<String>,
    scopes: Option<Vec<String>>,
    subaccount: Option<i64>,
    fcm_subtrader_id: Option<String>,
}

impl NewKey {
    fn read(request: &Request) -> Result<Self, Refusal> {
        let new: Self = read::body(request)?;
        if new.name.as_deref().unwrap_or_default().trim().is_empty() {
            return Err(Refusal::invalid("name is required"));
        }
        if let Some(scopes) = &new.scopes {
            check_scopes(scopes)?;
        }
        if new.subaccount.is_some_and(|number| !(0..=63).contains(&number)) {
            return Err(Refusal::invalid("subaccount must be between 0 and 63"));
        }
        match (&new.fcm_subtrader_id, new.subaccount) {
            (Some(_), Some(_)) => Err(Refusal::invalid("subaccount and fcm_subtrader_id exclude each other")),
            (Some(_), None) => Err(Refusal::forbidden("fcm_subtrader_id is for members of an FCM")),
            (None, _) => Ok(new),
        }
    }

    fn into_key(self, public: PublicKey, user: usize) -> Key {
        Key {
            id: uuid(),
            public,
            user,
            scopes: self.scopes.unwrap_or_else(full_access),
            subaccount: self.subaccount,
            name: self.name.unwrap_or_default(),
        }
    }
}

fn check_scopes(scopes: &[String]) -> Result<(), Refusal> {
    let has = |scope: &str| scopes.iter().any(|one| one == scope);
    if let Some(unknown) = scopes.iter().find(|scope| !SCOPES.contains(&scope.as_str())) {
        return Err(Refusal::invalid(&format!("unknown scope {unknown}")));
    }
    if scopes.is_empty() {
        return Err(Refusal::invalid("scopes must not be empty"));
    }
    if has("write") && !has("read") {
        return Err(Refusal::invalid("the scope write needs the scope read"));
    }
    Ok(())
}

/// Registers the caller's own public key.
pub(super) fn create(request: &Request, user: usize) -> Result<(Key, Reply), Refusal> {
    let new = NewKey::read(request)?;
    let pem = new.public_key.as_deref().ok_or_else(|| Refusal::invalid("public_key is required"))?;
    let public = PublicKey::from_pem(pem)
        .ok_or_else(|| Refusal::invalid("public_key must be an RSA or Ed25519 key in PEM, BEGIN PUBLIC KEY"))?;
    if public.rsa_bits().is_some_and(|bits| bits < 2048) {
        return Err(Refusal::invalid("public_key must have at least 2048 bits"));
    }
    let key = new.into_key(public, user);
    let reply = Reply::json(201, &json!({"api_key_id": key.id}));
    Ok((key, reply))
}

/// Makes a key pair and hands out its private half.
pub(super) fn generate(request: &Request, user: usize) -> Result<(Key, Reply), Refusal> {
    let new = NewKey::read(request)?;
    let key_type = new.key_type.clone().unwrap_or_else(|| "rsa".to_owned());
    let KeyPair { private_pem, public_pem } = match key_type.as_str() {
        "rsa" => rsa_key_pair(),
        "ed25519" => ed25519_key_pair(),
        _ => return Err(Refusal::invalid("key_type must be rsa or ed25519")),
    };
    let key = new.into_key(PublicKey::from_pem(&public_pem).expect("a fresh key parses"), user);
    let reply = Reply::json(201, &json!({"api_key_id": key.id, "key_type": key_type, "private_key": private_pem}));
    Ok((key, reply))
}

/// Lists the keys of the account. It is no FCM, so that no key is bound to a subtrader.
pub(super) fn list(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let user = call.user()?;
    let bound = call.query().text("fcm_subtrader_id").is_some();
    let own = state.keys.iter().filter(|key| key.user == user && !bound);
    let shown: Vec<Value> = own.map(|key| key.to_json()).collect();
    Ok(Reply::json(200, &json!({"api_keys": shown})))
}

/// Deletes one key for good.
pub(super) fn delete(state: &mut State, call: &Call) -> Result<Reply, Refusal> {
    let (user, id) = (call.user()?, call.given.in_path("api_key"));
    let index = state.keys.iter().position(|key| key.user == user && key.id == id).ok_or_else(Refusal::not_found)?;
    state.keys.remove(index);
    Ok(Reply::empty(204))
}
