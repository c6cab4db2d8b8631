//! The parts of a joined spec that lint, lowering and the operation table all walk over.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};

use heck::{ToPascalCase, ToSnakeCase};
use serde_json::Value;

use crate::document::{Document, Kind};
use crate::source::step;
use crate::streams;

/// One operation or method.
#[derive(Clone, Debug)]
pub struct Operation<'a> {
    /// Where it stands in the document.
    pub pointer: String,
    /// The generated method's name.
    pub id: String,
    /// The HTTP method in upper case.
    pub method: String,
    /// The path template; for JSON-RPC a slash and the method name.
    pub path: String,
    /// The operation or method object.
    pub value: &'a Value,
    /// The path item's own parameters, and where they stand.
    shared: Option<(&'a Value, String)>,
}

/// The methods that a path of OpenAPI may have.
pub const HTTP_METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Every operation of a document, in the document's order.
pub fn operations(document: &Document) -> Vec<Operation<'_>> {
    match document.kind {
        Kind::OpenApi => rest_operations(document),
        Kind::OpenRpc => rpc_operations(document),
    }
}

fn rest_operations(document: &Document) -> Vec<Operation<'_>> {
    let mut all = Vec::new();
    for (path, item) in members(&document.value, "paths") {
        let item_pointer = step("/paths", path);
        let shared = item.get("parameters").map(|value| (value, step(&item_pointer, "parameters")));
        for (method, value) in item.as_object().into_iter().flatten() {
            if HTTP_METHODS.contains(&method.as_str()) {
                all.push(Operation {
                    pointer: step(&item_pointer, method),
                    id: text(value, "operationId").unwrap_or_default().to_snake_case(),
                    method: method.to_uppercase(),
                    path: path.clone(),
                    value,
                    shared: shared.clone(),
                });
            }
        }
    }
    all
}

fn rpc_operations(document: &Document) -> Vec<Operation<'_>> {
    let methods = methods(document);
    let public: HashSet<&str> =
        methods.iter().filter_map(|method| text(method, "name")?.strip_prefix("public/")).collect();
    methods
        .iter()
        .enumerate()
        .filter_map(|(i, value)| {
            let name = text(value, "name")?;
            Some(Operation {
                pointer: step("/methods", &i.to_string()),
                id: rpc_id(name, |name| public.contains(name)),
                method: "POST".to_owned(),
                path: format!("/{name}"),
                value,
                shared: None,
            })
        })
        .collect()
}

/// A method's generated name: without `public/` or `private/`, unless both have it; then the private one says so.
fn rpc_id(name: &str, is_public: impl Fn(&str) -> bool) -> String {
    let bare = |prefix: &str| name.strip_prefix(prefix);
    match (bare("public/"), bare("private/")) {
        (Some(public), _) => public.to_snake_case(),
        (_, Some(private)) if !is_public(private) => private.to_snake_case(),
        _ => name.to_snake_case(),
    }
}

fn methods(document: &Document) -> &[Value] {
    document.value.get("methods").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The generated name of the operation that a spec calls `name`. Looks for the one without making a list of all.
pub fn id_of(document: &Document, name: &str) -> String {
    let is_there = |wanted: &str| methods(document).iter().any(|method| text(method, "name") == Some(wanted));
    if !is_there(name) {
        return name.to_snake_case();
    }
    let is_public = |bare: &str| {
        methods(document)
            .iter()
            .any(|method| text(method, "name").and_then(|n| n.strip_prefix("public/")) == Some(bare))
    };
    rpc_id(name, is_public)
}

/// The operation that a word names.
pub fn named<'a>(document: &'a Document, name: &str) -> Option<Operation<'a>> {
    let id = id_of(document, name);
    operations(document).into_iter().find(|operation| operation.id == id)
}

/// Where a field of a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldPlace {
    /// Into the path.
    Path,
    /// Into the query.
    Query,
    /// Into the body, or among the params of a JSON-RPC call.
    Body,
}

/// A field of a request.
pub struct RequestField<'a> {
    /// Where it goes.
    pub place: FieldPlace,
    /// Whether a request must have it.
    pub is_required: bool,
    /// What it holds.
    pub schema: &'a Value,
}

impl RequestField<'_> {
    /// Whether it is written as a number.
    pub fn is_number(&self, document: &Document) -> bool {
        matches!(text(resolve(document, self.schema), "type"), Some("integer" | "number"))
    }
}

