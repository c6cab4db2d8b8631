//! A request with its body in hand, as it arrived or as it will be sent.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Method};

/// The content type of JSON.
pub(super) const JSON: &str = "application/json";
/// The content type of a form.
pub(super) const FORM: &str = "application/x-www-form-urlencoded";

/// One request.
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path as it stands on the wire, percent-encoding included.
    pub path: String,
    /// The query as it stands on the wire, without the question mark.
    pub query: Option<String>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; none at all is an empty one.
    pub body: Bytes,
}

impl Request {
    /// A header's value, where there is one and it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.headers.get(name)?.as_bytes()).ok()
    }

    /// The decoded pairs of the query, in order.
    pub fn query_pairs(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(self.query.as_deref().unwrap_or_default().as_bytes()).into_owned().collect()
    }

    /// The first value of a query parameter.
    pub fn query_value(&self, name: &str) -> Option<String> {
        self.query_pairs().into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The media type of the body, without its parameters.
    pub(super) fn media_type(&self) -> &str {
        let content_type = self.header("content-type").unwrap_or_default();
        content_type.split(';').next().unwrap_or_default().trim()
    }

    /// The decoded pairs of a body that is a form, in order. Any other body has none.
    pub fn form_pairs(&self) -> Vec<(String, String)> {
        if !self.media_type().eq_ignore_ascii_case(FORM) {
            return Vec::new();
        }
        url::form_urlencoded::parse(&self.body).into_owned().collect()
    }

    /// The decoded pairs of query and form together. Where both have a name, that of the form is left out.
    pub fn pairs(&self) -> Vec<(String, String)> {
        let mut pairs = self.query_pairs();
        let of_form = self.form_pairs().into_iter();
        let new: Vec<_> = of_form.filter(|(name, _)| pairs.iter().all(|(known, _)| known != name)).collect();
        pairs.extend(new);
        pairs
    }
}

/// Headers, query and body may hold a secret: none of them is shown.
impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Request")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// The decoded segments of a path. A segment that is no UTF-8 is kept as it stood.
pub fn decode_segments(path: &str) -> Vec<String> {
    let decode = |segment| match percent_encoding::percent_decode_str(segment).decode_utf8() {
        Ok(text) => text.into_owned(),
        Err(_) => segment.to_owned(),
    };
    path.trim_start_matches('/').split('/').map(decode).collect()
}
