//! `venuekit keys resume`.

use clap::Args;
use serde_json::{Value, json};
use venuekit_keys::{Reference, Unfinished, Work};

use super::account_client::{AccountClient, FamilyArgs, finish, note_unreadable, printed};
use super::operator::CliOperator;
use super::values;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::subject::Subject;
use crate::when;

#[derive(Args, Debug)]
pub struct ResumeArgs {
    /// The run, or its key as VENUE/ENVIRONMENT/NAME; by default the only unfinished one
    run: Option<String>,
    /// Abandon it: the keys that it has created are revoked, and the old key is the one to use again
    #[arg(long)]
    abandon: bool,
    /// Finish the run although no call could prove that the old key is revoked: you have seen at the venue that it is
    #[arg(long, conflicts_with = "abandon")]
    confirm_ended: bool,
    /// A command that hands the new key over to its consumer; the old one is revoked after exit code 0
    #[arg(long, value_name = "COMMAND", conflicts_with = "abandon", value_parser = values::command)]
    hand_over: Option<String>,
    /// List the unfinished runs and their last steps; nothing is changed
    #[arg(long)]
    dry_run: bool,
}

/// `venuekit keys resume`.
pub async fn run(context: &Context, arguments: &ResumeArgs) -> Result<(), Failure> {
    let engine = context.keys().engine(context.keys().to_read()?);
    let unfinished = engine.unfinished()?;
    note_unreadable(context, &engine);
    let out = context.out();
    let wanted = arguments.run.as_deref();
    if let Some(left) = engine.unreadable()?.into_iter().find(|left| Some(left.run.as_str()) == wanted) {
        let failure = Failure::new(Exit::Store, left.error.to_string()).code("journal_damaged");
        return Err(failure.help(left.advice()).detail("run", left.run.as_str()));
    }
    if wanted.is_none() && (unfinished.is_empty() || arguments.dry_run) {
        show(context, &unfinished);
        return Ok(());
    }
    let left = choose(&unfinished, wanted)?;
    if arguments.dry_run {
        show(context, std::slice::from_ref(left));
        return Ok(());
    }
    let subject: Subject = left.plan.account.parse().map_err(Failure::usage)?;
    let family = FamilyArgs { family: left.plan.family.clone() };
    let client = AccountClient::open(context, &subject)?.of_family(&family)?;
    let reference = left.plan.reference.as_ref().and_then(|text| text.parse::<Reference>().ok());
    // A key that is being made manages nothing yet.
    let about = reference.filter(|_| left.plan.work != Work::Create);
    let manager = client.manager(about.as_ref()).await?;
    let person = CliOperator::new(context, &client.target, arguments.hand_over.as_deref());
    let run = left.run.clone();
    let _report = client.in_flight(move |other| *other == run);
    if arguments.abandon {
        context.confirm(&format!("Abandon {}? The keys that it has created are revoked.", words(left)))?;
        let abandoned = client.engine.abandon(&client.account, &left.run, &manager, &person).await;
        abandoned.map_err(|error| client.explained(error, &manager))?;
        out.step("abandoned", left.run.as_str());
        out.document(&json!({ "run": left.run, "abandoned": true, "events": person.events() }));
        return printed(out, &format!("the run {} is abandoned", left.run), &left.plan.account);
    }
    let outcome = if arguments.confirm_ended {
        let old = left.plan.old.as_ref().map(|old| old.id.as_str()).unwrap_or_default();
        context.confirm(&format!("Have you seen at {} that the key {old} is revoked?", left.plan.account))?;
        client.engine.confirm_ended(&client.account, &left.run, &manager, &person).await
    } else {
        client.engine.resume(&client.account, &left.run, &manager, &person).await
    };
    finish(&person, outcome.map_err(|error| client.explained(error, &manager))?)
}

fn choose<'a>(unfinished: &'a [Unfinished], run: Option<&str>) -> Result<&'a Unfinished, Failure> {
    let wanted = match run {
        Some(run) => {
            unfinished.iter().find(|left| left.run.as_str() == run || left.plan.reference.as_deref() == Some(run))
        }
        None if unfinished.len() > 1 => {
            let names: Vec<&str> = unfinished.iter().map(|left| left.run.as_str()).collect();
            return Err(Failure::usage("more than one run has not ended, and none was named")
                .help(format!("name one of: {}", names.join(", "))));
        }
        None => unfinished.first(),
    };
    wanted.ok_or_else(|| {
        let run = run.unwrap_or_default();
        let failure = Failure::new(Exit::NotFound, format!("there is no unfinished run `{run}`"));
        failure.help("`venuekit keys resume --dry-run` lists them")
    })
}

fn work(left: &Unfinished) -> String {
    let work = match left.plan.work {
        Work::Create => "creating",
        Work::Rotate => "rotating",
        Work::RotateInPlace => "rotating in place",
        Work::Revoke => "revoking",
    };
    let old = left.plan.old.as_ref().map(|old| old.id.as_str());
    format!("{work} {}", left.plan.reference.as_deref().or(old).unwrap_or_default())
}

fn words(left: &Unfinished) -> String {
    format!("{} ({})", left.run, work(left))
}

fn show(context: &Context, unfinished: &[Unfinished]) {
    let out = context.out();
    if unfinished.is_empty() {
        out.line("no unfinished runs");
    }
    let step = |left: &Unfinished| serde_json::to_value(&left.last).ok().and_then(|step| step.get("step").cloned());
    let text = |value: Option<Value>| value.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default();
    let rows: Vec<Vec<String>> = unfinished
        .iter()
        .map(|left| vec![left.run.to_string(), work(left), when::day(left.since), text(step(left))])
        .collect();
    if !rows.is_empty() {
        out.table(&["run", "work", "since", "last step"], &rows);
    }
    let runs: Vec<Value> = unfinished
        .iter()
        .map(|left| {
            json!({"run": left.run, "work": left.plan.work, "account": left.plan.account,
                "reference": left.plan.reference, "since": left.since, "last_step": step(left),
                "can_be_abandoned": left.can_be_abandoned})
        })
        .collect();
    out.document(&json!({ "unfinished": runs }));
}
