//! Private keys: read once, used often.

mod der;
mod error;
mod found;
mod pem;

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use pkcs8::der::asn1::{BitStringRef, OctetStringRef};
use pkcs8::der::pem::LineEnding;
use pkcs8::der::{AnyRef, Encode};
use pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use pkcs8::{ObjectIdentifier, PrivateKeyInfoRef, SecretDocument};
use venuekit_wire::Secret;
use zeroize::Zeroizing;

pub use self::error::KeyError;
pub use self::found::Found;
use crate::SignError;
use crate::backend::{self, Refused};

/// No key file is longer; what is, is something else.
const MAX_FILE: u64 = 1 << 20;

/// The signature algorithm that a key belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSA, with either padding.
    Rsa,
    /// Ed25519 (RFC 8032, no prehash).
    Ed25519,
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa => "RSA",
            Self::Ed25519 => "Ed25519",
        })
    }
}

/// What kind of key to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// Ed25519: small, and the fastest to sign with.
    Ed25519,
    /// RSA with 2048 bits.
    Rsa2048,
    /// RSA with 3072 bits.
    Rsa3072,
    /// RSA with 4096 bits.
    Rsa4096,
}

/// A private key, RSA or Ed25519, parsed and checked. A clone shares it.
///
/// Its algorithm is that of the key itself; a PEM label is not believed. `Debug` shows the algorithm and the size only.
///
/// ```
/// use venuekit_auth::{Algorithm, KeyKind, PrivateKey};
///
/// let key = PrivateKey::generate(KeyKind::Ed25519)?;
/// let again = PrivateKey::from_pem(key.private_key_pem().expose())?;
/// assert_eq!(again.algorithm(), Algorithm::Ed25519);
/// assert_eq!(again.public_key_pem(), key.public_key_pem());
/// # Ok::<(), venuekit_auth::KeyError>(())
/// ```
#[derive(Clone)]
pub struct PrivateKey(Arc<Inner>);

struct Inner {
    pair: Pair,
    bits: usize,
    pss_only: bool,
    private_pem: Secret,
    public_pem: String,
}

enum Pair {
    Rsa(backend::Rsa),
    Ed25519(backend::Ed25519),
}

