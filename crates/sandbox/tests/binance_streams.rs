//! Binance: market streams, the WebSocket API, and the events of accounts.

#[path = "common/binance.rs"]
mod binance;
mod common;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use binance::{Caller, Secret, limit, number, public, two_accounts};
use common::now_millis;
use futures_util::{SinkExt as _, StreamExt as _};
use rust_decimal::Decimal;
use rust_decimal_macros::dec;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use venuekit_sandbox::{Accounts, BinanceKey, BinanceSettings, Fault, Rule, Sandbox};

/// No frame takes as long, so that a lack of one fails a test instead of holding it up.
const PATIENCE: Duration = Duration::from_secs(60);

struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    kept: VecDeque<Value>,
    calls: u64,
}

impl Socket {
    async fn open(url: String) -> Self {
        let (stream, _) = connect_async(url).await.unwrap();
        Self { stream, kept: VecDeque::new(), calls: 0 }
    }

    async fn market(sandbox: &Sandbox, path: &str) -> Self {
        Self::open(format!("{}{path}", sandbox.binance_stream_url())).await
    }

    async fn api(sandbox: &Sandbox) -> Self {
        Self::open(sandbox.binance_websocket_api_url()).await
    }

    async fn send(&mut self, value: Value) {
        self.stream.send(Message::text(value.to_string())).await.unwrap();
    }

    /// The next frame, or the code of the end.
    async fn next(&mut self) -> Result<Value, u16> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.stream.next()).await.expect("no frame came");
            match message {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(Some(frame)))) => return Err(frame.code.into()),
                Some(Ok(_)) => {}
                _ => return Err(0),
            }
        }
    }

    /// The first frame that fits; others are kept.
    async fn find(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.kept.iter().position(&fits) {
            return self.kept.remove(at).unwrap();
        }
        loop {
            let frame = self.next().await.unwrap();
            if fits(&frame) {
                return frame;
            }
            self.kept.push_back(frame);
        }
    }

    /// Calls a method of the WebSocket API.
    async fn call(&mut self, method: &str, params: Value) -> Value {
        self.calls += 1;
        let id = format!("call {}", self.calls);
        self.send(json!({"id": id, "method": method, "params": params})).await;
        self.find(|frame| frame["id"] == *id).await
    }

    async fn good(&mut self, method: &str, params: Value) -> Value {
        let mut response = self.call(method, params).await;
        assert_eq!(response["status"], 200, "{response}");
        response["result"].take()
    }

    async fn event(&mut self, kind: &str) -> Value {
        self.find(|frame| frame["event"]["e"] == kind).await
    }
}

/// Parameters with key, time and signature: sorted, and not encoded.
fn signed(caller: &Caller<'_>, mut params: Value) -> Value {
    params["apiKey"] = caller.key.as_str().into();
    params["timestamp"] = now_millis().into();
    let sorted: BTreeMap<&String, &Value> = params.as_object().unwrap().iter().collect();
    let pairs = sorted.iter().map(|(name, value)| match value {
        Value::String(text) => format!("{name}={text}"),
        other => format!("{name}={other}"),
    });
    let signature = caller.sign(&pairs.collect::<Vec<_>>().join("&"));
    params["signature"] = signature.into();
    params
}

/// Quick streams, so that tests need not wait.
fn quick(sandbox: &Sandbox) {
    let settings = BinanceSettings { fast_millis: 20, slow_millis: 50, messages_per_second: 100, ..Default::default() };
    sandbox.set_binance_settings(settings);
}

fn order(symbol: &str, side: &str, price: &str, quantity: &str) -> Value {
    json!({"symbol": symbol, "side": side, "type": "LIMIT", "timeInForce": "GTC", "price": price, "quantity": quantity})
}

/// A book that is kept from diffs.
#[derive(Default)]
struct Book {
    bids: BTreeMap<Decimal, Decimal>,
    asks: BTreeMap<Decimal, Decimal>,
    id: i64,
}

