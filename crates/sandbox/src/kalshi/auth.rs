//! Who calls, and whether they may.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::error::Refusal;
use super::keys::Key;
use crate::message::Request;

/// Recordings: a stamp 10 s old passes and one 30 s old fails; 30 s ahead passes and 60 s ahead fails.
pub(super) const OLDEST_MILLIS: i64 = 30_000;
pub(super) const NEWEST_MILLIS: i64 = 30_000;

/// Checks the three headers and gives the key that signed.
pub(super) fn authenticate(
    request: &Request,
    now: i64,
    find: impl FnOnce(&str) -> Option<Arc<Key>>,
) -> Result<Arc<Key>, Refusal> {
    let missing = || Refusal::new(401, "signature_is_missing_from_headers");
    let header = |name| request.header(name).filter(|value| !value.is_empty()).ok_or_else(missing);
    let signature = header("kalshi-access-signature")?;
    let timestamp = header("kalshi-access-timestamp")?;
    let key_id = header("kalshi-access-key")?;

    let age = timestamp.parse::<i64>().ok().and_then(|stamp| now.checked_sub(stamp));
    if !age.is_some_and(|age| (-NEWEST_MILLIS..OLDEST_MILLIS).contains(&age)) {
        return Err(Refusal::new(401, "header_timestamp_expired"));
    }
    let key = find(key_id).ok_or_else(|| Refusal::authentication("NOT_FOUND"))?;
    let text = format!("{timestamp}{}{}", request.method, request.path);
    let signed = STANDARD.decode(signature).is_ok_and(|signature| key.public.verify_pss(text.as_bytes(), &signature));
    if signed { Ok(key) } else { Err(Refusal::authentication("INCORRECT_API_KEY_SIGNATURE")) }
}

/// Checks that a key carries a scope, such as `write::trade`, or the one above it.
pub(super) fn authorize(key: &Key, scope: Option<&str>) -> Result<(), Refusal> {
    let Some(scope) = scope else { return Ok(()) };
    let above = scope.split("::").next().unwrap_or_default();
    if key.scopes.iter().any(|one| one == scope || one == above) {
        return Ok(());
    }
    Err(Refusal::forbidden(&format!("this API key does not have the scope {scope}")))
}

/// The subaccount that a call is about: the key's own where it is restricted, else what was asked for.
pub(super) fn subaccount(key: &Key, asked: Option<i64>) -> Result<Option<i64>, Refusal> {
    match (key.subaccount, asked) {
        (_, Some(asked)) if !(0..=63).contains(&asked) => Err(Refusal::invalid("subaccount must be between 0 and 63")),
        (Some(own), Some(asked)) if own != asked => {
            Err(Refusal::forbidden("this API key is restricted to another sub-account"))
        }
        (Some(own), _) => Ok(Some(own)),
        (None, asked) => Ok(asked),
    }
}
