//! Deribit's channels: which names there are, and what each tells out of the venue's state.

mod common;
#[path = "common/deribit.rs"]
mod deribit;
#[path = "common/socket.rs"]
mod socket;

use std::collections::BTreeMap;

use common::send;
use deribit::{Caller, two_accounts};
use serde_json::{Value, json};
use socket::Socket;
use venuekit_sandbox::Sandbox;

const FUTURE: &str = "BTC-26MAR27";

fn limit(amount: i64, price: f64) -> Value {
    json!({"instrument_name": FUTURE, "amount": amount, "type": "limit", "price": price})
}

/// The next message of a channel.
async fn next(socket: &mut Socket, channel: &str) -> Value {
    loop {
        let mut params = socket.notification().await["params"].take();
        if params["channel"] == channel {
            return params["data"].take();
        }
    }
}

async fn public(sandbox: &Sandbox, uri: &str) -> Value {
    send(sandbox, "GET", &format!("/api/v2/public/{uri}"), &[], "").await.expect(200)["result"].take()
}

#[tokio::test]
async fn names_that_do_not_exist_are_left_out() {
    let sandbox = two_accounts().await;
    let mut stranger = Socket::connect(&sandbox).await;
    let wrong = json!([
        "nonsense.x",
        "nonsense",
        "",
        "ticker",
        "ticker.",
        "ticker.NONE.100ms",
        "ticker.BTC-PERPETUAL",
        "ticker.BTC-PERPETUAL.50ms",
        "ticker.BTC-PERPETUAL.100ms.more",
        "book.NONE.100ms",
        "book.BTC-PERPETUAL.none.50.100ms",
        "book.BTC-PERPETUAL.none.10",
        "book.BTC-PERPETUAL.0.10.100ms",
        "book.BTC-PERPETUAL.x.10.100ms",
        "quote.NONE",
        "quote.BTC-PERPETUAL.100ms",
        "trades.future.DOGE.100ms",
        "trades.swap.BTC.100ms",
        "chart.trades.BTC-PERPETUAL.2",
        "perpetual.BTC-26MAR27.100ms",
        "deribit_price_index.doge_usd",
        "platform_state.more",
        "TICKER.BTC-PERPETUAL.100ms",
        "user.isolated.portfolio.BTC",
        "user.position_lock",
    ]);
    assert_eq!(stranger.result("public/subscribe", json!({"channels": wrong})).await, json!([]));
    let own =
        json!(["user.orders.any.any.100ms", "user.portfolio.BTC", "block_rfq.maker.BTC", "block_trade_confirmations"]);
    assert_eq!(stranger.result("public/subscribe", json!({"channels": own})).await, json!([]), "these need a login");
    let mut owner = Socket::logged_in(&sandbox, 0).await;
    assert_eq!(owner.result("private/subscribe", json!({"channels": own})).await, own);
    let wrong =
        json!(["user.orders.NONE.raw", "user.orders.any.any", "user.nonsense", "user.portfolio.DOGE", "nonsense.raw"]);
    assert_eq!(owner.result("private/subscribe", json!({"channels": wrong})).await, json!([]));
    let good = json!([
        "platform_state",
        "platform_state.public_methods_state",
        "announcements",
        "book.BTC-PERPETUAL.agg2",
        "book.BTC-PERPETUAL.none.1.agg2",
        "book.ETH-PERPETUAL.5.20.100ms",
        "ticker.BTC_USDC.agg2",
        "incremental_ticker.BTC_USDC",
        "quote.BTC_USDC",
        "perpetual.BTC-PERPETUAL.100ms",
        "deribit_price_index.btc_usd",
        "deribit_price_ranking.btc_usd",
        "deribit_price_statistics.btc_usd",
        "deribit_volatility_index.btc_usd",
        "markprice.options.btc_usd",
        "estimated_expiration_price.btc_usd",
        "chart.trades.BTC-PERPETUAL.1D",
        "trades.BTC-PERPETUAL.100ms",
        "trades.option.any.agg2",
        "instrument.state.any.any",
        "instrument.creation.future.BTC",
        "block_rfq.trades.any",
    ]);
    assert_eq!(stranger.result("public/subscribe", json!({"channels": good})).await, good);
    let mixed = json!(["nonsense.x", "quote.ETH-PERPETUAL"]);
    assert_eq!(stranger.result("public/subscribe", json!({"channels": mixed})).await, json!(["quote.ETH-PERPETUAL"]));
    assert_eq!(sandbox.deribit_notify("nonsense.x", json!({})), 0);
}

