//! Binance: signatures, keys, limits, markets, and the forms of answers and refusals.

#[path = "common/binance.rs"]
mod binance;
mod common;

use binance::{Caller, KEY_HEADER, Place, Secret, encode, limit, public, refusal, send, two_accounts};
use common::now_millis;
use serde_json::json;
use venuekit_sandbox::{Accounts, BinanceKey, BinanceSettings, Sandbox};

const ORDER: &str = "/api/v3/order";
const SUB_KEYS: &str = "/sapi/v1/sub-account/subAccountApi";
const SUB_PERMISSION: &str = "/sapi/v1/sub-account/subAccountApiPermission";
const RESTRICTIONS: &str = "/sapi/v1/account/apiRestrictions";

#[tokio::test]
async fn every_kind_of_key_signs_in_query_and_form() {
    let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
    for index in 0..sandbox.accounts().binance.len() {
        let caller = Caller::given(&sandbox, index);
        for place in [Place::Query, Place::Form] {
            let order = limit("BTCUSDT", "BUY", "50000", "0.001");
            let answer = caller.send("POST", "/api/v3/order/test", &order, place).await;
            assert_eq!((answer.status, answer.json), (200, json!({})), "{index} {place:?}");
        }
        let restrictions = caller.get(RESTRICTIONS, "").await;
        assert_eq!(restrictions["enableSpotAndMarginTrading"], true);
        assert_eq!(restrictions["ipRestrict"], false);
    }
}

#[tokio::test]
async fn the_signature_covers_query_and_body_as_they_are_sent() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let headers = [(KEY_HEADER, caller.key.clone())];
    let call = |query: String, form: String| {
        let headers = headers.clone();
        let sandbox = &sandbox;
        async move { send(sandbox, "POST", &format!("/api/v3/order/test?{query}"), &headers, &form).await }
    };
    let (query, form) = ("symbol=BTCUSDT&side=BUY&type=LIMIT", "timeInForce=GTC&price=50000&quantity=0.001");
    let form = format!("{form}&timestamp={}", now_millis());
    // Nothing stands between query and body.
    let signature = caller.sign(&format!("{query}{form}"));
    assert_eq!(call(query.to_owned(), format!("{form}&signature={signature}")).await.status, 200);
    let signature = caller.sign(&format!("{query}&{form}"));
    let answer = call(query.to_owned(), format!("{form}&signature={signature}")).await;
    assert_eq!(refusal(&answer), (400, -1022, "Signature for this request is not valid.".to_owned()));
    // The order of the parameters is that of the sender, but for the signature.
    let signature = caller.sign(&form);
    assert_eq!(refusal(&call(format!("signature={signature}&{form}"), String::new()).await).1, -1022);
    // A name that is not ASCII is signed as it is encoded.
    let order = limit(&encode("币安人生USDT"), "BUY", "0.4", "100");
    assert_eq!(caller.send("POST", "/api/v3/order/test", &order, Place::Query).await.status, 200);
    // Where both have a parameter, the query wins, and both are signed.
    let wrong = limit("BTCUSDT", "BUY", "0", "0");
    let right = limit("BTCUSDT", "BUY", "50000", "0.001");
    let text = format!("{wrong}&timestamp={}", now_millis());
    let signature = caller.sign(&format!("{right}{text}"));
    assert_eq!(call(right, format!("{text}&signature={signature}")).await.status, 200);
}

