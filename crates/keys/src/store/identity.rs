//! What opens the encrypted file: an age identity, by itself or under a passphrase.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Duration;

use age::secrecy::{ExposeSecret as _, SecretString};
use age::{DecryptError, x25519};
use venuekit_wire::Secret;
use zeroize::Zeroizing;

use super::{StoreError, atomic};

/// Scrypt's work for a new passphrase, as a power of two: about half a second.
const WORK: u8 = 17;
/// Nobody writes an identity for as long.
const LONG_AGO: Duration = Duration::from_secs(3600);
/// More than this is refused: somebody wants to keep the machine busy.
const MOST_WORK: u8 = 22;

/// What opens the encrypted file.
#[derive(Clone)]
pub enum Unlock {
    /// A passphrase. It opens the identity that lies beside the store as `NAME.identity.age`.
    Passphrase(Secret),
    /// A file with an identity, as `age-keygen` writes it. It is created if it does not exist.
    IdentityFile(PathBuf),
}

impl fmt::Debug for Unlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passphrase(_) => f.write_str("Passphrase"),
            Self::IdentityFile(path) => f.debug_tuple("IdentityFile").field(path).finish(),
        }
    }
}

impl Unlock {
    /// Where the identity for a store lies.
    pub(super) fn path(&self, store: &Path) -> PathBuf {
        match self {
            Self::Passphrase(_) => beside(store),
            Self::IdentityFile(path) => path.clone(),
        }
    }

    /// The identity, if its file is there.
    pub(super) fn read(&self, path: &Path) -> Result<Option<x25519::Identity>, StoreError> {
        let Some(bytes) = atomic::read(path)? else { return Ok(None) };
        let text = match self {
            Self::Passphrase(passphrase) => open(path, &bytes, passphrase)?,
            Self::IdentityFile(_) => bytes,
        };
        parse(path, &text).map(Some)
    }

    /// A new identity, in its file.
    pub(super) fn make(&self, path: &Path) -> Result<x25519::Identity, StoreError> {
        let identity = x25519::Identity::generate();
        let text = identity.to_string();
        let text = Zeroizing::new(format!("# opens a key store\n{}\n", text.expose_secret()));
        atomic::make_folder(path)?;
        // Other stores may share the identity, and the store's own lock does not keep them away.
        atomic::remove_unfinished(path, Some(LONG_AGO));
        match self {
            Self::Passphrase(passphrase) => atomic::write(path, &seal(path, text.as_bytes(), passphrase)?, true)?,
            Self::IdentityFile(_) => atomic::write(path, text.as_bytes(), true)?,
        }
        Ok(identity)
    }
}

/// Where the identity of a store lies that a passphrase opens.
pub(super) fn beside(store: &Path) -> PathBuf {
    store.with_extension("identity.age")
}

fn parse(path: &Path, text: &[u8]) -> Result<x25519::Identity, StoreError> {
    let other = |found| StoreError::NotAnIdentity { path: path.to_owned(), found };
    let text = std::str::from_utf8(text).map_err(|_| other(FoundInstead::of_bytes(text)))?;
    let text = text.trim_start_matches('\u{feff}');
    let line = text.lines().map(str::trim).find(|line| line.starts_with("AGE-SECRET-KEY-1"));
    let line = line.ok_or_else(|| other(FoundInstead::of(text)))?;
    x25519::Identity::from_str(line).map_err(|_| {
        StoreError::corrupted(path.display().to_string(), "its line AGE-SECRET-KEY-1 is cut off or changed")
    })
}

/// What was given as an age identity file and is something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FoundInstead {
    /// An age file: an identity that is encrypted, most likely by a passphrase.
    Encrypted,
    /// An identity of an age plugin, such as a hardware key.
    Plugin,
    /// An identity for hybrid or post-quantum recipients.
    OtherIdentity,
    /// A private SSH key. The `age` command takes those as identities.
    SshPrivate,
    /// A public key, of age or SSH.
    Public,
    /// Another PEM file.
    Pem,
    /// Nothing at all.
    Empty,
    /// Anything else.
    Other,
}

