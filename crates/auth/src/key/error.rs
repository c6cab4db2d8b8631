//! Why a key could not be had, in words that say what to do.

use std::fmt;
use std::path::PathBuf;

use super::found::Found;

/// A private key could not be read, accepted or made. Its text says what is wrong and what to do; it never holds key bytes.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeyError {
    /// The file could not be read.
    File {
        /// The file that was asked for.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// There is nothing there.
    Empty,
    /// There is something, but not a private key in PEM form.
    NotAPrivateKey(Found),
    /// The beginning or the end is missing.
    Truncated,
    /// It was a private key once; the detail says what does not fit.
    Damaged(&'static str),
    /// Two or more private keys, and no way to know which one is meant.
    SeveralKeys(usize),
    /// The key is encrypted and no passphrase was given.
    PassphraseNeeded,
    /// The passphrase does not open the key.
    WrongPassphrase,
    /// The key is encrypted in a way that is not supported.
    UnsupportedEncryption,
    /// A private key for an algorithm that the venues do not take.
    UnsupportedAlgorithm(String),
    /// An RSA key below 2048 or above 8192 bits.
    RsaSize(usize),
    /// The file says which public key belongs to the private one, and it is another.
    PublicKeyMismatch,
    /// A new key could not be made.
    Generation,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, source } => write!(f, "cannot read the key file {}: {source}", path.display()),
            Self::Empty => f.write_str(
                "the key is empty; a PEM private key begins with a line like -----BEGIN PRIVATE KEY-----, \
                 check the file or the variable that it comes from",
            ),
            Self::NotAPrivateKey(found) => write!(f, "this is {found}, not a PEM private key; {}", found.remedy()),
            Self::Truncated => f.write_str(
                "the private key is cut off: its -----BEGIN and -----END lines and everything between them are needed; \
                 copy the whole file again",
            ),
            Self::Damaged(detail) => {
                write!(
                    f,
                    "the private key is damaged: {detail}; copy it again, or check it with: openssl pkey -in key.pem -noout -check"
                )
            }
            Self::SeveralKeys(count) => {
                write!(
                    f,
                    "there are {count} private keys here; put the one that is registered with the venue into a separate file"
                )
            }
            Self::PassphraseNeeded => f.write_str(
                "the private key is encrypted and no passphrase was given; give its passphrase too, or write a copy \
                 without one: openssl pkey -in key.pem -out plain.pem",
            ),
            Self::WrongPassphrase => f.write_str(
                "the passphrase does not open the private key; check it with: openssl pkey -in key.pem -noout",
            ),
            Self::UnsupportedEncryption => f.write_str(
                "the private key is encrypted in an old or unusual way; encrypt it again: \
                 openssl pkcs8 -topk8 -v2 aes256 -in key.pem -out new.pem",
            ),
            Self::UnsupportedAlgorithm(name) => write!(
                f,
                "this is {name} private key; the venues take RSA and Ed25519 keys, make one and register it: \
                 openssl genpkey -algorithm ed25519 -out key.pem",
            ),
            Self::RsaSize(bits) => write!(
                f,
                "the RSA key has {bits} bits; 2048 to 8192 are accepted, make a new one and register it: \
                 openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem",
            ),
            Self::PublicKeyMismatch => {
                f.write_str("the file holds a public key that does not belong to its private key; export the key again")
            }
            Self::Generation => {
                f.write_str("cannot generate a key: the random generator or the cryptographic library failed")
            }
        }
    }
}

impl std::error::Error for KeyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File { source, .. } => Some(source),
            _ => None,
        }
    }
}
