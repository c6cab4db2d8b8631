//! Schemas: names, secrets, money, and the shapes that the generator panics at or gets wrong.

use heck::{ToPascalCase, ToSnakeCase};
use serde_json::Value;

use super::NAMES;
use crate::document::{Document, Kind};
use crate::finding::Finding;
use crate::model::{Reach, collisions, members, operations, schema_ref, text, walk_schema};
use crate::source::step;

/// Formats that mean something here, with the type each belongs to.
const FORMATS: [(&str, &str); 12] = [
    ("decimal", "string"),
    ("decimal", "number"),
    ("secret", "string"),
    ("date-time", "string"),
    ("unix-s", "integer"),
    ("unix-ms", "integer"),
    ("unix-us", "integer"),
    ("unix-ns", "integer"),
    ("int32", "integer"),
    ("int64", "integer"),
    ("uuid", "string"),
    ("uri", "string"),
];

pub fn check(document: &Document, findings: &mut Vec<Finding>) {
    let reach = Reach::of(document);
    for (name, schema) in members(document.value.get("components").unwrap_or(&Value::Null), "schemas") {
        let at = step("/components/schemas", name);
        if *name != name.to_pascal_case() && !name.chars().all(|c| c.is_ascii_alphanumeric())
            || !name.starts_with(|c: char| c.is_ascii_uppercase())
        {
            findings.push(document.finding(
                "schema-name",
                &at,
                format!("`{name}` is not in PascalCase"),
                "name schemas like Rust types",
            ));
        }
        if text(schema, "type") == Some("array") {
            let help = "name the elements, and write the list where it is used";
            findings.push(document.finding("named-list", &at, format!("`{name}` is a list with a name"), help));
        }
        tree(document, &at, schema, reach.response.contains(name), findings);
    }
    for operation in operations(document) {
        for (at, parameter) in operation.parameters(document) {
            let Some(schema) = parameter.get("schema") else { continue };
            let name = text(parameter, "name").unwrap_or_default();
            let excused = parameter.get("x-not-secret").is_some();
            field(document, &at, name, schema, excused, findings);
            top(document, &step(&at, "schema"), schema, false, findings);
        }
        for (at, media) in operation.request_media() {
            if let Some(schema) = media.get("schema") {
                top(document, &step(&at, "schema"), schema, false, findings);
            }
        }
        if let Some((at, schema)) = operation.result_schema(document) {
            top(document, &at, schema, true, findings);
        }
    }
}

/// A schema at the top of a request, an answer or a parameter.
fn top(document: &Document, at: &str, schema: &Value, in_response: bool, findings: &mut Vec<Finding>) {
    if is_inline_object(schema) {
        findings.push(document.finding(
            "inline-object",
            at,
            "an object without a name",
            "give it one under `schemas`, and refer to it",
        ));
    }
    tree(document, at, schema, in_response, findings);
}

fn is_inline_object(schema: &Value) -> bool {
    schema.get("properties").is_some()
        || schema.get("allOf").is_some_and(|all| all.as_array().is_none_or(|parts| parts.len() > 1))
}

fn tree(document: &Document, at: &str, schema: &Value, in_response: bool, findings: &mut Vec<Finding>) {
    walk_schema(at, schema, &mut |pointer, inner| {
        let nested = pointer != at;
        one(document, pointer, inner, nested, in_response, findings);
        for (name, property) in members(inner, "properties") {
            let below = step(&step(pointer, "properties"), name);
            field(document, &below, name, property, property.get("x-not-secret").is_some(), findings);
        }
    });
}

