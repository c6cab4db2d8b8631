//! Opens the store that the options and the configuration name.

use std::path::PathBuf;
use std::sync::Arc;

use venuekit_keys::Reference;
use venuekit_keys::record::Record;
use venuekit_keys::store::{FileStore, Store, StoreError, StoreFuture, Unlock};
use venuekit_wire::Secret;

use crate::args::StoreKind;
use crate::confirm;
use crate::context::Context;
use crate::credential::variable;
use crate::descriptor::Lines;
use crate::failure::{Exit, Failure};
use crate::target::Target;

fn kind(context: &Context) -> StoreKind {
    context.global().store.or(context.config().store.kind).unwrap_or(StoreKind::File)
}

fn path(context: &Context) -> PathBuf {
    let said = context.global().store_file.clone().or_else(|| context.config().store.path.clone());
    said.unwrap_or_else(|| context.data_dir().join(venuekit_keys::STORE_FILE))
}

/// Where keys are kept, in words.
pub fn shown(context: &Context) -> String {
    match kind(context) {
        StoreKind::File => path(context).display().to_string(),
        StoreKind::Keyring => "the keyring of the operating system".to_owned(),
        StoreKind::Vault => {
            format!("the Vault at {}", address(context).unwrap_or_else(|| "an address that is not set".to_owned()))
        }
    }
}

/// Whether anything may be stored yet: an encrypted file that is not there need not be opened.
pub fn is_there(context: &Context) -> bool {
    kind(context) != StoreKind::File || FileStore::exists(path(context))
}

/// Opens the store. To be written, a file that is not there is made.
pub fn open(context: &Context, to_write: bool) -> Result<Arc<dyn Store>, Failure> {
    if kind(context) == StoreKind::File && identity(context).is_none() {
        // Before anybody is asked for the passphrase of what is no store.
        FileStore::recognize(path(context))?;
    }
    Ok(match kind(context) {
        StoreKind::File if to_write => Arc::new(FileStore::open(path(context), &unlock(context)?)?),
        StoreKind::File => Arc::new(FileStore::open_to_read(path(context), &unlock(context)?)?),
        #[cfg(feature = "keyring")]
        StoreKind::Keyring => Arc::new(venuekit_keys::store::KeyringStore::open(venuekit_keys::KEYRING_SERVICE)?),
        #[cfg(feature = "vault")]
        StoreKind::Vault => Arc::new(venuekit_keys::store::VaultStore::new(vault(context)?)?),
        #[allow(unreachable_patterns, reason = "what is left out of this build")]
        other => {
            return Err(Failure::usage(format!("this build of venuekit has no store of the kind {other:?}")));
        }
    })
}

/// A store that is not there: it holds nothing, and nobody is asked for its passphrase.
pub struct Absent(PathBuf);

impl Absent {
    /// In the place of the encrypted file.
    pub fn new(context: &Context) -> Self {
        Self(path(context))
    }
}

impl Store for Absent {
    fn get<'a>(&'a self, reference: &'a Reference) -> StoreFuture<'a, Record> {
        Box::pin(async { Err(StoreError::NotFound(reference.clone())) })
    }

    fn put<'a>(&'a self, _: &'a Record) -> StoreFuture<'a, ()> {
        let source = std::io::Error::from(std::io::ErrorKind::NotFound);
        Box::pin(async { Err(StoreError::Io { path: self.0.clone(), source }) })
    }

    fn list(&self) -> StoreFuture<'_, Vec<Reference>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn remove<'a>(&'a self, reference: &'a Reference) -> StoreFuture<'a, ()> {
        Box::pin(async { Err(StoreError::NotFound(reference.clone())) })
    }
}

/// The name of a key in the store.
pub fn reference(target: &Target, name: &str) -> Result<Reference, Failure> {
    Reference::new(target.venue.of_keys(), &target.environment, name).map_err(|error| Failure::usage(error.to_string()))
}

fn identity(context: &Context) -> Option<PathBuf> {
    context.global().identity.clone().or_else(|| context.config().store.identity.clone())
}

fn unlock(context: &Context) -> Result<Unlock, Failure> {
    let global = context.global();
    if let Some(identity) = identity(context) {
        return Ok(Unlock::IdentityFile(identity));
    }
    let passphrase = match global.passphrase_fd {
        Some(number) => Lines::new("--passphrase-fd", number).next()?,
        None => match variable::secret("VENUEKIT_PASSPHRASE")? {
            Some(passphrase) => Some(passphrase),
            None => typed(context)?,
        },
    };
    let passphrase = passphrase.filter(|passphrase| !passphrase.is_empty()).ok_or_else(|| {
        let help = "give it with --passphrase-fd N or VENUEKIT_PASSPHRASE, or open the store with an age identity: --identity FILE";
        Failure::new(Exit::Store, format!("the store {} needs its passphrase", shown(context))).code("passphrase").help(help)
    })?;
    Ok(Unlock::Passphrase(passphrase))
}

/// Asks for the passphrase; twice for a store that is to be made.
fn typed(context: &Context) -> Result<Option<Secret>, Failure> {
    if is_there(context) {
        return confirm::secret(&format!("passphrase of {}: ", shown(context)));
    }
    let first = confirm::secret(&format!("passphrase for the new store {}: ", shown(context)))?;
    let Some(first) = first else { return Ok(None) };
    let again = confirm::secret("again: ")?;
    if again.is_none_or(|again| again.expose() != first.expose()) {
        return Err(Failure::new(Exit::Store, "the two passphrases differ").code("passphrase"));
    }
    Ok(Some(first))
}

fn address(context: &Context) -> Option<String> {
    context.config().store.vault.address.clone().or_else(|| std::env::var("VAULT_ADDR").ok())
}

#[cfg(feature = "vault")]
fn vault(context: &Context) -> Result<venuekit_keys::store::VaultSettings, Failure> {
    let config = &context.config().store.vault;
    let missing = |what: &str, help: &str| Failure::new(Exit::Store, format!("{what} is not known")).help(help);
    let address = address(context)
        .ok_or_else(|| missing("the Vault's address", "set VAULT_ADDR, or `address` below [store.vault]"))?;
    let token = variable::secret("VAULT_TOKEN")?.ok_or_else(|| missing("the Vault's token", "set VAULT_TOKEN"))?;
    Ok(venuekit_keys::store::VaultSettings {
        address,
        token,
        mount: config.mount.clone().unwrap_or_else(|| venuekit_keys::VAULT_MOUNT.to_owned()),
        prefix: config.prefix.clone().unwrap_or_else(|| venuekit_keys::VAULT_PREFIX.to_owned()),
        namespace: config.namespace.clone().or_else(|| std::env::var("VAULT_NAMESPACE").ok()),
    })
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = if matches!(error, StoreError::NotFound(_)) { Exit::NotFound } else { Exit::Store };
        Self::new(exit, error.to_string()).code(if exit == Exit::NotFound { "not_found" } else { "store" })
    }
}
