//! The open connections, and what is sent to them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rust_decimal::Decimal;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::connection::{Connection, Label};
use super::market::{self, Moment};
use super::names::{Endpoint, Subject, Topic};
use super::user;
use crate::binance::members::Member;
use crate::binance::settings::BinanceSettings;
use crate::binance::time_unit::TimeUnit;
use crate::binance::trading::{Changes, Trading};
use crate::exchange::Side;
use crate::faults::Faults;
use crate::stream::Disconnector;
use crate::streams::{FrameLog, SendQueue};

/// The channel of events of accounts.
const USER: &str = "user_data";

/// The changes of a book that were not sent yet, at one of the two speeds.
#[derive(Debug)]
struct Pending {
    first: i64,
    /// Whether it bids, and the price.
    levels: BTreeSet<(bool, Decimal)>,
}

/// All connections, and what was sent last on their streams.
pub(in crate::binance) struct Hub {
    pub(super) faults: Faults,
    pub(super) log: FrameLog,
    pub(super) connections: BTreeMap<u64, Connection>,
    /// By market and speed, as long as a connection is subscribed.
    pending: BTreeMap<(usize, bool), Pending>,
    /// The best prices that were sent last.
    quoted: BTreeMap<usize, [(Decimal, Decimal); 2]>,
    /// By market: the number of trades, and the last update, when slow streams were sent last.
    told: BTreeMap<(usize, bool), (usize, i64)>,
    next_fast: Option<Instant>,
    next_slow: Option<Instant>,
}

impl Hub {
    pub(in crate::binance) fn new(faults: Faults, log: FrameLog) -> Self {
        Self {
            faults,
            log,
            connections: BTreeMap::new(),
            pending: BTreeMap::new(),
            quoted: BTreeMap::new(),
            told: BTreeMap::new(),
            next_fast: None,
            next_slow: None,
        }
    }

    /// Remembers a new connection: its number and its queue.
    pub(super) fn connect(
        &mut self,
        (endpoint, unit): (Endpoint, TimeUnit),
        cut: Disconnector,
        settings: &BinanceSettings,
        now: i64,
    ) -> (u64, SendQueue) {
        let (number, outbox) = (self.log.open(), SendQueue::new(settings.waiting_frames));
        self.connections.insert(number, Connection::new(endpoint, unit, outbox.clone(), cut, now));
        self.plan(number, settings);
        (number, outbox)
    }

    pub(super) fn disconnect(&mut self, number: u64) {
        self.connections.remove(&number);
        self.forget_unheard();
    }

    /// Stops collecting changes that no connection is subscribed to.
    pub(super) fn forget_unheard(&mut self) {
        let connections = &self.connections;
        let is_heard = |symbol: usize, fast: bool| {
            let held = connections.values().flat_map(|connection| connection.streams.values());
            held.filter_map(|held| held.topic)
                .any(|topic| topic.symbol == Some(symbol) && topic.subject == Subject::Changes { fast })
        };
        self.pending.retain(|(symbol, fast), _| is_heard(*symbol, *fast));
    }

    /// Cuts all connections. Returns how many there were.
    pub(in crate::binance) fn cut_connections(&mut self) -> usize {
        let open = std::mem::take(&mut self.connections);
        open.values().for_each(Connection::cut);
        self.pending.clear();
        open.len()
    }

    /// The connections, for the console.
    pub(in crate::binance) fn overview(&self) -> Vec<crate::overview::Connection> {
        let connection = |(id, one): (&u64, &Connection)| crate::overview::Connection {
            id: *id,
            endpoint: one.endpoint.name().to_owned(),
            credential: one.logon.as_ref().map(|logon| logon.key.clone()),
            subscriptions: match one.endpoint {
                Endpoint::Api => one.subscriptions.keys().map(|id| format!("{USER} {id}")).collect(),
                Endpoint::Market { .. } => one.streams.keys().cloned().collect(),
            },
        };
        self.connections.iter().map(connection).collect()
    }

