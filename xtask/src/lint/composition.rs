//! `allOf` and `oneOf`: the few forms that the generator reads as they are meant.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::document::{Document, Kind};
use crate::lint::schemas::types;
use crate::model::{collisions, follow, members, resolve, schema_ref, text, walk_schema};
use crate::names::snake;
use crate::source::step;

/// What may be said of a composition beside its parts.
const NOTES: [&str; 7] = ["description", "nullable", "deprecated", "title", "example", "readOnly", "writeOnly"];

type Fail<'a> = dyn FnMut(&'static str, String, &str) + 'a;

pub fn check(document: &Document, schema: &Value, nested: bool, fail: &mut Fail<'_>) {
    for key in ["anyOf", "not", "if", "patternProperties", "discriminator", "const"] {
        if schema.get(key).is_some() {
            let help = "use `oneOf` or `allOf` of named schemas, or optional fields";
            fail("unsupported", format!("`{key}` is misread by the generator"), help);
        }
    }
    for key in ["allOf", "oneOf"] {
        let Some(parts) = schema.get(key).and_then(Value::as_array) else { continue };
        let said = |name: &&String| *name != key && !NOTES.contains(&name.as_str()) && !name.starts_with("x-");
        if let Some(name) = schema.as_object().and_then(|map| map.keys().find(said)) {
            let message = format!("`{name}` means nothing beside `{key}`");
            fail("unknown-member", message, "say it in a schema of its own, and refer to that");
        }
        if key == "allOf" {
            all_of(document, parts, nested, fail);
        } else {
            one_of(document, schema, parts, nested, fail);
        }
    }
    // What is not described is decoded through the same buffer as a choice.
    if let Some(extra) = schema.get("additionalProperties").filter(|extra| extra.is_object())
        && schema.get("properties").is_some()
    {
        exact(document, extra, fail);
    }
}

/// One `$ref`, which gets a description; or named objects that have nothing in common.
fn all_of(document: &Document, parts: &[Value], nested: bool, fail: &mut Fail<'_>) {
    if matches!(parts, [only] if schema_ref(only).is_some()) {
        return;
    }
    let targets: Vec<&Value> =
        parts.iter().filter(|part| schema_ref(part).is_some()).map(|part| resolve(document, part)).collect();
    let plain = |target: &&Value| types(target) == ["object"] && target.get("additionalProperties").is_none();
    let names = || targets.iter().flat_map(|target| members(target, "properties")).map(|(name, _)| name.as_str());
    let good = !nested
        && !parts.is_empty()
        && targets.len() == parts.len()
        && targets.iter().all(plain)
        && collisions(names(), snake).is_empty();
    if !good {
        let help = "`allOf` takes one `$ref`, or at the top of a named schema several to objects without common fields";
        fail("all-of", "the generator would have to guess what the whole is".to_owned(), help);
    }
}

fn one_of(document: &Document, schema: &Value, choices: &[Value], nested: bool, fail: &mut Fail<'_>) {
    if is_decimal_or_text(schema) || is_integer_or_text(schema) || one_or_many(schema).is_some() {
        return;
    }
    let nulls = choices.iter().filter(|choice| is_null(choice)).count();
    if nulls > 0 {
        let good = document.kind == Kind::OpenRpc
            && nulls == 1
            && choices.len() == 2
            && choices.iter().any(|choice| schema_ref(choice).is_some());
        if !good {
            let help = "in OpenRPC `oneOf` takes one `$ref` and null; of a scalar say `type: [..., 'null']`, in OpenAPI `nullable`";
            fail("null-choice", "null is one choice of several".to_owned(), help);
        }
        return;
    }
    if nested {
        fail("inline-choice", "a choice without a name".to_owned(), "give it one under `schemas`, and refer to it");
    }
    let mut kinds = BTreeSet::new();
    let distinct = choices.iter().all(|choice| match schema_ref(choice) {
        Some(name) => kinds.insert(name),
        None => matches!(types(choice).as_slice(), [kind @ ("string" | "number" | "integer" | "boolean")]
            if choice.get("format").is_none() && kinds.insert(kind)),
    });
    if !distinct || choices.len() < 2 {
        let help = "each choice is another named schema, or another plain scalar; there are two at least";
        fail("bad-choice", "the choices cannot be distinguished".to_owned(), help);
    }
    for choice in choices {
        exact(document, choice, fail);
    }
}

/// Refuses exact numbers where the generated code decodes through a buffer that keeps no digits.
fn exact(document: &Document, schema: &Value, fail: &mut Fail<'_>) {
    let mut names = BTreeSet::new();
    follow(document, schema, &mut names);
    let named = names.iter().filter_map(|name| document.value.pointer(&step("/components/schemas", name)));
    let mut found = false;
    for schema in named.chain([schema]) {
        walk_schema("", schema, &mut |_, inner| found |= text(inner, "format") == Some("decimal"));
    }
    if found {
        let help = "a choice is decoded through a buffer in which digits are lost: use optional fields, or `[{number, decimal}, {string}]`";
        fail("decimal-in-choice", "an exact number that may be something else".to_owned(), help);
    }
}

fn is_null(schema: &Value) -> bool {
    text(schema, "type") == Some("null")
}

/// Null as a choice, as JSON Schema says that a reference may be null.
pub fn is_null_choice(document: &Document, at: &str, schema: &Value) -> bool {
    let parent = at.rsplit('/').nth(1);
    document.kind == Kind::OpenRpc && parent == Some("oneOf") && is_null(schema)
}

/// `oneOf: [{type: number, format: decimal}, {type: string}]`.
pub fn is_decimal_or_text(schema: &Value) -> bool {
    let Some([number, word]) = schema.get("oneOf").and_then(Value::as_array).map(Vec::as_slice) else { return false };
    let plain = ["format", "enum", "pattern"].iter().all(|key| word.get(key).is_none());
    types(number) == ["number"] && text(number, "format") == Some("decimal") && types(word) == ["string"] && plain
}

/// `oneOf: [{type: integer}, {type: string}]`.
pub fn is_integer_or_text(schema: &Value) -> bool {
    let Some([number, word]) = schema.get("oneOf").and_then(Value::as_array).map(Vec::as_slice) else { return false };
    let plain = |choice: &Value| ["format", "enum", "pattern"].iter().all(|key| choice.get(key).is_none());
    types(number) == ["integer"] && types(word) == ["string"] && plain(number) && plain(word)
}

/// `oneOf: [{$ref: X}, {type: array, items: {$ref: X}}]`: the reference.
pub fn one_or_many(schema: &Value) -> Option<&Value> {
    let [one, many] = schema.get("oneOf")?.as_array()?.as_slice() else { return None };
    let item = many.get("items").filter(|item| types(many) == ["array"] && schema_ref(item) == schema_ref(one))?;
    schema_ref(item).map(|_| item)
}