impl FoundInstead {
    fn of_bytes(bytes: &[u8]) -> Self {
        if bytes.starts_with(b"age-encryption.org/") { Self::Encrypted } else { Self::Other }
    }

    fn of(text: &str) -> Self {
        let has = |start: &str| text.lines().any(|line| line.trim_start().starts_with(start));
        if text.trim().is_empty() {
            Self::Empty
        } else if text.starts_with("age-encryption.org/") || has("-----BEGIN AGE ENCRYPTED FILE-----") {
            Self::Encrypted
        } else if has("AGE-PLUGIN-") {
            Self::Plugin
        } else if has("AGE-SECRET-KEY-") {
            Self::OtherIdentity
        } else if has("-----BEGIN OPENSSH PRIVATE KEY-----") || has("-----BEGIN RSA PRIVATE KEY-----") {
            Self::SshPrivate
        } else if has("age1") || has("ssh-") || has("ecdsa-") || has("-----BEGIN PUBLIC KEY-----") {
            Self::Public
        } else if has("-----BEGIN ") {
            Self::Pem
        } else {
            Self::Other
        }
    }

    /// What it is, and what to do.
    pub(super) fn words(self) -> (&'static str, &'static str) {
        const MAKE: &str = "make an identity with `age-keygen -o identity.txt` and name that file";
        match self {
            Self::Encrypted => (
                "an age identity that is encrypted",
                "decrypt a copy for the store with `age -d`, or open the store with a passphrase instead",
            ),
            Self::Plugin => ("an identity of an age plugin, which this store does not run", MAKE),
            Self::OtherIdentity => ("an age identity of another kind than X25519", MAKE),
            Self::SshPrivate => ("a private SSH key, which this store does not take as an identity", MAKE),
            Self::Public => ("a public key", "name the file with the identity that belongs to it"),
            Self::Pem => ("a PEM file, not an age identity", MAKE),
            Self::Empty => ("empty", MAKE),
            Self::Other => ("not an age identity: no line in it begins with AGE-SECRET-KEY-1", MAKE),
        }
    }
}

fn seal(path: &Path, text: &[u8], passphrase: &Secret) -> Result<Vec<u8>, StoreError> {
    let mut recipient = age::scrypt::Recipient::new(phrase(passphrase));
    recipient.set_work_factor(WORK);
    age::encrypt(&recipient, text).map_err(|error| StoreError::io(path, std::io::Error::other(error.to_string())))
}

fn open(path: &Path, bytes: &[u8], passphrase: &Secret) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let mut identity = age::scrypt::Identity::new(phrase(passphrase));
    identity.set_max_work_factor(MOST_WORK);
    decrypt(&identity, bytes).map_err(|error| match error {
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => {
            StoreError::WrongPassphrase { path: path.to_owned() }
        }
        DecryptError::NoMatchingKeys => {
            StoreError::corrupted(path.display().to_string(), "it is not under a passphrase")
        }
        other => StoreError::corrupted(path.display().to_string(), other.to_string()),
    })
}

fn phrase(passphrase: &Secret) -> SecretString {
    SecretString::from(passphrase.expose())
}

pub(super) fn encrypt(recipient: &x25519::Recipient, text: &[u8]) -> Result<Vec<u8>, age::EncryptError> {
    let recipients = std::iter::once(recipient as &dyn age::Recipient);
    let mut bytes = Vec::with_capacity(text.len() + 512);
    let mut writer = age::Encryptor::with_recipients(recipients)?.wrap_output(&mut bytes)?;
    writer.write_all(text)?;
    writer.finish()?;
    Ok(bytes)
}

pub(super) fn decrypt(identity: &dyn age::Identity, bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
    let mut reader = age::Decryptor::new_buffered(bytes)?.decrypt(std::iter::once(identity))?;
    // Never more than the ciphertext, so that it does not grow and leave copies behind.
    let mut text = Zeroizing::new(Vec::with_capacity(bytes.len()));
    reader.read_to_end(&mut text)?;
    Ok(text)
}
