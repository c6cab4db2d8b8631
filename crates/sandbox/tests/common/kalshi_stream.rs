//! A client of Kalshi's streams of the plainest kind, written against the venue's rules and not against our own client. It holds
//! every frame against the fields that the venue documents, and against the spec.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use venuekit_sandbox::{BookLevels, Sandbox};

use crate::common::now_millis;
use crate::common::trader::Trader;
use crate::spec::Spec;

/// No frame takes as long, so that a lack of one fails a test instead of holding it up.
const PATIENCE: Duration = Duration::from_secs(60);
const PATH: &str = "/trade-api/ws/v2";

pub struct Stream {
    pub socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    venue: &'static str,
    spec: Spec,
    next_id: i64,
    /// Channels by the numbers of their subscriptions, as replies told.
    channels: BTreeMap<i64, String>,
    /// The last number of each subscription.
    pub last: BTreeMap<i64, i64>,
    /// Frames that came while another one was waited for.
    kept: VecDeque<Value>,
    /// Payloads of ping frames.
    pub pings: Vec<String>,
}

/// What comes instead of a frame where a connection ends.
#[derive(Debug, PartialEq)]
pub enum End {
    Closed(u16, String),
    Lost,
}

impl Stream {
    pub async fn connect(sandbox: &Sandbox, trader: &Trader) -> Self {
        Self::open(&sandbox.kalshi_websocket_url(), PATH, trader, "kalshi").await.unwrap()
    }

    pub async fn connect_perps(sandbox: &Sandbox, trader: &Trader) -> Self {
        let path = format!("{PATH}/margin");
        Self::open(&sandbox.kalshi_perps_websocket_url(), &path, trader, "kalshi_perps").await.unwrap()
    }

    pub async fn try_connect(sandbox: &Sandbox, trader: &Trader) -> Result<Self, (u16, String, String)> {
        refusal(Self::open(&sandbox.kalshi_websocket_url(), PATH, trader, "kalshi").await)
    }

    async fn open(url: &str, path: &str, trader: &Trader, venue: &'static str) -> Result<Self, Error> {
        Self::open_with(url, &trader.sign("GET", path, now_millis()), venue).await
    }

