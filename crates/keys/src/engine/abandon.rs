//! A run that is given up.

use venuekit_transport::keys::KeyInfo;

use super::difference::Life;
use super::retire::is_not_found;
use super::run::{Run, StepFailure};
use crate::error::{Error, Next};
use crate::event::Event;
use crate::journal::Step;
use crate::record::State;
use crate::task::{Plan, Work};

/// What can be done with a run.
pub(super) fn next(plan: &Plan, steps: &[Step]) -> Next {
    let by_command = plan.by_command && !steps.contains(&Step::HandedOver);
    if steps.contains(&Step::Abandoning) {
        Next::Abandon
    } else if may_have_revoked(steps) || was_taken_over(plan, steps) {
        Next::Resume { by_command }
    } else {
        Next::Either { by_command }
    }
}

pub(super) fn may_have_revoked(steps: &[Step]) -> bool {
    steps.iter().any(|step| matches!(step, Step::Revoking { .. }))
}

fn was_taken_over(plan: &Plan, steps: &[Step]) -> bool {
    plan.work == Work::Rotate && steps.contains(&Step::HandedOver)
}

impl Run<'_> {
    /// Takes back what the run has done, in an order that leaves a working key at any point.
    pub(super) async fn abandon(mut self) -> Result<(), Error> {
        let only_resumed = |why: &str| {
            let message = format!("{why}: the run `{}` can only be resumed", self.id);
            Error::usage_with(message, next(&self.plan, self.steps()).advice(&self.id))
        };
        // What allowed it when it began is gone from the store, or may be.
        let has_begun = self.did(&Step::Abandoning);
        if !has_begun && may_have_revoked(self.steps()) {
            if !self.only_the_old_key_works().await? {
                return Err(only_resumed("the old key may have ended already"));
            }
        } else if !has_begun && was_taken_over(&self.plan, self.steps()) {
            // Users of a key that is dead by now are not harmed.
            match self.new_life().await? {
                Life::Ended { .. } => {}
                Life::Alive => return Err(only_resumed("the consumer uses the new key already")),
                Life::Unproved(error) => return Err(error.of_run(&self.id, next(&self.plan, self.steps()))),
            }
        }
        match self.take_all_back().await {
            Ok(()) => Ok(()),
            Err(StepFailure::Error(error) | StepFailure::Refused(error)) => Err(error.of_run(&self.id, Next::Abandon)),
            Err(StepFailure::Person { what, how }) => Err(Error::usage_with(what, how)),
        }
    }

    /// Whether calls show that the old key, which the venue was asked to end, works, and that the new one has ended.
    async fn only_the_old_key_works(&self) -> Result<bool, Error> {
        let Some(old) = self.plan.old.as_ref().filter(|_| self.plan.work == Work::Rotate) else { return Ok(false) };
        if !matches!(self.new_life().await?, Life::Ended { .. }) {
            return Ok(false);
        }
        // What was sent to end the old one may still come through.
        self.settle().await;
        Ok(matches!(self.old_life(&old.id).await?, Life::Alive))
    }

    async fn take_all_back(&mut self) -> Result<(), StepFailure> {
        // From now on the new key may be gone: a run that went on would end the old one too.
        self.note_once(Step::Abandoning)?;
        let before = self.record().await?;
        let mut after = before.clone();
        for key in &mut after.keys {
            let ours = key.label == self.plan.label;
            match key.state {
                State::Active if ours => key.state = State::Stored,
                State::Retiring if !ours => key.state = State::Active,
                _ => {}
            }
        }
        self.keep(&before, &after).await?;
        let known = after.labelled(&self.plan.label).and_then(|key| key.id.clone());
        let asked = self.steps().iter().any(|step| matches!(step, Step::Asking { .. }));
        let made = match known {
            // The key is the one that was there before.
            _ if self.plan.work == Work::RotateInPlace => Vec::new(),
            Some(id) => vec![KeyInfo::new(id)],
            None if asked => self.find_after_settling().await?,
            None => Vec::new(),
        };
        if asked && made.is_empty() {
            self.notify_late();
        }
        for key in made {
            match self.desk_revoke(&key.id).await {
                Ok(()) => self.wait_until_unlisted(&key.id).await?,
                Err(error) if is_not_found(&error) => {}
                Err(error) => return Err(error.into()),
            }
            self.client.notify(Event::Revoked { id: key.id });
        }
        self.forget_candidate().await?;
        self.note(Step::Abandoned)
    }

    /// By the manager itself: the new key must not be the one that is asked to end itself first.
    async fn desk_revoke(&self, id: &str) -> Result<(), Error> {
        let manager = self.client.manager().await?;
        self.client.call(&manager, |access, factor| access.revoke(id, factor)).await
    }
}
