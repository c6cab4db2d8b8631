//! How a response pages. A stream is generated from it, so what it names must exist and be usable.

use serde_json::Value;

use super::Fail;
use super::links::in_result;
use super::schemas::types;
use crate::document::Document;
use crate::model::{Operation, resolve, stands_for, text};
use crate::source::step;

pub fn check(document: &Document, operation: &Operation<'_>, fail: &mut Fail<'_>) {
    let Some(page) = operation.value.get("x-page") else { return };
    let at = step(&operation.pointer, "x-page");
    let word = |key| text(page, key);
    let param = word("param").and_then(|name| parameter(document, operation, name));
    if let (Some(name), None) = (word("param"), param) {
        let message = format!("`{}` has no parameter `{name}`", operation.id);
        fail("unknown-key", &at, message, "name the parameter that asks for a page");
    }
    let member = |dotted| member(document, operation, dotted);
    let item = word("items").and_then(|dotted| member(dotted)?.get("items"));
    let key = word("key").and_then(|name| resolve(document, item?).get("properties")?.get(name));
    if let (Some(name), None) = (word("key"), key) {
        let message = format!("the items of `{}` have no `{name}`", operation.id);
        fail("unknown-key", &at, message, "name a member of the items");
    }
    for dotted in ["next", "last", "items"].into_iter().filter_map(word) {
        if member(dotted).is_none() {
            let message = format!("the response of `{}` has no `{dotted}`", operation.id);
            fail("unknown-key", &at, message, "name a member of the response, with dots between levels");
        }
    }
    let mut mismatch = |message: String, help: &str| fail("page-type", &at, message, help);
    if let Some(items) = word("items").and_then(member)
        && (types(items) != ["array"] || stands_for(items).is_some())
    {
        mismatch("`items` is no list".to_owned(), "name the list, which is written where it is used");
    }
    let plain = |schema: &Value, kinds: &[&str]| {
        let schema = resolve(document, schema);
        matches!(types(schema).as_slice(), [one] if kinds.contains(one))
            && ["format", "pattern", "enum"].iter().all(|key| schema.get(key).is_none())
    };
    let next = word("next").and_then(member);
    if let (Some(param), Some(next)) = (param, next) {
        let kinds = [param, next].map(|schema| types(resolve(document, schema)));
        if !plain(param, &["string", "integer"]) || !plain(next, &["string", "integer"]) || kinds[0] != kinds[1] {
            let message =
                "the cursor in the response and the one in the request are not the same plain text or integer";
            mismatch(message.to_owned(), "give both `type: string`, or both `type: integer`, and no format");
        }
    } else {
        let numbers = [("param", param), ("last", word("last").and_then(member)), ("key", key)];
        for (key, schema) in numbers.into_iter().filter(|_| word("style") != Some("cursor")) {
            if schema.is_some_and(|schema| !plain(schema, &["integer"])) {
                mismatch(format!("`{key}` is no plain integer"), "give it `type: integer` and no format");
            }
        }
    }
}

/// The schema of a member of the response, by its dotted name.
fn member<'a>(document: &'a Document, operation: &Operation<'a>, dotted: &str) -> Option<&'a Value> {
    in_result(document, operation, dotted.split('.').filter(|name| !name.is_empty()))
}

/// The schema of a parameter, or of a member of the body.
fn parameter<'a>(document: &'a Document, operation: &Operation<'a>, name: &str) -> Option<&'a Value> {
    let named = |parameter: &&Value| text(parameter, "name").is_some_and(|other| other == name);
    let parameter = operation.parameters(document).into_iter().map(|(_, parameter)| parameter).find(named);
    parameter.and_then(|parameter| parameter.get("schema")).or_else(|| {
        let mut bodies = operation.request_media().into_iter().filter_map(|(_, media)| media.get("schema"));
        bodies.find_map(|body| resolve(document, body).get("properties")?.get(name))
    })
}
