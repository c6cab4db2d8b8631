//! Binance's refusals by code and text, unknown outcomes, responses of two shapes, and lists that are paged by ids.

#[path = "common/canned.rs"]
mod canned;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use canned::{Canned, Script, Seen, http};
use venuekit::binance::types::{OrderType, Side, TimeInForce};
use venuekit::transport::RetryPolicy;
use venuekit::wire::OneOrMany;
use venuekit::wire::credentials::Cause;
use venuekit::{Error, ErrorKind, binance};

/// A server that gives these responses in turn, the last one forever.
async fn in_turn(responses: Vec<Vec<u8>>) -> Canned {
    let next = AtomicUsize::new(0);
    let script: Script = Arc::new(move |_| {
        let turn = next.fetch_add(1, Ordering::SeqCst);
        responses[turn.min(responses.len() - 1)].clone()
    });
    Canned::start(script).await
}

fn client(server: &Canned) -> binance::Client {
    let credentials = binance::Credentials::api_key("key", "secret").unwrap();
    let environment = binance::Environment::Custom(server.base_url.clone());
    let quick = RetryPolicy { first_wait: Duration::from_millis(2), ..RetryPolicy::default() };
    binance::Client::builder(environment).credentials(credentials).retry(quick).build().unwrap()
}

fn json(status: u16, body: &str) -> Vec<u8> {
    http(status, "application/json", body.as_bytes())
}

