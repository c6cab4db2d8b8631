//! A request that keeps to the spec is accepted, counted once, and answered as the spec says.

use venuekit_sandbox::example_requests;

use crate::call::{Caller, USUAL, replace};
use crate::spec::Spec;
use crate::state;

/// Over HTTP the venue refuses what is about a connection.
pub const WEBSOCKET_ONLY: [&str; 10] = [
    "private/logout",
    "private/subscribe",
    "private/unsubscribe",
    "private/unsubscribe_all",
    "public/disable_heartbeat",
    "public/hello",
    "public/set_heartbeat",
    "public/subscribe",
    "public/unsubscribe",
    "public/unsubscribe_all",
];

async fn every_operation_is_accepted(venue: &'static str) {
    let spec = Spec::of(venue);
    let mut wrong = Vec::new();
    for with_optional in [true, false] {
        let caller = Caller::new(venue).await;
        let known = state::of(&caller, with_optional).await;
        let requests = example_requests(venue, with_optional);
        assert!(requests.len() > 20, "{venue}");
        for mut request in requests {
            let operation = request.operation.clone();
            replace(&mut request, &known[&operation], false);
            // Two operations of the perpetual futures are Kalshi's own, and count as such.
            let counter = match operation.as_str() {
                "CreateFCMSubtrader" | "IntraExchangeInstanceTransfer" => request.counter.replace("_perps", ""),
                _ => request.counter.clone(),
            };
            let count = || caller.sandbox.executed().get(&counter).copied().unwrap_or_default();
            let before = count();
            let answer = caller.send(&request, USUAL).await;
            if WEBSOCKET_ONLY.contains(&operation.as_str()) {
                assert!(answer.text.contains("must_be_websocket_request"), "{operation}: {}", answer.text);
            } else if answer.status != request.status {
                wrong.push(format!("{operation} ({with_optional}): {} {}\n{request:?}", answer.status, answer.text));
            } else if count() != before + 1 {
                wrong.push(format!("{operation} ({with_optional}) is not counted as {counter}"));
            } else if let Err(problem) = spec.conforms(&operation, &answer.json()) {
                wrong.push(format!("{operation} ({with_optional}): {problem}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{venue}: {} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn every_operation_of_bayse_is_accepted() {
    every_operation_is_accepted("bayse").await;
}

#[tokio::test]
async fn every_operation_of_deribit_is_accepted() {
    every_operation_is_accepted("deribit").await;
}

#[tokio::test]
async fn every_operation_of_kalshi_is_accepted() {
    every_operation_is_accepted("kalshi").await;
}

#[tokio::test]
async fn every_operation_of_kalshi_perps_is_accepted() {
    every_operation_is_accepted("kalshi_perps").await;
}

#[tokio::test]
async fn every_operation_of_yativo_is_accepted() {
    every_operation_is_accepted("yativo").await;
}
