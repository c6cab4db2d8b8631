//! What stays of a match: one trade for everybody, and a fill for each of the two orders.

use rust_decimal::Decimal;

use super::terms::{Owner, Side};

/// A trade between two orders.
#[derive(Clone, Debug)]
pub(crate) struct Trade {
    pub(crate) id: String,
    pub(crate) ticker: String,
    pub(crate) price: Decimal,
    pub(crate) count: Decimal,
    pub(crate) taker_side: Side,
    /// Milliseconds since the Unix epoch.
    pub(crate) time: i64,
    /// Contracts held in the market after it.
    pub(crate) open_interest: Decimal,
}

/// One side of a trade.
#[derive(Clone, Debug)]
pub(crate) struct Fill {
    /// The id of the trade.
    pub(crate) id: String,
    pub(crate) order_id: String,
    pub(crate) order_group_id: Option<String>,
    pub(crate) owner: Owner,
    pub(crate) ticker: String,
    pub(crate) side: Side,
    pub(crate) price: Decimal,
    pub(crate) count: Decimal,
    pub(crate) fee: Decimal,
    pub(crate) is_taker: bool,
    pub(crate) by_venue: bool,
    /// Milliseconds since the Unix epoch.
    pub(crate) time: i64,
    /// The mean price of the position before, if it was made smaller.
    pub(crate) entry_price: Option<Decimal>,
    /// The profit of what it closed.
    pub(crate) realized: Decimal,
}
