//! Requests and responses generated from the lowered specs: valid ones, and the ways in which a whole response may differ and must still be
//! read.

use std::collections::BTreeMap;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;
use venuekit::wire::operation::{FailedValue, Key, Operation, Retry};

use crate::call::Given;
use crate::json::{Json, Step};
use crate::spec::{Kind, Object, RequestPart, Spec};

/// What stands in every secret.
pub const MARKER: &str = "MARKERsecretMARKER";

/// A value that no enum knows.
pub const UNKNOWN: &str = "something_new";

/// A member that no schema knows.
pub const TOMORROW: &str = "a_field_of_tomorrow";

/// How an example departs from the plain one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// Every field, as described.
    Full,
    /// Vital fields only; of a request, what it must have.
    Minimal,
    /// Every field, and one more in each object.
    ExtraField,
    /// Every enum has a value that is unknown.
    UnknownEnum,
    /// Every field that is not vital is null, every list too.
    Null,
    /// Every list is empty.
    EmptyLists,
    /// Exact numbers come in the other form: text for a number, a number for text.
    OtherForm,
}

/// What a call is given.
#[derive(Clone)]
pub struct Request {
    pub parameters: Vec<(RequestPart, String, Json)>,
    pub body: Option<Json>,
}

impl Request {
    pub fn given(&self) -> Given {
        let parameters = self.parameters.iter().map(|(_, name, value)| (name.clone(), value.clone()));
        Given(parameters.chain(self.body.clone().map(|body| ("body".to_owned(), body))).collect())
    }
}

impl Spec {
    pub fn request(&self, operation: &Operation, shape: Shape) -> Request {
        let endpoint = self.endpoint(operation);
        let mut maker = Maker::new(self, shape);
        let wanted = endpoint.parameters.iter().filter(|parameter| parameter.required || shape != Shape::Minimal);
        let parameters = wanted.map(|parameter| {
            maker.alphabet = match parameter.place {
                RequestPart::Path | RequestPart::Query => QUERY,
                RequestPart::Header => HEADER,
            };
            let value = maker.example(parameter.schema).expect("a parameter holds not itself");
            (parameter.place, parameter.name.to_owned(), value)
        });
        let parameters = parameters.collect();
        maker.alphabet = TEXT;
        let mut body = endpoint.body.map(|schema| maker.example(schema).expect("a body holds not itself"));
        if let Retry::Keyed(Key::Field(name)) = operation.retry
            && let Some(key) = body.as_mut().and_then(|body| body.at(&[Step::Key(name.to_owned())]))
        {
            *key = Json::text(KEY);
        }
        Request { parameters, body }
    }

    /// The response of an operation, if it has a body.
    pub fn answer(&self, operation: &Operation, shape: Shape) -> Option<Json> {
        let schema = self.endpoint(operation).answer?;
        let mut answer = Maker::new(self, shape).example(schema).expect("a response does not contain itself");
        // What the venue says of a failure, a successful response does not say.
        for test in self.failed_when() {
            let place: Vec<Step> = test.at.split('/').skip(1).map(|name| Step::Key(name.to_owned())).collect();
            match (answer.at(&place), test.value) {
                (Some(said), FailedValue::Is(value)) if said.to_string() == value => match said {
                    Json::Bool(value) => *value = !*value,
                    _ => *said = Json::text("fine"),
                },
                (Some(said), FailedValue::IsNot(value)) => *said = Json::parse(value),
                _ => {}
            }
        }
        Some(answer)
    }
}

/// Texts that a query must encode, that a header can hold, and that JSON must escape.
const QUERY: &str = "a b&c=d/é?#%2F+";
const HEADER: &str = "a b; c=\"d\", %2F";
const TEXT: &str = "té\"x\\t\n\u{1F600}/";

/// An idempotency key that every venue takes: a client refuses what it may not send as one.
const KEY: &str = "4d0c4f0e-1c1f-4b6e-9d4f-2f6d3c1b5a69";

/// Makes values, no two of them alike, so that none can stand in another's place unnoticed.
struct Maker<'a> {
    spec: &'a Spec,
    shape: Shape,
    alphabet: &'static str,
    made: u32,
    /// The schemas that are being made.
    inside: Vec<&'a Value>,
}

