//! Responses in the shapes that the venues' pages and recordings show, read by the typed clients.

#[path = "common/canned.rs"]
mod canned;

use std::sync::Arc;

use canned::{Canned, Script, http};
use venuekit::{ErrorKind, bayse, binance, deribit, kalshi, yativo};

async fn server(status: u16, body: &'static str) -> Canned {
    let script: Script = Arc::new(move |_| http(status, "application/json", body.as_bytes()));
    Canned::start(script).await
}

async fn bayse_on(body: &'static str) -> (Canned, bayse::Client) {
    let server = server(200, body).await;
    let credentials = bayse::Credentials::session("token", "d_abc123").unwrap().and_api_key("pk", "sk").unwrap();
    let environment = bayse::Environment::Custom(server.base_url.clone());
    let client = bayse::Client::builder(environment).credentials(credentials).build().unwrap();
    (server, client)
}

/// The page that founded the Bayse client: create API key.
#[tokio::test]
async fn bayse_create_api_key() {
    let (server, client) = bayse_on(
        r#"{"id":"3f7a1b2c-d4e5-6789-abcd-ef0123456789","name":"Trading bot","publicKey":"pk_live_abcdef123456",
            "secretKey":"sk_live_secret789xyz","signingInstructions":{"algorithm":"HMAC-SHA256",
            "headers":["X-Public-Key","X-Timestamp","X-Signature"],"payloadFormat":"{timestamp}.{method}.{path}.{bodyHash}",
            "timestampWindowSeconds":300},"createdAt":"2026-02-17T10:30:00Z"}"#,
    )
    .await;
    let made = client.create_api_key().body_map(|body| body.name("Trading bot")).send().await.unwrap();
    assert_eq!((made.public_key.as_str(), made.secret_key.expose()), ("pk_live_abcdef123456", "sk_live_secret789xyz"));
    assert_eq!(made.signing_instructions.as_ref().unwrap().timestamp_window_seconds, Some(300));
    assert_eq!(made.created_at.as_ref().unwrap().parsed().unwrap().unix_timestamp(), 1_771_324_200);
    let seen = &server.seen()[0];
    let head = seen.head.to_lowercase();
    assert!(head.starts_with("post /v1/user/me/api-keys http/1.1"), "{head}");
    assert!(head.contains("x-auth-token: token") && head.contains("x-device-id: d_abc123"), "{head}");
    assert_eq!(seen.body, br#"{"name":"Trading bot"}"#);
}

/// Its page shows no `createdAt`, and the secret must not be lost over that.
#[tokio::test]
async fn bayse_rotate_api_key() {
    let (_server, client) =
        bayse_on(r#"{"id":"3f7a1b2c","name":"bot","publicKey":"pk_live_a","secretKey":"sk_live_b"}"#).await;
    let rotated = client.rotate_api_key().key_id("3f7a1b2c").send().await.unwrap();
    assert_eq!(rotated.secret_key.expose(), "sk_live_b");
}

/// The live response has `clobOrder` where the page has `order`, and other meanings for the same names.
#[tokio::test]
async fn bayse_place_order() {
    let (_server, client) = bayse_on(
        r#"{"engine":"CLOB","clobOrder":{"id":"a-1","marketId":"m-1","outcome":"f6a7b8c9","side":"BUY","type":"BUY",
            "orderType":"LIMIT","status":"open","amount":100,"price":0.35,"size":285.71,"filledSize":0,
            "remainingSize":285.71,"createdAt":"2026-07-29T10:00:00.123456Z"}}"#,
    )
    .await;
    use bayse::types::{OrderType, Side};
    let order = client.place_order().event_id("evt_1").market_id("m-1").body_map(|order| {
        order.side(Side::Buy).outcome_id("f6a7b8c9").amount(100).price("0.35").type_(OrderType::Limit)
    });
    let placed = order.send().await.unwrap();
    let order = placed.clob_order.as_ref().unwrap();
    assert_eq!(order.size.unwrap().to_string(), "285.71");
}

