//! What has happened on an exchange, in order, for those who are notified of it.

use std::sync::Arc;

use rust_decimal::Decimal;

use super::account::Position;
use super::order::{Order, Reason};
use super::records::{Fill, Trade};
use super::terms::{Owner, Side};

/// Something that happened.
#[derive(Clone, Debug)]
pub(crate) enum ExchangeEvent {
    Level(LevelChange),
    Trade(Trade),
    /// A fill, and the position that it led to.
    Fill(Box<Fill>, Box<Position>, Option<String>),
    /// An order, as it was after a change.
    Order(Box<Order>),
    /// A position that was paid out at the end of its market.
    Position(Owner, String, Box<Position>),
}

/// What rests at a price has changed because of one order.
#[derive(Clone, Debug)]
pub(crate) struct LevelChange {
    pub(crate) ticker: Arc<str>,
    pub(crate) side: Side,
    pub(crate) price: Decimal,
    pub(crate) delta: Decimal,
    pub(crate) owner: Owner,
    pub(crate) client_order_id: Option<String>,
    pub(crate) reason: Reason,
    /// Milliseconds since the Unix epoch.
    pub(crate) time: i64,
}
