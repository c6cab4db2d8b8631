//! Where a venue's environments are served.

/// A server of one of a venue's environments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Server {
    /// The environment's name, such as `demo`.
    pub environment: &'static str,
    /// What operation paths are appended to.
    pub url: &'static str,
    /// Other hosts that serve the same environment.
    pub hosts: &'static [&'static str],
    /// Where a person manages the keys of this environment: a URL, or the way there in words.
    pub key_page: Option<&'static str>,
    /// The beginnings of the paths that it serves; all where there are none.
    pub serves: &'static [&'static str],
}

impl Server {
    /// Whether it serves a path of an operation.
    pub fn has(&self, path: &str) -> bool {
        let is_below =
            |begin: &&str| path.strip_prefix(*begin).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        self.serves.is_empty() || self.serves.iter().any(is_below)
    }

    /// Whether a host, in lower case, serves this environment.
    pub fn is_at(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        let own = self.url.split("://").nth(1).and_then(|rest| rest.split(['/', ':']).next());
        own == Some(host) || self.hosts.contains(&host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_compared_whole() {
        let server = Server {
            environment: "demo",
            url: "https://demo.venue.test:8443/api",
            hosts: &["other.venue.test"],
            key_page: None,
            serves: &["/api", "/other"],
        };
        for host in ["demo.venue.test", "demo.venue.test.", "other.venue.test"] {
            assert!(server.is_at(host), "{host}");
        }
        for (path, served) in
            [("/api", true), ("/api/v3", true), ("/other/a", true), ("/apis", false), ("/sapi/v1", false)]
        {
            assert_eq!(server.has(path), served, "{path}");
        }
        assert!(Server { serves: &[], ..server }.has("/sapi/v1"));
        for host in ["venue.test", "x.demo.venue.test", "demo.venue.test.evil.com", ""] {
            assert!(!server.is_at(host), "{host}");
        }
    }
}
