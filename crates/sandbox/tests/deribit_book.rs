//! Deribit's book: who trades with whom and at which price, what stays, what ends, what positions and balances come to.

mod common;
#[path = "common/deribit.rs"]
mod deribit;

use common::send;
use deribit::{Caller, two_accounts};
use serde_json::{Value, json};
use venuekit_sandbox::Sandbox;

/// Generated here: bids at 69400, 69395, 69390 and asks at 69405, 69410, 69415, of 21000, 42000 and 63000 USD.
const FUTURE: &str = "BTC-26MAR27";

fn limit(amount: i64, price: f64) -> Value {
    json!({"instrument_name": FUTURE, "amount": amount, "type": "limit", "price": price})
}

fn more(mut order: Value, names: Value) -> Value {
    order.as_object_mut().unwrap().extend(names.as_object().unwrap().clone());
    order
}

/// State, filled amount and average price.
fn stands(placed: &Value) -> (&str, &Value, &Value) {
    let order = &placed["order"];
    (order["order_state"].as_str().unwrap(), &order["filled_amount"], &order["average_price"])
}

async fn book(sandbox: &Sandbox) -> Value {
    let uri = format!("/api/v2/public/get_order_book?instrument_name={FUTURE}&depth=5");
    send(sandbox, "GET", &uri, &[], "").await.expect(200)["result"].take()
}

