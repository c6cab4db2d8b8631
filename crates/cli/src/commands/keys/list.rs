//! `venuekit keys list`.

use clap::Args;
use venuekit_keys::record::State;
use venuekit_keys::{Account, Line, Reference, Venue as KeyVenue};

use super::account_client::{AccountClient, FamilyArgs};
use super::operator::CliOperator;
use crate::context::Context;
use crate::failure::Failure;
use crate::subject::Subject;
use crate::when;

#[derive(Args, Debug)]
pub struct ListArgs {
    /// VENUE or VENUE/ENVIRONMENT; all that is stored by default
    subject: Option<Subject>,
    /// Only what is stored; no request is sent
    #[arg(long)]
    stored: bool,
    #[command(flatten)]
    family: FamilyArgs,
}

/// `venuekit keys list`.
pub async fn run(context: &Context, arguments: &ListArgs) -> Result<(), Failure> {
    let lines = match &arguments.subject {
        None => all_stored(context).await?,
        Some(subject) => {
            of_account(subject)?;
            let client = AccountClient::reading(context, subject)?.of_family(&arguments.family)?;
            if arguments.stored {
                client.engine.stored(&client.account).await?
            } else {
                let manager = client.manager(None).await?;
                let person = CliOperator::new(context, &client.target, None);
                let listed = client.engine.list(&client.account, &manager, &person).await;
                listed.map_err(|error| client.explained(error, &manager))?
            }
        }
    };
    let rows: Vec<Vec<String>> = lines.iter().map(row).collect();
    if rows.is_empty() {
        context.out().line(&context.no_keys());
    } else {
        context.out().table(&["stored as", "name", "id", "created", "scopes", "state"], &rows);
    }
    for why in lines.iter().filter_map(|line| line.unreadable.as_deref()) {
        context.out().note(&format!("note: {why}"));
    }
    context.out().document(&serde_json::json!({ "keys": lines }));
    Ok(())
}

/// A key's name says too much where an account is meant.
pub fn of_account(subject: &Subject) -> Result<(), Failure> {
    if subject.name.is_none() {
        return Ok(());
    }
    let failure = Failure::usage(format!("`{subject}` is one key, and this is about an account"));
    Err(failure.help("omit the key's name; `venuekit keys show` is about one key"))
}

fn row(line: &Line) -> Vec<String> {
    let or_dash =
        |text: &Option<String>| text.clone().filter(|text| !text.is_empty()).unwrap_or_else(|| "-".to_owned());
    let state = match (line.live, &line.reference) {
        _ if line.unreadable.is_some() => "its record cannot be read",
        (_, Some(_)) if line.state == Some(State::Prepared) => "being made",
        (Some(true), Some(_)) if line.state == Some(State::Retiring) => "live, about to be revoked",
        (Some(true), Some(_)) => "live",
        (Some(true), None) => "live, not stored here",
        (Some(false), _) => line.status.as_deref().unwrap_or("not at the venue"),
        (None, _) => "stored",
    };
    let created = line.created.map_or_else(|| "-".to_owned(), when::day);
    vec![or_dash(&line.reference), or_dash(&line.name), or_dash(&line.id), created, permissions(line), state.to_owned()]
}

/// The scopes of a key, and what else limits it.
pub(super) fn permissions(line: &Line) -> String {
    let scopes = line.scopes.join(" ");
    match (scopes.is_empty(), line.restrictions.is_empty()) {
        (true, true) => "-".to_owned(),
        (false, true) => scopes,
        (_, false) => format!("{scopes} ({})", line.restrictions.join(", ")),
    }
}

/// Everything in the store, account by account.
async fn all_stored(context: &Context) -> Result<Vec<Line>, Failure> {
    let engine = context.keys().engine(context.keys().to_read()?);
    let mut lines = Vec::new();
    for account in stored_accounts(context).await? {
        lines.extend(engine.stored(&account).await?);
    }
    Ok(lines)
}

/// The accounts that the store has keys of. Where they are served does not matter here.
pub async fn stored_accounts(context: &Context) -> Result<Vec<Account>, Failure> {
    let references = context.keys().to_read()?.list().await?;
    let mut accounts: Vec<(KeyVenue, String)> = references
        .into_iter()
        .filter(Reference::is_a_key)
        .map(|reference| (reference.venue, reference.environment))
        .collect();
    accounts.sort();
    accounts.dedup();
    let account = |(venue, environment)| Account { venue, environment, base_url: String::new(), family: None };
    Ok(accounts.into_iter().map(account).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_has_ended_is_called_what_the_venue_calls_it() {
        for (live, status, stored, said) in [
            (Some(false), Some("expired"), false, "expired"),
            (Some(false), Some("revoked"), true, "revoked"),
            (Some(false), None, true, "not at the venue"),
            (Some(true), Some("active"), false, "live, not stored here"),
        ] {
            let reference = stored.then(|| "yativo/local/bot".to_owned());
            let line = Line { live, status: status.map(str::to_owned), reference, ..Line::default() };
            assert_eq!(row(&line).last().unwrap(), said);
        }
    }
}
