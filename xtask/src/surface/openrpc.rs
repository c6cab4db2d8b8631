//! What a vendor's OpenRPC document says.

use std::collections::BTreeMap;

use serde_json::Value;

use super::build::{Builder, plain};
use super::openapi::title;
use super::tree::Tree;
use super::{Field, Operation, Parameter, Surface};
use crate::model::text;
use crate::source::step;

/// The surface of a document.
pub fn surface(tree: &Tree) -> Surface {
    let document = &tree.value;
    let order = |pointer: &str| tree.order(pointer);
    let mut builder = Builder::new(document, &order);
    let mut made = Surface { title: title(document), ..Surface::default() };
    let methods = document.get("methods").and_then(Value::as_array).into_iter().flatten();
    for (index, method) in methods.enumerate() {
        let (at, method) = builder.follow(method, &step("/methods", &index.to_string()));
        let Some(name) = text(method, "name") else { continue };
        let mut operation = Operation {
            name: name.to_owned(),
            call: name.to_owned(),
            at: at.clone(),
            deprecated: method.get("deprecated") == Some(&Value::Bool(true)),
            description: text(method, "description").unwrap_or_default().to_owned(),
            ..Operation::default()
        };
        let params = method.get("params").and_then(Value::as_array).into_iter().flatten();
        for (index, parameter) in params.enumerate() {
            let (at, parameter) = builder.follow(parameter, &step(&step(&at, "params"), &index.to_string()));
            let Some(name) = text(parameter, "name") else { continue };
            let schema = parameter.get("schema").unwrap_or(&Value::Null);
            let field = Field {
                name: name.to_owned(),
                value: builder.schema(schema, &step(&at, "schema")),
                required: parameter.get("required") == Some(&Value::Bool(true)),
                position: 0.0,
                description: text(parameter, "description").unwrap_or_default().to_owned(),
                deprecated: parameter.get("deprecated") == Some(&Value::Bool(true)),
                default: schema.get("default").map(plain),
                rust_name: None,
                at,
            };
            operation.parameters.push(Parameter {
                field,
                place: "param".to_owned(),
                notation: None,
                facts: BTreeMap::new(),
            });
        }
        if let Some(result) = method.get("result") {
            let (at, result) = builder.follow(result, &step(&at, "result"));
            operation.result = result.get("schema").map(|schema| builder.schema(schema, &step(&at, "schema")));
        }
        made.operations.insert(name.to_owned(), operation);
    }
    made.types = builder.types;
    made
}
