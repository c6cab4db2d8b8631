//! The events of accounts.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::market::Moment;
use crate::binance::lists::list_id;
use crate::binance::members::Member;
use crate::binance::order::side_name;
use crate::binance::symbols::eight;
use crate::binance::trading::{Event, Movement, Report, Trading};

/// What has happened to an order.
pub(super) fn execution_report(trading: &Trading, report: &Report, moment: Moment) -> Value {
    let Report { event, order, execution, other_id, id } = report;
    let wish = &order.wish;
    let time = |millis: i64| moment.unit.show(millis);
    // A cancellation has an id of its own, and an amendment shows the one before.
    let (client_id, original) = match (event, other_id) {
        (Event::Canceled, Some(own)) => (own.as_str(), wish.client_id.as_str()),
        (_, other) => (wish.client_id.as_str(), other.as_deref().unwrap_or_default()),
    };
    let last = |value: fn(&crate::binance::order::Execution) -> Decimal| {
        eight(execution.as_ref().map(value).unwrap_or_default())
    };
    let is_on_book = order.status.is_open() && order.working_since.is_some();
    let mut shown = json!({
        "e": "executionReport",
        "E": time(moment.now),
        "s": trading.symbols[wish.symbol].name,
        "c": client_id,
        "S": side_name(wish.side),
        "o": wish.kind.name(),
        "f": wish.duration.name(),
        "q": eight(wish.qty),
        "p": eight(wish.price),
        "P": eight(wish.stop_price.unwrap_or_default()),
        "F": eight(Decimal::ZERO),
        "g": list_id(order.list),
        "C": original,
        "x": event.name(),
        "X": order.status.name(),
        "r": "NONE",
        "i": order.id,
        "l": last(|execution| execution.qty),
        "z": eight(order.filled),
        "L": last(|execution| execution.price),
        "n": execution.as_ref().map_or_else(|| "0".to_owned(), |execution| eight(execution.fee)),
        "N": execution.as_ref().map(|execution| execution.fee_coin),
        "T": time(order.updated),
        "t": execution.as_ref().map_or(-1, |execution| execution.trade),
        "I": id,
        "w": is_on_book,
        "m": execution.as_ref().is_some_and(|execution| execution.is_maker),
        "M": execution.is_some(),
        "O": time(order.time),
        "Z": eight(order.value),
        "Y": last(crate::binance::order::Execution::value),
        "Q": eight(wish.quote_qty),
        "V": wish.own_trade.name(),
    });
    if let Some(since) = order.working_since {
        shown["W"] = time(since).into();
    }
    if let Some(strategy) = wish.strategy_id {
        shown["j"] = strategy.into();
    }
    if let Some(kind) = wish.strategy_type {
        shown["J"] = kind.into();
    }
    if *event == Event::TradePrevention {
        let prevented = wish.qty - order.filled;
        shown["v"] = (*id).into();
        shown["pl"] = eight(prevented).into();
        shown["pL"] = eight(wish.price).into();
        shown["pY"] = eight(prevented * wish.price).into();
    }
    shown
}

/// An order list began, or is done.
pub(super) fn list_status(shown: &Value, moment: Moment) -> Value {
    let orders = shown["orders"].as_array().into_iter().flatten();
    let orders = orders.map(|one| json!({"s": one["symbol"], "i": one["orderId"], "c": one["clientOrderId"]}));
    json!({
        "e": "listStatus",
        "E": moment.unit.show(moment.now),
        "s": shown["symbol"],
        "g": shown["orderListId"],
        "c": shown["contingencyType"],
        "l": shown["listStatusType"],
        "L": shown["listOrderStatus"],
        "r": "NONE",
        "C": shown["listClientOrderId"],
        "T": moment.unit.show(shown["transactionTime"].as_i64().unwrap_or_default()),
        "O": orders.collect::<Vec<Value>>(),
    })
}

/// The coins of an account that may have changed, as they are now.
pub(super) fn account_position<'a>(
    trading: &Trading,
    members: &[Member],
    member: usize,
    coins: impl Iterator<Item = &'a String>,
    moment: Moment,
) -> Value {
    let shown = coins.map(|coin| {
        let (free, locked) = trading.balance(members, member, coin);
        json!({"a": coin, "f": eight(free), "l": eight(locked)})
    });
    json!({
        "e": "outboundAccountPosition",
        "E": moment.unit.show(moment.now),
        "u": moment.unit.show(members[member].updated),
        "B": shown.collect::<Vec<Value>>(),
    })
}

/// Coins that came or went other than by a trade.
pub(super) fn balance_update(movement: &Movement, moment: Moment) -> Value {
    let now = moment.unit.show(moment.now);
    json!({"e": "balanceUpdate", "E": now, "a": movement.coin, "d": eight(movement.amount), "T": now})
}

/// A subscription is over.
pub(super) fn terminated(moment: Moment) -> Value {
    json!({"e": "eventStreamTerminated", "E": moment.unit.show(moment.now)})
}
