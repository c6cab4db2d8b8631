//! The switches: faults, clock, revocation, disconnection, and the reset. And what the state says of them.

use serde_json::{Value, json};

use crate::client::{Console, call, sandbox};
use crate::common::{Bayse, Kalshi, send};
use crate::deribit::Caller;
use crate::socket::Socket;

const BALANCE: &str = "/trade-api/v2/portfolio/balance";

#[tokio::test]
async fn a_fault_makes_the_next_call_fail() {
    let sandbox = sandbox().await;
    let console = Console::of(&sandbox);
    let key = Kalshi::given(&sandbox, 1);
    key.call("GET", BALANCE, "").await.expect(200);
    let rule = json!({"venue": "kalshi", "fault": "status", "status": 429, "retry_after": 3, "times": 1});
    let state = console.post("api/faults", rule.clone()).await;
    assert_eq!(state["faults"]["rules"][0]["status"], 429);
    let answer = key.call("GET", BALANCE, "").await;
    assert_eq!((answer.status, answer.headers["retry-after"].to_str().unwrap()), (429, "3"));
    key.call("GET", BALANCE, "").await.expect(200);
    let entry = console.entry(|entry| entry["fault"] == "status").await;
    assert_eq!((&entry["status"], &entry["verdict"]), (&json!(429), &json!("rate limited")));
    assert_eq!(console.get("api/state").await["faults"]["strikes"], json!([1]));
}

#[tokio::test]
async fn a_lost_response_is_logged_as_lost() {
    let sandbox = sandbox().await;
    let console = Console::of(&sandbox);
    console.post("api/faults", json!({"fault": "drop-after", "operation": format!("GET {BALANCE}")})).await;
    let response = console.post("api/call", call("kalshi", "GetBalance")).await;
    assert_eq!(response["error"], "the connection was closed before the response");
    let entry = console.entry(|entry| entry["fault"] == "drop-after" && entry["verdict"] == "no response").await;
    assert_eq!(entry["operation"], "GetBalance");
    let state = console.delete("api/faults/0").await;
    assert_eq!(state["faults"]["rules"], json!([]));
    assert_eq!(console.post("api/call", call("kalshi", "GetBalance")).await["status"], 200);
    assert_eq!(console.send("DELETE", "api/faults/0", Some(&json!(null))).await.status(), 404);
    console.post("api/faults", json!({"fault": "drop-before"})).await;
    console.post("api/faults", json!({"fault": "delay", "ms": 1})).await;
    assert_eq!(console.delete("api/faults").await["faults"]["rules"], json!([]));
}

#[tokio::test]
async fn a_fault_names_an_operation_that_exists() {
    let sandbox = sandbox().await;
    let console = Console::of(&sandbox);
    for (rule, said) in [
        (json!({"venue": "kalshi", "operation": "GetBalnce"}), "did you mean `GetBalance`?"),
        (json!({"operation": "private/buyy"}), "did you mean `private/buy`?"),
        (json!({"venue": "kalsi"}), "did you mean `kalshi`?"),
        (json!({"venue": "kalshi", "operation": "GET /trade-api/v2/nothing/here"}), "kalshi has no operation"),
    ] {
        let mut body = rule.clone();
        body["fault"] = json!("drop-after");
        let refused = console.send("POST", "api/faults", Some(&body)).await;
        assert_eq!(refused.status(), 400, "{rule}");
        let refused: Value = refused.json().await.unwrap();
        assert!(refused["error"].as_str().unwrap().contains(said), "{refused}");
    }
    assert_eq!(console.get("api/state").await["faults"]["rules"], json!([]));
    // The name of the generated client strikes the call.
    let rule = json!({"venue": "kalshi", "operation": "get_balance", "fault": "status", "status": 503, "times": 1});
    let state = console.post("api/faults", rule).await;
    assert_eq!(state["faults"]["rules"][0]["operation"], format!("GET {BALANCE}"));
    Kalshi::given(&sandbox, 1).call("GET", BALANCE, "").await.expect(503);
}

