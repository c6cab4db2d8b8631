//! Signs and sends requests, written against the venues' rules and not against our own clients.

#![allow(dead_code, reason = "each test binary uses its part")]

pub mod trader;

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Client, Method};
use rsa::PrivateKey;
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::signature::{RandomizedSigner, SignatureEncoding, Signer};
use serde_json::Value;
use sha2::{Digest, Sha256};
use venuekit_sandbox::{BayseAccount, Sandbox};

pub fn now_millis() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub json: Value,
}

impl Answer {
    async fn read(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.unwrap();
        Self { status, headers, json: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.json);
        self.json
    }
}

pub async fn send(sandbox: &Sandbox, method: &str, path: &str, headers: &[(&str, String)], body: &str) -> Answer {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let mut request =
        Client::builder().no_proxy().build().unwrap().request(method, format!("{}{path}", sandbox.base_url()));
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    if !body.is_empty() {
        request = request.header("content-type", "application/json").body(body.to_owned());
    }
    Answer::read(request.send().await.unwrap()).await
}

pub enum Signature {
    Pss { salt: usize },
    Pkcs1v15,
    Ed25519,
}

/// A Kalshi caller.
pub struct Kalshi<'a> {
    pub sandbox: &'a Sandbox,
    pub key_id: String,
    pub private_pem: String,
}

impl<'a> Kalshi<'a> {
    /// The RSA key (0) or the Ed25519 key (1) of a sandbox with made-up accounts.
    pub fn given(sandbox: &'a Sandbox, index: usize) -> Self {
        let key = &sandbox.accounts().kalshi[index];
        Self { sandbox, key_id: key.key_id.clone(), private_pem: key.private_key_pem.clone().unwrap() }
    }

    pub async fn call(&self, method: &str, path: &str, body: &str) -> Answer {
        // By its label: the base64 of a key may contain any letters.
        let scheme = if self.private_pem.starts_with("-----BEGIN RSA ") {
            Signature::Pss { salt: 32 }
        } else {
            Signature::Ed25519
        };
        let bare = path.split('?').next().unwrap();
        self.call_with(method, path, body, &scheme, now_millis(), bare).await
    }

    pub async fn call_with(
        &self,
        method: &str,
        path: &str,
        body: &str,
        scheme: &Signature,
        timestamp: i64,
        signed_path: &str,
    ) -> Answer {
        let signature = self.sign(scheme, &format!("{timestamp}{method}{signed_path}"));
        let headers = [
            ("KALSHI-ACCESS-KEY", self.key_id.clone()),
            ("KALSHI-ACCESS-TIMESTAMP", timestamp.to_string()),
            ("KALSHI-ACCESS-SIGNATURE", signature),
        ];
        send(self.sandbox, method, path, &headers, body).await
    }

    pub fn sign(&self, scheme: &Signature, text: &str) -> String {
        let rsa = || PrivateKey::from_pkcs1_pem(&self.private_pem).unwrap();
        STANDARD.encode(match scheme {
            Signature::Pss { salt } => {
                let key = rsa::pss::SigningKey::<Sha256>::new_with_salt_len(rsa(), *salt);
                key.sign_with_rng(&mut rand::rng(), text.as_bytes()).to_vec()
            }
            Signature::Pkcs1v15 => rsa::pkcs1v15::SigningKey::<Sha256>::new(rsa()).sign(text.as_bytes()).to_vec(),
            Signature::Ed25519 => {
                SigningKey::from_pkcs8_pem(&self.private_pem).unwrap().sign(text.as_bytes()).to_bytes().to_vec()
            }
        })
    }
}

/// A Bayse caller.
pub struct Bayse<'a> {
    pub sandbox: &'a Sandbox,
    pub public_key: String,
    pub secret_key: String,
}

impl<'a> Bayse<'a> {
    pub fn given(sandbox: &'a Sandbox) -> Self {
        let BayseAccount { public_key, secret_key, .. } = &sandbox.accounts().bayse[0];
        Self { sandbox, public_key: public_key.clone(), secret_key: secret_key.clone() }
    }

    pub async fn read(&self, path: &str) -> Answer {
        send(self.sandbox, "GET", path, &[("X-Public-Key", self.public_key.clone())], "").await
    }

    pub async fn write(&self, method: &str, path: &str, body: &str, more: &[(&str, &str)]) -> Answer {
        let mut headers = self.sign(now_millis() / 1000, method, path, body).to_vec();
        headers.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        send(self.sandbox, method, path, &headers, body).await
    }

    pub fn sign(&self, timestamp: i64, method: &str, path: &str, body: &str) -> [(&'static str, String); 3] {
        let hash = if body.is_empty() { String::new() } else { hex::encode(Sha256::digest(body)) };
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret_key.as_bytes()).unwrap();
        mac.update(format!("{timestamp}.{method}.{path}.{hash}").as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        [("X-Public-Key", self.public_key.clone()), ("X-Timestamp", timestamp.to_string()), ("X-Signature", signature)]
    }
}

/// A call with the session of a sandbox's first Bayse account.
pub async fn session(sandbox: &Sandbox, method: &str, path: &str, body: &str) -> Answer {
    let account = &sandbox.accounts().bayse[0];
    let headers = [("x-auth-token", account.auth_token.clone()), ("x-device-id", account.device_id.clone())];
    send(sandbox, method, path, &headers, body).await
}
