//! Reads the DER bytes of a private key.

use pkcs1::RsaPrivateKeyRef;
use pkcs8::der::asn1::OctetStringRef;
use pkcs8::der::{AnyRef, Decode, Encode, ErrorKind, Reader, SliceReader, Tag, TagNumber, Tagged};
use pkcs8::spki::AlgorithmIdentifierRef;
use pkcs8::{EncryptedPrivateKeyInfoRef, ObjectIdentifier, SecretDocument, pkcs5};
use venuekit_wire::Secret;
use zeroize::Zeroizing;

use super::KeyError;
use super::found::Found;

pub(super) const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// An RSA key that may sign with PSS only.
pub(super) const RSASSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
pub(super) const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// What a private key consists of.
pub(super) enum Contents {
    Rsa { pkcs1: Zeroizing<Vec<u8>>, public: Vec<u8>, bits: usize, pss_only: bool },
    Ed25519 { seed: Zeroizing<[u8; 32]>, public: Option<[u8; 32]> },
}

/// What the outermost elements of a DER document say that it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Pkcs1,
    Pkcs8,
    EncryptedPkcs8,
    Sec1,
    Dsa,
    Pkcs12,
    PublicKey,
    Certificate,
    CertificateRequest,
    Other,
}

/// A labelled PEM block lies about its contents often enough, so only the structure counts.
pub(super) fn shape(bytes: &[u8]) -> Result<Shape, KeyError> {
    let outer = AnyRef::from_der(bytes).map_err(unreadable)?;
    if outer.tag() != Tag::Sequence {
        return Ok(Shape::Other);
    }
    let items = items(outer.value()).map_err(unreadable)?;
    let tags: Vec<Tag> = items.iter().map(Tagged::tag).collect();
    Ok(match tags[..] {
        [Tag::Integer, Tag::Integer] => Shape::PublicKey,
        [Tag::Integer, Tag::Integer, Tag::Integer, Tag::Integer, Tag::Integer, Tag::Integer] => Shape::Dsa,
        [Tag::Integer, Tag::Integer, Tag::Integer, ..] => Shape::Pkcs1,
        [Tag::Integer, Tag::Sequence, Tag::OctetString, ..] => Shape::Pkcs8,
        [Tag::Integer, Tag::Sequence, ..] if items[0].value() == [3] => Shape::Pkcs12,
        [Tag::Integer, Tag::OctetString, ..] => Shape::Sec1,
        [Tag::Sequence, Tag::OctetString] => Shape::EncryptedPkcs8,
        [Tag::Sequence, Tag::BitString] => Shape::PublicKey,
        [Tag::Sequence, Tag::Sequence, Tag::BitString] => signed(items[0].value()),
        _ => Shape::Other,
    })
}

fn items(value: &[u8]) -> pkcs8::der::Result<Vec<AnyRef<'_>>> {
    let mut reader = SliceReader::new(value)?;
    let mut items = Vec::new();
    while !reader.is_finished() {
        items.push(AnyRef::decode(&mut reader)?);
    }
    Ok(items)
}

/// A certificate names its issuer, validity and subject; a request has three fewer elements.
fn signed(value: &[u8]) -> Shape {
    match items(value) {
        Ok(items) if items.len() <= 4 => Shape::CertificateRequest,
        _ => Shape::Certificate,
    }
}

fn unreadable(error: pkcs8::der::Error) -> KeyError {
    match error.kind() {
        ErrorKind::Incomplete { .. } => KeyError::Truncated,
        _ => KeyError::Damaged("its bytes are not DER"),
    }
}

/// Reads a private key, decrypting it if need be.
pub(super) fn read(bytes: &[u8], passphrase: Option<&Secret>) -> Result<Contents, KeyError> {
    match shape(bytes)? {
        Shape::Pkcs1 => rsa(bytes, false),
        Shape::Pkcs8 => pkcs8(bytes),
        Shape::EncryptedPkcs8 => {
            let plain = decrypt(bytes, passphrase.ok_or(KeyError::PassphraseNeeded)?)?;
            match shape(plain.as_bytes()) {
                Ok(Shape::Pkcs8) => pkcs8(plain.as_bytes()),
                _ => Err(KeyError::WrongPassphrase),
            }
        }
        Shape::Sec1 => Err(KeyError::UnsupportedAlgorithm(EC.to_owned())),
        Shape::Dsa => Err(KeyError::UnsupportedAlgorithm("a DSA".to_owned())),
        Shape::Pkcs12 => Err(KeyError::NotAPrivateKey(Found::Pkcs12)),
        Shape::PublicKey => Err(KeyError::NotAPrivateKey(Found::PublicKey)),
        Shape::Certificate => Err(KeyError::NotAPrivateKey(Found::Certificate)),
        Shape::CertificateRequest => Err(KeyError::NotAPrivateKey(Found::CertificateRequest)),
        Shape::Other => Err(KeyError::Damaged("its structure is not that of a private key")),
    }
}

