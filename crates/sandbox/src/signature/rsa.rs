//! What the padding of an RSA signature says: which scheme and hash it was made with, whatever the text was.

use rsa::BoxedUint;
use rsa::traits::PublicKeyParts;

use super::algorithm::{Algorithm, Hash, Verifier};

/// A signature to which the public key was applied.
pub(super) struct Opened {
    message: Vec<u8>,
    bits: usize,
}

const SALT: usize = 32;

impl Opened {
    /// None where the signature has another length than the key.
    pub(super) fn new(key: &rsa::PublicKey, signature: &[u8]) -> Option<Self> {
        let size = key.size();
        if signature.len() != size {
            return None;
        }
        let bits = usize::try_from(key.n().bit_width()).ok()?;
        let number = BoxedUint::from_be_slice(signature, key.n().bits_precision()).ok()?;
        let opened = rsa::hazmat::rsa_encrypt(key, &number).ok()?.to_be_bytes();
        let message = opened[opened.len().checked_sub(size)?..].to_vec();
        Some(Self { message, bits })
    }

    /// The one verifier of the scheme that the padding shows. None where it shows none: another key signed.
    pub(super) fn verifiers(&self, wanted: Algorithm) -> Vec<(Verifier, Option<String>)> {
        let pkcs1v15 = self.pkcs1v15().map(|verifier| (Algorithm::RsaPkcs1v15, verifier));
        let found = pkcs1v15.or_else(|| Some((Algorithm::RsaPss, self.pss()?)));
        let Some((algorithm, verifier)) = found else { return Vec::new() };
        let deviation = match (&verifier, algorithm == wanted) {
            (Verifier::Pkcs1v15 { .. }, false) => Some("PKCS#1 v1.5 was used: RSA-PSS is wanted".to_owned()),
            (_, false) => Some("RSA-PSS was used: PKCS#1 v1.5 is wanted".to_owned()),
            (Verifier::Pss { hash, .. } | Verifier::Pkcs1v15 { hash, .. }, true) if *hash != Hash::Sha256 => {
                Some(format!("{} was used: SHA-256 is wanted", hash.name()))
            }
            (Verifier::Pss { salt, .. }, true) if salt.len() != SALT => {
                Some(format!("the salt has {} bytes: PSS with a salt of {SALT} bytes is wanted", salt.len()))
            }
            _ => None,
        };
        vec![(verifier, deviation)]
    }

    /// The hash of the text, by RFC 8017, section 9.2.
    fn pkcs1v15(&self) -> Option<Verifier> {
        let rest = self.message.strip_prefix(&[0, 1])?;
        let padding = rest.iter().take_while(|byte| **byte == 0xff).count();
        let info = rest[padding..].strip_prefix(&[0])?;
        if padding < 8 {
            return None;
        }
        // DigestInfo: an object identifier that differs in one byte, and the hash.
        let hashes = [(Hash::Sha256, 1_u8), (Hash::Sha384, 2), (Hash::Sha512, 3)];
        hashes.into_iter().find_map(|(hash, number)| {
            let length = u8::try_from(hash.of(b"").len()).ok()?;
            let oid = [0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, number];
            let head = [&[0x30, 0x11 + length, 0x30, 0x0d][..], &oid, &[0x05, 0x00, 0x04, length]].concat();
            let digest = info.strip_prefix(head.as_slice()).filter(|digest| digest.len() == usize::from(length))?;
            Some(Verifier::Pkcs1v15 { hash, digest: digest.to_vec() })
        })
    }

    /// Hash and salt, by RFC 8017, section 9.1.2.
    fn pss(&self) -> Option<Verifier> {
        let bits = self.bits - 1;
        // A modulus of 8n + 1 bits has one more byte than the encoded message.
        let encoded = &self.message[self.message.len() - bits.div_ceil(8)..];
        let encoded = encoded.strip_suffix(&[0xbc])?;
        Hash::ALL.into_iter().find_map(|hash| {
            let length = hash.of(b"").len();
            let (masked, digest) = encoded.split_at(encoded.len().checked_sub(length)?);
            let mask = mask(hash, digest, masked.len());
            let mut data: Vec<u8> = masked.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
            *data.first_mut()? &= 0xff >> (8 * bits.div_ceil(8) - bits);
            let zeros = data.iter().take_while(|byte| **byte == 0).count();
            let salt = data[zeros..].strip_prefix(&[1])?.to_vec();
            Some(Verifier::Pss { hash, digest: digest.to_vec(), salt })
        })
    }
}

/// MGF1.
fn mask(hash: Hash, seed: &[u8], length: usize) -> Vec<u8> {
    let blocks = (0_u32..).map(|counter| hash.of(&[seed, &counter.to_be_bytes()].concat()));
    blocks.flatten().take(length).collect()
}
