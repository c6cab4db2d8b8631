//! A parameter that changes what an order does is simulated or refused, and never ignored.

#[path = "common/binance.rs"]
mod binance;
#[path = "common/bybit.rs"]
mod bybit;
mod common;
#[path = "common/deribit.rs"]
mod deribit;

use serde_json::{Value, json};

use bybit::{limit, market, with};
use common::Answer;

const CREATE: &str = "/v5/order/create";
const AMEND: &str = "/v5/order/amend";

#[track_caller]
fn names_the_sandbox(answer: &Answer, at: &str) {
    let text = answer.json.to_string();
    assert!(text.contains("the sandbox does not simulate it"), "{at}: {text}");
}

#[tokio::test]
async fn bybit_refuses_what_it_does_not_simulate() {
    let sandbox = bybit::two_accounts().await;
    let caller = bybit::Caller::given(&sandbox, 0);
    let plain = limit("linear", "BTCUSDT", "Buy", "90000", "0.010");
    let id = caller.place(plain.clone()).await;
    let which = json!({"category": "linear", "symbol": "BTCUSDT", "orderId": id, "qty": "0.020"});
    for (change, is_amended) in [
        (json!({"takeProfit": "99000"}), true),
        (json!({"stopLoss": "80000", "tpslMode": "Full"}), true),
        (json!({"orderIv": "0.5"}), true),
        (json!({"slippageToleranceType": "Percent", "slippageTolerance": "0.5"}), false),
        (json!({"bboSideType": "Queue", "bboLevel": "1"}), false),
        (json!({"mmp": true}), false),
        (json!({"orderFilter": "OcoOrder"}), false),
    ] {
        let answer = caller.post(CREATE, with(plain.clone(), change.clone())).await;
        assert_eq!(bybit::code(&answer), 10001, "{change}");
        names_the_sandbox(&answer, &change.to_string());
        if is_amended {
            let answer = caller.post(AMEND, with(which.clone(), change.clone())).await;
            assert_eq!(bybit::code(&answer), 10001, "{change}");
            names_the_sandbox(&answer, &change.to_string());
        }
    }
    let item = with(plain.clone(), json!({"takeProfit": "99000"}));
    let answer = caller.post("/v5/order/create-batch", json!({"category": "linear", "request": [item, plain]})).await;
    let codes: Vec<&Value> =
        answer.json["retExtInfo"]["list"].as_array().unwrap().iter().map(|one| &one["code"]).collect();
    assert_eq!(codes, [&json!(10001), &json!(0)]);
}

#[tokio::test]
async fn bybit_accepts_what_clients_send_for_nothing() {
    let sandbox = bybit::two_accounts().await;
    let caller = bybit::Caller::given(&sandbox, 0);
    let nothing = json!({
        "takeProfit": "0", "stopLoss": "0.00", "tpslMode": "", "tpTriggerBy": "LastPrice", "slTriggerBy": "",
        "tpLimitPrice": "0", "slLimitPrice": "0.00", "slippageTolerance": "0", "mmp": false, "bboLevel": null,
        "triggerPrice": "0", "closeOnTrigger": false, "reduceOnly": false, "positionIdx": 0, "orderFilter": "Order",
        "isLeverage": 0, "triggerBy": "", "smpType": "None",
    });
    let id = caller.place(with(limit("linear", "BTCUSDT", "Buy", "90000", "0.010"), nothing.clone())).await;
    let which = json!({"category": "linear", "symbol": "BTCUSDT", "orderId": id, "qty": "0.020", "takeProfit": "0", "tpslMode": ""});
    caller.write(AMEND, which).await;
    caller.place(with(market("spot", "BTCUSDT", "Sell", "0.010"), nothing)).await;
    let empty = json!({"takeProfit": "", "stopLoss": "", "orderIv": "", "slippageTolerance": "", "bboSideType": ""});
    let item = with(limit("linear", "BTCUSDT", "Buy", "90000", "0.010"), empty);
    let answer = caller.post("/v5/order/create-batch", json!({"category": "linear", "request": [item]})).await;
    assert_eq!(answer.json["retExtInfo"]["list"][0]["code"], 0, "{}", answer.json);
}

#[tokio::test]
async fn bybit_cancels_conditional_orders_alone() {
    let sandbox = bybit::two_accounts().await;
    let caller = bybit::Caller::given(&sandbox, 0);
    let plain = limit("linear", "BTCUSDT", "Buy", "90000", "0.010");
    caller.place(plain.clone()).await;
    let stop = caller.place(with(plain, json!({"triggerPrice": "91000", "triggerDirection": 2}))).await;
    let wanted = json!({"category": "linear", "symbol": "BTCUSDT", "stopOrderType": "Stop"});
    let cancelled = caller.write("/v5/order/cancel-all", wanted).await;
    assert_eq!(cancelled["list"].as_array().unwrap().len(), 1);
    assert_eq!(cancelled["list"][0]["orderId"], stop);
}

#[tokio::test]
async fn binance_refuses_what_it_does_not_simulate() {
    let sandbox = binance::two_accounts().await;
    let caller = binance::Caller::given(&sandbox, 0);
    let single = binance::limit("BTCUSDT", "BUY", "50000", "0.010");
    let pair = "symbol=BTCUSDT&side=SELL&quantity=0.010&price=90000&stopPrice=50000";
    for (path, order, more) in [
        ("/api/v3/order", single.as_str(), "icebergQty=0.005"),
        ("/api/v3/order", single.as_str(), "pegPriceType=PRIMARY_PEG"),
        ("/api/v3/order/oco", pair, "limitIcebergQty=0.005"),
        ("/api/v3/order/oco", pair, "stopIcebergQty=0.005"),
        ("/api/v3/order/oco", pair, "trailingDelta=100"),
    ] {
        let answer = caller.send("POST", path, &format!("{order}&{more}"), binance::Place::Form).await;
        assert_eq!(binance::refusal(&answer).1, -1013, "{path} {more}");
        names_the_sandbox(&answer, more);
    }
    caller.place(&single).await;
}

#[tokio::test]
async fn deribit_refuses_what_it_does_not_simulate() {
    let sandbox = deribit::two_accounts().await;
    let caller = deribit::Caller::given(&sandbox, 0);
    let option =
        json!({"instrument_name": "BTC-26MAR27-70000-C", "amount": 1, "type": "limit", "price": 0.04, "label": "x"});
    let secondary = json!([{"amount": 1, "direction": "sell", "type": "limit", "price": 0.09}]);
    let placed = caller.result("private/buy", option.clone()).await["order"].take();
    let edit = json!({"order_id": placed["order_id"], "amount": 1, "price": 0.041});
    for (method, order, change) in [
        ("private/buy", &option, json!({"advanced": "usd", "price": 1000})),
        ("private/sell", &option, json!({"advanced": "implv", "price": 50})),
        ("private/buy", &option, json!({"linked_order_type": "one_triggers_other", "otoco_config": secondary})),
        ("private/edit", &edit, json!({"advanced": "usd"})),
    ] {
        let answer = caller.call(method, with(order.clone(), change.clone())).await;
        assert_eq!((answer.status, &answer.json["error"]["code"]), (400, &json!(-32602)), "{method} {change}");
        names_the_sandbox(&answer, method);
    }
    let nothing = json!({"otoco_config": [], "trigger_fill_condition": "first_hit", "advanced": null, "mmp": false});
    caller.result("private/buy", with(option, nothing)).await;
    let edited = caller.result("private/edit", with(edit, json!({"mmp": true}))).await;
    assert_eq!(edited["order"]["mmp"], true);
}
