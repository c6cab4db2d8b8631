//! The rules of the spec vocabulary, and every trap of the generator, as named errors.

mod bodies;
mod composition;
mod credentials;
mod errors;
mod forms;
mod ids;
mod keys;
mod links;
mod names;
mod operations;
mod pages;
mod parameters;
mod patterns;
mod references;
mod results;
mod schemas;
mod shape;
mod streams;
mod texts;
mod websocket;
mod whole_text;
mod words;

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use crate::document::Document;
use crate::finding::Finding;

pub use self::composition::{is_decimal_or_text, is_integer_or_text, one_or_many};
pub use self::words::{Place, words};

/// Everything that is wrong with a document, in the order of its files and lines.
pub fn lint(document: &Document) -> Vec<Finding> {
    let mut findings = Vec::new();
    shape::check(document, &mut findings);
    texts::check(document, &mut findings);
    patterns::check(document, "", &document.value, &mut findings);
    words::check(document, &mut findings);
    names::check(document, &mut findings);
    references::check(document, &mut findings);
    operations::check(document, &mut findings);
    schemas::check(document, &mut findings);
    ids::check(document, &mut findings);
    streams::check(document, &mut findings);
    findings.sort_by(|a, b| (&a.at, a.rule, &a.message).cmp(&(&b.at, b.rule, &b.message)));
    findings.dedup();
    findings
}

/// Records a broken rule: its name, the place as a JSON pointer, what is wrong, what to do.
type Fail<'a> = dyn FnMut(&'static str, &str, String, &str) + 'a;

/// The kinds that `x-errors` may name, each with its variant of `ErrorKind`.
pub const KINDS: [(&str, &str); 12] = [
    ("unauthorized", "Unauthorized"),
    ("forbidden", "Forbidden"),
    ("clock", "Clock"),
    ("rate-limited", "RateLimited"),
    ("insufficient-funds", "InsufficientFunds"),
    ("invalid-request", "InvalidRequest"),
    ("not-found", "NotFound"),
    ("conflict", "Conflict"),
    ("maintenance", "Maintenance"),
    ("challenge", "Challenge"),
    ("server", "Server"),
    ("other", "Other"),
];

/// The units of a venue's time, and how many make a second.
pub const UNITS: [(&str, i64); 5] = [
    ("unix-s", 1),
    ("unix-ms", 1_000),
    ("unix-us", 1_000_000),
    ("unix-ns", 1_000_000_000),
    // What reads milliseconds knows microseconds by their size.
    ("unix-ms-or-us", 1_000),
];

/// A pattern that accepts one of these lets a path parameter change the path. That no other text has a slash is read from the pattern.
pub const UNSAFE_IDS: [&str; 3] = ["", ".", ".."];

/// What kind of thing a field's name says it is.
pub struct Names {
    secret: regress::Regex,
    not_secret: regress::Regex,
    money: regress::Regex,
}

/// The names that sound secret or like money.
pub static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let regex = |pattern: &str| regress::Regex::with_flags(pattern, "i").expect("the patterns are constants");
    Names {
        secret: regex(
            "secret|private_?key|passw|passphrase|credential|token$|_token|^otp$|totp|^pin$|_pin$|^signature$|mnemonic|auth_?code",
        ),
        not_secret: regex("^tokens?$|token_type|token_expiry|_tokens?_(count|cost)|token_symbol|destination_token"),
        money: regex(
            "price|amount|balance|equity|margin|funds|fee($|s|_)|pnl|profit|loss|premium|cost|value$|quantity|qty|size$|_rpl|_upl|commission|notional|liquidity$|volume",
        ),
    }
});

impl Names {
    /// Whether a field of this name holds something to hide.
    pub fn sounds_secret(&self, name: &str) -> bool {
        self.secret.find(name).is_some() && self.not_secret.find(name).is_none()
    }

    /// Whether a field of this name holds money or a quantity.
    pub fn sounds_like_money(&self, name: &str) -> bool {
        self.money.find(name).is_some()
    }
}