/// A book as a client keeps it.
#[derive(Default)]
struct Local {
    change_id: Option<i64>,
    bids: BTreeMap<String, Value>,
    asks: BTreeMap<String, Value>,
}

impl Local {
    fn apply(&mut self, message: &Value) {
        if message["type"] == "snapshot" {
            *self = Self::default();
            assert!(message.get("prev_change_id").is_none());
        } else {
            assert_eq!(message["prev_change_id"].as_i64(), self.change_id, "{message}");
        }
        self.change_id = message["change_id"].as_i64();
        for (name, side) in [("bids", &mut self.bids), ("asks", &mut self.asks)] {
            for level in message[name].as_array().unwrap() {
                let price = level[1].to_string();
                match level[0].as_str().unwrap() {
                    "delete" => assert!(side.remove(&price).is_some() && level[2] == 0, "{level}"),
                    "new" => assert!(side.insert(price, level[2].clone()).is_none(), "{level}"),
                    _ => assert!(side.insert(price, level[2].clone()).is_some(), "{level}"),
                }
            }
        }
    }
}

fn levels(side: &Value) -> BTreeMap<String, Value> {
    side.as_array().unwrap().iter().map(|level| (level[0].to_string(), level[1].clone())).collect()
}

#[tokio::test]
async fn a_book_is_told_whole_and_then_by_what_changes() {
    let sandbox = two_accounts().await;
    let (maker, taker) = (Caller::given(&sandbox, 0), Caller::given(&sandbox, 1));
    let mut socket = Socket::logged_in(&sandbox, 0).await;
    for channel in ["book.BTC-26MAR27.raw", "book.BTC-26MAR27.100ms"] {
        socket.result("public/subscribe", json!({"channels": [channel]})).await;
        let mut local = Local::default();
        local.apply(&next(&mut socket, channel).await);
        let mut placed = Vec::new();
        for (amount, price) in [(100, 69402.5), (50, 69402.5), (20, 69397.5)] {
            placed.push(maker.result("private/buy", limit(amount, price)).await);
        }
        taker.result("private/sell", limit(120, 69402.5)).await;
        let id = json!({"order_id": placed[2]["order"]["order_id"], "amount": 10, "price": 69397.5});
        maker.result("private/edit", id).await;
        maker.result("private/cancel_all", json!({})).await;
        // Something that stays, so that there is a last change.
        maker.result("private/buy", limit(30, if channel.ends_with("raw") { 69000.0 } else { 69100.0 })).await;
        let last = public(&sandbox, &format!("get_order_book?instrument_name={FUTURE}&depth=1000")).await;
        while local.change_id != last["change_id"].as_i64() {
            local.apply(&next(&mut socket, channel).await);
        }
        assert_eq!(local.bids, levels(&last["bids"]), "{channel}");
        assert_eq!(local.asks, levels(&last["asks"]), "{channel}");
        socket.result("public/unsubscribe", json!({"channels": [channel]})).await;
    }
    // What one hears already is acknowledged, and does not begin again.
    let channel = json!({"channels": ["book.BTC-26MAR27.raw"]});
    socket.result("public/subscribe", channel.clone()).await;
    assert_eq!(next(&mut socket, "book.BTC-26MAR27.raw").await["type"], "snapshot");
    assert_eq!(socket.result("public/subscribe", channel.clone()).await, channel["channels"]);
    maker.result("private/buy", limit(10, 69000.0)).await;
    assert_eq!(next(&mut socket, "book.BTC-26MAR27.raw").await["type"], "change");
    socket.result("public/unsubscribe", channel.clone()).await;
    socket.result("public/subscribe", channel).await;
    assert_eq!(next(&mut socket, "book.BTC-26MAR27.raw").await["type"], "snapshot");
}