impl Book {
    fn set(&mut self, levels: [&Value; 2]) {
        for (levels, side) in levels.into_iter().zip([&mut self.bids, &mut self.asks]) {
            for level in levels.as_array().unwrap() {
                let (price, size) = (number(&level[0]), number(&level[1]));
                if size.is_zero() {
                    side.remove(&price)
                } else {
                    side.insert(price, size)
                };
            }
        }
    }

    fn agrees(&self, sandbox: &Sandbox) {
        let other = sandbox.binance_book("BTCUSDT", Some(self.id)).unwrap();
        let bids: Vec<_> = self.bids.iter().rev().map(|(price, size)| (*price, *size)).collect();
        let asks: Vec<_> = self.asks.iter().map(|(price, size)| (*price, *size)).collect();
        assert_eq!((bids, asks), (other.bids, other.asks), "at {}", self.id);
    }
}

#[tokio::test]
async fn a_book_is_kept_from_diffs_and_a_snapshot() {
    let sandbox = two_accounts().await;
    quick(&sandbox);
    let mut socket = Socket::market(&sandbox, "/stream?streams=btcusdt@depth@100ms").await;
    let change = |step: i64| {
        let price = dec!(60000.00) - Decimal::from(step % 7) * dec!(0.01);
        assert!(sandbox.binance_quote("BTCUSDT", true, price, Decimal::from(step % 3)));
    };
    change(1);
    let first = socket.next().await.unwrap();
    assert_eq!((&first["stream"], &first["data"]["e"]), (&json!("btcusdt@depth@100ms"), &json!("depthUpdate")));
    let mut waiting = vec![first];
    for step in 2..20 {
        change(step);
    }
    let snapshot = public(&sandbox, "/api/v3/depth?symbol=BTCUSDT&limit=5000").await;
    let mut book = Book { id: snapshot["lastUpdateId"].as_i64().unwrap(), ..Book::default() };
    book.set([&snapshot["bids"], &snapshot["asks"]]);
    book.agrees(&sandbox);
    assert!(waiting[0]["data"]["U"].as_i64().unwrap() <= book.id);
    let mut applied = 0;
    for step in 20..60 {
        change(step);
        if step % 10 == 0 {
            waiting.push(socket.next().await.unwrap());
        }
        for frame in waiting.drain(..) {
            let data = &frame["data"];
            let (from, to) = (data["U"].as_i64().unwrap(), data["u"].as_i64().unwrap());
            if to <= book.id {
                continue;
            }
            assert!(from <= book.id + 1, "nothing is left out: {from} after {}", book.id);
            assert!(applied == 0 || from == book.id + 1, "each begins where the one before ended");
            book.set([&data["b"], &data["a"]]);
            book.id = to;
            applied += 1;
            book.agrees(&sandbox);
        }
    }
    assert!(applied >= 3, "{applied}");
}

