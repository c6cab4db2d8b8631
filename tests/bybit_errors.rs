//! Bybit's failures with a good status, its time-outs, and order ids that it has seen.

#[path = "common/canned.rs"]
mod canned;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use canned::{Canned, Script, Seen, http};
use serde_json::Value;
use venuekit::bybit::types::{BatchCancelOrder, Category, OrderType, Side};
use venuekit::transport::RetryPolicy;
use venuekit::{Error, ErrorKind, bybit};

/// A server that gives these responses in turn, the last one forever. An empty response is a connection that is closed.
async fn in_turn(responses: Vec<Vec<u8>>) -> Canned {
    let next = AtomicUsize::new(0);
    let script: Script = Arc::new(move |_| {
        let turn = next.fetch_add(1, Ordering::SeqCst);
        responses[turn.min(responses.len() - 1)].clone()
    });
    Canned::start(script).await
}

fn client(server: &Canned) -> bybit::Client {
    let credentials = bybit::Credentials::api_key("key", "secret").unwrap();
    let environment = bybit::Environment::Custom(server.base_url.clone());
    let quick = RetryPolicy { first_wait: Duration::from_millis(2), ..RetryPolicy::default() };
    bybit::Client::builder(environment).credentials(credentials).retry(quick).build().unwrap()
}

fn json(status: u16, body: &str) -> Vec<u8> {
    http(status, "application/json", body.as_bytes())
}

