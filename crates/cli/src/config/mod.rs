//! The configuration: `~/.config/venuekit/config.toml`.

mod read;

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use venuekit_transport::flaw::is_key_text;

pub use self::read::{default_path, load};
use crate::network::{Network, Proxy, Seconds};
use crate::options::StoreKind;
use crate::venue::Venue;

/// The configuration of venuekit.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Where keys are stored.
    pub store: StoreConfig,
    /// Profiles by name. One with the name of its venue is used when no other is named.
    pub profiles: BTreeMap<String, Profile>,
}

/// Where keys are stored.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct StoreConfig {
    /// The kind of store; an encrypted file if left out.
    pub kind: Option<StoreKind>,
    /// The encrypted file. A path that is not absolute begins at the configuration's folder.
    pub path: Option<PathBuf>,
    /// An age identity that opens the file, in place of a passphrase.
    pub identity: Option<PathBuf>,
    /// Settings of a Vault.
    pub vault: VaultConfig,
}

/// A HashiCorp Vault or an OpenBao. Its token is read from `VAULT_TOKEN`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct VaultConfig {
    /// Its address; `VAULT_ADDR` if left out.
    pub address: Option<String>,
    /// The mount of the key-value engine, version 2; `secret` if left out.
    pub mount: Option<String>,
    /// The path below the mount; `venuekit` if left out.
    pub prefix: Option<String>,
    /// The namespace, where there are any; `VAULT_NAMESPACE` if left out.
    pub namespace: Option<String>,
}

/// One environment of a venue, and the key to use there.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Profile {
    /// The venue.
    pub venue: Venue,
    /// Its environment, such as `demo`, or `local` for a server on this machine.
    pub environment: String,
    /// Another server for that environment.
    pub base_url: Option<String>,
    /// The key to use.
    pub key: Option<KeySource>,
    /// Seconds that a call may take, with all its attempts; 60 if left out.
    pub timeout: Option<Seconds>,
    /// The proxy that calls are tunnelled through, as `http://HOST:PORT`.
    pub proxy: Option<Proxy>,
    /// Ids of keys that are managed elsewhere: `keys report` does not report that they are not stored here.
    #[serde(default)]
    pub known_keys: Vec<String>,
}

/// Where a key comes from: the name of a stored one, or a place outside of the store.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected the name of a stored key, or a table with `variables`, or with `pem` and `id`")]
pub enum KeySource {
    /// The name of a stored key, or its whole reference.
    Stored(String),
    /// A place outside of the store.
    Elsewhere(Elsewhere),
}

/// A key that is not in the store. Only where it is stands here, never the key itself.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Elsewhere {
    /// A private key as a PEM file, for venues that accept key pairs.
    pub pem: Option<PathBuf>,
    /// The id that the venue gave to that key.
    pub id: Option<String>,
    /// How the names of the environment variables begin, in place of `VENUE_ENVIRONMENT`.
    pub variables: Option<String>,
}

impl Profile {
    /// How calls get to the venue.
    pub fn network(&self) -> Network {
        Network { timeout: self.timeout, proxy: self.proxy.clone() }
    }
}

impl KeySource {
    /// Where the key is, in words. What is a key itself is not shown.
    pub fn shown(&self) -> String {
        match self {
            Self::Stored(name) if is_key_text(name) => "[redacted]".to_owned(),
            Self::Stored(name) => name.clone(),
            Self::Elsewhere(Elsewhere { variables: Some(prefix), .. }) => format!("{prefix}_*"),
            Self::Elsewhere(Elsewhere { pem: Some(pem), .. }) => pem.display().to_string(),
            Self::Elsewhere(_) => "-".to_owned(),
        }
    }
}

impl Elsewhere {
    /// What it must consist of.
    pub const PARTS: &str = "the profile's key is `variables`, or `pem` together with `id`";

    /// Whether it consists of that.
    pub fn is_whole(&self) -> bool {
        matches!((&self.variables, &self.pem, &self.id), (Some(_), None, None) | (None, Some(_), Some(_)))
    }
}
