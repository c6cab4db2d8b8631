//! For every venue, over real sockets: a key is made, listed, used, rotated and revoked, and an old secret fails.

use venuekit::auth::{KeyKind, PrivateKey};
use venuekit::keys::{ApiKeys, CreatedKey, KeyEdit, KeyInfo, NewKey, OldSecret};
use venuekit::{Error, ErrorKind, bayse, binance, bybit, deribit, kalshi, yativo};
use venuekit_sandbox::{Accounts, BybitKey, DeribitKey, KalshiKey, Sandbox};

/// The part of the life cycle that is the same everywhere. `works` makes a signed call with a key.
async fn life_cycle<K, W>(keys: &K, new: NewKey, works: W)
where
    K: ApiKeys,
    W: AsyncFn(&CreatedKey) -> Result<(), Error>,
{
    let name = new.name.clone();
    let local = new.local.is_some();
    let made = keys.create(new).await.expect("create");
    let listed = keys.list().await.expect("list");
    let shown = listed.iter().find(|key| key.id == made.id).expect("the list shows the new key");
    assert_eq!(shown.name.as_deref(), Some(name.as_str()));
    works(&made).await.expect("the new key signs");

    // A key whose private half never left this machine has no secret that the venue could replace.
    let current = if local {
        made
    } else {
        let rotated = keys.rotate(&made.id).await.expect("rotate");
        assert!(matches!(rotated.old, OldSecret::Replaced | OldSecret::Revoked), "{:?}", rotated.old);
        assert_eq!(works(&made).await.expect_err("the old secret fails").kind(), ErrorKind::Unauthorized);
        works(&rotated.key).await.expect("the new secret signs");
        rotated.key
    };

    keys.revoke(&current.id).await.expect("revoke");
    let error = works(&current).await.expect_err("a revoked key fails");
    assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
    assert!(error.status().is_some() && !error.may_have_been_applied(), "{error}");
    let left = keys.list().await.expect("list");
    assert!(left.iter().all(|key| key.id != current.id || key.enabled == Some(false)), "the list shows no live key");
}

/// Whether a change is refused without a request.
async fn is_not_sent<K: ApiKeys>(keys: &K, id: &str, edit: KeyEdit, expected: &str) {
    let error = keys.edit(id, edit).await.unwrap_err();
    assert!(error.status().is_none() && !error.may_have_been_applied(), "{error}");
    assert!(error.to_string().contains(expected), "{error}");
}

/// Addresses and scopes in order, as texts.
fn limits(key: &KeyInfo) -> (String, String) {
    let mut scopes = key.scopes.clone();
    scopes.sort();
    (key.addresses.join(" "), scopes.join(" "))
}

fn kalshi_client(sandbox: &Sandbox, credentials: kalshi::Credentials) -> kalshi::Client {
    let environment = kalshi::Environment::Custom(sandbox.kalshi_url());
    kalshi::Client::builder(environment).credentials(credentials).build().unwrap()
}

#[tokio::test]
async fn kalshi_keys() {
    for kind in [KeyKind::Rsa2048, KeyKind::Ed25519] {
        let pair = PrivateKey::generate(kind).unwrap();
        let first = KalshiKey {
            key_id: "0b5d9f5c-0000-4000-8000-000000000001".into(),
            public_key_pem: pair.public_key_pem().into(),
            ..KalshiKey::default()
        };
        let sandbox = Sandbox::start(Accounts { kalshi: vec![first.clone()], ..Accounts::default() }).await.unwrap();
        let client = kalshi_client(&sandbox, kalshi::Credentials::new(first.key_id, pair).unwrap());
        let works = async |key: &CreatedKey| {
            let client = kalshi_client(&sandbox, kalshi::Credentials::try_from(key)?);
            client.get_balance().send().await.map(drop)
        };
        let scopes = ["read", "write"];
        life_cycle(&client.keys(), NewKey::named("made there").scopes(scopes), works).await;
        life_cycle(&client.keys(), NewKey::named("made here").scopes(scopes).local(kind), works).await;
        is_not_sent(&client.keys(), "any", KeyEdit::new().scopes(["read"]), "kalshi has no call that changes a key")
            .await;
    }
}

