//! Our own words: which there are, where they stand, what they may say.

use std::collections::HashSet;
use std::num::NonZeroU32;

use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value};

use super::credentials::{clock_window, logins, probes, signatures, symptoms, variables};
use super::forms::{
    any, buckets, client_headers, connection, errors, field_name, hosts, method, name, names, rate, rate_headers,
    reconcile, retry, rust_type, scope, sentence, serves, venue_time, websockets,
};
use super::keys::keys;
use super::streams::forms::{
    access, book, dialect, first_within, items, keep_alive, limits, login, query, recover, sequence, snapshot, tuple,
    when,
};
use crate::document::{Document, Kind, STREAMS};
use crate::finding::Finding;
use crate::model::{operations, schemes, schemes_at, servers, text};
use crate::source::{holds_properties, step};
use crate::vocabulary::{
    AllRateHeaders, Buckets, CarriesWord, Challenge, ClientHeaders, ClockWindow, Connection, Errors, Keys, Logins,
    Page, Probes, Rates, Reconcile, Retry, RustType, Signatures, Symptoms, Variables, VenueTime, WebSocket, Yes, read,
};

/// Where a word may stand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    /// The root document.
    Root,
    /// One of its servers.
    Server,
    /// One of its security schemes.
    SecurityScheme,
    /// An operation.
    Operation,
    /// A schema or a parameter.
    Schema,
    /// The root document of the streams.
    Streams,
    /// One of its servers.
    StreamServer,
    /// A channel.
    Channel,
    /// A parameter of a channel's address.
    AddressParameter,
    /// A message.
    Message,
}

/// One of our words.
pub struct Word {
    /// Its name.
    pub name: &'static str,
    /// Where it may stand.
    pub places: &'static [Place],
    check: fn(&Known<'_>, &Value) -> Result<(), String>,
    /// The schema of what it says, of the type that the check reads. None where the check reads no type.
    pub schema: Option<fn(&mut SchemaGenerator) -> Schema>,
}

/// The closed list.
pub fn words() -> &'static [Word] {
    WORDS
}

/// What the checks of words look up, collected once for all of them.
pub struct Known<'a> {
    /// The document that is checked.
    pub document: &'a Document,
    /// The generated names of its operations.
    pub ids: HashSet<String>,
    /// The names of its JSON-RPC methods.
    pub methods: HashSet<&'a str>,
    /// Where its operations stand.
    places: HashSet<String>,
}

impl<'a> Known<'a> {
    fn of(document: &'a Document) -> Self {
        let (mut ids, mut methods, mut places) = (HashSet::new(), HashSet::new(), HashSet::new());
        for operation in operations(document) {
            methods.extend(text(operation.value, "name"));
            ids.insert(operation.id);
            places.insert(operation.pointer);
        }
        Self { document, ids, methods, places }
    }
}

/// A word that is read as a type.
macro_rules! typed {
    ($name:literal, [$($place:ident),*], $type:ty, $check:path) => {
        Word {
            name: $name,
            places: &[$(Place::$place),*],
            check: |known, value| $check(known, read::<$type>(value)?),
            schema: Some(|generator| generator.subschema_for::<$type>()),
        }
    };
}

/// A word whose check looks at the value itself.
macro_rules! checked {
    ($name:literal, [$($place:ident),*], $check:path) => {
        Word { name: $name, places: &[$(Place::$place),*], check: $check, schema: None }
    };
}

