//! The `keys` commands.

mod account_client;
mod adopt;
mod create;
mod edit;
mod export;
mod failure;
mod list;
mod operator;
mod report;
mod resume;
mod revoke;
mod rotate;
mod show;
mod values;

use crate::context::Context;
use crate::failure::Failure;

/// The `keys` commands.
#[derive(clap::Subcommand, Debug)]
#[command(after_help = AFTER_HELP, defer = true)]
pub enum KeysCommand {
    /// Create a key: its secret is stored before anything else, and a signed call verifies it
    Create(create::CreateArgs),
    /// List an account's keys, at the venue and in the store
    List(list::ListArgs),
    /// Show what is stored for a key, except its secret
    Show(show::ShowArgs),
    /// Make a signed call with a stored key
    Verify(show::VerifyArgs),
    /// Replace a stored key: the new one is verified and handed over before the old one is revoked
    Rotate(rotate::RotateArgs),
    /// Replace the scopes or addresses of a key, and check what the venue shows afterwards
    Edit(edit::EditArgs),
    /// Revoke a key, and verify that the venue rejects it
    Revoke(revoke::RevokeArgs),
    /// Store a key that was created elsewhere, once it has signed a call
    Adopt(adopt::AdoptArgs),
    /// Write a stored key's secret to a file, or to standard output with `--to -`
    Export(export::ExportArgs),
    /// Report age, scopes, expiry and use of all keys
    Report(report::ReportArgs),
    /// Continue a run that was interrupted, or abandon it
    Resume(resume::ResumeArgs),
    /// Remove a key from the store only; nothing is sent to the venue
    Forget(revoke::ForgetArgs),
}

const AFTER_HELP: &str = "\
The first `create` creates the store, and asks twice for its new passphrase. A run that was interrupted is continued by `venuekit keys resume`. Only `export --to -` prints a secret.

Examples:
  venuekit keys create kalshi/demo/bot --scope read --scope write::trade
  venuekit keys rotate kalshi/demo/bot --hand-over 'systemctl restart bot'
  venuekit keys revoke kalshi/demo/bot
  venuekit keys report";

/// `venuekit keys`.
pub async fn run(context: &Context, command: KeysCommand) -> Result<(), Failure> {
    match command {
        KeysCommand::Create(arguments) => create::run(context, &arguments).await,
        KeysCommand::List(arguments) => list::run(context, &arguments).await,
        KeysCommand::Show(arguments) => show::run(context, &arguments).await,
        KeysCommand::Verify(arguments) => show::verify(context, &arguments).await,
        KeysCommand::Rotate(arguments) => rotate::run(context, &arguments).await,
        KeysCommand::Edit(arguments) => edit::run(context, &arguments).await,
        KeysCommand::Revoke(arguments) => revoke::run(context, &arguments).await,
        KeysCommand::Adopt(arguments) => adopt::run(context, &arguments).await,
        KeysCommand::Export(arguments) => export::run(context, &arguments).await,
        KeysCommand::Report(arguments) => report::run(context, &arguments).await,
        KeysCommand::Resume(arguments) => resume::run(context, &arguments).await,
        KeysCommand::Forget(arguments) => revoke::forget(context, &arguments).await,
    }
}
