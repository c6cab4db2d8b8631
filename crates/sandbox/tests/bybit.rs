//! Bybit: signatures, keys and sub-accounts.

#[path = "common/bybit.rs"]
mod bybit;
mod common;

use bybit::{Caller, code, good, public, two_accounts};
use common::{now_millis, send};
use serde_json::{Value, json};
use venuekit_sandbox::{Accounts, BybitKey, BybitSettings, Sandbox};

const QUERY_API: &str = "/v5/user/query-api";
const DAY: i64 = 86_400_000;

async fn sub_account(master: &Caller<'_>, name: &str) -> i64 {
    let created = master.write("/v5/user/create-sub-member", json!({"username": name, "memberType": 1})).await;
    created["uid"].as_str().unwrap().parse().unwrap()
}

fn key_for(uid: i64) -> Value {
    json!({"subuid": uid, "readOnly": 0, "note": "bot", "permissions": {"Spot": ["SpotTrade"], "Wallet": ["AccountTransfer"], "NFT": ["Old"]}})
}

#[tokio::test]
async fn both_kinds_of_keys_sign() {
    let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
    for (index, has_public_key) in [(0, false), (1, true), (2, false)] {
        let own = Caller::given(&sandbox, index).read(QUERY_API, "").await;
        assert_eq!(own["rsaPublicKey"].as_str().unwrap().contains("PUBLIC KEY"), has_public_key);
        assert_eq!((&own["secret"], &own["isMaster"]), (&json!(""), &json!(true)));
    }
    let uid = |index| {
        let caller = Caller::given(&sandbox, index);
        async move { caller.read(QUERY_API, "").await["userID"].take() }
    };
    assert_eq!(uid(0).await, uid(1).await, "two keys of one account");
    assert_ne!(uid(0).await, uid(2).await);
}

#[tokio::test]
async fn a_wrong_signature_is_refused_with_the_text() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let mut headers = caller.headers(now_millis(), "5000", "category=linear");
    headers[3].1 = headers[3].1.replace(|one: char| one.is_ascii_digit(), "0");
    let refused = send(&sandbox, "GET", "/v5/order/realtime?category=linear", &headers, "").await;
    assert_eq!(code(&refused), 10004);
    let text = refused.json["retMsg"].as_str().unwrap();
    let expected = format!("{}key-******rst15000category=linear", headers[1].1);
    assert!(text.contains(&expected) && !text.contains(&caller.key), "{text}");
    // Capitals are not what the venue documents, and a signature covers the body.
    let mut capitals = caller.headers(now_millis(), "5000", "");
    capitals[3].1 = capitals[3].1.to_uppercase();
    assert_eq!(code(&send(&sandbox, "GET", QUERY_API, &capitals, "").await), 10004);
    let body = r#"{"readOnly": 0}"#;
    let of_another = caller.headers(now_millis(), "5000", r#"{"readOnly":0}"#);
    assert_eq!(code(&send(&sandbox, "POST", "/v5/user/update-api", &of_another, body).await), 10004);
}

#[tokio::test]
async fn what_is_missing_or_unknown_is_refused() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    for missing in 0..4 {
        let mut headers = caller.headers(now_millis(), "", "");
        headers.remove(missing);
        let answer = send(&sandbox, "GET", QUERY_API, &headers, "").await;
        // The window is optional.
        assert_eq!(answer.status, if missing == 2 { 200 } else { 401 }, "{}", answer.json);
    }
    let stranger = Caller { key: "nobody".to_owned(), ..caller.clone() };
    assert_eq!(stranger.refused_read(QUERY_API, "").await, 10003);
    let headers = caller.headers(now_millis(), "5000", "");
    assert_eq!(send(&sandbox, "GET", QUERY_API, &headers, "{}").await.status, 403, "a GET has no body");
    assert_eq!(send(&sandbox, "GET", "/v5/no/such/path", &headers, "").await.status, 404);
}

#[tokio::test]
async fn the_clock_is_judged_by_the_window() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let at = async |offset: i64, window: &str| {
        let headers = caller.headers(now_millis() + offset, window, "");
        send(&sandbox, "GET", QUERY_API, &headers, "").await
    };
    let old = at(-60_000, "5000").await;
    assert_eq!(code(&old), 10002);
    let text = old.json["retMsg"].as_str().unwrap();
    assert!(text.contains("req_timestamp[") && text.contains("server_timestamp["), "{text}");
    assert_eq!(code(&at(60_000, "5000").await), 10002);
    good(at(-60_000, "120000").await);
    sandbox.clock().set_offset_millis(3_600_000);
    let time = public(&sandbox, "/v5/market/time").await;
    let second: i64 = time["timeSecond"].as_str().unwrap().parse().unwrap();
    assert!((second - now_millis() / 1000 - 3600).abs() <= 2);
    assert!(time["timeNano"].as_str().unwrap().starts_with(&second.to_string()));
    good(at(3_600_000, "5000").await);
}

