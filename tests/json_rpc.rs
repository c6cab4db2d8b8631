//! The JSON-RPC envelope, as Deribit speaks it.

#[path = "common/canned.rs"]
mod canned;

use std::sync::Arc;
use std::time::Duration;

use canned::{Canned, Script, http};
use serde_json::{Value, json};
use venuekit::deribit::{Client, Credentials, Environment, ErrorCode};
use venuekit::transport::RetryPolicy;
use venuekit::{Error, ErrorKind};

/// A client and a server that responds with `status` and what `envelope` makes of the request's. The client sends nothing twice:
/// `tests/retries.rs` has that.
async fn answering(status: u16, envelope: impl Fn(Value) -> String + Send + Sync + 'static) -> (Canned, Client) {
    repeating(status, envelope, RetryPolicy::none()).await
}

async fn repeating(
    status: u16,
    envelope: impl Fn(Value) -> String + Send + Sync + 'static,
    retry: RetryPolicy,
) -> (Canned, Client) {
    let script: Script = Arc::new(move |seen| {
        let request = serde_json::from_slice(&seen.body).expect("an envelope");
        http(status, "application/json", envelope(request).as_bytes())
    });
    let server = Canned::start(script).await;
    let environment = Environment::Custom(format!("{}/api/v2", server.base_url));
    let credentials = Credentials::secret("AMANDA", "AMANDASECRECT").unwrap();
    let client = Client::builder(environment).credentials(credentials).retry(retry).build().unwrap();
    (server, client)
}

/// An order at a venue that responds like this, by a client that may repeat it. How often it was sent, and the error.
async fn ordered(status: u16, envelope: impl Fn(Value) -> String + Send + Sync + 'static) -> (usize, Error) {
    let retry = RetryPolicy { first_wait: Duration::from_millis(2), ..RetryPolicy::default() };
    let (server, client) = repeating(status, envelope, retry).await;
    let error = client.buy().instrument_name("BTC-PERPETUAL").amount("10").send().await.map(drop).unwrap_err();
    (server.seen().len(), error)
}

async fn cancel(client: &Client) -> Error {
    client.cancel().body_map(|params| params.order_id("ETH-1")).send().await.map(drop).expect_err("it fails")
}

