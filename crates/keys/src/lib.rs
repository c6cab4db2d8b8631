#![doc = include_str!("../README.md")]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod account;
mod engine;
mod error;
mod event;
mod from_store;
pub mod journal;
mod network;
pub mod record;
mod reference;
pub mod store;
mod store_location;
mod task;
mod venue_driver;

use std::future::Future;
use std::pin::Pin;

pub use account::{Account, Venue, venues_with_keys};
pub use engine::{
    Adopted, Edited, Engine, Handed, Line, Manager, Operator, Settings, Silent, Unfinished, Unreadable, Waits,
};
pub use error::{Class, Error};
pub use event::Event;
pub use from_store::FromStore;
pub use reference::{BadReference, Reference};
pub use store_location::{KEYRING_SERVICE, STORE_FILE, StoreLocation, VAULT_MOUNT, VAULT_PREFIX};
pub use task::{
    Create, NeedsPerson, OldKey, Origin, Outcome, Plan, Preview, Report, Revoke, Rotate, Target, Task, Work,
};
pub use venuekit_transport::credential_parts::CredentialParts as Credential;
pub use venuekit_transport::keys::KeyEdit;

/// What the traits of this crate return, so that they can be made into objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
