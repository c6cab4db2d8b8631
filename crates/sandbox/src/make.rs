//! Makes keys, secrets and the accounts that a file leaves out.

use std::sync::OnceLock;

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _};
use rand::RngExt;
use rand::distr::Alphanumeric;
use rsa::PrivateKey;
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::pkcs8::LineEnding;

/// A key pair as PEM: the private half as the venues hand it out, the public half as SPKI.
#[derive(Clone)]
pub(crate) struct KeyPair {
    pub(crate) private_pem: String,
    pub(crate) public_pem: String,
}

/// An Ed25519 key pair; the private half in PKCS#8 of version 1, which every parser takes.
pub(crate) fn ed25519_key_pair() -> KeyPair {
    let key = SigningKey::from_bytes(&rand::rng().random());
    // Without the public half inside: OpenSSL refuses the version 2 structure that carries it.
    let pkcs8 = ed25519_dalek::pkcs8::KeypairBytes { secret_key: key.to_bytes(), public_key: None };
    KeyPair {
        private_pem: pkcs8.to_pkcs8_pem(LineEnding::LF).expect("32 bytes encode").to_string(),
        public_pem: key.verifying_key().to_public_key_pem(LineEnding::LF).expect("32 bytes encode"),
    }
}

/// An RSA-2048 key pair; the private half in PKCS#1.
pub(crate) fn rsa_key_pair() -> KeyPair {
    let key = PrivateKey::new(&mut rand::rng(), 2048).expect("the system has random bytes");
    KeyPair {
        private_pem: key.to_pkcs1_pem(LineEnding::LF).expect("a fresh key encodes").to_string(),
        public_pem: rsa_public_pem(&key),
    }
}

/// The RSA key pair of made-up accounts. One a process: finding primes takes a second in a debug build.
pub(crate) fn shared_rsa_key_pair() -> &'static KeyPair {
    static PAIR: OnceLock<KeyPair> = OnceLock::new();
    PAIR.get_or_init(rsa_key_pair)
}

/// An RSA key in PKCS#8 that came in PKCS#1.
pub(crate) fn pkcs8_pem_of(pkcs1_pem: &str) -> Option<String> {
    use rsa::pkcs1::DecodeRsaPrivateKey as _;

    let key = PrivateKey::from_pkcs1_pem(pkcs1_pem).ok()?;
    key.to_pkcs8_pem(LineEnding::LF).ok().map(|pem| pem.to_string())
}

/// The public half of a private key in PEM: PKCS#8 Ed25519, or PKCS#8 or PKCS#1 RSA.
pub(crate) fn public_pem_of(private_pem: &str) -> Option<String> {
    use ed25519_dalek::pkcs8::DecodePrivateKey as _;
    use rsa::pkcs1::DecodeRsaPrivateKey as _;

    let pem = private_pem.trim();
    if let Ok(key) = SigningKey::from_pkcs8_pem(pem) {
        return key.verifying_key().to_public_key_pem(LineEnding::LF).ok();
    }
    let key = PrivateKey::from_pkcs8_pem(pem).or_else(|_| PrivateKey::from_pkcs1_pem(pem)).ok()?;
    Some(rsa_public_pem(&key))
}

/// Signs with a private key in PEM: RSA-PSS with SHA-256 and a salt of 32 bytes, or Ed25519. None where it is no such key.
pub(crate) fn sign_pss(private_pem: &str, text: &[u8]) -> Option<Vec<u8>> {
    use ed25519_dalek::pkcs8::DecodePrivateKey as _;
    use rsa::pkcs1::DecodeRsaPrivateKey as _;
    use rsa::signature::{RandomizedSigner as _, SignatureEncoding as _, Signer as _};

    let pem = private_pem.trim();
    if let Ok(key) = SigningKey::from_pkcs8_pem(pem) {
        return Some(key.sign(text).to_bytes().to_vec());
    }
    let key = PrivateKey::from_pkcs8_pem(pem).or_else(|_| PrivateKey::from_pkcs1_pem(pem)).ok()?;
    let key = rsa::pss::SigningKey::<sha2::Sha256>::new_with_salt_len(key, 32);
    Some(key.sign_with_rng(&mut rand::rng(), text).to_vec())
}

fn rsa_public_pem(key: &PrivateKey) -> String {
    key.to_public_key().to_public_key_pem(LineEnding::LF).expect("a parsed key encodes")
}

/// Random letters and digits.
pub(crate) fn random_text(length: usize) -> String {
    rand::rng().sample_iter(Alphanumeric).take(length).map(char::from).collect()
}

/// A random UUID as text.
pub(crate) fn uuid() -> String {
    uuid::Uuid::new_v4().to_string()
}
