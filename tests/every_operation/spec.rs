//! A venue's lowered document, as the tests read it.

use serde_json::Value;
use venuekit::wire::operation::{FailedWhen, Operation, Venue};

/// What the generator received, and the venue's table.
pub struct Spec {
    document: Value,
    venue: &'static Venue,
}

/// What a schema describes.
pub enum Kind<'a> {
    Secret,
    /// An exact number, written as text.
    Decimal,
    /// An exact number, written as a number.
    DecimalNumber,
    DecimalOrText,
    IntegerOrText,
    DateTime,
    /// A Unix time, in whatever unit.
    UnixTime,
    /// One of these, or any other text.
    Open(Vec<&'a str>),
    /// One of these.
    Closed(Vec<&'a str>),
    /// A text of this form.
    Pattern(&'a str),
    Text,
    Integer,
    Float,
    Boolean,
    List(&'a Value),
    /// Two of these: a price and a size.
    Level(&'a Value),
    Object(Object<'a>),
    /// Either of these.
    Choice(&'a [Value]),
    /// Anything.
    Free,
}

impl Kind<'_> {
    /// Whether it is a number or a time, for which a blank text is no value.
    pub fn is_read_from_a_token(&self) -> bool {
        matches!(
            self,
            Self::Decimal
                | Self::DecimalNumber
                | Self::DecimalOrText
                | Self::IntegerOrText
                | Self::DateTime
                | Self::UnixTime
                | Self::Integer
                | Self::Float
        )
    }
}

pub struct Object<'a> {
    pub properties: Vec<Property<'a>>,
    /// What stands under any other name, where that is kept.
    pub others: Option<&'a Value>,
}

pub struct Property<'a> {
    pub name: &'a str,
    pub schema: &'a Value,
    /// Whether the object is useless without it.
    pub required: bool,
    /// Whether it stays in every example: required, or the first of several of which one is.
    pub kept: bool,
}

/// Where a parameter travels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RequestPart {
    Path,
    Query,
    Header,
}

pub struct Parameter<'a> {
    pub name: &'a str,
    pub place: RequestPart,
    pub schema: &'a Value,
    pub required: bool,
}

/// What an operation takes and gives.
pub struct Endpoint<'a> {
    pub parameters: Vec<Parameter<'a>>,
    pub body: Option<&'a Value>,
    pub answer: Option<&'a Value>,
}

impl Spec {
    pub fn of(venue: &'static Venue) -> Self {
        // Cargo starts tests in the folder of their package.
        let path = format!("crates/{}/src/generated/lowered.json", venue.name);
        let document = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        Self { document, venue }
    }

