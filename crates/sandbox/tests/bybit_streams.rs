//! Bybit's streams: commands and their replies, books, trades, tickers and candles, and what an account hears.

#[path = "common/bybit.rs"]
mod bybit;
mod common;

use std::collections::BTreeMap;

use bybit::{Caller, End, Socket, limit, market, number, public, two_accounts, with};
use common::now_millis;
use futures_util::SinkExt as _;
use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use venuekit_sandbox::{BybitSettings, Fault, Rule, Sandbox, Transport};

/// A local book: what a client builds of frames.
#[derive(Default)]
struct Book {
    bids: BTreeMap<Decimal, Decimal>,
    asks: BTreeMap<Decimal, Decimal>,
    u: i64,
    seq: i64,
}

impl Book {
    fn apply(&mut self, frame: &Value) {
        let data = &frame["data"];
        let u = data["u"].as_i64().unwrap();
        match frame["type"].as_str().unwrap() {
            "snapshot" => *self = Self::default(),
            "delta" => assert_eq!(u, self.u + 1, "{frame}"),
            other => panic!("{other}"),
        }
        (self.u, self.seq) = (u, data["seq"].as_i64().unwrap());
        for (side, levels) in [(&mut self.bids, &data["b"]), (&mut self.asks, &data["a"])] {
            for level in levels.as_array().unwrap() {
                let (price, size) = (number(&level[0]), number(&level[1]));
                if size.is_zero() {
                    assert!(side.remove(&price).is_some(), "a level that was never sent: {frame}");
                } else {
                    side.insert(price, size);
                }
            }
        }
    }

    /// Compares it with the venue's book at the number of the last frame.
    fn check(&self, sandbox: &Sandbox, (category, symbol): (&str, &str), depth: usize) {
        let levels = sandbox.bybit_book(category, symbol, Some(self.seq)).unwrap();
        let bids: Vec<_> = self.bids.iter().rev().map(|(price, size)| (*price, *size)).collect();
        let asks: Vec<_> = self.asks.iter().map(|(price, size)| (*price, *size)).collect();
        assert_eq!(bids, levels.bids[..levels.bids.len().min(depth)]);
        assert_eq!(asks, levels.asks[..levels.asks.len().min(depth)]);
    }
}

#[tokio::test]
async fn a_command_is_carried_out_whole_or_not_at_all() {
    let sandbox = two_accounts().await;
    let mut socket = Socket::open(&sandbox, "public/linear").await;
    let reply = socket.command("subscribe", &["publicTrade.BTCUSDT", "orderbook.30.BTCUSDT"]).await;
    assert_eq!(reply["ret_msg"], "error:handler not found,topic:orderbook.30.BTCUSDT");
    assert_eq!((&reply["success"], &reply["req_id"], &reply["op"]), (&json!(false), &json!("17"), &json!("subscribe")));
    assert!(reply["conn_id"].is_string());
    let reply = socket.command("subscribe", &["publicTrade.BTCUSDT"]).await;
    assert_eq!((&reply["success"], &reply["ret_msg"]), (&json!(true), &json!("")), "it was not subscribed before");
    let again = socket.command("subscribe", &["tickers.BTCUSDT", "publicTrade.BTCUSDT"]).await;
    assert_eq!(again["ret_msg"], "error:already subscribed,topic:publicTrade.BTCUSDT");
    let twice = socket.command("subscribe", &["tickers.BTCUSDT", "tickers.BTCUSDT"]).await;
    assert_eq!(twice["ret_msg"], "error:already subscribed,topic:tickers.BTCUSDT");
    let alone = socket.command("subscribe", &["publicTrade.BTCUSDT"]).await;
    assert_eq!(alone["success"], true, "a topic that is held and alone is confirmed");
    for (message, expected) in [
        (json!({"op": "explode"}), "error:invalid op"),
        (json!({"op": "subscribe"}), "Params Error"),
        (json!({"op": "subscribe", "args": [1]}), "Params Error"),
        (json!({"op": "subscribe", "args": ["order"]}), "error:handler not found,topic:order"),
    ] {
        socket.say(message).await;
        assert_eq!(socket.reply().await["ret_msg"], expected);
    }
    socket.stream.send(Message::text("no JSON")).await.unwrap();
    assert!(socket.reply().await["ret_msg"].as_str().unwrap().starts_with("Failed to decode incoming data"));
    let reply = socket.command("unsubscribe", &["publicTrade.BTCUSDT"]).await;
    assert_eq!((&reply["success"], &reply["op"]), (&json!(true), &json!("unsubscribe")));
    sandbox.bybit_quote(("linear", "BTCUSDT"), true, dec!(95001), dec!(0.1));
    assert_eq!(socket.rest().await, Vec::<Value>::new());
}

