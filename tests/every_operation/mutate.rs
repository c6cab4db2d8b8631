//! The ways in which one part of a response may differ from the spec, or be at the edge of it, and must still be read.

use serde_json::Value;

use crate::example::{TOMORROW, UNKNOWN};
use crate::json::{Json, Step};
use crate::spec::{Kind, Spec};

/// One change of a response.
#[derive(Clone, Debug)]
pub struct Mutation {
    pub at: Vec<Step>,
    pub change: Change,
}

#[derive(Clone, Debug)]
pub enum Change {
    /// The member is not there.
    Missing,
    /// Another value.
    Is(Json),
    /// Any exact number stands here, in the form of text or of a number. Which one, a test chooses.
    Money(Form),
    /// One more member in an object.
    Extra,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Form {
    Text,
    Number,
}

impl Change {
    fn money(self, digits: &str) -> Option<Json> {
        match self {
            Self::Is(value) => Some(value),
            Self::Money(Form::Text) => Some(Json::text(digits)),
            Self::Money(Form::Number) => Some(Json::Number(digits.to_owned())),
            Self::Missing | Self::Extra => None,
        }
    }
}

impl Mutation {
    /// Changes a response, if an earlier change has left something to change. `digits` stand where money is expected.
    pub fn apply(&self, answer: &mut Json, digits: &str) {
        let Some((Step::Key(name), above)) = self.at.split_last().filter(|_| matches!(self.change, Change::Missing))
        else {
            let Some(place) = answer.at(&self.at) else { return };
            match (self.change.clone().money(digits), place) {
                (Some(value), place) => *place = value,
                (None, Json::Object(members)) => {
                    members.insert(TOMORROW.to_owned(), Json::parse(r#"{"anything":[1,"x",null,{}]}"#));
                }
                (None, _) => {}
            }
            return;
        };
        if let Some(Json::Object(members)) = answer.at(above) {
            members.remove(name);
        }
    }
}

/// Every change that a whole response must survive. Objects whose schema is not wanted stay as they are.
pub fn mutations(spec: &Spec, schema: &Value, answer: &Json, wanted: &mut dyn FnMut(&Value) -> bool) -> Vec<Mutation> {
    let mut walk = Walk { spec, wanted, at: Vec::new(), found: Vec::new() };
    walk.value(schema, answer);
    walk.found
}

/// The places of members without which a response is useless.
pub fn vital(spec: &Spec, schema: &Value, answer: &Json) -> Vec<Vec<Step>> {
    let (Kind::Object(object), Json::Object(members)) = (spec.kind(schema), answer) else {
        let (Kind::List(items), Json::List(values)) = (spec.kind(schema), answer) else { return Vec::new() };
        let below = values.iter().enumerate().map(|(i, value)| (Step::Index(i), vital(spec, items, value)));
        return below.flat_map(|(step, places)| under(&step, places)).collect();
    };
    let mut all = Vec::new();
    for property in &object.properties {
        let Some(value) = members.get(property.name) else { continue };
        let step = Step::Key(property.name.to_owned());
        let below = vital(spec, property.schema, value);
        all.extend(property.required.then(|| vec![step.clone()]));
        all.extend(under(&step, below));
    }
    all
}

fn under(step: &Step, places: Vec<Vec<Step>>) -> Vec<Vec<Step>> {
    places.into_iter().map(|place| [vec![step.clone()], place].concat()).collect()
}

struct Walk<'a> {
    spec: &'a Spec,
    wanted: &'a mut dyn FnMut(&Value) -> bool,
    at: Vec<Step>,
    found: Vec<Mutation>,
}

impl Walk<'_> {
    fn add(&mut self, change: Change) {
        self.found.push(Mutation { at: self.at.clone(), change });
    }

    fn is(&mut self, values: impl IntoIterator<Item = Json>) {
        values.into_iter().for_each(|value| self.add(Change::Is(value)));
    }

    fn value(&mut self, schema: &Value, value: &Json) {
        let numbers = |texts: &[&str]| texts.iter().map(|text| Json::Number((*text).to_owned())).collect::<Vec<_>>();
        let texts = |texts: &[&str]| texts.iter().map(|text| Json::text(text)).collect::<Vec<_>>();
        match (self.spec.kind(schema), value) {
            (Kind::Open(_), _) => self.is(texts(&[UNKNOWN, "", "é\"\\\n\u{1F600}"])),
            (Kind::Decimal | Kind::DecimalNumber, _) => {
                self.add(Change::Money(Form::Text));
                self.add(Change::Money(Form::Number));
            }
            (Kind::DecimalOrText, _) => {
                self.add(Change::Money(Form::Text));
                self.add(Change::Money(Form::Number));
                self.is(texts(&["market_price", "N/A"]));
            }
            (Kind::UnixTime | Kind::Integer, _) => {
                self.is([i64::MIN, i64::MAX, 0, -1].map(Json::number));
                // A venue that computes in floats.
                self.is(numbers(&["25.0", "1e3", "-2.50E+1", "9007199254740993.00", "9.223372036854775807e18"]));
                self.is(texts(&["7", "25.0"]));
            }
            (Kind::IntegerOrText, _) => {
                self.is(numbers(&["0", "25.0", "1e3"]));
                self.is(texts(&["7", "unlimited"]));
            }
            (Kind::Float, _) => {
                self.is(numbers(&["0", "-1", "1e-7", "9007199254740993", "1.7976931348623157e308"]));
                self.is(texts(&["0.5"]));
            }
            (Kind::DateTime, _) => self.is(texts(&["tomorrow", "2026-02-17T10:30:00.123456789+01:00"])),
            (Kind::Text | Kind::Secret, _) => self.is(texts(&["", "é\"\\\n\u{1F600}\u{0}"])),
            (Kind::Boolean, Json::Bool(value)) => self.is([Json::Bool(!value)]),
            (Kind::Choice(choices), _) => {
                for choice in choices {
                    self.value(choice, value);
                }
            }
            (Kind::List(items) | Kind::Level(items), Json::List(values)) => {
                if matches!(self.spec.kind(schema), Kind::List(_)) {
                    self.is([Json::List(Vec::new())]);
                }
                // One item stands for all.
                if let Some((item, before)) = values.split_last() {
                    self.below(Step::Index(before.len()), items, item);
                }
            }
            (Kind::Object(object), Json::Object(members)) if (self.wanted)(self.spec.resolve(schema)) => {
                if object.others.is_none() {
                    self.add(Change::Extra);
                }
                for (name, value) in members {
                    let property = object.properties.iter().find(|property| property.name == name);
                    let Some(schema) = property.map(|property| property.schema).or(object.others) else { continue };
                    let is_list = matches!(self.spec.kind(schema), Kind::List(_));
                    self.at.push(Step::Key(name.clone()));
                    if property.is_none_or(|property| !property.kept) {
                        self.add(Change::Missing);
                        if self.spec.kind(schema).is_read_from_a_token() {
                            self.is(texts(&["", " \t"]));
                        }
                    }
                    if property.is_some_and(|property| !property.kept || is_list) {
                        self.add(Change::Is(Json::Null));
                    }
                    self.at.pop();
                    self.below(Step::Key(name.clone()), schema, value);
                }
            }
            _ => {}
        }
    }

    fn below(&mut self, step: Step, schema: &Value, value: &Json) {
        self.at.push(step);
        if schema["nullable"] == true {
            self.is([Json::Null]);
        }
        self.value(schema, value);
        self.at.pop();
    }
}
