use ed25519_dalek::{Signer as _, SigningKey};
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::EncodePrivateKey;
use rsa::rand_core::{OsRng, RngCore};
use rsa::sha2::{Digest, Sha256};
use rsa::traits::SignatureScheme;
use rsa::{Pkcs1v15Sign, Pss, RsaPrivateKey};
use zeroize::Zeroizing;

use super::Refused;
use crate::key::KeyKind;

pub(crate) fn fill_random(bytes: &mut [u8]) -> Result<(), Refused> {
    OsRng.try_fill_bytes(bytes).map_err(|_| Refused)
}

/// A new RSA key as PKCS#8 DER.
pub(crate) fn generate_rsa(kind: KeyKind) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let bits = match kind {
        KeyKind::Ed25519 => return Err(Refused),
        KeyKind::Rsa2048 => 2048,
        KeyKind::Rsa3072 => 3072,
        KeyKind::Rsa4096 => 4096,
    };
    let key = RsaPrivateKey::new(&mut OsRng, bits).map_err(|_| Refused)?;
    Ok(key.to_pkcs8_der().map_err(|_| Refused)?.to_bytes())
}

pub(crate) struct Rsa(RsaPrivateKey);

impl Rsa {
    pub(crate) fn from_pkcs1(der: &[u8]) -> Result<Self, Refused> {
        RsaPrivateKey::from_pkcs1_der(der).map(Self).map_err(|_| Refused)
    }

    pub(crate) fn sign_pss(&self, message: &[u8]) -> Result<Vec<u8>, Refused> {
        self.sign(Pss::new_blinded::<Sha256>(), message)
    }

    pub(crate) fn sign_pkcs1v15(&self, message: &[u8]) -> Result<Vec<u8>, Refused> {
        self.sign(Pkcs1v15Sign::new::<Sha256>(), message)
    }

    /// Always with a random generator, also for the padding that has no randomness: it is what the blinding needs.
    fn sign(&self, padding: impl SignatureScheme, message: &[u8]) -> Result<Vec<u8>, Refused> {
        self.0.sign_with_rng(&mut OsRng, padding, &Sha256::digest(message)).map_err(|_| Refused)
    }
}

pub(crate) struct Ed25519(SigningKey);

impl Ed25519 {
    pub(crate) fn from_seed(seed: &[u8; 32]) -> Result<Self, Refused> {
        Ok(Self(SigningKey::from_bytes(seed)))
    }

    pub(crate) fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<[u8; 64], Refused> {
        self.0.try_sign(message).map(|signature| signature.to_bytes()).map_err(|_| Refused)
    }
}
