//! The HTTP clients that a client needs: one for its calls, and one for each server that it opens WebSockets to.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use url::Url;

use crate::endpoint::{Proxy, Route, is_loopback};
use crate::error::Error;

/// What a user sets on each HTTP client.
pub(crate) type OwnSettings = Box<dyn FnMut(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send>;

/// Makes HTTP clients, all with the settings of the user.
pub(crate) struct Dialer {
    own: Mutex<Option<OwnSettings>>,
    proxy: Option<Proxy>,
    connect: Duration,
    /// Those for WebSockets, by the server's scheme, host and port. The newest is the last.
    made: Mutex<Vec<(String, Line)>>,
}

/// An HTTP client, and the way that it goes.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) http: reqwest::Client,
    pub(crate) route: Route,
}

/// So many clients are kept: a venue has few servers.
const KEPT: usize = 8;

impl Dialer {
    pub(crate) fn new(own: Option<OwnSettings>, proxy: Option<Proxy>, connect: Duration) -> Self {
        Self { own: Mutex::new(own), proxy, connect, made: Mutex::default() }
    }

    /// A client for the calls of a server, which is identified by an `http` or `https` URL.
    pub(crate) fn calls(&self, url: &Url) -> Result<Line, Error> {
        self.make(url, false)
    }

    /// A client that opens WebSockets to a server, which is identified by an `http` or `https` URL.
    pub(crate) fn sockets(&self, url: &Url) -> Result<Line, Error> {
        let server = url.origin().ascii_serialization();
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, line)) = made.iter().find(|(known, _)| *known == server) {
            return Ok(line.clone());
        }
        let line = self.make(url, true)?;
        if made.len() == KEPT {
            made.remove(0);
        }
        made.push((server, line.clone()));
        Ok(line)
    }

    /// The client: our defaults, then the user's settings, then what must hold in any case.
    fn make(&self, url: &Url, is_socket: bool) -> Result<Line, Error> {
        let route = Route::to(url, self.proxy.as_ref())?;
        let http = reqwest::Client::builder().user_agent(concat!("venuekit/", env!("CARGO_PKG_VERSION")));
        let (http, route) = match &mut *self.own.lock().unwrap_or_else(PoisonError::into_inner) {
            // A policy of the user's would repeat writes. The one that is set by default repeats what was never processed.
            Some(own) => (own(http).retry(reqwest::retry::never()), route.with_own_settings()),
            // No TLS goes to this machine in plain text, and no redirect is followed: the certificates of the system, which take
            // longer to read than anything else here, are left alone.
            None if url.scheme() == "http" && is_loopback(url) => (http.tls_certs_only([]), route),
            None => (http, route),
        };
        let http = route.client(http).connect_timeout(self.connect);
        // A WebSocket begins as HTTP/1.1.
        let http = if is_socket { http.http1_only() } else { http };
        let http = http.build().map_err(|error| {
            Error::invalid_request(format!("cannot create the HTTP client: {}", error.without_url()))
        })?;
        Ok(Line { http, route })
    }
}
