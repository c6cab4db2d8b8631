//! Kalshi's perpetual futures: two accounts trade with each other, and every read agrees with what they did.

mod common;

use common::now_millis;
use common::trader::{PERP, Trader, margin_order, number, traders};
use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde_json::{Value, json};

const ORDERS: &str = "/margin/orders";
const INITIAL_MARGIN: Decimal = dec!(0.1);

async fn shown(trader: &Trader, order: &Value) -> Value {
    trader.get(&format!("{ORDERS}/{}", order["order_id"].as_str().unwrap())).await["order"].take()
}

async fn balance(trader: &Trader) -> Value {
    trader.get("/margin/balance?compute_available_balance=true").await["subaccount_balances"][0].take()
}

async fn market(trader: &Trader) -> Value {
    trader.get(&format!("/margin/markets/{PERP}")).await["market"].take()
}

fn path(order: &Value, what: &str) -> String {
    format!("{ORDERS}/{}/{what}", order["order_id"].as_str().unwrap()).trim_end_matches('/').to_owned()
}

#[tokio::test]
async fn two_accounts_trade_and_all_reads_agree() {
    let (_sandbox, traders) = traders(2).await;
    let (long, short) = (&traders[0], &traders[1]);
    let before = market(long).await;
    let bid = long.margin_order("bid", "2.9000", "10.5").await;
    let ask = short.margin_order("ask", "2.9000", "8").await;
    assert_eq!((&ask["fill_count"], &ask["average_fill_price"]), (&json!("8.00"), &json!("2.9000")));
    let order = shown(long, &bid).await;
    assert_eq!((&order["fill_count"], &order["remaining_count"]), (&json!("8.00"), &json!("2.50")));
    assert_eq!(order["last_update_reason"], "Trade");

    let positions = long.get("/margin/positions").await;
    assert_eq!(
        (&positions["positions"][0]["position"], &positions["positions"][0]["entry_price"]),
        (&json!("8.00"), &json!("2.9000"))
    );
    assert_eq!(short.get("/margin/positions").await["positions"][0]["position"], "-8.00");
    let fill = short.get("/margin/fills").await["fills"][0].take();
    assert_eq!((&fill["side"], &fill["is_taker"], &fill["order_id"]), (&json!("ask"), &json!(true), &ask["order_id"]));
    let trade = long.get(&format!("/margin/trades?ticker={PERP}&limit=1")).await["trades"][0].take();
    assert_eq!((&trade["trade_id"], &trade["taker_side"]), (&fill["fill_id"], &json!("ask")));

    let after = market(long).await;
    assert_eq!(
        (&after["price"], &after["bid"], &after["bid_size_fp"]),
        (&json!("2.9000"), &json!("2.9000"), &json!("2.50"))
    );
    for field in ["volume", "volume_24h", "open_interest"] {
        assert_eq!(number(&after[field]) - number(&before[field]), dec!(8), "{field}");
    }
    let book = long.get(&format!("/margin/markets/{PERP}/orderbook")).await["orderbook"].take();
    assert_eq!(book["bids"].as_array().unwrap().last().unwrap(), &json!(["2.9000", "2.50"]));
    let several = long.get(&format!("/margin/markets/orderbooks?tickers={PERP}")).await;
    assert_eq!(several["orderbooks"][0]["orderbook"], book);
    let now = now_millis() / 1000;
    let query = format!("start_ts={}&end_ts={}&period_interval=1", now - 120, now + 60);
    let candles = long.get(&format!("/margin/markets/{PERP}/candlesticks?{query}")).await;
    let volumes = candles["candlesticks"].as_array().unwrap().iter().map(|candle| number(&candle["volume"]));
    assert_eq!(volumes.sum::<Decimal>(), dec!(8));

    let fee = number(&fill["fees"]);
    assert_eq!(fee, dec!(0.0116));
    let held = balance(short).await;
    assert_eq!(number(&held["account_equity"]), dec!(10000) - fee);
    assert_eq!(number(&held["initial_margin"]), INITIAL_MARGIN * dec!(23.2));
    assert_eq!(number(&held["available_balance"]), dec!(10000) - fee - INITIAL_MARGIN * dec!(23.2));
    let resting = balance(long).await;
    assert_eq!(number(&resting["resting_orders_margin"]), INITIAL_MARGIN * dec!(7.25));
    let risk = short.get("/margin/risk").await;
    assert_eq!(
        (&risk["positions"][0]["position"], &risk["total_position_notional"]),
        (&json!("-8.00"), &json!("23.2000"))
    );

    // The long side gains what the short side loses.
    let bought = short.margin_order("bid", "3.1000", "8").await;
    long.margin_order("ask", "3.1000", "8").await;
    assert_eq!(shown(short, &bought).await["remaining_count"], "0.00");
    assert_eq!(long.get("/margin/positions").await["positions"], json!([]));
    let (gain, loss) =
        (long.get("/margin/fills").await["fills"][0].take(), short.get("/margin/fills").await["fills"][0].take());
    assert_eq!((&gain["realized_pnl"], &gain["entry_price"]), (&json!("1.6000"), &json!("2.9000")));
    assert_eq!(loss["realized_pnl"], "-1.6000");
    assert_eq!(market(long).await["open_interest"], before["open_interest"]);
}

