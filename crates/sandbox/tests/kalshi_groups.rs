//! Kalshi: order groups, requests for quotes and quotes, from their beginning to their end; and the perpetual futures.

mod common;

use common::{Kalshi, send};
use serde_json::{Value, json};
use venuekit_sandbox::{Accounts, Sandbox};

const GROUPS: &str = "/trade-api/v2/portfolio/order_groups";
const ORDERS: &str = "/trade-api/v2/portfolio/events/orders";
const RFQS: &str = "/trade-api/v2/communications/rfqs";
const QUOTES: &str = "/trade-api/v2/communications/quotes";

async fn sandbox() -> Sandbox {
    Sandbox::start(Accounts::default()).await.unwrap()
}

async fn open_ticker(sandbox: &Sandbox) -> String {
    let page = send(sandbox, "GET", "/trade-api/v2/markets?status=open&limit=1", &[], "").await.expect(200);
    page["markets"][0]["ticker"].as_str().unwrap().to_owned()
}

fn order(ticker: &str, group: &Value, price: &str) -> String {
    json!({
        "ticker": ticker, "side": "bid", "count": "10.00", "price": price, "time_in_force": "good_till_canceled",
        "self_trade_prevention_type": "taker_at_cross", "order_group_id": group,
    })
    .to_string()
}

#[tokio::test]
async fn a_group_that_was_filled_too_much_cancels_its_orders() {
    let sandbox = sandbox().await;
    let key = Kalshi::given(&sandbox, 1);
    let ticker = open_ticker(&sandbox).await;
    let refused = key.call("POST", &format!("{GROUPS}/create"), "{}").await.expect(400);
    assert_eq!(refused["error"]["code"], "invalid_parameters");
    let group = key.call("POST", &format!("{GROUPS}/create"), r#"{"contracts_limit": 10}"#).await.expect(201);
    let group = &group["order_group_id"];
    let path = format!("{GROUPS}/{}", group.as_str().unwrap());

    let resting = key.call("POST", ORDERS, &order(&ticker, group, "0.4500")).await.expect(201);
    assert_eq!(key.call("GET", &path, "").await.expect(200)["orders"], json!([resting["order_id"]]));
    key.call("POST", ORDERS, &order(&ticker, group, "0.9900")).await.expect(201);
    assert_eq!(key.call("GET", &path, "").await.expect(200)["orders"], json!([]), "ten were filled");
    let refused = key.call("POST", ORDERS, &order(&ticker, group, "0.4500")).await.expect(400);
    assert_eq!(refused["error"]["details"], "order group is triggered");

    key.call("PUT", &format!("{path}/reset"), "{}").await.expect(200);
    key.call("POST", ORDERS, &order(&ticker, group, "0.4500")).await.expect(201);
    key.call("PUT", &format!("{path}/limit"), r#"{"contracts_limit_fp": "2.50"}"#).await.expect(200);
    let listed = key.call("GET", GROUPS, "").await.expect(200);
    assert_eq!(listed["order_groups"][0]["contracts_limit_fp"], "2.50");
    key.call("DELETE", &path, "").await.expect(200);
    assert_eq!(key.call("GET", &path, "").await.expect(404)["error"]["code"], "not_found");
    let left = key.call("GET", "/trade-api/v2/portfolio/orders?status=resting", "").await.expect(200);
    assert_eq!(left["orders"], json!([]), "its orders went with it");
}

#[tokio::test]
async fn a_request_is_quoted_accepted_and_confirmed() {
    let sandbox = sandbox().await;
    let key = Kalshi::given(&sandbox, 1);
    let ticker = open_ticker(&sandbox).await;
    let body = json!({"market_ticker": ticker, "rest_remainder": false, "contracts_fp": "25.00"}).to_string();
    let rfq = key.call("POST", RFQS, &body).await.expect(201)["id"].take();
    key.call("POST", RFQS, &body).await.expect(409);
    let unsized_body = json!({"market_ticker": ticker, "rest_remainder": false}).to_string();
    key.call("POST", RFQS, &unsized_body).await.expect(400);

    let quote = json!({"rfq_id": rfq, "yes_bid": "0.40", "no_bid": "0.55", "rest_remainder": true}).to_string();
    let first = key.call("POST", QUOTES, &quote).await.expect(201)["id"].take();
    let second = key.call("POST", QUOTES, &quote).await.expect(201)["id"].take();
    let path = format!("{RFQS}/{}/quotes/{}", rfq.as_str().unwrap(), first.as_str().unwrap());
    key.call("PUT", &format!("{path}/confirm"), "{}").await.expect(400);
    key.call("PUT", &format!("{path}/accept"), r#"{"accepted_side": "yes"}"#).await.expect(204);
    key.call("PUT", &format!("{path}/confirm"), "{}").await.expect(204);
    let executed = key.call("GET", &path, "").await.expect(200)["quote"].take();
    assert_eq!((&executed["status"], &executed["accepted_side"]), (&json!("executed"), &json!("yes")));
    assert_eq!((&executed["yes_bid_dollars"], &executed["contracts_fp"]), (&json!("0.4000"), &json!("25.00")));
    let closed = key.call("GET", &format!("{RFQS}?status=closed"), "").await.expect(200);
    assert_eq!(closed["rfqs"][0]["id"], rfq);
    let cancelled = key.call("GET", &format!("{QUOTES}?status=cancelled"), "").await.expect(200);
    assert_eq!(cancelled["quotes"][0]["id"], second, "the other quote ended with the request");
    key.call("POST", QUOTES, &quote).await.expect(400);
    key.call("DELETE", &format!("{QUOTES}/unknown"), "").await.expect(404);
}

#[tokio::test]
async fn perpetual_futures_stand_beside_kalshi() {
    let sandbox = sandbox().await;
    let key = Kalshi::given(&sandbox, 1);
    assert_eq!(sandbox.kalshi_perps_url(), sandbox.kalshi_url());
    let path = "/trade-api/v2/margin/markets/KXBTCPERP";
    let market = send(&sandbox, "GET", path, &[], "").await.expect(200);
    assert_eq!(market["market"]["ticker"], "KXBTCPERP", "a response names what was asked for");
    let orders = "/trade-api/v2/margin/orders";
    send(&sandbox, "GET", orders, &[], "").await.expect(401);
    key.call("GET", orders, "").await.expect(200);
    let refused = key.call("POST", orders, "{}").await.expect(400);
    assert!(refused["error"]["details"].as_str().unwrap().starts_with("body/"), "{refused}");
    let executed = sandbox.executed();
    assert_eq!(executed["kalshi_perps GET /trade-api/v2/margin/orders"], 1);
    assert_eq!(executed["kalshi_perps GET /trade-api/v2/margin/markets/{ticker}"], 1);
}
