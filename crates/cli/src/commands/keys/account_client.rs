//! What all `keys` commands need: the account, the engine, and what manages the account's keys.

use std::sync::{Arc, OnceLock};

use clap::Args;
use venuekit_keys::journal::RunId;
use venuekit_keys::store::Store;
use venuekit_keys::{
    Account, Class, Engine, Error, Manager, Outcome, Reference, Report, Revoke, Settings, Target as Ends, Task,
};
use venuekit_transport::ErrorKind;
use venuekit_wire::variables::VariableKind;

use super::failure::of_person;
use super::operator::CliOperator;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::interrupt::{self, InterruptReport};
use crate::one_time_code::is_about_code;
use crate::output::Output;
use crate::remedy;
use crate::store;
use crate::subject::Subject;
use crate::target::Target;
use crate::variables;

// Which family of keys is meant, for a venue that has several. A doc comment would become the help of the commands that take it.
#[derive(Args, Debug, Default)]
pub struct FamilyArgs {
    /// The family of keys, if the venue has several; the first by default
    #[arg(long, value_name = "NAME")]
    pub family: Option<String>,
}

/// One account, and the engine that cares for its keys.
pub struct AccountClient<'a> {
    pub context: &'a Context,
    pub target: Target,
    pub account: Account,
    pub engine: Engine,
    /// What `venuekit doctor` is about, if a key was given that manages the others.
    doctor: OnceLock<String>,
}

impl<'a> AccountClient<'a> {
    /// For a task that keeps something in the store of the account that a subject is about.
    pub fn open(context: &'a Context, subject: &Subject) -> Result<Self, Failure> {
        Self::with(context, subject, context.keys().to_write()?)
    }

    /// For what only reads. A session is stored nevertheless: venues allow few logins.
    pub fn reading(context: &'a Context, subject: &Subject) -> Result<Self, Failure> {
        match subject.venue.has_sessions() {
            true => Self::open(context, subject),
            false => Self::with(context, subject, context.keys().to_read()?),
        }
    }

    fn with(context: &'a Context, subject: &Subject, store: Arc<dyn Store>) -> Result<Self, Failure> {
        let target = context.target(&Subject { venue: subject.venue.of_keys(), ..subject.clone() })?;
        let account = Account {
            venue: target.venue.key_venue(),
            environment: target.environment.clone(),
            base_url: target.base_url.clone(),
            family: None,
        };
        let settings =
            Settings { timeouts: target.network.timeouts(), proxy: target.network.proxy(), ..Settings::default() };
        let engine = context.keys().engine(store).settings(settings);
        Ok(Self { context, target, account, engine, doctor: OnceLock::new() })
    }

    /// The same for a family of keys, by its name.
    pub fn of_family(mut self, family: &FamilyArgs) -> Result<Self, Failure> {
        let named = self.account.of_family(family.family.as_deref());
        self.account = named.map_err(|error| Failure::usage(error.to_string()).code("no_family"))?;
        Ok(self)
    }

    /// The same for the family of a stored key.
    pub async fn of_stored(mut self, reference: &Reference) -> Result<Self, Failure> {
        // A record that cannot be read is reported by the step that needs its secret.
        if let Ok(record) = self.context.keys().to_read()?.get(reference).await {
            self.account.family = record.family().map(str::to_owned);
        }
        Ok(self)
    }

    /// The name that a subject, or `--name`, gives a key.
    pub fn reference(&self, subject: &Subject, name: Option<&str>) -> Result<Reference, Failure> {
        let name = match (subject.name.as_deref(), name) {
            (Some(one), Some(other)) if one != other => {
                let message = format!("`{subject}` and --name {other} contradict each other: the first says {one}");
                return Err(Failure::usage(message));
            }
            (Some(name), _) | (None, Some(name)) => name,
            (None, None) => {
                let help = format!("write it as {}", self.target.reference("NAME"));
                return Err(Failure::usage("no key name was given").code("no_name").help(help));
            }
        };
        let reference = store::reference(&self.target, name)?;
        if !reference.is_a_key() {
            return Err(Failure::usage(format!("{reference} is not a key: names that begin with @ are reserved")));
        }
        Ok(reference)
    }