#[tokio::test]
async fn orders_are_changed_and_cancelled() {
    let (_sandbox, traders) = traders(1).await;
    let trader = &traders[0];
    let placed = trader.margin_order("bid", "2.0000", "10").await;
    let amend = json!({"ticker": PERP, "side": "bid", "price": "2.1000", "count": "6"});
    let amended = trader.post(&path(&placed, "amend"), amend, 200).await;
    assert_eq!((&amended["fill_count"], &amended["remaining_count"]), (&json!("0.00"), &json!("6.00")));
    let order = shown(trader, &placed).await;
    assert_eq!(
        (&order["price"], &order["remaining_count"], &order["last_update_reason"]),
        (&json!("2.1000"), &json!("6.00"), &json!("Amend"))
    );
    assert_eq!(
        trader.post(&path(&placed, "decrease"), json!({"reduce_by": "1.5"}), 200).await["remaining_count"],
        "4.50"
    );
    assert_eq!(number(&balance(trader).await["resting_orders_margin"]), INITIAL_MARGIN * dec!(2.1) * dec!(4.5));
    assert_eq!(trader.delete(&path(&placed, ""), 200).await["reduced_by"], "4.50");
    trader.delete(&path(&placed, ""), 404).await;
    trader.margin_order("bid", "2.0000", "10").await;
    trader.delete(ORDERS, 204).await;
    assert_eq!(trader.get("/margin/orders?status=resting").await["orders"], json!([]));
    assert_eq!(balance(trader).await["available_balance"], "10000.0000");

    let once = margin_order("bid", "2.0000", "10", json!({"client_order_id": "once"}));
    trader.post(ORDERS, once.clone(), 201).await;
    assert_eq!(trader.post(ORDERS, once, 409).await["error"]["code"], "order_already_exists");
    for (replaced, status, code) in [
        (json!({"reduce_only": true}), 400, "invalid_parameters"),
        (json!({"ticker": "KXBTCPERP", "count": "0.5"}), 400, "invalid_order_size"),
        (json!({"price": "2.00001"}), 400, "invalid_price"),
        (json!({"market_version": 2}), 409, "market_version_mismatch"),
        (json!({"ticker": "KXNONE"}), 404, "market_not_found"),
        (json!({"count": "900000"}), 400, "insufficient_balance"),
    ] {
        let refused = trader.post(ORDERS, margin_order("bid", "2.0000", "10", replaced.clone()), status).await;
        assert_eq!(refused["error"]["code"], code, "{replaced}");
    }
    let by_id = json!({"ticker": null, "market_id": market(trader).await["market_id"]});
    trader.post(ORDERS, margin_order("bid", "2.0000", "1", by_id), 201).await;
}

