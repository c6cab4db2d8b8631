//! The server that a client calls: whether a secret may be sent there, and through which proxy.
//!
//! Every HTTP client of the workspace is made here, so that the rules hold for all of them: credentials travel over TLS, or in
//! plain text to this machine alone; no proxy sees what is sent to this machine; no redirect is followed.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use url::{Host, Url};

use crate::error::Error;

/// Whether a URL names this machine: a loopback address in any spelling, or `localhost` and the names below it (RFC 6761).
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => is_local_name(name),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => {
            address.is_loopback() || address.to_ipv4_mapped().is_some_and(|address| address.is_loopback())
        }
        None => false,
    }
}

fn is_local_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

/// Whether secrets may be sent to a URL: over TLS to any server, in plain text to this machine alone.
pub fn may_carry_secrets(url: &Url) -> bool {
    match url.scheme() {
        "https" | "wss" => true,
        "http" | "ws" => is_loopback(url),
        _ => false,
    }
}

/// The server that paths are appended to, as `http` or `https`.
#[derive(Debug)]
pub(crate) struct Base {
    /// The URL in its normal form, the prefix of the API included, without a slash at its end.
    pub(crate) url: String,
    /// Where the path begins in it.
    pub(crate) path_at: usize,
    /// The server that would receive secrets in plain text over a network.
    plain_text: Option<Url>,
}

impl Base {
    /// The base of a server, whose URL may be that of a WebSocket. That one is HTTP until it is upgraded.
    pub(crate) fn new(server: &Url) -> Self {
        let url = match server.as_str().strip_prefix("ws") {
            Some(rest) => ["http", rest].concat(),
            None => server.to_string(),
        };
        let url = url.trim_end_matches('/').to_owned();
        let host_at = url.find("://").map_or(0, |at| at + 3);
        let path_at = url[host_at..].find('/').map_or(url.len(), |at| host_at + at);
        Self { url, path_at, plain_text: (!may_carry_secrets(server)).then(|| server.clone()) }
    }

    /// The prefix of the API.
    pub(crate) fn prefix(&self) -> &str {
        &self.url[self.path_at..]
    }

    /// Refuses to send a secret that somebody on the way could read.
    pub(crate) fn check_secrets(&self) -> Result<(), Error> {
        let Some(url) = &self.plain_text else { return Ok(()) };
        let (scheme, server) = (url.scheme(), authority(url));
        let tls = if scheme.starts_with("ws") { "wss" } else { "https" };
        Err(Error::invalid_request(format!(
            "`{scheme}://{server}` is not {tls}: credentials and other secrets are sent over TLS, or in plain text to a \
             server on this machine only; write {tls}://"
        )))
    }
}

/// A proxy that TLS connections are tunnelled through. Its user name and password are secret.
#[derive(Clone)]
pub struct Proxy {
    inner: reqwest::Proxy,
    name: Arc<str>,
}

impl Proxy {
    /// A proxy by its URL, such as `http://user:password@proxy.example:3128`.
    ///
    /// # Errors
    /// A URL that does not name an HTTP proxy. The error does not repeat it: it may hold a password.
    pub fn new(url: &str) -> Result<Self, Error> {
        let refused = |why: &str| {
            Error::invalid_request(format!(
                "the URL of the proxy {why}: write it as `http://host:port` or `https://host:port`, with \
                 `user:password@` before the host where the proxy wants them"
            ))
        };
        let parsed = Url::parse(url.trim()).map_err(|error| refused(&format!("cannot be read ({error})")))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(refused("is not an HTTP proxy"));
        }
        if !matches!(parsed.path(), "" | "/") || parsed.query().is_some() || parsed.fragment().is_some() {
            return Err(refused("has a path, a query or a fragment"));
        }
        let name = [parsed.scheme(), "://", &authority(&parsed)].concat();
        let inner = reqwest::Proxy::all(parsed).map_err(|_| refused("cannot be used"))?;
        Ok(Self { inner, name: name.into() })
    }
}

/// Without user name and password.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Proxy").field(&self.name).finish()
    }
}

