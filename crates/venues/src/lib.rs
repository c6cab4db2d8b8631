#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

// Formatted by its generator.
#[rustfmt::skip]
mod generated;
mod registration;
mod settings;

use std::fmt;
use std::str::FromStr;

use venuekit_streams::BookVisitor;
use venuekit_transport::credential_parts::CredentialParts;
use venuekit_transport::{Credentials, Error};
use venuekit_wire::operation::Venue as Table;
use venuekit_wire::stream::Streams;

use self::registration::Registration;
pub use self::settings::Settings;
pub use venuekit_transport::client::Session;

/// A venue, chosen at run time.
#[derive(Clone, Copy)]
pub struct Venue(&'static Registration);

impl Venue {
    /// All of them, in the order of their names.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        generated::VENUES.iter().map(Self)
    }

    /// The venue of this name: that of its folder below `specs/`, or the same with dashes.
    pub fn of(name: &str) -> Option<Self> {
        Self::all().find(|venue| venue.name() == name || venue.folder() == name)
    }

    /// Its name as programs and people write it: `kalshi-perps`.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// The name of its folder below `specs/`: `kalshi_perps`.
    pub fn folder(self) -> &'static str {
        self.0.table.name
    }

    /// Its operation table.
    pub fn table(self) -> &'static Table {
        self.0.table
    }

    /// Its channels, where it has live streams.
    pub fn streams(self) -> Option<&'static Streams> {
        self.0.streams
    }

    /// The venue whose keys it accepts: itself, or the one that its spec names.
    pub fn of_keys(self) -> Self {
        Self::of(self.table().variables.of).unwrap_or(self)
    }

    /// Credentials made of what a store or environment variables hold.
    ///
    /// # Errors
    /// Parts that the venue does not accept, or that cannot be read.
    pub fn credentials(self, parts: &[CredentialParts]) -> Result<Credentials, Error> {
        (self.0.credentials)(parts, None)
    }

    /// The same for a program of this name, where a venue tells programs apart that share a key.
    ///
    /// # Errors
    /// As those of [`credentials`](Self::credentials).
    pub fn credentials_of_program(self, parts: &[CredentialParts], name: &'static str) -> Result<Credentials, Error> {
        (self.0.credentials)(parts, Some(name))
    }

    /// A session, by which every call of the venue is made. Nothing is sent.
    ///
    /// # Errors
    /// Those of [`ClientBuilder::build`](venuekit_transport::ClientBuilder::build).
    pub fn session(self, settings: Settings) -> Result<Session, Error> {
        (self.0.session)(settings)
    }

    /// Calls `visitor` with the message type of a channel that makes an order book. None where the channel makes none.
    pub fn with_book<V: BookVisitor>(self, channel: &str, visitor: V) -> Option<V::Output> {
        generated::with_book(self.folder(), channel, visitor)
    }
}

impl PartialEq for Venue {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Venue {}

impl PartialOrd for Venue {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Venue {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.name().cmp(other.name())
    }
}

impl std::hash::Hash for Venue {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl fmt::Debug for Venue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Venue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Venue {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = text.to_ascii_lowercase();
        Self::of(&name).ok_or_else(|| {
            let names: Vec<&str> = Self::all().map(Self::name).collect();
            format!("there is no venue `{text}`; the venues are {}", names.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use venuekit_books::BookMessage;
    use venuekit_streams::StreamMessage;

    use super::*;

    #[test]
    fn a_venue_has_two_spellings_of_one_name() {
        for venue in Venue::all() {
            assert_eq!((Venue::of(venue.name()), Venue::of(venue.folder())), (Some(venue), Some(venue)));
            assert_eq!(venue.name().replace('-', "_"), venue.folder());
            assert_eq!(venue.name().to_uppercase().parse(), Ok(venue));
        }
        assert!(Venue::of("nasdaq").is_none());
        assert!("nasdaq".parse::<Venue>().unwrap_err().contains("`nasdaq`; the venues are "));
    }

    #[test]
    fn keys_belong_to_a_venue_that_has_its_own() {
        for venue in Venue::all() {
            assert_eq!(venue.of_keys().of_keys(), venue.of_keys(), "{venue}");
        }
        let perps = Venue::of("kalshi-perps").unwrap();
        assert_eq!(perps.of_keys(), Venue::of("kalshi").unwrap());
    }

    #[test]
    fn a_session_is_of_its_venue() {
        for venue in Venue::all() {
            let session = venue.session(Settings::new("http://127.0.0.1:9/prefix", Credentials::none())).unwrap();
            assert_eq!(session.venue().name, venue.folder());
        }
    }

    struct Seen;

    impl BookVisitor for Seen {
        type Output = ();

        fn visit<T: StreamMessage + BookMessage>(self) {}
    }

    #[test]
    fn each_channel_of_a_book_has_its_type() {
        for venue in Venue::all() {
            for channel in venue.streams().iter().flat_map(|table| table.channels) {
                assert_eq!(venue.with_book(channel.id, Seen).is_some(), channel.is_book, "{venue} {}", channel.id);
            }
        }
    }
}
