//! The old key: revoked, and proved to fail.

use venuekit_transport::{Error as VenueError, ErrorKind};

use super::make::said;
use super::run::{Halt, Run};
use super::verify::Shown;
use crate::BoxFuture;
use crate::credential::Credential;
use crate::error::Error;
use crate::event::Event;
use crate::journal::Step;
use crate::recipe::{Access, Factor};
use crate::record::StoredKey;
use crate::task::Work;

/// Revoking may be repeated: it is about one id.
const ATTEMPTS: usize = 3;

impl Run<'_> {
    pub(super) async fn retire(&mut self) -> Result<(), Halt> {
        let Some(old) = self.plan.old.clone() else { return Ok(()) };
        if !self.did(&Step::Revoked) {
            self.new_still_works().await?;
            self.note_once(Step::Revoking { id: old.id.clone() })?;
            self.revoke_old(&old.id).await?;
            self.note(Step::Revoked)?;
            self.desk.tell(Event::Revoked { id: old.id.clone() });
        }
        self.prove(&old.id).await
    }

    /// A key that was verified may have ended since: days may lie between, or the consumer's own work. The old one would be the last.
    async fn new_still_works(&self) -> Result<(), Halt> {
        if self.plan.work != Work::Rotate {
            return Ok(());
        }
        match self.new_fails().await? {
            None => Ok(()),
            Some(error) => Err(Halt::Person {
                what: format!("the new key does not work any more ({error}); the old key was not touched"),
                how: format!("Give the run up: `venuekit keys resume {} --abandon`.", self.id),
            }),
        }
    }

    /// What a call with the new key says if the venue does not know it any more.
    pub(super) async fn new_fails(&self) -> Result<Option<Error>, Error> {
        let Some(credential) = self.candidate().await?.as_ref().and_then(StoredKey::credential) else {
            return Err(Error::not_found(format!("the store has lost the key `{}`", self.plan.label)));
        };
        match self.desk.try_key(&credential).await? {
            Shown::Works { .. } => Ok(None),
            Shown::Unknown(error) => Ok(Some(error)),
            Shown::Nothing(error) => Err(error),
        }
    }

    async fn revoke_old(&self, id: &str) -> Result<(), Halt> {
        let mut last = None;
        for _ in 0..ATTEMPTS {
            match self.managed(|access, factor| access.revoke(id, factor)).await {
                Ok(()) => return Ok(()),
                Err(error) if error.is(ErrorKind::NotFound) => return Ok(()),
                // A key that revoked itself cannot ask again.
                Err(error) if error.is(ErrorKind::Unauthorized) && self.old_fails().await? == Some(true) => {
                    return Ok(());
                }
                Err(error) if error.may_have_been_applied() => {
                    self.desk.tell(Event::Unknown { why: said(&error) });
                    last = Some(error);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(last.unwrap_or_else(|| Error::usage("no attempt was made")).into())
    }

    /// Whether a call with the old secret fails; none where the store does not have it.
    async fn old_fails(&self) -> Result<Option<bool>, Error> {
        let Some(credential) = self.old_key().await?.as_ref().and_then(StoredKey::credential) else { return Ok(None) };
        match self.desk.try_key(&credential).await? {
            Shown::Works { .. } => Ok(Some(false)),
            Shown::Unknown(_) => Ok(Some(true)),
            Shown::Nothing(error) => Err(error),
        }
    }

    /// Tries the old key until it fails.
    pub(super) async fn prove(&mut self, id: &str) -> Result<(), Halt> {
        if self.did(&Step::Proved) {
            return Ok(());
        }
        let mut waits = self.desk.engine.settings.prove.between();
        loop {
            let gone = match self.old_fails().await {
                Ok(Some(fails)) => Ok(fails),
                Ok(None) => self.is_unlisted(id).await,
                Err(error) => Err(error),
            };
            if let Ok(true) = gone {
                self.note(Step::Proved)?;
                self.desk.tell(Event::Proved { tried: self.old_key().await?.is_some() });
                return Ok(());
            }
            let Some(next) = waits.next() else {
                gone?;
                return Err(Halt::Person {
                    what: format!("the venue says that the key {id} was revoked, and it still answers"),
                    how: format!("Resume later; if it stays so, revoke it at {}.", self.desk.facts().page),
                });
            };
            let what = if gone.is_ok() { "the old key still answers" } else { "the venue does not answer" };
            self.desk.tell(Event::Waiting { what, next });
            tokio::time::sleep(next).await;
        }
    }

    /// Whether the list has no live key of this id.
    async fn is_unlisted(&self, id: &str) -> Result<bool, Error> {
        let listed = self.managed(|access, factor| access.list(factor)).await?;
        Ok(listed.iter().all(|info| info.id != id || info.enabled == Some(false)))
    }

    /// A call as whoever manages the account's keys. While a key takes another one's place, the one that manages may be the one
    /// that ends; then the new one does, and where that may not, the old one itself.
    pub(super) async fn managed<T, F>(&self, call: F) -> Result<T, Error>
    where
        F: for<'x> Fn(&'x dyn Access, &'x Factor) -> BoxFuture<'x, Result<T, VenueError>> + Sync,
    {
        let mut managers = self.managers().await?.into_iter();
        let Some(first) = managers.next() else { return Err(Error::not_found("no credential manages the keys")) };
        let mut result = self.desk.call(&first, &call).await;
        for manager in managers {
            match &result {
                Err(error) if error.is(ErrorKind::Forbidden) || error.is(ErrorKind::Unauthorized) => {
                    let next = self.desk.call(&manager, &call).await;
                    // The first one's refusal says more than that of a key that is gone.
                    if !next.as_ref().is_err_and(|error| error.is(ErrorKind::Unauthorized)) {
                        result = next;
                    }
                }
                _ => break,
            }
        }
        result
    }

    async fn managers(&self) -> Result<Vec<Credential>, Error> {
        let base = self.desk.manager().await?;
        if !self.desk.facts().keys_manage || !self.did(&Step::Promoted) || self.plan.old.is_none() {
            return Ok(vec![base]);
        }
        let of = |key: Option<StoredKey>| key.as_ref().and_then(StoredKey::credential);
        let (new, old) = (of(self.candidate().await?), of(self.old_key().await?));
        let is_old = old.as_ref().is_some_and(|old| old.public_id() == base.public_id());
        let mut managers: Vec<Credential> = if is_old { Vec::new() } else { vec![base] };
        for credential in [new, old].into_iter().flatten() {
            if managers.iter().all(|manager| manager.public_id() != credential.public_id()) {
                managers.push(credential);
            }
        }
        Ok(managers)
    }
}