fn decrypt(bytes: &[u8], passphrase: &Secret) -> Result<SecretDocument, KeyError> {
    let info = EncryptedPrivateKeyInfoRef::try_from(bytes).map_err(|_| KeyError::UnsupportedEncryption)?;
    // One wrong passphrase in 256 leaves a padding that looks right and nonsense inside, which is not DER.
    info.decrypt(passphrase.expose()).map_err(|error| match error {
        pkcs8::Error::EncryptedPrivateKey(pkcs5::Error::DecryptFailed | pkcs5::Error::EncryptFailed)
        | pkcs8::Error::Asn1(_) => KeyError::WrongPassphrase,
        _ => KeyError::UnsupportedEncryption,
    })
}

/// Reads PKCS#8, version 1 or 2 (RFC 5958). `PrivateKeyInfoRef` takes the public key of version 2 in its primitive form only; older
/// versions of `ring` wrote the constructed one.
fn pkcs8(bytes: &[u8]) -> Result<Contents, KeyError> {
    const INVALID: KeyError = KeyError::Damaged("it is not valid PKCS#8");
    let outer = AnyRef::from_der(bytes).map_err(unreadable)?;
    let items = items(outer.value()).map_err(|_| INVALID)?;
    let [version, algorithm, key, rest @ ..] = &items[..] else { return Err(INVALID) };
    let key = key.decode_as::<&OctetStringRef>().map_err(|_| INVALID)?.as_bytes();
    let algorithm = algorithm.decode_as::<AlgorithmIdentifierRef<'_>>().map_err(|_| INVALID)?;
    if !matches!(version.value(), [0 | 1]) || rest.len() > 2 {
        return Err(INVALID);
    }
    match algorithm.oid {
        RSA => rsa(key, false),
        RSASSA_PSS => rsa(key, true),
        ED25519 => {
            let seed = <&OctetStringRef>::from_der(key).ok().and_then(|seed| seed.as_bytes().try_into().ok());
            match (seed, public_key(rest)) {
                (Some(seed), Some(public)) => Ok(Contents::Ed25519 { seed: Zeroizing::new(seed), public }),
                _ => Err(KeyError::Damaged("an Ed25519 key has 32 bytes")),
            }
        }
        other => Err(KeyError::UnsupportedAlgorithm(name(other))),
    }
}

/// The public key among the optional elements at the end: `[1]`, as the bits themselves or as a whole BIT STRING inside. `None`
/// where there is one that is not 32 bytes long.
fn public_key(rest: &[AnyRef<'_>]) -> Option<Option<[u8; 32]>> {
    let is_public = |item: &&AnyRef<'_>| matches!(item.tag(), Tag::ContextSpecific { number: TagNumber(1), .. });
    let Some(item) = rest.iter().find(is_public) else { return Some(None) };
    let bits = match item.tag() {
        Tag::ContextSpecific { constructed: true, .. } => {
            AnyRef::from_der(item.value()).ok().filter(|inner| inner.tag() == Tag::BitString)?.value()
        }
        _ => item.value(),
    };
    // The first byte of a BIT STRING counts the unused bits of its last one.
    let (&0, key) = bits.split_first()? else { return None };
    Some(Some(key.try_into().ok()?))
}

/// Reads PKCS#1. `pss_only` says that what it was wrapped in restricts it to PSS.
fn rsa(bytes: &[u8], pss_only: bool) -> Result<Contents, KeyError> {
    let key = RsaPrivateKeyRef::try_from(bytes).map_err(|_| KeyError::Damaged("it is not valid PKCS#1"))?;
    if key.version() != pkcs1::Version::TwoPrime {
        return Err(KeyError::UnsupportedAlgorithm("a multi-prime RSA".to_owned()));
    }
    let modulus = key.modulus.as_bytes();
    let bits = modulus.len() * 8 - modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
    if !(2048..=8192).contains(&bits) {
        return Err(KeyError::RsaSize(bits));
    }
    let public = key.public_key().to_der().map_err(|_| KeyError::Damaged("it is not valid PKCS#1"))?;
    Ok(Contents::Rsa { pkcs1: Zeroizing::new(bytes.to_vec()), public, bits, pss_only })
}

const EC: &str = "an elliptic-curve (ECDSA)";

fn name(algorithm: ObjectIdentifier) -> String {
    match algorithm.to_string().as_str() {
        "1.2.840.10045.2.1" => EC.to_owned(),
        "1.2.840.10040.4.1" => "a DSA".to_owned(),
        "1.2.840.113549.1.3.1" | "1.2.840.10046.2.1" => "a Diffie-Hellman".to_owned(),
        "1.3.101.110" => "an X25519".to_owned(),
        "1.3.101.111" => "an X448".to_owned(),
        "1.3.101.113" => "an Ed448".to_owned(),
        oid => format!("an unknown (OID {oid})"),
    }
}
