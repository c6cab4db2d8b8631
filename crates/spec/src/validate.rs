//! Checks a request against its operation. More than the spec names is tolerated, as the venues do.

use serde_json::{Map, Number, Value};

use super::echo::Given;
use super::message::{JSON, Request};
use super::operation::{Operation, Parameter, ParameterLocation};
use super::problem::{Problem, RequestPart};
use super::schema::Schema;

impl Operation {
    /// Checks path, query, headers, content type and body; gives the values that the request names.
    pub fn check(&self, request: &Request) -> Result<Given, Problem> {
        let (given, problems) = self.examine(request);
        problems.into_iter().next().map_or(Ok(given), Err)
    }

    /// All that is wrong with a request.
    pub fn problems(&self, request: &Request) -> Vec<Problem> {
        self.examine(request).1
    }

    fn examine(&self, request: &Request) -> (Given, Vec<Problem>) {
        let (mut given, mut problems) = (Given::default(), Vec::new());
        for (name, text) in self.path_values(&request.path) {
            let value = match self.parameter(ParameterLocation::Path, name) {
                Some(parameter) => parameter.read(RequestPart::Path, std::slice::from_ref(&text), &mut problems),
                None => Value::from(text.as_str()),
            };
            given.add_path(name, text, &value, self.ends_in(name));
        }
        // A venue that accepts forms accepts query parameters in the form, too.
        let pairs = request.pairs();
        for parameter in &self.parameters {
            let (place, texts) = match parameter.place {
                ParameterLocation::Path => continue,
                ParameterLocation::Query => (RequestPart::Query, query_values(&pairs, &parameter.name)),
                ParameterLocation::Header => (RequestPart::Header, header_values(request, &parameter.name)),
            };
            if texts.is_empty() {
                if parameter.required {
                    problems.push(Problem::missing(place, &parameter.name));
                }
                continue;
            }
            given.add(&parameter.name, &parameter.read(place, &texts, &mut problems));
        }
        if let Some(schema) = &self.body {
            let body = if self.form { Ok(read_form(schema, &pairs)) } else { self.read_body(request) };
            match body {
                Ok(body) => {
                    problems.extend(schema.problems(RequestPart::Body, "", &body));
                    given.add_all(&body);
                }
                Err(problem) => problems.push(problem),
            }
        }
        (given, problems)
    }

    /// Checks the params of a JSON-RPC call.
    pub fn check_params(&self, params: &Value) -> Result<Given, Problem> {
        if let Some(problem) = self.problems_of_params(params).into_iter().next() {
            return Err(problem);
        }
        let mut given = Given::default();
        given.add_all(params);
        Ok(given)
    }

    /// All that is wrong with the params of a JSON-RPC call.
    pub fn problems_of_params(&self, params: &Value) -> Vec<Problem> {
        self.body.as_ref().map(|body| body.problems(RequestPart::Params, "", params)).unwrap_or_default()
    }

    /// A param that stands in a query, as the JSON that it would be in a body.
    pub fn param_from_query(&self, name: &str, texts: &[String]) -> Value {
        let schema = self.body.as_ref().and_then(|body| {
            let property = body.value["properties"].get(name)?.clone();
            Some(Schema::new(&body.components, property))
        });
        match schema {
            Some(schema) => read(&schema, texts),
            None => texts.first().cloned().into(),
        }
    }

    /// The body as JSON.
    fn read_body(&self, request: &Request) -> Result<Value, Problem> {
        if self.takes_empty_body && request.body.is_empty() {
            return Ok(Value::Object(Map::new()));
        }
        if !request.media_type().eq_ignore_ascii_case(JSON) {
            return Err(Problem::new(RequestPart::ContentType, "", "must be application/json"));
        }
        if request.body.is_empty() {
            return Err(Problem::missing(RequestPart::Body, ""));
        }
        let body: Value = serde_json::from_slice(&request.body).map_err(|error| {
            let reason = format!("is not JSON at line {} column {}", error.line(), error.column());
            Problem::new(RequestPart::Json, "", reason)
        })?;
        Ok(without_nulls(body))
    }

    fn parameter(&self, place: ParameterLocation, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.place == place && parameter.name == name)
    }
}

impl Parameter {
    /// The value that texts stand for, and what is wrong with it.
    fn read(&self, place: RequestPart, texts: &[String], problems: &mut Vec<Problem>) -> Value {
        let value = match texts {
            [text] if self.json => serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into()),
            [text, ..] if self.json => text.as_str().into(),
            _ => read(&self.schema, texts),
        };
        problems.extend(self.schema.problems(place, &self.name, &value));
        value
    }
}

/// The values of a query parameter; an empty one counts as left out.
fn query_values(pairs: &[(String, String)], name: &str) -> Vec<String> {
    pairs.iter().filter(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.clone()).collect()
}

/// The members of a form as JSON. Members that are not in the schema, such as credentials, are left out.
fn read_form(schema: &Schema, pairs: &[(String, String)]) -> Value {
    let member = |field: super::describe::Field| {
        let texts = query_values(pairs, &field.name);
        (!texts.is_empty()).then(|| (field.name, read(&field.schema, &texts)))
    };
    Value::Object(schema.fields().into_iter().filter_map(member).collect())
}

fn header_values(request: &Request, name: &str) -> Vec<String> {
    // What is no UTF-8 is checked nevertheless: it fits no pattern.
    let value = request.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    value.into_iter().collect()
}

/// A text as the JSON value that it stands for. What cannot be read stays a text, which then has the wrong type.
fn read(schema: &Schema, texts: &[String]) -> Value {
    let types = schema.types();
    let Some(first) = texts.first() else { return Value::Null };
    if types.contains("array") {
        let written_out = (texts.len() == 1 && first.starts_with('[')).then(|| serde_json::from_str(first).ok());
        let items = schema.items();
        let one = |text: &String| match &items {
            Some(items) => read(items, std::slice::from_ref(text)),
            None => Value::from(text.as_str()),
        };
        return written_out.flatten().unwrap_or_else(|| texts.iter().map(one).collect());
    }
    let number = || first.parse::<Number>().ok().map(Value::Number);
    // As JSON writes it: `+5` and `05` are none.
    let integer = || first.parse::<Number>().ok()?.as_i64().map(Value::from);
    let boolean = || first.parse::<bool>().ok().map(Value::Bool);
    let object = || serde_json::from_str::<Map<String, Value>>(first).ok().map(Value::Object);
    let readers: [(&str, &dyn Fn() -> Option<Value>); 4] =
        [("integer", &integer), ("number", &number), ("boolean", &boolean), ("object", &object)];
    let mut readers = readers.into_iter().filter(|(name, _)| types.contains(*name));
    readers.find_map(|(_, read)| read()).unwrap_or_else(|| first.as_str().into())
}

/// A member that is null counts as left out.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let present = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(present.map(|(name, value)| (name, without_nulls(value))).collect())
        }
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        scalar => scalar,
    }
}