fn yativo_on(server: &Canned) -> yativo::Client {
    let credentials = yativo::Credentials::token("YOUR_ACCESS_TOKEN").unwrap();
    let environment = yativo::Environment::Custom(format!("{}/api", server.base_url));
    yativo::Client::builder(environment).credentials(credentials).build().unwrap()
}

/// The page that founded the Yativo client: create API key, first generation.
#[tokio::test]
async fn yativo_create_api_key_first_generation() {
    let server = server(
        201,
        r#"{"status":"success","data":{"key_id":"key_01HX9KZMB3F7VNQP8R2WDGT4E5","api_key":"yk_live_AbCdEfGhIjKlMnOpQrStUvWxYz",
            "api_secret":"ys_live_1234567890abcdef1234567890abcdef","name":"Production Backend",
            "permissions":["transactions:read","transactions:write","accounts:read"],"expires_at":null,
            "created_at":"2026-03-26T10:00:00Z"}}"#,
    )
    .await;
    let client = yativo_on(&server);
    let made = client.create_api_key_first_gen().body_map(|body| body.name("Production Backend")).send().await.unwrap();
    assert_eq!(made.data.key_id, "key_01HX9KZMB3F7VNQP8R2WDGT4E5");
    assert_eq!(made.data.api_secret.expose(), "ys_live_1234567890abcdef1234567890abcdef");
    let head = &server.seen()[0].head;
    assert!(head.starts_with("POST /api/api-keys HTTP/1.1"), "{head}");
    assert!(head.to_lowercase().contains("authorization: bearer your_access_token"), "{head}");
}

/// The canonical generation shows no id.
#[tokio::test]
async fn yativo_create_api_key() {
    let server = server(
        200,
        r#"{"success":true,"message":"API key generated","warning":"Store it","data":{"api_key":"yativo_1","api_secret":"5ec7e7",
            "key_name":"bot","scopes":["read","write","transactions"],"expires_at":null,
            "rate_limit":{"requests_per_minute":60,"requests_per_hour":3000,"requests_per_day":50000},"token_expiry_minutes":60}}"#,
    )
    .await;
    let made = yativo_on(&server).create_api_key().body_map(|body| body.key_name("bot")).send().await.unwrap();
    assert_eq!(made.data.api_secret.expose(), "5ec7e7");
    assert_eq!(made.data.scopes.len(), 3);
}

/// The page that founded the Deribit client. The response's scopes are one text, whatever the venue's own schema says.
#[tokio::test]
async fn deribit_create_api_key() {
    let script: Script = Arc::new(|seen| {
        let request: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
        let id = &request["id"];
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"result":{{"timestamp":1560242482758,"max_scope":"account:read_write block_trade:read",
                "id":3,"enabled":true,"default":false,"client_secret":"B6RsF9rrLY5ezEGBQkyLlV-UC7whyPJ34BMA-kKYpes",
                "client_id":"1sXMQBhM","name":"NewKeyName"}}}}"#
        );
        http(200, "application/json", body.as_bytes())
    });
    let server = Canned::start(script).await;
    let environment = deribit::Environment::Custom(format!("{}/api/v2", server.base_url));
    let credentials = deribit::Credentials::secret("AMANDA", "AMANDASECRECT").unwrap();
    let client = deribit::Client::builder(environment).credentials(credentials).build().unwrap();
    let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAM7FWhKquNqLmTOV4hfYT5r3AjrYiORTT6Tn5HIfFNV8=\n-----END PUBLIC KEY-----";
    let call = client.create_api_key().body_map(|key| {
        key.name("Public_key_1").max_scope("account:read trade:read block_trade:read_write wallet:none").public_key(pem)
    });
    let made = call.send().await.unwrap();
    assert_eq!((made.id, made.client_id.as_str()), (3, "1sXMQBhM"));
    assert_eq!(made.timestamp.unwrap().get(), 1_560_242_482_758);
    let body: serde_json::Value = serde_json::from_slice(&server.seen()[0].body).unwrap();
    assert_eq!(body["params"]["public_key"], pem, "line ends survive");
}

