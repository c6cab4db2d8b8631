//! Specs with random mistakes: small parts of the real ones, broken in ways that authors and tools break them.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::document::{Document, Kind};
use crate::model::{operations, text};
use crate::source::{step, unescaped};

/// One change: what to do, where, and with what. Each number is taken modulo how many choices there are.
pub type Mutation = (u8, u16, u16);

/// A document with only some operations and what they are made of.
pub fn part(document: &Document, picks: &[u16]) -> Document {
    let all = operations(document);
    let kept: BTreeSet<&str> = picks.iter().map(|pick| all[usize::from(*pick) % all.len()].pointer.as_str()).collect();
    let mut value = document.value.clone();
    match document.kind {
        Kind::OpenApi => {
            // The logins of streams and of connections for calls name these.
            let mut named = BTreeSet::new();
            let logon = value.pointer("/x-websocket/commands/logon/operation").and_then(Value::as_str);
            named.extend(logon.map(str::to_owned));
            if let Some(logins) = value.pointer_mut("/x-streams/x-login") {
                each(logins, &mut |inner| named.extend(inner.as_str().map(str::to_owned)));
            }
            for (path, item) in value["paths"].as_object_mut().into_iter().flatten() {
                let item_pointer = step("/paths", path);
                if let Value::Object(item) = item {
                    item.retain(|key, value| {
                        let is_named = || text(value, "operationId").is_some_and(|name| named.contains(name));
                        key == "parameters" || kept.contains(step(&item_pointer, key).as_str()) || is_named()
                    });
                }
            }
            if let Value::Object(paths) = &mut value["paths"] {
                paths.retain(|_, item| item.as_object().is_some_and(|item| item.keys().any(|key| key != "parameters")));
            }
        }
        Kind::OpenRpc => {
            let methods = value["methods"].as_array().cloned().unwrap_or_default();
            // The root names these itself.
            let heartbeat = value["x-websocket"]["heartbeat"].clone();
            let calls = &value["x-streams"]["x-dialect"]["calls"];
            let subscribing =
                ["subscribe", "unsubscribe"].map(|key| calls[key].as_array().cloned().unwrap_or_default());
            let mut named: BTreeSet<&str> = ["answer", "set"].iter().filter_map(|key| text(&heartbeat, key)).collect();
            named.extend(subscribing.iter().flatten().filter_map(Value::as_str));
            let kept = methods.into_iter().enumerate().filter(|(i, method)| {
                kept.contains(format!("/methods/{i}").as_str())
                    || text(method, "name").is_some_and(|n| named.contains(n))
            });
            value["methods"] = kept.map(|(_, method)| method).collect();
        }
    }
    // They name operations that the part may not have.
    for word in ["x-keys", "x-logins", "x-probes"] {
        value.as_object_mut().map(|root| root.remove(word));
    }
    value.get_mut("x-websocket").and_then(Value::as_object_mut).map(|websocket| websocket.remove("logon"));
    // And these are beginnings of paths.
    for server in
        value.get_mut("servers").and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
    {
        server.remove("x-serves");
    }
    some_channels(&mut value, picks);
    shrink_components(&mut value);
    let names: BTreeSet<String> = operations(&document.derived(document.kind, value.clone()))
        .iter()
        .flat_map(|operation| [text(operation.value, "operationId"), text(operation.value, "name")])
        .flatten()
        .map(str::to_owned)
        .collect();
    each(&mut value, &mut |inner| {
        if let Value::Object(map) = inner {
            let known =
                map.get("x-reconcile").is_none_or(|name| name.as_str().is_some_and(|name| names.contains(name)));
            if !known {
                map.remove("x-reconcile");
            }
        }
    });
    document.derived(document.kind, value)
}

/// A few of the channels, without the calls by which they catch up or compare their books, and their messages.
fn some_channels(value: &mut Value, picks: &[u16]) {
    let Some(Value::Object(channels)) = value.pointer_mut("/x-streams/channels") else { return };
    let count = channels.len();
    let mut index = 0;
    channels.retain(|_, _| {
        index += 1;
        picks.iter().any(|pick| usize::from(*pick) % count == index - 1)
    });
    let mut used = BTreeSet::new();
    for channel in channels.values_mut() {
        if channel["x-recover"].is_object() {
            channel["x-recover"] = "never".into();
            // Such a sequence needs the call that returns a snapshot.
            if channel["x-sequence"].get("range").is_some() {
                channel["x-sequence"] = "none".into();
            }
        }
        if let Some(book) = channel.get_mut("x-book").and_then(Value::as_object_mut) {
            book.remove("audit");
        }
        each(&mut channel["messages"], &mut |inner| used.extend(text(inner, "$ref").map(str::to_owned)));
    }
    if let Some(Value::Object(messages)) = value.pointer_mut("/x-streams/messages") {
        messages.retain(|name, _| used.contains(&format!("#/x-streams/messages/{name}")));
    }
}

