//! What the subscribers of a channel hear, out of the venue's state.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::candles;
use super::channels::{Channel, Pace, Private};
use super::connections::{Connection, Outgoing};
use super::instruments::{CURRENCIES, Instrument};
use super::market;
use super::orders::{Direction, Order};
use super::positions;
use super::state::State;
use super::summary;
use super::trades::{PublicTrade, Trade};
use crate::number::Number;

type Levels = BTreeMap<Decimal, Decimal>;

/// A channel that a connection hears, and what it has heard on it.
pub(super) struct Feed {
    pub(super) channel: Channel,
    /// Given when subscribing; notifications carry it.
    pub(super) label: Option<String>,
    /// Whether something may have changed since the last notification.
    is_due: bool,
    told: Option<Value>,
    book: Option<ToldBook>,
}

struct ToldBook {
    change_id: i64,
    bids: Levels,
    asks: Levels,
}

impl Feed {
    pub(super) fn new(channel: Channel, label: Option<String>) -> Self {
        Self { channel, label, is_due: true, told: None, book: None }
    }

    /// Whether the first notification comes at once, however seldom the others come.
    fn begins_at_once(&self) -> bool {
        self.told.is_none()
            && self.book.is_none()
            && matches!(self.channel, Channel::Book(..) | Channel::Window { .. } | Channel::IncrementalTicker(_))
    }

    /// What there is to tell, where it is not what was told last.
    fn news(&mut self, state: &State, account: Option<usize>) -> Vec<Value> {
        let instrument = self.channel.instrument().and_then(|name| state.instrument(name));
        let now = match (&self.channel, instrument) {
            (Channel::Book(..), Some(instrument)) => return self.book_news(state, instrument).into_iter().collect(),
            (Channel::Window { group, depth, .. }, Some(instrument)) => window(state, instrument, *group, *depth),
            (Channel::Ticker(..), Some(instrument)) => value(&market::ticker_of(state, instrument)),
            (Channel::IncrementalTicker(_), Some(instrument)) => {
                let ticker = value(&market::ticker_of(state, instrument));
                return self.incremental_news(ticker).into_iter().collect();
            }
            (Channel::Quote(_), Some(instrument)) => quote(state, instrument),
            (Channel::Perpetual(..), Some(instrument)) => json!({
                "timestamp": state.now(), "interest": market::INTEREST, "index_price": Number(instrument.prices.index),
            }),
            (Channel::Candles(_, resolution), Some(instrument)) => {
                let Some(candle) = candles::latest(state, instrument, resolution) else { return Vec::new() };
                value(&candle)
            }
            (Channel::PriceIndex(index), _) => json!({
                "timestamp": state.now(), "index_name": index, "price": state.index_price(index).map(Number),
            }),
            (Channel::Portfolio(currency), _) => {
                let Some(account) = account else { return Vec::new() };
                let wanted = CURRENCIES.into_iter().filter(|one| currency == "ANY" || currency == one);
                value(&wanted.map(|currency| summary::summary_of(state, account, currency)).collect::<Vec<_>>())
            }
            _ => return Vec::new(),
        };
        let before = self.told.replace(now.clone());
        match (before, now) {
            (before, Value::Array(all)) => {
                // One notification a currency.
                let told = |index: usize| before.as_ref().and_then(|before| before.get(index));
                let changed = all.into_iter().enumerate().filter(|(index, one)| told(*index) != Some(one));
                changed.map(|(_, one)| one).collect()
            }
            (Some(before), now) if is_same(&before, &now) => Vec::new(),
            (_, now) => vec![now],
        }
    }

    fn incremental_news(&mut self, now: Value) -> Option<Value> {
        let Value::Object(now) = now else { return None };
        let told = self.told.replace(Value::Object(now.clone()));
        let kind = if told.is_some() { "change" } else { "snapshot" };
        let named = |name: &str| matches!(name, "instrument_name" | "timestamp");
        let is_news = |name: &str, value: &Value| told.as_ref().is_none_or(|told| told.get(name) != Some(value));
        let changed: Map<String, Value> =
            now.into_iter().filter(|(name, value)| named(name) || is_news(name, value)).collect();
        if changed.keys().all(|name| named(name)) {
            return None;
        }
        let mut news = Map::from_iter([("type".to_owned(), json!(kind))]);
        news.extend(changed);
        Some(Value::Object(news))
    }

    fn book_news(&mut self, state: &State, instrument: &Instrument) -> Option<Value> {
        let side = |side| state.levels(instrument, side, usize::MAX).into_iter().collect::<Levels>();
        let (bids, asks) = (side(Direction::Buy), side(Direction::Sell));
        let change_id = state.change_id(instrument.instrument_name);
        let before = self.book.replace(ToldBook { change_id, bids: bids.clone(), asks: asks.clone() });
        let none = Levels::new();
        let (old_bids, old_asks) = before.as_ref().map_or((&none, &none), |book| (&book.bids, &book.asks));
        let (mut bids, asks) = (level_changes(old_bids, &bids), level_changes(old_asks, &asks));
        bids.reverse();
        let mut news = json!({
            "type": if before.is_some() { "change" } else { "snapshot" },
            "timestamp": state.now(),
            "instrument_name": instrument.instrument_name,
            "change_id": change_id,
            "bids": bids,
            "asks": asks,
        });
        if let Some(before) = before {
            if bids_and_asks_are_empty(&news) {
                self.book = Some(before);
                return None;
            }
            news["prev_change_id"] = before.change_id.into();
        }
        Some(news)
    }
}

