//! Kalshi's streams: order groups, requests for quotes, the life of markets, indices, and what a test says.

mod common;
#[path = "common/kalshi_stream.rs"]
mod kalshi_stream;
#[path = "operations/spec.rs"]
#[allow(dead_code, reason = "operations use the rest")]
mod spec;

use common::trader::{Trader, open_market, order, traders};
use kalshi_stream::Stream;
use serde_json::{Value, json};
use venuekit_sandbox::{KalshiSettings, Sandbox};

async fn two() -> (Sandbox, Vec<Trader>, String) {
    let (sandbox, traders) = traders(2).await;
    let ticker = open_market(&traders[0]).await["ticker"].as_str().unwrap().to_owned();
    (sandbox, traders, ticker)
}

fn kinds(frames: &[Value]) -> Vec<&str> {
    frames.iter().map(|frame| frame["type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_group_is_heard_of_by_its_owner() {
    let (sandbox, traders, ticker) = two().await;
    let mut own = Stream::connect(&sandbox, &traders[0]).await;
    let mut other = Stream::connect(&sandbox, &traders[1]).await;
    own.subscribe("order_group_updates", json!({})).await;
    other.subscribe("order_group_updates", json!({})).await;
    let group = traders[0].post("/portfolio/order_groups/create", json!({"contracts_limit": 5}), 201).await;
    let id = group["order_group_id"].as_str().unwrap();
    let path = format!("/portfolio/order_groups/{id}");
    traders[0].put(&format!("{path}/limit"), json!({"contracts_limit_fp": "4.00"})).await;
    traders[1].order(&ticker, "ask", "0.5000", "4.00").await;
    let filled = order(&ticker, "bid", "0.5000", "4.00", json!({"order_group_id": id}));
    traders[0].post("/portfolio/events/orders", filled, 201).await;
    traders[0].put(&format!("{path}/reset"), json!({})).await;
    traders[0].delete(&path, 200).await;
    let told = own.rest().await;
    let events: Vec<_> = told.iter().map(|frame| frame["msg"]["event_type"].as_str().unwrap()).collect();
    assert_eq!(events, ["created", "limit_updated", "triggered", "reset", "deleted"]);
    assert!(told.iter().all(|frame| frame["msg"]["order_group_id"] == id));
    assert_eq!(told[1]["msg"]["contracts_limit_fp"], "4.00");
    assert_eq!(other.rest().await, [] as [Value; 0]);
}

#[tokio::test]
async fn quotes_are_told_to_both_and_requests_to_all() {
    let (sandbox, three) = traders(3).await;
    let ticker = open_market(&three[0]).await["ticker"].clone();
    let mut asker = Stream::connect(&sandbox, &three[0]).await;
    let mut maker = Stream::connect(&sandbox, &three[1]).await;
    let mut third = Stream::connect(&sandbox, &three[2]).await;
    let mut own_only = Stream::connect(&sandbox, &three[2]).await;
    for stream in [&mut asker, &mut maker, &mut third] {
        stream.subscribe("communications", json!({})).await;
    }
    own_only.subscribe("communications", json!({"user_filter": "self"})).await;
    let new = json!({"market_ticker": ticker, "contracts_fp": "10.00", "rest_remainder": false});
    let rfq = three[0].post("/communications/rfqs", new, 201).await;
    let quote = json!({"rfq_id": rfq["id"], "yes_bid": "0.4000", "no_bid": "0.5000", "rest_remainder": false});
    let quote = three[1].post("/communications/quotes", quote, 201).await;
    let path = format!("/communications/quotes/{}", quote["id"].as_str().unwrap());
    three[0].put_for(&format!("{path}/accept"), json!({"accepted_side": "yes"}), 204).await;
    three[1].put_for(&format!("{path}/confirm"), json!({}), 204).await;
    let (of_asker, of_maker) = (asker.rest().await, maker.rest().await);
    let whole = ["rfq_created", "quote_created", "quote_accepted", "quote_executed", "rfq_deleted"];
    assert_eq!(kinds(&of_asker), whole);
    assert_eq!(kinds(&of_maker), whole);
    assert_eq!(of_asker[0]["msg"]["id"], rfq["id"]);
    assert_eq!(of_asker[1]["msg"]["quote_id"], quote["id"]);
    assert_eq!(of_asker[2]["msg"]["accepted_side"], "yes");
    assert_ne!(of_asker[3]["msg"]["order_id"], of_maker[3]["msg"]["order_id"], "each hears of the own order");
    let orders = three[1].get("/portfolio/orders").await;
    assert_eq!(orders["orders"][0]["order_id"], of_maker[3]["msg"]["order_id"]);
    assert_eq!(kinds(&third.rest().await), ["rfq_created", "rfq_deleted"]);
    assert_eq!(own_only.rest().await, [] as [Value; 0]);
}

#[tokio::test]
async fn each_request_is_told_in_one_share() {
    let (sandbox, traders, ticker) = two().await;
    let mut shares = Vec::new();
    for key in 0..3 {
        let mut stream = Stream::connect(&sandbox, &traders[1]).await;
        stream.subscribe("communications", json!({"shard_factor": 3, "shard_key": key})).await;
        shares.push(stream);
    }
    let new = json!({"market_ticker": ticker, "contracts_fp": "10.00", "rest_remainder": false});
    traders[0].post("/communications/rfqs", new, 201).await;
    let mut told = 0;
    for stream in &mut shares {
        told += stream.rest().await.len();
    }
    assert_eq!(told, 1);
}

#[tokio::test]
async fn the_life_of_markets_is_told_as_time_passes() {
    let (sandbox, traders, _) = two().await;
    let closing = traders[0].get("/markets?status=closed&limit=1").await["markets"][0].clone();
    let mut stream = Stream::connect(&sandbox, &traders[0]).await;
    stream.subscribe("market_lifecycle_v2", json!({})).await;
    // Two days on, markets have opened and yesterday's are settled.
    sandbox.clock().set_offset_millis(2 * 86_400_000);
    traders[0].send_at("GET", "/markets?limit=1", None, sandbox.clock().millis()).await;
    let told = stream.rest().await;
    let events = |wanted: &str| told.iter().filter(|frame| frame["msg"]["event_type"] == wanted).count();
    assert!(events("activated") > 0 && events("determined") > 0);
    assert_eq!(events("determined"), events("settled"));
    let own: Vec<_> = told.iter().filter(|frame| frame["msg"]["market_ticker"] == closing["ticker"]).collect();
    assert_eq!((&own[0]["msg"]["event_type"], &own[1]["msg"]["event_type"]), (&json!("determined"), &json!("settled")));
    assert!(["yes", "no"].contains(&own[0]["msg"]["result"].as_str().unwrap()));
}

#[tokio::test]
async fn indices_have_values_lists_and_a_mode_for_all() {
    let (sandbox, traders, _) = two().await;
    sandbox.set_kalshi_settings(KalshiSettings { index_millis: 10, ..sandbox.kalshi_settings() });
    let mut stream = Stream::connect(&sandbox, &traders[0]).await;
    for (channel, list, action, member, id) in [
        ("cfbenchmarks_value", "indexlist", "subscribe_indices", "index_ids", "index_id"),
        ("cfbenchmarks_value_5hz", "indexlist", "subscribe_indices", "index_ids", "index_id"),
        ("pyth_value", "underlying_list", "subscribe_underlyings", "underlying_tickers", "underlying_ticker"),
    ] {
        let sid = stream.subscribe(channel, json!({})).await;
        let reply = stream.call("update_subscription", json!({"sid": sid, "action": list})).await;
        let known = reply["msg"][member].as_array().unwrap().clone();
        assert_eq!(reply["type"], format!("{channel}_{list}"));
        assert_eq!((&reply["sid"], &reply["seq"]), (&json!(sid), &json!(1)));
        let add = json!({"sid": sid, "action": action, (member): [known[0], "NONE"]});
        let reply = stream.call("update_subscription", add).await;
        assert_eq!((&reply["type"], &reply["seq"]), (&json!("ok"), &json!(2)));
        let value = stream.next().await;
        assert_eq!((&value["type"], &value["msg"][id]), (&json!(channel), &known[0]));
        let second = stream.call("subscribe", json!({"channels": [channel], (member): ["all"]})).await;
        assert!(second["msg"][member].as_array().unwrap().contains(&json!("all")), "{second}");
        let other = known.last().unwrap();
        while stream.next().await["msg"][id] != *other {}
        let reply = stream.call("unsubscribe", json!({"sids": [sid]})).await;
        assert_eq!(reply["type"], "unsubscribed");
        stream.rest().await;
    }
}

#[tokio::test]
async fn a_test_tells_what_it_likes() {
    let (sandbox, traders, ticker) = two().await;
    sandbox.set_kalshi_settings(KalshiSettings { index_millis: 0, ..sandbox.kalshi_settings() });
    let mut stream = Stream::connect(&sandbox, &traders[0]).await;
    let mut perps = Stream::connect_perps(&sandbox, &traders[0]).await;
    assert_eq!(sandbox.kalshi_notify("trade", "trade", &json!({"market_ticker": ticker})), 0, "nobody listens");
    stream.subscribe("multivariate_market_lifecycle", json!({})).await;
    stream.subscribe("market_lifecycle_v2", json!({})).await;
    stream.subscribe("communications", json!({})).await;
    stream.subscribe("pyth_value", json!({"underlying_tickers": ["Metal.XAU/USD"]})).await;
    let created = json!({
        "market_ticker": "KXMVE-1", "event_type": "created", "exchange_index": 0, "open_ts": 1_790_000_000, "close_ts": 1_790_100_000,
    });
    let fees = json!({"event_ticker": "KXA-1", "fee_type_override": null, "fee_multiplier_override": 0.5});
    let renamed = json!({"market_ticker": ticker, "event_type": "metadata_updated", "floor_strike": 1.5});
    let deleted = json!({"id": "b", "creator_id": "c", "rfq_ids": ["r"], "deleted_ts": "2026-11-29T00:00:00Z"});
    let price = json!({
        "underlying_ticker": "Metal.XAU/USD", "value_usd": "4160.00000000", "source_ts_ms": 1, "received_at": 2,
    });
    let other_price = json!({
        "underlying_ticker": "Metal.XAG/USD", "value_usd": "51.00000000", "source_ts_ms": 1, "received_at": 2,
    });
    for (channel, kind, data, count) in [
        ("multivariate_market_lifecycle", "multivariate_market_lifecycle", &created, 1),
        ("market_lifecycle_v2", "event_fee_update", &fees, 1),
        ("market_lifecycle_v2", "market_lifecycle_v2", &renamed, 1),
        ("communications", "rfq_batch_deleted", &deleted, 1),
        ("pyth_value", "pyth_value", &price, 1),
        ("pyth_value", "pyth_value", &other_price, 0),
        ("no_channel", "x", &price, 0),
    ] {
        assert_eq!(sandbox.kalshi_notify(channel, kind, data), count, "{channel} {kind}");
    }
    let told = stream.rest().await;
    let expected =
        ["multivariate_market_lifecycle", "event_fee_update", "market_lifecycle_v2", "rfq_batch_deleted", "pyth_value"];
    assert_eq!(kinds(&told), expected);
    assert_eq!(told[1]["msg"], fees);

    perps.subscribe("corporate_actions", json!({"market_tickers": ["KXTSLAPERP"]})).await;
    let split = |ticker: &str| {
        json!({"corporate_action": {
            "id": "a", "market_id": "m", "market_ticker": ticker, "type": "stock_split", "ts_ms": 1,
            "split": {
                "ratio_old": "1", "ratio_new": "3", "pre_split_mark_price": "300.0000", "post_split_mark_price": "100.0000",
            },
        }})
    };
    assert_eq!(sandbox.kalshi_perps_notify("corporate_actions", "corporate_actions_delta", &split("KXTSLAPERP")), 1);
    assert_eq!(sandbox.kalshi_perps_notify("corporate_actions", "corporate_actions_delta", &split("KXOTHERPERP")), 0);
    assert_eq!(perps.next().await["seq"], 1);
}
