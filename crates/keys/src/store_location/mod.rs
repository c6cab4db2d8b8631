//! Where the command `venuekit` keeps keys on this machine, and what opens that.

mod config;

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use etcetera::BaseStrategy;
use venuekit_wire::Secret;

use self::config::{Config, Kind};
use crate::error::Error;
use crate::store::{FileStore, Store, Unlock};

/// The file of the command's store, in its folder for data.
pub const STORE_FILE: &str = "keys.age";

/// The command's folder in those for data and for configurations.
const FOLDER: &str = "venuekit";

/// The name that keys have in the keyring of the operating system.
pub const KEYRING_SERVICE: &str = "venuekit";

/// The mount of a Vault's key-value engine, by default.
pub const VAULT_MOUNT: &str = "secret";

/// The path below the mount, by default.
pub const VAULT_PREFIX: &str = "venuekit";

/// A store and what opens it: that of the command `venuekit`, or an encrypted file somewhere else.
///
/// ```no_run
/// use venuekit_keys::StoreLocation;
///
/// # fn example() -> Result<(), venuekit_keys::Error> {
/// let own = StoreLocation::of_command()?; // the passphrase is in VENUEKIT_PASSPHRASE
/// let other = StoreLocation::file("/srv/bot/keys.age").identity("/srv/bot/identity.txt");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct StoreLocation(Inner);

#[derive(Clone, Debug)]
enum Inner {
    File { path: PathBuf, unlock: Option<Unlock> },
    Keyring,
    Vault(Vault),
}

/// Settings of a Vault, as far as they are known.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "vault"), allow(dead_code, reason = "only a build with the feature opens a Vault"))]
struct Vault {
    address: Option<String>,
    token: Option<Secret>,
    mount: String,
    prefix: String,
    namespace: Option<String>,
}

impl StoreLocation {
    /// The store of the command on this machine, as its configuration and its environment variables say it.
    ///
    /// The configuration is `~/.config/venuekit/config.toml`, or the file that `VENUEKIT_CONFIG` names. `VENUEKIT_STORE_FILE` names the
    /// encrypted file, `VENUEKIT_IDENTITY` an age identity that opens it, `VENUEKIT_PASSPHRASE` has its passphrase. `VAULT_ADDR`,
    /// `VAULT_TOKEN` and `VAULT_NAMESPACE` are for a Vault. Nobody is asked for a passphrase: give one with
    /// [`passphrase`](Self::passphrase).
    ///
    /// # Errors
    /// A configuration that cannot be read, or no home folder.
    pub fn of_command() -> Result<Self, Error> {
        Self::said_by(|name| env::var_os(name))
    }

    /// The same with variables that are looked up in another way than in this process.
    ///
    /// # Errors
    /// A configuration that cannot be read, or no home folder.
    pub fn said_by(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, Error> {
        let base = etcetera::choose_base_strategy()
            .map_err(|_| Error::usage("there is no home folder: set HOME, or XDG_CONFIG_HOME and XDG_DATA_HOME"))?;
        // A variable that is set to nothing says nothing.
        let path = |name: &str| lookup(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let text = |name: &str| match path(name).map(|value| value.into_os_string().into_string()) {
            Some(Err(_)) => Err(Error::usage(format!("the environment variable {name} is not UTF-8"))),
            Some(Ok(text)) => Ok(Some(text)),
            None => Ok(None),
        };
        let named = path("VENUEKIT_CONFIG");
        let usual = || base.config_dir().join(FOLDER).join("config.toml");
        let config = Config::load(&named.clone().unwrap_or_else(usual), named.is_some())?;
        let store = config.store;
        Ok(Self(match store.kind.unwrap_or(Kind::File) {
            Kind::File => {
                let file = path("VENUEKIT_STORE_FILE").or(store.path);
                let identity = path("VENUEKIT_IDENTITY").or(store.identity).map(Unlock::IdentityFile);
                let passphrase = text("VENUEKIT_PASSPHRASE")?.map(|text| Unlock::Passphrase(Secret::new(text)));
                let path = file.unwrap_or_else(|| base.data_dir().join(FOLDER).join(STORE_FILE));
                Inner::File { path, unlock: identity.or(passphrase) }
            }
            Kind::Keyring => Inner::Keyring,
            Kind::Vault => Inner::Vault(Vault {
                address: store.vault.address.or(text("VAULT_ADDR")?),
                token: text("VAULT_TOKEN")?.map(Secret::new),
                mount: store.vault.mount.unwrap_or_else(|| VAULT_MOUNT.to_owned()),
                prefix: store.vault.prefix.unwrap_or_else(|| VAULT_PREFIX.to_owned()),
                namespace: store.vault.namespace.or(text("VAULT_NAMESPACE")?),
            }),
        }))
    }

    /// An encrypted file. Say what opens it with [`identity`](Self::identity) or [`passphrase`](Self::passphrase).
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Inner::File { path: path.into(), unlock: None })
    }

