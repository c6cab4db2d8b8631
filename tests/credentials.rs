//! Credentials from environment variables, by an injected look-up and from a real environment; and credentials of one environment at a
//! server of another.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use venuekit::auth::{KeyKind, PrivateKey};
use venuekit::transport::credential_parts::FromCredentialParts;
use venuekit::transport::environment::LOCAL;
use venuekit::transport::{Credentials, variables};
use venuekit::wire::operation::Venue;
use venuekit::wire::variables::{CredentialVariables, VariableKind};
use venuekit::{Error, ErrorKind, bayse, deribit, kalshi, kalshi_perps, yativo};
use venuekit_sandbox::{Accounts, Sandbox};

/// A process's environment.
type Set = BTreeMap<String, OsString>;

fn set(pairs: &[(&str, &str)]) -> Set {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect()
}

fn read<C: FromCredentialParts>(url: &str, set: &Set) -> Result<C, Error> {
    variables::for_server(url, |name| set.get(name).cloned())
}

fn refused<C: FromCredentialParts + std::fmt::Debug>(url: &str, set: &Set) -> String {
    let error = read::<C>(url, set).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
    let told = format!("{error} {error:?}");
    assert!(!told.contains("MARKER") && !told.contains("MC4C"), "no value is shown: {told}");
    error.to_string()
}

fn pem() -> String {
    PrivateKey::generate(KeyKind::Ed25519).unwrap().private_key_pem().expose().to_owned()
}

/// A value that the variable of such a credential may have.
fn value(kind: VariableKind, folder: &Path) -> String {
    match kind {
        VariableKind::PrivateKey => pem(),
        VariableKind::PrivateKeyFile => {
            let path = folder.join("key.pem");
            fs::write(&path, pem()).unwrap();
            path.to_str().unwrap().to_owned()
        }
        _ => "MARKER-secret".to_owned(),
    }
}

fn of(one: &CredentialVariables, prefix: &str, folder: &Path) -> Set {
    let named = |name: &str| format!("{prefix}_{name}");
    let id = one.id.map(|id| (named(id), OsString::from("a952bcbe-ec3b-4b5b-b8f9-11dae589608c")));
    id.into_iter().chain([(named(one.secret), value(one.kind, folder).into())]).collect()
}

/// Every credential of a venue's table, in every environment: whole, without its id, without its secret, empty, and elsewhere.
fn each_is_read<C: FromCredentialParts + Clone + std::fmt::Debug>() {
    let (venue, folder) = (C::VENUE, tempfile::tempdir().unwrap());
    assert!(!venue.variables.credentials.is_empty(), "{}", venue.name);
    let servers =
        venue.servers.iter().map(|server| (server.environment, server.url)).chain([(LOCAL, "http://127.0.0.1:1")]);
    for (environment, url) in servers {
        let prefix = venue.variables.prefix(environment);
        for one in venue.variables.credentials {
            let whole = of(one, &prefix, folder.path());
            let made: Credentials = read::<C>(url, &whole).unwrap_or_else(|error| panic!("{one:?}: {error}")).into();
            assert_eq!(made.environment(), Some(environment));
            assert!(!format!("{made:?}").contains("MARKER"), "{made:?}");

            let secret = format!("{prefix}_{}", one.secret);
            let mut empty = whole.clone();
            empty.insert(secret.clone(), "".into());
            let said = refused::<C>(url, &empty);
            assert!(said.contains(&format!("{secret} is empty")) || one.id.is_none(), "{said}");

            let mut bad = whole.clone();
            bad.insert(secret.clone(), bytes_of_no_text());
            assert!(refused::<C>(url, &bad).contains(&format!("{secret} is not UTF-8")));

            let Some(id) = one.id.map(|id| format!("{prefix}_{id}")) else { continue };
            let mut half = whole.clone();
            half.remove(&id);
            let said = refused::<C>(url, &half);
            assert!(said.contains(&format!("{secret} is set and {id} is not")), "{said}");

            let mut half = whole.clone();
            half.remove(&secret);
            let said = refused::<C>(url, &half);
            assert!(said.contains(&format!("{id} is set")) && said.contains(&format!("{secret} is not set")), "{said}");

            for (name, _) in whole.iter().filter(|(name, _)| **name == id || one.kind == VariableKind::Key) {
                let mut copied = whole.clone();
                copied.insert(name.clone(), "MARKER-text\r".into());
                let said = refused::<C>(url, &copied);
                assert!(said.contains(&format!("{name} ends with a carriage return")), "{said}");
            }

            // What is set for another environment is seen, and not taken.
            let other = if environment == LOCAL { venue.servers[0].environment } else { LOCAL };
            let there = of(one, &venue.variables.prefix(other), folder.path());
            let said = refused::<C>(url, &there);
            assert!(said.contains(&format!("is set, which is for {other}")), "{said}");
        }
        let said = refused::<C>(url, &Set::new());
        assert!(said.contains(&format!("set {prefix}_{}", venue.variables.credentials[0].id.unwrap())), "{said}");
    }
    let said = refused::<C>("https://proxy.example/api", &Set::new());
    assert!(said.contains("from_env_with_prefix") && said.contains("proxy.example"), "{said}");
}

