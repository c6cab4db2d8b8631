//! The arithmetic: whether a signature of some kind is right for a text.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ed25519_dalek::VerifyingKey;
use rsa::pkcs1::DecodeRsaPublicKey;
use rsa::pkcs8::DecodePublicKey;
use rsa::sha2::{Sha256, Sha384, Sha512};
use rsa::traits::PublicKeyParts;
use rsa::{Pkcs1v15Sign, PublicKey};
use sha1::Sha1;
use venuekit_auth::PrivateKey;
use zeroize::Zeroizing;

use super::pss;

/// A public key that is marked for RSASSA-PSS only: the same numbers as in a plain RSA key, under another name.
fn pss_only(pem: &str) -> Option<PublicKey> {
    let (_, document) = rsa::pkcs8::Document::from_pem(pem).ok()?;
    let info = rsa::pkcs8::SubjectPublicKeyInfoRef::try_from(document.as_bytes()).ok()?;
    info.algorithm.assert_algorithm_oid(RSASSA_PSS).ok()?;
    PublicKey::from_pkcs1_der(info.subject_public_key.raw_bytes()).ok()
}

/// The name of RSA keys that sign with PSS only (RFC 4055).
const RSASSA_PSS: rsa::pkcs8::ObjectIdentifier = rsa::pkcs8::ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");

/// What checks a signature.
#[derive(Clone)]
pub enum Key {
    /// The public half of an RSA pair.
    Rsa(Box<PublicKey>),
    /// The public half of an Ed25519 pair.
    Ed25519(Box<VerifyingKey>),
    /// A secret that both sides know.
    Shared(Zeroizing<Vec<u8>>),
}

impl Key {
    /// From a PEM, public or private. None for anything else.
    pub fn from_pem(pem: &str) -> Option<Self> {
        let public = match PrivateKey::from_pem(pem) {
            Ok(key) => key.public_key_pem().to_owned(),
            Err(_) => pem.trim().to_owned(),
        };
        let rsa = PublicKey::from_public_key_pem(&public).ok();
        let rsa = rsa.or_else(|| PublicKey::from_pkcs1_pem(&public).ok()).or_else(|| pss_only(&public));
        match (rsa, VerifyingKey::from_public_key_pem(&public)) {
            (Some(key), _) => Some(Self::Rsa(Box::new(key))),
            (_, Ok(key)) => Some(Self::Ed25519(Box::new(key))),
            _ => None,
        }
    }

    /// How many bytes its signatures have.
    pub fn signature_length(&self) -> usize {
        match self {
            Self::Rsa(key) => key.size(),
            Self::Ed25519(_) => 64,
            Self::Shared(_) => 32,
        }
    }

    /// What it is called.
    pub fn words(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "an RSA key",
            Self::Ed25519(_) => "an Ed25519 key",
            Self::Shared(_) => "a shared secret",
        }
    }
}

/// How a signature was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// As the kind of key has it at this venue.
    Proper,
    /// RSA-PSS with a salt of this length, in place of the right one; none is the longest that fits.
    Salt(Option<usize>),
    /// RSA-PSS whose mask is made with SHA-1, as Java has it by default, and a salt of this length.
    Sha1Mask(usize),
    /// RSA-PSS.
    Pss,
    /// RSA with PKCS#1 v1.5.
    Pkcs1v15,
    /// Another hash.
    Hash(Hash),
    /// An HMAC whose key is the text, and whose message is the secret.
    TurnedRound,
    /// The hash of a secret with the text behind it, in place of an HMAC.
    HashOfSecretAndText,
    /// The same with the secret behind the text.
    HashOfTextAndSecret,
    /// The text was hashed first, and its hash was signed as if it were the text.
    Twice(Form),
}

/// A hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hash {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// How bytes were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// As they are.
    Bytes,
    /// As hex.
    Hex,
}

/// How a signature is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Base64 with padding.
    Base64,
    /// Base64 without padding.
    Base64NoPad,
    /// The alphabet for addresses, with padding.
    Base64Url,
    /// The alphabet for addresses, without padding.
    Base64UrlNoPad,
    /// Hex in lower case.
    Hex,
    /// Hex in upper case.
    UpperHex,
    /// Base64 of the hex text.
    Base64OfHex,
    /// Base64 of the base64 text.
    Base64Twice,
}

