//! The store that the options and the configuration name: opened when it is needed, once.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use venuekit_keys::journal::FolderJournal;
use venuekit_keys::record::Record;
use venuekit_keys::store::{FileStore, Store, StoreError, StoreFuture, Unlock};
use venuekit_keys::{Engine, Reference, Unfinished};
use venuekit_transport::endpoint::without_user;
use venuekit_wire::Secret;

use crate::config::{StoreConfig, VaultConfig};
use crate::confirm;
use crate::descriptor::Lines;
use crate::failure::{Exit, Failure};
use crate::options::{self, Global, StoreKind};
use crate::similar::closest;
use crate::target::Target;
use crate::variables;

/// Where keys are stored, and what opens that.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    kind: StoreKind,
    /// The encrypted file.
    path: PathBuf,
    /// Whether the command line or a variable names the file, not the configuration or a default.
    is_path_given: bool,
    identity: Option<PathBuf>,
    passphrase_fd: Option<u32>,
    vault: VaultConfig,
}

impl StoreOptions {
    /// The options, or else the configuration; an encrypted file in `data_dir` where neither says anything.
    pub fn new(global: &Global, config: &StoreConfig, data_dir: &Path) -> Self {
        let path = global.store_file.clone().or_else(|| config.path.clone());
        Self {
            kind: global.store.or(config.kind).unwrap_or(StoreKind::File),
            path: path.unwrap_or_else(|| data_dir.join(venuekit_keys::STORE_FILE)),
            is_path_given: global.store_file.is_some(),
            identity: global.identity.clone().or_else(|| config.identity.clone()),
            passphrase_fd: global.passphrase_fd,
            vault: config.vault.clone(),
        }
    }

    /// Where keys are kept, in words.
    pub fn shown(&self) -> String {
        match self.kind {
            StoreKind::File => self.path.display().to_string(),
            StoreKind::Keyring => "the keyring of the operating system".to_owned(),
            StoreKind::Vault => {
                let address = self.vault_address().map(|address| without_user(&address));
                format!("the Vault at {}", address.unwrap_or_else(|| "an address that is not set".to_owned()))
            }
        }
    }

    /// Whether anything may be stored yet: an encrypted file that does not exist need not be opened.
    pub fn exists(&self) -> bool {
        self.kind != StoreKind::File || FileStore::exists(&self.path)
    }

    fn vault_address(&self) -> Option<String> {
        self.vault.address.clone().or_else(|| variables::plain("VAULT_ADDR"))
    }
}

/// Opens the store. To be written, a file that does not exist is created.
pub fn open(options: &StoreOptions, to_write: bool) -> Result<Arc<dyn Store>, Failure> {
    if options.kind == StoreKind::File && options.identity.is_none() {
        // Before anybody is asked for the passphrase of a file that is not a store.
        FileStore::recognize(&options.path)?;
    }
    Ok(match options.kind {
        StoreKind::File => open_file(options, to_write)?,
        #[cfg(feature = "keyring")]
        StoreKind::Keyring => Arc::new(venuekit_keys::store::KeyringStore::open(venuekit_keys::KEYRING_SERVICE)?),
        #[cfg(feature = "vault")]
        StoreKind::Vault => Arc::new(venuekit_keys::store::VaultStore::new(vault(options)?)?),
        #[allow(unreachable_patterns, reason = "what is left out of this build")]
        other => {
            return Err(Failure::usage(format!("this build of venuekit has no store of the kind {other:?}")));
        }
    })
}

/// How often a person may type the passphrase of a store.
const TRIES: usize = 3;