    /// What manages the account's keys: `--key`, the profile's key or the environment's variables; otherwise, where keys manage
    /// keys, the one it is about, or the only one in the store.
    pub async fn manager(&self, about: Option<&Reference>) -> Result<Manager, Failure> {
        let account =
            Subject { venue: self.target.venue, environment: Some(self.target.environment.clone()), name: None };
        let given = self.context.manager(&self.target, &account).await?;
        given.check(self.target.venue)?;
        _ = self.doctor.set(given.subject_at(&self.target));
        if let Some(credential) = given.parts.into_iter().next() {
            return Ok(Manager::Given(credential));
        }
        let usual = variables::prefix(&self.target);
        let prefix = given.prefix.unwrap_or_else(|| usual.clone());
        // Where a profile names variables, nothing else takes their place.
        let has_sessions = self.target.venue.has_sessions();
        if !has_sessions && prefix == usual {
            if let Some(reference) = about {
                return Ok(Manager::Stored(reference.clone()));
            }
            let mut stored = self.engine.stored(&self.account).await?;
            stored.retain(|line| line.unreadable.is_none());
            if let [only] = &stored[..]
                && let Some(reference) = only.reference.as_ref().and_then(|text| text.parse().ok())
            {
                return Ok(Manager::Stored(reference));
            }
        }
        let (message, help) = match has_sessions {
            true => {
                let names = |kind| variables::both(self.target.venue, &prefix, kind);
                let help = format!("set {}, or {}", names(VariableKind::Session), names(VariableKind::Login));
                (format!("no session and no login: one of these manages the keys of {}", self.target.venue), help)
            }
            false => {
                let help = variables::names_after(self.target.venue, &prefix);
                let help = format!("name a stored one with --key, or set {help}");
                (format!("no key was given to manage the keys of {}", self.account), help)
            }
        };
        Err(Failure::new(Exit::Store, message).code("no_manager").help(help))
    }

    /// An error of the engine, with what finds out more about it: the server, or the key that made the call.
    pub fn explained(&self, error: Error, manager: &Manager) -> Failure {
        let doctor = match manager {
            Manager::Stored(reference) => reference.to_string(),
            Manager::Given(_) => self.doctor.get().cloned().unwrap_or_else(|| self.account.to_string()),
        };
        let advice = error.help();
        let is_unreachable = error.class() == Class::Network;
        let more = match error.of_venue() {
            Some(venue) if venue.may_have_been_applied() || is_about_code(venue) => None,
            Some(venue) => match (venue.kind(), venue.status().is_some()) {
                (ErrorKind::Unauthorized | ErrorKind::Clock, true) => Some(remedy::of_key(&doctor)),
                (ErrorKind::Network | ErrorKind::Timeout, false) => {
                    Some(remedy::of_server(&self.account.base_url, &doctor))
                }
                _ => None,
            },
            None => is_unreachable.then(|| remedy::of_server(&self.account.base_url, &doctor)),
        };
        let failure = Failure::from(error);
        match more {
            Some(more) => failure.help([Some(more), advice].into_iter().flatten().collect::<Vec<_>>().join("\n")),
            None => failure,
        }
    }

    /// Has a task done, or says what would be done.
    pub async fn run(&self, task: Task, manager: &Manager, person: &CliOperator<'_>, dry: bool) -> Result<(), Failure> {
        let out = self.context.out();
        if dry {
            let preview = self.engine.preview(&self.account, &task, manager, person).await;
            let preview = preview.map_err(|error| self.explained(error, manager))?;
            show_steps(out, &preview.steps, &preview.warnings);
            return Ok(());
        }
        let ended = self.public_id_of_old(&task).await;
        note_unreadable(self.context, &self.engine);
        let earlier: Vec<RunId> = self.engine.unfinished()?.into_iter().map(|left| left.run).collect();
        let _report = self.in_flight(move |run| !earlier.contains(run));
        let outcome = self.engine.run(&self.account, task, manager, person).await;
        let outcome = outcome.map_err(|error| self.explained(error, manager))?;
        let done = matches!(outcome, Outcome::Done(_));
        finish(person, outcome)?;
        if done {
            self.note_variables(ended.as_deref());
        }
        Ok(())
    }