fn shrink_components(value: &mut Value) {
    loop {
        let mut used = BTreeSet::new();
        each(value, &mut |inner| used.extend(text(inner, "$ref").map(str::to_owned)));
        let mut removed = false;
        for section in ["schemas", "parameters", "responses"] {
            if let Some(Value::Object(entries)) = value["components"].get_mut(section) {
                let before = entries.len();
                entries.retain(|name, _| used.contains(&format!("#/components/{section}/{name}")));
                removed |= entries.len() < before;
            }
        }
        if !removed {
            return;
        }
    }
}

fn each(value: &mut Value, visit: &mut dyn FnMut(&mut Value)) {
    visit(value);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| each(item, visit)),
        Value::Object(map) => map.values_mut().for_each(|item| each(item, visit)),
        _ => {}
    }
}

/// The pointers of all values that a test accepts.
fn places(value: &Value, accept: &dyn Fn(&str, &Value) -> bool) -> Vec<String> {
    fn walk(pointer: &str, value: &Value, accept: &dyn Fn(&str, &Value) -> bool, into: &mut Vec<String>) {
        if accept(pointer, value) {
            into.push(pointer.to_owned());
        }
        match value {
            Value::Array(items) => {
                for (i, item) in items.iter().enumerate() {
                    walk(&step(pointer, &i.to_string()), item, accept, into);
                }
            }
            Value::Object(map) => {
                for (key, item) in map {
                    walk(&step(pointer, key), item, accept, into);
                }
            }
            _ => {}
        }
    }
    let mut all = Vec::new();
    walk("", value, accept, &mut all);
    all
}

fn is_schema(pointer: &str, value: &Value) -> bool {
    let steps: Vec<&str> = pointer.rsplit('/').collect();
    let place = matches!(steps.as_slice(), ["schema" | "items", ..] | [_, "schemas" | "properties", ..]);
    place && value.is_object()
}

/// Values of every kind, some of them a trap.
fn constants() -> Vec<Value> {
    vec![
        Value::Null,
        json!(0),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(""),
        json!("x"),
        json!("\u{e9}\r\u{0}*/"),
        json!(true),
        json!(false),
        json!([]),
        json!({}),
        json!([null]),
        json!(["a", "A"]),
        json!({"": null}),
        json!({"type": "string"}),
        json!({"$ref": "#/components/schemas/Nowhere"}),
    ]
}

/// Names that are taken, reserved, empty or no names.
const NAMES: [&str; 34] = [
    "", "_", "-", "1", "1d", "<=", "==", "+1", "a.b", "a/b", "a-b", "a_b", "aB", "self", "Self", "type", "gen",
    "crate", "Option", "Error", "Result", "Vec", "Client", "builder", "new", "send", "body", "keys", "extra", "é",
    "id", "_id", "$ref", "x-mine",
];

