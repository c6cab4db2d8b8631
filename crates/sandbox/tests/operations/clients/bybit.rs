//! Clients of Bybit tell products apart by the members of an order, and read prices from rows.

use serde_json::json;

use crate::bybit::{Caller, limit, market, number, public, two_accounts, with};

#[tokio::test]
async fn an_order_of_spot_has_no_mode_of_its_stops() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let id = caller.place(limit("spot", "BTCUSDT", "Buy", "80000", "0.001")).await;
    assert_eq!(caller.order("spot", &id).await.get("tpslMode"), None);
    let order = with(limit("linear", "BTCUSDT", "Buy", "80000", "0.01"), json!({"tpslMode": "Full"}));
    let id = caller.place(order).await;
    assert_eq!(caller.order("linear", &id).await["tpslMode"], "Full");
}

#[tokio::test]
async fn there_is_one_mark_price() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    // It takes a part of the best price: the last price is not in the middle any more.
    caller.place(market("linear", "BTCUSDT", "Buy", "0.01")).await;
    let ticker = public(&sandbox, "/v5/market/tickers?category=linear&symbol=BTCUSDT").await["list"][0].take();
    assert_ne!(ticker["markPrice"], ticker["lastPrice"], "the test needs two prices");
    let position = caller.read("/v5/position/list", "category=linear&symbol=BTCUSDT").await["list"][0].take();
    assert_eq!(position["markPrice"], ticker["markPrice"]);
    let gain = (number(&ticker["markPrice"]) - number(&position["avgPrice"])) * number(&position["size"]);
    assert_eq!(number(&position["unrealisedPnl"]), gain);
    let wallet = caller.read("/v5/account/wallet-balance", "accountType=UNIFIED").await["list"][0].take();
    assert_eq!(number(&wallet["totalPerpUPL"]), gain);
    let fills = caller.read("/v5/execution/list", "category=linear&symbol=BTCUSDT").await;
    assert_eq!(fills["list"][0]["markPrice"], ticker["markPrice"]);
}

#[tokio::test]
async fn rows_and_times_have_the_venues_form() {
    let sandbox = two_accounts().await;
    for kind in ["index-price", "premium-index-price"] {
        let rows = public(&sandbox, &format!("/v5/market/{kind}-kline?symbol=BTCUSDT&interval=60")).await;
        let row = rows["list"][0].as_array().unwrap();
        assert_eq!(row.len(), 5, "{kind}: {row:?}");
        assert!(row[0].as_str().unwrap().parse::<i64>().is_ok_and(|time| time > 1_600_000_000_000), "{row:?}");
    }
    let rates = public(&sandbox, "/v5/market/funding/history?category=linear&symbol=BTCUSDT").await;
    let interest = public(&sandbox, "/v5/market/open-interest?category=linear&symbol=BTCUSDT&intervalTime=5min").await;
    for time in [&rates["list"][0]["fundingRateTimestamp"], &interest["list"][0]["timestamp"]] {
        assert!(time.as_str().is_some_and(|text| text.len() == 13 && text.parse::<i64>().is_ok()), "{time}");
    }
}

#[tokio::test]
async fn a_setting_answers_with_empty_objects() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let stop = json!({"category": "linear", "symbol": "BTCUSDT", "tpslMode": "Full", "positionIdx": 0});
    let mode = json!({"category": "linear", "symbol": "BTCUSDT", "mode": 0});
    for (path, body) in [("/v5/position/trading-stop", stop), ("/v5/position/switch-mode", mode)] {
        let answer = caller.post(path, body).await.expect(200);
        assert_eq!((&answer["result"], &answer["retExtInfo"]), (&json!({}), &json!({})), "{path}: {answer}");
    }
}
