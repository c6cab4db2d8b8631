//! The open connections, and the state of what they hear.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::books::BookFeed;
use super::connection::{Connection, Label};
use super::topics::{Endpoint, Subject};
use crate::bybit::settings::BybitSettings;
use crate::bybit::trading::Trading;
use crate::exchange::Interval;
use crate::faults::Faults;
use crate::stream::Disconnector;
use crate::streams::{FrameLog, SendQueue};

/// Connections are looked after so often.
const PAUSE: Duration = Duration::from_millis(500);
/// The depth that calls compare their numbers with.
const REST_DEPTH: usize = 1000;

/// All connections, and what was sent last of books, tickers and candles.
pub(in crate::bybit) struct Hub {
    pub(in crate::bybit) settings: BybitSettings,
    pub(super) faults: Faults,
    pub(super) log: FrameLog,
    pub(super) connections: BTreeMap<u64, Connection>,
    /// By instrument and depth. Who asked for one once keeps its numbers going.
    pub(super) books: BTreeMap<(usize, usize), BookFeed>,
    /// When the best prices of an instrument were sent last.
    pub(super) quoted: BTreeMap<usize, Instant>,
    pub(super) tickers: BTreeMap<usize, Map<String, Value>>,
    /// The beginning of the candle that is open.
    pub(super) candles: HashMap<(usize, Interval), i64>,
}

impl Hub {
    pub(in crate::bybit) fn new(faults: Faults, log: FrameLog) -> Self {
        Self {
            settings: BybitSettings::default(),
            faults,
            log,
            connections: BTreeMap::new(),
            books: BTreeMap::new(),
            quoted: BTreeMap::new(),
            tickers: BTreeMap::new(),
            candles: HashMap::new(),
        }
    }

    /// Remembers a new connection: its number and its queue.
    pub(super) fn connect(
        &mut self,
        endpoint: Endpoint,
        cut: Disconnector,
        silence: Option<Duration>,
    ) -> (u64, SendQueue) {
        let (number, outbox) = (self.log.open(), SendQueue::new(self.settings.waiting_frames));
        self.connections.insert(number, Connection::new(endpoint, outbox.clone(), cut, silence));
        self.plan(number);
        (number, outbox)
    }

    /// Cuts all connections. Returns how many there were.
    pub(in crate::bybit) fn cut_connections(&mut self) -> usize {
        let open = std::mem::take(&mut self.connections);
        open.values().for_each(Connection::cut);
        open.len()
    }

    /// Has a connection looked after again.
    pub(super) fn plan(&self, number: u64) {
        let Some(connection) = self.connections.get(&number) else { return };
        let millis = |millis: u64| Duration::from_millis(millis.max(1));
        let settings = &self.settings;
        let times = [settings.idle_millis, settings.idle_public_millis, settings.repeat_millis].map(millis);
        let pause = times.into_iter().chain(connection.silence).fold(PAUSE, Duration::min);
        if let Some(next) = Instant::now().checked_add(pause) {
            connection.outbox.tick_at(next);
        }
    }

    /// Whether nothing has come from a connection for too long.
    pub(super) fn is_idle(&self, number: u64) -> bool {
        let Some(connection) = self.connections.get(&number) else { return false };
        let usual = match connection.endpoint {
            Endpoint::Private | Endpoint::Trade => Some(self.settings.idle_millis),
            _ if connection.topics.is_empty() => Some(self.settings.idle_public_millis),
            _ => None,
        };
        let limit = usual.map(Duration::from_millis).map(|usual| connection.silence.unwrap_or(usual));
        limit.is_some_and(|limit| connection.heard.elapsed() >= limit)
    }

    /// The levels of a book and their numbers, as they are now.
    pub(super) fn feed(&mut self, trading: &Trading, instrument: usize, depth: usize, now: i64) -> &BookFeed {
        self.books.entry((instrument, depth)).or_insert_with(|| BookFeed::new(trading, instrument, depth, now))
    }

    /// The book that a call shows: the numbers are those of the deepest stream, or of the whole book.
    pub(in crate::bybit) fn book_for_rest(
        &mut self,
        trading: &Trading,
        instrument: usize,
        most: usize,
        now: i64,
    ) -> &BookFeed {
        self.feed(trading, instrument, if most == usize::MAX { most } else { REST_DEPTH }, now)
    }

    /// Has all books begin again with the number 1, and sends them.
    pub(in crate::bybit) fn restart_books(&mut self, trading: &Trading, now: i64) {
        for feed in self.books.values_mut() {
            feed.u = 1;
            feed.cts = now;
        }
        for connection in self.connections.values_mut() {
            connection.shifts.clear();
        }
        for number in self.connections.keys().copied().collect::<Vec<_>>() {
            let books = self.connections[&number].topics.iter();
            let is_book = |subject: Subject| {
                matches!(subject, Subject::Book { .. } | Subject::TopOfBook { .. } | Subject::RetailBook { .. })
            };
            let books = books.filter(|(_, topic)| is_book(topic.subject)).map(|(text, _)| text.clone());
            for text in books.collect::<Vec<_>>() {
                self.send_first(number, &text, trading, now);
            }
        }
    }

    /// The connections, for the console.
    pub(in crate::bybit) fn overview(&self) -> Vec<crate::overview::Connection> {
        let connection = |(id, one): (&u64, &Connection)| crate::overview::Connection {
            id: *id,
            endpoint: one.endpoint.name(),
            credential: one.login.as_ref().map(|login| login.key.clone()),
            subscriptions: one.topics.keys().cloned().collect(),
        };
        self.connections.iter().map(connection).collect()
    }

    /// Sends data on a topic to every connection that holds it. Returns how many those are.
    pub(in crate::bybit) fn notify(&self, endpoint: &str, text: &str, kind: &str, data: &Value, now: i64) -> usize {
        // A kind is one of few, and a frame's label lives as long as the program.
        let kind = ["snapshot", "delta"].into_iter().find(|one| *one == kind).unwrap_or_default();
        let hearers = self.connections.values().filter(|one| one.endpoint.name() == endpoint);
        let mut count = 0;
        for connection in hearers {
            let Some(topic) = connection.topics.get(text) else { continue };
            let label = Label { text, topic, kind, item: None, mark: None };
            let mut frame = if connection.endpoint == Endpoint::Private {
                json!({"topic": text, "id": crate::make::uuid(), "creationTime": now, "data": data})
            } else {
                json!({"topic": text, "ts": now, "data": data})
            };
            if !kind.is_empty() {
                frame["type"] = kind.into();
            }
            connection.send(label, &frame, connection.strike(&self.faults, label));
            count += 1;
        }
        count
    }
}
