//! What our own spec says.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::build::{Builder, plain};
use super::{Channel, Field, Message, Notation, Operation, Parameter, Surface, key, openapi, ratio};
use crate::document::{Document, Kind};
use crate::model::{self, text};
use crate::source::step;
use crate::streams;

/// Members of an operation that are compared by rules of their own, or that say nothing to a program.
const ELSEWHERE: [&str; 13] = [
    "operationId",
    "name",
    "parameters",
    "params",
    "requestBody",
    "responses",
    "result",
    "errors",
    "description",
    "summary",
    "tags",
    "deprecated",
    "paramStructure",
];

/// Members of a root document that are.
const ROOT_ELSEWHERE: [&str; 10] = [
    "openapi",
    "openrpc",
    "paths",
    "methods",
    "tags",
    "x-streams",
    "components",
    "security",
    "x-security",
    "x-security-schemes",
];

/// Members of a channel that are.
const CHANNEL_ELSEWHERE: [&str; 6] = ["address", "description", "title", "parameters", "x-parameters", "messages"];

/// Members of a parameter of an operation that are; the two reasons tell only lint something.
const PARAMETER_ELSEWHERE: [&str; 15] = [
    "name",
    "in",
    "description",
    "summary",
    "required",
    "deprecated",
    "style",
    "explode",
    "schema",
    "content",
    "example",
    "examples",
    "x-name",
    "x-not-id",
    "x-not-secret",
];

/// Members of a parameter of a channel that are.
const CHANNEL_PARAMETER_ELSEWHERE: [&str; 8] =
    ["description", "schema", "x-schema", "enum", "examples", "required", "fixed", "title"];

/// Members of a message that are.
const MESSAGE_ELSEWHERE: [&str; 6] = ["name", "title", "summary", "description", "payload", "x-when"];

/// The surface of a joined spec.
pub fn surface(document: &Document) -> Surface {
    let order = |pointer: &str| {
        let place = document.locate(pointer);
        Some((place.line, place.column))
    };
    let mut builder = Builder::new(&document.value, &order);
    let mut made = Surface { title: openapi::title(&document.value), knows_access: true, ..Surface::default() };
    for operation in model::operations(document) {
        let (name, made_of) = one(document, &operation, &mut builder);
        made.operations.insert(name, made_of);
    }
    for channel in streams::channels(document) {
        let made_of = one_channel(document, &channel, &mut builder);
        made.channels.insert(made_of.key(), made_of);
    }
    made.types = builder.types;
    made.prefixes = model::servers(document).filter_map(|server| prefix(text(server, "url")?)).collect();
    made.facts = facts(&document.value, &ROOT_ELSEWHERE);
    if let Some(schemes) = document.value.pointer(model::schemes_at(document)) {
        let headers = schemes.as_object().into_iter().flatten().filter_map(|(_, scheme)| text(scheme, "name"));
        made.credential_headers = headers.map(str::to_lowercase).collect();
        made.facts.insert("security schemes".to_owned(), schemes.clone());
    }
    let mut adds = BTreeSet::new();
    if let Some(signatures) = document.value.get("x-signatures") {
        added(signatures, &mut adds);
    }
    made.credential_parameters = adds;
    if let Some(streams) = document.value.get("x-streams") {
        let own = facts(streams, &["asyncapi", "channels", "messages", "defaultContentType", "info"]);
        made.facts.extend(own.into_iter().map(|(name, value)| (format!("streams: {name}"), value)));
    }
    made
}

/// The names of the parameters that signatures add.
fn added(value: &Value, names: &mut BTreeSet<String>) {
    for (key, inner) in value.as_object().into_iter().flatten() {
        match inner.as_array().filter(|_| key == "adds") {
            Some(all) => names.extend(all.iter().filter_map(Value::as_object).flatten().map(|(name, _)| name.clone())),
            None => added(inner, names),
        }
    }
    value.as_array().into_iter().flatten().for_each(|inner| added(inner, names));
}

/// The path of a server's URL, where it has one.
pub fn prefix(url: &str) -> Option<String> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = &rest[rest.find('/')?..];
    let path = path.trim_end_matches('/');
    (!path.is_empty()).then(|| path.to_owned())
}

