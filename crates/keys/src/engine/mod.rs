//! The state machine: plan, make, store, verify, hand over, revoke, prove.

mod abandon;
mod attendant;
mod desk;
mod in_place;
mod inventory;
mod make;
mod plan;
mod preview;
mod retire;
mod run;
mod settings;
mod verify;

use std::fmt;
use std::sync::Arc;

use venuekit_wire::UnixMillis;

pub use self::attendant::{Attendant, Handed, Silent};
use self::desk::Desk;
pub use self::desk::Manager;
pub use self::inventory::{Adopted, Line};
use self::run::Run;
pub use self::settings::{Settings, Waits};
use crate::account::Account;
use crate::error::{Cause, Error, Next};
use crate::journal::{Entry, Journal, RunId, SCHEMA, Step};
use crate::reference::Reference;
use crate::store::Store;
use crate::task::{Outcome, Plan, Preview, Task, Work};

/// Makes, rotates and revokes keys so that no secret is lost and the account is never without a working key. A clone shares both.
#[derive(Clone)]
pub struct Engine {
    store: Arc<dyn Store>,
    journal: Arc<dyn Journal>,
    settings: Settings,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// A run that has not ended.
#[derive(Clone, Debug)]
pub struct Unfinished {
    /// Its name.
    pub run: RunId,
    /// When it began.
    pub since: UnixMillis,
    /// What it has set out to do.
    pub plan: Plan,
    /// The last step it has noted.
    pub last: Step,
    /// Whether it may be given up: the old key has not ended. Where the consumer has the new one, that one must be dead.
    pub can_be_abandoned: bool,
    /// What is advised.
    next: Next,
}

impl Unfinished {
    /// What to do with it, in a sentence.
    pub fn advice(&self) -> String {
        self.next.advice(&self.run)
    }
}

impl Engine {
    /// An engine that keeps keys here and notes its steps there.
    pub fn new(store: Arc<dyn Store>, journal: Arc<dyn Journal>) -> Self {
        Self { store, journal, settings: Settings::default() }
    }

    /// How long things may take.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
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
        attendant: &dyn Attendant,
    ) -> Result<Outcome, Error> {
        let guard = self.journal.lock(account)?;
        self.none_unfinished(&task)?;
        let desk = Desk::new(self, account, manager, attendant);
        let plan = desk.plan(&task).await?;
        let run = RunId::new(plan.label.clone());
        let step = Step::Planned { schema: SCHEMA, plan: plan.clone() };
        self.journal.begin(&run, &Entry::now(step))?;
        Run::new(desk, guard, run, plan, Vec::new()).finish().await
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
        attendant: &dyn Attendant,
    ) -> Result<Preview, Error> {
        self.none_unfinished(task)?;
        let desk = Desk::new(self, account, manager, attendant);
        let plan = desk.plan(task).await?;
        Ok(preview::preview(&desk, &plan))
    }

    /// Goes on with a run that was broken off.
    ///
    /// # Errors
    /// Whatever stops it again; or there is no such run, or it has ended.
    pub async fn resume(
        &self,
        account: &Account,
        run: &RunId,
        manager: &Manager,
        attendant: &dyn Attendant,
    ) -> Result<Outcome, Error> {
        let taken = self.take_up(account, run, manager, attendant)?;
        if taken.did(&Step::Abandoning) {
            let message = format!("the run `{run}` is being given up, and does not go on");
            return Err(Error::usage_with(message, format!("`venuekit keys resume {run} --abandon` ends it.")));
        }
        taken.finish().await
    }

    /// Gives a run up: what it has made is revoked, and the old key is the one to use again.
    ///
    /// # Errors
    /// Whatever stops it; or the old key may have been revoked, or the new one was taken over, so that the run can only be resumed.
    pub async fn abandon(
        &self,
        account: &Account,
        run: &RunId,
        manager: &Manager,
        attendant: &dyn Attendant,
    ) -> Result<(), Error> {
        self.take_up(account, run, manager, attendant)?.abandon().await
    }

    fn take_up<'a>(
        &'a self,
        account: &'a Account,
        run: &RunId,
        manager: &'a Manager,
        attendant: &'a dyn Attendant,
    ) -> Result<Run<'a>, Error> {
        let guard = self.journal.lock(account)?;
        let mut entries = self.journal.read(run)?.into_iter().map(|entry| entry.step);
        let Some(Step::Planned { plan, .. }) = entries.next() else {
            return Err(Error::usage(format!("the run `{run}` was broken off before it did anything; start it anew")));
        };
        let steps: Vec<Step> = entries.collect();
        if steps.last().is_some_and(Step::is_last) {
            return Err(Error::usage(format!("the run `{run}` has ended")));
        }
        if plan.account != account.to_string() {
            let message = format!("the run `{run}` belongs to {}, and this is {account}", plan.account);
            return Err(Error::usage(message));
        }
        let desk = Desk::new(self, account, manager, attendant);
        Ok(Run::new(desk, guard, run.clone(), plan, steps))
    }

    /// The runs that have not ended.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn unfinished(&self) -> Result<Vec<Unfinished>, Error> {
        let mut unfinished = Vec::new();
        for run in self.journal.runs()? {
            let entries = self.journal.read(&run)?;
            let (Some(first), Some(last)) = (entries.first(), entries.last()) else { continue };
            if let Step::Planned { plan, .. } = &first.step
                && !last.step.is_last()
            {
                let steps: Vec<Step> = entries.iter().map(|entry| entry.step.clone()).collect();
                let (can_be_abandoned, next) = (!abandon::may_have_revoked(&steps), abandon::next(plan, &steps));
                let (since, plan, last) = (first.at, plan.clone(), last.step.clone());
                unfinished.push(Unfinished { run, since, plan, last, can_be_abandoned, next });
            }
        }
        Ok(unfinished)
    }

    /// Two runs for one key would undo each other's work.
    fn none_unfinished(&self, task: &Task) -> Result<(), Error> {
        task.reference().map_or(Ok(()), |reference| self.none_unfinished_of(reference))
    }

    fn none_unfinished_of(&self, reference: &Reference) -> Result<(), Error> {
        let name = reference.to_string();
        let mut unfinished = self.unfinished()?.into_iter();
        match unfinished.find(|run| run.plan.reference.as_ref() == Some(&name)) {
            Some(earlier) => Err(Error::new(Cause::Unfinished(earlier.run.clone())).of_run(&earlier.run, earlier.next)),
            None => Ok(()),
        }
    }
}

impl Task {
    fn reference(&self) -> Option<&Reference> {
        match self {
            Self::Create(create) => Some(&create.reference),
            Self::Rotate(rotate) => Some(&rotate.reference),
            Self::Revoke(revoke) => match &revoke.target {
                crate::task::Target::Stored(reference) => Some(reference),
                crate::task::Target::Listed(_) => None,
            },
        }
    }
}

impl Plan {
    /// Whether a new key takes the old one's place.
    fn replaces(&self) -> bool {
        matches!(self.work, Work::Rotate | Work::RotateInPlace)
    }
}
