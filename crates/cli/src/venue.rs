//! The venues as the command knows them.

use std::fmt;
use std::str::FromStr;

use crate::similar::closest;
use serde::{Deserialize, Serialize};
use venuekit_spec::Spec;
use venuekit_streams::BookVisitor;
pub use venuekit_transport::environment::LOCAL;
use venuekit_wire::operation::Venue as Table;
use venuekit_wire::stream::Streams;

/// A venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Venue {
    /// Bayse.
    Bayse,
    /// Deribit.
    Deribit,
    /// Kalshi.
    Kalshi,
    /// Kalshi's perpetual futures, reached with a key of Kalshi.
    KalshiPerps,
    /// Yativo.
    Yativo,
}

impl Venue {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Bayse, Self::Deribit, Self::Kalshi, Self::KalshiPerps, Self::Yativo];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bayse => "bayse",
            Self::Deribit => "deribit",
            Self::Kalshi => "kalshi",
            Self::KalshiPerps => "kalshi-perps",
            Self::Yativo => "yativo",
        }
    }

    /// The venue whose keys it takes.
    pub fn of_keys(self) -> venuekit_keys::Venue {
        match self {
            Self::Bayse => venuekit_keys::Venue::Bayse,
            Self::Deribit => venuekit_keys::Venue::Deribit,
            Self::Kalshi | Self::KalshiPerps => venuekit_keys::Venue::Kalshi,
            Self::Yativo => venuekit_keys::Venue::Yativo,
        }
    }

    /// Its spec.
    pub fn spec(self) -> &'static Spec {
        match self {
            Self::Bayse => &venuekit_spec::BAYSE,
            Self::Deribit => &venuekit_spec::DERIBIT,
            Self::Kalshi => &venuekit_spec::KALSHI,
            Self::KalshiPerps => &venuekit_spec::KALSHI_PERPS,
            Self::Yativo => &venuekit_spec::YATIVO,
        }
    }

    /// Its operation table.
    pub fn table(self) -> &'static Table {
        match self {
            Self::Bayse => &venuekit_bayse::VENUE,
            Self::Deribit => &venuekit_deribit::VENUE,
            Self::Kalshi => &venuekit_kalshi::VENUE,
            Self::KalshiPerps => &venuekit_kalshi_perps::VENUE,
            Self::Yativo => &venuekit_yativo::VENUE,
        }
    }

    /// Its channels, where it has live streams.
    pub fn streams(self) -> Option<&'static Streams> {
        match self {
            Self::Bayse => Some(&venuekit_bayse::STREAMS),
            Self::Deribit => Some(&venuekit_deribit::STREAMS),
            Self::Kalshi => Some(&venuekit_kalshi::STREAMS),
            Self::KalshiPerps => Some(&venuekit_kalshi_perps::STREAMS),
            Self::Yativo => None,
        }
    }

    /// Does something with the type of the messages of a channel that makes an order book.
    pub fn with_book<V: BookVisitor>(self, channel: &str, visitor: V) -> Option<V::Output> {
        match self {
            Self::Bayse => venuekit_bayse::with_book(channel, visitor),
            Self::Deribit => venuekit_deribit::with_book(channel, visitor),
            Self::Kalshi => venuekit_kalshi::with_book(channel, visitor),
            Self::KalshiPerps => venuekit_kalshi_perps::with_book(channel, visitor),
            Self::Yativo => None,
        }
    }

    /// The environments that keys may be of: the venue's own, and this machine's.
    pub fn environments(self) -> Vec<&'static str> {
        let own = self.spec().servers.iter().map(|server| server.environment.as_str());
        own.chain([LOCAL]).collect()
    }

    /// Where one of the venue's own environments is reached.
    pub fn base_url(self, environment: &str) -> Option<&'static str> {
        let mut servers = self.spec().servers.iter();
        servers.find(|server| server.environment == environment).map(|server| server.url.as_str())
    }
}

impl fmt::Display for Venue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Venue {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = text.to_ascii_lowercase().replace('_', "-");
        Self::ALL.into_iter().find(|venue| venue.name() == plain).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|venue| venue.name()).collect();
            match closest(&plain, names.iter().copied()) {
                Some(near) => format!("there is no venue `{text}`; did you mean `{near}`?"),
                None => format!("there is no venue `{text}`; there are {}", names.join(", ")),
            }
        })
    }
}

/// The sentence about an environment that a venue has not.
pub fn unknown_environment(venue: Venue, environment: &str) -> String {
    let known = venue.environments();
    format!("{venue} has no environment `{environment}`; it has {}", known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_nearly_right_is_corrected() {
        assert_eq!("kalshi_perps".parse(), Ok(Venue::KalshiPerps));
        assert_eq!("kalhsi".parse::<Venue>().unwrap_err(), "there is no venue `kalhsi`; did you mean `kalshi`?");
        assert!("x".parse::<Venue>().unwrap_err().ends_with("bayse, deribit, kalshi, kalshi-perps, yativo"));
    }

    #[test]
    fn each_operation_of_a_spec_is_in_the_client_and_the_other_way_round() {
        for venue in Venue::ALL {
            let mut named: Vec<&str> = venue.spec().operations.iter().map(|one| one.name.as_str()).collect();
            named.sort_unstable();
            let table: Vec<&str> = venue.table().operations.iter().map(|one| one.id).collect();
            assert_eq!(named, table, "{venue}");
        }
    }
}