impl<'a> Maker<'a> {
    fn new(spec: &'a Spec, shape: Shape) -> Self {
        Self { spec, shape, alphabet: TEXT, made: 0, inside: Vec::new() }
    }

    /// None for a value that would hold itself.
    fn example(&mut self, schema: &'a Value) -> Option<Json> {
        let schema = self.spec.resolve(schema);
        if self.inside.iter().any(|outer| std::ptr::eq(*outer, schema)) {
            return None;
        }
        self.inside.push(schema);
        let value = self.value(self.spec.kind(schema));
        self.inside.pop();
        value
    }

    fn value(&mut self, kind: Kind<'a>) -> Option<Json> {
        self.made += 1;
        let n = self.made;
        // More digits than a float has, and a zero at the end.
        let exact = format!("12345678901234567.{n:05}0");
        let as_number = match kind {
            Kind::Decimal => self.shape == Shape::OtherForm,
            Kind::DecimalNumber | Kind::DecimalOrText => self.shape != Shape::OtherForm,
            _ => false,
        };
        Some(match kind {
            Kind::Secret => Json::text(MARKER),
            Kind::Decimal | Kind::DecimalNumber | Kind::DecimalOrText if as_number => Json::Number(exact),
            Kind::Decimal | Kind::DecimalNumber | Kind::DecimalOrText => Json::Text(exact),
            Kind::DateTime => Json::Text(format!("2026-02-17T10:30:00.{n:06}Z")),
            Kind::UnixTime => Json::number(1_700_000_000_000_i64 + i64::from(n)),
            Kind::Open(_) if self.shape == Shape::UnknownEnum => Json::text(UNKNOWN),
            Kind::Open(words) | Kind::Closed(words) => Json::text(words[n as usize % words.len()]),
            Kind::Pattern(pattern) => Json::Text(matching(pattern, n)),
            Kind::Text => Json::Text(format!("{}{n}", self.alphabet)),
            Kind::Integer | Kind::IntegerOrText => Json::number(n),
            Kind::Float => Json::Number(format!("{n}.5")),
            Kind::Boolean => Json::Bool(n.is_multiple_of(2)),
            Kind::List(_) if self.shape == Shape::EmptyLists => Json::List(Vec::new()),
            Kind::List(items) | Kind::Level(items) => Json::List((0..2).map_while(|_| self.example(items)).collect()),
            Kind::Object(object) => self.object(object),
            Kind::Choice(choices) => return self.example(&choices[0]),
            Kind::Free => Json::parse(r#"{"free":["form",1,null]}"#),
        })
    }

    fn object(&mut self, object: Object<'a>) -> Json {
        let mut members = BTreeMap::new();
        for property in &object.properties {
            let is_list = matches!(self.spec.kind(property.schema), Kind::List(_));
            let value = match self.shape {
                Shape::Minimal if !property.kept => continue,
                Shape::Null if !property.kept || is_list => Json::Null,
                _ => match self.example(property.schema) {
                    Some(value) => value,
                    None => continue,
                },
            };
            members.insert(property.name.to_owned(), value);
        }
        if let Some(value) = object.others.and_then(|others| self.example(others)) {
            members.insert("some_key".into(), value);
        } else if self.shape == Shape::ExtraField {
            members.insert(TOMORROW.into(), Json::parse(r#"{"anything":[1,"x",null]}"#));
        }
        Json::Object(members)
    }
}

/// A text that a pattern takes, the same on every run.
fn matching(pattern: &str, n: u32) -> String {
    let whole = regress::Regex::with_flags(pattern, "u").unwrap_or_else(|error| panic!("{pattern}: {error}"));
    // What it says about its surroundings cannot be generated, only tried.
    let ahead = regress::Regex::new(r"\(\?[^)]*\)").unwrap();
    let inner = ahead.replace_all(pattern.trim_start_matches('^').trim_end_matches('$'), "");
    let texts = proptest::string::string_regex(&inner).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    let mut seed = [0; 32];
    seed[..4].copy_from_slice(&n.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let mut candidates = std::iter::repeat_with(|| texts.new_tree(&mut runner).unwrap().current()).take(100);
    let found = candidates.find(|text| whole.find(text).is_some_and(|found| found.range() == (0..text.len())));
    found.unwrap_or_else(|| panic!("{pattern} takes none of a hundred texts"))
}
