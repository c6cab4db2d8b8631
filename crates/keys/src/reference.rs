//! What a stored key is called everywhere.

use std::fmt;
use std::str::FromStr;

use crate::account::{Account, Venue, venue_of};

/// A stored key's name: `VENUE/ENVIRONMENT/NAME`, such as `kalshi/demo/bot`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// The venue.
    pub venue: Venue,
    /// The environment's name.
    pub environment: String,
    /// The key's name: up to 64 letters, digits, `-`, `_` and `.`; one that begins with `@` is this crate's own.
    pub name: String,
}

const LONGEST: usize = 64;

impl Reference {
    /// Puts the parts together.
    ///
    /// # Errors
    /// A part with a character that some store could not take.
    pub fn new(venue: Venue, environment: impl Into<String>, name: impl Into<String>) -> Result<Self, BadReference> {
        let (environment, name) = (environment.into(), name.into());
        check("an environment", &environment)?;
        check("a key's name", name.strip_prefix('@').unwrap_or(&name))?;
        Ok(Self { venue, environment, name })
    }

    /// A key of this account.
    ///
    /// # Errors
    /// A name with a character that some store could not take.
    pub fn of(account: &Account, name: impl Into<String>) -> Result<Self, BadReference> {
        Self::new(account.venue, account.environment.clone(), name)
    }

    /// Whether it belongs to this account.
    pub fn is_of(&self, account: &Account) -> bool {
        self.venue == account.venue && self.environment == account.environment
    }

    /// Whether it names a key of the user's, and nothing that this crate keeps for itself.
    pub fn is_a_key(&self) -> bool {
        !self.name.starts_with('@')
    }
}

fn check(what: &str, text: &str) -> Result<(), BadReference> {
    let allowed = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
    if text.is_empty() || text.len() > LONGEST || text.starts_with(['.', '-']) || !text.chars().all(allowed) {
        let rule = format!("up to {LONGEST} letters, digits, `-`, `_` and `.`, a letter, digit or `_` first");
        return Err(BadReference::new(format!("`{text}` cannot be {what}: {rule}")));
    }
    Ok(())
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.venue, self.environment, self.name)
    }
}

impl FromStr for Reference {
    type Err = BadReference;

    fn from_str(text: &str) -> Result<Self, BadReference> {
        let parts: Vec<&str> = text.split('/').collect();
        let [venue, environment, name] = parts[..] else {
            return Err(BadReference::new(format!("`{text}` is not a key's name: write VENUE/ENVIRONMENT/NAME")));
        };
        Self::new(venue_of(venue)?, environment, name)
    }
}

/// A text that names no key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadReference(String);

impl BadReference {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for BadReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadReference {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_what_it_writes() {
        let reference: Reference = "kalshi/demo/bot".parse().unwrap();
        assert_eq!((reference.venue, reference.to_string().as_str()), (Venue::KALSHI, "kalshi/demo/bot"));
    }

    #[test]
    fn nothing_that_leaves_its_folder_is_a_name() {
        for bad in [
            "kalshi/demo",
            "kalshi/demo/..",
            "kalshi/demo/a b",
            "kalshi/demo/",
            "nasdaq/demo/bot",
            "kalshi-perps/demo/bot",
            "kalshi//bot",
        ] {
            assert!(bad.parse::<Reference>().is_err(), "{bad}");
        }
        assert!(Reference::new(Venue::KALSHI, "demo", "a/b").is_err());
    }
}
