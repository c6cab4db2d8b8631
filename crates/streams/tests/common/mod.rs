//! A small venue on loopback that a test scripts, and its tables.

// No test uses all of it.
#![allow(dead_code)]

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_websockets::{Message, ServerBuilder, WebSocketStream};
use venuekit_streams::{Event, Raw, Streams, Subscription};
use venuekit_transport::client::Session;
use venuekit_transport::{ClientBuilder, Connect, Credentials};
use venuekit_wire::operation::{
    ErrorKind, Errors, Heartbeat, Notification, Operation, Protocol, Retry, Venue, WebSocket,
};
use venuekit_wire::stream::Streams as Table;
use venuekit_wire::stream::{
    Access, Actions, Channel, Commands, Dialect, Endpoint, KeepAlive, Limits, Login, Message as Kind, MessageLogin,
    Messages, Parameter, Recovery, Sequence,
};

/// What must show nowhere.
pub const SECRET: &str = "MARKER-of-a-secret";

const OPERATION: Operation = Operation { method: "POST", retry: Retry::Safe, ..Operation::EMPTY };

pub const VENUE: Venue = Venue {
    name: "venue",
    protocol: Protocol::JsonRpc,
    operations: &[
        Operation { id: "get_book", path: "/public/get_book", ..OPERATION },
        Operation { id: "subscribe", path: "/public/subscribe", ..OPERATION },
        Operation { id: "unsubscribe", path: "/public/unsubscribe", ..OPERATION },
    ],
    errors: Errors {
        code: &["/code"],
        message: &["/message"],
        kinds: &[("13778", ErrorKind::Unauthorized)],
        ..Errors::EMPTY
    },
    websocket: Some(WebSocket {
        notification: Some(Notification { method: "subscription", channel: "channel", data: "data" }),
        heartbeat: Some(Heartbeat {
            method: "heartbeat",
            kind: "type",
            test: "test_request",
            answer: "public/test",
            set: "public/set_heartbeat",
            interval: "interval",
        }),
        ..WebSocket::EMPTY
    }),
    ..Venue::EMPTY
};
static ROW: Venue = VENUE;

/// The client of the venue.
pub struct Client(pub Session);

impl Connect for Client {
    const VENUE: &'static Venue = &ROW;

    fn connect(session: Session) -> Self {
        Self(session)
    }
}

const TRADES: Channel = Channel {
    name: "trades",
    id: "trades",
    endpoint: "stream",
    parameters: &[Parameter { name: "markets", is_list: true, ..Parameter::EMPTY }],
    items: Some("markets"),
    all: true,
    item: Some("/market"),
    sequence: Sequence::Counter { member: "seq", first: 1 },
    recovery: Recovery::Never,
    actions: Actions { add: Some("add"), remove: Some("remove"), snapshot: None },
    ..Channel::EMPTY
};

const LIMITS: Limits = Limits {
    per_command: 500,
    commands_per_second: 0,
    per_connection: 500,
    connections: &[],
    channel_once: true,
    ..Limits::EMPTY
};

/// A venue of commands with numbers, whose upgrade is signed.
pub static COMMANDED: Table = Table {
    venue: "venue",
    endpoints: &[Endpoint {
        name: "stream",
        servers: &[],
        path: "/stream/v2",
        login: Login::Upgrade { credential: "signature" },
    }],
    dialect: Dialect::Commands(Commands {
        id: "id",
        command: "cmd",
        params: "params",
        channels: "channels",
        kind: "type",
        data: "msg",
        subscription: "sid",
        sent: "sent",
        subscribe: ("subscribe", "subscribed"),
        channel: "channel",
        ok: "ok",
        unsubscribe: ("unsubscribe", "sids", "unsubscribed"),
        update: ("update", "action"),
        error: "error",
        error_members: ("code", "msg"),
        terminal: &["10"],
        retry: &["18"],
        codes: &[],
    }),
    keep_alive: KeepAlive { ask_after: 1, dead_after: 3, ping: None },
    limits: LIMITS,
    query: &[],
    channels: &[TRADES],
};

