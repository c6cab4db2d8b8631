//! The new key: made, stored, and found again where its response was lost.

use venuekit_auth::{Algorithm, KeyKind, PrivateKey};
use venuekit_transport::ErrorKind;
use venuekit_transport::keys::{CreatedKey, KeyInfo, NewKey};
use venuekit_wire::{Secret, UnixSeconds};

use super::retire::is_not_found;
use super::run::{Run, StepFailure};
use crate::error::Error;
use crate::event::Event;
use crate::journal::Step;
use crate::record::{Kind, State, StoredKey};
use crate::store::StoreError;
use crate::task::{Origin, Work};

/// A venue is asked so many times for a key whose responses get lost.
const ATTEMPTS: usize = 3;

/// A store that fails right after a key was made is tried so many times.
const WRITES: usize = 3;

impl Run<'_> {
    /// Ends with a key that the venue has and whose secret the store has. Nothing is requested twice before the list has shown
    /// that the first time had no effect, or that effect was undone.
    pub(super) async fn make(&mut self) -> Result<(), StepFailure> {
        for _ in 0..ATTEMPTS {
            let candidate = self.candidate().await?;
            if candidate.as_ref().is_some_and(|key| key.state != State::Prepared) {
                return self.identify().await;
            }
            self.is_not_stored()?;
            if self.may_have_asked()
                && self.recover_lost(candidate.as_ref()).await.map_err(StepFailure::of_open_call)?
            {
                return self.identify().await;
            }
            let pair = self.prepare(candidate).await?;
            self.note(Step::Asking { ours: pair.is_some() })?;
            match self.ask(pair.as_ref()).await {
                Ok(made) => {
                    self.store(made).await?;
                    return self.identify().await;
                }
                Err(error) if error.may_have_been_applied() => {
                    self.client.notify(Event::Unknown { why: venue_message(&error) });
                }
                // An earlier attempt has come through after all.
                Err(error) if error.is(ErrorKind::Conflict) && self.attempts() > 1 => {}
                Err(error) if refuses_pairs(&error) && pair.is_some() && self.plan.origin == Origin::Best => {
                    self.client.notify(Event::VenueMakes { why: venue_message(&error) });
                    self.forget_candidate().await?;
                    self.note(Step::VenueMakes)?;
                }
                // What was prepared is kept for a key that an earlier attempt may still make.
                Err(error) if self.has_open_attempt() => return Err(StepFailure::Error(error.of_open_call())),
                Err(error) => return self.refused(error).await,
            }
        }
        let candidate = self.candidate().await?;
        if self.recover_lost(candidate.as_ref()).await.map_err(StepFailure::of_open_call)? {
            return self.identify().await;
        }
        Err(StepFailure::Person {
            what: format!(
                "the venue was asked {ATTEMPTS} times for a key, and no response could be read; nothing of it is left at the venue"
            ),
            how: format!("See whether the connection to {} holds, then resume.", self.client.account.base_url),
        })
    }

    fn attempts(&self) -> usize {
        self.steps().iter().filter(|step| matches!(step, Step::Asking { .. })).count()
    }

    /// Whether the venue may have a key of this run's that was not accounted for.
    fn may_have_asked(&self) -> bool {
        // Where the venue took no pair, it has said so.
        self.attempts() > usize::from(self.did(&Step::VenueMakes))
    }

    fn venue_makes(&self) -> bool {
        let facts = self.client.facts();
        !facts.takes_pairs() || self.plan.origin == Origin::Venue || self.did(&Step::VenueMakes)
    }

    /// Looks for what an unanswered call has left. A key whose secret the store has is taken; any other is revoked.
    async fn recover_lost(&mut self, candidate: Option<&StoredKey>) -> Result<bool, StepFailure> {
        let found = self.find_after_settling().await?;
        let ours = candidate.filter(|key| key.kind == Kind::PrivateKeyPem && !key.secret.is_empty());
        let mut taken = None;
        for info in found {
            match ours {
                Some(key) if taken.is_none() => {
                    same_pair(key, &info)?;
                    let mut key = key.clone();
                    key.id = Some(info.id.clone());
                    key.public_id = info.public_id.clone();
                    key.state = State::Stored;
                    self.put(key).await?;
                    self.client.notify(Event::Found { id: info.id.clone() });
                    taken = info.public_id;
                }
                _ => self.revoke_unknown(&info).await?,
            }
        }
        if let Some(public_id) = &taken {
            self.note(Step::Stored { public_id: public_id.clone() })?;
        }
        Ok(taken.is_some())
    }

    /// The keys that this run has made, once a call that is still in flight has had time to end.
    pub(super) async fn find_after_settling(&self) -> Result<Vec<KeyInfo>, Error> {
        let found = self.find().await?;
        if !found.is_empty() {
            return Ok(found);
        }
        self.settle().await;
        self.find().await
    }

    /// Gives a call whose response was lost the time to end.
    pub(super) async fn settle(&self) {
        let settle = self.client.engine.settings.settle;
        self.client
            .notify(Event::Waiting { what: "a call whose response was lost may still be in progress", next: settle });
        tokio::time::sleep(settle).await;
    }

    /// The live keys with this run's name.
    pub(super) async fn find(&self) -> Result<Vec<KeyInfo>, Error> {
        let mut found = self.managed_list().await?;
        found.retain(|info| info.name.as_deref() == Some(&self.plan.label) && info.enabled != Some(false));
        Ok(found)
    }

    pub(super) async fn revoke_unknown(&mut self, info: &KeyInfo) -> Result<(), StepFailure> {
        let id = info.id.as_str();
        match self.managed(|access, factor| access.revoke(id, factor)).await {
            Ok(()) => self.wait_until_unlisted(id).await?,
            Err(error) if is_not_found(&error) => {}
            Err(error) => return Err(error.into()),
        }
        self.note(Step::Orphan { id: info.id.clone() })?;
        self.client.notify(Event::Orphan { id: info.id.clone() });
        Ok(())
    }

    /// Has the store ready before the venue is asked: with the pair whose public half is to be registered, or with a place for the
    /// secret that the venue makes, so that a store that cannot be written is found out now.
    async fn prepare(&mut self, candidate: Option<StoredKey>) -> Result<Option<PrivateKey>, StepFailure> {
        let mut place = StoredKey {
            label: self.plan.label.clone(),
            id: None,
            public_id: None,
            kind: Kind::Shared,
            secret: Secret::default(),
            scopes: self.plan.scopes.clone(),
            made: UnixSeconds::now(),
            state: State::Prepared,
            family: self.plan.family.clone(),
        };
        if self.venue_makes() {
            if candidate.is_none() {
                self.put(place).await?;
            }
            return Ok(None);
        }
        if let Some(key) = candidate.filter(|key| !key.secret.is_empty()) {
            return Ok(Some(PrivateKey::from_pem(key.secret.expose()).map_err(venuekit_transport::Error::from)?));
        }
        let kind = match self.plan.origin {
            Origin::Here(kind) => kind,
            _ => self.default_kind().await?,
        };
        let pair = PrivateKey::generate(kind).map_err(venuekit_transport::Error::from)?;
        let algorithm = pair.algorithm();
        self.client.notify(Event::Made { algorithm: algorithm.to_string() });
        if let (Algorithm::Ed25519, Work::Create, Some(clients)) =
            (algorithm, self.plan.work, self.client.facts().without_ed25519())
        {
            let (algorithm, clients) = (algorithm.to_string(), clients.to_owned());
            self.client.notify(Event::Unsupported { algorithm, clients });
        }
        place.kind = Kind::PrivateKeyPem;
        place.secret = pair.private_key_pem();
        self.put(place).await?;
        self.notify_stored();
        Ok(Some(pair))
    }

    /// The kind of the pair that is to be replaced, since its consumer may read no other.
    async fn default_kind(&self) -> Result<KeyKind, StepFailure> {
        let old = self.plan.old.as_ref().and_then(|old| old.label.as_ref());
        let record = self.record().await?;
        let pair = record.keys.iter().find(|key| old == Some(&key.label) && key.kind == Kind::PrivateKeyPem);
        let Some(pair) = pair else { return Ok(KeyKind::Ed25519) };
        let kind = PrivateKey::from_pem(pair.secret.expose()).map_err(venuekit_transport::Error::from)?.kind();
        Ok(if self.client.facts().takes_pair(kind) { kind } else { KeyKind::Ed25519 })
    }

    async fn ask(&self, pair: Option<&PrivateKey>) -> Result<CreatedKey, Error> {
        let mut new = NewKey::named(&self.plan.label);
        // Only a key that takes no other one's place gets what the venue gives by default.
        if self.plan.work != Work::Create || !self.plan.scopes.is_empty() {
            new = new.scopes(&self.plan.scopes);
        }
        if let Some(pair) = pair {
            new = new.pair(pair.clone());
        }
        if let Some(account) = &self.plan.sub_account {
            new = new.sub_account(account);
        }
        new = new.addresses(&self.plan.addresses);
        let always = self.client.facts().always_copies();
        if let Some(old) = self.plan.old.as_ref().filter(|old| old.restricted || always) {
            new = new.like(&old.id);
        }
        self.managed(|access, factor| access.create(new.clone(), factor)).await
    }

    /// The secret into the store, before anything else. If the store fails now, the key is revoked: nobody would have its secret.
    async fn store(&mut self, made: CreatedKey) -> Result<(), StepFailure> {
        let key = StoredKey {
            label: self.plan.label.clone(),
            id: Some(made.id.clone()).filter(|id| !id.is_empty()),
            public_id: Some(made.public_id.clone()),
            kind: made.kind.into(),
            secret: made.secret.clone(),
            scopes: self.plan.scopes.clone(),
            made: UnixSeconds::now(),
            state: State::Stored,
            family: self.plan.family.clone(),
        };
        let ours = self.steps().last() == Some(&Step::Asking { ours: true });
        let mut written = self.put(key.clone()).await;
        for _ in 1..WRITES {
            if written.is_ok() {
                break;
            }
            tokio::time::sleep(self.client.engine.settings.verify.first).await;
            written = self.put(key.clone()).await;
        }
        if let Err(error) = written {
            if let Some(StoreError::Unsynced { .. }) = error.of_store() {
                // The secret is there: the run goes on when it is resumed, and finds the key by its name should the power fail.
                return Err(error.into());
            }
            // A pair of ours is in the store, and the venue's list names it: that can wait. Otherwise what fails here is found by
            // its name when the run is resumed.
            if !ours && let Some(id) = key.id.clone() {
                self.revoke_unknown(&KeyInfo::new(id)).await?;
            }
            return Err(error.into());
        }
        self.note(Step::Stored { public_id: made.public_id })?;
        if !ours {
            self.notify_stored();
        }
        // `made.warning` is the venue's reminder to store the secret, which is done.
        Ok(())
    }

    pub(super) fn notify_stored(&self) {
        if let Some(reference) = &self.plan.reference {
            self.client.notify(Event::Stored { reference: reference.clone() });
        }
    }

    /// The id of a key whose response did not show it; and an end to the keys that earlier attempts have left.
    async fn identify(&mut self) -> Result<(), StepFailure> {
        let Some(mut key) = self.candidate().await? else { return Ok(()) };
        let by_default = key.scopes.is_empty() && !self.client.facts().no_scopes();
        let mut granted = Vec::new();
        if key.id.is_none() || by_default || self.attempts() > 1 {
            let found = self.find().await?;
            if let Some(info) = found.iter().find(|info| is_same(&key, info)) {
                let before = key.clone();
                key.id = Some(info.id.clone());
                if by_default {
                    key.scopes.clone_from(&info.scopes);
                    granted.clone_from(&info.scopes);
                }
                if key != before {
                    self.put(key.clone()).await?;
                }
            }
            self.revoke_others(&key, found).await?;
        }
        if let (false, Some(id)) = (self.did(&Step::Verified), key.id) {
            self.client.notify(Event::Registered { id });
        }
        if !granted.is_empty() {
            self.client.notify(Event::Scopes { scopes: granted });
        }
        Ok(())
    }

    /// An end to what an attempt has left that came through late, after its response was given up.
    pub(super) async fn revoke_late(&mut self) -> Result<(), StepFailure> {
        if self.attempts() > 1
            && let Some(key) = self.candidate().await?
        {
            let found = self.find().await?;
            self.revoke_others(&key, found).await?;
            if self.has_open_attempt() {
                self.notify_late();
            }
        }
        Ok(())
    }

    /// Whether an attempt before the last one, which got a response, may still come through.
    fn has_open_attempt(&self) -> bool {
        // Some were refused, or found and undone.
        let settled = |step: &&Step| matches!(step, Step::Orphan { .. } | Step::VenueMakes);
        self.attempts() > 1 + self.steps().iter().filter(settled).count()
    }

    /// A call was given up, and nobody can wait forever to see what happens to it.
    pub(super) fn notify_late(&self) {
        let (account, name) = (self.plan.account.clone(), self.plan.label.clone());
        self.client.notify(Event::Late { account, name });
    }

    async fn revoke_others(&mut self, key: &StoredKey, found: Vec<KeyInfo>) -> Result<(), StepFailure> {
        for info in found.iter().filter(|info| !is_same(key, info)) {
            self.revoke_unknown(info).await?;
        }
        Ok(())
    }

    /// The venue said no: what was prepared is removed, and the run has ended.
    async fn refused(&mut self, error: Error) -> Result<(), StepFailure> {
        self.forget_candidate().await?;
        self.note(Step::Failed { why: venue_message(&error) })?;
        self.client.notify(Event::Undone);
        Err(StepFailure::Refused(error))
    }

    pub(super) async fn forget_candidate(&self) -> Result<(), Error> {
        let before = self.record().await?;
        let mut after = before.clone();
        after.keys.retain(|key| key.label != self.plan.label);
        self.keep(&before, &after).await
    }
}