    /// Schedules the next tick of a connection.
    pub(super) fn plan(&self, number: u64, settings: &BinanceSettings) {
        let Some(connection) = self.connections.get(&number) else { return };
        let [fast, slow, pong] = [settings.fast_millis, settings.slow_millis, settings.pong_millis].map(millis);
        let topics = || connection.streams.values().filter_map(|held| held.topic);
        let is_fast = |topic: Topic| {
            matches!(topic.subject, Subject::Changes { fast: true } | Subject::Levels { fast: true, .. })
        };
        let pause = match (topics().any(is_fast), topics().next().is_some()) {
            (true, _) => fast.min(slow),
            (false, true) => slow,
            (false, false) => pong,
        };
        connection.outbox.tick_at(Instant::now() + pause.min(pong));
    }

    /// Closes a connection whose client has sent nothing for too long.
    pub(super) fn check_life(&self, number: u64, settings: &BinanceSettings) {
        let Some(connection) = self.connections.get(&number) else { return };
        if connection.heard.elapsed() >= millis(settings.pong_millis) {
            connection.refuse("Pong timeout");
        }
    }

    /// Starts collecting changes for a stream that a connection has subscribed to.
    pub(super) fn begin(&mut self, topic: Topic) {
        let (Subject::Changes { fast }, Some(symbol)) = (topic.subject, topic.symbol) else { return };
        self.pending.entry((symbol, fast)).or_insert_with(|| Pending { first: 0, levels: BTreeSet::new() });
    }

    /// Sends what has changed, and notes what is to be sent later.
    pub(in crate::binance) fn publish(
        &mut self,
        changes: &Changes,
        (trading, members): (&Trading, &[Member]),
        settings: &BinanceSettings,
        now: i64,
    ) {
        if self.connections.is_empty() {
            return;
        }
        for (symbol, trade) in &changes.trades {
            self.tell(trading, *symbol, Subject::Trade, now, |name, moment| market::trade(name, trade, moment));
        }
        for (symbol, trade) in &changes.aggregates {
            let show = |name: &str, moment| market::aggregate_trade(name, trade, moment);
            self.tell(trading, *symbol, Subject::AggregateTrade, now, show);
        }
        for (symbol, side, price, update) in &changes.levels {
            for fast in [false, true] {
                if let Some(pending) = self.pending.get_mut(&(*symbol, fast)) {
                    if pending.levels.is_empty() {
                        pending.first = *update;
                    }
                    pending.levels.insert((*side == Side::Bid, *price));
                }
            }
        }
        let changed: BTreeSet<usize> = changes.levels.iter().map(|(symbol, ..)| *symbol).collect();
        for symbol in changed {
            let best = Side::BOTH.map(|side| trading.best(symbol, side).unwrap_or_default());
            if self.quoted.insert(symbol, best) != Some(best) {
                self.tell(trading, symbol, Subject::BookTicker, now, |_, _| market::book_ticker(trading, symbol));
            }
        }
        self.tell_accounts(changes, trading, members, now);
        // With an interval of 0, changes are sent one by one.
        for (fast, pause) in [(true, settings.fast_millis), (false, settings.slow_millis)] {
            if pause == 0 {
                self.flush(trading, fast, now);
            }
        }
    }

    /// Sends a payload of a market to all who have subscribed to it.
    fn tell(
        &mut self,
        trading: &Trading,
        symbol: usize,
        subject: Subject,
        now: i64,
        show: impl Fn(&str, Moment) -> Value,
    ) {
        let item = &trading.symbols[symbol].name;
        let mark = trading.updates[symbol].last();
        let mark = (subject == Subject::BookTicker).then_some(mark);
        let wanted = Topic { subject, symbol: Some(symbol) };
        for connection in self.connections.values_mut() {
            let moment = Moment { now, unit: connection.unit };
            let held = connection.streams.iter_mut().filter(|(_, held)| held.topic == Some(wanted));
            let names: Vec<String> = held
                .map(|(name, held)| {
                    held.begun = true;
                    name.clone()
                })
                .collect();
            for name in names {
                let label = Label { name: &name, channel: wanted.channel(), item, mark };
                connection.send_data(&self.faults, label, &show(item, moment));
            }
        }
    }

