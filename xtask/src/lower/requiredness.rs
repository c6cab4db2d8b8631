//! In a response, what is not vital may be missing or null. A required list may be null too, and is then empty: see `emit`.

use serde_json::Value;

use crate::document::Document;
use crate::lower::schemas_mut;
use crate::model::{Reach, text};

pub fn apply(document: &mut Document) {
    let reach = Reach::of(document);
    let Some(schemas) = schemas_mut(document) else { return };
    for (_, schema) in schemas.iter_mut().filter(|(name, _)| reach.response.contains(*name)) {
        let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { continue };
        let mut nullable = Vec::new();
        for (name, property) in properties.iter_mut() {
            let is_list = text(property, "type") == Some("array");
            if property.as_object_mut().and_then(|map| map.remove("nullable")) == Some(Value::Bool(true)) && !is_list {
                nullable.push(name.clone());
            }
        }
        if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
            required.retain(|name| name.as_str().is_none_or(|name| !nullable.iter().any(|n| n == name)));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::lower::tests::{document, pass};

    #[test]
    fn a_nullable_field_is_not_required_but_a_list_stays() {
        let before = document(
            "paths:\n  /a:\n    get:\n      responses:\n        '200': { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/A' } } } }\ncomponents:\n  schemas:\n    A: { type: object, required: [id, gone, list], properties: { id: { type: string }, gone: { type: string, nullable: true }, list: { type: array, nullable: true, items: {} } } }\n",
        );
        let after = pass(before, super::apply);
        assert_eq!(after.pointer("/components/schemas/A/required").unwrap(), &json!(["id", "list"]));
        assert!(after.pointer("/components/schemas/A/properties/gone/nullable").is_none());
    }
}
