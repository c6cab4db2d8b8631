//! The credential of a call: a stored key, one that the profile names, or environment variables.

pub mod flaw;
pub mod pem;

use venuekit_keys::record::State;
pub use venuekit_transport::credential_parts::CredentialParts;
use venuekit_transport::flaw::is_key_text;
use venuekit_transport::keys::SecretKind;
use venuekit_transport::variables::{Encrypted, of_process, read};
use venuekit_wire::Secret;
use venuekit_wire::variables::VariableKind;

use self::pem::Passphrases;
use crate::config::{Elsewhere, KeySource};
use crate::failure::{Exit, Failure};
use crate::store;
use crate::subject::Subject;
use crate::target::Target;
use crate::variables;
use crate::venue::Venue;

/// What a command proves with who it is. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Where it came from, in words.
    pub source: String,
    /// What it is: one thing, or a key and a session where a session manages keys. Nothing: public operations only.
    pub parts: Vec<CredentialParts>,
    /// What the store says of it.
    pub stored: Option<Stored>,
    /// How the names of the environment variables begin that were looked at.
    pub prefix: Option<String>,
}

/// What the store says of a key, other than its secret.
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
    /// To manage keys.
    Manager,
}

impl Credential {
    /// What `venuekit doctor` is about where this credential is used: the place, and the name of a stored key.
    pub fn subject_at(&self, target: &Target) -> String {
        let place = format!("{}/{}", target.venue, target.environment);
        let name = self.stored.as_ref().and_then(|stored| stored.reference.rsplit('/').next());
        name.map_or_else(|| place.clone(), |name| format!("{place}/{name}"))
    }

    /// Nobody.
    pub fn none() -> Self {
        Self { source: "no credential".to_owned(), parts: Vec::new(), stored: None, prefix: None }
    }

    /// Whether there is any.
    pub fn is_none(&self) -> bool {
        self.parts.is_empty()
    }

    /// What identifies the caller, where it is a key.
    pub fn public_id(&self) -> Option<&str> {
        self.parts.iter().find_map(CredentialParts::public_id)
    }

    /// The variable that the secret of such a credential would be in: `KALSHI_DEMO_PRIVATE_KEY`.
    pub fn variable(&self, target: &Target, kind: VariableKind) -> String {
        let prefix = self.prefix.clone().unwrap_or_else(|| variables::prefix(target));
        variables::of_kind(target.venue, &prefix, kind).map(|(_, secret)| secret).unwrap_or_default()
    }

    /// Refuses an id or a shared secret that was copied badly, by the name of the variable that holds it. A signer would blame the
    /// credential as a whole. What is wrong with a PEM, its reader says.
    pub fn check(&self, venue: Venue) -> Result<(), Failure> {
        for parts in &self.parts {
            let names = self.prefix.as_ref().and_then(|prefix| variables::halves(venue, prefix, parts));
            let of = |what: &str| format!("the {what} of {}", self.source);
            let (id_name, secret_name) = names.unwrap_or_else(|| (of("id"), of("secret")));
            let (id, secret) = parts.halves();
            for (name, text) in [(&id_name, id), (&secret_name, secret)] {
                let Some(text) = text else { continue };
                if let Some((_, says)) = flaw::fatal(text) {
                    let help = "copy the whole value again, and nothing else";
                    return Err(Failure::new(Exit::Store, format!("{name} {says}")).code("unusable").help(help));
                }
            }
        }
        Ok(())
    }

    /// The key in it.
    pub fn key(&self) -> Option<(&str, &Secret, SecretKind)> {
        self.parts.iter().find_map(|parts| match parts {
            CredentialParts::Key { public_id, secret, kind } => Some((public_id.as_str(), secret, *kind)),
            _ => None,
        })
    }
}