/// What the venue said, in its own words.
pub(super) fn venue_message(error: &Error) -> String {
    error.of_venue().map_or_else(|| error.to_string(), |error| error.message().to_owned())
}

/// The venue's own refusal, and not that of something in between, to which no secret may come back.
fn refuses_pairs(error: &Error) -> bool {
    error.is(ErrorKind::Forbidden) && error.of_venue().is_some_and(venuekit_transport::Error::has_known_code)
}

fn is_same(key: &StoredKey, info: &KeyInfo) -> bool {
    match &key.id {
        Some(id) => *id == info.id,
        None => key.public_id == info.public_id,
    }
}

/// A key with our name and another public half is somebody else's: it must not be touched.
fn same_pair(key: &StoredKey, info: &KeyInfo) -> Result<(), StepFailure> {
    let Some(listed) = &info.public_key else { return Ok(()) };
    let pair = PrivateKey::from_pem(key.secret.expose()).map_err(venuekit_transport::Error::from)?;
    let squeezed = |pem: &str| pem.split_whitespace().collect::<String>();
    if squeezed(listed) == squeezed(pair.public_key_pem()) {
        return Ok(());
    }
    Err(StepFailure::Person {
        what: format!("the venue lists a key `{}` ({}) with a public half that is not ours", key.label, info.id),
        how: "Find out who made it; revoke it or give it another name, then resume.".to_owned(),
    })
}
