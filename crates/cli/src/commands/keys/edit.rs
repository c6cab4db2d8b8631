//! `venuekit keys edit`.

use std::net::IpAddr;

use clap::Args;
use venuekit_keys::{Edited, KeyEdit, Target as Which};

use super::account_client::{AccountClient, FamilyArgs, printed, show_steps};
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
    /// Name in the store
    #[arg(long, conflicts_with = "id")]
    name: Option<String>,
    /// The key's id as the list shows it, for one that is not in the store
    #[arg(long, allow_hyphen_values = true)]
    id: Option<String>,
    /// A scope; replaces all current scopes. Repeatable
    #[arg(long = "scope", value_name = "SCOPE", value_parser = values::scope)]
    scopes: Vec<String>,
    /// An IP address that the key may be used from; replaces all current addresses. Repeatable
    #[arg(long = "address", value_name = "IP", conflicts_with = "any_address")]
    addresses: Vec<IpAddr>,
    /// Remove the address restriction
    #[arg(long)]
    any_address: bool,
    #[command(flatten)]
    family: FamilyArgs,
    /// Show what would be done; nothing is changed
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
            return Err(Failure::usage("--id is for a key that is not in the store: omit its name"));
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
    let about = match &which {
        Which::Stored(reference) => Some(reference),
        Which::Listed(_) => None,
    };
    let manager = client.manager(about).await?;
    let person = CliOperator::new(context, &client.target, None);
    // `--yes` has no use for the question, and a venue that asks for a one-time code would ask once more.
    if arguments.dry_run || !context.global().yes {
        let now = client.engine.before_edit(&client.account, &which, &edit, &manager, &person).await;
        let now = now.map_err(|error| client.explained(error, &manager))?;
        let parts = parts(&edit, &now);
        if arguments.dry_run {
            let steps: Vec<String> = parts.iter().map(|part| part.step(&what)).collect();
            let warnings: Vec<String> = parts.iter().filter_map(|part| part.warning(&what)).collect();
            show_steps(out, &steps, &warnings);
            return Ok(());
        }
        let questions: Vec<String> = parts.iter().map(|part| part.question(&what)).collect();
        context.confirm(&questions.join(" "))?;
    }
    let edited = client.engine.edit(&client.account, &which, &edit, &manager, &person).await;
    let edited = edited.map_err(|error| client.explained(error, &manager))?;
    out.step("edited", &what);
    out.step("scopes", &listed(&edited.scopes, "-"));
    out.step("addresses", &listed(&edited.addresses, "any"));
    out.document(&edited);
    printed(out, &format!("{what} was edited"), &client.account.to_string())
}

/// One part of a key that is replaced.
struct Part<'a> {
    name: &'static str,
    /// What stands for an empty list.
    none: &'static str,
    before: &'a [String],
    after: &'a [String],
}

fn parts<'a>(edit: &'a KeyEdit, now: &'a Edited) -> Vec<Part<'a>> {
    let of = |name, none, before: &'a [String], after: &'a Option<Vec<String>>| {
        after.as_deref().map(|after| Part { name, none, before, after })
    };
    let all =
        [of("scopes", "none", &now.scopes, &edit.scopes), of("addresses", "any", &now.addresses, &edit.addresses)];
    all.into_iter().flatten().collect()
}

impl Part<'_> {
    fn question(&self, what: &str) -> String {
        let Self { name, none, before, after } = self;
        format!("Replace the {name} of {what}: now {}; afterwards {}?", listed(before, none), listed(after, none))
    }

    fn step(&self, what: &str) -> String {
        let Self { name, none, before, after } = self;
        format!("replace the {name} of {what}: {} -> {}", listed(before, none), listed(after, none))
    }

    /// What the key loses.
    fn warning(&self, what: &str) -> Option<String> {
        let lost: Vec<String> = self.before.iter().filter(|one| !self.after.contains(one)).cloned().collect();
        let loses = !lost.is_empty() && !self.after.is_empty();
        loses.then(|| format!("{what} loses the {}: {}", self.name, lost.join(" ")))
    }
}

/// Texts as a line.
fn listed(texts: &[String], none: &str) -> String {
    if texts.is_empty() { none.to_owned() } else { texts.join(" ") }
}
