//! Private keys as PEM: read from files, and decrypted where they are encrypted.

use std::fs;
use std::path::Path;

use venuekit_auth::{KeyError, PrivateKey};
use venuekit_wire::Secret;

use super::{is_key_text, variable};
use crate::context::Context;
use crate::failure::{Exit, Failure};

/// The variable that holds the passphrase of a PEM file.
const PASSPHRASE: &str = "VENUEKIT_PEM_PASSPHRASE";

/// A PEM as it can be used: an encrypted one is decrypted with the passphrase of `--pem-passphrase-fd`, of a variable, or from the
/// terminal. `source` names the PEM, `secret_variable` the variable that holds it or its path. What else is wrong with it, its
/// signer says.
pub fn plain(context: &Context, pem: Secret, source: &str, secret_variable: Option<&str>) -> Result<Secret, Failure> {
    if !matches!(PrivateKey::from_pem(pem.expose()), Err(KeyError::PassphraseNeeded)) {
        return Ok(pem);
    }
    Ok(decrypt(context, &pem, source, secret_variable)?.private_key_pem())
}

/// The key in a PEM, which may be encrypted.
pub fn key(context: &Context, pem: &Secret, source: &str) -> Result<PrivateKey, Failure> {
    match PrivateKey::from_pem(pem.expose()) {
        Err(KeyError::PassphraseNeeded) => decrypt(context, pem, source, None),
        read => read.map_err(|error| unusable(source, &error)),
    }
}

fn decrypt(
    context: &Context,
    pem: &Secret,
    source: &str,
    secret_variable: Option<&str>,
) -> Result<PrivateKey, Failure> {
    let variable = secret_variable.map(|name| format!("{}_PASSPHRASE", name.strip_suffix("_FILE").unwrap_or(name)));
    let variable = variable.unwrap_or_else(|| PASSPHRASE.to_owned());
    let ask = || -> Result<Option<Secret>, Failure> {
        if let Some(passphrase) = context.pem_passphrase()? {
            return Ok(Some(passphrase));
        }
        match variable::secret(&variable)? {
            Some(passphrase) => Ok(Some(passphrase)),
            None => context.typed_once(&format!("passphrase of the private key in {source}: ")),
        }
    };
    let passphrase = ask()?.filter(|passphrase| !passphrase.is_empty()).ok_or_else(|| {
        let help = format!("give its passphrase with --pem-passphrase-fd N or {variable}");
        Failure::new(Exit::Store, format!("{source}: the private key is encrypted and no passphrase was given"))
            .code("encrypted")
            .help(help)
    })?;
    PrivateKey::from_pem_with_passphrase(pem.expose(), &passphrase).map_err(|error| unusable(source, &error))
}

fn unusable(source: &str, error: &KeyError) -> Failure {
    let code = if matches!(error, KeyError::WrongPassphrase) { "wrong_passphrase" } else { "unusable" };
    Failure::new(Exit::Store, format!("{source}: {error}")).code(code)
}

/// The text of a PEM file: the signer says what is wrong with it, unless it is no text at all. `named` is where the path stands.
pub fn file(path: &Path, named: &str) -> Result<Secret, Failure> {
    let failed = |message: String, help: &str| Failure::new(Exit::Store, message).code("key_file").help(help);
    let written = path.to_string_lossy();
    // Most likely somebody wrote `$(cat key.pem)`: it must not be shown as a path that is not there.
    if is_key_text(&written) || is_bare_key(&written) {
        let message = format!("{named} should be the path of a file, and holds the key itself");
        let help = match named.strip_suffix("_FILE") {
            Some(other) => format!("write the path of the file, or set {other} to the text"),
            None => "write the path of the file".to_owned(),
        };
        return Err(failed(message, &help).code("key_text"));
    }
    let bytes = fs::read(path)
        .map_err(|error| failed(format!("{named}: {}: {error}", path.display()), path_advice(&written)))?;
    String::from_utf8(bytes).map(Secret::new).or_else(|error| match PrivateKey::from_pem(error.as_bytes()) {
        Ok(_) => Ok(Secret::new(String::from_utf8_lossy(error.as_bytes()))),
        Err(why) => {
            let why = why.to_string();
            let (what, help) = why.split_once("; ").unwrap_or((&why, "give a private key as PEM"));
            Err(failed(format!("{}: {what}", path.display()), help))
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
        "the path has blanks or quotes around it: take them away"
    } else if written.starts_with('~') {
        "nothing puts the home folder in place of `~` here: write the whole path"
    } else {
        "it should be a private key as PEM"
    }
}