#[tokio::test]
async fn a_window_of_the_book_is_told_whole_each_time() {
    let sandbox = two_accounts().await;
    let maker = Caller::given(&sandbox, 0);
    let mut socket = Socket::connect(&sandbox).await;
    let (plain, grouped) = ("book.BTC-26MAR27.none.1.100ms", "book.BTC-26MAR27.10.10.100ms");
    socket.result("public/subscribe", json!({"channels": [plain, grouped]})).await;
    let mut seen = BTreeMap::new();
    while seen.len() < 2 {
        let params = socket.notification().await["params"].take();
        seen.insert(params["channel"].as_str().unwrap().to_owned(), params["data"].clone());
    }
    assert_eq!(seen[plain]["bids"], json!([[69400, 21000]]));
    // Bids at 69400, 69395, 69390 and asks at 69405, 69410, 69415, rounded away from the middle.
    assert_eq!(seen[grouped]["bids"], json!([[69400, 21000], [69390, 105000]]));
    assert_eq!(seen[grouped]["asks"], json!([[69410, 63000], [69420, 63000]]));
    maker.result("private/buy", limit(70, 69402.5)).await;
    assert_eq!(next(&mut socket, plain).await["bids"], json!([[69402.5, 70]]));
}

#[tokio::test]
async fn tickers_and_quotes_follow_the_book() {
    let sandbox = two_accounts().await;
    let (maker, taker) = (Caller::given(&sandbox, 0), Caller::given(&sandbox, 1));
    let mut socket = Socket::logged_in(&sandbox, 0).await;
    let channels =
        ["ticker.BTC-26MAR27.raw", "ticker.BTC-26MAR27.100ms", "quote.BTC-26MAR27", "incremental_ticker.BTC-26MAR27"];
    socket.result("public/subscribe", json!({"channels": channels})).await;
    // All of them begin of their own accord.
    let mut first = BTreeMap::new();
    while first.len() < channels.len() {
        let params = socket.notification().await["params"].take();
        first.entry(params["channel"].as_str().unwrap().to_owned()).or_insert(params["data"].clone());
    }
    assert!(channels.iter().all(|channel| first[*channel]["best_bid_price"] == 69400), "{first:?}");
    assert_eq!(
        (&first[channels[3]]["type"], &first[channels[2]]["best_ask_price"]),
        (&json!("snapshot"), &json!(69405))
    );
    maker.result("private/buy", limit(100, 69402.5)).await;
    let raw = next(&mut socket, channels[0]).await;
    assert_eq!((&raw["best_bid_price"], &raw["best_bid_amount"]), (&json!(69402.5), &json!(100)));
    taker.result("private/sell", limit(100, 69402.5)).await;
    let raw = next(&mut socket, channels[0]).await;
    assert_eq!((&raw["last_price"], &raw["best_bid_price"]), (&json!(69402.5), &json!(69400)));
    let mut shown = public(&sandbox, &format!("ticker?instrument_name={FUTURE}")).await;
    shown["timestamp"] = raw["timestamp"].clone();
    assert_eq!(raw, shown, "the channel and the method tell the same");
    loop {
        let change = next(&mut socket, channels[3]).await;
        assert_eq!(change["type"], "change");
        if change["last_price"] == 69402.5 {
            assert!(change.get("mark_price").is_none(), "only what changed: {change}");
            break;
        }
    }
    let index = "deribit_price_index.btc_usd";
    socket.result("public/subscribe", json!({"channels": [index]})).await;
    let told = next(&mut socket, index).await;
    assert_eq!(told["price"], public(&sandbox, "get_index_price?index_name=btc_usd").await["index_price"]);
}

