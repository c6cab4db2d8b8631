//! Kalshi: signatures, keys, paging and orders.

mod common;

use common::{Kalshi, Signature, now_millis, send};
use serde_json::{Value, json};
use venuekit_sandbox::{Accounts, KalshiKey, Sandbox};

const BALANCE: &str = "/trade-api/v2/portfolio/balance";
const KEYS: &str = "/trade-api/v2/api_keys";
const ORDERS: &str = "/trade-api/v2/portfolio/events/orders";

async fn sandbox() -> Sandbox {
    Sandbox::start(Accounts::default()).await.unwrap()
}

fn incorrect() -> Value {
    json!({"error": {
        "code": "authentication_error", "message": "authentication_error", "details": "INCORRECT_API_KEY_SIGNATURE"
    }})
}

fn unknown_key() -> Value {
    json!({"error": {"code": "authentication_error", "message": "authentication_error", "details": "NOT_FOUND"}})
}

#[tokio::test]
async fn both_key_types_sign() {
    let sandbox = sandbox().await;
    for index in [0, 1] {
        let balance = Kalshi::given(&sandbox, index).call("GET", BALANCE, "").await.expect(200);
        assert_eq!(balance["balance_dollars"], "10000.0000");
        assert_eq!(balance["balance"], 1_000_000);
    }
    assert_eq!(sandbox.executed()["kalshi GET /trade-api/v2/portfolio/balance"], 2);
}

#[tokio::test]
async fn a_signature_over_anything_else_is_refused() {
    let sandbox = sandbox().await;
    let rsa = Kalshi::given(&sandbox, 0);
    let query = format!("{BALANCE}?subaccount=0");
    let now = now_millis();
    let good = Signature::Pss { salt: 32 };
    rsa.call_with("GET", &query, "", &good, now, BALANCE).await.expect(200);
    for (scheme, signed_path) in [
        (Signature::Pss { salt: 20 }, BALANCE),
        (Signature::Pss { salt: 64 }, BALANCE),
        (Signature::Pkcs1v15, BALANCE),
        (Signature::Pss { salt: 32 }, query.as_str()),
        (Signature::Pss { salt: 32 }, "/portfolio/balance"),
    ] {
        assert_eq!(rsa.call_with("GET", &query, "", &scheme, now, signed_path).await.expect(401), incorrect());
    }
    let other = Kalshi { key_id: sandbox.accounts().kalshi[1].key_id.clone(), ..Kalshi::given(&sandbox, 0) };
    assert_eq!(other.call("GET", BALANCE, "").await.expect(401), incorrect(), "signed by another key");
    let unknown = Kalshi { key_id: "nobody".to_owned(), ..rsa };
    assert_eq!(unknown.call("GET", BALANCE, "").await.expect(401), unknown_key());
    assert_eq!(sandbox.executed().values().sum::<u64>(), 1, "what is refused is not counted");
}

#[tokio::test]
async fn the_timestamp_window_is_that_of_the_recordings() {
    let sandbox = sandbox().await;
    let key = Kalshi::given(&sandbox, 1);
    for (offset, accepted) in [(-300, false), (-30, false), (-10, true), (-5, true), (5, true), (29, true), (90, false)]
    {
        let stamp = now_millis() + offset * 1000;
        let answer = key.call_with("GET", BALANCE, "", &Signature::Ed25519, stamp, BALANCE).await;
        if accepted {
            answer.expect(200);
        } else {
            let stale = json!({"error": {"code": "header_timestamp_expired", "message": "header timestamp expired"}});
            assert_eq!(answer.expect(401), stale, "{offset}");
        }
    }
    sandbox.clock().set_offset_millis(-600_000);
    let answer = key.call("GET", BALANCE, "").await;
    let date = answer.headers["date"].to_str().unwrap().to_owned();
    answer.expect(401);
    let shown = i64::try_from(httpdate::parse_http_date(&date).unwrap().elapsed().unwrap().as_secs()).unwrap();
    assert!((590..=620).contains(&shown), "the date header shows the sandbox's clock: {date}");
}