#[cfg(unix)]
fn bytes_of_no_text() -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(vec![b'a', 0xff])
}

#[cfg(windows)]
fn bytes_of_no_text() -> OsString {
    std::os::windows::ffi::OsStringExt::from_wide(&[0xd800])
}

#[test]
fn each_venue_reads_what_its_spec_names() {
    each_is_read::<bayse::Credentials>();
    each_is_read::<deribit::Credentials>();
    each_is_read::<kalshi::Credentials>();
    each_is_read::<kalshi_perps::Credentials>();
    each_is_read::<yativo::Credentials>();
}

#[test]
fn perpetuals_take_the_variables_of_kalshi() {
    assert_eq!(kalshi::VENUE.variables, kalshi_perps::VENUE.variables);
    assert_eq!(kalshi::VENUE.variables.prefix("demo"), "KALSHI_DEMO");
}

const DEMO: &str = "https://external-api.demo.kalshi.co/trade-api/v2";
const ID: (&str, &str) = ("KALSHI_DEMO_KEY_ID", "a952bcbe-ec3b-4b5b-b8f9-11dae589608c");

#[test]
fn a_private_key_is_read_in_every_form_that_variables_have() {
    let pem = pem();
    let forms = [
        pem.clone(),
        pem.replace('\n', "\r\n"),
        pem.replace('\n', "\\n"),
        pem.replace('\n', "\\\\n"),
        format!("{}\r", pem.trim_end()),
        pem.trim_end().to_owned(),
    ];
    for form in &forms {
        let set = set(&[ID, ("KALSHI_DEMO_PRIVATE_KEY", form)]);
        assert!(read::<kalshi::Credentials>(DEMO, &set).is_ok(), "{form:?}");
    }
    for (form, said) in [
        ("MARKER".to_owned(), "not a PEM private key"),
        (pem[..60].to_owned(), "is cut off"),
        ("keys/bot.pem".to_owned(), "the name of a file"),
    ] {
        let told = refused::<kalshi::Credentials>(DEMO, &set(&[ID, ("KALSHI_DEMO_PRIVATE_KEY", &form)]));
        assert!(told.contains("KALSHI_DEMO_PRIVATE_KEY: ") && told.contains(said), "{told}");
    }
}

#[test]
fn a_file_of_a_key_is_read_and_what_is_none_is_told() {
    let named = |value: &str| set(&[ID, ("KALSHI_DEMO_PRIVATE_KEY_FILE", value)]);
    for (value, said) in [
        (pem().as_str(), "KALSHI_DEMO_PRIVATE_KEY_FILE must be the path of a file, but contains the key itself"),
        ("MC4CAQAwBQYDK2VwBCIEIGMARKERMARKERMARKERMARKERMARKER", "or set KALSHI_DEMO_PRIVATE_KEY to the text"),
        ("~/kalshi.pem", "`~` is not expanded here"),
        ("'/no/such.pem'", "remove the spaces or quotes around the path"),
        ("/no/such.pem", "KALSHI_DEMO_PRIVATE_KEY_FILE: /no/such.pem"),
    ] {
        let told = refused::<kalshi::Credentials>(DEMO, &named(value));
        assert!(told.contains(said), "{told}");
    }
    // The text goes before the file, which is not even looked at then.
    let mut both = named("/no/such.pem");
    both.insert("KALSHI_DEMO_PRIVATE_KEY".to_owned(), pem().into());
    assert!(read::<kalshi::Credentials>(DEMO, &both).is_ok());
}

