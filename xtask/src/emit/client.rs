//! The typed client: Progenitor's output, sealed.

use std::collections::BTreeSet;

use openapiv3::OpenAPI;
use progenitor_impl::{CrateVers, GenerationSettings, Generator, HooksMode, InterfaceStyle, TagStyle};
use quote::quote;
use serde_json::Value;

use super::lenient::Reading;
use super::seal::seal;
use super::{docs, pages};
use crate::document::{Document, Kind};
use crate::model::operations;

/// The client's items, and their text.
pub fn source(document: &Document, lowered: &Value) -> Result<(syn::File, String), String> {
    let spec: OpenAPI = serde_json::from_value(lowered.clone())
        .map_err(|error| format!("the lowered document is not OpenAPI 3.0: {error}"))?;
    let mut settings = GenerationSettings::default();
    settings
        // The only style in which a new optional parameter breaks nobody.
        .with_interface(InterfaceStyle::Builder)
        .with_tag(TagStyle::Merged)
        // A client without hooks, which would not sign, does not compile.
        .with_hooks(HooksMode::Expected)
        .with_inner_type(quote!(::venuekit_transport::Session))
        .with_crate("venuekit-wire", CrateVers::Any, None);
    let tokens = Generator::new(&settings).generate_tokens(&spec).map_err(|error| error.to_string())?;
    let mut file: syn::File = syn::parse2(tokens).map_err(|error| error.to_string())?;
    let reading = Reading::of(&document.derived(Kind::OpenApi, lowered.clone()));
    seal(&mut file, operations(document).len(), &reading)?;
    pages::add(document, &mut file)?;
    docs::add(document, lowered, &mut file);
    file.items.extend(construction());
    if document.value.get("x-websocket").is_some() {
        file.items.extend(websocket());
    }
    let source = prettyplease::unparse(&file);
    complete(document, lowered, &source)?;
    Ok((file, source))
}

/// How a client is made, in place of the constructors that were sealed.
fn construction() -> Vec<syn::Item> {
    let tokens = quote! {
        impl ::venuekit_transport::Connect for Client {
            const VENUE: &'static ::venuekit_wire::operation::Venue = &super::venue::VENUE;

            fn connect(base_url: &str, http: ::reqwest::Client, session: ::venuekit_transport::Session) -> Self {
                Self::new_with_client(base_url, http, session)
            }
        }

        impl Client {
            /// A builder for a client of this environment.
            pub fn builder(environment: super::venue::Environment) -> ::venuekit_transport::ClientBuilder<Self> {
                ::venuekit_transport::ClientBuilder::new(environment.base_url())
            }

            /// A client that shares everything with this one and gives each of its calls another time limit.
            #[must_use]
            pub fn with_timeout(&self, timeout: ::std::time::Duration) -> Self {
                self.with_session(self.inner.with_timeout(timeout))
            }

            /// A client that shares everything with this one and repeats its failed calls by another policy.
            #[must_use]
            pub fn with_retry(&self, policy: ::venuekit_transport::RetryPolicy) -> Self {
                self.with_session(self.inner.with_retry(policy))
            }

            /// A client that shares everything with this one and whose calls wait no longer than this for the venue's rate limit.
            #[must_use]
            pub fn with_rate_wait(&self, longest: ::std::time::Duration) -> Self {
                self.with_session(self.inner.with_rate_wait(longest))
            }

            /// The clock that signatures are made by.
            pub fn clock(&self) -> &::venuekit_transport::Clock {
                self.inner.clock()
            }

            #[allow(dead_code)]
            pub(crate) fn with_session(&self, session: ::venuekit_transport::Session) -> Self {
                Self { inner: session, ..self.clone() }
            }
        }
    };
    syn::parse2::<syn::File>(tokens).expect("the items are constants").items
}

/// How a client is made that calls over a WebSocket.
fn websocket() -> Vec<syn::Item> {
    let tokens = quote! {
        impl Client {
            /// A builder for a client that makes all its calls over one WebSocket to this environment.
            pub fn websocket(environment: super::venue::Environment) -> ::venuekit_transport::ClientBuilder<Self> {
                ::venuekit_transport::ClientBuilder::new(environment.websocket_url())
            }

            /// The WebSocket that carries the calls; none for a client over HTTP.
            pub fn connection(&self) -> Option<&::venuekit_transport::WebSocket> {
                self.inner.websocket()
            }
        }
    };
    syn::parse2::<syn::File>(tokens).expect("the items are constants").items
}

/// Every operation is there under the name its table row has, and every type of ours was really used: the generator ignores
/// what it does not understand.
fn complete(document: &Document, lowered: &Value, source: &str) -> Result<(), String> {
    // Once through the text for all of them: it is as long as there are operations.
    let key = "operation_id: \"";
    let ids = source.match_indices(key).filter_map(|(at, _)| source[at + key.len()..].split('"').next());
    let ids: BTreeSet<&str> = ids.collect();
    for operation in operations(document) {
        if !ids.contains(operation.id.as_str()) {
            return Err(format!("the generator left out `{}`, or called it something else", operation.id));
        }
    }
    let mut named = BTreeSet::new();
    types(lowered, &mut named);
    for path in named {
        if !source.contains(&format!("::{path}")) {
            return Err(format!("the generator ignored `x-rust-type: {path}`"));
        }
    }
    Ok(())
}

fn types<'a>(value: &'a Value, into: &mut BTreeSet<&'a str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| types(item, into)),
        Value::Object(map) => {
            if let Some(path) = value.pointer("/x-rust-type/path").and_then(Value::as_str) {
                into.insert(path);
            }
            map.values().for_each(|inner| types(inner, into));
        }
        _ => {}
    }
}
