//! Schemas: names, secrets, money, and the shapes that the generator panics at or gets wrong.

use serde_json::Value;

use super::{NAMES, composition};
use crate::document::{Document, Kind};
use crate::finding::Finding;
use crate::model::{Reach, collisions, members, operations, parameter_schema, resolve, stands_for, text, walk_schema};
use crate::names::{pascal, snake};
use crate::source::step;
use crate::streams::{self, Channel};

/// How many lists and maps may be inside one another.
const DEEPEST: usize = 32;

/// Formats that mean something here, with the type each belongs to.
const FORMATS: [(&str, &str); 13] = [
    ("decimal", "string"),
    ("decimal", "number"),
    ("secret", "string"),
    ("date-time", "string"),
    ("unix-s", "integer"),
    ("unix-ms", "integer"),
    ("unix-us", "integer"),
    ("unix-ns", "integer"),
    ("unix-ms-or-us", "integer"),
    ("int32", "integer"),
    ("int64", "integer"),
    ("uuid", "string"),
    ("uri", "string"),
];

pub fn check(document: &Document, findings: &mut Vec<Finding>) {
    let reach = Reach::of(document);
    for (name, schema) in members(document.value.get("components").unwrap_or(&Value::Null), "schemas") {
        let at = step("/components/schemas", name);
        if text(schema, "type") == Some("array") {
            let help = "name the elements, and write the list where it is used";
            findings.push(document.finding("named-list", &at, format!("`{name}` is a list with a name"), help));
        }
        if let Some(other) = stands_for(schema) {
            let message = format!("`{name}` is another name for `{other}`");
            findings.push(document.finding("alias", &at, message, format!("refer to `{other}`")));
        }
        let null_type = schema.get("type").and_then(Value::as_array).is_some_and(|all| all.iter().any(|t| t == "null"));
        if null_type || schema.get("nullable") == Some(&Value::Bool(true)) {
            let help = "say that it may be null where it is used";
            findings.push(document.finding("nullable-name", &at, format!("`{name}` is null or a `{name}`"), help));
        }
        tree(document, &at, schema, true, reach.response.contains(name), findings);
    }
    for parameter in streams::channels(document).iter().flat_map(Channel::parameters) {
        let Some(schema) = parameter.schema() else { continue };
        field(document, &parameter.pointer, parameter.name, schema, false, findings);
        tree(document, &parameter.schema_pointer(), schema, false, false, findings);
    }
    for operation in operations(document) {
        for (at, parameter) in operation.parameters(document) {
            let Some((below, schema)) = parameter_schema(parameter) else { continue };
            let name = text(parameter, "name").unwrap_or_default();
            let excused = parameter.get("x-not-secret").is_some();
            field(document, &at, name, schema, excused, findings);
            tree(document, &format!("{at}{below}"), schema, false, false, findings);
        }
        for (at, media) in operation.request_media() {
            if let Some(schema) = media.get("schema") {
                tree(document, &step(&at, "schema"), schema, false, false, findings);
            }
        }
        if let Some((at, schema)) = operation.result_schema(document) {
            tree(document, &at, schema, false, true, findings);
        }
    }
}

fn is_inline_object(schema: &Value) -> bool {
    schema.get("properties").is_some()
        || schema.get("allOf").is_some_and(|all| all.as_array().is_none_or(|parts| parts.len() > 1))
}

/// A schema and all schemas written inside it. Only the outermost can have a name.
fn tree(document: &Document, at: &str, schema: &Value, named: bool, in_response: bool, findings: &mut Vec<Finding>) {
    walk_schema(at, schema, &mut |pointer, inner| {
        let nested = pointer != at || !named;
        one(document, pointer, inner, nested, in_response, findings);
        if let Some(also) = inner.get("x-also") {
            walk_schema(&step(pointer, "x-also"), also, &mut |at, inner| unlisted(document, at, inner, findings));
        }
        for (name, property) in members(inner, "properties") {
            let below = step(&step(pointer, "properties"), name);
            field(document, &below, name, property, property.get("x-not-secret").is_some(), findings);
        }
    });
}

/// A schema by which requests are checked, and of which nothing is generated.
fn unlisted(document: &Document, at: &str, schema: &Value, findings: &mut Vec<Finding>) {
    twice(document, at, schema, findings);
    let mut fail = |rule, message: String, help: &str| findings.push(document.finding(rule, at, message, help));
    known_types(schema, &mut fail);
    bounds(schema, &mut fail);
    if schema.get("enum").is_some_and(|values| values.as_array().is_none_or(Vec::is_empty)) {
        fail("enum-values", "an enum lists values".to_owned(), "add them, or leave `enum` out");
    }
}

