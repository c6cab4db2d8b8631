//! `venuekit keys report`: what a careful owner wants to know of all keys.

use std::collections::BTreeSet;

use clap::Args;
use serde::Serialize;
use venuekit_keys::{Line, Manager};
use venuekit_wire::UnixMillis;

use super::account_client::{AccountClient, FamilyArgs};
use super::list::{of_account, permissions, stored_accounts};
use super::operator::CliOperator;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::number;
use crate::subject::Subject;
use crate::venue::Venue;
use crate::when;

#[derive(Args, Debug)]
pub struct ReportArgs {
    /// VENUE or VENUE/ENVIRONMENT, repeatable; all accounts with stored keys by default
    subjects: Vec<Subject>,
    /// Report keys older than this
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = number::days)]
    max_age: i64,
    /// Report keys that expire sooner than this
    #[arg(long, value_name = "DAYS", default_value_t = 14, value_parser = number::days)]
    expires_within: i64,
    /// Report keys unused for longer than this, if the venue shows when a key was last used
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = number::days)]
    unused_for: i64,
    /// The id or name of a key that is managed elsewhere: it is not reported as not stored here. Repeatable
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    known: Vec<String>,
    /// Exit with 8 if there are findings
    #[arg(long)]
    check: bool,
}

/// One key, and what there is to say of it.
#[derive(Serialize)]
struct Reported {
    account: String,
    #[serde(flatten)]
    line: Line,
    age_days: Option<i64>,
    findings: Vec<String>,
}

/// An account that could not be asked.
#[derive(Serialize)]
struct NotQueried {
    account: String,
    error: String,
    help: Option<String>,
}

/// `venuekit keys report`.
pub async fn run(context: &Context, arguments: &ReportArgs) -> Result<(), Failure> {
    let (mut reported, mut not_queried) = (Vec::new(), Vec::new());
    for subject in subjects(context, arguments).await? {
        let account = subject.to_string();
        match ask(context, &subject).await {
            Ok((account, known, lines)) => {
                let is_known = |line: &Line| is_one_of(line, &known) || is_one_of(line, &arguments.known);
                reported.extend(
                    lines.into_iter().filter(|line| line.live != Some(false) || line.reference.is_some()).map(|line| {
                        let is_known = is_known(&line);
                        examine(subject.venue, &account, line, is_known, arguments, UnixMillis::now())
                    }),
                );
            }
            Err(failure) => {
                let (error, help) = (failure.message().to_owned(), failure.advice().map(str::to_owned));
                not_queried.push(NotQueried { account, error, help });
            }
        }
    }
    let out = context.out();
    if reported.is_empty() && not_queried.is_empty() {
        out.line(&context.no_keys());
    }
    if !reported.is_empty() {
        let rows: Vec<Vec<String>> = reported.iter().map(row).collect();
        out.table(&["account", "key", "age", "expires", "last used", "scopes", "findings"], &rows);
    }
    for one in &not_queried {
        let help = one.help.as_ref().map(|help| format!("\n help: {}", help.replace('\n', "\n       ")));
        out.note(&format!("{} could not be queried: {}{}", one.account, one.error, help.unwrap_or_default()));
    }
    out.document(&serde_json::json!({ "keys": reported, "not_asked": not_queried }));
    if reported.is_empty() && !not_queried.is_empty() {
        return Err(Failure::reported(Exit::Network));
    }
    let is_reported = !not_queried.is_empty() || reported.iter().any(|key| !key.findings.is_empty());
    if arguments.check && is_reported { Err(Failure::reported(Exit::Fault)) } else { Ok(()) }
}

async fn subjects(context: &Context, arguments: &ReportArgs) -> Result<Vec<Subject>, Failure> {
    if !arguments.subjects.is_empty() {
        for subject in &arguments.subjects {
            of_account(subject)?;
            context.target(subject)?;
        }
        return Ok(arguments.subjects.clone());
    }
    let accounts = stored_accounts(context).await?.into_iter();
    Ok(accounts
        .filter_map(|account| {
            let venue: Venue = account.venue.name().parse().ok()?;
            Some(Subject { venue, environment: Some(account.environment), name: None })
        })
        .collect())
}

