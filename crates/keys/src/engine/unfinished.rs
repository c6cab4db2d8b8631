//! Runs that have not ended, and those whose journal cannot be read.

use venuekit_wire::UnixMillis;

use super::{Engine, abandon};
use crate::account::Account;
use crate::error::{Cause, Error, Next};
use crate::journal::{Glimpse, JournalError, RunId, Step};
use crate::reference::Reference;
use crate::task::{Plan, Target, Task};

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
    /// Whether it may be given up: the old key has not ended. Where the consumer has the new one, that one must be dead. Otherwise calls
    /// must show first that only the old key works.
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

/// A run whose journal cannot be read: damaged, written by a newer version, or not to be opened. It stops tasks for its own account
/// and no other.
#[derive(Debug)]
pub struct Unreadable {
    /// Its name.
    pub run: RunId,
    /// The account that it is about, as far as the journal still shows.
    pub account: Option<String>,
    /// What is wrong, with the file.
    pub error: JournalError,
}

impl Unreadable {
    /// What to do about it.
    pub fn advice(&self) -> String {
        if let JournalError::Newer { .. } = self.error {
            return format!("`venuekit keys resume {}` of the newer version continues it", self.run);
        }
        let account = self.account.as_deref().unwrap_or("ACCOUNT");
        format!(
            "compare `venuekit keys list {account}` with the store: a key `{}` that is not stored is left over from it and may be \
             revoked; then move the file out of its folder",
            self.run
        )
    }
}

impl Engine {
    /// The runs that have not ended. Those that cannot be read are [`unreadable`](Self::unreadable).
    ///
    /// # Errors
    /// The journal's folder cannot be read.
    pub fn unfinished(&self) -> Result<Vec<Unfinished>, Error> {
        Ok(self.left()?.0)
    }

    /// The runs whose journal cannot be read.
    ///
    /// # Errors
    /// The journal's folder cannot be read.
    pub fn unreadable(&self) -> Result<Vec<Unreadable>, Error> {
        Ok(self.left()?.1)
    }

    fn left(&self) -> Result<(Vec<Unfinished>, Vec<Unreadable>), Error> {
        let (mut unfinished, mut unreadable) = (Vec::new(), Vec::new());
        for run in self.journal.runs()? {
            let entries = match self.journal.read(&run) {
                Ok(entries) => entries,
                // Removed since it was listed.
                Err(JournalError::NoSuchRun(_)) => continue,
                Err(error) => {
                    unreadable.extend(self.seen_through(run, error));
                    continue;
                }
            };
            let (Some(first), Some(last)) = (entries.first(), entries.last()) else { continue };
            let Step::Planned { plan, .. } = &first.step else {
                unreadable.extend(self.seen_through(run.clone(), JournalError::NoPlan(run)));
                continue;
            };
            if !last.step.is_last() {
                let steps: Vec<Step> = entries.iter().map(|entry| entry.step.clone()).collect();
                let (can_be_abandoned, next) = (!abandon::may_have_revoked(&steps), abandon::next(plan, &steps));
                let (since, plan, last) = (first.at, plan.clone(), last.step.clone());
                unfinished.push(Unfinished { run, since, plan, last, can_be_abandoned, next });
            }
        }
        Ok((unfinished, unreadable))
    }

    /// What is known of a run that cannot be read; none if it has ended.
    fn seen_through(&self, run: RunId, error: JournalError) -> Option<Unreadable> {
        let Glimpse { account, ended } = self.journal.glimpse(&run);
        (!ended).then_some(Unreadable { run, account, error })
    }

    /// Two runs for one key would undo each other's work.
    pub(super) async fn none_unfinished(&self, account: &Account, task: &Task) -> Result<(), Error> {
        match task.reference() {
            Some(reference) => self.none_unfinished_of(account, reference).await,
            None => self.none_unreadable(account, None).await,
        }
    }

    pub(super) async fn none_unfinished_of(&self, account: &Account, reference: &Reference) -> Result<(), Error> {
        let name = reference.to_string();
        let mut unfinished = self.unfinished()?.into_iter();
        if let Some(earlier) = unfinished.find(|run| run.plan.reference.as_ref() == Some(&name)) {
            return Err(Error::new(Cause::Unfinished(earlier.run.clone())).of_run(&earlier.run, earlier.next));
        }
        self.none_unreadable(account, Some(reference)).await
    }

    /// A run that cannot be read may be about any key of its account. Where not even that can be read, it is about the key whose
    /// record has its name.
    async fn none_unreadable(&self, account: &Account, reference: Option<&Reference>) -> Result<(), Error> {
        let name = account.to_string();
        for left in self.unreadable()? {
            let concerns = match (&left.account, reference) {
                (Some(account), _) => *account == name,
                (None, Some(reference)) => {
                    let record = self.store.get(reference).await;
                    record.is_ok_and(|record| record.labelled(left.run.as_str()).is_some())
                }
                (None, None) => false,
            };
            if concerns {
                let help = left.advice();
                return Err(Error::new(Cause::Unreadable { error: left.error, help }));
            }
        }
        Ok(())
    }
}

impl Task {
    fn reference(&self) -> Option<&Reference> {
        match self {
            Self::Create(create) => Some(&create.reference),
            Self::Rotate(rotate) => Some(&rotate.reference),
            Self::Revoke(revoke) => match &revoke.target {
                Target::Stored(reference) => Some(reference),
                Target::Listed(_) => None,
            },
        }
    }
}
