//! Keys and algorithms, as a check of one text after the other needs them.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::rsa::Opened;
use crate::verify::{PublicKey, verify_ed25519};

/// How a venue's signatures are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    HmacSha256,
    /// RSA-PSS with SHA-256 and a salt of 32 bytes, or Ed25519 for such a key.
    RsaPss,
    /// RSA PKCS#1 v1.5 with SHA-256, or Ed25519 for such a key.
    RsaPkcs1v15,
}

impl Algorithm {
    pub(super) fn name(self, key: &SigningKey) -> &'static str {
        match (self, key) {
            (_, SigningKey::Public(PublicKey::Ed25519(_))) => "Ed25519",
            (Self::HmacSha256, _) => "HMAC-SHA256",
            (Self::RsaPss, _) => "RSA-PSS, SHA-256, salt of 32 bytes",
            (Self::RsaPkcs1v15, _) => "RSA PKCS#1 v1.5, SHA-256",
        }
    }
}

/// What signatures are checked with.
#[derive(Clone, Debug)]
pub(crate) enum SigningKey {
    Secret(Vec<u8>),
    Public(PublicKey),
}

impl SigningKey {
    pub(crate) fn secret(text: &str) -> Self {
        Self::Secret(text.as_bytes().to_vec())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    pub(super) const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    pub(super) fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        }
    }
}

/// A signature with its key: says of one text after the other whether that was signed.
pub(super) enum Verifier {
    Hmac {
        key: Vec<u8>,
        hash: Hash,
        tag: Vec<u8>,
    },
    /// A hash of secret and text together, which is no HMAC.
    PlainHash {
        before: Vec<u8>,
        after: Vec<u8>,
        tag: Vec<u8>,
    },
    Pss {
        hash: Hash,
        digest: Vec<u8>,
        salt: Vec<u8>,
    },
    Pkcs1v15 {
        hash: Hash,
        digest: Vec<u8>,
    },
    Ed25519 {
        key: Box<ed25519_dalek::VerifyingKey>,
        signature: Vec<u8>,
    },
}

impl Verifier {
    pub(super) fn accepts(&self, text: &[u8]) -> bool {
        match self {
            Self::Hmac { key, hash, tag } => match hash {
                Hash::Sha256 => {
                    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
                    mac.update(text);
                    mac.verify_slice(tag).is_ok()
                }
                Hash::Sha384 => {
                    let mut mac = Hmac::<Sha384>::new_from_slice(key).expect("HMAC takes keys of any length");
                    mac.update(text);
                    mac.verify_slice(tag).is_ok()
                }
                Hash::Sha512 => {
                    let mut mac = Hmac::<Sha512>::new_from_slice(key).expect("HMAC takes keys of any length");
                    mac.update(text);
                    mac.verify_slice(tag).is_ok()
                }
            },
            Self::PlainHash { before, after, tag } => {
                Hash::Sha256.of(&[before.as_slice(), text, after.as_slice()].concat()) == *tag
            }
            Self::Pss { hash, digest, salt } => hash.of(&[[0; 8].as_slice(), &hash.of(text), salt].concat()) == *digest,
            Self::Pkcs1v15 { hash, digest } => hash.of(text) == *digest,
            Self::Ed25519 { key, signature } => verify_ed25519(key, text, signature),
        }
    }

    /// The verifiers of a signature for every algorithm of a key, each with the deviation from what the venue wants.
    pub(super) fn all(algorithm: Algorithm, key: &SigningKey, signature: &[u8]) -> Vec<(Self, Option<String>)> {
        match key {
            SigningKey::Secret(secret) => hmacs(secret, signature),
            SigningKey::Public(PublicKey::Ed25519(key)) => {
                vec![(Self::Ed25519 { key: Box::new(*key), signature: signature.to_vec() }, None)]
            }
            SigningKey::Public(PublicKey::Rsa(key)) => {
                let opened = Opened::new(key, signature);
                opened.map(|opened| opened.verifiers(algorithm)).unwrap_or_default()
            }
        }
    }
}

fn hmacs(secret: &[u8], tag: &[u8]) -> Vec<(Verifier, Option<String>)> {
    let hmac = |hash| Verifier::Hmac { key: secret.to_vec(), hash, tag: tag.to_vec() };
    let plain = |before: &[u8], after: &[u8]| Verifier::PlainHash {
        before: before.to_vec(),
        after: after.to_vec(),
        tag: tag.to_vec(),
    };
    let glued = "secret and text were put together and hashed: an HMAC is wanted, with the secret as its key";
    vec![
        (hmac(Hash::Sha256), None),
        (hmac(Hash::Sha384), Some("HMAC with SHA-384 was used: SHA-256 is wanted".to_owned())),
        (hmac(Hash::Sha512), Some("HMAC with SHA-512 was used: SHA-256 is wanted".to_owned())),
        (plain(secret, b""), Some(glued.to_owned())),
        (plain(b"", secret), Some(glued.to_owned())),
    ]
}
