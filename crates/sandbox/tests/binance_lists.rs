//! Binance: order lists, and what their orders do to each other.

#[path = "common/binance.rs"]
mod binance;
mod common;

use binance::{Caller, limit, two_accounts};
use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde_json::{Value, json};

const PAIR: &str = "/api/v3/orderList/oco";
const CHAIN: &str = "/api/v3/orderList/oto";
const CHAIN_OF_PAIR: &str = "/api/v3/orderList/otoco";
const LIST: &str = "/api/v3/orderList";

/// Sells a tenth of a coin at a price above the market, or at the market when it falls to another.
fn pair(above: &str, stop: &str) -> String {
    format!(
        "symbol=BTCUSDT&side=SELL&quantity=0.1&aboveType=LIMIT_MAKER&abovePrice={above}&belowType=STOP_LOSS&belowStopPrice={stop}"
    )
}

fn working(side: &str, price: &str, duration: &str) -> String {
    format!(
        "symbol=BTCUSDT&workingType=LIMIT&workingSide={side}&workingPrice={price}&workingQuantity=0.01&workingTimeInForce={duration}"
    )
}

/// Status of an order now.
async fn status(caller: &Caller<'_>, order: &Value) -> String {
    let order = caller.get("/api/v3/order", &format!("symbol=BTCUSDT&orderId={}", order["orderId"])).await;
    order["status"].as_str().unwrap().to_owned()
}

async fn statuses(caller: &Caller<'_>, list: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for order in list["orders"].as_array().unwrap() {
        found.push(status(caller, order).await);
    }
    found
}

fn words<'a>(list: &'a Value, name: &str) -> Vec<&'a str> {
    list["orderReports"].as_array().unwrap().iter().map(|one| one[name].as_str().unwrap()).collect()
}

/// Moves the price of the last trade to the second best one.
async fn trade(caller: &Caller<'_>, side: &str, quantity: &str) {
    caller.place(&format!("symbol=BTCUSDT&side={side}&type=MARKET&quantity={quantity}")).await;
}

#[tokio::test]
async fn the_stop_of_a_pair_ends_its_limit_order() {
    let sandbox = two_accounts().await;
    let (caller, other) = (Caller::given(&sandbox, 0), Caller::given(&sandbox, 1));
    let placed = caller.call("POST", PAIR, &format!("{}&listClientOrderId=mine", pair("70000", "59999.98"))).await;
    assert_eq!(
        (&placed["contingencyType"], &placed["listStatusType"], &placed["listOrderStatus"]),
        (&json!("OCO"), &json!("EXEC_STARTED"), &json!("EXECUTING"))
    );
    let reports = placed["orderReports"].as_array().unwrap();
    assert!(reports.iter().all(|one| one["orderListId"] == placed["orderListId"]), "{placed}");
    let shown = caller.get("/api/v3/openOrders", "symbol=BTCUSDT").await;
    let kinds: Vec<&Value> = shown.as_array().unwrap().iter().map(|one| &one["type"]).collect();
    assert_eq!(kinds, ["STOP_LOSS", "LIMIT_MAKER"]);
    assert_eq!(caller.coin("BTC").await, (dec!(9.9), dec!(0.1)), "one of the two will sell it");
    let by_id = format!("orderListId={}", placed["orderListId"]);
    assert_eq!(caller.get(LIST, &by_id).await, caller.get(LIST, "origClientOrderId=mine").await);
    assert_eq!(caller.get("/api/v3/openOrderList", "").await.as_array().unwrap().len(), 1);
    assert_eq!(other.get("/api/v3/openOrderList", "").await, json!([]));
    assert_eq!(other.refused("GET", LIST, &by_id).await.1, -2013, "it is another account's");
    let counts = caller.get("/api/v3/rateLimit/order", "").await;
    assert_eq!(counts[0]["count"], 2);

    trade(&other, "SELL", "0.75").await;
    assert_eq!(statuses(&caller, &placed).await, ["FILLED", "EXPIRED"]);
    let done = caller.get(LIST, &by_id).await;
    assert_eq!((&done["listStatusType"], &done["listOrderStatus"]), (&json!("ALL_DONE"), &json!("ALL_DONE")));
    assert_eq!(caller.get("/api/v3/openOrderList", "").await, json!([]));
    assert_eq!(caller.get("/api/v3/allOrderList", "").await, json!([done]));
    assert_eq!(caller.coin("BTC").await, (dec!(9.9), Decimal::ZERO));
    let trades = caller.get("/api/v3/myTrades", "symbol=BTCUSDT").await;
    assert_eq!(trades[0]["orderListId"], placed["orderListId"]);
    // The id of the list is free again.
    caller.call("POST", PAIR, &format!("{}&listClientOrderId=mine", pair("70000", "50000"))).await;
}

