//! Whether a key has ended. A refusal alone does not show it: an outage, a proxy or a firewall refuses everybody. What shows it is a
//! difference: the old key is refused in the venue's own words for an unknown key, while another credential works.

use super::account_client::AccountClient;
use super::run::Run;
use super::verify::ProbeOutcome;
use crate::Credential;
use crate::error::{Cause, Error};
use crate::journal::Step;
use crate::record::StoredKey;
use crate::task::Work;

/// What a round of calls has shown of a key.
#[derive(Debug)]
pub(super) enum Life {
    /// It has ended.
    Ended {
        /// A call that it signed has failed. Otherwise the account's list no longer has it.
        tried: bool,
    },
    /// It works.
    Alive,
    /// Neither: the reason.
    Unproved(Error),
}

impl AccountClient<'_> {
    /// One round at one server: the key, then the witness, then the key again. An outage that begins or ends in between shows in one
    /// of the three.
    pub(super) async fn life(&self, key: &Credential, witness: &Credential) -> Result<Life, Error> {
        if let Some(life) = self.unless_unknown(key).await? {
            return Ok(life);
        }
        if let Err(error) = self.witnesses(witness).await {
            return Ok(Life::Unproved(error));
        }
        Ok(self.unless_unknown(key).await?.unwrap_or(Life::Ended { tried: true }))
    }

    /// None where the venue says that it does not know the key.
    async fn unless_unknown(&self, key: &Credential) -> Result<Option<Life>, Error> {
        Ok(match self.probe_key(key).await? {
            ProbeOutcome::Works { .. } => Some(Life::Alive),
            ProbeOutcome::Unknown(_) => None,
            ProbeOutcome::Nothing(error) => Some(Life::Unproved(error)),
        })
    }

    /// Whether a credential works now. A session lists the keys, which is what it is for.
    async fn witnesses(&self, credential: &Credential) -> Result<(), Error> {
        if let Credential::Session { .. } | Credential::Login { .. } = credential {
            return self.call(credential, |access, factor| access.list(factor)).await.map(drop);
        }
        match self.probe_key(credential).await? {
            ProbeOutcome::Works { .. } => Ok(()),
            ProbeOutcome::Unknown(error) | ProbeOutcome::Nothing(error) => Err(error),
        }
    }
}

impl Run<'_> {
    /// Whether the key that is to end has ended.
    pub(super) async fn old_life(&self, id: &str) -> Result<Life, Error> {
        let Some(old) = self.old_key().await?.as_ref().and_then(StoredKey::credential) else {
            return self.listed_life(id).await;
        };
        // Where a refusal says nothing of the key alone, the list does.
        if !self.client.facts().has_words_for_unknown_keys() {
            return match self.client.probe_key(&old).await? {
                ProbeOutcome::Works { .. } => Ok(Life::Alive),
                ProbeOutcome::Unknown(_) | ProbeOutcome::Nothing(_) => self.listed_life(id).await,
            };
        }
        if let Some(witness) = self.witness(&old).await? {
            return self.client.life(&old, &witness).await;
        }
        // It has managed the account alone, and worked until the venue responded that it was revoked: a difference in time.
        if !self.did(&Step::Revoked) {
            let why = "the key was the only one here that manages the account, and no response of the venue says that it was revoked";
            return Ok(Life::Unproved(Error::new(Cause::NoAnswer(why.to_owned()))));
        }
        for _ in 0..2 {
            if let Some(life) = self.client.unless_unknown(&old).await? {
                return Ok(life);
            }
        }
        Ok(Life::Ended { tried: true })
    }

    /// Whether the new key, which has taken the old one's place, has ended since; the old one is the witness.
    pub(super) async fn new_life(&self) -> Result<Life, Error> {
        let of = |key: Option<StoredKey>| key.as_ref().and_then(StoredKey::credential);
        let (Some(new), Some(old)) = (of(self.candidate().await?), of(self.old_key().await?)) else {
            return Err(Error::not_found(format!("the store has lost the key `{}`, or the old one", self.plan.label)));
        };
        self.client.life(&new, &old).await
    }

    /// What works if the venue does: the new key, or the credential that manages the account.
    async fn witness(&self, old: &Credential) -> Result<Option<Credential>, Error> {
        if self.plan.work != Work::Revoke {
            return Ok(self.candidate().await?.as_ref().and_then(StoredKey::credential));
        }
        let manager = self.client.manager().await?;
        Ok(Some(manager).filter(|manager| manager.public_id().is_none_or(|id| old.public_id() != Some(id))))
    }

    /// By the account's list, where the store does not have the secret.
    async fn listed_life(&self, id: &str) -> Result<Life, Error> {
        let listed = match self.managed_list().await {
            Ok(listed) => listed,
            Err(error) => return Ok(Life::Unproved(error)),
        };
        if listed.iter().any(|info| info.id == id && info.enabled != Some(false)) {
            return Ok(Life::Alive);
        }
        if listed.is_empty() {
            let why = "the account's list is empty, as any other server's could be";
            return Ok(Life::Unproved(Error::new(Cause::NoAnswer(why.to_owned()))));
        }
        Ok(Life::Ended { tried: false })
    }
}