/// A venue of messages and rooms, with a login in every message.
pub static ROOMS: Table = Table {
    venue: "venue",
    endpoints: &[Endpoint {
        name: "stream",
        servers: &[],
        path: "/ws/user",
        login: Login::Message {
            member: "auth",
            ways: &[MessageLogin { credential: "signature", members: &[("apiKey", "x-key")] }],
        },
    }],
    dialect: Dialect::Messages(Messages {
        separator: Some("\n"),
        kind: "type",
        data: "data",
        room: "room",
        room_separator: ':',
        sent: "timestamp",
        channel: "channel",
        subscribe: ("subscribe", "subscribed"),
        unsubscribe: ("unsubscribe", "unsubscribed"),
        error: "error",
        error_text: "/data/message",
        quiet: &["connected", "pong"],
    }),
    keep_alive: KeepAlive { ask_after: 1, dead_after: 60, ping: Some(r#"{"type":"ping"}"#) },
    limits: LIMITS,
    query: &[],
    channels: &[Channel {
        access: Access::Private,
        messages: &[Kind { kind: "trade", when: None, is_snapshot: false, snapshot_when: None }],
        sequence: Sequence::None,
        actions: NO_ACTIONS,
        ..TRADES
    }],
};

const NO_ACTIONS: Actions = Actions { add: None, remove: None, snapshot: None };

/// A venue of JSON-RPC.
pub static CALLED: Table = Table {
    venue: "venue",
    endpoints: &[Endpoint { name: "stream", servers: &[], path: "/ws/api", login: Login::Call }],
    dialect: Dialect::Calls {
        subscribe: ("subscribe", "subscribe"),
        unsubscribe: ("unsubscribe", "unsubscribe"),
        channels: "channels",
    },
    keep_alive: KeepAlive { ask_after: 0, dead_after: 0, ping: None },
    limits: LIMITS,
    query: &[],
    channels: &[Channel {
        name: "trades.{market}",
        id: "trades",
        endpoint: "stream",
        parameters: &[Parameter { name: "market", is_required: true, ..Parameter::EMPTY }],
        recovery: Recovery::Never,
        ..Channel::EMPTY
    }],
};

/// Every wait of a test ends, so that a test that fails ends too.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("it happens within a minute")
}

/// A key that signs.
pub fn credentials() -> Credentials {
    Credentials::none().signer("signature", Signing).hide(SECRET)
}

/// A client of a venue at this base URL.
pub fn client(base_url: &str) -> Client {
    ClientBuilder::new(base_url).credentials(credentials()).build().unwrap_or_else(|error| panic!("{error}"))
}

/// Tells what it signs in a header, and how often it has.
#[derive(Debug)]
struct Signing;

impl venuekit_auth::Signer for Signing {
    fn sign(
        &self,
        parts: &venuekit_auth::Parts<'_>,
        _: i64,
    ) -> Result<venuekit_auth::Signed, venuekit_auth::SignError> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let headers = venuekit_auth::Headers::new("key", http::HeaderName::from_static("x-key"), SECRET.to_owned())?;
        let text = format!("{}{}#{number}", parts.method, parts.path);
        headers.and("signature", http::HeaderName::from_static("x-signed"), text)?.sign(parts, 0)
    }
}