#[tokio::test]
async fn a_shifted_clock_refuses_what_is_signed_by_the_right_one() {
    let sandbox = sandbox().await;
    let console = Console::of(&sandbox);
    let key = Kalshi::given(&sandbox, 1);
    let state = console.post("api/clock", json!({"offset_millis": 120_000})).await;
    assert_eq!(state["clock"]["offset_millis"], 120_000);
    key.call("GET", BALANCE, "").await.expect(401);
    let detail = console.last_detail().await;
    assert_eq!(detail["mistakes"][0]["part"], "timestamp");
    assert_eq!(detail["signature"]["valid"], true, "{detail}");
    console.post("api/clock", json!({"offset_millis": 0})).await;
    key.call("GET", BALANCE, "").await.expect(200);
}

#[tokio::test]
async fn a_revoked_key_is_refused_on_every_venue() {
    let sandbox = sandbox().await;
    let console = Console::of(&sandbox);
    let accounts = sandbox.accounts().clone();
    for (venue, key) in [
        ("kalshi", &accounts.kalshi[1].key_id),
        ("bayse", &accounts.bayse[0].public_key),
        ("deribit", &accounts.deribit[0].client_id),
        ("yativo", &accounts.yativo[0].api_key),
    ] {
        let state = console.post("api/revoke", json!({"venue": venue, "key": key})).await;
        let keys = state["venues"][venue]["accounts"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|one| one["keys"].as_array().unwrap());
        let left: Vec<&Value> = keys.filter(|one| one["id"] == key.as_str() && one["status"] == "active").collect();
        assert!(left.is_empty(), "{venue}: {left:?}");
        let again = console.send("POST", "api/revoke", Some(&json!({"venue": venue, "key": key}))).await;
        assert_eq!(again.status(), 404, "{venue}");
    }
    Kalshi::given(&sandbox, 1).call("GET", BALANCE, "").await.expect(401);
    Bayse::given(&sandbox).read("/v1/pm/portfolio").await.expect(401);
    Caller::given(&sandbox, 0).call("private/get_positions", json!({})).await.expect(401);
    let yativo = &accounts.yativo[0];
    let headers = [("x-api-key", yativo.api_key.clone()), ("x-api-secret", yativo.api_secret.clone())];
    send(&sandbox, "GET", "/api/v1/accounts/get-accounts", &headers, "").await.expect(401);
    let detail = console.last_detail().await;
    assert_eq!(detail["mistakes"][0], json!({"part": "key", "message": "the key is revoked"}));
}

#[tokio::test]
async fn keys_have_a_last_use_and_streams_their_subscribers() {
    let sandbox = sandbox().await;
    let console = Console::of(&sandbox);
    let key_of = |state: &Value| state["venues"]["kalshi"]["accounts"][0]["keys"][1].clone();
    assert_eq!(key_of(&console.get("api/state").await)["last_used"], Value::Null);
    Kalshi::given(&sandbox, 1).call("GET", BALANCE, "").await.expect(200);
    console.entry(|entry| !entry["credential"].is_null()).await;
    let key = key_of(&console.get("api/state").await);
    assert_eq!(
        (&key["requests"], &key["kind"], &key["scopes"]),
        (&json!(1), &json!("Ed25519"), &json!(["read", "write"]))
    );
    assert!(key["last_used"].as_i64().is_some_and(|time| time > 0));

    let mut socket = Socket::logged_in(&sandbox, 0).await;
    socket.result("public/subscribe", json!({"channels": ["ticker.BTC-PERPETUAL.100ms"]})).await;
    let state = console.get("api/state").await;
    let connection = &state["venues"]["deribit"]["connections"][0];
    assert_eq!(connection["credential"], sandbox.accounts().deribit[0].client_id.as_str());
    assert_eq!(connection["subscriptions"], json!(["ticker.BTC-PERPETUAL.100ms"]));
    let state = console.post("api/disconnect", json!(null)).await;
    assert_eq!(state["venues"]["deribit"]["connections"], json!([]));
}

#[tokio::test]
async fn the_clock_is_shifted_by_at_most_a_day() {
    let sandbox = sandbox().await;
    let console = Console::of(&sandbox);
    for offset in [i64::MIN, i64::MIN + 1, i64::MAX, -86_400_001, 86_400_001] {
        let answer = console.send("POST", "api/clock", Some(&json!({"offset_millis": offset}))).await;
        assert_eq!(answer.status(), 400, "{offset}");
    }
    let state = console.post("api/clock", json!({"offset_millis": -86_400_000})).await;
    assert_eq!(state["clock"]["offset_millis"], -86_400_000);
}

