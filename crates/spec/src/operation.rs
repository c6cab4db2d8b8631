//! Reads operations out of an OpenAPI or OpenRPC document.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use heck::ToSnakeCase;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::message::{FORM, JSON};
use super::outline::{self, Components, Outline};
use super::route::{Segment, segments};
use super::schema::Schema;

/// One operation.
#[derive(Debug)]
pub struct Operation {
    /// `operationId`, or the name of a JSON-RPC method.
    pub id: String,
    /// The generated client's method.
    pub name: String,
    /// The part of the API that it belongs to; empty for a JSON-RPC method.
    pub tag: String,
    /// What it does, in half a sentence.
    pub summary: String,
    /// Further notes; often empty.
    pub description: String,
    /// Whether the venue has something else in its place.
    pub deprecated: bool,
    /// The HTTP method in capitals.
    pub method: String,
    /// The path below the venue's prefix, with its placeholders.
    pub template: String,
    pub(super) segments: Vec<Segment>,
    /// Path, query and header; a JSON-RPC method has none.
    pub parameters: Vec<Parameter>,
    /// The body, or the params of a JSON-RPC method as one object.
    pub body: Option<Schema>,
    /// Whether the body is a form (`application/x-www-form-urlencoded`).
    pub form: bool,
    /// Its method name in the venue's WebSocket API, if it has one. `None` for JSON-RPC methods.
    pub rpc: Option<String>,
    /// What the params of a JSON-RPC method mean, by name.
    pub(super) meanings: Vec<(String, String)>,
    /// Whether no body at all counts as an empty object.
    pub(super) takes_empty_body: bool,
    /// The status of a successful response.
    pub status: u16,
    /// The body of a successful response.
    pub answer: Option<Schema>,
    /// Sets of credentials of which one is needed; without any, everybody may call.
    pub(super) credentials: Vec<Vec<Header>>,
    /// The permission that the venue asks for.
    pub scope: Option<String>,
    /// Whether the venue may ask for a second factor.
    pub second_factor: bool,
    /// Whether it only reads.
    pub reads: bool,
    /// The members of a body that report an error.
    pub(super) error_members: Arc<Vec<String>>,
    pub(super) page: Option<Page>,
    /// Values that would make a successful response a failure: where, and what.
    pub(super) refused: Arc<Vec<Failing>>,
}

/// A parameter of a request, other than a credential.
#[derive(Debug)]
pub struct Parameter {
    /// Its name on the wire.
    pub name: String,
    /// Where it stands.
    pub place: ParameterLocation,
    /// Whether it must be there.
    pub required: bool,
    /// What it means.
    pub description: String,
    /// What it may be.
    pub schema: Schema,
    /// Whether its value is sent as JSON text.
    pub json: bool,
}

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterLocation {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// In a header.
    Header,
}

/// A header that carries a credential, and how its value begins.
#[derive(Clone, Debug)]
pub(super) struct Header {
    /// The name of the credential in the document.
    pub(super) credential: String,
    pub(super) name: String,
    pub(super) scheme: Option<&'static str>,
}

/// Where a response says that more is to come.
#[derive(Debug)]
pub(super) enum Page {
    /// The member that names the next page; empty on the last.
    Next(String),
    /// The member with the number of the last page.
    Last(String),
    /// No member says so: the page after the last one has no items.
    Empty {
        /// The parameter that numbers pages, or counts the items to leave out.
        param: String,
        /// What it is on the first page.
        first: i64,
        items: String,
    },
}

/// The operations of a document, in its order. Each is read when it is needed first.
#[derive(Debug)]
pub(super) struct Operations {
    reader: Reader,
    entries: Vec<Entry>,
}

/// Where an operation is, and what it is found by.
#[derive(Debug)]
struct Entry {
    id: &'static str,
    name: String,
    place: Place,
    operation: OnceLock<Operation>,
}

#[derive(Debug)]
enum Place {
    /// Below a path of an OpenAPI document.
    Path { path: &'static str, method: &'static str, shared: Option<&'static RawValue>, text: &'static RawValue },
    /// A method of an OpenRPC document.
    Rpc(&'static RawValue),
}

impl Operations {
    pub(super) fn new(outline: Outline<'static>) -> Self {
        let mut entries = rpc_entries(&outline.methods);
        for (path, members) in outline.paths {
            let shared = members.get("parameters").copied();
            let methods = members.into_iter().filter(|(method, _)| *method != "parameters");
            entries.extend(methods.map(|(method, text)| {
                let PathId { id } = outline::read(text);
                Entry::new(id, id.to_snake_case(), Place::Path { path, method, shared, text })
            }));
        }
        let reader = Reader {
            refused: Arc::new(refused(&outline.errors, &outline.challenge)),
            error_members: Arc::new(error_members(&outline.errors)),
            takes_empty_body: outline.no_body,
            security: outline.security,
            rpc_security: outline.rpc_security,
            rpc_schemes: outline.rpc_schemes,
            components: Arc::new(outline.components),
        };
        Self { reader, entries }
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &Operation> {
        self.entries.iter().map(|entry| entry.operation(&self.reader))
    }

    pub(super) fn of_id(&self, id: &str) -> Option<&Operation> {
        self.find(|entry| entry.id == id)
    }

    pub(super) fn of_name(&self, name: &str) -> Option<&Operation> {
        self.find(|entry| entry.name == name)
    }

    fn find(&self, is_wanted: impl Fn(&Entry) -> bool) -> Option<&Operation> {
        Some(self.entries.iter().find(|entry| is_wanted(entry))?.operation(&self.reader))
    }
}

impl Entry {
    fn new(id: &'static str, name: String, place: Place) -> Self {
        Self { id, name, place, operation: OnceLock::new() }
    }

