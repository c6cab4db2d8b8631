//! Numbers from outside, as large as they come: none ends the connection's task.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio_websockets::Message;
use venuekit::ErrorKind;
use venuekit::deribit::{Client, Environment};
use venuekit::transport::{RetryPolicy, Timeouts};

use crate::canned::{Canned, http};
use crate::desk::{builder, buy, options, sandbox};
use crate::scripted::{client, serve};

/// Long before any call's own time is over.
const SOON: Duration = Duration::from_secs(15);

/// What a venue may say in `Retry-After`, and whether it asks for a wait at all.
const WAITS: [(&str, bool); 14] = [
    ("0", false),
    ("300", true),
    ("1e19", true),
    ("18446744073709551615", true),
    ("18446744073709551616", true),
    ("9223372036854775807", true),
    ("1e308", true),
    ("inf", true),
    ("NaN", true),
    ("-1", true),
    ("soon", true),
    ("Fri, 31 Dec 9999 23:59:59 GMT", true),
    ("Sun, 06 Nov 1994 08:49:37 GMT", false),
    ("0x10", true),
];

#[tokio::test]
async fn any_wait_at_the_handshake_is_bounded_and_the_client_goes_on() {
    for (wait, asks) in WAITS {
        let refusal = http(503, "text/plain", b"no");
        let refusal = String::from_utf8(refusal).unwrap().replacen("\r\n", &format!("\r\nretry-after: {wait}\r\n"), 1);
        let server = Canned::start(std::sync::Arc::new(move |_| refusal.clone().into_bytes())).await;
        let url = server.base_url.replacen("http", "ws", 1);
        let client = client(&url, Timeouts::default(), options()).build().unwrap();
        for _ in 0..2 {
            let error = tokio::time::timeout(SOON, client.get_time().send()).await;
            let error = error.unwrap_or_else(|_| panic!("{wait}: nobody works")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Maintenance, "{wait}: {error}");
            let told = error.retry_after().unwrap_or_default();
            assert!(told <= Duration::from_secs(3600), "{wait}: {told:?}");
            assert!(!asks || told > Duration::from_secs(1), "{wait}: {told:?}");
        }
        if asks {
            assert_eq!(server.seen().len(), 1, "{wait}: not asked again before that");
        }
    }
}

#[tokio::test]
async fn any_span_of_the_user_is_taken() {
    let sandbox = sandbox().await;
    for span in
        [Duration::MAX, Duration::from_secs(u64::MAX), Duration::from_secs(u64::MAX / 2), Duration::from_secs(1 << 40)]
    {
        let options = options().heartbeat(Some(span)).reconnect(span, span).in_flight(usize::MAX);
        let timeouts = Timeouts { connect: span, attempt: span, call: span };
        let retry = RetryPolicy { attempts: u32::MAX, first_wait: span, longest_wait: span };
        let client = builder(&sandbox).websocket(options).timeouts(timeouts).rate_wait(span);
        let client = client.retry(retry).max_answer(usize::MAX).build().unwrap().with_timeout(span);
        buy(&client, &format!("{span:?}")).await.unwrap();
        // A heartbeat that a call asks for.
        let _ = client.set_heartbeat().body_map(|params| params.interval(i64::MAX)).send().await;
        client.get_time().send().await.unwrap();
        assert_eq!(client.connection().unwrap().stats().lost, 0);
    }
}

/// A venue whose envelope tells the ends of time, and other numbers.
#[tokio::test]
async fn any_number_in_an_envelope_is_taken() {
    let numbers =
        ["-9223372036854775808", "9223372036854775807", "0", "1e400", "\"x\"", "null", "99999999999999999999"];
    let url = serve(move |mut stream, _| async move {
        let mut answered = 0;
        while let Some(Ok(message)) = stream.next().await {
            let Some(text) = message.as_text() else { continue };
            let request: serde_json::Value = serde_json::from_str(text).unwrap();
            let (id, number) = (&request["id"], numbers[answered / 2 % numbers.len()]);
            let part = match answered % 2 {
                0 => format!(r#""result":{number}"#),
                _ => r#""error":{"code":10028,"message":"too_many_requests"}"#.to_owned(),
            };
            let times = format!(r#""usIn":{number},"usOut":{number},"usDiff":{number},"testnet":true"#);
            let odd = format!(r#"{{"jsonrpc":"2.0","id":{number},"result":1}}"#);
            stream.send(Message::text(odd)).await.unwrap();
            stream.send(Message::text(format!(r#"{{"jsonrpc":"2.0","id":{id},{part},{times}}}"#))).await.unwrap();
            answered += 1;
        }
    })
    .await;
    let client = client(&url, Timeouts::default(), options()).build().unwrap();
    for _ in 0..4 * numbers.len() {
        let _ = tokio::time::timeout(SOON, client.get_time().send()).await.expect("nobody works");
    }
    let stats = client.connection().unwrap().stats();
    assert_eq!((stats.opened, stats.lost), (1, 0), "{stats:?}");
    assert!(client.clock().offset_millis().abs() <= 15 * 60 * 1000);
}

/// The same over HTTP, where the clock is corrected by what a refusal tells.
#[tokio::test]
async fn any_time_of_a_venue_is_taken_over_http() {
    for time in [i64::MIN, i64::MIN + 1, i64::MAX, 0, -1] {
        let body = format!(
            r#"{{"jsonrpc":"2.0","error":{{"code":13009,"message":"unauthorized"}},"usIn":{time},"usOut":{time},"usDiff":0}}"#
        );
        let server = Canned::start(std::sync::Arc::new(move |_| http(400, "application/json", body.as_bytes()))).await;
        let client = Client::builder(Environment::Custom(server.base_url.clone()))
            .credentials(venuekit::deribit::Credentials::secret("A", "B").unwrap())
            .build()
            .unwrap();
        buy(&client, "label").await.unwrap_err();
        assert!(client.clock().offset_millis().abs() <= 15 * 60 * 1000);
        // A time that an operation returns.
        let body = format!(r#"{{"jsonrpc":"2.0","result":{time}}}"#);
        let server = Canned::start(std::sync::Arc::new(move |_| http(200, "application/json", body.as_bytes()))).await;
        let client = Client::builder(Environment::Custom(server.base_url.clone())).build().unwrap();
        assert_eq!(client.get_time().send().await.unwrap().get(), time);
        assert!(client.clock().offset_millis().abs() <= 15 * 60 * 1000);
    }
}
