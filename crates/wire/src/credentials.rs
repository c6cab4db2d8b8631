//! What a spec says of a venue's credentials: how they travel, how one logs in, what proves that they work, what a refusal means.

use crate::key_lifecycle::KeyLifecycle;
use crate::operation::ErrorKind;
use crate::signature::Signature;
use crate::variables::VariableKind;

/// What a venue's table says of its credentials.
#[derive(Clone, Copy, Debug)]
pub struct CredentialRules {
    /// The headers that carry credentials (`x-credential`).
    pub schemes: &'static [Scheme],
    /// How credentials are fetched from the venue (`x-logins`).
    pub logins: &'static [Login],
    /// What is signed, and where the signature goes (`x-signatures`).
    pub signatures: &'static [Signature],
    /// How far a signed time may be off (`x-clock-window`). None where no time is signed.
    pub clock_window: Option<ClockWindow>,
    /// Calls that prove something (`x-probes`).
    pub probes: Probes,
    /// What refusals mean (`x-symptoms`).
    pub symptoms: Symptoms,
    /// The life cycle of the venue's keys (`x-keys`). None where the venue manages none by calls.
    pub keys: Option<&'static KeyLifecycle>,
}

impl CredentialRules {
    /// Nothing is known.
    pub const NONE: Self = Self {
        schemes: &[],
        logins: &[],
        signatures: &[],
        clock_window: None,
        probes: Probes { reach: None, key: &[] },
        symptoms: Symptoms { first: &[], last: &[] },
        keys: None,
    };

    /// The headers that carry this credential, in the order of the spec.
    pub fn headers_of(&self, credential: &str) -> impl Iterator<Item = &'static str> {
        self.schemes.iter().filter(move |scheme| scheme.credential == credential).map(|scheme| scheme.header)
    }

    /// How this credential is fetched.
    pub fn login(&self, credential: &str) -> Option<&'static Login> {
        self.logins.iter().find(|login| login.credential == credential)
    }

    /// The signature of this name: a credential, or what a login is signed by.
    pub fn signature(&self, name: &str) -> Option<&'static Signature> {
        self.signatures.iter().find(|signature| signature.name == name)
    }
}

/// A header that carries a credential, or a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheme {
    /// The credential.
    pub credential: &'static str,
    /// The header, in lower case.
    pub header: &'static str,
    /// What is in it.
    pub carries: Carries,
}

/// What a header of a credential carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Carries {
    /// What identifies the caller, as it is.
    Id,
    /// What proves it, as it is.
    Secret,
    /// `Bearer`, and the token.
    Bearer,
    /// `Basic`, and id and secret in base64.
    Basic,
    /// A one-time code.
    Code,
    /// What a signer writes: see [`Signature::fields`].
    Signed,
}

/// How a credential is fetched from the venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Login {
    /// The credential that it fetches.
    pub credential: &'static str,
    /// The operation.
    pub operation: &'static str,
    /// With what.
    pub takes: &'static [VariableKind],
    /// The member of the request that holds the id, where id and secret are sent.
    pub id: Option<&'static str>,
    /// The member of the request that holds the secret.
    pub secret: Option<&'static str>,
    /// The signature whose fields are the request, where the secret is not sent.
    pub signed_by: Option<&'static str>,
    /// Where the response has the token, as a JSON pointer.
    pub token_at: &'static str,
    /// Where it has the id that goes along with the token.
    pub id_at: Option<&'static str>,
    /// Where it has the scopes that were granted, separated by blanks.
    pub scopes_at: Option<&'static str>,
    /// How those words end that are scopes. All of them are, where there is no ending.
    pub scope_endings: &'static [&'static str],
}

/// How far a signed time may be off, in seconds, before a venue is known to refuse it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockWindow {
    /// For a clock that is behind the venue's.
    pub behind: u32,
    /// For a clock that is ahead of it.
    pub ahead: u32,
}

/// Calls that prove something and change nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probes {
    /// A call that anybody may make: a successful response proves that the venue is reached.
    pub reach: Option<Probe>,
    /// Calls that a good key may make. All of them, one after the other, prove that it works.
    pub key: &'static [Probe],
}

