//! What the channels of perpetual futures tell, as the venue writes it.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::messages::reason;
use crate::exchange::{Fill, LevelChange, Order, Position, Trade};
use crate::kalshi::read::{count, dollars};
use crate::streams::BookLevels;

/// A whole book. The best level is the last on both sides; an empty side is left out.
pub(super) fn snapshot(ticker: &str, book: &BookLevels) -> Value {
    let mut json = json!({"market_ticker": ticker});
    for (member, levels) in [("bid", &book.bids), ("ask", &book.asks)] {
        let level = |(price, size): &(Decimal, Decimal)| json!([dollars(*price), count(*size)]);
        if !levels.is_empty() {
            json[member] = levels.iter().rev().map(level).collect();
        }
    }
    json
}

/// A change of one level. Own orders are marked.
pub(super) fn delta(change: &LevelChange, is_own: bool) -> Value {
    let mut json = json!({
        "market_ticker": &*change.ticker,
        "price": dollars(change.price),
        "delta": count(change.delta),
        "side": change.side.name(),
        "ts_ms": change.time,
    });
    if let Some(reason) = reason(change.reason) {
        json["last_update_reason"] = reason.into();
    }
    if is_own {
        if let Some(id) = &change.client_order_id {
            json["client_order_id"] = id.as_str().into();
        }
        json["subaccount"] = change.owner.subaccount.into();
    }
    json
}

pub(super) fn trade(trade: &Trade) -> Value {
    json!({
        "trade_id": trade.id,
        "market_ticker": trade.ticker,
        "price": dollars(trade.price),
        "count": count(trade.count),
        "taker_side": trade.taker_side.name(),
        "ts_ms": trade.time,
    })
}

fn source(by_venue: bool) -> &'static str {
    if by_venue { "system" } else { "user" }
}

pub(super) fn fill(fill: &Fill, held: &Position, client_order_id: Option<&str>) -> Value {
    let mut json = json!({
        "trade_id": fill.id,
        "order_id": fill.order_id,
        "market_ticker": fill.ticker,
        "is_taker": fill.is_taker,
        "side": fill.side.name(),
        "price": dollars(fill.price),
        "count": count(fill.count),
        "fee_cost": dollars(fill.fee),
        "post_position": count(held.count),
        "subaccount": fill.owner.subaccount,
        "order_source": source(fill.by_venue),
        "ts_ms": fill.time,
    });
    if let Some(id) = client_order_id {
        json["client_order_id"] = id.into();
    }
    json
}

/// An order without a status: its end is that nothing remains.
pub(super) fn order(user: &str, order: &Order) -> Value {
    let terms = &order.terms;
    let mut json = json!({
        "order_id": order.id,
        "user_id": user,
        "client_order_id": terms.client_order_id.as_deref().unwrap_or_default(),
        "ticker": order.ticker,
        "side": terms.side.name(),
        "price": dollars(terms.price),
        "fill_count": count(order.filled()),
        "remaining_count": count(order.remaining),
        "self_trade_prevention_type": terms.self_trade_prevention.name(),
        "created_ts_ms": order.created,
        "last_updated_ts_ms": order.updated,
        "subaccount_number": order.owner.subaccount,
        "order_source": source(order.by_venue),
    });
    if let Some(seconds) = terms.expiration {
        json["expiration_ts_ms"] = seconds.saturating_mul(1000).into();
    }
    if let Some(group) = &terms.order_group_id {
        json["order_group_id"] = group.as_str().into();
    }
    if let Some(reason) = reason(order.reason) {
        json["last_update_reason"] = reason.into();
    }
    json
}
