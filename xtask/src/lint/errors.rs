//! What `x-errors` reads of an error is in the schema of errors.

use serde_json::Value;

use super::Fail;
use crate::document::Document;
use crate::model::{Operation, resolve};
use crate::source::{step, unescaped};

/// The members of `x-errors` that are pointers into an error.
const PLACES: [&str; 5] = ["code", "message", "detail", "param", "retry-after"];

pub fn check<'a>(document: &'a Document, operations: &[Operation<'a>], fail: &mut Fail<'_>) {
    let Some(word) = document.value.get("x-errors") else { return };
    let mut errors: Vec<&Value> = Vec::new();
    for schema in schemas(document, operations, false) {
        if !errors.contains(&schema) {
            errors.push(schema);
        }
    }
    // A document of JSON-RPC describes no errors: their form is that of the protocol.
    if errors.is_empty() {
        return;
    }
    let leads = |schemas: &[&Value], place: &str| schemas.iter().any(|schema| has(document, schema, place, 0));
    let help = "correct the pointer, or add the member to the schema of errors";
    for key in PLACES {
        for (i, place) in word.get(key).and_then(Value::as_array).into_iter().flatten().enumerate() {
            if let Some(place) = place.as_str().filter(|place| place.starts_with('/') && !leads(&errors, place)) {
                let at = step(&step("/x-errors", key), &i.to_string());
                fail("unknown-key", &at, format!("errors have no `{place}`"), help);
            }
        }
    }
    for (i, row) in word.get("failed-when").and_then(Value::as_array).into_iter().flatten().enumerate() {
        let place = row.get("at").and_then(Value::as_str).filter(|place| place.starts_with('/'));
        let Some(place) = place.filter(|place| !leads(&errors, place)) else { continue };
        // Such a failure has the status of a success, and may have its form.
        if !schemas(document, operations, true).any(|schema| has(document, schema, place, 0)) {
            let at = step("/x-errors/failed-when", &i.to_string());
            fail("unknown-key", &at, format!("neither errors nor responses have `{place}`"), help);
        }
    }
}

/// The schemas of errors, or of successful responses.
fn schemas<'a>(document: &'a Document, operations: &[Operation<'a>], good: bool) -> impl Iterator<Item = &'a Value> {
    let all = operations.iter().flat_map(Operation::responses);
    all.filter(move |(_, status, _)| status.starts_with('2') == good).filter_map(move |(_, _, response)| {
        let shared = response.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
        let response = shared.map_or(Some(response), |target| document.value.pointer(target))?;
        response.pointer("/content/application~1json/schema")
    })
}

/// How deep schemas are followed: one that is made of itself is named by another rule.
const DEEPEST: usize = 6;

/// Whether a schema, or one of those that it is made of, has a place.
fn has(document: &Document, schema: &Value, place: &str, depth: usize) -> bool {
    if depth > DEEPEST {
        return false;
    }
    let deeper = depth + 1;
    let schema = resolve(document, schema);
    let Some(rest) = place.strip_prefix('/') else { return true };
    let (name, below) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let name = unescaped(name);
    if let Some(member) = schema.get("properties").and_then(|all| all.get(&name)) {
        return has(document, member, below, deeper);
    }
    let parts = ["allOf", "oneOf", "anyOf"].into_iter().filter_map(|word| schema.get(word)?.as_array()).flatten();
    if parts.clone().any(|part| has(document, part, place, deeper)) {
        return true;
    }
    match schema.get("additionalProperties") {
        Some(Value::Bool(open)) => *open,
        Some(others) => has(document, others, below, deeper),
        // A schema that says nothing of its values may have any.
        None => parts.count() == 0 && schema.get("type").is_none() && schema.get("properties").is_none(),
    }
}
