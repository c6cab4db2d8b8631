//! Operations: what the generator refuses, panics at or gets wrong, and what would reach another route.

use std::collections::BTreeSet;

use heck::ToSnakeCase;
use serde_json::Value;

use super::UNSAFE_IDS;
use crate::document::{Document, Kind};
use crate::finding::Finding;
use crate::model::{Operation, collisions, members, operations, schema_ref, text};
use crate::source::step;

pub fn check(document: &Document, findings: &mut Vec<Finding>) {
    let all = operations(document);
    version(document, findings);
    for (first, second) in collisions(all.iter().map(|operation| operation.id.as_str()), str::to_owned) {
        let at = all.iter().rfind(|operation| operation.id == second).map_or("", |operation| &operation.pointer);
        let message = format!("two operations are called `{first}` in Rust");
        findings.push(document.finding("duplicate-operation", at, message, "give one of them another operationId"));
    }
    for operation in &all {
        let mut fail =
            |rule, at: &str, message: String, help: &str| findings.push(document.finding(rule, at, message, help));
        identity(document, operation, &mut fail);
        parameters(document, operation, &mut fail);
        security(document, operation, &mut fail);
        words(document, operation, &mut fail);
        if document.kind == Kind::OpenApi {
            request(operation, &mut fail);
            responses(operation, &mut fail);
        } else if operation.value.pointer("/result/schema").is_none() {
            fail(
                "untyped-response",
                &operation.pointer,
                format!("`{}` has no result schema", operation.id),
                "add `result: {name, schema}`",
            );
        }
    }
}

type Fail<'a> = dyn FnMut(&'static str, &str, String, &str) + 'a;

fn version(document: &Document, findings: &mut Vec<Finding>) {
    let (key, good) = match document.kind {
        Kind::OpenApi => ("openapi", "3.0."),
        Kind::OpenRpc => ("openrpc", "1."),
    };
    let stated = text(&document.value, key).unwrap_or_default();
    if !stated.starts_with(good) {
        let message = format!("`{key}: {stated}` is no version this generator reads");
        findings.push(document.finding(
            "version",
            &step("", key),
            message,
            format!("write `{key}: {good}x`, quoted if it looks like a number"),
        ));
    }
    if document.value.get("info").and_then(|info| text(info, "version")).is_none() {
        findings.push(document.finding("version", "/info", "`info.version` is no text", "quote it: `version: '1.0'`"));
    }
}

fn identity(document: &Document, operation: &Operation<'_>, fail: &mut Fail<'_>) {
    let at = &operation.pointer;
    if operation.id.is_empty() {
        fail(
            "no-operation-id",
            at,
            format!("{} {} has no operationId", operation.method, operation.path),
            "name it as the venue does",
        );
    }
    if document.kind == Kind::OpenRpc {
        return;
    }
    if operation.path.contains("//") || !operation.path.starts_with('/') {
        fail(
            "bad-path",
            at,
            format!("`{}` is no path template", operation.path),
            "begin it with one slash, and never write two in a row",
        );
    }
    if !matches!(operation.method.as_str(), "GET" | "PUT" | "POST" | "DELETE" | "PATCH") {
        fail(
            "bad-method",
            at,
            format!("{} is not supported", operation.method),
            "leave the operation out, and say so in sources.md",
        );
    }
    if operation.value.get("callbacks").is_some() {
        fail("callbacks", at, "callbacks are ignored by the generator".to_owned(), "describe them in sources.md");
    }
    let placeholders: BTreeSet<&str> =
        operation.path.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name)).collect();
    let declared: BTreeSet<String> = operation
        .parameters(document)
        .into_iter()
        .filter(|(_, parameter)| text(parameter, "in") == Some("path"))
        .filter_map(|(_, parameter)| text(parameter, "name").map(str::to_owned))
        .collect();
    for name in &placeholders {
        if !declared.contains(*name) {
            fail(
                "missing-path-parameter",
                at,
                format!("`{{{name}}}` has no parameter"),
                "declare it with `in: path` and `required: true`",
            );
        }
    }
    for name in &declared {
        if !placeholders.contains(name.as_str()) {
            fail(
                "unused-path-parameter",
                at,
                format!("`{name}` does not occur in `{}`", operation.path),
                "add `{name}` to the path, or remove the parameter",
            );
        }
    }
}

