//! A venue-neutral exchange: accounts, orders that match by price and time, positions, fills, trades and candles.
//!
//! Every number is derived from the same orders and trades, so all reads of a venue agree with one another. What one
//! contract costs, binds and is charged is up to the [`Rules`] of the venue.

mod account;
mod book;
mod candles;
mod change;
mod engine;
mod free;
mod funds;
mod interval;
mod journal;
mod order;
mod plan;
mod records;
mod terms;

pub(crate) use self::account::Position;
pub(crate) use self::book::Book;
pub(crate) use self::candles::{Candle, Range};
pub(crate) use self::change::Amendment;
pub(crate) use self::engine::{Exchange, Refused, Rules};
pub(crate) use self::free::Free;
pub(crate) use self::interval::Interval;
pub(crate) use self::journal::{ExchangeEvent, LevelChange};
pub(crate) use self::order::{Order, Reason, Status, Traded};
pub(crate) use self::records::{Fill, Trade};
pub(crate) use self::terms::{Owner, ReduceOnly, SelfTradePrevention, Side, Terms, TimeInForce};
