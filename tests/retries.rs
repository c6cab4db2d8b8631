//! Which failed calls are sent again, how often, and what the caller is told.

#[path = "common/canned.rs"]
mod canned;
#[path = "common/nowhere.rs"]
mod nowhere;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use canned::{Canned, Script, Seen, http};
use nowhere::Nowhere;
use serde_json::Value;
use venuekit::auth::{KeyKind, PrivateKey};
use venuekit::kalshi::types::{BookSide, SelfTradePreventionType, TimeInForce};
use venuekit::transport::{RetryPolicy, Timeouts};
use venuekit::{Error, ErrorKind, bayse, kalshi, yativo};
use venuekit_sandbox::{Accounts, Sandbox};

/// Fast enough for tests, and otherwise as by default.
fn quick() -> RetryPolicy {
    RetryPolicy { first_wait: Duration::from_millis(2), ..RetryPolicy::default() }
}

#[tokio::test]
async fn a_call_without_a_body_succeeds_by_an_empty_one_or_by_json_without_an_error() {
    for body in ["", " ", "{}", "null", r#"{"message":"all gone"}"#, r#"{"error":null}"#] {
        let server = in_turn(vec![json(200, body)]).await;
        client(&server).cancel_all_orders().send().await.unwrap_or_else(|error| panic!("{body}: {error}"));
    }
    for body in [
        "Access denied",
        "{",
        r#"{"error":{"code":"service_unavailable"}}"#,
        r#"{"error":{"message":"try later"}}"#,
        r#"{"code":"forbidden"}"#,
        r#"{"error":"forbidden"}"#,
    ] {
        let server = in_turn(vec![json(200, body)]).await;
        let error = client(&server).cancel_all_orders().send().await.map(drop).unwrap_err();
        assert_eq!((error.kind(), error.may_have_been_applied()), (ErrorKind::Decode, true), "{body}: {error}");
        assert_eq!(server.seen().len(), 1, "{body}");
    }
}

