//! Kalshi's streams: what anybody does moves books, tickers, trades, orders, fills and positions of all who hear of them.

mod common;
#[path = "common/kalshi_stream.rs"]
mod kalshi_stream;
#[path = "operations/spec.rs"]
#[allow(dead_code, reason = "operations use the rest")]
mod spec;

use common::now_millis;
use common::trader::{PERP, Trader, margin_order, number, open_market, order, traders};
use kalshi_stream::{Book, Stream};
use rust_decimal_macros::dec;
use serde_json::{Value, json};
use venuekit_sandbox::KalshiSettings;

const ORDERS: &str = "/portfolio/events/orders";

async fn ticker(trader: &Trader) -> String {
    open_market(trader).await["ticker"].as_str().unwrap().to_owned()
}

fn of_type<'a>(frames: &'a [Value], kind: &str) -> Vec<&'a Value> {
    frames.iter().filter(|frame| frame["type"] == kind).collect()
}

#[tokio::test]
async fn an_order_is_heard_of_by_everybody_and_marked_for_its_owner() {
    let (sandbox, traders) = traders(2).await;
    let ticker = ticker(&traders[0]).await;
    let mut own = Stream::connect(&sandbox, &traders[0]).await;
    let mut other = Stream::connect(&sandbox, &traders[1]).await;
    for stream in [&mut own, &mut other] {
        stream.subscribe("orderbook_delta", json!({"market_tickers": [ticker], "use_yes_price": true})).await;
        stream.subscribe("user_orders", json!({})).await;
        stream.rest().await;
    }
    let placed = order(&ticker, "bid", "0.4000", "10.00", json!({"client_order_id": "mine"}));
    let placed = traders[0].post(ORDERS, placed, 201).await;
    let frames = own.rest().await;
    let delta = &of_type(&frames, "orderbook_delta")[0]["msg"];
    assert_eq!(
        (&delta["price_dollars"], &delta["delta_fp"], &delta["side"]),
        (&json!("0.4000"), &json!("10.00"), &json!("yes"))
    );
    assert_eq!((&delta["client_order_id"], &delta["subaccount"]), (&json!("mine"), &json!(0)));
    let told = &of_type(&frames, "user_order")[0]["msg"];
    assert_eq!((&told["order_id"], &told["status"]), (&placed["order_id"], &json!("resting")));
    assert_eq!(told["remaining_count_fp"], "10.00");
    let shown = traders[0].get(&format!("/portfolio/orders/{}", placed["order_id"].as_str().unwrap())).await;
    assert_eq!(told["user_id"], shown["order"]["user_id"]);

    let frames = other.rest().await;
    assert_eq!(frames.len(), 1, "orders of others are not told: {frames:?}");
    let theirs = &frames[0]["msg"];
    assert!(theirs.get("client_order_id").is_none() && theirs.get("subaccount").is_none());
    assert_eq!(theirs["clock"], delta["clock"], "the clock is the same for everybody");

    traders[0].delete(&format!("{ORDERS}/{}", placed["order_id"].as_str().unwrap()), 200).await;
    let frames = own.rest().await;
    assert_eq!(of_type(&frames, "orderbook_delta")[0]["msg"]["delta_fp"], "-10.00");
    let told = &of_type(&frames, "user_order")[0]["msg"];
    assert_eq!((&told["status"], &told["last_update_reason"]), (&json!("canceled"), &json!("Decrease")));
}