#[tokio::test]
async fn kalshi_makes_both_kinds_of_key() {
    use kalshi::types::ApiKeyType;
    let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
    let account = &sandbox.accounts().kalshi[0];
    let pem = account.private_key_pem.as_ref().unwrap();
    let client = kalshi_client(&sandbox, kalshi::Credentials::from_pem(&account.key_id, pem).unwrap());
    for (kind, label) in [(ApiKeyType::Rsa, "RSA PRIVATE KEY"), (ApiKeyType::Ed25519, "PRIVATE KEY")] {
        let made = client.generate_api_key().body_map(|body| body.name("bot").key_type(kind)).send().await.unwrap();
        assert!(made.private_key.expose().starts_with(&format!("-----BEGIN {label}-----")));
        let credentials = kalshi::Credentials::from_pem(&made.api_key_id, made.private_key.expose()).unwrap();
        kalshi_client(&sandbox, credentials).get_balance().send().await.unwrap();
    }
}

#[tokio::test]
async fn bayse_keys() {
    let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
    let environment = bayse::Environment::Custom(sandbox.bayse_url());
    let anonymous = bayse::Client::builder(environment.clone()).build().unwrap();
    let account = &sandbox.accounts().bayse[0];
    let login = anonymous.login().body_map(|body| body.email(&account.email).password(&*account.password));
    let login = login.send().await.unwrap();
    let session = bayse::Credentials::session(login.token.clone(), login.device_id.clone()).unwrap();
    let client = bayse::Client::builder(environment.clone()).credentials(session).build().unwrap();
    let works = async |key: &CreatedKey| {
        let credentials = bayse::Credentials::try_from(key)?;
        let client = bayse::Client::builder(environment.clone()).credentials(credentials).build()?;
        client.get_portfolio().send().await?;
        // The read level proves no secret; a write does.
        let order = client.cancel_order().order_id("no-such-order").send().await;
        match order {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            other => other.map(drop),
        }
    };
    life_cycle(&client.keys(), NewKey::named("Trading bot"), works).await;
}

#[tokio::test]
async fn yativo_keys() {
    let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
    let environment = yativo::Environment::Custom(sandbox.yativo_url());
    let account = &sandbox.accounts().yativo[0];
    let credentials = yativo::Credentials::api_key(&account.api_key, &*account.api_secret).unwrap();
    let client = yativo::Client::builder(environment.clone()).credentials(credentials).build().unwrap();
    let works = async |key: &CreatedKey| {
        let credentials = yativo::Credentials::try_from(key)?;
        let client = yativo::Client::builder(environment.clone()).credentials(credentials).build()?;
        client.list_accounts().send().await.map(drop)
    };
    life_cycle(&client.keys(), NewKey::named("Production Backend").scopes(["read", "write"]), works).await;
}

fn deribit_client(environment: &deribit::Environment, credentials: deribit::Credentials) -> deribit::Client {
    deribit::Client::builder(environment.clone()).credentials(credentials).build().unwrap()
}

