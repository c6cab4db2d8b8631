use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair};
use zeroize::Zeroizing;

use super::Refused;
use crate::key::KeyKind;

pub(crate) fn fill_random(bytes: &mut [u8]) -> Result<(), Refused> {
    rand::fill(bytes).map_err(|_| Refused)
}

/// A new RSA key as PKCS#8 DER.
pub(crate) fn generate_rsa(kind: KeyKind) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let size = match kind {
        KeyKind::Ed25519 => return Err(Refused),
        KeyKind::Rsa2048 => KeySize::Rsa2048,
        KeyKind::Rsa3072 => KeySize::Rsa3072,
        KeyKind::Rsa4096 => KeySize::Rsa4096,
    };
    let pair = RsaKeyPair::generate(size).map_err(|_| Refused)?;
    let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| Refused)?;
    Ok(Zeroizing::new(der.as_ref().to_vec()))
}

pub(crate) struct Rsa(RsaKeyPair);

impl Rsa {
    pub(crate) fn from_pkcs1(der: &[u8]) -> Result<Self, Refused> {
        RsaKeyPair::from_der(der).map(Self).map_err(|_| Refused)
    }

    pub(crate) fn sign_pss(&self, message: &[u8]) -> Result<Vec<u8>, Refused> {
        self.sign(&RSA_PSS_SHA256, message)
    }

    pub(crate) fn sign_pkcs1v15(&self, message: &[u8]) -> Result<Vec<u8>, Refused> {
        self.sign(&RSA_PKCS1_SHA256, message)
    }

    fn sign(&self, padding: &'static dyn RsaEncoding, message: &[u8]) -> Result<Vec<u8>, Refused> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign(padding, &SystemRandom::new(), message, &mut signature).map_err(|_| Refused)?;
        Ok(signature)
    }
}

pub(crate) struct Ed25519(Ed25519KeyPair);

impl Ed25519 {
    pub(crate) fn from_seed(seed: &[u8; 32]) -> Result<Self, Refused> {
        Ed25519KeyPair::from_seed_unchecked(seed).map(Self).map_err(|_| Refused)
    }

    pub(crate) fn public(&self) -> [u8; 32] {
        let mut public = [0; 32];
        public.copy_from_slice(self.0.public_key().as_ref());
        public
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<[u8; 64], Refused> {
        let signature = self.0.try_sign(message).map_err(|_| Refused)?;
        signature.as_ref().try_into().map_err(|_| Refused)
    }
}
