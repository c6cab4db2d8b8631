//! Credentials of a stored key: from a store that is named, and from the one that the command uses on this machine.

mod common;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use common::{Watching, World, engine};
use venuekit_keys::record::{Kind, Record, State, StoredKey};
use venuekit_keys::store::{FileStore, Store, Unlock};
use venuekit_keys::{Class, FromStore, Origin, Outcome, Reference, StoreLocation, Task};
use venuekit_transport::Credentials;
use venuekit_wire::{Secret, UnixSeconds};

/// A store with one key of these references, which an identity opens.
async fn stored(folder: &Path, references: &[&str]) -> StoreLocation {
    let (file, identity) = (folder.join("keys.age"), folder.join("identity.txt"));
    let store = FileStore::open(&file, &Unlock::IdentityFile(identity.clone())).unwrap();
    for reference in references {
        let key = key(State::Active);
        store.put(&Record { reference: reference.parse().unwrap(), keys: vec![key] }).await.unwrap();
    }
    StoreLocation::file(file).identity(identity)
}

fn key(state: State) -> StoredKey {
    StoredKey {
        label: format!("bot-{state:?}").to_lowercase(),
        id: Some("1".into()),
        public_id: Some("public".into()),
        kind: Kind::Shared,
        secret: Secret::new("MARKER-secret"),
        scopes: Vec::new(),
        made: UnixSeconds(1),
        state,
        family: None,
    }
}

async fn refused<C: FromStore + std::fmt::Debug>(place: &StoreLocation, name: &str) -> (Class, String) {
    let error = C::from_store_at(place, name).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("MARKER"), "{error:?}");
    (error.class(), error.to_string())
}

