//! Words that name something in their operation.

use serde_json::Value;

use super::Fail;
use crate::document::Document;
use crate::lint::schemas::types;
use crate::model::{Operation, request_field, resolve, schema_ref, text};
use crate::source::step;

pub fn check(document: &Document, operation: &Operation<'_>, fail: &mut Fail<'_>) {
    let parameters = operation.parameters(document);
    let has = |name: &str, place: Option<&str>| {
        parameters.iter().any(|(_, p)| {
            text(p, "name").is_some_and(|n| n.eq_ignore_ascii_case(name)) && (place.is_none() || text(p, "in") == place)
        })
    };
    let body_has = |field: &str| {
        operation.request_media().iter().filter_map(|(_, media)| schema_ref(media.get("schema")?)).any(|name| {
            document.value.pointer(&step(&format!("/components/schemas/{name}/properties"), field)).is_some()
        })
    };
    if let Some(keyed) = operation.value.pointer("/x-retry/keyed") {
        let at = step(&operation.pointer, "x-retry");
        if let Some(header) = text(keyed, "header").filter(|header| !has(header, Some("header"))) {
            fail(
                "unknown-key",
                &at,
                format!("`{}` has no header parameter `{header}`", operation.id),
                "declare it with `in: header`",
            );
        }
        if let Some(field) = text(keyed, "field").filter(|field| !body_has(field) && !has(field, None)) {
            fail(
                "unknown-key",
                &at,
                format!("the request of `{}` has no `{field}`", operation.id),
                "name a member of the request",
            );
        }
    }
    if let Some((at, schema)) = operation.idempotency_key(document) {
        idempotency_key(operation, &at, schema, fail);
    }
    let at_rate = step(&operation.pointer, "x-rate");
    for rate in operation.rates() {
        let is_list = |name: &str| {
            let field = request_field(document, operation, name);
            field.is_some_and(|field| types(resolve(document, field.schema)).contains(&"array"))
        };
        if let Some(list) = text(rate, "per-item").filter(|list| !is_list(list)) {
            let message = format!("the request of `{}` has no list `{list}`", operation.id);
            fail("unknown-key", &at_rate, message, "name a list of the request");
        }
        let rows = rate.get("costs").and_then(Value::as_array).into_iter().flatten();
        for name in rows.filter_map(|row| ["without", "given", "parameter"].iter().find_map(|key| text(row, key))) {
            if request_field(document, operation, name).is_none() {
                let message = format!("the request of `{}` has no `{name}`", operation.id);
                fail("unknown-key", &at_rate, message, "name a parameter of the request");
            }
        }
    }
    if let Some(name) = text(operation.value, "x-client-id")
        && request_field(document, operation, name).is_none()
    {
        let at = step(&operation.pointer, "x-client-id");
        let message = format!("the request of `{}` has no `{name}`", operation.id);
        fail("unknown-key", &at, message, "name a member of the request");
    }
    if let Some(place) = operation.value.pointer("/x-venue-time/at").and_then(Value::as_str) {
        let at = step(&operation.pointer, "x-venue-time");
        let unit = operation.value.pointer("/x-venue-time/unit").and_then(Value::as_str).unwrap_or_default();
        match in_result(document, operation, place.split('/').skip(1)) {
            None => {
                let message = format!("the response of `{}` has no `{place}`", operation.id);
                fail("unknown-key", &at, message, "name a member of the response, as a JSON pointer");
            }
            Some(schema) => {
                // A schema without a unit of its own says nothing against it.
                let format = text(resolve(document, schema), "format").filter(|format| format.starts_with("unix-"));
                if let Some(format) = format.filter(|format| *format != unit) {
                    let message = format!("`{place}` of `{}` is `format: {format}`, and not {unit}", operation.id);
                    fail("venue-time-unit", &at, message, "write the unit of the member, or correct its format");
                }
            }
        }
    }
}

/// The client makes keys that are UUIDs, as text.
const UUID: u64 = 36;

/// A venue treats an empty key as no key: a write with one would be repeated and executed twice.
fn idempotency_key(operation: &Operation<'_>, at: &str, schema: &Value, fail: &mut Fail<'_>) {
    let length = |name: &str| schema.get(name).and_then(Value::as_u64);
    let id = &operation.id;
    if text(schema, "type") != Some("string") {
        fail("idempotency-key", at, format!("the idempotency key of `{id}` is not a string"), "make it `type: string`");
        return;
    }
    if length("minLength").is_none_or(|shortest| shortest == 0) {
        let help = "add `minLength: 1`, or what the venue's documentation says, and `maxLength` where it says that";
        fail("idempotency-key", at, format!("the idempotency key of `{id}` may be empty"), help);
    }
    if length("minLength").is_some_and(|shortest| shortest > UUID)
        || length("maxLength").is_some_and(|most| most < UUID)
    {
        let message = format!("the idempotency key of `{id}` cannot be a UUID, of {UUID} characters");
        fail("idempotency-key", at, message, "the client makes such keys: let `minLength` and `maxLength` allow them");
    }
}

/// The schema of a member of the response.
pub fn in_result<'a, 'n>(
    document: &'a Document,
    operation: &Operation<'a>,
    mut path: impl Iterator<Item = &'n str>,
) -> Option<&'a Value> {
    let (_, top) = operation.result_schema(document)?;
    path.try_fold(top, |schema, name| resolve(document, schema).get("properties")?.get(name))
}
