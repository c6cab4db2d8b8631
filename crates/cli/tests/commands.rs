//! The sandbox as a command, completions, manual pages, exit codes.
#![cfg(unix)]

#[path = "common/canned.rs"]
mod canned;
mod common;

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use common::{World, document, texts};
use serde_json::Value;

fn start(world: &World, arguments: &[&str]) -> (Child, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_venuekit"));
    command.args(["sandbox", "--port", "0", "--json"]).args(arguments);
    world.prepare(&mut command);
    let mut child = command.stdout(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    (child, serde_json::from_str(&line).unwrap())
}

fn interrupt(mut child: Child) -> Option<i32> {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    World::end(&mut child)
}

#[test]
fn a_sandbox_is_started_used_and_interrupted() {
    let world = World::new("sandbox");
    let (child, started) = start(&world, &["--env-file", "sandbox.env"]);
    assert!(started["accounts"].is_null(), "what is secret is not printed: {started}");
    let mode = std::fs::metadata(world.home.join("sandbox.env")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mine = world.home.join("mine");
    std::fs::write(&mine, "KEEP").unwrap();
    std::os::unix::fs::symlink("sandbox.env", world.home.join("link")).unwrap();
    for there in ["mine", "link"] {
        let output = world.venuekit(&["sandbox", "--port", "0", "--env-file", there]);
        assert_eq!(output.status.code(), Some(2), "{:?}", texts(&output));
    }
    assert_eq!(std::fs::read_to_string(&mine).unwrap(), "KEEP");
    let output = world.venuekit(&["sandbox", "--port", "0", "--env-file", "sandbox.env"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(texts(&output).1.contains("holds the keys of a sandbox that still runs"), "{:?}", texts(&output));
    for call in [
        "kalshi get_balance",
        "bayse get_portfolio",
        "yativo list_accounts",
        "deribit get_account_summary currency=BTC",
    ] {
        let output = world.shell(&format!(". ./sandbox.env; venuekit call {call} --env local --json"));
        assert!(output.status.success(), "{call}: {:?}", texts(&output));
        assert!(document(&output).is_object());
    }
    assert_eq!(interrupt(child), Some(0));
    let (child, _) = start(&world, &["--env-file", "sandbox.env"]);
    assert_eq!(interrupt(child), Some(0), "the server of that file has gone");
    std::fs::write(world.home.join("empty.env"), "").unwrap();
    assert_eq!(interrupt(start(&world, &["--env-file", "empty.env"]).0), Some(0));
    std::fs::write(world.home.join("accounts.json"), r#"{"kalshi": [{"key_id": "mine", "scopes": ["read"]}]}"#)
        .unwrap();
    let (child, started) = start(&world, &["--accounts", "accounts.json", "--show-accounts"]);
    assert_eq!(started["accounts"]["kalshi"][0]["key_id"], "mine");
    assert_eq!(interrupt(child), Some(0));
}

/// Has a sandbox print its accounts into a file, and ends it.
fn accounts_printed(world: &World, arguments: &[&str], file: &str) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_venuekit"));
    command.args(["sandbox", "--port", "0", "--show-accounts"]).args(arguments);
    world.prepare(&mut command);
    let path = world.home.join(file);
    let child = command.stdout(std::fs::File::create(&path).unwrap()).stderr(Stdio::null()).stdin(Stdio::null());
    let child = child.spawn().unwrap();
    let is_whole = || serde_json::from_slice::<Value>(&std::fs::read(&path).unwrap()).is_ok();
    for _ in 0..2400 {
        if is_whole() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(is_whole(), "{}", std::fs::read_to_string(&path).unwrap());
    assert_eq!(interrupt(child), Some(0));
}

#[test]
fn accounts_that_a_sandbox_prints_are_read_back() {
    let world = World::new("accounts");
    for (name, arguments) in [("text.json", &[][..]), ("json.json", &["--json"])] {
        accounts_printed(&world, arguments, name);
        accounts_printed(&world, &["--json", "--accounts", name], "again.json");
        let read =
            |file: &str| -> Value { serde_json::from_slice(&std::fs::read(world.home.join(file)).unwrap()).unwrap() };
        let (first, again) = (read(name), read("again.json"));
        let first = first.get("accounts").cloned().unwrap_or(first);
        assert!(first["deribit"][0]["client_id"].is_string(), "{name}");
        assert_eq!(first, again["accounts"], "{name}");
    }
    std::fs::write(world.home.join("wrong.json"), r#"{"accounts": {"kalshi": [{"key": "x"}]}}"#).unwrap();
    let output = world.venuekit(&["sandbox", "--port", "0", "--accounts", "wrong.json"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(texts(&output).1.contains("unknown field `key`"), "{:?}", texts(&output));
}

#[test]
fn faults_come_from_a_file() {
    let world = World::new("faults");
    let rules = r#"[{"operation": "get_balance", "fault": "status", "status": 403, "times": 1}]"#;
    std::fs::write(world.home.join("faults.json"), rules).unwrap();
    let (child, started) = start(&world, &["--env-file", "sandbox.env", "--faults", "faults.json"]);
    assert_eq!(started["faults"], 1);
    let codes = [1, 0].map(|expected| {
        let output = world.shell(". ./sandbox.env; venuekit call kalshi get_balance --env local --json");
        (output.status.code(), Some(expected))
    });
    assert!(codes.iter().all(|(code, expected)| code == expected), "{codes:?}");
    assert_eq!(interrupt(child), Some(0));
    for (wrong, said) in [
        (r#"[{"fault": "fire"}]"#, "faults.json:1:"),
        (
            r#"[{"fault": "delay", "ms": 1}, {"operation": "get_balnce", "fault": "drop-after"}]"#,
            "faults.json: fault 2:",
        ),
        (r#"[{"fault": "delay", "ms": "MARKER"}]"#, "expected a whole number\n help: `venuekit sandbox --help`"),
        (r#"[{"fault": "delay", "ms": 1, "tmes": 1}]"#, "unknown field `tmes`\n help: "),
    ] {
        std::fs::write(world.home.join("faults.json"), wrong).unwrap();
        let output = world.venuekit(&["sandbox", "--port", "0", "--faults", "faults.json"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(texts(&output).1.contains(said), "{}", texts(&output).1);
    }
}

#[test]
fn a_sandbox_that_cannot_start_says_why() {
    let world = World::new("no-sandbox");
    let port = world.sandbox.base_url().rsplit(':').next().unwrap().to_owned();
    let output = world.venuekit(&["sandbox", "--port", &port]);
    let (stdout, stderr) = texts(&output);
    assert!(stdout.is_empty() && stderr.contains("--port 0 chooses a free one"), "{stderr}");
    assert_eq!(output.status.code(), Some(2));
    for (accounts, said) in [
        ("{\n  \"kalshi\": [}\n}", "accounts.json:2:14: is not JSON: expected value"),
        (r#"{"kalshi": [{"key": "x"}]}"#, "accounts.json:1:18: unknown field `key`"),
        (r#"{"bayse": "MARKER"}"#, "expected a sequence"),
        (
            r#"{"kalshi": [{"key_id": "a", "private_key_pem": "MARKER"}]}"#,
            "kalshi[0].private_key_pem: is no private key",
        ),
    ] {
        std::fs::write(world.home.join("accounts.json"), accounts).unwrap();
        let output = world.venuekit(&["sandbox", "--port", "0", "--accounts", "accounts.json"]);
        let (_, stderr) = texts(&output);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr.contains(said) && !stderr.contains("MARKER"), "{stderr}");
    }
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    let world = World::new("man");
    let (page, _) = texts(&world.venuekit(&["man"]));
    assert!(page.contains(".TH venuekit") && page.contains("Exit codes"), "{page}");
    assert!(page.contains(".SH ENVIRONMENT") && page.contains("VENUEKIT_KEY"), "{page}");
    assert!(world.venuekit(&["man", "--dir", "man"]).status.success());
    for name in [
        "venuekit",
        "venuekit-keys",
        "venuekit-doctor",
        "venuekit-call",
        "venuekit-verify-signature",
        "venuekit-config-schema",
    ] {
        let page = std::fs::read_to_string(world.home.join(format!("man/{name}.1"))).unwrap();
        assert!(page.contains(&format!("\"venuekit {}\"", env!("CARGO_PKG_VERSION"))), "{name}: {page}");
    }
}

/// What a shell is offered for the last word.
fn offered(world: &World, words: &[&str]) -> Vec<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_venuekit"));
    world.prepare(&mut command);
    command.env("COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string());
    command.env("_CLAP_IFS", "\n").env("_CLAP_COMPLETE_COMP_TYPE", "9").env("_CLAP_COMPLETE_SPACE", "false");
    let (stdout, stderr) = texts(&command.arg("--").args(words).stdin(Stdio::null()).output().unwrap());
    assert!(stderr.is_empty(), "{stderr}");
    stdout.lines().map(str::to_owned).collect()
}

#[test]
fn a_shell_completes_operations_and_parameters() {
    let world = World::new("complete");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let (script, _) = texts(&world.venuekit(&["completions", shell]));
        assert!(script.contains("venuekit") && script.contains("COMPLETE"), "{shell}: {script}");
    }
    assert!(offered(&world, &["venuekit", "veri"]).contains(&"verify-signature".to_owned()));
    assert_eq!(offered(&world, &["venuekit", "call", "kalshi-"]), ["kalshi-perps"]);
    assert!(offered(&world, &["venuekit", "call", "kalshi/"]).contains(&"kalshi/demo".to_owned()));
    let operations = offered(&world, &["venuekit", "call", "kalshi/demo", "create_order_v"]);
    assert_eq!(operations, ["create_order_v2"]);
    let names = offered(&world, &["venuekit", "call", "kalshi", "create_order_v2", "ticker=A", "pr"]);
    assert_eq!(names, ["price="]);
    let values = offered(&world, &["venuekit", "call", "kalshi", "create_order_v2", "side="]);
    assert_eq!(values, ["side=bid", "side=ask"]);
    assert!(offered(&world, &["venuekit", "call", "nowhere", "x"]).is_empty());
    let nested = offered(&world, &["venuekit", "call", "kalshi", "batch_create_orders_v2", "orders/0/pr"]);
    assert_eq!(nested, ["orders/0/price="]);
    let deribit = |word| offered(&world, &["venuekit", "call", "deribit", "buy", word]);
    assert_eq!(deribit("post_only="), ["post_only=true", "post_only=false"]);
    assert_eq!(offered(&world, &["venuekit", "call", "deribit", "buy", "--env", "t"]), ["test"]);
    assert_eq!(offered(&world, &["venuekit", "call", "deribit", "private/bu"]), ["private/buy"]);
    let items = offered(&world, &["venuekit", "call", "yativo", "create_webhook", "events=card.fr"]);
    assert_eq!(items, ["events=card.frozen"]);
    assert_eq!(offered(&world, &["venuekit", "totp", "set", "yat"]), ["yativo"]);
}

/// What bash makes of a line with the cursor at its end.
fn completed(world: &World, line: &str, words: &str) -> String {
    let script = format!(
        r#"venuekit completions bash > complete.sh; . ./complete.sh
        COMP_LINE='{line}' COMP_POINT={} COMP_WORDS=({words}) COMP_TYPE=9
        COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _venuekit_complete; echo "${{COMPREPLY[*]}}""#,
        line.len()
    );
    let mut command = Command::new("bash");
    world.prepare(&mut command);
    let (stdout, stderr) = texts(&command.args(["--norc", "-c", &script]).stdin(Stdio::null()).output().unwrap());
    assert!(stderr.is_empty(), "{stderr}");
    stdout.trim().to_owned()
}

#[test]
fn bash_completes_values_although_it_splits_words() {
    if Command::new("bash").arg("--version").output().is_err() {
        return;
    }
    let world = World::new("bash");
    let call = "venuekit call kalshi create_order_v2";
    assert_eq!(completed(&world, &format!("{call} ticker=A pr"), &format!("{call} ticker = A pr")), "price=");
    assert_eq!(completed(&world, &format!("{call} side="), &format!("{call} side =")), "bid ask");
    assert_eq!(completed(&world, &format!("{call} side=b"), &format!("{call} side = b")), "bid");
    let file = completed(&world, &format!("{call} ticker=@kalshi.pe"), &format!("{call} ticker =@ kalshi.pe"));
    assert_eq!(file, "@kalshi.pem", "a file, and no host");
}

#[test]
fn exit_codes_are_as_documented() {
    let world = World::new("codes");
    let readme = include_str!("../README.md");
    let cases: &[(&str, &[&str])] = &[
        ("0", &["call", "kalshi/local", "get_exchange_status"]),
        (
            "1",
            &[
                "call",
                "kalshi/local",
                "cancel_order_v2",
                "order_id=11111111-1111-4111-8111-111111111111",
                "--yes",
                "--key",
                "none",
            ],
        ),
        ("2", &["call", "kalshi/local", "get_markets", "limit=x"]),
        ("3", &["call", "kalshi/local", "get_market", "ticker=NOTHING"]),
        (
            "5",
            &[
                "call",
                "yativo/local",
                "rotate_api_key",
                "key_id=key_000000000000000000000000",
                "--yes",
                "--totp",
                "--show-secrets",
            ],
        ),
        ("6", &["call", "kalshi/demo", "get_balance"]),
        ("7", &["call", "kalshi/local", "get_exchange_status", "--base-url", "http://127.0.0.1:1"]),
        ("8", &["doctor", "kalshi/local", "--base-url", "http://127.0.0.1:1"]),
    ];
    for (code, arguments) in cases {
        let output = match *code {
            "1" => world.with("KALSHI_LOCAL_KEY_ID", common::READER_ID, &["call", "kalshi/local", "get_balance"]),
            _ => world.venuekit(arguments),
        };
        assert_eq!(output.status.code().unwrap().to_string(), *code, "{arguments:?}: {:?}", texts(&output));
        assert!(readme.contains(&format!("| {code} |")), "the README tells {code}");
    }
    for arguments in [&["--help"][..], &["call", "--help"], &["keys", "--help"], &["--version"]] {
        let output = world.venuekit(arguments);
        assert!(output.status.success() && !output.stdout.is_empty(), "{arguments:?}");
    }
    let output = world.venuekit(&["callx", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!((error["error"]["code"].as_str(), error["error"]["exit"].as_u64()), (Some("usage"), Some(2)));
    assert!(error["error"]["help"].as_str().is_some_and(|help| help.contains("call")), "{error}");
}

#[test]
fn a_reader_that_goes_away_is_no_fault() {
    let world = World::new("pipe");
    let output = world
        .shell("venuekit call kalshi/local get_markets limit=1 --all | head -1 >/dev/null; echo ${PIPESTATUS:-done}");
    assert!(output.stderr.is_empty(), "{:?}", texts(&output));
    for read in ["describe kalshi", "call kalshi/local get_exchange_status", "call kalshi/local get_markets --all"] {
        let output = world.shell(&format!("venuekit {read} > /dev/full"));
        assert_eq!(output.status.code(), Some(7), "{read}");
        assert!(texts(&output).1.contains("standard output"));
    }
}

#[test]
fn a_stored_seed_makes_codes() {
    let world = World::new("totp");
    let set = world.shell("echo GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ | venuekit totp set yativo/local");
    assert!(set.status.success(), "{:?}", texts(&set));
    let (code, _) = texts(&world.venuekit(&["totp", "code", "yativo/local"]));
    assert!(code.trim().len() == 6 && code.trim().chars().all(|digit| digit.is_ascii_digit()), "{code}");
    let mode = std::fs::metadata(world.home.join(".local/share/venuekit/keys.age")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let other = world.shell("echo GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJA | venuekit totp set yativo/local");
    assert_eq!(other.status.code(), Some(2), "a seed is not replaced unasked: {:?}", texts(&other));
    let none = world.venuekit(&["totp", "code", "kalshi/local"]);
    assert_eq!(none.status.code(), Some(3), "{:?}", texts(&none));
    for command in ["show", "verify", "forget"] {
        let output = world.venuekit(&["keys", command, "yativo/local/@totp"]);
        assert_eq!(output.status.code(), Some(2), "a seed is no key: {command} {:?}", texts(&output));
    }
    let help = texts(&other).1;
    assert!(help.contains("use --yes") && !help.contains("--dry-run"), "{help}");
    let wrong = world.with("VENUEKIT_PASSPHRASE", "another", &["totp", "code", "yativo/local"]);
    assert_eq!(wrong.status.code(), Some(6), "{:?}", texts(&wrong));
    assert!(world.venuekit(&["totp", "remove", "yativo/local", "--yes"]).status.success());
    assert_eq!(world.venuekit(&["totp", "remove", "yativo/local", "--yes"]).status.code(), Some(3));
}

#[test]
fn what_only_reads_makes_no_store() {
    let world = World::new("no-store");
    for arguments in [
        &["doctor", "kalshi/local/bot"] as &[&str],
        &["keys", "show", "kalshi/local/bot"],
        &["keys", "list", "--stored"],
        &["keys", "list", "kalshi/local"],
        &["keys", "resume"],
        &["call", "kalshi/local/bot", "get_balance"],
        &["totp", "code", "yativo/local"],
    ] {
        world.venuekit(arguments);
        assert!(!world.home.join(".local/share/venuekit").exists(), "{arguments:?}");
    }
}

#[test]
fn a_list_is_printed_as_a_table() {
    let world = World::new("table");
    let url = canned::start(|request| {
        let pages = [
            r#"{"markets":[{"ticker":"A","yes_bid_dollars":"0.5600","volume_fp":"10.00"}],"cursor":"next"}"#,
            r#"{"markets":[{"ticker":"LONG","yes_bid_dollars":"0.0500"},{"ticker":"B","yes_bid_dollars":null}],"cursor":""}"#,
        ];
        Some((200, pages[usize::from(request.contains("cursor=next"))].to_owned()))
    });
    let call = |arguments: &[&str]| {
        let output =
            world.venuekit(&[&["call", "kalshi/local", "get_markets", "--base-url", &url], arguments].concat());
        (output.status.code(), texts(&output))
    };
    let (code, (stdout, stderr)) = call(&["--all", "--columns", "ticker,yes_bid_dollars"]);
    assert_eq!((code, stderr.contains("error")), (Some(0), false), "{stderr}");
    let rows: Vec<Vec<&str>> = stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows, [["ticker", "yes_bid_dollars"], ["A", "0.5600"], ["LONG", "0.0500"], ["B", "-"]]);
    let (code, (stdout, _)) = call(&["--table"]);
    assert_eq!((code, stdout.lines().next().unwrap().split_whitespace().count()), (Some(0), 3), "{stdout}");
    for (arguments, said) in
        [(&["--columns", "tickr"][..], "did you mean `ticker`?"), (&["--table", "--json"], "cannot be combined")]
    {
        let (code, (stdout, stderr)) = call(arguments);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{stderr}");
        assert!(stderr.contains(said), "{stderr}");
    }
    let output = world.venuekit(&["call", "deribit/local", "get_time", "--table"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(texts(&output).1.contains("its response has no list to print as a table"), "{:?}", texts(&output));
}
