//! A caller of Kalshi over one connection pool, with its own account.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signer as _;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use reqwest::{Client, Method};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use venuekit_sandbox::{Accounts, KalshiKey, Sandbox};

use super::now_millis;

pub const API: &str = "/trade-api/v2";

pub struct Trader {
    client: Client,
    base: String,
    key_id: String,
    key: SigningKey,
}

/// A sandbox with so many accounts of Kalshi, each with one key.
pub async fn traders(count: usize) -> (Sandbox, Vec<Trader>) {
    let key = |number: usize| KalshiKey { account: Some(format!("account-{number}")), ..KalshiKey::default() };
    let accounts = Accounts { kalshi: (0..count).map(key).collect(), ..Accounts::default() };
    let sandbox = Sandbox::start(accounts).await.unwrap();
    let client = Client::new();
    let trader = |key: &KalshiKey| Trader {
        client: client.clone(),
        base: sandbox.base_url(),
        key_id: key.key_id.clone(),
        key: SigningKey::from_pkcs8_pem(key.private_key_pem.as_ref().unwrap()).unwrap(),
    };
    let traders = sandbox.accounts().kalshi.iter().map(trader).collect();
    (sandbox, traders)
}

impl Trader {
    /// A call to a path below the API, as it was answered.
    pub async fn send(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        self.send_at(method, path, body, now_millis()).await
    }

    /// The same with a time stamp of its own.
    pub async fn send_at(&self, method: &str, path: &str, body: Option<Value>, now: i64) -> (u16, Value) {
        let bare = path.split('?').next().unwrap();
        let mut request =
            self.client.request(Method::from_bytes(method.as_bytes()).unwrap(), format!("{}{API}{path}", self.base));
        for (name, value) in self.sign(method, &format!("{API}{bare}"), now) {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or(Value::Null))
    }

    /// The same account with a new key, created with more members than its name.
    pub async fn with_new_key(&self, members: Value) -> Self {
        let mut new = json!({"name": "another", "key_type": "ed25519"});
        new.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let made = self.post("/api_keys/generate", new, 201).await;
        Self {
            client: self.client.clone(),
            base: self.base.clone(),
            key_id: made["api_key_id"].as_str().unwrap().to_owned(),
            key: SigningKey::from_pkcs8_pem(made["private_key"].as_str().unwrap()).unwrap(),
        }
    }

    /// The headers that sign a request.
    pub fn sign(&self, method: &str, path: &str, now: i64) -> [(&'static str, String); 3] {
        let signature = self.key.sign(format!("{now}{method}{path}").as_bytes()).to_bytes();
        [
            ("KALSHI-ACCESS-KEY", self.key_id.clone()),
            ("KALSHI-ACCESS-TIMESTAMP", now.to_string()),
            ("KALSHI-ACCESS-SIGNATURE", STANDARD.encode(signature)),
        ]
    }

    #[track_caller]
    fn expected((status, json): (u16, Value), wanted: u16, call: &str) -> Value {
        assert_eq!(status, wanted, "{call}: {json}");
        json
    }

    pub async fn get(&self, path: &str) -> Value {
        Self::expected(self.send("GET", path, None).await, 200, path)
    }

    pub async fn post(&self, path: &str, body: Value, status: u16) -> Value {
        Self::expected(self.send("POST", path, Some(body)).await, status, path)
    }

    pub async fn put(&self, path: &str, body: Value) -> Value {
        self.put_for(path, body, 200).await
    }

    pub async fn put_for(&self, path: &str, body: Value, status: u16) -> Value {
        Self::expected(self.send("PUT", path, Some(body)).await, status, path)
    }

    pub async fn delete(&self, path: &str, status: u16) -> Value {
        Self::expected(self.send("DELETE", path, None).await, status, path)
    }

    /// Everything of a list with pages.
    pub async fn all(&self, path: &str, member: &str) -> Vec<Value> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        let separator = if path.contains('?') { '&' } else { '?' };
        loop {
            let page = self.get(&format!("{path}{separator}limit=50&cursor={cursor}")).await;
            items.extend(page[member].as_array().unwrap().iter().cloned());
            cursor = page["cursor"].as_str().unwrap_or_default().to_owned();
            if cursor.is_empty() {
                return items;
            }
        }
    }

    /// Places an order that stays until it is cancelled.
    pub async fn order(&self, ticker: &str, side: &str, price: &str, count: &str) -> Value {
        self.post("/portfolio/events/orders", order(ticker, side, price, count, json!({})), 201).await
    }

    /// Places an order on a perpetual future that stays until it is cancelled.
    pub async fn margin_order(&self, side: &str, price: &str, count: &str) -> Value {
        self.post("/margin/orders", margin_order(side, price, count, json!({})), 201).await
    }
}

/// The body of an order, with some members replaced.
pub fn order(ticker: &str, side: &str, price: &str, count: &str, replaced: Value) -> Value {
    let mut order = json!({
        "ticker": ticker, "side": side, "count": count, "price": price,
        "time_in_force": "good_till_canceled", "self_trade_prevention_type": "taker_at_cross",
    });
    order.as_object_mut().unwrap().extend(replaced.as_object().unwrap().clone());
    order
}

pub const PERP: &str = "KXETHPERP";

/// The body of an order on a perpetual future, with some members replaced.
pub fn margin_order(side: &str, price: &str, count: &str, replaced: Value) -> Value {
    let id = format!("{:032x}", rand::random::<u128>());
    let mut order = order(PERP, side, price, count, json!({"client_order_id": id}));
    order.as_object_mut().unwrap().extend(replaced.as_object().unwrap().clone());
    order
}

/// A decimal of a response.
#[track_caller]
pub fn number(value: &Value) -> Decimal {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).parse().unwrap()
}

/// The price of the market in which tests trade: its first one that is open.
pub async fn open_market(trader: &Trader) -> Value {
    trader.get("/markets?status=open&limit=1").await["markets"][0].take()
}