/// A named field: what its name says it is must be what its schema says.
fn field(document: &Document, at: &str, name: &str, schema: &Value, excused: bool, findings: &mut Vec<Finding>) {
    let target = schema_ref(schema)
        .and_then(|name| document.value.pointer(&step("/components/schemas", name)))
        .unwrap_or(schema);
    let types = types(target);
    if types.contains(&"string")
        && NAMES.sounds_secret(name)
        && !excused
        && !target.get("format").is_some_and(|f| f == "secret")
        && target.get("enum").is_none()
    {
        let message = format!("`{name}` looks like a secret and is a plain string");
        findings.push(document.finding("plain-secret", at, message, "say `format: secret`, or `x-not-secret: REASON`"));
    }
    if types.contains(&"number") && target.get("format").is_none() && NAMES.sounds_like_money(name) {
        let message = format!("`{name}` looks like money and is a float");
        findings.push(document.finding("float-money", at, message, "say `format: decimal`"));
    }
}

/// The types of a schema: `type` may be one, or a list of one and null in JSON Schema.
pub fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).filter(|t| *t != "null").collect(),
        _ => Vec::new(),
    }
}

fn one(document: &Document, at: &str, schema: &Value, nested: bool, in_response: bool, findings: &mut Vec<Finding>) {
    let mut fail = |rule, message: String, help: &str| findings.push(document.finding(rule, at, message, help));
    if !schema.is_object() {
        return fail("not-a-schema", "a schema is a mapping".to_owned(), "write `{}` for any value");
    }
    if schema.get("$ref").is_some() {
        if document.kind == Kind::OpenApi
            && schema.as_object().is_some_and(|map| map.keys().any(|k| k != "$ref" && k != "x-not-secret"))
        {
            fail(
                "ref-sibling",
                "what stands beside a `$ref` is ignored".to_owned(),
                "write `allOf: [{$ref: ...}]` with a description beside it",
            );
        }
        return;
    }
    if nested && is_inline_object(schema) {
        fail("inline-object", "an object without a name".to_owned(), "give it one under `schemas`, and refer to it");
    }
    kind(document, schema, nested, &mut fail);
    enumeration(schema, nested, &mut fail);
    composition(document, schema, &mut fail);
    if in_response && schema.get("additionalProperties") == Some(&Value::Bool(false)) {
        fail(
            "closed-object",
            "an answer with a new field would be refused".to_owned(),
            "leave `additionalProperties: false` out",
        );
    }
    if schema.get("default").is_some() {
        fail(
            "default",
            "the generator fills in a default where the venue sent nothing".to_owned(),
            "say it in the description",
        );
    }
    let properties: Vec<&str> = members(schema, "properties").map(|(name, _)| name.as_str()).collect();
    for (first, second) in collisions(properties.iter().copied(), |name| name.to_snake_case()) {
        fail(
            "property-collision",
            format!("`{first}` and `{second}` are one name in Rust"),
            "leave one out, and say so in sources.md",
        );
    }
    for name in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        if !properties.contains(&name) && schema.get("allOf").is_none() {
            fail(
                "unknown-required",
                format!("`{name}` is required and not described"),
                "describe it, or do not require it",
            );
        }
    }
}

