//! Yativo: credentials, keys in three generations, second factor, scopes, transfers.

mod common;

use common::{Answer, send};
use serde_json::{Value, json};
use venuekit_sandbox::{Accounts, Sandbox, YativoAccount};

async fn sandbox() -> Sandbox {
    Sandbox::start(Accounts::default()).await.unwrap()
}

async fn guarded() -> Sandbox {
    let yativo = vec![YativoAccount { totp_code: Some("042137".to_owned()), ..YativoAccount::default() }];
    Sandbox::start(Accounts { yativo, ..Accounts::default() }).await.unwrap()
}

type Headers = Vec<(&'static str, String)>;

fn bearer(token: &Value) -> Headers {
    vec![("authorization", format!("Bearer {}", token.as_str().unwrap()))]
}

fn key_headers(key: &Value) -> Headers {
    let text = |name: &str| key[name].as_str().unwrap().to_owned();
    vec![("x-api-key", text("api_key")), ("x-api-secret", text("api_secret"))]
}

fn owner(sandbox: &Sandbox) -> Headers {
    key_headers(&given(sandbox))
}

fn given(sandbox: &Sandbox) -> Value {
    let account = &sandbox.accounts().yativo[0];
    json!({"api_key": account.api_key, "api_secret": account.api_secret})
}

async fn call(sandbox: &Sandbox, method: &str, path: &str, headers: &Headers, body: Value) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    send(sandbox, method, &format!("/api/v1{path}"), headers, &body).await
}

async fn exchange(sandbox: &Sandbox, key: &Value) -> Answer {
    let body = json!({"api_key": key["api_key"], "api_secret": key["api_secret"]});
    call(sandbox, "POST", "/auth/token", &Vec::new(), body).await
}

async fn generate(sandbox: &Sandbox, name: &str, scopes: Value) -> Value {
    let body = json!({"key_name": name, "scopes": scopes});
    call(sandbox, "POST", "/apikey/generate", &owner(sandbox), body).await.expect(200)["data"].take()
}

async fn id_of(sandbox: &Sandbox, key: &Value) -> String {
    let listed = call(sandbox, "GET", "/apikey", &owner(sandbox), Value::Null).await.expect(200);
    let found = listed["data"].as_array().unwrap().iter().find(|one| one["api_key"] == key["api_key"]).unwrap();
    assert!(found.get("api_secret").is_none());
    found["id"].as_str().unwrap().to_owned()
}

fn refused() -> Value {
    json!({"success": false, "error": "Invalid, expired, or revoked API key"})
}

const ACCOUNTS: &str = "/accounts/get-accounts";

#[tokio::test]
async fn every_documented_credential_is_let_in() {
    let sandbox = sandbox().await;
    let token = exchange(&sandbox, &given(&sandbox)).await.expect(200);
    assert_eq!((&token["token_type"], &token["expires_in"]), (&json!("Bearer"), &json!(3600)));
    assert!(token["expires_at"].as_str().unwrap().ends_with('Z'));
    let session = json!(sandbox.accounts().yativo[0].access_token.clone().unwrap());
    for headers in [bearer(&token["access_token"]), bearer(&session), owner(&sandbox)] {
        let answer = call(&sandbox, "GET", ACCOUNTS, &headers, Value::Null).await;
        assert_eq!(answer.headers["x-ratelimit-limit"], "60");
        assert!(answer.headers.contains_key("x-ratelimit-remaining"));
        assert_eq!(answer.expect(200)["accounts"][0]["status"], "active");
    }
    // The older prefix leads to the same place.
    send(&sandbox, "GET", "/api/accounts/get-accounts", &owner(&sandbox), "").await.expect(200);

    // A key alone is no secret: it reads and does nothing else.
    let alone: Headers = owner(&sandbox).into_iter().take(1).collect();
    call(&sandbox, "GET", ACCOUNTS, &alone, Value::Null).await.expect(200);
    call(&sandbox, "POST", "/assets/get-user-assets", &alone, json!({})).await.expect(200);
    call(&sandbox, "POST", "/apikey/generate", &alone, json!({"key_name": "x"})).await.expect(401);

    let wrong = json!({"api_key": given(&sandbox)["api_key"], "api_secret": "0"});
    assert_eq!(exchange(&sandbox, &wrong).await.expect(401), refused());
    assert_eq!(call(&sandbox, "GET", ACCOUNTS, &key_headers(&wrong), Value::Null).await.expect(401), refused());
    let none = call(&sandbox, "GET", ACCOUNTS, &Vec::new(), Value::Null).await.expect(401);
    assert_eq!(none["error"], "unauthorized");
    call(&sandbox, "GET", ACCOUNTS, &bearer(&json!("nonsense")), Value::Null).await.expect(401);
    assert_eq!(sandbox.executed()["yativo GET /api/v1/accounts/get-accounts"], 5);
}