    fn operation(&self, reader: &Reader) -> &Operation {
        self.operation.get_or_init(|| match self.place {
            Place::Path { path, method, shared, text } => {
                let shared: Value = shared.map(outline::read).unwrap_or_default();
                reader.path(self, path, method, &shared, &outline::read(text))
            }
            Place::Rpc(text) => reader.rpc(self, &outline::read(text)),
        })
    }
}

#[derive(Deserialize)]
struct PathId<'a> {
    #[serde(rename = "operationId")]
    id: &'a str,
}

#[derive(Deserialize)]
struct RpcId<'a> {
    name: &'a str,
}

/// Without `public/` or `private/`, unless both have it; then the private one says so.
fn rpc_entries(methods: &[&'static RawValue]) -> Vec<Entry> {
    let ids = methods.iter().map(|text| outline::read::<RpcId<'static>>(text).name);
    let ids: Vec<&str> = ids.collect();
    let public: HashSet<&str> = ids.iter().filter_map(|id| id.strip_prefix("public/")).collect();
    let name = |id: &'static str| match id.split_once('/') {
        Some(("private", bare)) if public.contains(bare) => id,
        Some(("public" | "private", bare)) => bare,
        _ => id,
    };
    let entry =
        |(id, text): (&&'static str, &&'static RawValue)| Entry::new(id, name(id).to_snake_case(), Place::Rpc(text));
    ids.iter().zip(methods).map(entry).collect()
}

#[derive(Debug)]
struct Reader {
    components: Arc<Components>,
    security: Value,
    rpc_security: Value,
    rpc_schemes: Value,
    takes_empty_body: bool,
    refused: Arc<Vec<Failing>>,
    error_members: Arc<Vec<String>>,
}

impl Reader {
    fn path(&self, entry: &Entry, path: &str, method: &str, shared: &Value, operation: &Value) -> Operation {
        let parameters = list(shared).iter().chain(list(&operation["parameters"]));
        let (status, answer) = good_answer(operation);
        let security = operation.get("security").unwrap_or(&self.security);
        Operation {
            id: entry.id.to_owned(),
            name: entry.name.clone(),
            tag: string(&operation["tags"][0]),
            summary: string(&operation["summary"]),
            description: string(&operation["description"]),
            deprecated: operation["deprecated"] == true,
            meanings: Vec::new(),
            method: method.to_uppercase(),
            template: path.to_owned(),
            segments: segments(path),
            parameters: parameters.filter_map(|parameter| self.parameter(parameter)).collect(),
            body: body_schema(&operation["requestBody"]).map(|schema| self.schema(schema)),
            form: form_schema(&operation["requestBody"]).is_some(),
            rpc: operation["x-method"].as_str().map(str::to_owned),
            takes_empty_body: self.takes_empty_body,
            status,
            answer: answer.map(|schema| self.schema(schema)),
            credentials: credentials(security, |name| self.components.part("securitySchemes", name)),
            scope: operation["x-scope"].as_str().map(str::to_owned),
            second_factor: false,
            reads: operation["x-retry"] == "safe",
            error_members: Arc::clone(&self.error_members),
            page: page(operation),
            refused: Arc::clone(&self.refused),
        }
    }

    fn parameter(&self, parameter: &Value) -> Option<Parameter> {
        let parameter = self.resolved(parameter);
        let place = match parameter["in"].as_str()? {
            "path" => ParameterLocation::Path,
            "query" => ParameterLocation::Query,
            "header" => ParameterLocation::Header,
            _ => return None,
        };
        let (schema, json) = match json_schema(parameter) {
            Some(schema) => (schema, true),
            None => (&parameter["schema"], false),
        };
        Some(Parameter {
            name: string(&parameter["name"]),
            place,
            required: parameter["required"] == true,
            description: string(&parameter["description"]),
            schema: self.schema(schema),
            json,
        })
    }

    /// A JSON-RPC method: a POST whose body is the params.
    fn rpc(&self, entry: &Entry, method: &Value) -> Operation {
        let params: Vec<&Value> = list(&method["params"]).iter().map(|param| self.resolved(param)).collect();
        let named = params.iter().map(|param| (string(&param["name"]), param["schema"].clone()));
        let properties: Map<String, Value> = named.collect();
        let required = |param: &&&Value| param["required"] == true && param["x-left-out"] != true;
        let required: Vec<&Value> = params.iter().filter(required).map(|param| &param["name"]).collect();
        let security = method.get("x-security").unwrap_or(&self.rpc_security);
        let template = format!("/{}", entry.id);
        let meanings = params.iter().map(|param| (string(&param["name"]), string(&param["description"]))).collect();
        Operation {
            id: entry.id.to_owned(),
            name: entry.name.clone(),
            tag: string(&method["tags"][0]["name"]),
            summary: string(&method["summary"]),
            description: string(&method["description"]),
            deprecated: method["deprecated"] == true,
            meanings,
            method: "POST".to_owned(),
            segments: segments(&template),
            template,
            parameters: Vec::new(),
            body: Some(self.schema(&json!({"type": "object", "properties": properties, "required": required}))),
            form: false,
            rpc: None,
            takes_empty_body: false,
            status: 200,
            answer: method["result"].get("schema").map(|schema| self.schema(schema)),
            credentials: credentials(security, |name| &self.rpc_schemes[name]),
            scope: method["x-scope"].as_str().map(str::to_owned),
            second_factor: method["x-second-factor"] == true,
            reads: method["x-retry"] == "safe",
            error_members: Arc::clone(&self.error_members),
            page: page(method),
            refused: Arc::clone(&self.refused),
        }
    }

    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        self.components.referred(value).unwrap_or(value)
    }

    fn schema(&self, schema: &Value) -> Schema {
        Schema::new(&self.components, schema.clone())
    }
}