#[tokio::test]
async fn endpoints_reply_in_their_own_ways() {
    let sandbox = two_accounts().await;
    let mut spot = Socket::open(&sandbox, "public/spot").await;
    let reply = spot.command("subscribe", &["publicTrade.BTCUSDT"]).await;
    assert_eq!(reply["ret_msg"], "subscribe");
    let many = ["tickers.BTCUSDT"; 11];
    assert_eq!(spot.command("subscribe", &many).await["ret_msg"], "args size >10");
    let pong = spot.command("ping", &[]).await;
    assert_eq!((&pong["op"], &pong["ret_msg"], &pong["req_id"]), (&json!("ping"), &json!("pong"), &json!("17")));

    let mut option = Socket::open(&sandbox, "public/option").await;
    let topics = ["orderbook.25.BTC-31DEC27-80000-C-USDT", "orderbook.50.BTC-31DEC27-80000-C-USDT", "publicTrade.XXX"];
    let reply = option.command("subscribe", &topics).await;
    assert_eq!((&reply["type"], &reply["success"]), (&json!("COMMAND_RESP"), &json!(false)));
    assert_eq!(reply["data"]["successTopics"], json!(topics[..2]), "one of them will be silent");
    assert_eq!(reply["data"]["failTopics"], json!(topics[2..]));
    assert!(reply.get("op").is_none() && reply.get("req_id").is_none());
    let first = option.data().await;
    assert_eq!((&first["topic"], first["id"].is_string()), (&json!(topics[0]), true));
    let pong = option.command("ping", &[]).await;
    assert_eq!((&pong["op"], pong["args"][0].is_string()), (&json!("pong"), true));

    let caller = Caller::given(&sandbox, 0);
    let mut private = Socket::open(&sandbox, "private").await;
    assert_eq!(private.command("subscribe", &["order"]).await["ret_msg"], "Request not authorized");
    let reply = private.log_in(&caller).await;
    assert_eq!((&reply["op"], &reply["success"]), (&json!("auth"), &json!(true)));
    let pong = private.command("ping", &[]).await;
    assert_eq!((&pong["op"], &pong["req_id"]), (&json!("pong"), &json!("17")));
    assert_eq!(private.command("subscribe", &["order", "order.linear"]).await["ret_msg"], "Params Error");

    let mut trade = Socket::open(&sandbox, "trade").await;
    trade.say(json!({"op": "ping"})).await;
    let pong = trade.receive().await.unwrap();
    assert_eq!((&pong["op"], &pong["retCode"], pong["data"][0].is_string()), (&json!("pong"), &json!(0), true));
}

#[tokio::test]
async fn a_login_is_checked() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let log_in = async |key: &str, expires: i64, signature: String| {
        let mut socket = Socket::open(&sandbox, "private").await;
        socket.say(json!({"op": "auth", "args": [key, expires, signature], "req_id": "a"})).await;
        socket.receive().await.unwrap()
    };
    let soon = now_millis() + 60_000;
    let sign = |expires: i64| caller.sign(&format!("GET/realtime{expires}"));
    let good = log_in(&caller.key, soon, sign(soon)).await;
    assert_eq!((&good["success"], &good["req_id"]), (&json!(true), &json!("a")));
    let late = log_in(&caller.key, 1000, sign(1000)).await;
    assert_eq!((&late["success"], &late["ret_msg"]), (&json!(false), &json!("Params Error")));
    let unknown = log_in("nobody", soon, sign(soon)).await;
    assert_eq!((&unknown["success"], &unknown["retCode"]), (&json!(false), &json!(10003)));
    let wrong = log_in(&caller.key, soon, sign(soon + 1)).await;
    assert_eq!((&wrong["success"], &wrong["retCode"]), (&json!(false), &json!(10004)));
}

