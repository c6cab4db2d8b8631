//! Clients of Binance open streams by numbers and words, and list the coins before they do anything else.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::binance::{Caller, Place, limit, number, public, two_accounts};

/// No frame takes as long, so that a lack of one fails a test instead of holding it up.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_name_that_is_no_stream_opens_a_connection_that_stays_silent() {
    let sandbox = two_accounts().await;
    for name in ["0", "stream", "btcusdt", "0/1"] {
        let url = format!("{}/ws/{name}", sandbox.binance_stream_url());
        let (mut socket, _) = connect_async(url).await.unwrap_or_else(|error| panic!("/ws/{name}: {error}"));
        let mut ask = async |message: Value| {
            socket.send(Message::text(message.to_string())).await.unwrap();
            loop {
                match tokio::time::timeout(PATIENCE, socket.next()).await.expect("no frame came") {
                    Some(Ok(Message::Text(text))) => return serde_json::from_str::<Value>(&text).unwrap(),
                    Some(Ok(_)) => {}
                    other => panic!("/ws/{name}: {other:?}"),
                }
            }
        };
        let listed = ask(json!({"method": "LIST_SUBSCRIPTIONS", "id": 1})).await;
        let names: Vec<&str> = name.split('/').collect();
        assert_eq!(listed, json!({"result": names, "id": 1}));
        let reply = ask(json!({"method": "SUBSCRIBE", "params": ["btcusdt@depth5"], "id": 2})).await;
        assert_eq!(reply, json!({"result": null, "id": 2}));
    }
}

#[tokio::test]
async fn the_list_of_coins_has_those_that_trade() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let coins = caller.get("/sapi/v1/capital/config/getall", "").await;
    let coins = coins.as_array().unwrap();
    let info = public(&sandbox, "/api/v3/exchangeInfo").await;
    for symbol in info["symbols"].as_array().unwrap() {
        for side in ["baseAsset", "quoteAsset"] {
            let coin = coins.iter().find(|coin| coin["coin"] == symbol[side]);
            let coin = coin.unwrap_or_else(|| panic!("no coin {}: {coins:?}", symbol[side]));
            let networks = coin["networkList"].as_array().unwrap();
            assert_eq!(networks.len(), 1, "{coin}");
            assert_eq!((&networks[0]["coin"], &networks[0]["isDefault"]), (&coin["coin"], &json!(true)));
            assert!(coin["trading"] == true && networks[0]["network"].is_string(), "{coin}");
        }
    }
    caller.place(&limit("BTCUSDT", "BUY", "50000", "0.01")).await;
    let coins = caller.get("/sapi/v1/capital/config/getall", "").await;
    let dollars = coins.as_array().unwrap().iter().find(|coin| coin["coin"] == "USDT").unwrap();
    let (free, locked) = caller.coin("USDT").await;
    assert_eq!((number(&dollars["free"]), number(&dollars["locked"])), (free, locked));
    assert_eq!(locked, Decimal::from(500));
    assert_eq!(caller.refused("GET", "/sapi/v1/capital/config/getall", "recvWindow=x").await.0, 400);
}

#[tokio::test]
async fn an_amended_order_has_a_new_client_id() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let placed = caller.place(&format!("{}&newClientOrderId=first", limit("BTCUSDT", "BUY", "50000", "0.01"))).await;
    let amend = |more: &str| format!("symbol=BTCUSDT&orderId={}{more}", placed["orderId"]);
    let path = "/api/v3/order/amend/keepPriority";
    let amended = caller.send("PUT", path, &amend("&newQty=0.005"), Place::Form).await.expect(200);
    let order = &amended["amendedOrder"];
    assert_eq!(order["origClientOrderId"], "first");
    let id = order["clientOrderId"].as_str().unwrap();
    assert!(id != "first" && id.len() == 22, "{id}");
    let kept = amend("&newQty=0.004&newClientOrderId=second");
    let amended = caller.send("PUT", path, &kept, Place::Form).await.expect(200);
    assert_eq!(amended["amendedOrder"]["clientOrderId"], "second");
    assert_eq!(amended["amendedOrder"]["origClientOrderId"], id);
}

#[tokio::test]
async fn the_filters_of_an_account_are_of_their_kind() {
    let sandbox = two_accounts().await;
    let filters = Caller::given(&sandbox, 0).get("/api/v3/myFilters", "symbol=BTCUSDT").await;
    let kind = |list: &str| filters[list][0]["filterType"].as_str().unwrap_or_default().to_owned();
    assert!(kind("exchangeFilters").starts_with("EXCHANGE_"), "{filters:#}");
    assert!(!kind("symbolFilters").starts_with("EXCHANGE_"), "{filters:#}");
    assert_eq!(kind("assetFilters"), "MAX_ASSET");
}
