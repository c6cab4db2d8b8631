//! Which account a key belongs to.

use std::fmt;

pub use venuekit_venues::Venue;

use crate::reference::BadReference;

/// The venues that manage their own keys. Others accept the keys of one of these.
pub fn venues_with_keys() -> impl Iterator<Item = Venue> {
    Venue::all().filter(|venue| venue.table().credentials.keys.is_some())
}

/// The venue of this name, if it manages its own keys.
pub(crate) fn venue_of(name: &str) -> Result<Venue, BadReference> {
    let venue = venues_with_keys().find(|venue| venue.name() == name);
    venue.ok_or_else(|| {
        let names: Vec<&str> = venues_with_keys().map(Venue::name).collect();
        BadReference::new(format!("invalid venue `{name}`: expected one of {}", names.join(", ")))
    })
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
    /// The family of keys, where the venue has several. None: the first.
    pub family: Option<String>,
}

impl Account {
    /// An environment that the venue has, by its name.
    ///
    /// # Errors
    /// A name that the venue does not have, or a venue that does not manage its own keys.
    pub fn known(venue: Venue, environment: &str) -> Result<Self, BadReference> {
        let venue = venue_of(venue.name())?;
        let known = venue.table().servers;
        match known.iter().find(|server| server.environment == environment) {
            Some(server) => Ok(Self {
                venue,
                environment: server.environment.to_owned(),
                base_url: server.url.to_owned(),
                family: None,
            }),
            None => {
                let names: Vec<&str> = known.iter().map(|server| server.environment).collect();
                Err(BadReference::new(format!("{venue} has no environment `{environment}`, but {}", names.join(", "))))
            }
        }
    }

    /// The same with another family of keys.
    ///
    /// # Errors
    /// The venue has no family of this name.
    pub fn of_family(self, name: Option<&str>) -> Result<Self, BadReference> {
        let Some(name) = name else { return Ok(Self { family: None, ..self }) };
        let first = self.venue.table().credentials.keys;
        match first.and_then(|keys| keys.of_family(Some(name))) {
            // The first is the same with and without its name.
            Some(_) if first.is_some_and(|keys| keys.family == Some(name)) => Ok(Self { family: None, ..self }),
            Some(_) => Ok(Self { family: Some(name.to_owned()), ..self }),
            None => {
                let known = first.into_iter().flat_map(|keys| keys.families()).filter_map(|keys| keys.family);
                let known: Vec<&str> = known.collect();
                let known = if known.is_empty() { "no families of keys".to_owned() } else { known.join(", ") };
                Err(BadReference::new(format!("{} has no family of keys `{name}`; it has {known}", self.venue)))
            }
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.venue, self.environment)
    }
}