#[tokio::test]
async fn a_token_ends_after_an_hour() {
    let sandbox = sandbox().await;
    let token = exchange(&sandbox, &given(&sandbox)).await.expect(200)["access_token"].take();
    sandbox.clock().set_offset_millis(3_599_000);
    call(&sandbox, "GET", ACCOUNTS, &bearer(&token), Value::Null).await.expect(200);
    sandbox.clock().set_offset_millis(3_601_000);
    call(&sandbox, "GET", ACCOUNTS, &bearer(&token), Value::Null).await.expect(401);
    exchange(&sandbox, &given(&sandbox)).await.expect(200);
}

#[tokio::test]
async fn a_key_lives_and_dies() {
    let sandbox = sandbox().await;
    let created = generate(&sandbox, "bot", json!(["read"])).await;
    assert!(created.get("id").is_none(), "the venue's answer has no id");
    assert_eq!((&created["key_name"], &created["scopes"]), (&json!("bot"), &json!(["read"])));
    assert_eq!(created["rate_limit"]["requests_per_minute"], 60);
    let id = id_of(&sandbox, &created).await;
    let token = exchange(&sandbox, &created).await.expect(200)["access_token"].take();
    call(&sandbox, "GET", ACCOUNTS, &bearer(&token), Value::Null).await.expect(200);
    let denied = call(&sandbox, "POST", "/apikey/generate", &bearer(&token), json!({"key_name": "x"})).await;
    let denied = denied.expect(403);
    assert_eq!(denied["message"], "API key does not have the 'write' permission");

    let path = format!("/apikey/{id}");
    let rotated = call(&sandbox, "POST", &format!("{path}/rotate"), &owner(&sandbox), Value::Null).await;
    let rotated = rotated.expect(200)["data"].take();
    assert_eq!(rotated["api_key"], created["api_key"]);
    assert_ne!(rotated["api_secret"], created["api_secret"]);
    call(&sandbox, "GET", ACCOUNTS, &bearer(&token), Value::Null).await.expect(401);
    assert_eq!(exchange(&sandbox, &created).await.expect(401), refused());
    let token = exchange(&sandbox, &rotated).await.expect(200)["access_token"].take();

    let more = json!({"permissions": ["read", "write"]});
    let changed = call(&sandbox, "PUT", &format!("{path}/permissions"), &owner(&sandbox), more).await.expect(200);
    assert_eq!(changed["data"]["scopes"], json!(["read", "write"]));
    let account = json!({"account_name": "Second"});
    call(&sandbox, "POST", "/accounts/create-account", &bearer(&token), account).await.expect(200);
    let shown = call(&sandbox, "GET", &path, &owner(&sandbox), Value::Null).await.expect(200)["data"].take();
    assert_eq!((&shown["status"], &shown["key_name"]), (&json!("active"), &json!("bot")));
    assert!(shown["last_used_at"].is_string());

    let revoked = call(&sandbox, "DELETE", &path, &owner(&sandbox), Value::Null).await.expect(200);
    assert_eq!((&revoked["data"]["id"], &revoked["data"]["is_revoked"]), (&json!(id), &json!(true)));
    call(&sandbox, "GET", ACCOUNTS, &bearer(&token), Value::Null).await.expect(401);
    assert_eq!(exchange(&sandbox, &rotated).await.expect(401), refused());
    let shown = call(&sandbox, "GET", &path, &owner(&sandbox), Value::Null).await.expect(200);
    assert_eq!(shown["data"]["status"], "revoked");
    assert_eq!(call(&sandbox, "DELETE", &path, &owner(&sandbox), Value::Null).await.expect(404)["error"], "not_found");
}

