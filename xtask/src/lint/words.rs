//! Our own words: which there are, where they stand, what they may say.

use std::collections::HashSet;

use serde_json::Value;

use super::forms::{
    buckets, challenge, connection, count, errors, flag, hosts, list, mapping, name, names, page, rate, rate_headers,
    reconcile, retry, rust_type, sentence, variables, venue_time, websocket, websockets, yes,
};
use super::streams::forms::{
    access, book, dialect, items, keep_alive, limits, login, recover, sequence, snapshot, tuple, when,
};
use crate::document::{Document, Kind, STREAMS};
use crate::finding::Finding;
use crate::model::{operations, text};
use crate::source::step;

/// Where a word may stand.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Root,
    Server,
    SecurityScheme,
    Operation,
    Schema,
    Streams,
    StreamServer,
    Channel,
    AddressParameter,
    Message,
}

type Check = fn(&Known<'_>, &Value) -> Result<(), String>;

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

/// The closed list.
const WORDS: &[(&str, &[Place], Check)] = &[
    ("x-variables", &[Place::Root], variables),
    ("x-errors", &[Place::Root], errors),
    ("x-challenge", &[Place::Root], challenge),
    ("x-buckets", &[Place::Root], buckets),
    ("x-largest-request", &[Place::Root], count),
    ("x-no-body", &[Place::Root], yes),
    ("x-websocket", &[Place::Root], websocket),
    ("x-rate-headers", &[Place::Root], rate_headers),
    ("x-security-schemes", &[Place::Root], mapping),
    ("x-security", &[Place::Root, Place::Operation], list),
    ("x-environment", &[Place::Server, Place::StreamServer], name),
    ("x-hosts", &[Place::Server], hosts),
    ("x-websockets", &[Place::Server], websockets),
    ("x-credential", &[Place::SecurityScheme], name),
    ("x-signature-age", &[Place::SecurityScheme], count),
    ("x-retry", &[Place::Operation], retry),
    ("x-rate", &[Place::Operation], rate),
    ("x-venue-time", &[Place::Operation], venue_time),
    ("x-page", &[Place::Operation], page),
    ("x-reconcile", &[Place::Operation], reconcile),
    ("x-scope", &[Place::Operation], sentence),
    ("x-second-factor", &[Place::Operation], yes),
    ("x-connection", &[Place::Operation], connection),
    ("x-closed", &[Place::Schema], yes),
    ("x-also", &[Place::Schema], mapping),
    ("x-vital", &[Place::Schema], names),
    ("x-left-out", &[Place::Schema], yes),
    ("x-not-id", &[Place::Schema], sentence),
    ("x-not-secret", &[Place::Schema], sentence),
    ("x-rust-type", &[Place::Schema], rust_type),
    ("x-tuple", &[Place::Schema], tuple),
    ("x-login", &[Place::Streams], login),
    ("x-dialect", &[Place::Streams], dialect),
    ("x-keep-alive", &[Place::Streams], keep_alive),
    ("x-limits", &[Place::Streams], limits),
    ("x-endpoint", &[Place::StreamServer, Place::Channel], name),
    ("x-access", &[Place::Channel], access),
    ("x-parameters", &[Place::Channel], mapping),
    ("x-items", &[Place::Channel], items),
    ("x-list", &[Place::Channel], flag),
    ("x-whole", &[Place::Channel], flag),
    ("x-sequence", &[Place::Channel], sequence),
    ("x-recover", &[Place::Channel], recover),
    ("x-book", &[Place::Channel], book),
    ("x-schema", &[Place::AddressParameter], mapping),
    ("x-when", &[Place::Message], when),
    ("x-snapshot", &[Place::Message], snapshot),
    ("x-control", &[Place::Message], yes),
];

/// What OpenAPI has words of its own for, or what only one request for all methods needs.
const OPENRPC_ONLY: [&str; 8] = [
    "x-challenge",
    "x-connection",
    "x-largest-request",
    "x-left-out",
    "x-security",
    "x-security-schemes",
    "x-second-factor",
    "x-websocket",
];

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
            let holds_names = pointer.ends_with("/properties");
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
    let Some((_, places, check)) = WORDS.iter().find(|(word, _, _)| *word == key) else {
        let help = "specs/README.md lists our words; a new one is documented there, checked here and used";
        findings.push(document.finding("unknown-word", at, format!("`{key}` is none of our words"), help));
        return;
    };
    if !places.contains(&place) || document.kind == Kind::OpenApi && OPENRPC_ONLY.contains(&key) {
        let help = "specs/README.md says where each word stands";
        findings.push(document.finding("misplaced-word", at, format!("`{key}` does not belong here"), help));
    } else if let Err(problem) = check(known, value) {
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
    for (i, server) in document.value.get("servers").and_then(Value::as_array).into_iter().flatten().enumerate() {
        if server.get("x-environment").is_none() {
            missing(
                &step("/servers", &i.to_string()),
                "the server has no environment".to_owned(),
                "add `x-environment: production`, `demo`, ...",
            );
        }
    }
    let schemes = if document.kind == Kind::OpenRpc { "/x-security-schemes" } else { "/components/securitySchemes" };
    for (name, scheme) in document.value.pointer(schemes).and_then(Value::as_object).into_iter().flatten() {
        if scheme.get("x-credential").is_none() {
            missing(
                &step(schemes, name),
                format!("the security scheme `{name}` belongs to no credential"),
                "add `x-credential`",
            );
        }
    }
}
