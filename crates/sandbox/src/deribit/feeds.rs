//! What the subscribers of a channel receive, out of the venue's state.

use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use super::candles;
use super::changes::OwnChanges;
use super::channels::{Channel, UpdateInterval};
use super::indexes;
use super::instruments::{CURRENCIES, Instrument};
use super::market;
use super::orders::{Direction, Order};
use super::positions;
use super::published::{Levels, PublishedBook};
use super::state::State;
use super::summary;
use super::trades::Trade;
use crate::number::Number;

/// A channel that a connection receives, and what it has received on it.
pub(super) struct Feed {
    pub(super) channel: Channel,
    /// Given when subscribing; notifications carry it.
    pub(super) label: Option<String>,
    /// Whether something may have changed since the last notification.
    pub(super) is_due: bool,
    told: Option<Value>,
    book: Option<Arc<PublishedBook>>,
    /// Orders or trades that wait to be sent together.
    gathered: Vec<Box<RawValue>>,
    /// The same of everything that changes, by instrument.
    changes: BTreeMap<&'static str, OwnChanges>,
}

/// Something to tell.
pub(super) struct ChannelUpdate {
    /// `snapshot` or `change`, where the channel has both.
    pub(super) kind: &'static str,
    pub(super) instrument: Option<&'static str>,
    /// The number of the book's state that it leads to.
    pub(super) mark: Option<i64>,
    pub(super) data: Box<RawValue>,
}

/// A record as it is sent: digit for digit, which the detour over a `Value` would not be.
pub(super) fn raw(record: &impl Serialize) -> Box<RawValue> {
    to_raw_value(record).expect("records are plain JSON")
}

/// A record to compare.
fn value(record: &impl Serialize) -> Value {
    serde_json::from_str(raw(record).get()).expect("what was written is read")
}

/// What changed for an account on an instrument.
#[derive(Serialize)]
pub(super) struct AllChanges<'a> {
    pub(super) instrument_name: &'static str,
    pub(super) trades: &'a [Trade],
    pub(super) orders: &'a [Order],
    pub(super) positions: Vec<positions::View>,
}

impl<'a> AllChanges<'a> {
    pub(super) fn new(state: &State, account: usize, instrument: &Instrument, own: &'a OwnChanges) -> Self {
        let moved = (!own.trades.is_empty()).then(|| positions::view(state, account, instrument));
        Self {
            instrument_name: instrument.instrument_name,
            trades: &own.trades,
            orders: &own.orders,
            positions: moved.into_iter().collect(),
        }
    }
}

impl Feed {
    pub(super) fn new(channel: Channel, label: Option<String>) -> Self {
        Self { channel, label, is_due: true, told: None, book: None, gathered: Vec::new(), changes: BTreeMap::new() }
    }

    /// Has records sent together at the channel's pace.
    pub(super) fn gather(&mut self, records: &[impl Serialize]) {
        self.gathered.extend(records.iter().map(raw));
        self.is_due = true;
    }

    pub(super) fn gather_changes(&mut self, instrument: &'static str, own: &OwnChanges) {
        self.changes.entry(instrument).or_default().extend(own);
        self.is_due = true;
    }

    /// Whether the first notification comes at once, however seldom the others come.
    pub(super) fn begins_at_once(&self) -> bool {
        self.told.is_none()
            && self.book.is_none()
            && matches!(self.channel, Channel::Book(..) | Channel::Window { .. } | Channel::IncrementalTicker(_))
    }

    /// Has a book begin again with a snapshot.
    pub(super) fn restart(&mut self) -> bool {
        self.book.take().is_some()
    }

    /// What there is to tell, where it is not what was sent last.
    pub(super) fn news(&mut self, state: &State, account: Option<usize>) -> Vec<ChannelUpdate> {
        if !self.gathered.is_empty() {
            return vec![plain(None, raw(&std::mem::take(&mut self.gathered)))];
        }
        if !self.changes.is_empty() {
            return self.gathered_changes(state, account);
        }
        if let Channel::Book(name, _) = self.channel {
            return self.book_news(state, name).into_iter().collect();
        }
        let Some(records) = self.records(state, account) else { return Vec::new() };
        let instrument = self.channel.instrument();
        let now = Value::Array(records.iter().map(value).collect());
        if let Channel::IncrementalTicker(_) = self.channel {
            return self.incremental_news(&now[0], instrument).into_iter().collect();
        }
        let before = self.told.replace(now.clone()).unwrap_or_default();
        // Of all currencies there is one notification each.
        let is_news = |index: usize| before.get(index).is_none_or(|before| !is_same(before, &now[index]));
        let news = records.into_iter().enumerate().filter(|(index, _)| is_news(*index));
        news.map(|(_, data)| plain(instrument, data)).collect()
    }

