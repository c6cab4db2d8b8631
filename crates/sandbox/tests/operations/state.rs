//! What the sandbox knows: ids that are found, in the place of those that are generated.

use rsa::pkcs8::LineEnding;
use serde_json::{Value, json};
use venuekit_sandbox::Accounts;

use crate::call::Caller;
use crate::common::now_millis;

/// For each operation that needs them: `{path, query, body, needed, needed_query}`, with what is needed although the spec does not require it.
pub async fn of(caller: &Caller, with_optional: bool) -> Value {
    match caller.venue {
        "bayse" => bayse(caller, with_optional).await,
        "binance" => binance(caller).await,
        "bybit" => bybit(caller).await,
        "deribit" => deribit(caller).await,
        "kalshi" => kalshi(caller).await,
        "kalshi_perps" => kalshi_perps(caller).await,
        "yativo" => yativo(caller).await,
        _ => Value::Null,
    }
}

fn public_key_pem() -> String {
    use ed25519_dalek::pkcs8::EncodePublicKey as _;
    let key = ed25519_dalek::SigningKey::from_bytes(&rand::random());
    key.verifying_key().to_public_key_pem(LineEnding::LF).unwrap()
}

async fn binance(caller: &Caller) -> Value {
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

async fn kalshi(caller: &Caller) -> Value {
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

async fn kalshi_perps(caller: &Caller) -> Value {
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

async fn bayse(caller: &Caller, with_optional: bool) -> Value {
    let events = caller.call("listEvents", json!({"query": {"status": "open", "size": 50}})).await;
    let event = events["events"].as_array().unwrap().iter().find(|event| event["engine"] == "CLOB").unwrap();
    let market = &event["markets"][0];
    // A market order needs no more than what is required; a limit order takes everything.
    let order = json!({
        "side": "BUY", "outcomeId": market["outcome1Id"], "amount": 10, "currency": "USD", "price": 0.5,
        "type": if with_optional { "LIMIT" } else { "MARKET" }, "timeInForce": "GTC", "expiresAt": null,
        "maxSlippage": if with_optional { Value::Null } else { json!(0.1) },
    });
    let place = json!({"path": {"eventId": event["id"], "marketId": market["id"]}, "body": order});
    let rests = json!({"path": place["path"], "body": {
        "side": "BUY", "outcomeId": market["outcome1Id"], "amount": 10, "type": "LIMIT", "price": 0.5, "currency": "USD",
    }});
    let first = caller.call("placeOrder", rests.clone()).await["clobOrder"]["id"].take();
    let second = caller.call("placeOrder", rests).await["clobOrder"]["id"].take();
    let at_market = json!({"path": {"marketId": market["id"]}});
    let minted = json!({"path": at_market["path"], "body": {"quantity": 100, "currency": "USD"}});
    caller.call("mintShares", minted).await;
    let activities = caller.call("listActivities", json!({})).await;
    assert_eq!(activities["activities"].as_array().unwrap().len(), 2, "{activities}");
    let user = caller.call("getAssets", json!({})).await["assets"][0]["userId"].take();
    let revoked = caller.call("createApiKey", json!({"body": {"name": "spare"}})).await;
    let rotated = caller.call("createApiKey", json!({"body": {"name": "another"}})).await;
    let account = &caller.sandbox.accounts().bayse[0];
    json!({
        "login": {"body": {"email": account.email, "password": account.password}},
        "getEvent": {"path": {"eventId": event["id"]}},
        "getPriceHistory": {"path": {"eventId": event["id"]}, "query": {"marketId[]": market["id"]}},
        "getOrderBooks": {"query": {"outcomeId[]": market["outcome1Id"]}},
        "getTicker": {"path": at_market["path"], "query": {"outcomeId": market["outcome2Id"]}},
        "getQuote": {"path": place["path"], "body": {"outcomeId": market["outcome1Id"], "amount": 10}},
        "mintShares": at_market,
        "burnShares": at_market,
        "lookupUser": {"query": {"tag": null}, "needed_query": {"userId": user}},
        "getEventBySlug": {"path": {"slug": event["slug"]}},
        "placeOrder": place,
        "getOrder": {"path": {"orderId": first}},
        "cancelOrder": {"path": {"orderId": second}},
        "revokeApiKey": {"path": {"keyId": revoked["id"]}},
        "rotateApiKey": {"path": {"keyId": rotated["id"]}},
    })
}

async fn yativo(caller: &Caller) -> Value {
    let accounts = caller.call("listAccounts", json!({})).await;
    let account = &accounts["accounts"][0]["id"];
    let assets = caller.call("listUserAssets", json!({"body": {"account_id": account}})).await;
    let asset = &assets["data"][0];
    let mut keys = Vec::new();
    for name in ["get", "rotate", "permissions", "revoke", "first", "guide"] {
        caller.call("createApiKey", json!({"body": {"key_name": name}})).await;
    }
    let listed = caller.call("listApiKeys", json!({})).await;
    for key in listed["data"].as_array().unwrap().iter().skip(1) {
        keys.push(key["id"].clone());
    }
    let sent = json!({
        "account": account, "assets": asset["asset_id"], "amount": 1, "type": asset["type"], "chain": asset["chain"],
    });
    let transaction = caller.call("sendFunds", json!({"body": sent})).await["data"]["transaction_id"].take();
    let mut slow = sent.clone();
    slow["priority"] = json!("low");
    let pending = caller.call("sendFunds", json!({"body": slow})).await["data"]["transaction_id"].take();
    let hook = |url: &str| json!({"body": {"url": url}});
    let first = caller.call("createWebhook", hook("https://example.com/1")).await["data"]["webhook_id"].take();
    let second = caller.call("createWebhook", hook("https://example.com/2")).await["data"]["webhook_id"].take();
    let given: &Accounts = caller.sandbox.accounts();
    let id = |index: usize| json!({"path": {"keyId": keys[index]}});
    json!({
        "exchangeApiKeyForToken": {"body": {"api_key": given.yativo[0].api_key, "api_secret": given.yativo[0].api_secret}},
        "createApiKeyFirstGen": {"body": {"expires_at": "2096-01-31T12:00:00Z"}},
        "getApiKey": id(0),
        "rotateApiKey": id(1),
        "updateApiKeyPermissions": id(2),
        "revokeApiKey": id(3),
        "revokeApiKeyFirstGen": id(4),
        "revokeApiKeyGuide": id(5),
        "addAsset": {"body": {"account_id": account, "chain": "solana", "ticker": "USDC_SOL"}},
        "checkBalance": {"body": {"asset_id": asset["asset_id"]}},
        "listAssetTransactions": {"body": {"asset_id": asset["asset_id"]}},
        "cancelTransaction": {"body": {"transaction_id": pending}},
        "batchAddAssets": {"body": {"account_id": account, "chains": ["ethereum"], "tickers": null}},
        "sendFunds": {"body": sent},
        "getTransaction": {"body": {"transaction_id": transaction}},
        "getWebhook": {"path": {"webhookId": first}},
        "updateWebhook": {"path": {"webhookId": first}, "body": {"url": "https://example.com/3"}},
        "activateWebhook": {"path": {"webhookId": first}},
        "deactivateWebhook": {"path": {"webhookId": first}},
        "deleteWebhook": {"path": {"webhookId": second}},
        "archiveAsset": {"body": {"asset_id": assets["data"][2]["asset_id"]}},
    })
}

async fn bybit(caller: &Caller) -> Value {
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

async fn deribit(caller: &Caller) -> Value {
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