#[tokio::test]
async fn a_key_that_the_engine_made_signs() {
    for venue in common::VENUES {
        let world = World::start(venue).await;
        let folder = tempfile::tempdir().unwrap();
        let engine = engine(folder.path());
        let task = Task::Create(world.create(Origin::Best));
        let done = engine.run(&world.account(), task, &world.manager(), &Watching::default()).await.unwrap();
        assert!(matches!(done, Outcome::Done(_)), "{venue}");
        let (place, name) = (common::place(folder.path()), world.reference().to_string());
        let url = world.base_url();
        match venue.name() {
            "bayse" => {
                let credentials = venuekit_bayse::Credentials::from_store_at(&place, &name).await.unwrap();
                let builder = venuekit_bayse::Client::builder(venuekit_bayse::Environment::Custom(url));
                builder.credentials(credentials).build().unwrap().get_portfolio().send().await.map(drop).unwrap();
            }
            "deribit" => {
                let credentials = venuekit_deribit::Credentials::from_store_at(&place, &name).await.unwrap();
                let builder = venuekit_deribit::Client::builder(venuekit_deribit::Environment::Custom(url));
                let client = builder.credentials(credentials).build().unwrap();
                let currency = venuekit_deribit::types::Currency::Btc;
                client.get_account_summary().currency(currency).send().await.map(drop).unwrap();
            }
            "kalshi" => {
                let credentials = venuekit_kalshi::Credentials::from_store_at(&place, &name).await.unwrap();
                let builder = venuekit_kalshi::Client::builder(venuekit_kalshi::Environment::Custom(url));
                builder.credentials(credentials).build().unwrap().get_balance().send().await.map(drop).unwrap();
            }
            _ => {
                let credentials = venuekit_yativo::Credentials::from_store_at(&place, &name).await.unwrap();
                let builder = venuekit_yativo::Client::builder(venuekit_yativo::Environment::Custom(url));
                builder.credentials(credentials).build().unwrap().list_accounts().send().await.map(drop).unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_wrong_name_is_told_before_anything_is_opened() {
    let nowhere = StoreLocation::file("/no/such/keys.age");
    for (name, said) in [
        ("bot", "is not a key's name"),
        ("yativo/sandbox/a b", "cannot be a key's name"),
        ("yativo/demo/bot", "yativo has no environment `demo`; it has production, sandbox, local"),
        ("kalshi/demo/bot", "belongs to kalshi, and this client takes keys of yativo"),
        ("yativo/sandbox/@session", "is not a key"),
        ("-----BEGIN PRIVATE KEY-----MARKER", "is a key itself"),
        ("MARKER\nMARKER", "is a key itself"),
    ] {
        let (class, told) = refused::<venuekit_yativo::Credentials>(&nowhere, name).await;
        assert!(class == Class::Usage && told.contains(said), "{name}: {told}");
    }
    let (class, told) = refused::<venuekit_yativo::Credentials>(&nowhere, "yativo/sandbox/bot").await;
    assert!(class == Class::NotFound && told.contains("there is no store at /no/such/keys.age"), "{told}");
}

#[tokio::test]
async fn a_key_that_is_not_there_or_not_ready_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let place = stored(folder.path(), &["yativo/sandbox/bot", "deribit/test/bot"]).await;
    assert!(venuekit_yativo::Credentials::from_store_at(&place, "yativo/sandbox/bot").await.is_ok());
    let (class, told) = refused::<venuekit_yativo::Credentials>(&place, "yativo/production/bot").await;
    assert!(class == Class::NotFound && told.ends_with("it has yativo/sandbox/bot"), "{told}");

    let reference: Reference = "yativo/sandbox/new".parse().unwrap();
    let store = place.open().unwrap();
    for (state, is_usable) in [(State::Prepared, false), (State::Stored, true), (State::Retiring, true)] {
        store.put(&Record { reference: reference.clone(), keys: vec![key(state)] }).await.unwrap();
        let made = venuekit_yativo::Credentials::from_store_at(&place, "yativo/sandbox/new").await;
        match is_usable {
            true => assert!(made.is_ok(), "{state:?}"),
            false => assert!(made.unwrap_err().to_string().contains("venuekit keys resume"), "{state:?}"),
        }
    }
    // What the venue's credentials cannot be made of.
    let kalshi = Record { reference: "kalshi/demo/bot".parse().unwrap(), keys: vec![key(State::Active)] };
    store.put(&kalshi).await.unwrap();
    let (_, told) = refused::<venuekit_kalshi::Credentials>(&place, "kalshi/demo/bot").await;
    assert!(told.contains("kalshi/demo/bot cannot be used") && told.contains("private key"), "{told}");
}

#[tokio::test]
async fn what_opens_the_store_is_asked_for_and_must_fit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.age");
    let place = StoreLocation::file(&file).passphrase("correct horse");
    let record = Record { reference: "yativo/sandbox/bot".parse().unwrap(), keys: vec![key(State::Active)] };
    place.open().unwrap().put(&record).await.unwrap();
    let (_, told) = refused::<venuekit_yativo::Credentials>(&StoreLocation::file(&file), "yativo/sandbox/bot").await;
    assert!(told.contains("needs its passphrase: set VENUEKIT_PASSPHRASE"), "{told}");
    let (class, told) =
        refused::<venuekit_yativo::Credentials>(&place.passphrase("MARKER"), "yativo/sandbox/bot").await;
    assert!(class == Class::Store && told.contains("wrong passphrase"), "{told}");
}

#[tokio::test]
async fn credentials_belong_to_the_environment_in_the_name() {
    let folder = tempfile::tempdir().unwrap();
    let place = stored(folder.path(), &["yativo/sandbox/bot", "yativo/local/bot"]).await;
    let build =
        |credentials, environment| venuekit_yativo::Client::builder(environment).credentials(credentials).build();
    let own = venuekit_yativo::Credentials::from_store_at(&place, "yativo/sandbox/bot").await.unwrap();
    assert_eq!(Credentials::from(own.clone()).environment(), Some("sandbox"));
    assert!(build(own.clone(), venuekit_yativo::Environment::Sandbox).is_ok());
    let local = venuekit_yativo::Credentials::from_store_at(&place, "yativo/local/bot").await.unwrap();
    for credentials in [own, local] {
        let error = build(credentials, venuekit_yativo::Environment::Production).unwrap_err().to_string();
        assert!(error.contains("not sent to another"), "{error}");
    }
    let local = venuekit_yativo::Credentials::from_store_at(&place, "yativo/local/bot").await.unwrap();
    let elsewhere = venuekit_yativo::Environment::Custom("https://proxy.example".into());
    assert!(build(local, elsewhere).unwrap_err().to_string().contains("which is this machine"));
}

/// The command's place by these variables and a configuration.
async fn by(folder: &Path, config: &str, variables: &[(&str, &Path)]) -> Result<String, String> {
    let path = folder.join("config.toml");
    fs::write(&path, config).unwrap();
    let mut set: BTreeMap<&str, OsString> = variables.iter().map(|(name, value)| (*name, (*value).into())).collect();
    set.insert("VENUEKIT_CONFIG", path.into());
    let place = StoreLocation::said_by(|name| set.get(name).cloned()).map_err(|error| error.to_string())?;
    let made = venuekit_yativo::Credentials::from_store_at(&place, "yativo/sandbox/bot").await;
    made.map(|made| format!("{made:?}")).map_err(|error| error.to_string())
}

#[tokio::test]
async fn the_commands_store_is_where_its_configuration_and_variables_say() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    stored(folder, &["yativo/sandbox/bot"]).await;
    let (file, identity, nowhere) = (folder.join("keys.age"), folder.join("identity.txt"), Path::new("/no/such.age"));
    // Paths begin at the configuration's folder, profiles are the command's own business, and variables go first.
    let config = "[store]\npath = 'keys.age'\nidentity = 'identity.txt'\n[profiles.kalshi]\nvenue = 'kalshi'\n";
    by(folder, config, &[]).await.unwrap();
    by(folder, "", &[("VENUEKIT_STORE_FILE", &file), ("VENUEKIT_IDENTITY", &identity)]).await.unwrap();
    let told = by(folder, config, &[("VENUEKIT_STORE_FILE", nowhere)]).await.unwrap_err();
    assert!(told.contains("there is no store at /no/such.age"), "{told}");
    let told = by(folder, config, &[("VENUEKIT_IDENTITY", nowhere)]).await.unwrap_err();
    assert!(told.contains("/no/such.age"), "{told}");
    let told = by(folder, "[store]\npath = 3\nidentity = 'MARKER'", &[]).await.unwrap_err();
    assert!(told.contains("config.toml:2: cannot be read") && !told.contains("MARKER"), "{told}");
    #[cfg(not(feature = "keyring"))]
    assert!(by(folder, "[store]\nkind = 'keyring'", &[]).await.unwrap_err().contains("the feature `keyring`"));
    #[cfg(not(feature = "vault"))]
    assert!(by(folder, "[store]\nkind = 'vault'", &[]).await.unwrap_err().contains("the feature `vault`"));
}

/// What the child process below does: it is no test by itself.
#[tokio::test]
#[ignore = "run by another test, with variables"]
async fn child() {
    let made = venuekit_yativo::Credentials::from_store("yativo/sandbox/bot").await.unwrap();
    assert_eq!(Credentials::from(made).environment(), Some("sandbox"));
}

#[cfg(unix)]
#[test]
fn a_process_finds_the_commands_store_by_itself() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join(".local/share/venuekit/keys.age");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = FileStore::open(file, &Unlock::Passphrase("correct horse".into())).unwrap();
    let record = Record { reference: "yativo/sandbox/bot".parse().unwrap(), keys: vec![key(State::Active)] };
    runtime.block_on(store.put(&record)).unwrap();
    let run = |passphrase: &str| {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--ignored", "--nocapture"])
            .env_clear()
            .env("HOME", home.path())
            .env("VENUEKIT_PASSPHRASE", passphrase)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout).into_owned() + &String::from_utf8_lossy(&child.stderr);
        (child.status.success() && said.contains("1 passed"), said)
    };
    let (is_read, said) = run("correct horse");
    assert!(is_read, "{said}");
    let (is_read, said) = run("");
    assert!(!is_read && said.contains("VENUEKIT_PASSPHRASE"), "{said}");
}
