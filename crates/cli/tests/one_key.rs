//! One command uses one key: the one that was named. What is refused for it is explained by that name.
#![cfg(unix)]

mod common;

use common::{World, document, texts};

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
