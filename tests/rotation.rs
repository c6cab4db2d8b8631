//! A key that takes another one's place may do no more than the old one. Where the venue's list does not show what the old one may do,
//! nothing is sent.

#[path = "common/canned.rs"]
mod canned;

use std::sync::Arc;

use canned::{Canned, Script, Seen, http};
use venuekit::auth::KeyKind;
use venuekit::keys::{ApiKeys, NewKey, OldSecret};
use venuekit::{Error, binance, bybit, kalshi, yativo};
use venuekit_sandbox::{Accounts, BybitKey, Sandbox};

/// The error of a call that was refused here, before anything was sent.
fn refused_here<T: std::fmt::Debug>(result: Result<T, Error>, expected: &str) {
    let error = result.unwrap_err();
    assert!(error.status().is_none() && !error.may_have_been_applied(), "{error}");
    assert!(error.to_string().contains(expected), "{error}");
}

/// A server that responds to reading calls by the ends of their paths, and to all others with an empty object.
async fn reading(responses: &'static [(&'static str, &'static str)]) -> Canned {
    let script: Script = Arc::new(move |seen: &Seen| {
        let line = seen.head.lines().next().unwrap_or_default();
        let path = line.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default();
        let found = responses.iter().find(|(end, _)| line.starts_with("GET ") && path.ends_with(end));
        http(200, "application/json", found.map_or("{}", |(_, body)| body).as_bytes())
    });
    Canned::start(script).await
}

/// Nothing that changes something has arrived.
fn only_read(server: &Canned) {
    let seen = server.seen();
    assert!(!seen.is_empty() && seen.iter().all(|one| one.head.starts_with("GET ")), "{seen:?}");
}

fn bybit_client(base_url: String, credentials: bybit::Credentials) -> bybit::Client {
    bybit::Client::builder(bybit::Environment::Custom(base_url)).credentials(credentials).build().unwrap()
}

/// A sandbox with one sub-account, whose id is returned, and the client of the main account.
async fn bybit_owner() -> (Sandbox, bybit::Client, String) {
    let owner =
        BybitKey { api_key: "owner-key".into(), api_secret: Some("owner-secret".into()), ..BybitKey::default() };
    let sandbox = Sandbox::start(Accounts { bybit: vec![owner], ..Accounts::default() }).await.unwrap();
    let credentials = bybit::Credentials::api_key("owner-key", "owner-secret").unwrap();
    let client = bybit_client(sandbox.bybit_url(), credentials);
    let trader = client.create_sub_member().username("trader01").member_type(1).send().await.unwrap();
    (sandbox, client, trader.result.uid.clone())
}

#[tokio::test]
async fn a_key_of_bybit_that_only_reads_is_followed_by_one_that_only_reads() {
    let (sandbox, client, uid) = bybit_owner().await;
    let keys = client.keys();
    let new = NewKey::named("bot").scopes(["Spot:SpotTrade", "Wallet:AccountTransfer"]).sub_account(&uid);
    let id = keys.create(new.clone().addresses(["127.0.0.1"])).await.unwrap().id;
    let writes = keys.find(&id).await.unwrap().unwrap();
    assert_eq!(writes.restrictions, ["address 127.0.0.1"], "a key that writes has no such limit");
    client.update_sub_api_key().apikey(&id).read_only(1).ips("127.0.0.1").send().await.unwrap();
    let old = keys.find(&id).await.unwrap().unwrap();

    let rotated = keys.rotate(&id).await.unwrap();
    assert!(matches!(rotated.old, OldSecret::Revoked), "{:?}", rotated.old);
    let entries = client.list_sub_api_keys().sub_member_id(&uid).send().await.unwrap();
    let entry = entries.result.result.iter().find(|entry| entry.api_key == rotated.key.id).unwrap();
    assert_eq!(entry.read_only, Some(true), "the new key only reads");
    assert_eq!(old.restrictions, ["address 127.0.0.1", "reads only"]);
    let shown = keys.find(&rotated.key.id).await.unwrap().unwrap();
    assert_eq!((&shown.scopes, &shown.restrictions), (&old.scopes, &old.restrictions));
    // What the key itself is told is a number, and no boolean.
    let bot = bybit_client(sandbox.bybit_url(), bybit::Credentials::try_from(&rotated.key).unwrap());
    let own = bot.keys().own().await.unwrap().unwrap();
    assert!(own.restrictions.contains(&"reads only".to_owned()), "{:?}", own.restrictions);
    let own = keys.own().await.unwrap().unwrap();
    assert!(!own.restrictions.contains(&"reads only".to_owned()), "{:?}", own.restrictions);

    // A key that is to be like that one, and one that replaces a key that writes.
    let like = keys.create(new.clone().like(&rotated.key.id)).await.unwrap();
    assert_eq!(keys.find(&like.id).await.unwrap().unwrap().restrictions, old.restrictions);
    let writing = keys.create(new).await.unwrap();
    let writing = keys.rotate(&writing.id).await.unwrap().key;
    assert_eq!(keys.find(&writing.id).await.unwrap().unwrap().restrictions, [""; 0]);
}

