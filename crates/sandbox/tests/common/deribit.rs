//! A Deribit caller, written against the venue's rules and not against our own client.

#![allow(dead_code, reason = "each test binary uses its part")]

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use venuekit_sandbox::{Accounts, DeribitKey, Sandbox};

use crate::common::{Answer, now_millis, send};

pub async fn sandbox() -> Sandbox {
    Sandbox::start(Accounts::default()).await.unwrap()
}

/// Two accounts with a client secret; the second one has a security key.
pub async fn two_accounts() -> Sandbox {
    let key = |id: &str, totp: Option<&str>| DeribitKey {
        client_id: id.to_owned(),
        client_secret: Some(format!("secret-of-{id}")),
        totp_code: totp.map(str::to_owned),
        ..DeribitKey::default()
    };
    let deribit = vec![key("first", None), key("second", Some("042137"))];
    Sandbox::start(Accounts { deribit, ..Accounts::default() }).await.unwrap()
}

pub fn hmac_hex(secret: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// A caller with a client secret.
pub struct Caller<'a> {
    pub sandbox: &'a Sandbox,
    pub id: String,
    pub secret: String,
}

impl<'a> Caller<'a> {
    pub fn given(sandbox: &'a Sandbox, index: usize) -> Self {
        let key = &sandbox.accounts().deribit[index];
        Self { sandbox, id: key.client_id.clone(), secret: key.client_secret.clone().unwrap() }
    }

    pub fn of(sandbox: &'a Sandbox, key: &Value) -> Self {
        let text = |name: &str| key[name].as_str().unwrap().to_owned();
        Self { sandbox, id: text("client_id"), secret: text("client_secret") }
    }

    pub fn header(&self, timestamp: i64, nonce: &str, method: &str, uri: &str, body: &str) -> String {
        let signature = hmac_hex(&self.secret, &format!("{timestamp}\n{nonce}\n{method}\n{uri}\n{body}\n"));
        format!("deri-hmac-sha256 id={},ts={timestamp},nonce={nonce},sig={signature}", self.id)
    }

    /// A signed POST with an envelope.
    pub async fn call(&self, method: &str, params: Value) -> Answer {
        let body = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).to_string();
        let uri = format!("/api/v2/{method}");
        let header = self.header(now_millis(), &nonce(), "POST", &uri, &body);
        send(self.sandbox, "POST", &uri, &[("authorization", header)], &body).await
    }

    pub async fn result(&self, method: &str, params: Value) -> Value {
        self.call(method, params).await.expect(200)["result"].take()
    }

    pub async fn refused(&self, method: &str, params: Value) -> (u16, i64) {
        let answer = self.call(method, params).await;
        (answer.status, answer.json["error"]["code"].as_i64().unwrap_or_default())
    }
}

pub fn nonce() -> String {
    hex::encode(rand::random::<[u8; 8]>())
}

pub async fn post(sandbox: &Sandbox, method: &str, params: Value, header: Option<String>) -> Answer {
    let body = json!({"jsonrpc": "2.0", "id": "a", "method": method, "params": params}).to_string();
    let headers: Vec<_> = header.map(|header| ("authorization", header)).into_iter().collect();
    send(sandbox, "POST", &format!("/api/v2/{method}"), &headers, &body).await
}

pub async fn get(sandbox: &Sandbox, uri: &str, header: Option<String>) -> Answer {
    let headers: Vec<_> = header.map(|header| ("authorization", header)).into_iter().collect();
    send(sandbox, "GET", uri, &headers, "").await
}