/// A named field: what its name says it is must be what its schema says.
fn field(document: &Document, at: &str, name: &str, schema: &Value, excused: bool, findings: &mut Vec<Finding>) {
    let target = innermost(document, schema);
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

/// What the lists and maps of a schema hold in the end.
fn innermost<'a>(document: &'a Document, schema: &'a Value) -> &'a Value {
    let mut target = resolve(document, schema);
    // One that holds itself has no end.
    for _ in 0..DEEPEST {
        let is_list = text(target, "type") == Some("array");
        let held = if is_list { target.get("items") } else { target.get("additionalProperties") };
        match held.filter(|held| held.is_object()) {
            Some(held) if target.get("properties").is_none() => target = resolve(document, held),
            _ => break,
        }
    }
    target
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
    twice(document, at, schema, findings);
    let mut fail = |rule, message: String, help: &str| findings.push(document.finding(rule, at, message, help));
    if !schema.is_object() {
        return fail("not-a-schema", "a schema is a mapping".to_owned(), "write `{}` for any value");
    }
    if composition::is_null_choice(document, at, schema) {
        return;
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
    keywords(schema, &mut fail);
    bounds(schema, &mut fail);
    enumeration(schema, nested, &mut fail);
    composition::check(document, schema, nested, &mut fail);
    if in_response && schema.get("additionalProperties") == Some(&Value::Bool(false)) {
        fail(
            "closed-object",
            "a response with a new field would be rejected".to_owned(),
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
    // The generator collects the members that are not described under a name of its own.
    let extra = schema.get("additionalProperties").is_some_and(Value::is_object) && !properties.is_empty();
    let named = members(schema, "properties").map(|(name, property)| text(property, "x-name").unwrap_or(name));
    let names: Vec<&str> = named.chain(extra.then_some("extra")).collect();
    for (first, second) in collisions(names.iter().copied(), snake) {
        let [first, second] = [first, second].map(|index| names[index]);
        fail(
            "property-collision",
            format!("`{first}` and `{second}` are one name in Rust"),
            "give one a name of its own: `x-name: NAME`",
        );
    }
    let names = |key| schema.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    for name in names("x-vital") {
        if !properties.contains(&name) || names("required").any(|required| required == name) || !in_response {
            fail(
                "unknown-vital",
                format!("`{name}` is not an optional member of a response that is described here"),
                "name members of this object of which one at least is in every response",
            );
        }
    }
    for name in names("required") {
        if !properties.contains(&name) && schema.get("allOf").is_none() {
            fail(
                "unknown-required",
                format!("`{name}` is required and not described"),
                "describe it, or do not require it",
            );
        }
    }
}

/// Words that a list has twice.
fn twice(document: &Document, at: &str, schema: &Value, findings: &mut Vec<Finding>) {
    for key in ["enum", "required"] {
        let listed = schema.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for (i, value) in listed.iter().enumerate() {
            if let Some(first) = listed[..i].iter().position(|other| other == value) {
                let place = |index: usize| document.locate(&step(&step(at, key), &index.to_string()));
                let word = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let message = format!("`{word}` is defined twice in `{key}`, first at {}", place(first));
                let finding = document.finding(
                    "duplicate-word",
                    &step(&step(at, key), &i.to_string()),
                    message,
                    "remove one of them",
                );
                findings.push(finding);
            }
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
    if types.is_empty() && schema.get("type").is_some() {
        fail("unknown-type", "no type but null".to_owned(), "write `{}` for any value");
    }
    known_types(schema, fail);
    let unknown_content =
        schema.get("properties").is_none() && !schema.get("additionalProperties").is_some_and(Value::is_object);
    if types.contains(&"object")
        && unknown_content
        && (schema.get("additionalProperties") != Some(&Value::Bool(true)) || schema.get("description").is_none())
    {
        let help = "describe its fields, or say `additionalProperties: true` and in the description why";
        fail("bare-object", "nobody has said what the object holds".to_owned(), help);
    }
    let is_tuple = schema.get("x-tuple").is_some();
    if types.contains(&"array") && !is_tuple && !schema.get("items").is_some_and(Value::is_object) {
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
}

fn known_types(schema: &Value, fail: &mut dyn FnMut(&'static str, String, &str)) {
    for kind in types(schema) {
        if !["string", "number", "integer", "boolean", "array", "object"].contains(&kind) {
            fail("unknown-type", format!("`{kind}` is no type"), "string, number, integer, boolean, array or object");
        }
    }
}

/// What only values of one type have, said of others, is ignored or makes the generator guess.
fn keywords(schema: &Value, fail: &mut dyn FnMut(&'static str, String, &str)) {
    const KEYWORDS: [(&str, &str); 5] = [
        ("pattern", "string"),
        ("items", "array"),
        ("properties", "object"),
        ("required", "object"),
        ("additionalProperties", "object"),
    ];
    for (keyword, kind) in KEYWORDS {
        if schema.get(keyword).is_some() && !types(schema).contains(&kind) {
            let message = format!("`{keyword}` means nothing without `type: {kind}`");
            fail("unknown-member", message, "correct the type, or remove it");
        }
    }
}

/// Bounds that no value meets.
fn bounds(schema: &Value, fail: &mut dyn FnMut(&'static str, String, &str)) {
    for (least, most) in [
        ("minimum", "maximum"),
        ("minLength", "maxLength"),
        ("minItems", "maxItems"),
        ("minProperties", "maxProperties"),
    ] {
        if let (Some(low), Some(high)) = (schema.get(least), schema.get(most))
            && low.as_f64() > high.as_f64()
        {
            fail("bad-bounds", format!("`{least}: {low}` is above `{most}: {high}`"), "exchange them, or correct one");
        }
    }
    if schema.get("multipleOf").and_then(Value::as_f64).is_some_and(|step| step <= 0.0) {
        fail("bad-bounds", "`multipleOf` is not above 0".to_owned(), "correct it, or say it in the description");
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
    for key in ["format", "pattern", "x-rust-type"] {
        if schema.get(key).is_some() {
            fail(
                "unknown-member",
                format!("`{key}` means nothing beside `enum`"),
                "the values say all there is to say",
            );
        }
    }
    if nested {
        fail("inline-enum", "an enum without a name".to_owned(), "give it one under `schemas`, and refer to it");
    }
    for (first, second) in collisions(names.iter().copied(), pascal) {
        let [first, second] = [first, second].map(|index| names[index]);
        // The same word twice is a mistake of another kind.
        if first != second {
            fail(
                "enum-collision",
                format!("`{first}` and `{second}` are one name in Rust"),
                "make it a plain string, and list the values in the description",
            );
        }
    }
}