#[tokio::test]
async fn the_first_trade_of_a_pair_ends_its_stop() {
    let sandbox = two_accounts().await;
    let (caller, other) = (Caller::given(&sandbox, 0), Caller::given(&sandbox, 1));
    let placed = caller.call("POST", PAIR, &pair("60000.01", "50000")).await;
    // Half a coin rests before it at that price.
    trade(&other, "BUY", "0.55").await;
    assert_eq!(statuses(&caller, &placed).await, ["EXPIRED", "PARTIALLY_FILLED"]);
    assert_eq!(caller.coin("BTC").await, (dec!(9.9), dec!(0.05)));
    assert_eq!(caller.get("/api/v3/openOrderList", "").await[0]["listOrderStatus"], "EXECUTING");
    trade(&other, "BUY", "0.05").await;
    assert_eq!(statuses(&caller, &placed).await, ["EXPIRED", "FILLED"]);
    assert_eq!(caller.get("/api/v3/openOrderList", "").await, json!([]));
}

#[tokio::test]
async fn the_orders_of_a_list_are_cancelled_together() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let placed = caller.call("POST", PAIR, &format!("{}&listClientOrderId=mine", pair("70000", "50000"))).await;
    let which = "symbol=BTCUSDT&listClientOrderId=mine";
    assert_eq!(caller.refused("DELETE", LIST, "symbol=ETHUSDT&listClientOrderId=mine").await.1, -2011);
    let gone = caller.call("DELETE", LIST, &format!("{which}&newClientOrderId=end")).await;
    assert_eq!((&gone["listStatusType"], words(&gone, "status")), (&json!("ALL_DONE"), vec!["CANCELED"; 2]));
    assert_eq!(words(&gone, "clientOrderId"), ["end", "end"]);
    assert_eq!(gone["orders"], placed["orders"]);
    assert_eq!(caller.refused("DELETE", LIST, which).await, (400, -2011, "Unknown order sent.".to_owned()));
    assert_eq!(caller.refused("DELETE", LIST, "symbol=BTCUSDT").await.1, -1102);

    let placed = caller.call("POST", PAIR, &pair("70000", "50000")).await;
    let one = format!("symbol=BTCUSDT&orderId={}", placed["orders"][1]["orderId"]);
    assert_eq!(caller.call("DELETE", "/api/v3/order", &one).await["status"], "CANCELED");
    assert_eq!(statuses(&caller, &placed).await, ["CANCELED", "CANCELED"]);

    caller.place(&limit("BTCUSDT", "BUY", "50000", "0.01")).await;
    let placed = caller.call("POST", PAIR, &pair("70000", "50000")).await;
    let all = caller.call("DELETE", "/api/v3/openOrders", "symbol=BTCUSDT").await;
    assert_eq!(all.as_array().unwrap().len(), 2, "an order and a list: {all}");
    assert_eq!((&all[0]["status"], &all[1]["orderListId"]), (&json!("CANCELED"), &placed["orderListId"]));
    assert_eq!(caller.coin("BTC").await, (dec!(10), Decimal::ZERO));
}