#[tokio::test]
async fn what_is_wrong_with_a_caller_has_its_own_code() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let call = |uri: String, key: Option<&str>| {
        let headers: Vec<(&str, String)> = key.map(|key| (KEY_HEADER, key.to_owned())).into_iter().collect();
        let sandbox = &sandbox;
        async move { refusal(&send(sandbox, "GET", &uri, &headers, "").await) }
    };
    let uri = |params: &str| {
        let signature = caller.sign(params);
        format!("/api/v3/account?{params}&signature={signature}")
    };
    // A window that is longer than all of this takes.
    let now = format!("recvWindow=60000&timestamp={}", now_millis());
    let key = Some(caller.key.as_str());
    assert_eq!(call(uri(&now), None).await, (401, -2014, "API-key format invalid.".to_owned()));
    let unknown = "a".repeat(64);
    let refused = call(uri(&now), Some(&unknown)).await;
    assert_eq!(refused, (401, -2015, "Invalid API-key, IP, or permissions for action.".to_owned()));
    let late = format!("timestamp={}", now_millis() - 5_100);
    let refused = call(uri(&late), key).await;
    assert_eq!(refused, (400, -1021, "Timestamp for this request is outside of the recvWindow.".to_owned()));
    assert_eq!(call(uri(&format!("timestamp={}", now_millis() + 90_000)), key).await.1, -1021);
    assert_eq!(call(uri(&format!("recvWindow=60001&timestamp={}", now_millis())), key).await.1, -1131);
    assert_eq!(call(uri("timestamp=-9223372036854775808"), key).await.1, -1100);
    let missing = "Mandatory parameter 'timestamp' was not sent, was empty/null, or malformed.";
    assert_eq!(call(uri("recvWindow=5000"), key).await, (400, -1102, missing.to_owned()));
    let missing = "Mandatory parameter 'signature' was not sent, was empty/null, or malformed.";
    assert_eq!(call(format!("/api/v3/account?{now}"), key).await, (400, -1102, missing.to_owned()));
    // A capital letter more or less is the same hex.
    let upper = format!("/api/v3/account?{now}&signature={}", caller.sign(&now).to_uppercase());
    assert_eq!(send(&sandbox, "GET", &upper, &[(KEY_HEADER, caller.key.clone())], "").await.status, 200);
    let micros = format!("timestamp={}", now_millis() * 1000);
    assert_eq!(send(&sandbox, "GET", &uri(&micros), &[(KEY_HEADER, caller.key.clone())], "").await.status, 200);
}

#[tokio::test]
async fn parameters_are_refused_by_their_names() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let order = limit("BTCUSDT", "BUY", "50000", "0.001");
    let cases = [
        (order.replace("symbol=BTCUSDT&", ""), -1102),
        (order.replace("BTCUSDT", "NOPE"), -1121),
        (order.replace("BTCUSDT", "btcusdt"), -1100),
        (order.replace("BUY", "HOLD"), -1117),
        (order.replace("LIMIT", "LIMITED"), -1116),
        (order.replace("GTC", "GTX"), -1115),
        (order.replace("&timeInForce=GTC", ""), -1102),
        (order.replace("price=50000", "price="), -1105),
        (order.replace("price=50000", "price=5e4"), -1100),
        (order.replace("type=LIMIT", "type=MARKET"), -1106),
        (format!("{order}&newClientOrderId=with%20space"), -1100),
        (format!("{order}&symbol=BTCUSDT"), -1101),
        (order.replace("price=50000", "price=50000.001"), -1013),
        (order.replace("price=50000", "price=1"), -1013),
        (order.replace("quantity=0.001", "quantity=0.000001"), -1013),
        (order.replace("quantity=0.001", "quantity=0.00001"), -1013),
        (order.replace("quantity=0.001", "quantity=0.0010000000001"), -1111),
    ];
    for (params, code) in cases {
        let refused = caller.refused("POST", ORDER, &params).await;
        assert_eq!((refused.0, refused.1), (400, code), "{params}: {}", refused.2);
    }
    let (_, _, text) = caller.refused("POST", ORDER, &order.replace("price=50000", "price=50000.001")).await;
    assert_eq!(text, "Filter failure: PRICE_FILTER");
    let nowhere = send(&sandbox, "GET", "/api/v3/nowhere", &[], "").await;
    assert_eq!(nowhere.status, 404);
}

