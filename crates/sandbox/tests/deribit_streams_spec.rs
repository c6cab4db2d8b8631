//! Every notification that Deribit's streams send out of the sandbox's state, held against the spec.

mod common;
#[path = "common/deribit.rs"]
mod deribit;
#[path = "common/socket.rs"]
mod socket;
#[path = "operations/spec.rs"]
#[allow(dead_code, reason = "operations use the rest")]
mod spec;

use std::collections::BTreeSet;

use deribit::{Caller, two_accounts};
use serde_json::{Value, json};
use socket::Socket;
use spec::Spec;

const FUTURE: &str = "BTC-26MAR27";

/// What the sandbox reports only when a test says so.
const ON_DEMAND: [&str; 15] = [
    "announcements",
    "block_rfq_maker",
    "block_rfq_maker_quotes",
    "block_rfq_taker",
    "block_rfq_trades",
    "block_trade_confirmations",
    "block_trade_confirmations_by_currency",
    "instrument_creation",
    "instrument_state",
    "platform_state",
    "public_methods_state",
    "user_access_log",
    "user_isolated_liquidation",
    "user_liquidation",
    "user_lock",
];

fn limit(instrument: &str, amount: i64, price: f64, more: Value) -> Value {
    let mut order = json!({"instrument_name": instrument, "amount": amount, "type": "limit", "price": price});
    order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    order
}

async fn first_of(maker: &Caller<'_>, kind: &str) -> Value {
    let all = maker.result("public/get_instruments", json!({"currency": "BTC", "kind": kind})).await;
    all[0].clone()
}

#[tokio::test]
async fn every_notification_is_in_the_spec() {
    let sandbox = two_accounts().await;
    let (maker, taker) = (Caller::given(&sandbox, 0), Caller::given(&sandbox, 1));
    let option = first_of(&maker, "option").await["instrument_name"].as_str().unwrap().to_owned();
    let combo = first_of(&maker, "future_combo").await["instrument_name"].as_str().unwrap().to_owned();
    let mut socket = Socket::logged_in(&sandbox, 0).await;
    let mut channels: Vec<String> = [
        "book.BTC-26MAR27.none.10.100ms",
        "incremental_ticker.BTC-26MAR27",
        "perpetual.BTC-PERPETUAL.100ms",
        "quote.BTC-26MAR27",
        "chart.trades.BTC-26MAR27.60",
        "user.portfolio.any",
        "user.mmp_trigger.btc_usd",
    ]
    .map(str::to_owned)
    .to_vec();
    for family in ["price_index", "price_ranking", "price_statistics", "volatility_index"] {
        channels.push(format!("deribit_{family}.btc_usd"));
    }
    channels.extend(["markprice.options.btc_usd", "estimated_expiration_price.btc_usd"].map(str::to_owned));
    for family in ["trades", "user.trades", "user.orders", "user.changes", "user.combo_trades"] {
        for interval in ["raw", "100ms"] {
            channels.push(format!("{family}.any.any.{interval}"));
            channels.push(format!("{family}.{combo}.{interval}"));
        }
    }
    for instrument in [FUTURE, "BTC-PERPETUAL", &option, &combo] {
        channels.extend(["book", "ticker"].map(|family| format!("{family}.{instrument}.raw")));
    }
    let accepted = socket.result("private/subscribe", json!({"channels": channels})).await;
    assert_eq!(accepted, json!(channels));

    let protection = json!({
        "index_name": "btc_usd", "interval": 60, "frozen_time": 0, "max_quote_quantity": 5, "trade_count_limit": 1,
    });
    maker.result("private/set_mmp_config", protection).await;
    maker.result("private/sell", limit(FUTURE, 100, 69402.5, json!({"label": "one", "mmp": true}))).await;
    maker.result("private/buy", limit(FUTURE, 10, 69000.0, json!({"post_only": true}))).await;
    taker.result("private/buy", limit(FUTURE, 60, 69402.5, json!({}))).await;
    let ticker = maker.result("public/ticker", json!({"instrument_name": combo})).await;
    let price = ticker["best_ask_price"].as_f64().unwrap();
    maker.result("private/buy", limit(&combo, 10, price, json!({}))).await;
    maker.result("private/cancel_all", json!({})).await;

    let spec = Spec::of("deribit");
    let expected: BTreeSet<String> =
        spec.channels().into_iter().filter(|name| !ON_DEMAND.contains(&name.as_str()) && name != "user_lsp").collect();
    for wrong in [json!({"index_name": 7}), json!({"index_name": "btc_usd", "price": 1, "weather": "fair"}), json!([])]
    {
        assert!(spec.message("deribit_price_index.btc_usd", "", &wrong).is_err(), "{wrong}");
    }
    let mut seen = BTreeSet::new();
    while seen != expected {
        let params = socket.notification().await["params"].take();
        let (channel, data) = (params["channel"].as_str().unwrap(), &params["data"]);
        match spec.message(channel, "", data) {
            Ok(name) => _ = seen.insert(name),
            Err(problem) => panic!("{problem}: {channel} {data}"),
        }
    }
}