/// The way to a server.
///
/// It is displayed as the end of a sentence that names the server: nothing, or `through the proxy http://proxy.example:3128`
/// after a space.
#[derive(Clone, Debug)]
pub struct Route {
    hop: Hop,
}

/// What a connection goes to first.
#[derive(Clone, Debug)]
enum Hop {
    /// This machine, under a name that needs no resolver.
    Loopback(Option<Arc<str>>),
    /// The proxy that was asked for.
    Given(Box<Proxy>),
    /// What the environment variables say: a proxy, or none.
    Environment(Option<Arc<str>>),
    /// What the user's own settings say.
    Unknown,
}

impl Route {
    /// The way to the server of an `http` or `https` URL: through the proxy that is given, or else the one that the environment
    /// variables `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say. No proxy stands before this machine.
    ///
    /// # Errors
    /// A proxy in the environment that is no HTTP proxy.
    pub fn to(url: &Url, proxy: Option<&Proxy>) -> Result<Self, Error> {
        let hop = match proxy {
            _ if is_loopback(url) => Hop::Loopback(url.domain().map(Arc::from)),
            Some(proxy) => Hop::Given(Box::new(proxy.clone())),
            None => Hop::Environment(of_environment(url)?),
        };
        Ok(Self { hop })
    }

    /// The same where the HTTP client has settings of the user's, which may name a proxy that is not known here.
    #[must_use]
    pub(crate) fn with_own_settings(self) -> Self {
        match self.hop {
            Hop::Environment(_) => Self { hop: Hop::Unknown },
            hop => Self { hop },
        }
    }

    /// Settles what an HTTP client for this server may not do otherwise: redirects, proxies and what is logged.
    ///
    /// The signature of a request would follow a redirect, and a POST would be sent twice.
    pub fn client(&self, builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
        let builder = builder.redirect(reqwest::redirect::Policy::none()).referer(false).connection_verbose(false);
        match &self.hop {
            Hop::Loopback(name) => {
                let builder = builder.no_proxy();
                match name {
                    // Such a name means this machine, even if a resolver disagrees.
                    Some(name) => builder.resolve_to_addrs(name, &this_machine()),
                    None => builder,
                }
            }
            Hop::Given(proxy) => builder.no_proxy().proxy(proxy.inner.clone()),
            Hop::Environment(_) | Hop::Unknown => builder,
        }
    }

    /// The proxy's scheme, host and port, where one stands in between that is known.
    pub fn proxy(&self) -> Option<&str> {
        match &self.hop {
            Hop::Given(proxy) => Some(&proxy.name),
            Hop::Environment(name) => name.as_deref(),
            Hop::Loopback(_) | Hop::Unknown => None,
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.proxy() {
            Some(name) => write!(f, " through the proxy {name}"),
            None => Ok(()),
        }
    }
}

/// The port is that of the URL.
fn this_machine() -> [SocketAddr; 2] {
    [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), SocketAddr::from((Ipv6Addr::LOCALHOST, 0))]
}

/// The proxy that reqwest takes from the environment for this URL.
fn of_environment(url: &Url) -> Result<Option<Arc<str>>, Error> {
    let uri: Option<Uri> = url.as_str().parse().ok();
    let Some(intercept) = uri.and_then(|uri| Matcher::from_system().intercept(&uri)) else { return Ok(None) };
    let proxy = intercept.uri();
    let scheme = proxy.scheme_str().unwrap_or("http");
    // The user name and the password are kept apart from this URI.
    let name = format!("{scheme}://{}", proxy.authority().map_or("", |authority| authority.as_str()));
    if !matches!(scheme, "http" | "https") {
        let message = format!(
            "the environment names the proxy {name}, which is no HTTP proxy: set HTTPS_PROXY to one, NO_PROXY to the \
             server's host, or give a proxy to the client"
        );
        return Err(Error::invalid_request(message));
    }
    Ok(Some(name.into()))
}

