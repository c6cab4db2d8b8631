//! Bayse: signatures, sessions, keys, orders and batches.

mod common;

use common::{Bayse, now_millis, send, session};
use serde_json::{Value, json};
use venuekit_sandbox::{Accounts, Sandbox};

const KEYS: &str = "/v1/user/me/api-keys";
const BATCH: &str = "/v1/pm/orders/batch";

async fn sandbox() -> Sandbox {
    Sandbox::start(Accounts::default()).await.unwrap()
}

/// The first open event of an engine.
async fn event(sandbox: &Sandbox, engine: &str) -> Value {
    let page = send(sandbox, "GET", "/v1/pm/events?status=open&size=50", &[], "").await.expect(200);
    let events = page["events"].as_array().unwrap();
    events.iter().find(|event| event["engine"] == engine).unwrap().clone()
}

fn order_path(event: &Value) -> String {
    let (event, market) = (event["id"].as_str().unwrap(), event["markets"][0]["id"].as_str().unwrap());
    format!("/v1/pm/events/{event}/markets/{market}/orders")
}

/// An order that rests, with some fields replaced.
fn order(event: &Value, replaced: Value) -> Value {
    let mut order = json!({
        "side": "BUY", "outcomeId": event["markets"][0]["outcome1Id"], "amount": 100, "type": "LIMIT", "price": 0.5,
        "currency": "USD",
    });
    order.as_object_mut().unwrap().extend(replaced.as_object().unwrap().clone());
    order
}

fn list<'a>(json: &'a Value, name: &str) -> &'a [Value] {
    json[name].as_array().unwrap()
}

#[tokio::test]
async fn a_signed_order_rests_until_it_is_cancelled() {
    let sandbox = sandbox().await;
    let key = Bayse::given(&sandbox);
    let event = event(&sandbox, "CLOB").await;
    let body = order(&event, json!({"amount": 12.5})).to_string();
    let placed = key.write("POST", &order_path(&event), &body, &[]).await.expect(200);
    assert_eq!(placed["engine"], "CLOB");
    let placed = &placed["clobOrder"];
    assert_eq!(placed["outcome"], event["markets"][0]["outcome1Id"], "the write route puts the id in `outcome`");
    assert_eq!(
        (&placed["type"], &placed["orderType"], &placed["status"]),
        (&json!("BUY"), &json!("LIMIT"), &json!("open"))
    );
    assert_eq!((&placed["size"], &placed["amount"]), (&json!(25), &json!(12.5)));

    let path = format!("/v1/pm/orders/{}", placed["id"].as_str().unwrap());
    let read = key.read(&path).await.expect(200);
    assert_eq!((&read["type"], &read["outcomeLabel"]), (&json!("LIMIT"), &json!("Yes")));
    assert_eq!(list(&key.read("/v1/pm/orders?currency=USD").await.expect(200), "orders"), [read]);
    assert!(
        list(&key.read("/v1/pm/orders").await.expect(200), "orders").is_empty(),
        "without a currency there is none"
    );
    let cancelled = key.write("DELETE", &path, "", &[]).await.expect(200);
    assert_eq!(cancelled, json!({"message": "Order cancelled"}));
    assert_eq!(key.write("DELETE", &path, "", &[]).await.expect(400)["error"], "order_not_open");
    assert_eq!(key.read(&path).await.expect(200)["status"], "cancelled");
    key.read("/v1/pm/orders/unknown").await.expect(404);
}

