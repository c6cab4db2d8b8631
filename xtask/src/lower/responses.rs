//! Only the good answer is generated, under any 2xx: a venue that begins to answer 200 for 201 loses nobody a secret. The
//! transport reads errors itself, by the spec's `x-errors`, so that one error type serves every operation, whatever the body
//! turns out to be. What only errors were made of goes.

use serde_json::Value;

use crate::document::Document;
use crate::lower::{each_mut, schemas_mut};
use crate::model::Reach;

pub fn apply(document: &mut Document) {
    let Some(paths) = document.value.get_mut("paths") else { return };
    each_mut(paths, &mut |value| {
        let Some(responses) = value.get_mut("responses").and_then(Value::as_object_mut) else { return };
        responses.retain(|status, _| status.starts_with('2'));
        if let Some(status) = responses.keys().next().cloned()
            && let Some(good) = responses.remove(&status)
        {
            responses.insert("2XX".to_owned(), good);
        }
    });
    let reach = Reach::of(document);
    if let Some(schemas) = schemas_mut(document) {
        schemas.retain(|name, _| reach.request.contains(name) || reach.response.contains(name));
    }
}

#[cfg(test)]
mod tests {
    use crate::lower::tests::{document, pass};

    #[test]
    fn error_responses_and_their_schemas_go() {
        let before = document(
            "paths:\n  /a:\n    get:\n      responses:\n        '201': { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/A' } } } }\n        4XX: { description: no, content: { application/json: { schema: { $ref: '#/components/schemas/E' } } } }\ncomponents:\n  schemas: { A: { type: object }, E: { type: object } }\n",
        );
        let after = pass(before, super::apply);
        let keys = |pointer| after.pointer(pointer).unwrap().as_object().unwrap().keys().collect::<Vec<_>>();
        assert_eq!(keys("/paths/~1a/get/responses"), ["2XX"]);
        assert_eq!(keys("/components/schemas"), ["A"]);
    }
}
