//! What is sent: books, trades, tickers and candles to everybody, orders and positions to their account.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::books::{Delta, Level};
use super::connection::{Connection, Label};
use super::hub::Hub;
use super::topics::{Endpoint, Subject, Topic};
use crate::bybit::candles::{Candle, interval_name};
use crate::bybit::category::Category;
use crate::bybit::market;
use crate::bybit::members::Member;
use crate::bybit::order::{side_name, text as shown};
use crate::bybit::trading::{Changes, PublicTrade, Trading};
use crate::bybit::wallet;
use crate::exchange::Interval;
use crate::faults::Fault;

/// So many trades go in one frame.
const MOST_TRADES: usize = 1024;
/// The book of which a part is for retail users has so many levels.
const RETAIL_DEPTH: usize = 50;

/// Levels to send.
#[derive(Clone, Copy)]
struct Levels<'a> {
    bids: &'a [Level],
    asks: &'a [Level],
}

/// The members of a ticker.
type Members = Map<String, Value>;

/// What has changed of everything that is public.
struct Public<'a> {
    changes: &'a Changes,
    /// By instrument and depth.
    books: BTreeMap<(usize, usize), Delta>,
    /// The members that differ, and all of them.
    tickers: BTreeMap<usize, (Members, Members)>,
    candles: BTreeMap<(usize, Interval), Vec<(Candle, bool)>>,
    now: i64,
}

impl Hub {
    /// Sends what has changed since this was called last.
    pub(in crate::bybit) fn publish(&mut self, changes: &Changes, trading: &Trading, members: &[Member], now: i64) {
        self.publish_public(changes, trading, now);
        for number in self.private_connections() {
            self.publish_private(number, changes, trading, members, now);
        }
    }

    fn private_connections(&self) -> Vec<u64> {
        let is_private = |(_, one): &(&u64, &Connection)| one.endpoint == Endpoint::Private && one.login.is_some();
        self.connections.iter().filter(is_private).map(|(number, _)| *number).collect()
    }

    fn publish_public(&mut self, changes: &Changes, trading: &Trading, now: i64) {
        let mut books = BTreeMap::new();
        for ((instrument, depth), feed) in &mut self.books {
            if changes.books.contains_key(instrument)
                && let Some(delta) = feed.update(trading, *instrument, now)
            {
                books.insert((*instrument, *depth), delta);
            }
        }
        let touched: BTreeSet<usize> = changes.books.keys().chain(changes.trades.keys()).copied().collect();
        let mut tickers = BTreeMap::new();
        for instrument in touched {
            if let Some(before) = self.tickers.get_mut(&instrument) {
                let after = ticker(trading, instrument, now);
                let differs = |(name, value): &(&String, &Value)| before.get(*name) != Some(*value);
                let changed: Map<_, _> =
                    after.iter().filter(differs).map(|(name, value)| (name.clone(), value.clone())).collect();
                if !changed.is_empty() {
                    before.clone_from(&after);
                    tickers.insert(instrument, (changed, after));
                }
            }
        }
        let mut candles = self.close_candles(trading, now);
        for ((instrument, interval), start) in &mut self.candles {
            if changes.trades.contains_key(instrument) {
                *start = interval.start(now);
                let open = trading.candle(*instrument, *interval, now);
                candles.entry((*instrument, *interval)).or_default().push((open, false));
            }
        }
        let public = Public { changes, books, tickers, candles, now };
        for number in self.connections.keys().copied().collect::<Vec<_>>() {
            self.send_public(number, &public, trading);
        }
    }

    /// The candles that have ended since this was called last, and the ones that have begun.
    fn close_candles(&mut self, trading: &Trading, now: i64) -> BTreeMap<(usize, Interval), Vec<(Candle, bool)>> {
        let mut ended = BTreeMap::new();
        for ((instrument, interval), start) in &mut self.candles {
            let begun = interval.start(now);
            if begun > *start {
                let last = trading.candle(*instrument, *interval, *start);
                let open = trading.candle(*instrument, *interval, now);
                ended.insert((*instrument, *interval), vec![(last, true), (open, false)]);
                *start = begun;
            }
        }
        ended
    }