#[tokio::test]
async fn an_order_waits_for_another_to_be_filled() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let pending = "pendingType=LIMIT&pendingSide=SELL&pendingPrice=70000&pendingTimeInForce=GTC&pendingQuantity=0.009";
    let resting = caller
        .call("POST", CHAIN, &format!("{}&{pending}&newOrderRespType=FULL", working("BUY", "50000", "GTC")))
        .await;
    assert_eq!((&resting["contingencyType"], words(&resting, "status")), (&json!("OTO"), vec!["NEW", "PENDING_NEW"]));
    assert_eq!(caller.coin("USDT").await.1, dec!(500));
    assert_eq!(caller.coin("BTC").await.1, Decimal::ZERO, "what waits holds nothing");
    let smaller = format!("symbol=BTCUSDT&orderId={}&newQty=0.008", resting["orders"][1]["orderId"]);
    let amended = caller.call("PUT", "/api/v3/order/amend/keepPriority", &smaller).await;
    assert_eq!(amended["amendedOrder"]["status"], "PENDING_NEW");
    assert_eq!(amended["listStatus"]["orderListId"], resting["orderListId"]);
    let first = format!("symbol=BTCUSDT&orderId={}", resting["orders"][0]["orderId"]);
    caller.call("DELETE", "/api/v3/order", &first).await;
    assert_eq!(statuses(&caller, &resting).await, ["CANCELED", "CANCELED"]);

    // Filled at once. The response does not say yet what became of the other.
    let filled = caller.call("POST", CHAIN, &format!("{}&{pending}", working("BUY", "60000.01", "GTC"))).await;
    assert_eq!(words(&filled, "status"), ["FILLED", "PENDING_NEW"]);
    assert_eq!(statuses(&caller, &filled).await, ["FILLED", "NEW"]);
    assert_eq!(caller.coin("BTC").await.1, dec!(0.009));

    let expired = caller.call("POST", CHAIN, &format!("{}&{pending}", working("BUY", "50000", "FOK"))).await;
    assert_eq!((&expired["listStatusType"], words(&expired, "status")), (&json!("ALL_DONE"), vec!["EXPIRED"; 2]));

    // It is checked when its turn comes.
    let too_much = "pendingType=LIMIT&pendingSide=SELL&pendingPrice=70000&pendingTimeInForce=GTC&pendingQuantity=100";
    let poor = caller.call("POST", CHAIN, &format!("{}&{too_much}", working("BUY", "60000.01", "GTC"))).await;
    assert_eq!(statuses(&caller, &poor).await, ["FILLED", "EXPIRED"]);
    assert_eq!(caller.get("/api/v3/openOrderList", "").await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_pair_waits_for_an_order_to_be_filled() {
    let sandbox = two_accounts().await;
    let (caller, other) = (Caller::given(&sandbox, 0), Caller::given(&sandbox, 1));
    let pending = "pendingSide=SELL&pendingQuantity=9&pendingAboveType=LIMIT_MAKER&pendingAbovePrice=70000\
        &pendingBelowType=STOP_LOSS&pendingBelowStopPrice=59999.98&newOrderRespType=RESULT";
    let placed = caller.call("POST", CHAIN_OF_PAIR, &format!("{}&{pending}", working("BUY", "60000.01", "GTC"))).await;
    assert_eq!(words(&placed, "status"), ["FILLED", "PENDING_NEW", "PENDING_NEW"]);
    assert_eq!(statuses(&caller, &placed).await, ["FILLED", "NEW", "NEW"]);
    assert_eq!(caller.coin("BTC").await.1, dec!(9), "one of the two will sell it");
    trade(&other, "SELL", "0.75").await;
    assert_eq!(statuses(&caller, &placed).await, ["FILLED", "FILLED", "EXPIRED"]);
    assert_eq!(caller.get("/api/v3/allOrderList", "").await[0]["listStatusType"], "ALL_DONE");
}

#[tokio::test]
async fn the_older_call_makes_the_same_pair() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let order = "symbol=BTCUSDT&side=BUY&quantity=0.1&price=50000&limitClientOrderId=low&stopPrice=65000\
        &stopLimitPrice=66000&stopLimitTimeInForce=GTC&stopClientOrderId=high";
    let placed = caller.call("POST", "/api/v3/order/oco", order).await;
    let names: Vec<&Value> = placed["orders"].as_array().unwrap().iter().map(|one| &one["clientOrderId"]).collect();
    assert_eq!(names, ["high", "low"]);
    let shown = caller.get("/api/v3/order", "symbol=BTCUSDT&origClientOrderId=high").await;
    assert_eq!((&shown["type"], &shown["price"]), (&json!("STOP_LOSS_LIMIT"), &json!("66000.00000000")));
    assert_eq!(caller.coin("USDT").await.1, dec!(6600), "what the dearer one needs");
}

