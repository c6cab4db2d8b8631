//! Options, files and their messages.
#![cfg(unix)]

#[path = "common/canned.rs"]
mod canned;
mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use common::{MARKER, World, texts};
use serde_json::Value;

fn ok(output: &Output) -> String {
    let (stdout, stderr) = texts(output);
    assert_eq!(output.status.code(), Some(0), "{stdout}{stderr}");
    stdout
}

#[test]
fn the_ending_and_the_format_of_an_export_agree() {
    let world = World::new("export");
    ok(&world.shell("venuekit keys create kalshi/local/bot --scope read; venuekit keys create bayse/local/bot"));
    for (arguments, begins) in [
        ("kalshi/local/bot --to out.pem", "-----BEGIN"),
        ("kalshi/local/bot --to OUT.PEM", "-----BEGIN"),
        ("kalshi/local/bot --to bot.key", "-----BEGIN"),
        ("kalshi/local/bot --to plain --format pem", "-----BEGIN"),
        ("kalshi/local/bot --to secret.pem --format secret", "-----BEGIN"),
        ("kalshi/local/bot --to out.json", "{"),
        ("kalshi/local/bot --to out.env", "export KALSHI"),
        ("kalshi/local/bot --to out.sh", "export KALSHI"),
        ("kalshi/local/bot --to nothing", "export KALSHI"),
        ("bayse/local/bot --to secret.txt --format secret", "sk_live_"),
    ] {
        ok(&world.shell(&format!("venuekit keys export {arguments}")));
        let file = arguments.split(' ').nth(2).unwrap();
        let text = fs::read_to_string(world.home.join(file)).unwrap();
        assert!(text.starts_with(begins), "{arguments}: {}", text.lines().next().unwrap_or_default());
    }
    for (arguments, said) in [
        ("kalshi/local/bot --to x.pem --format env", "--format env does not fit the name `x.pem`"),
        ("kalshi/local/bot --to x.env --format pem", "--format pem does not fit the name `x.env`"),
        ("kalshi/local/bot --to x.json --format secret", "does not fit"),
        ("kalshi/local/bot --to x.pem --format json", "does not fit"),
        ("kalshi/local/bot --to - --format pem --json", "--format pem does not fit --json"),
        ("bayse/local/bot --to x.pem", "this key is a shared secret"),
        ("bayse/local/bot --to x --format pem", "this key is a shared secret"),
        ("bayse/local/bot --to x.pem --format secret", "does not fit"),
    ] {
        let output = world.shell(&format!("venuekit keys export {arguments}"));
        let (stdout, stderr) = texts(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments}: {stdout}{stderr}");
        assert!(stderr.contains(said) && stdout.is_empty(), "{arguments}: {stderr}");
    }
    assert!(["x.pem", "x.env", "x.json", "x"].iter().all(|file| !world.home.join(file).exists()));
}

#[test]
fn a_store_that_is_named_and_not_there_is_no_empty_one() {
    let world = World::new("no-store");
    for arguments in ["keys list", "keys list kalshi/local", "keys report", "keys show kalshi/local/bot", "keys resume"]
    {
        let output = world.shell(&format!("venuekit {arguments} --store-file /nonexistent/keys.age"));
        let (stdout, stderr) = texts(&output);
        assert_eq!((output.status.code(), stdout.as_str()), (Some(6), ""), "{arguments}: {stderr}");
        assert!(stderr.contains("the store /nonexistent/keys.age (from --store-file) does not exist"), "{stderr}");
    }
    let output = world.with("VENUEKIT_STORE_FILE", "/nonexistent/keys.age", &["keys", "list"]);
    assert!(texts(&output).1.contains("(from VENUEKIT_STORE_FILE) does not exist"), "{:?}", texts(&output));
    let none = ok(&world.venuekit(&["keys", "list"]));
    assert!(none.starts_with("no keys: the store ") && none.contains("does not exist yet"), "{none}");
    ok(&world.shell("venuekit keys create kalshi/local/bot --scope read --store-file new.age; test -e new.age"));
    assert!(ok(&world.shell("venuekit keys list --store-file new.age")).contains("kalshi/local/bot"));
}

