//! Deribit: what one method changes, every other one shows.

#[path = "common/desk.rs"]
mod desk;
#[path = "common/numbers.rs"]
mod numbers;
#[path = "operations/spec.rs"]
#[allow(dead_code, reason = "the operations' own tests use the rest")]
mod spec;

use desk::Desk;
use numbers::list;
use serde_json::{Value, json};

const FUTURE: &str = "BTC-26MAR27";

fn market(amount: i64) -> Value {
    json!({"instrument_name": FUTURE, "amount": amount, "type": "market"})
}

async fn bearer_of(desk: &Desk, user_id: &Value) -> String {
    let login = json!({
        "grant_type": "client_credentials", "client_id": "account-0", "client_secret": "secret-0", "scope": "session:main",
    });
    let tokens = desk.call(0, "public/auth", login).await;
    let exchange = json!({"refresh_token": tokens["refresh_token"], "subject_id": user_id, "scope": "session:sub"});
    let tokens = desk.call(0, "public/exchange_token", exchange).await;
    format!("Bearer {}", tokens["access_token"].as_str().unwrap())
}

#[tokio::test]
async fn subaccounts_are_the_same_everywhere() {
    let desk = Desk::new(2).await;
    let all = desk.call(0, "private/get_subaccounts", json!({})).await;
    assert_eq!((list(&all).len(), &all[0]["id"], &all[0]["type"]), (1, &json!(10), &json!("main")));
    let made = desk.call(0, "private/create_subaccount", json!({})).await;
    let id = &made["id"];
    for listed in list(&desk.call(0, "private/get_subaccounts", json!({"with_portfolio": true})).await) {
        let by_id = json!({"subaccount_id": listed["id"]});
        let summaries = desk.call(0, "private/get_account_summaries", by_id).await;
        assert_eq!((&summaries["id"], &summaries["type"]), (&listed["id"], &listed["type"]));
        assert_eq!(summaries["username"], listed["username"]);
        let btc = json!({"subaccount_id": listed["id"], "currency": "BTC"});
        let summary = desk.call(0, "private/get_account_summary", btc).await;
        assert_eq!(summary["balance"], listed["portfolio"]["btc"]["balance"]);
    }
    let unknown = json!({"subaccount_id": 1});
    assert_eq!(desk.try_call(0, "private/get_account_summaries", unknown).await, Err(-32602));
    let others = json!({"subaccount_id": id});
    assert_eq!(desk.try_call(1, "private/get_account_summaries", others.clone()).await, Err(-32602), "not theirs");

    for (method, params) in [
        ("private/change_subaccount_name", json!({"sid": id, "name": "desk"})),
        ("private/set_email_for_subaccount", json!({"sid": id, "email": "desk@example.com"})),
        ("private/toggle_subaccount_login", json!({"sid": id, "state": "enable"})),
        ("private/toggle_notifications_from_subaccount", json!({"sid": id, "state": true})),
        ("private/set_disabled_trading_products", json!({"user_id": id, "trading_products": ["spots"]})),
        ("private/change_margin_model", json!({"user_id": id, "margin_model": "cross_pm"})),
    ] {
        desk.call(0, method, params).await;
    }
    let listed = desk.call(0, "private/get_subaccounts", json!({})).await[1].take();
    assert_eq!(
        (&listed["username"], &listed["email"], &listed["login_enabled"], &listed["receive_notifications"]),
        (&json!("desk"), &json!("desk@example.com"), &json!(true), &json!(true))
    );
    assert_eq!(
        (&listed["disabled_trading_products"], &listed["margin_model"]),
        (&json!(["spots"]), &json!("cross_pm"))
    );

    let sent = json!({"currency": "BTC", "amount": 2, "destination": id});
    let transfer = desk.call(0, "private/submit_transfer_to_subaccount", sent).await;
    assert_eq!(
        (&transfer["state"], &transfer["direction"], &transfer["other_side"]),
        (&json!("confirmed"), &json!("payment"), &json!("desk"))
    );
    let bearer = bearer_of(&desk, id).await;
    let sub = |method, params| desk.try_call_with(&bearer, method, params);
    let income = sub("private/get_transfers", json!({"currency": "BTC"})).await.unwrap();
    assert_eq!((&income["data"][0]["id"], &income["data"][0]["direction"]), (&transfer["id"], &json!("income")));
    let seen = sub("private/get_subaccounts", json!({})).await.unwrap();
    assert_eq!((list(&seen).len(), &seen[0]["id"]), (1, id), "a subaccount sees itself");

    sub("private/buy", market(1000)).await.unwrap();
    let details = desk.call(0, "private/get_subaccounts_details", json!({"currency": "BTC"})).await;
    let of_sub = list(&details).iter().find(|one| one["uid"] == *id).unwrap();
    let positions = desk.call(0, "private/get_positions", json!({"subaccount_id": id})).await;
    assert_eq!((&of_sub["positions"], &positions[0]["size"]), (&positions, &json!(1000)));
    let trades = json!({"currency": "BTC", "subaccount_id": id});
    assert_eq!(list(&desk.call(0, "private/get_user_trades_by_currency", trades).await["trades"]).len(), 1);
    let moved = json!({"source_uid": id, "target_uid": 10, "trades": [{"instrument_name": FUTURE, "amount": 600}]});
    let moved = desk.call(0, "private/move_positions", moved).await;
    assert_eq!((&moved[0]["direction"], &moved[0]["source_uid"]), (&json!("buy"), id));
    let size = |account: Value| {
        let desk = &desk;
        async move { desk.call(0, "private/get_positions", json!({"subaccount_id": account})).await[0]["size"].take() }
    };
    assert_eq!((size(id.clone()).await, size(json!(10)).await), (json!(400), json!(600)));
    let removal = json!({"subaccount_id": id});
    assert_eq!(
        desk.try_call(0, "private/remove_subaccount", removal.clone()).await,
        Err(11030),
        "it has something left"
    );
    let empty = desk.call(0, "private/create_subaccount", json!({})).await["id"].take();
    desk.call(0, "private/remove_subaccount", json!({"subaccount_id": empty})).await;
    assert_eq!(list(&desk.call(0, "private/get_subaccounts", json!({})).await).len(), 2);
    assert_eq!(desk.try_call(0, "private/get_account_summaries", json!({"subaccount_id": empty})).await, Err(-32602));
}