#[tokio::test]
async fn a_write_that_is_not_signed_as_documented_is_refused() {
    let sandbox = sandbox().await;
    let key = Bayse::given(&sandbox);
    let event = event(&sandbox, "CLOB").await;
    let (path, body) = (order_path(&event), order(&event, json!({})).to_string());
    let now = now_millis() / 1000;
    let refusal = |error: &str, headers: &[(&'static str, String)], sent: &str| {
        let (headers, sent, error) = (headers.to_vec(), sent.to_owned(), error.to_owned());
        let (sandbox, path) = (&sandbox, &path);
        async move {
            let refused = send(sandbox, "POST", path, &headers, &sent).await.expect(401);
            assert_eq!((&refused["error"], &refused["statusCode"]), (&json!(error), &json!(401)));
        }
    };
    let good = key.sign(now, "POST", &path, &body);
    refusal("invalid_signature", &good, &format!("{body} ")).await;
    refusal("invalid_signature", &key.sign(now, "post", &path, &body), &body).await;
    refusal("invalid_signature", &key.sign(now, "POST", &format!("{path}?x=1"), &body), &body).await;
    refusal("invalid_signature", &key.sign(now, "POST", &path, ""), &body).await;
    refusal("timestamp_expired", &key.sign(now - 310, "POST", &path, &body), &body).await;
    refusal("timestamp_expired", &key.sign(now + 310, "POST", &path, &body), &body).await;
    refusal("timestamp_expired", &key.sign(now * 1000, "POST", &path, &body), &body).await;
    for missing in 0..3 {
        let headers: Vec<_> =
            good.iter().enumerate().filter(|(index, _)| *index != missing).map(|(_, header)| header.clone()).collect();
        refusal("unauthorized", &headers, &body).await;
    }
    let wrong = Bayse { secret_key: "sk_live_other".to_owned(), ..Bayse::given(&sandbox) };
    refusal("invalid_signature", &wrong.sign(now, "POST", &path, &body), &body).await;
    send(&sandbox, "POST", &path, &good, &body).await.expect(200);
    let operation = "bayse POST /v1/pm/events/{eventId}/markets/{marketId}/orders";
    assert_eq!(sandbox.executed()[operation], 1);
}

#[tokio::test]
async fn a_delete_with_a_body_is_signed_over_it() {
    let sandbox = sandbox().await;
    let key = Bayse::given(&sandbox);
    let body = json!({"orderIds": ["f6a7b8c9-d0e1-2345-fabc-678901234567"]}).to_string();
    let answer = key.write("DELETE", BATCH, &body, &[]).await.expect(200);
    assert_eq!(answer["results"][0]["error"]["code"], "ORDER_NOT_FOUND");
    let unhashed = key.sign(now_millis() / 1000, "DELETE", BATCH, "");
    send(&sandbox, "DELETE", BATCH, &unhashed, &body).await.expect(401);
}

#[tokio::test]
async fn a_key_lives_from_create_over_rotate_to_revoke() {
    let sandbox = sandbox().await;
    let name = json!({"name": "Trading bot"}).to_string();
    let created = session(&sandbox, "POST", KEYS, &name).await.expect(200);
    let text = |json: &Value, name: &str| json[name].as_str().unwrap().to_owned();
    let (id, public_key) = (text(&created, "id"), text(&created, "publicKey"));
    assert_eq!(created["signingInstructions"]["timestampWindowSeconds"], 300);
    assert!(created["createdAt"].is_string());
    assert_eq!(session(&sandbox, "POST", KEYS, &name).await.expect(409)["statusCode"], 409);

    let listed = session(&sandbox, "GET", KEYS, "").await.expect(200);
    assert_eq!(listed["total"], 2);
    let shown = list(&listed, "keys").iter().find(|key| key["id"] == *id).unwrap();
    assert!(!shown.to_string().contains(created["secretKey"].as_str().unwrap()), "a list shows no secret");

    let path = "/v1/pm/orders/unknown";
    let first = Bayse { sandbox: &sandbox, public_key: public_key.clone(), secret_key: text(&created, "secretKey") };
    first.write("DELETE", path, "", &[]).await.expect(404);
    let rotated = session(&sandbox, "POST", &format!("{KEYS}/{id}/rotate"), "").await.expect(200);
    assert_eq!((&rotated["id"], &rotated["publicKey"]), (&created["id"], &created["publicKey"]));
    assert!(rotated.get("createdAt").is_none(), "as the venue documents it");
    assert_eq!(first.write("DELETE", path, "", &[]).await.expect(401)["error"], "invalid_signature");
    let second = Bayse { sandbox: &sandbox, public_key, secret_key: text(&rotated, "secretKey") };
    second.write("DELETE", path, "", &[]).await.expect(404);

    let revoked = session(&sandbox, "DELETE", &format!("{KEYS}/{id}"), "").await.expect(200);
    assert_eq!(revoked, json!({"message": "API key revoked"}));
    assert_eq!(second.write("DELETE", path, "", &[]).await.expect(401)["error"], "unauthorized");
    second.read("/v1/pm/portfolio").await.expect(401);
    session(&sandbox, "DELETE", &format!("{KEYS}/{id}"), "").await.expect(404);
    session(&sandbox, "POST", KEYS, &name).await.expect(200);
}

#[tokio::test]
async fn key_operations_need_a_session() {
    let sandbox = sandbox().await;
    let account = sandbox.accounts().bayse[0].clone();
    send(&sandbox, "GET", KEYS, &[], "").await.expect(401);
    let token = ("x-auth-token", account.auth_token.clone());
    send(&sandbox, "GET", KEYS, std::slice::from_ref(&token), "").await.expect(401);
    send(&sandbox, "GET", KEYS, &[token, ("x-device-id", "other".to_owned())], "").await.expect(401);
    Bayse::given(&sandbox).read(KEYS).await.expect(401);
    session(&sandbox, "POST", KEYS, "{}").await.expect(400);
    session(&sandbox, "POST", KEYS, "not json").await.expect(400);
}

#[tokio::test]
async fn a_login_opens_a_session_once_in_two_minutes() {
    let sandbox = sandbox().await;
    let account = sandbox.accounts().bayse[0].clone();
    let login = |password: &str| {
        let body = json!({"email": account.email, "password": password}).to_string();
        let sandbox = &sandbox;
        async move { send(sandbox, "POST", "/v1/user/login", &[], &body).await }
    };
    assert_eq!(login("wrong").await.expect(401)["error"], "unauthorized");
    let opened = login(&account.password).await.expect(200);
    let text = |name: &str| opened[name].as_str().unwrap().to_owned();
    let headers = [("x-auth-token", text("token")), ("x-device-id", text("deviceId"))];
    send(&sandbox, "GET", KEYS, &headers, "").await.expect(200);
    let refused = login(&account.password).await.expect(429);
    assert!((1..=120).contains(&refused["retryAfter"].as_i64().unwrap()));
    assert!(refused.get("error").is_none() && refused.get("statusCode").is_none(), "the other shape of errors");
    sandbox.clock().set_offset_millis(121_000);
    login(&account.password).await.expect(200);
}

#[tokio::test]
async fn events_are_paged_and_filtered() {
    let sandbox = sandbox().await;
    let get = |query: &str| {
        let path = format!("/v1/pm/events{query}");
        let sandbox = &sandbox;
        async move { send(sandbox, "GET", &path, &[], "").await }
    };
    let first = get("").await.expect(200);
    let pagination = &first["pagination"];
    assert_eq!((&pagination["page"], &pagination["size"]), (&json!(1), &json!(20)));
    let (last, total) = (pagination["lastPage"].as_u64().unwrap(), pagination["totalCount"].as_u64().unwrap());
    let mut ids = Vec::new();
    for page in 1..=last {
        let page = get(&format!("?page={page}")).await.expect(200);
        ids.extend(list(&page, "events").iter().map(|event| event["id"].as_str().unwrap().to_owned()));
    }
    assert_eq!(ids.len() as u64, total);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len() as u64, total, "no event is on two pages");
    for event in list(&get("?status=resolved&category=Sports").await.expect(200), "events") {
        assert_eq!((&event["status"], &event["category"]), (&json!("resolved"), &json!("Sports")));
    }
    assert!(list(&get("?page=99").await.expect(200), "events").is_empty());
    get("?page=0").await.expect(400);

    let event = &first["events"][0];
    assert_eq!(&get(&format!("/{}", event["id"].as_str().unwrap())).await.expect(200), event);
    assert_eq!(&get(&format!("/slug/{}", event["slug"].as_str().unwrap())).await.expect(200), event);
    assert!(event.get("userWatchlisted").is_none());
    let known = Bayse::given(&sandbox).read("/v1/pm/events").await.expect(200);
    assert_eq!(known["events"][0]["userWatchlisted"], false, "a key adds the watch list");
}

