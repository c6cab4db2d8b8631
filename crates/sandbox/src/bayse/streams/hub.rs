//! Who is subscribed to what: the open connections and their rooms.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use rust_decimal::Decimal;
use tokio::time::Instant;

use super::Endpoint;
use super::command::{Command, Room};
use super::connection::{ChannelMessage, Connection, Reply, strike};
use super::publish::PublishedBook;
use super::settings::BayseStreamSettings;
use crate::bayse::Account;
use crate::bayse::events::Event;
use crate::bayse::exchange::Exchange;
use crate::bayse::ledger::Currency;
use crate::faults::{Fault, Faults};
use crate::overview;
use crate::stream::Disconnector;
use crate::streams::{FrameLog, SendQueue};

/// So many messages may wait for a client that does not read; then its connection is cut.
const MAX_WAITING: usize = 4096;

/// The market as it stands, which the hub reports.
#[derive(Clone, Copy)]
pub(in crate::bayse) struct MarketState<'a> {
    pub(in crate::bayse) events: &'a [Event],
    pub(in crate::bayse) accounts: &'a [Account],
    pub(in crate::bayse) exchange: &'a Exchange,
    pub(in crate::bayse) now: i64,
}

/// All connections and what they receive.
pub(in crate::bayse) struct Hub {
    pub(super) settings: BayseStreamSettings,
    pub(super) faults: Faults,
    pub(super) log: FrameLog,
    pub(super) connections: BTreeMap<u64, Connection>,
    /// By room.
    subscribers: HashMap<String, BTreeSet<u64>>,
    /// How books were sent last, by outcome and currency.
    pub(super) books: BTreeMap<(String, Currency), PublishedBook>,
    /// Books that were sent, the oldest first.
    pub(super) kept: VecDeque<(Currency, PublishedBook)>,
    /// Prices that were sent last, by event.
    pub(super) prices: HashMap<String, String>,
    /// Where prices of assets begin, as a test has set them.
    pub(super) assets: BTreeMap<&'static str, Decimal>,
}

impl Hub {
    pub(in crate::bayse) fn new(faults: Faults, log: FrameLog) -> Self {
        Self {
            settings: BayseStreamSettings::default(),
            faults,
            log,
            connections: BTreeMap::new(),
            subscribers: HashMap::new(),
            books: BTreeMap::new(),
            kept: VecDeque::new(),
            prices: HashMap::new(),
            assets: BTreeMap::new(),
        }
    }

    /// The same hub without connections, as it was at the start.
    pub(in crate::bayse) fn emptied(&self) -> Self {
        Self { settings: self.settings.clone(), ..Self::new(self.faults.clone(), self.log.clone()) }
    }

    /// The open connections, as the console shows them.
    pub(in crate::bayse) fn overview(&self) -> Vec<overview::Connection> {
        let connection = |(number, connection): (&u64, &Connection)| overview::Connection {
            id: *number,
            endpoint: connection.endpoint.path().to_owned(),
            credential: None,
            subscriptions: connection.rooms.keys().cloned().collect(),
        };
        self.connections.iter().map(connection).collect()
    }

    /// Remembers a new connection, and greets it: its number and its queue.
    pub(super) fn connect(&mut self, endpoint: Endpoint, cut: Disconnector, now: i64) -> (u64, SendQueue) {
        let (number, outbox) = (self.log.open(), SendQueue::new(MAX_WAITING));
        self.connections.insert(number, Connection::new(endpoint, outbox.clone(), cut));
        let greeting = Reply::Connected {
            status: "connected",
            client_id: crate::make::uuid(),
            message: "Connected to the sandbox",
            timestamp: now,
        };
        self.reply(number, None, &greeting);
        self.plan(number);
        (number, outbox)
    }

    pub(super) fn disconnect(&mut self, number: u64) {
        let Some(connection) = self.connections.remove(&number) else { return };
        for room in connection.rooms.keys() {
            self.forget(room, number);
        }
    }

    /// Cuts all connections. Returns how many there were.
    pub(super) fn cut_connections(&mut self) -> usize {
        let open: Vec<u64> = self.connections.keys().copied().collect();
        for number in &open {
            if let Some(connection) = self.connections.get(number) {
                connection.cut();
            }
            self.disconnect(*number);
        }
        open.len()
    }

    /// Has a connection asked again: for the prices of assets, and whether somebody is still there.
    pub(super) fn plan(&self, number: u64) {
        let Some(connection) = self.connections.get(&number) else { return };
        let millis = |millis: u64| Duration::from_millis(millis.max(1));
        let pause = millis(self.settings.asset_tick_millis).min(millis(self.settings.idle_millis));
        if let Some(next) = Instant::now().checked_add(pause) {
            connection.outbox.tick_at(next);
        }
    }

