//! What the sandbox knows of Kalshi's perpetual futures.

use serde_json::{Value, json};

use crate::call::Caller;
use crate::common::now_millis;

pub async fn of(caller: &Caller) -> Value {
    let ticker = json!("KXBTCPERP");
    let hour = now_millis() / 1000 + 3600;
    let order = |name: &str, price: &str| {
        json!({
            "ticker": ticker, "market_id": null, "client_order_id": name, "price": price, "side": "bid", "count": "10",
            "time_in_force": "good_till_canceled", "self_trade_prevention_type": "taker_at_cross",
        })
    };
    let mut resting = Vec::new();
    for name in ["amended", "decreased", "cancelled", "read"] {
        let placed = caller.call("CreateMarginOrder", json!({"body": order(name, "8.0000")})).await;
        resting.push(placed["order_id"].clone());
    }
    // The market maker's ask is reached: a position is open.
    caller.call("CreateMarginOrder", json!({"body": order("traded", "20.0000")})).await;
    let mut groups = Vec::new();
    for _ in 0..3 {
        let group = caller.call("CreateMarginOrderGroup", json!({"body": {"contracts_limit": 5}})).await;
        groups.push(json!({"path": {"order_group_id": group["order_group_id"]}, "query": {"subaccount": 0}}));
    }
    let mut group_limit = groups[0].clone();
    group_limit["needed"] = json!({"contracts_limit": 7});
    group_limit["body"] = json!({"contracts_limit_fp": null});
    let mut new = order("new", "8.0000");
    let more = json!({
        "expiration_time": hour, "post_only": false, "reduce_only": false, "subaccount": 0, "market_version": 1,
        "order_group_id": groups[2]["path"]["order_group_id"],
    });
    new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let position = json!({"path": {"ticker": ticker}, "query": {"subaccount": 0, "kind": "bracket"}});
    let bracket = |name: &str| {
        json!({
            "path": {"ticker": ticker}, "query": {"subaccount": 0},
            "body": {
                "count": "1", "anchor_order_id": null, "client_trigger_id": name, "kind": "bracket",
                "stop_loss_price": "1.0000", "take_profit_price": "100.0000", "trail_amount": null, "trail_bps": null,
            },
            "needed": {"stop_loss_price": "1.0000"},
        })
    };
    let mut triggers = Vec::new();
    for name in ["updated", "deleted"] {
        let made = caller.call("SetCrossMarginExitTrigger", bracket(name)).await;
        triggers.push(json!({"path": {"ticker": ticker, "trigger_id": made["id"]}, "query": {"subaccount": 0}}));
    }
    let mut update = triggers[0].clone();
    update["body"] = json!({"stop_loss_price": "2.0000", "take_profit_price": null});
    update["needed"] = json!({"stop_loss_price": "2.0000"});
    let market = json!({"path": {"ticker": ticker}, "query": {"depth": 5, "aggregation_tick_size": "0.1000"}});
    let of_order = |index: usize, body: Value| json!({"path": {"order_id": resting[index]}, "query": {"subaccount": 0}, "body": body});
    let mut decrease = of_order(1, json!({"reduce_by": "1", "reduce_to": null}));
    decrease["needed"] = json!({"reduce_by": "1"});
    let mut amend = of_order(
        0,
        json!({
            "market_id": null, "side": "bid", "price": "7.5000", "count": "8", "client_order_id": "amended",
            "updated_client_order_id": "renamed", "expiration_time": hour,
        }),
    );
    amend["needed"] = json!({"ticker": ticker});
    let isolated = json!({"path": {"ticker": ticker}, "body": bracket("isolated")["body"]});
    json!({
        "CreateMarginOrder": {"body": new, "needed": {"ticker": ticker}},
        "GetMarginOrder": of_order(3, Value::Null),
        "AmendMarginOrder": amend,
        "DecreaseMarginOrder": decrease,
        "CancelMarginOrder": of_order(2, Value::Null),
        "CancelAllMarginOrders": {"query": {"subaccount": 0}},
        "GetMarginMarket": market,
        "GetMarginMarketOrderbook": market,
        "GetMarginMarketOrderbooks": {"query": {"tickers": ticker}},
        "GetMarginTrades": {"query": {"ticker": ticker}},
        "GetMarginMarketCandlesticks": {
            "path": {"ticker": ticker}, "query": {"start_ts": hour - 7200, "end_ts": hour, "period_interval": 60},
        },
        "CreateMarginOrderGroup": {
            "body": {"contracts_limit_fp": null, "subaccount": 0, "exchange_index": 0}, "needed": {"contracts_limit": 5},
        },
        "GetMarginOrderGroup": groups[0],
        "ResetMarginOrderGroup": groups[0],
        "TriggerMarginOrderGroup": groups[0],
        "UpdateMarginOrderGroupLimit": group_limit,
        "DeleteMarginOrderGroup": groups[1],
        "GetCrossMarginExitTriggers": position,
        "SetCrossMarginExitTrigger": bracket("set"),
        "UpdateCrossMarginExitTrigger": update,
        "DeleteCrossMarginExitTriggerById": triggers[1],
        "DeleteCrossMarginExitTrigger": position,
        "GetIsolatedMarginExitTriggers": position,
        "SetIsolatedMarginExitTrigger": isolated,
        "DeleteIsolatedMarginExitTrigger": position,
        "GetMarginFills": {"query": {"subaccount": 0}},
        "ApplyMarginSubaccountTransfer": {
            "body": {
                "from_subaccount": 0, "to_subaccount": 1, "amount_cents": 100, "exchange_index": 0,
                "client_transfer_id": "6c0e8a34-1f0b-4a5e-9a52-7d3f1b2c4d5e",
            },
        },
        "IntraExchangeInstanceTransfer": {
            "body": {
                "source": "event_contract", "destination": "margined", "amount": 10000, "source_exchange_shard": 0,
                "destination_exchange_shard": 0, "source_subaccount": 0, "destination_subaccount": 0,
            },
        },
    })
}
