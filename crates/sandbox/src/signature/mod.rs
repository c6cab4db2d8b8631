//! Explains signatures: the text that was expected, whether the signature is valid, and which part is wrong if it is not.
//!
//! Each venue describes its text as a [`SigningText`] with the alternatives that clients sign by mistake. [`explain`] tries
//! them alone and in pairs, with other keys, algorithms and encodings.

mod algorithm;
mod body;
mod encoding;
mod parts;
mod rsa;
mod search;
mod text;

use serde::Serialize;

pub(crate) use self::algorithm::{Algorithm, SigningKey};
pub(crate) use self::body::{body_alternatives, body_hash_alternatives};
pub(crate) use self::encoding::Encoding;
pub(crate) use self::parts::{constant, method, milliseconds, optional_body, path, seconds};
use self::search::search;
pub(crate) use self::text::{Part, SigningText};

/// One thing that is wrong, and what to do instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Mistake {
    /// The part of the request or of the signature, such as `timestamp` or `path`.
    pub(crate) part: &'static str,
    pub(crate) message: String,
}

impl Mistake {
    pub(crate) fn new(part: &'static str, message: impl Into<String>) -> Self {
        Self { part, message: message.into() }
    }
}

/// What a request says about its sender, and what is wrong with that.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Inspection {
    /// The public name of the credential, such as a key id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) credential: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) signature: Option<SignatureReport>,
    /// Mistakes of the credentials that are not mistakes of the signature.
    pub(crate) mistakes: Vec<Mistake>,
}

/// How far the time of a request may be from the venue's.
pub(crate) struct ClockWindow {
    /// Whether times are in milliseconds; they are in seconds otherwise.
    pub(crate) is_millis: bool,
    /// The ages that are accepted, in that unit.
    pub(crate) ages: std::ops::RangeInclusive<i64>,
    /// The tolerance that messages name, in seconds.
    pub(crate) seconds: i64,
}

impl Inspection {
    /// A request that carries no credential.
    pub(crate) fn none() -> Self {
        Self::default()
    }

    pub(crate) fn of(credential: impl Into<String>) -> Self {
        Self { credential: Some(credential.into()), ..Self::default() }
    }

    /// Adds a mistake if the timestamp is too far from `now`, which is in milliseconds.
    pub(crate) fn with_clock(self, sent: i64, clock: &ClockWindow, now: i64) -> Self {
        let (own, other) = if clock.is_millis { (now, now / 1000) } else { (now / 1000, now) };
        let age = own.saturating_sub(sent);
        if clock.ages.contains(&age) {
            return self;
        }
        let (wanted, used) = if clock.is_millis { ("milliseconds", "seconds") } else { ("seconds", "milliseconds") };
        let day = if clock.is_millis { 86_400 } else { 86_400_000 };
        if other.saturating_sub(sent).abs() < day {
            return self.with("timestamp", format!("the timestamp is in {used}: send Unix {wanted}"));
        }
        let side = if age > 0 { "behind" } else { "ahead of" };
        let seconds = if clock.is_millis { age.unsigned_abs() / 1000 } else { age.unsigned_abs() };
        let allowed = clock.seconds;
        self.with(
            "timestamp",
            format!("the timestamp is {seconds} s {side} the venue's clock: {allowed} s are allowed"),
        )
    }

    /// Whether the signature, if there is one, is valid.
    pub(crate) fn has_no_wrong_signature(&self) -> bool {
        self.signature.as_ref().is_none_or(|signature| signature.valid)
    }

    #[must_use]
    pub(crate) fn with(mut self, part: &'static str, message: impl Into<String>) -> Self {
        self.mistakes.push(Mistake::new(part, message));
        self
    }
}

/// What a request says about its sender, and the signature that is still to be checked.
///
/// Finding out what was signed takes a while, so it happens once the state of the venue is no longer locked.
pub(crate) struct Evidence {
    inspection: Inspection,
    signed: Option<Signed>,
}

impl From<Inspection> for Evidence {
    fn from(inspection: Inspection) -> Self {
        Self { inspection, signed: None }
    }
}

impl Evidence {
    pub(crate) fn signed(inspection: Inspection, signed: Signed) -> Self {
        Self { inspection, signed: Some(signed) }
    }

    /// The findings before the signature is checked.
    pub(crate) fn inspection(&self) -> &Inspection {
        &self.inspection
    }

    /// Checks the signature, if there is one.
    pub(crate) fn explain(self) -> Inspection {
        let signature = self.signed.as_ref().map(explain);
        Inspection { signature, ..self.inspection }
    }
}

/// One signature, and what it should have been made of.
pub(crate) struct Signed {
    pub(crate) text: SigningText,
    pub(crate) algorithm: Algorithm,
    pub(crate) encoding: Encoding,
    /// As it was sent.
    pub(crate) signature: String,
    pub(crate) key: SigningKey,
    /// Keys that may have been mistaken for it, each with a description such as `the key pk_live_1`.
    pub(crate) other_keys: Vec<(String, SigningKey)>,
}

/// A part of the expected text.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PartReport {
    pub(crate) name: &'static str,
    pub(crate) expected: String,
    /// What was signed instead, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) signed: Option<String>,
}

/// What is to be said about a signature.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SignatureReport {
    pub(crate) algorithm: &'static str,
    pub(crate) encoding: &'static str,
    pub(crate) valid: bool,
    /// What is wrong; empty for an invalid signature that no known mistake explains.
    pub(crate) mistakes: Vec<Mistake>,
    pub(crate) parts: Vec<PartReport>,
    pub(crate) expected_text: String,
    /// The text that was signed, where that is known and differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) signed_text: Option<String>,
}

/// Checks a signature, and finds out what is wrong with it.
fn explain(signed: &Signed) -> SignatureReport {
    let mut report = report(signed);
    match search(signed) {
        Some(found) => {
            report.valid = found.mistakes.is_empty();
            for (part, values) in report.parts.iter_mut().zip(&found.parts) {
                part.signed = Some(text::printable(values)).filter(|value| *value != part.expected);
            }
            report.signed_text = Some(text::printable(&found.text)).filter(|text| *text != report.expected_text);
            report.mistakes = found.mistakes;
        }
        None => report.mistakes = search::hints(signed),
    }
    report
}

fn report(signed: &Signed) -> SignatureReport {
    let part = |part: &Part| PartReport { name: part.name, expected: text::printable(&part.value), signed: None };
    SignatureReport {
        algorithm: signed.algorithm.name(&signed.key),
        encoding: signed.encoding.name(),
        valid: false,
        mistakes: Vec::new(),
        parts: signed.text.parts.iter().filter(|part| !part.is_absent()).map(part).collect(),
        expected_text: text::printable(&signed.text.expected()),
        signed_text: None,
    }
}
