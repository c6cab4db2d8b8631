//! What a refusal means: rows that hold for all venues, between those of a venue's spec (`x-symptoms`).

use serde_json::Value;
use venuekit_transport::{Error, ErrorKind};
use venuekit_wire::credentials::{Cause as Known, Symptom, words};

use crate::venue::Venue;

/// Why a call was refused, or did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// What the venue says.
    Known(Known),
    /// Not allowed, for no known reason.
    Forbidden,
    /// Too many calls.
    Wait,
    /// The network, or the venue is down.
    Unreachable,
    /// Something between here and the venue has responded.
    Foreign,
    /// It could not even be sent.
    Unsendable,
    /// No known cause.
    Other,
}

const fn row(says: &'static str, cause: Known) -> Symptom {
    Symptom { kind: None, says, cause }
}

/// Rows for all venues. The first that fits counts.
const SYMPTOMS: &[Symptom] = &[
    Symptom { kind: Some(ErrorKind::Clock), says: "", cause: Known::Clock },
    Symptom { kind: Some(ErrorKind::Challenge), says: "", cause: Known::SecondFactor },
    row("unknown or disabled", Known::KeyOrSecret),
    row("ip", Known::Address),
    row("whitelist", Known::Address),
    row("allowlist", Known::Address),
    row("allow list", Known::Address),
    row("region", Known::Region),
    row("country", Known::Region),
    row("two factor", Known::SecondFactor),
    row("2fa", Known::SecondFactor),
    row("timestamp", Known::Clock),
    row("verification required", Known::Verification),
    row("not active", Known::NotYetActive),
    row("not yet active", Known::NotYetActive),
    row("sub account", Known::SubAccount),
    row("subaccount", Known::SubAccount),
    row("signature is missing", Known::NoSignature),
    row("incorrect api key signature", Known::OtherSecret),
    row("invalid signature", Known::OtherSecret),
    row("token expired", Known::SessionOver),
    row("expired token", Known::SessionOver),
    row("revoked", Known::Revoked),
    row("expired", Known::Expired),
    row("disabled", Known::Disabled),
    row("scope", Known::Scope),
    row("scopes", Known::Scope),
    row("permission", Known::Scope),
    row("permissions", Known::Scope),
];

/// What a refusal means.
pub fn cause(venue: Venue, error: &Error) -> Cause {
    let Some(status) = error.status() else {
        return match error.kind() {
            ErrorKind::InvalidRequest | ErrorKind::Unauthorized => Cause::Unsendable,
            ErrorKind::RateLimited => Cause::Wait,
            _ => Cause::Unreachable,
        };
    };
    if status == http::StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS {
        return Cause::Known(Known::Region);
    }
    // Not a refusal: what came with a success status is not the venue's response to that call.
    if status.is_success() && error.kind() == ErrorKind::Decode {
        return Cause::Foreign;
    }
    // A gateway's page for a server that is down says that it is down.
    if status.is_redirection() || !status.is_server_error() && !body(error).is_empty() && !is_json(error) {
        return Cause::Foreign;
    }
    let said = words([error.code(), Some(error.message()), error.detail()].into_iter().flatten());
    let find =
        |rows: &[Symptom]| rows.iter().find(|row| row.fits(error.kind(), &said)).map(|row| Cause::Known(row.cause));
    let rules = &venue.table().credentials.symptoms;
    let known = error.refusal_cause().map(Cause::Known);
    known.or_else(|| of_server(error)).or_else(|| find(SYMPTOMS)).or_else(|| find(rules.last)).unwrap_or(
        match error.kind() {
            ErrorKind::Forbidden => Cause::Forbidden,
            ErrorKind::Unauthorized => Cause::Known(Known::KeyOrSecret),
            _ => Cause::Other,
        },
    )
}

/// What says nothing of the caller.
fn of_server(error: &Error) -> Option<Cause> {
    match error.kind() {
        ErrorKind::Network | ErrorKind::Timeout | ErrorKind::Maintenance | ErrorKind::Server => {
            Some(Cause::Unreachable)
        }
        ErrorKind::RateLimited => Some(Cause::Wait),
        _ => None,
    }
}

/// The body of a refusal. It is not shown.
fn body(error: &Error) -> Vec<u8> {
    let sealed = || error.sealed_body().map(|body| body.expose().as_bytes().to_vec());
    error.raw_body().map(<[u8]>::to_vec).or_else(sealed).unwrap_or_default()
}

/// Whether the response is a JSON object, as all that venues say themselves.
pub fn is_json(error: &Error) -> bool {
    serde_json::from_slice::<Value>(&body(error)).is_ok_and(|body| body.is_object())
}
