//! The connection: heartbeats, losing it, and what the next one is given.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use venuekit::ErrorKind;
use venuekit::deribit::{Client, Environment};
use venuekit::transport::{RetryPolicy, Timeouts};
use venuekit_sandbox::{Fault, Rule};

use crate::desk::{builder, buy, options, sandbox, until};
use crate::nowhere::Nowhere;

#[tokio::test]
async fn a_lost_connection_fails_its_calls_and_is_opened_again() {
    let sandbox = sandbox().await;
    let events = Arc::new(Mutex::new(Vec::new()));
    let told = events.clone();
    let options = options().on_event(move |event| told.lock().unwrap().push(format!("{event:?}")));
    let client = builder(&sandbox).websocket(options).build().unwrap();
    client.connection().unwrap().open().await.unwrap();
    for (fault, executed) in [(Fault::DropBefore, 0), (Fault::DropAfter, 1), (Fault::CloseMidAnswer, 1)] {
        let label = format!("{fault:?}");
        sandbox.faults().set(vec![Rule::new(fault).on("private/buy").times(1)]);
        let error = buy(&client, &label).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Network, "{label}: {error}");
        assert!(error.may_have_been_applied(), "nobody can know: {error}");
        assert_eq!(error.reconcile_with(), Some("get_order_state_by_label"), "{error}");
        let times = sandbox.deribit_order_labels().get(&label).copied().unwrap_or_default();
        assert_eq!(times, executed, "{label}");
        buy(&client, &format!("after {label}")).await.unwrap();
    }
    assert_eq!(client.connection().unwrap().stats().opened, 4);
    let events = events.lock().unwrap().join("\n");
    assert_eq!((events.matches("Opened").count(), events.matches("Lost").count()), (4, 3), "{events}");
}

#[tokio::test]
async fn a_read_is_repeated_over_the_next_connection() {
    let sandbox = sandbox().await;
    let client = builder(&sandbox).retry(RetryPolicy::default()).build().unwrap();
    sandbox.faults().set(vec![Rule::new(Fault::DropAfter).on("public/get_time").times(2)]);
    client.get_time().send().await.unwrap();
    assert_eq!(client.connection().unwrap().stats().opened, 3);
}

#[tokio::test]
async fn without_a_server_nothing_is_sent_and_the_error_says_so() {
    let nowhere = Nowhere::new();
    let environment = Environment::Custom(format!("ws://{}/ws/api/v2", nowhere.address()));
    let client = Client::websocket(environment).retry(RetryPolicy::none()).build().unwrap();
    for _ in 0..3 {
        let error = client.get_time().send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Network, "{error}");
        assert!(!error.may_have_been_applied() && error.is_retryable(), "{error}");
    }
}

#[tokio::test]
async fn a_venue_that_opens_nothing_is_told_apart() {
    let sandbox = sandbox().await;
    let status = |status| Fault::Status {
        status,
        body: Some("no".to_owned()),
        content_type: None,
        retry_after: Some(3),
        executed: false,
    };
    for (code, kind) in [(429, ErrorKind::RateLimited), (503, ErrorKind::Maintenance), (404, ErrorKind::NotFound)] {
        sandbox.faults().set(vec![Rule::new(status(code)).on("GET /ws/api/v2")]);
        let client = builder(&sandbox).build().unwrap();
        let error = client.get_time().send().await.unwrap_err();
        assert_eq!((error.kind(), error.status().map(|status| status.as_u16())), (kind, Some(code)), "{error}");
        assert!(!error.may_have_been_applied());
    }
    let wrong = Client::websocket(Environment::Custom(sandbox.deribit_url().replacen("http", "ws", 1)));
    let error = wrong.retry(RetryPolicy::none()).build().unwrap().get_time().send().await.unwrap_err();
    assert!(error.to_string().contains("no WebSocket"), "{error}");
}