#[tokio::test]
async fn a_key_does_only_what_its_permissions_allow() {
    let key = |name: &str, permissions: &[&str], ips: Option<&str>| BinanceKey {
        api_key: name.to_owned(),
        api_secret: Some(format!("secret-of-{name}")),
        permissions: Some(permissions.iter().map(|&word| word.to_owned()).collect()),
        ips: ips.map(|ip| vec![ip.to_owned()]),
        ..BinanceKey::default()
    };
    let binance = vec![
        key("reads", &[], None),
        key("trades", &["enableSpotAndMarginTrading"], Some("127.0.0.1")),
        key("elsewhere", &["enableSpotAndMarginTrading"], Some("192.0.2.1")),
    ];
    let sandbox = Sandbox::start(Accounts { binance, ..Accounts::default() }).await.unwrap();
    let [reads, trades, elsewhere] = [0, 1, 2].map(|index| Caller::given(&sandbox, index));
    let order = limit("BTCUSDT", "BUY", "50000", "0.001");
    assert_eq!(reads.refused("POST", ORDER, &order).await.1, -2015);
    assert!(reads.get("/api/v3/openOrders", "").await.as_array().unwrap().is_empty());
    trades.place(&order).await;
    assert_eq!(trades.get(RESTRICTIONS, "").await["ipRestrict"], true);
    assert_eq!(elsewhere.refused("GET", "/api/v3/account", "").await.1, -2015);
    let withdrawal = "coin=USDT&address=0xabc&amount=5";
    assert_eq!(trades.refused("POST", "/sapi/v1/capital/withdraw/apply", withdrawal).await.1, -2015);
    let wrong = BinanceKey { permissions: Some(vec!["enableMoon".to_owned()]), ..BinanceKey::default() };
    let accounts = Accounts { binance: vec![wrong], ..Accounts::default() };
    assert!(Sandbox::start(accounts).await.unwrap_err().to_string().starts_with("binance[0].permissions"));
}

#[tokio::test]
async fn keys_of_a_sub_account_are_created_used_changed_and_deleted() {
    let sandbox = two_accounts().await;
    let master = Caller::given(&sandbox, 0);
    let created = master.call("POST", "/sapi/v1/sub-account/virtualSubAccount", "subAccountString=Robot").await;
    let email = created["email"].as_str().unwrap().to_owned();
    assert!(email.starts_with("robot_virtual@"), "{email}");
    let listed = master.get("/sapi/v1/sub-account/list", &format!("email={}", encode(&email))).await;
    assert_eq!(listed["subAccounts"][0]["email"], *email);
    let email = format!("email={}", encode(&email));

    let key = master.call("POST", SUB_KEYS, &format!("{email}&apiName=bot&status=1&canTrade=true")).await;
    assert_eq!(
        (&key["canTrade"], &key["canMarginLoanRepay"], &key["status"]),
        (&json!(true), &json!(false), &json!(1))
    );
    let own = Caller::of(&sandbox, &key);
    assert_eq!(own.get(RESTRICTIONS, "").await["enableSpotAndMarginTrading"], true);
    assert_eq!(own.get("/api/v3/account", "omitZeroBalances=true").await["balances"], json!([]));
    // Only a master manages keys, and only its own sub-accounts'.
    assert_eq!(own.refused("GET", SUB_KEYS, &email).await.1, -2015);
    assert_eq!(Caller::given(&sandbox, 1).refused("GET", SUB_KEYS, &email).await.1, -1130);

    let which = format!("{email}&subAccountApiKey={}", own.key);
    let changed = master.call("POST", SUB_PERMISSION, &format!("{which}&canTrade=false&canFuturesTrade=true")).await;
    assert_eq!((&changed["canTrade"], &changed["canFuturesTrade"]), (&json!(false), &json!(true)));
    assert_eq!(changed["apikey"], *own.key);
    assert_eq!(own.refused("POST", ORDER, &limit("BTCUSDT", "BUY", "50000", "0.001")).await.1, -2015);
    let rows = master.get(SUB_KEYS, &email).await;
    assert_eq!((&rows["total"], &rows["rows"][0]["apikey"]), (&json!(1), &json!(own.key)));

    let restrict = "/sapi/v2/sub-account/subAccountApi/ipRestriction";
    let bound = master.call("POST", restrict, &format!("{which}&status=2&ipAddress=192.0.2.1,192.0.2.2")).await;
    assert_eq!(bound["ipList"], json!(["192.0.2.1", "192.0.2.2"]));
    assert_eq!(own.refused("GET", "/api/v3/account", "").await.1, -2015, "it is bound elsewhere");
    let list = format!("{SUB_KEYS}/ipRestriction/ipList");
    master.call("DELETE", &list, &format!("{which}&ipAddress=192.0.2.1")).await;
    let shown = master.get("/sapi/v1/sub-account/subAccountApi/ipRestriction", &which).await;
    assert_eq!((&shown["ipList"], &shown["ipRestrict"]), (&json!(["192.0.2.2"]), &json!("true")));
    assert_eq!(master.refused("POST", SUB_KEYS, &format!("{email}&apiName=b&status=2")).await.1, -1102);

    assert_eq!(master.call("DELETE", SUB_KEYS, &which).await, json!({}));
    assert_eq!(own.refused("GET", "/api/v3/account", "").await.1, -2015);
    assert_eq!(master.get(SUB_KEYS, &email).await["total"], 0);
    assert_eq!(master.refused("DELETE", SUB_KEYS, &which).await.1, -1130);
}

