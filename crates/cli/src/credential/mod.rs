//! The credential of a call: a stored key, one that the profile names, or environment variables.

pub mod variable;

use std::fs;
use std::path::Path;

pub use venuekit_keys::Credential as Material;
use venuekit_keys::record::{Record, State};
use venuekit_transport::keys::SecretKind;
use venuekit_wire::{Secret, UnixSeconds};

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::profile::{Elsewhere, KeySource, Profile};
use crate::store;
use crate::subject::Subject;
use crate::target::Target;
use crate::venue::Venue;

/// What a command proves with who it is. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Where it came from, in words.
    pub source: String,
    /// What it is: with Bayse perhaps a key and a session, otherwise one thing. Nothing: public operations only.
    pub material: Vec<Material>,
    /// What the store says of it.
    pub stored: Option<Stored>,
}

/// What the store says of a key besides its secret.
#[derive(Clone, Debug)]
pub struct Stored {
    /// When it was made.
    pub made: UnixSeconds,
    /// How far it has come.
    pub state: State,
    /// Its permissions, in the venue's own words.
    pub scopes: Vec<String>,
}

/// What a credential is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// To make calls.
    Caller,
    /// To care for keys.
    Manager,
}

impl Credential {
    /// Nobody.
    pub fn none() -> Self {
        Self { source: "no credential".to_owned(), material: Vec::new(), stored: None }
    }

    /// Whether there is any.
    pub fn is_none(&self) -> bool {
        self.material.is_empty()
    }

    /// What identifies the caller, where it is a key.
    pub fn public_id(&self) -> Option<&str> {
        self.material.iter().find_map(Material::public_id)
    }

    /// The key in it.
    pub fn key(&self) -> Option<(&str, &Secret, SecretKind)> {
        self.material.iter().find_map(|material| match material {
            Material::Key { public_id, secret, kind } => Some((public_id.as_str(), secret, *kind)),
            _ => None,
        })
    }
}

/// Finds the credential for a target.
pub async fn find(
    context: &Context,
    target: &Target,
    subject: &Subject,
    profile: Option<&Profile>,
    wanted: Wanted,
) -> Result<Credential, Failure> {
    let named = subject.name.as_deref().or(context.global().key.as_deref());
    let mut found = match (named, profile.and_then(|profile| profile.key.as_ref())) {
        (Some(name), _) => stored(context, target, name).await?,
        (None, Some(KeySource::Stored(name))) => stored(context, target, name).await?,
        (None, Some(KeySource::Elsewhere(place))) => elsewhere(target, place)?,
        (None, None) => of_variables(target.venue, &variable::prefix(target))?,
    };
    if target.venue == Venue::Bayse {
        let is_session = |material: &Material| matches!(material, Material::Session { .. } | Material::Login { .. });
        if !found.material.iter().any(is_session) {
            // A key of Bayse manages no keys: the session for that comes from the environment or not at all.
            let more = of_variables(target.venue, &variable::prefix(target))?;
            found.material.extend(more.material.into_iter().filter(is_session));
        }
        if wanted == Wanted::Manager {
            found.material.retain(is_session);
        }
    }
    Ok(found)
}

async fn stored(context: &Context, target: &Target, name: &str) -> Result<Credential, Failure> {
    let name = match name.contains('/') {
        false => name,
        true => {
            let subject: Subject = name.parse().map_err(Failure::usage)?;
            let is_there = subject.environment.as_deref() == Some(&target.environment);
            if subject.venue.of_keys() != target.venue.of_keys() || !is_there {
                let message = format!("the key {name} is not of {}/{}", target.venue, target.environment);
                let help = "keys of one environment are not sent to another";
                return Err(Failure::usage(message).code("wrong_environment").help(help));
            }
            name.rsplit('/').next().unwrap_or_default()
        }
    };
    let reference = store::reference(target, name)?;
    let record = context.store()?.get(&reference).await?;
    // A store that answers with another record than was asked for must not decide where a secret goes.
    if record.reference != reference {
        return Err(Failure::new(Exit::Store, format!("{reference} is stored as {}", record.reference)));
    }
    let source = format!("stored key {reference}");
    let key = usable(&record).ok_or_else(|| {
        let help = "see `venuekit keys show`, and finish a broken run with `venuekit keys resume`";
        Failure::new(Exit::Store, format!("{reference} holds no key that can be used yet")).code("unusable").help(help)
    })?;
    let about = Stored { made: key.made, state: key.state, scopes: key.scopes.clone() };
    Ok(Credential { source, material: key.credential().into_iter().collect(), stored: Some(about) })
}

/// The active key, or one that the venue has already.
fn usable(record: &Record) -> Option<&venuekit_keys::record::StoredKey> {
    let ready =
        |state: State| record.keys.iter().rev().find(move |key| key.state == state && key.credential().is_some());
    record.active().or_else(|| ready(State::Stored)).or_else(|| ready(State::Retiring))
}

fn elsewhere(target: &Target, place: &Elsewhere) -> Result<Credential, Failure> {
    match (&place.variables, &place.pem, &place.id) {
        (Some(prefix), None, None) => of_variables(target.venue, prefix),
        (None, Some(pem), Some(id)) => {
            let material =
                Material::Key { public_id: id.clone(), secret: pem_file(pem)?, kind: SecretKind::PrivateKeyPem };
            Ok(Credential { source: pem.display().to_string(), material: vec![material], stored: None })
        }
        _ => {
            let message = "the profile's key is `variables`, or `pem` together with `id`";
            Err(Failure::usage(message).code("config").help("see `venuekit config example`"))
        }
    }
}

fn of_variables(venue: Venue, prefix: &str) -> Result<Credential, Failure> {
    let mut found = variable::read(venue, prefix)?;
    if venue != Venue::Bayse {
        found.truncate(1);
    }
    if found.is_empty() {
        return Ok(Credential::none());
    }
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    let word = if names.len() == 1 { "environment variable" } else { "environment variables" };
    let source = format!("{word} {}", names.join(" and "));
    Ok(Credential { source, material: found.into_iter().map(|(_, material)| material).collect(), stored: None })
}

/// The text of a PEM file, whatever it holds: the signer says what is wrong with it.
fn pem_file(path: &Path) -> Result<Secret, Failure> {
    let failed = |error: &std::io::Error| {
        Failure::new(Exit::Store, format!("{}: {error}", path.display()))
            .code("key_file")
            .help("it should be a private key as PEM")
    };
    let bytes = fs::read(path).map_err(|error| failed(&error))?;
    Ok(Secret::new(String::from_utf8_lossy(&bytes)))
}

/// What the environment's variables hold for a target, where they can be read.
pub fn from_environment(target: &Target) -> Option<Credential> {
    of_variables(target.venue, &variable::prefix(target)).ok().filter(|credential| !credential.is_none())
}
