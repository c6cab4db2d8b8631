//! Every frame that Bybit's streams send, compared with the spec.

#[path = "common/bybit.rs"]
mod bybit;
mod common;
#[path = "operations/spec.rs"]
#[allow(dead_code, reason = "operations use the rest")]
mod spec;

use std::collections::BTreeSet;

use bybit::{Caller, Socket, limit, market, two_accounts, with};
use serde_json::{Value, json};
use spec::Spec;

/// A symbol of each product that has a public endpoint.
const SYMBOLS: [(&str, &str); 4] =
    [("linear", "BTCUSDT"), ("inverse", "BTCUSD"), ("spot", "BTCUSDT"), ("option", "BTC-31DEC27-80000-C-USDT")];

fn topics(category: &str, symbol: &str) -> Vec<String> {
    let channels: &[&str] = match category {
        "option" => &["orderbook.25", "tickers"],
        _ => &[
            "orderbook.1",
            "orderbook.50",
            "orderbook.1000",
            "orderbook.rpi",
            "orderbook.full",
            "publicTrade",
            "tickers",
            "kline.1",
            "priceLimit",
        ],
    };
    let mut topics: Vec<String> = channels.iter().map(|channel| format!("{channel}.{symbol}")).collect();
    if category == "option" {
        topics.push("publicTrade.BTC".to_owned());
    }
    topics
}

async fn trade(caller: &Caller<'_>, category: &str, symbol: &str, number: usize) {
    let link = |what: &str| json!({"orderLinkId": format!("{what}-{category}-{number}")});
    let (qty, price) = if category == "inverse" { ("100", "90000") } else { ("0.1", "20000") };
    let unit = if category == "spot" { json!({"marketUnit": "baseCoin"}) } else { json!({}) };
    let bought = with(with(market(category, symbol, "Buy", qty), link("bought")), unit);
    caller.place(bought).await;
    let id = caller.place(with(limit(category, symbol, "Buy", price, qty), link("rests"))).await;
    caller.write("/v5/order/cancel", json!({"category": category, "symbol": symbol, "orderId": id})).await;
}

#[tokio::test]
async fn every_frame_is_in_the_spec() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let mut sockets = Vec::new();
    for (category, symbol) in SYMBOLS {
        let mut socket = Socket::open(&sandbox, &format!("public/{category}")).await;
        let topics = topics(category, symbol);
        socket.subscribe(&topics.iter().map(String::as_str).collect::<Vec<_>>()).await;
        sockets.push((category, socket));
    }
    let all = ["order", "execution", "execution.fast", "position", "wallet"];
    let by_category = ["order.linear", "execution.spot", "execution.fast.linear", "position.inverse"];
    for topics in [&all[..], &by_category[..]] {
        let mut socket = Socket::logged_in(&caller, "private").await;
        socket.subscribe(topics).await;
        sockets.push(("private", socket));
    }
    for number in 0..2 {
        for (category, symbol) in SYMBOLS {
            trade(&caller, category, symbol, number).await;
        }
    }
    let (spec, mut seen) = (Spec::of("bybit"), BTreeSet::new());
    for (endpoint, socket) in &mut sockets {
        for frame in socket.rest().await {
            let (topic, kind) = (frame["topic"].as_str().unwrap(), frame["type"].as_str().unwrap_or_default());
            let found = spec.message_at(Some(endpoint), topic, kind, &frame["data"]);
            seen.insert(found.unwrap_or_else(|problem| panic!("{problem}: {frame}")));
            for time in [&frame["ts"], &frame["creationTime"]] {
                assert!(time.is_null() || time.is_i64(), "{frame}");
            }
        }
    }
    // What the sandbox has none of is sent by tests.
    let quiet =
        ["adl_alert", "insurance", "liquidations", "earn_", "greeks", "rfq", "spread", "strategy", "status", "dcp"];
    let silent: Vec<String> = spec.channels().into_iter().filter(|name| !seen.contains(name)).collect();
    let unexpected: Vec<&String> = silent.iter().filter(|name| !quiet.iter().any(|word| name.contains(word))).collect();
    assert!(unexpected.is_empty(), "never sent: {unexpected:?}");
    assert!(seen.len() > 25, "{seen:?}");
    let frames = sandbox.frames().all();
    let data: Vec<Value> = frames.iter().map(|frame| serde_json::from_str(&frame.text).unwrap()).collect();
    assert!(data.iter().any(|frame| frame["type"] == "delta"));
}
