//! Kalshi: two accounts trade with each other, and every read agrees with what they did.

mod common;

use common::now_millis;
use common::trader::{Trader, number, open_market, order, traders};
use rust_decimal_macros::dec;
use serde_json::{Value, json};

const ORDERS: &str = "/portfolio/events/orders";

async fn shown(trader: &Trader, order: &Value) -> Value {
    trader.get(&format!("/portfolio/orders/{}", order["order_id"].as_str().unwrap())).await["order"].take()
}

async fn ticker(trader: &Trader) -> String {
    open_market(trader).await["ticker"].as_str().unwrap().to_owned()
}

async fn balance(trader: &Trader) -> rust_decimal::Decimal {
    number(&trader.get("/portfolio/balance").await["balance_dollars"])
}

fn path(order: &Value, what: &str) -> String {
    format!("{ORDERS}/{}/{what}", order["order_id"].as_str().unwrap()).trim_end_matches('/').to_owned()
}

#[tokio::test]
async fn an_amended_order_is_what_it_was_amended_to() {
    let (_sandbox, traders) = traders(1).await;
    let (trader, ticker) = (&traders[0], ticker(&traders[0]).await);
    let placed = trader.order(&ticker, "bid", "0.0100", "10.00").await;
    let amend = json!({"ticker": ticker, "side": "bid", "price": "0.0200", "count": "5.00"});
    let amended = trader.post(&path(&placed, "amend"), amend, 200).await;
    assert_eq!((&amended["fill_count"], &amended["remaining_count"]), (&json!("0.00"), &json!("5.00")));
    let order = shown(trader, &placed).await;
    assert_eq!(order["yes_price_dollars"], "0.0200");
    assert_eq!(order["remaining_count_fp"], "5.00");
    assert_eq!(order["fill_count_fp"], "0.00");
    assert_eq!(order["status"], "resting");
    assert_eq!(balance(trader).await, dec!(9999.9));
    let book = trader.get(&format!("/markets/{ticker}/orderbook")).await;
    assert_eq!(book["orderbook_fp"]["yes_dollars"], json!([["0.0200", "1005.00"]]), "beside the market maker");
    let position =
        trader.get(&format!("/portfolio/orders/{}/queue_position", placed["order_id"].as_str().unwrap())).await;
    assert_eq!(position["queue_position_fp"], "1000.00", "behind the market maker");
}

#[tokio::test]
async fn cancel_all_leaves_nothing() {
    let (_sandbox, traders) = traders(2).await;
    let ticker = ticker(&traders[0]).await;
    traders[0].order(&ticker, "bid", "0.1000", "10.00").await;
    traders[0].order(&ticker, "ask", "0.9000", "10.00").await;
    let other = traders[1].order(&ticker, "bid", "0.1000", "10.00").await;
    traders[0].delete(ORDERS, 204).await;
    assert_eq!(traders[0].get("/portfolio/orders?status=resting").await["orders"], json!([]));
    assert_eq!(balance(&traders[0]).await, dec!(10000));
    assert_eq!(traders[0].get("/portfolio/orders/queue_positions").await["queue_positions"], json!([]));
    assert_eq!(shown(&traders[1], &other).await["status"], "resting", "of another account");
}

