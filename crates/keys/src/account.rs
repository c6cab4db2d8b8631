//! Which account a key belongs to.

use std::fmt;
use std::str::FromStr;

use crate::reference::BadReference;
use crate::venue_driver;

/// A venue with API keys of its own. Kalshi's perpetual futures take Kalshi's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Venue {
    /// Bayse.
    Bayse,
    /// Deribit.
    Deribit,
    /// Kalshi.
    Kalshi,
    /// Yativo.
    Yativo,
}

impl Venue {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Bayse, Self::Deribit, Self::Kalshi, Self::Yativo];

    /// Its name in references, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bayse => "bayse",
            Self::Deribit => "deribit",
            Self::Kalshi => "kalshi",
            Self::Yativo => "yativo",
        }
    }
}

impl fmt::Display for Venue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Venue {
    type Err = BadReference;

    fn from_str(text: &str) -> Result<Self, BadReference> {
        let venue = Self::ALL.into_iter().find(|venue| venue.name() == text);
        venue.ok_or_else(|| BadReference::new(format!("`{text}` is none of bayse, deribit, kalshi, yativo")))
    }
}

/// One account: a venue, one of its environments, and where that is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The venue.
    pub venue: Venue,
    /// The environment's name, such as `demo`. A key of one environment is never used in another.
    pub environment: String,
    /// The URL that operation paths are appended to.
    pub base_url: String,
}

impl Account {
    /// An environment that the venue has, by its name.
    ///
    /// # Errors
    /// A name that the venue does not have.
    pub fn known(venue: Venue, environment: &str) -> Result<Self, BadReference> {
        let known = venue_driver::facts(venue).environments;
        match known.iter().find(|(name, _)| *name == environment) {
            Some((name, url)) => Ok(Self { venue, environment: (*name).to_owned(), base_url: url() }),
            None => {
                let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
                Err(BadReference::new(format!("{venue} has no environment `{environment}`, but {}", names.join(", "))))
            }
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.venue, self.environment)
    }
}