#[tokio::test]
async fn books_of_all_depths_follow_the_venue() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let mut socket = Socket::open(&sandbox, "public/linear").await;
    let depths = [50, 200, 1000];
    let topics = depths.map(|depth| format!("orderbook.{depth}.BTCUSDT"));
    socket.subscribe(&topics.each_ref().map(String::as_str)).await;
    let mut books: BTreeMap<String, Book> = topics.iter().map(|topic| (topic.clone(), Book::default())).collect();
    let follow = async |socket: &mut Socket, books: &mut BTreeMap<String, Book>| {
        let frames = socket.all("orderbook.").await;
        for frame in &frames {
            let cts = frame["cts"].as_i64().unwrap();
            assert!(cts <= frame["ts"].as_i64().unwrap());
            books.get_mut(frame["topic"].as_str().unwrap()).unwrap().apply(frame);
        }
        for (topic, depth) in topics.iter().zip(depths) {
            books[topic].check(&sandbox, ("linear", "BTCUSDT"), depth);
        }
        frames.len()
    };
    assert_eq!(follow(&mut socket, &mut books).await, 3, "a snapshot each");
    caller.place(limit("linear", "BTCUSDT", "Buy", "95000.0", "0.123")).await;
    // A sweep removes levels at one side, and others come into the window.
    caller.place(market("linear", "BTCUSDT", "Buy", "3.000")).await;
    caller.place(market("linear", "BTCUSDT", "Sell", "2.345")).await;
    assert!(follow(&mut socket, &mut books).await >= 9);
    caller.write("/v5/order/cancel-all", json!({"category": "linear", "symbol": "BTCUSDT"})).await;
    follow(&mut socket, &mut books).await;
    let before = books[&topics[0]].u;
    let rest = public(&sandbox, "/v5/market/orderbook?category=linear&symbol=BTCUSDT&limit=1000").await;
    assert_eq!((rest["u"].as_i64(), rest["seq"].as_i64()), (Some(books[&topics[2]].u), Some(books[&topics[2]].seq)));
    sandbox.bybit_restart_books();
    assert_eq!(follow(&mut socket, &mut books).await, 3);
    assert!(before > 1 && books.values().all(|book| book.u == 1), "the numbers begin again");
    caller.place(market("linear", "BTCUSDT", "Buy", "0.001")).await;
    follow(&mut socket, &mut books).await;
    assert!(books.values().all(|book| book.u == 2));
}

#[tokio::test]
async fn other_books_have_other_forms() {
    let sandbox = two_accounts().await;
    sandbox.set_bybit_settings(BybitSettings { repeat_millis: 50, ..sandbox.bybit_settings() });
    let caller = Caller::given(&sandbox, 0);
    let mut socket = Socket::open(&sandbox, "public/linear").await;
    socket.subscribe(&["orderbook.1.BTCUSDT", "orderbook.rpi.BTCUSDT", "orderbook.full.BTCUSDT"]).await;
    let base = public(&sandbox, "/v5/market/full_orderbook?category=linear&symbol=BTCUSDT").await;
    let mut full = Book::default();
    full.apply(&json!({"type": "snapshot", "data": base}));
    // The best prices come again without a change, with the same number.
    let mut numbers = Vec::new();
    while numbers.len() < 3 {
        let frame = socket.data().await;
        if frame["topic"] == "orderbook.1.BTCUSDT" {
            assert_eq!((&frame["type"], frame["data"]["b"].as_array().unwrap().len()), (&json!("snapshot"), 1));
            numbers.push(frame["data"]["u"].clone());
        } else {
            assert_eq!((&frame["topic"], &frame["type"]), (&json!("orderbook.rpi.BTCUSDT"), &json!("snapshot")));
            assert_eq!(frame["data"]["b"][0].as_array().unwrap().len(), 3);
        }
    }
    assert_eq!(numbers[0], numbers[2]);
    caller.place(market("linear", "BTCUSDT", "Buy", "1.000")).await;
    let frames = socket.all("orderbook.").await;
    for frame in frames.iter().filter(|frame| frame["topic"] == "orderbook.full.BTCUSDT") {
        assert_eq!(frame["type"], "delta");
        full.apply(frame);
    }
    full.check(&sandbox, ("linear", "BTCUSDT"), usize::MAX);
    let top = frames.iter().rfind(|frame| frame["topic"] == "orderbook.1.BTCUSDT").unwrap();
    assert_eq!(top["type"], "snapshot");
    assert_ne!(top["data"]["u"], numbers[0]);
}

