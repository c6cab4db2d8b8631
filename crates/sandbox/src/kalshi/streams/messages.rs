//! What the channels of event contracts tell, as the venue writes it.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde_json::{Value, json};

use crate::clock::rfc3339;
use crate::exchange::{Exchange, Fill, LevelChange, Order, Position, Reason, Rules as _, Side, Trade};
use crate::kalshi::fees::EventRules;
use crate::kalshi::markets::market_id;
use crate::kalshi::orders::{cost, outcome};
use crate::kalshi::read::{count, dollars};
use crate::streams::BookLevels;

/// A price of a side of the book: of the no side on the scale of no, unless that of yes was asked for.
fn level_price(side: Side, price: Decimal, use_yes_price: bool) -> Decimal {
    if side == Side::Bid || use_yes_price { price } else { Decimal::ONE - price }
}

/// A whole book. An empty side is left out.
pub(super) fn snapshot(ticker: &str, book: &BookLevels, use_yes_price: bool) -> Value {
    let mut json = json!({"market_ticker": ticker, "market_id": market_id(ticker), "clock": book.mark});
    for (member, side, levels) in [("yes_dollars_fp", Side::Bid, &book.bids), ("no_dollars_fp", Side::Ask, &book.asks)]
    {
        let level = |(price, size): &(Decimal, Decimal)| {
            (
                level_price(side, *price, use_yes_price),
                json!([dollars(level_price(side, *price, use_yes_price)), count(*size)]),
            )
        };
        let mut levels: Vec<(Decimal, Value)> = levels.iter().map(level).collect();
        levels.sort_by_key(|(price, _)| *price);
        if !levels.is_empty() {
            json[member] = levels.into_iter().map(|(_, level)| level).collect();
        }
    }
    json
}

/// A change of one level. Own orders are marked.
pub(super) fn delta(change: &LevelChange, mark: i64, use_yes_price: bool, is_own: bool) -> Value {
    let mut json = json!({
        "market_ticker": &*change.ticker,
        "market_id": market_id(&change.ticker),
        "clock": mark,
        "price_dollars": dollars(level_price(change.side, change.price, use_yes_price)),
        "delta_fp": count(change.delta),
        "side": outcome(change.side),
        "ts": rfc3339(change.time),
        "ts_ms": change.time,
    });
    if is_own {
        if let Some(id) = &change.client_order_id {
            json["client_order_id"] = id.as_str().into();
        }
        json["subaccount"] = change.owner.subaccount.into();
    }
    json
}

/// A ticker without its times. A market without trades has no price.
pub(super) fn ticker(ticker: &str, exchange: &Exchange<EventRules>) -> Value {
    let book = exchange.book(ticker);
    let best = |side| exchange.best_level(ticker, side);
    let (bid, bid_size) = best(Side::Bid).unwrap_or((Decimal::ZERO, Decimal::ZERO));
    let (ask, ask_size) = best(Side::Ask).unwrap_or((Decimal::ONE, Decimal::ZERO));
    let of_book = |value: fn(&crate::exchange::Book) -> Decimal| book.map(value).unwrap_or_default();
    let last_size = exchange.trades_of(ticker).next_back().map(|trade| trade.count).unwrap_or_default();
    let whole = |amount: Decimal| amount.trunc().to_i64().unwrap_or_default();
    json!({
        "market_ticker": ticker,
        "market_id": market_id(ticker),
        "price_dollars": book.and_then(|book| book.last_price).map(dollars).unwrap_or_default(),
        "yes_bid_dollars": dollars(bid),
        "yes_ask_dollars": dollars(ask),
        "yes_bid_size_fp": count(bid_size),
        "yes_ask_size_fp": count(ask_size),
        "last_trade_size_fp": count(last_size),
        "volume_fp": count(of_book(|book| book.volume)),
        "open_interest_fp": count(of_book(|book| book.open_interest)),
        "dollar_volume": whole(of_book(|book| book.turnover)),
        "dollar_open_interest": whole(of_book(|book| book.open_interest)),
    })
}