#[tokio::test]
async fn trades_quotes_and_candles_are_streamed() {
    let sandbox = two_accounts().await;
    quick(&sandbox);
    let mut socket = Socket::market(&sandbox, "/stream").await;
    let names = ["btcusdt@trade", "btcusdt@aggTrade", "btcusdt@bookTicker", "btcusdt@kline_1m", "btcusdt@depth5@100ms"];
    let more = ["btcusdt@ticker", "btcusdt@miniTicker", "btcusdt@avgPrice", "!miniTicker@arr", "btcusdt@ticker_1h"];
    let all: Vec<&str> = names.into_iter().chain(more).collect();
    socket.send(json!({"method": "SUBSCRIBE", "params": all, "id": 7})).await;
    assert_eq!(socket.find(|frame| frame["id"] == 7).await, json!({"result": null, "id": 7}));
    let caller = Caller::given(&sandbox, 0);
    let bought = caller.place("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.75").await;
    let of = |name: &'static str| move |frame: &Value| frame["stream"] == name;
    let trade = socket.find(of("btcusdt@trade")).await["data"].take();
    assert_eq!((&trade["e"], &trade["s"], &trade["m"]), (&json!("trade"), &json!("BTCUSDT"), &json!(false)));
    assert_eq!((&trade["t"], &trade["p"]), (&bought["fills"][0]["tradeId"], &json!("60000.01000000")));
    let aggregate = socket.find(of("btcusdt@aggTrade")).await["data"].take();
    assert_eq!((&aggregate["f"], &aggregate["l"]), (&trade["t"], &trade["t"]));
    let best = socket.find(of("btcusdt@bookTicker")).await["data"].take();
    assert_eq!((&best["a"], &best["A"]), (&json!("60000.02000000"), &json!("0.25000000")));
    assert!(best.get("e").is_none());
    let after = |frame: &Value| frame["data"]["asks"][0][0] == "60000.02000000";
    let levels = socket.find(|frame| of("btcusdt@depth5@100ms")(frame) && after(frame)).await["data"].take();
    assert_eq!(levels["bids"].as_array().unwrap().len(), 5);
    assert_eq!(levels["lastUpdateId"], best["u"]);
    let candle = socket.find(|frame| frame["data"]["k"]["n"] == 2).await["data"].take();
    assert_eq!(
        (&candle["k"]["i"], &candle["k"]["x"], &candle["k"]["c"]),
        (&json!("1m"), &json!(false), &json!("60000.02000000"))
    );
    for (name, kind) in [
        ("btcusdt@ticker", "24hrTicker"),
        ("btcusdt@miniTicker", "24hrMiniTicker"),
        ("btcusdt@avgPrice", "avgPrice"),
        ("btcusdt@ticker_1h", "1hTicker"),
    ] {
        assert_eq!(socket.find(|frame| frame["stream"] == name).await["data"]["e"], kind);
    }
    let array = socket.find(of("!miniTicker@arr")).await["data"].take();
    assert_eq!(array.as_array().unwrap().len(), 6, "all at first");
}

#[tokio::test]
async fn commands_are_replied_to_as_the_venue_does() {
    let sandbox = two_accounts().await;
    quick(&sandbox);
    let mut socket = Socket::market(&sandbox, "/ws/btcusdt@bookTicker").await;
    let silent = ["BTCUSDT@trade", "none@trade", "btcusdt@depth30"];
    socket.send(json!({"method": "SUBSCRIBE", "params": silent, "id": 1})).await;
    assert_eq!(socket.next().await.unwrap(), json!({"result": null, "id": 1}), "nonsense is acknowledged");
    socket.send(json!({"method": "LIST_SUBSCRIPTIONS", "id": 2})).await;
    assert_eq!(socket.next().await.unwrap()["result"].as_array().unwrap().len(), 4);
    socket.send(json!({"method": "GET_PROPERTY", "params": ["combined"], "id": 3})).await;
    assert_eq!(socket.next().await.unwrap(), json!({"result": false, "id": 3}));
    socket.send(json!({"method": "SET_PROPERTY", "params": ["combined", 1], "id": 4})).await;
    assert_eq!(socket.next().await.unwrap()["error"]["code"], 1);
    socket.send(json!({"method": "DANCE", "id": 5})).await;
    let error = socket.next().await.unwrap();
    assert_eq!((&error["error"]["code"], &error["id"]), (&json!(2), &json!(5)));
    socket.send(json!({"method": "SET_PROPERTY", "params": ["combined", true], "id": 6})).await;
    assert_eq!(socket.next().await.unwrap()["id"], 6);
    assert!(sandbox.binance_quote("BTCUSDT", true, dec!(60000), dec!(1)));
    assert_eq!(socket.next().await.unwrap()["stream"], "btcusdt@bookTicker");
    socket.send(json!({"method": "UNSUBSCRIBE", "params": ["btcusdt@bookTicker"], "id": 7})).await;
    assert_eq!(socket.next().await.unwrap()["id"], 7);
    assert_eq!(sandbox.binance_shutdown(), 1);
    let shutdown = socket.next().await.unwrap();
    assert_eq!((&shutdown["stream"], &shutdown["data"]["e"]), (&json!("!serverShutdown"), &json!("serverShutdown")));
    socket.stream.send(Message::text("{nonsense")).await.unwrap();
    assert_eq!(socket.next().await, Err(1008));
}

