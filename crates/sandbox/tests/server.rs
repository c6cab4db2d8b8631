//! The listener itself: many calls at once, and its end.

mod common;

use common::{Kalshi, Signature, now_millis, send};
use reqwest::{Client, StatusCode};
use serde_json::json;
use tokio::task::JoinSet;
use venuekit_sandbox::{Accounts, Sandbox};

#[tokio::test]
async fn one_of_many_equal_orders_is_taken() {
    let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
    let key = Kalshi::given(&sandbox, 1);
    let markets = send(&sandbox, "GET", "/trade-api/v2/markets?status=open&limit=1", &[], "").await.expect(200);
    let body = json!({
        "ticker": markets["markets"][0]["ticker"], "client_order_id": "once", "side": "bid", "count": "1.00",
        "price": "0.5000", "time_in_force": "good_till_canceled", "self_trade_prevention_type": "maker",
    });
    let path = "/trade-api/v2/portfolio/events/orders";
    let timestamp = now_millis();
    let signature = key.sign(&Signature::Ed25519, &format!("{timestamp}POST{path}"));
    let client = Client::builder().no_proxy().build().unwrap();
    let mut calls = JoinSet::new();
    for _ in 0..64 {
        let call = client
            .post(format!("{}{path}", sandbox.base_url()))
            .header("KALSHI-ACCESS-KEY", &key.key_id)
            .header("KALSHI-ACCESS-TIMESTAMP", timestamp)
            .header("KALSHI-ACCESS-SIGNATURE", &signature)
            .json(&body);
        calls.spawn(async move { call.send().await.unwrap().status() });
    }
    let statuses = calls.join_all().await;
    let count = |status| statuses.iter().filter(|one| **one == status).count();
    assert_eq!((count(StatusCode::CREATED), count(StatusCode::CONFLICT)), (1, 63));
    assert_eq!(sandbox.executed()[&format!("kalshi POST {path}")], 1);
}

#[tokio::test]
async fn a_dropped_sandbox_answers_no_more() {
    let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
    let (client, url) = (Client::builder().no_proxy().build().unwrap(), format!("{}/health", sandbox.base_url()));
    assert!(client.get(&url).send().await.unwrap().status().is_success());
    drop(sandbox);
    // The kept-alive connection may still be closing: what counts is that it comes to an end.
    while client.get(&url).send().await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_an_error() {
    let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
    let port = sandbox.base_url().rsplit(':').next().unwrap().parse().unwrap();
    let error = Sandbox::start_on(port, Accounts::default()).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn an_answer_that_is_made_up_says_so() {
    let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
    let says = async |path: &str| {
        let answer = Client::builder()
            .no_proxy()
            .build()
            .unwrap()
            .get(format!("{}{path}", sandbox.base_url()))
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{path}");
        answer.headers().contains_key("x-sandbox")
    };
    assert!(!says("/trade-api/v2/exchange/status").await);
    assert!(says("/trade-api/v2/exchange/schedule").await);
    assert!(!says("/api/v2/public/get_time").await);
    assert!(says("/api/v2/public/get_announcements").await);
}

#[test]
fn what_is_not_in_a_spec_keeps_no_state() {
    assert!(venuekit_sandbox::keeps_state("kalshi", "AmendOrderV2"));
    assert!(venuekit_sandbox::keeps_state("kalshi_perps", "CancelAllMarginOrders"));
    assert!(!venuekit_sandbox::keeps_state("kalshi", "GetExchangeSchedule"));
    assert!(!venuekit_sandbox::keeps_state("kalshi", "CancelAllMarginOrders"), "of the other spec");
    assert!(!venuekit_sandbox::keeps_state("nasdaq", "AmendOrderV2"));
}
