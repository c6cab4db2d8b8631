//! From a linted spec to the document that Progenitor receives: one pass a file, in this order.

mod docs;
pub mod names;
mod open_enums;
mod openrpc;
mod requests;
mod requiredness;
mod responses;
mod scalars;
mod strip;
mod tuples;
mod wire_types;

use serde_json::{Map, Value, json};

use crate::document::{Document, Kind, STREAMS};
use crate::model::text;
use crate::streams;

pub use self::requests::JSON_LIST;

/// The passes, in order. Each takes the whole document and leaves a valid one.
const PASSES: [fn(&mut Document); 10] = [
    requests::apply,
    names::apply,
    responses::apply,
    scalars::apply,
    requiredness::apply,
    open_enums::apply,
    wire_types::apply,
    tuples::apply,
    docs::apply,
    strip::apply,
];

/// The OpenAPI 3.0.3 document that the generator takes for a spec.
pub fn lower(document: &Document) -> Value {
    let value = match document.kind {
        Kind::OpenApi => document.value.clone(),
        Kind::OpenRpc => openrpc::to_openapi(document),
    };
    let mut lowered = document.derived(Kind::OpenApi, value);
    if let (Some(streams), Some(root)) = (streams::lowered(document), lowered.value.as_object_mut()) {
        root.insert(STREAMS.to_owned(), streams);
    }
    if document.kind == Kind::OpenRpc {
        openrpc::without_null_types(&mut lowered.value);
    }
    for pass in PASSES {
        pass(&mut lowered);
    }
    lowered.value
}

/// Calls `visit` for a value and all values inside it, outermost first. A type that is ours already is finished.
fn each_mut(value: &mut Value, visit: &mut dyn FnMut(&mut Value)) {
    visit(value);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| each_mut(item, visit)),
        Value::Object(map) => {
            map.iter_mut().filter(|(key, _)| *key != "x-rust-type").for_each(|(_, inner)| each_mut(inner, visit));
        }
        _ => {}
    }
}

/// The component schemas, by name.
fn schemas_mut(document: &mut Document) -> Option<&mut Map<String, Value>> {
    document.value.pointer_mut("/components/schemas")?.as_object_mut()
}

/// A schema that the generator turns into one of our types.
fn wire(name: &str, parameters: &[Value]) -> Value {
    let mut rust = json!({ "crate": "venuekit-wire", "version": "*", "path": format!("venuekit_wire::{name}") });
    if !parameters.is_empty() {
        rust["parameters"] = parameters.into();
    }
    json!({ "type": "string", "x-rust-type": rust })
}

/// Puts another schema in a schema's place, keeping what was said about it there.
fn replace(schema: &mut Value, mut with: Value) {
    for key in ["description", "nullable", "deprecated"] {
        if let Some(kept) = schema.get(key) {
            with[key] = kept.clone();
        }
    }
    *schema = with;
}

/// Whether a schema is a single string, number or boolean.
fn is_scalar(schema: &Value) -> bool {
    matches!(text(schema, "type"), Some("string" | "number" | "integer" | "boolean"))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::document::Document;
    use crate::source::Source;

    /// A document from the parts of one that a pass looks at.
    pub fn document(parts: &str) -> Document {
        let text = format!("openapi: 3.0.3\ninfo: {{ title: t, version: '1' }}\n{parts}");
        Document::join("v", vec![Source::parse("specs/v/openapi.yaml", &text).unwrap()]).unwrap()
    }

    /// What a pass makes of a document.
    pub fn pass(mut document: Document, apply: fn(&mut Document)) -> Value {
        apply(&mut document);
        document.value
    }
}
