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
    /// Name in the store
    #[arg(long)]
    name: Option<String>,
    /// A scope of the new key; by default it has those of the old one. Repeatable
    #[arg(long = "scope", value_name = "SCOPE", value_parser = values::scope)]
    scopes: Vec<String>,
    /// Where the secret is generated, and its kind; a shared secret is replaced by a shared secret
    #[arg(long, value_enum, default_value_t)]
    kind: Kind,
    /// Replace only the secret: the key keeps its id and restrictions, and the venue rejects the old secret at once
    #[arg(long)]
    in_place: bool,
    /// A command that hands the new key over to its consumer; the old one is revoked after exit code 0
    #[arg(long, value_name = "COMMAND", value_parser = values::command)]
    hand_over: Option<String>,
    /// Show what would be done; nothing is changed
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
            true => format!("Replace the secret of {reference}? The venue rejects the old one at once."),
            false => format!("Create a new key for {reference}, and revoke the old one after the hand-over?"),
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