#[tokio::test]
async fn the_older_generations_work_too() {
    let sandbox = sandbox().await;
    let session = bearer(&json!(sandbox.accounts().yativo[0].access_token.clone().unwrap()));
    // The body of the founding page, at its path.
    let body = json!({
        "name": "Production Backend", "permissions": ["transactions:read", "transactions:write", "accounts:read"],
    });
    let created = send(&sandbox, "POST", "/api/api-keys", &session, &body.to_string()).await.expect(200);
    assert_eq!(created["status"], "success");
    let key = &created["data"];
    assert_eq!((&key["name"], &key["permissions"]), (&body["name"], &body["permissions"]));
    assert!(key["api_key"].as_str().unwrap().starts_with("yk_live_"));
    let headers = key_headers(key);
    call(&sandbox, "GET", ACCOUNTS, &headers, Value::Null).await.expect(200);
    call(&sandbox, "POST", "/accounts/create-account", &headers, json!({"account_name": "x"})).await.expect(403);
    let listed = call(&sandbox, "GET", "/api-keys", &session, Value::Null).await.expect(200)["data"]["keys"].take();
    assert_eq!(listed[1]["key_id"], key["key_id"]);
    let path = format!("/api-keys/{}", key["key_id"].as_str().unwrap());
    let revoked = call(&sandbox, "DELETE", &path, &session, Value::Null).await.expect(200);
    assert_eq!(revoked["data"]["status"], "revoked");
    call(&sandbox, "GET", ACCOUNTS, &headers, Value::Null).await.expect(401);

    let body = json!({"name": "guide", "permissions": ["read"], "expires_in_days": 1});
    let created = call(&sandbox, "POST", "/apikey/create", &session, body).await.expect(200);
    assert!(created["expires_at"].is_string());
    let listed = call(&sandbox, "GET", "/apikey/list", &session, Value::Null).await.expect(200);
    assert_eq!(listed["keys"][2]["id"], created["id"]);
    let body = json!({"api_key": created["api_key"], "api_secret": created["api_secret"]});
    call(&sandbox, "POST", "/apikey/token", &Vec::new(), body).await.expect(200);
    sandbox.clock().set_offset_millis(86_400_001);
    assert_eq!(exchange(&sandbox, &created).await.expect(401), refused(), "expired");
    sandbox.clock().set_offset_millis(0);
    let path = format!("/apikey/{}/revoke", created["id"].as_str().unwrap());
    call(&sandbox, "POST", &path, &session, Value::Null).await.expect(200);
}

#[tokio::test]
async fn keys_that_cannot_be_are_refused() {
    let sandbox = sandbox().await;
    for (body, field) in [
        (json!({}), "key_name"),
        (json!({"key_name": " "}), "key_name"),
        (json!({"key_name": "x", "scopes": ["everything"]}), "scopes"),
        (json!({"key_name": "x", "expires_in_days": 0}), "expires_in_days"),
        (json!({"key_name": "x", "expires_at": "tomorrow"}), "expires_at"),
        (json!({"key_name": "x", "expires_at": "2020-01-01T00:00:00Z"}), "expires_at"),
        (json!(["key_name"]), "body"),
    ] {
        let answer = call(&sandbox, "POST", "/apikey/generate", &owner(&sandbox), body.clone()).await.expect(400);
        assert_eq!(answer["error"], "validation_error");
        assert!(answer["details"][field].is_string(), "{body}: {answer}");
    }
    for _ in 0..9 {
        generate(&sandbox, "many", json!(["read"])).await;
    }
    let body = json!({"key_name": "one too many"});
    call(&sandbox, "POST", "/apikey/generate", &owner(&sandbox), body).await.expect(403);
}