/// A call that changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The operation.
    pub operation: &'static str,
    /// What goes along: names and values of parameters or of members of the body.
    pub with: &'static [(&'static str, &'static str)],
    /// Members of the response. Each of them is vital in a probe of a key; one of them is always there in one that anybody makes.
    pub members: &'static [&'static str],
    /// JSON pointers of which one leads to a list. None where the response needs no list.
    pub list: &'static [&'static str],
    /// Whether "there is no such thing" is the successful response.
    pub finds_nothing: bool,
    /// What a successful response proves, as a sentence for people.
    pub proves: &'static str,
}

/// What refusals mean. The first row that fits counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symptoms {
    /// Rows that count before those that hold for all venues.
    pub first: &'static [Symptom],
    /// Rows that count after them.
    pub last: &'static [Symptom],
}

impl Cause {
    /// Whether the venue did not accept a one-time code, or wants one.
    pub fn is_second_factor(self) -> bool {
        matches!(self, Self::SecondFactor | Self::SecondFactorUsed | Self::SecondFactorLate | Self::SecondFactorLocked)
    }
}

/// What one kind of refusal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symptom {
    /// The kind of error. Without one: any that is about credentials.
    pub kind: Option<ErrorKind>,
    /// Words of the code, the message or the detail: lower case, with one blank in place of all that is neither letter nor digit.
    pub says: &'static str,
    /// What it means.
    pub cause: Cause,
}

impl Symptom {
    /// Whether an error is this symptom. `words` is what the venue says, by [`words`].
    pub fn fits(&self, kind: ErrorKind, words: &str) -> bool {
        let is_refusal = matches!(kind, ErrorKind::Unauthorized | ErrorKind::Forbidden);
        self.kind.map_or(is_refusal, |wanted| wanted == kind)
            && (self.says.is_empty() || contains_words(words, self.says))
    }
}

/// What a venue says, in the form that symptoms are compared with: lower case, a blank before, between and behind its words.
pub fn words<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut words = String::from(" ");
    for text in texts {
        for word in text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
            words.push_str(&word.to_ascii_lowercase());
            words.push(' ');
        }
    }
    words
}

/// Whether words stand in a text that [`words`] has made, one behind the other.
pub fn contains_words(text: &str, words: &str) -> bool {
    let whole = |at: usize| text[..at].ends_with(' ') && text[at + words.len()..].starts_with(' ');
    text.match_indices(words).any(|(at, _)| whole(at))
}

/// Why a call was refused, as far as a spec can say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The venue does not know the key: another environment, or revoked.
    UnknownKey,
    /// The venue knows the key, and the signature is of another one.
    OtherSecret,
    /// The key or its secret; the venue does not say which.
    KeyOrSecret,
    /// The key, the address that it is used from, or a permission; the venue does not say which.
    KeyAddressOrScope,
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
    /// One of the two clocks is wrong.
    Clock,
    /// The key may not do this.
    Scope,
    /// The key is of a sub-account, which may not do this.
    SubAccount,
    /// The key may not be used from here.
    Address,
    /// The venue does not serve this country.
    Region,
    /// The account is not verified yet.
    Verification,
    /// The venue has locked trading.
    Locked,
    /// A one-time code is missing or wrong.
    SecondFactor,
    /// A one-time code was used already.
    SecondFactorUsed,
    /// A one-time code came too late.
    SecondFactorLate,
    /// There were too many wrong one-time codes.
    SecondFactorLocked,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared_whole() {
        let said = words(["INVALID_SIGNATURE", "Session (expired)"]);
        assert_eq!(said, " invalid signature session expired ");
        assert!(contains_words(&said, "signature session") && contains_words(&said, "expired"));
        assert!(!contains_words(&said, "sign") && !contains_words(&said, "xpired") && !contains_words(" ", "a"));
    }

    #[test]
    fn a_symptom_without_a_kind_is_about_credentials() {
        let symptom = Symptom { kind: None, says: "not found", cause: Cause::UnknownKey };
        assert!(symptom.fits(ErrorKind::Unauthorized, " not found "));
        assert!(!symptom.fits(ErrorKind::NotFound, " not found ") && !symptom.fits(ErrorKind::Forbidden, " found "));
        let symptom = Symptom { kind: Some(ErrorKind::NotFound), says: "", cause: Cause::UnknownKey };
        assert!(symptom.fits(ErrorKind::NotFound, " ") && !symptom.fits(ErrorKind::Unauthorized, " "));
    }
}