#[test]
fn a_file_that_is_no_store_is_called_that() {
    let world = World::new("not-a-store");
    for (file, content, said) in [
        ("notes.txt", "hello\n", "it does not begin as a file that age has encrypted"),
        ("empty.age", "", "it is empty"),
        ("key.pem", "-----BEGIN PRIVATE KEY-----\n", "it does not begin as"),
        ("armor.age", "-----BEGIN AGE ENCRYPTED FILE-----\n", "it does not begin as"),
        ("phrase.age", "age-encryption.org/v1\n-> scrypt AAAA 17\n", "it is encrypted by a passphrase"),
    ] {
        fs::write(world.home.join(file), content).unwrap();
        for mode in [0o600, 0o644] {
            fs::set_permissions(world.home.join(file), fs::Permissions::from_mode(mode)).unwrap();
            for command in ["keys list", "keys create kalshi/local/bot --scope read"] {
                let output = world.shell(&format!("venuekit {command} --store-file {file}"));
                let (_, stderr) = texts(&output);
                assert_eq!(output.status.code(), Some(6), "{file}: {stderr}");
                assert!(stderr.contains("this file is not a store") && stderr.contains(said), "{file}: {stderr}");
                assert!(!stderr.contains("identity is") && !stderr.contains("missing"), "{file}: {stderr}");
            }
        }
        assert_eq!(fs::read_to_string(world.home.join(file)).unwrap(), content, "it is left alone");
    }
    let output = world.shell("mkdir folder; venuekit keys list --store-file folder");
    assert!(texts(&output).1.contains("it is a folder"), "{:?}", texts(&output));
}

#[test]
fn scopes_are_listed_and_a_slip_is_corrected() {
    let world = World::new("scopes");
    for arguments in [&["keys", "create", "--help"][..], &["describe", "deribit"], &["keys", "rotate", "--help"]] {
        let text = ok(&world.venuekit(arguments));
        assert!(text.contains("trade:read_write") && !text.contains("mainaccount"), "{arguments:?}: {text}");
    }
    let listed: Value = serde_json::from_str(&ok(&world.venuekit(&["describe", "kalshi", "--json"]))).unwrap();
    assert!(listed["scopes"].as_array().unwrap().contains(&"write::trade".into()), "{}", listed["scopes"]);
    let output = world.venuekit(&["keys", "create", "deribit/local/bot", "--scope", "trade:rw", "--dry-run"]);
    assert!(texts(&output).1.contains("did you mean `trade:read_write`?"), "{:?}", texts(&output));
}

#[test]
fn the_first_key_asks_for_a_new_passphrase_and_says_so_before() {
    let world = World::new("first-key");
    for arguments in [
        &["keys", "create", "--help"][..],
        &["keys", "--help"],
        &["call", "--help"],
        &["call", "kalshi", "get_balance", "--help"],
    ] {
        let text = ok(&world.venuekit(arguments)).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("twice") && text.contains("passphrase"), "{arguments:?}: {text}");
    }
    assert!(include_str!("../README.md").contains("asks twice for a new passphrase"));
}

