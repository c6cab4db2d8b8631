//! Requests as the generator knows them: a form is given to it as a JSON body, and a list that is JSON text as a plain list. The rows of
//! the table say how each is written.

use serde_json::Value;

use crate::document::Document;
use crate::lower::each_mut;
use crate::model::FORM;

/// Beside a parameter: it is written as JSON text.
pub const JSON_LIST: &str = "x-json-list";

pub fn apply(document: &mut Document) {
    each_mut(&mut document.value, &mut |value| {
        if value.get("in").is_some() && value.get("schema").is_none() {
            parameter(value);
        } else if let Some(content) = value.pointer_mut("/requestBody/content").and_then(Value::as_object_mut)
            && let Some(form) = content.remove(FORM)
        {
            content.insert("application/json".to_owned(), form);
        }
    });
}

fn parameter(parameter: &mut Value) {
    let Some(map) = parameter.as_object_mut() else { return };
    let Some(mut content) = map.remove("content") else { return };
    map.insert("schema".to_owned(), content["application/json"]["schema"].take());
    map.insert(JSON_LIST.to_owned(), true.into());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::lower::tests::{document, pass};

    #[test]
    fn forms_and_lists_as_json_become_what_the_generator_knows() {
        let before = document(
            "paths:\n  /a:\n    post:\n      parameters:\n        - { name: symbols, in: query, content: { application/json: { schema: { type: array, items: { type: string } } } } }\n        - { name: limit, in: query, schema: { type: integer } }\n      requestBody: { required: true, content: { application/x-www-form-urlencoded: { schema: { $ref: '#/components/schemas/A' } } } }\ncomponents: { schemas: { A: { type: object } } }\n",
        );
        let after = pass(before, super::apply);
        let call = after.pointer("/paths/~1a/post").unwrap();
        let list = json!({ "name": "symbols", "in": "query", "schema": { "type": "array", "items": { "type": "string" } }, "x-json-list": true });
        assert_eq!(call["parameters"][0], list);
        assert_eq!(call["parameters"][1], json!({ "name": "limit", "in": "query", "schema": { "type": "integer" } }));
        let body = json!({ "application/json": { "schema": { "$ref": "#/components/schemas/A" } } });
        assert_eq!(call["requestBody"]["content"], body);
    }
}
