//! Private keys as PEM: read from files, and decrypted where they are encrypted.

use std::fs;
use std::path::Path;

use venuekit_auth::{KeyError, PrivateKey};
use venuekit_wire::Secret;

use super::{Encrypted, Fault};
use crate::flaw::is_key_text;

/// A PEM as it can be used: an encrypted one is decrypted. What else is wrong with it, its signer says.
///
/// # Errors
/// Its passphrase is missing or wrong.
pub fn plain<E: From<Fault>>(
    pem: Secret,
    encrypted: &Encrypted<'_>,
    passphrase: impl Fn(&Encrypted<'_>) -> Result<Option<Secret>, E>,
) -> Result<Secret, E> {
    if !matches!(PrivateKey::from_pem(pem.expose()), Err(KeyError::PassphraseNeeded)) {
        return Ok(pem);
    }
    let Encrypted { variable, passphrase: name } = encrypted;
    let passphrase = passphrase(encrypted)?.filter(|passphrase| !passphrase.is_empty()).ok_or_else(|| {
        Fault::new("encrypted", format!("{variable}: the private key is encrypted and no passphrase was given"))
            .help(format!("set {name} to its passphrase"))
    })?;
    let key = PrivateKey::from_pem_with_passphrase(pem.expose(), &passphrase).map_err(|error| {
        let code = if matches!(error, KeyError::WrongPassphrase) { "wrong_passphrase" } else { "unusable" };
        Fault::new(code, format!("{variable}: {error}"))
    })?;
    Ok(key.private_key_pem())
}

/// The text of a PEM file: the signer says what is wrong with it, unless it is no text at all. `named` is where the path stands.
///
/// # Errors
/// A path that is the key itself, or that leads to no file that can be read.
pub fn pem_file(path: &Path, named: &str) -> Result<Secret, Fault> {
    let written = path.to_string_lossy();
    // Most likely somebody wrote `$(cat key.pem)`: it must not be shown as a path that is not there.
    if is_key_text(&written) || is_bare_key(&written) {
        let message = format!("{named} must be the path of a file, but contains the key itself");
        let help = match named.strip_suffix("_FILE") {
            Some(other) => format!("write the path of the file, or set {other} to the text"),
            None => "write the path of the file".to_owned(),
        };
        return Err(Fault::new("key_text", message).help(help));
    }
    let bytes = fs::read(path).map_err(|error| {
        Fault::new("key_file", format!("{named}: {}: {error}", path.display())).help(path_advice(&written))
    })?;
    String::from_utf8(bytes).map(Secret::new).or_else(|error| match PrivateKey::from_pem(error.as_bytes()) {
        Ok(_) => Ok(Secret::new(String::from_utf8_lossy(error.as_bytes()))),
        Err(why) => {
            let why = why.to_string();
            let (what, help) = why.split_once("; ").unwrap_or((&why, "give a private key as PEM"));
            Err(Fault::new("key_file", format!("{}: {what}", path.display())).help(help))
        }
    })
}

/// Whether a text is the inside of a PEM file. No path is so long and has neither a dot nor a slash in front.
fn is_bare_key(text: &str) -> bool {
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    text.len() >= 40 && !text.starts_with('/') && text.chars().all(is_base64)
}

/// What to do about the path of a file that cannot be read.
fn path_advice(written: &str) -> &'static str {
    if written.trim_matches(['\'', '"', ' ']) != written {
        "remove the spaces or quotes around the path"
    } else if written.starts_with('~') {
        "`~` is not expanded here: write the full path"
    } else {
        "expected a PEM private key"
    }
}