#[tokio::test]
async fn two_accounts_trade_and_all_reads_agree() {
    let (_sandbox, traders) = traders(2).await;
    let (maker, taker) = (&traders[0], &traders[1]);
    let before = open_market(maker).await;
    let ticker = before["ticker"].as_str().unwrap().to_owned();
    let first = maker.order(&ticker, "bid", "0.4000", "6.00").await;
    let second = maker.order(&ticker, "bid", "0.4000", "6.00").await;
    let better = maker.order(&ticker, "bid", "0.4100", "1.50").await;
    let sold = taker.order(&ticker, "ask", "0.4000", "10.00").await;
    assert_eq!((&sold["fill_count"], &sold["remaining_count"]), (&json!("10.00"), &json!("0.00")));
    assert_eq!(sold["average_fill_price"], "0.4015");
    for (order, filled, remaining, status) in [
        (&better, "1.50", "0.00", "executed"),
        (&first, "6.00", "0.00", "executed"),
        (&second, "2.50", "3.50", "resting"),
    ] {
        let order = shown(maker, order).await;
        assert_eq!((&order["fill_count_fp"], &order["remaining_count_fp"]), (&json!(filled), &json!(remaining)));
        assert_eq!((&order["status"], &order["maker_fees_dollars"]), (&json!(status), &json!("0.0000")));
    }
    let fills = taker.get(&format!("/portfolio/fills?order_id={}", sold["order_id"].as_str().unwrap())).await;
    let fills = fills["fills"].as_array().unwrap();
    assert_eq!(fills.len(), 3);
    assert!(fills.iter().all(|fill| fill["is_taker"] == true && fill["outcome_side"] == "no"));
    let trades = taker.get(&format!("/markets/trades?ticker={ticker}&limit=3")).await;
    let ids = |list: &[Value], name: &str| list.iter().map(|one| one[name].clone()).collect::<Vec<_>>();
    assert_eq!(ids(trades["trades"].as_array().unwrap(), "trade_id"), ids(fills, "fill_id"));
    let made = maker.get("/portfolio/fills").await;
    assert_eq!(ids(made["fills"].as_array().unwrap(), "fill_id"), ids(fills, "fill_id"));

    let (long, short) = (maker.get("/portfolio/positions").await, taker.get("/portfolio/positions").await);
    assert_eq!(long["market_positions"][0]["position_fp"], "10.00");
    assert_eq!(short["market_positions"][0]["position_fp"], "-10.00");
    assert_eq!(long["market_positions"][0]["market_exposure_dollars"], "4.0150");
    assert_eq!(short["market_positions"][0]["market_exposure_dollars"], "5.9850");
    assert_eq!(long["event_positions"][0]["event_exposure_dollars"], "4.0150");
    assert_eq!(balance(maker).await, dec!(10000) - dec!(4.015) - dec!(3.5) * dec!(0.4));
    let fees = number(&short["market_positions"][0]["fees_paid_dollars"]);
    assert_eq!(balance(taker).await, dec!(10000) - dec!(5.985) - fees);

    let after = open_market(maker).await;
    assert_eq!((&after["last_price_dollars"], &after["yes_bid_dollars"]), (&json!("0.4000"), &json!("0.4000")));
    assert_eq!(after["yes_bid_size_fp"], "3.50");
    for field in ["volume_fp", "volume_24h_fp", "open_interest_fp"] {
        assert_eq!(number(&after[field]) - number(&before[field]), dec!(10), "{field}");
    }
    let now = now_millis() / 1000;
    let series = ticker.split('-').next().unwrap();
    let query = format!("start_ts={}&end_ts={}&period_interval=1", now - 120, now + 60);
    let candles = maker.get(&format!("/series/{series}/markets/{ticker}/candlesticks?{query}")).await;
    let traded: Vec<&Value> =
        candles["candlesticks"].as_array().unwrap().iter().filter(|candle| candle["volume_fp"] != "0.00").collect();
    let last = traded.last().unwrap();
    assert_eq!((&last["price"]["high_dollars"], &last["price"]["close_dollars"]), (&json!("0.4100"), &json!("0.4000")));
    assert_eq!(last["open_interest_fp"], after["open_interest_fp"]);

    // The other way round: the long side closes, and both are even.
    taker.order(&ticker, "bid", "0.5000", "10.00").await;
    maker.order(&ticker, "ask", "0.5000", "10.00").await;
    let positions = maker.get("/portfolio/positions?count_filter=position").await;
    assert_eq!(positions["market_positions"], json!([]));
    let closed = maker.get("/portfolio/positions").await;
    assert_eq!(closed["market_positions"][0]["realized_pnl_dollars"], "0.9850");
    assert_eq!(open_market(maker).await["open_interest_fp"], before["open_interest_fp"]);
}

