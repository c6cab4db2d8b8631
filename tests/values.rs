//! Values as venues write them, through the typed clients: numbers of venues that compute in floats, blank texts, members that only
//! some documents know, objects of another kind; and what a response says that its type does not know.

#[path = "common/canned.rs"]
mod canned;

use std::sync::Arc;

use canned::{Canned, Script, http};
use venuekit::transport::Unknown;
use venuekit::{ErrorKind, bayse, deribit, kalshi, kalshi_perps, yativo};

async fn answering(body: &str) -> Canned {
    let body = body.to_owned();
    let script: Script = Arc::new(move |_| http(200, "application/json", body.as_bytes()));
    Canned::start(script).await
}

async fn deribit_on(result: &str) -> (Canned, deribit::Client) {
    let result = result.to_owned();
    let script: Script = Arc::new(move |seen| {
        let request: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
        let body = format!(r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#, request["id"]);
        http(200, "application/json", body.as_bytes())
    });
    let server = Canned::start(script).await;
    let environment = deribit::Environment::Custom(format!("{}/api/v2", server.base_url));
    let credentials = deribit::Credentials::secret("AMANDA", "AMANDASECRECT").unwrap();
    let client = deribit::Client::builder(environment).credentials(credentials).build().unwrap();
    (server, client)
}

async fn kalshi_on(body: &str) -> (Canned, kalshi::Client) {
    let server = answering(body).await;
    let pair = venuekit::auth::PrivateKey::generate(venuekit::auth::KeyKind::Ed25519).unwrap();
    let environment = kalshi::Environment::Custom(server.base_url.clone());
    let credentials = kalshi::Credentials::new("key-id", pair).unwrap();
    let client = kalshi::Client::builder(environment).credentials(credentials).build().unwrap();
    (server, client)
}

async fn yativo_on(body: &str) -> (Canned, yativo::Client) {
    let server = answering(body).await;
    let environment = yativo::Environment::Custom(server.base_url.clone());
    let credentials = yativo::Credentials::token("YOUR_ACCESS_TOKEN").unwrap();
    let client = yativo::Client::builder(environment).credentials(credentials).build().unwrap();
    (server, client)
}

/// What an error says of a body that it cannot read.
fn refused<T: std::fmt::Debug>(result: Result<T, venuekit::Error>) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
    error.message().to_owned()
}

