//! Deribit over a WebSocket: messages, logins, tokens, channels, heartbeats, limits.

mod common;
#[path = "common/deribit.rs"]
mod deribit;
#[path = "common/socket.rs"]
mod socket;

use std::time::Duration;

use common::send;
use deribit::{Caller, get, two_accounts};
use futures_util::SinkExt as _;
use serde_json::{Value, json};
use socket::{End, Socket, envelope, login, resting};
use tokio_tungstenite::tungstenite::{Error, Message};
use venuekit_sandbox::{DeribitSettings, RequestLimit, Sandbox};

const SUMMARY: &str = "/api/v2/private/get_account_summary?currency=BTC";

fn settings(change: impl FnOnce(&mut DeribitSettings)) -> DeribitSettings {
    let mut settings = DeribitSettings::default();
    change(&mut settings);
    settings
}

/// Waits until so many connections are open.
async fn connections(sandbox: &Sandbox, count: usize) {
    let waiting = async {
        while sandbox.websocket_connections() != count {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("connections open and close");
}

#[tokio::test]
async fn many_calls_are_in_flight_at_once() {
    let sandbox = two_accounts().await;
    let mut socket = Socket::connect(&sandbox).await;
    assert_eq!(sandbox.websocket_connections(), 1);
    for _ in 0..64 {
        socket.send("public/get_time", json!({})).await;
    }
    for id in 1..=64 {
        let answer = socket.receive().await.unwrap();
        assert_eq!((&answer["id"], &answer["jsonrpc"], &answer["testnet"]), (&json!(id), &json!("2.0"), &json!(true)));
        assert_eq!(answer["usOut"].as_i64().unwrap() - answer["usIn"].as_i64().unwrap(), answer["usDiff"]);
        assert!(answer["result"].is_i64());
    }
    socket.send_text(r#"{"jsonrpc":"2.0","id":"a text","method":"public/test"}"#).await;
    assert_eq!(socket.receive().await.unwrap()["id"], "a text");
    assert_eq!(sandbox.executed()["deribit POST /api/v2/public/get_time"], 64);
    drop(socket);
    connections(&sandbox, 0).await;
}

#[tokio::test]
async fn a_wrong_message_is_refused_and_the_connection_stays() {
    let sandbox = two_accounts().await;
    let mut socket = Socket::connect(&sandbox).await;
    let big = envelope(1, "public/test", json!({"x": "x".repeat(33_000)}));
    for (text, id, code) in [
        (r#"[{"jsonrpc":"2.0","id":1,"method":"public/test"}]"#, Value::Null, 11050),
        (r#"{"jsonrpc":"2.0","id":2,"method":"public/test","params":["exception"]}"#, json!(2), -32602),
        (r#"{"jsonrpc":"2.0","id":3}"#, json!(3), 11050),
        (r#"{"jsonrpc":"2.0","id":4,"method":"public/nothing"}"#, json!(4), -32601),
        (r#"{"jsonrpc":"1.0","id":5,"method":"public/test"}"#, json!(5), 11050),
        (r#"{"jsonrpc":"2.0","id":6,"#, Value::Null, 11050),
        (r#"{"jsonrpc":"2.0","method":"public/nothing"}"#, Value::Null, -32601),
        (&big, Value::Null, -32600),
    ] {
        socket.send_text(text).await;
        let answer = socket.receive().await.unwrap();
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&id, &json!(code)), "{text}");
        assert!(answer.get("id").is_some() != id.is_null(), "{answer}");
    }
    assert!(sandbox.executed().is_empty());
    assert_eq!(
        socket.result("public/hello", json!({"client_name": "me", "client_version": "1"})).await["version"],
        "1.2.26"
    );
    socket.stream.send(Message::binary(vec![1])).await.unwrap();
    assert_eq!(socket.receive().await, Err(End::Closed(1003)));
}

#[tokio::test]
async fn only_a_handshake_opens_a_connection() {
    let sandbox = two_accounts().await;
    let answer = get(&sandbox, "/ws/api/v2", None).await;
    assert_eq!((answer.status, answer.headers["sec-websocket-version"].to_str().unwrap()), (426, "13"));
    assert_eq!(sandbox.websocket_connections(), 0);
}

#[tokio::test]
async fn a_login_is_signed() {
    let sandbox = two_accounts().await;
    let mut socket = Socket::connect(&sandbox).await;
    let caller = Caller::given(&sandbox, 0);
    let summary = json!({"currency": "BTC"});
    assert_eq!(socket.refused("private/get_account_summary", summary.clone()).await, 13009);
    let mut wrong = login(&caller, "");
    wrong["signature"] = json!("00".repeat(32));
    assert_eq!(socket.refused("public/auth", wrong).await, 13004);
    assert_eq!(socket.refused("private/get_account_summary", summary.clone()).await, 13009);

    let good = login(&caller, "account:read");
    let tokens = socket.result("public/auth", good.clone()).await;
    assert!(tokens["scope"].as_str().unwrap().split(' ').any(|word| word == "connection"), "{tokens}");
    assert_eq!(socket.result("private/get_account_summary", summary.clone()).await["balance"], 10);
    assert_eq!(socket.refused("public/auth", good).await, 13009, "a nonce counts once");

    // The sheet's own values, in the way it writes them.
    let text = "1576074319000\n1iqt2wls\n";
    assert_eq!(
        deribit::hmac_hex("AMANDASECRECT", text),
        "56590594f97921b09b18f166befe0d1319b198bbcdad7ca73382de2f88fe9aa1"
    );
    let secret =
        json!({"grant_type": "client_credentials", "client_id": "second", "client_secret": "secret-of-second"});
    socket.result("public/auth", secret).await;
    let owner = socket.result("private/get_account_summary", json!({"currency": "BTC", "extended": true})).await;
    assert_eq!(owner["username"], "trader11", "the last login counts");
}

#[tokio::test]
async fn a_token_of_a_connection_is_good_there_only() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let (mut first, mut second) = (Socket::connect(&sandbox).await, Socket::connect(&sandbox).await);
    let tokens = first.result("public/auth", login(&caller, "")).await;
    let with_token = |tokens: &Value| json!({"currency": "BTC", "access_token": tokens["access_token"]});
    let bearer = |tokens: &Value| Some(format!("Bearer {}", tokens["access_token"].as_str().unwrap()));
    assert_eq!(second.refused("private/get_account_summary", with_token(&tokens)).await, 13009);
    get(&sandbox, SUMMARY, bearer(&tokens)).await.expect(401);

    let renew = |tokens: &Value| json!({"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]});
    assert_eq!(second.refused("public/auth", renew(&tokens)).await, 13004);
    let renewed = first.result("public/auth", renew(&tokens)).await;
    assert_eq!(first.refused("private/get_account_summary", with_token(&tokens)).await, 13009);
    first.result("private/get_account_summary", json!({"currency": "BTC"})).await;
    assert_eq!(first.refused("public/auth", renew(&tokens)).await, 13004);

    let session = first.result("public/auth", login(&caller, "session:bot")).await;
    second.result("private/get_account_summary", with_token(&session)).await;
    get(&sandbox, SUMMARY, bearer(&session)).await.expect(200);
    assert_eq!(second.refused("private/get_account_summary", json!({"currency": "BTC"})).await, 13009);
    let session = second.result("public/auth", renew(&session)).await;
    first.result("private/get_account_summary", json!({"currency": "BTC"})).await;
    drop(first);
    connections(&sandbox, 1).await;
    assert_eq!(second.refused("public/auth", renew(&renewed)).await, 13004, "it ended with its connection");
    get(&sandbox, SUMMARY, bearer(&session)).await.expect(200);
}

#[tokio::test]
async fn tokens_end() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let mut socket = Socket::connect(&sandbox).await;
    let summary = json!({"currency": "BTC"});
    assert_eq!(socket.result("public/auth", login(&caller, "expires:7")).await["expires_in"], 7);
    sandbox.set_deribit_settings(settings(|settings| settings.access_token_seconds = 60));
    let tokens = socket.result("public/auth", login(&caller, "")).await;
    assert_eq!(tokens["expires_in"], 60);
    socket.result("private/get_account_summary", summary.clone()).await;
    sandbox.clock().set_offset_millis(60_000);
    assert_eq!(socket.refused("private/get_account_summary", summary.clone()).await, 13009);
    let renew = json!({"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]});
    socket.result("public/auth", renew).await;
    socket.result("private/get_account_summary", summary).await;
}

#[tokio::test]
async fn a_logout_closes_without_an_answer_and_cancels_nothing() {
    let sandbox = two_accounts().await;
    let mut socket = Socket::logged_in(&sandbox, 0).await;
    socket.result("private/enable_cancel_on_disconnect", json!({})).await;
    socket.result("private/buy", resting("stays")).await;
    let session = socket.result("public/auth", login(&Caller::given(&sandbox, 0), "session:s")).await;
    socket.send("private/logout", json!({})).await;
    assert_eq!(socket.receive().await, Err(End::Closed(1000)));
    connections(&sandbox, 0).await;
    assert_eq!(sandbox.executed()["deribit POST /api/v2/private/logout"], 1);
    let bearer = format!("Bearer {}", session["access_token"].as_str().unwrap());
    get(&sandbox, SUMMARY, Some(bearer)).await.expect(401);
    let open = Caller::given(&sandbox, 0).result("private/get_open_orders", json!({})).await;
    assert_eq!(open.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn orders_are_cancelled_with_their_connection() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let mut watcher = Socket::logged_in(&sandbox, 0).await;
    let mut lost = Socket::logged_in(&sandbox, 0).await;
    watcher.result("private/buy", resting("watcher")).await;
    let setting = lost.result("private/get_cancel_on_disconnect", json!({})).await;
    assert_eq!(setting, json!({"scope": "connection", "enabled": false}));
    assert_eq!(lost.result("private/enable_cancel_on_disconnect", json!({"scope": "connection"})).await, "ok");
    assert_eq!(lost.result("private/get_cancel_on_disconnect", json!({})).await["enabled"], true);
    lost.result("private/buy", resting("lost")).await;
    caller.result("private/buy", resting("http")).await;
    drop(lost);
    connections(&sandbox, 1).await;
    let labels = async || {
        let open = caller.result("private/get_open_orders", json!({})).await;
        open.as_array().unwrap().iter().map(|order| order["label"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(labels().await, ["watcher", "http"]);
    let by_label = json!({"currency": "BTC", "label": "lost"});
    let ended = caller.result("private/get_order_state_by_label", by_label).await;
    assert_eq!(
        (&ended[0]["order_state"], &ended[0]["cancel_reason"]),
        (&json!("cancelled"), &json!("cancel_on_disconnect"))
    );

    // For the account it holds for connections to come.
    let account = json!({"scope": "account"});
    caller.result("private/enable_cancel_on_disconnect", account.clone()).await;
    assert_eq!(caller.refused("private/enable_cancel_on_disconnect", json!({})).await, (400, 10030));
    assert_eq!(watcher.result("private/get_cancel_on_disconnect", account).await["enabled"], true);
    assert_eq!(watcher.result("private/get_cancel_on_disconnect", json!({})).await["enabled"], false);
    let mut next = Socket::logged_in(&sandbox, 0).await;
    next.result("private/buy", resting("next")).await;
    assert_eq!(sandbox.cut_connections(), 2);
    assert_eq!((sandbox.websocket_connections(), labels().await), (0, vec!["watcher".to_owned(), "http".to_owned()]));
    assert_eq!(next.receive().await, Err(End::Lost));
    assert_eq!(watcher.receive().await, Err(End::Lost));
}

#[tokio::test]
async fn who_is_silent_loses_the_connection() {
    let sandbox = two_accounts().await;
    sandbox.set_deribit_settings(settings(|settings| settings.heartbeat_second_millis = 50));
    let mut socket = Socket::connect(&sandbox).await;
    assert_eq!(socket.refused("public/set_heartbeat", json!({"interval": 9})).await, -32602);
    assert_eq!(socket.result("public/set_heartbeat", json!({"interval": 10})).await, "ok");
    let (mut kinds, mut tests) = (Vec::new(), 0);
    while tests < 2 {
        let message = socket.receive().await.unwrap();
        if message["method"] == "heartbeat" {
            let kind = message["params"]["type"].as_str().unwrap().to_owned();
            if kind == "test_request" {
                tests += 1;
                socket.send("public/test", json!({})).await;
            }
            kinds.push(kind);
        }
    }
    assert!(kinds.contains(&"heartbeat".to_owned()), "{kinds:?}");
    let mut kinds = Vec::new();
    let end = loop {
        match socket.receive().await {
            Ok(message) if message["method"] == "heartbeat" => kinds.push(message["params"]["type"].clone()),
            Ok(_) => {}
            Err(end) => break end,
        }
    };
    assert_eq!((end, kinds.last()), (End::Closed(4000), Some(&json!("test_request"))));
    connections(&sandbox, 0).await;

    let mut socket = Socket::connect(&sandbox).await;
    socket.result("public/set_heartbeat", json!({"interval": 10})).await;
    socket.result("public/disable_heartbeat", json!({})).await;
    tokio::time::sleep(Duration::from_millis(1250)).await;
    assert_eq!(socket.result("public/test", json!({})).await["version"], "1.2.26");
    assert_eq!(socket.others, [json!(null); 0]);
}

/// The next notification that the test itself has caused; tickers come of their own accord too.
async fn said(socket: &mut Socket) -> Value {
    loop {
        let notification = socket.notification().await;
        if notification["params"]["data"].get("n").is_some() {
            return notification;
        }
    }
}

#[tokio::test]
async fn channels_are_heard_until_they_are_given_up() {
    let sandbox = two_accounts().await;
    let mut stranger = Socket::connect(&sandbox).await;
    let mut owner = Socket::logged_in(&sandbox, 0).await;
    let channels = |names: &[&str]| json!({"channels": names});
    let given = stranger.result("public/subscribe", channels(&["ticker.BTC-PERPETUAL.100ms", "user.lock"])).await;
    assert_eq!(given, json!(["ticker.BTC-PERPETUAL.100ms"]));
    assert_eq!(stranger.refused("public/subscribe", channels(&["book.BTC-PERPETUAL.raw"])).await, 13778);
    assert_eq!(stranger.refused("private/subscribe", channels(&["user.lock"])).await, 13009);
    let mut labelled = channels(&["user.lock", "ticker.BTC-PERPETUAL.100ms"]);
    labelled["label"] = json!("mine");
    owner.result("private/subscribe", labelled).await;

    assert_eq!(sandbox.deribit_notify("ticker.BTC-PERPETUAL.100ms", json!({"n": 1})), 2);
    assert_eq!(sandbox.deribit_notify("user.lock", json!({"n": 2})), 1);
    assert_eq!(sandbox.deribit_notify("quote.BTC-PERPETUAL", json!({})), 0);
    let ticker = said(&mut stranger).await;
    assert_eq!(
        ticker,
        json!({
            "jsonrpc": "2.0", "method": "subscription", "params": {"channel": "ticker.BTC-PERPETUAL.100ms", "data": {"n": 1}},
        })
    );
    assert_eq!(said(&mut owner).await, ticker);
    let lock = said(&mut owner).await;
    assert_eq!(lock["params"], json!({"channel": "user.lock", "data": {"n": 2}, "label": "mine"}));

    let ended = owner.result("private/unsubscribe", channels(&["user.lock", "user.unknown"])).await;
    assert_eq!(ended, json!(["user.lock"]));
    assert_eq!(stranger.result("public/unsubscribe_all", json!({})).await, "ok");
    assert_eq!(sandbox.deribit_notify("user.lock", json!({})), 0);
    assert_eq!(sandbox.deribit_notify("ticker.BTC-PERPETUAL.100ms", json!({})), 1);
    owner.result("private/unsubscribe_all", json!({})).await;
    assert_eq!(sandbox.deribit_notify("ticker.BTC-PERPETUAL.100ms", json!({})), 0);
}

#[tokio::test]
async fn ones_own_orders_and_trades_are_told() {
    let sandbox = two_accounts().await;
    let (mut maker, mut taker) = (Socket::logged_in(&sandbox, 0).await, Socket::logged_in(&sandbox, 1).await);
    let channels = ["user.orders.BTC-26MAR27.raw", "user.trades.future.BTC.100ms", "trades.BTC-26MAR27.raw"];
    maker.result("private/subscribe", json!({"channels": channels})).await;
    taker.result("public/subscribe", json!({"channels": ["trades.any.any.100ms"]})).await;
    let order = |price: i64| json!({"instrument_name": "BTC-26MAR27", "amount": 20, "type": "limit", "price": price});
    let order_of_maker = json!({"instrument_name": "BTC-26MAR27", "amount": 20, "type": "limit", "price": 69402.5});
    maker.result("private/sell", order_of_maker).await;
    taker.result("private/buy", order(69405)).await;
    let mut heard = Vec::new();
    for _ in 0..4 {
        let params = maker.notification().await["params"].take();
        let state = params["data"].get("order_state").cloned().unwrap_or_default();
        heard.push((params["channel"].as_str().unwrap().to_owned(), state));
    }
    let expected = [
        (channels[0], json!("open")),
        (channels[0], json!("filled")),
        (channels[2], Value::Null),
        // Gathered for a while.
        (channels[1], Value::Null),
    ];
    assert_eq!(heard, expected.map(|(channel, state)| (channel.to_owned(), state)));
    let public = taker.notification().await["params"].take();
    assert_eq!((&public["data"][0]["price"], &public["data"][0]["direction"]), (&json!(69402.5), &json!("buy")));
    assert!(public["data"][0].get("order_id").is_none());
}

#[tokio::test]
async fn too_many_requests_end_the_connection() {
    let sandbox = two_accounts().await;
    let limit = |closes| Some(RequestLimit { burst: 3, per_second: 0, closes });
    sandbox.set_deribit_settings(settings(|settings| settings.limit = limit(false)));
    let mut socket = Socket::connect(&sandbox).await;
    for _ in 0..3 {
        socket.result("public/test", json!({})).await;
    }
    assert_eq!(socket.refused("public/test", json!({})).await, 10028);
    assert_eq!(socket.refused("public/test", json!({})).await, 10028);
    let mut other = Socket::connect(&sandbox).await;
    other.result("public/test", json!({})).await;
    let path = "/api/v2/public/test";
    for status in [200, 200, 200, 429] {
        send(&sandbox, "GET", path, &[], "").await.expect(status);
    }

    sandbox.set_deribit_settings(settings(|settings| settings.limit = limit(true)));
    for _ in 0..3 {
        socket.result("public/test", json!({})).await;
    }
    assert_eq!(socket.refused("public/test", json!({})).await, 10028);
    assert_eq!(socket.receive().await, Err(End::Closed(1008)));
    assert_eq!(sandbox.websocket_connections(), 1);
}

#[tokio::test]
async fn a_dropped_sandbox_cuts_its_connections() {
    let sandbox = two_accounts().await;
    let mut socket = Socket::logged_in(&sandbox, 0).await;
    drop(sandbox);
    assert_eq!(socket.receive().await, Err(End::Lost));
}

#[tokio::test]
async fn a_handshake_may_fail() {
    use venuekit_sandbox::{Fault, Rule};
    let sandbox = two_accounts().await;
    sandbox.faults().set(vec![
        Rule::new(Fault::status(503)).on("GET /ws/api/v2").times(1),
        Rule::new(Fault::DropBefore).on("GET /ws/api/v2").times(1),
        Rule::new(Fault::DropBefore).on("public/nothing"),
    ]);
    let refused = Socket::try_connect(&sandbox).await.err().unwrap();
    assert!(matches!(&refused, Error::Http(response) if response.status() == 503), "{refused}");
    assert!(Socket::try_connect(&sandbox).await.is_err());
    Socket::connect(&sandbox).await.result("public/test", json!({})).await;
    assert_eq!(sandbox.faults().strikes(), [1, 1, 0]);
}
