//! Parameters: where they stand, what they hold, and what must never be one.

use serde_json::Value;

use super::patterns::compiled;
use super::whole_text::{is_anchored, may_have_slash};
use super::{Fail, UNSAFE_IDS};
use crate::document::{Document, Kind};
use crate::lint::schemas::types;
use crate::model::{
    Operation, is_json_text, members, parameter_schema, resolve, schema_ref, schemes, schemes_at, text,
};
use crate::source::step;

/// Headers that the transport writes.
const HEADERS: [&str; 9] = [
    "accept",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "transfer-encoding",
    "user-agent",
];

pub fn check(document: &Document, operation: &Operation<'_>, fail: &mut Fail<'_>) {
    for (at, parameter) in operation.parameters(document) {
        let name = text(parameter, "name").unwrap_or_default();
        if name.is_empty() {
            fail("nameless-parameter", &at, "the parameter has no name".to_owned(), "add `name`");
        }
        let Some((_, schema)) = parameter_schema(parameter).filter(|(_, schema)| schema.is_object()) else {
            let help =
                "describe it by `schema`, or a list that is JSON text by `content: {application/json: {schema: ...}}`";
            fail("parameter-content", &at, format!("`{name}` has no schema"), help);
            continue;
        };
        if is_json_text(parameter) {
            json_text(document, &at, name, parameter, schema, fail);
        }
        if parameter.get("x-left-out").is_some() && parameter.get("required") != Some(&Value::Bool(true)) {
            let message = format!("`{name}` is not required, so that it may be left out anyway");
            fail("bad-word", &at, message, "take `x-left-out` away");
        }
        if document.kind == Kind::OpenApi {
            place(document, &at, name, parameter, schema, fail);
        }
    }
}

/// `content` is only for a list in the query that is written as JSON text.
fn json_text(document: &Document, at: &str, name: &str, parameter: &Value, schema: &Value, fail: &mut Fail<'_>) {
    let is_alone = parameter.get("schema").is_none() && members(parameter, "content").count() == 1;
    let is_list = types(resolve(document, schema)).contains(&"array");
    if !is_alone || !is_list || text(parameter, "in") != Some("query") || document.kind != Kind::OpenApi {
        let help = "`content` with `application/json` alone is for lists in the query; anything else has a `schema`";
        fail("parameter-content", at, format!("`{name}` is not a list in the query"), help);
    }
}

fn place(document: &Document, at: &str, name: &str, parameter: &Value, schema: &Value, fail: &mut Fail<'_>) {
    let place = text(parameter, "in").unwrap_or_default();
    let usual = match place {
        "query" => "form",
        "path" | "header" => "simple",
        _ => {
            let help = "a parameter is in `path`, `query` or `header`";
            return fail("parameter-place", at, format!("`{name}` is in `{place}`"), help);
        }
    };
    if let Some(style) = text(parameter, "style").filter(|style| *style != usual) {
        let help =
            "only `form` in the query and `simple` elsewhere are generated; write `a[b]` as a parameter of that name";
        fail("parameter-style", at, format!("`{name}` has the style `{style}`"), help);
    }
    if parameter.get("explode") == Some(&Value::Bool(false)) {
        let message = format!("`explode: false` on `{name}` is ignored by the generator");
        fail("explode", at, message, "make it `type: string` and say that commas join the values");
    }
    holds(document, at, name, place, resolve(document, schema), fail);
    match place {
        "path" => {
            if parameter.get("required") != Some(&Value::Bool(true)) {
                let message = format!("`{name}` is not `required: true`");
                fail("optional-path-parameter", at, message, "a path parameter always is");
            }
            path_pattern(document, at, name, schema, fail);
        }
        "header" => header(document, at, name, fail),
        _ => {}
    }
}

/// What is written into a URL or a header is one text, or in the query several.
fn holds(document: &Document, at: &str, name: &str, place: &str, target: &Value, fail: &mut Fail<'_>) {
    let is_list = types(target).contains(&"array");
    if is_list && place != "query" {
        let help = "make it a string that says how it is joined";
        return fail("list-parameter", at, format!("`{name}` is a list outside the query"), help);
    }
    let one = if is_list { target.get("items").map_or(target, |items| resolve(document, items)) } else { target };
    if !matches!(types(one).as_slice(), ["string" | "number" | "integer" | "boolean"]) {
        let help = "a parameter is a string, a number or a boolean, or in the query a list of them";
        fail("parameter-type", at, format!("`{name}` is no scalar"), help);
    }
    if text(one, "format") != Some("secret") {
        return;
    }
    if place == "header" {
        let help = "make it a security scheme with an `x-credential`: credentials are the transport's";
        fail("secret-header", at, format!("`{name}` is a secret in a header"), help);
    } else {
        let help = "a URL is logged by every server on the way: send it in the body, or leave the operation out";
        fail("secret-in-url", at, format!("`{name}` is a secret in the {place}"), help);
    }
}