#[tokio::test]
async fn a_trade_is_told_on_every_channel_that_it_moves() {
    let (sandbox, traders) = traders(2).await;
    let ticker = ticker(&traders[0]).await;
    let mut maker = Stream::connect(&sandbox, &traders[0]).await;
    let mut taker = Stream::connect(&sandbox, &traders[1]).await;
    for stream in [&mut maker, &mut taker] {
        let channels = ["orderbook_delta", "ticker", "trade", "fill", "market_positions", "user_orders"];
        stream.send("subscribe", json!({"channels": channels, "market_tickers": [ticker]})).await;
        stream.rest().await;
    }
    traders[0].order(&ticker, "bid", "0.4000", "10.00").await;
    maker.rest().await;
    taker.rest().await;
    traders[1].order(&ticker, "ask", "0.3900", "4.00").await;
    let frames = taker.rest().await;
    let trade = &of_type(&frames, "trade")[0]["msg"];
    assert_eq!((&trade["yes_price_dollars"], &trade["no_price_dollars"]), (&json!("0.4000"), &json!("0.6000")));
    assert_eq!((&trade["count_fp"], &trade["taker_book_side"]), (&json!("4.00"), &json!("ask")));
    let fill = &of_type(&frames, "fill")[0]["msg"];
    assert_eq!(fill["trade_id"], trade["trade_id"]);
    assert_eq!((&fill["is_taker"], &fill["outcome_side"]), (&json!(true), &json!("no")));
    assert_eq!(fill["post_position_fp"], "-4.00");
    let fills = traders[1].get("/portfolio/fills").await;
    assert_eq!(fills["fills"][0]["trade_id"], fill["trade_id"]);
    assert_eq!(number(&fills["fills"][0]["fee_cost"]), number(&fill["fee_cost"]));
    let held = &of_type(&frames, "market_position")[0]["msg"];
    let position = &traders[1].get("/portfolio/positions").await["market_positions"][0];
    for member in ["position_fp", "realized_pnl_dollars", "fees_paid_dollars"] {
        assert_eq!(held[member], position[member], "{member}");
    }
    assert_eq!(held["position_cost_dollars"], position["market_exposure_dollars"]);
    let told = &of_type(&frames, "user_order")[0]["msg"];
    assert_eq!((&told["status"], &told["last_update_reason"]), (&json!("executed"), &json!("Trade")));
    let quoted = &of_type(&frames, "ticker")[0]["msg"];
    assert_eq!((&quoted["price_dollars"], &quoted["last_trade_size_fp"]), (&json!("0.4000"), &json!("4.00")));
    assert_eq!((&quoted["yes_bid_dollars"], &quoted["yes_bid_size_fp"]), (&json!("0.4000"), &json!("6.00")));
    let market = &traders[0].get(&format!("/markets/{ticker}")).await["market"];
    for (member, of_market) in [("volume_fp", "volume_fp"), ("open_interest_fp", "open_interest_fp")] {
        assert_eq!(quoted[member], market[of_market]);
    }

    let frames = maker.rest().await;
    assert_eq!(of_type(&frames, "trade")[0]["msg"], *trade);
    let fill = &of_type(&frames, "fill")[0]["msg"];
    assert_eq!((&fill["is_taker"], &fill["post_position_fp"]), (&json!(false), &json!("4.00")));
    let told = &of_type(&frames, "user_order")[0]["msg"];
    assert_eq!((&told["fill_count_fp"], &told["remaining_count_fp"]), (&json!("4.00"), &json!("6.00")));
    let deltas = of_type(&frames, "orderbook_delta");
    assert_eq!((deltas.len(), &deltas[0]["msg"]["delta_fp"]), (1, &json!("-4.00")));
}

