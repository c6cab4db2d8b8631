//! What the sandbox knows of Deribit.

use serde_json::{Value, json};

use super::public_key_pem;
use crate::call::Caller;

pub async fn of(caller: &Caller) -> Value {
    let order = json!({
        "instrument_name": "BTC-PERPETUAL", "amount": 10, "type": "limit", "price": 10000, "contracts": null,
        "trigger": null, "trigger_price": null, "trigger_offset": null, "time_in_force": "good_til_cancelled",
        "advanced": null, "linked_order_type": null, "trigger_fill_condition": null, "otoco_config": null,
        "max_show": null, "display_amount": null, "valid_until": null, "label": "mine",
        "post_only": false, "reject_post_only": false, "reduce_only": false, "refresh_amount": null,
    });
    let rests = json!({"body": {"instrument_name": "BTC-PERPETUAL", "amount": 10, "type": "limit", "price": 10000}});
    let first = caller.call("private/buy", rests.clone()).await["result"]["order"]["order_id"].take();
    let second = caller.call("private/buy", rests).await["result"]["order"]["order_id"].take();
    let labelled = |label: &str| {
        let order = json!({"instrument_name": "BTC-PERPETUAL", "amount": 10, "type": "limit", "price": 9000});
        json!({"body": order, "needed": {"amount": 10, "price": 9000, "label": label}})
    };
    let edited = caller.call("private/buy", labelled("edited")).await["result"]["order"]["order_id"].take();
    caller.call("private/buy", labelled("by label")).await;
    let market = json!({"body": {"instrument_name": "BTC-26MAR27", "amount": 10, "type": "market"}});
    let trade = caller.call("private/buy", market).await["result"]["trades"][0].take();
    let mut keys = Vec::new();
    for _ in 0..5 {
        let scope = json!({"body": {"max_scope": "account:read"}});
        keys.push(caller.call("private/create_api_key", scope).await["result"]["id"].take());
    }
    let key = &caller.sandbox.accounts().deribit[0];
    let id = |index: usize| json!({"body": {"id": keys[index], "max_scope": "account:read", "name": "renamed"}});
    let mut sessions = Vec::new();
    for name in ["forked", "exchanged"] {
        let login = json!({
            "grant_type": "client_credentials", "client_id": key.client_id, "client_secret": key.client_secret,
            "scope": format!("session:{name}"),
        });
        let login = json!({"body": login, "needed": login});
        sessions.push(caller.call("public/auth", login).await["result"]["refresh_token"].take());
    }
    let order = json!({"body": order, "needed": {"amount": 10, "price": 10000}});
    let instrument = json!({"body": {"instrument_name": "BTC-PERPETUAL", "currency": "BTC", "kind": "future"}});
    let of_instrument = json!({"body": {"instrument_name": "BTC-PERPETUAL", "subaccount_id": null}});
    let change = |which: Value| {
        let mut change = json!({
            "amount": 20, "price": 8000, "contracts": null, "advanced": null, "trigger_price": null, "trigger_offset": null,
            "valid_until": null, "display_amount": null, "reduce_only": false,
        });
        change.as_object_mut().unwrap().extend(which.as_object().unwrap().clone());
        change
    };
    let held = json!({"body": {"instrument_name": "ETH-PERPETUAL", "amount": 10, "type": "market"}});
    caller.call("private/buy", held).await;
    let mut subaccounts = Vec::new();
    for _ in 0..3 {
        subaccounts.push(caller.call("private/create_subaccount", json!({})).await["result"].take());
    }
    let sid = |index: usize| json!({"body": {"sid": subaccounts[index]["id"]}});
    let withdrawn = json!({"body": {"currency": "BTC", "amount": 0.5, "address": "there"}});
    let withdrawal = caller.call("private/withdraw", withdrawn).await["result"]["id"].take();
    let sent = json!({"body": {"currency": "BTC", "amount": 0.5, "destination": subaccounts[0]["username"]}});
    let transfer = caller.call("private/submit_transfer_to_user", sent).await["result"]["id"].take();
    let transfer_to =
        |index: usize| json!({"body": {"destination": subaccounts[index]["id"], "source": 10, "amount": 0.5}});
    for address in ["changed", "removed"] {
        caller.call("private/add_to_address_book", json!({"body": {"address": address}})).await;
        caller.call("private/save_address_beneficiary", json!({"body": {"address": address}})).await;
    }
    let entry = |address: &str| json!({"body": {"address": address, "tag": null}});
    let index = json!({"body": {"index_name": "btc_usd"}});
    let trigger = json!({"body": {"continuation": null}});
    let every_account = json!({"body": {"subaccount_id": null}});
    let of_account = json!({"body": {"user_id": 10}});
    let legs = json!([
        {"instrument_name": "BTC-26MAR27", "direction": "buy", "amount": 10},
        {"instrument_name": "BTC-PERPETUAL", "direction": "sell", "amount": 10},
    ]);
    let quotes = json!([{
        "instrument_name": "BTC-26MAR27-70000-C", "quote_set_id": "a", "bid": {"price": 0.03, "amount": 0.5},
        "ask": {"price": 0.09, "amount": 0.5},
    }]);
    // Over HTTP there is no connection to set it for.
    let for_account = json!({"body": {"scope": "account"}, "needed": {"scope": "account"}});
    json!({
        "public/auth": {"body": {
            "grant_type": "client_credentials", "client_id": key.client_id, "client_secret": key.client_secret,
            "refresh_token": null, "timestamp": null, "signature": null, "scope": "account:read",
        }, "needed": {"client_id": key.client_id, "client_secret": key.client_secret}},
        "public/fork_token": {"body": {"refresh_token": sessions[0]}},
        "public/exchange_token": {"body": {"refresh_token": sessions[1], "subject_id": 10, "scope": "account:read"}},
        "public/test": {"body": {"expected_result": null}},
        "public/get_instrument": instrument,
        "public/get_instruments": instrument,
        "public/get_order_book": instrument,
        "public/get_order_book_by_instrument_id": {"body": {"instrument_id": 124_973}},
        "public/get_book_summary_by_instrument": instrument,
        "public/get_contract_size": instrument,
        "public/get_delivery_prices": index,
        "public/get_expirations": {"body": {"currency": "BTC", "currency_pair": null}},
        "public/get_funding_chart_data": instrument,
        "public/get_funding_rate_history": instrument,
        "public/get_funding_rate_value": instrument,
        "public/get_index_chart_data": index,
        "public/get_index_price": index,
        "public/get_last_settlements_by_instrument": instrument,
        "public/get_last_trades_by_currency": {"body": {"start_id": trade["trade_id"], "end_id": trade["trade_id"]}},
        "public/get_last_trades_by_instrument": instrument,
        "public/get_last_trades_by_instrument_and_time": instrument,
        "public/get_mark_price_history": instrument,
        "public/get_tradingview_chart_data": instrument,
        "public/get_combo_details": {"body": {"combo_id": "BTC-FS-26MAR27_PERP"}},
        "private/create_combo": {"body": {"trades": legs}},
        "private/change_margin_model": of_account,
        "private/set_disabled_trading_products": of_account,
        "private/change_subaccount_name": {"body": {"sid": subaccounts[1]["id"], "name": "renamed"}},
        "private/set_email_for_subaccount": sid(1),
        "private/toggle_subaccount_login": sid(1),
        "private/toggle_notifications_from_subaccount": sid(1),
        "private/remove_subaccount": {"body": {"subaccount_id": subaccounts[2]["id"]}},
        "private/get_positions": every_account,
        "private/get_transaction_log": {"body": {"subaccount_id": subaccounts[0]["id"], "continuation": null}},
        "private/get_trigger_order_history": trigger,
        "private/list_address_beneficiaries": trigger,
        "private/get_settlement_history_by_instrument": instrument,
        "private/get_margins": instrument,
        "private/mass_quote": {"body": {"quotes": quotes, "valid_until": null}},
        "private/cancel_quotes": {"body": {"cancel_type": "all"}},
        "private/set_mmp_config": {"needed": {"quantity_limit": 5}},
        "private/move_positions": {"body": {
            "source_uid": 10, "target_uid": subaccounts[0]["id"],
            "trades": [{"instrument_name": "ETH-PERPETUAL", "amount": 5}],
        }},
        "private/submit_transfer_to_subaccount": transfer_to(0),
        "private/submit_transfer_between_subaccounts": transfer_to(0),
        "private/submit_transfer_to_user": {"body": {"destination": subaccounts[0]["username"], "amount": 0.5}},
        "private/cancel_transfer_by_id": {"body": {"id": transfer}},
        "private/cancel_withdrawal": {"body": {"id": withdrawal}},
        "private/update_in_address_book": entry("changed"),
        "private/remove_from_address_book": entry("removed"),
        "private/get_address_beneficiary": entry("changed"),
        "private/delete_address_beneficiary": entry("removed"),
        "public/ticker": instrument,
        "private/create_api_key": {"body": {"max_scope": "account:read", "name": "new", "public_key": public_key_pem()}},
        "private/change_api_key_name": id(0),
        "private/change_scope_in_api_key": id(0),
        "private/edit_api_key": id(0),
        "private/disable_api_key": id(1),
        "private/enable_api_key": id(1),
        "private/remove_api_key": id(2),
        "private/reset_api_key": id(3),
        "private/get_account_summary": {"body": {"currency": "BTC", "subaccount_id": null}},
        "private/get_account_summaries": {"body": {"subaccount_id": null}},
        "private/buy": order,
        "private/sell": order,
        "private/edit": {"body": change(json!({"order_id": edited}))},
        "private/edit_by_label": {
            "body": change(json!({"instrument_name": "BTC-PERPETUAL"})), "needed": {"label": "by label"},
        },
        "private/close_position": {"body": {"instrument_name": "BTC-26MAR27", "type": "market", "price": null}},
        "private/cancel_all_by_instrument": instrument,
        "private/get_position": instrument,
        "private/get_order_history_by_instrument": instrument,
        "private/get_user_trades_by_currency": {"body": {
            "start_id": trade["trade_id"], "end_id": trade["trade_id"], "subaccount_id": null,
        }},
        "private/get_user_trades_by_currency_and_time": every_account,
        "private/get_user_trades_by_instrument": of_instrument,
        "private/get_user_trades_by_instrument_and_time": of_instrument,
        "private/get_user_trades_by_order": {"body": {"order_id": trade["order_id"], "subaccount_id": null}},
        "private/enable_cancel_on_disconnect": for_account,
        "private/disable_cancel_on_disconnect": for_account,
        "private/get_cancel_on_disconnect": for_account,
        "public/set_heartbeat": {"body": {"interval": 10}},
        "private/cancel": {"body": {"order_id": second}},
        "private/get_order_state": {"body": {"order_id": first}},
        "private/get_open_orders_by_currency": instrument,
        "private/get_open_orders_by_instrument": instrument,
        "private/get_open_orders_by_label": instrument,
        "private/get_order_state_by_label": instrument,
    })
}
