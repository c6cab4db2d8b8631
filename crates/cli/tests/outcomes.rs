//! Exit codes, errors and their help, and the names in JSON: what a person or a script does next depends on them.
#![cfg(unix)]

#[path = "common/canned.rs"]
mod canned;
mod common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

use common::{CODE, World, document, texts};
use serde_json::{Value, json};

fn ok(output: &Output) -> String {
    let (stdout, stderr) = texts(output);
    assert_eq!(output.status.code(), Some(0), "{stdout}{stderr}");
    stdout
}

fn failed(output: &Output, code: i32) -> String {
    let (stdout, stderr) = texts(output);
    assert_eq!(output.status.code(), Some(code), "{stdout}{stderr}");
    stderr
}

/// The error of a command that was given `--json`.
fn error(output: &Output) -> Value {
    let value: Value = serde_json::from_slice(&output.stderr).unwrap_or_else(|_| panic!("{:?}", texts(output)));
    value["error"].clone()
}

#[test]
fn a_missing_store_or_file_has_one_exit_code() {
    let world = World::new("missing-files");
    for command in [
        "keys show kalshi/local/bot",
        "keys verify kalshi/local/bot",
        "keys export kalshi/local/bot --to bot.pem",
        "keys forget kalshi/local/bot --yes",
        "call kalshi/local get_balance --key bot",
        "call kalshi/local/bot get_balance",
    ] {
        let output = world.shell(&format!("venuekit {command} --json"));
        let found = error(&output);
        assert_eq!((output.status.code(), &found["code"]), (Some(6), &json!("no_store")), "{command}: {found}");
    }
    let adopt = "venuekit keys adopt kalshi/local/bot --public-id a --pem nothing.pem";
    let stderr = failed(&world.shell(adopt), 2);
    assert!(stderr.contains("nothing.pem: No such file") && !stderr.contains("PEM private key"), "{stderr}");
    let stderr = failed(&world.shell("venuekit keys create kalshi/local/bot --scope read && venuekit keys export kalshi/local/bot --to /nonexistent/bot.pem"), 2);
    assert!(stderr.contains("error: /nonexistent/bot.pem: No such file") && !stderr.contains(".tmp"), "{stderr}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_no_internal_error() {
    let world = World::new("full-disk");
    ok(&world.shell("venuekit keys create deribit/local/bot --scope account:read --scope trade:read"));
    for command in ["keys list", "keys show deribit/local/bot", "doctor deribit/local/bot", "config example"] {
        let stderr = failed(&world.shell(&format!("venuekit {command} > /dev/full")), 7);
        assert!(stderr.contains("standard output: "), "{command}: {stderr}");
    }
    let edit = "venuekit keys edit deribit/local/bot --scope account:read --yes --json > /dev/full";
    let output = world.shell(edit);
    assert_eq!(output.status.code(), Some(4), "what has changed is not to be repeated: {:?}", texts(&output));
    assert_eq!(error(&output)["code"], "response_not_printed");
}

#[test]
fn a_lost_order_is_looked_for_by_its_id_and_may_be_repeated_with_it() {
    let world = World::new("lost-order");
    let lost = canned::start(|_| None);
    let order = "venuekit call kalshi/local create_order_v2 ticker=A side=bid count=1 price=0.05 \
                 time_in_force=good_till_canceled self_trade_prevention_type=taker_at_cross --yes --json";
    let output = world.shell(&format!("{order} --base-url {lost}"));
    let found = error(&output);
    assert_eq!(output.status.code(), Some(4), "{found}");
    let (message, help) = (found["message"].as_str().unwrap(), found["help"].as_str().unwrap());
    let key = found["idempotency_key"].as_str().unwrap();
    assert!(message.contains("it may have been executed") && !message.contains("do not repeat it"), "{message}");
    let said = format!(
        "it was sent with client_order_id={key}: look for that id in `venuekit call kalshi/local get_orders ticker=A`; a retry \
         with the same id is not executed twice"
    );
    assert_eq!(help, said);
    // Without an id there is no such retry.
    let cancel = "venuekit call kalshi/local cancel_order_v2 order_id=a --yes --json";
    let found = error(&world.shell(&format!("{cancel} --base-url {lost}")));
    let text = format!("{} {}", found["message"], found["help"]);
    assert!(!text.contains("not executed twice"), "{text}");
}

#[test]
fn a_passphrase_that_cannot_be_right_is_called_that() {
    let world = World::new("passphrases");
    let create = "keys create kalshi/local/bot --scope read";
    let stderr = failed(&world.shell(&format!("echo | venuekit {create} --passphrase-fd 0")), 6);
    assert!(stderr.contains("an empty passphrase is not accepted") && stderr.contains("--passphrase-fd"), "{stderr}");
    ok(&world.shell(&format!("venuekit {create}")));
    let stderr = failed(&world.with("VENUEKIT_PASSPHRASE", "another", &["keys", "list"]), 6);
    assert!(stderr.contains(".age: wrong passphrase"), "{stderr}");
    assert!(stderr.contains("help: the passphrase comes from VENUEKIT_PASSPHRASE; "), "{stderr}");
}

#[test]
fn a_venue_without_a_sub_account_says_how_to_create_one() {
    let mut world = World::new("no-sub-account");
    let key = world.sandbox.accounts().bybit[0].clone();
    world.variables.insert("BYBIT_LOCAL_API_KEY".to_owned(), key.api_key);
    match (key.api_secret, key.private_key_pem) {
        (Some(secret), _) => world.variables.insert("BYBIT_LOCAL_API_SECRET".to_owned(), secret),
        (None, pem) => world.variables.insert("BYBIT_LOCAL_PRIVATE_KEY".to_owned(), pem.unwrap()),
    };
    let stderr = failed(&world.shell("venuekit keys create bybit/local/bot --scope Spot:SpotTrade"), 2);
    assert!(stderr.contains("makes keys of sub-accounts, and the account has none"), "{stderr}");
    assert!(stderr.contains("`venuekit call bybit/local create_sub_member ...`"), "{stderr}");
    assert!(stderr.contains("--sub-account ID"), "{stderr}");
}

#[test]
fn keys_commands_say_where_the_server_is_that_they_cannot_reach() {
    let world = World::new("keys-unreachable");
    ok(&world.shell("venuekit keys create kalshi/local/bot --scope read"));
    for (command, doctor) in [
        ("keys verify kalshi/local/bot", "kalshi/local/bot"),
        ("keys list kalshi/local", "kalshi/local"),
        ("keys list kalshi/local --key bot", "kalshi/local/bot"),
        ("keys create kalshi/local/other --scope read", "kalshi/local"),
        ("keys report kalshi/local", "kalshi/local"),
    ] {
        let stderr = failed(&world.shell(&format!("venuekit {command} --base-url http://127.0.0.1:1")), 7);
        let said = format!("the server is http://127.0.0.1:1/trade-api/v2; `venuekit doctor {doctor}` finds out");
        assert!(stderr.contains(&said), "{command}: {stderr}");
    }
}

#[test]
fn the_same_thing_has_the_same_name_in_json() {
    let world = World::new("json-names");
    ok(&world.shell("venuekit keys create deribit/local/bot --scope account:read --scope trade:read"));
    let shown = document(&world.venuekit(&["keys", "show", "deribit/local/bot", "--json"]));
    let listed = document(&world.venuekit(&["keys", "list", "--json"]));
    assert!(shown["keys"][0]["created"].is_i64() && shown["keys"][0].get("made").is_none(), "{shown}");
    assert!(listed["keys"][0]["created"].is_i64(), "{listed}");
    for command in [
        "keys edit deribit/local/bot --any-address",
        "keys rotate deribit/local/bot",
        "keys revoke deribit/local/bot",
        "keys forget deribit/local/bot",
    ] {
        let output = world.shell(&format!("venuekit {command} --dry-run --json"));
        let found = document(&output);
        let members: Vec<&String> = found.as_object().unwrap().keys().collect();
        assert_eq!(members, ["steps", "warnings"], "{command}: {found}");
    }
    let order = document(&world.venuekit(&["describe", "kalshi", "create_order_v2", "--json"]));
    let side = order["parameters"].as_array().unwrap().iter().find(|one| one["name"] == "side").unwrap();
    assert_eq!((&side["kind"], &side["enum"]), (&json!("bid | ask"), &json!(["bid", "ask"])));
    let venues = document(&world.venuekit(&["describe", "--json"]));
    assert!(venues["venues"][0]["operation_count"].is_i64() && venues["venues"][0].get("operations").is_none());
    let call = "venuekit call kalshi/local get_markets --columns ticker --json";
    let stderr = failed(&world.shell(call), 2);
    assert!(stderr.contains("--json and --columns cannot be combined"), "{stderr}");
}

#[test]
fn nothing_is_said_that_does_not_apply() {
    let world = World::new("does-not-apply");
    fs::write(world.home.join("codes.txt"), format!("{CODE}\n{CODE}\n")).unwrap();
    let created = world.shell("venuekit keys create yativo/local/bot --scope read --totp-fd 3 3<codes.txt");
    let (stdout, stderr) = texts(&created);
    assert!(stdout.contains("stored     yativo/local/bot") && !stderr.contains("not shown again"), "{stdout}{stderr}");

    ok(&world.shell("venuekit keys create kalshi/local/bot --scope read"));
    let plan = ok(&world.shell("venuekit keys rotate kalshi/local/bot --dry-run"));
    assert!(plan.contains("generate a key pair locally"), "{plan}");
    assert!(plan.contains("note       if the venue refuses the local key pair, it generates the key itself"), "{plan}");
    let left = world.shell("venuekit keys rotate kalshi/local/bot --yes --hand-over false");
    assert!(texts(&left).1.contains("the hand-over failed: "), "{:?}", texts(&left));
    let abandoned = ok(&world.shell("venuekit keys resume --abandon --yes"));
    assert!(abandoned.contains("abandoned  bot-") && !abandoned.contains("resumed"), "{abandoned}");

    // Another store does not have what a run has stored: the right one is named.
    let broken = world.shell("venuekit keys rotate kalshi/local/bot --yes --hand-over 'kill -9 $PPID'");
    assert!(!broken.status.success());
    let other = "venuekit keys create deribit/local/bot --scope account:read --store-file other.age && \
                 venuekit keys resume kalshi/local/bot --hand-over true --store-file other.age";
    let stderr = failed(&world.shell(other), 3);
    let right = world.home.join(".local/share/venuekit/keys.age");
    assert!(stderr.contains("the store does not have the new key of `kalshi/local/bot`"), "{stderr}");
    assert!(stderr.contains(&format!("use the store that has it: {}", right.display())), "{stderr}");

    let help = ok(&world.venuekit(&["call", "kalshi", "get_balance", "--help"]));
    let footer: Vec<&str> = help.lines().skip_while(|line| !line.starts_with("The call is made with")).collect();
    assert!(footer.len() > 1 && footer.iter().all(|line| line.chars().count() <= 100), "{footer:?}");
}

#[test]
fn a_path_that_no_operation_has_is_said_by_verify_signature() {
    let world = World::new("unknown-path");
    let sign = "venuekit sign kalshi/local GET /no/such/path | sed -n 's/^header *//p' > signed.txt && \
                (echo 'GET /trade-api/v2/no/such/path HTTP/1.1'; cat signed.txt; echo) > captured.txt && \
                venuekit verify-signature kalshi --headers captured.txt --key-file kalshi.pub.pem";
    let output = world.shell(sign);
    let (stdout, stderr) = texts(&output);
    assert!(stdout.contains("ok    the signature is right"), "{stdout}{stderr}");
    let note = "note: no operation of kalshi has the path /trade-api/v2/no/such/path";
    assert_eq!(stderr.matches(note).count(), 2, "of sign, and of verify-signature: {stderr}");
}

#[test]
fn a_sandbox_says_how_its_markets_move() {
    let world = World::new("moving-markets");
    let mut command = Command::new(env!("CARGO_BIN_EXE_venuekit"));
    world.prepare(&mut command);
    let mut child = command.args(["sandbox", "--port", "0", "--market-maker"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let markets = lines.find(|line| line.starts_with("markets"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(markets.as_deref(), Some("markets    random walk, seed 0"));
}
