//! Where a JSON pointer leads in a response.

use serde_json::Value;

use crate::document::Document;
use crate::model::{Operation, resolve};

/// What is at a place.
#[derive(Clone, Copy, Debug)]
pub enum Found<'a> {
    /// A value of this schema.
    Schema(&'a Value),
    /// Whatever the venue puts there: the spec describes no more of it.
    Anything,
    /// There is no such place.
    Nothing,
}

/// What a pointer leads to in the good response of an operation.
pub fn in_result<'a>(document: &'a Document, operation: &Operation<'a>, pointer: &str) -> Found<'a> {
    match operation.result_schema(document) {
        Some((_, schema)) => at(document, Found::Schema(schema), pointer),
        None => Found::Nothing,
    }
}

/// What a pointer leads to from a place.
pub fn at<'a>(document: &'a Document, from: Found<'a>, pointer: &str) -> Found<'a> {
    pointer.split('/').skip(1).fold(from, |found, name| match found {
        Found::Schema(schema) => member(document, schema, name),
        other => other,
    })
}

/// What an entry of a list is.
pub fn entry<'a>(document: &'a Document, list: Found<'a>) -> Found<'a> {
    match list {
        Found::Schema(schema) => match open(document, schema).get("items") {
            Some(items) => known(document, items),
            None if is_open(open(document, schema)) => Found::Anything,
            None => Found::Nothing,
        },
        other => other,
    }
}

/// A schema with what it only wraps taken off.
fn open<'a>(document: &'a Document, schema: &'a Value) -> &'a Value {
    let schema = resolve(document, schema);
    match schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
        Some([only]) if schema.get("properties").is_none() => open(document, only),
        _ => schema,
    }
}

fn known<'a>(document: &'a Document, schema: &'a Value) -> Found<'a> {
    if is_open(open(document, schema)) { Found::Anything } else { Found::Schema(schema) }
}

/// Whether a schema says nothing of what is there.
fn is_open(schema: &Value) -> bool {
    let says = ["type", "properties", "allOf", "oneOf", "anyOf", "$ref", "enum"];
    !says.iter().any(|word| schema.get(word).is_some())
        || schema.get("additionalProperties") == Some(&Value::Bool(true))
}

fn member<'a>(document: &'a Document, schema: &'a Value, name: &str) -> Found<'a> {
    let schema = open(document, schema);
    match schema.get("properties").and_then(|properties| properties.get(name)) {
        Some(property) => known(document, property),
        None if is_open(schema) => Found::Anything,
        None => match schema.get("additionalProperties").filter(|others| others.is_object()) {
            Some(others) => known(document, others),
            None => Found::Nothing,
        },
    }
}
