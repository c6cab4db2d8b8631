//! What goes wrong before, while and after a call is sent, and what the caller is told.

#[path = "common/canned.rs"]
mod canned;
#[path = "common/nowhere.rs"]
mod nowhere;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use canned::{Canned, Script, http};
use nowhere::Nowhere;
use venuekit::auth::{KeyKind, PrivateKey};
use venuekit::kalshi::types::{BookSide, SelfTradePreventionType, TimeInForce};
use venuekit::keys::{ApiKeys, NewKey};
use venuekit::transport::{RetryPolicy, Timeouts};
use venuekit::{Error, ErrorKind, bayse, deribit, kalshi, yativo};

fn key() -> kalshi::Credentials {
    kalshi::Credentials::new("key-id", PrivateKey::generate(KeyKind::Ed25519).unwrap()).unwrap()
}

fn client(url: &str) -> kalshi::Client {
    let builder = kalshi::Client::builder(kalshi::Environment::Custom(url.to_owned())).credentials(key());
    // One attempt: `tests/retries.rs` has the others.
    builder.retry(RetryPolicy::none()).build().unwrap()
}

async fn answering(answer: Vec<u8>) -> (Canned, kalshi::Client) {
    let script: Script = Arc::new(move |_| answer.clone());
    let server = Canned::start(script).await;
    let client = client(&server.base_url);
    (server, client)
}

fn json(status: u16, body: &str) -> Vec<u8> {
    http(status, "application/json", body.as_bytes())
}

async fn order(client: &kalshi::Client) -> Error {
    let order = client.create_order_v2().body_map(|order| {
        order
            .ticker("T")
            .side(BookSide::Bid)
            .count("1")
            .price("0.56")
            .time_in_force(TimeInForce::GoodTillCanceled)
            .self_trade_prevention_type(SelfTradePreventionType::TakerAtCross)
    });
    order.send().await.map(drop).expect_err("the order fails")
}

