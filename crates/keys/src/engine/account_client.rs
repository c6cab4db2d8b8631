//! Calls to one account: with which credential, and with which second factor.

use venuekit_transport::keys::KeyInfo;
use venuekit_transport::{Error as VenueError, ErrorKind};
use venuekit_wire::{Secret, UnixSeconds};

use super::{Engine, Operator};
use crate::BoxFuture;
use crate::Credential;
use crate::account::Account;
use crate::error::{Cause, Error};
use crate::event::Event;
use crate::record::{Kind, Record, State, StoredKey};
use crate::reference::Reference;
use crate::store::StoreError;
use crate::venue_driver::{self, Access, Factor, Facts};

/// What manages an account's keys.
#[derive(Clone, Debug)]
pub enum Manager {
    /// This credential.
    Given(Credential),
    /// The key that the store has under this name.
    Stored(Reference),
}

/// So many codes are asked for in one call: people mistype.
const CODES: usize = 2;

/// The name of the session that is kept between runs.
const SESSION: &str = "@session";

/// One account, and who works on it.
#[derive(Clone, Copy)]
pub(super) struct AccountClient<'a> {
    pub(super) engine: &'a Engine,
    pub(super) account: &'a Account,
    pub(super) manager: &'a Manager,
    pub(super) operator: &'a dyn Operator,
}

impl<'a> AccountClient<'a> {
    pub(super) fn new(
        engine: &'a Engine,
        account: &'a Account,
        manager: &'a Manager,
        operator: &'a dyn Operator,
    ) -> Self {
        Self { engine, account, manager, operator }
    }

    pub(super) fn facts(&self) -> Facts {
        venue_driver::facts(self.account)
    }

    pub(super) fn notify(&self, event: Event) {
        self.operator.notify(&event);
    }

    /// A stored record, or an empty one.
    pub(super) async fn record(&self, reference: &Reference) -> Result<Record, Error> {
        if !reference.is_of(self.account) {
            return Err(Error::usage(format!("`{reference}` is not a key of {}", self.account)));
        }
        match self.engine.store.get(reference).await {
            Ok(record) => Ok(record),
            Err(StoreError::NotFound(_)) => Ok(Record::new(reference.clone())),
            Err(error) => Err(error.into()),
        }
    }

    /// What manages the account's keys.
    pub(super) async fn manager(&self) -> Result<Credential, Error> {
        let reference = match self.manager {
            Manager::Given(credential) => return Ok(credential.clone()),
            Manager::Stored(reference) => reference,
        };
        let record = self.record(reference).await?;
        if let Some(active) = record.active().and_then(StoredKey::credential) {
            return Ok(active);
        }
        // It is being made.
        self.engine.none_unfinished_of(self.account, reference).await?;
        Err(Error::not_found(format!("the store has no key `{reference}` that is ready for use")))
    }

    pub(super) fn connect(&self, credential: &Credential) -> Result<Box<dyn Access>, Error> {
        Ok(venue_driver::connect(self.account, credential, &self.engine.settings.network())?)
    }

    /// Some venues have calls for keys in one of their environments only.
    pub(super) fn check_environment(&self) -> Result<(), Error> {
        let environment = &self.account.environment;
        let Some(only) = self.facts().only_in(environment) else { return Ok(()) };
        let message = format!("{} has calls for keys in {only} only, and this is {environment}", self.account.venue);
        let help = format!("Keys of {environment} are made and ended at {}.", self.facts().page(environment));
        Err(Error::usage_with(message, help))
    }

    /// The account's keys, as its manager lists them.
    pub(super) async fn list(&self) -> Result<Vec<KeyInfo>, Error> {
        let manager = self.manager().await?;
        self.call(&manager, |access, factor| access.list(factor)).await
    }

