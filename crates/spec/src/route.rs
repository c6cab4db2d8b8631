//! Finds the operation of a method and a path. A literal segment wins over a placeholder.

use super::Spec;
use super::message::decode_segments;
use super::operation::Operation;
use super::problem::{Problem, RequestPart};

/// A part of a path template between slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    Literal(String),
    Placeholder(String),
}

impl Segment {
    fn fits(&self, text: &str) -> bool {
        match self {
            Self::Literal(literal) => literal == text,
            Self::Placeholder(_) => !text.is_empty(),
        }
    }
}

/// The segments of a template such as `/orders/{order_id}`.
pub(super) fn segments(template: &str) -> Vec<Segment> {
    let segment = |text: &str| match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        Some(name) => Segment::Placeholder(name.to_owned()),
        None => Segment::Literal(text.to_owned()),
    };
    template.trim_start_matches('/').split('/').map(segment).collect()
}

impl Operation {
    fn fits(&self, path: &[String]) -> bool {
        self.segments.len() == path.len() && self.segments.iter().zip(path).all(|(segment, text)| segment.fits(text))
    }

    /// Which segments are literal: the larger, the better a path fits that fits at all.
    fn precision(&self) -> Vec<bool> {
        self.segments.iter().map(|segment| matches!(segment, Segment::Literal(_))).collect()
    }

    /// Whether the path ends in that placeholder.
    pub(super) fn ends_in(&self, name: &str) -> bool {
        matches!(self.segments.last(), Some(Segment::Placeholder(last)) if last == name)
    }

    /// The values of the placeholders.
    pub(super) fn path_values<'a>(&'a self, path: &str) -> Vec<(&'a str, String)> {
        // A path below a longer prefix than the template's ends as the template does.
        let texts = decode_segments(path);
        let skipped = texts.len().saturating_sub(self.segments.len());
        let named = |segment: &'a Segment, text| match segment {
            Segment::Placeholder(name) => Some((name.as_str(), text)),
            Segment::Literal(_) => None,
        };
        let texts = texts.into_iter().skip(skipped);
        self.segments.iter().zip(texts).filter_map(|(segment, text)| named(segment, text)).collect()
    }
}

impl Spec {
    /// The operation of a method and a path below the venue's prefix.
    pub fn find(&self, method: &http::Method, path: &str) -> Result<&Operation, Problem> {
        let texts = decode_segments(path);
        let fitting: Vec<&Operation> = self.operations().filter(|operation| operation.fits(&texts)).collect();
        let same_method = fitting.iter().filter(|operation| operation.method == method.as_str());
        if let Some(operation) = same_method.max_by_key(|operation| operation.precision()) {
            return Ok(operation);
        }
        if fitting.is_empty() {
            return Err(Problem::new(RequestPart::Path, "", "nothing is served here"));
        }
        let mut methods: Vec<&str> = fitting.iter().map(|operation| operation.method.as_str()).collect();
        methods.sort_unstable();
        methods.dedup();
        let reason = format!("{method} is not served here, only {}", methods.join(" and "));
        Err(Problem::new(RequestPart::Method, "", reason))
    }

    /// Whether any operation has this whole path, with any method.
    pub fn knows(&self, path: &str) -> bool {
        let Some(path) = path.strip_prefix(&*self.prefix) else { return false };
        let texts = decode_segments(path);
        self.operations().any(|operation| operation.fits(&texts))
    }

    /// Whether a whole path is one at which a WebSocket connection is opened.
    pub fn is_websocket(&self, path: &str) -> bool {
        let path_of = |url: &str| {
            let below = url.split_once("://").map_or(url, |(_, rest)| rest);
            below.split_once('/').map(|(_, path)| path.trim_end_matches('/').to_owned())
        };
        let path = path.split(['?', '#']).next().unwrap_or_default().trim_start_matches('/').trim_end_matches('/');
        let mut urls = self.servers.iter().flat_map(|server| &server.websockets);
        !path.is_empty() && urls.any(|url| path_of(url).as_deref() == Some(path))
    }
}
