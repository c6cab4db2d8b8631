//! The client itself: what it is made of, how it is made, and its methods by subject.

use quote::quote;
use serde_json::Value;
use syn::{Item, ItemImpl, parse_quote};

use super::Method;
use crate::document::Document;
use crate::emit::items::doc_lines;
use crate::markup;
use crate::model::text;
use crate::streams;

pub fn items(document: &Document, methods: &[Method]) -> Vec<Item> {
    let docs = doc_lines(&about(document));
    let mut items: Vec<Item> = vec![
        parse_quote! {
            #(#docs)*
            #[derive(Clone, Debug)]
            pub struct Client {
                session: Session,
            }
        },
        parse_quote! {
            impl ::venuekit_transport::Connect for Client {
                const VENUE: &'static ::venuekit_wire::operation::Venue = &super::venue::VENUE;

                fn connect(session: Session) -> Self {
                    Self { session }
                }
            }
        },
        construction(),
    ];
    if document.value.get("x-websocket").is_some() {
        items.push(websocket());
    }
    if streams::any(document) {
        items.push(stream());
    }
    items.extend(subjects(document, methods).into_iter().map(Item::Impl));
    items
}

/// What the client is for.
fn about(document: &Document) -> Vec<String> {
    let info = &document.value["info"];
    let word = |key| text(info, key).map(markup::text).unwrap_or_default();
    let mut lines = vec![format!("A client for {}.", markup::inline(text(info, "title").unwrap_or_default()))];
    for paragraph in [word("description"), format!("Version: {}", word("version"))] {
        if !paragraph.is_empty() {
            lines.push(String::new());
            lines.extend(paragraph.lines().map(str::to_owned));
        }
    }
    lines
}

/// How a client is made, and what it shares with others.
fn construction() -> Item {
    parse_quote! {
        /// # The client
        ///
        /// Construction, and settings that all calls share.
        impl Client {
            /// A builder for a client of this environment.
            pub fn builder(environment: super::venue::Environment) -> ::venuekit_transport::ClientBuilder<Self> {
                ::venuekit_transport::ClientBuilder::new(environment.base_url())
            }

            /// A client that shares everything with this one, with another time limit for its calls.
            #[must_use]
            pub fn with_timeout(&self, timeout: ::std::time::Duration) -> Self {
                self.with_session(self.session.with_timeout(timeout))
            }

            /// A client that shares everything with this one, with another retry policy.
            #[must_use]
            pub fn with_retry(&self, policy: ::venuekit_transport::RetryPolicy) -> Self {
                self.with_session(self.session.with_retry(policy))
            }

            /// A client that shares everything with this one, whose calls wait at most this long for the venue's rate limit.
            #[must_use]
            pub fn with_rate_wait(&self, longest: ::std::time::Duration) -> Self {
                self.with_session(self.session.with_rate_wait(longest))
            }

            /// The clock that signatures are made by.
            pub fn clock(&self) -> &::venuekit_transport::Clock {
                self.session.clock()
            }

            /// The session that makes the calls.
            #[doc(hidden)]
            pub fn session(&self) -> &Session {
                &self.session
            }

            #[allow(dead_code)]
            pub(crate) fn with_session(&self, session: Session) -> Self {
                Self { session }
            }
        }
    }
}

/// How a client is made that calls over a WebSocket.
fn websocket() -> Item {
    parse_quote! {
        impl Client {
            /// A builder for a client that makes all its calls over one WebSocket to this environment.
            pub fn websocket(environment: super::venue::Environment) -> ::venuekit_transport::ClientBuilder<Self> {
                ::venuekit_transport::ClientBuilder::new(environment.websocket_url())
            }

            /// The WebSocket that carries the calls; none for a client over HTTP.
            pub fn connection(&self) -> Option<&::venuekit_transport::WebSocket> {
                self.session.websocket()
            }
        }
    }
}

/// How what a venue tells by itself is subscribed to.
fn stream() -> Item {
    parse_quote! {
        impl Client {
            /// The streams: a method for each channel. Clones of the client share their connections.
            pub fn streams(&self) -> super::streams::Streams {
                super::streams::Streams::of(&self.session)
            }
        }
    }
}

/// The methods, a block for each of the document's tags in their order, so that documentation shows them by subject.
fn subjects(document: &Document, methods: &[Method]) -> Vec<ItemImpl> {
    let described = document.value.get("tags").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut tags: Vec<&str> = described.iter().filter_map(|tag| text(tag, "name")).collect();
    for method in methods {
        if !tags.contains(&method.tag.as_str()) {
            tags.push(&method.tag);
        }
    }
    let block = |tag: &str| {
        let own: Vec<&Method> = methods.iter().filter(|method| method.tag == tag).collect();
        let functions = own.iter().map(|Method { id, builder, docs, .. }| {
            let docs = doc_lines(docs);
            quote! {
                #(#docs)*
                pub fn #id(&self) -> builder::#builder<'_> {
                    builder::#builder::new(self)
                }
            }
        });
        let said = described.iter().find(|other| text(other, "name") == Some(tag));
        let said = said.and_then(|tag| text(tag, "description")).map(markup::text);
        let mut heading = vec![format!("# {}", title(tag))];
        if let Some(said) = said {
            heading.push(String::new());
            heading.extend(said.lines().map(str::to_owned));
        }
        let heading = doc_lines(&heading);
        (!own.is_empty()).then(|| parse_quote!(#(#heading)* impl Client { #(#functions)* }))
    };
    tags.into_iter().filter_map(block).collect()
}

/// A tag as a heading.
fn title(tag: &str) -> String {
    let words = tag.split('-').filter(|word| !word.is_empty()).enumerate().map(|(i, word)| {
        let is_short = ["api", "iban"].contains(&word) || !word.contains(['a', 'e', 'i', 'o', 'u', 'y']);
        let (first, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
        match (is_short, i) {
            (true, _) => word.to_uppercase(),
            (false, 0) => format!("{}{rest}", first.to_uppercase()),
            (false, _) => word.to_owned(),
        }
    });
    let title = words.collect::<Vec<_>>().join(" ");
    if title.is_empty() { "Operations".to_owned() } else { markup::inline(&title) }
}

#[cfg(test)]
mod tests {
    use super::title;

    #[test]
    fn tags_become_headings() {
        for (tag, heading) in [
            ("orders", "Orders"),
            ("api-keys-first-gen", "API keys first gen"),
            ("rfq", "RFQ"),
            ("mmp", "MMP"),
            ("block-rfq-quotes", "Block RFQ quotes"),
            ("", "Operations"),
        ] {
            assert_eq!(title(tag), heading);
        }
    }
}
