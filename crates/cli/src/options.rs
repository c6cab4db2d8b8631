//! The options of all commands, as values.

use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, ValueEnum, ValueHint};

use crate::network::Network;
use crate::number;

/// Options of all commands.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The profile to use; one with the venue's name is used by default
    #[arg(long, global = true, value_name = "NAME", env = "VENUEKIT_PROFILE")]
    pub profile: Option<String>,
    /// The configuration file [default: ~/.config/venuekit/config.toml]
    #[arg(long, global = true, value_name = "FILE", env = "VENUEKIT_CONFIG", value_parser = path(), value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// The environment: production, demo, test, sandbox, or local for a server on this machine
    #[arg(long, global = true, value_name = "ENVIRONMENT", env = "VENUEKIT_ENV")]
    pub env: Option<String>,
    /// Another server for that environment, such as a sandbox or a proxy
    #[arg(long, global = true, value_name = "URL")]
    pub base_url: Option<String>,
    /// The stored key to use
    #[arg(long, global = true, value_name = "NAME|VENUE/ENV/NAME", env = "VENUEKIT_KEY")]
    pub key: Option<String>,
    /// Where keys are stored
    #[arg(long, global = true, value_name = "KIND")]
    pub store: Option<StoreKind>,
    /// The encrypted file of the store [default: ~/.local/share/venuekit/keys.age]
    #[arg(long, global = true, value_name = "FILE", env = "VENUEKIT_STORE_FILE", value_parser = path(), value_hint = ValueHint::FilePath)]
    pub store_file: Option<PathBuf>,
    /// An age identity that opens the store instead of a passphrase
    #[arg(long, global = true, value_name = "FILE", env = "VENUEKIT_IDENTITY", value_parser = path(), value_hint = ValueHint::FilePath)]
    pub identity: Option<PathBuf>,
    /// Read the store's passphrase from this file descriptor
    #[arg(long, global = true, value_name = "N", value_parser = number::descriptor)]
    pub passphrase_fd: Option<u32>,
    /// Read the passphrase of an encrypted private key from this file descriptor
    #[arg(long, global = true, value_name = "N", value_parser = number::descriptor)]
    pub pem_passphrase_fd: Option<u32>,
    /// Read one-time codes from this file descriptor, one per line
    #[arg(long, global = true, value_name = "N", value_parser = number::descriptor)]
    pub totp_fd: Option<u32>,
    /// How calls get to the venue.
    #[command(flatten)]
    pub network: Network,
    /// One JSON document on standard output, errors as JSON on standard error
    #[arg(long, global = true)]
    pub json: bool,
    /// Do not ask for confirmation
    #[arg(long, short = 'y', global = true)]
    pub yes: bool,
}

/// Any path. An empty one is that of a variable that was set to nothing, and counts as absent.
fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

impl Global {
    /// The same with empty values left out: a variable that is set to nothing counts as unset.
    #[must_use]
    pub fn without_blanks(self) -> Self {
        let text = |said: Option<String>| said.filter(|text| !text.is_empty());
        let path = |said: Option<PathBuf>| said.filter(|path| !path.as_os_str().is_empty());
        Self {
            profile: text(self.profile),
            config: path(self.config),
            env: text(self.env),
            key: text(self.key),
            store_file: path(self.store_file),
            identity: path(self.identity),
            ..self
        }
    }
}

/// Where keys are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StoreKind {
    /// An encrypted file.
    File,
    /// The keyring of the operating system.
    Keyring,
    /// HashiCorp Vault or OpenBao.
    Vault,
}

/// Where an option's value comes from: the command line, or the variable of the same meaning.
fn source_of(option: &'static str, variable: &'static str) -> &'static str {
    let is_typed = std::env::args_os().any(|argument| {
        let argument = argument.to_string_lossy();
        argument.strip_prefix(option).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    });
    if is_typed { option } else { variable }
}

/// What names the key that is not part of what the command is about.
pub fn key_source() -> &'static str {
    source_of("--key", "VENUEKIT_KEY")
}

/// What names the environment.
pub fn env_source() -> &'static str {
    source_of("--env", "VENUEKIT_ENV")
}

/// What names the store's file.
pub fn store_file_source() -> &'static str {
    source_of("--store-file", "VENUEKIT_STORE_FILE")
}
