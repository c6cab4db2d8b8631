//! The venues as the command knows them: by name, with tables that cost nothing, and specs that are parsed when they are needed.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use venuekit_spec::Spec;
use venuekit_streams::BookVisitor;
use venuekit_transport::credential_parts::CredentialParts;
pub use venuekit_transport::environment::LOCAL;
use venuekit_transport::{Credentials, Error};
use venuekit_venues::{Session, Settings};
use venuekit_wire::key_lifecycle::{KeyLifecycle, ManagedBy};
use venuekit_wire::operation::Venue as Table;
use venuekit_wire::server::Server;
use venuekit_wire::stream::Streams;

use crate::similar::closest;

/// A venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Venue(venuekit_venues::Venue);

impl Venue {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        venuekit_venues::Venue::all().map(Self)
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The venue whose keys it accepts.
    pub fn of_keys(self) -> Self {
        Self(self.0.of_keys())
    }

    /// The same for the engine that manages keys.
    pub fn key_venue(self) -> venuekit_keys::Venue {
        self.0.of_keys()
    }

    /// Its spec. It is parsed on first use.
    pub fn spec(self) -> &'static Spec {
        venuekit_spec::of(self.0.folder()).expect("each venue has a spec")
    }

    /// Its operation table.
    pub fn table(self) -> &'static Table {
        self.0.table()
    }

    /// The life cycle of its keys, where it has its own.
    pub fn keys(self) -> Option<&'static KeyLifecycle> {
        self.table().credentials.keys
    }

    /// Whether a session of the account's owner manages keys, and no key does.
    pub fn has_sessions(self) -> bool {
        self.keys().is_some_and(|keys| keys.managed_by == ManagedBy::Session)
    }

    /// Its channels, where it has live streams.
    pub fn streams(self) -> Option<&'static Streams> {
        self.0.streams()
    }

    /// Calls `visitor` with the message type of a channel that makes an order book.
    pub fn with_book<V: BookVisitor>(self, channel: &str, visitor: V) -> Option<V::Output> {
        self.0.with_book(channel, visitor)
    }

    /// Credentials made of what a store or environment variables hold.
    pub fn credentials(self, parts: &[CredentialParts]) -> Result<Credentials, Error> {
        self.0.credentials(parts)
    }

    /// What makes its calls. Nothing is sent.
    pub fn session(self, settings: Settings) -> Result<Session, Error> {
        self.0.session(settings)
    }

    /// The environments that keys may belong to: the venue's own, and this machine's.
    pub fn environments(self) -> Vec<&'static str> {
        let mut names: Vec<&str> = self.servers().iter().map(|server| server.environment).collect();
        names.dedup();
        names.push(LOCAL);
        names
    }

    /// Where its own environments are reached.
    pub fn servers(self) -> &'static [Server] {
        self.table().servers
    }

    /// Where one of the venue's own environments is reached.
    pub fn base_url(self, environment: &str) -> Option<&'static str> {
        self.servers().iter().find(|server| server.environment == environment).map(|server| server.url)
    }

    /// What is in front of the path of every operation: `/trade-api/v2`.
    pub fn prefix(self) -> &'static str {
        let url = self.servers().first().map(|server| server.url).unwrap_or_default();
        let host = url.find("://").map_or(0, |at| at + 3);
        url[host..].find('/').map_or("", |at| url[host + at..].trim_end_matches('/'))
    }

    /// Whether a path is one at which a WebSocket connection is opened, of the venue itself or of another that accepts its keys.
    pub fn is_websocket(self, path: &str) -> bool {
        Self::all().filter(|other| other.of_keys() == self.of_keys()).any(|venue| venue.spec().is_websocket(path))
    }
}

/// The sentence about an environment that a venue does not have.
pub fn unknown_environment(venue: Venue, environment: &str) -> String {
    let known = venue.environments();
    format!("{venue} has no environment `{environment}`; it has {}", known.join(", "))
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
        Self::all().find(|venue| venue.name() == plain).ok_or_else(|| {
            let names: Vec<&str> = Self::all().map(Self::name).collect();
            match closest(&plain, names.iter().copied()) {
                Some(near) => format!("there is no venue `{text}`; did you mean `{near}`?"),
                None => format!("there is no venue `{text}`; the venues are {}", names.join(", ")),
            }
        })
    }
}

impl Serialize for Venue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// No value is quoted: somebody may have written a secret in.
impl<'de> Deserialize<'de> for Venue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<'de, str>::deserialize(deserializer)?;
        Self::all().find(|venue| venue.name() == name).ok_or_else(|| {
            let names: Vec<&str> = Self::all().map(Self::name).collect();
            serde::de::Error::custom(format!("invalid venue, expected one of {}", names.join(", ")))
        })
    }
}

impl schemars::JsonSchema for Venue {
    fn schema_name() -> Cow<'static, str> {
        "Venue".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<&str> = Self::all().map(Self::name).collect();
        schemars::json_schema!({ "type": "string", "description": "A venue.", "enum": names })
    }
}

#[cfg(test)]
impl Venue {
    /// A venue that a test is about.
    pub fn named(name: &str) -> Self {
        name.parse().unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_nearly_right_is_corrected() {
        assert_eq!("kalshi_perps".parse(), Ok(Venue::named("kalshi-perps")));
        assert_eq!("kalhsi".parse::<Venue>().unwrap_err(), "there is no venue `kalhsi`; did you mean `kalshi`?");
        assert!("x".parse::<Venue>().unwrap_err().contains("the venues are bayse, "));
    }

    #[test]
    fn tables_and_specs_agree() {
        for venue in Venue::all() {
            let mut named: Vec<&str> = venue.spec().operations().map(|one| one.name.as_str()).collect();
            named.sort_unstable();
            let table: Vec<&str> = venue.table().operations.iter().map(|one| one.id).collect();
            assert_eq!(named, table, "{venue}");
            assert_eq!(venue.prefix(), venue.spec().prefix, "{venue}");
        }
    }
}