    fn tell_accounts(&self, changes: &Changes, trading: &Trading, members: &[Member], now: i64) {
        for connection in self.connections.values() {
            let moment = Moment { now, unit: connection.unit };
            for (id, subscription) in &connection.subscriptions {
                let member = subscription.member;
                let reports = changes.reports.iter().filter(|report| report.order.member == member);
                for report in reports {
                    let event = user::execution_report(trading, report, moment);
                    self.tell_account(connection, *id, &event);
                }
                for (_, list) in changes.lists.iter().filter(|(of, _)| *of == member) {
                    self.tell_account(connection, *id, &user::list_status(list, moment));
                }
                let movements = changes.movements.iter().filter(|movement| movement.member == member);
                for movement in movements {
                    self.tell_account(connection, *id, &user::balance_update(movement, moment));
                }
                if let Some(coins) = changes.coins.get(&member) {
                    let event = user::account_position(trading, members, member, coins.iter(), moment);
                    self.tell_account(connection, *id, &event);
                }
            }
        }
    }

    /// Sends an event of an account.
    pub(super) fn tell_account(&self, connection: &Connection, id: u64, event: &Value) {
        let kind = event["e"].as_str().unwrap_or_default();
        let label = Label { name: kind, channel: USER, item: kind, mark: None };
        let frame = json!({"subscriptionId": id, "event": event});
        connection.send(&self.faults, label, frame.to_string());
    }

    /// Sends what is due.
    pub(super) fn tick(&mut self, trading: &Trading, settings: &BinanceSettings, now: i64) {
        let at = Instant::now();
        if self.next_fast.is_none_or(|due| at >= due) {
            self.next_fast = Some(at + millis(settings.fast_millis));
            self.flush(trading, true, now);
            self.tell_standing(trading, true, now);
        }
        if self.next_slow.is_none_or(|due| at >= due) {
            self.next_slow = Some(at + millis(settings.slow_millis));
            self.flush(trading, false, now);
            self.tell_standing(trading, false, now);
            self.tell_candles(trading, now);
        }
    }

    /// Sends the changes of books that have collected at one of the speeds.
    fn flush(&mut self, trading: &Trading, fast: bool, now: i64) {
        let due: Vec<usize> = self
            .pending
            .iter()
            .filter(|((_, of), pending)| *of == fast && !pending.levels.is_empty())
            .map(|((symbol, _), _)| *symbol)
            .collect();
        for symbol in due {
            let Some(pending) = self.pending.get_mut(&(symbol, fast)) else { continue };
            let (first, levels) = (pending.first, std::mem::take(&mut pending.levels));
            let last = trading.updates[symbol].last();
            let sized = |side: Side| -> Vec<(Decimal, Decimal)> {
                let own = levels.iter().filter(|(is_bid, _)| *is_bid == (side == Side::Bid));
                own.map(|(_, price)| (*price, trading.size_at(symbol, side, *price))).collect()
            };
            let (bids, asks) = (sized(Side::Bid), sized(Side::Ask));
            let item = &trading.symbols[symbol].name;
            let wanted = Topic { subject: Subject::Changes { fast }, symbol: Some(symbol) };
            for connection in self.connections.values_mut() {
                let moment = Moment { now, unit: connection.unit };
                let names = connection.streams.iter().filter(|(_, held)| held.topic == Some(wanted));
                for name in names.map(|(name, _)| name) {
                    let payload = market::depth_update(item, (first, last), (&bids, &asks), moment);
                    let label = Label { name, channel: wanted.channel(), item, mark: Some(last) };
                    connection.send_data(&self.faults, label, &payload);
                }
            }
        }
    }

