//! What the sandbox knows of Bayse.

use serde_json::{Value, json};

use crate::call::Caller;

pub async fn of(caller: &Caller, with_optional: bool) -> Value {
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
