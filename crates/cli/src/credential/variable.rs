//! Credentials in environment variables. Their names hold venue and environment, so that a demo key cannot get to production.

use std::env;
use std::path::Path;

use venuekit_keys::Credential as Material;
use venuekit_transport::keys::SecretKind;
use venuekit_wire::Secret;

use super::pem;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::target::Target;
use crate::venue::Venue;

/// Two variables that belong together, and what they are.
pub(super) struct Pair {
    pub(super) id: &'static str,
    pub(super) secret: &'static str,
    pub(super) kind: PairKind,
}

#[derive(Clone, Copy)]
pub(super) enum PairKind {
    Shared,
    Pem,
    PemFile,
    Session,
    Login,
}

const fn pair(id: &'static str, secret: &'static str, kind: PairKind) -> Pair {
    Pair { id, secret, kind }
}

/// What a venue's variables are called after their prefix; the first that is set counts, and with Bayse one of each kind.
pub(super) fn pairs(venue: Venue) -> &'static [Pair] {
    const BAYSE: &[Pair] = &[
        pair("PUBLIC_KEY", "SECRET_KEY", PairKind::Shared),
        pair("DEVICE_ID", "AUTH_TOKEN", PairKind::Session),
        pair("EMAIL", "PASSWORD", PairKind::Login),
    ];
    const DERIBIT: &[Pair] = &[
        pair("CLIENT_ID", "CLIENT_SECRET", PairKind::Shared),
        pair("CLIENT_ID", "PRIVATE_KEY", PairKind::Pem),
        pair("CLIENT_ID", "PRIVATE_KEY_FILE", PairKind::PemFile),
    ];
    const KALSHI: &[Pair] =
        &[pair("KEY_ID", "PRIVATE_KEY", PairKind::Pem), pair("KEY_ID", "PRIVATE_KEY_FILE", PairKind::PemFile)];
    const YATIVO: &[Pair] = &[pair("API_KEY", "API_SECRET", PairKind::Shared)];
    match venue {
        Venue::Bayse => BAYSE,
        Venue::Deribit => DERIBIT,
        Venue::Kalshi | Venue::KalshiPerps => KALSHI,
        Venue::Yativo => YATIVO,
    }
}

/// How the variables of a target begin: `KALSHI_DEMO`.
pub fn prefix(target: &Target) -> String {
    format!("{}_{}", target.venue.of_keys(), target.environment).to_ascii_uppercase()
}

/// The variables that a target looks for, for a sentence that says so.
pub fn names(target: &Target) -> String {
    names_after(target.venue, &prefix(target))
}

/// The same for variables whose names begin in another way.
pub fn names_after(venue: Venue, prefix: &str) -> String {
    let shown = pairs(venue).iter().map(|pair| format!("{prefix}_{} and {prefix}_{}", pair.id, pair.secret));
    shown.collect::<Vec<_>>().join(", or ")
}

/// A secret of an environment variable. An empty one counts as left out.
pub fn secret(name: &str) -> Result<Option<Secret>, Failure> {
    match env::var(name) {
        Ok(text) if text.is_empty() => Ok(None),
        Ok(text) => Ok(Some(Secret::new(text))),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => {
            Err(Failure::new(Exit::Store, format!("the environment variable {name} is not UTF-8")))
        }
    }
}

/// What is set, each with the name of its variable.
pub fn read(context: &Context, venue: Venue, prefix: &str) -> Result<Vec<(String, Material)>, Failure> {
    let mut found = Vec::new();
    for pair in pairs(venue) {
        let (id_name, secret_name) = (format!("{prefix}_{}", pair.id), format!("{prefix}_{}", pair.secret));
        let Some(secret_text) = secret(&secret_name)? else { continue };
        let id = secret(&id_name)?.ok_or_else(|| {
            let message = format!("{secret_name} is set and {id_name} is not: both are needed");
            Failure::new(Exit::Store, message).code("credentials")
        })?;
        let material = material(context, pair.kind, &secret_name, id, secret_text)?;
        found.push((secret_name, material));
    }
    if let Some(token) = secret(&format!("{prefix}_ACCESS_TOKEN"))?.filter(|_| found.is_empty()) {
        found.push((format!("{prefix}_ACCESS_TOKEN"), Material::Token(token)));
    }
    Ok(found)
}

fn material(context: &Context, kind: PairKind, name: &str, id: Secret, secret: Secret) -> Result<Material, Failure> {
    let public_id = || id.expose().to_owned();
    let key = |secret, kind| Material::Key { public_id: public_id(), secret, kind };
    let pair = |pem| Ok(key(pem::plain(context, pem, name, Some(name))?, SecretKind::PrivateKeyPem));
    Ok(match kind {
        PairKind::Shared => key(secret, SecretKind::Shared),
        PairKind::Pem => return pair(secret),
        PairKind::PemFile => return pair(pem::file(Path::new(secret.expose()), name)?),
        PairKind::Session => Material::Session { token: secret, device_id: id },
        PairKind::Login => Material::Login { email: public_id(), password: secret },
    })
}