fn bids_and_asks_are_empty(news: &Value) -> bool {
    ["bids", "asks"].into_iter().all(|side| news[side].as_array().is_none_or(Vec::is_empty))
}

/// Whether two records differ in nothing but their time.
fn is_same(before: &Value, now: &Value) -> bool {
    let without_time = |record: &Value| {
        let mut record = record.clone();
        if let Value::Object(members) = &mut record {
            members.remove("timestamp");
            members.remove("change_id");
        }
        record
    };
    without_time(before) == without_time(now)
}

fn value(record: &impl Serialize) -> Value {
    // Digit for digit, which the detour over a `Value`'s own numbers would not be.
    let text = serde_json::to_string(record).expect("records are plain JSON");
    serde_json::from_str(&text).expect("what was written is read")
}

/// What turns one side into another, by rising price.
fn level_changes(before: &Levels, now: &Levels) -> Vec<(&'static str, Number, Number)> {
    let mut changes: BTreeMap<Decimal, (&'static str, Decimal)> = BTreeMap::new();
    for (price, amount) in now {
        match before.get(price) {
            None => _ = changes.insert(*price, ("new", *amount)),
            Some(old) if old != amount => _ = changes.insert(*price, ("change", *amount)),
            Some(_) => {}
        }
    }
    for price in before.keys().filter(|price| !now.contains_key(*price)) {
        changes.insert(*price, ("delete", Decimal::ZERO));
    }
    changes.into_iter().map(|(price, (kind, amount))| (kind, price.into(), amount.into())).collect()
}

fn window(state: &State, instrument: &Instrument, group: Option<Number>, depth: usize) -> Value {
    let side = |side: Direction| {
        let mut levels: Vec<(Decimal, Decimal)> = Vec::new();
        for (price, amount) in state.levels(instrument, side, usize::MAX) {
            let price = group.map_or(price, |Number(step)| match side {
                Direction::Buy => (price / step).floor() * step,
                Direction::Sell => (price / step).ceil() * step,
            });
            if let Some((_, sum)) = levels.last_mut().filter(|(last, _)| *last == price) {
                *sum += amount;
            } else if levels.len() < depth {
                levels.push((price, amount));
            } else {
                break;
            }
        }
        levels.into_iter().map(|(price, amount)| (Number::from(price), Number::from(amount))).collect::<Vec<_>>()
    };
    json!({
        "timestamp": state.now(),
        "instrument_name": instrument.instrument_name,
        "change_id": state.change_id(instrument.instrument_name),
        "bids": side(Direction::Buy),
        "asks": side(Direction::Sell),
    })
}

fn quote(state: &State, instrument: &Instrument) -> Value {
    let best = |side| state.levels(instrument, side, 1).first().copied();
    let (bid, ask) = (best(Direction::Buy), best(Direction::Sell));
    json!({
        "timestamp": state.now(),
        "instrument_name": instrument.instrument_name,
        "best_bid_price": bid.map(|level| Number::from(level.0)),
        "best_bid_amount": Number::from(bid.unwrap_or_default().1),
        "best_ask_price": ask.map(|level| Number::from(level.0)),
        "best_ask_amount": Number::from(ask.unwrap_or_default().1),
    })
}

#[derive(Serialize)]
struct Notification<'a, T: Serialize> {
    jsonrpc: &'static str,
    method: &'static str,
    params: Told<'a, T>,
}

#[derive(Serialize)]
struct Told<'a, T: Serialize> {
    channel: &'a str,
    data: &'a T,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
}

/// A notification on a channel.
pub(super) fn notification(channel: &str, label: Option<&str>, data: &impl Serialize) -> Outgoing {
    let params = Told { channel, data, label };
    let notification = Notification { jsonrpc: "2.0", method: "subscription", params };
    Outgoing::Notification(serde_json::to_string(&notification).expect("notifications are plain JSON"))
}

#[derive(Serialize)]
struct AllChanges<'a> {
    instrument_name: &'static str,
    trades: &'a [Trade],
    orders: &'a [Order],
    positions: Vec<positions::View>,
}

impl State {
    /// Notifies everybody who hears the channel. Returns how many those are.
    pub(super) fn notify(&self, channel: &str, data: &impl Serialize) -> usize {
        let hearers =
            self.connections.values().filter_map(|connection| Some((connection, connection.feeds.get(channel)?)));
        hearers.map(|(connection, feed)| connection.send(notification(channel, feed.label.as_deref(), data))).count()
    }

    /// Notifies an account of what happened to it.
    pub(super) fn notify_account(&self, account: usize, channel: &str, data: &impl Serialize) {
        for connection in self.connections_of(account) {
            if let Some(feed) = connection.feeds.get(channel) {
                connection.send(notification(channel, feed.label.as_deref(), data));
            }
        }
    }

