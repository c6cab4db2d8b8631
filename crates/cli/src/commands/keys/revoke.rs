//! `venuekit keys revoke` and `forget`.

use clap::Args;
use serde_json::json;
use venuekit_keys::{Revoke, Target as Ends, Task};

use super::account_client::{AccountClient, FamilyArgs, show_steps};
use super::operator::CliOperator;
use crate::context::Context;
use crate::failure::Failure;
use crate::subject::Subject;

#[derive(Args, Debug)]
pub struct RevokeArgs {
    /// VENUE/ENVIRONMENT/NAME for a stored key; VENUE/ENVIRONMENT with --id for any other
    subject: Subject,
    /// Name in the store
    #[arg(long, conflicts_with = "id")]
    name: Option<String>,
    /// The key's id as the list shows it, for one that is not in the store
    #[arg(long, allow_hyphen_values = true)]
    id: Option<String>,
    #[command(flatten)]
    family: FamilyArgs,
    /// Revoke it even if it manages the account
    #[arg(long)]
    last: bool,
    /// Show what would be done; nothing is changed
    #[arg(long)]
    dry_run: bool,
}

/// `venuekit keys revoke`.
pub async fn run(context: &Context, arguments: &RevokeArgs) -> Result<(), Failure> {
    let mut client = AccountClient::open(context, &arguments.subject)?.of_family(&arguments.family)?;
    let (ends, reference) = match (&arguments.id, &arguments.subject.name) {
        (Some(_), Some(_)) => {
            return Err(Failure::usage("--id is for a key that is not in the store: omit its name"));
        }
        (Some(id), None) => (Ends::Listed(id.clone()), None),
        (None, _) => {
            let reference = client.reference(&arguments.subject, arguments.name.as_deref())?;
            (Ends::Stored(reference.clone()), Some(reference))
        }
    };
    if let Some(reference) = &reference {
        client = client.of_stored(reference).await?;
    }
    let manager = client.manager(reference.as_ref()).await?;
    if !arguments.dry_run {
        if let Some(reference) = &reference {
            context.keys().record(reference, None).await?;
        }
        let what = match (&reference, &arguments.id) {
            (Some(reference), _) => reference.to_string(),
            (None, id) => format!("{} of {}", id.as_deref().unwrap_or_default(), client.account),
        };
        context.confirm(&format!("Revoke the key {what} permanently?"))?;
    }
    let task = Task::Revoke(Revoke { target: ends, last: arguments.last });
    let person = CliOperator::new(context, &client.target, None);
    client.run(task, &manager, &person, arguments.dry_run).await
}

#[derive(Args, Debug)]
pub struct ForgetArgs {
    /// VENUE/ENVIRONMENT/NAME
    subject: Subject,
    /// Show what would be done; nothing is changed
    #[arg(long)]
    dry_run: bool,
}

/// `venuekit keys forget`.
pub async fn forget(context: &Context, arguments: &ForgetArgs) -> Result<(), Failure> {
    context.check_key(&arguments.subject)?;
    let client = AccountClient::reading(context, &arguments.subject)?;
    let reference = client.reference(&arguments.subject, None)?;
    let out = context.out();
    // A record that cannot be read is listed, and may be removed.
    if !context.keys().to_read()?.list().await?.contains(&reference) {
        context.keys().record(&reference, None).await?;
    }
    if arguments.dry_run {
        let step = format!("remove {reference} and its secret from the store; the venue still accepts the key");
        show_steps(out, &[step], &[]);
        return Ok(());
    }
    context.confirm(&format!(
        "Remove {reference} from the store? Its secret is deleted; the venue still accepts the key."
    ))?;
    client.engine.forget(&client.account, &reference).await?;
    out.step("forgotten", &reference.to_string());
    out.document(&json!({ "forgotten": reference.to_string() }));
    Ok(())
}
