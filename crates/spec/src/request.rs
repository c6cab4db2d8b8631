//! Requests that operations accept, made from the specs: to try a client, a proxy or a sandbox with.

use serde_json::Value;

use super::message::{FORM, JSON};
use super::operation::{Operation, ParameterLocation};
use super::{Spec, all, example};

/// A request that an operation accepts, but for its credentials.
///
/// A value is generated to keep to its schema. Where a server holds state, such as orders, an id that is generated is not found.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ExampleRequest {
    /// `operationId`, or the name of a JSON-RPC method.
    pub operation: String,
    /// The method in capitals.
    pub method: String,
    /// The whole path with its placeholders, such as `/v1/pm/orders/{orderId}`.
    pub template: String,
    /// The values of the placeholders, by name.
    pub path: Vec<(String, String)>,
    /// The query, in order. A list has its name several times.
    pub query: Vec<(String, String)>,
    /// Headers other than credentials and the content type.
    pub headers: Vec<(String, String)>,
    /// The JSON body, or the members of a form; of a JSON-RPC method the params.
    pub body: Option<Value>,
    /// Whether the body is a form. Lists in it are sent as JSON text.
    pub form: bool,
    /// Sets of header names that carry credentials. One set is needed; none, or an empty one: nothing is needed.
    pub credentials: Vec<Vec<String>>,
    /// The status of a successful response.
    pub status: u16,
    /// Venue, method and whole path template, as calls are counted by.
    pub counter: String,
}

impl ExampleRequest {
    /// The body as it is sent, JSON or a form. Empty without a body.
    pub fn body_text(&self) -> String {
        match &self.body {
            None => String::new(),
            Some(members) if self.form => form_text(members),
            Some(body) => body.to_string(),
        }
    }

    /// The content type of the body.
    pub fn content_type(&self) -> &'static str {
        content_type(self.form)
    }
}

impl Operation {
    /// The content type of its body.
    pub fn content_type(&self) -> &'static str {
        content_type(self.form)
    }
}

fn content_type(is_form: bool) -> &'static str {
    if is_form { FORM } else { JSON }
}

/// An object as a form: strings as they are, all other values as JSON text.
pub fn form_text(members: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let pairs = members.as_object().into_iter().flatten().map(|(name, value)| (name, text(value)));
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// A request for each operation of a venue, in the order of its spec: with all parameters, or with the required ones only.
/// Empty for a venue without a spec.
pub fn example_requests(venue: &str, with_optional: bool) -> Vec<ExampleRequest> {
    let specs = all().into_iter().filter(|spec| spec.venue == venue);
    specs.flat_map(|spec| spec.operations().map(|operation| request(spec, operation, with_optional))).collect()
}

fn request(spec: &Spec, operation: &Operation, with_optional: bool) -> ExampleRequest {
    let values = |place: ParameterLocation| {
        let wanted = move |required: bool| with_optional || required || place == ParameterLocation::Path;
        let parameters = operation.parameters.iter();
        let parameters = parameters.filter(move |parameter| parameter.place == place && wanted(parameter.required));
        parameters.flat_map(move |parameter| {
            let value = example::request_value(&parameter.schema, &parameter.name, with_optional);
            let texts = if parameter.json { vec![value.to_string()] } else { texts(&value) };
            texts.into_iter().map(|text| (parameter.name.clone(), text))
        })
    };
    let counter = spec.counter(operation);
    let names = |set: &Vec<super::operation::Header>| set.iter().map(|header| header.name.clone()).collect();
    ExampleRequest {
        operation: operation.id.clone(),
        method: operation.method.clone(),
        template: format!("{}{}", spec.prefix, operation.template),
        path: values(ParameterLocation::Path).collect(),
        query: values(ParameterLocation::Query).collect(),
        headers: values(ParameterLocation::Header).collect(),
        body: operation.body.as_ref().map(|schema| example::request_value(schema, "", with_optional)),
        form: operation.form,
        credentials: operation.credentials.iter().map(names).collect(),
        status: operation.status,
        counter: format!("{} {counter}", spec.venue),
    }
}

/// A value as a path or a query writes it.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}
