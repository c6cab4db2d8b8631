//! What a refusal means: a table of what venues say.

use venuekit_transport::{Error, ErrorKind};

use crate::venue::Venue;

/// Why a key was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The venue does not know the key: another environment, revoked, or not active yet.
    UnknownKey,
    /// The venue knows the key and the signature is of another one.
    OtherSecret,
    /// The key or its secret; the venue does not say which.
    KeyOrSecret,
    /// The session or the token is over.
    Expired,
    /// One of the two clocks.
    Clock,
    /// The key may not do this.
    Scope,
    /// The key may not be used from here.
    Address,
    /// The key is switched off.
    Disabled,
    /// A one-time code is missing.
    SecondFactor,
    /// The network, or the venue is down.
    Unreachable,
    /// Nothing that is known.
    Other,
}

/// A row of the table: the first one that fits counts.
struct Symptom {
    venue: Option<Venue>,
    kind: Option<ErrorKind>,
    /// A part of what the venue says, in lower case.
    says: &'static str,
    cause: Cause,
}

const fn any(says: &'static str, cause: Cause) -> Symptom {
    Symptom { venue: None, kind: None, says, cause }
}

const fn at(venue: Venue, says: &'static str, cause: Cause) -> Symptom {
    Symptom { venue: Some(venue), kind: None, says, cause }
}

const fn kind(kind: ErrorKind, cause: Cause) -> Symptom {
    Symptom { venue: None, kind: Some(kind), says: "", cause }
}

const SYMPTOMS: &[Symptom] = &[
    kind(ErrorKind::Network, Cause::Unreachable),
    kind(ErrorKind::Timeout, Cause::Unreachable),
    kind(ErrorKind::Maintenance, Cause::Unreachable),
    kind(ErrorKind::Server, Cause::Unreachable),
    kind(ErrorKind::Clock, Cause::Clock),
    kind(ErrorKind::Challenge, Cause::SecondFactor),
    any("whitelist", Cause::Address),
    any("allowlist", Cause::Address),
    any("allow-list", Cause::Address),
    any("ip address", Cause::Address),
    any("ip_not_allowed", Cause::Address),
    any("two_factor", Cause::SecondFactor),
    any("2fa", Cause::SecondFactor),
    any("timestamp", Cause::Clock),
    any("unknown or disabled", Cause::KeyOrSecret),
    any("disabled", Cause::Disabled),
    any("incorrect_api_key_signature", Cause::OtherSecret),
    any("invalid_signature", Cause::OtherSecret),
    any("invalid signature", Cause::OtherSecret),
    at(Venue::Kalshi, "not_found", Cause::UnknownKey),
    at(Venue::KalshiPerps, "not_found", Cause::UnknownKey),
    at(Venue::Bayse, "invalid api key", Cause::UnknownKey),
    at(Venue::Bayse, "session", Cause::Expired),
    at(Venue::Yativo, "access token", Cause::Expired),
    kind(ErrorKind::Forbidden, Cause::Scope),
    kind(ErrorKind::Unauthorized, Cause::KeyOrSecret),
];

/// What a refusal means.
pub fn cause(venue: Venue, error: &Error) -> Cause {
    let texts = [error.code(), Some(error.message()), error.detail()];
    let said = texts.into_iter().flatten().collect::<Vec<_>>().join(" ").to_ascii_lowercase();
    let fits = |symptom: &&Symptom| {
        symptom.venue.is_none_or(|one| one == venue)
            && symptom.kind.is_none_or(|kind| kind == error.kind())
            && said.contains(symptom.says)
    };
    let credential = matches!(error.kind(), ErrorKind::Unauthorized | ErrorKind::Forbidden);
    let relevant = |symptom: &&Symptom| symptom.kind.is_some() || credential;
    SYMPTOMS.iter().filter(relevant).find(fits).map_or(Cause::Other, |symptom| symptom.cause)
}
