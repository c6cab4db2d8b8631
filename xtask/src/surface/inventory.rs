//! What an inventory says: a list of operations or channels that was read off a vendor's package or pages. It is turned into OpenAPI
//! or OpenRPC, whose readers do the rest; inventories of channels are in `stream_inventory`.

use serde_json::{Map, Value, json};

use super::tree::Tree;
use super::words::{self, Word};
use super::{Form, Surface, openapi, openrpc};
use crate::model::{members, text};

/// Members that describe a type and are no members of an object.
const DESCRIBES: [&str; 36] = [
    "type",
    "required",
    "nullable",
    "note",
    "notes",
    "description",
    "enum",
    "values",
    "fields",
    "properties",
    "items",
    "ref",
    "schema",
    "format",
    "unit",
    "money",
    "optional",
    "default",
    "scalar",
    "name",
    "alias",
    "in",
    "deprecated",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
    "oneOf",
    "additionalProperties",
    "additional",
    "nullable_source",
    "source",
    "kind",
    "map_of",
    "tag",
];

/// Words for what has no name: a bare list, or one of several shapes of the same response.
const UNNAMED: [&str; 4] = ["", "docs_shape", "live_shape", "_item_first_gen"];

/// The surface of the calls of an inventory.
pub fn calls(document: &Value) -> Surface {
    let title = title(document);
    // Schemas that are JSON Schema already stay what they are.
    let is_schema = document.get("schemas").is_some_and(mentions_reference);
    let own = |node: &Value| if is_schema { node.clone() } else { schema(node) };
    let schemas: Map<String, Value> =
        members(document, "schemas").map(|(name, node)| (name.clone(), own(node))).collect();
    let parameters: Map<String, Value> =
        members(document, "parameters").map(|(name, node)| (name.clone(), node.clone())).collect();
    let components = json!({ "schemas": schemas, "parameters": parameters });
    if let Some(methods) = document.get("methods").and_then(Value::as_array) {
        let methods: Vec<Value> = methods.iter().map(method).collect();
        let made =
            json!({ "openrpc": "1.3.0", "info": { "title": title }, "methods": methods, "components": components });
        return openrpc::surface(&Tree::of(made));
    }
    let mut paths: Map<String, Value> = Map::new();
    let operations = document.get("operations").and_then(Value::as_array).into_iter().flatten();
    for operation in operations {
        let (Some(verb), Some(path)) = (text(operation, "method"), text(operation, "path")) else { continue };
        let item = paths.entry(path).or_insert_with(|| json!({}));
        let is_earlier = !matches!(text(operation, "status"), None | Some("canonical"));
        let verb = verb.to_lowercase();
        // Where one is listed twice, that of today counts.
        if is_earlier && item.get(&verb).is_some() {
            continue;
        }
        item[&verb] = rest(operation);
        item[&verb]["x-earlier"] = json!(is_earlier);
    }
    let url = text(document, "base_url").or_else(|| document.pointer("/servers/0")?.as_str()).unwrap_or_default();
    let mut made =
        json!({ "openapi": "3.0.3", "info": { "title": title }, "servers": [{ "url": url }], "paths": paths });
    made["components"] = components;
    openapi::surface(&Tree::of(made), false)
}

/// Which form an inventory has, if it is one.
pub fn form(document: &Value) -> Option<Form> {
    let has = |list: &Value, name: &str| {
        list.as_array().and_then(|all| all.first()).is_some_and(|one| one.get(name).is_some())
    };
    if has(document, "channel") {
        return Some(Form::StreamInventory);
    }
    let is_of = |list: &str, name: &str| document.get(list).is_some_and(|list| has(list, name));
    (is_of("operations", "path") || is_of("methods", "method")).then_some(Form::Inventory)
}

pub(super) fn title(document: &Value) -> String {
    text(document, "source").or_else(|| text(document, "venue")).unwrap_or_default().to_owned()
}

fn mentions_reference(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.contains_key("$ref") || map.values().any(mentions_reference),
        Value::Array(items) => items.iter().any(mentions_reference),
        _ => false,
    }
}