    /// Sends what is due although nothing has changed.
    pub(super) fn tick(&mut self, trading: &Trading, now: i64) {
        let changes = Changes::default();
        let candles = self.close_candles(trading, now);
        if !candles.is_empty() {
            let public = Public { changes: &changes, books: BTreeMap::new(), tickers: BTreeMap::new(), candles, now };
            for number in self.connections.keys().copied().collect::<Vec<_>>() {
                self.send_public(number, &public, trading);
            }
        }
        let pause = std::time::Duration::from_millis(self.settings.repeat_millis);
        let due: Vec<usize> =
            self.quoted.iter().filter(|(_, at)| at.elapsed() >= pause).map(|(instrument, _)| *instrument).collect();
        for instrument in due {
            self.quoted.insert(instrument, Instant::now());
            for number in self.connections.keys().copied().collect::<Vec<_>>() {
                let topics = self.connections[&number].topics.iter();
                let own = topics.filter(|(_, topic)| topic.subject == Subject::TopOfBook { instrument });
                for text in own.map(|(text, _)| text.clone()).collect::<Vec<_>>() {
                    self.send_first(number, &text, trading, now);
                }
            }
        }
    }

    /// Sends one connection what it hears of what has changed: trades, then books, then the rest.
    fn send_public(&mut self, number: u64, public: &Public<'_>, trading: &Trading) {
        let Some(connection) = self.connections.get(&number) else { return };
        if !matches!(connection.endpoint, Endpoint::Public(_)) {
            return;
        }
        let topics: Vec<(String, Topic)> =
            connection.topics.iter().map(|(text, topic)| (text.clone(), topic.clone())).collect();
        for (text, topic) in &topics {
            self.send_trades(number, text, topic, public, trading);
        }
        for (text, topic) in &topics {
            self.send_book(number, text, topic, public, trading);
        }
        for (text, topic) in &topics {
            self.send_rest(number, text, topic, public, trading);
        }
    }

    fn send_trades(&self, number: u64, text: &str, topic: &Topic, public: &Public<'_>, trading: &Trading) {
        let Some(connection) = self.connections.get(&number) else { return };
        let meant = |instrument: &usize| match topic.subject {
            Subject::Trades { instrument: own } => own == *instrument,
            Subject::CoinTrades { base } => {
                let one = &trading.instruments[*instrument];
                one.category == Category::Option && one.base == base
            }
            _ => false,
        };
        for (instrument, trades) in public.changes.trades.iter().filter(|(instrument, _)| meant(instrument)) {
            for some in trades.chunks(MOST_TRADES) {
                let data: Vec<Value> = some.iter().map(|trade| trade_row(trading, *instrument, trade)).collect();
                let item = &trading.instruments[*instrument].symbol;
                let label = Label { text, topic, kind: "snapshot", item: Some(item), mark: None };
                let mut frame = json!({"topic": text, "type": "snapshot", "ts": public.now, "data": data});
                if matches!(topic.subject, Subject::CoinTrades { .. }) {
                    frame["id"] = format!("{text}-{}-{}", public.now, some[0].seq).into();
                }
                connection.send(label, &frame, connection.strike(&self.faults, label));
            }
        }
    }

    fn send_book(&mut self, number: u64, text: &str, topic: &Topic, public: &Public<'_>, trading: &Trading) {
        let (instrument, depth) = match topic.subject {
            Subject::Book { instrument, depth } => (instrument, depth),
            Subject::TopOfBook { instrument } => (instrument, 1),
            Subject::FullBook { instrument } => (instrument, usize::MAX),
            Subject::RetailBook { instrument } => (instrument, RETAIL_DEPTH),
            _ => return,
        };
        let Some(delta) = public.books.get(&(instrument, depth)) else { return };
        if let Subject::TopOfBook { .. } = topic.subject {
            // It is sent as a whole each time.
            self.send_first(number, text, trading, public.now);
            return;
        }
        let levels = Levels { bids: &delta.bids, asks: &delta.asks };
        self.send_levels(number, (text, topic), "delta", (instrument, depth), levels, trading, public.now);
    }

