//! A refused signature is explained: which part is wrong, on every venue.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rsa::signature::Signer as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha512};
use venuekit_sandbox::Sandbox;

use crate::client::{Console, sandbox};
use crate::common::{Bayse, Kalshi, Signature, now_millis, send};
use crate::deribit::{Caller, hmac_hex, nonce, post};

/// The parts that the last request got wrong, and the first message.
async fn found(sandbox: &Sandbox) -> (Vec<String>, String) {
    let detail = Console::of(sandbox).last_detail().await;
    let mistakes = detail["mistakes"].as_array().unwrap();
    let parts = mistakes.iter().map(|one| one["part"].as_str().unwrap().to_owned()).collect();
    let message = mistakes.first().map(|one| one["message"].as_str().unwrap().to_owned()).unwrap_or_default();
    (parts, message)
}

fn hmac(secret: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

const PATH: &str = "/trade-api/v2/portfolio/orders";

#[tokio::test]
async fn each_mistake_of_a_kalshi_signature_is_named() {
    let sandbox = sandbox().await;
    let (rsa, ed25519) = (Kalshi::given(&sandbox, 0), Kalshi::given(&sandbox, 1));
    let other = Kalshi::given(&sandbox, 2);
    let now = now_millis();
    // The venue's clock stands still: what is signed here takes longer to explain than it may be old.
    let hold = || sandbox.clock().set_offset_millis(now - now_millis());
    let cases: Vec<(&str, &str, String)> = vec![
        ("path", "the query was signed", format!("{now}GET{PATH}?limit=5")),
        ("path", "without its prefix", format!("{now}GET/portfolio/orders")),
        ("path", "without the first part of its prefix", format!("{now}GET/v2/portfolio/orders")),
        ("path", "with a slash at its end", format!("{now}GET{PATH}/")),
        ("path", "scheme and host", format!("{now}GET{}{PATH}", sandbox.base_url())),
        ("timestamp", "seconds were signed", format!("{}GET{PATH}", now / 1000)),
        ("timestamp", "another timestamp", format!("{}GET{PATH}", now - 3)),
        ("method", "lower case", format!("{now}get{PATH}")),
        ("method", "another method", format!("{now}POST{PATH}")),
        ("separator", "line feeds", format!("{now}\nGET\n{PATH}")),
        ("order", "changed places", format!("GET{now}{PATH}")),
        ("body", "the body was signed as well", format!("{now}GET{PATH}{{}}")),
    ];
    for (part, message, text) in cases {
        for (key, signature) in [(&rsa, Signature::Pss { salt: 32 }), (&ed25519, Signature::Ed25519)] {
            let headers = headers(&key.key_id, now, key.sign(&signature, &text));
            hold();
            send(&sandbox, "GET", &format!("{PATH}?limit=5"), &headers, "").await.expect(401);
            let (parts, said) = found(&sandbox).await;
            assert_eq!(parts, [part], "{text}: {said}");
            assert!(said.contains(message), "{text}: {said}");
        }
    }
    let text = format!("{now}GET{PATH}");
    let hex = hex::encode(STANDARD.decode(rsa.sign(&Signature::Pss { salt: 32 }, &text)).unwrap());
    for (part, message, signature) in [
        ("algorithm", "PKCS#1 v1.5 was used", rsa.sign(&Signature::Pkcs1v15, &text)),
        ("algorithm", "the salt has 20 bytes", rsa.sign(&Signature::Pss { salt: 20 }, &text)),
        ("algorithm", "the salt has 0 bytes", rsa.sign(&Signature::Pss { salt: 0 }, &text)),
        ("encoding", "hex", hex),
        ("encoding", "is not base64", "&&&".to_owned()),
    ] {
        hold();
        send(&sandbox, "GET", PATH, &headers(&rsa.key_id, now, signature), "").await.expect(401);
        let (parts, said) = found(&sandbox).await;
        assert_eq!(parts, [part], "{said}");
        assert!(said.contains(message), "{said}");
    }
    let foreign = other.sign(&Signature::Ed25519, &text);
    hold();
    send(&sandbox, "GET", PATH, &headers(&ed25519.key_id, now, foreign), "").await.expect(401);
    let (parts, said) = found(&sandbox).await;
    assert_eq!(parts, ["key"]);
    assert!(said.contains(&other.key_id), "{said}");
    // Two mistakes at once.
    let both = ed25519.sign(&Signature::Ed25519, &format!("{now}get{PATH}?limit=5"));
    hold();
    send(&sandbox, "GET", &format!("{PATH}?limit=5"), &headers(&ed25519.key_id, now, both), "").await.expect(401);
    assert_eq!(found(&sandbox).await.0, ["method", "path"]);
}

fn headers(key_id: &str, timestamp: i64, signature: String) -> [(&'static str, String); 3] {
    [
        ("KALSHI-ACCESS-KEY", key_id.to_owned()),
        ("KALSHI-ACCESS-TIMESTAMP", timestamp.to_string()),
        ("KALSHI-ACCESS-SIGNATURE", signature),
    ]
}

#[tokio::test]
async fn what_else_is_wrong_with_a_kalshi_request_is_named() {
    let sandbox = sandbox().await;
    let key = Kalshi::given(&sandbox, 1);
    let late = now_millis() - 45_000;
    let signature = key.sign(&Signature::Ed25519, &format!("{late}GET{PATH}"));
    send(&sandbox, "GET", PATH, &headers(&key.key_id, late, signature), "").await.expect(401);
    let (parts, said) = found(&sandbox).await;
    assert_eq!(parts, ["timestamp"]);
    let behind = said.split_once(" s behind").and_then(|(before, _)| before.rsplit(' ').next()?.parse::<u64>().ok());
    assert!(behind.is_some_and(|seconds| (45..90).contains(&seconds)), "{said}");
    let now = now_millis();
    send(&sandbox, "GET", PATH, &headers("no-such-key", now, "c2ln".to_owned()), "").await.expect(401);
    assert_eq!(found(&sandbox).await.0, ["key"]);
    send(&sandbox, "GET", PATH, &[], "").await.expect(401);
    assert_eq!(found(&sandbox).await.0, ["header", "header", "header"]);
    // Nothing explains it: the key is named wrong, or the text is unknown.
    let signature = Kalshi::given(&sandbox, 0).sign(&Signature::Pss { salt: 32 }, "something else");
    send(&sandbox, "GET", PATH, &headers(&Kalshi::given(&sandbox, 0).key_id, now, signature), "").await.expect(401);
    let (parts, said) = found(&sandbox).await;
    assert_eq!((parts, said.as_str()), (vec!["text".to_owned()], "the key is right, and another text was signed"));
}

#[tokio::test]
async fn the_expected_text_and_the_signed_one_are_shown() {
    let sandbox = sandbox().await;
    let key = Kalshi::given(&sandbox, 1);
    let now = now_millis();
    let signature = key.sign(&Signature::Ed25519, &format!("{now}GET{PATH}?limit=5"));
    send(&sandbox, "GET", &format!("{PATH}?limit=5"), &headers(&key.key_id, now, signature), "").await.expect(401);
    let detail = Console::of(&sandbox).last_detail().await;
    let report = &detail["signature"];
    assert_eq!(report["valid"], false);
    assert_eq!(report["expected_text"], format!("{now}GET{PATH}"));
    assert_eq!(report["signed_text"], format!("{now}GET{PATH}?limit=5"));
    let path = report["parts"].as_array().unwrap().iter().find(|part| part["name"] == "path").unwrap();
    assert_eq!(path, &json!({"name": "path", "expected": PATH, "signed": format!("{PATH}?limit=5")}));
    // A valid one is shown with its text, too.
    key.call("GET", &format!("{PATH}?limit=5"), "").await.expect(200);
    let detail = Console::of(&sandbox).last_detail().await;
    assert_eq!((&detail["signature"]["valid"], &detail["mistakes"]), (&json!(true), &json!([])));
}

#[tokio::test]
async fn each_mistake_of_a_bayse_signature_is_named() {
    let sandbox = sandbox().await;
    let caller = Bayse::given(&sandbox);
    let path = "/v1/pm/orders/batch";
    let body = r#"{"orders":[{"id":1}]}"#;
    let now = now_millis() / 1000;
    let hash = |text: &str| hex::encode(Sha256::digest(text));
    let right = hash(body);
    let secret = caller.secret_key.as_bytes();
    let sign = |text: String| STANDARD.encode(hmac(secret, &text));
    let text = format!("{now}.POST.{path}.{right}");
    for (part, signature) in [
        ("timestamp", sign(format!("{now}000.POST.{path}.{right}"))),
        ("timestamp", sign(format!("{}.POST.{path}.{right}", now + 1))),
        ("method", sign(format!("{now}.post.{path}.{right}"))),
        ("path", sign(format!("{now}.POST./pm/orders/batch.{right}"))),
        ("path", sign(format!("{now}.POST.{}{path}.{right}", sandbox.base_url()))),
        ("body hash", sign(format!("{now}.POST.{path}.{body}"))),
        ("body hash", sign(format!("{now}.POST.{path}.{}", right.to_uppercase()))),
        ("body hash", sign(format!("{now}.POST.{path}.{}", STANDARD.encode(Sha256::digest(body))))),
        ("body hash", sign(format!("{now}.POST.{path}.{}", hex::encode(Sha512::digest(body))))),
        ("body hash", sign(format!("{now}.POST.{path}.{}", hash(r#"{"orders": [{"id": 1}]}"#)))),
        ("body hash", sign(format!("{now}.POST.{path}.{}", hash(&format!("{body}\n"))))),
        ("body hash", sign(format!("{now}.POST.{path}."))),
        ("separator", sign(format!("{now}POST{path}{right}"))),
        ("end", sign(format!("{text}\n"))),
        ("encoding", hex::encode(hmac(secret, &text))),
        ("encoding", URL_SAFE_NO_PAD.encode(hmac(secret, &text))),
        ("encoding", STANDARD.encode(hex::encode(hmac(secret, &text)))),
        ("key", STANDARD.encode(hmac(caller.public_key.as_bytes(), &text))),
        ("key", STANDARD.encode(hmac(&secret["sk_live_".len()..], &text))),
        ("key", STANDARD.encode(hmac(format!("{}\n", caller.secret_key).as_bytes(), &text))),
        ("algorithm", STANDARD.encode(Sha256::digest([secret, text.as_bytes()].concat()))),
        ("algorithm", STANDARD.encode([0; 64])),
    ] {
        let headers =
            [("X-Public-Key", caller.public_key.clone()), ("X-Timestamp", now.to_string()), ("X-Signature", signature)];
        send(&sandbox, "POST", path, &headers, body).await.expect(401);
        let (parts, said) = found(&sandbox).await;
        assert_eq!(parts, [part], "{said}");
    }
    let headers =
        [("X-Public-Key", "pk_live_unknown".to_owned()), ("X-Timestamp", now.to_string()), ("X-Signature", sign(text))];
    send(&sandbox, "POST", path, &headers, body).await.expect(401);
    assert_eq!(found(&sandbox).await.0, ["key"]);
}

#[tokio::test]
async fn each_mistake_of_a_deribit_signature_is_named() {
    let sandbox = sandbox().await;
    let caller = Caller::given(&sandbox, 0);
    let uri = "/api/v2/private/get_positions";
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "private/get_positions", "params": {"currency": "BTC"}})
        .to_string();
    let now = now_millis();
    let text = format!("{now}\nNONCE\nPOST\n{uri}\n{body}\n");
    let right = hmac_hex(&caller.secret, &text);
    for (part, signature) in [
        ("timestamp", hmac_hex(&caller.secret, &text.replace(&now.to_string(), &(now / 1000).to_string()))),
        ("nonce", hmac_hex(&caller.secret, &text.replace("NONCE", ""))),
        ("method", hmac_hex(&caller.secret, &text.replace("POST", "GET"))),
        ("path", hmac_hex(&caller.secret, &text.replace(uri, "/private/get_positions"))),
        ("body", hmac_hex(&caller.secret, &format!("{now}\nNONCE\nPOST\n{uri}\n\n"))),
        (
            "body",
            hmac_hex(
                &caller.secret,
                &text.replace(
                    &body,
                    &serde_json::to_string_pretty(&serde_json::from_str::<Value>(&body).unwrap()).unwrap(),
                ),
            ),
        ),
        ("end", hmac_hex(&caller.secret, text.trim_end())),
        ("encoding", right.to_uppercase()),
        ("encoding", STANDARD.encode(hex::decode(&right).unwrap())),
        ("key", hmac_hex(&caller.id, &text)),
    ] {
        let header = format!("deri-hmac-sha256 id={},ts={now},nonce=NONCE,sig={signature}", caller.id);
        send(&sandbox, "POST", uri, &[("authorization", header)], &body).await.expect(401);
        let (parts, said) = found(&sandbox).await;
        assert_eq!(parts, [part], "{said}");
    }
    // The query belongs to the text.
    let target = "/api/v2/private/get_positions?currency=BTC";
    let signature = hmac_hex(&caller.secret, &format!("{now}\nNONCE\nGET\n{uri}\n\n"));
    let header = format!("deri-hmac-sha256 id={},ts={now},nonce=NONCE,sig={signature}", caller.id);
    send(&sandbox, "GET", target, &[("authorization", header)], "").await.expect(401);
    let (parts, said) = found(&sandbox).await;
    assert_eq!(parts, ["path"]);
    assert!(said.contains("the query was left out"), "{said}");
}

#[tokio::test]
async fn each_mistake_of_a_deribit_login_is_named() {
    let sandbox = sandbox().await;
    let caller = Caller::given(&sandbox, 0);
    let now = now_millis();
    let login = |signature: String, nonce: &str| {
        json!({"grant_type": "client_signature", "client_id": caller.id, "timestamp": now, "nonce": nonce, "data": "",
            "signature": signature})
    };
    for (part, signature) in [
        ("nonce", hmac_hex(&caller.secret, &format!("{now}\n\n"))),
        ("timestamp", hmac_hex(&caller.secret, &format!("{}\nNONCE\n", now / 1000))),
        ("end", hmac_hex(&caller.secret, &format!("{now}\nNONCE\n\n"))),
    ] {
        post(&sandbox, "public/auth", login(signature, "NONCE"), None).await;
        let (parts, said) = found(&sandbox).await;
        assert_eq!(parts, [part], "{said}");
    }
    let pair = &sandbox.accounts().deribit[1];
    let key = SigningKey::from_pkcs8_pem(pair.private_key_pem.as_deref().unwrap()).unwrap();
    let once = nonce();
    let signed = |text: &str| key.sign(text.as_bytes()).to_bytes();
    let mut params = login(STANDARD.encode(signed(&format!("{now}\n{once}\n"))), &once);
    params["client_id"] = pair.client_id.as_str().into();
    post(&sandbox, "public/auth", params.clone(), None).await;
    assert_eq!(found(&sandbox).await.0, ["encoding"]);
    params["signature"] = URL_SAFE_NO_PAD.encode(signed(&format!("{now}\n{once}\n"))).into();
    post(&sandbox, "public/auth", params, None).await.expect(200);
    let secret = json!({"grant_type": "client_credentials", "client_id": caller.id, "client_secret": "wrong"});
    post(&sandbox, "public/auth", secret, None).await;
    assert_eq!(found(&sandbox).await, (vec!["secret".to_owned()], "the client secret is wrong".to_owned()));
}

#[tokio::test]
async fn what_is_wrong_with_tokens_and_secrets_is_named() {
    let sandbox = sandbox().await;
    let account = sandbox.accounts().yativo[0].clone();
    let path = "/api/v1/accounts/get-accounts";
    let cases: Vec<(&str, Vec<(&'static str, String)>)> = vec![
        ("secret", vec![("x-api-key", account.api_key.clone()), ("x-api-secret", "wrong".to_owned())]),
        ("key", vec![("x-api-key", "unknown".to_owned()), ("x-api-secret", "wrong".to_owned())]),
        ("token", vec![("authorization", "Bearer no-such-token".to_owned())]),
        ("header", vec![("authorization", "no-scheme".to_owned())]),
        ("header", vec![]),
    ];
    for (part, headers) in cases {
        send(&sandbox, "GET", path, &headers, "").await.expect(401);
        assert_eq!(found(&sandbox).await.0, [part]);
    }
    let token = "first.no-such-token".to_owned();
    crate::deribit::get(&sandbox, "/api/v2/private/get_positions?currency=BTC", Some(format!("Bearer {token}")))
        .await
        .expect(401);
    assert_eq!(found(&sandbox).await.0, ["token"]);
    let headers =
        [("x-auth-token", sandbox.accounts().bayse[0].auth_token.clone()), ("x-device-id", "d_other".to_owned())];
    send(&sandbox, "GET", "/v1/user/me/api-keys", &headers, "").await.expect(401);
    assert_eq!(found(&sandbox).await.0, ["device"]);
}

#[tokio::test]
async fn each_mistake_of_a_bybit_signature_is_named() {
    let sandbox = sandbox().await;
    let key = &sandbox.accounts().bybit[0];
    let (name, secret) = (&key.api_key, key.api_secret.as_deref().unwrap());
    // A window that is longer than all of this takes.
    let (now, query) = (now_millis(), "category=linear&symbol=BTC%55SDT");
    let path = format!("/v5/order/realtime?{query}");
    let ask = async |timestamp: i64, signature: String| {
        let headers = [
            ("X-BAPI-API-KEY", name.clone()),
            ("X-BAPI-TIMESTAMP", timestamp.to_string()),
            ("X-BAPI-RECV-WINDOW", "60000".to_owned()),
            ("X-BAPI-SIGN", signature),
        ];
        let answer = send(&sandbox, "GET", &path, &headers, "").await.expect(200);
        (answer["retCode"].as_i64().unwrap(), found(&sandbox).await)
    };
    for (part, message, text) in [
        ("query", "the query was left out", format!("{now}{name}60000")),
        ("query", "percent-encoded", format!("{now}{name}60000category=linear&symbol=BTCUSDT")),
        ("query", "question mark", format!("{now}{name}60000?{query}")),
        ("window", "left empty", format!("{now}{name}{query}")),
        ("key", "left empty", format!("{now}60000{query}")),
        ("timestamp", "seconds were signed", format!("{}{name}60000{query}", now / 1000)),
    ] {
        let (code, (parts, said)) = ask(now, hmac_hex(secret, &text)).await;
        assert_eq!((code, parts), (10004, vec![part.to_owned()]), "{text}: {said}");
        assert!(said.contains(message), "{text}: {said}");
    }
    let right = format!("{now}{name}60000{query}");
    let (code, (parts, _)) = ask(now, STANDARD.encode(hmac(secret.as_bytes(), &right))).await;
    assert_eq!((code, parts), (10004, vec!["encoding".to_owned()]));
    let other = sandbox.accounts().bybit[2].api_secret.as_deref().unwrap();
    let (code, (parts, _)) = ask(now, hmac_hex(other, &right)).await;
    assert_eq!((code, parts), (10004, vec!["key".to_owned()]), "the secret of another key");
    // The secret of nobody: there is nothing to find, and that is said.
    let (code, (parts, said)) = ask(now, hmac_hex("a wrong secret", &right)).await;
    assert_eq!((code, parts), (10004, vec!["signature".to_owned()]));
    assert!(said.contains("no known mistake explains it"), "{said}");
    let late = now - 180_000;
    let (code, (parts, said)) = ask(late, hmac_hex(secret, &format!("{late}{name}60000{query}"))).await;
    assert_eq!((code, parts), (10002, vec!["timestamp".to_owned()]));
    assert!(said.contains("server_timestamp"), "{said}");
}