#[tokio::test]
async fn an_order_of_a_list_does_not_take_the_id_of_an_open_order() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let placed = caller.place(&format!("{}&newClientOrderId=a", limit("BTCUSDT", "BUY", "50000", "0.01"))).await;
    let pending = "pendingType=MARKET&pendingSide=SELL&pendingQuantity=0.01";
    for id in ["pendingClientOrderId=a", "workingClientOrderId=a"] {
        let list = format!("{}&{pending}&{id}", working("BUY", "50000", "GTC"));
        assert_eq!(
            caller.refused("POST", CHAIN, &list).await,
            (400, -2010, "Duplicate order sent.".to_owned()),
            "{id}"
        );
    }
    let gone = caller.call("DELETE", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=a").await;
    assert_eq!((&gone["orderId"], &gone["status"]), (&placed["orderId"], &json!("CANCELED")));
    // The id is free again.
    let list = format!("{}&{pending}&pendingClientOrderId=a", working("BUY", "50000", "GTC"));
    caller.call("POST", CHAIN, &list).await;
}

#[tokio::test]
async fn lists_that_make_no_sense_are_refused() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let prices = "The relationship of the prices for the orders is not correct.";
    for wrong in [pair("59000", "50000"), pair("70000", "60001")] {
        assert_eq!(caller.refused("POST", PAIR, &wrong).await, (400, -2010, prices.to_owned()), "{wrong}");
    }
    let legs = |side: &str, above: &str, below: &str| {
        format!("symbol=BTCUSDT&side={side}&quantity=0.1&aboveType={above}&belowType={below}")
    };
    let limit = "LIMIT_MAKER&abovePrice=70000";
    for (wrong, code) in [
        (legs("BUY", limit, "STOP_LOSS&belowStopPrice=50000"), -1165),
        (legs("SELL", "STOP_LOSS&aboveStopPrice=70000", "LIMIT_MAKER&belowPrice=50000"), -1166),
        (legs("SELL", limit, "LIMIT_MAKER&belowPrice=50000"), -1168),
        (legs("SELL", "STOP_LOSS&aboveStopPrice=70000", "STOP_LOSS&belowStopPrice=50000"), -1158),
        (legs("SELL", limit, "TAKE_PROFIT&belowStopPrice=50000"), -1158),
        (legs("SELL", limit, "MARKET"), -1158),
        (legs("SELL", limit, "STOP_LOSS"), -1102),
        (legs("SELL", limit, "STOP_LOSS&belowStopPrice=50000&aboveClientOrderId=a&belowClientOrderId=a"), -2010),
    ] {
        assert_eq!(caller.refused("POST", PAIR, &wrong).await.1, code, "{wrong}");
    }
    let lacking = caller.refused("POST", PAIR, &legs("SELL", "LIMIT_MAKER", "STOP_LOSS&belowStopPrice=1")).await;
    assert!(lacking.2.contains("'abovePrice'"), "it is named as the caller names it: {lacking:?}");
    let poor = pair("70000", "50000").replace("quantity=0.1", "quantity=100");
    assert_eq!(caller.refused("POST", PAIR, &poor).await.1, -2010);
    caller.call("POST", PAIR, &format!("{}&listClientOrderId=mine", pair("70000", "50000"))).await;
    let again = caller.refused("POST", PAIR, &format!("{}&listClientOrderId=mine", pair("70000", "50000"))).await;
    assert_eq!(again, (400, -2010, "Duplicate order sent.".to_owned()));
    let pending = "pendingType=MARKET&pendingSide=SELL&pendingQuantity=0.01";
    let stop = working("BUY", "50000", "GTC")
        .replace("workingType=LIMIT&", "workingType=STOP_LOSS_LIMIT&workingStopPrice=61000&");
    assert_eq!(caller.refused("POST", CHAIN, &format!("{stop}&{pending}")).await.1, -1116);
    assert_eq!(caller.get("/api/v3/allOrderList", "").await.as_array().unwrap().len(), 1);
}
