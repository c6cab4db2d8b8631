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
mod when;

use crate::context::Context;
use crate::failure::Failure;

/// The `keys` commands.
#[derive(clap::Subcommand, Debug)]
#[command(after_help = AFTER_HELP, defer = true)]
pub enum KeysCommand {
    /// Make a key: its secret is stored before anything else, and a signed call proves it
    Create(create::CreateArgs),
    /// List an account's keys, at the venue and in the store
    List(list::ListArgs),
    /// Show what is stored of a key, but its secret
    Show(show::ShowArgs),
    /// Make a signed call with a stored key
    Verify(show::VerifyArgs),
    /// Put a new key in the place of a stored one: verified, handed over, and only then is the old one revoked
    Rotate(rotate::RotateArgs),
    /// Change the scopes or addresses of a key, and compare what the venue shows of it
    Edit(edit::EditArgs),
    /// End a key, and prove that it fails
    Revoke(revoke::RevokeArgs),
    /// Store a key that was made elsewhere, once it has signed a call
    Adopt(adopt::AdoptArgs),
    /// Write a stored key's secret to a file, or to standard output by `--to -`
    Export(export::ExportArgs),
    /// Report age, scopes, expiry and use of all keys
    Report(report::ReportArgs),
    /// Continue a run that was interrupted, or give it up
    Resume(resume::ResumeArgs),
    /// Remove a key from the store only; nothing is sent to the venue
    Forget(revoke::ForgetArgs),
}

const AFTER_HELP: &str = "\
The first `create` makes the store, and asks twice for its new passphrase. A run that was interrupted goes on with `venuekit keys resume`. No secret is printed but by `export --to -`.

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
