//! A call counts as done when its response proves it, and never before.
#![cfg(unix)]

#[path = "common/canned.rs"]
mod canned;
mod common;

use std::process::Output;

use common::{MARKER, World, texts};
use serde_json::Value;

/// A venue that answers every call with this, and logins with a token.
fn venue(status: u16, body: &str) -> String {
    let body = body.to_owned();
    canned::start(move |line| {
        let login = r#"{"access_token":"t","expires_in":900,"refresh_token":"r"}"#;
        Some(match line {
            line if line.contains("public/auth") => (200, format!(r#"{{"jsonrpc":"2.0","result":{login}}}"#)),
            line if line.contains("/auth/token") => (200, login.to_owned()),
            _ => (status, body.clone()),
        })
    })
}

fn call(world: &World, url: &str, line: &str) -> Output {
    let words: Vec<&str> = ["call"].into_iter().chain(line.split(' ')).chain(["--base-url", url]).collect();
    world.venuekit(&words)
}

const ORDER: &str = "kalshi/local create_order_v2 ticker=A side=bid count=1.00 price=0.5000 \
                     time_in_force=good_till_canceled self_trade_prevention_type=taker_at_cross --yes";
const BUY: &str = "deribit/local buy instrument_name=BTC-PERPETUAL amount=10 price=5 label=mine --yes";

#[test]
fn an_order_whose_response_proves_nothing_is_looked_up() {
    let world = World::new("unproved-order");
    for body in [
        "null",
        "{}",
        "[]",
        "",
        r#""done""#,
        "true",
        r#"{"error":{"code":"x","message":"y"}}"#,
        r#"{"order":{"order_id":"a"}}"#,
        r#"{"order_id":null}"#,
        r#"{"order_id":""}"#,
        r#"{"order_id":" "}"#,
        r#"{"order_id":5}"#,
        r#"{"order_id":["a"]}"#,
        r#"{"order_id":"a","error":{"code":"x"}}"#,
        "<html>hello</html>",
        "\u{feff}{\"order_id\":\"a\"}",
        "ok",
    ] {
        let output = call(&world, &venue(201, body), ORDER);
        let (stdout, stderr) = texts(&output);
        assert_eq!((output.status.code(), stdout.as_str()), (Some(4), ""), "{body}: {stderr}");
        assert!(stderr.contains("`venuekit call kalshi/local get_orders ticker=A`"), "{body}: {stderr}");
        assert!(stderr.contains("client_order_id="), "{body}: {stderr}");
    }
    let output = call(&world, &venue(201, r#"{"order_id":"a","news":1}"#), ORDER);
    assert_eq!(output.status.code(), Some(0), "{:?}", texts(&output));
}

#[test]
fn a_result_of_json_rpc_that_proves_nothing_is_looked_up() {
    let world = World::new("unproved-result");
    for result in
        ["null", "{}", "[]", r#""ok""#, "1", r#"{"order":null}"#, r#"{"order":{}}"#, r#"{"order":{"order_id":"1"}}"#]
    {
        let output = call(&world, &venue(200, &format!(r#"{{"jsonrpc":"2.0","result":{result}}}"#)), BUY);
        let (_, stderr) = texts(&output);
        assert_eq!(output.status.code(), Some(4), "{result}: {stderr}");
        assert!(stderr.contains("get_order_state_by_label currency=... label=mine`"), "{result}: {stderr}");
    }
    for body in ["{}", "null", "[]", r#"{"jsonrpc":"2.0"}"#, r#"{"error":null}"#] {
        let output = call(&world, &venue(200, body), BUY);
        assert_eq!(output.status.code(), Some(4), "{body}: {:?}", texts(&output));
    }
    let ended = "deribit/local remove_api_key id=5 --yes";
    for (result, code) in [("null", 4), ("{}", 4), (r#""""#, 4), ("false", 4), (r#""ok""#, 0)] {
        let output = call(&world, &venue(200, &format!(r#"{{"jsonrpc":"2.0","result":{result}}}"#)), ended);
        assert_eq!(output.status.code(), Some(code), "{result}: {:?}", texts(&output));
    }
    let whole =
        r#"{"jsonrpc":"2.0","result":{"order":{"order_id":"1","instrument_name":"BTC-PERPETUAL"},"trades":[]}}"#;
    assert_eq!(call(&world, &venue(200, whole), BUY).status.code(), Some(0));
}

#[test]
fn every_kind_of_write_is_proved() {
    let world = World::new("unproved-kinds");
    let key = "kalshi/local generate_api_key name=a scopes=read --yes --show-secrets";
    let batch = "kalshi/local batch_cancel_orders_v2 orders/0/order_id=a-1 orders/1/order_id=b-1 --yes";
    let group = "kalshi/local delete_order_group order_group_id=11111111-1111-4111-8111-111111111111 --yes";
    let bayse = "bayse/local place_order eventId=11111111-1111-4111-8111-111111111111 \
                 marketId=11111111-1111-4111-8111-111111111111 side=BUY outcomeId=o amount=1 type=MARKET --yes";
    let swap = "yativo/local execute_swap quote_id=q --yes --totp-fd 0";
    for (line, body, code) in [
        (key, "{}", 4),
        (key, r#"{"api_key_id":"a"}"#, 4),
        (key, r#"{"api_key_id":"a","private_key":""}"#, 4),
        (key, r#"{"api_key_id":"a","private_key":"p"}"#, 0),
        (batch, r#"{"orders":null}"#, 4),
        (batch, r#"{"orders":[]}"#, 4),
        (batch, r#"{"orders":[{"order_id":"a"}]}"#, 4),
        (batch, r#"{"orders":[{"order_id":"a"},{}]}"#, 4),
        (batch, r#"{"orders":[{"order_id":"a"},{"order_id":"b","error":{"code":"x"}}]}"#, 0),
        (group, r#"{"error":{"code":"x"}}"#, 4),
        (group, "[]", 4),
        (group, "{}", 0),
        (group, "", 0),
        (bayse, r#"{"engine":"CLOB"}"#, 4),
        (bayse, r#"{"clobOrder":{}}"#, 4),
        (bayse, r#"{"error":"x"}"#, 4),
        (bayse, r#"{"engine":"CLOB","clobOrder":{"id":"a"}}"#, 0),
        (swap, "{}", 4),
    ] {
        let output = match line == swap {
            true => world.shell(&format!("echo 123456 | venuekit call {line} --base-url {}", venue(200, body))),
            false => call(&world, &venue(200, body), line),
        };
        assert_eq!(output.status.code(), Some(code), "{line}: {body}: {:?}", texts(&output));
    }
}

#[test]
fn what_came_is_told_and_no_secret_of_it() {
    let world = World::new("unproved-secret");
    let body = format!(r#"{{"private_key":"{MARKER}","why":"no id"}}"#);
    let line = "kalshi/local generate_api_key name=a scopes=read --yes";
    let output = call(&world, &venue(201, &body), &format!("{line} --secrets-to key.json"));
    let (stdout, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(4), "{stderr}");
    assert!(stderr.contains("the response is in key.json") && !(stdout + &stderr).contains(MARKER));
    assert!(std::fs::read_to_string(world.home.join("key.json")).unwrap().contains(MARKER));
    let output = call(&world, &venue(201, r#"{"note":"queued"}"#), &format!("{ORDER} --json"));
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"]["may_have_been_applied"], true);
    assert_eq!(error["error"]["reconcile_with"], "get_orders");
    assert!(error["error"]["help"].as_str().unwrap().contains(r#"the response is {"note":"queued"}"#), "{error}");
}

#[test]
fn a_read_without_what_is_vital_is_no_answer() {
    let world = World::new("unproved-read");
    for (line, body, code) in [
        ("get_market ticker=A", "{}", 7),
        ("get_market ticker=A", r#"{"market":null}"#, 7),
        ("get_market ticker=A", "[]", 7),
        ("get_market ticker=A", "null", 7),
        ("get_market ticker=A", r#"{"market":{"ticker":"A"}}"#, 0),
        ("get_markets", r#"{"markets":null,"cursor":""}"#, 0),
        ("get_markets --all", r#"{"markets":null,"cursor":""}"#, 0),
    ] {
        let output = call(&world, &venue(200, body), &format!("kalshi/local {line}"));
        assert_eq!(output.status.code(), Some(code), "{line}: {body}: {:?}", texts(&output));
    }
}

/// A key that the venue may have made is not taken for one that is there.
#[test]
fn a_key_whose_making_proves_nothing_is_neither_done_nor_refused() {
    let world = World::new("unproved-key");
    for body in ["{}", r#"{"error":{"code":"x"}}"#] {
        let body = body.to_owned();
        let url = canned::start(move |line| {
            Some(match line.starts_with("POST") {
                true => (201, body.clone()),
                // The list: no key has come of it.
                false => (200, r#"{"api_keys":[]}"#.to_owned()),
            })
        });
        let create = ["keys", "create", "kalshi/local/bot", "--scope", "read", "--yes", "--timeout", "5"];
        let output = world.venuekit(&[&create[..], &["--base-url", &url]].concat());
        let (stdout, stderr) = texts(&output);
        assert!(matches!(output.status.code(), Some(4 | 5)), "{:?} {stdout}{stderr}", output.status.code());
        assert!(!stdout.contains("verified"), "{stdout}");
        let shown = texts(&world.venuekit(&["keys", "resume", "--dry-run"])).0;
        assert!(shown.contains("bot"), "the run is there to go on: {shown}");
        _ = std::fs::remove_dir_all(world.home.join(".local"));
    }
}

#[test]
fn strict_names_what_the_spec_does_not_know() {
    let world = World::new("strict");
    let market = r#"{"market":{"ticker":"A","status":"paused_by_owner","aura":{"x":1}},"extra":[1]}"#;
    let output = call(&world, &venue(200, market), "kalshi/local get_market ticker=A --strict");
    let (stdout, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(8), "{stderr}");
    assert!(stdout.contains("aura"), "the response is printed nevertheless: {stdout}");
    for path in ["extra\n", "market.aura\n", r#"market.status: "paused_by_owner""#] {
        assert!(stderr.contains(path), "{path}: {stderr}");
    }
    let output = call(&world, &venue(200, market), "kalshi/local get_market ticker=A --strict --json");
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"]["unknown"][0], serde_json::json!({"path": "extra"}));
    assert_eq!(error["error"]["code"], "unknown_values");
    let known = r#"{"market":{"ticker":"A","status":"active"}}"#;
    let output = call(&world, &venue(200, known), "kalshi/local get_market ticker=A --strict");
    assert_eq!(output.status.code(), Some(0), "{:?}", texts(&output));
    assert_eq!(call(&world, &venue(200, market), "kalshi/local get_market ticker=A").status.code(), Some(0));
    let pages = r#"{"markets":[{"ticker":"A","aura":1},{"ticker":"B","aura":2}],"cursor":""}"#;
    let (stdout, stderr) = texts(&call(&world, &venue(200, pages), "kalshi/local get_markets --all --strict"));
    assert_eq!((stdout.lines().count(), stderr.matches("markets[*].aura").count()), (2, 1), "{stdout}{stderr}");
    let placed = call(&world, &venue(201, r#"{"order_id":"a","aura":1}"#), &format!("{ORDER} --strict"));
    let (_, stderr) = texts(&placed);
    assert_eq!(placed.status.code(), Some(8), "{stderr}");
    assert!(stderr.contains("create_order_v2 was executed, and its response has 1 value"), "{stderr}");
}
