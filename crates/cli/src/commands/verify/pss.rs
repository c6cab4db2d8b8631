//! RSA-PSS with any hash, mask and salt: libraries check the right ones alone, and people use others.

use rsa::hazmat::rsa_encrypt;
use rsa::traits::PublicKeyParts;
use rsa::{BoxedUint, PublicKey};

use super::check::{Hash, hashed};

/// What RSA-PSS leaves open.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    /// The hash of the text.
    pub hash: Hash,
    /// The hash that the mask is made with (MGF1).
    pub mask: Hash,
    /// The salt's length; none is the longest that fits.
    pub salt: Option<usize>,
}

/// Whether a signature is right for the hash of a text (RFC 8017, 8.1.2 and 9.1.2).
pub fn is_right(key: &PublicKey, choice: Choice, digest: &[u8], signature: &[u8]) -> bool {
    if signature.len() != key.size() {
        return false;
    }
    let modulus: &BoxedUint = key.n().as_ref();
    let bits = modulus.bit_width() as usize - 1;
    let length = bits.div_ceil(8);
    let Ok(number) = BoxedUint::from_be_slice(signature, key.n_bits_precision()) else { return false };
    // No signature is the modulus or more, which the bare operation does not check.
    if number >= *modulus {
        return false;
    }
    let Ok(opened) = rsa_encrypt(key, &number) else { return false };
    let opened = opened.to_be_bytes_trimmed_vartime().into_vec();
    let (Some(zeros), Some(masked_length)) = (length.checked_sub(opened.len()), length.checked_sub(digest.len() + 1))
    else {
        return false;
    };
    let encoded = [vec![0; zeros], opened].concat();
    let (masked, rest) = encoded.split_at(masked_length);
    let Some((0xbc, hash)) = rest.split_last() else { return false };
    let mask = mask(choice.mask, hash, masked_length);
    let mut data: Vec<u8> = masked.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
    if let Some(first) = data.first_mut() {
        *first &= 0xff >> (8 * length - bits);
    }
    let longest = masked_length.saturating_sub(1);
    let salt = choice.salt.unwrap_or(longest);
    if salt > longest {
        return false;
    }
    let (zeros, rest) = data.split_at(longest - salt);
    let Some((1, salt)) = rest.split_first() else { return false };
    zeros.iter().all(|byte| *byte == 0) && hashed(choice.hash, &[&[0; 8], digest, salt].concat()) == hash
}

fn mask(hash: Hash, seed: &[u8], length: usize) -> impl Iterator<Item = u8> {
    let blocks = (0_u32..).flat_map(move |counter| hashed(hash, &[seed, &counter.to_be_bytes()].concat()));
    blocks.take(length)
}
