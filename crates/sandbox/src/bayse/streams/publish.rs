//! What is sent: fills, prices, books and assets as they stand.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::assets;
use super::command::Room;
use super::connection::ChannelMessage;
use super::hub::{Hub, MarketState};
use super::records::{self, AssetPrice, Book, BookUpdate};
use crate::bayse::events;
use crate::bayse::exchange::{Changes, Fill};
use crate::bayse::ledger::Currency;
use crate::number::Number;

/// A book as it was sent.
#[derive(Clone)]
pub(super) struct PublishedBook {
    pub(super) book: Book,
    /// Its time in microseconds, which is its mark.
    pub(super) micros: i64,
}

impl PublishedBook {
    fn told(&self, now: i64) -> ChannelMessage {
        ChannelMessage {
            channel: "orderbook",
            kind: "orderbook_update".into(),
            item: self.book.outcome_id().into(),
            mark: Some(self.micros),
            text: records::message("orderbook_update", &BookUpdate { orderbook: &self.book }, now).into(),
        }
    }
}

impl Hub {
    /// Sends what has changed since the last time.
    pub(in crate::bayse) fn publish(&mut self, changes: &Changes, view: MarketState<'_>) {
        for fill in &changes.fills {
            self.tell_fill(fill, view);
        }
        let priced: BTreeSet<&str> = changes.fills.iter().map(|fill| fill.order.event_id.as_str()).collect();
        for event in priced {
            let room = Room::Prices { event: event.to_owned() }.name();
            if self.has_subscribers(&room)
                && let Some((told, true)) = self.prices_now(event, view)
            {
                self.send_message(&room, &told);
            }
        }
        for (outcome, currency) in &changes.books {
            let Some(known) = events::outcome(view.events, outcome) else { continue };
            let room = Room::Books { market: known.market.id.clone(), currency: *currency }.name();
            if self.has_subscribers(&room)
                && let Some((told, true)) = self.book_now(outcome, *currency, view)
            {
                self.send_message(&room, &told);
            }
        }
    }

    /// What a room begins with.
    pub(super) fn first(&mut self, room: &Room, view: MarketState<'_>) -> Vec<ChannelMessage> {
        match room {
            Room::Prices { event } => self.prices_now(event, view).map(|(told, _)| told).into_iter().collect(),
            Room::Books { market, currency } => {
                let Some((_, market)) = events::market(view.events, market) else { return Vec::new() };
                let outcomes = [&market.outcome1_id, &market.outcome2_id];
                outcomes.into_iter().filter_map(|id| self.book_now(id, *currency, view)).map(|(told, _)| told).collect()
            }
            _ => Vec::new(),
        }
    }

    fn tell_fill(&self, fill: &Fill, view: MarketState<'_>) {
        let order = &fill.order;
        let account = &view.accounts[order.account];
        let (event, market, user) = (order.event_id.clone(), order.market_id.clone(), account.user_id.clone());
        let for_all = [
            Room::Activity { event: event.clone(), market: None },
            Room::Activity { event, market: Some(market.clone()) },
            Room::UserTrades { user: user.clone() },
        ];
        for room in for_all {
            let name = room.name();
            if self.has_subscribers(&name)
                && let Some(activity) = records::activity(fill, account, view.events)
            {
                let kind = records::activity_kind(fill);
                let text = records::message(kind, &activity, view.now).into();
                let item = room.item().into();
                self.send_message(
                    &name,
                    &ChannelMessage { channel: room.channel(), kind: kind.into(), item, mark: None, text },
                );
            }
        }
        let own = Room::Orders { user: user.clone(), market };
        let name = own.name();
        if self.has_subscribers(&name) {
            let text = records::message("order_updated", &records::order_update(fill, &user), view.now).into();
            let (channel, item) = (own.channel(), own.item().into());
            self.send_message(&name, &ChannelMessage { channel, kind: "order_updated".into(), item, mark: None, text });
        }
    }

    /// The prices of an event as a message, and whether they differ from what was sent last.
    fn prices_now(&mut self, event: &str, view: MarketState<'_>) -> Option<(ChannelMessage, bool)> {
        let known = view.events.iter().find(|known| known.id == event)?;
        let prices = records::prices(view.exchange, known);
        let without_time = records::message("price_update", &prices, 0);
        let before = self.prices.insert(event.to_owned(), without_time.clone());
        let text = records::message("price_update", &prices, view.now).into();
        let told =
            ChannelMessage { channel: "prices", kind: "price_update".into(), item: event.into(), mark: None, text };
        Some((told, before.as_ref() != Some(&without_time)))
    }

    /// The book of an outcome as a message, and whether it differs from what was sent last. Two states of a book never have
    /// the same time.
    fn book_now(&mut self, outcome: &str, currency: Currency, view: MarketState<'_>) -> Option<(ChannelMessage, bool)> {
        let known = events::outcome(view.events, outcome)?;
        let mut book = records::book(view.exchange, &known, currency);
        let key = (outcome.to_owned(), currency);
        let before = self.books.get(&key);
        if let Some(before) = before.filter(|before| before.book.is_same(&book)) {
            return Some((before.told(view.now), false));
        }
        let micros = view.now.saturating_mul(1000);
        let micros = before.map_or(micros, |before| micros.max(before.micros + 1));
        book.timestamp = moment(micros);
        let now = PublishedBook { book, micros };
        let told = now.told(view.now);
        self.kept.push_back((currency, now.clone()));
        while self.kept.len() > self.settings.books_kept {
            self.kept.pop_front();
        }
        self.books.insert(key, now);
        Some((told, true))
    }

    /// The book of an outcome as it was sent at a time.
    pub(super) fn kept(&self, outcome: &str, currency: Currency, timestamp: &str) -> Option<&PublishedBook> {
        let is_meant = |(of, told): &&(Currency, PublishedBook)| {
            *of == currency && told.book.outcome_id() == outcome && told.book.timestamp == timestamp
        };
        self.kept.iter().rev().find(is_meant).map(|(_, told)| told)
    }

    pub(super) fn asset(&self, symbol: &'static str, now: i64) -> ChannelMessage {
        let second = now.div_euclid(1000);
        let price = assets::price(symbol, self.assets.get(symbol).copied(), second);
        let record = AssetPrice { symbol, price: Number::from(price), timestamp: now };
        let text = records::message("asset_price", &record, now).into();
        ChannelMessage { channel: "asset_prices", kind: "asset_price".into(), item: symbol.into(), mark: None, text }
    }

    /// Gives an asset a price from now on, and tells it. Returns how many receive it; none where there is no such asset.
    pub(super) fn set_asset(&mut self, symbol: &str, price: Decimal, now: i64) -> Option<usize> {
        let symbol = assets::symbol(symbol)?;
        let moved = assets::price(symbol, Some(Decimal::ZERO), now.div_euclid(1000));
        self.assets.insert(symbol, price - moved);
        Some(self.send_message(&Room::Asset(symbol).name(), &self.asset(symbol, now)))
    }
}

/// Microseconds since the Unix epoch as RFC 3339 text.
fn moment(micros: i64) -> String {
    let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000);
    moment.ok().and_then(|moment| moment.format(&Rfc3339).ok()).unwrap_or_default()
}
