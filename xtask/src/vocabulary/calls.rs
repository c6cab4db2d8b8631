//! Words of operations that have members.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// How to find out what became of a call whose response was lost.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub enum Reconcile {
    /// The lookup operation.
    Operation(String),
    /// The same, with the parameters without which it finds nothing.
    By {
        /// The lookup operation.
        operation: String,
        /// Its parameters.
        by: Vec<String>,
    },
}

impl Reconcile {
    /// The operation, and the parameters.
    pub fn parts(&self) -> (&str, &[String]) {
        match self {
            Self::Operation(operation) => (operation, &[]),
            Self::By { operation, by } => (operation, by),
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
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rate {
    /// The bucket of `x-buckets`.
    pub bucket: String,
    /// Tokens.
    pub cost: u32,
    /// The request list whose elements each cost as much.
    pub per_item: Option<String>,
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
}

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
    /// `unix-s`, `unix-ms`, `unix-us` or `unix-ns`.
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
}

/// How a venue talks over a WebSocket.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WebSocket {
    /// A URL for each environment.
    pub servers: BTreeMap<String, String>,
    /// The venue's notifications.
    pub notification: Notification,
    /// How each side sees that the other is there.
    pub heartbeat: Heartbeat,
}

/// The members of a notification.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Notification {
    /// Its method.
    pub method: String,
    /// The member with the channel.
    pub channel: String,
    /// The member with the data.
    pub data: String,
}

/// Heartbeats.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Heartbeat {
    /// The method of the notification.
    pub method: String,
    /// The member that says what is wanted.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it says when a call is wanted.
    pub test: String,
    /// The method of that call.
    pub answer: String,
    /// The method that switches heartbeats on.
    pub set: String,
    /// Its parameter.
    pub interval: String,
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
