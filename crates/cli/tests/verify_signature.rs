//! Signatures that were made by hand, with texts written out here: nothing of the command's own code puts them together.
#![cfg(unix)]

mod common;

use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use common::{World, document};
use serde_json::Value;
use venuekit_auth::PrivateKey;

const TIME: &str = "1703123456789";

fn own_key(world: &World) -> PrivateKey {
    PrivateKey::from_file(world.home.join("kalshi.pem")).unwrap()
}

fn verify(world: &World, venue: &str, capture: &str, key_file: &str) -> (Value, Option<i32>) {
    std::fs::write(world.home.join("captured.txt"), capture).unwrap();
    let arguments = ["verify-signature", venue, "--headers", "captured.txt", "--key-file", key_file, "--json"];
    let output = world.venuekit(&arguments);
    (document(&output), output.status.code())
}

fn mistakes(found: &Value) -> Vec<String> {
    let list = found["mistakes"].as_array().unwrap().iter();
    list.map(|one| one["mistake"].as_str().unwrap().to_owned()).collect()
}

fn kalshi_capture(target: &str, time: &str, signature: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\nKALSHI-ACCESS-KEY: a\nKALSHI-ACCESS-TIMESTAMP: {time}\nKALSHI-ACCESS-SIGNATURE: {signature}\n"
    )
}

#[test]
fn kalshi() {
    let world = World::new("verify-kalshi");
    let key = own_key(&world);
    let sign = |text: &str| STANDARD.encode(key.sign_ed25519(text.as_bytes()).unwrap());
    let target = "/trade-api/v2/portfolio/orders?limit=5";
    let right = "1703123456789GET/trade-api/v2/portfolio/orders";
    let (found, code) = verify(&world, "kalshi", &kalshi_capture(target, TIME, &sign(right)), "kalshi.pub.pem");
    assert_eq!((found["verdict"].as_str(), code), (Some("right"), Some(0)), "{found}");
    for (signed, expected) in [
        ("1703123456789GET/trade-api/v2/portfolio/orders?limit=5", "query_included"),
        ("1703123456789GET/portfolio/orders", "path_without_prefix"),
        ("1703123456GET/trade-api/v2/portfolio/orders", "seconds"),
        ("1703123456789get/trade-api/v2/portfolio/orders", "method_lower_case"),
        ("1703123456789GET/trade-api/v2/portfolio/orders\n", "line_end_added"),
        ("1703123456789POST/trade-api/v2/portfolio/orders", "method_post"),
        ("GET/trade-api/v2/portfolio/orders", "time_left_out"),
        ("1703123456789DELETE/trade-api/v2/portfolio/orders", "method_delete"),
        ("1703123456789GET/trade-api/v1/portfolio/orders", "path_of_version_1"),
        ("GET1703123456789/trade-api/v2/portfolio/orders", "order"),
        ("1703123456790GET/trade-api/v2/portfolio/orders", "time_taken_twice"),
        ("1703123455789GET/trade-api/v2/portfolio/orders", "time_taken_twice"),
        ("1703123456789.GET./trade-api/v2/portfolio/orders", "dots"),
    ] {
        let (found, code) = verify(&world, "kalshi", &kalshi_capture(target, TIME, &sign(signed)), "kalshi.pub.pem");
        assert_eq!((mistakes(&found), code), (vec![expected.to_owned()], Some(8)), "{found}");
        assert_eq!(found["expected"], right);
        assert_eq!(found["signed"], signed.replace('\n', "\\n"));
    }
    let template =
        kalshi_capture("/trade-api/v2/markets/KX-1", TIME, &sign("1703123456789GET/trade-api/v2/markets/{ticker}"));
    let (found, _) = verify(&world, "kalshi", &template, "kalshi.pub.pem");
    assert_eq!(mistakes(&found), ["path_template"], "{found}");
    let bytes = key.sign_ed25519(right.as_bytes()).unwrap();
    let others = [
        (hex::encode(bytes), "hex"),
        (STANDARD_NO_PAD.encode(bytes), "base64_without_padding"),
        (STANDARD.encode(hex::encode(bytes)), "base64_of_hex"),
    ];
    for (signature, expected) in others {
        let (found, _) = verify(&world, "kalshi", &kalshi_capture(target, TIME, &signature), "kalshi.pub.pem");
        assert_eq!(mistakes(&found), [expected], "{found}");
    }
    // The address's own alphabet differs only where one of its two letters occurs.
    let url = URL_SAFE.encode(bytes);
    let (found, _) = verify(&world, "kalshi", &kalshi_capture(target, TIME, &url), "kalshi.pub.pem");
    assert_eq!(found["verdict"] == "right", url == STANDARD.encode(bytes), "{found}");
    // Two mistakes: seconds in the header as well, and the query.
    let both = sign("1703123456GET/trade-api/v2/portfolio/orders?limit=5");
    let (found, _) = verify(&world, "kalshi", &kalshi_capture(target, "1703123456", &both), "kalshi.pub.pem");
    assert_eq!(mistakes(&found), ["query_included"]);
    assert_eq!(found["faults"][0], "the timestamp is in seconds: expected Unix milliseconds, 13 digits");
}

