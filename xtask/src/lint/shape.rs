//! Which members an object has and what each of them holds: a misspelt member is ignored by every tool there is.

use serde_json::Value;

use self::Holds::{Any, Count, Flag, FlagOrMap, FlagOrNumber, List, Map, Number, Text, Texts, TextsOrText};
use crate::document::{Document, Kind, STREAMS};
use crate::finding::Finding;
use crate::model::{members, operations, walk_schema};
use crate::source::step;
use crate::streams;

#[derive(Clone, Copy)]
enum Holds {
    Any,
    Count,
    Flag,
    FlagOrMap,
    FlagOrNumber,
    List,
    Map,
    Number,
    Text,
    Texts,
    TextsOrText,
}

type Members = &'static [(&'static str, Holds)];

const OPENAPI: Members = &[
    ("openapi", Any),
    ("info", Map),
    ("servers", List),
    ("tags", List),
    ("paths", Map),
    ("components", Map),
    ("security", List),
    ("externalDocs", Any),
];
const OPENRPC: Members = &[
    ("openrpc", Any),
    ("info", Map),
    ("servers", List),
    ("tags", List),
    ("methods", List),
    ("components", Map),
    ("externalDocs", Any),
];
const INFO: Members = &[
    ("title", Text),
    ("version", Any),
    ("description", Text),
    ("termsOfService", Text),
    ("contact", Map),
    ("license", Map),
];
const SERVER: Members = &[("url", Text), ("description", Text), ("name", Text)];
const TAG: Members = &[("name", Text), ("description", Text), ("externalDocs", Any)];
const COMPONENTS: Members = &[("schemas", Map), ("parameters", Map), ("responses", Map), ("securitySchemes", Map)];
const SCHEME: Members = &[
    ("type", Text),
    ("description", Text),
    ("in", Text),
    ("name", Text),
    ("scheme", Text),
    ("bearerFormat", Text),
    ("flows", Any),
    ("openIdConnectUrl", Text),
];
const PATH: Members = &[
    ("summary", Text),
    ("description", Text),
    ("parameters", List),
    ("get", Map),
    ("put", Map),
    ("post", Map),
    ("delete", Map),
    ("options", Map),
    ("head", Map),
    ("patch", Map),
    ("trace", Map),
];
const OPERATION: Members = &[
    ("operationId", Text),
    ("summary", Text),
    ("description", Text),
    ("tags", Texts),
    ("deprecated", Flag),
    ("parameters", List),
    ("requestBody", Map),
    ("responses", Map),
    ("callbacks", Any),
    ("security", List),
    ("externalDocs", Any),
];
const METHOD: Members = &[
    ("name", Text),
    ("summary", Text),
    ("description", Text),
    ("tags", List),
    ("deprecated", Flag),
    ("paramStructure", Text),
    ("params", List),
    ("result", Map),
    ("externalDocs", Any),
];
const PARAMETER: Members = &[
    ("name", Text),
    ("in", Text),
    ("description", Text),
    ("required", Flag),
    ("deprecated", Flag),
    ("style", Text),
    ("explode", Flag),
    ("schema", Any),
    ("content", Any),
    ("example", Any),
    ("examples", Any),
];
const PARAM: Members = &[
    ("name", Text),
    ("summary", Text),
    ("description", Text),
    ("required", Flag),
    ("deprecated", Flag),
    ("schema", Any),
];
const BODY: Members = &[("description", Text), ("required", Flag), ("content", Map)];
const RESPONSE: Members = &[("description", Text), ("headers", Any), ("content", Map)];
const RESULT: Members = &[("name", Text), ("summary", Text), ("description", Text), ("schema", Any)];
const MEDIA: Members = &[("schema", Any), ("example", Any), ("examples", Any), ("encoding", Any)];
const STREAMS_ROOT: Members = &[
    ("asyncapi", Text),
    ("info", Map),
    ("defaultContentType", Text),
    ("servers", Map),
    ("channels", Map),
    ("messages", Map),
];
const STREAM_SERVER: Members = &[
    ("host", Text),
    ("pathname", Text),
    ("protocol", Text),
    ("title", Text),
    ("summary", Text),
    ("description", Text),
];
const CHANNEL: Members = &[
    ("address", Text),
    ("title", Text),
    ("summary", Text),
    ("description", Text),
    ("parameters", Map),
    ("messages", Map),
];
const ADDRESS_PARAMETER: Members = &[("description", Text), ("enum", Texts), ("examples", Texts)];
const COMMAND_PARAMETER: Members = &[
    ("description", Text),
    ("schema", Map),
    ("required", Flag),
    ("alias-of", Text),
    ("fixed", Any),
    ("of-connection", Flag),
];
const MESSAGE: Members = &[("name", Text), ("title", Text), ("summary", Text), ("description", Text), ("payload", Map)];
const SCHEMA: Members = &[
    ("type", TextsOrText),
    ("title", Text),
    ("description", Text),
    ("format", Text),
    ("pattern", Text),
    ("enum", List),
    ("properties", Map),
    ("required", Texts),
    ("additionalProperties", FlagOrMap),
    ("items", Any),
    ("allOf", List),
    ("oneOf", List),
    ("nullable", Flag),
    ("deprecated", Flag),
    ("readOnly", Flag),
    ("writeOnly", Flag),
    ("uniqueItems", Flag),
    ("minimum", Number),
    ("maximum", Number),
    ("multipleOf", Number),
    ("minLength", Count),
    ("maxLength", Count),
    ("minItems", Count),
    ("maxItems", Count),
    ("minProperties", Count),
    ("maxProperties", Count),
    ("exclusiveMinimum", FlagOrNumber),
    ("exclusiveMaximum", FlagOrNumber),
    ("example", Any),
    ("examples", Any),
    ("externalDocs", Any),
    // These have rules of their own.
    ("anyOf", Any),
    ("const", Any),
    ("default", Any),
    ("discriminator", Any),
    ("if", Any),
    ("not", Any),
    ("patternProperties", Any),
];

