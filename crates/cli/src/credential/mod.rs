//! The credential of a call: a stored key, one that the profile names, or environment variables.

pub mod flaw;
pub mod hint;
pub mod pem;
pub mod variable;

pub use venuekit_keys::Credential as CredentialParts;
use venuekit_keys::record::State;
pub use venuekit_transport::flaw::is_key_text;
use venuekit_transport::keys::SecretKind;
use venuekit_wire::Secret;
use venuekit_wire::variables::VariableKind;

use crate::context::{self, Context};
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
    pub material: Vec<CredentialParts>,
    /// What the store says of it.
    pub stored: Option<Stored>,
    /// How the names of the environment variables begin that were looked at.
    pub prefix: Option<String>,
}

/// What the store says of a key besides its secret.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its name in the store, such as `kalshi/demo/bot`.
    pub reference: String,
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
        Self { source: "no credential".to_owned(), material: Vec::new(), stored: None, prefix: None }
    }

    /// Whether there is any.
    pub fn is_none(&self) -> bool {
        self.material.is_empty()
    }

    /// What identifies the caller, where it is a key.
    pub fn public_id(&self) -> Option<&str> {
        self.material.iter().find_map(CredentialParts::public_id)
    }

    /// The variable that the secret of such a credential would be in: `KALSHI_DEMO_PRIVATE_KEY`.
    pub fn variable(&self, target: &Target, kind: VariableKind) -> String {
        let prefix = self.prefix.clone().unwrap_or_else(|| variable::prefix(target));
        variable::of_kind(target.venue, &prefix, kind).map(|(_, secret)| secret).unwrap_or_default()
    }

    /// Refuses an id or a shared secret that was copied badly, by the name of the variable that holds it. A signer would blame the
    /// credential as a whole. What is wrong with a PEM, its reader says.
    pub fn check(&self, venue: Venue) -> Result<(), Failure> {
        for material in &self.material {
            let names = self.prefix.as_ref().and_then(|prefix| hint::halves(venue, prefix, material));
            let of = |what: &str| format!("the {what} of {}", self.source);
            let (id_name, secret_name) = names.unwrap_or_else(|| (of("id"), of("secret")));
            let (id, secret) = material.halves();
            for (name, text) in [(&id_name, id), (&secret_name, secret)] {
                let Some(text) = text else { continue };
                if let Some((_, says)) = flaw::fatal(text) {
                    let help = "copy it again, all of it and nothing else";
                    return Err(Failure::new(Exit::Store, format!("{name} {says}")).code("unusable").help(help));
                }
            }
        }
        Ok(())
    }

    /// The key in it.
    pub fn key(&self) -> Option<(&str, &Secret, SecretKind)> {
        self.material.iter().find_map(|material| match material {
            CredentialParts::Key { public_id, secret, kind } => Some((public_id.as_str(), secret, *kind)),
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
    let named = subject.name.as_deref().map(|name| (name, None));
    let named = named.or(context.global().key.as_deref().map(|name| (name, Some(context::key_place().to_owned()))));
    let mut found = match (named, profile.and_then(|profile| profile.key.as_ref())) {
        (Some((name, place)), _) => stored(context, target, name, place).await?,
        (None, Some(KeySource::Stored(name))) => {
            let place = context.profile_place(target.venue);
            stored(context, target, name, Some(place)).await?
        }
        (None, Some(KeySource::Elsewhere(place))) => elsewhere(context, target, place)?,
        (None, None) => of_variables(context, target.venue, &variable::prefix(target))?,
    };
    if target.venue == Venue::Bayse {
        let is_session = |material: &CredentialParts| {
            matches!(material, CredentialParts::Session { .. } | CredentialParts::Login { .. })
        };
        if !found.material.iter().any(is_session) {
            // A key of Bayse manages no keys: the session for that comes from the environment or not at all.
            let more = of_variables(context, target.venue, &variable::prefix(target))?;
            found.material.extend(more.material.into_iter().filter(is_session));
        }
        if wanted == Wanted::Manager {
            found.material.retain(is_session);
        }
    }
    Ok(found)
}

/// A stored key, and the place that names it where that is not what the command is about.
async fn stored(context: &Context, target: &Target, name: &str, place: Option<String>) -> Result<Credential, Failure> {
    if is_key_text(name) {
        let help = "name a stored key; `venuekit keys list` shows them, `venuekit keys adopt` takes one in";
        return Err(Failure::usage("what was given as the name of a key is a key itself").code("key_text").help(help));
    }
    let name = match name.contains('/') {
        false => name,
        true => {
            let subject: Subject = name.parse().map_err(Failure::usage)?;
            let is_there = subject.environment.as_deref() == Some(&target.environment);
            if subject.venue.of_keys() != target.venue.of_keys() || !is_there {
                let message = format!("the key {name} is not of {}/{}", target.venue, target.environment);
                let said = place.map(|place| format!("{place} names it; ")).unwrap_or_default();
                let help = format!("{said}keys of one environment are not sent to another");
                return Err(Failure::usage(message).code("wrong_environment").help(help));
            }
            name.rsplit('/').next().unwrap_or_default()
        }
    };
    let reference = store::reference(target, name)?;
    let record = context.record(&reference, place.as_deref()).await?;
    // A store that answers with another record than was asked for must not decide where a secret goes.
    if record.reference != reference {
        return Err(Failure::new(Exit::Store, format!("{reference} is stored as {}", record.reference)));
    }
    let source = format!("stored key {reference}");
    let key = record.usable().ok_or_else(|| {
        let help = "see `venuekit keys show`, and finish a broken run with `venuekit keys resume`";
        Failure::new(Exit::Store, format!("{reference} holds no key that can be used yet")).code("unusable").help(help)
    })?;
    let about = Stored { reference: reference.to_string(), state: key.state, scopes: key.scopes.clone() };
    Ok(Credential { source, material: key.credential().into_iter().collect(), stored: Some(about), prefix: None })
}

fn elsewhere(context: &Context, target: &Target, place: &Elsewhere) -> Result<Credential, Failure> {
    match (&place.variables, &place.pem, &place.id) {
        (Some(prefix), None, None) => of_variables(context, target.venue, prefix),
        (None, Some(pem), Some(id)) => {
            let secret = pem::plain(context, pem::file(pem, "`pem` of the profile")?, &pem.display().to_string())?;
            let material = CredentialParts::Key { public_id: id.clone(), secret, kind: SecretKind::PrivateKeyPem };
            Ok(Credential { source: pem.display().to_string(), material: vec![material], stored: None, prefix: None })
        }
        _ => Err(Failure::usage(Elsewhere::PARTS).code("config").help("see `venuekit config example`")),
    }
}

fn of_variables(context: &Context, venue: Venue, prefix: &str) -> Result<Credential, Failure> {
    let found = variable::read(context, venue, prefix)?;
    if found.is_empty() {
        return Ok(Credential { prefix: Some(prefix.to_owned()), ..Credential::none() });
    }
    let names: Vec<&str> = found.iter().map(|one| one.secret.as_str()).collect();
    let source = match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("environment variables {} and {last}", rest.join(", ")),
        _ => format!("environment variable {}", names.concat()),
    };
    let material = found.into_iter().map(|one| one.material).collect();
    Ok(Credential { source, material, stored: None, prefix: Some(prefix.to_owned()) })
}

/// What the environment's variables hold for a target, where they hold anything.
pub fn from_environment(context: &Context, target: &Target) -> Result<Option<Credential>, Failure> {
    let found = of_variables(context, target.venue, &variable::prefix(target))?;
    Ok(Some(found).filter(|credential| !credential.is_none()))
}