    /// Sends levels of a book. A fault may change their numbers from here on.
    #[expect(clippy::too_many_arguments, reason = "a frame has so many parts")]
    fn send_levels(
        &mut self,
        number: u64,
        (text, topic): (&str, &Topic),
        kind: &'static str,
        key: (usize, usize),
        levels: Levels<'_>,
        trading: &Trading,
        now: i64,
    ) {
        let (Some(feed), Some(connection)) = (self.books.get(&key), self.connections.get_mut(&number)) else { return };
        let label = Label { text, topic, kind, item: None, mark: Some(feed.seq) };
        let fault = connection.strike(&self.faults, label);
        let shift = connection.shifts.entry(text.to_owned()).or_default();
        let (mut kind, mut levels) = (kind, levels);
        match &fault {
            Some(Fault::Gap { by }) => *shift = shift.saturating_add(i64::try_from(*by).unwrap_or_default()),
            Some(Fault::Restart) => {
                // The numbers begin again, which only a whole book may do.
                *shift = 1 - feed.u;
                kind = "snapshot";
                levels = Levels { bids: &feed.bids, asks: &feed.asks };
            }
            _ => {}
        }
        let is_retail = matches!(topic.subject, Subject::RetailBook { .. });
        let rows = |some: &[Level]| book_rows(trading, key.0, some, is_retail);
        let instrument = &trading.instruments[key.0];
        let mut frame = json!({
            "topic": text, "type": kind, "ts": now, "cts": feed.cts,
            "data": {
                "s": &*instrument.symbol, "b": rows(levels.bids), "a": rows(levels.asks),
                "u": feed.u.saturating_add(*shift), "seq": feed.seq,
            },
        });
        if instrument.category == Category::Option {
            frame["id"] = format!("{text}-{}-{}", feed.u, now).into();
        }
        connection.send(Label { kind, ..label }, &frame, fault);
    }

    fn send_rest(&self, number: u64, text: &str, topic: &Topic, public: &Public<'_>, trading: &Trading) {
        let Some(connection) = self.connections.get(&number) else { return };
        let now = public.now;
        match topic.subject {
            Subject::Ticker { instrument } => {
                let Some((changed, all)) = public.tickers.get(&instrument) else { return };
                let has_deltas = trading.instruments[instrument].category != Category::Spot
                    && trading.instruments[instrument].category != Category::Option;
                if has_deltas {
                    let mut changed = changed.clone();
                    changed.insert("symbol".to_owned(), Value::from(&*topic.item));
                    self.send_ticker(connection, (text, topic), "delta", changed, trading, instrument, now);
                } else {
                    self.send_ticker(connection, (text, topic), "snapshot", all.clone(), trading, instrument, now);
                }
            }
            Subject::Kline { instrument, interval } => {
                for (candle, is_closed) in public.candles.get(&(instrument, interval)).into_iter().flatten() {
                    self.send_candle(
                        connection,
                        (text, topic),
                        (instrument, interval),
                        (candle, *is_closed),
                        trading,
                        now,
                    );
                }
            }
            _ => {}
        }
    }

    #[expect(clippy::too_many_arguments, reason = "a frame has so many parts")]
    fn send_ticker(
        &self,
        connection: &Connection,
        (text, topic): (&str, &Topic),
        kind: &'static str,
        data: Map<String, Value>,
        trading: &Trading,
        instrument: usize,
        now: i64,
    ) {
        let label = Label { text, topic, kind, item: None, mark: None };
        let mut frame = json!({"topic": text, "type": kind, "ts": now, "data": data});
        let seq = trading.marks.get(&instrument).copied().unwrap_or_default();
        if trading.instruments[instrument].category == Category::Option {
            frame["id"] = format!("{text}-{seq}-{now}").into();
        } else {
            frame["cs"] = seq.into();
        }
        connection.send(label, &frame, connection.strike(&self.faults, label));
    }