#[tokio::test]
async fn trades_and_candles_are_told() {
    let sandbox = two_accounts().await;
    let (maker, taker) = (Caller::given(&sandbox, 0), Caller::given(&sandbox, 1));
    let mut socket = Socket::connect(&sandbox).await;
    let channels = [
        "trades.future.BTC.100ms",
        "trades.BTC-26MAR27.agg2",
        "chart.trades.BTC-26MAR27.1D",
        "trades.option.any.100ms",
    ];
    socket.result("public/subscribe", json!({"channels": channels})).await;
    maker.result("private/sell", limit(100, 69402.5)).await;
    taker.result("private/buy", limit(60, 69402.5)).await;
    let (mut told, mut candle) = (Vec::new(), Value::Null);
    while told.len() < 2 || candle.is_null() {
        let params = socket.notification().await["params"].take();
        match params["channel"].as_str().unwrap() {
            "chart.trades.BTC-26MAR27.1D" => candle = params["data"].clone(),
            channel => {
                assert_ne!(channel, channels[3], "this is no option");
                told.push(params["data"].clone());
            }
        }
    }
    let trades = public(&sandbox, &format!("get_last_trades_by_instrument?instrument_name={FUTURE}")).await;
    assert_eq!((&told[0], &told[1]), (&trades["trades"], &trades["trades"]));
    assert_eq!((&candle["open"], &candle["close"], &candle["cost"]), (&json!(69402.5), &json!(69402.5), &json!(60)));
}

#[tokio::test]
async fn an_account_hears_of_its_changes_and_its_portfolio() {
    let sandbox = two_accounts().await;
    let (maker, taker) = (Caller::given(&sandbox, 0), Caller::given(&sandbox, 1));
    let mut socket = Socket::logged_in(&sandbox, 0).await;
    let mut other = Socket::logged_in(&sandbox, 1).await;
    let channels =
        ["user.changes.BTC-26MAR27.raw", "user.changes.any.any.100ms", "user.portfolio.BTC", "user.portfolio.any"];
    let given = socket.result("private/subscribe", json!({"channels": channels})).await;
    assert_eq!(given, json!(channels));
    other.result("private/subscribe", json!({"channels": ["user.changes.any.any.raw"]})).await;
    assert_eq!(next(&mut socket, channels[2]).await["balance"], 10);
    maker.result("private/sell", limit(100, 69402.5)).await;
    let change = next(&mut socket, channels[0]).await;
    assert_eq!((&change["instrument_name"], &change["trades"]), (&json!(FUTURE), &json!([])));
    assert_eq!((&change["orders"][0]["order_state"], &change["positions"]), (&json!("open"), &json!([])));
    taker.result("private/buy", limit(60, 69402.5)).await;
    let change = next(&mut socket, channels[0]).await;
    assert_eq!((&change["trades"][0]["liquidity"], &change["trades"][0]["amount"]), (&json!("M"), &json!(60)));
    assert_eq!((&change["orders"][0]["filled_amount"], &change["positions"][0]["size"]), (&json!(60), &json!(-60)));
    let shown = maker.result("private/get_position", json!({"instrument_name": FUTURE})).await;
    assert_eq!(change["positions"][0], shown);
    assert_eq!(other.notification().await["params"]["data"]["trades"][0]["liquidity"], "T");
    // The whole record, equal to what the method tells.
    let mut shown = maker.result("private/get_account_summary", json!({"currency": "BTC"})).await;
    shown.as_object_mut().unwrap().remove("limits");
    while next(&mut socket, channels[2]).await != shown {}
}
