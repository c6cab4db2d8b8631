//! An enum that occurs in a response becomes `wire::Open<Known>` wherever it is used. One that only requests use stays closed:
//! the compiler then knows every value that may be sent.

use std::collections::BTreeSet;

use serde_json::json;

use crate::document::Document;
use crate::lower::{each_mut, replace, schemas_mut, wire};
use crate::model::{Reach, stands_for};

pub fn apply(document: &mut Document) {
    let reach = Reach::of(document);
    let Some(schemas) = schemas_mut(document) else { return };
    let open: BTreeSet<String> = schemas
        .iter()
        .filter(|(name, schema)| {
            schema.get("enum").is_some() && schema.get("x-closed").is_none() && reach.response.contains(*name)
        })
        .map(|(name, _)| name.clone())
        .collect();
    each_mut(&mut document.value, &mut |value| {
        if let Some(name) = stands_for(value).filter(|name| open.contains(*name)) {
            let known = json!({ "$ref": format!("#/components/schemas/{name}") });
            replace(value, wire("Open", &[known]));
        }
    });
}

#[cfg(test)]
mod tests {
    use crate::lower::tests::{document, pass};

    #[test]
    fn enums_of_answers_open_and_others_stay_closed() {
        let before = document(
            "paths:\n  /a:\n    get:\n      parameters: [{ name: q, in: query, schema: { $ref: '#/components/schemas/Asked' } }]\n      responses:\n        '200': { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/A' } } } }\ncomponents:\n  schemas:\n    Asked: { type: string, enum: [x] }\n    Side: { type: string, enum: [a, b] }\n    Fixed: { type: string, enum: [a], x-closed: true }\n    A: { type: object, properties: { side: { $ref: '#/components/schemas/Side' }, f: { $ref: '#/components/schemas/Fixed' } } }\n",
        );
        let after = pass(before, super::apply);
        assert_eq!(
            after.pointer("/components/schemas/A/properties/side/x-rust-type/path").unwrap(),
            "venuekit_wire::Open"
        );
        let known = after.pointer("/components/schemas/A/properties/side/x-rust-type/parameters/0/$ref").unwrap();
        assert_eq!(known, "#/components/schemas/Side");
        assert_eq!(after.pointer("/components/schemas/A/properties/f/$ref").unwrap(), "#/components/schemas/Fixed");
        assert_eq!(after.pointer("/paths/~1a/get/parameters/0/schema/$ref").unwrap(), "#/components/schemas/Asked");
    }
}
