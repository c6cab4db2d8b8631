//! Kalshi's perpetuals have no keys of their own: one that was made for Kalshi signs for them, in the same way.

#[path = "common/canned.rs"]
mod canned;

use std::sync::Arc;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use canned::{Canned, http};
use venuekit::auth::{KeyKind, PrivateKey};
use venuekit::kalshi_perps::{Client, Credentials, Environment};
use venuekit::keys::{CreatedKey, SecretKind};

/// The 32 bytes at the end of an Ed25519 public key in PEM.
fn raw(pem: &str) -> Vec<u8> {
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(base64).unwrap().split_off(12)
}

#[test]
fn both_environments_end_in_the_prefix_that_is_signed() {
    for environment in [Environment::Production, Environment::Demo] {
        assert!(environment.base_url().ends_with("/trade-api/v2"), "{environment:?}");
    }
}

#[tokio::test]
async fn a_key_of_kalshi_signs_the_whole_path_and_no_query() {
    let pair = PrivateKey::generate(KeyKind::Ed25519).unwrap();
    let public = raw(pair.public_key_pem());
    let made = CreatedKey::new("the-id", "the-id", pair.private_key_pem(), SecretKind::PrivateKeyPem);

    let server = Canned::start(Arc::new(|_| http(200, "application/json", br#"{"orders": []}"#))).await;
    let environment = Environment::Custom(format!("{}/trade-api/v2", server.base_url));
    let credentials = Credentials::try_from(&made).unwrap();
    let client = Client::builder(environment).credentials(credentials).build().unwrap();
    client.get_margin_orders().ticker("KXBTCPERP").send().await.unwrap();

    let [seen] = server.seen().try_into().expect("one request");
    assert!(seen.head.starts_with("GET /trade-api/v2/margin/orders?ticker=KXBTCPERP HTTP/1.1"), "{}", seen.head);
    assert!(seen.body.is_empty());
    let header = |name: &str| {
        let mut lines = seen.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).expect(name)
    };
    assert_eq!(header("KALSHI-ACCESS-KEY"), "the-id");
    let text = format!("{}GET/trade-api/v2/margin/orders", header("KALSHI-ACCESS-TIMESTAMP"));
    let signature = STANDARD.decode(header("KALSHI-ACCESS-SIGNATURE")).unwrap();
    UnparsedPublicKey::new(&ED25519, public)
        .verify(text.as_bytes(), &signature)
        .expect("the signature is over this text");
}

#[tokio::test]
async fn what_needs_a_key_is_not_sent_without_one() {
    let server = Canned::start(Arc::new(|_| http(200, "application/json", b"{}"))).await;
    let client = Client::builder(Environment::Custom(server.base_url.clone())).build().unwrap();
    let error = client.get_margin_orders().send().await.unwrap_err();
    assert_eq!(error.kind(), venuekit::ErrorKind::Unauthorized);
    assert!(server.seen().is_empty());
}