#[test]
fn a_request_without_the_prefix_is_a_fault_of_its_own() {
    let world = World::new("verify-prefix");
    let key = own_key(&world);
    let sign = |text: &str| STANDARD.encode(key.sign_ed25519(text.as_bytes()).unwrap());
    for (target, signed, expected) in [
        ("/portfolio/orders", "1703123456789GET/portfolio/orders", "path_without_prefix"),
        ("/portfolio/orders", "1703123456789GET/trade-api/v2/portfolio/orders", ""),
        ("/trade-api/v1/portfolio/orders", "1703123456789GET/trade-api/v1/portfolio/orders", "path_of_version_1"),
    ] {
        let (found, code) = verify(&world, "kalshi", &kalshi_capture(target, TIME, &sign(signed)), "kalshi.pub.pem");
        assert_eq!((mistakes(&found).concat().as_str(), code), (expected, Some(8)), "{found}");
        assert_eq!(found["verdict"], "wrong", "{found}");
        assert_eq!(found["expected"], "1703123456789GET/trade-api/v2/portfolio/orders");
        assert!(found["faults"][0].as_str().unwrap().starts_with("the request itself lacks /trade-api/v2"), "{found}");
    }
}

#[test]
fn the_path_of_a_websocket_is_signed_as_it_is() {
    let world = World::new("verify-websocket");
    let key = own_key(&world);
    let sign = |text: &str| STANDARD.encode(key.sign_ed25519(text.as_bytes()).unwrap());
    let right = "1703123456789GET/trade-api/ws/v2";
    for target in ["/trade-api/ws/v2", "wss://external-api-ws.kalshi.com/trade-api/ws/v2"] {
        let (found, code) = verify(&world, "kalshi", &kalshi_capture(target, TIME, &sign(right)), "kalshi.pub.pem");
        assert_eq!((found["verdict"].as_str(), code), (Some("right"), Some(0)), "{found}");
        for (signed, expected) in [
            ("1703123456789GET/trade-api/v2/trade-api/ws/v2", "websocket_path_with_prefix"),
            ("1703123456789GET/trade-api/v2/ws", "websocket_path_of_rest"),
            ("1703123456789GETwss://external-api-ws.kalshi.com/trade-api/ws/v2", "host_included"),
        ] {
            let capture = kalshi_capture(target, TIME, &sign(signed));
            let capture = capture.replace("HTTP/1.1\n", "HTTP/1.1\nHost: external-api-ws.kalshi.com\n");
            let (found, _) = verify(&world, "kalshi", &capture, "kalshi.pub.pem");
            let is_named = mistakes(&found) == [expected] || target.starts_with('/') && expected == "host_included";
            assert!(is_named, "{target}: {found}");
            assert_eq!(found["expected"], right);
        }
    }
    let perps = "1703123456789GET/trade-api/ws/v2/margin";
    for venue in ["kalshi-perps", "kalshi"] {
        let capture = kalshi_capture("/trade-api/ws/v2/margin", TIME, &sign(perps));
        let (found, _) = verify(&world, venue, &capture, "kalshi.pub.pem");
        assert_eq!(found["verdict"], "right", "{found}");
    }
    // A whole URL is never completed: what it says is what was sent.
    let capture = kalshi_capture("https://external-api.kalshi.com/portfolio/balance", TIME, &sign(right));
    let (found, _) = verify(&world, "kalshi", &capture, "kalshi.pub.pem");
    assert_eq!(found["expected"], "1703123456789GET/portfolio/balance");
    assert!(found["faults"][0].as_str().unwrap().contains("no operation of kalshi has the path"), "{found}");
}

