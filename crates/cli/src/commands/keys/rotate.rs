//! `venuekit keys rotate`.

use clap::Args;
use venuekit_keys::{Rotate, Task};

use super::account_client::AccountClient;
use super::create::Kind;
use super::operator::CliOperator;
use super::values;
use crate::context::Context;
use crate::failure::Failure;
use crate::scopes::{self, note_unknown};
use crate::subject::Subject;

#[derive(Args, Debug)]
#[command(after_help = scopes::help())]
pub struct RotateArgs {
    /// VENUE/ENVIRONMENT/NAME, or VENUE with --env and --name
    subject: Subject,
    /// What it is called in the store
    #[arg(long)]
    name: Option<String>,
    /// Permissions of the new key; those of the old one by default
    #[arg(long = "scope", value_name = "SCOPE", value_parser = values::scope)]
    scopes: Vec<String>,
    /// Who makes the secret; a shared secret is followed by a shared secret
    #[arg(long, value_enum, default_value_t)]
    kind: Kind,
    /// Give the key itself a new secret: it keeps its id and restrictions, and the old secret fails at once
    #[arg(long)]
    in_place: bool,
    /// A command that has the consumer take the new key over; its exit code 0 lets the old one be revoked
    #[arg(long, value_name = "COMMAND", value_parser = values::command)]
    hand_over: Option<String>,
    /// Say what would be done; nothing is changed
    #[arg(long)]
    dry_run: bool,
}

/// `venuekit keys rotate`.
pub async fn run(context: &Context, arguments: &RotateArgs) -> Result<(), Failure> {
    let client = AccountClient::open(context, &arguments.subject)?;
    let reference = client.reference(&arguments.subject, arguments.name.as_deref())?;
    let client = client.of_stored(&reference).await?;
    let manager = client.manager(Some(&reference)).await?;
    note_unknown(context.out(), client.target.venue, &arguments.scopes);
    if !arguments.dry_run {
        context.keys().record(&reference, None).await?;
        let question = match arguments.in_place {
            true => format!("Replace the secret of {reference}? The old one fails at once."),
            false => format!("Make a new key for {reference}, and revoke the old one when the new one was taken over?"),
        };
        context.confirm(&question)?;
    }
    let scopes = (!arguments.scopes.is_empty()).then(|| arguments.scopes.clone());
    let rotate = Rotate {
        reference,
        scopes,
        origin: arguments.kind.into(),
        in_place: arguments.in_place,
        by_command: arguments.hand_over.is_some(),
    };
    let person = CliOperator::new(context, &client.target, arguments.hand_over.as_deref());
    client.run(Task::Rotate(rotate), &manager, &person, arguments.dry_run).await
}