#[tokio::test]
async fn a_missing_header_has_its_own_code() {
    let sandbox = sandbox().await;
    let missing = json!({"error": {
        "code": "signature_is_missing_from_headers", "message": "signature is missing from headers"
    }});
    let answer = send(&sandbox, "GET", BALANCE, &[("KALSHI-ACCESS-KEY", "x".to_owned())], "").await;
    assert_eq!(answer.expect(401), missing);
}

#[tokio::test]
async fn a_created_key_signs_until_it_is_deleted() {
    let sandbox = sandbox().await;
    let owner = Kalshi::given(&sandbox, 1);
    for index in [0, 1] {
        let made = Accounts::default().complete().unwrap().kalshi.swap_remove(index);
        let body = json!({"name": "mine", "public_key": made.public_key_pem}).to_string();
        let created = owner.call("POST", KEYS, &body).await.expect(201);
        let id = created["api_key_id"].as_str().unwrap().to_owned();
        life_cycle(&sandbox, &owner, id, made.private_key_pem.unwrap()).await;
    }
}

#[tokio::test]
async fn a_generated_key_signs_until_it_is_deleted() {
    let sandbox = sandbox().await;
    let owner = Kalshi::given(&sandbox, 1);
    let cases = [
        (json!({"name": "mine"}), "rsa", "RSA PRIVATE KEY"),
        (json!({"name": "mine", "key_type": "ed25519"}), "ed25519", "BEGIN PRIVATE KEY"),
    ];
    for (body, key_type, label) in cases {
        let made = owner.call("POST", &format!("{KEYS}/generate"), &body.to_string()).await.expect(201);
        assert_eq!(made["key_type"], key_type);
        let pem = made["private_key"].as_str().unwrap().to_owned();
        assert!(pem.contains(label));
        life_cycle(&sandbox, &owner, made["api_key_id"].as_str().unwrap().to_owned(), pem).await;
    }
}

async fn life_cycle(sandbox: &Sandbox, owner: &Kalshi<'_>, key_id: String, private_pem: String) {
    let listed = owner.call("GET", KEYS, "").await.expect(200);
    let listed = listed["api_keys"].as_array().unwrap().iter().find(|key| key["api_key_id"] == *key_id).unwrap();
    assert_eq!(listed["name"], "mine");
    assert_eq!(listed["scopes"], json!(["read", "write"]));
    let key = Kalshi { sandbox, key_id, private_pem };
    key.call("GET", BALANCE, "").await.expect(200);
    let path = format!("{KEYS}/{}", key.key_id);
    owner.call("DELETE", &path, "").await.expect(204);
    assert_eq!(key.call("GET", BALANCE, "").await.expect(401), unknown_key());
    assert_eq!(owner.call("DELETE", &path, "").await.expect(404)["error"]["code"], "not_found");
}

