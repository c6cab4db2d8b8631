//! What a refusal means: a table of what venues say.

use serde_json::Value;
use venuekit_transport::{Error, ErrorKind};

use crate::venue::Venue;

/// Why a call was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The venue does not know the key: another environment, or revoked.
    UnknownKey,
    /// The venue knows the key and the signature is of another one.
    OtherSecret,
    /// The key or its secret; the venue does not say which.
    KeyOrSecret,
    /// The headers that prove who calls did not get there.
    NoSignature,
    /// The session or the token is over.
    SessionOver,
    /// The key itself has ended.
    Expired,
    /// The key was revoked.
    Revoked,
    /// The key is switched off.
    Disabled,
    /// The key is too new.
    NotYetActive,
    /// One of the two clocks.
    Clock,
    /// The key may not do this.
    Scope,
    /// The key is of a sub-account, which may not do this.
    SubAccount,
    /// The key may not be used from here.
    Address,
    /// Nobody may call from this country.
    Region,
    /// The account is not verified yet.
    Verification,
    /// The venue has locked trading.
    Locked,
    /// Not allowed, for no reason that is known.
    Forbidden,
    /// A one-time code is missing.
    SecondFactor,
    /// Too many calls.
    Wait,
    /// The network, or the venue is down.
    Unreachable,
    /// Somebody in between has answered, not the venue.
    Foreign,
    /// It could not even be sent.
    Unsendable,
    /// Nothing that is known.
    Other,
}

/// A row of the table: the first one that fits counts.
struct Symptom {
    venue: Option<Venue>,
    /// The kinds of errors that it is about; none for all that are about credentials.
    kind: Option<ErrorKind>,
    /// Words that the venue says, in lower case, with blanks for all that is neither letter nor digit.
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
    Symptom {
        venue: Some(Venue::Deribit),
        kind: Some(ErrorKind::Maintenance),
        says: "locked by admin",
        cause: Cause::Locked,
    },
    kind(ErrorKind::Network, Cause::Unreachable),
    kind(ErrorKind::Timeout, Cause::Unreachable),
    kind(ErrorKind::Maintenance, Cause::Unreachable),
    kind(ErrorKind::Server, Cause::Unreachable),
    kind(ErrorKind::RateLimited, Cause::Wait),
    kind(ErrorKind::Clock, Cause::Clock),
    kind(ErrorKind::Challenge, Cause::SecondFactor),
    // One sentence for three causes.
    at(Venue::Yativo, "invalid expired or revoked", Cause::KeyOrSecret),
    any("unknown or disabled", Cause::KeyOrSecret),
    any("ip", Cause::Address),
    any("whitelist", Cause::Address),
    any("allowlist", Cause::Address),
    any("allow list", Cause::Address),
    any("region", Cause::Region),
    any("country", Cause::Region),
    any("two factor", Cause::SecondFactor),
    any("2fa", Cause::SecondFactor),
    any("timestamp", Cause::Clock),
    any("verification required", Cause::Verification),
    any("not active", Cause::NotYetActive),
    any("not yet active", Cause::NotYetActive),
    any("sub account", Cause::SubAccount),
    any("subaccount", Cause::SubAccount),
    any("signature is missing", Cause::NoSignature),
    any("incorrect api key signature", Cause::OtherSecret),
    any("invalid signature", Cause::OtherSecret),
    at(Venue::Bayse, "session", Cause::SessionOver),
    at(Venue::Yativo, "access token", Cause::SessionOver),
    any("token expired", Cause::SessionOver),
    any("expired token", Cause::SessionOver),
    any("revoked", Cause::Revoked),
    any("expired", Cause::Expired),
    any("disabled", Cause::Disabled),
    at(Venue::Kalshi, "not found", Cause::UnknownKey),
    at(Venue::KalshiPerps, "not found", Cause::UnknownKey),
    at(Venue::Bayse, "invalid api key", Cause::UnknownKey),
    any("scope", Cause::Scope),
    any("scopes", Cause::Scope),
    any("permission", Cause::Scope),
    any("permissions", Cause::Scope),
    // The numbers and the word by which these two refuse what a key has no scope for.
    at(Venue::Deribit, "13021", Cause::Scope),
    at(Venue::Yativo, "forbidden", Cause::Scope),
    kind(ErrorKind::Forbidden, Cause::Forbidden),
    kind(ErrorKind::Unauthorized, Cause::KeyOrSecret),
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
        return Cause::Region;
    }
    // No refusal: what came with a good status is not what the venue answers to that call.
    if status.is_success() && error.kind() == ErrorKind::Decode {
        return Cause::Foreign;
    }
    // A gateway's page for a server that is down says that it is down.
    if status.is_redirection() || !status.is_server_error() && !body(error).is_empty() && !is_json(error) {
        return Cause::Foreign;
    }
    let said = words(error);
    let is_refusal = matches!(error.kind(), ErrorKind::Unauthorized | ErrorKind::Forbidden);
    let fits = |symptom: &&Symptom| {
        symptom.venue.is_none_or(|one| one == venue)
            && symptom.kind.map_or(is_refusal, |kind| kind == error.kind())
            && (symptom.says.is_empty() || said.contains(&format!(" {} ", symptom.says)))
    };
    SYMPTOMS.iter().find(fits).map_or(Cause::Other, |symptom| symptom.cause)
}

/// What the venue says, as words with a blank around each.
fn words(error: &Error) -> String {
    let texts = [error.code(), Some(error.message()), error.detail()];
    let said = texts.into_iter().flatten().collect::<Vec<_>>().join(" ").to_ascii_lowercase();
    let words = said.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.fold(" ".to_owned(), |said, word| said + word + " ")
}

/// The body of a refusal. It is not shown.
fn body(error: &Error) -> Vec<u8> {
    let sealed = || error.sealed_body().map(|body| body.expose().as_bytes().to_vec());
    error.raw_body().map(<[u8]>::to_vec).or_else(sealed).unwrap_or_default()
}

/// Whether the answer is JSON, as all that venues say themselves.
pub fn is_json(error: &Error) -> bool {
    serde_json::from_slice::<Value>(&body(error)).is_ok_and(|body| body.is_object())
}
