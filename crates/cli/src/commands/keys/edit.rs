//! `venuekit keys edit`.

use std::net::IpAddr;

use clap::Args;
use serde_json::json;
use venuekit_keys::{KeyEdit, Target as Which};

use super::account_client::{AccountClient, FamilyArgs};
use super::operator::CliOperator;
use super::values;
use crate::context::Context;
use crate::failure::Failure;
use crate::scopes::note_unknown;
use crate::subject::Subject;

#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("change").required(true).multiple(true).args(["scopes", "addresses", "any_address"]))]
pub struct EditArgs {
    /// VENUE/ENVIRONMENT/NAME for a stored key; VENUE/ENVIRONMENT with --id for any other
    subject: Subject,
    /// What it is called in the store
    #[arg(long, conflicts_with = "id")]
    name: Option<String>,
    /// The key's id as the list shows it, for one that is not in the store
    #[arg(long, allow_hyphen_values = true)]
    id: Option<String>,
    /// A permission that it is to have, in place of all that it has; several times for several
    #[arg(long = "scope", value_name = "SCOPE", value_parser = values::scope)]
    scopes: Vec<String>,
    /// An IP address that it may be used from, in place of those that it is bound to; several times for several
    #[arg(long = "address", value_name = "IP", conflicts_with = "any_address")]
    addresses: Vec<IpAddr>,
    /// Bind it to no address
    #[arg(long)]
    any_address: bool,
    #[command(flatten)]
    family: FamilyArgs,
    /// Say what would be done; nothing is changed
    #[arg(long)]
    dry_run: bool,
}

impl EditArgs {
    fn edit(&self) -> KeyEdit {
        let mut edit = KeyEdit::new();
        if !self.scopes.is_empty() {
            edit = edit.scopes(&self.scopes);
        }
        if self.any_address || !self.addresses.is_empty() {
            edit = edit.addresses(self.addresses.iter().map(ToString::to_string));
        }
        edit
    }
}

/// `venuekit keys edit`.
pub async fn run(context: &Context, arguments: &EditArgs) -> Result<(), Failure> {
    let mut client = AccountClient::open(context, &arguments.subject)?.of_family(&arguments.family)?;
    let (which, what) = match (&arguments.id, &arguments.subject.name) {
        (Some(_), Some(_)) => {
            return Err(Failure::usage("--id is for a key that is not in the store: leave its name out"));
        }
        (Some(id), None) => (Which::Listed(id.clone()), format!("{id} of {}", client.account)),
        (None, _) => {
            let reference = client.reference(&arguments.subject, arguments.name.as_deref())?;
            client = client.of_stored(&reference).await?;
            let what = reference.to_string();
            (Which::Stored(reference), what)
        }
    };
    let edit = arguments.edit();
    if client.account.family.is_none() {
        note_unknown(context.out(), client.target.venue, &arguments.scopes);
    }
    let out = context.out();
    if arguments.dry_run {
        for (part, texts) in [("scopes", &edit.scopes), ("addresses", &edit.addresses)] {
            if let Some(texts) = texts {
                out.step("would", &format!("set the {part} of {what} to: {}", listed(texts, "any")));
            }
        }
        out.document(&json!({ "would_edit": what, "scopes": edit.scopes, "addresses": edit.addresses }));
        return Ok(());
    }
    let about = match &which {
        Which::Stored(reference) => Some(reference),
        Which::Listed(_) => None,
    };
    let manager = client.manager(about).await?;
    let person = CliOperator::new(context, &client.target, None);
    let edited = client.engine.edit(&client.account, &which, &edit, &manager, &person).await?;
    out.step("edited", &what);
    out.step("scopes", &listed(&edited.scopes, "-"));
    out.step("addresses", &listed(&edited.addresses, "any"));
    out.document(&edited);
    Ok(())
}

/// Texts as a line.
fn listed(texts: &[String], none: &str) -> String {
    if texts.is_empty() { none.to_owned() } else { texts.join(" ") }
}