/// A key pair: the private half for signing, the public half as it is sent.
fn ed25519_pair() -> (Secret, String) {
    use ed25519_dalek::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _};
    let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let private = key.to_pkcs8_pem(ed25519_dalek::pkcs8::spki::der::pem::LineEnding::LF).unwrap().to_string();
    let public = key.verifying_key().to_public_key_pem(ed25519_dalek::pkcs8::spki::der::pem::LineEnding::LF).unwrap();
    (Secret::Ed25519(private), public)
}

#[tokio::test]
async fn a_key_pair_of_ones_own_has_no_secret() {
    let sandbox = two_accounts().await;
    let master = Caller::given(&sandbox, 0);
    let (secret, public) = ed25519_pair();
    let email = encode("first.sub_virtual@sandboxnoemail.com");
    let params = format!("email={email}&apiName=pair&status=1&canTrade=true&publicKey={}", encode(&public));
    let created = master.call("POST", SUB_KEYS, &params).await;
    assert!(created.get("secretKey").is_none_or(serde_json::Value::is_null), "{created}");
    let own = Caller { sandbox: &sandbox, key: created["apiKey"].as_str().unwrap().to_owned(), secret: secret.clone() };
    own.get("/api/v3/account", "").await;
    // The bare base64 is taken as well; an RSA key is not.
    let bare: String = public.lines().filter(|line| !line.starts_with("-----")).collect();
    let params = format!("email={email}&apiName=bare&status=1&publicKey={}", encode(&bare));
    master.call("POST", SUB_KEYS, &params).await;
    let accounts = Accounts::default().complete().unwrap();
    let rsa = accounts.binance.iter().filter_map(|key| key.public_key_pem.as_deref()).find(|pem| pem.len() > 200);
    for wrong in ["AAAA", &encode(rsa.unwrap())] {
        let params = format!("email={email}&apiName=none&status=1&publicKey={wrong}");
        assert_eq!(master.refused("POST", SUB_KEYS, &params).await.1, -1130, "{wrong}");
    }
}

#[tokio::test]
async fn special_keys_for_margin_are_created_and_deleted_by_key_or_name() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let path = "/sapi/v1/margin/apiKey";
    let first = caller.call("POST", path, "apiName=fast&ip=192.0.2.1").await;
    assert_eq!(first["type"], "HMAC_SHA256");
    let second = caller.call("POST", path, "apiName=fast").await;
    let own = Caller::of(&sandbox, &second);
    own.place(&limit("BTCUSDT", "BUY", "50000", "0.001")).await;
    let (secret, public) = ed25519_pair();
    let params = format!("apiName=pair&permissionMode=READ&publicKey={}", encode(&public));
    let pair = caller.call("POST", path, &params).await;
    assert_eq!((&pair["secretKey"], &pair["type"]), (&serde_json::Value::Null, &json!("Ed25519")));
    let reads = Caller { sandbox: &sandbox, key: pair["apiKey"].as_str().unwrap().to_owned(), secret };
    reads.get("/api/v3/openOrders", "").await;
    assert_eq!(reads.refused("POST", ORDER, &limit("BTCUSDT", "BUY", "50000", "0.001")).await.1, -2015);
    let names = |list: &serde_json::Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|one| one["apiName"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&caller.get("/sapi/v1/margin/api-key-list", "").await), ["fast", "fast", "pair"]);
    assert_eq!(caller.refused("POST", path, "apiName=x&permissionMode=READ").await.1, -1128);

    let which = format!("apiKey={}", first["apiKey"].as_str().unwrap());
    assert_eq!(caller.get(path, &which).await["ip"], "192.0.2.1");
    caller.call("PUT", "/sapi/v1/margin/apiKey/ip", &format!("{which}&ip=127.0.0.1")).await;
    Caller::of(&sandbox, &first).get("/api/v3/account", "").await;
    caller.call("DELETE", path, &which).await;
    assert_eq!(names(&caller.get("/sapi/v1/margin/api-key-list", "").await), ["fast", "pair"]);
    caller.call("DELETE", path, "apiName=fast").await;
    assert_eq!(own.refused("GET", "/api/v3/account", "").await.1, -2015);
    // For one market they are listed alone.
    caller.call("POST", path, "apiName=iso&symbol=BTCUSDT").await;
    assert_eq!(names(&caller.get("/sapi/v1/margin/api-key-list", "symbol=BTCUSDT").await), ["iso"]);
    caller.call("POST", "/sapi/v1/margin/exit-special-key-mode", "").await;
    assert!(names(&caller.get("/sapi/v1/margin/api-key-list", "").await).is_empty());
    caller.get(RESTRICTIONS, "").await;
}