#[tokio::test]
async fn a_key_of_bybit_is_not_replaced_where_the_list_does_not_show_whether_it_only_reads() {
    let server = reading(&[
        ("/query-sub-members", r#"{"retCode":0,"result":{"subMembers":[{"uid":"7","username":"trader01"}]}}"#),
        (
            "/sub-apikeys",
            r#"{"retCode":0,"result":{"result":[{"id":"1","apiKey":"old","note":"bot","status":3,"ips":["*"],
                "permissions":{"Spot":["SpotTrade"]}}],"nextPageCursor":""}}"#,
        ),
        (
            "/query-api",
            r#"{"retCode":0,"result":{"id":"2","apiKey":"owner-key","permissions":{"Spot":["SpotTrade"]}}}"#,
        ),
    ])
    .await;
    let credentials = bybit::Credentials::api_key("owner-key", "owner-secret").unwrap();
    let client = bybit_client(server.base_url.clone(), credentials);
    refused_here(client.keys().rotate("old").await, "`readOnly`");
    refused_here(client.keys().create(NewKey::named("bot").sub_account("7").like("old")).await, "`readOnly`");
    only_read(&server);
}

#[tokio::test]
async fn the_key_of_a_main_account_is_not_replaced_by_one_of_a_sub_account() {
    let (_sandbox, client, _) = bybit_owner().await;
    let keys = client.keys();
    refused_here(keys.rotate("owner-key").await, "does not belong to a sub-account");
    let listed = keys.list().await.unwrap();
    assert_eq!(listed.iter().map(|key| key.id.as_str()).collect::<Vec<_>>(), ["owner-key"]);
}

#[tokio::test]
async fn a_key_of_kalshi_without_scopes_in_the_list_is_not_replaced() {
    for scopes in ["null", "[]"] {
        let list: &'static str = format!(
            r#"{{"api_keys":[{{"api_key_id":"0b5d9f5c-0000-4000-8000-000000000001","name":"bot","scopes":{scopes}}}]}}"#
        )
        .leak();
        let server = reading(vec![("/api_keys", list)].leak()).await;
        let pair = venuekit::auth::PrivateKey::generate(KeyKind::Ed25519).unwrap();
        let credentials = kalshi::Credentials::new("0b5d9f5c-0000-4000-8000-000000000002", pair).unwrap();
        let environment = kalshi::Environment::Custom(server.base_url.clone());
        let client = kalshi::Client::builder(environment).credentials(credentials).build().unwrap();
        let id = "0b5d9f5c-0000-4000-8000-000000000001";
        refused_here(client.keys().rotate(id).await, "no scopes of the key");
        refused_here(client.keys().create(NewKey::named("new").like(id)).await, "no scopes of the key");
        only_read(&server);
    }
}

#[tokio::test]
async fn no_scopes_are_not_all_scopes() {
    let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
    let account = &sandbox.accounts().kalshi[0];
    let pem = account.private_key_pem.as_ref().unwrap();
    let credentials = kalshi::Credentials::from_pem(&account.key_id, pem).unwrap();
    let environment = kalshi::Environment::Custom(sandbox.kalshi_url());
    let kalshi = kalshi::Client::builder(environment).credentials(credentials).build().unwrap();
    let account = &sandbox.accounts().yativo[0];
    let credentials = yativo::Credentials::api_key(&account.api_key, &*account.api_secret).unwrap();
    let environment = yativo::Environment::Custom(sandbox.yativo_url());
    let yativo = yativo::Client::builder(environment).credentials(credentials).build().unwrap();
    let none = || NewKey::named("none").scopes([""; 0]);
    refused_here(kalshi.keys().create(none()).await, "name at least one scope");
    refused_here(kalshi.keys().create(none().local(KeyKind::Ed25519)).await, "name at least one scope");
    refused_here(yativo.keys().create(none()).await, "name at least one scope");
    assert!(sandbox.executed().keys().all(|call| !call.contains("POST") || call.contains("token")));

    // Where nothing is said of scopes, the venue gives its own.
    let made = kalshi.keys().create(NewKey::named("default")).await.unwrap();
    let shown = kalshi.keys().find(&made.id).await.unwrap().unwrap();
    assert_eq!(shown.scopes, ["read", "write"]);
}

