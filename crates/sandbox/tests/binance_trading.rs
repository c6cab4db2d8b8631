//! Binance: orders, balances and transfers, and that all reads agree with them.

#[path = "common/binance.rs"]
mod binance;
mod common;

use binance::{Caller, Place, encode, limit, number, public, refusal, two_accounts};
use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde_json::{Value, json};
use venuekit_sandbox::{BinanceSettings, Sandbox};

const ORDER: &str = "/api/v3/order";
const OPEN: &str = "/api/v3/openOrders";

fn market(symbol: &str, side: &str, more: &str) -> String {
    format!("symbol={symbol}&side={side}&type=MARKET&{more}")
}

fn with_id(order: &str, id: &str) -> String {
    format!("{order}&newClientOrderId={id}")
}

async fn order(caller: &Caller<'_>, id: &Value) -> Value {
    caller.get(ORDER, &format!("symbol=BTCUSDT&orderId={id}")).await
}

#[tokio::test]
async fn a_limit_order_rests_holds_coins_and_is_cancelled() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let placed = caller.place(&with_id(&limit("BTCUSDT", "BUY", "50000", "0.010"), "mine")).await;
    assert_eq!((&placed["status"], &placed["fills"]), (&json!("NEW"), &json!([])));
    assert_eq!((&placed["price"], &placed["origQty"]), (&json!("50000.00000000"), &json!("0.01000000")));
    assert_eq!(caller.coin("USDT").await, (dec!(999500), dec!(500)));
    let shown = caller.get(ORDER, "symbol=BTCUSDT&origClientOrderId=mine").await;
    assert_eq!((&shown["orderId"], &shown["isWorking"]), (&placed["orderId"], &json!(true)));
    assert_eq!(caller.get(OPEN, "symbol=BTCUSDT").await, json!([shown]));
    assert_eq!(caller.get(OPEN, "symbol=ETHUSDT").await, json!([]));
    // Another account has no such order.
    let other = Caller::given(&sandbox, 1);
    let which = format!("symbol=BTCUSDT&orderId={}", placed["orderId"]);
    assert_eq!(other.refused("GET", ORDER, &which).await, (400, -2013, "Order does not exist.".to_owned()));
    assert_eq!(other.refused("DELETE", ORDER, &which).await, (400, -2011, "Unknown order sent.".to_owned()));
    let gone = caller.call("DELETE", ORDER, &format!("{which}&newClientOrderId=end")).await;
    assert_eq!(
        (&gone["status"], &gone["origClientOrderId"], &gone["clientOrderId"]),
        (&json!("CANCELED"), &json!("mine"), &json!("end"))
    );
    assert_eq!(caller.coin("USDT").await, (dec!(1000000), Decimal::ZERO));
    assert_eq!(caller.refused("DELETE", ORDER, &which).await.1, -2011);
    assert_eq!(order(&caller, &placed["orderId"]).await["status"], "CANCELED");
    assert_eq!(caller.refused("GET", ORDER, "symbol=BTCUSDT").await.1, -1102);
}

#[tokio::test]
async fn an_id_of_the_client_is_free_again_once_its_order_is_done() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let resting = with_id(&limit("BTCUSDT", "BUY", "50000", "0.001"), "again");
    let first = caller.place(&resting).await;
    assert_eq!(caller.refused("POST", ORDER, &resting).await, (400, -2010, "Duplicate order sent.".to_owned()));
    caller.call("DELETE", OPEN, "symbol=BTCUSDT").await;
    let second = caller.place(&resting).await;
    assert_ne!(first["orderId"], second["orderId"]);
    let found = caller.get(ORDER, "symbol=BTCUSDT&origClientOrderId=again").await;
    assert_eq!(found["orderId"], second["orderId"], "the newest of that id");
    caller.call("DELETE", OPEN, "symbol=BTCUSDT").await;
    // After a fill as well.
    let filled = with_id(&market("BTCUSDT", "BUY", "quantity=0.001"), "filled");
    caller.place(&filled).await;
    caller.place(&filled).await;
    assert_eq!(caller.get("/api/v3/allOrders", "symbol=BTCUSDT").await.as_array().unwrap().len(), 4);
    let last = caller.get("/api/v3/allOrders", "symbol=BTCUSDT&limit=1").await;
    let from = caller.get("/api/v3/allOrders", &format!("symbol=BTCUSDT&orderId={}", last[0]["orderId"])).await;
    assert_eq!(last, from);
}

