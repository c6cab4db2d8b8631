//! An OpenRPC document as an OpenAPI one: `POST /<method>` with the params as the body and the result as the response. The
//! envelope is the transport's.

use serde_json::{Map, Value, json};

use crate::document::Document;
use crate::lower::each_mut;
use crate::model::{operations, text};

pub fn to_openapi(document: &Document) -> Value {
    let mut paths = Map::new();
    let mut schemas =
        document.value.pointer("/components/schemas").and_then(Value::as_object).cloned().unwrap_or_default();
    for operation in operations(document) {
        let mut call = json!({
            "operationId": operation.id,
            "responses": { "200": {
                "description": "The call's result.",
                "content": { "application/json": { "schema": operation.value.pointer("/result/schema").cloned().unwrap_or_default() } },
            } },
        });
        for key in ["summary", "description", "deprecated"] {
            if let Some(said) = operation.value.get(key) {
                call[key] = said.clone();
            }
        }
        let parameters = operation.parameters(document);
        if !parameters.is_empty() {
            let name = format!("{}Params", operation.pascal());
            call["requestBody"] = json!({
                "required": true,
                "content": { "application/json": { "schema": { "$ref": format!("#/components/schemas/{name}") } } },
            });
            schemas.insert(name, params(&operation.path, parameters.into_iter().map(|(_, parameter)| parameter)));
        }
        paths.insert(operation.path, json!({ "post": call }));
    }
    let mut openapi = json!({
        "openapi": "3.0.3",
        "info": document.value.get("info").cloned().unwrap_or_default(),
        "paths": paths,
        "components": { "schemas": schemas },
    });
    without_null_types(&mut openapi);
    openapi
}

/// JSON Schema's way of saying null, everywhere in a document, becomes OpenAPI's.
pub fn without_null_types(document: &mut Value) {
    each_mut(document, &mut nullable);
}

fn params<'a>(path: &str, parameters: impl Iterator<Item = &'a Value>) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for parameter in parameters {
        let Some(name) = text(parameter, "name") else { continue };
        let mut schema = parameter.get("schema").cloned().unwrap_or_default();
        if let Some(said) = parameter.get("description") {
            if schema.get("$ref").is_some() {
                schema = json!({ "allOf": [schema] });
            }
            schema["description"] = said.clone();
        }
        if parameter.get("required") == Some(&Value::Bool(true)) {
            required.push(name);
        }
        properties.insert(name.to_owned(), schema);
    }
    let mut object = json!({
        "type": "object",
        "description": format!("The parameters of `{}`.", path.trim_start_matches('/')),
        "properties": properties,
    });
    // An empty list is no valid `required` in OpenAPI.
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    object
}

/// JSON Schema says null as a type; OpenAPI 3.0 as a property of the schema.
fn nullable(schema: &mut Value) {
    if let Some(Value::Array(types)) = schema.get("type") {
        let rest: Vec<Value> = types.iter().filter(|kind| *kind != "null").cloned().collect();
        if let [only] = rest.as_slice() {
            let is_nullable = rest.len() < types.len();
            schema["type"] = only.clone();
            if is_nullable {
                schema["nullable"] = true.into();
            }
        }
    }
    let Some(choices) = schema.get("oneOf").and_then(Value::as_array) else { return };
    let rest: Vec<Value> = choices.iter().filter(|choice| text(choice, "type") != Some("null")).cloned().collect();
    if let [only] = rest.as_slice()
        && choices.len() == 2
    {
        let only = only.clone();
        if let Some(map) = schema.as_object_mut() {
            map.remove("oneOf");
        }
        schema["allOf"] = json!([only]);
        schema["nullable"] = true.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    #[test]
    fn a_method_becomes_a_post() {
        let text = "openrpc: 1.3.2\ninfo: { title: t, version: '1' }\nmethods:\n  - name: private/pme/simulate\n    params:\n      - { name: currency, required: true, schema: { type: string } }\n      - { name: n, schema: { type: [integer, 'null'] } }\n    result: { name: r, schema: { oneOf: [{ $ref: '#/components/schemas/A' }, { type: 'null' }] } }\n  - { name: public/get_time, params: [], result: { name: r, schema: { type: integer } } }\ncomponents: { schemas: { A: { type: object } } }\n";
        let document = Document::join("v", vec![Source::parse("specs/v/openrpc.yaml", text).unwrap()]).unwrap();
        let openapi = to_openapi(&document);
        let call = openapi.pointer("/paths/~1private~1pme~1simulate/post").unwrap();
        assert_eq!(call["operationId"], "pme_simulate");
        let params = openapi.pointer("/components/schemas/PmeSimulateParams").unwrap();
        assert_eq!(params["required"], json!(["currency"]));
        assert_eq!(params["properties"]["n"], json!({"type": "integer", "nullable": true}));
        let result = call.pointer("/responses/200/content/application~1json/schema").unwrap();
        assert_eq!(result, &json!({"allOf": [{"$ref": "#/components/schemas/A"}], "nullable": true}));
        assert!(openapi.pointer("/paths/~1public~1get_time/post/requestBody").is_none());
    }
}
