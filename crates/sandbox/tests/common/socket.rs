//! A WebSocket client of the plainest kind, written against the venue's rules and not against our own client.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use venuekit_sandbox::Sandbox;

use crate::common::now_millis;
use crate::deribit::{Caller, hmac_hex, nonce};

/// No response takes as long, so that a lack of one fails a test instead of holding it up.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Socket {
    pub stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next_id: i64,
    /// Messages that were no response to the last call.
    pub others: Vec<Value>,
}

/// What comes instead of a message where a connection ends.
#[derive(Debug, PartialEq)]
pub enum End {
    Closed(u16),
    Lost,
}

impl Socket {
    pub async fn connect(sandbox: &Sandbox) -> Self {
        Self::try_connect(sandbox).await.unwrap()
    }

    pub async fn try_connect(sandbox: &Sandbox) -> Result<Self, Error> {
        let (stream, _) = connect_async(sandbox.deribit_websocket_url()).await?;
        Ok(Self { stream, next_id: 0, others: Vec::new() })
    }

    /// A connection that the account of that index is logged in on.
    pub async fn logged_in(sandbox: &Sandbox, index: usize) -> Self {
        let mut socket = Self::connect(sandbox).await;
        socket.result("public/auth", login(&Caller::given(sandbox, index), "")).await;
        socket
    }

    pub async fn send_text(&mut self, text: impl Into<String>) {
        self.stream.send(Message::text(text.into())).await.unwrap();
    }

    /// Sends a call. Returns its id.
    pub async fn send(&mut self, method: &str, params: Value) -> i64 {
        self.next_id += 1;
        self.send_text(envelope(self.next_id, method, params)).await;
        self.next_id
    }

    /// The next message.
    pub async fn receive(&mut self) -> Result<Value, End> {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.stream.next()).await;
            match next.expect("a message or the end of the connection") {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(frame))) => {
                    return Err(End::Closed(frame.map_or(1005, |frame| frame.code.into())));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(End::Lost),
            }
        }
    }

    /// The response to a call; what comes before it is kept.
    pub async fn call(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params).await;
        self.answer_to(id).await
    }

    pub async fn answer_to(&mut self, id: i64) -> Value {
        loop {
            let message = self.receive().await.unwrap();
            if message["id"] == id {
                return message;
            }
            self.others.push(message);
        }
    }

    /// The response to what was no call.
    pub async fn answer_to_nobody(&mut self) -> Value {
        loop {
            let message = self.receive().await.unwrap();
            if message.get("method").is_none() {
                return message;
            }
            self.others.push(message);
        }
    }

    #[track_caller]
    pub fn result<'a>(&'a mut self, method: &'a str, params: Value) -> impl Future<Output = Value> + 'a {
        let at = std::panic::Location::caller();
        async move {
            let mut answer = self.call(method, params).await;
            assert!(answer.get("error").is_none(), "{method} at {at}: {answer}");
            answer["result"].take()
        }
    }

    /// The number of the error.
    pub async fn refused(&mut self, method: &str, params: Value) -> i64 {
        let answer = self.call(method, params).await;
        answer["error"]["code"].as_i64().unwrap_or_else(|| panic!("{method}: {answer}"))
    }

    /// The next notification on any channel.
    pub async fn notification(&mut self) -> Value {
        if self.others.is_empty() { self.receive().await.unwrap() } else { self.others.remove(0) }
    }
}

pub fn envelope(id: i64, method: &str, params: Value) -> String {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()
}

/// The params of a login that is signed with the client secret.
pub fn login(caller: &Caller<'_>, scope: &str) -> Value {
    let (timestamp, nonce, data) = (now_millis(), nonce(), "");
    let signature = hmac_hex(&caller.secret, &format!("{timestamp}\n{nonce}\n{data}"));
    json!({
        "grant_type": "client_signature", "client_id": caller.id, "timestamp": timestamp, "nonce": nonce, "data": data,
        "signature": signature, "scope": scope,
    })
}

/// An order that rests in the book far from everybody else.
pub fn resting(label: &str) -> Value {
    json!({"instrument_name": "BTC-PERPETUAL", "amount": 10, "type": "limit", "price": 10000, "label": label})
}