pub fn check(document: &Document, findings: &mut Vec<Finding>) {
    let mut shape = Shape { document, findings };
    let root = &document.value;
    let (known, list) = match document.kind {
        Kind::OpenApi => (OPENAPI, "paths"),
        Kind::OpenRpc => (OPENRPC, "methods"),
    };
    shape.object("", root, known, &["info", list]);
    shape.maybe("", root, "info", INFO, &[]);
    shape.each("", root, "servers", SERVER, &["url"]);
    shape.each("", root, "tags", TAG, &["name"]);
    shape.maybe("", root, "components", COMPONENTS, &[]);
    shape.each("", root, "x-security-schemes", SCHEME, &[]);
    shape.requirements("", root);
    let components = root.get("components").unwrap_or(&Value::Null);
    shape.each("/components", components, "securitySchemes", SCHEME, &[]);
    shape.each("/components", components, "parameters", shape.parameter(), &[]);
    for (name, response) in members(components, "responses") {
        shape.response(&step("/components/responses", name), response);
    }
    for (name, schema) in members(components, "schemas") {
        shape.schema(&step("/components/schemas", name), schema);
    }
    shape.each("", root, "paths", PATH, &[]);
    for (path, item) in members(root, "paths") {
        shape.each(&step("/paths", path), item, "parameters", PARAMETER, &[]);
    }
    shape.each("", root, "methods", METHOD, &["name", "result"]);
    shape.streams();
    for operation in operations(document) {
        shape.operation(&operation.pointer, operation.value);
        for (at, schema) in operation.request_schemas(document) {
            shape.schema(&at, schema);
        }
    }
}

struct Shape<'a> {
    document: &'a Document,
    findings: &'a mut Vec<Finding>,
}