#[tokio::test]
async fn two_accounts_trade_with_each_other() {
    let sandbox = two_accounts().await;
    let (maker, taker) = (Caller::given(&sandbox, 0), Caller::given(&sandbox, 1));
    let rested = maker.place(&limit("BTCUSDT", "SELL", "60000.00", "0.100")).await;
    let taken = taker.place(&limit("BTCUSDT", "BUY", "60000.00", "0.100")).await;
    assert_eq!((&taken["status"], &taken["executedQty"]), (&json!("FILLED"), &json!("0.10000000")));
    let fill = &taken["fills"][0];
    assert_eq!((&fill["price"], &fill["qty"]), (&json!("60000.00000000"), &json!("0.10000000")));
    assert_eq!((&fill["commission"], &fill["commissionAsset"]), (&json!("0.00010000"), &json!("BTC")));
    assert_eq!(taker.coin("BTC").await.0, dec!(10.0999));
    assert_eq!(taker.coin("USDT").await.0, dec!(994000));
    assert_eq!(maker.coin("BTC").await, (dec!(9.9), Decimal::ZERO));
    assert_eq!(maker.coin("USDT").await.0, dec!(1005994), "less the fee");
    let trades = maker.get("/api/v3/myTrades", "symbol=BTCUSDT").await;
    assert_eq!((&trades[0]["isMaker"], &trades[0]["isBuyer"]), (&json!(true), &json!(false)));
    assert_eq!((&trades[0]["orderId"], &trades[0]["id"]), (&rested["orderId"], &fill["tradeId"]));
    assert_eq!(order(&maker, &rested["orderId"]).await["cummulativeQuoteQty"], "6000.00000000");
    let public = public(&sandbox, "/api/v3/trades?symbol=BTCUSDT&limit=1").await;
    assert_eq!((&public[0]["id"], &public[0]["isBuyerMaker"]), (&fill["tradeId"], &json!(false)));
    let after = format!("symbol=BTCUSDT&fromId={}", trades[0]["id"].as_i64().unwrap() + 1);
    assert_eq!(maker.get("/api/v3/myTrades", &after).await, json!([]));
    let of_order = format!("symbol=BTCUSDT&orderId={}", rested["orderId"]);
    assert_eq!(maker.get("/api/v3/myTrades", &of_order).await, trades);
}

#[tokio::test]
async fn market_orders_walk_the_book() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    // Half a coin rests at each of the first prices.
    let bought = caller.place(&market("BTCUSDT", "BUY", "quantity=0.75")).await;
    let fills = bought["fills"].as_array().unwrap();
    assert_eq!(fills.iter().map(|fill| number(&fill["price"])).collect::<Vec<_>>(), [dec!(60000.01), dec!(60000.02)]);
    assert_eq!((&bought["price"], &bought["status"]), (&json!("0.00000000"), &json!("FILLED")));
    let for_amount = caller.place(&market("BTCUSDT", "BUY", "quoteOrderQty=1000")).await;
    let spent = number(&for_amount["cummulativeQuoteQty"]);
    assert!(spent <= dec!(1000) && spent > dec!(999), "{spent}");
    assert_eq!(for_amount["origQuoteOrderQty"], "1000.00000000");
    let refused = caller.refused("POST", ORDER, &market("BTCUSDT", "SELL", "quantity=100")).await;
    assert_eq!(refused, (400, -2010, "Account has insufficient balance for requested action.".to_owned()));
    assert_eq!(caller.refused("POST", ORDER, &market("BTCUSDT", "SELL", "")).await.1, -1102);
    // The aggregate of a price is one.
    let together = public(&sandbox, "/api/v3/aggTrades?symbol=BTCUSDT&limit=3").await;
    let prices: Vec<Decimal> = together.as_array().unwrap().iter().map(|one| number(&one["p"])).collect();
    assert_eq!(prices, [dec!(60000.01), dec!(60000.02), dec!(60000.02)]);
}