/// The closed list.
const WORDS: &[Word] = &[
    typed!("x-variables", [Root], Variables, variables),
    typed!("x-logins", [Root], Logins, logins),
    typed!("x-signatures", [Root], Signatures, signatures),
    typed!("x-clock-window", [Root], ClockWindow, clock_window),
    typed!("x-probes", [Root], Probes, probes),
    typed!("x-symptoms", [Root], Symptoms, symptoms),
    typed!("x-keys", [Root], Keys, keys),
    typed!("x-errors", [Root], Errors, errors),
    typed!("x-challenge", [Root], Challenge, any),
    typed!("x-buckets", [Root], Buckets, buckets),
    typed!("x-largest-request", [Root], NonZeroU32, any),
    typed!("x-no-body", [Root], Yes, any),
    typed!("x-websocket", [Root], WebSocket, super::websocket::websocket),
    typed!("x-rate-headers", [Root], AllRateHeaders, rate_headers),
    typed!("x-client-headers", [Root], ClientHeaders, client_headers),
    typed!("x-security-schemes", [Root], Map<String, Value>, any),
    typed!("x-security", [Root, Operation], Vec<Value>, any),
    typed!("x-environment", [Server, StreamServer], String, name),
    typed!("x-hosts", [Server], Vec<String>, hosts),
    typed!("x-key-page", [Server], String, sentence),
    typed!("x-serves", [Server], Vec<String>, serves),
    typed!("x-websockets", [Server], Vec<String>, websockets),
    typed!("x-credential", [SecurityScheme], String, name),
    typed!("x-carries", [SecurityScheme], CarriesWord, any),
    typed!("x-signature-age", [SecurityScheme], NonZeroU32, any),
    typed!("x-retry", [Operation], Retry, retry),
    typed!("x-rate", [Operation], Rates, rate),
    typed!("x-venue-time", [Operation], VenueTime, venue_time),
    typed!("x-page", [Operation], Page, any),
    typed!("x-reconcile", [Operation], Reconcile, reconcile),
    typed!("x-client-id", [Operation], String, sentence),
    typed!("x-method", [Operation], String, method),
    typed!("x-scope", [Operation], String, scope),
    typed!("x-second-factor", [Operation], Yes, any),
    typed!("x-connection", [Operation], Connection, connection),
    typed!("x-closed", [Schema], Yes, any),
    typed!("x-also", [Schema], Map<String, Value>, any),
    typed!("x-vital", [Schema], Vec<String>, names),
    typed!("x-left-out", [Schema], Yes, any),
    typed!("x-name", [Schema], String, field_name),
    typed!("x-not-id", [Schema], String, sentence),
    typed!("x-not-secret", [Schema], String, sentence),
    typed!("x-rust-type", [Schema], RustType, rust_type),
    checked!("x-tuple", [Schema], tuple),
    checked!("x-login", [Streams], login),
    checked!("x-dialect", [Streams], dialect),
    checked!("x-keep-alive", [Streams], keep_alive),
    checked!("x-limits", [Streams], limits),
    checked!("x-query", [Streams], query),
    typed!("x-endpoint", [StreamServer, Channel], String, name),
    checked!("x-access", [Channel], access),
    typed!("x-parameters", [Channel], Map<String, Value>, any),
    checked!("x-items", [Channel], items),
    typed!("x-list", [Channel], bool, any),
    typed!("x-whole", [Channel], bool, any),
    checked!("x-sequence", [Channel], sequence),
    checked!("x-recover", [Channel], recover),
    checked!("x-book", [Channel], book),
    checked!("x-first-within", [Channel], first_within),
    typed!("x-schema", [AddressParameter], Map<String, Value>, any),
    typed!("x-lower-case", [AddressParameter], Yes, any),
    checked!("x-when", [Message], when),
    checked!("x-snapshot", [Message], snapshot),
    typed!("x-control", [Message], Yes, any),
];

/// What OpenAPI has words of its own for, or what only one request for all methods needs.
const OPENRPC_ONLY: [&str; 6] =
    ["x-challenge", "x-largest-request", "x-left-out", "x-security", "x-security-schemes", "x-second-factor"];

pub fn check(document: &Document, findings: &mut Vec<Finding>) {
    visit(&Known::of(document), "", &document.value, findings);
    required(document, findings);
}

fn visit(known: &Known<'_>, pointer: &str, value: &Value, findings: &mut Vec<Finding>) {
    match value {
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                visit(known, &step(pointer, &i.to_string()), item, findings);
            }
        }
        Value::Object(map) => {
            let holds_names = holds_properties(pointer);
            for (key, value) in map {
                let below = step(pointer, key);
                // The streams are joined into the document under a name of their own.
                let is_streams = pointer.is_empty() && key == STREAMS;
                if key.starts_with("x-") && !holds_names && !is_streams {
                    word(known, place(known, pointer), &below, key, value, findings);
                }
                // Examples are the venue's data, not ours.
                if !matches!(key.as_str(), "example" | "examples" | "enum" | "default") || holds_names {
                    visit(known, &below, value, findings);
                }
            }
        }
        _ => {}
    }
}

