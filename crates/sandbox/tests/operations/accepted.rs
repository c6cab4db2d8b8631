//! A request that keeps to the spec is accepted, counted once, and answered as the spec says.

use serde_json::Value;
use venuekit_sandbox::{example_requests, keeps_state};

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

/// Whether an operation exists over a connection alone, so that nothing is served at its path.
pub fn is_of_connections(template: &str) -> bool {
    ["/ws-api/", "/v5/trade/"].iter().any(|begin| template.starts_with(begin))
}

/// There is nothing that these could be about: the archive is empty, and no position has a margin of its own.
const NOTHING_THERE: [(&str, u16); 5] = [
    ("GetHistoricalMarket", 404),
    ("GetMarketCandlesticksHistorical", 404),
    ("SetIsolatedMarginExitTrigger", 400),
    // The caller is no sub-account.
    ("transferToMaster", 401),
    ("transferToSubAccountOfSameMaster", 401),
];

/// These take away what others are about.
const AT_THE_END: [&str; 9] = [
    "CancelAllOrders",
    "CancelAllMarginOrders",
    "DeleteCrossMarginExitTrigger",
    "cancelAllOrders",
    "deleteApiKey",
    "deleteOpenOrders",
    "deleteSpecialKey",
    "deleteSubAccountApiKey",
    "exitSpecialKeyMode",
];

/// Candles are lists of texts and numbers, which the spec has as numbers written out.
const LISTS_OF_NUMBERS: [&str; 2] = ["klines", "uiKlines"];

/// The same with all numbers as texts.
fn written_out(value: Value) -> Value {
    match value {
        Value::Number(number) => number.to_string().into(),
        Value::Array(items) => items.into_iter().map(written_out).collect(),
        other => other,
    }
}

async fn every_operation_is_accepted(venue: &'static str) {
    let spec = Spec::of(venue);
    let mut wrong = Vec::new();
    for with_optional in [true, false] {
        let caller = Caller::new(venue).await;
        let known = state::of(&caller, with_optional).await;
        let mut requests = example_requests(venue, with_optional);
        requests.sort_by_key(|request| AT_THE_END.iter().position(|id| *id == request.operation));
        assert!(requests.len() > 20, "{venue}");
        for mut request in requests {
            let operation = request.operation.clone();
            if is_of_connections(&request.template) {
                continue;
            }
            replace(&mut request, &known[&operation], false);
            // Two operations of the perpetual futures are Kalshi's own, and count as such.
            let counter = match operation.as_str() {
                "CreateFCMSubtrader" | "IntraExchangeInstanceTransfer" => request.counter.replace("_perps", ""),
                _ => request.counter.clone(),
            };
            let count = || caller.sandbox.executed().get(&counter).copied().unwrap_or_default();
            let before = count();
            let answer = caller.send(&request, USUAL).await;
            let is_list = LISTS_OF_NUMBERS.contains(&operation.as_str());
            let shown = if is_list { written_out(answer.json()) } else { answer.json() };
            if WEBSOCKET_ONLY.contains(&operation.as_str()) {
                assert!(answer.text.contains("must_be_websocket_request"), "{operation}: {}", answer.text);
            } else if let Some((_, status)) = NOTHING_THERE.iter().find(|(id, _)| *id == operation) {
                assert_eq!((answer.status, answer.is_example), (*status, false), "{operation}: {}", answer.text);
            } else if answer.is_example == keeps_state(venue, &operation) {
                wrong.push(format!(
                    "{operation} ({with_optional}): its response and the routes disagree about examples"
                ));
            } else if answer.status != request.status {
                wrong.push(format!("{operation} ({with_optional}): {} {}\n{request:?}", answer.status, answer.text));
            } else if count() != before + 1 {
                wrong.push(format!("{operation} ({with_optional}) is not counted as {counter}"));
            } else if let Err(problem) = spec.conforms(&operation, &shown) {
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
async fn every_operation_of_binance_is_accepted() {
    every_operation_is_accepted("binance").await;
}

#[tokio::test]
async fn every_operation_of_bybit_is_accepted() {
    every_operation_is_accepted("bybit").await;
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
