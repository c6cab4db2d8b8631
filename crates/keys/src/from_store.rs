//! A venue's credentials, made of a key that is stored.

use std::future::Future;

use tokio::task;
use venuekit_transport::credential_parts::FromCredentialParts;
use venuekit_transport::environment;
use venuekit_transport::flaw::is_key_text;

use crate::error::Error;
use crate::record::Record;
use crate::reference::Reference;
use crate::store::{Store, StoreError};
use crate::store_location::StoreLocation;

/// Credentials of a key that the command `venuekit`, or an [`Engine`](crate::Engine), has stored. Each venue's `Credentials` have it.
///
/// ```no_run
/// use venuekit_kalshi::{Client, Credentials, Environment};
/// use venuekit_keys::FromStore;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// // Made by `venuekit keys create kalshi/demo/bot`.
/// let credentials = Credentials::from_store("kalshi/demo/bot").await?;
/// let kalshi = Client::builder(Environment::Demo).credentials(credentials).build()?;
/// # Ok(()) }
/// ```
///
/// The credentials belong to the environment in the key's name: a client of another one refuses them, so that a demo key never gets to
/// production. They are those of now; after `venuekit keys rotate` read them again.
pub trait FromStore: FromCredentialParts + Send {
    /// From the store that the command uses on this machine: [`StoreLocation::of_command`].
    ///
    /// # Errors
    /// An invalid name, or that of another venue's key; a store that cannot be opened, does not have the key, or whose key is not ready
    /// for use.
    fn from_store(name: &str) -> impl Future<Output = Result<Self, Error>> + Send {
        async move {
            // Before anything is opened.
            reference(Self::VENUE, name)?;
            Self::from_store_at(&StoreLocation::of_command()?, name).await
        }
    }

    /// From the store at another place, or with a passphrase of the caller's.
    ///
    /// # Errors
    /// As those of [`from_store`](Self::from_store).
    fn from_store_at(place: &StoreLocation, name: &str) -> impl Future<Output = Result<Self, Error>> + Send {
        async move {
            let (reference, environment) = reference(Self::VENUE, name)?;
            let place = place.clone();
            // A passphrase takes half a second of work.
            let opened = task::spawn_blocking(move || place.open_to_read()).await;
            let store = opened.map_err(|_| Error::usage("the runtime ends, and nothing is read any more"))??;
            let record = get(&*store, &reference).await?;
            let credential = credential(&record, &reference)?;
            let made = Self::from_credential_parts(&[credential]).map_err(|error| {
                Error::usage(format!("the stored key {reference} cannot be used: {}", error.message()))
            })?;
            Ok(made.of_environment(environment))
        }
    }
}

impl<C: FromCredentialParts + Send> FromStore for C {}

type Table = &'static venuekit_wire::operation::Venue;

/// What a text names, and the environment as the venue's table has it.
fn reference(venue: Table, name: &str) -> Result<(Reference, &'static str), Error> {
    // Not even in part: it may be a secret.
    if is_key_text(name) {
        return Err(Error::usage("what was given as the name of a key is a key itself: write VENUE/ENVIRONMENT/NAME"));
    }
    let reference: Reference = name.parse()?;
    let of = venue.variables.of;
    if reference.venue.name() != of {
        let message = format!("the key {reference} belongs to {}, and this client takes keys of {of}", reference.venue);
        return Err(Error::usage(message));
    }
    if !reference.is_a_key() {
        return Err(Error::usage(format!("{reference} is not a key: it is kept for the command itself")));
    }
    let environment = environment::named(venue, &reference.environment);
    let environment = environment.map_err(|error| Error::usage(error.message()))?;
    Ok((reference, environment))
}

async fn get(store: &dyn Store, reference: &Reference) -> Result<Record, Error> {
    let record = match store.get(reference).await {
        Err(StoreError::NotFound(_)) => {
            let mut names = store.list().await.unwrap_or_default();
            names.retain(|other| other.venue == reference.venue && other.is_a_key());
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            let stored = if names.is_empty() { format!("no key of {}", reference.venue) } else { names.join(", ") };
            return Err(Error::not_found(format!("the store has no key {reference}; it has {stored}")));
        }
        other => other?,
    };
    // A store that returns another record than was asked for must not decide where a secret goes.
    if record.reference != *reference {
        return Err(Error::usage(format!("{reference} is stored as {}", record.reference)));
    }
    Ok(record)
}

fn credential(record: &Record, reference: &Reference) -> Result<crate::Credential, Error> {
    record.usable().and_then(crate::record::StoredKey::credential).ok_or_else(|| {
        Error::usage(format!(
            "{reference} holds no key that can be used yet: `venuekit keys resume` finishes a run that was interrupted"
        ))
    })
}
