//! Clients of Bayse require what the venue lists without a mark that it may be missing.

use rust_decimal::Decimal;
use serde_json::{Value, json};
use venuekit_sandbox::{Accounts, Sandbox};

use super::has;
use crate::call::Caller;
use crate::common::{Bayse, send};

async fn book_event(sandbox: &Sandbox) -> Value {
    let page = send(sandbox, "GET", "/v1/pm/events?status=open&size=50", &[], "").await.expect(200);
    page["events"].as_array().unwrap().iter().find(|event| event["engine"] == "CLOB").unwrap().clone()
}

async fn buy(sandbox: &Sandbox, event: &Value, outcome: &str) {
    let market = &event["markets"][0];
    let body = json!({"side": "BUY", "outcomeId": market[outcome], "amount": 100, "type": "MARKET", "currency": "USD"});
    let path = format!("/v1/pm/events/{}/markets/{}/orders", text(&event["id"]), text(&market["id"]));
    Bayse::given(sandbox).write("POST", &path, &body.to_string(), &[]).await.expect(200);
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn number(value: &Value) -> Decimal {
    value.to_string().parse().unwrap()
}

#[tokio::test]
async fn a_ticker_is_whole_before_the_first_trade() {
    let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
    let event = book_event(&sandbox).await;
    let market = &event["markets"][0];
    let path = format!("/v1/pm/markets/{}/ticker?outcome=YES", text(&market["id"]));
    let ticker = send(&sandbox, "GET", &path, &[], "").await.expect(200);
    has(&ticker, &["lastPrice", "high24h", "low24h"]);
    for member in ["lastPrice", "high24h", "low24h"] {
        assert_eq!(number(&ticker[member]), number(&market["outcome1Price"]), "{member}");
    }
    assert_eq!(ticker["tradeCount24h"], 0);
}

#[tokio::test]
async fn a_trade_names_both_sides() {
    let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
    let event = book_event(&sandbox).await;
    buy(&sandbox, &event, "outcome1Id").await;
    let all = format!("/v1/pm/trades?marketId={}", text(&event["markets"][0]["id"]));
    let trades = send(&sandbox, "GET", &all, &[], "").await.expect(200);
    let trade = &trades["data"][0];
    let (order, user) = (text(&trade["makerOrderId"]), text(&trade["makerUserId"]));
    assert!(order != trade["takerOrderId"] && user != trade["takerUserId"], "{trade}");
    // The ids find the trade again.
    for (name, id) in [("orderId", order), ("userId", user)] {
        let found = send(&sandbox, "GET", &format!("{all}&{name}={id}"), &[], "").await.expect(200);
        assert_eq!(found["data"], json!([trade]), "{name}");
    }
}

#[tokio::test]
async fn the_prices_of_both_outcomes_make_one() {
    let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
    let mut event = book_event(&sandbox).await;
    for outcome in ["outcome1Id", "outcome2Id", "outcome1Id"] {
        buy(&sandbox, &event, outcome).await;
        event = book_event(&sandbox).await;
        let market = &event["markets"][0];
        let prices = [number(&market["outcome1Price"]), number(&market["outcome2Price"])];
        assert_eq!(prices[0] + prices[1], Decimal::ONE, "{outcome}: {prices:?}");
        let path = format!("/v1/pm/trades?marketId={}&size=1", text(&market["id"]));
        let trade = send(&sandbox, "GET", &path, &[], "").await.expect(200)["data"][0].take();
        let bought = if outcome == "outcome1Id" { prices[0] } else { prices[1] };
        assert_eq!(bought, number(&trade["price"]), "the latest trade decides");
    }
}

#[tokio::test]
async fn dates_of_an_example_are_dates() {
    let caller = Caller::new("bayse").await;
    let lean = caller.call("listSeriesLeanEvents", json!({})).await;
    let event = &lean[0];
    for member in ["openingDate", "closingDate", "resolutionDate"] {
        assert!(text(&event[member]).starts_with("20"), "{lean:#}");
    }
    let perps = Caller::new("kalshi_perps").await;
    let actions = perps.call("GetMarginCorporateActions", json!({})).await;
    let terms = actions.to_string();
    assert!(!terms.contains("\"ex_date\":\"example\""), "{terms}");
}