#[tokio::test]
async fn money_keeps_its_digits() {
    let sandbox = sandbox().await;
    let key = Bayse::given(&sandbox);
    let event = event(&sandbox, "CLOB").await;
    let digits = "1234.123456789123456789";
    let body = order(&event, json!({"amount": 0})).to_string().replace("\"amount\":0", &format!("\"amount\":{digits}"));
    let path = order_path(&event);
    let headers = key.sign(now_millis() / 1000, "POST", &path, &body);
    let url = format!("{}{path}", sandbox.base_url());
    let mut request = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .post(url)
        .header("content-type", "application/json")
        .body(body);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let text = request.send().await.unwrap().text().await.unwrap();
    assert!(text.contains(&format!("\"amount\":{digits},")), "{text}");
}

#[tokio::test]
async fn a_filled_order_shows_in_the_portfolio() {
    let sandbox = sandbox().await;
    let key = Bayse::given(&sandbox);
    let event = event(&sandbox, "AMM").await;
    let path = order_path(&event);
    let body = order(&event, json!({"type": "MARKET", "amount": 50})).to_string();
    let bought = key.write("POST", &path, &body, &[]).await.expect(200);
    assert_eq!((&bought["engine"], &bought["order"]["status"]), (&json!("AMM"), &json!("filled")));
    let portfolio = key.read("/v1/pm/portfolio").await.expect(200);
    let balance = &portfolio["outcomeBalances"][0];
    assert_eq!(balance["balance"], bought["order"]["quantity"]);
    assert_eq!((&balance["cost"], &balance["market"]["event"]["id"]), (&json!(50), &event["id"]));
    assert_eq!(key.read("/v1/wallet/assets").await.expect(200)["assets"][0]["availableBalance"], 9950);

    let sell = |amount: u32| order(&event, json!({"side": "SELL", "type": "MARKET", "amount": amount})).to_string();
    assert_eq!(key.write("POST", &path, &sell(60), &[]).await.expect(400)["error"], "insufficient_shares");
    key.write("POST", &path, &sell(20), &[]).await.expect(200);
    assert_eq!(key.read("/v1/wallet/assets").await.expect(200)["assets"][0]["availableBalance"], 9970);
    let left = key.read("/v1/pm/portfolio").await.expect(200)["outcomeBalances"][0]["cost"].as_f64().unwrap();
    assert!((left - 30.0).abs() < 0.001, "{left}");
}

