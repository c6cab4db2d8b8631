//! What a venue remembers, for the console: accounts and keys, markets and books, connections and subscriptions.

use rust_decimal::Decimal;
use serde::Serialize;

use crate::streams::BookLevels;

/// So many levels of each side of a book are shown.
pub(crate) const DEPTH: usize = 12;
/// So many trades of a market are shown.
pub(crate) const TRADES: usize = 30;

/// Everything of one venue.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Overview {
    pub(crate) accounts: Vec<Account>,
    pub(crate) markets: Vec<Market>,
    pub(crate) connections: Vec<Connection>,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) balances: Vec<Balance>,
    pub(crate) keys: Vec<Key>,
    /// The open ones.
    pub(crate) orders: Vec<Order>,
    pub(crate) positions: Vec<Position>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Balance {
    pub(crate) currency: String,
    pub(crate) amount: String,
}

impl Balance {
    pub(crate) fn new(currency: impl Into<String>, amount: Decimal) -> Self {
        Self { currency: currency.into(), amount: text(amount) }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Key {
    /// What requests name it by.
    pub(crate) id: String,
    pub(crate) name: String,
    /// Such as `Ed25519` or `secret`.
    pub(crate) kind: &'static str,
    pub(crate) scopes: Vec<String>,
    /// `active`, `disabled`, `revoked` or `expired`.
    pub(crate) status: &'static str,
}

#[derive(Debug, Serialize)]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) market: String,
    /// `buy` or `sell`.
    pub(crate) side: &'static str,
    pub(crate) price: String,
    pub(crate) remaining: String,
    pub(crate) filled: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Position {
    pub(crate) market: String,
    pub(crate) size: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Market {
    pub(crate) id: String,
    pub(crate) title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ask: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last: Option<String>,
}

/// The book of one market and its last trades.
#[derive(Debug, Default, Serialize)]
pub(crate) struct MarketView {
    /// Price and size, the best first. A size that is missing has no limit.
    pub(crate) bids: Vec<(String, Option<String>)>,
    pub(crate) asks: Vec<(String, Option<String>)>,
    /// The newest first.
    pub(crate) trades: Vec<Trade>,
}

impl MarketView {
    /// The view of a book whose levels all have a size.
    pub(crate) fn new(levels: &BookLevels, trades: impl Iterator<Item = Trade>) -> Self {
        let side = |levels: &[(Decimal, Decimal)]| {
            levels.iter().take(DEPTH).map(|(price, size)| (text(*price), Some(text(*size)))).collect()
        };
        Self { bids: side(&levels.bids), asks: side(&levels.asks), trades: trades.take(TRADES).collect() }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Trade {
    /// Milliseconds since the Unix epoch.
    pub(crate) time: i64,
    pub(crate) price: String,
    pub(crate) size: String,
    /// The side of the taker: `buy` or `sell`.
    pub(crate) side: &'static str,
}

#[derive(Debug, Serialize)]
pub(crate) struct Connection {
    pub(crate) id: u64,
    pub(crate) endpoint: String,
    /// Who is logged in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) credential: Option<String>,
    pub(crate) subscriptions: Vec<String>,
}

/// A number as people read it.
pub(crate) fn text(number: Decimal) -> String {
    number.normalize().to_string()
}
