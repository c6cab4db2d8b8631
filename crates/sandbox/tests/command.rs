//! The command: what it prints, and how it refuses.

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_venuekit-sandbox"))
}

fn refused(accounts: &str) -> String {
    let file = std::env::temp_dir().join(format!("venuekit-accounts-{}-{}.json", std::process::id(), accounts.len()));
    std::fs::write(&file, accounts).unwrap();
    let output = command().arg("--accounts").arg(&file).output().unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    error(&output).replace(&file.display().to_string(), "FILE")
}

fn error(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn one_line_says_where_it_listens_and_who_may_call() {
    let file = std::env::temp_dir().join(format!("venuekit-accounts-{}.json", std::process::id()));
    std::fs::write(&file, r#"{"kalshi": [{"key_id": "mine", "scopes": ["read"]}]}"#).unwrap();
    let mut child = command().args(["--port=0", "--accounts"]).arg(&file).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let started: Value = serde_json::from_str(&line).unwrap();
    let answer = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let url = format!("{}/trade-api/v2/exchange/status", started["base_url"].as_str().unwrap());
        reqwest::get(url).await.unwrap().status().as_u16()
    });
    child.kill().unwrap();
    child.wait().unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(answer, 200);
    let accounts = &started["accounts"];
    assert_eq!(accounts["kalshi"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&accounts["kalshi"][0]["key_id"], &accounts["kalshi"][0]["scopes"][0]),
        (&"mine".into(), &"read".into())
    );
    assert!(accounts["kalshi"][0]["private_key_pem"].as_str().unwrap().contains("PRIVATE KEY"));
    for venue in ["bayse", "deribit", "yativo"] {
        assert!(!accounts[venue].as_array().unwrap().is_empty(), "{venue} is made up");
    }
}

#[test]
fn a_bad_file_is_named_with_its_place() {
    assert_eq!(refused("{\n  \"kalshi\": [}\n}"), "venuekit-sandbox: FILE:2:14: expected value\n");
    let unknown = refused(r#"{"kalshi": [{"key": "x"}]}"#);
    assert!(unknown.starts_with("venuekit-sandbox: FILE:1:18: unknown field `key`"), "{unknown}");
    let wrong_type = refused(r#"{"bayse": "secret-marker"}"#);
    assert_eq!(wrong_type, "venuekit-sandbox: FILE:1:25: expected a sequence\n");
    let bad_pem = refused(r#"{"kalshi": [{"key_id": "a", "private_key_pem": "nonsense-marker"}]}"#);
    assert!(bad_pem.starts_with("venuekit-sandbox: FILE: kalshi[0].private_key_pem: is no private key"), "{bad_pem}");
    assert!(!bad_pem.contains("nonsense-marker"), "the value is not shown");
}

#[test]
fn bad_arguments_are_named() {
    for (arguments, expected) in [
        (&["--port", "x"][..], "--port: \"x\" is no port"),
        (&["--port", "65536"], "is no port"),
        (&["--port"], "--port needs a value"),
        (&["--ports", "1"], "unknown argument \"--ports\""),
        (&["--accounts", "/nowhere/at/all.json"], "/nowhere/at/all.json: "),
    ] {
        let output = command().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(error(&output).contains(expected), "{}", error(&output));
    }
    let help = command().arg("--help").output().unwrap();
    assert!(help.status.success() && String::from_utf8(help.stdout).unwrap().contains("--accounts FILE"));
}