/// Schemas, sound and unsound.
fn schemas(other: &str) -> Vec<Value> {
    let reference = json!({ "$ref": format!("#/components/schemas/{other}") });
    vec![
        json!({}),
        reference.clone(),
        json!({"allOf": [reference], "description": "the same"}),
        json!({"allOf": [reference, {"type": "object", "properties": {"a": {"type": "string"}}}]}),
        json!({"oneOf": [reference, {"type": "string"}]}),
        json!({"oneOf": [reference, {"type": "null"}]}),
        json!({"oneOf": [{"type": "number", "format": "decimal"}, {"type": "string"}]}),
        json!({"oneOf": [{"type": "integer"}, {"type": "string"}]}),
        json!({"oneOf": [{"type": "object", "properties": {"a": {"type": "string"}}}, {"type": "string"}]}),
        json!({"anyOf": [reference, {"type": "string"}]}),
        json!({"not": reference}),
        json!({"type": "array", "items": reference}),
        json!({"type": "array", "items": {"type": "array", "items": reference}}),
        json!({"type": "array", "items": {}}),
        json!({"type": "array"}),
        json!({"type": "object"}),
        json!({"type": "object", "additionalProperties": true, "description": "unknown"}),
        json!({"type": "object", "additionalProperties": false}),
        json!({"type": "object", "additionalProperties": reference}),
        json!({"type": "object", "properties": {"a": {"type": "string"}}}),
        json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "array", "items": reference}}}),
        json!({"type": "object", "properties": {"a": reference}, "additionalProperties": {"type": "string"}}),
        json!({"type": "object", "properties": {"b": reference}, "additionalProperties": {"type": "object"}}),
        json!({"type": "string"}),
        json!({"type": "string", "nullable": true}),
        json!({"type": ["string", "null"]}),
        json!({"type": ["string", "integer"]}),
        json!({"type": "null"}),
        json!({"type": "string", "format": "decimal"}),
        json!({"type": "string", "format": "secret"}),
        json!({"type": "string", "format": "date-time"}),
        json!({"type": "string", "format": "uuid"}),
        json!({"type": "string", "pattern": "^[a-z]+$"}),
        json!({"type": "string", "pattern": "("}),
        json!({"type": "string", "enum": ["a", "b"]}),
        json!({"type": "string", "enum": ["<=", "=="]}),
        json!({"type": "string", "enum": ["", "x"]}),
        json!({"type": "string", "enum": []}),
        json!({"type": "string", "enum": ["a", null], "nullable": true}),
        json!({"type": "integer", "enum": [1, 2]}),
        json!({"type": "integer", "format": "unix-ms"}),
        json!({"type": "integer", "format": "int32", "minimum": 1}),
        json!({"type": "number"}),
        json!({"type": "number", "format": "decimal"}),
        json!({"type": "boolean", "default": true}),
        json!({"type": "string", "maxLength": 3, "minLength": 1, "title": "Titled"}),
        json!({"type": "string", "x-rust-type": {"crate": "venuekit-wire", "version": "*", "path": "venuekit_wire::Secret"}}),
        json!({"type": "string", "x-rust-type": {"crate": "other", "version": "*", "path": "other::Type"}}),
    ]
}

/// Members that mean something somewhere.
fn members() -> Vec<(&'static str, Value)> {
    vec![
        ("x-unknown", json!(1)),
        ("x-closed", json!(true)),
        ("x-retry", json!("safe")),
        ("nullable", json!(true)),
        ("deprecated", json!(true)),
        ("required", json!(true)),
        ("required", json!(["nowhere"])),
        ("default", json!(0)),
        ("additionalProperties", json!(false)),
        ("additionalProperties", json!({"type": "string"})),
        ("enum", json!(["a", "A"])),
        ("format", json!("decimal")),
        ("format", json!("secret")),
        ("pattern", json!("^[a-z]+$")),
        ("description", json!("*/ [x] ```rust\n    fn\r<b>")),
        ("description", json!(3)),
        ("style", json!("deepObject")),
        ("explode", json!(false)),
        ("in", json!("cookie")),
        ("in", json!("query")),
        ("in", json!("header")),
        ("in", json!("path")),
        ("content", json!({"text/plain": {}})),
        ("encoding", json!({})),
        ("callbacks", json!({})),
        ("servers", json!([{"url": "//x"}])),
        ("security", json!([{"nowhere": []}])),
        ("204", json!({"description": "nothing"})),
        ("default", json!({"description": "anything"})),
        ("discriminator", json!({"propertyName": "a"})),
    ]
}