fn method(method: &Value) -> Value {
    let params = method.get("params").and_then(Value::as_array).into_iter().flatten();
    let params: Vec<Value> = params
        .map(|one| json!({ "name": one.get("name"), "required": one.get("required") == Some(&json!(true)), "schema": schema(one) }))
        .collect();
    let mut made = json!({ "name": method.get("method"), "params": params });
    made["deprecated"] = method.get("deprecated").cloned().unwrap_or_default();
    if let Some(result) = method.get("result").filter(|result| result.is_object()) {
        made["result"] = json!({ "name": "result", "schema": schema(result) });
    }
    made
}

fn rest(operation: &Value) -> Value {
    let params = operation.get("params").and_then(Value::as_array).into_iter().flatten();
    let params: Vec<Value> = params.map(parameter).collect();
    let mut made = json!({ "operationId": operation.get("operation_id"), "parameters": params });
    made["deprecated"] = operation.get("deprecated").cloned().unwrap_or_default();
    made["description"] = operation.get("note").cloned().unwrap_or_default();
    if let Some(auth) = text(operation, "auth") {
        made["security"] = if matches!(auth, "none" | "public") { json!([]) } else { json!([{ "key": [] }]) };
    }
    let content = |schema: Value| json!({ "content": { "application/json": { "schema": schema } } });
    let named = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    match (text(operation, "request_schema"), operation.get("request_fields")) {
        (Some(name), _) => made["requestBody"] = content(named(name)),
        (None, Some(Value::Object(fields))) if !fields.is_empty() => {
            made["requestBody"] = content(object(&Value::Object(fields.clone())));
        }
        _ => {}
    }
    let mut responses = Map::new();
    for (status, name) in members(operation, "responses") {
        responses.insert(status.clone(), name.as_str().map_or_else(|| json!({}), |name| content(named(name))));
    }
    if let Some(fields) =
        operation.get("response_fields").filter(|fields| fields.as_object().is_some_and(|all| !all.is_empty()))
    {
        let whole = object(fields);
        let is_list = text(operation, "response_type") == Some("array");
        // The status is not said: any good one.
        responses.insert(
            "2XX".to_owned(),
            content(if is_list { json!({ "type": "array", "items": whole }) } else { whole }),
        );
    }
    made["responses"] = responses.into();
    made
}

fn parameter(parameter: &Value) -> Value {
    if parameter.get("$ref").is_some() || parameter.get("schema").is_some_and(Value::is_object) {
        return parameter.clone();
    }
    json!({
        "name": parameter.get("name"),
        "in": parameter.get("in").and_then(Value::as_str).unwrap_or("query"),
        "required": parameter.get("required") == Some(&json!(true)),
        "deprecated": parameter.get("deprecated") == Some(&json!(true)),
        "description": parameter.get("note"),
        "schema": schema(parameter),
    })
}

/// An object of fields that stand in a mapping by their names.
fn object(fields: &Value) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    let mut shapes = Vec::new();
    let listed = fields.as_array().into_iter().flatten().filter_map(|one| Some((text(one, "name")?.to_owned(), one)));
    let mapped = fields.as_object().into_iter().flatten().map(|(name, one)| (name.clone(), one));
    for (name, node) in listed.chain(mapped) {
        let name = name.split('[').next().unwrap_or_default().trim_end_matches(['?', '*']).to_owned();
        let one = schema(node);
        if UNNAMED.contains(&name.as_str()) {
            shapes.push(one.get("items").cloned().unwrap_or(one));
            continue;
        }
        let must = node.get("required") == Some(&json!(true)) || node.get("optional") == Some(&json!(false));
        if must {
            required.push(name.clone());
        }
        properties.insert(name, one);
    }
    let made = json!({ "type": "object", "properties": properties, "required": required });
    if shapes.is_empty() {
        return made;
    }
    if !properties.is_empty() {
        shapes.push(made);
    }
    json!({ "oneOf": shapes })
}

/// A node as JSON Schema.
pub(super) fn schema(node: &Value) -> Value {
    match node {
        Value::String(word) => of_word(word),
        Value::Array(items) => {
            json!({ "type": "array", "items": items.first().map(schema).unwrap_or_else(|| json!({})) })
        }
        Value::Object(map) if is_described(map) => described(node),
        Value::Object(_) => object(node),
        _ => json!({}),
    }
}

