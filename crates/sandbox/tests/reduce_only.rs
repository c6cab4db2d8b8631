//! An order that only reduces a position never turns it, however the position changes while the order rests.

#[path = "common/bybit.rs"]
mod bybit;
mod common;
#[path = "common/deribit.rs"]
mod deribit;

use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde_json::{Value, json};
use venuekit_sandbox::Sandbox;

use bybit::{Caller, limit, market, number, public, with};

const SYMBOL: &str = "ETHUSDT";

/// The position: below zero short.
async fn position(caller: &Caller<'_>) -> Decimal {
    let listed = caller.read("/v5/position/list", &format!("category=linear&symbol={SYMBOL}")).await;
    let held = &listed["list"][0];
    let size = number(&held["size"]);
    if held["side"] == "Sell" { -size } else { size }
}

/// The best bid and the best ask.
async fn best(sandbox: &Sandbox) -> (Decimal, Decimal) {
    let book = public(sandbox, &format!("/v5/market/orderbook?category=linear&symbol={SYMBOL}&limit=1")).await;
    (number(&book["b"][0][0]), number(&book["a"][0][0]))
}

fn reducing(side: &str, price: Decimal, qty: &str) -> Value {
    with(limit("linear", SYMBOL, side, &price.to_string(), qty), json!({"reduceOnly": true}))
}

fn amendment(id: &str, change: Value) -> Value {
    with(json!({"category": "linear", "symbol": SYMBOL, "orderId": id}), change)
}

#[tokio::test]
async fn a_resting_order_of_bybit_shrinks_with_the_position() {
    let sandbox = bybit::two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    caller.place(market("linear", SYMBOL, "Buy", "10")).await;
    let (_, ask) = best(&sandbox).await;
    let id = caller.place(reducing("Sell", ask + dec!(1), "10")).await;
    caller.place(market("linear", SYMBOL, "Sell", "9")).await;
    let shown = caller.order("linear", &id).await;
    assert_eq!((number(&shown["qty"]), number(&shown["leavesQty"])), (dec!(1), dec!(1)));
    assert_eq!(shown["orderStatus"], "New");
    let (bid, _) = best(&sandbox).await;
    caller.write("/v5/order/amend", amendment(&id, json!({"price": (bid - dec!(1)).to_string()}))).await;
    assert_eq!(caller.order("linear", &id).await["orderStatus"], "Filled");
    assert_eq!(position(&caller).await, Decimal::ZERO);
}

#[tokio::test]
async fn one_sweep_of_bybit_closes_no_more_than_the_position() {
    let sandbox = bybit::two_accounts().await;
    let (holder, taker) = (Caller::given(&sandbox, 0), Caller::given(&sandbox, 1));
    holder.place(market("linear", SYMBOL, "Buy", "1")).await;
    let (bid, ask) = best(&sandbox).await;
    let price = (bid + ask) / dec!(2);
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(holder.place(reducing("Sell", price, "1")).await);
    }
    let id = taker.place(limit("linear", SYMBOL, "Buy", &price.to_string(), "3")).await;
    assert_eq!(position(&holder).await, Decimal::ZERO);
    let taken = taker.order("linear", &id).await;
    assert_eq!((number(&taken["cumExecQty"]), number(&taken["leavesQty"])), (dec!(1), dec!(2)), "the rest rests");
    for (id, status) in ids.iter().zip(["Filled", "Cancelled", "Cancelled"]) {
        let shown = holder.order("linear", id).await;
        assert_eq!(shown["orderStatus"], status);
        assert_eq!(shown["cancelType"] == "CancelByReduceOnly", status == "Cancelled", "{shown}");
    }
    taker.write("/v5/order/cancel", amendment(&id, json!({}))).await;
    // Two sides of the same account: the position stays what it is, and so does the order.
    holder.place(market("linear", SYMBOL, "Buy", "2")).await;
    let (bid, ask) = best(&sandbox).await;
    let price = (bid + ask) / dec!(2);
    holder.place(reducing("Sell", price, "2")).await;
    holder.place(limit("linear", SYMBOL, "Buy", &price.to_string(), "1")).await;
    assert_eq!(position(&holder).await, dec!(2));
}

