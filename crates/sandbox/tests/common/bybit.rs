//! A caller of Bybit and a client of its streams, written against the venue's rules and not against our own client.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::collections::VecDeque;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt as _, StreamExt as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::signature::{SignatureEncoding as _, Signer as _};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use venuekit_sandbox::{Accounts, BybitKey, Sandbox};

use crate::common::{Answer, now_millis, send};

/// No frame takes as long, so that a lack of one fails a test instead of holding it up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Two accounts with a secret each.
pub async fn two_accounts() -> Sandbox {
    let key = |name: &str| BybitKey {
        api_key: format!("key-of-{name}"),
        api_secret: Some(format!("secret-of-{name}")),
        account: Some(name.to_owned()),
        ..BybitKey::default()
    };
    let bybit = vec![key("first1"), key("second2")];
    Sandbox::start(Accounts { bybit, ..Accounts::default() }).await.unwrap()
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
}

/// A caller with a key.
#[derive(Clone)]
pub struct Caller<'a> {
    pub sandbox: &'a Sandbox,
    pub key: String,
    pub secret: Secret,
}

impl<'a> Caller<'a> {
    pub fn given(sandbox: &'a Sandbox, index: usize) -> Self {
        let key = &sandbox.accounts().bybit[index];
        let secret = match (&key.api_secret, &key.private_key_pem) {
            (Some(secret), _) => Secret::Hmac(secret.clone()),
            (None, pem) => Secret::Rsa(pem.clone().unwrap()),
        };
        Self { sandbox, key: key.api_key.clone(), secret }
    }

    /// The caller of a key that was created.
    pub fn of(sandbox: &'a Sandbox, created: &Value) -> Self {
        let text = |name: &str| created[name].as_str().unwrap().to_owned();
        Self { sandbox, key: text("apiKey"), secret: Secret::Hmac(text("secret")) }
    }

    pub fn sign(&self, text: &str) -> String {
        match &self.secret {
            Secret::Hmac(secret) => hmac_hex(secret, text),
            Secret::Rsa(pem) => {
                let key = rsa::PrivateKey::from_pkcs8_pem(pem).unwrap();
                STANDARD.encode(rsa::pkcs1v15::SigningKey::<Sha256>::new(key).sign(text.as_bytes()).to_vec())
            }
        }
    }

    pub fn headers(&self, timestamp: i64, window: &str, payload: &str) -> Vec<(&'static str, String)> {
        let signature = self.sign(&format!("{timestamp}{}{window}{payload}", self.key));
        vec![
            ("X-BAPI-API-KEY", self.key.clone()),
            ("X-BAPI-TIMESTAMP", timestamp.to_string()),
            ("X-BAPI-RECV-WINDOW", window.to_owned()),
            ("X-BAPI-SIGN", signature),
        ]
    }

    pub async fn get(&self, path: &str, query: &str) -> Answer {
        let uri = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        send(self.sandbox, "GET", &uri, &self.headers(now_millis(), "5000", query), "").await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        let body = body.to_string();
        send(self.sandbox, "POST", path, &self.headers(now_millis(), "5000", &body), &body).await
    }

    /// The result of a read.
    pub async fn read(&self, path: &str, query: &str) -> Value {
        good(self.get(path, query).await)
    }

    /// The result of a write.
    pub async fn write(&self, path: &str, body: Value) -> Value {
        good(self.post(path, body).await)
    }

    /// The code of a refused read.
    pub async fn refused_read(&self, path: &str, query: &str) -> i64 {
        code(&self.get(path, query).await)
    }

    /// The code of a refused write.
    pub async fn refused(&self, path: &str, body: Value) -> i64 {
        code(&self.post(path, body).await)
    }

    /// Places an order. Returns its id.
    pub async fn place(&self, order: Value) -> String {
        self.write("/v5/order/create", order).await["orderId"].as_str().unwrap().to_owned()
    }

    /// The order of an id.
    pub async fn order(&self, category: &str, id: &str) -> Value {
        let mut found = self.read("/v5/order/realtime", &format!("category={category}&orderId={id}")).await;
        found["list"][0].take()
    }
}

#[track_caller]
pub fn good(answer: Answer) -> Value {
    let mut json = answer.expect(200);
    assert_eq!(json["retCode"], 0, "{json}");
    assert!(json["time"].is_i64() && json["retExtInfo"].is_object(), "{json}");
    json["result"].take()
}