/// `venuekit sign` and `venuekit verify-signature` agree on a path, whatever form it is written in.
#[test]
fn sign_and_verify_agree_on_paths() {
    let world = World::new("verify-sign");
    for (venue, path, signed) in [
        ("kalshi/local", "/trade-api/ws/v2", "/trade-api/ws/v2"),
        ("kalshi/local", "wss://external-api-ws.demo.kalshi.co/trade-api/ws/v2", "/trade-api/ws/v2"),
        (
            "kalshi/local",
            "https://external-api.kalshi.com/trade-api/v2/portfolio/balance",
            "/trade-api/v2/portfolio/balance",
        ),
        ("kalshi/local", "https://external-api.kalshi.com/portfolio/balance", "/portfolio/balance"),
        ("kalshi/local", "/trade-api/v1/markets", "/trade-api/v1/markets"),
        ("kalshi/local", "/portfolio/balance", "/trade-api/v2/portfolio/balance"),
        ("kalshi-perps/local", "/trade-api/ws/v2/margin", "/trade-api/ws/v2/margin"),
        ("kalshi/local", "/trade-api/ws/v2/margin", "/trade-api/ws/v2/margin"),
    ] {
        let output = world.venuekit(&["sign", venue, "GET", path, "--time", TIME, "--json"]);
        let found = document(&output);
        assert_eq!(found["string_to_sign"], format!("{TIME}GET{signed}"), "{path}");
        let signature = found["headers"]["kalshi-access-signature"].as_str().unwrap();
        let (verdict, _) = verify(&world, venue, &kalshi_capture(path, TIME, signature), "kalshi.pub.pem");
        assert_eq!(verdict["signed"], format!("{TIME}GET{signed}"), "{path}: {verdict}");
    }
}

#[test]
fn a_body_in_the_text_of_kalshi_is_named() {
    let world = World::new("verify-kalshi-body");
    let key = own_key(&world);
    let sign = |text: &str| STANDARD.encode(key.sign_ed25519(text.as_bytes()).unwrap());
    let path = "/trade-api/v2/portfolio/events/orders";
    let body = r#"{"ticker":"A-1","count":1}"#;
    let hash = |text: &str| hex::encode(digest::digest(&digest::SHA256, text.as_bytes()));
    for (part, expected) in [
        (body.to_owned(), vec!["body_included"]),
        (r#"{"ticker": "A-1", "count": 1}"#.to_owned(), vec!["body_included", "body_spaced"]),
        (hash(body), vec!["body_hash_included"]),
        (hash(""), vec!["hash_of_empty_text"]),
    ] {
        let headers = kalshi_capture(path, TIME, &sign(&format!("{TIME}POST{path}{part}"))).replacen("GET", "POST", 1);
        let (found, _) = verify(&world, "kalshi", &format!("{headers}\n{body}"), "kalshi.pub.pem");
        assert_eq!(mistakes(&found), expected, "{part}: {found}");
    }
    let (found, _) = verify(
        &world,
        "kalshi",
        &kalshi_capture(path, TIME, &sign(&format!("{TIME}GET{path}{}", hash("")))),
        "kalshi.pub.pem",
    );
    assert_eq!(mistakes(&found), ["body_hash_included"], "{found}");
}

#[test]
fn the_hash_of_an_empty_text_in_place_of_the_body_is_named() {
    let world = World::new("verify-empty-hash");
    std::fs::write(world.home.join("bayse.txt"), "sk_live_x").unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"sk_live_x");
    let body = r#"{"side":"BUY"}"#;
    let empty = hex::encode(digest::digest(&digest::SHA256, b""));
    for (part, expected) in [(empty.clone(), "hash_of_empty_text"), (body.to_owned(), "body_not_hashed")] {
        let text = format!("1703123456.POST./v1/pm/orders.{part}");
        let signature = STANDARD.encode(hmac::sign(&key, text.as_bytes()));
        let capture = format!(
            "POST /v1/pm/orders HTTP/1.1\nX-Public-Key: pk_a\nX-Timestamp: 1703123456\nX-Signature: {signature}\n\n{body}"
        );
        let (found, _) = verify(&world, "bayse", &capture, "bayse.txt");
        assert_eq!(mistakes(&found), [expected], "{found}");
    }
}