#[tokio::test]
async fn money_that_moves_is_booked_once() {
    let desk = Desk::new(2).await;
    let balance = async |account| {
        desk.call(account, "private/get_account_summary", json!({"currency": "USDC"})).await["balance"].take()
    };
    let deposits = desk.call(0, "private/get_deposits", json!({"currency": "USDC"})).await;
    assert_eq!((&deposits["count"], &deposits["data"][0]["amount"]), (&json!(1), &json!(250_000)));
    let address = desk.call(0, "private/get_current_deposit_address", json!({"currency": "USDC"})).await;
    assert_eq!(deposits["data"][0]["address"], address["address"]);

    let withdrawn = json!({"currency": "USDC", "amount": 1000, "address": "there", "nonce": "nonce-0001"});
    let first = desk.call(0, "private/withdraw", withdrawn.clone()).await;
    let again = desk.call(0, "private/withdraw", withdrawn).await;
    assert_eq!((&first, balance(0).await), (&again, json!(249_000)), "the nonce counts once");
    let listed = desk.call(0, "private/get_withdrawals", json!({"currency": "USDC"})).await;
    assert_eq!((&listed["count"], &listed["data"][0]), (&json!(1), &first));
    let by_id = json!({"currency": "USDC", "id": first["id"]});
    assert_eq!(desk.call(0, "private/cancel_withdrawal", by_id.clone()).await["state"], "cancelled");
    assert_eq!(desk.try_call(0, "private/cancel_withdrawal", by_id).await, Err(11030));
    assert_eq!(balance(0).await, 250_000);
    let too_much = json!({"currency": "USDC", "amount": 250_001, "address": "there"});
    assert_eq!(desk.try_call(0, "private/withdraw", too_much).await, Err(10009));

    let sent = json!({"currency": "USDC", "amount": 5, "destination": "trader11"});
    let cancelled = desk.call(0, "private/submit_transfer_to_user", sent.clone()).await;
    let by_id = json!({"currency": "USDC", "id": cancelled["id"]});
    assert_eq!(desk.call(0, "private/cancel_transfer_by_id", by_id.clone()).await["state"], "cancelled");
    desk.call(0, "private/submit_transfer_to_user", sent).await;
    assert_eq!((balance(0).await, balance(1).await), (json!(249_995), json!(250_000)), "on its way");
    desk.sandbox.clock().set_offset_millis(61_000);
    assert_eq!((balance(0).await, balance(1).await), (json!(249_995), json!(250_005)));
    assert_eq!(desk.try_call(0, "private/cancel_transfer_by_id", by_id).await, Err(11030));
    let states =
        |transfers: &Value| list(&transfers["data"]).iter().map(|one| one["state"].clone()).collect::<Vec<_>>();
    let listed = desk.call(0, "private/get_transfers", json!({"currency": "USDC"})).await;
    assert_eq!(states(&listed), [json!("confirmed"), json!("cancelled")]);

    let times = |more: Value| {
        let mut params = json!({"currency": "USDC", "start_timestamp": 0, "end_timestamp": 4_000_000_000_000_i64});
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        params
    };
    let log = desk.call(0, "private/get_transaction_log", times(json!({}))).await;
    let kinds: Vec<_> = list(&log["logs"]).iter().rev().map(|entry| entry["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["deposit", "withdrawal", "withdrawal", "transfer", "transfer", "transfer"]);
    assert_eq!(log.get("continuation"), Some(&Value::Null), "it is there on the last page too");
    let (mut paged, mut mark) = (Vec::new(), Value::Null);
    loop {
        let page = desk.call(0, "private/get_transaction_log", times(json!({"count": 4, "continuation": mark}))).await;
        paged.extend(list(&page["logs"]).iter().cloned());
        mark = page["continuation"].clone();
        if mark.is_null() {
            break;
        }
    }
    assert_eq!(json!(paged), log["logs"], "its pages are the whole log");
    let transfers = desk.call(0, "private/get_transaction_log", times(json!({"query": "transfer"}))).await;
    assert_eq!(list(&transfers["logs"]).len(), 3);
}

#[tokio::test]
async fn trades_end_when_they_are_paged() {
    let desk = Desk::new(2).await;
    for _ in 0..7 {
        desk.call(0, "private/buy", market(10)).await;
    }
    let all =
        desk.call(0, "public/get_last_trades_by_instrument", json!({"instrument_name": FUTURE, "count": 100})).await;
    assert_eq!((list(&all["trades"]).len(), &all["has_more"]), (7, &json!(false)));
    let (mut first, mut paged) = (1, Vec::new());
    loop {
        let params = json!({"instrument_name": FUTURE, "count": 3, "start_seq": first, "sorting": "asc"});
        let page = desk.call(0, "public/get_last_trades_by_instrument", params).await;
        paged.extend(list(&page["trades"]).iter().cloned());
        if page["has_more"] == false {
            break;
        }
        first = paged.last().unwrap()["trade_seq"].as_i64().unwrap() + 1;
    }
    paged.reverse();
    assert_eq!(json!(paged), all["trades"]);
    for method in ["public/get_last_trades_by_currency", "private/get_user_trades_by_currency"] {
        let page = desk.call(0, method, json!({"currency": "BTC", "count": 7})).await;
        assert_eq!((list(&page["trades"]).len(), &page["has_more"]), (7, &json!(false)), "{method}");
        let page = desk.call(1, method, json!({"currency": "ETH"})).await;
        assert_eq!(page, json!({"trades": [], "has_more": false}), "{method}");
    }
    let volumes = desk.call(0, "public/get_trade_volumes", json!({"extended": true})).await;
    let ticker = desk.call(0, "public/ticker", json!({"instrument_name": FUTURE})).await;
    let btc = list(&volumes).iter().find(|one| one["currency"] == "BTC").unwrap();
    assert_eq!(
        (&btc["futures_volume"], &btc["futures_volume_30d"]),
        (&ticker["stats"]["volume"], &ticker["stats"]["volume"])
    );
}

#[tokio::test]
async fn quotes_replace_each_other_and_are_protected() {
    let desk = Desk::new(2).await;
    let quote = |bid: f64, ask: f64, amount: i64| {
        let side = |price: f64| json!({"price": price, "amount": amount});
        let quotes = json!([{"instrument_name": FUTURE, "quote_set_id": "set", "bid": side(bid), "ask": side(ask)}]);
        json!({"quote_id": "1", "mmp_group": "group", "quotes": quotes, "detailed": true})
    };
    let protection = json!({
        "index_name": "btc_usd", "mmp_group": "group", "interval": 60, "frozen_time": 0, "max_quote_quantity": 10,
        "quantity_limit": 0.001,
    });
    desk.call(0, "private/set_mmp_config", protection).await;
    let config = desk.call(0, "private/get_mmp_config", json!({"index_name": "btc_usd"})).await;
    assert_eq!((list(&config).len(), &config[0]["quantity_limit"]), (1, &json!(0.001)));
    let placed = desk.call(0, "private/mass_quote", quote(69300.0, 69500.0, 10)).await;
    assert_eq!((list(&placed["orders"]).len(), &placed["errors_count"]), (2, &json!(0)));
    let moved = desk.call(0, "private/mass_quote", quote(69402.5, 69600.0, 100)).await;
    assert_eq!(placed["orders"][0]["order_id"], moved["orders"][0]["order_id"], "the quote of a side is replaced");
    let open = desk.call(0, "private/get_open_orders", json!({})).await;
    assert_eq!(list(&open).len(), 2);
    assert!(list(&open).iter().all(|order| order["quote"] == true && order["quote_set_id"] == "set"), "{open}");
    let wrong = desk.call(0, "private/mass_quote", quote(69401.0, 69600.0, 100)).await;
    assert_eq!(
        (&wrong["errors_count"], &wrong["errors"][0]["side"], &wrong["errors"][0]["error"]["code"]),
        (&json!(1), &json!("bid"), &json!(10043))
    );

    desk.call(1, "private/sell", json!({"instrument_name": FUTURE, "amount": 100, "type": "limit", "price": 69402.5}))
        .await;
    assert_eq!(desk.call(0, "private/get_open_orders", json!({})).await, json!([]), "the protection was set off");
    let status = desk.call(0, "private/get_mmp_status", json!({})).await;
    assert_eq!((&status[0]["index_name"], &status[0]["frozen_until"]), (&json!("btc_usd"), &json!(0)));
    let frozen = desk.call(0, "private/mass_quote", quote(69300.0, 69500.0, 10)).await;
    assert_eq!(frozen["errors_count"], 2);
    desk.call(0, "private/reset_mmp", json!({"index_name": "btc_usd", "mmp_group": "group"})).await;
    assert_eq!(desk.call(0, "private/get_mmp_status", json!({})).await, json!([]));
    desk.sandbox.clock().set_offset_millis(1);
    desk.call(0, "private/mass_quote", quote(69300.0, 69500.0, 10)).await;
    let by_set = |set: &str| json!({"cancel_type": "quote_set_id", "quote_set_id": set});
    assert_eq!(desk.call(0, "private/cancel_quotes", by_set("other")).await, 0);
    assert_eq!(desk.call(0, "private/cancel_quotes", by_set("set")).await, 2);
}

#[tokio::test]
async fn trigger_orders_wake_up_when_the_last_price_reaches_them() {
    let desk = Desk::new(2).await;
    let stop = json!({
        "instrument_name": FUTURE, "amount": 50, "type": "stop_market", "trigger": "last_price", "trigger_price": 69405,
    });
    let stop = desk.call(0, "private/buy", stop).await["order"].take();
    let id = json!({"order_id": stop["order_id"]});
    desk.call(1, "private/sell", market(10)).await;
    assert_eq!(desk.call(0, "private/get_order_state", id.clone()).await["order_state"], "untriggered");
    desk.call(1, "private/buy", market(10)).await;
    let woken = desk.call(0, "private/get_order_state", id).await;
    assert_eq!(
        (&woken["order_state"], &woken["triggered"], &woken["filled_amount"]),
        (&json!("filled"), &json!(true), &json!(50))
    );
    let history = desk.call(0, "private/get_trigger_order_history", json!({"currency": "BTC"})).await;
    let events: Vec<_> = list(&history["entries"]).iter().map(|one| one["order_state"].as_str().unwrap()).collect();
    assert_eq!(events, ["triggered", "new"]);
    let first = desk.call(0, "private/get_trigger_order_history", json!({"currency": "BTC", "count": 1})).await;
    let next = json!({"currency": "BTC", "count": 1, "continuation": first["continuation"]});
    let second = desk.call(0, "private/get_trigger_order_history", next).await;
    assert_eq!((&second["entries"][0], second.get("continuation")), (&history["entries"][1], None));
}

#[tokio::test]
async fn own_orders_meet_as_the_account_has_chosen() {
    let desk = Desk::new(1).await;
    let rests = json!({"instrument_name": FUTURE, "amount": 50, "type": "limit", "price": 69402.5});
    desk.call(0, "private/set_self_trading_config", json!({"mode": "reject_taker", "extended_to_subaccounts": false}))
        .await;
    let summaries = desk.call(0, "private/get_account_summaries", json!({})).await;
    assert_eq!(summaries["self_trading_reject_mode"], "reject_taker");
    desk.call(0, "private/sell", rests.clone()).await;
    let taker = desk.call(0, "private/buy", rests).await;
    assert_eq!((&taker["order"]["order_state"], &taker["trades"]), (&json!("cancelled"), &json!([])));
    assert_eq!(list(&desk.call(0, "private/get_open_orders", json!({})).await).len(), 1, "the maker stays");
}

#[tokio::test]
async fn an_order_that_only_reduces_never_turns_a_position() {
    let desk = Desk::new(2).await;
    desk.call(0, "private/buy", market(100)).await;
    let reduces = |amount: i64, price: f64| json!({"instrument_name": FUTURE, "amount": amount, "type": "limit", "price": price, "reduce_only": true});
    let first = desk.call(0, "private/sell", reduces(100, 69402.5)).await["order"].take();
    let second = desk.call(0, "private/sell", reduces(100, 69412.5)).await["order"].take();
    desk.call(0, "private/sell", market(60)).await;
    let state = async |order: &Value| {
        let order = desk.call(0, "private/get_order_state", json!({"order_id": order["order_id"]})).await;
        (order["order_state"].clone(), order["amount"].clone())
    };
    assert_eq!(state(&second).await, (json!("open"), json!(40)), "no more than what is left of the position");
    let buy = json!({"instrument_name": FUTURE, "amount": 100, "type": "limit", "price": 69402.5, "time_in_force": "immediate_or_cancel"});
    assert_eq!(desk.call(1, "private/buy", buy).await["order"]["filled_amount"], 40);
    assert_eq!(state(&first).await.0, "filled");
    assert_eq!(state(&second).await.0, "cancelled", "there is nothing left to reduce");
    assert_eq!(desk.call(0, "private/get_positions", json!({})).await, json!([]));
}
