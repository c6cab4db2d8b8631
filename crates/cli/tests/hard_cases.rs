//! What a venue says that no sandbox says: answers that are lost, addresses that are not allowed, pages without an end.
#![cfg(unix)]

#[path = "common/canned.rs"]
mod canned;
mod common;

use std::process::{Command, Stdio};
use std::time::Duration;

use common::{MARKER, World, document, texts};
use serde_json::Value;
use venuekit_sandbox::{Fault, Rule};

/// The causes that a diagnosis names.
fn causes(world: &World, venue: &str, url: &str) -> Vec<String> {
    causes_for(world, venue, url, &[])
}

fn causes_for(world: &World, venue: &str, url: &str, more: &[&str]) -> Vec<String> {
    let output = world.venuekit(&[&["doctor", venue, "--base-url", url, "--json"], more].concat());
    let document = document(&output);
    let checks = document["checks"].as_array().unwrap().iter();
    checks
        .filter(|check| check["verdict"] == "fail")
        .filter_map(|check| check["cause"].as_str().map(str::to_owned))
        .collect()
}

#[test]
fn a_diagnosis_tells_what_the_venue_means() {
    let world = World::new("means");
    let kalshi = |body: &'static str, status: u16| {
        canned::start(move |line| {
            Some(if line.contains("/exchange/status") {
                (200, r#"{"exchange_active":true,"trading_active":true}"#.to_owned())
            } else {
                (status, body.to_owned())
            })
        })
    };
    for (status, body, cause) in [
        (
            403,
            r#"{"error":{"code":"forbidden","message":"this IP address is not on the allowlist of the key"}}"#,
            "ip_allow_list",
        ),
        (403, r#"{"error":{"code":"forbidden","message":"Request IP not allowed for this API key"}}"#, "ip_allow_list"),
        (403, r#"{"error":{"code":"forbidden","message":"request from a disallowed IP"}}"#, "ip_allow_list"),
        (403, r#"{"error":{"code":"forbidden","message":"Access from your region is not permitted"}}"#, "region"),
        (451, r#"{"error":{"code":"unavailable","message":"Unavailable in your jurisdiction"}}"#, "region"),
        (401, r#"{"error":{"code":"unauthorized","message":"API key is not active yet"}}"#, "not_yet_active"),
        (403, r#"{"error":{"code":"forbidden","message":"no"}}"#, "forbidden"),
        (403, "<html>Attention required</html>", "web_page"),
        (200, "<html>Log in to the network</html>", "web_page"),
        (200, "{}", "web_page"),
        (200, "null", "web_page"),
        (200, "[]", "web_page"),
        (200, r#"{"usage_tier":null}"#, "web_page"),
        (200, r#"{"success":false}"#, "web_page"),
        (200, r#"{"read":{},"write":{}}"#, "web_page"),
        (200, "", "web_page"),
        (200, r#"{"a":"#, "web_page"),
        (302, "", "redirect"),
        (401, r#"{"error":{"code":"authentication_error","message":"API key has expired"}}"#, "expired"),
        (401, r#"{"error":{"code":"authentication_error","message":"this API key was revoked"}}"#, "revoked"),
        (
            401,
            r#"{"error":{"code":"signature_is_missing_from_headers","message":"signature is missing from headers"}}"#,
            "no_signature",
        ),
        (
            401,
            r#"{"error":{"code":"authentication_error","message":"authentication_error","details":"NOT_FOUND"}}"#,
            "unknown_key",
        ),
        (
            401,
            r#"{"error":{"code":"authentication_error","message":"x","details":"INCORRECT_API_KEY_SIGNATURE"}}"#,
            "key_mismatch",
        ),
        (401, r#"{"error":{"code":"header_timestamp_expired","message":"header timestamp expired"}}"#, "clock"),
        (
            401,
            r#"{"error":{"code":"authentication_error","message":"this key was disabled by its owner"}}"#,
            "disabled",
        ),
        (401, r#"{"error":{"code":"authentication_error","message":"no"}}"#, "key_or_secret"),
        (503, r#"{"error":{"code":"service_unavailable","message":"down"}}"#, "unreachable"),
        (418, r#"{"error":{"code":"teapot","message":"short and stout"}}"#, "other"),
    ] {
        assert_eq!(causes(&world, "kalshi/local", &kalshi(body, status)), [cause], "{body}");
    }
    let down = canned::start(|_| Some((502, "<html>bad gateway</html>".to_owned())));
    assert_eq!(causes(&world, "kalshi/local", &down), ["unreachable"]);
    let deribit = canned::start(|line| {
        let good = r#"{"jsonrpc":"2.0","id":1,"result":1795330888000}"#;
        let bad = r#"{"jsonrpc":"2.0","id":1,"error":{"code":13009,"message":"unauthorized","data":{"reason":"ip_whitelist"}}}"#;
        Some(if line.contains("get_time") { (200, good.to_owned()) } else { (401, bad.to_owned()) })
    });
    assert_eq!(causes(&world, "deribit/local", &deribit), ["ip_allow_list"]);
    let address = kalshi(r#"{"error":{"code":"forbidden","message":"Request IP not allowed"}}"#, 403);
    for (venue, url, has_list) in [("kalshi/local", &address, false), ("deribit/local", &deribit, true)] {
        let (stdout, _) = texts(&world.venuekit(&["doctor", venue, "--base-url", url]));
        assert_eq!(stdout.contains("to the key's list"), has_list, "{stdout}");
    }
}

#[test]
fn what_says_nothing_of_a_key_is_no_fault_of_it() {
    let world = World::new("narrow");
    let wanted = ["--for", "create_order_v2"];
    let status = r#"{"exchange_active":true,"trading_active":true}"#;
    let narrow = r#"{"error":{"code":"forbidden","message":"this API key does not have the scope read"}}"#;
    let busy = r#"{"error":"too many requests"}"#;
    let limits = r#"{"usage_tier":"basic"}"#;
    let broken = r#"{"error":{"code":"internal","message":"no"}}"#;
    for (call, keys) in [((403, narrow), (403, narrow)), ((429, busy), (429, busy)), ((200, limits), (500, broken))] {
        let url = canned::start(move |line| {
            let (status, body) = match line {
                line if line.contains("/exchange/status") => (200, status),
                line if line.contains("/api_keys") => keys,
                _ => call,
            };
            Some((status, body.to_owned()))
        });
        assert!(causes(&world, "kalshi/local", &url).is_empty(), "{call:?}");
        let output = world.venuekit(&["doctor", "kalshi/local", "--base-url", &url, "--json"]);
        let proved = call.0 != 429;
        assert_eq!(document(&output)["ok"], proved, "{call:?}");
        assert_eq!(output.status.code(), Some(if proved { 0 } else { 7 }), "{call:?}");
        assert_eq!(causes_for(&world, "kalshi/local", &url, &wanted), ["open"], "{call:?}");
    }
    for (status, body, cause) in [
        (200, "<html>Log in to the network</html>", "web_page"),
        (200, "{}", "web_page"),
        (404, r#"{"message":"no such route"}"#, "wrong_server"),
        (302, "", "redirect"),
        (403, "<html>Attention required</html>", "web_page"),
    ] {
        let url = canned::start(move |_| Some((status, body.to_owned())));
        assert_eq!(causes(&world, "kalshi/local", &url), [cause], "{status} {body}");
    }
    for body in ["", "{}", "<html>Log in to the network</html>"] {
        let url = canned::start(move |_| Some((200, body.to_owned())));
        assert_eq!(causes(&world, "deribit/local", &url), ["web_page"], "{body}");
    }
}

#[test]
fn a_lost_answer_to_a_write_is_no_failure_like_others() {
    let world = World::new("lost");
    let url = canned::start(|line| if line.starts_with("POST") { None } else { Some((200, "{}".to_owned())) });
    let arguments = [
        "call",
        "bayse/local",
        "create_api_key",
        "name=a",
        "--yes",
        "--secrets-to",
        "a.json",
        "--base-url",
        &url,
        "--json",
    ];
    let output = world.venuekit(&arguments);
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4), "{error}");
    assert_eq!(error["error"]["may_have_been_applied"], true);
    assert_eq!(error["error"]["reconcile_with"], "list_api_keys");
    assert!(!world.home.join("a.json").exists(), "an empty file would look like a kept secret");
    let output = world.venuekit(&["call", "kalshi/local", "get_balance", "--base-url", &canned::start(|_| None)]);
    assert_eq!(output.status.code(), Some(7), "a read that is lost is harmless");
}

/// An order at a venue that answers as the server at this address does.
fn order(url: &str) -> Vec<&str> {
    let order = "ticker=A side=bid count=1.00 price=0.5000 time_in_force=good_till_canceled \
                 self_trade_prevention_type=taker_at_cross";
    let words = ["call", "kalshi/local", "create_order_v2"].into_iter().chain(order.split(' '));
    words.chain(["--yes", "--base-url", url]).collect()
}

#[test]
fn a_write_whose_answer_is_lost_can_be_sent_again_under_its_name() {
    let world = World::new("lost-order");
    let url = canned::start(|_| Some((500, r#"{"error":{"code":"internal","message":"a\u001b[2J\nb"}}"#.to_owned())));
    let output = world.venuekit(&order(&url));
    let (_, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(4), "{stderr}");
    assert!(stderr.contains("it was sent with client_order_id="), "{stderr}");
    assert!(stderr.contains("`venuekit call kalshi/local get_orders ticker=A`"), "{stderr}");
    assert!(stderr.contains(r"a\u001b[2J\u000ab"), "what a venue says does not steer the terminal: {stderr}");
}

#[test]
fn a_write_that_is_interrupted_may_stand() {
    let world = World::new("interrupted");
    for signal in ["-INT", "-TERM", "-HUP"] {
        let (send, arrived) = std::sync::mpsc::channel();
        let send = std::sync::Mutex::new(send);
        let url = canned::start(move |_| {
            send.lock().unwrap().send(()).unwrap();
            std::thread::sleep(Duration::from_secs(600));
            None
        });
        let mut command = Command::new(env!("CARGO_BIN_EXE_venuekit"));
        command.args(order(&url)).arg("--json").stderr(Stdio::piped());
        world.prepare(&mut command);
        let mut child = command.spawn().unwrap();
        arrived.recv().unwrap();
        let id = child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        let code = World::end(&mut child);
        let error: Value = serde_json::from_reader(child.stderr.take().unwrap()).unwrap();
        assert_eq!(code, Some(4), "{error}");
        assert_eq!(error["error"]["reconcile_with"], "get_orders");
        assert_eq!(error["error"]["may_have_been_applied"], true);
        assert_eq!(error["error"]["idempotency_key"].as_str().map(str::len), Some(36));
    }
}

#[test]
fn a_write_whose_answer_cannot_be_printed_was_carried_out() {
    let world = World::new("full");
    let output = world.shell("venuekit call bayse/local create_api_key name=full --yes --show-secrets > /dev/full");
    let (_, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(4), "{stderr}");
    assert!(stderr.contains("create_api_key was executed; its response could not be printed"), "{stderr}");
    assert!(stderr.contains(r#""secretKey":"sk_live_"#), "it was asked for by name: {stderr}");
    let (reader, writer) = std::os::unix::net::UnixStream::pair().unwrap();
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_venuekit"));
    command.args(["call", "bayse/local", "create_api_key", "name=closed", "--yes", "--show-secrets"]);
    world.prepare(&mut command);
    let output = command.stdin(Stdio::null()).stdout(std::os::fd::OwnedFd::from(writer)).output().unwrap();
    let (_, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(4), "{stderr}");
    assert!(stderr.contains("standard output is closed"), "{stderr}");
    assert!(stderr.contains(r#""secretKey":"sk_live_"#), "{stderr}");
}

#[test]
fn what_anybody_may_call_opens_no_store() {
    let world = World::new("public");
    std::fs::create_dir_all(world.home.join(".config/venuekit")).unwrap();
    let profile = "[profiles.kalshi]\nvenue = \"kalshi\"\nenvironment = \"local\"\nkey = \"bot\"\n";
    std::fs::write(world.home.join(".config/venuekit/config.toml"), profile).unwrap();
    let call = |operation| world.with("VENUEKIT_PASSPHRASE", "", &["call", "kalshi", operation]);
    let (public, private) = (call("get_exchange_status"), call("get_balance"));
    assert_eq!(public.status.code(), Some(0), "{:?}", texts(&public));
    assert!(!private.status.success(), "this one needs the key: {:?}", texts(&private));
}

#[test]
fn an_answer_that_cannot_be_read_is_kept_where_it_may_hold_a_secret() {
    let world = World::new("unread");
    let url = canned::start(|_| Some((200, r#"{"secretKey": "sk_live_MARKER" "#.to_owned())));
    let output = world.venuekit(&[
        "call",
        "bayse/local",
        "create_api_key",
        "name=a",
        "--yes",
        "--secrets-to",
        "a.json",
        "--base-url",
        &url,
    ]);
    let (stdout, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(4), "{stderr}");
    assert!(!stdout.contains("MARKER") && !stderr.contains("MARKER"));
    assert!(std::fs::read_to_string(world.home.join("a.json")).unwrap().contains("sk_live_MARKER"));
    assert!(stderr.contains("the response is in a.json\n") && stderr.contains("list_api_keys`"), "{stderr}");
    for body in ["", r#"{"order_id": "#] {
        let output = world.venuekit(&order(&canned::start(move |_| Some((201, body.to_owned())))));
        let (_, stderr) = texts(&output);
        assert_eq!(output.status.code(), Some(4), "{stderr}");
        assert!(stderr.contains("client_order_id=") && stderr.contains("get_orders ticker=A"), "{stderr}");
    }
    let read = |operation: &str, more: &[&str], body: &'static str| {
        let url = canned::start(move |_| Some((200, body.to_owned())));
        world.venuekit(&[&["call", "kalshi/local", operation, "--base-url", &url], more].concat()).status.code()
    };
    assert_eq!(read("get_balance", &[], ""), Some(7), "the spec says that there is a response");
    assert_eq!(read("get_markets", &["--all"], "{}"), Some(7), "a response without its list is not an empty list");
    assert_eq!(read("get_markets", &["--all"], r#"{"markets": null, "cursor": ""}"#), Some(0));
}

#[test]
fn pages_without_an_end_end() {
    let world = World::new("endless");
    let url = canned::start(|_| Some((200, r#"{"markets": [{"ticker": "A"}], "cursor": "again"}"#.to_owned())));
    let output = world.venuekit(&["call", "kalshi/local", "get_markets", "--all", "--base-url", &url]);
    let (stdout, stderr) = texts(&output);
    assert_eq!((output.status.code(), stdout.lines().count()), (Some(7), 2), "{stderr}");
    assert!(stderr.contains("the cursor repeats"), "{stderr}");
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let url = canned::start(move |_| Some((200, deep.clone())));
    let output = world.venuekit(&["call", "kalshi/local", "get_balance", "--base-url", &url]);
    assert_eq!(output.status.code(), Some(7), "{:?}", texts(&output));
}

#[test]
fn a_list_that_breaks_off_tells_where_to_go_on() {
    let world = World::new("broken-off");
    let page = "{\"markets\": [{\"ticker\": \"A\u{7f}\u{202e}\"}], \"cursor\": \"second\"}";
    let url = canned::start(move |line| match line.contains("cursor=") {
        true => Some((400, r#"{"error":{"code":"bad_request","message":"no"}}"#.to_owned())),
        false => Some((200, page.to_owned())),
    });
    let output = world.venuekit(&["call", "kalshi/local", "get_markets", "--all", "--base-url", &url]);
    let (stdout, stderr) = texts(&output);
    assert!(stderr.contains("cursor=second continues from here"), "{stderr}");
    assert_eq!(stdout.trim(), r#"{"ticker":"A\u007f\u202e"}"#);
}

#[test]
fn digits_are_shown_as_they_are_written() {
    let world = World::new("digits");
    let body = r#"{"balance":12345678901234567890.10,"balance_dollars":"0.1000000000000000000000000001","x":1e400}"#;
    let url = canned::start(move |_| Some((200, body.to_owned())));
    let output = world.venuekit(&["call", "kalshi/local", "get_balance", "--base-url", &url, "--json"]);
    assert_eq!(texts(&output).0.trim(), body);
}

#[test]
fn a_key_that_was_stored_and_never_worked_may_not_be_active_yet() {
    let world = World::new("new");
    let unknown = r#"{"error":{"code":"authentication_error","message":"authentication_error","details":"NOT_FOUND"}}"#;
    let not_yet = Fault::Status {
        status: 401,
        body: Some(unknown.to_owned()),
        content_type: Some("application/json".to_owned()),
        retry_after: None,
        executed: false,
    };
    world.sandbox.faults().set(vec![Rule::new(not_yet).on("GET /trade-api/v2/account/limits")]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_venuekit"));
    command.args(["keys", "create", "kalshi/local/bot", "--scope", "read"]);
    world.prepare(&mut command);
    let mut child = command.stdin(Stdio::null()).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    let journal = || {
        let files = std::fs::read_dir(world.home.join(".local/state/venuekit/journal")).into_iter().flatten().flatten();
        files.filter_map(|file| std::fs::read_to_string(file.path()).ok()).collect::<String>()
    };
    while !journal().contains(r#""step":"stored""#) {
        assert!(child.try_wait().unwrap().is_none(), "it waits for the key to work");
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(causes(&world, "kalshi/local/bot", &world.sandbox.base_url()), ["not_yet_active"]);
    world.sandbox.faults().clear();
    assert!(world.venuekit(&["keys", "resume"]).status.success());
    assert!(causes(&world, "kalshi/local/bot", &world.sandbox.base_url()).is_empty());
}

#[test]
fn a_login_beside_a_key_manages_keys() {
    let world = World::new("login");
    let of_user = format!("BAYSE_LOCAL_EMAIL=trader@example.com BAYSE_LOCAL_PASSWORD={MARKER}-password");
    let without = "env -u BAYSE_LOCAL_AUTH_TOKEN -u BAYSE_LOCAL_DEVICE_ID";
    let output = world.shell(&format!("{of_user} {without} venuekit call bayse/local list_api_keys"));
    let (stdout, stderr) = texts(&output);
    assert!(output.status.success() && stdout.contains("pk_live_"), "{stdout}{stderr}");
}
