//! Formats become our types; formats that only describe go.

use serde_json::Value;

use crate::document::Document;
use crate::lint::{is_decimal_or_text, is_integer_or_text, one_or_many};
use crate::lower::{each_mut, replace, wire};
use crate::model::text;

pub fn apply(document: &mut Document) {
    // A query or a header is text: a number there is written like a string, without quotes.
    if let Some(paths) = document.value.get_mut("paths") {
        each_mut(paths, &mut |value| {
            if let Some(schema) = value.get_mut("schema")
                && text(schema, "type") == Some("number")
                && text(schema, "format") == Some("decimal")
                && value.get("in").is_some()
            {
                value["schema"]["type"] = "string".into();
            }
        });
    }
    each_mut(&mut document.value, &mut one);
}

fn one(schema: &mut Value) {
    if is_decimal_or_text(schema) {
        return replace(schema, wire("DecimalOrText", &[]));
    }
    if is_integer_or_text(schema) {
        return replace(schema, wire("IntegerOrText", &[]));
    }
    if let Some(item) = one_or_many(schema) {
        let with = wire("OneOrMany", std::slice::from_ref(item));
        return replace(schema, with);
    }
    let (Some(kind), Some(format)) = (text(schema, "type"), text(schema, "format")) else { return };
    let name = match (kind, format) {
        ("string", "decimal") => "Decimal",
        ("number", "decimal") => "DecimalNumber",
        ("string", "secret") => "Secret",
        ("string", "date-time") => "DateTime",
        ("integer", "unix-s") => "UnixSeconds",
        ("integer", "unix-ms") => "UnixMillis",
        ("integer", "unix-us") => "UnixMicros",
        ("integer", "unix-ns") => "UnixNanos",
        ("integer", "unix-ms-or-us") => "UnixMillisOrMicros",
        _ => {
            schema.as_object_mut().map(|map| map.remove("format"));
            return;
        }
    };
    replace(schema, wire(name, &[]));
}

#[cfg(test)]
mod tests {
    use crate::lower::tests::{document, pass};

    #[test]
    fn formats_become_types() {
        let before = document(
            "paths:\n  /a:\n    get:\n      parameters: [{ name: q, in: query, schema: { type: number, format: decimal } }]\ncomponents:\n  schemas:\n    A:\n      properties:\n        s: { type: string, format: decimal }\n        n: { type: number, format: decimal, description: d }\n        t: { type: integer, format: unix-ms }\n        m: { type: integer, format: unix-ms-or-us }\n        u: { type: string, format: uuid }\n        w: { oneOf: [{ type: number, format: decimal }, { type: string }] }\n        i: { oneOf: [{ type: integer }, { type: string }] }\n        l: { oneOf: [{ $ref: '#/components/schemas/A' }, { type: array, items: { $ref: '#/components/schemas/A' } }] }\n",
        );
        let after = pass(before, super::apply);
        let path = |name: &str| {
            after.pointer(&format!("/components/schemas/A/properties/{name}/x-rust-type/path")).and_then(|p| p.as_str())
        };
        assert_eq!(path("s"), Some("venuekit_wire::Decimal"));
        assert_eq!(path("n"), Some("venuekit_wire::DecimalNumber"));
        assert_eq!(path("t"), Some("venuekit_wire::UnixMillis"));
        assert_eq!(path("m"), Some("venuekit_wire::UnixMillisOrMicros"));
        assert_eq!(path("u"), None);
        assert_eq!(path("w"), Some("venuekit_wire::DecimalOrText"));
        assert_eq!(path("i"), Some("venuekit_wire::IntegerOrText"));
        assert_eq!(path("l"), Some("venuekit_wire::OneOrMany"));
        assert_eq!(after.pointer("/components/schemas/A/properties/n/description").unwrap(), "d");
        assert_eq!(
            after.pointer("/paths/~1a/get/parameters/0/schema/x-rust-type/path").unwrap(),
            "venuekit_wire::Decimal"
        );
    }
}
