//! One command uses one key: the one that was named. What is refused for it is explained by that name.
#![cfg(unix)]

#[path = "common/canned.rs"]
mod canned;
mod common;

use common::{World, document, texts};
use serde_json::{Value, json};

fn create(world: &World, reference: &str, scopes: &[&str]) {
    let scopes = scopes.iter().flat_map(|scope| ["--scope", scope]);
    let arguments: Vec<&str> = ["keys", "create", reference].into_iter().chain(scopes).collect();
    let output = world.venuekit(&arguments);
    assert!(output.status.success(), "{:?}", texts(&output));
}

/// What a call is signed by, as a dry run shows it.
fn signer(world: &World, line: &str) -> String {
    let output = world.shell(&format!("venuekit call {line} --dry-run --json"));
    assert!(output.status.success(), "{line}: {:?}", texts(&output));
    document(&output)["headers"]["kalshi-access-key"].as_str().unwrap().to_owned()
}

#[test]
fn two_different_keys_for_one_command_are_refused() {
    let mut world = World::new("two-keys");
    for name in ["one", "two"] {
        create(&world, &format!("kalshi/local/{name}"), &["read"]);
    }
    let before = world.sandbox.executed();
    for command in [
        "call kalshi/local/one get_balance",
        "call kalshi/local/one get_balance --dry-run",
        "call kalshi/local/one get_exchange_status",
        "watch kalshi/local/one trade --count 1 --for 5s",
        "keys verify kalshi/local/one",
        "keys show kalshi/local/one",
        "keys export kalshi/local/one --to one.pem",
        "keys forget kalshi/local/one --yes",
        "doctor kalshi/local/one",
        "sign kalshi/local/one GET /portfolio/balance",
    ] {
        for key in ["two", "nokey", "kalshi/local/two", "kalshi/demo/one", "deribit/local/one"] {
            let (code, (stdout, stderr)) = {
                let output = world.shell(&format!("venuekit {command} --key {key}"));
                (output.status.code(), texts(&output))
            };
            let said = format!("two keys were named for one command: `kalshi/local/one` and `--key {key}`");
            assert!(code == Some(2) && stderr.contains(&said), "{command} {key}: {stdout}{stderr}");
        }
    }
    assert_eq!(world.sandbox.executed(), before, "nothing was sent");
    assert!(!world.home.join("one.pem").exists());

    // One key by both of its names is one key; a variable is a default.
    let one = signer(&world, "kalshi/local/one get_balance");
    assert_eq!(signer(&world, "kalshi/local/one get_balance --key one"), one);
    assert_eq!(signer(&world, "kalshi/local/one get_balance --key kalshi/local/one"), one);
    let two = signer(&world, "kalshi/local get_balance --key two");
    assert_ne!(one, two);
    world.variables.insert("VENUEKIT_KEY".to_owned(), "two".to_owned());
    assert_eq!(signer(&world, "kalshi/local/one get_balance"), one);
    assert_eq!(signer(&world, "kalshi/local get_balance"), two);
}

#[test]
fn an_edit_asks_first_and_shows_what_it_replaces() {
    let world = World::new("edit-asks");
    create(&world, "deribit/local/bot", &["account:read", "trade:read_write"]);
    let scopes = || {
        let listed = document(&world.venuekit(&["keys", "list", "deribit/local", "--json"]));
        let keys = listed["keys"].as_array().unwrap().clone();
        keys.into_iter().find(|key| key["reference"] == "deribit/local/bot").unwrap()["scopes"].clone()
    };
    let before = scopes();
    let edit = "venuekit keys edit deribit/local/bot --scope account:read";

    let output = world.shell(edit);
    let (stdout, stderr) = texts(&output);
    assert_eq!((output.status.code(), stdout.as_str()), (Some(2), ""), "{stderr}");
    assert!(stderr.contains("cannot ask for confirmation: Replace the scopes of deribit/local/bot: now "), "{stderr}");
    assert!(stderr.contains("trade:read_write") && stderr.contains("; afterwards account:read?"), "{stderr}");
    assert_eq!(scopes(), before, "the key is as it was");

    let (stdout, stderr) = texts(&world.shell(&format!("{edit} --dry-run")));
    assert!(stdout.contains("would      replace the scopes of deribit/local/bot: "), "{stdout}{stderr}");
    assert!(stdout.contains(" -> account:read\n"), "{stdout}");
    assert!(stdout.contains("note       deribit/local/bot loses the scopes: trade:read_write"), "{stdout}");
    let shown = document(&world.shell(&format!("{edit} --dry-run --json")));
    assert_eq!((shown["steps"].as_array().unwrap().len(), shown["warnings"].as_array().unwrap().len()), (1, 1));
    assert_eq!(scopes(), before, "the key is as it was");

    let output = world.shell(&format!("{edit} --yes"));
    assert!(output.status.success(), "{:?}", texts(&output));
    assert_eq!(scopes(), json!(["account:read"]));
}

#[test]
fn a_refusal_names_the_key_that_doctor_is_to_look_at() {
    let world = World::new("doctor-reference");
    create(&world, "kalshi/local/bot", &["read"]);
    create(&world, "deribit/local/bot", &["account:read"]);
    let refusing = canned::start(|line| {
        let body = match line {
            line if line.contains("/api/v2") => {
                r#"{"jsonrpc":"2.0","error":{"code":13004,"message":"invalid_credentials"}}"#
            }
            _ => r#"{"error":{"code":"authentication_error","message":"no"}}"#,
        };
        Some((401, body.to_owned()))
    });
    for (command, doctor) in [
        ("call kalshi/local/bot get_balance", "kalshi/local/bot"),
        ("call kalshi/local get_balance --key bot", "kalshi/local/bot"),
        ("call kalshi/local get_balance", "kalshi/local"),
        ("call deribit/local/bot get_positions", "deribit/local/bot"),
        ("keys list kalshi/local --key bot", "kalshi/local/bot"),
        ("keys list kalshi/local", "kalshi/local"),
    ] {
        let output = world.shell(&format!("venuekit {command} --base-url {refusing}"));
        let (stdout, stderr) = texts(&output);
        let said = format!("`venuekit doctor {doctor}` finds out what is wrong");
        assert!(!output.status.success() && stderr.contains(&said), "{command}: {stdout}{stderr}");
    }
}

#[test]
fn a_key_that_does_not_work_is_a_result_for_scripts() {
    let world = World::new("verify-json");
    create(&world, "kalshi/local/bot", &["read"]);
    let shown = document(&world.venuekit(&["keys", "show", "kalshi/local/bot", "--json"]));
    let id = shown["keys"][0]["id"].as_str().unwrap();
    let ended = world.shell(&format!("venuekit call kalshi/local delete_api_key api_key={id} --yes"));
    assert!(ended.status.success(), "{:?}", texts(&ended));
    let output = world.venuekit(&["keys", "verify", "kalshi/local/bot", "--json"]);
    let (stdout, stderr) = texts(&output);
    assert_eq!((output.status.code(), stderr.as_str()), (Some(8), ""), "{stdout}");
    let found: Value = document(&output);
    assert_eq!((&found["reference"], &found["works"]), (&json!("kalshi/local/bot"), &json!(false)));
    assert!(found["reason"].as_str().unwrap().contains("kalshi/local/bot does not work"), "{found}");
    assert!(found["help"].as_str().unwrap().contains("venuekit doctor kalshi/local/bot"), "{found}");
}
