//! Members that the spec gives a name of their own (`x-name`): the generator writes them under that name, and `emit` says what the
//! venue calls them.

use serde_json::{Map, Value};

use crate::document::Document;
use crate::lower::schemas_mut;
use crate::model::text;

/// Beside `properties`: the names that were given, each with the venue's.
pub const NAMES: &str = "x-names";

pub fn apply(document: &mut Document) {
    for (_, schema) in schemas_mut(document).into_iter().flatten() {
        let Some(schema) = schema.as_object_mut() else { continue };
        let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { continue };
        if !properties.values().any(|property| property.get("x-name").is_some()) {
            continue;
        }
        let mut names = Map::new();
        let renamed = std::mem::take(properties).into_iter().map(|(name, property)| match text(&property, "x-name") {
            Some(own) => {
                names.insert(own.to_owned(), name.into());
                (own.to_owned(), property)
            }
            None => (name, property),
        });
        *properties = renamed.collect();
        for required in schema.get_mut("required").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some((own, _)) = names.iter().find(|(_, name)| *name == required) {
                *required = own.as_str().into();
            }
        }
        schema.insert(NAMES.to_owned(), names.into());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use crate::lower::tests::{document, pass};

    #[test]
    fn members_have_the_names_that_they_are_given() {
        let before = document(
            "paths: {}\ncomponents:\n  schemas:\n    A:\n      type: object\n      required: [S]\n      x-vital: [T]\n      properties:\n        S: { type: string, x-name: side }\n        s: { type: string }\n        T: { type: integer, x-name: time }\n    B: { type: object, properties: { a: { type: string } } }\n",
        );
        let after = pass(before, super::apply);
        let schema = after.pointer("/components/schemas/A").unwrap();
        // Whether a map keeps the order of the file depends on the features of the build.
        let names: BTreeSet<&String> = schema["properties"].as_object().unwrap().keys().collect();
        assert!(names.into_iter().eq(["s", "side", "time"]));
        assert_eq!((&schema["required"], &schema["x-vital"]), (&json!(["side"]), &json!(["T"])));
        assert_eq!(schema["x-names"], json!({ "side": "S", "time": "T" }));
        assert!(after.pointer("/components/schemas/B/x-names").is_none());
    }
}