#[tokio::test]
async fn a_reset_forgets_the_uses_of_keys() {
    let sandbox = sandbox().await;
    let console = Console::of(&sandbox);
    let key_of = |state: &Value| state["venues"]["kalshi"]["accounts"][0]["keys"][1].clone();
    Kalshi::given(&sandbox, 1).call("GET", BALANCE, "").await.expect(200);
    console.entry(|entry| !entry["credential"].is_null()).await;
    assert_eq!(key_of(&console.get("api/state").await)["requests"], 1);
    let key = key_of(&console.post("api/reset", json!(null)).await);
    assert_eq!((&key["requests"], &key["last_used"]), (&json!(0), &Value::Null));
}

#[tokio::test]
async fn an_order_is_in_the_state_and_in_its_book() {
    let sandbox = sandbox().await;
    let console = Console::of(&sandbox);
    let caller = Caller::given(&sandbox, 0);
    caller
        .result(
            "private/buy",
            json!({"instrument_name": "BTC-PERPETUAL", "amount": 10, "price": 1000, "type": "limit"}),
        )
        .await;
    let state = console.get("api/state").await;
    let order = &state["venues"]["deribit"]["accounts"][0]["orders"][0];
    assert_eq!((&order["side"], &order["price"], &order["remaining"]), (&json!("buy"), &json!("1000"), &json!("10")));
    let view = console.get("api/market/deribit?id=BTC-PERPETUAL").await;
    assert_eq!(view["bids"].as_array().unwrap().last().unwrap(), &json!(["1000", "10"]), "{view}");
    assert_eq!(console.send("GET", "api/market/deribit?id=NONE", None).await.status(), 404);
    assert_eq!(console.send("GET", "api/market/yativo?id=NONE", None).await.status(), 404);
}

#[tokio::test]
async fn a_reset_brings_the_first_state_back() {
    let sandbox = sandbox().await;
    let console = Console::of(&sandbox);
    let before = console.get("api/state").await;
    let key = Kalshi::given(&sandbox, 1);
    key.call("POST", "/trade-api/v2/api_keys/generate", r#"{"name":"more","key_type":"ed25519"}"#).await.expect(201);
    Bayse::given(&sandbox).read("/v1/pm/portfolio").await.expect(200);
    crate::common::session(&sandbox, "POST", "/v1/user/me/api-keys", r#"{"name":"one"}"#).await.expect(200);
    let caller = Caller::given(&sandbox, 0);
    caller
        .result(
            "private/buy",
            json!({"instrument_name": "BTC-PERPETUAL", "amount": 10, "price": 1000, "type": "limit"}),
        )
        .await;
    console.post("api/revoke", json!({"venue": "kalshi", "key": key.key_id})).await;
    console.post("api/faults", json!({"fault": "drop-before", "venue": "yativo"})).await;
    console.post("api/clock", json!({"offset_millis": 1000})).await;
    let _socket = Socket::connect(&sandbox).await;
    let after = console.post("api/reset", json!(null)).await;
    let state = |state: &Value| {
        let mut venues = state["venues"].clone();
        // The uses of the last requests may be counted after the reset.
        for venue in venues.as_object_mut().unwrap().values_mut() {
            for account in venue["accounts"].as_array_mut().unwrap() {
                for key in account["keys"].as_array_mut().unwrap() {
                    (key["last_used"], key["requests"]) = (Value::Null, json!(0));
                }
            }
        }
        (venues, state["faults"].clone(), state["clock"]["offset_millis"].clone())
    };
    assert_eq!(state(&after), state(&before));
    assert_eq!((sandbox.executed().len(), sandbox.websocket_connections()), (0, 0));
    key.call("GET", BALANCE, "").await.expect(200);
    Bayse::given(&sandbox).read("/v1/pm/portfolio").await.expect(200);
    caller.result("private/get_positions", json!({})).await;
}