/// The pages that founded the Kalshi client: generate, create, list, delete.
#[tokio::test]
async fn kalshi_api_keys() {
    let script: Script = Arc::new(|seen| match seen.head.split_whitespace().take(2).collect::<Vec<_>>()[..] {
        ["POST", "/api_keys/generate"] => {
            let body = br#"{"api_key_id":"a952bcbe-ec3b-4b5b-b8f9-11dae589608c","private_key":"-----BEGIN RSA PRIVATE KEY-----\nMII"}"#;
            http(201, "application/json", body)
        }
        ["POST", "/api_keys"] => http(201, "application/json", br#"{"api_key_id":"a952bcbe","warning":null}"#),
        ["GET", "/api_keys"] => {
            let body = br#"{"api_keys":[{"api_key_id":"a952bcbe","name":"bot","scopes":["read","write::of_tomorrow"],"subaccount":null}],
                "api_key_region_expiration_ts":1790000000}"#;
            http(200, "application/json", body)
        }
        ["DELETE", "/api_keys/a952bcbe"] => http(204, "application/json", b""),
        _ => http(404, "application/json", b""),
    });
    let server = Canned::start(script).await;
    let pair = venuekit::auth::PrivateKey::generate(venuekit::auth::KeyKind::Ed25519).unwrap();
    let public = pair.public_key_pem().to_owned();
    let environment = kalshi::Environment::Custom(server.base_url.clone());
    let credentials = kalshi::Credentials::new("key-id", pair).unwrap();
    let client = kalshi::Client::builder(environment).credentials(credentials).build().unwrap();

    let generated = client.generate_api_key().body_map(|key| key.name("bot")).send().await.unwrap();
    assert!(generated.private_key.expose().contains("RSA PRIVATE KEY") && generated.key_type.is_none());
    let created = client.create_api_key().body_map(|key| key.name("bot").public_key(public).subaccount(0)).send().await;
    assert_eq!(created.unwrap().api_key_id, "a952bcbe");
    let body: serde_json::Value = serde_json::from_slice(&server.seen()[1].body).unwrap();
    assert_eq!(body["subaccount"], 0, "the primary subaccount is not the same as none");
    let listed = client.get_api_keys().send().await.unwrap();
    assert_eq!(listed.api_keys[0].scopes[1].unknown(), Some("write::of_tomorrow"));
    client.delete_api_key().api_key("a952bcbe").send().await.unwrap();
    let gone = client.delete_api_key().api_key("another").send().await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound);
}

async fn binance_on(status: u16, body: &'static str) -> (Canned, binance::Client) {
    let server = server(status, body).await;
    let environment = binance::Environment::Custom(server.base_url.clone());
    let credentials = binance::Credentials::api_key("key", "secret").unwrap();
    let client = binance::Client::builder(environment).credentials(credentials).build().unwrap();
    (server, client)
}

/// An order of an order list takes the whole list with it, and the response is the list's, without an `orderId`.
#[tokio::test]
async fn binance_cancelled_order_of_a_list() {
    let (_server, client) = binance_on(
        200,
        r#"{"orderListId":19431,"contingencyType":"OCO","listStatusType":"ALL_DONE","listOrderStatus":"ALL_DONE",
            "listClientOrderId":"mine-list","transactionTime":1660803702431,"symbol":"BTCUSDT",
            "orders":[{"symbol":"BTCUSDT","orderId":71,"clientOrderId":"mine-1"},
                      {"symbol":"BTCUSDT","orderId":72,"clientOrderId":"mine-2"}],
            "orderReports":[{"symbol":"BTCUSDT","origClientOrderId":"mine-1","orderId":71,"orderListId":19431,
                "clientOrderId":"cancel-1","transactTime":1684804350068,"price":"23450.50000000","origQty":"0.00850000",
                "executedQty":"0.00000000","origQuoteOrderQty":"0.000000","cummulativeQuoteQty":"0.00000000",
                "status":"CANCELED","timeInForce":"GTC","type":"STOP_LOSS_LIMIT","side":"BUY",
                "stopPrice":"23430.00000000","selfTradePreventionMode":"NONE"},
               {"symbol":"BTCUSDT","origClientOrderId":"mine-2","orderId":72,"orderListId":19431,
                "clientOrderId":"cancel-1","price":"23400.00000000","status":"CANCELED","type":"LIMIT_MAKER","side":"BUY"}]}"#,
    )
    .await;
    let cancelled = client.delete_order().symbol("BTCUSDT").order_id(71).send().await.unwrap();
    assert_eq!((cancelled.order_id, cancelled.order_list_id), (None, Some(19431)));
    assert_eq!(cancelled.order_reports.iter().map(|order| order.order_id).collect::<Vec<_>>(), [71, 72]);
    assert_eq!(cancelled.order_reports[0].stop_price.map(|price| price.to_string()).as_deref(), Some("23430.00000000"));
}

