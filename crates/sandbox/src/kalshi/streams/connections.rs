//! The connections that are open, and what the venue remembers for all of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::channels::Endpoint;
use super::settings::KalshiSettings;
use super::subscription::Subscription;
use crate::clock::Clock;
use crate::exchange::Owner;
use crate::faults::Faults;
use crate::kalshi::keys::Key;
use crate::overview;
use crate::stream::Disconnector;
use crate::streams::{ConnectionSetup, FrameLog, History, Ping, SendQueue};

/// What the frame says with which the venue asks whether somebody is there.
const PING: &str = "heartbeat";

/// An open connection.
pub(super) struct Connection {
    pub(super) endpoint: Endpoint,
    pub(super) key: Arc<Key>,
    pub(super) outbox: SendQueue,
    pub(super) cut: Disconnector,
    /// By channel: a connection receives each once.
    pub(super) subscriptions: BTreeMap<&'static str, Subscription>,
    pub(super) last_sid: u64,
}

impl Connection {
    /// Whether its key may see a subaccount.
    pub(super) fn sees(&self, owner: Owner) -> bool {
        self.key.user == owner.user && self.key.subaccount.is_none_or(|number| number == owner.subaccount)
    }

    /// Whether it receives something on a channel.
    pub(super) fn hears(&self, channel: &str, name: &str) -> bool {
        self.subscriptions.get(channel).is_some_and(|subscription| subscription.selection.has(name))
    }
}

/// An event that was noted while something else went on, and is sent with the rest.
pub(in crate::kalshi) struct Event {
    pub(super) channel: &'static str,
    pub(super) kind: &'static str,
    /// Whose it is. Everybody receives what is nobody's.
    pub(super) owners: Vec<Owner>,
    /// The market.
    pub(super) item: Option<String>,
    pub(super) data: Value,
}

/// The streams of both endpoints.
pub(in crate::kalshi) struct Streams {
    pub(super) clock: Clock,
    pub(super) faults: Faults,
    pub(super) log: FrameLog,
    pub(super) settings: KalshiSettings,
    pub(super) connections: BTreeMap<u64, Connection>,
    pub(super) events: History,
    pub(super) perps: History,
    /// The ticker of each market as it was sent last, without its times.
    pub(super) tickers: HashMap<Arc<str>, Value>,
    /// What was noted and not sent yet.
    pub(super) noted: Vec<Event>,
}

impl Streams {
    pub(in crate::kalshi) fn new(clock: Clock, faults: Faults, log: FrameLog) -> Self {
        Self {
            clock,
            faults,
            log,
            settings: KalshiSettings::default(),
            connections: BTreeMap::new(),
            events: History::default(),
            perps: History::default(),
            tickers: HashMap::new(),
            noted: Vec::new(),
        }
    }

    /// The same streams without connections and history, as they were at the start.
    pub(in crate::kalshi) fn emptied(&self) -> Self {
        let empty = Self::new(self.clock.clone(), self.faults.clone(), self.log.clone());
        Self { settings: self.settings.clone(), ..empty }
    }

    /// Where a connection was opened, and with which key.
    pub(super) fn caller(&self, connection: u64) -> Option<(Endpoint, Arc<Key>)> {
        self.connections.get(&connection).map(|open| (open.endpoint, Arc::clone(&open.key)))
    }

    /// The open connections of an endpoint, as the console shows them.
    pub(in crate::kalshi) fn overview(&self, endpoint: Endpoint) -> Vec<overview::Connection> {
        let own = self.connections.iter().filter(|(_, connection)| connection.endpoint == endpoint);
        let subscription = |(channel, subscription): (&&'static str, &Subscription)| {
            let selection = &subscription.selection;
            match selection.all || selection.names.is_empty() {
                true => (*channel).to_owned(),
                false => {
                    let names: Vec<&str> = selection.names.iter().map(|name| &**name).collect();
                    format!("{channel}: {}", names.join(", "))
                }
            }
        };
        own.map(|(number, connection)| overview::Connection {
            id: *number,
            endpoint: endpoint.path().to_owned(),
            credential: Some(connection.key.id.clone()),
            subscriptions: connection.subscriptions.iter().map(subscription).collect(),
        })
        .collect()
    }

    /// Makes room for a connection, unless its account has too many.
    pub(super) fn connect(&mut self, endpoint: Endpoint, key: Arc<Key>, cut: Disconnector) -> Option<ConnectionSetup> {
        let is_same = |other: &&Connection| other.endpoint == endpoint && other.key.user == key.user;
        if self.connections.values().filter(is_same).count() >= self.settings.connections {
            return None;
        }
        let connection = self.log.open();
        let outbox = SendQueue::new(self.settings.waiting_frames);
        let pause = Duration::from_millis(self.settings.ping_millis);
        let opened =
            Connection { endpoint, key, outbox: outbox.clone(), cut, subscriptions: BTreeMap::new(), last_sid: 0 };
        self.connections.insert(connection, opened);
        Some(ConnectionSetup {
            venue: endpoint.venue(),
            connection,
            outbox,
            log: self.log.clone(),
            joins: false,
            ping: (!pause.is_zero()).then_some(Ping::WhenIdle(pause, PING)),
        })
    }

    pub(super) fn disconnect(&mut self, connection: u64) {
        self.connections.remove(&connection);
    }

    /// Cuts all connections. Returns how many there were.
    pub(super) fn cut_connections(&mut self) -> usize {
        let open = std::mem::take(&mut self.connections);
        open.values().for_each(|connection| connection.cut.cut());
        open.len()
    }

    /// Notes something that is sent once the call that it belongs to is over.
    pub(in crate::kalshi) fn note(&mut self, event: Event) {
        self.noted.push(event);
    }
}
