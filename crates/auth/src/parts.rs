//! What is signed.

use std::fmt;

/// The parts of a request that a signature may cover, as they go over the wire.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Parts<'a> {
    /// The method; signers write it in upper case.
    pub method: &'a str,
    /// The path with the prefix of the API and percent-encoding as sent, without the query: `/trade-api/v2/portfolio/balance`.
    pub path: &'a str,
    /// The query as sent, without its question mark.
    pub query: Option<&'a str>,
    /// The exact bytes of the body; none at all is the same as no body.
    pub body: &'a [u8],
}

impl<'a> Parts<'a> {
    /// Takes the target apart: path and query, from the first slash after the host on. A fragment is dropped, for it is never sent.
    ///
    /// ```
    /// let parts = venuekit_auth::Parts::new("GET", "/api/v2/public/ticker?instrument_name=BTC-PERPETUAL", b"");
    /// assert_eq!(parts.path, "/api/v2/public/ticker");
    /// assert_eq!(parts.query, Some("instrument_name=BTC-PERPETUAL"));
    /// ```
    pub fn new(method: &'a str, target: &'a str, body: &'a [u8]) -> Self {
        let target = target.split_once('#').map_or(target, |(target, _)| target);
        let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        Self { method, path, query, body }
    }
}

/// Query and body may carry a secret (a login, a token), so only their sizes are shown.
impl fmt::Debug for Parts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query_len", &self.query.map(str::len))
            .field("body_len", &self.body.len())
            .finish()
    }
}
