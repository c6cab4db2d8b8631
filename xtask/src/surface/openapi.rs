//! What a vendor's OpenAPI document says: 3.0 or 3.1, of REST operations or of JSON-RPC methods that are written as paths.

use std::collections::BTreeMap;

use serde_json::Value;

use super::build::{Builder, plain};
use super::ours::{needs_credential, prefix};
use super::tree::Tree;
use super::{Field, Notation, Operation, Parameter, Surface, Use, key};
use crate::model::{FORM, HTTP_METHODS, members, text};
use crate::source::step;

/// The surface of a document. `is_rpc`: its paths are methods of JSON-RPC.
pub fn surface(tree: &Tree, is_rpc: bool) -> Surface {
    let document = &tree.value;
    let order = |pointer: &str| tree.order(pointer);
    let mut reader = Reader { document, builder: Builder::new(document, &order), is_rpc };
    let mut made = Surface { title: title(document), ..Surface::default() };
    for (path, item) in members(document, "paths") {
        let (at, item) = reader.builder.follow(item, &step("/paths", path));
        for (method, value) in item.as_object().into_iter().flatten() {
            if HTTP_METHODS.contains(&method.as_str()) {
                let operation = reader.operation(path, method, item, value, &at);
                let key = if is_rpc { operation.call.clone() } else { key(method, path) };
                made.knows_access |= value.get("security").is_some();
                made.operations.entry(key).or_insert(operation);
            }
        }
    }
    made.knows_access |= document.get("security").is_some();
    made.types = reader.builder.types;
    let servers = document.get("servers").and_then(Value::as_array).into_iter().flatten();
    made.prefixes = servers.filter_map(|server| prefix(text(server, "url")?)).collect();
    made
}

/// What a document calls itself.
pub fn title(document: &Value) -> String {
    let member = |name: &str| document.pointer(&format!("/info/{name}")).map(plain).unwrap_or_default();
    format!("{} {}", member("title"), member("version")).trim().to_owned()
}

struct Reader<'a> {
    document: &'a Value,
    builder: Builder<'a>,
    is_rpc: bool,
}

impl<'a> Reader<'a> {
    fn operation(&mut self, path: &str, method: &str, item: &'a Value, value: &'a Value, at: &str) -> Operation {
        let own = step(at, method);
        let rpc_name = path.trim_start_matches('/');
        let mut made = Operation {
            name: text(value, "operationId").filter(|_| !self.is_rpc).unwrap_or(rpc_name).to_owned(),
            call: if self.is_rpc { rpc_name.to_owned() } else { format!("{} {path}", method.to_uppercase()) },
            at: own.clone(),
            deprecated: value.get("deprecated") == Some(&Value::Bool(true)),
            earlier: value.get("x-earlier") == Some(&Value::Bool(true)),
            description: text(value, "description").or_else(|| text(value, "summary")).unwrap_or_default().to_owned(),
            ..Operation::default()
        };
        for (holder, list) in [(item, step(at, "parameters")), (value, step(&own, "parameters"))] {
            let all = holder.get("parameters").and_then(Value::as_array).into_iter().flatten().enumerate();
            for (index, parameter) in all {
                let Some(parameter) = self.parameter(parameter, &step(&list, &index.to_string())) else { continue };
                // An operation's own one counts.
                made.parameters.retain(|other: &Parameter| {
                    other.field.name != parameter.field.name || other.place != parameter.place
                });
                made.parameters.push(parameter);
            }
        }
        if let Some(body) = value.get("requestBody") {
            let (at, body) = self.builder.follow(body, &step(&own, "requestBody"));
            made.body = self.content(body, &at);
            made.form = self.media(body).is_some_and(|(media, _)| media == FORM);
        }
        if self.is_rpc {
            self.params_of_body(&mut made);
        }
        for (status, response) in members(value, "responses") {
            let (at, response) = self.builder.follow(response, &step(&step(&own, "responses"), status));
            if status.starts_with('2') && made.success.is_none() {
                made.success = Some(status.clone());
                made.result = self.content(response, &at);
            } else if made.error.is_none() && !status.starts_with('2') {
                made.error = self.content(response, &at);
            }
        }
        if self.is_rpc {
            made.success = None;
            made.result = made.result.and_then(|whole| self.without_envelope(whole));
        }
        let requirement = value.get("security").or_else(|| self.document.get("security"));
        made.signed = requirement.and_then(Value::as_array).map(|ways| needs_credential(ways));
        made
    }

    fn parameter(&mut self, parameter: &'a Value, at: &str) -> Option<Parameter> {
        let (at, parameter) = self.builder.follow(parameter, at);
        let name = text(parameter, "name")?;
        let value = match (parameter.get("schema"), self.media(parameter)) {
            (Some(schema), _) => self.builder.schema(schema, &step(&at, "schema")),
            (None, Some((media, schema))) => {
                self.builder.schema(schema, &step(&step(&step(&at, "content"), media), "schema"))
            }
            (None, None) => self.builder.anything(&at),
        };
        let default = parameter.pointer("/schema/default").map(plain);
        let field = Field {
            name: name.to_owned(),
            value,
            required: parameter.get("required") == Some(&Value::Bool(true)),
            position: 0.0,
            description: text(parameter, "description").unwrap_or_default().to_owned(),
            deprecated: parameter.get("deprecated") == Some(&Value::Bool(true)),
            default,
            rust_name: None,
            at,
        };
        let place = if self.is_rpc { "param" } else { text(parameter, "in").unwrap_or("query") };
        Some(Parameter { field, place: place.to_owned(), notation: Notation::of(parameter), facts: BTreeMap::new() })
    }

    /// The JSON media type, or the first one.
    fn media(&self, holder: &'a Value) -> Option<(&'a str, &'a Value)> {
        let all = || members(holder, "content");
        let (media, content) = all().find(|(media, _)| media.contains("json")).or_else(|| all().next())?;
        Some((media, content.get("schema")?))
    }

    fn content(&mut self, holder: &'a Value, at: &str) -> Option<Use> {
        let (media, schema) = self.media(holder)?;
        Some(self.builder.schema(schema, &step(&step(&step(at, "content"), media), "schema")))
    }

    /// The members of a body, or of the `params` in it, as parameters of a method.
    fn params_of_body(&mut self, made: &mut Operation) {
        let Some(body) = made.body.take() else { return };
        let whole = &self.builder.types[body.id.0];
        let inner = whole.field("params").map_or(whole, |params| &self.builder.types[params.value.id.0]);
        let all = inner.fields.iter().map(|field| Parameter {
            field: field.clone(),
            place: "param".to_owned(),
            notation: None,
            facts: BTreeMap::new(),
        });
        made.parameters.extend(all);
    }

    /// The result in the envelope of a response.
    fn without_envelope(&self, whole: Use) -> Option<Use> {
        let envelope = &self.builder.types[whole.id.0];
        let is_envelope = ["jsonrpc", "usIn", "usOut"].iter().any(|name| envelope.field(name).is_some());
        match envelope.field("result") {
            Some(result) => Some(result.value),
            None if is_envelope => None,
            None => Some(whole),
        }
    }
}
