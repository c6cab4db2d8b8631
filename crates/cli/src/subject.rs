//! What a command is about, as it is written: a venue, one of its environments, or a key.

use std::fmt;
use std::str::FromStr;

use venuekit_transport::flaw::is_key_text;

use crate::venue::{Venue, unknown_environment};

/// `VENUE`, `VENUE/ENVIRONMENT` or `VENUE/ENVIRONMENT/NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The venue.
    pub venue: Venue,
    /// The environment, where it is said.
    pub environment: Option<String>,
    /// The name of a stored key, where it is said.
    pub name: Option<String>,
}

impl From<Venue> for Subject {
    fn from(venue: Venue) -> Self {
        Self { venue, environment: None, name: None }
    }
}

impl FromStr for Subject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // Not even in part: it may be a secret.
        if is_key_text(text) {
            return Err("this is the text of a key, not the name of one; write VENUE/ENVIRONMENT/NAME".to_owned());
        }
        let mut parts = text.split('/');
        let venue: Venue = parts.next().unwrap_or_default().parse()?;
        let mut part = || match parts.next() {
            Some("") => {
                Err(format!("`{text}` has an empty part; write VENUE, VENUE/ENVIRONMENT or VENUE/ENVIRONMENT/NAME"))
            }
            part => Ok(part.map(str::to_owned)),
        };
        let (environment, name) = (part()?, part()?);
        if parts.next().is_some() {
            return Err(format!("`{text}` has too many parts; write VENUE/ENVIRONMENT/NAME"));
        }
        if let Some(environment) = &environment
            && !venue.environments().contains(&environment.as_str())
        {
            return Err(unknown_environment(venue, environment));
        }
        Ok(Self { venue, environment, name })
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.venue)?;
        let parts = [&self.environment, &self.name];
        parts.into_iter().flatten().try_for_each(|part| write!(formatter, "/{part}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_read_in_three_lengths() {
        for text in ["kalshi", "kalshi/demo", "kalshi/demo/bot"] {
            assert_eq!(text.parse::<Subject>().unwrap().to_string(), text);
        }
        for (text, said) in [
            ("kalshi/test", "kalshi has no environment `test`; it has production, demo, local"),
            ("kalshi/demo/a/b", "`kalshi/demo/a/b` has too many parts"),
            ("kalshi//bot", "`kalshi//bot` has an empty part"),
            ("kalsi/demo", "did you mean `kalshi`?"),
        ] {
            let error = text.parse::<Subject>().unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