#[tokio::test]
async fn too_many_messages_and_no_pong_end_a_connection() {
    let sandbox = two_accounts().await;
    let mut socket = Socket::market(&sandbox, "/ws").await;
    // So many that some are too many even if the machine takes its time.
    for id in 0..30 {
        // The connection may be gone before all were written.
        _ = socket.stream.send(Message::text(json!({"method": "LIST_SUBSCRIPTIONS", "id": id}).to_string())).await;
    }
    let end = loop {
        match socket.next().await {
            Ok(_) => {}
            Err(code) => break code,
        }
    };
    assert_eq!(end, 1008);
    sandbox.set_binance_settings(BinanceSettings { ping_millis: 20, pong_millis: 1500, ..Default::default() });
    let mut silent = Socket::market(&sandbox, "/ws").await;
    // A client that does not read does not respond to pings either.
    let is_cut = async {
        while sandbox.websocket_connections() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, is_cut).await.expect("it is cut");
    assert_eq!(silent.next().await, Err(1008));
    let mut reading = Socket::market(&sandbox, "/stream").await;
    let pong = async {
        while let Some(Ok(message)) = reading.stream.next().await {
            if let Message::Ping(payload) = message {
                assert!(std::str::from_utf8(&payload).unwrap().parse::<i64>().is_ok(), "the time in milliseconds");
            }
        }
    };
    assert!(tokio::time::timeout(Duration::from_millis(3000), pong).await.is_err(), "who answers pings stays");
}

#[tokio::test]
async fn times_of_a_connection_are_in_its_unit() {
    let sandbox = two_accounts().await;
    quick(&sandbox);
    let mut socket = Socket::market(&sandbox, "/stream?streams=btcusdt@trade&timeUnit=MICROSECOND").await;
    Caller::given(&sandbox, 0).place("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.1").await;
    let trade = socket.next().await.unwrap()["data"].take();
    for name in ["E", "T"] {
        assert!((trade[name].as_i64().unwrap() / 1000 - now_millis()).abs() < 60_000, "{trade}");
    }
    let url = format!("{}?timeUnit=MICROSECOND&returnRateLimits=false", sandbox.binance_websocket_api_url());
    let mut api = Socket::open(url).await;
    let response = api.call("time", json!({})).await;
    assert!(response["result"]["serverTime"].as_i64().unwrap() > 1_000_000_000_000_000);
    assert!(response.get("rateLimits").is_none(), "{response}");
}

