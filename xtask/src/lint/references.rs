//! What refers to what.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::document::{Document, STREAMS};
use crate::finding::Finding;
use crate::model::{Reach, follow, members, operations, schema_ref, text};
use crate::source::{holds_properties, step};
use crate::streams;

pub fn check(document: &Document, findings: &mut Vec<Finding>) {
    dangling(document, "", &document.value, findings);
    cycles(document, findings);
    unused(document, findings);
    unused_parameters(document, findings);
}

fn dangling(document: &Document, pointer: &str, value: &Value, findings: &mut Vec<Finding>) {
    match value {
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                dangling(document, &step(pointer, &i.to_string()), item, findings);
            }
        }
        Value::Object(map) => {
            for (key, inner) in map {
                let below = step(pointer, key);
                if key == "$ref" && !holds_properties(pointer) {
                    reference(document, pointer, &below, inner, findings);
                } else {
                    dangling(document, &below, inner, findings);
                }
            }
        }
        _ => {}
    }
}

fn reference(document: &Document, holder: &str, at: &str, value: &Value, findings: &mut Vec<Finding>) {
    let section = section(holder);
    let reference = value.as_str().unwrap_or_default();
    let found = reference.strip_prefix('#').and_then(|target| document.value.pointer(target));
    if found.is_none() {
        let message = format!("`{reference}` leads nowhere");
        findings.push(document.finding("dangling-ref", at, message, "correct the name, or define it"));
        return;
    }
    let home = if section == "messages" { format!("#/{STREAMS}/") } else { "#/components/".to_owned() };
    let name = reference.strip_prefix(&home).and_then(|rest| rest.strip_prefix(section)?.strip_prefix('/'));
    if name.is_none_or(|name| name.contains(['/', '~'])) {
        let message = format!("`{reference}` is no member of `{section}`");
        findings.push(document.finding("ref-target", at, message, format!("refer to a named one of the {section}")));
    }
}

/// What kind of thing may stand in the place of a reference.
fn section(holder: &str) -> &'static str {
    let steps: Vec<&str> = holder.split('/').collect();
    match steps.as_slice() {
        ["", "paths", _, "parameters", _]
        | ["", "paths", _, _, "parameters", _]
        | ["", "methods", _, "params", _]
        | ["", "components", "parameters", _] => "parameters",
        ["", "paths", _, _, "responses", _] | ["", "components", "responses", _] => "responses",
        ["", STREAMS, "channels", _, "messages", _] => "messages",
        _ => "schemas",
    }
}

/// A schema that is made of itself, and not of lists or fields that hold it, has no end.
fn cycles(document: &Document, findings: &mut Vec<Finding>) {
    let schemas = || members(document.value.get("components").unwrap_or(&Value::Null), "schemas");
    let edges: BTreeMap<&str, BTreeSet<&str>> =
        schemas().map(|(name, schema)| (name.as_str(), parts(schema))).collect();
    for (name, _) in schemas() {
        let mut reached = BTreeSet::new();
        let mut open: Vec<&str> = edges[name.as_str()].iter().copied().collect();
        while let Some(next) = open.pop() {
            if reached.insert(next) {
                open.extend(edges.get(next).into_iter().flatten());
            }
        }
        if reached.contains(name.as_str()) {
            let message = format!("`{name}` is made of itself");
            let help = "a schema may hold itself in a field or a list, and not be a name for itself";
            findings.push(document.finding("ref-cycle", &step("/components/schemas", name), message, help));
        }
    }
}

/// The schemas that a schema stands for, in part or as a whole.
fn parts(schema: &Value) -> BTreeSet<&str> {
    let mut names: BTreeSet<&str> = schema_ref(schema).into_iter().collect();
    for key in ["allOf", "oneOf", "anyOf"] {
        for inner in schema.get(key).and_then(Value::as_array).into_iter().flatten() {
            names.extend(parts(inner));
        }
    }
    names
}

/// A schema that no operation uses is dead weight, or a forgotten reference.
fn unused(document: &Document, findings: &mut Vec<Finding>) {
    let reach = Reach::of(document);
    let mut used: BTreeSet<&str> = reach.request.iter().chain(&reach.response).map(String::as_str).collect();
    // Error bodies are described for other tools; the transport reads them by `x-errors`.
    let mut error_bodies = BTreeSet::new();
    for operation in operations(document) {
        for (_, _, response) in operation.responses() {
            for (_, content) in members(response, "content") {
                if let Some(schema) = content.get("schema") {
                    follow(document, schema, &mut error_bodies);
                }
            }
        }
    }
    if let Some(components) = document.value.get("components") {
        for (_, response) in members(components, "responses") {
            walk_all(response, &mut |value| {
                if let Some(schema) = schema_ref(value) {
                    error_bodies.insert(schema.to_owned());
                }
            });
        }
        let direct: Vec<String> = error_bodies.iter().cloned().collect();
        for name in direct {
            if let Some(schema) = document.value.pointer(&step("/components/schemas", &name)) {
                follow(document, schema, &mut error_bodies);
            }
        }
        for (_, schema) in streams::control(document) {
            follow(document, schema, &mut error_bodies);
        }
        used.extend(error_bodies.iter().map(String::as_str));
        for (name, _) in members(components, "schemas") {
            if !used.contains(name.as_str()) {
                let at = step("/components/schemas", name);
                findings.push(document.finding(
                    "unused-schema",
                    &at,
                    format!("no operation and no channel uses `{name}`"),
                    "refer to it, or delete it",
                ));
            }
        }
    }
}

/// A shared parameter that no operation refers to is looked at by nobody but the generator.
fn unused_parameters(document: &Document, findings: &mut Vec<Finding>) {
    let mut used = BTreeSet::new();
    walk_all(&document.value, &mut |value| used.extend(text(value, "$ref")));
    let components = document.value.get("components").unwrap_or(&Value::Null);
    for (name, _) in members(components, "parameters") {
        let at = step("/components/parameters", name);
        if !used.contains(format!("#{at}").as_str()) {
            let message = format!("no operation uses the parameter `{name}`");
            findings.push(document.finding("unused-parameter", &at, message, "refer to it, or delete it"));
        }
    }
}

fn walk_all<'a>(value: &'a Value, visit: &mut dyn FnMut(&'a Value)) {
    visit(value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk_all(item, visit)),
        Value::Object(map) => map.values().for_each(|inner| walk_all(inner, visit)),
        _ => {}
    }
}