/// The response about a single order.
#[tokio::test]
async fn binance_cancelled_order() {
    let (_server, client) = binance_on(
        200,
        r#"{"symbol":"BTCUSDT","origClientOrderId":"mine-1","orderId":71,"orderListId":-1,"clientOrderId":"cancel-1",
            "transactTime":1684804350068,"price":"23416.10000000","origQty":"0.00847000","executedQty":"0.00001000",
            "status":"CANCELED","type":"LIMIT","side":"SELL","stopPrice":"0.00000000","trailingDelta":0,
            "strategyId":37463720,"strategyType":1000000,"selfTradePreventionMode":"NONE"}"#,
    )
    .await;
    let cancelled = client.delete_order().symbol("BTCUSDT").order_id(71).send().await.unwrap();
    assert_eq!((cancelled.order_id, cancelled.strategy_id), (Some(71), Some(37_463_720)));
    assert!(cancelled.order_reports.is_empty());
}

/// Half of a cancel and replace is done: nothing says that the whole was not, and both halves are in the error.
#[tokio::test]
async fn binance_cancel_replace_that_is_half_done() {
    let (_server, client) = binance_on(
        409,
        r#"{"code":-2021,"msg":"Order cancel-replace partially failed.",
            "data":{"cancelResult":"SUCCESS","newOrderResult":"FAILURE",
                "cancelResponse":{"symbol":"BTCUSDT","orderId":71,"orderListId":-1,"status":"CANCELED"},
                "newOrderResponse":{"code":-2010,"msg":"Order would immediately match and take."}}}"#,
    )
    .await;
    let replace = client.order_cancel_replace().symbol("BTCUSDT").side(binance::types::Side::Sell);
    let replace = replace.type_(binance::types::OrderType::LimitMaker).quantity("0.01").price("23416.1");
    let replace = replace.cancel_replace_mode(binance::types::CancelReplaceMode::StopOnFailure).cancel_order_id(71);
    let error = replace.send().await.unwrap_err();
    assert_eq!((error.code(), error.reconcile_with()), (Some("-2021"), Some("get_order")), "{error}");
    assert!(error.may_have_been_applied(), "{error}");
}

/// Over the WebSocket API the response is a list of one.
#[tokio::test]
async fn binance_order_with_smart_routing_is_one_or_a_list() {
    let one = r#"{"symbol":"BTCUSDT","orderId":2,"orderListId":-1,"clientOrderId":"mine-1","transactTime":1689149087774,
        "price":"31000.00000000","origQty":"0.50000000","status":"FILLED","workingFloor":"SOR","usedSor":true,
        "fills":[{"matchType":"ONE_PARTY_TRADE_REPORT","price":"28000.00000000","qty":"0.50000000",
            "commission":"0.00000000","commissionAsset":"BTC","tradeId":-1,"allocId":0}]}"#;
    let list: &'static str = format!("[{one}]").leak();
    for body in [one, list] {
        let (_server, client) = binance_on(200, body).await;
        let order = client.sor_order().symbol("BTCUSDT").side(binance::types::Side::Buy);
        let placed = order.type_(binance::types::OrderType::Market).quantity("0.5").send().await.unwrap();
        assert_eq!(placed.iter().map(|order| order.order_id).collect::<Vec<_>>(), [2], "{body}");
    }
}