impl PrivateKey {
    /// Reads a key from a PEM file: PKCS#1 or PKCS#8.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, KeyError> {
        Self::from_pem(read_file(path.as_ref())?)
    }

    /// Reads a key from a PEM file that may be encrypted (PKCS#8, PBES2).
    pub fn from_file_with_passphrase(path: impl AsRef<Path>, passphrase: &Secret) -> Result<Self, KeyError> {
        Self::from_pem_with_passphrase(read_file(path.as_ref())?, passphrase)
    }

    /// Reads a key from PEM text: PKCS#1 or PKCS#8 (version 1 or 2). Other blocks and text around it do not matter, nor do the line ends.
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        Self::new(der::read(&pem::private_key(pem.as_ref())?, None)?)
    }

    /// Reads a key from PEM text that may be encrypted (PKCS#8, PBES2).
    pub fn from_pem_with_passphrase(pem: impl AsRef<[u8]>, passphrase: &Secret) -> Result<Self, KeyError> {
        Self::new(der::read(&pem::private_key(pem.as_ref())?, Some(passphrase))?)
    }

    /// Makes a new key.
    pub fn generate(kind: KeyKind) -> Result<Self, KeyError> {
        let failed = |_: Refused| KeyError::Generation;
        if kind == KeyKind::Ed25519 {
            let mut seed = Zeroizing::new([0; 32]);
            backend::fill_random(seed.as_mut()).map_err(failed)?;
            return Self::new(der::Contents::Ed25519 { seed, public: None });
        }
        Self::new(der::read(&backend::generate_rsa(kind).map_err(failed)?, None)?)
    }

    fn new(contents: der::Contents) -> Result<Self, KeyError> {
        let pss_only = matches!(contents, der::Contents::Rsa { pss_only: true, .. });
        let inner = match contents {
            der::Contents::Rsa { pkcs1, public, bits, .. } => {
                let pair = backend::Rsa::from_pkcs1(&pkcs1)
                    .map_err(|_| KeyError::Damaged("its numbers do not fit together"))?;
                encode(Pair::Rsa(pair), bits, der::RSA, Some(AnyRef::NULL), &pkcs1, &public)
            }
            der::Contents::Ed25519 { seed, public } => {
                let pair =
                    backend::Ed25519::from_seed(&seed).map_err(|_| KeyError::Damaged("the library refuses it"))?;
                let own = pair.public();
                if public.is_some_and(|public| public != own) {
                    return Err(KeyError::PublicKeyMismatch);
                }
                let octets = OctetStringRef::new(seed.as_ref()).and_then(|octets| octets.to_der()).map(Zeroizing::new);
                octets.and_then(|octets| encode(Pair::Ed25519(pair), 256, der::ED25519, None, &octets, &own))
            }
        };
        inner
            .map(|inner| Self(Arc::new(Inner { pss_only, ..inner })))
            .map_err(|_| KeyError::Damaged("it cannot be written as PKCS#8"))
    }

    /// RSA or Ed25519.
    pub fn algorithm(&self) -> Algorithm {
        match self.0.pair {
            Pair::Rsa(_) => Algorithm::Rsa,
            Pair::Ed25519(_) => Algorithm::Ed25519,
        }
    }

    /// The size of the key: that of the modulus for RSA, 256 for Ed25519.
    pub fn bits(&self) -> usize {
        self.0.bits
    }

    /// Whether the file marks the RSA key as usable with PSS only (RSASSA-PSS, RFC 4055). It is used as the plain RSA key that it
    /// is, and both [PEM texts](Self::private_key_pem) are written as plain RSA, which every venue and tool reads.
    pub fn is_pss_only(&self) -> bool {
        self.0.pss_only
    }

    /// What to [make](Self::generate) for a key like this one. RSA keys are not made in every size: the next one then.
    pub fn kind(&self) -> KeyKind {
        match (self.algorithm(), self.bits()) {
            (Algorithm::Ed25519, _) => KeyKind::Ed25519,
            (Algorithm::Rsa, ..=2048) => KeyKind::Rsa2048,
            (Algorithm::Rsa, ..=3072) => KeyKind::Rsa3072,
            (Algorithm::Rsa, _) => KeyKind::Rsa4096,
        }
    }

    /// The public half as PEM (`BEGIN PUBLIC KEY`, SPKI), which is what the venues take.
    pub fn public_key_pem(&self) -> &str {
        &self.0.public_pem
    }

    /// The private half as PEM (`BEGIN PRIVATE KEY`, PKCS#8), not encrypted.
    pub fn private_key_pem(&self) -> Secret {
        self.0.private_pem.clone()
    }

    /// RSASSA-PSS with SHA-256, MGF1 with SHA-256 and a salt of 32 bytes.
    pub fn sign_pss(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.rsa()?.sign_pss(message).map_err(|_| SignError::Refused)
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256.
    pub fn sign_pkcs1v15(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.rsa()?.sign_pkcs1v15(message).map_err(|_| SignError::Refused)
    }

    /// Ed25519 over the message itself.
    pub fn sign_ed25519(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        match &self.0.pair {
            Pair::Ed25519(pair) => pair.sign(message).map_err(|_| SignError::Refused),
            Pair::Rsa(_) => Err(SignError::WrongKey { needed: Algorithm::Ed25519, given: Algorithm::Rsa }),
        }
    }

    fn rsa(&self) -> Result<&backend::Rsa, SignError> {
        match &self.0.pair {
            Pair::Rsa(pair) => Ok(pair),
            Pair::Ed25519(_) => Err(SignError::WrongKey { needed: Algorithm::Rsa, given: Algorithm::Ed25519 }),
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("algorithm", &self.algorithm())
            .field("bits", &self.bits())
            .finish_non_exhaustive()
    }
}

fn encode(
    pair: Pair,
    bits: usize,
    oid: ObjectIdentifier,
    parameters: Option<AnyRef<'_>>,
    private: &[u8],
    public: &[u8],
) -> pkcs8::der::Result<Inner> {
    let algorithm = AlgorithmIdentifierRef { oid, parameters };
    let pkcs8 = SecretDocument::encode_msg(&PrivateKeyInfoRef::new(algorithm, OctetStringRef::new(private)?))?;
    let private_pem = Secret::new(pkcs8.to_pem("PRIVATE KEY", LineEnding::LF)?.as_str());
    let spki = SubjectPublicKeyInfoRef { algorithm, subject_public_key: BitStringRef::from_bytes(public)? };
    let public_pem = pkcs8::Document::encode_msg(&spki)?.to_pem("PUBLIC KEY", LineEnding::LF)?;
    Ok(Inner { pair, bits, pss_only: false, private_pem, public_pem })
}

fn read_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let error = |source| KeyError::File { path: path.to_owned(), source };
    let file = File::open(path).map_err(error)?;
    let length = file.metadata().map_err(error)?.len().min(MAX_FILE);
    // Room for all of it at once: a buffer that grows would leave copies of the key behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1));
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(error)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(KeyError::NotAPrivateKey(Found::Binary));
    }
    Ok(bytes)
}