fn code(code: i64) -> Vec<u8> {
    json(200, &format!(r#"{{"retCode":{code},"retMsg":"said","result":{{}},"retExtInfo":{{}},"time":1700000000000}}"#))
}

fn placed() -> Vec<u8> {
    json(200, r#"{"retCode":0,"retMsg":"OK","result":{"orderId":"o-1","orderLinkId":"mine"},"retExtInfo":{},"time":1}"#)
}

fn lost() -> Vec<u8> {
    Vec::new()
}

fn order(client: &bybit::Client) -> bybit::builder::PlaceOrder<'_> {
    let order = client.place_order().category(Category::Linear).symbol("BTCUSDT").side(Side::Buy);
    order.order_type(OrderType::Limit).qty("0.010").price("28000.50")
}

async fn cancelled(client: &bybit::Client) -> Result<(), Error> {
    client.cancel_order().category(Category::Linear).symbol("BTCUSDT").order_id("o-1").send().await.map(drop)
}

fn keys(seen: &[Seen]) -> Vec<String> {
    let bodies = seen.iter().map(|seen| serde_json::from_slice::<Value>(&seen.body).unwrap());
    bodies.map(|body| body["orderLinkId"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_refused_repetition_says_that_the_first_attempt_was_executed() {
    for refusal in [110_072, 170_141, 10_014] {
        let server = in_turn(vec![lost(), code(refusal)]).await;
        let error = order(&client(&server)).send().await.unwrap_err();
        let sent = keys(&server.seen());
        assert_eq!((sent.len(), &sent[0]), (2, &sent[1]), "the same key in both attempts");
        assert!(error.was_applied_before() && error.may_have_been_applied() && error.is_repeated_key(), "{error}");
        assert_eq!((error.kind(), error.reconcile_with()), (ErrorKind::Conflict, Some("get_open_orders")));
        assert_eq!(error.idempotency_key(), Some(sent[0].as_str()));
        assert!(!error.is_retryable() && error.to_string().contains("was executed"), "{error}");
    }
}

#[tokio::test]
async fn an_id_of_another_order_is_a_conflict_and_nothing_more() {
    let server = in_turn(vec![code(110_072)]).await;
    let error = order(&client(&server)).order_link_id("mine").send().await.unwrap_err();
    assert_eq!((server.seen().len(), error.kind()), (1, ErrorKind::Conflict));
    assert!(error.is_repeated_key() && !error.was_applied_before() && !error.may_have_been_applied(), "{error}");
}

#[tokio::test]
async fn an_order_is_repeated_after_a_time_out_of_the_venue() {
    for unknown in [10_000, 10_016, 170_007, 170_146] {
        let server = in_turn(vec![code(unknown), placed()]).await;
        let response = order(&client(&server)).send().await.unwrap();
        assert_eq!(response.result.as_ref().and_then(|result| result.order_id.as_deref()), Some("o-1"));
        let sent = keys(&server.seen());
        assert_eq!((sent.len(), &sent[0]), (2, &sent[1]));
    }
}

#[tokio::test]
async fn a_write_without_a_key_is_sent_once_when_its_outcome_is_unknown() {
    for unknown in [10_000, 10_016, 170_147] {
        let server = in_turn(vec![code(unknown), code(0)]).await;
        let error = cancelled(&client(&server)).await.unwrap_err();
        assert_eq!(server.seen().len(), 1, "{error}");
        assert!(error.may_have_been_applied() && error.kind() == ErrorKind::Server, "{error}");
        assert_eq!(error.reconcile_with(), Some("get_open_orders"));
    }
    // The venue's other codes are its own verdict.
    for refused in [110_001, 110_007, 10_001, 999_999] {
        let server = in_turn(vec![code(refused), code(0)]).await;
        let error = cancelled(&client(&server)).await.unwrap_err();
        assert_eq!(server.seen().len(), 1, "{error}");
        assert!(!error.may_have_been_applied(), "{error}");
    }
}

#[tokio::test]
async fn a_limit_is_waited_for_and_a_read_is_repeated() {
    let server = in_turn(vec![code(10_006), placed()]).await;
    cancelled(&client(&server)).await.unwrap();
    assert_eq!(server.seen().len(), 2, "nothing was done");
    let wallet = json(
        200,
        r#"{"retCode":0,"retMsg":"","result":{"list":[{"accountType":"UNIFIED","totalEquity":"","coin":[]}]}}"#,
    );
    let server = in_turn(vec![code(10_016), wallet]).await;
    let response = client(&server).get_wallet_balance().account_type("UNIFIED").send().await.unwrap();
    let account = &response.result.list[0];
    assert_eq!((account.account_type.as_deref(), account.total_equity), (Some("UNIFIED"), None), "no number");
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_refused_timestamp_is_corrected_by_the_body_and_signed_again() {
    let stamp = |seen: &Seen| -> i64 {
        let line = seen.head.lines().find_map(|line| line.strip_prefix("x-bapi-timestamp: ")).unwrap();
        line.parse().unwrap()
    };
    let first = AtomicUsize::new(0);
    let script: Script = Arc::new(move |seen| {
        // The venue's clock is two minutes ahead.
        let venue = stamp(seen) + if first.fetch_add(1, Ordering::SeqCst) == 0 { 120_000 } else { 0 };
        let failed = format!(
            r#"{{"retCode":10002,"retMsg":"req_timestamp[1],server_timestamp[2]","result":{{}},"time":{venue}}}"#
        );
        let good = format!(r#"{{"retCode":0,"retMsg":"","result":{{"orderId":"o-1"}},"time":{venue}}}"#);
        json(200, if first.load(Ordering::SeqCst) == 1 { &failed } else { &good })
    });
    let server = Canned::start(script).await;
    cancelled(&client(&server)).await.unwrap();
    let stamps: Vec<i64> = server.seen().iter().map(stamp).collect();
    assert_eq!(stamps.len(), 2);
    assert!((115_000..125_000).contains(&(stamps[1] - stamps[0])), "{stamps:?}");
}

#[tokio::test]
async fn each_order_of_a_batch_has_a_result() {
    let body = r#"{"retCode":0,"retMsg":"OK","result":{"list":[
        {"category":"linear","symbol":"BTCUSDT","orderId":"o-1","orderLinkId":""},
        {"category":"linear","symbol":"ETHUSDT","orderId":"","orderLinkId":"mine"},
        {"category":"linear","symbol":"XRPUSDT","orderId":"","orderLinkId":""}]},
        "retExtInfo":{"list":[{"code":0,"msg":"OK"},{"code":110001,"msg":"order not exists"},{"code":10016,"msg":"?"}]},"time":1}"#;
    let server = in_turn(vec![json(200, body)]).await;
    let one =
        |symbol: &str| BatchCancelOrder::try_from(BatchCancelOrder::builder().symbol(symbol).order_id("o")).unwrap();
    let orders = vec![one("BTCUSDT"), one("ETHUSDT"), one("XRPUSDT")];
    let response =
        client(&server).batch_cancel_orders().category(Category::Linear).request(orders).send().await.unwrap();
    let results = response.results();
    assert_eq!(results[0].as_ref().unwrap().order_id.as_deref(), Some("o-1"));
    let missing = results[1].as_ref().unwrap_err();
    assert_eq!(
        (missing.code, missing.kind(), missing.may_have_been_applied()),
        (Some(110_001), ErrorKind::NotFound, false)
    );
    let unknown = results[2].as_ref().unwrap_err();
    assert_eq!((unknown.kind(), unknown.may_have_been_applied()), (ErrorKind::Server, true));
}

#[tokio::test]
async fn an_outcome_without_its_order_is_a_result() {
    let outcomes = r#"{"list":[{"code":0,"msg":"OK"},{"code":110001,"msg":"order not exists"}]}"#;
    for result in [r#"{"list":[]}"#, r#"{"list":[{"orderId":"o-1"}]}"#] {
        let body = format!(r#"{{"retCode":0,"retMsg":"OK","result":{result},"retExtInfo":{outcomes},"time":1}}"#);
        let server = in_turn(vec![json(200, &body)]).await;
        let one = || BatchCancelOrder::try_from(BatchCancelOrder::builder().symbol("BTCUSDT").order_id("o")).unwrap();
        let client = client(&server);
        let call = client.batch_cancel_orders().category(Category::Linear).request(vec![one(), one()]);
        let response = call.send().await.unwrap();
        let results = response.results();
        assert_eq!(results.len(), 2, "{result}");
        match &results[0] {
            Ok(order) => assert_eq!(order.order_id.as_deref(), Some("o-1"), "{result}"),
            Err(error) => assert!(error.code.is_none() && error.may_have_been_applied(), "{result}: {error}"),
        }
        let missing = results[1].as_ref().unwrap_err();
        assert_eq!((missing.code, missing.message.as_str()), (Some(110_001), "order not exists"), "{result}");
    }
}

#[tokio::test]
async fn a_body_without_a_code_is_no_success() {
    for body in ["{}", r#"{"result":{}}"#, "[]", "<html>", ""] {
        let server = in_turn(vec![json(200, body)]).await;
        let error = cancelled(&client(&server)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}: {error}");
        assert!(error.may_have_been_applied(), "{body}: {error}");
    }
}
