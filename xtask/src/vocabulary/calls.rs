//! Words of operations that have members.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{OneOrSeveral, form, one_or_several};

/// How to find out what became of a call whose response was lost.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum Reconcile {
    /// The lookup operation.
    Operation(String),
    /// The same, with the parameters without which it finds nothing.
    By(Lookup),
}

/// A lookup operation with the parameters without which it finds nothing.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    /// The operation.
    pub operation: String,
    /// Its parameters.
    pub by: Vec<String>,
}

impl<'de> Deserialize<'de> for Reconcile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(operation) => Ok(Self::Operation(operation)),
            lookup @ Value::Object(_) => form(&lookup).map(Self::By),
            _ => Err(serde::de::Error::custom("is the name of an operation, or `{operation, by: [...]}`")),
        }
    }
}

impl Reconcile {
    /// The operation, and the parameters.
    pub fn parts(&self) -> (&str, &[String]) {
        match self {
            Self::Operation(operation) => (operation, &[]),
            Self::By(Lookup { operation, by }) => (operation, by),
        }
    }
}

/// How a successful response asks for a second factor.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Challenge {
    /// The member of the result that is true in a challenge.
    pub flag: String,
    /// The member that must be sent back.
    pub challenge: String,
    /// The parameters that send it back.
    pub params: ChallengeParams,
    /// Codes of errors that say that the one-time code was wrong.
    #[serde(default)]
    pub wrong_code: Vec<String>,
}

/// Parameters of a call that answers a challenge.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ChallengeParams {
    /// What the venue has sent.
    pub challenge: String,
    /// The one-time code.
    pub code: String,
}

/// What a call costs.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum Rates {
    /// Tokens of one bucket.
    One(Rate),
    /// Tokens of several, all of which must have room.
    Several(Vec<Rate>),
}

impl<'de> Deserialize<'de> for Rates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match one_or_several(deserializer, "`{bucket, cost}`")? {
            OneOrSeveral::One(rate) => Self::One(rate),
            OneOrSeveral::Several(rates) => Self::Several(rates),
        })
    }
}

impl Rates {
    /// What is paid, bucket by bucket.
    pub fn all(&self) -> &[Rate] {
        match self {
            Self::One(rate) => std::slice::from_ref(rate),
            Self::Several(rates) => rates,
        }
    }
}

/// What a call costs in one bucket.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rate {
    /// The bucket of `x-buckets`.
    pub bucket: String,
    /// Tokens.
    pub cost: u32,
    /// The request list whose elements each cost as much.
    pub per_item: Option<String>,
    /// What the whole call costs where something holds of its parameters; the last row that holds counts.
    #[serde(default)]
    pub costs: Vec<Cost>,
}

/// What a call costs where one thing holds of its parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Cost {
    /// This parameter is left out.
    pub without: Option<String>,
    /// This parameter is given.
    pub given: Option<String>,
    /// This parameter is as one of the following says.
    pub parameter: Option<String>,
    /// It is this text.
    pub is: Option<String>,
    /// It is a number above this one.
    pub above: Option<i64>,
    /// It is a list of more items.
    pub items_above: Option<u32>,
    /// Tokens of the whole call.
    pub cost: u32,
}

/// The condition of a row, with the parameter first.
pub enum When<'a> {
    /// It is left out.
    Without(&'a str),
    /// It is given.
    Given(&'a str),
    /// It is this text.
    Is(&'a str, &'a str),
    /// It is a number above this one.
    Above(&'a str, i64),
    /// It is a list of more items.
    ItemsAbove(&'a str, u32),
}

impl Cost {
    /// What must hold; none where the row says nothing, or several things.
    pub fn when(&self) -> Option<When<'_>> {
        let Self { without, given, parameter, is, above, items_above, cost: _ } = self;
        Some(match (without, given, parameter, is, above, items_above) {
            (Some(name), None, None, None, None, None) => When::Without(name),
            (None, Some(name), None, None, None, None) => When::Given(name),
            (None, None, Some(name), Some(text), None, None) => When::Is(name, text),
            (None, None, Some(name), None, Some(bound), None) => When::Above(name, *bound),
            (None, None, Some(name), None, None, Some(bound)) => When::ItemsAbove(name, *bound),
            _ => return None,
        })
    }
}

/// The rate limiter: tiers by bucket, the default first.
pub type Buckets = BTreeMap<String, Vec<Tier>>;

/// What a bucket allows to accounts of a tier.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Tier {
    /// Its name.
    pub tier: String,
    /// Tokens that come back in a second.
    pub refill: Option<f64>,
    /// Tokens that fit.
    pub capacity: Option<u64>,
    /// So many tokens in any span.
    pub windows: Option<Vec<Window>>,
    /// What has a bucket of its own; the same in all tiers of a bucket.
    pub per: Option<Per>,
}

/// What has a bucket of its own.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Per {
    /// Each path.
    Path,
}

/// Headers that a client may send with every call, each with its values.
pub type ClientHeaders = BTreeMap<String, Vec<String>>;

/// So many tokens in a span.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Window {
    /// Tokens.
    pub count: u64,
    /// The span.
    pub seconds: u64,
}

/// Where a response has the venue's own time.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct VenueTime {
    /// A JSON pointer; empty for the response itself.
    pub at: String,
    /// `unix-s`, `unix-ms`, `unix-us`, `unix-ns`, or `unix-ms-or-us` where the client chooses.
    pub unit: String,
}

/// How a list goes on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "style", rename_all = "kebab-case", deny_unknown_fields)]
#[expect(clippy::enum_variant_names, reason = "the variants are the words of the spec")]
pub enum Page {
    /// A cursor of the response goes into the next request.
    Cursor {
        /// The parameter.
        param: String,
        /// The member of the response.
        next: String,
        /// The list.
        items: String,
        /// The word on the last page.
        end: Option<String>,
    },
    /// Pages are numbered from 1.
    Page {
        /// The parameter.
        param: String,
        /// The list.
        items: String,
        /// The number of the last page.
        last: Option<String>,
    },
    /// The request says how many items to leave out.
    Offset {
        /// The parameter.
        param: String,
        /// The list.
        items: String,
    },
    /// The request says with which number a page begins: the one behind that of the last item of the page before.
    After {
        /// The parameter.
        param: String,
        /// The member of an item that has its number.
        key: String,
        /// The list.
        items: String,
    },
}

/// What a call has to do with its connection.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Connection {
    /// There is no such call over HTTP.
    pub only: Option<Yes>,
    /// The venue responds by closing the connection.
    pub closes: Option<Yes>,
    /// The setting that it makes.
    pub sets: Option<String>,
    /// The setting that it ends.
    pub unsets: Option<String>,
    /// One parameter and the text that it has, or is left out.
    pub when: Option<BTreeMap<String, String>>,
    /// What it has to do with the log-on of the connection.
    pub logon: Option<LogonUse>,
}

/// What a call has to do with the log-on of its connection.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LogonUse {
    /// It needs it.
    Needed,
    /// It ends it.
    Ended,
    /// It is signed in any case.
    Unused,
}

/// The value `true`, where `false` is said by leaving the word out.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "bool")]
pub struct Yes;

impl TryFrom<bool> for Yes {
    type Error = &'static str;

    fn try_from(value: bool) -> Result<Self, Self::Error> {
        if value { Ok(Self) } else { Err("is `true` or left out") }
    }
}

impl JsonSchema for Yes {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Yes".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"const": true})
    }
}