#[tokio::test]
async fn a_missing_credential_is_told_before_anything_is_sent() {
    let (server, _) = answering(json(200, "{}")).await;
    let anonymous = kalshi::Client::builder(kalshi::Environment::Custom(server.base_url.clone())).build().unwrap();
    let error = anonymous.get_balance().send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(error.to_string(), "get_balance: this operation needs the credential signature; the client has none");

    let environment = bayse::Environment::Custom(server.base_url.clone());
    let reader = bayse::Credentials::api_key("pk_live_1", "sk_live_1").unwrap();
    let bayse = bayse::Client::builder(environment).credentials(reader).build().unwrap();
    let error = bayse.keys().create(NewKey::named("bot")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "create_api_key: this operation needs the credential session; the client has read, write"
    );
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_path_id_that_would_reach_another_route_never_leaves() {
    let (server, client) = answering(json(200, "{}")).await;
    let (other, _) = answering(json(200, "{}")).await;
    let write = bayse::Credentials::api_key("pk", "sk").unwrap();
    let bayse = bayse::Client::builder(bayse::Environment::Custom(other.base_url.clone())).credentials(write);
    let bayse = bayse.build().unwrap();
    for id in ["..", ".", "", "a/b", "../orders", "a?b", "a%2fb", "a b"] {
        let error = client.delete_api_key().api_key(id).send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{id:?}");
        assert!(error.to_string().contains("api_key"), "{error}");
        assert!(client.get_market().ticker(id).send().await.is_err(), "{id:?}");
        assert!(bayse.cancel_order().order_id(id).send().await.is_err(), "{id:?}");
    }
    // `DELETE /v1/pm/orders/batch` is another operation.
    assert!(bayse.cancel_order().order_id("batch").send().await.is_err());
    assert!(server.seen().is_empty() && other.seen().is_empty());
}

#[test]
fn a_key_of_the_wrong_kind_says_what_it_is() {
    let pair = PrivateKey::generate(KeyKind::Ed25519).unwrap();
    let cases = [
        (pair.public_key_pem().to_owned(), "public key"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n".to_owned(), "OpenSSH"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned(), "certificate"),
        (pair.private_key_pem().expose()[..60].to_owned(), "cut"),
        (String::new(), "empty"),
    ];
    for (pem, what) in cases {
        let error = kalshi::Credentials::from_pem("key-id", &pem).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.to_string().to_lowercase().contains(&what.to_lowercase()), "{what}: {error}");
    }
    assert!(kalshi::Credentials::new("", pair).is_err());
    assert!(deribit::Credentials::secret("id", "").is_err());
    assert!(yativo::Credentials::token("two\nlines").is_err());
}

#[test]
fn a_base_url_that_is_none_is_refused() {
    for url in ["", "kalshi.com", "ftp://kalshi.com", "https://kalshi.com/?a=b", "https://kalshi.com/#x"] {
        let error = kalshi::Client::builder(kalshi::Environment::Custom(url.into())).build().unwrap_err();
        assert!(error.to_string().contains("base URL"), "{error}");
    }
}

#[tokio::test]
async fn a_trailing_slash_and_a_prefix_are_one_path() {
    let (server, _) = answering(json(200, r#"{"exchange_active":true,"trading_active":true}"#)).await;
    let client = client(&format!("{}/trade-api/v2/", server.base_url));
    client.get_exchange_status().send().await.unwrap();
    let head = &server.seen()[0].head;
    assert!(head.starts_with("GET /trade-api/v2/exchange/status HTTP/1.1"), "{head}");
    assert!(!head.to_lowercase().contains("api-version"), "{head}");
}

#[tokio::test]
async fn a_delete_carries_the_body_that_was_signed() {
    use venuekit::auth::{Parts, bayse::string_to_sign};
    let script: Script = Arc::new(|_| json(200, r#"{"results":[]}"#));
    let server = Canned::start(script).await;
    let credentials = bayse::Credentials::api_key("pk_live_1", "sk_live_1").unwrap();
    let environment = bayse::Environment::Custom(server.base_url.clone());
    let client = bayse::Client::builder(environment).credentials(credentials).build().unwrap();
    let call = client.batch_cancel_orders().idempotency_key("once").body_map(|b| b.order_ids(["a-1"]));
    call.send().await.unwrap();
    let seen = &server.seen()[0];
    assert_eq!(seen.body, br#"{"orderIds":["a-1"]}"#);
    assert!(seen.head.starts_with("DELETE /v1/pm/orders/batch HTTP/1.1"), "{}", seen.head);
    let header = |name: &str| {
        let found = seen.head.lines().find_map(|line| line.to_lowercase().strip_prefix(name).map(|_| line));
        found.unwrap_or_else(|| panic!("no {name} in {}", seen.head)).split_once(": ").unwrap().1.to_owned()
    };
    let seconds: i64 = header("x-timestamp").parse().unwrap();
    let text = string_to_sign(&Parts::new("DELETE", "/v1/pm/orders/batch", &seen.body), seconds * 1000);
    let mut mac = <hmac::Hmac<sha2::Sha256> as hmac::KeyInit>::new_from_slice(b"sk_live_1").unwrap();
    hmac::Mac::update(&mut mac, text.as_bytes());
    let expected =
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, hmac::Mac::finalize(mac).into_bytes());
    assert_eq!(header("x-signature"), expected);
    assert_eq!(header("idempotency-key"), "once");
}

#[tokio::test]
async fn a_key_id_that_is_none_is_refused_here() {
    let (server, _) = answering(json(200, "{}")).await;
    let credentials = deribit::Credentials::secret("AMANDA", "AMANDASECRECT").unwrap();
    let environment = deribit::Environment::Custom(server.base_url.clone());
    let client = deribit::Client::builder(environment).credentials(credentials).build().unwrap();
    let error = client.keys().revoke("AMANDA").await.unwrap_err();
    assert!(error.to_string().contains("invalid `id` \"AMANDA\": expected a whole number"), "{error}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let (target, _) = answering(json(200, r#"{"balance":1}"#)).await;
    let answer = format!(
        "HTTP/1.1 307 Elsewhere\r\nlocation: {}/portfolio/balance\r\ncontent-length: 0\r\n\r\n",
        target.base_url
    );
    let (server, client) = answering(answer.into_bytes()).await;
    let error = client.get_balance().send().await.unwrap_err();
    assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::Other, 307));
    assert_eq!((server.seen().len(), target.seen().len()), (1, 0));
}

#[tokio::test]
async fn no_connection_means_that_nothing_was_done() {
    let nowhere = Nowhere::new();
    let url = format!("http://{}", nowhere.address());
    let error = order(&client(&url)).await;
    assert_eq!(error.kind(), ErrorKind::Network, "{error}");
    assert!(!error.may_have_been_applied(), "{error}");
    assert!(error.is_retryable());
}

#[tokio::test]
async fn a_lost_answer_means_that_it_may_have_been_done() {
    let cut =
        b"HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{\"order_id\":".to_vec();
    for answer in [Vec::new(), cut] {
        let (server, client) = answering(answer).await;
        let error = order(&client).await;
        assert_eq!(error.kind(), ErrorKind::Network, "{error}");
        assert!(error.may_have_been_applied() && !error.is_retryable(), "{error}");
        assert_eq!(error.reconcile_with(), Some("get_orders"));
        assert!(error.to_string().contains("may have been executed"), "{error}");
        assert_eq!(server.seen().len(), 1, "a write is not repeated");
        assert!(!client.get_balance().send().await.unwrap_err().may_have_been_applied(), "a read changes nothing");
    }
}

#[tokio::test]
async fn an_answer_out_of_time_is_a_timeout() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let builder = kalshi::Client::builder(kalshi::Environment::Custom(url)).credentials(key());
    let timeouts = Timeouts { attempt: Duration::from_secs(2), ..Timeouts::default() };
    let client = builder.timeouts(timeouts).retry(RetryPolicy::none()).build().unwrap();
    let error = order(&client).await;
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(error.may_have_been_applied(), "{error}");
    let error = client.with_timeout(Duration::from_millis(50)).get_balance().send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    drop(listener);
}

#[tokio::test]
async fn an_answer_beyond_all_bounds_is_not_read() {
    let (server, _) = answering(json(200, &format!("{{\"balance\":\"{}\"}}", "x".repeat(5000)))).await;
    let builder = kalshi::Client::builder(kalshi::Environment::Custom(server.base_url.clone())).credentials(key());
    let error = builder.max_answer(1000).build().unwrap().get_balance().send().await.unwrap_err();
    assert!(error.to_string().contains("larger than 1000 bytes"), "{error}");
}

/// A server whose every response begins so and never ends, and how much of it was taken.
async fn endless(head: &'static str) -> (Canned, Arc<AtomicUsize>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let taken = Arc::new(AtomicUsize::new(0));
    let count = taken.clone();
    let server = Canned::serving(move |mut stream, _| {
        let count = count.clone();
        async move {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(head.as_bytes()).await;
            // More than the 64 MiB that an ordinary response may have.
            for _ in 0..2_000 {
                if stream.write_all(&[b'x'; 64 * 1024]).await.is_err() {
                    return;
                }
                count.fetch_add(64 * 1024, Ordering::SeqCst);
            }
        }
    });
    (server.await, taken)
}

#[tokio::test]
async fn of_an_error_no_more_is_read_than_it_takes_and_it_is_judged_by_that() {
    let (server, taken) = endless(
        "HTTP/1.1 400 Bad\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n\
         {\"error\":{\"code\":\"insufficient_balance\",\"message\":\"too little\",\"details\":\"",
    )
    .await;
    let error = order(&client(&server.base_url)).await;
    assert_eq!((error.kind(), error.code()), (ErrorKind::InsufficientFunds, Some("insufficient_balance")), "{error}");
    assert_eq!((error.message(), error.may_have_been_applied()), ("too little", false));
    assert_eq!(error.raw_body().map(<[u8]>::len), Some(64 * 1024));
    // What the sockets hold was written too.
    assert!(taken.load(Ordering::SeqCst) < 32 * 1024 * 1024, "{taken:?}");

    // The same in an envelope.
    let (server, _taken) = endless(
        "HTTP/1.1 400 Bad\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n\
         {\"jsonrpc\":\"2.0\",\"error\":{\"code\":10009,\"message\":\"not_enough_funds\",\"data\":{\"reason\":\"",
    )
    .await;
    let credentials = deribit::Credentials::secret("AMANDA", "AMANDASECRECT").unwrap();
    let environment = deribit::Environment::Custom(format!("{}/api/v2", server.base_url));
    let deribit = deribit::Client::builder(environment).credentials(credentials).build().unwrap();
    let error = deribit.cancel().body_map(|params| params.order_id("ETH-1")).send().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::InsufficientFunds, Some("10009")), "{error}");
    assert!(!error.may_have_been_applied(), "{error}");
}

#[tokio::test]
async fn a_sentence_without_end_is_cut_and_the_secret_in_it_is_not_seen() {
    // The secret lies where the sentence is cut.
    let sentence = format!("{}s3cr3t-pass{}", "ä".repeat(2_045), "x".repeat(500_000));
    for status in [400, 500] {
        let body = serde_json::json!({"error": "validation_error", "message": sentence}).to_string();
        let (server, _) = answering(json(status, &body)).await;
        let bayse = bayse::Client::builder(bayse::Environment::Custom(server.base_url.clone()));
        let bayse = bayse.retry(RetryPolicy::none()).build().unwrap();
        let call = bayse.login().body_map(|body| body.email("me@example.com").password("s3cr3t-pass"));
        let error = call.send().await.map(drop).unwrap_err();
        assert!(error.message().len() < 5_000 && error.message().starts_with('ä'), "{}", error.message().len());
        assert!(!error.to_string().contains("s3c"), "a part of the secret");
        assert_eq!(error.code(), Some("validation_error"));
    }
}

#[tokio::test]
async fn an_error_whose_body_breaks_off_is_judged_by_what_came() {
    let body = r#"{"error":{"code":"insufficient_balance","message":"too little","details":"#;
    let head =
        "HTTP/1.1 400 Bad\r\ncontent-type: application/json\r\ncontent-length: 5000\r\nconnection: close\r\n\r\n";
    let (server, client) = answering([head, body].concat().into_bytes()).await;
    let error = order(&client).await;
    assert_eq!((error.kind(), error.code()), (ErrorKind::InsufficientFunds, Some("insufficient_balance")), "{error}");
    assert!(!error.may_have_been_applied() && server.seen().len() == 1, "{error}");
    // A success status proves nothing without its body.
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5000\r\nconnection: close\r\n\r\n";
    let (_server, client) = answering([head, body].concat().into_bytes()).await;
    let error = order(&client).await;
    assert!(error.kind() == ErrorKind::Network && error.may_have_been_applied(), "{error}");
}

#[tokio::test]
async fn a_decode_error_names_the_place_and_quotes_nothing() {
    let body = r#"{"markets":[{"ticker":"A"},{"ticker":{"private":"SEEN"}}],"cursor":""}"#;
    let (_server, client) = answering(json(200, body)).await;
    let error = client.get_markets().send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.message().contains("markets[1].ticker"), "{error}");
    assert!(!format!("{error} {error:?}").contains("SEEN"), "{error}");
    assert_eq!(error.raw_body(), Some(body.as_bytes()), "the body of an operation without secrets is kept");
}