    pub async fn open_with(url: &str, headers: &[(&'static str, String)], venue: &'static str) -> Result<Self, Error> {
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let (socket, _) = connect_async(request).await?;
        Ok(Self {
            socket,
            venue,
            spec: Spec::of(venue),
            next_id: 0,
            channels: BTreeMap::new(),
            last: BTreeMap::new(),
            kept: VecDeque::new(),
            pings: Vec::new(),
        })
    }

    pub async fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text.to_owned())).await.unwrap();
    }

    /// Sends a command. Returns its number.
    pub async fn send(&mut self, command: &str, params: Value) -> i64 {
        self.next_id += 1;
        let message = json!({"id": self.next_id, "cmd": command, "params": params});
        self.send_text(&message.to_string()).await;
        self.next_id
    }

    /// The next frame as it came, or how the connection ended.
    pub async fn receive(&mut self) -> Result<Value, End> {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.socket.next()).await;
            match next.expect("a frame or the end of the connection") {
                Some(Ok(Message::Text(text))) => {
                    assert!(text.ends_with('\n'), "{text}");
                    return Ok(serde_json::from_str(&text).unwrap());
                }
                Some(Ok(Message::Ping(payload))) => self.pings.push(String::from_utf8(payload.to_vec()).unwrap()),
                Some(Ok(Message::Close(frame))) => {
                    let frame =
                        frame.map_or((1005, String::new()), |frame| (frame.code.into(), frame.reason.to_string()));
                    return Err(End::Closed(frame.0, frame.1));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(End::Lost),
            }
        }
    }

    /// The next frame, which has to be as the venue documents it and the next of its subscription.
    #[track_caller]
    pub fn next(&mut self) -> impl Future<Output = Value> + '_ {
        let at = std::panic::Location::caller();
        async move {
            if let Some(kept) = self.kept.pop_front() {
                return kept;
            }
            let frame = self.receive().await.unwrap_or_else(|end| panic!("{at}: {end:?}"));
            self.check(&frame);
            frame
        }
    }

    /// The reply to a command; data that comes before it is kept.
    pub async fn reply(&mut self, id: i64) -> Value {
        let mut kept = VecDeque::new();
        let reply = loop {
            let frame = self.next().await;
            if frame["id"] == id {
                break frame;
            }
            kept.push_back(frame);
        };
        self.kept.extend(kept);
        reply
    }

    pub async fn call(&mut self, command: &str, params: Value) -> Value {
        let id = self.send(command, params).await;
        self.reply(id).await
    }

    /// Subscribes to one channel that the connection does not have yet. Returns the number of the subscription.
    pub async fn subscribe(&mut self, channel: &str, params: Value) -> i64 {
        let mut all = json!({"channels": [channel]});
        all.as_object_mut().unwrap().extend(params.as_object().unwrap().clone());
        let reply = self.call("subscribe", all).await;
        assert_eq!((&reply["type"], &reply["msg"]["channel"]), (&json!("subscribed"), &json!(channel)), "{reply}");
        reply["msg"]["sid"].as_i64().unwrap()
    }

    /// The code of the error that a command gets.
    pub async fn refused(&mut self, command: &str, params: Value) -> i64 {
        let reply = self.call(command, params).await;
        assert_eq!(reply["type"], "error", "{reply}");
        reply["msg"]["code"].as_i64().unwrap()
    }

    /// Whether everything that was sent has come: the reply to a command comes behind it. Gives what came before that.
    pub async fn rest(&mut self) -> Vec<Value> {
        let id = self.send("list_subscriptions", Value::Null).await;
        self.reply(id).await;
        self.kept.drain(..).collect()
    }

    fn check(&mut self, frame: &Value) {
        let kind = frame["type"].as_str().unwrap();
        assert!(frame["sending_ts_ms"].is_i64(), "{frame}");
        let sid = frame["sid"].as_i64();
        if ["subscribed", "unsubscribed", "ok", "error"].contains(&kind)
            && let Err(problem) = self.spec.reply(kind, frame)
        {
            panic!("{problem}: {frame}");
        }
        if let (Some(sid), Some(seq)) = (sid, frame["seq"].as_i64()) {
            let last = self.last.insert(sid, seq).unwrap_or(0);
            assert_eq!(seq, last + 1, "{frame}");
        }
        match kind {
            "subscribed" => {
                assert!(sid.is_none(), "{frame}");
                let msg = &frame["msg"];
                self.channels.insert(msg["sid"].as_i64().unwrap(), msg["channel"].as_str().unwrap().to_owned());
            }
            "unsubscribed" => assert!(sid.is_some() && frame["seq"].is_i64() && frame.get("msg").is_none(), "{frame}"),
            "ok" | "error" => {}
            _ => {
                let channel = &self.channels[&sid.unwrap_or_else(|| panic!("{frame}"))];
                check_data(self.venue, channel, kind, &frame["msg"]);
                let found = self.spec.message(channel, kind, &frame["msg"]);
                found.unwrap_or_else(|problem| panic!("{channel}/{kind}: {problem}: {frame}"));
                let counted = !["ticker", "fill", "market_positions", "user_orders"].contains(&channel.as_str());
                assert_eq!(frame["seq"].is_i64(), counted, "{frame}");
            }
        }
    }
}

/// Status, type and body of a refused upgrade.
pub fn refusal(opened: Result<Stream, Error>) -> Result<Stream, (u16, String, String)> {
    opened.map_err(|error| match error {
        Error::Http(response) => {
            let kind = response.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
            let body = String::from_utf8(response.body().clone().unwrap_or_default()).unwrap();
            (response.status().as_u16(), kind.unwrap_or_default(), body)
        }
        other => panic!("{other}"),
    })
}

/// Holds data against the fields that the venue documents for its type: no other ones, none missing, each of its form. The spec asks
/// for those alone that a message is useless without.
fn check_data(venue: &str, channel: &str, kind: &str, msg: &Value) {
    let all: Value = serde_json::from_str(include_str!("kalshi_frames.json")).unwrap();
    let special = format!("{channel}/{kind}/{}", msg["event_type"].as_str().unwrap_or_default());
    let known = all[venue].get(&special).or_else(|| all[venue].get(format!("{channel}/{kind}")));
    let fields = known.unwrap_or_else(|| panic!("{channel} has no {kind}"));
    if let Err(problem) = check_fields(fields.as_object().unwrap(), msg) {
        panic!("{channel}/{kind}: {problem}: {msg}");
    }
}