fn parameters(document: &Document, operation: &Operation<'_>, fail: &mut Fail<'_>) {
    let all = operation.parameters(document);
    let names = all.iter().filter_map(|(_, parameter)| text(parameter, "name"));
    for (first, second) in collisions(names, |name| name.to_snake_case()) {
        let message = format!("the parameters `{first}` and `{second}` are one name in Rust");
        fail(
            "parameter-collision",
            &operation.pointer,
            message,
            "the generator knows parameters by name only; leave one out or rename it",
        );
    }
    for (at, parameter) in &all {
        let name = text(parameter, "name").unwrap_or_default();
        if name.is_empty() {
            fail("nameless-parameter", at, "the parameter has no name".to_owned(), "add `name`");
        }
        let Some(schema) = parameter.get("schema").filter(|schema| schema.is_object()) else {
            fail(
                "parameter-content",
                at,
                format!("`{name}` has no schema"),
                "describe it by `schema`, not by `content`",
            );
            continue;
        };
        if document.kind == Kind::OpenRpc {
            continue;
        }
        let place = text(parameter, "in").unwrap_or_default();
        let style = text(parameter, "style");
        let good_style = match place {
            "query" => style.is_none_or(|s| s == "form"),
            "path" | "header" => style.is_none_or(|s| s == "simple"),
            _ => {
                fail(
                    "parameter-place",
                    at,
                    format!("`{name}` is in `{place}`"),
                    "a parameter is in `path`, `query` or `header`",
                );
                continue;
            }
        };
        if !good_style {
            let help = "only `form` in the query and `simple` elsewhere are generated; write `a[b]` as a parameter of that name";
            fail("parameter-style", at, format!("`{name}` has the style `{}`", style.unwrap_or_default()), help);
        }
        if parameter.get("explode") == Some(&Value::Bool(false)) {
            fail(
                "explode",
                at,
                format!("`explode: false` on `{name}` is ignored by the generator"),
                "make it `type: string` and say that commas join the values",
            );
        }
        let is_list = text(schema, "type") == Some("array");
        if is_list && place != "query" {
            fail(
                "list-parameter",
                at,
                format!("`{name}` is a list outside the query"),
                "make it a string that says how it is joined",
            );
        }
        if place == "path" {
            if parameter.get("required") != Some(&Value::Bool(true)) {
                fail(
                    "optional-path-parameter",
                    at,
                    format!("`{name}` is not `required: true`"),
                    "a path parameter always is",
                );
            }
            path_pattern(document, at, name, schema, fail);
        }
    }
}

/// A path parameter is percent-encoded by the generator, but `.` is not: without a pattern, `..` reaches another route.
fn path_pattern(document: &Document, at: &str, name: &str, schema: &Value, fail: &mut Fail<'_>) {
    let help = "give it a `$ref` to a string schema whose pattern accepts neither '', '.', '..' nor a slash";
    let target = schema_ref(schema).and_then(|name| document.value.pointer(&step("/components/schemas", name)));
    let Some(pattern) = target.and_then(|schema| text(schema, "pattern")) else {
        return fail("bare-path-parameter", at, format!("`{name}` accepts any text"), help);
    };
    match regress::Regex::new(pattern) {
        Err(error) => {
            fail("bad-pattern", at, format!("`{pattern}`: {error}"), "write an ECMAScript regular expression")
        }
        Ok(regex) => {
            if let Some(bad) = UNSAFE_IDS.iter().find(|id| regex.find(id).is_some()) {
                fail("unsafe-path-pattern", at, format!("the pattern of `{name}` accepts {bad:?}"), help);
            }
        }
    }
}

fn request(operation: &Operation<'_>, fail: &mut Fail<'_>) {
    const MEDIA: [&str; 2] = ["application/json", "application/x-www-form-urlencoded"];
    let Some(body) = operation.value.get("requestBody") else { return };
    let at = step(&operation.pointer, "requestBody");
    if operation.method == "GET" {
        fail("body-on-get", &at, "a GET has a body".to_owned(), "put the values into the query");
    }
    if body.get("required") != Some(&Value::Bool(true)) {
        fail(
            "optional-body",
            &at,
            "the generator treats every body as required".to_owned(),
            "say `required: true`; an object without required fields is sent as `{}`",
        );
    }
    let media = operation.request_media();
    if media.len() != 1 {
        fail("request-media", &at, format!("{} request media types", media.len()), "a request has exactly one");
    }
    for (at, content) in media {
        let name = at.rsplit('/').next().unwrap_or_default().replace("~1", "/");
        if !MEDIA.contains(&name.as_str()) {
            fail(
                "request-media",
                &at,
                format!("`{name}` cannot be generated"),
                "only JSON and form bodies can; leave the operation out, and say so in sources.md",
            );
        }
        if content.get("encoding").is_some() {
            fail("encoding", &at, "`encoding` makes the generator panic".to_owned(), "leave it out");
        }
        if content.get("schema").is_none() {
            fail("untyped-request", &at, "the body has no schema".to_owned(), "refer to a named schema");
        }
    }
}