/// Whether a mapping describes a type; otherwise it lists members. A member called `type` has a type itself, or stands beside others
/// that have one.
fn is_described(map: &Map<String, Value>) -> bool {
    let says = ["fields", "properties", "items", "ref", "oneOf", "enum", "values", "note"]
        .iter()
        .any(|word| map.contains_key(*word));
    let named = ["type", "kind"].iter().any(|word| map.get(*word).is_some_and(Value::is_string));
    let is_member = |(name, value): (&String, &Value)| {
        let holds = ["fields", "properties", "items", "schema", "additional", "additionalProperties", "default"];
        let is_word = value.as_str().is_some_and(|word| !matches!(words::read(word).0, Word::Named(_)));
        !holds.contains(&name.as_str()) && (value.is_object() || is_word && !DESCRIBES.contains(&name.as_str()))
    };
    (says || named || map.is_empty()) && !map.iter().any(is_member)
}

fn described(node: &Value) -> Value {
    let mut made = match (text(node, "ref"), node.get("oneOf").and_then(Value::as_array)) {
        (Some(name), _) => {
            let to = json!({ "$ref": format!("#/components/schemas/{name}") });
            around(text(node, "type").unwrap_or_default(), &to)
        }
        (None, Some(ways)) => json!({ "oneOf": ways.iter().map(schema).collect::<Vec<_>>() }),
        (None, None) => text(node, "type").map_or_else(|| json!({}), of_word),
    };
    let fields = node.get("fields").or_else(|| node.get("properties"));
    let fields = fields.filter(|fields| fields.as_object().is_some_and(|all| !all.is_empty()) || fields.is_array());
    if let Some(fields) = fields {
        let whole = object(fields);
        // A list whose records are described at once.
        made = if text(node, "type") == Some("array") { json!({ "type": "array", "items": whole }) } else { whole };
    }
    match node.get("items") {
        Some(Value::Array(elements)) => {
            made["x-tuple"] = elements.iter().map(schema).collect();
        }
        Some(items) if !items.is_null() => made["items"] = schema(items),
        _ => {}
    }
    for word in ["additional", "additionalProperties"] {
        match node.get(word) {
            Some(entries @ Value::Object(_)) => made["additionalProperties"] = schema(entries),
            Some(Value::Bool(true)) => made["additionalProperties"] = json!(true),
            _ => {}
        }
    }
    if let Some(values) = node.get("enum").or_else(|| node.get("values")).filter(|values| values.is_array()) {
        let target = if made.get("items").is_some() { &mut made["items"] } else { &mut made };
        if target.get("$ref").is_none() {
            target["enum"] = values.clone();
        }
    }
    let same = ["format", "default", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "pattern"];
    let is_list = text(&made, "type") == Some("array");
    let (least, most) = if is_list { ("minItems", "maxItems") } else { ("minimum", "maximum") };
    let named = [("note", "description"), ("min", least), ("max", most)];
    for (from, to) in named.into_iter().chain(same.map(|name| (name, name))).chain([("description", "description")]) {
        if let Some(value) = node.get(from).filter(|value| !value.is_null()) {
            made[to] = value.clone();
        }
    }
    if node.get("nullable") == Some(&json!(true)) {
        made["nullable"] = json!(true);
    }
    if node.get("deprecated") == Some(&json!(true)) {
        made["deprecated"] = json!(true);
    }
    made
}

/// The lists and maps that a word puts around the schema that it names.
fn around(word: &str, inner: &Value) -> Value {
    fn wrap(word: &Word, inner: &Value) -> Value {
        match word {
            Word::List(items) => json!({ "type": "array", "items": wrap(items, inner) }),
            Word::Map(entries) => json!({ "type": "object", "additionalProperties": wrap(entries, inner) }),
            _ => inner.clone(),
        }
    }
    wrap(&words::read(word).0, inner)
}

fn of_word(word: &str) -> Value {
    fn make(word: &Word) -> Value {
        match word {
            Word::List(items) => json!({ "type": "array", "items": make(items) }),
            Word::Map(entries) => json!({ "type": "object", "additionalProperties": make(entries) }),
            Word::Named(_) => json!({}),
            Word::Plain(kinds, format) => {
                let mut made = match kinds.names().collect::<Vec<_>>().as_slice() {
                    [] => json!({}),
                    [one] => json!({ "type": one }),
                    several => json!({ "type": several }),
                };
                if let Some(format) = format {
                    made["format"] = json!(format);
                }
                made
            }
        }
    }
    let (word, nullable) = words::read(word);
    let mut made = make(&word);
    if nullable {
        made["nullable"] = json!(true);
    }
    made
}