fn check_fields(fields: &Map<String, Value>, msg: &Value) -> Result<(), String> {
    let members = msg.as_object().ok_or("no object")?;
    for (name, shape) in fields {
        let (name, optional) = name.strip_suffix('?').map_or((name.as_str(), false), |name| (name, true));
        match members.get(name) {
            None if optional => {}
            None => return Err(format!("{name} is missing")),
            Some(value) => check_value(shape, value).map_err(|problem| format!("{name}: {problem}"))?,
        }
    }
    let is_known = |name: &&String| fields.contains_key(*name) || fields.contains_key(&format!("{name}?"));
    members.keys().find(|name| !is_known(name)).map_or(Ok(()), |other| Err(format!("{other} is not documented")))
}

fn check_value(shape: &Value, value: &Value) -> Result<(), String> {
    let wrong = || Err(format!("{value} is no {shape}"));
    let is_decimal = |text: &str| text.parse::<Decimal>().is_ok();
    match shape {
        Value::Object(fields) => check_fields(fields, value),
        Value::Array(items) => {
            let values = value.as_array().ok_or("no list")?;
            values.iter().try_for_each(|one| check_value(&items[0], one))
        }
        Value::String(name) => {
            let (name, nullable) = name.strip_suffix("|null").map_or((name.as_str(), false), |name| (name, true));
            if nullable && value.is_null() {
                return Ok(());
            }
            let text = value.as_str();
            let fits = match name {
                "level" => value.as_array().is_some_and(|level| {
                    level.len() == 2 && level.iter().all(|one| one.as_str().is_some_and(is_decimal))
                }),
                "decimal" => text.is_some_and(|text| text.is_empty() || is_decimal(text)),
                "time" => text.is_some_and(|text| text.len() >= 20 && text.ends_with('Z')),
                "uuid" => text.is_some_and(|text| uuid::Uuid::parse_str(text).is_ok()),
                "string" => text.is_some(),
                "integer" => value.is_i64(),
                "number" => value.is_number(),
                "boolean" => value.is_boolean(),
                "object" => value.is_object(),
                _ => {
                    let words = name.strip_prefix("enum:").ok_or(format!("{name} is no form"))?;
                    text.is_some_and(|text| words.split('|').any(|word| word.trim_matches('\'') == text))
                }
            };
            if fits { Ok(()) } else { wrong() }
        }
        _ => wrong(),
    }
}

/// A book that is kept by hand: prices of yes on both sides.
#[derive(Debug, Default)]
pub struct Book {
    bids: BTreeMap<Decimal, Decimal>,
    asks: BTreeMap<Decimal, Decimal>,
    pub clock: i64,
}

impl Book {
    /// Takes in a snapshot or a delta of either exchange.
    pub fn apply(&mut self, frame: &Value) {
        let msg = &frame["msg"];
        self.clock = msg["clock"].as_i64().unwrap_or_default();
        let number = |value: &Value| value.as_str().unwrap().parse::<Decimal>().unwrap();
        if frame["type"] == "orderbook_snapshot" {
            let levels = |names: [&str; 2]| {
                let list = names.iter().find_map(|name| msg[*name].as_array()).cloned().unwrap_or_default();
                list.iter().map(|level| (number(&level[0]), number(&level[1]))).collect::<BTreeMap<_, _>>()
            };
            self.bids = levels(["yes_dollars_fp", "bid"]);
            self.asks = levels(["no_dollars_fp", "ask"]);
            return;
        }
        let either =
            |names: [&str; 2]| names.iter().find(|name| msg[**name].is_string()).map(|name| number(&msg[*name]));
        let ladder = if msg["side"] == "yes" || msg["side"] == "bid" { &mut self.bids } else { &mut self.asks };
        let size = ladder.entry(either(["price_dollars", "price"]).unwrap()).or_default();
        *size += either(["delta_fp", "delta"]).unwrap();
        ladder.retain(|_, size| !size.is_zero());
    }

    /// Whether it is what the sandbox has.
    pub fn agrees(&self, levels: &BookLevels) -> bool {
        let mine =
            |ladder: &BTreeMap<Decimal, Decimal>| ladder.iter().map(|(at, size)| (*at, *size)).collect::<Vec<_>>();
        let mut bids = mine(&self.bids);
        bids.reverse();
        bids == levels.bids && mine(&self.asks) == levels.asks
    }
}
