//! What the command's configuration says of the store. Whatever else it says is the command's own.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::Error;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Config {
    pub(super) store: StoreConfig,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct StoreConfig {
    pub(super) kind: Option<Kind>,
    pub(super) path: Option<PathBuf>,
    pub(super) identity: Option<PathBuf>,
    pub(super) vault: VaultConfig,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct VaultConfig {
    pub(super) address: Option<String>,
    pub(super) mount: Option<String>,
    pub(super) prefix: Option<String>,
    pub(super) namespace: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    File,
    Keyring,
    Vault,
}

impl Config {
    /// The configuration; an empty one where there is no file, unless its name was given. Paths in it begin at its folder.
    pub(super) fn load(path: &Path, is_given: bool) -> Result<Self, Error> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound && !is_given => return Ok(Self::default()),
            Err(error) => return Err(Error::usage(format!("{}: {error}", path.display()))),
        };
        let mut config: Self = toml::from_str(&text).map_err(|error| {
            // Its message quotes what is there, which may be a secret in the wrong place.
            let at = error.span().map_or(0, |span| span.start).min(text.len());
            let line = text[..at].matches('\n').count() + 1;
            Error::usage(format!("{}:{line}: cannot be read; `venuekit config show` says why", path.display()))
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for place in [&mut config.store.path, &mut config.store.identity].into_iter().flatten() {
            *place = match place.strip_prefix("~") {
                Ok(below) => etcetera::home_dir().map(|home| home.join(below)).map_err(|_| {
                    Error::usage(format!("{}: a path begins with ~, and there is no home folder", path.display()))
                })?,
                Err(_) => folder.join(&place),
            };
        }
        Ok(config)
    }
}
