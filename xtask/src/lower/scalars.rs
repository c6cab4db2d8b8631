//! A named scalar is written where it is used: the generator would wrap it in a type of its own.
//!
//! A string with a pattern keeps its name where a request uses it, as a path parameter must. In an answer the pattern goes: an
//! id that looks different tomorrow must not fail the page it stands on.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::document::Document;
use crate::lint::is_integer_or_text;
use crate::lower::{each_mut, is_scalar, replace, schemas_mut};
use crate::model::{Reach, stands_for};

pub fn apply(document: &mut Document) {
    let reach = Reach::of(document);
    let Some(schemas) = schemas_mut(document) else { return };
    let mut scalars: BTreeMap<String, Value> = BTreeMap::new();
    let mut patterned: BTreeMap<String, Value> = BTreeMap::new();
    let scalar = |schema: &Value| is_scalar(schema) && schema.get("enum").is_none() || is_integer_or_text(schema);
    for (name, schema) in schemas.iter().filter(|(_, schema)| scalar(schema)) {
        if schema.get("pattern").is_some() {
            let mut plain = schema.clone();
            plain.as_object_mut().map(|map| map.remove("pattern"));
            patterned.insert(name.clone(), plain);
        } else {
            scalars.insert(name.clone(), schema.clone());
        }
    }
    schemas.retain(|name, _| {
        !scalars.contains_key(name) && (!patterned.contains_key(name) || reach.request.contains(name))
    });
    for (_, schema) in schemas.iter_mut().filter(|(name, _)| reach.response.contains(*name)) {
        each_mut(schema, &mut |value| inline(value, &patterned));
    }
    if let Some(paths) = document.value.get_mut("paths") {
        each_mut(paths, &mut |value| {
            if let Some(responses) = value.get_mut("responses") {
                each_mut(responses, &mut |value| inline(value, &patterned));
            }
        });
    }
    each_mut(&mut document.value, &mut |value| inline(value, &scalars));
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
    fn scalars_move_in_and_patterns_stay_with_requests() {
        let before = document(
            "paths:\n  /a/{id}:\n    get:\n      parameters: [{ name: id, in: path, required: true, schema: { $ref: '#/components/schemas/Id' } }]\n      responses:\n        '200': { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/A' } } } }\ncomponents:\n  schemas:\n    Id: { type: string, pattern: '^a$' }\n    Money: { type: string, format: decimal, description: dollars }\n    A: { type: object, properties: { id: { $ref: '#/components/schemas/Id' }, m: { allOf: [{ $ref: '#/components/schemas/Money' }], description: mine } } }\n",
        );
        let after = pass(before, super::apply);
        assert_eq!(after.pointer("/paths/~1a~1{id}/get/parameters/0/schema/$ref").unwrap(), "#/components/schemas/Id");
        let expected =
            json!({"id": {"type": "string"}, "m": {"type": "string", "format": "decimal", "description": "mine"}});
        assert_eq!(after.pointer("/components/schemas/A/properties").unwrap(), &expected);
        assert!(after.pointer("/components/schemas/Money").is_none());
    }
}
