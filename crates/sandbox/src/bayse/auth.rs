//! Who calls, at the three levels that need to know.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::Account;
use super::error::Refusal;
use crate::message::Request;
use crate::verify::verify_hmac;

pub(super) const WINDOW_SECONDS: i64 = 300;

/// The account of a session, as its index.
pub(super) fn session(accounts: &[Account], request: &Request) -> Result<usize, Refusal> {
    let token = header(request, "x-auth-token")?;
    let device = header(request, "x-device-id")?;
    let found = accounts.iter().position(|account| account.has_session(token, device));
    found.ok_or_else(|| Refusal::unauthorized("invalid session"))
}

/// The account of a public key.
pub(super) fn read(accounts: &[Account], request: &Request) -> Result<usize, Refusal> {
    let public_key = header(request, "x-public-key")?;
    let found = accounts.iter().position(|account| account.secret_of(public_key).is_some());
    found.ok_or_else(|| Refusal::unauthorized("invalid API key"))
}

/// The account of a public key whose secret signed the request.
pub(super) fn write(accounts: &[Account], request: &Request, now: i64) -> Result<usize, Refusal> {
    let public_key = header(request, "x-public-key")?;
    let timestamp = header(request, "x-timestamp")?;
    let signature = header(request, "x-signature")?;
    let account = read(accounts, request)?;
    let age = timestamp.parse::<i64>().ok().and_then(|stamp| (now / 1000).checked_sub(stamp));
    if !age.is_some_and(|age| (-WINDOW_SECONDS..=WINDOW_SECONDS).contains(&age)) {
        return Err(Refusal::new(401, "timestamp_expired", "the request timestamp is outside of the allowed window"));
    }
    let hash = if request.body.is_empty() { String::new() } else { hex::encode(Sha256::digest(&request.body)) };
    let payload = format!("{timestamp}.{}.{}.{hash}", request.method, request.path);
    let secret = accounts[account].secret_of(public_key).unwrap_or_default();
    let signed = STANDARD.decode(signature).is_ok_and(|tag| verify_hmac(secret.as_bytes(), payload.as_bytes(), &tag));
    if !signed {
        let message = "the provided signature does not match the expected signature";
        return Err(Refusal::new(401, "invalid_signature", message));
    }
    Ok(account)
}

fn header<'a>(request: &'a Request, name: &str) -> Result<&'a str, Refusal> {
    let value = request.header(name).filter(|value| !value.is_empty());
    value.ok_or_else(|| Refusal::unauthorized(&format!("missing header {name}")))
}