/// Where credentials are looked for.
pub struct Sources<'a> {
    /// The stored keys.
    pub keys: &'a store::Keys,
    /// The passphrases of private keys.
    pub passphrases: &'a Passphrases,
    /// The stored key that is named, and what names it if that is not what the command is about.
    pub named: Option<(&'a str, Option<String>)>,
    /// The key of the profile, and what the profile is called.
    pub of_profile: Option<(&'a KeySource, String)>,
}

impl Sources<'_> {
    /// The credential for a target.
    pub async fn find(self, target: &Target, wanted: Wanted) -> Result<Credential, Failure> {
        let mut found = match (&self.named, &self.of_profile) {
            (Some((name, source)), _) => self.stored(target, name, source.as_deref()).await?,
            (None, Some((KeySource::Stored(name), source))) => self.stored(target, name, Some(source)).await?,
            (None, Some((KeySource::Elsewhere(place), _))) => self.elsewhere(target, place)?,
            (None, None) => self.of_variables(target.venue, &variables::prefix(target))?,
        };
        if target.venue.has_sessions() {
            let is_session = |parts: &CredentialParts| {
                matches!(parts, CredentialParts::Session { .. } | CredentialParts::Login { .. })
            };
            if !found.parts.iter().any(is_session) {
                // Keys do not manage keys there: the session for that comes from the environment or not at all.
                let more = self.of_variables(target.venue, &variables::prefix(target))?;
                found.parts.extend(more.parts.into_iter().filter(is_session));
            }
            if wanted == Wanted::Manager {
                found.parts.retain(is_session);
            }
        }
        Ok(found)
    }

    /// A stored key, and what names it where that is not what the command is about.
    async fn stored(&self, target: &Target, name: &str, source: Option<&str>) -> Result<Credential, Failure> {
        if is_key_text(name) {
            return Err(key_text());
        }
        let name = match name.contains('/') {
            false => name,
            true => {
                let subject: Subject = name.parse().map_err(Failure::usage)?;
                let is_here = subject.environment.as_deref() == Some(&target.environment);
                if subject.venue.of_keys() != target.venue.of_keys() || !is_here {
                    let message = format!("the key {name} is not of {}/{}", target.venue, target.environment);
                    let said = source.map(|source| format!("it comes from {source}; ")).unwrap_or_default();
                    let help = format!("{said}keys of one environment are not sent to another");
                    return Err(Failure::usage(message).code("wrong_environment").help(help));
                }
                name.rsplit('/').next().unwrap_or_default()
            }
        };
        let reference = store::reference(target, name)?;
        let record = self.keys.record(&reference, source).await?;
        // A store that returns another record than was asked for must not decide where a secret goes.
        if record.reference != reference {
            return Err(Failure::new(Exit::Store, format!("{reference} is stored as {}", record.reference)));
        }
        let source = format!("stored key {reference}");
        let key = record.usable().ok_or_else(|| {
            let help = "see `venuekit keys show`, and finish an interrupted run with `venuekit keys resume`";
            Failure::new(Exit::Store, format!("{reference} holds no key that can be used yet"))
                .code("unusable")
                .help(help)
        })?;
        let about = Stored { reference: reference.to_string(), state: key.state, scopes: key.scopes.clone() };
        Ok(Credential { source, parts: key.credential().into_iter().collect(), stored: Some(about), prefix: None })
    }

    fn elsewhere(&self, target: &Target, place: &Elsewhere) -> Result<Credential, Failure> {
        match (&place.variables, &place.pem, &place.id) {
            (Some(prefix), None, None) => self.of_variables(target.venue, prefix),
            (None, Some(path), Some(id)) => {
                let pem = pem::file(path, "`pem` of the profile")?;
                let secret = self.passphrases.plain(pem, &path.display().to_string())?;
                let key = CredentialParts::Key { public_id: id.clone(), secret, kind: SecretKind::PrivateKeyPem };
                Ok(Credential { source: path.display().to_string(), parts: vec![key], stored: None, prefix: None })
            }
            _ => Err(Failure::usage(Elsewhere::PARTS).code("config").help("see `venuekit config example`")),
        }
    }

    fn of_variables(&self, venue: Venue, prefix: &str) -> Result<Credential, Failure> {
        of_variables(self.passphrases, venue, prefix)
    }
}

fn of_variables(passphrases: &Passphrases, venue: Venue, prefix: &str) -> Result<Credential, Failure> {
    let passphrase = |encrypted: &Encrypted<'_>| passphrases.of(encrypted).map(Some);
    let found = read(&venue.table().variables, prefix, of_process, passphrase)?;
    if found.is_empty() {
        return Ok(Credential { prefix: Some(prefix.to_owned()), ..Credential::none() });
    }
    let names: Vec<&str> = found.iter().map(|one| one.secret.as_str()).collect();
    let source = match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("environment variables {} and {last}", rest.join(", ")),
        _ => format!("environment variable {}", names.concat()),
    };
    let parts = found.into_iter().map(|one| one.parts).collect();
    Ok(Credential { source, parts, stored: None, prefix: Some(prefix.to_owned()) })
}

/// What the environment's variables hold for a target, where they hold anything.
pub fn from_environment(passphrases: &Passphrases, target: &Target) -> Result<Option<Credential>, Failure> {
    let found = of_variables(passphrases, target.venue, &variables::prefix(target))?;
    Ok(Some(found).filter(|credential| !credential.is_none()))
}

/// The text of a key where its name is wanted. It is not quoted.
pub fn key_text() -> Failure {
    let help = "name a stored key; `venuekit keys list` lists them, `venuekit keys adopt` stores one";
    Failure::usage("what was given as the name of a key is the text of a key itself").code("key_text").help(help)
}