    fn send_candle(
        &self,
        connection: &Connection,
        (text, topic): (&str, &Topic),
        (instrument, interval): (usize, Interval),
        (candle, is_closed): (&Candle, bool),
        trading: &Trading,
        now: i64,
    ) {
        let label = Label { text, topic, kind: "snapshot", item: None, mark: None };
        let one = &trading.instruments[instrument];
        let price = |price: Decimal| one.show_price(price);
        let data = json!([{
            "start": candle.start, "end": candle.end - 1, "interval": interval_name(interval), "open": price(candle.open),
            "close": price(candle.close), "high": price(candle.high), "low": price(candle.low),
            "volume": shown(candle.volume), "turnover": shown(candle.turnover), "confirm": is_closed, "timestamp": now,
        }]);
        let frame = json!({"topic": text, "type": "snapshot", "ts": now, "data": data});
        connection.send(label, &frame, connection.strike(&self.faults, label));
    }

    /// Sends what a topic begins with: the state of a book, a ticker, a candle.
    pub(super) fn send_first(&mut self, number: u64, text: &str, trading: &Trading, now: i64) {
        let Some(topic) = self.connections.get(&number).and_then(|one| one.topics.get(text)).cloned() else { return };
        match topic.subject {
            Subject::Book { instrument, depth } => {
                self.send_whole(number, (text, &topic), (instrument, depth), trading, now)
            }
            Subject::TopOfBook { instrument } => {
                self.quoted.insert(instrument, Instant::now());
                self.send_whole(number, (text, &topic), (instrument, 1), trading, now);
            }
            Subject::RetailBook { instrument } => {
                self.send_whole(number, (text, &topic), (instrument, RETAIL_DEPTH), trading, now);
            }
            Subject::FullBook { instrument } => _ = self.feed(trading, instrument, usize::MAX, now),
            Subject::Ticker { instrument } => {
                let all = self.tickers.entry(instrument).or_insert_with(|| ticker(trading, instrument, now)).clone();
                if let Some(connection) = self.connections.get(&number) {
                    self.send_ticker(connection, (text, &topic), "snapshot", all, trading, instrument, now);
                }
            }
            Subject::Kline { instrument, interval } => {
                self.candles.entry((instrument, interval)).or_insert_with(|| interval.start(now));
                let candle = trading.candle(instrument, interval, now);
                if let Some(connection) = self.connections.get(&number) {
                    let key = (instrument, interval);
                    self.send_candle(connection, (text, &topic), key, (&candle, false), trading, now);
                }
            }
            Subject::PriceLimit { instrument } => {
                if let Some(connection) = self.connections.get(&number) {
                    let label = Label { text, topic: &topic, kind: "", item: None, mark: None };
                    let frame = json!({"topic": text, "ts": now, "data": market::limits(trading, instrument)});
                    connection.send(label, &frame, connection.strike(&self.faults, label));
                }
            }
            _ => {}
        }
    }

    fn send_whole(&mut self, number: u64, topic: (&str, &Topic), key: (usize, usize), trading: &Trading, now: i64) {
        let feed = self.feed(trading, key.0, key.1, now).clone();
        let levels = Levels { bids: &feed.bids, asks: &feed.asks };
        self.send_levels(number, topic, "snapshot", key, levels, trading, now);
    }

    /// Sends an account what has changed for it.
    fn publish_private(&self, number: u64, changes: &Changes, trading: &Trading, members: &[Member], now: i64) {
        let Some(connection) = self.connections.get(&number) else { return };
        let Some(login) = &connection.login else { return };
        let own = login.member;
        for (text, topic) in &connection.topics {
            let of = |instrument: usize, wanted: Option<Category>| {
                wanted.is_none_or(|wanted| trading.instruments[instrument].category == wanted)
            };
            let rows: Vec<Value> = match topic.subject {
                Subject::Orders(wanted) => {
                    let meant =
                        changes.orders.iter().filter(|one| one.member == own && of(one.wish.instrument, wanted));
                    meant.map(|one| one.show_on_stream(&trading.instruments[one.wish.instrument])).collect()
                }
                Subject::Executions(wanted) => {
                    let meant = changes.executions.iter().filter(|one| one.member == own && of(one.instrument, wanted));
                    meant.map(|one| one.show_on_stream(&trading.instruments[one.instrument])).collect()
                }
                Subject::FastExecutions(wanted) => {
                    let meant = changes.executions.iter().filter(|one| one.member == own && of(one.instrument, wanted));
                    meant.map(|one| one.show_fast(&trading.instruments[one.instrument])).collect()
                }
                Subject::Positions(wanted) => {
                    let meant = changes.positions.iter().filter(|(member, index)| *member == own && of(*index, wanted));
                    let show = |(member, index): &(usize, usize)| {
                        let position = trading.positions.get(&(*member, *index)).cloned().unwrap_or_default();
                        position.show_on_stream(&trading.instruments[*index], trading.mark(*index))
                    };
                    meant.map(show).collect()
                }
                Subject::Wallet => match changes.wallets.get(&own) {
                    Some(coins) => vec![wallet::show(trading, members, own, |coin| coins.contains(coin))],
                    None => Vec::new(),
                },
                _ => Vec::new(),
            };
            if rows.is_empty() {
                continue;
            }
            let label = Label { text, topic, kind: "", item: None, mark: None };
            let frame = json!({"topic": text, "id": crate::make::uuid(), "creationTime": now, "data": rows});
            connection.send(label, &frame, connection.strike(&self.faults, label));
        }
    }
}