#[tokio::test]
async fn settings_outlive_the_connection() {
    let sandbox = sandbox().await;
    let client = builder(&sandbox).build().unwrap();
    let count = |method: &str| sandbox.executed().get(&format!("deribit POST /api/v2/{method}")).copied().unwrap_or(0);
    client.enable_cancel_on_disconnect().send().await.unwrap();
    client.set_heartbeat().body_map(|params| params.interval(12)).send().await.unwrap();
    let order = buy(&client, "cancelled").await.unwrap();
    assert_eq!(sandbox.cut_connections(), 1);
    // The next connection is logged in and set before a call goes over it.
    until("another connection", || client.connection().unwrap().stats().opened == 2).await;
    let setting = client.get_cancel_on_disconnect().send().await.unwrap();
    assert!(setting.enabled);
    let call = client.get_order_state().body_map(|params| params.order_id(order.order_id));
    let state = call.send().await.unwrap().order_state.as_ref().map(ToString::to_string);
    assert_eq!(state.as_deref(), Some("cancelled"));
    assert_eq!(count("public/set_heartbeat"), 3, "the first, the user's, and the user's again");
    assert_eq!(count("private/enable_cancel_on_disconnect"), 2);

    client.disable_cancel_on_disconnect().send().await.unwrap();
    client.disable_heartbeat().send().await.unwrap();
    sandbox.cut_connections();
    until("a third connection", || client.connection().unwrap().stats().opened == 3).await;
    assert!(!client.get_cancel_on_disconnect().send().await.unwrap().enabled);
    assert_eq!((count("public/set_heartbeat"), count("private/enable_cancel_on_disconnect")), (3, 2));
}

#[tokio::test]
async fn a_connection_that_cannot_be_given_its_settings_carries_nothing() {
    let sandbox = sandbox().await;
    let client = builder(&sandbox).build().unwrap();
    client.enable_cancel_on_disconnect().send().await.unwrap();
    sandbox.faults().set(vec![Rule::new(Fault::DropAfter).on("private/enable_cancel_on_disconnect")]);
    sandbox.cut_connections();
    until("the connection is seen to be gone", || client.connection().unwrap().stats().lost == 1).await;
    let error = buy(&client, "unguarded").await.expect_err("the order would stay if the connection were lost");
    assert_eq!(error.kind(), ErrorKind::Network, "{error}");
    assert!(!error.may_have_been_applied(), "{error}");
    sandbox.faults().clear();
    until("it comes back", || client.connection().unwrap().stats().opened > 1).await;
    buy(&client, "guarded").await.unwrap();
    let labels = sandbox.deribit_order_labels();
    assert!(!labels.contains_key("unguarded") && labels["guarded"] == 1, "{labels:?}");
}

#[tokio::test]
async fn heartbeats_are_answered() {
    let sandbox = sandbox().await;
    let mut settings = sandbox.deribit_settings();
    // Ten of the venue's seconds are one of ours, which is long enough for a response on a busy machine.
    settings.heartbeat_second_millis = 100;
    sandbox.set_deribit_settings(settings);
    let options = options().heartbeat(Some(Duration::from_secs(10)));
    let client = builder(&sandbox).websocket(options).build().unwrap();
    client.get_time().send().await.unwrap();
    // Who does not respond to one question is not asked another.
    let answered = || sandbox.executed().get("deribit POST /api/v2/public/test").copied().unwrap_or_default();
    until("the venue has its responses", || answered() >= 2).await;
    client.get_time().send().await.unwrap();
    assert_eq!(client.connection().unwrap().stats().opened, 1, "the venue found somebody there");
}

#[tokio::test]
async fn an_answer_that_is_larger_than_is_read_ends_the_connection_alone() {
    let sandbox = sandbox().await;
    let client = builder(&sandbox).max_answer(2_000).build().unwrap();
    let call = client.get_instruments().body_map(|params| params.currency("BTC".to_owned()));
    let error = call.send().await.unwrap_err();
    assert!(error.message().contains("max_answer"), "{error}");
    client.get_time().send().await.unwrap();
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws/api/v2", listener.local_addr().unwrap());
    let timeouts = Timeouts { connect: Duration::from_millis(200), ..Timeouts::default() };
    let builder = Client::websocket(Environment::Custom(url)).timeouts(timeouts).retry(RetryPolicy::none());
    let error = builder.build().unwrap().get_time().send().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Network | ErrorKind::Timeout), "{error}");
    assert!(!error.may_have_been_applied());
}

#[test]
fn a_url_says_what_carries_the_calls() {
    let kalshi = venuekit::kalshi::Environment::Custom("wss://example.test".to_owned());
    let error = venuekit::kalshi::Client::builder(kalshi).build().unwrap_err();
    assert!(error.to_string().contains("WebSocket"), "{error}");
    assert!(Client::websocket(Environment::Custom("ftp://example.test".to_owned())).build().is_err());
    assert!(Client::websocket(Environment::Production).build().unwrap().connection().is_some());
}
