//! Which operation a recorded request is, and which channel a frame is of.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::document::{Document, Kind};
use crate::model::{servers, text};
use crate::surface::{Channel, Operation, Surface, fits};

/// What a request is.
pub enum Found<'a> {
    /// An operation of our spec.
    Operation(&'a Operation),
    /// The venue's, and in no spec of ours: method and path.
    Undocumented(String, String),
    /// Another server's.
    Elsewhere,
}

/// The operations of a spec by their paths.
pub struct Routes<'a> {
    surface: &'a Surface,
    is_rpc: bool,
    hosts: BTreeSet<String>,
    /// Longest first.
    prefixes: Vec<String>,
}

impl<'a> Routes<'a> {
    /// For a spec.
    pub fn of(document: &Document, surface: &'a Surface) -> Self {
        let servers = servers(document);
        let mut hosts = BTreeSet::new();
        for server in servers {
            hosts.extend(text(server, "url").map(|url| split(url).0.to_owned()));
            let others = server.get("x-hosts").and_then(Value::as_array).into_iter().flatten();
            hosts.extend(others.filter_map(Value::as_str).map(|host| split(host).0.trim_end_matches('/').to_owned()));
        }
        let mut prefixes: Vec<String> = surface.prefixes.iter().cloned().collect();
        prefixes.sort_by_key(|prefix| std::cmp::Reverse(prefix.len()));
        Self { surface, is_rpc: document.kind == Kind::OpenRpc, hosts, prefixes }
    }

    /// What a request is, by its method, URL and body.
    pub fn find(&self, method: &str, url: &str, body: Option<&Value>) -> Found<'a> {
        let (host, path) = split(url);
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let prefix = self.prefixes.iter().find(|prefix| {
            path.strip_prefix(prefix.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        let short = prefix.map_or(path, |prefix| &path[prefix.len()..]);
        let found = if self.is_rpc {
            self.method(short, body)
        } else {
            self.operation(method, short).or_else(|| self.operation(method, path))
        };
        let is_own = host.is_empty() || self.is_own(host) || prefix.is_some();
        match found {
            Some(operation) if is_own => Found::Operation(operation),
            _ if is_own && !is_of_browser(method, path) => {
                let named = body.and_then(|body| text(body, "method")).filter(|_| self.is_rpc);
                Found::Undocumented(
                    method.to_owned(),
                    named.map_or_else(|| short.to_owned(), |name| format!("/{name}")),
                )
            }
            _ => Found::Elsewhere,
        }
    }

    /// Whether a host is the venue's: one of its servers, one of the same domain, or this machine.
    fn is_own(&self, host: &str) -> bool {
        let host = host.split(':').next().unwrap_or_default().to_lowercase();
        let domain = |host: &str| host.rsplitn(3, '.').take(2).collect::<Vec<_>>().join(".");
        matches!(host.as_str(), "localhost" | "127.0.0.1" | "[")
            || self.hosts.iter().any(|own| own.split(':').next() == Some(host.as_str()) || domain(own) == domain(&host))
    }

    fn method(&self, path: &str, body: Option<&Value>) -> Option<&'a Operation> {
        let named = body.and_then(|body| text(body, "method"));
        self.surface.operations.get(named.unwrap_or_else(|| path.trim_matches('/')))
    }

    /// The operation whose path fits, with the most plain segments.
    fn operation(&self, method: &str, path: &str) -> Option<&'a Operation> {
        let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        let fits = |key: &String| -> Option<usize> {
            let (own, template) = key.split_once(' ')?;
            let parts: Vec<&str> = template.trim_matches('/').split('/').collect();
            if own != method || parts.len() != segments.len() {
                return None;
            }
            let all = parts.iter().zip(&segments).all(|(part, segment)| part == segment || part_fits(part, segment));
            all.then(|| parts.iter().filter(|part| !part.contains("{}")).count())
        };
        let found = self.surface.operations.iter().filter_map(|(key, operation)| Some((fits(key)?, operation)));
        found.max_by_key(|(plain, _)| *plain).map(|(_, operation)| operation)
    }
}

fn part_fits(part: &str, segment: &str) -> bool {
    part.split_once("{}").is_some_and(|(before, after)| {
        segment.len() > before.len() + after.len() && segment.starts_with(before) && segment.ends_with(after)
    })
}

/// Other files that a browser requests.
fn is_of_browser(method: &str, path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or_default();
    matches!(method, "OPTIONS" | "HEAD" | "CONNECT")
        || [".js", ".css", ".png", ".ico", ".svg", ".html", ".map", ".woff2", ".txt"]
            .iter()
            .any(|ending| file.ends_with(ending))
}

/// The host and the rest of a URL; a path alone has no host.
fn split(url: &str) -> (&str, &str) {
    let Some((_, rest)) = url.split_once("://") else {
        return if url.starts_with('/') { ("", url) } else { (url, "") };
    };
    rest.find(['/', '?']).map_or((rest, ""), |at| (&rest[..at], &rest[at..]))
}

/// The channel of an address at an endpoint, with the most plain letters.
pub fn channel<'a>(surface: &'a Surface, address: &str, endpoint: &str) -> Option<&'a Channel> {
    let here = surface.channels.values().filter(|channel| channel.is_at(endpoint));
    let found = here.filter_map(|channel| Some((fits(&channel.address, address)?, channel)));
    found.max_by_key(|(plain, _)| *plain).map(|(_, channel)| channel)
}
