//! Where a call goes. A key of one environment never gets to another: that is decided here, before anything is sent.

use url::Url;
use venuekit_transport::endpoint::{is_loopback, may_carry_secrets, without_user};
use venuekit_wire::server::Server;

use crate::failure::Failure;
use crate::network::Network;
use crate::venue::{LOCAL, Venue, unknown_environment};

/// Where the sandbox listens by default.
pub const SANDBOX_PORT: u16 = 9100;

/// Where the server on this machine is, if nothing else is said.
pub const LOCAL_URL: &str = "VENUEKIT_LOCAL_URL";

/// The server on this machine, where the environment is that and a variable names it.
pub fn local_url(environment: &str) -> Option<String> {
    std::env::var(LOCAL_URL).ok().filter(|url| environment == LOCAL && !url.is_empty())
}

/// A venue, one of its environments, and the server that stands for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The venue.
    pub venue: Venue,
    /// The environment, such as `demo`.
    pub environment: String,
    /// What paths are appended to, without a slash at the end.
    pub base_url: String,
    /// How calls get there.
    pub network: Network,
}

impl Target {
    /// An environment of a venue, at its own server or at the one that is given.
    pub fn new(venue: Venue, environment: &str, base_url: Option<&str>) -> Result<Self, Failure> {
        if !venue.environments().contains(&environment) {
            return Err(Failure::usage(unknown_environment(venue, environment)));
        }
        let sandbox = format!("http://127.0.0.1:{SANDBOX_PORT}");
        let given = base_url.or_else(|| venue.base_url(environment)).unwrap_or(&sandbox);
        let url = Url::parse(given).map_err(|_| no_url(given))?;
        check(venue, environment, &url, given)?;
        let mut base_url = given.trim_end_matches('/').to_owned();
        // The bare address of a sandbox: each venue has its own prefix there.
        if url.path() == "/" {
            base_url.push_str(venue.prefix());
        }
        Ok(Self { venue, environment: environment.to_owned(), base_url, network: Network::default() })
    }

    /// What a key is stored under, such as `kalshi/demo/bot`.
    pub fn reference(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.venue.of_keys(), self.environment)
    }
}

/// A server's name and port alone are read as a scheme and a path.
fn no_url(given: &str) -> Failure {
    let help = "expected https://host/prefix; it comes from --base-url, from the profile's base-url or from VENUEKIT_LOCAL_URL";
    Failure::usage(format!("invalid server URL `{}`", without_user(given))).help(help)
}

fn check(venue: Venue, environment: &str, url: &Url, given: &str) -> Result<(), Failure> {
    let loopback = is_loopback(url);
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(Failure::usage(
            "invalid base URL: it has a user, a query or a fragment; expected https://host/prefix",
        ));
    }
    if url.host().is_none() {
        return Err(no_url(given));
    }
    if !matches!(url.scheme(), "http" | "https") || !may_carry_secrets(url) {
        let message = format!("`{given}` is not https: only a server on this machine may be reached without TLS");
        return Err(Failure::usage(message));
    }
    if environment == LOCAL && !loopback {
        let message = format!("`{given}` is not on this machine, and `{LOCAL}` means this machine");
        let others: Vec<&str> = venue.environments().into_iter().filter(|one| *one != LOCAL).collect();
        let help = format!("say which environment it is: --env {}", others.join(" | "));
        return Err(Failure::usage(message).help(help));
    }
    match whose(url) {
        known if known.iter().any(|(other, server)| is_own(venue, environment, *other, server)) => Ok(()),
        known => {
            known.first().map_or(Ok(()), |(other, server)| Err(not_ours(venue, environment, *other, server, given)))
        }
    }
}

/// The environments that a host is known to serve. Venues share hosts.
fn whose(url: &Url) -> Vec<(Venue, &'static Server)> {
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    let all = Venue::all().flat_map(|venue| venue.servers().iter().map(move |server| (venue, server)));
    all.filter(|(_, server)| server.is_at(host)).collect()
}

fn is_own(venue: Venue, environment: &str, other: Venue, server: &Server) -> bool {
    other.of_keys() == venue.of_keys() && server.environment == environment
}

fn not_ours(venue: Venue, environment: &str, other: Venue, server: &Server, given: &str) -> Failure {
    let message = format!("`{given}` is {other}'s {} environment, not {venue}'s {environment}", server.environment);
    let help = match other.of_keys() == venue.of_keys() {
        true => format!("keys of one environment are not sent to another: pass --env {}", server.environment),
        false => {
            format!("keys of one venue are not sent to another: leave the address out, or name a server of {venue}")
        }
    };
    Failure::usage(message).code("wrong_environment").help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(environment: &str, url: &str) -> String {
        Target::new(Venue::named("kalshi"), environment, Some(url)).unwrap_err().to_string()
    }

    #[test]
    fn an_environment_has_its_own_server_and_no_other_ones() {
        let own = Target::new(Venue::named("kalshi"), "demo", None).unwrap();
        assert_eq!(own.base_url, "https://external-api.demo.kalshi.co/trade-api/v2");
        let production = "https://external-api.kalshi.com/trade-api/v2";
        for url in [production, "https://api.elections.kalshi.com./trade-api/v2", "https://API.elections.kalshi.com"] {
            assert!(refused("demo", url).contains("is kalshi's production environment, not kalshi's demo"), "{url}");
        }
        assert!(refused("production", "https://demo-api.kalshi.co/trade-api/v2").contains("is kalshi's demo"));
        let shared = Some("https://demo-api.kalshi.co/trade-api/v2");
        assert!(Target::new(Venue::named("kalshi-perps"), "demo", shared).is_ok());
        let deribit = refused("demo", "https://test.deribit.com/api/v2");
        assert!(deribit.contains("is deribit's test environment") && deribit.contains("leave the address out"));
        assert!(refused("local", production).contains("is not on this machine"));
        assert!(refused("local", production).ends_with("--env production | demo"));
        assert!(refused("demo", "http://proxy.example/").contains("is not https"));
        for url in ["", "127.0.0.1:9100", "localhost:9100"] {
            let said = refused("local", url);
            assert!(said.contains("invalid server URL") && said.contains("VENUEKIT_LOCAL_URL"), "{said}");
        }
        assert!(refused("demo", "https://user:word@proxy.example/").contains("it has a user"));
        assert!(refused("test", "https://proxy.example").contains("has no environment `test`"));
        assert!(Target::new(Venue::named("kalshi"), "demo", Some("https://proxy.example/prefix/")).is_ok());
    }

    #[test]
    fn this_machine_may_do_without_https_and_without_a_prefix() {
        for (url, base_url) in [
            (None, "http://127.0.0.1:9100/trade-api/v2"),
            (Some("http://localhost:1"), "http://localhost:1/trade-api/v2"),
            (Some("http://[::1]:1/other/"), "http://[::1]:1/other"),
            (Some("http://localhost.:1"), "http://localhost.:1/trade-api/v2"),
            (Some("http://[::ffff:127.0.0.1]:1"), "http://[::ffff:127.0.0.1]:1/trade-api/v2"),
        ] {
            assert_eq!(Target::new(Venue::named("kalshi"), "local", url).unwrap().base_url, base_url);
        }
    }
}