#[tokio::test]
async fn positions_of_a_venue_that_computes_in_floats() {
    for (leverage, shown) in [("25", "25"), ("25.0", "25.0"), ("35.639422", "35.639422"), ("5e1", "50")] {
        let position = format!(r#"{{"instrument_name":"BTC-PERPETUAL","user_id":1e3,"leverage":{leverage}}}"#);
        let (_server, client) = deribit_on(&format!("[{position}]")).await;
        let positions = client.get_positions().body_map(|body| body).send().await.unwrap();
        assert_eq!(positions[0].leverage.unwrap().to_string(), shown);
        assert_eq!(positions[0].user_id, Some(1000));
        let (_server, client) = deribit_on(&position).await;
        let one = client.get_position().body_map(|body| body.instrument_name("BTC-PERPETUAL")).send().await.unwrap();
        assert_eq!(one.leverage.unwrap().to_string(), shown);
        let (_server, client) = deribit_on(&format!(r#"[{{"uid":35.0,"positions":[{position}]}}]"#)).await;
        let details = client
            .get_subaccounts_details()
            .body_map(|body| body.currency(deribit::types::Currency::Btc))
            .send()
            .await
            .unwrap();
        assert_eq!((details[0].uid, details[0].positions[0].user_id), (35, Some(1000)));
    }
}

#[tokio::test]
async fn whole_numbers_at_the_top_in_lists_and_as_times() {
    for (token, count) in [("3", 3), ("3.0", 3), ("0.3e1", 3), ("\"3\"", 3)] {
        let (_server, client) = deribit_on(token).await;
        let cancelled = client.cancel_by_label().body_map(|body| body.label("mine")).send().await.unwrap();
        assert_eq!(*cancelled, count);
    }
    let (_server, client) = deribit_on("1.700000000123e12").await;
    assert_eq!(client.get_time().send().await.unwrap().get(), 1_700_000_000_123);
    let (_server, client) = deribit_on("9007199254740993.0").await;
    assert_eq!(client.get_time().send().await.unwrap().get(), 9_007_199_254_740_993);
    for token in ["3.5", "3.00000000000000001", "1e19", "1e-9223372036854775808", "null", "\"\"", "\"three\""] {
        let (_server, client) = deribit_on(token).await;
        let message = refused(client.cancel_by_label().body_map(|body| body.label("mine")).send().await);
        assert!(message.starts_with("the top in the response: "), "{token}: {message}");
        assert!(message.ends_with("expected a whole number of 64 bits"), "{token}: {message}");
    }
    let candles = r#"{"ticks":[1.7e12,1700000060000.0],"open":[1],"volume":["2.50"]}"#;
    let (_server, client) = deribit_on(candles).await;
    let call = client.get_tradingview_chart_data().body_map(|body| {
        body.instrument_name("BTC-PERPETUAL").start_timestamp(0_i64).end_timestamp(1_i64).resolution("1")
    });
    let candles = call.send().await.unwrap();
    assert_eq!(candles.ticks.iter().map(|tick| tick.get()).collect::<Vec<_>>(), [1_700_000_000_000, 1_700_000_060_000]);
    assert_eq!(candles.volume[0].to_string(), "2.50");
}

#[tokio::test]
async fn a_price_that_cannot_be_held_is_refused_where_it_stands() {
    for price in
        ["1e-9223372036854775808", "1e9223372036854775807", "0.12345678901234567890123456789", "\"1_0\"", "\"+1\""]
    {
        let (_server, client) =
            deribit_on(&format!(r#"[{{"instrument_name":"BTC-PERPETUAL","mark_price":{price}}}]"#)).await;
        let message = refused(client.get_positions().body_map(|body| body).send().await);
        assert_eq!(message, "[0].mark_price in the response: expected a decimal number of at most 28 digits");
    }
}

#[tokio::test]
async fn a_blank_text_is_absent_and_a_vital_one_is_named() {
    let order = r#"{"order":{"order_id":"a","maker_fill_cost_dollars":"","taker_fill_cost_dollars":" ","created_time":"",
        "expiration_time":"  ","subaccount_number":"","fill_count_fp":"10.00"}}"#;
    let (_server, client) = kalshi_on(order).await;
    let order = client.get_order().order_id("order-1").send().await.unwrap();
    let order = &order.order;
    assert!(order.maker_fill_cost_dollars.is_none() && order.taker_fill_cost_dollars.is_none());
    assert!(order.created_time.is_none() && order.expiration_time.is_none() && order.subaccount_number.is_none());
    assert_eq!(order.fill_count_fp.unwrap().to_string(), "10.00");
    for blank in ["\"\"", "\" \"", "null"] {
        let (_server, client) = kalshi_on(&format!(r#"{{"balance_dollars":{blank},"balance":5}}"#)).await;
        let message = refused(client.get_balance().send().await);
        let expected = "balance_dollars in the response: found an empty text or null, expected a decimal number of at most 28 digits";
        assert_eq!(message, expected);
    }
    for word in ["\"null\"", "\"N/A\"", "\"-\""] {
        let (_server, client) = kalshi_on(&format!(r#"{{"balance_dollars":"1","portfolio_value":{word}}}"#)).await;
        let message = refused(client.get_balance().send().await);
        assert_eq!(message, "portfolio_value in the response: expected a whole number of 64 bits");
    }
}

#[tokio::test]
async fn a_combo_keeps_its_legs_and_a_book_its_figures() {
    let trades = r#"{"trades":[{"trade_id":"1","instrument_name":"BTC-FS-1","timestamp":1.0,"legs":[{"trade_id":"2","price":0.5}]}]}"#;
    let (_server, client) = deribit_on(trades).await;
    let trades =
        client.get_last_trades_by_instrument().body_map(|body| body.instrument_name("BTC-FS-1")).send().await.unwrap();
    assert_eq!((trades.trades[0].legs.len(), trades.unknown()), (1, vec![]));
    let book = r#"{"instrument_name":"BTC-PERPETUAL","timestamp":1,"bids":[],"asks":[],"estimated_delivery_price":1.50,
        "interest_value":-0.25,"anchor_min_price":1,"anchor_max_price":2,"is_anchor_breached":false}"#;
    let (_server, client) = deribit_on(book).await;
    let book = client.get_order_book().body_map(|body| body.instrument_name("BTC-PERPETUAL")).send().await.unwrap();
    assert_eq!(book.estimated_delivery_price.unwrap().to_string(), "1.50");
    assert_eq!(book.interest_value.unwrap().to_string(), "-0.25");
    assert_eq!(book.unknown(), []);
}

#[tokio::test]
async fn sizes_at_the_best_prices_of_perpetuals() {
    let server = answering(
        r#"{"market":{"ticker":"KXBTCPERP","market_id":"m","bid_size_fp":"12.50","ask_size_fp":"","tick_size":""}}"#,
    )
    .await;
    let environment = kalshi_perps::Environment::Custom(server.base_url.clone());
    let client = kalshi_perps::Client::builder(environment).build().unwrap();
    let market = client.get_margin_market().ticker("KXBTCPERP").send().await.unwrap();
    assert_eq!(market.unknown(), []);
    let market = &market.market;
    assert_eq!(market.bid_size_fp.unwrap().to_string(), "12.50");
    assert!(market.ask_size_fp.is_none() && market.tick_size.is_none());
    assert_eq!(market.market_id.as_deref(), Some("m"));
}

#[tokio::test]
async fn an_object_of_another_kind_is_not_read_as_an_empty_response() {
    // A transaction as it is: its status looks like the wrapper's.
    let (_server, client) = yativo_on(r#"{"id":"tx_1","status":"completed","amount":"1.50"}"#).await;
    let transaction = || client.get_transaction().body_map(|body| body.transaction_id("tx_1"));
    assert_eq!(
        refused(transaction().send().await),
        "the top in the response: missing field: one of `transaction`, `data` is needed"
    );
    for body in ["{}", r#"{"success":true}"#, r#"{"transaction":null,"data":null}"#] {
        let (_server, client) = yativo_on(body).await;
        let message = refused(client.get_transaction().body_map(|body| body.transaction_id("tx_1")).send().await);
        assert!(message.contains("missing field: one of"), "{body}: {message}");
    }
    let (_server, client) = yativo_on(r#"{"transaction":{"id":"tx_1","status":"completed"}}"#).await;
    let call = client.get_transaction().body_map(|body| body.transaction_id("tx_1"));
    assert!(call.send().await.unwrap().transaction.is_some());
}

#[tokio::test]
async fn a_list_in_place_of_an_object_is_told_as_such() {
    for body in ["[]", r#"[{"id":"acc_1","account_name":"main"}]"#] {
        let (_server, client) = yativo_on(body).await;
        let message = refused(client.list_accounts().send().await);
        assert!(
            message.starts_with("the top in the response: found a list, expected struct ListAccountsResponse"),
            "{message}"
        );
    }
    // Nor one inside a response, as of a venue that writes an empty object as a list.
    let (_server, client) = yativo_on(r#"{"data":[]}"#).await;
    let message = refused(client.get_api_key().key_id("k").send().await);
    assert!(message.starts_with("data in the response: found a list, expected struct ApiKey (an object)"), "{message}");
    let (_server, client) = deribit_on(r#"{"positions":[]}"#).await;
    let message = refused(client.get_positions().body_map(|body| body).send().await);
    assert_eq!(message, "the top in the response: found an object, expected a list");
    for body in [r#"{"accounts":[]}"#, r#"{"accounts":null}"#] {
        let (_server, client) = yativo_on(body).await;
        assert!(client.list_accounts().send().await.unwrap().accounts.is_empty(), "an honest list of nothing");
    }
}

#[tokio::test]
async fn an_order_that_nothing_proves() {
    for body in ["{}", r#"{"error":{"code":"x"}}"#, r#"{"id":"a"}"#] {
        let server = answering(body).await;
        let credentials = bayse::Credentials::api_key("pk", "sk").unwrap();
        let environment = bayse::Environment::Custom(server.base_url.clone());
        let client = bayse::Client::builder(environment).credentials(credentials).build().unwrap();
        use bayse::types::{OrderType, Side};
        let order =
            client.place_order().event_id("event-1").market_id("market-1").body_map(|order| {
                order.side(Side::Buy).outcome_id("o").amount(100).price("0.35").type_(OrderType::Limit)
            });
        let error = order.send().await.unwrap_err();
        assert!(error.kind() == ErrorKind::Decode && error.may_have_been_applied(), "{body}: {error}");
    }
}

fn paths(unknown: &[Unknown]) -> Vec<String> {
    unknown.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_response_tells_what_its_type_does_not_know() {
    let markets = r#"{"cursor":"","new":1,"markets":[{"ticker":"A","status":"paused_by_moon","price_ranges":[{"start":"0.01","end":"0.99",
        "step":"0.01","curve":{"x":[1]}}],"odd.name":null},{"ticker":"B","yes_bid_dollars":"0.5600","status":"active"}]}"#;
    let (_server, client) = kalshi_on(markets).await;
    let response = client.get_markets().send().await.unwrap();
    assert_eq!(
        paths(&response.unknown()),
        [
            "new",
            r#"markets[0]["odd.name"]"#,
            "markets[0].price_ranges[0].curve",
            r#"markets[0].status: "paused_by_moon""#
        ]
    );
    assert!(
        matches!(&response.unknown()[3], Unknown::Value { path, value } if path == "markets[0].status" && value == "paused_by_moon")
    );
    assert_eq!(response.markets[1].yes_bid_dollars.unwrap().to_string(), "0.5600");
    // What the caller does with the value changes nothing.
    let mut response = response;
    response.markets.clear();
    assert_eq!(response.unknown().len(), 4);
    let mut pages = client.get_markets().stream();
    assert_eq!(pages.unknown(), [], "no page yet");
    pages.next().await.unwrap().unwrap();
    assert_eq!(pages.unknown().len(), 4);
}

#[tokio::test]
async fn maps_open_objects_and_whole_numbers_are_known() {
    let summary = r#"{"delta_total_map":{"btc_usd":1.50},"fees":[{"any":{"thing":1}}],"id":1.0,"currency":"MOON"}"#;
    let (_server, client) = deribit_on(summary).await;
    let response = client
        .get_account_summary()
        .body_map(|body| body.currency(deribit::types::Currency::Btc))
        .send()
        .await
        .unwrap();
    assert_eq!(paths(&response.unknown()), [r#"currency: "MOON""#]);
}

#[tokio::test]
async fn a_response_without_a_body_of_its_own_tells_what_came_all_the_same() {
    for (body, unknown) in
        [("", vec![]), ("{}", vec![]), (r#"{"warning":"soon"}"#, vec!["warning"]), (r#""ok""#, vec!["."])]
    {
        let (_server, client) = kalshi_on(body).await;
        let response = client.delete_api_key().api_key("a").send().await.unwrap();
        assert_eq!(paths(&response.unknown()), unknown, "{body}");
    }
}

#[tokio::test]
async fn what_may_hold_a_secret_is_told_and_not_kept() {
    let (_server, client) =
        kalshi_on(r#"{"api_key_id":"a","private_key":"MARKERsecretMARKER","expires_soon":true,"passphrase":"MARKERsecretMARKER"}"#).await;
    let response = client.generate_api_key().body_map(|key| key.name("bot")).send().await.unwrap();
    assert_eq!(paths(&response.unknown()), ["expires_soon", "passphrase"]);
    assert!(!format!("{response:?} {:?}", response.unknown()).contains("MARKER"));
}
