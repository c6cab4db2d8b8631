//! How a venue takes calls over a WebSocket.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::credentials::KeyType;
use super::form;

/// How a venue takes calls over a WebSocket.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WebSocket {
    /// A URL for each environment, or `none` where it has no calls over a WebSocket.
    pub servers: BTreeMap<String, String>,
    /// The venue's notifications, where its messages are JSON-RPC.
    pub notification: Option<Notification>,
    /// How each side sees that the other is there, where calls do that.
    pub heartbeat: Option<Heartbeat>,
    /// Seconds without a frame after which a connection is dead.
    pub dead_after: Option<u32>,
    /// Seconds after which another connection takes the place of one.
    pub connection_life: Option<u32>,
    /// The ping that the client sends at an interval, so that the venue keeps the connection.
    pub ping: Option<Ping>,
    /// The members of requests and replies, where they are not those of JSON-RPC.
    pub envelope: Option<Envelope>,
    /// The same, where a reply is what a response is over HTTP.
    pub commands: Option<Commands>,
    /// What a call adds to its params, by the `x-credential` that it carries.
    #[serde(default)]
    pub signed: BTreeMap<String, Vec<Added>>,
    /// How a connection is logged on.
    pub logon: Option<Logon>,
    /// The parameters of the URL that say what headers of `x-client-headers` say.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
}

/// A parameter that is added, and a template of its value.
pub type Added = BTreeMap<String, String>;

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
    /// The member with the kind of heartbeat.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its value when the venue asks for a reply.
    pub test: String,
    /// The method of that call.
    pub answer: String,
    /// The method that switches heartbeats on.
    pub set: String,
    /// Its parameter.
    pub interval: String,
}

/// The members of requests and replies.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Envelope {
    /// The number of a request, which its reply repeats.
    pub id: String,
    /// The method of a request.
    pub method: String,
    /// Its params.
    pub params: String,
    /// The status of a reply.
    pub status: String,
    /// What a good reply brings.
    pub result: String,
    /// What another one brings.
    pub error: String,
    /// A pointer into the error: until when the venue takes no call, in Unix milliseconds.
    pub retry_at: Option<String>,
    /// Messages other than replies.
    pub event: Option<EventMembers>,
    /// What has been used of the venue's limits.
    pub limits: Option<ReplyLimits>,
}

/// The members of a message that is not a reply.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EventMembers {
    /// What happened.
    pub data: String,
    /// The subscription that it belongs to.
    pub subscription: String,
    /// The member of what happened that names its type.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The type of the notice that the venue is going to close the connection.
    pub closing: Option<String>,
}

/// A list of windows, and what has been used in each.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ReplyLimits {
    /// The member of a reply with the list.
    pub list: String,
    /// The member of an entry that names what is counted.
    #[serde(rename = "type")]
    pub kind: String,
    /// The member with the unit of the window.
    pub unit: String,
    /// The member with the number of units.
    pub number: String,
    /// The member with what has been used.
    pub used: String,
    /// What is counted, and its bucket.
    pub buckets: BTreeMap<String, String>,
    /// The names of units, and their seconds.
    pub units: BTreeMap<String, u64>,
}

/// How a connection is logged on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Logon {
    /// The operation.
    pub operation: String,
    /// The kinds of keys that can do it.
    pub keys: Vec<KeyType>,
    /// What calls add from then on.
    #[serde(default)]
    pub adds: Vec<Added>,
}

/// The ping that the client sends at an interval.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Ping {
    /// Seconds between two.
    pub every: u32,
    /// The message, which is JSON.
    pub message: String,
}

/// Calls as commands.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Commands {
    /// The id of a request, a text, which its reply repeats.
    pub id: String,
    /// The name of the command.
    pub command: String,
    /// A list with the parameters of the call as its one element.
    pub arguments: String,
    /// What HTTP has in headers.
    pub headers: String,
    /// The headers of a call on a connection that is logged on.
    #[serde(default)]
    pub adds: Vec<Added>,
    /// The members of a response over HTTP, and where a reply has their values.
    pub body: BTreeMap<String, String>,
    /// Commands whose replies belong to no call.
    #[serde(default)]
    pub quiet: Vec<String>,
    /// Codes by which the venue says that the connection takes no more calls.
    #[serde(default)]
    pub closing: Vec<String>,
    /// How a connection is logged on.
    pub logon: CommandLogon,
}

/// A command that logs a connection on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CommandLogon {
    /// The operation.
    pub operation: String,
    /// The credential that signs it.
    pub credential: String,
    /// The headers of the credential whose values are the arguments.
    pub values: Vec<Argument>,
    /// Codes by which the venue says that the connection is logged on already.
    #[serde(default)]
    pub done: Vec<String>,
}

/// A header whose value is an argument.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum Argument {
    /// As a text.
    Text(String),
    /// As a number.
    Integer(IntegerArgument),
}

impl<'de> Deserialize<'de> for Argument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(header) => Ok(Self::Text(header)),
            value @ Value::Object(_) => form(&value).map(Self::Integer),
            _ => Err(serde::de::Error::custom("is the name of a header, or `{integer: NAME}`")),
        }
    }
}

/// A header whose value is sent as a number.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IntegerArgument {
    /// The header.
    pub integer: String,
}

impl Argument {
    /// The header.
    pub fn header(&self) -> &str {
        match self {
            Self::Text(header) | Self::Integer(IntegerArgument { integer: header }) => header,
        }
    }
}
