//! Paper trading: every venue's markets move, and a bot finds somebody to trade with.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use venuekit_sandbox::{MarketMakerSettings, Recording, Sandbox};

use crate::client::{Console, sandbox};
use crate::common::Kalshi;
use crate::deribit::Caller;

const PATIENCE: Duration = Duration::from_secs(60);

fn fast(seed: u64) -> MarketMakerSettings {
    let mut settings = MarketMakerSettings::default();
    (settings.seed, settings.interval_millis) = (seed, 10);
    settings
}

/// Asks until a response fits.
async fn until<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "nothing fits");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The first market of a venue that the market maker quotes: one whose two sides are close together.
async fn quoted(console: &Console, venue: &str) -> String {
    until(async || {
        let state = console.get("api/state").await;
        let markets = state["venues"][venue]["markets"].as_array().unwrap().clone();
        let price = |market: &Value, side: &str| market[side].as_str().and_then(|text| text.parse::<f64>().ok());
        let close = markets.iter().find(|market| {
            matches!((price(market, "bid"), price(market, "ask")), (Some(bid), Some(ask)) if ask - bid < ask * 0.1)
        });
        close.map(|market| market["id"].as_str().unwrap().to_owned())
    })
    .await
}

#[tokio::test]
async fn the_markets_of_every_venue_move_and_trade() {
    let sandbox = sandbox().await;
    let console = Console::of(&sandbox);
    console.post("api/market-maker", json!({"seed": 7, "interval_millis": 10})).await;
    for venue in ["kalshi", "kalshi_perps", "deribit", "bayse", "bybit"] {
        let market = quoted(&console, venue).await;
        let path = format!("api/market/{venue}?id={market}");
        let mut bests = BTreeSet::new();
        until(async || {
            let view = console.get(&path).await;
            bests.insert(view["bids"][0][0].as_str().unwrap().to_owned());
            let has_traded = !view["trades"].as_array().unwrap().is_empty();
            (bests.len() > 2 && has_traded).then_some(())
        })
        .await;
    }
    let state = console.post("api/market-maker", json!(null)).await;
    assert_eq!(state["market_maker"], Value::Null);
    assert_eq!(console.send("POST", "api/market-maker", Some(&json!({"interval_millis": 0}))).await.status(), 400);
}

#[tokio::test]
async fn a_resting_order_is_filled_when_the_price_comes_to_it() {
    let sandbox = sandbox().await;
    let console = Console::of(&sandbox);
    // Slow enough that the price is still the same when the order arrives.
    let mut settings = fast(1);
    settings.interval_millis = 250;
    sandbox.set_market_maker(Some(settings)).unwrap();
    let ticker = quoted(&console, "kalshi").await;
    let key = Kalshi::given(&sandbox, 1);
    let view = console.get(&format!("api/market/kalshi?id={ticker}")).await;
    let number = |value: &Value| value.as_str().unwrap().parse::<f64>().unwrap();
    // Between the two sides: the next order that sells meets it first.
    let price = (number(&view["bids"][0][0]) + number(&view["asks"][0][0])) / 2.0;
    let order = json!({
        "ticker": ticker, "client_order_id": "paper", "side": "bid", "count": "5.00", "price": format!("{price:.4}"),
        "time_in_force": "good_till_canceled", "self_trade_prevention_type": "maker",
    });
    let placed = key.call("POST", "/trade-api/v2/portfolio/events/orders", &order.to_string()).await.expect(201);
    let id = placed["order_id"].as_str().unwrap().to_owned();
    until(async || {
        let order = key.call("GET", &format!("/trade-api/v2/portfolio/orders/{id}"), "").await.expect(200);
        (order["order"]["status"] == "executed").then_some(())
    })
    .await;

    let caller = Caller::given(&sandbox, 0);
    let book = caller.result("public/get_order_book", json!({"instrument_name": "BTC-PERPETUAL"})).await;
    let price = (book["best_bid_price"].as_f64().unwrap() + book["best_ask_price"].as_f64().unwrap()) / 2.0;
    let order = json!({"instrument_name": "BTC-PERPETUAL", "amount": 10, "price": price, "type": "limit"});
    let placed = caller.result("private/buy", order).await;
    let id = placed["order"]["order_id"].clone();
    until(async || {
        let order = caller.result("private/get_order_state", json!({"order_id": id})).await;
        (order["order_state"] == "filled").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_recording_is_played_back() {
    let sandbox = sandbox().await;
    let console = Console::of(&sandbox);
    let ticker = console.get("api/state").await["venues"]["kalshi"]["markets"][0]["id"].as_str().unwrap().to_owned();
    let lines = [
        json!({"at_millis": 0, "venue": "kalshi", "market": ticker, "bids": [["0.41", 100]], "asks": [["0.43", 100]]}),
        json!({"at_millis": 0, "venue": "kalshi", "market": ticker, "side": "buy", "price": "0.43", "size": 7}),
        json!({"at_millis": 20, "venue": "kalshi", "market": ticker, "bids": [["0.44", 50]], "asks": [["0.46", 60]]}),
        json!({"at_millis": 20, "venue": "kalshi", "market": "NO-SUCH-MARKET", "bids": [["0.44", 50]]}),
    ];
    let text: Vec<String> = lines.iter().map(Value::to_string).collect();
    let mut settings = fast(0);
    settings.recording = Some(Recording::read(&text.join("\n")).unwrap().into());
    sandbox.set_market_maker(Some(settings)).unwrap();
    let view = until(async || {
        let view = console.get(&format!("api/market/kalshi?id={ticker}")).await;
        (view["bids"][0][0] == "0.44").then_some(view)
    })
    .await;
    assert_eq!((&view["bids"], &view["asks"]), (&json!([["0.44", "50"]]), &json!([["0.46", "60"]])));
    let trade = &view["trades"][0];
    assert_eq!((&trade["price"], &trade["size"], &trade["side"]), (&json!("0.43"), &json!("7"), &json!("buy")));
}

#[tokio::test]
async fn the_same_seed_makes_the_same_prices() {
    // The first trades that were made. None where so many followed before anybody looked that those are not shown any more.
    let first_trades = async |seed| -> Option<Vec<String>> {
        let sandbox: Sandbox = sandbox().await;
        let console = Console::of(&sandbox);
        sandbox.set_market_maker(Some(fast(seed))).unwrap();
        until(async || {
            let view = console.get("api/market/kalshi_perps?id=KXBTCPERP").await;
            let trades = view["trades"].as_array().unwrap();
            // Those of before the start are the same for every seed.
            let made = trades.iter().rev().skip(3).take(5).map(|trade| format!("{} {}", trade["price"], trade["size"]));
            let made: Vec<String> = made.collect();
            (made.len() == 5).then_some((trades.len() < 28).then_some(made))
        })
        .await
    };
    let walk = async |seed| until(async || first_trades(seed).await).await;
    let first = walk(3).await;
    assert_eq!(first, walk(3).await);
    assert_ne!(first, walk(4).await);
}