fn trades(placed: &Value) -> Vec<(f64, f64, &str)> {
    let trades = placed["trades"].as_array().unwrap().iter();
    let number = |value: &Value| value.as_f64().unwrap();
    trades.map(|one| (number(&one["price"]), number(&one["amount"]), one["liquidity"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn orders_meet_by_price_and_time() {
    let sandbox = two_accounts().await;
    let (maker, taker) = (Caller::given(&sandbox, 0), Caller::given(&sandbox, 1));
    let first = maker.result("private/sell", more(limit(100, 69402.5), json!({"label": "first"}))).await;
    let second = maker.result("private/sell", more(limit(100, 69402.5), json!({"label": "second"}))).await;
    let dear = maker.result("private/sell", limit(100, 69412.5)).await;
    let shown = book(&sandbox).await;
    assert_eq!(shown["asks"], json!([[69402.5, 200], [69405, 21000], [69410, 42000], [69412.5, 100], [69415, 63000]]));
    assert_eq!((&shown["best_ask_price"], &shown["best_ask_amount"]), (&json!(69402.5), &json!(200)));

    let bought = taker.result("private/buy", limit(150, 69405.0)).await;
    assert_eq!(stands(&bought), ("filled", &json!(150), &json!(69402.5)));
    assert_eq!(trades(&bought), [(69402.5, 100.0, "T"), (69402.5, 50.0, "T")]);
    let state = async |placed: &Value| {
        let order = maker.result("private/get_order_state", json!({"order_id": placed["order"]["order_id"]})).await;
        (order["order_state"].as_str().unwrap().to_owned(), order["filled_amount"].as_i64().unwrap())
    };
    assert_eq!(state(&first).await, ("filled".to_owned(), 100));
    assert_eq!(state(&second).await, ("open".to_owned(), 50));
    assert_eq!(state(&dear).await, ("open".to_owned(), 0));
    let of_maker = maker.result("private/get_user_trades_by_instrument", json!({"instrument_name": FUTURE})).await;
    let sold: Vec<_> = of_maker["trades"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (one["label"].as_str().unwrap(), one["direction"].as_str().unwrap(), one["liquidity"].as_str().unwrap())
        })
        .collect();
    assert_eq!(sold, [("second", "sell", "M"), ("first", "sell", "M")]);
    assert_eq!(of_maker["trades"][1]["trade_id"], bought["trades"][0]["trade_id"]);
    assert_eq!(of_maker["trades"][1]["fee"], 0, "a maker pays nothing here");
    assert_eq!(bought["trades"][0]["fee"], json!(0.000_000_72), "100 / 69402.5 * 0.0005");

    // The rest of an order that was too large stays, and hides the made-up level it has passed.
    let large = taker.result("private/buy", limit(30_000, 69405.0)).await;
    assert_eq!(trades(&large), [(69402.5, 50.0, "T"), (69405.0, 21000.0, "T")]);
    assert_eq!(stands(&large).0, "open");
    let shown = book(&sandbox).await;
    assert_eq!((&shown["bids"][0], &shown["asks"][0]), (&json!([69405, 8950]), &json!([69410, 42000])));
    taker.result("private/cancel", json!({"order_id": large["order"]["order_id"]})).await;
    assert_eq!(book(&sandbox).await["asks"][0], json!([69405, 21000]));
}

#[tokio::test]
async fn times_in_force_and_post_only_are_kept() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let buy = async |order: Value| caller.result("private/buy", order).await;
    let at_once = json!({"time_in_force": "immediate_or_cancel"});
    let whole = json!({"time_in_force": "fill_or_kill"});
    let post_only = json!({"post_only": true});
    assert_eq!(
        stands(&buy(more(limit(30_000, 69405.0), at_once.clone())).await),
        ("cancelled", &json!(21000), &json!(69405))
    );
    assert_eq!(stands(&buy(more(limit(10, 69000.0), at_once)).await), ("cancelled", &json!(0), &json!(0)));
    assert_eq!(stands(&buy(more(limit(30_000, 69405.0), whole.clone())).await), ("cancelled", &json!(0), &json!(0)));
    let filled = buy(more(limit(30_000, 69410.0), whole)).await;
    assert_eq!(trades(&filled), [(69405.0, 21000.0, "T"), (69410.0, 9000.0, "T")]);

    let moved = buy(more(limit(10, 69500.0), post_only.clone())).await;
    assert_eq!((stands(&moved).0, &moved["order"]["price"]), ("open", &json!(69402.5)));
    let reject = more(post_only, json!({"reject_post_only": true}));
    assert_eq!(caller.refused("private/buy", more(limit(10, 69405.0), reject)).await, (400, 11054));

    let market = json!({"instrument_name": FUTURE, "amount": 50_000, "type": "market"});
    let sold = caller.result("private/sell", market).await;
    assert_eq!(trades(&sold)[0], (69400.0, 21000.0, "T"), "your own bid is cancelled, not traded with");
    let order = json!({"order_id": moved["order"]["order_id"]});
    assert_eq!(caller.result("private/get_order_state", order).await["order_state"], "cancelled");
    let with_rest = json!({"instrument_name": FUTURE, "amount": 25_000, "type": "market_limit"});
    let rest = caller.result("private/buy", with_rest).await;
    assert_eq!((stands(&rest), &rest["order"]["price"]), (("open", &json!(21000), &json!(69405)), &json!(69405)));
}

#[tokio::test]
async fn orders_are_edited() {
    let sandbox = two_accounts().await;
    let (caller, other) = (Caller::given(&sandbox, 0), Caller::given(&sandbox, 1));
    let placed = caller.result("private/buy", more(limit(100, 69000.0), json!({"label": "mine"}))).await;
    let later = other.result("private/buy", limit(100, 69000.0)).await;
    let id = json!({"order_id": placed["order"]["order_id"]});
    let edit = async |names: Value| caller.result("private/edit", more(id.clone(), names)).await;
    let smaller = edit(json!({"amount": 90, "price": 69000})).await;
    assert_eq!((&smaller["order"]["replaced"], &smaller["order"]["contracts"]), (&json!(true), &json!(9)));
    let ioc = json!({"time_in_force": "immediate_or_cancel"});
    // The made-up bids go first, then those who came first.
    let sold = other.result("private/sell", more(limit(126_000, 69390.0), ioc.clone())).await;
    assert_eq!(sold["order"]["filled_amount"], 126_000);
    let best = async || book(&sandbox).await["bids"][0].clone();
    edit(json!({"amount": 100, "price": 69402.5})).await;
    assert_eq!(best().await, json!([69402.5, 100]));
    let sold = other.result("private/sell", more(limit(40, 69402.5), ioc)).await;
    assert_eq!(trades(&sold), [(69402.5, 40.0, "T")]);
    assert_eq!(caller.refused("private/edit", more(id.clone(), json!({"amount": 40}))).await, (400, -32602));
    assert_eq!(caller.refused("private/edit", more(id.clone(), json!({"price": 69401}))).await, (400, 10043));
    let crossing = edit(json!({"amount": 100, "price": 69405})).await;
    assert_eq!((stands(&crossing).0, trades(&crossing)), ("filled", vec![(69405.0, 60.0, "T")]));
    assert_eq!(caller.refused("private/edit", more(id.clone(), json!({"amount": 200}))).await, (400, 11044));
    let theirs = json!({"order_id": later["order"]["order_id"], "amount": 10});
    assert_eq!(caller.refused("private/edit", theirs).await, (400, 10004));

    let by_label = |label: &str| json!({"instrument_name": FUTURE, "label": label, "amount": 20, "price": 68000});
    assert_eq!(caller.refused("private/edit_by_label", by_label("two")).await, (400, 10004));
    caller.result("private/buy", more(limit(10, 69000.0), json!({"label": "two"}))).await;
    assert_eq!(caller.result("private/edit_by_label", by_label("two")).await["order"]["amount"], 20);
    caller.result("private/buy", more(limit(10, 69000.0), json!({"label": "two"}))).await;
    assert_eq!(caller.refused("private/edit_by_label", by_label("two")).await, (400, 13032));
}

#[tokio::test]
async fn orders_are_cancelled_by_what_they_have_in_common() {
    let sandbox = two_accounts().await;
    let (caller, other) = (Caller::given(&sandbox, 0), Caller::given(&sandbox, 1));
    let stop = json!({"instrument_name": FUTURE, "amount": 10, "type": "stop_market", "trigger": "mark_price", "trigger_price": 60000});
    let spot = json!({"instrument_name": "BTC_USDC", "amount": 0.1, "type": "limit", "price": 60000, "label": "spot"});
    let place = async || {
        caller.result("private/cancel_all", json!({})).await;
        caller.result("private/buy", limit(10, 60000.0)).await;
        caller.result("private/sell", stop.clone()).await;
        caller.result("private/buy", spot.clone()).await;
    };
    other.result("private/buy", limit(10, 60000.0)).await;
    for (method, params, count) in [
        ("private/cancel_all", json!({}), 3),
        ("private/cancel_all_by_currency", json!({"currency": "BTC"}), 3),
        ("private/cancel_all_by_currency", json!({"currency": "USDC"}), 1),
        ("private/cancel_all_by_currency", json!({"currency": "BTC", "kind": "future", "type": "stop"}), 1),
        ("private/cancel_all_by_currency", json!({"currency": "BTC", "kind": "combo"}), 0),
        ("private/cancel_all_by_currency_pair", json!({"currency_pair": "btc_usd"}), 2),
        ("private/cancel_all_by_instrument", json!({"instrument_name": FUTURE, "type": "limit"}), 1),
        ("private/cancel_all_by_kind_or_type", json!({"currency": ["ETH", "USDC"]}), 1),
        ("private/cancel_all_by_kind_or_type", json!({"currency": "any", "kind": "any", "type": "all"}), 3),
        ("private/cancel_by_label", json!({"label": "spot"}), 1),
        ("private/cancel_by_label", json!({"label": "spot", "currency": "ETH"}), 0),
    ] {
        place().await;
        assert_eq!(caller.result(method, params.clone()).await, count, "{method} {params}");
        let open = caller.result("private/get_open_orders", json!({})).await;
        assert_eq!(open.as_array().unwrap().len(), 3 - count, "{method} {params}");
    }
    place().await;
    let reports = caller.result("private/cancel_all", json!({"detailed": true})).await;
    let shown: Vec<_> = reports
        .as_array()
        .unwrap()
        .iter()
        .map(|report| {
            let orders = report["result"].as_array().unwrap();
            assert!(orders.iter().all(|order| order["order_state"] == "cancelled"));
            (report["instrument_name"].as_str().unwrap(), report["type"].as_str().unwrap(), orders.len())
        })
        .collect();
    assert_eq!(shown, [(FUTURE, "limit", 1), (FUTURE, "stop_market", 1), ("BTC_USDC", "limit", 1)]);
    assert_eq!(other.result("private/get_open_orders", json!({})).await.as_array().unwrap().len(), 1);
    let summary = caller.result("private/get_account_summary", json!({"currency": "BTC"})).await;
    assert_eq!((&summary["initial_margin"], &summary["balance"]), (&json!(0), &json!(10)));
}

#[tokio::test]
async fn positions_grow_shrink_and_are_closed() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let name = json!({"instrument_name": FUTURE});
    let none = caller.result("private/get_position", name.clone()).await;
    assert_eq!((&none["direction"], &none["size"]), (&json!("zero"), &json!(0)));
    assert_eq!(caller.result("private/get_positions", json!({})).await, json!([]));
    let reduce = more(limit(10, 69400.0), json!({"reduce_only": true}));
    assert_eq!(caller.refused("private/sell", reduce).await, (400, 11030));
    let close = more(name.clone(), json!({"type": "market"}));
    assert_eq!(caller.refused("private/close_position", close.clone()).await, (400, 10010));

    caller.result("private/buy", limit(20_000, 69405.0)).await;
    let long = caller.result("private/get_position", name.clone()).await;
    assert_eq!(
        (&long["direction"], &long["size"], &long["average_price"]),
        (&json!("buy"), &json!(20_000), &json!(69405))
    );
    assert_eq!(long["size_currency"], json!(0.288_174_06), "20000 / 69402.5");
    let fewer = more(limit(30_000, 69400.0), json!({"reduce_only": true, "time_in_force": "immediate_or_cancel"}));
    let sold = caller.result("private/sell", fewer).await;
    assert_eq!((&sold["order"]["amount"], stands(&sold).0), (&json!(20_000), "filled"));
    assert_eq!(sold["trades"][0]["profit_loss"], json!(-0.000_020_76), "20000 / 69405 - 20000 / 69400");
    assert_eq!(caller.result("private/get_positions", json!({})).await, json!([]));

    caller.result("private/sell", limit(20_000, 69400.0)).await;
    let filters = json!({"currency": "BTC", "kind": "future"});
    let short = caller.result("private/get_positions", filters).await;
    assert_eq!((short.as_array().unwrap().len(), &short[0]["size"]), (1, &json!(-20_000)));
    assert_eq!(caller.result("private/get_positions", json!({"currency": "ETH"})).await, json!([]));
    let closed = caller.result("private/close_position", close).await;
    assert_eq!((&closed["order"]["direction"], &closed["order"]["reduce_only"]), (&json!("buy"), &json!(true)));
    assert_eq!(stands(&closed), ("filled", &json!(20_000), &json!(69405)));

    let all = caller.result("private/get_user_trades_by_currency", json!({"currency": "BTC", "sorting": "asc"})).await;
    let all = all["trades"].as_array().unwrap().clone();
    assert_eq!(all.len(), 4);
    let total: f64 = all.iter().map(|one| one["profit_loss"].as_f64().unwrap() - one["fee"].as_f64().unwrap()).sum();
    let summary = caller.result("private/get_account_summary", json!({"currency": "BTC"})).await;
    assert!((summary["balance"].as_f64().unwrap() - 10.0 - total).abs() < 1e-9, "{summary}");
    let some = json!({"currency": "BTC", "kind": "future", "count": 2, "start_id": all[1]["trade_id"]});
    let some = caller.result("private/get_user_trades_by_currency", some).await;
    assert_eq!((&some["trades"], &some["has_more"]), (&json!([all[3], all[2]]), &json!(true)));
    let times = json!({"currency": "BTC", "start_timestamp": 0, "end_timestamp": 1});
    let early = caller.result("private/get_user_trades_by_currency_and_time", times).await;
    assert_eq!(early, json!({"trades": [], "has_more": false}));
    let order = json!({"order_id": closed["order"]["order_id"]});
    assert_eq!(caller.result("private/get_user_trades_by_order", order).await, json!([all[3]]));
    let history = caller.result("private/get_order_history_by_currency", json!({"currency": "BTC"})).await;
    assert_eq!((history.as_array().unwrap().len(), &history[0]), (4, &closed["order"]));
}

#[tokio::test]
async fn spot_changes_hands_between_accounts() {
    let sandbox = two_accounts().await;
    let (buyer, seller) = (Caller::given(&sandbox, 0), Caller::given(&sandbox, 1));
    let order = json!({"instrument_name": "BTC_USDC", "amount": 0.5, "type": "limit", "price": 68247});
    buyer.result("private/buy", order.clone()).await;
    seller.result("private/sell", order).await;
    let balance = async |caller: &Caller<'_>, currency: &str| {
        let summary = caller.result("private/get_account_summary", json!({"currency": currency})).await;
        (summary["balance"].clone(), summary["available_funds"].clone())
    };
    let both = |value: Value| (value.clone(), value);
    assert_eq!(balance(&buyer, "BTC").await, both(json!(10.5)));
    assert_eq!(balance(&buyer, "USDC").await, both(json!(215_876.5)));
    assert_eq!(balance(&seller, "BTC").await, both(json!(9.5)));
    assert_eq!(balance(&seller, "USDC").await, both(json!(284_123.5)));
}
