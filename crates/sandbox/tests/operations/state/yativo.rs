//! What the sandbox knows of Yativo.

use serde_json::{Value, json};
use venuekit_sandbox::Accounts;

use crate::call::Caller;

pub async fn of(caller: &Caller) -> Value {
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
