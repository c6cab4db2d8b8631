//! Reads what is set.

use std::ffi::OsString;
use std::path::Path;

use venuekit_wire::Secret;
use venuekit_wire::variables::{CredentialVariables, VariableKind, Variables};

use super::pem::{pem_file, plain};
use super::{Encrypted, Fault, Found};
use crate::credential_parts::CredentialParts;
use crate::keys::SecretKind;

/// A text in a variable. An empty one counts as left out.
///
/// # Errors
/// It is not UTF-8.
pub fn text(name: &str, lookup: impl Fn(&str) -> Option<OsString>) -> Result<Option<Secret>, Fault> {
    match lookup(name).map(OsString::into_string) {
        Some(Ok(text)) => Ok(Some(Secret::new(text)).filter(|text| !text.is_empty())),
        Some(Err(_)) => Err(Fault::new("credentials", format!("the environment variable {name} is not UTF-8"))),
        None => Ok(None),
    }
}

/// What is set, in the order of the spec: the first credential, or all where the venue takes them together.
///
/// # Errors
/// A secret without its id, a file that cannot be read, a private key whose passphrase is missing or wrong.
pub fn read<E: From<Fault>>(
    variables: &Variables,
    prefix: &str,
    lookup: impl Fn(&str) -> Option<OsString>,
    passphrase: impl Fn(&Encrypted<'_>) -> Result<Option<Secret>, E>,
) -> Result<Vec<Found>, E> {
    let mut found = Vec::new();
    for one in variables.credentials {
        if !variables.together && !found.is_empty() {
            break;
        }
        let (id, secret) = (one.id.map(|id| format!("{prefix}_{id}")), format!("{prefix}_{}", one.secret));
        let Some(value) = text(&secret, &lookup)? else { continue };
        let public = match &id {
            Some(id) => text(id, &lookup)?.ok_or_else(|| {
                let message = format!("{secret} is set and {id} is not: both are needed");
                Fault::new("credentials", message)
            })?,
            None => Secret::default(),
        };
        let parts = parts(one, prefix, &secret, public, value, &passphrase)?;
        found.push(Found { id, secret, parts });
    }
    Ok(found)
}

fn parts<E: From<Fault>>(
    one: &CredentialVariables,
    prefix: &str,
    name: &str,
    id: Secret,
    secret: Secret,
    passphrase: &impl Fn(&Encrypted<'_>) -> Result<Option<Secret>, E>,
) -> Result<CredentialParts, E> {
    let public_id = || id.expose().to_owned();
    let pair = |pem: Secret| {
        let variable = format!("{prefix}_{}", one.passphrase.unwrap_or(one.secret));
        let encrypted = Encrypted { variable: name, passphrase: &variable };
        let secret = plain(pem, &encrypted, passphrase)?;
        Ok(CredentialParts::Key { public_id: public_id(), secret, kind: SecretKind::PrivateKeyPem })
    };
    Ok(match one.kind {
        VariableKind::PrivateKey => return pair(secret),
        VariableKind::PrivateKeyFile => return pair(pem_file(Path::new(secret.expose()), name)?),
        VariableKind::Session => CredentialParts::Session { token: secret, device_id: id },
        VariableKind::Login => CredentialParts::Login { email: public_id(), password: secret },
        VariableKind::Token => CredentialParts::Token(secret),
        _ => CredentialParts::Key { public_id: public_id(), secret, kind: SecretKind::Shared },
    })
}
