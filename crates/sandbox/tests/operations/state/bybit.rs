//! What the sandbox knows of Bybit.

use serde_json::{Value, json};

use crate::call::Caller;

pub async fn of(caller: &Caller) -> Value {
    let mut subs = Vec::new();
    for name in ["trader01", "trader02", "trader03", "trader04"] {
        let body = json!({"body": {"username": name, "memberType": 1}});
        subs.push(caller.call("createSubMember", body).await["result"]["uid"].take());
    }
    let uid = |index: usize| subs[index].as_str().unwrap().parse::<i64>().unwrap();
    let spot = json!({"Spot": ["SpotTrade"]});
    let mut keys = Vec::new();
    for _ in 0..2 {
        let body = json!({"body": {"subuid": uid(0), "readOnly": 0, "permissions": spot}});
        keys.push(caller.call("createSubApiKey", body).await["result"]["apiKey"].take());
    }
    let own = caller.call("getApiKey", json!({})).await["result"]["userID"].take();
    let order = json!({
        "category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "price": "90000", "qty": "0.010",
    });
    let mut placed = Vec::new();
    for _ in 0..2 {
        placed.push(caller.call("placeOrder", json!({"needed": order})).await["result"]["orderId"].take());
    }
    let mut batched = Vec::new();
    for link in ["to-amend", "to-cancel"] {
        let mut order = order.clone();
        order["orderLinkId"] = json!(link);
        caller.call("placeOrder", json!({"needed": order})).await;
        batched.push(json!([{"symbol": "BTCUSDT", "orderLinkId": link}]));
    }
    batched[0][0]["qty"] = json!("0.020");
    let market = json!({
        "category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Market", "qty": "0.010", "price": null,
    });
    caller.call("placeOrder", json!({"needed": market, "body": {"price": null}})).await;
    let item = json!([{"symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "price": "90000", "qty": "0.010"}]);
    let without = json!({
        "bboLevel": null, "bboSideType": null, "closeOnTrigger": null, "isLeverage": 0, "marketUnit": null, "mmp": null,
        "orderFilter": null, "orderIv": null, "orderLinkId": "with-all", "positionIdx": 0, "reduceOnly": false,
        "rpiTakerAccess": null, "slLimitPrice": null, "slOrderType": null, "slTriggerBy": null, "slippageTolerance": null,
        "slippageToleranceType": null, "smpType": "None", "stopLoss": null, "takeProfit": null, "timeInForce": "GTC",
        "tpLimitPrice": null, "tpOrderType": null, "tpTriggerBy": null, "tpslMode": null, "triggerBy": null,
        "triggerDirection": null, "triggerPrice": null,
    });
    let of_order = json!({
        "orderIv": null, "slLimitPrice": null, "slTriggerBy": null, "stopLoss": null, "takeProfit": null,
        "tpLimitPrice": null, "tpTriggerBy": null, "tpslMode": null, "triggerBy": null, "triggerPrice": null,
        "orderLinkId": null, "orderFilter": null, "price": null,
    });
    let named = |order: &Value| json!({"category": "linear", "symbol": "BTCUSDT", "orderId": order});
    let symbol = json!({"category": "linear", "symbol": "BTCUSDT"});
    let list = json!({
        "baseCoin": null, "settleCoin": null, "orderId": null, "orderLinkId": null, "orderFilter": null,
        "orderStatus": null, "execType": null, "startTime": null, "endTime": null, "cursor": null, "limit": 10,
    });
    let listed = json!({"query": list, "needed_query": symbol});
    let candles = json!({"query": {"start": null, "end": null, "limit": 10}, "needed_query": {
        "category": "linear", "symbol": "BTCUSDT", "interval": "60",
    }});
    let transfer = |id: &str| {
        json!({
            "transferId": id, "coin": "USDT", "amount": "1", "fromAccountType": "UNIFIED", "toAccountType": "FUND",
        })
    };
    let mut between = transfer("7d4d4f16-1f0c-4a8f-9f0c-0d4d4f161f0c");
    between["fromMemberId"] = own.clone();
    between["toMemberId"] = json!(uid(0));
    let wallet = json!({"query": {"memberId": null, "toMemberId": null}, "needed_query": {
        "accountType": "UNIFIED", "coin": "USDT",
    }});
    let records = json!({"query": {
        "transferId": null, "coin": null, "status": null, "startTime": null, "endTime": null, "cursor": null,
    }});
    json!({
        "getInstrumentsInfo": {"query": {
            "symbolType": null, "status": "Trading", "baseCoin": "BTC", "cursor": null,
        }, "needed_query": symbol},
        "getTickers": {"query": {"baseCoin": "BTC", "expDate": null}, "needed_query": symbol},
        "getOrderbook": {"query": {"limit": 25}, "needed_query": symbol},
        "getFullOrderbook": {"needed_query": symbol},
        "getKline": candles,
        "getMarkPriceKline": candles,
        "getRecentTrades": {"query": {"baseCoin": null, "optionType": null}, "needed_query": symbol},
        "getPriceLimit": {"needed_query": symbol},
        "getFeeRate": {"query": {"baseCoin": null}, "needed_query": symbol},
        "getWalletBalance": {"query": {"coin": "USDT"}, "needed_query": {"accountType": "UNIFIED"}},
        "placeOrder": {"body": without, "needed": order},
        "amendOrder": {"body": of_order, "needed": {
            "category": "linear", "symbol": "BTCUSDT", "orderId": placed[0], "qty": "0.020",
        }},
        "cancelOrder": {"body": of_order, "needed": named(&placed[1])},
        "cancelAllOrders": {"body": {
            "orderFilter": null, "stopOrderType": null, "baseCoin": null, "settleCoin": null,
        }, "needed": symbol},
        "batchPlaceOrders": {"needed": {"category": "linear", "request": item}},
        "batchAmendOrders": {"needed": {"category": "linear", "request": batched[0]}},
        "batchCancelOrders": {"needed": {"category": "linear", "request": batched[1]}},
        "getOpenOrders": listed,
        "getOrderHistory": listed,
        "getTradeHistory": listed,
        "getPositions": listed,
        "getClosedPnl": listed,
        "getSymbolLeverage": {"needed_query": symbol},
        "setLeverage": {"needed": {
            "category": "linear", "symbol": "BTCUSDT", "buyLeverage": "7", "sellLeverage": "7",
        }},
        "createInternalTransfer": {"needed": transfer("6d4d4f16-1f0c-4a8f-9f0c-0d4d4f161f0c")},
        "createUniversalTransfer": {"needed": between},
        "getInternalTransferRecords": records,
        "getUniversalTransferRecords": records,
        "getSingleCoinBalance": wallet,
        "getAllCoinsBalance": wallet,
        "getTransferableCoins": {"needed_query": {"fromAccountType": "UNIFIED", "toAccountType": "FUND"}},
        "createSubApiKey": {"body": {"ips": "127.0.0.1"}, "needed": {
            "subuid": uid(1), "readOnly": 0, "permissions": spot,
        }},
        "listSubApiKeys": {"query": {"cursor": null, "limit": 10}, "needed_query": {"subMemberId": subs[0]}},
        "updateApiKey": {"body": {"permissions": null, "readOnly": 0}},
        "updateSubApiKey": {"body": {"permissions": spot, "ips": "*", "readOnly": 0}, "needed": {"apikey": keys[0]}},
        "deleteSubApiKey": {"needed": {"apikey": keys[1]}},
        "createSubMember": {"body": {"password": "Passw0rd"}, "needed": {"username": "trader09", "memberType": 1}},
        "listSubMembers": {"query": {"pageSize": 2, "nextCursor": null}},
        "freezeSubMember": {"needed": {"subuid": uid(2), "frozen": 1}},
        "deleteSubMember": {"needed": {"subMemberId": subs[3]}},
        "getMemberType": {"query": {"memberIds": subs[0]}},
    })
}
