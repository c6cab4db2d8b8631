//! Kalshi's streams: under many faults the log says exactly what a reader got, and explains each book that it made of it.

mod common;
#[path = "common/kalshi_stream.rs"]
mod kalshi_stream;
#[path = "operations/spec.rs"]
#[allow(dead_code, reason = "operations use the rest")]
mod spec;

use std::collections::BTreeMap;

use common::trader::{Trader, number, order, traders};
use kalshi_stream::{Book, Stream};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rust_decimal_macros::dec;
use serde_json::{Value, json};
use venuekit_sandbox::{Fault, Frame, Rule, Sandbox, Transport};

const MARKETS: usize = 5;
const STEPS: usize = 200;

fn faults() -> Vec<Rule> {
    let all = [
        Fault::Drop,
        Fault::Duplicate,
        Fault::Reorder,
        Fault::Gap { by: 2 },
        Fault::Delay { ms: 5 },
        Fault::UnknownType,
        Fault::Split { parts: 2 },
        Fault::Ping,
        Fault::set_to("/msg/unknown", true),
        Fault::Restart,
    ];
    all.into_iter().map(|fault| Rule::new(fault).on("data").over(Transport::Stream).chance(0.02)).collect()
}

/// Trades at random on some markets.
async fn trade(traders: &[Trader], tickers: &[String], seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    for _ in 0..STEPS {
        let trader = &traders[random.random_range(0..traders.len())];
        let ticker = &tickers[random.random_range(0..tickers.len())];
        let side = if random.random_bool(0.5) { "bid" } else { "ask" };
        let price = format!("0.{:02}00", random.random_range(45..55));
        let count = format!("{}.00", random.random_range(1..20));
        if random.random_bool(0.03) {
            trader.delete("/portfolio/events/orders", 204).await;
        }
        if random.random_bool(0.2) {
            change(trader, &mut random).await;
        }
        let body = order(ticker, side, &price, &count, json!({"self_trade_prevention_type": "maker"}));
        trader.post("/portfolio/events/orders", body, 201).await;
    }
}

/// Amends, decreases or cancels the newest order that rests.
async fn change(trader: &Trader, random: &mut StdRng) {
    let page = trader.get("/portfolio/orders?status=resting&limit=1").await;
    let resting = &page["orders"][0];
    let Some(id) = resting["order_id"].as_str() else { return };
    let path = format!("/portfolio/events/orders/{id}");
    match random.random_range(0..4) {
        0 => {
            trader.delete(&path, 200).await;
        }
        1 => {
            trader.post(&format!("{path}/decrease"), json!({"reduce_by": "0.50"}), 200).await;
        }
        // At the same price it keeps its place; at another one it may trade.
        which => {
            let moved = format!("0.{:02}00", random.random_range(45..55));
            let price = if which == 2 { resting["yes_price_dollars"].as_str().unwrap() } else { &moved };
            let amend = json!({
                "ticker": resting["ticker"], "side": resting["book_side"], "price": price,
                "count": format!("{}", number(&resting["fill_count_fp"]) + dec!(3)),
            });
            trader.post(&format!("{path}/amend"), amend, 200).await;
        }
    }
}

/// Everything that comes until the reply to a last command.
async fn read_all(stream: &mut Stream) -> Vec<Value> {
    let id = stream.send("list_subscriptions", Value::Null).await;
    let mut frames = Vec::new();
    loop {
        let frame = stream.receive().await.unwrap();
        let is_last = frame["id"] == id && frame["type"] == "ok";
        frames.push(frame);
        if is_last {
            return frames;
        }
    }
}

async fn scene(seed: u64) -> (Sandbox, Vec<String>, Vec<Value>, Vec<Frame>) {
    let (sandbox, traders) = traders(3).await;
    let page = traders[0].get(&format!("/markets?status=open&limit={MARKETS}")).await;
    let markets = page["markets"].as_array().unwrap();
    let tickers: Vec<String> = markets.iter().map(|market| market["ticker"].as_str().unwrap().to_owned()).collect();
    let mut stream = Stream::connect(&sandbox, &traders[0]).await;
    let channels = ["orderbook_delta", "trade", "ticker", "user_orders", "fill"];
    let subscribe = json!({"channels": channels, "market_tickers": tickers, "use_yes_price": true});
    stream.send("subscribe", subscribe).await;
    sandbox.faults().set_seeded(faults(), seed);
    trade(&traders, &tickers, seed).await;
    // Two: what was late or held back by the first comes before the reply to the second.
    let mut frames = read_all(&mut stream).await;
    sandbox.faults().clear();
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    frames.extend(read_all(&mut stream).await);
    let connection = sandbox.frames().all()[0].connection;
    let logged = sandbox.frames().of(connection);
    (sandbox, tickers, frames, logged)
}