fn open_file(options: &StoreOptions, to_write: bool) -> Result<Arc<dyn Store>, Failure> {
    let mut left = TRIES;
    loop {
        left -= 1;
        let (unlock, place) = unlock(options, left + 1 < TRIES)?;
        let opened = match to_write {
            true => FileStore::open(&options.path, &unlock),
            false => FileStore::open_to_read(&options.path, &unlock),
        };
        match opened {
            Ok(store) => return Ok(Arc::new(store)),
            Err(StoreError::WrongPassphrase { .. }) if place == Place::Terminal && left > 0 => {}
            Err(error @ StoreError::WrongPassphrase { .. }) => {
                let help = format!(
                    "{}the right one was chosen when the store was created; --store-file names another store",
                    place.said()
                );
                return Err(Failure::from(error).help(help));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Where what opens a store comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Identity,
    Descriptor,
    Variable,
    Terminal,
}

impl Place {
    /// For the beginning of a sentence.
    fn said(self) -> &'static str {
        match self {
            Self::Descriptor => "the passphrase comes from --passphrase-fd; ",
            Self::Variable => "the passphrase comes from VENUEKIT_PASSPHRASE; ",
            Self::Identity | Self::Terminal => "",
        }
    }
}

/// What opens the store. `again` says that a passphrase was typed before, which was wrong.
fn unlock(options: &StoreOptions, again: bool) -> Result<(Unlock, Place), Failure> {
    if let Some(identity) = &options.identity {
        return Ok((Unlock::IdentityFile(identity.clone()), Place::Identity));
    }
    let (passphrase, place) = match options.passphrase_fd {
        Some(number) => (Lines::new("--passphrase-fd", number).next()?, Place::Descriptor),
        None => match variables::secret("VENUEKIT_PASSPHRASE")? {
            Some(passphrase) => (Some(passphrase), Place::Variable),
            None => (typed(options, again)?, Place::Terminal),
        },
    };
    let passphrase = passphrase.ok_or_else(|| {
        let help = "pass it with --passphrase-fd N or VENUEKIT_PASSPHRASE, or open the store with an age identity: --identity FILE";
        Failure::new(Exit::Store, format!("the store {} needs its passphrase", options.shown()))
            .code("passphrase")
            .help(help)
    })?;
    if passphrase.is_empty() {
        let failure = Failure::new(Exit::Store, "an empty passphrase is not accepted").code("passphrase");
        return Err(match place.said() {
            "" => failure,
            said => failure.help(said.trim_end_matches("; ")),
        });
    }
    Ok((Unlock::Passphrase(passphrase), place))
}

/// Asks for the passphrase; twice for a store that is to be created.
fn typed(options: &StoreOptions, again: bool) -> Result<Option<Secret>, Failure> {
    if options.exists() {
        let wrong = if again { "wrong passphrase, try again\n" } else { "" };
        return confirm::secret(&format!("{wrong}passphrase of {}: ", options.shown()));
    }
    let first = confirm::secret(&format!("passphrase for the new store {}: ", options.shown()))?;
    let Some(first) = first else { return Ok(None) };
    if first.is_empty() {
        return Ok(Some(first));
    }
    let again = confirm::secret("again: ")?;
    if again.is_none_or(|again| again.expose() != first.expose()) {
        return Err(Failure::new(Exit::Store, "the two passphrases differ").code("passphrase"));
    }
    Ok(Some(first))
}

#[cfg(feature = "vault")]
fn vault(options: &StoreOptions) -> Result<venuekit_keys::store::VaultSettings, Failure> {
    let config = &options.vault;
    let missing = |what: &str, help: &str| Failure::new(Exit::Store, format!("{what} is not known")).help(help);
    let address = options
        .vault_address()
        .ok_or_else(|| missing("the Vault's address", "set VAULT_ADDR, or `address` below [store.vault]"))?;
    let token = variables::secret("VAULT_TOKEN")?.ok_or_else(|| missing("the Vault's token", "set VAULT_TOKEN"))?;
    Ok(venuekit_keys::store::VaultSettings {
        address,
        token,
        mount: config.mount.clone().unwrap_or_else(|| venuekit_keys::VAULT_MOUNT.to_owned()),
        prefix: config.prefix.clone().unwrap_or_else(|| venuekit_keys::VAULT_PREFIX.to_owned()),
        namespace: config.namespace.clone().or_else(|| variables::plain("VAULT_NAMESPACE")),
    })
}

/// A store that does not exist yet: it holds nothing, and nobody is asked for its passphrase.
struct Absent(PathBuf);

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

/// The stored keys: the store, opened once, and the journal of what was changed in it.
pub struct Keys {
    options: StoreOptions,
    journal: PathBuf,
    opened: OnceLock<Arc<dyn Store>>,
}

impl Keys {
    /// Nothing is opened yet.
    pub fn new(options: StoreOptions, state_dir: &Path) -> Self {
        Self { options, journal: state_dir.join("journal"), opened: OnceLock::new() }
    }

    /// Where they are.
    pub fn options(&self) -> &StoreOptions {
        &self.options
    }

    /// The store, to read. Asks for the passphrase once.
    pub fn to_read(&self) -> Result<Arc<dyn Store>, Failure> {
        if self.opened.get().is_none() && !self.options.exists() {
            return match self.options.is_path_given {
                true => Err(no_store(&self.options.path)),
                false => Ok(Arc::new(Absent(self.options.path.clone()))),
            };
        }
        self.open(false)
    }

    /// The store, for what keeps something there: it is created where it does not exist.
    pub fn to_write(&self) -> Result<Arc<dyn Store>, Failure> {
        self.open(true)
    }

    fn open(&self, to_write: bool) -> Result<Arc<dyn Store>, Failure> {
        if let Some(store) = self.opened.get() {
            return Ok(Arc::clone(store));
        }
        let opened = open(&self.options, to_write)?;
        Ok(Arc::clone(self.opened.get_or_init(|| opened)))
    }

    /// What changes keys, over a store.
    pub fn engine(&self, store: Arc<dyn Store>) -> Engine {
        Engine::new(store, Arc::new(FolderJournal::new(self.journal.clone()))).of_store(self.options.shown())
    }

    /// What is stored of a key. `source` is what names it, if not what the command is about.
    pub async fn record(&self, reference: &Reference, source: Option<&str>) -> Result<Record, Failure> {
        let store = self.to_read()?;
        let error = match store.get(reference).await {
            Err(error @ StoreError::NotFound(_)) => error,
            result => return Ok(result?),
        };
        if let Some(left) = self.unfinished_of(&store, reference) {
            let message = format!("`{reference}` is not in the store, and its run {} has not ended", left.run);
            return Err(Failure::new(Exit::NotFound, message).code("not_found").help(left.advice()));
        }
        let from = source.map(|source| format!(" (from {source})")).unwrap_or_default();
        let message = format!("{error}{from}");
        if !self.options.exists() {
            let message = format!("{message}: the store {} does not exist yet", self.options.shown());
            let help = format!("`venuekit keys create {reference}` creates the key, and the store");
            return Err(Failure::new(Exit::Store, message).code("no_store").help(help));
        }
        let mut stored = store.list().await.unwrap_or_default();
        stored.retain(|one| one.venue == reference.venue && one.is_a_key());
        let of_account = stored.iter().filter(|one| one.environment == reference.environment);
        let near = closest(&reference.name, of_account.map(|one| one.name.as_str()));
        let meant = stored.iter().find(|one| one.name == near.unwrap_or(&reference.name));
        let meant = meant.map(|one| format!("did you mean `{one}`?\n")).unwrap_or_default();
        let rest =
            format!("`venuekit keys list` shows what is stored, `venuekit keys create {reference}` creates a key");
        let help = format!("{meant}{rest}");
        Err(Failure::new(Exit::NotFound, message).code("not_found").help(help))
    }

    /// A run for a key that has not ended.
    fn unfinished_of(&self, store: &Arc<dyn Store>, reference: &Reference) -> Option<Unfinished> {
        let unfinished = self.engine(Arc::clone(store)).unfinished().unwrap_or_default();
        let name = reference.to_string();
        unfinished.into_iter().find(|left| left.plan.reference.as_ref() == Some(&name))
    }
}

/// A store that is named and does not exist: what it should hold is somewhere else.
fn no_store(file: &Path) -> Failure {
    let message = format!("the store {} (from {}) does not exist", file.display(), options::store_file_source());
    let help = "check the name; `venuekit keys create` creates the store if it does not exist";
    Failure::new(Exit::Store, message).code("no_store").help(help)
}

/// The name of a key in the store.
pub fn reference(target: &Target, name: &str) -> Result<Reference, Failure> {
    Reference::new(target.venue.key_venue(), &target.environment, name)
        .map_err(|error| Failure::usage(error.to_string()))
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = if matches!(error, StoreError::NotFound(_)) { Exit::NotFound } else { Exit::Store };
        Self::new(exit, error.to_string()).code(if exit == Exit::NotFound { "not_found" } else { "store" })
    }
}
