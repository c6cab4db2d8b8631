//! Every frame that Bayse's streams send, held against the spec.

mod common;
#[path = "common/lines.rs"]
mod lines;
#[path = "operations/spec.rs"]
#[allow(dead_code, reason = "operations use the rest")]
mod spec;

use std::collections::BTreeSet;

use lines::{Stream, by_key, events, mint, place, sandbox, text, trader, user_id};
use serde_json::{Value, json};
use spec::Spec;

#[tokio::test]
async fn every_frame_is_in_the_spec() {
    let sandbox = sandbox().await;
    let (maker, taker) = (trader(&sandbox, 0), trader(&sandbox, 1));
    let (clob, amm) = (events(&sandbox, "CLOB").await.remove(0), events(&sandbox, "AMM").await.remove(0));
    let market = text(&clob, "/markets/0/id");
    let mut streams = Vec::new();
    for (endpoint, messages) in [
        (
            "markets",
            vec![
                json!({"channel": "activity", "eventId": clob["id"]}),
                json!({"channel": "activity", "eventId": amm["id"]}),
                json!({"channel": "prices", "eventId": clob["id"]}),
                json!({"channel": "orderbook", "marketIds": [market]}),
                json!({"channel": "orderbook", "marketIds": [market], "currency": "NGN"}),
                json!({"channel": "user_trades", "userId": user_id(&sandbox, 0).await}),
                json!({"channel": "weather"}),
            ],
        ),
        ("user", vec![json!({"channel": "orders", "marketIds": [market], "auth": by_key(&sandbox, 0)})]),
        ("realtime", vec![json!({"channel": "asset_prices", "symbols": ["BTCUSDT", "EURUSD"]})]),
    ] {
        let mut stream = Stream::connect(&sandbox, endpoint).await;
        for mut message in messages {
            message["type"] = json!("subscribe");
            stream.say(message).await;
        }
        let auth = if endpoint == "user" { by_key(&sandbox, 0) } else { Value::Null };
        stream.say(json!({"type": "ping", "auth": auth})).await;
        stream.next_of("pong").await;
        streams.push(stream);
    }
    mint(&taker, &clob, 100).await;
    place(&maker, &clob, json!({})).await;
    place(&maker, &clob, json!({"currency": "NGN", "amount": 5000, "timeInForce": "FAK", "price": 0.97})).await;
    place(&taker, &clob, json!({"side": "SELL", "amount": 20})).await;
    place(&taker, &amm, json!({"type": "MARKET", "amount": 7})).await;
    streams[2].next_of("asset_price").await;
    streams[0].say(json!({"type": "unsubscribe", "room": format!("orderbook:{market}")})).await;
    streams[0].next_of("unsubscribed").await;

    let spec = Spec::of("bayse");
    let (mut seen, mut kinds) = (BTreeSet::new(), BTreeSet::new());
    for frame in sandbox.frames().all() {
        let message: Value = serde_json::from_str(&frame.text).unwrap();
        let outcome = match &frame.channel {
            Some(channel) if message.get("data").is_some() => {
                spec.message(channel, &frame.kind, &message["data"]).map(|name| _ = seen.insert(name))
            }
            _ => spec.reply(&frame.kind, &message),
        };
        outcome.unwrap_or_else(|problem| panic!("{problem}: {}", frame.text));
        assert_eq!(message["type"], json!(frame.kind));
        kinds.insert(frame.kind);
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), spec.channels());
    for kind in ["connected", "subscribed", "unsubscribed", "pong", "error", "buy_order", "sell_order"] {
        assert!(kinds.contains(kind), "{kind}");
    }
}