    /// With the passphrase of the encrypted file. Another store has none.
    #[must_use]
    pub fn passphrase(self, passphrase: impl Into<Secret>) -> Self {
        self.unlocked(Unlock::Passphrase(passphrase.into()))
    }

    /// With the age identity that opens the encrypted file. Another store has none.
    #[must_use]
    pub fn identity(self, path: impl Into<PathBuf>) -> Self {
        self.unlocked(Unlock::IdentityFile(path.into()))
    }

    fn unlocked(self, unlock: Unlock) -> Self {
        match self.0 {
            Inner::File { path, .. } => Self(Inner::File { path, unlock: Some(unlock) }),
            other => Self(other),
        }
    }

    /// Opens the store. A missing file is created. A passphrase takes about half a second.
    ///
    /// # Errors
    /// The store cannot be reached, or its passphrase or identity is missing or wrong.
    pub fn open(&self) -> Result<Arc<dyn Store>, Error> {
        self.opened(true)
    }

    /// Opens a store that is there, in a folder that may be read-only.
    ///
    /// # Errors
    /// The store does not exist or cannot be reached, or its passphrase or identity is missing or wrong.
    pub fn open_to_read(&self) -> Result<Arc<dyn Store>, Error> {
        self.opened(false)
    }

    fn opened(&self, to_write: bool) -> Result<Arc<dyn Store>, Error> {
        match &self.0 {
            Inner::File { path, unlock } => {
                let is_there = FileStore::exists(path);
                if !to_write && !is_there {
                    let message = format!(
                        "there is no store at {}: `venuekit keys create` makes one, VENUEKIT_STORE_FILE names another",
                        path.display()
                    );
                    return Err(Error::not_found(message));
                }
                // Before a passphrase is requested that no file of another kind has.
                FileStore::recognize(path.clone())?;
                let unlock = unlock.as_ref().ok_or_else(|| {
                    Error::usage(format!(
                        "the store {} needs its passphrase: set VENUEKIT_PASSPHRASE, or VENUEKIT_IDENTITY to an age identity",
                        path.display()
                    ))
                })?;
                Ok(match to_write {
                    true => Arc::new(FileStore::open(path.clone(), unlock)?),
                    false => Arc::new(FileStore::open_to_read(path.clone(), unlock)?),
                })
            }
            Inner::Keyring => keyring(),
            Inner::Vault(vault) => vault.open(),
        }
    }
}

#[cfg(feature = "keyring")]
fn keyring() -> Result<Arc<dyn Store>, Error> {
    Ok(Arc::new(crate::store::KeyringStore::open(KEYRING_SERVICE)?))
}

#[cfg(not(feature = "keyring"))]
fn keyring() -> Result<Arc<dyn Store>, Error> {
    Err(Error::usage("the command keeps keys in the keyring, which takes the feature `keyring` of venuekit-keys"))
}

impl Vault {
    #[cfg(feature = "vault")]
    fn open(&self) -> Result<Arc<dyn Store>, Error> {
        let missing = |what: &str, help: &str| Error::usage(format!("{what} is not known: {help}"));
        let settings = crate::store::VaultSettings {
            address: (self.address.clone())
                .ok_or_else(|| missing("the Vault's address", "set VAULT_ADDR, or `address` below [store.vault]"))?,
            token: self.token.clone().ok_or_else(|| missing("the Vault's token", "set VAULT_TOKEN"))?,
            mount: self.mount.clone(),
            prefix: self.prefix.clone(),
            namespace: self.namespace.clone(),
        };
        Ok(Arc::new(crate::store::VaultStore::new(settings)?))
    }

    #[cfg(not(feature = "vault"))]
    fn open(&self) -> Result<Arc<dyn Store>, Error> {
        Err(Error::usage("the command keeps keys in a Vault, which takes the feature `vault` of venuekit-keys"))
    }
}