    /// Sends the streams that show a market's state, if it has changed or nothing was sent yet.
    fn tell_standing(&mut self, trading: &Trading, fast: bool, now: i64) {
        let changed: Vec<bool> = (0..trading.symbols.len())
            .map(|symbol| {
                let standing = (trading.trades[symbol].len(), trading.updates[symbol].last());
                self.told.insert((symbol, fast), standing) != Some(standing)
            })
            .collect();
        for connection in self.connections.values_mut() {
            let moment = Moment { now, unit: connection.unit };
            let names: Vec<String> = connection.streams.keys().cloned().collect();
            for name in names {
                let Some(held) = connection.streams.get_mut(&name) else { continue };
                let Some(topic) = held.topic else { continue };
                let is_due = match topic.subject {
                    Subject::Levels { fast: of, .. } => of == fast,
                    Subject::MiniTicker
                    | Subject::Ticker
                    | Subject::WindowTicker(_)
                    | Subject::AveragePrice
                    | Subject::ReferencePrice => !fast,
                    _ => false,
                };
                let is_wanted = |symbol: usize| !held.begun || changed[symbol];
                let payload = match topic.symbol {
                    _ if !is_due => None,
                    Some(symbol) if !is_wanted(symbol) => None,
                    Some(symbol) => market::standing(trading, symbol, topic.subject, moment),
                    None => {
                        let all = (0..trading.symbols.len()).filter(|symbol| is_wanted(*symbol));
                        let all = all.filter_map(|symbol| market::standing(trading, symbol, topic.subject, moment));
                        let all: Vec<Value> = all.collect();
                        (!all.is_empty()).then_some(Value::Array(all))
                    }
                };
                let Some(payload) = payload else { continue };
                held.begun = true;
                let item = topic.symbol.map_or("", |symbol| trading.symbols[symbol].name.as_str());
                let mark = topic.symbol.map(|symbol| trading.updates[symbol].last());
                let mark = mark.filter(|_| matches!(topic.subject, Subject::Levels { .. }));
                let label = Label { name: &name, channel: topic.channel(), item, mark };
                connection.send_data(&self.faults, label, &payload);
            }
        }
    }

    /// Sends candles: one that has ended once more, and the open one.
    fn tell_candles(&mut self, trading: &Trading, now: i64) {
        for connection in self.connections.values_mut() {
            let moment = Moment { now, unit: connection.unit };
            let mut due = Vec::new();
            for (name, held) in &mut connection.streams {
                let Some(Topic { subject: Subject::Candle { interval, zone }, symbol: Some(symbol) }) = held.topic
                else {
                    continue;
                };
                let start = interval.start_in(now, zone);
                let before = held.candle.replace(start).filter(|before| *before != start);
                let starts = before.into_iter().chain([start]);
                due.extend(starts.map(|start| {
                    (name.clone(), symbol, market::candle(trading, symbol, (interval, zone), start, moment))
                }));
            }
            for (name, symbol, payload) in due {
                let item = &trading.symbols[symbol].name;
                let label = Label { name: &name, channel: "kline", item, mark: None };
                connection.send_data(&self.faults, label, &payload);
            }
        }
    }

    /// Tells all connections that the venue shuts down. Returns how many those are.
    pub(in crate::binance) fn announce_shutdown(&self, now: i64) -> usize {
        for connection in self.connections.values() {
            let event = json!({"e": "serverShutdown", "E": connection.unit.show(now)});
            let label = Label { name: "!serverShutdown", channel: "serverShutdown", item: "", mark: None };
            match connection.endpoint {
                Endpoint::Api => connection.send(&self.faults, label, json!({"event": event}).to_string()),
                Endpoint::Market { .. } => connection.send_data(&self.faults, label, &event),
            }
        }
        self.connections.len()
    }

    /// Sends a payload on a stream to every connection that holds it. Returns how many those are.
    pub(in crate::binance) fn notify(&self, name: &str, payload: &Value) -> usize {
        let mut count = 0;
        for connection in self.connections.values() {
            let Some(held) = connection.streams.get(name) else { continue };
            let channel = held.topic.map_or("unknown", Topic::channel);
            connection.send_data(&self.faults, Label { name, channel, item: "", mark: None }, payload);
            count += 1;
        }
        count
    }

    /// Sends an event to every subscription to an account. Returns how many those are.
    pub(in crate::binance) fn notify_account(&self, member: usize, event: &Value) -> usize {
        let mut count = 0;
        for connection in self.connections.values() {
            for (id, _) in connection.subscriptions.iter().filter(|(_, one)| one.member == member) {
                self.tell_account(connection, *id, event);
                count += 1;
            }
        }
        count
    }
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis.max(1))
}