#[tokio::test]
async fn trades_tickers_and_candles_are_sent() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let mut socket = Socket::open(&sandbox, "public/linear").await;
    socket.subscribe(&["publicTrade.ETHUSDT", "tickers.ETHUSDT", "kline.1.ETHUSDT"]).await;
    let first = socket.rest().await;
    let kinds: Vec<_> = first.iter().map(|frame| (frame["topic"].clone(), frame["type"].clone())).collect();
    assert_eq!(kinds, [(json!("tickers.ETHUSDT"), json!("snapshot")), (json!("kline.1.ETHUSDT"), json!("snapshot"))]);
    let mut ticker = first[0]["data"].clone();
    assert!(ticker["fundingRate"].is_string() && ticker.get("deliveryTime").is_none());
    caller.place(market("linear", "ETHUSDT", "Buy", "13.00")).await;
    let frames = socket.rest().await;
    let of = |topic: &str| frames.iter().filter(|frame| frame["topic"] == topic).collect::<Vec<_>>();
    let trades = &of("publicTrade.ETHUSDT")[0]["data"];
    assert_eq!(trades.as_array().unwrap().len(), 2, "two levels were met");
    assert_eq!((&trades[0]["S"], &trades[0]["v"], &trades[1]["v"]), (&json!("Buy"), &json!("12.00"), &json!("1.00")));
    assert!(trades[0]["seq"].as_i64() < trades[1]["seq"].as_i64() && trades[1]["L"] == "PlusTick");
    let delta = of("tickers.ETHUSDT")[0];
    assert_eq!((&delta["type"], &delta["data"]["lastPrice"]), (&json!("delta"), &trades[1]["p"]));
    assert!(delta["data"].get("fundingRate").is_none(), "what has not changed is not sent");
    ticker.as_object_mut().unwrap().extend(delta["data"].as_object().unwrap().clone());
    let listed = public(&sandbox, "/v5/market/tickers?category=linear&symbol=ETHUSDT").await["list"][0].take();
    for name in ["lastPrice", "bid1Price", "ask1Price", "ask1Size", "volume24h", "openInterest", "highPrice24h"] {
        assert_eq!(ticker[name], listed[name], "{name}");
    }
    let candle = &of("kline.1.ETHUSDT").last().unwrap()["data"][0];
    assert_eq!(
        (&candle["close"], &candle["confirm"], &candle["interval"]),
        (&trades[1]["p"], &json!(false), &json!("1"))
    );

    // A minute later the candle is final, and the next one begins.
    sandbox.clock().set_offset_millis(60_000);
    let closed = loop {
        let frame = socket.data().await;
        if frame["topic"] == "kline.1.ETHUSDT" && frame["data"][0]["confirm"] == true {
            break frame;
        }
    };
    assert_eq!(closed["data"][0]["close"], trades[1]["p"]);

    sandbox.clock().set_offset_millis(0);
    let mut spot = Socket::open(&sandbox, "public/spot").await;
    spot.subscribe(&["tickers.BTCUSDT"]).await;
    caller.place(market("spot", "BTCUSDT", "Sell", "0.01")).await;
    for frame in spot.all("tickers").await {
        assert_eq!((&frame["type"], frame["data"].get("bid1Price")), (&json!("snapshot"), None));
    }
}

