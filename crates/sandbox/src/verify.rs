//! Signature checks. On purpose other implementations than the one the clients sign with.

use ed25519_dalek::VerifyingKey;
use hmac::{Hmac, KeyInit, Mac};
use rsa::pkcs8::DecodePublicKey;
use rsa::signature::Verifier;
use rsa::traits::PublicKeyParts;

/// The public half of a key pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PublicKey {
    Rsa(rsa::PublicKey),
    Ed25519(VerifyingKey),
}

impl PublicKey {
    /// Reads an SPKI PEM. `None` for anything else, private keys included.
    pub(crate) fn from_pem(pem: &str) -> Option<Self> {
        let pem = pem.trim();
        if let Ok(key) = VerifyingKey::from_public_key_pem(pem) {
            return Some(Self::Ed25519(key));
        }
        rsa::PublicKey::from_public_key_pem(pem).ok().map(Self::Rsa)
    }

    /// The size of an RSA modulus in bits, rounded up to whole bytes.
    pub(crate) fn rsa_bits(&self) -> Option<usize> {
        match self {
            Self::Rsa(key) => Some(key.size() * 8),
            Self::Ed25519(_) => None,
        }
    }

    /// RSA: PSS over SHA-256 with a salt of exactly 32 bytes. Ed25519: as ever.
    pub(crate) fn verify_pss(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Rsa(key) => {
                let verifier = rsa::pss::VerifyingKey::<sha2::Sha256>::new(key.clone());
                rsa::pss::Signature::try_from(signature)
                    .is_ok_and(|signature| verifier.verify(message, &signature).is_ok())
            }
            Self::Ed25519(key) => verify_ed25519(key, message, signature),
        }
    }

    /// RSA: PKCS#1 v1.5 over SHA-256. Ed25519: as ever.
    pub(crate) fn verify_pkcs1v15(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Rsa(key) => {
                let verifier = rsa::pkcs1v15::VerifyingKey::<sha2::Sha256>::new(key.clone());
                rsa::pkcs1v15::Signature::try_from(signature)
                    .is_ok_and(|signature| verifier.verify(message, &signature).is_ok())
            }
            Self::Ed25519(key) => verify_ed25519(key, message, signature),
        }
    }
}

pub(crate) fn verify_ed25519(key: &VerifyingKey, message: &[u8], signature: &[u8]) -> bool {
    ed25519_dalek::Signature::from_slice(signature)
        .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok())
}

/// HMAC-SHA256, compared in constant time.
pub(crate) fn verify_hmac(key: &[u8], message: &[u8], tag: &[u8]) -> bool {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.verify_slice(tag).is_ok()
}