/// A trade as the streams show it.
fn trade_row(trading: &Trading, instrument: usize, trade: &PublicTrade) -> Value {
    let one = &trading.instruments[instrument];
    let mut row = json!({
        "T": trade.time, "s": &*one.symbol, "S": side_name(trade.side), "v": one.show_qty(trade.qty),
        "p": one.show_price(trade.price), "i": trade.id, "BT": false, "seq": trade.seq,
    });
    match one.category {
        Category::Option => {
            row["mP"] = one.show_price(trade.price).into();
            row["iP"] = shown(trading.dollars(one.base)).into();
            row["mIv"] = "0.55".into();
            row["iv"] = "0.55".into();
        }
        Category::Spot => row["RPI"] = false.into(),
        Category::Linear | Category::Inverse => {
            row["RPI"] = false.into();
            row["L"] = trade.tick.into();
        }
    }
    row
}

/// Levels of two numbers, or of three where a part may be for retail users.
fn book_rows(trading: &Trading, instrument: usize, levels: &[Level], is_retail: bool) -> Value {
    let rows = market::levels(trading, instrument, levels, usize::MAX);
    if is_retail {
        rows.into_iter().map(|[price, size]| json!([price, size, "0"])).collect()
    } else {
        rows.into_iter().map(|row| json!(row)).collect()
    }
}

/// The members of a ticker that a stream has; some have other names than in the lists.
fn ticker(trading: &Trading, instrument: usize, now: i64) -> Map<String, Value> {
    let mut fields = market::ticker(trading, instrument, now);
    match trading.instruments[instrument].category {
        Category::Linear | Category::Inverse => {
            let last = trading.trades.get(&instrument).and_then(|trades| trades.last());
            fields.insert("tickDirection".to_owned(), last.map_or("ZeroPlusTick", |trade| trade.tick).into());
            let is_future = trading.instruments[instrument].delivery > 0;
            let without: &[&str] = if is_future {
                &["fundingRate", "nextFundingTime", "fundingIntervalHour", "fundingCap"]
            } else {
                &[
                    "deliveryTime",
                    "basisRate",
                    "basis",
                    "basisRateYear",
                    "deliveryFeeRate",
                    "predictedDeliveryPrice",
                    "preOpenPrice",
                    "preQty",
                    "curPreListingPhase",
                ]
            };
            fields.retain(|name, _| !without.contains(&name.as_str()));
            if is_future {
                // A list has the time in milliseconds here.
                let delivery = crate::clock::rfc3339(trading.instruments[instrument].delivery);
                fields.insert("deliveryTime".to_owned(), delivery.into());
            }
        }
        Category::Spot => {
            fields.retain(|name, _| !name.starts_with("bid1") && !name.starts_with("ask1"));
        }
        Category::Option => {
            let names = [
                ("bid1Price", "bidPrice"),
                ("bid1Size", "bidSize"),
                ("bid1Iv", "bidIv"),
                ("ask1Price", "askPrice"),
                ("ask1Size", "askSize"),
                ("ask1Iv", "askIv"),
                ("markIv", "markPriceIv"),
            ];
            for (before, after) in names {
                if let Some(value) = fields.remove(before) {
                    fields.insert(after.to_owned(), value);
                }
            }
        }
    }
    fields
}