#[tokio::test]
async fn exit_triggers_close_positions() {
    let (_sandbox, traders) = traders(3).await;
    let (holder, other, third) = (&traders[0], &traders[1], &traders[2]);
    let exit = format!("/margin/cross/positions/{PERP}/exit_trigger");
    let (status, _) = holder.send("PUT", &exit, Some(json!({"stop_loss_price": "2.5000"}))).await;
    assert_eq!(status, 400, "no position");
    other.margin_order("ask", "3.0000", "10").await;
    holder.margin_order("bid", "3.0000", "10").await;
    let whole = holder.put(&exit, json!({"stop_loss_price": "2.5000", "take_profit_price": "3.5000"})).await;
    let part = json!({"count": "4", "client_trigger_id": "part", "take_profit_price": "3.2000"});
    let part = holder.put(&exit, part).await;
    let again = holder.put(&exit, json!({"count": "4", "client_trigger_id": "part"})).await;
    assert_eq!(again["id"], part["id"]);
    assert_eq!(holder.get(&exit).await["exit_triggers"].as_array().unwrap().len(), 2);
    assert_eq!(other.get(&exit).await["exit_triggers"], json!([]));
    let refused = holder.send("PUT", &exit, Some(json!({"kind": "trailing", "stop_loss_price": "2.0000"}))).await;
    assert_eq!(refused.0, 400);

    // Others trade at 3.2 while somebody bids 3.1: four of the ten are sold there.
    third.margin_order("bid", "3.1000", "4").await;
    other.margin_order("ask", "3.2000", "1").await;
    third.margin_order("bid", "3.2000", "1").await;
    assert_eq!(holder.get("/margin/positions").await["positions"][0]["position"], "6.00");
    let orders = holder.get("/margin/orders").await;
    let sold = &orders["orders"][0];
    assert_eq!((&sold["fill_count"], &sold["order_source"]), (&json!("4.00"), &json!("system")));
    assert_eq!(sold["order_reason"], "take_profit_stop_loss");
    let fill = holder.get("/margin/fills").await["fills"][0].take();
    assert_eq!((&fill["price"], &fill["realized_pnl"]), (&json!("3.1000"), &json!("0.4000")));
    let live = holder.get(&exit).await["exit_triggers"].take();
    assert_eq!((live.as_array().unwrap().len(), &live[0]["id"]), (1, &whole["id"]));

    // A trailing stop follows the price up, and sells when it has fallen by its distance.
    holder.send("DELETE", &format!("{exit}?kind=bracket"), None).await;
    holder.put(&exit, json!({"kind": "trailing", "trail_amount": "0.2000"})).await;
    other.margin_order("ask", "3.4000", "1").await;
    third.margin_order("bid", "3.4000", "1").await;
    let trailing = holder.get(&exit).await["exit_triggers"][0].take();
    assert_eq!((&trailing["watermark_price"], &trailing["effective_stop_price"]), (&json!("3.4000"), &json!("3.2000")));
    third.margin_order("bid", "3.1500", "6").await;
    third.margin_order("bid", "3.2000", "1").await;
    other.margin_order("ask", "3.2000", "1").await;
    assert_eq!(holder.get("/margin/positions").await["positions"], json!([]));
    assert_eq!(holder.get(&exit).await["exit_triggers"], json!([]));

    // One that waits for an order closes what that trades.
    let entry = holder.margin_order("bid", "3.0000", "2").await;
    let body = json!({"anchor_order_id": entry["order_id"], "client_trigger_id": "entry", "stop_loss_price": "2.0000"});
    let waiting = holder.put(&exit, body).await;
    assert_eq!(waiting["status"], "pending_on_entry");
    other.margin_order("ask", "3.0000", "2").await;
    let live = holder.get(&exit).await["exit_triggers"][0].take();
    assert_eq!(
        (&live["status"], &live["count"], &live.get("anchor_order_id")),
        (&json!("active"), &json!("2.00"), &None)
    );
    let path = format!("{exit}/{}", live["id"].as_str().unwrap());
    assert_eq!(holder.put(&path, json!({"stop_loss_price": "2.1000"})).await["stop_loss_price"], "2.1000");
    assert_eq!(holder.send("DELETE", &path, None).await.0, 204);
    assert_eq!(holder.send("DELETE", &path, None).await.0, 404);
}

#[tokio::test]
async fn groups_stop_their_orders() {
    let (_sandbox, traders) = traders(2).await;
    let (maker, taker) = (&traders[0], &traders[1]);
    let group = maker.post("/margin/order_groups/create", json!({"contracts_limit": 3}), 201).await;
    let group = &group["order_group_id"];
    let grouped = |price: &str| margin_order("bid", price, "3", json!({"order_group_id": group}));
    maker.post(ORDERS, grouped("2.9000"), 201).await;
    let other = maker.post(ORDERS, grouped("2.8000"), 201).await;
    taker.margin_order("ask", "2.9000", "3").await;
    assert_eq!(shown(maker, &other).await["remaining_count"], "0.00");
    maker.post(ORDERS, grouped("2.8000"), 400).await;
    let path = format!("/margin/order_groups/{}", group.as_str().unwrap());
    assert_eq!(maker.get(&path).await["orders"], json!([]));
    maker.put(&format!("{path}/reset"), json!({})).await;
    let again = maker.post(ORDERS, grouped("2.8000"), 201).await;
    assert_eq!(maker.get(&path).await["orders"], json!([again["order_id"]]));
    maker.delete(&path, 200).await;
    assert_eq!(shown(maker, &again).await["remaining_count"], "0.00");
}
