//! Request bodies and answers.

use serde_json::Value;

use super::Fail;
use crate::document::Document;
use crate::lint::schemas::types;
use crate::lint::{is_decimal_or_text, is_integer_or_text};
use crate::model::{FORM, Operation, members, operations, resolve, schemes_at, stands_for, text};
use crate::source::step;

pub fn request(document: &Document, operation: &Operation<'_>, fail: &mut Fail<'_>) {
    let Some(body) = operation.value.get("requestBody") else { return };
    let at = step(&operation.pointer, "requestBody");
    if operation.method == "GET" {
        fail("body-on-get", &at, "a GET has a body".to_owned(), "put the values into the query");
    }
    if body.get("required") != Some(&Value::Bool(true)) {
        let help = "say `required: true`; an object without required fields is sent as `{}`";
        fail("optional-body", &at, "the generator treats every body as required".to_owned(), help);
    }
    if members(body, "content").count() != 1 {
        let count = members(body, "content").count();
        fail("request-media", &at, format!("{count} request media types"), "a request has exactly one");
    }
    for (name, content) in members(body, "content") {
        let at = step(&step(&at, "content"), name);
        match name.as_str() {
            "application/json" if gets_parameters(document, operation) => {
                let help = "a signature with `adds` extends the query or a form: the request body is a form";
                fail(
                    "request-media",
                    &at,
                    "a JSON body cannot carry the parameters that the signature adds".to_owned(),
                    help,
                );
            }
            "application/json" => {}
            FORM => form(document, &at, content, fail),
            _ => {
                let help = "only JSON bodies and forms can; leave the operation out, and say so in sources.md";
                fail("request-media", &at, format!("`{name}` cannot be generated"), help);
            }
        }
        if content.get("encoding").is_some() {
            fail("encoding", &at, "`encoding` makes the generator panic".to_owned(), "leave it out");
        }
        if content.get("schema").is_none() {
            fail("untyped-request", &at, "the body has no schema".to_owned(), "refer to a named schema");
        }
    }
}

/// Whether a signature that may be used adds parameters to the request.
fn gets_parameters(document: &Document, operation: &Operation<'_>) -> bool {
    let security = operation.value.get("security").or_else(|| document.value.get("security"));
    let names = security.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object).flatten();
    names.into_iter().any(|(name, _)| {
        let scheme = document.value.pointer(&step(schemes_at(document), name));
        let credential = scheme.and_then(|scheme| text(scheme, "x-credential")).unwrap_or_default();
        document.value.pointer(&step(&step("/x-signatures", credential), "adds")).is_some()
    })
}

/// The members of a form are texts, numbers, booleans and lists: nothing is nested.
fn form(document: &Document, at: &str, content: &Value, fail: &mut Fail<'_>) {
    let schema = content.get("schema").unwrap_or(&Value::Null);
    let object = resolve(document, schema);
    if stands_for(schema).is_none() || text(object, "type") != Some("object") || object.get("allOf").is_some() {
        let help = "refer to a named object";
        return fail("form", at, "the form is not a named object".to_owned(), help);
    }
    if object.get("additionalProperties").is_some() {
        fail("form", at, "a form only has the members that it lists".to_owned(), "leave `additionalProperties` out");
    }
    let is_value = |property: &Value| {
        let one = resolve(document, property);
        is_decimal_or_text(one)
            || is_integer_or_text(one)
            || matches!(types(one).as_slice(), ["string" | "number" | "integer" | "boolean" | "array"])
    };
    for (name, _) in members(object, "properties").filter(|(_, property)| !is_value(property)) {
        let help = "a form takes texts, numbers, booleans and lists; a list is written as JSON text";
        fail("form", at, format!("`{name}` cannot be a member of a form"), help);
    }
}

pub fn responses(operation: &Operation<'_>, fail: &mut Fail<'_>) {
    let all = operation.responses();
    let good = all.iter().filter(|(_, status, _)| status.starts_with('2')).count();
    if good != 1 {
        let message = format!("{good} 2xx responses");
        fail("success-responses", &operation.pointer, message, "an operation has exactly one");
    }
    for status in ["4XX", "5XX"] {
        if !all.iter().any(|(_, other, _)| *other == status) {
            let message = format!("`{}` does not say how it fails: `{status}` is missing", operation.id);
            let help = format!("add `{status}` to `responses`, with the venue's error schema");
            fail("error-responses", &operation.pointer, message, &help);
        }
    }
    for (at, status, response) in &all {
        let known = matches!(*status, "2XX" | "4XX" | "5XX")
            || status.len() == 3
                && status.parse::<u16>().is_ok_and(|code| (200..300).contains(&code) || (400..600).contains(&code));
        if !known {
            let help = "write one 2xx, and `4XX` and `5XX` for errors";
            fail("response-status", at, format!("`{status}` is not read by the generator"), help);
        }
        if response.get("$ref").is_some() {
            if status.starts_with('2') {
                let help = "write it out here; only error responses are shared";
                fail("response-ref", at, "the successful response is defined elsewhere".to_owned(), help);
            }
            continue;
        }
        if text(response, "description").is_none() {
            fail("response-description", at, "the response has no description".to_owned(), "OpenAPI asks for one");
        }
        media(at, response, fail);
    }
}

/// One error schema serves all operations; shared responses are JSON like the others.
pub fn errors(document: &Document, fail: &mut Fail<'_>) {
    let shared = document.value.get("components").unwrap_or(&Value::Null);
    for (name, response) in members(shared, "responses") {
        media(&step("/components/responses", name), response, fail);
    }
    let mut first: Option<(&str, String)> = None;
    for operation in operations(document) {
        for (at, status, response) in operation.responses() {
            if status.starts_with('2') {
                continue;
            }
            let target = text(response, "$ref").and_then(|target| document.value.pointer(target.strip_prefix('#')?));
            let contents = members(target.unwrap_or(response), "content");
            for name in contents.filter_map(|(_, content)| stands_for(content.get("schema")?)) {
                let (known, place) = first.get_or_insert_with(|| (name, document.locate(&at).to_string()));
                if *known != name {
                    let message = format!("the error is a `{name}`, and at {place} a `{known}`");
                    fail(
                        "error-schema",
                        &at,
                        message,
                        "describe the errors of a venue by one schema with optional fields",
                    );
                }
            }
        }
    }
}

fn media(at: &str, response: &Value, fail: &mut Fail<'_>) {
    for (media, content) in members(response, "content") {
        if media != "application/json" {
            let message = format!("`{media}` would be handed out as a raw byte stream");
            let help = "only `application/json` is typed: leave the operation out, and say so in sources.md";
            fail("response-media", at, message, help);
        }
        if content.get("schema").is_none() {
            let message = "a JSON response without schema makes the generator panic".to_owned();
            fail("untyped-response", at, message, "refer to a named schema");
        }
        if content.get("encoding").is_some() {
            fail("encoding", at, "`encoding` makes the generator panic".to_owned(), "leave it out");
        }
    }
}
