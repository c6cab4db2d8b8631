//! A client of Bayse's streams of the plainest kind, written against the venue's rules and not against our own client.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use venuekit_sandbox::{Accounts, BayseAccount, BayseStreamSettings, Sandbox};

use crate::common::{Bayse, send};

/// No message takes as long, so that a lack of one fails a test instead of holding it up.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Stream {
    pub socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Objects of the last frame that were not taken yet.
    rest: VecDeque<Value>,
    /// How many objects each frame held.
    pub frames: Vec<usize>,
}

/// What comes instead of a message where a connection ends.
#[derive(Debug, PartialEq)]
pub enum End {
    Closed(u16),
    Lost,
}

impl Stream {
    /// A connection that has been greeted.
    pub async fn connect(sandbox: &Sandbox, endpoint: &str) -> Self {
        let mut stream = Self::try_connect(sandbox, endpoint).await.unwrap();
        let greeting = stream.next().await;
        assert_eq!((&greeting["type"], &greeting["status"]), (&json!("connected"), &json!("connected")));
        assert!(greeting["clientId"].is_string() && greeting["message"].is_string() && greeting["timestamp"].is_i64());
        stream
    }

    pub async fn try_connect(sandbox: &Sandbox, endpoint: &str) -> Result<Self, Error> {
        let (socket, _) = connect_async(sandbox.bayse_websocket_url(endpoint)).await?;
        Ok(Self { socket, rest: VecDeque::new(), frames: Vec::new() })
    }

    pub async fn say(&mut self, message: Value) {
        self.say_text(message.to_string()).await;
    }

    pub async fn say_text(&mut self, text: impl Into<String>) {
        self.socket.send(Message::text(text.into())).await.unwrap();
    }

    pub async fn try_next(&mut self) -> Result<Value, End> {
        loop {
            if let Some(object) = self.rest.pop_front() {
                return Ok(object);
            }
            let next = tokio::time::timeout(PATIENCE, self.socket.next()).await;
            match next.expect("a message or the end of the connection") {
                Some(Ok(Message::Text(text))) => {
                    self.rest = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
                    self.frames.push(self.rest.len());
                }
                Some(Ok(Message::Close(frame))) => {
                    return Err(End::Closed(frame.map_or(1005, |frame| frame.code.into())));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(End::Lost),
            }
        }
    }

    pub async fn next(&mut self) -> Value {
        self.try_next().await.unwrap()
    }

    /// The next message of a type; what comes before is dropped.
    pub async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let message = self.next().await;
            if message["type"] == kind {
                return message;
            }
        }
    }

    /// The response to a message.
    pub async fn ask(&mut self, message: Value) -> Value {
        self.say(message).await;
        self.next().await
    }

    /// Rooms that the reply to a subscription names.
    pub async fn subscribe(&mut self, message: Value, count: usize) -> Vec<String> {
        self.say(message).await;
        let mut rooms = Vec::new();
        while rooms.len() < count {
            let answer = self.next_of("subscribed").await;
            let room = answer["room"].as_str().unwrap().to_owned();
            assert_eq!(answer["message"], json!(format!("Subscribed to: {room}")));
            assert!(answer["timestamp"].is_i64());
            rooms.push(room);
        }
        rooms
    }

    #[track_caller]
    pub fn refused<'a>(&'a mut self, message: Value, text: &'a str) -> impl Future<Output = ()> + 'a {
        let at = std::panic::Location::caller();
        async move {
            let answer = self.ask(message.clone()).await;
            assert_eq!(
                (&answer["type"], &answer["data"]["message"]),
                (&json!("error"), &json!(text)),
                "{message} at {at}"
            );
        }
    }

    /// Whether nothing came before the response to a ping.
    pub async fn is_quiet(&mut self, ping: Value) -> bool {
        self.ask(ping).await["type"] == "pong"
    }
}

/// A sandbox with two accounts of Bayse, whose streams tell nothing at the beginning unless something happens.
pub async fn quiet_sandbox() -> Sandbox {
    let sandbox = sandbox().await;
    let settings = BayseStreamSettings { sends_at_once: false, ..BayseStreamSettings::default() };
    sandbox.set_bayse_stream_settings(settings);
    sandbox
}

pub async fn sandbox() -> Sandbox {
    let accounts = Accounts { bayse: vec![BayseAccount::default(), BayseAccount::default()], ..Accounts::default() };
    Sandbox::start(accounts).await.unwrap()
}

/// The account of an index, as one who signs.
pub fn trader(sandbox: &Sandbox, index: usize) -> Bayse<'_> {
    let BayseAccount { public_key, secret_key, .. } = &sandbox.accounts().bayse[index];
    Bayse { sandbox, public_key: public_key.clone(), secret_key: secret_key.clone() }
}

pub fn by_key(sandbox: &Sandbox, index: usize) -> Value {
    json!({"apiKey": sandbox.accounts().bayse[index].public_key})
}

/// The number of a user.
pub async fn user_id(sandbox: &Sandbox, index: usize) -> String {
    let email = &sandbox.accounts().bayse[index].email;
    let tag = email.split('@').next().unwrap();
    let found = trader(sandbox, index).read(&format!("/v1/user/lookup?tag={tag}")).await.expect(200);
    found["id"].as_str().unwrap().to_owned()
}

/// The open events of an engine.
pub async fn events(sandbox: &Sandbox, engine: &str) -> Vec<Value> {
    let page = send(sandbox, "GET", "/v1/pm/events?status=open&size=50", &[], "").await.expect(200);
    page["events"].as_array().unwrap().iter().filter(|event| event["engine"] == engine).cloned().collect()
}

pub fn text<'a>(value: &'a Value, at: &str) -> &'a str {
    value.pointer(at).and_then(Value::as_str).unwrap_or_else(|| panic!("{at}: {value}"))
}

/// Places an order in an event's first market, with some members replaced, and gives what the venue responds.
pub async fn place(trader: &Bayse<'_>, event: &Value, replaced: Value) -> Value {
    let mut order = json!({
        "side": "BUY", "outcomeId": event["markets"][0]["outcome1Id"], "amount": 50, "type": "LIMIT", "price": 0.5,
        "currency": "USD",
    });
    order.as_object_mut().unwrap().extend(replaced.as_object().unwrap().clone());
    let path = format!("/v1/pm/events/{}/markets/{}/orders", text(event, "/id"), text(event, "/markets/0/id"));
    trader.write("POST", &path, &order.to_string(), &[]).await.expect(200)
}

pub async fn cancel(trader: &Bayse<'_>, placed: &Value) {
    let path = format!("/v1/pm/orders/{}", text(placed, "/clobOrder/id"));
    trader.write("DELETE", &path, "", &[]).await.expect(200);
}

/// Gives an account shares of both outcomes of an event's first market.
pub async fn mint(trader: &Bayse<'_>, event: &Value, amount: i64) {
    let path = format!("/v1/pm/markets/{}/mint", text(event, "/markets/0/id"));
    let body = json!({"quantity": amount, "currency": "USD"}).to_string();
    trader.write("POST", &path, &body, &[]).await.expect(200);
}
