//! Schemas of OpenAPI 3.0, and ours, as JSON Schema draft 7.

use serde_json::{Map, Value, json};

/// A schema and all schemas inside it.
pub fn draft_7(schema: &Value) -> Value {
    let Some(map) = schema.as_object() else { return schema.clone() };
    let mut translated = Map::new();
    for (word, value) in map {
        let value = match word.as_str() {
            "properties" => {
                let all = value.as_object().into_iter().flatten();
                Value::Object(all.map(|(name, inner)| (name.clone(), draft_7(inner))).collect())
            }
            "items" | "additionalProperties" | "not" | "x-also" => draft_7(value),
            "allOf" | "oneOf" | "anyOf" => value.as_array().into_iter().flatten().map(draft_7).collect(),
            "x-tuple" => {
                let elements: Vec<Value> = value.as_array().into_iter().flatten().map(draft_7).collect();
                translated.insert("minItems".to_owned(), elements.len().into());
                // The word of later drafts too, which readers of this one pass over.
                translated.insert("prefixItems".to_owned(), elements.clone().into());
                translated.insert("items".to_owned(), elements.into());
                continue;
            }
            "nullable" => continue,
            _ => value.clone(),
        };
        translated.insert(word.clone(), value);
    }
    for (flag, limit) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        match translated.get(flag) {
            Some(Value::Bool(true)) => {
                let value = translated.remove(limit);
                translated.remove(flag);
                translated.extend(value.map(|value| (flag.to_owned(), value)));
            }
            Some(Value::Bool(false)) => _ = translated.remove(flag),
            _ => {}
        }
    }
    if map.get("nullable") == Some(&Value::Bool(true)) { or_null(translated) } else { translated.into() }
}

/// The same, or null.
fn or_null(mut schema: Map<String, Value>) -> Value {
    if let Some(kind) = schema.get("type").filter(|kind| kind.is_string()).cloned() {
        schema.insert("type".to_owned(), json!([kind, "null"]));
        if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
            values.push(Value::Null);
        }
        return schema.into();
    }
    let description = schema.remove("description");
    let mut either = json!({ "anyOf": [schema, { "type": "null" }] });
    if let Some(description) = description {
        either["description"] = description;
    }
    either
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_and_limits_are_said_as_in_draft_7() {
        for (written, expected) in [
            (json!({"type": "string", "nullable": true}), json!({"type": ["string", "null"]})),
            (
                json!({"type": "string", "enum": ["a"], "nullable": true}),
                json!({"type": ["string", "null"], "enum": ["a", null]}),
            ),
            (
                json!({"allOf": [{"$ref": "#/a"}], "description": "d", "nullable": true}),
                json!({"anyOf": [{"allOf": [{"$ref": "#/a"}]}, {"type": "null"}], "description": "d"}),
            ),
            (
                json!({"type": "integer", "minimum": 1, "exclusiveMinimum": true}),
                json!({"type": "integer", "exclusiveMinimum": 1}),
            ),
            (
                json!({"type": "integer", "maximum": 1, "exclusiveMaximum": false}),
                json!({"type": "integer", "maximum": 1}),
            ),
            (
                json!({"properties": {"nullable": {"type": "string", "nullable": false}}}),
                json!({"properties": {"nullable": {"type": "string"}}}),
            ),
        ] {
            assert_eq!(draft_7(&written), expected);
        }
    }

    #[test]
    fn tuples_have_a_schema_an_element() {
        let tuple =
            draft_7(&json!({"type": "array", "x-tuple": [{"type": "string"}, {"type": "number", "nullable": true}]}));
        let elements = json!([{"type": "string"}, {"type": ["number", "null"]}]);
        assert_eq!(tuple, json!({"type": "array", "minItems": 2, "items": elements, "prefixItems": elements}));
    }
}