#[test]
fn what_is_wrong_with_the_signature_itself_is_named() {
    let world = World::new("verify-form");
    let key = own_key(&world);
    let right = STANDARD.encode(key.sign_ed25519(b"1703123456789GET/trade-api/v2/portfolio/orders").unwrap());
    let target = "/trade-api/v2/portfolio/orders";
    for (signature, signed, fault) in [
        (format!("b'{right}'"), true, "the signature has Python's b'...' around it"),
        (format!("\"{right}\""), true, "the signature has quotes around it"),
        (format!("{}\n {}", &right[..9], &right[9..]), true, "the signature has line breaks or blanks in it"),
        (format!("{} {}", &right[..9], &right[9..]), true, "the signature has line breaks or blanks in it"),
        (STANDARD.encode([7; 32]), false, "the signature has 32 bytes, as an HMAC with SHA-256 has them"),
        (hex::encode([7; 32]), false, "the signature has 32 bytes, as an HMAC with SHA-256 has them"),
        (hex::encode_upper([7; 60]), false, "the signature has 60 bytes, and may be cut off"),
        (STANDARD.encode([7; 256]), false, "the signature has 256 bytes, as an RSA key makes them"),
        (STANDARD.encode([7; 60]), false, "the signature has 60 bytes, and may be cut off"),
        ("?".to_owned(), false, "invalid signature, neither base64 nor hex"),
    ] {
        let (found, code) = verify(&world, "kalshi", &kalshi_capture(target, TIME, &signature), "kalshi.pub.pem");
        assert_eq!((found["verdict"].as_str(), code), (Some("wrong"), Some(8)), "{found}");
        assert_eq!(found["signed"].is_string(), signed, "{found}");
        assert!(found["faults"][0].as_str().unwrap().starts_with(fault), "{found}");
    }
    let twice = format!("{}KALSHI-ACCESS-TIMESTAMP: 1\n", kalshi_capture(target, TIME, &right));
    let (found, _) = verify(&world, "kalshi", &twice, "kalshi.pub.pem");
    assert_eq!(found["faults"][0], "the header kalshi-access-timestamp occurs twice, with different values");
    // A mark of the order of bytes, as editors write it, is no part of the request.
    let (found, _) =
        verify(&world, "kalshi", &format!("\u{feff}{}", kalshi_capture(target, TIME, &right)), "kalshi.pub.pem");
    assert_eq!((&found["verdict"], &found["faults"]), (&"right".into(), &Value::Array(Vec::new())), "{found}");
}

fn mac(secret: &str, text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), text.as_bytes()).as_ref().to_vec()
}

fn sha256(text: &str) -> String {
    hex::encode(digest::digest(&digest::SHA256, text.as_bytes()))
}