fn kind(document: &Document, schema: &Value, nested: bool, fail: &mut dyn FnMut(&'static str, String, &str)) {
    let types = types(schema);
    let nullable_list = schema.get("type").is_some_and(Value::is_array);
    if nullable_list && document.kind == Kind::OpenApi {
        fail("type-list", "OpenAPI 3.0 knows one type a schema".to_owned(), "say `nullable: true`");
    }
    if document.kind == Kind::OpenRpc && schema.get("nullable").is_some() {
        fail("nullable", "JSON Schema has no `nullable`".to_owned(), "write `type: [..., 'null']`");
    }
    if types.len() > 1 {
        fail(
            "mixed-type",
            format!("one value has the types {}", types.join(", ")),
            "use `oneOf`, or `{}` with a description",
        );
    }
    for kind in &types {
        if !["string", "number", "integer", "boolean", "array", "object"].contains(kind) {
            fail("unknown-type", format!("`{kind}` is no type"), "string, number, integer, boolean, array or object");
        }
    }
    if types.contains(&"array") && !schema.get("items").is_some_and(Value::is_object) {
        fail("list-items", "a list does not say what it holds".to_owned(), "add `items`, `{}` for anything");
    }
    if let Some(format) = text(schema, "format")
        && !types.iter().any(|kind| FORMATS.contains(&(format, kind)))
    {
        let message = format!("the format `{format}` means nothing on {}", types.first().unwrap_or(&"this"));
        fail("unknown-format", message, "specs/README.md lists the formats");
    }
    if nested && schema.get("pattern").is_some() {
        fail(
            "inline-pattern",
            "a pattern without a name".to_owned(),
            "name the schema under `schemas`; in answers leave patterns out",
        );
    }
    if let Some(pattern) = text(schema, "pattern")
        && let Err(error) = regress::Regex::new(pattern)
    {
        fail("bad-pattern", format!("`{pattern}`: {error}"), "write an ECMAScript regular expression");
    }
}

fn enumeration(schema: &Value, nested: bool, fail: &mut dyn FnMut(&'static str, String, &str)) {
    let Some(values) = schema.get("enum") else {
        if schema.get("x-closed").is_some() {
            fail("misplaced-word", "`x-closed` stands beside no `enum`".to_owned(), "remove it");
        }
        return;
    };
    let names: Vec<&str> = values.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if types(schema) != ["string"] || names.is_empty() || names.len() != values.as_array().map_or(0, Vec::len) {
        return fail(
            "enum-values",
            "an enum lists strings".to_owned(),
            "for numbers, say the values in the description",
        );
    }
    if nested {
        fail("inline-enum", "an enum without a name".to_owned(), "give it one under `schemas`, and refer to it");
    }
    for (first, second) in collisions(names.iter().copied(), variant) {
        fail(
            "enum-collision",
            format!("`{first}` and `{second}` are one name in Rust"),
            "make it a plain string, and list the values in the description",
        );
    }
}

/// How the generator names a variant: what is no letter or digit falls away.
fn variant(value: &str) -> String {
    value.replace(|c: char| !c.is_alphanumeric(), " ").to_pascal_case()
}

fn composition(document: &Document, schema: &Value, fail: &mut dyn FnMut(&'static str, String, &str)) {
    for key in ["anyOf", "not", "if", "patternProperties", "discriminator", "const"] {
        if schema.get(key).is_some() {
            fail(
                "unsupported",
                format!("`{key}` is misread by the generator"),
                "use `oneOf` or `allOf` of named schemas, or optional fields",
            );
        }
    }
    let Some(choices) = schema.get("oneOf").and_then(Value::as_array) else { return };
    let with_null = choices.iter().filter(|choice| choice.get("type").is_some_and(|t| t == "null")).count();
    if with_null > 0 && document.kind == Kind::OpenRpc && choices.len() == 2 {
        return;
    }
    if is_decimal_or_text(schema) {
        return;
    }
    for choice in choices {
        let target = schema_ref(choice)
            .and_then(|name| document.value.pointer(&step("/components/schemas", name)))
            .unwrap_or(choice);
        let mut has_decimal = false;
        walk_schema("", target, &mut |_, inner| has_decimal |= inner.get("format").is_some_and(|f| f == "decimal"));
        if has_decimal {
            let help = "a choice is decoded through a buffer in which digits are lost: use optional fields, or `[{number, decimal}, {string}]`";
            fail("decimal-in-choice", "an exact number inside a `oneOf`".to_owned(), help);
        }
    }
}

/// `oneOf: [{type: number, format: decimal}, {type: string}]`.
pub fn is_decimal_or_text(schema: &Value) -> bool {
    let Some([number, word]) = schema.get("oneOf").and_then(Value::as_array).map(Vec::as_slice) else { return false };
    types(number) == ["number"] && text(number, "format") == Some("decimal") && types(word) == ["string"]
}