#[tokio::test]
async fn an_account_hears_of_its_orders_alone() {
    let sandbox = two_accounts().await;
    let (first, second) = (Caller::given(&sandbox, 0), Caller::given(&sandbox, 1));
    let mut socket = Socket::logged_in(&first, "private").await;
    socket.subscribe(&["order", "execution", "execution.fast", "position", "wallet"]).await;
    let mut linear_only = Socket::logged_in(&first, "private").await;
    linear_only.subscribe(&["order.linear"]).await;
    assert_eq!(socket.rest().await, Vec::<Value>::new(), "nothing is sent at first");
    second.place(market("linear", "BTCUSDT", "Buy", "0.010")).await;
    assert_eq!(socket.rest().await, Vec::<Value>::new());

    let order = with(limit("linear", "BTCUSDT", "Buy", "90000", "0.010"), json!({"orderLinkId": "mine"}));
    let id = first.place(order).await;
    let frames = socket.rest().await;
    let topics: Vec<_> = frames.iter().map(|frame| frame["topic"].as_str().unwrap()).collect();
    assert_eq!(topics, ["order", "position"], "a position is sent with every order");
    let shown = &frames[0]["data"][0];
    assert_eq!(
        (&shown["orderId"], &shown["orderStatus"], &shown["category"]),
        (&json!(id), &json!("New"), &json!("linear"))
    );
    assert!(frames[0]["id"].is_string() && frames[0]["creationTime"].is_i64() && frames[0].get("type").is_none());

    first.place(market("spot", "BTCUSDT", "Sell", "0.01")).await;
    let frames = socket.rest().await;
    let of = |topic: &str| frames.iter().find(|frame| frame["topic"] == topic).unwrap()["data"][0].clone();
    assert_eq!((&of("order")["orderStatus"], &of("order")["category"]), (&json!("Filled"), &json!("spot")));
    let execution = of("execution");
    assert_eq!((&execution["execType"], &execution["execId"]), (&json!("Trade"), &of("execution.fast")["execId"]));
    let coins: Vec<_> = of("wallet")["coin"].as_array().unwrap().iter().map(|coin| coin["coin"].clone()).collect();
    assert_eq!(coins, ["BTC", "USDT"], "the coins that have changed");
    assert!(!frames.iter().any(|frame| frame["topic"] == "position"), "spot has none");

    let heard = linear_only.rest().await;
    assert_eq!(heard.len(), 1);
    assert_eq!((&heard[0]["topic"], &heard[0]["data"][0]["orderId"]), (&json!("order.linear"), &json!(id)));

    first.write("/v5/order/cancel", json!({"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "mine"})).await;
    let frames = socket.rest().await;
    assert_eq!(frames[0]["data"][0]["orderStatus"], "Cancelled");
}

#[tokio::test]
async fn the_trade_channel_carries_orders() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let mut socket = Socket::open(&sandbox, "trade").await;
    let call = |id: &str, op: &str, args: Value| {
        let header = json!({"X-BAPI-TIMESTAMP": now_millis().to_string()});
        json!({"reqId": id, "op": op, "header": header, "args": [args]})
    };
    let order = with(limit("linear", "BTCUSDT", "Buy", "90000", "0.010"), json!({"orderLinkId": "a"}));
    let ask = async |socket: &mut Socket, message: Value| {
        socket.say(message).await;
        socket.receive().await.unwrap()
    };
    let refused = ask(&mut socket, call("1", "order.create", order.clone())).await;
    assert_eq!(refused["retCode"], 10005, "not logged in");
    assert_eq!(socket.log_in(&caller).await["retCode"], 0);
    assert_eq!(socket.log_in(&caller).await["retCode"], 20001);
    let placed = ask(&mut socket, call("2", "order.create", order.clone())).await;
    assert_eq!((&placed["retCode"], &placed["op"], &placed["reqId"]), (&json!(0), &json!("order.create"), &json!("2")));
    assert_eq!(placed["data"]["orderLinkId"], "a");
    assert_eq!(
        (&placed["header"]["X-Bapi-Limit"], &placed["header"]["X-Bapi-Limit-Status"]),
        (&json!("10"), &json!("9"))
    );
    let id = placed["data"]["orderId"].as_str().unwrap();
    assert_eq!(caller.order("linear", id).await["orderStatus"], "New");
    assert_eq!(sandbox.executed()["bybit POST /v5/order/create"], 1);

    let amend = json!({"category": "linear", "symbol": "BTCUSDT", "orderId": id, "qty": "0.020"});
    assert_eq!(ask(&mut socket, call("3", "order.amend", amend.clone())).await["retCode"], 0);
    assert_eq!(ask(&mut socket, call("3", "order.amend", amend.clone())).await["retCode"], 20006, "an id is used once");
    assert_eq!(ask(&mut socket, call("4", "order.create", order)).await["retCode"], 110_072);
    assert_eq!(ask(&mut socket, call("5", "order.explode", amend.clone())).await["retCode"], 10404);
    let wrong = with(amend.clone(), json!({"category": "forex"}));
    assert_eq!(ask(&mut socket, call("6", "order.amend", wrong)).await["retCode"], 10404);
    let mut late = call("7", "order.amend", amend.clone());
    late["header"]["X-BAPI-TIMESTAMP"] = json!(now_millis() - 60_000);
    assert_eq!(ask(&mut socket, late).await["retCode"], 10002, "a number is as good as a text");
    let mut two = call("8", "order.amend", amend.clone());
    two["args"] = json!([amend, {}]);
    assert_eq!(ask(&mut socket, two).await["retCode"], 10001);

    let batch = json!({"category": "linear", "request": [
        {"symbol": "BTCUSDT", "orderLinkId": "a"}, {"symbol": "BTCUSDT", "orderLinkId": "unknown"},
    ]});
    let done = ask(&mut socket, call("9", "order.cancel-batch", batch)).await;
    assert_eq!(done["retCode"], 0);
    assert_eq!(
        (&done["retExtInfo"]["list"][0]["code"], &done["retExtInfo"]["list"][1]["code"]),
        (&json!(0), &json!(110_001))
    );
    assert_eq!((&done["data"]["list"][0]["orderId"], &done["data"]["list"][1]["orderId"]), (&json!(id), &json!("")));
}

#[tokio::test]
async fn faults_of_frames_strike() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let mut socket = Socket::open(&sandbox, "public/linear").await;
    socket.subscribe(&["orderbook.50.BTCUSDT"]).await;
    let mut book = Book::default();
    book.apply(&socket.data().await);
    let change = async |rule: Rule, socket: &mut Socket| {
        sandbox.faults().set(vec![rule.on("orderbook/delta").times(1)]);
        for _ in 0..2 {
            caller.place(market("linear", "BTCUSDT", "Buy", "0.001")).await;
        }
        socket.all("orderbook").await
    };
    let numbers =
        |frames: &[Value]| -> Vec<i64> { frames.iter().map(|one| one["data"]["u"].as_i64().unwrap()).collect() };
    let frames = change(Rule::new(Fault::Gap { by: 3 }), &mut socket).await;
    assert_eq!(numbers(&frames), [book.u + 4, book.u + 5], "three numbers are missing");
    let frames = change(Rule::new(Fault::Restart), &mut socket).await;
    assert_eq!(numbers(&frames), [1, 2]);
    assert_eq!((&frames[0]["type"], &frames[1]["type"]), (&json!("snapshot"), &json!("delta")));
    let frames = change(Rule::new(Fault::Drop), &mut socket).await;
    assert_eq!(numbers(&frames), [4], "3 was withheld");
    let withheld: Vec<_> = sandbox.frames().all().into_iter().filter(|frame| !frame.sent).collect();
    assert_eq!((withheld.len(), withheld[0].item.as_deref(), &*withheld[0].kind), (1, Some("BTCUSDT"), "delta"));
    let frames = change(Rule::new(Fault::Duplicate), &mut socket).await;
    assert_eq!(numbers(&frames), [5, 5, 6]);

    sandbox.faults().set(vec![Rule::new(Fault::error(0)).on("subscribe").times(1)]);
    assert_eq!(socket.command("subscribe", &["tickers.BTCUSDT"]).await["success"], false);
    sandbox.faults().set(vec![Rule::new(Fault::LeaveOut).on("subscribe/tickers").times(1)]);
    socket.subscribe(&["tickers.BTCUSDT"]).await;
    assert_eq!(socket.rest().await, Vec::<Value>::new(), "confirmed, and never sent");
    sandbox.faults().set(vec![Rule::new(Fault::DropBefore).on("orderbook/delta")]);
    caller.place(market("linear", "BTCUSDT", "Buy", "0.001")).await;
    assert_eq!(socket.receive().await, Err(End::Lost));
}

#[tokio::test]
async fn faults_of_the_trade_channel_strike() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let order = |link: &str| {
        let order = with(limit("linear", "BTCUSDT", "Buy", "90000", "0.010"), json!({"orderLinkId": link}));
        let header = json!({"X-BAPI-TIMESTAMP": now_millis().to_string()});
        json!({"op": "order.create", "header": header, "args": [order], "reqId": link})
    };
    let exists = async |link: &str| {
        let found = caller.read("/v5/order/realtime", &format!("category=linear&orderLinkId={link}")).await;
        !found["list"].as_array().unwrap().is_empty()
    };
    for (name, fault, was_carried_out) in [
        ("before", Fault::DropBefore, false),
        ("after", Fault::DropAfter, true),
        ("silent", Fault::SilenceBefore, false),
    ] {
        let mut socket = Socket::logged_in(&caller, "trade").await;
        let rule = Rule::new(fault.clone()).on("order.create").over(Transport::Websocket).times(1);
        sandbox.faults().set(vec![rule]);
        socket.say(order(name)).await;
        if fault == Fault::SilenceBefore {
            socket.say(order("next")).await;
            assert_eq!(socket.receive().await.unwrap()["reqId"], "next");
        } else {
            assert_eq!(socket.receive().await, Err(End::Lost));
        }
        assert_eq!(exists(name).await, was_carried_out, "{name}");
    }
}