#[tokio::test]
async fn a_refused_repetition_of_an_order_says_that_the_first_attempt_was_executed() {
    let exists = || json(409, r#"{"error":{"code":"order_already_exists","message":"order already exists"}}"#);
    let server = in_turn(vec![Vec::new(), exists()]).await;
    let error = order(&client(&server)).send().await.map(drop).unwrap_err();
    assert_eq!((error.attempts(), error.kind(), error.reconcile_with()), (2, ErrorKind::Conflict, Some("get_orders")));
    assert!(error.is_repeated_key() && error.was_applied_before() && error.may_have_been_applied(), "{error}");
    let server = in_turn(vec![exists()]).await;
    let error = order(&client(&server)).send().await.map(drop).unwrap_err();
    assert!(error.is_repeated_key() && !error.was_applied_before() && !error.may_have_been_applied(), "{error}");
}

#[tokio::test]
async fn see_other_says_that_the_request_was_processed() {
    for (status, is_open) in [(301, false), (302, false), (303, true), (307, false), (308, false)] {
        let server = in_turn(vec![json(status, "")]).await;
        let error = client(&server).cancel_all_orders().send().await.map(drop).unwrap_err();
        assert_eq!(error.may_have_been_applied(), is_open, "{status}: {error}");
        assert_eq!(server.seen().len(), 1, "{status}");
    }
}

/// A server that gives these responses in turn, the last one forever. An empty response is a connection that is closed.
async fn in_turn(answers: Vec<Vec<u8>>) -> Canned {
    let next = AtomicUsize::new(0);
    let script: Script = Arc::new(move |_| {
        let turn = next.fetch_add(1, Ordering::SeqCst);
        answers[turn.min(answers.len() - 1)].clone()
    });
    Canned::start(script).await
}

fn client(server: &Canned) -> kalshi::Client {
    let credentials = kalshi::Credentials::new("key-id", PrivateKey::generate(KeyKind::Ed25519).unwrap()).unwrap();
    let environment = kalshi::Environment::Custom(server.base_url.clone());
    kalshi::Client::builder(environment).credentials(credentials).retry(quick()).build().unwrap()
}

fn json(status: u16, body: &str) -> Vec<u8> {
    http(status, "application/json", body.as_bytes())
}

fn balance() -> Vec<u8> {
    json(200, r#"{"balance_dollars":"1.0000"}"#)
}

fn placed() -> Vec<u8> {
    json(201, r#"{"order_id":"o-1"}"#)
}

fn lost() -> Vec<u8> {
    Vec::new()
}

fn order(client: &kalshi::Client) -> kalshi::builder::CreateOrderV2<'_> {
    client.create_order_v2().body_map(|order| {
        order
            .ticker("T")
            .side(BookSide::Bid)
            .count("1.50")
            .price("0.5600")
            .time_in_force(TimeInForce::GoodTillCanceled)
            .self_trade_prevention_type(SelfTradePreventionType::TakerAtCross)
    })
}

async fn cancelled(client: &kalshi::Client) -> Result<(), Error> {
    client.cancel_order_v2().order_id("o-1").send().await.map(drop)
}

fn header(seen: &Seen, name: &str) -> String {
    let line = seen.head.lines().find(|line| line.to_lowercase().starts_with(&format!("{name}: ")));
    line.unwrap_or_else(|| panic!("no {name} in {}", seen.head)).split_once(": ").unwrap().1.to_owned()
}

#[tokio::test]
async fn a_read_is_repeated_after_every_passing_failure_and_signed_anew() {
    let failures = [json(408, ""), json(429, ""), json(502, "<html>"), json(503, ""), json(504, ""), lost()];
    for failure in failures {
        let server = in_turn(vec![failure, balance()]).await;
        let client = client(&server);
        let read = client.get_balance().send().await.unwrap();
        assert_eq!(read.balance_dollars.to_string(), "1.0000");
        assert_eq!(server.seen().len(), 2);
    }
    // The waits are random and may be short; over many attempts the stamps and with them the signatures differ.
    let server = in_turn(vec![json(503, "")]).await;
    let client = client(&server);
    let patient = RetryPolicy { attempts: 8, first_wait: Duration::from_millis(8), ..quick() };
    let error = client.with_retry(patient).get_balance().send().await.unwrap_err();
    assert_eq!((error.attempts(), server.seen().len()), (8, 8));
    let signatures: BTreeSet<String> =
        server.seen().iter().map(|seen| header(seen, "kalshi-access-signature")).collect();
    let stamps: BTreeSet<String> = server.seen().iter().map(|seen| header(seen, "kalshi-access-timestamp")).collect();
    assert!(stamps.len() > 1 && signatures.len() == stamps.len(), "{stamps:?}");
}

#[tokio::test]
async fn a_refusal_is_not_repeated() {
    for status in [400, 401, 403, 404, 409, 422, 500] {
        let server = in_turn(vec![json(status, ""), balance()]).await;
        let error = client(&server).get_balance().send().await.unwrap_err();
        assert_eq!((error.attempts(), server.seen().len()), (1, 1), "{error}");
    }
    let server = in_turn(vec![json(200, "{"), balance()]).await;
    assert_eq!(client(&server).get_balance().send().await.unwrap_err().kind(), ErrorKind::Decode);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_write_without_a_key_is_sent_once_when_its_outcome_is_unknown() {
    for failure in [lost(), json(408, ""), json(500, ""), json(502, ""), json(503, ""), json(504, "")] {
        let server = in_turn(vec![failure, json(200, r#"{"order_id":"o-1"}"#)]).await;
        let error = cancelled(&client(&server)).await.unwrap_err();
        assert_eq!(server.seen().len(), 1, "{error}");
        assert!(error.may_have_been_applied(), "{error}");
        assert_eq!(error.reconcile_with(), Some("get_order"));
    }
}

#[tokio::test]
async fn a_write_that_was_certainly_not_processed_is_repeated() {
    let too_many = json(429, r#"{"error":"too many requests"}"#);
    let server = in_turn(vec![too_many, json(200, r#"{"order_id":"o-1"}"#)]).await;
    cancelled(&client(&server)).await.unwrap();
    assert_eq!(server.seen().len(), 2);

    // No connection was ever made: it comes up while the call is waiting.
    let nowhere = Nowhere::new();
    let environment = kalshi::Environment::Custom(format!("http://{}", nowhere.address()));
    let credentials = kalshi::Credentials::new("key-id", PrivateKey::generate(KeyKind::Ed25519).unwrap()).unwrap();
    let client = kalshi::Client::builder(environment).credentials(credentials).retry(quick()).build().unwrap();
    let error = cancelled(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Network, 4));
    assert!(!error.may_have_been_applied(), "{error}");
}

#[tokio::test]
async fn a_keyed_write_is_repeated_with_the_same_key() {
    let server = in_turn(vec![lost(), json(503, ""), placed()]).await;
    let client = client(&server);
    let order = order(&client).send().await.unwrap();
    let key = order.idempotency_key().unwrap();
    let bodies: Vec<Value> = server.seen().iter().map(|seen| serde_json::from_slice(&seen.body).unwrap()).collect();
    assert_eq!(bodies.len(), 3);
    assert!(bodies.iter().all(|body| body["client_order_id"] == key), "{bodies:?}");
    assert_eq!((&bodies[0]["price"], &bodies[0]["count"]), (&"0.5600".into(), &"1.50".into()), "nothing else changes");
}

#[tokio::test]
async fn a_key_of_ones_own_is_kept() {
    let server = in_turn(vec![lost(), placed()]).await;
    let client = client(&server);
    let order = order(&client).body_map(|order| order.client_order_id("mine-1")).send().await.unwrap();
    assert_eq!(order.idempotency_key(), Some("mine-1"));
    for seen in server.seen() {
        assert_eq!(serde_json::from_slice::<Value>(&seen.body).unwrap()["client_order_id"], "mine-1");
    }
}

#[tokio::test]
async fn a_key_in_a_header_is_made_once_a_call() {
    let server = in_turn(vec![lost(), json(200, r#"{"results":[]}"#)]).await;
    let credentials = bayse::Credentials::api_key("pk", "sk").unwrap();
    let environment = bayse::Environment::Custom(server.base_url.clone());
    let client = bayse::Client::builder(environment).credentials(credentials).retry(quick()).build().unwrap();
    let mut keys = BTreeSet::new();
    for _ in 0..2 {
        let call = client.batch_cancel_orders().body_map(|body| body.order_ids(["a-1"]));
        keys.insert(call.send().await.unwrap().idempotency_key().unwrap().to_owned());
    }
    let sent: Vec<String> = server.seen().iter().map(|seen| header(seen, "idempotency-key")).collect();
    assert_eq!((sent.len(), keys.len()), (3, 2));
    assert_eq!(sent[0], sent[1]);
    assert_eq!(sent.into_iter().collect::<BTreeSet<_>>(), keys);
}

#[tokio::test]
async fn a_duplicate_after_a_lost_answer_does_not_hide_that_the_order_was_placed() {
    let duplicate = json(409, r#"{"error":{"code":"order_already_exists","message":"x"}}"#);
    let server = in_turn(vec![lost(), duplicate.clone()]).await;
    let error = order(&client(&server)).send().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Conflict, 2));
    assert!(error.may_have_been_applied(), "{error}");
    let key = error.idempotency_key().unwrap().to_owned();
    assert_eq!(serde_json::from_slice::<Value>(&server.seen()[0].body).unwrap()["client_order_id"], key.as_str());

    let server = in_turn(vec![duplicate]).await;
    let error = order(&client(&server)).send().await.unwrap_err();
    assert!(!error.may_have_been_applied(), "the first answer says that it was not: {error}");
}

#[tokio::test]
async fn a_wait_that_is_too_long_is_the_callers() {
    let slow = b"HTTP/1.1 429 Slow\r\nretry-after: 3600\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec();
    let server = in_turn(vec![slow, balance()]).await;
    let error = client(&server).get_balance().send().await.unwrap_err();
    assert_eq!((error.retry_after(), error.attempts()), (Some(Duration::from_secs(3600)), 1));
}

/// A refusal that asks for a wait with these headers.
fn slow(headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 503 Slow\r\n{headers}content-length: 0\r\nconnection: close\r\n\r\n").into_bytes()
}

#[tokio::test]
async fn a_wait_until_a_date_is_kept() {
    let date = "date: Sun, 22 Nov 2026 03:00:00 GMT\r\n";
    for (headers, seconds) in [
        (format!("{date}retry-after: Sun, 22 Nov 2026 03:05:00 GMT\r\n"), 300),
        (format!("{date}retry-after: Sunday, 22-Nov-26 03:05:00 GMT\r\n"), 300),
        (format!("retry-after: Sun Nov 22 03:05:00 2026\r\n{date}"), 300),
        (format!("{date}retry-after: 5\r\nretry-after: 60\r\n"), 60),
        (format!("{date}retry-after: Sun, 22 Nov 2037 03:05:00 GMT\r\n"), 3_600),
        (format!("{date}retry-after: next tuesday\r\n"), 3_600),
        (format!("{date}retry-after: 1e19\r\n"), 3_600),
    ] {
        let server = in_turn(vec![slow(&headers), balance()]).await;
        let error = client(&server).get_balance().send().await.unwrap_err();
        assert_eq!((error.retry_after(), error.attempts()), (Some(Duration::from_secs(seconds)), 1), "{headers}");
    }
    // A date that is over asks for no wait.
    let over = slow(&format!("{date}retry-after: Sun, 22 Nov 2026 02:59:00 GMT\r\n"));
    let server = in_turn(vec![over, balance()]).await;
    client(&server).get_balance().send().await.unwrap();
    // Without a `Date` beside it, it counts by the client's clock.
    let server = in_turn(vec![slow("retry-after: Fri, 31 Dec 9999 23:59:59 GMT\r\n"), balance()]).await;
    let error = client(&server).get_balance().send().await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3_600)));
}

#[tokio::test]
async fn no_time_limit_is_too_long_to_count_with() {
    let server = in_turn(vec![lost(), balance()]).await;
    let limits = Timeouts { connect: Duration::MAX, attempt: Duration::MAX, call: Duration::MAX };
    let credentials = kalshi::Credentials::new("key-id", PrivateKey::generate(KeyKind::Ed25519).unwrap()).unwrap();
    let builder = kalshi::Client::builder(kalshi::Environment::Custom(server.base_url.clone()));
    let builder = builder.credentials(credentials).timeouts(limits).rate_wait(Duration::MAX).retry(quick());
    let client = builder.build().unwrap();
    let patient = client.with_timeout(Duration::MAX).with_rate_wait(Duration::MAX);
    let read = patient.get_balance().send().await.unwrap();
    assert_eq!(read.balance_dollars.to_string(), "1.0000");
}

#[tokio::test]
async fn a_call_ends_with_its_time() {
    let server = in_turn(vec![json(503, "")]).await;
    let client = client(&server);
    let forever = RetryPolicy { attempts: u32::MAX, first_wait: Duration::from_secs(5), ..quick() };
    let error =
        client.with_retry(forever).with_timeout(Duration::from_millis(300)).get_balance().send().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Maintenance | ErrorKind::Timeout), "{error}");
}

#[tokio::test]
async fn an_outage_is_not_amplified() {
    let server = in_turn(vec![json(503, "")]).await;
    let client = client(&server);
    for _ in 0..40 {
        client.get_balance().send().await.unwrap_err();
    }
    // Ten repetitions to begin with, and a tenth of one for each call; what is earned while the purse is full is lost.
    let repeated = server.seen().len() - 40;
    assert!((10..=14).contains(&repeated), "{repeated}");
}

#[tokio::test]
async fn one_attempt_may_be_asked_for() {
    let server = in_turn(vec![json(503, ""), balance()]).await;
    client(&server).with_retry(RetryPolicy::none()).get_balance().send().await.unwrap_err();
    assert_eq!(server.seen().len(), 1);
}

/// A client of the sandbox's first Kalshi account.
async fn of_sandbox(sandbox: &Sandbox, heal: bool) -> kalshi::Client {
    let account = &sandbox.accounts().kalshi[0];
    let pem = account.private_key_pem.as_ref().unwrap();
    let credentials = kalshi::Credentials::from_pem(&account.key_id, pem).unwrap();
    let builder = kalshi::Client::builder(kalshi::Environment::Custom(sandbox.kalshi_url())).credentials(credentials);
    builder.correct_clock_skew(heal).timeouts(Timeouts::default()).build().unwrap()
}

#[tokio::test]
async fn a_clock_that_is_off_is_put_right_also_for_writes() {
    for minutes in [-10, -1, 1, 10] {
        let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
        sandbox.clock().set_offset_millis(minutes * 60_000);
        let client = of_sandbox(&sandbox, true).await;
        let made = client.generate_api_key().body_map(|key| key.name("bot")).send().await.unwrap();
        let learned = client.clock().offset_millis();
        assert!((learned - minutes * 60_000).abs() < 3_000, "{learned} for {minutes} minutes");
        // The correction is kept, and shared by clones.
        client.clone().delete_api_key().api_key(made.api_key_id.as_str()).send().await.unwrap();
        assert_eq!(sandbox.executed()["kalshi POST /trade-api/v2/api_keys/generate"], 1);
    }
}

#[tokio::test]
async fn a_clock_is_not_put_right_beyond_belief_or_against_ones_will() {
    let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
    sandbox.clock().set_offset_millis(3_600_000);
    let client = of_sandbox(&sandbox, true).await;
    assert_eq!(client.get_balance().send().await.unwrap_err().kind(), ErrorKind::Clock);
    assert_eq!(client.clock().offset_millis(), 0);
    sandbox.clock().set_offset_millis(60_000);
    let error = of_sandbox(&sandbox, false).await.get_balance().send().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Clock, 1));
}

#[tokio::test]
async fn a_token_that_the_venue_no_longer_takes_is_renewed_once() {
    let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
    let account = &sandbox.accounts().yativo[0];
    let credentials = yativo::Credentials::api_key(&account.api_key, &*account.api_secret).unwrap();
    let environment = yativo::Environment::Custom(sandbox.yativo_url());
    let client = yativo::Client::builder(environment).credentials(credentials).build().unwrap();
    client.list_accounts().send().await.unwrap();
    // For the venue two hours have passed, for the client none: its token has ended before its time.
    sandbox.clock().set_offset_millis(2 * 3_600_000);
    let listed = client.list_accounts().send().await.unwrap();
    drop(listed);
    assert_eq!(sandbox.executed()["yativo POST /api/v1/auth/token"], 2);

    // A token that is refused for good is not asked for again and again.
    let server = in_turn(vec![json(401, r#"{"error":"unauthorized"}"#)]).await;
    let credentials = yativo::Credentials::token("t0ken").unwrap();
    let environment = yativo::Environment::Custom(server.base_url.clone());
    let client = yativo::Client::builder(environment).credentials(credentials).build().unwrap();
    assert_eq!(client.list_accounts().send().await.unwrap_err().attempts(), 1);
}

#[tokio::test]
async fn a_call_with_a_one_time_code_is_never_repeated() {
    let server = in_turn(vec![json(503, ""), json(200, "{}")]).await;
    let credentials = yativo::Credentials::token("t0ken").unwrap();
    let environment = yativo::Environment::Custom(server.base_url.clone());
    let client = yativo::Client::builder(environment).credentials(credentials).retry(quick()).build().unwrap();
    let call = client.with_code("123456");
    let call = call.send_funds().body_map(|body| {
        body.account("a").assets("w").receiving_address("x").amount(1).type_("USDC").chain("solana").category("other")
    });
    let error = call.send().await.unwrap_err();
    assert_eq!((error.attempts(), server.seen().len()), (1, 1), "{error}");
}

#[tokio::test]
async fn a_web_page_with_a_good_status_is_no_answer_even_where_none_is_expected() {
    let server = in_turn(vec![http(200, "text/html", b"\n<html>maintenance</html>")]).await;
    let error = client(&server).delete_api_key().api_key("8f2b-1").send().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Decode, 1), "{error}");
    assert!(error.may_have_been_applied() && error.message().contains("web page"), "{error}");
}

#[tokio::test]
async fn a_failure_is_one_however_its_body_is_written() {
    let credentials = || yativo::Credentials::token("t0ken").unwrap();
    for (body, kind) in [
        (r#"{"success":false,"message":"no"}"#, ErrorKind::Other),
        (r#"{"success":false,"\u0064":1,"message":"no"}"#, ErrorKind::Other),
        (r#"{"succ\u0065ss":false,"data":{"_id":"t-1"}}"#, ErrorKind::Other),
        (r#"{"success":true,"success":false,"data":{"_id":"t-1"}}"#, ErrorKind::Decode),
        (r#"{"success":false,"success":true,"data":{"_id":"t-1"}}"#, ErrorKind::Decode),
        (r#"{"status":"\u0065rror","data":{"_id":"t-1"}}"#, ErrorKind::Other),
        (r#"{"success":false,"data":{"_id":"t-1"},"\ud800":1}"#, ErrorKind::Decode),
        (r#"{"success":false,"data":{"_id":"t-1"}"#, ErrorKind::Decode),
    ] {
        let server = in_turn(vec![json(200, body)]).await;
        let environment = yativo::Environment::Custom(server.base_url.clone());
        let client = yativo::Client::builder(environment).credentials(credentials()).retry(quick()).build().unwrap();
        let call = client.send_funds().body_map(|body| {
            body.account("a")
                .assets("w")
                .receiving_address("x")
                .amount(1)
                .type_("USDC")
                .chain("solana")
                .category("other")
        });
        let error = call.send().await.map(drop).expect_err(body);
        assert_eq!((error.kind(), error.attempts()), (kind, 1), "{body}: {error}");
        assert_eq!(error.may_have_been_applied(), kind == ErrorKind::Decode, "{body}: {error}");
    }
}
