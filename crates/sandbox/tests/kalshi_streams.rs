//! Kalshi's streams: the upgrade, the commands, their errors, and what is counted.

mod common;
#[path = "common/kalshi_stream.rs"]
mod kalshi_stream;
#[path = "operations/spec.rs"]
#[allow(dead_code, reason = "operations use the rest")]
mod spec;

use common::now_millis;
use common::trader::{PERP, Trader, open_market, traders};
use kalshi_stream::{End, Stream, refusal};
use serde_json::{Value, json};
use venuekit_sandbox::{Fault, KalshiSettings, Rule, Sandbox};

const PATH: &str = "/trade-api/ws/v2";

async fn one() -> (Sandbox, Trader) {
    let (sandbox, mut traders) = traders(1).await;
    (sandbox, traders.remove(0))
}

/// Tickers of open markets.
async fn open_tickers(trader: &Trader, count: usize) -> Vec<String> {
    let page = trader.get(&format!("/markets?status=open&limit={count}")).await;
    page["markets"].as_array().unwrap().iter().map(|market| market["ticker"].as_str().unwrap().to_owned()).collect()
}

fn error_of(opened: Result<Stream, tokio_tungstenite::tungstenite::Error>) -> (u16, Value) {
    let (status, kind, body) = refusal(opened).err().unwrap();
    assert_eq!(kind, "application/json");
    (status, serde_json::from_str(&body).unwrap())
}

#[tokio::test]
async fn only_who_has_signed_the_path_is_let_in() {
    let (sandbox, trader) = one().await;
    let url = sandbox.kalshi_websocket_url();
    Stream::connect(&sandbox, &trader).await;
    Stream::connect_perps(&sandbox, &trader).await;

    let (status, body) = error_of(Stream::open_with(&url, &[], "kalshi").await);
    assert_eq!((status, &body["error"]["code"]), (401, &json!("signature_is_missing_from_headers")));
    let of_perps = trader.sign("GET", "/trade-api/ws/v2/margin", now_millis());
    let (status, body) = error_of(Stream::open_with(&url, &of_perps, "kalshi").await);
    assert_eq!((status, &body["error"]["details"]), (401, &json!("INCORRECT_API_KEY_SIGNATURE")));
    for stamp in [now_millis() - 31_000, now_millis() + 90_000] {
        let (status, body) = error_of(Stream::open_with(&url, &trader.sign("GET", PATH, stamp), "kalshi").await);
        assert_eq!((status, &body["error"]["code"]), (401, &json!("header_timestamp_expired")));
    }
    let elsewhere = url.replace("/v2", "/v3");
    let (status, kind, _) = refusal(Stream::open_with(&elsewhere, &[], "kalshi").await).err().unwrap();
    assert_eq!((status, kind.as_str()), (403, "text/plain; charset=utf-8"), "nothing is served there");
}