#[tokio::test]
async fn headers_count_and_limits_are_enforced_when_asked() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let header = |answer: &common::Answer, name: &str| {
        answer.headers.get(name).map(|value| value.to_str().unwrap().parse::<u64>().unwrap())
    };
    let first = send(&sandbox, "GET", "/api/v3/depth?symbol=BTCUSDT&limit=5000", &[], "").await;
    let used = header(&first, "x-mbx-used-weight-1m").unwrap();
    assert!(used >= 250, "{used}");
    let order = caller.send("POST", ORDER, &limit("BTCUSDT", "BUY", "50000", "0.001"), Place::Form).await;
    assert!(header(&order, "x-mbx-order-count-10s").unwrap() >= 1);
    assert_eq!(header(&order, "x-mbx-order-count-1d"), Some(1));
    let keys = caller.send("GET", SUB_KEYS, "email=first.sub_virtual%40sandboxnoemail.com", Place::Query).await;
    assert_eq!(header(&keys, "x-sapi-used-uid-weight-1m"), Some(3000));
    assert_eq!(header(&keys, "x-mbx-used-weight-1m"), None);
    let restrictions = caller.send("GET", RESTRICTIONS, "", Place::Query).await;
    assert_eq!(header(&restrictions, "x-sapi-used-ip-weight-1m"), Some(1));

    let settings =
        BinanceSettings { enforces_limits: true, weight_per_minute: 1, refusals_before_ban: 1, ..Default::default() };
    sandbox.set_binance_settings(settings);
    let refused = send(&sandbox, "GET", "/api/v3/exchangeInfo", &[], "").await;
    assert_eq!((refused.status, refused.json["code"].as_i64()), (429, Some(-1003)));
    assert!((1..=60).contains(&header(&refused, "retry-after").unwrap()));
    let banned = send(&sandbox, "GET", "/api/v3/exchangeInfo", &[], "").await;
    assert_eq!((banned.status, header(&banned, "retry-after")), (418, Some(120)));
    assert!(banned.json["msg"].as_str().unwrap().contains("IP banned until"), "{}", banned.json);
}

#[tokio::test]
async fn times_come_in_the_unit_that_is_asked_for() {
    let sandbox = two_accounts().await;
    let read = |unit: &'static str, uri: &'static str| {
        let sandbox = &sandbox;
        async move { send(sandbox, "GET", uri, &[("X-MBX-TIME-UNIT", unit.to_owned())], "").await }
    };
    let micros = read("MICROSECOND", "/api/v3/time").await.expect(200)["serverTime"].as_i64().unwrap();
    assert!((micros / 1000 - now_millis()).abs() < 60_000);
    let millis = read("millisecond", "/api/v3/time").await.expect(200)["serverTime"].as_i64().unwrap();
    assert!((millis - now_millis()).abs() < 60_000);
    let candle = read("MICROSECOND", "/api/v3/klines?symbol=BTCUSDT&interval=1h&limit=1").await.expect(200);
    assert_eq!(candle[0][6].as_i64().unwrap() + 1 - candle[0][0].as_i64().unwrap(), 3_600_000_000);
    assert_eq!(read("DAY", "/api/v3/time").await.status, 400);
}

