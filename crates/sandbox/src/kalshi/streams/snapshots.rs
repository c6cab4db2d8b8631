//! What a subscription begins with: whole books and tickers.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::channels::Endpoint;
use super::connections::Connection;
use super::messages;
use super::perps;
use super::send::Data;
use crate::kalshi::state::State;

impl State {
    /// Sends the books of markets, as they are now. One that there is not is not sent.
    pub(super) fn send_snapshots(&self, connection: &mut Connection, markets: &[Arc<str>], id: Option<i64>) {
        let Some(subscription) = connection.subscriptions.get("orderbook_delta") else { return };
        let use_yes_price = subscription.use_yes_price;
        for ticker in markets {
            let (book, msg) = match connection.endpoint {
                Endpoint::Events if self.market(ticker).is_some() => {
                    let book = self.feeds.events.now(ticker);
                    let msg = messages::snapshot(ticker, &book, use_yes_price);
                    (book, msg)
                }
                Endpoint::Perps if self.perps.contract(ticker).is_some() => {
                    let book = self.feeds.perps.now(ticker);
                    let msg = perps::snapshot(ticker, &book);
                    (book, msg)
                }
                _ => continue,
            };
            let msg = msg.to_string();
            let data = Data { mark: Some(book.mark), id, ..Data::new("orderbook_snapshot", Some(ticker), &msg) };
            self.feeds.writer().send(connection, "orderbook_delta", data);
        }
    }

    /// Sends tickers, as they are now.
    pub(super) fn send_tickers(&self, connection: &mut Connection, markets: &[Arc<str>]) {
        for ticker in markets {
            let Some(ticker_now) = self.ticker(connection.endpoint, ticker) else { continue };
            self.send_ticker(connection, ticker, &ticker_now);
        }
    }

    /// What the ticker of a market says, without its times.
    pub(super) fn ticker(&self, endpoint: Endpoint, ticker: &str) -> Option<Value> {
        match endpoint {
            Endpoint::Events => self.market(ticker).map(|_| messages::ticker(ticker, &self.events)),
            Endpoint::Perps => {
                let contract = self.perps.contract(ticker)?;
                Some(contract.ticker_message(&self.perps.exchange, self.feeds.clock.millis()))
            }
        }
    }

    pub(super) fn send_ticker(&self, connection: &mut Connection, ticker: &Arc<str>, ticker_now: &Value) {
        let now = self.feeds.clock.millis();
        let times = match connection.endpoint {
            Endpoint::Events => {
                json!({"ts": now / 1000, "ts_ms": now, "time": crate::clock::rfc3339(now)})
            }
            Endpoint::Perps => json!({"ts_ms": now}),
        };
        let mut msg = ticker_now.clone();
        if let (Value::Object(msg), Value::Object(times)) = (&mut msg, times) {
            msg.extend(times);
        }
        if let Some(subscription) = connection.subscriptions.get_mut("ticker") {
            subscription.sent_tickers.insert(Arc::clone(ticker), Instant::now());
            subscription.due.remove(ticker);
        }
        let msg = msg.to_string();
        self.feeds.writer().send(connection, "ticker", Data::new("ticker", Some(ticker), &msg));
    }
}