#[tokio::test]
async fn a_key_of_a_sub_account_lives_and_dies() {
    let sandbox = two_accounts().await;
    let master = Caller::given(&sandbox, 0);
    let uid = sub_account(&master, "trader01").await;
    let created = master.write("/v5/user/create-sub-api", key_for(uid)).await;
    assert_eq!(created["permissions"]["Spot"], json!(["SpotTrade"]));
    assert_eq!(created["permissions"]["NFT"], json!([]), "words of this product are dropped");
    assert!(created.get("ips").is_none());
    let key = Caller::of(&sandbox, &created);
    let own = key.read(QUERY_API, "").await;
    assert_eq!((&own["isMaster"], &own["readOnly"], &own["note"]), (&json!(false), &json!(0), &json!("bot")));
    assert_eq!(own["userID"], json!(uid));
    let parent = master.read(QUERY_API, "").await["userID"].to_string();
    assert_eq!(own["parentUid"], json!(parent));

    let listed = master.read("/v5/user/sub-apikeys", &format!("subMemberId={uid}")).await;
    let listed = &listed["result"][0];
    assert_eq!((&listed["secret"], &listed["flag"], &listed["status"]), (&json!("******"), &json!("hmac"), &json!(3)));
    assert_eq!((&listed["readOnly"], &listed["ips"]), (&json!(false), &json!(["*"])));

    // The key edits itself without its name; the master names it.
    assert_eq!(key.refused("/v5/user/update-sub-api", json!({"apikey": key.key, "readOnly": 1})).await, 10001);
    let edited = key.write("/v5/user/update-sub-api", json!({"readOnly": 1})).await;
    assert_eq!((&edited["readOnly"], &edited["secret"]), (&json!(1), &json!("")));
    let body = json!({"apikey": key.key, "readOnly": 0, "ips": "127.0.0.1,10.0.0.1"});
    let bound = master.write("/v5/user/update-sub-api", body).await;
    assert_eq!(bound["ips"], json!(["127.0.0.1", "10.0.0.1"]));
    let as_list = json!({"apikey": key.key, "ips": ["127.0.0.1"]});
    let listed = master.write("/v5/user/update-sub-api", as_list).await;
    assert_eq!(listed["ips"], json!(["127.0.0.1"]), "some clients send a list");
    let own = key.read(QUERY_API, "").await;
    assert_eq!((&own["deadlineDay"], &own["expiredAt"]), (&json!(-2), &json!("1970-01-01T00:00:00Z")));

    let other = Caller::given(&sandbox, 1);
    assert_eq!(other.refused("/v5/user/delete-sub-api", json!({"apikey": key.key})).await, 10001, "of another master");
    master.write("/v5/user/delete-sub-api", json!({"apikey": key.key})).await;
    assert_eq!(key.refused_read(QUERY_API, "").await, 10003);
    let left = master.read("/v5/user/sub-apikeys", &format!("subMemberId={uid}")).await;
    assert_eq!(left["result"], json!([]));
}

#[tokio::test]
async fn an_address_binds_a_key() {
    let sandbox = two_accounts().await;
    let master = Caller::given(&sandbox, 0);
    let uid = sub_account(&master, "trader01").await;
    let mut body = key_for(uid);
    body["ips"] = json!("192.0.2.1");
    let key = Caller::of(&sandbox, &master.write("/v5/user/create-sub-api", body.clone()).await);
    assert_eq!(key.refused_read(QUERY_API, "").await, 10010);
    master.write("/v5/user/update-sub-api", json!({"apikey": key.key, "ips": "*"})).await;
    assert_eq!(key.read(QUERY_API, "").await["deadlineDay"], 90);
    body["ips"] = json!("not an address");
    assert_eq!(master.refused("/v5/user/create-sub-api", body).await, 10001);
}

