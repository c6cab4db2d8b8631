//! Deribit: envelopes, credentials, keys, second factor.

mod common;
#[path = "common/deribit.rs"]
mod deribit;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use common::{now_millis, send};
use deribit::{Caller, get, hmac_hex, post, sandbox, two_accounts};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePublicKey as _};
use rsa::PrivateKey;
use rsa::pkcs8::LineEnding;
use rsa::signature::{SignatureEncoding as _, Signer as _};
use serde_json::{Value, json};

const SUMMARY: &str = "/api/v2/private/get_account_summary?currency=BTC";

#[tokio::test]
async fn an_answer_carries_the_envelope() {
    let sandbox = sandbox().await;
    let answer = post(&sandbox, "public/get_time", json!({}), None).await.expect(200);
    assert_eq!(answer["jsonrpc"], "2.0");
    assert_eq!(answer["id"], "a");
    assert_eq!(answer["testnet"], true);
    assert!(answer["result"].is_i64());
    assert_eq!(answer["usOut"].as_i64().unwrap() - answer["usIn"].as_i64().unwrap(), answer["usDiff"]);

    let plain = get(&sandbox, "/api/v2/public/test", None).await.expect(200);
    assert_eq!(plain["result"]["version"], "1.2.26");
    assert!(plain.get("id").is_none());
    let body = r#"{"jsonrpc":"2.0","id":8974,"method":"public/ticker","params":{"instrument_name":"ETH-PERPETUAL"}}"#;
    let with_body = send(&sandbox, "GET", "/api/v2/public/ticker", &[], body).await.expect(200);
    assert_eq!(with_body["result"]["instrument_name"], "ETH-PERPETUAL");
    assert_eq!(with_body["id"], 8974);
    let without_path = send(&sandbox, "POST", "/api/v2", &[], body).await.expect(200);
    assert_eq!(without_path["result"]["state"], "open");
}

