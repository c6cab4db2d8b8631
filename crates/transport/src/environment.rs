//! Which environment a server belongs to. Credentials of one environment are not sent to another.

use url::Url;
use venuekit_wire::operation::Venue;
use venuekit_wire::server::Server;

use crate::endpoint::{authority, is_loopback};
use crate::error::Error;

/// The environment of a server on this machine, which every venue has.
pub const LOCAL: &str = "local";

/// The names of a venue's environments: its own, and this machine's.
pub fn names(venue: &'static Venue) -> impl Iterator<Item = &'static str> {
    venue.servers.iter().map(|server| server.environment).chain([LOCAL])
}

/// An environment of a venue by its name.
///
/// # Errors
/// The venue has none of that name.
pub fn named(venue: &'static Venue, name: &str) -> Result<&'static str, Error> {
    names(venue).find(|known| *known == name).ok_or_else(|| {
        let known: Vec<&str> = names(venue).collect();
        Error::invalid_request(format!("{} has no environment `{name}`; it has {}", venue.name, known.join(", ")))
    })
}

/// The environment that is served at a URL; none where the venue's spec does not know the host, such as that of a proxy.
pub fn served_at(venue: &'static Venue, url: &Url) -> Option<&'static str> {
    if is_loopback(url) {
        return Some(LOCAL);
    }
    server_at(venue, url).map(|server| server.environment)
}

/// The server at a URL, where the venue's spec knows the host.
pub(crate) fn server_at(venue: &'static Venue, url: &Url) -> Option<&'static Server> {
    let host = url.host_str()?;
    venue.servers.iter().find(|server| server.is_at(host))
}

/// Refuses credentials of one environment for a server of another. A server that no spec knows may stand for any of a venue's own,
/// and so may one on this machine; but what is of this machine stays here.
pub(crate) fn check(venue: &'static Venue, environment: &str, url: &Url) -> Result<(), Error> {
    let message = match served_at(venue, url) {
        Some(served) if served == environment || served == LOCAL => return Ok(()),
        None if environment != LOCAL => return Ok(()),
        Some(served) => format!(
            "the credentials are of {}'s environment {environment}, and `{}` is its {served}: keys of one environment are not \
             sent to another; use a key of {served}, or build the client for {environment}",
            venue.name,
            authority(url)
        ),
        None => format!(
            "the credentials are of {}'s environment {LOCAL}, which is this machine, and `{}` is another: use a key of the \
             environment that it serves",
            venue.name,
            authority(url)
        ),
    };
    Err(Error::invalid_request(message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    static SERVERS: &[Server] = &[
        Server {
            environment: "production",
            url: "https://venue.test/api",
            hosts: &["old.venue.test"],
            key_page: None,
            serves: &[],
        },
        Server { environment: "demo", url: "https://demo.venue.test/api", hosts: &[], key_page: None, serves: &[] },
    ];
    static VENUE: Venue = Venue { servers: SERVERS, ..fixtures::VENUE };

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_server_is_known_by_its_host() {
        for (text, served) in [
            ("https://venue.test/api", Some("production")),
            ("https://VENUE.test./other", Some("production")),
            ("wss://old.venue.test/ws", Some("production")),
            ("https://demo.venue.test", Some("demo")),
            ("http://127.0.0.1:9100/api", Some(LOCAL)),
            ("https://proxy.example/api", None),
        ] {
            assert_eq!(served_at(&VENUE, &url(text)), served, "{text}");
        }
        assert_eq!(named(&VENUE, "demo").unwrap(), "demo");
        let unknown = named(&VENUE, "test").unwrap_err().to_string();
        assert!(unknown.contains("it has production, demo, local"), "{unknown}");
    }

    #[test]
    fn a_key_of_one_environment_goes_to_no_other() {
        for (environment, text) in [
            ("demo", "https://demo.venue.test/api"),
            ("demo", "https://proxy.example/api"),
            ("demo", "http://localhost:1"),
            (LOCAL, "http://localhost:1"),
        ] {
            assert!(check(&VENUE, environment, &url(text)).is_ok(), "{environment} {text}");
        }
        for (environment, text, said) in [
            ("demo", "https://venue.test/api", "is its production"),
            ("demo", "https://old.venue.test", "is its production"),
            ("production", "https://demo.venue.test/api", "is its demo"),
            (LOCAL, "https://demo.venue.test/api", "is its demo"),
            (LOCAL, "https://proxy.example", "which is this machine"),
        ] {
            let error = check(&VENUE, environment, &url(text)).unwrap_err().to_string();
            assert!(error.contains(said), "{environment} {text}: {error}");
        }
    }
}
