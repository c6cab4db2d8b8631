//! A named scalar is written where it is used: the generator would wrap it in a type of its own.
//!
//! A string with a pattern keeps its name, as a path parameter must and as an id does wherever it occurs. Its pattern is asked when a
//! request uses it, and not when a response is read: see `wire::given::Id`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::document::Document;
use crate::lint::is_integer_or_text;
use crate::lower::{each_mut, is_scalar, replace, schemas_mut};
use crate::model::{Reach, stands_for, text};

pub fn apply(document: &mut Document) {
    let reach = Reach::of(document);
    let Some(schemas) = schemas_mut(document) else { return };
    let mut scalars: BTreeMap<String, Value> = BTreeMap::new();
    let scalar = |schema: &Value| is_scalar(schema) && schema.get("enum").is_none() || is_integer_or_text(schema);
    for (name, schema) in schemas.iter().filter(|(_, schema)| scalar(schema) && !is_id(schema)) {
        let mut plain = schema.clone();
        plain.as_object_mut().map(|map| map.remove("pattern"));
        scalars.insert(name.clone(), plain);
    }
    let is_used = |name: &String| reach.request.contains(name) || reach.response.contains(name);
    schemas.retain(|name, schema| !scalars.contains_key(name) && (!is_id(schema) || is_used(name)));
    each_mut(&mut document.value, &mut |value| inline(value, &scalars));
}

/// A text with a name and a pattern.
fn is_id(schema: &Value) -> bool {
    text(schema, "type") == Some("string")
        && schema.get("pattern").is_some()
        && !matches!(text(schema, "format"), Some("decimal" | "secret" | "date-time"))
}

fn inline(value: &mut Value, scalars: &BTreeMap<String, Value>) {
    if let Some(scalar) = stands_for(value).and_then(|name| scalars.get(name)) {
        replace(value, scalar.clone());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::lower::tests::{document, pass};

    #[test]
    fn scalars_move_in_and_ids_keep_their_names() {
        let before = document(
            "paths:\n  /a/{id}:\n    get:\n      parameters: [{ name: id, in: path, required: true, schema: { $ref: '#/components/schemas/Id' } }]\n      responses:\n        '200': { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/A' } } } }\ncomponents:\n  schemas:\n    Id: { type: string, pattern: '^a$' }\n    Money: { type: string, format: decimal, description: dollars }\n    A: { type: object, properties: { id: { $ref: '#/components/schemas/Id' }, m: { allOf: [{ $ref: '#/components/schemas/Money' }], description: mine } } }\n",
        );
        let after = pass(before, super::apply);
        assert_eq!(after.pointer("/paths/~1a~1{id}/get/parameters/0/schema/$ref").unwrap(), "#/components/schemas/Id");
        let expected = json!({"id": {"$ref": "#/components/schemas/Id"}, "m": {"type": "string", "format": "decimal", "description": "mine"}});
        assert_eq!(after.pointer("/components/schemas/A/properties").unwrap(), &expected);
        assert!(after.pointer("/components/schemas/Money").is_none());
    }
}
