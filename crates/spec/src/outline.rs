//! Where the parts of a document are. A part is read when it is needed first: a command needs a few of a thousand.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// A document by its parts. What is not named here is left out.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Outline<'a> {
    #[serde(borrow)]
    pub(super) components: Sections<'a>,
    /// By path and method.
    #[serde(borrow)]
    pub(super) paths: BTreeMap<&'a str, BTreeMap<&'a str, &'a RawValue>>,
    /// The methods of an OpenRPC document.
    #[serde(borrow)]
    pub(super) methods: Vec<&'a RawValue>,
    pub(super) servers: Vec<Value>,
    pub(super) security: Value,
    #[serde(rename = "x-security")]
    pub(super) rpc_security: Value,
    #[serde(rename = "x-security-schemes")]
    pub(super) rpc_schemes: Value,
    #[serde(rename = "x-no-body")]
    pub(super) no_body: bool,
    #[serde(rename = "x-errors")]
    pub(super) errors: Value,
    #[serde(rename = "x-challenge")]
    pub(super) challenge: Value,
    #[serde(rename = "x-websocket")]
    pub(super) websocket: Value,
}

/// The `components` of a document that is there for good.
pub(super) type Components = Sections<'static>;

/// The `components` of a document, by section and name.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Sections<'a>(#[serde(borrow)] BTreeMap<&'a str, BTreeMap<&'a str, Part<'a>>>);

impl Sections<'_> {
    /// One of them; null if it does not exist.
    pub(super) fn part(&self, section: &str, name: &str) -> &Value {
        const NONE: &Value = &Value::Null;
        self.0.get(section).and_then(|section| section.get(name)).map_or(NONE, Part::value)
    }

    /// What a schema or a parameter refers to, if it is a reference.
    pub(super) fn referred(&self, value: &Value) -> Option<&Value> {
        let (section, name) = value["$ref"].as_str()?.strip_prefix("#/components/")?.split_once('/')?;
        Some(self.0.get(section)?.get(name)?.value())
    }
}

#[derive(Debug)]
struct Part<'a> {
    text: &'a RawValue,
    value: OnceLock<Value>,
}

impl Part<'_> {
    fn value(&self) -> &Value {
        self.value.get_or_init(|| read(self.text))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Part<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { text: Deserialize::deserialize(deserializer)?, value: OnceLock::new() })
    }
}

/// Reads a part of a document that is JSON as a whole.
pub(super) fn read<'a, T: Deserialize<'a>>(text: &'a RawValue) -> T {
    serde_json::from_str(text.get()).expect("a generated document is JSON of the vocabulary")
}