#[tokio::test]
async fn a_bad_key_is_refused() {
    let sandbox = sandbox().await;
    let owner = Kalshi::given(&sandbox, 1);
    let public_key = &sandbox.accounts().kalshi[0].public_key_pem;
    let small = {
        use rsa::pkcs8::EncodePublicKey as _;
        let key = rsa::PrivateKey::new(&mut rand::rng(), 1024).unwrap();
        key.to_public_key().to_public_key_pem(rsa::pkcs8::LineEnding::LF).unwrap()
    };
    for (body, status, code) in [
        (json!({"public_key": public_key}), 400, "invalid_parameters"),
        (json!({"name": " ", "public_key": public_key}), 400, "invalid_parameters"),
        (json!({"name": "a"}), 400, "invalid_parameters"),
        (json!({"name": "a", "public_key": "nonsense"}), 400, "invalid_parameters"),
        (json!({"name": "a", "public_key": owner.private_pem}), 400, "invalid_parameters"),
        (json!({"name": "a", "public_key": small}), 400, "invalid_parameters"),
        (json!({"name": "a", "public_key": public_key, "scopes": ["write"]}), 400, "invalid_parameters"),
        (json!({"name": "a", "public_key": public_key, "scopes": ["everything"]}), 400, "invalid_parameters"),
        (json!({"name": "a", "public_key": public_key, "subaccount": 64}), 400, "invalid_parameters"),
        (json!({"name": "a", "public_key": public_key, "fcm_subtrader_id": "x_1"}), 403, "forbidden"),
    ] {
        assert_eq!(owner.call("POST", KEYS, &body.to_string()).await.expect(status)["error"]["code"], code, "{body}");
    }
    assert_eq!(owner.call("POST", KEYS, "{").await.expect(400)["code"], "bad_request");
    assert_eq!(owner.call("POST", KEYS, "").await.expect(400)["code"], "invalid_content_type");
    assert_eq!(owner.call("GET", KEYS, "").await.expect(200)["api_keys"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn scopes_and_subaccounts_restrict_a_key() {
    let scoped = |scopes: &[&str]| KalshiKey {
        scopes: Some(scopes.iter().map(|scope| (*scope).to_owned()).collect()),
        ..KalshiKey::default()
    };
    let kalshi = vec![scoped(&["read", "write"]), scoped(&["read"]), scoped(&["read::portfolio_balance"])];
    let sandbox = Sandbox::start(Accounts { kalshi, ..Accounts::default() }).await.unwrap();
    let (full, reader, balance) = (Kalshi::given(&sandbox, 0), Kalshi::given(&sandbox, 1), Kalshi::given(&sandbox, 2));
    reader.call("GET", KEYS, "").await.expect(200);
    assert_eq!(reader.call("POST", KEYS, "{}").await.expect(403)["error"]["code"], "forbidden");
    balance.call("GET", BALANCE, "").await.expect(200);
    balance.call("GET", KEYS, "").await.expect(403);

    let body = json!({"name": "sub", "key_type": "ed25519", "subaccount": 3}).to_string();
    let made = full.call("POST", &format!("{KEYS}/generate"), &body).await.expect(201);
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let sub = Kalshi { sandbox: &sandbox, key_id: text("api_key_id"), private_pem: text("private_key") };
    assert_eq!(sub.call("GET", BALANCE, "").await.expect(200)["balance_dollars"], "0.0000");
    sub.call("GET", &format!("{BALANCE}?subaccount=0"), "").await.expect(403);
    let refused = sub.call("GET", KEYS, "").await.expect(403);
    assert!(refused["error"]["message"].as_str().unwrap().contains("restricted to a single sub-account"));
    assert_eq!(full.call("GET", KEYS, "").await.expect(200)["api_keys"][3]["subaccount"], 3);
}

#[tokio::test]
async fn markets_are_paged_and_filtered() {
    let sandbox = sandbox().await;
    let get = |query: String| {
        let sandbox = &sandbox;
        async move { send(sandbox, "GET", &format!("/trade-api/v2/markets{query}"), &[], "").await }
    };
    let (mut tickers, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = get(format!("?limit=70&status=open&cursor={cursor}")).await.expect(200);
        for market in page["markets"].as_array().unwrap() {
            assert_eq!(market["status"], "active");
            tickers.push(market["ticker"].as_str().unwrap().to_owned());
        }
        pages += 1;
        cursor = page["cursor"].as_str().unwrap().to_owned();
        if cursor.is_empty() {
            break;
        }
    }
    assert!(pages > 2);
    let count = tickers.len();
    tickers.sort();
    tickers.dedup();
    assert_eq!(tickers.len(), count, "no market is on two pages");
    let all = get("?limit=1000".to_owned()).await.expect(200);
    assert!(all["markets"].as_array().unwrap().len() > count);
    assert_eq!(all["cursor"], "");

    let one = &all["markets"][20];
    let (ticker, event) = (one["ticker"].as_str().unwrap(), one["event_ticker"].as_str().unwrap());
    assert_eq!(&get(format!("/{ticker}")).await.expect(200)["market"], one);
    assert_eq!(get(format!("?tickers={ticker}")).await.expect(200)["markets"].as_array().unwrap().len(), 1);
    for market in get(format!("?event_ticker={event}")).await.expect(200)["markets"].as_array().unwrap() {
        assert_eq!(market["event_ticker"], event);
    }
    assert_eq!(get("/NOWHERE".to_owned()).await.expect(404)["error"]["code"], "not_found");
    for query in ["?limit=1001", "?limit=-1", "?limit=x", "?status=settling"] {
        let message = get(query.to_owned()).await.expect(400)["msg"].as_str().unwrap().to_owned();
        assert!(message.starts_with("Parameter validation failed for GetMarkets: Key: "), "{message}");
    }
    get("?cursor=garbage".to_owned()).await.expect(200);
    assert_eq!(send(&sandbox, "GET", "/trade-api/v2/nothing", &[], "").await.expect(404)["error"]["code"], "not_found");
}

/// An order that rests, with some fields replaced.
fn order(ticker: &str, replaced: Value) -> String {
    let mut order = json!({
        "ticker": ticker, "side": "bid", "count": "10.00", "price": "0.4500",
        "time_in_force": "good_till_canceled", "self_trade_prevention_type": "taker_at_cross",
    });
    order.as_object_mut().unwrap().extend(replaced.as_object().unwrap().clone());
    order.to_string()
}

async fn open_ticker(sandbox: &Sandbox) -> String {
    let page = send(sandbox, "GET", "/trade-api/v2/markets?status=open&limit=1", &[], "").await.expect(200);
    page["markets"][0]["ticker"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_order_rests_until_it_is_cancelled() {
    let sandbox = sandbox().await;
    let key = Kalshi::given(&sandbox, 1);
    let ticker = open_ticker(&sandbox).await;
    let body = order(&ticker, json!({"client_order_id": "mine"}));
    let placed = key.call("POST", ORDERS, &body).await.expect(201);
    assert_eq!((&placed["fill_count"], &placed["remaining_count"]), (&json!("0.00"), &json!("10.00")));
    assert_eq!(key.call("GET", BALANCE, "").await.expect(200)["balance_dollars"], "9995.5000");
    assert_eq!(key.call("POST", ORDERS, &body).await.expect(409)["error"]["code"], "order_already_exists");

    let id = placed["order_id"].as_str().unwrap();
    let read = format!("/trade-api/v2/portfolio/orders/{id}");
    assert_eq!(key.call("GET", &read, "").await.expect(200)["order"]["status"], "resting");
    let cancelled = key.call("DELETE", &format!("{ORDERS}/{id}"), "").await.expect(200);
    assert_eq!((&cancelled["reduced_by"], &cancelled["client_order_id"]), (&json!("10.00"), &json!("mine")));
    assert_eq!(key.call("DELETE", &format!("{ORDERS}/{id}"), "").await.expect(404)["error"]["code"], "not_found");
    assert_eq!(key.call("GET", &read, "").await.expect(200)["order"]["status"], "canceled");
    assert_eq!(key.call("GET", BALANCE, "").await.expect(200)["balance_dollars"], "10000.0000");
    assert_eq!(key.call("POST", ORDERS, &body).await.expect(409)["error"]["code"], "order_already_exists");
    assert_eq!(sandbox.executed()[&format!("kalshi POST {ORDERS}")], 1);
}

#[tokio::test]
async fn an_order_that_reaches_the_quote_is_filled() {
    let sandbox = sandbox().await;
    let key = Kalshi::given(&sandbox, 1);
    let ticker = open_ticker(&sandbox).await;
    let placed = key.call("POST", ORDERS, &order(&ticker, json!({"price": "0.99"}))).await.expect(201);
    assert_eq!((&placed["fill_count"], &placed["average_fill_price"]), (&json!("10.00"), &json!("0.9800")));
    let balance = key.call("GET", BALANCE, "").await.expect(200);
    assert_eq!(balance["balance_dollars"], "9990.1862", "9.80 and a fee of 0.0138");
    assert_eq!(balance["portfolio_value"], 980, "ten contracts at the price of the last trade");
    let sold = order(&ticker, json!({"side": "ask", "price": "0.01", "reduce_only": true, "count": "25.00"}));
    let sold = key.call("POST", ORDERS, &sold).await.expect(201);
    assert_eq!(sold["fill_count"], "10.00", "no more than what is held");
    assert_eq!(key.call("GET", BALANCE, "").await.expect(200)["portfolio_value"], 0);
    let list = key.call("GET", "/trade-api/v2/portfolio/orders?status=executed&limit=1", "").await.expect(200);
    assert_eq!(list["orders"][0]["book_side"], "ask", "the newest first");
    assert_ne!(list["cursor"], "");
}

#[tokio::test]
async fn a_bad_order_is_refused() {
    let sandbox = sandbox().await;
    let key = Kalshi::given(&sandbox, 1);
    let ticker = open_ticker(&sandbox).await;
    for (replaced, status, code) in [
        (json!({"price": "0.4550"}), 400, "invalid_price"),
        (json!({"price": "1.0000"}), 400, "invalid_price"),
        (json!({"price": "-0.10"}), 400, "invalid_price"),
        (json!({"count": "0.00"}), 400, "invalid_order_size"),
        (json!({"count": "1.005"}), 400, "invalid_order_size"),
        (json!({"count": "100000.00"}), 400, "insufficient_balance"),
        (json!({"side": "buy"}), 400, "invalid_parameters"),
        (json!({"time_in_force": null}), 400, "invalid_parameters"),
        (json!({"expiration_time": 1}), 400, "invalid_parameters"),
        (json!({"post_only": true, "price": "0.99"}), 400, "invalid_order"),
        (json!({"time_in_force": "fill_or_kill"}), 409, "fill_or_kill_insufficient_resting_volume"),
        (json!({"ticker": "NOWHERE"}), 404, "market_not_found"),
    ] {
        let refused = key.call("POST", ORDERS, &order(&ticker, replaced.clone())).await.expect(status);
        assert_eq!(refused["error"]["code"], code, "{replaced}");
    }
    for replaced in [json!({"count": 10}), json!({"price": 0.45})] {
        let refused = key.call("POST", ORDERS, &order(&ticker, replaced)).await.expect(400);
        assert_eq!(refused["code"], "bad_request");
    }
    let none = key.call("GET", "/trade-api/v2/portfolio/orders", "").await.expect(200);
    assert_eq!(none, json!({"orders": [], "cursor": ""}));
    assert_eq!(key.call("GET", BALANCE, "").await.expect(200)["balance"], 1_000_000, "a refused order leaves no trace");
}

#[tokio::test]
async fn own_orders_do_not_meet() {
    let sandbox = sandbox().await;
    let key = Kalshi::given(&sandbox, 1);
    let ticker = open_ticker(&sandbox).await;
    key.call("POST", ORDERS, &order(&ticker, json!({}))).await.expect(201);
    let ask = |prevention: &str| order(&ticker, json!({"side": "ask", "self_trade_prevention_type": prevention}));
    let taker = key.call("POST", ORDERS, &ask("taker_at_cross")).await.expect(201);
    assert_eq!((&taker["fill_count"], &taker["remaining_count"]), (&json!("0.00"), &json!("0.00")));
    let maker = key.call("POST", ORDERS, &ask("maker")).await.expect(201);
    assert_eq!(maker["remaining_count"], "10.00");
    let resting = key.call("GET", "/trade-api/v2/portfolio/orders?status=resting", "").await.expect(200);
    assert_eq!(resting["orders"].as_array().unwrap().len(), 1, "the older order gave way");
    assert_eq!(resting["orders"][0]["order_id"], maker["order_id"]);
}

#[tokio::test]
async fn an_order_expires_by_the_sandbox_clock() {
    let sandbox = sandbox().await;
    let key = Kalshi::given(&sandbox, 1);
    let ticker = open_ticker(&sandbox).await;
    let expiration = now_millis() / 1000 + 3600;
    key.call("POST", ORDERS, &order(&ticker, json!({"expiration_time": expiration}))).await.expect(201);
    sandbox.clock().set_offset_millis(3_700_000);
    let path = "/trade-api/v2/portfolio/orders";
    let answer = key.call_with("GET", path, "", &Signature::Ed25519, now_millis() + 3_700_000, path).await.expect(200);
    assert_eq!(answer["orders"][0]["status"], "canceled");
}