/// Applies one change.
pub fn mutate(value: &mut Value, (kind, place, with): Mutation) {
    let (place, with) = (usize::from(place), usize::from(with));
    let pick = |places: Vec<String>| (!places.is_empty()).then(|| places[place % places.len()].clone());
    let any = |value: &Value| pick(places(value, &|pointer, _| !pointer.is_empty()));
    let names: Vec<String> =
        value["components"]["schemas"].as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default();
    let other = if names.is_empty() { String::new() } else { names[with % names.len()].clone() };
    match kind % 13 {
        0 => {
            let Some(at) = any(value) else { return };
            remove(value, &at);
        }
        1 => {
            let Some(at) = any(value) else { return };
            let Some(copy) = value.pointer(&at).cloned() else { return };
            let name = unescaped(at.rsplit('/').next().unwrap_or_default());
            let name = match with % 4 {
                0 => format!("_{name}"),
                1 => format!("{name}2"),
                2 => name.to_uppercase(),
                _ => NAMES[with % NAMES.len()].to_owned(),
            };
            insert(value, parent(&at), &name, copy);
        }
        2 => {
            let Some(at) = any(value) else { return };
            let constants = constants();
            set(value, &at, constants[with % constants.len()].clone());
        }
        3 => {
            let all = places(value, &|pointer, _| !pointer.is_empty());
            if all.is_empty() {
                return;
            }
            let (a, b) = (&all[place % all.len()], &all[with % all.len()]);
            let (Some(x), Some(y)) = (value.pointer(a).cloned(), value.pointer(b).cloned()) else { return };
            set(value, a, y);
            set(value, b, x);
        }
        4 => {
            let Some(at) = any(value) else { return };
            if let Some(moved) = remove(value, &at) {
                insert(value, parent(&at), NAMES[with % NAMES.len()], moved);
            }
        }
        5 => {
            let Some(at) = pick(places(value, &|at, inner| at.ends_with("/enum") && inner.is_array())) else { return };
            if let Some(Value::Array(values)) = value.pointer_mut(&at) {
                values.push(NAMES[with % NAMES.len()].into());
            }
        }
        6 => {
            let Some(at) = pick(places(value, &|_, inner| inner.is_object())) else { return };
            let members = members();
            let (name, member) = members[with % members.len()].clone();
            insert(value, &at, name, member);
        }
        7 => {
            let Some(at) = pick(places(value, &|at, _| at.ends_with("/$ref"))) else { return };
            let target = match with % 5 {
                0 => format!("#/components/schemas/{other}/properties/id"),
                1 => "#/components/parameters/Nowhere".to_owned(),
                2 => format!("#{}", parent(&at)),
                _ => format!("#/components/schemas/{other}"),
            };
            set(value, &at, target.into());
        }
        8 => {
            let Some(at) = pick(places(value, &is_schema)) else { return };
            let Some(inner) = value.pointer(&at).cloned() else { return };
            let wrapped = match with % 4 {
                0 => json!({"oneOf": [inner, {"type": "boolean"}]}),
                1 => json!({"allOf": [inner]}),
                2 => json!({"type": "array", "items": inner}),
                _ => json!({"type": "object", "additionalProperties": inner}),
            };
            set(value, &at, wrapped);
        }
        9 => {
            let Some(at) = pick(places(value, &|at, inner| at.ends_with("/type") && inner.is_string())) else { return };
            const TYPES: [&str; 7] = ["string", "number", "integer", "boolean", "array", "object", "null"];
            set(value, &at, TYPES[with % TYPES.len()].into());
        }
        10 => {
            let named = |at: &str, inner: &Value| (at.ends_with("/name") || at.ends_with("Id")) && inner.is_string();
            let Some(at) = pick(places(value, &named)) else { return };
            set(value, &at, NAMES[with % NAMES.len()].into());
        }
        _ => {
            let Some(at) = pick(places(value, &is_schema)) else { return };
            let schemas = schemas(&other);
            set(value, &at, schemas[with % schemas.len()].clone());
        }
    }
}

fn parent(pointer: &str) -> &str {
    pointer.rfind('/').map_or("", |end| &pointer[..end])
}

fn set(value: &mut Value, at: &str, to: Value) {
    if let Some(place) = value.pointer_mut(at) {
        *place = to;
    }
}

fn remove(value: &mut Value, at: &str) -> Option<Value> {
    let key = unescaped(at.rsplit('/').next()?);
    match value.pointer_mut(parent(at))? {
        Value::Object(map) => map.remove(&key),
        Value::Array(items) => key.parse().ok().filter(|i| *i < items.len()).map(|i: usize| items.remove(i)),
        _ => None,
    }
}

fn insert(value: &mut Value, at: &str, key: &str, member: Value) {
    match value.pointer_mut(at) {
        Some(Value::Object(map)) => drop::<Option<Value>>(Map::insert(map, key.to_owned(), member)),
        Some(Value::Array(items)) => items.push(member),
        _ => {}
    }
}