    /// The records that the channel tells now; none where it tells only what happens.
    fn records(&self, state: &State, account: Option<usize>) -> Option<Vec<Box<RawValue>>> {
        let instrument = self.channel.instrument().and_then(|name| state.instrument(name));
        let record = match (&self.channel, instrument) {
            (Channel::Window { group, depth, .. }, Some(instrument)) => raw(&window(state, instrument, *group, *depth)),
            (Channel::Ticker(..) | Channel::IncrementalTicker(_), Some(instrument)) => {
                raw(&market::ticker_of(state, instrument))
            }
            (Channel::Quote(_), Some(instrument)) => raw(&quote(state, instrument)),
            (Channel::Perpetual(..), Some(instrument)) => raw(&json!({
                "timestamp": state.now(), "interest": market::INTEREST, "index_price": Number(instrument.prices.index),
            })),
            (Channel::Candles(_, resolution), Some(instrument)) => {
                raw(&candles::latest(state, instrument, resolution)?)
            }
            (Channel::Index(family, index), _) => indexes::record(state, family, index)?,
            (Channel::Portfolio(currency), _) => {
                let account = account?;
                let wanted = CURRENCIES.into_iter().filter(|one| currency == "ANY" || currency == one);
                return Some(
                    wanted.map(|currency| raw(&summary::summary_of(state, account, currency).told())).collect(),
                );
            }
            _ => return None,
        };
        Some(vec![record])
    }

    fn gathered_changes(&mut self, state: &State, account: Option<usize>) -> Vec<ChannelUpdate> {
        let changes = std::mem::take(&mut self.changes);
        let Some(account) = account else { return Vec::new() };
        let told = changes.iter().filter_map(|(name, own)| {
            let instrument = state.instrument(name)?;
            Some(plain(Some(*name), raw(&AllChanges::new(state, account, instrument, own))))
        });
        told.collect()
    }

    fn incremental_news(&mut self, now: &Value, instrument: Option<&'static str>) -> Option<ChannelUpdate> {
        let now = now.as_object()?;
        let told = self.told.replace(Value::Object(now.clone()));
        let kind = if told.is_some() { "change" } else { "snapshot" };
        let named = |name: &str| matches!(name, "instrument_name" | "timestamp");
        let is_news = |name: &str, value: &Value| told.as_ref().is_none_or(|told| told.get(name) != Some(value));
        let changed = now.iter().filter(|(name, value)| named(name) || is_news(name, value));
        let changed: Map<String, Value> = changed.map(|(name, value)| (name.clone(), value.clone())).collect();
        if changed.keys().all(|name| named(name)) {
            return None;
        }
        let mut news = Map::from_iter([("type".to_owned(), json!(kind))]);
        news.extend(changed);
        Some(ChannelUpdate { kind, instrument, mark: None, data: raw(&news) })
    }

    fn book_news(&mut self, state: &State, name: &'static str) -> Option<ChannelUpdate> {
        let now = state.published.now(name)?;
        let before = self.book.replace(Arc::clone(&now));
        if before.as_ref().is_some_and(|before| before.change_id == now.change_id) {
            return None;
        }
        let none = Levels::new();
        let (old_bids, old_asks) = before.as_ref().map_or((&none, &none), |book| (&book.bids, &book.asks));
        let (mut bids, asks) = (level_changes(old_bids, &now.bids), level_changes(old_asks, &now.asks));
        bids.reverse();
        if before.is_some() && bids.is_empty() && asks.is_empty() {
            // It is what it was when it was sent last: there is nothing between the two numbers.
            self.book = before;
            return None;
        }
        let kind = if before.is_some() { "change" } else { "snapshot" };
        let message = BookMessage {
            kind,
            timestamp: state.now(),
            instrument_name: name,
            prev_change_id: before.map(|before| before.change_id),
            change_id: now.change_id,
            bids,
            asks,
        };
        Some(ChannelUpdate { kind, instrument: Some(name), mark: Some(now.change_id), data: raw(&message) })
    }
}

fn plain(instrument: Option<&'static str>, data: Box<RawValue>) -> ChannelUpdate {
    ChannelUpdate { kind: "", instrument, mark: None, data }
}

#[derive(Serialize)]
struct BookMessage {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: i64,
    instrument_name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    prev_change_id: Option<i64>,
    change_id: i64,
    bids: Vec<LevelChange>,
    asks: Vec<LevelChange>,
}

type LevelChange = (&'static str, Number, Number);

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

/// What turns one side into another, by rising price.
fn level_changes(before: &Levels, now: &Levels) -> Vec<LevelChange> {
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

#[derive(Serialize)]
struct Window {
    timestamp: i64,
    instrument_name: &'static str,
    change_id: i64,
    bids: Vec<(Number, Number)>,
    asks: Vec<(Number, Number)>,
}

fn window(state: &State, instrument: &Instrument, group: Option<Number>, depth: usize) -> Window {
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
    Window {
        timestamp: state.now(),
        instrument_name: instrument.instrument_name,
        change_id: state.change_id(instrument.instrument_name),
        bids: side(Direction::Buy),
        asks: side(Direction::Sell),
    }
}

#[derive(Serialize)]
struct Quote {
    timestamp: i64,
    instrument_name: &'static str,
    best_bid_price: Option<Number>,
    best_bid_amount: Number,
    best_ask_price: Option<Number>,
    best_ask_amount: Number,
}

fn quote(state: &State, instrument: &Instrument) -> Quote {
    let best = |side| state.levels(instrument, side, 1).first().copied();
    let (bid, ask) = (best(Direction::Buy), best(Direction::Sell));
    Quote {
        timestamp: state.now(),
        instrument_name: instrument.instrument_name,
        best_bid_price: bid.map(|level| Number::from(level.0)),
        best_bid_amount: Number::from(bid.unwrap_or_default().1),
        best_ask_price: ask.map(|level| Number::from(level.0)),
        best_ask_amount: Number::from(ask.unwrap_or_default().1),
    }
}

/// Whether a pace gathers records until its time.
pub(super) fn gathers(pace: UpdateInterval) -> bool {
    pace != UpdateInterval::Raw
}