#[tokio::test]
async fn an_amendment_trades_moves_back_or_stays() {
    let (_sandbox, traders) = traders(2).await;
    let (maker, other) = (&traders[0], &traders[1]);
    let ticker = ticker(maker).await;
    let place = |price: &str| {
        let price = price.to_owned();
        let ticker = ticker.clone();
        async move { maker.order(&ticker, "bid", &price, "10.00").await }
    };
    let queue = async |order: &Value| {
        maker.get(&format!("/portfolio/orders/{}/queue_position", order["order_id"].as_str().unwrap())).await["queue_position_fp"].take()
    };
    let (first, second) = (place("0.3000").await, place("0.3000").await);
    let amend = |price: &str, count: &str, more: Value| {
        let mut body = json!({"ticker": ticker, "side": "bid", "price": price, "count": count});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    // Smaller, or another expiry: the place stays.
    let later = now_millis() / 1000 + 3600;
    maker.post(&path(&first, "amend"), amend("0.3000", "8.00", json!({"expiration_time": later})), 200).await;
    assert_eq!((queue(&first).await, queue(&second).await), (json!("0.00"), json!("8.00")));
    assert!(shown(maker, &first).await["expiration_time"].is_string());
    let amended = maker.post(&path(&first, "amend"), amend("0.3000", "8.00", json!({"expiration_time": 0})), 200).await;
    assert_eq!(amended.get("remaining_count"), None, "neither traded nor resized");
    assert!(shown(maker, &first).await["expiration_time"].is_null());
    // Larger: to the end of the queue.
    maker.post(&path(&first, "amend"), amend("0.3000", "12.00", json!({})), 200).await;
    assert_eq!((queue(&first).await, queue(&second).await), (json!("10.00"), json!("0.00")));
    // Another price that is reached: it trades as a taker.
    other.order(&ticker, "ask", "0.3500", "5.00").await;
    let traded = maker.post(&path(&first, "amend"), amend("0.3500", "12.00", json!({})), 200).await;
    assert_eq!((&traded["fill_count"], &traded["remaining_count"]), (&json!("5.00"), &json!("7.00")));
    assert_eq!(traded["average_fill_price"], "0.3500");
    // The count is the total: below what has traded it is refused, and nothing changes.
    let refused = maker.post(&path(&first, "amend"), amend("0.3500", "4.00", json!({})), 400).await;
    assert_eq!(refused["error"]["code"], "invalid_order_size");
    maker.post(&path(&first, "amend"), amend("0.3500", "6.00", json!({})), 200).await;
    let order = shown(maker, &first).await;
    assert_eq!((&order["remaining_count_fp"], &order["initial_count_fp"]), (&json!("1.00"), &json!("6.00")));
    maker.post(&path(&first, "amend"), amend("0.3500", "5.00", json!({})), 200).await;
    assert_eq!(shown(maker, &first).await["status"], "executed");

    for (body, code) in [
        (json!({"ticker": ticker, "side": "ask", "price": "0.3000", "count": "10.00"}), "order_side_mismatch"),
        (json!({"ticker": "KX-OTHER", "side": "bid", "price": "0.3000", "count": "10.00"}), "order_ticker_mismatch"),
        (amend("0.3050", "10.00", json!({})), "invalid_price"),
        (amend("0.9000", "100000.00", json!({})), "insufficient_balance"),
        (amend("0.3000", "10.00", json!({"client_order_id": "other"})), "order_id_and_client_order_id_mismatch"),
    ] {
        let refused = maker.post(&path(&second, "amend"), body, 400).await;
        assert_eq!(refused["error"]["code"], code);
    }
    assert_eq!(other.send("POST", &path(&second, "amend"), Some(amend("0.3000", "1.00", json!({})))).await.0, 404);
    let order = shown(maker, &second).await;
    assert_eq!((&order["remaining_count_fp"], &order["yes_price_dollars"]), (&json!("10.00"), &json!("0.3000")));
}

#[tokio::test]
async fn decreasing_keeps_the_place_and_ends_at_nothing() {
    let (_sandbox, traders) = traders(1).await;
    let (trader, ticker) = (&traders[0], ticker(&traders[0]).await);
    let placed = trader.order(&ticker, "ask", "0.7000", "10.00").await;
    let decrease = path(&placed, "decrease");
    assert_eq!(trader.post(&decrease, json!({"reduce_by": "2.50"}), 200).await["remaining_count"], "7.50");
    assert_eq!(trader.post(&decrease, json!({"reduce_to": "4.00"}), 200).await["remaining_count"], "4.00");
    assert_eq!(balance(trader).await, dec!(9998.8));
    for body in [
        json!({}),
        json!({"reduce_by": "1.00", "reduce_to": "1.00"}),
        json!({"reduce_by": "5.00"}),
        json!({"reduce_to": "5.00"}),
        json!({"reduce_by": "0.00"}),
    ] {
        trader.post(&decrease, body, 400).await;
    }
    assert_eq!(trader.post(&decrease, json!({"reduce_to": "0.00"}), 200).await["remaining_count"], "0.00");
    let order = shown(trader, &placed).await;
    assert_eq!((&order["status"], &order["initial_count_fp"]), (&json!("canceled"), &json!("10.00")));
    trader.post(&decrease, json!({"reduce_by": "1.00"}), 404).await;
    assert_eq!(balance(trader).await, dec!(10000));
}

#[tokio::test]
async fn a_batch_is_as_good_as_its_orders() {
    let (_sandbox, traders) = traders(1).await;
    let (trader, ticker) = (&traders[0], ticker(&traders[0]).await);
    let body = json!({"orders": [
        order(&ticker, "bid", "0.2000", "5.00", json!({"client_order_id": "one"})),
        order(&ticker, "bid", "0.2000", "5.00", json!({"client_order_id": "one"})),
        order(&ticker, "bid", "0.2055", "5.00", json!({})),
        order(&ticker, "bid", "0.2100", "5.00", json!({})),
    ]});
    let made = trader.post("/portfolio/events/orders/batched", body, 201).await;
    let made = made["orders"].as_array().unwrap();
    assert_eq!(made[1]["error"]["code"], "order_already_exists");
    assert_eq!((&made[1]["client_order_id"], &made[2]["error"]["code"]), (&json!("one"), &json!("invalid_price")));
    let resting = trader.all("/portfolio/orders?status=resting", "orders").await;
    assert_eq!(resting.len(), 2);
    assert_eq!(balance(trader).await, dec!(10000) - dec!(5) * dec!(0.41));
    let ids = json!({"orders": [{"order_id": made[0]["order_id"]}, {"order_id": "no-such"}, {"order_id": made[3]["order_id"]}]});
    let (status, gone) = trader.send("DELETE", "/portfolio/events/orders/batched", Some(ids)).await;
    assert_eq!(status, 200, "{gone}");
    assert_eq!(
        (&gone["orders"][0]["reduced_by"], &gone["orders"][1]["error"]["code"]),
        (&json!("5.00"), &json!("not_found"))
    );
    assert_eq!(trader.get("/portfolio/orders?status=resting").await["orders"], json!([]));
    assert_eq!(balance(trader).await, dec!(10000));
}

#[tokio::test]
async fn time_in_force_post_only_and_self_trades_are_kept_to() {
    let (_sandbox, traders) = traders(2).await;
    let (maker, taker) = (&traders[0], &traders[1]);
    let ticker = ticker(maker).await;
    maker.order(&ticker, "ask", "0.6000", "4.00").await;
    let with = |side: &str, price: &str, count: &str, more: Value| order(&ticker, side, price, count, more);
    let kill = with("bid", "0.6000", "5.00", json!({"time_in_force": "fill_or_kill"}));
    assert_eq!(taker.post(ORDERS, kill, 409).await["error"]["code"], "fill_or_kill_insufficient_resting_volume");
    let crossing = with("bid", "0.6000", "1.00", json!({"post_only": true}));
    assert_eq!(taker.post(ORDERS, crossing, 400).await["error"]["details"], "post only cross");
    assert_eq!(taker.get("/portfolio/orders").await["orders"], json!([]), "a refused order leaves no trace");
    let at_once = with("bid", "0.6000", "5.00", json!({"time_in_force": "immediate_or_cancel"}));
    let traded = taker.post(ORDERS, at_once, 201).await;
    assert_eq!((&traded["fill_count"], &traded["remaining_count"]), (&json!("4.00"), &json!("0.00")));
    let order_shown = shown(taker, &traded).await;
    assert_eq!((&order_shown["status"], &order_shown["initial_count_fp"]), (&json!("canceled"), &json!("5.00")));

    // What has traded before the own order is met stays.
    taker.order(&ticker, "ask", "0.6500", "1.00").await;
    let own = maker.order(&ticker, "ask", "0.7000", "2.00").await;
    let stopped = maker.post(ORDERS, with("bid", "0.7000", "5.00", json!({})), 201).await;
    assert_eq!((&stopped["fill_count"], &stopped["remaining_count"]), (&json!("1.00"), &json!("0.00")));
    assert_eq!(shown(maker, &own).await["status"], "resting");
    let more = json!({"self_trade_prevention_type": "maker"});
    let passed = maker.post(ORDERS, with("bid", "0.7000", "5.00", more), 201).await;
    assert_eq!(passed["remaining_count"], "5.00");
    assert_eq!(shown(maker, &own).await["status"], "canceled");
}

#[tokio::test]
async fn a_position_is_covered_once() {
    let (_sandbox, traders) = traders(2).await;
    let (trader, other) = (&traders[0], &traders[1]);
    let ticker = ticker(trader).await;
    other.order(&ticker, "ask", "0.5000", "10.00").await;
    trader.order(&ticker, "bid", "0.5000", "10.00").await;
    let after = balance(trader).await;
    let first = trader.order(&ticker, "ask", "0.6000", "10.00").await;
    assert_eq!(balance(trader).await, after, "it closes the position");
    trader.order(&ticker, "ask", "0.7000", "10.00").await;
    assert_eq!(balance(trader).await, after - dec!(3), "it would open another one");
    trader.delete(&path(&first, ""), 200).await;
    assert_eq!(balance(trader).await, after);
    let value = trader.get("/portfolio/summary/total_resting_order_value").await;
    assert_eq!(value["total_resting_order_value"], 0);
    let reduce = json!({"reduce_only": true, "time_in_force": "immediate_or_cancel"});
    let wrong_way = order(&ticker, "bid", "0.5000", "10.00", reduce.clone());
    assert_eq!(trader.post(ORDERS, wrong_way, 201).await["fill_count"], "0.00");
    other.order(&ticker, "bid", "0.4000", "30.00").await;
    let closed = trader.post(ORDERS, order(&ticker, "ask", "0.4000", "30.00", reduce), 201).await;
    assert_eq!(closed["fill_count"], "10.00");
}

#[tokio::test]
async fn subcent_prices_and_parts_of_contracts_are_exact() {
    let (_sandbox, traders) = traders(2).await;
    let market = traders[0].get("/markets?status=open&series_ticker=KXINXD&limit=1").await["markets"][0].take();
    let ticker = market["ticker"].as_str().unwrap();
    traders[0].order(ticker, "bid", "0.1230", "0.01").await;
    let sold = traders[1].order(ticker, "ask", "0.1230", "0.01").await;
    assert_eq!((&sold["fill_count"], &sold["average_fill_price"]), (&json!("0.01"), &json!("0.1230")));
    assert_eq!(balance(&traders[0]).await, dec!(9999.99877));
    let order = shown(&traders[1], &sold).await;
    assert_eq!(order["taker_fill_cost_dollars"], "0.00877");
    let (status, _) =
        traders[0].send("POST", ORDERS, Some(common::trader::order(ticker, "bid", "0.1235", "1", json!({})))).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn groups_stop_their_orders_also_when_others_trade_with_them() {
    let (_sandbox, traders) = traders(2).await;
    let (maker, taker) = (&traders[0], &traders[1]);
    let ticker = ticker(maker).await;
    let group =
        maker.post("/portfolio/order_groups/create", json!({"contracts_limit": 5}), 201).await["order_group_id"].take();
    let grouped = |price: &str| order(&ticker, "bid", price, "4.00", json!({"order_group_id": group}));
    let one = maker.post(ORDERS, grouped("0.3000"), 201).await;
    let two = maker.post(ORDERS, grouped("0.2900"), 201).await;
    let alone = maker.order(&ticker, "bid", "0.2800", "4.00").await;
    taker.order(&ticker, "ask", "0.3000", "4.00").await;
    assert_eq!(
        (&shown(maker, &one).await["status"], &shown(maker, &two).await["status"]),
        (&json!("executed"), &json!("resting"))
    );
    taker.order(&ticker, "ask", "0.2900", "1.00").await;
    let order = shown(maker, &two).await;
    assert_eq!((&order["status"], &order["fill_count_fp"]), (&json!("canceled"), &json!("1.00")));
    assert_eq!(shown(maker, &alone).await["status"], "resting", "of no group");
    let path = format!("/portfolio/order_groups/{}", group.as_str().unwrap());
    assert_eq!(maker.get(&path).await["orders"], json!([]));
    maker.post(ORDERS, grouped("0.3000"), 400).await;
    assert_eq!(taker.send("GET", &path, None).await.0, 404, "of another account");
    maker.put(&format!("{path}/reset"), json!({})).await;
    let again = maker.post(ORDERS, grouped("0.3000"), 201).await;
    maker.put(&format!("{path}/trigger"), json!({})).await;
    assert_eq!(shown(maker, &again).await["status"], "canceled");
    let unknown = common::trader::order(&ticker, "bid", "0.3000", "1.00", json!({"order_group_id": "a-b"}));
    maker.post(ORDERS, unknown, 400).await;
}

#[tokio::test]
async fn a_market_closes_and_is_settled_as_time_passes() {
    let (sandbox, traders) = traders(2).await;
    let (yes, no) = (&traders[0], &traders[1]);
    let market = open_market(yes).await;
    let ticker = market["ticker"].as_str().unwrap();
    yes.order(ticker, "bid", "0.4000", "10.00").await;
    no.order(ticker, "ask", "0.4000", "10.00").await;
    let resting = yes.order(ticker, "bid", "0.1000", "10.00").await;
    let paid = balance(no).await;
    let days = 86_400_000_i64;
    sandbox.clock().set_offset_millis(2 * days);
    let at = |offset: i64| now_millis() + offset;
    let read = |trader: &'static str, path: String, offset: i64| {
        let trader = if trader == "yes" { yes } else { no };
        async move { trader.send_at("GET", &path, None, at(offset)).await.1 }
    };
    let closed = read("yes", format!("/markets/{ticker}"), 2 * days).await;
    assert_eq!((&closed["market"]["status"], &closed["market"]["yes_bid_size_fp"]), (&json!("closed"), &json!("0.00")));
    let path = format!("/portfolio/orders/{}", resting["order_id"].as_str().unwrap());
    assert_eq!(read("yes", path, 2 * days).await["order"]["status"], "canceled");
    let late = order(ticker, "bid", "0.5000", "1.00", json!({}));
    assert_eq!(yes.send_at("POST", ORDERS, Some(late), at(2 * days)).await.0, 400);

    sandbox.clock().set_offset_millis(6 * days);
    let settled = read("yes", format!("/markets/{ticker}"), 6 * days).await["market"].take();
    assert_eq!((&settled["status"], &settled["result"]), (&json!("finalized"), &json!("yes")));
    assert_eq!(settled["open_interest_fp"], "0.00");
    let won = read("yes", "/portfolio/settlements".to_owned(), 6 * days).await["settlements"][0].take();
    assert_eq!((&won["yes_count_fp"], &won["revenue"], &won["value"]), (&json!("10.00"), &json!(1000), &json!(100)));
    assert_eq!(won["yes_total_cost_dollars"], "4.0000");
    let lost = read("no", "/portfolio/settlements".to_owned(), 6 * days).await["settlements"][0].take();
    assert_eq!((&lost["no_count_fp"], &lost["revenue"]), (&json!("10.00"), &json!(0)));
    assert_eq!(lost["no_total_cost_dollars"], "6.0000");
    let rich = read("yes", "/portfolio/balance".to_owned(), 6 * days).await;
    assert_eq!((&rich["balance_dollars"], &rich["portfolio_value"]), (&json!("10006.0000"), &json!(0)));
    let poor = read("no", "/portfolio/balance".to_owned(), 6 * days).await;
    assert_eq!(number(&poor["balance_dollars"]), paid);
    let open = read("yes", "/portfolio/positions".to_owned(), 6 * days).await;
    assert_eq!(open["market_positions"], json!([]), "settled ones are asked for");
    let done = read("yes", "/portfolio/positions?settlement_status=settled".to_owned(), 6 * days).await;
    assert_eq!(done["market_positions"][0]["realized_pnl_dollars"], "6.0000");
}

#[tokio::test]
async fn money_moves_between_subaccounts_and_exchanges_once() {
    let (_sandbox, traders) = traders(1).await;
    let trader = &traders[0];
    assert_eq!(trader.post("/portfolio/subaccounts", json!({}), 201).await["subaccount_number"], 1);
    let transfer =
        json!({"client_transfer_id": "a-1", "from_subaccount": 0, "to_subaccount": 1, "amount_cents": 12345});
    trader.post("/portfolio/subaccounts/transfer", transfer.clone(), 200).await;
    trader.post("/portfolio/subaccounts/transfer", transfer, 409).await;
    let balances = trader.get("/portfolio/subaccounts/balances").await;
    assert_eq!(balances["subaccount_balances"][0]["balance"], "9876.5500");
    assert_eq!(balances["subaccount_balances"][1]["balance"], "123.4500");
    let listed = trader.get("/portfolio/subaccounts/transfers").await;
    assert_eq!(listed["transfers"][0]["amount_cents"], 12345);
    let ticker = ticker(trader).await;
    let body = order(&ticker, "bid", "0.5000", "200.00", json!({"subaccount": 1}));
    trader.post(ORDERS, body.clone(), 201).await;
    trader.post(ORDERS, body, 400).await;
    let too_much = json!({"client_transfer_id": "a-2", "from_subaccount": 1, "to_subaccount": 0, "amount_cents": 2346});
    trader.post("/portfolio/subaccounts/transfer", too_much, 400).await;

    let move_it = json!({"source": "event_contract", "destination": "margined", "amount": 1_000_000});
    let id = trader.post("/portfolio/intra_exchange_instance_transfer", move_it, 200).await["transfer_id"].take();
    assert_eq!(balance(trader).await, dec!(9776.55));
    assert_eq!(trader.get("/margin/balance").await["settled_funds"], "10100.0000");
    let path = format!("/portfolio/intra_exchange_instance_transfers/{}", id.as_str().unwrap());
    assert_eq!(trader.get(&path).await["transfer"]["amount"], "100.0000");
}

#[tokio::test]
async fn a_quote_that_is_executed_is_a_trade() {
    let (_sandbox, traders) = traders(3).await;
    let (asker, maker) = (&traders[0], &traders[1]);
    let ticker = ticker(asker).await;
    let rfq = json!({"market_ticker": ticker, "rest_remainder": false, "contracts_fp": "25.00"});
    let rfq = asker.post("/communications/rfqs", rfq, 201).await["id"].take();
    let quote = json!({"rfq_id": rfq, "yes_bid": "0.40", "no_bid": "0.55", "rest_remainder": false});
    let quote = maker.post("/communications/quotes", quote, 201).await["id"].take();
    let path = format!("/communications/rfqs/{}/quotes/{}", rfq.as_str().unwrap(), quote.as_str().unwrap());
    let side = Some(json!({"accepted_side": "no"}));
    assert_eq!(maker.send("PUT", &format!("{path}/accept"), side.clone()).await.0, 403, "of the one who asks");
    assert_eq!(traders[2].send("GET", &path, None).await.0, 404, "of neither");
    assert_eq!(asker.send("PUT", &format!("{path}/accept"), side).await.0, 204);
    assert_eq!(maker.send("PUT", &format!("{path}/confirm"), Some(json!({}))).await.0, 204);
    let executed = asker.get(&path).await["quote"].take();
    assert_eq!(executed["status"], "executed");
    let position = asker.get("/portfolio/positions").await["market_positions"][0].take();
    assert_eq!((&position["position_fp"], &position["market_exposure_dollars"]), (&json!("25.00"), &json!("11.2500")));
    let position = maker.get("/portfolio/positions").await["market_positions"][0].take();
    assert_eq!((&position["position_fp"], &position["market_exposure_dollars"]), (&json!("-25.00"), &json!("13.7500")));
    let id = executed["rfq_creator_order_id"].as_str().unwrap();
    assert_eq!(asker.get(&format!("/portfolio/fills?order_id={id}")).await["fills"][0]["count_fp"], "25.00");
    assert_eq!(open_market(asker).await["last_price_dollars"], "0.4500");
}

#[tokio::test]
async fn events_and_series_show_the_same_markets() {
    let (_sandbox, traders) = traders(1).await;
    let trader = &traders[0];
    let market = open_market(trader).await;
    let event = market["event_ticker"].as_str().unwrap();
    let shown = trader.get(&format!("/events/{event}?with_nested_markets=true")).await["event"].take();
    let markets = trader.get(&format!("/markets?event_ticker={event}")).await;
    assert_eq!(shown["markets"], markets["markets"]);
    let events = trader.all("/events?status=open", "events").await;
    assert!(events.iter().any(|one| one["event_ticker"] == event));
    let series = shown["series_ticker"].as_str().unwrap();
    let alone = trader.get(&format!("/series/{series}")).await["series"].take();
    assert_eq!(alone["ticker"], series);
    // Kalshi's own clients read no series and no event without these.
    assert!(alone["contract_url"].is_string() && alone["contract_terms_url"].is_string(), "{alone}");
    assert!(alone["additional_prohibitions"].is_array() && shown["settlement_sources"].is_array(), "{alone} {shown}");
    assert_eq!(trader.send("GET", "/events/KXNONE-1", None).await.0, 404);
}

#[tokio::test]
async fn what_is_listed_ends() {
    let (_sandbox, traders) = traders(2).await;
    let ticker = ticker(&traders[0]).await;
    for _ in 0..7 {
        traders[0].order(&ticker, "bid", "0.5000", "1.00").await;
        traders[1].order(&ticker, "ask", "0.5000", "1.00").await;
    }
    for (path, member) in [
        ("/portfolio/orders", "orders"),
        ("/portfolio/fills", "fills"),
        (&*format!("/markets/trades?ticker={ticker}"), "trades"),
    ] {
        let separator = if path.contains('?') { '&' } else { '?' };
        let (mut ids, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let page = traders[0].get(&format!("{path}{separator}limit=2&cursor={cursor}")).await;
            ids.extend(page[member].as_array().unwrap().iter().map(Value::to_string));
            pages += 1;
            assert!(pages < 20, "{path} never ends");
            cursor = page["cursor"].as_str().unwrap().to_owned();
            if cursor.is_empty() {
                break;
            }
        }
        let count = ids.len();
        ids.sort();
        ids.dedup();
        assert!(ids.len() == count && count >= 7, "{path}: {count}");
    }
}
