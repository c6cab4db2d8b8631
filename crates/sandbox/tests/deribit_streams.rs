//! Deribit's streams: subscribing, chains of books, gathered records, heartbeats and idle connections.

mod common;
#[path = "common/deribit.rs"]
mod deribit;
#[path = "common/socket.rs"]
mod socket;

use std::collections::BTreeMap;

use deribit::{Caller, two_accounts};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use socket::{End, Socket};
use venuekit_sandbox::{DeribitSettings, Sandbox};

const FUTURE: &str = "BTC-26MAR27";

fn limit(amount: i64, price: f64) -> Value {
    json!({"instrument_name": FUTURE, "amount": amount, "type": "limit", "price": price})
}

fn set(sandbox: &Sandbox, change: impl FnOnce(&mut DeribitSettings)) {
    let mut settings = sandbox.deribit_settings();
    change(&mut settings);
    sandbox.set_deribit_settings(settings);
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

/// A book as a client keeps it, by the numbers' values.
#[derive(Default)]
struct Local {
    last: Option<i64>,
    bids: BTreeMap<Decimal, Decimal>,
    asks: BTreeMap<Decimal, Decimal>,
}

impl Local {
    #[track_caller]
    fn apply(&mut self, message: &Value) {
        match message["type"].as_str().unwrap() {
            "snapshot" => {
                assert!(message.get("prev_change_id").is_none(), "{message}");
                *self = Self::default();
            }
            _ => assert_eq!(message["prev_change_id"].as_i64(), self.last, "{message}"),
        }
        self.last = message["change_id"].as_i64();
        for (name, side) in [("bids", &mut self.bids), ("asks", &mut self.asks)] {
            for level in message[name].as_array().unwrap() {
                let number = |index: usize| level[index].to_string().parse::<Decimal>().unwrap();
                if level[0] == "delete" {
                    assert!(side.remove(&number(1)).is_some() && number(2).is_zero(), "{level}");
                } else {
                    side.insert(number(1), number(2));
                }
            }
        }
    }

    /// Whether it is the sandbox's own book of that number.
    #[track_caller]
    fn check(&self, sandbox: &Sandbox) {
        let own = sandbox.deribit_book(FUTURE, self.last.unwrap()).unwrap();
        assert_eq!(own.mark, self.last.unwrap());
        assert_eq!(self.bids.iter().rev().map(|(price, amount)| (*price, *amount)).collect::<Vec<_>>(), own.bids);
        assert_eq!(self.asks.iter().map(|(price, amount)| (*price, *amount)).collect::<Vec<_>>(), own.asks);
    }
}

#[tokio::test]
async fn what_may_not_be_heard_is_left_out_or_refused() {
    let sandbox = two_accounts().await;
    let mut stranger = Socket::connect(&sandbox).await;
    let some = json!(["book.BTC-PERPETUAL.100ms", "book.NONE.100ms", "book.BTC-PERPETUAL.50ms", "user.lock"]);
    let accepted = stranger.result("public/subscribe", json!({"channels": some})).await;
    assert_eq!(accepted, json!(["book.BTC-PERPETUAL.100ms"]));
    assert_eq!(stranger.result("public/subscribe", json!({"channels": ["book.NONE.100ms"]})).await, json!([]));
    let raw = json!({"channels": ["ticker.BTC-PERPETUAL.100ms", "book.BTC-PERPETUAL.raw"]});
    assert_eq!(stranger.refused("public/subscribe", raw.clone()).await, 13778);
    let refused = stranger.call("private/subscribe", json!({"channels": ["user.lock"]})).await;
    assert_eq!(
        (&refused["error"]["code"], &refused["error"]["data"]["reason"]),
        (&json!(13009), &json!("invalid_token"))
    );
    let mut owner = Socket::logged_in(&sandbox, 0).await;
    assert_eq!(owner.result("public/subscribe", raw.clone()).await, raw["channels"]);
    // In another order than asked for.
    set(&sandbox, |settings| settings.shuffles_channels = true);
    let accepted = owner.result("private/subscribe", raw.clone()).await;
    assert_eq!(accepted, json!(["book.BTC-PERPETUAL.raw", "ticker.BTC-PERPETUAL.100ms"]));
    let both = json!({"channels": ["quote.BTC-PERPETUAL", "book.BTC-PERPETUAL.raw"]});
    assert_eq!(owner.result("public/unsubscribe", both).await, json!(["book.BTC-PERPETUAL.raw"]));
    assert_eq!(owner.result("public/unsubscribe_all", json!({})).await, "ok");
    stranger.send_text("{").await;
    let refused = stranger.answer_to_nobody().await;
    assert_eq!(refused["error"]["code"], 11050);
    stranger.send_text(r#"{"jsonrpc":"2.0","method":"public/test"}"#).await;
    let answer = stranger.answer_to_nobody().await;
    assert!(answer.get("id").is_none() && answer["result"].is_object(), "a request without an id: {answer}");
    assert!(stranger.result("public/test", json!({})).await.is_object(), "the connection stays");
}

#[tokio::test]
async fn each_channel_has_a_chain_of_its_own() {
    let sandbox = two_accounts().await;
    let maker = Caller::given(&sandbox, 0);
    let mut socket = Socket::logged_in(&sandbox, 0).await;
    let channels = ["raw", "100ms", "agg2"].map(|interval| format!("book.{FUTURE}.{interval}"));
    socket.result("public/subscribe", json!({"channels": channels})).await;
    let mut books: BTreeMap<String, (Local, usize)> = BTreeMap::new();
    let mut placed = Vec::new();
    for step in 0..6 {
        placed.push(maker.result("private/buy", limit(10 + 10 * step, 69390.0 - step as f64 * 5.0)).await);
        tokio::time::sleep(std::time::Duration::from_millis(30)).await;
    }
    maker.result("private/cancel", json!({"order_id": placed[0]["order"]["order_id"]})).await;
    let shown = maker.result("public/get_order_book", json!({"instrument_name": FUTURE})).await;
    let last = shown["change_id"].as_i64();
    while books.len() < 3 || books.values().any(|(book, _)| book.last != last) {
        let params = socket.notification().await["params"].take();
        let (book, count) = books.entry(params["channel"].as_str().unwrap().to_owned()).or_default();
        book.apply(&params["data"]);
        book.check(&sandbox);
        *count += 1;
    }
    let counts: Vec<usize> = channels.iter().map(|channel| books[channel].1).collect();
    assert_eq!(counts[0], 8, "a snapshot and each change");
    // On a busy machine no two changes may fall together.
    assert!(counts[1] <= counts[0] && counts[2] <= counts[1], "{counts:?}");
    assert_eq!(books[&channels[2]].0.bids, books[&channels[0]].0.bids);
    // What changes nothing in the book gives it no new number.
    assert!(sandbox.deribit_book(FUTURE, last.unwrap() + 1).is_none());
    set(&sandbox, |settings| settings.generated_book = false);
    let change = next(&mut socket, &channels[0]).await;
    assert_eq!(change["asks"].as_array().unwrap().len(), 3, "the venue takes its offers away: {change}");
    let (mut book, _) = books.remove(&channels[0]).unwrap();
    book.apply(&change);
    assert_eq!(book.asks.len(), 0);
}

#[tokio::test]
async fn records_are_gathered_for_slower_channels() {
    let sandbox = two_accounts().await;
    let (maker, taker) = (Caller::given(&sandbox, 0), Caller::given(&sandbox, 1));
    let mut socket = Socket::logged_in(&sandbox, 0).await;
    let names = |family: &str| ["raw", "agg2"].map(|interval| format!("{family}.{FUTURE}.{interval}"));
    let (trades, own, orders, changes) =
        (names("trades"), names("user.trades"), names("user.orders"), names("user.changes"));
    let all: Vec<&String> = [&trades, &own, &orders, &changes].into_iter().flatten().collect();
    assert_eq!(socket.result("private/subscribe", json!({"channels": all})).await, json!(all));
    maker.result("private/sell", limit(100, 69402.5)).await;
    for amount in [10, 20, 30] {
        taker.result("private/buy", limit(amount, 69402.5)).await;
    }
    let mut told: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    while all.iter().any(|channel| !told.contains_key(*channel)) {
        let mut params = socket.notification().await["params"].take();
        told.entry(params["channel"].as_str().unwrap().to_owned()).or_default().push(params["data"].take());
    }
    let amounts = |records: &Value| -> Vec<i64> {
        records.as_array().unwrap().iter().map(|record| record["amount"].as_i64().unwrap()).collect()
    };
    for family in [&trades, &own] {
        let raw: Vec<Vec<i64>> = told[&family[0]].iter().map(amounts).collect();
        assert_eq!(raw, [[10], [20], [30]]);
        assert_eq!(told[&family[1]].iter().map(amounts).collect::<Vec<_>>(), [[10, 20, 30]]);
    }
    let seqs: Vec<i64> =
        told[&trades[1]][0].as_array().unwrap().iter().map(|one| one["trade_seq"].as_i64().unwrap()).collect();
    assert_eq!(seqs, [seqs[0], seqs[0] + 1, seqs[0] + 2], "one number after the other within an instrument");
    let filled = |order: &Value| order["filled_amount"].as_i64().unwrap();
    assert_eq!(told[&orders[0]].iter().map(filled).collect::<Vec<_>>(), [0, 10, 30, 60], "an object each");
    assert_eq!(told[&orders[1]].len(), 1);
    assert_eq!(told[&orders[1]][0].as_array().unwrap().iter().map(filled).collect::<Vec<_>>(), [0, 10, 30, 60]);
    let gathered = &told[&changes[1]][0];
    assert_eq!(amounts(&gathered["trades"]), [10, 20, 30]);
    assert_eq!((&gathered["orders"][0]["filled_amount"], &gathered["positions"][0]["size"]), (&json!(60), &json!(-60)));
    assert_eq!(told[&changes[0]].len(), 4);
}

#[tokio::test]
async fn indexes_begin_with_what_they_are() {
    let sandbox = two_accounts().await;
    let mut socket = Socket::connect(&sandbox).await;
    let families = [
        "deribit_price_index",
        "deribit_price_ranking",
        "deribit_price_statistics",
        "deribit_volatility_index",
        "markprice.options",
        "estimated_expiration_price",
    ];
    let channels = families.map(|family| format!("{family}.btc_usd"));
    socket.result("public/subscribe", json!({"channels": channels})).await;
    let mut told = BTreeMap::new();
    while told.len() < channels.len() {
        let params = socket.notification().await["params"].take();
        told.insert(params["channel"].as_str().unwrap().to_owned(), params["data"].clone());
    }
    assert_eq!(told[&channels[0]]["price"], told[&channels[2]]["high24h"]);
    assert_eq!(told[&channels[1]][0]["price"], told[&channels[0]]["price"]);
    assert!(told[&channels[3]]["volatility"].is_f64());
    assert!(told[&channels[4]].as_array().unwrap().iter().all(|one| one["mark_price"].is_number()));
    assert!(told[&channels[5]]["seconds"].is_i64());
    // Anything else is told on demand.
    for channel in ["platform_state", "announcements", "instrument.state.any.any", "block_rfq.trades.any", &channels[3]]
    {
        socket.result("public/subscribe", json!({"channels": [channel]})).await;
        assert_eq!(sandbox.deribit_notify(channel, json!({"any": channel})), 1);
        assert_eq!(next(&mut socket, channel).await, json!({"any": channel}));
    }
}

#[tokio::test]
async fn a_busy_connection_is_only_asked() {
    let sandbox = two_accounts().await;
    // Long enough that there is a notification between any two.
    set(&sandbox, |settings| settings.heartbeat_second_millis = 50);
    let mut socket = Socket::connect(&sandbox).await;
    socket.result("public/subscribe", json!({"channels": ["announcements"]})).await;
    socket.result("public/set_heartbeat", json!({"interval": 10})).await;
    let mut kinds = Vec::new();
    while kinds.len() < 4 {
        sandbox.deribit_notify("announcements", json!({}));
        let message = socket.receive().await.unwrap();
        if message["method"] == "heartbeat" {
            kinds.push(message["params"]["type"].as_str().unwrap().to_owned());
            socket.send("public/test", json!({})).await;
        }
    }
    assert_eq!(kinds, ["test_request"; 4]);
}

#[tokio::test]
async fn a_connection_that_hears_nothing_and_says_nothing_is_cut() {
    let sandbox = two_accounts().await;
    set(&sandbox, |settings| settings.idle_millis = 2000);
    let mut hearer = Socket::connect(&sandbox).await;
    hearer.result("public/subscribe", json!({"channels": ["announcements"]})).await;
    let mut idle = Socket::connect(&sandbox).await;
    idle.result("public/test", json!({})).await;
    assert_eq!(idle.receive().await, Err(End::Lost), "without a closing frame");
    assert_eq!(sandbox.deribit_notify("announcements", json!({})), 1);
    assert_eq!(hearer.notification().await["params"]["channel"], "announcements");
    hearer.result("public/unsubscribe_all", json!({})).await;
    assert_eq!(hearer.receive().await, Err(End::Lost));
}
