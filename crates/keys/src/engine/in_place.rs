//! A new secret for the same key. The old one fails at once, so that another credential must manage the account.

use venuekit_transport::keys::RotatedKey;
use venuekit_wire::{Secret, UnixSeconds};

use super::make::venue_message;
use super::retire::is_not_found;
use super::run::{Run, StepFailure};
use crate::error::Error;
use crate::event::Event;
use crate::journal::Step;
use crate::record::{State, StoredKey};

/// A key whose new secret was lost with its response gets another one.
const ATTEMPTS: usize = 3;

impl Run<'_> {
    pub(super) async fn rotate_in_place(&mut self) -> Result<(), StepFailure> {
        let Some(id) = self.plan.old.as_ref().map(|old| old.id.clone()) else { return Ok(()) };
        self.replace(&id).await?;
        self.verify().await?;
        self.hand_over().await?;
        self.prove(&id, false).await
    }

    /// Ends with the new secret in the store. A secret that was lost is replaced by the next one.
    async fn replace(&mut self, id: &str) -> Result<(), StepFailure> {
        if self.did(&Step::Proved) || self.did(&Step::Confirmed) {
            return Ok(());
        }
        for _ in 0..ATTEMPTS {
            if self.candidate().await?.is_some_and(|key| key.state != State::Prepared) {
                return Ok(());
            }
            self.is_not_stored()?;
            let Some(old) = self.old_key().await? else {
                return Err(Error::not_found("the store has lost the key that is to be rotated").into());
            };
            let place = StoredKey {
                label: self.plan.label.clone(),
                // The key of that id is the one that is in use.
                id: None,
                secret: Secret::default(),
                state: State::Prepared,
                ..old.clone()
            };
            self.put(place).await?;
            let first = !self.did(&Step::Revoking { id: id.to_owned() });
            if !first {
                // Coming later than the next call, it would replace the secret that this one returns.
                self.settle().await;
            }
            self.note_once(Step::Revoking { id: id.to_owned() })?;
            match self.managed(|access, factor| access.rotate(id, factor)).await {
                Ok(made) => return self.store_replaced(old, made).await,
                Err(error) if error.may_have_been_applied() => {
                    self.client.notify(Event::Unknown { why: venue_message(&error) });
                }
                Err(error) if first => {
                    self.forget_candidate().await?;
                    self.note(Step::Failed { why: venue_message(&error) })?;
                    self.client.notify(Event::Undone);
                    return Err(StepFailure::Refused(error));
                }
                Err(error) if is_not_found(&error) => {
                    return Err(StepFailure::Person {
                        what: format!("the key {id} was removed while its secret was being replaced"),
                        how: "Make a new key, then remove this one from the store.".to_owned(),
                    });
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(StepFailure::Person {
            what: format!("the venue was asked {ATTEMPTS} times for a new secret, and no response came through"),
            how: "The old secret may have ended already. Resume as soon as the venue can be reached.".to_owned(),
        })
    }

    /// The new secret becomes the one to use in the write that stores it: the old one fails already.
    async fn store_replaced(&mut self, old: StoredKey, made: RotatedKey) -> Result<(), StepFailure> {
        let made = made.key;
        let mut record = self.record().await?;
        for key in &mut record.keys {
            key.state = State::Retiring;
        }
        let public_id = Some(made.public_id).filter(|id| !id.is_empty()).or_else(|| old.public_id.clone());
        record.keep(StoredKey {
            label: self.plan.label.clone(),
            public_id: public_id.clone(),
            kind: made.kind.into(),
            secret: made.secret,
            made: UnixSeconds::now(),
            state: State::Active,
            ..old
        });
        self.client.engine.store.put(&record).await?;
        self.note(Step::Stored { public_id: public_id.unwrap_or_default() })?;
        self.notify_stored();
        self.client.notify(Event::Replaced { id: made.id });
        Ok(())
    }
}