#[tokio::test]
async fn a_book_that_follows_the_stream_is_the_book() {
    let (sandbox, traders) = traders(2).await;
    let ticker = ticker(&traders[0]).await;
    let mut stream = Stream::connect(&sandbox, &traders[0]).await;
    let mut book = Book::default();
    stream.subscribe("orderbook_delta", json!({"market_tickers": [ticker], "use_yes_price": true})).await;
    let mut ids = Vec::new();
    for (who, side, price, count) in [
        (0, "bid", "0.4000", "10.00"),
        (1, "ask", "0.6000", "7.50"),
        (1, "ask", "0.4000", "4.25"),
        (0, "bid", "0.6100", "20.00"),
        (1, "ask", "0.6100", "1.00"),
        (0, "bid", "0.5900", "3.00"),
    ] {
        ids.push(traders[who].order(&ticker, side, price, count).await["order_id"].as_str().unwrap().to_owned());
    }
    let amend = json!({"ticker": ticker, "side": "bid", "price": "0.5800", "count": "5.00"});
    traders[0].post(&format!("{ORDERS}/{}/amend", ids[5]), amend, 200).await;
    traders[0].post(&format!("{ORDERS}/{}/decrease", ids[5]), json!({"reduce_by": "1.50"}), 200).await;
    traders[0].delete("/portfolio/events/orders", 204).await;

    let connection = sandbox.frames().all()[0].connection;
    let frames = stream.rest().await;
    assert!(frames.len() > 10);
    for frame in &frames {
        book.apply(frame);
        let levels = sandbox.kalshi_book(&ticker, Some(book.clock)).unwrap();
        assert!(book.agrees(&levels), "after {frame}");
        // The log leads from the number of a frame to the same book.
        let logged = sandbox.frames().of(connection);
        let logged = logged.iter().find(|one| one.sequence == frame["seq"].as_u64() && one.item.is_some()).unwrap();
        assert_eq!((logged.mark, logged.sent), (Some(book.clock), true));
        assert_eq!(serde_json::from_str::<Value>(&logged.text).unwrap(), *frame);
    }
    assert!(book.agrees(&sandbox.kalshi_book(&ticker, None).unwrap()));
}

#[tokio::test]
async fn prices_of_no_are_told_on_either_scale() {
    let (sandbox, traders) = traders(1).await;
    let ticker = ticker(&traders[0]).await;
    let mut on_yes = Stream::connect(&sandbox, &traders[0]).await;
    let mut on_no = Stream::connect(&sandbox, &traders[0]).await;
    on_yes.subscribe("orderbook_delta", json!({"market_tickers": [ticker], "use_yes_price": true})).await;
    on_no.subscribe("orderbook_delta", json!({"market_tickers": [ticker]})).await;
    traders[0].order(&ticker, "ask", "0.5200", "3.00").await;
    let (yes, no) = (on_yes.rest().await, on_no.rest().await);
    assert_eq!(
        (&yes[0]["msg"]["no_dollars_fp"], &no[0]["msg"]["no_dollars_fp"]),
        (&json!([["0.9800", "1000.00"]]), &json!([["0.0200", "1000.00"]]))
    );
    assert_eq!(yes[0]["msg"]["yes_dollars_fp"], no[0]["msg"]["yes_dollars_fp"]);
    assert_eq!((&yes[1]["msg"]["price_dollars"], &no[1]["msg"]["price_dollars"]), (&json!("0.5200"), &json!("0.4800")));
    assert_eq!((&yes[1]["msg"]["side"], &no[1]["msg"]["side"]), (&json!("no"), &json!("no")));
}

#[tokio::test]
async fn an_empty_side_is_left_out() {
    let (sandbox, traders) = traders(1).await;
    let unopened = traders[0].get("/markets?status=unopened&limit=1").await["markets"][0]["ticker"].clone();
    let mut stream = Stream::connect(&sandbox, &traders[0]).await;
    stream.subscribe("orderbook_delta", json!({"market_tickers": [unopened, "KXNONE"]})).await;
    let frames = stream.rest().await;
    assert_eq!(frames.len(), 1, "there is no such market, and nobody says so");
    assert!(frames[0]["msg"].get("yes_dollars_fp").is_none() && frames[0]["msg"].get("no_dollars_fp").is_none());
}

#[tokio::test]
async fn a_ticker_is_told_when_it_changes() {
    let (sandbox, traders) = traders(2).await;
    let ticker = ticker(&traders[0]).await;
    let mut stream = Stream::connect(&sandbox, &traders[0]).await;
    stream.subscribe("ticker", json!({"market_tickers": [ticker]})).await;
    assert_eq!(stream.rest().await, [] as [Value; 0], "nothing before the first change");
    traders[0].order(&ticker, "bid", "0.4000", "1.00").await;
    assert_eq!(stream.next().await["msg"]["yes_bid_dollars"], "0.4000");
    traders[0].order(&ticker, "bid", "0.3900", "1.00").await;
    assert_eq!(stream.rest().await, [] as [Value; 0], "the best prices are the same");
}

