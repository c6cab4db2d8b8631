//! No secret reaches the page, whatever is called and however wrong.

use serde_json::{Value, json};
use venuekit_sandbox::{Sandbox, example_requests};

use crate::client::{Console, call, sandbox};
use crate::common::{Bayse, now_millis, send};
use crate::deribit::{Caller, get, post};

/// Everything in the accounts that is a secret.
fn secrets(sandbox: &Sandbox) -> Vec<String> {
    let accounts = sandbox.accounts();
    let mut all = Vec::new();
    for key in &accounts.kalshi {
        all.extend(key.private_key_pem.clone());
    }
    for one in &accounts.bayse {
        all.extend([one.password.clone(), one.auth_token.clone(), one.secret_key.clone()]);
    }
    for one in &accounts.yativo {
        all.push(one.api_secret.clone());
        all.extend(one.access_token.clone());
    }
    for key in &accounts.deribit {
        all.extend(key.client_secret.clone());
        all.extend(key.private_key_pem.clone());
    }
    for key in &accounts.binance {
        all.extend(key.api_secret.clone());
        all.extend(key.private_key_pem.clone());
    }
    for key in &accounts.bybit {
        all.extend(key.api_secret.clone());
        all.extend(key.private_key_pem.clone());
    }
    all
}

/// All that the console says.
async fn everything(console: &Console) -> String {
    let mut text = String::new();
    for path in ["api/log", "api/state", "api/venues"] {
        text.push_str(&console.get(path).await.to_string());
    }
    for venue in ["kalshi", "bayse", "binance", "bybit"] {
        text.push_str(&console.get(&format!("api/examples/{venue}")).await.to_string());
    }
    let log = console.get("api/log").await;
    for entry in log["entries"].as_array().unwrap() {
        text.push_str(&console.get(&format!("api/log/{}", entry["id"])).await.to_string());
    }
    text
}

#[track_caller]
fn assert_hidden(text: &str, secrets: &[String]) {
    for secret in secrets {
        let written = serde_json::to_string(secret).unwrap();
        for form in [secret.as_str(), written.trim_matches('"')] {
            assert!(!text.contains(form), "a secret is shown: {}...", &form[..4]);
        }
    }
}

