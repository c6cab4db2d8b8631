//! Operations: what the generator refuses, panics at or gets wrong, and what would reach another route.

use super::{Fail, bodies, errors, links, pages, parameters};
use crate::document::{Document, Kind};
use crate::finding::Finding;
use crate::model::{self, Operation, collisions, members, operations, schemes_at, text};
use crate::source::step;

pub fn check(document: &Document, findings: &mut Vec<Finding>) {
    let mut fail =
        |rule, at: &str, message: String, help: &str| findings.push(document.finding(rule, at, message, help));
    version(document, &mut fail);
    servers(document, &mut fail);
    parameters::only_in_headers(document, &mut fail);
    bodies::errors(document, &mut fail);
    paths(document, &mut fail);
    let all = operations(document);
    errors::check(document, &all, &mut fail);
    for operation in all {
        path(document, &operation, &mut fail);
        parameters::check(document, &operation, &mut fail);
        security(document, &operation, &mut fail);
        links::check(document, &operation, &mut fail);
        pages::check(document, &operation, &mut fail);
        if document.kind == Kind::OpenApi {
            bodies::request(document, &operation, &mut fail);
            bodies::responses(&operation, &mut fail);
        } else if operation.value.pointer("/result/schema").is_none() {
            let message = format!("`{}` has no result schema", operation.id);
            fail("untyped-response", &operation.pointer, message, "add `result: {name, schema}`");
        }
    }
}

fn version(document: &Document, fail: &mut Fail<'_>) {
    let (key, good) = match document.kind {
        Kind::OpenApi => ("openapi", "3.0."),
        Kind::OpenRpc => ("openrpc", "1."),
    };
    let stated = text(&document.value, key).unwrap_or_default();
    if !stated.starts_with(good) {
        let message = format!("`{key}: {stated}` is no version this generator reads");
        let help = format!("write `{key}: {good}x`, quoted if it looks like a number");
        fail("version", &step("", key), message, &help);
    }
    match document.value.get("info").and_then(|info| text(info, "version")) {
        None => fail("version", "/info", "`info.version` is no text".to_owned(), "quote it: `version: '1.0'`"),
        Some(version) if !version.chars().all(|c| c.is_ascii_alphanumeric() || " ._+-".contains(c)) => {
            let help = "letters, digits, dots and dashes are enough; the rest belongs into the description";
            fail("version", "/info/version", format!("`{version}` is no version"), help);
        }
        Some(_) => {}
    }
}

/// Paths that differ in the names of their placeholders only are one path.
fn paths(document: &Document, fail: &mut Fail<'_>) {
    let all: Vec<&str> = members(&document.value, "paths").map(|(path, _)| path.as_str()).collect();
    let shape = |path: &str| {
        let parts = path.split('{').map(|part| part.split_once('}').map_or(part, |(_, rest)| rest));
        parts.collect::<Vec<_>>().join("{}")
    };
    for (first, second) in collisions(all.iter().copied(), shape) {
        let [other, at] = [first, second].map(|index| step("/paths", all[index]));
        let message = format!("`{}` is the path at {}", all[second], document.locate(&other));
        fail("duplicate-path", &at, message, "put the methods of one path under one entry");
    }
}

/// Paths are appended to a server's URL as it stands.
fn servers(document: &Document, fail: &mut Fail<'_>) {
    let mut named = Vec::new();
    for (i, server) in model::servers(document).enumerate() {
        let at = step("/servers", &i.to_string());
        if let Some(url) = text(server, "url") {
            let good = url.starts_with("https://") && !url.ends_with('/') && !url.contains(['{', '?', '#', ' ', '@']);
            if !good {
                let help = "write it out: https, no slash at the end, no variables, no query";
                fail("server-url", &at, format!("`{url}` is no base URL"), help);
            }
        }
        let environment = text(server, "x-environment").unwrap_or_default();
        let help = "each environment has one server; `custom` is every client's own";
        if environment == "custom" {
            fail("duplicate-environment", &at, "every client has an environment `custom`".to_owned(), help);
        } else if let Some(other) = named.iter().position(|other| *other == environment) {
            let place = document.locate(&step("/servers", &other.to_string()));
            fail("duplicate-environment", &at, format!("`{environment}` is also the server at {place}"), help);
        }
        named.push(environment);
    }
}

fn path(document: &Document, operation: &Operation<'_>, fail: &mut Fail<'_>) {
    let at = &operation.pointer;
    if !is_template(&operation.path) {
        let message = format!("`{}` is no path", operation.path);
        fail("bad-path", at, message, "begin it with one slash; no empty part, no dots alone, no query");
    }
    if document.kind == Kind::OpenRpc {
        return;
    }
    if !matches!(operation.method.as_str(), "GET" | "PUT" | "POST" | "DELETE" | "PATCH") {
        let help = "leave the operation out, and say so in sources.md";
        fail("bad-method", at, format!("{} is not supported", operation.method), help);
    }
    // What is repeated by mistake is executed twice.
    let is_safe = operation.value.get("x-retry").is_some_and(|retry| retry == "safe");
    let says_why = text(operation.value, "description").is_some_and(|said| !said.trim().is_empty());
    match operation.method.as_str() {
        "PUT" | "DELETE" | "PATCH" if is_safe => {
            let help = "write `x-retry: never`, or `keyed: ...` where the venue honours a key";
            fail("safe-write", at, format!("{} changes something, so that it is not `safe`", operation.method), help);
        }
        "POST" if is_safe && !says_why => {
            let help = "say in the description why it may be repeated: that it only reads, or changes nothing";
            fail("safe-write", at, format!("nothing says why `{}` may be repeated", operation.id), help);
        }
        _ => {}
    }
    if operation.value.get("callbacks").is_some() {
        fail("callbacks", at, "callbacks are ignored by the generator".to_owned(), "describe them in sources.md");
    }
    parameters::placeholders(document, operation, fail);
}

/// Whether a URL may end in this, once its placeholders are filled.
fn is_template(path: &str) -> bool {
    let part = |part: &str| {
        let mut in_braces = false;
        let balanced = part.chars().all(|c| match c {
            '{' | '}' => std::mem::replace(&mut in_braces, c == '{') != (c == '{'),
            _ => in_braces || c.is_ascii_alphanumeric() || "-._~:@!$&'()*+,;=".contains(c),
        });
        balanced && !in_braces && !matches!(part, "" | "." | "..") && !part.contains("{}")
    };
    path == "/" || path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(part))
}

fn security(document: &Document, operation: &Operation<'_>, fail: &mut Fail<'_>) {
    let key = match document.kind {
        Kind::OpenApi => "security",
        Kind::OpenRpc => "x-security",
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
            if document.value.pointer(&step(schemes_at(document), name)).is_none() {
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
