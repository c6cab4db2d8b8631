//! Access scopes: what a key may do at most, and what a token may do.

use std::collections::BTreeMap;
use std::fmt;

/// The resources that a scope names a level for.
pub(super) const RESOURCES: [&str; 6] = ["account", "block_rfq", "block_trade", "custody", "trade", "wallet"];

/// How far a scope reaches into a resource.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Level {
    None,
    Read,
    ReadWrite,
}

impl Level {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "none" => Some(Self::None),
            "read" => Some(Self::Read),
            "read_write" => Some(Self::ReadWrite),
            _ => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Read => "read",
            Self::ReadWrite => "read_write",
        }
    }
}

/// A level for each resource that is named; the others have none.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Scope(BTreeMap<&'static str, Level>);

impl Scope {
    /// Full access to everything.
    pub(super) fn full() -> Self {
        Self(RESOURCES.map(|resource| (resource, Level::ReadWrite)).into())
    }

    /// Reads words such as `trade:read_write`; hands back the first one it does not know.
    pub(super) fn parse<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, &'a str> {
        let mut scope = Self::default();
        for word in words {
            scope.insert(word)?;
        }
        Ok(scope)
    }

    fn insert<'a>(&mut self, word: &'a str) -> Result<(), &'a str> {
        let (resource, level) = word.split_once(':').ok_or(word)?;
        let resource = RESOURCES.into_iter().find(|known| *known == resource).ok_or(word)?;
        self.0.insert(resource, Level::parse(level).ok_or(word)?);
        Ok(())
    }

    pub(super) fn level(&self, resource: &str) -> Level {
        self.0.get(resource).copied().unwrap_or(Level::None)
    }

    /// What both scopes allow.
    pub(super) fn min(&self, other: &Self) -> Self {
        Self(self.0.iter().map(|(resource, level)| (*resource, (*level).min(other.level(resource)))).collect())
    }

    /// Whether nothing in the other scope reaches further than this one.
    pub(super) fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|(resource, level)| *level <= self.level(resource))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> =
            self.0.iter().map(|(resource, level)| format!("{resource}:{}", level.as_str())).collect();
        formatter.write_str(&words.join(" "))
    }
}

/// The resource and level of a scope that a method asks for, such as `wallet:read_write mainaccount`.
pub(super) fn named(scope: &'static str) -> Option<(&'static str, Level)> {
    let (resource, level) = scope.split_whitespace().find_map(|word| word.split_once(':'))?;
    Some((resource, Level::parse(level)?))
}

/// The scope that a login asks for.
#[derive(Debug, Default)]
pub(super) struct Requested {
    access: Scope,
    /// A token with a session name outlives its connection.
    pub(super) session: Option<String>,
    /// Seconds.
    pub(super) expires: Option<i64>,
}

impl Requested {
    /// Reads the words of a login's `scope`; hands back the first one it does not know.
    pub(super) fn parse(text: &str) -> Result<Self, &str> {
        let mut requested = Self::default();
        for word in text.split_whitespace() {
            match word.split_once(':') {
                None if matches!(word, "connection" | "mainaccount") => {}
                Some(("session", name)) if !name.is_empty() => requested.session = Some(name.to_owned()),
                Some(("expires", seconds)) => {
                    requested.expires = Some(seconds.parse().ok().filter(|seconds| *seconds > 0).ok_or(word)?);
                }
                Some(("ip", address)) if !address.is_empty() => {}
                _ => requested.access.insert(word)?,
            }
        }
        Ok(requested)
    }

    /// What is granted: a resource that is not named keeps the key's level, hence the words that end in `:none`.
    pub(super) fn capped_by(&self, max: &Scope) -> Scope {
        let level =
            |resource: &'static str, max: Level| self.access.0.get(resource).map_or(max, |level| max.min(*level));
        Scope(max.0.iter().map(|(resource, max)| (*resource, level(resource, *max))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_gets_no_more_than_the_key() {
        let max = Scope::parse(["account:read", "trade:read_write"]).unwrap();
        let granted = Requested::parse("account:read_write trade:read session:bot").unwrap().capped_by(&max);
        assert_eq!(granted.to_string(), "account:read trade:read");
    }

    #[test]
    fn what_a_login_does_not_name_stays_as_the_key_has_it() {
        let max = Scope::parse(["account:read", "trade:read_write"]).unwrap();
        assert_eq!(
            Requested::parse("account:none").unwrap().capped_by(&max).to_string(),
            "account:none trade:read_write"
        );
    }

    #[test]
    fn unknown_words_are_handed_back() {
        assert_eq!(Scope::parse(["account:read", "trade:all"]), Err("trade:all"));
        assert_eq!(Scope::parse(["wallets:read"]), Err("wallets:read"));
        assert!(Requested::parse("expires:soon").is_err());
    }

    #[test]
    fn the_full_scope_covers_all_others() {
        let other = Scope::parse(["wallet:read"]).unwrap();
        assert!(Scope::full().covers(&other));
        assert!(!other.covers(&Scope::full()));
    }
}
