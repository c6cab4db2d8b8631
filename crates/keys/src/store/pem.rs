//! One key in a PEM file.

use std::path::PathBuf;

use venuekit_auth::PrivateKey;
use venuekit_wire::Secret;

use super::environment::only;
use super::{Store, StoreError, StoreFuture, atomic};
use crate::record::{Kind, Record};
use crate::reference::Reference;

/// One key in a PEM file that somebody else keeps. It can only be read.
#[derive(Clone, Debug)]
pub struct PemStore {
    reference: Reference,
    public_id: String,
    path: PathBuf,
    passphrase: Option<Secret>,
}

const WHAT: &str = "a PEM file";

impl PemStore {
    /// A key in this file. A file that others may read is refused when it is read.
    pub fn new(reference: Reference, public_id: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self { reference, public_id: public_id.into(), path: path.into(), passphrase: None }
    }

    /// The same for an encrypted file (PKCS#8, PBES2).
    #[must_use]
    pub fn with_passphrase(self, passphrase: Secret) -> Self {
        Self { passphrase: Some(passphrase), ..self }
    }

    fn record(&self) -> Result<Option<Record>, StoreError> {
        let Some(bytes) = atomic::read(&self.path)? else { return Ok(None) };
        let key = match &self.passphrase {
            Some(passphrase) => PrivateKey::from_pem_with_passphrase(&*bytes, passphrase),
            None => PrivateKey::from_pem(&*bytes),
        };
        let key = key.map_err(|error| StoreError::corrupted(self.path.display().to_string(), error.to_string()))?;
        Ok(Some(only(&self.reference, self.public_id.clone(), key.private_key_pem(), Kind::PrivateKeyPem)))
    }
}

impl Store for PemStore {
    fn get<'a>(&'a self, reference: &'a Reference) -> StoreFuture<'a, Record> {
        Box::pin(async move {
            let record = self.record()?.filter(|record| record.reference == *reference);
            record.ok_or_else(|| StoreError::NotFound(reference.clone()))
        })
    }

    fn put<'a>(&'a self, _: &'a Record) -> StoreFuture<'a, ()> {
        Box::pin(async { Err(StoreError::ReadOnly(WHAT)) })
    }

    fn list(&self) -> StoreFuture<'_, Vec<Reference>> {
        Box::pin(async { Ok(self.record()?.map(|record| record.reference).into_iter().collect()) })
    }

    fn remove<'a>(&'a self, _: &'a Reference) -> StoreFuture<'a, ()> {
        Box::pin(async { Err(StoreError::ReadOnly(WHAT)) })
    }
}
