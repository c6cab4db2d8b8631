//! Sends what has happened on both exchanges since the last time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::channels::Endpoint;
use super::connections::Connection;
use super::messages;
use super::perps;
use super::send::Data;
use crate::exchange::{ExchangeEvent, Fill, LevelChange, Order, Owner, Position, Trade};
use crate::kalshi::state::State;

/// A day: the clock may have been set meanwhile.
const LONGEST_WAIT: u64 = 86_400_000;

/// The connections of an endpoint while they are sent something.
struct Audience<'a> {
    state: &'a mut State,
    endpoint: Endpoint,
    /// Markets whose ticker may have changed.
    touched: BTreeSet<Arc<str>>,
}

impl State {
    /// Sends what the calls since the last time have changed.
    pub(in crate::kalshi) fn publish(&mut self, now: i64) {
        let happened = self.events.take_journal();
        self.tell_all(Endpoint::Events, happened);
        let happened = self.perps.exchange.take_journal();
        self.tell_all(Endpoint::Perps, happened);
        self.note_groups(now);
        let noted = std::mem::take(&mut self.feeds.noted);
        for event in noted.into_iter().chain(self.rfqs.take_events()) {
            self.feeds.tell_event(Endpoint::Events, &event);
        }
        self.wait_for_time(now);
    }

    /// Sees to it that what ends by itself is sent then, though nobody calls.
    fn wait_for_time(&self, now: i64) {
        let Some(connection) = self.feeds.connections.values().next() else { return };
        let Ok(pause) = u64::try_from(self.next_change().saturating_sub(now)) else { return };
        if let Some(at) = Instant::now().checked_add(Duration::from_millis(pause.min(LONGEST_WAIT))) {
            connection.outbox.tick_at(at);
        }
    }

    fn tell_all(&mut self, endpoint: Endpoint, happened: Vec<ExchangeEvent>) {
        if happened.is_empty() {
            return;
        }
        let mut audience = Audience { state: self, endpoint, touched: BTreeSet::new() };
        for happening in happened {
            match happening {
                ExchangeEvent::Level(change) => audience.level(&change),
                ExchangeEvent::Trade(trade) => audience.trade(&trade),
                ExchangeEvent::Fill(fill, held, id) => audience.fill(&fill, &held, id.as_deref()),
                ExchangeEvent::Order(order) => audience.order(&order),
                ExchangeEvent::Position(owner, ticker, held) => audience.position(owner, &ticker, &held),
            }
        }
        audience.tickers();
    }

    /// Sends a connection what had to wait for its time.
    pub(super) fn tick(&mut self, number: u64) {
        let Some(mut connection) = self.feeds.connections.remove(&number) else { return };
        self.tell_due_tickers(&mut connection);
        self.feeds.tell_indices(&mut connection);
        self.feeds.connections.insert(number, connection);
    }

    fn tell_due_tickers(&self, connection: &mut Connection) {
        let pause = Duration::from_millis(self.feeds.settings.perps_ticker_millis);
        let Some(subscription) = connection.subscriptions.get("ticker") else { return };
        let now = Instant::now();
        let time = |ticker: &Arc<str>| subscription.sent_tickers.get(ticker).map_or(now, |sent_at| *sent_at + pause);
        let due: Vec<(Arc<str>, Instant)> =
            subscription.due.iter().map(|ticker| (Arc::clone(ticker), time(ticker))).collect();
        for (ticker, at) in due {
            if at > now {
                connection.outbox.tick_at(at);
            } else if let Some(ticker_now) = self.ticker(connection.endpoint, &ticker) {
                self.send_ticker(connection, &ticker, &ticker_now);
            }
        }
    }
}

