//! What the sandbox knows of Kalshi.

use serde_json::{Value, json};

use super::public_key_pem;
use crate::call::Caller;
use crate::common::now_millis;

pub async fn of(caller: &Caller) -> Value {
    let markets = caller.call("GetMarkets", json!({"query": {"status": "open", "limit": 1}})).await;
    let ticker = &markets["markets"][0]["ticker"];
    let event = &markets["markets"][0]["event_ticker"];
    let hour = now_millis() / 1000 + 3600;
    let order = json!({
        "ticker": ticker, "price": "0.4500", "side": "bid", "count": "10.00", "exchange_index": 0, "subaccount": 0,
        "time_in_force": "good_till_canceled", "expiration_time": hour,
    });
    let rests = json!({"body": order}).to_string().replace(&format!(",\"expiration_time\":{hour}"), "");
    let rests: Value = serde_json::from_str(&rests).unwrap();
    let first = caller.call("CreateOrderV2", rests.clone()).await["order_id"].take();
    let mut resting = Vec::new();
    for _ in 0..4 {
        resting.push(caller.call("CreateOrderV2", rests.clone()).await["order_id"].take());
    }
    let mut groups = Vec::new();
    for _ in 0..3 {
        let group = caller.call("CreateOrderGroup", json!({"body": {"contracts_limit": 5}})).await;
        let query = json!({"subaccount": 0, "exchange_index": 0});
        groups.push(json!({"path": {"order_group_id": group["order_group_id"]}, "query": query}));
    }
    let mut group_limit = groups[0].clone();
    group_limit["needed"] = json!({"contracts_limit": 7});
    group_limit["body"] = json!({"contracts_limit_fp": null});
    let mut order = order;
    order["order_group_id"] = groups[2]["path"]["order_group_id"].clone();
    let transfer = json!({
        "source": "event_contract", "destination": "margined", "amount": 10000, "source_exchange_shard": 0,
        "destination_exchange_shard": 0, "source_subaccount": 0, "destination_subaccount": 0,
    });
    let moved = caller.call("IntraExchangeInstanceTransfer", json!({"body": transfer})).await["transfer_id"].take();
    let series = &event.as_str().unwrap()[..event.as_str().unwrap().find('-').unwrap()];
    let periods = json!({"start_ts": hour - 7200, "end_ts": hour, "period_interval": 60});
    let mut periods_of_markets = periods.clone();
    periods_of_markets["market_tickers"] = ticker.clone();
    let rfq = |market: &Value| {
        json!({
            "market_ticker": market["ticker"], "contracts_fp": "5.00", "contracts": null, "target_cost_dollars": null,
            "target_cost_centi_cents": null,
        })
    };
    let open = caller.call("GetMarkets", json!({"query": {"status": "open", "limit": 4}})).await["markets"].take();
    let mut rfqs = Vec::new();
    for market in &open.as_array().unwrap()[..3] {
        rfqs.push(caller.call("CreateRFQ", json!({"body": rfq(market)})).await["id"].take());
    }
    // Two requests are quoted: on the first the newer paths are tried, on the second the older ones.
    let mut quotes = Vec::new();
    for number in [0, 0, 0, 0, 1, 1, 1, 1] {
        let body = json!({"rfq_id": rfqs[number], "yes_bid": "0.40", "no_bid": "0.50"});
        let id = caller.call("CreateQuote", json!({"body": body})).await["id"].take();
        quotes.push(json!({"path": {"rfq_id": rfqs[number], "quote_id": id}}));
    }
    let older = |quote: &Value| json!({"path": {"quote_id": quote["path"]["quote_id"]}});
    for number in [2, 6] {
        let mut accept = quotes[number].clone();
        accept["body"] = json!({"accepted_side": "yes"});
        caller.call("AcceptRFQQuote", accept).await;
    }
    let key = caller.call("GenerateApiKey", json!({"body": {"name": "spare", "key_type": "ed25519"}})).await;
    json!({
        "GetMarket": {"path": {"ticker": ticker}},
        "GetMarkets": {"query": {"tickers": ticker, "event_ticker": event}},
        "CreateOrderV2": {"body": order},
        "GetOrder": {"path": {"order_id": first}},
        "CancelOrderV2": {
            "path": {"order_id": resting[0]},
            "query": {"market_ticker": ticker, "subaccount": 0, "exchange_index": 0},
        },
        "AmendOrderV2": {
            "path": {"order_id": resting[1]},
            "query": {"subaccount": 0},
            "body": {
                "ticker": ticker, "side": "bid", "price": "0.4400", "count": "8.00", "client_order_id": null,
                "updated_client_order_id": "renamed", "expiration_time": hour, "exchange_index": 0,
            },
        },
        "DecreaseOrderV2": {
            "path": {"order_id": resting[2]},
            "query": {"subaccount": 0},
            "body": {"reduce_by": "1.00", "reduce_to": null, "exchange_index": 0, "market_ticker": ticker},
            "needed": {"reduce_by": "1.00"},
        },
        "BatchCancelOrdersV2": {"body": {"orders": [{"order_id": resting[3]}]}},
        "CancelAllOrders": {"query": {"subaccount": 0}},
        "GetOrderQueuePosition": {"path": {"order_id": first}},
        "GetMarketOrderbook": {"path": {"ticker": ticker}, "query": {"depth": 10}},
        "GetMarketOrderbooks": {"query": {"tickers": ticker}},
        "GetMarketCandlesticks": {"path": {"series_ticker": series, "ticker": ticker}, "query": periods},
        "GetMarketCandlesticksByEvent": {"path": {"series_ticker": series, "ticker": event}, "query": periods},
        "BatchGetMarketCandlesticks": {"query": periods_of_markets},
        "GetEvent": {"path": {"event_ticker": event}},
        "GetSeries": {"path": {"series_ticker": series}},
        "GetPositions": {"query": {"count_filter": "position,total_traded"}},
        "CreateSubaccount": {"body": {"exchange_index": 0}},
        "UpdateSubaccountNetting": {"body": {"subaccount_number": 0}},
        "ApplySubaccountTransfer": {
            "body": {
                "from_subaccount": 0, "to_subaccount": 1, "amount_cents": 100, "exchange_index": 0,
                "client_transfer_id": "6c0e8a34-1f0b-4a5e-9a52-7d3f1b2c4d5e",
            },
        },
        "IntraExchangeInstanceTransfer": {"body": transfer},
        "GetIntraExchangeInstanceTransfer": {"path": {"transfer_id": moved}},
        "SetTargetBalanceAllocation": {
            "body": {"allocations": [{"exchange_index": 0, "percent": 100}], "resting_margin_reservation": "sum"},
        },
        "GetBalance": {"query": {"exchange_index": 0}},
        "CreateOrderGroup": {
            "body": {"contracts_limit_fp": null, "subaccount": 0, "exchange_index": 0}, "needed": {"contracts_limit": 5},
        },
        "GetOrderGroup": groups[0],
        "ResetOrderGroup": groups[0],
        "TriggerOrderGroup": groups[0],
        "UpdateOrderGroupLimit": group_limit,
        "DeleteOrderGroup": groups[1],
        "CreateRFQ": {"body": rfq(&open[3]), "needed": {"contracts_fp": "5.00"}},
        "GetRFQ": {"path": {"rfq_id": rfqs[0]}},
        "DeleteRFQ": {"path": {"rfq_id": rfqs[2]}},
        "CreateQuote": {"body": {"rfq_id": rfqs[1], "yes_bid": "0.40", "no_bid": "0.50"}},
        "GetRFQQuote": quotes[0],
        "AcceptRFQQuote": quotes[0],
        "DeleteRFQQuote": quotes[1],
        "ConfirmRFQQuote": quotes[2],
        "GetQuote": older(&quotes[4]),
        "AcceptQuote": older(&quotes[4]),
        "DeleteQuote": older(&quotes[5]),
        "ConfirmQuote": older(&quotes[6]),
        "DeleteApiKey": {"path": {"api_key": key["api_key_id"]}},
        "CreateApiKey": {"body": {"public_key": public_key_pem(), "fcm_subtrader_id": null}},
        "GenerateApiKey": {"body": {"key_type": "ed25519", "fcm_subtrader_id": null}},
    })
}
