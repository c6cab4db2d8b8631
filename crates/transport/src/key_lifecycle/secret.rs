//! What a response has of a new key, or of a new secret.

use serde_json::Value;
use venuekit_auth::PrivateKey;
use venuekit_wire::Secret;
use venuekit_wire::key_lifecycle::NewSecret;

use super::entry::text_at;
use super::request::Answer;
use crate::error::Error;
use crate::keys::{CreatedKey, SecretKind};

/// A key that was just made. `pair` is the one whose public half was registered.
pub(super) fn created(answer: &mut Answer, rules: &NewSecret, pair: Option<&PrivateKey>) -> Result<CreatedKey, Error> {
    let (id, public_id) = (text_at(&answer.value, rules.id), text_at(&answer.value, rules.public_id));
    if id.is_none() && !rules.id.is_empty() {
        return Err(
            answer.incomplete("the venue has made a key, and its response shows no id: list the keys, and revoke it")
        );
    }
    let warning = rules.warning.and_then(|place| text_at(&answer.value, &[place]));
    let (secret, kind) = match pair {
        Some(pair) => (pair.private_key_pem(), SecretKind::PrivateKeyPem),
        None => (taken(answer, rules)?, kind(rules)),
    };
    let Some(public_id) = public_id.filter(|_| !secret.is_empty()) else {
        let what = if secret.is_empty() { "secret" } else { "id" };
        // The error keeps the response, with the half that is there: it is shown once.
        return Err(answer.incomplete(format!(
            "the venue has created or changed the key, but its response has no {what}: list the keys, and revoke or rotate it"
        )));
    };
    let mut key = CreatedKey::new(id.unwrap_or_default(), public_id, secret, kind);
    key.warning = warning;
    Ok(key)
}

/// A key after its secret was replaced. What identifies the caller is as it was, where the response does not show it.
pub(super) fn replaced(
    answer: &mut Answer,
    rules: &NewSecret,
    id: &str,
    known: Option<String>,
) -> Result<CreatedKey, Error> {
    let public_id = text_at(&answer.value, rules.public_id).or(known).unwrap_or_default();
    let secret = taken(answer, rules)?;
    if secret.is_empty() {
        let message = "the venue has replaced the secret, and its response shows no new one: rotate the key again";
        return Err(answer.incomplete(message));
    }
    Ok(CreatedKey::new(id, public_id, secret, kind(rules)))
}

fn kind(rules: &NewSecret) -> SecretKind {
    if rules.is_private_key { SecretKind::PrivateKeyPem } else { SecretKind::Shared }
}

/// The secret, which is left nowhere else. For a key with a public half, some venues put a fingerprint in its place.
fn taken(answer: &mut Answer, rules: &NewSecret) -> Result<Secret, Error> {
    let shows = |place: &str| answer.value.pointer(place).is_some_and(|value| !value.is_null());
    if rules.fingerprint_if.is_some_and(shows) {
        return Err(answer.incomplete(
            "the venue has made or changed a key with a public key: its response shows a fingerprint and no secret; list the keys, \
             and use the private key of that pair",
        ));
    }
    let found = rules.secret.iter().find_map(|place| match answer.value.pointer_mut(place).map(Value::take) {
        Some(Value::String(secret)) if !secret.is_empty() => Some(Secret::new(secret)),
        _ => None,
    });
    Ok(found.unwrap_or_default())
}
