//! One run: its plan, what it has noted, and the order of its steps.

use super::abandon;
use super::account_client::AccountClient;
use super::difference::Life;
use crate::error::{Cause, Error};
use crate::event::Event;
use crate::journal::{Entry, Guard, RunId, Step};
use crate::record::{Record, State, StoredKey};
use crate::reference::Reference;
use crate::store::StoreError;
use crate::task::{NeedsPerson, OldKey, Outcome, Plan, Report, Work};

/// Why a step was not done.
pub(super) enum StepFailure {
    /// It went wrong; the run can be resumed.
    Error(Error),
    /// The venue refused, and nothing is left of the run.
    Refused(Error),
    /// A person is needed.
    Person { what: String, how: String },
}

impl StepFailure {
    /// The same of a look-up that should have shown what became of a call whose response was lost.
    pub(super) fn of_open_call(self) -> Self {
        match self {
            Self::Error(error) => Self::Error(error.of_open_call()),
            other => other,
        }
    }
}

impl<E: Into<Error>> From<E> for StepFailure {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

pub(super) struct Run<'a> {
    pub(super) client: AccountClient<'a>,
    pub(super) id: RunId,
    pub(super) plan: Plan,
    /// What the store is called that it was started with.
    place: Option<String>,
    steps: Vec<Step>,
    _guard: Guard,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        client: AccountClient<'a>,
        guard: Guard,
        id: RunId,
        plan: Plan,
        place: Option<String>,
        steps: Vec<Step>,
    ) -> Self {
        Self { client, id, plan, place, steps, _guard: guard }
    }

    /// It goes on, if it has done anything yet.
    pub(super) fn notify_resumed(&self) {
        if !self.steps.is_empty() {
            self.client.notify(Event::Resumed { run: self.id.to_string() });
        }
    }

    /// Does what is left to be done.
    pub(super) async fn finish(mut self) -> Result<Outcome, Error> {
        let done = match self.plan.work {
            Work::Create | Work::Rotate => self.make_and_replace().await,
            Work::RotateInPlace => self.rotate_in_place().await,
            Work::Revoke => self.retire().await,
        };
        let done = match done {
            Ok(()) => self.close().await,
            Err(halt) => Err(halt),
        };
        match done {
            Ok(report) => Ok(Outcome::Done(report)),
            Err(StepFailure::Person { what, how }) => Ok(Outcome::NeedsPerson(NeedsPerson { run: self.id, what, how })),
            Err(StepFailure::Error(error)) => {
                let next = abandon::next(&self.plan, &self.steps);
                Err(error.of_run(&self.id, next))
            }
            Err(StepFailure::Refused(error)) => Err(error),
        }
    }

    /// A person has seen that the old key has ended. What a call shows counts for more.
    pub(super) async fn confirm_ended(&mut self) -> Result<(), Error> {
        let Some(old) = self.plan.old.clone().filter(|_| abandon::may_have_revoked(&self.steps)) else {
            let message = format!("the run `{}` has not asked the venue to end a key yet", self.id);
            return Err(Error::usage_with(message, abandon::next(&self.plan, &self.steps).advice(&self.id)));
        };
        if !self.did(&Step::Confirmed) {
            if let Life::Alive = self.old_life(&old.id).await? {
                let message = format!("the key {} has not ended: it still works", old.id);
                return Err(Error::usage_with(message, abandon::next(&self.plan, &self.steps).advice(&self.id)));
            }
            self.client.engine.journal.append(&self.id, &Entry::now(Step::Confirmed))?;
            self.steps.push(Step::Confirmed);
            self.client.notify(Event::Confirmed { id: old.id });
        }
        Ok(())
    }

    async fn make_and_replace(&mut self) -> Result<(), StepFailure> {
        self.make().await?;
        self.verify().await?;
        self.promote().await?;
        self.hand_over().await?;
        self.retire().await?;
        self.revoke_late().await
    }

    /// The new key becomes the one to use, the old one the one to be revoked: in one write.
    async fn promote(&mut self) -> Result<(), StepFailure> {
        let mut record = self.record().await?;
        if record.active().is_none_or(|active| active.label != self.plan.label) {
            let old = self.plan.old.as_ref().and_then(|old| old.label.clone());
            for key in &mut record.keys {
                if key.label == self.plan.label {
                    key.state = State::Active;
                } else if old.as_ref() == Some(&key.label) {
                    key.state = State::Retiring;
                }
            }
            self.client.engine.store.put(&record).await?;
        }
        self.note_once(Step::Promoted)
    }

    pub(super) async fn hand_over(&mut self) -> Result<(), StepFailure> {
        if self.did(&Step::HandedOver) {
            return Ok(());
        }
        let (reference, key) = (self.reference()?, self.candidate().await?);
        let public_id = key.and_then(|key| key.public_id).unwrap_or_default();
        let (replaces, by_command) = (self.plan.replaces(), self.plan.by_command);
        let handed = super::Handed { reference, public_id, replaces, by_command };
        let taken = self.client.operator.hand_over(&handed).await;
        taken.map_err(|why| Error::new(Cause::HandOver { why, work: self.plan.work }))?;
        self.note(Step::HandedOver)?;
        if self.plan.work == Work::Rotate {
            self.client.notify(Event::HandedOver);
        }
        Ok(())
    }

    /// The old key's secret is of no use any more; the new one goes by its name at the venue.
    async fn close(&mut self) -> Result<Report, StepFailure> {
        let mut report = Report {
            run: self.id.clone(),
            reference: self.plan.reference.clone(),
            label: None,
            id: None,
            public_id: None,
            revoked: None,
        };
        if self.plan.work != Work::RotateInPlace {
            report.revoked = self.plan.old.as_ref().map(|old| old.id.clone());
        }
        if self.plan.reference.is_some() {
            let mut record = self.record().await?;
            let before = record.clone();
            if let Some(OldKey { label: Some(label), .. }) = &self.plan.old {
                let is_in_place = self.plan.work == Work::RotateInPlace;
                // A process that was stopped before it could note so has given the new secret the old name already.
                if !is_in_place || record.labelled(&self.plan.label).is_some() {
                    record.keys.retain(|key| key.label != *label);
                }
                let renamed = record.keys.iter_mut().find(|key| is_in_place && key.label == self.plan.label);
                renamed.into_iter().for_each(|key| key.label.clone_from(label));
            }
            self.keep(&before, &record).await?;
            if let Some(key) = record.active() {
                report.label = Some(key.label.clone());
                report.id.clone_from(&key.id);
                report.public_id.clone_from(&key.public_id);
            }
        }
        self.note(Step::Done)?;
        Ok(report)
    }

    /// Writes a record if it has changed, and removes one without keys.
    pub(super) async fn keep(&self, before: &Record, after: &Record) -> Result<(), Error> {
        let store = &self.client.engine.store;
        if after.keys.is_empty() {
            return match store.remove(&after.reference).await {
                Ok(()) | Err(StoreError::NotFound(_)) => Ok(()),
                Err(error) => Err(error.into()),
            };
        }
        if before != after {
            store.put(after).await?;
        }
        Ok(())
    }

    pub(super) fn reference(&self) -> Result<Reference, Error> {
        match &self.plan.reference {
            Some(text) => Ok(text.parse()?),
            None => Err(Error::usage(format!("the run `{}` is not about a stored key", self.id))),
        }
    }

    pub(super) async fn record(&self) -> Result<Record, Error> {
        self.client.record(&self.reference()?).await
    }

    /// The new key, as far as the store has it.
    pub(super) async fn candidate(&self) -> Result<Option<StoredKey>, Error> {
        Ok(self.record().await?.labelled(&self.plan.label).cloned())
    }

    /// The old key with its secret, where the store has it.
    pub(super) async fn old_key(&self) -> Result<Option<StoredKey>, Error> {
        let label = self.plan.old.as_ref().and_then(|old| old.label.as_ref());
        match (label, &self.plan.reference) {
            (Some(label), Some(_)) => Ok(self.record().await?.labelled(label).cloned()),
            _ => Ok(None),
        }
    }

    pub(super) async fn put(&self, key: StoredKey) -> Result<(), Error> {
        let mut record = self.record().await?;
        record.keep(key);
        Ok(self.client.engine.store.put(&record).await?)
    }

    /// The store at hand may be another one, or one that was put back from a copy. That it does not have what this run has stored proves
    /// nothing of the key, whose secret may be in use.
    pub(super) fn is_not_stored(&self) -> Result<(), Error> {
        if !self.steps.iter().any(|step| matches!(step, Step::Stored { .. })) {
            return Ok(());
        }
        let reference = self.plan.reference.as_deref().unwrap_or(&self.plan.label);
        let message = format!("the store does not have the new key of `{reference}`, which this run has stored");
        let help = match &self.place {
            Some(place) => format!("use the store that has it: {place}"),
            None => "use the store that has it".to_owned(),
        };
        Err(Error::not_found_with(message, help))
    }

    pub(super) fn note(&mut self, step: Step) -> Result<(), StepFailure> {
        self.client.engine.journal.append(&self.id, &Entry::now(step.clone()))?;
        self.steps.push(step);
        Ok(())
    }

    pub(super) fn note_once(&mut self, step: Step) -> Result<(), StepFailure> {
        if self.did(&step) { Ok(()) } else { self.note(step) }
    }

    pub(super) fn did(&self, step: &Step) -> bool {
        self.steps.contains(step)
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }
}