/// A venue on loopback. It ends with this.
pub struct Server {
    pub address: String,
    heads: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Serves each connection by a script, which is given its number, from 1 on. Refusals are whole HTTP responses.
    pub async fn start<F>(
        refuse: impl Fn(usize) -> Option<String> + Send + 'static,
        script: impl Fn(usize, Connection) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = heads.clone();
        let script = Arc::new(script);
        let task = tokio::spawn(async move {
            let mut number = 0;
            while let Ok((mut stream, _)) = listener.accept().await {
                number += 1;
                if let Some(response) = refuse(number) {
                    let head = head(&mut stream).await;
                    seen.lock().unwrap().push(head);
                    let _ = stream.write_all(response.as_bytes()).await;
                    let _ = stream.shutdown().await;
                    continue;
                }
                let (seen, script) = (seen.clone(), script.clone());
                tokio::spawn(async move {
                    let Ok((request, socket)) = ServerBuilder::new().accept(stream).await else { return };
                    let headers = request
                        .headers()
                        .iter()
                        .map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap_or_default()));
                    seen.lock().unwrap().push(format!("{}\n{}", request.uri(), headers.collect::<String>()));
                    script(number, Connection { socket }).await;
                });
            }
        });
        Self { address, heads, task }
    }

    /// The same where every connection is opened.
    pub async fn open<F>(script: impl Fn(usize, Connection) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::start(|_| None, script).await
    }

    /// The path and the headers of each request so far.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    pub fn base_url(&self) -> String {
        format!("http://{}/api", self.address)
    }

    pub fn streams(&self, table: &'static Table) -> Streams {
        Streams::of(&client(&self.base_url()).0, table)
    }
}

async fn head(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 1024];
    while !bytes.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(count @ 1..) => bytes.extend_from_slice(&buffer[..count]),
            _ => break,
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The venue's end of a WebSocket.
pub struct Connection {
    pub socket: WebSocketStream<TcpStream>,
}

impl Connection {
    pub async fn say(&mut self, message: Value) {
        self.text(&message.to_string()).await;
    }

    pub async fn text(&mut self, text: &str) {
        let _ = self.socket.send(Message::text(text.to_owned())).await;
    }

    /// The next message of the client; none where it has closed the connection.
    pub async fn hear(&mut self) -> Option<Value> {
        loop {
            let message = self.socket.next().await?.ok()?;
            if message.is_close() {
                return None;
            }
            if let Some(text) = message.as_text() {
                return Some(serde_json::from_str(text).expect("clients send JSON"));
            }
        }
    }

    /// Answers commands that subscribe, update and unsubscribe as a venue of commands does, until the client is gone or
    /// `until` says so.
    pub async fn serve(&mut self, mut until: impl FnMut(&Value) -> bool) -> Option<Value> {
        loop {
            let command = self.hear().await?;
            let id = &command["id"];
            match command["cmd"].as_str() {
                Some("subscribe") => {
                    self.say(json!({"type": "subscribed", "id": id, "msg": {"channel": "trades", "sid": 1}})).await;
                }
                Some("update") => self.say(json!({"type": "ok", "id": id, "sid": 1, "msg": {}})).await,
                Some("unsubscribe") => self.say(json!({"type": "unsubscribed", "id": id, "sid": 1})).await,
                _ => {}
            }
            if until(&command) {
                return Some(command);
            }
        }
    }

    /// A trade of the subscription with the number 1.
    pub async fn trade(&mut self, seq: i64, market: &str) {
        self.say(json!({"type": "trade", "sid": 1, "seq": seq, "msg": {"market": market, "seq": seq}})).await;
    }

    /// Reads until the client is gone. Says whether it has taken its leave.
    pub async fn rest(mut self) -> bool {
        while let Some(Ok(message)) = self.socket.next().await {
            if message.is_close() {
                return true;
            }
        }
        false
    }
}

/// The next event, as a text that a test can compare.
pub async fn told(subscription: &mut Subscription<Raw>) -> String {
    match in_time(subscription.next()).await {
        Some(Event::Message(message)) => {
            let frame: Value = serde_json::from_slice(&message.raw).unwrap();
            let data = frame.get("msg").or(frame.get("data")).or(frame.pointer("/params/data")).unwrap_or(&frame);
            format!("message {data}")
        }
        Some(Event::Stale(stale)) => format!("stale {}", stale.reason),
        Some(Event::Resynced(resynced)) => format!("resynced {:?}", resynced.missed),
        Some(Event::Unknown(raw)) => format!("unknown {}", raw.kind),
        Some(Event::Ended(ended)) => format!("ended {ended}"),
        Some(other) => format!("{other:?}"),
        None => "nothing".to_owned(),
    }
}

/// Waits until something holds.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "{what}");
}
