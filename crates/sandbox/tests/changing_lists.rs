//! A list that is paged while it changes: nothing is left out, and nothing comes twice.

#[path = "common/bybit.rs"]
mod bybit;
mod common;
#[path = "common/deribit.rs"]
mod deribit;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use bybit::limit;
use common::trader::{open_market, traders};

fn ids(page: &Value, list: &str, id: &str) -> Vec<String> {
    page[list].as_array().unwrap().iter().map(|one| one[id].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn orders_of_kalshi_are_all_cancelled_page_by_page() {
    let (_sandbox, traders) = traders(1).await;
    let trader = &traders[0];
    let ticker = open_market(trader).await["ticker"].as_str().unwrap().to_owned();
    for _ in 0..7 {
        trader.order(&ticker, "bid", "0.0100", "1.00").await;
    }
    let (mut cursor, mut cancelled) = (String::new(), 0);
    loop {
        let page = trader.get(&format!("/portfolio/orders?status=resting&limit=3&cursor={cursor}")).await;
        for id in ids(&page, "orders", "order_id") {
            trader.delete(&format!("/portfolio/events/orders/{id}"), 200).await;
            cancelled += 1;
        }
        cursor = page["cursor"].as_str().unwrap().to_owned();
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(cancelled, 7);
    assert_eq!(trader.get("/portfolio/orders?status=resting").await["orders"], json!([]));
}

#[tokio::test]
async fn a_new_order_of_kalshi_repeats_no_other_one() {
    let (_sandbox, traders) = traders(1).await;
    let trader = &traders[0];
    let ticker = open_market(trader).await["ticker"].as_str().unwrap().to_owned();
    for _ in 0..4 {
        trader.order(&ticker, "bid", "0.0100", "1.00").await;
    }
    let first = trader.get("/portfolio/orders?limit=2").await;
    trader.order(&ticker, "bid", "0.0100", "1.00").await;
    let next = trader.get(&format!("/portfolio/orders?limit=2&cursor={}", first["cursor"].as_str().unwrap())).await;
    let seen: BTreeSet<String> = [&first, &next].into_iter().flat_map(|page| ids(page, "orders", "order_id")).collect();
    assert_eq!(seen.len(), 4);
    assert_eq!(next["cursor"], "", "the last page");
}

#[tokio::test]
async fn orders_of_bybit_are_all_cancelled_page_by_page() {
    let sandbox = bybit::two_accounts().await;
    let caller = bybit::Caller::given(&sandbox, 0);
    for _ in 0..7 {
        caller.place(limit("linear", "BTCUSDT", "Buy", "90000", "0.010")).await;
    }
    let (mut cursor, mut cancelled) = (String::new(), 0);
    loop {
        let query = format!("category=linear&symbol=BTCUSDT&limit=3&cursor={cursor}");
        let page = caller.read("/v5/order/realtime", &query).await;
        for id in ids(&page, "list", "orderId") {
            caller.write("/v5/order/cancel", json!({"category": "linear", "symbol": "BTCUSDT", "orderId": id})).await;
            cancelled += 1;
        }
        // One that comes meanwhile is on none of the next pages.
        caller.place(limit("linear", "ETHUSDT", "Buy", "1000", "1.00")).await;
        cursor = page["nextPageCursor"].as_str().unwrap().to_owned();
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(cancelled, 7);
    let left = caller.read("/v5/order/realtime", "category=linear&symbol=BTCUSDT").await;
    assert_eq!(left["list"], json!([]));
}

#[tokio::test]
async fn trigger_orders_of_deribit_are_listed_once() {
    let sandbox = deribit::two_accounts().await;
    let caller = deribit::Caller::given(&sandbox, 0);
    let place = async || {
        let stop = json!({
            "instrument_name": "BTC-26MAR27", "amount": 10, "type": "stop_market", "trigger": "last_price",
            "trigger_price": 60000,
        });
        caller.result("private/sell", stop).await["order"]["order_id"].as_str().unwrap().to_owned()
    };
    let mut placed = BTreeSet::new();
    for _ in 0..4 {
        placed.insert(place().await);
    }
    let (mut seen, mut continuation) = (Vec::new(), Value::Null);
    loop {
        let params = json!({"currency": "BTC", "count": 2, "continuation": continuation});
        let page = caller.result("private/get_trigger_order_history", params).await;
        seen.extend(ids(&page, "entries", "trigger_order_id"));
        assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len(), "none comes twice: {seen:?}");
        // Another one comes first, and one that was listed already has one event more.
        place().await;
        caller.result("private/cancel", json!({"order_id": seen.last()})).await;
        continuation = page["continuation"].clone();
        if continuation.is_null() {
            break;
        }
    }
    assert_eq!(seen.len(), 4, "{seen:?}");
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), placed);
}
