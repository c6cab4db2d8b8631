//! What the generator ignores, misreads or would enforce on answers goes last: every earlier pass may still read it.

use serde_json::Value;

use crate::document::Document;
use crate::lower::JSON_LIST;
use crate::lower::each_mut;
use crate::lower::names::NAMES;

/// Keys of a schema, a parameter or an operation. `pattern` stays: only named strings of requests have one by now.
const KEYS: [&str; 22] = [
    "default",
    "deprecated",
    "example",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "externalDocs",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "readOnly",
    "security",
    "servers",
    "title",
    "uniqueItems",
    "writeOnly",
];

/// Words of ours that `emit` reads.
const KEPT: [&str; 5] = [NAMES, JSON_LIST, "x-rust-type", "x-streams", "x-vital"];

pub fn apply(document: &mut Document) {
    strip(&mut document.value, false);
    let title = format!("{} client", document.venue);
    document.value["info"]["title"] = title.into();
    let Some(root) = document.value.as_object_mut() else { return };
    root.remove("tags");
    if let Some(components) = root.get_mut("components").and_then(Value::as_object_mut) {
        components.retain(|section, _| section == "schemas" || section == "parameters");
    }
    each_mut(&mut document.value, &mut |value| {
        if value.get("additionalProperties") == Some(&Value::Bool(false)) {
            value.as_object_mut().map(|map| map.remove("additionalProperties"));
        }
    });
}

/// `names` is true in a mapping whose keys are the venue's names and not OpenAPI's.
fn strip(value: &mut Value, names: bool) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| strip(item, false)),
        Value::Object(map) => {
            if !names {
                map.retain(|key, _| {
                    !KEYS.contains(&key.as_str()) && (!key.starts_with("x-") || KEPT.contains(&key.as_str()))
                });
            }
            for (key, inner) in map.iter_mut() {
                strip(inner, !names && matches!(key.as_str(), "properties" | "schemas" | "parameters" | "paths"));
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::lower::tests::{document, pass};

    #[test]
    fn words_and_bounds_go_and_names_stay() {
        let before = document(
            "servers: []\ncomponents:\n  schemas:\n    A: { type: object, x-closed: true, additionalProperties: false, properties: { default: { type: integer, minimum: 1, default: 2 }, title: { type: string, maxLength: 3 } } }\n",
        );
        let after = pass(before, super::apply);
        let expected =
            json!({"type": "object", "properties": {"default": {"type": "integer"}, "title": {"type": "string"}}});
        assert_eq!(after.pointer("/components/schemas/A").unwrap(), &expected);
        assert!(after.get("servers").is_none());
    }
}
