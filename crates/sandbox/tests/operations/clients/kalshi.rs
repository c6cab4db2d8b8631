//! The client of Kalshi's perpetual futures checks every required member.

use serde_json::{Value, json};

use super::has;
use crate::call::Caller;
use crate::common::now_millis;

#[tokio::test]
async fn a_market_has_its_limits_of_funding() {
    let caller = Caller::new("kalshi_perps").await;
    let markets = caller.call("GetMarginMarkets", json!({})).await;
    for market in markets["markets"].as_array().unwrap() {
        assert!(market["funding_deadband"].is_number() && market["funding_cap"].is_number(), "{market:#}");
        assert!(["percentage", "dollar"].contains(&market["funding_limit_unit"].as_str().unwrap_or_default()));
        let handling = market["funding_invalid_premium_handling"].as_str().unwrap_or_default();
        assert!(["dampen", "exclude"].contains(&handling), "{market:#}");
    }
}

#[tokio::test]
async fn a_candle_has_all_members_though_nothing_traded() {
    let caller = Caller::new("kalshi_perps").await;
    let markets = caller.call("GetMarginMarkets", json!({})).await;
    let ticker = &markets["markets"][0]["ticker"];
    let now = now_millis() / 1000;
    let query = json!({
        "start_ts": now - 180, "end_ts": now + 60, "period_interval": 1, "include_latest_before_start": true,
    });
    let candles = caller.call("GetMarginMarketCandlesticks", json!({"path": {"ticker": ticker}, "query": query})).await;
    let candles = candles["candlesticks"].as_array().unwrap();
    let without_trade: Vec<&Value> = candles.iter().filter(|one| one["volume"] == "0.00").collect();
    assert!(!without_trade.is_empty(), "{candles:#?}");
    for candle in candles {
        has(&candle["price"], &["open", "low", "high", "close", "mean", "previous"]);
        for side in ["bid", "ask"] {
            for member in ["open", "low", "high", "close"] {
                assert!(candle[side][member].is_string(), "{candle:#}");
            }
        }
    }
    assert_eq!(without_trade[0]["price"]["open"], Value::Null);
}