impl Audience<'_> {
    /// Sends every connection that is wanted, each with what is right for it.
    fn send(
        &mut self,
        channel: &'static str,
        name: &str,
        mut data: impl FnMut(&State, &Connection) -> Option<(&'static str, Option<i64>, Arc<Value>)>,
    ) {
        let mut connections = std::mem::take(&mut self.state.feeds.connections);
        for connection in connections.values_mut() {
            if connection.endpoint != self.endpoint || !connection.hears(channel, name) {
                continue;
            }
            let Some((kind, mark, msg)) = data(self.state, connection) else { continue };
            let (item, msg) = (Arc::from(name), msg.to_string());
            let data = Data { mark, ..Data::new(kind, Some(&item), &msg) };
            self.state.feeds.writer().send(connection, channel, data);
        }
        self.state.feeds.connections = connections;
    }

    fn level(&mut self, change: &LevelChange) {
        let feeds = &mut self.state.feeds;
        let history = match self.endpoint {
            Endpoint::Events => &mut feeds.events,
            Endpoint::Perps => &mut feeds.perps,
        };
        let mark = history.change(&change.ticker, change.side, change.price, change.delta);
        self.touched.insert(Arc::clone(&change.ticker));
        let endpoint = self.endpoint;
        self.send("orderbook_delta", &change.ticker, |_, connection| {
            let is_own = connection.sees(change.owner);
            let subscription = connection.subscriptions.get("orderbook_delta")?;
            let msg = match endpoint {
                Endpoint::Events => messages::delta(change, mark, subscription.use_yes_price, is_own),
                Endpoint::Perps => perps::delta(change, is_own),
            };
            Some(("orderbook_delta", Some(mark), Arc::new(msg)))
        });
    }

    fn trade(&mut self, trade: &Trade) {
        self.touched.insert(trade.ticker.as_str().into());
        let msg = Arc::new(match self.endpoint {
            Endpoint::Events => messages::trade(trade),
            Endpoint::Perps => perps::trade(trade),
        });
        self.send("trade", &trade.ticker, |_, _| Some(("trade", None, Arc::clone(&msg))));
    }

    fn fill(&mut self, fill: &Fill, held: &Position, client_order_id: Option<&str>) {
        let msg = Arc::new(match self.endpoint {
            Endpoint::Events => messages::fill(fill, held, client_order_id),
            Endpoint::Perps => perps::fill(fill, held, client_order_id),
        });
        self.send("fill", &fill.ticker, |_, connection| {
            connection.sees(fill.owner).then(|| ("fill", None, Arc::clone(&msg)))
        });
        self.position(fill.owner, &fill.ticker, held);
    }

    fn position(&mut self, owner: Owner, ticker: &str, held: &Position) {
        if self.endpoint == Endpoint::Perps {
            return;
        }
        self.send("market_positions", ticker, |state, connection| {
            connection.sees(owner).then(|| {
                let msg = messages::position(&state.user_id(owner), owner.subaccount, ticker, held, &state.events);
                ("market_position", None, Arc::new(msg))
            })
        });
    }

    fn order(&mut self, order: &Order) {
        let endpoint = self.endpoint;
        self.send("user_orders", &order.ticker, |state, connection| {
            connection.sees(order.owner).then(|| {
                let user = &state.user_id(order.owner);
                let msg = match endpoint {
                    Endpoint::Events => messages::order(user, order),
                    Endpoint::Perps => perps::order(user, order),
                };
                ("user_order", None, Arc::new(msg))
            })
        });
    }

    /// Sends the tickers that differ from what was sent last.
    fn tickers(&mut self) {
        for ticker in std::mem::take(&mut self.touched) {
            let mut connections = std::mem::take(&mut self.state.feeds.connections);
            let endpoint = self.endpoint;
            let is_heard = |one: &Connection| one.endpoint == endpoint && one.hears("ticker", &ticker);
            if connections.values().any(is_heard) {
                self.ticker(&ticker, connections.values_mut().filter(|one| is_heard(one)));
            }
            self.state.feeds.connections = connections;
        }
    }

    fn ticker<'c>(&mut self, ticker: &Arc<str>, connections: impl Iterator<Item = &'c mut Connection>) {
        let Some(ticker_now) = self.state.ticker(self.endpoint, ticker) else { return };
        if self.state.feeds.tickers.get(ticker) == Some(&ticker_now) {
            return;
        }
        let pause = Duration::from_millis(self.state.feeds.settings.perps_ticker_millis);
        for connection in connections {
            let sent_at = connection.subscriptions.get("ticker").and_then(|one| one.sent_tickers.get(ticker)).copied();
            let next = sent_at.map(|sent_at| sent_at + pause).filter(|next| *next > Instant::now());
            match next.filter(|_| self.endpoint == Endpoint::Perps) {
                Some(next) => {
                    if let Some(subscription) = connection.subscriptions.get_mut("ticker") {
                        subscription.due.insert(Arc::clone(ticker));
                    }
                    connection.outbox.tick_at(next);
                }
                None => self.state.send_ticker(connection, ticker, &ticker_now),
            }
        }
        self.state.feeds.tickers.insert(Arc::clone(ticker), ticker_now);
    }
}