/// The parameter of a request, or the member of its body, that has this name.
pub fn request_field<'a>(document: &'a Document, operation: &Operation<'a>, name: &str) -> Option<RequestField<'a>> {
    let is_named = |parameter: &&Value| text(parameter, "name") == Some(name);
    let parameter = operation.parameters(document).into_iter().map(|(_, parameter)| parameter).find(is_named);
    if let Some(parameter) = parameter {
        let place = match text(parameter, "in") {
            Some("path") => FieldPlace::Path,
            Some("query") => FieldPlace::Query,
            None if document.kind == Kind::OpenRpc => FieldPlace::Body,
            _ => return None,
        };
        let is_required = parameter.get("required") == Some(&Value::Bool(true));
        return Some(RequestField { place, is_required, schema: parameter_schema(parameter)?.1 });
    }
    operation.request_media().into_iter().find_map(|(_, media)| {
        let body = resolve(document, media.get("schema")?);
        let schema = body.get("properties")?.get(name)?;
        let required = body.get("required").and_then(Value::as_array);
        let is_required = required.is_some_and(|names| names.iter().any(|one| one == name));
        Some(RequestField { place: FieldPlace::Body, is_required, schema })
    })
}

/// The names that a request must give: parameters in its path and query, and members of its body.
pub fn required_fields<'a>(document: &'a Document, operation: &Operation<'a>) -> Vec<&'a str> {
    let of_parameters = operation.parameters(document).into_iter().filter_map(|(_, parameter)| text(parameter, "name"));
    let of_body = operation.request_media().into_iter().flat_map(|(_, media)| {
        let body = resolve(document, media.get("schema").unwrap_or(&Value::Null));
        body.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    });
    let all = of_parameters.chain(of_body);
    all.filter(|name| request_field(document, operation, name).is_some_and(|field| field.is_required)).collect()
}

impl<'a> Operation<'a> {
    /// The name that schemas made for this operation begin with.
    pub fn pascal(&self) -> String {
        self.id.to_pascal_case()
    }

    /// Its parameters, references followed, each with the place of its own definition.
    pub fn parameters(&self, document: &'a Document) -> Vec<(String, &'a Value)> {
        let key = if document.kind == Kind::OpenRpc { "params" } else { "parameters" };
        let own = self.value.get(key).map(|value| (value, step(&self.pointer, key)));
        let lists = self.shared.clone().into_iter().chain(own);
        let mut all = Vec::new();
        for (list, pointer) in lists {
            for (i, parameter) in list.as_array().into_iter().flatten().enumerate() {
                let at = step(&pointer, &i.to_string());
                match text(parameter, "$ref").and_then(|r| r.strip_prefix('#')) {
                    Some(target) => {
                        if let Some(value) = document.value.pointer(target) {
                            all.push((target.to_owned(), value));
                        }
                    }
                    None => all.push((at, parameter)),
                }
            }
        }
        all
    }

    /// The request body's media types.
    pub fn request_media(&self) -> Vec<(String, &'a Value)> {
        let body = self.value.get("requestBody").unwrap_or(&Value::Null);
        let pointer = step(&step(&self.pointer, "requestBody"), "content");
        members(body, "content").map(|(name, media)| (step(&pointer, name), media)).collect()
    }

    /// The responses, by status.
    pub fn responses(&self) -> Vec<(String, &'a str, &'a Value)> {
        let pointer = step(&self.pointer, "responses");
        members(self.value, "responses")
            .map(|(status, value)| (step(&pointer, status), status.as_str(), value))
            .collect()
    }

    /// The schema of a successful response, where it has one.
    pub fn result_schema(&self, document: &Document) -> Option<(String, &'a Value)> {
        if document.kind == Kind::OpenRpc {
            let schema = self.value.pointer("/result/schema")?;
            return Some((format!("{}/result/schema", self.pointer), schema));
        }
        let (pointer, _, response) = self.responses().into_iter().find(|(_, status, _)| status.starts_with('2'))?;
        let (media, content) = members(response, "content").next()?;
        let schema = content.get("schema")?;
        Some((format!("{}/schema", step(&step(&pointer, "content"), media)), schema))
    }