#[tokio::test]
async fn an_unbound_key_ends_after_ninety_days() {
    let sandbox = two_accounts().await;
    let master = Caller::given(&sandbox, 0);
    let uid = sub_account(&master, "trader01").await;
    let key = Caller::of(&sandbox, &master.write("/v5/user/create-sub-api", key_for(uid)).await);
    let at = async |days: i64, caller: &Caller<'_>, path: &str, query: &str| {
        sandbox.clock().set_offset_millis(days * DAY);
        let uri = format!("{path}?{query}");
        let headers = caller.headers(now_millis() + days * DAY, "5000", query);
        send(&sandbox, "GET", uri.trim_end_matches('?'), &headers, "").await
    };
    // The master's own key lasts: it is bound meanwhile.
    let bound = Accounts {
        bybit: vec![BybitKey { ips: Some(vec!["127.0.0.1".to_owned()]), ..sandbox.accounts().bybit[0].clone() }],
        ..Accounts::default()
    };
    assert_eq!(good(at(84, &key, QUERY_API, "").await)["deadlineDay"], 6);
    let list = format!("subMemberId={uid}");
    let status = good(at(84, &master, "/v5/user/sub-apikeys", &list).await)["result"][0]["status"].clone();
    assert_eq!(status, 4, "it ends within a week");
    assert_eq!(code(&at(91, &key, QUERY_API, "").await), 33004);
    let sandbox = Sandbox::start(bound).await.unwrap();
    let master = Caller::given(&sandbox, 0);
    assert_eq!(master.read(QUERY_API, "").await["deadlineDay"], -2);
}

