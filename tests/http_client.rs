//! What a user sets on the HTTP client changes nothing that the client relies on.

#[path = "common/canned.rs"]
mod canned;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use canned::{Canned, http};
use reqwest::redirect::Policy;
use venuekit::transport::{RateLimits, RetryPolicy, Timeouts};
use venuekit::{Error, ErrorKind, deribit};

fn client(
    server: &Canned,
    settings: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Clone + Send + 'static,
) -> deribit::Client {
    deribit::Client::builder(deribit::Environment::Custom(server.base_url.clone()))
        .credentials(deribit::Credentials::secret("AMANDA", "AMANDASECRECT").unwrap())
        .retry(RetryPolicy::none())
        .rate_limits(RateLimits::none())
        .http_client(settings)
        .build()
        .unwrap()
}

async fn buy(client: &deribit::Client) -> Error {
    let call = client.buy().body_map(|params| params.instrument_name("BTC-PERPETUAL").amount("10").price("1"));
    call.send().await.unwrap_err()
}

#[tokio::test]
async fn no_redirect_is_followed_whatever_is_set() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = Canned::start(Arc::new(|_| http(200, "application/json", b"{}"))).await;
        let place = elsewhere.base_url.clone();
        let server = Canned::start(Arc::new(move |_| {
            format!(
                "HTTP/1.1 {status} Elsewhere\r\nlocation: {place}/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
            .into_bytes()
        }))
        .await;
        let policies: [fn() -> Policy; 3] =
            [Policy::default, || Policy::limited(10), || Policy::custom(|attempt| attempt.follow())];
        for policy in policies {
            let error = buy(&client(&server, move |http| http.redirect(policy()))).await;
            assert_eq!(error.status().map(|status| status.as_u16()), Some(status), "{error}");
        }
        assert_eq!((server.seen().len(), elsewhere.seen().len()), (3, 0), "{status}");
    }
}

#[tokio::test]
async fn no_request_is_repeated_below_the_retry_policy() {
    let server = Canned::start(Arc::new(|_| http(503, "application/json", b"{}"))).await;
    let always = || reqwest::retry::for_host("127.0.0.1").no_budget().classify_fn(|seen| seen.retryable());
    buy(&client(&server, move |http| http.retry(always()))).await;
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn what_is_set_holds_where_nothing_depends_on_it() {
    let server = Canned::start(Arc::new(|_| http(200, "application/json", b"{}"))).await;
    buy(&client(&server, |http| http.user_agent("a program").connect_timeout(Duration::MAX))).await;
    assert!(server.seen()[0].head.contains("user-agent: a program"), "{}", server.seen()[0].head);
    let made = Arc::new(AtomicUsize::new(0));
    let count = made.clone();
    buy(&client(&server, move |http| {
        count.fetch_add(1, Ordering::SeqCst);
        http
    }))
    .await;
    assert_eq!(made.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn no_time_limit_is_too_long() {
    let server = Canned::start(Arc::new(|_| http(503, "application/json", b"{}"))).await;
    for span in [Duration::MAX, Duration::ZERO] {
        let builder = deribit::Client::builder(deribit::Environment::Custom(server.base_url.clone()));
        let timeouts = Timeouts { connect: span, attempt: span, call: span };
        let longest = RetryPolicy { attempts: 1, first_wait: span, longest_wait: span };
        let client = builder.timeouts(timeouts).retry(longest).rate_wait(span).build().unwrap();
        let error = client.with_timeout(span).with_rate_wait(span).get_time().send().await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Maintenance | ErrorKind::Network), "{error}");
    }
}
