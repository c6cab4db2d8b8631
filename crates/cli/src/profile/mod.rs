//! The configuration: `~/.config/venuekit/config.toml`.

mod read;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Subcommand;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

pub use self::read::{default_path, load};
use crate::args::StoreKind;
use crate::context::{self, Context};
use crate::credential::is_key_text;
use crate::failure::Failure;
use crate::network::{Network, Proxy, Seconds};
use crate::subject::Subject;
use crate::target::Target;
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
    /// A private key as a PEM file, for Kalshi and Deribit.
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

    /// Where it goes, or what is wrong with it.
    fn target(&self) -> Result<Target, String> {
        let base_url = self.base_url.clone().or_else(|| context::local_url(&self.environment));
        let target = Target::new(self.venue, &self.environment, base_url.as_deref());
        let target = target.map_err(|failure| failure.message().to_owned())?;
        match &self.key {
            Some(KeySource::Stored(name)) if name.contains('/') => {
                let key: Subject = name.parse()?;
                if key.venue.of_keys() != self.venue.of_keys() || key.environment.as_ref() != Some(&self.environment) {
                    return Err(format!("its key {name} is not of {}/{}", self.venue, self.environment));
                }
            }
            Some(KeySource::Elsewhere(place)) if !place.is_whole() => return Err(Elsewhere::PARTS.to_owned()),
            _ => {}
        }
        Ok(target)
    }
}

impl KeySource {
    /// Where the key is, in words. What is a key itself is not shown.
    fn shown(&self) -> String {
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
    /// What it has to say.
    pub const PARTS: &str = "the profile's key is `variables`, or `pem` together with `id`";

    fn is_whole(&self) -> bool {
        matches!((&self.variables, &self.pem, &self.id), (Some(_), None, None) | (None, Some(_), Some(_)))
    }
}

/// What can be done with the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print the JSON Schema of the configuration file
    Schema,
    /// Print where the configuration is, and its profiles
    Show,
    /// Print an example to begin with
    Example,
}

const EXAMPLE: &str = include_str!("example.toml");

/// `venuekit config`.
pub fn run(context: &Context, command: &ConfigCommand) -> Result<(), Failure> {
    let out = context.out();
    match command {
        ConfigCommand::Schema => {
            let schema = schemars::schema_for!(Config);
            match out.is_json() {
                true => out.document(&schema),
                false => out.line(&serde_json::to_string_pretty(&schema).unwrap_or_default()),
            }
        }
        ConfigCommand::Example => match out.is_json() {
            true => out.document(&json!({ "example": EXAMPLE })),
            false => out.raw(EXAMPLE),
        },
        ConfigCommand::Show => show(context),
    }
    Ok(())
}

fn show(context: &Context) {
    let (out, path) = (context.out(), context.config_path());
    let found = if path.exists() { "" } else { " (not there)" };
    out.step("config", &format!("{}{found}", path.display()));
    out.step("store", &context.store_shown());
    let profiles = context.config().profiles.iter();
    let shown: Vec<_> = profiles.map(|(name, profile)| (name, profile, profile.target())).collect();
    let rows: Vec<Vec<String>> = shown
        .iter()
        .map(|(name, profile, target)| {
            let server = target.as_ref().map_or("-", |target| &target.base_url);
            let key = profile.key.as_ref().map_or_else(|| "-".to_owned(), KeySource::shown);
            vec![name.to_string(), profile.venue.to_string(), profile.environment.clone(), server.to_owned(), key]
        })
        .collect();
    if !rows.is_empty() {
        out.line("");
        out.table(&["profile", "venue", "environment", "server", "key"], &rows);
    }
    for (name, _, target) in &shown {
        if let Err(fault) = target {
            out.note(&format!("profile {name}: {fault}"));
        }
    }
    let profiles: Vec<_> = shown
        .iter()
        .map(|(name, profile, target)| {
            let (url, fault) = (target.as_ref().ok().map(|target| &target.base_url), target.as_ref().err());
            json!({"name": name, "venue": profile.venue.name(), "environment": profile.environment,
                "key": profile.key.as_ref().map(KeySource::shown), "base_url": url, "timeout": profile.timeout,
                "proxy": profile.proxy.as_ref().map(ToString::to_string), "known_keys": profile.known_keys, "fault": fault})
        })
        .collect();
    out.document(
        &json!({"config": path, "exists": path.exists(), "store": context.store_shown(), "profiles": profiles}),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_keeps_to_the_schema_and_is_read() {
        let config: Config = toml::from_str(EXAMPLE).unwrap();
        assert!(config.profiles.len() >= 3);
        for profile in config.profiles.values() {
            assert!(profile.target().is_ok(), "{profile:?}");
        }
        let schema = serde_json::to_value(schemars::schema_for!(Config)).unwrap();
        let profile = &schema["$defs"]["Profile"];
        assert_eq!(profile["additionalProperties"], false);
        assert!(profile["properties"]["base-url"].is_object() && profile["required"][0] == "venue", "{profile}");
    }
    #[test]
    fn a_profile_that_goes_nowhere_says_why() {
        for (key, said) in [
            ("{ id = 'a' }", "`pem` together with `id`"),
            ("{ pem = 'a', variables = 'B' }", "`pem` together with `id`"),
            ("'kalshi/production/bot'", "is not of kalshi/demo"),
            ("'deribit/demo/bot'", "has no environment"),
        ] {
            let text = format!("venue = 'kalshi'\nenvironment = 'demo'\nkey = {key}");
            let fault = toml::from_str::<Profile>(&text).unwrap().target().unwrap_err();
            assert!(fault.contains(said), "{fault}");
        }
    }
}