pub(super) fn trade(trade: &Trade) -> Value {
    let taker = outcome(trade.taker_side);
    json!({
        "trade_id": trade.id,
        "market_ticker": trade.ticker,
        "yes_price_dollars": dollars(trade.price),
        "no_price_dollars": dollars(Decimal::ONE - trade.price),
        "count_fp": count(trade.count),
        "taker_side": taker,
        "taker_outcome_side": taker,
        "taker_book_side": trade.taker_side.name(),
        "is_block_trade": false,
        "ts": trade.time / 1000,
        "ts_ms": trade.time,
    })
}

pub(super) fn fill(fill: &Fill, held: &Position, client_order_id: Option<&str>) -> Value {
    let outcome = outcome(fill.side);
    let mut json = json!({
        "trade_id": fill.id,
        "order_id": fill.order_id,
        "market_ticker": fill.ticker,
        "exchange_index": 0,
        "is_taker": fill.is_taker,
        "side": outcome,
        "yes_price_dollars": dollars(fill.price),
        "count_fp": count(fill.count),
        "fee_cost": dollars(fill.fee),
        "action": "buy",
        "outcome_side": outcome,
        "book_side": fill.side.name(),
        "purchased_side": outcome,
        "post_position_fp": count(held.count),
        "subaccount": fill.owner.subaccount,
        "ts": fill.time / 1000,
        "ts_ms": fill.time,
    });
    if let Some(id) = client_order_id {
        json["client_order_id"] = id.into();
    }
    json
}

pub(super) fn position(
    user: &str,
    subaccount: i64,
    ticker: &str,
    held: &Position,
    exchange: &Exchange<EventRules>,
) -> Value {
    json!({
        "user_id": user,
        "market_ticker": ticker,
        "position_fp": count(held.count),
        "position_cost_dollars": dollars(exchange.rules.position_margin(held, Decimal::ZERO)),
        "realized_pnl_dollars": dollars(held.realized),
        "fees_paid_dollars": dollars(held.fees),
        "position_fee_cost_dollars": dollars(held.open_fees),
        "volume_fp": count(held.traded),
        "subaccount": subaccount,
    })
}

/// The word for what changed an order last; none for one that was placed.
pub(super) fn reason(reason: Reason) -> Option<&'static str> {
    match reason {
        Reason::Placed => None,
        Reason::Trade => Some("Trade"),
        Reason::Amended => Some("Amend"),
        Reason::Decreased => Some("Decrease"),
        Reason::MarketClosed => Some("CloseCancel"),
        Reason::SelfTrade => Some("SelfTradeCancel"),
        Reason::Expired => Some("ExpiryCancel"),
        Reason::ReduceOnly => Some("ReduceOnlyCancel"),
    }
}

pub(super) fn order(user: &str, order: &Order) -> Value {
    let terms = &order.terms;
    let outcome = outcome(terms.side);
    let mut json = json!({
        "order_id": order.id,
        "user_id": user,
        "ticker": order.ticker,
        "exchange_index": 0,
        "status": order.status_name(),
        "side": outcome,
        "is_yes": terms.side == Side::Bid,
        "outcome_side": outcome,
        "book_side": terms.side.name(),
        "yes_price_dollars": dollars(terms.price),
        "fill_count_fp": count(order.filled()),
        "remaining_count_fp": count(order.remaining),
        "initial_count_fp": count(terms.count),
        "taker_fill_cost_dollars": dollars(cost(terms.side, order.taker)),
        "maker_fill_cost_dollars": dollars(cost(terms.side, order.maker)),
        "taker_fees_dollars": dollars(order.taker.fees),
        "maker_fees_dollars": dollars(order.maker.fees),
        "client_order_id": terms.client_order_id.as_deref().unwrap_or_default(),
        "self_trade_prevention_type": terms.self_trade_prevention.name(),
        "created_time": rfc3339(order.created),
        "created_ts_ms": order.created,
        "last_update_time": rfc3339(order.updated),
        "last_updated_ts_ms": order.updated,
        "subaccount_number": order.owner.subaccount,
    });
    if let Some(seconds) = terms.expiration {
        let millis = seconds.saturating_mul(1000);
        json["expiration_time"] = rfc3339(millis).into();
        json["expiration_ts_ms"] = millis.into();
    }
    if let Some(group) = &terms.order_group_id {
        json["order_group_id"] = group.as_str().into();
    }
    if let Some(reason) = reason(order.reason) {
        json["last_update_reason"] = reason.into();
    }
    json
}