    /// A call with a credential, which asks for one-time codes where the venue does.
    pub(super) async fn call<T, F>(&self, credential: &Credential, call: F) -> Result<T, Error>
    where
        F: for<'x> Fn(&'x dyn Access, &'x Factor) -> BoxFuture<'x, Result<T, VenueError>> + Sync,
    {
        let Credential::Login { email, password } = credential else {
            return self.with_codes(&*self.connect(credential)?, &call).await;
        };
        if let Some(session) = self.kept_session(email).await? {
            match self.with_codes(&*self.connect(&session)?, &call).await {
                // The session has ended, and the call was not carried out.
                Err(error) if error.is(ErrorKind::Unauthorized) => {}
                other => return other,
            }
        }
        let session = self.log_in(email, password).await?;
        self.with_codes(&*self.connect(&session)?, &call).await
    }

    async fn with_codes<T, F>(&self, access: &dyn Access, call: &F) -> Result<T, Error>
    where
        F: for<'x> Fn(&'x dyn Access, &'x Factor) -> BoxFuture<'x, Result<T, VenueError>> + Sync,
    {
        let mut factor = Factor::None;
        let mut codes = 0;
        loop {
            let error = match call(access, &factor).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            if codes == CODES || error.may_have_been_applied() {
                return Err(error.into());
            }
            // A second challenge after a wrong code was already reported.
            let carried_code = !matches!(factor, Factor::None);
            if carried_code && (access.wants_code(&error) || access.was_wrong_code(&error)) {
                self.notify(Event::Warning { text: "the venue did not take the one-time code".to_owned() });
            }
            if access.wants_code(&error) {
                let code = self.operator.code(self.account).await;
                let code = code.map_err(|why| Error::new(Cause::Code(why)))?;
                codes += 1;
                factor = match error.challenge() {
                    Some(challenge) => Factor::Answer(challenge.clone(), code),
                    None => Factor::Code(code),
                };
            } else if access.was_wrong_code(&error) {
                // The next challenge comes with the next call.
                factor = Factor::None;
            } else {
                return Err(error.into());
            }
        }
    }

    /// A venue may accept one login in two minutes: a session that an earlier run opened is used again.
    async fn kept_session(&self, email: &str) -> Result<Option<Credential>, Error> {
        let record = self.record(&self.session_reference()).await?;
        Ok(record.labelled(email).and_then(StoredKey::credential))
    }

    async fn log_in(&self, email: &str, password: &Secret) -> Result<Credential, Error> {
        let opened = venue_driver::log_in(self.account, email, password, &self.engine.settings.network()).await?;
        let device_id = opened.id.unwrap_or_default();
        let kept = StoredKey {
            label: email.to_owned(),
            id: None,
            public_id: Some(device_id.expose().to_owned()),
            kind: Kind::Session,
            secret: opened.token.clone(),
            scopes: Vec::new(),
            made: UnixSeconds::now(),
            state: State::Active,
            family: None,
        };
        let record = Record { reference: self.session_reference(), keys: vec![kept] };
        // A session that is not kept costs two minutes and nothing else; a store that cannot be written reports that with the key.
        let _ = self.engine.store.put(&record).await;
        Ok(Credential::Session { token: opened.token, device_id })
    }

    fn session_reference(&self) -> Reference {
        let Account { venue, environment, .. } = self.account;
        Reference { venue: *venue, environment: environment.clone(), name: SESSION.to_owned() }
    }
}

impl Error {
    /// Whether the venue said this.
    pub(super) fn is(&self, kind: ErrorKind) -> bool {
        self.of_venue().is_some_and(|error| error.kind() == kind)
    }

    /// Whether the venue may have done what it was asked for.
    pub(super) fn may_have_been_applied(&self) -> bool {
        self.of_venue().is_some_and(VenueError::may_have_been_applied)
    }
}

/// A list that leaves out the key that asked for it is not the venue's, or not the whole of it. It shows nothing of other keys.
pub(super) fn lists_own_key(manager: &Credential, listed: &[KeyInfo]) -> Result<(), Error> {
    match manager.public_id() {
        Some(own) if listed.iter().all(|info| info.public_id.as_deref() != Some(own)) => {
            let why = "the list of keys leaves out the key that asked for it: it is not the venue's, or not whole";
            Err(Error::new(Cause::NoAnswer(why.to_owned())))
        }
        _ => Ok(()),
    }
}
