//! Every call of a venue against a server that responds as a test says. Secrets are looked for everywhere.

use std::sync::Arc;

use venuekit::Error;
use venuekit::wire::operation::{Operation, Protocol, Venue};

use crate::call::Answer;
use crate::canned::{Canned, Script, Seen, http};
use crate::example::{MARKER, Request, Shape};
use crate::frames::{self, Current};
use crate::json::Json;
use crate::leaks::{assert_no_secret, log, shown};
use crate::venues::{Carrier, Subject};

/// What became of a call.
pub struct Outcome {
    pub operation: &'static Operation,
    pub given: Request,
    /// What arrived at the server.
    pub seen: Vec<Seen>,
    pub result: Result<Answer, Error>,
}

impl Outcome {
    /// The operation, for a message.
    pub fn name(&self, venue: &Venue) -> String {
        format!("{} {}", venue.name, self.operation.id)
    }
}

/// Makes every call of a venue, given all that it takes or only what it must have.
pub async fn run(
    subject: &Subject,
    requests: Shape,
    reply: impl Fn(&'static Operation, &Seen) -> Vec<u8> + Send + Sync + 'static,
) -> Vec<Outcome> {
    let venue = subject.venue;
    assert_eq!(venue.operations.len(), subject.spec.operations(), "the table has every operation of {}", venue.name);
    run_some(subject, &subject.operations(), MARKER, requests, reply).await
}

/// Makes some calls, with this in the client's own secrets.
pub async fn run_some(
    subject: &Subject,
    operations: &[&'static Operation],
    secret: &str,
    requests: Shape,
    reply: impl Fn(&'static Operation, &Seen) -> Vec<u8> + Send + Sync + 'static,
) -> Vec<Outcome> {
    let before = log().len();
    let venue = subject.venue;
    let current = Current::default();
    let called = current.clone();
    let script: Script = Arc::new(move |seen| {
        let operation = called.lock().unwrap().expect("a call is in flight");
        reply(operation, seen)
    });
    let server = match subject.carrier {
        Carrier::Http => Canned::start(script).await,
        Carrier::WebSocket => frames::start(script, current.clone()).await,
    };
    let client = (subject.connect)(&server.base_url, secret);
    let mut outcomes: Vec<Outcome> = Vec::new();
    let mut arrived = 0;
    for &operation in operations {
        *current.lock().unwrap() = Some(operation);
        let given = subject.spec.request(operation, requests);
        let client = client.fit(operation, secret);
        assert_no_secret("Debug of the client", &client.shown());
        let call = client.call(operation.id, given.given());
        let call = call.unwrap_or_else(|message| panic!("{} {}: {message}", venue.name, operation.id));
        assert!(call.building.contains("Session"), "a builder is shown at all: {}", call.building);
        assert_no_secret("a builder", &call.building);
        let result = call.answer.await;
        match &result {
            Ok(answer) => assert_no_secret(operation.id, &answer.shown),
            Err(error) => assert_no_secret(operation.id, &shown(error)),
        }
        let seen = server.seen().split_off(arrived);
        arrived += seen.len();
        for request in seen.iter().filter(|request| !request.head.is_empty()) {
            assert_no_secret("the URL", request.head.lines().next().unwrap());
        }
        outcomes.push(Outcome { operation, given, seen, result });
    }
    let log = log().split_off(before);
    assert_no_secret("the log", &log);
    assert!(operations.iter().all(|row| log.contains(row.id)), "the log that is searched has every call");
    outcomes
}

/// A successful response, in the envelope that the venue's protocol asks for.
pub fn good(venue: &Venue, seen: &Seen, body: Option<&str>) -> Vec<u8> {
    match (venue.protocol, body) {
        (Protocol::Rest, None) => http(204, "text/plain", b""),
        (Protocol::Rest, Some(body)) => http(200, "application/json", body.as_bytes()),
        (Protocol::JsonRpc, body) => {
            let request = Json::parse(std::str::from_utf8(&seen.body).unwrap());
            let id = request.get("id").expect("an envelope");
            let body = body.unwrap_or("null");
            let text = format!(
                r#"{{"jsonrpc":"2.0","id":{id},"result":{body},"usIn":1,"usOut":3,"usDiff":2,"testnet":true}}"#
            );
            http(200, "application/json", text.as_bytes())
        }
    }
}
