//! Clients of Bybit number their commands, and follow the wallet by its stream.

use serde_json::json;

use crate::bybit::{Caller, Socket, limit, number, two_accounts};

#[tokio::test]
async fn a_number_of_a_command_is_echoed_as_text() {
    let sandbox = two_accounts().await;
    let mut socket = Socket::open(&sandbox, "public/linear").await;
    for op in ["subscribe", "unsubscribe"] {
        socket.say(json!({"op": op, "args": ["publicTrade.BTCUSDT"], "req_id": 3})).await;
        let reply = socket.reply().await;
        assert_eq!((&reply["success"], &reply["req_id"]), (&json!(true), &json!("3")), "{reply}");
    }
    socket.say(json!({"op": "subscribe", "args": ["nothing.BTCUSDT"], "req_id": 4})).await;
    assert_eq!(socket.reply().await["req_id"], "4");
    socket.say(json!({"op": "ping", "req_id": 5})).await;
    assert_eq!(socket.reply().await["req_id"], "5");
}

#[tokio::test]
async fn the_stream_of_orders_leaves_out_what_spot_does_not_have() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let mut socket = Socket::logged_in(&caller, "private").await;
    socket.subscribe(&["order"]).await;
    caller.place(limit("spot", "BTCUSDT", "Buy", "80000", "0.001")).await;
    caller.place(limit("linear", "BTCUSDT", "Buy", "80000", "0.01")).await;
    let frames = socket.all("order").await;
    let order = |category: &str| {
        let mut rows = frames.iter().flat_map(|frame| frame["data"].as_array().unwrap());
        rows.find(|row| row["category"] == category).unwrap_or_else(|| panic!("{frames:?}"))
    };
    assert_eq!(order("spot").get("tpslMode"), None);
    assert_eq!(order("linear")["tpslMode"], "");
}

#[tokio::test]
async fn money_that_an_order_locks_is_in_the_stream_of_the_wallet() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let mut socket = Socket::logged_in(&caller, "private").await;
    socket.subscribe(&["wallet"]).await;
    let id = caller.place(limit("spot", "BTCUSDT", "Buy", "80000", "0.001")).await;
    let locked = |frames: &[serde_json::Value]| {
        let last = frames.last().unwrap_or_else(|| panic!("no frame of the wallet"));
        let coins = last["data"][0]["coin"].as_array().unwrap();
        number(&coins.iter().find(|coin| coin["coin"] == "USDT").unwrap()["locked"])
    };
    assert_eq!(locked(&socket.all("wallet").await), 80.into());
    caller.write("/v5/order/cancel", json!({"category": "spot", "symbol": "BTCUSDT", "orderId": id})).await;
    assert_eq!(locked(&socket.all("wallet").await), 0.into());
}
