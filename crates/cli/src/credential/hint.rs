//! What can be said of environment variables beyond the credential in them: which is missing, which is not looked at.

use std::env;

use venuekit_keys::Credential as Material;
use venuekit_transport::keys::SecretKind;

use super::variable::{PairKind, pairs, prefix};
use crate::target::Target;
use crate::venue::Venue;

/// What a variable is called, and whether it holds anything; none where it is not there.
fn state(name: &str) -> Option<bool> {
    env::var_os(name).map(|value| !value.is_empty())
}

fn is_set(name: &str) -> bool {
    state(name) == Some(true)
}

/// What is there where no credential is: halves of one, and variables of other environments.
pub fn missing(target: &Target, looked_at: &str) -> Option<String> {
    let mut said: Vec<(String, &str)> = Vec::new();
    for pair in pairs(target.venue) {
        let names = [pair.id, pair.secret].map(|name| format!("{looked_at}_{name}"));
        if names.iter().all(|name| state(name).is_none()) {
            continue;
        }
        for name in names {
            if said.iter().any(|(known, _)| *known == name) {
                continue;
            }
            let word = match state(&name) {
                Some(true) => "is set",
                Some(false) => "is empty",
                None => "is not set",
            };
            said.push((name, word));
        }
    }
    let mut parts: Vec<String> = said.into_iter().map(|(name, word)| format!("{name} {word}")).collect();
    for environment in target.venue.environments() {
        let other = prefix(&Target { environment: environment.to_owned(), ..target.clone() });
        let names = pairs(target.venue).iter().map(|pair| format!("{other}_{}", pair.secret));
        if other != looked_at
            && let Some(name) = names.into_iter().find(|name| is_set(name))
        {
            parts.push(match environment == target.environment {
                true => format!("{name} is set, and the profile looks at {looked_at}_*"),
                false => format!("{name} is set, which is for {environment}"),
            });
        }
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Ids that are set without a secret. Such a half does not count.
pub fn half(target: &Target, looked_at: &str) -> Vec<String> {
    let pairs = pairs(target.venue);
    let named = |name: &str| format!("{looked_at}_{name}");
    let mut ids: Vec<&str> = pairs.iter().map(|pair| pair.id).filter(|id| is_set(&named(id))).collect();
    ids.dedup();
    let secrets_of = |id: &str| -> Vec<String> {
        pairs.iter().filter(|pair| pair.id == id).map(|pair| named(pair.secret)).collect()
    };
    ids.retain(|id| !secrets_of(id).iter().any(|secret| is_set(secret)));
    let said = |id| format!("{} is set without {}, and does not count", named(id), secrets_of(id).join(" or "));
    ids.into_iter().map(said).collect()
}

/// Secrets that are set beside the one that counts.
pub fn ignored(target: &Target, looked_at: &str) -> Option<String> {
    // Bayse's kinds of credentials are for different operations, and all of them count.
    if target.venue == Venue::Bayse {
        return None;
    }
    let secrets = pairs(target.venue).iter().map(|pair| pair.secret).chain(["ACCESS_TOKEN"]);
    let set: Vec<String> = secrets.map(|name| format!("{looked_at}_{name}")).filter(|name| is_set(name)).collect();
    match set.split_first() {
        Some((first, rest)) if !rest.is_empty() => Some(format!("{first} counts, and {} does not", rest.join(", "))),
        _ => None,
    }
}

/// The variables that a credential's two halves are in.
pub fn halves(venue: Venue, looked_at: &str, material: &Material) -> Option<(String, String)> {
    let is_of = |kind: PairKind| match material {
        Material::Key { kind: SecretKind::PrivateKeyPem, .. } => matches!(kind, PairKind::Pem | PairKind::PemFile),
        Material::Key { .. } => matches!(kind, PairKind::Shared),
        Material::Session { .. } => matches!(kind, PairKind::Session),
        Material::Login { .. } => matches!(kind, PairKind::Login),
        Material::Token(_) => false,
    };
    let named = |name: &str| format!("{looked_at}_{name}");
    if let Material::Token(_) = material {
        return Some((String::new(), named("ACCESS_TOKEN")));
    }
    let mut fitting = pairs(venue).iter().filter(|pair| is_of(pair.kind));
    fitting.find(|pair| is_set(&named(pair.secret))).map(|pair| (named(pair.id), named(pair.secret)))
}
