//! Private keys as PEM: read from files, and decrypted where they are encrypted.

use std::path::Path;

use venuekit_auth::{KeyError, PrivateKey};
use venuekit_transport::variables::{self, Encrypted};
use venuekit_wire::Secret;

use super::variable;
use crate::context::Context;
use crate::failure::{Exit, Failure};

/// The variable that holds the passphrase of a PEM file.
const PASSPHRASE: &str = "VENUEKIT_PEM_PASSPHRASE";

/// A PEM as it can be used: an encrypted one is decrypted. `source` names it. What else is wrong with it, its signer says.
pub fn plain(context: &Context, pem: Secret, source: &str) -> Result<Secret, Failure> {
    let encrypted = Encrypted { variable: source, passphrase: PASSPHRASE };
    variables::plain(pem, &encrypted, |encrypted| passphrase(context, encrypted).map(Some))
}

/// The key in a PEM, which may be encrypted.
pub fn key(context: &Context, pem: &Secret, source: &str) -> Result<PrivateKey, Failure> {
    let read = match PrivateKey::from_pem(pem.expose()) {
        Err(KeyError::PassphraseNeeded) => {
            let passphrase = passphrase(context, &Encrypted { variable: source, passphrase: PASSPHRASE })?;
            PrivateKey::from_pem_with_passphrase(pem.expose(), &passphrase)
        }
        read => read,
    };
    read.map_err(|error| {
        let code = if matches!(error, KeyError::WrongPassphrase) { "wrong_passphrase" } else { "unusable" };
        Failure::new(Exit::Store, format!("{source}: {error}")).code(code)
    })
}

/// The passphrase of a private key: from `--pem-passphrase-fd`, from a variable, or from the terminal.
pub fn passphrase(context: &Context, encrypted: &Encrypted<'_>) -> Result<Secret, Failure> {
    let Encrypted { variable: source, passphrase: variable } = encrypted;
    let ask = || -> Result<Option<Secret>, Failure> {
        if let Some(passphrase) = context.pem_passphrase()? {
            return Ok(Some(passphrase));
        }
        match variable::secret(variable)? {
            Some(passphrase) => Ok(Some(passphrase)),
            None => context.typed_once(&format!("passphrase of the private key in {source}: ")),
        }
    };
    ask()?.filter(|passphrase| !passphrase.is_empty()).ok_or_else(|| {
        let help = format!("give its passphrase with --pem-passphrase-fd N or {variable}");
        Failure::new(Exit::Store, format!("{source}: the private key is encrypted and no passphrase was given"))
            .code("encrypted")
            .help(help)
    })
}

/// The text of a PEM file: the signer says what is wrong with it, unless it is no text at all. `named` is where the path stands.
pub fn file(path: &Path, named: &str) -> Result<Secret, Failure> {
    Ok(variables::pem_file(path, named)?)
}