#[tokio::test]
async fn a_silent_connection_is_cut() {
    let sandbox = two_accounts().await;
    let settings = BybitSettings { idle_millis: 2500, idle_public_millis: 2500, ..sandbox.bybit_settings() };
    sandbox.set_bybit_settings(settings);
    let mut idle = Socket::open(&sandbox, "public/linear").await;
    let mut subscribed = Socket::open(&sandbox, "public/linear").await;
    subscribed.subscribe(&["publicTrade.BTCUSDT"]).await;
    let mut private = Socket::open(&sandbox, "private").await;
    assert_eq!(idle.receive().await, Err(End::Lost));
    assert_eq!(private.receive().await, Err(End::Lost));
    assert_eq!(subscribed.rest().await, Vec::<Value>::new());
    assert_eq!(sandbox.websocket_connections(), 1);
    assert_eq!(sandbox.cut_connections(), 1);
    assert_eq!(subscribed.receive().await, Err(End::Lost));
}

#[tokio::test]
async fn a_test_sends_what_the_sandbox_has_none_of() {
    let sandbox = two_accounts().await;
    let mut socket = Socket::open(&sandbox, "public/linear").await;
    socket.subscribe(&["allLiquidation.BTCUSDT"]).await;
    let data = json!([{"T": 1, "s": "BTCUSDT", "S": "Buy", "v": "0.1", "p": "90000"}]);
    assert_eq!(sandbox.bybit_notify("public/linear", "allLiquidation.BTCUSDT", "snapshot", &data), 1);
    let frame = socket.data().await;
    assert_eq!((&frame["type"], &frame["data"]), (&json!("snapshot"), &data));
    let mut status = Socket::open(&sandbox, "public/misc/status").await;
    status.subscribe(&["system.status"]).await;
    assert_eq!(sandbox.bybit_notify("public/misc/status", "system.status", "", &json!([])), 1);
    assert!(status.data().await.get("type").is_none());
    assert_eq!(sandbox.bybit_notify("public/linear", "allLiquidation.ETHUSDT", "snapshot", &data), 0);
}