    /// The schema of the idempotency key that `x-retry: keyed` names, references followed, and where the key is declared.
    pub fn idempotency_key(&self, document: &'a Document) -> Option<(String, &'a Value)> {
        let keyed = self.value.pointer("/x-retry/keyed")?;
        let parameter = |name: &str, place: Option<&str>| {
            self.parameters(document).into_iter().find_map(|(at, parameter)| {
                let is_it = text(parameter, "name").is_some_and(|own| own.eq_ignore_ascii_case(name))
                    && (place.is_none() || text(parameter, "in") == place);
                Some((step(&at, "schema"), parameter.get("schema").filter(|_| is_it)?))
            })
        };
        let (at, schema) = match (text(keyed, "header"), text(keyed, "field")) {
            (Some(header), _) => parameter(header, Some("header")),
            (_, Some(field)) => self
                .request_media()
                .into_iter()
                .find_map(|(at, media)| {
                    let schema = media.get("schema")?;
                    let at = stands_for(schema)
                        .map_or_else(|| step(&at, "schema"), |name| step("/components/schemas", name));
                    let property = resolve(document, schema).get("properties")?.get(field)?;
                    Some((step(&step(&at, "properties"), field), property))
                })
                .or_else(|| parameter(field, None)),
            _ => None,
        }?;
        let at = stands_for(schema).map_or(at, |name| step("/components/schemas", name));
        Some((at, resolve(document, schema)))
    }

    /// Every schema a request is made of: parameters and body.
    pub fn request_schemas(&self, document: &'a Document) -> Vec<(String, &'a Value)> {
        let parameters = self.parameters(document).into_iter().filter_map(|(at, parameter)| {
            let (below, schema) = parameter_schema(parameter)?;
            Some((format!("{at}{below}"), schema))
        });
        let bodies = self.request_media().into_iter();
        parameters.chain(bodies.filter_map(|(at, media)| Some((step(&at, "schema"), media.get("schema")?)))).collect()
    }

    /// Whether its body is a form.
    pub fn is_form(&self) -> bool {
        self.value.pointer("/requestBody/content").and_then(|content| content.get(FORM)).is_some()
    }

    /// What it costs, bucket by bucket.
    pub fn rates(&self) -> Vec<&'a Value> {
        match self.value.get("x-rate") {
            Some(Value::Array(rates)) => rates.iter().collect(),
            rate => rate.into_iter().collect(),
        }
    }
}

/// The media type of forms.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// The schema of a parameter's value, and where it stands below the parameter: of a list that is written as JSON text in `content`.
pub fn parameter_schema(parameter: &Value) -> Option<(&'static str, &Value)> {
    const JSON: &str = "/content/application~1json/schema";
    let plain = parameter.get("schema").map(|schema| ("/schema", schema));
    plain.or_else(|| parameter.pointer(JSON).map(|schema| (JSON, schema)))
}

/// Whether a parameter is written as JSON text.
pub fn is_json_text(parameter: &Value) -> bool {
    parameter.get("content").is_some()
}

/// The servers of the calls.
pub fn servers(document: &Document) -> impl Iterator<Item = &Value> {
    document.value.get("servers").and_then(Value::as_array).into_iter().flatten()
}

/// The names of the environments, server by server.
pub fn environments(document: &Document) -> impl Iterator<Item = &str> {
    servers(document).filter_map(|server| text(server, "x-environment"))
}

/// Where the security schemes stand.
pub fn schemes_at(document: &Document) -> &'static str {
    match document.kind {
        Kind::OpenApi => "/components/securitySchemes",
        Kind::OpenRpc => "/x-security-schemes",
    }
}

/// The security schemes by their names.
pub fn schemes(document: &Document) -> impl Iterator<Item = (&String, &Value)> {
    document.value.pointer(schemes_at(document)).and_then(Value::as_object).into_iter().flatten()
}

/// A member's text.
pub fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

/// The entries of a member that is a mapping.
pub fn members<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.get(key).and_then(Value::as_object).into_iter().flatten()
}

/// The name of the schema that a `$ref` refers to.
pub fn schema_ref(schema: &Value) -> Option<&str> {
    text(schema, "$ref")?.strip_prefix("#/components/schemas/")
}