#[test]
fn an_encrypted_key_takes_the_passphrase_beside_it() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/crates/auth/tests/keys/ed25519_encrypted.pem");
    let with = |passphrase: &str| {
        set(&[ID, ("KALSHI_DEMO_PRIVATE_KEY_FILE", path), ("KALSHI_DEMO_PRIVATE_KEY_PASSPHRASE", passphrase)])
    };
    assert!(read::<kalshi::Credentials>(DEMO, &with("throw-away")).is_ok());
    let wrong = refused::<kalshi::Credentials>(DEMO, &with("MARKER"));
    assert!(wrong.contains("KALSHI_DEMO_PRIVATE_KEY_FILE: the passphrase does not open"), "{wrong}");
    let none = refused::<kalshi::Credentials>(DEMO, &with(""));
    assert!(none.contains("set KALSHI_DEMO_PRIVATE_KEY_PASSPHRASE to its passphrase"), "{none}");
}

#[test]
fn the_first_that_is_set_counts_and_with_bayse_all() {
    let url = "https://test.deribit.com/api/v2";
    let mut both = set(&[("DERIBIT_TEST_CLIENT_ID", "abc"), ("DERIBIT_TEST_CLIENT_SECRET", "MARKER")]);
    both.insert("DERIBIT_TEST_ACCESS_TOKEN".to_owned(), "MARKER".into());
    let names = |credentials: Credentials, venue: &'static Venue, id: &str| -> Vec<&str> {
        let carried = credentials.preview(venue.operation(id).unwrap(), None).unwrap();
        carried.into_iter().map(|one| one.name).collect()
    };
    let made: Credentials = read::<deribit::Credentials>(url, &both).unwrap().into();
    assert_eq!(names(made, &deribit::VENUE, "get_account_summary"), ["signature"]);
    both.remove("DERIBIT_TEST_CLIENT_SECRET");
    let made: Credentials = read::<deribit::Credentials>(url, &both).unwrap().into();
    assert_eq!(names(made, &deribit::VENUE, "get_account_summary"), ["bearer"]);

    let all = set(&[
        ("BAYSE_PRODUCTION_PUBLIC_KEY", "pk"),
        ("BAYSE_PRODUCTION_SECRET_KEY", "MARKER"),
        ("BAYSE_PRODUCTION_DEVICE_ID", "device"),
        ("BAYSE_PRODUCTION_AUTH_TOKEN", "MARKER"),
        ("BAYSE_PRODUCTION_EMAIL", "a@example.com"),
        ("BAYSE_PRODUCTION_PASSWORD", "MARKER with blanks"),
    ]);
    let made: Credentials = read::<bayse::Credentials>("https://relay.bayse.markets", &all).unwrap().into();
    assert_eq!(names(made.clone(), &bayse::VENUE, "cancel_order"), ["read", "write"]);
    assert_eq!(names(made, &bayse::VENUE, "list_api_keys"), ["session"]);
}

#[test]
fn credentials_of_one_environment_are_refused_by_another() {
    let set = set(&[ID, ("KALSHI_DEMO_PRIVATE_KEY", &pem())]);
    let demo = read::<kalshi::Credentials>(DEMO, &set).unwrap();
    let build = |environment| kalshi::Client::builder(environment).credentials(demo.clone()).build();
    assert!(build(kalshi::Environment::Demo).is_ok());
    // A proxy on this machine may stand for it.
    assert!(build(kalshi::Environment::Custom("http://127.0.0.1:1".to_owned())).is_ok());
    for url in ["https://api.elections.kalshi.com/trade-api/v2", "https://external-api.kalshi.com/trade-api/v2"] {
        let error = build(kalshi::Environment::Custom(url.to_owned())).unwrap_err();
        assert!(error.to_string().contains("is its production"), "{error}");
    }
    let error = build(kalshi::Environment::Production).unwrap_err();
    assert!(error.to_string().contains("not sent to another"), "{error}");
    let named = variables::with_prefix::<kalshi::Credentials>("KALSHI_DEMO", |name| set.get(name).cloned()).unwrap();
    let error = kalshi::Client::builder(kalshi::Environment::Production).credentials(named).build().unwrap_err();
    assert!(error.to_string().contains("is its production"), "{error}");
}

