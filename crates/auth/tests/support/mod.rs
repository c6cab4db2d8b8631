//! Verifiers that share no code with the signer under test: every signature is put before two libraries, which must agree.
#![allow(dead_code, reason = "not every test uses every part")]

use aws_lc_rs::signature::{ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use rsa::pkcs8::DecodePublicKey;
use rsa::sha2::Sha256;
use rsa::signature::Verifier;
use rsa::{PublicKey, pkcs1v15, pss};

pub const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys");

pub fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{FIXTURES}/{name}")).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub fn text(name: &str) -> String {
    String::from_utf8(fixture(name)).unwrap()
}

/// The DER of an SPKI public key in PEM.
fn spki(pem: &str) -> Vec<u8> {
    pkcs8::Document::from_pem(pem).unwrap().1.as_bytes().to_vec()
}

fn agree(first: bool, second: bool) -> bool {
    assert_eq!(first, second, "the two verifiers disagree");
    first
}

pub fn verify_pss(public_pem: &str, message: &[u8], signature: &[u8]) -> bool {
    let public = PublicKey::from_public_key_pem(public_pem).unwrap();
    let pure = pss::Signature::try_from(signature)
        .is_ok_and(|signature| pss::VerifyingKey::<Sha256>::new(public).verify(message, &signature).is_ok());
    let aws = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, spki(public_pem)).verify(message, signature).is_ok();
    agree(pure, aws)
}

pub fn verify_pkcs1v15(public_pem: &str, message: &[u8], signature: &[u8]) -> bool {
    let public = PublicKey::from_public_key_pem(public_pem).unwrap();
    let pure = pkcs1v15::Signature::try_from(signature)
        .is_ok_and(|signature| pkcs1v15::VerifyingKey::<Sha256>::new(public).verify(message, &signature).is_ok());
    let aws = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, spki(public_pem)).verify(message, signature).is_ok();
    agree(pure, aws)
}

pub fn verify_ed25519(public_pem: &str, message: &[u8], signature: &[u8]) -> bool {
    let der = spki(public_pem);
    let key = ed25519_dalek::VerifyingKey::from_public_key_pem(public_pem).unwrap();
    let pure = ed25519_dalek::Signature::from_slice(signature)
        .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok());
    let aws = UnparsedPublicKey::new(&ED25519, &der[der.len() - 32..]).verify(message, signature).is_ok();
    agree(pure, aws)
}
