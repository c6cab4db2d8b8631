//! What refers to what.

use std::collections::BTreeSet;

use heck::ToPascalCase;
use serde_json::Value;

use crate::document::Document;
use crate::finding::Finding;
use crate::model::{Reach, collisions, follow, members, operations, schema_ref};
use crate::source::step;

pub fn check(document: &Document, findings: &mut Vec<Finding>) {
    dangling(document, "", &document.value, findings);
    unused(document, findings);
    let names =
        members(document.value.get("components").unwrap_or(&Value::Null), "schemas").map(|(name, _)| name.as_str());
    for (first, second) in collisions(names, |name| name.to_pascal_case()) {
        let at = step("/components/schemas", &second);
        let message = format!("`{first}` and `{second}` are one name in Rust");
        findings.push(document.finding("type-collision", &at, message, "rename one of them"));
    }
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
                match inner.as_str().filter(|_| key == "$ref" && !pointer.ends_with("/properties")) {
                    Some(reference) => {
                        let found = reference.strip_prefix('#').and_then(|target| document.value.pointer(target));
                        if found.is_none() {
                            let message = format!("`{reference}` leads nowhere");
                            findings.push(document.finding(
                                "dangling-ref",
                                &below,
                                message,
                                "correct the name, or define it",
                            ));
                        }
                    }
                    None => dangling(document, &below, inner, findings),
                }
            }
        }
        _ => {}
    }
}

/// A schema that no operation uses is dead weight, or a forgotten reference.
fn unused(document: &Document, findings: &mut Vec<Finding>) {
    let reach = Reach::of(document);
    let mut used: BTreeSet<&str> = reach.request.iter().chain(&reach.response).map(String::as_str).collect();
    // Error bodies are described for other tools; the transport reads them by `x-errors`.
    let mut error_bodies = BTreeSet::new();
    for operation in operations(document) {
        for (pointer, _, response) in operation.responses() {
            for (media, content) in members(response, "content") {
                if let Some(schema) = content.get("schema") {
                    let at = format!("{}/schema", step(&step(&pointer, "content"), media));
                    follow(document, &at, schema, &mut error_bodies);
                }
            }
        }
    }
    if let Some(components) = document.value.get("components") {
        for section in ["responses", "errors"] {
            for (_, response) in members(components, section) {
                walk_all(response, &mut |value| {
                    if let Some(schema) = schema_ref(value) {
                        error_bodies.insert(schema.to_owned());
                    }
                });
            }
        }
        let direct: Vec<String> = error_bodies.iter().cloned().collect();
        for name in direct {
            let at = step("/components/schemas", &name);
            if let Some(schema) = document.value.pointer(&at) {
                follow(document, &at, schema, &mut error_bodies);
            }
        }
        used.extend(error_bodies.iter().map(String::as_str));
        for (name, _) in members(components, "schemas") {
            if !used.contains(name.as_str()) {
                let at = step("/components/schemas", name);
                findings.push(document.finding(
                    "unused-schema",
                    &at,
                    format!("no operation uses `{name}`"),
                    "refer to it, or delete it",
                ));
            }
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