#[test]
fn all_mistakes_are_told_at_once() {
    let world = World::new("mistakes");
    let output = world.venuekit(&[
        "call",
        "kalshi",
        "create_order_v2",
        "tiker=A",
        "side=buy",
        "count=ten",
        "price",
        "x=1",
        "--totp",
    ]);
    let (_, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    for said in [
        "has no parameter `tiker`\n help: did you mean `ticker`?",
        "`price` is not name=value",
        "has no parameter `x`",
        "body/side: must be one of bid, ask",
        "body/count: must be a decimal number in a JSON string",
        "body/ticker: is required, and so are ",
        "body/self_trade_prevention_type",
        "`create_order_v2` accepts no one-time code",
        "no environment was given for kalshi",
    ] {
        assert!(stderr.contains(said), "{said}: {stderr}");
    }
    assert_eq!(stderr.matches("error: ").count(), 8, "{stderr}");
    assert!(!stderr.contains("so are body/price") && !stderr.contains(", body/price"), "it was named: {stderr}");
    let output = world.venuekit(&["call", "kalshi/local", "get_markets", "limit=x", "statu=open", "--json"]);
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"]["code"], "unknown_parameter");
    assert_eq!(error["error"]["others"][0]["at"], "query/limit");
    let output = world.venuekit(&["call", "bayse/local", "create_api_key", "nam=a", "--yes"]);
    let (_, stderr) = texts(&output);
    assert!(
        stderr.contains("did you mean `name`") && stderr.contains("neither --secrets-to nor --show-secrets was given"),
        "{stderr}"
    );
}

#[test]
fn numbers_are_sent_as_digits_and_only_numbers_are_taken() {
    let world = World::new("numbers");
    let sent = |arguments: &str| {
        let line = format!("venuekit call {arguments} --dry-run --json");
        let output = world.shell(&line);
        (output.status.code(), texts(&output))
    };
    let order = "kalshi/local create_order_v2 ticker=A side=bid count=1 time_in_force=good_till_canceled \
                 self_trade_prevention_type=taker_at_cross";
    for (price, plain) in [("5E-2", "0.05"), ("5e-2", "0.05"), ("0.5e-1", "0.05"), ("5E+1", "50"), ("0.0500", "0.0500")]
    {
        let (code, (stdout, stderr)) = sent(&format!("{order} price={price}"));
        assert!(code == Some(0) && stdout.contains(&format!(r#""price":"{plain}""#)), "{price}: {stdout}{stderr}");
    }
    for price in
        ["5_0e-3", "1_0", "+5", ".5", "5.", "05", "0x5", "1e", "1,5", "NaN", "1e-40", "1e40", "1e99999999999999999999"]
    {
        let (code, (_, stderr)) = sent(&format!("{order} price={price}"));
        assert!(code == Some(2) && stderr.contains("body/price: "), "{price}: {stderr}");
    }
    let buy = "deribit/local buy instrument_name=BTC-PERPETUAL price=5";
    for (amount, plain) in [("1e1", "10"), ("1.50e1", "15"), ("10", "10"), ("0.10", "0.10")] {
        let (code, (stdout, stderr)) = sent(&format!("{buy} amount={amount}"));
        assert!(code == Some(0) && stdout.contains(&format!(r#""amount":{plain}"#)), "{amount}: {stdout}{stderr}");
    }
    for amount in ["1_0", "+5", ".5", "1e40"] {
        let (code, (_, stderr)) = sent(&format!("{buy} amount={amount}"));
        assert!(code == Some(2) && stderr.contains("params/amount: "), "{amount}: {stderr}");
    }
    for limit in ["1_000", "+5", "05", "5.5", " 5", "0x5"] {
        let (code, (_, stderr)) = sent(&format!("kalshi/local get_markets 'limit={limit}'"));
        assert!(code == Some(2) && stderr.contains("query/limit: must be an integer"), "{limit}: {stderr}");
    }
    let (_, (stdout, _)) = sent("kalshi/local get_markets limit=1e2");
    assert!(stdout.contains("limit=100"), "{stdout}");
    let body = r#"{"orders":[{"ticker":"A","side":"bid","count":"1E1","price":"5E-2","time_in_force":"good_till_canceled","self_trade_prevention_type":"taker_at_cross"}]}"#;
    let (_, (stdout, stderr)) =
        sent(&format!("kalshi/local batch_create_orders_v2 'orders={}'", &body[10..body.len() - 1]));
    assert!(stdout.contains(r#""count":"10","price":"0.05""#), "{stdout}{stderr}");
    fs::write(world.home.join("body.json"), body).unwrap();
    let (_, (stdout, stderr)) = sent("kalshi/local batch_create_orders_v2 --body body.json");
    assert!(stdout.contains(r#""count":"10","price":"0.05""#), "{stdout}{stderr}");
    for option in
        ["--timeout=1e1", "--timeout=+5", "--timeout=0", "--timeout=1_0", "--totp-fd=+3", "--passphrase-fd=1_0"]
    {
        let output = world.venuekit(&["call", "kalshi/local", "get_exchange_status", option]);
        assert_eq!(output.status.code(), Some(2), "{option}: {:?}", texts(&output));
    }
    for option in ["--max-age=+5", "--unused-for=-1", "--expires-within=1e3"] {
        assert_eq!(world.venuekit(&["keys", "report", option]).status.code(), Some(2), "{option}");
    }
    assert_eq!(world.venuekit(&["sandbox", "--port", "+0"]).status.code(), Some(2));
}

#[test]
fn a_report_has_nothing_to_say_of_a_key_that_is_known() {
    let world = World::new("known");
    ok(&world.venuekit(&["keys", "create", "deribit/local/bot", "--scope", "account:read"]));
    let report = |arguments: &[&str]| {
        let output = world.venuekit(&[&["keys", "report", "deribit/local", "--check"], arguments].concat());
        (output.status.code(), texts(&output).0)
    };
    let (code, text) = report(&[]);
    assert_eq!(code, Some(0), "the key of the variables manages the account: {text}");
    // Another one that nobody here knows.
    let made =
        "venuekit call deribit/local create_api_key max_scope=trade:read name=other --yes --secrets-to other.json";
    ok(&world.shell(made));
    let made: Value = serde_json::from_str(&fs::read_to_string(world.home.join("other.json")).unwrap()).unwrap();
    let (id, public_id) = (made["id"].to_string(), made["client_id"].as_str().unwrap().to_owned());
    let (code, text) = report(&[]);
    assert!(code == Some(8) && text.contains("not stored here"), "{text}");
    for known in [id.as_str(), public_id.as_str(), "other"] {
        let (code, text) = report(&["--known", known]);
        assert_eq!(code, Some(0), "{known}: {text}");
    }
    assert_eq!(report(&["--known", "another"]).0, Some(8));
    let config =
        format!("[profiles.deribit]\nvenue = \"deribit\"\nenvironment = \"local\"\nknown-keys = [\"{public_id}\"]\n");
    fs::create_dir_all(world.home.join(".config/venuekit")).unwrap();
    fs::write(world.home.join(".config/venuekit/config.toml"), config).unwrap();
    assert_eq!(report(&[]).0, Some(0));
}

#[test]
fn a_wrong_one_time_code_is_explained_in_words_of_this_command() {
    let world = World::new("wrong-code");
    let as_other = format!("DERIBIT_LOCAL_CLIENT_ID=SecondFa DERIBIT_LOCAL_CLIENT_SECRET={MARKER}-client-secret-2");
    for command in [
        "call deribit/local list_api_keys --show-secrets",
        "keys list deribit/local",
        "keys create deribit/local/bot --scope account:read",
        "call yativo/local rotate_api_key key_id=key_000000000000000000000000 --yes --show-secrets",
        "keys create yativo/local/bot --scope read",
    ] {
        let output = world.shell(&format!("printf '654321\\n654322\\n' | {as_other} venuekit {command} --totp-fd 0"));
        let (stdout, stderr) = texts(&output);
        assert_eq!(output.status.code(), Some(5), "{command}: {stdout}{stderr}");
        assert!(stderr.contains(": the venue did not accept the one-time code: it is not"), "{command}: {stderr}");
        for foreign in ["confirm", "13668", "security_key_authorization_error", "second factor"] {
            assert!(!stderr.contains(foreign), "{command}: {foreign}: {stderr}");
        }
    }
}

#[test]
fn a_time_limit_and_a_proxy_are_kept() {
    let world = World::new("network");
    let silent = canned::start(|_| {
        std::thread::sleep(std::time::Duration::from_secs(600));
        None
    });
    let call = ["call", "kalshi/local", "get_exchange_status", "--base-url", &silent];
    let output = world.venuekit(&[&call[..], &["--timeout", "1", "--json"]].concat());
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!((output.status.code(), error["error"]["code"].as_str()), (Some(7), Some("timeout")), "{error}");
    fs::create_dir_all(world.home.join(".config/venuekit")).unwrap();
    let config = |more: &str| {
        let text = format!("[profiles.kalshi]\nvenue = \"kalshi\"\nenvironment = \"demo\"\n{more}\n");
        fs::write(world.home.join(".config/venuekit/config.toml"), text).unwrap();
    };
    // Nothing leaves this machine: the proxy is a port at which nobody listens.
    let demo = ["call", "kalshi/demo", "get_exchange_status", "--timeout", "5"];
    let output = world.venuekit(&[&demo[..], &["--proxy", &format!("http://user:{MARKER}@127.0.0.1:1")]].concat());
    let (_, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(7), "{stderr}");
    assert!(stderr.contains("127.0.0.1:1") && !stderr.contains(MARKER), "{stderr}");
    config(&format!("proxy = \"http://user:{MARKER}@127.0.0.1:1\"\ntimeout = 5"));
    let output = world.venuekit(&["call", "kalshi/demo", "get_exchange_status"]);
    let (_, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(7), "{stderr}");
    assert!(stderr.contains("127.0.0.1:1") && !stderr.contains(MARKER), "{stderr}");
    let shown = ok(&world.venuekit(&["config", "show", "--json"]));
    assert!(shown.contains(r#""proxy":"http://127.0.0.1:1""#) && !shown.contains(MARKER), "{shown}");
    for (more, said) in [
        (format!("proxy = \"{MARKER}\""), "is not the URL of a proxy"),
        ("timeout = 0".to_owned(), "it is not a whole number from 1"),
        ("timeout = 1.5".to_owned(), "expected"),
        ("timeout = -3".to_owned(), "config.toml:"),
    ] {
        config(&more);
        let (_, stderr) = texts(&world.venuekit(&["call", "kalshi/demo", "get_exchange_status"]));
        assert!(stderr.contains(said) && !stderr.contains(MARKER), "{more}: {stderr}");
    }
    config("");
    for proxy in [format!("socks4://{MARKER}:1"), MARKER.to_owned(), String::new(), format!("http://h/{MARKER}")] {
        let output = world.venuekit(&[&demo[..], &["--proxy", &proxy]].concat());
        let (_, stderr) = texts(&output);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("--proxy: it is not the URL of a proxy") && !stderr.contains(MARKER), "{stderr}");
    }
}

/// Addresses with a password in them are refused, and none of the messages has it.
#[test]
fn a_password_in_an_address_is_not_shown() {
    let world = World::new("address-password");
    let vault = format!("https://me:{MARKER}@vault.example.com:8200");
    for json in [&[][..], &["--json"]] {
        let shown = [&["--store", "vault", "config", "show"], json].concat();
        let (stdout, stderr) = texts(&world.with("VAULT_ADDR", &vault, &shown));
        assert!(stdout.contains("[redacted]@vault.example.com"), "{stdout}{stderr}");
        assert!(!format!("{stdout}{stderr}").contains(MARKER), "{stdout}{stderr}");
    }
    for address in [format!("me:{MARKER}@example.com"), format!("https://me:{MARKER}@example.com")] {
        let output = world.shell(&format!("venuekit call kalshi/local get_exchange_status --base-url {address}"));
        let (stdout, stderr) = texts(&output);
        assert_eq!(output.status.code(), Some(2), "{stdout}{stderr}");
        assert!(!format!("{stdout}{stderr}").contains(MARKER), "{stdout}{stderr}");
    }
}