#[tokio::test]
async fn an_account_has_so_many_connections() {
    let (sandbox, trader) = one().await;
    sandbox.set_kalshi_settings(KalshiSettings { connections: 2, ..sandbox.kalshi_settings() });
    let first = Stream::connect(&sandbox, &trader).await;
    let _second = Stream::connect(&sandbox, &trader).await;
    let (status, ..) = Stream::try_connect(&sandbox, &trader).await.err().unwrap();
    assert_eq!(status, 429);
    assert_eq!(sandbox.websocket_connections(), 2);
    Stream::connect_perps(&sandbox, &trader).await;
    drop(first);
    while Stream::try_connect(&sandbox, &trader).await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_upgrade_is_refused_on_demand() {
    let (sandbox, trader) = one().await;
    let plain = Fault::Status {
        status: 403,
        body: Some("Forbidden".to_owned()),
        content_type: Some("text/plain".to_owned()),
        retry_after: None,
        executed: false,
    };
    for (fault, status) in
        [(Fault::status(401), 401), (plain, 403), (Fault::status(429), 429), (Fault::status(502), 502)]
    {
        sandbox.faults().set(vec![Rule::new(fault).on(format!("GET {PATH}")).times(1)]);
        assert_eq!(Stream::try_connect(&sandbox, &trader).await.err().unwrap().0, status);
        Stream::connect(&sandbox, &trader).await;
    }
}

#[tokio::test]
async fn a_quiet_connection_is_sent_pings() {
    let (sandbox, trader) = one().await;
    sandbox.set_kalshi_settings(KalshiSettings { ping_millis: 20, ..sandbox.kalshi_settings() });
    let mut stream = Stream::connect(&sandbox, &trader).await;
    while stream.pings.len() < 2 {
        // Each reply is a frame, and pings come in between.
        tokio::time::sleep(std::time::Duration::from_millis(30)).await;
        stream.rest().await;
    }
    assert!(stream.pings.iter().all(|payload| payload == "heartbeat"));
}

#[tokio::test]
async fn a_channel_has_one_number_on_a_connection() {
    let (sandbox, trader) = one().await;
    let tickers = open_tickers(&trader, 3).await;
    let mut stream = Stream::connect(&sandbox, &trader).await;
    let both = json!({"channels": ["orderbook_delta", "trade"], "market_tickers": [tickers[0]], "use_yes_price": true});
    let id = stream.send("subscribe", both).await;
    let first = stream.next().await;
    assert_eq!((&first["type"], &first["id"]), (&json!("subscribed"), &json!(id)));
    assert_eq!(first["msg"], json!({"channel": "orderbook_delta", "sid": 1}));
    let rest = [stream.next().await, stream.next().await];
    let snapshot = rest.iter().find(|frame| frame["type"] == "orderbook_snapshot").unwrap();
    assert_eq!((&snapshot["sid"], &snapshot["seq"]), (&json!(1), &json!(1)), "the snapshot counts");
    assert!(snapshot.get("id").is_none());
    let second = rest.iter().find(|frame| frame["type"] == "subscribed").unwrap();
    assert_eq!((&second["id"], &second["msg"]), (&json!(id), &json!({"channel": "trade", "sid": 2})));

    let more =
        json!({"channels": ["orderbook_delta"], "market_tickers": [tickers[1], tickers[0]], "use_yes_price": true});
    let reply = stream.call("subscribe", more.clone()).await;
    assert_eq!((&reply["type"], &reply["sid"]), (&json!("ok"), &json!(1)));
    let mut merged = [tickers[0].clone(), tickers[1].clone()];
    merged.sort();
    assert_eq!(reply["msg"], json!({"market_tickers": merged}));
    assert!(reply.get("seq").is_none());
    let snapshot = stream.next().await;
    assert_eq!((&snapshot["msg"]["market_ticker"], &snapshot["seq"]), (&json!(tickers[1]), &json!(2)));
    assert_eq!(stream.call("subscribe", more).await["msg"], json!({"market_tickers": merged}));
    assert_eq!(stream.rest().await, [] as [Value; 0], "the same again changes nothing");

    let listed = stream.call("list_subscriptions", Value::Null).await;
    assert_eq!(listed["msg"], json!([{"channel": "orderbook_delta", "sid": 1}, {"channel": "trade", "sid": 2}]));
    let mut other = Stream::connect(&sandbox, &trader).await;
    assert_eq!(other.subscribe("trade", json!({})).await, 1, "numbers begin again on each connection");
}

#[tokio::test]
async fn a_subscription_is_changed_and_ended() {
    let (sandbox, trader) = one().await;
    let tickers = open_tickers(&trader, 3).await;
    let mut stream = Stream::connect(&sandbox, &trader).await;
    let sid = stream.subscribe("orderbook_delta", json!({"market_ticker": tickers[0]})).await;
    assert_eq!(stream.next().await["type"], "orderbook_snapshot");

    let add = json!({"sid": sid, "action": "add_markets", "market_tickers": [tickers[1], tickers[2]]});
    let reply = stream.call("update_subscription", add).await;
    assert_eq!(
        (&reply["type"], &reply["sid"], &reply["msg"]["market_tickers"]),
        (&json!("ok"), &json!(sid), &json!(tickers))
    );
    for ticker in &tickers[1..] {
        assert_eq!(stream.next().await["msg"]["market_ticker"], json!(ticker));
    }
    let snapshots =
        json!({"sids": [sid], "action": "get_snapshot", "market_tickers": [tickers[1], tickers[2], "KXNONE"]});
    let id = stream.send("update_subscription", snapshots).await;
    for ticker in &tickers[1..] {
        let snapshot = stream.next().await;
        assert_eq!((&snapshot["type"], &snapshot["id"]), (&json!("orderbook_snapshot"), &json!(id)));
        assert_eq!(snapshot["msg"]["market_ticker"], json!(ticker));
    }
    let delete = json!({"sids": [sid], "action": "delete_markets", "market_tickers": [tickers[0], tickers[2]]});
    let reply = stream.call("update_subscription", delete).await;
    assert_eq!(reply["msg"], json!({"market_tickers": [tickers[1]]}));
    trader.order(&tickers[0], "bid", "0.0300", "1.00").await;
    trader.order(&tickers[1], "bid", "0.0300", "1.00").await;
    let deltas = stream.rest().await;
    assert_eq!(deltas.len(), 1);
    assert_eq!(deltas[0]["msg"]["market_ticker"], json!(tickers[1]));

    let seq = stream.last[&sid];
    let reply = stream.call("unsubscribe", json!({"sids": [sid]})).await;
    assert_eq!((&reply["type"], &reply["sid"], &reply["seq"]), (&json!("unsubscribed"), &json!(sid), &json!(seq + 1)));
    trader.order(&tickers[1], "bid", "0.0300", "1.00").await;
    assert_eq!(stream.rest().await, [] as [Value; 0]);
    assert_eq!(stream.refused("unsubscribe", json!({"sids": [sid]})).await, 7);
    let again = stream.subscribe("orderbook_delta", json!({"market_tickers": [tickers[1]]})).await;
    assert_eq!(again, sid + 1);
    assert_eq!(stream.next().await["seq"], 1, "the new one is counted from the beginning");
}

#[tokio::test]
async fn replies_to_changes_are_counted_if_asked_for() {
    let (sandbox, trader) = one().await;
    sandbox.set_kalshi_settings(KalshiSettings { counts_replies: true, ..sandbox.kalshi_settings() });
    let tickers = open_tickers(&trader, 2).await;
    let mut stream = Stream::connect(&sandbox, &trader).await;
    let sid = stream.subscribe("orderbook_delta", json!({"market_tickers": [tickers[0]]})).await;
    stream.next().await;
    let add = json!({"sid": sid, "action": "add_markets", "market_tickers": [tickers[1]]});
    assert_eq!(stream.call("update_subscription", add).await["seq"], 2);
    assert_eq!(stream.next().await["seq"], 3);
}

#[tokio::test]
async fn what_is_wrong_has_a_code() {
    let (sandbox, trader) = one().await;
    let ticker = open_market(&trader).await["ticker"].clone();
    let mut stream = Stream::connect(&sandbox, &trader).await;
    for (text, id) in [("{", Value::Null), ("[1]", Value::Null), (r#"{"id":5,"cmd":7}"#, json!(5))] {
        stream.send_text(text).await;
        let error = stream.next().await;
        assert_eq!((&error["type"], &error["msg"]["code"]), (&json!("error"), &json!(1)), "{text}");
        assert_eq!(error.get("id").cloned().unwrap_or_default(), id, "{text}");
    }
    stream.send_text(r#"{"id":0,"cmd":"subscribe"}"#).await;
    let error = stream.next().await;
    assert_eq!((&error["msg"]["code"], error.get("id")), (&json!(2), None), "0 is no number of a command");
    assert_eq!(error["msg"]["msg"], "Params required");

    let sid = stream.subscribe("trade", json!({})).await;
    let book = stream.subscribe("orderbook_delta", json!({"market_tickers": [ticker]})).await;
    for (command, params, code) in [
        ("subscribe", json!({"channels": "trade"}), 1),
        ("subscribe", json!({"channels": ["trade"], "market_tickers": [1]}), 1),
        ("subscribe", json!({}), 3),
        ("subscribe", json!({"channels": []}), 3),
        ("unsubscribe", json!({}), 4),
        ("unsubscribe", json!({"sids": [99]}), 7),
        ("shout", json!({}), 5),
        ("subscribe", json!({"channels": ["ticker_v2"]}), 8),
        ("subscribe", json!({"channels": ["orderbook_delta"]}), 14),
        ("subscribe", json!({"channels": ["communications"], "user_filter": "mine"}), 11),
        ("subscribe", json!({"channels": ["trade"], "market_ticker": "A", "market_tickers": ["B"]}), 11),
        ("subscribe", json!({"channels": ["communications"], "shard_factor": 0}), 19),
        ("subscribe", json!({"channels": ["communications"], "shard_key": 0}), 20),
        ("subscribe", json!({"channels": ["communications"], "shard_factor": 4, "shard_key": 4}), 21),
        ("subscribe", json!({"channels": ["communications"], "shard_factor": 101}), 22),
        ("update_subscription", json!({"sid": sid}), 15),
        ("update_subscription", json!({"action": "add_markets"}), 12),
        ("update_subscription", json!({"sids": [sid, book], "action": "add_markets"}), 12),
        ("update_subscription", json!({"sid": 99, "action": "add_markets"}), 7),
        ("update_subscription", json!({"sid": sid, "action": "get_snapshot", "market_tickers": [ticker]}), 13),
        ("update_subscription", json!({"sid": book, "action": "indexlist"}), 13),
        ("update_subscription", json!({"sid": book, "action": "add_markets"}), 14),
    ] {
        assert_eq!(stream.refused(command, params.clone()).await, code, "{command} {params}");
    }
    let index = stream.subscribe("cfbenchmarks_value", json!({})).await;
    let pyth = stream.subscribe("pyth_value", json!({})).await;
    for (sid, action, code) in [(index, "subscribe_indices", 24), (pyth, "subscribe_underlyings", 28)] {
        assert_eq!(stream.refused("update_subscription", json!({"sid": sid, "action": action})).await, code);
    }
}

#[tokio::test]
async fn a_wrong_channel_is_refused_beside_the_others() {
    let (sandbox, trader) = one().await;
    let mut stream = Stream::connect(&sandbox, &trader).await;
    let id = stream.send("subscribe", json!({"channels": ["trade", "multivariate", "ticker"]})).await;
    let replies = [stream.next().await, stream.next().await, stream.next().await];
    assert!(replies.iter().all(|reply| reply["id"] == id));
    let kinds: Vec<&Value> = replies.iter().map(|reply| &reply["type"]).collect();
    assert_eq!(kinds, ["subscribed", "error", "subscribed"]);
    assert_eq!(replies[1]["msg"]["code"], 8);
    let mut perps = Stream::connect_perps(&sandbox, &trader).await;
    assert_eq!(perps.refused("subscribe", json!({"channels": ["communications"]})).await, 8, "event contracts only");
    assert_eq!(stream.refused("subscribe", json!({"channels": ["corporate_actions"]})).await, 8, "perps only");
    perps.subscribe("orderbook_delta", json!({"market_tickers": [PERP]})).await;
}

#[tokio::test]
async fn a_key_that_may_not_read_hears_what_is_public() {
    let (sandbox, trader) = one().await;
    let narrow = trader.with_new_key(json!({"scopes": ["read::portfolio_balance"]})).await;
    let mut stream = Stream::connect(&sandbox, &narrow).await;
    stream.subscribe("trade", json!({})).await;
    for channel in ["fill", "user_orders", "market_positions", "order_group_updates", "communications"] {
        assert_eq!(stream.refused("subscribe", json!({"channels": [channel]})).await, 9, "{channel}");
    }
}

#[tokio::test]
async fn limits_are_told_by_their_codes() {
    let (sandbox, trader) = one().await;
    let settings = KalshiSettings { markets: 2, commands_per_second: 2, indices: false, ..sandbox.kalshi_settings() };
    sandbox.set_kalshi_settings(settings);
    let tickers = open_tickers(&trader, 3).await;
    let mut stream = Stream::connect(&sandbox, &trader).await;
    assert_eq!(stream.refused("subscribe", json!({"channels": ["trade"], "market_tickers": tickers})).await, 26);
    let sid = stream.subscribe("trade", json!({"market_tickers": [tickers[0], tickers[1]]})).await;
    let add = json!({"sid": sid, "action": "add_markets", "market_tickers": [tickers[2]]});
    assert_eq!(stream.refused("update_subscription", add.clone()).await, 26);
    let same = json!({"sid": sid, "action": "add_markets", "market_tickers": [tickers[1]]});
    assert_eq!(stream.call("update_subscription", same).await["type"], "ok", "it has that one");
    assert_eq!(stream.refused("update_subscription", add).await, 27);
    assert_eq!(stream.refused("subscribe", json!({"channels": ["pyth_value"]})).await, 9);
}

#[tokio::test]
async fn tickers_are_named_by_ids_too() {
    let (sandbox, trader) = one().await;
    let tickers = open_tickers(&trader, 2).await;
    let mut stream = Stream::connect(&sandbox, &trader).await;
    let sid = stream.subscribe("ticker", json!({"market_tickers": [tickers[0]], "send_initial_snapshot": true})).await;
    let first = stream.next().await;
    assert_eq!(first["msg"]["market_ticker"], json!(tickers[0]));
    let mut other = Stream::connect(&sandbox, &trader).await;
    let by_id = json!({"market_ids": [first["msg"]["market_id"]], "send_initial_snapshot": true});
    other.subscribe("ticker", by_id).await;
    assert_eq!(other.next().await["msg"]["market_ticker"], json!(tickers[0]));
    let skip = json!({
        "sid": sid, "action": "add_markets", "market_tickers": [tickers[1]], "skip_ticker_ack": true,
        "send_initial_snapshot": true,
    });
    let reply = stream.call("update_subscription", skip).await;
    assert_eq!(reply["msg"], json!({"market_tickers": []}), "the reply does not list them");
    assert_eq!(stream.next().await["msg"]["market_ticker"], json!(tickers[1]));
}

#[tokio::test]
async fn connections_are_cut_from_outside() {
    let (sandbox, trader) = one().await;
    let mut stream = Stream::connect(&sandbox, &trader).await;
    let mut perps = Stream::connect_perps(&sandbox, &trader).await;
    assert_eq!(sandbox.cut_connections(), 2);
    assert_eq!(stream.receive().await, Err(End::Lost));
    assert_eq!(perps.receive().await, Err(End::Lost));
    assert_eq!(sandbox.websocket_connections(), 0);
}
