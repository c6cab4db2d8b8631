//! Arrays with a fixed number of elements, each with a form of its own, become our types: levels of an order book.

use serde_json::Value;

use crate::document::Document;
use crate::lower::{each_mut, replace, wire};

pub fn apply(document: &mut Document) {
    each_mut(&mut document.value, &mut |schema| {
        let Some(elements) = schema.get("x-tuple").and_then(Value::as_array) else { return };
        let with = match elements.as_slice() {
            [price, _] => wire("Level", std::slice::from_ref(price)),
            [action, price, _] => wire("ActionLevel", &[action.clone(), price.clone()]),
            // Lint lets no other through.
            _ => return,
        };
        replace(schema, with);
    });
}

#[cfg(test)]
mod tests {
    use crate::lower::tests::{document, pass};
    use crate::lower::{open_enums, scalars, wire_types};

    #[test]
    fn tuples_become_levels() {
        let before = document(
            "paths: {}\ncomponents:\n  schemas:\n    Price: { type: string, format: decimal }\n    Act: { type: string, enum: [new], x-closed: true }\n    A:\n      properties:\n        two: { type: array, items: { type: array, x-tuple: [{ $ref: '#/components/schemas/Price' }, { $ref: '#/components/schemas/Price' }] } }\n        three: { type: array, items: { type: array, x-tuple: [{ $ref: '#/components/schemas/Act' }, { type: number, format: decimal }, { type: number, format: decimal }] } }\n",
        );
        let after = pass(before, |document| {
            for pass in [scalars::apply, open_enums::apply, wire_types::apply, super::apply] {
                pass(document);
            }
        });
        let at = |pointer: &str| after.pointer(&format!("/components/schemas/A/properties/{pointer}")).unwrap();
        assert_eq!(at("two/items/x-rust-type/path"), "venuekit_wire::Level");
        assert_eq!(at("two/items/x-rust-type/parameters/0/x-rust-type/path"), "venuekit_wire::Decimal");
        assert_eq!(at("three/items/x-rust-type/path"), "venuekit_wire::ActionLevel");
        assert_eq!(at("three/items/x-rust-type/parameters/0/$ref"), "#/components/schemas/Act");
        assert_eq!(at("three/items/x-rust-type/parameters/1/x-rust-type/path"), "venuekit_wire::DecimalNumber");
    }
}
