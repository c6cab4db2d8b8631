//! Credentials in environment variables. The spec declares their names, which contain venue and environment, so that a demo key cannot
//! get to production.

use venuekit_transport::credential_parts::CredentialParts;
use venuekit_transport::keys::SecretKind;
use venuekit_transport::variables::{self, Fault, of_process};
use venuekit_wire::Secret;
use venuekit_wire::variables::{CredentialVariables, VariableKind};

use crate::failure::{Exit, Failure};
use crate::target::Target;
use crate::venue::Venue;

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let failure = Self::new(Exit::Store, fault.message).code(fault.code);
        match fault.help {
            Some(help) => failure.help(help),
            None => failure,
        }
    }
}

/// How the variables of a target begin: `KALSHI_DEMO`.
pub fn prefix(target: &Target) -> String {
    target.venue.table().variables.prefix(&target.environment)
}

/// The variables that a target looks for, for a sentence that says so.
pub fn names(target: &Target) -> String {
    names_after(target.venue, &prefix(target))
}

/// The same for variables whose names begin in another way.
pub fn names_after(venue: Venue, prefix: &str) -> String {
    variables::names(&venue.table().variables, prefix)
}

/// The two variables of a credential of this kind, `None` and the variable for a token.
pub fn of_kind(venue: Venue, prefix: &str, kind: VariableKind) -> Option<(Option<String>, String)> {
    let one = venue.table().variables.of_kind(kind)?;
    Some((one.id.map(|id| format!("{prefix}_{id}")), format!("{prefix}_{}", one.secret)))
}

/// The same for a sentence: `A and B`, or nothing where the venue accepts no such credential.
pub fn both(venue: Venue, prefix: &str, kind: VariableKind) -> String {
    match of_kind(venue, prefix, kind) {
        Some((Some(id), secret)) => format!("{id} and {secret}"),
        Some((None, secret)) => secret,
        None => String::new(),
    }
}

/// A secret of an environment variable. An empty one counts as left out.
pub fn secret(name: &str) -> Result<Option<Secret>, Failure> {
    Ok(variables::text(name, of_process)?)
}

/// The text of an environment variable that holds no secret. An empty one counts as left out.
pub fn plain(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn is_set(name: &str) -> bool {
    of_process(name).is_some_and(|value| !value.is_empty())
}

/// The variables of credentials that have an id.
fn pairs(venue: Venue) -> impl Iterator<Item = (&'static str, &'static CredentialVariables)> {
    venue.table().variables.credentials.iter().filter_map(|one| Some((one.id?, one)))
}

/// What is set where no credential is complete: halves of one, and variables of other environments.
pub fn missing(target: &Target, prefix: &str) -> Option<String> {
    let table = target.venue.table();
    let mut parts = variables::halves(&table.variables, prefix, of_process);
    for (name, environment) in variables::elsewhere(table, prefix, of_process) {
        parts.push(match environment == target.environment {
            true => format!("{name} is set, and the profile looks at {prefix}_*"),
            false => format!("{name} is set, which is for {environment}"),
        });
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Ids that are set without a secret. Such a half does not count.
pub fn half(target: &Target, prefix: &str) -> Vec<String> {
    let named = |name: &str| format!("{prefix}_{name}");
    let mut ids: Vec<&str> = pairs(target.venue).map(|(id, _)| id).filter(|id| is_set(&named(id))).collect();
    ids.dedup();
    let secrets_of = |id: &str| -> Vec<String> {
        pairs(target.venue).filter(|(other, _)| *other == id).map(|(_, one)| named(one.secret)).collect()
    };
    ids.retain(|id| !secrets_of(id).iter().any(|secret| is_set(secret)));
    let said = |id| format!("{} is set without {}, and does not count", named(id), secrets_of(id).join(" or "));
    ids.into_iter().map(said).collect()
}

/// Secrets that are set beside the one that counts.
pub fn ignored(target: &Target, prefix: &str) -> Option<String> {
    let variables = &target.venue.table().variables;
    if variables.together {
        return None;
    }
    let secrets = variables.credentials.iter().map(|one| one.secret);
    let set: Vec<String> = secrets.map(|name| format!("{prefix}_{name}")).filter(|name| is_set(name)).collect();
    match set.split_first() {
        Some((first, rest)) if !rest.is_empty() => Some(format!("{first} counts, and {} does not", rest.join(", "))),
        _ => None,
    }
}

/// The variables that a credential's two halves are in; a token's first is empty.
pub fn halves(venue: Venue, prefix: &str, parts: &CredentialParts) -> Option<(String, String)> {
    let is_of = |kind: VariableKind| match parts {
        CredentialParts::Key { kind: SecretKind::PrivateKeyPem, .. } => {
            matches!(kind, VariableKind::PrivateKey | VariableKind::PrivateKeyFile)
        }
        CredentialParts::Key { .. } => kind == VariableKind::Key,
        CredentialParts::Session { .. } => kind == VariableKind::Session,
        CredentialParts::Login { .. } => kind == VariableKind::Login,
        CredentialParts::Token(_) => kind == VariableKind::Token,
    };
    let named = |name: &str| format!("{prefix}_{name}");
    let mut fitting = venue.table().variables.credentials.iter().filter(|one| is_of(one.kind));
    let one = fitting.find(|one| is_set(&named(one.secret)))?;
    Some((one.id.map(named).unwrap_or_default(), named(one.secret)))
}

/// The credentials of the spec that these parts are good for.
pub fn proves(venue: Venue, parts: &CredentialParts) -> &'static [&'static str] {
    let kind = match parts {
        CredentialParts::Key { kind: SecretKind::PrivateKeyPem, .. } => VariableKind::PrivateKey,
        CredentialParts::Key { .. } => VariableKind::Key,
        CredentialParts::Session { .. } => VariableKind::Session,
        CredentialParts::Login { .. } => VariableKind::Login,
        CredentialParts::Token(_) => VariableKind::Token,
    };
    venue.table().variables.of_kind(kind).map_or(&[], |one| one.proves)
}
