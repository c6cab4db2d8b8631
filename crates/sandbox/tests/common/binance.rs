//! A caller of Binance, written against the venue's rules and not against our own client.

#![allow(dead_code, reason = "each test binary uses its part")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::{Client, Method};
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::signature::{SignatureEncoding as _, Signer as _};
use rust_decimal::Decimal;
use serde_json::Value;
use sha2::Sha256;
use venuekit_sandbox::{Accounts, BinanceKey, Sandbox};

use crate::common::{Answer, now_millis};

pub const KEY_HEADER: &str = "X-MBX-APIKEY";

/// Two accounts with a secret each.
pub async fn two_accounts() -> Sandbox {
    let key = |name: &str| BinanceKey {
        api_key: format!("key-of-{name}"),
        api_secret: Some(format!("secret-of-{name}")),
        account: Some(name.to_owned()),
        ..BinanceKey::default()
    };
    let binance = vec![key("first"), key("second")];
    Sandbox::start(Accounts { binance, ..Accounts::default() }).await.unwrap()
}

pub fn hmac_hex(secret: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

#[derive(Clone)]
pub enum Secret {
    Hmac(String),
    /// PKCS#8 PEM.
    Rsa(String),
    Ed25519(String),
}

/// A caller with a key.
#[derive(Clone)]
pub struct Caller<'a> {
    pub sandbox: &'a Sandbox,
    pub key: String,
    pub secret: Secret,
}

/// Where parameters stand.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    Query,
    Form,
}

impl<'a> Caller<'a> {
    pub fn given(sandbox: &'a Sandbox, index: usize) -> Self {
        let key = &sandbox.accounts().binance[index];
        let secret = match (&key.api_secret, &key.private_key_pem) {
            (Some(secret), _) => Secret::Hmac(secret.clone()),
            (None, Some(pem)) if pem.len() > 500 => Secret::Rsa(pem.clone()),
            (None, pem) => Secret::Ed25519(pem.clone().unwrap()),
        };
        Self { sandbox, key: key.api_key.clone(), secret }
    }

    /// The caller of a key that was created with a secret.
    pub fn of(sandbox: &'a Sandbox, created: &Value) -> Self {
        let text = |name: &str| created[name].as_str().unwrap().to_owned();
        Self { sandbox, key: text("apiKey"), secret: Secret::Hmac(text("secretKey")) }
    }

    /// A signature as it is written, not percent-encoded yet.
    pub fn sign(&self, text: &str) -> String {
        match &self.secret {
            Secret::Hmac(secret) => hmac_hex(secret, text),
            Secret::Rsa(pem) => {
                let key = rsa::PrivateKey::from_pkcs8_pem(pem).unwrap();
                STANDARD.encode(rsa::pkcs1v15::SigningKey::<Sha256>::new(key).sign(text.as_bytes()).to_vec())
            }
            Secret::Ed25519(pem) => {
                let key = ed25519_dalek::SigningKey::from_pkcs8_pem(pem).unwrap();
                STANDARD.encode(key.sign(text.as_bytes()).to_bytes())
            }
        }
    }

    /// Parameters with time and signature.
    pub fn signed(&self, params: &str) -> String {
        let separator = if params.is_empty() { "" } else { "&" };
        let text = format!("{params}{separator}timestamp={}", now_millis());
        format!("{text}&signature={}", encode(&self.sign(&text)))
    }

    pub async fn send(&self, method: &str, path: &str, params: &str, place: Place) -> Answer {
        let signed = self.signed(params);
        let headers = [(KEY_HEADER, self.key.clone())];
        match place {
            Place::Query => send(self.sandbox, method, &format!("{path}?{signed}"), &headers, "").await,
            Place::Form => send(self.sandbox, method, path, &headers, &signed).await,
        }
    }

    /// The response of a call that is accepted. Writes have a form, reads a query.
    #[track_caller]
    pub fn call(&self, method: &str, path: &str, params: &str) -> impl Future<Output = Value> {
        let place = if matches!(method, "POST" | "PUT") { Place::Form } else { Place::Query };
        let (own, method, path, params) = (self.clone(), method.to_owned(), path.to_owned(), params.to_owned());
        let caller = std::panic::Location::caller();
        async move {
            let answer = own.send(&method, &path, &params, place).await;
            assert_eq!(answer.status, 200, "{caller}: {}", answer.json);
            answer.json
        }
    }

    pub async fn get(&self, path: &str, params: &str) -> Value {
        self.call("GET", path, params).await
    }

    /// Code and text of a call that is refused.
    pub async fn refused(&self, method: &str, path: &str, params: &str) -> (u16, i64, String) {
        let answer = self.send(method, path, params, Place::Query).await;
        refusal(&answer)
    }

    /// Places an order. Gives the response.
    pub async fn place(&self, params: &str) -> Value {
        self.call("POST", "/api/v3/order", params).await
    }

    /// What the account has of a coin: free and locked.
    pub async fn coin(&self, coin: &str) -> (Decimal, Decimal) {
        let account = self.get("/api/v3/account", "").await;
        let balances = account["balances"].as_array().unwrap();
        let own = balances.iter().find(|one| one["asset"] == coin);
        own.map_or_else(Default::default, |own| (number(&own["free"]), number(&own["locked"])))
    }
}

pub fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

pub async fn send(sandbox: &Sandbox, method: &str, uri: &str, headers: &[(&str, String)], form: &str) -> Answer {
    let client = Client::builder().no_proxy().build().unwrap();
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = client.request(method, format!("{}{uri}", sandbox.binance_url()));
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    if !form.is_empty() {
        request = request.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned());
    }
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await.unwrap();
    Answer { status, headers, json: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
}

#[track_caller]
pub fn refusal(answer: &Answer) -> (u16, i64, String) {
    assert!(answer.status >= 400, "{}", answer.json);
    let code = answer.json["code"].as_i64().unwrap_or_else(|| panic!("no code: {}", answer.json));
    (answer.status, code, answer.json["msg"].as_str().unwrap_or_default().to_owned())
}

/// What everybody may read.
pub async fn public(sandbox: &Sandbox, uri: &str) -> Value {
    send(sandbox, "GET", uri, &[], "").await.expect(200)
}

pub fn number(value: &Value) -> Decimal {
    value.as_str().unwrap_or_else(|| panic!("{value} is not a text")).parse().unwrap()
}

/// A limit order.
pub fn limit(symbol: &str, side: &str, price: &str, quantity: &str) -> String {
    format!("symbol={symbol}&side={side}&type=LIMIT&timeInForce=GTC&price={price}&quantity={quantity}")
}
