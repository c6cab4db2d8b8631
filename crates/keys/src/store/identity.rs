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
    /// A file with an identity, as `age-keygen` writes it. One is made if there is none.
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
    let damaged = |why: &str| StoreError::corrupted(path.display().to_string(), why);
    let text = std::str::from_utf8(text).map_err(|_| damaged("it is no age identity"))?;
    if text.starts_with("age-encryption.org/") {
        return Err(damaged("it is under a passphrase, and no plain age identity"));
    }
    let line = text.lines().map(str::trim).find(|line| line.starts_with("AGE-SECRET-KEY-1"));
    let line = line.ok_or_else(|| damaged("no line in it begins with AGE-SECRET-KEY-1"))?;
    x25519::Identity::from_str(line).map_err(|_| damaged("its line AGE-SECRET-KEY-1 is not whole"))
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