#[tokio::test]
async fn an_amended_order_of_bybit_is_cut_to_the_position() {
    let sandbox = bybit::two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    caller.place(market("linear", SYMBOL, "Buy", "1")).await;
    let (bid, ask) = best(&sandbox).await;
    let id = caller.place(reducing("Sell", ask + dec!(1), "1")).await;
    caller.write("/v5/order/amend", amendment(&id, json!({"qty": "50"}))).await;
    assert_eq!(number(&caller.order("linear", &id).await["leavesQty"]), dec!(1));
    caller.write("/v5/order/amend", amendment(&id, json!({"qty": "40", "price": (bid - dec!(1)).to_string()}))).await;
    assert_eq!(caller.order("linear", &id).await["orderStatus"], "Filled");
    assert_eq!(position(&caller).await, Decimal::ZERO);
}

#[tokio::test]
async fn an_order_of_bybit_that_closes_on_its_trigger_only_reduces() {
    let sandbox = bybit::two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    caller.place(market("linear", SYMBOL, "Buy", "1")).await;
    let order = with(market("linear", SYMBOL, "Sell", "5"), json!({"closeOnTrigger": true}));
    caller.place(order).await;
    assert_eq!(position(&caller).await, Decimal::ZERO);
}

/// Generated here: bids at 69400 and below, asks at 69405 and above.
const FUTURE: &str = "BTC-26MAR27";
const BETWEEN: f64 = 69402.5;

fn order(amount: i64, price: f64, more: Value) -> Value {
    with(json!({"instrument_name": FUTURE, "amount": amount, "type": "limit", "price": price}), more)
}

async fn size(caller: &deribit::Caller<'_>) -> i64 {
    let held = caller.result("private/get_position", json!({"instrument_name": FUTURE})).await;
    held["size"].as_i64().unwrap()
}

#[tokio::test]
async fn one_sweep_of_deribit_closes_no_more_than_the_position() {
    let sandbox = deribit::two_accounts().await;
    let (holder, taker) = (deribit::Caller::given(&sandbox, 0), deribit::Caller::given(&sandbox, 1));
    holder.result("private/buy", order(1000, 69405.0, json!({}))).await;
    assert_eq!(size(&holder).await, 1000);
    let mut placed = Vec::new();
    for _ in 0..3 {
        placed.push(holder.result("private/sell", order(1000, BETWEEN, json!({"reduce_only": true}))).await);
    }
    let taken = taker.result("private/buy", order(3000, BETWEEN, json!({}))).await;
    assert_eq!((&taken["order"]["filled_amount"], &taken["order"]["order_state"]), (&json!(1000), &json!("open")));
    assert_eq!(size(&holder).await, 0);
    for (one, state) in placed.iter().zip(["filled", "cancelled", "cancelled"]) {
        let id = json!({"order_id": one["order"]["order_id"]});
        assert_eq!(holder.result("private/get_order_state", id).await["order_state"], state);
    }
}

#[tokio::test]
async fn an_edited_order_of_deribit_is_cut_to_the_position() {
    let sandbox = deribit::two_accounts().await;
    let caller = deribit::Caller::given(&sandbox, 0);
    caller.result("private/buy", order(1000, 69405.0, json!({}))).await;
    let placed = caller.result("private/sell", order(1000, 69500.0, json!({"reduce_only": true}))).await;
    let id = placed["order"]["order_id"].clone();
    let edit = async |amount: i64, price: f64| {
        let change = json!({"order_id": id, "amount": amount, "price": price});
        caller.result("private/edit", change).await["order"].take()
    };
    assert_eq!(edit(50_000, 69500.0).await["amount"], 1000);
    let filled = edit(50_000, 69000.0).await;
    assert_eq!((&filled["order_state"], &filled["filled_amount"]), (&json!("filled"), &json!(1000)));
    assert_eq!(size(&caller).await, 0);
    // An order becomes one that only reduces where there is something to reduce.
    let plain = caller.result("private/sell", order(100, 69500.0, json!({}))).await;
    let change = json!({"order_id": plain["order"]["order_id"], "amount": 100, "price": 69500, "reduce_only": true});
    assert_eq!(caller.refused("private/edit", change).await, (400, 11030));
}
