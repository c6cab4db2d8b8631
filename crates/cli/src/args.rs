//! The command line.

use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::engine::ArgValueCompleter;

use crate::call::CallArgs;
use crate::complete;
use crate::describe::DescribeArgs;
use crate::doctor::DoctorArgs;
use crate::keys::KeysCommand;
use crate::manual::{CompletionsArgs, ManArgs};
use crate::network::Network;
use crate::number;
use crate::profile::ConfigCommand;
use crate::sandbox::SandboxArgs;
use crate::sign::SignArgs;
use crate::totp::TotpCommand;
use crate::verify::VerifyArgs;
use crate::watch::WatchArgs;

/// API keys that cannot be lost or leaked, and every operation of Bayse, Kalshi, Yativo and Deribit by its name.
#[derive(Debug, Parser)]
#[command(name = "venuekit", version, max_term_width = 120, propagate_version = true, subcommand_required = true)]
#[command(arg_required_else_help = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// What holds for all commands.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 refused by the venue, 2 wrong usage (nothing was sent), 3 not found, 4 outcome unknown, \
5 a person must act, 6 store or credentials, 7 network or venue down, 8 a fault was found, 70 internal.";

/// Options of all commands.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The profile to use; one with the venue's name is used unasked
    #[arg(long, global = true, value_name = "NAME", env = "VENUEKIT_PROFILE")]
    pub profile: Option<String>,
    /// The configuration file [default: ~/.config/venuekit/config.toml]
    #[arg(long, global = true, value_name = "FILE", env = "VENUEKIT_CONFIG", value_parser = path(), value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// The environment: production, demo, test, sandbox, or local for a server on this machine
    #[arg(long, global = true, value_name = "ENVIRONMENT", env = "VENUEKIT_ENV")]
    #[arg(add = ArgValueCompleter::new(complete::environments))]
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
    /// An age identity that opens the store, in place of a passphrase
    #[arg(long, global = true, value_name = "FILE", env = "VENUEKIT_IDENTITY", value_parser = path(), value_hint = ValueHint::FilePath)]
    pub identity: Option<PathBuf>,
    /// Read the store's passphrase from this file descriptor
    #[arg(long, global = true, value_name = "N", value_parser = number::descriptor)]
    pub passphrase_fd: Option<u32>,
    /// Read the passphrase of an encrypted private key from this file descriptor
    #[arg(long, global = true, value_name = "N")]
    pub pem_passphrase_fd: Option<u32>,
    /// Read one-time codes from this file descriptor, one a line
    #[arg(long, global = true, value_name = "N", value_parser = number::descriptor)]
    pub totp_fd: Option<u32>,
    /// How calls get to the venue.
    #[command(flatten)]
    pub network: Network,
    /// One JSON document on standard output, errors as JSON on standard error
    #[arg(long, global = true)]
    pub json: bool,
    /// Do not ask
    #[arg(long, short = 'y', global = true)]
    pub yes: bool,
}

/// Any path. An empty one is that of a variable that was set to nothing, and counts as none.
fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

impl Global {
    /// A variable that is set to nothing says nothing.
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

/// What the command can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create, list, verify, rotate and revoke API keys
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Find out why a key does not work
    Doctor(DoctorArgs),
    /// Call any operation of a venue, checked before it is sent
    Call(CallArgs),
    /// Show the operations of a venue, or what one takes and gives
    Describe(DescribeArgs),
    /// Show what a venue tells while it happens: trades, prices, order books, orders
    Watch(WatchArgs),
    /// Sign a request: its headers, and the exact text that was signed
    Sign(SignArgs),
    /// Say which part of somebody's signature is wrong
    VerifySignature(VerifyArgs),
    /// Run all venues on this machine
    Sandbox(SandboxArgs),
    /// Keep the seed of one-time codes in the store
    #[command(subcommand)]
    Totp(TotpCommand),
    /// Show the configuration, or its schema
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print what makes a shell complete commands, operations and parameters
    Completions(CompletionsArgs),
    /// Print the manual page
    Man(ManArgs),
}
