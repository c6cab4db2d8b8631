//! Bayse's streams: what clients say and how they are answered, and what each channel tells.

mod common;
#[path = "common/lines.rs"]
mod lines;

use std::time::Duration;

use common::send;
use futures_util::SinkExt as _;
use lines::{End, Stream, by_key, cancel, events, mint, place, quiet_sandbox, sandbox, text, trader, user_id};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use venuekit_sandbox::{BayseStreamSettings, Sandbox};

fn ping() -> Value {
    json!({"type": "ping"})
}

fn subscribe(channel: &str, members: Value) -> Value {
    let mut message = json!({"type": "subscribe", "channel": channel});
    message.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    message
}

fn unhurried(sandbox: &Sandbox) {
    let settings = BayseStreamSettings { messages_per_second: 1000, ..sandbox.bayse_stream_settings() };
    sandbox.set_bayse_stream_settings(settings);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_in_words() {
    let sandbox = quiet_sandbox().await;
    unhurried(&sandbox);
    let (clob, amm) = (events(&sandbox, "CLOB").await, events(&sandbox, "AMM").await);
    let (market, amm_market) = (text(&clob[0], "/markets/0/id"), text(&amm[0], "/markets/0/id"));
    let mut markets = Stream::connect(&sandbox, "markets").await;
    let answer = markets.ask(ping()).await;
    assert!(answer["type"] == "pong" && answer["timestamp"].is_i64(), "{answer}");
    for wrong in ["", "hello", "[]", "7", r#"{"type":7}"#, r#"{"type":"subscribe","marketIds":"one"}"#] {
        markets.say_text(wrong).await;
        assert_eq!(markets.next().await["data"]["message"], "Invalid message format", "{wrong}");
    }
    markets.refused(json!({}), "unknown message type: ").await;
    markets.refused(json!({"type": "shout"}), "unknown message type: shout").await;
    markets.refused(json!({"type": "subscribe"}), "Channel is required").await;
    markets.refused(subscribe("weather", json!({})), "unknown channel: weather").await;
    let elsewhere = "channel \"asset_prices\" is not available on /ws/v1/markets; use /ws/v1/realtime instead";
    markets.refused(subscribe("asset_prices", json!({"symbols": ["BTCUSDT"]})), elsewhere).await;
    let elsewhere = "channel \"orders\" is not available on /ws/v1/markets; use /ws/v1/user instead";
    markets.refused(subscribe("orders", json!({"marketIds": [market]})), elsewhere).await;
    for channel in ["prices", "activity"] {
        markets.refused(subscribe(channel, json!({})), "Event ID is required").await;
        markets.refused(subscribe(channel, json!({"eventId": "none"})), "Event not found: none").await;
    }
    let of_another = json!({"eventId": clob[0]["id"], "marketId": amm_market});
    markets.refused(subscribe("activity", of_another), &format!("Market not found: {amm_market}")).await;
    markets.refused(subscribe("user_trades", json!({})), "User ID is required").await;
    markets.refused(subscribe("orderbook", json!({})), "Market IDs are required").await;
    markets
        .refused(subscribe("orderbook", json!({"marketIds": vec![market; 11]})), "at most 10 market IDs are allowed")
        .await;
    let wrong = json!({"marketIds": [market], "currency": "EUR"});
    markets.refused(subscribe("orderbook", wrong), "Unsupported currency: EUR").await;
    let no_book = format!("Market has no order book: {amm_market}");
    markets.refused(subscribe("orderbook", json!({"marketIds": [amm_market]})), &no_book).await;
    markets.refused(json!({"type": "unsubscribe"}), "Room is required").await;
    let room = format!("orderbook:{market}");
    markets.refused(json!({"type": "unsubscribe", "room": room}), &format!("Not subscribed to: {room}")).await;

    let mut realtime = Stream::connect(&sandbox, "realtime").await;
    realtime.refused(subscribe("asset_prices", json!({})), "Symbols are required").await;
    realtime.refused(subscribe("asset_prices", json!({"symbols": ["DOGE"]})), "Unsupported symbol: DOGE").await;
    assert_eq!(sandbox.websocket_connections(), 2);
    assert!(Stream::try_connect(&sandbox, "nothing").await.is_err());
    send(&sandbox, "GET", "/ws/v1/markets", &[], "").await.expect(426);
}

#[tokio::test]
async fn one_of_several_markets_may_be_wrong() {
    let sandbox = quiet_sandbox().await;
    let clob = events(&sandbox, "CLOB").await;
    let mut stream = Stream::connect(&sandbox, "markets").await;
    let ids = json!({"marketIds": [clob[0]["markets"][0]["id"], "none", clob[1]["markets"][0]["id"]]});
    stream.say(subscribe("orderbook", ids)).await;
    let answers = [stream.next().await, stream.next().await, stream.next().await];
    assert_eq!(answers.each_ref().map(|answer| text(answer, "/type")), ["subscribed", "error", "subscribed"]);
    assert_eq!(answers[1]["data"]["message"], "Market not found: none");
}

#[tokio::test]
async fn every_message_to_the_users_endpoint_carries_a_credential() {
    let sandbox = quiet_sandbox().await;
    unhurried(&sandbox);
    let event = events(&sandbox, "CLOB").await.remove(0);
    let market = text(&event, "/markets/0/id");
    let user = user_id(&sandbox, 0).await;
    let account = sandbox.accounts().bayse[0].clone();
    let other = sandbox.accounts().bayse[1].clone();
    let mut stream = Stream::connect(&sandbox, "user").await;
    let with = |auth: Value| json!({"type": "ping", "auth": auth});
    stream.refused(ping(), "auth required: send auth with every message").await;
    stream.refused(with(json!({})), "auth required: apiKey or accessToken is missing").await;
    let wrong = "auth required: invalid credentials";
    stream.refused(with(json!({"apiKey": "pk_live_none"})), wrong).await;
    stream.refused(with(json!({"apiKey": account.secret_key})), wrong).await;
    stream.refused(with(json!({"accessToken": "none", "apiKey": account.public_key})), wrong).await;
    let of_another = json!({"accessToken": account.auth_token, "deviceId": other.device_id});
    stream.refused(with(of_another), wrong).await;
    for good in [
        json!({"apiKey": account.public_key}),
        json!({"accessToken": account.auth_token}),
        json!({"accessToken": account.auth_token, "deviceId": account.device_id}),
    ] {
        assert!(stream.is_quiet(with(good)).await);
    }
    // Of two credentials the token counts.
    let both = json!({"accessToken": account.auth_token, "apiKey": other.public_key});
    let rooms = stream.subscribe(subscribe("orders", json!({"marketIds": [market], "auth": both})), 1).await;
    assert_eq!(rooms, [format!("orders:{user}:{market}")]);
    stream
        .refused(json!({"type": "unsubscribe", "room": rooms[0]}), "auth required: send auth with every message")
        .await;
    let leave = json!({"type": "unsubscribe", "room": rooms[0], "auth": by_key(&sandbox, 0)});
    assert_eq!(stream.ask(leave).await["type"], "unsubscribed");
    // A key that is revoked is good no more.
    let keys = common::session(&sandbox, "GET", "/v1/user/me/api-keys", "").await.expect(200);
    let path = format!("/v1/user/me/api-keys/{}", text(&keys, "/keys/0/id"));
    common::session(&sandbox, "DELETE", &path, "").await.expect(200);
    stream.refused(with(by_key(&sandbox, 0)), wrong).await;
}

#[tokio::test]
async fn a_client_that_talks_too_much_or_not_at_all() {
    let sandbox = quiet_sandbox().await;
    let mut stream = Stream::connect(&sandbox, "markets").await;
    // So many that some are too many even if the machine takes its time.
    const COUNT: usize = 100;
    for _ in 0..COUNT {
        stream.say(ping()).await;
    }
    let mut kinds = Vec::new();
    for _ in 0..COUNT {
        let message = stream.next().await;
        if message["type"] == "error" {
            assert_eq!(message["data"]["message"], "rate limit exceeded: too many messages");
        }
        kinds.push(text(&message, "/type").to_owned());
    }
    assert_eq!(kinds[..10], ["pong"; 10]);
    assert!(kinds.contains(&"error".to_owned()));
    assert_eq!(sandbox.websocket_connections(), 1, "the connection stays");

    sandbox.set_bayse_stream_settings(BayseStreamSettings {
        idle_millis: 2500,
        asset_tick_millis: 50,
        ..sandbox.bayse_stream_settings()
    });
    let mut silent = Stream::connect(&sandbox, "realtime").await;
    let mut pinging = Stream::connect(&sandbox, "realtime").await;
    silent.subscribe(subscribe("asset_prices", json!({"symbols": ["BTCUSDT"]})), 1).await;
    let pings = async {
        loop {
            pinging.socket.send(Message::Ping("".into())).await.unwrap();
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    };
    let end = async {
        loop {
            if let Err(end) = silent.try_next().await {
                return end;
            }
        }
    };
    tokio::select! {
        () = pings => unreachable!(),
        end = end => assert_eq!(end, End::Lost, "though it was told prices all the time"),
    }
    // A ping frame is a sign of life.
    pinging.socket.send(Message::Ping("".into())).await.unwrap();
    assert!(pinging.is_quiet(ping()).await);
}

#[tokio::test]
async fn books_are_told_whole_for_each_outcome() {
    let sandbox = sandbox().await;
    let (maker, taker) = (trader(&sandbox, 0), trader(&sandbox, 1));
    let event = events(&sandbox, "CLOB").await.remove(0);
    let market = text(&event, "/markets/0/id");
    let outcome = text(&event, "/markets/0/outcome1Id").to_owned();
    let other_outcome = text(&event, "/markets/0/outcome2Id").to_owned();
    let mut stream = Stream::connect(&sandbox, "markets").await;
    let ids = json!({"marketIds": [market]});
    assert_eq!(stream.subscribe(subscribe("orderbook", ids.clone()), 1).await, [format!("orderbook:{market}")]);
    // Both outcomes, at once and in one frame with the response.
    let first = [stream.next().await, stream.next().await];
    assert_eq!(first.each_ref().map(|one| text(one, "/data/orderbook/outcomeId")), [&*outcome, &*other_outcome]);
    assert_eq!(stream.frames.last(), Some(&3));
    // Again is acknowledged, and tells nothing.
    stream.subscribe(subscribe("orderbook", ids), 1).await;
    assert!(stream.is_quiet(ping()).await);

    let mut placed = Vec::new();
    for price in [0.5, 0.45] {
        placed.push(place(&maker, &event, json!({"price": price})).await);
    }
    let mut last = stream.next_of("orderbook_update").await;
    assert_eq!(last["data"]["orderbook"]["bids"][0], json!({"price": 0.5, "quantity": 100, "total": 50}));
    assert_eq!(last["data"]["orderbook"]["lastTradedPrice"], Value::Null);
    last = stream.next_of("orderbook_update").await;
    assert_eq!(last["data"]["orderbook"]["bids"].as_array().unwrap().len(), 3, "two orders and the sandbox itself");
    mint(&taker, &event, 100).await;
    place(&taker, &event, json!({"side": "SELL", "price": 0.5, "amount": 20})).await;
    last = stream.next_of("orderbook_update").await;
    let book = &last["data"]["orderbook"];
    assert_eq!((&book["lastTradedPrice"], &book["lastTradedSide"]), (&json!(0.5), &json!("SELL")));
    assert_eq!((&book["marketId"], &book["bids"][0]["quantity"]), (&json!(market), &json!(60)));
    for order in &placed {
        cancel(&maker, order).await;
        last = stream.next_of("orderbook_update").await;
    }
    // The stream and the REST call show the same, and so does the sandbox for that time.
    let shown = send(&sandbox, "GET", &format!("/v1/pm/books?outcomeId[]={outcome}"), &[], "").await.expect(200);
    let book = &last["data"]["orderbook"];
    assert_eq!((&book["bids"], &book["asks"]), (&shown[0]["bids"], &shown[0]["asks"]));
    let own = sandbox.bayse_book(&outcome, "USD", text(book, "/timestamp")).unwrap();
    let level = |level: &Value| (decimal(&level["price"]), decimal(&level["quantity"]));
    assert_eq!(own.bids, book["bids"].as_array().unwrap().iter().map(level).collect::<Vec<_>>());
    assert_eq!(own.asks, book["asks"].as_array().unwrap().iter().map(level).collect::<Vec<_>>());
    assert!(sandbox.bayse_book(&outcome, "NGN", text(book, "/timestamp")).is_none());

    let leave = json!({"type": "unsubscribe", "room": format!("orderbook:{market}")});
    assert_eq!(stream.ask(leave).await["message"], json!(format!("Unsubscribed from: orderbook:{market}")));
    place(&maker, &event, json!({})).await;
    assert!(stream.is_quiet(ping()).await);
}

fn decimal(value: &Value) -> Decimal {
    value.to_string().parse().unwrap()
}

#[tokio::test]
async fn each_currency_has_books_of_its_own() {
    let sandbox = quiet_sandbox().await;
    let maker = trader(&sandbox, 0);
    let event = events(&sandbox, "CLOB").await.remove(0);
    let market = text(&event, "/markets/0/id");
    let mut stream = Stream::connect(&sandbox, "markets").await;
    let naira = json!({"marketIds": [market], "currency": "NGN"});
    let rooms = stream.subscribe(subscribe("orderbook", naira), 1).await;
    assert_eq!(rooms, [format!("orderbook:{market}:NGN")]);
    place(&maker, &event, json!({})).await;
    place(&maker, &event, json!({"currency": "NGN", "amount": 5000})).await;
    let book = stream.next().await["data"]["orderbook"].take();
    assert_eq!(book["bids"][0], json!({"price": 0.5, "quantity": 100, "total": 5000}), "dollars are not heard");
    // An order that ends of its own accord leaves the book without anybody's call.
    let soon = time_in(3000);
    let gone = json!({"currency": "NGN", "amount": 6000, "price": 0.6, "timeInForce": "GTD", "expiresAt": soon});
    place(&maker, &event, gone).await;
    assert_eq!(stream.next().await["data"]["orderbook"]["bids"][0]["price"], 0.6);
    assert_eq!(stream.next().await["data"]["orderbook"]["bids"][0]["price"], 0.5);
}

fn time_in(millis: i64) -> String {
    let moment =
        std::time::SystemTime::UNIX_EPOCH + Duration::from_millis((common::now_millis() + millis).unsigned_abs());
    time::OffsetDateTime::from(moment).format(&time::format_description::well_known::Rfc3339).unwrap()
}

#[tokio::test]
async fn fills_are_told_to_all_and_to_their_owners() {
    let sandbox = quiet_sandbox().await;
    unhurried(&sandbox);
    let (maker, taker) = (trader(&sandbox, 0), trader(&sandbox, 1));
    let all = events(&sandbox, "CLOB").await;
    let event = all.iter().find(|event| event["type"] == "combined").unwrap();
    let (event_id, market) = (text(event, "/id"), text(event, "/markets/0/id"));
    let (buyer, seller) = (user_id(&sandbox, 0).await, user_id(&sandbox, 1).await);
    let mut activity = Stream::connect(&sandbox, "markets").await;
    let rooms = activity.subscribe(subscribe("activity", json!({"eventId": event_id})), 1).await;
    assert_eq!(rooms, [format!("activity:{event_id}")]);
    let mut of_market = Stream::connect(&sandbox, "markets").await;
    let rooms = of_market.subscribe(subscribe("activity", json!({"eventId": event_id, "marketId": market})), 1).await;
    assert_eq!(rooms, [format!("activity:{event_id}:{market}")]);
    let mut of_other = Stream::connect(&sandbox, "markets").await;
    of_other
        .subscribe(subscribe("activity", json!({"eventId": event_id, "marketId": event["markets"][1]["id"]})), 1)
        .await;
    let mut of_user = Stream::connect(&sandbox, "markets").await;
    let rooms = of_user.subscribe(subscribe("user_trades", json!({"userId": seller})), 1).await;
    assert_eq!(rooms, [format!("user_trades:{seller}")]);
    let mut orders = Stream::connect(&sandbox, "user").await;
    let own = json!({"marketIds": [market, event["markets"][1]["id"]], "auth": by_key(&sandbox, 0)});
    orders.subscribe(subscribe("orders", own), 2).await;

    let placed = place(&maker, event, json!({})).await;
    mint(&taker, event, 100).await;
    place(&taker, event, json!({"side": "SELL", "amount": 20})).await;
    let (bought, sold) = (activity.next().await, activity.next().await);
    assert_eq!((&bought["type"], &sold["type"]), (&json!("buy_order"), &json!("sell_order")));
    let order = &bought["data"]["order"];
    assert_eq!((&order["quantity"], &order["amount"], &order["price"]), (&json!(40), &json!(20), &json!(0.5)));
    assert_eq!(
        (&order["status"], &order["type"], &order["engine"]),
        (&json!("PARTIAL_FILLED"), &json!("BUY"), &json!("CLOB"))
    );
    assert_eq!((&bought["data"]["user"]["id"], &sold["data"]["user"]["id"]), (&json!(buyer), &json!(seller)));
    assert_eq!((&bought["data"]["event"]["id"], &bought["data"]["market"]["id"]), (&json!(event_id), &json!(market)));
    assert!(bought["timestamp"].is_i64() && order["createdAt"].is_string());
    assert_eq!([of_market.next().await, of_market.next().await], [bought, sold.clone()]);
    assert_eq!(of_user.next().await, sold);
    assert!(of_other.is_quiet(ping()).await && of_user.is_quiet(ping()).await);

    let update = orders.next().await;
    assert_eq!(update["type"], "order_updated");
    assert!(update["timestamp"].as_i64().unwrap() > 1_000_000_000_000, "the envelope counts milliseconds");
    let data = &update["data"];
    assert_eq!((&data["orderId"], &data["marketId"]), (&placed["clobOrder"]["id"], &json!(market)));
    assert!(data["timestamp"].as_i64().unwrap() < 100_000_000_000, "all else counts seconds");
    let order = &data["order"];
    assert!(order["createdAt"].as_i64().unwrap() < 100_000_000_000);
    assert_eq!((&order["filledQuantity"], &order["remainingQuantity"]), (&json!(40), &json!(60)));
    assert_eq!(
        (&order["status"], &order["timeInForce"], &order["userId"]),
        (&json!("PARTIAL_FILLED"), &json!("GTC"), &json!(buyer))
    );
    // Nobody hears that an order was placed or cancelled, or that other people's were filled.
    cancel(&maker, &placed).await;
    place(&taker, event, json!({"price": 0.97})).await;
    assert!(orders.is_quiet(json!({"type": "ping", "auth": by_key(&sandbox, 0)})).await);
    assert_eq!(activity.next().await["data"]["order"]["price"], 0.97, "the sandbox itself has sold, and is nobody");
    assert!(activity.is_quiet(ping()).await);
}

#[tokio::test]
async fn prices_follow_the_trades() {
    let sandbox = sandbox().await;
    let taker = trader(&sandbox, 0);
    for engine in ["CLOB", "AMM"] {
        let event = events(&sandbox, engine).await.remove(0);
        let event_id = text(&event, "/id");
        let mut stream = Stream::connect(&sandbox, "markets").await;
        let rooms = stream.subscribe(subscribe("prices", json!({"eventId": event_id})), 1).await;
        assert_eq!(rooms, [format!("prices:{event_id}")]);
        let first = stream.next().await;
        assert_eq!((&first["type"], &first["data"]["id"]), (&json!("price_update"), &json!(event_id)));
        let shown = &first["data"]["markets"][0];
        assert_eq!((&shown["engine"], &shown["outcomes"]), (&json!(engine), &json!(["Yes", "No"])));
        assert_eq!(
            shown["prices"],
            json!({"YES": event["markets"][0]["outcome1Price"], "NO": event["markets"][0]["outcome2Price"]})
        );
        if engine == "CLOB" {
            place(&taker, &event, json!({"price": 0.97})).await;
            let update = stream.next().await;
            assert_eq!(update["data"]["markets"][0]["prices"]["YES"], 0.97);
            assert_eq!(update["data"]["markets"].as_array().unwrap().len(), event["markets"].as_array().unwrap().len());
        }
        let order = json!({"type": "MARKET", "amount": 10});
        place(&taker, &event, order).await;
        assert!(stream.is_quiet(ping()).await, "at the same price as before");
    }
}

#[tokio::test]
async fn assets_have_a_price_each_second_and_on_demand() {
    let sandbox = quiet_sandbox().await;
    let hourly = BayseStreamSettings { asset_tick_millis: 3_600_000, ..sandbox.bayse_stream_settings() };
    sandbox.set_bayse_stream_settings(hourly);
    let mut stream = Stream::connect(&sandbox, "realtime").await;
    let symbols = ["BTCUSDT", "ETHUSDT", "SOLUSDT", "XAUUSD", "EURUSD", "GBPUSD", "USDNGN"];
    let rooms = stream.subscribe(subscribe("asset_prices", json!({"symbols": symbols})), 7).await;
    assert_eq!(rooms, symbols.map(|symbol| format!("asset_prices:{symbol}")));
    assert_eq!(sandbox.set_bayse_asset_price("EURUSD", Decimal::new(11234, 4)), Some(1));
    assert_eq!(sandbox.set_bayse_asset_price("DOGE", Decimal::ONE), None);
    let told = stream.next().await;
    assert_eq!(
        (&told["type"], &told["data"]["symbol"], &told["data"]["price"]),
        (&json!("asset_price"), &json!("EURUSD"), &json!(1.1234))
    );
    assert_eq!(told["data"]["timestamp"], told["timestamp"]);

    sandbox.set_bayse_stream_settings(BayseStreamSettings { asset_tick_millis: 20, ..sandbox.bayse_stream_settings() });
    let mut slow = Stream::connect(&sandbox, "realtime").await;
    slow.subscribe(subscribe("asset_prices", json!({"symbols": ["BTCUSDT", "DOGE"]})), 1).await;
    assert_eq!(slow.next_of("error").await["data"]["message"], "Unsupported symbol: DOGE");
    let (first, second) = (slow.next_of("asset_price").await, slow.next_of("asset_price").await);
    assert!(decimal(&first["data"]["price"]) > Decimal::from(90_000), "{first}");
    assert_eq!(first["data"]["symbol"], second["data"]["symbol"]);
}

#[tokio::test]
async fn messages_are_joined_unless_that_is_off() {
    let sandbox = sandbox().await;
    let event = events(&sandbox, "CLOB").await.remove(0);
    let ids = json!({"marketIds": [event["markets"][0]["id"]]});
    let mut stream = Stream::connect(&sandbox, "markets").await;
    stream.subscribe(subscribe("orderbook", ids.clone()), 1).await;
    assert_eq!(stream.frames, [1, 3], "the greeting, and the response with two books");
    sandbox.set_bayse_stream_settings(BayseStreamSettings { joins_messages: false, ..sandbox.bayse_stream_settings() });
    let mut stream = Stream::connect(&sandbox, "markets").await;
    stream.subscribe(subscribe("orderbook", ids), 1).await;
    stream.next().await;
    stream.next().await;
    assert_eq!(stream.frames, [1; 4]);
}

#[tokio::test]
async fn a_test_can_tell_anything() {
    let sandbox = quiet_sandbox().await;
    let event = events(&sandbox, "CLOB").await.remove(0);
    let room = format!("prices:{}", text(&event, "/id"));
    assert_eq!(sandbox.bayse_notify(&room, "price_update", &json!({})), 0);
    let mut stream = Stream::connect(&sandbox, "markets").await;
    stream.subscribe(subscribe("prices", json!({"eventId": event["id"]})), 1).await;
    assert_eq!(sandbox.bayse_notify(&room, "price_weather", &json!({"sky": "clear"})), 1);
    let told = stream.next().await;
    assert_eq!((&told["type"], &told["data"]), (&json!("price_weather"), &json!({"sky": "clear"})));
    assert_eq!(sandbox.cut_connections(), 1);
    assert_eq!(stream.try_next().await, Err(End::Lost));
    assert_eq!((sandbox.websocket_connections(), sandbox.bayse_notify(&room, "price_update", &json!({}))), (0, 0));
}