#[tokio::test]
async fn calls_are_made_over_a_connection() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let mut api = Socket::api(&sandbox).await;
    let time = api.call("time", json!({})).await;
    assert_eq!(time["rateLimits"][0]["rateLimitType"], "REQUEST_WEIGHT");
    let book = api.good("depth", json!({"symbol": "BTCUSDT", "limit": 5})).await;
    assert_eq!(book["bids"].as_array().unwrap().len(), 5);
    let both = api.good("ticker.price", json!({"symbols": ["BTCUSDT", "ETHUSDT"]})).await;
    assert_eq!(both.as_array().unwrap().len(), 2);
    let params = signed(&caller, order("BTCUSDT", "BUY", "50000.00", "0.001"));
    let placed = api.call("order.place", params).await;
    assert_eq!(placed["status"], 200, "{placed}");
    assert_eq!(placed["rateLimits"][1]["count"], 1);
    let params = json!({"symbol": "BTCUSDT", "orderId": placed["result"]["orderId"]});
    let shown = api.good("order.status", signed(&caller, params.clone())).await;
    assert_eq!(shown["status"], "NEW");
    let name = json!({"symbol": "币安人生USDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": "0.4", "quantity": "100"});
    api.good("order.test", signed(&caller, name)).await;
    let gone = api.good("order.cancel", signed(&caller, params.clone())).await;
    assert_eq!(gone["status"], "CANCELED");
    let refused = api.call("order.cancel", signed(&caller, params.clone())).await;
    assert_eq!((&refused["status"], &refused["error"]["code"]), (&json!(400), &json!(-2011)));
    let mut wrong = signed(&caller, params);
    wrong["orderId"] = 1.into();
    assert_eq!(api.call("order.status", wrong).await["error"]["code"], -1022);
    assert_eq!(api.call("order.status", json!({"symbol": "BTCUSDT"})).await["error"]["code"], -1102);
    assert_eq!(api.call("v3/ping", json!({})).await["result"], json!({}));
    assert_eq!(api.call("order.dance", json!({})).await["status"], 400);
    api.send(json!("nonsense")).await;
    assert_eq!(api.next().await.unwrap()["error"]["code"], -1135);
    sandbox.set_binance_settings(BinanceSettings { enforces_limits: true, weight_per_minute: 1, ..Default::default() });
    let refused = api.call("exchangeInfo", json!({})).await;
    assert_eq!((&refused["status"], &refused["error"]["code"]), (&json!(429), &json!(-1003)));
    assert!(refused["error"]["data"]["retryAfter"].as_i64().unwrap() > now_millis() - 1000, "{refused}");
}

#[tokio::test]
async fn a_session_is_logged_on_with_a_key_pair_only() {
    let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
    let callers: Vec<Caller<'_>> = (0..3).map(|index| Caller::given(&sandbox, index)).collect();
    let pair = callers.iter().find(|caller| matches!(caller.secret, Secret::Ed25519(_))).unwrap();
    let mut api = Socket::api(&sandbox).await;
    let refused = api.call("session.logon", signed(&callers[0], json!({}))).await;
    assert_eq!((&refused["status"], &refused["error"]["code"]), (&json!(400), &json!(-2028)));
    assert_eq!(api.good("session.status", json!({})).await["apiKey"], Value::Null);
    let status = api.good("session.logon", signed(pair, json!({}))).await;
    assert_eq!(status["apiKey"], *pair.key);
    // From now on a time is enough.
    let account = api.good("account.status", json!({"timestamp": now_millis()})).await;
    assert!(account["balances"].is_array());
    assert_eq!(api.call("account.status", json!({})).await["error"]["code"], -1102);
    let many = api.call("userDataStream.subscribe", json!({"timestamp": now_millis()})).await;
    assert_eq!(many["error"]["code"], -1104, "it has no parameters");
    api.send(json!({"id": "s", "method": "userDataStream.subscribe"})).await;
    assert_eq!(api.find(|frame| frame["id"] == "s").await["result"], json!({"subscriptionId": 0}));
    api.send(json!({"id": "t", "method": "userDataStream.subscribe"})).await;
    assert_eq!(api.find(|frame| frame["id"] == "t").await["error"]["code"], -2035);
    assert_eq!(api.good("session.subscriptions", json!({})).await, json!([{"subscriptionId": 0}]));
    let status = api.good("session.logout", json!({})).await;
    assert_eq!((&status["apiKey"], &status["userDataStream"]), (&Value::Null, &json!(false)));
    assert_eq!(api.event("eventStreamTerminated").await["subscriptionId"], 0);
    assert_eq!(api.call("account.status", json!({"timestamp": now_millis()})).await["error"]["code"], -1102);
}

