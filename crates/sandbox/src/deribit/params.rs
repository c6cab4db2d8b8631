//! Named params, from a JSON object or from a query.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::error::Error;
use crate::number;
use crate::spec::{Given, Operation};

/// The params of one call. A param that is null counts as left out. No `Debug`: a secret may be among them.
#[derive(Default)]
pub(super) struct Params {
    values: BTreeMap<String, Param>,
}

enum Param {
    Json(Box<RawValue>),
    /// A query names an array's elements by repeating the key.
    Query(Vec<String>),
}

impl Params {
    pub(super) fn from_json(params: &RawValue) -> Result<Self, Error> {
        let not_an_object = |_| Error::new(Error::INVALID_PARAMS).because("params must be an object");
        let values: BTreeMap<String, Box<RawValue>> = serde_json::from_str(params.get()).map_err(not_an_object)?;
        let present = values.into_iter().filter(|(_, value)| value.get() != "null");
        Ok(Self { values: present.map(|(name, value)| (name, Param::Json(value))).collect() })
    }

    pub(super) fn from_query(pairs: Vec<(String, String)>) -> Self {
        let mut values = BTreeMap::new();
        for (name, value) in pairs {
            if let Param::Query(elements) = values.entry(name).or_insert_with(|| Param::Query(Vec::new())) {
                elements.push(value);
            }
        }
        Self { values }
    }

    /// Checks them against the spec.
    pub(super) fn check(&self, operation: &Operation) -> Result<Given, Error> {
        let read = |(name, param): (&String, &Param)| match param {
            Param::Json(raw) => (name.clone(), serde_json::from_str(raw.get()).unwrap_or_default()),
            Param::Query(elements) => (name.clone(), operation.param_from_query(name, elements)),
        };
        let params: Map<String, Value> = self.values.iter().map(read).collect();
        operation.check_params(&params.into()).map_err(|problem| {
            let reason = problem.to_string();
            if self.is_empty() {
                Error::new(Error::MISSING_PARAMS).because(reason)
            } else {
                Error::invalid_param(problem.field(), reason)
            }
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// All params but the named ones, each as its text: to compare two calls.
    pub(super) fn texts_without(&self, names: &[&str]) -> BTreeMap<String, String> {
        let others = self.values.iter().filter(|(name, _)| !names.contains(&name.as_str()));
        let text = |param: &Param| match param {
            Param::Json(raw) => raw.get().to_owned(),
            Param::Query(elements) => elements.join("&"),
        };
        others.map(|(name, param)| (name.clone(), text(param))).collect()
    }

    /// Whether a param is neither left out nor empty.
    pub(super) fn asks_for(&self, name: &str) -> bool {
        match self.values.get(name) {
            None => false,
            Some(Param::Json(raw)) => !["null", "\"\"", "[]"].contains(&raw.get()),
            Some(Param::Query(elements)) => elements.iter().any(|text| !text.is_empty() && text != "[]"),
        }
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Error> {
        self.read(name, "must be a string", |text| Some(text.to_owned()))
    }

    /// A string out of a closed set.
    pub(super) fn one_of(&self, name: &str, known: &[&'static str]) -> Result<Option<&'static str>, Error> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match known.iter().find(|known| **known == text) {
            Some(known) => Ok(Some(known)),
            None => Err(Error::invalid_param(name, format!("must be one of {}", known.join(", ")))),
        }
    }

    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, Error> {
        self.read(name, "must be an integer", |text| text.parse().ok())
    }

    /// An integer, or a string that holds one.
    pub(super) fn lenient_integer(&self, name: &str) -> Result<Option<i64>, Error> {
        self.integer(name).or_else(|error| self.text(name)?.and_then(|text| text.parse().ok()).ok_or(error).map(Some))
    }

    pub(super) fn boolean(&self, name: &str) -> Result<Option<bool>, Error> {
        self.read(name, "must be a boolean", |text| text.parse().ok())
    }

    /// A JSON number with all its digits.
    pub(super) fn decimal(&self, name: &str) -> Result<Option<Decimal>, Error> {
        let value = match self.values.get(name) {
            None => return Ok(None),
            Some(Param::Json(raw)) => number::parse(raw.get()),
            Some(Param::Query(elements)) => elements.first().and_then(|text| number::parse(text)),
        };
        value.map(Some).ok_or_else(|| Error::invalid_param(name, "must be a number"))
    }

    pub(super) fn list(&self, name: &str) -> Result<Option<Vec<String>>, Error> {
        match self.values.get(name) {
            None => Ok(None),
            Some(Param::Json(raw)) => serde_json::from_str(raw.get())
                .map(Some)
                .map_err(|_| Error::invalid_param(name, "must be an array of strings")),
            Some(Param::Query(elements)) => match elements.as_slice() {
                [one] if one.starts_with('[') => serde_json::from_str(one)
                    .map(Some)
                    .map_err(|_| Error::invalid_param(name, "must be an array of strings")),
                elements => Ok(Some(elements.to_vec())),
            },
        }
    }

    /// An array of anything.
    pub(super) fn read_list<T: DeserializeOwned>(&self, name: &str) -> Result<Option<Vec<T>>, Error> {
        self.read(name, "must be an array", |text| serde_json::from_str(text).ok())
    }

    /// A string of words separated by blanks, or an array of such strings.
    pub(super) fn words(&self, name: &str) -> Result<Option<Vec<String>>, Error> {
        let texts = match self.values.get(name) {
            Some(Param::Json(raw)) if raw.get().starts_with('"') => self.text(name)?.map(|text| vec![text]),
            _ => self.list(name)?,
        };
        Ok(texts.map(|texts| texts.iter().flat_map(|text| text.split_whitespace()).map(str::to_owned).collect()))
    }

    /// Turns an absent param into the error for it.
    pub(super) fn required<T>(&self, name: &str, value: Option<T>) -> Result<T, Error> {
        value.ok_or_else(|| {
            if self.is_empty() { Error::new(Error::MISSING_PARAMS) } else { Error::invalid_param(name, "missing") }
        })
    }

    fn read<T: DeserializeOwned>(
        &self,
        name: &str,
        expected: &'static str,
        from_query: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let value = match self.values.get(name) {
            None => return Ok(None),
            Some(Param::Json(raw)) => serde_json::from_str(raw.get()).ok(),
            Some(Param::Query(elements)) => elements.first().and_then(|text| from_query(text)),
        };
        value.map(Some).ok_or_else(|| Error::invalid_param(name, expected))
    }
}