fn responses(operation: &Operation<'_>, fail: &mut Fail<'_>) {
    let all = operation.responses();
    let good: Vec<_> = all.iter().filter(|(_, status, _)| status.starts_with('2')).collect();
    if good.len() != 1 {
        fail(
            "success-responses",
            &operation.pointer,
            format!("{} 2xx responses", good.len()),
            "an operation has exactly one",
        );
    }
    for (at, status, response) in &all {
        let known = matches!(*status, "2XX" | "4XX" | "5XX")
            || status.parse::<u16>().is_ok_and(|code| (200..300).contains(&code) || code >= 400);
        if !known {
            fail(
                "response-status",
                at,
                format!("`{status}` is not read by the generator"),
                "write one 2xx, and `4XX` and `5XX` for errors",
            );
        }
        if text(response, "description").is_none() && response.get("$ref").is_none() {
            fail("response-description", at, "the response has no description".to_owned(), "OpenAPI asks for one");
        }
        for (media, content) in members(response, "content") {
            if media != "application/json" {
                fail(
                    "response-media",
                    at,
                    format!("`{media}` would be handed out as a raw byte stream"),
                    "only JSON answers are typed",
                );
            }
            if content.get("schema").is_none() {
                fail(
                    "untyped-response",
                    at,
                    "a JSON answer without schema makes the generator panic".to_owned(),
                    "refer to a named schema",
                );
            }
        }
    }
}

fn security(document: &Document, operation: &Operation<'_>, fail: &mut Fail<'_>) {
    let (key, schemes) = match document.kind {
        Kind::OpenApi => ("security", "/components/securitySchemes"),
        Kind::OpenRpc => ("x-security", "/x-security-schemes"),
    };
    let Some(requirements) = operation.value.get(key).or_else(|| document.value.get(key)) else {
        return fail(
            "no-security",
            &operation.pointer,
            format!("nothing says who may call `{}`", operation.id),
            "add `security`, `[]` for a public operation, here or at the root",
        );
    };
    for requirement in requirements.as_array().into_iter().flatten() {
        for name in requirement.as_object().into_iter().flatten().map(|(name, _)| name) {
            if document.value.pointer(&step(schemes, name)).is_none() {
                fail(
                    "unknown-scheme",
                    &operation.pointer,
                    format!("there is no security scheme `{name}`"),
                    "define it at the root",
                );
            }
        }
    }
}

/// Words that name something in the operation.
fn words(document: &Document, operation: &Operation<'_>, fail: &mut Fail<'_>) {
    let parameters = operation.parameters(document);
    let has = |name: &str, place: Option<&str>| {
        parameters.iter().any(|(_, p)| {
            text(p, "name").is_some_and(|n| n.eq_ignore_ascii_case(name)) && (place.is_none() || text(p, "in") == place)
        })
    };
    let body_has = |field: &str| {
        operation
            .request_media()
            .iter()
            .filter_map(|(_, media)| schema_ref(media.get("schema")?))
            .any(|name| document.value.pointer(&format!("/components/schemas/{name}/properties/{field}")).is_some())
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
    if let Some(field) =
        operation.value.get("x-rate").and_then(|rate| text(rate, "per-item")).filter(|field| !body_has(field))
    {
        let at = step(&operation.pointer, "x-rate");
        fail(
            "unknown-key",
            &at,
            format!("the request of `{}` has no list `{field}`", operation.id),
            "name a member of the request",
        );
    }
    let Some(page) = operation.value.get("x-page") else { return };
    let at = step(&operation.pointer, "x-page");
    if let Some(param) = text(page, "param").filter(|param| !has(param, None) && !body_has(param)) {
        fail(
            "unknown-key",
            &at,
            format!("`{}` has no parameter `{param}`", operation.id),
            "name the parameter that asks for a page",
        );
    }
    for key in ["next", "last", "items"] {
        let Some(dotted) = text(page, key).filter(|dotted| !dotted.is_empty()) else { continue };
        let mut schema = operation.result_schema(document).map(|(_, schema)| schema);
        for name in dotted.split('.') {
            schema =
                schema.map(|schema| resolve(document, schema)).and_then(|schema| schema.get("properties")?.get(name));
        }
        if schema.is_none() {
            fail(
                "unknown-key",
                &at,
                format!("the answer of `{}` has no `{dotted}`", operation.id),
                "name a member of the answer, with dots between levels",
            );
        }
    }
}

fn resolve<'a>(document: &'a Document, schema: &'a Value) -> &'a Value {
    schema_ref(schema).and_then(|name| document.value.pointer(&step("/components/schemas", name))).unwrap_or(schema)
}