#[test]
fn bayse() {
    let world = World::new("verify-bayse");
    let secret = "sk_live_made_by_hand";
    std::fs::write(world.home.join("secret.txt"), format!("{secret}\n")).unwrap();
    let body = r#"{"side": "BUY", "amount": 1.50}"#;
    let capture = |signature: &str| {
        format!(
            "POST /v1/pm/orders HTTP/1.1\nX-Public-Key: pk\nX-Timestamp: 1730000000\nX-Signature: {signature}\n\n{body}\n"
        )
    };
    let text = |hash: &str| format!("1730000000.POST./v1/pm/orders.{hash}");
    let compact = r#"{"side":"BUY","amount":1.50}"#;
    let pretty = "{\n  \"side\": \"BUY\",\n  \"amount\": 1.50\n}";
    for (signed, expected) in [
        (text(&sha256(body)), ""),
        (text(&sha256(compact)), "body_compact"),
        (text(&sha256(pretty)), "body_pretty"),
        (text(body), "body_not_hashed"),
        (text(&sha256(body).to_uppercase()), "hash_upper_case"),
        (text(&sha256(&format!("{body}\n"))), "body_with_line_end"),
        (text(""), "body_left_out"),
        (text("").trim_end_matches('.').to_owned(), "body_part_left_out"),
        (format!("POST./v1/pm/orders.1730000000.{}", sha256(body)), "order"),
        (text(&sha256(body)).replace("1730000000", "1730000001"), "time_taken_twice"),
        (text(&sha256(body)).replace("1730000000", "1730000000000"), "milliseconds"),
        (text(&sha256(body)).replace("1730000000", "1730000000123"), "milliseconds"),
    ] {
        let (found, _) = verify(&world, "bayse", &capture(&STANDARD.encode(mac(secret, &signed))), "secret.txt");
        if expected.is_empty() {
            assert_eq!(found["verdict"], "right", "{found}");
        } else {
            assert_eq!(mistakes(&found), [expected], "{found}");
        }
    }
    let (found, _) = verify(&world, "bayse", &capture(&hex::encode(mac(secret, &text(&sha256(body))))), "secret.txt");
    assert_eq!(mistakes(&found), ["hex"]);
    let (found, _) =
        verify(&world, "bayse", &capture(&STANDARD.encode(mac("made_by_hand", &text(&sha256(body))))), "secret.txt");
    assert_eq!(mistakes(&found), ["secret_without_prefix"]);
    assert!(!found.to_string().contains(secret));
    let (found, _) =
        verify(&world, "bayse", &capture(&STANDARD.encode(mac(&text(&sha256(body)), secret))), "secret.txt");
    assert_eq!(mistakes(&found), ["hmac_turned_round"]);
    let (found, _) = verify(&world, "bayse", &capture(&STANDARD.encode(mac("pk", &text(&sha256(body))))), "secret.txt");
    assert_eq!(mistakes(&found), ["public_part_as_secret"]);
}