#[tokio::test]
async fn a_bad_order_is_refused() {
    let sandbox = sandbox().await;
    let key = Bayse::given(&sandbox);
    let event = event(&sandbox, "CLOB").await;
    let path = order_path(&event);
    for (replaced, error) in [
        (json!({"side": "HOLD"}), "validation_error"),
        (json!({"amount": 0}), "validation_error"),
        (json!({"amount": "100"}), "bad_request"),
        (json!({"amount": 0.5}), "validation_error"),
        (json!({"amount": 50, "currency": "NGN"}), "validation_error"),
        (json!({"price": null}), "validation_error"),
        (json!({"price": 0.995}), "validation_error"),
        (json!({"currency": "usd"}), "validation_error"),
        (json!({"timeInForce": "GTD"}), "validation_error"),
        (json!({"timeInForce": "FOK"}), "fok_not_filled"),
        (json!({"type": "MARKET", "maxSlippage": 0.6}), "bad_request"),
        (json!({"postOnly": true, "price": 0.99}), "post_only_would_cross"),
        (json!({"amount": 1_000_000}), "insufficient_balance"),
    ] {
        let body = order(&event, replaced).to_string();
        assert_eq!(key.write("POST", &path, &body, &[]).await.expect(400)["error"], error, "{body}");
    }
    let elsewhere = order(&event, json!({"outcomeId": "00000000-0000-4000-8000-000000000000"})).to_string();
    key.write("POST", &path, &elsewhere, &[]).await.expect(404);
    let skipped = order(&event, json!({"stpMode": "WHATEVER"})).to_string();
    assert_eq!(key.write("POST", &path, &skipped, &[]).await.expect(200)["clobOrder"]["stpMode"], "SKIP");
}

