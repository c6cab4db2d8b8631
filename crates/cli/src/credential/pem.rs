//! Private keys as PEM: read from files, and decrypted where they are encrypted.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use venuekit_auth::{KeyError, PrivateKey};
use venuekit_transport::variables::{self as of_transport, Encrypted};
use venuekit_wire::Secret;

use crate::confirm;
use crate::descriptor::Lines;
use crate::failure::{Exit, Failure};
use crate::variables;

/// The variable that holds the passphrase of a PEM file.
const PASSPHRASE: &str = "VENUEKIT_PEM_PASSPHRASE";

/// Where the passphrases of encrypted private keys come from.
#[derive(Debug, Default)]
pub struct Passphrases {
    descriptor: Option<Lines>,
    /// What was typed, by its prompt: several parts of a command may need one.
    typed: Mutex<BTreeMap<String, Secret>>,
}

impl Passphrases {
    /// From `--pem-passphrase-fd`, where that is given.
    pub fn new(descriptor: Option<u32>) -> Self {
        Self { descriptor: descriptor.map(|number| Lines::new("--pem-passphrase-fd", number)), typed: Mutex::default() }
    }

    /// A PEM in the form in which it can be used: an encrypted one is decrypted. `source` names it. What else is wrong with it,
    /// its signer says.
    pub fn plain(&self, pem: Secret, source: &str) -> Result<Secret, Failure> {
        let encrypted = Encrypted { variable: source, passphrase: PASSPHRASE };
        of_transport::plain(pem, &encrypted, |encrypted| self.of(encrypted).map(Some))
    }

    /// The key in a PEM, which may be encrypted.
    pub fn key(&self, pem: &Secret, source: &str) -> Result<PrivateKey, Failure> {
        let read = match PrivateKey::from_pem(pem.expose()) {
            Err(KeyError::PassphraseNeeded) => {
                let passphrase = self.of(&Encrypted { variable: source, passphrase: PASSPHRASE })?;
                PrivateKey::from_pem_with_passphrase(pem.expose(), &passphrase)
            }
            read => read,
        };
        read.map_err(|error| {
            let code = if matches!(error, KeyError::WrongPassphrase) { "wrong_passphrase" } else { "unusable" };
            Failure::new(Exit::Store, format!("{source}: {error}")).code(code)
        })
    }

    /// The passphrase of a private key: from the descriptor, from a variable, or from the terminal.
    pub fn of(&self, encrypted: &Encrypted<'_>) -> Result<Secret, Failure> {
        let Encrypted { variable: source, passphrase: variable } = encrypted;
        let find = || -> Result<Option<Secret>, Failure> {
            if let Some(passphrase) = self.descriptor.as_ref().map_or(Ok(None), Lines::first)? {
                return Ok(Some(passphrase));
            }
            match variables::secret(variable)? {
                Some(passphrase) => Ok(Some(passphrase)),
                None => self.ask(&format!("passphrase of the private key in {source}: ")),
            }
        };
        find()?.filter(|passphrase| !passphrase.is_empty()).ok_or_else(|| {
            let help = format!("give its passphrase with --pem-passphrase-fd N or {variable}");
            Failure::new(Exit::Store, format!("{source}: the private key is encrypted and no passphrase was given"))
                .code("encrypted")
                .help(help)
        })
    }

    /// Asks for it, once. None without a terminal.
    fn ask(&self, prompt: &str) -> Result<Option<Secret>, Failure> {
        let mut typed = self.typed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(secret) = typed.get(prompt) {
            return Ok(Some(secret.clone()));
        }
        let secret = confirm::secret(prompt)?;
        typed.extend(secret.clone().map(|secret| (prompt.to_owned(), secret)));
        Ok(secret)
    }
}

/// The text of a PEM file: the signer says what is wrong with it, unless it is not text at all. `named` says what names the path.
pub fn file(path: &Path, named: &str) -> Result<Secret, Failure> {
    Ok(of_transport::pem_file(path, named)?)
}
