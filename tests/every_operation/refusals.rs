//! A venue's refusal is typed, and shows no secret even where the venue echoes one.

use std::sync::Arc;

use serde_json::{Value, json};
use venuekit::wire::operation::{Errors, Operation, Protocol, Venue};
use venuekit::{Error, ErrorKind, yativo};

use crate::canned::{Canned, Script, Seen, http};
use crate::example::{MARKER, Shape};
use crate::leaks::{assert_no_secret, shown};
use crate::run::{Outcome, run, run_some};
use crate::venues::{everywhere, subjects};

/// An error body in which every place that the venue's errors are read from echoes the caller's secret.
fn echo(errors: &Errors) -> Value {
    let mut body = json!({});
    for place in [errors.message, errors.detail, errors.param].concat() {
        let mut at = &mut body;
        let steps: Vec<&str> = place[1..].split('/').collect();
        let (last, above) = steps.split_last().unwrap();
        for step in above {
            if !at[*step].is_object() {
                at[*step] = json!({});
            }
            at = &mut at[*step];
        }
        if at[*last].is_null() {
            at[*last] = json!(format!("refused {MARKER} as given"));
        }
    }
    body
}

fn refusal(venue: &Venue, seen: &Seen) -> Vec<u8> {
    let mut body = echo(&venue.errors);
    let body = match venue.protocol {
        Protocol::Rest => body,
        Protocol::JsonRpc => {
            let call: Value = serde_json::from_slice(&seen.body).unwrap();
            // No status says it over a WebSocket.
            body["code"] = json!(13009);
            json!({"jsonrpc": "2.0", "id": call["id"], "error": body})
        }
    };
    http(401, "application/json", body.to_string().as_bytes())
}

fn is_typed(outcome: &Outcome) -> &Error {
    let error = outcome.result.as_ref().err().expect(outcome.operation.id);
    assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
    let status = outcome.seen.iter().all(|seen| !seen.head.is_empty()).then_some(401);
    assert_eq!(error.status().map(|status| status.as_u16()), status, "{error}");
    assert!(!error.may_have_been_applied(), "{error}");
    assert!(error.message().starts_with("refused"), "{error}");
    error
}

#[tokio::test]
async fn a_refusal_is_typed_and_echoes_no_secret_of_the_client() {
    // A client of Kalshi's sends no secret that the venue could echo.
    for subject in everywhere().into_iter().filter(|subject| !subject.venue.name.starts_with("kalshi")) {
        let venue = subject.venue;
        for outcome in run(&subject, Shape::Full, move |_, seen| refusal(venue, seen)).await {
            if !outcome.operation.on_connection.is_some_and(|on| on.closes) {
                is_typed(&outcome);
            }
        }
    }
}

#[tokio::test]
async fn a_refusal_echoes_no_secret_of_the_request() {
    let mut secrets = 0;
    for subject in everywhere() {
        let venue = subject.venue;
        // Others have nothing that could be echoed: the marker would be the server's own word.
        let carries_one = |operation: &&'static Operation| !operation.secret_fields.is_empty();
        let operations: Vec<_> = subject.venue.operations.iter().filter(carries_one).collect();
        secrets += operations.len();
        let reply = move |_: &'static Operation, seen: &Seen| refusal(venue, seen);
        for outcome in run_some(&subject, &operations, "another-secret", Shape::Full, reply).await {
            is_typed(&outcome);
        }
    }
    assert!(secrets > 3, "{secrets} requests carry a secret");
}

#[tokio::test]
async fn a_token_that_was_fetched_is_not_echoed_either() {
    let script: Script = Arc::new(|seen| match seen.head.starts_with("POST /auth/token ") {
        true => {
            http(200, "application/json", json!({"access_token": MARKER, "expires_in": 3600}).to_string().as_bytes())
        }
        false => {
            http(403, "application/json", json!({"error": format!("no scope for {MARKER}")}).to_string().as_bytes())
        }
    });
    let server = Canned::start(script).await;
    let credentials = yativo::Credentials::api_key("key", "secret").unwrap();
    let environment = yativo::Environment::Custom(server.base_url.clone());
    let client = yativo::Client::builder(environment).credentials(credentials).build().unwrap();
    let error = client.list_accounts().send().await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Forbidden, "no scope for [redacted]"));
    assert_no_secret("the error", &shown(&error));
}

#[tokio::test]
async fn what_needs_a_websocket_is_not_sent_over_http() {
    let server = Canned::start(Arc::new(|_| panic!("nothing is sent"))).await;
    let mut refused = 0;
    for subject in subjects() {
        let client = (subject.connect)(&server.base_url, MARKER);
        let only = |row: &&'static Operation| row.on_connection.is_some_and(|on| on.only);
        for operation in subject.venue.operations.iter().filter(only) {
            let given = subject.spec.request(operation, Shape::Full);
            let error = client.call(operation.id, given.given()).unwrap().answer.await.err().expect(operation.id);
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
            assert!(error.message().contains("Client::websocket"), "{error}");
            refused += 1;
        }
    }
    assert_eq!((refused, server.seen().len()), (18, 0));
}