    /// What makes a response with a success status a failure nevertheless.
    pub fn failed_when(&self) -> &'static [FailedWhen] {
        self.venue.errors.failed_when
    }

    /// How many operations there are.
    pub fn operations(&self) -> usize {
        let items = self.document["paths"].as_object().unwrap().values();
        items.flat_map(|item| item.as_object().unwrap().keys()).filter(|key| *key != "parameters").count()
    }

    pub fn endpoint(&self, operation: &Operation) -> Endpoint<'_> {
        let item = &self.document["paths"][operation.path];
        let value = &item[operation.method.to_lowercase()];
        assert!(value.is_object(), "{} {} is in the lowered document", operation.method, operation.path);
        let lists = [&item["parameters"], &value["parameters"]];
        let parameters = lists.into_iter().filter_map(Value::as_array).flatten().map(|it| self.parameter(it)).collect();
        let body = value.get("requestBody").map(|body| &body["content"]["application/json"]["schema"]);
        let answer = value.pointer("/responses/2XX/content/application~1json/schema");
        Endpoint { parameters, body, answer }
    }

    fn parameter<'a>(&'a self, value: &'a Value) -> Parameter<'a> {
        let value = self.target(value).unwrap_or(value);
        let place = match value["in"].as_str() {
            Some("path") => RequestPart::Path,
            Some("query") => RequestPart::Query,
            Some("header") => RequestPart::Header,
            other => panic!("a parameter in {other:?}"),
        };
        let name = value["name"].as_str().unwrap();
        Parameter { name, place, schema: &value["schema"], required: value["required"] == true }
    }

    fn target(&self, value: &Value) -> Option<&Value> {
        let target = value["$ref"].as_str()?;
        // `Value::pointer` looks for escapes in each name, which takes long without optimization. No name of a schema has any.
        let mut names = target.strip_prefix("#/").unwrap().split('/');
        Some(names.try_fold(&self.document, |value, name| value.get(name)).unwrap_or_else(|| panic!("{target} exists")))
    }

    /// The schema that a schema stands for.
    pub fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match (self.target(schema), schema["allOf"].as_array().map(Vec::as_slice)) {
            (Some(target), _) => self.resolve(target),
            (None, Some([only])) => self.resolve(only),
            _ => schema,
        }
    }

    /// The members of an object of which one at least must be there.
    pub fn one_of<'a>(&'a self, schema: &'a Value) -> Vec<&'a str> {
        self.resolve(schema)["x-vital"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    }

    pub fn kind<'a>(&'a self, schema: &'a Value) -> Kind<'a> {
        let schema = self.resolve(schema);
        if let Some(path) = schema["x-rust-type"]["path"].as_str() {
            return match path.trim_start_matches("venuekit_wire::") {
                "Open" => Kind::Open(words(self.resolve(&schema["x-rust-type"]["parameters"][0]))),
                "Secret" => Kind::Secret,
                "Decimal" => Kind::Decimal,
                "DecimalNumber" => Kind::DecimalNumber,
                "DecimalOrText" => Kind::DecimalOrText,
                "IntegerOrText" => Kind::IntegerOrText,
                "DateTime" => Kind::DateTime,
                "Level" => Kind::Level(&schema["x-rust-type"]["parameters"][0]),
                "OneOrMany" => Kind::List(&schema["x-rust-type"]["parameters"][0]),
                "UnixSeconds" | "UnixMillis" | "UnixMicros" | "UnixNanos" | "UnixMillisOrMicros" => Kind::UnixTime,
                other => panic!("`{other}` has no examples"),
            };
        }
        if let Some(choices) = schema["oneOf"].as_array() {
            return Kind::Choice(choices);
        }
        if schema["enum"].is_array() {
            return Kind::Closed(words(schema));
        }
        match (schema["type"].as_str(), schema["pattern"].as_str()) {
            (Some("string"), Some(pattern)) => Kind::Pattern(pattern),
            (Some("string"), None) => Kind::Text,
            (Some("integer"), _) => Kind::Integer,
            (Some("number"), _) => Kind::Float,
            (Some("boolean"), _) => Kind::Boolean,
            (Some("array"), _) => Kind::List(&schema["items"]),
            (Some("object"), _) => Kind::Object(object(schema)),
            _ => Kind::Free,
        }
    }
}

fn words(schema: &Value) -> Vec<&str> {
    schema["enum"].as_array().unwrap().iter().map(|value| value.as_str().unwrap()).collect()
}

fn object(schema: &Value) -> Object<'_> {
    let required = |name: &str| schema["required"].as_array().is_some_and(|names| names.iter().any(|n| n == name));
    let properties = schema["properties"].as_object().into_iter().flatten();
    let one_of: Vec<&str> = schema["x-vital"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let properties: Vec<Property<'_>> = properties
        .map(|(own, schema_of_it)| {
            // What the venue calls a member that has another name in Rust.
            let name = schema["x-names"][own].as_str().unwrap_or(own);
            let (required, schema) = (required(own) || one_of == [name], schema_of_it);
            Property { name, schema, required, kept: required || one_of.first().is_some_and(|first| *first == name) }
        })
        .collect();
    let others = schema.get("additionalProperties").filter(|others| **others != false);
    Object { properties, others }
}
