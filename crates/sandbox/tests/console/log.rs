//! The log: what arrives there, and how.

use serde_json::{Value, json};

use crate::bybit;
use crate::client::{Console, http, is_complete, sandbox};
use crate::common::{Bayse, Kalshi, send, session};
use crate::deribit::Caller;
use crate::socket::Socket;

#[tokio::test]
async fn a_request_arrives_as_an_event() {
    let sandbox = sandbox().await;
    let console = Console::of(&sandbox);
    let mut events = http().get(console.url("api/events")).send().await.unwrap();
    assert_eq!(events.headers()["content-type"], "text/event-stream");
    let key = Kalshi::given(&sandbox, 1);
    key.call("GET", "/trade-api/v2/portfolio/balance", "").await.expect(200);
    let mut bytes = Vec::new();
    let (entry, text) = loop {
        bytes.extend(events.chunk().await.unwrap().expect("the stream goes on"));
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let lines = text.lines().filter_map(|line| line.strip_prefix("data: "));
        let entries = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
        // The same entry comes again with each thing that becomes known of it.
        if let Some(entry) = entries.rev().find(is_complete) {
            break (entry, text);
        }
    };
    assert_eq!(entry["operation"], "GetBalance");
    assert_eq!(
        (&entry["venue"], &entry["verdict"], &entry["status"]),
        (&json!("kalshi"), &json!("accepted"), &json!(200))
    );
    assert_eq!(entry["credential"], key.key_id.as_str());
    assert!(text.contains("event: entry\n") && text.contains("id: "));
}

#[tokio::test]
async fn every_venue_is_in_the_log() {
    let sandbox = sandbox().await;
    let console = Console::of(&sandbox);
    let bayse = Bayse::given(&sandbox);
    bayse.read("/v1/pm/portfolio").await.expect(200);
    Caller::given(&sandbox, 0).call("private/get_account_summaries", json!({})).await.expect(200);
    let token = sandbox.accounts().yativo[0].access_token.clone().unwrap();
    send(&sandbox, "GET", "/api/v1/accounts/get-accounts", &[("authorization", format!("Bearer {token}"))], "")
        .await
        .expect(200);
    send(&sandbox, "GET", "/trade-api/v2/margin/markets", &[], "").await;
    for (venue, operation, credential) in [
        ("bayse", "getPortfolio", Some(bayse.public_key.clone())),
        ("deribit", "private/get_account_summaries", Some(sandbox.accounts().deribit[0].client_id.clone())),
        ("yativo", "listAccounts", Some("session".to_owned())),
        ("kalshi_perps", "GetMarginMarkets", None),
    ] {
        let wanted = credential.map_or(Value::Null, Value::from);
        let entry = console.entry(|entry| entry["operation"] == operation && entry["credential"] == wanted).await;
        assert_eq!(entry["venue"], venue);
        assert_eq!(entry["verdict"], "accepted", "{entry}");
    }
}

#[tokio::test]
async fn a_rejected_request_says_why() {
    let sandbox = sandbox().await;
    let console = Console::of(&sandbox);
    send(&sandbox, "GET", "/trade-api/v2/markets/NO-SUCH-MARKET", &[], "").await.expect(404);
    let entry = console.entry(|entry| entry["operation"] == "GetMarket").await;
    assert_eq!((&entry["verdict"], &entry["error"]), (&json!("rejected"), &json!("not_found: not found")));
    let detail = console.get(&format!("api/log/{}", entry["id"])).await;
    assert!(detail["response"]["body"].as_str().unwrap().contains("not_found"), "{detail}");
    send(&sandbox, "GET", "/trade-api/v2/no/such/path", &[], "").await.expect(404);
    let entry = console.entry(|entry| entry["path"] == "/trade-api/v2/no/such/path").await;
    assert_eq!(entry["operation"], Value::Null);
    assert_eq!(console.send("GET", "api/log/999999", None).await.status(), 404);
}