#[tokio::test]
async fn the_request_is_a_whole_envelope_on_the_methods_path() {
    let answer = |request: Value| json!({"jsonrpc": "2.0", "id": request["id"], "result": "ok"}).to_string();
    let (server, client) = answering(200, answer).await;
    let removed = client.remove_api_key().body_map(|params| params.id(3)).send().await.unwrap();
    assert_eq!(*removed, "ok");
    let seen = &server.seen()[0];
    assert!(seen.head.starts_with("POST /api/v2/private/remove_api_key HTTP/1.1"), "{}", seen.head);
    assert!(seen.head.to_lowercase().contains("content-type: application/json"), "{}", seen.head);
    assert!(seen.head.to_lowercase().contains("authorization: deri-hmac-sha256 id=amanda,ts="), "{}", seen.head);
    let body: Value = serde_json::from_slice(&seen.body).unwrap();
    let expected = json!({"jsonrpc": "2.0", "id": 1, "method": "private/remove_api_key", "params": {"id": 3}});
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_method_without_params_sends_an_empty_object_and_a_result_may_be_bare() {
    let answer = |request: Value| {
        let id = &request["id"];
        format!(
            r#"{{"usOut":1768000000000300,"result":1768000000123,"id":{id},"jsonrpc":"2.0","testnet":true,"usIn":1768000000000100,"usDiff":200,"new":{{}}}}"#
        )
    };
    let (server, client) = answering(200, answer).await;
    let time = client.get_time().send().await.unwrap();
    assert_eq!(time.get(), 1_768_000_000_123);
    let timing = time.timing().unwrap();
    assert_eq!((timing.us_diff, timing.testnet), (Some(200), Some(true)));
    assert_eq!(timing.us_out.unwrap() - timing.us_in.unwrap(), 200);
    let body: Value = serde_json::from_slice(&server.seen()[0].body).unwrap();
    assert_eq!(body["params"], json!({}));
    assert!(!server.seen()[0].head.to_lowercase().contains("authorization"), "a public method is not signed");
}

#[tokio::test]
async fn an_error_is_read_on_any_status() {
    for status in [200, 400, 401, 500] {
        let answer = |request: Value| {
            let error = json!({"code": 10009, "message": "not_enough_funds", "data": {"reason": "too little", "param": "amount"}});
            json!({"jsonrpc": "2.0", "id": request["id"], "error": error, "usDiff": 7}).to_string()
        };
        let (_server, client) = answering(status, answer).await;
        let error = cancel(&client).await;
        assert_eq!(error.kind(), ErrorKind::InsufficientFunds, "{error}");
        assert_eq!((error.code(), error.message()), (Some("10009"), "not_enough_funds"));
        assert_eq!((error.detail(), error.param()), (Some("too little"), Some("amount")));
        assert_eq!(error.may_have_been_applied(), status == 500, "{error}");
    }
}

#[tokio::test]
async fn an_envelope_may_be_written_in_any_way() {
    let answer = |request: Value| {
        let id = &request["id"];
        format!(
            r#"{{"\u0069d":{id},"err\u006fr":{{"c\u006fde":10009,"message":"no","data":{{"w\u0061it":"1e400"}}}}}}"#
        )
    };
    let (_server, client) = answering(400, answer).await;
    let error = cancel(&client).await;
    assert_eq!((error.code(), error.kind()), (Some("10009"), ErrorKind::InsufficientFunds), "{error}");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3_600)));
    let answer = |request: Value| {
        let id = &request["id"];
        format!(r#"{{"id":{id},"result":{{"security_key_authorizatio\u006e_required":true,"\u0063hallenge":"c-1"}}}}"#)
    };
    let (_server, client) = answering(200, answer).await;
    let error = cancel(&client).await;
    assert_eq!(error.kind(), ErrorKind::Challenge, "{error}");
    assert_eq!(error.challenge().map(|challenge| challenge.challenge.expose()), Some("c-1"));
}

#[tokio::test]
async fn a_code_of_tomorrow_is_an_error_like_any_other() {
    let answer = |request: Value| json!({"id": request["id"], "error": {"code": 99999, "message": "new"}}).to_string();
    let (_server, client) = answering(400, answer).await;
    let error = cancel(&client).await;
    assert_eq!((error.code(), error.kind()), (Some("99999"), ErrorKind::InvalidRequest));
    assert_eq!(ErrorCode::of(&error), Some(ErrorCode::Unknown("99999".to_owned())));
    assert_eq!(ErrorCode::from("10009"), ErrorCode::NotEnoughFunds);
    assert_eq!(
        (ErrorCode::NotEnoughFunds.code(), ErrorCode::NotEnoughFunds.name()),
        ("10009", Some("not_enough_funds"))
    );
}

#[tokio::test]
async fn an_order_whose_outcome_is_open_is_sent_once_under_any_status() {
    for code in [11094, 13028, 13888] {
        for status in [200, 400, 500] {
            let answer =
                move |request: Value| json!({"id": request["id"], "error": {"code": code, "message": "x"}}).to_string();
            let (sent, error) = ordered(status, answer).await;
            assert!(error.may_have_been_applied(), "{code} {status}: {error}");
            assert_eq!(sent, 1, "{code} {status}");
            assert!(!error.is_retryable() && error.reconcile_with().is_some(), "{code} {status}");
        }
    }
}

#[tokio::test]
async fn an_error_that_may_be_another_calls_refuses_nothing() {
    let of_another = |_| json!({"id": 1001, "error": {"code": 10028, "message": "too_many_requests"}}).to_string();
    let beside_a_result = |request: Value| {
        let order = json!({"order": {"order_id": "1"}, "trades": []});
        json!({"id": request["id"], "result": order, "error": {"code": 10028, "message": "x"}}).to_string()
    };
    for status in [200, 429] {
        let (sent, error) = ordered(status, of_another).await;
        assert_eq!((sent, error.kind(), error.may_have_been_applied()), (1, ErrorKind::Decode, true), "{error}");
    }
    let (sent, error) = ordered(200, beside_a_result).await;
    assert_eq!((sent, error.kind(), error.may_have_been_applied()), (1, ErrorKind::Decode, true), "{error}");
    let (_server, client) = answering(200, |request| {
        json!({"id": request["id"], "result": null, "error": {"code": 10009, "message": "x"}}).to_string()
    })
    .await;
    assert_eq!(cancel(&client).await.code(), Some("10009"), "a result that is null is none");
}

