//! Logins that fail: reported as what they are, and not repeated at once; wrong clocks are corrected.

use venuekit::auth::{KeyKind, PrivateKey};
use venuekit::kalshi;
use venuekit::streams::Error;
use venuekit::transport::{Clock, RateLimits};
use venuekit_sandbox::{Fault, Rule};

use crate::desk::{in_time, kalshi as client_of, market, message, sandbox, trade};

const UPGRADE: &str = "GET /trade-api/ws/v2";

#[tokio::test]
async fn a_key_that_the_venue_does_not_know_is_told() {
    let sandbox = sandbox().await;
    let pair = PrivateKey::generate(KeyKind::Ed25519).unwrap();
    let credentials = kalshi::Credentials::new("0b5d9f5c-0000-4000-8000-00000000dead", pair).unwrap();
    let environment = kalshi::Environment::Custom(sandbox.kalshi_url());
    let client = kalshi::Client::builder(environment).credentials(credentials).build().unwrap();
    let error = in_time("told", client.streams().trade(["KXANY"]).subscribe()).await.unwrap_err();
    let Error::Connection(why) = &error else { panic!("{error:?}") };
    assert!(why.contains("401"), "{why}");
    assert_eq!(sandbox.websocket_connections(), 0);
}

#[tokio::test]
async fn a_client_without_a_key_is_told_what_it_needs() {
    let sandbox = sandbox().await;
    let client = kalshi::Client::builder(kalshi::Environment::Custom(sandbox.kalshi_url())).build().unwrap();
    let error = in_time("told", client.streams().trade(["KXANY"]).subscribe()).await.unwrap_err();
    assert!(error.to_string().contains("credential"), "{error}");
}

#[tokio::test]
async fn a_clock_that_is_off_is_put_right_by_the_refusal() {
    let sandbox = sandbox().await;
    let key = &sandbox.accounts().kalshi[0];
    let credentials = kalshi::Credentials::from_pem(&key.key_id, key.private_key_pem.as_ref().unwrap()).unwrap();
    let clock = Clock::default();
    clock.set_offset_millis(-600_000);
    let environment = kalshi::Environment::Custom(sandbox.kalshi_url());
    let builder = kalshi::Client::builder(environment).credentials(credentials).rate_limits(RateLimits::none());
    let client = builder.clock(clock.clone()).build().unwrap();
    let ticker = market(&client_of(&sandbox)).await;
    let mut trades = in_time("let in", client.streams().trade([ticker.clone()]).subscribe()).await.unwrap();
    assert!(clock.offset_millis().abs() < 60_000, "{}", clock.offset_millis());
    trade(&sandbox, &ticker, "1.00");
    message(&mut trades).await;
}

#[tokio::test]
async fn a_venue_that_is_down_or_full_is_tried_again() {
    for status in [429, 502, 503] {
        let sandbox = sandbox().await;
        let client = client_of(&sandbox);
        let ticker = market(&client).await;
        sandbox.faults().set(vec![Rule::new(Fault::status(status)).on(UPGRADE).times(2)]);
        let mut trades = in_time("opened at last", client.streams().trade([ticker.clone()]).subscribe()).await.unwrap();
        assert_eq!(sandbox.faults().strikes(), [2], "{status}");
        trade(&sandbox, &ticker, "1.00");
        message(&mut trades).await;
    }
}

#[tokio::test]
async fn a_refusal_is_not_hammered() {
    for status in [401, 403] {
        let sandbox = sandbox().await;
        let client = client_of(&sandbox);
        sandbox.faults().set(vec![Rule::new(Fault::status(status)).on(UPGRADE)]);
        let error = in_time("told", client.streams().trade(["KXANY"]).subscribe()).await.unwrap_err();
        assert!(matches!(&error, Error::Connection(why) if why.contains(&status.to_string())), "{error:?}");
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        assert!(sandbox.faults().strikes()[0] <= 2, "{:?}", sandbox.faults().strikes());
    }
}