/// A path parameter is percent-encoded by the generator, but `.` is not: without a pattern, `..` reaches another route.
fn path_pattern(document: &Document, at: &str, name: &str, schema: &Value, fail: &mut Fail<'_>) {
    let help = "give it a `$ref` to a string schema whose pattern accepts neither '', '.', '..' nor a slash";
    let target = schema_ref(schema).map(|_| resolve(document, schema));
    // A type of ours would be used in place of the pattern.
    let plain = |schema: &&Value| {
        matches!(text(schema, "format"), None | Some("uuid"))
            && schema.get("x-rust-type").is_none()
            && schema.get("enum").is_none()
    };
    let Some(pattern) = target.filter(plain).and_then(|schema| text(schema, "pattern")) else {
        return fail("bare-path-parameter", at, format!("`{name}` accepts any text"), help);
    };
    // A pattern that is none is named where it stands.
    let Ok(regex) = compiled(pattern) else { return };
    // It is looked for in the text: without both ends, or with an alternative outside of a group, what is around it may be anything.
    if !is_anchored(pattern) {
        let help = "write `^...$`, and alternatives in a group: `^(?:a|b)$`";
        fail("unsafe-path-pattern", at, format!("the pattern of `{name}` is not that of a whole text"), help);
    } else if may_have_slash(pattern) {
        fail("unsafe-path-pattern", at, format!("the pattern of `{name}` accepts a slash"), help);
    } else if let Some(bad) = UNSAFE_IDS.iter().find(|id| regex.find(id).is_some()) {
        fail("unsafe-path-pattern", at, format!("the pattern of `{name}` accepts {bad:?}"), help);
    }
}

fn header(document: &Document, at: &str, name: &str, fail: &mut Fail<'_>) {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if !name.chars().all(is_token) {
        fail("header-name", at, format!("`{name}` cannot be the name of a header"), "correct it");
    }
    if is_written(document, name) {
        let help = "leave it out: credentials, signatures and what every request has are the transport's";
        fail("transport-header", at, format!("`{name}` is written by the transport"), help);
    }
}

/// Whether the transport writes a header of this name: it is one of its own, or carries a credential.
pub fn is_written(document: &Document, name: &str) -> bool {
    let is_own = |scheme: &Value| {
        text(scheme, "in") == Some("header") && text(scheme, "name").is_some_and(|own| own.eq_ignore_ascii_case(name))
    };
    schemes(document).any(|(_, scheme)| is_own(scheme)) || HEADERS.contains(&name.to_ascii_lowercase().as_str())
}

/// The placeholders of a path and the parameters in it are the same.
pub fn placeholders(document: &Document, operation: &Operation<'_>, fail: &mut Fail<'_>) {
    let at = &operation.pointer;
    let placeholders: Vec<&str> =
        operation.path.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name)).collect();
    let all = operation.parameters(document);
    let declared: Vec<&str> = all
        .iter()
        .filter(|(_, parameter)| text(parameter, "in") == Some("path"))
        .filter_map(|(_, parameter)| text(parameter, "name"))
        .collect();
    for name in placeholders.iter().filter(|name| !declared.contains(*name)) {
        let help = "declare it with `in: path` and `required: true`";
        fail("missing-path-parameter", at, format!("`{{{name}}}` has no parameter"), help);
    }
    for name in declared.iter().filter(|name| !placeholders.contains(*name)) {
        let message = format!("`{name}` does not occur in `{}`", operation.path);
        fail("unused-path-parameter", at, message, "add it to the path in braces, or remove the parameter");
    }
}

/// A key in the query would be written into every log on the way.
pub fn only_in_headers(document: &Document, fail: &mut Fail<'_>) {
    for (name, scheme) in schemes(document) {
        if text(scheme, "type") == Some("apiKey") && text(scheme, "in") != Some("header") {
            let message = format!("the credential `{name}` is not in a header");
            fail("secret-in-url", &step(schemes_at(document), name), message, "only headers carry credentials");
        }
    }
}