#[tokio::test]
async fn the_log_says_what_a_reader_got() {
    for seed in [1, 2] {
        let (sandbox, _, frames, logged) = scene(seed).await;
        let sent: Vec<Value> =
            logged.iter().filter(|frame| frame.sent).map(|frame| serde_json::from_str(&frame.text).unwrap()).collect();
        assert_eq!(sent, frames);
        assert!(logged.iter().enumerate().all(|(index, frame)| frame.index == index as u64));
        let struck: Vec<&Fault> = logged.iter().filter_map(|frame| frame.fault.as_ref()).collect();
        assert!(struck.len() > 10, "{struck:?}");
        assert!(logged.iter().any(|frame| !frame.sent));
        drop(sandbox);
    }
}

#[tokio::test]
async fn a_book_without_a_gap_before_it_is_the_book_at_its_clock() {
    let (sandbox, tickers, frames, _) = scene(3).await;
    let mut books: BTreeMap<&str, Book> = BTreeMap::new();
    let mut compared = 0;
    let mut last = 0;
    for frame in frames.iter().filter(|frame| frame["sid"] == 1 && frame["seq"].is_i64()) {
        let seq = frame["seq"].as_i64().unwrap();
        if seq != last + 1 {
            break;
        }
        last = seq;
        let Some(ticker) = frame["msg"]["market_ticker"].as_str() else { continue };
        let book = books.entry(ticker).or_default();
        book.apply(frame);
        assert!(book.agrees(&sandbox.kalshi_book(ticker, Some(book.clock)).unwrap()), "{frame}");
        compared += 1;
    }
    assert!(compared > MARKETS && books.len() == tickers.len());
}

#[tokio::test]
async fn what_was_told_last_is_what_is_shown() {
    let (sandbox, traders) = traders(3).await;
    let trader = &traders[0];
    let page = trader.get(&format!("/markets?status=open&limit={MARKETS}")).await;
    let markets = page["markets"].as_array().unwrap();
    let tickers: Vec<String> = markets.iter().map(|market| market["ticker"].as_str().unwrap().to_owned()).collect();
    let mut stream = Stream::connect(&sandbox, trader).await;
    for channel in ["user_orders", "fill", "market_positions", "ticker"] {
        stream.subscribe(channel, json!({})).await;
    }
    trade(&traders, &tickers, 4).await;
    let told = stream.rest().await;
    let last = |kind: &str, key: &str| -> BTreeMap<String, &Value> {
        let own = told.iter().filter(|frame| frame["type"] == kind).map(|frame| &frame["msg"]);
        own.map(|msg| (msg[key].as_str().unwrap().to_owned(), msg)).collect()
    };
    let same = |told: &Value, shown: &Value, members: &[&str]| {
        for member in members {
            assert_eq!(told[*member], shown[*member], "{member} of {told} and {shown}");
        }
    };
    let orders = last("user_order", "order_id");
    let shown = trader.all("/portfolio/orders", "orders").await;
    assert_eq!(orders.len(), shown.len());
    for order in &shown {
        let members = [
            "status",
            "ticker",
            "book_side",
            "outcome_side",
            "yes_price_dollars",
            "fill_count_fp",
            "remaining_count_fp",
            "initial_count_fp",
            "taker_fill_cost_dollars",
            "maker_fees_dollars",
            "taker_fees_dollars",
            "user_id",
            "last_update_time",
        ];
        same(orders[order["order_id"].as_str().unwrap()], order, &members);
    }
    let fills: Vec<_> = told.iter().filter(|frame| frame["type"] == "fill").collect();
    let shown = trader.all("/portfolio/fills", "fills").await;
    assert!(fills.len() > 10);
    assert_eq!(fills.len(), shown.len());
    for (told, shown) in fills.iter().rev().zip(&shown) {
        same(
            &told["msg"],
            shown,
            &["trade_id", "order_id", "market_ticker", "yes_price_dollars", "count_fp", "is_taker", "book_side"],
        );
    }
    let positions = last("market_position", "market_ticker");
    let shown = trader.all("/portfolio/positions", "market_positions").await;
    assert_eq!(positions.len(), shown.len());
    for position in &shown {
        let told = positions[position["ticker"].as_str().unwrap()];
        same(told, position, &["position_fp", "realized_pnl_dollars", "fees_paid_dollars"]);
    }
    let quoted = last("ticker", "market_ticker");
    for ticker in &tickers {
        let market = trader.get(&format!("/markets/{ticker}")).await["market"].take();
        let members = [
            "yes_bid_dollars",
            "yes_ask_dollars",
            "yes_bid_size_fp",
            "yes_ask_size_fp",
            "volume_fp",
            "open_interest_fp",
        ];
        same(quoted[ticker], &market, &members);
        // What the stream and its history say of the book is what the exchange has.
        let book = trader.get(&format!("/markets/{ticker}/orderbook")).await["orderbook_fp"].take();
        let levels = sandbox.kalshi_book(ticker, None).unwrap();
        let shown = |side: &str| -> Vec<_> {
            let levels = book[side].as_array().unwrap().iter().rev();
            levels.map(|level| (number(&level[0]), number(&level[1]))).collect()
        };
        assert_eq!(shown("yes_dollars"), levels.bids);
        let asks: Vec<_> = shown("no_dollars").into_iter().map(|(price, size)| (dec!(1) - price, size)).collect();
        assert_eq!(asks, levels.asks);
    }
}