#[tokio::test]
async fn a_failure_is_no_success_whatever_it_brings() {
    for status in [403, 503] {
        for result in ["null", "0", "[]", "{}"] {
            let body = format!(r#"{{"success":false,"errors":[{{"code":1020}}],"result":{result}}}"#);
            let (_server, client) = answering(status, move |_| body.clone()).await;
            let error = client.cancel_all().send().await.map(drop).unwrap_err();
            assert_eq!(error.status().map(|status| status.as_u16()), Some(status), "{result}: {error}");
            assert_eq!(error.may_have_been_applied(), status == 503, "{result}: {error}");
        }
    }
}

#[tokio::test]
async fn a_wait_stands_in_the_body() {
    let answer = |request: Value| {
        json!({"id": request["id"], "error": {"code": 12998, "message": "over limit", "data": {"wait": 4}}}).to_string()
    };
    let (_server, client) = answering(400, answer).await;
    assert_eq!(cancel(&client).await.retry_after(), Some(Duration::from_secs(4)));
}

#[tokio::test]
async fn what_is_no_answer_to_this_call_is_not_taken_for_one() {
    type Answer = fn(Value) -> String;
    let cases: [(Answer, &str); 5] = [
        (
            |_| json!({"jsonrpc": "2.0", "id": 999, "result": {"order_id": "a", "instrument_name": "b"}}).to_string(),
            "another call",
        ),
        (|request| json!({"jsonrpc": "2.0", "id": request["id"]}).to_string(), "neither a result nor an error"),
        (|_| "[1,2,3]".to_owned(), "no JSON-RPC envelope"),
        (|_| String::new(), "empty"),
        (|request| json!({"id": request["id"], "result": null}).to_string(), "expected struct Order"),
    ];
    for (answer, said) in cases {
        let (_server, client) = answering(200, answer).await;
        let error = cancel(&client).await;
        assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
        assert!(error.to_string().contains(said), "{said}: {error}");
        assert!(error.may_have_been_applied(), "the venue answered with success: {error}");
    }
}

#[tokio::test]
async fn a_confirmed_call_is_the_same_call_with_two_more_params() {
    let answer = |request: Value| {
        if request["params"]["challenge"] == json!("Y2hh\"bGxlbmdl")
            && request["params"]["authorization_data"] == json!("123456")
        {
            return json!({"id": request["id"], "result": []}).to_string();
        }
        let challenge = json!({
            "security_key_authorization_required": true, "rp_id": "test.deribit.com",
            "security_keys": [{"type": "tfa", "name": "tfa"}], "challenge": "Y2hh\"bGxlbmdl",
        });
        json!({"id": request["id"], "result": challenge}).to_string()
    };
    let (server, client) = answering(200, answer).await;
    let error = client.list_api_keys().send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Challenge);
    let challenge = error.challenge().unwrap();
    assert!(!format!("{error:?}{challenge:?}").contains("bGxlbmdl"), "it is good for one confirmation");
    client.confirm(challenge, "123456").list_api_keys().send().await.unwrap();

    let error = client.disable_api_key().body_map(|params| params.id(3)).send().await.unwrap_err();
    let confirming = client.confirm(error.challenge().unwrap(), "123456");
    let _ = confirming.disable_api_key().body_map(|params| params.id(3)).send().await;
    let body: Value = serde_json::from_slice(&server.seen().last().unwrap().body).unwrap();
    let expected = json!({"id": 3, "challenge": "Y2hh\"bGxlbmdl", "authorization_data": "123456"});
    assert_eq!(body["params"], expected);
}