#[tokio::test]
async fn a_batch_is_placed_once_for_an_idempotency_key() {
    let sandbox = sandbox().await;
    let key = Bayse::given(&sandbox);
    let (clob, amm) = (event(&sandbox, "CLOB").await, event(&sandbox, "AMM").await);
    let orders = json!([
        order(&clob, json!({"clientOrderId": "mine"})),
        order(&amm, json!({})),
        order(&clob, json!({"amount": 1_000_000})),
        order(&clob, json!({"price": 2})),
    ]);
    let body = json!({"orders": orders}).to_string();
    let first = key.write("POST", BATCH, &body, &[("Idempotency-Key", "batch-1")]).await;
    assert!(!first.headers.contains_key("idempotent-replayed"));
    let first = first.expect(200);
    assert_eq!(first["summary"], json!({"total": 4, "succeeded": 1, "failed": 3}));
    let codes: Vec<_> = list(&first, "results").iter().map(|result| result["error"]["code"].clone()).collect();
    assert_eq!(codes, [json!(null), json!("UNSUPPORTED_ENGINE"), json!("INSUFFICIENT_BALANCE"), json!("BAD_REQUEST")]);
    assert_eq!(first["results"][0]["clientOrderId"], "mine");

    let again = key.write("POST", BATCH, &body, &[("Idempotency-Key", "batch-1")]).await;
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_eq!(again.expect(200), first);
    key.write("POST", BATCH, &format!("{body} "), &[("Idempotency-Key", "batch-1")]).await.expect(422);
    assert_eq!(sandbox.executed()["bayse POST /v1/pm/orders/batch"], 1);
    assert_eq!(list(&key.read("/v1/pm/orders?currency=USD").await.expect(200), "orders").len(), 1);

    let ids = json!({"orderIds": [first["results"][0]["order"]["id"], "unknown-1"]}).to_string();
    let cancelled = key.write("DELETE", BATCH, &ids, &[("Idempotency-Key", "batch-1")]).await.expect(200);
    assert_eq!(cancelled["summary"], json!({"total": 2, "succeeded": 1, "failed": 1}), "the key is bound to its route");
    let again = key.write("DELETE", BATCH, &ids, &[("Idempotency-Key", "batch-1")]).await.expect(200);
    assert_eq!(again, cancelled);
    assert_eq!(sandbox.executed()["bayse DELETE /v1/pm/orders/batch"], 1);

    for wrong in ["", "a b", "ä"] {
        key.write("POST", BATCH, &body, &[("Idempotency-Key", wrong)]).await.expect(400);
    }
    key.write("POST", BATCH, r#"{"orders": []}"#, &[]).await.expect(422);
    key.write("DELETE", BATCH, r#"{"orderIds": []}"#, &[]).await.expect(422);
}

#[tokio::test]
async fn public_routes_and_the_unknown_one() {
    let sandbox = sandbox().await;
    assert_eq!(send(&sandbox, "GET", "/health", &[], "").await.expect(200), json!({"status": "ok"}));
    send(&sandbox, "GET", "/version", &[], "").await.expect(200);
    let unknown = send(&sandbox, "GET", "/v1/nothing", &[("x-trace-id", "t-1".to_owned())], "").await;
    assert_eq!(unknown.headers["x-trace-id"], "t-1");
    assert_eq!(unknown.expect(404)["statusCode"], 404);
    assert!(send(&sandbox, "GET", "/elsewhere", &[], "").await.expect(404)["error"].is_string());
    let large = "x".repeat(1024 * 1024 + 1);
    send(&sandbox, "POST", "/v1/user/login", &[], &large).await.expect(413);
}