#[tokio::test]
async fn deribit_keys() {
    let pairs = [KeyKind::Rsa2048, KeyKind::Ed25519].map(|kind| PrivateKey::generate(kind).unwrap());
    let mut accounts = vec![DeribitKey {
        client_id: "secret01".into(),
        client_secret: Some("AMANDASECRECT".into()),
        ..DeribitKey::default()
    }];
    accounts.extend(pairs.iter().enumerate().map(|(i, pair)| DeribitKey {
        client_id: format!("pair{i}"),
        public_key_pem: Some(pair.public_key_pem().into()),
        ..DeribitKey::default()
    }));
    let sandbox = Sandbox::start(Accounts { deribit: accounts, ..Accounts::default() }).await.unwrap();
    let environment = deribit::Environment::Custom(sandbox.deribit_url());
    let [rsa, ed25519] = pairs;
    let ways = [
        deribit::Credentials::secret("secret01", "AMANDASECRECT").unwrap(),
        deribit::Credentials::basic("secret01", "AMANDASECRECT").unwrap(),
        deribit::Credentials::login("secret01", "AMANDASECRECT").unwrap(),
        deribit::Credentials::private_key("pair0", rsa).unwrap(),
        deribit::Credentials::private_key("pair1", ed25519).unwrap(),
    ];
    let works = async |key: &CreatedKey| {
        let client = deribit_client(&environment, deribit::Credentials::try_from(key)?);
        client
            .get_account_summary()
            .body_map(|params| params.currency(deribit::types::Currency::Btc))
            .send()
            .await
            .map(drop)
    };
    let scopes = ["account:read_write", "trade:read_write", "wallet:none"];
    for way in ways {
        let client = deribit_client(&environment, way);
        life_cycle(&client.keys(), NewKey::named("bot").scopes(scopes), works).await;
        life_cycle(&client.keys(), NewKey::named("local_rsa").scopes(scopes).local(KeyKind::Rsa2048), works).await;
        life_cycle(&client.keys(), NewKey::named("local_ed").scopes(scopes).local(KeyKind::Ed25519), works).await;
    }

    // What is not named stays; the scopes are sent along in any case.
    let client = deribit_client(&environment, deribit::Credentials::secret("secret01", "AMANDASECRECT").unwrap());
    let keys = client.keys();
    let made = keys.create(NewKey::named("before").scopes(scopes)).await.unwrap();
    let known = keys.find(&made.id).await.unwrap().unwrap();
    let changed = keys.edit(&made.id, KeyEdit::new().name("after").addresses(["127.0.0.1"])).await.unwrap();
    assert_eq!(changed.name.as_deref(), Some("after"));
    assert_eq!(limits(&changed), ("127.0.0.1".to_owned(), limits(&known).1));
    let less = known.scopes.iter().map(|scope| scope.replace("trade:read_write", "trade:read"));
    let changed = keys.edit(&made.id, KeyEdit::new().scopes(less)).await.unwrap();
    assert!(changed.scopes.iter().any(|scope| scope == "trade:read"), "{:?}", changed.scopes);
    assert_eq!((changed.name.as_deref(), changed.addresses.concat()), (Some("after"), "127.0.0.1".to_owned()));
    let changed = keys.edit(&made.id, KeyEdit::new().addresses([""; 0])).await.unwrap();
    assert_eq!(changed.addresses, Vec::<String>::new());
    works(&made).await.expect("the key itself is as before");
}

fn bybit_client(sandbox: &Sandbox, credentials: bybit::Credentials) -> bybit::Client {
    bybit::Client::builder(bybit::Environment::Custom(sandbox.bybit_url())).credentials(credentials).build().unwrap()
}

#[tokio::test]
async fn bybit_keys() {
    let owner =
        BybitKey { api_key: "owner-key".into(), api_secret: Some("owner-secret".into()), ..BybitKey::default() };
    let sandbox = Sandbox::start(Accounts { bybit: vec![owner], ..Accounts::default() }).await.unwrap();
    let client = bybit_client(&sandbox, bybit::Credentials::api_key("owner-key", "owner-secret").unwrap());
    // The keys of a sub-account are made by a key of the main account.
    let trader = client.create_sub_member().username("trader01").member_type(1).send().await.unwrap();
    let works = async |key: &CreatedKey| {
        let client = bybit_client(&sandbox, bybit::Credentials::try_from(key)?);
        client.get_api_key().send().await.map(drop)
    };
    let new = NewKey::named("bot").scopes(["Spot:SpotTrade"]).sub_account(&trader.result.uid);
    life_cycle(&client.keys(), new, works).await;

    let listed = client.keys().list().await.unwrap();
    assert!(listed.iter().any(|key| key.id == "owner-key"), "the key that asks is listed too: {listed:?}");
}

