//! Waits that are too long, and calls that are charged in addition.

use std::time::Duration;

use crate::desk::*;
use serde_json::Value;
use tokio::time::advance;
use venuekit::transport::{RateLimits, RetryPolicy};
use venuekit::{ErrorKind, bayse, yativo};

#[test]
fn a_wait_that_is_too_long_is_told_at_once() {
    at_a_standstill(async {
        let desk = Desk::new(RateLimits::new()).await;
        desk.goes(60, YATIVO).await;
        // The call itself would have two minutes.
        let patient = desk.yativo.with_timeout(Duration::from_secs(120));
        let error = patient.with_rate_wait(Duration::from_secs(59)).list_accounts().send().await.unwrap_err();
        let told = (error.kind(), error.retry_after(), error.attempts());
        assert_eq!(told, (ErrorKind::RateLimited, Some(Duration::from_secs(60)), 1), "{error}");

        // No wait is longer than the call may take.
        desk.goes(1, BAYSE_LOGIN).await;
        let login = desk.bayse.with_rate_wait(Duration::MAX).with_timeout(Duration::from_secs(119));
        let call = login.login().body_map(|body| body.email("me@example.com").password("pass"));
        let error = call.send().await.unwrap_err();
        let told = (error.kind(), error.retry_after(), error.attempts());
        assert_eq!(told, (ErrorKind::RateLimited, Some(Duration::from_secs(120)), 1), "{error}");
        assert_eq!(desk.sent(), 61);

        // A call that would wait is not repeated either, nor does it stay in the queue behind one that waits.
        let waiting = {
            let client = patient.with_rate_wait(Duration::MAX);
            tokio::spawn(async move { client.list_accounts().send().await.map(drop) })
        };
        desk.goes(3, KALSHI_READ).await;
        let eager = RetryPolicy { longest_wait: Duration::from_secs(100), ..RetryPolicy::default() };
        let patient = patient.with_retry(eager).with_rate_wait(Duration::from_secs(59));
        let error = patient.list_accounts().send().await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::RateLimited, 1), "{error}");
        assert!(!waiting.is_finished());
        advance(Duration::from_secs(60)).await;
        waiting.await.unwrap().unwrap();
    });
}

#[test]
fn a_login_is_billed_too() {
    at_a_standstill(async {
        let desk = Desk::new(RateLimits::new()).await;
        let environment = yativo::Environment::Custom(desk.server.base_url.clone());
        let credentials = yativo::Credentials::api_key("key", "secret").unwrap();
        let client = finish(yativo::Client::builder(environment).credentials(credentials), &RateLimits::new()).unwrap();
        for _ in 0..59 {
            client.list_accounts().send().await.unwrap();
        }
        let error = client.list_accounts().send().await.unwrap_err();
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(Duration::from_secs(60))));
        let paths: Vec<String> =
            desk.server.seen().iter().map(|seen| seen.head.split(' ').nth(1).unwrap().to_owned()).collect();
        assert_eq!((paths.len(), paths.iter().filter(|path| *path == "/auth/token").count()), (60, 1));
    });
}

#[test]
fn a_second_login_within_two_minutes_is_not_sent() {
    at_a_standstill(async {
        let desk = Desk::new(RateLimits::new()).await;
        let environment = bayse::Environment::Custom(desk.server.base_url.clone());
        let credentials = bayse::Credentials::login("me@example.com", "pass").unwrap();
        let builder = bayse::Client::builder(environment).credentials(credentials);
        let client = builder.rate_limits(RateLimits::new()).retry(AT_ONCE).build().unwrap();
        client.list_api_keys().send().await.unwrap();
        // The venue no longer takes the session.
        desk.answers(refusal(401, "", r#"{"statusCode":401,"error":"unauthorized","message":"x"}"#));
        let error = client.list_api_keys().send().await.unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_secs(120)), "{error}");
        assert!(!error.may_have_been_applied() && error.kind() == ErrorKind::RateLimited, "{error}");
        assert_eq!(desk.sent(), 3, "a login, a list, and one that was refused");
        advance(Duration::from_secs(120)).await;
        client.list_api_keys().send().await.unwrap();
        assert_eq!(desk.sent(), 5);
    });
}

#[test]
fn an_order_whose_answer_was_lost_may_have_been_placed_also_when_its_repetition_is_held_back() {
    at_a_standstill(async {
        let desk = Desk::new(RateLimits::new()).await;
        desk.goes(9, KALSHI_ORDER).await;
        desk.answers(Vec::new());
        let error = kalshi_order(&desk.kalshi.with_retry(AT_ONCE)).send().await.unwrap_err();
        assert_eq!((error.kind(), error.attempts(), desk.sent()), (ErrorKind::RateLimited, 2, 10), "{error}");
        assert!(error.may_have_been_applied() && !error.is_retryable(), "{error}");
        assert_eq!(error.retry_after(), Some(millis(100)));
        let body: Value = serde_json::from_slice(&desk.server.seen()[9].body).unwrap();
        assert_eq!(body["client_order_id"].as_str(), error.idempotency_key());
    });
}