#[tokio::test]
async fn the_duration_of_an_order_decides_what_is_left() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let order = |duration: &str| limit("BTCUSDT", "BUY", "60000.01", "0.75").replace("GTC", duration);
    let killed = caller.place(&order("FOK")).await;
    assert_eq!((&killed["status"], &killed["executedQty"]), (&json!("EXPIRED"), &json!("0.00000000")));
    let now = caller.place(&order("IOC")).await;
    assert_eq!((&now["status"], &now["executedQty"]), (&json!("EXPIRED"), &json!("0.50000000")));
    let rests = caller.place(&limit("BTCUSDT", "BUY", "60000.02", "0.75")).await;
    assert_eq!((&rests["status"], &rests["executedQty"]), (&json!("PARTIALLY_FILLED"), &json!("0.50000000")));
    let maker = |price: &str| format!("symbol=BTCUSDT&side=SELL&type=LIMIT_MAKER&quantity=0.001&price={price}");
    let refused = caller.refused("POST", ORDER, &maker("60000.02")).await;
    assert_eq!(refused, (400, -2010, "Order would immediately match and take.".to_owned()));
    let placed = caller.place(&maker("60000.50")).await;
    assert!(placed.get("status").is_none(), "only an acknowledgement: {placed}");
}

#[tokio::test]
async fn own_orders_do_not_trade_with_each_other() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let rested = caller.place(&limit("BTCUSDT", "SELL", "60000.00", "0.1")).await;
    let taker = format!("{}&selfTradePreventionMode=EXPIRE_TAKER", limit("BTCUSDT", "BUY", "60000.00", "0.1"));
    assert_eq!(caller.place(&taker).await["status"], "EXPIRED_IN_MATCH");
    assert_eq!(order(&caller, &rested["orderId"]).await["status"], "NEW");
    let both = taker.replace("EXPIRE_TAKER", "EXPIRE_BOTH");
    assert_eq!(caller.place(&both).await["status"], "EXPIRED_IN_MATCH");
    assert_eq!(order(&caller, &rested["orderId"]).await["status"], "EXPIRED_IN_MATCH");
    let rested = caller.place(&limit("BTCUSDT", "SELL", "60000.00", "0.1")).await;
    assert_eq!(caller.place(&limit("BTCUSDT", "BUY", "60000.00", "0.1")).await["status"], "NEW");
    assert_eq!(order(&caller, &rested["orderId"]).await["status"], "EXPIRED_IN_MATCH");
}

#[tokio::test]
async fn a_conditional_order_waits_for_its_price() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let stop = |price: &str| format!("symbol=BTCUSDT&side=BUY&type=STOP_LOSS&quantity=0.01&stopPrice={price}");
    let refused = caller.refused("POST", ORDER, &stop("59000")).await;
    assert_eq!(refused, (400, -2010, "Order would trigger immediately.".to_owned()));
    let placed = caller.place(&stop("60000.02")).await;
    assert_eq!(order(&caller, &placed["orderId"]).await["isWorking"], false);
    // The price rises to it.
    Caller::given(&sandbox, 1).place(&market("BTCUSDT", "BUY", "quantity=0.75")).await;
    let done = order(&caller, &placed["orderId"]).await;
    assert_eq!((&done["status"], &done["isWorking"]), (&json!("FILLED"), &json!(true)));
}