fn facts(value: &Value, elsewhere: &[&str]) -> BTreeMap<String, Value> {
    let all = value.as_object().into_iter().flatten();
    all.filter(|(name, _)| !elsewhere.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn one<'a>(document: &'a Document, operation: &model::Operation<'a>, builder: &mut Builder<'a>) -> (String, Operation) {
    let is_rpc = document.kind == Kind::OpenRpc;
    let mut made = Operation {
        name: text(operation.value, if is_rpc { "name" } else { "operationId" }).unwrap_or_default().to_owned(),
        at: operation.pointer.clone(),
        deprecated: operation.value.get("deprecated") == Some(&Value::Bool(true)),
        description: text(operation.value, "description").unwrap_or_default().to_owned(),
        ..Operation::default()
    };
    made.call = if is_rpc { made.name.clone() } else { format!("{} {}", operation.method, operation.path) };
    for (at, parameter) in operation.parameters(document) {
        let Some(name) = text(parameter, "name") else { continue };
        let (below, schema) = model::parameter_schema(parameter).unwrap_or(("/schema", &Value::Null));
        let field = Field {
            name: name.to_owned(),
            value: builder.schema(schema, &format!("{at}{below}")),
            required: parameter.get("required") == Some(&Value::Bool(true)),
            position: 0.0,
            description: text(parameter, "description").unwrap_or_default().to_owned(),
            deprecated: parameter.get("deprecated") == Some(&Value::Bool(true)),
            default: schema.get("default").map(plain),
            rust_name: text(parameter, "x-name").map(str::to_owned),
            at,
        };
        let place = if is_rpc { "param" } else { text(parameter, "in").unwrap_or("query") };
        made.parameters.push(Parameter {
            field,
            place: place.to_owned(),
            notation: Notation::of(parameter),
            facts: facts(parameter, &PARAMETER_ELSEWHERE),
        });
    }
    let last = made.parameters.len().saturating_sub(1).max(1);
    for (index, parameter) in made.parameters.iter_mut().enumerate() {
        parameter.field.position = ratio(index, last);
    }
    made.form = operation.is_form();
    if let Some((at, media)) = operation.request_media().into_iter().next()
        && let Some(schema) = media.get("schema")
    {
        made.body = Some(builder.schema(schema, &step(&at, "schema")));
    }
    if let Some((at, schema)) = operation.result_schema(document) {
        made.result = Some(builder.schema(schema, &at));
    }
    for (at, status, response) in operation.responses() {
        if status.starts_with('2') {
            made.success = Some(status.to_owned());
        } else if made.error.is_none()
            && let Some(schema) = response.pointer("/content/application~1json/schema")
        {
            made.error = Some(builder.schema(schema, &format!("{at}/content/application~1json/schema")));
        }
    }
    made.facts = facts(operation.value, &ELSEWHERE);
    let security = if is_rpc { "x-security" } else { "security" };
    let requirement = operation.value.get(security).or_else(|| document.value.get(security));
    made.facts.remove(security);
    if let Some(requirement) = requirement {
        made.facts.insert("security".to_owned(), requirement.clone());
    }
    made.signed = requirement.and_then(Value::as_array).map(|ways| needs_credential(ways));
    let key = if is_rpc { made.name.clone() } else { key(&operation.method, &operation.path) };
    (key, made)
}

/// Whether there is no way without a credential.
pub fn needs_credential(ways: &[Value]) -> bool {
    let is_free = |way: &Value| way.as_object().is_some_and(Map::is_empty);
    !ways.is_empty() && !ways.iter().any(is_free)
}

fn one_channel<'a>(document: &'a Document, channel: &streams::Channel<'a>, builder: &mut Builder<'a>) -> Channel {
    let mut made = Channel {
        id: channel.id.to_owned(),
        at: channel.pointer.clone(),
        address: channel.address().to_owned(),
        endpoints: text(channel.value, "x-endpoint").map(str::to_owned).into_iter().collect(),
        description: text(channel.value, "description").unwrap_or_default().to_owned(),
        facts: facts(channel.value, &CHANNEL_ELSEWHERE),
        ..Channel::default()
    };
    for parameter in channel.parameters() {
        let schema = parameter.schema();
        let value = match schema {
            Some(schema) => builder.schema(schema, &parameter.schema_pointer()),
            // An address parameter with a list of values is written like an enum.
            None => builder.schema(parameter.value, &parameter.pointer),
        };
        let field = Field {
            name: parameter.name.to_owned(),
            value,
            required: parameter.is_required(),
            position: 0.0,
            description: text(parameter.value, "description").unwrap_or_default().to_owned(),
            deprecated: false,
            default: parameter.fixed().map(plain),
            rust_name: None,
            at: parameter.pointer.clone(),
        };
        let place = if parameter.place == streams::Place::Address { "address" } else { "command" };
        made.parameters.push(Parameter {
            field,
            place: place.to_owned(),
            notation: None,
            facts: facts(parameter.value, &CHANNEL_PARAMETER_ELSEWHERE),
        });
    }
    let in_list = channel.value.get("x-list") == Some(&Value::Bool(true));
    for message in channel.messages(document) {
        let Some(payload) = message.payload() else { continue };
        made.messages.push(Message {
            name: message.kind().to_owned(),
            when: message.when().map(|(at, equals)| (at.to_owned(), equals.to_owned())),
            payload: builder.schema(payload, &step(&message.pointer, "payload")),
            in_list,
            facts: facts(message.value, &MESSAGE_ELSEWHERE),
        });
    }
    made
}
