use ed25519_dalek::{Signer as _, SigningKey};
use getrandom::SysRng;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::EncodePrivateKey;
use rsa::sha2::Sha256;
use zeroize::Zeroizing;

use super::Refused;
use crate::key::KeyKind;

pub(crate) fn fill_random(bytes: &mut [u8]) -> Result<(), Refused> {
    getrandom::fill(bytes).map_err(|_| Refused)
}

/// A new RSA key as PKCS#8 DER.
pub(crate) fn generate_rsa(kind: KeyKind) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let bits = match kind {
        KeyKind::Ed25519 => return Err(Refused),
        KeyKind::Rsa2048 => 2048,
        KeyKind::Rsa3072 => 3072,
        KeyKind::Rsa4096 => 4096,
    };
    let key = rsa::PrivateKey::new(&mut SysRng, bits).map_err(|_| Refused)?;
    Ok(key.to_pkcs8_der().map_err(|_| Refused)?.to_bytes())
}

pub(crate) struct Rsa(rsa::PrivateKey);

impl Rsa {
    pub(crate) fn from_pkcs1(der: &[u8]) -> Result<Self, Refused> {
        rsa::PrivateKey::from_pkcs1_der(der).map(Self).map_err(|_| Refused)
    }

    /// The salt is as long as the hash.
    pub(crate) fn sign_pss(&self, message: &[u8]) -> Result<Vec<u8>, Refused> {
        self.0.pss_sign_with_rng::<Sha256, _>(&mut SysRng, message).map_err(|_| Refused)
    }

    /// With a random generator, though the padding has no randomness: it is what the blinding needs.
    pub(crate) fn sign_pkcs1v15(&self, message: &[u8]) -> Result<Vec<u8>, Refused> {
        self.0.pkcs1v15_sign_with_rng::<Sha256, _>(&mut SysRng, message).map_err(|_| Refused)
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