#[tokio::test]
async fn the_second_factor_guards_keys_and_transfers() {
    let sandbox = guarded().await;
    let (_, asset) = wallet(&sandbox).await;
    let owner_headers = owner(&sandbox);
    let mut wrong = owner_headers.clone();
    wrong.push(("x-2fa-token", "111111".to_owned()));
    let mut right = owner_headers.clone();
    right.push(("x-2fa-token", "042137".to_owned()));
    let body = json!({"key_name": "bot"});
    let missing = call(&sandbox, "POST", "/apikey/generate", &owner_headers, body.clone()).await.expect(403);
    assert_eq!(missing["error"], "two_factor_required");
    let refused = call(&sandbox, "POST", "/apikey/generate", &wrong, body.clone()).await.expect(403);
    assert_eq!(refused["error"], "invalid_two_factor_token");
    let key = call(&sandbox, "POST", "/apikey/generate", &right, body).await.expect(200)["data"].take();

    let id = id_of(&sandbox, &key).await;
    for (method, path, body) in [
        ("POST", format!("/apikey/{id}/rotate"), json!({})),
        ("PUT", format!("/apikey/{id}/permissions"), json!({"permissions": ["read"]})),
        ("POST", "/transactions/send-funds".to_owned(), transfer(&asset, 1)),
        ("DELETE", format!("/apikey/{id}"), json!({})),
    ] {
        call(&sandbox, method, &path, &owner_headers, body.clone()).await.expect(403);
        call(&sandbox, method, &path, &right, body).await.expect(200);
    }
}

async fn wallet(sandbox: &Sandbox) -> (Value, Value) {
    let accounts = call(sandbox, "GET", ACCOUNTS, &owner(sandbox), Value::Null).await.expect(200);
    let body = json!({"account_id": accounts["accounts"][0]["id"]});
    let assets = call(sandbox, "POST", "/assets/get-user-assets", &owner(sandbox), body).await.expect(200);
    (accounts["accounts"][0].clone(), assets["data"][0].clone())
}

fn transfer(asset: &Value, amount: i64) -> Value {
    json!({
        "account": asset["account_id"], "assets": asset["asset_id"], "receiving_address": "7fUAJdStEuGbc3sM84cKRL6y",
        "amount": amount, "type": asset["type"], "chain": asset["chain"], "category": "payment",
    })
}