#[tokio::test]
async fn a_test_moves_books_without_a_call() {
    let (sandbox, traders) = traders(1).await;
    let ticker = ticker(&traders[0]).await;
    let mut stream = Stream::connect(&sandbox, &traders[0]).await;
    let mut perps = Stream::connect_perps(&sandbox, &traders[0]).await;
    let channels = json!({"channels": ["orderbook_delta", "trade"], "market_tickers": [ticker, PERP]});
    stream.send("subscribe", channels.clone()).await;
    perps.send("subscribe", channels).await;
    stream.rest().await;
    perps.rest().await;
    for size in [dec!(5), dec!(12.5), dec!(2), dec!(0), dec!(0)] {
        assert!(sandbox.kalshi_quote(&ticker, true, dec!(0.41), size));
        assert!(sandbox.kalshi_quote(PERP, false, dec!(2.9), size));
    }
    let told = stream.rest().await;
    let deltas: Vec<_> = told.iter().map(|frame| frame["msg"]["delta_fp"].as_str().unwrap()).collect();
    assert_eq!(deltas, ["5.00", "7.50", "-7.50", "-3.00", "-2.00"], "one change, or one for each order that it takes");
    let told = perps.rest().await;
    assert_eq!(told.iter().map(|frame| number(&frame["msg"]["delta"])).sum::<rust_decimal::Decimal>(), dec!(0));
    assert!(sandbox.kalshi_trade(&ticker, dec!(0.45), dec!(3)));
    let told = stream.rest().await;
    assert_eq!(of_type(&told, "trade")[0]["msg"]["count_fp"], "3.00");
    assert!(!sandbox.kalshi_quote(&ticker, true, dec!(0.4111), dec!(1)), "no such price");
    assert!(!sandbox.kalshi_trade("KXNONE", dec!(0.4), dec!(1)), "no such market");
}

#[tokio::test]
async fn an_order_that_expires_is_told_though_nobody_calls() {
    let (sandbox, traders) = traders(1).await;
    let ticker = ticker(&traders[0]).await;
    let mut stream = Stream::connect(&sandbox, &traders[0]).await;
    stream.subscribe("user_orders", json!({})).await;
    let expiring = order(&ticker, "bid", "0.3000", "1.00", json!({"expiration_time": now_millis() / 1000 + 3}));
    traders[0].post(ORDERS, expiring, 201).await;
    assert_eq!(stream.next().await["msg"]["status"], "resting");
    let told = stream.next().await;
    assert_eq!(
        (&told["msg"]["status"], &told["msg"]["last_update_reason"]),
        (&json!("canceled"), &json!("ExpiryCancel"))
    );
}

#[tokio::test]
async fn a_key_of_one_subaccount_hears_of_it_alone() {
    let (sandbox, traders) = traders(1).await;
    let trader = &traders[0];
    let ticker = ticker(trader).await;
    trader.post("/portfolio/subaccounts", json!({}), 201).await;
    let moved = json!({
        "client_transfer_id": "7c6f2f6e-3d2b-4a57-9d6e-0f4e1f0f7a11", "from_subaccount": 0, "to_subaccount": 1, "amount_cents": 10_000,
    });
    trader.post("/portfolio/subaccounts/transfer", moved, 200).await;
    let locked = trader.with_new_key(json!({"subaccount": 1})).await;
    let mut stream = Stream::connect(&sandbox, &locked).await;
    stream.subscribe("orderbook_delta", json!({"market_tickers": [ticker]})).await;
    stream.subscribe("user_orders", json!({})).await;
    stream.rest().await;
    trader.post(ORDERS, order(&ticker, "bid", "0.3000", "1.00", json!({"client_order_id": "a"})), 201).await;
    let of_sibling = stream.rest().await;
    assert_eq!(of_sibling.len(), 1, "{of_sibling:?}");
    assert!(of_sibling[0]["msg"].get("client_order_id").is_none(), "the book is whole and not marked");
    let own = order(&ticker, "bid", "0.3000", "1.00", json!({"client_order_id": "b", "subaccount": 1}));
    trader.post(ORDERS, own, 201).await;
    let own = stream.rest().await;
    assert_eq!(own.len(), 2, "{own:?}");
    assert_eq!(of_type(&own, "orderbook_delta")[0]["msg"]["subaccount"], 1);
    assert_eq!(of_type(&own, "user_order")[0]["msg"]["subaccount_number"], 1);
}