#[tokio::test]
async fn an_order_is_replaced_in_two_halves() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let path = "/api/v3/order/cancelReplace";
    let first = caller.place(&limit("BTCUSDT", "BUY", "50000", "0.001")).await;
    let replace = |order: &str, id: &Value, mode: &str| format!("{order}&cancelReplaceMode={mode}&cancelOrderId={id}");
    let good = limit("BTCUSDT", "BUY", "51000", "0.001");
    let done = caller.call("POST", path, &replace(&good, &first["orderId"], "STOP_ON_FAILURE")).await;
    assert_eq!((&done["cancelResult"], &done["newOrderResult"]), (&json!("SUCCESS"), &json!("SUCCESS")));
    let second = done["newOrderResponse"]["orderId"].clone();
    assert_eq!(done["cancelResponse"]["orderId"], first["orderId"]);

    // Nothing to cancel, and nothing tried.
    let refused = caller.send("POST", path, &replace(&good, &first["orderId"], "STOP_ON_FAILURE"), Place::Query).await;
    assert_eq!(refusal(&refused), (400, -2022, "Order cancel-replace failed.".to_owned()));
    let data = &refused.json["data"];
    assert_eq!((&data["cancelResult"], &data["newOrderResult"]), (&json!("FAILURE"), &json!("NOT_ATTEMPTED")));
    assert_eq!((&data["cancelResponse"]["code"], &data["newOrderResponse"]), (&json!(-2011), &Value::Null));

    // Cancelled, and the new one refused: half done.
    let poor = limit("BTCUSDT", "BUY", "60000", "100");
    let half = caller.send("POST", path, &replace(&poor, &second, "STOP_ON_FAILURE"), Place::Query).await;
    assert_eq!(refusal(&half), (409, -2021, "Order cancel-replace partially failed.".to_owned()));
    assert_eq!(half.json["data"]["newOrderResponse"]["code"], -2010);
    assert_eq!(order(&caller, &second).await["status"], "CANCELED");

    // The other half.
    let half = caller.send("POST", path, &replace(&good, &second, "ALLOW_FAILURE"), Place::Query).await;
    assert_eq!((half.status, &half.json["data"]["newOrderResult"]), (409, &json!("SUCCESS")));
    assert_eq!(caller.get(OPEN, "").await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_amended_order_keeps_its_place() {
    let sandbox = two_accounts().await;
    let (first, second) = (Caller::given(&sandbox, 0), Caller::given(&sandbox, 1));
    let path = "/api/v3/order/amend/keepPriority";
    let ahead = first.place(&with_id(&limit("BTCUSDT", "BUY", "60000.00", "0.3"), "one")).await;
    let behind = second.place(&limit("BTCUSDT", "BUY", "60000.00", "0.1")).await;
    let which = format!("symbol=BTCUSDT&orderId={}", ahead["orderId"]);
    let amended = first.call("PUT", path, &format!("{which}&newQty=0.2&newClientOrderId=two")).await;
    let order_of = &amended["amendedOrder"];
    assert_eq!((&order_of["qty"], &order_of["clientOrderId"]), (&json!("0.20000000"), &json!("two")));
    assert_eq!(order_of["origClientOrderId"], "one");
    assert_eq!(first.refused("PUT", path, &format!("{which}&newQty=0.2")).await.1, -2038);
    assert_eq!(first.refused("PUT", path, &format!("{which}&newQty=0.3")).await.1, -2038, "only less");
    // A seller takes what stands first.
    second.place(&market("BTCUSDT", "SELL", "quantity=0.2")).await;
    assert_eq!(order(&first, &ahead["orderId"]).await["status"], "FILLED");
    assert_eq!(order(&second, &behind["orderId"]).await["executedQty"], "0.00000000");
    let amends = first.get("/api/v3/order/amendments", &which).await;
    assert_eq!((&amends[0]["origQty"], &amends[0]["newQty"]), (&json!("0.30000000"), &json!("0.20000000")));
}

#[tokio::test]
async fn orders_are_counted_until_they_are_filled() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    sandbox.set_binance_settings(BinanceSettings { enforces_limits: true, orders_per_day: 2, ..Default::default() });
    let resting = limit("BTCUSDT", "BUY", "50000", "0.001");
    caller.place(&resting).await;
    for _ in 0..3 {
        caller.place(&market("BTCUSDT", "BUY", "quantity=0.001")).await;
    }
    caller.place(&resting).await;
    let refused = caller.refused("POST", ORDER, &resting).await;
    assert_eq!(refused, (429, -1015, "Too many new orders; current limit is 2 orders per 1 DAY.".to_owned()));
    let rates = caller.get("/api/v3/rateLimit/order", "").await;
    assert_eq!((&rates[1]["interval"], &rates[1]["count"]), (&json!("DAY"), &json!(2)));
}