#[tokio::test]
async fn a_wrong_envelope_is_refused() {
    let sandbox = sandbox().await;
    let big = format!(r#"{{"id":1,"method":"public/test","params":{{"x":"{}"}}}}"#, "x".repeat(33_000));
    let path = "/api/v2/public/test";
    for (body, status, code) in [
        (r#"{"params":{}}"#, 400, 11050),
        (r#"{"id":1,"method":"public/get_time"}"#, 400, 11050),
        (r#"{"id":1,"jsonrpc":"1.0","method":"public/test"}"#, 400, 11050),
        (r#"{"id":{},"method":"public/test"}"#, 400, 11050),
        (r#"[{"id":1,"method":"public/test"}]"#, 400, 11050),
        (r#"{"id":1,"method":"public/test""#, 400, -32700),
        (r#"{"id":1,"method":"public/test","params":["exception"]}"#, 400, -32602),
        (big.as_str(), 413, -32600),
        (r#"{"id":1,"method":"public/test","params":{"expected_result":"exception"}}"#, 500, 11094),
    ] {
        let answer = send(&sandbox, "POST", path, &[], body).await.expect(status);
        assert_eq!(answer["error"]["code"], code, "{answer}");
        assert!(code != -32600 || answer.get("id").is_none());
    }
    let headers = [("content-type", "text/plain".to_owned())];
    let response = send(&sandbox, "POST", path, &headers, "").await.expect(400);
    assert_eq!(response["error"]["code"], 13018);
    for (method, status, code) in
        [("public/nothing", 404, -32601), ("public/hello", 400, 10030), ("public/auth", 400, -32000)]
    {
        let answer = post(&sandbox, method, json!({}), None).await.expect(status);
        assert_eq!(answer["error"]["code"], code, "{answer}");
        assert_eq!(answer["id"], "a");
    }
    let answer = post(&sandbox, "public/ticker", json!({"instrument": "X"}), None).await.expect(400);
    assert_eq!(answer["error"]["data"]["param"], "instrument_name");
    assert!(sandbox.executed().is_empty());
}

#[tokio::test]
async fn a_signed_request_is_let_in_once() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let now = now_millis();
    let header = caller.header(now, "n1", "GET", SUMMARY, "");
    assert_eq!(get(&sandbox, SUMMARY, Some(header.clone())).await.expect(200)["result"]["balance"], 10);
    let replayed = get(&sandbox, SUMMARY, Some(header)).await.expect(401);
    assert_eq!(replayed["error"]["code"], 13009);

    // The fields stand in any order, with or without blanks.
    let signature = hmac_hex(&caller.secret, &format!("{now}\nn2\nGET\n{SUMMARY}\n\n"));
    let header = format!("deri-hmac-sha256 id=first, ts={now}, sig={signature}, nonce=n2");
    get(&sandbox, SUMMARY, Some(header)).await.expect(200);

    for (timestamp, nonce, method, uri) in [
        (now - 61_000, "n3", "GET", SUMMARY),
        (now + 90_000, "n4", "GET", SUMMARY),
        (now, "n5", "POST", SUMMARY),
        (now, "n6", "GET", "/api/v2/private/get_account_summary"),
    ] {
        let header = caller.header(timestamp, nonce, method, uri, "");
        assert_eq!(get(&sandbox, SUMMARY, Some(header)).await.expect(401)["error"]["message"], "unauthorized");
    }
    let stranger = Caller { secret: "other".to_owned(), ..Caller::given(&sandbox, 0) };
    let header = stranger.header(now, "n7", "GET", SUMMARY, "");
    get(&sandbox, SUMMARY, Some(header)).await.expect(401);
    get(&sandbox, SUMMARY, None).await.expect(401);
    assert_eq!(sandbox.executed()["deribit POST /api/v2/private/get_account_summary"], 2);
}

#[tokio::test]
async fn basic_and_bearer_are_let_in() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let basic = |secret: &str| format!("Basic {}", STANDARD.encode(format!("first:{secret}")));
    get(&sandbox, SUMMARY, Some(basic(&caller.secret))).await.expect(200);
    assert_eq!(get(&sandbox, SUMMARY, Some(basic("wrong"))).await.expect(400)["error"]["code"], 13004);

    let params = json!({
        "grant_type": "client_credentials", "client_id": "first", "client_secret": caller.secret, "state": "s",
        "scope": "account:read trade:none session:bot",
    });
    let tokens = post(&sandbox, "public/auth", params, None).await.expect(200)["result"].take();
    assert_eq!(tokens["token_type"], "bearer");
    assert_eq!(tokens["state"], "s");
    assert!(tokens["sid"].is_string());
    let scope: Vec<_> = tokens["scope"].as_str().unwrap().split(' ').collect();
    assert!(scope.contains(&"account:read") && scope.contains(&"session:bot"), "{scope:?}");
    assert!(!scope.iter().any(|word| word.starts_with("trade:")), "{scope:?}");

    let bearer = |tokens: &Value| Some(format!("bearer {}", tokens["access_token"].as_str().unwrap()));
    get(&sandbox, SUMMARY, bearer(&tokens)).await.expect(200);
    let orders = get(&sandbox, "/api/v2/private/get_open_orders", bearer(&tokens)).await.expect(400);
    assert_eq!(orders["error"]["code"], 13021);

    let refresh = json!({"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]});
    let renewed = post(&sandbox, "public/auth", refresh.clone(), None).await.expect(200)["result"].take();
    assert_eq!((&renewed["sid"], &renewed["scope"]), (&tokens["sid"], &tokens["scope"]));
    get(&sandbox, SUMMARY, bearer(&tokens)).await.expect(401);
    get(&sandbox, SUMMARY, bearer(&renewed)).await.expect(200);
    assert_eq!(post(&sandbox, "public/auth", refresh, None).await.expect(400)["error"]["code"], 13004);

    let lifetime = renewed["expires_in"].as_i64().unwrap();
    sandbox.clock().set_offset_millis((lifetime + 1) * 1000);
    assert_eq!(get(&sandbox, SUMMARY, bearer(&renewed)).await.expect(401)["error"]["code"], 13009);
}

#[tokio::test]
async fn a_login_is_forked_and_exchanged() {
    let sandbox = two_accounts().await;
    let log_in = async |scope: &str| {
        let params = json!({
            "grant_type": "client_credentials", "client_id": "first", "client_secret": "secret-of-first", "scope": scope,
        });
        post(&sandbox, "public/auth", params, None).await.expect(200)["result"].take()
    };
    let balance = async |tokens: &Value| {
        let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
        get(&sandbox, SUMMARY, Some(bearer)).await.status
    };
    let (plain, session) = (log_in("").await, log_in("session:a trade:none").await);
    let fork = |tokens: &Value| json!({"refresh_token": tokens["refresh_token"], "session_name": "b"});
    let forked = post(&sandbox, "public/fork_token", fork(&session), None).await.expect(200)["result"].take();
    assert!(forked["scope"].as_str().unwrap().contains("session:b"), "{forked}");
    let mut words = forked["scope"].as_str().unwrap().split(' ');
    assert!(!words.any(|word| word.starts_with("trade:")), "{forked}");
    assert_eq!((balance(&session).await, balance(&forked).await), (200, 200));
    post(&sandbox, "public/fork_token", fork(&plain), None).await.expect(400);

    let exchange = |tokens: &Value, subject: i64, scope: &str| json!({"refresh_token": tokens["refresh_token"], "subject_id": subject, "scope": scope});
    post(&sandbox, "public/exchange_token", exchange(&plain, 11, ""), None).await.expect(400);
    let kept = exchange(&plain, 10, "session:c");
    post(&sandbox, "public/exchange_token", kept, None).await.expect(200);
    assert_eq!(balance(&plain).await, 200);
    let answer = post(&sandbox, "public/exchange_token", exchange(&plain, 10, "account:read"), None).await;
    let exchanged = answer.expect(200)["result"].take();
    assert_eq!((balance(&plain).await, balance(&exchanged).await), (401, 200));
}

#[tokio::test]
async fn a_login_is_signed_with_a_secret_or_a_key_pair() {
    let sandbox = sandbox().await;
    let secret = Caller::given(&sandbox, 0);
    let pair = &sandbox.accounts().deribit[1];
    let ed25519 = SigningKey::from_pkcs8_pem(pair.private_key_pem.as_ref().unwrap()).unwrap();
    let text = |timestamp: i64, nonce: &str| format!("{timestamp}\n{nonce}\n");
    let params = |id: &str, timestamp: i64, nonce: &str, signature: String| {
        json!({
            "grant_type": "client_signature", "client_id": id, "timestamp": timestamp, "nonce": nonce,
            "signature": signature, "data": "",
        })
    };
    let now = now_millis();
    let good = params(&secret.id, now, "a", hmac_hex(&secret.secret, &text(now, "a")));
    post(&sandbox, "public/auth", good.clone(), None).await.expect(200);
    post(&sandbox, "public/auth", good, None).await.expect(401);
    let signature = URL_SAFE_NO_PAD.encode(ed25519.sign(text(now, "b").as_bytes()).to_bytes());
    let good = params(&pair.client_id, now, "b", signature.clone());
    let token = post(&sandbox, "public/auth", good, None).await.expect(200)["result"]["access_token"].take();
    get(&sandbox, SUMMARY, Some(format!("Bearer {}", token.as_str().unwrap()))).await.expect(200);

    let old = now - 61_000;
    let signature_of_old = URL_SAFE_NO_PAD.encode(ed25519.sign(text(old, "c").as_bytes()).to_bytes());
    for (wrong, status) in [
        (params(&pair.client_id, old, "c", signature_of_old), 401),
        (params(&pair.client_id, now, "d", signature), 400),
        (params(&secret.id, now, "e", "00".repeat(32)), 400),
    ] {
        post(&sandbox, "public/auth", wrong, None).await.expect(status);
    }
    // An asymmetric key has no secret to log in with.
    let params = json!({"grant_type": "client_credentials", "client_id": pair.client_id, "client_secret": "x"});
    assert_eq!(post(&sandbox, "public/auth", params, None).await.expect(400)["error"]["code"], 13004);
}

#[tokio::test]
async fn an_rsa_key_can_be_registered_and_used() {
    let sandbox = sandbox().await;
    let caller = Caller::given(&sandbox, 0);
    let key = PrivateKey::new(&mut rand::rng(), 2048).unwrap();
    let pem = key.to_public_key().to_public_key_pem(LineEnding::LF).unwrap();
    let created = caller
        .result("private/create_api_key", json!({"max_scope": "account:read", "name": "rsa", "public_key": pem}))
        .await;
    assert_eq!(created["public_key"], pem.as_str());
    assert_eq!(created["client_secret"].as_str().unwrap().len(), 32, "an MD5 fingerprint");

    let now = now_millis();
    let signer = rsa::pkcs1v15::SigningKey::<sha2::Sha256>::new(key);
    let signature = URL_SAFE_NO_PAD.encode(signer.sign(format!("{now}\nn\n").as_bytes()).to_bytes());
    let params = json!({
        "grant_type": "client_signature", "client_id": created["client_id"], "timestamp": now, "nonce": "n",
        "signature": signature,
    });
    let tokens = post(&sandbox, "public/auth", params, None).await.expect(200)["result"].take();
    assert!(tokens["scope"].as_str().unwrap().contains("account:read"));
    let reset = caller.refused("private/reset_api_key", json!({"id": created["id"]})).await;
    assert_eq!(reset, (400, -32602));

    let small = PrivateKey::new(&mut rand::rng(), 1024).unwrap();
    let small = small.to_public_key().to_public_key_pem(LineEnding::LF).unwrap();
    for pem in [small.as_str(), "not a key"] {
        let params = json!({"max_scope": "account:read", "public_key": pem});
        assert_eq!(caller.refused("private/create_api_key", params).await, (400, -32602));
    }
}

/// The body of the founding page, as it is in the text.
#[tokio::test]
async fn the_documented_request_creates_a_key() {
    let sandbox = sandbox().await;
    let caller = Caller::given(&sandbox, 0);
    let body = json!({
        "jsonrpc": "2.0",
        "id": 8974,
        "method": "private/create_api_key",
        "params": {
            "name": "Public key 1",
            "max_scope": "account:read trade:read block_trade:read_write wallet:none",
            "public_key": "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAM7FWhKquNqLmTOV4hfYT5r3AjrYiORTT6Tn5HIfFNV8=\n-----END PUBLIC KEY-----",
        },
    })
    .to_string();
    let uri = "/api/v2/private/create_api_key";
    let header = caller.header(now_millis(), "n", "GET", uri, &body);
    let answer = send(&sandbox, "GET", uri, &[("authorization", header)], &body).await.expect(200);
    assert_eq!(answer["id"], 8974);
    assert_eq!(answer["result"]["name"], "Public key 1");
    assert_eq!(answer["result"]["max_scope"], "account:read block_trade:read_write trade:read wallet:none");
}

#[tokio::test]
async fn a_key_lives_and_dies() {
    let sandbox = sandbox().await;
    let owner = Caller::given(&sandbox, 0);
    let params = json!({"max_scope": ["account:read", "trade:read_write"], "name": "bot_1"});
    let created = owner.result("private/create_api_key", params).await;
    let id = json!({"id": created["id"]});
    assert_eq!(created["max_scope"], "account:read trade:read_write");
    assert_eq!((&created["enabled"], &created["default"]), (&json!(true), &json!(false)));

    let old = Caller::of(&sandbox, &created);
    old.result("private/get_account_summary", json!({"currency": "ETH"})).await;
    assert_eq!(old.refused("private/create_api_key", json!({"max_scope": "account:read"})).await, (400, 13021));
    let listed = owner.result("private/list_api_keys", json!({})).await;
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!(listed[1], created);
    let listed = old.result("private/list_api_keys", json!({})).await;
    assert!(listed.as_array().unwrap().iter().all(|key| key.get("client_secret").is_none()));

    let rotated = owner.result("private/reset_api_key", id.clone()).await;
    assert_eq!(rotated["client_id"], created["client_id"]);
    assert_ne!(rotated["client_secret"], created["client_secret"]);
    let summary = json!({"currency": "BTC"});
    assert_eq!(old.refused("private/get_account_summary", summary.clone()).await, (401, 13009));
    let new = Caller::of(&sandbox, &rotated);
    new.result("private/get_account_summary", summary.clone()).await;

    owner.result("private/disable_api_key", id.clone()).await;
    assert_eq!(new.refused("private/get_account_summary", summary.clone()).await, (401, 13009));
    assert_eq!(owner.result("private/enable_api_key", id.clone()).await["enabled"], true);
    let named = owner.result("private/change_api_key_name", json!({"id": created["id"], "name": "bot_2"})).await;
    assert_eq!(named["name"], "bot_2");
    let params = json!({"id": created["id"], "max_scope": "account:read"});
    assert_eq!(owner.result("private/change_scope_in_api_key", params).await["max_scope"], "account:read");
    assert_eq!(new.refused("private/get_open_orders", json!({})).await, (400, 13021));
    let params = json!({
        "id": created["id"], "ip_whitelist": ["127.0.0.1"], "enabled_features": ["restricted_block_trades"],
    });
    let edited = owner.result("private/edit_api_key", params).await;
    assert_eq!(edited["ip_whitelist"], json!(["127.0.0.1"]));
    assert_eq!(edited["max_scope"], "account:read");

    assert_eq!(owner.result("private/remove_api_key", id.clone()).await, "ok");
    assert_eq!(new.refused("private/get_account_summary", summary).await, (401, 13009));
    assert_eq!(owner.refused("private/remove_api_key", id).await, (400, 13020));
}

#[tokio::test]
async fn a_key_makes_no_stronger_key() {
    let sandbox = sandbox().await;
    let owner = Caller::given(&sandbox, 0);
    let weak = owner.result("private/create_api_key", json!({"max_scope": "account:read_write"})).await;
    let weak = Caller::of(&sandbox, &weak);
    assert_eq!(weak.refused("private/create_api_key", json!({"max_scope": "wallet:read"})).await, (400, 13403));
    let first = owner.result("private/list_api_keys", json!({})).await[0]["id"].take();
    assert_eq!(weak.refused("private/remove_api_key", json!({"id": first})).await, (400, 13403));

    for params in [
        json!({"max_scope": "account:all"}),
        json!({"max_scope": "account:read", "name": "seventeen_letters"}),
        json!({"max_scope": "account:read", "name": "no-dash"}),
        json!({"max_scope": "account:read", "enabled_features": ["flight"]}),
        json!({"name": "x"}),
    ] {
        assert_eq!(owner.refused("private/create_api_key", params).await, (400, -32602));
    }
    for _ in 0..6 {
        owner.result("private/create_api_key", json!({"max_scope": "account:read"})).await;
    }
    assert_eq!(owner.refused("private/create_api_key", json!({"max_scope": "account:read"})).await, (400, 11030));
}

#[tokio::test]
async fn a_security_key_is_asked_for() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 1);
    let method = "private/create_api_key";
    let params = json!({"max_scope": "account:read", "name": "bot"});
    let with = |challenge: &Value, code: Option<&str>| {
        let mut params = params.clone();
        params["challenge"] = challenge["challenge"].clone();
        if let Some(code) = code {
            params["authorization_data"] = json!(code);
        }
        params
    };
    let challenge = caller.result(method, params.clone()).await;
    assert_eq!(challenge["security_key_authorization_required"], true);
    assert_eq!(challenge["security_keys"], json!([{"type": "tfa", "name": "tfa"}]));
    assert!(sandbox.executed().is_empty(), "a challenge is no execution");

    let reason = async |params: Value| {
        let answer = caller.call(method, params).await.expect(400);
        assert_eq!(answer["error"]["code"], 13668);
        answer["error"]["data"]["reason"].as_str().unwrap().to_owned()
    };
    assert_eq!(reason(with(&challenge, None)).await, "tfa_code_is_required");
    assert_eq!(reason(with(&challenge, Some("999999"))).await, "tfa_code_not_matched");
    assert_eq!(reason(with(&challenge, Some("042137"))).await, "challenge_timeout", "a new one is needed");

    let challenge = caller.result(method, params.clone()).await;
    let mut other = with(&challenge, Some("042137"));
    other["name"] = json!("another");
    assert_eq!(reason(other).await, "challenge_timeout", "it belongs to one call");
    let created = caller.result(method, with(&challenge, Some("042137"))).await;
    assert_eq!(created["name"], "bot");
    assert_eq!(reason(with(&challenge, Some("042137"))).await, "used_tfa_code");
    assert_eq!(sandbox.executed()["deribit POST /api/v2/private/create_api_key"], 1);

    // Methods without the mark go through.
    caller.result("private/reset_api_key", json!({"id": created["id"]})).await;
    assert_eq!(caller.result("private/remove_api_key", json!({"id": created["id"]})).await, "ok");
}

#[tokio::test]
async fn too_many_wrong_codes_lock_the_security_key() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 1);
    for attempt in 0..6 {
        let challenge = caller.result("private/list_api_keys", json!({})).await["challenge"].take();
        let params = json!({"challenge": challenge, "authorization_data": "111111"});
        let answer = caller.call("private/list_api_keys", params).await.expect(400);
        let code = if attempt < 5 { 13668 } else { 12998 };
        assert_eq!(answer["error"]["code"], code, "{answer}");
        assert_eq!(answer["error"]["data"]["wait"].is_i64(), attempt == 5);
    }
}