    /// What identifies the key that a task is to end.
    async fn public_id_of_old(&self, task: &Task) -> Option<String> {
        let reference = match task {
            Task::Rotate(rotate) => &rotate.reference,
            Task::Revoke(Revoke { target: Ends::Stored(reference), .. }) => reference,
            Task::Revoke(Revoke { target: Ends::Listed(id), .. }) => return Some(id.clone()),
            Task::Create(_) => return None,
        };
        let record = self.context.keys().to_read().ok()?.get(reference).await.ok()?;
        record.active()?.public_id.clone()
    }

    /// Variables go before the store, so that a key in them that has ended stands in the way of everything.
    fn note_variables(&self, ended: Option<&str>) {
        let variables = self.context.credential_of_variables(&self.target).ok().flatten();
        if let Some(variables) = variables.filter(|variables| ended.is_some() && variables.public_id() == ended) {
            let note = format!(
                "note: {}: that key has just been revoked; unset it, or name a stored one with --key",
                variables.source
            );
            self.context.out().note(&note);
        }
    }

    /// While the guard lives, an interrupt tells how to go on with the run.
    pub fn in_flight(&self, is_it: impl Fn(&RunId) -> bool + Send + 'static) -> InterruptReport {
        let (engine, account) = (self.engine.clone(), self.account.to_string());
        interrupt::reporting(self.context.out(), move || {
            let mut unfinished = engine.unfinished().ok()?.into_iter();
            let left = unfinished.find(|left| left.plan.account == account && is_it(&left.run))?;
            let failure = Failure::new(Exit::Unknown, format!("interrupted; the run {} has not ended", left.run));
            Some(failure.code("interrupted").help(left.advice()).detail("run", left.run.as_str()))
        })
    }
}

/// Says what would be done, and what is to be known before.
pub fn show_steps(out: &Output, steps: &[String], warnings: &[String]) {
    steps.iter().for_each(|step| out.step("would", step));
    warnings.iter().for_each(|warning| out.step("note", warning));
    out.document(&serde_json::json!({ "steps": steps, "warnings": warnings }));
}

/// Whether the result of a change was printed. The change is done in any case, and is not to be repeated.
pub fn printed(out: &Output, done: &str, account: &str) -> Result<(), Failure> {
    out.finish().map_err(|why| {
        let message = format!("{done}; its result could not be printed: {}", why.message());
        let help = format!("`venuekit keys list {account}` shows the key");
        Failure::new(Exit::Unknown, message).code("response_not_printed").help(help)
    })
}

/// Tells how a run ended.
pub fn finish(person: &CliOperator<'_>, outcome: Outcome) -> Result<(), Failure> {
    match outcome {
        Outcome::Done(report) => {
            let out = person.context.out();
            out.document(&Ended { report: &report, events: person.events() });
            let done = format!("the run {} is done", report.run);
            printed(out, &done, &person.account()).map_err(|failure| failure.detail("run", report.run.as_str()))
        }
        Outcome::NeedsPerson(needs) => Err(of_person(&needs)),
    }
}

#[derive(serde::Serialize)]
struct Ended<'a> {
    #[serde(flatten)]
    report: &'a Report,
    events: Vec<venuekit_keys::Event>,
}

/// Says which runs cannot be read. They stop their own account alone, and nobody else would hear of them.
pub fn note_unreadable(context: &Context, engine: &Engine) {
    for left in engine.unreadable().unwrap_or_default() {
        let account = left.account.as_deref().map(|account| format!(" of {account}")).unwrap_or_default();
        context.out().note(&format!(
            "note: the run {}{account} cannot be read: {}; {}",
            left.run,
            left.error,
            left.advice()
        ));
    }
}