#[tokio::test]
async fn secrets_that_are_sent_and_received_are_hidden() {
    let sandbox = sandbox().await;
    let console = Console::of(&sandbox);
    let mut secrets = secrets(&sandbox);
    let accounts = sandbox.accounts().clone();
    let (bayse, deribit, yativo) = (&accounts.bayse[0], &accounts.deribit[0], &accounts.yativo[0]);

    let login = json!({"email": bayse.email, "password": bayse.password}).to_string();
    let session = send(&sandbox, "POST", "/v1/user/login", &[], &login).await.expect(200);
    secrets.push(session["token"].as_str().unwrap().to_owned());
    let made = crate::common::session(&sandbox, "POST", "/v1/user/me/api-keys", r#"{"name":"one"}"#).await.expect(200);
    secrets.push(made["secretKey"].as_str().unwrap().to_owned());

    let secret = deribit.client_secret.clone().unwrap();
    let credentials =
        json!({"grant_type": "client_credentials", "client_id": deribit.client_id, "client_secret": secret});
    let tokens = post(&sandbox, "public/auth", credentials, None).await.expect(200);
    for name in ["access_token", "refresh_token"] {
        secrets.push(tokens["result"][name].as_str().unwrap().to_owned());
    }
    let query = format!("grant_type=client_credentials&client_id={}&client_secret={secret}", deribit.client_id);
    get(&sandbox, &format!("/api/v2/public/auth?{query}"), None).await.expect(200);
    let key = Caller::given(&sandbox, 0)
        .result("private/create_api_key", json!({"max_scope": "account:read", "name": "k"}))
        .await;
    secrets.push(key["client_secret"].as_str().unwrap().to_owned());

    let exchange = json!({"api_key": yativo.api_key, "api_secret": yativo.api_secret}).to_string();
    let token = send(&sandbox, "POST", "/api/v1/auth/token", &[], &exchange).await.expect(200);
    secrets.push(token["access_token"].as_str().unwrap().to_owned());

    // A secret in a place where none belongs.
    send(&sandbox, "GET", &format!("/v1/pm/events?keyword={}", bayse.secret_key), &[], "").await;
    send(&sandbox, "GET", "/v1/pm/portfolio", &[("x-public-key", bayse.secret_key.clone())], "").await;
    send(&sandbox, "GET", "/v1/pm/portfolio", &[("authorization", format!("Bearer {}", bayse.auth_token))], "").await;

    // A refused signature over a body with a secret in it.
    let body =
        json!({"jsonrpc": "2.0", "id": 1, "method": "private/edit_api_key", "params": {"client_secret": secret}})
            .to_string();
    let header = format!("deri-hmac-sha256 id={},ts={},nonce=n,sig=00", deribit.client_id, now_millis());
    send(&sandbox, "POST", "/api/v2/private/edit_api_key", &[("authorization", header)], &body).await.expect(401);

    // Secrets of elsewhere, which the sandbox knows by their names alone.
    let foreign = ["sk_live_of_another_place", "secret-of-another-place", "token-of-another-place"].map(str::to_owned);
    let wrong = Bayse { sandbox: &sandbox, public_key: "pk_live_other".to_owned(), secret_key: foreign[0].clone() };
    wrong.write("POST", "/v1/pm/orders/batch", &json!({"secretKey": foreign[0]}).to_string(), &[]).await.expect(401);
    let headers = [("x-api-key", "other".to_owned()), ("x-api-secret", foreign[1].clone())];
    send(&sandbox, "GET", "/api/v1/accounts/get-accounts", &headers, "").await.expect(401);
    get(&sandbox, &format!("/api/v2/public/auth?grant_type=refresh_token&refresh_token={}", foreign[2]), None).await;
    secrets.extend(foreign);

    console.entry(|entry| entry["credential"] == "other").await;
    assert_hidden(&everything(&console).await, &secrets);
}

#[tokio::test]
async fn no_operation_shows_a_secret() {
    let sandbox = sandbox().await;
    let console = Console::of(&sandbox);
    let secrets = secrets(&sandbox);
    for venue in ["bayse", "binance", "bybit", "deribit", "kalshi", "kalshi_perps", "yativo"] {
        for request in example_requests(venue, true) {
            let path: serde_json::Map<String, Value> =
                request.path.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
            let mut wanted = call(venue, &request.operation);
            if venue.starts_with("kalshi") {
                // The Ed25519 key, which signs faster.
                wanted["credential"] = 1.into();
            }
            wanted["path"] = path.into();
            wanted["body"] = request.body.map(|body| body.to_string()).into();
            let shown = console.post("api/call", wanted).await;
            assert_hidden(&shown.to_string(), &secrets);
            let body: Value = serde_json::from_str(shown["body"].as_str().unwrap_or_default()).unwrap_or_default();
            assert_no_secret_members(&request.operation, &body);
        }
    }
    assert_hidden(&everything(&console).await, &secrets);
}

#[tokio::test]
async fn secrets_in_bodies_that_are_not_json_are_hidden() {
    let sandbox = sandbox().await;
    let console = Console::of(&sandbox);
    let mut secrets = Vec::new();
    for (number, body) in [
        r#"{"email":"a@example.com","password":"SECRET",}"#,
        "email=a%40example.com&password=SECRET&remember=1",
        r#"{"private_key":"-----BEGIN PRIVATE KEY-----\nSECRET"#,
        r#"{"client_secret":["SECRET","SECRET-2"]}"#,
        r#"{"client_secret":["SECRET","SECRET-2"],}"#,
        r#"{"nested":{"api_secret":SECRET}}"#,
        r#"{api_secret: SECRET}"#,
        r#"{"secret":{"value":"SECRET"}}"#,
        r#"{"password":"SECRET"#,
    ]
    .into_iter()
    .enumerate()
    {
        let secret = format!("90{number}7351");
        send(&sandbox, "POST", "/v1/user/login", &[], &body.replace("SECRET", &secret)).await;
        let detail = console.last_detail().await;
        assert!(!detail.to_string().contains(&secret), "{body}: {}", detail["request"]);
        secrets.push(secret);
    }
    // As short as they may be.
    send(&sandbox, "POST", "/v1/user/login", &[], r#"{"email":"a@example.com","password":"q7x!","api_secret":4711}"#)
        .await;
    secrets.extend(["q7x!".to_owned(), "4711".to_owned()]);
    assert_eq!(
        console.last_detail().await["request"]["body"],
        r#"{"email":"a@example.com","password":"[hidden]","api_secret":"[hidden]"}"#
    );
    for secret in secrets {
        let log = console.get("api/log").await.to_string();
        assert!(!log.contains(&format!("\"{secret}")), "{secret} is shown in the list");
    }
}

/// What is called a secret is hidden.
fn assert_no_secret_members(operation: &str, value: &Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let is_secret = [
                    "secret_key",
                    "secretKey",
                    "client_secret",
                    "private_key",
                    "api_secret",
                    "access_token",
                    "password",
                    "secret",
                ];
                if let Some(text) =
                    member.as_str().filter(|text| is_secret.contains(&name.as_str()) && !text.is_empty())
                {
                    assert_eq!(text, "[hidden]", "{operation}: {name}");
                }
                assert_no_secret_members(operation, member);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| assert_no_secret_members(operation, item)),
        _ => {}
    }
}
