//! Deribit: instruments, numbers, orders.

mod common;
#[path = "common/deribit.rs"]
mod deribit;

use common::now_millis;
use deribit::{Caller, get, sandbox, two_accounts};
use serde_json::{Value, json};

#[tokio::test]
async fn numbers_arrive_digit_for_digit() {
    let sandbox = two_accounts().await;
    let text = async |uri: &str, body: Option<(String, String)>| {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}{uri}", sandbox.base_url());
        let request = match body {
            None => client.get(url),
            Some((header, body)) => {
                client.post(url).header("authorization", header).header("content-type", "application/json").body(body)
            }
        };
        request.send().await.unwrap().text().await.unwrap()
    };
    let ticker = text("/api/v2/public/ticker?instrument_name=BTC-PERPETUAL", None).await;
    assert!(ticker.contains(r#""mark_price":68250.25"#), "{ticker}");
    assert!(ticker.contains(r#""best_bid_price":68250,"#), "{ticker}");
    assert!(ticker.contains(r#""funding_8h":-4.739622041017375e-07"#), "{ticker}");
    let option = text("/api/v2/public/ticker?instrument_name=BTC-26MAR27-70000-C", None).await;
    assert!(option.contains(r#""greeks":{"delta":0.48291,"gamma":1e-05"#), "{option}");
    assert!(option.contains(r#""high":null"#) && option.contains(r#""last_price":null"#), "{option}");

    let caller = Caller::given(&sandbox, 0);
    let body = r#"{"id":1,"method":"private/buy","params":{"instrument_name":"BTC_USDC-PERPETUAL","amount":1.2345,"price":6.82505E+4,"type":"limit"}}"#;
    let header = caller.header(now_millis(), "n", "POST", "/api/v2/private/buy", body);
    let order = text("/api/v2/private/buy", Some((header, body.to_owned()))).await;
    assert!(order.contains(r#""price":68250.5,"amount":1.2345,"contracts":12345"#), "{order}");
}

#[tokio::test]
async fn limit_orders_rest_and_market_orders_fill() {
    let sandbox = two_accounts().await;
    let (first, second) = (Caller::given(&sandbox, 0), Caller::given(&sandbox, 1));
    let params = json!({
        "instrument_name": "BTC-PERPETUAL", "amount": 100, "price": 60000.5, "type": "limit", "label": "mine",
    });
    let placed = first.result("private/buy", params).await;
    let order = &placed["order"];
    assert_eq!((&order["order_state"], &order["contracts"]), (&json!("open"), &json!(10)));
    assert_eq!(placed["trades"], json!([]));
    let id = json!({"order_id": order["order_id"]});
    let by_currency = json!({"currency": "BTC"});
    let open = first.result("private/get_open_orders_by_currency", by_currency.clone()).await;
    assert_eq!(open, json!([order]));
    for (method, params) in [
        ("private/get_open_orders", json!({"kind": "future", "type": "limit"})),
        ("private/get_open_orders_by_instrument", json!({"instrument_name": "BTC-PERPETUAL"})),
        ("private/get_order_state_by_label", json!({"currency": "BTC", "label": "mine"})),
    ] {
        assert_eq!(first.result(method, params).await, json!([order]), "{method}");
    }
    assert_eq!(second.result("private/get_open_orders_by_currency", by_currency).await, json!([]));
    assert_eq!(second.refused("private/get_order_state", id.clone()).await, (400, 10004));
    assert_eq!(second.refused("private/cancel", id.clone()).await, (400, 10004));
    let reserved = first.result("private/get_account_summary", json!({"currency": "BTC", "extended": true})).await;
    assert_eq!(reserved["initial_margin"], json!(0.000_033_33), "100 / 60000.5 / 50");
    assert!(reserved["username"].is_string());
    assert_eq!(first.result("private/cancel", id.clone()).await["order_state"], "cancelled");
    assert_eq!(first.refused("private/cancel", id.clone()).await, (400, 11044));
    assert_eq!(first.result("private/get_order_state", id).await["cancel_reason"], "user_request");

    let params = json!({"instrument_name": "BTC_USDC", "amount": 0.5, "type": "market"});
    let placed = first.result("private/sell", params).await;
    assert_eq!(placed["order"]["order_state"], "filled");
    assert_eq!(placed["trades"][0]["price"], 68246);
    assert_eq!(placed["trades"][0]["matching_id"], Value::Null);
    let balances = first.result("private/get_account_summaries", json!({})).await["summaries"].take();
    let balance = |currency: &str| {
        let all = balances.as_array().unwrap();
        all.iter().find(|one| one["currency"] == currency).unwrap()["balance"].clone()
    };
    assert_eq!((balance("BTC"), balance("USDC")), (json!(9.5), json!(284_123)));

    let params = json!({
        "instrument_name": "ETH-PERPETUAL", "amount": 10, "type": "stop_market", "trigger": "mark_price",
        "trigger_price": 2000,
    });
    let stop = first.result("private/sell", params).await["order"].take();
    assert_eq!((&stop["price"], &stop["order_state"]), (&json!("market_price"), &json!("untriggered")));
}

#[tokio::test]
async fn orders_that_cannot_be_are_refused() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let order = |more: Value| {
        let mut order = json!({"instrument_name": "BTC-PERPETUAL", "amount": 10, "price": 60000, "type": "limit"});
        for (name, value) in more.as_object().unwrap() {
            order[name] = value.clone();
        }
        order
    };
    for (params, code) in [
        (order(json!({"instrument_name": "BTC-NEVER"})), 10020),
        (order(json!({"amount": 15})), -32602),
        (order(json!({"amount": "10"})), -32602),
        (order(json!({"amount": -10})), -32602),
        (order(json!({"contracts": 2})), -32602),
        (order(json!({"price": null})), -32602),
        (order(json!({"price": 60000.25})), 10043),
        (order(json!({"type": "hope"})), -32602),
        (order(json!({"label": "x".repeat(65)})), -32602),
        (order(json!({"amount": 100_000_000})), 10009),
        (order(json!({"amount": 1e27})), 10009),
        (order(json!({"type": "stop_market"})), -32602),
        (order(json!({"valid_until": 1000})), 13888),
    ] {
        assert_eq!(caller.refused("private/buy", params.clone()).await, (400, code), "{params}");
    }
    assert_eq!(caller.result("private/get_open_orders", json!({})).await, json!([]));
    let now = order(json!({"time_in_force": "immediate_or_cancel"}));
    assert_eq!(caller.result("private/buy", now).await["order"]["order_state"], "cancelled");
}

#[tokio::test]
async fn instruments_are_listed() {
    let sandbox = sandbox().await;
    let list = async |query: &str| {
        let uri = format!("/api/v2/public/get_instruments{query}");
        get(&sandbox, &uri, None).await.expect(200)["result"].as_array().unwrap().clone()
    };
    let all = list("?currency=any").await;
    assert_eq!(all, list("").await, "ccxt asks without a currency");
    let kinds: std::collections::BTreeSet<_> = all.iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["future", "future_combo", "option", "spot"]);
    let options = list("?currency=BTC&kind=option").await;
    assert!(!options.is_empty() && options.iter().all(|one| one["strike"].is_number()));
    for one in &all {
        let name = one["instrument_name"].as_str().unwrap();
        for method in ["get_instrument", "ticker", "get_order_book"] {
            let uri = format!("/api/v2/public/{method}?instrument_name={name}");
            assert_eq!(get(&sandbox, &uri, None).await.expect(200)["result"]["instrument_name"], name);
        }
    }
    let missing = get(&sandbox, "/api/v2/public/ticker?instrument_name=NO-SUCH", None).await.expect(400);
    assert_eq!(missing["error"]["code"], 13020);
}