#[tokio::test]
async fn a_key_of_bybit_is_changed_and_keeps_the_rest() {
    let owner =
        BybitKey { api_key: "owner-key".into(), api_secret: Some("owner-secret".into()), ..BybitKey::default() };
    let sandbox = Sandbox::start(Accounts { bybit: vec![owner], ..Accounts::default() }).await.unwrap();
    let client = bybit_client(&sandbox, bybit::Credentials::api_key("owner-key", "owner-secret").unwrap());
    let trader = client.create_sub_member().username("trader01").member_type(1).send().await.unwrap();
    let keys = client.keys();
    let new = NewKey::named("bot").scopes(["Spot:SpotTrade"]).sub_account(&trader.result.uid);
    let id = keys.create(new.addresses(["127.0.0.1"])).await.unwrap().id;

    let both = ["Options:OptionsTrade", "Spot:SpotTrade"];
    let changed = keys.edit(&id, KeyEdit::new().scopes(both)).await.unwrap();
    assert_eq!(limits(&changed), ("127.0.0.1".to_owned(), both.join(" ")), "the addresses stay");
    let changed = keys.edit(&id, KeyEdit::new().addresses(["127.0.0.2"])).await.unwrap();
    assert_eq!(limits(&changed), ("127.0.0.2".to_owned(), both.join(" ")), "the scopes stay");
    let changed = keys.edit(&id, KeyEdit::new().addresses([""; 0])).await.unwrap();
    assert_eq!(limits(&changed).0, "");
    assert!(changed.expires.is_some(), "a key that is bound to no address ends");

    // A key that only reads still does.
    client.update_sub_api_key().apikey(&id).read_only(1).ips("127.0.0.3").send().await.unwrap();
    keys.edit(&id, KeyEdit::new().scopes(["Spot:SpotTrade"])).await.unwrap();
    let shown = client.list_sub_api_keys().sub_member_id(&trader.result.uid).send().await.unwrap();
    let shown = shown.result.result.iter().find(|key| key.api_key == id).unwrap();
    assert_eq!((shown.read_only, shown.ips.concat()), (Some(true), "127.0.0.3".to_owned()));

    // The key of the main account changes itself, and no call changes its addresses.
    let own = keys.own().await.unwrap().unwrap();
    let less: Vec<String> = own.scopes.iter().filter(|scope| *scope != "Spot:SpotTrade").cloned().collect();
    assert_ne!(less, own.scopes);
    let changed = keys.edit("owner-key", KeyEdit::new().scopes(less.clone())).await.unwrap();
    assert_eq!(changed.scopes, less);
    is_not_sent(&keys, "owner-key", KeyEdit::new().addresses(["127.0.0.1"]), "cannot change the addresses").await;
    is_not_sent(&keys, &id, KeyEdit::new().name("other"), "cannot change the name").await;
    is_not_sent(&keys, &id, KeyEdit::new().scopes([""; 0]), "needs a scope").await;
    is_not_sent(&keys, &id, KeyEdit::new(), "the change is empty").await;
    let error = keys.edit("nobody", KeyEdit::new().scopes(both)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}

fn binance_client(sandbox: &Sandbox, credentials: binance::Credentials) -> binance::Client {
    let environment = binance::Environment::Custom(sandbox.binance_url());
    binance::Client::builder(environment).credentials(credentials).build().unwrap()
}

#[tokio::test]
async fn binance_keys() {
    let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
    let owner = sandbox.accounts().binance[0].clone();
    let secret = owner.api_secret.as_deref().expect("the first key has a secret");
    let client = binance_client(&sandbox, binance::Credentials::api_key(&owner.api_key, secret).unwrap());
    let works = async |key: &CreatedKey| {
        let client = binance_client(&sandbox, binance::Credentials::try_from(key)?);
        client.get_api_key_permission().send().await.map(drop)
    };
    let keys = client.keys();
    let sub_account = keys.sub_accounts().await.unwrap().remove(0);
    let new = |name: &str| NewKey::named(name).sub_account(&sub_account);
    life_cycle(&keys, new("made there").scopes(["canTrade"]), works).await;
    life_cycle(&keys, new("made here").local(KeyKind::Ed25519), works).await;

    // Addresses go along, though the list leaves them out.
    let bound = keys.create(new("bound").scopes(["canTrade"]).addresses(["127.0.0.1"])).await.unwrap();
    let shown = keys.find(&bound.id).await.unwrap().expect("it is listed");
    assert_eq!(
        (shown.addresses.as_slice(), shown.scopes.as_slice()),
        (&["127.0.0.1".to_owned()][..], &["canTrade".to_owned()][..])
    );
    let rotated = keys.rotate(&bound.id).await.unwrap().key;
    let shown = keys.find(&rotated.id).await.unwrap().expect("it is listed");
    assert_eq!(
        (shown.addresses.concat(), shown.sub_account.as_deref()),
        ("127.0.0.1".to_owned(), Some(sub_account.as_str()))
    );

    // One call for permissions, two for addresses, which are only made where something changes.
    let id = rotated.id;
    let changed = keys.edit(&id, KeyEdit::new().scopes(["canFuturesTrade", "canFixApiTrading"])).await.unwrap();
    assert_eq!(
        limits(&changed),
        ("127.0.0.1".to_owned(), "canFuturesTrade".to_owned()),
        "FIX is not shown by the list"
    );
    let changed = keys.edit(&id, KeyEdit::new().addresses(["127.0.0.2", "127.0.0.3"])).await.unwrap();
    assert_eq!(limits(&changed), ("127.0.0.2 127.0.0.3".to_owned(), "canFuturesTrade".to_owned()));
    let changed = keys.edit(&id, KeyEdit::new().scopes([""; 0]).addresses([""; 0])).await.unwrap();
    assert_eq!(limits(&changed), (String::new(), String::new()));
    // The first call is accepted, and the second one refused: the error says that a part is done.
    let error = keys.edit(&id, KeyEdit::new().scopes(["canTrade"]).addresses(["nowhere"])).await.unwrap_err();
    assert!(error.may_have_been_applied() && error.to_string().contains("a part of the change"), "{error}");
    assert_eq!(limits(&keys.find(&id).await.unwrap().unwrap()), (String::new(), "canTrade".to_owned()));
    is_not_sent(&keys, &id, KeyEdit::new().scopes(["canFly"]), "canMarginLoanRepay").await;
    is_not_sent(&keys, &owner.api_key, KeyEdit::new().scopes(["canTrade"]), "does not belong to a sub-account").await;

    let error = keys.create(new("rsa").local(KeyKind::Rsa2048)).await.unwrap_err();
    assert!(error.status().is_none() && error.to_string().contains("registers Ed25519 keys"), "{error}");
    let error = keys.create(new("odd").scopes(["canFly"])).await.unwrap_err();
    assert!(error.status().is_none() && error.to_string().contains("canMarginLoanRepay"), "{error}");

    // The key that asks is of the account itself, and no call ends it.
    let own = keys.own().await.unwrap().expect("the venue shows it");
    assert_eq!(own.id, owner.api_key);
    assert!(own.scopes.iter().any(|scope| scope == "enableReading"), "{:?}", own.scopes);
    let error = keys.revoke(&own.id).await.unwrap_err();
    assert!(error.to_string().contains("does not belong to a sub-account"), "{error}");
    let error = keys.revoke("nobody's").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");

    let margin = keys.of_family("margin").unwrap();
    life_cycle(&margin, NewKey::named("made there").scopes(["TRADE"]), works).await;
    for kind in [KeyKind::Ed25519, KeyKind::Rsa2048] {
        life_cycle(&margin, NewKey::named("made here").local(kind).addresses(["127.0.0.1"]), works).await;
    }
    let error = keys.of_family("spot").unwrap_err();
    assert!(error.to_string().contains("it has sub-account, margin"), "{error}");
}

#[tokio::test]
async fn keys_of_binance_are_managed_in_production_only() {
    let credentials = binance::Credentials::api_key("key", "secret").unwrap();
    let client = binance::Client::builder(binance::Environment::Test).credentials(credentials).build().unwrap();
    for error in [
        client.keys().list().await.unwrap_err(),
        client.keys().create(NewKey::named("bot")).await.unwrap_err(),
        client.keys().revoke("id").await.unwrap_err(),
        client.keys().own().await.unwrap_err(),
    ] {
        assert!(error.status().is_none() && !error.may_have_been_applied(), "{error}");
        assert!(error.to_string().contains("in production only, and this is test"), "{error}");
    }
}