impl Shape<'_> {
    fn fail(&mut self, rule: &'static str, at: &str, message: String, help: &str) {
        self.findings.push(self.document.finding(rule, at, message, help));
    }

    fn parameter(&self) -> Members {
        if self.document.kind == Kind::OpenApi { PARAMETER } else { PARAM }
    }

    fn operation(&mut self, at: &str, operation: &Value) {
        self.requirements(at, operation);
        if self.document.kind == Kind::OpenRpc {
            self.each(at, operation, "params", PARAM, &[]);
            self.maybe(at, operation, "result", RESULT, &[]);
            if let Some(schema) = operation.pointer("/result/schema") {
                self.schema(&format!("{at}/result/schema"), schema);
            }
            if operation.get("paramStructure").is_some_and(|by| by != "by-name") {
                let help = "only params by name are generated: say `paramStructure: by-name`, or nothing";
                self.fail("param-structure", at, "the params are not by name".to_owned(), help);
            }
            return;
        }
        self.object(at, operation, OPERATION, &["responses"]);
        self.each(at, operation, "parameters", PARAMETER, &[]);
        self.maybe(at, operation, "requestBody", BODY, &["content"]);
        if let Some(body) = operation.get("requestBody") {
            self.each(&step(at, "requestBody"), body, "content", MEDIA, &[]);
        }
        for (status, response) in members(operation, "responses") {
            self.response(&step(&step(at, "responses"), status), response);
        }
    }

    fn streams(&mut self) {
        let document = self.document;
        let (root, at) = (streams::root(document), format!("/{STREAMS}"));
        if root.is_null() {
            return;
        }
        self.object(&at, root, STREAMS_ROOT, &["asyncapi", "info", "servers", "channels"]);
        self.maybe(&at, root, "info", INFO, &["title", "version"]);
        self.each(&at, root, "servers", STREAM_SERVER, &["host", "pathname", "protocol"]);
        self.each(&at, root, "channels", CHANNEL, &["address", "description", "messages"]);
        self.each(&at, root, "messages", MESSAGE, &["payload"]);
        for channel in streams::channels(document) {
            self.each(&channel.pointer, channel.value, "parameters", ADDRESS_PARAMETER, &["description"]);
            self.each(&channel.pointer, channel.value, "x-parameters", COMMAND_PARAMETER, &["description", "schema"]);
            for parameter in channel.parameters() {
                if let Some(schema) = parameter.schema() {
                    self.schema(&parameter.schema_pointer(), schema);
                }
            }
        }
    }

    fn response(&mut self, at: &str, response: &Value) {
        if response.get("$ref").is_some() {
            return;
        }
        self.object(at, response, RESPONSE, &[]);
        self.each(at, response, "content", MEDIA, &[]);
        for (media, content) in members(response, "content") {
            if let Some(schema) = content.get("schema") {
                self.schema(&step(&step(&step(at, "content"), media), "schema"), schema);
            }
        }
    }

    fn schema(&mut self, at: &str, schema: &Value) {
        walk_schema(at, schema, &mut |at, inner| {
            if inner.is_object() && inner.get("$ref").is_none() {
                self.object(at, inner, SCHEMA, &[]);
            }
            // What a venue takes beyond its documentation is a schema too, by which requests are checked.
            if let Some(also) = inner.get("x-also") {
                walk_schema(&step(at, "x-also"), also, &mut |at, inner| {
                    if inner.get("$ref").is_none() {
                        self.object(at, inner, SCHEMA, &[]);
                    }
                });
            }
        });
    }

    /// Who may call: a mistake here would send a request unsigned.
    fn requirements(&mut self, at: &str, holder: &Value) {
        for key in ["security", "x-security"] {
            for (i, requirement) in holder.get(key).and_then(Value::as_array).into_iter().flatten().enumerate() {
                let scopes = |map: &serde_json::Map<String, Value>| map.values().all(Value::is_array);
                if !requirement.as_object().is_some_and(scopes) {
                    let at = step(&step(at, key), &i.to_string());
                    let help = "each requirement is a mapping from schemes to lists: `- { apiKey: [] }`";
                    self.fail("shape", &at, "the requirement is no mapping of lists".to_owned(), help);
                }
            }
        }
    }

    /// A member that is an object, where there is one.
    fn maybe(&mut self, at: &str, holder: &Value, key: &str, known: Members, needed: &[&str]) {
        if let Some(value) = holder.get(key).filter(|value| value.is_object()) {
            self.object(&step(at, key), value, known, needed);
        }
    }

    /// The objects in a member that is a list or a mapping of them.
    fn each(&mut self, at: &str, holder: &Value, key: &str, known: Members, needed: &[&str]) {
        let at = step(at, key);
        match holder.get(key) {
            Some(Value::Array(items)) => {
                for (i, item) in items.iter().enumerate() {
                    self.unless_ref(&step(&at, &i.to_string()), item, known, needed);
                }
            }
            Some(Value::Object(map)) => {
                for (name, item) in map {
                    self.unless_ref(&step(&at, name), item, known, needed);
                }
            }
            _ => {}
        }
    }

    /// References are checked where their targets are; a path or a method that still is one leads to nothing.
    fn unless_ref(&mut self, at: &str, item: &Value, known: Members, needed: &[&str]) {
        let is_parameter = known.iter().any(|(key, _)| *key == "schema");
        if !(is_parameter && item.get("$ref").is_some()) {
            self.object(at, item, known, needed);
        }
    }

    fn object(&mut self, at: &str, value: &Value, known: Members, needed: &[&str]) {
        let Some(map) = value.as_object() else {
            return self.fail("shape", at, "this is no mapping".to_owned(), "specs/README.md shows what stands here");
        };
        for key in needed.iter().filter(|key| !map.contains_key(**key)) {
            self.fail("missing-member", at, format!("`{key}` is missing"), "add it");
        }
        for (key, value) in map.iter().filter(|(key, _)| !key.starts_with("x-")) {
            let at = step(at, key);
            match known.iter().find(|(name, _)| name == key) {
                None => {
                    let help = "correct the name; what is ours begins with `x-`, what is not supported stays out";
                    self.fail("unknown-member", &at, format!("`{key}` means nothing here"), help);
                }
                Some((_, holds)) => {
                    if let Some(wanted) = holds.refuses(value) {
                        self.fail("shape", &at, format!("`{key}` is not {wanted}"), "quote a text, indent a mapping");
                    }
                }
            }
        }
    }
}

impl Holds {
    /// What should have been there.
    fn refuses(self, value: &Value) -> Option<&'static str> {
        let texts = |value: &Value| value.as_array().is_some_and(|items| items.iter().all(Value::is_string));
        let (good, wanted) = match self {
            Any => (true, ""),
            Count => (value.is_u64(), "a whole number, 0 or more"),
            Flag => (value.is_boolean(), "`true` or `false`"),
            FlagOrMap => (value.is_boolean() || value.is_object(), "a mapping, `true` or `false`"),
            FlagOrNumber => (value.is_boolean() || value.is_number(), "a number, `true` or `false`"),
            List => (value.is_array(), "a list"),
            Map => (value.is_object(), "a mapping"),
            Number => (value.is_number(), "a number"),
            Text => (value.is_string(), "a text"),
            Texts => (texts(value), "a list of texts"),
            TextsOrText => (value.is_string() || texts(value), "a text, or a list of texts"),
        };
        (!good).then_some(wanted)
    }
}