#[test]
fn variables_of_ones_own_belong_to_no_environment() {
    let set = set(&[("MY_BOT_KEY_ID", ID.1), ("MY_BOT_PRIVATE_KEY", &pem())]);
    let made = variables::with_prefix::<kalshi::Credentials>("MY_BOT", |name| set.get(name).cloned()).unwrap();
    assert_eq!(Credentials::from(made).environment(), None);
}

/// The names stand in the spec; the command's documentation lists them too.
#[test]
fn the_documentation_names_every_variable() {
    let readme = fs::read_to_string("crates/cli/README.md").unwrap();
    let venues: [&Venue; 6] = [
        &bayse::VENUE,
        &venuekit::binance::VENUE,
        &venuekit::bybit::VENUE,
        &deribit::VENUE,
        &kalshi::VENUE,
        &yativo::VENUE,
    ];
    for venue in venues {
        let row = readme.lines().find(|line| {
            line.strip_prefix("| ").is_some_and(|row| row.to_lowercase().starts_with(&format!("{} | `", venue.name)))
        });
        let row = row.unwrap_or_else(|| panic!("{} has a row", venue.name));
        for one in venue.variables.credentials {
            for name in one.id.into_iter().chain([one.secret]).chain(one.passphrase) {
                assert!(row.contains(&format!("`{name}`")), "{name}: {row}");
            }
        }
    }
}

/// What the child process below does: it is no test by itself.
#[tokio::test]
#[ignore = "run by another test, with variables"]
async fn child() {
    let environment = kalshi::Environment::Custom(std::env::var("SANDBOX").unwrap());
    let credentials = kalshi::Credentials::from_env(&environment).unwrap();
    let client = kalshi::Client::builder(environment.clone()).credentials(credentials).build().unwrap();
    client.get_balance().send().await.unwrap();

    let url = std::env::var("SANDBOX_DERIBIT").unwrap();
    let credentials = deribit::Credentials::from_env_with_prefix("MY_BOT").unwrap();
    let client = deribit::Client::builder(deribit::Environment::Custom(url)).credentials(credentials).build().unwrap();
    client.get_account_summary().currency(deribit::types::Currency::Btc).send().await.unwrap();

    let error = kalshi::Credentials::from_env(&kalshi::Environment::Demo).unwrap_err().to_string();
    assert!(error.contains("KALSHI_LOCAL_PRIVATE_KEY is set, which is for local"), "{error}");
}

#[tokio::test]
async fn a_process_signs_with_what_its_environment_holds() {
    let sandbox = Sandbox::start(Accounts::default()).await.unwrap();
    let (kalshi, deribit) = (&sandbox.accounts().kalshi[0], &sandbox.accounts().deribit[0]);
    let mut child = Command::new(std::env::current_exe().unwrap());
    child
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .env("SANDBOX", sandbox.kalshi_url())
        .env("SANDBOX_DERIBIT", sandbox.deribit_url())
        .env("KALSHI_LOCAL_KEY_ID", &kalshi.key_id)
        .env("KALSHI_LOCAL_PRIVATE_KEY", kalshi.private_key_pem.as_deref().unwrap().replace('\n', "\\n"))
        .env("MY_BOT_CLIENT_ID", &deribit.client_id)
        .env("MY_BOT_CLIENT_SECRET", deribit.client_secret.as_deref().unwrap());
    let ended = tokio::task::spawn_blocking(move || child.output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout).into_owned() + &String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success() && said.contains("1 passed"), "{said}");
}