#[test]
fn bodies() {
    let world = World::new("verify-bodies");
    let secret = "sk_live_made_by_hand";
    std::fs::write(world.home.join("secret.txt"), secret).unwrap();
    let capture = |method: &str, signed: &str, more: &str| {
        let signature = STANDARD.encode(mac(secret, &format!("1730000000.{method}./v1/pm/orders{signed}")));
        format!(
            "{method} /v1/pm/orders HTTP/1.1\nX-Public-Key: pk\nX-Timestamp: 1730000000\nX-Signature: {signature}\n{more}"
        )
    };
    let found = |capture: &str| mistakes(&verify(&world, "bayse", capture, "secret.txt").0);
    assert_eq!(found(&capture("DELETE", "", "")), ["empty_part_left_out"]);
    let (sent, escaped) = (r#"{"a":"köln"}"#, r#"{"a":"k\u00f6ln"}"#);
    let hash = |body: &str| format!(".{}", sha256(body));
    assert_eq!(found(&capture("POST", &hash(escaped), &format!("\n{sent}"))), ["body_escaped"]);
    let spaced = escaped.replace("\":", "\": ");
    assert_eq!(found(&capture("POST", &hash(&spaced), &format!("\n{sent}"))), ["body_spaced", "body_escaped"]);
    // A file that an editor ended with a line's end.
    std::fs::write(world.home.join("captured.txt"), capture("POST", &hash(sent), "")).unwrap();
    std::fs::write(world.home.join("body.json"), format!("{sent}\n")).unwrap();
    let arguments = ["verify-signature", "bayse", "--headers", "captured.txt", "--body", "body.json"];
    let output = world.venuekit(&[&arguments[..], &["--key-file", "secret.txt", "--json"]].concat());
    assert_eq!(mistakes(&document(&output)), ["body_line_end_left_out"]);
    // curl's -d leaves the line ends out: what was signed tells whether that matters.
    let pretty = "{\n\"a\":\"köln\"}";
    for (given, signed, expected) in [
        (format!("{sent}\n"), format!("{sent}\n"), &["body_as_in_its_file"][..]),
        (format!("{sent}\n"), sent.to_owned(), &[]),
        (pretty.to_owned(), pretty.to_owned(), &["body_as_in_its_file"]),
    ] {
        let length = format!("Content-Length: {}\n", sent.len());
        std::fs::write(world.home.join("captured.txt"), capture("POST", &hash(&signed), &length)).unwrap();
        std::fs::write(world.home.join("body.json"), &given).unwrap();
        let output = world.venuekit(&[&arguments[..], &["--key-file", "secret.txt", "--json"]].concat());
        assert_eq!(mistakes(&document(&output)), expected, "{given}");
    }
    std::fs::write(world.home.join("body.json"), "{}").unwrap();
    let output = world.venuekit(&[&arguments[..], &["--key-file", "secret.txt", "--json"]].concat());
    let found = document(&output);
    assert_eq!(found["faults"][0], "the length of the body given is 2, and content-length says 13", "{found}");
    // curl shows no body: it must be given.
    std::fs::write(world.home.join("captured.txt"), capture("POST", &hash(sent), "Content-Length: 13\n")).unwrap();
    let output =
        world.venuekit(&["verify-signature", "bayse", "--headers", "captured.txt", "--key-file", "secret.txt"]);
    let (_, stderr) = common::texts(&output);
    assert!(stderr.contains("has no body") && output.status.code() == Some(2), "{stderr}");
}

#[test]
fn deribit() {
    let world = World::new("verify-deribit");
    let secret = "made-by-hand";
    std::fs::write(world.home.join("secret.txt"), secret).unwrap();
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"private/get_account_summary","params":{"currency":"BTC"}}"#;
    let capture = |signature: &str| {
        let header = format!("Authorization: deri-hmac-sha256 id=abc,ts={TIME},nonce=n1,sig={signature}");
        format!("POST /api/v2/private/get_account_summary HTTP/1.1\n{header}\n\n{body}\n")
    };
    let right = format!("{TIME}\nn1\nPOST\n/api/v2/private/get_account_summary\n{body}\n");
    for (signature, expected) in [
        (hex::encode(mac(secret, &right)), ""),
        (hex::encode(mac(secret, right.trim_end())), "line_end_left_out"),
        (STANDARD.encode(mac(secret, &right)), "base64"),
        (hex::encode_upper(mac(secret, &right)), "hex_upper_case"),
        (hex::encode(mac(secret, &right.replace("/api/v2", ""))), "path_without_prefix"),
        (hex::encode(mac(secret, &right.replace('\n', "\\n"))), "backslash_n"),
        (hex::encode(mac(secret, &right.replace(body, ""))), "body_left_out"),
        (hex::encode(mac(secret, &right.replace("n1\n", ""))), "nonce_left_out"),
        (hex::encode(mac(secret, &right.replace('\n', "\r\n"))), "carriage_returns"),
        (hex::encode(mac(secret, &format!("{TIME}\nn1\n"))), "text_of_a_login"),
        (hex::encode(mac(secret, &right.replace("/api", "https://www.deribit.com/api"))), "host_included"),
        (hex::encode(mac("abc", &right)), "public_part_as_secret"),
    ] {
        let (found, _) = verify(&world, "deribit", &capture(&signature), "secret.txt");
        match expected {
            "" => assert_eq!(found["verdict"], "right", "{found}"),
            expected => assert_eq!(mistakes(&found), [expected], "{found}"),
        }
    }
    // A login: the params of public/auth.
    let login = |signature: &str| {
        let params = format!(
            r#"{{"grant_type":"client_signature","client_id":"abc","timestamp":{TIME},"nonce":"n1","data":"","signature":"{signature}"}}"#
        );
        format!(
            "POST /api/v2/public/auth HTTP/1.1\nContent-Type: application/json\n\n{{\"method\":\"public/auth\",\"params\":{params}}}\n"
        )
    };
    let right = format!("{TIME}\nn1\n");
    let (found, code) = verify(&world, "deribit", &login(&hex::encode(mac(secret, &right))), "secret.txt");
    assert_eq!((found["verdict"].as_str(), code), (Some("right"), Some(0)), "{found}");
    let without = format!("{TIME}n1");
    let (found, _) = verify(&world, "deribit", &login(&hex::encode(mac(secret, &without))), "secret.txt");
    assert_eq!(mistakes(&found), ["no_separator"], "{found}");
    for (signed, expected) in [
        (right.trim_end().to_owned(), "empty_part_left_out"),
        (format!("n1\n{TIME}\n"), "order"),
        (format!("{TIME}\nn1\nPOST\n/api/v2/public/auth\n\n"), "text_of_a_request"),
    ] {
        let (found, _) = verify(&world, "deribit", &login(&hex::encode(mac(secret, &signed))), "secret.txt");
        assert_eq!(mistakes(&found), [expected], "{found}");
    }
    // Data that was sent and not signed; a grant that is not signed at all, with a signature or without.
    let with_data = |signature: &str| login(signature).replace(r#""data":"""#, r#""data":"some""#);
    for (signed, expected) in [
        (right.clone(), &["data_left_out"][..]),
        (right.trim_end().to_owned(), &["data_left_out", "empty_part_left_out"]),
    ] {
        let (found, _) = verify(&world, "deribit", &with_data(&hex::encode(mac(secret, &signed))), "secret.txt");
        assert_eq!(mistakes(&found), expected, "{found}");
    }
    let credentials = login("a").replace("client_signature", "client_credentials");
    for capture in [credentials.clone(), credentials.replace(r#","signature":"a""#, "")] {
        let (found, code) = verify(&world, "deribit", &capture, "secret.txt");
        assert_eq!((found["verdict"].as_str(), code), (Some("incomplete"), Some(8)), "{found}");
        assert_eq!(found["faults"][0], "a login with the grant_type client_credentials is not signed");
    }
    // Secret and text hashed together.
    for (together, expected) in [
        (format!("{secret}{right}"), "hash_of_secret_and_text"),
        (format!("{right}{secret}"), "hash_of_text_and_secret"),
    ] {
        let (found, _) = verify(&world, "deribit", &login(&sha256(&together)), "secret.txt");
        assert_eq!(mistakes(&found), [expected], "{found}");
    }
    // What the venue wants is told, whatever was sent.
    let (found, _) = verify(&world, "deribit", &login(&STANDARD.encode(mac(secret, &right))), "secret.txt");
    assert_eq!(found["mistakes"][0]["remedy"], "write the signature as hex in lower case: it is base64 with padding");
    // The same login as a GET, and as a message of a WebSocket.
    let signature = hex::encode(mac(secret, &right));
    let query = format!("grant_type=client_signature&client_id=abc&timestamp={TIME}&nonce=n1&signature={signature}");
    let get = format!("GET /api/v2/public/auth?{query} HTTP/1.1\n\n");
    let message = login(&signature).split("\n\n").nth(1).unwrap().to_owned();
    for capture in [get, message] {
        let (found, code) = verify(&world, "deribit", &capture, "secret.txt");
        assert_eq!((found["verdict"].as_str(), code), (Some("right"), Some(0)), "{found}");
    }
    // A query is signed as it is sent.
    let capture = |signature: &str| {
        let header = format!("Authorization: deri-hmac-sha256 id=abc,ts={TIME},nonce=n1,sig={signature}");
        format!("GET /api/v2/private/x?count=1&label=a%20b HTTP/1.1\n{header}\n\n")
    };
    for (query, expected) in
        [("?count=1&label=a b", "query_decoded"), ("?label=a%20b&count=1", "query_order"), ("", "query_left_out")]
    {
        let signed = format!("{TIME}\nn1\nGET\n/api/v2/private/x{query}\n\n");
        let (found, _) = verify(&world, "deribit", &capture(&hex::encode(mac(secret, &signed))), "secret.txt");
        assert_eq!(mistakes(&found), [expected], "{found}");
    }
}