#[tokio::test]
async fn a_key_that_is_deleted_ends_the_log_on() {
    let sandbox = two_accounts().await;
    let master = Caller::given(&sandbox, 0);
    let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIIJEYWtGBrhACmb9Dvy+qa8WEf0lQOl1s4CLIAB9m89u\n-----END PRIVATE KEY-----\n";
    let key = BinanceKey { private_key_pem: Some(pem.to_owned()), ..BinanceKey::default() };
    let derived = Accounts { binance: vec![key], ..Accounts::default() }.complete().unwrap();
    let public = binance::encode(derived.binance[0].public_key_pem.as_deref().unwrap());
    let email = "email=first.sub_virtual%40sandboxnoemail.com";
    let keys = "/sapi/v1/sub-account/subAccountApi";
    let created = master.call("POST", keys, &format!("{email}&apiName=x&status=1&publicKey={public}")).await;
    let own = Caller {
        sandbox: &sandbox,
        key: created["apiKey"].as_str().unwrap().to_owned(),
        secret: Secret::Ed25519(pem.to_owned()),
    };
    let mut api = Socket::api(&sandbox).await;
    api.good("session.logon", signed(&own, json!({}))).await;
    master.call("DELETE", keys, &format!("{email}&subAccountApiKey={}", own.key)).await;
    api.send(json!({"id": 1, "method": "account.status", "params": {"timestamp": now_millis()}})).await;
    let unasked = api.next().await.unwrap();
    assert_eq!(
        (&unasked["id"], &unasked["status"], &unasked["error"]["code"]),
        (&Value::Null, &json!(401), &json!(-2015))
    );
}

