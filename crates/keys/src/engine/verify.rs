//! Whether a key works.

use std::time::Instant;

use venuekit_transport::ErrorKind;

use super::account_client::AccountClient;
use super::run::{Run, StepFailure};
use crate::Credential;
use crate::error::{Cause, Error};
use crate::event::Event;
use crate::journal::Step;
use crate::record::StoredKey;

/// What a call with a key has shown.
#[derive(Debug)]
pub(super) enum ProbeOutcome {
    /// It works. The text says what the venue does not allow it.
    Works { millis: u64, refused: Option<String> },
    /// The venue says in its own words that it does not know it, or not its secret.
    Unknown(Error),
    /// Nothing: no response came, or one that anybody could have given.
    Nothing(Error),
}

impl AccountClient<'_> {
    /// One call with a key.
    pub(super) async fn probe_key(&self, credential: &Credential) -> Result<ProbeOutcome, Error> {
        let access = self.connect(credential)?;
        let begun = Instant::now();
        let result = access.works().await;
        let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let Err(error) = result else { return Ok(ProbeOutcome::Works { millis, refused: None }) };
        Ok(match error.kind() {
            _ if error.is_unknown_key() => ProbeOutcome::Unknown(error.into()),
            // The venue knows the key, or it would not know what the key may do. A server in between has no such code.
            ErrorKind::Forbidden if error.has_known_code() && !error.is_login_failure() => {
                ProbeOutcome::Works { millis, refused: Some(error.message().to_owned()) }
            }
            ErrorKind::InvalidRequest if error.status().is_none() => return Err(error.into()),
            // Whatever the call was, nothing of it is left: only the response was of interest.
            _ if error.may_have_been_applied() => {
                let why = format!("{}: {}", error.operation().unwrap_or_default(), error.message());
                ProbeOutcome::Nothing(Error::new(Cause::NoAnswer(why)))
            }
            _ => ProbeOutcome::Nothing(error.into()),
        })
    }
}

impl Run<'_> {
    /// Tries the new key until it works. Some venues need a while to know it.
    pub(super) async fn verify(&mut self) -> Result<(), StepFailure> {
        if self.did(&Step::Verified) {
            return Ok(());
        }
        let key = self.candidate().await?;
        let Some(credential) = key.as_ref().and_then(StoredKey::credential) else {
            return Err(Error::not_found(format!("the store has lost the key `{}`", self.plan.label)).into());
        };
        let mut waits = self.client.engine.settings.verify.between();
        loop {
            let shown = self.client.probe_key(&credential).await?;
            let (what, error) = match shown {
                ProbeOutcome::Works { millis, refused } => {
                    self.note(Step::Verified)?;
                    self.client.notify(Event::Verified { millis, refused });
                    return Ok(());
                }
                ProbeOutcome::Unknown(error) => ("the venue does not know the new key yet", error),
                ProbeOutcome::Nothing(error) => ("no response of the venue shows that the new key works", error),
            };
            let Some(next) = waits.next() else { return Err(self.does_not_work(error)) };
            self.client.notify(Event::Waiting { what, next });
            tokio::time::sleep(next).await;
        }
    }

    fn does_not_work(&self, error: Error) -> StepFailure {
        if !error.is(ErrorKind::Unauthorized) {
            return StepFailure::Error(error);
        }
        let old = if self.plan.work == crate::task::Work::Rotate { " The old key was not touched." } else { "" };
        StepFailure::Person {
            what: format!("the new key is stored, and the venue still refuses it ({error}).{old}"),
            how: "Some venues take minutes: resume later. If it stays so, give the run up.".to_owned(),
        }
    }
}
