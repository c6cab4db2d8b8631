//! Which of a venue's endpoints a URL leads to, which tells channels with the same address at several sockets from each other.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::document::Document;
use crate::model::{members, text};
use crate::streams;

/// The endpoints of our spec, by the URLs of its servers.
#[derive(Clone, Debug, Default)]
pub struct Endpoints(Vec<(String, String)>);

impl Endpoints {
    /// Those of a spec.
    pub fn of(document: &Document) -> Self {
        let servers = members(streams::root(document), "servers");
        Self(
            servers
                .filter_map(|(_, server)| Some((address(server)?, text(server, "x-endpoint")?.to_owned())))
                .collect(),
        )
    }

    /// Whether an endpoint has a name.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(_, own)| own == name)
    }

    /// The endpoints of a URL, in which `{a,b}` stands for either.
    pub fn at(&self, url: &str) -> BTreeSet<String> {
        let wanted: Vec<String> = alternatives(url).iter().map(|url| plain(url)).collect();
        let own = self.0.iter().filter(|(url, _)| wanted.contains(url));
        own.map(|(_, endpoint)| endpoint.clone()).collect()
    }

    /// The endpoint that a recording names, or whose URL it has; empty where neither is known.
    pub fn named(&self, said: &str) -> String {
        if self.has(said) { said.to_owned() } else { self.at(said).pop_first().unwrap_or_default() }
    }
}

/// Where a server of AsyncAPI is, without its scheme.
pub fn address(server: &Value) -> Option<String> {
    let whole = text(server, "url").map(str::to_owned);
    whole
        .or_else(|| Some(format!("{}{}", text(server, "host")?, text(server, "pathname").unwrap_or_default())))
        .map(|url| plain(&url))
}

/// Host and path, without the scheme, the port, and what stands behind the path.
fn plain(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split(['?', '#', ' ']).next().unwrap_or_default();
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.split(':').next().unwrap_or_default();
    format!("{host}{path}").trim_end_matches('/').to_lowercase()
}

/// Every text that one with `{a,b}` stands for.
pub fn alternatives(text: &str) -> Vec<String> {
    let parts = text.split_once('{').and_then(|(before, rest)| {
        let (inside, after) = rest.split_once('}')?;
        inside.contains(',').then_some((before, inside, after))
    });
    match parts {
        Some((before, inside, after)) => {
            inside.split(',').flat_map(|one| alternatives(&format!("{before}{}{after}", one.trim()))).collect()
        }
        None => vec![text.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_lead_to_endpoints() {
        let own = |url: &str, name: &str| (plain(url), name.to_owned());
        let endpoints = Endpoints(vec![
            own("wss://stream.example.com/v5/public/spot", "spot"),
            own("wss://stream.example.com/v5/public/linear", "linear"),
            own("stream-demo.example.com/v5/private", "private"),
        ]);
        let at = |url: &str| endpoints.at(url).into_iter().collect::<Vec<_>>().join(" ");
        assert_eq!(at("wss://stream.example.com/v5/public/{spot,linear,inverse}"), "linear spot");
        assert_eq!(at("wss://STREAM.example.com:443/v5/public/linear/?a=b"), "linear");
        assert_eq!(at("wss://elsewhere.example.com/v5/public/linear"), "");
        assert_eq!(
            (endpoints.named("private"), endpoints.named("wss://stream-demo.example.com/v5/private")),
            ("private".to_owned(), "private".to_owned())
        );
        assert_eq!(endpoints.named("elsewhere"), "");
        assert_eq!(alternatives("a{b,c}{d,e}"), ["abd", "abe", "acd", "ace"]);
        assert_eq!(alternatives("kline.{interval}"), ["kline.{interval}"]);
    }
}