#[tokio::test]
async fn messages_of_a_websocket_are_logged() {
    let sandbox = sandbox().await;
    let console = Console::of(&sandbox);
    let mut socket = Socket::logged_in(&sandbox, 0).await;
    socket.result("private/get_positions", json!({"currency": "BTC"})).await;
    let id = sandbox.accounts().deribit[0].client_id.clone();
    let login = console.entry(|entry| entry["operation"] == "public/auth" && entry["credential"] == id.as_str()).await;
    assert_eq!((&login["transport"], &login["verdict"]), (&json!("websocket"), &json!("accepted")));
    let call = console.entry(|entry| entry["operation"] == "private/get_positions").await;
    assert_eq!(call["credential"], id.as_str());
    let handshake = console.entry(|entry| entry["path"] == "/ws/api/v2" && entry["status"] == 101).await;
    assert_eq!(handshake["transport"], "http");
}

#[tokio::test]
async fn a_session_is_named_by_its_user() {
    let sandbox = sandbox().await;
    let console = Console::of(&sandbox);
    session(&sandbox, "GET", "/v1/user/me/api-keys", "").await.expect(200);
    let detail = console.last_detail().await;
    assert_eq!(detail["credential"], sandbox.accounts().bayse[0].email.as_str(), "{detail}");
}

#[tokio::test]
async fn a_stream_that_reconnects_goes_on_after_its_last_event() {
    let sandbox = sandbox().await;
    let console = Console::of(&sandbox);
    send(&sandbox, "GET", "/trade-api/v2/no/first", &[], "").await.expect(404);
    console.entry(|entry| entry["path"] == "/trade-api/v2/no/first" && entry["verdict"] == "rejected").await;
    let seen = console.get("api/log").await["version"].to_string();
    send(&sandbox, "GET", "/trade-api/v2/no/second", &[], "").await.expect(404);
    let request = http().get(console.url("api/events?since=0")).header("last-event-id", seen);
    let mut events = request.send().await.unwrap();
    let mut text = String::new();
    while !text.contains("/no/second") {
        let chunk = events.chunk().await.unwrap().expect("the stream goes on");
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    assert!(!text.contains("/no/first"), "{text}");
}

#[tokio::test]
async fn a_failure_in_a_body_is_no_success() {
    let sandbox = sandbox().await;
    let console = Console::of(&sandbox);
    let caller = bybit::Caller::given(&sandbox, 0);
    let wrong = bybit::Caller { secret: bybit::Secret::Hmac("another".to_owned()), ..caller.clone() };
    let refused = wrong.get("/v5/account/wallet-balance", "accountType=UNIFIED").await;
    assert_eq!((refused.status, &refused.json["retCode"]), (200, &json!(10004)));
    let entry = console.entry(|entry| entry["venue"] == "bybit" && entry["verdict"] == "refused").await;
    assert!(entry["error"].as_str().unwrap().starts_with("10004: error sign!"), "{entry}");
    let order = bybit::limit("linear", "NOSUCHSYMBOL", "Buy", "1", "1");
    let rejected = caller.post("/v5/order/create", order).await;
    assert!(rejected.status == 200 && rejected.json["retCode"] != 0, "{}", rejected.json);
    let entry = console.entry(|entry| entry["operation"] == "placeOrder" && entry["verdict"] == "rejected").await;
    assert!(entry["error"].as_str().unwrap().starts_with(&rejected.json["retCode"].to_string()), "{entry}");
    caller.read("/v5/account/wallet-balance", "accountType=UNIFIED").await;
    let entry = console.entry(|entry| entry["venue"] == "bybit" && entry["verdict"] == "accepted").await;
    assert_eq!(entry["error"], Value::Null, "{entry}");
}

#[tokio::test]
async fn commands_of_a_bybit_stream_are_logged() {
    let sandbox = sandbox().await;
    let console = Console::of(&sandbox);
    let mut socket = bybit::Socket::open(&sandbox, "public/linear").await;
    socket.subscribe(&["publicTrade.BTCUSDT"]).await;
    let entry = console.entry(|entry| entry["title"] == "stream: subscribe").await;
    assert_eq!(
        (&entry["venue"], &entry["transport"], &entry["verdict"], &entry["path"]),
        (&json!("bybit"), &json!("stream"), &json!("received"), &json!("/v5/public/linear"))
    );
    assert_eq!(entry["credential"], Value::Null);
    let caller = bybit::Caller::given(&sandbox, 0);
    let mut private = bybit::Socket::logged_in(&caller, "private").await;
    private.subscribe(&["order"]).await;
    let entry = console.entry(|entry| entry["path"] == "/v5/private" && entry["credential"] == *caller.key).await;
    assert_eq!(entry["title"], "stream: subscribe");
}