    /// Whether nothing has come from a connection for too long.
    pub(super) fn is_idle(&self, number: u64) -> bool {
        let limit = Duration::from_millis(self.settings.idle_millis);
        self.connections.get(&number).is_some_and(|connection| connection.heard.elapsed() >= limit)
    }

    fn forget(&mut self, room: &str, number: u64) {
        if let Some(subscribers) = self.subscribers.get_mut(room) {
            subscribers.remove(&number);
            if subscribers.is_empty() {
                self.subscribers.remove(room);
            }
        }
    }

    fn reply(&self, number: u64, channel: Option<&'static str>, reply: &Reply<'_>) {
        if let Some(connection) = self.connections.get(&number) {
            connection.reply(&self.faults, channel, reply);
        }
    }

    pub(super) fn refuse(&self, number: u64, message: &str, now: i64) {
        self.reply(number, None, &Reply::error(message, now));
    }

    /// Carries out what a client asked for.
    pub(super) fn carry_out(&mut self, number: u64, command: Command, view: MarketState<'_>) {
        match strike(&self.faults, &[command.name()], true) {
            Some(Fault::Error { text, .. }) => {
                return self.refuse(number, text.as_deref().unwrap_or("internal error"), view.now);
            }
            Some(Fault::SilenceBefore | Fault::LeaveOut | Fault::Drop) => return,
            _ => {}
        }
        let timestamp = view.now;
        match command {
            Command::Ping => self.reply(number, None, &Reply::Pong { timestamp }),
            Command::Unsubscribe(room) => {
                let known = self.connections.get_mut(&number).and_then(|connection| connection.rooms.remove(&room));
                let Some(known) = known else {
                    return self.refuse(number, &format!("Not subscribed to: {room}"), timestamp);
                };
                self.forget(&room, number);
                let message = format!("Unsubscribed from: {room}");
                let reply = Reply::Unsubscribed { room: &room, message, timestamp };
                self.reply(number, Some(known.channel()), &reply);
            }
            Command::Subscribe(rooms) => {
                for room in rooms {
                    match room {
                        Ok(room) => self.subscribe(number, room, view),
                        Err(message) => self.refuse(number, &message, timestamp),
                    }
                }
            }
        }
    }

    /// Lets a connection receive a room. One that it receives already is acknowledged, and does not begin again.
    fn subscribe(&mut self, number: u64, room: Room, view: MarketState<'_>) {
        let name = room.name();
        match strike(&self.faults, &[&format!("subscribe/{}", room.channel()), &format!("subscribe/{name}")], true) {
            Some(Fault::Error { text, .. }) => {
                return self.refuse(number, text.as_deref().unwrap_or("internal error"), view.now);
            }
            Some(Fault::LeaveOut | Fault::SilenceBefore | Fault::Drop) => return,
            _ => {}
        }
        let Some(connection) = self.connections.get_mut(&number) else { return };
        let is_new = connection.rooms.insert(name.clone(), room.clone()).is_none();
        let message = format!("Subscribed to: {name}");
        let reply = Reply::Subscribed { room: &name, message, timestamp: view.now };
        self.reply(number, Some(room.channel()), &reply);
        if is_new {
            self.subscribers.entry(name).or_default().insert(number);
            if self.settings.sends_at_once {
                for told in self.first(&room, view) {
                    self.send_to(number, &told);
                }
            }
        }
    }

    fn send_to(&self, number: u64, told: &ChannelMessage) {
        if let Some(connection) = self.connections.get(&number) {
            connection.send_message(&self.faults, told);
        }
    }

    /// Sends a message to all subscribers of a room. Returns how many those are.
    pub(super) fn send_message(&self, room: &str, told: &ChannelMessage) -> usize {
        let Some(subscribers) = self.subscribers.get(room) else { return 0 };
        subscribers.iter().for_each(|number| self.send_to(*number, told));
        subscribers.len()
    }

    pub(super) fn has_subscribers(&self, room: &str) -> bool {
        self.subscribers.contains_key(room)
    }

    /// Sends a message of any kind to all subscribers of a room.
    pub(super) fn notify(&self, room: &str, kind: &str, data: &serde_json::Value, now: i64) -> usize {
        let subscribers = self.subscribers.get(room).into_iter().flatten();
        let known = subscribers.filter_map(|number| self.connections.get(number)?.rooms.get(room)).next();
        let Some(known) = known else { return 0 };
        let text = super::records::message(kind, data, now).into();
        let told = ChannelMessage {
            channel: known.channel(),
            kind: kind.to_owned().into(),
            item: known.item().into(),
            mark: None,
            text,
        };
        self.send_message(room, &told)
    }

    /// Sends a connection the prices of the assets that it receives.
    pub(super) fn tick(&self, number: u64, now: i64) {
        let Some(connection) = self.connections.get(&number) else { return };
        for room in connection.rooms.values() {
            if let Room::Asset(symbol) = room {
                connection.send_message(&self.faults, &self.asset(symbol, now));
            }
        }
    }
}