#[tokio::test]
async fn every_recorded_error_body_is_understood() {
    let cases = [
        (
            401,
            r#"{"error":{"code":"authentication_error","message":"authentication_error","details":"NOT_FOUND"}}"#,
            ErrorKind::Unauthorized,
        ),
        (
            401,
            r#"{"error":{"code":"header_timestamp_expired","message":"header timestamp expired"}}"#,
            ErrorKind::Clock,
        ),
        (
            400,
            r#"{"code":"bad_request","message":"bad request","details":"json: cannot unmarshal"}"#,
            ErrorKind::InvalidRequest,
        ),
        (400, r#"{"msg":"Parameter validation failed for GetMarkets"}"#, ErrorKind::InvalidRequest),
        (429, r#"{"error":"too many requests"}"#, ErrorKind::RateLimited),
        (409, r#"{"error":{"code":"order_already_exists","message":"x"}}"#, ErrorKind::Conflict),
        (404, "", ErrorKind::NotFound),
        (503, "<html>down</html>", ErrorKind::Maintenance),
        (502, "", ErrorKind::Server),
    ];
    for (status, body, kind) in cases {
        let (_server, client) = answering(json(status, body)).await;
        let error = order(&client).await;
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(error.may_have_been_applied(), status >= 500, "{error}");
        assert!(!error.message().is_empty());
    }
    let (_server, client) = answering(json(401, cases[0].1)).await;
    let error = client.get_balance().send().await.unwrap_err();
    assert_eq!(error.code(), Some("authentication_error"));
    assert_eq!(error.detail(), Some("NOT_FOUND"));
    assert_eq!(error.to_string(), "get_balance: authentication_error (401): authentication_error; NOT_FOUND");
}

#[tokio::test]
async fn a_wait_is_read_from_the_header_or_the_body() {
    let script: Script = Arc::new(|_| json(429, r#"{"message":"one login per 2 minutes","retryAfter":120}"#));
    let server = Canned::start(script).await;
    let bayse = bayse::Client::builder(bayse::Environment::Custom(server.base_url.clone())).build().unwrap();
    let error = bayse.login().body_map(|b| b.email("me").password("pw")).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(120)));

    let answer = b"HTTP/1.1 429 Slow\r\nretry-after: 7\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec();
    let (_server, client) = answering(answer).await;
    let error = client.get_balance().send().await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn a_good_status_with_a_failure_in_it_is_a_failure() {
    for body in [r#"{"success":false,"error":"conflict","message":"m"}"#, r#"{"status":"error","message":"m"}"#] {
        let script: Script = Arc::new(move |_| json(200, body));
        let server = Canned::start(script).await;
        let environment = yativo::Environment::Custom(server.base_url.clone());
        let credentials = yativo::Credentials::token("t0ken").unwrap();
        let client = yativo::Client::builder(environment).credentials(credentials).build().unwrap();
        let error = client.list_accounts().send().await.unwrap_err();
        assert_eq!((error.message(), error.status().unwrap().as_u16()), ("m", 200));
    }
}

#[tokio::test]
async fn a_code_goes_only_where_it_is_taken() {
    let script: Script = Arc::new(|_| json(200, "{}"));
    let server = Canned::start(script).await;
    let environment = yativo::Environment::Custom(server.base_url.clone());
    let credentials = yativo::Credentials::token("t0ken").unwrap();
    let client = yativo::Client::builder(environment).credentials(credentials).build().unwrap();
    let error = client.with_code("123456").list_accounts().send().await.unwrap_err();
    assert!(error.to_string().contains("takes no one-time code"), "{error}");
    assert!(server.seen().is_empty());
    client.with_code("123456").revoke_api_key().key_id("key_1").send().await.unwrap();
    assert!(server.seen()[0].head.to_lowercase().contains("x-2fa-token: 123456"));
}