/// The account, the keys that need not be stored here, and all of the account's keys.
async fn ask(context: &Context, subject: &Subject) -> Result<(String, Vec<String>, Vec<Line>), Failure> {
    let mut client = AccountClient::reading(context, subject)?;
    let manager = match client.manager(None).await {
        Ok(manager) => manager,
        Err(failure) => any_stored(&client).await?.ok_or(failure)?,
    };
    let target = client.target.clone();
    let person = CliOperator::new(context, &target, None);
    let listed = client.engine.list(&client.account, &manager, &person).await;
    let mut lines = listed.map_err(|error| client.explained(error, &manager))?;
    // Other families of keys are listed if a key of them is stored.
    let stored = client.engine.stored(&client.account).await?.into_iter().filter_map(|line| line.family);
    for family in stored.collect::<BTreeSet<String>>() {
        client = client.of_family(&FamilyArgs { family: Some(family) })?;
        let others = client.engine.list(&client.account, &manager, &person).await?;
        let is_known = |line: &Line| {
            line.unreadable.is_some() || lines.iter().any(|known| line.id.is_some() && known.id == line.id)
        };
        let others: Vec<Line> = others.into_iter().filter(|line| !is_known(line)).collect();
        lines.extend(others);
    }
    let mut known = context.profile_for(&client.target)?.map(|profile| profile.known_keys.clone()).unwrap_or_default();
    // What cannot be read there is reported by whatever uses it.
    let from_environment = context.credential_of_variables(&client.target).ok().flatten();
    known.extend(from_environment.as_ref().and_then(|found| found.public_id()).map(str::to_owned));
    if let Manager::Given(manager) = &manager {
        known.extend(manager.public_id().map(str::to_owned));
    }
    Ok((client.account.to_string(), known, lines))
}

/// Whether a key is named in a list, by its id or its name.
fn is_one_of(line: &Line, list: &[String]) -> bool {
    let names = [&line.id, &line.public_id, &line.name];
    names.into_iter().flatten().any(|name| list.contains(name))
}

/// A report may be asked for by any key of the account: the first that the store has.
async fn any_stored(client: &AccountClient<'_>) -> Result<Option<Manager>, Failure> {
    if client.target.venue.has_sessions() {
        return Ok(None);
    }
    let stored = client.engine.stored(&client.account).await?;
    let first =
        stored.into_iter().filter(|line| line.unreadable.is_none()).find_map(|line| line.reference?.parse().ok());
    Ok(first.map(Manager::Stored))
}

/// When a key ends for want of an address that it is bound to, at venues where that ends keys.
fn end_of_unbound(venue: Venue, line: &Line) -> Option<UnixMillis> {
    let days = venue.of_keys().keys()?.unbound_days?;
    let is_bound = line.restrictions.iter().any(|limit| limit.starts_with("address"));
    let created = line.created.filter(|_| !is_bound)?;
    Some(UnixMillis(created.get().saturating_add(i64::from(days) * when::DAY_MILLIS)))
}

fn examine(
    venue: Venue,
    account: &str,
    line: Line,
    is_known: bool,
    arguments: &ReportArgs,
    now: UnixMillis,
) -> Reported {
    let age_days = line.created.map(|created| when::days_between(created, now));
    let mut findings = Vec::new();
    let mut expires = |what: &str, at: Option<UnixMillis>| {
        let Some(left) = at.map(|at| when::days_between(now, at)) else { return };
        if left < 0 {
            findings.push(format!("{what} expired"));
        } else if left <= arguments.expires_within {
            findings.push(format!("{what} expires in {left} d"));
        }
    };
    expires("the key", line.expires);
    if line.expires.is_none() {
        expires("the key is not bound to an address and", end_of_unbound(venue, &line));
    }
    expires("the region attestation", line.attested_until);
    findings.extend(line.unreadable.clone());
    match line.live {
        Some(false) => findings.push(match &line.status {
            Some(status) => format!("{status} at the venue"),
            None => "not at the venue any more".to_owned(),
        }),
        _ if line.reference.is_none() && !is_known => findings.push("not stored here".to_owned()),
        _ => {}
    }
    if age_days.is_some_and(|age| age > arguments.max_age) {
        findings.push(format!("older than {} d", arguments.max_age));
    }
    let idle = line.last_used.map(|used| when::days_between(used, now));
    if line.used == Some(false) && age_days.is_some_and(|age| age > arguments.unused_for) {
        findings.push("never used".to_owned());
    }
    if idle.is_some_and(|idle| idle > arguments.unused_for) {
        findings.push(format!("unused for {} d", idle.unwrap_or_default()));
    }
    Reported { account: account.to_owned(), line, age_days, findings }
}

fn row(key: &Reported) -> Vec<String> {
    let or_dash = |text: Option<String>| text.filter(|text| !text.is_empty()).unwrap_or_else(|| "-".to_owned());
    let line = &key.line;
    let name = line.reference.as_deref().and_then(|reference| reference.rsplit('/').next()).map(str::to_owned);
    vec![
        key.account.clone(),
        or_dash(name.or_else(|| line.name.clone().filter(|name| !name.is_empty())).or_else(|| line.id.clone())),
        or_dash(key.age_days.map(|days| format!("{days} d"))),
        or_dash(line.expires.map(when::day)),
        or_dash(line.last_used.map(when::day)),
        permissions(line),
        or_dash(Some(key.findings.join("; "))),
    ]
}
