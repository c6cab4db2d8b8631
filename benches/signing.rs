//! What signing a request costs beyond the bare primitive.
//!
//! Ours makes the text, signs it, encodes the signature and returns checked header values. The bare primitive signs a text that
//! is there already, with a key that is loaded already, and encodes nothing.

#![allow(clippy::print_stdout)]

mod pair;

use std::hint::black_box;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, RSA_PSS_SHA256, RsaKeyPair};
use base64::Engine;
use criterion::{Criterion, criterion_group, criterion_main};
use hmac::{Hmac, KeyInit, Mac};
use pair::{compare, way};
use sha2::Sha256;
use venuekit::auth::bayse::BayseWrite;
use venuekit::auth::deribit::DeribitHmac;
use venuekit::auth::described::{DescribedSigner, SigningKey};
use venuekit::auth::kalshi::{KalshiSigner, string_to_sign};
use venuekit::auth::{KeyKind, Parts, PrivateKey, Signer};
use venuekit::binance;
use venuekit::transport::Connect;
use venuekit::transport::client::Call;

const NOW: i64 = 1_703_123_456_789;
const BODY: &[u8] = br#"{"ticker":"KXHIGHNY-26NOV22-B55","side":"bid","count":"10","price":"0.56"}"#;
const SECRET: &str = "sk_live_3f9c0b7d5e1a4c2f8b6d";

fn sign(signer: &impl Signer, parts: &Parts<'_>) {
    black_box(signer.sign(black_box(parts), black_box(NOW)).unwrap());
}

fn kalshi(criterion: &mut Criterion) {
    let parts = Parts::new("POST", "/trade-api/v2/portfolio/events/orders", BODY);
    let text = string_to_sign(&parts, NOW);

    let rsa = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
    let bare = RsaKeyPair::from_pkcs8(&der(&rsa)).unwrap();
    let random = SystemRandom::new();
    let mut signature = vec![0; bare.public_modulus_len()];
    let bare = || bare.sign(&RSA_PSS_SHA256, &random, black_box(text.as_bytes()), &mut signature).unwrap();
    let signer = KalshiSigner::new("key", rsa).unwrap();
    compare(criterion, "kalshi_rsa_2048", way("venuekit", || sign(&signer, &parts)), vec![way("aws-lc-rs", bare)]);

    let ed25519 = PrivateKey::generate(KeyKind::Ed25519).unwrap();
    let bare = Ed25519KeyPair::from_pkcs8(&der(&ed25519)).unwrap();
    let bare = || _ = black_box(bare.sign(black_box(text.as_bytes())));
    let signer = KalshiSigner::new("key", ed25519).unwrap();
    compare(criterion, "kalshi_ed25519", way("venuekit", || sign(&signer, &parts)), vec![way("aws-lc-rs", bare)]);
}

fn bayse(criterion: &mut Criterion) {
    let parts = Parts::new("POST", "/v1/pm/events/evt/markets/mkt/orders", BODY);
    let signer = BayseWrite::new(SECRET).unwrap();
    let text = signer.sign(&parts, NOW).unwrap().string_to_sign().unwrap().to_owned();
    // The text holds a hash of the body, which is part of the bare work.
    let hash = || _ = black_box(<Sha256 as sha2::Digest>::digest(black_box(BODY)));
    let mac = hmac_of(&text);
    let bare = || {
        hash();
        mac();
    };
    compare(criterion, "bayse_hmac", way("venuekit", || sign(&signer, &parts)), vec![way("hmac", bare)]);
}

fn deribit(criterion: &mut Criterion) {
    let parts = Parts::new("POST", "/api/v2/private/buy", BODY);
    let signer = DeribitHmac::new("client", SECRET).unwrap();
    let text = signer.sign(&parts, NOW).unwrap().string_to_sign().unwrap().to_owned();
    let mac = hmac_of(&text);
    // A nonce is drawn for each signature.
    let bare = || {
        let mut nonce = [0; 16];
        aws_lc_rs::rand::fill(&mut nonce).unwrap();
        black_box(nonce);
        mac();
    };
    compare(criterion, "deribit_hmac", way("venuekit", || sign(&signer, &parts)), vec![way("hmac", bare)]);
}

/// From the values of an order's parameters to the URL that is sent: written, percent-encoded, signed, appended.
fn binance(criterion: &mut Criterion) {
    let venue = <binance::Client as Connect>::VENUE;
    let row = venue.operation("get_order").unwrap();
    let signature = venue.credentials.signature("signature").unwrap();
    let signer = DescribedSigner::new(signature, "key", SigningKey::Shared(SECRET.into())).unwrap();
    let signed = || {
        let call = Call::new(row).query("symbol", black_box("LTCBTC")).query("orderId", &black_box(123_456_789_i64));
        let call = call.query("origClientOrderId", black_box("e6ca8d4b-4d3b-4c3d-9d9c-1f0b9f6c2a57"));
        let signed = signer.sign(&Parts::new(row.method, call.target(), b""), black_box(NOW)).unwrap();
        let url = ["https://api.binance.com", call.target(), signed.added().unwrap().as_str()].concat();
        (url, signed)
    };
    let text = signed().1.string_to_sign().unwrap().to_owned();
    let own = || _ = black_box(signed());
    compare(criterion, "binance_query_hmac", way("venuekit", own), vec![way("hmac", hmac_of(&text))]);
}

/// A keyed state that is cloned for each signature, which is the fastest way there is.
fn hmac_of(text: &str) -> impl Fn() {
    let keyed = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    move || _ = black_box(keyed.clone().chain_update(black_box(text.as_bytes())).finalize().into_bytes())
}

/// PKCS#8 DER.
fn der(key: &PrivateKey) -> Vec<u8> {
    let pem = key.private_key_pem();
    let base64: String = pem.expose().lines().filter(|line| !line.starts_with("-----")).collect();
    base64::engine::general_purpose::STANDARD.decode(base64).unwrap()
}

criterion_group!(benches, kalshi, bayse, deribit, binance);
criterion_main!(benches);