#[tokio::test]
async fn perpetual_futures_have_a_stream_of_their_own() {
    let (sandbox, traders) = traders(2).await;
    sandbox.set_kalshi_settings(KalshiSettings { perps_ticker_millis: 50, ..sandbox.kalshi_settings() });
    let mut stream = Stream::connect_perps(&sandbox, &traders[0]).await;
    let channels = ["orderbook_delta", "ticker", "trade", "fill", "user_orders"];
    stream.send("subscribe", json!({"channels": channels, "market_tickers": [PERP]})).await;
    let begin = stream.rest().await;
    let snapshot = of_type(&begin, "orderbook_snapshot")[0];
    let mut book = Book::default();
    book.apply(snapshot);
    let named = json!({"client_order_id": "perp-1"});
    for price in ["2.7000", "2.6000", "2.5000"] {
        traders[0].margin_order("bid", price, "2.00").await;
    }
    traders[0].post("/margin/orders", margin_order("ask", "2.9000", "4.00", named), 201).await;
    traders[1].margin_order("bid", "2.9500", "1.00").await;
    let mut frames = stream.rest().await;
    for frame in of_type(&frames, "orderbook_delta") {
        book.apply(frame);
    }
    assert!(book.agrees(&sandbox.kalshi_book(PERP, None).unwrap()));
    let last = of_type(&frames, "orderbook_delta").pop().unwrap()["msg"].clone();
    assert_eq!(
        (&last["delta"], &last["side"], &last["last_update_reason"]),
        (&json!("-1.00"), &json!("ask"), &json!("Trade"))
    );
    assert_eq!(last["client_order_id"], "perp-1");
    let fill = &of_type(&frames, "fill")[0]["msg"];
    assert_eq!((&fill["price"], &fill["order_source"]), (&json!("2.9000"), &json!("user")));
    assert_eq!((&fill["post_position"], &fill["client_order_id"]), (&json!("-1.00"), &json!("perp-1")));
    assert_eq!(of_type(&frames, "trade")[0]["msg"]["trade_id"], fill["trade_id"]);
    let told = of_type(&frames, "user_order").pop().unwrap();
    assert_eq!((&told["msg"]["remaining_count"], &told["msg"]["fill_count"]), (&json!("3.00"), &json!("1.00")));

    // Tickers are gathered: the last one that comes is the state.
    while of_type(&frames, "ticker").last().is_none_or(|ticker| ticker["msg"]["ask_size_fp"] != "3.00") {
        frames.push(stream.next().await);
    }
    let changes = 5;
    assert!(of_type(&frames, "ticker").len() <= changes);
    let mut again = Stream::connect_perps(&sandbox, &traders[0]).await;
    again.subscribe("orderbook_delta", json!({"market_tickers": [PERP]})).await;
    let snapshot = again.next().await;
    let prices = |side: &str| -> Vec<_> {
        snapshot["msg"][side].as_array().unwrap().iter().map(|level| number(&level[0])).collect()
    };
    assert!(prices("bid").is_sorted() && prices("bid").last() == Some(&dec!(2.7)), "the best bid is the last");
    assert!(
        prices("ask").is_sorted_by(|one, next| one >= next) && prices("ask").last() == Some(&dec!(2.9)),
        "the best ask too"
    );
}