#[tokio::test]
async fn markets_can_be_read() {
    let sandbox = two_accounts().await;
    let info = public(&sandbox, "/api/v3/exchangeInfo?symbols=%5B%22BTCUSDT%22,%22LTCBTC%22%5D").await;
    assert_eq!(info["symbols"].as_array().unwrap().len(), 2);
    assert_eq!(info["rateLimits"][0]["limit"], 6000);
    let both = send(&sandbox, "GET", "/api/v3/exchangeInfo?symbol=BTCUSDT&symbols=%5B%5D", &[], "").await;
    assert_eq!(refusal(&both).1, -1128);
    let book = public(&sandbox, "/api/v3/depth?symbol=BTCUSDT&limit=5").await;
    assert_eq!(
        (book["bids"].as_array().unwrap().len(), &book["asks"][0]),
        (5, &json!(["60000.01000000", "0.50000000"]))
    );
    let ticker = public(&sandbox, "/api/v3/ticker/bookTicker?symbol=BTCUSDT").await;
    assert_eq!((&ticker["bidPrice"], &ticker["askPrice"]), (&json!("59999.99000000"), &json!("60000.01000000")));
    let trades = public(&sandbox, "/api/v3/trades?symbol=BTCUSDT&limit=3").await;
    let from = public(&sandbox, "/api/v3/historicalTrades?symbol=BTCUSDT&fromId=98&limit=10").await;
    assert_eq!(trades, from);
    let together = public(&sandbox, "/api/v3/aggTrades?symbol=BTCUSDT&limit=3").await;
    assert_eq!((&together[2]["l"], &together[2]["p"]), (&trades[2]["id"], &trades[2]["price"]));
    let day = public(&sandbox, "/api/v3/ticker/24hr?symbol=BTCUSDT").await;
    assert_eq!(day["lastPrice"], "60000.00000000");
    assert!((95..=96).contains(&day["count"].as_i64().unwrap()), "a trade each quarter of an hour: {day}");
    let mini = public(&sandbox, "/api/v3/ticker/24hr?symbols=%5B%22BTCUSDT%22%5D&type=MINI").await;
    assert!(mini[0].get("bidPrice").is_none() && mini[0]["symbol"] == "BTCUSDT");
    assert_eq!(public(&sandbox, "/api/v3/ticker/price").await.as_array().unwrap().len(), 6);
    assert_eq!(public(&sandbox, "/api/v3/avgPrice?symbol=BTCUSDT").await["price"], "60000.00000000");
    let window = public(&sandbox, "/api/v3/ticker?symbol=BTCUSDT&windowSize=1h").await;
    assert!(window["openTime"].as_i64().unwrap() % 60_000 == 0 && window["count"].as_i64().unwrap() < 96);
    let candles = public(&sandbox, "/api/v3/klines?symbol=BTCUSDT&interval=1h&limit=4").await;
    assert_eq!((candles.as_array().unwrap().len(), candles[0].as_array().unwrap().len()), (4, 12));
    let wrong = send(&sandbox, "GET", "/api/v3/klines?symbol=BTCUSDT&interval=2m", &[], "").await;
    assert_eq!(refusal(&wrong).1, -1120);
    let zone = "/api/v3/klines?symbol=BTCUSDT&interval=1h&timeZone=9223372036854775807";
    assert_eq!(refusal(&send(&sandbox, "GET", zone, &[], "").await).1, -1130);
    let name = encode("币安人生USDT");
    assert_eq!(public(&sandbox, &format!("/api/v3/ticker/price?symbol={name}")).await["symbol"], "币安人生USDT");
}

#[tokio::test]
async fn a_reset_forgets_everything() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    caller.place(&limit("BTCUSDT", "BUY", "50000", "0.001")).await;
    sandbox.reset();
    assert_eq!(caller.get("/api/v3/openOrders", "").await, json!([]));
}