#[tokio::test]
async fn a_key_of_yativo_is_bound_to_addresses() {
    let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
    let account = &sandbox.accounts().yativo[0];
    let credentials = yativo::Credentials::api_key(&account.api_key, &*account.api_secret).unwrap();
    let environment = yativo::Environment::Custom(sandbox.yativo_url());
    let client = yativo::Client::builder(environment).credentials(credentials).build().unwrap();
    let keys = client.keys();
    let made = keys.create(NewKey::named("bound").scopes(["read"]).addresses(["127.0.0.1"])).await.unwrap();
    let shown = keys.find(&made.id).await.unwrap().unwrap();
    assert_eq!(
        (shown.addresses.concat(), shown.restrictions.concat()),
        ("127.0.0.1".into(), "address 127.0.0.1".into())
    );
    let free = keys.create(NewKey::named("free").scopes(["read"])).await.unwrap();
    assert_eq!(keys.find(&free.id).await.unwrap().unwrap().addresses, [""; 0]);
}

/// The client of the first key of a sandbox, and a sub-account.
async fn binance_owner() -> (Sandbox, binance::Client, String) {
    let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
    let owner = sandbox.accounts().binance[0].clone();
    let credentials = binance::Credentials::api_key(&owner.api_key, owner.api_secret.as_deref().unwrap()).unwrap();
    let environment = binance::Environment::Custom(sandbox.binance_url());
    let client = binance::Client::builder(environment).credentials(credentials).build().unwrap();
    let sub_account = client.keys().sub_accounts().await.unwrap().remove(0);
    (sandbox, client, sub_account)
}

#[tokio::test]
async fn a_key_of_binance_that_only_reads_stays_so() {
    let (_sandbox, client, sub_account) = binance_owner().await;
    let keys = client.keys();
    // Each permission that is not named is false.
    let made = keys.create(NewKey::named("reader").scopes([""; 0]).sub_account(&sub_account)).await.unwrap();
    assert_eq!(keys.find(&made.id).await.unwrap().unwrap().scopes, [""; 0]);
    let rotated = keys.rotate(&made.id).await.unwrap().key;
    assert_eq!(keys.find(&rotated.id).await.unwrap().unwrap().scopes, [""; 0]);
}

#[tokio::test]
async fn a_key_of_binance_that_is_bound_to_the_addresses_of_a_third_party_is_not_replaced_by_a_free_one() {
    let (_sandbox, client, sub_account) = binance_owner().await;
    let keys = client.keys();
    let new = client.create_sub_account_api_key().email(&sub_account).api_name("bound").status(3);
    let made = new.third_party_name("a broker").can_trade(true).send().await.unwrap();
    let shown = keys.find(&made.api_key).await.unwrap().unwrap();
    assert_eq!(shown.restrictions, ["addresses that are not shown"]);
    refused_here(keys.rotate(&made.api_key).await, "addresses that are not shown");
    let listed = keys.list().await.unwrap();
    assert!(listed.iter().any(|key| key.id == made.api_key), "it was not revoked");
}

#[tokio::test]
async fn the_permission_of_a_margin_key_counts_for_ed25519_alone() {
    let (_sandbox, client, _) = binance_owner().await;
    let keys = client.keys().of_family("margin").unwrap();
    let count = async || keys.list().await.unwrap().len();
    // A key with a secret reads and trades, and the venue ignores what it is told.
    let expected = "counts for Ed25519 keys alone";
    refused_here(keys.create(NewKey::named("reader").scopes(["READ"])).await, expected);
    refused_here(keys.create(NewKey::named("reader").scopes(["READ"]).local(KeyKind::Rsa2048)).await, expected);
    let reader = keys.create(NewKey::named("reader").scopes(["READ"]).local(KeyKind::Ed25519)).await.unwrap();
    assert_eq!(keys.find(&reader.id).await.unwrap().unwrap().scopes, ["READ"]);
    // A key with a secret would take its place.
    let before = count().await;
    refused_here(keys.rotate(&reader.id).await, expected);
    assert_eq!(count().await, before);
    let trader = keys.create(NewKey::named("trader").scopes(["TRADE"])).await.unwrap();
    let rotated = keys.rotate(&trader.id).await.unwrap().key;
    assert_eq!(keys.find(&rotated.id).await.unwrap().unwrap().scopes, ["TRADE"]);
}