#[tokio::test]
async fn an_account_hears_of_its_orders_and_coins() {
    let sandbox = two_accounts().await;
    let (caller, other) = (Caller::given(&sandbox, 0), Caller::given(&sandbox, 1));
    let mut api = Socket::api(&sandbox).await;
    let subscribed = api.good("userDataStream.subscribe.signature", signed(&caller, json!({}))).await;
    assert_eq!(subscribed, json!({"subscriptionId": 0}));
    let mut stranger = Socket::api(&sandbox).await;
    stranger.good("userDataStream.subscribe.signature", signed(&other, json!({}))).await;

    caller.place(&format!("{}&newClientOrderId=mine", limit("BTCUSDT", "BUY", "50000", "0.010"))).await;
    let new = api.event("executionReport").await;
    assert_eq!(new["subscriptionId"], 0);
    let new = &new["event"];
    assert_eq!(
        (&new["x"], &new["X"], &new["c"], &new["C"]),
        (&json!("NEW"), &json!("NEW"), &json!("mine"), &json!(""))
    );
    assert_eq!((&new["w"], &new["t"], &new["N"]), (&json!(true), &json!(-1), &Value::Null));
    let position = api.event("outboundAccountPosition").await["event"].take();
    let usdt = position["B"].as_array().unwrap().iter().find(|coin| coin["a"] == "USDT").unwrap();
    assert_eq!((&usdt["f"], &usdt["l"]), (&json!("999500.00000000"), &json!("500.00000000")));
    caller.call("DELETE", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=mine&newClientOrderId=end").await;
    let gone = api.event("executionReport").await["event"].take();
    // The id of the order stands beside that of the cancellation.
    assert_eq!((&gone["x"], &gone["c"], &gone["C"]), (&json!("CANCELED"), &json!("end"), &json!("mine")));

    caller.place("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.75").await;
    let first = api.event("executionReport").await["event"].take();
    assert_eq!((&first["x"], &first["w"]), (&json!("NEW"), &json!(true)));
    let second = api.event("executionReport").await["event"].take();
    assert_eq!(
        (&second["x"], &second["X"], &second["l"]),
        (&json!("TRADE"), &json!("PARTIALLY_FILLED"), &json!("0.50000000"))
    );
    let third = api.event("executionReport").await["event"].take();
    assert_eq!((&third["X"], &third["z"], &third["N"]), (&json!("FILLED"), &json!("0.75000000"), &json!("BTC")));
    let transfer =
        "toEmail=first.sub_virtual%40sandboxnoemail.com&fromAccountType=SPOT&toAccountType=SPOT&asset=USDT&amount=5";
    caller.call("POST", "/sapi/v1/sub-account/universalTransfer", transfer).await;
    let update = api.event("balanceUpdate").await["event"].take();
    assert_eq!((&update["a"], &update["d"]), (&json!("USDT"), &json!("-5.00000000")));
    assert_eq!(stranger.good("session.subscriptions", json!({})).await, json!([{"subscriptionId": 0}]));
    assert!(stranger.kept.is_empty(), "another account hears nothing: {:?}", stranger.kept);
    api.good("userDataStream.unsubscribe", json!({"subscriptionId": 0})).await;
    assert_eq!(api.event("eventStreamTerminated").await["subscriptionId"], 0);
    let again = api.good("userDataStream.subscribe.signature", signed(&caller, json!({}))).await;
    assert_eq!(again, json!({"subscriptionId": 1}), "numbers are not used again");
}

#[tokio::test]
async fn an_account_hears_of_its_order_lists() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let mut api = Socket::api(&sandbox).await;
    api.good("userDataStream.subscribe.signature", signed(&caller, json!({}))).await;
    let list = json!({
        "symbol": "BTCUSDT", "listClientOrderId": "mine", "workingType": "LIMIT", "workingSide": "BUY",
        "workingPrice": "60000.01", "workingQuantity": "0.01", "workingTimeInForce": "GTC",
        "pendingType": "MARKET", "pendingSide": "SELL", "pendingQuantity": "0.009",
    });
    let placed = api.good("orderList.place.oto", signed(&caller, list)).await;
    assert_eq!(placed["listOrderStatus"], "EXECUTING");
    let mut reports = Vec::new();
    for _ in 0..5 {
        let report = api.event("executionReport").await["event"].take();
        assert_eq!(report["g"], placed["orderListId"]);
        reports.push(format!("{} {}", report["x"].as_str().unwrap(), report["X"].as_str().unwrap()));
    }
    assert_eq!(reports, ["NEW PENDING_NEW", "NEW NEW", "TRADE FILLED", "NEW NEW", "TRADE FILLED"]);
    for status in ["EXEC_STARTED", "ALL_DONE"] {
        let event = api.event("listStatus").await["event"].take();
        assert_eq!((&event["l"], &event["C"], &event["g"]), (&json!(status), &json!("mine"), &placed["orderListId"]));
        assert_eq!(event["O"][1]["i"], placed["orders"][1]["orderId"]);
    }
    assert_eq!(api.good("openOrderLists.status", signed(&caller, json!({}))).await, json!([]));
}

#[tokio::test]
async fn faults_happen_to_frames_and_calls() {
    let sandbox = two_accounts().await;
    quick(&sandbox);
    let mut socket = Socket::market(&sandbox, "/stream?streams=btcusdt@depth@100ms").await;
    sandbox.faults().set(vec![Rule::new(Fault::Drop).at("binance").on("depth").times(1)]);
    assert!(sandbox.binance_quote("BTCUSDT", true, dec!(60000), dec!(1)));
    while sandbox.faults().strikes() == [0] {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(sandbox.binance_quote("BTCUSDT", true, dec!(60000), dec!(2)));
    let frame = socket.next().await.unwrap();
    let before = sandbox.frames().all().into_iter().find(|frame| !frame.sent).unwrap();
    assert_eq!(before.mark.unwrap() + 1, frame["data"]["U"].as_i64().unwrap(), "a number is missing");
    let mut api = Socket::api(&sandbox).await;
    sandbox.faults().set(vec![Rule::new(Fault::DropBefore).on("order.place")]);
    api.send(json!({"id": 1, "method": "order.place", "params": {}})).await;
    assert_eq!(api.next().await, Err(0));
}
