//! What can be said of environment variables beyond the credential in them: which is missing, which is not looked at.

use venuekit_keys::Credential as CredentialParts;
use venuekit_transport::keys::SecretKind;
use venuekit_transport::variables::{self, of_process};
use venuekit_wire::variables::{CredentialVariables, VariableKind};

use crate::target::Target;
use crate::venue::Venue;

fn is_set(name: &str) -> bool {
    of_process(name).is_some_and(|value| !value.is_empty())
}

/// The variables of credentials that have an id.
fn pairs(venue: Venue) -> impl Iterator<Item = (&'static str, &'static CredentialVariables)> {
    venue.table().variables.credentials.iter().filter_map(|one| Some((one.id?, one)))
}

/// What is there where no credential is: halves of one, and variables of other environments.
pub fn missing(target: &Target, looked_at: &str) -> Option<String> {
    let table = target.venue.table();
    let mut parts = variables::halves(&table.variables, looked_at, of_process);
    for (name, environment) in variables::elsewhere(table, looked_at, of_process) {
        parts.push(match environment == target.environment {
            true => format!("{name} is set, and the profile looks at {looked_at}_*"),
            false => format!("{name} is set, which is for {environment}"),
        });
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Ids that are set without a secret. Such a half does not count.
pub fn half(target: &Target, looked_at: &str) -> Vec<String> {
    let named = |name: &str| format!("{looked_at}_{name}");
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
pub fn ignored(target: &Target, looked_at: &str) -> Option<String> {
    let variables = &target.venue.table().variables;
    if variables.together {
        return None;
    }
    let secrets = variables.credentials.iter().map(|one| one.secret);
    let set: Vec<String> = secrets.map(|name| format!("{looked_at}_{name}")).filter(|name| is_set(name)).collect();
    match set.split_first() {
        Some((first, rest)) if !rest.is_empty() => Some(format!("{first} counts, and {} does not", rest.join(", "))),
        _ => None,
    }
}

/// The variables that a credential's two halves are in; a token's first is empty.
pub fn halves(venue: Venue, looked_at: &str, material: &CredentialParts) -> Option<(String, String)> {
    let is_of = |kind: VariableKind| match material {
        CredentialParts::Key { kind: SecretKind::PrivateKeyPem, .. } => {
            matches!(kind, VariableKind::PrivateKey | VariableKind::PrivateKeyFile)
        }
        CredentialParts::Key { .. } => kind == VariableKind::Key,
        CredentialParts::Session { .. } => kind == VariableKind::Session,
        CredentialParts::Login { .. } => kind == VariableKind::Login,
        CredentialParts::Token(_) => kind == VariableKind::Token,
    };
    let named = |name: &str| format!("{looked_at}_{name}");
    let mut fitting = venue.table().variables.credentials.iter().filter(|one| is_of(one.kind));
    let one = fitting.find(|one| is_set(&named(one.secret)))?;
    Some((one.id.map(named).unwrap_or_default(), named(one.secret)))
}
