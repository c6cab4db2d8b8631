//! Trigger orders of Deribit: by the mark price and the index, which the market maker moves, and trailing stops.

mod common;
#[path = "common/deribit.rs"]
mod deribit;

use std::sync::Arc;
use std::time::{Duration, Instant};

use deribit::{Caller, two_accounts};
use serde_json::{Value, json};
use venuekit_sandbox::{MarketMakerSettings, Recording, Sandbox};

const PERPETUAL: &str = "BTC-PERPETUAL";
const PATIENCE: Duration = Duration::from_secs(60);

/// Moves the market to a price. The mark price is in the middle of the quotes.
fn quote(sandbox: &Sandbox, price: i64) {
    let line = json!({
        "at_millis": 0, "venue": "deribit", "market": PERPETUAL, "bids": [[price - 1, 10_000]],
        "asks": [[price + 1, 10_000]],
    });
    let mut settings = MarketMakerSettings::default();
    settings.interval_millis = 10;
    settings.recording = Some(Arc::new(Recording::read(&line.to_string()).unwrap()));
    sandbox.set_market_maker(Some(settings)).unwrap();
}

async fn mark(caller: &Caller<'_>) -> f64 {
    let ticker = caller.result("public/ticker", json!({"instrument_name": PERPETUAL})).await;
    ticker["mark_price"].as_f64().unwrap()
}

/// Moves the market to a price, and waits until the mark price is there.
async fn move_to(sandbox: &Sandbox, caller: &Caller<'_>, price: i64) {
    quote(sandbox, price);
    let started = Instant::now();
    #[allow(clippy::cast_precision_loss, reason = "a small number")]
    while (mark(caller).await - price as f64).abs() > 0.1 {
        assert!(started.elapsed() < PATIENCE, "the price does not move");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn order(kind: &str, trigger: &str, more: Value) -> Value {
    let mut order = json!({"instrument_name": PERPETUAL, "amount": 10, "type": kind, "trigger": trigger});
    order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    order
}

async fn state(caller: &Caller<'_>, placed: &Value) -> Value {
    caller.result("private/get_order_state", json!({"order_id": placed["order"]["order_id"]})).await
}

#[tokio::test]
async fn the_mark_price_and_the_index_wake_trigger_orders() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let stop = json!({"trigger_price": 67000});
    let by_mark = caller.result("private/sell", order("stop_market", "mark_price", stop.clone())).await;
    let by_index = caller.result("private/sell", order("stop_market", "index_price", stop.clone())).await;
    let deeper = json!({"trigger_price": 60000});
    let waiting = caller.result("private/sell", order("stop_market", "mark_price", deeper)).await;
    move_to(&sandbox, &caller, 66990).await;
    for placed in [&by_mark, &by_index] {
        let shown = state(&caller, placed).await;
        assert_eq!((&shown["order_state"], &shown["triggered"]), (&json!("filled"), &json!(true)), "{shown}");
    }
    assert_eq!(state(&caller, &waiting).await["order_state"], "untriggered");
}

#[tokio::test]
async fn a_trailing_stop_follows_the_price() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    move_to(&sandbox, &caller, 68000).await;
    let offset = json!({"trigger_offset": 500});
    let sale = caller.result("private/sell", order("trailing_stop", "mark_price", offset)).await;
    move_to(&sandbox, &caller, 69000).await;
    move_to(&sandbox, &caller, 68600).await;
    let shown = state(&caller, &sale).await;
    assert_eq!((&shown["order_state"], &shown["trigger_reference_price"]), (&json!("untriggered"), &json!(69000)));
    move_to(&sandbox, &caller, 68490).await;
    assert_eq!(state(&caller, &sale).await["order_state"], "filled");
}