#[tokio::test]
async fn coins_move_between_accounts_and_leave() {
    let sandbox = two_accounts().await;
    let master = Caller::given(&sandbox, 0);
    let email = encode("first.sub_virtual@sandboxnoemail.com");
    let path = "/sapi/v1/sub-account/universalTransfer";
    let send =
        format!("toEmail={email}&fromAccountType=SPOT&toAccountType=SPOT&asset=USDT&amount=250.5&clientTranId=t1");
    let sent = master.call("POST", path, &send).await;
    assert_eq!(sent["clientTranId"], "t1");
    assert_eq!(master.refused("POST", path, &send).await.1, -1130, "the id is used");
    assert_eq!(master.coin("USDT").await.0, dec!(999749.5));
    let assets = master.get("/sapi/v4/sub-account/assets", &format!("email={email}")).await;
    assert_eq!(
        (&assets["balances"][0]["asset"], &assets["balances"][0]["free"]),
        (&json!("USDT"), &json!("250.50000000"))
    );
    let listed = master.get(path, &format!("toEmail={email}")).await;
    assert_eq!((&listed["totalCount"], &listed["result"][0]["tranId"]), (&json!(1), &sent["tranId"]));
    let key = format!("email={email}&apiName=mover&status=1&canTrade=true");
    let sub = Caller::of(&sandbox, &master.call("POST", "/sapi/v1/sub-account/subAccountApi", &key).await);
    sub.call("POST", "/sapi/v1/sub-account/transfer/subToMaster", "asset=USDT&amount=50.5").await;
    assert_eq!(sub.coin("USDT").await.0, dec!(200));
    let poor = sub.refused("POST", "/sapi/v1/sub-account/transfer/subToMaster", "asset=USDT&amount=500").await;
    assert_eq!(poor.2, "The user has insufficient balance available.");
    master.call("POST", "/sapi/v1/asset/transfer", "type=MAIN_FUNDING&asset=BTC&amount=1").await;
    assert_eq!(master.coin("BTC").await.0, dec!(9));
    let within = master.get("/sapi/v1/asset/transfer", "type=MAIN_FUNDING").await;
    assert_eq!((&within["total"], &within["rows"][0]["amount"]), (&json!(1), &json!("1")));
    let out =
        master.call("POST", "/sapi/v1/capital/withdraw/apply", "coin=BTC&address=bc1x&amount=2&withdrawOrderId=w1");
    let out = out.await;
    let history = master.get("/sapi/v1/capital/withdraw/history", "coin=BTC").await;
    assert_eq!((&history[0]["id"], &history[0]["withdrawOrderId"]), (&out["id"], &json!("w1")));
    assert_eq!(master.coin("BTC").await.0, dec!(7));
    let address = master.get("/sapi/v1/capital/deposit/address", "coin=BTC").await;
    assert_eq!(address["coin"], "BTC");
}

#[tokio::test]
async fn the_venue_quotes_and_a_book_is_told_as_it_was() {
    let sandbox: Sandbox = two_accounts().await;
    let before = public(&sandbox, "/api/v3/depth?symbol=BTCUSDT&limit=1").await;
    let update = before["lastUpdateId"].as_i64().unwrap();
    assert!(sandbox.binance_quote("BTCUSDT", true, dec!(60000.00), dec!(3)));
    assert!(!sandbox.binance_quote("NOPE", true, dec!(1), dec!(1)));
    let after = public(&sandbox, "/api/v3/depth?symbol=BTCUSDT&limit=1").await;
    assert_eq!(after["bids"][0], json!(["60000.00000000", "3.00000000"]));
    assert_eq!(after["lastUpdateId"], update + 1);
    let was = sandbox.binance_book("BTCUSDT", Some(update)).unwrap();
    assert_eq!(was.bids[0], (dec!(59999.99), dec!(0.5)));
    assert_eq!(sandbox.binance_book("BTCUSDT", None).unwrap().bids[0], (dec!(60000.00), dec!(3)));
    assert!(sandbox.binance_book("BTCUSDT", Some(update + 2)).is_none());
}