    fn connections_of(&self, account: usize) -> impl Iterator<Item = &Connection> {
        self.connections.values().filter(move |one| one.login.as_ref().is_some_and(|login| login.account == account))
    }

    /// Notifies an account of its orders or trades on an instrument: all at once, or orders one by one where it is `raw`.
    pub(super) fn notify_owner(&self, account: usize, what: Private, instrument: &str, data: &[impl Serialize]) {
        let Some(instrument) = self.instrument(instrument).filter(|_| !data.is_empty()) else { return };
        let is_combo = instrument.kind.ends_with("_combo");
        for connection in self.connections_of(account) {
            for (name, feed) in &connection.feeds {
                let Channel::Own(heard, scope, pace) = &feed.channel else { continue };
                let is_meant = *heard == what || *heard == Private::ComboTrades && what == Private::Trades && is_combo;
                if !is_meant || !scope.lets_in(instrument) {
                    continue;
                }
                if *pace == Pace::Raw && what == Private::Orders {
                    data.iter().for_each(|one| connection.send(notification(name, feed.label.as_deref(), one)));
                } else {
                    connection.send(notification(name, feed.label.as_deref(), &data));
                }
            }
        }
    }

    /// Notifies everybody of trades on an instrument.
    pub(super) fn notify_trades(&self, instrument: &str, trades: &[PublicTrade]) {
        let Some(instrument) = self.instrument(instrument).filter(|_| !trades.is_empty()) else { return };
        for connection in self.connections.values() {
            for (name, feed) in &connection.feeds {
                if matches!(&feed.channel, Channel::Trades(scope) if scope.lets_in(instrument)) {
                    connection.send(notification(name, feed.label.as_deref(), &trades));
                }
            }
        }
    }

    /// Tells what the calls since the last time have changed; what is not told at each change waits for its time.
    pub(super) fn publish(&mut self) {
        let changes = std::mem::take(&mut self.changes);
        for name in &changes.instruments {
            let change_id = self.next_change_id();
            self.books.entry(name).or_default().change_id = Some(change_id);
        }
        for ((account, instrument_name), own) in &changes.own {
            let Some(instrument) = self.instrument(instrument_name) else { continue };
            let all = AllChanges {
                instrument_name,
                trades: &own.trades,
                orders: &own.orders,
                positions: if own.trades.is_empty() {
                    Vec::new()
                } else {
                    vec![positions::view(self, *account, instrument)]
                },
            };
            self.notify_changes(*account, instrument, &all);
        }
        let mut connections = std::mem::take(&mut self.connections);
        for connection in connections.values_mut() {
            for feed in connection.feeds.values_mut() {
                let is_touched = feed.channel.instrument().is_some_and(|name| changes.instruments.contains(name));
                feed.is_due |= is_touched || matches!(feed.channel, Channel::Portfolio(_));
            }
            connection.tell(self, Pace::Raw);
            connection.plan();
        }
        self.connections = connections;
    }

    fn notify_changes(&self, account: usize, instrument: &Instrument, all: &AllChanges<'_>) {
        for connection in self.connections_of(account) {
            for (name, feed) in &connection.feeds {
                let is_meant = |scope: &super::channels::Scope| scope.lets_in(instrument);
                if matches!(&feed.channel, Channel::Own(Private::Changes, scope, _) if is_meant(scope)) {
                    connection.send(notification(name, feed.label.as_deref(), all));
                }
            }
        }
    }

    /// Tells a connection what has changed on its channels of a pace.
    pub(super) fn flush(&mut self, number: u64, pace: Pace) {
        let Some(mut connection) = self.connections.remove(&number) else { return };
        connection.planned.remove(&pace);
        connection.tell(self, pace);
        self.connections.insert(number, connection);
    }

    /// The number of the last change of a book.
    pub(super) fn change_id(&self, instrument_name: &str) -> i64 {
        let known = self.books.get(instrument_name).and_then(|book| book.change_id);
        known.unwrap_or(super::state::FIRST_CHANGE)
    }
}

impl Connection {
    /// Tells what is due on the channels of a pace, and what begins on any.
    fn tell(&mut self, state: &State, pace: Pace) {
        let account = self.login.as_ref().map(|login| login.account);
        let mut outgoing = Vec::new();
        for (name, feed) in &mut self.feeds {
            if feed.is_due && (feed.channel.pace() == pace || feed.begins_at_once()) {
                feed.is_due = false;
                let label = feed.label.clone();
                outgoing.extend(feed.news(state, account).iter().map(|one| notification(name, label.as_deref(), one)));
            }
        }
        outgoing.into_iter().for_each(|one| self.send(one));
    }

    /// Sees to it that what is due is told in time.
    fn plan(&mut self) {
        for pace in [Pace::Fast, Pace::Slow] {
            let is_due = self.feeds.values().any(|feed| feed.is_due && feed.channel.pace() == pace);
            if is_due && self.planned.insert(pace) {
                self.send(Outgoing::FlushAfterPause(pace));
            }
        }
    }
}