fn refusal(status: u16, code: i64, said: &str) -> Vec<u8> {
    json(status, &format!(r#"{{"code":{code},"msg":"{said}"}}"#))
}

/// Places an order whose server responds so, and returns the error and how often it was sent.
async fn order(responses: Vec<Vec<u8>>) -> (Error, usize) {
    let server = in_turn(responses).await;
    let client = client(&server);
    let order = client.new_order().symbol("BTCUSDT").side(Side::Buy).type_(OrderType::Limit);
    let order = order.time_in_force(TimeInForce::Gtc).quantity("0.010").price("28000.50").new_client_order_id("mine");
    let error = order.send().await.unwrap_err();
    (error, server.seen().len())
}

/// The value of a parameter in the query.
fn asked(seen: &Seen, name: &str) -> Option<String> {
    let target = seen.head.split(' ').nth(1).unwrap();
    let mut pairs = target.split_once('?').map_or("", |(_, query)| query).split('&');
    pairs.find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
}

#[tokio::test]
async fn causes_that_share_a_code_are_told_apart_by_the_text() {
    for (code, said, kind) in [
        (-2010, "Account has insufficient balance for requested action.", ErrorKind::InsufficientFunds),
        (-2010, "Duplicate order sent.", ErrorKind::Conflict),
        (-2010, "Market is closed.", ErrorKind::Maintenance),
        (-2010, "This action is disabled on this account.", ErrorKind::Forbidden),
        (-2010, "Order would immediately match and take.", ErrorKind::InvalidRequest),
        (-2011, "Unknown order sent.", ErrorKind::NotFound),
        (-1013, "Filter failure: LOT_SIZE", ErrorKind::InvalidRequest),
        (-1121, "Invalid symbol.", ErrorKind::InvalidRequest),
        (-1021, "Timestamp for this request is outside of the recvWindow.", ErrorKind::Clock),
        (-2014, "API-key format invalid.", ErrorKind::Unauthorized),
    ] {
        let (error, sent) = order(vec![refusal(400, code, said)]).await;
        assert_eq!((error.kind(), error.may_have_been_applied()), (kind, false), "{code} {said}: {error}");
        // A refusal that is certain and temporary is retried.
        assert_eq!(sent > 1, kind == ErrorKind::Maintenance, "{said}: sent {sent} times");
    }
}

#[tokio::test]
async fn an_outcome_that_the_venue_does_not_know_names_the_order() {
    let unknown = "Timeout waiting for response from backend server. Send status unknown; execution status unknown.";
    let half = refusal(409, -2021, "Order cancel-replace partially failed.");
    for response in [refusal(408, -1007, unknown), refusal(400, -1006, "said"), half, json(502, "{}"), Vec::new()] {
        let (error, sent) = order(vec![response]).await;
        assert!(error.may_have_been_applied() && !error.is_retryable(), "{error}");
        assert_eq!((error.reconcile_with(), error.client_id(), sent), (Some("get_order"), Some("mine"), 1), "{error}");
        assert_eq!(error.idempotency_key(), None, "the venue takes the same id again once the order is done");
    }
}

#[tokio::test]
async fn a_refusal_that_may_be_one_of_three_says_so() {
    let (error, _) = order(vec![refusal(401, -2015, "Invalid API-key, IP, or permissions for action.")]).await;
    assert_eq!((error.kind(), error.refusal_cause()), (ErrorKind::Unauthorized, Some(Cause::KeyAddressOrScope)));
    assert!(!error.is_unknown_key(), "an address or a permission is no proof that a key has ended: {error}");
}

#[tokio::test]
async fn prices_come_alone_or_as_a_list() {
    let one = r#"{"symbol":"BTCUSDT","price":"28000.50000000"}"#;
    let server = in_turn(vec![json(200, one), json(200, &format!("[{one},{one}]"))]).await;
    let client = client(&server);
    let alone = client.ticker_price().symbol("BTCUSDT").send().await.unwrap().into_inner();
    assert!(matches!(&alone, OneOrMany::One(ticker) if ticker.price == Some("28000.5".parse().unwrap())), "{alone:?}");
    let list =
        client.ticker_price().symbols(["BTCUSDT", "ETH/é"].map(str::to_owned)).send().await.unwrap().into_inner();
    assert_eq!((list.len(), list[1].symbol.as_str()), (2, "BTCUSDT"));
    assert_eq!(asked(&server.seen()[1], "symbols").unwrap(), "%5B%22BTCUSDT%22%2C%22ETH%2F%C3%A9%22%5D");
}

#[tokio::test]
async fn a_list_continues_after_the_last_id() {
    let trades = |ids: &[i64]| {
        let trades: Vec<String> = ids.iter().map(|id| format!(r#"{{"id":{id},"price":"1.5"}}"#)).collect();
        json(200, &format!("[{}]", trades.join(",")))
    };
    let server = in_turn(vec![trades(&[3, 4]), trades(&[9]), trades(&[])]).await;
    let client = client(&server);
    let mut stream = client.my_trades().symbol("BTCUSDT").from_id(0).stream();
    let mut ids = Vec::new();
    while let Some(trade) = stream.next().await {
        ids.push(trade.unwrap().id);
    }
    let from: Vec<String> = server.seen().iter().map(|seen| asked(seen, "fromId").unwrap()).collect();
    assert_eq!((ids, from), (vec![3, 4, 9], ["0", "5", "10"].map(str::to_owned).to_vec()));
    // A venue that does not look at the parameter would return the same page forever.
    let server = in_turn(vec![trades(&[3, 4])]).await;
    let client = self::client(&server);
    let mut stream = client.my_trades().symbol("BTCUSDT").from_id(100).stream();
    let error = loop {
        match stream.next().await.expect("an error before the end") {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!((error.kind(), server.seen().len()), (ErrorKind::Decode, 1), "{error}");
}

#[tokio::test]
async fn times_are_milliseconds_or_microseconds() {
    let server =
        in_turn(vec![json(200, r#"{"serverTime":1700000000123}"#), json(200, r#"{"serverTime":1700000000123456}"#)])
            .await;
    let client = client(&server);
    let millis = client.time().send().await.unwrap().server_time;
    let micros = client.time().send().await.unwrap().server_time;
    assert_eq!((millis.millis(), millis.micros()), (1_700_000_000_123.into(), 1_700_000_000_123_000.into()));
    assert_eq!((micros.millis(), micros.micros()), (1_700_000_000_123.into(), 1_700_000_000_123_456.into()));
}