impl Encoding {
    /// What it is called.
    pub fn words(self) -> &'static str {
        match self {
            Self::Base64 => "base64 with padding",
            Self::Base64NoPad => "base64 without padding",
            Self::Base64Url => "base64url (with - and _) with padding",
            Self::Base64UrlNoPad => "base64url (with - and _) without padding",
            Self::Hex => "hex in lower case",
            Self::UpperHex => "hex in capitals",
            Self::Base64OfHex => "base64 of the hex text",
            Self::Base64Twice => "base64 of the base64 text",
        }
    }

    /// The bytes of a signature that is written so; none where it is not.
    pub fn read(self, text: &str) -> Option<Vec<u8>> {
        let config = GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::RequireNone)
            .with_encode_padding(false);
        let decode = |engine: &GeneralPurpose| engine.decode(text).ok();
        // What both alphabets and both cases write alike is taken for the first of them, which is the right one.
        match self {
            Self::Base64 => decode(&STANDARD),
            Self::Base64NoPad => decode(&GeneralPurpose::new(&alphabet::STANDARD, config)),
            Self::Base64Url => decode(&URL_SAFE),
            Self::Base64UrlNoPad => decode(&URL_SAFE_NO_PAD),
            Self::Hex => hex::decode(text).ok().filter(|_| !text.bytes().any(|byte| byte.is_ascii_uppercase())),
            Self::UpperHex => hex::decode(text).ok().filter(|_| !text.bytes().any(|byte| byte.is_ascii_lowercase())),
            Self::Base64OfHex => {
                let hex_text = String::from_utf8(decode(&STANDARD).or_else(|| decode(&URL_SAFE_NO_PAD))?).ok()?;
                hex::decode(hex_text).ok()
            }
            Self::Base64Twice => STANDARD.decode(decode(&STANDARD)?).ok(),
        }
    }
}

/// Base64 as other languages read it: with or without padding, and whatever the last bits are.
pub fn lenient_base64(text: &str) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(&alphabet::STANDARD, config).decode(text).ok()
}

/// A hash's bytes.
pub fn hashed(hash: Hash, bytes: &[u8]) -> Vec<u8> {
    let algorithm = match hash {
        Hash::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha256 => &digest::SHA256,
        Hash::Sha384 => &digest::SHA384,
        Hash::Sha512 => &digest::SHA512,
    };
    digest::digest(algorithm, bytes).as_ref().to_vec()
}

/// Whether a signature is right. `padding` is the one that the venue wants of RSA keys.
pub fn is_right(key: &Key, scheme: Scheme, padding: Scheme, text: &[u8], signature: &[u8]) -> bool {
    let (hash, scheme, text) = match scheme {
        Scheme::Hash(hash) => (hash, Scheme::Proper, text.to_vec()),
        Scheme::Twice(Form::Bytes) => (Hash::Sha256, Scheme::Proper, hashed(Hash::Sha256, text)),
        Scheme::Twice(Form::Hex) => {
            (Hash::Sha256, Scheme::Proper, hex::encode(hashed(Hash::Sha256, text)).into_bytes())
        }
        scheme => (Hash::Sha256, scheme, text.to_vec()),
    };
    match key {
        Key::Shared(secret) => shared_is_right(secret, scheme, hash, &text, signature),
        // Ed25519 has a hash of its own: another one means that a hash was signed.
        Key::Ed25519(key) => {
            let text = if hash == Hash::Sha256 { text } else { hashed(hash, &text) };
            let key = UnparsedPublicKey::new(&ED25519, key.as_bytes());
            scheme == Scheme::Proper && key.verify(&text, signature).is_ok()
        }
        Key::Rsa(key) => {
            rsa_is_right(key, if scheme == Scheme::Proper { padding } else { scheme }, hash, &text, signature)
        }
    }
}

fn shared_is_right(secret: &[u8], scheme: Scheme, hash: Hash, text: &[u8], signature: &[u8]) -> bool {
    let hash_of_both = |both: [&[u8]; 2]| hashed(hash, &Zeroizing::new(both.concat()));
    let made = match scheme {
        Scheme::Proper => mac(hash, secret, text),
        Scheme::TurnedRound => mac(hash, text, secret),
        Scheme::HashOfSecretAndText => hash_of_both([secret, text]),
        Scheme::HashOfTextAndSecret => hash_of_both([text, secret]),
        _ => return false,
    };
    made == signature
}

fn mac(hash: Hash, key: &[u8], text: &[u8]) -> Vec<u8> {
    let algorithm = match hash {
        Hash::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha256 => hmac::HMAC_SHA256,
        Hash::Sha384 => hmac::HMAC_SHA384,
        Hash::Sha512 => hmac::HMAC_SHA512,
    };
    hmac::sign(&hmac::Key::new(algorithm, key), text).as_ref().to_vec()
}

fn rsa_is_right(key: &PublicKey, scheme: Scheme, hash: Hash, text: &[u8], signature: &[u8]) -> bool {
    let digest = hashed(hash, text);
    if scheme == Scheme::Pkcs1v15 {
        let scheme = match hash {
            Hash::Sha1 => Pkcs1v15Sign::new::<Sha1>(),
            Hash::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
            Hash::Sha384 => Pkcs1v15Sign::new::<Sha384>(),
            Hash::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
        };
        return key.verify(scheme, &digest, signature).is_ok();
    }
    let (mask, salt) = match scheme {
        Scheme::Salt(length) => (hash, length),
        Scheme::Sha1Mask(length) => (Hash::Sha1, Some(length)),
        _ => (hash, Some(digest.len())),
    };
    pss::is_right(key, pss::Choice { hash, mask, salt }, &digest, signature)
}