#[track_caller]
pub fn code(answer: &Answer) -> i64 {
    assert_eq!(answer.status, 200, "{}", answer.json);
    assert_eq!(answer.json["result"], json!({}), "{}", answer.json);
    answer.json["retCode"].as_i64().unwrap()
}

/// What everybody may read.
pub async fn public(sandbox: &Sandbox, uri: &str) -> Value {
    good(send(sandbox, "GET", uri, &[], "").await)
}

/// A limit order.
pub fn limit(category: &str, symbol: &str, side: &str, price: &str, qty: &str) -> Value {
    json!({"category": category, "symbol": symbol, "side": side, "orderType": "Limit", "price": price, "qty": qty})
}

pub fn market(category: &str, symbol: &str, side: &str, qty: &str) -> Value {
    json!({"category": category, "symbol": symbol, "side": side, "orderType": "Market", "qty": qty})
}

/// The same object with more members.
pub fn with(mut value: Value, more: Value) -> Value {
    value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    value
}

pub fn number(value: &Value) -> Decimal {
    value.as_str().unwrap_or_else(|| panic!("{value} is not a text")).parse().unwrap()
}

/// A client of a stream or of the trade channel.
pub struct Socket {
    pub stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Frames that came while another one was waited for.
    pub kept: VecDeque<Value>,
}

/// What comes instead of a frame where a connection ends.
#[derive(Debug, PartialEq)]
pub enum End {
    Closed(u16),
    Lost,
}

impl Socket {
    pub async fn open(sandbox: &Sandbox, endpoint: &str) -> Self {
        let (stream, _) = connect_async(sandbox.bybit_websocket_url(endpoint)).await.unwrap();
        Self { stream, kept: VecDeque::new() }
    }

    pub async fn logged_in(caller: &Caller<'_>, endpoint: &str) -> Self {
        let mut socket = Self::open(caller.sandbox, endpoint).await;
        let reply = socket.log_in(caller).await;
        assert!(reply["success"] == true || reply["retCode"] == 0, "{reply}");
        socket
    }

    pub async fn log_in(&mut self, caller: &Caller<'_>) -> Value {
        let expires = now_millis() + 60_000;
        let signature = caller.sign(&format!("GET/realtime{expires}"));
        self.say(json!({"op": "auth", "args": [caller.key, expires, signature]})).await;
        self.receive().await.unwrap()
    }

    pub async fn say(&mut self, message: Value) {
        self.stream.send(Message::text(message.to_string())).await.unwrap();
    }

    /// Sends a command and waits for its reply; frames of data that come first are kept.
    pub async fn command(&mut self, op: &str, args: &[&str]) -> Value {
        self.say(json!({"op": op, "args": args, "req_id": "17"})).await;
        self.reply().await
    }

    /// The next frame that is not data.
    pub async fn reply(&mut self) -> Value {
        loop {
            let frame = self.receive().await.unwrap();
            if frame.get("topic").is_none() {
                return frame;
            }
            self.kept.push_back(frame);
        }
    }

    pub async fn subscribe(&mut self, topics: &[&str]) {
        let reply = self.command("subscribe", topics).await;
        assert_eq!(reply["success"], true, "{reply}");
    }

    /// The next frame of data.
    pub async fn data(&mut self) -> Value {
        match self.kept.pop_front() {
            Some(kept) => kept,
            None => self.receive().await.unwrap(),
        }
    }

    /// Everything that was sent before the reply to a ping.
    pub async fn rest(&mut self) -> Vec<Value> {
        self.say(json!({"op": "ping", "req_id": "rest"})).await;
        self.reply().await;
        self.kept.drain(..).collect()
    }

    /// The data frames of a channel among everything that was sent.
    pub async fn all(&mut self, channel: &str) -> Vec<Value> {
        let all = self.rest().await.into_iter();
        all.filter(|frame| frame["topic"].as_str().is_some_and(|topic| topic.starts_with(channel))).collect()
    }

    pub async fn receive(&mut self) -> Result<Value, End> {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.stream.next()).await;
            match next.expect("a frame or the end of the connection") {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(frame))) => {
                    return Err(End::Closed(frame.map_or(1005, |frame| frame.code.into())));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(End::Lost),
            }
        }
    }
}
