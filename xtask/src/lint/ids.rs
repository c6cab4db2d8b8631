//! One type an id: what a path parameter is called by is the same thing in a body and in a response, so that it goes from one into the
//! other without a conversion.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::document::Document;
use crate::finding::Finding;
use crate::model::{members, operations, resolve, stands_for, text, walk_schema};
use crate::source::step;

/// Names that do not say what they name.
const GENERAL: [&str; 2] = ["id", "type"];

pub fn check(document: &Document, findings: &mut Vec<Finding>) {
    let ids = ids(document);
    for (name, schema) in members(&document.value["components"], "schemas") {
        walk_schema(&step("/components/schemas", name), schema, &mut |at, inner| {
            for (property, schema) in members(inner, "properties") {
                let Some(types) = ids.get(property.as_str()).filter(|_| is_plain_text(document, schema)) else {
                    continue;
                };
                let at = step(&step(at, "properties"), property);
                let types = types.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ");
                let message = format!("`{property}` is {types} in a path, and a plain string here");
                let help = "refer to the same schema, or say why it is not the same thing: `x-not-id: REASON`";
                findings.push(document.finding("plain-id", &at, message, help));
            }
        });
    }
}

/// The types of path parameters, by the names of these.
fn ids(document: &Document) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut ids: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for operation in operations(document) {
        for (_, parameter) in operation.parameters(document) {
            if let (Some(name), Some("path")) = (text(parameter, "name"), text(parameter, "in"))
                && let Some(named) = parameter.get("schema").and_then(stands_for)
                && !GENERAL.contains(&name)
            {
                ids.entry(name).or_default().insert(named);
            }
        }
    }
    ids
}

fn is_plain_text(document: &Document, schema: &Value) -> bool {
    let target = resolve(document, schema);
    text(target, "type") == Some("string")
        && ["pattern", "enum", "format"].iter().all(|key| target.get(key).is_none())
        && schema.get("x-not-id").is_none()
}
