//! "Try it": the sandbox calls itself as one of its test accounts.

use serde_json::{Value, json};
use venuekit_sandbox::{Accounts, Sandbox, YativoAccount};

use crate::client::{Console, call, sandbox};

fn body(response: &Value) -> Value {
    serde_json::from_str(response["body"].as_str().unwrap_or_else(|| panic!("{response}"))).unwrap()
}

#[tokio::test]
async fn a_call_of_every_venue_is_signed_and_answered() {
    let sandbox = sandbox().await;
    let console = Console::of(&sandbox);
    for (venue, operation, member) in [
        ("bayse", "getPortfolio", "/outcomeBalances"),
        ("bayse", "listApiKeys", "/keys/0/publicKey"),
        ("binance", "getAccount", "/balances/0/asset"),
        ("bybit", "getApiKey", "/result/apiKey"),
        ("deribit", "private/get_account_summaries", "/result/summaries/0/currency"),
        ("kalshi", "GetBalance", "/balance_dollars"),
        ("kalshi_perps", "GetMarginBalance", ""),
        ("yativo", "listAccounts", ""),
    ] {
        let response = console.post("api/call", call(venue, operation)).await;
        assert_eq!(response["status"], 200, "{venue} {operation}: {response}");
        assert!(body(&response).pointer(member).is_some(), "{venue} {operation}: {response}");
        let entry = console.entry(|entry| entry["operation"] == operation && !entry["credential"].is_null()).await;
        assert_eq!(entry["verdict"], "accepted");
    }
}

#[tokio::test]
async fn an_example_order_is_accepted_by_every_venue() {
    let sandbox = sandbox().await;
    let console = Console::of(&sandbox);
    for (venue, operation, status) in [
        ("kalshi", "CreateOrderV2", 201),
        ("bayse", "placeOrder", 200),
        ("binance", "newOrder", 200),
        ("deribit", "private/buy", 200),
    ] {
        let example = console.get(&format!("api/examples/{venue}")).await[operation].take();
        let mut wanted = call(venue, operation);
        let path: serde_json::Map<String, Value> = example["path"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| (pair[0].as_str().unwrap().to_owned(), pair[1].clone()))
            .collect();
        wanted["path"] = path.into();
        wanted["body"] = example["body"].to_string().into();
        let response = console.post("api/call", wanted).await;
        assert_eq!(response["status"], status, "{venue}: {example:#} {response}");
    }
    let state = console.get("api/state").await;
    for venue in ["kalshi", "bayse", "binance"] {
        let orders = state["venues"][venue]["accounts"][0]["orders"].as_array().unwrap();
        assert_eq!(orders.len(), 1, "{venue}: {state}");
    }
}

#[tokio::test]
async fn without_an_account_nothing_is_signed() {
    let sandbox = sandbox().await;
    let console = Console::of(&sandbox);
    let unsigned = json!({"venue": "kalshi", "operation": "GetBalance"});
    assert_eq!(console.post("api/call", unsigned).await["status"], 401);
    let public = json!({"venue": "kalshi", "operation": "GetMarkets", "query": [["limit", "1"], ["status", "open"]]});
    let response = console.post("api/call", public).await;
    assert_eq!(body(&response)["markets"].as_array().unwrap().len(), 1);
    assert_eq!(response["target"], "GET /trade-api/v2/markets?limit=1&status=open");
}

#[tokio::test]
async fn a_second_factor_is_sent_where_it_is_needed() {
    let yativo = vec![YativoAccount { totp_code: Some("042137".to_owned()), ..YativoAccount::default() }];
    let sandbox = Sandbox::start(Accounts { yativo, ..Accounts::default() }).await.unwrap();
    let mut wanted = call("yativo", "createApiKey");
    wanted["body"] = json!({"key_name": "one"}).to_string().into();
    let response = Console::of(&sandbox).post("api/call", wanted).await;
    assert!(response["status"].as_u64().unwrap() < 300, "{response}");
    assert!(response["body"].as_str().unwrap().contains("[hidden]"), "{response}");
}

#[tokio::test]
async fn what_cannot_be_sent_says_why() {
    let sandbox = sandbox().await;
    let console = Console::of(&sandbox);
    for (wanted, status, message) in [
        (call("nyse", "GetBalance"), 404, "no such operation"),
        (call("kalshi", "NoSuchOperation"), 404, "no such operation"),
        (call("kalshi", "GetMarket"), 400, "the path parameter ticker is missing"),
        (json!({"venue": "kalshi", "operation": "GetBalance", "credential": 99}), 400, "no such test account"),
        (json!({"venue": "deribit", "operation": "private/buy", "body": "{"}), 400, "the params are not JSON"),
        (json!({"venue": "binance", "operation": "newOrder", "body": "{"}), 400, "the body is not JSON"),
        (json!({"venue": "kalshi"}), 400, "missing field"),
    ] {
        let response = console.send("POST", "api/call", Some(&wanted)).await;
        assert_eq!(response.status(), status);
        let error = response.json::<Value>().await.unwrap()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(message), "{error}");
    }
}
