//! Words that name something in their operation.

use super::Fail;
use crate::document::Document;
use crate::model::{Operation, resolve, schema_ref, text};
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
