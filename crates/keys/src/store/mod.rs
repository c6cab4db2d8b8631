//! Where keys are kept.
//!
//! | store | what it is |
//! |---|---|
//! | [`FileStore`] | one file, encrypted with age: the embedded default |
//! | `KeyringStore` | the keyring of the operating system (feature `keyring`) |
//! | `VaultStore` | HashiCorp Vault or OpenBao, key-value engine version 2 (feature `vault`) |
//! | [`EnvironmentStore`], [`PemStore`] | one key that somebody else keeps: read-only |

mod atomic;
mod environment;
mod error;
mod file;
mod identity;
#[cfg(feature = "keyring")]
mod keyring;
mod pem;
#[cfg(feature = "vault")]
mod vault;

pub use self::environment::EnvironmentStore;
pub use self::error::StoreError;
pub use self::file::FileStore;
pub use self::identity::{FoundInstead, Unlock};
#[cfg(feature = "keyring")]
pub use self::keyring::{KeyringStore, Ring, RingError, SystemRing};
pub use self::pem::PemStore;
#[cfg(feature = "vault")]
pub use self::vault::{VaultSettings, VaultStore};
use crate::BoxFuture;
use crate::record::Record;
use crate::reference::Reference;

/// What a store's methods return.
pub type StoreFuture<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// Keeps records. A `put` that has returned has the record on disk, or wherever the store keeps it. One that fails has changed
/// nothing, with two exceptions: after [`StoreError::Unsynced`] the change is there and may not survive a power cut, and after
/// [`StoreError::Unreachable`] a server may have made it. Either way the old record or the new one is there, never a part of one.
///
/// A record that cannot be read is an error of its own `get` and `put` and of nothing else: it is listed with the others, those are
/// read and written, and a damaged one may be removed.
pub trait Store: Send + Sync {
    /// The record of this name; [`StoreError::NotFound`] if it does not exist.
    fn get<'a>(&'a self, reference: &'a Reference) -> StoreFuture<'a, Record>;

    /// Keeps a record, in place of the one of the same name.
    fn put<'a>(&'a self, record: &'a Record) -> StoreFuture<'a, ()>;

    /// The names of all records, in order.
    fn list(&self) -> StoreFuture<'_, Vec<Reference>>;

    /// Forgets a record; [`StoreError::NotFound`] if it does not exist.
    fn remove<'a>(&'a self, reference: &'a Reference) -> StoreFuture<'a, ()>;
}
