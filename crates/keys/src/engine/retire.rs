//! The old key: revoked, and proved to fail.

use venuekit_transport::keys::KeyInfo;
use venuekit_transport::{Error as VenueError, ErrorKind};

use super::abandon::may_have_revoked;
use super::account_client::lists_own_key;
use super::difference::Life;
use super::make::venue_message;
use super::run::{Run, StepFailure};
use crate::BoxFuture;
use crate::Credential;
use crate::error::{Cause, Error};
use crate::event::Event;
use crate::journal::Step;
use crate::record::StoredKey;
use crate::task::Work;
use crate::venue_driver::{Access, Factor};

/// Revoking may be repeated: it is about one id.
const ATTEMPTS: usize = 3;

impl Run<'_> {
    pub(super) async fn retire(&mut self) -> Result<(), StepFailure> {
        let Some(old) = self.plan.old.clone() else { return Ok(()) };
        let earlier = self.did(&Step::Revoked);
        if !earlier && !self.did(&Step::Confirmed) {
            self.new_still_works().await?;
            self.note_once(Step::Revoking { id: old.id.clone() })?;
            if self.revoke_old(&old.id).await? {
                self.note(Step::Revoked)?;
                self.client.notify(Event::Revoked { id: old.id.clone() });
            }
        }
        self.prove(&old.id, earlier).await
    }

    /// A key that was verified may have ended since: days may lie between, or the consumer's own work. The old one would be the last.
    async fn new_still_works(&self) -> Result<(), StepFailure> {
        if self.plan.work != Work::Rotate {
            return Ok(());
        }
        match self.new_life().await? {
            Life::Alive => Ok(()),
            Life::Unproved(error) => Err(error.into()),
            Life::Ended { .. } if may_have_revoked(self.steps()) => Err(StepFailure::Person {
                what: "the new key does not work any more, and the venue was asked to revoke the old one".to_owned(),
                how: format!(
                    "Where the old key still works, give the run up: `venuekit keys resume {0} --abandon`. Where it has ended too: \
                     `venuekit keys resume {0} --confirm-ended`, then create another key.",
                    self.id
                ),
            }),
            Life::Ended { .. } => Err(StepFailure::Person {
                what: "the new key does not work any more; the old key was not touched".to_owned(),
                how: format!("Give the run up: `venuekit keys resume {} --abandon`.", self.id),
            }),
        }
    }

    /// Whether the venue itself says that the key no longer exists. Otherwise it is left to the proof.
    async fn revoke_old(&self, id: &str) -> Result<bool, StepFailure> {
        let mut last = None;
        for _ in 0..ATTEMPTS {
            match self.managed(|access, factor| access.revoke(id, factor)).await {
                Ok(()) => return Ok(true),
                Err(error) if is_not_found(&error) => return Ok(true),
                // A key that revoked itself cannot ask again.
                Err(error)
                    if error.of_venue().is_some_and(VenueError::is_unknown_key) && self.old_key_asks().await? =>
                {
                    return Ok(false);
                }
                Err(error) if error.may_have_been_applied() => {
                    self.client.notify(Event::Unknown { why: venue_message(&error) });
                    last = Some(error);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(last.unwrap_or_else(|| Error::usage("no attempt was made")).into())
    }

    /// Whether the key that is to end is one of those that manage the account.
    async fn old_key_asks(&self) -> Result<bool, StepFailure> {
        let Some(old) = self.old_key().await?.as_ref().and_then(StoredKey::credential) else { return Ok(false) };
        let mut managers = self.managers().await?.into_iter();
        Ok(managers.any(|manager| manager.public_id().is_some() && manager.public_id() == old.public_id()))
    }

    /// Tries the old key until a difference shows that it has ended. Without one a person decides, and the store keeps it. A key that
    /// works is revoked once more: at the end, or at once where an `earlier` process did it.
    pub(super) async fn prove(&mut self, id: &str, earlier: bool) -> Result<(), StepFailure> {
        if self.did(&Step::Proved) || self.did(&Step::Confirmed) {
            return Ok(());
        }
        let settings = self.client.engine.settings.prove;
        let mut waits = settings.between();
        let mut may_ask = self.plan.work != Work::RotateInPlace;
        loop {
            let life = self.old_life(id).await?;
            if let Life::Ended { tried } = life {
                self.note(Step::Proved)?;
                self.client.notify(Event::Proved { tried });
                return Ok(());
            }
            let mut next = waits.next();
            if matches!(life, Life::Alive) && may_ask && (earlier || next.is_none()) {
                // The server that responded that it was revoked may not have been the venue.
                may_ask = false;
                self.revoke_old(id).await?;
                next = next.or(Some(settings.first));
            }
            let Some(next) = next else { return Err(self.unproved(id, &life)) };
            let what = match life {
                Life::Alive => "the old key still works",
                _ => "no call shows yet whether the old key has ended",
            };
            self.client.notify(Event::Waiting { what, next });
            tokio::time::sleep(next).await;
        }
    }

    fn unproved(&self, id: &str, life: &Life) -> StepFailure {
        let (page, run) = (self.client.facts().page(&self.client.account.environment), &self.id);
        let (subject, ended) = match self.plan.work {
            Work::RotateInPlace => (format!("the old secret of the key {id}"), "replaced"),
            _ => (format!("the key {id}"), "revoked"),
        };
        let Life::Unproved(error) = life else {
            let accepted = if self.did(&Step::Revoked) || self.plan.work == Work::RotateInPlace {
                "the venue says"
            } else {
                "no response of the venue says"
            };
            return StepFailure::Person {
                what: format!("{accepted} that {subject} was {ended}, and it still works"),
                how: format!("Resume later; if it stays so, revoke it at {page}."),
            };
        };
        StepFailure::Person {
            what: format!("nothing proves that {subject} has ended ({error}); nothing was removed from the store"),
            how: format!(
                "See whether {} can be reached, and whether the key was removed at {page}. Where you have seen that it has ended: \
                 `venuekit keys resume {run} --confirm-ended`. Otherwise resume when the venue responds again.",
                self.client.account.base_url
            ),
        }
    }

    /// Waits until the list has no live key of this id: nobody has its secret, so that no call of its own can show that it has ended.
    pub(super) async fn wait_until_unlisted(&self, id: &str) -> Result<(), Error> {
        let mut waits = self.client.engine.settings.prove.between();
        loop {
            let listed = self.managed_list().await?;
            if listed.iter().all(|info| info.id != id || info.enabled == Some(false)) {
                return Ok(());
            }
            let Some(next) = waits.next() else {
                let why = format!("the key {id} was reported as revoked, and is still listed");
                return Err(Error::new(Cause::NoAnswer(why)));
            };
            tokio::time::sleep(next).await;
        }
    }

    /// The account's keys, by a list that is the venue's own: it has the key that asked for it.
    pub(super) async fn managed_list(&self) -> Result<Vec<KeyInfo>, Error> {
        self.managed_and(|access, factor| access.list(factor), |manager, listed| lists_own_key(manager, listed)).await
    }

    /// A call as the credential that manages the account's keys. While a key takes another one's place, the one that manages may be the one
    /// that ends; then the new one does, and where that may not, the old one itself.
    pub(super) async fn managed<T, F>(&self, call: F) -> Result<T, Error>
    where
        F: for<'x> Fn(&'x dyn Access, &'x Factor) -> BoxFuture<'x, Result<T, VenueError>> + Sync,
    {
        self.managed_and(call, |_, _| Ok(())).await
    }

    async fn managed_and<T, F, C>(&self, call: F, check: C) -> Result<T, Error>
    where
        F: for<'x> Fn(&'x dyn Access, &'x Factor) -> BoxFuture<'x, Result<T, VenueError>> + Sync,
        C: Fn(&Credential, &T) -> Result<(), Error>,
    {
        let ask = async |manager: &Credential| {
            let value = self.client.call(manager, &call).await?;
            check(manager, &value).map(|()| value)
        };
        let mut managers = self.managers().await?.into_iter();
        let Some(first) = managers.next() else { return Err(Error::not_found("no credential manages the keys")) };
        let mut result = ask(&first).await;
        for manager in managers {
            match &result {
                Err(error) if error.is(ErrorKind::Forbidden) || error.is(ErrorKind::Unauthorized) => {
                    let next = ask(&manager).await;
                    // The first one's refusal says more than that of a key that no longer exists.
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
        let base = self.client.manager().await?;
        if !self.client.facts().keys_manage() || !self.did(&Step::Promoted) || self.plan.old.is_none() {
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

/// The venue's own word that there is no such key, and not that of a page in between.
pub(super) fn is_not_found(error: &Error) -> bool {
    error.is(ErrorKind::NotFound) && error.of_venue().is_some_and(VenueError::has_known_code)
}