async fn balance(sandbox: &Sandbox, asset: &Value) -> String {
    let body = json!({"asset_id": asset["asset_id"]}).to_string();
    let url = format!("{}/api/v1/balance/check", sandbox.base_url());
    let mut request = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .post(url)
        .header("content-type", "application/json")
        .body(body);
    for (name, value) in owner(sandbox) {
        request = request.header(name, value);
    }
    let text = request.send().await.unwrap().text().await.unwrap();
    text.split(r#""balance":"#).nth(1).unwrap().split(',').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_transfer_happens_once_for_each_idempotency_key() {
    let sandbox = sandbox().await;
    let (_, asset) = wallet(&sandbox).await;
    let path = "/transactions/send-funds";
    let mut keyed = owner(&sandbox);
    keyed.push(("idempotency-key", "k1".to_owned()));

    let sent = call(&sandbox, "POST", path, &keyed, transfer(&asset, 100)).await.expect(200);
    assert_eq!(sent["status"], true);
    assert_eq!(sent["data"]["platform_fee"], "0.50000000");
    assert_eq!(balance(&sandbox, &asset).await, "900");
    assert_eq!(call(&sandbox, "POST", path, &keyed, transfer(&asset, 100)).await.expect(200), sent);
    let conflict = call(&sandbox, "POST", path, &keyed, transfer(&asset, 101)).await.expect(409);
    assert_eq!(conflict["existing_transaction_id"], sent["data"]["transaction_id"]);
    assert_eq!(balance(&sandbox, &asset).await, "900");
    assert_eq!(sandbox.executed()["yativo POST /api/v1/transactions/send-funds"], 1);

    for _ in 0..2 {
        call(&sandbox, "POST", path, &owner(&sandbox), transfer(&asset, 100)).await.expect(200);
    }
    assert_eq!(balance(&sandbox, &asset).await, "700", "without a key each call counts");
    sandbox.clock().set_offset_millis(86_400_001);
    call(&sandbox, "POST", path, &keyed, transfer(&asset, 100)).await.expect(200);
    assert_eq!(balance(&sandbox, &asset).await, "600", "a key is forgotten after a day");

    let body = json!({"transaction_id": sent["data"]["transaction_id"]});
    let one = call(&sandbox, "POST", "/transactions/get-transaction", &owner(&sandbox), body).await.expect(200);
    assert_eq!((&one["data"]["amount"], &one["data"]["status"]), (&json!(100), &json!("completed")));
    let list = call(&sandbox, "POST", "/transactions/get-transactions", &owner(&sandbox), json!({"limit": 3})).await;
    let list = list.expect(200)["data"].take();
    assert_eq!((&list["total"], list["transactions"].as_array().unwrap().len()), (&json!(4), 3));
}

#[tokio::test]
async fn amounts_are_exact_and_wrong_transfers_refused() {
    let sandbox = sandbox().await;
    let (_, asset) = wallet(&sandbox).await;
    let path = "/transactions/send-funds";
    let text = transfer(&asset, 7).to_string().replace(r#""amount":7"#, r#""amount":0.000000123456789"#);
    send(&sandbox, "POST", &format!("/api/v1{path}"), &owner(&sandbox), &text).await.expect(200);
    assert_eq!(balance(&sandbox, &asset).await, "999.999999876543211");

    let with = |name: &str, value: Value| {
        let mut body = transfer(&asset, 1);
        body[name] = value;
        body
    };
    for (body, status, error) in [
        (with("amount", json!("1")), 400, "validation_error"),
        (with("amount", json!(0)), 400, "validation_error"),
        (with("amount", Value::Null), 400, "validation_error"),
        (with("category", Value::Null), 400, "validation_error"),
        (with("type", json!("BTC")), 400, "validation_error"),
        (with("chain", json!("base")), 400, "validation_error"),
        (with("assets", json!("0")), 404, "not_found"),
        (with("account", json!("0")), 404, "not_found"),
        (with("amount", json!(1000)), 422, "insufficient_balance"),
    ] {
        let answer = call(&sandbox, "POST", path, &owner(&sandbox), body.clone()).await.expect(status);
        assert_eq!(answer["error"], error, "{body}");
    }
    let older = json!({
        "from_asset_id": asset["asset_id"], "to_address": "7fUAJd", "amount": "1.5", "chain": "solana",
        "ticker": "USDC_SOL", "priority": "medium", "idempotency_key": "1700000000000-abcdefghi",
    });
    let sent = call(&sandbox, "POST", path, &owner(&sandbox), older.clone()).await.expect(200);
    assert_eq!(sent["transaction"]["tx_hash"], sent["data"]["transaction_hash"]);
    assert_eq!(call(&sandbox, "POST", path, &owner(&sandbox), older).await.expect(200), sent);
    assert_eq!(balance(&sandbox, &asset).await, "998.499999876543211");
}

#[tokio::test]
async fn scopes_are_checked_in_every_vocabulary() {
    let sandbox = sandbox().await;
    let (_, asset) = wallet(&sandbox).await;
    let send_funds = ("POST", "/transactions/send-funds", transfer(&asset, 1));
    let create = ("POST", "/accounts/create-account", json!({"account_name": "x"}));
    let read = ("POST", "/transactions/get-transactions", json!({}));
    let hook = ("POST", "/webhook/create-webhook", json!({"url": "https://example.com/hook"}));
    for (scopes, allowed) in [
        (json!(["read"]), [false, false, true, false]),
        (json!(["write"]), [false, true, false, false]),
        (json!(["transactions"]), [true, false, false, false]),
        (json!(["webhooks"]), [false, false, false, true]),
        (json!(["transactions:write", "accounts:write"]), [true, true, false, false]),
        (json!(["transactions:read", "webhooks:manage"]), [false, false, true, true]),
    ] {
        let key = generate(&sandbox, "scoped", scopes.clone()).await;
        for ((method, path, body), allowed) in [&send_funds, &create, &read, &hook].into_iter().zip(allowed) {
            let answer = call(&sandbox, method, path, &key_headers(&key), body.clone()).await;
            assert_eq!(answer.status, if allowed { 200 } else { 403 }, "{scopes} {path}");
        }
    }
}

#[tokio::test]
async fn webhooks_are_kept() {
    let sandbox = sandbox().await;
    let headers = owner(&sandbox);
    let body = json!({"url": "https://example.com/hook"});
    let created = call(&sandbox, "POST", "/webhook/create-webhook", &headers, body).await.expect(200)["data"].take();
    assert_eq!(created["events"], json!(["*"]));
    assert!(created["secret"].as_str().unwrap().starts_with("whsec_"));
    let listed = call(&sandbox, "GET", "/webhook/get-webhooks", &headers, Value::Null).await.expect(200);
    assert_eq!(listed["data"][0]["webhook_id"], created["webhook_id"]);
    assert!(listed["data"][0].get("secret").is_none());
    let path = format!("/webhook/{}", created["webhook_id"].as_str().unwrap());
    let shown = call(&sandbox, "GET", &path, &headers, Value::Null).await.expect(200);
    assert_eq!(shown["data"]["secret"], created["secret"]);
    call(&sandbox, "DELETE", &path, &headers, Value::Null).await.expect(200);
    call(&sandbox, "GET", &path, &headers, Value::Null).await.expect(404);
    let wrong = json!({"url": "not a url"});
    call(&sandbox, "POST", "/webhook/create-webhook", &headers, wrong).await.expect(400);
}

#[tokio::test]
async fn an_unknown_route_is_not_found() {
    let sandbox = sandbox().await;
    for (method, path) in [("GET", "/nothing"), ("GET", "/auth/token"), ("GET", "/apikey/a/b"), ("DELETE", "/apikey/")]
    {
        let answer = call(&sandbox, method, path, &owner(&sandbox), Value::Null).await.expect(404);
        assert_eq!(answer["error"], "not_found", "{path}");
    }
}

#[tokio::test]
async fn owners_do_not_see_each_other() {
    let yativo = vec![YativoAccount::default(), YativoAccount::default()];
    let sandbox = Sandbox::start(Accounts { yativo, ..Accounts::default() }).await.unwrap();
    let key = generate(&sandbox, "first", json!(["read"])).await;
    let id = id_of(&sandbox, &key).await;
    let token = exchange(&sandbox, &key).await.expect(200)["access_token"].take();
    let other = &sandbox.accounts().yativo[1];
    let other = key_headers(&json!({"api_key": other.api_key, "api_secret": other.api_secret}));
    call(&sandbox, "POST", &format!("/apikey/{id}/rotate"), &other, Value::Null).await.expect(404);
    call(&sandbox, "DELETE", &format!("/apikey/{id}"), &other, Value::Null).await.expect(404);
    call(&sandbox, "GET", ACCOUNTS, &bearer(&token), Value::Null).await.expect(200);
    let (_, asset) = wallet(&sandbox).await;
    let stolen = call(&sandbox, "POST", "/transactions/send-funds", &other, transfer(&asset, 1)).await;
    assert_eq!(stolen.expect(404)["error"], "not_found");
}