fn place(known: &Known<'_>, holder: &str) -> Place {
    if let Some(below) = holder.strip_prefix(&format!("/{STREAMS}")) {
        return match below.split('/').skip(1).collect::<Vec<_>>().as_slice() {
            [] => Place::Streams,
            ["servers", _] => Place::StreamServer,
            ["channels", _] => Place::Channel,
            ["channels", _, "parameters", _] => Place::AddressParameter,
            ["messages", _] => Place::Message,
            _ => Place::Schema,
        };
    }
    if holder.is_empty() {
        Place::Root
    } else if known.places.contains(holder) {
        Place::Operation
    } else if holder.starts_with("/servers/") {
        Place::Server
    } else if holder.starts_with("/components/securitySchemes/") || holder.starts_with("/x-security-schemes/") {
        Place::SecurityScheme
    } else {
        Place::Schema
    }
}

fn word(known: &Known<'_>, place: Place, at: &str, key: &str, value: &Value, findings: &mut Vec<Finding>) {
    let document = known.document;
    let Some(word) = WORDS.iter().find(|word| word.name == key) else {
        let help = "specs/README.md lists our words; a new one is documented there, checked here and used";
        findings.push(document.finding("unknown-word", at, format!("`{key}` is not one of our words"), help));
        return;
    };
    if !word.places.contains(&place) || document.kind == Kind::OpenApi && OPENRPC_ONLY.contains(&key) {
        let help = "specs/README.md says where each word stands";
        findings.push(document.finding("misplaced-word", at, format!("`{key}` does not belong here"), help));
    } else if let Err(problem) = (word.check)(known, value) {
        let help = "specs/README.md shows the form";
        findings.push(document.finding("bad-word", at, format!("`{key}`: {problem}"), help));
    }
}

/// What must be said and is not.
fn required(document: &Document, findings: &mut Vec<Finding>) {
    let mut missing = |at: &str, message: String, help: &str| {
        findings.push(document.finding("missing-word", at, message, help));
    };
    if document.value.get("x-errors").is_none() {
        missing("", "the root does not say how to read an error".to_owned(), "add `x-errors`");
    }
    let has_buckets = document.value.get("x-buckets").is_some();
    for operation in operations(document) {
        let id = &operation.id;
        if operation.value.get("x-retry").is_none() {
            missing(
                &operation.pointer,
                format!("`{id}` does not say whether it may be repeated"),
                "add `x-retry: safe`, `never` or `keyed: ...`",
            );
        }
        if operation.value.get("x-second-factor").is_some() && document.value.get("x-challenge").is_none() {
            let message = format!("`{id}` may be challenged, and the root does not say how");
            missing(&operation.pointer, message, "add `x-challenge` to the root");
        }
        if operation.value.get("x-connection").is_some() && document.value.get("x-websocket").is_none() {
            let message = format!("`{id}` is about a connection, and the root does not say where one is made");
            missing(&operation.pointer, message, "add `x-websocket` to the root");
        }
        if has_buckets && operation.value.get("x-rate").is_none() {
            missing(&operation.pointer, format!("`{id}` does not say what it costs"), "add `x-rate: {bucket, cost}`");
        }
    }
    for (i, server) in servers(document).enumerate() {
        if server.get("x-environment").is_none() {
            missing(
                &step("/servers", &i.to_string()),
                "the server has no environment".to_owned(),
                "add `x-environment: production`, `demo`, ...",
            );
        }
    }
    let is_signed = |credential: Option<&str>| {
        let signed = document.value.get("x-signatures").and_then(|signatures| signatures.get(credential?));
        signed.is_some()
    };
    for (name, scheme) in schemes(document) {
        if scheme.get("x-credential").is_none() {
            missing(
                &step(schemes_at(document), name),
                format!("the security scheme `{name}` belongs to no credential"),
                "add `x-credential`",
            );
        } else if text(scheme, "type") == Some("apiKey")
            && scheme.get("x-carries").is_none()
            && !is_signed(text(scheme, "x-credential"))
        {
            missing(
                &step(schemes_at(document), name),
                format!("nothing says what the header of the security scheme `{name}` carries"),
                "add `x-carries: id`, `secret` or `code`, or describe the signature in the root's `x-signatures`",
            );
        }
    }
}
