//! The command line.

use clap::{Command as Line, CommandFactory, Parser, Subcommand};
use clap_complete::engine::ArgValueCompleter;

use crate::commands::call::CallArgs;
use crate::commands::config::ConfigCommand;
use crate::commands::describe::DescribeArgs;
use crate::commands::doctor::DoctorArgs;
use crate::commands::keys::KeysCommand;
use crate::commands::manual::{CompletionsArgs, ManArgs};
use crate::commands::sign::SignArgs;
use crate::commands::totp::TotpCommand;
use crate::commands::verify::VerifyArgs;
use crate::commands::watch::WatchArgs;
use crate::complete;
use crate::options::Global;
use crate::sandbox::SandboxArgs;

/// API keys that cannot be lost or leaked, and every operation of Bayse, Binance, Bybit, Deribit, Kalshi and Yativo by its
/// name.
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
5 a person must act, 6 store or credentials, 7 network or venue down, 8 a check found a problem, 70 internal.";

/// The whole command line, with what a shell completes.
pub fn command_line() -> Line {
    // The options themselves know no venue.
    Cli::command().mut_arg("env", |env| env.add(ArgValueCompleter::new(complete::environments)))
}

/// What the command can do. What a command takes is put together when it is the one that was called (`defer`): a doc comment on its type
/// would then replace the line of the command in its help.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Command {
    /// Create, list, verify, rotate and revoke API keys
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Find out why a key does not work
    Doctor(DoctorArgs),
    /// Call any operation of a venue, checked before it is sent
    Call(CallArgs),
    /// Show the operations of a venue, or the parameters and response of one
    Describe(DescribeArgs),
    /// Watch a venue's streams: trades, prices, order books, orders
    Watch(WatchArgs),
    /// Sign a request: its headers, and the exact text that was signed
    Sign(SignArgs),
    /// Find out which part of a signature is wrong
    VerifySignature(VerifyArgs),
    /// Run a local sandbox of all venues
    Sandbox(SandboxArgs),
    /// Store the seed of one-time codes (TOTP)
    #[command(subcommand)]
    Totp(TotpCommand),
    /// Show the configuration, or its schema
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print a shell completion script
    Completions(CompletionsArgs),
    /// Print the manual page
    Man(ManArgs),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each command with the line that says what it does.
    fn lines(command: &Line, above: &str, found: &mut Vec<(String, String)>) {
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            let name = format!("{above} {}", inner.get_name());
            found.push((name.clone(), inner.get_about().map(ToString::to_string).unwrap_or_default()));
            lines(inner, &name, found);
        }
    }

    #[test]
    fn what_a_command_takes_leaves_its_line_alone() {
        let (mut command, mut before, mut after) = (command_line(), Vec::new(), Vec::new());
        lines(&command, "", &mut before);
        command.build();
        lines(&command, "", &mut after);
        assert!(before.len() > 25 && before.iter().all(|(_, line)| !line.is_empty()), "{before:?}");
        assert_eq!(before, after);
    }
}