#[tokio::test]
async fn what_a_key_may_not_do_is_refused() {
    let permissions = |text: &str| serde_json::from_str(text).unwrap();
    let key = |name: &str, text: &str, read_only: bool| BybitKey {
        api_key: name.to_owned(),
        permissions: Some(permissions(text)),
        read_only,
        ..BybitKey::default()
    };
    let bybit = vec![
        key("spot", r#"{"Spot": ["SpotTrade"]}"#, false),
        key("wallet", r#"{"Wallet": ["AccountTransfer"]}"#, false),
        key("reads", r#"{"Spot": ["SpotTrade"], "Wallet": ["AccountTransfer"]}"#, true),
    ];
    let sandbox = Sandbox::start(Accounts { bybit, ..Accounts::default() }).await.unwrap();
    let [spot, wallet, reads] = [0, 1, 2].map(|index| Caller::given(&sandbox, index));
    let order = |category: &str| bybit::limit(category, "BTCUSDT", "Buy", "90000", "0.001");
    spot.write("/v5/order/create", order("spot")).await;
    assert_eq!(spot.refused("/v5/order/create", order("linear")).await, 10005);
    assert_eq!(spot.refused_read("/v5/position/list", "category=linear&symbol=BTCUSDT").await, 10005);
    assert_eq!(wallet.refused("/v5/order/create", order("spot")).await, 10005);
    assert_eq!(reads.refused("/v5/order/create", order("spot")).await, 10005);
    reads.read("/v5/order/realtime", "category=spot").await;
    let withdrawal = json!({"id": "10197"});
    assert_eq!(wallet.refused("/v5/asset/withdraw/cancel", withdrawal).await, 10005);
    assert_eq!(wallet.refused("/v5/position/switch-mode", json!({"category": "linear", "mode": 0})).await, 10005);
    let member = json!({"username": "trader01", "memberType": 1});
    assert_eq!(spot.refused("/v5/user/create-sub-member", member.clone()).await, 10005, "no wallet permission");
    let uid = sub_account(&wallet, "trader01").await;
    assert_eq!(reads.refused("/v5/user/create-sub-api", key_for(uid)).await, 10005);
    let sub = Caller::of(&sandbox, &wallet.write("/v5/user/create-sub-api", key_for(uid)).await);
    assert_eq!(sub.refused_read("/v5/user/sub-apikeys", &format!("subMemberId={uid}")).await, 10005);
    assert_eq!(sub.refused("/v5/user/delete-api", json!({})).await, 10005, "that is for masters");
    let mut wrong = key_for(uid);
    wrong["permissions"] = json!({"Wallet": ["Withdraw"]});
    assert_eq!(wallet.refused("/v5/user/create-sub-api", wrong.clone()).await, 10001, "only a master withdraws");
    wrong["permissions"] = json!({});
    assert_eq!(wallet.refused("/v5/user/create-sub-api", wrong).await, 10001);
    sub.write("/v5/user/delete-sub-api", json!({})).await;
    assert_eq!(sub.refused_read(QUERY_API, "").await, 10003);
}

#[tokio::test]
async fn the_last_key_deletes_itself() {
    let sandbox = two_accounts().await;
    let master = Caller::given(&sandbox, 0);
    let edited = master.write("/v5/user/update-api", json!({"permissions": {"Wallet": ["Withdraw"]}})).await;
    assert_eq!(edited["permissions"]["Wallet"], json!(["Withdraw"]));
    assert_eq!(edited["permissions"]["Spot"], json!([]));
    master.write("/v5/user/delete-api", json!({})).await;
    assert_eq!(master.refused_read(QUERY_API, "").await, 10003);
    Caller::given(&sandbox, 1).read(QUERY_API, "").await;
}

#[tokio::test]
async fn keys_are_listed_in_pages() {
    let sandbox = two_accounts().await;
    let master = Caller::given(&sandbox, 0);
    let uid = sub_account(&master, "trader01").await;
    for _ in 0..5 {
        master.write("/v5/user/create-sub-api", key_for(uid)).await;
    }
    let (mut seen, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        // Sent as it came: the venue's cursors are encoded already.
        let page = master.read("/v5/user/sub-apikeys", &format!("subMemberId={uid}&limit=2&cursor={cursor}")).await;
        seen.extend(page["result"].as_array().unwrap().iter().map(|key| key["apiKey"].to_string()));
        pages += 1;
        cursor = page["nextPageCursor"].as_str().unwrap().to_owned();
        if cursor.is_empty() {
            break;
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!((pages, seen.len()), (3, 5));
    let wrong = master.refused_read("/v5/user/sub-apikeys", &format!("subMemberId={uid}&cursor=7")).await;
    assert_eq!(wrong, 10001);
}

#[tokio::test]
async fn sub_accounts_are_frozen_and_deleted() {
    let sandbox = two_accounts().await;
    let master = Caller::given(&sandbox, 0);
    for wrong in ["short", "onlyletters", "1234567", "with space1"] {
        let body = json!({"username": wrong, "memberType": 1});
        assert_eq!(master.refused("/v5/user/create-sub-member", body).await, 10001, "{wrong}");
    }
    let uid = sub_account(&master, "trader01").await;
    let again = json!({"username": "Trader01", "memberType": 1});
    assert_eq!(master.refused("/v5/user/create-sub-member", again).await, 31005);
    let second = sub_account(&master, "trader02").await;
    let key = Caller::of(&sandbox, &master.write("/v5/user/create-sub-api", key_for(uid)).await);
    master.write("/v5/user/frozen-sub-member", json!({"subuid": uid, "frozen": 1})).await;
    assert_eq!(key.refused_read(QUERY_API, "").await, 10008);
    let all = master.read("/v5/user/query-sub-members", "").await;
    let statuses: Vec<_> = all["subMembers"].as_array().unwrap().iter().map(|one| one["status"].clone()).collect();
    assert_eq!(statuses, [4, 1]);
    master.write("/v5/user/frozen-sub-member", json!({"subuid": uid, "frozen": 0})).await;
    key.read(QUERY_API, "").await;
    let page = master.read("/v5/user/submembers", "pageSize=1").await;
    assert_eq!(
        (&page["subMembers"][0]["uid"], &page["nextCursor"]),
        (&json!(uid.to_string()), &json!(uid.to_string()))
    );
    let next = master.read("/v5/user/submembers", &format!("pageSize=1&nextCursor={uid}")).await;
    assert_eq!((&next["subMembers"][0]["uid"], &next["nextCursor"]), (&json!(second.to_string()), &json!("0")));
    let stranger = Caller::given(&sandbox, 1);
    let body = json!({"subMemberId": uid.to_string()});
    assert_eq!(stranger.refused("/v5/user/del-submember", body.clone()).await, 10001);
    master.write("/v5/user/del-submember", body).await;
    assert_eq!(key.refused_read(QUERY_API, "").await, 10003, "its keys go with it");
    assert_eq!(master.read("/v5/user/query-sub-members", "").await["subMembers"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn limits_count_down_and_are_enforced_when_asked() {
    let sandbox = two_accounts().await;
    let caller = Caller::given(&sandbox, 0);
    let header =
        |answer: &common::Answer, name: &str| -> i64 { answer.headers[name].to_str().unwrap().parse().unwrap() };
    let first = caller.get("/v5/account/fee-rate", "category=linear").await;
    assert_eq!((header(&first, "x-bapi-limit"), header(&first, "x-bapi-limit-status")), (5, 4));
    for _ in 0..20 {
        caller.read("/v5/account/fee-rate", "category=linear").await;
    }
    sandbox.set_bybit_settings(BybitSettings { enforces_limits: true, ..sandbox.bybit_settings() });
    let path = "/v5/asset/transfer/query-transfer-coin-list";
    let query = "fromAccountType=UNIFIED&toAccountType=FUND";
    for left in (0..60).rev() {
        let answer = caller.get(path, query).await;
        assert_eq!((header(&answer, "x-bapi-limit-status"), header(&answer, "x-bapi-limit")), (left, 60));
        good(answer);
    }
    let refused = caller.get(path, query).await;
    assert_eq!(code(&refused), 10006);
    let reset = header(&refused, "x-bapi-limit-reset-timestamp");
    assert!((0..=60_000).contains(&(reset - refused.json["time"].as_i64().unwrap())), "{reset}");
    Caller::given(&sandbox, 1).read(path, query).await;
}
