//! The state machine: plan, make, store, verify, hand over, revoke, prove.

mod abandon;
mod account_client;
mod difference;
mod edit;
mod in_place;
mod inventory;
mod make;
mod operator;
mod plan;
mod preview;
mod retire;
mod run;
mod settings;
mod unfinished;
mod verify;

use std::fmt;
use std::sync::Arc;

use self::account_client::AccountClient;
pub use self::account_client::Manager;
pub use self::edit::Edited;
pub use self::inventory::{Adopted, Line};
pub use self::operator::{Handed, Operator, Silent};
use self::run::Run;
pub use self::settings::{Settings, Waits};
pub use self::unfinished::{Unfinished, Unreadable};
use crate::account::Account;
use crate::error::{Cause, Error};
use crate::journal::{Entry, Journal, JournalError, RunId, SCHEMA, Step};
use crate::store::Store;
use crate::task::{Outcome, Plan, Preview, Task, Work};

/// Makes, rotates and revokes keys so that no secret is lost and the account is never without a working key. A clone shares both.
#[derive(Clone)]
pub struct Engine {
    store: Arc<dyn Store>,
    journal: Arc<dyn Journal>,
    settings: Settings,
    /// What the store is called, for a run that is resumed with another one.
    place: Option<String>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine that keeps keys here and notes its steps there.
    pub fn new(store: Arc<dyn Store>, journal: Arc<dyn Journal>) -> Self {
        Self { store, journal, settings: Settings::default(), place: None }
    }

    /// How long things may take.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// What the store is called, such as the path of its file. A run notes it: the error names it where the run is resumed with another
    /// store, which does not have what it has stored.
    #[must_use]
    pub fn of_store(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// Does a task.
    ///
    /// # Errors
    /// Whatever stops it. Where something is left to be done, the error names the run, and [`resume`](Self::resume) goes on.
    pub async fn run(
        &self,
        account: &Account,
        task: Task,
        manager: &Manager,
        operator: &dyn Operator,
    ) -> Result<Outcome, Error> {
        let guard = self.journal.lock(account)?;
        self.none_unfinished(account, &task).await?;
        let client = AccountClient::new(self, account, manager, operator);
        let plan = client.plan(&task).await?;
        let run = RunId::new(plan.label.clone());
        let step = Step::Planned { schema: SCHEMA, plan: plan.clone(), store: self.place.clone() };
        self.journal.begin(&run, &Entry::now(step))?;
        Run::new(client, guard, run, plan, self.place.clone(), Vec::new()).finish().await
    }

    /// What a task would do. Reads only.
    ///
    /// # Errors
    /// What would stop the task at once.
    pub async fn preview(
        &self,
        account: &Account,
        task: &Task,
        manager: &Manager,
        operator: &dyn Operator,
    ) -> Result<Preview, Error> {
        self.none_unfinished(account, task).await?;
        let client = AccountClient::new(self, account, manager, operator);
        let plan = client.plan(task).await?;
        Ok(preview::preview(&client, &plan))
    }

    /// Goes on with a run that was interrupted.
    ///
    /// # Errors
    /// Whatever stops it again; or there is no such run, or it has ended.
    pub async fn resume(
        &self,
        account: &Account,
        run: &RunId,
        manager: &Manager,
        operator: &dyn Operator,
    ) -> Result<Outcome, Error> {
        let taken = self.take_up(account, run, manager, operator)?;
        taken.notify_resumed();
        if taken.did(&Step::Abandoning) {
            let message = format!("the run `{run}` is being abandoned, and does not go on");
            return Err(Error::usage_with(message, format!("`venuekit keys resume {run} --abandon` ends it.")));
        }
        taken.finish().await
    }

    /// Goes on with a run whose proof could not be had: a person has seen at the venue that the old key has ended.
    ///
    /// # Errors
    /// Whatever stops it again; or the run has not asked for the key's end, or a call shows that the key still works.
    pub async fn confirm_ended(
        &self,
        account: &Account,
        run: &RunId,
        manager: &Manager,
        operator: &dyn Operator,
    ) -> Result<Outcome, Error> {
        let mut taken = self.take_up(account, run, manager, operator)?;
        taken.notify_resumed();
        taken.confirm_ended().await?;
        taken.finish().await
    }

    /// Gives a run up: what it has made is revoked, and the old key is the one to use again.
    ///
    /// # Errors
    /// Whatever stops it; or the old key may have been revoked, or the new one was taken over, so that the run can only be resumed. It may
    /// be given up nevertheless where calls show that the new key has ended, and that an old one that was to be revoked works.
    pub async fn abandon(
        &self,
        account: &Account,
        run: &RunId,
        manager: &Manager,
        operator: &dyn Operator,
    ) -> Result<(), Error> {
        self.take_up(account, run, manager, operator)?.abandon().await
    }

    fn take_up<'a>(
        &'a self,
        account: &'a Account,
        run: &RunId,
        manager: &'a Manager,
        operator: &'a dyn Operator,
    ) -> Result<Run<'a>, Error> {
        let guard = self.journal.lock(account)?;
        let unreadable = |error| match error {
            JournalError::Corrupted { .. } | JournalError::Newer { .. } | JournalError::NoPlan(_) => {
                let left = Unreadable { run: run.clone(), account: Some(account.to_string()), error };
                let help = left.advice();
                Error::new(Cause::Unreadable { error: left.error, help })
            }
            other => other.into(),
        };
        let mut entries = self.journal.read(run).map_err(unreadable)?.into_iter().map(|entry| entry.step);
        let (plan, place) = match entries.next() {
            Some(Step::Planned { plan, store, .. }) => (plan, store),
            Some(_) => return Err(unreadable(JournalError::NoPlan(run.clone()))),
            None => {
                let message = format!("the run `{run}` was interrupted before it did anything");
                return Err(Error::usage_with(message, "Start the task again."));
            }
        };
        let steps: Vec<Step> = entries.collect();
        if steps.last().is_some_and(Step::is_last) {
            return Err(Error::usage(format!("the run `{run}` has ended")));
        }
        if plan.account != account.to_string() {
            let message = format!("the run `{run}` belongs to {}, and this is {account}", plan.account);
            return Err(Error::usage(message));
        }
        if plan.family != account.family {
            let of = |family: &Option<String>| family.clone().unwrap_or_else(|| "the first family".to_owned());
            let message =
                format!("the run `{run}` is about keys of {}, and this is {}", of(&plan.family), of(&account.family));
            return Err(Error::usage(message));
        }
        let client = AccountClient::new(self, account, manager, operator);
        Ok(Run::new(client, guard, run.clone(), plan, place, steps))
    }
}

impl Plan {
    /// Whether a new key takes the old one's place.
    fn replaces(&self) -> bool {
        matches!(self.work, Work::Rotate | Work::RotateInPlace)
    }
}