/// Host and port of a URL, and nothing else that it may hold.
pub(crate) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// A text that should be a URL, without what may be a user name and a password in it.
pub fn without_user(url: &str) -> String {
    match url.rsplit_once('@') {
        Some((before, after)) => {
            let scheme = before.split_once("://").map(|(scheme, _)| format!("{scheme}://")).unwrap_or_default();
            format!("{scheme}[redacted]@{after}")
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn this_machine_is_known_in_every_spelling() {
        for host in [
            "127.0.0.1",
            "127.1.2.3",
            "127.1",
            "2130706433",
            "0x7f.0.0.1",
            "[::1]",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f01:203]",
            "localhost",
            "localhost.",
            "LOCALHOST",
            "LocalHost.",
            "venue.localhost",
            "a.b.localhost.",
        ] {
            for scheme in ["http", "https", "ws", "wss"] {
                let url = url(&format!("{scheme}://{host}:1/path"));
                assert!(is_loopback(&url) && may_carry_secrets(&url), "{url}");
            }
        }
    }

    #[test]
    fn whatever_else_is_called_alike_is_another_machine() {
        for host in [
            "localhost.evil.com",
            "127.0.0.1.evil.com",
            "notlocalhost",
            "localhost..",
            "localhost-evil",
            "128.0.0.1",
            "0.0.0.0",
            "10.0.0.1",
            "[::]",
            "[::2]",
            "[::ffff:10.0.0.1]",
            "[fe80::1]",
            "venue.example",
        ] {
            let (plain, tls) = (url(&format!("http://{host}")), url(&format!("https://{host}")));
            assert!(!is_loopback(&plain) && !may_carry_secrets(&plain), "{plain}");
            assert!(!is_loopback(&tls) && may_carry_secrets(&tls), "{tls}");
            assert!(!may_carry_secrets(&url(&format!("ws://{host}"))), "{host}");
        }
        // The host is what follows the user.
        assert!(!is_loopback(&url("http://localhost@evil.com/")));
        assert!(!is_loopback(&url("http://127.0.0.1:80@evil.com/")));
        assert!(!may_carry_secrets(&url("ftp://127.0.0.1/")));
    }

    #[test]
    fn a_proxy_tells_neither_its_user_nor_its_password() {
        let proxy = Proxy::new("http://amanda:MARKER@proxy.example:3128/").unwrap();
        let route = Route::to(&url("https://venue.example/api"), Some(&proxy)).unwrap();
        assert_eq!(route.to_string(), " through the proxy http://proxy.example:3128");
        for text in [format!("{proxy:?}"), format!("{route:?}")] {
            assert!(text.contains("proxy.example") && !text.contains("MARKER") && !text.contains("amanda"), "{text}");
        }
        for wrong in [
            "proxy.example:3128",
            "socks5://amanda:MARKER@proxy.example",
            "amanda:MARKER@proxy.example:1",
            "http://amanda:MARKER@",
            "http://amanda:MARKER@proxy.example/path",
            "http://amanda:MARKER@proxy.example:99999",
        ] {
            let error = Proxy::new(wrong).unwrap_err();
            let told = format!("{error} {error:?}");
            assert!(told.contains("http://host:port") && !told.contains("MARKER"), "{told}");
        }
    }

    #[test]
    fn no_proxy_stands_before_this_machine() {
        let proxy = Proxy::new("http://proxy.example:3128").unwrap();
        for local in ["http://127.0.0.1:1", "https://localhost", "http://[::ffff:127.0.0.1]", "http://venue.localhost."]
        {
            assert_eq!(Route::to(&url(local), Some(&proxy)).unwrap().proxy(), None, "{local}");
        }
        let route = Route::to(&url("https://localhost.evil.com"), Some(&proxy)).unwrap();
        assert_eq!(route.proxy(), Some("http://proxy.example:3128"));
    }

    #[test]
    fn a_url_is_repeated_without_its_user() {
        assert_eq!(without_user("htp:/nonsense"), "htp:/nonsense");
        assert_eq!(without_user("http://a:MARKER@host/x"), "http://[redacted]@host/x");
        assert_eq!(without_user("a:MARKER@host"), "[redacted]@host");
    }
}