/// The schema that a schema stands for: by `$ref`, or by an `allOf` of one that gives it a description.
pub fn stands_for(schema: &Value) -> Option<&str> {
    if let Some(name) = schema_ref(schema) {
        return Some(name);
    }
    match schema.get("allOf")?.as_array()?.as_slice() {
        [only] if schema.get("properties").is_none() => schema_ref(only),
        _ => None,
    }
}

/// The schema that a schema stands for, or the schema itself.
pub fn resolve<'a>(document: &'a Document, schema: &'a Value) -> &'a Value {
    stands_for(schema).and_then(|name| document.value.pointer(&step("/components/schemas", name))).unwrap_or(schema)
}

/// Calls `visit` for a schema and all schemas written inside it, without following references.
pub fn walk_schema<'a>(pointer: &str, schema: &'a Value, visit: &mut dyn FnMut(&str, &'a Value)) {
    visit(pointer, schema);
    for (name, property) in members(schema, "properties") {
        walk_schema(&step(&step(pointer, "properties"), name), property, visit);
    }
    for key in ["items", "additionalProperties", "not"] {
        if let Some(inner) = schema.get(key).filter(|inner| inner.is_object()) {
            walk_schema(&step(pointer, key), inner, visit);
        }
    }
    for key in ["allOf", "oneOf", "anyOf", "x-tuple"] {
        for (i, inner) in schema.get(key).and_then(Value::as_array).into_iter().flatten().enumerate() {
            walk_schema(&step(&step(pointer, key), &i.to_string()), inner, visit);
        }
    }
}

/// Calls `visit` for each schema that is written directly inside a schema. What [`walk_schema`] does, one level, without pointers.
fn inner_schemas<'a>(schema: &'a Value, mut visit: impl FnMut(&'a Value)) {
    let Value::Object(map) = schema else { return };
    for (key, value) in map {
        match (key.as_str(), value) {
            ("properties", Value::Object(properties)) => properties.values().for_each(&mut visit),
            ("items" | "additionalProperties" | "not", Value::Object(_)) => visit(value),
            ("allOf" | "oneOf" | "anyOf" | "x-tuple", Value::Array(parts)) => parts.iter().for_each(&mut visit),
            _ => {}
        }
    }
}

/// Which component schemas occur in requests, and which in answers.
#[derive(Debug, Default)]
pub struct Reach {
    /// Schemas that a request is made of.
    pub request: BTreeSet<String>,
    /// Schemas that a response consists of.
    pub response: BTreeSet<String>,
}

impl Reach {
    /// Follows every reference from every operation and every channel.
    pub fn of(document: &Document) -> Self {
        let mut reach = Self::of_calls(document);
        for (_, schema) in streams::sent(document) {
            follow(document, schema, &mut reach.request);
        }
        for (_, schema) in streams::received(document) {
            follow(document, schema, &mut reach.response);
        }
        reach
    }

    /// Follows every reference from every operation.
    pub fn of_calls(document: &Document) -> Self {
        let mut reach = Self::default();
        for operation in operations(document) {
            for (_, schema) in operation.request_schemas(document) {
                follow(document, schema, &mut reach.request);
            }
            if let Some((_, schema)) = operation.result_schema(document) {
                follow(document, schema, &mut reach.response);
            }
        }
        reach
    }
}

/// Adds the names of all component schemas that a schema is made of.
pub fn follow(document: &Document, schema: &Value, into: &mut BTreeSet<String>) {
    let schemas = document.value.pointer("/components/schemas");
    let mut due = vec![schema];
    while let Some(schema) = due.pop() {
        if let Some(name) = schema_ref(schema)
            && let Some(target) = schemas.and_then(|schemas| schemas.get(name))
            && !into.contains(name)
        {
            into.insert(name.to_owned());
            due.push(target);
        }
        inner_schemas(schema, |inner| due.push(inner));
    }
}

/// Two entries of a list, by their indices, whose names are the same once they are written as Rust does.
pub fn collisions<'a>(names: impl IntoIterator<Item = &'a str>, case: impl Fn(&str) -> String) -> Vec<(usize, usize)> {
    let mut first: HashMap<String, usize> = HashMap::new();
    let mut pairs = Vec::new();
    for (index, name) in names.into_iter().enumerate() {
        match first.entry(case(name)) {
            Entry::Occupied(earlier) => pairs.push((*earlier.get(), index)),
            Entry::Vacant(place) => _ = place.insert(index),
        }
    }
    pairs
}
