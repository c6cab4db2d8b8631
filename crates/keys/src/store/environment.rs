//! One key in environment variables.

use std::env;

use venuekit_wire::{Secret, UnixSeconds};

use super::{Store, StoreError, StoreFuture};
use crate::record::{Kind, Record, State, StoredKey};
use crate::reference::Reference;

/// One key in two environment variables. It can only be read.
#[derive(Clone, Debug)]
pub struct EnvironmentStore {
    reference: Reference,
    public_id: String,
    secret: String,
    kind: Kind,
}

const WHAT: &str = "the environment";

impl EnvironmentStore {
    /// A key in these two variables.
    pub fn new(
        reference: Reference,
        public_id_variable: impl Into<String>,
        secret_variable: impl Into<String>,
        kind: Kind,
    ) -> Self {
        Self { reference, public_id: public_id_variable.into(), secret: secret_variable.into(), kind }
    }

    fn record(&self) -> Option<Record> {
        let public_id = env::var(&self.public_id).ok().filter(|text| !text.is_empty())?;
        let secret = env::var(&self.secret).ok().filter(|text| !text.is_empty()).map(Secret::new)?;
        Some(only(&self.reference, public_id, secret, self.kind))
    }
}

/// A record of one key of which no more is known.
pub(super) fn only(reference: &Reference, public_id: String, secret: Secret, kind: Kind) -> Record {
    let key = StoredKey {
        label: reference.name.clone(),
        id: None,
        public_id: Some(public_id),
        kind,
        secret,
        scopes: Vec::new(),
        made: UnixSeconds::default(),
        state: State::Active,
        family: None,
    };
    Record { reference: reference.clone(), keys: vec![key] }
}

impl Store for EnvironmentStore {
    fn get<'a>(&'a self, reference: &'a Reference) -> StoreFuture<'a, Record> {
        Box::pin(async move {
            let record = self.record().filter(|record| record.reference == *reference);
            record.ok_or_else(|| StoreError::NotFound(reference.clone()))
        })
    }

    fn put<'a>(&'a self, _: &'a Record) -> StoreFuture<'a, ()> {
        Box::pin(async { Err(StoreError::ReadOnly(WHAT)) })
    }

    fn list(&self) -> StoreFuture<'_, Vec<Reference>> {
        Box::pin(async { Ok(self.record().map(|record| record.reference).into_iter().collect()) })
    }

    fn remove<'a>(&'a self, _: &'a Reference) -> StoreFuture<'a, ()> {
        Box::pin(async { Err(StoreError::ReadOnly(WHAT)) })
    }
}
