//! Signatures of private keys, put before verifiers that share no code with the signer.

mod support;

use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::Signer as _;
use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use rsa::pkcs8::EncodePublicKey as _;
use rsa::pss;
use rsa::sha2::Sha256;
use rsa::signature::{RandomizedSigner, SignatureEncoding};
use support::{text, verify_ed25519, verify_pkcs1v15, verify_pss};
use venuekit_auth::deribit::{DeribitHmac, DeribitKey};
use venuekit_auth::kalshi::KalshiSigner;
use venuekit_auth::{Algorithm, KeyKind, Parts, PrivateKey, SignError, Signed, Signer};

const NOW: i64 = 1_703_123_456_789;

fn rsa() -> PrivateKey {
    PrivateKey::from_pem(text("rsa_pkcs8.pem")).unwrap()
}

fn ed25519() -> PrivateKey {
    PrivateKey::from_pem(text("ed25519.pem")).unwrap()
}

#[test]
fn pss_signatures_verify_and_differ() {
    let key = rsa();
    let (first, second) = (key.sign_pss(b"message").unwrap(), key.sign_pss(b"message").unwrap());
    assert_ne!(first, second, "the salt is random");
    for signature in [&first, &second] {
        assert_eq!(signature.len(), 256);
        assert!(verify_pss(key.public_key_pem(), b"message", signature));
        assert!(!verify_pss(key.public_key_pem(), b"massage", signature));
        assert!(!verify_pkcs1v15(key.public_key_pem(), b"message", signature));
    }
}

/// What makes the test above say something about the salt: both verifiers take 32 bytes and nothing else.
#[test]
fn the_verifiers_refuse_other_salt_lengths() {
    let key: rsa::PrivateKey = pkcs8::DecodePrivateKey::from_pkcs8_pem(
        PrivateKey::from_pem(text("rsa_pkcs8.pem")).unwrap().private_key_pem().expose(),
    )
    .unwrap();
    let public = key.to_public_key().to_public_key_pem(Default::default()).unwrap();
    for (salt, valid) in [(0, false), (20, false), (31, false), (32, true), (33, false), (64, false), (222, false)] {
        let signer = pss::SigningKey::<Sha256>::new_with_salt_len(key.clone(), salt);
        let signature = signer.sign_with_rng(&mut rand::rng(), b"message").to_vec();
        assert_eq!(verify_pss(&public, b"message", &signature), valid, "salt of {salt} bytes");
    }
}

#[test]
fn pkcs1v15_signatures_verify_and_are_always_the_same() {
    let key = rsa();
    let signature = key.sign_pkcs1v15(b"message").unwrap();
    assert_eq!(signature, key.sign_pkcs1v15(b"message").unwrap());
    assert!(verify_pkcs1v15(key.public_key_pem(), b"message", &signature));
    assert!(!verify_pkcs1v15(key.public_key_pem(), b"massage", &signature));
    assert!(!verify_pss(key.public_key_pem(), b"message", &signature));
}

#[test]
fn ed25519_signatures_are_those_of_two_other_libraries() {
    for round in 0..32_usize {
        let key = PrivateKey::generate(KeyKind::Ed25519).unwrap();
        let pem = key.private_key_pem();
        let dalek = ed25519_dalek::SigningKey::from_pkcs8_pem(pem.expose()).unwrap();
        let aws = Ed25519KeyPair::from_seed_unchecked(dalek.as_bytes()).unwrap();
        let message = vec![u8::try_from(round).unwrap(); round * 7];
        let signature = key.sign_ed25519(&message).unwrap();
        assert_eq!(signature, dalek.sign(&message).to_bytes());
        assert_eq!(signature, aws.sign(&message).as_ref());
        assert!(verify_ed25519(key.public_key_pem(), &message, &signature));
        assert!(!verify_ed25519(key.public_key_pem(), b"another message", &signature));
    }
}

#[test]
fn a_key_of_the_wrong_kind_is_an_error() {
    let needs_rsa = SignError::WrongKey { needed: Algorithm::Rsa, given: Algorithm::Ed25519 };
    assert_eq!(ed25519().sign_pss(b"").unwrap_err(), needs_rsa);
    assert_eq!(ed25519().sign_pkcs1v15(b"").unwrap_err(), needs_rsa);
    let needs_ed25519 = SignError::WrongKey { needed: Algorithm::Ed25519, given: Algorithm::Rsa };
    assert_eq!(rsa().sign_ed25519(b"").unwrap_err(), needs_ed25519);
}

fn header<'a>(signed: &'a Signed, name: &str) -> &'a str {
    signed.headers().iter().find(|(found, _)| found == name).expect(name).1.to_str().unwrap()
}

#[test]
fn kalshi_signs_time_method_and_path_with_either_kind_of_key() {
    let parts = Parts::new("get", "/trade-api/v2/portfolio/orders?limit=5&cursor=a%20b", b"not signed");
    let expected = "1703123456789GET/trade-api/v2/portfolio/orders";
    for (key, verify) in [
        (rsa(), verify_pss as fn(&str, &[u8], &[u8]) -> bool),
        (PrivateKey::from_pem(text("rsa_pkcs1.pem")).unwrap(), verify_pss),
        (ed25519(), verify_ed25519),
    ] {
        let signed = KalshiSigner::new("a952bcbe", key.clone()).unwrap().sign(&parts, NOW).unwrap();
        assert_eq!(signed.string_to_sign(), Some(expected));
        assert_eq!(signed.headers().len(), 3);
        assert_eq!(header(&signed, "KALSHI-ACCESS-KEY"), "a952bcbe");
        assert_eq!(header(&signed, "KALSHI-ACCESS-TIMESTAMP"), "1703123456789");
        let signature = STANDARD.decode(header(&signed, "KALSHI-ACCESS-SIGNATURE")).unwrap();
        assert!(verify(key.public_key_pem(), expected.as_bytes(), &signature));
    }
}

#[test]
fn deribit_logs_in_with_either_kind_of_key() {
    for (key, verify) in [(rsa(), verify_pkcs1v15 as fn(&str, &[u8], &[u8]) -> bool), (ed25519(), verify_ed25519)] {
        let signer = DeribitKey::new("AMANDA", key.clone()).unwrap();
        for data in ["", "some data"] {
            let login = signer.client_signature(NOW, data).unwrap();
            let signature = URL_SAFE_NO_PAD.decode(login.signature.expose()).unwrap();
            let signed = format!("{NOW}\n{}\n{data}", login.nonce);
            assert_eq!(login.string_to_sign(), signed);
            assert!(verify(key.public_key_pem(), signed.as_bytes(), &signature));
        }
        let (first, second) = (signer.client_signature(NOW, "").unwrap(), signer.client_signature(NOW, "").unwrap());
        assert_ne!(first.nonce, second.nonce);
    }
}

#[test]
fn deribit_uses_a_nonce_once() {
    let signer = DeribitHmac::new("AMANDA", "AMANDASECRECT").unwrap();
    let parts = Parts::new("POST", "/api/v2", b"{}");
    let nonces: std::collections::BTreeSet<String> = (0..100)
        .map(|_| signer.sign(&parts, NOW).unwrap().string_to_sign().unwrap().split('\n').nth(1).unwrap().to_owned())
        .collect();
    assert_eq!(nonces.len(), 100);
    assert!(nonces.iter().all(|nonce| nonce.len() == 32));
}
