//! How errors are read, and what may be repeated.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::{OneOrSeveral, form, one_or_several};

/// How to read an error body. Places are JSON pointers, tried in order.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Errors {
    /// The venue's code.
    #[serde(default)]
    pub code: Vec<String>,
    /// The sentence for people.
    #[serde(default)]
    pub message: Vec<String>,
    /// Further explanation.
    #[serde(default)]
    pub detail: Vec<String>,
    /// The offending parameter.
    #[serde(default)]
    pub param: Vec<String>,
    /// Seconds to wait.
    #[serde(default)]
    pub retry_after: Vec<String>,
    /// The response header that identifies the request.
    request_id_header: Option<String>,
    /// What makes a response with a success status a failure.
    #[serde(default)]
    pub failed_when: Vec<FailedWhen>,
    /// What codes are called.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
    /// What codes mean together with a text; the first row that holds counts, before `kinds`.
    #[serde(default)]
    pub texts: Vec<ErrorText>,
    /// What codes mean; a trailing asterisk matches a prefix.
    #[serde(default)]
    pub kinds: BTreeMap<String, String>,
    /// What statuses mean where the venue differs.
    #[serde(default)]
    pub statuses: BTreeMap<String, String>,
    /// Statuses by which the venue bans the address for a while, and the longest ban in seconds.
    #[serde(default)]
    pub bans: BTreeMap<String, u32>,
    /// The venue's own words for a key that it does not know.
    #[serde(default)]
    pub unknown_key: Vec<UnknownKey>,
    /// Codes, as text, and statuses, as numbers, after which nothing was done.
    #[serde(default)]
    pub not_processed: Vec<CodeOrStatus>,
    /// Codes after which it is unknown whether the call was executed.
    #[serde(default)]
    pub outcome_unknown: Vec<String>,
    /// Codes by which the venue refuses an idempotency key that it has seen.
    #[serde(default)]
    repeated_key: Vec<String>,
}

/// What a code means together with a text.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ErrorText {
    /// The code; left out where the text alone decides.
    pub code: Option<String>,
    /// Words of code, message or detail: lower case, a blank in place of other signs.
    pub says: String,
    /// The kind of error.
    pub kind: String,
}

/// A member whose value makes a response a failure.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FailedWhen {
    /// The place.
    pub at: String,
    /// The value that does.
    #[serde(default, deserialize_with = "given")]
    pub equals: Option<Value>,
    /// The value that alone does not.
    #[serde(default, deserialize_with = "given")]
    pub not: Option<Value>,
}

/// A value that is there, even if it is null.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// One way in which a venue says that it does not know a key. All that is given must hold.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct UnknownKey {
    /// The status.
    pub status: Option<u16>,
    /// The code.
    pub code: Option<String>,
    /// The sentence.
    pub message: Option<String>,
    /// The further explanation.
    pub detail: Option<String>,
    /// Words that the explanation must not have.
    #[serde(default)]
    pub except: Vec<String>,
}

/// A code as text, or a status as a number.
#[derive(Debug, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum CodeOrStatus {
    /// A code.
    Code(String),
    /// A status.
    Status(u16),
}

impl<'de> Deserialize<'de> for CodeOrStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(code) => Ok(Self::Code(code)),
            status @ Value::Number(_) => form(&status).map(Self::Status),
            _ => Err(serde::de::Error::custom("is a code in quotes, or the number of a status")),
        }
    }
}

/// The response headers of the limits.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum AllRateHeaders {
    /// Those of one limit.
    One(RateHeaders),
    /// Those of several.
    Several(Vec<RateHeaders>),
}

impl<'de> Deserialize<'de> for AllRateHeaders {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match one_or_several(deserializer, "`{remaining, reset}` or `{bucket, used, window}`")? {
            OneOrSeveral::One(headers) => Self::One(headers),
            OneOrSeveral::Several(headers) => Self::Several(headers),
        })
    }
}

impl AllRateHeaders {
    /// The headers, limit by limit.
    pub fn all(&self) -> &[RateHeaders] {
        match self {
            Self::One(headers) => std::slice::from_ref(headers),
            Self::Several(headers) => headers,
        }
    }
}

/// The response headers of a limit: `remaining` and `reset`, or `used` of a `window`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RateHeaders {
    /// The bucket; left out where every call pays into one alone.
    pub bucket: Option<String>,
    /// How much is left.
    pub remaining: Option<String>,
    /// When it starts again.
    pub reset: Option<String>,
    /// The unit of that time; Unix seconds if it is left out.
    pub unit: Option<String>,
    /// How much was used.
    pub used: Option<String>,
    /// The length of the window in seconds. A window begins at a full multiple of it.
    pub window: Option<u64>,
}

/// Whether a call may be repeated.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum Retry {
    /// It may or it may not.
    Word(RetryWord),
    /// It may with its idempotency key.
    Keyed(KeyedRetry),
}

impl<'de> Deserialize<'de> for Retry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let choices = "`safe`, `never`, or `keyed: {header: NAME}` or `keyed: {field: NAME}`";
        match &value {
            Value::Object(_) => form(&value).map(Self::Keyed),
            Value::String(word) => serde_json::from_value(value.clone())
                .map(Self::Word)
                .map_err(|_| serde::de::Error::custom(format!("`{word}` is not one of {choices}"))),
            _ => Err(serde::de::Error::custom(format!("is one of {choices}"))),
        }
    }
}

/// Whether a call may be repeated.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RetryWord {
    /// It only reads.
    Safe,
    /// It may not.
    Never,
}

/// A call that may be repeated with its idempotency key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct KeyedRetry {
    /// Where the key is.
    pub keyed: Keyed,
}

/// Where an idempotency key is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Keyed {
    /// In this header.
    pub header: Option<String>,
    /// In this member of the body.
    pub field: Option<String>,
    /// What the venue does with a key that it has seen; it returns the first response again if this is left out.
    pub repeat: Option<RepeatWord>,
}

/// What a venue does with an idempotency key that it has seen.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RepeatWord {
    /// It refuses the call.
    Refused,
}

/// A Rust type that the generator is given.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RustType {
    /// The crate.
    #[serde(rename = "crate")]
    pub krate: String,
    /// Its version.
    pub version: String,
    /// The path of the type.
    pub path: String,
    /// Schemas of its type parameters.
    parameters: Option<Vec<Map<String, Value>>>,
}
