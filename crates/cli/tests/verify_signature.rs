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
    ] {
        let (found, code) = verify(&world, "kalshi", &kalshi_capture(target, TIME, &sign(signed)), "kalshi.pub.pem");
        assert_eq!((mistakes(&found), code), (vec![expected.to_owned()], Some(8)), "{found}");
        assert_eq!(found["expected"], right);
        assert_eq!(found["signed"], signed.replace('\n', "\\n"));
    }
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
    assert_eq!(found["faults"][0], "the timestamp is in seconds: Unix milliseconds are wanted, 13 digits");
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
        (text(""), "body_left_out"),
        (text(body), "body_not_hashed"),
        (text(&sha256(body).to_uppercase()), "hash_upper_case"),
        (text(&sha256(&format!("{body}\n"))), "body_with_line_end"),
        (text(&sha256(body)).replace("1730000000", "1730000000000"), "milliseconds"),
    ] {
        let (found, _) = verify(&world, "bayse", &capture(&STANDARD.encode(mac(secret, &signed))), "secret.txt");
        // Three digits that nobody knows cannot be found: the header has the seconds alone.
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
}
