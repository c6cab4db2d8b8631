//! What the sandbox knows of Binance.

use serde_json::{Value, json};

use super::public_key_pem;
use crate::call::Caller;

pub async fn of(caller: &Caller) -> Value {
    let symbol = "BTCUSDT";
    let none = |names: &[&str]| -> Value { names.iter().map(|name| (name.to_string(), Value::Null)).collect() };
    let with = |mut value: Value, more: Value| {
        value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        value
    };
    // What an order of another kind has.
    let left_out = none(&[
        "icebergQty",
        "trailingDelta",
        "pegPriceType",
        "pegOffsetValue",
        "pegOffsetType",
        "quoteOrderQty",
        "stopPrice",
        "strategyId",
        "strategyType",
        "newClientOrderId",
        "selfTradePreventionMode",
    ]);
    let order = with(left_out, json!({"symbol": symbol, "side": "BUY", "type": "LIMIT"}));
    let terms = json!({"price": "50000.00", "quantity": "0.010", "timeInForce": "GTC"});
    let new = json!({"body": order, "needed": terms});
    let mut placed = Vec::new();
    for _ in 0..3 {
        placed.push(caller.call("newOrder", new.clone()).await["orderId"].take());
    }
    let which = |id: &Value| json!({"query": with(none(&["origClientOrderId", "newClientOrderId", "fromExecutionId", "cancelRestrictions"]), json!({"symbol": symbol})), "needed_query": {"orderId": id}});
    let cancel = none(&["cancelOrigClientOrderId", "cancelNewClientOrderId", "cancelRestrictions"]);
    let replaced = with(with(order.clone(), cancel), json!({"cancelReplaceMode": "STOP_ON_FAILURE"}));
    let amended = with(none(&["origClientOrderId", "newClientOrderId"]), json!({"symbol": symbol, "newQty": "0.005"}));
    let of_symbol = json!({"query": with(none(&["symbols", "startTime", "endTime", "fromId", "orderId", "timeZone", "windowSize", "preventedMatchId", "fromPreventedMatchId", "fromAllocationId", "permissions", "symbolStatus"]), json!({"symbol": symbol, "interval": "1m", "limit": 5}))});
    let needs_symbol = with(of_symbol.clone(), json!({"needed_query": {"symbol": symbol}}));
    // What lists of other orders have.
    let legs = ["above", "below", "working", "pending", "pendingAbove", "pendingBelow", "limit", "stop", "stopLimit"];
    let parts = [
        "ClientOrderId",
        "IcebergQty",
        "Price",
        "StopPrice",
        "TrailingDelta",
        "TimeInForce",
        "StrategyId",
        "StrategyType",
        "PegPriceType",
        "PegOffsetType",
        "PegOffsetValue",
        "Type",
    ];
    let names = legs.iter().flat_map(|leg| parts.iter().map(move |part| format!("{leg}{part}")));
    let names = names.chain(["listClientOrderId", "selfTradePreventionMode", "trailingDelta"].map(str::to_owned));
    let no_legs: Value = names.map(|name| (name, Value::Null)).collect();
    let list = |terms: Value| json!({"body": no_legs, "needed": with(json!({"symbol": symbol}), terms)});
    let pair = list(json!({
        "side": "SELL", "quantity": "0.01",
        "aboveType": "LIMIT_MAKER", "abovePrice": "70000", "belowType": "STOP_LOSS", "belowStopPrice": "50000",
    }));
    let working = json!({
        "workingType": "LIMIT", "workingSide": "BUY", "workingPrice": "50000", "workingQuantity": "0.01",
        "workingTimeInForce": "GTC", "pendingSide": "SELL", "pendingQuantity": "0.01",
    });
    let pending_pair = json!({
        "pendingAboveType": "LIMIT_MAKER", "pendingAbovePrice": "70000",
        "pendingBelowType": "STOP_LOSS", "pendingBelowStopPrice": "45000",
    });
    let limit_and_stop = json!({"side": "SELL", "quantity": "0.01", "price": "70000", "stopPrice": "50000"});
    let listed = caller.call("orderListOco", pair.clone()).await["orderListId"].take();
    let other_ids = none(&["origClientOrderId", "listClientOrderId", "newClientOrderId"]);
    let which_list =
        |more: Value| json!({"query": with(other_ids.clone(), more), "needed_query": {"orderListId": listed}});
    let email = "main.sub_virtual@sandboxnoemail.com";
    let key =
        json!({"email": email, "apiName": "bot", "status": 2, "thirdPartyName": null, "publicKey": public_key_pem()});
    let needed = json!({"ipAddress": "192.0.2.1,192.0.2.2"});
    let created = json!({"body": key, "needed": needed});
    let own = caller.call("createSubAccountApiKey", created.clone()).await["apiKey"].take();
    let key_query = json!({"query": {"email": email, "subAccountApiKey": own, "page": 1, "ipAddress": "192.0.2.1"}});
    let key_body = json!({"body": {"email": email, "subAccountApiKey": own, "status": 1, "ipAddress": null}});
    let special =
        json!({"body": {"symbol": null, "ip": "192.0.2.1", "publicKey": public_key_pem(), "permissionMode": "TRADE"}});
    let special_key = caller.call("createSpecialKey", special.clone()).await["apiKey"].take();
    let of_special = json!({"query": {"symbol": null, "apiName": null}, "needed_query": {"apiKey": special_key}});
    let moved = json!({"asset": "BTC", "amount": "0.01", "type": "MAIN_FUNDING", "fromSymbol": null, "toSymbol": null});
    let between = with(
        moved.clone(),
        json!({"fromEmail": null, "toEmail": email, "toAccountType": "MARGIN", "fromAccountType": "SPOT", "clientTranId": null, "symbol": null}),
    );
    let emails = json!({"query": {"fromEmail": null, "toEmail": email, "startTime": null, "endTime": null, "page": 1}});
    let all = [
        ("newOrder", new.clone()),
        ("orderTest", new),
        ("getOrder", which(&placed[0])),
        ("orderAmendments", which(&placed[0])),
        ("deleteOrder", which(&placed[0])),
        ("orderCancelReplace", json!({"body": replaced, "needed": with(terms, json!({"cancelOrderId": placed[1]}))})),
        ("orderAmendKeepPriority", json!({"body": amended, "needed": {"orderId": placed[2]}})),
        ("orderListOco", pair),
        ("orderListOto", list(with(working.clone(), json!({"pendingType": "MARKET"})))),
        ("orderListOtoco", list(with(working, pending_pair))),
        ("orderOco", list(limit_and_stop)),
        ("getOrderList", which_list(json!({}))),
        ("deleteOrderList", which_list(json!({"symbol": symbol}))),
        ("allOrderList", json!({"query": {"startTime": null, "endTime": null}})),
        ("createSubAccountApiKey", created),
        ("querySubAccountApiKey", key_query.clone()),
        ("deleteSubAccountApiKey", key_query.clone()),
        ("getIpRestrictionForASubAccountApiKey", key_query.clone()),
        ("deleteIpListForASubAccountApiKey", key_query.clone()),
        ("querySubAccountAssetsAssetManagement", key_query),
        ("modifySubAccountApiKeyPermission", key_body.clone()),
        ("addIpRestrictionForSubAccountApiKey", key_body),
        ("createSpecialKey", special),
        ("querySpecialKey", of_special.clone()),
        ("deleteSpecialKey", of_special),
        ("querySpecialKeyList", json!({"query": {"symbol": null}})),
        ("editIpForSpecialKey", json!({"body": {"ip": "192.0.2.3", "apiKey": special_key, "symbol": null}})),
        ("userUniversalTransfer", json!({"body": moved})),
        (
            "queryUserUniversalTransferHistory",
            json!({"query": {"type": "MAIN_FUNDING", "startTime": null, "endTime": null}}),
        ),
        ("universalTransfer", json!({"body": between})),
        ("queryUniversalTransferHistory", emails),
        ("withdraw", json!({"body": {"coin": "BTC", "amount": "0.01", "address": "bc1x"}})),
        ("withdrawHistory", json!({"query": {"startTime": null, "endTime": null, "offset": 0, "status": 6}})),
        ("depositAddress", json!({"query": {"coin": "BTC"}})),
        ("createAVirtualSubAccount", json!({"body": {"subAccountString": "robot"}})),
        ("querySubAccountList", json!({"query": {"page": 1, "limit": 10}})),
        ("userAsset", json!({"body": {"asset": "BTC"}})),
    ];
    let of_symbols = [
        "accountCommission",
        "aggTrades",
        "allOrders",
        "avgPrice",
        "depth",
        "exchangeInfo",
        "historicalTrades",
        "klines",
        "uiKlines",
        "myAllocations",
        "myPreventedMatches",
        "myTrades",
        "deleteOpenOrders",
        "getOpenOrders",
        "ticker24hr",
        "tickerBookTicker",
        "tickerPrice",
        "getTrades",
        "tradeFee",
    ];
    let of_symbols = of_symbols.into_iter().map(|name| (name, of_symbol.clone()));
    let needing = ["ticker", "tickerTradingDay"].into_iter().map(|name| (name, needs_symbol.clone()));
    let all = all.into_iter().chain(of_symbols).chain(needing);
    Value::Object(all.map(|(name, value)| (name.to_owned(), value)).collect())
}
