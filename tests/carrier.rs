//! A bot's test without a server: canned responses in the place of HTTP, and a record of what was sent.

use std::time::Duration;

use venuekit::transport::RetryPolicy;
use venuekit::transport::carrier::{Canned, Recording, SendError};
use venuekit::wire::Decimal;
use venuekit::{ErrorKind, deribit, kalshi};

const PLACED: &str = r#"{"order_id":"6f4d0d3a","client_order_id":"mine-1","fill_count":"0.00","remaining_count":"10.00",
    "ts_ms":1763769600123}"#;

fn key() -> kalshi::Credentials {
    let key = venuekit::auth::PrivateKey::generate(venuekit::auth::KeyKind::Ed25519).unwrap();
    kalshi::Credentials::new("a952bcbe", key).unwrap()
}

fn client(venue: Recording<Canned>) -> kalshi::Client {
    let retry = RetryPolicy { first_wait: Duration::ZERO, ..RetryPolicy::default() };
    let builder = kalshi::Client::builder(kalshi::Environment::Production).credentials(key()).retry(retry);
    builder.carrier(venue).build().unwrap()
}

async fn place(kalshi: &kalshi::Client) -> Result<kalshi::types::OrderId, venuekit::Error> {
    let call = kalshi.create_order_v2().ticker("KXRAIN-26DEC01").side("bid").count("10").price("0.05");
    let call = call.time_in_force("good_till_canceled").self_trade_prevention_type("maker").client_order_id("mine-1");
    Ok(call.send().await?.into_inner().order_id)
}

#[tokio::test]
async fn a_call_is_answered_from_memory_and_recorded() {
    let venue = Recording::new(Canned::new().on("create_order_v2", 201, PLACED));
    let kalshi = client(venue.clone());
    assert_eq!(place(&kalshi).await.unwrap(), "6f4d0d3a");
    let sent = venue.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].operation, &*sent[0].method), ("create_order_v2", "POST"));
    assert_eq!(sent[0].target, "/trade-api/v2/portfolio/events/orders");
    let body: serde_json::Value = serde_json::from_slice(&sent[0].body).unwrap();
    assert_eq!((body["price"].as_str(), body["client_order_id"].as_str()), (Some("0.05"), Some("mine-1")));
    assert!(!format!("{sent:?}").contains("0.05"), "what was sent may be nobody's business");
}

#[tokio::test]
async fn retries_and_unknown_outcomes_are_those_of_the_client() {
    // The venue's refusal for too many requests is followed by the same order, with the same key.
    let busy = r#"{"error":{"code":"too_many_requests"}}"#;
    let venue = Recording::new(Canned::new().on("create_order_v2", 429, busy).on("create_order_v2", 201, PLACED));
    assert_eq!(place(&client(venue.clone())).await.unwrap(), "6f4d0d3a");
    let sent = venue.sent();
    assert_eq!((sent.len(), &sent[0].body), (2, &sent[1].body));
    // A response that was lost, for a write that is not repeated.
    let venue = Recording::new(Canned::new().fails("cancel_all_orders", SendError::lost("the connection broke")));
    let error = client(venue.clone()).cancel_all_orders().send().await.unwrap_err();
    assert!(error.may_have_been_applied(), "{error}");
    assert_eq!((error.kind(), error.reconcile_with(), venue.sent().len()), (ErrorKind::Network, Some("get_orders"), 1));
    // Nothing left: nothing was applied.
    let venue = Recording::new(Canned::new().fails("cancel_all_orders", SendError::not_sent("no route")));
    let error = client(venue).cancel_all_orders().send().await.unwrap_err();
    assert!(!error.may_have_been_applied(), "{error}");
}

#[tokio::test]
async fn a_json_rpc_result_gets_its_envelope() {
    let venue = Canned::new()
        .on("get_index_price", 200, r#"{"index_price":11628.81,"estimated_delivery_price":11628.81}"#)
        .on("ticker", 400, r#"{"code":13020,"message":"not_found"}"#);
    let venue = Recording::new(venue);
    let builder = deribit::Client::builder(deribit::Environment::Production).carrier(venue.clone());
    let deribit = builder.retry(RetryPolicy::none()).build().unwrap();
    let price = deribit.get_index_price().index_name("btc_usd").send().await.unwrap();
    assert_eq!(price.index_price.to_string(), "11628.81".parse::<Decimal>().unwrap().to_string());
    let error = deribit.ticker().instrument_name("X").send().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::NotFound, Some("13020")));
    let body: serde_json::Value = serde_json::from_slice(&venue.sent()[0].body).unwrap();
    assert_eq!(body["method"], "public/get_index_price");
}

#[tokio::test]
async fn an_operation_without_a_response_is_an_error_that_says_so() {
    let venue = Recording::new(Canned::new());
    let error = client(venue.clone()).get_balance().send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network);
    assert!(error.message().contains("no canned response for `get_balance`"), "{error}");
}

#[tokio::test]
async fn secrets_are_not_recorded() {
    let venue = Recording::new(Canned::new());
    let account = deribit::Credentials::secret("id", "the-secret-of-the-account").unwrap();
    let builder = deribit::Client::builder(deribit::Environment::Production).credentials(account);
    let deribit = builder.carrier(venue.clone()).retry(RetryPolicy::none()).build().unwrap();
    let _ = deribit.auth().grant_type("client_credentials").client_secret("the-secret-of-the-account").send().await;
    let sent = venue.sent();
    assert!(sent.iter().all(|sent| sent.body.is_empty() && !sent.target.contains("the-secret")), "{}", sent.len());
    assert_eq!(sent.len(), 1);
}

#[test]
fn a_websocket_has_no_carrier() {
    let builder = deribit::Client::websocket(deribit::Environment::Production).carrier(Canned::new());
    let error = builder.build().unwrap_err();
    assert!(error.message().contains("WebSocket"), "{error}");
}