/// The sets of credentials of a `security` list.
fn credentials<'a>(security: &Value, scheme: impl Fn(&str) -> &'a Value) -> Vec<Vec<Header>> {
    let header = |name: &str| {
        let scheme = scheme(name);
        let (header, begins) = match scheme["scheme"].as_str() {
            Some("bearer") => ("Authorization".to_owned(), Some("bearer")),
            Some(_) => ("Authorization".to_owned(), Some("basic")),
            None => (string(&scheme["name"]), None),
        };
        let credential = scheme["x-credential"].as_str().unwrap_or(name).to_owned();
        Header { credential, name: header, scheme: begins }
    };
    list(security).iter().map(|set| members(set).map(|(name, _)| header(name)).collect()).collect()
}

/// Status and schema of the one successful response.
fn good_answer(operation: &Value) -> (u16, Option<&Value>) {
    let mut responses = members(&operation["responses"]);
    let (status, response) = responses.find(|(status, _)| status.starts_with('2')).unwrap_or(("200", &Value::Null));
    (status.parse().unwrap_or(200), json_schema(response))
}

/// The schema of a request's body.
fn body_schema(holder: &Value) -> Option<&Value> {
    json_schema(holder).or_else(|| form_schema(holder))
}

/// The schema of a body that is a form.
fn form_schema(holder: &Value) -> Option<&Value> {
    holder["content"][FORM].get("schema")
}

/// The schema of a JSON body, or of a parameter that is JSON text.
fn json_schema(holder: &Value) -> Option<&Value> {
    holder["content"][JSON].get("schema")
}

fn page(operation: &Value) -> Option<Page> {
    let page = operation.get("x-page")?;
    Some(match (page["next"].as_str(), page["last"].as_str()) {
        (Some(next), _) => Page::Next(next.to_owned()),
        (None, Some(last)) => Page::Last(last.to_owned()),
        (None, None) => Page::Empty {
            param: string(&page["param"]),
            first: i64::from(page["style"] != "offset"),
            items: string(&page["items"]),
        },
    })
}

impl Operation {
    /// Whether the body of a response with a success status reports a failure.
    pub fn says_failed(&self, body: &Value) -> bool {
        self.refused.iter().any(|failing| body.pointer(&failing.at).is_some_and(|said| failing.fits(&failing.at, said)))
    }
}

/// A value by which a body with a good status says that the call failed.
#[derive(Debug)]
pub(super) struct Failing {
    /// A JSON pointer into the body.
    pub(super) at: String,
    /// The value there.
    pub(super) value: Value,
    /// Whether every other value means failure, and this one success.
    pub(super) unless: bool,
}

impl Failing {
    /// Whether this value at this place says that the call failed.
    pub(super) fn fits(&self, at: &str, value: &Value) -> bool {
        self.at == at && (*value == self.value) != self.unless
    }
}

fn refused(errors: &Value, challenge: &Value) -> Vec<Failing> {
    let failed = list(&errors["failed-when"]).iter();
    let failing = |rule: &Value| match rule.get("not") {
        Some(value) => Failing { at: string(&rule["at"]), value: value.clone(), unless: true },
        None => Failing { at: string(&rule["at"]), value: rule["equals"].clone(), unless: false },
    };
    let mut refused: Vec<Failing> = failed.map(failing).collect();
    if let Some(flag) = challenge["flag"].as_str() {
        refused.push(Failing { at: format!("/{flag}"), value: true.into(), unless: false });
    }
    refused
}

/// Where the codes of errors stand, at the top of a body.
fn error_members(errors: &Value) -> Vec<String> {
    let codes = list(&errors["code"]).iter().filter_map(Value::as_str);
    let mut names: Vec<String> = codes.filter_map(|at| Some(at.split('/').nth(1)?.to_owned())).collect();
    names.dedup();
    names
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
